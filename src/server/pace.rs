//! What a connection is doing and since when, so that nothing is waited for longer than the limits say.
//!
//! The socket and the service write instants down as things happen; [`Pace::due`] reads them when somebody looks. No
//! timer is set per request or per read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::Limits;
use super::deliver::{Content, Delivered};
use super::faulty::{Broken, Instead};
use super::framing::Fault;

/// An answer was there, and nobody has looked since. Almost all are gone before anybody does, so that the real time
/// need not be read for them.
const UNSEEN: u64 = u64::MAX;

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum End {
    /// After what is under way; at once when that is nothing.
    Leave = 1,
    /// As `Leave`, without waiting for the client to agree: its place is needed.
    Evict,
    /// The head that it waits for is late.
    Late,
    /// Without a word.
    Cut,
}

impl End {
    const ALL: [End; 4] = [End::Leave, End::Evict, End::Late, End::Cut];
}

/// Whether it is looked if a client is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watching {
    Begins,
    Ends,
}

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Time {
    start: Instant,
    /// How many newcomers wait for a place.
    pub(super) waiting: AtomicU32,
    /// Something happened that may have made room.
    pub(super) room: Notify,
}

impl Time {
    pub(super) fn new() -> Self {
        Time { start: Instant::now(), waiting: AtomicU32::new(0), room: Notify::new() }
    }

    /// Real microseconds since the server began; never 0, which stands for "not".
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(1)
    }

    pub(super) fn until(&self, due: u64) -> Instant {
        self.start + Duration::from_micros(due)
    }
}

#[derive(Debug)]
pub(super) struct Pace {
    time: Arc<Time>,
    /// Requests whose answers are not all out.
    turns: AtomicU32,
    /// Those among them whose answers are there to be taken.
    answering: AtomicU32,
    /// The socket takes no more for now.
    blocked: AtomicBool,
    /// When the head under way began, 0 for none. The first one begins with the connection.
    head: AtomicU64,
    /// Since when nothing was to do, if nothing is.
    rest: AtomicU64,
    /// When the client last took something of an answer, or was first seen not to.
    taken: AtomicU64,
    /// Has a byte come?
    touched: AtomicBool,
    http2: AtomicBool,
    /// An answer is under way that goes on for as long as it is read, or is kept back.
    watching: AtomicBool,
    /// The client was seen to send nothing more meanwhile.
    hung_up: AtomicBool,
    /// The order that is not yet followed.
    order: AtomicU8,
    /// When it was told to leave, 0 for not yet.
    told: AtomicU64,
    /// The client is to hear that its head came too late.
    late: AtomicBool,
    waker: Mutex<Option<Waker>>,
    /// Requests that HTTP/1 has handed over, to find the one with the fault.
    served: AtomicU64,
    fault_at: AtomicU64,
    fault: AtomicU8,
    pub(super) instead: Instead,
}

impl Pace {
    pub(super) fn new(time: &Arc<Time>) -> Self {
        let now = time.now();
        Pace {
            time: Arc::clone(time),
            turns: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            head: AtomicU64::new(now),
            rest: AtomicU64::new(now),
            taken: AtomicU64::new(now),
            touched: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            watching: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            order: AtomicU8::new(0),
            told: AtomicU64::new(0),
            late: AtomicBool::new(false),
            waker: Mutex::new(None),
            served: AtomicU64::new(0),
            fault_at: AtomicU64::new(u64::MAX),
            fault: AtomicU8::new(0),
            instead: Instead::default(),
        }
    }

    // ---- what the socket sees ----

