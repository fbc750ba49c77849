use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, mpsc};

use super::{Client, Gate};
use crate::clock::{Instant, Mode, Real};
use crate::exchange::Outcome;
use crate::journal::Entry;
use crate::metrics::Metrics;
use crate::sandbox::agenda::Agenda;
use crate::sandbox::{Carrier, Next, Registry, Sandbox, SandboxId, Stride, Ticket};

/// Sends what goes out of the sandboxes of a server, has them do what is due while their clocks tick, and advances time.
pub(crate) struct Courier {
    client: Client,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    log: Option<Log>,
    real: Box<dyn Fn() -> Real + Send + Sync>,
    /// For attempts of all sandboxes that are under way.
    room: Semaphore,
    /// For those of one sandbox, so that those of others are not waited for.
    rooms: Mutex<HashMap<SandboxId, Weak<Semaphore>>>,
    /// An attempt has come to its end.
    landed: Notify,
    /// Time is advanced by one after the other.
    turns: Mutex<HashMap<SandboxId, Weak<tokio::sync::Mutex<()>>>>,
}

/// Hears of every attempt that has come to its end.
pub(crate) type Log = Box<dyn Fn(&Ended<'_>) + Send + Sync>;

/// An attempt that has come to its end.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) sandbox: &'a SandboxId,
    pub(crate) ticket: &'a Ticket,
    pub(crate) outcome: &'a Outcome,
    /// In real microseconds.
    pub(crate) took: u64,
    /// None where it came too late to be one.
    pub(crate) entry: Option<&'a Entry>,
}

/// How many attempts of all sandboxes are under way at once.
const MOST_AT_ONCE: usize = 256;

/// How many of one sandbox are.
const MOST_OF_ONE: usize = 32;

/// How many of the things that an advance did are told; all are counted.
const MOST_TOLD: usize = 1000;

/// The most that one advance does.
const MOST_DONE: u64 = 10_000_000;

/// After how many steps others have their turn.
const STEPS: u64 = 128;

/// What sandboxes send their courier.
#[derive(Debug)]
enum Mail {
    Carry(SandboxId, Ticket),
    Look(SandboxId),
}

/// The end that sandboxes have.
#[derive(Debug)]
struct Post(mpsc::UnboundedSender<Mail>);

/// The end that the courier reads.
#[derive(Debug)]
pub(crate) struct Mailbox(mpsc::UnboundedReceiver<Mail>);

/// The way from sandboxes to their courier. What is on it is bounded by what is on their agendas.
pub(crate) fn post() -> (Arc<dyn Carrier>, Mailbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Arc::new(Post(sender)), Mailbox(receiver))
}

/// When nobody reads any more, the server is about to end.
impl Carrier for Post {
    fn carry(&self, sandbox: &SandboxId, ticket: Ticket) {
        let _ = self.0.send(Mail::Carry(sandbox.clone(), ticket));
    }

    fn look(&self, sandbox: &SandboxId) {
        let _ = self.0.send(Mail::Look(sandbox.clone()));
    }
}

/// Something that an advance did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) entry: Arc<Entry>,
    /// What came of an attempt.
    pub(crate) outcome: Option<Arc<Entry>>,
}

/// Where an advance led.
#[derive(Debug)]
pub(crate) struct Advanced {
    pub(crate) now: Instant,
    pub(crate) mode: Mode,
    /// The first of what was done.
    pub(crate) done: Vec<Done>,
    /// How much was done in all.
    pub(crate) count: u64,
}

/// Why time was not advanced to where it should be.
#[derive(Debug)]
pub(crate) enum NotAdvanced<E> {
    /// The target is none.
    Refused(E),
    /// The sandbox went back to another time meanwhile, or was deleted.
    Overtaken,
    /// There was no end to what was due; the instant that was reached.
    Endless(Instant),
}

impl Courier {
    pub(crate) fn new(
        gate: Gate,
        registry: Arc<Registry>,
        metrics: Arc<Metrics>,
        log: Option<Log>,
        real: Box<dyn Fn() -> Real + Send + Sync>,
    ) -> Self {
        let (room, landed) = (Semaphore::new(MOST_AT_ONCE), Notify::new());
        let (rooms, turns) = (Mutex::default(), Mutex::default());
        let client = Client::new(gate);
        Courier { client, registry, metrics, log, real, room, rooms, landed, turns }
    }

    /// Carries, and looks at sandboxes when something is due, as long as somebody waits for it.
    pub(crate) async fn run(self: &Arc<Self>, Mailbox(mut mail): Mailbox) {
        let mut dates = Dates::default();
        self.look(&mut dates, SandboxId::default_id());
        loop {
            let next = dates.first().map(|due| due.saturating_sub((self.real)().0).max(0).unsigned_abs());
            tokio::select! {
                mail = mail.recv() => match mail {
                    Some(Mail::Carry(id, ticket)) => {
                        if let Some(sandbox) = self.registry.find(&id) {
                            drop(self.send(sandbox, ticket));
                        }
                    }
                    Some(Mail::Look(id)) => self.look(&mut dates, id),
                    None => return,
                },
                () = tokio::time::sleep(Duration::from_micros(next.unwrap_or_default())), if next.is_some() => {
                    let Some(id) = dates.take_first() else { continue };
                    self.look(&mut dates, id);
                }
            }
        }
    }

    /// Has a sandbox do what is due, and notes when it is to be looked at again.
    fn look(&self, dates: &mut Dates, id: SandboxId) {
        let Some(sandbox) = self.registry.find(&id) else { return dates.set(id, None) };
        let real = (self.real)();
        let mut left = sandbox.next_due(real);
        if left == Some(0) {
            tokio::task::block_in_place(|| sandbox.catch_up(real));
            left = sandbox.next_due(real);
        }
        dates.set(id, left.map(|left| real.0.saturating_add(left)));
    }

