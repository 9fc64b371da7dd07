//! The box office: the reference origin that Levee's edge stands in front of.
//!
//! A real catalogue of films, screenings generated from it by a fixed seed, seats that are never
//! sold twice, server-rendered pages and a JSON API. Every response says how it may be cached
//! (`docs/origin.md` explains each choice; `cache_policy` is where they are made).
//!
//! The program is thin; tests and other programs of this workspace can start the same [`App`] in-process.

mod api;
mod app;
mod assets;
mod cache_policy;
mod cloud_run;
mod db;
mod domain;
mod health;
mod http;
pub mod logging;
mod lookup;
mod pages;
mod seed;
mod server;
mod settings;

pub use app::App;
pub use server::Server;
pub use settings::{LogFormat, Settings};
