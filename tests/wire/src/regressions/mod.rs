//! Rounds that have found something once, each by a name. They are replayed before anything is made up.

mod framing;
mod sharing;
mod stalling;

use crate::edge::Runtime;
use crate::plan::{Ask, Client, Reply, Resource, Round, Route};

/// A round that must pass.
#[derive(Debug)]
pub struct Regression {
    pub name: &'static str,
    pub make: fn() -> Round,
    /// Runtimes that cannot pass it, and why.
    pub not_on: &'static [(Runtime, &'static str)],
}

/// All of them; names of new ones say what went wrong.
pub fn all() -> impl Iterator<Item = &'static Regression> {
    framing::ALL.iter().chain(sharing::ALL).chain(stalling::ALL)
}

const fn on_all(name: &'static str, make: fn() -> Round) -> Regression {
    Regression { name, make, not_on: &[] }
}

/// One resource, and clients one after another, with one request each.
fn round(route: Route, replies: Vec<Reply>, asks: Vec<Ask>) -> Round {
    let clients = asks.into_iter().map(|ask| Client::asks(vec![ask])).collect();
    Round { resources: vec![Resource { route, replies }], clients }
}

/// The same, all at the same time.
fn together(route: Route, replies: Vec<Reply>, asks: Vec<Ask>) -> Round {
    let mut round = round(route, replies, asks);
    round.clients.iter_mut().for_each(|client| client.waits = false);
    round
}

fn get() -> Ask {
    Ask::get(0)
}

fn post(content: crate::plan::Content) -> Ask {
    Ask { method: "POST", content, ..get() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<_> = all().map(|regression| regression.name).collect();
        assert_eq!(names.len(), all().count());
    }
}
