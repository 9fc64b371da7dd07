//! What there is to ask for, by rank: read from the system itself, so that it is the real catalogue.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

/// Slots of a rank table: each is one of the equally likely upper halves of a draw.
const SLOTS: usize = 1 << 16;

/// Searches and films, best known first.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Catalogue {
    /// Search strings over the whole catalogue, ready to stand in a URL.
    pub(super) searches: Vec<String>,
    /// Films in the programme.
    pub(super) films: Vec<Film>,
}

/// A film with its screenings: the number of each, its rows, and the seats of its narrowest row.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Film {
    pub(super) id: u64,
    pub(super) screenings: Vec<(u64, u64, u64)>,
}

impl Catalogue {
    /// As many searches and films as the real one has, for a server that does not look at what it is asked for.
    pub(super) fn invented() -> Self {
        let films =
            (1..=450).map(|id| Film { id, screenings: (1..=18).map(|at| (id * 18 + at, 10, 8)).collect() });
        Self { searches: (1..=3200).map(|number| format!("film+{number}")).collect(), films: films.collect() }
    }

    /// Asks a box office for everything that the traffic is about.
    ///
    /// # Errors
    /// When it does not answer as the box office does.
    pub(super) fn fetch(base_url: &str) -> Result<Self> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(std::time::Duration::from_secs(30)))
            .build()
            .into();
        let get = |path: &str| -> Result<Value> {
            let mut answer =
                agent.get(format!("{base_url}{path}")).call().with_context(|| format!("GET {path}"))?;
            let text = answer.body_mut().read_to_string().with_context(|| format!("GET {path}"))?;
            serde_json::from_str(&text).with_context(|| format!("GET {path} is not answered with JSON"))
        };
        let mut listed = films(&get, "/api/films?page=")?;
        listed.sort_by_key(|film| std::cmp::Reverse(film["votes"].as_u64().unwrap_or(0)));
        let searches = listed.iter().filter_map(|film| film["title"].as_str()).map(search).collect();
        let mut halls = HashMap::new();
        let mut programme = Vec::new();
        for film in listed.iter().filter(|film| film["showings"].as_u64().unwrap_or(0) > 0) {
            let id = film["id"].as_u64().context("a film without a number")?;
            let film = get(&format!("/api/films/{id}"))?;
            let mut screenings = Vec::new();
            for screening in film["screenings"].as_array().into_iter().flatten() {
                let id = screening["id"].as_u64().context("a screening without a number")?;
                let hall = format!("{} {}", screening["cinema"]["id"], screening["hall"]);
                let (rows, seats) = match halls.get(&hall) {
                    Some(&known) => known,
                    None => {
                        let found = plan(&get(&format!("/api/screenings/{id}"))?)?;
                        halls.insert(hall, found);
                        found
                    }
                };
                screenings.push((id, rows, seats));
            }
            if !screenings.is_empty() {
                programme.push(Film { id, screenings });
            }
        }
        if programme.is_empty() {
            bail!(
                "{base_url} has no film in its programme: it is not the box office, or its database is empty"
            );
        }
        Ok(Self { searches, films: programme })
    }
}

fn films(get: &impl Fn(&str) -> Result<Value>, path: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut page = 1;
    loop {
        let mut answer = get(&format!("{path}{page}"))?;
        match answer["films"].take() {
            Value::Array(films) => all.extend(films),
            _ => bail!("a search is not answered with films: this is not the box office"),
        }
        if answer["pages"].as_u64().is_none_or(|pages| page >= pages) {
            return Ok(all);
        }
        page += 1;
    }
}

fn plan(screening: &Value) -> Result<(u64, u64)> {
    let rows = screening["rows"].as_array().context("a screening without a plan")?;
    let seats = rows.iter().filter_map(|row| row["seats"].as_u64()).min().context("a plan without seats")?;
    Ok((rows.len() as u64, seats))
}

/// What somebody types who looks for a title: its first two words that hold nothing but letters and digits of ASCII.
fn search(title: &str) -> String {
    let plain = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphanumeric());
    let words: Vec<String> = title.split_whitespace().filter(plain).take(2).map(str::to_lowercase).collect();
    if words.is_empty() {
        // What need not be encoded is not: one tool would undo it, the other not (RFC 3986, section 6.2.2.2).
        let encoded = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        };
        return title.bytes().map(encoded).collect();
    }
    words.join("+")
}

/// For each slot the rank it stands for, by Zipf's law: rank `r` (from 0) gets slots in proportion to `1 / (r + 1)^exponent`.
pub(super) fn ranks(count: usize, exponent: f64) -> Vec<u32> {
    let shares = shares(count, exponent);
    let mut table = Vec::with_capacity(SLOTS);
    let mut sum = 0.0;
    for (rank, share) in shares.iter().enumerate() {
        sum += share;
        // Rounded at the borders, so that the error of one rank is the next one's and nothing adds up.
        let border = if rank + 1 == count { SLOTS } else { (sum * SLOTS as f64).round() as usize };
        table.resize(border.max(table.len()), u32::try_from(rank).unwrap_or(u32::MAX));
    }
    table
}

/// The share of each rank.
pub(super) fn shares(count: usize, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_shared_by_zipfs_law() {
        let table = ranks(3, 1.0);
        assert_eq!(table.len(), SLOTS);
        let count = |rank| table.iter().filter(|&&slot| slot == rank).count() as f64 / SLOTS as f64;
        for (rank, share) in [(0, 6.0 / 11.0), (1, 3.0 / 11.0), (2, 2.0 / 11.0)] {
            assert!((count(rank) - share).abs() < 1e-4, "{rank}: {}", count(rank));
        }
        let long = ranks(3200, 0.8);
        assert_eq!((long.len(), long.last()), (SLOTS, Some(&3199)));
    }

    #[test]
    fn searches_are_what_people_type() {
        assert_eq!(search("The Lord of the Rings"), "the+lord");
        assert_eq!(search("Ocean's Eleven"), "eleven");
        assert_eq!(search("Ça"), "%C3%87a");
        assert_eq!((search("9"), search("Catch-22")), (String::from("9"), String::from("Catch-22")));
    }
}
