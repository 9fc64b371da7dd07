//! HTTP dates (RFC 9110, section 5.6.7): IMF-fixdate, and the two obsolete forms that recipients must read.

use crate::time::Time;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date. Names are taken without regard to case, and the name of the day is not compared with the date: both do no
/// harm, and senders get both wrong. Everything else must be as the grammar has it.
pub fn parse(text: &str) -> Option<Time> {
    let text = text.trim();
    match text.split_once(", ") {
        Some((day, rest)) if day.bytes().all(|b| b.is_ascii_alphabetic()) => {
            if rest.as_bytes().get(2) == Some(&b'-') { rfc850(rest) } else { imf_fixdate(rest) }
        }
        _ => asctime(text),
    }
}

/// `06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &str) -> Option<Time> {
    let parts: [&str; 5] = split(text)?;
    is_gmt(parts[4])?;
    at(number(parts[2], 4)?, month(parts[1])?, number(parts[0], 2)?, parts[3])
}

/// `06-Nov-94 08:49:37 GMT`. Two digits below 70 are of this century.
fn rfc850(text: &str) -> Option<Time> {
    let [date, time, zone]: [&str; 3] = split(text)?;
    is_gmt(zone)?;
    let mut date = date.split('-');
    let (day, name, year) = (date.next()?, date.next()?, date.next()?);
    if date.next().is_some() {
        return None;
    }
    let year = number(year, 2)?;
    at(if year < 70 { 2000 + year } else { 1900 + year }, month(name)?, number(day, 2)?, time)
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &str) -> Option<Time> {
    if text.len() != 24 || !text.is_ascii() {
        return None;
    }
    let day = text[8..10].trim_start();
    let spaced = [3, 7, 10, 19].iter().all(|&at| text.as_bytes()[at] == b' ');
    if !spaced {
        return None;
    }
    at(number(&text[20..24], 4)?, month(&text[4..7])?, number(day, day.len())?, &text[11..19])
}

fn split<const N: usize>(text: &str) -> Option<[&str; N]> {
    let parts: Vec<&str> = text.split(' ').collect();
    parts.try_into().ok()
}

fn is_gmt(zone: &str) -> Option<()> {
    zone.eq_ignore_ascii_case("gmt").then_some(())
}

fn month(name: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    i64::try_from(at + 1).ok()
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && digits > 0 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

fn at(year: i64, month: i64, day: i64, time: &str) -> Option<Time> {
    let mut time = time.split(':');
    let (hour, minute, second) =
        (number(time.next()?, 2)?, number(time.next()?, 2)?, number(time.next()?, 2)?);
    let sane = (1..=days_in(year, month)).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !sane || time.next().is_some() {
        return None;
    }
    let seconds = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    // What lies before the epoch is the epoch: as old as can be.
    Some(Time(u64::try_from(seconds).unwrap_or(0) * 1_000))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar from 1 January 1970, with years that begin in March.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_forms_of_one_moment() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse(text), Some(Time(784_111_777_000)), "{text}");
        }
        assert_eq!(parse("sun, 06 NOV 1994 08:49:37 gmt"), Some(Time(784_111_777_000)));
        assert_eq!(parse("Mon, 29 Feb 2016 00:00:00 GMT"), Some(Time(1_456_704_000_000)));
    }

    #[test]
    fn nothing_else() {
        for text in [
            "",
            "0",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "ä, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0u64..200_000_000_000) {
            let time = Time(seconds * 1_000);
            prop_assert_eq!(parse(&time.to_http_date()), Some(time));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            parse(&text);
        }
    }
}
