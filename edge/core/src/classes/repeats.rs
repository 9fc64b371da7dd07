//! Whether a response repeats what an ordinary field of its request says.
//!
//! Entries are not told apart by ordinary fields, so a response with one client's value in it must not go to the next. It is not
//! stored. A value that a response may hold by nature says nothing; [`is_telling`] names each such case.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memmem;

use super::{Class, Moved, classes, is_request_identifier};

/// So many bytes of a body are searched, from its beginning.
pub const SEARCHED: usize = 2 << 20;

/// Shorter values are not looked for: chance would find them.
const SHORTEST: usize = 8;

/// The ordinary fields of a request whose values stand, byte for byte, in a field or in the body of the response to it, each once.
///
/// `request`: as it was forwarded. `response`: its fields; those that identify a request are passed over, because they are not
/// stored. `body`: decoded, as far as the caller has it; no more than [`SEARCHED`] bytes of it are read. The time is linear in what
/// is read, whatever it is.
pub fn repeats_ordinary<'a>(
    request: &'a HeaderMap,
    response: &'a HeaderMap,
    body: &'a [u8],
    moved: &'a Moved<'a>,
) -> impl Iterator<Item = HeaderName> + 'a {
    let body = &body[..body.len().min(SEARCHED)];
    let ordinary = classes(request, moved).filter(|(_, class, _)| *class == Class::Ordinary);
    let repeated = ordinary.filter(move |(name, ..)| {
        let is_moved = moved.ordinary.iter().any(|moved| moved == name.as_str());
        request.get_all(*name).into_iter().map(HeaderValue::as_bytes).any(|value| {
            value.len() >= SHORTEST
                && (is_moved || is_telling(request, name, value))
                && repeats(response, body, name, value)
        })
    });
    repeated.map(|(name, ..)| name.clone())
}

fn repeats(response: &HeaderMap, body: &[u8], name: &HeaderName, value: &[u8]) -> bool {
    let finder = memmem::Finder::new(value);
    let mut stored = response.iter().filter(|(name, _)| !is_request_identifier(name));
    stored.any(|(_, field)| finder.find(field.as_bytes()).is_some())
        || *name == header::REFERER && leads_back(value, response)
        || may_stand_in_body(name, value) && finder.find(body).is_some()
}

/// Whether a value of an ordinary field says anything of its client. These do not:
///
/// - a field whose values are a few fixed words and numbers (`Sec-Fetch-*`, `Cache-Control`, the platform): `same-origin` or
///   `max-age=0` stands in many responses;
/// - one media type (`Accept: text/html`), which is also a response's own type;
/// - languages without weights (`zh-Hans-CN`), which a page names that is written in them;
/// - `Mozilla/5.0` and no more, which scripts compare with;
/// - the host itself.
fn is_telling(request: &HeaderMap, name: &HeaderName, value: &[u8]) -> bool {
    match name.as_str() {
        "accept" => value.contains(&b','),
        "accept-language" => value.contains(&b';'),
        "user-agent" => !matches!(value, b"Mozilla/5.0" | b"Mozilla/4.0"),
        "alt-used" => {
            request.get(header::HOST).is_none_or(|host| !host.as_bytes().eq_ignore_ascii_case(value))
        }
        "from" | "referer" | "sec-ch-ua" => true,
        _ => is_request_identifier(name),
    }
}

/// A page links to the pages that lead to it, so that in a body only a `Referer` with a query counts.
fn may_stand_in_body(name: &HeaderName, value: &[u8]) -> bool {
    *name != header::REFERER || value.contains(&b'?')
}

/// Whether a response sends its client back where it comes from, though it leaves out scheme and host.
fn leads_back(referer: &[u8], response: &HeaderMap) -> bool {
    let target = target(referer);
    target.len() >= SHORTEST
        && response
            .get_all(header::LOCATION)
            .iter()
            .map(HeaderValue::as_bytes)
            .any(|to| self::target(to) == target)
}

