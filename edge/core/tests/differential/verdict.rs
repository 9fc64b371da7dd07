//! What either cache makes of a case.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Request, Response};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use levee::config::{ClientDirectives, Config, Credentials, KeyPolicy, Particular, Policy, SetCookie, Stale};
use levee::testing::{Reply, Sim, config_for};

use super::case::{Case, Lines, START};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether the first response may be (here: is) stored.
    pub(crate) storable: bool,
    /// The age that the second request is told, where it is answered without asking the origin.
    pub(crate) reused: Option<u64>,
}

/// `levee.transparent.toml`: a plain RFC 9111 shared cache.
fn transparent() -> Policy {
    Policy {
        particular: Particular::Answer,
        client_directives: ClientDirectives::Honour,
        credentials: Credentials::Authorization,
        set_cookie: SetCookie::Store,
        heuristic: true,
        pass_targeted: true,
        key: KeyPolicy { sort_languages: true, ..KeyPolicy::default() },
        stale: Stale { disconnected: Duration::from_secs(3_600), ..Stale::default() },
        ..Policy::default()
    }
}

pub(crate) fn levee(case: &Case) -> Verdict {
    let config = Config { defaults: transparent(), ..config_for(&["https://o.example"]) };
    let (status, fields) = (case.status, case.response.clone());
    let sim = Sim::new(config, move |_| {
        let mut reply = Reply::new("", "body").status(status);
        reply.fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        reply
    });
    let send = |lines: &Lines| {
        let lines: Vec<(&'static str, &str)> =
            lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
        sim.send("GET", "/a", &lines)
    };
    let first = send(&case.first);
    sim.advance(Duration::from_secs(case.wait));
    let second = send(&case.second);
    let hit = second.cache_status().starts_with("hit");
    Verdict {
        storable: first.cache_status().contains("; stored"),
        reused: hit.then(|| second.field("age").parse().expect("an age")),
    }
}

pub(crate) fn semantics(case: &Case) -> Verdict {
    let request = |lines: &Lines| {
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static("https://a.example/a");
        *request.headers_mut() = map(lines);
        request
    };
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(case.status).expect("a status");
    *response.headers_mut() = map(&case.response);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
    let policy = CachePolicy::new_options(&request(&case.first), &response, start, CacheOptions::default());
    let now = start + Duration::from_secs(case.wait);
    let storable = policy.is_storable();
    let fresh = match policy.before_request(&request(&case.second), now) {
        BeforeRequest::Fresh(_) => storable,
        BeforeRequest::Stale { .. } => false,
    };
    Verdict { storable, reused: fresh.then(|| policy.age(now).as_secs()) }
}

fn map(lines: &Lines) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in lines {
        fields.append(*name, value.parse().expect("a value"));
    }
    fields
}
