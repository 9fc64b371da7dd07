//! What a run leaves in `report/evidence/<name>/`: `summary.json`, charts, the raw result compressed, `index.html`.
//!
//! The folder appears whole or not at all, in place of the one from the run before. `loadtest/README.md` describes it.

mod machine;
mod page;
mod summary;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use summary::{File, SCHEMA};
pub(crate) use summary::{Objective, Outcome, Summary};

use super::chart::{Bars, Chart};
use crate::{files, project, run};

/// Where all evidence is.
pub(crate) const EVIDENCE: &str = "report/evidence";
/// The most that the files of a run may take together, in bytes.
const MOST: u64 = 5_000_000;

/// A table of the page.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A part of the page, in the order in which it is read.
#[derive(Clone, Debug)]
enum Part {
    Heading(String),
    #[allow(dead_code, reason = "the comparison writes with it")]
    Prose(String),
    Table(Table),
    Chart {
        svg: String,
        caption: String,
    },
}

/// The evidence of one run while it is put together.
#[derive(Debug)]
pub(crate) struct Evidence {
    parent: PathBuf,
    folder: tempfile::TempDir,
    pub(crate) summary: Summary,
    parts: Vec<Part>,
}

impl Evidence {
    /// Begins the evidence called `name` (which becomes the folder's name), with what is known of the machine, the commit and
    /// the command line.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn begin(root: &Path, name: &str, title: &str) -> Result<Self> {
        Self::begin_in(root, &root.join(EVIDENCE), name, title)
    }

    /// As [`Evidence::begin`], in another folder than that of all evidence.
    pub(crate) fn begin_in(root: &Path, parent: &Path, name: &str, title: &str) -> Result<Self> {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let folder = tempfile::Builder::new()
            .prefix(".run-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in(parent)?;
        let git = |args: &[&str]| run::ask_in(root, "git", args);
        let changed = git(&["status", "--porcelain", "--", ".", ":!report/evidence"]);
        let summary = Summary {
            schema: SCHEMA,
            name: name.to_owned(),
            title: title.to_owned(),
            command: command(),
            began: moment(SystemTime::now()),
            commit: git(&["rev-parse", "HEAD"]).unwrap_or_else(|| String::from("unknown")),
            uncommitted_changes: changed.is_none_or(|changed| !changed.is_empty()),
            machine: machine::describe(),
            versions: [("levee", env!("CARGO_PKG_VERSION").to_owned())]
                .into_iter()
                .chain(run::ask_in(root, "rustc", &["--version"]).map(|version| ("rustc", version)))
                .map(|(what, version)| (what.to_owned(), version))
                .collect(),
            ..Summary::default()
        };
        Ok(Self { parent: parent.to_path_buf(), folder, summary, parts: Vec::new() })
    }

    /// A figure under a name that says its unit: `requests_per_second`, `latency_browse_p99_ms`.
    pub(crate) fn number(&mut self, name: impl Into<String>, value: f64) {
        self.summary.numbers.insert(name.into(), value);
    }

    /// The version of something that took part.
    pub(crate) fn version(&mut self, what: &str, version: impl Into<String>) {
        self.summary.versions.insert(what.to_owned(), version.into());
    }

    /// A sentence that the reader must know to read the figures.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.summary.notes.push(note.into());
    }

    pub(crate) fn heading(&mut self, heading: impl Into<String>) {
        self.parts.push(Part::Heading(heading.into()));
    }

    #[allow(dead_code, reason = "the comparison writes with it")]
    pub(crate) fn prose(&mut self, words: impl Into<String>) {
        self.parts.push(Part::Prose(words.into()));
    }

    pub(crate) fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) {
        self.parts
            .push(Part::Table(Table { head: head.iter().map(|&word| word.to_owned()).collect(), rows }));
    }

    /// Adds a chart as `<file>.svg`; one with nothing to draw is left out.
    pub(crate) fn chart(&mut self, file: &str, chart: &Chart, caption: &str) -> Result<()> {
        if chart.is_empty() { Ok(()) } else { self.svg(file, &chart.title, chart.svg(), caption) }
    }

    /// As [`Evidence::chart`], for bars.
    #[allow(dead_code, reason = "the comparison draws with it")]
    pub(crate) fn bars(&mut self, file: &str, bars: &Bars, caption: &str) -> Result<()> {
        self.svg(file, &bars.title, bars.svg(), caption)
    }

    /// Adds a picture that was drawn elsewhere, as `<file>.svg`.
    pub(crate) fn drawn(&mut self, file: &str, title: &str, svg: String, caption: &str) -> Result<()> {
        self.svg(file, title, svg, caption)
    }

    fn svg(&mut self, file: &str, title: &str, svg: String, caption: &str) -> Result<()> {
        let file = format!("{file}.svg");
        fs::write(self.folder.path().join(&file), &svg)?;
        self.summary.charts.push(File { file, what: title.to_owned() });
        self.parts.push(Part::Chart { svg, caption: caption.to_owned() });
        Ok(())
    }

    /// Keeps a raw result, compressed, as `<file>.gz`.
    pub(crate) fn raw(&mut self, file: &str, content: &[u8], what: &str) -> Result<()> {
        let file = format!("{file}.gz");
        let out = fs::File::create(self.folder.path().join(&file))?;
        let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::best());
        encoder.write_all(content)?;
        encoder.finish()?;
        self.summary.raw.push(File { file, what: what.to_owned() });
        Ok(())
    }

    /// Writes `summary.json` and `index.html`, puts the folder in its place, and returns where that is.
    ///
    /// # Errors
    /// When the files cannot be written, or take more than five megabytes together.
    pub(crate) fn finish(mut self, outcome: Outcome) -> Result<PathBuf> {
        self.summary.outcome = outcome;
        let at = self.folder.path();
        let json = serde_json::to_string_pretty(&self.summary)?;
        fs::write(at.join("summary.json"), format!("{json}\n"))?;
        fs::write(at.join("index.html"), page::render(&self.summary, &self.parts))?;
        let mut size = 0;
        for file in files::below(at)? {
            size += fs::metadata(at.join(file))?.len();
        }
        if size > MOST {
            bail!("the evidence takes {size} bytes, and {MOST} are allowed; run shorter or at a lower rate");
        }
        let target = self.parent.join(&self.summary.name);
        let failed = || format!("cannot put the evidence at {}", target.display());
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(failed)?;
        }
        if target.exists() {
            fs::remove_dir_all(&target).with_context(failed)?;
        }
        fs::rename(self.folder.keep(), &target).with_context(failed)?;
        Ok(target)
    }
}

