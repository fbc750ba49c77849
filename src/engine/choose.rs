use super::route::Found;
use super::{Call, Rejection};
use crate::journal::{Stage, Verdict};
use crate::pack::{Operation, Refusal};

/// Which of the operations on one method and path is meant: the first whose condition holds.
pub(super) fn candidate<'a>(call: &mut Call<'a>, found: &Found<'a>) -> Result<&'a Operation, Rejection> {
    for operation in found.candidates.iter().map(|found| found.operation) {
        let holds = match operation.when {
            None => true,
            Some(when) => call.pack.program.holds(when, &call.scope)?,
        };
        if holds {
            call.trace.passed(Stage::Choose, Call::at(operation), &operation.title);
            return Ok(operation);
        }
    }
    let words = "no operation on this path is for such a request";
    call.trace.add(Stage::Choose, Verdict::Refused, Call::at(found.candidates[0].operation), words);
    Err(Rejection::Refused(Refusal::NotFound, words.to_owned()))
}
