use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stores by label, values by key.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<String, HashMap<String, Vec<u8>>>>);

impl Memory {
    fn stores(&self) -> MutexGuard<'_, HashMap<String, HashMap<String, Vec<u8>>>> {
        // No step below can leave a map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, label: &str, key: &str) -> Option<Vec<u8>> {
        self.stores().get(label)?.get(key).cloned()
    }

    pub(super) fn set(&self, label: &str, key: String, value: Vec<u8>) {
        self.stores().entry(label.to_owned()).or_default().insert(key, value);
    }

    pub(super) fn delete(&self, label: &str, key: &str) {
        if let Some(store) = self.stores().get_mut(label) {
            store.remove(key);
        }
    }

    pub(super) fn keys(&self, label: &str) -> Vec<String> {
        self.stores().get(label).into_iter().flat_map(HashMap::keys).cloned().collect()
    }
}
