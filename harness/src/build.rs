use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::group::Group;
use crate::{Error, Result};

/// What `cargo build` made of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The package's name, without its version.
    pub package: String,
    /// Its executable, or the `.wasm` of a cdylib.
    pub artifact: PathBuf,
}

/// Builds packages of the workspace at `root` with further arguments (`--release`, `--target …`), and asks cargo
/// itself where the results are, so that any target folder and profile is right. Its progress goes to stderr.
///
/// # Errors
/// [`Error::Build`] when it fails, [`Error::Cancelled`] when `cancelled` turned true on the way.
pub fn cargo_build(
    root: &Path,
    packages: &[&str],
    args: &[&str],
    cancelled: impl Fn() -> bool,
) -> Result<Vec<Built>> {
    let failed = || Error::Build { package: packages.join(", ") };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.arg("build").args(["--message-format", "json-render-diagnostics"]).args(args);
    for package in packages {
        command.args(["--package", package]);
    }
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut group = Group::spawn(&mut command).map_err(|source| Error::Spawn {
        name: String::from("cargo"),
        program: cargo.into(),
        source,
    })?;
    let stdout = group.child().stdout.take();
    let reader = std::thread::spawn(move || stdout.map(std::io::read_to_string).transpose());
    let Some(status) = group.wait(&cancelled) else {
        group.stop(std::time::Duration::from_secs(5));
        return Err(Error::Cancelled { name: String::from("cargo build") });
    };
    let messages = reader.join().ok().and_then(|read| read.ok().flatten()).unwrap_or_default();
    if !status.success() {
        return Err(failed());
    }
    packages.iter().map(|package| find(&messages, package).ok_or_else(failed)).collect()
}

fn find(messages: &str, package: &str) -> Option<Built> {
    messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        if message["reason"] != "compiler-artifact" || !is_package(message["package_id"].as_str()?, package) {
            return None;
        }
        let wasm = || {
            let files = message["filenames"].as_array()?;
            files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".wasm"))
        };
        let artifact = message["executable"].as_str().or_else(wasm)?;
        Some(Built { package: package.to_owned(), artifact: PathBuf::from(artifact) })
    })
}

/// A package id ends with `/folder#name@version`, or `/name#version` where folder and name agree.
fn is_package(id: &str, package: &str) -> bool {
    match id.rsplit_once('#') {
        Some((_, fragment)) if fragment.contains('@') => fragment.split('@').next() == Some(package),
        Some((path, _)) => path.rsplit('/').next() == Some(package),
        None => false,
    }
}

/// An error that says how to get the file, if it is not there.
pub(crate) fn present(file: &Path, remedy: &str) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    Err(Error::Missing { what: file.display().to_string(), remedy: format!("make it with `{remedy}`") })
}

/// A temporary folder, removed on drop.
pub(crate) fn scratch(purpose: &str) -> Result<TempDir> {
    let prefix = format!("{purpose}-");
    tempfile::Builder::new().prefix(&prefix).tempdir().map_err(Error::io("a temporary folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_in_both_forms() {
        assert!(is_package("path+file:///p/origin#levee-origin@0.1.0", "levee-origin"));
        assert!(is_package("path+file:///p/xtask#0.1.0", "xtask"));
        assert!(!is_package("path+file:///p/origin#levee-origin@0.1.0", "origin"));
    }

    #[test]
    fn executables_and_wasm_are_found() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","package_id":"a#lib@1","filenames":["/t/liblib.rlib"],"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"a#bin@1","filenames":["/t/bin"],"executable":"/t/bin"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"a#app@1","filenames":["/t/app.wasm"],"executable":null}"#,
        );
        let path = |package| find(messages, package).map(|built| built.artifact);
        assert_eq!(path("bin"), Some(PathBuf::from("/t/bin")));
        assert_eq!(path("app"), Some(PathBuf::from("/t/app.wasm")));
        assert_eq!(path("lib"), None);
    }
}
