//! What a report is made of, whatever it is written as.

/// A part of the page, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// Level 1 is a section's.
    Heading(u8, Vec<Inline>),
    Paragraph(Vec<Inline>),
    /// Each item is a paragraph.
    List(Vec<Vec<Inline>>),
    Table(Table),
    /// A picture of the evidence, `<run>/<file>.svg`, or one that is drawn for the text; and what is seen on it.
    Figure {
        file: String,
        caption: Vec<Inline>,
    },
    /// Lines as they are.
    Code(String),
    /// What was cited, in the order of its numbers.
    References(Vec<Entry>),
}

/// One of the references.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) number: usize,
    pub(super) words: Vec<Inline>,
    /// What was taken from it.
    pub(super) supports: String,
}

/// A table with its caption. Columns of figures stand to the right.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) caption: Vec<Inline>,
    pub(super) right: Vec<bool>,
    pub(super) head: Vec<Vec<Inline>>,
    pub(super) rows: Vec<Vec<Vec<Inline>>>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Inline {
    Text(String),
    Code(String),
    Strong(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Link(String, Vec<Inline>),
    /// The numbers of references.
    Cite(Vec<usize>),
}

impl Inline {
    pub(super) fn text(text: impl Into<String>) -> Vec<Self> {
        vec![Self::Text(text.into())]
    }

    pub(super) fn code(text: impl Into<String>) -> Vec<Self> {
        vec![Self::Code(text.into())]
    }
}
