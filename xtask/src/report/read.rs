//! A section's Markdown, its figures resolved, as blocks.
//!
//! Besides Markdown: `{{RUN FIELD}}` is a figure of the evidence (see [`figure`]), `![caption](RUN/chart.svg)` a picture of it,
//! and code blocks marked `objectives RUN` or `set-up RUN` become tables made from the run's summary. A paragraph that begins
//! with `Table:` is the caption of the table that follows. In the case study `[@key]` cites a source (see [`cited`]).

use anyhow::{Context as _, Result, bail};
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::block::{Block, Inline, Table};
use super::cited::{self, Citations};
use super::evidence::Kept;
use super::{figure, runs};

/// Around a resolved figure: characters that no text holds, so that typed digits can be told from resolved ones.
pub(super) const BEGIN: char = '\u{e000}';
pub(super) const END: char = '\u{e001}';

/// Units that stand behind a figure.
const UNITS: [&str; 8] = ["ms", "µs", "%", "KB", "MB", "GiB", "requests a second", "cores"];

/// Reads a section. `shown` is the file's name in messages, `needs` the runs that it may refer to. With citations a figure may
/// be typed where its sentence names a source; without them none may.
pub(super) fn section(
    shown: &str,
    text: &str,
    kept: &Kept,
    needs: &[String],
    mut cited: Option<&mut Citations>,
) -> Result<Vec<Block>> {
    let mut text = resolve(shown, text, kept, needs)?;
    if let Some(cited) = &mut cited {
        text = cited.resolve(&text, |at| format!("{shown}:{}", line(&text, at)))?;
    }
    let mut reader =
        Reader { shown, text: &text, kept, needs, cited, spoken: String::new(), blocks: Vec::new() };
    reader.read()?;
    Ok(reader.blocks)
}

