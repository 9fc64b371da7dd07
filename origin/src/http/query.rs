//! Query strings and HTML forms: pairs of names and values, in order, a name possibly more than once.

use super::Problem;

/// The pairs of one query or form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(crate) fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    /// The last value of `name`, without blanks around it; nothing where it is empty or absent.
    pub(crate) fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.all(name).last()
    }

    /// Every value of `name` that is not empty.
    pub(crate) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value of `name` as a whole number within `allowed`.
    pub(crate) fn number(
        &self,
        name: &str,
        allowed: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if allowed.contains(&number) => Ok(Some(number)),
            _ => Err(Problem::invalid(format!(
                "`{name}` must be a whole number from {} to {}; it was `{text}`.",
                allowed.start(),
                allowed.end()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pairs;

    #[test]
    fn names_may_repeat_and_empty_values_do_not_count() {
        let pairs = Pairs::parse(b"seat=A1&seat=B+2&q=&page=3&q=%20caf%C3%A9 ");
        assert_eq!(pairs.all("seat").collect::<Vec<_>>(), ["A1", "B 2"]);
        assert_eq!(pairs.get("q"), Some("café"));
        assert_eq!(pairs.get("genre"), None);
        assert!(matches!(pairs.number("page", 1..=10), Ok(Some(3))));
        assert!(pairs.number("page", 4..=10).is_err());
        assert!(pairs.number("q", 1..=10).is_err());
    }
}
