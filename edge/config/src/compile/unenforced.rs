//! Keys that are checked and compiled, but that this version of the edge does not act on yet.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use crate::read::Reader;

/// The list: a key is taken off it once the edge acts on it. `*` stands for any name and for each item of a list.
const UNENFORCED: [&[&str]; 5] = [
    &["origins", "*", "region"],
    &["origins", "*", "health"],
    &["purge"],
    &["defaults", "rate_limit"],
    &["routes", "*", "rate_limit"],
];

/// Warns of each such key that the file sets.
pub(crate) fn warn(file: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) {
    for path in UNENFORCED {
        find(file, path, path.last().unwrap_or(&""), None, reader);
    }
}

fn find(
    at: &Spanned<DeValue<'_>>,
    path: &[&str],
    name: &str,
    key: Option<Range<usize>>,
    reader: &mut Reader<'_>,
) {
    let Some((head, rest)) = path.split_first() else {
        let off = matches!(at.get_ref(), DeValue::Boolean(false));
        if let Some(key) = key.filter(|_| !off) {
            let message = format!("`{name}` is not enforced yet by this version of the edge");
            reader.warning(&key, message).help("it is checked, and holds as soon as a version enforces it");
        }
        return;
    };
    match at.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table.iter().filter(|(key, _)| *head == "*" || key.get_ref() == head) {
                find(value, rest, name, Some(key.span()), reader);
            }
        }
        DeValue::Array(items) if *head == "*" => {
            for item in items.iter() {
                find(item, rest, name, Some(item.span()), reader);
            }
        }
        _ => {}
    }
}
