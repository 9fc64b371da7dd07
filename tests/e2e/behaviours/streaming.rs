//! Bodies on their way: as they come, in both directions, and without being kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use http_body_util::BodyExt as _;
use levee_harness::Process;
use tokio::sync::watch;

use super::body::{SIZE, broken_off, check, flowing, paced};
use crate::client::{Ask, Edge};
use crate::cx::Cx;
use crate::proc_status::peak_memory;
use crate::scripted::{Reply, Scene};
use crate::wait::{until, within};
use crate::world::Before;

/// By so much may the edge's process grow while 50 MB go through it: well below the body, and above what a garbage
/// collector leaves lying about.
const GROWTH: u64 = 24 << 20;

/// An edge of its own, warmed up, with the memory that it has used so far.
async fn measured(cx: &Cx<'_>, origin: &Scene) -> Result<(Process, Edge, Option<u64>)> {
    let (process, edge) = cx.start(&cx.setup(Before::Scripted, "")?)?;
    let edge = edge.below(origin.prefix());
    edge.get("/warm").await?;
    edge.send(Ask::new("POST", "/warm").body("x")).await?;
    let before = peak_memory(process.pid());
    Ok((process, edge, before))
}

fn assert_bounded(process: &Process, before: Option<u64>) {
    let (Some(before), Some(after)) = (before, peak_memory(process.pid())) else {
        println!("memory is not measured here: the system has no /proc");
        return;
    };
    let (grown, mib) = (after.saturating_sub(before), |bytes: u64| bytes >> 20);
    println!("{} grew by {} MiB, from {}", process.name(), mib(grown), mib(before));
    assert!(grown <= GROWTH, "the edge grew by {} MiB, from {}", mib(grown), mib(before));
}

/// Reads a body to its end and says after each piece how far it has come.
async fn drain<B>(mut body: B, progress: &watch::Sender<u64>) -> Result<u64>
where
    B: hyper::body::Body<Data = bytes::Bytes, Error: std::error::Error + Send + Sync + 'static> + Unpin,
{
    let mut read = 0;
    while let Some(frame) = within("the next piece", body.frame()).await?.transpose()? {
        if let Ok(piece) = frame.into_data() {
            check(read, &piece)?;
            read += piece.len() as u64;
            progress.send_replace(read);
        }
    }
    Ok(read)
}

pub(super) async fn a_large_answer_streams_in_lock_step_and_bounded_memory(cx: &Cx<'_>) -> Result<()> {
    let (progress, came) = watch::channel(0);
    let (_, origin) = cx.script(move |asked| match asked.path() {
        "/warm" => Reply::new("no-store").text("warm"),
        // With and without a length, stored in vain and never to be stored.
        "/sized" => {
            Reply::new("max-age=60").field("content-length", &SIZE.to_string()).body(paced(came.clone()))
        }
        "/chunked" => Reply::new("max-age=60").body(paced(came.clone())),
        _ => Reply::new("no-store").body(paced(came.clone())),
    })?;
    let (process, edge, before) = measured(cx, &origin).await?;
    for target in ["/sized", "/chunked", "/uncached/a"] {
        progress.send_replace(0);
        let response = within("the head before the body", edge.open(Ask::get(target))).await??;
        assert_eq!(drain(response.into_body(), &progress).await?, SIZE, "{target}");
    }
    assert_bounded(&process, before);
    // Larger than what is stored: nobody is given a copy.
    assert_eq!(origin.count(), 5);
    Ok(())
}

pub(super) async fn a_large_request_streams_in_lock_step_and_bounded_memory(cx: &Cx<'_>) -> Result<()> {
    let (progress, came) = watch::channel(0);
    let read = Arc::new(AtomicU64::new(0));
    let total = read.clone();
    let sender = progress.clone();
    let (_, origin) = cx.script(move |asked| {
        let (total, progress) = (total.clone(), sender.clone());
        Reply::new("no-store").once(async move {
            // A wrong or broken body leaves the total short, which the test sees.
            let came = drain(asked.request.into_body(), &progress).await.unwrap_or_default();
            total.store(came, Ordering::SeqCst);
        })
    })?;
    let (process, edge, before) = measured(cx, &origin).await?;
    for ask in
        [Ask::new("POST", "/sized").field("content-length", &SIZE.to_string()), Ask::new("PUT", "/chunked")]
    {
        progress.send_replace(0);
        let what = format!("{ask:?}");
        let answer = edge.open(ask.stream(paced(came.clone()))).await?;
        assert_eq!((answer.status().as_u16(), read.load(Ordering::SeqCst)), (200, SIZE), "{what}");
    }
    assert_bounded(&process, before);
    Ok(())
}

