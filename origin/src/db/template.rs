//! A new database as a copy of a filled one: a file's copy instead of a second of inserts.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::Error;

/// Copies `template` to `path` unless something is there. Says whether it did. The copy appears whole or not at all, and
/// where several processes start at once the first one's stays.
pub(super) fn copy(template: &Path, path: &Path) -> Result<bool, Error> {
    if path.exists() {
        return Ok(false);
    }
    let failed = |source| Error::Template { template: template.to_owned(), path: path.to_owned(), source };
    let partial = path.with_extension(format!("new-{}", std::process::id()));
    let copied = write(template, &partial).and_then(|()| match fs::hard_link(&partial, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true),
    });
    let removed = fs::remove_file(&partial);
    match copied {
        Ok(copied) => removed.map(|()| copied).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn write(template: &Path, partial: &Path) -> io::Result<()> {
    let mut from = File::open(template)?;
    let mut to = File::create(partial)?;
    // Not fs::copy, which would also copy that the template may be read-only.
    io::copy(&mut from, &mut to)?;
    // Before the file gets its name: a power cut must not leave half of it under that.
    to.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_left_alone_and_nothing_else_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let (template, path) = (folder.path().join("template"), folder.path().join("shop.sqlite"));
        fs::write(&template, "first").expect("written");
        assert!(copy(&template, &path).expect("copied"));
        fs::write(&template, "second").expect("written");
        assert!(!copy(&template, &path).expect("left alone"));
        assert_eq!(fs::read(&path).expect("there"), b"first");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn a_missing_template_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error =
            copy(&folder.path().join("absent"), &folder.path().join("shop.sqlite")).expect_err("absent");
        let said = error.to_string();
        assert!(said.contains("absent") && said.contains("shop.sqlite"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
