//! Who serves the desk until the next decision: whose bids are taken, how what is carried changes hands, who may not serve
//! any more, and what makers are paid.

use super::context::StepContext;
use super::life::Real;
use super::selection::side;
use crate::domain::{AgentId, CarryQuote, Decimal, Fill, InstrumentId, money};
use crate::engine::Outputs;
use crate::engine::bids::{Bid, ServiceBar};
use crate::ledger::LedgerError;
use crate::ledger::exact::product;
use crate::treasury::instrument_selection::EACH;

impl Real {
    /// Takes the best bids of carriers and makers, asset by asset.
    pub(super) fn choose_servers(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        for i in 0..cx.spec.traded {
            if let Some(spot) = cx.spec.services.carried(i) {
                self.choose_carrier(cx, (i, spot), out);
            }
            let taking = 1e4 * side(cx.settings, &cx.spec.instruments[i]);
            self.execution.services.choose_maker(&cx.spec.services, i, cx.at, taking);
        }
    }

    fn choose_carrier(&mut self, cx: &StepContext<'_>, (i, spot): (usize, InstrumentId), out: &mut Outputs) {
        let asset = &mut self.execution.services.assets[i];
        let said = asset.bidder.and_then(|holder| asset.carry_bids.of(holder));
        asset.quote = said.or(asset.quote);
        // A leg that is on its way belongs to who sent it.
        if !asset.is_whole() || !self.execution.open_of_desk(spot).is_zero() {
            return;
        }
        let Some(bid) = self.successor(cx, (i, spot)) else { return };
        let to = cx.spec.services.book_of(bid.agent);
        let from = self.execution.services.assets[i].carrier;
        if let Some(from) = from.filter(|from| *from != to)
            && let Err(e) = self.hand_over(i, spot, (from, to))
        {
            let symbol = &cx.spec.instruments[i].symbol;
            return self
                .account
                .halt(format!("{symbol}: what is carried could not be handed over: {e}"), out);
        }
        let asset = &mut self.execution.services.assets[i];
        (asset.bidder, asset.carrier, asset.quote) = (Some(bid.agent), Some(to), Some(bid.said));
    }

    /// The best bid for carrying an asset, of those who may take on what is held.
    fn successor(&self, cx: &StepContext<'_>, (i, spot): (usize, InstrumentId)) -> Option<Bid<CarryQuote>> {
        let services = &self.execution.services;
        let asset = &services.assets[i];
        let both = side(cx.settings, &cx.spec.instruments[i])
            + side(cx.settings, &cx.spec.instruments[spot.index()]);
        let equity = money::to_estimate(self.account.equity).max(f64::MIN_POSITIVE);
        let held = money::to_estimate(asset.spot_held) * money::to_estimate(self.account.marks[spot.index()])
            / equity;
        // What has risen in price since it was bought is still what it was bought as.
        let room = asset.quote.map_or(0.0, |q| q.value.most.min(EACH)).min(held);
        let may = |bid: &Bid<CarryQuote>| {
            let is_holder = asset.bidder == Some(bid.agent);
            services.barred(bid.agent).is_none() && (is_holder || bid.said.value.most >= room)
        };
        asset.carry_bids.best(cx.at, both, asset.bidder, may)
    }

    /// Both legs of what is carried go from one book to another at the mark: what it cost to get in stays with who paid it.
    fn hand_over(
        &mut self,
        i: usize,
        spot: InstrumentId,
        (from, to): (AgentId, AgentId),
    ) -> Result<(), LedgerError> {
        let asset = &self.execution.services.assets[i];
        let legs = [(spot, asset.spot_held), (InstrumentId(i as u16), asset.perp())];
        for (instrument, held) in legs.into_iter().filter(|leg| !leg.1.is_zero()) {
            let mut changes = [(from, -held), (to, held)];
            changes.sort_unstable_by_key(|c| c.0);
            let mark = self.account.marks[instrument.index()];
            self.account.trade(instrument, mark, &changes, None)?;
        }
        Ok(())
    }

    /// What who carries an asset may not do any more, where nobody takes it over.
    pub(super) fn unserved(&self, cx: &StepContext<'_>, i: usize) -> Option<ServiceBar> {
        let services = &self.execution.services;
        let bar = services.barred(services.assets[i].bidder?)?;
        // Who takes over at the next decision finds it as it is.
        let is_taken_over = cx.spec.services.carried(i).is_some_and(|s| self.successor(cx, (i, s)).is_some());
        Some(if is_taken_over { ServiceBar::Pauses } else { bar })
    }

    /// Says of everybody who serves what it may not do now. What rests with a maker who may not is taken back.
    pub(in crate::engine) fn tend(
        &mut self,
        cx: &StepContext<'_>,
        bar: impl Fn(AgentId) -> Option<ServiceBar>,
        out: &mut Outputs,
    ) {
        if !self.execution.services.bar(&cx.spec.services, bar) {
            return;
        }
        for i in 0..cx.spec.traded {
            let services = &self.execution.services;
            let order = &services.assets[i].working_order;
            let is_barred = order.work.is_some_and(|w| services.barred(w.maker).is_some());
            if !is_barred || order.order.is_none() {
                continue;
            }
            // The perp leg of a switch has no spot yet, and is decided on anew.
            let desk = self.left(i).desk;
            self.rest_no_more(cx, InstrumentId(i as u16), out);
            self.execution.services.assets[i].working_order.orphaned = desk;
        }
    }

    /// The fee that a maker asked for goes from those whose order it filled at rest, by what each of them had of the fill.
    pub(super) fn pay_maker(
        &mut self,
        fill: &Fill,
        desk_index: usize,
        out: &mut Outputs,
    ) -> Result<(), LedgerError> {
        let Some(work) = self.execution.services.assets[desk_index].working_order.work else { return Ok(()) };
        let rate = money::from_estimate(work.terms.fee_bps / 1e4, 10).unwrap_or_default();
        let fee = product(product(fill.quantity.abs(), fill.price)?, rate)?;
        if fee.is_zero() {
            return Ok(());
        }
        // As it was just booked.
        let buys = fill.quantity.is_sign_positive();
        let on_its_side = |part: &&(AgentId, Decimal)| !part.1.is_zero() && part.1.is_sign_positive() == buys;
        let payers: Vec<_> = out.scratch.deltas.iter().filter(on_its_side).copied().collect();
        let paid = self.account.ledger.service(&payers, work.maker, fee)?;
        let asset = &mut self.execution.services.assets[desk_index];
        asset.maker_record(work.maker).earned += fee;
        if let Some(carrier) = asset.carrier
            && let Some((_, part)) = paid.iter().find(|p| p.0 == carrier)
        {
            asset.carrier_record(carrier).paid.0 += *part;
        }
        Ok(())
    }
}
