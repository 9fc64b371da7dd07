use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Result, build};

/// A Spin application in a folder of its own, made from the project's own `spin.toml`: the same but for where its parts are,
/// what it may reach, and the build that would replace them.
#[derive(Debug)]
pub struct SpinApp {
    component: PathBuf,
    config: Vec<u8>,
    reach: Vec<String>,
}

impl SpinApp {
    /// The component and the compiled configuration that it is given as `/levee.bin`.
    pub fn new(component: impl AsRef<Path>, config: impl Into<Vec<u8>>) -> Self {
        Self { component: component.as_ref().to_path_buf(), config: config.into(), reach: Vec::new() }
    }

    /// A host that it may reach, such as `http://127.0.0.1:8081`.
    pub fn reach(mut self, host: &str) -> Self {
        self.reach.push(host.to_owned());
        self
    }

    /// Writes it into `folder`, and returns its manifest. What is there already is replaced.
    ///
    /// # Errors
    /// [`Error::Missing`] without the component, [`Error::Io`] about files, and where `spin_toml` is not the project's.
    pub fn write(&self, spin_toml: impl AsRef<Path>, folder: &Path) -> Result<PathBuf> {
        build::present(&self.component, "cargo xtask build spin")?;
        let path = spin_toml.as_ref();
        let what = || path.display().to_string();
        let text = fs::read_to_string(path).map_err(Error::io(what()))?;
        let manifest = self.manifest(&text).map_err(Error::io(what()))?;
        let files = folder.join("files");
        let write = |path: &Path, content: &[u8]| {
            fs::write(path, content).map_err(Error::io(format!("writing {}", path.display())))
        };
        fs::create_dir_all(&files).map_err(Error::io(files.display().to_string()))?;
        write(&files.join("levee.bin"), &self.config)?;
        let written = folder.join("spin.toml");
        write(&written, manifest.as_bytes())?;
        Ok(written)
    }

    fn manifest(&self, text: &str) -> io::Result<String> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut manifest: toml::Table =
            text.parse().map_err(|error: toml::de::Error| invalid(error.to_string()))?;
        let is_origin = |name: &str| name.starts_with("levee_origin_");
        if let Some(variables) = table(&mut manifest, &["variables"]) {
            variables.retain(|name, _| !is_origin(name));
        }
        let component = table(&mut manifest, &["component", "levee"])
            .ok_or_else(|| invalid("it has no [component.levee]".to_owned()))?;
        component.remove("build");
        let source = std::path::absolute(&self.component)?;
        component.insert("source".into(), source.to_string_lossy().into_owned().into());
        let files = toml::Table::from_iter([
            ("source".to_owned(), toml::Value::from("files")),
            ("destination".to_owned(), toml::Value::from("/")),
        ]);
        component.insert("files".into(), vec![files].into());
        component.insert("allowed_outbound_hosts".into(), self.reach.clone().into());
        if let Some(variables) = table(component, &["variables"]) {
            variables.retain(|name, _| !is_origin(name));
        }
        toml::to_string(&manifest).map_err(|error| invalid(error.to_string()))
    }
}

fn table<'t>(mut table: &'t mut toml::Table, path: &[&str]) -> Option<&'t mut toml::Table> {
    for name in path {
        table = table.get_mut(*name)?.as_table_mut()?;
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_manifest_with_other_parts() {
        let spin_toml = concat!(env!("CARGO_MANIFEST_DIR"), "/../spin.toml");
        let folder = tempfile::tempdir().expect("a folder");
        let component = folder.path().join("levee.wasm");
        fs::write(&component, "wasm").expect("written");
        let app = SpinApp::new(&component, b"config".to_vec()).reach("http://127.0.0.1:1");
        let manifest = app.write(spin_toml, folder.path()).expect("written");
        let manifest: toml::Table = fs::read_to_string(manifest).expect("there").parse().expect("a manifest");
        let levee = &manifest["component"]["levee"];
        assert_eq!(levee["source"].as_str(), component.to_str());
        assert_eq!(levee["allowed_outbound_hosts"][0].as_str(), Some("http://127.0.0.1:1"));
        assert_eq!(levee["key_value_stores"][0].as_str(), Some("default"));
        assert!(levee["variables"].get("levee_status_token").is_some());
        assert!(
            levee.get("build").is_none() && levee["variables"].get("levee_origin_box_office_url").is_none()
        );
        assert_eq!(fs::read(folder.path().join("files/levee.bin")).expect("there"), b"config");
    }

    #[test]
    fn a_component_that_is_not_built_is_said_with_its_remedy() {
        let missing = SpinApp::new("no/such.wasm", b"".to_vec()).write("spin.toml", Path::new("."));
        assert!(missing.unwrap_err().to_string().contains("cargo xtask build spin"));
    }
}
