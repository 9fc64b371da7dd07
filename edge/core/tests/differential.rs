//! Levee, as `levee.transparent.toml` sets it, against the crate `http-cache-semantics`, an independent reading of the RFC:
//! both get the same generated exchanges. Whatever they do not agree about must be explained by a class of [`explained`], and
//! each class must have a witness, so that none outlives its reason.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "differential/case.rs"]
mod case;
#[path = "differential/explained.rs"]
mod explained;
#[path = "differential/verdict.rs"]
mod verdict;
#[path = "differential/witnesses.rs"]
mod witnesses;

use case::Case;
use explained::{CLASSES, Class, Difference, Right, difference};

const CASES: usize = 5_000;

fn compared(case: &Case) -> (verdict::Verdict, verdict::Verdict, Option<Difference>) {
    let (levee, other) = (verdict::levee(case), verdict::semantics(case));
    (levee, other, difference(levee, other))
}

fn explains(case: &Case, difference: Difference) -> Vec<&'static Class> {
    CLASSES.iter().filter(|class| (class.applies)(case, difference)).collect()
}

#[test]
fn every_disagreement_is_explained() {
    // The same cases in every run.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let cases = case::case();
    let (mut stored, mut reused, mut agreed) = (0, 0, 0);
    let mut unexplained = Vec::new();
    let mut times = vec![0; CLASSES.len()];
    for _ in 0..CASES {
        let case = cases.new_tree(&mut runner).expect("a case").current();
        let (levee, other, difference) = compared(&case);
        let Some(difference) = difference else {
            agreed += 1;
            stored += usize::from(levee.storable && other.storable);
            reused += usize::from(levee.reused.is_some() && other.reused.is_some());
            continue;
        };
        let reasons = explains(&case, difference);
        for (at, class) in CLASSES.iter().enumerate() {
            times[at] += usize::from(reasons.iter().any(|reason| reason.name == class.name));
        }
        if reasons.is_empty() {
            unexplained.push((difference, case));
        }
    }
    for (class, times) in CLASSES.iter().zip(times) {
        let right = match class.right {
            Right::Levee => "Levee",
            Right::Other => "http-cache-semantics",
            Right::Both => "either",
        };
        println!("{times:5}  {}; right: {right} ({})", class.name, class.section);
    }
    println!("{agreed} of {CASES} agree; both stored {stored} and reused {reused} of them");
    for (difference, case) in unexplained.iter().take(5) {
        eprintln!("{difference:?}: {case:#?}");
    }
    assert!(unexplained.is_empty(), "{} disagreements are not explained", unexplained.len());
    assert!(agreed > CASES / 2 && stored > CASES / 4 && reused > CASES / 10, "too few cases say anything");
}

#[test]
fn every_class_has_a_witness() {
    let witnesses = witnesses::all();
    for (name, case) in &witnesses {
        let (levee, other, difference) = compared(case);
        let Some(difference) = difference else {
            panic!("they agree now, so the class can go: {name} ({levee:?}, {other:?})")
        };
        let reasons: Vec<&str> = explains(case, difference).iter().map(|class| class.name).collect();
        assert_eq!(reasons, [*name], "{difference:?}");
    }
    for class in CLASSES {
        assert!(witnesses.iter().any(|(name, _)| *name == class.name), "{} has no witness", class.name);
    }
}
