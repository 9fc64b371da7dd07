//! What every store must do: one suite for all of them.

use std::time::Duration;

use bytes::Bytes;

use crate::platform::Store;

const KEEP: Duration = Duration::from_secs(300);

/// Puts a store, which may hold other values, to its contract.
///
/// # Panics
/// Where the store breaks it.
pub async fn store_contract<S: Store>(store: &S) {
    let limits = store.limits();
    assert!(limits.value >= 1 << 20, "{}: an object of 1 MiB must fit", store.name());
    let get = async |key: &str| store.get(key).await.expect("a read");
    let put = async |key: &str, value: &[u8]| {
        store.put(key, Bytes::copy_from_slice(value), KEEP).await.expect("a write");
    };
    // As `key::digest` makes them, and with the name of a body behind.
    let one = crate::key::digest("contract one");
    let two = format!("{}.0123456789abcdef", crate::key::digest("contract two"));

    for key in [&one, &two] {
        store.delete(key).await.expect("deleting what is not there is no error");
        assert_eq!(get(key).await, None, "nothing was put");
    }

    put(&one, b"first").await;
    assert_eq!(get(&one).await.as_deref(), Some(&b"first"[..]), "what was put is read");
    assert_eq!(get(&two).await, None, "keys do not mix");
    put(&two, b"").await;
    assert_eq!(get(&two).await.as_deref(), Some(&b""[..]), "an empty value is a value");
    assert_eq!(get(&one).await.as_deref(), Some(&b"first"[..]), "another key's write changes nothing");

    let every_byte: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    put(&one, &every_byte).await;
    assert_eq!(
        get(&one).await.as_deref(),
        Some(&every_byte[..]),
        "1 MiB of every byte, in place of what was there"
    );

    store.delete(&one).await.expect("a deletion");
    assert_eq!(get(&one).await, None, "what was deleted is gone");
    assert_eq!(get(&two).await.as_deref(), Some(&b""[..]), "and nothing else");
    put(&one, b"again").await;
    assert_eq!(get(&one).await.as_deref(), Some(&b"again"[..]), "what was deleted can be put again");
    for key in [&one, &two] {
        store.delete(key).await.expect("a deletion");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MapStore, block_on};

    #[test]
    fn the_store_in_memory_keeps_it() {
        block_on(store_contract(&MapStore::new(Duration::ZERO)));
    }
}
