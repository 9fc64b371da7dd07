//! What a run leaves: `report/evidence/compare/`, and the tables in the README and in `docs/comparison.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Args;
use super::contender::{Contender, Kind};
use super::parts::Parts;
use super::results::{CACHED, Results, SHOWN, Shown, Target};
use crate::files;
use crate::lab::chart::{Bar, Bars, Scale};
use crate::lab::evidence::{Evidence, Objective, Outcome};

/// The folder below `report/evidence`.
const NAME: &str = "compare";
const BEGIN: &str = "<!-- comparison: written by `cargo xtask lab compare` -->\n";
const END: &str = "<!-- end of comparison -->";
/// The charts: file, heading, axis, logarithmic.
const CHARTS: [(&str, &[&str], &str, bool); 4] = [
    (
        "cpu",
        &["data_cpu_us", "pages_cpu_us", "cold_cpu_us"],
        "CPU of all the stack's processes, microseconds a request (logarithmic)",
        true,
    ),
    ("rate", &["data_requests_per_second", "pages_requests_per_second"], "requests a second", false),
    ("latency", &["rate_p50_us", "rate_p99_us"], "latency, milliseconds (logarithmic)", true),
    ("memory", &["memory_bytes"], "peak memory of all the stack's processes, megabytes", false),
];

/// Writes evidence and tables.
pub(super) fn keep(parts: &Parts, args: &Args, results: &Results, skipped: &[String]) -> Result<()> {
    let root = &parts.root;
    let mut evidence = Evidence::begin(root, NAME, "Levee beside what its users would run instead")?;
    for (what, version) in parts.versions() {
        evidence.version(what, version);
    }
    for (what, value) in [
        ("rounds", args.rounds.to_string()),
        ("seconds_of_each_load", args.seconds.to_string()),
        ("fixed_rate_per_second", args.rate.to_string()),
        ("films_from_an_empty_cache", args.films.to_string()),
        ("clients_of_the_stampede", args.clients.to_string()),
    ] {
        evidence.summary.settings.insert(what.to_owned(), value);
    }
    for contender in results.contenders() {
        for figure in results.figures() {
            let series = results.series(contender.name, &figure);
            if series.0.is_empty() {
                continue;
            }
            let name = format!("{}_{figure}", contender.name);
            evidence.number(&name, series.median());
            evidence.number(format!("{name}_least"), least(&series.0));
            evidence.number(format!("{name}_most"), most(&series.0));
        }
    }
    let targets = results.targets();
    for target in &targets {
        let reached = target.reached.median();
        evidence.number(&target.name, reached);
        evidence.number(format!("{}_least", target.name), least(&target.reached.0));
        evidence.number(format!("{}_most", target.name), most(&target.reached.0));
        let mut objective = Objective::new(&target.words, reached, target.comparison, target.wanted, "");
        objective.held = target.met();
        evidence.summary.objectives.push(objective);
    }
    if let Some((most, _)) = results.floor() {
        evidence.number("ratio_data_classic_constant", most.median());
        evidence.number("ratio_data_classic_constant_least", least(&most.0));
        evidence.number("ratio_data_classic_constant_most", self::most(&most.0));
    }
    let missed = targets.iter().filter(|target| !target.met()).count();
    let overrun = results.overrun(args.rate);
    evidence.summary.verdict = match (targets.len(), missed) {
        _ if !overrun.is_empty() => {
            format!(
                "The fixed rate of {} requests a second was not carried by {}.",
                args.rate,
                overrun.join(", ")
            )
        }
        (0, _) => String::from("What the targets are about was not measured."),
        (all, 0) => format!("All {all} targets are met."),
        (all, missed) => format!("{missed} of {all} targets are not met."),
    };
    for note in NOTES.into_iter().map(str::to_owned).chain(skipped.iter().cloned()) {
        evidence.note(note);
    }
    evidence.heading("All figures");
    evidence.prose("Medians of all rounds; in brackets the least and the most.");
    let (head, rows) = whole_table(results);
    evidence.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), rows);
    evidence.heading("Where Levee is behind");
    for sentence in behind(results) {
        evidence.prose(sentence);
    }
    if let Some((_, sentence)) = results.floor() {
        evidence.prose(sentence);
    }
    for (file, figures, axis, logarithmic) in CHARTS {
        let bars = bars(results, figures, axis, logarithmic);
        evidence.heading(bars.title.clone());
        evidence.bars(file, &bars, "Bars are medians, whiskers the least and the most of all rounds.")?;
    }
    evidence.raw(
        "turns.json",
        &serde_json::to_vec(results.turns())?,
        "every figure of every turn, by contender",
    )?;
    let outcome = match (targets.is_empty() || !overrun.is_empty(), missed) {
        (true, _) => Outcome::Void,
        (false, 0) => Outcome::Held,
        (false, _) => Outcome::Broken,
    };
    let (command, began) = (evidence.summary.command.clone(), evidence.summary.began.clone());
    let folder = evidence.finish(outcome)?;
    println!("{}", crate::project::shown(root, &folder.join("index.html")));
    let day = began.split('T').next().unwrap_or_default();
    write_between(&root.join("docs/comparison.md"), &page(results, &targets, skipped, &command, day))?;
    write_between(&root.join("README.md"), &short(results, args, &targets, &command, day))
}

