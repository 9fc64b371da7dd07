//! Looks now and then whether the client of a connection reads, and whether it wants anything.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use levee::body::Pace;
use tokio::time::{Instant, Sleep};

use super::Stream;

/// The streams of one connection that are not done with.
#[derive(Debug)]
pub(in crate::server) struct Open {
    pace: Pace,
    /// How long a connection may have none.
    idle: Duration,
    streams: RefCell<Vec<Weak<Stream>>>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Verdict {
    Fine,
    /// The client has wanted nothing for long enough.
    Over,
    /// It does not read, and only the connection's end helps.
    Stalled,
}

impl Open {
    pub(in crate::server) fn new(pace: Pace, idle: Duration) -> Self {
        Self { pace, idle, streams: RefCell::default() }
    }

    pub(super) fn add(&self, stream: &Rc<Stream>) {
        let mut streams = self.streams.borrow_mut();
        if streams.len() == streams.capacity() {
            streams.retain(|stream| stream.strong_count() > 0);
        }
        streams.push(Rc::downgrade(stream));
    }

    /// The looks, as often as the times that are waited for ask for.
    pub(in crate::server) fn check(self: &Rc<Self>) -> Check {
        let period =
            (self.pace.idle.min(self.idle) / 8).clamp(Duration::from_millis(1), Duration::from_secs(2));
        let sleep = Box::pin(tokio::time::sleep(period));
        Check { open: self.clone(), period, sleep, quiet_since: Instant::now() }
    }

    /// Resets the streams that stand still.
    fn look(&self) -> (bool, Verdict) {
        let mut streams = self.streams.borrow_mut();
        streams.retain(|stream| stream.strong_count() > 0);
        let mut verdict = Verdict::Fine;
        for stream in streams.iter().filter_map(Weak::upgrade) {
            if stream.is_stalled(self.pace) && !stream.cut() {
                verdict = Verdict::Stalled;
            }
        }
        (streams.is_empty(), verdict)
    }
}

#[derive(Debug)]
pub(in crate::server) struct Check {
    open: Rc<Open>,
    period: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Since when there has been no stream, as of the last look.
    quiet_since: Instant,
}

impl Check {
    /// To be polled with the connection. [`Verdict::Over`] is found once, and [`Verdict::Stalled`] if the client then stays.
    pub(in crate::server) fn poll(&mut self, cx: &mut Context<'_>) -> Verdict {
        let mut verdict = Verdict::Fine;
        while let Poll::Ready(()) = self.sleep.as_mut().poll(cx) {
            let now = Instant::now();
            self.sleep.as_mut().reset(now + self.period);
            let (is_quiet, found) = self.open.look();
            if !is_quiet {
                self.quiet_since = now;
            }
            verdict = match now - self.quiet_since {
                _ if found == Verdict::Stalled => found,
                quiet if quiet >= 2 * self.open.idle => Verdict::Stalled,
                quiet if quiet >= self.open.idle => Verdict::Over,
                _ => Verdict::Fine,
            };
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use levee::Time;

    use super::*;
    use crate::server::places::{HELD, Places};

    const PACE: Pace = Pace { idle: Duration::from_secs(60), rate: 256 };

    /// The next that is not fine, and after how long.
    async fn next(check: &mut Check) -> (Verdict, u64) {
        let start = Instant::now();
        let verdict = poll_fn(|cx| match check.poll(cx) {
            Verdict::Fine => Poll::Pending,
            verdict => Poll::Ready(verdict),
        });
        (verdict.await, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_wants_nothing_is_asked_to_go() {
        let open = Rc::new(Open::new(PACE, Duration::from_secs(30)));
        let mut check = open.check();
        let (verdict, after) = next(&mut check).await;
        assert_eq!(verdict, Verdict::Over);
        assert!((30..34).contains(&after), "{after}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_stands_still_is_reset_or_ends_the_connection() {
        let place = Places::new(1, HELD).enter(Time(0)).unwrap();
        for has_task in [true, false] {
            let open = Rc::new(Open::new(PACE, Duration::from_secs(30)));
            let stream = Rc::new(Stream::new(place.slot(), 1));
            open.add(&stream);
            stream.hand_over(1_000, 1_000);
            if !has_task {
                stream.task_ended();
            }
            let cut = async {
                let start = Instant::now();
                poll_fn(|cx| if stream.poll_cut(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
                start.elapsed().as_secs()
            };
            let mut check = open.check();
            if has_task {
                let cut = tokio::select! {
                    cut = cut => cut,
                    other = next(&mut check) => panic!("{other:?}"),
                };
                assert!((60..64).contains(&cut), "{cut}");
            } else {
                let (verdict, after) = next(&mut check).await;
                assert_eq!(verdict, Verdict::Stalled);
                assert!((60..64).contains(&after), "{after}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_is_let_be() {
        let place = Places::new(1, HELD).enter(Time(0)).unwrap();
        let stream = Rc::new(Stream::new(place.slot(), 1));
        for _ in 0..100 {
            stream.hand_over(20_000, 20_000);
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert!(!stream.is_stalled(PACE));
            stream.took(20_000);
            // Nothing waits: nothing counts.
            tokio::time::sleep(Duration::from_secs(300)).await;
            assert!(!stream.is_stalled(PACE));
        }
        stream.hand_over(20_000, 20_000);
        for _ in 0..10_000 {
            tokio::time::sleep(Duration::from_secs(50)).await;
            stream.took(1);
            if stream.is_stalled(PACE) {
                return;
            }
        }
        panic!("a byte a minute is no pace");
    }
}
