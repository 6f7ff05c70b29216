//! What a structure on several assets remembers of them: how each did over a window, how much it moves, and how much of that
//! is the market of all of them.
//!
//! # Invariants
//!
//! 1. Nothing but closes of bars goes in, each stamp once all of it is in: whoever asks at the end of a stamp is told with it.
//! 2. O(1) an asset and bar.
//! 3. The mean of returns is over those assets that have one at the stamp, and so is each one's β.

use crate::domain::{Bar, Indicator, InstrumentId, Span, Stamp};
use crate::fills::pace::unit;
use crate::market::indicators::{Bank, SIGMA_SPAN};
use serde::{Deserialize, Serialize};

/// Span, in bars, of the exponential weights of β.
pub const BETA_SPAN: f64 = 120.0;
/// Returns that a β is made of at least.
const BETA_KNOWN: u32 = 60;

/// Sums of products of returns, weighted exponentially.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slope {
    /// Of an asset's return and the market's, and of the market's with itself.
    products: [f64; 2],
    seen: u32,
}

impl Slope {
    fn push(&mut self, own: f64, market: f64) {
        let keep = 1.0 - 2.0 / (BETA_SPAN + 1.0);
        for (sum, more) in self.products.iter_mut().zip([own * market, market * market]) {
            *sum = keep * *sum + more;
        }
        self.seen = self.seen.saturating_add(1);
    }

    fn value(&self) -> Option<f64> {
        let [both, market] = self.products;
        (self.seen >= BETA_KNOWN && market > 0.0).then(|| both / market)
    }
}

/// One asset of a basket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BasketMember {
    instrument: InstrumentId,
    bank: Bank,
    /// Its last close, and when.
    last: Option<(Stamp, f64)>,
    /// Its return of the stamp that is not over yet.
    news: Option<f64>,
    /// Up to the stamp before.
    slope: Slope,
}

/// One asset of a basket as it is at a close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::agents) struct Pick {
    /// What is traded of it.
    pub instrument: InstrumentId,
    /// Its return over the window in units of its expected size.
    pub score: f64,
    /// Its volatility of a bar.
    pub sigma: f64,
    /// Its slope on the mean return of the basket; positive.
    pub beta: f64,
    /// The notional that risks one unit, as a fraction of capital.
    pub unit: f64,
}

/// What is remembered of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::agents) struct BasketMemory {
    members: Vec<BasketMember>,
    window: u16,
    /// The stamp of the newest bar.
    at: Option<Stamp>,
    /// Time from one bar to the next.
    every: Option<Span>,
}

impl BasketMemory {
    /// Of these instruments, one an asset, with returns over so many bars.
    pub fn new(instruments: &[InstrumentId], window: u16) -> Self {
        let keys = || vec![Indicator::Score(window), Indicator::Sigma(SIGMA_SPAN)];
        let member = |instrument: &InstrumentId| BasketMember {
            instrument: *instrument,
            // Buckets of volume are asked for by nobody.
            bank: Bank::new(keys(), 1.0),
            last: None,
            news: None,
            slope: Slope::default(),
        };
        let members = instruments.iter().map(member).collect();
        BasketMemory { members, window, at: None, every: None }
    }

    /// The instruments that it listens to.
    pub fn instruments(&self) -> Vec<InstrumentId> {
        self.members.iter().map(|m| m.instrument).collect()
    }

    /// The stamp of the newest bar.
    pub fn at(&self) -> Option<Stamp> {
        self.at
    }

    /// Time from one bar to the next, the shortest so far.
    pub fn every(&self) -> Option<Span> {
        self.every
    }

    /// Takes in a bar.
    pub fn hear(&mut self, instrument: InstrumentId, at: Stamp, bar: &Bar) {
        if self.at.is_none_or(|now| at > now) {
            self.settle();
            if let Some(before) = self.at {
                let span = at.since(before);
                self.every = Some(self.every.map_or(span, |every| every.min(span)));
            }
            self.at = Some(at);
        }
        let Some(member) = self.members.iter_mut().find(|m| m.instrument == instrument) else { return };
        let before = member.last.replace((at, bar.close));
        member.news = before.map(|(_, close)| libm::log(bar.close / close)).filter(|r| r.is_finite());
        member.bank.push(bar);
    }

    /// The mean return of the newest stamp.
    fn market(&self) -> Option<f64> {
        let news = self.members.iter().filter_map(|m| m.news);
        let (sum, n) = news.fold((0.0, 0), |(sum, n), r| (sum + r, n + 1));
        (n > 1).then(|| sum / f64::from(n))
    }

    /// A stamp is over: its returns belong to the slopes.
    fn settle(&mut self) {
        let market = self.market();
        for member in &mut self.members {
            if let (Some(own), Some(market)) = (member.news.take(), market) {
                member.slope.push(own, market);
            }
        }
    }

    /// All that have a bar at the newest stamp and are known well enough.
    pub fn picks(&self) -> Vec<Pick> {
        let market = self.market();
        let pick = |m: &BasketMember| {
            m.last.filter(|(at, _)| Some(*at) == self.at)?;
            let mut slope = m.slope;
            if let (Some(own), Some(market)) = (m.news, market) {
                slope.push(own, market);
            }
            let value = |key| m.bank.handle(key).map(|i| m.bank.values()[i]).filter(|v| v.is_finite());
            let score = value(Indicator::Score(self.window))?;
            let sigma = value(Indicator::Sigma(SIGMA_SPAN)).filter(|s| *s > 0.0)?;
            let beta = slope.value().filter(|b| *b > 0.0)?;
            Some(Pick { instrument: m.instrument, score, sigma, beta, unit: unit(sigma) })
        };
        self.members.iter().filter_map(pick).collect()
    }
}
