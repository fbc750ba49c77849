//! A client's socket, with an eye on what goes through it.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::faulty::Order;
use super::framing::{Fault, Scan};
use super::pace::Pace;
use super::refusal;
use super::tls::{HANDSHAKE, Wire};

/// How long, and for how many bytes, a client may go on sending what nobody reads any more. A system that still has
/// such bytes when a connection is closed resets it, and the client loses the answer that says why.
const LINGERS: Duration = Duration::from_secs(1);
const LINGERS_FOR: usize = 8 << 20;

pub(super) struct Socket {
    wire: Wire,
    pace: Arc<Pace>,
    scan: Scan,
    /// Nothing is read any more.
    broken: bool,
    /// All is said, and the client is still talking.
    lingering: Option<Lingering>,
    /// What is left of what is written in place of an answer.
    instead: Option<Bytes>,
}

struct Lingering {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl Socket {
    pub(super) fn new(wire: Wire, pace: Arc<Pace>) -> Self {
        Socket { wire, pace, scan: Scan::new(), broken: false, lingering: None, instead: None }
    }

    fn breaks(&self) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, Fault::Chunk.words())))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.broken {
            return this.breaks();
        }
        if this.pace.is_late() {
            // All answers before it are out; who cannot take this one at once goes without.
            // After an end instead of an error, hyper would have its own say about what came.
            this.wire.say(cx, &refusal::late());
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.wire).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        if came.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if this.pace.untouched() && came[0] == HANDSHAKE && this.wire.is_plain() {
            this.wire.say(cx, &refusal::tls());
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let seen = this.scan.take(came);
        if let Some(fault) = seen.bad_head {
            this.pace.faulty(this.scan.heads(), fault);
        }
        if seen.boundary && this.scan.http2() {
            this.pace.speaks_http2();
        }
        this.pace.came(seen.boundary, this.scan.in_head());
        if let Some(good) = seen.bad_body {
            this.broken = true;
            if good == 0 {
                return this.breaks();
            }
            // What came before is whole, and is answered.
            buffer.set_filled(before + good);
        }
        Poll::Ready(Ok(()))
    }
}

impl Socket {
    /// Takes what still comes, until the client has ended, or the body that it was sending has.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let lingering =
            self.lingering.get_or_insert_with(|| Lingering { until: Box::pin(sleep(LINGERS)), left: LINGERS_FOR });
        if lingering.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [0; 8 << 10];
        loop {
            let mut part = ReadBuf::new(&mut bytes);
            let result = ready!(Pin::new(&mut self.wire).poll_read(cx, &mut part));
            let count = part.filled().len();
            if result.is_err() || count == 0 || count >= lingering.left {
                return Poll::Ready(());
            }
            lingering.left -= count;
            if self.scan.in_body() {
                let _ = self.scan.take(part.filled());
                if self.scan.at_rest() {
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Writes what comes in place of an answer, and ends the connection. All answers before it are out: hyper flushes
    /// only when it has nothing left to write.
    fn instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.instead.is_none() {
            match self.pace.instead.take() {
                Some(Order::Write(bytes)) => self.instead = Some(bytes),
                Some(Order::Reset) => {
                    // The system sends the reset when the socket is dropped.
                    self.wire.set_zero_linger()?;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        if self.lingering.is_none() {
            while let Some(rest) = self.instead.as_mut().filter(|rest| rest.has_remaining()) {
                let result = Pin::new(&mut self.wire).poll_write(cx, rest);
                self.pace.wrote(result.is_pending());
                match ready!(result)? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => rest.advance(count),
                }
            }
            ready!(Pin::new(&mut self.wire).poll_flush(cx))?;
            ready!(Pin::new(&mut self.wire).poll_shutdown(cx))?;
        }
        ready!(self.linger(cx));
        // With nothing more to be said, hyper is told that there is nobody to say it to.
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pace.wrote(result.is_pending());
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.wire).poll_write(cx, bytes);
        this.written(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.wire).poll_write_vectored(cx, slices);
        this.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.pace.instead.is_ordered() {
            return this.instead(cx);
        }
        if this.pace.may_hang_up() {
            match this.wire.poll_ended(cx) {
                Poll::Ready(Ok(true)) => {
                    this.pace.hangs_up();
                    // What makes the answer is asked again, and ends.
                    cx.waker().wake_by_ref();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(false)) | Poll::Pending => {}
            }
        }
        let result = Pin::new(&mut this.wire).poll_flush(cx);
        if !this.wire.is_plain() {
            // What was taken to be sent may still wait here to go out.
            this.pace.wrote(result.is_pending());
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.wire).poll_shutdown(cx))?;
            if this.scan.http2() || this.scan.at_rest() {
                return Poll::Ready(Ok(()));
            }
        }
        this.linger(cx).map(Ok)
    }
}
