//! Which request fields say who is asking.

use http::{HeaderMap, HeaderName};

use super::cookies;
use crate::config::{Credentials, Policy};

/// Fields by which clients usually identify themselves, beside what a policy names.
const USUAL: [&str; 23] = [
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
    // What proxies that log visitors in tell of them.
    "remote-user",
    "x-auth-request-access-token",
    "x-auth-request-email",
    "x-auth-request-user",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-user",
];

/// The fields of a request by which it says who asks, as a policy sees it. `None`: nothing that keeps an answer from being
/// shared. Cookies that are all ignored say nothing.
pub fn found<'a>(fields: &'a HeaderMap, policy: &Policy) -> Option<&'a HeaderName> {
    match policy.credentials {
        Credentials::Strip | Credentials::Key { .. } => None,
        Credentials::Authorization if !policy.selects() => {
            fields.keys().find(|name| **name == http::header::AUTHORIZATION)
        }
        Credentials::Pass | Credentials::Authorization => {
            let counts = |name: &&HeaderName| {
                is_credential(name.as_str(), &policy.credential_fields)
                    && (**name != http::header::COOKIE || !cookies::are_ignored(fields, policy))
            };
            fields.keys().find(counts)
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
        Credentials::Authorization if !policy.selects() => (&USUAL[..1], &[], None),
        Credentials::Pass | Credentials::Authorization => (&USUAL, &policy.credential_fields, None),
        Credentials::Key { cookies, fields } => (&[], fields, (!cookies.is_empty()).then_some("cookie")),
    };
    usual.iter().copied().chain(named.iter().map(String::as_str)).chain(cookie)
}
