//! Values that are written as one string with a grammar of its own.

use crate::json::Json;
use crate::read::{Node, Reader, Value, text_of};

/// Why a string was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What follows "`text` in `key` …".
    pub(crate) why: String,
    pub(crate) help: Option<String>,
}

impl Wrong {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn report(self, text: &str, node: &Node<'_>, reader: &mut Reader<'_>) {
        let text = if text.is_empty() { "\"\"" } else { text };
        let error = reader.error(&node.span, format!("`{}` in `{}` {}", shown(text), node.name, self.why));
        if let Some(help) = self.help {
            error.help(help);
        }
    }
}

/// A string as a message can hold it: on one line, and not endless.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// A string with a grammar.
pub(crate) trait Word: Sized {
    /// What it must be, after "must be".
    const WHAT: &'static str;
    /// Its grammar for an editor, as far as a regular expression tells it.
    const PATTERN: &'static str;

    fn parse(text: &str) -> Result<Self, Wrong>;
}

impl<W: Word> Value for W {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text_of(node, reader, W::WHAT)?;
        W::parse(text).map_err(|wrong| wrong.report(text, node, reader)).ok()
    }

    fn schema() -> Json {
        Json::object([("type", "string".into()), ("pattern", W::PATTERN.into())])
    }
}
