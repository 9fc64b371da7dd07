//! A client that sends what it is told, byte for byte: it follows, decodes, stores and retries nothing.

use std::fmt;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::wait::within;

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// The edge under test, as its clients reach it.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    authority: String,
    prefix: String,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Ask {
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Option<Body>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), fields: Vec::new(), body: None }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Adds a field; `Host` replaces the edge's own address.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(full(bytes));
        self
    }

    /// A body whose length is not announced.
    pub(crate) fn stream(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.field("content-type", "application/json").body(value.to_string())
    }
}

impl Edge {
    /// `url`: scheme, host and port.
    pub(crate) fn at(url: &str) -> Self {
        let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/').to_owned();
        Self { authority, prefix: String::new() }
    }

    /// Puts a path before every target.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) async fn get(&self, target: &str) -> Result<Answer> {
        self.send(Ask::get(target)).await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Answer> {
        let what = format!("{} {}", ask.method, ask.target);
        let answer = async {
            let (head, body) = self.open(ask).await?.into_parts();
            let body = body.collect().await.context("the body broke off")?.to_bytes();
            anyhow::Ok(Answer { status: head.status.as_u16(), fields: head.headers, body })
        };
        within(&format!("the answer to {what}"), answer).await?.with_context(|| what)
    }

    /// Sends a request and returns once the answer's head is there. Each request has a connection of its own.
    pub(crate) async fn open(&self, ask: Ask) -> Result<Response<Incoming>> {
        let stream = TcpStream::connect(&self.authority).await.context("connecting to the edge")?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::Builder::new().handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(self.request(ask)?).await?;
        // The connection is kept as long as its sender.
        tokio::spawn(async move { sender.ready().await.map(|()| drop(sender)) });
        Ok(response)
    }

    fn request(&self, ask: Ask) -> Result<Request<Body>> {
        let mut request = Request::new(ask.body.unwrap_or_else(empty));
        *request.method_mut() = Method::from_bytes(ask.method.as_bytes())?;
        *request.uri_mut() = format!("{}{}", self.prefix, ask.target).parse()?;
        let fields = request.headers_mut();
        fields.insert(HOST, self.authority.parse()?);
        for (name, value) in ask.fields {
            let (name, value) = (HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            if name == HOST {
                fields.insert(name, value);
            } else {
                fields.append(name, value);
            }
        }
        Ok(request)
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A field's lines, joined; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        joined(&self.fields, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self:?}"))
    }

    /// What Levee says in `Cache-Status`, without its name.
    pub(crate) fn cache_status(&self) -> String {
        let field = self.field("cache-status");
        let own = field.rsplit(", ").next().unwrap_or_default();
        own.strip_prefix("levee").unwrap_or(own).trim_start_matches(';').trim().to_owned()
    }

    /// Answered from the cache while fresh.
    pub(crate) fn is_hit(&self) -> bool {
        self.timing("cache").as_deref() == Some("hit") && self.cache_status().starts_with("hit")
    }

    /// One entry of `Server-Timing`: its description, else its duration.
    pub(crate) fn timing(&self, name: &str) -> Option<String> {
        let field = self.field("server-timing");
        field.split(", ").find_map(|entry| {
            let (found, rest) = entry.split_once(';')?;
            let value = rest.strip_prefix("desc=").or_else(|| rest.strip_prefix("dur="))?;
            (found == name).then(|| value.trim_matches('"').to_owned())
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text().chars().take(300).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("fields", &self.fields)
            .field("body", &text)
            .finish()
    }
}

pub(crate) fn joined(fields: &HeaderMap, name: &str) -> String {
    let lines = fields.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    lines.collect::<Vec<_>>().join(", ")
}
