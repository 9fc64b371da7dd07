//! The origin's image: its size, and the start of its program.

use anyhow::{Result, bail};
use levee_harness::Containers;

use crate::container::{self, LIMIT, Purpose};
use crate::lab::evidence::{Evidence, Objective, Outcome};
use crate::project;

/// The evidence's name.
const NAME: &str = "container";
/// How soon a process is to answer where its database is there.
const FIRST_BYTE_MS: f64 = 50.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Starts on each kind of database.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=999))]
    rounds: u32,
    /// Only print; keep what report/evidence/container holds.
    #[arg(long)]
    dry_run: bool,
}

/// `cargo xtask bench container`.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(why) = container::missing(Purpose::Build) {
        bail!("{why}");
    }
    let root = project::root()?;
    let image = container::build(&root, &Containers::new()?)?;
    image.print();
    let starts = container::starts(&root, args.rounds as usize)?;
    starts.print();
    if args.dry_run {
        return Ok(());
    }
    let mut evidence = Evidence::begin(&root, NAME, "The origin's image, and the start of its program")?;
    evidence.number("image_compressed_bytes", image.compressed() as f64);
    evidence.number("image_limit_bytes", LIMIT as f64);
    evidence.number("program_bytes", image.program as f64);
    evidence.number("database_bytes", image.database as f64);
    evidence.number("starts", f64::from(args.rounds));
    evidence.heading("From the start of the process to its answers");
    let mut rows = Vec::new();
    for (kind, answers) in [("database_there", &starts.made), ("database_copied", &starts.copied)] {
        for (what, series) in [("first_byte", &answers.first_byte), ("ready", &answers.ready)] {
            let (least, most) = series.bounds();
            for (which, figure) in [("median", series.median()), ("least", least), ("most", most)] {
                evidence.number(format!("{kind}_{what}_{which}_ms"), (figure * 100.0).round() / 100.0);
            }
            let name = format!("{} {}", kind.replace('_', " "), what.replace('_', " "));
            rows.push(vec![
                name,
                format!("{:.1}", series.median()),
                format!("{least:.1}"),
                format!("{most:.1}"),
            ]);
        }
    }
    evidence.table(&["", "median, ms", "least, ms", "most, ms"], rows);
    evidence.note(
        "The program of the image, started outside of a container; it is static, so it is the same one. The first byte is \
         that of an answer to /healthz, ready means that /readyz says 200. The database is there already, or it is copied \
         from the one in the image first, as in a new instance.",
    );
    let size =
        Objective::new("image.compressed", image.compressed() as f64 / 1e6, "<=", LIMIT as f64 / 1e6, "MB");
    let start =
        Objective::new("start.first_byte", starts.made.first_byte.median(), "<=", FIRST_BYTE_MS, "ms");
    let held = size.held && start.held;
    evidence.summary.verdict = format!(
        "{:.2} MB compressed; the first byte after {:.1} ms in the median of {} starts.",
        size.reached, start.reached, args.rounds
    );
    evidence.summary.objectives = vec![size, start];
    let folder = evidence.finish(if held { Outcome::Held } else { Outcome::Broken })?;
    println!("{}", project::shown(&root, &folder));
    if !held {
        bail!("the image or its start is not within its bounds");
    }
    Ok(())
}
