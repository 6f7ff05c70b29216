//! MOVE contracts that are expensive or cheap against the volatility that is expected.
//!
//! A contract pays |mean of the index in its last hour − mean in its first|, so it is a bet on how far the
//! day goes, whichever way. It is valued by [`crate::market::pricing::move_contract`] in each of its phases;
//! both means are taken from the index as it is told (marks), or from the perp where no mark is. A short
//! (−1) sells what is expensive, a long (+1) buys what is cheap; its delta, zero before the strike is fixed, is
//! hedged with the perp.
//!
//! Of the [`WATCHED`] contracts that end next it takes the one whose edge is worth most volatility. The edge
//! is value less price at its size, less the fees of opening and settlement and what hedging costs: as for a
//! straddle, (2φ(d))²/b times the index in expectation, at a band b of delta. A contract of which a window
//! was not heard is left alone: its mean would be a guess.
//!
//! It holds to settlement, and never adds: a day that has gone far already is another trade. It has no
//! trailing stop, since its gain is mostly what time gives.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::realised::ReturnMemory;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, ContractTerms, Indicator, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Term,
};
use crate::fills::charge;
use crate::market::Market;
use crate::market::pricing::move_contract::{ContractPhase, MoveContract, MoveQuote};
use crate::market::pricing::option::{Right, short_margin};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "sells MOVE contracts that are expensive against the volatility expected, buys those \
                               that are cheap, hedged with the perp",
    needs: "MOVE contracts and a perp of the asset; marks with an index where there are any",
    params: &[
        param("nearest", "hours", (4.0, 8.0), (3.0, 2_000.0), "the least time to expiry it opens with"),
        param("hurdle", "volatility per year", (0.01, 0.04), (0.0, 1.0), "edge after costs, over the vega"),
        param("margin", "of capital", (0.1, 0.3), (0.01, 1.0), "margin that it may bind at first"),
        param(
            "band",
            "delta of a contract",
            (0.1, 0.3),
            (0.01, 1.0),
            "delta that is left open before it is hedged",
        ),
        param("stop", "of the price paid", (0.5, 1.0), (0.05, 10.0), "loss at which it is given up"),
        param("warm", "hours", (24.0, 48.0), (1.0, 2_000.0), "prices heard before volatility is forecast"),
        param("stale", "seconds", (120.0, 300.0), (1.0, 86_400.0), "age at which a quote is none"),
    ],
    ordered: &[],
};

/// Contracts whose means are taken at once.
pub const WATCHED: usize = 3;
/// Windows of a contract, at both ends.
const WINDOW: Span = Span::HOUR;
/// Longest silence of the index inside a window; and after which the perp stands in for marks.
const SILENCE: Span = Span(10 * Span::MINUTE.0);
/// How far an index may be from the perp: beyond it one of them is a bad tick.
const INDEX_OFF: f64 = 0.15;
/// Least share of the value that is volatility: what is far in the money only moves as the index does.
const OPEN_SHARE: f64 = 0.3;
/// Hours before expiry at which half is taken off: gamma grows without bound until the last hour.
const NEAR_SETTLEMENT: f64 = 2.0;

/// A contract whose means are taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Watch {
    id: InstrumentId,
    fixing: Stamp,
    contract: MoveContract,
    /// A part of a window was not heard.
    spoilt: bool,
}

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveMemory {
    asset: AssetId,
    nearest: Span,
    hurdle: f64,
    margin: f64,
    band: f64,
    stop: f64,
    warm: Span,
    stale: Span,
    perp: InstrumentId,
    /// All contracts by expiry and fixing.
    listed: Vec<(Stamp, Stamp, InstrumentId)>,
    /// Which of them is the first that was never watched.
    next: usize,
    /// Contracts that are watched now.
    watched: [Option<Watch>; WATCHED],
    /// The index and when it was told; by a mark, or by the perp.
    index: Option<(Stamp, f64)>,
    marked: Option<Stamp>,
    realised: ReturnMemory,
}

/// A contract weighed.
struct WeighedContract {
    id: InstrumentId,
    side: f64,
    size: f64,
    edge: f64,
    volatility: f64,
    forecast: f64,
    price: f64,
    rich: f64,
    bound: f64,
    hours: f64,
}

impl WeighedContract {
    /// Whether it may be opened, if its edge is worth the hurdle.
    fn may_open(&self, seen: &StructureContext<'_>) -> bool {
        let is_order = seen.is_order(self.id, seen.units(self.size, self.price), self.price, true);
        let allowed = self.bound <= seen.capital && seen.side.allows(self.side);
        -self.side * self.rich > 0.0 && allowed && is_order
    }
}

