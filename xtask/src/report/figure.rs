//! A field of the evidence as the text shows it.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::evidence::{Kept, day, moment};

/// Resolves what stands between the braces of `{{RUN FIELD FORMAT...}}`. Formats, in this order: `/1000` or `*100` (another
/// unit), `.1` (digits after the point); or `date`, of a whole run: `{{RUN date}}`.
pub(super) fn resolve(reference: &str, kept: &Kept) -> Result<String> {
    // The field may hold spaces: then it stands in quotation marks.
    let (run, rest) = reference.trim().split_once(' ').with_context(|| {
        format!("{{{{{reference}}}}} names no field; write {{{{RUN FIELD}}}}, such as {{{{lab/load requests_per_second}}}}")
    })?;
    let (field, formats) = match rest.trim().strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').context("a quotation mark is missing")?,
        None => rest.trim().split_once(' ').unwrap_or((rest.trim(), "")),
    };
    if field == "date" {
        return Ok(day(moment(kept.summary(run)?).with_context(|| format!("when was {run}?"))?));
    }
    let value = kept.field(run, field)?;
    let mut number = match value {
        Value::String(text) if formats.trim().is_empty() => return Ok(text.clone()),
        Value::Bool(true) => return Ok(String::from("yes")),
        Value::Bool(false) => return Ok(String::from("no")),
        Value::Number(number) => number.as_f64().context("too large a number")?,
        other => bail!("{run} {field} is {other}, and no figure"),
    };
    let mut digits = None;
    for format in formats.split_whitespace() {
        let figure =
            |text: &str| text.parse::<f64>().ok().filter(|figure| figure.is_finite() && *figure != 0.0);
        match format.split_at(1) {
            ("/", by) => number /= figure(by).with_context(|| format!("{format} is no division"))?,
            ("*", by) => number *= figure(by).with_context(|| format!("{format} is no multiplication"))?,
            (".", count) => {
                let count = count.parse::<usize>();
                digits = Some(count.with_context(|| format!("{format} is no count of digits"))?);
            }
            _ => bail!("{format} is no format; write /1000, *100 or .1"),
        }
    }
    let digits = digits.unwrap_or(if number.fract().abs() < 1e-9 { 0 } else { 1 });
    Ok(grouped(&format!("{number:.digits$}")))
}

/// Thousands apart: `1,234,567.8`.
pub(super) fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |number| ("−", number));
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && whole.len() > 3 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn figures_in_other_units_and_with_fewer_digits() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("run")).expect("made");
        let summary = r#"{"began":"2026-11-26T10:00:00Z","name":"it","bytes":12345678,"share":0.98765,"a b":{"c":2.25},"n":-1234.5}"#;
        fs::write(folder.path().join("run/summary.json"), summary).expect("written");
        let kept = Kept::read(folder.path(), &[String::from("run")]).expect("read");
        let shown = |reference| resolve(reference, &kept).expect("resolved");
        assert_eq!(shown("run bytes"), "12,345,678");
        assert_eq!(shown("run bytes /1e6 .2"), "12.35");
        assert_eq!(shown("run share *100 .1"), "98.8");
        assert_eq!(shown("run \"a b.c\" .2"), "2.25");
        assert_eq!(shown("run n"), "−1,234.5");
        assert_eq!(shown("run name"), "it");
        assert_eq!(shown("run date"), "26 November 2026");
        for wrong in ["run", "run bytes 3", "run name .1", "run share /0", "run missing", "other bytes"] {
            assert!(resolve(wrong, &kept).is_err(), "{wrong}");
        }
    }
}
