//! What the account is asked with: the rules of the run, and the market as it is now.

use super::spec::RealSpec;
use crate::domain::step::Rounding;
use crate::domain::{ContractTerms, Decimal, Instrument, InstrumentId, Money, Stamp, money};
use crate::engine::Settings;
use crate::execution::PriceFeed;
use crate::ledger::exact::PRICE_SCALE;
use crate::market::{DetailLevel, Market};

/// What is known at a step. It goes first wherever the account acts.
#[derive(Clone, Copy, Debug)]
pub struct StepContext<'a> {
    /// What is set for the run and never changes.
    pub spec: &'a RealSpec,
    /// Settings of the whole run, as configured.
    pub settings: &'a Settings,
    /// Stamp of the step.
    pub at: Stamp,
    /// What was told until then.
    pub market: &'a Market,
}

impl StepContext<'_> {
    /// What one unit of an instrument's price is worth in the account's currency, in numbers of the books.
    pub(super) fn scale_of(&self, id: InstrumentId) -> Option<Decimal> {
        let (listed, instrument) = (&self.spec.listed, self.spec.listed.get(id));
        if is_in_currency(instrument) {
            return Some(Decimal::ONE);
        }
        let is_inverse = matches!(instrument.terms, ContractTerms::Option { inverse: true, .. });
        let settled = self.market.get(id)?.settled.filter(|_| is_inverse).map(|s| s.value);
        let scale = settled.or_else(|| listed.scale(self.market, id))?;
        money::from_estimate(scale, 8).filter(|s| !s.is_zero())
    }

    /// Worth of one unit in the account's currency, in numbers of the books; none where nobody knows.
    pub(super) fn value_of(&self, id: InstrumentId) -> Option<Decimal> {
        let value = self.spec.listed.value(self.market, id).filter(|v| v.is_finite() && *v >= 0.0)?;
        let instrument = &self.spec.instruments[id.index()];
        if is_in_currency(instrument) || self.scale_of(id) == Some(Decimal::ONE) {
            return Some(price(value, instrument));
        }
        money::from_estimate(value, PRICE_SCALE)
    }

    /// By what prices an order is met inside the program.
    pub(super) fn feed_of(&self, id: InstrumentId) -> PriceFeed {
        let Some(listing) = self.market.get(id) else { return PriceFeed::Bars };
        let told = listing.top.map(|t| t.at).max(listing.pool.map(|p| p.at));
        // Where quotes have ended and bars go on, bars are all there is.
        let is_fresh = told.is_some_and(|at| self.at.since(at).0 < self.settings.clock.decide.0);
        if listing.level > DetailLevel::Bars && is_fresh { PriceFeed::Quotes } else { PriceFeed::Bars }
    }
}

/// What is exposed as orders are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exposed {
    /// Σ|position| at the marks, in currency.
    pub gross: Money,
    /// Σ position at the marks, in currency.
    pub net: Money,
}

/// Whether prices of an instrument are in the account's currency.
fn is_in_currency(instrument: &Instrument) -> bool {
    instrument.quote.is_none() && !matches!(instrument.terms, ContractTerms::Option { inverse: true, .. })
}

/// A price of the feed on the instrument's ticks, the nearest one.
pub(super) fn price(x: f64, instrument: &Instrument) -> Decimal {
    instrument.tick.round_estimate(x, Rounding::Nearest).unwrap_or_default()
}
