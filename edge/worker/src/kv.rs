//! Workers KV, the farthest tier.

use std::time::Duration;

use js_sys::{Object, Reflect, Uint8Array};
use levee::platform::{StoreError, StoreLimits};
use wasm_bindgen::{JsCast, JsValue};

use crate::host::{KvNamespace, message};
use crate::stores::seconds;

/// The binding's name.
pub(crate) const BINDING: &str = "LEVEE_KV";

/// What the tier is called.
pub(crate) const NAME: &str = "kv";

/// The longest key, in bytes.
const MAX_KEY: usize = 512;

/// Limits and times: the platform's documentation of KV.
pub(crate) const LIMITS: StoreLimits = StoreLimits {
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

impl KvStore {
    /// The namespace bound as `LEVEE_KV`, if there is one.
    pub(crate) fn bound(env: &JsValue) -> Option<Self> {
        let binding = Reflect::get(env, &JsValue::from_str(BINDING)).ok()?;
        binding.is_object().then(|| Self(binding.unchecked_into()))
    }

    /// An `ArrayBuffer`, or null.
    pub(crate) async fn get(&self, key: &str) -> Result<JsValue, StoreError> {
        check_key(key)?;
        self.0.get(key, "arrayBuffer").await.map_err(|error| failed("get", &error))
    }

    pub(crate) async fn put(&self, key: &str, value: &Uint8Array, keep: Duration) -> Result<(), StoreError> {
        check_key(key)?;
        let options = Object::new();
        // Setting a property of a plain object cannot fail.
        let ttl = JsValue::from_f64(seconds(keep, MIN_TTL));
        let _ = Reflect::set(&options, &JsValue::from_str("expirationTtl"), &ttl);
        self.0.put(key, value, &options).await.map(drop).map_err(|error| failed("put", &error))
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_kv_refuses_are_not_sent() {
        assert!(check_key(&"k".repeat(512)).is_ok());
        assert!(check_key(&"k".repeat(513)).is_err());
    }
}
