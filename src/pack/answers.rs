//! What can be covered of a pack: every answer that its operations declare, and the examples that show it, each with the
//! number of its counter. It is worked out once, when the pack is loaded.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use serde_json::Value;

use super::{
    Content, ErrorId, Example, NamedError, Operation, OperationId, Options, Pack, Refusal, Reply, Row, Verb, Wanted,
};
use crate::schema::Place;

/// All that can be covered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// By the operation's number.
    of: Vec<OfOperation>,
    counters: usize,
}

/// What can be covered of one operation.
#[derive(Debug)]
pub(crate) struct OfOperation {
    /// The counter of requests that led here and got none of its answers. Those of its answers follow, then those of its
    /// examples.
    first: usize,
    /// Its own answers, then those of the errors that it meets.
    pub(crate) declared: Vec<Declared>,
    /// In the order of what gives them, then those of faults. An error can stand here more than once.
    met: Vec<Met>,
    pub(crate) shown: Vec<Shown>,
}

/// An answer of an operation, or a case of an error.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) error: Option<ErrorId>,
    pub(crate) case: usize,
    /// The examples that may show it, by their places in `shown`.
    shown: Vec<usize>,
}

/// An error that a request can meet, and what options must be for it.
#[derive(Debug)]
struct Met {
    error: ErrorId,
    wanted: Wanted,
}

/// A documented answer, and what it shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Its number in the pack.
    pub(crate) example: usize,
    /// With what is around it, where it is a fragment.
    pub(crate) body: Bytes,
    /// What options are when it is replayed.
    pub(crate) options: Options,
    /// The answers that could look like this, by their places in `declared`, each with how much they are like it.
    pub(crate) alike: Vec<(usize, usize)>,
    /// None for what is too long to be held against answers.
    outline: Option<Outline>,
}

/// What a request reached of a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) operation: Option<OperationId>,
    /// Those that it could have been for, where that was not known yet when it was answered.
    pub(crate) candidates: Vec<OperationId>,
    /// None where the answer is none that the pack declares, or did not come whole.
    pub(crate) given: Option<Mark>,
    /// Whether the answer is none that the pack declares.
    pub(crate) undeclared: bool,
    /// Mismatches with the contract.
    pub(crate) misfits: Vec<Misfit>,
}

/// Which answer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) error: Option<ErrorId>,
    pub(crate) case: usize,
    /// The number of the example that was sent as it stands.
    pub(crate) example: Option<usize>,
}

/// Something of a request that does not fit the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Misfit {
    pub(crate) place: &'static str,
    pub(crate) pointer: String,
    /// Of the schema, or of the refusal.
    pub(crate) keyword: String,
}

/// Which of several examples an answer shows is seen in its body only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsettled {
    operation: usize,
    declared: usize,
}

impl Mark {
    /// A reply of the operation itself.
    pub(crate) fn own(reply: &Reply) -> Self {
        Mark { error: None, case: reply.number, example: None }
    }

    pub(crate) fn of_error(error: ErrorId, reply: &Reply) -> Self {
        Mark { error: Some(error), case: reply.number, example: None }
    }
}

impl Declared {
    pub(crate) fn reply<'p>(&self, pack: &'p Pack, operation: &'p Operation) -> &'p Reply {
        match self.error {
            None => &operation.replies[self.case],
            Some(error) => &pack.error(error).replies[self.case],
        }
    }
}

impl Answers {
    pub(super) fn of(pack: &Pack) -> Self {
        let mut answers = Answers::default();
        for operation in &pack.operations {
            let first = answers.counters;
            let mut of = OfOperation { first, declared: Vec::new(), met: met(pack, operation), shown: Vec::new() };
            let own = (0..operation.replies.len()).map(|case| (None, case));
            let mut seen = BTreeSet::new();
            let errors = of.met.iter().map(|met| met.error).filter(|error| seen.insert(*error));
            let errors = errors.flat_map(|error| (0..pack.error(error).replies.len()).map(move |c| (Some(error), c)));
            let declared = own.chain(errors).map(|(error, case)| Declared { error, case, shown: Vec::new() });
            of.declared = declared.collect();
            let examples = pack.examples.iter().enumerate().filter(|(_, one)| one.operation == operation.number);
            of.shown = examples.filter_map(|(number, one)| shown(pack, operation, &of.declared, number, one)).collect();
            for (place, shown) in of.shown.iter().enumerate() {
                shown.alike.iter().for_each(|(declared, _)| of.declared[*declared].shown.push(place));
            }
            answers.counters += 1 + of.declared.len() + of.shown.len();
            answers.of.push(of);
        }
        answers
    }

