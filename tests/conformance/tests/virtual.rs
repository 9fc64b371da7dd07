//! The public suite against the pipeline in memory, under both profiles. The reached counts are a floor.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use levee_conformance::definitions::{self, Suite};
use levee_conformance::floor::{Floor, Floors};
use levee_conformance::memory::run_all;
use levee_conformance::verdict::summarise;

fn suites() -> Option<Vec<Suite>> {
    let Some(path) = std::env::var_os("LEVEE_CACHE_TESTS") else {
        // Written past the test harness, which would keep the words of a test that passes to itself.
        let _ = writeln!(
            io::stderr(),
            "skipped: LEVEE_CACHE_TESTS does not name the definitions of the public cache tests"
        );
        return None;
    };
    Some(definitions::read(Path::new(&path)).expect("definitions"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn holds(profile: &str, file: &str) {
    let Some(suites) = suites() else { return };
    let compiled = levee_config::compile_file(&root().join(file), &levee_config::Overrides::default());
    let config = compiled.unwrap_or_else(|error| panic!("{error}")).config;
    let summary = summarise(&suites, &run_all(&config, &suites));
    println!(
        "{file}: required {:?}, optimal {:?}, checks {:?}",
        summary.required, summary.optimal, summary.checks
    );
    for test in &summary.not_passed {
        println!("  {:?} {}: {:?} {}", test.kind, test.id, test.verdict, test.why);
    }
    let floors = Floors::read(&root()).expect("floors");
    assert_ne!(floors.of(profile, "virtual"), Floor::default(), "there is no floor for {profile}");
    if let Err(lost) = floors.compare(profile, "virtual", &Floor::reached(&summary)) {
        panic!("{lost}");
    }
}

#[test]
fn a_plain_shared_cache() {
    holds("transparent", "levee.transparent.toml");
}

#[test]
fn the_defaults() {
    holds("default", "tests/conformance/levee.default.toml");
}
