//! Halls and their seats. A plan is computed from three numbers; no seat is stored before it is sold.

use std::fmt;
use std::str::FromStr;

/// The widest row that still fits a phone with seats one can hit with a finger.
pub(crate) const MOST_COLUMNS: u8 = 12;
/// Rows are lettered.
pub(crate) const MOST_ROWS: u8 = 26;

/// The plan of a hall: rows from the screen backwards; the first `taper` rows are narrower, by two seats each
/// step towards the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hall {
    pub(crate) rows: u8,
    pub(crate) columns: u8,
    pub(crate) taper: u8,
}

impl Hall {
    /// How many seats row `row` has, counted from 0 at the screen.
    pub(crate) fn seats_in(self, row: u8) -> u8 {
        self.columns.saturating_sub(2 * self.taper.saturating_sub(row)).max(2)
    }

    pub(crate) fn capacity(self) -> u32 {
        (0..self.rows).map(|row| u32::from(self.seats_in(row))).sum()
    }

    pub(crate) fn contains(self, seat: Seat) -> bool {
        seat.row < self.rows && (1..=self.seats_in(seat.row)).contains(&seat.number)
    }
}

/// One seat: `C7` is the seventh of the third row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seat {
    /// From 0 at the screen.
    pub(crate) row: u8,
    /// From 1.
    pub(crate) number: u8,
}

impl Seat {
    /// The number that is stored: row times 100 plus seat.
    pub(crate) fn code(self) -> i64 {
        i64::from(self.row) * 100 + i64::from(self.number)
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        let row = u8::try_from(code / 100).ok()?;
        let number = u8::try_from(code % 100).ok()?;
        Some(Self { row, number })
    }

    pub(crate) fn letter(self) -> char {
        char::from(b'A' + self.row.min(MOST_ROWS - 1))
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.letter(), self.number)
    }
}

impl FromStr for Seat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut letters = text.chars();
        let row = match letters.next() {
            Some(letter @ 'A'..='Z') => letter as u8 - b'A',
            _ => return Err(()),
        };
        let digits = letters.as_str();
        // One spelling a seat: no sign, no leading zero.
        if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        Ok(Self { row, number: digits.parse().map_err(|_| ())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_narrows_towards_the_screen() {
        let hall = Hall { rows: 8, columns: 12, taper: 2 };
        assert_eq!((0..4).map(|row| hall.seats_in(row)).collect::<Vec<_>>(), [8, 10, 12, 12]);
        assert_eq!(hall.capacity(), 8 + 10 + 6 * 12);
        assert!(hall.contains(Seat { row: 0, number: 8 }));
        assert!(!hall.contains(Seat { row: 0, number: 9 }));
        assert!(!hall.contains(Seat { row: 8, number: 1 }));
        assert!(!hall.contains(Seat { row: 3, number: 0 }));
    }

    #[test]
    fn a_seat_has_one_spelling() {
        let seat = Seat { row: 2, number: 7 };
        assert_eq!(seat.to_string(), "C7");
        assert_eq!("C7".parse(), Ok(seat));
        assert_eq!(Seat::from_code(seat.code()), Some(seat));
        for wrong in ["", "7", "c7", "C", "C07", "C+7", "C7 ", "CC7", "C999"] {
            assert!(wrong.parse::<Seat>().is_err(), "{wrong}");
        }
    }
}
