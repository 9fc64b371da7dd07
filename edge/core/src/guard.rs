//! Step 2: what is refused before anything is looked up.

use http::{HeaderMap, Method, StatusCode};

use crate::config::Config;
use crate::fields::list;
use crate::identity;
use crate::key;
use crate::request::Scheme;
use crate::respond::problem::Problem;

/// Where the edge's own endpoints live.
pub const RESERVED: &str = "/.levee";

/// Whether a path is one of the edge's own.
pub fn is_reserved(path: &str) -> bool {
    path.strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the edge passes on, beside methods that it does not know.
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Refuses the methods that are for one hop alone: TRACE shows to a page's script what a proxy has added and what the browser
/// hides from it (RFC 9110, section 9.3.8), and CONNECT makes a tunnel (section 9.3.6). In any case of letters, because there
/// are origins that take them so.
pub fn check_method(method: &Method) -> Result<(), Problem> {
    let name = method.as_str();
    if !(name.eq_ignore_ascii_case("TRACE") || name.eq_ignore_ascii_case("CONNECT")) {
        return Ok(());
    }
    Err(Problem {
        allow: Some(ALLOW),
        ..Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-refused",
            "This method is not passed on",
            format!("{name} ends at the edge, which does not carry it out"),
        )
    })
}

/// Checks a request's size, before its target is normalised. `target`: as it arrived.
pub fn check_size(config: &Config, target: &str, fields: &HeaderMap) -> Result<(), Problem> {
    let limits = &config.limits;
    if target.len() > limits.uri as usize {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "The request target is too long",
            format!("{} bytes, and {} are allowed (limits.uri)", target.len(), limits.uri),
        ));
    }
    check_fields_size(config, fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum())
}

/// Checks what all of a request's fields take: names, values, and four bytes a line.
pub fn check_fields_size(config: &Config, size: usize) -> Result<(), Problem> {
    let limits = &config.limits;
    if size > limits.fields as usize {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "fields-too-large",
            "The request's fields are too large",
            format!("{size} bytes, and {} are allowed (limits.fields)", limits.fields),
        ));
    }
    Ok(())
}

/// The normalised authority of a request, if this edge serves it.
pub fn check_host(config: &Config, scheme: Scheme, raw: &str) -> Result<String, Problem> {
    let Some(authority) = key::authority(scheme, raw) else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-host",
            "The host cannot be read",
            "the request names no host, or not as a name or an IP address (IPv6 in brackets) and a port from 1 to 65535",
        ));
    };
    let host = key::host(&authority);
    if config.hosts.is_empty() || config.hosts.iter().any(|pattern| pattern.matches(host)) {
        return Ok(authority);
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host-not-served",
        "This host is not served here",
        format!("`{host}` is not among `hosts` in levee.toml"),
    ))
}

/// No way to an origin leads through more deployments.
const MOST_DEPLOYMENTS: usize = 16;

