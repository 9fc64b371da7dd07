//! A report as PDF, by typst: the same blocks as typst's markup, beside the pictures that they name.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Report;
use super::block::{Block, Entry, Inline, Table};
use super::evidence::Kept;
use crate::{files, run, tools};

/// Its wheels carry typst itself, with its fonts: the same pages everywhere.
const TYPST: &str = "typst==0.15.0\n";
/// How a page looks.
const TEMPLATE: &str = include_str!("template.typ");
/// Typst's own fonts alone; what a machine has besides must not matter.
const COMPILE: &str = "import sys, typst\n\
    typst.compile(sys.argv[1], output=sys.argv[2], root=sys.argv[3], ignore_system_fonts=True, timestamp=0)\n";

/// From so many characters in a cell on, a table is set smaller.
const LONG_CELL: usize = 160;

/// Writes the source and the pictures into a folder of `out`, and the PDF into `out`, by the name of the report.
pub(super) fn write(report: &Report, kept: &Kept, out: &Path) -> Result<PathBuf> {
    let folder = out.join("typst").join(report.name);
    let _ = fs::remove_dir_all(&folder);
    let mut source = format!(
        "{TEMPLATE}\n#show: report.with(title: {}, subtitle: {}, date: {}, floating: {})\n",
        string(&report.title),
        string(&report.subtitle),
        string(&report.date),
        report.floating
    );
    for (at, block) in report.blocks.iter().enumerate() {
        if matches!(block, Block::Heading(1, _)) && list_follows(&report.blocks[at + 1..]) {
            source.push_str("\n#pagebreak(weak: true)\n");
        }
        if let Block::Figure { file, .. } = block {
            files::write_if_changed(&folder.join(file), with_fonts(&kept.svg(file)?).as_bytes())?;
        }
        write_block(&mut source, block);
    }
    let file = folder.join("report.typ");
    files::write_if_changed(&file, source.as_bytes())?;
    let pdf = out.join(report.name).with_extension("pdf");
    let python = tools::python_environment("typst", TYPST)?.join("bin/python");
    let mut command = Command::new(python);
    command.args(["-c", COMPILE]).arg(&file).arg(&pdf).arg(&folder);
    run::quietly(&mut command).context("typst could not make the PDF")?;
    Ok(pdf)
}

/// Whether a section is the list of references, which takes a page of its own.
fn list_follows(blocks: &[Block]) -> bool {
    let section = blocks.iter().take_while(|block| !matches!(block, Block::Heading(1, _)));
    section.into_iter().any(|block| matches!(block, Block::References(_)))
}

fn write_block(out: &mut String, block: &Block) {
    let _ = match block {
        Block::Heading(level, words) => writeln!(out, "\n#heading(level: {level})[{}]", inline(words)),
        Block::Paragraph(words) => writeln!(out, "\n#par[{}]", inline(words)),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("[{}], ", inline(item))).collect();
            writeln!(out, "\n#list({items})")
        }
        Block::Table(table) => writeln!(out, "\n{}", write_table(table)),
        Block::Figure { file, caption } => {
            writeln!(out, "\n#picture({}, [{}])", string(file), inline(caption))
        }
        Block::Code(lines) => writeln!(out, "\n#raw(block: true, {})", string(lines)),
        Block::References(entries) => writeln!(out, "\n{}", write_references(entries)),
    };
}

fn write_references(entries: &[Entry]) -> String {
    let entries: String =
        entries.iter().map(|entry| format!("({}, [{}]), ", entry.number, inline(&entry.words))).collect();
    format!("#references(({entries}))")
}

fn write_table(table: &Table) -> String {
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(table.head.len());
    let list = |cells: &[Vec<Inline>]| -> String {
        cells.iter().map(|cell| format!("[{}], ", inline(cell))).collect()
    };
    let widths: String = (0..columns).map(|at| format!("{}, ", width(table, at))).collect();
    let right: String = (0..columns)
        .map(|at| if table.right.get(at) == Some(&true) { "right, " } else { "left, " })
        .collect();
    let rows: String = table.rows.iter().map(|row| list(row)).collect();
    let caption = inline(&table.caption);
    let longest = table.rows.iter().flatten().map(|cell| words(cell).chars().count()).max().unwrap_or(0);
    let small = longest > LONG_CELL;
    format!("#figures([{caption}], ({widths}), ({right}), ({}), ({rows}), small: {small})", list(&table.head))
}

