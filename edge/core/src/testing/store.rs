//! A store in memory that can be told to misbehave.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::platform::{Store, StoreError, StoreLimits};

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
}

/// Values in a map; clones share it.
#[derive(Clone, Default)]
pub struct MapStore {
    values: Rc<RefCell<HashMap<String, Bytes>>>,
    last: Rc<RefCell<Bytes>>,
    fault: Rc<Cell<Fault>>,
    worth: Duration,
}

impl MapStore {
    /// A store that is not worth asking for what is useful for less than `worth`.
    pub fn new(worth: Duration) -> Self {
        Self { worth, ..Self::default() }
    }

    pub fn set_fault(&self, fault: Fault) {
        self.fault.set(fault);
    }

    pub fn len(&self) -> usize {
        self.values.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for MapStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapStore").field("values", &self.len()).field("fault", &self.fault.get()).finish()
    }
}

impl Store for MapStore {
    fn name(&self) -> &'static str {
        "map"
    }

    fn limits(&self) -> StoreLimits {
        StoreLimits { value: 25 << 20, worth: self.worth }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.fault.get() {
            Fault::Down => Err(StoreError("down".to_owned())),
            Fault::MixesUp => Ok(Some(self.last.borrow().clone())),
            fault => {
                let value = self.values.borrow().get(key).cloned();
                let cut = usize::from(fault == Fault::Truncates);
                Ok(value.map(|value| value.slice(..value.len().saturating_sub(cut))))
            }
        }
    }

    async fn put(&self, key: &str, value: Bytes, _keep: Duration) -> Result<(), StoreError> {
        if self.fault.get() == Fault::Down {
            return Err(StoreError("down".to_owned()));
        }
        *self.last.borrow_mut() = value.clone();
        self.values.borrow_mut().insert(key.to_owned(), value);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        if self.fault.get() == Fault::Down {
            return Err(StoreError("down".to_owned()));
        }
        self.values.borrow_mut().remove(key);
        Ok(())
    }
}
