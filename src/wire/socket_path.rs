//! Where the socket is, and that it is ours: `$HIVE_SOCKET`, else `$XDG_RUNTIME_DIR/hive/NAME.sock`, else
//! `STATE/run/NAME.sock`. The folder must be ours and closed to others (0700); a lock beside the socket
//! says whose it is now.
//!
//! # Invariants
//!
//! 1. One process serves a place: the lock is the kernel's and goes with the process, whatever killed it.
//! 2. A folder that others may enter is refused, not repaired: whoever opened it should know.

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::net;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Name of a hive that was given none.
pub const DEFAULT_NAME: &str = "hive";
/// Longest name: with its folder it has to fit the kernel's 108 bytes for a socket's path.
const NAME_MAX: usize = 32;
/// Connections that may wait to be looked at.
const BACKLOG: i32 = 16;

/// Why a place cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Not a name.
    #[error("{0:?} is no name for a hive: 1 to {NAME_MAX} letters, digits, - and _")]
    Name(String),
    /// No home to put it in.
    #[error("there is no folder for socket and state: set HOME, or HIVE_SOCKET and HIVE_STATE")]
    Nowhere,
    /// The folder is not ours alone.
    #[error(
        "{}: the folder of the socket {what}; others could reach this hive: give it its own folder, or chmod 700 yours",
        .folder.display()
    )]
    Open {
        /// Folder that others may write to or look into.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Something else is there.
    #[error("{}: something is here that is no socket, and is left as it is; name another path, or remove it", .path.display())]
    NoSocket {
        /// What was to be the socket.
        path: PathBuf,
    },
    /// Somebody serves it.
    #[error("{}: a hive runs here already, process {holder}; stop it (hive ctl stop), or use another --name", .path.display())]
    Taken {
        /// Socket that is served by another process.
        path: PathBuf,
        /// Its process and version, as it wrote them.
        holder: String,
    },
    /// A file beside the socket could not be read or written.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// File that it was done to.
        path: PathBuf,
        /// What came of it.
        source: std::io::Error,
    },
}

impl PlaceError {
    /// Whether it was refused for safety, rather than failed.
    pub fn is_refusal(&self) -> bool {
        matches!(self, PlaceError::Open { .. } | PlaceError::Taken { .. } | PlaceError::NoSocket { .. })
    }
}

/// A socket's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketPath {
    /// Of the socket.
    pub path: PathBuf,
}

/// A place that this process serves; it is given up when this is dropped.
#[derive(Debug)]
pub struct HeldSocket {
    path: PathBuf,
    // The lock lives as long as the open file.
    _lock: File,
}

impl SocketPath {
    /// Finds the place of a name. `env` reads variables; `socket` and `state` are the person's own choice.
    pub fn find(
        name: &str,
        socket: Option<&Path>,
        state: Option<&Path>,
        env: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, PlaceError> {
        let named = (1..=NAME_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !named {
            return Err(PlaceError::Name(name.to_owned()));
        }
        let env = |name: &str| env(name).filter(|p| !p.as_os_str().is_empty());
        if let Some(path) = socket.map(Path::to_path_buf).or_else(|| env("HIVE_SOCKET")) {
            return Ok(SocketPath { path });
        }
        let file = format!("{name}.sock");
        if let Some(runtime) = env("XDG_RUNTIME_DIR") {
            return Ok(SocketPath { path: runtime.join("hive").join(file) });
        }
        let state = state.map_or_else(|| state_home(env), |s| Ok(s.to_path_buf()))?;
        Ok(SocketPath { path: state.join("run").join(file) })
    }

    /// Takes the place: folder checked, lock taken, a dead hive's socket cleared away, listening.
    pub fn take(&self) -> Result<(HeldSocket, UnixListener), PlaceError> {
        let path = &self.path;
        let io = |what, path: &Path| {
            let path = path.to_path_buf();
            move |source| PlaceError::Io { what, path, source }
        };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io("creating", folder))?;
        let meta = std::fs::metadata(folder).map_err(io("looking at", folder))?;
        let (owner, us) = (meta.uid(), rustix::process::geteuid().as_raw());
        let mode = meta.mode() & 0o777;
        let open = |what| PlaceError::Open { folder: folder.to_path_buf(), what };
        if owner != us {
            return Err(open(format!("belongs to uid {owner}, this is uid {us}")));
        }
        if mode & 0o077 != 0 {
            return Err(open(format!("has mode {mode:o}")));
        }
        let lock_path = path.with_extension("lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            // A link would lead to a file that is none of ours, and that is emptied below.
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&lock_path)
            .map_err(io("opening, without following a link,", &lock_path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            // A line of a few bytes; unreadable is as good as unknown.
            let _ = (&mut lock).take(64).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "unknown" } else { holder.trim() }.to_owned();
            return Err(PlaceError::Taken { path: path.clone(), holder });
        }
        let line = format!("{} (hive {})\n", std::process::id(), env!("CARGO_PKG_VERSION"));
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| lock.write_all(line.as_bytes()))
            .map_err(io("writing", &lock_path))?;
        match std::fs::symlink_metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(io("looking at", path)(e)),
            // What a hive that died left behind; anything else is somebody's.
            Ok(meta) if meta.file_type().is_socket() => {
                std::fs::remove_file(path).map_err(io("clearing", path))?;
            }
            Ok(_) => return Err(PlaceError::NoSocket { path: path.clone() }),
        }
        // By hand, so that nobody can connect before the socket is closed to others.
        let socket = net::socket(net::AddressFamily::UNIX, net::SocketType::STREAM, None)
            .map_err(|e| io("making a socket for", path)(e.into()))?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)
            .map_err(|e| io("making a socket for", path)(e.into()))?;
        let address = net::SocketAddrUnix::new(path.as_path()).map_err(|e| io("naming", path)(e.into()))?;
        net::bind(&socket, &address).map_err(|e| io("binding", path)(e.into()))?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io("closing", path))?;
        net::listen(&socket, BACKLOG).map_err(|e| io("listening on", path)(e.into()))?;
        Ok((HeldSocket { path: path.clone(), _lock: lock }, UnixListener::from(socket)))
    }
}

