//! Runs futures under a virtual clock.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::time::Time;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Tasks and timers. Every task is polled again and again; when a while of that has brought nothing, time jumps to the
/// next timer.
#[derive(Clone, Default)]
pub(super) struct Executor(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Time>,
    tasks: RefCell<Vec<Task>>,
    timers: RefCell<Vec<Time>>,
}

/// Rounds of polling after which nothing more can happen at one moment: longer than any chain of tasks in a test.
const ROUNDS: usize = 64;

impl Executor {
    pub(super) fn now(&self) -> Time {
        self.0.now.get()
    }

    pub(super) fn set(&self, now: Time) {
        self.0.now.set(now);
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.tasks.borrow_mut().push(Box::pin(task));
    }

    /// Waits until the clock shows `until`.
    pub(super) async fn sleep_until(&self, until: Time) {
        self.0.timers.borrow_mut().push(until);
        std::future::poll_fn(|_| if self.now() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Runs `main` to its end, and the tasks beside it as far as they come.
    ///
    /// # Panics
    /// When it waits for what cannot come.
    pub(super) fn run<T>(&self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        loop {
            for _ in 0..ROUNDS {
                let mut cx = Context::from_waker(Waker::noop());
                if let Poll::Ready(value) = main.as_mut().poll(&mut cx) {
                    return value;
                }
                self.poll_tasks();
            }
            assert!(self.jump(), "the future waits for what cannot come");
        }
    }

    /// Runs the tasks until none is left, or those that are left wait for what cannot come.
    pub(super) fn settle(&self) {
        loop {
            for _ in 0..ROUNDS {
                self.poll_tasks();
            }
            if self.0.tasks.borrow().is_empty() || !self.jump() {
                return;
            }
        }
    }

    /// Lets every task come as far as it can at this moment.
    pub(super) fn poll_once(&self) {
        for _ in 0..ROUNDS {
            self.poll_tasks();
        }
    }

    /// Forgets every task without running its destructors: an instance that dies runs none.
    pub(super) fn forget(&self) {
        std::mem::forget(std::mem::take(&mut *self.0.tasks.borrow_mut()));
    }

    fn poll_tasks(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        let mut cx = Context::from_waker(Waker::noop());
        let waiting: Vec<Task> = tasks
            .into_iter()
            .filter_map(|mut task| task.as_mut().poll(&mut cx).is_pending().then_some(task))
            .collect();
        // Behind what these have spawned.
        self.0.tasks.borrow_mut().extend(waiting);
    }

    fn jump(&self) -> bool {
        let now = self.now();
        let mut timers = self.0.timers.borrow_mut();
        timers.retain(|timer| *timer > now);
        match timers.iter().min() {
            Some(next) => {
                self.set(*next);
                true
            }
            None => false,
        }
    }
}

/// Runs a future that waits for nothing outside itself.
///
/// # Panics
/// When it waits for what cannot come.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    Executor::default().run(future)
}
