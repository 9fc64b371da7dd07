//! What the tests share: the built parts, a filled database, and for each runtime one edge before each origin.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use levee_harness::{Origin, Parts, Process};
use tempfile::TempDir;
use tokio::runtime::Runtime as Tokio;

use crate::runtimes::{Runtime, Setup};
use crate::scripted::Scripted;

/// The box office's look-up takes two seconds unless told otherwise; no test is about that.
const DATA_DELAY: Duration = Duration::from_millis(50);

/// Configuration before the scripted origin.
const SCRIPTED: &str = "tests/e2e/scripted.toml";

/// Made when the first test asks for it.
type Shared<T> = OnceLock<Result<T, String>>;

/// By the runtime's name, what stands behind, and whose it is: nobody's where it is shared.
type Edges = HashMap<(&'static str, Before, &'static str), Arc<Shared<Running>>>;

/// A process that several tests ask. It ends with the world.
#[derive(Debug)]
pub(crate) struct Running {
    url: String,
    _process: Mutex<Process>,
}

impl Running {
    fn new(process: Process) -> Self {
        Self { url: process.url().to_owned(), _process: Mutex::new(process) }
    }
}

pub(crate) struct World {
    pub(crate) tokio: Tokio,
    parts: Shared<Parts>,
    /// Removed at the end, with the databases in it.
    folder: TempDir,
    database: Shared<PathBuf>,
    box_office: Shared<Running>,
    scripted: OnceLock<Arc<Scripted>>,
    edges: Mutex<Edges>,
    numbers: AtomicUsize,
}

/// What an edge stands before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Before {
    /// The real origin, with the configuration at the root.
    BoxOffice,
    /// The scripted one.
    Scripted,
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            tokio: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
            parts: OnceLock::new(),
            folder: tempfile::Builder::new().prefix("levee-e2e-").tempdir()?,
            database: OnceLock::new(),
            box_office: OnceLock::new(),
            scripted: OnceLock::new(),
            edges: Mutex::default(),
            numbers: AtomicUsize::new(0),
        })
    }

    /// Built and installed parts; built by cargo where the environment names none.
    pub(crate) fn parts(&self) -> Result<&Parts> {
        get(&self.parts, || Ok(Parts::locate(env!("CARGO_MANIFEST_DIR"))?))
    }

    /// Where what is worth keeping of a run goes.
    pub(crate) fn kept(&self) -> PathBuf {
        kept()
    }

    /// Copies the filled database: to fill another takes seconds.
    pub(crate) fn database(&self, name: &str) -> Result<PathBuf> {
        let filled = get(&self.database, || {
            let file = self.folder.path().join("filled.sqlite");
            // It is closed properly, so that everything is in the one file.
            Origin::new(&self.parts()?.origin).database(&file).start()?.stop();
            Ok(file)
        })?;
        let copy = self.folder.path().join(format!("{name}.sqlite"));
        std::fs::copy(filled, &copy).context("copying the filled database")?;
        Ok(copy)
    }

    /// A box office of the caller's own.
    pub(crate) fn start_box_office(&self, name: &str) -> Result<Process> {
        let database = self.database(name)?;
        let log = log_file(&format!("origin-{name}"));
        let origin = Origin::new(&self.parts()?.origin).database(database).data_delay(DATA_DELAY);
        Ok(origin.with(|spec| spec.log_file(log)).start()?)
    }

    /// Another number each time, for what tests must not share.
    pub(crate) fn next_number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    /// The box office that stands behind the shared edges.
    pub(crate) fn box_office(&self) -> Result<&Running> {
        get(&self.box_office, || Ok(Running::new(self.start_box_office("shared")?)))
    }

    /// The scripted origin that stands behind the shared edges.
    pub(crate) fn scripted(&self) -> Result<Arc<Scripted>> {
        if let Some(scripted) = self.scripted.get() {
            return Ok(scripted.clone());
        }
        let started = Arc::new(Scripted::start(self.tokio.handle())?);
        Ok(self.scripted.get_or_init(|| started).clone())
    }

    /// How an edge before this origin is started.
    pub(crate) fn setup(&self, name: &str, before: Before) -> Result<Setup> {
        let root = &self.parts()?.root;
        let (config, origin, url) = match before {
            Before::BoxOffice => ("levee.toml", "box-office", self.box_office()?.url.clone()),
            Before::Scripted => (SCRIPTED, "scripted", self.scripted()?.url()),
        };
        Ok(Setup {
            name: name.to_owned(),
            reach: Vec::new(),
            config: root.join(config),
            origin: (origin, url),
            state: self.folder.path().join(name),
            token: None,
        })
    }

    /// The address of the edge on this runtime that tests share, or that the test of this name has to itself.
    pub(crate) fn edge(
        &self,
        runtime: &'static dyn Runtime,
        before: Before,
        test: &'static str,
    ) -> Result<String> {
        let whose = if runtime.is_shared() { "" } else { test };
        let slot = {
            let mut edges = self.edges.lock().unwrap_or_else(PoisonError::into_inner);
            edges.entry((runtime.name(), before, whose)).or_default().clone()
        };
        let process = get(&slot, || {
            let name = format!("{}-{before:?}-{whose}", runtime.name()).to_lowercase();
            let name = name.trim_end_matches('-').to_owned();
            Ok(Running::new(runtime.start(self.parts()?, &self.setup(&name, before)?)?))
        })?;
        Ok(process.url.clone())
    }
}

impl World {
    /// Stops the edges that the test of this name had to itself.
    pub(crate) fn release(&self, runtime: &'static dyn Runtime, test: &'static str) {
        let mut edges = self.edges.lock().unwrap_or_else(PoisonError::into_inner);
        edges.retain(|(of, _, whose), _| *of != runtime.name() || *whose != test);
    }
}

/// `target/e2e` in the workspace, whatever the target folder of this build is.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/e2e")
}

pub(crate) fn log_file(name: &str) -> PathBuf {
    kept().join("logs").join(format!("{name}.log"))
}

/// Made by the first who asks; a failure is everyone's, word for word.
fn get<T>(slot: &Shared<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    slot.get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))
}
