//! Every mistake that a file can hold, with the place and the words that its author is given: `wrong_files.txt`.

use levee_config::{Diagnostic, Overrides, Severity, compile_str};

/// What `@base` stands for in the table: a small file without a mistake.
const BASE: &str = r#"version = 1
hosts = ["a.example"]
[origins.eu]
url = "https://eu.example.net"
"#;

fn line(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = diagnostic.place.as_ref();
    let place =
        place.map_or("-".to_owned(), |place| format!("{}:{}+{}", place.line, place.column, place.length));
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!("\n    help: {help}"));
    format!("{place} {severity}: {}{help}\n", diagnostic.message)
}

fn diagnostics(text: &str) -> String {
    match compile_str("levee.toml", text, &Overrides::default()) {
        Ok(compiled) => compiled.warnings.iter().map(line).collect(),
        Err(error) => error.errors.iter().chain(&error.warnings).map(line).collect(),
    }
}

/// A table of files, each followed by `-----` and the messages about it, up to `=====`.
#[test]
fn each_mistake_is_told_at_its_place() {
    let table = include_str!("wrong_files.txt");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in table.split("=====\n").filter(|case| !case.is_empty()) {
        let (file, expected) = case.split_once("-----\n").unwrap_or_else(|| panic!("no `-----` in:\n{case}"));
        let file = file
            .replace("@base\n", BASE)
            .replace("@cr", "\r")
            .replace("@bom", "\u{feff}")
            .replace("@tab", "\t");
        let said = diagnostics(&file);
        if said != expected {
            wrong.push(format!("{file}-----\n{said}----- expected\n{expected}"));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{} of {cases} files:\n\n{}", wrong.len(), wrong.join("\n=====\n"));
    assert!(cases > 100, "the table was not read: {cases}");
}
