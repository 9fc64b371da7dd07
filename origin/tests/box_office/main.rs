//! The box office as its clients see it: the whole application, in-process, on a database of each test's own.

mod caching;
mod catalogue;
mod errors;
mod orders;
mod programme;
mod shop;
mod starting;
mod stopping;
mod storefront;
mod wire;
