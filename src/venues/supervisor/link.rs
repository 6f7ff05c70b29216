//! One socket that is kept up.

use super::outlet::{NobodyListens, Outlet};
use super::{FRAME_MAX, duration};
use crate::domain::Span;
use crate::venues::arrival::{ArrivalKind, SocketState};
use crate::venues::backoff::Backoff;
use crate::venues::codec::{Codec, SocketPlan};
use crate::venues::event::PublicEvent;
use crate::venues::reading::words;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// Longest time that a message may take to be sent.
const SEND_MAX: Duration = Duration::from_secs(5);
/// Longest time that a link is read beside a successor that says nothing.
const OVERLAP_MAX: Duration = Duration::from_secs(10);
/// How long it is read on once its successor has spoken: it may be behind it.
const OVERLAP: Duration = Duration::from_secs(1);
/// When it is tried again to replace a link that still speaks.
const REPLACE_AGAIN: Duration = Duration::from_secs(30);
/// How often what has waited for room is tried again.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// A time that does not come: what is not wanted waits for it.
const NEVER: Duration = Duration::from_secs(86_400 * 365);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Keeps one socket up.
pub struct SocketKeeper {
    pub url: String,
    pub plan: SocketPlan,
    pub codec: Arc<dyn Codec>,
    pub connector: Connector,
    pub connect_max: Duration,
    pub backoff: Backoff,
    pub outlet: Outlet,
    pub stopped: watch::Receiver<bool>,
}

/// Why a link is not read any more.
enum LinkEnd {
    /// Nobody wants it.
    Stopped,
    /// Nothing was said for so long.
    Silent,
    /// It is down, and why; the venue may name how long it wants to be left alone.
    Down(Downfall),
}

/// Why a link is down.
struct Downfall {
    why: String,
    left_alone: Option<Span>,
}

impl Downfall {
    fn new(why: impl Into<String>) -> Self {
        Downfall { why: why.into(), left_alone: None }
    }

    fn of(error: &Error) -> Self {
        let Error::Http(response) = error else { return Downfall::new(words(&error.to_string())) };
        let after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
        let why = format!("the venue answers {}", response.status());
        Downfall { why, left_alone: after.map(Span::seconds) }
    }
}

impl From<NobodyListens> for LinkEnd {
    fn from(_: NobodyListens) -> Self {
        LinkEnd::Stopped
    }
}

/// A link and the one that it replaces.
struct Links {
    current: Socket,
    /// Read until then: soon after the current one has said something.
    before: Option<(Socket, Instant)>,
    /// On its way to be the current one.
    next: Option<JoinHandle<Result<Socket, Downfall>>>,
    /// When the current one was made, or last said something that was wanted.
    heard: Instant,
    /// When it is to be replaced.
    rotate_at: Instant,
    pinged: Instant,
}

impl SocketKeeper {
    /// Keeps it up until it is told to stop, or nobody hears it.
    pub async fn keep_up(mut self) {
        let mut stopped = self.stopped.clone();
        loop {
            if self.outlet.state(SocketState::Connecting).is_err() {
                return;
            }
            let ended = tokio::select! {
                _ = stopped.changed() => return,
                ended = self.live() => ended,
            };
            let (why, retry_in) = match ended {
                LinkEnd::Stopped => return,
                LinkEnd::Silent => {
                    let after = self.plan.silent_after;
                    if self.outlet.state(SocketState::Silent { after }).is_err() {
                        return;
                    }
                    (format!("nothing was said for {} ms", after.0 / 1_000_000), self.backoff.wait())
                }
                LinkEnd::Down(down) => {
                    let wait = self.backoff.wait();
                    (down.why, down.left_alone.map_or(wait, |alone| alone.max(wait)))
                }
            };
            tracing::warn!(url = %self.url, %why, "the link is down");
            if self.outlet.state(SocketState::Down { why, retry_in }).is_err() {
                return;
            }
            tokio::select! {
                _ = stopped.changed() => return,
                () = sleep(duration(retry_in)) => {}
            }
        }
    }

