//! The codecs and books against what venues have really sent: the folder that `HIVE_TEST_DATA` names.

use flate2::read::MultiGzDecoder;
use hive_venues::recorded::{MessageCheck, REFUSED_SHARE_MAX, listed};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder with recordings; without one a test says so and ends.
pub fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from).filter(|p| p.is_dir());
    if folder.is_none() {
        eprintln!("skipped: HIVE_TEST_DATA names no folder with recordings");
    }
    folder
}

/// A file as text, unpacked where it is packed.
pub fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_some_and(|e| e == "gz") {
        let mut text = String::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_public_message_is_read_or_on_the_list() {
    let Some(data) = data() else { return };
    let mut check = MessageCheck::default();
    for (folder, list) in [("messages_permissive", "SOURCES.tsv"), ("", "MESSAGES.tsv")] {
        let folder = data.join(folder);
        for file in listed(&text(&folder.join(list))) {
            check.file(&file, &text(&folder.join(&file.path)));
        }
    }
    println!(
        "{} files, {} messages, {} understood, {} passed over, {} refused in {:.1} % of the files",
        check.looked_at.len(),
        check.messages,
        check.understood,
        check.passed_over.values().sum::<usize>(),
        check.refused.len(),
        check.refused_share() * 100.0
    );
    println!("{:?}\n{:#?}", check.venues, check.passed_over);
    for refused in &check.refused {
        println!("{} {} {}: {}", refused.listed, refused.file, refused.number, refused.why);
    }
    assert!(check.looked_at.len() > 150 && check.messages > 800);
    assert_eq!(check.parsed() + check.refused.len(), check.messages);
    assert_eq!(check.unlisted().count(), 0);
    assert!(check.refused_share() <= REFUSED_SHARE_MAX);
    assert_eq!(check.unneeded(), [""; 0], "on the list and not refused");
}
