//! The case study: `report/case-study`, where every figure comes from a source that is cited or from the evidence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::block::{Block, Inline};
use super::cited::Citations;
use super::cited::bibliography::Bibliography;
use super::evidence::Kept;
use super::{Report, diagram, peaks, read, techniques};
use crate::project;

/// Where its sources are.
const FOLDER: &str = "report/case-study";

/// `case-study.toml`: what the case study is made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    title: String,
    subtitle: String,
    /// The runs that its figures come from, as folders below `report/evidence`.
    evidence: Vec<String>,
    /// Pictures by name, and what draws them.
    drawn: BTreeMap<String, Drawing>,
    /// Files in the order in which they are read: Markdown, or the table of techniques.
    sections: Vec<String>,
}

/// The file of a picture.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Drawing {
    Diagram(String),
    Peaks(String),
}

/// Reads the case study below `root`.
///
/// # Errors
/// When a key of a citation is unknown, a reference is never cited, a figure or a point of the chart has no source, or a path
/// of the table of techniques leads nowhere; naming the file.
pub(super) fn read(root: &Path) -> Result<(Report, Kept)> {
    let folder = root.join(FOLDER);
    let list = text(&folder, "case-study.toml")?;
    let list: List = toml::from_str(&list).context("case-study.toml is no list of sections")?;
    let mut kept = Kept::read(&root.join("report/evidence"), &list.evidence)?;
    let mut cited = Citations::new(Bibliography::read(&folder.join("references.toml"))?);
    for (name, drawing) in &list.drawn {
        let (Drawing::Diagram(file) | Drawing::Peaks(file)) = drawing;
        let source = text(&folder, file)?;
        let picture = match drawing {
            Drawing::Diagram(_) => diagram::draw(&source),
            Drawing::Peaks(_) => peaks::draw(&source),
        };
        let picture = picture.with_context(|| format!("{FOLDER}/{file}"))?;
        cited.draw(name, &picture.sources)?;
        kept.draw(name, picture.svg);
    }
    let mut blocks = Vec::new();
    let mut unused = list.evidence.clone();
    for file in &list.sections {
        let path = folder.join(file);
        let shown = project::shown(root, &path);
        let mut source = text(&folder, file)?;
        if file.ends_with(".toml") {
            source = techniques::markdown(&source, root).with_context(|| shown.clone())?;
        }
        unused.retain(|run| !source.contains(run.as_str()));
        blocks.extend(read::section(&shown, &source, &kept, &list.evidence, Some(&mut cited))?);
    }
    if !unused.is_empty() {
        bail!("case-study.toml: nothing is taken from {}", unused.join(", "));
    }
    for name in list.drawn.keys() {
        if !blocks.iter().any(|block| matches!(block, Block::Figure { file, .. } if file == name)) {
            bail!("case-study.toml: {name} is drawn and shown nowhere");
        }
    }
    blocks.push(Block::Heading(1, Inline::text("References")));
    let mut note = Inline::text("Titles are links. What was taken from each source stands in ");
    note.extend([Inline::Code(format!("{FOLDER}/references.toml")), Inline::Text(String::from("."))]);
    blocks.push(Block::Paragraph(note));
    blocks.push(cited.list()?);
    let date = format!("Sources read in November 2026. Runs of {}.", kept.youngest()?);
    let report = Report {
        name: "case-study",
        title: list.title,
        subtitle: list.subtitle,
        date,
        floating: true,
        blocks,
    };
    Ok((report, kept))
}

fn text(folder: &Path, file: &str) -> Result<String> {
    fs::read_to_string(folder.join(file)).with_context(|| format!("cannot read {FOLDER}/{file}"))
}

/// A picture that is drawn from a file, and where what it shows comes from.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) svg: String,
    pub(super) sources: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one that is published: its keys, its sources, its paths.
    #[test]
    fn the_case_study_can_be_read() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let (report, _) = read(root).unwrap_or_else(|error| panic!("{error:#}"));
        let Some(Block::References(entries)) = report.blocks.last() else { panic!("no references") };
        assert!(entries.len() >= 25, "{} references", entries.len());
        let figures = report.blocks.iter().filter(|block| matches!(block, Block::Figure { .. })).count();
        assert_eq!(figures, 3);
    }

    /// A copy of the case study with one thing changed.
    fn changed(file: &str, from: &str, to: &str) -> String {
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let root = tempfile::tempdir().expect("a folder");
        let copy = |folder: &str| {
            fs::create_dir_all(root.path().join(folder)).expect("made");
            for entry in fs::read_dir(source.join(folder)).expect("read") {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    let to = root.path().join(folder).join(path.file_name().expect("a name"));
                    fs::copy(&path, to).expect("copied");
                }
            }
        };
        copy(FOLDER);
        let list = text(&source.join(FOLDER), "case-study.toml").expect("the list");
        let list: List = toml::from_str(&list).expect("a list");
        for run in &list.evidence {
            copy(&format!("report/evidence/{run}"));
        }
        let path = root.path().join(FOLDER).join(file);
        let before = fs::read_to_string(&path).expect(file);
        assert!(before.contains(from), "{file} has no {from:?}");
        fs::write(&path, before.replacen(from, to, 1)).expect("written");
        // The paths of the table of techniques are those of the real checkout.
        for entry in fs::read_dir(source).expect("read") {
            let name = entry.expect("an entry").file_name();
            if !root.path().join(&name).exists() && name != "target" && name != "build" {
                std::os::unix::fs::symlink(source.join(&name), root.path().join(&name)).expect("linked");
            }
        }
        format!("{:#}", read(root.path()).expect_err("it is refused"))
    }

    #[test]
    fn what_is_wrong_in_the_case_study_fails_the_build() {
        let cases = [
            ("events.md", "[@papal]", "[@pope]", "references.toml has no pope"),
            (
                "events.md",
                "known to be a risk.",
                "known to be a risk of 12 %.",
                "12 is typed, and its sentence cites nothing",
            ),
            ("references.toml", "[papal]", "[pope]", "references.toml has no papal"),
            (
                "references.toml",
                "[papal]",
                "[unused]\ntitle = \"t\"\nauthor = \"a\"\ndate = \"d\"\naddress = \"https://unused.example/\"\nsupports = \"s\"\nkind = \"press\"\n\n[papal]",
                "nothing cites unused",
            ),
            ("peaks.toml", "source = \"papal\"", "source = \"\"", "names no source"),
            ("peaks.toml", "source = \"papal\"", "", "missing field `source`"),
            (
                "techniques.toml",
                "edge/core/src/shield/flights.rs",
                "edge/core/src/shield/flight.rs",
                "edge/core/src/shield/flight.rs is not there",
            ),
            ("request.toml", "to   = \"varnish\"", "to   = \"squid\"", "there is no box squid"),
            (
                "purge.toml",
                "sources = [\"jackson\", \"kafka\", \"memcached\", \"db-terms\"]",
                "sources = []",
                "names no source",
            ),
        ];
        for (file, from, to, wanted) in cases {
            let error = changed(file, from, to);
            assert!(error.contains(wanted), "{file}: {from:?} to {to:?} gave {error}");
        }
    }
}
