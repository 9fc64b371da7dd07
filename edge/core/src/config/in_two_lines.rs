//! What an edge does with requests, in two lines, for its start-up output.

use super::{Config, Credentials, OriginHost, Particular, Policy};

/// Where to read more.
const MORE: &str = "docs/fields.md";
/// Names of routes or origins that one line lists.
const NAMES: usize = 3;

/// The first line says what origins read as `Host`, and what becomes of credentials. The second says which fields reach origins
/// and tell responses apart, and where to read more. Neither ends with a line break.
pub fn in_two_lines(config: &Config) -> [String; 2] {
    [
        format!("Host: {}. Credentials: {}.", host(config), by_policy(config, credentials)),
        format!("Fields: {}. More: {MORE}.", by_policy(config, fields)),
    ]
}

fn host(config: &Config) -> String {
    let of = |host| config.origins.iter().filter(move |origin| origin.host == host);
    let names = |host| list(of(host).map(|origin| origin.name.as_str()));
    let (clients, own) = ("the client's", "the origin's own");
    match (of(OriginHost::Client).count(), of(OriginHost::Origin).count()) {
        (_, 0) => format!("{clients} is sent to origins"),
        (0, _) => format!("origins are sent {own}, and the client's as X-Forwarded-Host"),
        _ => format!("{clients} to {}, {own} to {}", names(OriginHost::Client), names(OriginHost::Origin)),
    }
}

/// What happens to a request with credentials on a route that caches.
fn credentials(policy: &Policy) -> String {
    match &policy.credentials {
        Credentials::Pass => "requests with Cookie, Authorization or the like pass to the origin".to_owned(),
        Credentials::Authorization => {
            "requests with Authorization pass to the origin, cookies do not count".to_owned()
        }
        Credentials::Strip => "removed, so all clients share responses".to_owned(),
        Credentials::Key { cookies, fields } => {
            let keyed = list(cookies.iter().chain(fields).map(String::as_str));
            format!("{keyed} tell responses apart, others are removed")
        }
    }
}

/// What tells responses apart.
fn fields(policy: &Policy) -> String {
    let keyed = list(policy.key.fields.iter().map(String::as_str));
    let beside = if keyed.is_empty() { String::new() } else { format!("{keyed} and ") };
    match &policy.particular {
        Particular::Answer => {
            format!("all reach the origin; {beside}what `Vary` names tells responses apart")
        }
        Particular::Select(_) => format!(
            "all reach the origin; {beside}those that not every client sends tell responses apart, `Vary` or not"
        ),
    }
}

/// What is said of each policy that caches, once, with the routes that it is said of.
fn by_policy(config: &Config, say: impl Fn(&Policy) -> String) -> String {
    let routes = config.routes.iter().map(|route| (route.name.as_str(), &route.policy));
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, policy) in [("defaults", &config.defaults)].into_iter().chain(routes) {
        if !policy.cache {
            continue;
        }
        let text = say(policy);
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(name),
            None => said.push((text, vec![name])),
        }
    }
    match &said[..] {
        [] => "no route caches, all requests pass to the origin".to_owned(),
        [(text, _)] => text.clone(),
        several => several
            .iter()
            .map(|(text, names)| format!("{text} ({})", list(names.iter().copied())))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// The first names, and how many more there are.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PathPattern, Route};
    use crate::testing::config_for;

    fn route(name: &str, change: impl FnOnce(&mut Policy)) -> Route {
        let mut policy = Policy::default();
        change(&mut policy);
        Route { name: name.to_owned(), path: PathPattern::new("/**"), methods: Vec::new(), policy }
    }

    #[test]
    fn the_default_is_said_in_two_short_lines() {
        let lines = in_two_lines(&config_for(&["http://a"]));
        assert!(lines[0].starts_with("Host: origins are sent the origin's own"), "{}", lines[0]);
        assert!(lines[0].contains("Credentials: requests with Cookie"), "{}", lines[0]);
        assert!(lines[1].starts_with("Fields: all reach the origin; those that not every"), "{}", lines[1]);
        assert!(lines[1].contains("docs/fields.md"), "{}", lines[1]);
        for line in lines {
            assert!(line.len() < 200 && !line.contains('\n'), "{} bytes: {line}", line.len());
        }
    }

    #[test]
    fn the_page_that_it_names_is_there() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert!(docs.join(MORE).is_file());
    }

    #[test]
    fn each_origin_is_told_its_host() {
        let mut config = config_for(&["http://a", "http://b"]);
        config.origins[0].host = OriginHost::Client;
        assert!(in_two_lines(&config)[0].contains("the client's to o0, the origin's own to o1"));
        config.origins[1].host = OriginHost::Client;
        assert!(in_two_lines(&config)[0].contains("the client's is sent to origins"));
    }

    #[test]
    fn routes_that_differ_are_named() {
        let mut config = config_for(&["http://a"]);
        config.routes = ["a", "b", "c", "d", "e"]
            .into_iter()
            .map(|name| route(name, |policy| policy.credentials = Credentials::Strip))
            .collect();
        config.routes.push(route("uncached", |policy| policy.cache = false));
        let cookies = ["session".to_owned()].to_vec();
        config.routes.push(route("keyed", |policy| {
            policy.credentials = Credentials::Key { cookies, fields: Vec::new() };
        }));
        let [first, second] = in_two_lines(&config);
        assert!(first.contains("so all clients share responses (a, b, c and 2 more)"), "{first}");
        assert!(first.contains("pass to the origin (defaults)"), "{first}");
        assert!(first.contains("session tell responses apart, others are removed (keyed)"), "{first}");
        assert!(!first.contains("uncached") && !second.contains("(defaults"), "{first}\n{second}");
    }

    #[test]
    fn what_tells_apart_is_said() {
        let mut config = config_for(&["http://a"]);
        config.defaults.key.fields = vec!["x-shop".to_owned()];
        assert!(in_two_lines(&config)[1].contains("x-shop and those that not every client sends"));
        config.defaults.particular = Particular::Answer;
        assert!(in_two_lines(&config)[1].contains("x-shop and what `Vary` names"));
        config.defaults.cache = false;
        assert!(in_two_lines(&config)[1].contains("no route caches"));
    }
}