impl MoveMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let [nearest, hurdle, margin, band, stop, warm, stale] = *p else {
            return Err("MOVE contracts take seven parameters".to_owned());
        };
        let moves = listed.find(asset, |i| i.kind == InstrumentKind::Move && i.quote.is_none());
        let perps = listed.find(asset, |i| i.kind == InstrumentKind::Perp && i.quote.is_none());
        let Some(first) = moves.first() else {
            return Err("needs MOVE contracts of the asset".to_owned());
        };
        let venue = &listed.get(*first).venue;
        let perp = perps.iter().find(|p| listed.get(**p).venue == *venue).or(perps.first());
        let perp = *perp.ok_or("needs a perp of the asset to hedge with")?;
        let terms = |id: InstrumentId| match listed.get(id).terms {
            ContractTerms::Move { fixing, expiry } if listed.get(id).venue == *venue => {
                Some((expiry, fixing, id))
            }
            _ => None,
        };
        let mut all: Vec<(Stamp, Stamp, InstrumentId)> = moves.iter().copied().filter_map(terms).collect();
        all.sort_unstable();
        Ok(MoveMemory {
            asset,
            nearest: Span((nearest * Span::HOUR.0 as f64) as i64),
            hurdle,
            margin,
            band,
            stop,
            warm: Span((warm * Span::HOUR.0 as f64) as i64),
            stale: Span((stale * Span::seconds(1).0 as f64) as i64),
            perp,
            listed: all,
            next: 0,
            watched: [None; WATCHED],
            index: None,
            marked: None,
            realised: ReturnMemory::default(),
        })
    }

    /// The index from `at` on: what is watched takes it into its means.
    fn observe(&mut self, at: Stamp, index: f64) {
        let before = self.index.map(|i| i.0);
        if before.is_some_and(|b| at < b) {
            return;
        }
        self.index = Some((at, index));
        for slot in &mut self.watched {
            // An hour after its end nobody waits for a settlement.
            if slot.is_some_and(|w| at > w.contract.expires().after(WINDOW)) {
                *slot = None;
            }
            while slot.is_none() && self.next < self.listed.len() {
                let (expiry, fixing, id) = self.listed[self.next];
                self.next += 1;
                if let (true, Ok(contract)) = (expiry > at, MoveContract::new(fixing, expiry, WINDOW)) {
                    *slot = Some(Watch { id, fixing, contract, spoilt: at > fixing });
                }
            }
            let Some(w) = slot else { continue };
            let silent = before.filter(|b| at.since(*b).0 > SILENCE.0);
            let within = |from: Stamp| silent.is_some_and(|b| b < from.after(WINDOW) && at > from);
            w.spoilt |= within(w.fixing) || within(Stamp(w.contract.expires().0 - WINDOW.0));
            // Stamps rise and the index is positive.
            let _ = w.contract.observe(at, index);
        }
    }

    fn watch(&self, id: InstrumentId) -> Option<&Watch> {
        self.watched.iter().flatten().find(|w| w.id == id)
    }

    /// Volatility expected between the fixing, or now, and the end.
    fn forecast(&self, w: &Watch, now: Stamp) -> Option<f64> {
        let years = |at: Stamp| at.since(now).in_units_of(Span::YEAR).max(0.0);
        let (from, to) = (years(w.fixing), years(w.contract.expires()));
        let total = |t: f64| self.realised.forecast(t, self.warm).map(|s| s * s * t);
        let variance = (total(to)? - total(from)?) / (to - from);
        (variance > 0.0).then(|| libm::sqrt(variance))
    }

    /// What a contract is worth if volatility comes as forecast.
    fn value(&self, w: &Watch, now: Stamp) -> Option<(MoveQuote, f64, f64)> {
        let (at, index) = self.index?;
        if w.spoilt || now.since(at).0 > self.stale.0 {
            return None;
        }
        let forecast = self.forecast(w, now)?;
        Some((w.contract.quote(now, index, forecast).ok()?, index, forecast))
    }

    /// What opening it now would be worth, on the side that it is mispriced to.
    fn weigh(&self, seen: &StructureContext<'_>, w: &Watch) -> Option<WeighedContract> {
        if !seen.is_fresh(&[w.id, self.perp], self.stale) {
            return None;
        }
        let (value, index, forecast) = self.value(w, seen.now)?;
        let price = seen.value(w.id)?;
        let side = if value.value > price { 1.0 } else { -1.0 };
        // As the costlier leg of a straddle.
        let margin = short_margin(Right::Call, index, index, price).ok()?.initial;
        let size = self.margin * price / margin;
        let units = seen.units(size, price);
        let paid = seen.taking(w.id, side * seen.listed.lots(w.id, units))?;
        let vega = value.vega_per_point * 100.0;
        // 2φ(d): the vega over that of a distance which is certain.
        let density = vega * forecast / value.deviation;
        let edge = side * (value.value - paid)
            - seen.fee(w.id)
            - charge::settlement(seen.costs(w.id), InstrumentKind::Move, 1.0, value.value, value.value)
            - density * density / self.band * index * seen.cost(self.perp);
        let open = vega * forecast >= OPEN_SHARE * value.value;
        let hours = w.contract.expires().since(seen.now).in_units_of(Span::HOUR);
        Some(WeighedContract {
            id: w.id,
            side,
            size,
            edge,
            volatility: if open { edge / vega } else { f64::NEG_INFINITY },
            forecast,
            price,
            rich: price / value.value - 1.0,
            bound: margin * units,
            hours,
        })
    }

    /// The contract that is held, else the best of those that may be opened.
    fn best(&self, seen: &StructureContext<'_>) -> Option<WeighedContract> {
        if let Some(w) = seen.legs.held.iter().find_map(|&(id, _)| self.watch(id)) {
            return self.weigh(seen, w);
        }
        let open = |w: &&Watch| {
            w.contract.expires().since(seen.now).0 >= self.nearest.0
                && !matches!(w.contract.phase(seen.now), ContractPhase::Settling | ContractPhase::Settled)
        };
        let all = self.watched.iter().flatten().filter(open).filter_map(|w| self.weigh(seen, w));
        all.max_by(|a, b| a.volatility.total_cmp(&b.volatility))
    }
}

