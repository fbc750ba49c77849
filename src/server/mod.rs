//! Sockets and HTTP: the only one that listens, and the only user of the real clock.
//!
//! Start with [`Server::bind`] and [`Server::run`]. The caller brings the shutdown, so a test can have many servers in
//! one process; nothing is global.

mod accept;
mod aside;
mod cors;
mod crowd;
mod deliver;
mod dispatch;
mod faulty;
mod framing;
mod framing_lines;
mod gate;
mod line;
mod pace;
mod read;
mod refusal;
mod session;
mod socket;
mod stream;
mod target;
mod tls;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{Instant, Real};
use crate::control::Control;
use crate::coverage;
use crate::engine;
use crate::metrics::Metrics;
use crate::pack::Pack;
use crate::reload::{self, Reloader};
use crate::sandbox::{Conflict, Registry, Settings};
use crate::ui::Ui;
use crate::webhook::{self, Courier, Mailbox};

use aside::Aside;
use target::Scheme;

pub(crate) use gate::{Gate, Hosts, Token};
pub(crate) use line::{Line, Log};
pub(crate) use tls::{Flaw, Identity};

/// How a server is to be.
pub(crate) struct Options {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    /// Ports on which one pack, by its number, stands at the root.
    pub(crate) own_ports: Vec<(usize, u16)>,
    pub(crate) packs: Vec<Arc<Pack>>,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) gate: Gate,
    /// Whom webhooks may be sent to.
    pub(crate) way_out: webhook::Gate,
    /// What every listener shows its clients before they speak; without one it speaks plain HTTP.
    pub(crate) identity: Option<Identity>,
    /// Whether answers that are assumed, or do not fit their schema, are refused.
    pub(crate) strict: bool,
    /// Whether pages of any origin may call the packs.
    pub(crate) cors: bool,
    pub(crate) log: Option<Log>,
    pub(crate) reload: reload::Plan,
}

/// Bounds on what a client may ask of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) body: usize,
    /// Over all bodies that are being read; never less than one body.
    pub(crate) bodies: usize,
    pub(crate) json_depth: usize,
    pub(crate) connections: usize,
    pub(crate) headers: usize,
    pub(crate) header_bytes: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) body_timeout: Duration,
}

/// Why a server could not start.
#[derive(Debug)]
pub(crate) enum StartFault {
    /// The address, which the flag chose, cannot be listened on.
    Bind { address: SocketAddr, flag: &'static str, error: io::Error },
    /// The seed records of the named pack contradict each other.
    Seed(String, Conflict),
}

/// A server that listens and does not answer yet.
pub(crate) struct Server {
    listeners: Vec<(TcpListener, Option<usize>)>,
    shared: Arc<Shared>,
    courier: Arc<Courier>,
    mailbox: Mailbox,
}

/// What every connection needs.
pub(crate) struct Shared {
    /// The port that all packs are served on.
    pub(crate) port: u16,
    pub(crate) registry: Arc<Registry>,
    pub(crate) control: Control,
    pub(crate) ui: Ui,
    pub(crate) limits: Limits,
    pub(crate) bodies: read::Room,
    pub(crate) aside: Aside,
    pub(crate) rules: engine::Rules,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) real: Box<dyn Fn() -> Real + Send + Sync>,
    pub(crate) gate: Gate,
    pub(crate) identity: Option<Identity>,
    pub(crate) cors: bool,
    pub(crate) log: Option<Log>,
    pub(crate) dates: deliver::Dates,
    /// Whether the server is to stop, for answers that would not end by themselves.
    pub(crate) stopped: watch::Sender<bool>,
}

impl Shared {
    /// Ready once the server is to stop.
    fn stops(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopped = self.stopped.subscribe();
        async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }

    fn scheme(&self) -> Scheme {
        if self.identity.is_some() { Scheme::Https } else { Scheme::Http }
    }
}

