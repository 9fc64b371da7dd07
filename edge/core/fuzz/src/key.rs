//! Keys and the selectors of variants: different requests have different ones, because either can be read back.

use http::{HeaderMap, HeaderName};
use levee::Scheme;
use levee::config::{Credentials, KeyPolicy, NamePattern, Policy, QueryPolicy};
use levee::fields::{cookies, vary};
use levee::key::{Key, Selection, authority, digest};
use levee::route::Target;
use levee::seal::Seal;

use super::input::Input;

/// A byte of policy, a line of authority, a line of target, fields.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let scheme = if flags & 1 == 0 { Scheme::Https } else { Scheme::Http };
    let sent = input.text();
    let Some(authority) = authority(scheme, &sent) else { return };
    assert_eq!(levee::key::authority(scheme, &authority).as_deref(), Some(authority.as_str()), "stable");
    // Where a browser takes it for a host at all, it takes it for nothing else.
    if let Ok(url) = url::Url::parse(&format!("{}://{sent}/", scheme.as_str())) {
        assert!(url.username().is_empty() && url.password().is_none() && url.path() == "/", "{sent}");
        assert_eq!(url.port().is_some(), authority.len() > levee::key::host(&authority).len(), "{sent}");
    }
    let raw = input.text();
    let Ok(target) = Target::normalise(&raw) else { return };
    let fields = input.fields();
    let policy = policy(flags);

    let seal = Seal::new(Some("secret"), "");
    let Ok(selection) = Selection::of(&fields, &policy, &seal) else { return };
    let key = Key::new(scheme, &authority, &target, &fields, &policy, (&selection, &seal));
    let read = Read::key(key.as_str());
    assert_eq!(read.url, format!("{}://{authority}{}", scheme.as_str(), key.target()));
    // What the policy keys stands first, then what every entry is told apart by.
    let (selects, keyed): (Vec<Part>, Vec<Part>) =
        read.parts.iter().cloned().partition(|(kind, ..)| matches!(kind, 'q' | 'p'));
    assert_eq!(keyed, wanted(&fields, &policy, &seal));
    let kinds: Vec<char> = selects.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, if key.particular().is_some() { vec!['q', 'p'] } else { vec!['q'] });
    if let Some(general) = key.general() {
        assert!(key.as_str().starts_with(general.as_str()) && general.particular().is_none());
    }
    keeps_what_is_keyed(&key, &target, &policy);
    assert_eq!(digest(key.as_str()).len(), 64);

    let on: Vec<HeaderName> = fields.keys().cloned().collect();
    let selector = vary::selector(&fields, &on, &seal);
    assert_eq!(Read::selector(&selector).len(), on.len(), "{selector:?}");
    told_apart(&fields, &on, &seal);
    let variant = key.variant(&selector);
    assert_eq!(variant, format!("{}\nv{}:{selector}", key.as_str(), selector.len()));
    // The key of a variant is no URL's key.
    assert_ne!(Read::key(&variant).parts, read.parts);
}

fn policy(flags: u8) -> Policy {
    let is = |bit: u8| flags & (1 << bit) != 0;
    let names = || vec![NamePattern::new("a*"), NamePattern::new("b")];
    Policy {
        key: KeyPolicy {
            query: match (is(1), is(2)) {
                (false, _) => QueryPolicy::default(),
                (true, false) => QueryPolicy::Drop(names()),
                (true, true) => QueryPolicy::Keep(names()),
            },
            sort: is(3),
            fields: if is(4) { vec!["x-a".into(), "x-b".into()] } else { vec![] },
            ..KeyPolicy::default()
        },
        credentials: if is(5) {
            Credentials::Key { cookies: vec!["a".into(), "b".into()], fields: vec!["x-k".into()] }
        } else {
            Credentials::Pass
        },
        ..Policy::default()
    }
}

type Part = (char, String, Option<Vec<u8>>);

struct Read {
    url: String,
    parts: Vec<Part>,
}

