//! The full house of seventeen families runs headless on the embedded market in detail for thirty days
//! with faults on.

use super::{ROSTER, hive};
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Peak memory may grow by so much from ten days to thirty: contracts are listed for all of a run at its
/// start, some hundred bytes each. It grew by 1 MiB when this was written.
const GROWS_MIB_MAX: u64 = 4;

/// Largest resident size so far, in KiB; none when it has ended, or where the system does not tell.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Runs so many days of detail; the summary and the peak in KiB.
fn run(days: u32) -> (Value, u64) {
    let desk = tempfile::tempdir().unwrap();
    let feed = format!("synth?detail={days}d&assets=BTC+ETH");
    let mut child = hive()
        .current_dir(desk.path())
        .args(["backtest", "--agents", ROSTER, "--feed", &feed, "--days", &(days + 20).to_string()])
        .args(["--faults", "--quiet", "--summary", "s.json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    let ended = loop {
        most = most.max(peak(&child).unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(ended.code(), Some(0), "{said}");
    let summary = std::fs::read(desk.path().join("s.json")).unwrap();
    (serde_json::from_slice(&summary).unwrap(), most)
}

#[test]
fn the_full_house_runs_thirty_days_with_faults_on_exact_and_in_bounded_memory() {
    let (_, ten) = run(10);
    let (summary, thirty) = run(30);
    assert_eq!(summary["ledger_balanced"], true, "{summary}");
    let notes = summary["notes"].to_string();
    assert!(notes.contains("faults: ") && !notes.contains("do not balance"), "{notes}");
    eprintln!("peak: {ten} KiB over ten days, {thirty} KiB over thirty");
    assert!(thirty <= ten + GROWS_MIB_MAX * 1024, "{ten} → {thirty} KiB");
}
