//! What a run leaves behind: the counts on the terminal, the evidence, the table and the floor.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use levee::Time;
use levee_conformance::definitions::Suite;
use levee_conformance::floor::{Compared, FILE, Floor, Floors};
use levee_conformance::table::{self, Rows};
use levee_conformance::verdict::{Count, Results, Summary, to_json};

use crate::arguments::Arguments;

/// The evidence's folder, from the workspace's root.
const EVIDENCE: &str = "report/evidence/conformance";

pub(crate) struct Outcome<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) root: &'a Path,
    pub(crate) suites: &'a [Suite],
    pub(crate) results: &'a Results,
    pub(crate) summary: &'a Summary,
}

impl Outcome<'_> {
    pub(crate) fn print(&self, took: Duration) {
        let summary = self.summary;
        for test in &summary.not_passed {
            println!("{:?} {}: {:?}: {}", test.kind, test.id, test.verdict, test.why);
        }
        println!("{} in {:.1} s", self.arguments.runtime.name(), took.as_secs_f64());
        let line = |name: &str, Count { passed, failed, total }: Count| {
            println!("  {name:<9} {passed:>3} of {total:>3} passed, {failed:>3} failed");
        };
        line("required", summary.required);
        line("optimal", summary.optimal);
        line("checks", summary.checks);
        let all = summary.required.total + summary.optimal.total;
        println!("  required and optimal: {} of {all}", summary.passed());
    }

    /// Compares with the floor; then, unless this only checks, writes evidence, table and a higher floor.
    pub(crate) fn keep(&self, profile: &str, floors: Floors) -> Result<()> {
        let runtime = self.arguments.runtime.name();
        let reached = Floor::reached(self.summary);
        let compared = floors.compare(profile, runtime, &reached)?;
        if self.arguments.check {
            match compared {
                Compared::Same => println!("as {FILE} has it"),
                Compared::Higher => {
                    println!("more than {FILE} has: raise it with `{}`", self.arguments.command(profile));
                }
            }
            return Ok(());
        }
        self.write_evidence(profile)?;
        self.write_summary()?;
        self.write_table(profile)?;
        if compared == Compared::Higher {
            floors.raise(self.root, profile, runtime, reached)?;
            println!("raised {FILE}");
        }
        Ok(())
    }

    fn write_evidence(&self, profile: &str) -> Result<()> {
        let folder = self.root.join(EVIDENCE);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {EVIDENCE}"))?;
        let runtime = self.arguments.runtime.name();
        let name = match profile {
            "transparent" => format!("{runtime}.json"),
            profile => format!("{runtime}.{profile}.json"),
        };
        let text = format!("{}\n", to_json(self.results));
        std::fs::write(folder.join(&name), text)
            .with_context(|| format!("cannot write {EVIDENCE}/{name}"))?;
        println!("wrote {EVIDENCE}/{name}");
        Ok(())
    }

    /// The counts of every result that is kept, and of the published ones, by name; the report takes its numbers from there.
    fn write_summary(&self) -> Result<()> {
        let folder = self.root.join(EVIDENCE);
        let mut counted = table::published(&folder, self.suites)?;
        if let Some(published) = self.arguments.published() {
            counted.extend(table::published(&published, self.suites)?);
        }
        let summary = table::summary(&counted, "cargo xtask conformance", unix_time());
        std::fs::write(folder.join(table::SUMMARY), format!("{summary:#}\n"))
            .with_context(|| format!("cannot write {EVIDENCE}/{}", table::SUMMARY))?;
        println!("wrote {EVIDENCE}/{}", table::SUMMARY);
        Ok(())
    }

    fn write_table(&self, profile: &str) -> Result<()> {
        let mut rows = Rows::new();
        let runtime = self.arguments.runtime.name();
        let name = format!("Levee, {runtime}, {profile} profile");
        let how = format!("{}, `{}`", today(), self.arguments.command(profile));
        rows.insert(name.clone(), table::row(&name, self.summary, &how));
        if let Some(folder) = self.arguments.published() {
            for (name, summary) in table::published(&folder, self.suites)? {
                let row = table::row(&name, &summary, "the suite's site");
                rows.insert(name, row);
            }
        }
        let path = self.root.join(table::PAGE);
        let page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", table::PAGE))?;
        std::fs::write(&path, table::update(&page, &rows)?)
            .with_context(|| format!("cannot write {}", table::PAGE))?;
        println!("updated {}", table::PAGE);
        Ok(())
    }
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The day, such as `22 Nov 2026`.
fn today() -> String {
    let date = Time(unix_time() * 1000).to_http_date();
    date.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ")
}
