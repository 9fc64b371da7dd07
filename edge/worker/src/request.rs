//! A request of the platform as the pipeline takes it.

use std::net::IpAddr;

use http::header::{CONNECTION, UPGRADE};
use http::{Extensions, HeaderMap, HeaderValue, Method};
use levee::config::Limits;
use levee::{LostBytes, Request, Scheme};

use crate::body::{Body, pace_of};
use crate::fetch::WebSocketUpgrade;
use crate::fields;
use crate::framing::{self, UnknownCoding};
use crate::host::{Host, Incoming};

/// Everything but the body.
#[derive(Debug)]
struct Head<'a> {
    method: Method,
    scheme: Scheme,
    authority: &'a str,
    target: &'a str,
    fields: HeaderMap,
    has_lost_bytes: bool,
}

/// A request that is answered here: with a problem (RFC 9457).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
}

impl Refused {
    fn bad(detail: &str) -> Self {
        Self { status: 400, title: "Bad Request", detail: detail.to_owned() }
    }
}

/// Reads a request in one crossing, and its body's handle in a second.
///
/// # Errors
/// What could not be understood.
pub(crate) fn read(host: &Host, incoming: &Incoming) -> Result<Request<Body>, Refused> {
    let text = host.read(incoming);
    let Head { method, scheme, authority, target, mut fields, has_lost_bytes } =
        parse(&text).map_err(Refused::bad)?;
    // RFC 9112, section 6.1.
    let length = framing::consume(&mut fields).map_err(|UnknownCoding(coding)| Refused {
        status: 501,
        title: "Not Implemented",
        detail: format!(
            "The request's content is in the transfer coding `{coding}`, and only `chunked` is known here."
        ),
    })?;
    let mut extensions = Extensions::new();
    if wants_websocket(&method, &fields) {
        extensions.insert(WebSocketUpgrade);
        // Deployed, the runtime keeps this one to itself, but says by `Upgrade` that it was there.
        fields.append(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if has_lost_bytes {
        extensions.insert(LostBytes);
    }
    let body = match incoming.body() {
        // The client's connection is the platform's to close: an unread body is not discarded. Who is to wait for it sets the
        // pace.
        Some(stream) => Body::from_platform(stream, length, false, pace_of(&Limits::default())),
        None => Body::default(),
    };
    Ok(Request {
        method,
        scheme,
        authority: authority.to_owned(),
        target: target.to_owned(),
        client: client(&fields),
        fields,
        body,
        extensions,
    })
}

fn parse(text: &str) -> Result<Head<'_>, &'static str> {
    let (method, rest) = text.split_once('\n').ok_or("The request has no method.")?;
    let (url, lines) = rest.split_once('\n').ok_or("The request has no URL.")?;
    let (scheme, authority, target) = split(url)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "The request's method is not a token.")?;
    let has_lost_bytes = lines.contains(fields::REPLACED);
    Ok(Head { method, scheme, authority, target, fields: fields::parse(lines), has_lost_bytes })
}

/// Scheme, authority and target of a URL as the runtime gives it.
pub(crate) fn split(url: &str) -> Result<(Scheme, &str, &str), &'static str> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("https", rest)) => (Scheme::Https, rest),
        Some(("http", rest)) => (Scheme::Http, rest),
        _ => return Err("The request's URL is neither http nor https."),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    Ok((scheme, authority, if target.is_empty() { "/" } else { target }))
}

/// Only this protocol is upgraded to. It begins with a GET (RFC 6455, section 4.1).
fn wants_websocket(method: &Method, fields: &HeaderMap) -> bool {
    let asked = fields.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    asked && *method == Method::GET
}

/// Deployed, Cloudflare sets this field itself and lets no client set it.
fn client(fields: &HeaderMap) -> Option<IpAddr> {
    fields.get("cf-connecting-ip")?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_stays_as_it_came() {
        let text = "PURGE\nhttps://example.com:8443/a/../b/%2e%2e\\c?x=%2F\nhost:example.com:8443\n";
        let head = parse(text).expect("a request");
        assert_eq!(head.method, "PURGE");
        assert_eq!(head.scheme, Scheme::Https);
        assert_eq!(head.authority, "example.com:8443");
        assert_eq!(head.target, "/a/../b/%2e%2e\\c?x=%2F");
        assert_eq!(head.fields["host"], "example.com:8443");
    }

    #[test]
    fn bytes_that_are_lost_are_noticed() {
        let lost = |lines| parse(lines).expect("a request").has_lost_bytes;
        assert!(lost("GET\nhttp://a/\ncookie:a=\u{fffd}\n"));
        assert!(!lost("GET\nhttp://a/\u{fffd}\ncookie:a=é\n"), "a target holds what it held");
    }

    #[test]
    fn an_empty_path_is_the_root() {
        assert_eq!(parse("GET\nhttp://a\n").expect("a request").target, "/");
        assert_eq!(parse("GET\nhttp://a?q\n").expect("a request").target, "?q");
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        for text in ["", "GET", "GET\nftp://a/\n", "G T\nhttp://a/\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_websocket_is_upgraded_to() {
        for (method, value, wants) in [
            (Method::GET, "websocket", true),
            (Method::GET, "WebSocket", true),
            (Method::GET, "h2c", false),
            (Method::GET, "h2c, websocket", false),
            (Method::POST, "websocket", false),
        ] {
            let fields = fields::parse(&format!("upgrade:{value}\n"));
            assert_eq!(wants_websocket(&method, &fields), wants, "{method} {value}");
        }
    }

    #[test]
    fn the_client_is_who_cloudflare_says() {
        let address = client(&fields::parse("cf-connecting-ip:2001:db8::1\n"));
        assert_eq!(address, "2001:db8::1".parse().ok());
        assert_eq!(client(&fields::parse("x-forwarded-for:192.0.2.1\n")), None);
    }
}
