//! The JavaScript half of this crate, as Rust sees it: `js/host.mjs`, handed over at the start.
//!
//! It is passed in and not imported, because generated imports land in folders whose names change with every version.

use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

#[wasm_bindgen]
extern "C" {
    /// The functions of `js/host.mjs` and `js/instance.mjs`.
    #[derive(Clone, Debug)]
    #[doc(hidden)]
    pub type Host;

    /// A `Request` of the platform.
    #[derive(Clone, Debug)]
    #[doc(hidden)]
    pub type Incoming;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn body(this: &Incoming) -> Option<ReadableStream>;

    /// Method, URL and fields, a line each.
    #[wasm_bindgen(method)]
    pub(crate) fn read(this: &Host, request: &Incoming) -> String;

    /// A `Response`; `Err` for what the platform refuses, such as the status 999.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn respond(this: &Host, status: u16, fields: &str, body: &JsValue)
    -> Result<JsValue, JsValue>;

    /// Keeps an answer ready under a handle. A body of `undefined` is the one that is there.
    #[wasm_bindgen(method)]
    pub(crate) fn show(this: &Host, handle: u32, status: u16, fields: &str, body: &JsValue);

    /// Lets go of what a handle names.
    #[wasm_bindgen(method)]
    pub(crate) fn release(this: &Host, handle: u32);

    /// A `Response` about a failure of the edge itself.
    #[wasm_bindgen(method)]
    pub(crate) fn problem(this: &Host, detail: &str) -> JsValue;

    /// A `Response` about a request that is refused.
    #[wasm_bindgen(method, js_name = problem)]
    pub(crate) fn refuse(this: &Host, detail: &str, status: u16, title: &str) -> JsValue;

    /// One exchange; times in milliseconds, `rate` in bytes a second. Settles with an [`Answer`].
    #[wasm_bindgen(method, catch)]
    #[allow(clippy::too_many_arguments, reason = "one crossing, and JavaScript has no other way")]
    pub(crate) async fn ask(
        this: &Host,
        method: &str,
        url: &str,
        fields: &str,
        body: &JsValue,
        length: Option<f64>,
        connect: f64,
        first_byte: f64,
        idle: f64,
        rate: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn tee(
        this: &Host,
        stream: &ReadableStream,
        limit: f64,
        length: Option<f64>,
        idle: f64,
        rate: f64,
    ) -> Split;

    /// All bytes, or null past the limit.
    #[wasm_bindgen(method)]
    pub(crate) fn collect(
        this: &Host,
        stream: &ReadableStream,
        limit: f64,
        length: Option<f64>,
        idle: f64,
        rate: f64,
    ) -> js_sys::Promise;

    #[wasm_bindgen(method)]
    pub(crate) fn fixed(this: &Host, stream: &ReadableStream, length: f64, idle: f64) -> ReadableStream;

    /// Only the bytes from `first` on, `length` of them.
    #[wasm_bindgen(method)]
    pub(crate) fn cut(
        this: &Host,
        stream: &ReadableStream,
        first: f64,
        length: f64,
        idle: f64,
    ) -> ReadableStream;

    /// Waits until there is something of an upload. Settles with a [`Primed`].
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn prime(
        this: &Host,
        stream: &ReadableStream,
        length: Option<f64>,
        idle: f64,
        rate: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn abandon(this: &Host, upload: &Upload);

    #[wasm_bindgen(method)]
    pub(crate) fn discard(this: &Host, stream: &ReadableStream);

    #[wasm_bindgen(method, js_name = waitUntil)]
    pub(crate) fn wait_until(this: &Host, context: &JsValue, work: &js_sys::Promise);

    /// In milliseconds.
    #[wasm_bindgen(method)]
    pub(crate) async fn sleep(this: &Host, time: f64);

    #[wasm_bindgen(method)]
    pub(crate) fn random(this: &Host) -> u64;

    #[wasm_bindgen(method)]
    pub(crate) fn warn(this: &Host, message: &str);

    /// This instance is lost.
    #[wasm_bindgen(method)]
    pub(crate) fn died(this: &Host, reason: &str);

    /// What came of an exchange: a head and a body, or an error.
    pub(crate) type Answer;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn error(this: &Answer) -> Option<String>;

    /// The error is that time ran out.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn late(this: &Answer) -> bool;

    /// What the client is at fault for: `stalled`, `malformed`, `unsupported`.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn fault(this: &Answer) -> Option<String>;

    /// The status and the fields, a line each.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn head(this: &Answer) -> String;

    /// A stream, null, or a `Response` that holds a WebSocket.
    #[wasm_bindgen(method, getter, js_name = body)]
    pub(crate) fn answer_body(this: &Answer) -> JsValue;

    /// What there is of an upload.
    pub(crate) type Primed;

    /// Nothing where the body is empty.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn upload(this: &Primed) -> Option<Upload>;

    #[wasm_bindgen(method, getter, js_name = error)]
    pub(crate) fn primed_error(this: &Primed) -> Option<String>;

    /// As that of an [`Answer`].
    #[wasm_bindgen(method, getter, js_name = fault)]
    pub(crate) fn primed_fault(this: &Primed) -> Option<String>;

    /// A client's body whose first bytes are there.
    #[derive(Debug)]
    pub(crate) type Upload;

    /// Whether nothing more is to come.
    #[wasm_bindgen(method, getter, js_name = isWhole)]
    pub(crate) fn is_whole(this: &Upload) -> bool;

    /// A stream in two.
    pub(crate) type Split;

    #[wasm_bindgen(method, getter, js_name = body)]
    pub(crate) fn handed_on(this: &Split) -> ReadableStream;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn captured(this: &Split) -> js_sys::Promise;

    /// An `ArrayBuffer`, or null.
    #[wasm_bindgen(method, catch, js_name = localGet)]
    pub(crate) async fn local_get(this: &Host, authority: &str, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = localPut)]
    pub(crate) async fn local_put(
        this: &Host,
        authority: &str,
        key: &str,
        value: &js_sys::Uint8Array,
        seconds: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = localDelete)]
    pub(crate) async fn local_delete(this: &Host, authority: &str, key: &str) -> Result<JsValue, JsValue>;

    /// A KV namespace.
    #[derive(Clone, Debug)]
    pub(crate) type KvNamespace;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn get(this: &KvNamespace, key: &str, kind: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn put(
        this: &KvNamespace,
        key: &str,
        value: &js_sys::Uint8Array,
        options: &JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn delete(this: &KvNamespace, key: &str) -> Result<JsValue, JsValue>;
}

/// The text of something thrown.
pub(crate) fn message(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => thrown.as_string().unwrap_or_else(|| "unknown error".to_owned()),
    }
}
