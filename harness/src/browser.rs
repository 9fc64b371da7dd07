use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Result};

/// Where a Chromium is that can be driven without a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Browser {
    /// An executable on this machine, from `LEVEE_CHROMIUM` or installed.
    Executable(PathBuf),
    /// The npm package `@sparticuz/chromium`: ask it for `executablePath()` and `args`.
    NpmPackage(PathBuf),
}

/// Names under which distributions install Chromium and Chrome.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Where macOS has them.
const MAC_APPS: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Finds a browser: `LEVEE_CHROMIUM`, else an installed one, else the npm package in `node_modules` (Linux x86-64).
///
/// # Errors
/// [`Error::Missing`] when there is none, or when `LEVEE_CHROMIUM` names a file that is not there.
pub fn find_browser(node_modules: &Path) -> Result<Browser> {
    if let Some(path) = env::var_os("LEVEE_CHROMIUM").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(Browser::Executable(path));
        }
        let what = format!("the browser {} (LEVEE_CHROMIUM)", path.display());
        return Err(Error::Missing { what, remedy: String::from("correct the path or unset the variable") });
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    if let Some(found) = in_path.chain(MAC_APPS.map(PathBuf::from)).find(|file| runs(file)) {
        return Ok(Browser::Executable(found));
    }
    let package = node_modules.join("@sparticuz/chromium");
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) && package.is_dir() {
        return Ok(Browser::NpmPackage(package));
    }
    Err(Error::Missing {
        what: String::from("a Chromium or Chrome"),
        remedy: String::from("install one, or set LEVEE_CHROMIUM to its path"),
    })
}

/// A distribution may leave a wrapper that only says where to get the browser: ask it.
fn runs(file: &Path) -> bool {
    file.is_file()
        && Command::new(file)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}
