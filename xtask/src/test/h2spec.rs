use std::process::Command;

use anyhow::{Context as _, Result, bail};
use levee_harness::Native;

use super::{Cx, Done};
use crate::{stop, tools};

/// What cannot pass: what is no preface may be HTTP/1.1 on the same port, and is answered as such, with a 400 (RFC 9112). The test
/// takes only a closed connection.
const MEANINGLESS: [&str; 1] = ["Sends invalid connection preface"];

/// HTTP/2's conformance tests (h2spec) against the native server.
pub(super) fn run(cx: &Cx) -> Result<Done> {
    let Some(h2spec) = tools::h2spec()? else {
        return Ok(Done::Skipped(String::from("h2spec is built by Go, which is not here: https://go.dev")));
    };
    let built = levee_harness::cargo_build(&cx.root, &["levee-native"], &[], stop::requested)?;
    let native = &built.first().context("cargo named no levee-native")?.artifact;
    // Nothing listens there: the edge's own answers will do.
    let alone = |spec: levee_harness::Spec| spec.arg("--origin").arg("http://127.0.0.1:1");
    let server = Native::new(native).with(alone).start()?;
    let mut command = Command::new(h2spec);
    command.args([
        "--host",
        "127.0.0.1",
        "--port",
        &server.port().to_string(),
        "--timeout",
        "10",
        "--strict",
    ]);
    let output = command.output().context("h2spec cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let Some((passed, failed)) = results(&said) else {
        bail!("h2spec said nothing of its results:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let real: Vec<_> =
        failed.iter().filter(|test| !MEANINGLESS.iter().any(|known| test.ends_with(known))).collect();
    if !real.is_empty() {
        println!("{said}");
        let tests = real.iter().map(|test| format!("\n  {test}")).collect::<String>();
        bail!("these tests of h2spec fail (its own account is above):{tests}");
    }
    Ok(Done::Passed(format!("({passed} passed; not: {})", MEANINGLESS.join(", "))))
}

/// How many tests passed, and the names of those that failed, from the account at the end.
fn results(said: &str) -> Option<(u32, Vec<&str>)> {
    let total = said.lines().rev().find(|line| line.contains(" tests, ") && line.ends_with(" failed"))?;
    let passed = total.split(", ").find_map(|part| part.strip_suffix(" passed"))?.parse().ok()?;
    let failures = said.split_once("Failures:").map_or("", |(_, failures)| failures);
    let failed = failures.lines().filter_map(|line| line.trim_start().strip_prefix("× ")).collect();
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_account_is_read() {
        let said = "  1: Sends this  ✔ 1: Sends this\n\nFailures: \n\nHTTP/2\n  3.5. Preface\n      × 2: Sends that\n        \
                    -> It MUST NOT.\n\nFinished in 0.2 seconds\n145 tests, 144 passed, 0 skipped, 1 failed\n";
        assert_eq!(results(said), Some((144, vec!["2: Sends that"])));
        assert_eq!(results("3 tests, 3 passed, 0 skipped, 0 failed\n"), Some((3, vec![])));
        assert_eq!(results("connection refused\n"), None);
    }
}
