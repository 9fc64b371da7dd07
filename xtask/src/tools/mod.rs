//! What has to be on the machine, and how it gets there: everything by exact version, nothing outside the checkout but
//! the per-user cache, nothing half installed.

mod applications;
mod cache;
mod cargo_tool;
mod component_host;
mod h2spec;
mod k6;
mod locust;
mod node;
mod npm;
mod python;
mod rust_target;

pub(crate) use applications::ensure as application_packages;
pub(crate) use cache::folder as cache_folder;
pub(crate) use cargo_tool::{cargo_deny, wasm_bindgen, wasm_bindgen_version};
pub(crate) use component_host::{
    PACKAGE as COMPONENT_HOST, ensure as component_host, optimised as optimised_component_host,
};
pub(crate) use h2spec::h2spec;
pub(crate) use k6::{k6, k6_here};
pub(crate) use locust::locust;
pub(crate) use node::{Node, WANTED as NODE_WANTED};
pub(crate) use npm::{Packages, ensure as npm_packages, node_modules};
pub(crate) use python::environment as python_environment;
pub(crate) use rust_target::{WASI, WASM, ensure as rust_target, installed as rust_target_installed};

/// Says what begins, and how long it may take where that is worth knowing.
pub(crate) fn announce(what: &str, may_take: Option<&str>) {
    match may_take {
        Some(time) => println!("{what} (may take {time})"),
        None => println!("{what}"),
    }
}
