//! Waits that have an end: the runtime's clock and timers, for bodies that are read and for bodies that are written.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use levee::Time;
use levee::body::{Pace, Timer};
use levee::config::Limits;

/// What each client's body is held to.
pub(crate) fn of_clients(limits: &Limits) -> Pace {
    Pace { idle: limits.body_idle, rate: limits.body_rate.into() }
}

/// What is held to a pace, for as long as that matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Set, time stands still: the slowness of what is no longer waited for is nobody's concern.
    stopped: Rc<Cell<bool>>,
}

impl Clock {
    /// Stops it when what is returned is dropped.
    pub(crate) fn until_dropped(self) -> Stop {
        Stop(self)
    }
}

/// Stops a clock.
#[derive(Debug)]
pub(crate) struct Stop(Clock);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stopped.set(true);
    }
}

/// A timer of the runtime, or of a clock that stands still.
pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()>>>;

impl Timer for Clock {
    type Sleep = Sleep;

    fn now(&self) -> Time {
        if self.stopped.get() { Time::default() } else { now() }
    }

    fn sleep(&self, time: Duration) -> Sleep {
        if self.stopped.get() { Box::pin(std::future::pending()) } else { sleep(time) }
    }
}

/// Milliseconds since some moment; unlike the time of day it never jumps.
fn now() -> Time {
    Time::from_millis(spin_sdk::wasip3::clocks::monotonic_clock::now() / 1_000_000)
}

pub(crate) fn sleep(time: Duration) -> Sleep {
    Box::pin(spin_sdk::time::sleep(time))
}

/// How long a reader may take for a part of what is written to it. One timer serves many parts.
pub(crate) struct Patience {
    idle: Duration,
    since: Option<Time>,
    sleep: Option<Sleep>,
}

impl Patience {
    pub(crate) fn new(idle: Duration) -> Self {
        Self { idle, since: None, sleep: None }
    }

    /// The reader has taken a part.
    pub(crate) fn renew(&mut self) {
        self.since = None;
    }

    /// Ready when it is at an end. Only time in which this is asked counts.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(now);
        loop {
            if let Some(sleep) = &mut self.sleep {
                std::task::ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
            }
            let left = self.idle.saturating_sub(now().since(since));
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.sleep = Some(sleep(left));
        }
    }
}
