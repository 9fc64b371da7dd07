//! A diagram as SVG.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::{Arrow, Diagram, Node, Place, Zone};
use crate::lab::chart::escape;

/// Of the picture, in its own units; as wide as a chart of the lab.
const WIDTH: f64 = 860.0;
/// Space above and below boxes, and beside the outermost.
const MARGIN: f64 = 14.0;
/// A box takes this share of its column.
const SHARE: f64 = 0.74;
/// Between two rows: an arrow's way across, and the name of a zone.
const BETWEEN: f64 = 54.0;
const NAME: f64 = 15.0;
const NOTE: f64 = 12.5;
const LINE: f64 = 16.5;
const FONT: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
const INK: &str = "#1a1a1a";
const FAINT: &str = "#5a5a5a";
const ACCENT: &str = "#0b5c8a";

/// The grid in units of the picture.
struct Grid {
    columns: f64,
    /// Top and height of each row.
    rows: Vec<(f64, f64)>,
}

/// A box in units of the picture.
struct Rect {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Rect {
    fn middle(&self) -> (f64, f64) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// # Errors
/// When a text is wider than where it stands, or a zone lies outside the grid.
pub(super) fn write(diagram: &Diagram) -> Result<String> {
    let grid = Grid::of(diagram);
    let height = grid.rows.last().map_or(0.0, |(top, height)| top + height) + MARGIN + 8.0;
    let title = escape(&diagram.title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" height=\"{height:.0}\" \
         font-family=\"{FONT}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 1L9 5L0 9z\" fill=\"{INK}\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for zone in &diagram.zones {
        draw_zone(&mut out, &grid, zone)?;
    }
    for arrow in &diagram.arrows {
        draw_arrow(&mut out, &grid, diagram, arrow)?;
    }
    for node in &diagram.boxes {
        draw_box(&mut out, &grid, node)?;
    }
    out.push_str("</svg>\n");
    Ok(out)
}

impl Grid {
    fn of(diagram: &Diagram) -> Self {
        let columns = diagram.boxes.iter().map(|node| node.at.0 + 1).max().unwrap_or(1) as f64;
        let last = diagram.boxes.iter().map(|node| node.at.1).max().unwrap_or(0);
        let mut rows = Vec::new();
        let mut top = MARGIN + 26.0;
        for row in 0..=last {
            let notes =
                diagram.boxes.iter().filter(|node| node.at.1 == row).map(|node| node.note.len()).max();
            let height = 34.0 + notes.unwrap_or(0) as f64 * LINE;
            rows.push((top, height));
            top += height + BETWEEN;
        }
        Self { columns, rows }
    }

    fn column(&self) -> f64 {
        (WIDTH - 2.0 * MARGIN) / self.columns
    }

    fn place(&self, (column, row): Place) -> Option<Rect> {
        let &(top, height) = self.rows.get(row).filter(|_| (column as f64) < self.columns)?;
        let width = self.column() * SHARE;
        let left = MARGIN + self.column() * column as f64 + (self.column() - width) / 2.0;
        Some(Rect { left, top, width, height })
    }
}

fn draw_box(out: &mut String, grid: &Grid, node: &Node) -> Result<()> {
    let Some(rect) = grid.place(node.at) else { return Ok(()) };
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\" fill=\"#ffffff\" stroke=\"{INK}\" stroke-width=\"1.3\"/>",
        rect.left, rect.top, rect.width, rect.height
    );
    let (middle, _) = rect.middle();
    // A box with less to say than its neighbours says it in its middle.
    let lines = 17.0 + node.note.len() as f64 * LINE;
    let mut base = rect.top + (rect.height - lines) / 2.0 + 13.0;
    fits(&node.name, NAME, rect.width - 8.0)?;
    words(out, (middle, base), "middle", NAME, INK, &node.name, true);
    for line in &node.note {
        base += LINE;
        fits(line, NOTE, rect.width - 8.0)?;
        words(out, (middle, base), "middle", NOTE, FAINT, line, false);
    }
    Ok(())
}

fn draw_zone(out: &mut String, grid: &Grid, zone: &Zone) -> Result<()> {
    let (Some(from), Some(to)) = (grid.place(zone.from), grid.place(zone.to)) else {
        bail!("the zone {:?} lies outside the grid", zone.name);
    };
    let around = (grid.column() - from.width) / 2.0 - 3.0;
    let (left, top) = (from.left - around, from.top - 26.0);
    let (width, height) = (to.right() + around - left, to.bottom() + 12.0 - top);
    let _ = writeln!(
        out,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"7\" fill=\"#f2f6f9\" stroke=\"{ACCENT}\" \
         stroke-width=\"1\" stroke-dasharray=\"5 3\"/>"
    );
    fits(&zone.name, NOTE, width - 16.0)?;
    words(out, (left + 9.0, top + 16.0), "start", NOTE, ACCENT, &zone.name, true);
    Ok(())
}

fn draw_arrow(out: &mut String, grid: &Grid, diagram: &Diagram, arrow: &Arrow) -> Result<()> {
    let (from, to) = (diagram.node(&arrow.from)?, diagram.node(&arrow.to)?);
    let (Some(a), Some(b)) = (grid.place(from.at), grid.place(to.at)) else { return Ok(()) };
    let (path, label, anchor, room) = if from.at.1 == to.at.1 {
        let (_, y) = a.middle();
        let (x, end) = if a.left < b.left { (a.right(), b.left) } else { (a.left, b.right()) };
        let path = format!("M{x:.1} {y:.1}L{end:.1} {y:.1}");
        (path, ((x + end) / 2.0, y - 6.0), "middle", (end - x).abs() - 4.0)
    } else {
        let down = from.at.1 < to.at.1;
        let (start, end) = if down { (a.bottom(), b.top) } else { (a.top, b.bottom()) };
        // Close below the upper row, where no name of a zone stands.
        let across = if down { a.bottom() + 21.0 } else { b.bottom() + 21.0 };
        let (x, to_x) = (a.middle().0, b.middle().0);
        let path = format!("M{x:.1} {start:.1}L{x:.1} {across:.1}L{to_x:.1} {across:.1}L{to_x:.1} {end:.1}");
        (path, (to_x + 7.0, across + 17.0), "start", grid.column() * 0.6)
    };
    let _ = writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.4\" stroke-linejoin=\"round\" marker-end=\"url(#head)\"/>"
    );
    if !arrow.label.is_empty() {
        fits(&arrow.label, NOTE, room)?;
        words(out, label, anchor, NOTE, INK, &arrow.label, false);
    }
    Ok(())
}

fn words(out: &mut String, at: (f64, f64), anchor: &str, size: f64, colour: &str, words: &str, bold: bool) {
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{colour}\"{weight}>{}</text>",
        at.0,
        at.1,
        escape(words)
    );
}

/// # Errors
/// When a text is wider than the room for it, as far as can be said without measuring letters.
fn fits(words: &str, size: f64, room: f64) -> Result<()> {
    let width = words.chars().count() as f64 * size * 0.52;
    if width > room {
        bail!("{words:?} does not fit: it is {width:.0} wide, and there are {room:.0}");
    }
    Ok(())
}
