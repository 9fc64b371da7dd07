//! Coarse facts about who asks, which stand for the ordinary fields they come from.

use http::{HeaderMap, HeaderName, header};
use memchr::memmem;

use super::grammar::{accept, languages};

/// What kind of response a client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AcceptClass {
    /// A page: HTML at least as much as JSON.
    Html,
    /// JSON rather than HTML.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// AVIF or WebP, and no page.
    Image,
    /// Anything, nothing said, or something else.
    #[default]
    Other,
}

impl AcceptClass {
    /// Of all lines of `Accept`. A type with the weight zero is not asked for.
    pub fn of(fields: &HeaderMap) -> Self {
        let lines = fields.get_all(header::ACCEPT);
        let mut all = lines.iter();
        if let (Some(only), None) = (all.next(), all.next())
            && let Some(class) = accept::frequent(only.as_bytes())
        {
            return class;
        }
        let (mut html, mut json, mut events, mut image) = (0, 0, 0, 0);
        for line in lines {
            for (name, weight) in accept::ranges(line.as_bytes()).flatten() {
                let kind = match name {
                    _ if name.eq_ignore_ascii_case(b"text/html") => &mut html,
                    _ if name.eq_ignore_ascii_case(b"application/xhtml+xml") => &mut html,
                    _ if name.eq_ignore_ascii_case(b"application/json") => &mut json,
                    _ if name.eq_ignore_ascii_case(b"application/problem+json") => &mut json,
                    _ if name.eq_ignore_ascii_case(b"text/event-stream") => &mut events,
                    _ if name.eq_ignore_ascii_case(b"image/avif") => &mut image,
                    _ if name.eq_ignore_ascii_case(b"image/webp") => &mut image,
                    _ => continue,
                };
                *kind = weight.max(*kind);
            }
        }
        match (html, json, events, image) {
            (_, _, 1.., _) => Self::EventStream,
            (1.., ..) if html >= json => Self::Html,
            (_, 1.., ..) => Self::Json,
            (.., 1..) => Self::Image,
            _ => Self::Other,
        }
    }

    /// A few letters, for a key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::EventStream => "events",
            Self::Image => "image",
            Self::Other => "other",
        }
    }
}

/// What of a request's ordinary fields tells redirects apart. It borrows from the request and allocates nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub accept: AcceptClass,
    /// The language that the client prefers, as the client writes it. `None`: any, or none named.
    pub language: Option<&'a str>,
    /// Whether a browser goes to a page, rather than fetching something for one.
    pub navigation: bool,
    /// Whether it runs on a phone.
    pub mobile: bool,
}

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const MOBILE: HeaderName = HeaderName::from_static("sec-ch-ua-mobile");

impl<'a> Facts<'a> {
    pub fn of(fields: &'a HeaderMap) -> Self {
        Self {
            accept: AcceptClass::of(fields),
            language: language(fields),
            navigation: is_navigation(fields),
            mobile: is_mobile(fields),
        }
    }

    /// `nav` or `sub`, for a key.
    pub fn navigation_str(&self) -> &'static str {
        if self.navigation { "nav" } else { "sub" }
    }

    /// `mobile` or `desk`, for a key.
    pub fn mobile_str(&self) -> &'static str {
        if self.mobile { "mobile" } else { "desk" }
    }

    /// Adds all facts to a key, in one form for one meaning: `html,de-ch,nav,desk`. No fact holds a comma.
    pub fn push(&self, key: &mut String) {
        key.push_str(self.accept.as_str());
        key.push(',');
        key.extend(self.language.unwrap_or("*").chars().map(|c| c.to_ascii_lowercase()));
        key.push(',');
        key.push_str(self.navigation_str());
        key.push(',');
        key.push_str(self.mobile_str());
    }
}

