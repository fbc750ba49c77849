use super::{Call, Rejection, near_miss};
use crate::journal::{Stage, Verdict};
use crate::pack::{Operation, Pack};

/// The operations that method and path could mean, and the texts of the path's parameters.
pub(super) struct Found<'a> {
    pub(super) candidates: Vec<&'a Operation>,
    /// Still percent-encoded, in the order of the template.
    pub(super) values: Vec<String>,
}

/// Takes a mount prefix off a path: `/api/items` is `/items`. The empty prefix always fits, so it comes last.
/// With each rest comes whether a prefix was taken off.
pub(super) fn within<'p>(pack: &Pack, path: &'p str) -> impl Iterator<Item = (&'p str, bool)> {
    let prefixes: Vec<usize> = pack
        .mounts
        .iter()
        .filter(|prefix| path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/')))
        .map(String::len)
        .collect();
    prefixes.into_iter().map(move |length| (&path[length..], length > 0))
}

pub(super) fn find<'a>(call: &mut Call<'a>) -> Result<Found<'a>, Rejection> {
    let pack = call.pack;
    for (path, mounted) in within(pack, &call.request.path) {
        let Some((route, values)) = pack.router.find(path) else { continue };
        let Some(candidates) = route.candidates(&call.request.method) else { continue };
        let candidates = candidates.iter().map(|id| pack.operation(*id));
        let candidates: Vec<&Operation> = candidates.filter(|operation| !(mounted && operation.unmounted)).collect();
        let Some(first) = candidates.first() else { continue };
        call.trace.passed(Stage::Route, Some(&first.at), &first.template);
        return Ok(Found { candidates, values: values.into_iter().map(str::to_owned).collect() });
    }
    call.trace.add(Stage::Route, Verdict::Refused, None, "no operation has this method and path");
    Err(Rejection::NoOperation(near_miss::within_pack(pack, call.request)))
}
