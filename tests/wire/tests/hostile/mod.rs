//! A small proxy in the edge's place: honest, or hostile in one way. An honest one stores nothing.

mod relay;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use levee_wire::fault::Kind;
use levee_wire::message::{Framing, Head};
use levee_wire::plan::End;
use levee_wire::run::Vitals;
use levee_wire::wire::{Log, Wire};
use tokio::net::{TcpListener, TcpStream};

/// In which way it is hostile. Most do so with every few responses only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Honest,
    /// Ends content early, and says that it is whole.
    Truncates,
    /// Ends content early, and says so.
    BreaksOff,
    /// Puts bytes of an earlier response into content.
    Mixes,
    /// Answers with the response of another URL.
    Misdirects,
    /// Answers with the first response that a URL has had, whatever it says.
    Replays,
    Relabels,
    /// Says that a part is another.
    ShiftsParts,
    /// Both a length and chunks.
    FramesTwice,
    /// Takes the length of a request that has both.
    Smuggles,
    ChangesUploads,
    AnswersItself,
    NeverAnswers,
    HangsUp,
    TakesAnyHost,
    SaysPanic,
    Dies,
    KeepsPermits,
    KeepsConnections,
    KeepsContent,
}

/// Each hostile way, and the kinds of faults of which it must cause at least one each.
pub(crate) const HOSTILE: &[(Way, &[Kind])] = &[
    (Way::Truncates, &[Kind::Incomplete]),
    (Way::BreaksOff, &[Kind::BrokenOff]),
    (Way::Mixes, &[Kind::Mixed]),
    (Way::Misdirects, &[Kind::OtherUrl]),
    (
        Way::Replays,
        &[
            Kind::Private,
            Kind::Credentials,
            Kind::SetCookie,
            Kind::FieldShared,
            Kind::ErrorShared,
            Kind::ErrorStored,
            Kind::OtherVariant,
            Kind::StoredAnswer,
            Kind::Condition,
        ],
    ),
    (Way::Relabels, &[Kind::Relabelled]),
    (Way::ShiftsParts, &[Kind::Range]),
    (Way::FramesTwice, &[Kind::Framing]),
    (Way::Smuggles, &[Kind::Smuggled]),
    (Way::ChangesUploads, &[Kind::Upload]),
    (Way::AnswersItself, &[Kind::OwnError]),
    (Way::NeverAnswers, &[Kind::NoEnd]),
    (Way::HangsUp, &[Kind::NoAnswer]),
    (Way::TakesAnyHost, &[Kind::Malformed]),
    (Way::SaysPanic, &[Kind::Crash]),
    (Way::Dies, &[Kind::Crash]),
    (Way::KeepsPermits, &[Kind::Permits]),
    (Way::KeepsConnections, &[Kind::Descriptors]),
    (Way::KeepsContent, &[Kind::Memory]),
];

/// A response as the origin gave it, without what is about framing.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) head: Head,
    pub(crate) content: Vec<u8>,
}

/// What all connections of the proxy share.
#[derive(Debug)]
pub(crate) struct Proxy {
    way: Way,
    origin: SocketAddr,
    /// Responses so far.
    count: Cell<usize>,
    last: RefCell<Option<Whole>>,
    /// First responses by target.
    kept: RefCell<HashMap<String, Whole>>,
    connections: Cell<usize>,
    leaked: RefCell<Vec<Wire>>,
    hoarded: Cell<u64>,
}

