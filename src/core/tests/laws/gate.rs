//! Law 7: the type is the gate. What does not compile is shown by the doc tests of `treasury::gate`; here
//! the source itself is held to there being one constructor, and the gate to being asked.

use crate::common::{Tape, run, shipped};
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines that make the value by naming its fields.
fn constructions(text: &str) -> usize {
    let code = text.lines().map(str::trim).filter(|l| !l.starts_with("//"));
    let declares = |l: &str| l.starts_with("pub struct") || l.starts_with("impl") || l.contains("-> ");
    code.filter(|l| l.contains("ApprovedOrder {") && !declares(l)).count()
}

#[test]
fn law07_one_place_in_the_source_makes_an_approved_order() {
    assert_eq!(
        constructions("let o = ApprovedOrder { id };\n// ApprovedOrder { id }\npub struct ApprovedOrder {"),
        1
    );
    let mut files = Vec::new();
    // All crates, and the rooms of the package: the folder around this crate's.
    sources(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), &mut files);
    // Only this file writes about it.
    files.retain(|f| !f.ends_with("core/tests/laws/gate.rs"));
    assert!(files.len() > 50);
    let made: Vec<(String, usize)> = files
        .iter()
        .map(|f| (f.display().to_string(), constructions(&std::fs::read_to_string(f).unwrap())))
        .filter(|(_, n)| *n > 0)
        .collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(made[0].0.ends_with("treasury/gate.rs") && made[0].1 == 1, "{made:?}");
}

#[test]
fn law07_every_order_at_the_venue_passed_the_gate_and_was_counted_there() {
    let run = run(&shipped(), &Tape::market(200));
    let real = &run.engine.respond.real;
    assert!(real.execution.orders_sent() > 50);
    assert_eq!(real.execution.gate.approved(), real.execution.orders_sent());
}
