//! The file, its origins, and what concerns the whole edge.

use toml::de::DeValue;

use super::choice::{OriginHost, Platform, PurgeAuth};
use super::host::Host;
use super::named::Named;
use super::names::{Method, Name, Region};
use super::origin_url::OriginUrl;
use super::path::{HealthPath, Path};
use super::policy::Policy;
use super::quantity::{Duration, Size};
use crate::json::Json;
use crate::read::{List, Node, Number, Reader, Value, describe};

section! {
    /// The configuration of a Levee edge: which hosts it serves, the origins behind it, and how each route is cached.
    pub(crate) struct File {
        /// Version of this format. Always 1.
        version: Version = (required "`version = 1`, before the first `[table]`"),
        /// Hosts that are served: names, `*.example.com` for all names below one. A request for another host is answered
        /// 421. Left out: any host.
        hosts: List<Host, 1>,
        /// The origins by name: `[origins.NAME]`. At least one, and at least one that is no backup.
        origins: Named<Origin> = (required "`[origins.NAME]`, then `url = \"https://…\"`"),
        /// Limits between the edge and its origins.
        shield: Shield,
        /// How `POST /.levee/purge` is authenticated. Left out: purging is off.
        purge: Purge,
        /// Sizes, times and numbers that protect the edge.
        limits: Limits,
        /// The policy where no route matches, and what routes leave unsaid.
        defaults: Policy,
        /// Routes, `[[routes]]`: the first whose path and method match gives the policy.
        routes: List<Route>,
    }
}

/// `version = 1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version;

impl Value for Version {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            DeValue::Integer(number) if number.as_str() == "1" => Some(Self),
            other => {
                let message = format!("`{}` must be 1, not {}", node.name, describe(other));
                reader.error(&node.span, message).help("this Levee reads format 1: `version = 1`");
                None
            }
        }
    }

    fn schema() -> Json {
        Json::object([("const", 1.into())])
    }
}

section! {
    /// One server, or region of servers, that can answer what the edge cannot.
    pub(crate) struct Origin {
        /// `http` or `https`, host, and port where it is not the usual one; no path: `https://eu.example.net`.
        url: OriginUrl = (required "`url = \"https://eu.example.net\"`"),
        /// Where it stands, by a name of yours. Not enforced yet.
        region: Region,
        /// Path of the health check, such as `/healthz`. Not enforced yet.
        health: HealthPath,
        /// Its share of the requests among the origins of a route that are no backups.
        weight: Number<1, 65_535> = 1,
        /// Only asked when no other origin could be reached.
        backup: bool = false,
        /// What the origin reads as `Host` (RFC 9110, section 7.2). Left out: `client` where `hosts` are named and the origin has a plain
        /// `http` URL, an IP address or a private name, else `origin`.
        host: OriginHost,
    }
}

section! {
    /// Limits between the edge and its origins.
    pub(crate) struct Shield {
        /// How long an origin is waited for.
        timeout: Timeout,
        /// Requests under way to one origin from one instance of the edge.
        max_inflight: Number<1, 4_294_967_295> = 64,
    }
}

section! {
    /// How long an origin is waited for.
    pub(crate) struct Timeout {
        /// Until the connection stands.
        connect: Duration<1> = "1s",
        /// Until the first byte of the answer.
        first_byte: Duration<1> = "60s",
    }
}

section! {
    /// How `POST /.levee/purge` is authenticated. Not enforced yet.
    pub(crate) struct Purge {
        /// The ways that are accepted. The secrets are `LEVEE_PURGE_KEY` and `LEVEE_PURGE_TOKEN`; none stands in this file.
        auth: List<PurgeAuth, 1> = (required "`auth = [\"hmac\"]`"),
    }
}

section! {
    /// Sizes, times and numbers that protect the edge.
    pub(crate) struct Limits {
        /// Longest request target; a longer one is answered 414.
        uri: Size<256, 1_048_576> = "8KiB",
        /// All field lines of a request together; more is answered 431.
        fields: Size<1_024, 1_048_576> = "32KiB",
        /// Largest body that is stored; a larger one streams through.
        object: Size<1, 1_073_741_824> = "2MiB",
        /// What the entries in the memory of one instance may take.
        memory: Size<0, 1_099_511_627_776> = "32MiB",
        /// The longest time without a byte of a body, in either direction, while the edge waits for one. Then the exchange ends.
        body_idle: Duration<1_000> = "60s",
        /// The least bytes a second, on average, of a body that others wait for: an upload, or a response that is being stored.
        body_rate: Size<0, 1_048_576> = "256B",
        /// Connections of clients at once (native only). A further one closes the one that has been idle for longest.
        connections: Number<16, 1_000_000> = 4096,
        /// The platform whose limits hold beside these; what does not fit is an error.
        platform: Platform = "any",
    }
}

section! {
    /// A route: which requests it is for, and what it overrides of `[defaults]`.
    pub(crate) struct Route {
        /// Its name, of its own among the routes: it stands in messages.
        name: Name = (required "`name = \"films\"`: a name of its own"),
        /// Paths it matches: `*` is any run of characters within a segment, `**` any number of segments (`/api/**` matches
        /// `/api` and all below).
        path: Path = (required "`path = \"/films/**\"`"),
        /// Methods it matches, in capitals. Left out: every method.
        methods: List<Method, 1>,
        ..policy: Policy,
    }
}
