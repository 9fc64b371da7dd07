//! Diagrams of boxes and arrows, from a text file: boxes on a grid, zones around them, arrows between neighbours.
//!
//! The layout is small on purpose. An arrow joins two boxes of one row, or of two rows that follow each other; the latter
//! goes down, across in the space between the rows, and down again. So no arrow can cross a box.

mod svg;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::case_study::Picture;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Diagram {
    /// What is seen, for those who do not see it.
    title: String,
    /// Keys of references.toml.
    sources: Vec<String>,
    #[serde(default, rename = "zone")]
    zones: Vec<Zone>,
    #[serde(rename = "box")]
    boxes: Vec<Node>,
    #[serde(rename = "arrow")]
    arrows: Vec<Arrow>,
}

/// What stands together: from one place of the grid to another, both within.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    name: String,
    from: Place,
    to: Place,
}

/// Column and row, from 0.
type Place = (usize, usize);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    id: String,
    at: Place,
    name: String,
    /// What it does, in lines of its own.
    #[serde(default)]
    note: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrow {
    from: String,
    to: String,
    #[serde(default)]
    label: String,
}

/// # Errors
/// When two boxes stand in one place, an arrow names no box or joins no neighbours, or a text does not fit.
pub(super) fn draw(text: &str) -> Result<Picture> {
    let diagram: Diagram = toml::from_str(text)?;
    diagram.check()?;
    Ok(Picture { svg: svg::write(&diagram)?, sources: diagram.sources })
}

impl Diagram {
    fn node(&self, id: &str) -> Result<&Node> {
        self.boxes.iter().find(|node| node.id == id).with_context(|| format!("there is no box {id}"))
    }

    fn check(&self) -> Result<()> {
        for (at, node) in self.boxes.iter().enumerate() {
            if let Some(other) =
                self.boxes[..at].iter().find(|other| other.at == node.at || other.id == node.id)
            {
                bail!("{} and {} are one box, or in one place", other.id, node.id);
            }
        }
        for arrow in &self.arrows {
            let (from, to) = (self.node(&arrow.from)?, self.node(&arrow.to)?);
            let between = |node: &&Node| {
                let (least, most) = (from.at.0.min(to.at.0), from.at.0.max(to.at.0));
                node.at.1 == from.at.1 && node.at.0 > least && node.at.0 < most
            };
            let blocked = from.at.1 == to.at.1 && self.boxes.iter().find(between).is_some();
            if from.at == to.at || blocked || from.at.1.abs_diff(to.at.1) > 1 {
                bail!("{} and {} are no neighbours", arrow.from, arrow.to);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "title = \"A path\"\nsources = [\"one\"]\n\
        [[zone]]\nname = \"a site\"\nfrom = [1, 0]\nto = [2, 0]\n\
        [[box]]\nid = \"reader\"\nat = [0, 0]\nname = \"Reader\"\n\
        [[box]]\nid = \"varnish\"\nat = [1, 0]\nname = \"Varnish\"\nnote = [\"memory\"]\n\
        [[box]]\nid = \"disk\"\nat = [2, 0]\nname = \"Traffic Server\"\n\
        [[box]]\nid = \"wiki\"\nat = [0, 1]\nname = \"MediaWiki & co\"\n\
        [[arrow]]\nfrom = \"reader\"\nto = \"varnish\"\nlabel = \"get\"\n\
        [[arrow]]\nfrom = \"varnish\"\nto = \"disk\"\n\
        [[arrow]]\nfrom = \"disk\"\nto = \"wiki\"\nlabel = \"miss\"\n";

    #[test]
    fn boxes_arrows_and_zones() {
        let picture = draw(FILE).expect("drawn");
        assert_eq!(picture.sources, ["one"]);
        for words in ["Reader", "memory", "MediaWiki &amp; co", "a site", "miss"] {
            assert!(picture.svg.contains(&format!(">{words}<")), "{words}");
        }
        assert_eq!(picture.svg.matches("marker-end").count(), 3);
        assert_eq!(draw(FILE).expect("drawn").svg, picture.svg, "the same text, the same bytes");
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        for (from, to, wanted) in [
            ("to = \"disk\"", "to = \"disc\"", "there is no box disc"),
            ("at = [2, 0]", "at = [1, 0]", "varnish and disk are one box"),
            (
                "from = \"reader\"\nto = \"varnish\"",
                "from = \"reader\"\nto = \"disk\"",
                "reader and disk are no neighbours",
            ),
            ("at = [0, 1]", "at = [0, 2]", "disk and wiki are no neighbours"),
            ("note = [\"memory\"]", "note = [\"memory, the same on each of the machines\"]", "does not fit"),
            ("label = \"get\"", "label = \"get the page\"", "does not fit"),
            ("to = [2, 0]", "to = [5, 0]", "lies outside"),
        ] {
            let error = format!("{:#}", draw(&FILE.replacen(from, to, 1)).expect_err("refused"));
            assert!(error.contains(wanted), "{error}");
        }
    }
}
