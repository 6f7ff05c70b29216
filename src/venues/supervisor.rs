//! Sockets that are kept up: one thread for all of them, a task each.
//!
//! A link is made within [`SupervisorSettings::connect_max`], asks for what its plan wants, and is read until it is cut, fails,
//! says nothing for too long, or grows too old. Then it is made anew: at once after a rotation, with a wait that grows after
//! a failure. A link that is replaced on purpose is read until a second after its successor has said something, so nothing is
//! missed; what both say comes twice, and late the second time, and who hears it knows it by its number or its stamp.
//!
//! # Invariants
//!
//! 1. Acknowledgements and pings are no life: only what was wanted resets the clock of silence.
//! 2. Nothing waits without an end: connecting, sending, waiting for a successor.
//! 3. The queue is bounded. When it is full what comes is dropped and counted, and the count is the first thing said
//!    when there is room again; the state of a link is never dropped.
//! 4. A failure that comes back waits longer each time, until the venue has said something that was wanted.

mod link;
mod outlet;

use crate::domain::Span;
use crate::venues::arrival::Arrival;
use crate::venues::backoff::Backoff;
use crate::venues::codec::{Codec, SocketPlan, VenueError};
use crate::venues::tls;
use link::SocketKeeper;
use outlet::Outlet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::Connector;

/// Longest message that is read: several times the longest that a venue sends, the contexts of all assets.
pub const FRAME_MAX: usize = 4 << 20;

/// How sockets are kept up.
#[derive(Clone, Debug)]
pub struct SupervisorSettings {
    /// Base URL of the sockets: `wss://HOST`, or `ws://` with an address of this machine.
    pub url: String,
    /// Longest time that connecting may take: name, TCP, TLS and handshake together.
    pub connect_max: Span,
    /// First wait after a failure.
    pub retry_first: Span,
    /// Longest wait after a failure.
    pub retry_most: Span,
    /// Events that may wait to be taken.
    pub queue: usize,
    /// What the chance in the waits is drawn from.
    pub seed: u64,
}

impl SupervisorSettings {
    /// With the times that suit a venue on the other side of the world.
    pub fn new(url: &str) -> Self {
        SupervisorSettings {
            url: url.to_owned(),
            connect_max: Span::seconds(10),
            retry_first: Span(Span::seconds(1).0 / 2),
            retry_most: Span::MINUTE,
            queue: 1 << 16,
            seed: 0,
        }
    }
}

/// The thread that keeps the sockets up. They are closed when it is dropped.
#[derive(Debug)]
pub struct Supervisor {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts to keep these sockets up.
    pub fn start(
        codec: &Arc<dyn Codec>,
        plans: Vec<SocketPlan>,
        settings: &SupervisorSettings,
    ) -> Result<(Supervisor, Receiver<Arrival>), VenueError> {
        let base = tls::base_url(&settings.url, "ws", "wss")?;
        let connector = Connector::Rustls(tls::client()?);
        let (sender, receiver) = sync_channel(settings.queue.max(1));
        let (stop, stopped) = watch::channel(false);
        let failed = |e: std::io::Error| VenueError::Start(e.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let keepers: Vec<SocketKeeper> = plans
            .into_iter()
            .enumerate()
            .map(|(socket, plan)| SocketKeeper {
                url: format!("{base}{}", plan.path),
                plan,
                codec: Arc::clone(codec),
                connector: connector.clone(),
                connect_max: duration(settings.connect_max),
                backoff: Backoff::new(
                    settings.retry_first,
                    settings.retry_most,
                    settings.seed.wrapping_add(socket as u64),
                ),
                outlet: Outlet::new(socket, sender.clone()),
                stopped: stopped.clone(),
            })
            .collect();
        let run = move || {
            runtime.block_on(async {
                let tasks: Vec<_> = keepers.into_iter().map(|k| tokio::spawn(k.keep_up())).collect();
                for task in tasks {
                    // A task ends when it is told to, or when nobody hears it any more.
                    let _ = task.await;
                }
            });
        };
        let thread = std::thread::Builder::new().name("venues".to_owned()).spawn(run).map_err(failed)?;
        Ok((Supervisor { stop, thread: Some(thread) }, receiver))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Nobody listens any more only where all tasks have ended.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// As the machine's clock counts it.
fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.0).unwrap_or(0))
}
