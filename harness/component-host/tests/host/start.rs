//! What stops a host from starting is said in words.

use std::fs;

use levee_harness::ComponentHost;

use crate::guest::{HOST, manifest};

fn refused(folder: &std::path::Path, token: bool) -> String {
    let mut host = ComponentHost::new(HOST, folder.join("spin.toml"));
    if token {
        host = host.variable("token", "s3cret");
    }
    host.start().expect_err("it must not start").to_string()
}

#[test]
fn an_interface_that_is_missing_is_named() {
    let folder = manifest("levee-guest-hello", "");
    let component = r#"(component (import "spin:sqlite/sqlite@3.1.0" (instance (export "open" (func)))))"#;
    let file = folder.path().join("component.wasm");
    fs::write(&file, wat::parse_str(component).expect("a component")).expect("written");
    let text = fs::read_to_string(folder.path().join("spin.toml")).expect("a manifest");
    let source = format!("{:?}", crate::guest::wasm("levee-guest-hello"));
    fs::write(folder.path().join("spin.toml"), text.replace(&source, r#""component.wasm""#))
        .expect("written");
    let error = refused(folder.path(), true);
    assert!(error.contains("spin:sqlite/sqlite") && error.contains("component.wasm"), "{error}");
}

#[test]
fn a_file_that_is_no_component() {
    let folder = manifest("levee-guest-hello", "");
    fs::write(folder.path().join("text.wasm"), "text").expect("written");
    let text = fs::read_to_string(folder.path().join("spin.toml")).expect("a manifest");
    let source = format!("{:?}", crate::guest::wasm("levee-guest-hello"));
    fs::write(folder.path().join("spin.toml"), text.replace(&source, r#""text.wasm""#)).expect("written");
    let error = refused(folder.path(), true);
    assert!(error.contains("text.wasm"), "{error}");
}

#[test]
fn a_required_variable_that_is_not_given() {
    let folder = manifest("levee-guest-hello", "");
    let error = refused(folder.path(), false);
    assert!(error.contains("token") && error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
}

#[test]
fn a_key_that_is_not_supported() {
    let folder = manifest("levee-guest-hello", r#"sqlite_databases = ["default"]"#);
    let error = refused(folder.path(), true);
    assert!(error.contains("sqlite_databases"), "{error}");
}
