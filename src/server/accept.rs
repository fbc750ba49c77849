use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Version;
use hyper::body::Incoming;
use hyper::service::HttpService;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::{Builder, Connection};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::crowd::{self, Crowd, Ends, Place};
use super::dispatch::Answering;
use super::faulty::Broken;
use super::pace::{Answer, Pace, Turn};
use super::socket::Socket;
use super::target::{Door, Scheme};
use super::tls::{Met, Wire};
use super::{Limits, Shared, dispatch, faulty, refusal};
use crate::exchange::Problem;

/// How many headers hyper takes when nothing is said.
const HYPER_HEADERS: usize = 100;

/// How much of bodies a client of HTTP/2 may send ahead, over all its streams.
const WINDOW: u32 = 1 << 20;

/// How many clients may wait in the system's queue. When it is full, the system lets them try again after a second.
const QUEUE: u32 = 4096;

/// Listens on an address, also when connections of a server before this one have not quite ended.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere this would let two servers have one port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Accepts connections on every listener until `shutdown`, then drains them.
pub(super) async fn run(
    listeners: Vec<(TcpListener, Option<usize>)>,
    shared: Arc<Shared>,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let crowd = Arc::new(Crowd::new(shared.limits));
    let mut loops = JoinSet::new();
    for (listener, pack) in listeners {
        loops.spawn(accept(listener, pack, Arc::clone(&shared), Arc::clone(&crowd)));
    }
    let mut watch = JoinSet::new();
    let watched = Arc::clone(&crowd);
    watch.spawn(async move { watched.watch().await });
    shutdown.await;
    shared.stopped.send_replace(true);
    loops.shutdown().await;
    let _ = timeout(grace, crowd.dissolve()).await;
}

async fn accept(listener: TcpListener, pack: Option<usize>, shared: Arc<Shared>, crowd: Arc<Crowd>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(address) = stream.local_addr() else { continue };
                let door = Door { pack, address, scheme: shared.scheme(), main: shared.port };
                // Where nobody can make room, this client waits here, and others in the system's queue.
                let place = crowd.enter().await;
                tokio::spawn(serve(stream, door, Arc::clone(&shared), place));
            }
            Err(error) if crowd::out_of_files(&error) => crowd.shrink().await,
            // A client that has gone before it was its turn.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: TcpStream, door: Door, shared: Arc<Shared>, place: Place) {
    let _counted = shared.metrics.connection();
    let _ = stream.set_nodelay(true);
    let (wire, astray) = match &shared.identity {
        None => (Wire::Plain(stream), false),
        Some(identity) => {
            let mut met = None;
            crowd::follow(identity.greet(stream, &place.pace, &mut met), &place.pace).await;
            match met {
                // Who was told to go during the handshake goes.
                _ if place.pace.leaves() => return,
                Some(Met::Secured(wire)) => (wire, false),
                Some(Met::Plain(stream)) => (Wire::Plain(stream), true),
                None => return,
            }
        }
    };
    let builder = builder(&shared.limits);
    let pace = Arc::clone(&place.pace);
    let socket = Socket::new(wire, Arc::clone(&pace));
    let service = service_fn(move |request| {
        let turn = Turn::begin(&pace);
        let asked = faulty::Asked::of(&request);
        let refused = if astray { Some(refusal::plain()) } else { refused(&pace, &request, door.scheme) };
        let answering = match refused {
            Some(problem) => Answering::refusal(request, problem),
            None => dispatch::answer(&shared, &door, request),
        };
        Serving::begin(&shared, turn, asked, answering)
    });
    // A client that hangs up or speaks no HTTP is not our fault, and hyper has told it what there is to tell.
    crowd::follow(builder.serve_connection(TokioIo::new(socket), service), &place.pace).await;
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // How long anything may take is `pace`'s business; hyper's own timer for heads counts idle time too.
    builder
        .http1()
        .max_buf_size(limits.header_bytes)
        .header_read_timeout(None)
        // Who has sent all that there is to send, and says so, still waits for the answer.
        .half_close(true);
    // Saying what is the default anyway would make hyper keep its headers elsewhere than on the stack.
    if limits.headers != HYPER_HEADERS {
        builder.http1().max_headers(limits.headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(200)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        // What a client can make a connection hold: bodies sent ahead, frames, and streams that it resets at once.
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .max_frame_size(16 << 10)
        .max_send_buf_size(256 << 10)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100);
    builder
}

/// How far an answer is.
enum Serving {
    /// Given away once.
    Ready(Option<hyper::Response<Answer>>),
    Waits(Pin<Box<dyn Future<Output = Result<hyper::Response<Answer>, Broken>> + Send>>),
}

impl Serving {
    fn begin(shared: &Arc<Shared>, turn: Turn, asked: faulty::Asked, answering: Answering) -> Self {
        match answering {
            Answering::Ready(response) if response.extensions().is_empty() => {
                Serving::Ready(Some(turn.answer(asked.headless(response))))
            }
            answering => {
                let shared = Arc::clone(shared);
                Serving::Waits(Box::pin(async move {
                    let response = match answering {
                        Answering::Ready(response) => response,
                        Answering::Waits(response) => response.await,
                    };
                    let mut response = asked.headless(response);
                    match response.extensions_mut().remove() {
                        None => Ok(turn.answer(response)),
                        Some(delivery) => faulty::deliver(&shared, turn, asked, response, delivery).await,
                    }
                }))
            }
        }
    }
}

impl Future for Serving {
    type Output = Result<hyper::Response<Answer>, Broken>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Serving::Ready(response) => response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response))),
            Serving::Waits(response) => response.as_mut().poll(cx),
        }
    }
}

/// Why a request is refused whatever it asks for.
fn refused(pace: &Pace, request: &hyper::Request<Incoming>, scheme: Scheme) -> Option<Problem> {
    let fault = if request.version() == Version::HTTP_2 { None } else { pace.next_fault() };
    fault.map(refusal::of_fault).or_else(|| refusal::of_host(request, scheme))
}

impl<S> Ends for Connection<'_, TokioIo<Socket>, S, TokioExecutor>
where
    S: HttpService<Incoming, ResBody = Answer>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Self: Future,
{
    fn leave(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
