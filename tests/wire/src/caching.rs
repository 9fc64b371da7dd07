//! What an origin may say of caching, and what that means. Rules that cannot be read mean the strictest.

use crate::plan::Caching;

const OPEN: Caching =
    Caching { lines: &[], private: false, explicit: true, with_credentials: false, once: false };
const CLOSED: Caching = Caching { private: true, ..OPEN };
const CC: &str = "Cache-Control";

pub const FRESH: Caching = Caching { lines: &[(CC, "max-age=60")], ..OPEN };
pub const PUBLIC: Caching = Caching { lines: &[(CC, "public, max-age=60")], with_credentials: true, ..OPEN };
pub const SHARED: Caching = Caching { lines: &[(CC, "s-maxage=60")], with_credentials: true, ..OPEN };
pub const SILENT: Caching = Caching { explicit: false, ..OPEN };
pub const STALE: Caching = Caching { lines: &[(CC, "max-age=0")], ..OPEN };
pub const ASK_FIRST: Caching = Caching { lines: &[(CC, "no-cache")], ..OPEN };
/// Without `must-revalidate` counting as leave to share with credentials: that is asked of an entry.
pub const CONFIRM: Caching =
    Caching { lines: &[(CC, "max-age=0, must-revalidate")], with_credentials: true, ..OPEN };
pub const BEHIND: Caching =
    Caching { lines: &[(CC, "max-age=0, stale-while-revalidate=60, stale-if-error=60")], ..OPEN };
pub const EXPIRES: Caching = Caching { lines: &[("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")], ..OPEN };
pub const FIELD: Caching = Caching { lines: &[(CC, "max-age=60, private=\"x-once\"")], once: true, ..OPEN };
pub const FIELD_ASKED: Caching =
    Caching { lines: &[(CC, "max-age=60, no-cache=\"x-once, set-cookie\"")], once: true, ..OPEN };

pub const NO_STORE: Caching = Caching { lines: &[(CC, "no-store")], ..CLOSED };
pub const NO_STORE_AGED: Caching = Caching { lines: &[(CC, "max-age=60, no-store")], ..CLOSED };
pub const PRIVATE: Caching = Caching { lines: &[(CC, "private, max-age=60")], ..CLOSED };
pub const PRIVATE_SHOUTED: Caching = Caching { lines: &[(CC, "PRIVATE, Max-Age=60")], ..CLOSED };
pub const PRIVATE_SECOND_LINE: Caching = Caching { lines: &[(CC, "max-age=60"), (CC, "private")], ..CLOSED };
pub const PRIVATE_COMMA: Caching = Caching { lines: &[(CC, "private=\",\", max-age=60")], ..CLOSED };
pub const PRIVATE_EMPTY: Caching = Caching { lines: &[(CC, "private=\"\", max-age=60")], ..CLOSED };
pub const PRIVATE_UNBALANCED: Caching =
    Caching { lines: &[(CC, "max-age=60, ext=\"open, private")], ..CLOSED };
pub const PRIVATE_CONNECTION: Caching =
    Caching { lines: &[(CC, "private, max-age=60"), ("Connection", "cache-control")], ..CLOSED };

/// All of them, the usual ones first.
pub const EVERY: &[Caching] = &[
    FRESH,
    PUBLIC,
    SHARED,
    SILENT,
    STALE,
    ASK_FIRST,
    CONFIRM,
    BEHIND,
    EXPIRES,
    FIELD,
    FIELD_ASKED,
    NO_STORE,
    NO_STORE_AGED,
    PRIVATE,
    PRIVATE_SHOUTED,
    PRIVATE_SECOND_LINE,
    PRIVATE_COMMA,
    PRIVATE_EMPTY,
    PRIVATE_UNBALANCED,
    PRIVATE_CONNECTION,
];
