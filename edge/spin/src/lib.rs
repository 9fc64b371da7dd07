//! # Levee as a Spin component
//!
//! Puts Levee's cache and origin shield in front of a handler of yours, in a component of yours:
//!
//! ```
//! use levee_spin::http::{Request, Response};
//! use levee_spin::{App, Body, Config, Context, Result};
//!
//! struct Shop;
//!
//! impl App for Shop {
//!     fn config() -> Config {
//!         levee_spin::config!("levee.toml")
//!     }
//!
//!     /// Behind the cache: runs on a miss, once a key.
//!     async fn origin(req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
//!         match req.uri().path() {
//!             "/api/price" => {
//!                 let currency = cx.variable("currency").await?;
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
//! levee_spin::export!(Shop);
//! ```
//!
//! The crate is a `cdylib`, built for `wasm32-wasip2`; it exports `wasi:http/handler@0.3.0`, which Spin 4.1 runs. The README
//! beside this crate shows the manifest.
//!
//! Everything that decides lives in [`levee`]; here requests, responses, bodies, the key-value store and exchanges with origins
//! are translated, and nothing else.

mod app;
mod body;
mod config;
mod context;
mod error;
mod export;
mod faults;
mod fetch;
mod fields;
mod framing;
mod incoming;
mod instance;
mod kv;
mod outgoing;
mod pace;
mod platform;
mod redis;
mod request;
mod respond;
mod task;
mod upload;
mod variables;

pub use app::App;
pub use body::{Body, BodyError};
pub use config::Config;
pub use context::Context;
pub use error::Error;

pub use {bytes, http, levee, spin_sdk};

/// What handlers return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What [`export!`] needs. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use spin_sdk::wasip3;

    pub use crate::respond::handle;
}