    /// Bytes came. `boundary`: a head ended among them; `in_head`: another, or still the same one, is under way.
    pub(super) fn came(&self, boundary: bool, in_head: bool) {
        if !self.touched.load(Ordering::Relaxed) {
            self.touched.store(true, Ordering::Relaxed);
            // Who connects in advance, as browsers do, has the whole time for the head all the same.
            if in_head {
                self.head.store(self.time.now(), Ordering::Relaxed);
            }
        }
        match in_head {
            false if boundary => self.head.store(0, Ordering::Relaxed),
            true if boundary || self.head.load(Ordering::Relaxed) == 0 => {
                self.head.store(self.time.now(), Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// The handshake is done. What follows is another beginning; its time is what the handshake has left of it.
    pub(super) fn greeted(&self) {
        self.touched.store(false, Ordering::Relaxed);
    }

    pub(super) fn speaks_http2(&self) {
        self.http2.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    /// In the head behind so many whole ones there is a fault.
    pub(super) fn faulty(&self, heads: u64, fault: Fault) {
        self.fault.store(fault as u8, Ordering::Relaxed);
        self.fault_at.store(heads, Ordering::Relaxed);
    }

    /// The socket took bytes, or would take none.
    pub(super) fn wrote(&self, blocked: bool) {
        if self.blocked.load(Ordering::Relaxed) == blocked {
            return;
        }
        let now = self.time.now();
        self.taken.store(now, Ordering::Relaxed);
        self.blocked.store(blocked, Ordering::Relaxed);
        // While nothing could be written, nothing was read either: that is no fault of the head.
        if !blocked && self.head.load(Ordering::Relaxed) != 0 {
            self.head.store(now, Ordering::Relaxed);
        }
    }

    /// Whether to look if the client is still there: an answer goes on, and HTTP/1 reads nothing before its end.
    pub(super) fn may_hang_up(&self) -> bool {
        self.watching.load(Ordering::Relaxed) && !self.has_hung_up() && !self.is_http2()
    }

    pub(super) fn hangs_up(&self) {
        self.hung_up.store(true, Ordering::Relaxed);
    }

    // ---- what the service sees ----

    /// Whether an answer is under way that is worth nothing once the client has gone.
    pub(super) fn watches(&self, watching: Watching) {
        self.watching.store(watching == Watching::Begins, Ordering::Relaxed);
    }

    pub(super) fn has_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed)
    }

    /// Lets the connection look at its socket again.
    pub(super) fn wake(&self) {
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }

    /// The fault of the request that HTTP/1 hands over now.
    pub(super) fn next_fault(&self) -> Option<Fault> {
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        if number < self.fault_at.load(Ordering::Relaxed) {
            return None;
        }
        let fault = self.fault.load(Ordering::Relaxed);
        Fault::ALL.into_iter().find(|known| *known as u8 == fault)
    }

    // ---- what who looks sees ----

    fn limit(since: u64, limit: Duration) -> u64 {
        since.saturating_add(u64::try_from(limit.as_micros()).unwrap_or(u64::MAX))
    }

    /// When this connection is to end if nothing happens until then, and how.
    pub(super) fn due(&self, now: u64, limits: &Limits) -> (u64, End) {
        let turns = self.turns.load(Ordering::Acquire);
        let blocked = self.blocked.load(Ordering::Relaxed);
        let head = self.head.load(Ordering::Relaxed);
        let rest = self.rest.load(Ordering::Relaxed);
        let told = self.told.load(Ordering::Relaxed);
        let mut due = (u64::MAX, End::Cut);
        let mut at_most = |when: u64, end: End| {
            if when < due.0 {
                due = (when, end);
            }
        };
        if blocked || self.answering.load(Ordering::Relaxed) > 0 {
            let seen = self.taken.compare_exchange(UNSEEN, now, Ordering::Relaxed, Ordering::Relaxed);
            at_most(Self::limit(seen.map_or_else(|taken| taken, |_| now), limits.write_timeout), End::Cut);
        }
        if head != 0 && !blocked {
            // In HTTP/1 the next head waits until the answers before it are out; in HTTP/2 it holds up all others.
            if self.is_http2() {
                at_most(Self::limit(head, limits.header_timeout), End::Late);
            } else if turns == 0 {
                at_most(Self::limit(head.max(rest), limits.header_timeout), End::Late);
            }
        }
        if turns == 0 && told != 0 {
            at_most(Self::limit(told.max(rest), limits.write_timeout), End::Cut);
        } else if turns == 0 && head == 0 && !blocked {
            at_most(Self::limit(rest, limits.idle_timeout), End::Leave);
        }
        due
    }

    /// Since when nothing is under way here, not even the beginning of a head.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let quiet = self.turns.load(Ordering::Acquire) == 0
            && !self.blocked.load(Ordering::Relaxed)
            && (self.head.load(Ordering::Relaxed) == 0 || !self.touched.load(Ordering::Relaxed))
            && self.told.load(Ordering::Relaxed) == 0;
        quiet.then(|| self.rest.load(Ordering::Relaxed))
    }

    /// Since when a head is under way here, and nothing else.
    pub(super) fn half_sent_since(&self) -> Option<u64> {
        let head = self.head();
        let alone = head != 0
            && self.turns.load(Ordering::Acquire) == 0
            && !self.blocked.load(Ordering::Relaxed)
            && !self.untouched()
            && !self.leaves();
        alone.then(|| head.max(self.rest.load(Ordering::Relaxed)))
    }

    /// When the head under way began, 0 for none.
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Relaxed)
    }

    pub(super) fn untouched(&self) -> bool {
        !self.touched.load(Ordering::Relaxed)
    }

    /// Tells the connection how to end; its task follows.
    pub(super) fn tell(&self, end: End) {
        self.told.store(self.time.now(), Ordering::Relaxed);
        self.order.store(end as u8, Ordering::Release);
        self.wake();
    }

    /// The order, once.
    pub(super) fn told(&self) -> Option<End> {
        if self.order.load(Ordering::Acquire) == 0 {
            return None;
        }
        let order = self.order.swap(0, Ordering::AcqRel);
        End::ALL.into_iter().find(|known| *known as u8 == order)
    }

