//! The bundle of `examples/faults.rs`, built once a test program.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use levee_harness::{Workerd, cargo_build};

/// As `cargo xtask build worker` makes it, without the shrinking.
pub fn bundle() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(build)
}

pub fn workerd() -> PathBuf {
    let modules = variable("LEVEE_NODE_MODULES").unwrap_or_else(|| root().join("node_modules"));
    Workerd::binary_in(&modules).expect("workerd is installed by `cargo xtask build worker`")
}

fn build() -> PathBuf {
    let args = ["--example", "faults", "--profile", "wasm", "--target", "wasm32-unknown-unknown"];
    let built = cargo_build(&root(), &["levee-worker"], &args, || false).expect("the example compiles");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}", std::process::id()));
    let status = Command::new(wasm_bindgen())
        .args(["--target", "web", "--no-typescript", "--omit-default-module-path"])
        .args(["--experimental-reset-state-function", "--out-name", "levee", "--out-dir"])
        .arg(out.join("pkg"))
        .arg(&built[0].artifact)
        .status()
        .expect("wasm-bindgen is installed by `cargo xtask build worker`");
    assert!(status.success(), "wasm-bindgen failed");
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    for module in fs::read_dir(modules).expect("the entry module") {
        let module = module.expect("a file").path();
        fs::copy(&module, out.join(module.file_name().expect("a name"))).expect("copied");
    }
    out
}

/// `LEVEE_WASM_BINDGEN`, or where `cargo xtask` keeps the version that Cargo.lock names.
fn wasm_bindgen() -> PathBuf {
    if let Some(program) = variable("LEVEE_WASM_BINDGEN") {
        return program;
    }
    let caches = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let cache = variable("LEVEE_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|caches| caches.join("levee")))
        .or_else(|| variable("HOME").map(|home| home.join(caches).join("levee")))
        .expect("HOME is set");
    cache.join("tools").join(format!("wasm-bindgen-{}", wasm_bindgen_version())).join("bin/wasm-bindgen")
}

fn wasm_bindgen_version() -> String {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let (_, entry) =
        lock.split_once("name = \"wasm-bindgen\"\nversion = \"").expect("wasm-bindgen is locked");
    entry.split('"').next().unwrap_or_default().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
