//! What the edge may take, whatever it is asked for: memory, time, and room in others' stores.

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;

use crate::client::Edge;
use crate::cx::Cx;
use crate::proc_status::{peak_memory, resident_memory};
use crate::raw::{Arrived, PREFIX, RawOrigin, Step, Wire};
use crate::wait::until;

/// For entries.
const BUDGET: u64 = 8 << 20;
/// For everything else.
const REST: u64 = 64 << 20;
/// What a round of [`mix`] may add to a runtime that is at rest, and the rounds after which it is.
const LITTLE: u64 = 16 << 20;
const ROUNDS: usize = 5;

/// Sends these requests on so many connections, and checks each answer.
async fn send_all(
    edge: &Edge,
    connections: usize,
    method: &str,
    count: usize,
    target: impl Fn(usize) -> String,
) -> Result<()> {
    let target = &target;
    let connections = (0..connections).map(|first| async move {
        let mut wire = Wire::to(edge).await?;
        for number in (first..count).step_by(connections) {
            let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
            wire.head(method, &target(number), length).await;
            let answer = wire.answer(method).await.with_context(|| format!("{method} number {number}"))?;
            ensure!(answer.status == 200 && answer.whole, "{answer:?}");
        }
        anyhow::Ok(())
    });
    try_join_all(connections).await?;
    Ok(())
}

/// What an origin has for [`mix`], by the first word of a path.
fn of_a_kind(asked: &Arrived) -> Vec<Step> {
    let lasting = "Cache-Control: max-age=600\r\n";
    match asked.target.split('/').nth(1).unwrap_or_default() {
        // Larger than what is stored, on the connections that bring what is.
        "large" => vec![Step::ok(lasting, &"x".repeat(2_200_000))],
        "medium" => vec![Step::ok(lasting, &"x".repeat(1_000_000))],
        "small" => vec![Step::ok(lasting, "ten bytes.")],
        "varied" => vec![Step::ok(&format!("{lasting}Vary: Accept-Language\r\n"), "x")],
        _ => vec![Step::ok("Cache-Control: no-store\r\n", "x")],
    }
}

/// Several hundred megabytes, and several thousand names of 7 KB, in each way in which something could be kept of them.
async fn mix(edge: &Edge, clients: usize, round: usize) -> Result<()> {
    let send = async |method: &str, count: usize, target: &dyn Fn(usize) -> String| {
        send_all(edge, clients, method, count, target).await
    };
    let long = |kind: &str, n: usize| format!("/{kind}/{round}/{}{n}", "x".repeat(7_000));
    // Small entries with large responses between them, each asked for twice.
    let small_and_large = |n: usize| match n % 3 {
        0 => format!("/large/{round}/{n}"),
        1 => format!("/small/{round}/{n}"),
        _ => format!("/small/{round}/{}", n - 1),
    };
    send("GET", 300, &small_and_large).await?;
    // More than fits, and more than is written at once.
    send("GET", 150, &|n| format!("/medium/{round}/{n}")).await?;
    for _ in 0..2 {
        send("GET", 500, &|n| long("small", n)).await?;
    }
    send("GET", 500, &|n| long("varied", n)).await?;
    send("GET", 3_000, &|n| long("other", n)).await?;
    send("POST", 1_500, &|n| long("other", n)).await
}

pub(super) async fn memory_stays_within_its_budget(cx: &Cx<'_>) -> Result<()> {
    let origin = RawOrigin::start(cx.world.tokio.handle(), of_a_kind)?;
    let limits = format!("[limits]\nmemory = \"{}MiB\"\n", BUDGET >> 20);
    let mut setup = cx.configured("", |config| format!("{config}\n{limits}"))?;
    setup.origin.1 = origin.url();
    let process = cx.runtime.start_alone(cx.parts()?, &setup)?;
    let edge = Edge::at(process.url()).below(PREFIX);
    // Instances have a memory each: this is about one.
    let clients = if cx.runtime.collapses() { 8 } else { 1 };
    mix(&edge, clients, 0).await?;
    let mib = |bytes: u64| bytes >> 20;
    if resident_memory(process.pid()).is_none() {
        println!("memory is not measured here: the system has no /proc");
        return Ok(());
    }
    if cx.runtime.is_its_process() {
        mix(&edge, clients, 1).await?;
        let peak = peak_memory(process.pid()).unwrap_or_default();
        println!("{}: {} MiB at most", process.name(), mib(peak));
        ensure!(peak <= BUDGET + REST, "{} MiB, and {} + {} are allowed", mib(peak), mib(BUDGET), mib(REST));
        return Ok(());
    }
    // A runtime gives back what its guest has let go of as it sees fit: it is at rest when the same once more adds little. What
    // is kept of each name would add more than that each time.
    let mut sizes = vec![resident_memory(process.pid()).unwrap_or_default()];
    let mut rests = false;
    for round in 1..=ROUNDS {
        mix(&edge, clients, round).await?;
        let (before, now) = (sizes[round - 1], resident_memory(process.pid()).unwrap_or_default());
        sizes.push(now);
        rests = now <= before + LITTLE;
        if rests {
            break;
        }
    }
    let sizes: Vec<u64> = sizes.into_iter().map(mib).collect();
    println!("{}: {sizes:?} MiB after each round", process.name());
    ensure!(rests, "it grows with each round: {sizes:?} MiB");
    Ok(())
}

