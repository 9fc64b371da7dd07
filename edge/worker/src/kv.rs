//! Workers KV behind the memory tier.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use js_sys::{Object, Reflect, Uint8Array};
use levee::platform::{Store, StoreError, StoreLimits};
use wasm_bindgen::{JsCast, JsValue};

use crate::host::{KvNamespace, message};

/// The binding's name.
pub(crate) const BINDING: &str = "LEVEE_KV";

/// What the tier is called.
pub(crate) const NAME: &str = "kv";

/// The longest key, in bytes.
const MAX_KEY: usize = 512;

/// Limits and times: the platform's documentation of KV.
const LIMITS: StoreLimits = StoreLimits {
    value: 25 << 20,
    // A write takes up to a minute to be seen elsewhere, and what was looked for in vain is remembered as missing for
    // as long. What is good for less would be written without ever being read.
    worth: Duration::from_secs(60),
};

/// The shortest expiry KV takes, in seconds. The entry holds its own times, so that more does no harm.
const MIN_TTL: u64 = 60;

/// One namespace, seen from one request.
#[derive(Clone, Debug)]
pub(crate) struct KvStore(KvNamespace);

thread_local! {
    static READ: RefCell<Option<(String, JsValue)>> = const { RefCell::new(None) };
}

/// While `work` runs, what the short way has read is not read again: a key, and its value as KV gives it (null where there is
/// none). Only for what runs at once, in this very request.
pub(crate) fn having_read<T>(read: Option<(String, JsValue)>, work: impl FnOnce() -> T) -> T {
    READ.set(read);
    let done = work();
    READ.set(None);
    done
}

fn take_read(key: &str) -> Option<JsValue> {
    READ.with_borrow_mut(|read| read.take_if(|(known, _)| known == key)).map(|(_, value)| value)
}

impl KvStore {
    /// The namespace bound as `LEVEE_KV`, if there is one.
    pub(crate) fn bound(env: &JsValue) -> Option<Self> {
        let binding = Reflect::get(env, &JsValue::from_str(BINDING)).ok()?;
        binding.is_object().then(|| Self(binding.unchecked_into()))
    }
}

impl Store for KvStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> StoreLimits {
        LIMITS
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        check_key(key)?;
        let value = match take_read(key) {
            Some(value) => value,
            None => {
                let value = self.0.get(key, "arrayBuffer").await;
                value.map_err(|error| failed("get", &error))?
            }
        };
        Ok((!value.is_null()).then(|| Uint8Array::new(&value).to_vec().into()))
    }

    async fn put(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), StoreError> {
        check_key(key)?;
        if value.len() as u64 > LIMITS.value {
            return Err(StoreError(format!("KV: a value of {} bytes is larger than 25 MiB", value.len())));
        }
        let ttl = expiration_ttl(keep);
        let options = Object::new();
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&options, &JsValue::from_str("expirationTtl"), &JsValue::from_f64(ttl));
        let value = Uint8Array::from(&value[..]);
        self.0.put(key, &value, &options).await.map(drop).map_err(|error| failed("put", &error))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        check_key(key)?;
        self.0.delete(key).await.map(drop).map_err(|error| failed("delete", &error))
    }
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY {
        return Err(StoreError(format!("KV: a key of {} bytes is longer than {MAX_KEY}", key.len())));
    }
    Ok(())
}

fn failed(what: &str, error: &JsValue) -> StoreError {
    StoreError(format!("KV {what}: {}", message(error)))
}

/// Seconds, rounded up.
fn expiration_ttl(keep: Duration) -> f64 {
    let seconds = keep.as_secs().saturating_add(u64::from(keep.subsec_nanos() > 0));
    // Ten years is for ever, and a number that KV takes.
    seconds.clamp(MIN_TTL, 315_360_000) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_rounded_up_and_at_least_a_minute() {
        assert_eq!(expiration_ttl(Duration::ZERO), 60.0);
        assert_eq!(expiration_ttl(Duration::from_millis(61_001)), 62.0);
        assert_eq!(expiration_ttl(Duration::MAX), 315_360_000.0);
    }

    #[test]
    fn keys_that_kv_refuses_are_not_sent() {
        assert!(check_key(&"k".repeat(512)).is_ok());
        assert!(check_key(&"k".repeat(513)).is_err());
    }
}
