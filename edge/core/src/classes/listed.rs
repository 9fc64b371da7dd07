//! `docs/fields.md` and the code say the same.

use std::collections::BTreeMap;

use super::names::FIELDS;
use super::*;
use crate::config::{IGNORED_COOKIES, Policy};
use crate::fields::credentials;

const LIST: &str = include_str!("../../../../docs/fields.md");

/// What stands between backticks in a cell.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(|code| code.replace("\\|", "|")).collect()
}

/// The rows of the tables under a heading, as cells. The first two lines of a table are its head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = LIST.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    let section = section.split("\n## ").next().unwrap();
    let tables = section.split("\n\n").filter(|block| block.trim_start().starts_with('|'));
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{0}");
        let cells = line.trim().trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('\u{0}', "\\|")).collect::<Vec<_>>()
    };
    tables.flat_map(|table| table.trim().lines().skip(2).map(cells).collect::<Vec<_>>()).collect()
}

/// The names of a section with their rows, each once.
fn listed(heading: &str) -> BTreeMap<String, Vec<String>> {
    let mut listed = BTreeMap::new();
    for row in rows(heading) {
        let names = code(&row[0]);
        assert!(!names.is_empty(), "{row:?}");
        for name in names {
            assert!(listed.insert(name.to_ascii_lowercase(), row.clone()).is_none(), "{name} stands twice");
        }
    }
    listed
}

fn class_of_one(name: &str, value: &str) -> Class {
    let name: HeaderName = name.parse().unwrap();
    class_of_line(&name, value.as_bytes(), true, &Moved::default())
}

#[test]
fn each_field_stands_under_its_class_once() {
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, kind) in &FIELDS {
        let heading = match kind {
            Kind::Own | Kind::Forwarded(_) => "Own",
            Kind::Platform(_) => "Platform",
            Kind::Ordinary(_) => "Ordinary",
            Kind::Identifier(_) => "Request identifiers",
        };
        expected.entry(heading).or_default().push(name);
    }
    for (heading, mut names) in expected {
        names.sort_unstable();
        assert_eq!(listed(heading).into_keys().collect::<Vec<_>>(), names, "{heading}");
    }
    for name in listed("Particular").keys() {
        assert!(class_of_one(name, "1") == Class::Particular, "{name}");
    }
    let credential = listed("Credential");
    assert!(credential.keys().all(|name| class_of_one(name, "1") == Class::Credential));
    let known = credentials::read_by(&Policy::default()).count();
    assert_eq!(credential.len(), known);
}

#[test]
fn examples_are_of_their_class() {
    for heading in ["Ordinary", "Request identifiers"] {
        for (name, row) in listed(heading) {
            let [_, sent_by, ordinary, other, grammar] = &row[..] else { panic!("{row:?}") };
            assert!(!sent_by.is_empty() && !grammar.is_empty(), "{name}");
            let (ordinary, other) = (code(ordinary), code(other));
            assert!(!ordinary.is_empty() && !other.is_empty(), "{name}");
            for value in ordinary {
                assert_eq!(class_of_one(&name, &value), Class::Ordinary, "{name}: {value}");
            }
            for value in other {
                assert_eq!(class_of_one(&name, &value), Class::Particular, "{name}: {value}");
            }
        }
    }
}

#[test]
fn what_tells_of_the_visitor_is_listed_apart() {
    for row in rows("Platform") {
        let (visitor, address) =
            (row[1].contains("place") || row[1].contains("device"), row[1].contains("address"));
        for name in code(&row[0]) {
            let name: HeaderName = name.parse().unwrap();
            assert_eq!((tells_visitor(&name), tells_address(&name)), (visitor, address), "{name}");
        }
    }
    for row in rows("Own") {
        for name in code(&row[0]) {
            let name: HeaderName = name.parse().unwrap();
            assert_eq!(tells_address(&name), row[1].contains("address"), "{name}");
        }
    }
}

#[test]
fn ignored_cookies_are_listed_once() {
    let listed: Vec<String> = rows("Ignored cookies").iter().flat_map(|row| code(&row[0])).collect();
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    assert_eq!(sorted(listed), sorted(IGNORED_COOKIES.map(str::to_owned).to_vec()));
}
