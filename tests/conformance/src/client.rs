//! The client of a test: what it sends, and what it makes of the answers.

use levee::Time;

use crate::definitions::{Expected, Interim, Step, Test, Value};
use crate::origin::{Record, resolve};

/// A request of the client, in order of the lines it sends.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: String,
    /// Whether a redirection is followed, as a browser's `fetch` does unless it is told not to.
    pub follow: bool,
}

/// An answer. Names are in lower case.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: String,
    /// The 1xx answers that came before it.
    pub interim: Vec<Interim>,
}

impl Response {
    /// All lines of a field, joined.
    pub fn field(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let lines: Vec<&str> =
            self.fields.iter().filter(|(field, _)| *field == name).map(|(_, value)| value.trim()).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.field(name).and_then(|text| leading_integer(&text))
    }

    fn server_now(&self) -> Time {
        Time(self.number("server-now").and_then(|now| u64::try_from(now).ok()).unwrap_or(0))
    }
}

/// The integer that a text begins with.
fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || (at == 0 && c == '-')))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().ok()
}

/// Why a test is not passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What had to be in place before the test says anything was not.
    Setup(String),
    /// What is tested does not hold.
    Assertion(String),
    /// No answer came, or what came cannot be put to the test.
    Broken(String),
    /// The client gave up waiting.
    Late(String),
}

impl Failure {
    pub fn why(&self) -> &str {
        match self {
            Self::Setup(why) | Self::Assertion(why) | Self::Broken(why) | Self::Late(why) => why,
        }
    }
}

fn check(setup: bool, holds: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else if setup {
        Err(Failure::Setup(message()))
    } else {
        Err(Failure::Assertion(message()))
    }
}

/// The request of a step. `previous`: the answer before, from which a date may be taken.
pub fn request(test: &Test, index: usize, token: &str, previous: Option<&Response>) -> Request {
    let step = &test.requests[index];
    // Two fields that keep a client's own fetch from adding directives that mean something.
    let mut fields = vec![
        ("Pragma".to_owned(), "foo".to_owned()),
        ("Cache-Control".to_owned(), "nothing-to-see-here".to_owned()),
    ];
    for field in &step.request_headers {
        let is_ims = field.name().eq_ignore_ascii_case("if-modified-since");
        let now = previous.filter(|_| step.magic_ims && is_ims).map_or(Time(0), Response::server_now);
        let value = match field.value() {
            Value::Number(number) if !(step.magic_ims && is_ims) => number.to_string(),
            value => resolve(field.name(), value, &Step { magic_locations: false, ..step.clone() }, now, ""),
        };
        fields.push((field.name().to_owned(), value));
    }
    fields.push(("Test-Name".to_owned(), test.name.clone()));
    fields.push(("Test-ID".to_owned(), test.id.clone()));
    fields.push(("Req-Num".to_owned(), (index + 1).to_string()));
    let mut target = format!("/test/{token}");
    if let Some(filename) = &step.filename {
        target.push('/');
        target.push_str(filename);
    }
    if let Some(query) = &step.query_arg {
        target.push('?');
        target.push_str(query);
    }
    Request {
        method: step.request_method.clone().unwrap_or_else(|| "GET".to_owned()),
        target,
        fields,
        body: step.request_body.clone().unwrap_or_default(),
        follow: step.redirect.as_deref() != Some("manual"),
    }
}

/// Puts one answer to its step.
pub fn check_response(test: &Test, index: usize, response: &Response, token: &str) -> Result<(), Failure> {
    let step = &test.requests[index];
    let number = index + 1;
    if let Some(numbers) = response.field("request-numbers") {
        let all: Vec<&str> = numbers.split(' ').collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        check(true, once.len() == all.len(), || "retry".to_owned())?;
    }
    check_type(step, number, response)?;
    check_status(step, number, response)?;
    for expected in &step.expected_response_headers {
        check_field(step, number, response, expected)?;
    }
    for expected in &step.expected_response_headers_missing {
        if let Expected::Present(name) = expected {
            check(
                step.is_setup("expected_response_headers_missing"),
                response.field(name).is_none(),
                || {
                    format!(
                        "Response {number} includes unexpected header {name}: \"{}\"",
                        response.field(name).unwrap_or_default()
                    )
                },
            )?;
        }
    }
    if let Some(expected) = &step.expected_interim_responses {
        check_interim(step.is_setup("expected_interim_responses"), expected, &response.interim)?;
    }
    check_body(step, number, response, token)
}