    /// A link from its making to its end, with those that replaced it.
    async fn live(&mut self) -> LinkEnd {
        let opened = open(self.url.clone(), self.plan.clone(), self.connector.clone(), self.connect_max);
        let current = match opened.await {
            Ok(socket) => socket,
            Err(down) => return LinkEnd::Down(down),
        };
        let now = Instant::now();
        let rotate_at = now + self.rotate_after();
        let mut links = Links { current, before: None, next: None, heard: now, rotate_at, pinged: now };
        let ended = match self.outlet.state(SocketState::Up) {
            Ok(()) => self.read(&mut links).await,
            Err(unheard) => unheard.into(),
        };
        if let Some(next) = links.next {
            next.abort();
        }
        ended
    }

    async fn read(&mut self, links: &mut Links) -> LinkEnd {
        let silent_after = duration(self.plan.silent_after);
        let ping_every = self.plan.own_ping.as_ref().map_or(NEVER, |(every, _)| duration(*every));
        let mut flush = tokio::time::interval(FLUSH_EVERY);
        loop {
            let step = tokio::select! {
                message = links.current.next() => self.message(links, message).await,
                message = of_before(&mut links.before) => self.last_words(links, message),
                next = of_next(&mut links.next) => {
                    self.replaced(links, next);
                    Ok(())
                }
                () = sleep_until(links.heard + silent_after) => Err(LinkEnd::Silent),
                () = sleep_until(links.rotate_at), if links.next.is_none() => {
                    self.replace(links);
                    Ok(())
                }
                () = sleep_until(links.pinged + ping_every) => self.ping(links).await,
                _ = flush.tick() => self.outlet.flush().map(|_| ()).map_err(LinkEnd::from),
            };
            match step {
                Ok(()) => {}
                // What replaces it is nearly there.
                Err(LinkEnd::Down(down)) if links.next.is_some() => {
                    let next = of_next(&mut links.next).await;
                    if next.is_err() {
                        return LinkEnd::Down(down);
                    }
                    self.replaced(links, next);
                    links.before = None;
                }
                Err(ended) => return ended,
            }
        }
    }

    /// A message of the current link.
    async fn message(
        &mut self,
        links: &mut Links,
        message: Option<Result<Message, Error>>,
    ) -> Result<(), LinkEnd> {
        let down = |why: &str| Err(LinkEnd::Down(Downfall::new(why)));
        let text = match message {
            None => return down("the venue has cut the link"),
            Some(Err(error)) => return Err(LinkEnd::Down(Downfall::of(&error))),
            Some(Ok(Message::Close(None))) => return down("the venue has closed the link"),
            Some(Ok(Message::Close(Some(frame)))) => {
                let (code, why) = (u16::from(frame.code), words(&frame.reason));
                return down(&format!("the venue has closed the link: {code} {why}"));
            }
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                let why = "a binary message".to_owned();
                return Ok(self.outlet.say(ArrivalKind::Undecoded { why })?);
            }
            // Pings are answered by the library.
            Some(Ok(_)) => return Ok(()),
        };
        let mut events = Vec::new();
        if let Err(why) = self.codec.decode(text.as_bytes(), &mut events) {
            return Ok(self.outlet.say(ArrivalKind::Undecoded { why: why.to_string() })?);
        }
        for event in events {
            if is_wanted(&event) {
                links.heard = Instant::now();
                if let Some((_, until)) = &mut links.before {
                    *until = (*until).min(links.heard + OVERLAP);
                }
                self.backoff.reset();
            }
            if let Some(reply) = self.codec.reply(&event) {
                send(&mut links.current, reply).await.map_err(LinkEnd::Down)?;
            }
            if event == PublicEvent::Shutdown && links.next.is_none() {
                self.replace(links);
            }
            self.outlet.say(ArrivalKind::Event(event))?;
        }
        Ok(())
    }

    /// A message of the link that was replaced: what was wanted counts, nothing else does.
    fn last_words(
        &mut self,
        links: &mut Links,
        message: Option<Result<Message, Error>>,
    ) -> Result<(), LinkEnd> {
        let Some(Ok(Message::Text(text))) = message else {
            if !matches!(message, Some(Ok(_))) {
                links.before = None;
            }
            return Ok(());
        };
        let mut events = Vec::new();
        if self.codec.decode(text.as_bytes(), &mut events).is_ok() {
            for event in events.into_iter().filter(is_wanted) {
                self.outlet.say(ArrivalKind::Event(event))?;
            }
        }
        Ok(())
    }

    /// Begins to make the link that replaces the current one.
    fn replace(&self, links: &mut Links) {
        let (url, plan, connector) = (self.url.clone(), self.plan.clone(), self.connector.clone());
        links.next = Some(tokio::spawn(open(url, plan, connector, self.connect_max)));
    }

    /// The successor is there, or could not be made: then the old one goes on, and it is tried again later.
    fn replaced(&self, links: &mut Links, next: Result<Socket, Downfall>) {
        links.next = None;
        let now = Instant::now();
        match next {
            Ok(socket) => {
                let before = std::mem::replace(&mut links.current, socket);
                links.before = Some((before, now + OVERLAP_MAX));
                links.heard = now;
                links.rotate_at = now + self.rotate_after();
            }
            Err(down) => {
                tracing::warn!(url = %self.url, why = %down.why, "the link could not be replaced");
                links.rotate_at = now + REPLACE_AGAIN;
            }
        }
    }

    fn rotate_after(&self) -> Duration {
        self.plan.rotate_after.map_or(NEVER, duration)
    }

    async fn ping(&mut self, links: &mut Links) -> Result<(), LinkEnd> {
        links.pinged = Instant::now();
        match &self.plan.own_ping {
            Some((_, text)) => send(&mut links.current, text.clone()).await.map_err(LinkEnd::Down),
            None => Ok(()),
        }
    }
}

