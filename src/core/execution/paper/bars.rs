//! Level B of the paper venue: orders meet bars.

use super::PaperVenue;
use super::order::{Deal, Working, afforded, fee, part_of};
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::step::Rounding;
use crate::domain::{Bar, Decimal, Instrument, OrderKind, PriceStep, Stamp, TimeInForce, VenueEvent};
use crate::execution::venue::PriceFeed;
use crate::fills::{BarCosts, BarUse, Costs, PerKind, Taken, fee_rate, rest, worked};
use crate::ledger::exact::PRICE_SCALE;

/// A bar that orders meet one after another, and what of it is gone.
struct SharedBar<'a> {
    instrument: &'a Instrument,
    open_at: Stamp,
    bar: &'a Bar,
    costs: &'a Costs,
    used: BarUse,
    /// Coins that there are to pay with; none where it is paid in money.
    purse: Option<Decimal>,
}

impl PaperVenue {
    /// A bar of an instrument, which opened at `open_at`: fills what works there, as far as the bar
    /// allows; what is post-only waits for [`PaperVenue::on_inside`]. `sigma` is the volatility of one bar as a fraction,
    /// known before it. A bar that cannot be believed, or whose numbers are no decimals, fills nothing.
    pub fn on_bar(&mut self, instrument: &Instrument, open_at: Stamp, bar: &Bar, sigma: f64, costs: &Costs) {
        if self.desk(instrument.id).is_none_or(|desk| desk.orders.is_empty()) {
            return;
        }
        let Some(kept) = self.kept(instrument.id).filter(|_| bar.is_valid()) else { return };
        let purse = self.purse(kept);
        let PaperVenue { desks, positions, said, .. } = self;
        let (desk, position) = (&mut desks[instrument.id.index()], &mut positions[kept.coin.index()]);
        let first = said.len();
        let mut shared = SharedBar { instrument, open_at, bar, costs, used: BarUse::default(), purse };
        desk.orders.retain_mut(|order| {
            if order.is_post_only() || open_at < order.at || order.meets == PriceFeed::Quotes {
                return true;
            }
            let wanted = order.allowed(*position, instrument.kind);
            let is_immediate = matches!(order.kind, OrderKind::Limit(_, TimeInForce::ImmediateOrCancel));
            let is_maker = !is_immediate && order.kind != OrderKind::Market;
            let met = shared.meet(order.kind, sigma, wanted).and_then(|met| shared.paid_for(met, is_maker));
            said.extend(met.and_then(|met| shared.deal(order, position, met, is_maker)));
            let done = order.remaining.is_zero();
            // Nothing left that it may do, or that it waits for: the venue takes it back.
            let ends = wanted.is_zero() || is_immediate;
            if !done && ends {
                said.push_back(VenueEvent::Cancelled { order: order.id, at: open_at });
            }
            !done && !ends
        });
        self.pay(first, kept.pays);
    }

    /// A bar of the fast clock, which opened at `open_at`: what is post-only fills at its limit where the bar
    /// trades beyond it by the fraction `through`, as far as the bar's volume allows.
    pub fn on_inside(
        &mut self,
        instrument: &Instrument,
        open_at: Stamp,
        bar: &Bar,
        through: f64,
        costs: &Costs,
    ) {
        let Some(kept) = self.kept(instrument.id).filter(|_| bar.is_valid()) else { return };
        let PaperVenue { desks, positions, said, .. } = self;
        let (desk, position) = (&mut desks[instrument.id.index()], &mut positions[kept.coin.index()]);
        let first = said.len();
        let mut shared = SharedBar { instrument, open_at, bar, costs, used: BarUse::default(), purse: None };
        desk.orders.retain_mut(|order| {
            let OrderKind::Limit(limit, TimeInForce::PostOnly) = order.kind else { return true };
            if open_at < order.at || order.meets == PriceFeed::Quotes {
                return true;
            }
            let wanted = order.allowed(*position, instrument.kind);
            let price = to_estimate(limit);
            let taken = worked(costs, instrument.kind, bar, price, through, to_estimate(wanted));
            let part = shared.used.within(costs, bar.volume, taken.quantity);
            let met = part_of(wanted, part, instrument.lot).map(|quantity| (quantity, limit));
            said.extend(met.and_then(|met| shared.deal(order, position, met, true)));
            let done = order.remaining.is_zero();
            if !done && wanted.is_zero() {
                said.push_back(VenueEvent::Cancelled { order: order.id, at: open_at });
            }
            !done && !wanted.is_zero()
        });
        self.pay(first, kept.pays);
    }
}

