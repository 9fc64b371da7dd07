//! `levee.toml` as it is written: the types that read it, and from which its JSON Schema is generated.

mod choice;
mod file;
mod host;
mod named;
mod names;
mod origin_url;
mod path;
mod policy;
mod quantity;
mod word;

pub(crate) use choice::{ClientDirectives, Credentials, OriginHost, Platform, PurgeAuth, SetCookie};
pub(crate) use file::{File, Origin, Route};
pub(crate) use host::Host;
pub(crate) use named::Negative;
pub(crate) use names::{CookieName, FieldName, ParameterPattern};
pub(crate) use origin_url::OriginUrl;
pub(crate) use path::Path;
pub(crate) use policy::{Particular, Policy, Query, RateLimitSwitch, Stale, Time, Ttl};
pub(crate) use word::{Word, shown};
