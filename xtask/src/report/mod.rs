//! `cargo xtask report`: the case study as HTML and PDF, from `report/sections` and the evidence that is kept.
//!
//! One source for both: Markdown in which every figure is a reference to a field of some `summary.json`. It is read into
//! [`block`]s, and these are written twice.

mod block;
mod evidence;
mod figure;
mod html;
mod list;
mod read;
mod runs;
mod typst;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{files, project};
use block::Block;
use evidence::Kept;
use list::List;

/// Where the source of the report is.
const FOLDER: &str = "report";
/// Where the report is written.
const OUT: &str = "build/report";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the PDF out, which needs Python.
    #[arg(long)]
    html_only: bool,
}

/// `cargo xtask report`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let built = build(&root, !args.html_only)?;
    println!("{}", project::shown(&root, &built.html));
    if let Some(pdf) = &built.pdf {
        println!("{}", project::shown(&root, pdf));
    }
    for section in &built.left_out {
        println!("left out: {section}");
    }
    Ok(())
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Built {
    html: PathBuf,
    pdf: Option<PathBuf>,
    /// Sections that wait for evidence, with what they wait for.
    pub(crate) left_out: Vec<String>,
    /// How many sections there are.
    pub(crate) sections: usize,
}

/// The whole report, before it is written in one of the two forms.
#[derive(Debug)]
struct Report {
    title: String,
    subtitle: String,
    /// The day of the youngest evidence.
    date: String,
    blocks: Vec<Block>,
}

/// Builds the report from what is kept below `root`.
///
/// # Errors
/// When a section refers to evidence or to a field that is not there (naming file, line and field), or has a figure of its
/// own; when the files cannot be written.
pub(crate) fn build(root: &Path, pdf: bool) -> Result<Built> {
    let folder = root.join(FOLDER);
    let list = List::read(&folder.join("report.toml"))?;
    let kept = Kept::read(&folder.join("evidence"), &list.evidence)?;
    let mut blocks = Vec::new();
    let (mut left_out, mut sections) = (Vec::new(), 0);
    for section in &list.sections {
        let missing: Vec<&str> = section
            .needs
            .iter()
            .map(String::as_str)
            .filter(|name| !list.evidence.iter().any(|kept| kept == name))
            .collect();
        if !missing.is_empty() {
            left_out.push(format!("{} (report.toml lists no {})", section.file, missing.join(", ")));
            continue;
        }
        let path = folder.join("sections").join(&section.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let shown = project::shown(root, &path);
        blocks.extend(read::section(&shown, &text, &kept, &section.needs)?);
        sections += 1;
    }
    let report = Report { title: list.title, subtitle: list.subtitle, date: kept.youngest()?, blocks };
    let out = root.join(OUT);
    let html = out.join("index.html");
    files::write_if_changed(&html, html::write(&report, &kept)?.as_bytes())?;
    let pdf = if pdf { Some(typst::write(&report, &kept, &out)?) } else { None };
    Ok(Built { html, pdf, left_out, sections })
}
