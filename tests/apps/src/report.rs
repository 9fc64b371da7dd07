//! The table: each flow in each place, and what differs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::judge::{Cell, Judged, Row};

#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    applications: Vec<Judged>,
}

impl Report {
    pub(crate) fn add(&mut self, judged: Judged) {
        self.applications.push(judged);
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = &str> {
        self.applications.iter().flat_map(|judged| judged.failures.iter().map(String::as_str))
    }

    /// Writes `report.md` and `report.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let write = |name: &str, text: String| {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
        };
        write("report.json", serde_json::to_string_pretty(self)?)?;
        write("report.md", self.markdown())
    }

    fn markdown(&self) -> String {
        let mut out = String::from(
            "# Applications behind the edge\n\n\
             Each flow is run twice in each place. `same`: the client saw what it sees without the edge. Hits count both runs. \
             A star: the reason is named below. Hits with which nginx changes what is seen are no measure.\n",
        );
        for judged in &self.applications {
            let _ = write!(out, "\n## {}\n\n{}", judged.title, table(judged));
            let listed = differences(judged);
            if !listed.is_empty() {
                let _ = write!(out, "\nWhat differs:\n\n{listed}");
            }
        }
        let failures: Vec<_> = self.failures().collect();
        let _ = write!(out, "\n## Not as expected: {}\n\n", failures.len());
        for failure in failures {
            let _ = writeln!(out, "- {}", failure.replace('\n', " "));
        }
        out
    }

    /// For the terminal.
    pub(crate) fn summary(&self) -> String {
        let mut out = String::new();
        for judged in &self.applications {
            let _ = write!(out, "\n{}\n{}", judged.title, table(judged));
        }
        let failures: Vec<_> = self.failures().collect();
        if failures.is_empty() {
            out.push_str("\neverything is as expected\n");
        } else {
            let _ = writeln!(out, "\nnot as expected: {}", failures.len());
            for failure in failures {
                let _ = writeln!(out, "- {failure}");
            }
        }
        out
    }
}

fn table(judged: &Judged) -> String {
    let Some(first) = judged.rows.first() else { return String::from("nothing was run\n") };
    let places: Vec<_> = first.cells.iter().map(|cell| cell.place).collect();
    let mut out = String::from("| flow |");
    for place in &places {
        let _ = write!(out, " {place} |");
    }
    out.push_str(" hits: ");
    out.push_str(&places.join(" / "));
    out.push_str(" |\n|---|");
    out.push_str(&"---|".repeat(places.len() + 1));
    out.push('\n');
    for row in &judged.rows {
        let _ = write!(out, "| {} |", row.flow);
        for cell in &row.cells {
            let _ = write!(out, " {} |", verdict(row, cell));
        }
        let hits = |cell: &Cell| match (cell.hits, &cell.fewer_because) {
            (Some(hits), None) => hits.to_string(),
            (Some(hits), Some(_)) => format!("{hits}*"),
            (None, _) => String::from("-"),
        };
        let _ = writeln!(out, " {} |", row.cells.iter().map(hits).collect::<Vec<_>>().join(" / "));
    }
    out
}

fn verdict(row: &Row, cell: &Cell) -> String {
    match &cell.differences {
        _ if row.direct.is_some() => String::from("fails directly"),
        None => String::from("not run"),
        Some(found) if found.is_empty() => String::from("same"),
        Some(found) => {
            let mut labels: Vec<_> = found.iter().map(|known| known.difference.label.as_str()).collect();
            labels.dedup();
            labels.sort_unstable();
            labels.dedup();
            let mark = if found.iter().all(|known| known.reason.is_some()) { "*" } else { "" };
            match labels.as_slice() {
                few if few.len() <= 3 => format!("different{mark}: {}", few.join(", ")),
                many => format!("different{mark}: {} and {} more", many[..2].join(", "), many.len() - 2),
            }
        }
    }
}

fn differences(judged: &Judged) -> String {
    let mut out = String::new();
    for row in &judged.rows {
        for cell in &row.cells {
            for known in cell.differences.iter().flatten() {
                let difference = &known.difference;
                let reason = known.reason.as_deref().unwrap_or("no reason is known");
                let (here, direct) = difference.excerpts();
                let _ = writeln!(
                    out,
                    "- {}, {}, {}: **{}** is `{}`, directly `{}`. {reason}",
                    row.flow,
                    cell.place,
                    difference.runs(),
                    difference.label,
                    here.replace('`', "'"),
                    direct.replace('`', "'")
                );
            }
            if let Some(reason) = &cell.fewer_because {
                let _ = writeln!(out, "- {}, {}: fewer hits than nginx. {reason}", row.flow, cell.place);
            }
        }
    }
    out
}
