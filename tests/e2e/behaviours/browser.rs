//! A real browser before `wrangler dev`, as a newcomer has it after `cargo xtask up`.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use levee_harness::{Browser, find_browser};

use super::Skipped;
use crate::cx::Cx;
use crate::runtimes::start_wrangler;
use crate::world::Before;

/// Set to 1 where no browser can be had.
const SKIP: &str = "LEVEE_SKIP_BROWSER";

pub(super) async fn a_visitor_finds_a_film_sees_a_hit_and_buys_a_seat(cx: &Cx<'_>) -> Result<()> {
    if env::var_os(SKIP).is_some_and(|value| value == "1") {
        bail!(Skipped(format!("{SKIP}=1: nothing was tried in a browser")));
    }
    let parts = cx.parts()?;
    let browser = find_browser(&parts.node_modules)
        .with_context(|| format!("the browser test needs one; {SKIP}=1 leaves the test out"))?;
    let origin = cx.world.start_box_office(&cx.label(""))?;
    let mut setup = cx.setup(Before::BoxOffice, "")?;
    setup.origin.1 = origin.url().to_owned();
    let edge = start_wrangler(parts, &setup)?;
    let script = parts.root.join("tests/browser/visit.mjs");
    let mut visit = Command::new(&parts.node);
    visit.arg(script).arg(edge.url()).arg(cx.world.kept().join("screenshots")).stdin(Stdio::null());
    if let Browser::Executable(path) = browser {
        visit.env("LEVEE_CHROMIUM", path);
    }
    let output = visit.output().with_context(|| format!("{} could not be started", parts.node.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the visit failed:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    print!("{said}");
    Ok(())
}