impl Server {
    pub(crate) async fn bind(options: Options) -> Result<Self, StartFault> {
        let listen = async |port: u16, flag: &'static str| {
            let address = SocketAddr::new(options.host, port);
            accept::listen(address).map_err(|error| StartFault::Bind { address, flag, error })
        };
        let mut listeners = vec![(listen(options.port, "--port").await?, None)];
        for (pack, port) in &options.own_ports {
            listeners.push((listen(*port, "--listen").await?, Some(*pack)));
        }
        let port = listeners[0].0.local_addr().map_or(options.port, |address| address.port());
        let real = monotonic();
        let (carrier, mailbox) = webhook::post();
        let settings = Settings { carrier, ..options.settings };
        let registry = Registry::new(options.packs, settings, real())
            .map_err(|(pack, conflict)| StartFault::Seed(pack, conflict))?;
        let registry = Arc::new(registry);
        let rules = engine::Rules { json_depth: options.limits.json_depth, strict: options.strict };
        let metrics = Arc::new(Metrics::new(&registry.packs()));
        let (theirs, counted) = (Arc::clone(&registry), Arc::clone(&metrics));
        let reloader = Arc::new(Reloader::new(options.reload, theirs, counted, Box::new(real.clone()), wall));
        let (theirs, counted) = (Arc::clone(&registry), Arc::clone(&metrics));
        let heard = options.log.clone().map(|log| line::of_attempts(log, Arc::clone(&registry)));
        let courier = Arc::new(Courier::new(options.way_out, theirs, counted, heard, Box::new(real.clone())));
        let control = Control::new(
            Arc::clone(&registry),
            Arc::clone(&metrics),
            Arc::clone(&reloader),
            Arc::clone(&courier),
            rules,
            format!("{:x}", wall().micros()),
        );
        let shared = Shared {
            port,
            registry,
            control,
            ui: Ui::new(),
            limits: options.limits,
            bodies: read::Room::new(&options.limits),
            aside: Aside::of_runtime(),
            rules,
            metrics,
            reloader,
            real: Box::new(real),
            gate: options.gate,
            identity: options.identity,
            cors: options.cors,
            log: options.log,
            dates: deliver::Dates::default(),
            stopped: watch::Sender::new(false),
        };
        Ok(Server { listeners, shared: Arc::new(shared), courier, mailbox })
    }

    /// The address that all packs are served on.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listeners[0].0.local_addr()
    }

    /// What its URLs begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        self.shared.scheme().word()
    }

    /// The addresses of packs on ports of their own, by the pack's number.
    pub(crate) fn own_addresses(&self) -> Vec<(usize, SocketAddr)> {
        let own = self.listeners.iter().filter_map(|(listener, pack)| Some(((*pack)?, listener.local_addr().ok()?)));
        own.collect()
    }

    /// What will have been covered in all its sandboxes, when it is asked for.
    pub(crate) fn covered(&self) -> impl FnOnce() -> coverage::Report + use<> {
        let shared = Arc::clone(&self.shared);
        move || coverage::of_server(&shared.registry, (shared.real)())
    }

    /// What reads the packs again.
    pub(crate) fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.shared.reloader)
    }

    /// Answers until `shutdown` is ready, then lets requests under way finish, for `grace` at most.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()>, grace: Duration) {
        let _watching = reload::start(&self.shared.reloader);
        let Server { listeners, shared, courier, mailbox } = self;
        let carrying = tokio::spawn(async move { courier.run(mailbox).await });
        accept::run(listeners, shared, shutdown, grace).await;
        carrying.abort();
    }
}

/// A counter of real microseconds. Virtual clocks count on from it.
pub(crate) fn monotonic() -> impl Fn() -> Real + Clone + Send + Sync + 'static {
    #[allow(clippy::disallowed_methods, reason = "this is the edge that real time comes in by")]
    let start = std::time::Instant::now();
    move || Real(i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX))
}

/// The real time, for people who look at what a server did.
fn wall() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "a reload is told in the time of those who edit files")]
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}
