//! # Levee on Cloudflare Workers
//!
//! Puts Levee's cache and origin shield in front of a handler of yours, in a Worker of yours:
//!
//! ```
//! use levee_worker::http::{Request, Response};
//! use levee_worker::{App, Body, Config, Context, Result};
//!
//! struct Shop;
//!
//! impl App for Shop {
//!     fn config() -> Config {
//!         levee_worker::config!("levee.toml")
//!     }
//!
//!     /// Behind the cache: runs on a miss, once a key.
//!     async fn origin(req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
//!         match req.uri().path() {
//!             "/api/price" => {
//!                 let currency = cx.env().var("CURRENCY")?.to_string();
//!                 let response = Response::builder()
//!                     .header("content-type", "application/json")
//!                     .header("cache-control", "max-age=10, stale-while-revalidate=60");
//!                 Ok(response.body(format!(r#"{{"price":12,"currency":"{currency}"}}"#).into())?)
//!             }
//!             _ => cx.forward(req).await,
//!         }
//!     }
//! }
//!
//! levee_worker::export!(Shop);
//! ```
//!
//! The crate is a `cdylib`, built for `wasm32-unknown-unknown`; `js/` holds the entry module that loads it. The
//! README beside this crate shows how both become a bundle.
//!
//! Everything that decides lives in [`levee`]; here requests, responses, bodies, stores and fetches are translated, and
//! nothing else.

mod app;
mod body;
mod config;
mod context;
mod entry;
mod error;
mod export;
mod fetch;
mod fields;
mod framing;
mod hits;
mod host;
mod isolate;
mod kv;
mod local;
mod platform;
mod request;
mod stores;
mod views;
mod waiting;

pub use app::{App, Scheduled};
pub use body::Body;
pub use config::Config;
pub use context::Context;
pub use error::Error;
pub use worker::Env;

pub use {bytes, http, levee, web_sys, worker};

/// What handlers return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What [`export!`] needs. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use js_sys::Uint8Array;
    pub use wasm_bindgen::{self, JsValue};
    pub use worker::Env;

    pub use crate::entry::{handle, scheduled};
    pub use crate::host::{Host, Incoming};
    pub use crate::isolate::boot;

    pub mod hits {
        pub use crate::hits::{answer, field, forget, found, kind, name, names, page, place, plan};
    }
}
