//! Single cookies of a request (RFC 6265, section 5.4).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{Credentials, NamePattern, Policy};

/// The value of one cookie of a request (RFC 6265, section 5.4), whatever bytes it and its neighbours hold. Of two of one name
/// the first.
pub fn cookie<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let lines = fields.get_all(header::COOKIE).into_iter();
    lines.flat_map(|line| line.as_bytes().split(|&b| b == b';')).find_map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|&b| b == b'=')?;
        (&pair[..at] == name.as_bytes()).then_some(&pair[at + 1..])
    })
}

/// Whether a request has cookies, and none of them counts as a credential under this policy: then it is like one without, and a
/// fill is sent none.
///
/// Only where cookies are credentials at all. Elsewhere they are removed, keyed by name, or a field like any other.
pub fn are_ignored(fields: &HeaderMap, policy: &Policy) -> bool {
    let count = match policy.credentials {
        Credentials::Pass => true,
        Credentials::Authorization => policy.selects(),
        Credentials::Strip | Credentials::Key { .. } => false,
    };
    let mut lines = fields.get_all(header::COOKIE).into_iter().peekable();
    count && lines.peek().is_some() && lines.all(|line| is_ignored(line.as_bytes(), &policy.ignored_cookies))
}

/// The names of a request's cookies that count as credentials under a policy, each once: those that a cookie may have (RFC 6265, section
/// 4.1.1), so that a configuration can name them.
pub fn names_that_count(fields: &HeaderMap, policy: &Policy) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let lines = fields.get_all(header::COOKIE).into_iter();
    for pair in lines.flat_map(|line| line.as_bytes().split(|&b| b == b';')).map(<[u8]>::trim_ascii) {
        let Some(at) = pair.iter().position(|&b| b == b'=') else { continue };
        let is_token = HeaderName::from_bytes(&pair[..at]).is_ok();
        let Some(name) = std::str::from_utf8(&pair[..at]).ok().filter(|_| is_token) else { continue };
        if !is_ignored(pair, &policy.ignored_cookies) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether one field is a line of cookies that are all ignored under this policy ([`are_ignored`]).
pub(crate) fn is_ignored_line(name: &HeaderName, value: &HeaderValue, policy: &Policy) -> bool {
    *name == header::COOKIE && are_ignored(&[(name.clone(), value.clone())].into_iter().collect(), policy)
}

/// Whether every cookie of a line is ignored. It is a matter of their names; but a line in which some server would find another
/// cookie (some end a cookie at a comma or a blank, or go on to a closing quote) counts whatever its names are.
fn is_ignored(line: &[u8], patterns: &[NamePattern]) -> bool {
    let ends = |b: &u8| matches!(b, b',' | b' ' | b'\t');
    line.split(|&b| b == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).all(|pair| {
        let Some(at) = pair.iter().position(|&b| b == b'=') else { return false };
        let (name, value) = (&pair[..at], &pair[at + 1..]);
        let end = value.iter().position(ends);
        let hides = name.iter().any(ends)
            || pair.contains(&b'"')
            || end.is_some_and(|end| value[end..].contains(&b'='));
        let is_listed = |name| patterns.iter().any(|pattern| pattern.matches(name));
        !hides && std::str::from_utf8(name).is_ok_and(is_listed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_beside_any_bytes() {
        let mut fields = HeaderMap::new();
        for line in [&b"flag; name=J\xf6rg;  lang=de=at ;lang=en"[..], b"sid=1"] {
            fields.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        assert_eq!(cookie(&fields, "name"), Some(&b"J\xf6rg"[..]));
        assert_eq!(cookie(&fields, "lang"), Some(&b"de=at"[..]));
        assert_eq!(cookie(&fields, "sid"), Some(&b"1"[..]));
        assert_eq!(cookie(&fields, "flag"), None);
    }

    fn ignored(lines: &[&'static str]) -> bool {
        let lines = lines.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        are_ignored(&lines.collect(), &Policy::default())
    }

    #[test]
    fn analytics_cookies_do_not_count() {
        for lines in [
            &["_ga=GA1.1.182.168; _ga_9XQMZ2E7TH=GS1.1.16.3.1.16.0.0.0; _gid=GA1.2.3"][..],
            &["_fbp=fb.1.1.2;_gcl_au=1.1.1.2 ; "],
            &["__utmz=1.2.3.utmcsr=(direct)|utmcmd=(none)", "_pk_id.1.1fff=a.1."],
            &["OptanonConsent=isGpcEnabled=0&datestamp=Sat+Nov+28&groups=C0001%3A1%2CC0002%3A0"],
            &["_hjSession_1=eyJpZCI6ImEifQ==", "_clck=1a%7C2%7Cfx"],
            &["_ga=a,b c", "_gid==", "_ga_A=;", ""],
        ] {
            assert!(ignored(lines), "{lines:?}");
        }
    }

    #[test]
    fn every_other_cookie_counts() {
        for lines in [
            &[][..],
            &["sid=1"],
            &["_ga=1; sid=2"],
            &["_ga=1", "sid=2"],
            &["_gaexp=GAX1.2.a.1.1"],
            &["_GA=1"],
            &["_ga"],
            &["=_ga"],
            &["_ga=1, sid=2"],
            &["_ga=1 sid=2"],
            &["_ga_,sid=2"],
            &["_ga_ sid=2"],
            &["_ga=\"1; _gid=2\""],
            &["_ga =1"],
            &["x_ga=1"],
            &["__Host-_ga=1"],
        ] {
            assert!(!ignored(lines), "{lines:?}");
        }
        let above: HeaderMap =
            [(header::COOKIE, HeaderValue::from_bytes(b"_ga_\xf6=1").unwrap())].into_iter().collect();
        assert!(!are_ignored(&above, &Policy::default()));
    }

    #[test]
    fn they_are_ignored_where_cookies_are_credentials() {
        let fields: HeaderMap = [(header::COOKIE, HeaderValue::from_static("_ga=1"))].into_iter().collect();
        let with = |credentials: Credentials| Policy { credentials, ..Policy::default() };
        let plain =
            Policy { particular: crate::config::Particular::Answer, ..with(Credentials::Authorization) };
        assert!(are_ignored(&fields, &with(Credentials::Authorization)));
        assert!(!are_ignored(&fields, &plain));
        assert!(!are_ignored(&fields, &with(Credentials::Strip)));
        let keyed = Credentials::Key { cookies: vec!["_ga".into()], fields: vec![] };
        assert!(!are_ignored(&fields, &with(keyed)));
        let none = Policy { ignored_cookies: vec![], ..Policy::default() };
        assert!(!are_ignored(&fields, &none));
    }
}
