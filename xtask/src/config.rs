//! levee.toml: compiled for the bundle, checked for the user, described for editors.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use levee_config::{Compiled, Overrides};

use crate::{files, project, spin};

/// Where the JSON Schema for editors is kept.
const SCHEMA: &str = "levee.schema.json";

/// Compiles a configuration and prints its warnings. An error carries file, line, column and remedy.
pub(crate) fn compile(file: &Path, overrides: &Overrides) -> Result<Compiled> {
    // Messages call the file as the user would.
    let here = env::current_dir().unwrap_or_default();
    let file = file.strip_prefix(&here).unwrap_or(file);
    let compiled = levee_config::compile_file(file, overrides).map_err(refused)?;
    for warning in &compiled.warnings {
        eprintln!("{warning}");
    }
    Ok(compiled)
}

/// A configuration that has no rules of its own, for an origin that is not ours.
pub(crate) fn neutral(origin: &str, overrides: &Overrides) -> Result<Compiled> {
    levee_config::neutral(origin, overrides).map_err(refused)
}

fn refused(error: levee_config::ConfigError) -> anyhow::Error {
    anyhow!("{}", error.to_string().trim_start_matches("error: "))
}

/// `cargo xtask check-config`.
pub(crate) fn check(file: &Path) -> Result<()> {
    let compiled = compile(file, &Overrides::default())?;
    println!("{} is right", file.display());
    // What the manifest beside it repeats.
    let manifest = file.with_file_name("spin.toml");
    if file.file_name().is_some_and(|name| name == "levee.toml") && manifest.is_file() {
        spin::check(&manifest, file, &compiled.config.origins)?;
        println!("{} agrees with it", manifest.display());
    }
    Ok(())
}

/// `cargo xtask schema`.
pub(crate) fn schema(check: bool) -> Result<()> {
    let root = project::root()?;
    let path = root.join(SCHEMA);
    let schema = levee_config::json_schema();
    if check {
        let present = fs::read_to_string(&path).with_context(|| format!("cannot read {SCHEMA}"))?;
        if present != schema {
            bail!(
                "{SCHEMA} is not what the types say; write it anew with `cargo xtask schema` and commit it"
            );
        }
        println!("{SCHEMA} is up to date");
    } else if files::write_if_changed(&path, schema.as_bytes())? {
        println!("wrote {SCHEMA}");
    } else {
        println!("{SCHEMA} is up to date");
    }
    Ok(())
}
