//! What was seen of an application beside what is expected.

use serde::Serialize;

use crate::application::Application;
use crate::edge::Runtime;
use crate::expected::Expected;
use crate::outcome::{Difference, differences, merged};
use crate::place::Place;
use crate::rounds::{Rounds, Seen};

/// One flow in one place.
#[derive(Debug, Serialize)]
pub(crate) struct Cell {
    pub(crate) place: &'static str,
    /// `None`: there is nothing to compare with, because the place could not be had.
    pub(crate) differences: Option<Vec<Known>>,
    pub(crate) hits: Option<u64>,
    /// Why fewer hits than nginx's are expected.
    pub(crate) fewer_because: Option<String>,
}

/// A difference, and why it is expected if it is.
#[derive(Debug, Serialize)]
pub(crate) struct Known {
    #[serde(flatten)]
    pub(crate) difference: Difference,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) flow: String,
    /// Why it ended early directly: then it shows nothing.
    pub(crate) direct: Option<String>,
    pub(crate) cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) application: String,
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) failures: Vec<String>,
}

pub(crate) fn judge(application: &Application, rounds: &Rounds, expected: &Expected) -> Judged {
    judge_named(&application.name, application.title(), rounds, expected)
}

fn judge_named(name: &str, title: &str, rounds: &Rounds, expected: &Expected) -> Judged {
    let mut failures = Vec::new();
    for (place, seen) in &rounds.places {
        if let Err(why) = seen {
            failures.push(format!("{name}, {}: {why}", place.name()));
        }
    }
    let seen = |wanted: Place| {
        rounds.places.iter().find(|(place, _)| *place == wanted).and_then(|(_, seen)| seen.as_ref().ok())
    };
    let direct = seen(Place::Direct);
    let nginx = seen(Place::Nginx);
    let mut used = Used::new(expected);
    let mut rows = Vec::new();
    for flow in &rounds.flows {
        let ended = direct.and_then(|direct| direct.outcomes[flow].iter().find_map(|run| run.failed.clone()));
        if let Some(why) = &ended {
            failures.push(format!("{name}, {flow}: ends early without the edge, so it shows nothing: {why}"));
        }
        // Hits with which nginx changes what the client sees are no measure.
        let faithful = |nginx: &&Seen| direct.is_some_and(|direct| compare(flow, direct, nginx).is_empty());
        let target = nginx.filter(faithful).map(|nginx| nginx.hits[flow]);
        let mut cells = Vec::new();
        for (place, here) in rounds.places.iter().filter(|(place, _)| *place != Place::Direct) {
            let here = here.as_ref().ok();
            let found = direct.zip(here).map(|(direct, here)| compare(flow, direct, here));
            let hits = here.map(|here| here.hits[flow]);
            let mut cell = Cell { place: place.name(), differences: None, hits, fewer_because: None };
            let Place::Edge(runtime) = *place else {
                // What nginx changes is shown and is no failure.
                let unexplained = |difference| Known { difference, reason: None };
                cell.differences = found.map(|found| found.into_iter().map(unexplained).collect());
                cells.push(cell);
                continue;
            };
            cell.differences = found.map(|found| {
                let explain = |difference: Difference| {
                    let reason = used.difference(name, flow, runtime, &difference.label);
                    if reason.is_none() {
                        failures.push(unexpected(name, flow, runtime, &difference));
                    }
                    Known { difference, reason }
                };
                found.into_iter().map(explain).collect()
            });
            if let (Some(hits), Some(beside)) = (hits, target)
                && hits < beside
            {
                cell.fewer_because = used.fewer_hits(name, flow, runtime);
                if cell.fewer_because.is_none() {
                    let runtime = runtime.name();
                    failures.push(format!("{name}, {flow}, {runtime}: {hits} hits, nginx has {beside}"));
                }
            }
            cells.push(cell);
        }
        rows.push(Row { flow: flow.clone(), direct: ended, cells });
    }
    let ran = |runtime: Runtime| direct.is_some() && seen(Place::Edge(runtime)).is_some();
    failures.extend(used.unused(name, &rounds.flows, ran, nginx.is_some()));
    if !rounds.all_flows.is_empty() {
        let unknown = |flow: &&str| !rounds.all_flows.iter().any(|there| there == flow);
        let flows = expected.flows_of(name);
        failures
            .extend(flows.filter(unknown).map(|flow| format!("{name} has no flow {flow}: expected.toml")));
    }
    Judged { application: name.to_owned(), title: title.to_owned(), rows, failures }
}

