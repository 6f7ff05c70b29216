//! What events of the market do to the account: orders meet it, funding and borrow are paid, what is gone is closed. What
//! comes of an order the venue says ([`reports`](super::reports)).

use super::context::{StepContext, price};
use super::life::Real;
use crate::domain::{Decimal, Instrument, InstrumentId, MarketEvent, Stamp, money};
use crate::engine::{Outputs, Settings};
use crate::execution::Venue;
use crate::fills::borrow_fraction;
use crate::ledger::exact::PRICE_SCALE;
use crate::market::DetailLevel;

impl Real {
    /// A bar of an instrument: what is on order meets it, the position is told apart, borrow is charged.
    pub fn bar(&mut self, cx: &StepContext<'_>, id: InstrumentId, out: &mut Outputs) {
        let (instrument, decide) = (&cx.spec.instruments[id.index()], cx.settings.clock.decide);
        let listing = &cx.market.instruments[id.index()];
        let costs = cx.settings.costs.of(instrument);
        let open_at = Stamp(cx.at.0 - decide.0);
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.on_bar(instrument, open_at, listing.last(), listing.sigma_before, costs);
        }
        let filled = self.hear_venue(cx, out);
        let mark = filled.map_or_else(|| price(listing.last().open, instrument), |f| f.mark);
        if filled.is_none() {
            // Nothing was traded, but parts may have changed hands inside.
            self.book(cx, id, mark, None, Decimal::ZERO, out);
        }
        self.account.confirmed[id.index()] = self.account.marks[id.index()];
        self.account.mark(id, price(listing.last().close, instrument));
        let owed = borrow_fraction(costs, instrument.kind, decide);
        let is_short = || self.execution.packages.position(id).is_sign_negative();
        if owed > 0.0 && (is_short() || self.execution.desk.parts_short(&cx.spec.desk, id)) {
            let fraction = money::from_estimate(owed, 10).unwrap_or_default();
            let charged = self.account.ledger.borrow(id, mark, fraction);
            self.account.guard("borrow", &charged, out);
        }
    }

    /// A funding settlement of a perp.
    pub fn funding(
        &mut self,
        settings: &Settings,
        id: InstrumentId,
        estimates @ (rate, mark): (f64, f64),
        out: &mut Outputs,
    ) {
        if !self.execution.router.venue.is_prompt() {
            // The venue bills it, and says how much that was, maybe long after what is held has changed.
            if let Some(settled) = self.account.settled.get_mut(id.index()) {
                *settled = self.account.ledger.held_by(id);
            }
            return;
        }
        if settings.costs.is_flat() {
            return;
        }
        let (Some(rate), Some(mark)) =
            (money::from_estimate(rate, 10), money::from_estimate(mark, PRICE_SCALE))
        else {
            return self
                .account
                .halt("a funding settlement could not be read as decimal numbers".to_owned(), out);
        };
        let paid = self.account.ledger.funding(id, mark, rate);
        self.account.guard("funding", &paid, out);
        self.fund_packages(id, estimates);
    }

    /// An asset is gone: the venue closes what is held at its last price.
    pub fn delist(&mut self, cx: &StepContext<'_>, instrument: &Instrument, out: &mut Outputs) {
        let id = instrument.id;
        self.execution.desk.forget(&cx.spec.desk, id);
        self.rest_no_more(cx, id, out);
        self.drop_spot(cx, id, out);
        let last = cx.market.instruments[id.index()].last().close;
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.on_delisted(instrument, cx.at, last, cx.settings.costs.of(instrument));
        }
        if self.hear_venue(cx, out).is_none() {
            self.close_opposites(cx, id, price(last, instrument), out);
        }
    }

    /// An event of an instrument of the desk that the desk itself does not trade by: packages may be filled.
    pub(in crate::engine) fn quoted(&mut self, cx: &StepContext<'_>, event: &MarketEvent, out: &mut Outputs) {
        if cx.spec.has_packages {
            self.meet_packages(cx, event, out);
        }
    }

    /// The spot of an asset that is gone is sold at its last price.
    fn drop_spot(&mut self, cx: &StepContext<'_>, perp: InstrumentId, out: &mut Outputs) {
        let index = perp.index();
        let Some(spot) = cx.spec.services.carried(index) else { return };
        self.withdraw(cx, spot, out);
        self.execution.services.assets[index].spot_pending = Decimal::ZERO;
        let last = money::to_estimate(self.account.marks[spot.index()]);
        let instrument = &cx.spec.instruments[spot.index()];
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.on_delisted(instrument, cx.at, last, cx.settings.costs.of(instrument));
        }
        self.hear_venue(cx, out);
    }

    /// An event of an instrument that the desk does not trade: spot that is carried may fill, and what packages hold.
    pub fn other(&mut self, cx: &StepContext<'_>, event: &MarketEvent, out: &mut Outputs) {
        let Some(id) = event.instrument() else { return };
        let carried = cx.spec.services.desk_index(id);
        if carried.is_none() && !cx.spec.has_packages {
            return;
        }
        // Taken in even while nothing works: whether spot is seen often enough to follow a perp leg is known
        // only from how often its prices came before.
        let opened = carried.and_then(|i| self.execution.services.assets[i].working_order.see_spot(event));
        if let MarketEvent::Funding { rate, mark, .. } = *event {
            return self.funding(cx.settings, id, (rate, mark), out);
        }
        // Where quotes have ended and bars go on, bars are all there is.
        let is_fresh = |told: Stamp| cx.at.since(told).0 < cx.settings.clock.decide.0;
        let quoted = cx.market.get(id).filter(|i| i.level > DetailLevel::Bars);
        let is_quoted = quoted.and_then(|i| i.top).is_some_and(|top| is_fresh(top.at));
        if is_quoted || matches!(event, MarketEvent::Pool { .. } | MarketEvent::Settled { .. }) {
            // The venue hears every quote, since what was taken of one is there again only once another is told. Where
            // there are quotes a bar only sums up what they were.
            return self.meet_packages(cx, event, out);
        }
        // When the first fast bar opened is not known, and a fill at a price that may be older than its order would be
        // hindsight. A bar of the decision clock is told at its close, one decision after its open; the venue fills at the
        // open, and leaves aside what was decided later than that.
        let (open_at, bar, sigma) = match (event, carried) {
            (MarketEvent::Bar { at, bar, .. }, _) => {
                let opened = Stamp(at.0 - cx.settings.clock.decide.0);
                let moves_as = carried.unwrap_or(id.index());
                (Some(opened), bar, cx.market.instruments[moves_as].sigma_before)
            }
            // Only the perp's fast volatility is kept; its spot moves by the same news.
            (MarketEvent::Inside { bar, .. }, Some(i)) => {
                let fast = &self.execution.services.assets[i].working_order.volatility;
                (opened, bar, libm::sqrt(fast.mean()))
            }
            _ => return,
        };
        let is_working = self.execution.working[id.index()].is_some() || self.execution.packages.has_orders();
        let Some(open_at) = open_at.filter(|_| is_working) else { return };
        let instrument = &cx.spec.instruments[id.index()];
        let costs = cx.settings.costs.of(instrument);
        let Some(paper) = self.execution.router.venue.paper_mut() else { return };
        paper.on_bar(instrument, open_at, bar, sigma, costs);
        self.hear_venue(cx, out);
        self.count_tries(cx, id, event);
    }
}
