//! Ordinary fields that one thread has seen: a browser sends the same ones with each request, and they need be judged once.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::SeedableRandomState;
use http::{HeaderName, HeaderValue};

use super::hit::standing;
use crate::edge::Edge;
use crate::fields::owned_name;
use crate::key::Standing;
use crate::route::RouteId;

/// Places. A power of two.
const MOST: usize = 256;
/// Longer values are judged each time, in bytes.
const LONGEST: usize = 512;

/// What was found to be ordinary, each in the one place that its hash gives it.
pub(super) struct Ordinary {
    hasher: SeedableRandomState,
    places: Box<[Option<Seen>]>,
}

struct Seen {
    route: RouteId,
    name: HeaderName,
    value: Box<[u8]>,
}

impl Ordinary {
    pub(super) fn new(hasher: SeedableRandomState) -> Self {
        Self { hasher, places: std::iter::repeat_with(|| None).take(MOST).collect() }
    }

    /// Whether a field with this one value is ordinary on a route.
    pub(super) fn holds(
        &mut self,
        edge: &Edge,
        route: RouteId,
        name: &HeaderName,
        value: &HeaderValue,
    ) -> bool {
        let bytes = value.as_bytes();
        let mut hasher = self.hasher.build_hasher();
        name.hash(&mut hasher);
        hasher.write(bytes);
        let place = &mut self.places[hasher.finish() as usize & (MOST - 1)];
        if let Some(seen) = place
            && seen.route == route
            && seen.name == *name
            && *seen.value == *bytes
        {
            return true;
        }
        let ordinary = standing(edge, route, name, value) != Standing::Selects;
        if ordinary && bytes.len() <= LONGEST {
            let name = owned_name(name);
            *place = Some(Seen { route, name, value: bytes.into() });
        }
        ordinary
    }
}
