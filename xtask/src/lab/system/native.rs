use std::path::{Path, PathBuf};

use anyhow::Result;
use levee_harness::Process;

use crate::stop;

#[derive(Debug)]
pub(super) struct Native {
    binary: PathBuf,
}

impl Native {
    pub(super) fn new(binary: PathBuf) -> Self {
        Self { binary }
    }

    pub(super) fn start(&self, config: &Path, folder: &Path) -> Result<Process> {
        let native = levee_harness::Native::new(&self.binary)
            .config(config)
            .store(folder.join("edge.sqlite"))
            .with(|spec| spec.cancelled_by(stop::requested));
        Ok(native.start()?)
    }
}