impl Family for MoveMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(std::iter::once(self.perp).chain(self.listed.iter().map(|l| l.2)).collect())
    }

    fn on_event(&mut self, listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        match *event {
            MarketEvent::Settled { instrument, .. } => {
                for slot in &mut self.watched {
                    if slot.is_some_and(|w| w.id == instrument) {
                        *slot = None;
                    }
                }
            }
            MarketEvent::Mark { instrument, at, index, .. } if listed.get(instrument).asset == self.asset => {
                let perp = board.price(self.perp).map_or(index, |p| p.value);
                if libm::fabs(index / perp - 1.0) <= INDEX_OFF {
                    self.marked = Some(at);
                    self.observe(at, index);
                }
            }
            _ if event.instrument() == Some(self.perp) => {
                let Some(price) = board.price(self.perp) else { return };
                self.realised.hear(price.at, price.value);
                if self.marked.is_none_or(|m| price.at.since(m).0 > SILENCE.0) {
                    self.observe(price.at, price.value);
                }
            }
            _ => {}
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let Some(w) = self.best(seen) else { return };
        values.set(Indicator::Forecast, w.forecast);
        values.set(Indicator::Rich, w.rich);
        values.set(Indicator::Edge, w.edge / w.price * 1e4);
        values.set(Indicator::Hours, w.hours);
        if w.may_open(seen) {
            values.set(Indicator::Mispriced, w.side * w.volatility.max(0.0));
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let w = self.best(seen)?;
        if !(w.volatility > self.hurdle && w.may_open(seen)) {
            return None;
        }
        let rich =
            |way: f64, level: f64| Condition::beyond(way, Term::Of(Indicator::Rich), Term::Level(level));
        let shape = StructureShape {
            stop: self.stop * 1e4,
            near: self.stop * 0.5e4,
            far: self.stop * 1e4,
            trails: false,
            hold: w.hours * 60.0,
            // What was expensive is cheap now, or the other way round.
            exit: rich(w.side, 0.0),
            add: None,
            hedge: Condition::below(Term::Of(Indicator::Hours), Term::Level(NEAR_SETTLEMENT)),
            again: Condition::beyond(
                w.side,
                Term::Of(Indicator::Mispriced),
                Term::Level(w.side * self.hurdle),
            ),
            pause: 60.0,
        };
        let plan = shape.plan(w.side, seen.traits, seen.preset);
        let legs = vec![StructureLeg { instrument: w.id, ratio: 1.0 }];
        Some(Proposal { side: w.side, legs, size: w.size, delta: 0.0, plan, limit: None })
    }

    fn hedge(&self, seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        if !seen.is_fresh(&[self.perp], self.stale) {
            return None;
        }
        let (mut delta, mut units) = (0.0, 0.0_f64);
        for &(id, quantity) in seen.legs.held.iter().filter(|h| h.0 != self.perp) {
            let (value, _, _) = self.value(self.watch(id)?, seen.now)?;
            delta += quantity * value.delta;
            units = units.max(libm::fabs(quantity));
        }
        let left = seen.legs.of(self.perp) + delta;
        (libm::fabs(left) > self.band * units).then_some((self.perp, -delta))
    }

    fn is_hedged(&self) -> bool {
        true
    }

    fn pace(&self) -> Span {
        Span::MINUTE
    }
}

#[cfg(test)]
mod tests;
