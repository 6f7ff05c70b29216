//! Prices between two closes of the decision clock: what orders of simulated lives fill at, and what stops and targets are
//! judged at, where a run asks for it (`--fills fine`).
//!
//! # Invariants
//!
//! 1. A finer bar is told at its close: what is decided at it meets the open of the next one, and so does what was decided
//!    at a close of the decision clock.
//! 2. Where an instrument is quoted, its quotes count and its finer bars do not: these open in the past of quotes.
//! 3. An asset without finer prices in a bar is filled by the bar, as where nobody asks.

use super::Costs;
use super::books::SimulatedBook;
use crate::domain::{Bar, InstrumentId, InstrumentKind, MarketEvent, Span};
use crate::market::quotes::DetailLevel;
use crate::market::{InstrumentState, Market};

/// Which prices simulated lives fill at, and judge their stops and targets at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillPrices {
    /// Those of the bars of the decision clock: opens and closes.
    #[default]
    Bars,
    /// Those of finer bars and quotes, where there are any.
    Fine,
}

impl FillPrices {
    /// The words of the file, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["bars", "fine"];

    /// The name that `agents.toml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            FillPrices::Bars => "bars",
            FillPrices::Fine => "fine",
        }
    }

    /// A bar of the decision clock closes on a book: what is on order fills, unless finer prices of it were told, and what
    /// is held pays for the bar's time.
    pub fn close(
        self,
        book: &mut SimulatedBook,
        costs: &Costs,
        kind: InstrumentKind,
        (listing, span): (&InstrumentState, Span),
    ) {
        if self == FillPrices::Fine && FinerPrice::had(listing) {
            book.hold(costs, kind, listing.last().open, span);
        } else {
            book.bar(costs, kind, listing.last(), listing.sigma_before, span);
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        [FillPrices::Bars, FillPrices::Fine].into_iter().find(|f| f.word() == word)
    }
}

/// What an event says of a price between two closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FinerPrice {
    /// What it is a price of.
    pub instrument: InstrumentId,
    /// The finer bar; of a quote its mid, with the volume of the last bar of the decision clock.
    pub bar: Bar,
    /// Volatility over it, as a fraction.
    pub sigma: f64,
}

impl FinerPrice {
    /// What an event that the market has not taken yet says of the price of an instrument; none where it says nothing, or
    /// where that is finer told already.
    pub fn told(asked: FillPrices, market: &Market, event: &MarketEvent, decide: Span) -> Option<FinerPrice> {
        if asked == FillPrices::Bars {
            return None;
        }
        let listing = market.instruments.get(event.instrument()?.index())?;
        match *event {
            MarketEvent::Inside { instrument, at, bar } if listing.level == DetailLevel::Bars => {
                let opened = listing.inside.max(listing.bar.map(|b| b.at));
                let span = opened.map_or(decide, |opened| at.since(opened));
                let sigma = listing.sigma * libm::sqrt(span.in_units_of(decide).clamp(0.0, 1.0));
                Some(FinerPrice { instrument, bar, sigma })
            }
            MarketEvent::Quote { instrument, bid, ask, .. } => {
                let mid = f64::midpoint(bid, ask);
                let volume = listing.last().volume;
                let bar = Bar { open: mid, high: mid, low: mid, close: mid, volume };
                Some(FinerPrice { instrument, bar, sigma: listing.sigma })
            }
            _ => None,
        }
    }

    /// Whether finer prices of an instrument were told within its last bar.
    pub fn had(listing: &InstrumentState) -> bool {
        let last = match listing.level {
            DetailLevel::Bars => listing.inside,
            _ => listing.top.map(|top| top.at),
        };
        last.is_some_and(|at| Some(at) > listing.bar_before)
    }
}
