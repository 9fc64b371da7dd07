//! What several tests need: TOML as JSON, and a validator for as much of JSON Schema as ours uses.

use regex_lite::Regex;
use serde_json::{Map, Number, Value};
use toml::de::{DeTable, DeValue};

/// A TOML document as JSON; panics where it is none.
pub(crate) fn json(text: &str) -> Value {
    let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{error}"));
    object(table.get_ref())
}

fn object(table: &DeTable<'_>) -> Value {
    Value::Object(
        table.iter().map(|(key, value)| (key.get_ref().to_string(), value_of(value.get_ref()))).collect(),
    )
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Null, |n| Value::Number(n.into())),
        DeValue::Float(number) => {
            number.as_str().parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| value_of(item.get_ref())).collect()),
        DeValue::Table(table) => object(table),
    }
}

/// Where and why `value` is not what `schema` describes (JSON Schema, draft 2020-12). Panics at a keyword it does not know, so
/// that none goes unchecked.
pub(crate) fn invalid(value: &Value, schema: &Value) -> Option<String> {
    let schema = schema.as_object().expect("a schema is an object");
    schema.iter().find_map(|(keyword, rule)| {
        let why = violates(value, keyword, rule, schema)?;
        Some(if why.starts_with('/') { why } else { format!(": {why}") })
    })
}

fn violates(value: &Value, keyword: &str, rule: &Value, schema: &Map<String, Value>) -> Option<String> {
    let below =
        |name: &str, value: &Value, schema: &Value| invalid(value, schema).map(|why| format!("/{name}{why}"));
    let no = |wrong: bool| wrong.then(|| format!("{keyword} {rule}, found {value}"));
    match keyword {
        "$schema" | "title" | "description" | "default" => None,
        "type" => no(match rule.as_str().expect("one type") {
            "object" => !value.is_object(),
            "array" => !value.is_array(),
            "string" => !value.is_string(),
            "integer" => !value.is_i64() && !value.is_u64(),
            "boolean" => !value.is_boolean(),
            other => panic!("type {other}"),
        }),
        "const" => no(value != rule),
        "enum" => no(!rule.as_array().expect("a list").contains(value)),
        "anyOf" => no(rule.as_array().expect("a list").iter().all(|schema| invalid(value, schema).is_some())),
        "pattern" => {
            let pattern = Regex::new(rule.as_str().expect("a pattern"))
                .unwrap_or_else(|error| panic!("{rule}: {error}"));
            no(value.as_str().is_some_and(|text| !pattern.is_match(text)))
        }
        "minimum" => no(value.as_i64().is_some_and(|number| number < rule.as_i64().expect("a number"))),
        "maximum" => no(value.as_i64().is_some_and(|number| number > rule.as_i64().expect("a number"))),
        "minItems" => {
            no(value.as_array().is_some_and(|list| (list.len() as u64) < rule.as_u64().expect("a number")))
        }
        "minProperties" => {
            no(value.as_object().is_some_and(|map| (map.len() as u64) < rule.as_u64().expect("a number")))
        }
        "items" => {
            value.as_array()?.iter().enumerate().find_map(|(at, item)| below(&at.to_string(), item, rule))
        }
        "required" => {
            let object = value.as_object()?;
            let missing =
                rule.as_array()?.iter().find(|name| !object.contains_key(name.as_str().unwrap_or_default()));
            missing.map(|name| format!("required {name}"))
        }
        "properties" => {
            let known = rule.as_object()?;
            value.as_object()?.iter().find_map(|(name, value)| below(name, value, known.get(name)?))
        }
        "propertyNames" => {
            value.as_object()?.keys().find_map(|name| below(name, &Value::String(name.clone()), rule))
        }
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            let mut others =
                value.as_object()?.iter().filter(|(name, _)| !known.is_some_and(|k| k.contains_key(*name)));
            match rule {
                Value::Bool(false) => others.next().map(|(name, _)| format!("unknown key {name}")),
                rule => others.find_map(|(name, value)| below(name, value, rule)),
            }
        }
        other => panic!("the keyword {other} is not checked"),
    }
}
