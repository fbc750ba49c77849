//! Refusals in the API's own shape where the pack has one, else as a problem of the server.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::fill::{Slot, fill};
use super::{Call, Outcome, Rejection, render};
use crate::exchange::{Problem, Response};
use crate::expr::Value;
use crate::journal::{Stage, Verdict};
use crate::pack::{ErrorId, Given, Mark, Misfit, NamedError, Operation, Refusal, Reply, Shape};
use crate::sandbox::Change;
use crate::schema::Violation;

/// Violations in few words, for a trace.
pub(super) fn words(violations: &[Violation]) -> String {
    let mut words = String::new();
    for violation in violations.iter().take(5) {
        if !words.is_empty() {
            words.push_str("; ");
        }
        let place = violation.place.name();
        words.push_str(&format!("{place} `{}`: {} ({})", violation.pointer, violation.message, violation.schema));
    }
    if violations.len() > 5 {
        words.push_str(&format!("; and {} more", violations.len() - 5));
    }
    words
}

/// How many violations are told of: a body may have as many as it has values.
const MOST_VIOLATIONS: usize = 1000;

/// The violations that are left when those are dropped that the pack tolerates, the first of them.
pub(super) fn not_tolerated(
    call: &mut Call<'_>,
    stage: Stage,
    violations: impl Iterator<Item = Violation>,
) -> Vec<Violation> {
    let pack = call.pack;
    let mut passed = 0;
    let left = violations.filter(|violation| {
        let Some(row) = pack.row(violation, call.moment.options) else { return true };
        let Given::Tolerated(reason) = &row.gives else { return true };
        if passed < MOST_VIOLATIONS {
            let detail = format!("let pass: {}; {reason}", words(std::slice::from_ref(violation)));
            call.trace.add(stage, Verdict::Noted, Some(&row.at), detail);
        }
        passed += 1;
        false
    });
    left.take(MOST_VIOLATIONS).collect()
}

pub(super) fn rejection(call: &mut Call<'_>, operation: Option<&Operation>, rejection: Rejection) -> Outcome {
    let answered = match rejection {
        Rejection::Problem(response) => Ok(Answer::problem(response)),
        Rejection::Named(error) => named(call, error),
        Rejection::Refused(refusal, words) => refused(call, refusal, &words),
        Rejection::Invalid(violations) => invalid(call, &violations),
        Rejection::Fault(words) => Err(words),
    };
    outcome(call, operation, answered)
}

fn outcome(call: &mut Call<'_>, operation: Option<&Operation>, answered: Answered) -> Outcome {
    let answer = answered.unwrap_or_else(|words| Answer::problem(fault(call, operation, &words)));
    let Answer { response, contract, given } = answer;
    Outcome { response, contract, change: Change::default(), given }
}

/// An error of the pack for a request that need not have caused it. What its body tells of such a cause, and the request
/// does not have, is told as the example tells it.
pub(super) fn uncaused(call: &mut Call<'_>, operation: Option<&Operation>, error: ErrorId) -> Outcome {
    let pack = Arc::clone(call.pack);
    let NamedError { replies, name, .. } = pack.error(error);
    // A condition that asks for the cause does not hold; the last case has none.
    let holds = |reply: &&Reply| reply.when.is_none_or(|when| pack.program.holds(when, &call.scope).unwrap_or(false));
    let answered = match replies.iter().find(holds) {
        None => Err(format!("error `{name}` has no case for this")),
        Some(reply) => match render::uncaused(call, reply) {
            Ok((response, _)) => Ok(Answer::of_error(response, error, reply)),
            Err(Rejection::Problem(response)) => Ok(Answer::problem(response)),
            Err(Rejection::Fault(words)) => Err(format!("error `{name}`: {words}")),
            Err(_) => Err(format!("error `{name}` cannot be rendered")),
        },
    };
    outcome(call, operation, answered)
}

/// An answer with its provenance, and which of the pack's it is.
struct Answer {
    response: Response,
    contract: &'static str,
    given: Option<Mark>,
}

impl Answer {
    /// The server's own words.
    fn problem(response: Response) -> Self {
        Answer { response, contract: "assumed", given: None }
    }

    fn of_error(response: Response, error: ErrorId, reply: &Reply) -> Self {
        Answer { response, contract: reply.provenance.header(), given: Some(Mark::of_error(error, reply)) }
    }
}

type Answered = Result<Answer, String>;

fn named(call: &mut Call<'_>, id: ErrorId) -> Answered {
    let pack = Arc::clone(call.pack);
    let error = pack.error(id);
    match render::first(call, &error.replies) {
        Ok(Some((response, reply))) => Ok(Answer::of_error(response, id, reply)),
        Ok(None) => Err(format!("error `{}` has no case for this", error.name)),
        Err(Rejection::Problem(response)) => Ok(Answer::problem(response)),
        Err(Rejection::Fault(words)) => Err(format!("error `{}`: {words}", error.name)),
        Err(_) => Err(format!("error `{}` cannot be rendered", error.name)),
    }
}

