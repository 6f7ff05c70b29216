//! A disk that is full, as a file system of its own that is filled up: the run halts, is still commanded, and goes on when there
//! is room again; nothing that was acknowledged is lost, and a store is not taken for damaged.

use crate::cli::hand::{Desk, bars, long};
use crate::kill::life::Life;
use crate::wire::served::{PATIENCE, command};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A small disk, as long as it is looked at.
struct Disk {
    at: tempfile::TempDir,
}

impl Disk {
    /// None where this user may not mount one, which is said.
    fn mounted(megabytes: u32) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at.path()).output();
        if mount.is_ok_and(|said| said.status.success()) {
            return Some(Disk { at });
        }
        eprintln!("skipped: no small disk can be mounted here");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.at.path().join(name)
    }

    /// Leaves nothing of it.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path("filler")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let bytes = vec![7; size];
            while filler.write_all(&bytes).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.at.path()).status();
    }
}

fn start(disk: &Path) -> Life {
    let mut run = command(&["--no-tui", "--days", "60", "--scouts", "8", "--speed", "144000x"]);
    run.args(["--state", "state", "--socket", "hive.sock"]).current_dir(disk);
    let mut life = Life::start(run);
    life.hears(&["serving"]);
    life
}

#[test]
fn fault09_a_full_disk_halts_it_and_room_ends_the_halt() {
    let Some(disk) = Disk::mounted(64) else { return };
    fs::set_permissions(disk.at.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let ctl = |args: &[&str]| {
        let said = command(&[&["ctl"], args, &["--socket", "hive.sock"]].concat())
            .current_dir(disk.at.path())
            .output();
        let said = said.unwrap();
        (said.status.code(), serde_json::from_slice::<Value>(&said.stdout).unwrap_or_default())
    };
    let comes = |mode: &str| {
        let end = Instant::now() + PATIENCE;
        loop {
            let (_, status) = ctl(&["status"]);
            if status["mode"] == mode && status["market_time"].is_string() {
                return status;
            }
            assert!(Instant::now() < end, "not {mode}: {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let mut life = start(disk.at.path());
    comes("running");
    // Some is held back, and now all the rest is gone.
    assert_eq!(fs::metadata(disk.path("state/reserve")).unwrap().len(), 16 << 20);
    disk.fill();
    let status = comes("halted");
    assert!(status["because"].as_str().unwrap().starts_with("the disk is full: "), "{status}");
    // What is commanded is kept.
    assert_eq!(ctl(&["mute", "0"]).0, Some(0));
    life.kill();
    // Started on the full disk it comes up as it was, and its store is not taken for damaged.
    disk.fill();
    let mut life = start(disk.at.path());
    comes("halted");
    assert!(life.rest().contains("the store is left alone"), "{}", life.rest());
    assert!(!disk.path("state/sled.bad-1").exists() && disk.path("state/sled").exists());
    // It is halted before it has caught up with what was commanded then.
    let end = Instant::now() + PATIENCE;
    while ctl(&["agents"]).1["agents"][0]["muted"] != true {
        assert!(Instant::now() < end, "what was commanded on the full disk is lost");
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::remove_file(disk.path("filler")).unwrap();
    let end = Instant::now() + PATIENCE;
    while !disk.path("state/reserve").exists() {
        assert!(Instant::now() < end, "nothing is held back again");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The halt was for want of room alone, and ends with it.
    comes("running");
    // One that somebody threw as well is that somebody's, however much room there is.
    disk.fill();
    assert!(comes("halted")["because"].as_str().unwrap().starts_with("the disk is full: "));
    assert_eq!(ctl(&["kill"]).0, Some(0));
    fs::remove_file(disk.path("filler")).unwrap();
    let end = Instant::now() + PATIENCE;
    while !disk.path("state/reserve").exists() {
        assert!(Instant::now() < end, "nothing is held back again");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_secs(1));
    let status = comes("halted");
    assert!(!status["because"].as_str().unwrap().contains("the disk is full"), "{status}");
    assert_eq!(ctl(&["reset"]).0, Some(0));
    comes("running");
    life.signal("TERM");
    assert_eq!(life.ends_within(PATIENCE).and_then(|e| e.code()), Some(0), "{}", life.rest());
    assert!(!life.rest().contains("panicked"), "{}", life.rest());
    let verified = command(&["journal", "verify", "state"]).current_dir(disk.at.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&verified.stdout).contains(": whole, run"), "{verified:?}");
    let mut life = start(disk.at.path());
    comes("running");
    assert!(!life.rest().contains("in doubt: "), "{}", life.rest());
    // Room that came while nobody ran is found at the start.
    disk.fill();
    comes("halted");
    life.kill();
    fs::remove_file(disk.path("filler")).unwrap();
    let mut life = start(disk.at.path());
    comes("running");
    life.kill();
}

#[test]
fn more_assets_than_orders_can_be_open_are_refused_before_the_run() {
    let desk = Desk::new();
    let symbols: Vec<String> =
        (0..1_100).map(|n| bars(Some(&format!("A{n}USDT")), n, 40, |_| true)).collect();
    desk.write("wide.csv", &long(&symbols));
    let shipped = desk.run(&["config", "print-default"]).well().out;
    let agents = desk.write("agents.toml", &shipped.replacen("assets = \"random:2\"", "assets = \"any\"", 1));
    let said = desk.run(&["backtest", "--feed", "history:wide.csv", "--clock", "1h", "--agents", &agents]);
    said.refused(&["1100 assets", "1024 orders can be open", "--assets"]);
}
