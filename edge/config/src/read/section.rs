//! Tables with known keys.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Node, Reader, describe, nearest};
use crate::json::Json;

/// One key of a section: what the schema and the messages say of it.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) presence: Presence,
    pub(crate) schema: fn() -> Json,
    pub(crate) keys: fn() -> Vec<Key>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Presence {
    /// With an example of how it is written.
    Required(&'static str),
    Optional,
    /// What holds where the key is left out.
    Default(Json),
}

/// A table with known keys; declared with [`section!`].
pub(crate) trait Section: Default {
    const ABOUT: &'static str;

    fn keys() -> Vec<Key>;

    /// Reads the value of `key`; false where the section has no such key.
    fn take(&mut self, key: &str, node: &Node<'_>, reader: &mut Reader<'_>) -> bool;

    /// Key by key: what is set here, else what `base` sets.
    fn over(self, base: Self) -> Self;
}

/// The entries of a table in the order of the file.
pub(crate) fn entries<'t>(
    table: &'t DeTable<'t>,
) -> Vec<(&'t str, Range<usize>, &'t toml::Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

pub(crate) fn read_section<S: Section>(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<S> {
    let DeValue::Table(table) = node.value else {
        let message = format!("`{}` must be a table, not {}", node.name, describe(node.value));
        let example = S::keys().first().map_or("key", |key| key.name);
        reader.error(&node.span, message).help(format!("write `{} = {{ {example} = … }}`", node.key()));
        return None;
    };
    let mut section = S::default();
    for (key, key_span, value) in entries(table) {
        let name = if node.name.is_empty() { key.to_owned() } else { format!("{}.{key}", node.name) };
        let below = Node { value: value.get_ref(), span: value.span(), name };
        if !section.take(key, &below, reader) {
            unknown_key(key, &key_span, &S::keys(), node, reader);
        }
    }
    for key in S::keys() {
        if let Presence::Required(example) = key.presence
            && !table.contains_key(key.name)
        {
            let name = if node.name.is_empty() {
                key.name.to_owned()
            } else {
                format!("{}.{}", node.name, key.name)
            };
            reader.error(&node.span, format!("missing key `{name}`")).help(format!("write {example}"));
        }
    }
    Some(section)
}

fn unknown_key(key: &str, span: &Range<usize>, known: &[Key], node: &Node<'_>, reader: &mut Reader<'_>) {
    let help = if let Some(meant) = nearest(key, known.iter().map(|key| key.name)) {
        format!("did you mean `{meant}`?")
    } else if let Some(place) = elsewhere(key) {
        format!("`{key}` belongs {place}")
    } else {
        let names: Vec<_> = known.iter().map(|key| format!("`{}`", key.name)).collect();
        format!("known here: {}", names.join(", "))
    };
    let within = if node.name.is_empty() { String::new() } else { format!(" in `{}`", node.name) };
    reader.error(span, format!("unknown key `{key}`{within}")).help(help);
}

/// Where in the file a key of this name is known.
fn elsewhere(name: &str) -> Option<String> {
    fn find(name: &str, keys: &[Key], path: &str) -> Option<String> {
        if !path.is_empty() && keys.iter().any(|key| key.name == name) {
            return Some(path.to_owned());
        }
        keys.iter().find_map(|key| {
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            find(name, &(key.keys)(), &path)
        })
    }
    let top = <crate::source::File as Section>::keys();
    if top.iter().any(|key| key.name == name) {
        return Some("at the top of the file, before the first `[table]`".to_owned());
    }
    let path = find(name, &top, "")?;
    Some(match path.as_str() {
        "origins" => "in `[origins.NAME]`".to_owned(),
        "routes" => "in `[[routes]]`".to_owned(),
        "defaults" => "in `[defaults]` or `[[routes]]`".to_owned(),
        path => match path.strip_prefix("defaults.") {
            Some(path) => format!("in `{path}` (of `[defaults]` or `[[routes]]`)"),
            None if path.contains('.') => format!("in `{path}`"),
            None => format!("in `[{path}]`"),
        },
    })
}

/// The object that a section is for an editor.
pub(crate) fn section_schema<S: Section>() -> Json {
    let mut properties = Vec::new();
    let mut required = Vec::new();
    for key in S::keys() {
        let schema = described(&key.about, (key.schema)());
        let schema = match key.presence {
            Presence::Default(value) => schema.with("default", value),
            Presence::Required(_) => {
                required.push(key.name);
                schema
            }
            Presence::Optional => schema,
        };
        properties.push((key.name.to_owned(), schema));
    }
    let object = Json::object([("type", "object".into()), ("description", paragraphs(S::ABOUT).into())])
        .with("additionalProperties", false)
        .with("properties", Json::Object(properties));
    if required.is_empty() { object } else { object.with("required", Json::strings(required)) }
}

/// `schema` under the words of the key that has it; those of its type are kept where they add to them, which a section's do
/// not.
fn described(about: &str, schema: Json) -> Json {
    let Json::Object(members) = schema else { return schema };
    let section = members.iter().any(|(name, _)| name == "properties");
    let mut about = about.to_owned();
    let mut rest = Vec::with_capacity(members.len());
    for (name, value) in members {
        match value {
            Json::String(_) if name == "description" && section => {}
            Json::String(more) if name == "description" => {
                about.push_str("\n\n");
                about.push_str(&more);
            }
            value => rest.push((name, value)),
        }
    }
    rest.insert(0, ("description".to_owned(), about.into()));
    Json::Object(rest)
}

/// The text of a doc comment: lines joined, paragraphs kept.
pub(crate) fn paragraphs(doc: &str) -> String {
    let mut text = String::new();
    for line in doc.lines().map(str::trim) {
        match line {
            "" if !text.is_empty() && !text.ends_with('\n') => text.push_str("\n\n"),
            "" => {}
            line => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push(' ');
                }
                text.push_str(line);
            }
        }
    }
    text.trim_end().to_owned()
}

