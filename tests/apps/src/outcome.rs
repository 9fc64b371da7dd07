//! What a client saw in one run of a flow, and how two runs differ.

use serde::{Deserialize, Serialize};

/// One run of a flow: what was seen, in order, and why it ended early if it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Labels and values, which the driver has freed from addresses, times and secrets.
    pub(crate) seen: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) failed: Option<String>,
}

/// The label of a difference in how a flow ended.
pub(crate) const END: &str = "end";

/// Something that one run saw otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) label: String,
    /// In which of the runs, from 1.
    pub(crate) passes: Vec<usize>,
    pub(crate) direct: String,
    pub(crate) here: String,
}

/// How `here` differs from the same run directly.
///
/// Where a run ended early, that is the difference: what it did not come to is not listed.
pub(crate) fn differences(pass: usize, direct: &Outcome, here: &Outcome) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |label: &str, direct: &str, here: &str| {
        found.push(Difference {
            label: label.to_owned(),
            passes: vec![pass],
            direct: direct.to_owned(),
            here: here.to_owned(),
        });
    };
    let ended_alike = direct.failed.is_some() == here.failed.is_some();
    for (label, value) in &direct.seen {
        match here.seen.iter().find(|(there, _)| there == label) {
            Some((_, there)) if there == value => {}
            Some((_, there)) => add(label, value, there),
            None if ended_alike => add(label, value, "nothing"),
            None => {}
        }
    }
    for (label, value) in &here.seen {
        if !direct.seen.iter().any(|(there, _)| there == label) && ended_alike {
            add(label, "nothing", value);
        }
    }
    if direct.failed != here.failed {
        let said =
            |outcome: &Outcome| outcome.failed.clone().unwrap_or_else(|| String::from("came to its end"));
        add(END, &said(direct), &said(here));
    }
    found
}

/// What differs alike in several runs, once.
pub(crate) fn merged(found: impl IntoIterator<Item = Difference>) -> Vec<Difference> {
    let mut merged: Vec<Difference> = Vec::new();
    for one in found {
        let same = |there: &&mut Difference| {
            there.label == one.label && there.direct == one.direct && there.here == one.here
        };
        match merged.iter_mut().find(same) {
            Some(there) => there.passes.extend(one.passes),
            None => merged.push(one),
        }
    }
    merged
}

impl Difference {
    /// "run 1", or "runs 1 and 2".
    pub(crate) fn runs(&self) -> String {
        let numbers: Vec<_> = self.passes.iter().map(ToString::to_string).collect();
        format!("run{} {}", if numbers.len() > 1 { "s" } else { "" }, numbers.join(" and "))
    }

    /// Both values on one line each, from shortly before the place where they part: here, and directly.
    pub(crate) fn excerpts(&self) -> (String, String) {
        let same = self.here.chars().zip(self.direct.chars()).take_while(|(a, b)| a == b).count();
        (excerpt(&self.here, same), excerpt(&self.direct, same))
    }
}

fn excerpt(value: &str, parting: usize) -> String {
    const BEFORE: usize = 60;
    const MOST: usize = 240;
    let skipped = parting.saturating_sub(BEFORE);
    let mut shown = String::from(if skipped > 0 { "…" } else { "" });
    shown.extend(value.chars().skip(skipped).take(MOST).map(|c| if c.is_control() { ' ' } else { c }));
    if value.chars().nth(skipped + MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(seen: &[(&str, &str)], failed: Option<&str>) -> Outcome {
        let seen = seen.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        Outcome { seen, failed: failed.map(str::to_owned) }
    }

    #[test]
    fn equal_runs_do_not_differ() {
        let run = outcome(&[("page", "a"), ("form", "b")], None);
        assert_eq!(differences(1, &run, &run), []);
    }

    #[test]
    fn another_value_a_missing_and_a_further_one_are_found() {
        let direct = outcome(&[("page", "a"), ("form", "b")], None);
        let here = outcome(&[("page", "x"), ("more", "y")], None);
        let labels: Vec<_> = differences(2, &direct, &here).into_iter().map(|found| found.label).collect();
        assert_eq!(labels, ["page", "form", "more"]);
    }

    #[test]
    fn an_early_end_is_one_difference() {
        let direct = outcome(&[("page", "a"), ("form", "b")], None);
        let here = outcome(&[("page", "a")], Some("403"));
        let found = differences(1, &direct, &here);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].label.as_str(), found[0].here.as_str()), (END, "403"));
    }

    #[test]
    fn what_differs_alike_in_both_runs_is_named_once() {
        let (direct, here) = (outcome(&[("page", "a")], None), outcome(&[("page", "x")], None));
        let found = merged([differences(1, &direct, &here), differences(2, &direct, &here)].concat());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].runs(), "runs 1 and 2");
    }

    #[test]
    fn an_excerpt_shows_where_values_part() {
        let (direct, here) = ("=".repeat(500) + "direct", "=".repeat(500) + "here");
        let found = differences(1, &outcome(&[("p", &direct)], None), &outcome(&[("p", &here)], None));
        let (here, direct) = found[0].excerpts();
        assert!(here.starts_with("…=") && here.ends_with("=here") && direct.ends_with("=direct"));
    }
}
