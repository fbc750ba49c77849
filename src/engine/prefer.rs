//! The answer that a test asks for by its status or its name, in place of the one that the request would get.
//!
//! Nobody needs to be known for it, no record is looked up and nothing is changed. What a shape makes is sent as the
//! documentation shows it: an example is a shape.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderValue, StatusCode};
use serde_json::{Value as Json, json};

use super::route::Found;
use super::{Call, Meant, Outcome, Rejection, render};
use crate::diagnostic::{Location, nearest, shortened};
use crate::exchange::{Preferences, Problem, Response, preference};
use crate::journal::{Stage, Verdict};
use crate::pack::{Content, ErrorId, Example, Mark, Operation, Pack, Reply, Shown, media_type};
use crate::sandbox::Change;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How much of what was sent a problem repeats.
const REPEATED: usize = 100;

/// An answer of an operation, or a case of an error that it has.
#[derive(Clone, Copy)]
struct Answer<'a> {
    operation: &'a Operation,
    reply: &'a Reply,
    error: Option<ErrorId>,
}

/// A documented answer, and how it comes about.
struct Documented<'a> {
    example: &'a Example,
    /// Its number in the pack.
    number: usize,
    body: Bytes,
    answer: Answer<'a>,
}

/// Everything that may be asked for.
struct Choice<'a> {
    /// In the order of stages, those of the operations themselves first.
    answers: Vec<Answer<'a>>,
    examples: Vec<Documented<'a>>,
}

/// Picks the answer that is asked for, if one is.
pub(super) fn answer<'a>(
    call: &mut Call<'a>,
    found: &Found<'a>,
    meant: &mut Meant<'a>,
) -> Result<Option<Outcome>, Rejection> {
    let Some(said) = read(call, found)? else { return Ok(None) };
    let mut applied = Vec::new();
    match said.handling.as_deref() {
        Some("strict") => {
            call.rules.strict = true;
            applied.push(preference("handling", "strict"));
        }
        // A server that is strict stays so.
        Some("lenient") if !call.rules.strict => applied.push(preference("handling", "lenient")),
        _ => {}
    }
    // It is about every answer, also about refusals.
    call.applied = applied.join(", ");
    if [&said.code, &said.example, &said.dynamic].into_iter().all(Option::is_none) {
        note(call);
        return Ok(None);
    }
    let choice = Choice::new(call, found);
    let code = said.code.as_deref().map(|code| status(code).ok_or_else(|| choice.unknown(call, "code", code)));
    let code = code.transpose()?;
    let dynamic = match said.dynamic.as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(choice.unknown(call, "dynamic", other)),
        None => None,
    };
    let (answer, example) = match (code, said.example.as_deref(), dynamic) {
        (None, None, None | Some(true)) => {
            // Answers are made from records anyway.
            applied.extend(dynamic.map(|_| preference("dynamic", "true")));
            call.applied = applied.join(", ");
            note(call);
            return Ok(None);
        }
        (None, None, Some(false)) => choice.first(call),
        (Some(code), None, _) => choice.by_code(call, code),
        (code, Some(name), _) => choice.by_name(call, name, code),
    }
    .ok_or_else(|| choice.not_there(call, code, said.example.as_deref()))?;
    meant.operation = Some(answer.operation);
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(code.map(|code| preference("code", code.as_str())));
    wanted.extend(said.example.as_deref().map(|name| preference("example", name)));
    let place = example.map_or(&answer.reply.at, |example| &example.example.at);
    let words = if wanted.is_empty() { "dynamic=false".to_owned() } else { wanted.join(", ") };
    call.trace.passed(Stage::Prefer, Some(place), words);
    let (response, documented) = match made(call, answer, example) {
        Err(Rejection::Fault(words)) => {
            let detail = format!(
                "No example shows this answer, and it is made from what a request says: {words}. Ask for another one."
            );
            return Err(choice.refuse(call, detail));
        }
        made => made?,
    };
    wanted.extend((dynamic == Some(false) && documented).then(|| preference("dynamic", "false")));
    applied.splice(0..0, wanted);
    call.applied = applied.join(", ");
    let given = Mark { example: example.map(|example| example.number), ..answer.mark() };
    let contract = answer.reply.provenance.header();
    Ok(Some(Outcome { response, contract, change: Change::default(), given: Some(given) }))
}