pub(super) async fn writes_to_many_places_leave_the_others_alone(cx: &Cx<'_>) -> Result<()> {
    let origin = RawOrigin::start(cx.world.tokio.handle(), |asked| {
        vec![Step::ok("Cache-Control: max-age=600\r\n", &format!("answer {}", asked.again))]
    })?;
    let mut setup = cx.configured("", |same| same)?;
    setup.origin.1 = origin.url();
    let (_process, edge) = cx.start(&setup)?;
    let edge = edge.below(PREFIX);
    let connections = 8;
    // Some may share a place in the log with what is written to; most do not.
    let pages = |n: usize| format!("/page/{n}");
    send_all(&edge, connections, "GET", 50, pages).await?;
    send_all(&edge, connections, "POST", 10_100, |n| format!("/written/{n}")).await?;
    send_all(&edge, connections, "GET", 50, pages).await?;
    let asked = (0..50).map(|n| origin.asked(&pages(n)).len()).sum::<usize>();
    ensure!(asked <= 60, "the origin was asked for {} of 50 pages again", asked - 50);
    // And what was written to is not what was stored before.
    let target = "/page/0";
    edge.get(target).await?;
    let before = origin.asked(target).len();
    send_all(&edge, connections, "POST", 1, |_| target.to_owned()).await?;
    assert_eq!(edge.get(target).await?.text(), format!("answer {}", before + 1));
    Ok(())
}

pub(super) async fn what_matching_costs_is_not_the_clients_to_say(cx: &Cx<'_>) -> Result<()> {
    let origin = RawOrigin::start(cx.world.tokio.handle(), |_| vec![Step::ok("", "matched or not")])?;
    let mut setup = cx.configured("", |config| {
        let route = "name = \"deep\"\npath = \"/**/a/**/b/**/c\"\ncache = false\n";
        format!("{config}\n[[routes]]\n{route}")
    })?;
    setup.origin.1 = origin.url();
    let (_process, edge) = cx.start(&setup)?;
    for path in ["/a".repeat(3_000), "/a/b".repeat(1_500), format!("{}/c", "/a/b".repeat(1_500))] {
        // Within the time that everything here has.
        assert_eq!(edge.get(&path).await?.text(), "matched or not");
    }
    Ok(())
}

/// All files below a folder.
fn files(folder: &std::path::Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

pub(super) async fn what_is_stored_shows_no_secret(cx: &Cx<'_>) -> Result<()> {
    const SECRET: &str = "s3cr3t-session-of-ann";
    let origin = RawOrigin::start(cx.world.tokio.handle(), |_| {
        vec![Step::ok("Cache-Control: max-age=600\r\nX-Marked: an-entry-of-this-test\r\n", "body")]
    })?;
    let mut setup = cx.configured("", |same| same)?;
    setup.origin.1 = origin.url();
    let process = cx.runtime.start_durable(cx.parts()?, &setup)?;
    let edge = Edge::at(process.url()).below(PREFIX);
    let cookie = format!("Cookie: sid={SECRET}; lang=de\r\n");
    let get = async |target: &str| {
        let mut wire = Wire::to(&edge).await?;
        wire.get(target, &cookie).await
    };
    assert_eq!(get("/keyed/a").await?.text(), "body");
    ensure!(get("/keyed/a").await?.is_hit());
    let explain = edge.clone().below("");
    let url = format!("/.levee/explain?url={PREFIX}/keyed/a");
    let explained = Wire::to(&explain).await?.get(&url, &cookie).await?;
    ensure!(explained.status == 200 && !explained.text().contains(SECRET), "{explained:?}");
    let holds = |text: &str| -> Result<Vec<std::path::PathBuf>> {
        let text = text.as_bytes();
        let holds = |path: &std::path::PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text))
        };
        Ok(files(&setup.state)?.into_iter().filter(holds).collect())
    };
    // Written behind the answer.
    until("the entry to be written", async || {
        let written = holds("an-entry-of-this-test")?;
        Ok((!written.is_empty()).then_some(written))
    })
    .await?;
    let secret = holds(SECRET)?;
    ensure!(secret.is_empty(), "{secret:?}");
    if cx.runtime.owns_its_store() {
        for path in files(&setup.state)?.iter().filter(|path| path.to_string_lossy().contains("sqlite")) {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions());
            ensure!(mode & 0o077 == 0, "{}: {mode:o}", path.display());
        }
    }
    drop(process);
    Ok(())
}