fn compare(flow: &str, direct: &Seen, here: &Seen) -> Vec<Difference> {
    let runs = direct.outcomes[flow].iter().zip(&here.outcomes[flow]).enumerate();
    merged(runs.flat_map(|(at, (direct, here))| differences(at + 1, direct, here)))
}

fn unexpected(name: &str, flow: &str, runtime: Runtime, difference: &Difference) -> String {
    let (here, direct) = difference.excerpts();
    let (label, runs, runtime) = (&difference.label, difference.runs(), runtime.name());
    format!("{name}, {flow}, {runtime}, {runs}: {label} is\n    {here}\n  and directly\n    {direct}")
}

/// Which entries have occurred, on which runtime and under which label.
struct Used<'e> {
    expected: &'e Expected,
    differences: Vec<(usize, Runtime, String)>,
    fewer: Vec<(usize, Runtime, String)>,
}

impl<'e> Used<'e> {
    fn new(expected: &'e Expected) -> Self {
        Self { expected, differences: Vec::new(), fewer: Vec::new() }
    }

    fn difference(&mut self, application: &str, flow: &str, runtime: Runtime, label: &str) -> Option<String> {
        let (at, entry) = self.expected.difference.iter().enumerate().find(|(_, entry)| {
            entry.application == application
                && entry.flow == flow
                && entry.runtimes.contains(&runtime)
                && entry.labels.iter().any(|there| there == label)
        })?;
        self.differences.push((at, runtime, label.to_owned()));
        Some(entry.reason.clone())
    }

    fn fewer_hits(&mut self, application: &str, flow: &str, runtime: Runtime) -> Option<String> {
        let (at, entry) = self.expected.fewer_hits.iter().enumerate().find(|(_, entry)| {
            entry.application == application
                && entry.runtimes.contains(&runtime)
                && entry.flows.iter().any(|there| there == flow)
        })?;
        self.fewer.push((at, runtime, flow.to_owned()));
        Some(entry.reason.clone())
    }

