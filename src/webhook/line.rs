//! The connection to a receiver, as hyper is to see it.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes that are read of a receiver. Heads and bodies have bounds of their own; what stands between them, such as
/// interim answers and the sizes of chunks, has this one alone.
pub(super) const MOST_READ: usize = 256 << 10;

/// A receiver has sent more than [`MOST_READ`].
#[derive(Debug)]
pub(super) struct Flooded;

impl fmt::Display for Flooded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} KiB came", MOST_READ >> 10)
    }
}

impl Error for Flooded {}

impl Flooded {
    /// Whether hyper's error comes from it.
    pub(super) fn is_cause_of(error: &dyn Error) -> bool {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        cause.and_then(io::Error::get_ref).is_some_and(|cause| cause.is::<Flooded>())
    }
}

/// Receivers may answer before they have read the request, or without reading it. hyper takes an answer for a mistake that
/// comes before it has asked, and a request that nobody takes for the end of the connection.
pub(super) struct Line<S> {
    stream: S,
    /// Who waits for the answer, until something was asked.
    unasked: Option<Option<Waker>>,
    /// The receiver takes no more. What it has said can still be read, and tells how it ends.
    is_deaf: bool,
    /// How much of it was read.
    read: usize,
}

impl<S> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Line { stream, unasked: Some(None), is_deaf: false, read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.unasked {
            Some(waiting) => {
                *waiting = Some(cx.waker().clone());
                Poll::Pending
            }
            None => {
                let before = buffer.filled().len();
                ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
                this.read += buffer.filled().len() - before;
                let is_flooded = this.read > MOST_READ;
                Poll::Ready(if is_flooded { Err(io::Error::other(Flooded)) } else { Ok(()) })
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match this.is_deaf {
            true => Ok(bytes.len()),
            false => ready!(Pin::new(&mut this.stream).poll_write(cx, bytes)),
        };
        if let Some(Some(waiting)) = this.unasked.take() {
            waiting.wake();
        }
        Poll::Ready(written.or_else(|_| {
            this.is_deaf = true;
            Ok(bytes.len())
        }))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_deaf && ready!(Pin::new(&mut this.stream).poll_flush(cx)).is_err() {
            this.is_deaf = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
