use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, Store};
use wasmtime_wasi::{DirPerms, FilePerms, WasiCtx};
use wasmtime_wasi_http::handler::{ProxyHandler, ProxyPre};
use wasmtime_wasi_http::p3::WasiHttp;
use wasmtime_wasi_http::p3::bindings::{ServicePre, http};

use crate::instances::{Instances, Reuse};
use crate::key_value::{StoreKind, Stores};
use crate::outbound::{self, OutboundClient};
use crate::state::HostState;
use crate::{Error, Manifest, bindings, limits, mounts};

/// How a component is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the key-value stores are kept.
    pub stores: StoreKind,
    /// A Redis that stands in for each one that the component opens (and may reach).
    pub redis: Option<String>,
    /// When instances are used again.
    pub reuse: Reuse,
    /// Where compiled components are kept between runs; not at all when absent.
    pub cache: Option<PathBuf>,
}

/// What all instances share.
pub(crate) struct App {
    pub(crate) manifest: Manifest,
    pub(crate) stores: Stores,
    pub(crate) redis: Option<String>,
    pub(crate) client: OutboundClient,
    /// Where it listens, once it does.
    pub(crate) address: OnceLock<SocketAddr>,
    files: Option<TempDir>,
    engine: Engine,
}

impl App {
    /// A store for a new instance, with nothing of others in it.
    pub(crate) fn store(self: &Arc<Self>) -> wasmtime::Result<Store<HostState>> {
        let mut wasi = WasiCtx::builder();
        wasi.inherit_stdout().inherit_stderr().envs(&self.manifest.environment);
        if let Some(files) = &self.files {
            wasi.preopened_dir(files.path(), "/", DirPerms::READ, FilePerms::READ)?;
        }
        Ok(Store::new(&self.engine, HostState::new(Arc::clone(self), wasi.build())))
    }
}

/// Compiles and links the component of a manifest.
///
/// # Errors
/// [`Error::Component`] names an interface that it imports and this host lacks.
pub(crate) fn load(
    manifest: Manifest,
    options: &Options,
) -> Result<(Arc<App>, ProxyHandler<Instances>), Error> {
    let file = manifest.component.clone();
    if !file.is_file() {
        return Err(wrong(&file, "there is no such file; build the component first"));
    }
    let failed = |error: wasmtime::Error| wrong(&file, &format!("{error:#}"));
    let engine = engine(options.cache.as_deref(), limits::allocation()?).map_err(failed)?;
    let component = Component::from_file(&engine, &file).map_err(failed)?;
    let linker = linker(&engine).map_err(failed)?;
    let pre = linker.instantiate_pre(&component).map_err(|error| {
        wrong(&file, &format!("it imports what this host does not have, or has in another form: {error:#}"))
    })?;
    let pre = ServicePre::new(pre)
        .map_err(|error| wrong(&file, &format!("it does not export wasi:http/handler@0.3.0: {error:#}")))?;
    let app = Arc::new(App {
        stores: Stores::open(&options.stores)?,
        redis: options.redis.clone(),
        client: outbound::client(),
        address: OnceLock::new(),
        files: mounts::stage(&manifest.mounts)?,
        engine,
        manifest,
    });
    let instances = Instances::new(Arc::clone(&app), ProxyPre::P3(pre), options.reuse);
    Ok((app, ProxyHandler::new(instances)))
}

fn wrong(file: &Path, why: &str) -> Error {
    Error::Component { file: file.to_path_buf(), why: why.to_owned() }
}

fn engine(cache: Option<&Path>, allocation: InstanceAllocationStrategy) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.allocation_strategy(allocation);
    config.wasm_component_model_async(true);
    if let Some(folder) = cache {
        let mut settings = CacheConfig::new();
        settings.with_directory(folder);
        config.cache(Some(Cache::new(settings)?));
    }
    Engine::new(&config)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    http::types::add_to_linker::<_, WasiHttp>(&mut linker, HostState::http)?;
    http::client::add_to_linker::<_, WasiHttp>(&mut linker, HostState::http)?;
    bindings::key_value::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    bindings::redis::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    bindings::variables::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    Ok(linker)
}
