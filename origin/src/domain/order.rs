//! What a buyer asks for, checked as far as it can be without the database.

use serde::Serialize;

use super::Seat;

/// The most seats one order may have.
pub(crate) const MOST_SEATS: usize = 8;
/// The longest name or e-mail address, in characters.
pub(crate) const LONGEST_TEXT: usize = 120;

/// Who buys: at least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Buyer {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// An order that is well-formed: one to eight different seats, and a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderRequest {
    pub(crate) screening: i64,
    /// Sorted.
    pub(crate) seats: Vec<Seat>,
    pub(crate) buyer: Buyer,
}

impl OrderRequest {
    /// Checks what was sent. The error is a sentence for the buyer.
    pub(crate) fn new<'a>(
        screening: i64,
        seats: impl IntoIterator<Item = &'a str>,
        name: Option<&str>,
        email: Option<&str>,
    ) -> Result<Self, String> {
        let seats = seat_list(seats)?;
        let name = text("name", name)?;
        let email = text("email", email)?;
        if name.is_none() && email.is_none() {
            return Err("A `name` or an `email` is needed, to know whose the seats are.".into());
        }
        if email.as_deref().is_some_and(|address| !looks_like_email(address)) {
            return Err("The `email` must look like someone@example.com.".into());
        }
        Ok(Self { screening, seats, buyer: Buyer { name, email } })
    }

    /// The same order always gives the same text, however its body was written. The idempotency key stands for it.
    pub(crate) fn canonical(&self) -> String {
        let seats: Vec<String> = self.seats.iter().map(Seat::to_string).collect();
        // Control characters were refused, so a line break separates safely.
        let Buyer { name, email } = &self.buyer;
        let (name, email) = (name.as_deref().unwrap_or(""), email.as_deref().unwrap_or(""));
        format!("{}\n{}\n{name}\n{email}", self.screening, seats.join(" "))
    }
}

/// Reads seats, sorted; refuses none, too many, and one twice.
pub(crate) fn seat_list<'a>(seats: impl IntoIterator<Item = &'a str>) -> Result<Vec<Seat>, String> {
    let mut list = Vec::new();
    for text in seats {
        let seat =
            text.parse().map_err(|()| format!("`{text}` is not a seat; seats are written like C7."))?;
        if list.contains(&seat) {
            return Err(format!("Seat {seat} is in the order twice."));
        }
        list.push(seat);
        if list.len() > MOST_SEATS {
            return Err(format!("At most {MOST_SEATS} seats can be bought at once."));
        }
    }
    if list.is_empty() {
        return Err("Choose at least one seat.".into());
    }
    list.sort_unstable();
    Ok(list)
}

fn text(member: &str, value: Option<&str>) -> Result<Option<String>, String> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
    if value.chars().count() > LONGEST_TEXT {
        return Err(format!("The `{member}` is longer than {LONGEST_TEXT} characters."));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("The `{member}` contains a control character."));
    }
    Ok(Some(value.to_owned()))
}

fn looks_like_email(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
        && !address.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seats: &[&'static str], name: &str, email: &str) -> Result<OrderRequest, String> {
        OrderRequest::new(1, seats.iter().copied(), Some(name), Some(email))
    }

    #[test]
    fn the_same_order_is_written_the_same() {
        let one = order(&["B2", "A10"], " Ada ", "").map(|o| o.canonical());
        let other = order(&["A10", "B2"], "Ada", " ").map(|o| o.canonical());
        assert_eq!(one, other);
        assert_ne!(one, order(&["A10", "B2"], "", "ada@example.com").map(|o| o.canonical()));
    }

    #[test]
    fn what_cannot_be_an_order_is_refused() {
        assert!(order(&[], "Ada", "").is_err());
        assert!(order(&["A1", "A1"], "Ada", "").is_err());
        assert!(order(&["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"], "Ada", "").is_err());
        assert!(order(&["A1"], "", "").is_err());
        assert!(order(&["A1"], "Ada\nLovelace", "").is_err());
        assert!(order(&["A1"], "", "ada.example.com").is_err());
        assert!(order(&["A1"], &"a".repeat(121), "").is_err());
    }
}
