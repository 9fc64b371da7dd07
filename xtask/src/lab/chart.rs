//! Charts as SVG: one style for all, units on every axis, told apart by colour and by dashes, readable in print.
//!
//! The palette is Okabe and Ito's, which the colour-blind can tell apart. The same data give the same bytes.

mod bars;
mod scale;
mod years;

use std::fmt::Write as _;

#[allow(unused_imports, reason = "the comparison draws with them")]
pub(crate) use bars::{Bar, Bars};
pub(crate) use scale::Scale;
pub(crate) use years::{Beside, Panel, Point, Series, Years};

/// Colour and dashes of each line, in this order.
const STYLES: [(&str, &str); 8] = [
    ("#0072b2", ""),
    ("#d55e00", "7 3"),
    ("#009e73", "2 2.5"),
    ("#cc79a7", "9 3 2 3"),
    ("#56b4e9", "12 4"),
    ("#e69f00", "5 2 1 2"),
    ("#000000", "1 3"),
    ("#7a5c00", "3 5"),
];
const FONT: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
const INK: &str = "#1a1a1a";
const FAINT: &str = "#5a5a5a";
const GRID: &str = "#dddddd";

const WIDTH: f64 = 860.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 18.0;
const PLOT: f64 = 230.0;
/// Height of a line of text.
const LINE: f64 = 17.0;

/// One line of a chart: its name and its points, `x` ascending. `NaN` interrupts it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines over time.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What the vertical axis shows, with its unit: `requests a second`.
    pub(crate) y: String,
    pub(crate) scale: Scale,
    pub(crate) lines: Vec<Line>,
    /// Horizontal lines that are to be held, with what they are called.
    pub(crate) limits: Vec<(String, f64)>,
    /// Moments, in seconds, at which something was done.
    pub(crate) events: Vec<(f64, String)>,
    /// What the horizontal axis shows, with its unit.
    pub(crate) x: String,
    /// Where the horizontal axis ends at least.
    pub(crate) until: f64,
}

impl Chart {
    /// An empty chart over seconds since the start, its vertical axis from zero.
    pub(crate) fn over_time(title: impl Into<String>, y: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            y: y.into(),
            scale: Scale::Linear,
            lines: Vec::new(),
            limits: Vec::new(),
            events: Vec::new(),
            x: String::from("time since the start, seconds"),
            until: 1.0,
        }
    }

    /// With a horizontal axis that does not end before this.
    pub(crate) fn until(mut self, end: f64) -> Self {
        self.until = end;
        self
    }

    /// With a logarithmic vertical axis.
    pub(crate) fn logarithmic(mut self) -> Self {
        self.scale = Scale::Log;
        self
    }

    /// With one more line; one without points is left out.
    pub(crate) fn line(mut self, name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        if points.iter().any(|point| point.1.is_finite()) {
            self.lines.push(Line { name: name.into(), points });
        }
        self
    }

    /// With a horizontal line that is to be held.
    pub(crate) fn limit(mut self, name: impl Into<String>, at: f64) -> Self {
        self.limits.push((name.into(), at));
        self
    }

    /// With vertical lines where something was done.
    pub(crate) fn events(mut self, events: &[(f64, String)]) -> Self {
        self.events.extend_from_slice(events);
        self
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The chart as a document of its own.
    pub(crate) fn svg(&self) -> String {
        let rows = self.legend_rows();
        let top = 34.0 + rows.len() as f64 * LINE + if self.events.is_empty() { 4.0 } else { 20.0 };
        let (width, height) = (WIDTH - LEFT - RIGHT, top + PLOT + 46.0);
        let mut out = open(WIDTH, height, &self.title);
        let values = || self.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
        let limits = self.limits.iter().map(|limit| limit.1);
        let vertical = scale::Axis::fit(self.scale, values().chain(limits));
        let moments = self.lines.iter().flat_map(|line| &line.points).map(|point| point.0);
        let last = moments.chain(self.events.iter().map(|event| event.0)).fold(self.until, f64::max);
        let horizontal = scale::Axis::to(last);
        let x = |value: f64| LEFT + horizontal.place(value) * width;
        let y = |value: f64| top + PLOT - vertical.place(value) * PLOT;

        text(&mut out, LEFT, 20.0, "start", 14.0, INK, &self.title, true);
        self.legend(&mut out, &rows);
        for tick in vertical.ticks() {
            let at = y(tick);
            rule(&mut out, (LEFT, at), (LEFT + width, at), GRID, 1.0, "");
            text(&mut out, LEFT - 8.0, at + 4.0, "end", 11.0, INK, &scale::label(tick), false);
        }
        for tick in horizontal.ticks() {
            let at = x(tick);
            rule(&mut out, (at, top + PLOT), (at, top + PLOT + 5.0), INK, 1.0, "");
            text(&mut out, at, top + PLOT + 18.0, "middle", 11.0, INK, &scale::label(tick), false);
        }
        rule(&mut out, (LEFT, top + PLOT), (LEFT + width, top + PLOT), INK, 1.0, "");
        text(&mut out, LEFT + width / 2.0, top + PLOT + 37.0, "middle", 12.0, INK, &self.x, false);
        let middle = top + PLOT / 2.0;
        let _ = writeln!(
            out,
            "<text transform=\"translate(15 {middle:.1}) rotate(-90)\" text-anchor=\"middle\" font-size=\"12\" \
             fill=\"{INK}\">{}</text>",
            escape(&self.y)
        );
        let mut taken = f64::NEG_INFINITY;
        for (at, name) in &self.events {
            let at = x(*at);
            rule(&mut out, (at, top - 4.0), (at, top + PLOT), FAINT, 1.0, "4 3");
            let half = wide(name, 11.0) / 2.0;
            let middle = at.clamp(LEFT + half, (LEFT + width - half).max(LEFT + half));
            if middle - half > taken {
                text(&mut out, middle, top - 8.0, "middle", 11.0, FAINT, name, false);
                taken = middle + half + 6.0;
            }
        }
        for (name, at) in &self.limits {
            rule(&mut out, (LEFT, y(*at)), (LEFT + width, y(*at)), INK, 1.2, "1 4");
            text(&mut out, LEFT + width - 4.0, y(*at) - 5.0, "end", 11.0, INK, name, false);
        }
        for (line, (colour, dashes)) in self.lines.iter().zip(STYLES.iter().cycle()) {
            let path = path(&line.points, &x, &y, vertical.least());
            let _ = writeln!(
                out,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" stroke-linejoin=\"round\" \
                 stroke-dasharray=\"{dashes}\"/>"
            );
            for (at, value) in lone(&line.points) {
                let (at, value) = (x(at), y(value.max(vertical.least())));
                let _ = writeln!(out, "<circle cx=\"{at:.1}\" cy=\"{value:.1}\" r=\"3\" fill=\"{colour}\"/>");
            }
        }
        out.push_str("</svg>\n");
        out
    }

    /// Which lines stand in which row of the legend.
    fn legend_rows(&self) -> Vec<Vec<usize>> {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut left = 0.0;
        for (at, line) in self.lines.iter().enumerate() {
            let need = 40.0 + wide(&line.name, 12.0) + 16.0;
            match rows.last_mut() {
                Some(row) if need <= left => row.push(at),
                _ => {
                    rows.push(vec![at]);
                    left = WIDTH - LEFT - RIGHT;
                }
            }
            left -= need;
        }
        rows
    }

    fn legend(&self, out: &mut String, rows: &[Vec<usize>]) {
        for (row, members) in rows.iter().enumerate() {
            let base = 40.0 + row as f64 * LINE;
            let mut at = LEFT;
            for &member in members {
                let (colour, dashes) = STYLES[member % STYLES.len()];
                rule(out, (at, base - 4.0), (at + 32.0, base - 4.0), colour, 2.4, dashes);
                let name = &self.lines[member].name;
                text(out, at + 38.0, base, "start", 12.0, INK, name, false);
                at += 40.0 + wide(name, 12.0) + 16.0;
            }
        }
    }
}

