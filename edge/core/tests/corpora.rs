//! The checks of the fuzz targets on stable: over their corpora, and over a few bytes of chance. `docs/correctness.md` says
//! how to run them for longer.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library of its own, for the fuzz targets")]
mod checks;

#[test]
fn every_input_of_the_corpora_passes() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, check) in checks::ALL {
        let corpus = corpora.join(name);
        let mut inputs = 0;
        for file in fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display())) {
            let path = file.unwrap().path();
            let input = fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| check(&input)).is_err() {
                panic!("{} does not pass", path.display());
            }
            inputs += 1;
        }
        assert!(inputs > 0, "{} is empty", corpus.display());
    }
}

/// Failures are kept beside this file, to be committed and run first.
fn persisted(cases: u32) -> ProptestConfig {
    let failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")) as _);
    ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(persisted(2_000))]

    #[test]
    fn any_bytes_pass(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        for (_, check) in checks::ALL {
            check(&input);
        }
    }
}
