//! Who keeps others waiting: clients that send or read nothing, and origins that stop in the middle. Each wait has an end, and
//! nobody else waits with them.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::{join_all, try_join_all};
use http_body_util::BodyExt as _;
use tokio::sync::watch;

use super::framing::failures;
use crate::client::Ask;
use crate::cx::{Cx, Raw};
use crate::raw::{Response, Step, Wire};
use crate::scripted::Reply;
use crate::wait::{until, within};

/// The shortest time that a body may be silent.
fn short(config: String) -> String {
    format!("{config}\n[limits]\nbody_idle = \"1s\"\n")
}

/// The same, and eight requests at once to the origin.
fn narrow(config: String) -> String {
    short(config).replace("[shield]\n", "[shield]\nmax_inflight = 8\n")
}

fn plain(asked: &crate::raw::Arrived) -> Vec<Step> {
    vec![Step::ok("Cache-Control: no-store\r\n", &asked.target)]
}

pub(super) async fn uploads_that_do_not_come_take_no_place(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(narrow, plain)?;
    let mut uploads = Vec::new();
    for number in 0..24 {
        let mut wire = Wire::to(&edge).await?;
        let framing = [
            "Content-Length: 10\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Expect: 100-continue\r\nContent-Length: 10\r\n",
        ];
        wire.head("POST", "/upload", framing[number % framing.len()]).await;
        uploads.push(wire);
    }
    // Three times as many as there are places; and everyone else is answered.
    for number in 0..4 {
        let target = format!("/{number}");
        assert_eq!(Wire::to(&edge).await?.get(&target, "").await?.told(), (200, target, true));
    }
    // Then they are told that they were too slow.
    for answer in try_join_all(uploads.iter_mut().map(|wire| wire.answered("POST"))).await? {
        match answer {
            Some(answer) => assert_eq!(answer.status, 408, "{answer:?}"),
            None => ensure!(!cx.runtime.answers_malformed_bodies(), "closed without an answer"),
        }
    }
    ensure!(origin.asked("/upload").iter().all(|asked| !asked.whole));
    assert_eq!(failures(&edge).await?, 0, "no origin is to blame");
    assert_eq!(Wire::to(&edge).await?.get("/after", "").await?.told(), (200, "/after".into(), true));
    Ok(())
}

pub(super) async fn an_upload_that_trickles_is_given_up(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(narrow, plain)?;
    for pause in [Duration::from_millis(100), Duration::from_secs(600)] {
        let mut wire = Wire::to(&edge).await?;
        wire.head("POST", "/upload", "Content-Length: 100000\r\n").await;
        // Never silent for a second, and far below the least rate; or silent after the first bytes.
        wire.send("some").await;
        let answer = wire.trickled("POST", pause).await?;
        match answer {
            Some(answer) => assert_eq!(answer.status, 408, "{answer:?}"),
            None => ensure!(!cx.runtime.answers_malformed_bodies(), "closed without an answer"),
        }
    }
    origin.is_let_go("/upload").await?;
    ensure!(origin.asked("/upload").iter().all(|asked| !asked.whole));
    assert_eq!(failures(&edge).await?, 0, "no origin is to blame");
    Ok(())
}

pub(super) async fn one_client_leaves_places_to_others(cx: &Cx<'_>) -> Result<()> {
    let (release, released) = watch::channel(false);
    let Raw { edge, process: _process, origin } = cx.raw(narrow, move |asked| {
        let answer = Step::ok("Cache-Control: no-store\r\n", &asked.target);
        if asked.target.starts_with("/slow") {
            vec![Step::Await(released.clone()), answer]
        } else {
            vec![answer]
        }
    })?;
    let mut greedy = Vec::new();
    for number in 0..20 {
        let mut wire = Wire::from(Ipv4Addr::new(127, 0, 0, 1), &edge).await?;
        // On Cloudflare this field, which no client can set there, says who it is.
        wire.head("GET", &format!("/slow/{number}"), "CF-Connecting-IP: 127.0.0.1\r\n").await;
        greedy.push(wire);
    }
    let mut other = Wire::from(Ipv4Addr::new(127, 0, 0, 2), &edge).await?;
    let target = "/other";
    until("the places to be taken", async || {
        let slow = origin.arrived().iter().filter(|asked| asked.target.starts_with("/slow")).count();
        Ok((slow == 6).then_some(()))
    })
    .await?;
    let own = "CF-Connecting-IP: 127.0.0.2\r\n";
    assert_eq!(other.get(target, own).await?.told(), (200, target.into(), true));
    release.send_replace(true);
    let answers = try_join_all(greedy.iter_mut().map(|wire| wire.answer("GET"))).await?;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(200), with(503)), (6, 14), "{answers:?}");
    ensure!(answers.iter().all(|answer| answer.status == 200 || !answer.field("retry-after").is_empty()));
    Ok(())
}

