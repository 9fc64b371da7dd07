//! How slowly a stream of bytes may come.
//!
//! Only time in which somebody waits for the stream counts: a reader that pauses makes no stream slow.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use crate::platform::Deadlines;
use crate::time::Time;

/// A platform's clock and timers, as [`Paced`] needs them.
pub trait Timer {
    type Sleep: Future<Output = ()> + Unpin;

    fn now(&self) -> Time;

    fn sleep(&self, time: Duration) -> Self::Sleep;
}

/// The slowest that a stream may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest wait for one chunk.
    pub idle: Duration,
    /// The least bytes a second, on average, once the waits together exceed `idle`. Zero: any rate will do.
    pub rate: u64,
}

impl Pace {
    /// Of a body that others wait for.
    pub const fn of(deadlines: &Deadlines) -> Self {
        Self { idle: deadlines.idle, rate: deadlines.rate }
    }

    /// Of a body that one client waits for, and that may be as slow as its sender likes: an event stream.
    pub const fn idle_only(deadlines: &Deadlines) -> Self {
        Self { idle: deadlines.idle, rate: 0 }
    }

    /// How long all waits together may be for so many bytes.
    pub fn allowed(&self, bytes: u64) -> Duration {
        match bytes.saturating_mul(1_000).checked_div(self.rate) {
            Some(millis) => Duration::from_millis(millis).max(self.idle),
            None => Duration::MAX,
        }
    }
}

/// A stream that breaks off when it is slower than its [`Pace`].
pub struct Paced<S, T: Timer, E> {
    /// `None` once it has ended or has been given up.
    stream: Option<S>,
    timer: T,
    pace: Pace,
    /// What a stream that is too slow breaks off with.
    too_slow: fn() -> E,
    bytes: u64,
    /// All waits that are over.
    waited: Duration,
    /// When the present one began.
    since: Option<Time>,
    sleep: Option<T::Sleep>,
}

impl<S, T: Timer, E> Paced<S, T, E> {
    pub fn new(stream: S, timer: T, pace: Pace, too_slow: fn() -> E) -> Self {
        let (stream, waited) = (Some(stream), Duration::ZERO);
        Self { stream, timer, pace, too_slow, bytes: 0, waited, since: None, sleep: None }
    }

    /// What it breaks off at from now on: others have begun to wait for it, say.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.sleep = None;
    }

    /// What is left of the present wait.
    fn left(&self, since: Time) -> Duration {
        let waits = self.timer.now().since(since);
        let idle = self.pace.idle.saturating_sub(waits);
        idle.min(self.pace.allowed(self.bytes).saturating_sub(self.waited + waits))
    }

    /// Whether the time is up; where not, the task is woken when it may be.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        let since = match self.since {
            Some(since) => since,
            None => *self.since.insert(self.timer.now()),
        };
        loop {
            // One timer serves many waits: it is only started anew once it has run out.
            if let Some(sleep) = &mut self.sleep {
                if Pin::new(sleep).poll(cx).is_pending() {
                    return false;
                }
                self.sleep = None;
            }
            let left = self.left(since);
            if left.is_zero() {
                return true;
            }
            self.sleep = Some(self.timer.sleep(left));
        }
    }
}

impl<S, T, E> Stream for Paced<S, T, E>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    T: Timer + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
        if let Poll::Ready(chunk) = Pin::new(stream).poll_next(cx) {
            if let Some(since) = this.since.take() {
                this.waited += this.timer.now().since(since);
            }
            match &chunk {
                Some(Ok(bytes)) => this.bytes += bytes.len() as u64,
                _ => this.stream = None,
            }
            return Poll::Ready(chunk);
        }
        if this.poll_too_slow(cx) {
            this.stream = None;
            return Poll::Ready(Some(Err((this.too_slow)())));
        }
        Poll::Pending
    }
}

