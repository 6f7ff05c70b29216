//! A running hive in a folder of its own, reached as a person or a script reaches it.

use crate::cli::hand::{FEED, program};
use hive::wire::{Client, ClientRole, SocketPath};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    command.env(FEED.0, FEED.1);
    command.args(args).stdin(Stdio::null());
    // No log in the home of whoever runs the tests.
    command.env("HIVE_LOG", "off");
    command
}

/// A running hive in a folder of its own, ended with the test.
pub struct Served {
    pub folder: tempfile::TempDir,
    pub child: Child,
    log: BufReader<ChildStderr>,
}

impl Served {
    /// Two bars a second: slow enough to be asked, fast enough to move.
    pub fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// The same, in a folder where one was before.
    pub fn start_in(folder: tempfile::TempDir) -> Self {
        let socket = folder.path().join("run/a.sock");
        let mut child =
            command(&["--no-tui", "--days", "2", "--quiet", "--scouts", "8", "--speed", "28800x"])
                .args(["--socket".as_ref(), socket.as_os_str()])
                .args(["--state", "state"])
                .env("XDG_STATE_HOME", folder.path())
                .current_dir(folder.path())
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut served = Served { folder, child, log };
        // It says so when it can be reached.
        while !served.logged().contains("serving") {}
        let end = Instant::now() + PATIENCE;
        while served.ctl(&["status"]).status.code() != Some(0) {
            assert!(Instant::now() < end, "it never answered");
        }
        served
    }

    pub fn place(&self) -> SocketPath {
        SocketPath { path: self.folder.path().join("run/a.sock") }
    }

    pub fn socket(&self) -> String {
        self.place().path.to_string_lossy().into_owned()
    }

    /// The next line that it logs.
    pub fn logged(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line
    }

    pub fn ctl(&self, args: &[&str]) -> Output {
        command(&["ctl"]).args(args).args(["--socket", &self.socket()]).output().unwrap()
    }

    /// A signal, by its name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let said = self.ctl(args);
        assert_eq!(said.status.code(), Some(0), "{args:?}: {}", text(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap()
    }

    pub fn agent(&self, n: usize) -> Value {
        self.json(&["agents"])["agents"][n].clone()
    }

    pub fn client(&self, role: ClientRole) -> Client {
        Client::attach(&self.place(), role, 0).unwrap()
    }

    /// Its exit code, once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::yield_now();
        }
    }
}

/// Whoever the test leaves behind ends with it.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