fn check_type(step: &Step, number: usize, response: &Response) -> Result<(), Failure> {
    let setup = step.is_setup("expected_type");
    let count = response.number("server-request-count");
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    match step.expected_type.as_deref() {
        Some("cached") if response.status == 304 && count.is_none() => Ok(()),
        Some("cached") => check(setup, count.is_some_and(|count| count < number), || {
            format!("Response {number} does not come from cache")
        }),
        Some("not_cached") => {
            check(setup, count == Some(number), || format!("Response {number} comes from cache"))
        }
        _ => Ok(()),
    }
}

fn check_interim(setup: bool, expected: &[Interim], received: &[Interim]) -> Result<(), Failure> {
    for (at, Interim(status, fields)) in expected.iter().enumerate() {
        let number = at + 1;
        let seen = received.get(at);
        check(setup, seen.is_some(), || format!("Interim response {number} not received"))?;
        let Some(Interim(seen, present)) = seen else { continue };
        check(setup, seen == status, || format!("Interim response {number} status is {seen}, not {status}"))?;
        for (name, _) in fields {
            // Their values are not compared by the suite either.
            check(setup, present.iter().any(|(field, _)| field.eq_ignore_ascii_case(name)), || {
                format!("Interim response {number} {name} header not present.")
            })?;
        }
    }
    check(setup, received.len() == expected.len(), || {
        format!("Received {} interim response(s), expected {}", received.len(), expected.len())
    })
}

fn check_status(step: &Step, number: usize, response: &Response) -> Result<(), Failure> {
    let is = |setup: bool, expected: u16| {
        check(setup, response.status == expected, || {
            format!("Response {number} status is {}, not {expected}", response.status)
        })
    };
    match (&step.expected_status, &step.response_status) {
        (Some(None), _) => Ok(()),
        (Some(Some(expected)), _) => is(step.is_setup("expected_status"), *expected),
        (None, Some((expected, _))) => is(true, *expected),
        (None, None) if response.status == 999 => check(step.is_setup("expected_type"), false, || {
            format!("Request {number} should have been conditional, but it was not.")
        }),
        (None, None) => is(true, 200),
    }
}

fn check_field(step: &Step, number: usize, response: &Response, expected: &Expected) -> Result<(), Failure> {
    let setup = step.is_setup("expected_response_headers");
    let name = match expected {
        Expected::Present(name) | Expected::Compared(name, ..) | Expected::Is(name, _) => name,
    };
    let value = response.field(name);
    if !matches!(expected, Expected::Is(..)) {
        check(setup, value.is_some(), || format!("Response {number} {name} header not present."))?;
    }
    let (holds, should) = match expected {
        Expected::Present(_) => (true, String::new()),
        Expected::Compared(_, operator, Value::Text(other)) if operator == "=" => {
            (value == response.field(other), format!("match {other}"))
        }
        Expected::Compared(_, operator, Value::Number(bound)) if operator == ">" => (
            value.as_deref().and_then(leading_integer).is_some_and(|number| number > *bound),
            format!("be bigger than {bound}"),
        ),
        Expected::Compared(_, operator, _) => {
            (false, format!("be compared by `{operator}`, which is unknown"))
        }
        Expected::Is(_, wanted) => {
            let base = response.field("server-base-url").unwrap_or_default();
            let wanted = resolve(name, wanted, step, response.server_now(), &base);
            (value.as_deref() == Some(wanted.as_str()), format!("be \"{wanted}\""))
        }
    };
    check(setup, holds, || {
        format!("Response {number} header {name} is {}, should {should}", value.as_deref().unwrap_or("null"))
    })
}

