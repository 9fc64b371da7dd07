//! What is known of one connection, wherever it is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Waker};

use futures_util::task::AtomicWaker;
use levee::Time;

use super::Places;

/// Written by the connection's own thread, read by whoever needs room.
#[derive(Debug)]
pub(in crate::server) struct Slot {
    pub(super) places: Arc<Places>,
    /// Requests that are not done with.
    requests: AtomicU32,
    /// When the last one came or was done with, in milliseconds.
    since: AtomicU64,
    /// Bytes that the client makes the server hold; with [`ENDED`], what they were when it was told to go because of them.
    held: AtomicUsize,
    /// When they last changed, in milliseconds.
    changed: AtomicU64,
    told: AtomicU8,
    /// It has been idle for a while: what it needs only for requests can go.
    doze: AtomicBool,
    waker: AtomicWaker,
}

const ENDED: usize = 1 << (usize::BITS - 1);

/// How a connection was told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Unless a request has come meanwhile.
    IfIdle,
    Now,
}

const IF_IDLE: u8 = 1;
const NOW: u8 = 2;

impl Slot {
    pub(super) fn new(places: Arc<Places>, now: Time) -> Self {
        Self {
            places,
            requests: AtomicU32::new(0),
            since: AtomicU64::new(now.0),
            held: AtomicUsize::new(0),
            changed: AtomicU64::new(now.0),
            told: AtomicU8::new(0),
            doze: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    /// A request that is not done with.
    pub(in crate::server) fn busy(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// A count of bytes that this client makes the server hold: nothing so far.
    pub(in crate::server) fn held(self: &Arc<Self>) -> Held {
        Held { slot: self.clone(), bytes: 0 }
    }

    /// After it was told to go: whether it is to go at once. One that is not idle any more stays.
    pub(in crate::server) fn must_go(&self) -> bool {
        match self.told() {
            None => false,
            Some(Leaves::Now) => true,
            Some(Leaves::IfIdle) => {
                let is_idle = self.is_idle();
                if !is_idle && self.stay() {
                    self.places.lock().leaving -= 1;
                }
                is_idle
            }
        }
    }

    /// A request was answered at once.
    pub(in crate::server) fn touch(&self, now: Time) {
        self.since.store(now.0, Ordering::Relaxed);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }

    /// Since when nothing has been asked of the server here; `None` where a request is under way, or it was told to go.
    pub(in crate::server) fn idle_since(&self) -> Option<Time> {
        let is_free = self.is_idle() && self.told().is_none();
        is_free.then(|| Time(self.since.load(Ordering::Relaxed)))
    }

    /// It has been idle for a while.
    pub(super) fn doze(&self) {
        self.doze.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether it is idle, and has been for a while, which is told once; in a crowd, at once.
    pub(in crate::server) fn is_to_doze(&self) -> bool {
        let may = self.doze.load(Ordering::Relaxed) && self.doze.swap(false, Ordering::Relaxed);
        (may || self.places.is_crowded()) && self.is_idle()
    }

    /// Whether it was told to go. Where not, the task of `cx` is woken when it is, if this was its first question.
    pub(in crate::server) fn poll_told(&self, cx: &Context<'_>, is_first: bool) -> bool {
        if is_first {
            self.waker.register(cx.waker());
        }
        self.told.load(Ordering::Relaxed) != 0
    }

    pub(super) fn told(&self) -> Option<Leaves> {
        match self.told.load(Ordering::Relaxed) {
            0 => None,
            IF_IDLE => Some(Leaves::IfIdle),
            _ => Some(Leaves::Now),
        }
    }

    /// Tells it to go. Whether it had not been told before.
    pub(super) fn leave(&self, how: Leaves) -> bool {
        let before = match how {
            Leaves::IfIdle => {
                let told = self.told.compare_exchange(0, IF_IDLE, Ordering::Relaxed, Ordering::Relaxed);
                told.unwrap_or_else(|before| before)
            }
            Leaves::Now => self.told.swap(NOW, Ordering::Relaxed),
        };
        self.wake();
        before == 0
    }

    /// Wakes its task, which is not asked to register anew.
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake_by_ref();
            self.waker.register(&waker);
        }
    }

    /// It has become busy since it was told to go if it is idle. Whether it stays.
    fn stay(&self) -> bool {
        self.told.compare_exchange(IF_IDLE, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Who waits for the connection now, where that is no longer the task that asked first.
    pub(in crate::server) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Changes what is held. Whether that counts: it does not any more once the connection has been told to go.
    pub(super) fn hold(&self, change: impl Fn(usize) -> usize, now: Time) -> bool {
        self.changed.store(now.0, Ordering::Relaxed);
        let change = |held| (held & ENDED == 0).then(|| change(held));
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }

    /// Bytes times the milliseconds for which nothing has moved.
    pub(super) fn weight(&self, now: Time) -> u64 {
        match self.held.load(Ordering::Relaxed) {
            held if held & ENDED != 0 => 0,
            held => {
                (held as u64).saturating_mul(1 + now.0.saturating_sub(self.changed.load(Ordering::Relaxed)))
            }
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.held.load(Ordering::Relaxed) & ENDED != 0
    }

    /// What is held, for the last time: from now on it does not change.
    pub(super) fn end(&self) -> usize {
        self.held.fetch_or(ENDED, Ordering::Relaxed) & !ENDED
    }
}

/// A request that is not done with: its answer has not left yet.
#[derive(Debug)]
pub(in crate::server) struct Busy(Arc<Slot>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.touch(crate::platform::now());
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that a client makes the server hold, until dropped.
#[derive(Debug)]
pub(in crate::server) struct Held {
    slot: Arc<Slot>,
    bytes: usize,
}

impl Held {
    pub(in crate::server) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all clients together make the server hold more than they may. Somebody has been told to go, and goes soon.
    pub(in crate::server) fn is_too_much(&self) -> bool {
        self.slot.places.is_over()
    }

    pub(in crate::server) fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            let before = std::mem::replace(&mut self.bytes, bytes);
            self.slot.places.hold(&self.slot, before, bytes);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}
