use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::Error;
use crate::manifest::Mount;

/// Copies what a component may see into a folder of its own, as Spin does: nothing beside it can be reached, and a
/// change of the originals is not seen while the component runs.
pub(crate) fn stage(mounts: &[Mount]) -> Result<Option<TempDir>, Error> {
    if mounts.is_empty() {
        return Ok(None);
    }
    let root = tempfile::Builder::new()
        .prefix("levee-component-")
        .tempdir()
        .map_err(Error::io("a temporary folder for the component's files"))?;
    for mount in mounts {
        copy(&mount.source, &root.path().join(&mount.destination))?;
    }
    Ok(Some(root))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = || Error::io(format!("cannot copy {} for the component", from.display()));
    if from.is_dir() {
        fs::create_dir_all(to).map_err(failed())?;
        for entry in fs::read_dir(from).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(failed())?;
    }
    fs::copy(from, to).map(drop).map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders() {
        let source = tempfile::tempdir().expect("a folder");
        fs::create_dir(source.path().join("sub")).expect("made");
        fs::write(source.path().join("sub/a.txt"), "a").expect("written");
        let mount = |source: &Path, destination: &str| Mount {
            source: source.to_path_buf(),
            destination: destination.into(),
        };
        let mounts = [mount(source.path(), "all"), mount(&source.path().join("sub/a.txt"), "x/b.txt")];
        let staged = stage(&mounts).expect("staged").expect("a folder");
        let read = |path: &str| fs::read_to_string(staged.path().join(path)).expect(path);
        assert_eq!((read("all/sub/a.txt"), read("x/b.txt")), (String::from("a"), String::from("a")));
        assert!(stage(&[]).expect("staged").is_none());
    }
}