impl Proxy {
    /// Starts it before this origin. Must be called within a `LocalSet`.
    pub(crate) async fn start(way: Way, origin: SocketAddr) -> (Rc<Self>, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let proxy = Rc::new(Self {
            way,
            origin,
            count: Cell::new(0),
            last: RefCell::default(),
            kept: RefCell::default(),
            connections: Cell::new(0),
            leaked: RefCell::default(),
            hoarded: Cell::new(0),
        });
        let serving = proxy.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = serving.clone();
                tokio::task::spawn_local(async move {
                    proxy.connections.set(proxy.connections.get() + 1);
                    let wire = Wire::new(stream, Log::default());
                    if let Some(end) = proxy.serve(&wire).await {
                        wire.close(end);
                    }
                    proxy.connections.set(proxy.connections.get() - 1);
                });
            }
        });
        (proxy, address)
    }

    /// Whether it is this one's turn to be spoilt.
    fn turn(&self, way: Way) -> bool {
        self.way == way && self.count.get().is_multiple_of(3)
    }

    async fn serve(&self, wire: &Wire) -> Option<End> {
        loop {
            let goes_on = match relay::read(self, wire).await {
                relay::Read::Request(request) => self.answer(wire, request).await?,
                relay::Read::Refused(status) => {
                    let text = format!(
                        "HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    );
                    let _ = wire.write(text.as_bytes()).await;
                    false
                }
                relay::Read::Ended => false,
            };
            if !goes_on {
                return Some(End::Fin);
            }
        }
    }

    /// Answers one request; whether the connection goes on.
    async fn answer(&self, wire: &Wire, mut request: relay::Request) -> Option<bool> {
        self.count.set(self.count.get() + 1);
        let plain = request.target.starts_with("/rest/");
        if self.turn(Way::NeverAnswers) && !plain {
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        if self.turn(Way::HangsUp) {
            return Some(false);
        }
        if self.turn(Way::ChangesUploads) {
            request.content.pop();
        }
        if self.turn(Way::AnswersItself) || (plain && self.turn(Way::KeepsPermits)) {
            let own = Head { line: "HTTP/1.1 503 Busy".to_owned(), fields: Vec::new() };
            return relay::write(wire, &request, &Whole { head: own, content: Vec::new() }, false).await;
        }
        let path = request.target.split('?').next().unwrap_or_default().to_owned();
        let kept = self.kept.borrow().get(&path).cloned();
        let (mut whole, was_kept) = match kept {
            Some(kept) if self.way == Way::Replays && !plain => (kept, true),
            _ => (relay::ask(self, &request).await, false),
        };
        if was_kept {
            whole.head.fields.push(("cache-status".to_owned(), "hostile; hit".to_owned()));
        } else if whole.head.field("x-answer").is_some() && !whole.head.line.contains(" 304 ") {
            self.kept.borrow_mut().entry(path.clone()).or_insert_with(|| whole.clone());
        }
        self.spoil(&path, &mut whole);
        self.last.replace(Some(whole.clone()));
        let cut = if self.turn(Way::BreaksOff) && whole.content.len() > 10 {
            Some(whole.content.len() / 2)
        } else {
            None
        };
        if let Some(cut) = cut {
            let half = Whole { content: whole.content[..cut].to_vec(), ..whole.clone() };
            return relay::write_as(wire, &request, &half, Framing::Length(whole.content.len()))
                .await
                .map(|_| false);
        }
        relay::write(wire, &request, &whole, self.turn(Way::FramesTwice)).await
    }

    fn spoil(&self, path: &str, whole: &mut Whole) {
        let replace = |fields: &mut Vec<(String, String)>, name: &str, value: &str| {
            fields.iter_mut().filter(|(field, _)| field == name).for_each(|(_, old)| value.clone_into(old));
        };
        if self.turn(Way::Truncates) {
            whole.content.pop();
        }
        if self.turn(Way::Mixes)
            && let Some(last) = &*self.last.borrow()
        {
            let both = whole.content.len().min(last.content.len());
            whole.content[..both].copy_from_slice(&last.content[..both]);
        }
        // Of the same round, which is the likelier mistake.
        if self.turn(Way::Misdirects)
            && let Some((round, _)) = path.rsplit_once('-')
            && let Some((_, other)) = self.kept.borrow().iter().find(|(other, _)| {
                *other != path && other.contains(round.rsplit('/').next().unwrap_or_default())
            })
        {
            *whole = other.clone();
        }
        if self.turn(Way::Relabels) {
            replace(&mut whole.head.fields, "etag", "\"m-0000000000.000x\"");
        }
        if self.turn(Way::ShiftsParts) {
            replace(&mut whole.head.fields, "content-range", "bytes 1-3/9");
        }
        if self.turn(Way::SaysPanic) {
            whole.head.fields.push(("cache-status".to_owned(), "levee; detail=panic".to_owned()));
        }
        if self.way == Way::KeepsContent {
            self.hoarded.set(self.hoarded.get() + 100_000);
        }
    }

    /// A connection to the origin.
    async fn connect(&self) -> std::io::Result<Wire> {
        Ok(Wire::new(TcpStream::connect(self.origin).await?, Log::default()))
    }

    fn done_with(&self, wire: Wire) {
        if self.way == Way::KeepsConnections && self.leaked.borrow().len() < 100 {
            self.leaked.borrow_mut().push(wire);
        }
    }
}

impl Vitals for Proxy {
    fn crashed(&self) -> Option<String> {
        (self.way == Way::Dies && self.count.get() > 100).then(|| "it is dead".to_owned())
    }

    fn descriptors(&self) -> Option<usize> {
        // A connection to the origin counts twice, as the origin's own are taken off.
        Some(self.connections.get() + 2 * self.leaked.borrow().len() + 1000)
    }

    fn resident(&self) -> Option<u64> {
        Some(self.hoarded.get())
    }
}
