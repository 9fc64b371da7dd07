//! The published results, counted by us, come to the numbers that are known of them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use levee_conformance::{definitions, table};

/// Required passed, required failed, required and optimal passed.
const KNOWN: [(&str, [usize; 3]); 8] = [
    ("Traffic Server 9.2", [132, 19, 202]),
    ("Apache httpd 2.4", [131, 12, 199]),
    ("Squid 6.13", [122, 17, 181]),
    ("Caddy 0.16 (Souin)", [121, 10, 165]),
    ("Varnish 7.7", [119, 17, 164]),
    ("nginx 1.28", [99, 33, 158]),
    ("Fastly", [96, 37, 145]),
    ("HAProxy 3.0", [89, 15, 129]),
];

#[test]
fn our_counting_is_the_sites() {
    let Some(file) = std::env::var_os("LEVEE_CACHE_TESTS").map(PathBuf::from) else {
        // Written past the test harness, which would keep the words of a test that passes to itself.
        let _ = writeln!(
            io::stderr(),
            "skipped: LEVEE_CACHE_TESTS does not name the definitions of the public cache tests"
        );
        return;
    };
    let folder = std::env::var_os("LEVEE_CACHE_TESTS_PUBLISHED")
        .map_or_else(|| file.parent().unwrap_or(Path::new(".")).join("published"), PathBuf::from);
    if !folder.is_dir() {
        println!(
            "skipped: neither LEVEE_CACHE_TESTS_PUBLISHED nor {} holds published results",
            folder.display()
        );
        return;
    }
    let suites = definitions::read(&file).expect("definitions");
    let summaries = table::published(&folder, &suites).expect("results");
    for (name, known) in KNOWN {
        let summary = summaries.get(name).unwrap_or_else(|| panic!("no result of {name}"));
        assert_eq!([summary.required.passed, summary.required.failed, summary.passed()], known, "{name}");
        assert_eq!((summary.required.total, summary.optimal.total, summary.checks.total), (160, 105, 100));
    }
}
