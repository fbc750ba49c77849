//! Answers that go on for as long as somebody reads them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep};

use super::Shared;
use crate::control::Feed;

/// After how long something is said although nothing happens: what stands between client and server, and both of them,
/// would otherwise take the connection for dead.
const QUIET: Duration = Duration::from_secs(15);

const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// The body of a stream. It makes what the client can take, and keeps nothing else for it.
pub(super) struct Stream {
    feed: Feed,
    shared: Arc<Shared>,
    alive: Pin<Box<Sleep>>,
    /// Ready once the server is to stop.
    stops: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Stream {
    pub(super) fn new(feed: Feed, shared: &Arc<Shared>) -> Self {
        let stops = Box::pin(shared.stops());
        Stream { feed, shared: Arc::clone(shared), alive: Box::pin(sleep(QUIET)), stops }
    }

    /// The next bytes, none at the end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.stops.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let next = match self.feed.poll(cx) {
            Poll::Ready(next) => next,
            Poll::Pending => {
                ready!(self.alive.as_mut().poll(cx));
                Some(Bytes::from_static(KEEP_ALIVE))
            }
        };
        self.alive.as_mut().reset(Instant::now() + QUIET);
        Poll::Ready(next)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // As long as it was read, its sandbox was used.
        self.feed.touch((self.shared.real)());
    }
}
