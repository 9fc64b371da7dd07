//! The wire over HTTP: any edge that stands before the suite's origin.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::client::{Failure, Request, Response};
use crate::definitions::{Interim, Suite, Test};
use crate::message::{Framing, read_body, read_head, to_latin1};
use crate::origin::Record;
use crate::run::{self, Wire};
use crate::server::Server;
use crate::verdict::{Results, applicable};

/// How long the suite's client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Redirections that a browser's `fetch` follows.
const REDIRECTS: usize = 20;
/// What the suite's client (Node's `fetch`) adds to every request that does not say it itself.
const ADDED: [(&str, &str); 5] = [
    ("Accept", "*/*"),
    ("Accept-Language", "*"),
    ("Sec-Fetch-Mode", "cors"),
    ("User-Agent", "node"),
    ("Accept-Encoding", "gzip, deflate"),
];

/// An edge, and the origin behind it.
#[derive(Clone, Debug)]
pub struct Edge {
    /// `127.0.0.1:PORT`.
    authority: String,
    origin: Server,
    /// Whether to print every exchange to stderr.
    verbose: bool,
}

impl Edge {
    /// `url`: where the edge answers, such as `http://127.0.0.1:8080`.
    pub fn new(url: &str, origin: Server, verbose: bool) -> Self {
        let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { authority, origin, verbose }
    }

    /// Runs one test under a token that no run had before, so that what the edge keeps from earlier does not matter.
    pub async fn run_one(&self, test: &Test) -> Result<(), Failure> {
        let token = token();
        self.origin.expect(&token, test.requests.clone());
        run::run(test, &token, &mut Network { edge: self, token: token.clone() }).await
    }

    /// Runs tests, one at a time on each of these edges; where it is the same one, several at a time there. `done` is told after
    /// each how many have ended.
    pub async fn run(edges: &[Self], tests: &[&Test], done: impl Fn(usize)) -> Results {
        let mut results = Results::new();
        let free = RefCell::new(edges.iter().collect::<Vec<_>>());
        let runs = tests.iter().map(|test| {
            let free = &free;
            async move {
                // No more tests are under way than there are edges.
                let edge = free.borrow_mut().pop();
                let result = match edge {
                    Some(edge) => edge.run_one(test).await,
                    None => Err(Failure::Broken("no edge is free".to_owned())),
                };
                free.borrow_mut().extend(edge);
                (test.id.clone(), result)
            }
        });
        let mut runs = stream::iter(runs).buffer_unordered(edges.len());
        while let Some((id, result)) = runs.next().await {
            results.insert(id, result);
            done(results.len());
        }
        results
    }

    /// Runs every test that applies to a proxy.
    pub async fn run_all(edges: &[Self], suites: &[Suite], done: impl Fn(usize)) -> Results {
        let tests: Vec<&Test> = applicable(suites).collect();
        Self::run(edges, &tests, done).await
    }

    async fn exchange(&self, request: &Request) -> Result<Response, String> {
        let sent = self.written(request);
        if self.verbose {
            eprintln!("> {}", String::from_utf8_lossy(&sent).trim_end().replace("\r\n", "\n> "));
        }
        let told = |error: std::io::Error| format!("fetch failed: {error}");
        let stream = TcpStream::connect(&self.authority).await.map_err(told)?;
        let mut stream = BufReader::new(stream);
        stream.write_all(&sent).await.map_err(told)?;
        let mut interim = Vec::new();
        loop {
            let head = read_head(&mut stream).await.map_err(told)?;
            let head = head.ok_or("fetch failed: the connection was closed without an answer")?;
            if self.verbose {
                eprintln!("< {}", head.line);
                head.fields.iter().for_each(|(name, value)| eprintln!("< {name}: {value}"));
            }
            let status = head.line.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status: u16 = status.ok_or_else(|| format!("fetch failed: \"{}\"", head.line))?;
            if (100..200).contains(&status) {
                interim.push(Interim(status, head.fields));
                continue;
            }
            let framing = if request.method == "HEAD" || matches!(status, 204 | 304) {
                Framing::Length(0)
            } else {
                head.framing(Framing::Closed).map_err(|why| format!("fetch failed: {why}"))?
            };
            let body =
                read_body(&mut stream, framing).await.map_err(|error| format!("terminated: {error}"))?;
            let body = String::from_utf8_lossy(&body).into_owned();
            if self.verbose {
                eprintln!("< \n< {body}\n");
            }
            return Ok(Response { status, fields: head.fields, body, interim });
        }
    }

    /// The request's bytes, with what the suite's client adds. It joins the lines of one field.
    fn written(&self, request: &Request) -> Vec<u8> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in &request.fields {
            match fields.iter_mut().find(|(field, _)| field.eq_ignore_ascii_case(name)) {
                Some((_, all)) => {
                    all.push_str(", ");
                    all.push_str(value);
                }
                None => fields.push((name.clone(), value.clone())),
            }
        }
        let mut add = |name: &str, value: &str| {
            if !fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name)) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        };
        ADDED.iter().for_each(|(name, value)| add(name, value));
        if !request.body.is_empty() {
            add("Content-Type", "text/plain;charset=UTF-8");
        }
        if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT") {
            add("Content-Length", &request.body.len().to_string());
        }
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: keep-alive\r\n",
            request.method, request.target, self.authority
        );
        for (name, value) in &fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut bytes = to_latin1(&text);
        bytes.extend(request.body.as_bytes());
        bytes
    }

    /// The target that a redirection names, where it is this edge's.
    fn redirected(&self, location: &str) -> Option<String> {
        let rest = location.strip_prefix("http://").and_then(|rest| rest.strip_prefix(&self.authority));
        let target = rest.unwrap_or(location);
        target.starts_with('/').then(|| target.to_owned())
    }
}

struct Network<'a> {
    edge: &'a Edge,
    token: String,
}

impl Wire for Network<'_> {
    async fn send(&mut self, mut request: Request) -> Result<Response, Failure> {
        for _ in 0..=REDIRECTS {
            let answer = tokio::time::timeout(TIMEOUT, self.edge.exchange(&request)).await;
            let answer = answer
                .map_err(|_| Failure::Late("This operation was aborted".to_owned()))?
                .map_err(Failure::Broken)?;
            let location = match answer.status {
                301 | 302 | 303 | 307 | 308 if request.follow => answer.field("location"),
                _ => None,
            };
            let Some(location) = location else { return Ok(answer) };
            request.target = self
                .edge
                .redirected(&location)
                .ok_or_else(|| Failure::Broken(format!("it redirects away from the edge, to {location}")))?;
            let becomes_get = match answer.status {
                301 | 302 => request.method == "POST",
                303 => !matches!(request.method.as_str(), "GET" | "HEAD"),
                _ => false,
            };
            if becomes_get {
                "GET".clone_into(&mut request.method);
                request.body.clear();
            }
        }
        Err(Failure::Broken("it redirects without end".to_owned()))
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn records(&mut self) -> Vec<Record> {
        let records = self.edge.origin.records(&self.token);
        if self.edge.verbose {
            for record in &records {
                eprintln!("origin saw {} of request {:?}: {:?}", record.method, record.number, record.fields);
            }
        }
        records
    }
}

/// A text in the form of a UUID, which is never the same. Some definitions count on its 36 bytes.
fn token() -> String {
    let random = |n: u8| RandomState::new().hash_one(n);
    let (high, low) = (random(0), random(1));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high & 0xffff,
        high >> 16 & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
