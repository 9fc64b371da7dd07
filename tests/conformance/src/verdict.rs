//! Counts as the suite's site counts: a test whose dependencies do not pass says nothing, whatever it did itself.

use std::collections::{BTreeMap, HashMap};

use crate::client::Failure;
use crate::definitions::{Kind, Suite, Test};

/// The results of a run, by test.
pub type Results = BTreeMap<String, Result<(), Failure>>;

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// What it rests on did not hold, so that it says nothing.
    SetupFailed,
    DependencyFailed,
    /// The client gave up waiting, which says nothing of the cache.
    HarnessFailed,
    Untested,
}

/// Numbers of passed and of failed tests of one kind, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: usize,
    pub failed: usize,
    pub total: usize,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub required: Count,
    pub optimal: Count,
    pub checks: Count,
    /// Tests that are not passed, required before optimal before checks.
    pub not_passed: Vec<NotPassed>,
}

/// A test that is not passed.
#[derive(Clone, Debug)]
pub struct NotPassed {
    pub kind: Kind,
    pub id: String,
    pub verdict: Verdict,
    /// What did not hold.
    pub why: String,
}

impl Summary {
    /// Required and optimal tests that are passed.
    pub fn passed(&self) -> usize {
        self.required.passed + self.optimal.passed
    }
}

/// The tests that apply to a proxy.
pub fn applicable(suites: &[Suite]) -> impl Iterator<Item = &Test> {
    suites.iter().flat_map(|suite| &suite.tests).filter(|test| !test.browser_only)
}

/// Judges every test that applies.
pub fn summarise(suites: &[Suite], results: &Results) -> Summary {
    let tests: HashMap<&str, &Test> =
        suites.iter().flat_map(|suite| &suite.tests).map(|test| (test.id.as_str(), test)).collect();
    let mut summary = Summary::default();
    for test in applicable(suites) {
        let verdict = judge(&tests, results, test);
        let count = match test.kind {
            Kind::Required => &mut summary.required,
            Kind::Optimal => &mut summary.optimal,
            Kind::Check => &mut summary.checks,
        };
        count.total += 1;
        match verdict {
            Verdict::Passed => count.passed += 1,
            Verdict::Failed => count.failed += 1,
            _ => {}
        }
        if verdict != Verdict::Passed {
            let why = match results.get(&test.id) {
                Some(Err(failure)) => failure.why().to_owned(),
                _ => String::new(),
            };
            summary.not_passed.push(NotPassed { kind: test.kind, id: test.id.clone(), verdict, why });
        }
    }
    summary.not_passed.sort_by_key(|test| match test.kind {
        Kind::Required => 0,
        Kind::Optimal => 1,
        Kind::Check => 2,
    });
    summary
}

fn judge(tests: &HashMap<&str, &Test>, results: &Results, test: &Test) -> Verdict {
    let Some(result) = results.get(&test.id) else { return Verdict::Untested };
    let depends = |id: &String| {
        tests.get(id.as_str()).is_some_and(|dependency| judge(tests, results, dependency) == Verdict::Passed)
    };
    if !test.depends_on.iter().all(depends) {
        return Verdict::DependencyFailed;
    }
    match result {
        Ok(()) => Verdict::Passed,
        Err(Failure::Setup(_)) => Verdict::SetupFailed,
        Err(Failure::Assertion(_) | Failure::Broken(_)) => Verdict::Failed,
        Err(Failure::Late(_)) => Verdict::HarnessFailed,
    }
}

/// Reads results in the form in which the suite's site publishes them.
pub fn read_published(json: &str) -> anyhow::Result<Results> {
    let read: BTreeMap<String, serde_json::Value> = serde_json::from_str(json)?;
    let failure = |value: &serde_json::Value| {
        let text = |at: usize| value[at].as_str().unwrap_or_default().to_owned();
        match value[0].as_str() {
            Some("Setup") => Failure::Setup(text(1)),
            Some("AbortError") => Failure::Late(text(1)),
            Some("Assertion") => Failure::Assertion(text(1)),
            _ => Failure::Broken(text(1)),
        }
    };
    Ok(read
        .into_iter()
        .map(|(id, value)| {
            let result = if value == true { Ok(()) } else { Err(failure(&value)) };
            (id, result)
        })
        .collect())
}

/// Results in the form in which the suite's site publishes them.
pub fn to_json(results: &Results) -> String {
    let value: BTreeMap<&String, serde_json::Value> = results
        .iter()
        .map(|(id, result)| {
            let value = match result {
                Ok(()) => serde_json::json!(true),
                Err(Failure::Setup(why)) => serde_json::json!(["Setup", why]),
                Err(Failure::Assertion(why)) => serde_json::json!(["Assertion", why]),
                Err(Failure::Broken(why)) => serde_json::json!(["TypeError", why]),
                Err(Failure::Late(why)) => serde_json::json!(["AbortError", why]),
            };
            (id, value)
        })
        .collect();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}