/// What a column needs beside the others, in characters: its longest cell, or the longest word of its head, within bounds.
fn width(table: &Table, at: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.get(at)).map(|cell| words(cell).chars().count());
    let head = table.head.get(at).map(|cell| words(cell)).unwrap_or_default();
    let head = head.split_whitespace().map(|word| word.chars().count());
    cells.chain(head).max().unwrap_or(0).clamp(8, 46)
}

/// The words alone.
fn words(parts: &[Inline]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link(_, inner) => words(inner),
            Inline::Cite(numbers) => "00, ".repeat(numbers.len()),
        })
        .collect()
}

fn inline(parts: &[Inline]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Inline::Text(text) => escape(text),
            Inline::Code(text) => code(text),
            Inline::Cite(numbers) => {
                let numbers: String = numbers.iter().map(|number| format!("{number}, ")).collect();
                format!("#cited(({numbers}))")
            }
            Inline::Strong(inner) => format!("#strong[{}]", inline(inner)),
            Inline::Emphasis(inner) => format!("#emph[{}]", inline(inner)),
            Inline::Link(url, inner) => format!("#link({})[{}]", string(url), inline(inner)),
        })
        .map(|part| if part.starts_with('#') { format!("{part};") } else { part })
        .collect()
}

/// A name in code. A path may be broken behind each of its slashes.
fn code(text: &str) -> String {
    let pieces: Vec<String> =
        text.split_inclusive('/').map(|piece| format!("#raw({})", string(piece))).collect();
    pieces.join(";#sym.zws;")
}

/// Text as markup that means nothing but itself.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() && !",()!?%;".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// Text as a string of typst's.
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A picture in a font that typst has: without one of its own it would take any.
fn with_fonts(svg: &str) -> String {
    let family = |_: &str| String::from("Libertinus Serif");
    let attributes = replaced(svg, "font-family=\"", &['"'], family);
    let declared = replaced(&attributes, "font-family:", &[';', '}', '"'], family);
    // It runs narrower than the fonts that charts are laid out for, and they are printed smaller than on a screen.
    replaced(&declared, "font-size=\"", &['"'], |size| {
        size.parse::<f64>().map_or_else(|_| size.to_owned(), |size| format!("{:.1}", size * 1.2))
    })
}

/// Changes what stands between a mark and the first of these ends.
fn replaced(svg: &str, mark: &str, ends: &[char], change: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = svg;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at + mark.len());
        out.push_str(before);
        let (value, after) = after.split_at(after.find(ends).unwrap_or(after.len()));
        out.push_str(&change(value));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_text_becomes_markup() {
        assert_eq!(escape("#1 *a* _b_ $c$ [d] @e"), "\\#1 \\*a\\* \\_b\\_ \\$c\\$ \\[d\\] \\@e");
        assert_eq!(string("a \"b\" \\c"), "\"a \\\"b\\\" \\\\c\"");
        let parts = [Inline::Code(String::from("a")), Inline::Text(String::from("(b)"))];
        assert_eq!(inline(&parts), "#raw(\"a\");(b)");
        assert_eq!(inline(&[Inline::Cite(vec![3])]), "#cited((3, ));");
    }

    #[test]
    fn a_path_is_broken_at_its_slashes() {
        assert_eq!(code("edge/core"), "#raw(\"edge/\");#sym.zws;#raw(\"core\")");
        assert_eq!(code("max_inflight"), "#raw(\"max_inflight\")");
    }

    #[test]
    fn pictures_are_written_in_a_font_that_is_there() {
        let svg = "<svg font-family=\"Helvetica, sans-serif\" font-size=\"11\"><style>text{font-family:Arial;fill:red}</style></svg>";
        assert_eq!(
            with_fonts(svg),
            "<svg font-family=\"Libertinus Serif\" font-size=\"13.2\"><style>text{font-family:Libertinus Serif;fill:red}</style></svg>"
        );
    }
}
