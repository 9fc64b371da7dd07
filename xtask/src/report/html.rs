//! The report as one HTML file, which needs no network.

use std::fmt::Write as _;

use anyhow::Result;

use super::Report;
use super::block::{Block, Entry, Inline, Table};
use super::evidence::Kept;

const STYLE: &str = include_str!("style.css");

pub(super) fn write(report: &Report, kept: &Kept) -> Result<String> {
    let title = escape(&report.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{}</p>\n\
         <p class=\"date\">{}</p>\n</header>\n",
        escape(&report.subtitle),
        escape(&report.date)
    );
    out.push_str(&contents(&report.blocks));
    out.push_str("<main>\n");
    let (mut section, mut figure, mut table) = (0, 0, 0);
    for block in &report.blocks {
        match block {
            Block::Heading(1, words) => {
                section += 1;
                let _ = writeln!(
                    out,
                    "<h2 id=\"section-{section}\"><span>{section}</span> {}</h2>",
                    inline(words)
                );
            }
            Block::Heading(_, words) => {
                let _ = writeln!(out, "<h3>{}</h3>", inline(words));
            }
            Block::Paragraph(words) => {
                let _ = writeln!(out, "<p>{}</p>", inline(words));
            }
            Block::List(items) => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", inline(item))).collect();
                let _ = writeln!(out, "<ul>\n{items}</ul>");
            }
            Block::Table(shown) => {
                table += 1;
                write_table(&mut out, shown, table);
            }
            Block::Figure { file, caption } => {
                figure += 1;
                let svg = unique(&kept.svg(file)?, figure);
                let caption = inline(caption);
                let _ = writeln!(
                    out,
                    "<figure>\n{svg}\n<figcaption><b>Figure {figure}.</b> {caption}</figcaption>\n</figure>"
                );
            }
            Block::Code(lines) => {
                let _ = writeln!(out, "<pre><code>{}</code></pre>", escape(lines));
            }
            Block::References(entries) => write_references(&mut out, entries),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn contents(blocks: &[Block]) -> String {
    let sections = blocks.iter().filter_map(|block| match block {
        Block::Heading(1, words) => Some(inline(words)),
        _ => None,
    });
    let items: String = sections
        .zip(1..)
        .map(|(words, number)| format!("<li><a href=\"#section-{number}\">{words}</a></li>\n"))
        .collect();
    format!("<nav aria-label=\"Contents\">\n<ol>\n{items}</ol>\n</nav>\n")
}

fn write_table(out: &mut String, table: &Table, number: usize) {
    let class = |at: usize| if table.right.get(at) == Some(&true) { " class=\"n\"" } else { "" };
    let _ = writeln!(
        out,
        "<div class=\"table\">\n<table>\n<caption><b>Table {number}.</b> {}</caption>",
        inline(&table.caption)
    );
    if !table.head.is_empty() {
        let cells: String = table
            .head
            .iter()
            .enumerate()
            .map(|(at, cell)| format!("<th scope=\"col\"{}>{}</th>", class(at), inline(cell)))
            .collect();
        let _ = writeln!(out, "<thead><tr>{cells}</tr></thead>");
    }
    out.push_str("<tbody>\n");
    for row in &table.rows {
        let cells: String = row
            .iter()
            .enumerate()
            .map(|(at, cell)| format!("<td{}>{}</td>", class(at), inline(cell)))
            .collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// What was cited; what each supports appears below the pointer.
fn write_references(out: &mut String, entries: &[Entry]) {
    out.push_str("<ol class=\"references\">\n");
    for entry in entries {
        let (number, supports) = (entry.number, escape(&entry.supports));
        let words = inline(&entry.words);
        let _ = writeln!(out, "<li id=\"reference-{number}\" title=\"{supports}\">{words}</li>");
    }
    out.push_str("</ol>\n");
}

fn inline(parts: &[Inline]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Inline::Text(text) => escape(text),
            Inline::Cite(numbers) => {
                let link = |number: &usize| format!("<a href=\"#reference-{number}\">{number}</a>");
                let links: Vec<String> = numbers.iter().map(link).collect();
                format!("<span class=\"cite\">[{}]</span>", links.join(", "))
            }
            Inline::Code(text) => format!("<code>{}</code>", escape(text).replace('/', "/<wbr>")),
            Inline::Strong(inner) => format!("<strong>{}</strong>", inline(inner)),
            Inline::Emphasis(inner) => format!("<em>{}</em>", inline(inner)),
            Inline::Link(url, inner) => format!("<a href=\"{}\">{}</a>", escape(url), inline(inner)),
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Ids of a picture, made its own: in one document they would meet those of the others. What stands before `<svg` (an XML
/// declaration) has no place inside HTML.
fn unique(svg: &str, number: usize) -> String {
    let svg = svg.find("<svg").map_or(svg, |at| &svg[at..]);
    let mut out = svg.trim_end().to_owned();
    for (from, to) in [
        ("id=\"", "id=\"f"),
        ("url(#", "url(#f"),
        ("href=\"#", "href=\"#f"),
        ("labelledby=\"", "labelledby=\"f"),
    ] {
        out = out.replace(from, &format!("{to}{number}-"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_do_not_share_ids() {
        let svg = "<?xml version=\"1.0\"?>\n<svg><clipPath id=\"c\"/><g clip-path=\"url(#c)\"/></svg>\n";
        assert_eq!(unique(svg, 2), "<svg><clipPath id=\"f2-c\"/><g clip-path=\"url(#f2-c)\"/></svg>");
    }

    #[test]
    fn nothing_in_the_text_becomes_markup() {
        let parts = [Inline::Text(String::from("a < b & c")), Inline::Code(String::from("<svg>"))];
        assert_eq!(inline(&parts), "a &lt; b &amp; c<code>&lt;svg&gt;</code>");
        let path = [Inline::Code(String::from("edge/core")), Inline::Cite(vec![3])];
        let cite = "<span class=\"cite\">[<a href=\"#reference-3\">3</a>]</span>";
        assert_eq!(inline(&path), format!("<code>edge/<wbr>core</code>{cite}"));
    }
}
