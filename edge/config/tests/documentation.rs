//! `docs/configuration.md` says what the types say.

use levee_config::{Overrides, compile_str, json_schema};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/configuration.md");

/// The blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    DOCUMENT
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

/// Each row of each table: the key it is about, and the whole line.
fn rows() -> Vec<(&'static str, &'static str)> {
    let row = |line: &'static str| Some((line.strip_prefix("| `")?.split('`').next()?, line));
    DOCUMENT.lines().filter_map(row).collect()
}

fn keys(path: &str, schema: &Value, found: &mut Vec<(String, Option<Value>)>) {
    let inner = schema.get("anyOf").and_then(|any| any.get(0)).unwrap_or(schema);
    for (name, schema) in inner.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.push((path.clone(), schema.get("default").cloned()));
        keys(&path, schema, found);
    }
}

#[test]
fn every_key_has_a_row_with_its_default() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
    let top = &schema["properties"];
    let mut expected: Vec<(String, Option<Value>)> = Vec::new();
    expected.extend(top.as_object().expect("an object").keys().map(|name| (name.clone(), None)));
    keys("", &top["origins"]["additionalProperties"], &mut expected);
    for table in ["shield", "purge", "limits", "defaults", "routes"] {
        keys("", if table == "routes" { &top[table]["items"] } else { &top[table] }, &mut expected);
    }
    let rows = rows();
    for (key, default) in expected {
        // A table whose keys have rows of their own needs none.
        let below = format!("{key}.");
        let row = rows.iter().find(|(name, line)| *name == key && line.matches('|').count() == 6);
        assert!(row.is_some() || rows.iter().any(|(name, _)| name.starts_with(&below)), "no row for `{key}`");
        if let (Some(default), Some((_, line))) = (default, row) {
            let told = line.split('|').nth(3).unwrap_or_default().trim();
            let json = told.trim_matches('`');
            assert_eq!(serde_json::from_str::<Value>(json).ok(), Some(default), "{line}");
        }
    }
    for (name, line) in rows.iter().filter(|(_, line)| line.matches('|').count() == 6) {
        let known = name.split('.').all(|part| json_schema().contains(&format!("\"{part}\": {{")));
        assert!(known, "no such key: {line}");
    }
}

#[test]
fn the_examples_are_right() {
    let whole = |text: &&&str| text.contains("version = 1");
    let files = blocks("toml");
    let right = files.iter().find(whole).expect("a file to start from");
    assert_eq!(compile_str("levee.toml", right, &Overrides::default()).expect("valid").warnings, []);
    for part in files.iter().filter(|text| !text.contains("version = 1")) {
        let text = format!("version = 1\nhosts = [\"a\"]\n[origins.main]\nurl = \"http://a\"\n{part}");
        compile_str("levee.toml", &text, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(files.len(), 3, "each block is looked at");
}

#[test]
fn the_error_is_what_is_really_said() {
    let files = blocks("toml");
    let wrong = files.iter().filter(|text| text.contains("version = 1")).nth(1).expect("a wrong file");
    let error = compile_str("levee.toml", wrong, &Overrides::default()).expect_err("wrong");
    assert_eq!(format!("{error}\n"), blocks("text")[0]);
}

/// The list of what is not enforced yet, against the warnings for a file with every key.
#[test]
fn what_is_not_enforced_yet_is_listed() {
    let list = DOCUMENT.split("## Not enforced yet\n").nth(1).expect("the list");
    let every =
        compile_str("levee.toml", include_str!("every_key.toml"), &Overrides::default()).expect("valid");
    let mut warned: Vec<&str> = every.warnings.iter().filter_map(|w| w.message.split('`').nth(1)).collect();
    let mut listed: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2))
        .collect();
    warned.sort_unstable();
    listed.sort_unstable();
    assert_eq!(warned, listed);
}
