//! What is refused before anything is looked up, and the edge's own page.

use anyhow::Result;

use super::caching::numbered;
use super::failing::assert_problem;
use crate::client::Ask;
use crate::cx::Cx;
use crate::world::Before;

pub(super) async fn a_host_that_is_not_listed_is_refused(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    let host = |host: &str| edge.send(Ask::get("/a").field("host", host));
    assert_problem(&host("other.example").await?, 421, "host-not-served")?;
    assert_eq!(origin.count(), 0);
    assert_eq!(host("edge.example").await?.status, 200);
    // Each host has entries of its own.
    assert_eq!(host("localhost").await?.text(), "answer 1");
    Ok(())
}

pub(super) async fn a_request_that_goes_in_a_circle_is_refused(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    edge.get("/a").await?;
    let here = origin.last()?.field("cdn-loop").to_owned();
    assert!(here.starts_with("levee-"), "{:?}", origin.last());
    assert_problem(
        &edge.send(Ask::get("/a").field("cdn-loop", &format!("other, {here}"))).await?,
        508,
        "loop",
    )?;
    assert_eq!(edge.send(Ask::get("/a").field("cdn-loop", "other, levee-0")).await?.status, 200);
    let way: Vec<String> = (0..17).map(|n| format!("levee-{n:016x}")).collect();
    assert_problem(&edge.send(Ask::get("/a").field("cdn-loop", &way.join(", "))).await?, 508, "loop")?;
    assert_eq!(origin.count(), 1);
    // An edge whose origin is an edge is no circle.
    let mut setup = cx.setup(Before::Scripted, "-second")?;
    setup.origin.1 = format!("http://{}", edge.authority());
    let (_second, outer) = cx.start(&setup)?;
    let passed = outer.get(&format!("{}/b", origin.prefix())).await?;
    assert_eq!(passed.status, 200, "{passed:?}");
    assert_eq!(origin.count(), 2);
    let hops = origin.last()?.field("cdn-loop").to_owned();
    assert!(hops.contains(&here) && hops.matches("levee-").count() == 2, "{hops}");
    Ok(())
}

pub(super) async fn a_target_that_cannot_be_read_is_refused(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    for target in ["/%zz", "/a%00b", "/%"] {
        assert_problem(&edge.get(target).await?, 400, "bad-target")?;
    }
    let long = format!("/{}", "a".repeat(9_000));
    assert_problem(&edge.get(&long).await?, 414, "uri-too-long")?;
    assert_eq!(origin.count(), 0);
    Ok(())
}

pub(super) async fn the_status_page_is_open_on_ones_own_machine(cx: &Cx<'_>) -> Result<()> {
    let (process, edge) = cx.start(&cx.setup(Before::BoxOffice, "")?)?;
    edge.get("/robots.txt").await?;
    edge.get("/robots.txt").await?;
    let status = edge.get("/.levee/").await?;
    assert_eq!((status.status, status.field("content-type").as_str()), (200, "application/json"));
    let json = status.json()?;
    assert_eq!(
        (&json["counters"]["hits_memory"], &json["counters"]["misses"]),
        (&1.into(), &1.into()),
        "{json}"
    );
    assert!(json["version"].as_str().is_some_and(|version| version.contains('.')), "{json}");
    assert!(json["routes"].as_array().is_some_and(|routes| routes.len() > 5), "{json}");
    let page = edge.send(Ask::get("/.levee/").field("accept", "text/html")).await?;
    assert!(page.text().contains("<h1>Levee"), "{page:?}");
    assert!(page.field("cache-control").contains("no-store"));
    assert_problem(&edge.get("/.levee/none").await?, 404, "no-such-page")?;
    drop(process);
    Ok(())
}

pub(super) async fn the_status_page_asks_for_a_token_elsewhere(cx: &Cx<'_>) -> Result<()> {
    let mut setup = cx.setup(Before::BoxOffice, "")?;
    setup.token = Some(String::from("s3cret"));
    let (_process, edge) = cx.start(&setup)?;
    let asked = edge.get("/.levee/").await?;
    assert_problem(&asked, 401, "token-needed")?;
    assert!(asked.field("www-authenticate").starts_with("Basic"), "{asked:?}");
    let with = |value: &str| edge.send(Ask::get("/.levee/").field("authorization", value));
    assert_eq!(with("Bearer wrong").await?.status, 401);
    assert_eq!(with("Bearer s3cret").await?.status, 200);
    // As a browser sends it once it has asked: any name, the token as password.
    assert_eq!(with("Basic YW55OnMzY3JldA==").await?.status, 200);
    Ok(())
}
