//! The Cache API behind the memory tier: one data centre, free of charge, and nothing of it leaves there.
//!
//! It is a store of bytes here, as KV is. Its own rules about what may be kept and served are not used: a value is put as an
//! answer that is fresh for as long as the entry is of use, and the entry's own times decide. On `workers.dev` the platform
//! takes writes and keeps nothing. Bare workerd has no cache unless its configuration names one.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use js_sys::Uint8Array;
use levee::platform::{Store, StoreError, StoreLimits};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::host::message;

/// Keys are URLs there. The name is reserved (RFC 6761), so that no request of a client has it.
const PREFIX: &str = "https://levee.invalid/";

const LIMITS: StoreLimits = StoreLimits {
    value: 25 << 20,
    // A look-up costs a call out of the isolate; what is good for less is fetched anew as cheaply.
    worth: Duration::from_secs(5),
};

thread_local! {
    /// Whether this isolate's runtime has a cache, as far as is known.
    static MISSING: Cell<bool> = const { Cell::new(false) };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = match)]
    async fn cache_match(url: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = put)]
    async fn cache_put(url: &str, response: &web_sys::Response) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = delete)]
    async fn cache_delete(url: &str) -> Result<JsValue, JsValue>;
}

/// The data centre's cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalStore;

impl LocalStore {
    /// `None` once the runtime has said that it has none.
    pub(crate) fn here() -> Option<Self> {
        (!MISSING.get()).then_some(Self)
    }
}

impl Store for LocalStore {
    fn name(&self) -> &'static str {
        "local"
    }

    fn limits(&self) -> StoreLimits {
        LIMITS
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let found = cache_match(&url(key)).await.map_err(|error| failed("match", &error))?;
        if found.is_undefined() {
            return Ok(None);
        }
        let response: web_sys::Response = found.unchecked_into();
        let body = response.array_buffer().map_err(|error| failed("match", &error))?;
        let body = JsFuture::from(body).await.map_err(|error| failed("match", &error))?;
        Ok(Some(Uint8Array::new(&body).to_vec().into()))
    }

    async fn put(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), StoreError> {
        let response = answer(&value, keep).map_err(|error| failed("put", &error))?;
        cache_put(&url(key), &response).await.map(drop).map_err(|error| failed("put", &error))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        cache_delete(&url(key)).await.map(drop).map_err(|error| failed("delete", &error))
    }
}

fn url(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// A value as an answer that the cache keeps for so long.
fn answer(value: &[u8], keep: Duration) -> Result<web_sys::Response, JsValue> {
    let headers = web_sys::Headers::new()?;
    headers.set("cache-control", &format!("max-age={}", keep.as_secs().max(1)))?;
    let init = web_sys::ResponseInit::new();
    init.set_headers(&headers);
    web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&Uint8Array::from(value)), &init)
}

/// A runtime without a cache says so at each call: once is enough.
fn failed(what: &str, error: &JsValue) -> StoreError {
    let text = message(error);
    if text.contains("No Cache was configured") {
        MISSING.set(true);
    }
    StoreError(format!("Cache API {what}: {text}"))
}
