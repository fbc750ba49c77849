//! `/journal/stream`: what happens in a sandbox, as server-sent events.

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderName;
use serde_json::{Value as Json, json};

use super::{Call, page, pattern, shown};
use crate::clock::Real;
use crate::exchange::Problem;
use crate::journal::{Entry, Filter};
use crate::mask::Secrets;
use crate::sandbox::{News, Registry, Standing, Watch};

/// What comes at once, so that a client sees that it is connected: how long it is to wait before it comes again.
const GREETING: &[u8] = b"retry: 1000\n\n";

/// How much is made ahead of a reader: so many entries at most, and no further one beyond so many bytes.
const ENTRIES: usize = 64;
const BYTES: usize = 64 << 10;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Events for one reader. Nothing is made before it is asked for.
pub(crate) struct Feed {
    watch: Watch,
    registry: Arc<Registry>,
    /// Which exchanges are sent, and nothing else; without it everything is.
    filter: Option<Filter>,
    /// How often the reader was told how the packs on disk stand.
    told: u64,
    stage: Stage,
}

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begins,
    Follows,
    Over,
}

/// `?after=` and the conditions of the journal; `Last-Event-ID` is what a browser sends when it comes again.
pub(super) fn follow(call: &Call<'_>) -> Result<Feed, Problem> {
    // Where the stream begins is the watch's business.
    let filter = pattern::of_query(call)?;
    let after = match last_event_id(call)? {
        Some(id) => Some(id),
        None => call.query("after").map(|_| page::after(call)).transpose()?,
    };
    let query = call.request.query.as_deref().unwrap_or_default();
    let filtered = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name != "after");
    Ok(Feed {
        watch: Watch::new(Arc::clone(call.sandbox), after),
        registry: Arc::clone(call.registry),
        filter: filtered.then_some(filter),
        told: 0,
        stage: Stage::Begins,
    })
}

fn last_event_id(call: &Call<'_>) -> Result<Option<u64>, Problem> {
    let mut all = call.headers().get_all(LAST_EVENT_ID).iter();
    let said = match (all.next(), all.next()) {
        (None, _) => return Ok(None),
        (Some(one), None) => one.to_str().ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    let detail = "`Last-Event-ID` is the number of an entry: the `id` of the last event that came.";
    said.map(Some).ok_or_else(|| Problem::bad_request("last-event-id-invalid", detail))
}

impl Feed {
    /// The next events, none at the end. It ends when the sandbox is deleted.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        match self.stage {
            Stage::Begins => {
                self.stage = Stage::Follows;
                return Poll::Ready(Some(Bytes::from_static(GREETING)));
            }
            Stage::Over => return Poll::Ready(None),
            Stage::Follows => {}
        }
        let mut out = String::new();
        if self.standing(&mut out) {
            return Poll::Ready(Some(Bytes::from(out)));
        }
        let news = match self.watch.poll(context, ENTRIES) {
            Poll::Ready(news) => news,
            // What was told before somebody waited for it wakes nobody.
            Poll::Pending if self.standing(&mut out) => return Poll::Ready(Some(Bytes::from(out))),
            Poll::Pending => return Poll::Pending,
        };
        match news {
            News::Entries(entries) => {
                let meant = match &self.filter {
                    Some(filter) => filter.select(&entries),
                    None => entries.iter().collect(),
                };
                for entry in meant {
                    self.write(entry, &mut out);
                    if out.len() >= BYTES {
                        self.watch.back_to(entry.id);
                        break;
                    }
                }
                if out.is_empty() {
                    // Looking for what fits can take a while, and others wait for this thread.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            News::Undone(last) => event(&mut out, Some(last), "undone", &json!({ "last": last })),
            News::Evicted { last, count } => event(&mut out, Some(last), "evicted", &json!({ "evicted": count })),
            News::Closed => {
                self.stage = Stage::Over;
                let sandbox = self.watch.sandbox().id().as_str();
                event(&mut out, None, "closed", &json!({ "sandbox": sandbox }));
            }
        }
        Poll::Ready(Some(Bytes::from(out)))
    }

    /// Tells how the packs on disk stand, where that is another than the reader knows. At the start they stand well.
    fn standing(&mut self, out: &mut String) -> bool {
        if self.filter.is_some() || self.told == self.registry.told() {
            return false;
        }
        let Standing { number, stale } = self.registry.standing();
        self.told = number;
        let stale: Vec<Json> = stale.iter().map(|(pack, state)| json!({ "pack": pack, "state": state })).collect();
        event(out, None, "packs", &json!({ "stale": stale }));
        true
    }

    /// Notes that the sandbox was used until now.
    pub(crate) fn touch(&self, real: Real) {
        self.watch.sandbox().touch(real);
    }

    fn write(&self, entry: &Entry, out: &mut String) {
        if entry.is_exchange() {
            event(out, Some(entry.id), "exchange", &shown::summary(&self.registry, entry, Secrets::Masked));
        } else {
            let shown = shown::entry(&self.registry, entry, Secrets::Masked);
            event(out, Some(entry.id), shown["kind"].as_str().unwrap_or_default(), &shown);
        }
    }
}

/// Writes one event. JSON has no line ends of its own.
fn event(out: &mut String, id: Option<u64>, kind: &str, data: &Json) {
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    let _ = write!(out, "event: {kind}\ndata: {data}\n\n");
}
