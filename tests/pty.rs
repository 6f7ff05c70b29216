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
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// What shows the cockpit.
const WATCH: &[&str] = &["watch", "--speed", "28800x"];
/// Most that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: (u16, u16) = (30, 100);

/// A terminal in memory.
fn vt100(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

struct Stage {
    master: Option<OwnedFd>,
    /// Held open: the terminal's modes outlive the cockpit.
    slave: OwnedFd,
    child: Child,
    screen: vt100::Parser,
}

/// None where there is no `setsid` that can give a terminal.
fn stage(env: &[(&str, &str)]) -> Option<Stage> {
    // Closed in every child: a master that another test holds would keep the terminal alive.
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let (ws_row, ws_col) = SIZE;
    tcsetwinsize(&slave, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let end = || slave.try_clone().unwrap();
    let state = tempfile::tempdir().unwrap();
    let spawned = Command::new("setsid")
        .args(["--ctty", env!("CARGO_BIN_EXE_hive")])
        .args(WATCH)
        .env("TERM", "xterm-256color")
        .env("XDG_RUNTIME_DIR", state.path())
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
    Some(Stage { master: Some(master), slave, child, screen })
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
fn a_panic_gives_the_terminal_back_and_is_told() {
    let Some(mut stage) = stage(&[("HIVE_TEST_PANIC", "3")]) else { return };
    assert!(!stage.ends().success());
    stage.is_given_back();
    assert!(stage.screen.screen().contents().contains("HIVE_TEST_PANIC is set"));
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
