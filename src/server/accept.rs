use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::target::Door;
use super::{Shared, dispatch};

/// How many headers hyper takes when nothing is said.
const HYPER_HEADERS: usize = 100;

/// Accepts connections on every listener until `shutdown`, then drains them.
pub(super) async fn run(
    listeners: Vec<(TcpListener, Option<usize>)>,
    shared: Arc<Shared>,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let mut loops = tokio::task::JoinSet::new();
    for (listener, pack) in listeners {
        loops.spawn(accept(listener, pack, Arc::clone(&shared), Arc::clone(&graceful), Arc::clone(&places)));
    }
    shutdown.await;
    loops.shutdown().await;
    // Connection tasks keep no handle on it, so this is the only one left.
    if let Some(graceful) = Arc::into_inner(graceful) {
        let _ = timeout(grace, graceful.shutdown()).await;
    }
}

async fn accept(
    listener: TcpListener,
    pack: Option<usize>,
    shared: Arc<Shared>,
    graceful: Arc<GracefulShutdown>,
    places: Arc<Semaphore>,
) {
    loop {
        // A place is taken before accepting: past the limit, clients wait in the system's queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(address) = stream.local_addr() else { continue };
                let door = Door { pack, address, main: shared.port };
                let connection = serve(stream, door, Arc::clone(&shared), &graceful);
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // Out of file descriptors, or a connection that was gone at once: neither ends the server.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

fn serve(
    stream: TcpStream,
    door: Door,
    shared: Arc<Shared>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_timeout)
        .max_buf_size(shared.limits.header_bytes)
        // Who has sent all that there is to send, and says so, still waits for the answer.
        .half_close(true);
    // Saying what is the default anyway would make hyper keep its headers elsewhere than on the stack.
    if shared.limits.headers != HYPER_HEADERS {
        builder.http1().max_headers(shared.limits.headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(200)
        .max_header_list_size(u32::try_from(shared.limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(dispatch::answer(&shared, &door, request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    async move {
        // A client that hangs up or speaks no HTTP is not our fault, and hyper has told it what there is to tell.
        let _ = connection.await;
    }
}
