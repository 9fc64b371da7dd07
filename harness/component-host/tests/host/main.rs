//! What the host promises, seen through components that try it (`guests/`).

mod client;
mod guest;
mod origin;
mod raw;
mod scripted;

mod as_spin;
mod edge;
mod fields;
mod interfaces;
mod lifetime;
mod outbound;
mod start;
