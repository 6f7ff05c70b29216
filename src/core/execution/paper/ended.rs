//! What has ended at the paper venue: what is held is closed by a fill of the venue's own.

use super::order::{Deal, Working, fee};
use super::{PaperVenue, VENUE_ORDERS};
use crate::domain::money::{MONEY_SCALE, from_estimate, to_estimate};
use crate::domain::{
    ContractTerms, Decimal, Instrument, InstrumentId, Money, OrderId, OrderKind, Stamp, VenueEvent,
};
use crate::fills::{Costs, charge, fee_rate};
use crate::ledger::exact::PRICE_SCALE;

impl PaperVenue {
    /// The instrument is gone: takes its orders back and closes what is held at the last price, for the
    /// taker fee. The fill's order is the venue's own (see [`VENUE_ORDERS`]).
    pub fn on_delisted(&mut self, instrument: &Instrument, at: Stamp, last_price: f64, costs: &Costs) {
        self.end_orders(instrument, at);
        self.end_liquidity(instrument.id, at);
        self.close(instrument, at, last_price, |quantity, price| {
            fee(quantity, price, fee_rate(costs, instrument.kind, false))
        });
    }

    /// A contract has ended at this price of what it is on: takes its orders back, closes what is held at what it pays, for
    /// the fee of that, and takes no order in it any more. As all its prices, what an inverse option pays is in coins.
    pub(super) fn on_settled(&mut self, instrument: &Instrument, at: Stamp, price: f64, costs: &Costs) {
        self.end_orders(instrument, at);
        if let Some(desk) = self.desks.get_mut(instrument.id.index()) {
            desk.has_ended = true;
        }
        let is_inverse = matches!(instrument.terms, ContractTerms::Option { inverse: true, .. });
        let payoff = instrument.terms.payoff(price);
        let (payoff, underlying) = match () {
            () if !is_inverse => (payoff, price),
            () if price > 0.0 => (payoff / price, 1.0),
            () => (0.0, 1.0),
        };
        self.close(instrument, at, payoff, |quantity, _| {
            let size = libm::fabs(to_estimate(quantity));
            from_estimate(charge::settlement(costs, instrument.kind, size, payoff, underlying), MONEY_SCALE)
        });
    }

    fn end_orders(&mut self, instrument: &Instrument, at: Stamp) {
        let Some(desk) = self.desks.get_mut(instrument.id.index()) else { return };
        let ended = desk.orders.drain(..);
        self.said.extend(ended.map(|o| VenueEvent::Cancelled { order: o.id, at }));
    }

    /// Closes what is held at a price, for a fee on quantity and price.
    fn close(
        &mut self,
        instrument: &Instrument,
        at: Stamp,
        price: f64,
        fee: impl Fn(Decimal, Decimal) -> Option<Money>,
    ) {
        let Some(price) = from_estimate(price, PRICE_SCALE) else { return };
        let Some(fee) = fee(-self.position(instrument.id), price) else { return };
        self.take_over(instrument.id, at, price, fee);
    }

    /// Closes what is held at this price, for this fee: of an instrument that is gone, or of an account whose margin is.
    /// The fill's order is the venue's own.
    pub fn take_over(&mut self, instrument: InstrumentId, at: Stamp, price: Decimal, fee: Money) {
        self.end_liquidity(instrument, at);
        let Some(position) = self.positions.get_mut(instrument.index()).filter(|p| !p.is_zero()) else {
            return;
        };
        let quantity = -*position;
        let id = OrderId(VENUE_ORDERS + self.closings);
        let mut order = Working::new(id, OrderKind::Market, quantity, at);
        let deal = Deal { instrument, at, quantity, price, mark: price, fee };
        let Some(fill) = order.fill(position, &deal) else { return };
        self.closings += 1;
        self.said.push_back(VenueEvent::Fill(fill));
    }
}