fn refused(call: &mut Call<'_>, refusal: Refusal, words: &str) -> Answered {
    if refusal.is_misfit() {
        call.misfits.push(Misfit {
            place: refusal.place(),
            pointer: String::new(),
            keyword: refusal.name().to_owned(),
        });
    }
    if let Some(error) = call.pack.rejections.get(&refusal) {
        call.scope.bind("refusal", Value::string(words));
        return named(call, *error);
    }
    let title = match refusal {
        Refusal::NotFound => "No such record",
        Refusal::MediaType => "The body has another media type",
        Refusal::BodyTooLarge => "The body is too large",
        Refusal::RateLimit => "Too many requests",
        _ => "The request cannot be read",
    };
    let slug = if refusal == Refusal::RateLimit { "rate-limited" } else { refusal.name() };
    let problem = Problem::new(slug, refusal.status(), title, sentence(words));
    Ok(Answer::problem(problem.into_response()))
}

/// Violations go through the pack's rows, first match wins; what the first is mapped to decides which error is given,
/// and its items are those of the same error.
fn invalid(call: &mut Call<'_>, violations: &[Violation]) -> Answered {
    let pack = Arc::clone(call.pack);
    call.misfits.extend(violations.iter().map(|violation| Misfit {
        place: violation.place.name(),
        pointer: violation.pointer.clone(),
        keyword: violation.keyword.clone(),
    }));
    let mut given = None;
    let mut items = Vec::new();
    for violation in violations {
        let Some(row) = pack.row(violation, call.moment.options) else { continue };
        let Given::Error { error, item: more } = &row.gives else { continue };
        if *given.get_or_insert(*error) == *error {
            call.trace.add(Stage::Render, Verdict::Noted, Some(&row.at), "row of `violations`");
            items.push(item(call, violation, more)?);
        }
    }
    let Some(error) = given else { return Ok(Answer::problem(unmapped(violations).into_response())) };
    call.scope.bind("violations", Value::list(items));
    named(call, error)
}

/// What an error's body sees of one violation: its facts, then what the row says about it.
fn item(call: &Call<'_>, violation: &Violation, more: &[(String, Shape)]) -> Result<Value, String> {
    let mut known = vec![
        ("field".to_owned(), Value::string(&violation.field())),
        ("pointer".to_owned(), Value::string(&violation.pointer)),
        ("keyword".to_owned(), Value::string(&violation.keyword)),
        ("in".to_owned(), Value::string(violation.place.name())),
        ("message".to_owned(), Value::string(&violation.message)),
    ];
    for (name, value) in [("value", &violation.value), ("expected", &violation.expected)] {
        known.push((name.to_owned(), value.as_ref().map_or_else(Value::null, Value::json)));
    }
    let mut scope = call.scope.clone();
    scope.bind("violation", Value::source(Arc::new(known.clone())));
    for (name, shape) in more {
        let value = fill(call.pack, shape, &scope, Slot::new(name))
            .map_err(|rejection| match rejection {
                Rejection::Fault(words) => words,
                _ => "an item cannot be made".to_owned(),
            })?
            .unwrap_or(Json::Null);
        known.retain(|(other, _)| other != name);
        known.push((name.clone(), Value::json(&value)));
    }
    Ok(Value::source(Arc::new(known)))
}

/// Violations as a problem lists them.
pub(super) fn listed(violations: &[Violation]) -> Json {
    let shown = |violation: &Violation| {
        json!({
            "in": violation.place.name(),
            "pointer": violation.pointer,
            "keyword": violation.keyword,
            "message": violation.message,
            "schema": violation.schema,
        })
    };
    violations.iter().map(shown).collect()
}

/// The server's own words about violations that the pack maps to nothing.
fn unmapped(violations: &[Violation]) -> Problem {
    let detail = format!("{} mismatches with the contract.", violations.len());
    Problem::new("request-invalid", StatusCode::UNPROCESSABLE_ENTITY, "The request does not match the contract", detail)
        .with("violations", listed(violations))
}

fn fault(call: &mut Call<'_>, operation: Option<&Operation>, words: &str) -> Response {
    call.trace.add(Stage::Render, Verdict::Failed, operation.map(|operation| &operation.at), words);
    let detail = format!("{words}. The pack is at fault, not the request; nothing was changed.");
    Problem::new("pack-fault", StatusCode::INTERNAL_SERVER_ERROR, "The pack has no answer", detail).into_response()
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}
