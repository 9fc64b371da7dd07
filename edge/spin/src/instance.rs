//! What one component instance keeps between requests. Nothing here is borrowed across an await.

use std::cell::RefCell;
use std::sync::Arc;

use levee::config::{Config as Compiled, origin_variable, override_origin};
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
    config: Compiled,
    environment: Option<String>,
    token: Option<String>,
    platform: Spin,
    /// One; on a developer's machine there may be a second, for hosts that may not see the status page without a token.
    edges: Vec<(Access, Arc<Edge>)>,
}

/// The largest value that goes into the key-value store, in bytes: none of Spin's providers says less, and what is larger is
/// better kept by the memory tier or not at all.
const LARGEST_VALUE: u64 = 25 << 20;

/// The edge that serves requests for `authority`, and its platform.
///
/// # Errors
/// Why there is none, for people. The next request tries again.
pub(crate) async fn edge(authority: &str, hooks: Hooks) -> Result<(Arc<Edge>, Spin), String> {
    if let Some(ready) = ready(authority) {
        return Ok(ready);
    }
    let instance = start(hooks).await?;
    // Several requests may have started it at once: the first to get here stays.
    INSTANCE.with_borrow_mut(|kept| {
        kept.get_or_insert(instance);
    });
    ready(authority).ok_or_else(|| "The instance is gone.".to_owned())
}

fn ready(authority: &str) -> Option<(Arc<Edge>, Spin)> {
    INSTANCE.with_borrow_mut(|instance| {
        let Instance { config, environment, token, platform, edges } = instance.as_mut()?;
        let access = Access::at(authority, environment.as_deref(), token.clone());
        let at = edges.iter().position(|(known, _)| *known == access).unwrap_or_else(|| {
            let setup =
                Setup { runtime: "spin", seed: random(), now: now(), access: access.clone(), threads: 1 };
            edges.push((access, Arc::new(Edge::new(config.clone(), setup))));
            edges.len() - 1
        });
        Some((edges[at].1.clone(), platform.clone()))
    })
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
    let token = variables::optional(variables::TOKEN).await?;
    let store = KvStore::open(config.limits.value.unwrap_or(LARGEST_VALUE)).await?;
    if store.is_none() {
        eprintln!(
            "levee: the manifest gives no key-value store `{}`: only this instance's memory caches",
            kv::LABEL
        );
    }
    let redis = variables::optional(variables::REDIS).await?.map(SpinRedis::new);
    let platform = Spin::new(hooks, store, redis);
    Ok(Instance { config, environment, token, platform, edges: Vec::new() })
}
