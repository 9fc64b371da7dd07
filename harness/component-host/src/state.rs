use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

use crate::app::App;
use crate::outbound::Hooks;

/// What one instance of the component has of the host.
pub(crate) struct HostState {
    pub(crate) app: Arc<App>,
    pub(crate) table: ResourceTable,
    pub(crate) open_stores: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    /// For fields that the component sets itself.
    own: Hooks,
    /// For fields that come from a client or an origin.
    foreign: Hooks,
}

impl HostState {
    pub(crate) fn new(app: Arc<App>, wasi: WasiCtx) -> Self {
        Self {
            own: Hooks::own(&app),
            foreign: Hooks::foreign(&app),
            app,
            table: ResourceTable::new(),
            open_stores: 0,
            wasi,
            http: WasiHttpCtx::new(),
        }
    }

    /// What the component sets: some fields are refused.
    pub(crate) fn own(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.own, table: &mut self.table, ctx: &mut self.http }
    }

    /// What comes from outside: all fields reach the component, as with Spin 4.1. (wasmtime-wasi-http 48 by itself
    /// takes out those that a component may not set.)
    pub(crate) fn foreign(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.foreign, table: &mut self.table, ctx: &mut self.http }
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
