//! The suite's origin over HTTP, byte by byte, because servers made for use refuse to send much of what is asked for here.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use levee::Time;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::definitions::Step;
use crate::message::{Framing, Head, read_body, read_head, to_latin1};
use crate::origin::{Origin, Record, Reply, Seen};

/// The running origin. What the suite's client does by `PUT /config/{token}` and `GET /state/{token}` is done by
/// [`Server::expect`] and [`Server::records`], past the cache: neither is part of any definition, no test's verdict
/// depends on how a cache treats them, and what a cache makes of PUT has tests of its own.
#[derive(Clone, Debug)]
pub struct Server {
    address: SocketAddr,
    tests: Arc<Mutex<HashMap<String, Origin>>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1 and answers from then on, inside the current Tokio runtime.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self { address: listener.local_addr()?, tests: Arc::default() };
        let accepting = server.clone();
        tokio::spawn(async move {
            loop {
                // A connection that could not be accepted is its client's failure, and shows there.
                let Ok((stream, _)) = listener.accept().await else { continue };
                let server = accepting.clone();
                tokio::spawn(async move {
                    // Whoever closes a connection early has no more use for the answer.
                    let _ = server.serve(stream).await;
                });
            }
        });
        Ok(server)
    }

    /// Where it answers, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on `/test/{token}` is answered by these steps.
    pub fn expect(&self, token: &str, steps: Vec<Step>) {
        let origin = Origin::new(steps, token.to_owned());
        self.tests.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), origin);
    }

    /// What was asked under this token.
    pub fn records(&self, token: &str) -> Vec<Record> {
        self.with(token, |origin| origin.records.clone()).unwrap_or_default()
    }

    fn with<T>(&self, token: &str, use_: impl FnOnce(&mut Origin) -> T) -> Option<T> {
        self.tests.lock().unwrap_or_else(PoisonError::into_inner).get_mut(token).map(use_)
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(head) = read_head(&mut stream).await? {
            let framing = head.framing(Framing::Length(0)).map_err(io::Error::other)?;
            read_body(&mut stream, framing).await?;
            let (method, target) = method_and_target(&head);
            let seen = Seen { method: method.clone(), target: target.clone(), fields: joined(&head) };
            let token = target.strip_prefix("/test/").and_then(|rest| rest.split(['/', '?']).next());
            let token = token.unwrap_or_default();
            let Some(pause) = self.with(token, |origin| origin.pause(&seen)) else {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await?;
                continue;
            };
            tokio::time::sleep(pause).await;
            let now = now();
            let Some(reply) = self.with(token, |origin| origin.answer(seen, now)) else { continue };
            if reply.disconnect {
                return Ok(());
            }
            let (bytes, ends) = written(&reply, method == "HEAD", now);
            stream.write_all(&bytes).await?;
            if ends {
                return stream.shutdown().await;
            }
        }
        Ok(())
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn method_and_target(head: &Head) -> (String, String) {
    let mut parts = head.line.split(' ');
    let method = parts.next().unwrap_or_default().to_owned();
    (method, parts.next().unwrap_or_default().to_owned())
}

fn joined(head: &Head) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.fields {
        let all = fields.entry(name.clone()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(value);
    }
    fields
}

/// The answer's bytes, and whether the connection ends with it: always where its body ends otherwise than it says.
fn written(reply: &Reply, head_only: bool, now: Time) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut line = |text: String| {
        bytes.extend(to_latin1(&text));
        bytes.extend(b"\r\n");
    };
    for interim in &reply.interim {
        line(format!(
            "HTTP/1.1 {} {}",
            interim.0,
            if interim.0 == 102 { "Processing" } else { "Early Hints" }
        ));
        for (name, value) in &interim.1 {
            line(format!("{name}: {value}"));
        }
        line(String::new());
    }
    line(format!("HTTP/1.1 {} {}", reply.status, reply.reason));
    for (name, value) in &reply.fields {
        line(format!("{name}: {value}"));
    }
    let set = |wanted: &str| {
        reply.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let bodiless = matches!(reply.status, 204 | 304);
    if set("date").is_none() {
        line(format!("Date: {}", now.to_http_date()));
    }
    let length = reply.body.len();
    let odd = match (set("transfer-encoding"), set("content-length")) {
        (Some(_), _) => true,
        (None, Some(said)) => !bodiless && !head_only && *said != length.to_string(),
        (None, None) => {
            if !bodiless {
                line(format!("Content-Length: {length}"));
            }
            false
        }
    };
    if set("connection").is_none() {
        line(format!("Connection: {}", if odd { "close" } else { "keep-alive" }));
    }
    line(String::new());
    if !head_only && !bodiless {
        bytes.extend(reply.body.as_bytes());
    }
    (bytes, odd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::Interim;

    fn reply(fields: &[(&str, &str)]) -> Reply {
        Reply {
            status: 299,
            reason: "Whatever".to_owned(),
            fields: fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: "body".to_owned(),
            disconnect: false,
            interim: vec![],
        }
    }

    fn text(reply: &Reply, head_only: bool) -> (String, bool) {
        let (bytes, ends) = written(reply, head_only, Time(784_111_777_000));
        (String::from_utf8(bytes).expect("text"), ends)
    }

    #[test]
    fn what_the_definition_says_is_sent_and_what_it_leaves_out_is_added() {
        let (sent, ends) = text(&reply(&[("Foo", "1"), ("foo", "2")]), false);
        assert_eq!(
            sent,
            "HTTP/1.1 299 Whatever\r\nFoo: 1\r\nfoo: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Content-Length: 4\r\nConnection: keep-alive\r\n\r\nbody"
        );
        assert!(!ends);
        assert!(text(&reply(&[]), true).0.ends_with("Content-Length: 4\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn a_wrong_length_is_sent_and_ends_the_connection() {
        let (sent, ends) = text(&reply(&[("Content-Length", "2"), ("Date", "x")]), false);
        assert_eq!(
            sent,
            "HTTP/1.1 299 Whatever\r\nContent-Length: 2\r\nDate: x\r\nConnection: close\r\n\r\nbody"
        );
        assert!(ends);
        let (sent, ends) = text(&reply(&[("Transfer-Encoding", "odd"), ("Date", "x")]), false);
        assert!(ends && !sent.contains("Content-Length"), "{sent}");
    }

    #[test]
    fn interim_answers_come_first() {
        let hints =
            Interim(103, vec![("link", "</a>")].into_iter().map(|(n, v)| (n.into(), v.into())).collect());
        let (sent, _) = text(&Reply { interim: vec![hints], ..reply(&[]) }, false);
        assert!(sent.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 299 "), "{sent}");
    }
}
