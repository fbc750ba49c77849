use http::Method;

use super::{Call, Rejection, near_miss};
use crate::journal::{Stage, Verdict};
use crate::pack::{Candidate, Operation};

/// The operations that method and path could mean, and the texts of the path's parameters.
pub(super) struct Found<'a> {
    pub(super) candidates: Vec<Match<'a>>,
    /// Still percent-encoded, in the order of the template.
    pub(super) values: Vec<&'a str>,
}

/// An operation, and the method and path by which it was found.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    pub(super) operation: &'a Operation,
    pub(super) line: &'a Candidate,
}

pub(super) fn find<'a>(call: &mut Call<'a>) -> Result<Found<'a>, Rejection> {
    let (pack, options, request) = (call.pack, call.moment.options, call.request);
    for (path, mounted) in pack.within(&request.path) {
        let Some((route, values)) = pack.router.find(path, options) else { continue };
        let present = |method: &Method| -> Vec<Match<'a>> {
            let there = route.candidates(method).iter().filter(|candidate| candidate.wanted.holds(options));
            let there = there.map(|found| Match { operation: pack.operation(found.operation), line: found });
            there.filter(|found| !(mounted && found.operation.unmounted)).collect()
        };
        let mut candidates = present(&call.request.method);
        // HEAD means GET where nothing else is said.
        if candidates.is_empty() && call.request.method == Method::HEAD {
            candidates = present(&Method::GET);
        }
        let Some(first) = candidates.first() else { continue };
        call.trace.passed(Stage::Route, Some(&first.line.at), &first.line.template);
        return Ok(Found { candidates, values });
    }
    call.trace.add(Stage::Route, Verdict::Refused, None, "no operation has this method and path");
    Err(Rejection::Problem(near_miss::within_pack(pack, options, call.request)))
}
