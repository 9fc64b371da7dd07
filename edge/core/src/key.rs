//! Step 3: what an entry is found by.

mod authority;
pub(crate) mod selection;

use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

pub use authority::{authority, host};
pub use selection::{Selection, Standing, TooParticular};

use crate::config::{Credentials, KeyPolicy, Policy, QueryPolicy};
use crate::fields::{cookies, credentials, list};
use crate::identity::push_hex;
use crate::request::Scheme;
use crate::route::Target;
use crate::seal::Seal;

/// The primary key of a request, written out: scheme, authority, path, keyed query, keyed fields, and what its [`Selection`] says.
/// Of keyed cookies, other credentials and particular fields it holds digests ([`Seal`]).
///
/// It is kept whole in the entry and compared on reading; stores that want short names use [`Key::digest`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    text: String,
    /// Where the target lies within `text`.
    target: (usize, usize),
    /// How much of `text` is the same without particular fields.
    general: usize,
    /// The names of the particular fields, sorted.
    particular: Vec<HeaderName>,
}

impl Key {
    /// Builds the key. `authority` must be normalised ([`authority`]).
    pub fn new(
        scheme: Scheme,
        authority: &str,
        target: &Target<'_>,
        fields: &HeaderMap,
        policy: &Policy,
        (selection, seal): (&Selection, &Seal),
    ) -> Self {
        let mut text = String::with_capacity(authority.len() + target.as_str().len() + 16);
        text.push_str(scheme.as_str());
        text.push_str("://");
        text.push_str(authority);
        let start = text.len();
        text.push_str(target.path());
        push_query(&mut text, target.query(), &policy.key);
        let end = text.len();
        for name in &policy.key.fields {
            let value = list::joined(fields, name);
            if credentials::is_credential(name, &policy.credential_fields) {
                push_secret(&mut text, 'f', name, value.as_deref(), seal);
            } else {
                push_part(&mut text, 'f', name, value.as_deref());
            }
        }
        if let Credentials::Key { cookies: keyed, fields: names } = &policy.credentials {
            for name in names {
                push_secret(&mut text, 'f', name, list::joined(fields, name).as_deref(), seal);
            }
            for name in keyed {
                push_secret(&mut text, 'c', name, cookies::cookie(fields, name), seal);
            }
        }
        selection.push_facts(&mut text);
        let general = text.len();
        let particular = selection.push_particular(&mut text);
        Self { text, target: (start, end), general, particular }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A particular field that this key is told apart by; `None`: there is none.
    pub fn particular(&self) -> Option<&HeaderName> {
        self.particular.first()
    }

    /// All of them, sorted.
    pub fn particulars(&self) -> &[HeaderName] {
        &self.particular
    }

    /// The key of the same request without its particular fields; `None`: it has none.
    pub fn general(&self) -> Option<Self> {
        (!self.particular.is_empty()).then(|| Self {
            text: self.text[..self.general].to_owned(),
            target: self.target,
            general: self.general,
            particular: Vec::new(),
        })
    }

    /// Path and keyed query: what a shareable request sends to the origin.
    pub fn target(&self) -> &str {
        &self.text[self.target.0..self.target.1]
    }

    /// The key of one variant: what the URL varies on has been looked up under the primary key, and `selector` is what
    /// this request says in those fields ([`crate::fields::vary::selector`]).
    pub fn variant(&self, selector: &str) -> String {
        format!("{}\nv{}:{selector}", self.text, selector.len())
    }
}

/// The name of a key in stores that limit names: 256 bits of SHA-256 in lower-case hexadecimal (64 bytes).
pub fn digest(text: &str) -> String {
    let mut name = String::with_capacity(64);
    push_hex(&mut name, &Sha256::digest(text.as_bytes()));
    name
}

/// A line of its own for each part, with the length before the value: no value can pass for another part. A target
/// holds no line break, so that what precedes the first line is the URL.
fn push_part(text: &mut String, kind: char, name: &str, value: Option<&[u8]>) {
    text.push('\n');
    text.push(kind);
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(&value.len().to_string());
        text.push(':');
        // Bytes above ASCII are written as the characters of Latin-1: no two values become one.
        text.extend(value.iter().map(|&b| b as char));
    }
}

/// The same for a part that says who asks: its digest stands for its value.
fn push_secret(text: &mut String, kind: char, name: &str, value: Option<&[u8]>, seal: &Seal) {
    text.push('\n');
    text.push(kind);
    text.push_str(name);
    if let Some(value) = value {
        // No name holds a colon.
        text.push(':');
        seal.push(text, kind, name, value);
    }
}

