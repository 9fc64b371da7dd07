//! Which request fields say who is asking.

use http::{HeaderMap, HeaderName};

use crate::config::{Credentials, Policy};

/// Fields by which clients usually identify themselves, beside what a policy names.
const USUAL: [&str; 16] = [
    "authorization",
    "cookie",
    "api-key",
    "apikey",
    "x-api-key",
    "x-api-token",
    "x-auth-token",
    "x-access-token",
    "x-session-token",
    "x-csrf-token",
    "x-amz-security-token",
    "x-goog-api-key",
    "x-functions-key",
    "ocp-apim-subscription-key",
    "cf-access-jwt-assertion",
    "x-ms-token-aad-access-token",
];

/// The fields of a request by which it says who asks, as a policy sees it. `None`: nothing that keeps an answer from being
/// shared.
pub fn found<'a>(fields: &'a HeaderMap, policy: &Policy) -> Option<&'a HeaderName> {
    match policy.credentials {
        Credentials::Strip | Credentials::Key { .. } => None,
        Credentials::Authorization => fields.keys().find(|name| **name == http::header::AUTHORIZATION),
        Credentials::Pass => {
            fields.keys().find(|name| is_credential(name.as_str(), &policy.credential_fields))
        }
    }
}

/// Whether `name` (lower case) carries credentials, by custom or because the policy names it.
pub fn is_credential(name: &str, named: &[String]) -> bool {
    USUAL.contains(&name) || named.iter().any(|field| field == name)
}

/// Names of the fields whose being there, or whose value, [`found`] and the key of a request depend on.
pub fn read_by(policy: &Policy) -> impl Iterator<Item = &str> {
    let (usual, named, cookie): (&[&str], &[String], _) = match &policy.credentials {
        Credentials::Strip => (&[], &[], None),
        Credentials::Authorization => (&USUAL[..1], &[], None),
        Credentials::Pass => (&USUAL, &policy.credential_fields, None),
        Credentials::Key { cookies, fields } => (&[], fields, (!cookies.is_empty()).then_some("cookie")),
    };
    usual.iter().copied().chain(named.iter().map(String::as_str)).chain(cookie)
}

/// The value of one cookie of a request (RFC 6265, section 5.4).
pub fn cookie<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields
        .get_all(http::header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