    /// Makes an attempt, whoever waits for it, and gives what came of it.
    fn send(self: &Arc<Self>, sandbox: Arc<Sandbox>, ticket: Ticket) -> tokio::task::JoinHandle<Option<Arc<Entry>>> {
        let courier = Arc::clone(self);
        tokio::spawn(async move {
            let own = shared(&courier.rooms, sandbox.id(), || Semaphore::new(MOST_OF_ONE));
            let _own = own.acquire().await;
            let _place = courier.room.acquire().await;
            // While it waited the sandbox may have gone back to another time.
            if !sandbox.awaits(&ticket) {
                courier.landed.notify_waiters();
                return None;
            }
            let begin = (courier.real)();
            let outcome = Arc::new(courier.client.send(&ticket.sent, &ticket.delivery.id).await);
            let end = (courier.real)();
            courier.metrics.attempted(&ticket.pack, &outcome);
            let took = u64::try_from(end.0.saturating_sub(begin.0)).unwrap_or(0);
            let entry = sandbox.received(&ticket, Arc::clone(&outcome), took, end);
            if let Some(log) = &courier.log {
                let (sandbox, entry) = (sandbox.id(), entry.as_deref());
                log(&Ended { sandbox, ticket: &ticket, outcome: &outcome, took, entry });
            }
            courier.landed.notify_waiters();
            entry
        })
    }

    /// Waits until `look` finds something on the agenda of a sandbox: it looks now, and whenever an attempt has come to its
    /// end. None when the time is over first.
    pub(crate) async fn until<R>(
        &self,
        sandbox: &Sandbox,
        patience: Duration,
        mut look: impl FnMut(&Agenda) -> Option<R>,
    ) -> Option<R> {
        let looked = async {
            loop {
                let landed = self.landed.notified();
                tokio::pin!(landed);
                landed.as_mut().enable();
                if let Some(found) = look(&sandbox.agenda((self.real)())) {
                    return found;
                }
                landed.await;
            }
        };
        tokio::time::timeout(patience, looked).await.ok()
    }

    /// Advances the time of a sandbox to an instant, which `target` makes of the present one and of the one of the next
    /// thing that is due. Everything that is due until then is done before, each thing at its own instant. Time goes on as
    /// before, or as `then` says.
    pub(crate) async fn advance<E>(
        self: &Arc<Self>,
        sandbox: &Arc<Sandbox>,
        target: impl FnOnce(Instant, Option<Instant>) -> Result<Instant, E>,
        then: Option<Mode>,
    ) -> Result<Advanced, NotAdvanced<E>> {
        let turn = shared(&self.turns, sandbox.id(), tokio::sync::Mutex::default);
        let _turn = turn.lock().await;
        let stride = Walking { courier: self, sandbox, stride: sandbox.stride((self.real)()) };
        let first = sandbox.first_due();
        let target = target(stride.stride.from, first).map_err(NotAdvanced::Refused)?;
        let (mut done, mut count) = (Vec::new(), 0_u64);
        loop {
            let landed = self.landed.notified();
            tokio::pin!(landed);
            landed.as_mut().enable();
            let (entry, outcome) = match sandbox.step(&stride.stride, target, then, (self.real)()) {
                Next::Done(entry) => (entry, None),
                Next::Send(entry, ticket) => {
                    let outcome = self.send(Arc::clone(sandbox), ticket).await;
                    (entry, outcome.ok().flatten())
                }
                Next::Wait => {
                    landed.await;
                    continue;
                }
                Next::Arrived(now, mode) => return Ok(Advanced { now, mode, done, count }),
                Next::Overtaken => return Err(NotAdvanced::Overtaken),
            };
            count += 1;
            if count >= MOST_DONE {
                return Err(NotAdvanced::Endless(entry.at));
            }
            if done.len() < MOST_TOLD {
                done.push(Done { entry, outcome });
            }
            if count.is_multiple_of(STEPS) {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// What a sandbox has as long as somebody uses it.
fn shared<T>(all: &Mutex<HashMap<SandboxId, Weak<T>>>, id: &SandboxId, make: impl FnOnce() -> T) -> Arc<T> {
    let mut all = all.lock();
    if let Some(known) = all.get(id).and_then(Weak::upgrade) {
        return known;
    }
    all.retain(|_, known| known.strong_count() > 0);
    let made = Arc::new(make());
    all.insert(id.clone(), Arc::downgrade(&made));
    made
}

/// An advance under way, which ends where it is when nobody waits for it any more.
struct Walking<'a> {
    courier: &'a Courier,
    sandbox: &'a Sandbox,
    stride: Stride,
}

impl Drop for Walking<'_> {
    fn drop(&mut self) {
        self.sandbox.halt(&self.stride, (self.courier.real)());
    }
}

/// When sandboxes are to be looked at, in real microseconds.
#[derive(Debug, Default)]
struct Dates {
    order: BTreeSet<(i64, SandboxId)>,
    by_id: HashMap<SandboxId, i64>,
}

impl Dates {
    fn set(&mut self, id: SandboxId, due: Option<i64>) {
        if let Some(before) = self.by_id.remove(&id) {
            self.order.remove(&(before, id.clone()));
        }
        if let Some(due) = due {
            self.by_id.insert(id.clone(), due);
            self.order.insert((due, id));
        }
    }

    fn first(&self) -> Option<i64> {
        self.order.first().map(|(due, _)| *due)
    }

    fn take_first(&mut self) -> Option<SandboxId> {
        let (_, id) = self.order.pop_first()?;
        self.by_id.remove(&id);
        Some(id)
    }
}
