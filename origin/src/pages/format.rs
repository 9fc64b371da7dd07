//! How pages write numbers, times and posters.

use crate::db::films::Film;
use crate::domain::local_time;

/// `1,234,567`
pub(super) fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment on a cinema's clock, in the pieces that pages use.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// `Tue 24 Nov`
    pub(super) day: String,
    /// `20:00`
    pub(super) hour: String,
    /// For machines.
    pub(super) iso: String,
}

impl When {
    pub(super) fn new(seconds: i64, zone: &str) -> Self {
        let local = local_time(seconds, zone);
        let write = |format| local.strftime(format).to_string();
        Self { day: write("%a %-d %b"), hour: write("%H:%M"), iso: write("%Y-%m-%dT%H:%M:%S%:z") }
    }
}

/// A rating in tenths, as `7.5`.
pub(super) fn rating(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// `2 h 21 min`
pub(super) fn running_time(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

/// Posters are drawn by the style sheet: a palette, a motif, and the size of the title.
#[derive(Debug)]
pub(super) struct Poster {
    pub(super) classes: String,
}

impl Poster {
    pub(super) fn of(film: &Film) -> Self {
        // Neighbours in a list get different colours and motifs.
        let palette = film.id * 7 % 10;
        let motif = film.id * 5 % 8;
        let longest = film.title.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let size = match (film.title.chars().count(), longest) {
            (_, 11..) | (45.., _) => "small",
            (_, 8..) | (22.., _) => "medium",
            _ => "large",
        };
        Self { classes: format!("palette-{palette} motif-{motif} title-{size}") }
    }
}

/// A film in a list.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) year: i64,
    pub(super) genre: String,
    pub(super) rating: Option<String>,
    /// Said only where it tells films apart.
    pub(super) on_now: bool,
    pub(super) poster: Poster,
}

impl Card {
    pub(super) fn of(film: &Film, say_on_now: bool) -> Self {
        Self {
            id: film.id,
            title: film.title.clone(),
            year: film.year,
            genre: film.genre.clone().unwrap_or_default(),
            rating: film.rating.map(rating),
            on_now: say_on_now && film.showings > 0,
            poster: Poster::of(film),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_for_people() {
        assert_eq!(thousands(987), "987");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(running_time(141), "2 h 21 min");
        assert_eq!(running_time(60), "1 h");
        assert_eq!(running_time(46), "46 min");
        assert_eq!(rating(75), "7.5");
        let when = When::new(1_795_546_800, "Europe/Berlin");
        assert_eq!((when.day.as_str(), when.hour.as_str()), ("Tue 24 Nov", "20:00"));
    }
}
