//! One request and its response, until the last byte has left.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use levee::body::Pace;
use tokio::time::Instant;

use crate::server::places::{Busy, Held, Slot};

/// What is known of it. It lives until its response has left, or has been given up.
#[derive(Debug)]
pub(in crate::server) struct Stream {
    /// Bytes that HTTP/2 has and the client has not taken.
    waiting: Cell<usize>,
    /// Since when it has taken nothing of them.
    since: Cell<Instant>,
    /// All waits that are over, and what was taken after them.
    waited: Cell<Duration>,
    taken: Cell<u64>,
    /// Whether hyper still works on it.
    has_task: Cell<bool>,
    is_cut: Cell<bool>,
    task: RefCell<Option<Waker>>,
    /// Bytes that it counts for beside what waits.
    base: Cell<usize>,
    held: RefCell<Held>,
    _busy: Busy,
}

impl Stream {
    /// `base`: the bytes that it counts for.
    pub(super) fn new(slot: &Arc<Slot>, base: usize) -> Self {
        let mut held = slot.held();
        held.set(base);
        Self {
            waiting: Cell::new(0),
            since: Cell::new(Instant::now()),
            waited: Cell::default(),
            taken: Cell::new(0),
            has_task: Cell::new(true),
            is_cut: Cell::new(false),
            task: RefCell::new(None),
            base: Cell::new(base),
            held: RefCell::new(held),
            _busy: slot.busy(),
        }
    }

    /// The response has begun: from here on it counts for `base` bytes, and what waits.
    pub(super) fn answered(&self, base: usize) {
        self.base.set(base);
        self.held.borrow_mut().set(base);
    }

    /// HTTP/2 has so many bytes more, which keep `kept` bytes in memory.
    pub(super) fn hand_over(&self, bytes: usize, kept: usize) {
        if self.waiting.replace(self.waiting.get() + bytes) == 0 {
            self.since.set(Instant::now());
        }
        self.held.borrow_mut().set(self.base.get() + kept);
    }

    /// So many bytes have left, or are given up.
    pub(super) fn took(&self, bytes: usize) {
        let now = Instant::now();
        self.waiting.set(self.waiting.get().saturating_sub(bytes));
        self.waited.set(self.waited.get() + (now - self.since.replace(now)));
        self.taken.set(self.taken.get() + bytes as u64);
    }

    /// Whether the client has left it unread for too long.
    pub(super) fn is_stalled(&self, pace: Pace) -> bool {
        if self.waiting.get() == 0 {
            return false;
        }
        let waits = self.since.get().elapsed();
        waits >= pace.idle || self.waited.get() + waits >= pace.allowed(self.taken.get())
    }

    /// Ends hyper's work on it, which resets the stream. `false`: hyper has nothing to do with it any more.
    pub(super) fn cut(&self) -> bool {
        self.is_cut.set(true);
        if let Some(task) = self.task.take() {
            task.wake();
        }
        self.has_task.get()
    }

    /// Whether hyper is to end its work on it; where not, the task of `cx` is woken when it is.
    pub(super) fn poll_cut(&self, cx: &Context<'_>) -> bool {
        let mut task = self.task.borrow_mut();
        match &mut *task {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *task = Some(cx.waker().clone()),
        }
        self.is_cut.get()
    }

    pub(super) fn task_ended(&self) {
        self.has_task.set(false);
    }
}