impl Read {
    /// What a key says: the URL is the first line, then parts whose values are preceded by their lengths.
    fn key(text: &str) -> Self {
        let (url, mut rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut parts = Vec::new();
        while let Some(kind) = rest.chars().next() {
            rest = &rest[kind.len_utf8()..];
            let end = rest.find(['=', ':', '\n']).unwrap_or(rest.len());
            let (mut name, mut after) = rest.split_at(end);
            let mut value = None;
            if kind != 'v' && after.starts_with(':') {
                // A digest, of a length of its own.
                let digest = &after[1..][..32];
                assert!(digest.bytes().all(|b| b.is_ascii_hexdigit()), "{text:?}");
                value = Some(digest.as_bytes().to_vec());
                after = &after[33..];
            } else if after.starts_with(['=', ':']) {
                if after.starts_with('=') {
                    after = &after[1..];
                } else {
                    // A variant has no name: its length comes at once.
                    (name, after) = ("", rest);
                }
                let (length, content) = after.split_once(':').expect("a length");
                let length: usize = length.parse().expect("a number");
                // Characters, each of which stands for one byte; selectors are text and counted in bytes.
                let taken: String = match kind {
                    'v' => content[..length].to_owned(),
                    _ => content.chars().take(length).collect(),
                };
                after = &content[taken.len()..];
                value = Some(taken.chars().map(|c| c as u32 as u8).collect());
            }
            parts.push((kind, name.to_owned(), value));
            rest = after.strip_prefix('\n').unwrap_or_else(|| {
                assert!(after.is_empty(), "{text:?}");
                ""
            });
        }
        Self { url: url.to_owned(), parts }
    }

    /// What a selector says.
    fn selector(text: &str) -> Vec<(String, Option<String>)> {
        let mut rest = text;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let end = rest.find(['=', ':', ';']).expect("an end");
            let (name, after) = rest.split_at(end);
            if let Some(digest) = after.strip_prefix(':') {
                assert!(digest[..32].bytes().all(|b| b.is_ascii_hexdigit()), "{text:?}");
                parts.push((name.to_owned(), Some(digest[..32].to_owned())));
                rest = digest[32..].strip_prefix(';').expect("an end");
            } else if let Some(after) = after.strip_prefix('=') {
                let (length, content) = after.split_once(':').expect("a length");
                let (value, after) = content.split_at(length.parse().expect("a number"));
                parts.push((name.to_owned(), Some(value.to_owned())));
                rest = after.strip_prefix(';').expect("an end");
            } else {
                parts.push((name.strip_suffix('-').expect("a mark").to_owned(), None));
                rest = &after[1..];
            }
        }
        parts
    }
}

fn wanted(fields: &HeaderMap, policy: &Policy, seal: &Seal) -> Vec<Part> {
    let sealed = |(kind, name, value): Part| {
        let value = value.map(|value| {
            let mut digest = String::new();
            seal.push(&mut digest, kind, &name, &value);
            digest.into_bytes()
        });
        (kind, name, value)
    };
    let field = |name: &String| {
        let lines: Vec<&[u8]> =
            fields.get_all(name.as_str()).into_iter().map(http::HeaderValue::as_bytes).collect();
        ('f', name.clone(), (!lines.is_empty()).then(|| lines.join(&b", "[..])))
    };
    let mut parts: Vec<Part> = policy.key.fields.iter().map(field).collect();
    if let Credentials::Key { cookies, fields: names } = &policy.credentials {
        parts.extend(names.iter().map(field).map(sealed));
        let cookie = |name: &String| ('c', name.clone(), cookies::cookie(fields, name).map(<[u8]>::to_vec));
        parts.extend(cookies.iter().map(cookie).map(sealed));
    }
    parts
}

/// Path and kept parameters reach the origin, each as often as it came and in the order of its name.
fn keeps_what_is_keyed(key: &Key, target: &Target<'_>, policy: &Policy) {
    let keyed = Target::normalise(key.target()).expect("a target");
    assert_eq!(keyed.path(), target.path());
    let name = |pair: &str| pair.split('=').next().unwrap_or("").to_owned();
    let is_kept = |pair: &str| match &policy.key.query {
        QueryPolicy::Keep(patterns) => patterns.iter().any(|pattern| pattern.matches(&name(pair))),
        QueryPolicy::Drop(patterns) => !patterns.iter().any(|pattern| pattern.matches(&name(pair))),
    };
    let mut wanted: Vec<&str> =
        target.query().map_or(vec![], |q| q.split('&').filter(|p| is_kept(p)).collect());
    let (_, query) = key.target().split_once('?').map_or((key.target(), None), |(path, q)| (path, Some(q)));
    let got: Vec<&str> = query.map_or(vec![], |q| q.split('&').collect());
    if policy.key.sort {
        wanted.sort_by_key(|pair| name(pair));
    }
    assert_eq!(got, wanted);
}

/// A field in which one letter is another is another variant.
fn told_apart(fields: &HeaderMap, on: &[HeaderName], seal: &Seal) {
    let selector = vary::selector(fields, on, seal);
    for name in on {
        if name == "accept-encoding" || name == "accept-language" {
            continue;
        }
        let value = fields[name].as_bytes();
        let Some(at) = value.iter().position(u8::is_ascii_alphanumeric) else { continue };
        let mut other = value.to_vec();
        other[at] = if other[at] == b'~' { b'!' } else { b'~' };
        let mut changed = fields.clone();
        if let Ok(value) = http::HeaderValue::from_bytes(&other) {
            let lines: Vec<_> = fields.get_all(name).into_iter().skip(1).cloned().collect();
            changed.insert(name.clone(), value);
            for line in lines {
                changed.append(name.clone(), line);
            }
            assert_ne!(vary::selector(&changed, on, seal), selector, "{name}");
        }
    }
}
