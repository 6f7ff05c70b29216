//! A swarm behind a socket, as a [`SwarmLink`]: pictures put together from snapshots and deltas, requests sent
//! and answered, and the socket found again when it was lost.
//!
//! ```text
//! reader   hears the server · keeps the newest picture, pages, answers        one at a time,
//! courier  sends requests and, when it is quiet, asks whether all is well     end with the link
//! ```
//!
//! # Invariants
//!
//! 1. No method blocks: what is heard waits in a mailbox of bounded size, and pictures that were not taken
//!    are replaced.
//! 2. A picture is shown only if its hash is the one the server gave; one that does not fit is asked for
//!    anew, whole.
//! 3. A request is sent to the process it was made for or not at all: what was waiting when the swarm was
//!    lost is answered as not done.

use super::client::{Client, ClientError};
use super::frame;
use super::hello::ClientRole;
use super::message::{self, Call, ClientQuestion, ServerFrame};
use super::socket_path::SocketPath;
use crate::domain::AgentId;
use crate::domain::command::STOP;
use crate::view::delta::Delta;
use crate::view::lab::LabPage;
use crate::view::link::{News, REQUESTS_MAX, Reply, Request, SendError, SwarmLink};
use crate::view::{AgentPage, Cockpit, Past};
use std::collections::{BTreeMap, VecDeque};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When nothing was heard for this long, it is asked whether somebody is there …
const QUIET: Duration = Duration::from_secs(2);
/// … and without an answer after this long it is taken for lost.
const SILENT: Duration = Duration::from_secs(10);
/// A moment that is being fetched is asked for again after this long.
const AGAIN: Duration = Duration::from_millis(150);
/// Between two tries to reach a swarm that was lost: the first …
const RETRY_MIN: Duration = Duration::from_millis(100);
/// … and the longest.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// What is waiting to be taken, and who is at the other end.
#[derive(Default)]
struct Mailbox {
    picture: Option<Box<Cockpit>>,
    page: Option<Box<AgentPage>>,
    lab: Option<Box<LabPage>>,
    past: VecDeque<Box<Past>>,
    /// How far a moment is that is being fetched …
    fetching: Option<u8>,
    /// … and what is asked again for it.
    again: Vec<Request>,
    answers: VecDeque<Reply>,
    lost: Option<String>,
    heard: Option<Instant>,
    looked_at: Option<AgentId>,
    /// Whether the lab is looked at.
    in_lab: bool,
    /// The stream of this attachment, to write on; none while there is none.
    stream: Option<UnixStream>,
    calls: u32,
    /// Calls that wait for their answer.
    pending: BTreeMap<u32, Request>,
    names: Vec<String>,
    /// The cockpit has gone.
    left: bool,
}

type RemoteShared = Arc<Mutex<Mailbox>>;

fn open(mail: &RemoteShared) -> MutexGuard<'_, Mailbox> {
    // Every change is one move, so what a thread that panicked left is whole.
    mail.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cockpit's end of a connection to a running hive.
pub struct RemoteLink {
    mail: RemoteShared,
    requests: SyncSender<Request>,
    read_only: bool,
}

impl RemoteLink {
    /// Attaches; afterwards it attaches again by itself.
    pub fn attach(place: &SocketPath, read_only: bool) -> Result<Self, ClientError> {
        let role = if read_only { ClientRole::ReadOnly } else { ClientRole::Cockpit };
        let first = Client::attach(place, role, 0)?;
        let mail = RemoteShared::default();
        let (requests, asked) = sync_channel(REQUESTS_MAX);
        let (theirs, place) = (Arc::clone(&mail), place.clone());
        std::thread::spawn(move || read(&theirs, &place, role, first));
        let theirs = Arc::clone(&mail);
        std::thread::spawn(move || carry(&theirs, &asked));
        Ok(RemoteLink { mail, requests, read_only })
    }
}

