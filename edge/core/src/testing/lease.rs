//! A lock in memory that can be told to misbehave.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::executor::Executor;
use crate::platform::{Lease, LeaseError};
use crate::time::Time;

/// Words with their expiry; clones share them.
#[derive(Clone, Default)]
pub struct MapLease {
    words: Rc<RefCell<HashMap<String, (String, Time)>>>,
    down: Rc<Cell<bool>>,
    /// How long an answer takes, once the command is carried out.
    delay: Rc<Cell<Duration>>,
    /// Commands so far.
    asked: Rc<Cell<usize>>,
    clock: Rc<RefCell<Executor>>,
}

impl MapLease {
    /// From now on every command fails, or works again.
    pub fn set_down(&self, down: bool) {
        self.down.set(down);
    }

    /// From now on an answer comes this long after its command has been carried out.
    pub fn set_delay(&self, delay: Duration) {
        self.delay.set(delay);
    }

    /// How many commands there were.
    pub fn asked(&self) -> usize {
        self.asked.get()
    }

    /// The words that stand there.
    pub fn words(&self) -> Vec<String> {
        let now = self.clock.borrow().now();
        self.words.borrow().values().filter(|(_, until)| now < *until).map(|(word, _)| word.clone()).collect()
    }

    pub(super) fn set_clock(&self, clock: &Executor) {
        *self.clock.borrow_mut() = clock.clone();
    }

    fn ask(&self) -> Result<Time, LeaseError> {
        self.asked.set(self.asked.get() + 1);
        if self.down.get() { Err(LeaseError("down".to_owned())) } else { Ok(self.clock.borrow().now()) }
    }
}

impl Lease for MapLease {
    async fn take(&self, name: &str, word: &str, holds: Duration) -> Result<bool, LeaseError> {
        let now = self.ask()?;
        let is_free = self.words.borrow().get(name).is_none_or(|(_, until)| *until <= now);
        if is_free {
            self.words.borrow_mut().insert(name.to_owned(), (word.to_owned(), now + holds));
        }
        self.sleep(self.delay.get()).await;
        Ok(is_free)
    }

    async fn read(&self, name: &str) -> Result<Option<String>, LeaseError> {
        let now = self.ask()?;
        let words = self.words.borrow();
        Ok(words.get(name).filter(|(_, until)| now < *until).map(|(word, _)| word.clone()))
    }

    async fn replace(
        &self,
        name: &str,
        old: &str,
        new: Option<(&str, Duration)>,
    ) -> Result<bool, LeaseError> {
        let now = self.ask()?;
        let mut words = self.words.borrow_mut();
        if words.get(name).is_none_or(|(word, until)| word != old || *until <= now) {
            return Ok(false);
        }
        match new {
            Some((word, holds)) => words.insert(name.to_owned(), (word.to_owned(), now + holds)),
            None => words.remove(name),
        };
        Ok(true)
    }

    async fn sleep(&self, time: Duration) {
        let clock = self.clock.borrow().clone();
        let until = clock.now() + time;
        clock.sleep_until(until).await;
    }
}

impl std::fmt::Debug for MapLease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapLease").field("words", &self.words.borrow().len()).finish_non_exhaustive()
    }
}