pub(super) async fn a_reader_who_is_slow_fills_no_memory(cx: &Cx<'_>) -> Result<()> {
    let handed_over = Arc::new(AtomicU64::new(0));
    let counter = handed_over.clone();
    let (_, origin) = cx.script(move |asked| match asked.path() {
        "/warm" => Reply::new("no-store").text("warm"),
        _ => Reply::new("max-age=60").body(flowing(counter.clone())),
    })?;
    let (process, edge, before) = measured(cx, &origin).await?;
    for target in ["/shared", "/uncached/a"] {
        let start = handed_over.load(Ordering::SeqCst);
        let response = edge.open(Ask::get(target)).await?;
        // Nothing is read until the origin gets rid of nothing more: the kernel's buffers are full, and the edge's too.
        let mut seen = (start, Instant::now());
        until("the origin to be held up", async || {
            let now = handed_over.load(Ordering::SeqCst);
            if now != seen.0 {
                seen = (now, Instant::now());
            }
            Ok((now - start == SIZE || seen.1.elapsed() > Duration::from_millis(700)).then_some(()))
        })
        .await?;
        assert_bounded(&process, before);
        let (progress, _) = watch::channel(0);
        assert_eq!(drain(response.into_body(), &progress).await?, SIZE);
    }
    Ok(())
}

pub(super) async fn server_sent_events_pass_as_they_come(cx: &Cx<'_>) -> Result<()> {
    let (progress, came) = watch::channel(0u64);
    let (edge, _) = cx.script(move |_| {
        let mut came = came.clone();
        let (mut sender, body) = http_body_util::channel::Channel::<bytes::Bytes, std::io::Error>::new(1);
        tokio::spawn(async move {
            for number in 0..5u64 {
                if sender.send_data(format!("data: {number}\n\n").into()).await.is_err() {
                    return;
                }
                // The next one happens only when this one was seen.
                if came.wait_for(|seen| *seen > number).await.is_err() {
                    return;
                }
            }
        });
        Reply::new("no-cache").field("content-type", "text/event-stream").body(body.boxed())
    })?;
    let ask = || Ask::get("/events").field("accept", "text/event-stream");
    // Two who listen to the same do not wait for one another.
    let open = async { tokio::try_join!(edge.open(ask()), edge.open(ask())) };
    let (first, second) = within("both streams to open", open).await??;
    let mut bodies = [first.into_body(), second.into_body()];
    for number in 0..5u64 {
        for body in &mut bodies {
            let event = within("an event", body.frame()).await?;
            let Some(event) = event.transpose()?.and_then(|frame| frame.into_data().ok()) else {
                bail!("the stream ended before event {number}");
            };
            assert_eq!(String::from_utf8_lossy(&event), format!("data: {number}\n\n"));
        }
        progress.send_replace(number + 1);
    }
    Ok(())
}

pub(super) async fn an_answer_that_breaks_off_is_seen_to_and_not_stored(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| match asked.path() {
        "/sized" => Reply::new("max-age=60").field("content-length", "1000").body(broken_off()),
        _ => Reply::new("max-age=60").body(broken_off()),
    })?;
    for target in ["/sized", "/chunked", "/uncached/a"] {
        for _ in 0..2 {
            let response = edge.open(Ask::get(target)).await;
            let whole = match response {
                Ok(response) => within("the end", response.into_body().collect()).await?.is_ok(),
                Err(_) => false,
            };
            ensure!(!whole, "{target}: a body that broke off came to a clean end");
        }
    }
    assert_eq!(origin.count(), 6);
    Ok(())
}
