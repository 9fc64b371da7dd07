//! Reading TOML into our types with everything that can be wrong said at once, and at its place.
//!
//! A type of the file is a [`Value`]: it reads itself from a node and describes itself for the JSON Schema. A table is a
//! [`Section`], declared with the macro [`section!`], from which reading, merging and the schema all follow.

mod describe;
#[macro_use]
mod section;
mod collection;
mod scalar;

use std::ops::Range;

use toml::de::DeValue;

pub(crate) use collection::{List, Off, Whole};
pub(crate) use describe::{describe, nearest};
pub(crate) use scalar::{Number, text_of};
pub(crate) use section::{
    Key, Presence, Section, entries, key_name, paragraphs, read_section, section_schema,
};

use crate::diagnostic::{Diagnostic, Severity};
use crate::json::Json;
use crate::text::Text;

/// A value with the bytes of the file it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A value of the file that is about to be read.
#[derive(Debug)]
pub(crate) struct Node<'n> {
    pub(crate) value: &'n DeValue<'n>,
    pub(crate) span: Range<usize>,
    /// What messages call it: `shield.timeout.connect`. Empty for the file, one origin and one route.
    pub(crate) name: String,
}

impl Node<'_> {
    /// The last part of its name: the key as it is written.
    pub(crate) fn key(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

/// What can be read from the file.
pub(crate) trait Value: Sized {
    /// None: it was wrong, and the reader was told.
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What an editor is told about it.
    fn schema() -> Json;

    /// The keys below it, where it has any: to tell where an unknown key belongs.
    fn keys() -> Vec<Key> {
        Vec::new()
    }

    /// This value where `base` is what it overrides.
    fn over(self, base: Self) -> Self {
        let _ = base;
        self
    }
}

impl<T: Value> At<T> {
    pub(crate) fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(|value| Self { value, span: node.span.clone() })
    }

    pub(crate) fn over(own: Option<Self>, base: Option<Self>) -> Option<Self> {
        match (own, base) {
            (Some(own), Some(base)) => Some(Self { value: own.value.over(base.value), span: own.span }),
            (own, base) => own.or(base),
        }
    }
}

/// Collects what is wrong while the file is read and checked.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    pub(crate) text: Text<'t>,
    found: Vec<(usize, Diagnostic)>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: Text<'t>) -> Self {
        Self { text, found: Vec::new() }
    }

    pub(crate) fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Error, span, message.into())
    }

    pub(crate) fn warning(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, span, message.into())
    }

    /// For what does not stand in the file.
    pub(crate) fn error_outside(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push((usize::MAX, Diagnostic::new(Severity::Error, message)));
        let last = self.found.len() - 1;
        &mut self.found[last].1
    }

    fn add(&mut self, severity: Severity, span: &Range<usize>, message: String) -> &mut Diagnostic {
        let mut diagnostic = Diagnostic::new(severity, message);
        diagnostic.place = Some(self.text.place(span.clone()));
        self.found.push((span.start, diagnostic));
        let last = self.found.len() - 1;
        &mut self.found[last].1
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|(_, diagnostic)| diagnostic.severity == Severity::Error)
    }

    /// Errors and warnings, each in the order of the file.
    pub(crate) fn finish(mut self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        self.found.sort_by_key(|(at, _)| *at);
        self.found
            .into_iter()
            .map(|(_, diagnostic)| diagnostic)
            .partition(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
