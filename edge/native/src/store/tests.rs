use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use levee::Time;
use levee::platform::Store;
use tempfile::TempDir;

use super::database::{Reading, Writing};
use super::worker::Change;
use super::{OpenError, SqliteStore, VALUE};

const HOUR: Duration = Duration::from_secs(3600);

fn open(dir: &TempDir) -> SqliteStore {
    of_origins(dir, "a")
}

fn of_origins(dir: &TempDir, origins: &str) -> SqliteStore {
    SqliteStore::open(&dir.path().join("store.sqlite"), 1 << 30, origins).unwrap()
}

fn put(key: &str, size: usize, expires: u64) -> Change {
    Change::Put { key: key.to_owned(), value: vec![7; size].into(), expires: Time::from_millis(expires) }
}

#[tokio::test]
async fn it_keeps_the_contract_of_every_store() {
    let dir = TempDir::new().unwrap();
    levee::testing::store_contract(&open(&dir)).await;
}

#[tokio::test]
async fn keeps_replaces_and_forgets() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    assert_eq!(store.name(), "sqlite");
    assert_eq!(store.get("a").await, Ok(None));
    store.put("a", Bytes::from_static(b"1"), HOUR).await.unwrap();
    store.put("a", Bytes::from_static(b"2"), HOUR).await.unwrap();
    store.put("b", Bytes::new(), HOUR).await.unwrap();
    assert_eq!(store.get("a").await, Ok(Some(Bytes::from_static(b"2"))));
    assert_eq!(store.get("b").await, Ok(Some(Bytes::new())));
    store.delete("a").await.unwrap();
    store.delete("nothing").await.unwrap();
    assert_eq!(store.get("a").await, Ok(None));
}

#[tokio::test]
async fn outlives_the_process() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.put("a", Bytes::from_static(b"1"), HOUR).await.unwrap();
    drop(store);
    assert_eq!(open(&dir).get("a").await, Ok(Some(Bytes::from_static(b"1"))));
}

#[tokio::test]
async fn other_origins_have_other_responses() {
    let dir = TempDir::new().unwrap();
    let (one, other) = (of_origins(&dir, "a"), of_origins(&dir, "b"));
    one.put("k", Bytes::from_static(b"1"), HOUR).await.unwrap();
    assert_eq!(other.get("k").await, Ok(None));
    other.put("k", Bytes::from_static(b"2"), HOUR).await.unwrap();
    one.delete("k").await.unwrap();
    drop((one, other));
    // Also at another time, and the right ones are there again.
    assert_eq!(of_origins(&dir, "a").get("k").await, Ok(None));
    assert_eq!(of_origins(&dir, "b").get("k").await, Ok(Some(Bytes::from_static(b"2"))));
}

#[test]
fn what_is_of_others_alone_is_noticed() {
    let dir = TempDir::new().unwrap();
    let mut writing = Writing::open(&dir.path().join("store.sqlite"), 1 << 20).unwrap();
    assert!(!writing.has_only_others("b ").unwrap());
    writing.apply([put("a k", 1, 9), put("c k", 1, 9)].iter()).unwrap();
    assert!(writing.has_only_others("b ").unwrap());
    writing.apply([put("b k", 1, 9)].iter()).unwrap();
    assert!(!writing.has_only_others("b ").unwrap());
}

#[tokio::test]
async fn takes_the_largest_value_and_no_larger() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let largest = Bytes::from(vec![42; usize::try_from(VALUE).unwrap()]);
    store.put("large", largest.clone(), HOUR).await.unwrap();
    assert_eq!(store.get("large").await, Ok(Some(largest)));
    let larger = Bytes::from(vec![42; usize::try_from(VALUE).unwrap() + 1]);
    assert!(store.put("larger", larger, HOUR).await.is_err());
    assert_eq!(store.get("larger").await, Ok(None));
}

#[tokio::test]
async fn what_has_expired_is_not_found() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.put("a", Bytes::from_static(b"1"), Duration::ZERO).await.unwrap();
    assert_eq!(store.get("a").await, Ok(None));
}

#[tokio::test]
async fn many_at_once() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let keys: Vec<String> = (0..200).map(|number| format!("key {number}")).collect();
    let writes = keys.iter().map(|key| store.put(key, Bytes::from(key.clone()), HOUR));
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    let reads = keys.iter().map(|key| store.get(key));
    for (key, read) in keys.iter().zip(futures_util::future::join_all(reads).await) {
        assert_eq!(read, Ok(Some(Bytes::from(key.clone()))));
    }
}

