//! A connection from its first byte to its last.

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use levee::body::Pace;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::rewind::Rewind;
use super::run::{Ended, Wants, doze, run};
use crate::app::App;
use crate::server::drain::Watch;
use crate::server::gate::{Gate, Signals};
use crate::server::linger::linger;
use crate::server::places::Slot;
use crate::server::service::Connected;
use crate::server::streams::{Local, Open, Streams, Verdict};

/// What one connection needs beside its socket and its service.
pub(super) struct Life {
    pub(super) http1: Rc<http1::Builder>,
    pub(super) http2: Rc<http2::Builder<Local>>,
    pub(super) watch: Watch,
    pub(super) slot: Arc<Slot>,
    pub(super) signals: Arc<Signals>,
    /// The slowest that the client may read.
    pub(super) pace: Pace,
    /// How long it may want nothing.
    pub(super) idle: Duration,
}

type Http1Parts<A> = http1::Parts<TokioIo<Gate<TcpStream>>, Connected<A>>;

impl Life {
    /// To the end. A client that says nothing has no hyper, which costs ten times as much as the rest: only its socket is waited
    /// for.
    pub(super) async fn live<A: App>(
        mut self,
        mut gate: Gate<TcpStream>,
        mut connected: Connected<A>,
    ) -> hyper::Result<()> {
        loop {
            if !gate.has_ready() && !doze(gate.socket(), &self.slot, &mut self.watch, self.idle).await {
                return Ok(());
            }
            let io = TokioIo::new(gate);
            let mut http1 = Box::new(self.http1.serve_connection(io, connected).with_upgrades());
            let stop = http1::UpgradeableConnection::graceful_shutdown;
            let signals = self.signals.clone();
            let wants = |_: &mut Context<'_>, slot: &Slot| {
                if slot.is_to_doze() && signals.is_at_rest() { Wants::Sleep } else { Wants::Nothing }
            };
            let ended = run(Pin::new(&mut *http1), stop, &mut self.watch, &self.slot, wants).await;
            // Upgraded, there is nothing left of it here.
            let Some(parts) = http1.into_parts() else { return Ok(()) };
            match ended {
                Ended::Asleep => {
                    gate = parts.io.into_inner();
                    gate.put_back(parts.read_buf);
                    connected = parts.service;
                }
                Ended::Dismissed => return Ok(()),
                Ended::Over(Err(error)) if error.is_parse_version_h2() => {
                    // Boxed, because most connections never need the space.
                    return Box::pin(self.live_on(parts)).await;
                }
                Ended::Over(ended) => {
                    Box::pin(self.close(parts, ended.as_ref().err())).await;
                    return ended;
                }
            }
        }
    }

    /// Goes on in HTTP/2.
    async fn live_on<A: App>(mut self, parts: Http1Parts<A>) -> hyper::Result<()> {
        let io = Rewind::new(parts.read_buf, parts.io);
        let open = Rc::new(Open::new(self.pace, self.idle));
        let streams = Streams::new(parts.service.service, open.clone());
        let mut check = open.check();
        let wants = |cx: &mut Context<'_>, _: &Slot| match check.poll(cx) {
            Verdict::Fine => Wants::Nothing,
            Verdict::Over => Wants::End,
            Verdict::Stalled => Wants::Dismissal,
        };
        let http2 = pin!(self.http2.serve_connection(io, streams));
        let stop = http2::Connection::graceful_shutdown;
        match run(http2, stop, &mut self.watch, &self.slot, wants).await {
            Ended::Over(ended) => ended,
            Ended::Asleep | Ended::Dismissed => Ok(()),
        }
    }

    /// Leaves the client with what it has been sent, and with no wrong idea of it.
    async fn close<A>(&self, parts: Http1Parts<A>, error: Option<&hyper::Error>) {
        let mut gate = parts.io.into_inner();
        match error {
            // It must not take what it has for the whole: a reset is no end.
            Some(error) if error.is_user() && self.signals.is_ended_by_close() => {
                let _ = SockRef::from(&*gate.socket()).set_linger(Some(Duration::ZERO));
            }
            Some(error) if !error.is_parse() => {}
            // It was answered, and may not have read that.
            _ if gate.has_unread() => linger(gate.socket()).await,
            _ => {}
        }
    }
}
