//! The end of the account: the venue takes over what its equity bears no more, and it trades no more.
//!
//! # Invariants
//!
//! 1. It is cross margin: the account's whole equity stands for all that it holds ([`Liquidation`]). What is left of it then,
//!    up to the maintenance margin, is the venue's; what it lacks, because a price opened beyond, stays owed.
//! 2. What the venue takes over are fills like any other: told apart, booked, and compared with what the venue holds.
//! 3. A ruined account is halted for good: neither time nor a command brings it back.
//! 4. A venue outside does this itself, and says so by its fills.

use super::account::Ruin;
use super::context::StepContext;
use super::life::Real;
use crate::domain::money::MONEY_SCALE;
use crate::domain::{Bar, Decimal, Instrument, InstrumentId, Money, money};
use crate::engine::Outputs;
use crate::execution::PaperVenue;
use crate::fills::liquidation::{Liquidation, PriceRange};
use crate::ledger::exact::PRICE_SCALE;

/// A position that stands on the account's equity.
struct MarginPosition {
    id: InstrumentId,
    quantity: f64,
    range: PriceRange,
    /// The price before the last bar.
    before: f64,
}

impl Real {
    /// Has the venue take over everything if `equity`, at the marks, is no more than maintenance somewhere in the last
    /// bars; what came of it.
    pub(super) fn liquidate(
        &mut self,
        cx: &StepContext<'_>,
        equity: Money,
        out: &mut Outputs,
    ) -> Option<Ruin> {
        self.execution.router.venue.paper().filter(|_| self.account.ruin.is_none())?;
        let estimate = money::to_estimate(equity);
        if !self.is_near(cx, estimate) {
            return None;
        }
        let exposed = self.on_margin(cx);
        let held: Vec<_> = exposed.iter().map(|e| (e.quantity, e.range)).collect();
        let due = Liquidation::of(estimate, &held)?;
        // Books that say other than what is held know no equity: that is a doubt, which halts, and no ruin.
        let agrees = |i: &Instrument| self.execution.position(cx.spec, i.id) == self.account.booked(i.id);
        if !cx.spec.instruments.iter().all(agrees) {
            return None;
        }
        let first = worst(&exposed, &due);
        let mut prices = self.account.marks.clone();
        for (e, price) in exposed.iter().zip(due.prices) {
            let price = money::from_estimate(price, PRICE_SCALE).filter(|p| *p > Decimal::ZERO);
            prices[e.id.index()] = price.unwrap_or(prices[e.id.index()]);
        }
        let mut purse = self.account.ledger.account_equity(&prices).unwrap_or_default();
        let mut fees = vec![Decimal::ZERO; prices.len()];
        for e in &exposed {
            let price = prices[e.id.index()];
            let needed = e.range.maintenance(e.quantity, money::to_estimate(price));
            let fee = money::from_estimate(needed, 8).unwrap_or_default().min(purse).max(Decimal::ZERO);
            fees[e.id.index()] = fee;
            purse -= fee;
        }
        self.take_over(cx, &prices, &fees, out);
        let left = self.account.ledger.account_equity(&self.account.marks).unwrap_or(purse);
        Some(Ruin { at: cx.at, taken_over: first.map(|id| (id, prices[id.index()])), left })
    }

    /// Whether prices of the last bars, at their worst all together, could have ruined it. Asked at every barrier, of an
    /// account that nearly never is.
    fn is_near(&self, cx: &StepContext<'_>, equity: f64) -> bool {
        let mut reach = 0.0;
        for i in &cx.spec.instruments {
            let held = self.account.booked(i.id);
            if held.is_zero() {
                continue;
            }
            let range = self.price_range(cx, i);
            // Twice as much, since the mark is rounded to a tick.
            reach += 2.0 * libm::fabs(money::to_estimate(held)) * range.reach();
        }
        // What has no price is near: it is looked at as closely as can be.
        reach.is_nan() || equity <= reach
    }

    /// What the account holds, in the order of the instruments.
    fn on_margin(&self, cx: &StepContext<'_>) -> Vec<MarginPosition> {
        let mut exposed = Vec::new();
        for instrument in &cx.spec.instruments {
            let id = instrument.id;
            let held = self.account.booked(id);
            if held.is_zero() {
                continue;
            }
            let range = self.price_range(cx, instrument);
            let before = money::to_estimate(self.account.confirmed[id.index()]);
            exposed.push(MarginPosition { id, quantity: money::to_estimate(held), range, before });
        }
        exposed
    }

