//! Amounts in hundredths of a currency's unit.

use std::fmt;

/// An amount of money; written for people by `Display`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Money {
    /// Hundredths: cents, pence, Rappen.
    pub(crate) cents: i64,
    /// ISO 4217.
    pub(crate) currency: String,
}

impl Money {
    pub(crate) fn times(&self, count: usize) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Self { cents: self.cents.saturating_mul(count), currency: self.currency.clone() }
    }

    /// The bare number, with two decimals.
    pub(crate) fn decimal(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.currency.as_str() {
            "EUR" => "€",
            "GBP" => "£",
            "USD" => "$",
            "CAD" => "CA$",
            // A no-break space: the sign stays with its number.
            other => return write!(f, "{other}\u{a0}{}", self.decimal()),
        };
        write!(f, "{sign}{}", self.decimal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_people_write_it() {
        let price = Money { cents: 1205, currency: "EUR".into() };
        assert_eq!(price.to_string(), "€12.05");
        assert_eq!(price.times(3).to_string(), "€36.15");
        assert_eq!(Money { cents: 1900, currency: "CHF".into() }.to_string(), "CHF\u{a0}19.00");
    }
}
