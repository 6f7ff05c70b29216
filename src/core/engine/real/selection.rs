//! In which instrument an asset is held: what carry agents said, what the account holds and what trading costs,
//! put before the rules of [`instrument_selection`](crate::treasury::instrument_selection).

use super::context::StepContext;
use super::life::Real;
use crate::domain::{Decimal, Instrument, InstrumentId, Span, Stamp, money};
use crate::engine::bids::{CARRY_GOOD, ServiceBar};
use crate::engine::order_split::LegChange;
use crate::engine::{Outputs, Settings};
use crate::fills::{Costs, fee_rate};
use crate::market::Market;
use crate::treasury::Mode;
use crate::treasury::desk::{RiskControls, TargetChange};
use crate::treasury::instrument_selection::{AssetAllocation, SelectionTerms, ValueKnown, express};

/// A quote older than this is none.
const STALE_AFTER: Span = Span(3 * Span::DAY.0);

impl Real {
    /// Chooses instruments for what the desk is about to trade, and says what was missed.
    ///
    /// The desk has decided how much of each asset the account holds. What is open is in which instrument it holds it: an
    /// exposure of one unit is the same in spot and in a perp, but spot ties up capital and pays no funding. Whatever is
    /// chosen here, spot and perp together stay the desk's aim to the lot.
    pub(super) fn select_instruments(
        &mut self,
        cx: &StepContext<'_>,
        steer: &RiskControls,
        wanted: &[TargetChange],
        out: &mut Outputs,
    ) -> Vec<LegChange> {
        let spec = cx.spec;
        let mut changes = vec![LegChange::default(); spec.traded];
        // Without a carrier nobody has said what spot is worth, and a fraction of no equity is no size.
        if spec.services.held().next().is_none() || steer.equity <= 0.0 {
            return changes;
        }
        let mut lines = Vec::with_capacity(spec.traded);
        let mut spots = Vec::with_capacity(spec.traded);
        for (i, change) in changes.iter_mut().enumerate() {
            let want = wanted.iter().find(|w| w.instrument.index() == i);
            let (line, spot) = self.line(cx, steer, (i, want), change, out);
            lines.push(line);
            spots.push(spot);
        }
        let services = &cx.settings.services;
        let terms = SelectionTerms {
            capital: services.capital,
            flow: services.flow,
            netting: services.netting,
            beyond: services.beyond,
        };
        express(&terms, &mut lines);
        self.charge_capital(cx, steer, &terms, &lines);
        for (i, (line, before)) in lines.iter().zip(spots).enumerate() {
            self.spot_order(cx, steer, i, (line, before), &mut changes[i]);
        }
        changes
    }

    /// What the choice of instruments has to know of an asset; and of its spot the price, and how much the account holds
    /// as a fraction of equity.
    fn line(
        &mut self,
        cx: &StepContext<'_>,
        steer: &RiskControls,
        (i, wanted): (usize, Option<&TargetChange>),
        change: &mut LegChange,
        out: &mut Outputs,
    ) -> (AssetAllocation, (f64, f64)) {
        let (spec, id) = (cx.spec, InstrumentId(i as u16));
        let carrier = spec.services.carried(i);
        let mut want = wanted.map_or(Decimal::ZERO, |w| w.quantity);
        let (mut spot, mut price, mut open) = (0.0, f64::NAN, false);
        if let Some(s) = carrier {
            (price, open) = spot_now(cx.market, s, cx.at, cx.settings.clock.decide);
            // An asset that the desk does not decide on now has no aim that spot could be a part of.
            open &= wanted.is_some();
            change.fast = self.execution.services.is_followed(cx.market, s, i, cx.at);
            change.due = self.legs_missed(cx, (i, s), wanted.is_some(), out);
            if want.is_zero() {
                // What was missed moves the account although the desk wants nothing new.
                want = change.due + self.left(i).desk;
            }
            if price.is_finite() {
                spot = money::to_estimate(self.execution.services.assets[i].spot_held) * price / steer.equity;
            }
        }
        let unit = cx.market.instruments[i].last().close / steer.equity;
        let estimate = |q: Decimal| if q.is_zero() { 0.0 } else { money::to_estimate(q) * unit };
        let held = spec.desk.atoms(id).quantity(self.execution.desk.held(id));
        let quote = self.execution.services.assets[i].quote;
        let worked = self.execution.services.is_worked(i, cx.at);
        let line = AssetAllocation {
            change: estimate(want),
            target: estimate(held + want),
            spot: if steer.flatten && open { 0.0 } else { spot },
            spot_cost: carrier.map_or(0.0, |s| side(cx.settings, &spec.instruments[s.index()])),
            perp_cost: side(cx.settings, &spec.instruments[i]),
            value: quote.map_or(0.0, |q| q.value.value),
            daily: quote.map_or(0.0, |q| q.value.value / q.value.days),
            hurdle: quote.map_or(1.0, |q| q.value.hurdle),
            most: quote.map_or(0.0, |q| q.value.most),
            known: self.known(cx, steer, i),
            open,
            worked,
            // A perp leg may rest only where somebody watches the spot often enough to buy it when the leg is filled.
            waits: worked && change.fast,
            leaving: 0.0,
            called: false,
        };
        (line, (price, spot))
    }

