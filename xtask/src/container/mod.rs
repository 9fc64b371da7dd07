//! `cargo xtask build container`: the origin's image, by cargo and buildah, without a daemon.

mod image;
mod missing;
mod start;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use levee_harness::Containers;

pub(crate) use image::{IMAGE, Image, LIMIT};
pub(crate) use missing::{Purpose, missing};
pub(crate) use start::Starts;

use crate::project;

/// What the image is made from (`out/`), and the image as one file.
const OUT: &str = "build/container";

/// `cargo xtask build container`.
pub(crate) fn run() -> Result<()> {
    if let Some(why) = missing(Purpose::Build) {
        bail!("{why}. With Docker: docker build --file origin/Dockerfile --tag levee-origin .");
    }
    let root = project::root()?;
    let image = build(&root, &Containers::new()?)?;
    println!("{}", project::shown(&root, &image.archive));
    image.print();
    Ok(())
}

/// Builds the image into `containers`, and writes it as an archive.
pub(crate) fn build(root: &Path, containers: &Containers) -> Result<Image> {
    image::build(root, containers, &root.join(OUT))
}

/// Starts the program of the image that was built last, again and again.
pub(crate) fn starts(root: &Path, times: usize) -> Result<Starts> {
    start::starts(&root.join(OUT).join("context/out/bin/levee-origin"), &database(root), times)
}

/// The filled database of the image that was built last.
pub(crate) fn database(root: &Path) -> PathBuf {
    root.join(OUT).join("context/out/share/levee/box-office.sqlite")
}
