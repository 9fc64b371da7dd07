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

/// All of them, by length and then by name: so only names of one length are compared.
pub(super) const FIELDS: [(&str, Kind); 220] = [
    ("b3", Identifier(tracing::b3)),
    ("te", Own),
    ("dnt", Ordinary(words::zero_or_one)),
    ("via", Own),
    ("from", Ordinary(hosts::mailbox)),
    ("host", Own),
    ("adrum", Ordinary(words::is_ajax)),
    ("range", Own),
    ("accept", Ordinary(accept::accept)),
    ("cf-asn", Platform(Tells::Visitor)),
    ("cf-ja4", Platform(Tells::Visitor)),
    ("cf-ray", Platform(Tells::Way)),
    ("expect", Own),
    ("origin", Own),
    ("pragma", Ordinary(words::no_cache)),
    ("x-dtpc", Identifier(tracing::dynatrace)),
    ("baggage", Identifier(tracing::baggage)),
    ("expires", Ordinary(words::expired)),
    ("referer", Ordinary(hosts::referer)),
    ("rndr-id", Platform(Tells::Way)),
    ("sec-gpc", Ordinary(words::one)),
    ("trailer", Own),
    ("upgrade", Own),
    ("x-timer", Platform(Tells::Way)),
    ("alt-used", Ordinary(hosts::alt_used)),
    ("cdn-loop", Own),
    ("if-match", Own),
    ("if-range", Own),
    ("newrelic", Identifier(tracing::base64)),
    ("priority", Ordinary(directives::priority)),
    ("x-scheme", Forwarded(Tells::Way)),
    ("cf-ew-via", Platform(Tells::Way)),
    ("cf-ipcity", Platform(Tells::Visitor)),
    ("cf-region", Platform(Tells::Visitor)),
    ("cf-worker", Platform(Tells::Way)),
    ("client-ip", Forwarded(Tells::Address)),
    ("fastly-ff", Platform(Tells::Way)),
    ("forwarded", Forwarded(Tells::Address)),
    ("save-data", Ordinary(words::on)),
    ("sec-ch-ua", Ordinary(hints::brands)),
    ("x-real-ip", Forwarded(Tells::Address)),
    ("x-varnish", Platform(Tells::Way)),
    ("cf-railgun", Platform(Tells::Way)),
    ("cf-visitor", Platform(Tells::Way)),
    ("connection", Own),
    ("early-data", Ordinary(words::one)),
    ("fastly-ssl", Platform(Tells::Way)),
    ("fly-region", Platform(Tells::Way)),
    ("keep-alive", Own),
    ("request-id", Identifier(tracing::hierarchical)),
    ("tracestate", Identifier(tracing::tracestate)),
    ("user-agent", Ordinary(agent::user_agent)),
    ("x-b3-flags", Identifier(tracing::b3_flag)),
    ("x-trace-id", Identifier(tracing::id)),
    ("cf-ja3-hash", Platform(Tells::Visitor)),
    ("cf-timezone", Platform(Tells::Visitor)),
    ("levee-token", Own),
    ("traceparent", Identifier(tracing::traceparent)),
    ("x-amz-cf-id", Platform(Tells::Way)),
    ("x-azure-ref", Platform(Tells::Way)),
    ("x-b3-spanid", Identifier(tracing::b3_id)),
    ("x-client-ip", Forwarded(Tells::Address)),
    ("x-forwarded", Forwarded(Tells::Way)),
    ("x-real-port", Forwarded(Tells::Address)),
    ("x-remote-ip", Forwarded(Tells::Address)),
    ("x-requestid", Identifier(tracing::id)),
    ("cf-bot-score", Platform(Tells::Visitor)),
    ("cf-ipcountry", Platform(Tells::Visitor)),
    ("sentry-trace", Identifier(tracing::sentry_trace)),
    ("x-azure-fdid", Platform(Tells::Way)),
    ("x-b3-sampled", Identifier(tracing::b3_flag)),
    ("x-b3-traceid", Identifier(tracing::b3_id)),
    ("x-request-id", Identifier(tracing::id)),
    ("x-url-scheme", Forwarded(Tells::Way)),
    ("cache-control", Ordinary(directives::cache_control)),
    ("cf-iplatitude", Platform(Tells::Visitor)),
    ("cf-metro-code", Platform(Tells::Visitor)),
    ("cf-request-id", Platform(Tells::Way)),
    ("fastly-client", Platform(Tells::Way)),
    ("fly-client-ip", Platform(Tells::Address)),
    ("forwarded-for", Forwarded(Tells::Address)),
    ("if-none-match", Own),
    ("uber-trace-id", Identifier(tracing::uber)),
    ("x-client-port", Forwarded(Tells::Address)),
    ("x-nginx-proxy", Forwarded(Tells::Way)),
    ("x-queue-start", Platform(Tells::Way)),
    ("x-remote-addr", Forwarded(Tells::Address)),
    ("accept-charset", Ordinary(words::charsets)),
    ("cf-0rtt-unique", Platform(Tells::Way)),
    ("cf-device-type", Platform(Tells::Visitor)),
    ("cf-ipcontinent", Platform(Tells::Visitor)),
    ("cf-iplongitude", Platform(Tells::Visitor)),
    ("cf-postal-code", Platform(Tells::Visitor)),
    ("cf-pseudo-ipv4", Platform(Tells::Address)),
    ("cf-region-code", Platform(Tells::Visitor)),
    ("cf-warp-tag-id", Platform(Tells::Way)),
    ("content-length", Own),
    ("correlation-id", Identifier(tracing::id)),
    ("fly-request-id", Platform(Tells::Way)),
    ("fly-tracestate", Platform(Tells::Way)),
    ("http2-settings", Own),
    ("sec-fetch-dest", Ordinary(words::fetch_dest)),
    ("sec-fetch-mode", Ordinary(words::fetch_mode)),
    ("sec-fetch-site", Ordinary(words::fetch_site)),
    ("sec-fetch-user", Ordinary(words::fetch_user)),
    ("true-client-ip", Forwarded(Tells::Address)),
    ("x-datadog-tags", Identifier(tracing::datadog_tags)),
    ("x-forwarded-by", Forwarded(Tells::Way)),
    ("x-proxyuser-ip", Forwarded(Tells::Address)),
    ("accept-encoding", Own),
    ("accept-language", Ordinary(languages::languages)),
    ("ali-cdn-real-ip", Platform(Tells::Address)),
    ("cf-threat-score", Platform(Tells::Visitor)),
    ("cf-verified-bot", Platform(Tells::Visitor)),
    ("fastly-temp-xff", Forwarded(Tells::Address)),
    ("fly-traceparent", Platform(Tells::Way)),
    ("front-end-https", Forwarded(Tells::Way)),
    ("proxy-client-ip", Forwarded(Tells::Address)),
    ("request-context", Identifier(tracing::request_context)),
    ("x-amzn-trace-id", Identifier(tracing::amazon)),
    ("x-forwarded-for", Forwarded(Tells::Address)),
    ("x-forwarded-ssl", Forwarded(Tells::Way)),
    ("x-request-start", Platform(Tells::Way)),
    ("cf-connecting-ip", Platform(Tells::Address)),
    ("cf-is-eu-country", Platform(Tells::Visitor)),
    ("do-connecting-ip", Platform(Tells::Address)),
    ("fastly-client-ip", Forwarded(Tells::Address)),
    ("proxy-connection", Own),
    ("sec-ch-ua-mobile", Ordinary(words::boolean)),
    ("x-appengine-city", Platform(Tells::Visitor)),
    ("x-appgw-trace-id", Platform(Tells::Way)),
    ("x-azure-clientip", Platform(Tells::Address)),
    ("x-azure-socketip", Platform(Tells::Address)),
    ("x-correlation-id", Identifier(tracing::id)),
    ("x-datadog-origin", Identifier(tracing::lower_word)),
    ("x-envoy-internal", Platform(Tells::Way)),
    ("x-fd-healthprobe", Platform(Tells::Way)),
    ("x-forwarded-host", Forwarded(Tells::Way)),
    ("x-forwarded-port", Forwarded(Tells::Way)),
    ("x-originating-ip", Forwarded(Tells::Address)),
    ("x-true-client-ip", Forwarded(Tells::Address)),
    ("x-vercel-ip-city", Platform(Tells::Visitor)),
    ("akamai-origin-hop", Platform(Tells::Way)),
    ("cf-connecting-o2o", Platform(Tells::Way)),
    ("fly-forwarded-ssl", Platform(Tells::Way)),
    ("if-modified-since", Own),
    ("transfer-encoding", Own),
    ("x-appengine-https", Platform(Tells::Way)),
    ("x-b3-parentspanid", Identifier(tracing::b3_id)),
    ("x-forwarded-proto", Forwarded(Tells::Way)),
    ("cf-connecting-ipv6", Platform(Tells::Address)),
    ("fly-forwarded-port", Platform(Tells::Way)),
    ("proxy-authenticate", Own),
    ("sec-ch-ua-platform", Ordinary(hints::platform)),
    ("wl-proxy-client-ip", Forwarded(Tells::Address)),
    ("x-akamai-edgescape", Platform(Tells::Visitor)),
    ("x-amzn-tls-version", Platform(Tells::Way)),
    ("x-appengine-region", Platform(Tells::Visitor)),
    ("x-datadog-trace-id", Identifier(tracing::decimal)),
    ("x-forwarded-scheme", Forwarded(Tells::Way)),
    ("x-forwarded-server", Forwarded(Tells::Way)),
    ("fly-forwarded-proto", Platform(Tells::Way)),
    ("if-unmodified-since", Own),
    ("proxy-authorization", Own),
    ("x-appengine-country", Platform(Tells::Visitor)),
    ("x-appengine-user-ip", Platform(Tells::Address)),
    ("x-client-request-id", Identifier(tracing::id)),
    ("x-cluster-client-ip", Forwarded(Tells::Address)),
    ("x-datadog-parent-id", Identifier(tracing::decimal)),
    ("x-vercel-ip-country", Platform(Tells::Visitor)),
    ("x-azure-requestchain", Platform(Tells::Way)),
    ("x-forwarded-protocol", Forwarded(Tells::Way)),
    ("cloudfront-viewer-asn", Platform(Tells::Visitor)),
    ("cloudfront-viewer-tls", Platform(Tells::Way)),
    ("x-cloud-trace-context", Identifier(tracing::google)),
    ("x-envoy-attempt-count", Platform(Tells::Way)),
    ("x-envoy-peer-metadata", Platform(Tells::Way)),
    ("x-playback-session-id", Identifier(tracing::id)),
    ("cloudfront-viewer-city", Platform(Tells::Visitor)),
    ("x-appengine-timeout-ms", Platform(Tells::Way)),
    ("x-ms-client-request-id", Identifier(tracing::id)),
    ("elastic-apm-traceparent", Identifier(tracing::traceparent)),
    ("x-amzn-tls-cipher-suite", Platform(Tells::Way)),
    ("x-appengine-citylatlong", Platform(Tells::Visitor)),
    ("cloudfront-is-ios-viewer", Platform(Tells::Visitor)),
    ("sec-fetch-storage-access", Ordinary(words::storage_access)),
    ("x-amzn-apigateway-api-id", Platform(Tells::Way)),
    ("x-envoy-external-address", Forwarded(Tells::Address)),
    ("x-envoy-peer-metadata-id", Platform(Tells::Way)),
    ("x-original-forwarded-for", Forwarded(Tells::Address)),
    ("cloudfront-viewer-address", Platform(Tells::Address)),
    ("cloudfront-viewer-country", Platform(Tells::Visitor)),
    ("upgrade-insecure-requests", Ordinary(words::one)),
    ("cloudfront-forwarded-proto", Platform(Tells::Way)),
    ("cloudfront-viewer-latitude", Platform(Tells::Visitor)),
    ("x-akamai-config-log-detail", Platform(Tells::Way)),
    ("x-appengine-request-log-id", Platform(Tells::Way)),
    ("x-vercel-ip-country-region", Platform(Tells::Visitor)),
    ("cloudfront-is-mobile-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-tablet-viewer", Platform(Tells::Visitor)),
    ("cloudfront-viewer-longitude", Platform(Tells::Visitor)),
    ("cloudfront-viewer-time-zone", Platform(Tells::Visitor)),
    ("x-datadog-sampling-priority", Identifier(tracing::decimal)),
    ("x-envoy-decorator-operation", Platform(Tells::Way)),
    ("cloudfront-is-android-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-desktop-viewer", Platform(Tells::Visitor)),
    ("cloudfront-is-smarttv-viewer", Platform(Tells::Visitor)),
    ("cloudfront-viewer-metro-code", Platform(Tells::Visitor)),
    ("cloudfront-viewer-postal-code", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country-name", Platform(Tells::Visitor)),
    ("cloudfront-viewer-header-count", Platform(Tells::Visitor)),
    ("cloudfront-viewer-header-order", Platform(Tells::Visitor)),
    ("cloudfront-viewer-http-version", Platform(Tells::Way)),
    ("x-envoy-expected-rq-timeout-ms", Platform(Tells::Way)),
    ("x-akamai-device-characteristics", Platform(Tells::Visitor)),
    ("cloudfront-viewer-country-region", Platform(Tells::Visitor)),
    ("cloudfront-viewer-ja3-fingerprint", Platform(Tells::Visitor)),
    ("cloudfront-viewer-ja4-fingerprint", Platform(Tells::Visitor)),
    ("x-appengine-default-version-hostname", Platform(Tells::Way)),
    ("cloudfront-viewer-country-region-name", Platform(Tells::Visitor)),
];

const LONGEST: usize = FIELDS[FIELDS.len() - 1].0.len();

/// Where the names of each length begin, and after the longest, where they end.
const STARTS: [u8; LONGEST + 2] = {
    let mut starts = [0; LONGEST + 2];
    let (mut length, mut at) = (0, 0);
    while length < starts.len() {
        while at < FIELDS.len() && FIELDS[at].0.len() < length {
            at += 1;
        }
        assert!(at <= u8::MAX as usize);
        starts[length] = at as u8;
        length += 1;
    }
    starts
};

/// What is known of a name (in lower case).
pub(super) fn look_up(name: &str) -> Option<&'static Kind> {
    let length = name.len();
    if length > LONGEST {
        return None;
    }
    let of_its_length = usize::from(STARTS[length])..usize::from(STARTS[length + 1]);
    FIELDS[of_its_length].iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
}

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
        let order = |name: &'static str| (name.len(), name);
        assert!(FIELDS.windows(2).all(|pair| order(pair[0].0) < order(pair[1].0)));
        for (name, _) in FIELDS {
            assert!(look_up(name).is_some(), "{name}");
            assert_eq!(name, name.to_ascii_lowercase());
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
