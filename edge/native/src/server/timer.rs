//! A timer for what nearly never runs out: how long a client may take to send a request's head.
//!
//! hyper starts one before each request and drops it once the head is there. A timer of the runtime's takes a lock and reads the
//! clock each time; this one looks at the clock a few times within such a time, and only on a thread with someone to wait for. So it
//! runs out late, by at most a tick.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::rt::Sleep;
use slab::Slab;

/// The longest time between two looks at the clock.
const LONGEST: Duration = Duration::from_secs(1);

thread_local! {
    static CLOCK: Clock = const { Clock { now: Cell::new(None), sleepers: RefCell::new(Slab::new()) } };
}

/// One thread's.
struct Clock {
    /// As of the last tick; `None` where nobody looks at the clock, as nobody waits.
    now: Cell<Option<Instant>>,
    sleepers: RefCell<Slab<(Instant, Waker)>>,
}

impl Clock {
    /// Wakes whose time has come. Whether anyone is left to wait for.
    fn tick(&self) -> bool {
        let now = Instant::now();
        let (due, left) = {
            let sleepers = self.sleepers.borrow();
            let due = sleepers.iter().filter(|(_, (deadline, _))| *deadline <= now);
            (due.map(|(_, (_, waker))| waker.clone()).collect::<Vec<_>>(), !sleepers.is_empty())
        };
        self.now.set(left.then_some(now));
        due.into_iter().for_each(Waker::wake);
        left
    }
}

/// hyper's timer on a thread that serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coarse {
    tick: Duration,
}

impl Coarse {
    /// For times of about `typical`: looks at the clock eight times within it, and at least once a second.
    pub(super) fn new(typical: Duration) -> Self {
        Self { tick: (typical / 8).clamp(Duration::from_millis(1), LONGEST) }
    }

    fn start(self) {
        CLOCK.with(|clock| clock.now.set(Some(Instant::now())));
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(self.tick).await;
                if !CLOCK.with(Clock::tick) {
                    return;
                }
            }
        });
    }
}

impl hyper::rt::Timer for Coarse {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        // What has just been read of the clock may be a tick old.
        Box::pin(Until { timer: *self, deadline: deadline + self.tick, place: None })
    }

    fn now(&self) -> Instant {
        CLOCK.with(|clock| clock.now.get()).unwrap_or_else(Instant::now)
    }
}

struct Until {
    timer: Coarse,
    deadline: Instant,
    /// Among the thread's sleepers.
    place: Option<usize>,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        CLOCK.with(|clock| {
            if clock.now.get().is_some_and(|now| self.deadline <= now) {
                return Poll::Ready(());
            }
            let mut sleepers = clock.sleepers.borrow_mut();
            match self.place.and_then(|place| sleepers.get_mut(place)) {
                Some((_, waker)) => waker.clone_from(cx.waker()),
                None => self.place = Some(sleepers.insert((self.deadline, cx.waker().clone()))),
            }
            drop(sleepers);
            if clock.now.get().is_none() {
                self.timer.start();
            }
            Poll::Pending
        })
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        // At the thread's own end the clock may be gone before its connections.
        let _ = CLOCK.try_with(|clock| clock.sleepers.borrow_mut().try_remove(place));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use hyper::rt::Timer as _;
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn it_runs_out_late_but_never_early() {
        let (timer, time) = (Coarse::new(Duration::from_millis(80)), Duration::from_millis(80));
        LocalSet::new()
            .run_until(async {
                for _ in 0..2 {
                    let began = Instant::now();
                    timer.sleep(time).await;
                    assert!(began.elapsed() >= time);
                    // Nobody is left: the clock stands still, and is started again by the next.
                    tokio::time::sleep(timer.tick * 3).await;
                    assert!(
                        CLOCK.with(|clock| clock.now.get().is_none() && clock.sleepers.borrow().is_empty())
                    );
                }
            })
            .await;
    }

    #[tokio::test]
    async fn who_does_not_wait_any_more_is_forgotten() {
        let timer = Coarse::new(Duration::from_secs(30));
        LocalSet::new()
            .run_until(async {
                let mut sleep = timer.sleep(Duration::from_secs(30));
                for _ in 0..2 {
                    assert_eq!((&mut sleep).now_or_never(), None);
                }
                assert_eq!(CLOCK.with(|clock| clock.sleepers.borrow().len()), 1);
                drop(sleep);
                assert!(CLOCK.with(|clock| clock.sleepers.borrow().is_empty()));
            })
            .await;
    }
}
