//! Horizontal bars with their spread, for figures of several things beside each other.

use super::{FAINT, GRID, INK, LEFT, RIGHT, STYLES, Scale, WIDTH, open, rule, scale, text, wide};
use std::fmt::Write as _;

/// Height of a bar, and of the space between two.
const BAR: f64 = 16.0;
const GAP: f64 = 7.0;

/// One figure: a bar to `value`, a whisker from `least` to `most`.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// Drawn in another colour, and named in bold.
    pub(crate) own: bool,
}

/// Bars in groups, one group below the other, on one axis.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    pub(crate) title: String,
    /// What the axis shows, with its unit.
    pub(crate) x: String,
    pub(crate) scale: Scale,
    /// Each group with its heading; an empty heading takes no space.
    pub(crate) groups: Vec<(String, Vec<Bar>)>,
}

impl Bars {
    /// The chart as a document of its own.
    pub(crate) fn svg(&self) -> String {
        let bars = || self.groups.iter().flat_map(|group| &group.1);
        let names = bars().map(|bar| wide(&bar.name, 12.5)).fold(LEFT, f64::max) + 18.0;
        // Room for the figure behind the longest bar.
        let width = WIDTH - names - RIGHT - 70.0;
        let headings = self.groups.iter().filter(|group| !group.0.is_empty()).count() as f64;
        let plot = bars().count() as f64 * (BAR + GAP) + headings * 24.0 + GAP;
        let (top, height) = (36.0, 36.0 + plot + 46.0);
        let axis = scale::Axis::fit(self.scale, bars().flat_map(|bar| [bar.value, bar.most]));
        let x = |value: f64| names + axis.place(value) * width;

        let mut out = open(WIDTH, height, &self.title);
        text(&mut out, 12.0, 20.0, "start", 14.0, INK, &self.title, true);
        for tick in axis.ticks() {
            rule(&mut out, (x(tick), top), (x(tick), top + plot), GRID, 1.0, "");
            text(&mut out, x(tick), top + plot + 16.0, "middle", 11.0, INK, &scale::label(tick), false);
        }
        let mut y = top + GAP;
        for (heading, group) in &self.groups {
            if !heading.is_empty() {
                text(&mut out, 12.0, y + 14.0, "start", 12.0, FAINT, heading, true);
                y += 24.0;
            }
            for bar in group {
                let (colour, end) = (STYLES[usize::from(!bar.own) * 4].0, x(bar.value));
                let base = y + BAR - 4.0;
                text(&mut out, names - 8.0, base, "end", 12.0, INK, &bar.name, bar.own);
                let _ = writeln!(
                    out,
                    "<rect x=\"{names:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>",
                    (end - names).max(0.5)
                );
                let middle = y + BAR / 2.0;
                rule(&mut out, (x(bar.least), middle), (x(bar.most), middle), INK, 1.4, "");
                for at in [bar.least, bar.most] {
                    rule(&mut out, (x(at), middle - 4.0), (x(at), middle + 4.0), INK, 1.4, "");
                }
                let after = end.max(x(bar.most)) + 6.0;
                text(&mut out, after, base, "start", 11.5, INK, &scale::label(rounded(bar.value)), bar.own);
                y += BAR + GAP;
            }
        }
        rule(&mut out, (names, top), (names, top + plot), INK, 1.0, "");
        text(&mut out, names + width / 2.0, top + plot + 36.0, "middle", 12.0, INK, &self.x, false);
        out.push_str("</svg>\n");
        out
    }
}

/// To three significant digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let unit = 10f64.powf(value.abs().log10().floor() - 2.0);
    (value / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_has_its_figure_and_whisker() {
        let bar = |name: &str, value| Bar {
            name: name.to_owned(),
            value,
            least: value * 0.9,
            most: value * 1.1,
            own: name == "levee",
        };
        let bars = Bars {
            title: String::from("CPU a request"),
            x: String::from("microseconds"),
            scale: Scale::Linear,
            groups: vec![(String::from("warm"), vec![bar("levee", 12.345), bar("nginx", 24.0)])],
        };
        let svg = bars.svg();
        assert!(svg.contains(">12.3<") && svg.contains(">24<"), "{svg}");
        assert_eq!(svg.matches("<rect x=").count(), 2);
        assert_eq!(rounded(1234.0), 1230.0);
    }
}
