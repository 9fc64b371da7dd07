//! The components of `guests/`, built once, and hosts that run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use levee_harness::{ComponentHost, Process, cargo_build};

pub(crate) const HOST: &str = env!("CARGO_BIN_EXE_levee-component-host");

/// An optimised build of a large component by a slow machine, with time to spare.
const COMPILING: Duration = Duration::from_secs(300);

/// The `.wasm` of a guest.
pub(crate) fn wasm(package: &str) -> PathBuf {
    static BUILT: OnceLock<Vec<levee_harness::Built>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let packages = ["levee-guest-edge", "levee-guest-hello", "levee-guest-probe"];
        cargo_build(&root, &packages, &["--target", "wasm32-wasip2"], || false).expect("the guests are built")
    });
    let found = built.iter().find(|built| built.package == package);
    found.expect("cargo names the guest").artifact.clone()
}

/// A folder with a `spin.toml`: what stands in `component` is added to its component.
pub(crate) fn manifest(package: &str, component: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let source = wasm(package);
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "guest"
version = "0.1.0"
[variables]
greeting = {{ default = "hello" }}
token = {{ required = true, secret = true }}
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = {source:?}
{component}
"#
    );
    fs::write(folder.path().join("spin.toml"), text).expect("written");
    folder
}

/// Runs a guest; `change` adds what the test needs. The first start compiles it, and the others find it in the cache.
pub(crate) fn start(
    package: &str,
    component: &str,
    change: impl FnOnce(ComponentHost) -> ComponentHost,
) -> Process {
    static COMPILED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let folder = manifest(package, component);
    let host = || {
        ComponentHost::new(HOST, folder.path().join("spin.toml"))
            .variable("token", "s3cret")
            .with(|spec| spec.within(COMPILING))
    };
    {
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if !compiled.iter().any(|name| name == package) {
            host().start().expect("the guest is compiled and runs").stop();
            compiled.push(package.to_owned());
        }
    }
    change(host()).start().expect("the host starts").keep(folder)
}

/// The probe, with a default store.
pub(crate) fn probe(component: &str, change: impl FnOnce(ComponentHost) -> ComponentHost) -> Process {
    start("levee-guest-probe", component, change)
}
