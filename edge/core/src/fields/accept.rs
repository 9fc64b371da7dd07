//! Content negotiation fields (RFC 9110, section 12.5) in the one form in which they are keyed and forwarded.

use http::HeaderMap;

use super::list;

/// One element with its weight in thousandths.
fn weighted(element: &str) -> (String, u16) {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().unwrap_or("").to_ascii_lowercase();
    let weight = parts
        .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
        .map_or(1000, thousandths);
    (name, weight)
}

/// A weight (section 12.4.2) of up to three decimals; what cannot be read is zero.
fn thousandths(text: &str) -> u16 {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    let digit = |at: usize| u16::from(decimals.as_bytes().get(at).map_or(0, |b| b - b'0'));
    match whole {
        "1" => 1000,
        "0" => digit(0) * 100 + digit(1) * 10 + digit(2),
        _ => 0,
    }
}

/// `Accept-Encoding`: codings in lower case, by falling weight and then by name, weights written only where they differ
/// from one.
pub fn encodings(value: &str) -> String {
    sorted(value)
}

fn sorted(value: &str) -> String {
    let mut elements: Vec<(String, u16)> = list::elements(value).map(weighted).collect();
    elements.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    elements.dedup();
    written(&elements)
}

/// `Accept-Language`: ranges in lower case, by falling weight; the order of equals is kept, because it may count.
pub fn languages(value: &str) -> String {
    let mut ranges: Vec<(String, u16)> = list::elements(value).map(weighted).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse(range.1));
    written(&ranges)
}

/// The same with equals in the order of their names, for origins that do not take their order for a preference.
pub fn languages_sorted(value: &str) -> String {
    sorted(value)
}

fn written(elements: &[(String, u16)]) -> String {
    let mut text = String::new();
    for (name, weight) in elements {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        if *weight != 1000 {
            let digits = format!("{weight:03}");
            text.push_str(";q=0");
            let digits = digits.trim_end_matches('0');
            if !digits.is_empty() {
                text.push('.');
                text.push_str(digits);
            }
        }
    }
    text
}

/// Whether a request would rather be answered with HTML than with JSON: it comes of a browser that navigates.
pub fn wants_html(request: &HeaderMap) -> bool {
    list::joined(request, "accept").is_some_and(|accept| prefers_html(&String::from_utf8_lossy(&accept)))
}

fn prefers_html(value: &str) -> bool {
    let weight = |wanted: &str| {
        list::elements(value).map(weighted).filter(|(name, _)| name == wanted).map(|(_, weight)| weight).max()
    };
    let json = weight("application/json").max(weight("application/problem+json")).unwrap_or(0);
    weight("text/html").is_some_and(|html| html > 0 && html >= json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_case_and_space_of_encodings_mean_nothing() {
        assert_eq!(encodings("gzip, br"), encodings("BR ,gzip;q=1.0"));
        assert_eq!(encodings("gzip;q=0.5, br"), "br,gzip;q=0.5");
        assert_ne!(encodings("gzip;q=0"), encodings("gzip"));
        assert_eq!(encodings("gzip;q=0"), "gzip;q=0");
    }

    #[test]
    fn languages_keep_the_order_of_equals() {
        assert_eq!(languages("de;q=0.8, EN-gb"), "en-gb,de;q=0.8");
        assert_ne!(languages("de, en"), languages("en, de"));
    }

    #[test]
    fn browsers_get_html() {
        assert!(prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!prefers_html("*/*"));
        assert!(!prefers_html("application/json, text/html;q=0.5"));
    }
}
