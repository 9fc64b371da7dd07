//! Patterns of `levee.toml`: for hosts, paths and names.

use serde::{Deserialize, Serialize};

/// A host that is served: `api.example.com`, or `*.example.com` for any name below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPattern(String);

impl HostPattern {
    /// Takes a pattern in lower case, without a port.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether `host`, in lower case and without a port, is meant.
    pub fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => self.0 == host,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The path of a route: literal segments, `*` for any run of characters within a segment, `**` as a whole segment for
/// any number of segments (none too). Matched against the normalised path, percent-encoding and all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPattern(String);

impl PathPattern {
    /// Takes a pattern that starts with `/`.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// `/**`: every path.
    pub fn any() -> Self {
        Self::new("/**")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path` (from its first slash, without a query) is meant. `/a/**` matches `/a`, `/a/` and all below.
    pub fn matches(&self, path: &str) -> bool {
        match_segments(self.0.get(1..).unwrap_or(""), path.get(1..).unwrap_or(""), &mut || ())
    }
}

/// Compares segment by segment, with one point to go back to: what follows the last `**` is tried at one segment after the other,
/// and what stood before it stays as it was matched. So each byte of the pattern is compared with each of the path once at most.
fn match_segments(pattern: &str, path: &str, step: &mut impl FnMut()) -> bool {
    // `None`: behind the last segment.
    let (mut pattern, mut path) = (Some(pattern), Some(path));
    let mut retry: Option<(&str, &str)> = None;
    while let Some(here) = path {
        let (segment, below) = split_segment(here);
        let expected = pattern.map(split_segment);
        if let Some(("**", after)) = expected {
            let Some(after) = after else { return true };
            retry = Some((after, here));
            pattern = Some(after);
        } else if let Some((head, after)) = expected
            && glob(head.as_bytes(), segment.as_bytes(), step)
        {
            (pattern, path) = (after, below);
        } else {
            // `**` takes one segment more.
            let Some((after, from)) = retry else { return false };
            let Some(next) = split_segment(from).1 else { return false };
            retry = Some((after, next));
            (pattern, path) = (Some(after), Some(next));
        }
    }
    // `**` also stands for no segment.
    while let Some(("**", after)) = pattern.map(split_segment) {
        pattern = after;
    }
    pattern.is_none()
}

fn split_segment(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    }
}

/// A name with `*` for any run of characters: `utm_*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePattern(String);

impl NamePattern {
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    pub fn matches(&self, name: &str) -> bool {
        glob(self.0.as_bytes(), name.as_bytes(), &mut || ())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `*` matches any run; linear in the text for each star, with one point to go back to. `step` is called for each comparison.
fn glob(pattern: &[u8], text: &[u8], step: &mut impl FnMut()) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        step();
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after_star, from)) = retry {
            p = after_star;
            t = from + 1;
            retry = Some((after_star, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition, trying everything.
    fn naive(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => naive(rest, path) || (!path.is_empty() && naive(pattern, &path[1..])),
            ([head, rest @ ..], [segment, below @ ..]) => {
                naive_glob(head.as_bytes(), segment.as_bytes()) && naive(rest, below)
            }
            _ => false,
        }
    }

    fn naive_glob(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                naive_glob(rest, text) || (!text.is_empty() && naive_glob(pattern, &text[1..]))
            }
            ([a, rest @ ..], [b, tail @ ..]) => a == b && naive_glob(rest, tail),
            _ => false,
        }
    }

    fn segment(characters: &'static str) -> impl Strategy<Value = String> {
        prop_oneof![1 => Just("**".to_owned()), 3 => characters.prop_filter("no wildcard", |s| !s.contains("**"))]
    }

    fn steps(pattern: &str, path: &str) -> usize {
        let mut steps = 0;
        match_segments(&pattern[1..], &path[1..], &mut || steps += 1);
        steps
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn paths_match_by_the_definition(
            pattern in prop::collection::vec(segment("[ab*]{0,3}"), 1..6),
            path in prop::collection::vec("[ab]{0,3}", 1..8),
        ) {
            let matches = PathPattern::new(format!("/{}", pattern.join("/"))).matches(&format!("/{}", path.join("/")));
            let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            prop_assert_eq!(matches, naive(&pattern, &path), "{:?} {:?}", pattern, path);
        }

        #[test]
        fn names_match_by_the_definition(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(NamePattern::new(&*pattern).matches(&name), naive_glob(pattern.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn no_path_takes_more_steps_than_bytes_by_bytes(
            pattern in prop::collection::vec(segment("[ab*]{0,3}"), 1..8),
            path in "(/[ab]{0,2}){1,60}",
        ) {
            let pattern = format!("/{}", pattern.join("/"));
            prop_assert!(steps(&pattern, &path) <= pattern.len() * path.len());
        }
    }

    /// 53 seconds of a serving thread, once: counted, so that no machine is too slow for it.
    #[test]
    fn the_worst_path_is_matched_in_a_few_steps_a_byte() {
        for (pattern, path) in [
            ("/**/a/**/b/**/c", "/a/b".repeat(1_500)),
            ("/**/a/**/a/**/c", "/a".repeat(3_000)),
            ("/**/a/a/a/a/a/b", "/a".repeat(3_000)),
            ("/**/*a*a*a*b/**/*a*a*a*b/**/c", format!("/{}", "a".repeat(6_000))),
            ("/**/*a*a*a*b/c", "/aaaaaa".repeat(900)),
        ] {
            let bound = pattern.len() * path.len();
            assert!(!PathPattern::new(pattern).matches(&path), "{pattern}");
            assert!(steps(pattern, &path) <= bound, "{pattern}: {} of {bound}", steps(pattern, &path));
        }
    }

