//! How each kind of answer may be cached: the one place that decides it.
//!
//! `docs/origin.md` has the same list with the reasons. `s-maxage` is never sent: it carries the meaning of
//! `proxy-revalidate` (RFC 9111, section 5.2.2.10), and a cache that takes that seriously would serve nothing stale.

use http::{HeaderMap, HeaderName, HeaderValue, header};

const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// `Cache-Control` for each kind of answer.
mod control {
    /// Search results and the front page: the catalogue changes seldom, the list of what is on a few times a day.
    pub(super) const SEARCH: &str = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400";
    /// A film with its screenings.
    pub(super) const FILM: &str = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400";
    /// When and where, and the plan of the hall; no word about which seats are free.
    pub(super) const SCREENING: &str = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400";
    /// Which seats are free: good for a second, and a few more while the next answer is on its way.
    pub(super) const SEATS: &str = "public, max-age=1, stale-while-revalidate=5, stale-if-error=300";
    /// The demonstration's value.
    pub(super) const LOOKUP: &str = "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600";
    /// Files whose name changes with their content.
    pub(super) const ASSET: &str = "public, max-age=31536000, immutable";
    /// Small texts with a fixed name.
    pub(super) const FIXED: &str =
        "public, max-age=3600, stale-while-revalidate=86400, stale-if-error=604800";
    /// One person's order, or a form with that person's key in it.
    pub(super) const PERSONAL: &str = "private, no-store";
    /// "There is no such thing" may change soon, but must not be asked for a thousand times a second.
    pub(super) const ABSENT: &str = "public, max-age=10, stale-while-revalidate=30, stale-if-error=60";
    /// Errors, health, what an unsafe method said.
    pub(super) const NEVER: &str = "no-store";
}

/// How one answer may be cached, and under which tags. Travels as an extension of the response.
#[derive(Debug, Clone)]
pub(crate) struct CacheAs {
    control: &'static str,
    tags: String,
    etag: Option<String>,
    validator: bool,
}

impl CacheAs {
    fn new(control: &'static str, tags: impl Into<String>) -> Self {
        Self { control, tags: tags.into(), etag: None, validator: true }
    }

    fn without_validator(self) -> Self {
        Self { validator: false, ..self }
    }

    /// A list of films: the front page, search results.
    pub(crate) fn search() -> Self {
        Self::new(control::SEARCH, "search, films")
    }

    /// One film, with the times of its screenings.
    pub(crate) fn film(id: i64) -> Self {
        Self::new(control::FILM, format!("film-{id}, films"))
    }

    /// One screening without its free seats.
    pub(crate) fn screening(id: i64, film: i64) -> Self {
        Self::new(control::SCREENING, format!("screening-{id}, film-{film}, screenings"))
    }

    /// The free seats of a screening, as data.
    pub(crate) fn seats(id: i64) -> Self {
        Self::new(control::SEATS, format!("seats-{id}, screening-{id}, seats"))
    }

    /// The page of a screening: it shows the free seats too, and is as short-lived.
    pub(crate) fn screening_page(id: i64, film: i64) -> Self {
        Self::new(control::SEATS, format!("seats-{id}, screening-{id}, film-{film}, seats, screenings"))
    }

    /// The slow look-up. A key that is no tag of its own can only be purged with all of them.
    pub(crate) fn lookup(key: &str) -> Self {
        let is_tag = key.len() <= 64 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let tags = if is_tag { format!("data-{key}, data") } else { "data".to_owned() };
        Self::new(control::LOOKUP, tags)
    }

    /// A file with a hash in its name.
    pub(crate) fn asset() -> Self {
        Self::new(control::ASSET, "assets")
    }

    /// `robots.txt` and its kin.
    pub(crate) fn fixed() -> Self {
        Self::new(control::FIXED, "site")
    }

    /// Whatever is for one person.
    pub(crate) fn personal() -> Self {
        Self::new(control::PERSONAL, "orders")
    }

    /// The answer to an order, or to another unsafe request.
    pub(crate) fn written() -> Self {
        Self::new(control::NEVER, "orders").without_validator()
    }

    /// Alive, ready.
    pub(crate) fn health() -> Self {
        Self::new(control::NEVER, "health").without_validator()
    }

    /// A 404 that is the same for everybody.
    pub(crate) fn absent() -> Self {
        Self::new(control::ABSENT, "absent").without_validator()
    }

    /// Every other error.
    pub(crate) fn failure() -> Self {
        Self::new(control::NEVER, "errors").without_validator()
    }

    /// Brings a weak validator, for answers whose bytes differ while they mean the same. `version` is hexadecimal.
    pub(crate) fn with_weak_etag(self, version: &str) -> Self {
        Self { etag: Some(format!("W/\"{version}\"")), ..self }
    }

    pub(crate) fn has_validator(&self) -> bool {
        self.validator
    }

    /// The validator, where it does not come from the bytes.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Writes `Cache-Control` and `Cache-Tag`.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.control));
        if let Ok(tags) = HeaderValue::try_from(self.tags.as_str()) {
            headers.insert(CACHE_TAG, tags);
        }
    }
}
