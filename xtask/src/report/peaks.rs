//! `report/case-study/peaks.toml`: peaks and capacity over the years, each point with its source, as a chart.

use anyhow::{Result, bail};
use serde::Deserialize;

use super::case_study::Picture;
use crate::lab::chart::{Beside, Panel, Point, Scale, Series, Years};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peaks {
    title: String,
    /// The ends of the axis, in years.
    from: f64,
    to: f64,
    #[serde(rename = "panel")]
    panels: Vec<Shown>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// What the axis shows, with its unit.
    y: String,
    #[serde(default)]
    logarithmic: bool,
    /// In units of the picture.
    height: f64,
    #[serde(rename = "series")]
    series: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(rename = "point")]
    points: Vec<Cited>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cited {
    /// With its part of a year behind the point: `2025.35` is the beginning of May.
    year: f64,
    value: f64,
    /// What stands beside it.
    #[serde(default)]
    label: String,
    /// Where the label stands: `above`, `left` or `right`.
    #[serde(default)]
    beside: Beside,
    /// A key of references.toml.
    source: String,
    /// How the value follows from the source, where it does not stand there.
    #[serde(default)]
    derived: String,
}

/// # Errors
/// When a point names no source, lies outside the axis, or a line goes back in time.
pub(super) fn draw(text: &str) -> Result<Picture> {
    let peaks: Peaks = toml::from_str(text)?;
    let mut sources: Vec<String> = Vec::new();
    let mut panels = Vec::new();
    for panel in peaks.panels {
        let mut series = Vec::new();
        for line in panel.series {
            let mut points: Vec<Point> = Vec::new();
            for point in line.points {
                let place = format!("{}, {}", line.name, point.year);
                if point.source.trim().is_empty() {
                    bail!("{place}: the point names no source");
                }
                if !(peaks.from..=peaks.to).contains(&point.year) {
                    bail!("{place}: the point lies outside {} to {}", peaks.from, peaks.to);
                }
                if points.last().is_some_and(|before| before.year >= point.year) {
                    bail!("{place}: the point does not come after the one before it");
                }
                if !sources.contains(&point.source) {
                    sources.push(point.source);
                }
                // What is worked out is drawn hollow.
                let hollow = !point.derived.is_empty();
                let (label, beside) = (point.label, point.beside);
                points.push(Point { year: point.year, value: point.value, label, beside, hollow });
            }
            series.push(Series { name: line.name, points });
        }
        let scale = if panel.logarithmic { Scale::Log } else { Scale::Linear };
        panels.push(Panel { y: panel.y, scale, height: panel.height, series });
    }
    let years = Years { title: peaks.title, from: peaks.from, to: peaks.to, panels };
    Ok(Picture { svg: years.svg(), sources })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "title = \"Peaks\"\nfrom = 2006\nto = 2026\n[[panel]]\ny = \"requests a second\"\nlogarithmic = true\nheight = 200\n\
        [[panel.series]]\nname = \"peak\"\n[[panel.series.point]]\nyear = 2007.0\nvalue = 30000\nsource = \"slides\"\n\
        [[panel.series.point]]\nyear = 2025.35\nvalue = 800000\nlabel = \"800,000\"\nsource = \"papal\"\n";

    #[test]
    fn points_and_their_sources() {
        let picture = draw(FILE).expect("drawn");
        assert_eq!(picture.sources, ["slides", "papal"]);
        assert!(picture.svg.contains(">800,000<") && picture.svg.contains(">2010<"));
        assert_eq!(picture.svg.matches("<circle").count(), 2);
    }

    #[test]
    fn a_point_without_a_source_is_refused() {
        for (from, to, wanted) in [
            ("source = \"papal\"", "source = \" \"", "peak, 2025.35: the point names no source"),
            ("source = \"papal\"", "", "missing field `source`"),
            ("2025.35", "2027", "outside"),
            ("2025.35", "2007", "does not come after"),
        ] {
            let error = format!("{:#}", draw(&FILE.replace(from, to)).expect_err("refused"));
            assert!(error.contains(wanted), "{error}");
        }
    }
}