/// Puts figures in the place of their references.
fn resolve(shown: &str, text: &str, kept: &Kept, needs: &[String]) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find("{{") {
        let at = || format!("{shown}:{}", line(text, text.len() - rest.len() + begin));
        let (before, after) = rest.split_at(begin);
        let end = after.find("}}").with_context(|| format!("{}: }}}} is missing", at()))?;
        let reference = &after[2..end];
        needed(reference.trim().split(' ').next().unwrap_or_default(), needs).with_context(at)?;
        let figure = figure::resolve(reference, kept).with_context(at)?;
        out.push_str(before);
        out.push(BEGIN);
        out.push_str(&figure);
        out.push(END);
        rest = &after[end + 2..];
        // A figure and its unit stay on one line.
        if let Some(word) = rest.strip_prefix(' ')
            && UNITS.iter().any(|unit| word.starts_with(unit))
        {
            out.push('\u{a0}');
            rest = word;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn needed(run: &str, needs: &[String]) -> Result<()> {
    if needs.iter().any(|need| need == run) {
        return Ok(());
    }
    bail!("report.toml or case-study.toml does not say that the section needs {run}")
}

/// The line of a byte, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

struct Reader<'a> {
    shown: &'a str,
    text: &'a str,
    kept: &'a Kept,
    needs: &'a [String],
    cited: Option<&'a mut Citations>,
    /// The words of the paragraph, cell or caption that is being read, with what is marked in them.
    spoken: String,
    blocks: Vec<Block>,
}

/// Runs of inline parts that are still open, the innermost last.
type Open = Vec<Vec<Inline>>;

impl Reader<'_> {
    fn read(&mut self) -> Result<()> {
        let mut open: Open = vec![Vec::new()];
        let mut picture: Option<String> = None;
        let mut items: Option<Vec<Vec<Inline>>> = None;
        let mut table = Table::default();
        let mut row = Vec::new();
        let mut code: Option<(String, String)> = None;
        let mut caption = None;
        let (shown, text) = (self.shown, self.text);
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let at = || format!("{shown}:{}", line(text, range.start));
            match event {
                Event::Text(words) => match &mut code {
                    Some((_, lines)) => lines.push_str(&words),
                    None => {
                        if self.cited.is_none() {
                            typed_digits(&words).with_context(at)?;
                        }
                        self.spoken.push_str(&words);
                        top(&mut open).extend(cited::parts(&plain(&words)));
                    }
                },
                Event::Code(words) => top(&mut open).push(Inline::Code(plain(&words))),
                Event::SoftBreak | Event::HardBreak => {
                    self.spoken.push(' ');
                    top(&mut open).push(Inline::Text(String::from(" ")));
                }
                Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. }) => {
                    if let Event::Start(Tag::Image { dest_url, .. }) = event {
                        picture = Some(dest_url.to_string());
                    }
                    open.push(Vec::new());
                }
                Event::End(TagEnd::Emphasis) => close(&mut open, Inline::Emphasis),
                Event::End(TagEnd::Strong) => close(&mut open, Inline::Strong),
                Event::End(TagEnd::Link) => {
                    // The address is asked for again: an end does not carry it.
                    let source = &text[range.clone()];
                    let url =
                        source.rsplit_once("](").map_or("", |(_, url)| url.trim_end_matches(')')).to_owned();
                    close(&mut open, |inner| Inline::Link(url, inner));
                }
                Event::End(TagEnd::Image) => {
                    let mut inner = open.pop().unwrap_or_default();
                    let file = picture.take().unwrap_or_default();
                    if !self.kept.is_drawn(&file) {
                        needed(file.rsplit_once('/').map_or("", |(run, _)| run), self.needs)
                            .with_context(at)?;
                    }
                    self.kept.svg(&file).with_context(at)?;
                    self.sources(&file, &mut inner).with_context(at)?;
                    self.blocks.push(Block::Figure { file, caption: inner });
                }
                Event::End(TagEnd::Heading(level)) => {
                    self.spoken().with_context(at)?;
                    let inner = taken(&mut open);
                    self.blocks.push(Block::Heading(if level == HeadingLevel::H1 { 1 } else { 2 }, inner));
                }
                Event::End(TagEnd::Paragraph) => {
                    self.spoken().with_context(at)?;
                    let inner = taken(&mut open);
                    match (&mut items, is_caption(&inner)) {
                        (Some(items), _) => items.push(inner),
                        (None, Some(words)) => caption = Some(words),
                        (None, None) if inner.is_empty() => {}
                        (None, None) => self.blocks.push(Block::Paragraph(inner)),
                    }
                }
                Event::Start(Tag::List(_)) => items = Some(Vec::new()),
                Event::End(TagEnd::Item) => {
                    self.spoken().with_context(at)?;
                    let inner = taken(&mut open);
                    if let (Some(items), false) = (&mut items, inner.is_empty()) {
                        items.push(inner);
                    }
                }
                Event::End(TagEnd::List(_)) => {
                    self.blocks.push(Block::List(items.take().unwrap_or_default()));
                }
                Event::Start(Tag::Table(columns)) => {
                    let right = columns.iter().map(|column| *column == Alignment::Right).collect();
                    let caption = caption
                        .take()
                        .with_context(|| format!("{}: the table has no caption (Table: …)", at()))?;
                    table = Table { caption, right, ..Table::default() };
                }
                Event::End(TagEnd::TableCell) => {
                    self.spoken().with_context(at)?;
                    row.push(taken(&mut open));
                }
                Event::End(TagEnd::TableHead) => table.head = std::mem::take(&mut row),
                Event::End(TagEnd::TableRow) => table.rows.push(std::mem::take(&mut row)),
                Event::End(TagEnd::Table) => self.blocks.push(Block::Table(std::mem::take(&mut table))),
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info =
                        if let CodeBlockKind::Fenced(info) = kind { info.to_string() } else { String::new() };
                    code = Some((info, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    let (info, lines) = code.take().unwrap_or_default();
                    self.made(&info, lines).with_context(at)?;
                }
                Event::Start(
                    Tag::Heading { .. }
                    | Tag::Paragraph
                    | Tag::Item
                    | Tag::TableHead
                    | Tag::TableRow
                    | Tag::TableCell,
                ) => {}
                other => bail!("{}: the report has no {other:?}", at()),
            }
        }
        Ok(())
    }

    /// Names the sources of a picture that is drawn for the text, behind what is seen on it.
    fn sources(&mut self, file: &str, caption: &mut Vec<Inline>) -> Result<()> {
        if let Some(cited) = &mut self.cited
            && let Some(cite) = cited.of_picture(file)?
        {
            caption.extend([Inline::text(" Sources:\u{a0}"), vec![cite], Inline::text(".")].concat());
            self.spoken.push_str(&format!(" {}{}", cited::OPEN, cited::CLOSE));
        }
        Ok(())
    }

    /// What has been read up to here holds no figure without a source.
    fn spoken(&mut self) -> Result<()> {
        let spoken = std::mem::take(&mut self.spoken);
        if self.cited.is_some() { cited::check(&spoken) } else { Ok(()) }
    }

    /// A code block, or what its mark asks for instead.
    fn made(&mut self, info: &str, lines: String) -> Result<()> {
        let (what, run) = info.split_once(' ').unwrap_or((info, ""));
        self.blocks.push(match what {
            "objectives" | "set-up" => {
                needed(run, self.needs)?;
                let summary = self.kept.summary(run)?;
                if what == "objectives" {
                    runs::objectives(run, summary)?
                } else {
                    runs::set_up(run, summary)?
                }
            }
            _ => Block::Code(plain(lines.trim_end())),
        });
        Ok(())
    }
}