/// Refuses a request that has been here before (RFC 8586): an origin's URL leads back to this deployment, whose `identity` is
/// known by what [`crate::origin`] writes. And one that has passed too many deployments: some circles have no one identity.
pub fn check_loop(identity: &str, fields: &HeaderMap) -> Result<(), Problem> {
    let Some(hops) = list::joined(fields, "cdn-loop") else { return Ok(()) };
    let (mut here, mut deployments) = (false, 0);
    for id in identity::passed(&hops) {
        here |= id.eq_ignore_ascii_case(identity.as_bytes());
        deployments += 1;
    }
    let detail = if here {
        format!(
            "`CDN-Loop` names this deployment, {identity}, already: an origin's `url` in levee.toml leads back to it"
        )
    } else if deployments > MOST_DEPLOYMENTS {
        format!("`CDN-Loop` names {deployments} deployments of Levee, and {MOST_DEPLOYMENTS} are allowed")
    } else {
        return Ok(());
    };
    Err(Problem::new(StatusCode::LOOP_DETECTED, "loop", "Loop detected", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HostPattern;
    use crate::testing::config_for;

    #[test]
    fn only_listed_hosts_are_served() {
        let mut config = config_for(&["http://o"]);
        config.hosts = vec![HostPattern::new("api.example.com"), HostPattern::new("localhost")];
        let status =
            |host| check_host(&config, Scheme::Http, host).map_err(|problem| problem.status.as_u16());
        assert_eq!(status("API.example.com:80"), Ok("api.example.com".to_owned()));
        assert_eq!(status("localhost:8787"), Ok("localhost:8787".to_owned()));
        assert_eq!(status("evil.example"), Err(421));
        assert_eq!(status("a b"), Err(400));
    }

    #[test]
    fn reserved_paths() {
        for (path, reserved) in
            [("/.levee", true), ("/.levee/", true), ("/.levee/x", true), ("/.leveed", false)]
        {
            assert_eq!(is_reserved(path), reserved, "{path}");
        }
    }

    #[test]
    fn one_hops_methods_are_refused() {
        for method in ["TRACE", "trace", "CONNECT", "Connect"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let refused = check_method(&method).unwrap_err();
            assert_eq!(refused.status, 405, "{method}");
            assert_eq!(refused.answer(&HeaderMap::new()).fields["allow"], ALLOW);
        }
        for method in ["GET", "PURGE", "TRACK", "OPTIONS"] {
            assert!(check_method(&Method::from_bytes(method.as_bytes()).unwrap()).is_ok(), "{method}");
        }
    }

    /// Each check sees the normal form, so that no spelling is reserved for one and free for another.
    #[test]
    fn each_spelling_is_one_place() {
        use crate::config::{PathPattern, Route};
        use crate::route::{self, Target};
        let mut config = config_for(&["http://o"]);
        config.routes.push(Route {
            name: "own".into(),
            path: PathPattern::new("/.levee/**"),
            methods: vec![],
            policy: Default::default(),
        });
        for (raw, path, reserved) in [
            ("/.levee/", "/.levee/", true),
            ("/%2elevee/", "/.levee/", true),
            ("/%2Elevee/", "/.levee/", true),
            ("/.%6Cevee/explain", "/.levee/explain", true),
            ("/x/../.levee/", "/.levee/", true),
            ("/./.levee", "/.levee", true),
            ("/%2e%2E/.levee/", "/.levee/", true),
            ("/.levee/x/..", "/.levee/", true),
            ("/.levee//x", "/.levee//x", true),
            ("/.levee/../x", "/x", false),
            // Case counts, an empty segment is one, and what is encoded is no separator.
            ("/.LEVEE/", "/.LEVEE/", false),
            ("//.levee/", "//.levee/", false),
            ("/.levee%2fx", "/.levee%2Fx", false),
            ("/.levee;x/", "/.levee;x/", false),
            ("/;/.levee", "/;/.levee", false),
            ("/.levee%252f", "/.levee%252f", false),
            ("/.levee\\x", "/.levee%5Cx", false),
        ] {
            let target = Target::normalise(raw).unwrap();
            assert_eq!(target.path(), path, "{raw}");
            assert_eq!(is_reserved(target.path()), reserved, "{raw}");
            let route = route::find(&config, "GET", target.path()).name(&config).to_owned();
            assert_eq!(route == "own", reserved, "{raw}");
        }
    }

    #[test]
    fn a_circle_is_seen() {
        let mut fields = HeaderMap::new();
        assert!(check_loop("levee-0a", &fields).is_ok());
        fields.append("cdn-loop", "other, Levee-0a; v=1, levee-0b".parse().unwrap());
        assert_eq!(check_loop("levee-0a", &fields).unwrap_err().status, 508);
        assert_eq!(check_loop("levee-0b", &fields).unwrap_err().status, 508);
        for other in ["levee", "levee-0", "levee-0aa", "v=1"] {
            assert!(check_loop(other, &fields).is_ok(), "{other}");
        }
        // What a client has left open closes nobody's eyes.
        let hidden = [("cdn-loop", "x; y=\"open, levee-0a")];
        let hidden = hidden.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        assert!(check_loop("levee-0a", &hidden.into_iter().collect()).is_err());
    }

    #[test]
    fn a_long_way_is_a_circle_too() {
        let way = |deployments: usize| {
            let hops: Vec<String> = (0..deployments).map(|n| format!("levee-{n:016x}")).collect();
            let mut fields = HeaderMap::new();
            fields.append("cdn-loop", "other".parse().unwrap());
            fields.append("cdn-loop", hops.join(", ").parse().unwrap());
            fields
        };
        assert!(check_loop("levee-x", &way(MOST_DEPLOYMENTS)).is_ok());
        assert_eq!(check_loop("levee-x", &way(MOST_DEPLOYMENTS + 1)).unwrap_err().status, 508);
    }
}
