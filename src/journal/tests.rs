//! Every way in which a journal can be hurt, by the numbers of the faults.

use super::segment::{self, HEADER, Header, Opening};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const RUN: RunHeader = RunHeader { run: [1; 16], build: [2; 32], config: [3; 32] };
/// Small enough for several segments.
const LIMIT: u64 = 1_200;

fn payload(i: u64) -> Vec<u8> {
    (0..(i * 37) % 150).map(|b| (b ^ i) as u8).collect()
}

/// A journal of `n` frames in small segments.
fn written(n: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, seen) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
    assert_eq!(seen, Recovery::default());
    for i in 1..=n {
        assert_eq!(journal.append(RecordKind::Cursor, 1, &payload(i)).unwrap(), i);
    }
    assert_eq!(journal.commit().unwrap(), n);
    dir
}

/// Payloads as they are read back.
fn payloads(dir: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    scan::scan(dir, |f| {
        all.push(f.payload.to_vec());
        Ok(())
    })
    .unwrap();
    all
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    segment::list(dir).unwrap().into_iter().map(|i| segment::path(dir, i)).collect()
}

/// Where the frames of a segment begin, its end last.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut all = vec![HEADER];
    while let Some(frame) = frame::parse(&bytes[all[all.len() - 1]..]) {
        all.push(all[all.len() - 1] + frame.size());
    }
    all
}

#[test]
fn what_was_written_is_read_and_gone_on_with() {
    let dir = written(40);
    let seen = verify(dir.path()).unwrap();
    assert_eq!((seen.frames, seen.last_seq, seen.run, &seen.cut), (40, 40, Some(RUN), &None));
    assert!(seen.segments > 2);
    let files: u64 = segments(dir.path()).iter().map(|p| fs::metadata(p).unwrap().len()).sum();
    assert_eq!(seen.bytes, files);
    let (mut journal, again) =
        Journal::open_limited(dir.path(), RunHeader { run: [9; 16], build: [9; 32], ..RUN }, LIMIT).unwrap();
    assert_eq!(again, seen);
    assert_eq!(journal.run().run, RUN.run, "a run keeps its name");
    for i in 41..=80 {
        journal.append(RecordKind::Cursor, 1, &payload(i)).unwrap();
    }
    journal.commit().unwrap();
    assert_eq!(payloads(dir.path()), (1..=80).map(payload).collect::<Vec<_>>());
    let newest: Vec<u64> =
        verify(dir.path()).unwrap().newest(RecordKind::Cursor as u16).map(|p| p.seq).collect();
    assert_eq!(newest, (73..=80).rev().collect::<Vec<_>>());
}

#[test]
fn segments_keep_their_size_and_a_large_frame_has_one_of_its_own() {
    let dir = written(40);
    for path in segments(dir.path()) {
        assert!(fs::metadata(path).unwrap().len() <= LIMIT);
    }
    let (mut journal, _) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
    journal.append(RecordKind::Checkpoint, 1, &[7; 5_000]).unwrap();
    journal.append(RecordKind::Cursor, 1, b"after").unwrap();
    journal.commit().unwrap();
    let lens: Vec<u64> = segments(dir.path()).iter().map(|p| fs::metadata(p).unwrap().len()).collect();
    assert!(lens.contains(&((HEADER + frame::HEAD + 5_000) as u64)), "{lens:?}");
    let seen = verify(dir.path()).unwrap();
    let location = seen.newest(RecordKind::Checkpoint as u16).next().unwrap();
    assert_eq!(journal.read(location).unwrap(), [7; 5_000]);
    let too_large = journal.append(RecordKind::Checkpoint, 1, &vec![0; PAYLOAD_BYTES_MAX + 1]);
    assert!(matches!(too_large, Err(JournalError::TooLarge { .. })));
}

