//! Tells the connections of one thread that the server stops.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// One thread's signal.
#[derive(Clone, Debug, Default)]
pub(super) struct Drain {
    begun: Rc<Cell<bool>>,
    all: Arc<Notify>,
}

impl Drain {
    pub(super) fn begin(&self) {
        self.begun.set(true);
        self.all.notify_waiters();
    }

    pub(super) fn watch(&self) -> Watch {
        let wake = Box::pin(self.all.clone().notified_owned());
        Watch { begun: self.begun.clone(), wake, registered: false }
    }
}

/// One connection's view. It costs a look at a flag each time the connection is polled: its task is registered once.
#[derive(Debug)]
pub(super) struct Watch {
    begun: Rc<Cell<bool>>,
    wake: Pin<Box<OwnedNotified>>,
    registered: bool,
}

impl Watch {
    /// Whether the server stops. Where not, the task that asked first is woken once it does.
    pub(super) fn has_begun(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.registered && !self.begun.get() {
            self.registered = true;
            return self.wake.as_mut().poll(cx).is_ready();
        }
        self.begun.get()
    }
}