/// The key that a field of a section is read from.
pub(crate) fn key_name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Declares a table of the file: `name: Type` is an optional key, `= (required "example")` makes it required, `= value` says what holds
/// without it (told to editors; whoever compiles the section sees to it). `..name: Type` takes in the keys of another
/// section. The doc comments are the schema's descriptions.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $ty:ty $(= $presence:tt)?, )*
            $( ..$rest:ident: $rest_ty:ty, )?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default)]
        $vis struct $name {
            $( $(#[doc = $doc])+ pub(crate) $field: Option<$crate::read::At<$ty>>, )*
            $( pub(crate) $rest: $rest_ty, )?
        }

        impl $crate::read::Section for $name {
            const ABOUT: &'static str = concat!($($about, "\n"),+);

            fn keys() -> Vec<$crate::read::Key> {
                #[allow(unused_mut)]
                let mut keys = vec![$( $crate::read::Key {
                    name: $crate::read::key_name(stringify!($field)),
                    about: $crate::read::paragraphs(concat!($($doc, "\n"),+)),
                    presence: presence!($($presence)?),
                    schema: <$ty as $crate::read::Value>::schema,
                    keys: <$ty as $crate::read::Value>::keys,
                } ),*];
                $( keys.extend(<$rest_ty as $crate::read::Section>::keys()); )?
                keys
            }

            fn take(
                &mut self,
                key: &str,
                node: &$crate::read::Node<'_>,
                reader: &mut $crate::read::Reader<'_>,
            ) -> bool {
                $( if key == $crate::read::key_name(stringify!($field)) {
                    self.$field = $crate::read::At::read(node, reader);
                    return true;
                } )*
                $( if $crate::read::Section::take(&mut self.$rest, key, node, reader) {
                    return true;
                } )?
                false
            }

            fn over(self, base: Self) -> Self {
                Self {
                    $( $field: $crate::read::At::over(self.$field, base.$field), )*
                    $( $rest: $crate::read::Section::over(self.$rest, base.$rest), )?
                }
            }
        }

        impl $crate::read::Value for $name {
            fn read(
                node: &$crate::read::Node<'_>,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                $crate::read::read_section(node, reader)
            }

            fn schema() -> $crate::json::Json {
                $crate::read::section_schema::<Self>()
            }

            fn keys() -> Vec<$crate::read::Key> {
                <Self as $crate::read::Section>::keys()
            }

            fn over(self, base: Self) -> Self {
                $crate::read::Section::over(self, base)
            }
        }
    };
}

macro_rules! presence {
    () => {
        $crate::read::Presence::Optional
    };
    ((required $example:literal)) => {
        $crate::read::Presence::Required($example)
    };
    ($value:tt) => {
        $crate::read::Presence::Default(json_literal!($value))
    };
}

macro_rules! json_literal {
    ([$($item:tt),*]) => { $crate::json::Json::Array(vec![$(json_literal!($item)),*]) };
    ($value:literal) => { $crate::json::Json::from($value) };
}
