//! The JSON Schema says what the reader does.

mod support;

use levee_config::{Overrides, compile_str, json_schema};
use serde_json::Value;
use support::{invalid, json};

fn schema() -> Value {
    serde_json::from_str(&json_schema()).expect("JSON")
}

#[test]
fn the_repositorys_file_is_valid() {
    let text = include_str!("../../../levee.toml");
    assert_eq!(invalid(&json(text), &schema()), None);
}

#[test]
fn every_key_is_valid_as_the_documentation_writes_it() {
    let text = include_str!("every_key.toml");
    assert_eq!(invalid(&json(text), &schema()), None);
    if let Err(error) = compile_str("every_key.toml", text, &Overrides::default()) {
        panic!("{error}");
    }
}

/// An editor shows what the build would refuse; what only the whole file shows (names that are used twice, say) it cannot.
#[test]
fn what_the_schema_refuses_the_reader_refuses() {
    let base = "version = 1\nhosts = [\"a\"]\norigins.eu.url = \"http://a\"\n";
    for wrong in [
        "versio = 1",
        "shield = { timeout = { connect = 1 } }",
        "shield = { max_inflight = 0 }",
        "limits = { uri = \"8\" }",
        "purge = {}",
        "purge = { auth = [\"basic\"] }",
        "origins.us = { url = \"ftp://a\" }",
        "origins.us = { url = \"http://a/b\" }",
        "origins.us = { url = \"http://a\", weight = 0 }",
        "origins.\"u s\" = { url = \"http://a\" }",
        "defaults = { ttl = { default = \"10\" } }",
        "defaults = { ttl = { max = true } }",
        "defaults = { ttl = { maxx = \"1s\" } }",
        "defaults = { credentials = \"none\" }",
        "defaults = { forward = \"some\" }",
        "defaults = { key = { headers = [\"a b\"] } }",
        "defaults = { key = { query = { keep = [\"a=b\"] } } }",
        "defaults = { negative = { 200 = \"1s\" } }",
        "defaults = { rate_limit = { by = \"ip\" } }",
        "defaults = { name = \"a\" }",
        "routes = [{ name = \"a\" }]",
        "routes = [{ name = \"a\", path = \"a\" }]",
        "routes = [{ name = \"a\", path = \"/a\", methods = [] }]",
    ] {
        let text = format!("{base}{wrong}\n");
        assert!(invalid(&json(&text), &schema()).is_some(), "the schema takes {wrong}");
        assert!(compile_str("levee.toml", &text, &Overrides::default()).is_err(), "the reader takes {wrong}");
    }
    assert_eq!(invalid(&json(base), &schema()), None);
}

/// What the schema says holds without a key is what holds without it.
#[test]
fn defaults_are_those_that_are_told() {
    let base = "version = 1\nhosts = [\"a\"]\n[origins.eu]\nurl = \"http://a\"\n";
    let mut lines = Vec::new();
    told("", &schema(), &mut lines);
    assert!(lines.len() > 20, "{lines:?}");
    let shorter = compile_str("levee.toml", base, &Overrides::default()).expect("valid").config;
    // The origin's own keys stand in its table, before the others.
    let (origin, rest): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.starts_with("origins."));
    let origin: String = origin.iter().map(|line| line.replace("origins.NAME.", "") + "\n").collect();
    let tables: String = rest
        .iter()
        .filter_map(|line| line.split_once('.'))
        .fold((String::new(), ""), |(text, last), (table, line)| {
            let head = if table == last { String::new() } else { format!("[{table}]\n") };
            (format!("{text}{head}{line}\n"), table)
        })
        .0;
    let longer = format!("{base}{origin}{tables}");
    let longer =
        compile_str("levee.toml", &longer, &Overrides::default()).unwrap_or_else(|e| panic!("{longer}\n{e}"));
    assert_eq!(longer.config, shorter);
}

fn told(path: &str, schema: &Value, lines: &mut Vec<String>) {
    if let Some(default) = schema.get("default") {
        lines.push(format!("{path} = {default}"));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        told(&below(name), schema, lines);
    }
    if let Some(schema) = schema.get("additionalProperties").filter(|schema| schema.is_object()) {
        told(&below("NAME"), schema, lines);
    }
}