    #[test]
    fn paths() {
        let check = |pattern: &str, path: &str| PathPattern::new(pattern).matches(path);
        assert!(check("/api/orders/**", "/api/orders"));
        assert!(check("/api/orders/**", "/api/orders/"));
        assert!(check("/api/orders/**", "/api/orders/7/seats"));
        assert!(!check("/api/orders/**", "/api/orderss"));
        assert!(check("/films/*", "/films/12"));
        assert!(!check("/films/*", "/films/12/reviews"));
        assert!(!check("/films/*", "/films"));
        assert!(check("/**", "/"));
        assert!(check("/**/seats", "/api/screenings/9/seats"));
        assert!(check("/**/seats", "/seats"));
        assert!(!check("/**/seats", "/seats/1"));
        assert!(check("/assets/*.css", "/assets/site.1a2b.css"));
        assert!(!check("/assets/*.css", "/assets/x/site.css"));
        assert!(check("/", "/"));
        assert!(!check("/", "/a"));
        assert!(!check("/a", "/a/"));
        assert!(check("/a/**/**", "/a") && check("/**/**", "/") && check("/a/**/b", "/a/b"));
        assert!(!check("/a/**/b", "/a") && !check("/a/**/*", "/a"));
    }

    #[test]
    fn hosts() {
        assert!(HostPattern::new("api.example.com").matches("api.example.com"));
        assert!(HostPattern::new("*.example.com").matches("a.b.example.com"));
        assert!(!HostPattern::new("*.example.com").matches("example.com"));
        assert!(!HostPattern::new("*.example.com").matches(".example.com"));
        assert!(!HostPattern::new("*.example.com").matches("badexample.com"));
    }

    #[test]
    fn names() {
        assert!(NamePattern::new("utm_*").matches("utm_source"));
        assert!(NamePattern::new("*").matches(""));
        assert!(NamePattern::new("a*b*c").matches("aXbYbZc"));
        assert!(!NamePattern::new("a*b*c").matches("aXbYbZ"));
        assert!(!NamePattern::new("gclid").matches("gclid2"));
    }
}
