//! The fields that have a class by their name, and how a name is looked up.

use super::grammar::{accept, agent, directives, hints, hosts, languages, tracing, words};
use Kind::{Forwarded, Identifier, Ordinary, Own, Platform};

/// Whether a value is what clients send in a field.
pub(super) type Grammar = fn(&[u8]) -> bool;

/// What a name alone says of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The edge writes, consumes or answers it, or tells entries apart by it in any case.
    Own,
    /// By it a proxy says whose request it brings. The edge writes it anew, or leaves it out.
    Forwarded(Tells),
    /// What stands before the edge adds it.
    Platform(Tells),
    Ordinary(Grammar),
    /// Ordinary, and another in each request or trace.
    Identifier(Grammar),
}

/// What a field that a proxy adds says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// Which way the request took.
    Way,
    /// Who asks: the address of the client.
    Address,
    /// Where the visitor is, on what device, or whether it is a person.
    Visitor,
}

/// All of them, by name.
pub(super) static FIELDS: [(&str, Kind); 220] = [
    ("accept", Ordinary(accept::accept)),
    ("accept-charset", Ordinary(words::charsets)),
    ("accept-encoding", Own),
    ("accept-language", Ordinary(languages::languages)),
    ("adrum", Ordinary(words::is_ajax)),
    ("akamai-origin-hop", Platform(Tells::Way)),
    ("ali-cdn-real-ip", Platform(Tells::Address)),
    ("alt-used", Ordinary(hosts::alt_used)),
    ("b3", Identifier(tracing::b3)),
    ("baggage", Identifier(tracing::baggage)),
    ("cache-control", Ordinary(directives::cache_control)),
    ("cdn-loop", Own),
    ("cf-0rtt-unique", Platform(Tells::Way)),
    ("cf-asn", Platform(Tells::Visitor)),
    ("cf-bot-score", Platform(Tells::Visitor)),
    ("cf-connecting-ip", Platform(Tells::Address)),
    ("cf-connecting-ipv6", Platform(Tells::Address)),
    ("cf-connecting-o2o", Platform(Tells::Way)),
    ("cf-device-type", Platform(Tells::Visitor)),
    ("cf-ew-via", Platform(Tells::Way)),
    ("cf-ipcity", Platform(Tells::Visitor)),
    ("cf-ipcontinent", Platform(Tells::Visitor)),
    ("cf-ipcountry", Platform(Tells::Visitor)),
    ("cf-iplatitude", Platform(Tells::Visitor)),
    ("cf-iplongitude", Platform(Tells::Visitor)),
    ("cf-is-eu-country", Platform(Tells::Visitor)),
    ("cf-ja3-hash", Platform(Tells::Visitor)),
    ("cf-ja4", Platform(Tells::Visitor)),
    ("cf-metro-code", Platform(Tells::Visitor)),
    ("cf-postal-code", Platform(Tells::Visitor)),
    ("cf-pseudo-ipv4", Platform(Tells::Address)),
    ("cf-railgun", Platform(Tells::Way)),
    ("cf-ray", Platform(Tells::Way)),
    ("cf-region", Platform(Tells::Visitor)),
    ("cf-region-code", Platform(Tells::Visitor)),
    ("cf-request-id", Platform(Tells::Way)),
    ("cf-threat-score", Platform(Tells::Visitor)),
    ("cf-timezone", Platform(Tells::Visitor)),
    ("cf-verified-bot", Platform(Tells::Visitor)),
    ("cf-visitor", Platform(Tells::Way)),
    ("cf-warp-tag-id", Platform(Tells::Way)),
    ("cf-worker", Platform(Tells::Way)),
    ("client-ip", Forwarded(Tells::Address)),
    ("cloudfront-forwarded-proto", Platform(Tells::Way)),
    ("cloudfront-is-android-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-desktop-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-ios-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-mobile-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-smarttv-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-tablet-viewer", Platform(Tells::Visitor)),
    ("cloudfront-viewer-address", Platform(Tells::Address)),
    ("cloudfront-viewer-asn", Platform(Tells::Visitor)),
    ("cloudfront-viewer-city", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country-name", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country-region", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country-region-name", Platform(Tells::Visitor)),
    ("cloudfront-viewer-header-count", Platform(Tells::Visitor)),
    ("cloudfront-viewer-header-order", Platform(Tells::Visitor)),
    ("cloudfront-viewer-http-version", Platform(Tells::Way)),
    ("cloudfront-viewer-ja3-fingerprint", Platform(Tells::Visitor)),
    ("cloudfront-viewer-ja4-fingerprint", Platform(Tells::Visitor)),
    ("cloudfront-viewer-latitude", Platform(Tells::Visitor)),
    ("cloudfront-viewer-longitude", Platform(Tells::Visitor)),
    ("cloudfront-viewer-metro-code", Platform(Tells::Visitor)),
    ("cloudfront-viewer-postal-code", Platform(Tells::Visitor)),
    ("cloudfront-viewer-time-zone", Platform(Tells::Visitor)),
    ("cloudfront-viewer-tls", Platform(Tells::Way)),
    ("connection", Own),
    ("content-length", Own),
    ("correlation-id", Identifier(tracing::id)),
    ("dnt", Ordinary(words::zero_or_one)),
    ("do-connecting-ip", Platform(Tells::Address)),
    ("early-data", Ordinary(words::one)),
    ("elastic-apm-traceparent", Identifier(tracing::traceparent)),
    ("expect", Own),
    ("expires", Ordinary(words::expired)),
    ("fastly-client", Platform(Tells::Way)),
    ("fastly-client-ip", Forwarded(Tells::Address)),
    ("fastly-ff", Platform(Tells::Way)),
    ("fastly-ssl", Platform(Tells::Way)),
    ("fastly-temp-xff", Forwarded(Tells::Address)),
    ("fly-client-ip", Platform(Tells::Address)),
    ("fly-forwarded-port", Platform(Tells::Way)),
    ("fly-forwarded-proto", Platform(Tells::Way)),
    ("fly-forwarded-ssl", Platform(Tells::Way)),
    ("fly-region", Platform(Tells::Way)),
    ("fly-request-id", Platform(Tells::Way)),
    ("fly-traceparent", Platform(Tells::Way)),
    ("fly-tracestate", Platform(Tells::Way)),
    ("forwarded", Forwarded(Tells::Address)),
    ("forwarded-for", Forwarded(Tells::Address)),
    ("from", Ordinary(hosts::mailbox)),
    ("front-end-https", Forwarded(Tells::Way)),
    ("host", Own),
    ("http2-settings", Own),
    ("if-match", Own),
    ("if-modified-since", Own),
    ("if-none-match", Own),
    ("if-range", Own),
    ("if-unmodified-since", Own),
    ("keep-alive", Own),
    ("levee-token", Own),
    ("newrelic", Identifier(tracing::base64)),
    ("origin", Own),
    ("pragma", Ordinary(words::no_cache)),
    ("priority", Ordinary(directives::priority)),
    ("proxy-authenticate", Own),
    ("proxy-authorization", Own),
    ("proxy-client-ip", Forwarded(Tells::Address)),
    ("proxy-connection", Own),
    ("range", Own),
    ("referer", Ordinary(hosts::referer)),
    ("request-context", Identifier(tracing::request_context)),
    ("request-id", Identifier(tracing::hierarchical)),
    ("rndr-id", Platform(Tells::Way)),
    ("save-data", Ordinary(words::on)),
    ("sec-ch-ua", Ordinary(hints::brands)),
    ("sec-ch-ua-mobile", Ordinary(words::boolean)),
    ("sec-ch-ua-platform", Ordinary(hints::platform)),
    ("sec-fetch-dest", Ordinary(words::fetch_dest)),
    ("sec-fetch-mode", Ordinary(words::fetch_mode)),
    ("sec-fetch-site", Ordinary(words::fetch_site)),
    ("sec-fetch-storage-access", Ordinary(words::storage_access)),
    ("sec-fetch-user", Ordinary(words::fetch_user)),
    ("sec-gpc", Ordinary(words::one)),
    ("sentry-trace", Identifier(tracing::sentry_trace)),
    ("te", Own),
    ("traceparent", Identifier(tracing::traceparent)),
    ("tracestate", Identifier(tracing::tracestate)),
    ("trailer", Own),
    ("transfer-encoding", Own),
    ("true-client-ip", Forwarded(Tells::Address)),
    ("uber-trace-id", Identifier(tracing::uber)),
    ("upgrade", Own),
    ("upgrade-insecure-requests", Ordinary(words::one)),
    ("user-agent", Ordinary(agent::user_agent)),
    ("via", Own),
    ("wl-proxy-client-ip", Forwarded(Tells::Address)),
    ("x-akamai-config-log-detail", Platform(Tells::Way)),
    ("x-akamai-device-characteristics", Platform(Tells::Visitor)),
    ("x-akamai-edgescape", Platform(Tells::Visitor)),
    ("x-amz-cf-id", Platform(Tells::Way)),
    ("x-amzn-apigateway-api-id", Platform(Tells::Way)),
    ("x-amzn-tls-cipher-suite", Platform(Tells::Way)),
    ("x-amzn-tls-version", Platform(Tells::Way)),
    ("x-amzn-trace-id", Identifier(tracing::amazon)),
    ("x-appengine-city", Platform(Tells::Visitor)),
    ("x-appengine-citylatlong", Platform(Tells::Visitor)),
    ("x-appengine-country", Platform(Tells::Visitor)),
    ("x-appengine-default-version-hostname", Platform(Tells::Way)),
    ("x-appengine-https", Platform(Tells::Way)),
    ("x-appengine-region", Platform(Tells::Visitor)),
    ("x-appengine-request-log-id", Platform(Tells::Way)),
    ("x-appengine-timeout-ms", Platform(Tells::Way)),
    ("x-appengine-user-ip", Platform(Tells::Address)),
    ("x-appgw-trace-id", Platform(Tells::Way)),
    ("x-azure-clientip", Platform(Tells::Address)),
    ("x-azure-fdid", Platform(Tells::Way)),
    ("x-azure-ref", Platform(Tells::Way)),
    ("x-azure-requestchain", Platform(Tells::Way)),
    ("x-azure-socketip", Platform(Tells::Address)),
    ("x-b3-flags", Identifier(tracing::b3_flag)),
    ("x-b3-parentspanid", Identifier(tracing::b3_id)),
    ("x-b3-sampled", Identifier(tracing::b3_flag)),
    ("x-b3-spanid", Identifier(tracing::b3_id)),
    ("x-b3-traceid", Identifier(tracing::b3_id)),
    ("x-client-ip", Forwarded(Tells::Address)),
    ("x-client-port", Forwarded(Tells::Address)),
    ("x-client-request-id", Identifier(tracing::id)),
    ("x-cloud-trace-context", Identifier(tracing::google)),
    ("x-cluster-client-ip", Forwarded(Tells::Address)),
    ("x-correlation-id", Identifier(tracing::id)),
    ("x-datadog-origin", Identifier(tracing::lower_word)),
    ("x-datadog-parent-id", Identifier(tracing::decimal)),
    ("x-datadog-sampling-priority", Identifier(tracing::decimal)),
    ("x-datadog-tags", Identifier(tracing::datadog_tags)),
    ("x-datadog-trace-id", Identifier(tracing::decimal)),
    ("x-dtpc", Identifier(tracing::dynatrace)),
    ("x-envoy-attempt-count", Platform(Tells::Way)),
    ("x-envoy-decorator-operation", Platform(Tells::Way)),
    ("x-envoy-expected-rq-timeout-ms", Platform(Tells::Way)),
    ("x-envoy-external-address", Forwarded(Tells::Address)),
    ("x-envoy-internal", Platform(Tells::Way)),
    ("x-envoy-peer-metadata", Platform(Tells::Way)),
    ("x-envoy-peer-metadata-id", Platform(Tells::Way)),
    ("x-fd-healthprobe", Platform(Tells::Way)),
    ("x-forwarded", Forwarded(Tells::Way)),
    ("x-forwarded-by", Forwarded(Tells::Way)),
    ("x-forwarded-for", Forwarded(Tells::Address)),
    ("x-forwarded-host", Forwarded(Tells::Way)),
    ("x-forwarded-port", Forwarded(Tells::Way)),
    ("x-forwarded-proto", Forwarded(Tells::Way)),
    ("x-forwarded-protocol", Forwarded(Tells::Way)),
    ("x-forwarded-scheme", Forwarded(Tells::Way)),
    ("x-forwarded-server", Forwarded(Tells::Way)),
    ("x-forwarded-ssl", Forwarded(Tells::Way)),
    ("x-ms-client-request-id", Identifier(tracing::id)),
    ("x-nginx-proxy", Forwarded(Tells::Way)),
    ("x-original-forwarded-for", Forwarded(Tells::Address)),
    ("x-originating-ip", Forwarded(Tells::Address)),
    ("x-playback-session-id", Identifier(tracing::id)),
    ("x-proxyuser-ip", Forwarded(Tells::Address)),
    ("x-queue-start", Platform(Tells::Way)),
    ("x-real-ip", Forwarded(Tells::Address)),
    ("x-real-port", Forwarded(Tells::Address)),
    ("x-remote-addr", Forwarded(Tells::Address)),
    ("x-remote-ip", Forwarded(Tells::Address)),
    ("x-request-id", Identifier(tracing::id)),
    ("x-request-start", Platform(Tells::Way)),
    ("x-requestid", Identifier(tracing::id)),
    ("x-scheme", Forwarded(Tells::Way)),
    ("x-timer", Platform(Tells::Way)),
    ("x-trace-id", Identifier(tracing::id)),
    ("x-true-client-ip", Forwarded(Tells::Address)),
    ("x-url-scheme", Forwarded(Tells::Way)),
    ("x-varnish", Platform(Tells::Way)),
    ("x-vercel-ip-city", Platform(Tells::Visitor)),
    ("x-vercel-ip-country", Platform(Tells::Visitor)),
    ("x-vercel-ip-country-region", Platform(Tells::Visitor)),
];

/// A power of two, about twice as many as there are names.
const SLOTS: usize = 512;
const FREE: u8 = u8::MAX;

/// Where each name is in [`FIELDS`], at its [`slot`] or at the first free one behind it.
static PLACES: [u8; SLOTS] = {
    assert!(FIELDS.len() < FREE as usize && FIELDS.len() < SLOTS);
    let mut places = [FREE; SLOTS];
    let mut at = 0;
    while at < FIELDS.len() {
        let mut slot = slot(FIELDS[at].0.as_bytes());
        while places[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        places[slot] = at as u8;
        at += 1;
    }
    places
};

/// Names that differ in their length, or in one of three bytes, mostly have slots of their own. The factors were searched for:
/// nearly all names are found at once, those of browsers above all.
const fn slot(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let (first, middle, last) =
        (name[0] as usize, name[name.len() / 2] as usize, name[name.len() - 1] as usize);
    (first * 13 + middle * 189 + last * 129 + name.len() * 81) % SLOTS
}

/// What is known of a name (in lower case).
pub(super) fn look_up(name: &str) -> Option<&'static Kind> {
    let mut slot = slot(name.as_bytes());
    // More slots than names: one is free.
    while PLACES[slot] != FREE {
        let (known, kind) = &FIELDS[usize::from(PLACES[slot])];
        if *known == name {
            return Some(kind);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// No name on the list is longer.
const LONGEST: usize = {
    let (mut longest, mut at) = (0, 0);
    while at < FIELDS.len() {
        if FIELDS[at].0.len() > longest {
            longest = FIELDS[at].0.len();
        }
        at += 1;
    }
    longest
};

/// The same where an underscore in the name is read as a hyphen, as CGI and what descends from it reads both.
pub(super) fn look_up_spelling(name: &str) -> Option<&'static Kind> {
    let mut spelled = [0; LONGEST];
    let spelled = spelled.get_mut(..name.len())?;
    for (to, from) in spelled.iter_mut().zip(name.bytes()) {
        *to = if from == b'_' { b'-' } else { from };
    }
    look_up(std::str::from_utf8(spelled).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_stands_once_in_order() {
        assert!(FIELDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, _) in &FIELDS {
            assert!(look_up(name).is_some(), "{name}");
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!name.contains('_') && look_up_spelling(&name.replace('-', "_")).is_some(), "{name}");
            assert!(
                look_up(&format!("{name}x")).is_none()
                    || FIELDS.iter().any(|(other, _)| *other == format!("{name}x"))
            );
        }
        for unknown in ["", "x", "x-tenant", "cf-cert-serial", "user_agent", &"a".repeat(200)] {
            assert!(look_up(unknown).is_none(), "{unknown}");
        }
        assert!(look_up_spelling(&"a_".repeat(100)).is_none());
    }
}
