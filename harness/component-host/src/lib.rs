//! Runs a Spin component without Spin, for tests, comparison and development.
//!
//! A component that exports `wasi:http/handler@0.3.0` is compiled by wasmtime and served by the same `ProxyHandler` that
//! Spin 4.1 uses, with Spin's interfaces for key-value, Redis and variables, and Spin's rules about hosts, fields and the reuse of
//! instances. It is not Spin: README.md says what it leaves out.
#![forbid(unsafe_code)]

mod allowed;
mod app;
mod beside;
mod bindings;
mod error;
mod instances;
mod key_value;
mod limits;
mod manifest;
mod mounts;
mod outbound;
mod redis;
mod route;
mod server;
mod state;
mod variables;

pub use allowed::AllowedHosts;
pub use app::Options;
pub use error::Error;
pub use instances::Reuse;
pub use key_value::StoreKind;
pub use manifest::Manifest;
pub use route::Route;
pub use server::Server;
pub(crate) use variables::Variables;
