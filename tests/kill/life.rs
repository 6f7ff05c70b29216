//! A process that is listened to and ended, and chance.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// One process of the program.
pub struct Life {
    child: Child,
    lines: Receiver<String>,
    heard: String,
}

impl Life {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Life { child, lines, heard: String::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with one of these words.
    pub fn hears(&mut self, words: &[&str]) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|e| panic!("{e}, none of {words:?} in {}", self.heard));
            self.heard.push_str(&line);
            self.heard.push('\n');
            if words.iter().any(|w| line.contains(w)) {
                return line;
            }
        }
    }

    /// Whether it ends by itself in this time, and how: the end of what it says is its end.
    pub fn ends_within(&mut self, wait: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + wait;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.heard.push_str(&line);
                    self.heard.push('\n');
                }
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => return Some(self.child.wait().unwrap()),
            }
        }
    }

    /// All that it said.
    pub fn rest(&mut self) -> String {
        self.heard.extend(self.lines.try_iter().map(|l| l + "\n"));
        self.heard.clone()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another signal, by its name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The events after which a run was resumed, and how many are stepped again.
pub fn stepped_again(said: &str) -> Option<(u64, u64)> {
    let line = said.lines().find(|l| l.contains("stepped again"))?;
    let number = |before: &str| {
        let word = line[..line.find(before)?].rsplit(' ').next()?;
        word.parse::<u64>().ok()
    };
    Some((number(" events;").unwrap_or(0), number(" events are stepped again")?))
}

/// Moments and places that nobody chose. The seed is printed, and shown when a test fails.
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Self {
        let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
        eprintln!("chance {seed}");
        Chance(seed)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        // Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
