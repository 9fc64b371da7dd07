//! When screenings take place.
//!
//! A screening is a slot in a programme of four weeks that repeats for ever: cinema, hall, film, day and hour.
//! Its id and its slot come from the seed and never change; the dates are those of the current **round**. When a
//! screening has been shown, the same slot goes on sale for the next round, with every seat free. So the site always
//! has screenings to sell, whenever it is started, and two origins that were started years apart agree on every id.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Days after which the programme repeats: whole weeks, so that a slot keeps its weekday.
const CYCLE_DAYS: i64 = 28;
/// A Monday: day 0 of round 0.
const EPOCH: Date = jiff::civil::date(2024, 1, 1);
/// How long after its beginning a screening stays in the programme, in seconds: late-comers look up their hall.
const STAYS: i64 = 4 * 3600;

/// A place in the programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// 0 to 27.
    pub(crate) day: i64,
    /// Minutes after midnight on the cinema's clock.
    pub(crate) minute: i64,
}

impl Slot {
    /// When the slot's screening begins in `round`, in seconds of Unix time.
    pub(crate) fn begins(self, round: i64, zone: &TimeZone) -> Result<i64, jiff::Error> {
        let days = (round * CYCLE_DAYS + self.day).days();
        let midnight: DateTime = EPOCH.checked_add(days)?.to_datetime(jiff::civil::Time::midnight());
        let local = midnight.checked_add(self.minute.minutes())?;
        Ok(local.to_zoned(zone.clone())?.timestamp().as_second())
    }

    /// The round that is on sale at `now`, and when it begins, both as in [`begins`](Self::begins).
    pub(crate) fn current(self, now: i64, zone: &TimeZone) -> Result<(i64, i64), jiff::Error> {
        let epoch = EPOCH.to_zoned(TimeZone::UTC)?.timestamp().as_second();
        // One early, to be safe from the clock's shifts; then forward to the first that is not over.
        let mut round = (now - epoch).div_euclid(CYCLE_DAYS * 86_400) - 1;
        loop {
            let begins = self.begins(round, zone)?;
            if begins + STAYS > now {
                return Ok((round, begins));
            }
            round += 1;
        }
    }
}

/// Before which beginning, in Unix seconds, a screening is over at `now`.
pub(crate) fn over_before(now: i64) -> i64 {
    now - STAYS
}

/// A moment on the clock of a time zone; a zone that is not known reads as UTC.
pub(crate) fn local_time(seconds: i64, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_keeps_its_weekday_and_hour_through_summer_time() {
        let berlin = TimeZone::get("Europe/Berlin").expect("the zone is bundled");
        let slot = Slot { day: 2, minute: 20 * 60 };
        for round in [0, 3, 7, 40] {
            let begins = slot.begins(round, &berlin).expect("within the calendar");
            let local = local_time(begins, "Europe/Berlin");
            assert_eq!(local.strftime("%a %H:%M").to_string(), "Wed 20:00", "round {round}");
        }
    }

    #[test]
    fn the_round_moves_on_when_the_screening_is_over() {
        let slot = Slot { day: 0, minute: 12 * 60 };
        let begins = slot.begins(5, &TimeZone::UTC).expect("within the calendar");
        let current = |now| slot.current(now, &TimeZone::UTC).expect("within the calendar");
        assert_eq!(current(begins - 1), (5, begins));
        assert_eq!(current(begins + STAYS - 1), (5, begins));
        assert_eq!(current(begins + STAYS), (6, begins + CYCLE_DAYS * 86_400));
    }
}
