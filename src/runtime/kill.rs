//! The kill switch's ways that need no socket, no seat and no thread: a signal, and a file.
//!
//! ```text
//! SIGUSR1 ─────────────┐
//! the file is there ───┴─► thrown ─► journalled as a command, ahead of the next event
//! ```
//!
//! # Invariants
//!
//! 1. It is looked at before each event and in every wait, and the file at most every [`LOOK_EVERY`].
//! 2. Once thrown it stays so until it was taken: while a run that is gone on with lives through its past again, or before
//!    anything has happened, it waits, and acts before the first event that is new.
//! 3. A file is heard once a process. As long as it lies there, every start comes up killed.

use signal_hook::consts::SIGUSR1;
use signal_hook::flag;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between two looks for the file.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The switch, as this process listens for it.
#[derive(Debug)]
pub struct KillSwitch {
    signal: Arc<AtomicBool>,
    file: Option<PathBuf>,
    looked: Option<Instant>,
    /// How it was thrown, in words; none while it is not, or once it was taken.
    thrown: Option<String>,
}

impl KillSwitch {
    /// Listens from here on; a file that lies there is heard too.
    pub fn listen(file: Option<PathBuf>) -> io::Result<Self> {
        let signal = Arc::new(AtomicBool::new(false));
        flag::register(SIGUSR1, Arc::clone(&signal))?;
        Ok(KillSwitch { signal, file, looked: None, thrown: None })
    }

    /// Whether it was thrown and not yet taken.
    pub fn is_thrown(&mut self) -> bool {
        if self.signal.load(Ordering::Relaxed) && self.signal.swap(false, Ordering::Relaxed) {
            self.thrown.get_or_insert_with(|| "by SIGUSR1".to_owned());
        }
        if self.file.is_some() && self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.looked = Some(Instant::now());
            // Whatever it is, and whether or not it can be read: somebody put it there.
            if let Some(file) = self.file.take_if(|file| file.symlink_metadata().is_ok()) {
                let text = format!("by the file {}; remove it before the next start", file.display());
                self.thrown.get_or_insert(text);
            }
        }
        self.thrown.is_some()
    }

    /// Takes it, to act on it: how it was thrown.
    pub fn take(&mut self) -> Option<String> {
        self.thrown.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_throws_it_once_and_any_kind_of_file_does() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("kill");
        let mut switch = KillSwitch::listen(Some(path.clone())).unwrap();
        assert!(!switch.is_thrown() && switch.take().is_none());
        // A link that leads nowhere was put there by somebody.
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        std::thread::sleep(LOOK_EVERY);
        assert!(switch.is_thrown() && switch.is_thrown(), "it stays thrown until it is taken");
        assert!(switch.take().unwrap().contains("kill; remove it"));
        std::thread::sleep(LOOK_EVERY);
        assert!(!switch.is_thrown(), "it is heard once a process");
        assert!(KillSwitch::listen(Some(path)).unwrap().is_thrown(), "and by the next one too");
    }
}
