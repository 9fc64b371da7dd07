//! Where a message ends, and what its head may look like: between the edge and its origin, and between a client and the edge.

use anyhow::{Context as _, Result, ensure};

use super::failing::assert_problem;
use crate::client::{Ask, Edge};
use crate::cx::{Cx, Raw};
use crate::raw::{Framed, Response, Step, Wire};

/// Each way in which an origin is asked: to be stored, to be passed on, with a body.
const WAYS: [(&str, &str, &str); 3] =
    [("GET", "/a", ""), ("GET", "/uncached/a", ""), ("POST", "/a", "Content-Length: 1\r\n\r\nx")];

/// Sends one of [`WAYS`] on a connection of its own.
async fn ask(edge: &Edge, way: (&str, &str, &str)) -> Result<Response> {
    asked(edge, way).await?.context("the edge closed the connection without an answer")
}

/// The same, where the edge may close the connection without an answer.
async fn asked(edge: &Edge, (method, target, body): (&str, &str, &str)) -> Result<Option<Response>> {
    let mut wire = Wire::to(edge).await?;
    match body.split_once("\r\n\r\n") {
        Some((line, body)) => {
            wire.head(method, target, &format!("{line}\r\n")).await;
            wire.send(body).await;
        }
        None => wire.head(method, target, "").await,
    }
    wire.answered(method).await
}

/// How many exchanges the edge counts as failures of its origin.
pub(super) async fn failures(edge: &Edge) -> Result<u64> {
    let status = edge.clone().below("").get("/.levee/").await?.json()?;
    Ok(status["counters"]["origin_failures"].as_u64().unwrap_or_default())
}

pub(super) async fn a_length_beside_chunks_means_nothing(cx: &Cx<'_>) -> Result<()> {
    for length in ["3", "5", "300"] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let Raw { edge, process: _process, origin: _origin } = cx.raw(
            |same| same,
            move |asked| {
                let chunks = if asked.method == "HEAD" { "" } else { "5\r\nhello\r\n0\r\n\r\n" };
                vec![Step::send(format!("{head}{chunks}"))]
            },
        )?;
        for way in WAYS {
            let answer = ask(&edge, way).await?;
            assert_eq!(answer.told(), (200, "hello".into(), true), "{length} {way:?}: {answer:?}");
            assert!([Framed::Chunked, Framed::Length(5)].contains(&answer.framed), "{answer:?}");
        }
        let stored = ask(&edge, WAYS[0]).await?;
        assert_eq!(stored.told(), (200, "hello".into(), true), "{length}: {stored:?}");
        let head = ask(&edge, ("HEAD", "/b", "")).await?;
        assert_eq!(head.status, 200, "{head:?}");
    }
    Ok(())
}

