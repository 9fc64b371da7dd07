use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{AllowedHosts, Error, Route, Variables};

/// A `spin.toml`, manifest version 2, with one component behind HTTP triggers, its variables filled in.
pub struct Manifest {
    pub(crate) component: PathBuf,
    pub(crate) routes: Vec<Route>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) stores: Vec<String>,
    pub(crate) allowed_hosts: AllowedHosts,
}

/// A file or folder that the component sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) source: PathBuf,
    /// Relative to the component's root.
    pub(crate) destination: PathBuf,
}

/// What a manifest may say. An unknown key is an error: silence about one would pass for support.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spin_manifest_version: u32,
    #[serde(rename = "application")]
    _application: toml::Table,
    #[serde(default)]
    variables: BTreeMap<String, Declared>,
    trigger: Triggers,
    component: BTreeMap<String, Component>,
}

/// A variable of the application.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) secret: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: String,
    component: String,
    #[serde(default, rename = "id")]
    _id: Option<String>,
    executor: Option<Executor>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Executor {
    r#type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    source: Source,
    #[serde(default)]
    files: Vec<Files>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// For `spin build` and `spin watch`, tools of others: nothing for a host to do.
    #[serde(default, rename = "build")]
    _build: Option<toml::Table>,
    #[serde(default, rename = "tool")]
    _tool: Option<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a path; this host does not download components")]
enum Source {
    Path(PathBuf),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a path, or a source and a destination")]
enum Files {
    Path(PathBuf),
    To { source: PathBuf, destination: PathBuf },
}

impl Manifest {
    /// Reads a manifest and fills in the variables that are given, as name and value.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Manifest`] when it says what this host does not know,
    /// [`Error::Variable`] when a variable is missing or not declared.
    pub fn read(file: &Path, given: &[(String, String)]) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(Error::io(format!("cannot read {}", file.display())))?;
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let wrong = |why: String| Error::Manifest { file: file.to_path_buf(), why };
        let manifest: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.spin_manifest_version != 2 {
            return Err(wrong(format!(
                "spin_manifest_version is {}; this host reads version 2",
                manifest.spin_manifest_version
            )));
        }
        let (id, routes) = routes(&manifest.trigger.http).map_err(wrong)?;
        let component = manifest
            .component
            .get(id)
            .ok_or_else(|| wrong(format!("a trigger names the component {id:?}, which is not there")))?;

        let variables = Variables::resolve(&manifest.variables, given)?;
        let fill = |what: &str, text: &str| {
            variables.fill(text).map_err(|why| wrong(format!("component.{id}.{what}: {why}")))
        };
        let own = component
            .variables
            .iter()
            .map(|(name, text)| Ok((name.clone(), fill(&format!("variables.{name}"), text)?)))
            .collect::<Result<_, _>>()?;
        let hosts: Vec<String> = component
            .allowed_outbound_hosts
            .iter()
            .map(|host| fill("allowed_outbound_hosts", host))
            .collect::<Result<_, _>>()?;
        let allowed_hosts = AllowedHosts::parse(&hosts)
            .map_err(|why| wrong(format!("component.{id}.allowed_outbound_hosts: {why}")))?;
        let mounts = component
            .files
            .iter()
            .map(|files| mount(folder, files))
            .collect::<Result<_, _>>()
            .map_err(|why| wrong(format!("component.{id}.files: {why}")))?;
        let Source::Path(source) = &component.source;
        Ok(Self {
            component: folder.join(source),
            routes,
            mounts,
            environment: component.environment.clone().into_iter().collect(),
            variables: own,
            stores: component.key_value_stores.clone(),
            allowed_hosts,
        })
    }

    /// The component's file.
    pub fn component(&self) -> &Path {
        &self.component
    }

    /// What the component may reach.
    pub fn allowed_hosts(&self) -> &AllowedHosts {
        &self.allowed_hosts
    }

    /// The route that a path belongs to: the most special one.
    pub(crate) fn route(&self, path: &str) -> Option<&Route> {
        self.routes.iter().filter(|route| route.rest(path).is_some()).max_by_key(|route| route.precedence())
    }
}

impl fmt::Debug for Manifest {
    /// Without the variables: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("component", &self.component)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// The one component that all triggers name, and their routes.
fn routes(triggers: &[HttpTrigger]) -> Result<(&str, Vec<Route>), String> {
    let first = triggers.first().ok_or("it has no HTTP trigger")?;
    for trigger in triggers {
        if trigger.component != first.component {
            return Err(format!(
                "its triggers name the components {:?} and {:?}; this host runs one",
                first.component, trigger.component
            ));
        }
        if let Some(executor) = trigger.executor.as_ref().filter(|executor| executor.r#type != "http") {
            return Err(format!("executor {:?} is not known; this host has \"http\"", executor.r#type));
        }
    }
    let routes = triggers.iter().map(|trigger| Route::parse(&trigger.route)).collect::<Result<_, _>>()?;
    Ok((&first.component, routes))
}

fn mount(folder: &Path, files: &Files) -> Result<Mount, String> {
    let (source, destination) = match files {
        Files::Path(path) => (path, path.clone()),
        Files::To { source, destination } => {
            (source, destination.strip_prefix("/").unwrap_or(destination).to_path_buf())
        }
    };
    let pattern = |path: &Path| path.to_string_lossy().contains(['*', '?', '[']);
    if pattern(source) {
        return Err(format!("{} is a pattern; this host takes files and folders by name", source.display()));
    }
    let inside = |path: &Path| {
        path.components()
            .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir))
    };
    if !inside(&destination) {
        return Err(format!("{} leads out of the component's root", destination.display()));
    }
    let source = folder.join(source);
    if !source.exists() {
        return Err(format!("{} is not there", source.display()));
    }
    Ok(Mount { source, destination })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "test"
        version = "1.0.0"
        [variables]
        origin = { default = "http://127.0.0.1:1" }
        token = { required = true, secret = true }
        [[trigger.http]]
        route = "/..."
        component = "edge"
        [component.edge]
        source = "edge.wasm"
        files = ["levee.bin", { source = "levee.bin", destination = "/etc/copy.bin" }]
        environment = { LEVEL = "info" }
        key_value_stores = ["default"]
        allowed_outbound_hosts = ["{{ origin }}"]
        [component.edge.variables]
        purge_token = "Bearer {{ token }}"
        [component.edge.build]
        command = "cargo build"
    "#;

    fn read(text: &str, given: &[(&str, &str)]) -> Result<Manifest, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("spin.toml");
        fs::write(&file, text).expect("written");
        fs::write(folder.path().join("levee.bin"), "bin").expect("written");
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Manifest::read(&file, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_manifest() {
        let manifest =
            read(MANIFEST, &[("token", "s3cret"), ("origin", "http://10.0.0.1:80")]).expect("read");
        assert!(manifest.component().ends_with("edge.wasm"));
        assert_eq!(manifest.variables["purge_token"], "Bearer s3cret");
        assert!(manifest.allowed_hosts().allow("http", "10.0.0.1", Some(80)));
        assert!(!manifest.allowed_hosts().allow("http", "127.0.0.1", Some(1)));
        assert_eq!(manifest.mounts[1].destination, Path::new("etc/copy.bin"));
        assert_eq!(manifest.stores, ["default"]);
        assert_eq!(manifest.route("/any").map(Route::raw), Some("/..."));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let refused = |from: &str, to: &str| {
            assert!(MANIFEST.contains(from), "{from}");
            read(&MANIFEST.replace(from, to), &[("token", "x")]).expect_err(to)
        };
        for (from, to, word) in [
            ("spin_manifest_version = 2", "spin_manifest_version = 1", "version 2"),
            ("key_value_stores", "sqlite_databases", "sqlite_databases"),
            (r#"source = "edge.wasm""#, r#"source = { url = "x", digest = "y" }"#, "download"),
            (r#"["levee.bin","#, r#"["*.bin","#, "pattern"),
            (r#"["levee.bin","#, r#"["absent.bin","#, "not there"),
            ("/etc/copy.bin", "../copy.bin", "out of"),
            (r#"route = "/...""#, r#"route = "/:id""#, "wildcard"),
            (r#"component = "edge""#, r#"component = "other""#, "other"),
            (r#""{{ origin }}""#, r#""{{ absent }}""#, "absent"),
            (r#""{{ origin }}""#, r#""example.com""#, "scheme"),
        ] {
            let error = refused(from, to);
            assert!(error.contains(word), "{to}: {error}");
        }
    }

    #[test]
    fn variables_must_be_given_and_declared() {
        assert!(read(MANIFEST, &[]).expect_err("required").contains("token"));
        let error = read(MANIFEST, &[("token", "x"), ("tokne", "y")]).expect_err("not declared");
        assert!(error.contains("tokne"), "{error}");
    }
}