/// Stops in the middle of the first response to each target.
fn stalling(asked: &crate::raw::Arrived) -> Vec<Step> {
    if asked.again > 0 {
        return vec![Step::ok("Cache-Control: max-age=60\r\n", "the whole of it")];
    }
    let framing = match asked.target.rsplit('/').next() {
        Some("length") => "Content-Length: 100\r\n\r\nten bytes.",
        Some("chunks") => "Transfer-Encoding: chunked\r\n\r\na\r\nten bytes.\r\n",
        _ => "\r\nten bytes.",
    };
    vec![Step::send(format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n{framing}")), Step::Stall]
}

pub(super) async fn an_origin_that_stops_in_a_body_holds_nobody(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(short, stalling)?;
    let passed = ["/uncached/length", "/uncached/chunks"];
    let passed = if cx.runtime.paces_what_it_passes() { &passed[..] } else { &[] };
    for target in ["/length", "/chunks", "/close"].iter().chain(passed).copied() {
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let mut wire = Wire::to(&edge).await?;
            wire.head("GET", target, "").await;
            waiting.push(wire);
        }
        let answers: Vec<Response> = try_join_all(waiting.iter_mut().map(|wire| wire.answer("GET"))).await?;
        for answer in &answers {
            // The first one's breaks off; the others get the next one, or are told.
            let told = answer.status >= 500 || !answer.whole || answer.text() == "the whole of it";
            ensure!(told, "{target}: {answer:?}");
        }
        origin.is_let_go(target).await?;
        let after = Wire::to(&edge).await?.get(target, "").await?;
        assert_eq!(after.told(), (200, "the whole of it".into(), true), "{target}: {after:?}");
    }
    Ok(())
}

pub(super) async fn a_client_that_does_not_read_is_let_go(cx: &Cx<'_>) -> Result<()> {
    // Captured for longer than the system's buffers take.
    let config = |config| short(config) + "object = \"64MiB\"\n";
    let Raw { edge, process: _process, origin } = cx.raw(config, |_| {
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n";
        vec![Step::send(head), Step::Flood(format!("8000\r\n{}\r\n", "x".repeat(0x8000)).into())]
    })?;
    let targets = if cx.runtime.paces_what_it_passes() { &["/a", "/uncached/a"][..] } else { &["/a"] };
    let mut idle = Vec::new();
    for target in targets {
        let mut wire = Wire::narrow(&edge).await?;
        wire.head("GET", target, "").await;
        ensure!(wire.begun().await?);
        // The client stays, and reads nothing more.
        idle.push(wire);
    }
    for target in targets {
        origin.is_let_go(target).await?;
    }
    drop(idle);
    Ok(())
}

pub(super) async fn connections_are_capped_and_idle_ones_go_first(cx: &Cx<'_>) -> Result<()> {
    let (release, released) = watch::channel(false);
    let Raw { edge, process: _process, origin } = cx.raw(
        |config| format!("{config}\n[limits]\nconnections = 16\n"),
        move |asked| {
            let answer = Step::ok("Cache-Control: no-store\r\n", &asked.target);
            if asked.target == "/slow" { vec![Step::Await(released.clone()), answer] } else { vec![answer] }
        },
    )?;
    let mut busy = Wire::to(&edge).await?;
    busy.head("GET", "/slow", "").await;
    origin.has_been_asked("/slow", 1).await?;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut wire = Wire::to(&edge).await?;
        assert_eq!(wire.get("/a", "").await?.status, 200);
        idle.push(wire);
    }
    // The one that was idle for longest was closed for the newest.
    idle[0].closed().await?;
    let newest = idle.len() - 1;
    assert_eq!(idle[newest].get("/a", "").await?.status, 200);
    release.send_replace(true);
    assert_eq!(busy.answer("GET").await?.told(), (200, "/slow".into(), true));
    Ok(())
}

pub(super) async fn nobody_waits_for_the_end_of_a_stream(cx: &Cx<'_>) -> Result<()> {
    // Ends with the test: its streams do not end by themselves.
    let (open, opened) = watch::channel(());
    let (edge, origin) = cx.script(move |asked| {
        let mut opened = opened.clone();
        let (mut sender, body) = http_body_util::channel::Channel::<bytes::Bytes, std::io::Error>::new(1);
        tokio::spawn(async move {
            let sent = sender.send_data("data: 1\n\n".into()).await;
            // Until the test is over.
            while sent.is_ok() && opened.changed().await.is_ok() {}
        });
        let (control, kind) = match asked.path() {
            "/assigned/events" => ("", "text/event-stream"),
            "/assigned/charset" => ("", "Text/Event-Stream;charset=utf-8"),
            "/assigned/lasting" => ("max-age=60", "text/event-stream"),
            _ => ("no-cache", "text/plain"),
        };
        Reply::new(control).field("content-type", kind).body(body.boxed())
    })?;
    let targets = ["/assigned/events", "/assigned/charset", "/assigned/lasting", "/assigned/no-cache"];
    for target in targets {
        // Each has a stream of its own, and sees what happens on it at once.
        let mut streams = Vec::new();
        for _ in 0..3 {
            let response = within("a stream to open", edge.open(Ask::get(target))).await??;
            streams.push(response.into_body());
        }
        let events = join_all(streams.iter_mut().map(|stream| within("an event", stream.frame()))).await;
        for event in events {
            let event = event?.transpose()?.and_then(|frame| frame.into_data().ok());
            assert_eq!(event.as_deref(), Some(&b"data: 1\n\n"[..]), "{target}");
        }
    }
    assert_eq!(origin.count(), 3 * targets.len());
    drop(open);
    Ok(())
}