/// The first of those with the highest weight (RFC 9110, section 12.5.4).
fn language(fields: &HeaderMap) -> Option<&str> {
    let lines = fields.get_all(header::ACCEPT_LANGUAGE).into_iter();
    let mut best: Option<(&[u8], u16)> = None;
    for (tag, weight) in lines.flat_map(|line| languages::ranges(line.as_bytes())).flatten() {
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((tag, weight));
        }
    }
    let (tag, _) = best.filter(|(tag, _)| *tag != b"*")?;
    std::str::from_utf8(tag).ok()
}

/// `Sec-Fetch-Mode` says it. Where it is missing, only navigations ask for an upgrade (Upgrade Insecure Requests, section 3.2.1).
fn is_navigation(fields: &HeaderMap) -> bool {
    match fields.get(FETCH_MODE) {
        Some(mode) => mode == "navigate",
        None => fields.get(header::UPGRADE_INSECURE_REQUESTS).is_some_and(|value| value == "1"),
    }
}

/// `Sec-CH-UA-Mobile` says it. Where it is missing, all phones have `Mobi` in their `User-Agent`.
fn is_mobile(fields: &HeaderMap) -> bool {
    match fields.get(MOBILE) {
        Some(mobile) => mobile == "?1",
        None => fields
            .get(header::USER_AGENT)
            .is_some_and(|agent| memmem::find(agent.as_bytes(), b"Mobi").is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for &(name, value) in pairs {
            fields.append(name, value.parse().unwrap());
        }
        fields
    }

    fn key(pairs: &[(&'static str, &'static str)]) -> String {
        let mut key = String::new();
        Facts::of(&request(pairs)).push(&mut key);
        key
    }

    #[test]
    fn classes_of_accept() {
        for (value, class) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                AcceptClass::Html,
            ),
            ("application/xhtml+xml", AcceptClass::Html),
            ("application/json, text/html;q=0.5", AcceptClass::Json),
            ("application/json, text/plain, */*", AcceptClass::Json),
            ("text/html, application/json", AcceptClass::Html),
            ("text/html;q=0, application/json;q=0.1", AcceptClass::Json),
            ("Text/HTML;q=0", AcceptClass::Other),
            ("text/event-stream", AcceptClass::EventStream),
            ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", AcceptClass::Image),
            ("image/png,*/*", AcceptClass::Other),
            ("*/*", AcceptClass::Other),
            ("", AcceptClass::Other),
            ("text/html;level=1", AcceptClass::Other),
        ] {
            assert_eq!(AcceptClass::of(&request(&[("accept", value)])), class, "{value}");
        }
        assert_eq!(AcceptClass::of(&HeaderMap::new()), AcceptClass::Other);
        let lines = request(&[("accept", "*/*"), ("accept", "text/html")]);
        assert_eq!(AcceptClass::of(&lines), AcceptClass::Html, "all lines count");
    }

    #[test]
    fn the_preferred_language_counts() {
        for (value, language) in [
            ("de-CH,de;q=0.9,en;q=0.8", Some("de-CH")),
            ("en;q=0.8, de", Some("de")),
            ("de;q=0.5,en;q=0.5", Some("de")),
            ("*", None),
            ("*,de", None),
            ("de;q=0", None),
            ("", None),
            ("not a language, en;q=0.1", Some("en")),
        ] {
            assert_eq!(Facts::of(&request(&[("accept-language", value)])).language, language, "{value}");
        }
    }

    #[test]
    fn one_meaning_has_one_key() {
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        assert_eq!(key(&[]), "other,*,sub,desk");
        assert_eq!(
            key(&[("accept-language", "DE-ch"), ("upgrade-insecure-requests", "1")]),
            "other,de-ch,nav,desk"
        );
        assert_eq!(key(&[("user-agent", phone), ("sec-fetch-mode", "navigate")]), "other,*,nav,mobile");
        assert_eq!(key(&[("user-agent", phone), ("sec-ch-ua-mobile", "?0")]), "other,*,sub,desk");
        assert_eq!(
            key(&[("upgrade-insecure-requests", "1"), ("sec-fetch-mode", "cors")]),
            "other,*,sub,desk"
        );
    }
}
