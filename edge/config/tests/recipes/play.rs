//! An application behind a recipe: what it answers, and what the edge makes of it.

use levee::config::Config;
use levee::testing::{Answered, Ask, Reply, Sim};

use super::text::config;

pub(crate) type Fields<'a> = &'a [(&'static str, &'a str)];

/// The edge under a block of a page (none: the file to start from) before an application.
pub(crate) fn behind(page: &str, block: Option<usize>, application: impl Fn(&Ask) -> Reply + 'static) -> Sim {
    // The host that the simulation asks for is another.
    Sim::new(Config { hosts: Vec::new(), ..config(page, block) }, application)
}

/// A response with these fields, numbered.
pub(crate) fn answer(ask: &Ask, fields: &[(&str, &str)]) -> Reply {
    let mut reply = Reply::new("", &format!("answer {}", ask.number));
    reply.fields.clear();
    fields.iter().fold(reply, |reply, (name, value)| reply.field(name, *value))
}

/// An application that always says the same of its responses.
pub(crate) fn saying(fields: &'static [(&'static str, &'static str)]) -> impl Fn(&Ask) -> Reply {
    move |ask| answer(ask, fields)
}

/// Whether a GET is answered by what is stored.
pub(crate) fn hits(sim: &Sim, target: &str, fields: Fields<'_>) -> bool {
    is_hit(&sim.send("GET", target, fields))
}

pub(crate) fn is_hit(answered: &Answered) -> bool {
    answered.cache_status().starts_with("hit")
}

/// Sends a GET, checks that it reaches the application, and returns its `Cache-Status`.
pub(crate) fn goes_on(sim: &Sim, target: &str, fields: Fields<'_>) -> String {
    let answered = sim.send("GET", target, fields);
    assert!(!is_hit(&answered), "{target} {fields:?}: {}", answered.cache_status());
    answered.cache_status().to_owned()
}

/// What the application was sent in a field of the last request.
pub(crate) fn saw(sim: &Sim, name: &str) -> String {
    sim.asked().last().map(|ask| ask.field(name).to_owned()).unwrap_or_default()
}
