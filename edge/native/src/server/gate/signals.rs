//! What the gate and the service of one connection tell each other.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::Fault;
use crate::body::Intake;

/// Both run on the same thread, but hyper wants what it reads from to be `Send`.
#[derive(Debug, Default)]
pub(in crate::server) struct Signals {
    /// Requests whose heads have passed.
    requests: AtomicU32,
    /// The number of the one that stands in for a request that is refused; 0: none.
    refused: AtomicU32,
    fault: Mutex<Option<Fault>>,
    /// All that the client has sent are whole requests.
    at_rest: AtomicBool,
    /// The client knows by the connection's end alone where the response ends.
    ends_by_close: AtomicBool,
    intake: Arc<Intake>,
    /// The response's body is the memory tier's.
    shared: AtomicBool,
    /// The client does not take what is there for it.
    blocked: AtomicBool,
    writer: AtomicWaker,
    switched: AtomicU8,
    reader: AtomicWaker,
}

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

impl Signals {
    pub(in crate::server) fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_first_request(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }

    /// The next request stands in for one that is refused.
    pub(super) fn refuse(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        self.refused.store(self.requests.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Why the request with this number, counted from one, is refused, if it is.
    pub(in crate::server) fn refused(&self, number: u32) -> Option<Fault> {
        if self.refused.load(Ordering::Relaxed) != number {
            return None;
        }
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rest(&self, is_at_rest: bool) {
        self.at_rest.store(is_at_rest, Ordering::Relaxed);
    }

    pub(in crate::server) fn is_at_rest(&self) -> bool {
        self.at_rest.load(Ordering::Relaxed)
    }

    pub(in crate::server) fn ends_by_close(&self) {
        self.ends_by_close.store(true, Ordering::Relaxed);
    }

    pub(in crate::server) fn is_ended_by_close(&self) -> bool {
        self.ends_by_close.load(Ordering::Relaxed)
    }

    /// A response begins; `is_shared`: its body is the memory tier's.
    pub(in crate::server) fn share(&self, is_shared: bool) {
        self.shared.store(is_shared, Ordering::Relaxed);
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    pub(super) fn block(&self, is_blocked: bool) {
        if self.blocked.swap(is_blocked, Ordering::Relaxed) && !is_blocked {
            self.writer.wake();
        }
    }

    /// Whether the client takes what is there for it.
    pub(in crate::server) fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        self.writer.register(cx.waker());
        Poll::Pending
    }

    /// The answer to a request that may switch protocols is known.
    pub(in crate::server) fn switch(&self, has_switched: bool) {
        self.switched.store(if has_switched { YES } else { NO }, Ordering::Relaxed);
        self.reader.wake();
    }

    pub(super) fn poll_switched(&self, cx: &Context<'_>) -> Poll<bool> {
        self.reader.register(cx.waker());
        match self.switched.swap(UNKNOWN, Ordering::Relaxed) {
            UNKNOWN => Poll::Pending,
            known => Poll::Ready(known == YES),
        }
    }
}