    /// How many counters there are.
    pub(crate) fn counters(&self) -> usize {
        self.counters
    }

    pub(crate) fn operation(&self, id: OperationId) -> &OfOperation {
        &self.of[id.0]
    }

    /// Calls with the counter of everything that a request has covered. What can only be seen in the body is given back.
    pub(crate) fn count(&self, pack: &Pack, reached: &Reached, mut one_more: impl FnMut(usize)) -> Vec<Unsettled> {
        let mut unsettled = Vec::new();
        for id in reached.operation.iter().chain(&reached.candidates) {
            let of = self.operation(*id);
            let same = |known: &Declared, mark: &Mark| (known.error, known.case) == (mark.error, mark.case);
            let found = reached.given.and_then(|mark| of.declared.iter().position(|known| same(known, &mark)));
            one_more(of.first + found.map_or(0, |place| place + 1));
            if let Some(example) = reached.given.and_then(|mark| mark.example) {
                let places = of.shown.iter().enumerate().filter(|(_, shown)| shown.example == example);
                places.for_each(|(place, _)| one_more(of.example(place)));
            } else if let Some(place) = found {
                let declared = &of.declared[place];
                let settled = matches!(declared.reply(pack, pack.operation(*id)).body, Content::Fixed { .. });
                let is_best = |shown: &usize| of.shown[*shown].is_best(place);
                match declared.shown.as_slice() {
                    [] => {}
                    [only] if is_best(only) => one_more(of.example(*only)),
                    several if settled => several.iter().for_each(|shown| one_more(of.example(*shown))),
                    _ => unsettled.push(Unsettled { operation: id.0, declared: place }),
                }
            }
        }
        unsettled
    }

    /// Whether every example that it can be has been seen, so that nobody need look.
    pub(crate) fn is_settled(&self, unsettled: &Unsettled, seen: impl Fn(usize) -> bool) -> bool {
        let of = &self.of[unsettled.operation];
        of.declared[unsettled.declared].shown.iter().all(|shown| seen(of.example(*shown)))
    }

    /// The counters of the examples that a body shows: of those with the same keys the one that has the most values in
    /// common with it, and whatever other is the same. None where there is none, or that is not decided. What is rather an
    /// example of another answer has to be the same.
    pub(crate) fn settle(&self, unsettled: &Unsettled, body: &[u8]) -> Vec<usize> {
        let of = &self.of[unsettled.operation];
        let Some(outline) = Outline::of(body) else { return Vec::new() };
        let places = of.declared[unsettled.declared].shown.iter();
        let like = places.filter_map(|place| {
            let shown = &of.shown[*place];
            let known = shown.outline.as_ref().filter(|known| known.keys == outline.keys)?;
            let fits = shown.is_best(unsettled.declared) || *known == outline;
            fits.then(|| (known.in_common(&outline), *place, known))
        });
        let like: Vec<(usize, usize, &Outline)> = like.collect();
        let most = like.iter().map(|(common, ..)| *common).max();
        let best: Vec<(usize, &Outline)> = like
            .iter()
            .filter(|(common, ..)| Some(*common) == most)
            .map(|(_, place, known)| (*place, *known))
            .collect();
        let same = best.windows(2).all(|pair| pair[0].1 == pair[1].1);
        best.iter().filter(|_| same).map(|(place, _)| of.example(*place)).collect()
    }
}

impl OfOperation {
    /// The errors that a request can meet where options are these, each once.
    pub(crate) fn errors(&self, options: &Options) -> Vec<ErrorId> {
        let mut errors = Vec::new();
        for met in self.met.iter().filter(|met| met.wanted.holds(options)) {
            if !errors.contains(&met.error) {
                errors.push(met.error);
            }
        }
        errors
    }

    /// Whether an answer can be given where options are these.
    pub(crate) fn is_there(&self, declared: &Declared, options: &Options) -> bool {
        let Some(error) = declared.error else { return true };
        self.met.iter().any(|met| met.error == error && met.wanted.holds(options))
    }

