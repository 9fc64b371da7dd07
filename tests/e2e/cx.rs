//! What one behaviour on one runtime is given.

use std::sync::Arc;

use anyhow::Result;
use levee_harness::{Parts, Process};

use crate::client::Edge;
use crate::raw::{Arrived, PREFIX, RawOrigin, Step};
use crate::runtimes::{Runtime, Setup};
use crate::scripted::{Asked, Reply, Scene, Scripted};
use crate::world::{Before, World};

#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) world: &'a World,
    pub(crate) runtime: &'static dyn Runtime,
    /// The behaviour's name.
    pub(crate) name: &'static str,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(world: &'a World, runtime: &'static dyn Runtime, name: &'static str) -> Self {
        Self { world, runtime, name }
    }

    pub(crate) fn parts(&self) -> Result<&'a Parts> {
        self.world.parts()
    }

    /// The shared edge before the real box office.
    pub(crate) fn shop(&self) -> Result<Edge> {
        Ok(Edge::at(&self.world.edge(self.runtime, Before::BoxOffice, self.name)?))
    }

    /// The shared edge before the scripted origin, which follows this script below a path of this test's own.
    pub(crate) fn script(
        &self,
        script: impl Fn(Asked) -> Reply + Send + Sync + 'static,
    ) -> Result<(Edge, Scene)> {
        let edge = Edge::at(&self.world.edge(self.runtime, Before::Scripted, self.name)?);
        let scripted: Arc<Scripted> = self.world.scripted()?;
        let scene = scripted.scene(&format!("/{}/{}", self.runtime.name(), self.name), script);
        Ok((edge.below(scene.prefix()), scene))
    }

    /// How an edge of this test's own would be started; `what` tells several apart.
    pub(crate) fn setup(&self, before: Before, what: &str) -> Result<Setup> {
        self.world.setup(&self.label(what), before)
    }

    pub(crate) fn label(&self, what: &str) -> String {
        format!("{}-{}{what}", self.runtime.name(), self.name)
    }

    /// Starts an edge of this test's own.
    pub(crate) fn start(&self, setup: &Setup) -> Result<(Process, Edge)> {
        let process = self.runtime.start(self.parts()?, setup)?;
        let edge = Edge::at(process.url());
        Ok((process, edge))
    }

    /// How an edge of this test's own would be started before the scripted origin, with the configuration changed.
    pub(crate) fn configured(&self, what: &str, change: impl FnOnce(String) -> String) -> Result<Setup> {
        let mut setup = self.setup(Before::Scripted, what)?;
        let text = change(std::fs::read_to_string(&setup.config)?);
        std::fs::create_dir_all(&setup.state)?;
        setup.config = setup.state.join("levee.toml");
        std::fs::write(&setup.config, text)?;
        Ok(setup)
    }

    /// An edge of this test's own before an origin that answers with exact bytes.
    pub(crate) fn raw(
        &self,
        change: impl FnOnce(String) -> String,
        script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
    ) -> Result<Raw> {
        let origin = RawOrigin::start(self.world.tokio.handle(), script)?;
        let mut setup = self.configured("", change)?;
        setup.origin.1 = origin.url();
        let (process, edge) = self.start(&setup)?;
        Ok(Raw { process, edge: edge.below(PREFIX), origin })
    }
}

/// An edge and the raw origin behind it.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) process: Process,
    pub(crate) edge: Edge,
    pub(crate) origin: RawOrigin,
}
