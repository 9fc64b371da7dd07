//! What one component instance keeps between requests. Nothing here is borrowed across an await.

use std::cell::RefCell;
use std::sync::Arc;

use levee::config::{origin_variable, override_origin};
use levee::{Access, Edge, Setup};

use crate::app::Hooks;
use crate::kv::{self, KvStore};
use crate::platform::{Spin, now, random};
use crate::redis::SpinRedis;
use crate::variables;

thread_local! {
    static INSTANCE: RefCell<Option<Instance>> = const { RefCell::new(None) };
}

#[derive(Clone, Debug)]
struct Instance {
    edge: Arc<Edge>,
    platform: Spin,
}

/// The largest value that goes into the key-value store, in bytes: none of Spin's providers says less, and what is larger is
/// better kept by the memory tier or not at all.
const LARGEST_VALUE: u64 = 25 << 20;

/// The edge of this instance, and its platform.
///
/// # Errors
/// Why there is none, for people. The next request tries again.
pub(crate) async fn edge(hooks: Hooks) -> Result<(Arc<Edge>, Spin), String> {
    if let Some(ready) = ready() {
        return Ok(ready);
    }
    let started = start(hooks).await?;
    // Several requests may have started it at once: the first to get here stays.
    let Instance { edge, platform } = INSTANCE.with_borrow_mut(|kept| kept.get_or_insert(started).clone());
    Ok((edge, platform))
}

fn ready() -> Option<(Arc<Edge>, Spin)> {
    INSTANCE.with_borrow(|kept| kept.as_ref().map(|kept| (kept.edge.clone(), kept.platform.clone())))
}

async fn start(hooks: Hooks) -> Result<Instance, String> {
    let mut config = (hooks.config)().0?;
    for origin in &mut config.origins {
        let variable = origin_variable(&origin.name).to_ascii_lowercase();
        if let Some(url) = variables::optional(&variable).await? {
            override_origin(origin, &variable, &url)?;
        }
    }
    let environment = variables::optional(variables::ENVIRONMENT).await?;
    let access = Access::at(environment.as_deref(), variables::optional(variables::TOKEN).await?);
    let store = KvStore::open(config.limits.value.unwrap_or(LARGEST_VALUE)).await?;
    if store.is_none() {
        eprintln!(
            "levee: the manifest gives no key-value store `{}`: only this instance's memory caches",
            kv::LABEL
        );
    }
    let redis = variables::optional(variables::REDIS).await?.map(SpinRedis::new);
    let platform = Spin::new(hooks, store, redis);
    let secret = variables::optional(variables::SECRET).await?.map(Into::into);
    let setup = Setup { runtime: "spin", seed: random(), now: now(), access, secret, threads: 1 };
    Ok(Instance { edge: Arc::new(Edge::new(config, setup)), platform })
}
