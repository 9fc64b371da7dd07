//! Flame graphs: where a process's CPU time goes, from perf's samples to an SVG that needs no script.
//!
//! Drawn here because the tools that draw them are under licences that this project does not take (`deny.toml`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::chart::escape;

const WIDTH: f64 = 1200.0;
const ROW: f64 = 15.0;
const TOP: f64 = 40.0;
/// Narrower frames are left out, in pixels.
const LEAST: f64 = 0.6;
/// What a letter takes, in pixels.
const LETTER: f64 = 6.1;

/// A function, with all that it called.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    samples: u64,
    calls: BTreeMap<String, Self>,
}

impl Frame {
    /// Reads what `perf script` prints: blocks of a line about the sample and the stack, innermost first.
    pub(crate) fn read(script: &str) -> Self {
        let mut root = Self::default();
        for block in script.split("\n\n") {
            let mut stack: Vec<String> = block
                .lines()
                // Frames are indented, the line about the sample is not.
                .filter(|line| line.starts_with([' ', '\t']))
                .filter_map(function)
                .collect();
            if !stack.is_empty() {
                stack.reverse();
                root.add(&stack);
            }
        }
        root
    }

    fn add(&mut self, stack: &[String]) {
        self.samples += 1;
        if let Some((first, rest)) = stack.split_first() {
            self.calls.entry(first.clone()).or_default().add(rest);
        }
    }

    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// The functions in which most samples were taken, and their share.
    pub(crate) fn hottest(&self, count: usize) -> Vec<(String, f64)> {
        let mut own = BTreeMap::new();
        self.own(&mut own);
        let mut own: Vec<(String, u64)> = own.into_iter().collect();
        own.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
        own.truncate(count);
        own.into_iter().map(|(name, samples)| (name, samples as f64 / self.samples.max(1) as f64)).collect()
    }

    fn own(&self, into: &mut BTreeMap<String, u64>) {
        for (name, frame) in &self.calls {
            let called: u64 = frame.calls.values().map(|frame| frame.samples).sum();
            *into.entry(name.clone()).or_default() += frame.samples - called;
            frame.own(into);
        }
    }

    /// The graph as a document of its own: the outermost functions at the foot.
    pub(crate) fn svg(&self, title: &str) -> String {
        let height = TOP + self.depth() as f64 * ROW + 10.0;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" font-family=\"'DejaVu Sans Mono', \
             Menlo, Consolas, monospace\" font-size=\"10\" role=\"img\">\n<title>{0}</title>\n<rect width=\"100%\" \
             height=\"100%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{0}</text>\n<text x=\"10\" \
             y=\"33\" fill=\"#5a5a5a\">{1} samples of CPU time; widths are shares of it. Orange: Levee and the box office; blue: \
             libraries; grey: the system.</text>\n",
            escape(title),
            self.samples
        );
        self.draw(&mut out, 0.0, height - 10.0, WIDTH / self.samples.max(1) as f64);
        out.push_str("</svg>\n");
        out
    }

    fn depth(&self) -> usize {
        self.calls.values().map(|frame| 1 + frame.depth()).max().unwrap_or(0)
    }

    fn draw(&self, out: &mut String, left: f64, foot: f64, a_sample: f64) {
        let mut x = left;
        for (name, frame) in &self.calls {
            let width = frame.samples as f64 * a_sample;
            if width >= LEAST {
                let share = width / WIDTH * 100.0;
                let y = foot - ROW;
                let _ = write!(
                    out,
                    "<g><title>{} ({share:.1}%)</title><rect x=\"{x:.1}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"14\" \
                     fill=\"{}\" stroke=\"#fff\" stroke-width=\".5\"/>",
                    escape(name),
                    colour(name)
                );
                let letters = ((width - 4.0) / LETTER).floor();
                if letters >= 3.0 {
                    let shown: String = short(name).chars().take(letters as usize).collect();
                    let _ = write!(
                        out,
                        "<text x=\"{:.1}\" y=\"{:.0}\">{}</text>",
                        x + 2.0,
                        y + 11.0,
                        escape(&shown)
                    );
                }
                out.push_str("</g>\n");
                frame.draw(out, x, y, a_sample);
            }
            x += width;
        }
    }
}

/// The name in a line such as `55d0 levee::edge::get+0x1f (/usr/bin/levee)`, without address, offset and hash.
fn function(line: &str) -> Option<String> {
    let (_, rest) = line.trim().split_once(' ')?;
    let (name, library) = rest.rsplit_once(" (").unwrap_or((rest, ""));
    let name = name.rsplit_once("+0x").map_or(name, |(name, _)| name);
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => name,
    };
    let system =
        library.contains("[kernel") || library.contains("[unknown]") && line.trim().starts_with("ffff");
    Some(if system { format!("{name} (system)") } else { name.to_owned() })
}

fn colour(name: &str) -> &'static str {
    if name.ends_with("(system)") {
        "#cfcfcf"
    } else if name.contains("levee") {
        "#f0a35e"
    } else {
        "#9cc8e8"
    }
}

/// The last parts of a path, and no type parameters: what fits.
fn short(name: &str) -> String {
    let (mut text, mut depth) = (String::new(), 0_u32);
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    let text = if text.trim_matches(':').is_empty() { name.to_owned() } else { text };
    let parts: Vec<&str> = text.split("::").filter(|part| !part.is_empty()).collect();
    parts[parts.len().saturating_sub(2)..].join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "levee 1 1.0: 1 cpu-clock:\n\t55 levee::hit+0x1 (/l)\n\t56 levee::main::h0123456789abcdef+0x2 (/l)\n\n\
                          levee 1 1.1: 1 cpu-clock:\n\tffff tcp_sendmsg+0x1 ([kernel.kallsyms])\n\t56 levee::main::h0123456789abcdef+0x9 (/l)\n\n";

    #[test]
    fn stacks_with_the_same_beginning_are_one() {
        let root = Frame::read(SCRIPT);
        assert_eq!(root.samples(), 2);
        assert_eq!(root.calls.keys().collect::<Vec<_>>(), ["levee::main"]);
        assert_eq!(root.hottest(1)[0].1, 0.5);
        let svg = root.svg("a & b");
        assert!(svg.contains("a &amp; b") && svg.contains("tcp_sendmsg (system) (50.0%)"), "{svg}");
    }

    #[test]
    fn names_are_cut_to_what_says_most() {
        assert_eq!(
            short("hyper::proto::h1::dispatch::Dispatcher<D,B,I,T>::poll_catch"),
            "Dispatcher::poll_catch"
        );
        assert_eq!(short("<alloc::sync::Arc<T> as core::ops::Drop>::drop"), "drop");
        assert_eq!(short("main"), "main");
    }
}
