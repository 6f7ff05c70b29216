//! What events of the market do to the account: orders fill, funding and borrow are paid, what is gone is closed.

use super::account::{Real, price};
use super::spec::RealSpec;
use crate::domain::{Bar, Decimal, Fill, Instrument, InstrumentId, MarketEvent, Stamp, money};
use crate::engine::{Outputs, Settings};
use crate::execution::venue::is_venue_order;
use crate::fills::{BarCosts, Costs, PerKind, borrow_fraction};
use crate::market::{InstrumentState, Market};

impl Real {
    /// A bar of an instrument: what is on order fills, the position is told apart, borrow is charged.
    pub fn bar(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        id: InstrumentId,
        at: Stamp,
        listing: &InstrumentState,
        out: &mut Outputs,
    ) {
        let instrument = &spec.instruments[id.index()];
        let open_at = Stamp(at.0 - settings.clock.decide.0);
        let costs = settings.costs.of(instrument);
        let fill = self.venue.on_bar(instrument, open_at, listing.last(), listing.sigma_before, costs);
        let mark = fill.map_or_else(|| price(listing.last().open, instrument), |f| f.mark);
        self.book(spec, id, mark, fill, Decimal::ZERO, out);
        self.confirmed[id.index()] = self.marks[id.index()];
        self.marks[id.index()] = price(listing.last().close, instrument);
        let owed = borrow_fraction(costs, instrument.kind, settings.clock.decide);
        if owed > 0.0 && self.desk.parts_short(&spec.desk, id) {
            let fraction = money::from_estimate(owed, 10).unwrap_or_default();
            let charged = self.ledger.borrow(id, mark, fraction);
            self.guard("borrow", &charged, out);
        }
    }

    /// A funding settlement of a perp.
    pub fn funding(
        &mut self,
        settings: &Settings,
        id: InstrumentId,
        rate: f64,
        mark: f64,
        out: &mut Outputs,
    ) {
        if settings.costs.is_flat() {
            return;
        }
        let (Some(rate), Some(mark)) = (money::from_estimate(rate, 10), money::from_estimate(mark, 8)) else {
            return self.halt("a funding settlement could not be read as decimal numbers".to_owned(), out);
        };
        let paid = self.ledger.funding(id, mark, rate);
        self.guard("funding", &paid, out);
    }

    /// An asset is gone: the venue closes what is held at its last price.
    pub fn delist(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        instrument: &Instrument,
        at: Stamp,
        listing: &InstrumentState,
        out: &mut Outputs,
    ) {
        self.desk.forget(&spec.desk, instrument.id);
        self.rest_no_more(instrument.id);
        self.drop_spot(spec, settings, instrument.id, at, out);
        let costs = settings.costs.of(instrument);
        let fill = self.venue.on_delisted(instrument, at, listing.last().close, costs);
        let mark = fill.map_or_else(|| price(listing.last().close, instrument), |f| f.mark);
        self.book(spec, instrument.id, mark, fill, Decimal::ZERO, out);
    }

    /// The spot of an asset that is gone is sold at its last price.
    fn drop_spot(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        perp: InstrumentId,
        at: Stamp,
        out: &mut Outputs,
    ) {
        let index = perp.index();
        let Some(spot) = spec.services.carried(index) else { return };
        self.withdraw(spot);
        self.services.spot_pending[index] = Decimal::ZERO;
        let last = money::to_estimate(self.marks[spot.index()]);
        let instrument = &spec.instruments[spot.index()];
        let fill = self.venue.on_delisted(instrument, at, last, settings.costs.of(instrument));
        if let Some(fill) = fill {
            self.book_spot(spec, index, spot, &fill, out);
        }
    }

    /// An event of an instrument that the desk does not trade: spot that is carried may fill.
    pub fn other(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        event: &MarketEvent,
        market: &Market,
        out: &mut Outputs,
    ) {
        let Some(id) = event.instrument() else { return };
        let Some(desk_index) = spec.services.desk_index(id) else { return };
        // Taken in even while nothing works: whether spot is seen often enough to follow a perp leg is known
        // only from how often its prices came before.
        let opened = self.services.working_orders[desk_index].see_spot(event);
        if self.working[id.index()].is_none() {
            return;
        }
        let instrument = &spec.instruments[id.index()];
        let sigma = market.instruments[desk_index].sigma_before;
        let fill = match event {
            MarketEvent::Bar { at, bar, .. } => {
                // A bar is told at its close, one decision after its open. The venue fills at the open, and
                // leaves aside what was decided later than that.
                let open_at = Stamp(at.0 - settings.clock.decide.0);
                self.venue.on_bar(instrument, open_at, bar, sigma, settings.costs.of(instrument))
            }
            MarketEvent::Inside { bar, .. } => {
                // When the first fast bar opened is not known, and a fill at a price that may be older than
                // its order would be hindsight.
                let Some(open_at) = opened else { return };
                // Only the perp's fast volatility is kept; its spot moves by the same news.
                let sigma = libm::sqrt(self.services.working_orders[desk_index].volatility.mean());
                self.venue.on_bar(instrument, open_at, bar, sigma, settings.costs.of(instrument))
            }
            MarketEvent::Quote { at, .. } => {
                let Some(top) = market.get(id).and_then(|q| q.top) else { return };
                let wanted = self.orders.open_quantity(id);
                let price = if wanted.is_sign_negative() { top.value.bid } else { top.value.ask };
                // The spread is in the quote: a bar of this one price, for the fee and the tick alone.
                let bar = Bar { open: price, high: price, low: price, close: price, volume: f64::INFINITY };
                self.venue.on_bar(instrument, *at, &bar, 0.0, &without_spread(settings.costs.of(instrument)))
            }
            _ => None,
        };
        let Some(fill) = fill else { return };
        self.book_spot(spec, desk_index, id, &fill, out);
    }

    /// Books a fill of spot to the carrier.
    fn book_spot(
        &mut self,
        spec: &RealSpec,
        desk_index: usize,
        id: InstrumentId,
        fill: &Fill,
        out: &mut Outputs,
    ) {
        let Some(carrier) = spec.services.carriers[desk_index] else { return };
        let verdict = self.orders.on_fill(fill);
        let venue = is_venue_order(fill.order);
        // What the venue closes by itself, at a delisting, belongs to no order of ours; all else that the
        // tracker does not know would be booked without having been decided.
        if !venue && !verdict.is_booked() {
            let symbol = &spec.instruments[id.index()].symbol;
            return self.halt(format!("{symbol}: a fill that cannot be booked: {verdict:?}"), out);
        }
        self.services.followed(desk_index, fill);
        out.fills.push(*fill);
        match self.ledger.trade(id, fill.mark, &[(carrier, fill.quantity)], Some(fill)) {
            Ok(report) => self.paid += report.fee + report.slippage,
            Err(e) => {
                let symbol = &spec.instruments[id.index()].symbol;
                self.halt(format!("{symbol}: the books refused a trade: {e}"), out);
            }
        }
        if self.orders.open_quantity(id).is_zero() {
            self.working[id.index()] = None;
        }
    }
}

/// The fee and nothing else.
fn without_spread(costs: &Costs) -> Costs {
    match costs {
        Costs::Flat(c) => Costs::Flat(*c),
        Costs::Bars(b) => {
            let none = PerKind { spot: 0.0, perp: 0.0 };
            Costs::Bars(BarCosts { half_spread: none, impact: 0.0, ..*b })
        }
    }
}
