//! Each page has the same headings, each configuration on it compiles, each link leads somewhere.

use std::iter;

use levee_config::{Overrides, compile_str};

use super::text::{blocks, docs, headings, index, links, pages, prose, read, section};

/// The applications that have a page.
const PAGES: [&str; 14] = [
    "apollo",
    "django",
    "express",
    "fastapi",
    "files",
    "git",
    "htmx",
    "jupyterlab",
    "mediawiki",
    "nextjs",
    "rails",
    "s3",
    "verdaccio",
    "wordpress",
];
const HEADINGS: [&str; 4] = ["Works by itself", "More hits", "In the application", "Do not"];
/// Lines of a page: it is a recipe, not a book.
const LONGEST: usize = 90;

/// The anchor that a heading has on the usual hosts.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn each_application_has_a_page_and_a_line_in_the_index() {
    let pages = pages();
    let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, PAGES);
    let index = index();
    for name in PAGES {
        let target = format!("{name}.md");
        assert_eq!(links(&index).iter().filter(|link| **link == target).count(), 1, "the index and {target}");
    }
}

#[test]
fn each_page_has_the_headings_in_order_and_something_under_each() {
    for (name, page) in pages() {
        assert!(page.starts_with("# "), "{name} has no title");
        assert_eq!(headings(&page), HEADINGS, "{name}");
        for heading in HEADINGS {
            let text = section(&page, heading);
            let is_list = text.lines().any(|line| line.starts_with("- "));
            assert!(is_list || heading == "More hits", "{name} lists nothing under {heading}");
        }
        assert!(section(&page, "More hits").contains("```toml\n"), "{name} shows no lines");
        assert!(page.lines().count() <= LONGEST, "{name} has {} lines", page.lines().count());
    }
}

#[test]
fn each_configuration_compiles_without_a_warning() {
    let index = index();
    let base = match blocks(&index)[..] {
        [("toml", base)] => base.to_owned(),
        ref other => panic!("the index has one file to start from: {other:?}"),
    };
    assert!(base.contains("version = 1"));
    let all = pages();
    let all =
        all.iter().flat_map(|(name, page)| blocks(page).into_iter().map(move |block| (name.as_str(), block)));
    let mut seen = 0;
    for (name, (language, block)) in all.chain(iter::once(("README", ("toml", "")))) {
        assert_eq!(language, "toml", "{name}: only configurations stand in blocks, and each is looked at");
        let text = format!("{base}\n{block}");
        let compiled = compile_str(&format!("{name}.md"), &text, &Overrides::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(compiled.warnings, [], "{name}");
        // A block that says nothing would pass as well.
        let alone = compile_str("levee.toml", &base, &Overrides::default()).expect("the base");
        assert!(name == "README" || compiled.config != alone.config, "{name} changes nothing:\n{block}");
        seen += 1;
    }
    assert!(seen > PAGES.len(), "a block on each page");
}

#[test]
fn each_link_leads_somewhere() {
    let folder = docs().join("recipes");
    let pages = pages().into_iter().map(|(name, page)| (format!("{name}.md"), page));
    for (name, page) in pages.chain(iter::once(("README.md".to_owned(), index()))) {
        for link in links(&page) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { &name } else { file };
            assert!(!file.contains("://"), "{name}: {link} cannot be checked");
            let target = read(&folder.join(file));
            let found = prose(&target)
                .filter(|line| line.starts_with('#'))
                .any(|line| anchor(line.trim_start_matches('#').trim()) == fragment);
            assert!(fragment.is_empty() || found, "{name}: {link} names no heading");
        }
    }
}

#[test]
fn the_index_is_found_from_the_readme_and_the_configuration() {
    assert!(links(&read(&docs().join("../README.md"))).contains(&"docs/recipes/README.md"));
    assert!(links(&read(&docs().join("configuration.md"))).contains(&"recipes/README.md"));
}
