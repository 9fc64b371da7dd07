//! The public suite against the pipeline in memory, under both profiles. The reached counts are a floor.

use std::path::{Path, PathBuf};

use levee_conformance::definitions::{self, Suite};
use levee_conformance::memory::run_all;
use levee_conformance::verdict::{Summary, summarise};

fn suites() -> Option<Vec<Suite>> {
    let Some(path) = std::env::var_os("LEVEE_CACHE_TESTS") else {
        println!("skipped: LEVEE_CACHE_TESTS does not name the definitions of the public cache tests");
        return None;
    };
    Some(definitions::read(Path::new(&path)).expect("definitions"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(file: &str, suites: &[Suite]) -> Summary {
    let compiled = levee_config::compile_file(&root().join(file), &levee_config::Overrides::default());
    let config = compiled.unwrap_or_else(|error| panic!("{error}")).config;
    let summary = summarise(suites, &run_all(&config, suites));
    println!(
        "{file}: required {}/{}, optimal {}/{}, checks {}/{}",
        summary.required.passed,
        summary.required.total,
        summary.optimal.passed,
        summary.optimal.total,
        summary.checks.passed,
        summary.checks.total
    );
    for (kind, id, verdict, why) in &summary.not_passed {
        println!("  {kind:?} {id}: {verdict:?} {why}");
    }
    summary
}

#[test]
fn a_plain_shared_cache() {
    let Some(suites) = suites() else { return };
    let summary = run("levee.transparent.toml", &suites);
    assert!(summary.required.passed >= 159, "required: {}", summary.required.passed);
    assert!(summary.passed() >= 254, "in all: {}", summary.passed());
}