fn check_body(step: &Step, number: usize, response: &Response, token: &str) -> Result<(), Failure> {
    let is = |setup: bool, expected: &str| {
        check(setup, response.body == expected, || {
            format!("Response {number} body is \"{}\", not \"{expected}\"", response.body)
        })
    };
    if step.check_body == Some(false) {
        return Ok(());
    }
    match (&step.expected_response_text, &step.response_body) {
        (Some(None), _) => Ok(()),
        (Some(Some(expected)), _) => is(step.is_setup("expected_response_text"), expected),
        (None, Some(Some(expected))) => is(true, expected),
        _ if matches!(response.status, 204 | 304) || step.request_method.as_deref() == Some("HEAD") => Ok(()),
        _ => is(true, token),
    }
}

/// Puts what the origin was asked to the test.
pub fn check_records(test: &Test, responses: &[Response], records: &[Record]) -> Result<(), Failure> {
    let mut at = 0;
    for (index, step) in test.requests.iter().enumerate() {
        let number = index + 1;
        let setup = step.is_setup("expected_type");
        let kind = step.expected_type.as_deref();
        if kind == Some("cached") {
            continue;
        }
        let record = records.get(at);
        at += 1;
        if kind == Some("not_cached") {
            // The suite's own client fails in another way where there is no record at all.
            let record =
                record.ok_or_else(|| Failure::Broken(format!("request {number} wasn't sent to server")))?;
            check(setup, record.number == Some(number), || format!("Response {number} comes from cache"))?;
        }
        let condition = match kind {
            Some("etag_validated") => Some("if-none-match"),
            Some("lm_validated") => Some("if-modified-since"),
            _ => None,
        };
        if let Some(condition) = condition {
            check(setup, record.is_some(), || format!("request {number} wasn't sent to server"))?;
            let has = record.is_some_and(|record| record.fields.contains_key(condition));
            check(setup, has, || format!("request {number} doesn't have {condition} header"))?;
        }
        check_request_fields(step, number, record)?;
        check_sent(number, responses.get(index), record)?;
        if let Some(method) = &step.expected_method {
            let record =
                record.ok_or_else(|| Failure::Broken(format!("request {number} wasn't sent to server")))?;
            check(step.is_setup("expected_method"), record.method == *method, || {
                format!("Request {number} had method {}, not {method}", record.method)
            })?;
        }
    }
    Ok(())
}

fn check_request_fields(step: &Step, number: usize, record: Option<&Record>) -> Result<(), Failure> {
    let wanted = step.expected_request_headers.iter().map(|expected| (expected, true));
    let unwanted = step.expected_request_headers_missing.iter().map(|expected| (expected, false));
    for (expected, want) in wanted.chain(unwanted) {
        let record =
            record.ok_or_else(|| Failure::Broken(format!("request {number} wasn't sent to server")))?;
        let setup =
            step.is_setup(if want { "expected_request_headers" } else { "expected_request_headers_missing" });
        let (name, is) = match expected {
            Expected::Present(name) => (name, record.fields.contains_key(&name.to_ascii_lowercase())),
            Expected::Is(name, Value::Text(value)) | Expected::Compared(name, _, Value::Text(value)) => {
                (name, record.fields.get(&name.to_ascii_lowercase()) == Some(value))
            }
            Expected::Is(name, _) | Expected::Compared(name, ..) => (name, false),
        };
        check(setup, is == want, || {
            let seen = record.fields.get(&name.to_ascii_lowercase()).map_or("missing", String::as_str);
            format!("Request {number} header {name} is {seen}")
        })?;
    }
    Ok(())
}

/// What the origin sent must have come through.
fn check_sent(number: usize, response: Option<&Response>, record: Option<&Record>) -> Result<(), Failure> {
    let (Some(response), Some(record)) = (response, record) else { return Ok(()) };
    for (name, value) in record.sent.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")) {
        let received = response.field(name);
        check(true, received.as_deref() == Some(value.as_str()), || {
            format!(
                "Response {number} header {name} is \"{}\", not \"{value}\"",
                received.unwrap_or_default()
            )
        })?;
    }
    Ok(())
}