impl SharedBar<'_> {
    /// What the bar gives after those before, and at which price as the venue writes it; none where it gives nothing.
    fn meet(&self, kind: OrderKind, sigma: f64, wanted: Decimal) -> Option<(Decimal, Decimal)> {
        let SharedBar { instrument, bar, costs, used, .. } = self;
        let tick = |price: f64| to_estimate(instrument.tick.at(price));
        let estimate = to_estimate(wanted);
        let taken = match kind {
            OrderKind::Limit(limit, TimeInForce::UntilCancelled | TimeInForce::PostOnly) => {
                let limit = to_estimate(limit);
                let taken = rest(costs, instrument.kind, bar, limit, tick(limit), estimate);
                Taken { quantity: used.within(costs, bar.volume, taken.quantity), ..taken }
            }
            OrderKind::Market | OrderKind::Limit(_, TimeInForce::ImmediateOrCancel) => {
                let costs = with_tick(costs, tick(bar.open) / bar.open);
                used.take(&costs, instrument.kind, (bar.open, bar.volume), sigma, estimate)
            }
        };
        let quantity = part_of(wanted, taken.quantity, instrument.lot)?;
        let price = price_of(&taken, kind, instrument.tick, costs, quantity)?;
        match kind {
            // The collar: what would cost more is not bought.
            OrderKind::Limit(limit, TimeInForce::ImmediateOrCancel) => {
                let is_within = if quantity.is_sign_negative() { price >= limit } else { price <= limit };
                is_within.then_some((quantity, price))
            }
            _ => Some((quantity, price)),
        }
    }

    /// What of a purchase there are coins for, its fee included; none where there are none.
    fn paid_for(
        &mut self,
        (quantity, price): (Decimal, Decimal),
        is_maker: bool,
    ) -> Option<(Decimal, Decimal)> {
        let Some(purse) = self.purse.filter(|_| quantity.is_sign_positive()) else {
            return Some((quantity, price));
        };
        let rate = from_estimate(fee_rate(self.costs, self.instrument.kind, is_maker), PRICE_SCALE)?;
        let quantity = afforded(purse, quantity, price, rate, self.instrument.lot)?;
        self.purse =
            purse.checked_sub(quantity.checked_mul(price)?.checked_mul(Decimal::ONE.checked_add(rate)?)?);
        Some((quantity, price))
    }

    /// Writes down what an order got, and remembers it for those after it.
    fn deal(
        &mut self,
        order: &mut Working,
        position: &mut Decimal,
        (quantity, price): (Decimal, Decimal),
        is_maker: bool,
    ) -> Option<VenueEvent> {
        let SharedBar { instrument, open_at, bar, costs, .. } = *self;
        let rate = fee_rate(costs, instrument.kind, is_maker);
        let (mark, fee) = (from_estimate(bar.open, PRICE_SCALE)?, fee(quantity, price, rate)?);
        let deal = Deal { instrument: instrument.id, at: open_at, quantity, price, mark, fee };
        let fill = order.fill(position, &deal)?;
        self.used.add(to_estimate(quantity));
        Some(VenueEvent::Fill(fill))
    }
}

/// The half-spread is at least a tick, given as a fraction of the price.
pub(super) fn with_tick(costs: &Costs, tick: f64) -> Costs {
    match costs {
        Costs::Flat(charge) => Costs::Flat(*charge),
        Costs::Bars(b) => {
            let PerKind { spot, perp } = b.half_spread;
            let half_spread = PerKind { spot: spot.max(tick), perp: perp.max(tick) };
            Costs::Bars(BarCosts { half_spread, ..*b })
        }
    }
}

/// The price as the venue writes it.
fn price_of(
    taken: &Taken,
    kind: OrderKind,
    tick: PriceStep,
    costs: &Costs,
    quantity: Decimal,
) -> Option<Decimal> {
    let against = if quantity.is_sign_negative() { Rounding::Down } else { Rounding::Up };
    match (kind, costs) {
        // At the limit exactly, unless the open was better.
        (OrderKind::Limit(limit, TimeInForce::UntilCancelled | TimeInForce::PostOnly), _)
            if taken.price == to_estimate(limit) =>
        {
            Some(limit)
        }
        (_, Costs::Flat(_)) => from_estimate(taken.price, PRICE_SCALE),
        (_, Costs::Bars(_)) => tick.round_estimate(taken.price, against),
    }
}
