//! A request of the runtime as the pipeline takes it.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderMap, HeaderValue};
use http::{Extensions, Method};
use levee::Scheme;
use spin_sdk::wasip3::http::types;

use crate::body::Body;
use crate::fields;
use crate::framing::{self, Said};
use crate::incoming::Incoming;

/// What Spin says of a request, in fields of its own. It adds them behind those of the client, which may have sent some of the
/// same name.
const CLIENT: &str = "spin-client-addr";
const OF_SPIN: [&str; 7] = [
    CLIENT,
    "spin-full-url",
    "spin-path-info",
    "spin-base-path",
    "spin-matched-route",
    "spin-component-route",
    "spin-raw-component-route",
];

/// Reads a request.
///
/// # Errors
/// What could not be understood, for people.
pub(crate) fn read(request: types::Request) -> Result<levee::Request<Body>, &'static str> {
    let method = method(request.get_method())?;
    let target = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
    let scheme = scheme(request.get_scheme())?;
    let mut client = None;
    let mut fields =
        fields::read(&request.get_headers(), |name, value| said_by_spin(name, value, &mut client));
    let authority = authority(request.get_authority(), &mut fields);
    let body = match framing::of_request(&mut fields)? {
        Said::Length(0) => Body::default(),
        Said::Length(length) => Body::incoming(Incoming::of_request(request), Some(length)),
        // Asking for the body costs; a plain GET is spared that.
        Said::Nothing if is_without_content(&method) => Body::default(),
        Said::Chunked | Said::Nothing => Body::incoming(Incoming::of_request(request), None),
    };
    Ok(levee::Request {
        method,
        scheme,
        authority,
        target,
        fields,
        body,
        client,
        extensions: Extensions::new(),
    })
}

fn method(method: types::Method) -> Result<Method, &'static str> {
    Ok(match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(token) => {
            Method::from_bytes(token.as_bytes()).map_err(|_| "The request's method is not a token.")?
        }
    })
}

fn scheme(scheme: Option<types::Scheme>) -> Result<Scheme, &'static str> {
    match scheme {
        None | Some(types::Scheme::Http) => Ok(Scheme::Http),
        Some(types::Scheme::Https) => Ok(Scheme::Https),
        Some(types::Scheme::Other(_)) => Err("The request's URL is neither http nor https."),
    }
}

/// The host that is meant: the URL's before the field's, and then `Host` says the same (RFC 9112, section 3.2.2).
fn authority(of_url: Option<String>, fields: &mut HeaderMap) -> String {
    if let Some(authority) = of_url {
        if let Ok(host) = HeaderValue::from_str(&authority) {
            fields.insert(HOST, host);
        }
        return authority;
    }
    let mut hosts = fields.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
        // None, or more than one, is no host, and the edge refuses it.
        _ => String::new(),
    }
}

/// A request of these methods has content only where its fields say so. (Over HTTP/2 they need not; what comes then is not
/// read, and not sent on.)
fn is_without_content(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether Spin says this and not the client; and whom Spin has accepted the connection from: the last line is its own.
fn said_by_spin(name: &str, value: &[u8], client: &mut Option<IpAddr>) -> bool {
    if !name.starts_with("spin-") || !OF_SPIN.contains(&name) {
        return false;
    }
    if name == CLIENT {
        let said = std::str::from_utf8(value).unwrap_or_default();
        *client = said.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| said.parse()).ok();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn methods_stay_the_tokens_that_they_are() {
        assert_eq!(
            method(types::Method::Other("PURGE".into())),
            Ok(Method::from_bytes(b"PURGE").expect("a token"))
        );
        assert_eq!(method(types::Method::Other("get".into())).expect("a token").as_str(), "get");
        assert!(method(types::Method::Other("G T".into())).is_err());
    }

    #[test]
    fn the_client_is_whom_spin_names_last() {
        let mut client = None;
        for said in ["198.51.100.1:1", "[2001:db8::1]:443"] {
            assert!(said_by_spin("spin-client-addr", said.as_bytes(), &mut client));
        }
        assert_eq!(client, "2001:db8::1".parse().ok());
        assert!(said_by_spin("spin-full-url", b"http://forged/", &mut client), "nobody else is told");
        assert!(!said_by_spin("x-forwarded-for", b"192.0.2.7", &mut client));
        assert!(said_by_spin("spin-client-addr", b"192.0.2.7", &mut client));
        assert_eq!(client, "192.0.2.7".parse().ok());
    }

    #[test]
    fn the_url_names_the_host_before_the_field_does() {
        let mut said = fields(&[("host", "b.example")]);
        assert_eq!(authority(Some("a.example:81".into()), &mut said), "a.example:81");
        assert_eq!(said[HOST], "a.example:81");
        assert_eq!(authority(None, &mut fields(&[("host", "b.example")])), "b.example");
        assert_eq!(authority(None, &mut fields(&[("host", "a"), ("host", "b")])), "");
    }
}
