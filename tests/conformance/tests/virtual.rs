//! The public suite against the pipeline in memory.

use std::path::Path;

use levee::config::{ClientDirectives, Config, Forward, Policy, SetCookie};
use levee_conformance::definitions;
use levee_conformance::memory::run_all;
use levee_conformance::verdict::summarise;

#[test]
fn transparent() {
    let Some(path) = std::env::var_os("LEVEE_CACHE_TESTS") else {
        println!("skipped: LEVEE_CACHE_TESTS does not name the definitions of the public cache tests");
        return;
    };
    let suites = definitions::read(Path::new(&path)).expect("definitions");
    let config = Config {
        defaults: Policy {
            forward: Forward::All,
            client_directives: ClientDirectives::Honour,
            heuristic: true,
            set_cookie: SetCookie::Store,
            pass_targeted: true,
            ..Policy::default()
        },
        ..levee::testing::config_for(&["http://o"])
    };
    let summary = summarise(&suites, &run_all(&config, &suites));
    println!(
        "required {:?} optimal {:?} checks {:?}; all {}",
        summary.required,
        summary.optimal,
        summary.checks,
        summary.passed()
    );
    for (kind, id, verdict, why) in &summary.not_passed {
        println!("{kind:?} {id}: {verdict:?} {why}");
    }
}
