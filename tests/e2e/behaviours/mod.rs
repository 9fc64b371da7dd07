//! The list. A behaviour is a function whose name says what must be true; what is shared between them stands beside it.

mod caching;

use std::pin::Pin;

use anyhow::Result;

use crate::cx::Cx;
use crate::runtimes::Runtime;

type Run = for<'a> fn(&'a Cx<'a>) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    /// Whether this runtime promises it.
    pub(crate) promised: fn(&dyn Runtime) -> bool,
}

macro_rules! behaviours {
    ($($module:ident::$name:ident $(if $promised:expr)?,)*) => {
        pub(crate) const ALL: &[Behaviour] = &[$(Behaviour {
            name: stringify!($name),
            run: |cx| Box::pin($module::$name(cx)),
            promised: behaviours!(@promised $($promised)?),
        },)*];
    };
    (@promised) => { |_| true };
    (@promised $promised:expr) => { $promised };
}

behaviours! {
    caching::a_miss_is_followed_by_a_hit,
    caching::a_reload_is_still_a_hit,
    caching::stale_is_served_while_a_request_refreshes_behind_it,
    caching::a_304_confirms_what_is_stored,
    caching::concurrent_misses_are_one_request_to_the_origin if |runtime| runtime.collapses(),
}
