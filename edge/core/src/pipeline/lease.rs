//! A miss or a revalidation beside those of other instances.

use std::sync::Arc;

use super::Exchange;
use super::cached::Request;
use super::fill::Fill;
use crate::entry::Entry;
use crate::lookup::{self, Found, is_newer};
use crate::platform::Platform;
use crate::shield::lease::{Held, Queue, Tried, Turn};

/// What a miss is to do.
pub(super) enum Entered<P: Platform> {
    /// It fills for all instances.
    Lead(Held<P>),
    /// It goes to the origin by itself.
    Alone,
    /// Another instance has brought what answers it.
    Brought(Arc<Entry>),
}

/// Takes the lease of the key, or waits for what its holder brings.
pub(super) async fn enter<P: Platform>(
    exchange: &Exchange<P>,
    request: &Request,
    key: &str,
    found: &Found,
) -> Entered<P> {
    let (edge, platform) = (&exchange.edge, &exchange.platform);
    if platform.lease().is_none() || platform.stores().is_empty() {
        return Entered::Alone;
    }
    let mut queue = Queue::new(edge, platform, key);
    loop {
        let turn = queue.turn(edge, platform, key).await;
        if let Turn::Alone = turn {
            return Entered::Alone;
        }
        // A fill that has ended between look-up and here is as good as one that is waited for.
        let forwarded = request.forwarded(exchange);
        let serves = |far: &Found| request.decide(far, platform.now()).is_serve();
        let near = found.clone();
        let far =
            lookup::in_stores(edge, platform, &request.key, forwarded, exchange.policy(), near, serves).await;
        if serves(&far)
            && let Found::Entry { entry, .. } = far
        {
            return Entered::Brought(entry);
        }
        if let Turn::Lead(held) = turn {
            return Entered::Lead(held);
        }
    }
}

/// What a revalidation behind an answer is to do.
pub(super) enum Behind<P: Platform> {
    Fetch(Option<Held<P>>),
    /// Another instance has brought a newer entry.
    Brought(Arc<Entry>),
    /// Another instance is at it.
    Leave,
}

/// Takes the lease of the key, without waiting for it.
pub(super) async fn behind<P: Platform>(fill: &Fill<P>, key: &str, stale: &Arc<Entry>) -> Behind<P> {
    let (edge, platform) = (&fill.exchange.edge, &fill.exchange.platform);
    if platform.lease().is_none() || platform.stores().is_empty() {
        return Behind::Fetch(None);
    }
    let held = match Queue::new(edge, platform, key).try_lead(edge, platform).await {
        Tried::Taken => return Behind::Leave,
        Tried::Alone => None,
        Tried::Lead(held) => Some(held),
    };
    let near = Found::Entry { entry: stale.clone(), tier: lookup::MEMORY };
    let is_enough = |far: &Found| is_newer(far, &near);
    let forwarded = fill.request.forwarded(&fill.exchange);
    let policy = fill.exchange.policy();
    let far =
        lookup::in_stores(edge, platform, &fill.request.key, forwarded, policy, near.clone(), is_enough)
            .await;
    match far.entry() {
        Some(entry) if is_newer(&far, &near) => Behind::Brought(entry.clone()),
        _ => Behind::Fetch(held),
    }
}
