//! The origin of a test: it answers by the definition, adds what the client needs to tell answers apart, and writes down
//! what it was asked.

use std::collections::BTreeMap;
use std::time::Duration;

use levee::Time;

use crate::definitions::{Field, Interim, Step, Value};

/// A request as the origin sees it. Names are in lower case; lines of one field are joined.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub fields: BTreeMap<String, String>,
}

/// What the origin sends.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(String, String)>,
    pub body: String,
    /// It closes the connection without an answer.
    pub disconnect: bool,
    /// What it sends before the answer.
    pub interim: Vec<Interim>,
}

/// What is written down of a request.
#[derive(Clone, Debug)]
pub struct Record {
    /// The client's number of the request, if it came through.
    pub number: Option<usize>,
    pub method: String,
    pub fields: BTreeMap<String, String>,
    /// Fields of the answer that the client must see.
    pub sent: Vec<(String, String)>,
}

/// The origin of one run of one test.
#[derive(Debug)]
pub struct Origin {
    steps: Vec<Step>,
    /// What every answer without a body of its own holds.
    token: String,
    pub records: Vec<Record>,
}

impl Origin {
    pub fn new(steps: Vec<Step>, token: String) -> Self {
        Self { steps, token, records: Vec::new() }
    }

    fn number(&self, seen: &Seen) -> Option<usize> {
        seen.fields
            .get("req-num")
            .and_then(|text| text.split(',').next()?.trim().parse().ok())
            .filter(|&number| number > 0)
    }

    /// How long the origin waits before it answers this request.
    pub fn pause(&self, seen: &Seen) -> Duration {
        let index = self.number(seen).unwrap_or(self.records.len() + 1);
        let step = index.checked_sub(1).and_then(|index| self.steps.get(index));
        Duration::from_secs(step.and_then(|step| step.response_pause).unwrap_or(0))
    }

    /// Answers at `now`, and writes the request down.
    pub fn answer(&mut self, seen: Seen, now: Time) -> Reply {
        let count = self.records.len() + 1;
        let number = self.number(&seen);
        let index = number.unwrap_or(count) - 1;
        let Some(step) = self.steps.get(index) else {
            return Reply {
                status: 409,
                reason: "Conflict".to_owned(),
                fields: vec![],
                body: "no such request in the test\n".to_owned(),
                disconnect: false,
                interim: vec![],
            };
        };
        let previous = index.checked_sub(1).and_then(|index| self.steps.get(index));
        let (status, reason) = status(step, previous, &seen);
        let step = self.steps[index].clone();
        let mut fields = vec![
            ("Server-Base-Url".to_owned(), seen.target.clone()),
            ("Server-Request-Count".to_owned(), count.to_string()),
            ("Client-Request-Count".to_owned(), number.map_or("NaN".to_owned(), |number| number.to_string())),
            ("Server-Now".to_owned(), now.as_millis().to_string()),
        ];
        let mut sent: Vec<(String, String)> = Vec::new();
        for (at, field) in step.response_headers.iter().enumerate() {
            let value = resolve(field.name(), field.value(), &step, now, &seen.target);
            // What was sent is what a later request may quote.
            if let Some(Field::Plain(_, kept) | Field::Checked(_, kept, _)) =
                self.steps[index].response_headers.get_mut(at)
            {
                *kept = Value::Text(value.clone());
            }
            fields.push((field.name().to_owned(), value));
            if field.is_checked() {
                // Every line of the field so far: that is what the client has to see.
                let all: Vec<&str> = fields
                    .iter()
                    .filter(|(name, _)| name.eq_ignore_ascii_case(field.name()))
                    .map(|(_, value)| value.as_str())
                    .collect();
                let all = all.join(", ");
                sent.retain(|(name, _)| name != field.name());
                sent.push((field.name().to_owned(), all));
            }
        }
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            fields.push(("Content-Type".to_owned(), "text/plain".to_owned()));
        }
        self.records.push(Record { number, method: seen.method, fields: seen.fields, sent });
        let numbers: Vec<String> = self
            .records
            .iter()
            .map(|record| record.number.map_or("NaN".to_owned(), |number| number.to_string()))
            .collect();
        fields.push(("Request-Numbers".to_owned(), numbers.join(" ")));
        let body = match status {
            204 | 304 => String::new(),
            _ => step
                .response_body
                .flatten()
                .filter(|body| !body.is_empty())
                .unwrap_or_else(|| self.token.clone()),
        };
        let Step { disconnect, interim_responses: interim, .. } = step;
        Reply { status, reason, fields, body, disconnect, interim }
    }
}

/// Where a request should be conditional the origin says 304 if it is, and 999 if it is not.
fn status(step: &Step, previous: Option<&Step>, seen: &Seen) -> (u16, String) {
    if step.expected_type.as_deref().is_some_and(|kind| kind.ends_with("validated")) {
        let sent_before = |name: &str| previous.and_then(|step| last_text(&step.response_headers, name));
        let conditional = |condition: &str, validator: &str| {
            sent_before(validator).is_some_and(|sent| seen.fields.get(condition) == Some(&sent))
        };
        return if conditional("if-modified-since", "last-modified") || conditional("if-none-match", "etag") {
            (304, "Not Modified".to_owned())
        } else {
            (999, "304 Not Generated".to_owned())
        };
    }
    step.response_status.clone().unwrap_or((200, "OK".to_owned()))
}

fn last_text(fields: &[Field], name: &str) -> Option<String> {
    fields.iter().rev().find(|field| field.name().eq_ignore_ascii_case(name)).and_then(|field| {
        match field.value() {
            Value::Text(text) => Some(text.clone()),
            Value::Number(_) => None,
        }
    })
}

const DATES: [&str; 5] = ["date", "expires", "last-modified", "if-modified-since", "if-unmodified-since"];

/// A value as it is sent: dates from offsets, locations made absolute where the step asks for it.
pub fn resolve(name: &str, value: &Value, step: &Step, now: Time, base: &str) -> String {
    let name = name.to_ascii_lowercase();
    match value {
        Value::Number(offset) if DATES.contains(&name.as_str()) => {
            let millis = now.as_millis().saturating_add_signed(offset.saturating_mul(1_000));
            let date = Time(millis).to_http_date();
            if step.rfc850date.contains(&name) { rfc850(&date) } else { date }
        }
        Value::Number(number) => number.to_string(),
        Value::Text(text)
            if step.magic_locations
                && (name == "location" || name == "content-location")
                && !text.starts_with(base) =>
        {
            if text.is_empty() {
                base.to_owned()
            } else {
                format!("{base}/{text}")
            }
        }
        Value::Text(text) => text.clone(),
    }
}

/// An IMF-fixdate in the obsolete form of RFC 850 (RFC 9110, section 5.6.7).
fn rfc850(date: &str) -> String {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let parts: Vec<&str> = date.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    let [day, date, month, year, time, zone] = parts[..] else { return date.to_owned() };
    let day = DAYS.iter().find(|name| name.starts_with(day)).unwrap_or(&day);
    format!("{day}, {date}-{month}-{} {time} {zone}", year.get(2..).unwrap_or(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_obsolete_date() {
        assert_eq!(rfc850("Sun, 06 Nov 1994 08:49:37 GMT"), "Sunday, 06-Nov-94 08:49:37 GMT");
    }
}
