//! The kept runs: their figures by name, and their pictures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::Value;

/// Every run that report.toml lists.
#[derive(Debug, Default)]
pub(super) struct Kept {
    folder: PathBuf,
    runs: BTreeMap<String, Run>,
    /// Pictures that are drawn for the text, by name.
    drawn: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Run {
    /// The file, as messages call it.
    file: String,
    summary: Value,
}

impl Kept {
    /// Reads the summaries of the runs that are listed.
    pub(super) fn read(folder: &Path, names: &[String]) -> Result<Self> {
        let mut runs = BTreeMap::new();
        for name in names {
            let file = format!("report/evidence/{name}/summary.json");
            let path = folder.join(name).join("summary.json");
            let text = fs::read_to_string(&path)
                .with_context(|| format!("report.toml lists {name} as kept, but {file} cannot be read"))?;
            let summary = serde_json::from_str(&text).with_context(|| format!("{file} is damaged"))?;
            runs.insert(name.clone(), Run { file, summary });
        }
        Ok(Self { folder: folder.to_path_buf(), runs, drawn: BTreeMap::new() })
    }

    /// A field of a run: one of its `numbers`, or a path such as `machine.cpu`.
    pub(super) fn field(&self, run: &str, field: &str) -> Result<&Value> {
        let run = self.run(run)?;
        let number = run.summary.get("numbers").and_then(|numbers| numbers.get(field));
        let found = number.or_else(|| at(&run.summary, field)).filter(|value| !value.is_null());
        found.with_context(|| format!("{} has no field {field}", run.file))
    }

    /// The whole summary of a run.
    pub(super) fn summary(&self, run: &str) -> Result<&Value> {
        Ok(&self.run(run)?.summary)
    }

    fn run(&self, name: &str) -> Result<&Run> {
        self.runs.get(name).with_context(|| format!("report.toml does not list {name} as kept"))
    }

    /// Adds a picture that is drawn for the text.
    pub(super) fn draw(&mut self, name: &str, svg: String) {
        self.drawn.insert(name.to_owned(), svg);
    }

    /// Whether a picture is drawn for the text, and belongs to no run.
    pub(super) fn is_drawn(&self, name: &str) -> bool {
        self.drawn.contains_key(name)
    }

    /// A picture of a run, or one that is drawn for the text.
    pub(super) fn svg(&self, file: &str) -> Result<String> {
        if let Some(svg) = self.drawn.get(file) {
            return Ok(svg.clone());
        }
        let run = file.rsplit_once('/').map_or("", |(run, _)| run);
        self.run(run)?;
        let path = self.folder.join(file);
        let svg =
            fs::read_to_string(&path).with_context(|| format!("report/evidence/{file} cannot be read"))?;
        if !svg.trim_start().starts_with('<') || !svg.contains("<svg") {
            bail!("report/evidence/{file} is no SVG");
        }
        Ok(svg)
    }

    /// The day of the youngest run.
    pub(super) fn youngest(&self) -> Result<String> {
        let moments = self.runs.values().filter_map(|run| moment(&run.summary).ok());
        Ok(moments.max().map(day).unwrap_or_default())
    }
}

/// Follows a path of names and indices through a summary. A name may hold dots itself: the longest that fits is taken.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    if let Value::Array(list) = value {
        let (index, rest) = path.split_once('.').unwrap_or((path, ""));
        return at(list.get(index.parse::<usize>().ok()?)?, rest);
    }
    let mut ends: Vec<usize> = path.match_indices('.').map(|(at, _)| at).collect();
    ends.push(path.len());
    ends.into_iter().rev().find_map(|end| {
        let rest = path[end..].strip_prefix('.').unwrap_or_default();
        at(value.get(&path[..end])?, rest)
    })
}

/// When a run was, by its field `began` (RFC 3339) or `unix_time` (seconds).
pub(super) fn moment(summary: &Value) -> Result<Timestamp> {
    match (summary["began"].as_str(), summary["unix_time"].as_i64()) {
        (Some(began), _) => began.parse().with_context(|| format!("began is {began:?}, and no moment")),
        (None, Some(seconds)) => Timestamp::from_second(seconds).context("unix_time is no moment"),
        (None, None) => bail!("there is neither began nor unix_time"),
    }
}

/// As in `26 November 2026`.
pub(super) fn day(moment: Timestamp) -> String {
    moment.strftime("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_name_and_by_path() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("lab/load")).expect("made");
        let summary = json!({
            "numbers": { "p99_ms": 12.5 }, "machine": { "cpu": "a processor" },
            "measured": { "nginx 1.28": { "median": 3 } }, "rounds": [4, 5],
        });
        fs::write(folder.path().join("lab/load/summary.json"), summary.to_string()).expect("written");
        let kept = Kept::read(folder.path(), &[String::from("lab/load")]).expect("read");
        assert_eq!(kept.field("lab/load", "p99_ms").expect("there"), &json!(12.5));
        assert_eq!(kept.field("lab/load", "machine.cpu").expect("there"), &json!("a processor"));
        assert_eq!(kept.field("lab/load", "measured.nginx 1.28.median").expect("there"), &json!(3));
        assert_eq!(kept.field("lab/load", "rounds.1").expect("there"), &json!(5));
        let missing = kept.field("lab/load", "p50_ms").expect_err("not there").to_string();
        assert_eq!(missing, "report/evidence/lab/load/summary.json has no field p50_ms");
        let unlisted = kept.field("lab/soak", "p50_ms").expect_err("not there").to_string();
        assert_eq!(unlisted, "report.toml does not list lab/soak as kept");
    }

    #[test]
    fn a_run_that_is_listed_and_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error =
            Kept::read(folder.path(), &[String::from("lab/soak")]).expect_err("not there").to_string();
        assert_eq!(
            error,
            "report.toml lists lab/soak as kept, but report/evidence/lab/soak/summary.json cannot be read"
        );
    }
}
