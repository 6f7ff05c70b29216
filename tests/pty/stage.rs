//! A cockpit in a real terminal, and the home of its swarm.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::time::{Duration, Instant};

/// Plain `hive`: starts the swarm in the background and shows it. Two bars a second after a short history.
pub const HIVE: &[&str] = &["--days", "60", "--scouts", "24", "--speed", "28800x"];
/// Most that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const SIZE: (u16, u16) = (30, 100);

/// A terminal in memory.
pub fn vt100(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

/// The program under test: the one Cargo built beside the tests, or the one that `HIVE_BIN` names.
pub fn program() -> PathBuf {
    let named = std::env::var_os("HIVE_BIN").filter(|b| !b.is_empty());
    named.map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_hive")),
        |b| Path::new(env!("CARGO_MANIFEST_DIR")).join(b),
    )
}

/// A command of the program in a home of its own.
pub fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    // Bars alone, as in the other tests: over sooner than what a person gets.
    command.env("HIVE_FEED", "synth");
    command.env("XDG_RUNTIME_DIR", home).env("XDG_STATE_HOME", home).current_dir(home);
    command
}

pub struct Stage {
    /// Ends the swarm with the stage.
    pub home: Home,
    pub master: Option<OwnedFd>,
    /// Held open: the terminal's modes outlive the cockpit.
    pub slave: OwnedFd,
    pub child: Child,
    pub screen: vt100::Parser,
}

/// Where a swarm lives in the background, at most as long as this.
pub struct Home(pub tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn ctl(&self, args: &[&str]) -> Output {
        command(program(), self.path()).arg("ctl").args(args).output().unwrap()
    }

    /// None where none runs, or the home itself is gone.
    pub fn status(&self) -> Option<Value> {
        let said = command(program(), self.path()).args(["ctl", "status"]).output().ok()?;
        serde_json::from_slice(&said.stdout).ok()
    }

    /// The process of the swarm.
    pub fn swarm(&self) -> Option<Pid> {
        let status = self.status()?;
        Pid::from_raw(i32::try_from(status["scene"]["pid"].as_i64()?).ok()?)
    }

    pub fn runs(&self) -> bool {
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
pub fn lives(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|s| s.rsplit(')').next().is_some_and(|s| !s.trim_start().starts_with('Z')))
}

pub fn stage(env: &[(&str, &str)]) -> Option<Stage> {
    stage_in(Home::new(), HIVE, env)
}

pub fn stage_in(home: Home, args: &[&str], env: &[(&str, &str)]) -> Option<Stage> {
    stage_of(home, SIZE, args, env)
}

/// None where there is no `setsid` that can give a terminal. `size` is rows and columns.
pub fn stage_of(home: Home, size: (u16, u16), args: &[&str], env: &[(&str, &str)]) -> Option<Stage> {
    // Closed in every child: a master that another test holds would keep the terminal alive.
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let (ws_row, ws_col) = size;
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

pub fn wait_for(fd: impl AsFd, left: Duration) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = Timespec::try_from(left).unwrap();
    poll(&mut fds, Some(&timeout)).unwrap() > 0
}

impl Stage {
    /// Reads until the screen says so.
    pub fn until(&mut self, wanted: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        while !wanted(self.screen.screen()) {
            let left = PATIENCE.checked_sub(start.elapsed());
            assert!(left.is_some(), "not seen:\n{}", self.screen.screen().contents());
            self.read(left.unwrap());
        }
    }

    pub fn read(&mut self, left: Duration) -> bool {
        let master = self.master.as_ref().unwrap();
        let mut bytes = [0; 4096];
        if !wait_for(master, left) {
            return false;
        }
        let n = rustix::io::read(master, &mut bytes).unwrap();
        self.screen.process(&bytes[..n]);
        n > 0
    }

    pub fn says(&mut self, text: &str) {
        self.until(|s| s.contents().contains(text));
    }

    pub fn press(&self, keys: &str) {
        rustix::io::write(self.master.as_ref().unwrap(), keys.as_bytes()).unwrap();
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the end.
    pub fn ends(&mut self) -> ExitStatus {
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

    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// The terminal as a shell wants it.
    pub fn is_given_back(&self) {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor stayed hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste stayed on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    pub fn is_taken(&mut self) {
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
