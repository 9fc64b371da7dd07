//! What a generator can do by itself, against a server that does next to nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::catalogue::Catalogue;
use super::plan::{Load, Plan};
use super::requests;
use super::tool::Generator;
use super::traffic::{Objectives, Traffic};
use crate::files;

/// Where ceilings are remembered: what is measured again needlessly takes ten seconds a run.
const KEPT: &str = "build/lab/ceilings.json";
const CLIENTS: u32 = 32;
const SECONDS: u32 = 8;

/// Requests a second that this generator can send on this machine, measured unless it is known. What is known holds for this
/// version of the tool, its program here, and this machine.
pub(super) fn of(
    root: &Path,
    generator: &Generator,
    traffic: &Traffic,
    objectives: &Objectives,
    fresh: bool,
) -> Result<f64> {
    let mut parts = vec![generator.version.clone().into_bytes()];
    for file in files::below(&generator.scripts)? {
        if file.extension().is_some_and(|extension| extension == "ts" || extension == "py") {
            parts.push(fs::read(generator.scripts.join(file))?);
        }
    }
    let machine = std::thread::available_parallelism().map_or(0, usize::from).to_string();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    parts.extend([machine.into_bytes(), model.as_bytes().to_vec()]);
    let digest = files::digest(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let key = format!("{} {digest}", generator.tool.name());
    let kept = root.join(KEPT);
    let mut known: Map<String, Value> =
        fs::read_to_string(&kept).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if !fresh && let Some(ceiling) = known.get(&key).and_then(Value::as_f64) {
        return Ok(ceiling);
    }
    println!("Measuring what {} can do by itself ({SECONDS} s)", generator.tool.name());
    let ceiling = measure(generator, traffic, objectives)?;
    known.insert(key, json!(ceiling));
    files::write_if_changed(&kept, serde_json::to_string_pretty(&known)?.as_bytes())?;
    Ok(ceiling)
}

fn measure(generator: &Generator, traffic: &Traffic, objectives: &Objectives) -> Result<f64> {
    let server = Responder::start()?;
    let folder = tempfile::Builder::new().prefix("levee-lab-").tempdir()?;
    let load = Load::Closed { closed: CLIENTS, seconds: SECONDS };
    let mut plan = Plan::new(traffic, objectives, "ceiling", &server.url, load);
    plan.judged = false;
    plan.write(folder.path(), &Catalogue::invented(), traffic.popularity.exponent)?;
    let ran = generator.run(folder.path(), f64::from(SECONDS), |_| {}, |_| Ok(()))?;
    let began = ran.requests.iter().map(|request| request.sent).min().unwrap_or(0);
    let windows = requests::windows(&ran.requests, began, 1.0);
    // The first second is the tool's start, the last may be cut short.
    let mut rates: Vec<f64> =
        windows.range(1..u64::from(SECONDS) - 1).map(|(_, requests)| requests.len() as f64).collect();
    rates.sort_by(f64::total_cmp);
    if rates.is_empty() {
        bail!(
            "{} sent nothing while its ceiling was measured:\n{}",
            generator.tool.name(),
            ran.complaints.join("\n")
        );
    }
    let ceiling = requests::percentile(&rates, 50.0);
    println!("  {ceiling:.0} requests a second");
    Ok(ceiling)
}

/// Answers every request with the same two kilobytes, a thread for each connection.
#[derive(Debug)]
struct Responder {
    url: String,
    stopped: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Responder {
    fn start() -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").context("no port for the server that does nothing")?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stopped = Arc::clone(&stopped);
            move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Ok(stream) = stream {
                        thread::spawn(move || drop(serve(&stream)));
                    }
                }
            }
        });
        Ok(Self { url: format!("http://{address}"), stopped, thread: Some(thread) })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let body = "x".repeat(2048);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nETag: \"1\"\r\nCache-Status: levee; hit; ttl=50\r\n\
         Server-Timing: cache;desc=\"hit\", tier;desc=\"memory\"\r\n\r\n{body}",
        body.len()
    );
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut line = String::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        writer.write_all(answer.as_bytes())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_does_nothing_answers() {
        let server = Responder::start().expect("started");
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).expect("connected");
        stream
            .write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n")
            .expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("read");
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
    }
}
