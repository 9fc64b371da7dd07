//! `report/case-study/techniques.toml`: what large systems do, and where Levee does it, as a Markdown table.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Deserialize;

/// The table, and its rows in order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Techniques {
    caption: String,
    technique: Vec<Technique>,
}

/// A row. The texts are Markdown on one line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Technique {
    name: String,
    /// What those systems do, and why.
    they: String,
    does: Does,
    /// How Levee does it.
    levee: String,
    /// Where, in the code or the configuration: paths from the root of the repository.
    paths: Vec<String>,
    /// What was measured here.
    measured: String,
    left: Left,
    /// What Levee leaves out, and why.
    without: String,
}

/// Whether Levee does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Does {
    Yes,
    InPart,
    No,
}

/// What to make of what is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Left {
    Right,
    Gap,
}

/// # Errors
/// When a path leads nowhere below `root`, or something is said to be done and no path shows where.
pub(super) fn markdown(text: &str, root: &Path) -> Result<String> {
    let table: Techniques = toml::from_str(text)?;
    let mut out = format!(
        "Table: {}\n\n| technique: what they do, and why | Levee, and where | measured here | left out |\n|---|---|---|---|\n",
        table.caption
    );
    for row in &table.technique {
        for path in &row.paths {
            if path.starts_with('/') || path.contains("..") || !root.join(path).exists() {
                bail!("{}: {path} is not there", row.name);
            }
        }
        if row.does != Does::No && row.paths.is_empty() {
            bail!("{}: no path shows where Levee does it", row.name);
        }
        let does = match row.does {
            Does::Yes => "Yes.",
            Does::InPart => "In part.",
            Does::No => "No.",
        };
        let left = match row.left {
            Left::Right => "Right.",
            Left::Gap => "A gap.",
        };
        let paths: Vec<String> = row.paths.iter().map(|path| format!("`{path}`")).collect();
        let cells = [
            format!("**{}.** {}", row.name, row.they),
            format!("**{does}** {} {}", row.levee, paths.join(", ")),
            row.measured.clone(),
            format!("**{left}** {}", row.without),
        ];
        if let Some(cell) = cells.iter().find(|cell| cell.contains(['|', '\n'])) {
            bail!("{}: a cell is one line, without |: {cell:?}", row.name);
        }
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "caption = \"What is done.\"\n[[technique]]\nname = \"Ask once\"\nthey = \"They ask once.\"\ndoes = \"yes\"\n\
        levee = \"It does.\"\npaths = [\"Cargo.toml\"]\nmeasured = \"Once.\"\nleft = \"gap\"\nwithout = \"The rest.\"\n";

    fn made(text: &str) -> Result<String> {
        markdown(text, Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn a_row_says_where() {
        let table = made(ROW).expect("a table");
        assert!(table.ends_with(
            "| **Ask once.** They ask once. | **Yes.** It does. `Cargo.toml` | Once. | **A gap.** The rest. |\n"
        ));
    }

    #[test]
    fn a_path_that_is_not_there_is_refused() {
        for (from, to, wanted) in [
            ("Cargo.toml", "Cargo.tml", "Ask once: Cargo.tml is not there"),
            ("Cargo.toml", "../Cargo.toml", "Ask once: ../Cargo.toml is not there"),
            ("\"Cargo.toml\"", "", "Ask once: no path shows where Levee does it"),
            ("They ask", "They | ask", "a cell is one line"),
        ] {
            let error = made(&ROW.replace(from, to)).expect_err("refused").to_string();
            assert!(error.starts_with(wanted) || error.contains(wanted), "{error}");
        }
        assert!(made(&ROW.replace("yes", "no").replace("\"Cargo.toml\"", "")).is_ok());
    }
}