pub(super) async fn what_ends_early_never_looks_whole(cx: &Cx<'_>) -> Result<()> {
    let heads = [
        ("short", "Content-Length: 10\r\n\r\nhello"),
        ("chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        ("half", "Transfer-Encoding: chunked\r\n\r\na\r\nhello"),
        ("malformed", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"),
        ("contradiction", "Content-Length: 3\r\nContent-Length: 5\r\n\r\nhello"),
        ("nonsense", "Content-Length: five\r\n\r\nhello"),
        ("coded", "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ];
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        move |asked| {
            let kind = asked.target.rsplit('/').next().unwrap_or_default();
            let rest = heads.iter().find(|(name, _)| *name == kind).map_or("\r\n", |(_, rest)| rest);
            let head = format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX-Kind: {kind}\r\n{rest}");
            vec![Step::send(head), Step::Close]
        },
    )?;
    for (kind, _) in heads {
        for (method, target, body) in [
            ("GET", format!("/{kind}"), ""),
            ("GET", format!("/uncached/{kind}"), ""),
            ("POST", format!("/{kind}"), WAYS[2].2),
        ] {
            // Twice: nothing of it may be stored.
            for _ in 0..2 {
                let answer = asked(&edge, (method, &target, body)).await?;
                let told_of = answer.as_ref().is_none_or(|answer| answer.status == 502 || !answer.whole);
                ensure!(told_of, "{kind}, {method} {target}: {answer:?}");
            }
        }
        ensure!(origin.asked(&format!("/{kind}")).len() >= 4, "{kind} was stored");
    }
    Ok(())
}

pub(super) async fn messages_without_a_body_have_none(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin: _origin } = cx.raw(
        |same| same,
        |asked| match (asked.method.as_str(), asked.target.rsplit('/').next().unwrap_or_default()) {
            ("HEAD", _) => vec![Step::send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")],
            (_, "204") => vec![Step::send("HTTP/1.1 204 No Content\r\nCache-Control: max-age=60\r\n\r\n")],
            (_, "304") => {
                vec![Step::send("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"v1\"\r\n\r\n")]
            }
            _ => vec![Step::ok("", "plain")],
        },
    )?;
    // On one connection: what follows shows that nothing of a body came.
    let mut wire = Wire::to(&edge).await?;
    for target in ["/a", "/uncached/a"] {
        wire.head("HEAD", target, "").await;
        let head = wire.answer("HEAD").await?;
        assert_eq!((head.status, head.field("content-length").as_str()), (200, "500"), "{head:?}");
        assert_eq!(wire.get(target, "").await?.told(), (200, "plain".into(), true));
    }
    for target in ["/204", "/uncached/204", "/204"] {
        let empty = wire.get(target, "").await?;
        assert_eq!((empty.status, empty.field("content-length").as_str()), (204, ""), "{empty:?}");
        assert_eq!(empty.field("transfer-encoding"), "", "{empty:?}");
        assert_eq!(wire.get("/uncached/a", "").await?.told(), (200, "plain".into(), true));
    }
    let condition = "If-None-Match: \"v1\"\r\n";
    for target in ["/304", "/uncached/304"] {
        let unchanged = wire.get(target, condition).await?;
        assert_eq!(unchanged.status, 304, "{unchanged:?}");
        assert_eq!(wire.get("/uncached/a", "").await?.told(), (200, "plain".into(), true));
    }
    Ok(())
}

/// What makes two readers of a request see two different ones.
const AMBIGUOUS: [(&str, &str); 6] = [
    ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "1\r\nx\r\n0\r\n\r\n"),
    ("Content-Length: 1\r\nContent-Length: 2\r\n", "xy"),
    ("Content-Length: +1\r\n", "x"),
    ("Transfer-Encoding: chunked, gzip\r\n", "1\r\nx\r\n0\r\n\r\n"),
    ("Transfer-Encoding: xchunked\r\nContent-Length: 1\r\n", "x"),
];

pub(super) async fn a_request_is_one_request_or_none(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } =
        cx.raw(|same| same, |asked| vec![Step::ok("Cache-Control: no-store\r\n", &asked.target)])?;
    for (lines, body) in AMBIGUOUS {
        let before = origin.arrived().len();
        let mut wire = Wire::to(&edge).await?;
        wire.head("POST", "/upload", lines).await;
        wire.send(body).await;
        wire.send(format!("GET {}/second HTTP/1.1\r\nHost: {}\r\n\r\n", edge.prefix(), edge.authority()))
            .await;
        let answer = wire.answered("POST").await?;
        if cx.runtime.refuses_ambiguous_framing() {
            assert_eq!(answer.as_ref().map(|answer| answer.status), Some(400), "{lines:?}: {answer:?}");
            wire.closed().await?;
            assert_eq!(origin.arrived().len(), before, "{lines:?}");
        } else if let Some(answer) = answer {
            // By RFC 9112, section 6.3, the chunks are the body.
            ensure!(answer.status == 200 || (400..500).contains(&answer.status), "{lines:?}: {answer:?}");
        }
        for asked in origin.asked("/upload") {
            ensure!(asked.whole && asked.body == b"x", "{lines:?}: {asked:?}");
        }
        assert_eq!(ask(&edge, ("GET", "/after", "")).await?.told(), (200, "/after".into(), true));
    }
    assert_eq!(failures(&edge).await?, 0, "no origin is to blame");
    let is_known = |target: &str| ["/upload", "/second", "/after"].contains(&target);
    assert!(origin.arrived().iter().all(|asked| is_known(&asked.target)));
    let lines: Vec<String> =
        origin.arrived().iter().map(|asked| format!("{} {}", asked.method, asked.target)).collect();
    origin.was_sent(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) async fn a_malformed_body_is_its_clients_fault(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } =
        cx.raw(|same| same, |asked| vec![Step::ok("Cache-Control: no-store\r\n", &asked.target)])?;
    for body in ["zz\r\n", "1\r\nx\r\nnonsense\r\n", "1\r\nxyz\r\n0\r\n\r\n", "-1\r\nx\r\n"] {
        let mut wire = Wire::to(&edge).await?;
        wire.head("POST", "/upload", "Transfer-Encoding: chunked\r\n").await;
        wire.send(body).await;
        match wire.answered("POST").await? {
            Some(answer) => assert_eq!(answer.status, 400, "{body:?}: {answer:?}"),
            None => ensure!(!cx.runtime.answers_malformed_bodies(), "{body:?}: closed without an answer"),
        }
    }
    ensure!(origin.arrived().iter().all(|asked| !asked.whole), "a malformed body arrived as whole");
    assert_eq!(failures(&edge).await?, 0, "no origin is to blame");
    assert_eq!(ask(&edge, ("GET", "/after", "")).await?.told(), (200, "/after".into(), true));
    Ok(())
}

pub(super) async fn a_status_that_cannot_be_carried_is_named(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        |asked| {
            let status = asked.target.rsplit('/').next().unwrap_or_default();
            let lines = "Cache-Control: no-store\r\n";
            vec![Step::send(format!("HTTP/1.1 {status} Odd\r\n{lines}Content-Length: 1\r\n\r\nx"))]
        },
    )?;
    for status in ["299", "599", "600", "999"] {
        for target in [format!("/{status}"), format!("/uncached/{status}")] {
            let answer = edge.send(Ask::get(&target)).await?;
            if answer.status.to_string() != status {
                assert_problem(&answer, 502, "origin-status")?;
                ensure!(answer.text().contains(status), "{answer:?}");
            }
        }
    }
    // Nobody asked for another protocol.
    let switched = ask(&edge, ("GET", "/uncached/101", "")).await?;
    assert_eq!(switched.status, 502, "{switched:?}");
    assert_eq!(origin.asked("/299").len(), 1);
    Ok(())
}

