//! What a family sees when it judges: the market at the end of a stamp, its agent, and what it costs to trade.

use super::legs::Legs;
use super::listed::ListedInstruments;
use crate::agents::personality::{Preset, Traits};
use crate::domain::{ContractTerms, InstrumentId, SideRule, Span, Stamp, money};
use crate::fills::{self, Costs, Tariff, charge, level};
use crate::market::Market;

/// What a family sees.
#[derive(Clone, Copy, Debug)]
pub struct StructureContext<'a> {
    /// What is listed.
    pub listed: &'a ListedInstruments,
    /// What is quoted.
    pub board: &'a Market,
    /// What trading costs.
    pub costs: &'a Tariff,
    /// The stamp that is over.
    pub now: Stamp,
    /// The agent's character.
    pub traits: &'a Traits,
    /// What being deployed for its goal changes.
    pub preset: &'a Preset,
    /// Which sides it may take.
    pub side: SideRule,
    /// Own capital, in the account's currency.
    pub capital: f64,
    /// What is held.
    pub legs: &'a Legs,
    /// Whether something may be opened: always, but with money that may not be risked.
    pub may_open: bool,
}

impl StructureContext<'_> {
    /// Newest price in the account's currency.
    pub fn value(&self, id: InstrumentId) -> Option<f64> {
        self.listed.value(self.board, id).filter(|v| v.is_finite() && *v > 0.0)
    }

    /// Whether all of these were priced within `age` before now.
    pub fn is_fresh(&self, ids: &[InstrumentId], age: Span) -> bool {
        ids.iter().all(|id| {
            self.board.get(*id).is_some_and(|q| {
                q.settled.is_none() && q.price().is_some_and(|p| self.now.since(p.at).0 <= age.0)
            })
        })
    }

    /// Fee as a fraction of notional; not of pools and options, whose fees are no such fraction.
    pub fn rate(&self, id: InstrumentId, maker: bool) -> f64 {
        let i = self.listed.get(id);
        fills::rate(self.costs(id), i.kind, &i.terms, maker)
    }

    /// Cost of taking an instrument once, as a fraction of notional: fee and half the spread.
    pub fn cost(&self, id: InstrumentId) -> f64 {
        let i = self.listed.get(id);
        let half =
            self.board.get(id).and_then(|q| q.top).map(|t| (t.value.ask - t.value.bid) / 2.0 / t.value.mid());
        let costs = self.costs.of(i);
        let half = half.unwrap_or(match costs {
            Costs::Flat(_) => 0.0,
            Costs::Bars(b) => b.half_spread.of(i.kind),
        });
        let fee = match i.terms {
            // In its price.
            ContractTerms::Pool { fee_ppm, .. } => f64::from(fee_ppm) / 1e6,
            ContractTerms::Option { .. } => self.fee(id) / self.value(id).unwrap_or(f64::NAN),
            _ => self.rate(id, false),
        };
        fee + half
    }

    /// What trading this costs at its venue.
    pub fn costs(&self, id: InstrumentId) -> &Costs {
        self.costs.of(self.listed.get(id))
    }

    /// Fee of taking one unit at its newest price, in the account's currency; NaN where it has no price.
    pub fn fee(&self, id: InstrumentId) -> f64 {
        let price = self.value(id).unwrap_or(f64::NAN);
        let underlying = self.board.get(id).and_then(|q| q.implied).map_or(price, |i| i.value.1);
        let i = self.listed.get(id);
        charge::trade(self.costs(id), (i.kind, &i.terms), 1.0, price, underlying, false)
    }

    /// What taking `quantity` (signed) now would cost a unit, in the account's currency, as deep as it
    /// goes and before fees; none where that much cannot be had.
    pub fn taking(&self, id: InstrumentId, quantity: f64) -> Option<f64> {
        let hit = level::hit(self.board, self.listed.get(id), |price| self.listed.tick(id, price), quantity)?;
        let whole = libm::fabs(hit.quantity) >= libm::fabs(quantity) * (1.0 - 1e-9);
        whole.then_some(hit.price * self.listed.scale(self.board, id)?)
    }

    /// Whether a market takes an order of this size: worth its least notional at `worth` a unit, and, where it
    /// trades in lots, one lot at least.
    pub fn is_order(&self, id: InstrumentId, quantity: f64, price: f64, in_lots: bool) -> bool {
        let size = libm::fabs(quantity);
        let size = if in_lots { self.listed.lots(id, size) } else { size };
        size > 0.0 && size * price >= money::to_estimate(self.listed.get(id).min_notional)
    }

    /// Units of a structure whose largest leg is worth `notional` a unit, after the agent's character.
    pub fn units(&self, size: f64, notional: f64) -> f64 {
        size * self.traits.aggression * self.preset.unit * self.capital / notional
    }
}
