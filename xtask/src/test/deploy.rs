use std::fs;

use anyhow::{Context as _, Result, bail};

use super::{Cx, Done, steps};
use crate::{files, run, tools};

/// What a Worker may weigh on every plan, compressed.
const LIMIT: usize = 3 * 1000 * 1000;

/// What `wrangler deploy` would upload, made as a user makes it: by the build command in wrangler.toml.
pub(super) fn dry_run(cx: &Cx) -> Result<Done> {
    let node = cx.node()?;
    steps::build_bundle(cx)?;
    let out = cx.root.join("build/deploy");
    let _ = fs::remove_dir_all(&out);
    let script = tools::node_modules(&cx.root).join("wrangler/bin/wrangler.js");
    let mut wrangler = node.command(&script);
    wrangler
        .args(["deploy", "--dry-run", "--outdir"])
        .arg(&out)
        .current_dir(&cx.root)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("NO_COLOR", "1");
    let said = run::quietly(&mut wrangler)?;
    for line in said.iter().filter(|line| line.contains("gzip")) {
        println!("{}", line.trim());
    }
    let uploaded = files::below(&out)?;
    let has = |extension: &str| {
        uploaded.iter().any(|path| path.extension().is_some_and(|found| found == extension))
    };
    if !has("wasm") || !has("bin") {
        bail!("the upload has no wasm or no configuration: {uploaded:?}");
    }
    let mut gzip = 0;
    for path in
        uploaded.iter().filter(|path| path.extension().is_some_and(|found| found != "map" && found != "md"))
    {
        let content = fs::read(out.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
        gzip += files::gzip_size(&content)?;
    }
    if gzip > LIMIT {
        bail!("the bundle weighs {gzip} bytes after gzip; a Worker may weigh {LIMIT}");
    }
    Ok(Done::Passed(format!("({:.1} KB gzip)", gzip as f64 / 1000.0)))
}
