//! The tasks of one thread that must not be cut off: connections, and work after a response.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::rc::Rc;

use futures_util::FutureExt;
use tokio::sync::{Notify, oneshot};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    running: Rc<Running>,
}

#[derive(Debug, Default)]
struct Running {
    count: Cell<usize>,
    none: Notify,
}

/// Counts a task until it ends, however it ends.
struct One(Rc<Running>);

impl Drop for One {
    fn drop(&mut self) {
        let left = self.0.count.get() - 1;
        self.0.count.set(left);
        if left == 0 {
            self.0.none.notify_waiters();
        }
    }
}

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.running.count.set(self.running.count.get() + 1);
        let one = One(self.running.clone());
        tokio::task::spawn_local(async move {
            let _one = one;
            task.await;
        });
    }

    /// Runs a task to its end, also where nobody waits for it any more.
    pub(crate) async fn detached<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> T {
        let (done, waiting) = oneshot::channel();
        self.spawn(async move {
            // Who waited may have gone.
            let _ = done.send(AssertUnwindSafe(task).catch_unwind().await);
        });
        match waiting.await {
            Ok(Ok(result)) => result,
            // It panicked as it would have done here.
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => std::future::pending().await,
        }
    }

    /// Resolves when no task is left.
    pub(crate) async fn ended(&self) {
        while self.running.count.get() > 0 {
            self.running.none.notified().await;
        }
    }
}
