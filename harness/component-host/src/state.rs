use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p3::WasiHttpCtxView;

use crate::app::App;
use crate::outbound::Hooks;

/// What one instance of the component has of the host.
pub(crate) struct HostState {
    pub(crate) app: Arc<App>,
    pub(crate) table: ResourceTable,
    pub(crate) open_stores: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

impl HostState {
    pub(crate) fn new(app: Arc<App>, wasi: WasiCtx) -> Self {
        Self {
            hooks: Hooks(Arc::clone(&app)),
            app,
            table: ResourceTable::new(),
            open_stores: 0,
            wasi,
            http: WasiHttpCtx::new(),
        }
    }

    pub(crate) fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