    /// The counters of requests that led here, whatever they got.
    pub(crate) fn led(&self) -> std::ops::RangeInclusive<usize> {
        self.first..=self.first + self.declared.len()
    }

    /// The counter of an answer.
    pub(crate) fn answer(&self, declared: usize) -> usize {
        self.first + 1 + declared
    }

    /// The counter of an example.
    pub(crate) fn example(&self, shown: usize) -> usize {
        self.first + 1 + self.declared.len() + shown
    }
}

impl Shown {
    /// The answer that is the most like it, by its place in `declared`; of several the first.
    pub(crate) fn best(&self) -> Option<usize> {
        let most = self.alike.iter().map(|(_, likeness)| *likeness).max();
        self.alike.iter().find(|(_, likeness)| Some(*likeness) == most).map(|(place, _)| *place)
    }

    /// Whether no answer is more like it than this one.
    fn is_best(&self, declared: usize) -> bool {
        let most = self.alike.iter().map(|(_, likeness)| *likeness).max();
        self.alike.iter().any(|(place, likeness)| *place == declared && Some(*likeness) == most)
    }
}

fn shown(pack: &Pack, operation: &Operation, declared: &[Declared], number: usize, example: &Example) -> Option<Shown> {
    let status = example.status?;
    let (body, json) = match example.laid() {
        Some(laid) => laid.ok().map(|json| (Bytes::from(json.to_string()), Some(json)))?,
        None if example.side.fragment.is_some() => return None,
        None => (Bytes::copy_from_slice(example.text.as_bytes()), example.json.as_deref().cloned()),
    };
    let with = || {
        let replies = declared.iter().enumerate().map(|(place, known)| (place, known.reply(pack, operation)));
        replies.filter(|(_, reply)| reply.status.as_u16() == status)
    };
    let mut alike: Vec<(usize, usize)> =
        with().filter_map(|(place, reply)| Some((place, reply.likeness(example, &body, json.as_ref())?))).collect();
    if alike.is_empty() {
        alike.extend(with().next().map(|(place, _)| (place, 0)));
    }
    let outline = match &json {
        Some(json) if !example.side.absent.is_empty() => Outline::of(without_absent(json.clone(), example).as_bytes()),
        _ => Outline::of(&body),
    };
    let request = pack.replays.iter().find(|replay| replay.answer == Some(number)).and_then(|replay| replay.request);
    let request = request.and_then(|request| pack.examples.get(request));
    let sides: Vec<_> = std::iter::once(example).chain(request).map(|example| &example.side).collect();
    let options = Options::replayed(&pack.options, Some(operation), &sides);
    Some(Shown { example: number, body, options, alike, outline })
}

/// What is left of a documented body without what is declared to be absent from answers.
fn without_absent(mut body: Value, example: &Example) -> String {
    for (key, _) in &example.side.absent {
        let parent = key.name.rsplit_once('/').and_then(|(parent, name)| Some((body.pointer_mut(parent)?, name)));
        if let Some((Value::Object(members), name)) = parent {
            members.shift_remove(&name.replace("~1", "/").replace("~0", "~"));
        }
    }
    body.to_string()
}

impl Reply {
    /// How much an example is like it; `None` when the example cannot show it. What never changes is the surest.
    fn likeness(&self, example: &Example, body: &Bytes, shown: Option<&Value>) -> Option<usize> {
        match &self.body {
            Content::Empty => body.is_empty().then_some(0),
            Content::Fixed { json: Some(json), .. } => (shown == Some(json)).then_some(usize::MAX),
            Content::Fixed { bytes, .. } => (bytes == body).then_some(usize::MAX),
            Content::Shaped(shape) => shape.likeness(shown?),
            Content::Page { .. } => example.path.ends_with(".html").then_some(0),
        }
    }
}