/// Says what was followed, where the request goes on all the same.
fn note(call: &mut Call<'_>) {
    if !call.applied.is_empty() {
        call.trace.passed(Stage::Prefer, None, call.applied.clone());
    }
}

/// Tells the client which of its preferences were followed.
pub(super) fn confirm(call: &Call<'_>, response: &mut Response) {
    if !call.applied.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(call.applied.as_bytes())
    {
        response.headers.insert(APPLIED, value);
    }
}

/// What header and query say together. The query is without it from then on.
fn read<'a>(call: &mut Call<'a>, found: &Found<'a>) -> Result<Option<Preferences>, Rejection> {
    let request = call.request;
    let query = request.query.as_deref().filter(|query| query.contains("__") || query.contains("%5"));
    if query.is_none() && !request.headers.contains_key(&PREFER) {
        return Ok(None);
    }
    let lines = request.headers.get_all(&PREFER).iter().filter_map(|line| std::str::from_utf8(line.as_bytes()).ok());
    let header = Preferences::of_header(lines);
    let Some(query) = query else { return Ok(Some(header)) };
    let has = |name: &str| found.candidates.iter().any(|found| found.operation.has_query(name));
    let (twins, rest) = Preferences::of_query(query, has);
    call.query = rest.map(Into::into);
    header.and(twins).map(Some).map_err(|(name, header, query)| {
        let [header, query] = [header, query].map(|value| shortened(&value, REPEATED));
        let detail = format!("`Prefer` says {name}=`{header}`, and the query says __{name}=`{query}`: leave one out.");
        call.trace.add(Stage::Prefer, Verdict::Refused, None, "header and query disagree");
        Rejection::Problem(Problem::bad_request("preferences-disagree", detail).into_response())
    })
}

/// Three digits.
fn status(text: &str) -> Option<StatusCode> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().and_then(|code: u16| StatusCode::from_u16(code).ok())
}

/// The answer, and whether it is as it is documented.
fn made(
    call: &mut Call<'_>,
    answer: Answer<'_>,
    example: Option<&Documented<'_>>,
) -> Result<(Response, bool), Rejection> {
    if let Some(example) = example {
        let media = media_type(&example.example.path);
        return Ok((render::example(call, answer.reply, media, example.body.clone())?, true));
    }
    render::uncaused(call, answer.reply)
}

impl Answer<'_> {
    /// Whether its condition holds as far as that is known without the request.
    fn holds(&self, call: &Call<'_>) -> bool {
        self.reply.when.is_none_or(|when| call.pack.program.holds(when, &call.scope).unwrap_or(false))
    }

    /// What is counted of it.
    fn mark(&self) -> Mark {
        Mark { error: self.error, case: self.reply.number, example: None }
    }
}

impl Documented<'_> {
    fn file(&self) -> &str {
        self.example.path.rsplit_once('/').map_or(&*self.example.path, |(_, file)| file)
    }

    fn is_named(&self, name: &str) -> bool {
        self.example.variant.as_deref() == Some(name) || self.file() == name
    }

    fn status(&self) -> StatusCode {
        self.answer.reply.status
    }
}

