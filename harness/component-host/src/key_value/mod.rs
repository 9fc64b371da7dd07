//! `spin:key-value`: stores in memory or in one SQLite file.

mod memory;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use crate::bindings::key_value as wit;
use crate::state::HostState;

use memory::Memory;
use sqlite::Sqlite;

/// How many stores an instance may hold open at a time; Spin's number.
const OPEN_STORES: usize = 256;

/// Where the stores are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory: gone with the process.
    Memory,
    /// In a SQLite file, made if it is not there.
    Sqlite(PathBuf),
}

/// All stores of an application; what they hold is shared by its instances.
#[derive(Debug, Clone)]
pub(crate) enum Stores {
    Memory(Arc<Memory>),
    Sqlite(Arc<Sqlite>),
}

/// A store that a component has opened.
#[derive(Debug, Clone)]
#[expect(unreachable_pub, reason = "what bindgen makes is public")]
pub struct OpenStore {
    label: Arc<str>,
    stores: Stores,
}

impl Stores {
    pub(crate) fn open(kind: &StoreKind) -> Result<Self, crate::Error> {
        Ok(match kind {
            StoreKind::Memory => Self::Memory(Arc::default()),
            StoreKind::Sqlite(file) => {
                let failed = |source| crate::Error::Store { file: file.display().to_string(), source };
                Self::Sqlite(Arc::new(Sqlite::open(file).map_err(failed)?))
            }
        })
    }
}

impl OpenStore {
    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, wit::Error> {
        match &self.stores {
            Stores::Memory(memory) => Ok(memory.get(&self.label, &key)),
            Stores::Sqlite(sqlite) => self.on(sqlite, move |db, label| db.get(label, &key)).await,
        }
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<(), wit::Error> {
        match &self.stores {
            Stores::Memory(memory) => {
                memory.set(&self.label, key, value);
                Ok(())
            }
            Stores::Sqlite(sqlite) => self.on(sqlite, move |db, label| db.set(label, &key, &value)).await,
        }
    }

    async fn delete(&self, key: String) -> Result<(), wit::Error> {
        match &self.stores {
            Stores::Memory(memory) => {
                memory.delete(&self.label, &key);
                Ok(())
            }
            Stores::Sqlite(sqlite) => self.on(sqlite, move |db, label| db.delete(label, &key)).await,
        }
    }

    async fn keys(&self) -> Result<Vec<String>, wit::Error> {
        match &self.stores {
            Stores::Memory(memory) => Ok(memory.keys(&self.label)),
            Stores::Sqlite(sqlite) => self.on(sqlite, Sqlite::keys).await,
        }
    }

    /// SQLite blocks, so it is called on a thread that may.
    async fn on<T: Send + 'static>(
        &self,
        sqlite: &Arc<Sqlite>,
        call: impl FnOnce(&Sqlite, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, wit::Error> {
        let (sqlite, label) = (Arc::clone(sqlite), Arc::clone(&self.label));
        let called = tokio::task::spawn_blocking(move || call(&sqlite, &label)).await;
        let other = |error: &dyn std::error::Error| wit::Error::Other(error.to_string());
        called.map_err(|error| other(&error))?.map_err(|error| other(&error))
    }
}

impl wit::Host for HostState {}

impl wit::HostStore for HostState {
    fn drop(&mut self, store: Resource<OpenStore>) -> Result<()> {
        self.table.delete(store)?;
        self.open_stores -= 1;
        Ok(())
    }
}

fn opened<T>(host: &Accessor<T, HasSelf<HostState>>, store: &Resource<OpenStore>) -> Result<OpenStore> {
    host.with(|mut host| Ok(host.get().table.get(store)?.clone()))
}

impl<T: Send> wit::HostStoreWithStore<T> for HasSelf<HostState> {
    async fn open(
        host: &Accessor<T, Self>,
        label: String,
    ) -> Result<Result<Resource<OpenStore>, wit::Error>> {
        host.with(|mut host| {
            let state = host.get();
            if !state.app.manifest.stores.contains(&label) {
                return Ok(Err(wit::Error::AccessDenied));
            }
            if state.open_stores == OPEN_STORES {
                return Ok(Err(wit::Error::StoreTableFull));
            }
            let store = OpenStore { label: label.into(), stores: state.app.stores.clone() };
            state.open_stores += 1;
            Ok(Ok(state.table.push(store)?))
        })
    }

    async fn get(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, wit::Error>> {
        Ok(opened(host, &store)?.get(key).await)
    }

    async fn set(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), wit::Error>> {
        Ok(opened(host, &store)?.set(key, value).await)
    }

    async fn delete(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<(), wit::Error>> {
        Ok(opened(host, &store)?.delete(key).await)
    }

    async fn exists(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<bool, wit::Error>> {
        Ok(opened(host, &store)?.get(key).await.map(|value| value.is_some()))
    }

    async fn get_keys(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> Result<(StreamReader<String>, FutureReader<Result<(), wit::Error>>)> {
        let (keys, result) = match opened(host, &store)?.keys().await {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        host.with(|mut host| {
            let keys = StreamReader::new(&mut host, keys)?;
            let result = FutureReader::new(&mut host, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}