/// What must be known to read the figures.
const NOTES: [&str; 3] = [
    "CPU time is that of all processes of a stack, their children included, from /proc/PID/task/*/schedstat; the generator's and \
     the origin's are not in it. For misses the origin's is a figure of its own.",
    "Each contender is started afresh in each turn and is alone then. A ratio is taken within a round, so that what disturbs a \
     round disturbs both.",
    "The generator is levee-load, one thread; requests a second near its own ceiling (generator_cores near 1) are its limit and \
     not the contender's. Latencies at the fixed rate run from when a request was due.",
];

fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn behind(results: &Results) -> Vec<String> {
    let sentences = results.behind();
    if sentences.is_empty() { vec![String::from("In nothing that was measured.")] } else { sentences }
}

fn bars(results: &Results, figures: &[&str], axis: &str, logarithmic: bool) -> Bars {
    let group = |shown: &Shown| {
        let bar = |contender: &&'static Contender| {
            let series = results.series(contender.name, shown.figure);
            let bar = Bar {
                name: contender.title.to_owned(),
                value: series.median() / shown.divisor,
                least: least(&series.0) / shown.divisor,
                most: most(&series.0) / shown.divisor,
                own: contender.kind == Kind::Own,
            };
            (!series.0.is_empty()).then_some(bar)
        };
        (capital(shown.words), results.contenders().iter().filter_map(bar).collect())
    };
    let chosen: Vec<&Shown> = SHOWN.iter().filter(|shown| figures.contains(&shown.figure)).collect();
    let title = match chosen.as_slice() {
        [only] => capital(only.words),
        [first, ..] if first.figure.ends_with("cpu_us") => String::from("CPU a request"),
        [first, ..] if first.more_is_better => String::from("What each carries on this machine"),
        _ => String::from("Latency at a fixed rate"),
    };
    Bars {
        title,
        x: axis.to_owned(),
        scale: if logarithmic { Scale::Log } else { Scale::Linear },
        groups: chosen.into_iter().map(group).collect(),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Every figure with its spread: a row a figure, a column a contender.
fn whole_table(results: &Results) -> (Vec<String>, Vec<Vec<String>>) {
    let contenders = results.contenders();
    let head =
        [String::new()].into_iter().chain(contenders.iter().map(|contender| contender.title.to_owned()));
    let row = |shown: &Shown| {
        let unit = if shown.unit.is_empty() { String::new() } else { format!(", {}", shown.unit) };
        let cells = contenders.iter().map(|contender| {
            let series = results.series(contender.name, shown.figure);
            if series.0.is_empty() {
                return String::new();
            }
            let number = |figure| shown.number(figure);
            format!(
                "{} ({} - {})",
                number(series.median()),
                number(least(&series.0)),
                number(most(&series.0))
            )
        });
        [format!("{}{unit}", capital(shown.words))].into_iter().chain(cells).collect()
    };
    (head.collect(), SHOWN.iter().map(row).collect())
}

fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn page(results: &Results, targets: &[Target], skipped: &[String], command: &str, day: &str) -> String {
    let mut text =
        format!("`{command}`, {day}. Medians of all rounds; in brackets the least and the most.\n\n");
    for sentence in skipped {
        let _ = writeln!(text, "{sentence}\n");
    }
    let (head, rows) = whole_table(results);
    text.push_str(&markdown(&head, &rows));
    text.push_str("\n### Targets\n\n");
    let head = ["target", "wanted", "reached: median (least - most)", ""].map(str::to_owned);
    let rows: Vec<Vec<String>> = targets.iter().map(target_row).collect();
    text.push_str(&markdown(&head, &rows));
    text.push_str("\n### Where Levee is behind\n\n");
    for sentence in behind(results) {
        let _ = writeln!(text, "- {sentence}");
    }
    if let Some((_, sentence)) = results.floor() {
        let _ = writeln!(text, "\n{sentence}");
    }
    text
}

fn target_row(target: &Target) -> Vec<String> {
    let comparison = match target.comparison {
        "<=" => "at most ",
        ">=" => "at least ",
        _ => "",
    };
    vec![
        target.words.clone(),
        format!("{comparison}{}", target.wanted),
        target.reached.shown(2).trim().to_owned(),
        String::from(if target.met() { "met" } else { "**not met**" }),
    ]
}

/// The README's table: what decides, a row a contender.
fn short(results: &Results, args: &Args, targets: &[Target], command: &str, day: &str) -> String {
    const COLUMNS: [&str; 6] = [
        "data_cpu_us",
        "pages_cpu_us",
        "pages_requests_per_second",
        "rate_p99_us",
        "memory_bytes",
        "stampede_origin_requests",
    ];
    let columns: Vec<&Shown> =
        COLUMNS.iter().filter_map(|name| SHOWN.iter().find(|shown| shown.figure == *name)).collect();
    let head: Vec<String> = [String::new()]
        .into_iter()
        .chain(columns.iter().map(|shown| match shown.unit {
            "" | "/s" => shown.words.to_owned() + if shown.unit.is_empty() { "" } else { " a second" },
            unit => format!("{}, {unit}", shown.words),
        }))
        .collect();
    let row = |contender: &&Contender| {
        let cell = |shown: &&Shown| shown.number(results.series(contender.name, shown.figure).median());
        [contender.title.to_owned()].into_iter().chain(columns.iter().map(cell)).collect()
    };
    let contenders = results.contenders();
    let rows: Vec<Vec<String>> =
        contenders.iter().filter(|contender| contender.kind != Kind::Floor).map(row).collect();
    let mut text = format!(
        "`{command}`, {day}: medians of {} alternating rounds. CPU is that of all of a stack's processes; the fixed rate is {} \
         requests a second; a stampede is {} clients that ask at once for one cold key.\n\n",
        args.rounds, args.rate, args.clients
    );
    text.push_str(&markdown(&head, &rows));
    let ratios: Vec<String> = CACHED
        .iter()
        .flat_map(|(load, _)| {
            targets.iter().filter(move |target| target.name.starts_with(&format!("ratio_{load}")))
        })
        .filter(|target| !target.met())
        .map(|target| {
            format!(
                "{}: {} instead of {} {}",
                target.words,
                target.reached.shown(2).trim(),
                target.comparison,
                target.wanted
            )
        })
        .collect();
    if !ratios.is_empty() {
        let _ = writeln!(text, "\nTargets that are not met: {}.", ratios.join("; "));
        if let Some((_, sentence)) = results.floor() {
            let _ = writeln!(text, "{sentence}");
        }
    }
    text
}

/// Puts text between the markers of a page.
fn write_between(page: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let new = between(&old, text)
        .with_context(|| format!("{} has no place for the table: {}", page.display(), BEGIN.trim_end()))?;
    files::write_if_changed(page, new.as_bytes())?;
    Ok(())
}

fn between(page: &str, text: &str) -> Option<String> {
    let start = page.find(BEGIN)? + BEGIN.len();
    let end = start + page[start..].find(END)?;
    Some(format!("{}{text}{}", &page[..start], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = format!("before\n{BEGIN}old\n{END}\nafter\n");
        assert_eq!(between(&page, "new\n"), Some(format!("before\n{BEGIN}new\n{END}\nafter\n")));
        assert_eq!(between("no markers", ""), None);
    }

    #[test]
    fn tables_in_markdown() {
        let text = markdown(&["a".into(), "b".into()], &[vec!["1".into(), "2".into()]]);
        assert_eq!(text, "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
