//! What the host promises, seen through components that try it (`guests/`).

mod client;
mod guest;
mod origin;

mod fields;
mod interfaces;
mod lifetime;
mod outbound;
mod start;
