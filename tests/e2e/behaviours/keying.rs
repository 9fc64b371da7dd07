//! What tells two requests apart, and what is one place: for the key, for the routes, and for every check.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::{Ask, Edge};
use crate::cx::{Cx, Raw};
use crate::raw::{Step, Wire};
use crate::scripted::Reply;
use crate::world::Before;

pub(super) async fn the_key_is_of_the_request_that_is_sent(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) =
        cx.script(|asked| Reply::new("max-age=60").text(format!("for {:?}", asked.field("x-tenant"))))?;
    for (target, crafted) in [("/tenants/a", "x-tenant"), ("/tenants/b", "close, X-Tenant")] {
        let mut wire = Wire::to(&edge).await?;
        let answer = wire.get(target, &format!("X-Tenant: 7\r\nConnection: {crafted}\r\n")).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        for tenant in ["7", "8", "7"] {
            let own = edge.send(Ask::get(target).field("x-tenant", tenant)).await?;
            assert_eq!(own.text(), format!("for {tenant:?}"), "{crafted}: {own:?}");
        }
        assert_eq!(edge.get(target).await?.text(), "for \"\"");
    }
    Ok(())
}

pub(super) async fn edges_that_point_at_each_other_are_a_circle(cx: &Cx<'_>) -> Result<()> {
    // The first one's origin is a way to the second, whose address is known only later.
    let way = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut setup = cx.setup(Before::Scripted, "-first")?;
    setup.origin.1 = format!("http://{}", way.local_addr()?);
    let (_first, edge) = cx.start(&setup)?;
    let mut setup = cx.setup(Before::Scripted, "-second")?;
    setup.origin.1 = format!("http://{}", edge.authority());
    let (_second, other) = cx.start(&setup)?;
    let second = other.authority().to_owned();
    let relay = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = way.accept().await {
            let second = second.clone();
            connections.spawn(async move {
                if let Ok(mut to) = TcpStream::connect(second).await {
                    // Either side may end it.
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    });
    for edge in [&edge, &other] {
        for target in ["/a", "/x/y/uncached/a"] {
            let circle = edge.get(target).await?;
            assert_eq!(circle.status, 508, "{circle:?}");
            assert!(circle.text().contains("Loop"), "{circle:?}");
        }
    }
    relay.abort();
    Ok(())
}

/// The `Cookie` that the origin was last sent, as the bytes that the test wrote.
fn last_cookie(asked: &[crate::raw::Arrived]) -> String {
    asked.last().map(|asked| asked.field("cookie")).unwrap_or_default()
}

pub(super) async fn a_byte_above_ascii_hides_no_cookie(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        |asked| {
            let cookie: String = asked.field("cookie");
            vec![Step::ok("Cache-Control: max-age=60\r\n", &cookie.replace(|c: char| !c.is_ascii(), "?"))]
        },
    )?;
    let ask = async |target: &str, cookie: &[u8]| {
        let mut wire = Wire::to(&edge).await?;
        let head =
            format!("GET {}{target} HTTP/1.1\r\nHost: {}\r\nCookie: ", edge.prefix(), edge.authority());
        wire.send([head.as_bytes(), cookie, b"\r\n\r\n"].concat()).await;
        wire.answer("GET").await
    };
    let utf8: &[u8] = "name=J\u{e4}ger; lang=de".as_bytes();
    let latin1: &[u8] = b"name=J\xe4ger; lang=de";
    for (number, cookie) in [utf8, latin1].into_iter().enumerate() {
        if cookie == latin1 && !cx.runtime.passes_any_byte() {
            continue;
        }
        // Keyed: the cookies beside it are seen, and are all that is sent.
        let keyed = ask(&format!("/keyed/{number}"), cookie).await?;
        assert_eq!(keyed.told(), (200, "lang=de".into(), true), "{keyed:?}");
        let own = ask(&format!("/keyed/{number}"), b"lang=de").await?;
        ensure!(own.is_hit() && own.text() == "lang=de", "{own:?}");
        let other = ask(&format!("/keyed/{number}"), b"lang=en").await?;
        assert_eq!(other.text(), "lang=en", "{other:?}");
        // Passed: byte for byte.
        let target = format!("/uncached/{number}");
        assert_eq!(ask(&target, cookie).await?.status, 200);
        let sent: String = cookie.iter().map(|&byte| char::from(byte)).collect();
        assert_eq!(last_cookie(&origin.asked(&target)), sent);
        // And it is a credential: what it brings is for its client alone.
        let target = format!("/{number}");
        for _ in 0..2 {
            ensure!(!ask(&target, cookie).await?.is_hit());
        }
    }
    Ok(())
}

/// Two values of a keyed cookie that differ in bytes above ASCII alone.
pub(super) async fn bytes_above_ascii_tell_keys_apart(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        |asked| vec![Step::ok("Cache-Control: max-age=60\r\n", &format!("{:?}", asked.field("cookie")))],
    )?;
    let values: [&[u8]; 4] = ["\u{e4}".as_bytes(), "\u{f6}".as_bytes(), b"\xe4", b"\xf6"];
    let ways = if cx.runtime.passes_any_byte() { 4 } else { 2 };
    for value in &values[..ways] {
        for again in [false, true] {
            let mut wire = Wire::to(&edge).await?;
            let head = format!("GET {}/keyed/a HTTP/1.1\r\nHost: {}\r\n", edge.prefix(), edge.authority());
            wire.send([head.as_bytes(), b"Cookie: lang=", value, b"\r\n\r\n"].concat()).await;
            let answer = wire.answer("GET").await?;
            let sent: String = value.iter().map(|&byte| char::from(byte)).collect();
            assert_eq!(answer.text(), format!("{:?}", format!("lang={sent}")), "{answer:?}");
            assert_eq!(answer.is_hit(), again, "{answer:?}");
        }
    }
    assert_eq!(origin.asked("/keyed/a").len(), ways);
    Ok(())
}

/// What is asked for, and what answers it: the origin or the edge itself.
async fn answered_by(edge: &Edge, target: &str) -> Result<&'static str> {
    let answer = Wire::to(edge).await?.get(target, "").await?;
    Ok(match answer.text().as_str() {
        "the origin's" => "origin",
        text if text.contains("\"runtime\"") => "status",
        _ => "refused",
    })
}

pub(super) async fn each_spelling_of_a_path_is_one_place(cx: &Cx<'_>) -> Result<()> {
    let Raw { edge, process: _process, origin } =
        cx.raw(|same| same, |_| vec![Step::ok("Cache-Control: max-age=60\r\n", "the origin's")])?;
    let own = edge.clone().below("");
    for target in ["/.levee/", "/%2elevee/", "/%2Elevee/", "/x/../.levee/", "/./.levee/", "/x/%2e%2e/.levee/"]
    {
        assert_eq!(answered_by(&own, target).await?, "status", "{target}");
    }
    // These name other places, or none.
    for target in ["//.levee/", "/.levee%2f", "/;/.levee/", "/.LEVEE/", "/.leveed/", "/%252elevee/"] {
        let by = answered_by(&own, target).await?;
        ensure!(by != "status", "{target}");
    }
    let sent = origin.arrived();
    ensure!(sent.iter().all(|asked| !asked.target.starts_with("/.levee/")), "{sent:?}");
    // A route holds for each spelling of its paths.
    for target in ["/uncached/a", "/%75ncached/a", "/x/../uncached/a", "/./uncached/a"] {
        for _ in 0..2 {
            let answer = edge.get(target).await?;
            ensure!(answer.cache_status().contains("detail=route"), "{target}: {answer:?}");
        }
    }
    Ok(())
}