/// What of a URL follows scheme and authority.
fn target(url: &[u8]) -> &[u8] {
    match memmem::find(url, b"://") {
        Some(at) => {
            let rest = &url[at + 3..];
            rest.iter().position(|&b| b == b'/').map_or(&[], |at| &rest[at..])
        }
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for &(name, value) in pairs {
            fields.append(name, value.parse().unwrap());
        }
        fields
    }

    fn repeated(
        request: &[(&'static str, &str)],
        response: &[(&'static str, &str)],
        body: &str,
    ) -> Option<String> {
        let (request, response) = (map(request), map(response));
        let name = repeats_ordinary(&request, &response, body.as_bytes(), &Moved::default()).next();
        name.map(|name| name.as_str().to_owned())
    }

    #[test]
    fn a_value_that_tells_is_found_in_fields_and_body() {
        for (name, value) in [
            ("user-agent", AGENT),
            ("user-agent", "curl/8.5.0"),
            ("accept", ACCEPT),
            ("accept", "text/css,*/*;q=0.1"),
            ("accept-language", "de-CH,de;q=0.9"),
            ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\""),
            ("from", "googlebot(at)googlebot.com"),
            ("alt-used", "evil.example"),
            ("referer", "https://a.example/s?q=rust"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("x-request-id", "0123456789abcdef"),
        ] {
            let request = [("host", "a.example"), (name, value)];
            let found = Some(name.to_owned());
            assert_eq!(repeated(&request, &[], &format!("<p>{value}</p>")), found, "{name}: {value}");
            assert_eq!(repeated(&request, &[], value), found, "{name}: {value}");
            assert_eq!(
                repeated(&request, &[("x-echo", &format!("you sent {value}"))], ""),
                found,
                "{name}: {value}"
            );
            assert_eq!(
                repeated(&request, &[("x-echo", &value[1..])], &value[..value.len() - 1]),
                None,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn what_any_response_may_hold_says_nothing() {
        let request = [
            ("host", "www.a.example"),
            ("accept", "text/html"),
            ("accept-language", "zh-Hans-CN"),
            ("user-agent", "Mozilla/5.0"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "document"),
            ("sec-ch-ua-platform", "\"Windows\""),
            ("cache-control", "max-age=0"),
            ("pragma", "no-cache"),
            ("alt-used", "www.a.example"),
            ("referer", "https://www.a.example/catalogue"),
        ];
        let body = request.map(|(_, value)| value).join("\n");
        let response = [
            ("content-type", "text/html"),
            ("content-language", "zh-Hans-CN"),
            ("cache-control", "max-age=0, must-revalidate"),
            ("pragma", "no-cache"),
            ("link", "<https://www.a.example/>; rel=canonical"),
        ];
        assert_eq!(repeated(&request, &response, &body), None);
        assert_eq!(
            repeated(&[("accept", "*/*"), ("user-agent", "node")], &[], "node */*"),
            None,
            "too short"
        );
    }

    #[test]
    fn only_ordinary_values_count() {
        let request =
            [("x-tenant", "0123456789"), ("user-agent", "<b>0123456789</b>"), ("cookie", "sid=0123456789")];
        assert_eq!(
            repeated(&request, &[], "<b>0123456789</b> sid=0123456789"),
            None,
            "these tell entries apart"
        );
        let moved = ["x-tenant".to_owned()];
        let moved = Moved { ordinary: &moved, ..Moved::default() };
        let request = map(&request);
        let found: Vec<_> = repeats_ordinary(&request, &HeaderMap::new(), b"of 0123456789", &moved).collect();
        assert_eq!(found, ["x-tenant"]);
    }

    #[test]
    fn an_identifier_that_is_sent_back_is_not_stored_anyway() {
        let request = [("x-request-id", "0123456789abcdef")];
        assert_eq!(repeated(&request, &[("x-request-id", "0123456789abcdef")], ""), None);
        assert_eq!(repeated(&request, &[("x-correlation-id", "0123456789abcdef")], ""), None);
        assert!(repeated(&request, &[("set-cookie", "r=0123456789abcdef")], "").is_some());
    }

    #[test]
    fn a_redirect_back_is_found() {
        let request = [("referer", "https://a.example/basket/items")];
        for to in ["https://a.example/basket/items", "/basket/items", "http://a.example/basket/items"] {
            assert_eq!(repeated(&request, &[("location", to)], ""), Some("referer".into()), "{to}");
        }
        for to in ["/", "/basket", "/basket/items/1", "https://a.example/"] {
            assert_eq!(repeated(&request, &[("location", to)], ""), None, "{to}");
        }
        assert_eq!(repeated(&[("referer", "https://a.example")], &[("location", "/")], ""), None);
    }

    #[test]
    fn a_long_body_is_searched_as_far_as_said() {
        let mut body = vec![b' '; SEARCHED - AGENT.len()];
        body.extend_from_slice(AGENT.as_bytes());
        let request = map(&[("user-agent", AGENT)]);
        let find =
            |body: &[u8]| repeats_ordinary(&request, &HeaderMap::new(), body, &Moved::default()).next();
        assert!(find(&body).is_some());
        body.insert(0, b' ');
        assert!(find(&body).is_none());
    }

    proptest! {
        /// It says the same as a search of each window.
        #[test]
        fn the_search_is_exact(value in "[ab]{8,10}", body in "[ab]{0,60}") {
            let found = body.as_bytes().windows(value.len()).any(|window| window == value.as_bytes());
            prop_assert_eq!(repeated(&[("user-agent", &value)], &[], &body).is_some(), found);
            prop_assert_eq!(repeated(&[("user-agent", &value)], &[("x-a", &body)], "").is_some(), found);
        }
    }
}
