//! `[origins.NAME]`.

use levee::config::{Origin, OriginHost};

use super::{names_help, override_url};
use crate::Overrides;
use crate::read::{At, Reader};
use crate::source::{self, File};

/// The name of the one origin of a neutral configuration.
const NEUTRAL: &str = "origin";

/// The names of the origins, in the order of the file.
pub(super) fn names(file: &File) -> Vec<&str> {
    let origins = file.origins.as_ref().map(|origins| origins.value.0.as_slice()).unwrap_or_default();
    origins.iter().map(|(name, _)| name.value.as_str()).collect()
}

pub(super) fn compile(file: &File, overrides: &Overrides, reader: &mut Reader<'_>) -> Vec<Origin> {
    let Some(At { value: source, span }) = &file.origins else { return Vec::new() };
    let known = names(file);
    let has_hosts = file.hosts.is_some();
    for (name, url) in &overrides.origins {
        if !known.contains(&name.as_str()) {
            let message = format!("no origin is named `{name}`, whose URL was to be replaced by `{url}`");
            reader.error_outside(message).help(names_help(name, &known));
        }
    }
    if source.0.is_empty() && !reader.has_errors() {
        reader.error(span, "no origin").help("write `[origins.NAME]`, then `url = …`");
    }
    let backup = |origin: &source::Origin| origin.backup.as_ref().is_some_and(|backup| backup.value);
    if !source.0.is_empty()
        && source.0.iter().all(|(_, origin)| backup(origin))
        && let Some(at) = source.0[0].1.backup.as_ref()
    {
        let help = "at least one origin is none: without `backup`, or with `backup = false`";
        reader.error(&at.span, "every origin is a backup").help(help);
    }
    let compiled = source.0.iter().map(|(name, origin)| {
        let replaced = overrides.origins.iter().rfind(|(to, _)| *to == name.value);
        let url = match replaced {
            Some((name, url)) => override_url(name, url, reader),
            None => origin.url.as_ref().map(|url| url.value.0.clone()),
        };
        if let Some(At { value: source::OriginHost::Client, span }) = &origin.host
            && !has_hosts
        {
            reader.error(span, "`host = \"client\"` without `hosts`").help(
                "a client could ask for any host, and what comes is stored: name the hosts that are served, as in \
                 `hosts = [\"www.example.com\"]`",
            );
        }
        let url = url?;
        Some(Origin {
            name: name.value.clone(),
            url: url.clone(),
            region: origin.region.as_ref().map(|region| region.value.0.clone()),
            health: origin.health.as_ref().map(|path| path.value.0.clone()),
            weight: origin
                .weight
                .as_ref()
                .map_or(1, |weight| u16::try_from(weight.value.0).unwrap_or(u16::MAX)),
            backup: backup(origin),
            host: match origin.host.as_ref().map(|host| host.value) {
                Some(source::OriginHost::Client) => OriginHost::Client,
                Some(source::OriginHost::Origin) => OriginHost::Origin,
                None => usual_host(&url, has_hosts),
            },
        })
    });
    compiled.collect::<Vec<_>>().into_iter().flatten().collect()
}

pub(super) fn neutral(url: &str, overrides: &Overrides, reader: &mut Reader<'_>) -> Option<Origin> {
    let mut url = url;
    for (name, replaced) in &overrides.origins {
        if name == NEUTRAL {
            url = replaced;
        } else {
            let message =
                format!("no origin is named `{name}`, whose URL was to be replaced by `{replaced}`");
            reader.error_outside(message).help(names_help(name, &[NEUTRAL]));
        }
    }
    let url = override_url(NEUTRAL, url, reader)?;
    Some(Origin {
        name: NEUTRAL.to_owned(),
        host: usual_host(&url, !overrides.hosts.is_empty()),
        url,
        region: None,
        health: None,
        weight: 1,
        backup: false,
    })
}

/// The `Host` of an origin where the file does not say: applications behind a proxy of one's own read the client's (they check
/// forms against it and write links with it), and public `https` origins are found by their own.
fn usual_host(url: &str, has_hosts: bool) -> OriginHost {
    let is_own = has_hosts && url.strip_prefix("https://").is_none_or(is_private);
    if is_own { OriginHost::Client } else { OriginHost::Origin }
}

/// Whether an authority is an IP address, a name without a dot, or one of a zone that is never public (RFC 6761, RFC 6762, ICANN's
/// `.internal`).
fn is_private(authority: &str) -> bool {
    const ZONES: [&str; 6] = [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".test"];
    let host = levee::key::host(authority);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>().is_ok()
        || !host.contains('.')
        || ZONES.iter().any(|zone| host.ends_with(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_host_is_the_clients_before_origins_of_ones_own() {
        for (url, host) in [
            ("http://127.0.0.1:8000", OriginHost::Client),
            ("http://app.example.net", OriginHost::Client),
            ("https://10.0.0.7", OriginHost::Client),
            ("https://[fd00::1]:8443", OriginHost::Client),
            ("https://app:8443", OriginHost::Client),
            ("https://app.prod.internal", OriginHost::Client),
            ("https://shop-abc.a.run.app", OriginHost::Origin),
            ("https://local.example", OriginHost::Origin),
        ] {
            assert_eq!(usual_host(url, true), host, "{url}");
            assert_eq!(usual_host(url, false), OriginHost::Origin, "{url}: any host is served");
        }
    }
}
