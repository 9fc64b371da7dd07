//! What stands in heads, from origins and from clients: as it came where it may stand there, refused where it may not.

use anyhow::{Result, ensure};

use super::framing::failures;
use crate::client::Edge;
use crate::cx::{Cx, Raw};
use crate::raw::{RawOrigin, Step, Wire};

/// An edge before an origin that answers everything with a lifetime.
fn plain(cx: &Cx<'_>) -> Result<Raw> {
    cx.raw(|same| same, |asked| vec![Step::ok("Cache-Control: max-age=60\r\n", &asked.target)])
}

pub(super) async fn odd_heads_of_origins_pass(cx: &Cx<'_>) -> Result<()> {
    let many: String = (0..150).map(|n| format!("X-Field-{n}: {n}\r\n")).collect();
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        move |asked| {
            let private = if asked.target.contains("private") { "private, " } else { "" };
            let lines = match asked.target.rsplit('/').next().unwrap_or_default() {
                "space" => format!("X-Odd : value\r\nCache-Control : {private}max-age=60\r\n"),
                "folded" => format!("X-Odd: va\r\n lue\r\nCache-Control:\r\n {private}max-age=60\r\n"),
                _ => format!("{many}Cache-Control: {private}max-age=60\r\nX-Odd: value\r\n"),
            };
            vec![Step::ok(&lines, &format!("answer {}", asked.again))]
        },
    )?;
    for kind in ["many", "space", "folded"] {
        for target in [format!("/{kind}"), format!("/private/{kind}"), format!("/uncached/{kind}")] {
            for again in 0..2 {
                let answer = Wire::to(&edge).await?.get(&target, "").await?;
                if !cx.runtime.takes_odd_heads(kind) && answer.status == 502 {
                    continue;
                }
                let is_stored = target.len() == kind.len() + 1;
                let number = if is_stored { 0 } else { again };
                assert_eq!(answer.told(), (200, format!("answer {number}"), true), "{target}: {answer:?}");
                ensure!(answer.field("x-odd").replace(' ', "") == "value", "{target}: {answer:?}");
                if kind == "many" {
                    ensure!((0..150).all(|n| answer.field(&format!("x-field-{n}")) == n.to_string()));
                }
            }
        }
    }
    ensure!(!origin.arrived().is_empty());
    Ok(())
}

async fn refused(edge: &Edge, bytes: &str) -> Result<Option<u16>> {
    let mut wire = Wire::to(edge).await?;
    wire.send(bytes).await;
    Ok(wire.answered("GET").await?.map(|answer| answer.status))
}

/// Checks that nothing of it has reached the origin.
fn nothing_came(origin: &RawOrigin, what: &str) -> Result<()> {
    ensure!(origin.arrived().is_empty(), "{what} reached the origin: {:?}", origin.arrived());
    origin.was_sent(&[])
}

pub(super) async fn a_host_is_a_host_and_a_port(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = plain(cx)?;
    let hosts = [
        "edge.example:80.evil.com",
        "edge.example:0",
        "edge.example:99999",
        "edge.example:80:80",
        "edge.example/evil",
        "edge.example?evil",
        "evil.com@edge.example",
        "edge.example#evil",
        "edge.example, evil.com",
        "[::1",
        "::1",
        "edge%2eexample",
    ]
    .map(|host| format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    let schemes = ["ftp://edge.example/raw/test/a", "file:///raw/test/a", "gopher://edge.example/raw/test/a"]
        .map(|url| format!("GET {url} HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n\r\n"));
    let mut wrong = Vec::new();
    for bytes in hosts.iter().chain(&schemes) {
        let status = refused(&edge, bytes).await?;
        let as_elsewhere = !cx.runtime.reads_heads_itself() && matches!(status, None | Some(200));
        if !as_elsewhere && !status.is_some_and(|status| (400..500).contains(&status)) {
            wrong.push(format!("{status:?} for {bytes:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    // Whatever a runtime has made of it, it is a request for a host that is served.
    for asked in origin.arrived() {
        ensure!(!cx.runtime.reads_heads_itself(), "{asked:?}");
        let host = asked.field("x-forwarded-host");
        ensure!(host == "edge.example" && asked.field("x-forwarded-proto") == "http", "{asked:?}");
    }
    Ok(())
}

pub(super) async fn a_line_ends_as_a_line_does(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = plain(cx)?;
    let host = edge.authority();
    for bytes in [
        format!("GET /raw/test/a HTTP/1.1\nHost: {host}\n\n"),
        format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\nX-A: 1\r\n\r\n"),
        format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\r\nX-A: 1\rX-B: 2\r\n\r\n"),
        format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r\n X-B: 2\r\n\r\n"),
        format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\r\nX-A : 1\r\n\r\n"),
        format!("GET /raw/test/a HTTP/1.1\r\nHost: {host}\r\nX-A: 1\0\r\n\r\n"),
    ] {
        assert_eq!(refused(&edge, &bytes).await?, Some(400), "{bytes:?}");
    }
    nothing_came(&origin, "an odd line")
}

pub(super) async fn trace_and_connect_end_at_the_edge(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = plain(cx)?;
    let host = edge.authority();
    for line in [
        String::from("TRACE /raw/test/a"),
        format!("CONNECT {host}"),
        String::from("CONNECT evil.example:443"),
    ] {
        let bytes = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        match refused(&edge, &bytes).await? {
            Some(status) => {
                ensure!((400..600).contains(&status), "{line}: {status}");
                ensure!(!cx.runtime.reads_heads_itself() || status == 405, "{line}: {status}");
            }
            None => ensure!(!cx.runtime.reads_heads_itself(), "{line}: closed without an answer"),
        }
    }
    nothing_came(&origin, "TRACE or CONNECT")?;
    assert_eq!(failures(&edge).await?, 0);
    Ok(())
}

pub(super) async fn only_a_websocket_is_upgraded(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = plain(cx)?;
    for (target, upgrade) in [("/a", "h2c"), ("/uncached/a", "h2c"), ("/b", "TLS/1.0"), ("/c", "spdy/3, foo")]
    {
        let lines = format!(
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        );
        let answer = Wire::to(&edge).await?.get(target, &lines).await?;
        assert_eq!(answer.told(), (200, target.to_owned(), true), "{upgrade}: {answer:?}");
    }
    for asked in origin.arrived() {
        for name in ["upgrade", "http2-settings"] {
            assert_eq!(asked.field(name), "", "{name}: {asked:?}");
        }
        ensure!(!asked.field("connection").to_ascii_lowercase().contains("upgrade"), "{asked:?}");
    }
    Ok(())
}

pub(super) async fn a_request_to_upgrade_is_not_answered_from_the_cache(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = plain(cx)?;
    for (target, lines) in [
        ("/named", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
        ("/unnamed", "Upgrade: websocket\r\n"),
        ("/other", "Upgrade: h2c\r\n"),
    ] {
        // Neither is what it brings stored, nor is it answered by what is.
        for (lines, asked, hit) in [(lines, 1, false), ("", 2, false), (lines, 3, false), ("", 3, true)] {
            let answer = Wire::to(&edge).await?.get(target, lines).await?;
            let came = (answer.status, answer.is_hit(), origin.asked(target).len());
            assert_eq!(came, (200, hit, asked), "{target} {lines:?}: {answer:?}");
        }
    }
    Ok(())
}
