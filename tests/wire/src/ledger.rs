//! What the origin has sent, and who has got it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::edge::Limits;
use crate::fault::{Fault, Kind};
use crate::mark::Mark;
use crate::message::Head;
use crate::plan::{Caching, OddAsk, OddHead, Round};
use crate::wire::Log;

/// One message that the origin sent or began to send.
#[derive(Debug)]
pub struct Given {
    pub mark: Mark,
    /// The mark of its content, where the representation is not new.
    pub content: Mark,
    pub resource: usize,
    /// The request as the origin saw it.
    pub seen: Head,
    pub status: u16,
    pub caching: Caching,
    pub vary: Option<&'static str>,
    pub etag: Option<String>,
    /// The origin replied to something unusual in the request with an error.
    pub provoked: bool,
    /// Requests whose credentials it saw.
    pub credentials: Vec<Mark>,
    /// The request whose content it saw.
    pub upload: Option<Mark>,
    pub upgrade: bool,
    /// Requests that it has answered.
    pub delivered: RefCell<BTreeSet<Mark>>,
}

/// How far one representation has been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub total: usize,
    /// The longest beginning that was sent.
    pub sent: usize,
    /// It was sent to its end once, by its framing too.
    pub whole: bool,
}

/// What the origin knows of one resource.
#[derive(Debug, Default)]
pub struct Resource {
    /// Requests so far.
    pub arrivals: Cell<usize>,
    /// A reply was such that an edge may fail at it.
    pub unsound: Cell<bool>,
    /// A reply's content broke off.
    pub breaks: Cell<bool>,
    /// The last status that an edge may tell those who wait with: 429, and 500 and above.
    pub failed: Cell<u16>,
    /// The current representation, by what the origin selects by.
    pub current: RefCell<HashMap<String, Mark>>,
}

/// A round under way.
#[derive(Debug)]
pub struct Running {
    pub number: u64,
    pub limits: Limits,
    pub plan: Round,
    pub resources: Vec<Resource>,
    given: RefCell<Vec<Rc<Given>>>,
    contents: RefCell<HashMap<Mark, Content>>,
    /// By whom a thing that is for one alone has been seen.
    once: RefCell<HashMap<(Kind, Mark), BTreeSet<Mark>>>,
    pub faults: RefCell<Vec<Fault>>,
    pub transcripts: RefCell<Vec<(String, Log)>>,
    /// Requests that clients have sent and that have come to an end.
    pub exchanges: Cell<u64>,
}

impl Running {
    pub fn new(number: u64, plan: Round, limits: Limits) -> Self {
        Self {
            number,
            limits,
            resources: plan.resources.iter().map(|_| Resource::default()).collect(),
            plan,
            given: RefCell::default(),
            contents: RefCell::default(),
            once: RefCell::default(),
            faults: RefCell::default(),
            transcripts: RefCell::default(),
            exchanges: Cell::new(0),
        }
    }

    pub fn fault(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// The mark of the origin's next message.
    pub fn next_mark(&self) -> Mark {
        Mark { round: self.number, number: self.given.borrow().len() as u16 }
    }

    /// Writes down a message that is about to be sent; its mark is the one that [`Running::next_mark`] gave.
    pub fn give(&self, given: Given) -> Rc<Given> {
        let given = Rc::new(given);
        self.given.borrow_mut().push(given.clone());
        given
    }

    /// The message of this mark.
    pub fn given(&self, mark: Mark) -> Option<Rc<Given>> {
        (mark.round == self.number).then(|| self.given.borrow().get(usize::from(mark.number)).cloned())?
    }

    pub fn content(&self, mark: Mark) -> Content {
        self.contents.borrow().get(&mark).copied().unwrap_or_default()
    }

    /// So much of a representation is sent.
    pub fn sends(&self, mark: Mark, total: usize, sent: usize, whole: bool) {
        let mut contents = self.contents.borrow_mut();
        let content = contents.entry(mark).or_default();
        content.total = content.total.max(total);
        content.sent = content.sent.max(sent);
        content.whole |= whole;
    }

    /// Something that is for one alone has reached this request: who had it before, if another had.
    pub fn once(&self, what: Kind, mark: Mark, ask: Mark) -> Option<Mark> {
        let mut once = self.once.borrow_mut();
        let seen = once.entry((what, mark)).or_default();
        let other = seen.iter().copied().find(|&other| other != ask);
        seen.insert(ask);
        other
    }
}

impl Given {
    /// It has reached this request: which other one it had reached before, if any.
    pub fn deliver(&self, ask: Mark) -> Option<Mark> {
        let mut delivered = self.delivered.borrow_mut();
        let other = delivered.iter().copied().find(|&other| other != ask);
        delivered.insert(ask);
        other
    }
}

/// All rounds, and what belongs to none.
#[derive(Debug)]
pub struct Ledger {
    pub seed: u64,
    pub limits: Limits,
    rounds: RefCell<HashMap<u64, Rc<Running>>>,
    /// Faults that were seen outside a round, each with its transcript.
    pub stray: RefCell<Vec<(Fault, String)>>,
    /// Connections that origins have open.
    pub connections: Cell<usize>,
    /// Requests for rounds that are over, such as revalidations behind responses.
    pub late: Cell<u64>,
}

impl Ledger {
    pub fn new(seed: u64, limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            seed,
            limits,
            rounds: RefCell::default(),
            stray: RefCell::default(),
            connections: Cell::new(0),
            late: Cell::new(0),
        })
    }

    /// Begins a round, without what the runtime's own parsers would make something else of.
    pub fn begin(&self, number: u64, mut plan: Round) -> Rc<Running> {
        let replies = plan.resources.iter_mut().flat_map(|resource| &mut resource.replies);
        for reply in replies.filter(|reply| self.limits.older_versions && reply.odd == OddHead::Http10) {
            reply.odd = OddHead::None;
        }
        let asks = plan.clients.iter_mut().flat_map(|client| &mut client.asks);
        for ask in asks {
            let taken = match ask.odd {
                OddAsk::BareLf => self.limits.takes_bare_lf,
                OddAsk::TwoHosts => self.limits.takes_two_hosts,
                _ => false,
            };
            if taken {
                ask.odd = OddAsk::None;
            }
        }
        let running = Rc::new(Running::new(number, plan, self.limits));
        self.rounds.borrow_mut().insert(number, running.clone());
        running
    }

    pub fn end(&self, number: u64) {
        self.rounds.borrow_mut().remove(&number);
    }

    pub fn round(&self, number: u64) -> Option<Rc<Running>> {
        self.rounds.borrow().get(&number).cloned()
    }

    pub fn stray(&self, fault: Fault, transcript: String) {
        self.stray.borrow_mut().push((fault, transcript));
    }
}
