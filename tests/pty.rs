//! The cockpit in a real terminal: what is left of it when the cockpit leaves, is killed, panics, or the
//! terminal itself goes away.

// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Plain `hive`: starts the swarm in the background and shows it. Two bars a second after a short history.
const HIVE: &[&str] = &["--days", "60", "--scouts", "24", "--speed", "28800x"];
/// Most that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: (u16, u16) = (30, 100);

/// A terminal in memory.
fn vt100(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

/// The program under test: the one Cargo built beside the tests, or the one that `HIVE_BIN` names.
fn program() -> PathBuf {
    let named = std::env::var_os("HIVE_BIN").filter(|b| !b.is_empty());
    named.map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_hive")),
        |b| Path::new(env!("CARGO_MANIFEST_DIR")).join(b),
    )
}

/// A command of the program in a home of its own.
fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    command.env("XDG_RUNTIME_DIR", home).env("XDG_STATE_HOME", home).current_dir(home);
    command
}

struct Stage {
    /// Ends the swarm with the stage.
    home: Home,
    master: Option<OwnedFd>,
    /// Held open: the terminal's modes outlive the cockpit.
    slave: OwnedFd,
    child: Child,
    screen: vt100::Parser,
}

/// Where a swarm lives in the background, at most as long as this.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ctl(&self, args: &[&str]) -> Output {
        command(program(), self.path()).arg("ctl").args(args).output().unwrap()
    }

    /// None where none runs, or the home itself is gone.
    fn status(&self) -> Option<Value> {
        let said = command(program(), self.path()).args(["ctl", "status"]).output().ok()?;
        serde_json::from_slice(&said.stdout).ok()
    }

    /// The process of the swarm.
    fn swarm(&self) -> Option<Pid> {
        let status = self.status()?;
        Pid::from_raw(i32::try_from(status["scene"]["pid"].as_i64()?).ok()?)
    }

    fn runs(&self) -> bool {
        self.status().is_some()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(swarm) = self.swarm() {
            let _ = kill_process(swarm, Signal::KILL);
        }
    }
}

/// Whether a process is there; one that is only to be buried is not.
fn lives(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|s| s.rsplit(')').next().is_some_and(|s| !s.trim_start().starts_with('Z')))
}

fn stage(env: &[(&str, &str)]) -> Option<Stage> {
    stage_in(Home::new(), HIVE, env)
}

/// None where there is no `setsid` that can give a terminal.
fn stage_in(home: Home, args: &[&str], env: &[(&str, &str)]) -> Option<Stage> {
    // Closed in every child: a master that another test holds would keep the terminal alive.
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let (ws_row, ws_col) = SIZE;
    tcsetwinsize(&slave, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let end = || slave.try_clone().unwrap();
    let spawned = command("setsid", home.path())
        .arg("--ctty")
        .arg(program())
        .args(args)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .envs(env.iter().copied())
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn();
    let Ok(child) = spawned else {
        println!("skipped: there is no setsid here to give the cockpit a terminal");
        return None;
    };
    let screen = vt100(ws_row, ws_col);
    Some(Stage { home, master: Some(master), slave, child, screen })
}

fn wait_for(fd: impl AsFd, left: Duration) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = Timespec::try_from(left).unwrap();
    poll(&mut fds, Some(&timeout)).unwrap() > 0
}

impl Stage {
    /// Reads until the screen says so.
    fn until(&mut self, wanted: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        while !wanted(self.screen.screen()) {
            let left = PATIENCE.checked_sub(start.elapsed());
            assert!(left.is_some(), "not seen:\n{}", self.screen.screen().contents());
            self.read(left.unwrap());
        }
    }

    fn read(&mut self, left: Duration) -> bool {
        let master = self.master.as_ref().unwrap();
        let mut bytes = [0; 4096];
        if !wait_for(master, left) {
            return false;
        }
        let n = rustix::io::read(master, &mut bytes).unwrap();
        self.screen.process(&bytes[..n]);
        n > 0
    }

    fn says(&mut self, text: &'static str) {
        self.until(move |s| s.contents().contains(text));
    }

