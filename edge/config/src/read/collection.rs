//! Lists, and how a value is turned off or replaced whole.

use toml::de::DeValue;

use super::{At, Key, Node, Reader, Value, describe};
use crate::json::Json;

/// A list of at least `LEAST` items; a list that overrides another replaces it.
#[derive(Clone, Debug)]
pub(crate) struct List<T, const LEAST: usize = 0>(pub(crate) Vec<At<T>>);

impl<T: Value, const LEAST: usize> Value for List<T, LEAST> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(items) = node.value else {
            let message = format!("`{}` must be a list, not {}", node.name, describe(node.value));
            let error = reader.error(&node.span, message);
            match node.value {
                DeValue::String(text) => error.help(format!("write `{} = [{text:?}]`", node.key())),
                DeValue::Table(_) if node.name == "routes" => {
                    error.help("write `[[routes]]` with two brackets")
                }
                _ => error,
            };
            return None;
        };
        if items.len() < LEAST {
            reader.error(&node.span, format!("`{}` must not be empty", node.name));
            return None;
        }
        // The items of `[[routes]]` are tables of their own: what is below them is named from there.
        if node.name == "routes"
            && let Some(item) = items.iter().find(|item| !matches!(item.get_ref(), DeValue::Table(_)))
        {
            let message = format!("each of `routes` must be a table, not {}", describe(item.get_ref()));
            reader.error(&item.span(), message).help("write `[[routes]]`, then `name = …` and `path = …`");
            return None;
        }
        let name = if node.name == "routes" { "" } else { &node.name };
        let read = |item: &toml::Spanned<DeValue<'_>>, reader: &mut Reader<'_>| {
            At::read(&Node { value: item.get_ref(), span: item.span(), name: name.to_owned() }, reader)
        };
        Some(Self(items.iter().filter_map(|item| read(item, reader)).collect()))
    }

    fn schema() -> Json {
        let list = Json::object([("type", "array".into()), ("items", T::schema())]);
        if LEAST > 0 { list.with("minItems", LEAST as u64) } else { list }
    }

    fn keys() -> Vec<Key> {
        T::keys()
    }
}

impl<T, const LEAST: usize> List<T, LEAST> {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, At<T>> {
        self.0.iter()
    }
}

/// A value, or `false` for none: so that a route can undo what the defaults set.
#[derive(Clone, Debug)]
pub(crate) enum Off<T> {
    Off,
    On(T),
}

impl<T> Off<T> {
    pub(crate) fn on(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: Value> Value for Off<T> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            DeValue::Boolean(false) => Some(Self::Off),
            _ => T::read(node, reader).map(Self::On),
        }
    }

    fn schema() -> Json {
        let off = Json::object([("const", false.into()), ("description", "None.".into())]);
        Json::object([("anyOf", vec![T::schema(), off].into())])
    }

    fn keys() -> Vec<Key> {
        T::keys()
    }

    fn over(self, base: Self) -> Self {
        match (self, base) {
            (Self::On(own), Self::On(base)) => Self::On(own.over(base)),
            (own, _) => own,
        }
    }
}

/// A table that replaces the one it overrides, instead of being merged with it key by key.
#[derive(Clone, Debug)]
pub(crate) struct Whole<T>(pub(crate) T);

impl<T: Value> Value for Whole<T> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        T::schema()
    }

    fn keys() -> Vec<Key> {
        T::keys()
    }
}
