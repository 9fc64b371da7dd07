//! Fields whose values are few words.

/// `Sec-Fetch-Site` (Fetch Metadata Request Headers, section 2.3).
pub(crate) fn fetch_site(value: &[u8]) -> bool {
    matches!(value, b"none" | b"same-origin" | b"same-site" | b"cross-site")
}

/// `Sec-Fetch-Mode` (the same, section 2.2).
pub(crate) fn fetch_mode(value: &[u8]) -> bool {
    matches!(value, b"navigate" | b"cors" | b"no-cors" | b"same-origin" | b"websocket")
}

/// `Sec-Fetch-User` (the same, section 2.4).
pub(crate) fn fetch_user(value: &[u8]) -> bool {
    value == b"?1"
}

/// `Sec-Fetch-Storage-Access` (The Storage Access API, section 3.6).
pub(crate) fn storage_access(value: &[u8]) -> bool {
    matches!(value, b"none" | b"inactive" | b"active")
}

/// `Sec-Fetch-Dest`: the destinations of Fetch, section 2.2.5, and `empty`.
pub(crate) fn fetch_dest(value: &[u8]) -> bool {
    const DESTINATIONS: [&[u8]; 27] = [
        b"audio",
        b"audioworklet",
        b"document",
        b"embed",
        b"empty",
        b"fencedframe",
        b"font",
        b"frame",
        b"iframe",
        b"image",
        b"json",
        b"manifest",
        b"object",
        b"paintworklet",
        b"report",
        b"script",
        b"serviceworker",
        b"sharedworker",
        b"speculationrules",
        b"style",
        b"text",
        b"track",
        b"video",
        b"webidentity",
        b"webbundle",
        b"worker",
        b"xslt",
    ];
    DESTINATIONS.contains(&value)
}

/// `Sec-CH-UA-Mobile`: a boolean (RFC 9651, section 3.3.6).
pub(crate) fn boolean(value: &[u8]) -> bool {
    matches!(value, b"?0" | b"?1")
}

/// `Upgrade-Insecure-Requests`, `Sec-GPC`, `Early-Data` (RFC 8470, section 5.1).
pub(crate) fn one(value: &[u8]) -> bool {
    value == b"1"
}

/// `DNT`.
pub(crate) fn zero_or_one(value: &[u8]) -> bool {
    matches!(value, b"0" | b"1")
}

/// `Save-Data`.
pub(crate) fn on(value: &[u8]) -> bool {
    value == b"on"
}

/// `Pragma` (RFC 9111, section 5.4).
pub(crate) fn no_cache(value: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"no-cache")
}

/// `Expires` in a request means nothing. Yet front ends send it beside `Pragma`.
pub(crate) fn expired(value: &[u8]) -> bool {
    matches!(value, b"0" | b"-1")
}

/// `ADRUM`, by which AppDynamics marks what a page fetches.
pub(crate) fn is_ajax(value: &[u8]) -> bool {
    value == b"isAjax:true"
}

/// `Accept-Charset` (RFC 9110, section 12.5.2): the character sets that old clients name, with weights.
pub(crate) fn charsets(value: &[u8]) -> bool {
    const CHARSETS: [&str; 9] = [
        "*",
        "iso-8859-1",
        "iso-8859-15",
        "us-ascii",
        "utf-8",
        "utf-16",
        "utf8",
        "windows-1251",
        "windows-1252",
    ];
    value.len() <= 128
        && super::parts(value, b',').all(|element| {
            let mut parts = super::parts(element, b';');
            let name = parts.next().unwrap_or_default();
            CHARSETS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
                && parts.next().is_none_or(|weight| {
                    weight.strip_prefix(b"q=").is_some_and(|weight| super::weight(weight).is_some())
                })
                && parts.next().is_none()
        })
}
