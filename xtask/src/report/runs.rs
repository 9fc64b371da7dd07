//! Tables that are made from a run's summary as a whole.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::block::{Block, Inline, Table};
use super::figure::grouped;

/// What had to be so in a run, and whether it was.
pub(super) fn objectives(run: &str, summary: &Value) -> Result<Block> {
    let file = || format!("report/evidence/{run}/summary.json");
    let list =
        summary["objectives"].as_array().with_context(|| format!("{} has no field objectives", file()))?;
    let mut rows = Vec::new();
    for (at, objective) in list.iter().enumerate() {
        let field = |name: &str| {
            objective.get(name).with_context(|| format!("{} has no field objectives.{at}.{name}", file()))
        };
        let text = |name: &str| Ok::<_, anyhow::Error>(field(name)?.as_str().unwrap_or_default().to_owned());
        let unit = text("unit")?;
        let figure = |name: &str| {
            Ok::<_, anyhow::Error>(
                field(name)?.as_f64().map_or_else(|| String::from("nothing"), |figure| shown(figure, &unit)),
            )
        };
        let comparison = match text("comparison")?.as_str() {
            ">=" => "at least",
            "<=" => "at most",
            _ => "exactly",
        };
        let held = if field("held")?.as_bool() == Some(true) { "held" } else { "not held" };
        rows.push(vec![
            Inline::code(text("name")?),
            Inline::text(format!("{comparison} {}", figure("wanted")?)),
            Inline::text(figure("reached")?),
            Inline::text(held),
        ]);
    }
    let mut caption = Inline::text("Objectives of the run ");
    caption.extend(Inline::code(run));
    caption.extend(Inline::text("."));
    let head = ["objective", "wanted", "reached", ""].map(Inline::text).to_vec();
    Ok(Block::Table(Table { caption, right: vec![false, false, true, false], head, rows }))
}

fn shown(figure: f64, unit: &str) -> String {
    let (figure, unit, digits) = match unit {
        "share" => (figure * 100.0, "%", 3),
        unit if figure.fract().abs() < 1e-9 || figure.abs() >= 100.0 => (figure, unit, 0),
        unit => (figure, unit, 2),
    };
    format!("{} {unit}", grouped(&format!("{figure:.digits$}"))).trim_end().to_owned()
}

/// What a run ran on, with what, and by which command.
pub(super) fn set_up(run: &str, summary: &Value) -> Result<Block> {
    let file = || format!("report/evidence/{run}/summary.json");
    let text = |path: [&str; 2]| {
        let value = &summary[path[0]][path[1]];
        value
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{} has no field {}.{}", file(), path[0], path[1]))
    };
    let number = |name: &str| {
        summary["machine"][name].as_f64().with_context(|| format!("{} has no field machine.{name}", file()))
    };
    let own = |name: &str| {
        summary[name].as_str().map(str::to_owned).with_context(|| format!("{} has no field {name}", file()))
    };
    let changed = if summary["uncommitted_changes"] == true { " with uncommitted changes" } else { "" };
    let mut rows = vec![
        vec![Inline::text("command"), Inline::code(own("command")?)],
        vec![Inline::text("began"), Inline::text(own("began")?)],
        vec![Inline::text("commit"), Inline::text(format!("{}{changed}", own("commit")?))],
        vec![
            Inline::text("processor"),
            Inline::text(format!("{}, {} cores", text(["machine", "cpu"])?, number("cores")?)),
        ],
        vec![
            Inline::text("memory"),
            Inline::text(format!("{:.1} GiB", number("memory_bytes")? / f64::from(1 << 30))),
        ],
        vec![Inline::text("system"), Inline::text(text(["machine", "system"])?)],
    ];
    for group in ["settings", "versions"] {
        for (name, value) in summary[group].as_object().into_iter().flatten() {
            rows.push(vec![Inline::text(name), Inline::text(value.as_str().unwrap_or_default())]);
        }
    }
    let mut caption = Inline::text("Set-up of the run ");
    caption.extend(Inline::code(run));
    caption.extend(Inline::text("."));
    Ok(Block::Table(Table { caption, right: vec![false, false], head: Vec::new(), rows }))
}
