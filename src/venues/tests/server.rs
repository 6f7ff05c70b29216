//! A venue on loopback for tests: sockets and HTTP of its own, down to the bytes of a frame, so that it can do what a library
//! would not let it do. It shares no code with what is tested; only the key of the handshake is computed by a library.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What a venue does with its n-th connection.
type Script = dyn Fn(usize, &mut Peer) + Send + Sync;

/// A venue that listens on this machine.
pub struct TestVenue {
    pub address: String,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
    /// All links that were made, so that they can be cut at the end.
    links: Arc<Mutex<Vec<TcpStream>>>,
    requests: Receiver<HeardRequest>,
}

/// The head of a request, and its body.
#[derive(Clone, Debug)]
pub struct HeardRequest {
    pub line: String,
    pub body: String,
}

/// One link of a client.
pub struct Peer {
    stream: TcpStream,
    key: String,
    /// Every write is cut into pieces of so many bytes.
    pub segment: usize,
    stop: Arc<AtomicBool>,
}

impl TestVenue {
    /// Listens, and runs the script for each connection in a thread of its own.
    pub fn new(script: impl Fn(usize, &mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let links = Arc::new(Mutex::new(Vec::new()));
        let (sender, requests) = channel();
        let (script, count): (Arc<Script>, _) = (Arc::new(script), AtomicUsize::new(0));
        let (stopping, linked) = (Arc::clone(&stop), Arc::clone(&links));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                stream.set_nodelay(true).unwrap();
                linked.lock().unwrap().push(stream.try_clone().unwrap());
                let n = count.fetch_add(1, Ordering::SeqCst);
                let (script, stop, sender) = (Arc::clone(&script), Arc::clone(&stopping), sender.clone());
                thread::spawn(move || serve(stream, n, &*script, &stop, &sender));
            }
        });
        TestVenue { address, stop, accepting: Some(accepting), links, requests }
    }

    pub fn ws(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request that came in, handshakes too.
    pub fn request(&self) -> HeardRequest {
        self.requests.recv_timeout(Duration::from_secs(20)).expect("a request")
    }

    /// Requests that nobody has asked for yet.
    pub fn requests_left(&self) -> usize {
        self.requests.try_iter().count()
    }
}

impl Drop for TestVenue {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for link in self.links.lock().unwrap().iter() {
            let _ = link.shutdown(Shutdown::Both);
        }
        // Wakes the one that accepts.
        let _ = TcpStream::connect(&self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

/// A client may send several requests over one link, as long as it is not upgraded.
fn serve(
    mut stream: TcpStream,
    n: usize,
    script: &Script,
    stop: &Arc<AtomicBool>,
    heard: &Sender<HeardRequest>,
) {
    while let Some((request, key)) = head(&mut stream) {
        let _ = heard.send(request);
        let is_socket = !key.is_empty();
        let mut peer =
            Peer { stream: stream.try_clone().unwrap(), key, segment: usize::MAX, stop: Arc::clone(stop) };
        script(n, &mut peer);
        if is_socket {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// Reads a request; the key of a handshake, empty where it is none.
fn head(stream: &mut TcpStream) -> Option<(HeardRequest, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let field = |name: &str| {
        let of = |line: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        head.lines().find_map(of).unwrap_or_default()
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    Some((HeardRequest { line, body: String::from_utf8(body).unwrap() }, field("sec-websocket-key")))
}

impl Peer {
    /// Writes bytes as they are; false when the link is gone.
    pub fn raw(&mut self, bytes: &[u8]) -> bool {
        bytes.chunks(self.segment.min(bytes.len().max(1))).all(|part| self.stream.write_all(part).is_ok())
    }

    /// Answers the handshake.
    pub fn accept(&mut self) -> &mut Self {
        let key = derive_accept_key(self.key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
        );
        self.raw(answer.as_bytes());
        self
    }

    /// Answers a request of HTTP.
    pub fn answer(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.raw(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").as_bytes());
    }

    /// Sends a frame of one piece.
    pub fn frame(&mut self, opcode: u8, payload: &[u8]) -> bool {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            n if n < 126 => frame.push(n as u8),
            n if n < 1 << 16 => {
                frame.push(126);
                frame.extend((n as u16).to_be_bytes());
            }
            n => {
                frame.push(127);
                frame.extend((n as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        self.raw(&frame)
    }

    pub fn text(&mut self, text: &str) -> bool {
        self.frame(1, text.as_bytes())
    }

    /// Cuts the link without a word.
    pub fn cut(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Reads a frame of the client: its kind, and what is in it without its mask. None when the link is gone.
    pub fn read(&mut self) -> Option<(u8, String)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        assert_eq!(head[1] & 0x80, 0x80, "a client masks what it sends");
        let mut length = u64::from(head[1] & 0x7f);
        if length == 126 {
            let mut more = [0; 2];
            self.stream.read_exact(&mut more).ok()?;
            length = u64::from(u16::from_be_bytes(more));
        }
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).ok()?;
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(b, m)| *b ^= m);
        Some((head[0] & 0x0f, String::from_utf8_lossy(&payload).into_owned()))
    }

    /// Reads until a text of the client has this in it.
    pub fn read_until(&mut self, part: &str) -> Option<String> {
        loop {
            let (opcode, text) = self.read()?;
            if opcode == 1 && text.contains(part) {
                return Some(text);
            }
        }
    }

    /// Does nothing, and reads nothing, until the test is over.
    pub fn hang(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends what `next` gives every few milliseconds, until the link or the test is over.
    pub fn every(&mut self, pause: Duration, mut next: impl FnMut() -> String) {
        while !self.stop.load(Ordering::SeqCst) && self.text(&next()) {
            thread::sleep(pause);
        }
    }

    /// Whether the client has closed the link, which is looked at for a while.
    pub fn is_closed_within(&mut self, wait: Duration) -> bool {
        self.stream.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 256];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) => return !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            }
        }
    }
}