type Picked<'a, 'c> = Option<(Answer<'a>, Option<&'c Documented<'a>>)>;

impl<'a> Choice<'a> {
    fn new(call: &Call<'a>, found: &Found<'a>) -> Self {
        let pack: &'a Pack = call.pack;
        let operations = || found.candidates.iter().map(|found| found.operation);
        let own = |operation: &'a Operation| {
            let answer = move |reply| Answer { operation, reply, error: None };
            operation.replies.iter().map(answer)
        };
        let mut answers: Vec<Answer<'a>> = operations().flat_map(own).collect();
        let mut seen = BTreeSet::new();
        for operation in operations() {
            for id in pack.answers.operation(operation.number).errors(call.moment.options) {
                if !seen.insert(id) {
                    continue;
                }
                let replies = pack.error(id).replies.iter();
                answers.extend(replies.map(|reply| Answer { operation, reply, error: Some(id) }));
            }
        }
        let examples = operations().flat_map(|operation| documented(call, &answers, operation)).collect();
        Choice { answers, examples }
    }

    /// What the first operation answers when all is well.
    fn first(&self, call: &Call<'_>) -> Picked<'a, '_> {
        let first = self.answers.iter().find(|answer| answer.holds(call)).or(self.answers.first())?;
        self.by_code(call, first.reply.status)
    }

    /// Of several answers with a status those of the operation itself come first, then errors in the order of stages.
    fn by_code(&self, call: &Call<'_>, code: StatusCode) -> Picked<'a, '_> {
        let with = || self.answers.iter().filter(|answer| answer.reply.status == code);
        let own = || self.examples.iter().filter(|shown| shown.status() == code && shown.answer.error.is_none());
        if with().any(|answer| answer.error.is_none())
            && let Some(shown) = own().find(|shown| shown.example.variant.is_none()).or_else(|| own().next())
        {
            return Some((shown.answer, Some(shown)));
        }
        self.of(with().find(|answer| answer.holds(call)).or_else(|| with().next())?)
    }

    /// An example by its name or its file's, or an error by its name.
    fn by_name(&self, call: &Call<'_>, name: &str, code: Option<StatusCode>) -> Picked<'a, '_> {
        let fits = |status| code.is_none_or(|code| code == status);
        if let Some(shown) = self.examples.iter().find(|shown| shown.is_named(name) && fits(shown.status())) {
            return Some((shown.answer, Some(shown)));
        }
        let of_name = |answer: &&Answer<'a>| answer.error.is_some_and(|error| *call.pack.error(error).name == *name);
        let cases = || self.answers.iter().filter(of_name).filter(|answer| fits(answer.reply.status));
        self.of(cases().find(|answer| answer.holds(call)).or_else(|| cases().next())?)
    }

    /// An answer, and the example that shows it, where it is not the same bytes every time.
    fn of(&self, answer: &Answer<'a>) -> Picked<'a, '_> {
        let shows = |shown: &&Documented<'a>| std::ptr::eq(shown.answer.reply, answer.reply);
        let example = match &answer.reply.body {
            Content::Empty | Content::Fixed { .. } => None,
            Content::Shaped(_) | Content::Page { .. } => self.examples.iter().find(shows),
        };
        Some((*answer, example))
    }

    /// Refuses what nothing is called, and lists what there is.
    fn unknown(&self, call: &mut Call<'_>, name: &str, value: &str) -> Rejection {
        let wanted = match name {
            "code" => "a code has three digits, such as 404",
            _ => "it is `true` or `false`",
        };
        self.refuse(call, format!("`{name}={}` cannot be: {wanted}.", shortened(value, REPEATED)))
    }

    fn not_there(&self, call: &mut Call<'_>, code: Option<StatusCode>, example: Option<&str>) -> Rejection {
        let shown = example.map(|name| shortened(name, REPEATED)).unwrap_or_default();
        let detail = match (code, example) {
            (Some(code), Some(name)) if self.by_name(call, name, None).is_some() => {
                let other = self.by_name(call, name, None).map(|(answer, _)| answer.reply.status.as_u16());
                let other = other.unwrap_or_default();
                format!("`{shown}` is an answer with {other}, not with {}: leave one of the two out.", code.as_u16())
            }
            (_, Some(name)) => {
                let names = self.names(call.pack);
                let meant = nearest(name, names.iter().map(String::as_str));
                let meant = meant.map(|meant| format!(" Did you mean `{meant}`?")).unwrap_or_default();
                format!("No answer of this operation is called `{shown}`; `examples` lists those that are.{meant}")
            }
            (Some(code), None) => {
                format!("This operation has no answer with {}; `codes` lists those that it has.", code.as_u16())
            }
            (None, None) => "This operation has no answer.".to_owned(),
        };
        self.refuse(call, detail)
    }

    fn refuse(&self, call: &mut Call<'_>, detail: String) -> Rejection {
        call.trace.add(Stage::Prefer, Verdict::Refused, self.place(), detail.clone());
        let codes: BTreeSet<u16> = self.answers.iter().map(|answer| answer.reply.status.as_u16()).collect();
        let title = "No such answer is declared";
        let problem = Problem::new("preference-unknown", StatusCode::BAD_REQUEST, title, detail);
        let problem = problem.with("codes", codes.into_iter().collect()).with("examples", self.listed(call.pack));
        Rejection::Problem(problem.into_response())
    }

    fn place(&self) -> Option<&'a Location> {
        self.answers.first().map(|answer| &answer.operation.at)
    }

    /// All names by which an answer can be asked for.
    fn names(&self, pack: &Pack) -> Vec<String> {
        let files = self.examples.iter().flat_map(|shown| {
            let variant = shown.example.variant.clone();
            variant.into_iter().chain([shown.file().to_owned()])
        });
        let errors = self.answers.iter().filter_map(|answer| Some(pack.error(answer.error?).name.to_string()));
        files.chain(errors).collect()
    }

    /// `{code, name, file}` of each example; of an error that no example shows, `{code, name}`.
    fn listed(&self, pack: &Pack) -> Json {
        let mut listed: Vec<Json> = self
            .examples
            .iter()
            .map(
                |shown| json!({ "code": shown.status().as_u16(), "name": shown.example.variant, "file": shown.file() }),
            )
            .collect();
        let errors = self.answers.iter().filter_map(|answer| Some((answer.reply.status, pack.error(answer.error?))));
        for (status, error) in errors {
            let row = json!({ "code": status.as_u16(), "name": &*error.name });
            let same = |known: &Json| known["code"] == row["code"] && known["name"] == row["name"];
            if !listed.iter().any(same) {
                listed.push(row);
            }
        }
        Json::Array(listed)
    }
}