/// The errors that a request can meet at an operation, in the order of what gives them, then those of faults.
fn met(pack: &Pack, operation: &Operation) -> Vec<Met> {
    let mut errors: Vec<ErrorId> = Vec::new();
    errors.extend(operation.auth.schemes().into_iter().map(|scheme| pack.scheme(scheme).otherwise));
    let needed = operation.loads.iter().filter(|load| !load.optional);
    errors.extend(needed.filter_map(|load| load.otherwise.or(pack.resource(load.resource).not_found)));
    errors.extend(operation.guards.iter().map(|guard| guard.otherwise));
    let always = |error| Met { error, wanted: Wanted::default() };
    let mut all: Vec<Met> = errors.into_iter().map(always).collect();
    let reads = |place| match place {
        None => true,
        Some(place) => place == Place::Body && operation.body.is_some() || operation.reads(place),
    };
    if operation.body.is_some() || !operation.parameters.is_empty() {
        let rows = pack.rows.iter().filter(|row| reads(row.place));
        all.extend(rows.filter_map(|row: &Row| Some(Met { error: row.error()?, wanted: row.wanted.clone() })));
    }
    let refused = |refusal: Refusal| match refusal {
        Refusal::NotFound => !operation.loads.is_empty() || operation.when.is_some(),
        Refusal::Parameter => !operation.parameters.is_empty() || operation.template.contains('{'),
        _ => operation.body.is_some(),
    };
    all.extend(pack.rejections.iter().filter(|(refusal, _)| refused(**refusal)).map(|(_, error)| always(*error)));
    let changed = operation.effects.iter().filter(|effect| effect.verb != Verb::Delete);
    let unique = changed.flat_map(|effect| pack.resource(effect.resource).unique.iter().map(|unique| unique.error));
    all.extend(unique.map(always));
    let faults = pack.errors.iter().enumerate().filter(|(_, error): &(usize, &NamedError)| error.fault);
    all.extend(faults.map(|(index, _)| always(ErrorId(index))));
    all
}

/// What a JSON document is like: the places of its keys, and its values at their places. Items of a list have one place.
/// Other text has its lines for values.
#[derive(Debug, PartialEq, Eq)]
struct Outline {
    /// Sorted, each once.
    keys: Vec<u64>,
    /// Sorted.
    values: Vec<u64>,
}

/// The longest body that is held against examples.
const LONGEST: usize = 64 << 10;

impl Outline {
    fn of(body: &[u8]) -> Option<Self> {
        if body.len() > LONGEST {
            return None;
        }
        let mut outline = Outline { keys: Vec::new(), values: Vec::new() };
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => outline.add(&value, 0),
            Err(_) => outline.values.extend(std::str::from_utf8(body).ok()?.lines().map(|line| hash(&line.trim()))),
        }
        outline.keys.sort_unstable();
        outline.keys.dedup();
        outline.values.sort_unstable();
        Some(outline)
    }

    fn add(&mut self, value: &Value, place: u64) {
        match value {
            Value::Object(members) => {
                self.keys.push(hash(&(place, "{}")));
                for (key, value) in members {
                    let place = hash(&(place, key));
                    self.keys.push(place);
                    self.add(value, place);
                }
            }
            Value::Array(items) => {
                let place = hash(&(place, "[]"));
                self.keys.push(place);
                items.iter().for_each(|item| self.add(item, place));
            }
            leaf => self.values.push(hash(&(place, leaf.to_string()))),
        }
    }

    /// How many values both have at the same place.
    fn in_common(&self, other: &Outline) -> usize {
        let (mut own, mut theirs) = (self.values.iter().peekable(), other.values.iter().peekable());
        let mut common = 0;
        while let (Some(one), Some(other)) = (own.peek(), theirs.peek()) {
            match one.cmp(other) {
                std::cmp::Ordering::Less => drop(own.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    own.next();
                    theirs.next();
                }
            }
        }
        common
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Outline {
        Outline::of(text.as_bytes()).unwrap()
    }

    #[test]
    fn documents_with_the_same_keys_have_one_outline_and_differ_in_values() {
        let one = outline(r#"{"a": 1, "list": [{"b": 1}, {"b": 2}], "n": null}"#);
        let same = outline(r#"{"n": 7, "list": [{"b": 2}], "a": 1}"#);
        assert_eq!(one.keys, same.keys);
        assert_eq!(one.in_common(&same), 2);
        for other in [
            r#"{"a": 1, "list": [], "n": null}"#,
            r#"{"a": 1, "list": [{"b": 1, "c": 1}], "n": null}"#,
            r#"{"a": {}, "list": [{"b": 1}], "n": null}"#,
            r#"{"a": 1, "list": {"b": 1}, "n": null}"#,
        ] {
            assert_ne!(one.keys, outline(other).keys, "{other}");
        }
    }
}
