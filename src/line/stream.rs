//! A connection to somebody who is called, as hyper is to see it.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More came than is read.
#[derive(Debug)]
pub(crate) struct Flooded;

impl fmt::Display for Flooded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more came than is read")
    }
}

impl Error for Flooded {}

impl Flooded {
    /// Whether hyper's error comes from it.
    pub(crate) fn is_cause_of(error: &dyn Error) -> bool {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        cause.and_then(io::Error::get_ref).is_some_and(|cause| cause.is::<Flooded>())
    }
}

/// How much was read of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<AtomicUsize>);

impl Meter {
    pub(crate) fn read(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts from nothing, as for the next answer on a line that stays.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Whoever is called may answer before reading the request, or without reading it. hyper takes an answer for a mistake that
/// comes before it has asked, and a request that nobody takes for the end of the connection.
pub(crate) struct Line<S> {
    stream: S,
    /// Who waits for the answer, until something was asked.
    unasked: Option<Option<Waker>>,
    /// The other side takes no more. What it has said can still be read, and tells how it ends.
    is_deaf: bool,
    meter: Meter,
    /// The most that is read. Heads and bodies have bounds of their own; what stands between them, such as interim answers
    /// and the sizes of chunks, has this one alone.
    most: usize,
}

impl<S> Line<S> {
    pub(crate) fn new(stream: S, most: usize) -> Self {
        Line { stream, unasked: Some(None), is_deaf: false, meter: Meter::default(), most }
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
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
                let came = buffer.filled().len() - before;
                let is_flooded = this.meter.0.fetch_add(came, Ordering::Relaxed) + came > this.most;
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
