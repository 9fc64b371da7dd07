//! The particular fields of a request: what selects beside its key.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Class, Moved, classes};
use crate::seal::Seal;

/// The particular fields of a request with their values as they are: sorted by name, the lines of one field in their order. A request
/// that has none (of a browser, most) allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Particulars<'a> {
    lines: Vec<(&'a HeaderName, &'a HeaderValue)>,
}

/// A request has more particular fields than entries are told apart by: it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {lines} lines or {bytes} bytes of particular fields", lines = Particulars::MOST_LINES, bytes = Particulars::MOST_BYTES)]
pub struct TooMany;

impl<'a> Particulars<'a> {
    /// The most lines of particular fields in a request.
    pub const MOST_LINES: usize = 16;
    /// The most bytes of their names and values.
    pub const MOST_BYTES: usize = 4096;

    /// Of a request's fields, as a fill would send them: without a foreign `Referer` ([`super::is_foreign`]) and without what a peer
    /// that is not trusted adds. `is_keyed`: the names (lower case) that tell entries apart already.
    ///
    /// # Errors
    /// [`TooMany`] beyond [`Self::MOST_LINES`] or [`Self::MOST_BYTES`].
    pub fn of(
        fields: &'a HeaderMap,
        moved: &Moved<'_>,
        is_keyed: impl Fn(&str) -> bool,
    ) -> Result<Self, TooMany> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        for (name, class, _) in classes(fields, moved) {
            if class != Class::Particular || is_keyed(name.as_str()) {
                continue;
            }
            for value in fields.get_all(name) {
                bytes += name.as_str().len() + value.len();
                if lines.len() == Self::MOST_LINES || bytes > Self::MOST_BYTES {
                    return Err(TooMany);
                }
                lines.push((name, value));
            }
        }
        // Stable: the order of a field's lines may mean something.
        lines.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        Ok(Self { lines })
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The names, sorted, each once.
    pub fn names(&self) -> impl Iterator<Item = &'a HeaderName> {
        let mut last = None;
        self.lines.iter().filter_map(move |&(name, _)| (last.replace(name) != Some(name)).then_some(name))
    }

    /// What two requests share exactly when their particular fields are the same: 32 hexadecimal digits under the deployment's secret,
    /// because a value may be a token. `None`: the request has no particular fields.
    pub fn digest(&self, seal: &Seal) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut lines = Vec::new();
        for (name, value) in &self.lines {
            // No name holds a colon, and neither a name nor a value a line break.
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        let mut digest = String::new();
        seal.push(&mut digest, 'p', "", &lines);
        Some(digest)
    }
}

impl PartialEq for Particulars<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.lines == other.lines
    }
}

impl Eq for Particulars<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(pairs: &[(String, String)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        fields
    }

    fn of(pairs: &[(&str, &str)]) -> HeaderMap {
        request(&pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    fn particulars(fields: &HeaderMap) -> Particulars<'_> {
        Particulars::of(fields, &Moved::default(), |_| false).unwrap()
    }

    fn digest(fields: &HeaderMap) -> Option<String> {
        particulars(fields).digest(&Seal::new(Some("secret"), ""))
    }

    #[test]
    fn ordinary_fields_select_nothing() {
        let fields =
            of(&[("accept", "*/*"), ("user-agent", "curl/8.5.0"), ("host", "a.example"), ("cookie", "a=b")]);
        assert!(particulars(&fields).is_empty());
        assert_eq!(digest(&fields), None);
    }

    #[test]
    fn values_and_the_order_of_lines_count_and_the_order_of_names_does_not() {
        let one = of(&[("x-a", "1"), ("hx-request", "true"), ("x-a", "2")]);
        let same = of(&[("hx-request", "true"), ("x-a", "1"), ("accept", "*/*"), ("x-a", "2")]);
        assert_eq!(digest(&one), digest(&same));
        assert_eq!(particulars(&one), particulars(&same));
        assert_eq!(
            particulars(&one).names().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["hx-request", "x-a"]
        );
        for other in [
            of(&[("x-a", "2"), ("hx-request", "true"), ("x-a", "1")]),
            of(&[("x-a", "1"), ("hx-request", "true")]),
            of(&[("x-a", "1, 2"), ("hx-request", "true")]),
            of(&[("x-a", "1"), ("hx-request", "TRUE"), ("x-a", "2")]),
            of(&[("x-a", "1"), ("hx-request", "true"), ("x-a", "2"), ("x-b", "")]),
        ] {
            assert_ne!(digest(&one), digest(&other));
        }
    }

    #[test]
    fn what_is_keyed_selects_already() {
        let fields = of(&[("x-tenant", "t"), ("x-a", "1")]);
        let left = Particulars::of(&fields, &Moved::default(), |name| name == "x-tenant").unwrap();
        assert_eq!(left.names().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-a"]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        let lines = |count: usize| (0..count).map(|n| (format!("x-{n}"), "1".to_owned())).collect::<Vec<_>>();
        let count = |pairs: &[(String, String)]| {
            Particulars::of(&request(pairs), &Moved::default(), |_| false).map(|_| ())
        };
        assert_eq!(count(&lines(16)), Ok(()));
        assert_eq!(count(&lines(17)), Err(TooMany));
        assert_eq!(count(&[("x-a".into(), "v".repeat(4093))]), Ok(()));
        assert_eq!(count(&[("x-a".into(), "v".repeat(4094))]), Err(TooMany));
        assert!(TooMany.to_string().contains("16 lines or 4096 bytes"));
    }

    proptest! {
        /// Two requests have one digest exactly where their particular fields are equal.
        #[test]
        fn equal_digests_are_equal_fields(
            one in proptest::collection::vec(("x-[ab]", "[ab:]{0,2}"), 0..4),
            other in proptest::collection::vec(("x-[ab]", "[ab:]{0,2}"), 0..4),
        ) {
            let sorted = |pairs: &[(String, String)]| {
                let mut pairs = pairs.to_vec();
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
                pairs
            };
            let (first, second) = (request(&one), request(&other));
            prop_assert_eq!(digest(&first) == digest(&second), sorted(&one) == sorted(&other));
            prop_assert_eq!(particulars(&first) == particulars(&second), sorted(&one) == sorted(&other));
        }
    }
}