/// What was typed to get this run.
fn command() -> String {
    let quoted = |word: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    let words = std::env::args().skip(1).map(quoted);
    [String::from("cargo"), String::from("xtask")].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// A moment by RFC 3339 in UTC, to the second.
pub(crate) fn moment(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map_or_else(|_| String::new(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A path inside the checkout as it is best shown.
pub(crate) fn shown(root: &Path, folder: &Path) -> String {
    project::shown(root, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_replaces_the_one_before() {
        let root = tempfile::tempdir().expect("a folder");
        let old = root.path().join(EVIDENCE).join("lab/try");
        fs::create_dir_all(&old).expect("made");
        fs::write(old.join("stale.svg"), "old").expect("written");
        let mut evidence = Evidence::begin(root.path(), "lab/try", "A try").expect("begun");
        evidence.number("requests", 3.0);
        evidence.heading("Rate");
        let chart = Chart::over_time("Rate", "requests a second").line("all", vec![(0.0, 1.0), (1.0, 2.0)]);
        evidence.chart("rate", &chart, "What was sent.").expect("drawn");
        evidence.chart("nothing", &Chart::over_time("Nothing", "none"), "").expect("left out");
        evidence.raw("requests.csv", b"a,b\n", "a line a request").expect("kept");
        let at = evidence.finish(Outcome::Held).expect("finished");
        let files: Vec<_> = files::below(&at).expect("listed");
        let names = ["index.html", "rate.svg", "requests.csv.gz", "summary.json"].map(PathBuf::from);
        assert_eq!(files, names);
        let read: Summary = serde_json::from_str(&fs::read_to_string(at.join("summary.json")).expect("read"))
            .expect("a summary");
        assert!((read.numbers["requests"] - 3.0).abs() < 1e-9);
        assert_eq!(read.outcome, Outcome::Held);
        let page = fs::read_to_string(at.join("index.html")).expect("read");
        assert!(page.contains("<svg") && !page.contains("src=") && !page.contains("http-equiv"), "{page}");
    }

    #[test]
    fn moments_are_utc() {
        assert_eq!(moment(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }
}