    /// How much of what the carrier said of an asset still counts. In doubt nothing new is put into spot.
    fn known(&self, cx: &StepContext<'_>, steer: &RiskControls, i: usize) -> ValueKnown {
        let running = self.account.mode() == Mode::Running && !steer.flatten;
        let age = self.execution.services.assets[i].quote.map_or(Span(i64::MAX), |q| cx.at.since(q.at));
        match self.unserved(cx, i) {
            _ if !running => ValueKnown::Stale,
            Some(ServiceBar::Ends) => ValueKnown::Ended,
            _ if age.0 > STALE_AFTER.0 => ValueKnown::Stale,
            Some(ServiceBar::Pauses) => ValueKnown::Held,
            None if age.0 > CARRY_GOOD.0 => ValueKnown::Held,
            None => ValueKnown::Fresh,
        }
    }

    /// What the decision before asked of the legs of an asset and did not get, in base units of the perp; orders for spot
    /// that are still open are taken back, since their price is that of a bar ago.
    fn legs_missed(
        &mut self,
        cx: &StepContext<'_>,
        (i, spot): (usize, InstrumentId),
        is_decided: bool,
        out: &mut Outputs,
    ) -> Decimal {
        let (mut missed, mut unfilled) = (Decimal::ZERO, Decimal::ZERO);
        if is_decided {
            unfilled = self.execution.open_of_desk(spot);
            // A perp leg without its spot: from here on the spot is owed.
            missed = unfilled - std::mem::take(&mut self.execution.services.assets[i].spot_pending);
        }
        if !unfilled.is_zero() {
            self.withdraw(cx, spot, out);
        }
        if missed.is_zero() {
            return Decimal::ZERO;
        }
        // The perp order that rests will do its part of it; only the remainder is made good at once.
        missed + self.execution.market_order(InstrumentId(i as u16))
    }

    /// The carry owes for the capital it was lent, at the price of the last asset that was served: what the next best
    /// use of it would have earned in this bar.
    fn charge_capital(
        &mut self,
        cx: &StepContext<'_>,
        steer: &RiskControls,
        terms: &SelectionTerms,
        lines: &[AssetAllocation],
    ) {
        self.execution.packages.rent = 0.0;
        let Some(price) = terms.last_served(lines) else { return };
        self.execution.packages.rent = price.max(0.0);
        // V is what a unit gains over the days that its quote looks ahead; the charge is for one bar of them.
        let bar = cx.settings.clock.decide.in_units_of(Span::DAY) * steer.equity;
        let lent = |line| price * terms.lent(line);
        // The last served may have a V below zero and be held only because leaving costs more: then nobody
        // waits for the capital, and it costs nothing.
        if lines.iter().map(lent).sum::<f64>() <= 0.0 {
            return;
        }
        for (asset, line) in self.execution.services.assets.iter_mut().zip(lines) {
            if let Some(carrier) = asset.carrier {
                asset.carrier_record(carrier).rent.0 += lent(line) * bar;
            }
        }
    }

    /// The order for spot that makes an allocation real, if there is one that the venue would take.
    fn spot_order(
        &self,
        cx: &StepContext<'_>,
        steer: &RiskControls,
        i: usize,
        (line, (price, before)): (&AssetAllocation, (f64, f64)),
        change: &mut LegChange,
    ) {
        let spec = cx.spec;
        let Some(spot) = spec.services.carried(i) else { return };
        // Less than this is rounding of the choice, not a change of it.
        if !line.open || (line.spot - before).abs() < 1e-9 {
            return;
        }
        // Both legs must be whole lots, or the account would be left with a difference that it cannot trade away.
        let Some(lot) = spec.lot_of_both(i) else { return };
        let quantity = if line.spot == 0.0 {
            // All of it, not an estimate of it: nothing is left behind.
            -self.execution.services.assets[i].spot_held
        } else {
            let coins = (line.spot - before) * steer.equity / price;
            in_lots(coins, lot)
        };
        let notional = money::to_estimate(quantity).abs() * price;
        if notional >= money::to_estimate(spec.instruments[spot.index()].min_notional) {
            change.spot = quantity;
            // Capital that is called back is not waited for.
            change.fast &= !line.called;
        }
    }
}

/// The price of a spot instrument, and whether it can trade cx.
fn spot_now(market: &Market, spot: InstrumentId, at: Stamp, clock: Span) -> (f64, bool) {
    let price = market.price(spot);
    // A price that is a whole decision old comes from a market that is closed or lost: an order there
    // would wait for nobody knows how long, with the other leg already filled.
    price.map_or((f64::NAN, false), |p| (p.value, at.since(p.at).0 < clock.0))
}

/// Coins toward zero in whole lots.
fn in_lots(coins: f64, lot: Decimal) -> Decimal {
    let lots = libm::floor(libm::fabs(coins) / money::to_estimate(lot) + 1e-9);
    let size = money::from_estimate(lots, 0).and_then(|n| n.checked_mul(lot)).unwrap_or_default();
    if coins < 0.0 { -size } else { size }
}

/// What taking an instrument once costs, as a fraction: fee and half the spread.
pub(super) fn side(settings: &Settings, instrument: &Instrument) -> f64 {
    match settings.costs.of(instrument) {
        Costs::Flat(c) => *c,
        Costs::Bars(b) => {
            b.half_spread.of(instrument.kind) + fee_rate(&Costs::Bars(*b), instrument.kind, false)
        }
    }
}
