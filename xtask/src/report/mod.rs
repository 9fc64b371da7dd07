//! `cargo xtask report`: the report and the case study as HTML and PDF, from `report/` and the evidence that is kept.
//!
//! One source for both forms: Markdown in which every figure is a reference to a field of some `summary.json`. It is read into
//! [`block`]s, and these are written twice. In the case study figures may also come from sources, which are cited.

mod block;
mod case_study;
mod cited;
mod diagram;
mod evidence;
mod figure;
mod html;
mod list;
mod peaks;
mod read;
mod runs;
mod techniques;
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
    for file in &built.files {
        println!("{}", project::shown(&root, file));
    }
    for section in &built.left_out {
        println!("left out: {section}");
    }
    Ok(())
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Built {
    files: Vec<PathBuf>,
    /// Sections that wait for evidence, with what they wait for.
    pub(crate) left_out: Vec<String>,
    /// How many sections there are.
    pub(crate) sections: usize,
}

/// A whole report, before it is written in one of the two forms.
#[derive(Debug)]
struct Report {
    /// What its files are called.
    name: &'static str,
    title: String,
    subtitle: String,
    /// The day of the youngest evidence, and what it says besides of itself.
    date: String,
    /// Pictures may leave their place on paper for the top or the foot of a page.
    floating: bool,
    blocks: Vec<Block>,
}

/// Builds the report and the case study from what is kept below `root`.
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
        blocks.extend(read::section(&shown, &text, &kept, &section.needs, None)?);
        sections += 1;
    }
    let date = kept.youngest()?;
    let report =
        Report { name: "levee", title: list.title, subtitle: list.subtitle, date, floating: false, blocks };
    let out = root.join(OUT);
    let mut files = write(&report, &kept, &out, "index.html", pdf)?;
    let (case_study, kept) = case_study::read(root)?;
    files.extend(write(&case_study, &kept, &out, "case-study.html", pdf)?);
    Ok(Built { files, left_out, sections })
}

/// Writes a report in both forms, or only as HTML.
fn write(report: &Report, kept: &Kept, out: &Path, html: &str, pdf: bool) -> Result<Vec<PathBuf>> {
    let html = out.join(html);
    files::write_if_changed(&html, html::write(report, kept)?.as_bytes())?;
    let mut files = vec![html];
    if pdf {
        files.push(typst::write(report, kept, out)?);
    }
    Ok(files)
}
