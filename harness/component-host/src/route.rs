/// The path of an HTTP trigger: exact (`/status`), or with everything below it (`/...`, `/shop/...`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    raw: String,
    /// Without a slash at the end; `/` is empty.
    prefix: String,
    below: bool,
}

impl Route {
    /// # Errors
    /// What this host does not know: segments with names (`/:id`), wildcards elsewhere than at the end.
    pub fn parse(raw: &str) -> Result<Self, String> {
        if !raw.starts_with('/') {
            return Err(format!("the route {raw:?} does not begin with /"));
        }
        let (path, below) = match raw.strip_suffix("/...") {
            Some(path) => (path, true),
            None => (raw, false),
        };
        if path.contains("/:") || path.contains("...") || path.contains('*') {
            return Err(format!(
                "the route {raw:?} has a wildcard other than /... at its end; this host knows no other"
            ));
        }
        Ok(Self { raw: raw.to_owned(), prefix: path.trim_end_matches('/').to_owned(), below })
    }

    /// As it stands in the manifest.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Without the wildcard.
    pub fn component_route(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }

    /// What the path has after the route, beginning with a slash; `None` when the route is not this path's.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.prefix.as_str())?;
        match self.below {
            true if rest.is_empty() || rest.starts_with('/') => Some(rest),
            false if rest.is_empty() || rest == "/" => Some(""),
            _ => None,
        }
    }

    /// Longer is more special; exact before wildcard.
    pub(crate) fn precedence(&self) -> (bool, usize) {
        (!self.below, self.prefix.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_below() {
        let all = Route::parse("/...").expect("a route");
        assert_eq!(all.rest("/a/b"), Some("/a/b"));
        assert_eq!(all.rest("/"), Some("/"));
        let shop = Route::parse("/shop/...").expect("a route");
        assert_eq!(shop.rest("/shop/a"), Some("/a"));
        assert_eq!(shop.rest("/shop"), Some(""));
        assert_eq!(shop.rest("/shopping"), None);
    }

    #[test]
    fn exact() {
        let route = Route::parse("/status").expect("a route");
        assert_eq!(route.rest("/status"), Some(""));
        assert_eq!(route.rest("/status/x"), None);
        assert_eq!(Route::parse("/").expect("a route").rest("/x"), None);
    }

    #[test]
    fn other_wildcards_are_refused() {
        for raw in ["/users/:id", "status", "/.../x", "/*"] {
            Route::parse(raw).expect_err(raw);
        }
    }
}
