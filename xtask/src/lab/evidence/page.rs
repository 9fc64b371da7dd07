//! `index.html`: one file that is read from top to bottom, without a server and without the network.

use std::fmt::Write as _;

use super::summary::{Objective, Outcome, Summary};
use super::{Part, Table};
use crate::lab::chart::escape;

const STYLE: &str = "
:root { color-scheme: light; }
body { margin: 2.5rem auto; max-width: 880px; padding: 0 1rem; color: #1a1a1a; background: #fff;
  font: 16px/1.55 Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-top: 1px solid #ccc; padding-top: 1.1rem; }
p { margin: .6rem 0; }
code { font: .92em 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.verdict { border-left: 6px solid; padding: .5rem .9rem; margin: 1rem 0; background: #f6f6f6; }
.held { border-color: #009e73; } .broken { border-color: #d55e00; } .void { border-color: #999; }
table { border-collapse: collapse; margin: .8rem 0; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .28rem .7rem .28rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.4rem 0; break-inside: avoid; }
figure svg { width: 100%; height: auto; }
figcaption { font-size: .9rem; color: #444; }
.faint { color: #555; font-size: .9rem; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }
";

pub(super) fn render(summary: &Summary, parts: &[Part]) -> String {
    let title = escape(&summary.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    let class = match summary.outcome {
        Outcome::Held => "held",
        Outcome::Broken => "broken",
        Outcome::Void => "void",
    };
    let _ = writeln!(
        out,
        "<p class=\"faint\">{} · <code>{}</code></p>",
        escape(&summary.began),
        escape(&summary.command)
    );
    let mut words = String::from(summary.outcome.words());
    if let Some(first) = words.get(..1).map(str::to_uppercase) {
        words.replace_range(..1, &first);
    }
    let _ = writeln!(
        out,
        "<p class=\"verdict {class}\"><strong>{words}.</strong> {}</p>",
        escape(&summary.verdict)
    );
    if !summary.objectives.is_empty() {
        let head = ["objective", "wanted", "reached", ""].map(str::to_owned).to_vec();
        let rows = summary.objectives.iter().map(objective).collect();
        out.push_str("<h2>Objectives</h2>\n");
        table(&mut out, &Table { head, rows });
    }
    for note in &summary.notes {
        let _ = writeln!(out, "<p>{}</p>", escape(note));
    }
    for part in parts {
        match part {
            Part::Heading(words) => {
                let _ = writeln!(out, "<h2>{}</h2>", escape(words));
            }
            Part::Prose(words) => {
                let _ = writeln!(out, "<p>{}</p>", escape(words));
            }
            Part::Table(rows) => table(&mut out, rows),
            Part::Chart { svg, caption } => {
                let _ =
                    writeln!(out, "<figure>\n{svg}<figcaption>{}</figcaption>\n</figure>", escape(caption));
            }
        }
    }
    out.push_str("<h2>How this was made</h2>\n");
    made(&mut out, summary);
    out
}

fn made(out: &mut String, summary: &Summary) {
    let machine = &summary.machine;
    let commit = if summary.uncommitted_changes { " with uncommitted changes" } else { "" };
    let mut rows = vec![
        vec![String::from("command"), summary.command.clone()],
        vec![String::from("commit"), format!("{}{commit}", summary.commit)],
        vec![
            String::from("machine"),
            format!(
                "{}, {} cores, {:.1} GiB, {}",
                machine.cpu,
                machine.cores,
                machine.memory_bytes as f64 / f64::from(1 << 30),
                machine.system
            ),
        ],
    ];
    let pairs = |pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect::<Vec<_>>()
    };
    rows.extend(pairs(&summary.settings));
    rows.extend(pairs(&summary.versions));
    rows.extend(summary.raw.iter().map(|raw| vec![raw.file.clone(), raw.what.clone()]));
    table(out, &Table { head: Vec::new(), rows });
    out.push_str(
        "<p class=\"faint\">All figures, by name, are in <code>summary.json</code> beside this page.</p>\n",
    );
}

fn objective(objective: &Objective) -> Vec<String> {
    let figure = |value: f64| match objective.unit.as_str() {
        "share" => format!("{:.3} %", value * 100.0),
        unit => format!("{} {unit}", plain(value)),
    };
    let reached =
        if objective.reached.is_finite() { figure(objective.reached) } else { String::from("nothing") };
    let comparison = match objective.comparison.as_str() {
        ">=" => "at least",
        "<=" => "at most",
        _ => "exactly",
    };
    let held = if objective.held { "held" } else { "BROKEN" };
    vec![
        objective.name.clone(),
        format!("{comparison} {}", figure(objective.wanted)),
        reached,
        held.to_owned(),
    ]
}

/// A figure without more digits than it deserves.
fn plain(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || (value - value.round()).abs() < 1e-9 { 0 } else { 2 };
    format!("{value:.digits$}")
}

fn table(out: &mut String, table: &Table) {
    let is_number =
        |cell: &str| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') && cell.len() < 16;
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
    let numeric: Vec<bool> = (0..columns)
        .map(|at| {
            at > 0
                && table
                    .rows
                    .iter()
                    .filter_map(|row| row.get(at))
                    .all(|cell| is_number(cell) || cell.is_empty())
        })
        .collect();
    let class = |at: usize| if numeric.get(at).copied().unwrap_or(false) { " class=\"n\"" } else { "" };
    out.push_str("<table>\n");
    if !table.head.is_empty() {
        out.push_str("<tr>");
        for (at, cell) in table.head.iter().enumerate() {
            let _ = write!(out, "<th{}>{}", class(at), escape(cell));
        }
        out.push('\n');
    }
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{}", class(at), escape(cell));
        }
        out.push('\n');
    }
    out.push_str("</table>\n");
}
