//! One process a state folder: a lock that the system lets go when the process ends, however it ends.

use fs2::FileExt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Held as long as the folder is in use.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it; its id as far as it is known.
    Held(Option<u32>),
    /// The file of the lock could not be opened or written.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock and writes this process's id into it.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(LockError::Io)?;
        if let Err(e) = FileExt::try_lock_exclusive(&file) {
            if e.kind() != fs2::lock_contended_error().kind() {
                return Err(LockError::Io(e));
            }
            let mut text = String::new();
            // The holder may just be writing it.
            let _ = file.read_to_string(&mut text);
            return Err(LockError::Held(text.trim().parse().ok()));
        }
        file.set_len(0).map_err(LockError::Io)?;
        file.rewind().map_err(LockError::Io)?;
        writeln!(file, "{}", std::process::id()).map_err(LockError::Io)?;
        Ok(Lock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_learns_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::take(&path).unwrap();
        assert!(matches!(Lock::take(&path), Err(LockError::Held(Some(pid))) if pid == std::process::id()));
        drop(held);
        Lock::take(&path).unwrap();
    }
}
