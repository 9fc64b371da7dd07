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
        match_segments(self.0.get(1..).unwrap_or(""), path.get(1..).unwrap_or(""))
    }
}

fn match_segments(pattern: &str, path: &str) -> bool {
    let (head, rest) = split_segment(pattern);
    if head == "**" {
        let Some(rest) = rest else { return true };
        let mut at = Some(path);
        while let Some(path) = at {
            if match_segments(rest, path) {
                return true;
            }
            at = split_segment(path).1;
        }
        return false;
    }
    let (segment, below) = split_segment(path);
    if !glob(head.as_bytes(), segment.as_bytes()) {
        return false;
    }
    match (rest, below) {
        (None, None) | (Some("**"), None) => true,
        (Some(rest), Some(below)) => match_segments(rest, below),
        _ => false,
    }
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
        glob(self.0.as_bytes(), name.as_bytes())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `*` matches any run; linear in the text for each star, with one point to go back to.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
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
    use super::*;

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
