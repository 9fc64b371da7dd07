//! `[[routes]]`, and which of them can never match.

use levee::config::{PathPattern, Route};

use crate::read::{At, Reader};
use crate::source::{self, File};

pub(super) fn compile(
    file: &File,
    defaults: &source::Policy,
    origins: &[&str],
    reader: &mut Reader<'_>,
) -> Vec<Route> {
    let routes = file.routes.as_ref().map(|routes| routes.value.0.as_slice()).unwrap_or_default();
    let mut compiled: Vec<(Route, usize)> = Vec::new();
    let mut names: Vec<(&str, usize)> = Vec::new();
    for At { value: route, .. } in routes {
        if let Some(name) = &route.name {
            let text = name.value.0.as_str();
            if let Some((_, line)) = names.iter().find(|(known, _)| *known == text) {
                let message = format!("two routes are named `{text}`");
                reader.error(&name.span, message).help(format!("the first stands in line {line}"));
            }
            names.push((text, reader.text.line(&name.span)));
        }
        check_idle(&route.policy, reader);
        let policy = super::policy::compile(&route.policy, defaults, origins, reader);
        let (Some(name), Some(path)) = (&route.name, &route.path) else { continue };
        let route = Route {
            name: name.value.0.clone(),
            path: PathPattern::new(path.value.0.as_str()),
            methods: methods(route),
            policy,
        };
        check_parameters(path, reader);
        if let Some((earlier, line)) = compiled.iter().find(|(earlier, _)| covers(earlier, &route)) {
            let message = format!("the route `{}` can never match", route.name);
            reader.warning(&path.span, message).help(format!(
                "the route `{}` (`{}`, line {line}) stands before it and takes all its requests: put the narrower route first",
                earlier.name,
                earlier.path.as_str(),
            ));
        }
        compiled.push((route, reader.text.line(&path.span)));
    }
    compiled.into_iter().map(|(route, _)| route).collect()
}

fn methods(route: &source::Route) -> Vec<String> {
    let mut methods: Vec<String> = Vec::new();
    for At { value, .. } in route.methods.iter().flat_map(|list| list.value.iter()) {
        if !methods.contains(&value.0) {
            methods.push(value.0.clone());
        }
    }
    methods
}

/// A segment such as `:id` is a pattern elsewhere; here it stands for itself.
fn check_parameters(path: &At<source::Path>, reader: &mut Reader<'_>) {
    let segment = path.value.0.split('/').find(|segment| segment.len() > 1 && segment.starts_with(':'));
    if let Some(segment) = segment {
        reader
            .warning(&path.span, format!("`{segment}` in `path` matches only the segment `{segment}` itself"))
            .help("for any one segment write `*`");
    }
}

/// Keys that a route which caches nothing has no use for. In `[defaults]` they are right: routes may inherit them.
fn check_idle(own: &source::Policy, reader: &mut Reader<'_>) {
    if let Some(cache) = own.cache.as_ref().filter(|cache| !cache.value) {
        let idle = [
            ("ttl", own.ttl.is_some()),
            ("stale", own.stale.is_some()),
            ("key", own.key.is_some()),
            ("negative", own.negative.is_some()),
            ("heuristic", own.heuristic.is_some()),
        ];
        let idle: Vec<_> = idle.iter().filter(|(_, set)| *set).map(|(name, _)| format!("`{name}`")).collect();
        if !idle.is_empty() {
            reader
                .warning(
                    &cache.span,
                    format!("with `cache = false`, {} beside it does nothing", idle.join(", ")),
                )
                .help("nothing is stored, and requests go through whole");
        }
    }
}

/// Whether `earlier` takes every request that `later` could. May say no where it does; never yes where it does not.
fn covers(earlier: &Route, later: &Route) -> bool {
    let methods = earlier.methods.is_empty()
        || (!later.methods.is_empty() && later.methods.iter().all(|method| earlier.methods.contains(method)));
    let segments = |pattern: &PathPattern| -> Vec<String> {
        pattern.as_str()[1..].split('/').map(str::to_owned).collect()
    };
    methods
        && (earlier.path == later.path || covers_segments(&segments(&earlier.path), &segments(&later.path)))
}

fn covers_segments(earlier: &[String], later: &[String]) -> bool {
    match (earlier.split_first(), later.split_first()) {
        (None, None) => true,
        (Some((head, rest)), _) if head == "**" && rest.is_empty() => true,
        // What comes after an inner `**` can begin anywhere: only the same pattern is surely covered.
        (Some((head, _)), _) if head == "**" => earlier == later,
        (Some((head, rest)), Some((other, below))) => {
            other != "**" && covers_segment(head, other) && covers_segments(rest, below)
        }
        _ => false,
    }
}

fn covers_segment(earlier: &str, later: &str) -> bool {
    earlier == later
        || earlier == "*"
        || (!later.contains('*') && levee::config::NamePattern::new(earlier).matches(later))
}

#[cfg(test)]
mod tests {
    use levee::config::Policy;

    use super::*;

    fn route(path: &str, methods: &[&str]) -> Route {
        Route {
            name: String::new(),
            path: PathPattern::new(path),
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            policy: Policy::default(),
        }
    }

    #[test]
    fn covering() {
        let check = |earlier, later| covers(&route(earlier, &[]), &route(later, &[]));
        for (earlier, later) in [
            ("/**", "/"),
            ("/**", "/**/a"),
            ("/a/**", "/a"),
            ("/a/**", "/a/"),
            ("/a/**", "/a/*/b"),
            ("/a/**", "/a/**"),
            ("/a/**", "/a/**/b"),
            ("/*/b", "/a/b"),
            ("/a*/b", "/ab/b"),
            ("/**/b", "/**/b"),
            ("/a/**/b", "/a/**/b"),
        ] {
            assert!(check(earlier, later), "{earlier} covers {later}");
        }
        for (earlier, later) in [
            ("/a", "/a/**"),
            ("/a/*", "/a/**"),
            ("/a/**", "/**"),
            ("/a/b", "/a/*"),
            ("/a/*", "/a"),
            ("/a*", "/*a"),
            ("/**/b", "/a/**"),
        ] {
            assert!(!check(earlier, later), "{earlier} does not cover {later}");
        }
    }

    #[test]
    fn methods_count() {
        assert!(covers(&route("/a", &["GET", "HEAD"]), &route("/a", &["GET"])));
        assert!(!covers(&route("/a", &["GET"]), &route("/a", &["GET", "POST"])));
        assert!(!covers(&route("/a", &["GET"]), &route("/a", &[])));
        assert!(covers(&route("/a", &[]), &route("/a", &["GET"])));
    }

    proptest::proptest! {
        #[test]
        fn what_is_covered_is_taken(earlier in "(/(a|b|\\*|\\*\\*|a\\*)){1,3}", later in "(/(a|b|\\*|\\*\\*|a\\*)){1,3}", path in "(/(a|b|ab|c|)){1,4}") {
            let (earlier, later) = (route(&earlier, &[]), route(&later, &[]));
            if covers(&earlier, &later) && later.path.matches(&path) {
                proptest::prop_assert!(earlier.path.matches(&path));
            }
        }
    }
}
