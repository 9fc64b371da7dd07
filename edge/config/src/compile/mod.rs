//! From the source types to the compiled configuration, with the checks that look at more than one value.

mod fields;
mod origins;
mod policy;
mod routes;
mod unenforced;

use std::time::Duration;

use levee::config::{Config, HostPattern, Limits, PurgeAuth, Shield};

use crate::Overrides;
use crate::read::{At, List, Reader, nearest};
use crate::source::{self, File, Host, OriginUrl, Word};

pub(crate) use unenforced::warn as warn_unenforced;

/// None where something was wrong; the reader was told.
pub(crate) fn file(file: &File, overrides: &Overrides, reader: &mut Reader<'_>) -> Option<Config> {
    let names = origins::names(file);
    warn_any_host(file, reader);
    // Where the file names none any host is served: extra ones would narrow that.
    let hosts = hosts(file.hosts.as_ref(), overrides, file.hosts.is_some(), reader);
    let origins = origins::compile(file, overrides, reader);
    let base = file.defaults.as_ref().map(|defaults| defaults.value.clone()).unwrap_or_default();
    let defaults = policy::compile(&base, &source::Policy::default(), &names, reader);
    let routes = routes::compile(file, &base, &names, reader);
    let config = Config {
        hosts,
        origins,
        shield: shield(file),
        purge_auth: purge_auth(file),
        limits: limits(file, reader),
        routes,
        defaults,
    };
    (!reader.has_errors()).then_some(config)
}

fn warn_any_host(file: &File, reader: &mut Reader<'_>) {
    // A list that was wrong has been reported; what then stands in its place is nobody's wish.
    if file.hosts.is_none()
        && !reader.has_errors()
        && let Some(version) = &file.version
    {
        reader
            .warning(&version.span, "`hosts` is missing: a request for any host is served")
            .help("name them, as in `hosts = [\"www.example.com\"]`: a request for another is then refused");
    }
}

/// The hosts of the file and, unless any host is served (`adds`), the extra ones.
fn hosts(
    source: Option<&At<List<Host, 1>>>,
    overrides: &Overrides,
    adds: bool,
    reader: &mut Reader<'_>,
) -> Vec<HostPattern> {
    let mut hosts: Vec<String> = Vec::new();
    for At { value: Host(host), span } in source.iter().flat_map(|list| list.value.iter()) {
        if hosts.contains(host) {
            reader.warning(span, format!("`{host}` is listed twice in `hosts`"));
        } else {
            hosts.push(host.clone());
        }
    }
    for extra in &overrides.hosts {
        match Host::parse(extra) {
            Ok(Host(host)) if adds && !hosts.contains(&host) => hosts.push(host),
            Ok(_) => {}
            Err(wrong) => {
                let error = reader.error_outside(format!("the extra host `{extra}` {}", wrong.why));
                error.help = wrong.help;
            }
        }
    }
    hosts.into_iter().map(HostPattern::new).collect()
}

fn shield(file: &File) -> Shield {
    let Some(At { value: source, .. }) = &file.shield else { return usual_shield(file) };
    let usual = usual_shield(file);
    let timeout = source.timeout.as_ref().map(|timeout| &timeout.value);
    Shield {
        connect_timeout: timeout
            .and_then(|timeout| timeout.connect.as_ref())
            .map_or(usual.connect_timeout, |time| time.value.0),
        first_byte_timeout: timeout
            .and_then(|timeout| timeout.first_byte.as_ref())
            .map_or(usual.first_byte_timeout, |time| time.value.0),
        max_inflight: source.max_inflight.as_ref().map_or(usual.max_inflight, |most| small(most.value.0)),
    }
}

/// What holds where the file does not say. On a platform that ends requests sooner, an origin is not waited for longer.
fn usual_shield(file: &File) -> Shield {
    let platform = file.limits.as_ref().and_then(|limits| limits.value.platform.as_ref());
    match platform.map(|at| at.value) {
        Some(source::Platform::AkamaiFunctions) => {
            Shield { first_byte_timeout: Duration::from_secs(25), ..Shield::default() }
        }
        Some(source::Platform::Any) | None => Shield::default(),
    }
}

/// What Akamai Functions documents: the largest value in its key-value store, the largest request or response, and how long a
/// request may take.
const AKAMAI: (u64, u64, Duration) = (1_000_000, 10 << 20, Duration::from_secs(30));

fn limits(file: &File, reader: &mut Reader<'_>) -> Limits {
    let Some(At { value: source, .. }) = &file.limits else { return Limits::default() };
    let usual = Limits::default();
    let mut value = None;
    if let Some(At { value: source::Platform::AkamaiFunctions, span }) = &source.platform {
        let (largest, message, time) = AKAMAI;
        value = Some(largest);
        if let Some(object) = source.object.as_ref().filter(|size| size.value.0 > message) {
            reader
                .error(&object.span, "`limits.object` is larger than a response may be on Akamai Functions")
                .help("write \"10MiB\" or less");
        }
        let shield = shield(file);
        if shield.connect_timeout + shield.first_byte_timeout >= time {
            reader
                .error(
                    span,
                    "an origin may take longer than a request may on Akamai Functions, which is 30 s",
                )
                .help("lower `shield.timeout`, so that both times together are below 30 s");
        }
    }
    Limits {
        value,
        uri: source.uri.as_ref().map_or(usual.uri, |size| small(size.value.0)),
        fields: source.fields.as_ref().map_or(usual.fields, |size| small(size.value.0)),
        object: source.object.as_ref().map_or(usual.object, |size| size.value.0),
        memory: source.memory.as_ref().map_or(usual.memory, |size| size.value.0),
        body_idle: source.body_idle.as_ref().map_or(usual.body_idle, |time| time.value.0),
        body_rate: source.body_rate.as_ref().map_or(usual.body_rate, |size| small(size.value.0)),
        connections: source.connections.as_ref().map_or(usual.connections, |most| small(most.value.0)),
    }
}

fn purge_auth(file: &File) -> Vec<PurgeAuth> {
    let auth = file.purge.as_ref().and_then(|purge| purge.value.auth.as_ref());
    let mut ways = Vec::new();
    for At { value, .. } in auth.iter().flat_map(|list| list.value.iter()) {
        let way = match value {
            source::PurgeAuth::Hmac => PurgeAuth::Hmac,
            source::PurgeAuth::Bearer => PurgeAuth::Bearer,
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// The types of the source bound these numbers below `u32::MAX`.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The URL that an override gives an origin.
fn override_url(name: &str, url: &str, reader: &mut Reader<'_>) -> Option<String> {
    match OriginUrl::parse(url) {
        Ok(OriginUrl(url)) => Some(url),
        Err(wrong) => {
            let error =
                reader.error_outside(format!("the URL `{url}` for the origin `{name}` {}", wrong.why));
            error.help = wrong.help;
            None
        }
    }
}

/// "did you mean …", or what there is.
fn names_help(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "no origin is configured".to_owned(),
        None => format!(
            "the origins are {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The design's defaults in front of one origin, for the extra hosts; any host where there are none.
pub(crate) fn neutral(url: &str, overrides: &Overrides, reader: &mut Reader<'_>) -> Option<Config> {
    let hosts = hosts(None, overrides, true, reader);
    let origin = origins::neutral(url, overrides, reader);
    let config = Config {
        hosts,
        origins: origin.into_iter().collect(),
        shield: Shield::default(),
        purge_auth: Vec::new(),
        limits: Limits::default(),
        routes: Vec::new(),
        defaults: levee::config::Policy::default(),
    };
    (!reader.has_errors()).then_some(config)
}
