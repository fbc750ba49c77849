use serde_json::{Map, Value as Json};

use crate::exchange::{equal, same_number};

/// The most items of an array whose order is ignored: each may have to be held against each.
pub(super) const UNORDERED: usize = 500;

/// How many values are held against each other: all of the largest body some times over.
const STEPS: usize = 2_000_000;

const PLACEHOLDER: &str = "${json-unit.";

/// JSON that a text must be.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) value: Json,
    /// Items of arrays may come in another order.
    pub(super) any_order: bool,
    /// There may be further members, and further items behind those of an array.
    pub(super) more: bool,
    /// Some texts in it stand for any value of a kind.
    placeholders: bool,
}

impl Wanted {
    /// The error says in words what in it would never be equal to anything.
    pub(super) fn new(value: Json, any_order: bool, more: bool) -> Result<Self, String> {
        let mut placeholders = false;
        inspect(&value, any_order, &mut placeholders)?;
        Ok(Wanted { value, any_order, more, placeholders })
    }

    /// Whether only one value fits.
    pub(super) fn is_exact(&self) -> bool {
        !self.any_order && !self.more && !self.placeholders
    }

    pub(super) fn fits(&self, value: &Json) -> bool {
        if self.is_exact() {
            return equal(&self.value, value);
        }
        Held { wanted: self, left: STEPS }.fits(&self.value, value)
    }
}

fn inspect(value: &Json, any_order: bool, placeholders: &mut bool) -> Result<(), String> {
    match value {
        Json::String(text) if text.starts_with(PLACEHOLDER) => match placeholder(text) {
            Some(_) => *placeholders = true,
            None => {
                let known = "there are `ignore`, `any-string`, `any-number` and `any-boolean`";
                return Err(format!("the placeholder `{text}` is not known: {known}"));
            }
        },
        Json::Array(items) if any_order && items.len() > UNORDERED => {
            return Err(format!("an array has {} items: order is ignored for at most {UNORDERED}", items.len()));
        }
        Json::Array(items) => items.iter().try_for_each(|item| inspect(item, any_order, placeholders))?,
        Json::Object(members) => members.values().try_for_each(|item| inspect(item, any_order, placeholders))?,
        _ => {}
    }
    Ok(())
}

/// What a text such as `${json-unit.any-string}` stands for.
fn placeholder(text: &str) -> Option<fn(&Json) -> bool> {
    Some(match text.strip_prefix(PLACEHOLDER)?.strip_suffix('}')? {
        "ignore" | "ignore-element" => |_| true,
        "any-string" => Json::is_string,
        "any-number" => Json::is_number,
        "any-boolean" => Json::is_boolean,
        _ => return None,
    })
}

struct Held<'w> {
    wanted: &'w Wanted,
    left: usize,
}

impl Held<'_> {
    /// What takes too many steps does not fit.
    fn fits(&mut self, wanted: &Json, value: &Json) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        match (wanted, value) {
            (Json::String(text), _) if self.wanted.placeholders && text.starts_with(PLACEHOLDER) => {
                placeholder(text).is_some_and(|stands_for| stands_for(value))
            }
            (Json::Object(wanted), Json::Object(value)) => self.members(wanted, value),
            (Json::Array(wanted), Json::Array(items)) => {
                let count = wanted.len() == items.len() || (self.wanted.more && wanted.len() < items.len());
                count
                    && match self.wanted.any_order {
                        true => self.assigned(wanted, items),
                        false => wanted.iter().zip(items).all(|(wanted, item)| self.fits(wanted, item)),
                    }
            }
            (Json::Number(wanted), Json::Number(number)) => same_number(wanted, number),
            _ => wanted == value,
        }
    }

    fn members(&mut self, wanted: &Map<String, Json>, value: &Map<String, Json>) -> bool {
        (self.wanted.more || wanted.len() == value.len())
            && wanted.iter().all(|(name, wanted)| value.get(name).is_some_and(|value| self.fits(wanted, value)))
    }

    /// Whether each wanted item can be given an item of its own.
    fn assigned(&mut self, wanted: &[Json], items: &[Json]) -> bool {
        let mut fitting = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let places: Vec<usize> = (0..items.len()).filter(|place| self.fits(wanted, &items[*place])).collect();
            if places.is_empty() {
                return false;
            }
            fitting.push(places);
        }
        let mut taken = vec![None; items.len()];
        (0..wanted.len()).all(|one| place(one, &fitting, &mut taken, &mut vec![false; items.len()]))
    }
}

/// Gives an item to one that wants it; who has it takes another, if there is one.
fn place(one: usize, fitting: &[Vec<usize>], taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &item in &fitting[one] {
        if std::mem::replace(&mut tried[item], true) {
            continue;
        }
        if taken[item].is_none_or(|other| place(other, fitting, taken, tried)) {
            taken[item] = Some(one);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_more_are_ignored_where_it_is_said() {
        let cases = [
            // Wanted, any order, more; what fits, what does not.
            (json!({ "a": [1, 2] }), false, false, json!({ "a": [1.0, 2] }), json!({ "a": [2, 1] })),
            (json!({ "a": [1, 2] }), true, false, json!({ "a": [2, 1] }), json!({ "a": [2, 2] })),
            (json!({ "a": [1] }), false, true, json!({ "a": [1, 2], "b": 3 }), json!({ "a": [2, 1] })),
            (json!([{ "a": 1 }, {}]), true, true, json!([{ "b": 1 }, { "a": 1 }]), json!([{ "a": 2 }, {}])),
            (json!(["${json-unit.any-string}", "x"]), true, false, json!(["x", "y"]), json!(["x", 1])),
            (json!({ "a": "${json-unit.ignore}" }), false, false, json!({ "a": [1] }), json!({})),
        ];
        for (wanted, any_order, more, fits, other) in cases {
            let held = Wanted::new(wanted.clone(), any_order, more).unwrap();
            assert!(held.fits(&fits), "{wanted}: {fits}");
            assert!(!held.fits(&other), "{wanted}: {other}");
        }
    }

    #[test]
    fn what_is_never_equal_or_takes_too_long_is_refused() {
        assert!(Wanted::new(json!({ "a": ["${json-unit.any-day}"] }), false, false).is_err());
        let long: Json = (0..=UNORDERED).collect();
        assert!(Wanted::new(long.clone(), true, false).is_err() && Wanted::new(long, false, true).is_ok());
        let wanted: Json = (0..UNORDERED).map(|n| json!([n, [[[n]]]])).collect();
        let many: Json = (0..100_000).map(|n| json!([n + 1_000_000])).collect();
        assert!(!Wanted::new(wanted, true, true).unwrap().fits(&many));
    }
}
