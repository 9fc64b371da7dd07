use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Cx, Done};
use crate::project;

/// The lock files of the project and of the applications in its tests must install from any registry, and each package.json
/// must name exact versions.
pub(super) fn check(cx: &Cx) -> Result<Done> {
    let mut folders = vec![cx.root.clone()];
    let applications = cx.root.join("tests/apps/applications");
    for entry in applications.read_dir().with_context(|| applications.display().to_string())? {
        let folder = entry?.path();
        if folder.join("package.json").is_file() {
            folders.push(folder);
        }
    }
    let mut found = Vec::new();
    for folder in &folders {
        let read = |name: &str| -> Result<Value> {
            let path = folder.join(name);
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
        };
        let problems = problems(&read("package.json")?, &read("package-lock.json")?);
        let shown = project::shown(&cx.root, folder);
        found.extend(problems.into_iter().map(|problem| format!("{shown}: {problem}")));
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(Done::Passed(format!("({} lock files)", folders.len())))
}

fn problems(package: &Value, lock: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for group in ["dependencies", "devDependencies"] {
        for (name, version) in package[group].as_object().into_iter().flatten() {
            let version = version.as_str().unwrap_or_default();
            if !version.starts_with(|c: char| c.is_ascii_digit()) {
                problems.push(format!("package.json: {name} {version} is not an exact version"));
            }
            let locked = &lock["packages"][format!("node_modules/{name}")]["version"];
            if locked != version {
                problems.push(format!(
                    "package-lock.json has {name} {locked}, package.json {version}: run npm install"
                ));
            }
        }
    }
    for (path, entry) in lock["packages"].as_object().into_iter().flatten() {
        if let Some(url) = entry["resolved"].as_str() {
            problems.push(format!(
                "package-lock.json: {path} is bound to {url}; .npmrc keeps that out, run npm install with it"
            ));
        } else if !path.is_empty() && entry["integrity"].as_str().is_none() {
            problems.push(format!("package-lock.json: {path} has no integrity"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_range_an_address_and_a_missing_digest_are_found() {
        let package = json!({ "dependencies": { "good": "1.0.0", "loose": "^1.0.0" } });
        let lock = json!({ "packages": {
            "": {},
            "node_modules/good": { "version": "1.0.0", "integrity": "sha512-x" },
            "node_modules/loose": { "version": "^1.0.0", "integrity": "sha512-x", "resolved": "https://registry" },
            "node_modules/bare": { "version": "1.0.0" },
        } });
        let problems = problems(&package, &lock);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("loose ^1.0.0 is not an exact version"));
        assert!(problems.iter().any(|problem| problem.contains("bound to https://registry")));
        assert!(problems.iter().any(|problem| problem.contains("bare has no integrity")));
    }

    #[test]
    fn a_lock_that_lags_behind_is_found() {
        let package = json!({ "devDependencies": { "tool": "2.0.0" } });
        let lock =
            json!({ "packages": { "node_modules/tool": { "version": "1.0.0", "integrity": "sha512-x" } } });
        assert!(problems(&package, &lock)[0].contains("run npm install"));
    }
}
