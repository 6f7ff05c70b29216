//! The server: takes clients in, keeps them apart, hands their commands to the engine's thread and the
//! engine's views to them.
//!
//! # Invariants
//!
//! 1. [`Hub::publish`] only puts a picture where the clients' threads find it: it never waits for one.
//! 2. A client that has seen the picture before gets the delta; one that is behind, the whole.
//! 3. A command waits for a place in the queue for no time, and for its answer for [`ANSWER_WAIT`].
//! 4. A call that was answered is heard before the goodbye.
//! 5. Until [`Hub::begin`] nothing is heard but the kill switch, on seats that are its own: a run may take its time to come up, and
//!    who throws it meanwhile is not to wait for that.
//! 6. One client's mistake (garbage, a frame too large, silence) ends that client and nobody else.

use super::frame::{self, FrameError};
use super::hello::{self, ClientRole, Hello, HelloVerdict};
use super::message::{Call, ClientQuestion, ServerAnswer, ServerFrame};
use super::queue::{self, NotTaken, OrderDesk, OrderQueue};
use super::socket_path::{HeldSocket, PlaceError, SocketPath};
use crate::domain::Command;
use crate::view::lab::LabPage;
use crate::view::operator::{AgentSwitches, Status};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use super::queue::{ClientRequest, Peer, PendingRequest};

/// Most clients at once: a person has a few cockpits, and each costs two threads.
pub const CLIENTS_MAX: usize = 16;
/// Commands that may wait for the engine: as many as there can be clients, who ask one at a time.
pub const ORDERS_MAX: usize = CLIENTS_MAX;
/// Seats beside those of [`CLIENTS_MAX`], on which nothing is heard but the kill switch.
pub const KILL_SEATS: usize = 4;
/// How long a script may be silent before it is let go; who watches may be as silent as it likes.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a seat of the kill switch is left to who has not greeted, once another wants it.
const GREETING: Duration = Duration::from_millis(100);
/// Threads that refuse clients at most; beyond that a client is let go without a word.
const REFUSING_MAX: usize = 32;
/// How long a greeting may take, and a frame to be taken by a client.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a command may wait for the engine.
pub const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long ending waits for clients to take their goodbye.
const GOODBYE_WAIT: Duration = Duration::from_millis(500);

/// What a hub says to the operator's log.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;
/// Looks up the lab's last result. It is called on the asking client's thread, so the engine never waits
/// for a file.
pub type Results = Box<dyn Fn() -> LabPage + Send + Sync>;

/// What the engine's thread shows.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Number of the step it shows; grows.
    pub seq: u64,
    /// The whole view, encoded.
    pub view: Vec<u8>,
    /// The change since the picture published before, encoded; none if there is no shorter way.
    pub change: Option<Vec<u8>>,
    /// How the hive is.
    pub status: Status,
    /// How the agents are.
    pub agents: Vec<AgentSwitches>,
}

#[derive(Default)]
struct SlotBoard {
    picture: Option<Arc<Picture>>,
    /// `seq` of the picture before.
    base: u64,
    closed: Option<String>,
    clients: BTreeMap<u64, Enlisted>,
    next: u64,
}

/// A client that was let in.
struct Enlisted {
    stream: UnixStream,
    seat: Seat,
    since: Instant,
    has_greeted: bool,
}

impl SlotBoard {
    /// Takes the seat of the kill switch from who has held it longest without as much as a greeting. Whoever wants to stop has
    /// greeted by now.
    fn evict(&mut self) -> bool {
        let idle = |c: &Enlisted| c.seat != Seat::Free && !c.has_greeted && c.since.elapsed() >= GREETING;
        let Some(number) = self.clients.iter().find(|(_, c)| idle(c)).map(|(number, _)| *number) else {
            return false;
        };
        if let Some(client) = self.clients.remove(&number) {
            // Its thread sees the end and goes.
            let _ = client.stream.shutdown(Shutdown::Both);
        }
        true
    }
}

