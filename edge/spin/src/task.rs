//! Work beside a request, within its component-model task.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use levee::Time;
use spin_sdk::wasip3::wit_bindgen::StreamWriter;

thread_local! {
    static SPAWNED: Cell<bool> = const { Cell::new(false) };
    /// What the clock showed in this turn, if it is a turn in which time may stand still.
    static CLOCK: Cell<Turn> = const { Cell::new(Turn::None) };
}

#[derive(Clone, Copy)]
enum Turn {
    /// Nothing of a request is at work.
    None,
    Begun,
    At(Time),
}

/// What `clock` showed when it was first asked in this turn of a request's work.
pub(crate) fn while_it_works(clock: impl Fn() -> Time) -> Time {
    match CLOCK.get() {
        Turn::At(time) => time,
        Turn::None => clock(),
        Turn::Begun => {
            let time = clock();
            CLOCK.set(Turn::At(time));
            time
        }
    }
}

/// Runs `work` to its end beside the request that spawns it, also after its response.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    SPAWNED.set(true);
    spin_sdk::wasip3::spawn(attentive(work));
}

/// `work`, polled again at once when it has spawned something and waits: what is spawned is otherwise polled only when
/// something else happens to the task, and may be what has to happen first.
pub(crate) async fn attentive<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        CLOCK.set(Turn::Begun);
        let polled = work.as_mut().poll(cx);
        CLOCK.set(Turn::None);
        if SPAWNED.replace(false) && polled.is_pending() {
            cx.waker().wake_by_ref();
        }
        polled
    })
    .await
}

/// `work` that another request brings forward. Each request is a component-model task of its own, which only events of the
/// component model wake: a Rust waker that is called from another one is a panic. So what is woken here is a bell, and its rope
/// is a stream that ends.
pub(crate) async fn woken_by_others<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        let (rope, mut bell) = spin_sdk::wasip3::wit_stream::new::<u8>();
        let waker = Waker::from(Arc::new(Rope(Mutex::new(Some(rope)))));
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        bell.read(Vec::with_capacity(1)).await;
    }
}

/// Pulled once.
struct Rope(Mutex<Option<StreamWriter<u8>>>);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_still_within_a_turn_and_not_between() {
        let shown = Cell::new(0);
        let clock = || {
            shown.set(shown.get() + 1);
            Time(shown.get())
        };
        let mut turns = 0;
        let work = poll_fn(|_| {
            turns += 1;
            let asked = (while_it_works(clock), while_it_works(clock));
            assert_eq!(asked, (Time(turns), Time(turns)));
            if turns == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        let mut work = pin!(attentive(work));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(&mut cx).is_pending());
        assert!(work.as_mut().poll(&mut cx).is_ready());
        assert_ne!(while_it_works(clock), while_it_works(clock), "outside it moves");
    }
}
