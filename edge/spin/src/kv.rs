//! Spin's key-value store behind the memory tier.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use levee::platform::{Store, StoreError, StoreLimits};
use spin_sdk::key_value::{self, Error};

/// The store's label in the manifest.
pub(crate) const LABEL: &str = "default";

/// What the tier is called.
pub(crate) const NAME: &str = "kv";

/// The longest key that every provider takes (Azure Cosmos DB has 1,023 bytes, Akamai Functions 255 characters). Keys are
/// digests, and far shorter.
const MAX_KEY: usize = 255;

/// One store, seen from one instance.
#[derive(Clone)]
pub(crate) struct KvStore {
    store: Rc<key_value::Store>,
    limits: StoreLimits,
}

impl std::fmt::Debug for KvStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvStore").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl KvStore {
    /// The component's store, if the manifest gives it one.
    ///
    /// # Errors
    /// What the runtime says, for people.
    pub(crate) async fn open(value: u64) -> Result<Option<Self>, String> {
        // A write is seen at once, unlike on a network of caches: what is good for a second is worth it.
        let limits = StoreLimits { value, worth: Duration::from_secs(1) };
        match key_value::Store::open(LABEL).await {
            Ok(store) => Ok(Some(Self { store: Rc::new(store), limits })),
            Err(Error::AccessDenied | Error::NoSuchStore) => Ok(None),
            Err(error) => Err(format!("The key-value store `{LABEL}` cannot be opened: {error}")),
        }
    }
}

impl Store for KvStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> StoreLimits {
        self.limits
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        check_key(key)?;
        let value = self.store.get(key).await.map_err(|error| failed("get", &error))?;
        Ok(value.map(Bytes::from))
    }

    /// The interface knows no expiry: `keep` lies in the value, and what has expired is overwritten by what is fetched anew.
    async fn put(&self, key: &str, value: Bytes, _keep: Duration) -> Result<(), StoreError> {
        check_key(key)?;
        if value.len() as u64 > self.limits.value {
            return Err(StoreError(format!(
                "key-value: a value of {} bytes is larger than {}",
                value.len(),
                self.limits.value
            )));
        }
        self.store.set(key, value).await.map_err(|error| failed("set", &error))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        check_key(key)?;
        self.store.delete(key).await.map_err(|error| failed("delete", &error))
    }
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY {
        return Err(StoreError(format!("key-value: a key of {} bytes is longer than {MAX_KEY}", key.len())));
    }
    Ok(())
}

fn failed(what: &str, error: &Error) -> StoreError {
    StoreError(format!("key-value {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_a_provider_refuses_are_not_sent() {
        assert!(check_key(&"k".repeat(MAX_KEY)).is_ok());
        assert!(check_key(&"k".repeat(MAX_KEY + 1)).is_err());
    }
}