#[test]
fn nothing_is_acknowledged_before_its_group_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), RUN).unwrap();
    for i in 1..=10 {
        journal.append(RecordKind::Command, 1, &payload(i)).unwrap();
    }
    assert_eq!(journal.acknowledged, 0);
    assert_eq!(verify(dir.path()).unwrap().frames, 0, "nothing is on disk yet");
    journal.flush().unwrap();
    assert_eq!((journal.acknowledged, verify(dir.path()).unwrap().frames), (0, 10));
    assert_eq!(journal.commit().unwrap(), 10);
    for _ in 0..GROUP_FRAMES_MAX {
        journal.append(RecordKind::Command, 1, b"x").unwrap();
    }
    assert_eq!(journal.acknowledged, 10 + GROUP_FRAMES_MAX as u64, "a full group commits itself");
}

#[test]
fn fault04_a_last_frame_torn_at_any_byte_is_cut_and_the_rest_is_kept() {
    let whole = written(5);
    let file = segments(whole.path()).pop().unwrap();
    let bytes = fs::read(&file).unwrap();
    let starts = starts(&bytes);
    let last = starts[starts.len() - 2];
    for end in last..bytes.len() {
        let dir = written(5);
        let file = dir.path().join(file.file_name().unwrap());
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(end as u64).unwrap();
        let (mut journal, seen) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
        assert_eq!(seen.frames, 4, "cut at {end}");
        let cut = (end > last).then(|| Cut { file, offset: last as u64, bytes: (end - last) as u64 });
        assert_eq!(seen.cut, cut);
        journal.append(RecordKind::Cursor, 1, b"after").unwrap();
        journal.commit().unwrap();
        let read = payloads(dir.path());
        assert_eq!((read.len(), read[4].as_slice()), (5, &b"after"[..]));
    }
}

#[test]
fn fault04_a_segment_torn_while_it_was_begun_is_begun_again() {
    let bytes = Header { version: VERSION, index: 2, first_seq: 6, before: [0; 8], run: RUN }.encode();
    for end in 0..HEADER {
        let dir = written(5);
        let next = segment::path(dir.path(), segment::list(dir.path()).unwrap().len() as u32 + 1);
        fs::write(&next, &bytes[..end]).unwrap();
        let (mut journal, seen) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
        assert_eq!((seen.frames, seen.cut.unwrap().bytes), (5, end as u64));
        for i in 6..=20 {
            journal.append(RecordKind::Cursor, 1, &payload(i)).unwrap();
        }
        journal.commit().unwrap();
        assert_eq!(verify(dir.path()).unwrap().frames, 20);
    }
}

