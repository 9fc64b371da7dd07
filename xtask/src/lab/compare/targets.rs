//! What is asked for: the box office's own addresses, in the shares of `loadtest/traffic.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// The part of `loadtest/traffic.toml` that is read here.
#[derive(Debug, Deserialize)]
struct Traffic {
    mix: Mix,
    popularity: Popularity,
}

/// Shares of all requests. Orders are no cache's business.
#[derive(Debug, Deserialize)]
struct Mix {
    search: f64,
    film: f64,
    screening: f64,
    seats: f64,
}

#[derive(Debug, Deserialize)]
struct Popularity {
    exponent: f64,
}

/// Targets (path and query) of each load.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    /// Each once, from an empty cache: films as data.
    pub(crate) films: Vec<String>,
    /// Cached: the classic look-up, a small JSON document under a few keys.
    pub(crate) data: Vec<String>,
    /// Cached: what visitors of the shop read, the popular the more often. The seat map is not among them: good for a second, it
    /// is not a cached answer throughout.
    pub(crate) pages: Vec<String>,
    /// All that visitors read, seat maps included.
    pub(crate) traffic: Vec<String>,
    /// One cold key.
    pub(crate) stampede: Vec<String>,
}

/// Films of the catalogue that are surely there.
const FILMS: usize = 3000;
/// Ranks that are asked for, of each kind.
const RANKS: usize = 48;
/// Requests until the list begins anew.
const LENGTH: f64 = 400.0;

impl Targets {
    /// Asks the running origin what it has.
    pub(crate) fn read(root: &Path, origin: &str) -> Result<Self> {
        let file = root.join("loadtest/traffic.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let traffic: Traffic =
            toml::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?;
        let (mix, exponent) = (&traffic.mix, traffic.popularity.exponent);
        let searches = films(origin, "")?.iter().map(search).collect::<Result<Vec<_>>>()?;
        let showing = films(origin, "&showing=1")?;
        let numbers = showing.iter().map(|film| number(&film["id"])).collect::<Result<Vec<_>>>()?;
        let screenings = numbers.iter().map(|film| screening(origin, *film)).collect::<Result<Vec<_>>>()?;
        let kinds = [
            (mix.search, searches),
            (mix.film, numbers.iter().map(|film| format!("/api/films/{film}")).collect()),
            (mix.screening, screenings.iter().map(|number| format!("/api/screenings/{number}")).collect()),
        ];
        let seats: Vec<String> =
            screenings.iter().map(|number| format!("/api/screenings/{number}/seats")).collect();
        let cached =
            kinds.each_ref().map(|(share, targets): &(f64, Vec<String>)| (*share, targets.as_slice()));
        let all = [cached[0], cached[1], cached[2], (mix.seats, seats.as_slice())];
        Ok(Self {
            films: (1..=FILMS).map(|film| format!("/api/films/{film}")).collect(),
            data: (0..8).map(|key| format!("/data/warm-{key}")).collect(),
            pages: mixed(&cached, exponent),
            traffic: mixed(&all, exponent),
            stampede: vec![String::from("/data/stampede")],
        })
    }
}

/// The best known films, two pages of the list.
fn films(origin: &str, narrowed: &str) -> Result<Vec<Value>> {
    let mut films = Vec::new();
    for page in 1..=2 {
        let list = ask(&format!("{origin}/api/films?page={page}{narrowed}"))?;
        films.extend(list["films"].as_array().into_iter().flatten().cloned());
    }
    if films.len() < RANKS {
        bail!("the origin lists {} films only", films.len());
    }
    Ok(films)
}

/// People type the beginning of a title.
fn search(film: &Value) -> Result<String> {
    let title = film["title"].as_str().context("a film without a title")?;
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 2);
    let word = words.max_by_key(|word| word.len()).unwrap_or("the").to_lowercase();
    Ok(format!("/api/films?q={}", &word[..word.len().min(6)]))
}

/// One screening of a film in the programme.
fn screening(origin: &str, film: u64) -> Result<u64> {
    number(&ask(&format!("{origin}/api/films/{film}"))?["screenings"][0]["url"])
        .or_else(|_| bail!("film {film} is said to be in the programme, and has no screening"))
}

/// A number, or the one at the end of an address.
fn number(value: &Value) -> Result<u64> {
    let last = value.as_str().and_then(|address| address.rsplit('/').next()?.parse().ok());
    value.as_u64().or(last).context("no number")
}

fn ask(url: &str) -> Result<Value> {
    match levee_harness::get(url) {
        Some((200, body)) => serde_json::from_str(&body).with_context(|| format!("{url} is no JSON")),
        _ => bail!("{url} has no answer"),
    }
}

/// Kinds by their shares, and within each the target of rank r in proportion to 1/r^exponent, as evenly mixed as can be.
fn mixed(kinds: &[(f64, &[String])], exponent: f64) -> Vec<String> {
    let shares: f64 = kinds.iter().map(|(share, _)| share).sum();
    let mut placed: Vec<(f64, &String)> = Vec::new();
    for (share, targets) in kinds {
        let weight = |rank: usize| ((rank + 1) as f64).powf(-exponent);
        let weights: f64 = (0..targets.len()).map(weight).sum();
        for (rank, target) in targets.iter().enumerate() {
            let count = (LENGTH * share / shares * weight(rank) / weights).round().max(1.0);
            // Evenly over the list, each beginning at a place of its own.
            let offset = (rank as f64 * 0.618).fract();
            placed.extend((0..count as usize).map(|at| ((at as f64 + offset) / count, target)));
        }
    }
    placed.sort_by(|one, other| one.0.total_cmp(&other.0));
    placed.into_iter().map(|(_, target)| target.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_ranks_are_kept() {
        let (a, b) = (["a0", "a1"].map(String::from), ["b"].map(String::from));
        let list = mixed(&[(0.75, &a), (0.25, &b)], 1.0);
        let count = |name: &str| list.iter().filter(|target| *target == name).count();
        assert_eq!((count("a0"), count("a1"), count("b")), (200, 100, 100));
        // Not one after the other.
        assert!(list[..20].iter().any(|target| target == "b"));
    }

    #[test]
    fn the_beginning_of_a_title() {
        let film = serde_json::json!({ "title": "The Lord of the Rings: Two Towers" });
        assert_eq!(search(&film).expect("a title"), "/api/films?q=towers");
    }

    #[test]
    fn a_number_may_stand_at_the_end_of_an_address() {
        assert_eq!(number(&serde_json::json!("/screenings/17")).expect("a number"), 17);
        assert!(number(&serde_json::json!(null)).is_err());
    }
}
