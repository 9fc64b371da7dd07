//! `Cache-Control` by its own grammar, and targeted fields as structured dictionaries.

use http::{HeaderMap, HeaderValue};
use levee::fields::CacheControl;
use levee::fields::cache_control::Qualified;
use levee::fields::structured::{Item, dictionary};

/// The input is one field value.
pub fn check(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let fields: HeaderMap = [(http::header::CACHE_CONTROL, value)].into_iter().collect();
    let read = CacheControl::read(&fields, "cache-control").expect("the field is there");
    if let Ok(text) = std::str::from_utf8(data) {
        against_sfv(text);
        if text.bytes().all(|b| (32..127).contains(&b) || b == b'\t') {
            by_the_grammar(text, &read);
        }
    }
    let mut targeted = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(data) {
        targeted.append("cdn-cache-control", value);
    }
    if let Some(read) = CacheControl::read_targeted(&targeted, "cdn-cache-control") {
        bounds(&read);
    }
    bounds(&read);
}

fn bounds(read: &CacheControl) {
    for seconds in
        [read.max_age, read.s_maxage, read.stale_while_revalidate, read.stale_if_error, read.min_fresh]
    {
        assert!(seconds.is_none_or(|seconds| seconds <= 1 << 31));
    }
}

fn by_the_grammar(text: &str, read: &CacheControl) {
    assert_eq!(&CacheControl::parse(text), read, "one line is its text");
    assert_eq!(&CacheControl::parse(&text.to_ascii_uppercase()), read, "case means nothing");
    assert_eq!(&CacheControl::parse(&format!(" , {text}")), read, "empty elements mean nothing");
    if text.contains('"') {
        return;
    }
    // Without quotes the elements are what lies between commas: nothing that forbids sharing may be lost.
    let names: Vec<String> = text
        .split(',')
        .map(|element| element.split('=').next().unwrap_or("").trim().to_ascii_lowercase())
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let says = |wanted: &str| text.split(|c| !is_word(c)).any(|word| word.eq_ignore_ascii_case(wanted));
    assert_eq!(says("no-store"), read.no_store);
    assert_eq!(says("private"), read.private == Qualified::Yes);
    assert_eq!(says("no-cache"), read.no_cache == Qualified::Yes);
    if !text.split(',').all(is_directive) {
        assert!(!read.public && !read.must_understand && !read.must_revalidate && read.s_maxage.is_none());
        assert!(!(has("max-age") || has("s-maxage")) || read.max_age.is_some());
        return;
    }
    assert_eq!(has("max-age"), read.max_age.is_some());
    assert_eq!(has("s-maxage"), read.s_maxage.is_some());
    assert_eq!(has("must-revalidate"), read.must_revalidate);
    // Two lines are one list.
    for (at, _) in text.match_indices(',') {
        let mut fields = HeaderMap::new();
        for line in [&text[..at], &text[at + 1..]] {
            if let Ok(line) = line.parse() {
                fields.append("cache-control", line);
            }
        }
        assert_eq!(CacheControl::read(&fields, "cache-control").as_ref(), Some(read));
    }
}

/// A token, or two around an equals sign, of which the second may be missing.
fn is_directive(text: &str) -> bool {
    let is_token =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let text = text.trim_matches([' ', '\t']);
    match text.split_once('=') {
        None => is_token(text),
        Some((name, value)) => {
            let name = name.trim_end_matches([' ', '\t']);
            !name.is_empty() && is_token(name) && is_token(value.trim_start_matches([' ', '\t']))
        }
    }
}

/// The same dictionary as an independent implementation of RFC 9651 reads.
fn against_sfv(text: &str) {
    let ours = dictionary(text);
    let theirs: Result<sfv::Dictionary, _> = sfv::Parser::new(text).parse();
    let Ok(theirs) = theirs else {
        if let Some(ours) = ours {
            // Contents that we do not decode are read more tolerantly: byte sequences and display strings.
            assert!(ours.iter().any(|(_, item)| *item == Item::Other) || text.contains(';'), "{text:?}");
        }
        return;
    };
    // No directive is a display string: what one may hold is not told apart from a string.
    if text.contains("%\"") {
        return;
    }
    let ours = ours.unwrap_or_else(|| panic!("a dictionary is refused: {text:?}"));
    assert_eq!(ours.len(), theirs.len(), "{text:?}");
    for (name, item) in ours {
        let wanted = match theirs.get(name) {
            Some(sfv::ListEntry::Item(item)) => match &item.bare_item {
                sfv::BareItem::Integer(integer) => Item::Integer(i64::from(*integer)),
                sfv::BareItem::Boolean(boolean) => Item::Boolean(*boolean),
                sfv::BareItem::String(string) => Item::String(string.as_str().to_owned()),
                _ => Item::Other,
            },
            Some(sfv::ListEntry::InnerList(_)) => Item::Other,
            None => panic!("{name} is not in {text:?}"),
        };
        assert_eq!(item, wanted, "{name} in {text:?}");
    }
}
