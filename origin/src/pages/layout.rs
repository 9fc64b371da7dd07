//! What every page has: title, description, files.

use crate::app::State;
use crate::assets::{self, Paths};

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) title: String,
    pub(super) description: String,
    /// Whether search engines may list the page.
    pub(super) listed: bool,
    /// Absolute; only known where the site's address was set.
    pub(super) canonical: Option<String>,
    pub(super) files: Paths,
}

impl Layout {
    /// A page that search engines may list, at `path`.
    pub(super) fn listed(state: &State, path: &str, title: &str, description: String) -> Self {
        let canonical = state.public_url.as_deref().map(|site| format!("{site}{path}"));
        Self { listed: true, canonical, ..Self::unlisted(title, description) }
    }

    /// A page that is not for search engines.
    pub(super) fn unlisted(title: &str, description: impl Into<String>) -> Self {
        Self {
            title: format!("{title} · Levee Box Office"),
            description: description.into(),
            listed: false,
            canonical: None,
            files: assets::paths(),
        }
    }
}