    /// Takes the order back: what it was about has come.
    pub(super) fn stays(&self) {
        self.told.store(0, Ordering::Relaxed);
        // Who wanted it to leave, too, may have seen that it was told already.
        self.time.room.notify_waiters();
    }

    pub(super) fn leaves(&self) -> bool {
        self.told.load(Ordering::Relaxed) != 0
    }

    pub(super) fn wakes(&self, waker: &Waker) {
        *self.waker.lock() = Some(waker.clone());
    }

    pub(super) fn says_late(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    pub(super) fn busy(&self) -> bool {
        self.turns.load(Ordering::Acquire) > 0
    }
}

/// One request, until its answer is out or nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Turn {
    pace: Arc<Pace>,
    answering: bool,
}

impl Turn {
    pub(super) fn begin(pace: &Arc<Pace>) -> Self {
        pace.turns.fetch_add(1, Ordering::AcqRel);
        Turn { pace: Arc::clone(pace), answering: false }
    }

    /// The answer is there: the client is to take it. Of a stream it takes what there is, and may wait for more for as
    /// long as it likes.
    pub(super) fn answer(mut self, response: Delivered) -> hyper::Response<Answer> {
        match response.body() {
            Content::Whole(_) => self.answers(),
            Content::Stream(_) => self.pace.watches(Watching::Begins),
            // Of these it is looked when the first is asked for, which never happens after HEAD.
            Content::Pieces(_) => {}
        }
        response.map(|content| Answer { content, turn: Some(self) })
    }

    pub(super) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// A turn of its own for a piece of a stream.
    fn of_piece(&self) -> Turn {
        let mut turn = Turn::begin(&self.pace);
        turn.answers();
        turn
    }

    fn answers(&mut self) {
        self.answering = true;
        if self.pace.answering.fetch_add(1, Ordering::AcqRel) == 0 {
            self.pace.taken.store(UNSEEN, Ordering::Relaxed);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let pace = &*self.pace;
        let now = pace.time.now();
        if self.answering {
            pace.taken.store(now, Ordering::Relaxed);
            pace.answering.fetch_sub(1, Ordering::AcqRel);
        }
        pace.rest.store(now, Ordering::Relaxed);
        if pace.turns.fetch_sub(1, Ordering::AcqRel) == 1 && pace.time.waiting.load(Ordering::Relaxed) > 0 {
            pace.time.room.notify_waiters();
        }
    }
}

/// The body of an answer. It is given up piece by piece as the client takes it.
pub(super) struct Answer {
    content: Content,
    turn: Option<Turn>,
}

impl Body for Answer {
    type Data = Piece;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, Self::Error>>> {
        let this = self.get_mut();
        match &mut this.content {
            Content::Whole(bytes) => {
                let frame = ready!(Pin::new(bytes).poll_frame(cx));
                let turn = this.turn.take();
                let piece = |bytes| Piece { bytes, turn, _taken: None };
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(frame) => Ok(frame.map_data(piece)),
                    Err(never) => match never {},
                }))
            }
            Content::Pieces(pieces) => {
                let Some(turn) = &this.turn else { return Poll::Ready(None) };
                turn.pace.watches(Watching::Begins);
                let next = ready!(pieces.poll(cx, &turn.pace));
                if pieces.is_done() {
                    turn.pace.watches(Watching::Ends);
                }
                let Some(next) = next else { return Poll::Ready(None) };
                let turn = turn.of_piece();
                let piece = |(bytes, taken)| Frame::data(Piece { bytes, turn: Some(turn), _taken: taken });
                Poll::Ready(Some(next.map(piece)))
            }
            Content::Stream(stream) => {
                let Some(turn) = &this.turn else { return Poll::Ready(None) };
                let bytes = match turn.pace.has_hung_up() {
                    true => None,
                    false => ready!(stream.poll(cx)),
                };
                let Some(bytes) = bytes else {
                    turn.pace.watches(Watching::Ends);
                    return Poll::Ready(None);
                };
                let turn = Some(turn.of_piece());
                Poll::Ready(Some(Ok(Frame::data(Piece { bytes, turn, _taken: None }))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_end_stream(),
            Content::Stream(_) => false,
            Content::Pieces(pieces) => pieces.is_done(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => bytes.size_hint(),
            Content::Stream(_) => SizeHint::default(),
            Content::Pieces(pieces) => SizeHint::with_exact(pieces.promised()),
        }
    }
}

/// Bytes that hyper keeps until the socket has taken them, in HTTP/2 until the client's windows let them through.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    turn: Option<Turn>,
    /// Dropped with it: who waits for that goes on.
    _taken: Option<oneshot::Sender<()>>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        // The last piece is told by the turn's end.
        if let Some(turn) = &self.turn
            && self.bytes.has_remaining()
        {
            turn.pace.taken.store(turn.pace.time.now(), Ordering::Relaxed);
        }
    }
}