struct HubShared {
    board: Mutex<SlotBoard>,
    news: Condvar,
    closing: AtomicBool,
    /// Whether the run is up, and all is heard that a client may ask.
    begun: AtomicBool,
    results: OnceLock<Results>,
    orders: OrderDesk,
    log: Log,
    /// Threads that are refusing somebody.
    refusing: AtomicUsize,
}

impl HubShared {
    /// The board; what a thread that panicked left is still a board.
    fn board(&self) -> MutexGuard<'_, SlotBoard> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server. Dropping it says goodbye to all and takes the socket away.
pub struct Hub {
    shared: Arc<HubShared>,
    place: SocketPath,
    _held: HeldSocket,
}

impl Hub {
    /// Takes the place, and hears the kill switch there; all else from [`Hub::begin`] on. Orders of clients come out of the
    /// queue.
    pub fn open(place: &SocketPath, log: Log) -> Result<(Hub, OrderQueue), PlaceError> {
        let (held, listener) = place.take()?;
        let (orders, queue) = queue::rows(ORDERS_MAX);
        let shared = Arc::new(HubShared {
            board: Mutex::default(),
            news: Condvar::new(),
            closing: AtomicBool::new(false),
            begun: AtomicBool::new(false),
            results: OnceLock::new(),
            orders,
            log,
            refusing: AtomicUsize::new(0),
        });
        let door = Arc::clone(&shared);
        thread("hive door", move || accept(&door, &listener)).map_err(|source| PlaceError::Io {
            what: "starting the thread that serves",
            path: place.path.clone(),
            source,
        })?;
        Ok((Hub { shared, place: place.clone(), _held: held }, queue))
    }

    /// The run is up: clients are taken in for all that they may. The lab's results are looked up there; the first word counts.
    pub fn begin(&self, results: Option<Results>) {
        results.map(|results| self.shared.results.set(results));
        self.shared.begun.store(true, Ordering::SeqCst);
    }

    /// Shows a picture to whoever looks.
    pub fn publish(&self, mut picture: Picture) {
        picture.status.view_hash = view_hash(&picture.view);
        let mut board = self.shared.board();
        board.base = board.picture.as_ref().map_or(0, |p| p.seq);
        board.picture = Some(Arc::new(picture));
        drop(board);
        self.shared.news.notify_all();
    }

    /// Clients that are attached.
    pub fn clients(&self) -> usize {
        self.shared.board().clients.len()
    }

