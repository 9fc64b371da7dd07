//! Plain values: true or false, whole numbers, strings.

use toml::de::DeValue;

use super::{Node, Reader, Value, describe};
use crate::json::Json;

impl Value for bool {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let DeValue::Boolean(value) = node.value {
            return Some(*value);
        }
        let message = format!("`{}` must be true or false, not {}", node.name, describe(node.value));
        let error = reader.error(&node.span, message);
        match node.value {
            DeValue::String(text) if text == "true" || text == "false" => {
                error.help(format!("without quotes: `{} = {text}`", node.key()));
            }
            _ => {}
        }
        None
    }

    fn schema() -> Json {
        Json::object([("type", "boolean".into())])
    }
}

/// The string that `node` must be; `what` says so where it is none.
pub(crate) fn text_of<'n>(node: &'n Node<'_>, reader: &mut Reader<'_>, what: &str) -> Option<&'n str> {
    match node.value {
        DeValue::String(text) => Some(text),
        other => {
            let message = format!("`{}` must be {what}, not {}", node.name, describe(other));
            let error = reader.error(&node.span, message);
            if let DeValue::Array(_) = other {
                error.help("one string, without `[` and `]`");
            }
            None
        }
    }
}

/// The whole number that `node` must be, from `least` to `most`.
pub(crate) fn number_of(node: &Node<'_>, reader: &mut Reader<'_>, least: u64, most: u64) -> Option<u64> {
    let wrong = match node.value {
        DeValue::Integer(number) => match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if (least..=most).contains(&value) => return Some(value),
            _ => describe(node.value),
        },
        other => describe(other),
    };
    let message = format!("`{}` must be a whole number from {least} to {most}, not {wrong}", node.name);
    let error = reader.error(&node.span, message);
    match node.value {
        DeValue::String(text) if text.parse::<u64>().is_ok() => {
            error.help(format!("without quotes: `{} = {text}`", node.key()));
        }
        _ => {}
    }
    None
}

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<const LEAST: u64, const MOST: u64>(pub(crate) u64);

impl<const LEAST: u64, const MOST: u64> Value for Number<LEAST, MOST> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        number_of(node, reader, LEAST, MOST).map(Self)
    }

    fn schema() -> Json {
        Json::object([("type", "integer".into()), ("minimum", LEAST.into()), ("maximum", MOST.into())])
    }
}
