//! What the steps of one request found and decided, for whoever asks how an answer came about.

use std::cell::RefCell;
use std::rc::Rc;

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    pub what: String,
    /// The line of `levee.toml` or the section of an RFC that decided it.
    pub rule: String,
}

impl Step {
    pub(crate) fn new(name: &'static str, what: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { name, what: what.into(), rule: rule.into() }
    }
}

/// The steps of one request in their order. Off, as it is for nearly every request, it costs a look at whether it is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Option<Rc<RefCell<Vec<Step>>>>);

impl Trace {
    /// One that records.
    pub(crate) fn on() -> Self {
        Self(Some(Rc::default()))
    }

    /// Records a step; `step` only runs where somebody wants to know.
    pub(crate) fn note(&self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &self.0 {
            let step = step();
            steps.borrow_mut().push(step);
        }
    }

    /// What has been recorded so far.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.0.as_ref().map_or_else(Vec::new, |steps| steps.borrow().clone())
    }
}
