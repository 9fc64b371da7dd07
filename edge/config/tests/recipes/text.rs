//! The pages as text: headings, blocks, links.

use std::fs;
use std::path::{Path, PathBuf};

use levee::config::Config;
use levee_config::{Overrides, compile_str};

pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages with their names, without the index.
pub(crate) fn pages() -> Vec<(String, String)> {
    let folder = fs::read_dir(docs().join("recipes")).expect("the folder");
    let mut pages: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "README.md"))
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path)))
        .collect();
    pages.sort();
    pages
}

pub(crate) fn index() -> String {
    read(&docs().join("recipes/README.md"))
}

/// The text outside of code blocks.
pub(crate) fn prose(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
        .scan(false, |inside, line| {
            let fence = line.starts_with("```");
            *inside ^= fence;
            Some((line, *inside || fence))
        })
        .filter_map(|(line, code)| (!code).then_some(line))
}

/// The headings of a level, two hashes and a blank.
pub(crate) fn headings(page: &str) -> Vec<&str> {
    prose(page).filter_map(|line| line.strip_prefix("## ")).collect()
}

pub(crate) fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let after = page.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    after.split("\n## ").next().unwrap_or_default()
}

/// The code blocks of a page, each with its language.
pub(crate) fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```")
        .enumerate()
        .filter(|(at, _)| at % 2 == 1)
        .map(|(_, block)| block.split_once('\n').unwrap_or((block, "")))
        .collect()
}

/// The targets of a page's links.
pub(crate) fn links(page: &str) -> Vec<&str> {
    prose(page).flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next()).collect()
}

/// A block of a page behind the file to start from; without a number that file alone.
pub(crate) fn config(page: &str, block: Option<usize>) -> Config {
    let index = index();
    let base = blocks(&index)[0].1;
    let page = read(&docs().join("recipes").join(format!("{page}.md")));
    let more = block.map_or("", |at| blocks(&page)[at].1);
    let compiled = compile_str("levee.toml", &format!("{base}\n{more}"), &Overrides::default());
    compiled.unwrap_or_else(|error| panic!("{error}")).config
}
