//! Values over years, one panel above the other, each point with what it was.

use std::fmt::Write as _;

use super::{FAINT, GRID, INK, RIGHT, STYLES, Scale, WIDTH, open, rule, scale, text, wide};

/// Points that are further apart, in years, are not joined: nothing is known of what lies between them.
const FAR: f64 = 6.0;
/// Room for the figures of an axis.
const LEFT: f64 = 80.0;
/// Between two panels.
const BETWEEN: f64 = 58.0;
/// Size of a label beside a point, and of the axes.
const LABEL: f64 = 12.5;

/// Panels on one axis of years.
#[derive(Clone, Debug)]
pub(crate) struct Years {
    pub(crate) title: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) panels: Vec<Panel>,
}

/// Lines on one vertical axis.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// What the axis shows, with its unit.
    pub(crate) y: String,
    pub(crate) scale: Scale,
    pub(crate) height: f64,
    pub(crate) series: Vec<Series>,
}

/// Points of one kind, joined by a line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

/// Where a point's label stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Beside {
    #[default]
    Above,
    Left,
    Right,
}

/// One value.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) year: f64,
    pub(crate) value: f64,
    pub(crate) label: String,
    pub(crate) beside: Beside,
    /// Drawn as a ring.
    pub(crate) hollow: bool,
}

impl Years {
    /// The chart as a document of its own. Its title is for those who do not see it: a caption stands below.
    pub(crate) fn svg(&self) -> String {
        let heights: f64 = self.panels.iter().map(|panel| panel.height + BETWEEN).sum();
        let mut out = open(WIDTH, heights + 10.0, &self.title);
        let width = WIDTH - LEFT - RIGHT;
        let x = |year: f64| LEFT + (year - self.from) / (self.to - self.from) * width;
        let mut top = 34.0;
        for panel in &self.panels {
            let bottom = top + panel.height;
            let values = panel.series.iter().flat_map(|series| &series.points).map(|point| point.value);
            let axis = scale::Axis::fit(panel.scale, values);
            let y = |value: f64| bottom - axis.place(value) * panel.height;
            for tick in axis.ticks() {
                rule(&mut out, (LEFT, y(tick)), (LEFT + width, y(tick)), GRID, 1.0, "");
                text(&mut out, LEFT - 8.0, y(tick) + 4.0, "end", LABEL, INK, &scale::label(tick), false);
            }
            self.years(&mut out, bottom, &x);
            panel.heading(&mut out, top - 12.0);
            for (series, (colour, dashes)) in panel.series.iter().zip(STYLES.iter().cycle()) {
                series.draw(&mut out, colour, dashes, &x, &y);
            }
            top = bottom + BETWEEN;
        }
        out.push_str("</svg>\n");
        out
    }

    /// A tick at each year, a number at each fifth.
    fn years(&self, out: &mut String, bottom: f64, x: &impl Fn(f64) -> f64) {
        rule(out, (x(self.from), bottom), (x(self.to), bottom), INK, 1.0, "");
        let mut year = self.from.ceil();
        while year <= self.to {
            let named = (year / 5.0).fract() < 1e-9;
            rule(out, (x(year), bottom), (x(year), bottom + if named { 6.0 } else { 3.0 }), INK, 1.0, "");
            if named {
                text(out, x(year), bottom + 19.0, "middle", LABEL, INK, &format!("{year:.0}"), false);
            }
            year += 1.0;
        }
    }
}

impl Panel {
    /// What the axis shows, and which line is which.
    fn heading(&self, out: &mut String, base: f64) {
        text(out, LEFT, base, "start", LABEL, INK, &self.y, true);
        let mut at = LEFT + wide(&self.y, LABEL) + 40.0;
        if self.series.len() < 2 {
            return;
        }
        for (series, (colour, dashes)) in self.series.iter().zip(STYLES.iter().cycle()) {
            rule(out, (at, base - 4.0), (at + 30.0, base - 4.0), colour, 2.2, dashes);
            text(out, at + 36.0, base, "start", LABEL, INK, &series.name, false);
            at += 36.0 + wide(&series.name, LABEL) + 28.0;
        }
    }
}

impl Series {
    fn draw(
        &self,
        out: &mut String,
        colour: &str,
        dashes: &str,
        x: &impl Fn(f64) -> f64,
        y: &impl Fn(f64) -> f64,
    ) {
        for point in self.points.iter().filter(|point| !point.label.is_empty()) {
            let (at, value) = (x(point.year), y(point.value));
            let (anchor, at, value) = match point.beside {
                Beside::Above => ("middle", at, value - 10.0),
                Beside::Left => ("end", at - 9.0, value - 1.0),
                Beside::Right => ("start", at + 9.0, value + 4.0),
            };
            label(out, at, value, anchor, &point.label);
        }
        for pair in self.points.windows(2) {
            if let [from, to] = pair
                && to.year - from.year <= FAR
            {
                let ends = ((x(from.year), y(from.value)), (x(to.year), y(to.value)));
                rule(out, ends.0, ends.1, colour, 1.6, dashes);
            }
        }
        for point in &self.points {
            let (at, value) = (x(point.year), y(point.value));
            let fill = if point.hollow { "#ffffff" } else { colour };
            let _ = writeln!(
                out,
                "<circle cx=\"{at:.1}\" cy=\"{value:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.6\"/>"
            );
        }
    }
}

/// A label that stays legible where it meets a line of the grid: on white.
fn label(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let width = wide(words, LABEL);
    let left = match anchor {
        "end" => x - width,
        "middle" => x - width / 2.0,
        _ => x,
    };
    let _ = writeln!(
        out,
        "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"#ffffff\"/>",
        y - LABEL * 0.8,
        LABEL
    );
    text(out, x, y, anchor, LABEL, FAINT, words, false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_have_no_thousands() {
        let point = |year: f64, hollow| Point {
            year,
            value: 3.0,
            label: String::from("a & b"),
            beside: Beside::Left,
            hollow,
        };
        let series = vec![Series {
            name: String::from("sites"),
            points: vec![point(2010.5, false), point(2011.0, true)],
        }];
        let panel = Panel { y: String::from("sites"), scale: Scale::Linear, height: 100.0, series };
        let years = Years { title: String::from("t"), from: 2009.0, to: 2016.0, panels: vec![panel] };
        let svg = years.svg();
        assert!(svg.contains(">2010<") && svg.contains(">2015<") && !svg.contains("2,0"), "{svg}");
        assert_eq!(svg.matches("a &amp; b").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}
