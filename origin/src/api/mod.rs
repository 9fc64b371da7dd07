//! The JSON API.

pub(crate) mod films;
pub(crate) mod orders;
pub(crate) mod screenings;
mod view;

use crate::http::Problem;

/// Reads a number out of a path; what is no number names nothing.
pub(crate) fn number(kind: &str, text: &str) -> Result<i64, Problem> {
    let number = text.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == text);
    number.ok_or_else(|| Problem::not_found(format!("No {kind} has the number {text}.")))
}
