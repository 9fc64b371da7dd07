use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Process, Ready, Result, Spec, build};

/// A place for images and running containers without a daemon, in a temporary folder; all of it goes when it is dropped.
#[derive(Debug)]
pub struct Containers {
    folder: TempDir,
}

impl Containers {
    /// An empty place.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when there can be no temporary folder.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: build::scratch("levee-containers")? })
    }

    /// `buildah`, working here.
    pub fn buildah(&self) -> Command {
        let mut command = Command::new("buildah");
        command.args(self.storage());
        command
    }

    /// `podman`, working here. Without systemd there is neither its journal nor its control groups.
    pub fn podman(&self) -> Command {
        let mut command = Command::new("podman");
        command.args(self.podman_args());
        command
    }

    fn storage(&self) -> Vec<OsString> {
        let at = |name: &str| self.folder.path().join(name).into_os_string();
        // No overlay: it is not to be had within another container.
        vec![
            "--root".into(),
            at("root"),
            "--runroot".into(),
            at("run"),
            "--storage-driver".into(),
            "vfs".into(),
        ]
    }

    fn podman_args(&self) -> Vec<OsString> {
        let mut args = self.storage();
        args.extend(["--tmpdir".into(), self.folder.path().join("tmp").into_os_string()]);
        args.extend(
            ["--cgroup-manager=cgroupfs", "--events-backend=file", "--runtime", "runc"].map(OsString::from),
        );
        args
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        // A container does not end with the `podman run` that was killed; and without root its files are another user's.
        let _ = self.podman().args(["rm", "--all", "--force", "--time", "0"]).output();
        if !rustix::process::geteuid().is_root() {
            let _ = Command::new("buildah")
                .args(["unshare", "rm", "-rf"])
                .arg(self.folder.path().join("root"))
                .output();
        }
    }
}

/// A container under `podman run`: no capabilities, nothing writable but what is named, the host's network.
#[derive(Debug)]
pub struct Container {
    podman: Vec<OsString>,
    name: String,
    image: String,
    options: Vec<OsString>,
    ready: Option<Ready>,
}

impl Container {
    /// A container of an image that `containers` holds; `name` is what messages and podman call it.
    pub fn new(containers: &Containers, name: &str, image: &str) -> Self {
        Self {
            podman: containers.podman_args(),
            name: name.to_owned(),
            image: image.to_owned(),
            options: Vec::new(),
            ready: None,
        }
    }

    /// Sets an environment variable in the container.
    pub fn env(self, name: &str, value: &str) -> Self {
        self.option("--env", format!("{name}={value}"))
    }

    /// Makes a folder writable for the image's user, in memory, and empty.
    pub fn writable(self, folder: &str) -> Self {
        self.option("--mount", format!("type=tmpfs,destination={folder},chown=true"))
    }

    /// Shows a folder of this machine in the container, read-only.
    pub fn shows(self, folder: &Path, inside: &str) -> Self {
        let mut volume = OsString::from(folder);
        volume.push(format!(":{inside}:ro"));
        self.option("--volume", volume)
    }

    /// Writes the process id that the container's program has on this machine into a file.
    pub fn pid_file(self, file: PathBuf) -> Self {
        self.option("--pidfile", file)
    }

    /// How one sees that it answers.
    pub fn ready(mut self, ready: Ready) -> Self {
        self.ready = Some(ready);
        self
    }

    fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.options.extend([OsString::from(name), value.into()]);
        self
    }

    /// Starts it. The process is `podman run`, which passes signals on and ends with the exit code of the container's program.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start(self) -> Result<Process> {
        let ready = self.ready.unwrap_or(Ready::Line { before: String::from("listening on ") });
        let spec = Spec::new(&self.name, "podman")
            .args(self.podman)
            .args(["run", "--rm", "--name", &self.name, "--network", "host", "--pull", "never"])
            .args([
                "--read-only",
                "--read-only-tmpfs=false",
                "--cap-drop",
                "all",
                "--security-opt",
                "no-new-privileges",
            ])
            // Named, because podman's own are more than some machines allow.
            .args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"])
            .args(self.options)
            .arg(self.image)
            .within(Duration::from_secs(120));
        Process::start(spec, &ready)
    }
}
