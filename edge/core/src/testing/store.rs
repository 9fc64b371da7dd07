//! A store in memory that can be told to misbehave.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::executor::Executor;
use crate::platform::{Store, StoreError, StoreLimits};
use crate::time::Time;

/// How a [`MapStore`] misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Every call is an error.
    Down,
    /// Reads give the value without its last byte.
    Truncates,
    /// Reads give the value of whatever key was written last.
    MixesUp,
    /// As Workers KV does when it is deployed: a write is seen up to 60 s later, sometimes an older one after a newer one; what was
    /// read, and that there was nothing, is remembered for 60 s; a second write to a key within a second is refused.
    LikeKv,
    /// Takes every write and keeps none, as the Cache API does on `workers.dev`.
    KeepsNothing,
}

/// A call that a [`MapStore`] has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Get(String),
    /// And the size of the value, in bytes.
    Put(String, usize),
    Delete(String),
}

/// Values in a map; clones share it.
#[derive(Clone)]
pub struct MapStore {
    shared: Rc<Shared>,
    name: &'static str,
    worth: Duration,
    rest: Duration,
}

/// What a key held from a moment on. `None`: nothing.
type Held = (Time, Option<Bytes>);

#[derive(Default)]
struct Shared {
    calls: RefCell<Vec<Call>>,
    /// Every write of a key, the newest last.
    writes: RefCell<HashMap<String, Vec<Held>>>,
    /// What was read, and until when it is read again.
    seen: RefCell<HashMap<String, Held>>,
    last: RefCell<Bytes>,
    fault: Cell<Fault>,
    clock: RefCell<Executor>,
    random: Cell<u64>,
}

const SPREAD: Duration = Duration::from_secs(60);

impl MapStore {
    /// A store that is not worth asking for what is useful for less than `worth`.
    pub fn new(worth: Duration) -> Self {
        Self { shared: Rc::default(), name: "map", worth, rest: Duration::ZERO }
    }

    /// A store with another name, as where there are several.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// A store that may not be there, and is left alone for so long when that shows.
    #[must_use]
    pub fn resting(self, rest: Duration) -> Self {
        Self { rest, ..self }
    }

    /// What it was asked for since this was called last.
    pub fn take_calls(&self) -> Vec<Call> {
        self.shared.calls.take()
    }

    /// Forgets everything, as a cache may.
    pub fn evict(&self) {
        self.shared.writes.borrow_mut().clear();
    }

    pub fn set_fault(&self, fault: Fault) {
        self.shared.fault.set(fault);
    }

    pub(super) fn set_clock(&self, clock: &Executor) {
        *self.shared.clock.borrow_mut() = clock.clone();
    }

    /// Every value that was ever written.
    pub fn values(&self) -> Vec<Bytes> {
        let writes = self.shared.writes.borrow();
        writes.values().flatten().filter_map(|(_, value)| value.clone()).collect()
    }

    /// Values that are there.
    pub fn len(&self) -> usize {
        let there = |writes: &Vec<Held>| matches!(writes.last(), Some((_, Some(_))));
        self.shared.writes.borrow().values().filter(|writes| there(writes)).count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> Time {
        self.shared.clock.borrow().now()
    }

    fn write(&self, key: &str, value: Option<Bytes>) -> Result<(), StoreError> {
        let now = self.now();
        let mut all = self.shared.writes.borrow_mut();
        let writes = all.entry(key.to_owned()).or_default();
        match self.shared.fault.get() {
            Fault::Down => return Err(StoreError("down".to_owned())),
            Fault::KeepsNothing => return Ok(()),
            Fault::LikeKv if writes.last().is_some_and(|(at, _)| now.since(*at) < Duration::from_secs(1)) => {
                return Err(StoreError("429: one write a second".to_owned()));
            }
            _ => {}
        }
        if let Some(value) = &value {
            *self.shared.last.borrow_mut() = value.clone();
        }
        writes.push((now, value));
        Ok(())
    }

    fn newest(&self, key: &str) -> Option<Bytes> {
        self.shared.writes.borrow().get(key)?.last()?.1.clone()
    }

    /// Some write of the last minute, or the last one before it.
    fn delayed(&self, key: &str) -> Option<Bytes> {
        let now = self.now();
        if let Some((until, value)) = self.shared.seen.borrow().get(key)
            && now < *until
        {
            return value.clone();
        }
        let random = self.shared.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.shared.random.set(random);
        let lag = Duration::from_millis((random >> 33) % 60_000);
        let value = self.shared.writes.borrow().get(key).and_then(|writes| {
            writes.iter().rev().find(|(at, _)| *at + lag <= now).and_then(|(_, value)| value.clone())
        });
        self.shared.seen.borrow_mut().insert(key.to_owned(), (now + SPREAD, value.clone()));
        value
    }
}

impl std::fmt::Debug for MapStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapStore")
            .field("values", &self.len())
            .field("fault", &self.shared.fault.get())
            .finish()
    }
}

impl Store for MapStore {
    fn name(&self) -> &'static str {
        self.name
    }

    fn limits(&self) -> StoreLimits {
        StoreLimits { value: 25 << 20, worth: self.worth }
    }

    fn rest(&self) -> Duration {
        self.rest
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.shared.calls.borrow_mut().push(Call::Get(key.to_owned()));
        match self.shared.fault.get() {
            Fault::None => Ok(self.newest(key)),
            Fault::KeepsNothing => Ok(None),
            Fault::Down => Err(StoreError("down".to_owned())),
            Fault::MixesUp => Ok(Some(self.shared.last.borrow().clone())),
            Fault::Truncates => {
                Ok(self.newest(key).map(|value| value.slice(..value.len().saturating_sub(1))))
            }
            Fault::LikeKv => Ok(self.delayed(key)),
        }
    }

    async fn put(&self, key: &str, value: Bytes, _keep: Duration) -> Result<(), StoreError> {
        self.shared.calls.borrow_mut().push(Call::Put(key.to_owned(), value.len()));
        self.write(key, Some(value))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.shared.calls.borrow_mut().push(Call::Delete(key.to_owned()));
        self.write(key, None)
    }
}
