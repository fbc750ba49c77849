use std::cmp::Ordering;
use std::mem::discriminant;

use serde_json::{Map, Number, Value as Json};

use super::asked::Effort;
use crate::exchange::{equal, same_number};

/// The most items of an array whose order is ignored: each may have to be held against each.
pub(super) const UNORDERED: usize = 500;

/// How many values are held against each other: all of the largest body some times over; and what each costs, in bytes.
const STEPS: usize = 2_000_000;
const STEP: usize = 8;
/// What putting a document in order costs for each of its bytes.
const SORTED: usize = 4;

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

    /// Whether a value fits that is so long when it is written; what that takes beyond the length is spent here.
    pub(super) fn fits(&self, value: &Json, length: usize, effort: &Effort) -> bool {
        if self.is_exact() {
            return equal(&self.value, value);
        }
        if !self.more && !self.placeholders {
            // Put in one order, only what is the same is equal.
            return alike(&self.value, value)
                && effort.spend(length.saturating_mul(SORTED))
                && Sorted::new(&self.value).cmp(&Sorted::new(value)).is_eq();
        }
        let most = STEPS.min(effort.left() / STEP);
        let mut held = Held { wanted: self, left: most, gave_up: false };
        let fits = held.fits(&self.value, value);
        if held.gave_up {
            effort.give_up();
        }
        effort.spend((most - held.left).saturating_mul(STEP).min(effort.left().saturating_sub(Effort::LEAST))) && fits
    }
}

/// Whether two values may be equal, at the first look.
fn alike(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Array(one), Json::Array(other)) => one.len() == other.len(),
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len() && one.keys().all(|name| other.contains_key(name))
        }
        _ => discriminant(one) == discriminant(other),
    }
}

/// A value in which everything that has no order is put in one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sorted<'j> {
    Null,
    Bool(bool),
    Number(Size),
    Text(&'j str),
    Array(Vec<Sorted<'j>>),
    Object(Vec<(&'j str, Sorted<'j>)>),
}

impl<'j> Sorted<'j> {
    fn new(value: &'j Json) -> Self {
        match value {
            Json::Null => Sorted::Null,
            Json::Bool(value) => Sorted::Bool(*value),
            Json::Number(number) => Sorted::Number(Size::new(number)),
            Json::String(text) => Sorted::Text(text),
            Json::Array(items) => {
                let mut items: Vec<Sorted<'_>> = items.iter().map(Sorted::new).collect();
                items.sort_unstable();
                Sorted::Array(items)
            }
            Json::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| (name.as_str(), Sorted::new(value))).collect();
                // What is short to look at decides first between two items of one shape.
                members.sort_unstable_by(|one, other| (one.1.is_nested(), one.0).cmp(&(other.1.is_nested(), other.0)));
                Sorted::Object(members)
            }
        }
    }

    fn is_nested(&self) -> bool {
        matches!(self, Sorted::Array(_) | Sorted::Object(_))
    }
}

/// A number, so that `1` and `1.0` are one: as a floating-point number, and where several whole ones are the same, exactly.
#[derive(Debug, Clone, Copy)]
struct Size(f64, i128);

impl Size {
    fn new(number: &Number) -> Self {
        // Of the two zeros only one is left.
        let float = number.as_f64().unwrap_or(f64::NAN) + 0.0;
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off is in the first part")]
        let cut = float as i128;
        Size(float, whole.unwrap_or(cut))
    }
}

impl Ord for Size {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Size {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Size {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Size {}

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
    gave_up: bool,
}

impl Held<'_> {
    /// What takes too many steps is given up.
    fn fits(&mut self, wanted: &Json, value: &Json) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            self.gave_up = true;
            return false;
        };
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
        let is_nested = |wanted: &Json| matches!(wanted, Json::Array(_) | Json::Object(_));
        if !self.wanted.more && wanted.len() != value.len() {
            return false;
        }
        // Two items of a list mostly differ in a number or a text, which is quickly seen.
        let mut all = |nested: bool| {
            let mut members = wanted.iter().filter(|(_, wanted)| is_nested(wanted) == nested);
            members.all(|(name, wanted)| value.get(name).is_some_and(|value| self.fits(wanted, value)))
        };
        all(false) && all(true)
    }

    /// Whether each wanted item can be given an item of its own.
    fn assigned(&mut self, wanted: &[Json], items: &[Json]) -> bool {
        let mut fitting = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let places: Vec<usize> = (0..items.len()).filter(|place| self.fits(wanted, &items[*place])).collect();
            if places.is_empty() || self.gave_up {
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

    /// None where it is given up.
    fn fitting(wanted: &Wanted, value: &Json) -> Option<bool> {
        let effort = Effort::new();
        let fits = wanted.fits(value, value.to_string().len(), &effort);
        (!effort.gave_up()).then_some(fits)
    }

    #[test]
    fn lists_of_lists_in_any_order_are_compared_to_the_end() {
        let item =
            |order: usize, item: usize| json!({ "sku": item % 7, "tags": [item % 3, "a"], "id": order * 100 + item });
        let orders = |shuffled: bool| -> Json {
            let at = |index: usize, of: usize| if shuffled { (index * 7 + 3) % of } else { index };
            let order = |order: usize| json!({ "items": (0..20).map(|n| item(order, at(n, 20))).collect::<Json>(), "id": order });
            (0..50).map(|n| order(at(n, 50))).collect()
        };
        let mut other = orders(true);
        other[31]["items"][7]["tags"][0] = json!(9);
        let more = |mut orders: Json| {
            orders[4]["seen"] = json!(true);
            orders
        };
        for (extra, given) in [(false, orders(true)), (true, more(orders(true)))] {
            let wanted = Wanted::new(orders(false), true, extra).unwrap();
            assert_eq!(fitting(&wanted, &given), Some(true), "more: {extra}");
            assert_eq!(fitting(&wanted, &other), Some(false), "more: {extra}");
        }
    }

    #[test]
    fn numbers_are_the_same_in_any_order_however_they_are_written() {
        let wanted = Wanted::new(json!([1, -0.0, 9_007_199_254_740_993_u64, 2.5]), true, false).unwrap();
        assert_eq!(fitting(&wanted, &json!([2.5, 9_007_199_254_740_993_u64, 0, 1.0])), Some(true));
        assert_eq!(fitting(&wanted, &json!([2.5, 9_007_199_254_740_992_u64, 0, 1.0])), Some(false));
    }

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
            assert!(fitting(&held, &fits) == Some(true), "{wanted}: {fits}");
            assert!(fitting(&held, &other) == Some(false), "{wanted}: {other}");
        }
    }

    #[test]
    fn what_is_never_equal_or_takes_too_long_is_refused() {
        assert!(Wanted::new(json!({ "a": ["${json-unit.any-day}"] }), false, false).is_err());
        let long: Json = (0..=UNORDERED).collect();
        assert!(Wanted::new(long.clone(), true, false).is_err() && Wanted::new(long, false, true).is_ok());
        let wanted: Json = (0..UNORDERED).map(|_| json!([[0]])).collect();
        let many: Json = (0..100_000).map(|_| json!([[0]])).collect();
        assert_eq!(fitting(&Wanted::new(wanted, true, true).unwrap(), &many), None);
    }
}
