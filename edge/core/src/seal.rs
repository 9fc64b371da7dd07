//! Secrets in keys: who asks is told apart, and no key shows it.
//!
//! A key lies in stores, and is shown to operators. Where a cookie or another credential is part of it, that part is a digest under
//! a secret of the deployment: equal values are equal digests in all its instances, and nobody who reads a store finds a token
//! there, or, without the secret, can try which it was.

use http::HeaderName;
use sha2::{Digest, Sha256};

use crate::identity::push_hex;

/// The secret under which parts of keys are sealed, ready for use.
#[derive(Clone)]
pub struct Seal {
    /// Of HMAC (RFC 2104), behind their first blocks.
    inner: Sha256,
    outer: Sha256,
}

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
/// Of a digest so many bytes are kept: 128 bits tell values apart.
const KEPT: usize = 16;

impl Seal {
    /// `secret`: what all instances of a deployment share and nobody else knows. Where there is none (or an empty one) it is
    /// derived from the deployment's `identity`, which is none: then a store shows no token all the same, but who knows the
    /// identity can try short values.
    pub fn new(secret: Option<&str>, identity: &str) -> Self {
        let mut key = Sha256::new();
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) => {
                key.update(b"levee key secret\n");
                key.update(secret);
            }
            None => {
                key.update(b"levee key identity\n");
                key.update(identity);
            }
        }
        Self::with_key(&key.finalize())
    }

    /// `key`: no longer than a block.
    fn with_key(key: &[u8]) -> Self {
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            Sha256::new_with_prefix(block)
        };
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    fn hmac(&self, message: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        message.iter().for_each(|part| inner.update(part));
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }

    /// Adds the digest of a value to a key: 32 hexadecimal digits. `kind` and `name` say whose value it is: the same token under
    /// two names has two digests.
    pub fn push(&self, text: &mut String, kind: char, name: &str, value: &[u8]) {
        // Neither a kind nor a name holds a line break.
        let digest = self.hmac(&[kind.encode_utf8(&mut [0; 4]).as_bytes(), name.as_bytes(), b"\n", value]);
        push_hex(text, &digest[..KEPT]);
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

/// Whether the value of a selecting field (of `Vary`) may stand in a key as it is: these say what a client can read, what it runs
/// on and which page it comes from, and never who it is. Every other field may hold a token, whatever it is called.
pub(crate) fn is_harmless(name: &HeaderName) -> bool {
    const HARMLESS: [&str; 17] = [
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "access-control-request-headers",
        "access-control-request-method",
        "device-memory",
        "dnt",
        "dpr",
        "ect",
        "host",
        "origin",
        "save-data",
        "upgrade-insecure-requests",
        "user-agent",
        "viewport-width",
        "x-requested-with",
    ];
    let name = name.as_str();
    HARMLESS.contains(&name) || name.starts_with("sec-ch-") || name.starts_with("sec-fetch-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let mut text = String::new();
        push_hex(&mut text, bytes);
        text
    }

    /// RFC 4231, sections 4.2 and 4.3.
    #[test]
    fn it_is_hmac() {
        let seal = Seal::with_key(&[0x0b; 20]);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&seal.hmac(&[b"Hi There"])), expected);
        assert_eq!(hex(&seal.hmac(&[b"Hi", b" ", b"There"])), expected);
        let seal = Seal::with_key(b"Jefe");
        assert_eq!(
            hex(&seal.hmac(&[b"what do ya want for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    fn sealed(seal: &Seal, kind: char, name: &str, value: &str) -> String {
        let mut text = String::new();
        seal.push(&mut text, kind, name, value.as_bytes());
        text
    }

    #[test]
    fn equal_values_are_equal_in_one_deployment_alone() {
        let seal = Seal::new(Some("secret"), "levee-0a");
        let token = sealed(&seal, 'c', "sid", "token");
        assert_eq!(token.len(), 2 * KEPT);
        assert_eq!(
            sealed(&Seal::new(Some("secret"), "levee-0b"), 'c', "sid", "token"),
            token,
            "the secret alone counts"
        );
        for other in [
            sealed(&seal, 'c', "sid", "token2"),
            sealed(&seal, 'c', "sid2", "token"),
            sealed(&seal, 'f', "sid", "token"),
            sealed(&Seal::new(Some("other"), "levee-0a"), 'c', "sid", "token"),
            sealed(&Seal::new(Some("levee-0a"), ""), 'c', "sid", "token"),
            sealed(&Seal::new(None, "levee-0a"), 'c', "sid", "token"),
        ] {
            assert_ne!(other, token);
        }
        let derived = sealed(&Seal::new(None, "levee-0a"), 'c', "sid", "token");
        assert_eq!(sealed(&Seal::new(Some(""), "levee-0a"), 'c', "sid", "token"), derived);
        assert_ne!(sealed(&Seal::new(None, "levee-0b"), 'c', "sid", "token"), derived);
        assert!(!format!("{seal:?}").contains("secret"));
    }

    #[test]
    fn whatever_may_hold_a_token_is_no_harmless_field() {
        for secret in [
            "authorization",
            "cookie",
            "x-api-key",
            "x-tenant",
            "referer",
            "proxy-authorization",
            "x-user",
            "sec-token",
        ] {
            assert!(!is_harmless(&HeaderName::from_static(secret)), "{secret}");
        }
        for harmless in ["accept-encoding", "origin", "sec-ch-ua-mobile", "user-agent"] {
            assert!(is_harmless(&HeaderName::from_static(harmless)), "{harmless}");
        }
    }
}
