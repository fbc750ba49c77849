//! The connection to a receiver, as hyper is to see it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Receivers may answer before they have read the request, or without reading it. hyper takes an answer for a mistake that
/// comes before it has asked, and a request that nobody takes for the end of the connection.
pub(super) struct Line<S> {
    stream: S,
    /// Who waits for the answer, until something was asked.
    unasked: Option<Option<Waker>>,
    /// The receiver takes no more. What it has said can still be read, and tells how it ends.
    is_deaf: bool,
}

impl<S> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Line { stream, unasked: Some(None), is_deaf: false }
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
            None => Pin::new(&mut this.stream).poll_read(cx, buffer),
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