impl Drop for RemoteLink {
    fn drop(&mut self) {
        let mut mail = open(&self.mail);
        mail.left = true;
        if let Some(stream) = mail.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl SwarmLink for RemoteLink {
    fn poll(&mut self) -> Option<News> {
        let mut mail = open(&self.mail);
        if let Some(why) = mail.lost.take() {
            return Some(News::Lost(why));
        }
        if let Some(picture) = mail.picture.take() {
            return Some(News::Cockpit(picture));
        }
        let page = mail.page.take().map(News::Page);
        let page = page.or_else(|| mail.lab.take().map(News::Lab));
        let page = page.or_else(|| mail.past.pop_front().map(News::Past));
        let page = page.or_else(|| mail.fetching.take().map(News::Fetching));
        page.or_else(|| mail.answers.pop_front().map(News::Answer))
    }

    fn send(&mut self, request: Request) -> Result<(), SendError> {
        if self.read_only && !request.only_looks() {
            return Err(SendError::ReadOnly);
        }
        if open(&self.mail).stream.is_none() {
            return Err(SendError::Gone);
        }
        self.requests.try_send(request).map_err(|e| match e {
            TrySendError::Full(_) => SendError::Busy,
            TrySendError::Disconnected(_) => SendError::Gone,
        })
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    fn age(&self) -> Option<Duration> {
        open(&self.mail).heard.map(|h| h.elapsed())
    }
}

/// Hears one attachment after the other.
fn read(mail: &RemoteShared, place: &SocketPath, role: ClientRole, first: Client) {
    let mut client = Some(first);
    let mut retry = RETRY_MIN;
    loop {
        if let Some(client) = client.take() {
            let why = attached(mail, client);
            let mut mail = open(mail);
            mail.stream = None;
            (mail.picture, mail.page, mail.lab) = (None, None, None);
            mail.past.clear();
            let again = std::mem::take(&mut mail.again);
            let waiting = std::mem::take(&mut mail.pending).into_values().chain(again);
            for request in waiting {
                answer(&mut mail, request, Err("the swarm was lost before it answered".to_owned()));
            }
            mail.lost = Some(why);
            retry = RETRY_MIN;
        }
        if open(mail).left {
            return;
        }
        std::thread::sleep(retry);
        retry = (retry * 2).min(RETRY_MAX);
        match Client::attach(place, role, 0) {
            Ok(again) => client = Some(again),
            Err(ClientError::NotRunning(_)) => {}
            Err(e) => open(mail).lost = Some(e.to_string()),
        }
    }
}

/// Hears until the swarm is lost, and says why.
fn attached(mail: &RemoteShared, mut client: Client) -> String {
    let ready = client.stream().set_read_timeout(None).and_then(|()| client.stream().try_clone());
    match ready {
        Ok(stream) => {
            let mut mail = open(mail);
            (mail.stream, mail.heard) = (Some(stream), Some(Instant::now()));
            // A link that was dropped while this was on its way ends here.
            if mail.left {
                return String::new();
            }
        }
        Err(e) => return e.to_string(),
    }
    let mut last: Option<Cockpit> = None;
    loop {
        let said = match client.hear() {
            Ok(said) => said,
            Err(e) => return e.to_string(),
        };
        open(mail).heard = Some(Instant::now());
        let (view, view_hash) = match said {
            ServerFrame::Snapshot { view, view_hash, .. } => match postcard::from_bytes(&view) {
                Ok(view) => (view, view_hash),
                Err(e) => return format!("its picture cannot be read: {e}"),
            },
            ServerFrame::Delta { base, change, view_hash, .. } => {
                let old = last.take().filter(|l| l.seq == base);
                let change = postcard::from_bytes::<Delta>(&change).ok();
                match old.zip(change).map(|(old, change)| change.apply(old)) {
                    Some(Ok(view)) => (view, view_hash),
                    _ => return "a change of the picture did not fit; attaching anew".to_owned(),
                }
            }
            ServerFrame::Answer { id, answer } => {
                answered(mail, id, answer);
                continue;
            }
            ServerFrame::Bye(why) => return why,
        };
        if view.view_hash() != view_hash {
            return "a picture was not what its hash says; attaching anew".to_owned();
        }
        let mut mail = open(mail);
        if mail.names.len() != view.agents.len() {
            mail.names = view.agents.iter().map(|a| a.name.clone()).collect();
        }
        mail.picture = Some(Box::new(view.clone()));
        if let Some(agent) = mail.looked_at {
            // If the stream has gone, the next hearing says so.
            let _ = ask(&mut mail, ClientQuestion::Page(agent), None);
        }
        last = Some(view);
    }
}

/// Takes requests to the swarm, and looks whether it is there.
fn carry(mail: &RemoteShared, requests: &Receiver<Request>) {
    loop {
        let fetching = !open(mail).again.is_empty();
        match requests.recv_timeout(if fetching { AGAIN } else { QUIET }) {
            Ok(request) => {
                let mut mail = open(mail);
                if matches!(request, Request::Past(..)) {
                    // Who looks at before is not sent what is now.
                    (mail.looked_at, mail.page) = (None, None);
                }
                let sent = match asked(request) {
                    Some(what) => ask(&mut mail, what, Some(request)),
                    None => look(&mut mail, request),
                };
                if !sent {
                    answer(&mut mail, request, Err("the swarm has gone; nothing was sent".to_owned()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let mut mail = open(mail);
                for request in std::mem::take(&mut mail.again) {
                    if let Some(what) = asked(request) {
                        // If the stream has gone, the next hearing says so, and answers it.
                        let _ = ask(&mut mail, what, Some(request));
                    }
                }
                let quiet = mail.heard.map(|h| h.elapsed()).unwrap_or_default();
                if quiet >= SILENT {
                    if let Some(stream) = &mail.stream {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                } else if mail.in_lab {
                    // A run that ends while it is looked at is to be seen, and the age of the last one.
                    let _ = ask(&mut mail, ClientQuestion::Lab, None);
                } else if quiet >= QUIET {
                    let _ = ask(&mut mail, ClientQuestion::Status, None);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn look(mail: &mut Mailbox, request: Request) -> bool {
    match request {
        Request::Look(agent) => {
            (mail.looked_at, mail.page) = (agent, None);
            agent.is_none_or(|agent| ask(mail, ClientQuestion::Page(agent), None))
        }
        Request::Lab(open) => {
            (mail.in_lab, mail.lab) = (open, None);
            !open || ask(mail, ClientQuestion::Lab, None)
        }
        _ => true,
    }
}

/// Writes a call. A request that is given waits for its answer.
fn ask(mail: &mut Mailbox, ask: ClientQuestion, request: Option<Request>) -> bool {
    mail.calls = mail.calls.wrapping_add(1);
    let (id, call) = (mail.calls, Call { id: mail.calls, ask });
    let Some(stream) = &mut mail.stream else { return false };
    if frame::write(stream, &call).is_err() {
        let _ = stream.shutdown(Shutdown::Both);
        return false;
    }
    mail.pending.extend(request.map(|r| (id, r)));
    true
}

/// The question of the protocol that a request becomes; none for what is shown with every picture.
fn asked(request: Request) -> Option<ClientQuestion> {
    match request {
        Request::Look(_) | Request::Lab(_) => None,
        Request::Past(when, agent) => Some(ClientQuestion::Past(when, agent)),
        Request::Without(message) => Some(ClientQuestion::Without(message)),
        Request::Stop => Some(ClientQuestion::Stop),
        Request::Command(command) => Some(ClientQuestion::Command(command)),
    }
}

fn answered(mail: &RemoteShared, id: u32, said: message::ServerAnswer) {
    let mut mail = open(mail);
    let request = mail.pending.remove(&id);
    let result = match said {
        message::ServerAnswer::Page(page) => {
            if mail.looked_at == Some(page.row.id) {
                mail.page = Some(page);
            }
            return;
        }
        message::ServerAnswer::Lab(page) => {
            if mail.in_lab {
                mail.lab = Some(page);
            }
            return;
        }
        message::ServerAnswer::Past(past) => {
            if mail.past.len() == REQUESTS_MAX {
                mail.past.pop_front();
            }
            mail.past.push_back(past);
            return;
        }
        message::ServerAnswer::Fetching(share) => {
            mail.fetching = Some(share);
            mail.again.extend(request);
            return;
        }
        message::ServerAnswer::Told(text) => Ok(text),
        message::ServerAnswer::Refused(why) => Err(why),
        message::ServerAnswer::Stopping => Ok(STOP.done("")),
        message::ServerAnswer::Done { changed: false, .. } => {
            Err("nothing to change: it is so already".to_owned())
        }
        message::ServerAnswer::Done { changed: true, .. } => {
            Ok(request.map(|r| done(&mail, r)).unwrap_or_default())
        }
        message::ServerAnswer::Status(_)
        | message::ServerAnswer::Agents(_)
        | message::ServerAnswer::Talk { .. } => return,
    };
    if let Some(request) = request {
        answer(&mut mail, request, result);
    }
}

fn answer(mail: &mut Mailbox, request: Request, result: Result<String, String>) {
    if mail.answers.len() == REQUESTS_MAX {
        mail.answers.pop_front();
    }
    mail.answers.push_back(Reply { request, result });
}

/// What was done, in words.
fn done(mail: &Mailbox, request: Request) -> String {
    let name = |agent: AgentId| {
        mail.names.get(agent.index()).cloned().unwrap_or_else(|| format!("agent {}", agent.0))
    };
    match request {
        Request::Look(_) | Request::Lab(_) | Request::Past(..) | Request::Without(_) => String::new(),
        Request::Command(command) => command.row().done(&command.agent().map(name).unwrap_or_default()),
        Request::Stop => STOP.done(""),
    }
}