#[test]
fn fault06_a_zeroed_page_is_refused_where_it_begins_or_cut_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), RUN).unwrap();
    for i in 0..400 {
        journal.append(RecordKind::Cursor, 1, &payload(i)).unwrap();
    }
    journal.commit().unwrap();
    drop(journal);
    let file = segments(dir.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    let starts = starts(&whole);
    for page in 0..whole.len().div_ceil(4_096) {
        let (from, to) = (page * 4_096, whole.len().min((page + 1) * 4_096));
        let mut bytes = whole.clone();
        bytes[from..to].fill(0);
        fs::write(&file, &bytes).unwrap();
        let hit = if page == 0 { 0 } else { *starts.iter().rfind(|s| **s <= from).unwrap() } as u64;
        match verify(dir.path()) {
            Err(JournalError::Corrupt { offset, .. }) => assert_eq!(offset, hit),
            Ok(seen) => {
                assert_eq!(
                    (to, seen.cut.unwrap().offset),
                    (whole.len(), hit),
                    "only the last page may be cut"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn fault07_a_missing_segment_is_named() {
    let dir = written(60);
    let files = segments(dir.path());
    for missing in &files[..files.len() - 1] {
        let bytes = fs::read(missing).unwrap();
        fs::remove_file(missing).unwrap();
        let error = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap_err();
        assert!(matches!(&error, JournalError::Missing { file } if file == missing), "{error}");
        fs::write(missing, bytes).unwrap();
    }
    fs::rename(&files[1], dir.path().join("spare")).unwrap();
    fs::copy(&files[2], &files[1]).unwrap();
    assert!(matches!(verify(dir.path()), Err(JournalError::Corrupt { offset: 0, .. })), "out of place");
}

#[test]
fn fault16_a_newer_journal_is_refused_with_both_versions_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let header = Header { version: VERSION + 6, index: 1, first_seq: 1, before: [0; 8], run: RUN };
    let file = segment::path(dir.path(), 1);
    fs::write(&file, header.encode()).unwrap();
    let said = Journal::open(dir.path(), RUN).unwrap_err().to_string();
    assert!(said.contains("format 7") && said.contains("up to 1"), "{said}");
    assert_eq!(fs::read(&file).unwrap(), header.encode());
}

#[test]
fn another_runs_journal_is_refused_and_says_whose_it_is() {
    let dir = written(3);
    let other = RunHeader { config: [8; 32], ..RUN };
    let error = Journal::open(dir.path(), other).unwrap_err();
    assert!(matches!(error, JournalError::Foreign { first, .. } if first == payload(1)));
    assert_eq!(verify(dir.path()).unwrap().frames, 3);
}

#[test]
fn what_is_no_journal_is_never_cut_away() {
    let dir = tempfile::tempdir().unwrap();
    let file = segment::path(dir.path(), 1);
    fs::write(&file, vec![b'x'; 500]).unwrap();
    assert!(matches!(Journal::open(dir.path(), RUN), Err(JournalError::Corrupt { offset: 0, .. })));
    assert_eq!(fs::read(&file).unwrap(), vec![b'x'; 500]);
}

#[test]
fn after_a_failed_write_nothing_more_is_taken() {
    let dir = written(3);
    let (mut journal, _) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
    // A file that is open for reading only refuses the write as a full disk would.
    journal.file = File::open(segment::path(dir.path(), 1)).unwrap();
    journal.append(RecordKind::Cursor, 1, b"x").unwrap();
    assert!(matches!(journal.commit(), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(RecordKind::Cursor, 1, b"x"), Err(JournalError::Failed { .. })));
    assert!(matches!(journal.commit(), Err(JournalError::Failed { .. })));
    assert_eq!(verify(dir.path()).unwrap().frames, 3);
}

#[test]
fn the_export_leaves_nothing_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), RUN).unwrap();
    journal.append(RecordKind::Config, 1, br#"{"seed":1}"#).unwrap();
    journal.append(RecordKind::Checkpoint, 2, &[0, 255]).unwrap();
    journal.commit().unwrap();
    let mut out = Vec::new();
    export(dir.path(), &mut out).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["kind"], &lines[0]["text"]), (&"config".into(), &r#"{"seed":1}"#.into()));
    assert_eq!((&lines[1]["kind"], &lines[1]["hex"]), (&"checkpoint".into(), &"00ff".into()));
    assert_eq!(lines[1]["ver"], 2);
}

/// A place in the journal: a segment and a bit of it.
fn flip(dir: &Path, file: prop::sample::Index, bit: prop::sample::Index) -> (PathBuf, usize) {
    let files = segments(dir);
    let file = files[file.index(files.len())].clone();
    let mut bytes = fs::read(&file).unwrap();
    let bit = bit.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(&file, bytes).unwrap();
    (file, bit / 8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Fault 5: no flip is silent. Either the last frame is cut, and that is told, or the start is
    /// refused with the place of the frame that was hit.
    #[test]
    fn fault05_a_flipped_bit_is_refused_with_its_place(file in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let dir = written(30);
        let all = segments(dir.path());
        let before: Vec<Vec<u8>> = all.iter().map(|f| fs::read(f).unwrap()).collect();
        let (file, at) = flip(dir.path(), file, bit);
        let whole = &before[all.iter().position(|f| *f == file).unwrap()];
        let starts = starts(whole);
        let frame = starts.iter().rfind(|s| **s <= at).map_or(0, |s| *s as u64);
        match verify(dir.path()) {
            Ok(seen) => {
                let cut = seen.cut.expect("something was hit");
                prop_assert_eq!((&cut.file, cut.offset, seen.frames), (all.last().unwrap(), frame, 29));
                prop_assert_eq!(frame as usize, starts[starts.len() - 2]);
            }
            Err(JournalError::Corrupt { file: named, offset, .. }) => {
                prop_assert_eq!(named, file);
                prop_assert!(offset == frame || (at < HEADER && offset == 8), "{} is not {}", offset, frame);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    /// Whatever is done to the files, nothing panics, and what is read is what was written, from the
    /// first frame on.
    #[test]
    fn no_damage_makes_it_panic_or_read_what_was_not_written(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..3), 1..6),
    ) {
        let dir = written(30);
        for (file, bit, what) in &damages {
            let files = segments(dir.path());
            let path = &files[file.index(files.len())];
            let mut bytes = fs::read(path).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let at = bit.index(bytes.len());
            match what {
                0 => bytes[at] ^= 16,
                1 => bytes.truncate(at),
                _ => bytes[at..].fill(0),
            }
            fs::write(path, bytes).unwrap();
        }
        if verify(dir.path()).is_ok() {
            let read = payloads(dir.path());
            prop_assert_eq!(&read, &(1..=read.len() as u64).map(payload).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_is_dropped_leaves_its_number_and_its_link() {
    let dir = written(40);
    let whole = verify(dir.path()).unwrap();
    let before = payloads(dir.path());
    let all = size(dir.path()).unwrap();
    assert_eq!(all, whole.bytes);
    let dropped: BTreeSet<u64> = (1..=40).filter(|seq| seq % 3 != 0).collect();
    let open = whole.segments;
    let freed = thin(dir.path(), &dropped, open).unwrap();
    let seen = verify(dir.path()).unwrap();
    assert!(freed > all / 5, "{freed} of {all}");
    assert_eq!((seen.frames, seen.last_seq, seen.link), (40, 40, whole.link));
    assert_eq!(size(dir.path()).unwrap(), all - freed);
    let first_open = Header::read(&fs::read(segment::path(dir.path(), open)).unwrap());
    let Opening::Header(header) = first_open else { panic!("{first_open:?}") };
    let (after, mut gone) = (payloads(dir.path()), 0);
    for (seq, (then, now)) in (1..).zip(before.iter().zip(&after)) {
        // What would not be shorter without it is dropped too: whoever asks for it must not find half of it.
        let is_gone = dropped.contains(&seq) && seq < header.first_seq;
        assert_eq!(then == now, !is_gone || then.len() <= 8 && then == now, "{seq}");
        gone += u32::from(is_gone);
    }
    assert!(gone > 10);
    // A second time there is nothing to do, and the run goes on.
    assert_eq!(thin(dir.path(), &dropped, open).unwrap(), 0);
    let (mut journal, again) = Journal::open_limited(dir.path(), RUN, LIMIT).unwrap();
    assert_eq!(again.link, whole.link);
    journal.append(RecordKind::Cursor, 1, b"after").unwrap();
    journal.commit().unwrap();
    assert_eq!(verify(dir.path()).unwrap().last_seq, 41);
    // Damage is seen there as anywhere, and nothing is made of it.
    let path = segment::path(dir.path(), 1);
    let good = fs::read(&path).unwrap();
    for bit in (HEADER * 8..good.len() * 8).step_by(7) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bad).unwrap();
        assert!(verify(dir.path()).is_err(), "bit {bit}");
        assert!(thin(dir.path(), &(1..=40).collect(), open).is_err(), "bit {bit}");
        assert_eq!(fs::read(&path).unwrap(), bad);
    }
}

#[test]
fn an_older_format_is_refused_with_both_versions_and_the_way_out() {
    let dir = written(3);
    let path = segment::path(dir.path(), 1);
    let bytes = fs::read(&path).unwrap();
    let Opening::Header(header) = Header::read(&bytes) else { panic!("it has no header") };
    let older = Header { version: VERSION - 1, ..header }.encode();
    fs::write(&path, [&older, &bytes[HEADER..]].concat()).unwrap();
    let before = fs::read(&path).unwrap();
    let why = Journal::open(dir.path(), RUN).unwrap_err().to_string();
    for word in ["00000001.seg has journal format 0", "reads 1", "program that wrote it", "--fresh"] {
        assert!(why.contains(word), "{word} is not in {why}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}
