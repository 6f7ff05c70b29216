//! One process a state folder: a lock that the system lets go when the process ends, however it ends.

use fs2::FileExt;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
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
        // A link would lead to a file that is none of ours, and that is emptied below.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let opened = options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path);
        let mut file = opened.map_err(|e| LockError::Io(told(e)))?;
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

/// What the system says of a link that is not followed helps nobody.
fn told(e: io::Error) -> io::Error {
    if e.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return io::Error::new(io::ErrorKind::InvalidInput, "it is a link, which is not followed; remove it");
    }
    e
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

    #[test]
    fn a_link_is_not_followed_and_its_target_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mine) = (dir.path().join("lock"), dir.path().join("mine"));
        std::fs::write(&mine, "mine").unwrap();
        std::os::unix::fs::symlink(&mine, &path).unwrap();
        let Err(LockError::Io(e)) = Lock::take(&path) else { panic!("it was followed") };
        assert!(e.to_string().contains("remove it"), "{e}");
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    }
}
