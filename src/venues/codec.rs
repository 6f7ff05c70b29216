//! What the codec of a venue does, and what can be asked of one: bytes in, events out, requests as text. No IO.

use crate::domain::{Span, Stamp};
use crate::venues::event::PublicEvent;

/// What can be heard of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamKind {
    /// Bars of this length, also while they grow.
    Klines(Span),
    /// Trades, those of one order at one price together where the venue does so.
    Trades,
    /// The best bid and offer.
    Quotes,
    /// Mark, index, expected funding; of an option its volatilities.
    Marks,
    /// The book, as changes (Binance, Deribit) or whole (Hyperliquid).
    Book,
    /// The index of implied volatility; the symbol is the asset.
    VolatilityIndex,
}

/// A stream of a symbol that is to be heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedStream {
    /// As the venue writes it in its events.
    pub symbol: String,
    /// What of it.
    pub kind: StreamKind,
}

/// A socket that is to be kept up, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketPlan {
    /// Behind the base URL, with a leading slash, or empty.
    pub path: String,
    /// What is sent once it is up, in this order.
    pub subscribe: Vec<String>,
    /// Time between two messages that are sent: the venue cuts who sends faster.
    pub send_gap: Span,
    /// Without anything but pings and acknowledgements for this long the link is silent, and made anew. Longer than
    /// the slowest of its streams keeps quiet.
    pub silent_after: Span,
    /// How often the venue wants to hear something, and what.
    pub own_ping: Option<(Span, String)>,
    /// The link is replaced by a new one before the venue cuts it at this age.
    pub rotate_after: Option<Span>,
}

/// What can be asked by REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestAsk {
    /// Bars that open at `from` or later and end at `to` or before, oldest first. Those that end after `to` come as not
    /// closed, or not at all.
    Klines {
        /// As the venue writes it.
        symbol: String,
        /// Length of the bars.
        interval: Span,
        /// Open of the first one.
        from: Stamp,
        /// The moment up to which bars are whole.
        to: Stamp,
        /// At most so many; the codec asks for no more than the venue gives.
        limit: u32,
    },
    /// Settlements of funding from `from` to `to`, oldest first.
    Fundings {
        /// As the venue writes it.
        symbol: String,
        /// None is older than this.
        from: Stamp,
        /// None is newer than this.
        to: Stamp,
        /// At most so many.
        limit: u32,
    },
    /// The trading rules of all that is listed (of an asset, where the venue tells them by asset).
    Rules {
        /// Only of this one, where the venue is asked so (Deribit); empty: of all.
        asset: String,
    },
    /// The venue's clock.
    ServerTime,
    /// The whole book, or its best thousand prices a side.
    Depth {
        /// As the venue writes it.
        symbol: String,
    },
    /// Marks, indices and expected funding of all perps.
    Marks,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestMethod {
    /// All of it is in the path.
    Get,
    /// With a body of JSON.
    Post,
}

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestRequest {
    /// How it is sent.
    pub method: RestMethod,
    /// Behind the base URL: path and query.
    pub path: String,
    /// JSON; empty with [`RestMethod::Get`].
    pub body: String,
    /// What the venue charges for it of its budget per minute.
    pub weight: u32,
    /// What was asked: how the answer is read.
    pub ask: RestAsk,
}

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or without what this kind of message must have.
    #[error("{kind}: {why}, at the beginning of `{start}`")]
    Shape {
        /// What it was taken for.
        kind: String,
        /// What the reader says.
        why: String,
        /// The first characters of it.
        start: String,
    },
    /// A value that no such thing can have: a price that is not positive, a stamp beyond all years.
    #[error("{kind}: {what} cannot be {value}")]
    Value {
        /// What it was taken for.
        kind: String,
        /// Which of its fields.
        what: &'static str,
        /// As the venue wrote it.
        value: String,
    },
}

/// Why something cannot be asked of a venue, or was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VenueError {
    /// The venue has no such thing.
    #[error("{venue} has no {what}; {way_out}")]
    Unsupported {
        /// Name of the venue.
        venue: &'static str,
        /// What it has not.
        what: String,
        /// What can be asked instead.
        way_out: String,
    },
    /// A base URL that cannot be used.
    #[error(
        "{url}: {why}; write wss://HOST or https://HOST, or ws:// or http:// with an address of this machine"
    )]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The venue could not be reached.
    #[error("{url} is not reached: {why}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What the machine says.
        why: String,
    },
    /// The venue said no.
    #[error("{url}: the venue answers {status}: {text}")]
    Refused {
        /// What was asked.
        url: String,
        /// Status of the answer, as HTTP has them.
        status: u16,
        /// Its words, the beginning of them.
        text: String,
    },
    /// Too much was asked: nothing more may be sent before this moment.
    #[error("{venue} takes no request before {until}: its budget per minute is used up")]
    Throttled {
        /// Name of the venue.
        venue: &'static str,
        /// When the next one may be sent.
        until: Stamp,
    },
    /// The answer could not be read.
    #[error("{url}: {why}")]
    Answer {
        /// What was asked.
        url: String,
        /// What cannot be read.
        why: DecodeError,
    },
    /// The machine gives no thread or no runtime.
    #[error("the sockets cannot be started: {0}")]
    Start(String),
}

/// The codec of a venue: no IO, no clock, no state.
pub trait Codec: Send + Sync {
    /// Its name, as in feeds: `binance`.
    fn venue(&self) -> &'static str;

    /// Weight of requests that an address may ask for in a minute.
    fn weight_per_minute(&self) -> u32;

    /// The sockets that carry what is wanted.
    fn sockets(&self, wanted: &[WantedStream]) -> Result<Vec<SocketPlan>, VenueError>;

    /// Reads a message of a socket and appends what it says. After an error nothing was appended.
    fn decode(&self, text: &[u8], out: &mut Vec<PublicEvent>) -> Result<(), DecodeError>;

    /// What must be sent back after an event, if anything.
    fn reply(&self, _event: &PublicEvent) -> Option<String> {
        None
    }

    /// The request that asks for something.
    fn request(&self, ask: RestAsk) -> Result<RestRequest, VenueError>;

    /// Reads the answer to a request and appends what it says; an answer that refuses is [`PublicEvent::Refused`]. After an
    /// error nothing was appended.
    fn decode_answer(
        &self,
        ask: &RestAsk,
        body: &[u8],
        out: &mut Vec<PublicEvent>,
    ) -> Result<(), DecodeError>;
}

/// The beginning of something, for an error: printable, short.
pub(crate) fn beginning(text: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(text.get(..SHOWN.min(text.len())).unwrap_or_default());
    text.chars().map(|c| if c.is_control() || crate::domain::is_unprintable(c) { ' ' } else { c }).collect()
}
