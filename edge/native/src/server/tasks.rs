//! The tasks of one thread that must not be cut off: connections, and work after a response.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

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

    /// Resolves when no task is left.
    pub(crate) async fn ended(&self) {
        while self.running.count.get() > 0 {
            self.running.none.notified().await;
        }
    }
}
