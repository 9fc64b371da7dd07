//! Two runs of `cargo xtask up` at the same time, from this checkout and before different origins: neither touches the other.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use levee_harness::{Process, Ready, Spec};

use super::{Cx, Done};
use crate::stop;

/// Builds are part of a start: all of them, on a machine that has built nothing yet.
const START: Duration = Duration::from_mins(40);
/// How long anything else may take that happens by itself.
const SOON: Duration = Duration::from_secs(60);

/// Each runtime in turn.
pub(super) fn check(cx: &Cx) -> Result<Done> {
    let runtimes = ["native", "worker", "spin"];
    for runtime in runtimes {
        pair(&cx.root, runtime).with_context(|| format!("on {runtime}"))?;
    }
    Ok(Done::Passed(format!("({})", runtimes.join(", "))))
}

fn pair(root: &Path, runtime: &'static str) -> Result<()> {
    let origins = [Origin::start("one")?, Origin::start("two")?, Origin::start("three")?];
    let [one, two, three] = &origins;
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(|| Run::start(root, runtime, two));
        let first = Run::start(root, runtime, one);
        (first, other.join())
    });
    let (first, Ok(second)) = (first?, second) else { bail!("the thread that starts a run panicked") };
    let second = second?;
    ensure!(first.folder != second.folder, "both use {}", first.folder.display());
    ensure!(first.process.url() != second.process.url(), "both listen at {}", first.process.url());
    for (run, origin) in [(&first, one), (&second, two)] {
        run.answers("/kept", origin)?;
        run.hits("/kept", origin)?;
    }

    // As a crash would: the other notices nothing, and the folder is free once all that it held has ended.
    let left = first.folder.clone();
    first.process.kill();
    second.answers("/after", two)?;
    second.hits("/kept", two)?;
    soon("the folder of the run that was killed is free", || is_free(&left))?;

    // What it has stored is there still, and is of no use before another origin.
    let third = Run::start(root, runtime, three)?;
    ensure!(third.folder == left, "{} is used, not {}", third.folder.display(), left.display());
    third.answers("/kept", three)?;
    second.hits("/kept", two)?;
    for run in [second, third] {
        let folder = run.folder.clone();
        let status = run.process.stop().context("it has no exit status")?;
        ensure!(status.success(), "it ended with {status}");
        soon("the folder of the run that was stopped is free", || is_free(&folder))?;
        for origin in &origins {
            // Nobody comes back for what these have answered.
            let stored = folder.join("stored").join(format!("http---127.0.0.1-{}", origin.address.port()));
            let _ = std::fs::remove_dir_all(stored);
        }
    }
    Ok(())
}

/// This program. A step before may have built it again: then Linux says that the file it was started from is deleted, and the new one
/// stands in its place.
fn own_program() -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program is nowhere")?;
    let replaced = program.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(replaced.unwrap_or(program))
}

/// Waits for what happens by itself.
fn soon(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(!stop::requested(), "stopped");
        ensure!(began.elapsed() < SOON, "not within {} s: {what}", SOON.as_secs());
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether no run has a folder.
fn is_free(folder: &Path) -> bool {
    File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
}

/// A running `cargo xtask up`.
struct Run {
    process: Process,
    folder: PathBuf,
}

impl Run {
    fn start(root: &Path, runtime: &str, origin: &Origin) -> Result<Self> {
        let program = own_program()?;
        let name = origin.name;
        let spec = Spec::new(format!("up before {name}"), program)
            .args(["up", "--runtime", runtime, "--origin", &format!("http://{}", origin.address)])
            .dir(root)
            .within(START)
            .echo(move |line| println!("{name:<5} | {line}"))
            .cancelled_by(stop::requested);
        let process = Process::start(spec, &Ready::Line { before: String::from("Levee is up: open ") })?;
        let folder = process.log().wait_for(0, SOON, |line| {
            let (folder, _) = line.trim_start().strip_prefix("files ")?.split_once(',')?;
            Some(root.join(folder.trim().trim_end_matches('/')))
        });
        Ok(Self { folder: folder.context("it does not say where its files are")?, process })
    }

    /// GETs a path; body and `Cache-Status`.
    fn get(&self, path: &str) -> Result<(String, String)> {
        let mut answer = ureq::get(format!("{}{path}", self.process.url())).call()?;
        let status = answer.headers().get("cache-status").context("there is no Cache-Status")?;
        let status = status.to_str()?.to_owned();
        Ok((answer.body_mut().read_to_string()?, status))
    }

    /// The answer is of this origin.
    fn answers(&self, path: &str, origin: &Origin) -> Result<()> {
        let (body, status) = self.get(path)?;
        let name = origin.name;
        ensure!(
            body.starts_with(&format!("{name} ")),
            "{path} is answered with {body:?} ({status}), not {name}'s"
        );
        Ok(())
    }

    /// The answer is of this origin, and in time comes from the cache.
    fn hits(&self, path: &str, origin: &Origin) -> Result<()> {
        let began = Instant::now();
        loop {
            self.answers(path, origin)?;
            let (_, status) = self.get(path)?;
            if status.contains("hit") {
                return Ok(());
            }
            ensure!(began.elapsed() < SOON, "{path} is never a hit: {status}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A server that answers each request with its name and a number, to be kept for ten minutes.
struct Origin {
    name: &'static str,
    address: SocketAddr,
    ends: Arc<AtomicBool>,
}

impl Origin {
    fn start(name: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let ends = Arc::new(AtomicBool::new(false));
        let (ended, count) = (ends.clone(), AtomicU32::new(0));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                // A client that says nothing, or hangs up, gets no answer.
                thread::spawn(move || answer(stream, &format!("{name} {number}")));
            }
        });
        Ok(Self { name, address, ends })
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // It waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(stream: TcpStream, body: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SOON))?;
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    if line.is_empty() {
        return Ok(());
    }
    write!(
        &stream,
        "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}
