//! All connections of a server: how many there may be, who makes room, and who has taken too long.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Sleep, sleep, sleep_until, timeout};

use super::Limits;
use super::pace::{End, Pace, Time};

/// How many connections may be on their way out while others take their places already. Waiting for each one to be gone
/// would let newcomers in more slowly than they come.
const LEAVING: usize = 64;

/// How long a newcomer waits before it looks again who has become idle.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long an order waits, so that what the system already has of a client is read first: it may be a request, or the
/// rest of one.
const FIRST_READ: Duration = Duration::from_millis(1);

/// How many idle connections are let go at once when no file can be opened.
const SPARE: usize = 16;

/// How long the beginning of a head keeps its place while others wait, in microseconds. Heads come at once, but for
/// networks that lose a packet.
const HALF_SENT: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Crowd {
    limits: Limits,
    time: Arc<Time>,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// By the order in which they came.
    all: BTreeMap<u64, Arc<Pace>>,
    next: u64,
    /// Those that have been told to make room, and are not gone yet.
    leaving: BTreeSet<u64>,
}

impl Members {
    /// Tells the connection to go that has had nothing to do for longest, else the one that has kept its head back for
    /// longest, if there is one.
    fn make_room(&mut self, now: u64) -> bool {
        let longest = |since: fn(&Pace) -> Option<u64>| {
            let those = self.all.iter().filter_map(|(number, pace)| Some((since(pace)?, *number, pace)));
            those.min_by_key(|(since, number, _)| (*since, *number))
        };
        let half_sent = || longest(Pace::half_sent_since).filter(|(since, ..)| since.saturating_add(HALF_SENT) <= now);
        let Some((_, number, pace)) = longest(Pace::idle_since).or_else(half_sent) else { return false };
        pace.tell(End::Evict);
        self.leaving.insert(number);
        true
    }
}

/// A place among the connections, given back when dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    pub(super) pace: Arc<Pace>,
}

/// Counts as waiting until dropped.
struct Waiting<'c>(&'c Time);

impl<'c> Waiting<'c> {
    fn new(time: &'c Time) -> Self {
        time.waiting.fetch_add(1, Ordering::AcqRel);
        Waiting(time)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Crowd {
    pub(super) fn new(limits: Limits) -> Self {
        Crowd { limits, time: Arc::new(Time::new()), members: Mutex::default() }
    }

    /// A place for a newcomer: a free one, else that of who has had nothing to do for longest, or keeps a head back,
    /// else the next.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        if let Some(place) = self.place() {
            return place;
        }
        // From now on whoever becomes idle says so.
        let _waiting = Waiting::new(&self.time);
        loop {
            // Made before looking, so that nothing that happens in between is missed.
            let room = self.time.room.notified();
            if let Some(place) = self.place() {
                return place;
            }
            // Some ways of making room are told nobody: a socket that takes the last bytes late, a head that is late.
            let _ = timeout(LOOK_AGAIN, room).await;
        }
    }

    /// Lets those connections go that have had nothing to do for longest, and waits until one has gone.
    pub(super) async fn shrink(&self) {
        let _waiting = Waiting::new(&self.time);
        let room = self.time.room.notified();
        {
            let mut members = self.members.lock();
            for _ in members.leaving.len()..SPARE {
                if !members.make_room(self.time.now()) {
                    break;
                }
            }
        }
        // Whoever holds the last descriptors may be busy, or no client at all: then trying again is all that helps.
        let _ = timeout(Duration::from_millis(10), room).await;
    }

    fn place(self: &Arc<Self>) -> Option<Place> {
        let mut members = self.members.lock();
        if members.all.len() - members.leaving.len() >= self.limits.connections
            && (members.leaving.len() >= LEAVING || !members.make_room(self.time.now()))
        {
            return None;
        }
        let number = members.next;
        members.next += 1;
        let pace = Arc::new(Pace::new(&self.time));
        members.all.insert(number, Arc::clone(&pace));
        Some(Place { crowd: Arc::clone(self), number, pace })
    }

    /// Ends connections whose time is over, for as long as it is polled.
    ///
    /// It sleeps until the first of them is due. Nothing that begins meanwhile is due before the shortest limit has
    /// passed, so it need not hear of anything.
    pub(super) async fn watch(&self) {
        let limits = &self.limits;
        let shortest = limits.header_timeout.min(limits.idle_timeout).min(limits.write_timeout);
        let shortest = u64::try_from(shortest.as_micros()).unwrap_or(u64::MAX);
        loop {
            let now = self.time.now();
            let mut next = now.saturating_add(shortest);
            for pace in self.members.lock().all.values() {
                let (due, end) = pace.due(now, limits);
                if due > now {
                    next = next.min(due);
                } else if end == End::Late && pace.untouched() {
                    pace.tell(End::Evict);
                } else {
                    pace.tell(end);
                }
            }
            sleep_until(self.time.until(next)).await;
        }
    }

    /// Tells all to leave, and waits until they have.
    pub(super) async fn dissolve(&self) {
        loop {
            let gone = self.time.room.notified();
            {
                let members = self.members.lock();
                if members.all.is_empty() {
                    return;
                }
                // Also those that came in since.
                for pace in members.all.values().filter(|pace| !pace.leaves()) {
                    pace.tell(End::Leave);
                }
            }
            gone.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut members = self.crowd.members.lock();
            members.all.remove(&self.number);
            members.leaving.remove(&self.number);
        }
        self.crowd.time.room.notify_waiters();
    }
}

/// No more files can be opened, by this process or on this machine.
pub(super) fn out_of_files(error: &std::io::Error) -> bool {
    // ENFILE and EMFILE, which have these numbers on every Unix and no name in the standard library.
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// What a connection must be able to do to be ended in order.
pub(super) trait Ends: Future {
    fn leave(self: Pin<&mut Self>);
}

/// Runs a connection until it ends by itself or is told to.
pub(super) async fn follow<C: Ends>(connection: C, pace: &Pace) {
    let mut connection = std::pin::pin!(connection);
    let mut first = true;
    let mut order: Option<(End, u64, Pin<Box<Sleep>>)> = None;
    poll_fn(|cx| {
        if first {
            // A task has one waker for all its life.
            pace.wakes(cx.waker());
            first = false;
        }
        if let Some(end) = pace.told() {
            if end == End::Cut {
                return Poll::Ready(());
            }
            order = Some((end, pace.head(), Box::pin(sleep(FIRST_READ))));
        }
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some((end, head, wait)) = &mut order else { return Poll::Pending };
        ready!(wait.as_mut().poll(cx));
        let (end, head) = (*end, *head);
        order = None;
        let half_sent = pace.head() != 0 && !pace.untouched();
        let came = pace.head() == 0 || pace.head() != head || !pace.is_http2() && pace.busy();
        if end == End::Late && came {
            pace.stays();
            return Poll::Pending;
        }
        if half_sent && matches!(end, End::Late | End::Evict) && !pace.is_http2() && !pace.busy() {
            // The socket tells the client, as soon as it is asked for more of the head.
            pace.says_late();
            let _ = connection.as_mut().poll(cx);
            return Poll::Ready(());
        }
        // Says goodbye in HTTP/2.
        connection.as_mut().leave();
        let ended = connection.as_mut().poll(cx).is_ready();
        match end {
            End::Leave if !ended => Poll::Pending,
            End::Evict if !ended && pace.busy() => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}
