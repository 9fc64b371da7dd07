//! The repository's own files: `levee.toml` and the committed schema.

use std::path::{Path, PathBuf};

use levee::config::Config;
use levee_config::{Overrides, compile_file, json_schema};

fn at_root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

#[test]
fn the_repositorys_file_compiles_without_a_warning() {
    let compiled =
        compile_file(&at_root("levee.toml"), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(compiled.warnings, []);
    assert_eq!(Config::decode(&compiled.to_bytes()), Ok(compiled.config.clone()));
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed = std::fs::read_to_string(at_root("levee.schema.json")).expect("levee.schema.json");
    assert!(
        committed == json_schema(),
        "levee.schema.json is not what the types say: write it with `cargo xtask schema`"
    );
}
