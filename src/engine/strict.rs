//! What a strict server sends in place of answers that nobody should rely on.

use http::StatusCode;

use super::{Call, Rejection, reject};
use crate::exchange::Problem;
use crate::journal::{Stage, Verdict};
use crate::pack::{Provenance, Reply};
use crate::schema::Violation;

/// Refuses an answer that no documentation promises.
pub(super) fn assumed(call: &mut Call<'_>, reply: &Reply) -> Result<(), Rejection> {
    let Provenance::Assumed(reason) = &reply.provenance else { return Ok(()) };
    if !call.rules.strict {
        return Ok(());
    }
    let words = "assumed, and not sent when handling is strict";
    call.trace.add(Stage::Render, Verdict::Refused, Some(&reply.at), words);
    let detail = "No documentation promises this answer, and --strict or `Prefer: handling=strict` asks for what one promises. \
         Nothing was changed.";
    let problem = Problem::new("assumed-answer", StatusCode::NOT_IMPLEMENTED, "The answer is assumed", detail);
    Err(refusal(call, reply, problem.with("reason", (&**reason).into())))
}

/// Refuses an answer that does not fit its schema.
pub(super) fn mismatch(call: &Call<'_>, reply: &Reply, violations: &[Violation]) -> Result<(), Rejection> {
    if !call.rules.strict {
        return Ok(());
    }
    let detail = format!(
        "{} mismatches with the schema of this answer, and --strict or `Prefer: handling=strict` asks for none. The \
         request is not at fault; nothing was changed.",
        violations.len()
    );
    let title = "The answer does not match the contract";
    let problem = Problem::new("answer-mismatch", StatusCode::INTERNAL_SERVER_ERROR, title, detail);
    Err(refusal(call, reply, problem.with("violations", reject::listed(violations))))
}

fn refusal(call: &Call<'_>, reply: &Reply, problem: Problem) -> Rejection {
    Rejection::Problem(problem.with("at", call.pack.sources.place(&reply.at).into()).into_response())
}