    /// Says goodbye to all clients, and why; no new ones are taken.
    pub fn close(&self, why: &str) {
        let first = self.shared.board().closed.replace(why.to_owned()).is_none();
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.news.notify_all();
        if !first {
            return;
        }
        // The door opens once more to see that it is closed.
        drop(UnixStream::connect(&self.place.path));
        let end = Instant::now() + GOODBYE_WAIT;
        let mut board = self.shared.board();
        while !board.clients.is_empty() {
            let Some(left) = end.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) else {
                break;
            };
            board = self.shared.news.wait_timeout(board, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        for client in board.clients.values() {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.close("the hive has ended");
    }
}

/// A hash of an encoded view: equal for equal views.
pub fn view_hash(view: &[u8]) -> String {
    blake3::hash(view).to_hex().to_string()
}

fn accept(shared: &Arc<HubShared>, listener: &UnixListener) {
    for stream in listener.incoming() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, most likely: leave the others time to close some.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let peer = match rustix::net::sockopt::socket_peercred(&stream) {
            Ok(p) => Peer { uid: p.uid.as_raw(), pid: p.pid.as_raw_nonzero().get() },
            Err(e) => {
                (shared.log)(&format!("a client was refused: who it is cannot be found out: {e}"));
                continue;
            }
        };
        let us = rustix::process::geteuid().as_raw();
        if peer.uid != us {
            (shared.log)(&format!(
                "a client was refused: uid {} (process {}), this hive belongs to uid {us}",
                peer.uid, peer.pid
            ));
            refuse(
                &stream,
                HelloVerdict::Peer,
                &format!("this hive belongs to uid {us}, you are uid {}", peer.uid),
            );
            continue;
        }
        let Some((number, twin, seat)) = enlist(shared, &stream) else {
            (shared.log)(&format!("a client was refused: {CLIENTS_MAX} are attached already"));
            refuse_beside(shared, stream);
            continue;
        };
        let mine = Arc::clone(shared);
        let served = thread("hive client", move || {
            serve(&mine, &stream, peer, (number, seat));
            mine.board().clients.remove(&number);
            mine.news.notify_all();
        });
        if let Err(e) = served {
            (shared.log)(&format!(
                "no thread could be had for a client: {e}; it is asked for the kill switch alone"
            ));
            // Here, while nobody else can be let in: a machine that is out of threads is one on which somebody may want
            // to stop.
            serve(shared, &twin, peer, (number, Seat::Kept));
            shared.board().clients.remove(&number);
        }
    }
}

/// A thread that may fail to start, as on a machine that is out of them.
fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// What a client is let in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    /// For all that its role may.
    Free,
    /// For the kill switch alone, until the run is up.
    Early,
    /// For the kill switch alone.
    Kept,
}

/// Why a client is not let in for all that its role may.
fn no_seat(shared: &HubShared) -> String {
    if shared.begun.load(Ordering::SeqCst) {
        format!(
            "{CLIENTS_MAX} clients are attached already; detach one (hive ctl kill is heard all the same)"
        )
    } else {
        "the hive is only starting; ask again in a moment (hive ctl kill is heard already)".to_owned()
    }
}

/// Counts a client in, if there is room.
fn enlist(shared: &HubShared, stream: &UnixStream) -> Option<(u64, UnixStream, Seat)> {
    let (held, twin) = (stream.try_clone().ok()?, stream.try_clone().ok()?);
    let mut board = shared.board();
    let seat = match board.clients.len() {
        n if n < CLIENTS_MAX && shared.begun.load(Ordering::SeqCst) => Seat::Free,
        n if n < CLIENTS_MAX => Seat::Early,
        n if n < CLIENTS_MAX + KILL_SEATS || board.evict() => Seat::Kept,
        _ => return None,
    };
    board.next += 1;
    let number = board.next;
    let client = Enlisted { stream: held, seat, since: Instant::now(), has_greeted: false };
    board.clients.insert(number, client);
    Some((number, twin, seat))
}

/// Refuses a client on a thread of its own: it takes a moment, in which somebody may want to stop.
fn refuse_beside(shared: &Arc<HubShared>, stream: UnixStream) {
    if shared.refusing.fetch_add(1, Ordering::SeqCst) < REFUSING_MAX {
        let mine = Arc::clone(shared);
        let refused = thread("hive refusal", move || {
            refuse(&stream, HelloVerdict::Full, &no_seat(&mine));
            mine.refusing.fetch_sub(1, Ordering::SeqCst);
        });
        if refused.is_ok() {
            return;
        }
    }
    shared.refusing.fetch_sub(1, Ordering::SeqCst);
}

fn refuse(mut stream: &UnixStream, verdict: HelloVerdict, why: &str) {
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let _ = stream.write_all(&hello::server(super::VERSION, verdict));
    let _ = frame::write_bytes(&mut stream, why.as_bytes());
    // Bytes that were sent and not read would make the kernel throw the refusal away.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let _ = stream.read(&mut [0; 256]);
}

fn greet(stream: &UnixStream) -> Option<Hello> {
    let mut bytes = [0; hello::CLIENT_BYTES];
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    (&mut &*stream).read_exact(&mut bytes).ok()?;
    stream.set_read_timeout(None).ok()?;
    hello::read_client(&bytes)
}

/// One client, from its greeting to its end.
fn serve(shared: &Arc<HubShared>, stream: &UnixStream, peer: Peer, (number, seat): (u64, Seat)) {
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let Some(hello) = greet(stream) else {
        (shared.log)(&format!("process {} was let go: it did not greet as a hive client does", peer.pid));
        return;
    };
    if let Some(client) = shared.board().clients.get_mut(&number) {
        client.has_greeted = true;
    }
    let ours = super::VERSION;
    if hello.version != ours {
        let why = format!(
            "this hive ({}) speaks version {ours} of the attach protocol, you speak {}; use the same hive on both sides",
            env!("CARGO_PKG_VERSION"),
            hello.version
        );
        (shared.log)(&format!(
            "process {} was refused: it speaks version {}, not {ours}",
            peer.pid, hello.version
        ));
        return refuse(stream, HelloVerdict::Version, &why);
    }
    let Some(role) = hello.role else {
        tracing::warn!(pid = peer.pid, uid = peer.uid, "a client of an unknown role was refused");
        return refuse(
            stream,
            HelloVerdict::Role,
            "this hive does not know your role; use the same hive on both sides",
        );
    };
    let is_early = seat == Seat::Early && !shared.begun.load(Ordering::SeqCst);
    if is_early || seat == Seat::Kept {
        return hear_kill(shared, stream, role, peer, seat);
    }
    let Ok(twin) = stream.try_clone() else { return };
    let writes = Arc::new(Mutex::new(twin));
    if let Ok(mut to) = writes.lock()
        && to.write_all(&hello::server(ours, HelloVerdict::Welcome)).is_err()
    {
        return;
    }
    tracing::info!(pid = peer.pid, uid = peer.uid, ?role, "a client is attached");
    let (board, to) = (Arc::clone(shared), Arc::clone(&writes));
    let gone = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(Mutex::new(()));
    let (over, asking) = (Arc::clone(&gone), Arc::clone(&asked));
    let watcher = thread("hive watcher", move || watch(&board, &to, &asking, role, hello.since, &over));
    // A script that waits for an answer is not silent: it is the engine's turn then.
    let silence = if role.watches() { None } else { Some(SILENCE) };
    let _ = stream.set_read_timeout(silence);
    if watcher.is_err() {
        (shared.log)(&format!("process {} is answered and shown nothing: no thread could be had", peer.pid));
    }
    if let Err(e) = listen(shared, stream, &writes, &asked, role, peer)
        && !matches!(e, FrameError::Io(_))
    {
        (shared.log)(&format!("process {} was let go: {e}", peer.pid));
    }
    gone.store(true, Ordering::SeqCst);
    let _ = stream.shutdown(Shutdown::Both);
    shared.news.notify_all();
    if let Ok(watcher) = watcher {
        let _ = watcher.join();
    }
    tracing::info!(pid = peer.pid, "a client has gone");
}

/// A seat that is kept: one call, which is the kill switch or refused; answered too if the run came up meanwhile.
fn hear_kill(shared: &HubShared, stream: &UnixStream, role: ClientRole, peer: Peer, seat: Seat) {
    if role != ClientRole::Ctl {
        let why = no_seat(shared);
        (shared.log)(&format!("process {} was refused: {why}", peer.pid));
        return refuse(stream, HelloVerdict::Full, &why);
    }
    let mut to = stream;
    let _ = stream.set_read_timeout(Some(PATIENCE));
    if to.write_all(&hello::server(super::VERSION, HelloVerdict::Welcome)).is_err() {
        return;
    }
    let Ok(Call { id, ask }) = frame::read(&mut &*stream) else { return };
    let is_kill = matches!(ask, ClientQuestion::Command(Command::Kill));
    let is_up = seat == Seat::Early && shared.begun.load(Ordering::SeqCst);
    let answer = if is_kill || is_up {
        answer(shared, ask, role, peer)
    } else {
        ServerAnswer::Refused(no_seat(shared))
    };
    let _ = frame::write(&mut to, &ServerFrame::Answer { id, answer });
}

/// Answers calls, one by one, until the client goes.
fn listen(
    shared: &HubShared,
    stream: &UnixStream,
    writes: &Mutex<UnixStream>,
    asked: &Mutex<()>,
    role: ClientRole,
    peer: Peer,
) -> Result<(), FrameError> {
    loop {
        let Call { id, ask } = frame::read(&mut &*stream)?;
        // Nobody says goodbye to this client before it has its answer.
        let _asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answer(shared, ask, role, peer);
        say(writes, &ServerFrame::Answer { id, answer })?;
    }
}

fn answer(shared: &HubShared, ask: ClientQuestion, role: ClientRole, peer: Peer) -> ServerAnswer {
    let not_yet = || ServerAnswer::Refused("the hive is only starting; ask again in a moment".to_owned());
    let wish = match ask {
        ClientQuestion::Status => {
            let board = shared.board();
            let Some(picture) = &board.picture else { return not_yet() };
            let clients = board.clients.len() as u32;
            return ServerAnswer::Status(Box::new(Status { clients, ..picture.status.clone() }));
        }
        ClientQuestion::Agents => {
            let picture = shared.board().picture.clone();
            return picture.map_or_else(not_yet, |p| ServerAnswer::Agents(p.agents.clone()));
        }
        ClientQuestion::Lab => {
            let none = || ServerAnswer::Refused("this hive knows of no lab".to_owned());
            return shared
                .results
                .get()
                .map_or_else(none, |look| ServerAnswer::Lab(Box::new(look().bounded())));
        }
        ClientQuestion::Page(agent) => ClientRequest::Page(agent),
        ClientQuestion::Past(when, agent) => ClientRequest::Past(when, agent),
        ClientQuestion::Talk => ClientRequest::Talk,
        ClientQuestion::Without(message) => ClientRequest::Without(message),
        ClientQuestion::Command(command) => ClientRequest::Command(command),
        ClientQuestion::Stop => ClientRequest::Stop,
    };
    if matches!(wish, ClientRequest::Command(_) | ClientRequest::Stop) && !role.commands() {
        return ServerAnswer::Refused(
            "this client is read-only; attach without --read-only to command".to_owned(),
        );
    }
    let (reply, answered) = sync_channel(1);
    let is_urgent = wish.is_urgent();
    match shared.orders.put(PendingRequest { wish, peer, reply }) {
        Ok(()) => answered.recv_timeout(ANSWER_WAIT).unwrap_or_else(|e| {
            ServerAnswer::Refused(match e {
                RecvTimeoutError::Disconnected => "the hive is ending".to_owned(),
                RecvTimeoutError::Timeout if is_urgent => {
                    "the kill is pending: the engine is busy, and hears it before anything else that it does"
                        .to_owned()
                }
                RecvTimeoutError::Timeout => {
                    "pending: the engine has not answered; look at the status before asking again".to_owned()
                }
            })
        }),
        Err(NotTaken::Full) => ServerAnswer::Refused(format!(
            "{ORDERS_MAX} commands are waiting for the engine; try again in a moment"
        )),
        Err(NotTaken::Closed) => ServerAnswer::Refused("the hive is ending".to_owned()),
    }
}

fn say(writes: &Mutex<UnixStream>, what: &ServerFrame) -> Result<(), FrameError> {
    let mut to = writes.lock().unwrap_or_else(PoisonError::into_inner);
    frame::write(&mut *to, what)
}

/// Sends a watcher what is new until it or the hive goes; everybody is told when the hive does.
fn watch(
    shared: &HubShared,
    writes: &Mutex<UnixStream>,
    asked: &Mutex<()>,
    role: ClientRole,
    since: u64,
    gone: &AtomicBool,
) {
    let mut seen = since;
    loop {
        let mut board = shared.board();
        let (picture, base) = loop {
            if gone.load(Ordering::SeqCst) {
                return;
            }
            if let Some(why) = board.closed.clone() {
                drop(board);
                let _answered = asked.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = say(writes, &ServerFrame::Bye(why));
                let to = writes.lock().unwrap_or_else(PoisonError::into_inner);
                // Both ways: the listener of this client is to end too.
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
            match &board.picture {
                Some(picture) if role.watches() && picture.seq != seen => {
                    break (Arc::clone(picture), board.base);
                }
                _ => board = shared.news.wait(board).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(board);
        let (seq, view_hash) = (picture.seq, picture.status.view_hash.clone());
        let news = match &picture.change {
            Some(change) if base == seen && seen != 0 => {
                ServerFrame::Delta { base, seq, view_hash, change: change.clone() }
            }
            _ => ServerFrame::Snapshot { seq, view_hash, view: picture.view.clone() },
        };
        drop(picture);
        if let Err(e) = say(writes, &news) {
            if !matches!(e, FrameError::Io(_)) {
                (shared.log)(&format!("a view could not be sent: {e}"));
            }
            let to = writes.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
        seen = seq;
    }
}
