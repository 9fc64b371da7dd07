//! Citations: keys in the text become numbers, and nothing that is typed goes without one.

pub(super) mod bibliography;
mod sentence;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use super::block::{Block, Entry, Inline};
use bibliography::{Bibliography, Kind};
pub(super) use sentence::check;

/// Around the numbers of a citation: characters that no text holds.
pub(super) const OPEN: char = '\u{e002}';
pub(super) const CLOSE: char = '\u{e003}';

/// What has been cited so far. Sources are numbered in the order in which they are first cited.
#[derive(Debug)]
pub(super) struct Citations {
    bibliography: Bibliography,
    cited: Vec<String>,
    /// The sources of pictures that are drawn for the text, by the picture's name.
    pictures: BTreeMap<String, Vec<String>>,
}

impl Citations {
    pub(super) fn new(bibliography: Bibliography) -> Self {
        Self { bibliography, cited: Vec::new(), pictures: BTreeMap::new() }
    }

    /// Names the sources of a picture.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn draw(&mut self, picture: &str, sources: &[String]) -> Result<()> {
        if sources.is_empty() {
            bail!("{picture} names no source");
        }
        self.pictures.insert(picture.to_owned(), sources.to_vec());
        Ok(())
    }

    /// The numbers of a picture's sources; `None` for one that was not drawn for the text.
    pub(super) fn of_picture(&mut self, picture: &str) -> Result<Option<Inline>> {
        let Some(keys) = self.pictures.get(picture).cloned() else { return Ok(None) };
        let numbers: Result<Vec<usize>> = keys.iter().map(|key| self.number(key)).collect();
        Ok(Some(Inline::Cite(numbers.with_context(|| format!("sources of {picture}"))?)))
    }

    /// The number of a source.
    ///
    /// # Errors
    /// When the bibliography has no such key.
    fn number(&mut self, key: &str) -> Result<usize> {
        if self.bibliography.get(key).is_none() {
            bail!("references.toml has no {key}");
        }
        let at = self.cited.iter().position(|cited| cited == key).unwrap_or_else(|| {
            self.cited.push(key.to_owned());
            self.cited.len() - 1
        });
        Ok(at + 1)
    }

    /// Puts marked numbers in the place of each `[@key]` or `[@key, @key]`. `at` says where a byte of the text is.
    pub(super) fn resolve(&mut self, text: &str, at: impl Fn(usize) -> String) -> Result<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(begin) = rest.find("[@") {
            let place = || at(text.len() - rest.len() + begin);
            let (before, after) = rest.split_at(begin);
            let end = after.find(']').with_context(|| format!("{}: ] is missing", place()))?;
            let mut numbers = Vec::new();
            for key in after[1..end].split(',') {
                let key = key.trim().strip_prefix('@').with_context(|| {
                    format!("{}: {:?} is no list of keys; write [@one, @two]", place(), &after[..=end])
                })?;
                numbers.push(self.number(key).with_context(place)?.to_string());
            }
            // A citation stays beside what it supports.
            out.push_str(before.trim_end_matches([' ', '\n']));
            out.push('\u{a0}');
            out.push(OPEN);
            out.push_str(&numbers.join(","));
            out.push(CLOSE);
            rest = &after[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The list of what was cited.
    ///
    /// # Errors
    /// When the bibliography holds what nothing cites.
    pub(super) fn list(&self) -> Result<Block> {
        let unused: Vec<&str> =
            self.bibliography.keys().filter(|key| !self.cited.iter().any(|cited| cited == key)).collect();
        if !unused.is_empty() {
            bail!("references.toml: nothing cites {}", unused.join(", "));
        }
        let entries = self.cited.iter().zip(1..).filter_map(|(key, number)| {
            let reference = self.bibliography.get(key)?;
            let mark = match reference.kind {
                Kind::Primary => String::new(),
                Kind::Press => String::from(" Press."),
                Kind::Quotation => String::from(" A quotation; the original could not be opened."),
            };
            let title = Inline::Link(reference.address.clone(), Inline::text(&reference.title));
            let words = vec![
                Inline::Text(format!("{}: ", reference.author)),
                title,
                Inline::Text(format!(", {}.{mark}", reference.date)),
            ];
            Some(Entry { number, words, supports: reference.supports.clone() })
        });
        Ok(Block::References(entries.collect()))
    }
}

/// A text whose citations are marked, as parts of a line.
pub(super) fn parts(text: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if !before.is_empty() {
            parts.push(Inline::Text(before.to_owned()));
        }
        let (numbers, after) = after.split_once(CLOSE).unwrap_or((after, ""));
        parts.push(Inline::Cite(numbers.split(',').filter_map(|number| number.parse().ok()).collect()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Inline::Text(rest.to_owned()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn citations() -> Citations {
        let entry = |key: &str| {
            format!(
                "[{key}]\ntitle = \"On {key}\"\nauthor = \"Somebody\"\ndate = \"2020\"\naddress = \"https://{key}.example/\"\n\
                 supports = \"it\"\nkind = \"press\"\n"
            )
        };
        let text: String = ["one", "two", "three"].map(entry).concat();
        Citations::new(Bibliography::parse(&text).expect("a bibliography"))
    }

    fn resolve(citations: &mut Citations, text: &str) -> Result<String> {
        citations.resolve(text, |at| format!("text.md at {at}"))
    }

    #[test]
    fn sources_are_numbered_as_they_are_cited() {
        let mut citations = citations();
        let text = resolve(&mut citations, "Ten [@two]. Nine [@one, @two].").expect("resolved");
        assert_eq!(
            parts(&text),
            [
                Inline::Text(String::from("Ten\u{a0}")),
                Inline::Cite(vec![1]),
                Inline::Text(String::from(". Nine\u{a0}")),
                Inline::Cite(vec![2, 1]),
                Inline::Text(String::from(".")),
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let error = resolve(&mut citations(), "Ten [@one, @four].").expect_err("unknown");
        assert_eq!(format!("{error:#}"), "text.md at 4: references.toml has no four");
        assert!(resolve(&mut citations(), "Ten [@one; @two].").is_err());
        assert!(resolve(&mut citations(), "Ten [@one.").is_err());
    }

    #[test]
    fn what_nothing_cites_is_named() {
        let mut citations = citations();
        resolve(&mut citations, "[@two]").expect("resolved");
        assert_eq!(
            citations.list().expect_err("unused").to_string(),
            "references.toml: nothing cites one, three"
        );
        resolve(&mut citations, "[@one][@three]").expect("resolved");
        let Block::References(entries) = citations.list().expect("all are cited") else { panic!("no list") };
        assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(format!("{:?}", entries[0].words).contains("Press."));
    }

    #[test]
    fn a_picture_has_sources() {
        let mut citations = citations();
        assert!(citations.draw("a.svg", &[]).is_err());
        citations.draw("a.svg", &[String::from("three")]).expect("named");
        citations.draw("b.svg", &[String::from("four")]).expect("named");
        assert_eq!(citations.of_picture("a.svg").expect("known"), Some(Inline::Cite(vec![1])));
        assert_eq!(citations.of_picture("c.svg").expect("not drawn"), None);
        assert!(citations.of_picture("b.svg").is_err());
    }
}
