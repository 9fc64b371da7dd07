//! What the edge shows of itself: to whom, and that it only shows.

use anyhow::Result;
use serde_json::Value;

use super::caching::numbered;
use super::failing::assert_problem;
use crate::client::{Answer, Ask};
use crate::cx::{Cx, Raw};
use crate::raw::{Step, Wire};
use crate::scripted::Reply;

/// A path as the value of explain's `url`.
fn encoded(path: &str) -> String {
    let encode = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

fn explain(path: &str) -> String {
    format!("/.levee/explain?url={}", encoded(path))
}

pub(super) async fn explain_explains_no_page_of_the_edges_own(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("no-store"))?;
    // The edge's own pages lie beside what this test's part of the origin answers.
    let own = edge.clone().below("");
    for page in [
        "/.levee/",
        "/.levee",
        "/.levee/explain?url=/a",
        "/%2elevee/",
        "/%2Elevee/explain?url=/a",
        "/x/../.levee/",
        "/x/%2e%2e/.levee/explain?url=/a",
    ] {
        let refused = own.get(&explain(page)).await?;
        assert_problem(&refused, 400, "reserved")?;
    }
    // Each level used to be explained by the one around it.
    let mut nested = String::from("/a");
    for _ in 0..85 {
        nested = format!("/.levee/explain?url={nested}");
    }
    assert_eq!(own.get(&nested).await?.status, 400);
    assert_eq!(origin.count(), 0);
    assert_eq!(edge.get("/still-here").await?.status, 200);
    Ok(())
}

pub(super) async fn what_explain_sends_carries_no_length_without_its_body(cx: &Cx<'_>) -> Result<()> {
    let script = |asked: &crate::raw::Arrived| {
        let lifetime = if asked.target == "/popular" { "max-age=60" } else { "no-store" };
        vec![Step::ok(&format!("Cache-Control: {lifetime}\r\n"), &format!("for {}", asked.target))]
    };
    let Raw { edge, origin, process: _process } = cx.raw(|same| same, script)?;
    // The body would be the next request on the edge's connection to the origin, or the next request this body.
    let smuggled = "GET /raw/test/stolen HTTP/1.1\r\nHost: origin.example\r\n\r\n";
    let lengths =
        [format!("Content-Length: {}\r\n", smuggled.len()), String::from("Transfer-Encoding: chunked\r\n")];
    let target = explain(&format!("{}/uncached/a", edge.prefix()));
    let own = edge.clone().below("");
    for framing in &lengths {
        let mut wire = Wire::to(&own).await?;
        wire.head("GET", &target, &format!("{framing}Content-Type: a/b\r\nExpect: 100-continue\r\n")).await;
        let chunked = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
        wire.send(if framing.starts_with('C') { smuggled } else { &chunked }).await;
        let explained = wire.answer("GET").await?;
        assert!(explained.status < 500, "{explained:?}");
    }
    for arrived in origin.asked("/uncached/a") {
        for name in ["content-length", "transfer-encoding", "content-type", "expect"] {
            assert_eq!(arrived.field(name), "", "{name}: {arrived:?}");
        }
    }
    let explained = origin.asked("/uncached/a").len();
    for _ in 0..2 {
        assert_eq!(edge.get("/popular").await?.text(), "for /popular");
    }
    let mut expected = vec!["GET /popular"];
    expected.resize(1 + explained, "GET /uncached/a");
    origin.was_sent(&expected)
}

