use std::sync::Arc;

use serde_json::{Map, Value};

use super::source::Side;
use super::{Operation, Pack};
use crate::diagnostic::{all_of, nearest, one_of, or_rather, there_are};
use crate::exchange::spelled;

/// A choice that a pack leaves to whoever runs it, because more than one behaviour is right.
#[derive(Debug)]
pub(crate) struct PackOption {
    pub(crate) name: Arc<str>,
    /// The name in expressions.
    pub(crate) key: String,
    pub(crate) description: String,
    /// `false` and `true`, or texts, or whole numbers.
    pub(crate) values: Vec<Value>,
    /// The number of the value that it has when nobody chooses.
    pub(crate) default: usize,
}

impl PackOption {
    /// The name that expressions have for an option.
    pub(crate) fn key(name: &str) -> String {
        name.replace('-', "_")
    }

    pub(crate) fn is_boolean(&self) -> bool {
        self.values.first().is_some_and(Value::is_boolean)
    }

    /// Its values as they are written, for messages.
    pub(crate) fn spelled(&self) -> Vec<String> {
        self.values.iter().map(spelled).collect()
    }

    /// The choice of a value, by its number.
    pub(crate) fn choose(&self, pack: &Pack, value: usize) -> Chosen {
        let value = self.values.get(value).cloned().unwrap_or_default();
        Chosen { pack: Arc::clone(&pack.name), option: Arc::clone(&self.name), value }
    }

    /// The number of a value. The error says what it may be instead.
    pub(crate) fn read(&self, value: &Value) -> Result<usize, String> {
        if let Some(index) = self.values.iter().position(|known| known == value) {
            return Ok(index);
        }
        let words = self.spelled();
        let known = || words.iter().map(String::as_str);
        let (kind, given) = (self.kind(), spelled(value));
        if words.contains(&given) {
            let (right, wrong) = (&self.values[words.iter().position(|word| *word == given).unwrap_or(0)], value);
            return Err(format!("it is {kind}: write {right}, not {wrong}"));
        }
        let meant = nearest(&given, known()).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
        Err(format!("it is {}, not {value}{meant}", one_of(known())))
    }

    /// The number of a value that is written as a plain text.
    pub(crate) fn parse(&self, text: &str) -> Result<usize, String> {
        match self.values.iter().position(|known| spelled(known) == text) {
            Some(index) => Ok(index),
            None => self.read(&Value::from(text)),
        }
    }

    fn kind(&self) -> &'static str {
        match self.values.first() {
            Some(Value::Bool(_)) => "a boolean",
            Some(Value::Number(_)) => "a whole number",
            _ => "a text",
        }
    }
}

/// What the options of a pack are in one sandbox: the number of a value for each. Costs nothing where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options(Option<Arc<[usize]>>);

impl Options {
    pub(crate) fn defaults(known: &[PackOption]) -> Self {
        Options((!known.is_empty()).then(|| known.iter().map(|option| option.default).collect()))
    }

    /// The number of an option's value.
    pub(crate) fn value(&self, option: usize) -> Option<usize> {
        self.0.as_ref()?.get(option).copied()
    }

    /// The same with other values: options and values by their numbers.
    pub(crate) fn with(&self, chosen: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let Some(values) = &self.0 else { return self.clone() };
        let mut values = values.to_vec();
        for (option, value) in chosen {
            if let Some(place) = values.get_mut(option) {
                *place = value;
            }
        }
        Options(Some(values.into()))
    }

    /// What they are in a pack when this was chosen; what the pack does not have makes no difference.
    pub(crate) fn chosen(pack: &Pack, chosen: &[Chosen]) -> Self {
        Options::defaults(&pack.options).with(chosen.iter().filter_map(|one| one.number(pack).ok()))
    }

    /// What they are when an example is replayed: what its operation asks for, unless side files say otherwise, of which
    /// the first counts.
    pub(crate) fn replayed(known: &[PackOption], operation: Option<&Operation>, sides: &[&Side]) -> Self {
        let wanted = operation.map(|operation| operation.line_of(sides).map_or(&operation.wanted, |line| &line.wanted));
        let said = sides.iter().rev().flat_map(|side| &side.options).filter_map(|(key, node)| {
            let option = known.iter().position(|option| *option.name == *key.name)?;
            Some((option, known[option].read(&node.to_json()).ok()?))
        });
        Options::defaults(known).with(wanted.into_iter().flat_map(Wanted::pairs).chain(said))
    }

    /// Each option of a pack as `pack.option`, with its value.
    pub(crate) fn by_path<'a>(&'a self, pack: &'a Pack) -> impl Iterator<Item = (String, &'a Value)> {
        self.iter(&pack.options).map(|(option, value)| (format!("{}.{}", pack.name, option.name), value))
    }

    /// Each option with its value, in the order of the pack.
    pub(crate) fn iter<'a>(&'a self, known: &'a [PackOption]) -> impl Iterator<Item = (&'a PackOption, &'a Value)> {
        known.iter().enumerate().filter_map(|(index, option)| Some((option, option.values.get(self.value(index)?)?)))
    }
}

/// A value that was chosen for an option, by names: the pack may be replaced, and what was chosen stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) pack: Arc<str>,
    pub(crate) option: Arc<str>,
    pub(crate) value: Value,
}