    /// Where the price of something that is held was within the last bar; where none is told, it is the mark.
    fn price_range(&self, cx: &StepContext<'_>, instrument: &Instrument) -> PriceRange {
        let mark = money::to_estimate(self.account.marks[instrument.id.index()]);
        let listing = &cx.market.instruments[instrument.id.index()];
        // Equity is at the marks, so the last price is the mark; within the bar, however it was rounded.
        let last = *listing.last();
        let is_told = listing.bar.is_some() && listing.is_fresh(cx.at);
        let bar = Bar { close: mark, high: last.high.max(mark), low: last.low.min(mark), ..last };
        PriceRange::new(&bar, is_told, instrument.kind)
    }

    /// The venue closes all that is held at these prices and takes these fees, by instrument; nothing is wanted any more.
    fn take_over(&mut self, cx: &StepContext<'_>, prices: &[Decimal], fees: &[Money], out: &mut Outputs) {
        self.cancel_packages(cx, out);
        for instrument in cx.spec.desk_instruments() {
            let id = instrument.id;
            self.execution.desk.forget(&cx.spec.desk, id);
            self.withdraw(cx, id, out);
            // Spot that is carried goes first: its exposure is the agents', and is booked with the perp.
            if let Some(spot) = cx.spec.services.carried(id.index()) {
                self.withdraw(cx, spot, out);
                self.execution.services.assets[id.index()].spot_pending = Decimal::ZERO;
                self.tell(|paper| paper.take_over(spot, cx.at, prices[spot.index()], fees[spot.index()]));
                self.hear_venue(cx, out);
            }
            self.tell(|paper| paper.take_over(id, cx.at, prices[id.index()], fees[id.index()]));
            if self.hear_venue(cx, out).is_none() {
                self.close_opposites(cx, id, prices[id.index()], out);
            }
        }
        self.take_over_packages(cx, prices, fees, out);
    }

    /// The same of what packages alone hold.
    fn take_over_packages(
        &mut self,
        cx: &StepContext<'_>,
        prices: &[Decimal],
        fees: &[Money],
        out: &mut Outputs,
    ) {
        for id in self.execution.packages.instruments() {
            // In the currency of its price.
            let scale = cx.scale_of(id).unwrap_or(Decimal::ONE);
            let each = |x: Decimal| x.checked_div(scale).unwrap_or_default().round_dp(PRICE_SCALE);
            let (price, fee) = (each(prices[id.index()]), each(fees[id.index()]).round_dp(MONEY_SCALE));
            self.tell(|paper| paper.take_over(id, cx.at, price, fee));
            if self.hear_venue(cx, out).is_none() && id.index() >= cx.spec.traded {
                self.close_opposites(cx, id, price, out);
            }
        }
    }

    /// It is over, and why: for good, whatever else had halted it.
    pub(super) fn end(&mut self, cx: &StepContext<'_>, ruin: Ruin, out: &mut Outputs) {
        let Ruin { at, taken_over, left } = ruin;
        let how = match taken_over {
            Some((id, price)) => format!(
                "the venue took over {} at {} and closed everything else",
                cx.spec.instruments[id.index()].symbol,
                price.normalize()
            ),
            None => "costs have taken the last of it".to_owned(),
        };
        let cents = left.round_dp(2).normalize();
        let rest = if cents < Decimal::ZERO {
            format!("nothing is left and {} is owed beyond it, since prices jumped", -cents)
        } else {
            format!("{cents} is left")
        };
        let why = format!(
            "the account was ruined at {at}: its equity was no more than maintenance margin; {how}; of a capital of {} {rest}; it \
             trades no more",
            cx.settings.money.normalize()
        );
        out.alarms.push(why.clone());
        // A halt that a difference caused ends by looking again; this one does not.
        let account = &mut self.account;
        account.is_different = false;
        (account.halted, account.ruin) = (Some(why), Some(ruin));
    }

    fn tell(&mut self, what: impl FnOnce(&mut PaperVenue)) {
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            what(paper);
        }
    }
}

/// The instrument that did it: the one that met its price, or at the opens the one that lost most since the last prices.
fn worst(exposed: &[MarginPosition], due: &Liquidation) -> Option<InstrumentId> {
    if let Some(first) = due.first {
        return exposed.get(first).map(|e| e.id);
    }
    let lost = |(e, price): &(&MarginPosition, &f64)| e.quantity * (e.before - **price);
    let each = exposed.iter().zip(&due.prices);
    each.max_by(|a, b| lost(a).total_cmp(&lost(b))).map(|(e, _)| e.id)
}
