use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::lock;
use crate::files;

/// Our entry module and what it imports.
const ENTRY: &str = "edge/worker/js";

/// Puts the bundle together in `out`: writes only what changed, so that a running `wrangler dev` reloads only then, and
/// removes what no longer belongs to it.
pub(crate) fn assemble(root: &Path, wasm: &Path, config: &[u8], out: &Path) -> Result<()> {
    // Another process may be about to make the wasm anew.
    let _lock = lock(root)?;
    let mut wanted: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    let entry = root.join(ENTRY);
    for path in files::below(&entry)?.into_iter().filter(|path| is_module(path)) {
        wanted.insert(path.clone(), read(entry.join(&path))?);
    }
    for path in files::below(wasm)?.into_iter().filter(|path| is_module(path)) {
        wanted.insert(Path::new("pkg").join(&path), read(wasm.join(&path))?);
    }
    wanted.insert(PathBuf::from("levee.bin"), config.to_vec());
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    for path in files::below(out)? {
        if !wanted.contains_key(&path) {
            let stale = out.join(&path);
            fs::remove_file(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
        }
    }
    for (path, content) in &wanted {
        files::write_if_changed(&out.join(path), content)?;
    }
    Ok(())
}

/// Tests, types and package files beside the modules stay out.
fn is_module(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default();
    !name.contains(".test.") && ["mjs", "js", "wasm"].iter().any(|known| extension == *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_exactly_its_parts() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |path: &str| root.path().join(path);
        let put =
            |path: &str, text: &str| files::write_if_changed(&at(path), text.as_bytes()).expect("written");
        put("edge/worker/js/index.mjs", "entry");
        put("edge/worker/js/lib/read.mjs", "sibling");
        put("edge/worker/js/index.test.mjs", "a test");
        put("build/wasm/levee.js", "glue");
        put("build/wasm/levee_bg.wasm", "wasm");
        put("build/wasm/package.json", "{}");
        put("build/worker/old.mjs", "from an earlier build");
        assemble(root.path(), &at("build/wasm"), b"config", &at("build/worker")).expect("assembled");
        let found: Vec<_> = files::below(&at("build/worker")).expect("listed");
        let wanted = ["index.mjs", "levee.bin", "lib/read.mjs", "pkg/levee.js", "pkg/levee_bg.wasm"];
        assert_eq!(found, wanted.map(PathBuf::from));
        let written = |path: &str| fs::metadata(at(path)).and_then(|meta| meta.modified()).expect("a time");
        let before = written("build/worker/index.mjs");
        assemble(root.path(), &at("build/wasm"), b"other", &at("build/worker")).expect("assembled");
        assert_eq!(written("build/worker/index.mjs"), before, "left alone");
        assert_eq!(fs::read(at("build/worker/levee.bin")).expect("there"), b"other");
    }
}
