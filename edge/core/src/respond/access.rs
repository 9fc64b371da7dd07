//! Who may look into an edge: its status page, and how it explains its answers.

use http::{HeaderMap, StatusCode};

use super::problem::Problem;
use crate::edge::Access;
use crate::fields;

/// The request field that shows the token where `Authorization` is the request's own. It is never passed on.
pub const TOKEN: &str = "levee-token";

/// Lets through who may look into the edge, or says what is missing.
pub fn check(access: &Access, request: &HeaderMap) -> Result<(), Problem> {
    let token = match access {
        Access::Local => return Ok(()),
        Access::Token(Some(token)) if !token.is_empty() => token,
        Access::Token(_) => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "status-off",
                "The status page is off",
                "set the secret LEVEE_STATUS_TOKEN to turn it on",
            ));
        }
    };
    if shows_token(request, token) || shows(fields::text(request, "authorization").unwrap_or(""), token) {
        return Ok(());
    }
    Err(Problem {
        authenticate: Some("Basic realm=\"Levee\", charset=\"UTF-8\""),
        ..Problem::new(
            StatusCode::UNAUTHORIZED,
            "token-needed",
            "A token is needed",
            "send `Authorization: Bearer TOKEN` with the value of LEVEE_STATUS_TOKEN; a browser asks: any name, the token as password",
        )
    })
}

/// Whether a request asks for what only its operator may know of it, and may.
pub fn is_debug(access: &Access, request: &HeaderMap) -> bool {
    request.contains_key(TOKEN) && check(access, request).is_ok()
}

fn shows_token(request: &HeaderMap, token: &str) -> bool {
    fields::text(request, TOKEN).is_some_and(|shown| same(shown.trim().as_bytes(), token.as_bytes()))
}

/// Whether `Authorization` shows the token: as a bearer, or as the password of Basic, which browsers ask for.
fn shows(authorization: &str, token: &str) -> bool {
    let (scheme, credentials) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(credentials.as_bytes(), token.as_bytes());
    }
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(decoded) = base64(credentials)
        && let Some(at) = decoded.iter().position(|&b| b == b':')
    {
        return same(&decoded[at + 1..], token.as_bytes());
    }
    false
}

/// Compares in a time that depends on the lengths alone.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Base64 (RFC 4648, section 4), of what a browser sends as Basic.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0u32, 0);
    for b in text.trim_end_matches('=').bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_as_bearer_or_as_password() {
        assert!(shows("Bearer s3cret", "s3cret"));
        assert!(shows("Basic YW55OnMzY3JldA==", "s3cret"));
        for wrong in ["", "Bearer", "Bearer s3cre", "Basic YW55OnMzY3JlZA==", "Basic !!", "Digest s3cret"] {
            assert!(!shows(wrong, "s3cret"), "{wrong}");
        }
    }
}
