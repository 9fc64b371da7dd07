//! The stores behind the memory tier, near to far, and what of them has been read before Rust was entered.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use js_sys::Uint8Array;
use levee::platform::{Store, StoreError, StoreLimits};
use wasm_bindgen::JsValue;

use crate::host::Host;
use crate::kv::{self, KvStore};
use crate::local::{self, LocalStore};

/// One of the stores.
#[derive(Clone, Debug)]
pub(crate) enum AnyStore {
    Local(LocalStore),
    Kv(KvStore),
}

/// The stores that a request has, near to far; `place` is its host's in the data centre's cache, if that keeps anything for it.
pub(crate) fn all(host: &Host, env: &JsValue, place: Option<String>) -> Vec<AnyStore> {
    let local = place.map(|place| AnyStore::Local(LocalStore::new(host, place)));
    local.into_iter().chain(KvStore::bound(env).map(AnyStore::Kv)).collect()
}

impl Store for AnyStore {
    fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => local::NAME,
            Self::Kv(_) => kv::NAME,
        }
    }

    fn limits(&self) -> StoreLimits {
        match self {
            Self::Local(_) => local::LIMITS,
            Self::Kv(_) => kv::LIMITS,
        }
    }

    fn rest(&self) -> Duration {
        match self {
            Self::Local(_) => local::REST,
            Self::Kv(_) => Duration::ZERO,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let value = match take_read(self.name(), key) {
            Some(value) => value,
            None => match self {
                Self::Local(local) => local.get(key).await?,
                Self::Kv(kv) => kv.get(key).await?,
            },
        };
        Ok((!value.is_null()).then(|| Uint8Array::new(&value).to_vec().into()))
    }

    async fn put(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), StoreError> {
        if value.len() as u64 > self.limits().value {
            return Err(StoreError(format!(
                "{}: a value of {} bytes is too large",
                self.name(),
                value.len()
            )));
        }
        let value = Uint8Array::from(&value[..]);
        match self {
            Self::Local(local) => local.put(key, &value, keep).await,
            Self::Kv(kv) => kv.put(key, &value, keep).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self {
            Self::Local(local) => local.delete(key).await,
            Self::Kv(kv) => kv.delete(key).await,
        }
    }
}

/// What the short way has read under a key, by the store's name: `ArrayBuffer`s, or null where there is nothing; undefined
/// where it was not read.
pub(crate) struct Read {
    pub(crate) key: String,
    pub(crate) values: [(&'static str, JsValue); 2],
}

thread_local! {
    static READ: RefCell<Option<Read>> = const { RefCell::new(None) };
}

/// While `work` runs, what the short way has read is not read again. Only for what runs at once, in this very request.
pub(crate) fn having_read<T>(read: Option<Read>, work: impl FnOnce() -> T) -> T {
    READ.set(read);
    let done = work();
    READ.set(None);
    done
}

fn take_read(store: &str, key: &str) -> Option<JsValue> {
    READ.with_borrow_mut(|read| {
        let read = read.as_mut().filter(|read| read.key == key)?;
        let (_, value) = read.values.iter_mut().find(|(name, _)| *name == store)?;
        let value = std::mem::replace(value, JsValue::UNDEFINED);
        (!value.is_undefined()).then_some(value)
    })
}

/// Seconds, rounded up, at least so many. Ten years is for ever, and a number that the platform takes.
pub(crate) fn seconds(keep: Duration, least: u64) -> f64 {
    let seconds = keep.as_secs().saturating_add(u64::from(keep.subsec_nanos() > 0));
    seconds.clamp(least, 315_360_000) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_rounded_up_and_at_least_what_the_store_takes() {
        assert_eq!(seconds(Duration::ZERO, 60), 60.0);
        assert_eq!(seconds(Duration::ZERO, 1), 1.0);
        assert_eq!(seconds(Duration::from_millis(61_001), 60), 62.0);
        assert_eq!(seconds(Duration::MAX, 60), 315_360_000.0);
    }
}
