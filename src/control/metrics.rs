//! `/metrics`: about the whole server, whatever sandbox is chosen.

use http::StatusCode;

use super::{Answer, Call};
use crate::exchange::{Response, weight};
use crate::metrics::{Format, Kept};

/// OpenMetrics for who would rather have it, such as Prometheus; else the text that everything reads.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let accept = call.request.header_line("accept");
    let asked = |format: Format| weight(accept.as_deref().unwrap_or_default(), format.media_type());
    let format = if asked(Format::OpenMetrics) > asked(Format::Text) { Format::OpenMetrics } else { Format::Text };
    let sandboxes = call.registry.list(call.real);
    let logs = sandboxes.iter().map(|sandbox| sandbox.log(|log| (log.len() as u64, log.evicted())));
    let (entries, evicted) = logs.fold((0, 0), |(entries, evicted), (kept, gone)| (entries + kept, evicted + gone));
    let kept = Kept { sandboxes: sandboxes.len() as u64, entries, evicted };
    Ok(Response::new(StatusCode::OK).with_body(format.media_type(), call.metrics.shown(format, kept)))
}
