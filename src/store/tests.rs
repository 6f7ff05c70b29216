//! What is put is read, and what is hurt is never read as something else.

use super::*;
use std::fs;

fn newest(seq: u64, bytes: usize) -> Newest {
    let state = (0..bytes).map(|i| (i as u64 * seq % 251) as u8).collect();
    Newest { run: [4; 16], applied_seq: seq, link: [seq as u8; 8], state }
}

#[test]
fn what_was_put_last_is_read_also_when_it_is_smaller() {
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path()).unwrap();
    assert_eq!(store.newest().unwrap(), None);
    for (seq, bytes) in [(1, 200_000), (2, 300_000), (3, 10), (4, 0), (5, PIECE_BYTES)] {
        store.put(&newest(seq, bytes)).unwrap();
        assert_eq!(store.newest().unwrap(), Some(newest(seq, bytes)));
    }
    drop(store);
    probe(dir.path()).unwrap();
    assert_eq!(StateStore::open(dir.path()).unwrap().newest().unwrap(), Some(newest(5, PIECE_BYTES)));
    let store = StateStore::open(dir.path()).unwrap();
    let most = PIECE_BYTES * PIECES_MAX as usize;
    assert!(matches!(store.put(&newest(6, most + 1)), Err(StoreError::TooLarge(_))));
}

#[test]
fn a_record_that_was_tampered_with_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path()).unwrap();
    store.put(&newest(1, 100_000)).unwrap();
    let first = store.db.get(key(0)).unwrap().unwrap();
    let mut bad = first.to_vec();
    bad[70] ^= 1;
    store.db.insert(key(0), bad).unwrap();
    assert!(matches!(store.newest(), Err(StoreError::Damaged(_))));
    store.db.remove(key(0)).unwrap();
    assert!(matches!(store.newest(), Err(StoreError::Damaged(_))));
    store.db.insert(key(0), first).unwrap();
    assert_eq!(store.newest().unwrap(), Some(newest(1, 100_000)));
    store.db.remove(HEAD_KEY).unwrap();
    assert!(matches!(store.newest(), Err(StoreError::Damaged(_))));
}

#[test]
fn folders_are_set_aside_by_number_and_only_the_newest_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let sled = dir.path().join("sled");
    for n in 1..=ASIDE_MAX + 3 {
        fs::create_dir(&sled).unwrap();
        assert_eq!(set_aside(&sled).unwrap(), dir.path().join(format!("sled.bad-{n}")));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), ASIDE_MAX as usize);
    assert!(set_aside(&sled).is_err(), "nothing is there to be moved");
}