/// Where state is kept if nothing else is said: `$XDG_STATE_HOME/hive`, else `~/.local/state/hive`.
pub fn state_home(env: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, PlaceError> {
    let env = |name: &str| env(name).filter(|p| !p.as_os_str().is_empty());
    env("XDG_STATE_HOME")
        .map(|p| p.join("hive"))
        .or_else(|| env("HOME").map(|p| p.join(".local/state/hive")))
        .ok_or(PlaceError::Nowhere)
}

impl Drop for HeldSocket {
    fn drop(&mut self) {
        // A socket that is left behind is cleared by the next who takes the place.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(vars: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<PathBuf> {
        move |name| vars.iter().find(|v| v.0 == name).map(|v| PathBuf::from(v.1))
    }

    #[test]
    fn found_in_the_order_that_is_written() {
        let find = |vars, socket: Option<&Path>| {
            SocketPath::find("a", socket, None, with(vars)).unwrap().path.to_string_lossy().into_owned()
        };
        let all = &[("HIVE_SOCKET", "/s"), ("XDG_RUNTIME_DIR", "/r"), ("HOME", "/h")];
        assert_eq!(find(all, Some(Path::new("/mine"))), "/mine");
        assert_eq!(find(all, None), "/s");
        assert_eq!(
            find(&[("HIVE_SOCKET", ""), ("XDG_RUNTIME_DIR", "/r"), ("HOME", "/h")], None),
            "/r/hive/a.sock"
        );
        assert_eq!(find(&[("HOME", "/h")], None), "/h/.local/state/hive/run/a.sock");
        assert!(matches!(SocketPath::find("a", None, None, with(&[])), Err(PlaceError::Nowhere)));
        for bad in ["", "../x", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert!(
                matches!(SocketPath::find(bad, None, None, with(&[])), Err(PlaceError::Name(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn fault13_a_place_is_served_once_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let place = SocketPath { path: folder.path().join("run/a.sock") };
        let (held, _listener) = place.take().unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().mode() & 0o777;
        assert_eq!((mode(&place.path), mode(&folder.path().join("run"))), (0o600, 0o700));
        let refused = place.take().unwrap_err();
        assert!(
            refused.is_refusal() && refused.to_string().contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        place.take().unwrap();
    }

    #[test]
    fn what_is_no_socket_is_left_as_it_is_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let place = SocketPath { path: folder.path().join("a.sock") };
        std::fs::write(&place.path, "mine").unwrap();
        let refused = place.take().unwrap_err();
        assert!(refused.is_refusal() && refused.to_string().contains("no socket"), "{refused}");
        assert_eq!(std::fs::read_to_string(&place.path).unwrap(), "mine");
        std::fs::remove_file(&place.path).unwrap();
        // One that a dead hive left is cleared away.
        drop(UnixListener::bind(&place.path).unwrap());
        place.take().unwrap();
        let mine = folder.path().join("mine");
        std::fs::write(&mine, "mine").unwrap();
        std::fs::remove_file(folder.path().join("a.lock")).unwrap();
        std::os::unix::fs::symlink(&mine, folder.path().join("a.lock")).unwrap();
        assert!(place.take().unwrap_err().to_string().contains("without following a link"));
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
        let refused = SocketPath { path: folder.path().join("a.sock") }.take().unwrap_err();
        assert!(refused.is_refusal() && refused.to_string().contains("750"), "{refused}");
    }
}
