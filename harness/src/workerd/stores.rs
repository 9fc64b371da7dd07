//! KV and the Cache API in a process of their own, as a deployed Worker has them elsewhere.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::config::{cache_worker, kv_worker, sockets};
use super::{CACHE, KV, Worker};
use crate::process::workerd_listen;
use crate::{Error, Process, Ready, Result, Spec, build};

/// The second socket is reported right behind the first.
const SECOND: Duration = Duration::from_secs(10);

/// A running process with both stores in memory, for any number of [`Workerd`](super::Workerd)s. Dropped, it is stopped.
#[derive(Debug)]
pub struct WorkerdStores {
    process: Process,
    pub(super) kv: u16,
    pub(super) cache: u16,
}

impl WorkerdStores {
    /// Starts it with the `workerd` of [`Workerd::binary_in`](super::Workerd::binary_in); `with` changes what is passed on to
    /// the process.
    ///
    /// # Errors
    /// [`Error::Missing`] and [`Error::Io`] about its files; else as [`Process::start`].
    pub fn start(binary: impl AsRef<Path>, with: impl FnOnce(Spec) -> Spec) -> Result<Self> {
        build::present(binary.as_ref(), "npm ci")?;
        let folder = build::scratch("workerd-stores")?;
        let settings = Worker::default();
        let config = folder.path().join("stores.capnp");
        let text = format!(
            "using Workerd = import \"/workerd/workerd.capnp\";\n\nconst config :Workerd.Config = (\n  \
             services = [(name = \"kv\", worker = .kv), (name = \"cache\", worker = .cache)],\n  {}\n);\n{}{}",
            sockets(&[("http", 0, "kv"), ("cache", 0, "cache")]),
            kv_worker(&settings.date),
            cache_worker(&settings.date, settings.cache.unwrap_or_default()),
        );
        for (name, text) in [("kv.mjs", KV), ("cache.mjs", CACHE), ("stores.capnp", text.as_str())] {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        }
        let spec = with(Spec::new("workerd (stores)", binary)).args(["serve", "--control-fd=1"]).arg(&config);
        let process = Process::start(spec, &Ready::WorkerdControl)?.keep(folder);
        let deadline = Instant::now() + SECOND;
        loop {
            let said = process.log().since(0);
            if let Some(cache) = said.iter().find_map(|line| workerd_listen(line, "cache")) {
                return Ok(Self { kv: process.port(), cache, process });
            }
            if Instant::now() > deadline {
                return Err(Error::Late {
                    name: process.name().to_owned(),
                    within: SECOND,
                    awaited: String::from("workerd to report its second port"),
                    log: process.log().tail(25),
                });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where the service behind a KV binding listens, on 127.0.0.1.
    pub fn kv_port(&self) -> u16 {
        self.kv
    }

    /// Where the service behind the Cache API listens, on 127.0.0.1.
    pub fn cache_port(&self) -> u16 {
        self.cache
    }

    /// The process alone, for who holds all processes of a system alike.
    pub fn into_process(self) -> Process {
        self.process
    }
}