/// Adds the keyed parameters, with their question mark if there are any.
fn push_query(text: &mut String, query: Option<&str>, policy: &KeyPolicy) {
    let Some(query) = query else { return };
    let kept = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        match &policy.query {
            QueryPolicy::Keep(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
            QueryPolicy::Drop(patterns) => !patterns.iter().any(|pattern| pattern.matches(name)),
        }
    };
    let whole = matches!(&policy.query, QueryPolicy::Drop(patterns) if patterns.is_empty());
    if whole && !policy.sort {
        text.push('?');
        text.push_str(query);
        return;
    }
    let mut pairs: Vec<&str> = query.split('&').filter(kept).collect();
    if policy.sort {
        // Stable: the order of one name's values may mean something.
        pairs.sort_by_key(|pair| pair.split_once('=').map_or(*pair, |(name, _)| name));
    }
    let mut separator = '?';
    for pair in pairs {
        text.push(separator);
        text.push_str(pair);
        separator = '&';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NamePattern;

    fn key(target: &str, fields: &[(&'static str, &'static str)], policy: &Policy) -> Key {
        let fields =
            fields.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Key::new(
            Scheme::Https,
            "a.example",
            &Target::normalise(target).unwrap(),
            &fields,
            policy,
            (&selection(&fields, policy), &seal()),
        )
    }

    fn seal() -> Seal {
        Seal::new(Some("secret"), "")
    }

    fn selection(fields: &HeaderMap, policy: &Policy) -> Selection {
        Selection::of(fields, policy, &seal()).unwrap()
    }

    fn with(key: KeyPolicy) -> Policy {
        Policy { key, ..Policy::default() }
    }

    #[test]
    fn the_query_is_kept_dropped_and_sorted_by_policy() {
        let drop = with(KeyPolicy {
            query: QueryPolicy::Drop(vec![NamePattern::new("utm_*")]),
            ..KeyPolicy::default()
        });
        assert_eq!(key("/s?b=1&utm_source=x&a=2", &[], &drop).target(), "/s?b=1&a=2");
        assert_eq!(key("/s?utm_source=x", &[], &drop).target(), "/s");
        let keep = with(KeyPolicy {
            query: QueryPolicy::Keep(vec![NamePattern::new("q"), NamePattern::new("page")]),
            sort: true,
            ..KeyPolicy::default()
        });
        assert_eq!(key("/s?q=2&x=1&page=3&q=1", &[], &keep).target(), "/s?page=3&q=2&q=1");
    }

    #[test]
    fn keyed_fields_cannot_pass_for_one_another() {
        let policy = with(KeyPolicy { fields: vec!["x-a".into(), "x-b".into()], ..KeyPolicy::default() });
        let one = key("/", &[("x-a", "1")], &policy);
        let two = key("/", &[("x-b", "1")], &policy);
        let none = key("/", &[("x-a", "")], &policy);
        assert_ne!(one, two);
        assert_ne!(key("/", &[], &policy), none);
    }

    #[test]
    fn named_cookies_are_keyed_and_others_are_not() {
        let policy = Policy {
            credentials: Credentials::Key { cookies: vec!["lang".into()], fields: vec![] },
            ..Policy::default()
        };
        let a = key("/", &[("cookie", "sid=1; lang=de")], &policy);
        let b = key("/", &[("cookie", "lang=de; sid=2")], &policy);
        let c = key("/", &[("cookie", "lang=en")], &policy);
        assert_eq!(a, b);
        assert_ne!(a, c);
    }

    #[test]
    fn credentials_are_keyed_by_their_digests() {
        let policy = Policy {
            credentials: Credentials::Key {
                cookies: vec!["sid".into()],
                fields: vec!["authorization".into()],
            },
            key: KeyPolicy { fields: vec!["x-tenant".into(), "x-api-key".into()], ..KeyPolicy::default() },
            ..Policy::default()
        };
        let of = |fields: &[(&'static str, &'static str)]| key("/", fields, &policy).as_str().to_owned();
        let all = [
            ("cookie", "sid=s3cret"),
            ("authorization", "Bearer s3cret"),
            ("x-tenant", "t"),
            ("x-api-key", "s3cret"),
        ];
        let text = of(&all);
        assert!(text.contains("\nfx-tenant=1:t\n") && !text.contains("s3cret"), "{text}");
        assert_eq!(
            text.lines().filter(|line| line.split_once(':').is_some_and(|(_, hex)| hex.len() == 32)).count(),
            3
        );
        for without in 0..all.len() {
            let mut fields = all.to_vec();
            fields[without].1 = "sid=other";
            assert_ne!(of(&fields), text);
            fields.remove(without);
            assert_ne!(of(&fields), text);
        }
        assert_ne!(of(&[("cookie", "sid=")]), of(&[]), "an empty one is not none");
    }

    #[test]
    fn a_byte_above_ascii_in_one_cookie_hides_no_other() {
        let policy = Policy {
            credentials: Credentials::Key { cookies: vec!["lang".into()], fields: vec![] },
            ..Policy::default()
        };
        let of = |line: &[u8]| {
            let fields = [(http::header::COOKIE, http::HeaderValue::from_bytes(line).unwrap())];
            let target = Target::normalise("/").unwrap();
            Key::new(
                Scheme::Https,
                "a.example",
                &target,
                &fields.into_iter().collect(),
                &policy,
                (&Selection::default(), &seal()),
            )
        };
        assert_eq!(of(b"name=J\xf6rg; lang=de"), of(b"lang=de"));
        assert_ne!(of(b"name=J\xf6rg; lang=de"), of(b"name=J\xf6rg"));
        assert_ne!(of(b"lang=\xe4"), of(b"lang=\xf6"));
    }

    #[test]
    fn digests_are_the_published_ones() {
        assert!(digest("abc").starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert_eq!(digest("").len(), 64);
    }
}
