use serde_json::Value as Json;

use super::{Call, Rejection};
use crate::journal::{Stage, Verdict};
use crate::pack::{Operation, Reply};
use crate::schema::Place;

/// The body against its schema.
pub(super) fn body(call: &mut Call<'_>, operation: &Operation, body: Option<&Json>) -> Result<(), Rejection> {
    let (Some(rule), Some(body)) = (&operation.body, body) else { return Ok(()) };
    if rule.schema.is_valid(body) {
        call.trace.passed(Stage::BodySchema, Some(&operation.at), "fits");
        return Ok(());
    }
    let violations = rule.schema.each_violation(body, Place::Body);
    let violations = super::reject::not_tolerated(call, Stage::BodySchema, violations);
    if violations.is_empty() {
        call.trace.passed(Stage::BodySchema, Some(&operation.at), "fits, but for what is let pass");
        return Ok(());
    }
    call.trace.add(Stage::BodySchema, Verdict::Refused, Some(&operation.at), super::reject::words(&violations));
    Err(Rejection::Invalid(violations))
}

/// Our own answer against the schema that the pack gives it. What the shape proves need not be looked at again; only
/// a `suspect` body is held against the whole schema. A mismatch is a finding, and another answer only when the rules
/// are strict.
pub(super) fn response(call: &mut Call<'_>, reply: &Reply, body: &[u8], suspect: bool) -> Result<(), Rejection> {
    let Some(schema) = &reply.schema else { return Ok(()) };
    let violations = if suspect { schema.violations_within(body, Place::Response) } else { Vec::new() };
    if violations.is_empty() {
        call.trace.passed(Stage::CheckResponse, Some(&reply.at), "fits");
        return Ok(());
    }
    call.trace.add(Stage::CheckResponse, Verdict::Failed, Some(&reply.at), super::reject::words(&violations));
    super::strict::mismatch(call, reply, &violations)
}