#[tokio::test]
async fn refuses_what_it_cannot_queue() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let keys: Vec<String> = (0..20_000).map(|number| format!("key {number}")).collect();
    let written =
        futures_util::future::join_all(keys.iter().map(|key| store.put(key, Bytes::new(), HOUR))).await;
    // Whatever was promised is there, and the rest was said to be missing.
    for (key, written) in keys.iter().zip(written) {
        assert_eq!(store.get(key).await.unwrap().is_some(), written.is_ok(), "{key}");
    }
}

#[test]
fn the_oldest_go_first() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("store.sqlite");
    let mut writing = Writing::open(&path, 100).unwrap();
    let changes = [put("a", 39, 9), put("b", 39, 9), put("a", 39, 9), put("c", 39, 9)];
    writing.apply(changes.iter()).unwrap();
    assert_eq!(writing.size(), 80);
    let reading = Reading::open(&path).unwrap();
    let there = |key| reading.get(key, Time::from_millis(0)).unwrap().is_some();
    assert_eq!([there("a"), there("b"), there("c")], [true, false, true]);
    // One that is larger than the whole bound does not stay, and takes nothing down for good.
    writing.apply([put("d", 200, 9)].iter()).unwrap();
    assert_eq!(writing.size(), 0);
    writing.apply([put("e", 10, 9)].iter()).unwrap();
    assert_eq!(writing.size(), 11);
}

#[test]
fn expired_rows_are_purged() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("store.sqlite");
    let mut writing = Writing::open(&path, 1 << 20).unwrap();
    let many: Vec<Change> = (0..700).map(|number| put(&format!("{number:03}"), 7, 5)).collect();
    writing.apply(many.iter()).unwrap();
    writing.apply([put("kept", 6, 10)].iter()).unwrap();
    assert_eq!(writing.size(), 7010);
    assert!(writing.purge(Time::from_millis(5)).unwrap());
    assert!(!writing.purge(Time::from_millis(5)).unwrap());
    assert_eq!(writing.size(), 10);
    assert_eq!(Writing::open(&path, 1 << 20).unwrap().size(), 10);
}

#[test]
fn leaves_other_databases_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("other.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE entry (a); INSERT INTO entry VALUES (1);").unwrap();
    let error = SqliteStore::open(&path, 100, "a").unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let count: i64 = other.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    SqliteStore::open(&path, 100, "a").unwrap_err();
    assert_eq!(mode(&path), 0o644);
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// Every file that the store has, while it is open.
fn files(dir: &TempDir) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = dir.path().read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3, "{files:?}");
    files
}

#[tokio::test]
async fn only_its_owner_may_read_it() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.put("a", Bytes::from_static(b"1"), HOUR).await.unwrap();
    for file in files(&dir) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn an_older_store_is_kept_from_others() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("store.sqlite");
    let store = open(&dir);
    store.put("a", Bytes::from_static(b"1"), HOUR).await.unwrap();
    for file in files(&dir) {
        fs::set_permissions(file, Permissions::from_mode(0o664)).unwrap();
    }
    // Another process has it open, so that all three files are there.
    let again = SqliteStore::open(&path, 1 << 30, "a").unwrap();
    again.put("b", Bytes::from_static(b"2"), HOUR).await.unwrap();
    assert_eq!(again.get("a").await, Ok(Some(Bytes::from_static(b"1"))));
    for file in files(&dir) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop((store, again));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let again = open(&dir);
    again.put("c", Bytes::from_static(b"3"), HOUR).await.unwrap();
    for file in files(&dir) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_link_leads_to_a_private_store_too() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    symlink(elsewhere.path().join("real.sqlite"), dir.path().join("store.sqlite")).unwrap();
    let store = open(&dir);
    store.put("a", Bytes::from_static(b"1"), HOUR).await.unwrap();
    for file in files(&elsewhere) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_folder_that_others_write_to_is_noticed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("store.sqlite");
    for (mode, exposed) in [(0o700, false), (0o755, false), (0o1777, false), (0o777, true), (0o770, true)] {
        fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
        assert_eq!(super::private::is_exposed(&path), exposed, "{mode:o}");
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "not a database, though it is long enough to be read as the header of one")
        .unwrap();
    let error = SqliteStore::open(&path, 100, "a").unwrap_err();
    assert!(error.to_string().contains("text"), "{error}");
    assert!(SqliteStore::open(&dir.path().join("no/such/folder/x"), 100, "a").is_err());
}
