//! The suite's definitions, as its JSON has them.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A group of tests about one thing.
#[derive(Clone, Debug, Deserialize)]
pub struct Suite {
    pub id: String,
    pub name: String,
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Test {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub kind: Kind,
    /// Tests without which this one says nothing.
    #[serde(default)]
    pub depends_on: Vec<String>,
    #[serde(default)]
    pub browser_only: bool,
    pub requests: Vec<Step>,
}

/// What a test asks of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The specification demands it.
    #[default]
    Required,
    /// The specification allows it, and a good cache does it.
    Optimal,
    /// A behaviour that is neither good nor bad.
    Check,
}

/// One request of a test: what is sent, what the origin does, what must be seen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    pub request_method: Option<String>,
    pub request_headers: Vec<Field>,
    pub request_body: Option<String>,
    pub filename: Option<String>,
    pub query_arg: Option<String>,
    pub redirect: Option<String>,
    pub pause_after: bool,
    pub magic_ims: bool,

    pub response_status: Option<(u16, String)>,
    pub response_headers: Vec<Field>,
    #[serde(deserialize_with = "present")]
    pub response_body: Option<Option<String>>,
    /// Seconds before the origin answers.
    pub response_pause: Option<u64>,
    /// What the origin sends before its answer.
    pub interim_responses: Vec<Interim>,
    pub disconnect: bool,
    pub magic_locations: bool,
    pub rfc850date: Vec<String>,

    pub expected_type: Option<String>,
    #[serde(deserialize_with = "present")]
    pub expected_status: Option<Option<u16>>,
    pub expected_method: Option<String>,
    pub expected_request_headers: Vec<Expected>,
    pub expected_request_headers_missing: Vec<Expected>,
    pub expected_response_headers: Vec<Expected>,
    pub expected_response_headers_missing: Vec<Expected>,
    #[serde(deserialize_with = "present")]
    pub expected_response_text: Option<Option<String>>,
    pub expected_interim_responses: Option<Vec<Interim>>,
    pub check_body: Option<bool>,

    /// A failure of this step is not a failure of what is tested.
    pub setup: bool,
    /// The same, for these checks alone.
    pub setup_tests: Vec<String>,
}

impl Step {
    /// Whether a failed check of this name is a set-up failure.
    pub fn is_setup(&self, check: &str) -> bool {
        self.setup || self.setup_tests.iter().any(|name| name == check)
    }
}

/// A member that is there, be it `null`, as opposed to one that is missing.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A 1xx answer: its status, and its fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interim(pub u16, #[serde(default)] pub Vec<(String, String)>);

/// A field that is sent: name, value, and whether the client must see it (by default it must).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Field {
    Plain(String, Value),
    Checked(String, Value, bool),
}

impl Field {
    pub fn name(&self) -> &str {
        match self {
            Self::Plain(name, _) | Self::Checked(name, ..) => name,
        }
    }

    pub fn value(&self) -> &Value {
        match self {
            Self::Plain(_, value) | Self::Checked(_, value, _) => value,
        }
    }

    pub fn is_checked(&self) -> bool {
        !matches!(self, Self::Checked(_, _, false))
    }
}

/// A field value; a number in a date field is seconds from the origin's now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    Number(i64),
}

/// What must be seen of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// It is there.
    Present(String),
    /// It compares: `=` with another field, `>` with a number.
    Compared(String, String, Value),
    /// It has this value.
    Is(String, Value),
}

/// Reads the definitions from a file.
pub fn read(path: &Path) -> Result<Vec<Suite>> {
    let text =
        std::fs::read(path).with_context(|| format!("cannot read the definitions at {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not the suite's definitions", path.display()))
}