pub(super) async fn a_request_with_content_is_not_answered_from_the_cache(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        |asked| {
            let with = String::from_utf8_lossy(&asked.body).into_owned();
            vec![Step::ok("Cache-Control: max-age=60\r\n", &format!("{} with {with:?}", asked.target))]
        },
    )?;
    let framings =
        [("Content-Length: 4\r\n", "body"), ("Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n")];
    for (number, (framing, body)) in framings.iter().enumerate() {
        let target = format!("/{number}");
        let without = format!("{target} with \"\"");
        for first in [true, false] {
            if first {
                assert_eq!(edge.get(&target).await?.text(), without);
            }
            let mut wire = Wire::to(&edge).await?;
            wire.head("GET", &target, framing).await;
            wire.send(body).await;
            let answer = wire.answer("GET").await?;
            ensure!(!answer.is_hit(), "{framing:?}: {answer:?}");
            if answer.status == 200 {
                assert_eq!(answer.text(), format!("{target} with \"body\""), "{framing:?}: {answer:?}");
            } else {
                // Where the runtime cannot send it, the client hears why.
                ensure!(!cx.runtime.sends_content_with_get(), "{framing:?}: {answer:?}");
                ensure!((400..500).contains(&answer.status), "{framing:?}: {answer:?}");
                assert_eq!(answer.field("content-type"), "application/problem+json");
            }
            // What it brought is nobody else's.
            assert_eq!(edge.get(&target).await?.text(), without, "{framing:?}");
        }
    }
    let with = origin.arrived().into_iter().filter(|asked| !asked.body.is_empty());
    for asked in with {
        ensure!(asked.whole && asked.framed != Framed::Close && asked.body == b"body", "{asked:?}");
    }
    assert_eq!(failures(&edge).await?, 0);
    Ok(())
}