    fn press(&self, keys: &str) {
        rustix::io::write(self.master.as_ref().unwrap(), keys.as_bytes()).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the end.
    fn ends(&mut self) -> ExitStatus {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        let start = Instant::now();
        // Its last words have to be taken from it, or it cannot end.
        while !wait_for(&pidfd, Duration::ZERO) {
            assert!(start.elapsed() < PATIENCE, "it does not end");
            if self.master.is_some() {
                self.read(Duration::from_millis(20));
            } else {
                wait_for(&pidfd, Duration::from_millis(20));
            }
        }
        let status = self.child.wait().unwrap();
        while self.master.is_some() && self.read(Duration::ZERO) {}
        status
    }

    fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// The terminal as a shell wants it.
    fn is_given_back(&self) {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor stayed hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste stayed on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    fn is_taken(&mut self) {
        self.says("RUNNING");
        assert!(self.is_raw());
        let screen = self.screen.screen();
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_work_a_resize_is_followed_and_leaving_gives_the_terminal_back() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    stage.press("?");
    stage.says("kill switch");
    stage.press("\x1b");
    stage.until(|s| !s.contents().contains("kill switch"));
    // As from the clipboard: it presses nothing.
    stage.press("\x1b[200~q\x1b[201~");
    stage.says("pasted text presses no keys");
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&stage.slave, size).unwrap();
    stage.screen = vt100(24, 80);
    // Tabs are of the small screen only.
    stage.says("5 goals");
    stage.press("q");
    assert!(stage.ends().success());
    stage.screen.process(b"");
    assert!(!stage.is_raw());
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let Some(mut stage) = stage(&[]) else { return };
        stage.is_taken();
        kill_process(stage.pid(), signal).unwrap();
        assert!(stage.ends().success());
        stage.is_given_back();
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_and_the_swarm_lives() {
    let Some(mut stage) = stage(&[("HIVE_TEST_PANIC", "3")]) else { return };
    assert!(!stage.ends().success());
    stage.is_given_back();
    assert!(stage.screen.screen().contents().contains("HIVE_TEST_PANIC is set"));
    assert!(stage.home.runs());
}

#[test]
fn when_the_terminal_goes_the_cockpit_goes() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let start = Instant::now();
    stage.master = None;
    stage.ends();
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
}

/// Ends the cockpit of a stage and keeps the home of its swarm.
fn leave(mut stage: Stage) -> Home {
    stage.press("q");
    assert!(stage.ends().success());
    stage.is_given_back();
    let said = stage.screen.screen().contents();
    assert!(said.contains("the swarm goes on") && said.contains("hive ctl stop"), "{said}");
    std::mem::replace(&mut stage.home, Home::new())
}

#[test]
fn the_swarm_outlives_its_cockpits_until_it_is_stopped() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let home = leave(stage);
    let swarm = home.swarm().unwrap();
    // Plain hive again, and attach: the same swarm.
    for args in [&[] as &[&str], &["attach"]] {
        let mut stage = stage_in(
            Home(tempfile::tempdir_in(home.path()).unwrap()),
            args,
            &[
                ("XDG_RUNTIME_DIR", &home.path().to_string_lossy()),
                ("XDG_STATE_HOME", &home.path().to_string_lossy()),
            ],
        )
        .unwrap();
        stage.is_taken();
        stage.press("q");
        assert!(stage.ends().success());
        assert_eq!(home.swarm(), Some(swarm));
    }
    // Options that would ask for another run are refused while one is there.
    let Some(mut other) = stage_in(
        Home(tempfile::tempdir_in(home.path()).unwrap()),
        &["--seed", "2"],
        &[("XDG_RUNTIME_DIR", &home.path().to_string_lossy())],
    ) else {
        return;
    };
    assert_eq!(other.ends().code(), Some(3));
    assert!(other.screen.screen().contents().contains("--seed cannot change it"));
    assert!(home.ctl(&["stop"]).status.success());
    assert_eq!(home.ctl(&["status"]).status.code(), Some(4));
    // It has said goodbye; its last step is to end.
    let start = Instant::now();
    while lives(swarm) {
        assert!(start.elapsed() < PATIENCE, "something keeps running");
        std::thread::yield_now();
    }
    // And again: it goes on where it was.
    let Some(mut stage) = stage_in(home, HIVE, &[]) else { return };
    stage.is_taken();
    let log = std::fs::read_to_string(stage.home.path().join("hive/hive.log")).unwrap();
    assert!(log.contains("resumed from checkpoint"), "{log}");
    stage.press("q");
    assert!(stage.ends().success());
}

#[test]
fn a_swarm_that_dies_is_missed_with_its_age_and_found_again() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let swarm = stage.home.swarm().unwrap();
    kill_process(swarm, Signal::KILL).unwrap();
    stage.says("SWARM LOST");
    stage.says("last heard");
    let again = command(program(), stage.home.path())
        .arg("--no-tui")
        .args(HIVE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut again = again.unwrap();
    stage.until(|s| !s.contents().contains("SWARM LOST"));
    stage.says("RUNNING");
    assert_ne!(stage.home.swarm(), Some(swarm));
    stage.press("q");
    assert!(stage.ends().success());
    assert!(stage.home.ctl(&["stop"]).status.success());
    assert!(again.wait().unwrap().success());
}

#[test]
fn a_swarm_that_cannot_start_says_why_and_no_cockpit_opens() {
    for (args, code, why) in [
        (&["--feed", "history:nowhere.csv"] as &[&str], 2, "nowhere.csv"),
        (&["--theme", "neon"], 2, "neon"),
        (&["--clock", "5h"], 2, "5h"),
    ] {
        let Some(mut stage) = stage_in(Home::new(), args, &[]) else { return };
        let ended = stage.ends();
        let said = stage.screen.screen().contents();
        assert_eq!(ended.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
        stage.is_given_back();
        assert!(!stage.home.runs(), "{args:?}: nothing is left running");
    }
}

/// A small experiment on the swarm's own market, kept where it is looked for; what it says.
fn experiment(home: &Path, scouts: &str) -> String {
    let run =
        ["lab", "--days", "60", "--seeds", "1", "--arms", "time-shifted", "--quiet", "--scouts", scouts];
    let ran = command(program(), home).args(run).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let kept = std::fs::read_to_string(home.join("hive/lab/last.json")).unwrap();
    let report: Value = serde_json::from_str(&kept).unwrap();
    let gain = report["uplift"]["vs_strong"]["sharpe"]["mean"].as_f64().unwrap();
    format!("{gain:+.2} Sharpe over the same agents deaf")
}

#[test]
fn an_experiment_that_ends_while_the_lab_is_open_is_seen_and_another_roster_is_told() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    stage.press("l");
    stage.says("no experiment was run yet");
    stage.says("hive lab --feed synth --scouts 24");
    let verdict = experiment(stage.home.path(), "24");
    stage.until(|s| s.contents().contains(&verdict));
    stage.says("last run just now");
    stage.says("E now");
    assert!(!stage.screen.screen().contents().contains("another roster"));
    let verdict = experiment(stage.home.path(), "8");
    stage.says("another roster");
    stage.until(|s| s.contents().contains(&verdict));
    stage.press("\x1b");
    stage.until(|s| s.contents().contains("agents") && !s.contents().contains("the ladder"));
    stage.press("q");
    assert!(stage.ends().success());
    assert!(stage.home.ctl(&["stop"]).status.success());
}
