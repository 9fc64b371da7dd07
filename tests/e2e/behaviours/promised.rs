//! `docs/origin.md` promises how each answer may be cached; under the `levee.toml` at the root that is what happens.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::client::{Answer, Ask, Edge};
use crate::cx::Cx;
use crate::world::Before;

/// What one row of the documentation's table promises.
struct Promise {
    answer: String,
    cache_control: String,
}

fn promises(docs: &str) -> Result<Vec<Promise>> {
    let table =
        docs.split_once("| answer | `Cache-Control` |").context("docs/origin.md has no such table")?.1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut promises: Vec<Promise> = Vec::new();
    for row in rows {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let answer = cells.next().context("a row without cells")?.to_owned();
        let cell = cells.next().context("a row with one cell")?;
        let cache_control = match cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) {
            Some(value) => value.to_owned(),
            None if cell == "as the seats" => {
                let seats = promises.iter().find(|promise| promise.answer.contains("/seats"));
                seats.context("the seats come first")?.cache_control.clone()
            }
            None => bail!("`{answer}` promises `{cell}`, which is no Cache-Control"),
        };
        promises.push(Promise { answer, cache_control });
    }
    Ok(promises)
}

/// What to ask for to see a row kept. Each row of the table has to be known here.
fn samples(answer: &str, shop: &Shop) -> Option<Vec<Ask>> {
    let Shop { film, screening, asset, order } = shop;
    let gets = |targets: &[String]| Some(targets.iter().map(|target| Ask::get(target)).collect());
    let get = |target: String| gets(&[target]);
    match answer {
        "`/`, `/?…`, `/api/films`" => gets(&[
            "/".into(),
            "/?q=heat&genre=Action".into(),
            "/api/films".into(),
            "/api/films?year=1999".into(),
        ]),
        "`/films/{id}`, `/api/films/{id}`" => gets(&[format!("/films/{film}"), format!("/api/films/{film}")]),
        "`/api/screenings/{id}`" => get(format!("/api/screenings/{screening}")),
        "`/api/screenings/{id}/seats`" => get(format!("/api/screenings/{screening}/seats")),
        "`/screenings/{id}`" => get(format!("/screenings/{screening}")),
        "`/data/{key}`" => get("/data/answer".into()),
        "`/assets/{name}.{hash}.{ext}`" => get(asset.clone()),
        "`/robots.txt`, `/favicon.ico`, `/problems`" => {
            gets(&["/robots.txt".into(), "/favicon.ico".into(), "/problems".into()])
        }
        "`/orders/{id}`, `/api/orders/{id}`, the checkout page" => gets(&[
            format!("/orders/{order}"),
            format!("/api/orders/{order}"),
            format!("/screenings/{screening}/checkout?seat=A1"),
        ]),
        "the answer to an order" => Some(vec![shop.order("second", "A2"), shop.order("second", "A2")]),
        "`/healthz`, `/readyz`" => gets(&["/healthz".into(), "/readyz".into()]),
        "404 of a film, a screening, a page" => gets(&[
            "/films/999999".into(),
            "/api/films/999999".into(),
            "/api/screenings/999999".into(),
            "/no/such/page".into(),
        ]),
        "404 of an order, every other error" => {
            gets(&["/orders/none".into(), "/api/orders/none".into(), "/api/films?page=none".into()])
        }
        _ => None,
    }
}

/// Things that exist.
struct Shop {
    film: u64,
    screening: u64,
    asset: String,
    order: String,
}

impl Shop {
    async fn visit(edge: &Edge) -> Result<Self> {
        let films = edge.get("/api/films?showing=1").await?.json()?;
        let film = films["films"][0]["id"].as_u64().context("no film is on")?;
        let details = edge.get(&format!("/api/films/{film}?from=visit")).await?.json()?;
        let id = |screening: &Value| screening["id"].as_u64();
        let screenings = details["screenings"].as_array().context("no screenings")?;
        let screening = screenings.last().and_then(id).context("a screening without an id")?;
        let home = edge.get("/?from=visit").await?.text();
        let asset = home.split('"').find(|text| text.starts_with("/assets/")).context("no asset")?.to_owned();
        let mut shop = Self { film, screening, asset, order: String::new() };
        let order = edge.send(shop.order("first", "A1")).await?;
        shop.order = order.json()?["id"].as_str().with_context(|| format!("{order:?}"))?.to_owned();
        Ok(shop)
    }

    fn order(&self, key: &str, seat: &str) -> Ask {
        let order = serde_json::json!({ "screening": self.screening, "seats": [seat], "name": "Ada" });
        Ask::new("POST", "/api/orders").field("idempotency-key", key).json(&order)
    }
}

pub(super) async fn each_answer_of_the_box_office_is_cached_as_its_documentation_says(
    cx: &Cx<'_>,
) -> Result<()> {
    let docs = std::fs::read_to_string(cx.parts()?.root.join("docs/origin.md")).context("docs/origin.md")?;
    let origin = cx.world.start_box_office(&cx.label(""))?;
    let mut setup = cx.setup(Before::BoxOffice, "")?;
    setup.origin.1 = origin.url().to_owned();
    let (_process, edge) = cx.start(&setup)?;
    let shop = Shop::visit(&Edge::at(origin.url())).await?;
    let mut kept = 0;
    for Promise { answer, cache_control } in promises(&docs)? {
        let known = || format!("no sample for the row `{answer}` of docs/origin.md");
        let (once, again) = (samples(&answer, &shop).with_context(known)?, samples(&answer, &shop));
        for (first, second) in once.into_iter().zip(again.into_iter().flatten()) {
            let what = format!("{answer}: {first:?}");
            let answers = [edge.send(first).await?, edge.send(second).await?];
            for found in &answers {
                assert_eq!(found.field("cache-control"), cache_control, "{what}: {found:?}");
                assert_eq!(found.field("cache-tag"), "", "tags are for the edge: {what}: {found:?}");
            }
            let [first, second] = answers;
            if cache_control.starts_with("public") {
                assert!(first.cache_status().starts_with("fwd=uri-miss"), "{what}: {first:?}");
                assert!(first.cache_status().ends_with("stored"), "{what}: {first:?}");
                assert!(is_from_store(&second), "{what}: {second:?}");
                assert_eq!(second.body, first.body, "{what}");
            } else {
                assert!(
                    !first.cache_status().contains("stored") && !is_from_store(&second),
                    "{what}: {second:?}"
                );
            }
            kept += 1;
        }
    }
    assert!(kept > 20, "{kept} samples");
    // Its own log says so too: the slow look-up was asked for twice, and made once.
    let asked = origin.log().lines().iter().filter(|line| line.contains("/data/answer")).count();
    assert_eq!(asked, 1);
    Ok(())
}

/// A second may go by between two requests, and some answers hold no longer.
fn is_from_store(answer: &Answer) -> bool {
    answer.is_hit() || answer.cache_status().ends_with("detail=stale-while-revalidate")
}
