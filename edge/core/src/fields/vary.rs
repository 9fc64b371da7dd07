//! `Vary` (RFC 9110, section 12.5.5; RFC 9111, section 4.1): what an answer depends on beside its key.

use http::{HeaderMap, HeaderName};

use super::{accept, list};
use crate::classes::Facts;
use crate::seal::{Seal, is_harmless};

/// What a response says it varies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vary {
    /// `*`: no request can be said to match.
    Any,
    /// These fields, sorted, each once. Empty: on nothing.
    On(Vec<HeaderName>),
}

impl Vary {
    pub fn read(response: &HeaderMap) -> Self {
        let mut names = Vec::new();
        for name in list::all(response, "vary") {
            match name.parse::<HeaderName>() {
                _ if name == "*" => return Self::Any,
                Ok(name) => names.push(name),
                // What cannot be a field name cannot be matched either.
                Err(_) => return Self::Any,
            }
        }
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        Self::On(names)
    }
}

/// What tells redirects apart beside their `Vary`: coarse facts, each under a name that no field of a request has a value by.
pub const FACTS: [HeaderName; 3] = [LANGUAGE, MOBILE, NAVIGATION];

const LANGUAGE: HeaderName = HeaderName::from_static("levee-first-language");
const MOBILE: HeaderName = HeaderName::from_static("levee-mobile");
const NAVIGATION: HeaderName = HeaderName::from_static("levee-navigation");

/// The fields of a request by which a name of `Vary`, or of a fact, selects.
pub fn read_for(name: &HeaderName) -> &[HeaderName] {
    if FACTS.contains(name) { &OF_FACTS } else { std::slice::from_ref(name) }
}

static OF_FACTS: [HeaderName; 5] = [
    http::header::ACCEPT_LANGUAGE,
    http::header::USER_AGENT,
    http::header::UPGRADE_INSECURE_REQUESTS,
    HeaderName::from_static("sec-ch-ua-mobile"),
    HeaderName::from_static("sec-fetch-mode"),
];

/// What a request says in the fields that a response varies on, as one string that two requests share exactly when
/// the response answers both. Every part is preceded by its length, so that no value can pass for another. Of a field that may
/// say who asks it holds a digest.
pub fn selector(request: &HeaderMap, on: &[HeaderName], seal: &Seal) -> String {
    let mut selector = String::new();
    for name in on {
        let value = normalised(request, name);
        selector.push_str(name.as_str());
        match value {
            Some(value) if !is_harmless(name) => {
                selector.push(':');
                seal.push(&mut selector, 'v', name.as_str(), value.as_bytes());
            }
            Some(value) => {
                selector.push('=');
                selector.push_str(&value.len().to_string());
                selector.push(':');
                selector.push_str(&value);
            }
            None => selector.push('-'),
        }
        selector.push(';');
    }
    selector
}

/// The value with what makes no difference taken out: white space around commas, and for what is negotiated, order and
/// case as far as they mean nothing.
fn normalised(request: &HeaderMap, name: &HeaderName) -> Option<String> {
    if FACTS.contains(name) {
        let facts = Facts::of(request);
        return Some(match name.as_str() {
            "levee-mobile" => facts.mobile.to_string(),
            "levee-navigation" => facts.navigation.to_string(),
            _ => facts.language.map(str::to_ascii_lowercase).unwrap_or_default(),
        });
    }
    let joined = list::joined(request, name.as_str())?;
    let text = list::latin1(&joined);
    Some(match name.as_str() {
        "accept-encoding" => accept::encodings(&text),
        "accept-language" => accept::languages(&text),
        _ => {
            let mut value = String::with_capacity(text.len());
            for element in list::elements(&text) {
                if !value.is_empty() {
                    value.push(',');
                }
                value.push_str(element);
            }
            value
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn select_by(pairs: &[(&'static str, &'static str)], on: &[HeaderName]) -> String {
        selector(&request(pairs), on, &Seal::new(Some("secret"), ""))
    }

    fn vary(value: &'static str) -> Vary {
        Vary::read(&request(&[("vary", value)]))
    }

    #[test]
    fn reads_names_once_in_order() {
        assert_eq!(vary("B, a,, B"), Vary::On(vec!["a".parse().unwrap(), "b".parse().unwrap()]));
        assert_eq!(vary("a, *"), Vary::Any);
        assert_eq!(vary("a b"), Vary::Any);
        assert_eq!(Vary::read(&HeaderMap::new()), Vary::On(vec![]));
    }

    #[test]
    fn white_space_makes_no_difference_and_absence_does() {
        let on = [HeaderName::from_static("x-a")];
        let select = |value| select_by(&[("x-a", value)], &on);
        assert_eq!(select("1,2"), select("1,  2 "));
        assert_ne!(select("1,2"), select("2,1"));
        assert_ne!(select(""), select_by(&[], &on));
    }

    #[test]
    fn what_may_say_who_asks_is_a_digest() {
        let on = ["accept", "authorization", "cookie", "x-tenant"].map(HeaderName::from_static);
        let said = [
            ("accept", "text/html"),
            ("authorization", "Basic s3cret"),
            ("cookie", "sid=s3cret"),
            ("x-tenant", "s3cret"),
        ];
        let selector = select_by(&said, &on);
        assert!(
            selector.starts_with("accept=9:text/html;authorization:") && !selector.contains("s3cret"),
            "{selector}"
        );
        for at in 0..said.len() {
            let mut other = said;
            other[at].1 = "other";
            assert_ne!(select_by(&other, &on), selector);
        }
    }

    #[test]
    fn no_value_passes_for_another_field() {
        let on = [HeaderName::from_static("x-a"), HeaderName::from_static("x-b")];
        let one = select_by(&[("x-a", "1;x-b=1:2")], &on);
        let two = select_by(&[("x-a", "1"), ("x-b", "2")], &on);
        assert_ne!(one, two);
    }
}
