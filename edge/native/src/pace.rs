//! The runtime's timers, for [`levee::body::Paced`].

use std::pin::Pin;
use std::time::Duration;

use levee::Time;
use levee::body::Timer;
use tokio::time::{Instant, Sleep};

/// Counts from when it was made, by a clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks(Instant);

impl Ticks {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Timer for Ticks {
    type Sleep = Pin<Box<Sleep>>;

    fn now(&self) -> Time {
        Time::from_millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        Box::pin(tokio::time::sleep(time))
    }
}
