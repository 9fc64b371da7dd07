use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use levee_harness::Containers;
use serde_json::Value;

use crate::{run, stop, tools};

/// The name under which the image is kept while it is used here.
pub(crate) const IMAGE: &str = "localhost/levee-origin:built";
/// What the image may weigh compressed: it is pulled before the first request of a cold start is answered.
pub(crate) const LIMIT: u64 = 15 * 1000 * 1000;

/// A built image.
#[derive(Debug)]
pub(crate) struct Image {
    /// The image as an OCI archive, which `podman load`, `docker load` and `skopeo copy` read.
    pub(crate) archive: PathBuf,
    /// Bytes of its parts as they are pushed and pulled: layers (gzip) in the Dockerfile's order, then the configuration.
    pub(crate) parts: Vec<u64>,
    /// Bytes of the program and of the database, as they are.
    pub(crate) program: u64,
    pub(crate) database: u64,
}

impl Image {
    /// Bytes that a pull transfers.
    pub(crate) fn compressed(&self) -> u64 {
        self.parts.iter().sum()
    }

    pub(crate) fn print(&self) {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        println!("  program                  {:>6.2} MB", megabytes(self.program));
        println!("  database                 {:>6.2} MB", megabytes(self.database));
        println!(
            "  image, compressed        {:>6.2} MB of at most {:.0}",
            megabytes(self.compressed()),
            megabytes(LIMIT)
        );
    }
}

/// Compiles the program, fills a database by it, and puts both into the last stage of origin/Dockerfile.
pub(super) fn build(root: &Path, containers: &Containers, out: &Path) -> Result<Image> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    tools::rust_target(root, &target)?;
    let built = levee_harness::cargo_build(
        root,
        &["levee-origin"],
        &["--release", "--locked", "--target", &target],
        stop::requested,
    )?;
    let built = built.first().context("cargo named no levee-origin")?;

    let context = out.join("context");
    let _ = fs::remove_dir_all(&context);
    let (program, database) =
        (context.join("out/bin/levee-origin"), context.join("out/share/levee/box-office.sqlite"));
    for folder in
        [context.join("out/bin"), context.join("out/share/levee"), context.join("out/var/lib/levee")]
    {
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::copy(&built.artifact, &program)
        .with_context(|| format!("cannot copy {}", built.artifact.display()))?;
    run::quietly(Command::new(&program).arg("--prepare").arg("--database").arg(&database))?;

    println!("Building the image");
    let mut bud = containers.buildah();
    bud.args(["bud", "--isolation", "chroot", "--target", "runtime", "--tag", IMAGE, "--build-context"])
        .arg(format!("build={}", context.display()))
        .args(["--layers=false", "--file", "origin/Dockerfile"])
        .arg(&context)
        .current_dir(root);
    run::quietly(&mut bud)?;

    let layout = out.join("oci");
    let archive = out.join("levee-origin.tar");
    let _ = fs::remove_dir_all(&layout);
    let _ = fs::remove_file(&archive);
    for transport in [format!("oci:{}", layout.display()), format!("oci-archive:{}", archive.display())] {
        run::quietly(containers.buildah().args(["push", IMAGE, &transport]))?;
    }
    let size = |path: &Path| Ok::<_, anyhow::Error>(fs::metadata(path)?.len());
    Ok(Image { parts: parts(&layout)?, program: size(&program)?, database: size(&database)?, archive })
}

/// The sizes that the image's manifest names, held against the files themselves.
fn parts(layout: &Path) -> Result<Vec<u64>> {
    let read = |path: PathBuf| -> Result<Value> {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    };
    let blob = |digest: &Value| -> Result<PathBuf> {
        let digest = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:"));
        Ok(layout.join("blobs/sha256").join(digest.context("the image's manifest names no digest")?))
    };
    let index = read(layout.join("index.json"))?;
    let manifest = read(blob(&index["manifests"][0]["digest"])?)?;
    let mut parts = Vec::new();
    for part in manifest["layers"].as_array().into_iter().flatten().chain([&manifest["config"]]) {
        let on_disk = fs::metadata(blob(&part["digest"])?)?.len();
        if part["size"].as_u64() != Some(on_disk) {
            bail!("the image's manifest says {} bytes of a part that has {on_disk}", part["size"]);
        }
        parts.push(on_disk);
    }
    if parts.len() < 2 {
        bail!("the image has no layers");
    }
    Ok(parts)
}
