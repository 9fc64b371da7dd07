//! What is no TOML, in our own words.

use toml::de::Error;

use crate::diagnostic::ConfigError;
use crate::read::Reader;
use crate::source::shown;
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

/// The parser's message in our words, and what to do; `here` is the text it points at.
fn in_words(message: &str, here: &str) -> (String, Option<String>) {
    let text = shown(here);
    let is = |start: &str| message.starts_with(start);
    let (said, help) = match () {
        () if is("string values must be quoted") || is("invalid boolean") => return unquoted(here),
        () if is("duplicate key") => {
            (format!("`{text}` is set twice"), "a key or `[table]` stands once in its table")
        }
        () if is("cannot extend") => (format!("`{text}` is set above and is no table"), ""),
        () if is("invalid basic string, expected `\"`") || is("invalid literal string, expected `'`") => {
            ("the string is not closed".to_owned(), "it ends with the quote it began with, in the same line")
        }
        () if is("invalid multi-line") && here.is_empty() => ("the string is not closed".to_owned(), ""),
        () if is("invalid basic string") || is("invalid literal string") || is("invalid comment") => {
            ("a control character may not stand here".to_owned(), "")
        }
        () if is("missing escaped value") || is("too few unicode") => (
            "after `\\` a character or its number must follow".to_owned(),
            "a backslash itself is `\\\\`; in single quotes it stands for itself",
        ),
        () if is("missing comma") || is("extra assignment") => ("a comma is missing".to_owned(), ""),
        () if is("extra comma") => ("a comma too many".to_owned(), ""),
        () if is("extra `=`") => ("`=` stands twice".to_owned(), ""),
        () if is("key with no value") => {
            ("`=` is missing".to_owned(), "a line is `key = value`, `[table]` or `# comment`")
        }
        () if is("unexpected key or value") => {
            ("the line should end here".to_owned(), "one `key = value` a line")
        }
        () if is("invalid unquoted key") && (text.starts_with("//") || text.starts_with(';')) => {
            (format!("`{text}` may not stand in a key"), "a comment begins with `#`")
        }
        () if is("invalid unquoted key") => {
            (format!("`{text}` may not stand in a key"), "letters, digits, `-` and `_`, as in `key = value`")
        }
        () if is("unquoted keys cannot be empty") || is("invalid key-value pair") => {
            ("a key is missing".to_owned(), "")
        }
        () if is("unclosed table") => ("`]` is missing".to_owned(), ""),
        () if is("unclosed array table") => ("`]]` is missing".to_owned(), ""),
        () if is("unclosed array") => ("the list is not closed: `]` is missing".to_owned(), ""),
        () if is("unclosed inline table") => ("the table is not closed: `}` is missing".to_owned(), ""),
        () if is("cannot recurse further") || is("recursion limit") => ("nested too deeply".to_owned(), ""),
        () => (format!("not TOML: {message}"), ""),
    };
    (said, (!help.is_empty()).then(|| help.to_owned()))
}

fn unquoted(here: &str) -> (String, Option<String>) {
    let text = shown(here);
    if here.is_empty() {
        return (
            "a value is missing".to_owned(),
            Some("strings stand in quotes: `key = \"value\"`".to_owned()),
        );
    }
    let help = match here.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => "write `true`".to_owned(),
        "false" | "no" | "off" => "write `false`".to_owned(),
        _ if here.contains(" //") => "a comment begins with `#`".to_owned(),
        _ => format!("write `\"{}\"`", text.trim_matches(['"', '\'', '“', '”', '„', '‘', '’'])),
    };
    (format!("`{text}` is no value: strings stand in quotes"), Some(help))
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
