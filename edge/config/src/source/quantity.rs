//! Durations and sizes: a whole number with its unit.

use std::time;

use toml::de::DeValue;

use super::word::Wrong;
use crate::json::Json;
use crate::read::{Node, Reader, Value, describe};

/// A unit and what one of it is worth.
type Unit = (&'static str, u64);

/// In milliseconds.
const TIMES: [Unit; 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// In bytes.
const SIZES: [Unit; 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// 2^31 seconds, the longest that caches need to represent (RFC 9111, section 1.2.2), in whole days.
const LONGEST_DAYS: u64 = (1 << 31) / 86_400;

/// A time such as `250ms`, `10s`, `5m`, `1h` or `7d`, of at least `LEAST` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Duration<const LEAST: u64 = 0>(pub(crate) time::Duration);

impl<const LEAST: u64> Value for Duration<LEAST> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (text, millis) = quantity(node, reader, "a duration such as \"10s\"", "s", &TIMES)?;
        let wrong = if millis < LEAST {
            Wrong::new(format!("is too short: at least {LEAST}ms"))
        } else if millis > LONGEST_DAYS * 86_400_000 {
            Wrong::new(format!(
                "is too long: at most {LONGEST_DAYS}d (2^31 seconds, RFC 9111, section 1.2.2)"
            ))
        } else {
            return Some(Self(time::Duration::from_millis(millis)));
        };
        wrong.report(&text, node, reader);
        None
    }

    fn schema() -> Json {
        Json::object([("type", "string".into()), ("pattern", "^[0-9]+(ms|s|m|h|d)$".into())])
            .with("description", "A duration: a whole number and its unit, ms, s, m, h or d.")
    }
}

/// A number of bytes such as `64KiB`, `2MiB` or `1MB`, from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size<const LEAST: u64, const MOST: u64>(pub(crate) u64);

impl<const LEAST: u64, const MOST: u64> Value for Size<LEAST, MOST> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (text, bytes) = quantity(node, reader, "a size such as \"64KiB\"", "B", &SIZES)?;
        if (LEAST..=MOST).contains(&bytes) {
            return Some(Self(bytes));
        }
        let wrong = if bytes < LEAST {
            format!("is too small: at least {}", size_text(LEAST))
        } else {
            format!("is too large: at most {}", size_text(MOST))
        };
        Wrong::new(wrong).report(&text, node, reader);
        None
    }

    fn schema() -> Json {
        Json::object([("type", "string".into()), ("pattern", "^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB)$".into())])
            .with(
                "description",
                format!(
                    "A size from {} to {}: a whole number and its unit, B, KB, KiB, MB, MiB, GB or GiB.",
                    size_text(LEAST),
                    size_text(MOST)
                ),
            )
    }
}

fn size_text(bytes: u64) -> String {
    let unit = SIZES.iter().rev().filter(|(name, _)| name.len() != 2);
    let fit = unit.into_iter().find(|(_, worth)| bytes >= *worth && bytes.is_multiple_of(*worth));
    fit.map_or_else(|| format!("{bytes}B"), |(name, worth)| format!("{}{name}", bytes / worth))
}

fn quantity(
    node: &Node<'_>,
    reader: &mut Reader<'_>,
    what: &str,
    usual: &str,
    units: &[Unit],
) -> Option<(String, u64)> {
    let text = match node.value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        other => {
            reader.error(&node.span, format!("`{}` must be {what}, not {}", node.name, describe(other)));
            return None;
        }
    };
    match parse(&text, usual, units) {
        Ok(value) => Some((text, value)),
        Err(wrong) => {
            wrong.report(&text, node, reader);
            None
        }
    }
}

fn parse(text: &str, usual: &str, units: &[Unit]) -> Result<u64, Wrong> {
    let names = units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        let help = format!("a whole number and its unit ({names}), as in \"10{usual}\"");
        return Err(Wrong::new("does not start with a number").help(help));
    }
    if unit.is_empty() {
        return Err(Wrong::new("has no unit").help(format!("write \"{number}{usual}\" (units: {names})")));
    }
    let Some((_, worth)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(match unit.chars().next() {
            Some('.' | ',') => Wrong::new("is not a whole number").help("take a smaller unit"),
            _ if unit.contains(|c: char| c.is_ascii_digit()) => Wrong::new("has more than one number")
                .help(format!("one whole number and one unit ({names})")),
            _ => {
                let wrong = Wrong::new(format!("has the unknown unit `{}`", super::word::shown(unit.trim())));
                match meant(unit.trim(), units) {
                    Some(unit) => wrong.help(format!("write \"{number}{unit}\" (units: {names})")),
                    None => wrong.help(format!("units: {names}")),
                }
            }
        });
    };
    let value = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*worth));
    value.ok_or_else(|| Wrong::new("is too large"))
}

/// The unit that a usual other spelling means.
fn meant(unit: &str, units: &[Unit]) -> Option<&'static str> {
    let lower = unit.to_ascii_lowercase();
    let word = match lower.as_str() {
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "k" => "KiB",
        "g" => "GiB",
        "byte" | "bytes" => "B",
        // A month of minutes or a megabyte: only one of them stands in each list.
        "m" => "MiB",
        other => other,
    };
    units.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let time = |text| parse(text, "s", &TIMES);
        assert_eq!(time("250ms"), Ok(250));
        assert_eq!(time("0s"), Ok(0));
        assert_eq!(time("7d"), Ok(7 * 86_400_000));
        let size = |text| parse(text, "KiB", &SIZES);
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1MB"), Ok(1_000_000));
        assert_eq!(size("7B"), Ok(7));
    }

    #[test]
    fn refusals() {
        let check = |text, units: &[Unit], usual, why: &str, help: Option<&str>| {
            let wrong = parse(text, usual, units).expect_err(text);
            assert_eq!(wrong.why, why, "{text}");
            assert_eq!(wrong.help.as_deref(), help, "{text}");
        };
        let times = "(units: ms, s, m, h, d)";
        check("10", &TIMES, "s", "has no unit", Some(&format!("write \"10s\" {times}")));
        check("10 s", &TIMES, "s", "has the unknown unit `s`", Some(&format!("write \"10s\" {times}")));
        check("5min", &TIMES, "s", "has the unknown unit `min`", Some(&format!("write \"5m\" {times}")));
        check("1H", &TIMES, "s", "has the unknown unit `H`", Some(&format!("write \"1h\" {times}")));
        check("1.5s", &TIMES, "s", "is not a whole number", Some("take a smaller unit"));
        check(
            "1h30m",
            &TIMES,
            "s",
            "has more than one number",
            Some("one whole number and one unit (ms, s, m, h, d)"),
        );
        check("99999999999999999999s", &TIMES, "s", "is too large", None);
        let sizes = "(units: B, KB, KiB, MB, MiB, GB, GiB)";
        check("64k", &SIZES, "KiB", "has the unknown unit `k`", Some(&format!("write \"64KiB\" {sizes}")));
        check("64mb", &SIZES, "KiB", "has the unknown unit `mb`", Some(&format!("write \"64MB\" {sizes}")));
        check("2m", &SIZES, "KiB", "has the unknown unit `m`", Some(&format!("write \"2MiB\" {sizes}")));
    }

    #[test]
    fn sizes_in_words() {
        assert_eq!(size_text(65_536), "64KiB");
        assert_eq!(size_text(1), "1B");
        assert_eq!(size_text(1_500), "1500B");
    }
}
