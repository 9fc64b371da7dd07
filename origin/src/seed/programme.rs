//! Which film runs where and when, and which seats were sold before we opened.

use std::collections::BTreeSet;

use super::catalogue::Entry;
use super::dice::Dice;
use crate::domain::{Hall, Seat, Slot};

const WEEKS: i64 = 4;
/// Beginnings on the hall's clock, far enough apart for a film of three hours.
const HOURS: [i64; 3] = [13 * 60 + 30, 16 * 60 + 45, 20 * 60];
/// Friday and Saturday have a late show in the first hall.
const LATE: i64 = 23 * 60 + 15;
/// A house chooses its four weeks out of so many of the best-known films.
const CANDIDATES: usize = 900;
const REPERTOIRE: usize = 28;

/// A house's choice of films, each as an index into the catalogue; the better known, the likelier.
pub(crate) fn repertoire(dice: &mut Dice, films: &[Entry]) -> Vec<usize> {
    let mut known: Vec<usize> = (0..films.len()).collect();
    known.sort_by_key(|&film| (std::cmp::Reverse(films[film].votes.unwrap_or(0)), films[film].id));
    known.truncate(CANDIDATES);
    // The square root keeps the famous from crowding out the rest.
    let mut weights: Vec<u32> = known
        .iter()
        .map(|&film| u32::try_from(films[film].votes.unwrap_or(0).isqrt()).unwrap_or(0))
        .collect();
    let mut chosen = Vec::with_capacity(REPERTOIRE);
    while chosen.len() < REPERTOIRE {
        let total: u32 = weights.iter().sum();
        let mut left = dice.below(total);
        for (place, weight) in weights.iter_mut().enumerate() {
            if left < *weight {
                chosen.push(known[place]);
                *weight = 0;
                break;
            }
            left -= *weight;
        }
    }
    chosen
}

/// The slots of one hall for four weeks, each with an index into the repertoire. A film runs for a week at one hour.
pub(crate) fn slots(dice: &mut Dice, first_hall: bool) -> Vec<(Slot, usize)> {
    let mut slots = Vec::new();
    let choose = |dice: &mut Dice| dice.below(u32::try_from(REPERTOIRE).unwrap_or(1)) as usize;
    for week in 0..WEEKS {
        let playing = HOURS.map(|minute| (minute, choose(dice)));
        let late = choose(dice);
        for day in 0..7 {
            let at = |minute| Slot { day: week * 7 + day, minute };
            slots.extend(playing.iter().map(|&(minute, film)| (at(minute), film)));
            if first_hall && (4..=5).contains(&day) {
                slots.push((at(LATE), late));
            }
        }
    }
    slots
}

/// Seats that were sold before: parties of one to four that like the middle of the rear half.
pub(crate) fn sold_seats(dice: &mut Dice, hall: Hall) -> BTreeSet<Seat> {
    // Most screenings are a fifth full; one in forty is nearly sold out.
    let share = if dice.below(40) == 0 { dice.between(85, 97) } else { dice.between(2, 38) };
    let wanted = (hall.capacity() * share / 100) as usize;
    let mut sold = BTreeSet::new();
    for _attempt in 0..wanted * 4 {
        if sold.len() >= wanted {
            break;
        }
        let rows = u32::from(hall.rows);
        // The later of two throws: rear rows fill first.
        let row = dice.below(rows).max(dice.below(rows)) as u8;
        let party = dice.between(1, 4) as u8;
        let places = u32::from(hall.seats_in(row).saturating_sub(party)) + 1;
        // The mean of two throws: the middle fills first.
        let first = (dice.below(places) + dice.below(places)).div_ceil(2) as u8 + 1;
        sold.extend(
            (first..first + party).map(|number| Seat { row, number }).filter(|seat| hall.contains(*seat)),
        );
    }
    sold
}
