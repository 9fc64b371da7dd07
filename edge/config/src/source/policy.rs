//! The keys of `[defaults]` and of every route.

use toml::de::DeValue;

use super::choice::{ClientDirectives, Credentials, RateLimitBy, SetCookie};
use super::named::Negative;
use super::names::{CookieName, CookiePattern, FieldName, Name, ParameterPattern};
use super::quantity::Duration;
use super::word::shown;
use crate::json::Json;
use crate::read::{List, Node, Number, Off, Reader, Value, Whole, describe};

/// A duration that may be zero.
pub(crate) type Time = Duration<0>;
/// A rate limit, or `false`.
pub(crate) type RateLimitSwitch = Off<Whole<RateLimit>>;

section! {
    /// The policy where no route matches, and what routes leave unsaid.
    pub(crate) struct Policy {
        /// Whether answers may be stored. Where not, requests go through whole.
        cache: bool = true,
        /// Names of the origins that serve it. Left out: all of them.
        origins: List<Name, 1>,
        /// Freshness lifetimes.
        ttl: Ttl,
        /// Windows in which a stale answer may be served (RFC 5861), where the origin names none.
        stale: Stale,
        /// What happens to a request that carries credentials: `Authorization`, `Cookie`, the usual key and token fields,
        /// and what `credential_fields` names.
        credentials: Credentials = "pass",
        /// Further request fields that count as credentials.
        credential_fields: List<FieldName> = [],
        /// Cookies that do not count as credentials, where cookies do; `*` stands for any run of characters. A request without
        /// other cookies is like one without any, and none of them reaches the origin where its response may be shared. Left out: those that docs/fields.md lists.
        ignored_cookies: List<CookiePattern>,
        /// What happens to an answer with `Set-Cookie` that could be stored.
        set_cookie: SetCookie = "refuse",
        /// What tells answers apart, beside scheme, host and path.
        key: Keyed,
        /// Request fields that count for nothing: they reach the origin and tell no answers apart, whatever they say.
        forward: Forward = [],
        /// Further request fields that are ordinary, with any value.
        ordinary: List<FieldName> = [],
        /// What a particular field does: `"answer"`, or further fields that are particular with every value.
        particular: Particular = [],
        /// Whether the origin is told by `Via` that a request came through a cache.
        via: bool = false,
        /// Whether `Cache-Control` and `Pragma` of a request move the cache.
        client_directives: ClientDirectives = "ignore",
        /// Targeted cache fields (RFC 9213) of an answer that this edge listens to before `Cache-Control`, the first first.
        targeted: List<FieldName> = ["cdn-cache-control"],
        /// Whether the fields of `targeted` and `Cache-Tag` are passed on to the client.
        pass_targeted: bool = false,
        /// Whether a lifetime may be guessed from `Last-Modified` where the origin names none (RFC 9111, section 4.2.2).
        heuristic: bool = false,
        /// Lifetimes for answers of an error's status, where the origin is silent: `{ 404 = "10s", 410 = "1m" }`.
        negative: Negative,
        /// How many requests one client may send; more are answered 429. Not enforced yet.
        rate_limit: RateLimitSwitch,
    }
}

section! {
    /// Freshness lifetimes that add to what the origin says.
    pub(crate) struct Ttl {
        /// Where the origin is silent. `"0s"`: such an answer is not stored.
        default: Duration = "0s",
        /// The longest lifetime that is believed.
        max: Off<Duration>,
        /// Whatever the origin says; but what it forbids to store is not stored.
        r#override: Off<Duration>,
    }
}

section! {
    /// Windows in which a stale answer may be served (RFC 5861), where the origin names none.
    pub(crate) struct Stale {
        /// At once, while it is fetched anew behind.
        while_revalidate: Duration = "0s",
        /// When the origin fails.
        if_error: Duration = "0s",
        /// When the origin does not answer at all (RFC 9111, section 4.2.4); the longer of this and what holds on errors.
        disconnected: Duration = "0s",
        /// `s-maxage` forbids stale answers (RFC 9111, section 5.2.2.10). True: the windows hold beside it.
        beside_s_maxage: bool = false,
    }
}

section! {
    /// What tells answers apart, beside scheme, host and path.
    pub(crate) struct Keyed {
        /// Which query parameters tell answers apart; the others do not reach the origin either. One of `keep` and `drop`;
        /// left out: all are kept. A route's `query` replaces the defaults' whole.
        query: Whole<Query>,
        /// Whether parameters are sorted by name before they are keyed and forwarded.
        sort: bool = false,
        /// Whether languages of equal weight in `Accept-Language` are sorted before they are keyed and forwarded.
        sort_languages: bool = false,
        /// Request fields that tell answers apart; they are forwarded. Credentials only with `credentials = "key"`.
        headers: List<FieldName> = [],
        /// Cookies that tell answers apart; they are forwarded. Only with `credentials = "key"`.
        cookies: List<CookieName> = [],
    }
}

section! {
    /// Which query parameters tell answers apart: one of `keep` and `drop`.
    pub(crate) struct Query {
        /// Only these; `*` stands for any run of characters. An empty list: none.
        keep: List<ParameterPattern>,
        /// All but these; `*` stands for any run of characters.
        drop: List<ParameterPattern>,
    }
}

section! {
    /// How many requests one client may send; more are answered 429.
    pub(crate) struct RateLimit {
        /// What a client is told apart by.
        by: RateLimitBy = (required "`by = \"ip\"`"),
        /// Requests allowed in a window.
        limit: Number<1, 4_294_967_295> = (required "`limit = 20`"),
        /// The window's length.
        window: Duration<1> = (required "`window = \"10s\"`"),
    }
}

/// `forward`.
#[derive(Clone, Debug)]
pub(crate) struct Forward(pub(crate) List<FieldName>);

impl Value for Forward {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let DeValue::String(text) = node.value
            && text == "all"
        {
            let error = reader
                .error(&node.span, format!("`{}` lists fields: every field reaches the origin", node.name));
            error.help("leave it out; for a plain RFC 9111 shared cache write `particular = \"answer\"`");
            return None;
        }
        List::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        List::<FieldName>::schema()
    }
}

/// `particular`.
#[derive(Clone, Debug)]
pub(crate) enum Particular {
    Answer,
    Fields(List<FieldName>),
}

impl Value for Particular {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let wrong = match node.value {
            DeValue::Array(_) => return List::read(node, reader).map(Self::Fields),
            DeValue::String(text) if text == "answer" => return Some(Self::Answer),
            DeValue::String(text) => format!("\"{}\"", shown(text)),
            other => describe(other),
        };
        reader
            .error(&node.span, format!("`{}` must be \"answer\" or a list of fields, not {wrong}", node.name))
            .help(format!("write `{} = [\"x-tenant\"]` or `{0} = \"answer\"`", node.key()));
        None
    }

    fn schema() -> Json {
        let answer = Json::object([
            ("const", "answer".into()),
            (
                "description",
                "They tell nothing apart but by `Vary`, as in a plain RFC 9111 shared cache.".into(),
            ),
        ]);
        let about = "A particular field selects: an answer is for requests with the same particular fields and values. These are \
                     particular with every value.";
        let fields = List::<FieldName>::schema().with("description", about);
        Json::object([("anyOf", vec![answer, fields].into())])
    }
}