/// The documented answers of an operation, each with the answer that it shows.
fn documented<'a>(call: &Call<'a>, answers: &[Answer<'a>], operation: &'a Operation) -> Vec<Documented<'a>> {
    let pack: &'a Pack = call.pack;
    let of = pack.answers.operation(operation.number);
    let shown = |shown: &'a Shown| {
        let example = &pack.examples[shown.example];
        let status = example.status?;
        let there = |reply: &Reply| answers.iter().any(|answer| std::ptr::eq(answer.reply, reply));
        let could = shown.alike.iter().filter_map(|(place, likeness)| {
            let declared = &of.declared[*place];
            let reply = declared.reply(pack, operation);
            there(reply).then_some((*likeness, Answer { operation, reply, error: declared.error }))
        });
        // Of several that are as much like it, one whose condition holds, and of these the first.
        let best = could.rev().max_by_key(|(likeness, answer)| (*likeness, answer.holds(call)));
        let own = |answer: &&Answer<'a>| answer.error.is_some() || std::ptr::eq(answer.operation, operation);
        let first = || answers.iter().filter(own).find(|answer| answer.reply.status.as_u16() == status).copied();
        let answer = best.map(|(_, answer)| answer).or_else(first)?;
        let answer = Answer { operation, ..answer };
        Some(Documented { example, number: shown.example, body: shown.body.clone(), answer })
    };
    of.shown.iter().filter_map(shown).collect()
}
