//! JSON whose objects keep the order they were written in, whatever features of `serde_json` the rest of a build turns on.

use serde::ser::{Serialize, Serializer};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Bool(bool),
    Number(u64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn strings<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::Array(items.into_iter().map(|item| Self::String(item.into())).collect())
    }

    /// An object with one member more; what is no object stays as it is.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Removes every member called `name`, at any depth, except from the objects called `keep`, whose members are names
    /// of the user's.
    pub(crate) fn without(self, name: &str, keep: &str) -> Self {
        self.prune(name, keep, false)
    }

    fn prune(self, name: &str, keep: &str, kept: bool) -> Self {
        match self {
            Self::Array(items) => {
                Self::Array(items.into_iter().map(|item| item.prune(name, keep, false)).collect())
            }
            Self::Object(members) => Self::Object(
                members
                    .into_iter()
                    .filter(|(member, _)| kept || member != name)
                    .map(|(member, value)| {
                        let kept = !kept && member == keep;
                        (member, value.prune(name, keep, kept))
                    })
                    .collect(),
            ),
            other => other,
        }
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Self {
        Self::Array(value)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
