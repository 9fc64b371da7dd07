//! Tables whose keys are the user's own.

use http::StatusCode;
use toml::de::DeValue;

use super::names::Name;
use super::quantity::Duration;
use super::word::{Word, shown};
use crate::json::Json;
use crate::read::{At, Key, Node, Reader, Value, describe, entries};

/// `[origins.NAME]`: tables by name, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Named<T>(pub(crate) Vec<(At<String>, T)>);

impl<T: Value> Value for Named<T> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.value else {
            let message = format!("`{}` must be a table, not {}", node.name, describe(node.value));
            reader.error(&node.span, message).help(format!("write `[{}.NAME]`", node.name));
            return None;
        };
        let mut named = Vec::new();
        for (key, span, value) in entries(table) {
            let name = format!("{}.{key}", node.name);
            if let Err(wrong) = Name::parse(key) {
                let at = Node { value: value.get_ref(), span: span.clone(), name: node.name.clone() };
                wrong.report(key, &at, reader);
            }
            if !matches!(value.get_ref(), DeValue::Table(_)) {
                let message =
                    format!("`{}` must be a table, not {}", shown(&name), describe(value.get_ref()));
                // `[origins]` with the keys of one origin, or `[origins] eu = "https://…"`.
                let known = T::keys().iter().any(|known| known.name == key);
                let help = if known {
                    format!("an origin has a name: write `[{}.NAME]`, then `{key} = …`", node.name)
                } else {
                    format!("write `[{name}]`, then `url = …`")
                };
                reader.error(&value.span(), message).help(help);
                continue;
            }
            let below = Node { value: value.get_ref(), span: value.span(), name: String::new() };
            if let Some(value) = T::read(&below, reader) {
                named.push((At { value: key.to_owned(), span }, value));
            }
        }
        Some(Self(named))
    }

    fn schema() -> Json {
        Json::object([
            ("type", "object".into()),
            ("propertyNames", Name::schema()),
            ("additionalProperties", T::schema()),
            ("minProperties", 1.into()),
        ])
    }

    fn keys() -> Vec<Key> {
        T::keys()
    }
}

/// Whether a request's own fields may have caused this status.
fn is_of_one_request(status: u16) -> bool {
    StatusCode::from_u16(status).is_ok_and(levee::decide::is_of_one_request)
}

/// `negative`: a lifetime for each status code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Negative(pub(crate) Vec<(u16, Duration)>);

impl Value for Negative {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.value else {
            let message = format!("`{}` must be a table, not {}", node.name, describe(node.value));
            reader.error(&node.span, message).help(format!("write `{} = {{ 404 = \"10s\" }}`", node.key()));
            return None;
        };
        let mut lifetimes = Vec::new();
        for (key, span, value) in entries(table) {
            let status =
                key.parse::<u16>().ok().filter(|status| key.len() == 3 && (400..=599).contains(status));
            if status.is_none() {
                reader
                    .error(
                        &span,
                        format!("`{}` in `{}` is not the status code of an error", shown(key), node.name),
                    )
                    .help("from 400 to 599, as in `404`; what succeeds has its lifetime by `ttl`");
            }
            if status.is_some_and(is_of_one_request) {
                reader
                    .error(
                        &span,
                        format!("`{}` in `{}` may be caused by one request alone", shown(key), node.name),
                    )
                    .help("a client could have everyone answered with it: leave it out");
            }
            let below = Node {
                value: value.get_ref(),
                span: value.span(),
                name: format!("{}.{}", node.name, shown(key)),
            };
            if let (Some(lifetime), Some(status)) = (Duration::read(&below, reader), status) {
                lifetimes.push((status, lifetime));
            }
        }
        Some(Self(lifetimes))
    }

    fn schema() -> Json {
        let status = Json::object([("pattern", "^[45][0-9][0-9]$".into())]);
        Json::object([
            ("type", "object".into()),
            ("propertyNames", status),
            ("additionalProperties", Duration::<0>::schema()),
        ])
    }

    fn over(self, base: Self) -> Self {
        let mut lifetimes = self.0;
        let inherited: Vec<_> = base
            .0
            .into_iter()
            .filter(|(status, _)| !lifetimes.iter().any(|(own, _)| own == status))
            .collect();
        lifetimes.extend(inherited);
        Self(lifetimes)
    }
}