/// What was asked for, and not what merely keeps a link alive.
fn is_wanted(event: &PublicEvent) -> bool {
    use PublicEvent::*;
    match event {
        Kline(_)
        | Trade(_)
        | Quote(_)
        | Mark(_)
        | Funding(_)
        | Book(_)
        | Implied(_)
        | VolatilityIndex { .. }
        | Rules(_)
        | ServerTime(_) => true,
        Ack { .. } | Refused { .. } | Pong | TestRequest | Shutdown | Other { .. } => false,
    }
}

/// Makes a link and asks for what is wanted.
async fn open(
    url: String,
    plan: SocketPlan,
    connector: Connector,
    connect_max: Duration,
) -> Result<Socket, Downfall> {
    let mut config = WebSocketConfig::default();
    config.max_frame_size = Some(FRAME_MAX);
    config.max_message_size = Some(FRAME_MAX);
    let connecting = connect_async_tls_with_config(url, Some(config), true, Some(connector));
    let (mut socket, _) = match timeout(connect_max, connecting).await {
        Ok(Ok(connected)) => connected,
        Ok(Err(error)) => return Err(Downfall::of(&error)),
        Err(_) => {
            return Err(Downfall::new(format!("there is no answer within {} ms", connect_max.as_millis())));
        }
    };
    for (n, message) in plan.subscribe.into_iter().enumerate() {
        if n > 0 {
            sleep(duration(plan.send_gap)).await;
        }
        send(&mut socket, message).await?;
    }
    Ok(socket)
}

/// Sends a message. A link that takes none is as good as cut.
async fn send(socket: &mut Socket, text: String) -> Result<(), Downfall> {
    match timeout(SEND_MAX, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Downfall::of(&error)),
        Err(_) => Err(Downfall::new("the venue takes no message any more")),
    }
}

/// The next message of the link that was replaced, none where its time is over; without one it waits for ever.
async fn of_before(before: &mut Option<(Socket, Instant)>) -> Option<Result<Message, Error>> {
    match before {
        Some((socket, until)) => {
            let until = *until;
            tokio::time::timeout_at(until, socket.next()).await.unwrap_or(None)
        }
        None => std::future::pending().await,
    }
}

/// The link that is being made; without one it waits for ever.
async fn of_next(next: &mut Option<JoinHandle<Result<Socket, Downfall>>>) -> Result<Socket, Downfall> {
    match next {
        Some(task) => match task.await {
            Ok(opened) => opened,
            Err(_) => Err(Downfall::new("the task that makes it has ended")),
        },
        None => std::future::pending().await,
    }
}