    /// Entries of this application that did not occur where they could have: in flows that were run, on runtimes that were had.
    /// `counted`: there were hits of nginx's to compare with.
    fn unused(
        &self,
        application: &str,
        flows: &[String],
        ran: impl Fn(Runtime) -> bool,
        counted: bool,
    ) -> Vec<String> {
        let mut unused = Vec::new();
        for (at, entry) in self.expected.difference.iter().enumerate() {
            if entry.application != application || !flows.contains(&entry.flow) {
                continue;
            }
            for runtime in entry.runtimes.iter().filter(|runtime| ran(**runtime)) {
                for label in &entry.labels {
                    if !self.differences.contains(&(at, *runtime, label.clone())) {
                        let (flow, runtime) = (&entry.flow, runtime.name());
                        unused.push(format!(
                            "{application}, {flow}, {runtime}: {label} no longer differs: remove it from expected.toml"
                        ));
                    }
                }
            }
        }
        for (at, entry) in self.expected.fewer_hits.iter().enumerate() {
            if entry.application != application || !counted {
                continue;
            }
            for runtime in entry.runtimes.iter().filter(|runtime| ran(**runtime)) {
                for flow in entry.flows.iter().filter(|flow| flows.contains(flow)) {
                    if !self.fewer.contains(&(at, *runtime, flow.clone())) {
                        let runtime = runtime.name();
                        unused.push(format!(
                            "{application}, {flow}, {runtime}: as many hits as nginx: remove it from expected.toml"
                        ));
                    }
                }
            }
        }
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    fn seen(value: &str, hits: u64) -> Result<Seen, String> {
        let run = Outcome { seen: vec![("page".to_owned(), value.to_owned())], failed: None };
        let mut seen = Seen::default();
        seen.outcomes.insert("visit".to_owned(), vec![run.clone(), run]);
        seen.hits.insert("visit".to_owned(), hits);
        Ok(seen)
    }

    fn judged(edge: (&str, u64), nginx_hits: u64, expected: &str) -> Judged {
        let rounds = Rounds {
            flows: vec!["visit".to_owned()],
            all_flows: vec!["visit".to_owned(), "idle".to_owned()],
            places: vec![
                (Place::Direct, seen("a", 0)),
                (Place::Edge(Runtime::Native), seen(edge.0, edge.1)),
                (Place::Nginx, seen("a", nginx_hits)),
            ],
        };
        let expected: Expected = toml::from_str(expected).expect("a list");
        judge_named("app", "App 1", &rounds, &expected)
    }

    const KNOWN: &str =
        "[[difference]]\napplication = \"app\"\nflow = \"visit\"\nlabels = [\"page\"]\nreason = \"why\"\n";
    const FEWER: &str = "[[fewer_hits]]\napplication = \"app\"\nflows = [\"visit\"]\nreason = \"why\"\n";

    #[test]
    fn the_same_with_as_many_hits_passes() {
        assert_eq!(judged(("a", 2), 2, "").failures, [""; 0]);
    }

    #[test]
    fn a_difference_fails_unless_it_is_known() {
        assert_eq!(judged(("x", 0), 0, "").failures.len(), 1);
        assert_eq!(judged(("x", 0), 0, KNOWN).failures, [""; 0]);
    }

    #[test]
    fn what_is_known_and_no_longer_occurs_fails() {
        let failures = judged(("a", 0), 0, KNOWN).failures;
        assert!(failures.len() == 1 && failures[0].contains("no longer differs"), "{failures:?}");
        let failures = judged(("a", 1), 1, FEWER).failures;
        assert!(failures.len() == 1 && failures[0].contains("as many hits"), "{failures:?}");
    }

    #[test]
    fn what_is_known_of_a_flow_that_was_not_run_is_left_alone() {
        let other = KNOWN.replace("visit", "idle");
        assert_eq!(judged(("a", 0), 0, &other).failures, [""; 0]);
        let none = KNOWN.replace("visit", "no such flow");
        assert_eq!(judged(("a", 0), 0, &none).failures, ["app has no flow no such flow: expected.toml"]);
    }

    #[test]
    fn fewer_hits_than_nginx_fail_unless_the_reason_is_named() {
        assert!(judged(("a", 1), 2, "").failures[0].contains("1 hits, nginx has 2"));
        assert_eq!(judged(("a", 1), 2, FEWER).failures, [""; 0]);
    }

    #[test]
    fn hits_that_change_what_is_seen_are_no_measure() {
        let rounds = Rounds {
            flows: vec!["visit".to_owned()],
            all_flows: vec!["visit".to_owned(), "idle".to_owned()],
            places: vec![
                (Place::Direct, seen("a", 0)),
                (Place::Edge(Runtime::Native), seen("a", 0)),
                (Place::Nginx, seen("x", 2)),
            ],
        };
        let judged = judge_named("app", "App", &rounds, &Expected::default());
        assert_eq!(judged.failures, [""; 0]);
    }

    #[test]
    fn a_place_that_could_not_be_had_fails() {
        let rounds = Rounds {
            flows: Vec::new(),
            all_flows: Vec::new(),
            places: vec![(Place::Direct, Err("no port".to_owned()))],
        };
        let failures = judge_named("app", "App", &rounds, &Expected::default()).failures;
        assert_eq!(failures, ["app, direct: no port"]);
    }
}
