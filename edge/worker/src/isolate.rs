//! What one isolate keeps between requests. Nothing here is borrowed across an await.

use std::cell::RefCell;
use std::sync::Arc;

use js_sys::{Reflect, Uint8Array};
use levee::config::Config as Compiled;
use levee::{Access, Edge, Setup};
use wasm_bindgen::{JsCast, JsValue};

use crate::app::{App, Hooks};
use crate::config::{Config, override_origins};
use crate::host::Host;
use crate::kv;
use crate::platform::now;

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
    static BUNDLED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    static ISOLATE: RefCell<Option<Isolate>> = const { RefCell::new(None) };
}

/// The targeted field (RFC 9213) that means Cloudflare alone.
const CLOUDFLARES_OWN: &str = "cloudflare-cdn-cache-control";

#[derive(Debug)]
struct Isolate {
    hooks: Hooks,
    config: Config,
    /// Made by the first request, because variables and randomness are not there before.
    edge: Option<Result<Arc<Edge>, String>>,
}

/// Starts an instance. Runs at global scope, where there is neither time nor randomness.
#[doc(hidden)]
pub fn boot<A: App>(host: Host, config: Option<Uint8Array>) {
    let reporter = host.clone();
    std::panic::set_hook(Box::new(move |info| reporter.died(&info.to_string())));
    HOST.set(Some(host));
    BUNDLED.set(config.map(|bytes| bytes.to_vec()));
    let hooks = Hooks::of::<A>();
    let config = (hooks.config)();
    ISOLATE.set(Some(Isolate { hooks, config, edge: None }));
}

/// The JavaScript half.
pub(crate) fn host() -> Host {
    let Some(host) = HOST.with_borrow(Clone::clone) else {
        unreachable!("the entry module boots an instance before it calls it");
    };
    host
}

/// The bytes of the bundle's `levee.bin`.
pub(crate) fn bundled_config() -> Option<Vec<u8>> {
    BUNDLED.with_borrow(Clone::clone)
}

pub(crate) fn hooks() -> Hooks {
    let Some(hooks) = ISOLATE.with_borrow(|isolate| isolate.as_ref().map(|isolate| isolate.hooks)) else {
        unreachable!("the entry module boots an instance before it calls it");
    };
    hooks
}

/// The edge of this isolate.
///
/// # Errors
/// Why there is none, for people.
pub(crate) fn edge(env: &JsValue) -> Result<Arc<Edge>, String> {
    ISOLATE.with_borrow_mut(|isolate| {
        let Some(isolate) = isolate else {
            unreachable!("the entry module boots an instance before it calls it");
        };
        let Isolate { config, edge, .. } = isolate;
        edge.get_or_insert_with(|| config.0.clone().and_then(|config| start(config, env))).clone()
    })
}

fn start(mut config: Compiled, env: &JsValue) -> Result<Arc<Edge>, String> {
    override_origins(&mut config, |name| variable(env, name))?;
    config.listen_to(CLOUDFLARES_OWN);
    let host = host();
    if kv::KvStore::bound(env).is_none() {
        host.warn(&format!(
            "no KV namespace is bound as {}: nothing is cached beyond this isolate's memory and this data centre",
            kv::BINDING
        ));
    }
    let access =
        Access::at(variable(env, "LEVEE_ENVIRONMENT").as_deref(), variable(env, "LEVEE_STATUS_TOKEN"));
    let secret = variable(env, "LEVEE_SECRET").map(Into::into);
    let setup = Setup { runtime: "workerd", seed: host.random(), now: now(), access, secret, threads: 1 };
    Ok(Arc::new(Edge::new(config, setup)))
}

/// A variable or a secret: both are strings of the environment.
fn variable(env: &JsValue, name: &str) -> Option<String> {
    Reflect::get(env.unchecked_ref(), &JsValue::from_str(name)).ok()?.as_string()
}
