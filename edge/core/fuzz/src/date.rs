//! HTTP dates, against an independent reader.

use std::time::UNIX_EPOCH;

use levee::Time;
use levee::fields::date;

/// The year 10000, which cannot be written: a leap second before it is read as its first second.
const END: Time = Time(253_402_300_800_000);

/// The input is one field value.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let ours = date::parse(text);
    assert_eq!(date::parse(&text.to_ascii_uppercase()), ours, "case means nothing");
    if let Some(time) = ours.filter(|time| *time < END) {
        assert_eq!(date::parse(&time.to_http_date()), Some(time), "what is written is read");
    }
    let Ok(theirs) = httpdate::parse_http_date(text) else { return };
    let theirs = theirs.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() * 1_000);
    match ours {
        Some(time) => assert_eq!(time, Time(theirs), "{text:?}"),
        // The other reader takes more than the grammar has, such as 31 February, but never less.
        None => assert_ne!(text, Time(theirs).to_http_date()),
    }
}