impl Chosen {
    /// As it is written: `pack.option`.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.pack, self.option)
    }

    /// Whether both are about the same option.
    pub(crate) fn is_for(&self, other: &Chosen) -> bool {
        (&self.pack, &self.option) == (&other.pack, &other.option)
    }

    /// The numbers of option and value in a pack of this name. The error says what is not there.
    pub(crate) fn number(&self, pack: &Pack) -> Result<(usize, usize), String> {
        let index = pack.options.iter().position(|option| option.name == self.option && pack.name == self.pack);
        let index = index.ok_or_else(|| format!("the pack `{}` has no option `{}`", self.pack, self.option))?;
        Ok((index, pack.options[index].read(&self.value)?))
    }

    /// The option that `pack.name` names, with its pack. The error says what there is.
    pub(crate) fn find<'p>(packs: &'p [Arc<Pack>], path: &str) -> Result<(&'p Pack, &'p PackOption), String> {
        let Some((pack_name, name)) = path.split_once('.') else {
            let all = packs
                .iter()
                .flat_map(|pack| pack.options.iter().filter(|option| &*option.name == path).map(move |_| pack));
            let meant = all.map(|pack| format!("{}.{path}", pack.name)).next();
            let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            return Err(format!("an option is named with its pack, `pack.option`{meant}"));
        };
        let Some(pack) = packs.iter().find(|pack| &*pack.name == pack_name) else {
            let names = packs.iter().map(|pack| &*pack.name);
            let meant = or_rather(pack_name, names.clone());
            return Err(format!("the pack `{pack_name}` is not served{meant}; served are {}", all_of(names)));
        };
        let known = &pack.options;
        match known.iter().find(|option| &*option.name == name) {
            Some(option) => Ok((pack, option)),
            None => {
                let names = known.iter().map(|option| &*option.name);
                let meant = or_rather(name, names.clone());
                Err(format!("the pack `{pack_name}` has no option `{name}`{meant}; {}", there_are(names)))
            }
        }
    }
}

/// What options must be for something to be there: numbers of options and of values. Empty where it always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted(Vec<(usize, usize)>);

impl Wanted {
    pub(crate) fn new(pairs: Vec<(usize, usize)>) -> Self {
        Wanted(pairs)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn holds(&self, options: &Options) -> bool {
        self.0.iter().all(|(option, value)| options.value(*option) == Some(*value))
    }

    /// Whether no sandbox can have both.
    pub(crate) fn excludes(&self, other: &Wanted) -> bool {
        let against =
            |(option, value): &(usize, usize)| other.0.iter().any(|(known, wanted)| known == option && wanted != value);
        self.0.iter().any(against)
    }

    /// What both ask for.
    pub(crate) fn and(&self, other: &Wanted) -> Wanted {
        let more = other.0.iter().filter(|pair| !self.0.contains(pair));
        Wanted(self.0.iter().chain(more).copied().collect())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.0.iter().copied()
    }

    /// As `{name: value}`; null where nothing is asked for.
    pub(crate) fn to_json(&self, known: &[PackOption]) -> Value {
        if self.is_empty() {
            return Value::Null;
        }
        let pair = |(option, value): &(usize, usize)| {
            let option = known.get(*option)?;
            Some((option.name.to_string(), option.values.get(*value)?.clone()))
        };
        Value::Object(self.0.iter().filter_map(pair).collect::<Map<_, _>>())
    }

    /// In words: `put-update`, `get-enums=numbers`.
    pub(crate) fn words(&self, known: &[PackOption]) -> String {
        let word = |(option, value): &(usize, usize)| {
            let option = known.get(*option)?;
            Some(match option.values.get(*value)? {
                Value::Bool(true) => option.name.to_string(),
                value => format!("{}={}", option.name, spelled(value)),
            })
        };
        self.0.iter().filter_map(word).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn option(values: &[Value]) -> PackOption {
        PackOption {
            name: "get-enums".into(),
            key: PackOption::key("get-enums"),
            description: String::new(),
            values: values.to_vec(),
            default: 0,
        }
    }

    #[test]
    fn values_are_read_by_their_kind() {
        let boolean = option(&[json!(false), json!(true)]);
        assert_eq!((boolean.parse("true"), boolean.read(&json!(false))), (Ok(1), Ok(0)));
        assert_eq!(boolean.read(&json!("true")), Err("it is a boolean: write true, not \"true\"".to_owned()));
        let number = option(&[json!(404), json!(401)]);
        assert_eq!((number.parse("401"), number.read(&json!(404))), (Ok(1), Ok(0)));
        assert_eq!(number.read(&json!("404")), Err("it is a whole number: write 404, not \"404\"".to_owned()));
        let text = option(&[json!("mixed"), json!("numbers")]);
        let near = "it is `mixed` or `numbers`, not \"number\": did you mean `numbers`?";
        assert_eq!(text.parse("number"), Err(near.to_owned()));
    }

    #[test]
    fn what_excludes_each_other_never_holds_together() {
        let known = [option(&[json!(false), json!(true)]), option(&[json!("a"), json!("b"), json!("c")])];
        let wanted = |pairs: &[(usize, usize)]| Wanted::new(pairs.to_vec());
        let all = [wanted(&[]), wanted(&[(0, 1)]), wanted(&[(0, 0)]), wanted(&[(1, 1)]), wanted(&[(0, 1), (1, 2)])];
        let options: Vec<Options> = (0..2)
            .flat_map(|first| (0..3).map(move |second| (first, second)))
            .map(|(first, second)| Options::defaults(&known).with([(0, first), (1, second)]))
            .collect();
        for a in &all {
            for b in &all {
                let together = options.iter().any(|options| a.holds(options) && b.holds(options));
                assert_eq!(a.excludes(b), !together, "{a:?} {b:?}");
                assert_eq!(options.iter().any(|options| a.and(b).holds(options)), together, "{a:?} {b:?}");
            }
        }
    }
}
