use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::tools::{self, Node};
use crate::{files, project, run};

const SUITE: &str = "https://github.com/http-tests/cache-tests";
/// The state of the suite that counts and floors are about.
const COMMIT: &str = "b55b8bda3dbb8c927c04e85bd8d496a8caa3e4ba";
/// Prints the definitions, which the suite has as modules of plain data.
const EXPORT: &str = "import tests from './tests/index.mjs'; process.stdout.write(JSON.stringify(tests))";

/// The definitions that the user names, by the option or by `LEVEE_CACHE_TESTS`.
pub(super) fn given(option: Option<&Path>) -> Result<Option<PathBuf>> {
    let variable = || env::var_os("LEVEE_CACHE_TESTS").filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(file) = option.map(Path::to_path_buf).or_else(variable) else { return Ok(None) };
    let file = project::given(&file)?;
    if !file.is_file() {
        bail!("there are no definitions at {}", file.display());
    }
    Ok(Some(file))
}

/// The definitions of [`COMMIT`], exported once from a clone of the suite.
pub(super) fn export(root: &Path) -> Result<PathBuf> {
    let folder = root.join("build/cache-tests");
    let file = folder.join(format!("{COMMIT}.json"));
    if file.is_file() {
        return Ok(file);
    }
    let clone = folder.join("clone");
    let _ = fs::remove_dir_all(&clone);
    fs::create_dir_all(&clone).with_context(|| format!("cannot create {}", clone.display()))?;
    tools::announce("Fetching the definitions of the public cache tests", Some("some seconds"));
    let git = |args: &[&str]| run::quietly(Command::new("git").args(args).current_dir(&clone));
    let fetched = git(&["init", "--quiet"])
        .and_then(|_| git(&["fetch", "--quiet", "--depth", "1", SUITE, COMMIT]))
        .and_then(|_| git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]));
    fetched.with_context(|| {
        format!(
            "the suite cannot be fetched from {SUITE}; name a file of its definitions with --definitions or in \
             LEVEE_CACHE_TESTS"
        )
    })?;
    let node = Node::ensure()?;
    let args = ["--input-type=module", "--eval", EXPORT];
    let json = run::quietly(Command::new(&node.program).args(args).current_dir(&clone))
        .context("the suite's definitions cannot be exported")?;
    files::write_if_changed(&file, json.concat().as_bytes())?;
    fs::remove_dir_all(&clone).with_context(|| format!("cannot remove {}", clone.display()))?;
    Ok(file)
}
