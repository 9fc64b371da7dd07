//! Whatever stands in the file: an answer, and a place within the file.

use levee_config::{Diagnostic, Overrides, compile_str};
use proptest::prelude::*;

const VALID: &str = include_str!("every_key.toml");

fn check(text: &str) -> Result<(), TestCaseError> {
    let all: Vec<Diagnostic> = match compile_str("levee.toml", text, &Overrides::default()) {
        Ok(compiled) => {
            let read = levee::config::Config::decode(&compiled.to_bytes());
            prop_assert_eq!(read.as_ref(), Ok(&compiled.config));
            compiled.warnings
        }
        Err(error) => {
            prop_assert!(!error.errors.is_empty());
            error.errors.into_iter().chain(error.warnings).collect()
        }
    };
    let lines = text.split('\n').count();
    for diagnostic in all {
        prop_assert!(!diagnostic.to_string().is_empty());
        if let Some(place) = diagnostic.place {
            prop_assert!((1..=lines).contains(&place.line), "{:?}", place);
            let length = place.text.chars().count();
            prop_assert!((1..=length + 1).contains(&place.column), "{:?}", place);
            prop_assert!(place.column + place.length <= length + 2, "{:?}", place);
        }
    }
    Ok(())
}

/// Every value of the valid file in turn replaced, every line dropped or doubled.
#[test]
fn each_line_wrong_in_turn() {
    let lines: Vec<&str> = VALID.lines().collect();
    for at in 0..lines.len() {
        let with = |line: &[&str]| [&lines[..at], line, &lines[at + 1..]].concat().join("\n");
        let key = lines[at].split('=').next().unwrap_or_default();
        let mut texts = vec![
            with(&[]),
            with(&[lines[at], lines[at]]),
            with(&["\u{0}"]),
            with(&[&lines[at].replace('"', "")]),
        ];
        for value in [
            "1",
            "-1",
            "0x",
            "1e999",
            "\"\"",
            "\"ü\"",
            "[]",
            "[[]]",
            "{}",
            "{ a.b = [{}] }",
            "true",
            "1979-05-27",
            "[1, \"a\", {}]",
            "inf",
        ] {
            texts.push(with(&[&format!("{key}= {value}")]));
        }
        for text in texts {
            check(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text(text in "\\PC*") {
        check(&text)?;
    }

    #[test]
    fn text_like_a_configuration(text in "((version|hosts|origins|routes|defaults|ttl|key|url|path|a)|[=\\[\\]{}.,\"'#\n\r\t]|1|10s|/|\\*|ü| ){0,60}") {
        check(&text)?;
    }

    #[test]
    fn a_valid_file_with_a_part_replaced(from in 0..VALID.len(), len in 0usize..24, with in "[-a-z0-9=\\[\\]{}.,\"'#\n\r\t ü*/\u{0}]{0,12}") {
        let boundary = |mut at: usize| {
            while !VALID.is_char_boundary(at) {
                at += 1;
            }
            at
        };
        let from = boundary(from);
        let to = boundary((from + len).min(VALID.len()));
        check(&format!("{}{with}{}", &VALID[..from], &VALID[to..]))?;
    }

    #[test]
    fn any_value_of_a_string(text in "\\PC{0,40}", at in 0usize..12) {
        let before = [
            "hosts = [", "origins.us.url = [", "origins.us.url = ", "defaults.ttl.default = ", "limits.uri = ",
            "defaults.key.headers = [", "defaults.key.cookies = [", "defaults.key.query.keep = [", "defaults.negative = { 404 = ",
            "routes = [{ name = ", "routes = [{ path = ", "defaults.origins = [",
        ][at];
        let after = match before.as_bytes() {
            [.., b'['] => "]",
            start if start.starts_with(b"routes") => "}]",
            start if start.contains(&b'{') => "}",
            _ => "",
        };
        check(&format!("version = 1\n{before}'''{}'''{after}\n", text.replace('\'', "")))?;
    }
}
