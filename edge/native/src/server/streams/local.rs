//! Runs HTTP/2's streams on the thread of their connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::Stream;

thread_local! {
    /// The stream whose task comes next: hyper asks the service for a future and hands its task over in one go.
    static NEXT: RefCell<Option<Rc<Stream>>> = const { RefCell::new(None) };
}

/// The next task that is executed is this stream's.
pub(super) fn next(stream: Rc<Stream>) {
    NEXT.with(|next| next.replace(Some(stream)));
}

#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        let Some(stream) = NEXT.with(RefCell::take) else {
            tokio::task::spawn_local(task);
            return;
        };
        tokio::task::spawn_local(async move {
            {
                let mut task = pin!(task);
                poll_fn(|cx| if stream.poll_cut(cx) { Poll::Ready(()) } else { task.as_mut().poll(cx) })
                    .await;
            }
            stream.task_ended();
        });
    }
}
