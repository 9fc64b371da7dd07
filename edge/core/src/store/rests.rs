//! Stores that are of no use at the moment, and are left alone.
//!
//! A store may not be there (no cache service behind the Cache API), or take every write and keep none (the Cache API on
//! `workers.dev`). Either costs a wait at each request, so that it is found out once, and tried again after a while.

use std::sync::{Mutex, PoisonError};

use crate::platform::Store;
use crate::time::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has given back what it took.
    Keeps,
    RestsUntil(Time),
}

/// What has been found out about the stores of one instance, by their names.
#[derive(Debug, Default)]
pub struct Rests(Mutex<Vec<(&'static str, State)>>);

impl Rests {
    /// Whether a store is to be asked.
    pub fn is_awake<S: Store>(&self, store: &S, now: Time) -> bool {
        store.rest().is_zero() || self.is_awake_by_name(store.name(), now)
    }

    /// As [`Rests::is_awake`], of a store that may rest.
    pub fn is_awake_by_name(&self, name: &str, now: Time) -> bool {
        !matches!(self.state(name), Some(State::RestsUntil(until)) if now < until)
    }

    /// Whether a write to it has to be read back: it may be one that keeps nothing, and that is not known yet.
    pub fn is_doubtful<S: Store>(&self, store: &S) -> bool {
        !store.rest().is_zero() && self.state(store.name()) != Some(State::Keeps)
    }

    /// It has given back what it took.
    pub fn keeps(&self, name: &'static str) {
        self.set(name, State::Keeps);
    }

    /// It has failed, or kept nothing. Says whether it rests from now on.
    pub fn failed<S: Store>(&self, store: &S, now: Time) -> bool {
        let rest = store.rest();
        if rest.is_zero() {
            return false;
        }
        self.set(store.name(), State::RestsUntil(now + rest));
        true
    }

    fn state(&self, name: &str) -> Option<State> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
    }

    fn set(&self, name: &'static str, state: State) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = state,
            None => known.push((name, state)),
        }
    }
}