impl<S, T: Timer, E> std::fmt::Debug for Paced<S, T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paced").field("pace", &self.pace).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::task::Waker;

    use super::*;

    /// A clock that is set, and the end of the timer that was started last.
    #[derive(Clone, Default)]
    struct Virtual(Rc<Cell<Time>>);

    struct Sleep(Virtual, Time);

    impl Future for Sleep {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if self.0.0.get() >= self.1 { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    impl Timer for Virtual {
        type Sleep = Sleep;

        fn now(&self) -> Time {
            self.0.get()
        }

        fn sleep(&self, time: Duration) -> Sleep {
            Sleep(self.clone(), self.0.get() + time)
        }
    }

    /// So many bytes each so many milliseconds, for ever; `read` waits for one chunk.
    struct Trickle {
        clock: Virtual,
        every: u64,
        size: usize,
        next: Time,
    }

    impl Stream for Trickle {
        type Item = Result<Bytes, &'static str>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if self.clock.0.get() < self.next {
                return Poll::Pending;
            }
            self.next = self.clock.0.get() + Duration::from_millis(self.every);
            Poll::Ready(Some(Ok(Bytes::from(vec![0; self.size]))))
        }
    }

    /// The milliseconds after which a trickle breaks off, if it does within ten minutes; the reader pauses after each chunk.
    fn breaks_off_after(every: u64, size: usize, pace: Pace, pause: u64) -> Option<u64> {
        let clock = Virtual::default();
        let trickle = Trickle { clock: clock.clone(), every, size, next: Time(every) };
        let mut paced = Paced::new(trickle, clock.clone(), pace, || "too slow");
        let mut cx = Context::from_waker(Waker::noop());
        while clock.0.get().0 < 600_000 {
            match Pin::new(&mut paced).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(_))) => clock.0.set(clock.0.get() + Duration::from_millis(pause)),
                Poll::Ready(Some(Err(_))) => return Some(clock.0.get().0),
                Poll::Ready(None) => panic!("it never ends by itself"),
                Poll::Pending => clock.0.set(clock.0.get() + Duration::from_millis(100)),
            }
        }
        None
    }

    const PACE: Pace = Pace { idle: Duration::from_secs(10), rate: 100 };

    #[test]
    fn a_stream_that_is_silent_for_too_long_breaks_off() {
        assert_eq!(breaks_off_after(10_100, 10_000, PACE, 0), Some(10_000));
        assert_eq!(breaks_off_after(9_900, 10_000, PACE, 0), None);
    }

    #[test]
    fn a_trickle_breaks_off_once_it_has_been_one_for_long_enough() {
        assert_eq!(breaks_off_after(1_000, 200, PACE, 0), None);
        let after = breaks_off_after(1_000, 50, PACE, 0);
        assert!(after.is_some_and(|after| (10_000..=12_000).contains(&after)), "{after:?}");
        let any_rate = Pace { rate: 0, ..PACE };
        assert_eq!(breaks_off_after(9_000, 1, any_rate, 0), None);
    }

    #[test]
    fn a_pace_may_be_set_on_the_way() {
        let clock = Virtual::default();
        let trickle = Trickle { clock: clock.clone(), every: 9_000, size: 1, next: Time(9_000) };
        let mut paced = Paced::new(trickle, clock.clone(), Pace { rate: 0, ..PACE }, || "too slow");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut paced).poll_next(&mut cx).is_pending());
        clock.0.set(Time(5_000));
        paced.set_pace(Pace { idle: Duration::from_secs(6), rate: 0 });
        assert!(Pin::new(&mut paced).poll_next(&mut cx).is_pending());
        clock.0.set(Time(6_000));
        assert_eq!(Pin::new(&mut paced).poll_next(&mut cx), Poll::Ready(Some(Err("too slow"))));
    }

    #[test]
    fn a_reader_that_pauses_makes_no_stream_slow() {
        assert_eq!(breaks_off_after(500, 60, PACE, 30_000), None);
    }
}
