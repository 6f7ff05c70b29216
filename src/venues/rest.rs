//! Requests that wait for their answer, within the budget of the venue.
//!
//! # Invariants
//!
//! 1. Nothing is sent beyond the budget; what the venue says that it has counted corrects it.
//! 2. A request is tried again where it cannot have failed for good: no link, a server that is overloaded. What the venue refuses
//!    is refused.
//! 3. Nothing is longer than [`BODY_MAX`], and nothing waits longer than its settings say.

use crate::domain::{Span, Stamp};
use crate::venues::backoff::Backoff;
use crate::venues::budget::{Urgency, WeightBudget};
use crate::venues::codec::{Codec, DecodeError, RestAsk, RestMethod, RestRequest, VenueError};
use crate::venues::event::PublicEvent;
use crate::venues::reading::words;
use crate::venues::tls;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::http::HeaderMap;
use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy};

/// Longest answer that is read: the rules of all that Binance lists have some megabytes.
pub const BODY_MAX: u64 = 64 << 20;
/// How often a request is sent at most.
const ATTEMPTS_MAX: u32 = 4;
/// Shares of the budget that are kept for cancelling: one of five.
const RESERVED_PART: u32 = 5;
/// In which header a venue says what it has counted in this minute.
const WEIGHT_HEADERS: [&str; 2] = ["x-mbx-used-weight-1m", "x-mbx-used-weight"];

/// How a venue is asked.
#[derive(Clone, Debug)]
pub struct RestSettings {
    /// Base URL: `https://HOST`, or `http://` with an address of this machine.
    pub url: String,
    /// Longest time for an answer, name and link included.
    pub answer_max: Span,
    /// Longest time that a call waits for the budget; beyond it the call fails and names the moment.
    pub wait_max: Span,
    /// First wait after a failure.
    pub retry_first: Span,
    /// What the chance in the waits is drawn from.
    pub seed: u64,
}

impl RestSettings {
    /// With the times that suit a venue on the other side of the world.
    pub fn new(url: &str) -> Self {
        RestSettings {
            url: url.to_owned(),
            answer_max: Span::seconds(15),
            wait_max: Span::MINUTE,
            retry_first: Span(Span::seconds(1).0 / 2),
            seed: 0,
        }
    }
}

/// Asks one venue. Its calls wait; several threads may share it, and with it the budget.
#[derive(Debug)]
pub struct RestClient {
    agent: Agent,
    venue: &'static str,
    url: String,
    wait_max: Span,
    budget: Mutex<WeightBudget>,
    backoff: Mutex<Backoff>,
}

/// What came of one attempt.
enum Attempt {
    Answered(Vec<u8>),
    /// It may work another time.
    Again(VenueError),
    Failed(VenueError),
}

impl RestClient {
    /// For a venue, with the budget that its codec names.
    pub fn new(codec: &dyn Codec, settings: &RestSettings) -> Result<Self, VenueError> {
        let url = tls::base_url(&settings.url, "http", "https")?;
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(tls::provider()).build();
        // This machine is not behind its own proxy.
        let proxy = if url.starts_with("https") { Proxy::try_from_env() } else { None };
        let config = Agent::config_builder()
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(duration(settings.answer_max)))
            .user_agent("hive")
            .tls_config(tls)
            .build();
        let limit = codec.weight_per_minute();
        Ok(RestClient {
            agent: config.into(),
            venue: codec.venue(),
            url,
            wait_max: settings.wait_max,
            budget: Mutex::new(WeightBudget::per_minute(limit, limit / RESERVED_PART)),
            backoff: Mutex::new(Backoff::new(settings.retry_first, Span::seconds(10), settings.seed)),
        })
    }

    /// Asks for something and reads the answer.
    pub fn ask(&self, codec: &dyn Codec, ask: RestAsk) -> Result<Vec<PublicEvent>, VenueError> {
        let request = codec.request(ask)?;
        let body = self.get(&request, Urgency::Other)?;
        let mut events = Vec::new();
        let read: Result<(), DecodeError> = codec.decode_answer(&request.ask, &body, &mut events);
        read.map_err(|why| VenueError::Answer { url: self.shown(&request), why })?;
        Ok(events)
    }

    /// Sends a request and waits for its answer; tries again where that can help.
    pub fn get(&self, request: &RestRequest, urgency: Urgency) -> Result<Vec<u8>, VenueError> {
        let mut tried = 1;
        loop {
            self.wait_for_budget(request.weight, urgency)?;
            match self.attempt(request) {
                Attempt::Answered(body) => {
                    lock(&self.backoff).reset();
                    return Ok(body);
                }
                Attempt::Again(why) if tried < ATTEMPTS_MAX => {
                    tracing::warn!(%why, tried, "asked again");
                    let wait = lock(&self.backoff).wait();
                    sleep(duration(wait));
                    tried += 1;
                }
                Attempt::Again(why) | Attempt::Failed(why) => return Err(why),
            }
        }
    }

    /// What is left of the budget of this minute.
    pub fn weight_left(&self) -> u32 {
        lock(&self.budget).left(now())
    }

    fn wait_for_budget(&self, weight: u32, urgency: Urgency) -> Result<(), VenueError> {
        let begun = now();
        loop {
            let taken = lock(&self.budget).take(weight, urgency, now());
            let Err(until) = taken else { return Ok(()) };
            if until.since(begun) > self.wait_max {
                return Err(VenueError::Throttled { venue: self.venue, until });
            }
            // Never shorter than the clock is exact.
            sleep(duration(until.since(now())).max(Duration::from_millis(1)));
        }
    }

    fn attempt(&self, request: &RestRequest) -> Attempt {
        let url = format!("{}{}", self.url, request.path);
        let sent = match request.method {
            RestMethod::Get => self.agent.get(&url).call(),
            RestMethod::Post => {
                self.agent.post(&url).header("content-type", "application/json").send(&request.body)
            }
        };
        let unreachable = |why: ureq::Error| {
            Attempt::Again(VenueError::Unreachable { url: self.shown(request), why: words(&why.to_string()) })
        };
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(why) => {
                lock(&self.budget).answered(request.weight, None, now());
                return unreachable(why);
            }
        };
        let status = answer.status().as_u16();
        let counted = number(answer.headers(), &WEIGHT_HEADERS).and_then(|n| u32::try_from(n).ok());
        lock(&self.budget).answered(request.weight, counted, now());
        let retry_after = number(answer.headers(), &["retry-after"]).map(Span::seconds);
        let body = match answer.body_mut().with_config().limit(BODY_MAX).read_to_vec() {
            Ok(body) => body,
            Err(why) => return unreachable(why),
        };
        let refused = || {
            let text = words(&String::from_utf8_lossy(&body));
            VenueError::Refused { url: self.shown(request), status, text }
        };
        match status {
            200..=299 => Attempt::Answered(body),
            418 | 429 => {
                lock(&self.budget).refused(status == 418, retry_after, now());
                Attempt::Again(refused())
            }
            500..=599 => Attempt::Again(refused()),
            _ => Attempt::Failed(refused()),
        }
    }

    /// What was asked, without what follows the question mark.
    fn shown(&self, request: &RestRequest) -> String {
        format!("{}{}", self.url, request.path.split('?').next().unwrap_or_default())
    }
}

/// The first of these headers that is a whole number.
fn number(headers: &HeaderMap, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()?.trim().parse().ok())
}

/// What a thread that has failed left in it is whole: nothing that is locked here calls out.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.0).unwrap_or(0))
}

/// The clock of this machine.
fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
