//! Which request fields are keyed, which are credentials, which are forwarded.

use levee::config::{Credentials, KeyPolicy, Particular};
use levee::fields::credentials;

use super::policy::query;
use crate::read::{At, List, Reader};
use crate::source::{self, FieldName};

/// Request fields that the edge itself reads and writes: hop-by-hop ones (RFC 9110, section 7.6.1), those of conditional and
/// range requests, which it answers itself, and those by which it tells the origin how it was reached.
const OWN: [&str; 21] = [
    "cdn-loop",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-host",
    "x-forwarded-proto",
];

fn is_credential(name: &str, policy: &source::Policy) -> bool {
    let named = policy.credential_fields.as_ref().map(|list| unique(&list.value)).unwrap_or_default();
    credentials::is_credential(name, &named)
}

fn mode(policy: &source::Policy) -> source::Credentials {
    policy.credentials.as_ref().map_or(source::Credentials::Pass, |at| at.value)
}

/// The names of a list, each once.
pub(super) fn unique(list: &List<FieldName>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for At { value: FieldName(name), .. } in list.iter() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn key_headers(policy: &source::Policy) -> Option<&At<List<FieldName>>> {
    policy.key.as_ref().and_then(|key| key.value.headers.as_ref())
}

fn key_cookies(policy: &source::Policy) -> Option<&At<List<source::CookieName>>> {
    policy.key.as_ref().and_then(|key| key.value.cookies.as_ref())
}

/// What `own` names, against what holds once it is merged.
pub(super) fn check(own: &source::Policy, merged: &source::Policy, reader: &mut Reader<'_>) {
    let keyed = mode(merged) == source::Credentials::Key;
    if let Some(At { value: cookies, span }) = key_cookies(own)
        && !keyed
        && !cookies.0.is_empty()
    {
        reader
            .error(span, "`key.cookies` needs `credentials = \"key\"`")
            .help("cookies are credentials: keyed ones are forwarded, the others removed");
    }
    for At { value: FieldName(name), span } in key_headers(own).iter().flat_map(|list| list.value.iter()) {
        if is_credential(name, merged) && !keyed {
            reader
                .error(span, format!("`{name}` in `key.headers` needs `credentials = \"key\"`"))
                .help("it is a credential: a keyed one is forwarded, the others removed");
        }
        if OWN.contains(&name.as_str()) {
            reader.error(span, format!("`{name}` in `key.headers` cannot be keyed")).help(
                if name == "host" {
                    "the host is always part of the key"
                } else {
                    "the edge itself answers it"
                },
            );
        }
    }
    check_moved(own, merged, reader);
    let span = own.credentials.as_ref().map(|at| &at.span).or(own.key.as_ref().map(|at| &at.span));
    if let Some(span) = span
        && keyed
        // A cookie or field that was wrong has been reported, and is not here.
        && !reader.has_errors()
        && matches!(key(merged).0, Credentials::Key { cookies, fields } if cookies.is_empty() && fields.is_empty())
    {
        reader.error(span, "`credentials = \"key\"` without a credential to key").help(
            "name cookies in `key.cookies` or fields in `key.headers`; to remove all of them: \"strip\"",
        );
    }
}

/// `forward`, `ordinary` and `particular`: neither a credential nor a field that the edge itself reads can be moved.
fn check_moved(own: &source::Policy, merged: &source::Policy, reader: &mut Reader<'_>) {
    let particular = own.particular.as_ref().and_then(|at| match &at.value {
        source::Particular::Fields(list) => Some(list),
        source::Particular::Answer => None,
    });
    let lists = [
        ("forward", own.forward.as_ref().map(|at| &at.value.0)),
        ("ordinary", own.ordinary.as_ref().map(|at| &at.value)),
        ("particular", particular),
    ];
    for (key, list) in lists {
        for At { value: FieldName(name), span } in list.into_iter().flat_map(List::iter) {
            if is_credential(name, merged) {
                reader.error(span, format!("`{name}` in `{key}` is a credential")).help(
                    "whose it is would tell no answers apart: `credentials = \"key\"` with `key`, or \"pass\", which lets \
                     such a request through whole",
                );
            }
            if OWN.contains(&name.as_str()) {
                reader
                    .error(span, format!("`{name}` in `{key}` cannot be moved"))
                    .help("the edge itself reads and writes it");
            }
        }
    }
}

/// How credentials are handled, and what is keyed beside them.
pub(super) fn key(merged: &source::Policy) -> (Credentials, KeyPolicy) {
    let headers = key_headers(merged).map(|list| unique(&list.value)).unwrap_or_default();
    let (secret, fields): (Vec<_>, Vec<_>) =
        headers.into_iter().partition(|name| is_credential(name, merged));
    let credentials = match mode(merged) {
        source::Credentials::Pass => Credentials::Pass,
        source::Credentials::Authorization => Credentials::Authorization,
        source::Credentials::Strip => Credentials::Strip,
        source::Credentials::Key => {
            let mut cookies: Vec<String> = Vec::new();
            for At { value, .. } in key_cookies(merged).iter().flat_map(|list| list.value.iter()) {
                if !cookies.contains(&value.0) {
                    cookies.push(value.0.clone());
                }
            }
            Credentials::Key { cookies, fields: secret }
        }
    };
    let source = merged.key.as_ref().map(|at| &at.value);
    let key = KeyPolicy {
        query: query(source.and_then(|key| key.query.as_ref())),
        sort: source.and_then(|key| key.sort.as_ref()).is_some_and(|sort| sort.value),
        sort_languages: source.and_then(|key| key.sort_languages.as_ref()).is_some_and(|sort| sort.value),
        fields,
    };
    (credentials, key)
}

/// The names of a list. An inherited field that has become a credential is not among them.
fn moved(list: Option<&List<FieldName>>, merged: &source::Policy) -> Vec<String> {
    let names = list.map(unique).unwrap_or_default();
    names.into_iter().filter(|name| !is_credential(name, merged)).collect()
}

/// Fields that count for nothing.
pub(super) fn forward(merged: &source::Policy) -> Vec<String> {
    moved(merged.forward.as_ref().map(|at| &at.value.0), merged)
}

/// Further ordinary fields.
pub(super) fn ordinary(merged: &source::Policy) -> Vec<String> {
    moved(merged.ordinary.as_ref().map(|at| &at.value), merged)
}

/// What particular fields do.
pub(super) fn particular(merged: &source::Policy) -> Particular {
    match merged.particular.as_ref().map(|at| &at.value) {
        Some(source::Particular::Answer) => Particular::Answer,
        Some(source::Particular::Fields(list)) => Particular::Select(moved(Some(list), merged)),
        None => Particular::default(),
    }
}
