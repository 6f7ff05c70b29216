//! The room on the disk that a run is kept on: watched, so that a run halts before it can keep nothing more, and with a
//! reserve that is given back to the disk when it is full, so that the halt and what is commanded can still be journalled.
//!
//! # Invariants
//!
//! 1. Below [`ROOM_MIN`] beside the reserve the disk is full; it has room again once the reserve and twice that fit.
//! 2. While it is full nothing is written that can be recomputed.
//! 3. It is looked at at most every [`LOOK_EVERY`], and where the system does not tell there is room.

use rustix::fs::{FallocateFlags, OFlags, fallocate, statvfs};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Bytes that are held back: thousands of commands.
const RESERVE: u64 = 16 << 20;
/// With less than this left the disk is full.
const ROOM_MIN: u64 = 8 << 20;

/// What a look at the disk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// It is full, since now; so many bytes are left.
    Full(u64),
    /// It has room again, since now.
    Again(u64),
}

/// The disk that a state folder is on.
#[derive(Debug)]
pub struct DiskRoom {
    dir: PathBuf,
    looked: Option<Instant>,
    is_full: bool,
}

impl DiskRoom {
    /// Of a state folder. What is held back is held back from the first look on.
    pub fn new(dir: &Path) -> Self {
        DiskRoom { dir: dir.to_path_buf(), looked: None, is_full: false }
    }

    /// Whether it was full when it was looked at last.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether it was looked at and is not full.
    pub fn has_room(&self) -> bool {
        self.looked.is_some() && !self.is_full
    }

    /// Looks, if it is time to, and tells what changed.
    pub fn look(&mut self) -> Option<RoomChange> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return None;
        }
        self.looked = Some(Instant::now());
        let left = statvfs(&self.dir).map_or(u64::MAX, |s| s.f_bavail.saturating_mul(s.f_frsize));
        let held = self.is_held();
        if !self.is_full && left < ROOM_MIN {
            return Some(self.fill(left));
        }
        if self.is_full && left < RESERVE + 2 * ROOM_MIN {
            return None;
        }
        // Where there is no room for what is held back, there is none for what it is held back for.
        if !held && left != u64::MAX && left < RESERVE + ROOM_MIN {
            return (!self.is_full).then(|| self.fill(left));
        }
        if !held && left != u64::MAX && self.hold().is_err() {
            let _ = std::fs::remove_file(self.reserve());
        }
        std::mem::take(&mut self.is_full).then_some(RoomChange::Again(left))
    }

    fn fill(&mut self, left: u64) -> RoomChange {
        self.is_full = true;
        // Without it there is as much room as without this.
        let _ = std::fs::remove_file(self.reserve());
        RoomChange::Full(left)
    }

    /// Gives back what is held back, and looks again at once.
    pub fn release(&mut self) {
        self.looked = None;
        let _ = std::fs::remove_file(self.reserve());
    }

    fn reserve(&self) -> PathBuf {
        self.dir.join("reserve")
    }

    fn is_held(&self) -> bool {
        std::fs::symlink_metadata(self.reserve()).is_ok_and(|m| m.is_file() && m.len() == RESERVE)
    }

    fn hold(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(self.reserve())?;
        fallocate(&file, FallocateFlags::empty(), 0, RESERVE)?;
        Ok(file)
    }
}
