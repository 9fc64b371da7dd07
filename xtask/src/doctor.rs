//! `cargo xtask doctor`: what is here, what will be installed, what the user must install.

use std::path::Path;

use anyhow::{Result, bail};
use levee_harness::{Browser, Nginx, Varnish, find_browser, find_redis};

use crate::tools::{self, NODE_WANTED, Node};
use crate::{project, run};

/// How a tool stands.
enum State {
    Here(String),
    /// We install it when it is needed.
    Later(String),
    /// The user must, and how.
    Missing(String),
}

pub(crate) fn run() -> Result<()> {
    let root = project::root()?;
    let mut missing = 0;
    for (tool, state) in [
        ("Rust", rust()),
        ("Rust target for Workers", target(&root, tools::WASM)),
        ("Rust target for Spin", target(&root, tools::WASI)),
        ("C compiler", c_compiler()),
        ("Node.js", node()),
        ("npm", npm()),
        ("npm packages", packages(&root)),
        ("wasm-bindgen", wasm_bindgen(&root)),
        ("browser for tests", browser(&root)),
        ("container image", container()),
        ("Redis for tests", redis()),
        ("k6 for the load lab", k6()),
        ("stacks to compare with", stacks()),
    ] {
        let (word, text) = match state {
            State::Here(text) => ("ok", text),
            State::Later(text) => ("later", text),
            State::Missing(text) => {
                missing += 1;
                ("MISSING", text)
            }
        };
        println!("{word:<8} {tool:<24} {text}");
    }
    println!("\ncache: {}", tools::cache_folder()?.display());
    if missing > 0 {
        bail!("{missing} of them must be installed by you");
    }
    Ok(())
}

/// What `cargo xtask lab compare` leaves out where it is not here.
fn stacks() -> State {
    let found = [Nginx::binary(), Varnish::binary()];
    let missing: Vec<String> = found.into_iter().filter_map(|found| Some(found.err()?.to_string())).collect();
    if missing.is_empty() {
        State::Here(String::from("nginx, Varnish"))
    } else {
        State::Later(format!("{}; only `cargo xtask lab compare` uses them", missing.join("; ")))
    }
}

fn rust() -> State {
    match run::ask("rustc", &["--version"]) {
        Some(version) => State::Here(version),
        None => State::Missing(String::from("install rustup from https://rustup.rs")),
    }
}

fn target(root: &Path, target: &str) -> State {
    if tools::rust_target_installed(root, target) {
        State::Here(target.to_owned())
    } else if run::ask("rustup", &["--version"]).is_some() {
        State::Later(format!("rustup will add {target}"))
    } else {
        State::Missing(String::from("rustup is not here to add it: https://rustup.rs"))
    }
}

fn c_compiler() -> State {
    match run::ask("cc", &["--version"]) {
        Some(version) => State::Here(version.lines().next().unwrap_or_default().to_owned()),
        None if cfg!(target_os = "macos") => State::Missing(String::from("run `xcode-select --install`")),
        None => {
            State::Missing(String::from("install it, on Debian and Ubuntu: apt-get install build-essential"))
        }
    }
}

fn node() -> State {
    let (major, minor) = NODE_WANTED;
    match (Node::find(), Node::installed()) {
        (Some(node), _) if node.cached => State::Here(format!("{} (from the cache)", node.version)),
        (Some(node), _) => State::Here(node.version),
        (None, Some(old)) => {
            State::Later(format!("{} is too old; one for our use will be installed", old.version))
        }
        (None, None) => State::Missing(format!("install {major}.{minor} or newer from https://nodejs.org")),
    }
}

fn npm() -> State {
    match run::ask("npm", &["--version"]) {
        Some(version) => State::Here(version),
        None => {
            State::Missing(String::from("it comes with Node.js, or by your system as a package of its own"))
        }
    }
}

fn packages(root: &Path) -> State {
    if tools::node_modules(root).join(".levee-installed").is_file() {
        State::Here(String::from("in node_modules"))
    } else {
        State::Later(String::from("npm will install them by the lock file"))
    }
}

fn wasm_bindgen(root: &Path) -> State {
    match (tools::wasm_bindgen_version(root), tools::cache_folder()) {
        (Ok(version), Ok(cache)) => {
            let folder = cache.join("tools").join(format!("wasm-bindgen-{version}"));
            if folder.is_dir() {
                State::Here(version)
            } else {
                State::Later(format!("{version} will be compiled once, in two to nine minutes"))
            }
        }
        (Err(error), _) | (_, Err(error)) => State::Missing(format!("{error:#}")),
    }
}

fn container() -> State {
    match crate::container::missing(crate::container::Purpose::Run) {
        None => State::Here(String::from("musl-gcc, buildah, podman, runc")),
        Some(missing) => State::Later(format!("{missing}; only the origin's image needs it")),
    }
}

fn browser(root: &Path) -> State {
    match find_browser(&tools::node_modules(root)) {
        Ok(Browser::Executable(path)) => State::Here(path.display().to_string()),
        Ok(Browser::NpmPackage(_)) => State::Here(String::from("npm package @sparticuz/chromium")),
        Err(_) if cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
            State::Later(String::from("npm will install one for `cargo xtask test`"))
        }
        Err(error) => State::Later(format!("{error}; only `cargo xtask test` needs it")),
    }
}

fn redis() -> State {
    match find_redis() {
        Ok(path) => State::Here(path.display().to_string()),
        Err(error) => State::Later(format!("{error}; only some of `cargo xtask test` needs it")),
    }
}

fn k6() -> State {
    match (tools::k6_here(), run::ask("go", &["version"])) {
        (Some((_, version)), _) => State::Here(version),
        (None, Some(_)) => {
            State::Later(String::from("it will be built once from its Go module, in three to ten minutes"))
        }
        (None, None) => State::Later(String::from(
            "install it from https://k6.io, or Go; only `cargo xtask lab` needs it",
        )),
    }
}
