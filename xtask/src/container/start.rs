//! How soon a fresh process answers.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::Group;

use crate::bench::Series;

/// How long a process may take before this is no measurement any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked; what it adds to a figure.
const POLL: Duration = Duration::from_micros(500);

/// From the starts of processes to their first answers, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The first byte at all, to `/healthz`.
    pub(crate) first_byte: Series,
    /// The first 200 of `/readyz`.
    pub(crate) ready: Series,
}

/// Starts on a database that is there already, and on one that is copied from the template first, as a new instance does.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    pub(crate) made: Answers,
    pub(crate) copied: Answers,
}

impl Starts {
    pub(crate) fn print(&self) {
        println!("from the start of the process, milliseconds: median (least - most)");
        println!("  {:<24} {:<26} /readyz says 200", "", "first byte");
        for (name, answers) in [("database there", &self.made), ("database copied first", &self.copied)] {
            println!("  {name:<24} {:<26} {}", answers.first_byte.shown(1), answers.ready.shown(1));
        }
    }
}

/// Starts the program again and again, in turns with either database.
pub(crate) fn starts(program: &Path, template: &Path, times: usize) -> Result<Starts> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("box-office.sqlite");
    let mut starts = Starts::default();
    for _ in 0..times {
        for entry in fs::read_dir(folder.path())? {
            fs::remove_file(entry?.path())?;
        }
        one(program, &database, template, &mut starts.copied)?;
        one(program, &database, template, &mut starts.made)?;
    }
    Ok(starts)
}

/// Starts the program on the database, which is copied from `template` where it is not there, and stops it.
fn one(program: &Path, database: &Path, template: &Path, answers: &mut Answers) -> Result<()> {
    let port = levee_harness::free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(program);
    command
        .args(["--drain-delay", "0", "--listen", &format!("127.0.0.1:{port}"), "--database"])
        .arg(database)
        .arg("--database-template")
        .arg(template)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let began = Instant::now();
    let mut group =
        Group::spawn(&mut command).with_context(|| format!("{} does not start", program.display()))?;
    let first = |path: &str, wanted: Option<u16>| -> Result<Duration> {
        loop {
            let answer = levee_harness::get(&format!("{url}{path}"));
            if answer.is_some_and(|(status, _)| wanted.is_none_or(|wanted| wanted == status)) {
                return Ok(began.elapsed());
            }
            if began.elapsed() > PATIENCE {
                bail!("no answer from {path} within {PATIENCE:?}");
            }
            std::thread::sleep(POLL);
        }
    };
    let first_byte = first("/healthz", None)?;
    let ready = first("/readyz", Some(200))?;
    group.stop(Duration::from_secs(10));
    answers.first_byte.0.push(first_byte.as_secs_f64() * 1e3);
    answers.ready.0.push(ready.as_secs_f64() * 1e3);
    Ok(())
}
