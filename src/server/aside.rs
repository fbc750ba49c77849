//! Calls that take long: files are read for them, or whole journals written. They go on beside the threads that answer
//! everything else, and no more of them at once than there are such threads, so that memory has a bound.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::Semaphore;
use tokio::task::block_in_place;

/// Room for calls that take long. It is never closed.
pub(crate) struct Aside(Semaphore);

impl Aside {
    /// As much as the runtime that this is called in has threads.
    pub(super) fn of_runtime() -> Self {
        Aside(Semaphore::new(tokio::runtime::Handle::current().metrics().num_workers()))
    }

    /// Does something once there is room.
    pub(super) async fn run<R>(&self, act: impl FnOnce() -> R) -> R {
        let _room = self.0.acquire().await;
        block_in_place(act)
    }

    /// Waits for what takes long each time it goes on, and takes no room while it waits itself.
    pub(super) async fn wait_for<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let room = self.0.acquire().await;
            let polled = poll_fn(|context| Poll::Ready(block_in_place(|| future.as_mut().poll(context)))).await;
            if let Poll::Ready(output) = polled {
                return output;
            }
            drop(room);
            // Who is polled next time was woken by what it waits for.
            let mut asked = false;
            poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// Until something that does not come is called missing.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
    }

    #[test]
    fn no_more_go_on_at_once_than_there_are_threads() {
        runtime().block_on(async {
            let aside = Arc::new(Aside::of_runtime());
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let calls: Vec<_> = (0..40)
                .map(|number| {
                    let (aside, now, most) = (Arc::clone(&aside), Arc::clone(&now), Arc::clone(&most));
                    let act = move || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        (0..200).for_each(|_| std::thread::yield_now());
                        now.fetch_sub(1, Ordering::SeqCst);
                    };
                    tokio::spawn(async move {
                        match number % 2 {
                            0 => aside.run(act).await,
                            _ => aside.wait_for(async { act() }).await,
                        }
                    })
                })
                .collect();
            for call in calls {
                call.await.unwrap();
            }
            assert_eq!(most.load(Ordering::SeqCst), 2);
        });
    }

    #[test]
    fn who_waits_for_something_else_takes_no_room() {
        runtime().block_on(async {
            let aside = Arc::new(Aside::of_runtime());
            let (mut tells, mut begins, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..3 {
                let ((tell, told), (begin, begun)) = (oneshot::channel::<()>(), oneshot::channel());
                let aside = Arc::clone(&aside);
                let call = async move {
                    begin.send(()).unwrap();
                    told.await
                };
                waiting.push(tokio::spawn(async move { aside.wait_for(call).await }));
                tells.push(tell);
                begins.push(begun);
            }
            for begun in begins {
                timeout(PATIENCE, begun).await.expect("there is room for each").unwrap();
            }
            assert_eq!(aside.run(|| 1).await, 1);
            tells.into_iter().for_each(|tell| tell.send(()).unwrap());
            for call in waiting {
                assert_eq!(call.await.unwrap(), Ok(()));
            }
        });
    }
}
