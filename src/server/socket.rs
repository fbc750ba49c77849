//! A client's socket, with an eye on what goes through it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::framing::{Fault, Scan};
use super::pace::Pace;
use super::refusal;

pub(super) struct Socket {
    stream: TcpStream,
    pace: Arc<Pace>,
    scan: Scan,
    /// Nothing is read any more.
    broken: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, pace: Arc<Pace>) -> Self {
        Socket { stream, pace, scan: Scan::new(), broken: false }
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
            let _ = this.stream.try_write(&refusal::late());
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        if came.is_empty() {
            return Poll::Ready(Ok(()));
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
    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pace.wrote(result.is_pending());
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