pub(super) async fn the_edge_is_open_to_its_own_machine_alone(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("no-store"))?;
    let own = edge.clone().below("");
    let port = edge.authority().rsplit(':').next().unwrap_or_default();
    let localhost = format!("localhost:{port}");
    let here = format!("http://{}", edge.authority());
    let pages = ["/.levee/", "/.levee/status", "/.levee/explain?url=/a"];
    for page in pages {
        for fields in [
            vec![],
            vec![("host", localhost.as_str())],
            vec![("sec-fetch-site", "none")],
            vec![("sec-fetch-site", "same-origin"), ("origin", here.as_str())],
        ] {
            let ask = fields.iter().fold(Ask::get(page), |ask, (name, value)| ask.field(name, value));
            assert_eq!(own.send(ask).await?.status, 200, "{page} {fields:?}");
        }
    }
    let asked = origin.count();
    // Through a proxy on the same host, from a page that a developer has open, under a name that points here.
    for page in pages {
        for fields in [
            vec![("host", "edge.example")],
            vec![("x-forwarded-for", "192.0.2.1")],
            vec![("x-forwarded-host", "edge.example")],
            vec![("forwarded", "for=192.0.2.1")],
            vec![("x-real-ip", "192.0.2.1")],
            vec![("via", "1.1 proxy")],
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![("levee-token", "guessed"), ("host", "edge.example")],
        ] {
            let ask = fields.iter().fold(Ask::get(page), |ask, (name, value)| ask.field(name, value));
            let refused = own.send(ask).await?;
            assert!([401, 403].contains(&refused.status), "{page} {fields:?}: {refused:?}");
            assert!(!refused.text().contains("scripted"), "it tells of the origin: {refused:?}");
        }
    }
    assert_eq!(origin.count(), asked);
    Ok(())
}

pub(super) async fn the_edges_own_pages_are_neither_stored_nor_guessed_at(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|_| Reply::new("no-store").text("x"))?;
    let own = edge.clone().below("");
    let html = |target: &str| Ask::get(target).field("accept", "text/html");
    for ask in [
        Ask::get("/.levee/"),
        html("/.levee/"),
        Ask::get("/.levee/explain?url=/a"),
        Ask::get("/.levee/none"),
        Ask::get("/.levee/").field("host", "edge.example"),
        Ask::get("/%zz"),
        html("/%zz"),
        Ask::get("/a").field("host", "other.example"),
        Ask::get("/a").field("cache-control", "only-if-cached"),
    ] {
        let what = format!("{ask:?}");
        let page = own.send(ask).await?;
        assert_eq!(page.field("x-content-type-options"), "nosniff", "{what}: {page:?}");
        assert!(page.field("cache-control").contains("no-store"), "{what}: {page:?}");
    }
    Ok(())
}

pub(super) async fn only_if_cached_never_reaches_the_origin(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("public, max-age=60"))?;
    let wanted =
        |method: &str, target: &str| Ask::new(method, target).field("cache-control", "only-if-cached");
    for method in ["GET", "HEAD"] {
        for target in ["/a", "/uncached/a", "/keyed/a"] {
            for (name, value) in [
                ("cookie", "sid=1"),
                ("authorization", "Basic YQ=="),
                ("range", "bytes=0-1"),
                ("if-none-match", "\"v1\""),
                ("accept", "*/*"),
            ] {
                let refused = edge.send(wanted(method, target).field(name, value)).await?;
                assert_eq!(refused.status, 504, "{method} {target} {name}: {refused:?}");
            }
        }
    }
    assert_eq!(origin.count(), 0);
    // What is stored answers.
    edge.get("/a").await?;
    assert_eq!(edge.send(wanted("GET", "/a")).await?.text(), "answer 0");
    Ok(())
}

/// What a step of an explanation says.
fn step(explained: &Answer, name: &str) -> Result<String> {
    let steps: Vec<Value> = serde_json::from_value(explained.json()?)?;
    let found = steps.iter().find(|step| step["step"] == name);
    Ok(found.and_then(|step| step["what"].as_str()).unwrap_or_default().to_owned())
}

pub(super) async fn explain_shows_what_was_decided(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    edge.get("/a").await?;
    let own = edge.clone().below("");
    let target = explain(&format!("{}/a", edge.prefix()));
    let hit = own.get(&target).await?;
    assert!(step(&hit, "decide")?.starts_with("serve it"), "{hit:?}");
    assert!(step(&hit, "respond")?.contains("hit"), "{hit:?}");
    // What is stored is not for those who show who they are, and explain says what then happens.
    let passed = own.send(Ask::get(&target).field("cookie", "sid=1")).await?;
    assert!(!step(&passed, "decide")?.starts_with("serve it"), "{passed:?}");
    assert!(step(&passed, "respond")?.contains("fwd=bypass"), "{passed:?}");
    assert_eq!(origin.count(), 2, "each was made once");
    Ok(())
}
