//! The way to a client: how long what is to be written may wait.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use levee::body::Pace;
use tokio::time::{Instant, Sleep};

use crate::server::places::{Busy, Held, Slot};

/// What is kept for a client on the way from an origin, beside what is to be written: hyper's buffers there, in bytes.
const UPSTREAM: usize = 128 << 10;

/// What a client counts for that reads out of the memory tier: those bytes are counted there, once for all who read them.
const SHARED: usize = 4 << 10;

/// Watches the writes to one client. As long as they go through it does nothing.
#[derive(Debug)]
pub(super) struct Outlet {
    pace: Pace,
    blocked: Option<Box<Blocked>>,
}

/// The client does not take what is there for it.
#[derive(Debug)]
struct Blocked {
    /// Since when it has not taken anything.
    since: Instant,
    /// All waits that are over, and what was taken after them.
    waited: Duration,
    bytes: u64,
    sleep: Pin<Box<Sleep>>,
    is_shared: bool,
    held: Held,
    _busy: Busy,
}

impl Outlet {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, blocked: None }
    }

    /// So many bytes were taken, and `left` are still to be written.
    pub(super) fn wrote(&mut self, bytes: usize, left: usize) {
        let Some(blocked) = &mut self.blocked else { return };
        if left == 0 {
            self.blocked = None;
        } else {
            blocked.took(bytes, left);
        }
    }

    /// The system takes nothing now, and `left` bytes are to be written, which are the memory tier's if `is_shared`. When the time is up `send` tries once more: a system
    /// tells that there is room again only when there is much, which a slow client may not make in time.
    ///
    /// # Errors
    /// The client is too slow.
    pub(super) fn poll_wait(
        &mut self,
        cx: &mut Context<'_>,
        slot: &Arc<Slot>,
        left: usize,
        is_shared: bool,
        send: impl Fn() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let pace = self.pace;
        let blocked = self.blocked.get_or_insert_with(|| Box::new(Blocked::new(slot, pace)));
        blocked.is_shared = is_shared;
        blocked.hold(left);
        while blocked.sleep.as_mut().poll(cx).is_ready() {
            let sent = match send() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if sent >= left && left > 0 {
                self.blocked = None;
                return Poll::Ready(Ok(sent));
            }
            if sent > 0 {
                blocked.took(sent, left - sent);
            }
            let time = blocked.left(pace);
            if time.is_zero() {
                return Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client reads too slowly")));
            }
            blocked.sleep.as_mut().reset(Instant::now() + time);
            if sent > 0 {
                return Poll::Ready(Ok(sent));
            }
        }
        Poll::Pending
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }
}

impl Blocked {
    fn new(slot: &Arc<Slot>, pace: Pace) -> Self {
        Self {
            since: Instant::now(),
            waited: Duration::ZERO,
            bytes: 0,
            sleep: Box::pin(tokio::time::sleep(pace.idle)),
            is_shared: false,
            held: slot.held(),
            _busy: slot.busy(),
        }
    }

    fn took(&mut self, bytes: usize, left: usize) {
        let now = Instant::now();
        self.waited += now - self.since;
        self.since = now;
        self.bytes += bytes as u64;
        self.hold(left);
    }

    fn hold(&mut self, left: usize) {
        self.held.set(if self.is_shared { SHARED } else { left + UPSTREAM });
    }

    /// How much longer it may wait.
    fn left(&self, pace: Pace) -> Duration {
        let waits = self.since.elapsed();
        pace.idle.saturating_sub(waits).min(pace.allowed(self.bytes).saturating_sub(self.waited + waits))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;

    use levee::Time;

    use super::*;
    use crate::server::places::{HELD, Places};

    const PACE: Pace = Pace { idle: Duration::from_secs(60), rate: 256 };

    /// After how long a client that takes `size` bytes each `every` is given up, if it is within an hour.
    async fn given_up(size: usize, every: Duration) -> Option<Duration> {
        let place = Places::new(1, HELD).enter(Time(0)).unwrap();
        let mut outlet = Outlet::new(PACE);
        let (start, taken) = (Instant::now(), Cell::new(0));
        // What it has taken by now, and has not been told to the writer.
        let send = || {
            let due = (start.elapsed().as_secs_f64() / every.as_secs_f64()) as usize * size;
            match due - taken.replace(due) {
                0 => Err(ErrorKind::WouldBlock.into()),
                bytes => Ok(bytes),
            }
        };
        while start.elapsed() < Duration::from_secs(3_600) {
            let waited = poll_fn(|cx| outlet.poll_wait(cx, place.slot(), 1 << 30, false, send)).await;
            if let Err(error) = waited {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                return Some(start.elapsed());
            }
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_given_up() {
        let after = given_up(0, Duration::from_secs(1)).await.unwrap();
        assert!((60..62).contains(&after.as_secs()), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_too_little_is_given_up() {
        let after = given_up(1_000, Duration::from_secs(20)).await.unwrap();
        assert!((60..130).contains(&after.as_secs()), "{after:?}");
        assert_eq!(given_up(10_000, Duration::from_secs(20)).await, None);
    }

    /// What is sent at the last moment is sent: nothing waits any more.
    #[tokio::test(start_paused = true)]
    async fn what_was_taken_unnoticed_ends_the_wait() {
        let place = Places::new(1, HELD).enter(Time(0)).unwrap();
        let mut outlet = Outlet::new(PACE);
        let sent = poll_fn(|cx| outlet.poll_wait(cx, place.slot(), 9, false, || Ok(9))).await;
        assert_eq!(sent.unwrap(), 9);
        assert!(!outlet.is_blocked() && place.slot().idle_since().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn only_waits_count() {
        let places = Places::new(1, HELD);
        let place = places.enter(Time(0)).unwrap();
        let mut outlet = Outlet::new(PACE);
        for _ in 0..100 {
            let never = || unreachable!();
            let pending =
                poll_fn(|cx| Poll::Ready(outlet.poll_wait(cx, place.slot(), 9, true, never).is_pending()))
                    .await;
            assert!(pending && outlet.is_blocked() && place.slot().idle_since().is_none());
            outlet.wrote(9, 0);
            assert!(!outlet.is_blocked() && place.slot().idle_since().is_some());
            tokio::time::sleep(Duration::from_secs(100)).await;
        }
    }
}
