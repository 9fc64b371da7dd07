//! What is told to the author of a `levee.toml`: one mistake or warning each, with the place it stands at.

use std::fmt;
use std::ops::Range;

use crate::text::Text;

/// Whether a [`Diagnostic`] stops the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One mistake or warning.
///
/// Its `Display` is several lines without a line break at the end:
///
/// ```text
/// error: unknown key `ttll`
///   --> levee.toml:12:5
///    |
/// 12 |     ttll = { default = "10s" }
///    |     ^^^^
///    = help: did you mean `ttl`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where; none for what does not stand in the file (an override from the command line, a file that cannot be read).
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A stretch of one line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as it was given.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters, at least 1, cut at the end of the line.
    pub length: usize,
    /// The whole line, without its line break.
    pub text: String,
}

impl Place {
    /// Where `span` (in bytes) begins in the text of a file.
    pub fn of(file: &str, text: &str, span: Range<usize>) -> Self {
        Text::new(file, text).place(span)
    }
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), place: None, help: None }
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.message)?;
        let Some(place) = &self.place else {
            return self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  = help: {help}"));
        };
        let Place { file, line, column, length, text } = place;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        // A tab in the line stays one under it, so that the caret stands right whatever a tab is worth.
        let indent: String =
            text.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let shown: String =
            text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
        write!(f, "\n{gutter}--> {file}:{line}:{column}")?;
        write!(f, "\n{gutter} |\n{number} | {shown}\n{gutter} | {indent}{}", "^".repeat(*length))?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n{gutter} = help: {help}"))
    }
}

/// A configuration that was refused: everything that was found wrong, in the order of the file.
///
/// `Display` gives the diagnostics as [`Diagnostic`] writes them, with an empty line between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub errors: Vec<Diagnostic>,
    /// What was found beside the errors and would not have stopped the build.
    pub warnings: Vec<Diagnostic>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.errors.iter().enumerate() {
            if at > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
