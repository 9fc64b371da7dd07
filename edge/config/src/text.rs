//! The text of the file, and where in it an offset stands.

use std::ops::Range;

use crate::diagnostic::Place;

#[derive(Debug)]
pub(crate) struct Text<'t> {
    pub(crate) file: &'t str,
    text: &'t str,
    /// Byte offset at which each line starts.
    lines: Vec<usize>,
}

impl<'t> Text<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        // A byte order mark is not part of the first line that a person sees.
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut lines = vec![start];
        lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { file, text, lines }
    }

    /// The stretch that `span` (in bytes) covers of the line it starts in.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let line = self.lines.partition_point(|&start| start <= span.start).max(1);
        let start = self.lines[line - 1];
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        let whole = self.text.get(start..end).unwrap_or_default();
        let whole = whole.strip_suffix('\r').unwrap_or(whole);
        let count = |from: usize, to: usize| {
            whole.char_indices().filter(|(at, _)| (from..to).contains(&(start + at))).count()
        };
        Place {
            file: self.file.to_owned(),
            line,
            column: count(start, span.start) + 1,
            length: count(span.start, span.end).max(1),
            text: whole.to_owned(),
        }
    }

    pub(crate) fn line(&self, span: &Range<usize>) -> usize {
        self.place(span.clone()).line
    }

    pub(crate) fn get(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }
}