fn path(points: &[(f64, f64)], x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64, least: f64) -> String {
    let mut path = String::new();
    let mut down = false;
    for &(at, value) in points {
        if !value.is_finite() {
            down = false;
            continue;
        }
        let _ = write!(path, "{}{:.1} {:.1}", if down { "L" } else { "M" }, x(at), y(value.max(least)));
        down = true;
    }
    path
}

/// Points without a neighbour on either side, which a line alone would not show.
fn lone(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let there = |at: Option<usize>| at.and_then(|at| points.get(at)).is_some_and(|point| point.1.is_finite());
    (0..points.len())
        .filter(move |&at| there(Some(at)) && !there(at.checked_sub(1)) && !there(Some(at + 1)))
        .map(|at| points[at])
}

fn open(width: f64, height: f64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height:.0}\" width=\"{width}\" \
         height=\"{height:.0}\" font-family=\"{FONT}\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escape(title)
    )
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64), colour: &str, width: f64, dashes: &str) {
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dashes}/>",
        from.0, from.1, to.0, to.1
    );
}

#[allow(clippy::too_many_arguments, reason = "what a text of SVG is made of")]
fn text(out: &mut String, x: f64, y: f64, anchor: &str, size: f64, colour: &str, words: &str, bold: bool) {
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{colour}\"{weight}>{}</text>",
        escape(words)
    );
}

/// About how wide a text is: enough to keep two apart.
fn wide(words: &str, size: f64) -> f64 {
    words.chars().count() as f64 * size * 0.54
}

/// A text as it stands in XML and in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        Chart::over_time("Rate & <order>", "requests a second")
            .line("one", vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)])
            .line("none", vec![(0.0, f64::NAN)])
            .limit("objective", 5.0)
            .events(&[(1.0, String::from("origin 3 joins"))])
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        assert_eq!(chart().svg(), chart().svg());
    }

    #[test]
    fn gaps_stay_gaps_and_text_is_escaped() {
        let svg = chart().svg();
        assert_eq!(svg.matches("<path").count(), 1);
        let path = svg.lines().find(|line| line.starts_with("<path")).expect("a path");
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(svg.matches("<circle").count(), 2, "each of the two points stands alone");
        assert!(svg.contains("Rate &amp; &lt;order&gt;") && svg.contains("objective"), "{svg}");
    }

    #[test]
    fn many_lines_take_more_rows() {
        let mut chart = Chart::over_time("t", "y");
        for at in 0..7 {
            chart = chart.line(format!("a line with a rather long name, number {at}"), vec![(0.0, 1.0)]);
        }
        assert!(chart.legend_rows().len() > 1);
        assert_eq!(chart.legend_rows().concat(), (0..7).collect::<Vec<_>>());
    }
}
