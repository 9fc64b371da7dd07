//! What tells one deployment of Levee from others: by it a request that goes in a circle is seen (RFC 8586).

use sha2::{Digest, Sha256};

use crate::config::{Config, OriginHost};

/// What the identities of all deployments begin with.
pub const PREFIX: &str = "levee-";

/// The identity of a deployment: `levee-` and 16 hexadecimal digits of what it serves, from where, and on which runtime. All its
/// instances have the same. `config`: with the origins' addresses as they are used.
///
/// A Worker in front of a native server has other origins than that server has, and so another identity. One in front of its
/// equal is a circle.
pub fn of(runtime: &str, config: &Config) -> String {
    let mut hash = Sha256::new();
    // Lengths and counts before what they count: no two configurations are one text.
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    part(runtime);
    part(&config.hosts.len().to_string());
    for host in &config.hosts {
        part(host.as_str());
    }
    for origin in &config.origins {
        part(&origin.name);
        part(origin.url.trim_end_matches('/'));
        part(match origin.host {
            OriginHost::Origin => "origin",
            OriginHost::Client => "client",
        });
    }
    let mut identity = PREFIX.to_owned();
    push_hex(&mut identity, &hash.finalize()[..8]);
    identity
}

/// What tells the origins of a configuration from others: 16 hexadecimal digits of their URLs and of the `Host` that each is sent,
/// in any order. A store that may be used under several configurations keeps their responses apart by it; names, weights and
/// routes say nothing of what an origin answers. `config`: with the origins' addresses as they are used.
pub fn of_origins(config: &Config) -> String {
    let mut origins: Vec<(&str, &str)> = config
        .origins
        .iter()
        .map(|origin| {
            let host = match origin.host {
                OriginHost::Origin => "origin",
                OriginHost::Client => "client",
            };
            (origin.url.trim_end_matches('/'), host)
        })
        .collect();
    origins.sort_unstable();
    origins.dedup();
    let mut hash = Sha256::new();
    for (url, host) in origins {
        // Neither holds a line break.
        for part in [url, "\n", host, "\n"] {
            hash.update(part);
        }
    }
    let mut identity = String::new();
    push_hex(&mut identity, &hash.finalize()[..8]);
    identity
}

/// The deployments of Levee that a `CDN-Loop` names, in order. By commas alone: a quote that a client has opened hides nothing of
/// what was added behind it.
pub(crate) fn passed(hops: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ids =
        hops.split(|&b| b == b',').map(|hop| hop.split(|&b| b == b';').next().unwrap_or(hop).trim_ascii());
    ids.filter(|id| id.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes())))
}

/// Lower case, two digits a byte.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(HEX[usize::from(byte >> 4)] as char);
        text.push(HEX[usize::from(byte & 15)] as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HostPattern;
    use crate::testing::config_for;

    #[test]
    fn it_is_that_of_the_deployment_and_not_of_the_instance() {
        let config = config_for(&["http://a", "http://b"]);
        let identity = of("native", &config);
        let digits = identity.strip_prefix("levee-").unwrap();
        assert!(digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{identity}");
        assert_eq!(of("native", &config.clone()), identity);
    }

    #[test]
    fn whatever_tells_deployments_apart_changes_it() {
        let config = config_for(&["http://a", "http://b"]);
        let changed = |change: fn(&mut Config)| {
            let mut config = config.clone();
            change(&mut config);
            of("native", &config)
        };
        let mut all = vec![
            of("native", &config),
            of("workerd", &config),
            changed(|config| config.hosts.push(HostPattern::new("a.example"))),
            changed(|config| config.origins[0].url = "http://c".into()),
            changed(|config| config.origins[0].name = "other".into()),
            changed(|config| config.origins[1].host = OriginHost::Client),
            changed(|config| config.origins.truncate(1)),
            changed(|config| config.origins.swap(0, 1)),
        ];
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
        assert_eq!(changed(|config| config.origins[0].url = "http://a/".into()), of("native", &config));
    }

    #[test]
    fn origins_are_told_by_where_they_are_and_what_they_are_sent() {
        let config = config_for(&["http://a", "http://b"]);
        let changed = |change: fn(&mut Config)| {
            let mut config = config.clone();
            change(&mut config);
            of_origins(&config)
        };
        let same = [
            changed(|config| config.origins.swap(0, 1)),
            changed(|config| config.origins[0].name = "other".into()),
            changed(|config| config.origins[0].weight = 7),
            changed(|config| config.hosts.push(HostPattern::new("a.example"))),
            changed(|config| config.origins[0].url = "http://a/".into()),
        ];
        assert!(same.iter().all(|identity| *identity == of_origins(&config)), "{same:?}");
        for other in [
            changed(|config| config.origins[0].url = "http://c".into()),
            changed(|config| config.origins[0].url = "https://a".into()),
            changed(|config| config.origins[1].host = OriginHost::Client),
            changed(|config| config.origins.truncate(1)),
        ] {
            assert_ne!(other, of_origins(&config));
        }
    }
}
