//! A miss or a revalidation beside those of other instances.

use std::sync::Arc;

use super::Exchange;
use super::cached::Request;
use super::fill::Fill;
use crate::decide::Decision;
use crate::entry::Slot;
use crate::lookup::{self, Found, is_newer};
use crate::platform::Platform;
use crate::shield::lease::{Held, Queue, Tried, Turn};

/// What a miss is to do.
pub(super) enum Across<P: Platform> {
    /// It fills for all instances.
    Lead(Held<P>),
    /// It goes to the origin by itself.
    Alone,
    /// Another instance has brought what answers it.
    Brought(Arc<Slot>),
}

/// Takes the lease of the key, or waits for what its holder brings.
pub(super) async fn enter<P: Platform>(
    exchange: &Exchange<'_, P>,
    request: &Request,
    found: &Found,
) -> Across<P> {
    let (edge, platform) = (exchange.edge, exchange.platform);
    if platform.lease().is_none() || platform.stores().is_empty() {
        return Across::Alone;
    }
    let key = request.key.as_str();
    let mut queue = Queue::new(edge, platform, key);
    loop {
        let turn = queue.turn(edge, platform, key).await;
        if let Turn::Alone = turn {
            return Across::Alone;
        }
        // A fill that has ended between look-up and here is as good as one that is waited for.
        let forwarded = request.forwarded(exchange);
        let serves = |far: &Found| matches!(request.decide(far, platform.now()), Decision::Serve(_));
        let near = found.clone();
        let far =
            lookup::in_stores(edge, platform, &request.key, forwarded, exchange.policy(), near, serves).await;
        if serves(&far)
            && let Found::Entry { slot, .. } = far
        {
            return Across::Brought(slot);
        }
        if let Turn::Lead(held) = turn {
            return Across::Lead(held);
        }
    }
}

/// What a revalidation behind an answer is to do.
pub(super) enum Behind<P: Platform> {
    Fetch(Option<Held<P>>),
    /// Another instance has brought a newer entry.
    Brought(Arc<Slot>),
    /// Another instance is at it.
    Leave,
}

/// Takes the lease of the key, without waiting for it.
pub(super) async fn behind<P: Platform>(fill: &Fill<P>, stale: &Arc<Slot>) -> Behind<P> {
    let (edge, platform) = (&fill.edge, &fill.platform);
    if platform.lease().is_none() || platform.stores().is_empty() {
        return Behind::Fetch(None);
    }
    let key = fill.key.as_str();
    let held = match Queue::new(edge, platform, key).try_lead(edge, platform).await {
        Tried::Taken => return Behind::Leave,
        Tried::Alone => None,
        Tried::Lead(held) => Some(held),
    };
    let near = Found::Entry { slot: stale.clone(), tier: lookup::MEMORY };
    let far =
        lookup::in_stores(edge, platform, &fill.key, &fill.forwarded, fill.policy(), near.clone(), |far| {
            is_newer(far, &near)
        })
        .await;
    match far {
        Found::Entry { ref slot, .. } if is_newer(&far, &near) => Behind::Brought(slot.clone()),
        _ => Behind::Fetch(held),
    }
}
