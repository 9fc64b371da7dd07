//! The Cache API, one data centre's, between memory and KV: `js/local.mjs` as a store.

use std::time::Duration;

use levee::platform::{StoreError, StoreLimits};
use levee::{Scheme, key};
use wasm_bindgen::JsValue;

use crate::host::{Host, message};
use crate::stores::seconds;

/// What the tier is called.
pub(crate) const NAME: &str = "local";

pub(crate) const LIMITS: StoreLimits = StoreLimits {
    // The platform's documentation of the Cache API.
    value: 512 << 20,
    // Writes are free and seen at once in the data centre. Only what the next second would find stale is not worth the wait.
    worth: Duration::from_secs(1),
};

/// Where there is no cache service, or one that keeps nothing, that is found out so often.
pub(crate) const REST: Duration = Duration::from_secs(60);

/// The cache, seen from one request.
#[derive(Clone, Debug)]
pub(crate) struct LocalStore {
    host: Host,
    place: String,
}

impl LocalStore {
    /// `place`: as [`place`] gives it.
    pub(crate) fn new(host: &Host, place: String) -> Self {
        Self { host: host.clone(), place }
    }

    /// An `ArrayBuffer`, or null.
    pub(crate) async fn get(&self, key: &str) -> Result<JsValue, StoreError> {
        self.host.local_get(&self.place, key).await.map_err(|error| failed("match", &error))
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        value: &js_sys::Uint8Array,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let put = self.host.local_put(&self.place, key, value, seconds(keep, 1)).await;
        put.map(drop).map_err(|error| failed("put", &error))
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.host.local_delete(&self.place, key).await.map(drop).map_err(|error| failed("delete", &error))
    }
}

/// The host, in its one form, under which what is kept for requests to it lies. `None` where the platform keeps nothing: on
/// `workers.dev` its calls do nothing, so that they are not made.
pub(crate) fn place(scheme: Scheme, authority: &str) -> Option<String> {
    let place = key::authority(scheme, authority)?;
    let host = place.rsplit_once(':').map_or(&*place, |(host, _)| host);
    (!host.ends_with(".workers.dev")).then_some(place)
}

fn failed(what: &str, error: &JsValue) -> StoreError {
    StoreError(format!("Cache API {what}: {}", message(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_place() {
        for same in ["example.com", "Example.COM", "example.com:443", "example.com."] {
            assert_eq!(place(Scheme::Https, same).as_deref(), Some("example.com"), "{same}");
        }
        assert_eq!(place(Scheme::Http, "[::1]:8787").as_deref(), Some("[::1]:8787"));
        assert_eq!(place(Scheme::Https, "a b"), None);
    }

    #[test]
    fn workers_dev_keeps_nothing() {
        for nothing in ["levee.me.workers.dev", "Levee.Me.Workers.Dev", "levee.me.workers.dev:8443"] {
            assert_eq!(place(Scheme::Https, nothing), None, "{nothing}");
        }
        for kept in ["workers.dev.example.com", "myworkers.dev", "localhost:8787"] {
            assert!(place(Scheme::Https, kept).is_some(), "{kept}");
        }
    }
}
