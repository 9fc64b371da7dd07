//! The cinemas: real cities, invented houses.

use super::dice::Dice;
use crate::domain::{Hall, MOST_COLUMNS, MOST_ROWS};

/// A house in a city.
pub(crate) struct Cinema {
    pub(crate) name: &'static str,
    pub(crate) city: &'static str,
    pub(crate) country: &'static str,
    /// IANA name.
    pub(crate) zone: &'static str,
    /// ISO 4217.
    pub(crate) currency: &'static str,
}

const fn cinema(
    name: &'static str,
    city: &'static str,
    country: &'static str,
    zone: &'static str,
    currency: &'static str,
) -> Cinema {
    Cinema { name, city, country, zone, currency }
}

/// Append only: a cinema's place in this list is its id.
pub(crate) const CINEMAS: &[Cinema] = &[
    cinema("Gracht", "Amsterdam", "Netherlands", "Europe/Amsterdam", "EUR"),
    cinema("Attikon Garden", "Athens", "Greece", "Europe/Athens", "EUR"),
    cinema("Llum", "Barcelona", "Spain", "Europe/Madrid", "EUR"),
    cinema("Astra am Kanal", "Berlin", "Germany", "Europe/Berlin", "EUR"),
    cinema("Le Petit Nord", "Brussels", "Belgium", "Europe/Brussels", "EUR"),
    cinema("Liffey Picture House", "Dublin", "Ireland", "Europe/Dublin", "EUR"),
    cinema("The Lantern", "Edinburgh", "United Kingdom", "Europe/London", "GBP"),
    cinema("Speicher", "Hamburg", "Germany", "Europe/Berlin", "EUR"),
    cinema("Kaivo", "Helsinki", "Finland", "Europe/Helsinki", "EUR"),
    cinema("Farol", "Lisbon", "Portugal", "Europe/Lisbon", "EUR"),
    cinema("The Marquee", "London", "United Kingdom", "Europe/London", "GBP"),
    cinema("Doré del Sur", "Madrid", "Spain", "Europe/Madrid", "EUR"),
    cinema("The Canal Street", "Manchester", "United Kingdom", "Europe/London", "GBP"),
    cinema("Naviglio", "Milan", "Italy", "Europe/Rome", "EUR"),
    cinema("Isarlicht", "Munich", "Germany", "Europe/Berlin", "EUR"),
    cinema("Studio Lumière", "Paris", "France", "Europe/Paris", "EUR"),
    cinema("Cinema Aurora", "Rome", "Italy", "Europe/Rome", "EUR"),
    cinema("Prater Kino", "Vienna", "Austria", "Europe/Vienna", "EUR"),
    cinema("Limmat", "Zurich", "Switzerland", "Europe/Zurich", "CHF"),
    cinema("The Lakeshore", "Chicago", "United States", "America/Chicago", "USD"),
    cinema("The Palm", "Los Angeles", "United States", "America/Los_Angeles", "USD"),
    cinema("The Orpheum", "New York", "United States", "America/New_York", "USD"),
    cinema("Cinéma du Port", "Montreal", "Canada", "America/Toronto", "CAD"),
    cinema("The Harbourfront", "Toronto", "Canada", "America/Toronto", "CAD"),
];

/// What a seat costs in the evening before a house's own surcharge, in hundredths.
pub(crate) fn base_price(currency: &str) -> u32 {
    match currency {
        "GBP" => 1100,
        "CHF" => 1800,
        "USD" | "CAD" => 1500,
        _ => 1150,
    }
}

/// Three to five halls, the first the largest.
pub(crate) fn halls(dice: &mut Dice) -> Vec<Hall> {
    let count = dice.between(3, 5);
    (0..count)
        .map(|number| {
            let (rows, columns) = match number {
                0 => (dice.between(12, 15), u32::from(MOST_COLUMNS)),
                1 => (dice.between(9, 12), dice.between(10, 12)),
                _ => (dice.between(6, 9), dice.between(8, 11)),
            };
            let small = |number: u32, most: u8| u8::try_from(number).map_or(most, |number| number.min(most));
            Hall {
                rows: small(rows, MOST_ROWS),
                columns: small(columns, MOST_COLUMNS),
                taper: small(dice.between(0, 2), 2),
            }
        })
        .collect()
}