fn top(open: &mut Open) -> &mut Vec<Inline> {
    if open.is_empty() {
        open.push(Vec::new());
    }
    let last = open.len() - 1;
    &mut open[last]
}

fn close(open: &mut Open, wrap: impl FnOnce(Vec<Inline>) -> Inline) {
    let inner = open.pop().unwrap_or_default();
    top(open).push(wrap(inner));
}

fn taken(open: &mut Open) -> Vec<Inline> {
    std::mem::take(top(open))
}

/// The words of a paragraph `Table: …`.
fn is_caption(inner: &[Inline]) -> Option<Vec<Inline>> {
    let Some(Inline::Text(first)) = inner.first() else { return None };
    let words = first.strip_prefix("Table: ")?;
    let mut caption = Inline::text(words);
    caption.extend_from_slice(&inner[1..]);
    Some(caption)
}

fn plain(text: &str) -> String {
    text.replace([BEGIN, END], "")
}

/// Refuses a figure that was typed. Names may hold digits (p99, HTTP/1.1, x86-64), and so may what follows `RFC` and the like.
fn typed_digits(text: &str) -> Result<()> {
    let mut resolved = false;
    let mut outside = String::new();
    for character in text.chars() {
        match character {
            BEGIN => resolved = true,
            END => resolved = false,
            _ if resolved => {}
            _ => outside.push(character),
        }
    }
    match bare_numbers(&outside).next() {
        Some(word) => bail!("{word} is typed: a figure must come from the evidence, as {{{{RUN FIELD}}}}"),
        None => Ok(()),
    }
}

