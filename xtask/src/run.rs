//! Running a tool: it ends with us, and one sees that something happens.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::{Group, Log};

use crate::stop;

/// How often a long step says that it is still at work, where the output is not a terminal.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Runs a command whose own output is what the user wants to see.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let name = name(command);
    let mut group = Group::spawn(command.stdin(Stdio::null())).with_context(|| not_started(&name))?;
    let Some(status) = group.wait(stop::requested) else { bail!("stopped") };
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Runs a command whose output matters only when it fails: it is summarised to its last line meanwhile, and
/// shown whole (its last lines) on failure. Returns what it wrote.
pub(crate) fn quietly(command: &mut Command) -> Result<Vec<String>> {
    let name = name(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command).with_context(|| not_started(&name))?;
    let log = Log::in_memory();
    if let Some(stdout) = group.child().stdout.take() {
        log.follow(stdout);
    }
    if let Some(stderr) = group.child().stderr.take() {
        log.follow(stderr);
    }
    let mut progress = Progress::new();
    let status = group.wait(|| {
        progress.tick(&log);
        stop::requested()
    });
    progress.clear();
    let Some(status) = status else { bail!("stopped") };
    log.settle(Duration::from_secs(1));
    if !status.success() {
        bail!("{name} failed ({status}); it said:\n{}", abridged(&log.lines()));
    }
    Ok(log.lines())
}

/// Tools name the cause first or last: the beginning and the end of what one wrote.
fn abridged(lines: &[String]) -> String {
    const HEAD: usize = 15;
    const TAIL: usize = 25;
    let indented = |lines: &[String]| lines.iter().map(|line| format!("    {line}")).collect::<Vec<_>>();
    let mut shown = if lines.len() <= HEAD + TAIL { indented(lines) } else { indented(&lines[..HEAD]) };
    if lines.len() > HEAD + TAIL {
        shown.push(format!("    ... {} lines ...", lines.len() - HEAD - TAIL));
        shown.extend(indented(&lines[lines.len() - TAIL..]));
    }
    shown.join("\n")
}

/// What a short command writes to stdout, or `None` if it is missing or fails.
pub(crate) fn ask(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    ask_in(Path::new("."), program, args)
}

/// As [`ask`], of a command that writes to stderr.
pub(crate) fn said(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    let output = Command::new(program.as_ref()).args(args).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    output.status.success().then(|| String::from_utf8_lossy(&text).trim().to_owned())
}

/// As [`ask`], in a folder.
pub(crate) fn ask_in(folder: &Path, program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program.as_ref());
    let output = command.args(args).current_dir(folder).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The script says more than its interpreter, the subcommand more than the tool.
    for arg in command.get_args().take(2) {
        let arg = arg.to_string_lossy();
        if arg.starts_with('-') {
            break;
        }
        name.push(' ');
        name.push_str(Path::new(arg.as_ref()).file_name().unwrap_or_default().to_string_lossy().as_ref());
    }
    name
}

fn not_started(name: &str) -> String {
    format!("{name} could not be started")
}

/// The last line of a step's output: overwritten in place on a terminal, now and then elsewhere.
struct Progress {
    began: Instant,
    said: Instant,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { began: now, said: now, terminal: std::io::stdout().is_terminal() }
    }

    fn tick(&mut self, log: &Log) {
        let every = if self.terminal { Duration::from_millis(200) } else { HEARTBEAT };
        if self.said.elapsed() < every {
            return;
        }
        self.said = Instant::now();
        let last = log.lines().into_iter().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let last: String = last.trim().chars().filter(|c| !c.is_control()).take(70).collect();
        let seconds = self.began.elapsed().as_secs();
        if self.terminal {
            print!("\r\x1b[K  {seconds:>3} s  {last}");
            let _ = std::io::stdout().flush();
        } else {
            println!("  {seconds:>3} s  {last}");
        }
    }

    fn clear(&self) {
        if self.terminal {
            print!("\r\x1b[K");
            let _ = std::io::stdout().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_called_by_what_they_do() {
        assert_eq!(name(Command::new("/usr/bin/npm").args(["ci", "--omit=dev"])), "npm ci");
        assert_eq!(name(Command::new("node").args(["x/bin/wasm-opt", "-Oz"])), "node wasm-opt");
    }

    #[test]
    fn long_output_keeps_both_ends() {
        let lines: Vec<String> = (1..=100).map(|line| format!("line {line}")).collect();
        let shown = abridged(&lines);
        assert!(shown.starts_with("    line 1\n") && shown.ends_with("    line 100"), "{shown}");
        assert!(shown.contains("... 60 lines ..."), "{shown}");
        assert_eq!(abridged(&lines[..2]), "    line 1\n    line 2");
    }

    #[test]
    fn a_failure_shows_what_was_said() {
        let error = quietly(Command::new("sh").args(["-c", "echo no space left >&2; exit 7"])).unwrap_err();
        let message = format!("{error:#}");
        assert!(message.contains("no space left") && message.contains("exit status: 7"), "{message}");
        assert_eq!(quietly(Command::new("sh").args(["-c", "echo fine"])).expect("ran"), ["fine"]);
    }
}
