//! The other end: a client that greets, asks, and takes what is said.

use super::frame::{self, FrameError};
use super::hello::{self, ClientRole, HelloVerdict};
use super::message::{Call, ClientQuestion, ServerAnswer, ServerFrame};
use super::socket_path::SocketPath;
use crate::domain::is_unprintable;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take for anything that is asked.
const WAIT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there.
    #[error("no hive runs at {}; hive starts one (hive --no-tui where there is no terminal); --name and --socket name another", .0.display())]
    NotRunning(PathBuf),
    /// The files do not let us.
    #[error("{}: this hive belongs to another user, who alone may attach", .0.display())]
    Forbidden(PathBuf),
    /// It says no.
    #[error("the hive refused: {0}")]
    Refused(String),
    /// Something else listens there.
    #[error("{}: what listens here is no hive", .0.display())]
    Stranger(PathBuf),
    /// The hive ended while we were attached.
    #[error("the hive has gone: {0}")]
    Ended(String),
    /// The stream broke, or carried no valid frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// An attached client.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    calls: u32,
}

impl Client {
    /// Connects to a hive and takes its first answer; `since` is the last picture that is known, 0 for none.
    pub fn attach(place: &SocketPath, role: ClientRole, since: u64) -> Result<Self, ClientError> {
        let path = &place.path;
        let mut stream = UnixStream::connect(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => ClientError::NotRunning(path.clone()),
            ErrorKind::PermissionDenied => ClientError::Forbidden(path.clone()),
            _ => ClientError::Frame(e.into()),
        })?;
        let io = |e: std::io::Error| ClientError::Frame(e.into());
        stream.set_read_timeout(Some(WAIT)).map_err(io)?;
        stream.set_write_timeout(Some(WAIT)).map_err(io)?;
        // A server that refuses may have closed its ear already; what it said is still there to read.
        let greeted = stream.write_all(&hello::client(super::VERSION, role, since));
        let mut bytes = [0; hello::SERVER_BYTES];
        stream.read_exact(&mut bytes).map_err(|e| io(greeted.err().unwrap_or(e)))?;
        match hello::read_server(&bytes) {
            None => Err(ClientError::Stranger(path.clone())),
            Some((_, HelloVerdict::Welcome)) => Ok(Client { stream, calls: 0 }),
            Some((version, _)) => {
                let why = frame::read_bytes(&mut stream)
                    .map_or_else(|_| format!("it speaks version {version}"), |b| clean(&b));
                Err(ClientError::Refused(why))
            }
        }
    }

    /// Asks, and waits for the answer; views that come in between are left out.
    pub fn ask(&mut self, ask: ClientQuestion) -> Result<ServerAnswer, ClientError> {
        self.calls += 1;
        let id = self.calls;
        frame::write(&mut self.stream, &Call { id, ask })?;
        loop {
            match self.hear()? {
                ServerFrame::Answer { id: of, answer } if of == id => return Ok(answer),
                ServerFrame::Bye(why) => return Err(ClientError::Ended(why)),
                _ => {}
            }
        }
    }

    /// What the server says next; waits for it.
    pub fn hear(&mut self) -> Result<ServerFrame, ClientError> {
        Ok(frame::read(&mut self.stream)?)
    }

    /// The stream, for those who wait in another way.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }
}

/// Text of a server without anything that a terminal would act on.
fn clean(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !is_unprintable(*c)).take(500).collect()
}