/// Words that are numbers: with a digit and without a letter, but for what follows `RFC`, `section`, `Figure` or `Table`.
pub(super) fn bare_numbers(text: &str) -> impl Iterator<Item = &str> {
    let mut before = "";
    text.split_whitespace().filter(move |word| {
        let named = ["RFC", "section", "Figure", "Table"].contains(&std::mem::replace(&mut before, word));
        !named && !word.contains(char::is_alphabetic) && word.contains(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Vec<Block>> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("lab/load")).expect("made");
        let summary =
            r#"{"numbers":{"p99_ms":12.5,"requests":40000},"machine":{"cpu":"Some CPU @ 2.20GHz"}}"#;
        fs::write(folder.path().join("lab/load/summary.json"), summary).expect("written");
        fs::write(folder.path().join("lab/load/rate.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>")
            .expect("written");
        let run = [String::from("lab/load")];
        let kept = Kept::read(folder.path(), &run).expect("read");
        section("report/sections/load.md", text, &kept, &run, None)
    }

    fn refused(text: &str) -> String {
        format!("{:#}", read(text).expect_err("it is refused"))
    }

    #[test]
    fn figures_stand_where_they_are_named() {
        let blocks = read(
            "# Load\n\nOf {{lab/load requests}} requests one in a hundred\ntook *more* than {{lab/load p99_ms}} ms.\n",
        );
        let text = |text: &str| Inline::Text(text.to_owned());
        let paragraph = vec![
            text("Of 40,000 requests one in a hundred"),
            text(" "),
            text("took "),
            Inline::Emphasis(vec![text("more")]),
            text(" than 12.5\u{a0}ms."),
        ];
        let wanted = vec![Block::Heading(1, vec![text("Load")]), Block::Paragraph(paragraph)];
        assert_eq!(blocks.expect("read"), wanted);
    }

    #[test]
    fn what_is_not_there_is_named_with_file_line_and_field() {
        let missing = refused("# Load\n\nIt took\n{{lab/load p50_ms}} ms.\n");
        assert_eq!(
            missing,
            "report/sections/load.md:4: report/evidence/lab/load/summary.json has no field p50_ms"
        );
        assert!(refused("{{lab/soak p50_ms}}").contains(
            "load.md:1: report.toml or case-study.toml does not say that the section needs lab/soak"
        ));
        assert!(refused("![A picture](lab/load/absent.svg)").contains("lab/load/absent.svg cannot be read"));
        assert!(refused("{{lab/load p50_ms").contains("}} is missing"));
    }

    #[test]
    fn a_typed_figure_is_refused_and_a_name_is_not() {
        assert!(refused("It took 12.5 ms.").contains("12.5 is typed"));
        assert!(refused("|a|\n|-|\n|7|").contains("caption"));
        assert!(read("By RFC 9111, section 4.3, the p99 on HTTP/1.1 with k6, and `max-age=60`.").is_ok());
    }

    /// Also of the sections that wait for their evidence: with figures that any reference gives.
    #[test]
    fn every_section_of_the_report_can_be_read() {
        let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../report"));
        let list = super::super::list::List::read(&folder.join("report.toml")).expect("the list");
        let files = fs::read_dir(folder.join("sections")).expect("the sections").count();
        assert_eq!(files, list.sections.len(), "every file of report/sections is listed once");
        for section in &list.sections {
            let text = fs::read_to_string(folder.join("sections").join(&section.file)).expect(&section.file);
            let mut resolved = String::new();
            for (at, part) in text.split("{{").enumerate() {
                let Some((reference, rest)) = part.split_once("}}").filter(|_| at > 0) else {
                    resolved.push_str(part);
                    continue;
                };
                needed(reference.split(' ').next().unwrap_or_default(), &section.needs).expect(&section.file);
                resolved.push_str(&format!("{BEGIN}1{END}{rest}"));
            }
            for need in &section.needs {
                assert!(text.contains(need.as_str()), "{} needs {need} and does not use it", section.file);
            }
            for (number, line) in
                resolved.lines().enumerate().filter(|(_, line)| !line.starts_with(['!', '`', '|']))
            {
                let prose: String = line.split('`').step_by(2).collect();
                typed_digits(&prose)
                    .unwrap_or_else(|error| panic!("{}:{}: {error}", section.file, number + 1));
            }
        }
    }

    #[test]
    fn tables_pictures_lists_and_links() {
        let blocks = read(
            "Table: What was *seen*.\n\n| what | figure |\n|---|--:|\n| p99, ms | {{lab/load p99_ms}} |\n\n\
             ![The rate](lab/load/rate.svg)\n\n- one\n- [two](https://example.com/)\n",
        )
        .expect("read");
        let [Block::Table(table), Block::Figure { file, caption }, Block::List(items)] = &blocks[..] else {
            panic!("{blocks:?}");
        };
        assert_eq!((table.right.as_slice(), table.rows.len()), (&[false, true][..], 1));
        assert_eq!(table.rows[0][1], Inline::text("12.5"));
        assert_eq!((file.as_str(), caption), ("lab/load/rate.svg", &Inline::text("The rate")));
        assert_eq!(items[1], [Inline::Link(String::from("https://example.com/"), Inline::text("two"))]);
    }
}
