//! What is no TOML, in our own words.

use toml::de::Error;

use crate::diagnostic::ConfigError;
use crate::read::Reader;
use crate::text::Text;

/// After so many the rest is most likely their consequence.
const MOST: usize = 8;

/// Reports the parser's errors: the first of each line, in the order of the file.
pub(crate) fn report(errors: &[Error], reader: &mut Reader<'_>) {
    let mut errors: Vec<_> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut last = 0;
    let mut told = 0;
    for (span, message) in errors {
        let line = reader.text.line(&span);
        if line == last || told == MOST {
            continue;
        }
        (last, told) = (line, told + 1);
        let here = reader.text.get(span.clone()).trim();
        let (message, help) = in_words(message, here);
        let error = reader.error(&span, message);
        if let Some(help) = help {
            error.help(help);
        }
    }
}

fn in_words(message: &str, here: &str) -> (String, Option<String>) {
    let _ = here;
    (message.to_owned(), None)
}

/// For a file that is no text.
pub(crate) fn not_utf8(file: &str, bytes: &[u8], valid: usize) -> ConfigError {
    // Up to the wrong byte it is text; the byte itself is shown as the replacement character.
    let line_end = bytes[valid..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| valid + at);
    let text = String::from_utf8_lossy(&bytes[..line_end]);
    let mut reader = Reader::new(Text::new(file, &text));
    reader
        .error(&(valid..valid + '\u{fffd}'.len_utf8()), "the file is not UTF-8")
        .help("save it with the encoding UTF-8: TOML has no other");
    let (errors, warnings) = reader.finish();
    ConfigError { errors, warnings }
}
