//! The table of results in the documentation: our runs beside what the suite's site publishes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::definitions::Suite;
use crate::verdict::{Summary, read_published, summarise};

/// The page that holds the table, from the workspace's root.
pub const PAGE: &str = "docs/conformance.md";
/// The counts for programs, in the evidence's folder.
pub const SUMMARY: &str = "summary.json";
const BEGIN: &str = "<!-- results: written by `cargo xtask conformance` -->\n";
const END: &str = "<!-- end of results -->";

/// What the site calls its files, and which versions they are of.
const PUBLISHED: [(&str, &str); 8] = [
    ("apache", "Apache httpd 2.4"),
    ("caddy", "Caddy 0.16 (Souin)"),
    ("fastly", "Fastly"),
    ("haproxy", "HAProxy 3.0"),
    ("nginx", "nginx 1.28"),
    ("squid", "Squid 6.13"),
    ("trafficserver", "Traffic Server 9.2"),
    ("varnish", "Varnish 7.7"),
];

/// Rows by the first cell.
pub type Rows = BTreeMap<String, String>;

/// Reads and judges the published results in a folder, by the name of each cache; or those of our own runs, by the name of the
/// file (`worker.default`).
pub fn published(folder: &Path, suites: &[Suite]) -> Result<BTreeMap<String, Summary>> {
    let mut summaries = BTreeMap::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") || path.ends_with(SUMMARY) {
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let results = read_published(&text)
            .with_context(|| format!("{} is not a result of the suite", path.display()))?;
        let name = PUBLISHED.iter().find(|(file, _)| *file == stem).map_or(stem.as_str(), |(_, name)| name);
        summaries.insert(name.to_owned(), summarise(suites, &results));
    }
    Ok(summaries)
}

/// Numbers of tests by cache and kind, for programs: `worker.default.required_passed`, beside the totals.
pub fn summary(counted: &BTreeMap<String, Summary>, command: &str, unix_time: u64) -> serde_json::Value {
    let mut numbers = serde_json::Map::new();
    for (name, summary) in counted {
        let all = [("required", summary.required), ("optimal", summary.optimal), ("checks", summary.checks)];
        for (kind, count) in all {
            numbers.insert(format!("{name}.{kind}_passed"), count.passed.into());
            numbers.insert(format!("{name}.{kind}_failed"), count.failed.into());
            numbers.insert(format!("{kind}_total"), count.total.into());
        }
        numbers.insert(format!("{name}.passed"), summary.passed().into());
        numbers.insert(String::from("total"), (summary.required.total + summary.optimal.total).into());
    }
    serde_json::json!({ "command": command, "unix_time": unix_time, "numbers": numbers })
}

/// One row. `how`: where the numbers come from.
pub fn row(name: &str, summary: &Summary, how: &str) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {how} |",
        summary.required.passed,
        summary.required.failed,
        summary.passed(),
        summary.checks.passed
    )
}

/// Puts rows into a page, in place of those of the same names.
pub fn update(page: &str, rows: &Rows) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no line {BEGIN}"))?;
    let (table, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no line {END}"))?;
    let mut all: Rows = table
        .lines()
        .skip_while(|line| !line.starts_with("|-"))
        .skip(1)
        .filter_map(|line| Some((cell(line, 1)?.to_owned(), line.to_owned())))
        .collect();
    all.extend(rows.clone());
    let mut lines: Vec<&String> = all.values().collect();
    // Ours first, the best first.
    lines.sort_by_key(|line| {
        let number = |at| cell(line, at).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        (!line.starts_with("| Levee"), -number(4), -number(2), line.to_string())
    });
    let mut table = String::from(
        "\n| cache | required, of 160 | failed | required and optimal, of 265 | checks, of 100 | from |\n\
         |---|---|---|---|---|---|\n",
    );
    for line in lines {
        table.push_str(line);
        table.push('\n');
    }
    Ok(format!("{before}{BEGIN}{table}\n{END}{after}"))
}

fn cell(line: &str, at: usize) -> Option<&str> {
    line.strip_prefix('|')?;
    line.split('|').nth(at).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_replaced_and_sorted() {
        let page = format!("# Title\n\n{BEGIN}{END}\nend\n");
        let rows = |rows: &[(&str, &str)]| -> Rows {
            rows.iter().map(|&(name, line)| (name.to_owned(), line.to_owned())).collect()
        };
        let first = rows(&[
            ("nginx", "| nginx | 99 | 33 | 158 | 1 | site |"),
            ("Levee, native", "| Levee, native | 1 | 0 | 2 | 3 | today |"),
            ("Squid", "| Squid | 122 | 17 | 181 | 1 | site |"),
        ]);
        let page = update(&page, &first).expect("a page");
        let again = update(&page, &rows(&[("Levee, native", "| Levee, native | 5 | 0 | 6 | 3 | later |")]))
            .expect("a page");
        let lines: Vec<&str> = again.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        assert_eq!(
            lines,
            [
                "| Levee, native | 5 | 0 | 6 | 3 | later |",
                "| Squid | 122 | 17 | 181 | 1 | site |",
                "| nginx | 99 | 33 | 158 | 1 | site |"
            ]
        );
        assert!(again.starts_with("# Title\n") && again.ends_with("\nend\n"), "{again}");
        assert!(update("no table", &Rows::new()).is_err());
    }
}
