//! Levels L1 and L2 of the paper venue: orders meet quotes, books, prints and pools.
//!
//! ```text
//! arrival   the first quote, whole book or pool state at the decision and the latency or later
//! takes     what is shown and not taken before, price by price, each a fill; what is left waits for the next quote
//! rests     ahead = size shown at its price on arrival; prints there eat it and then fill, in part
//! through   prints beyond its price fill up to what was printed, quotes beyond it up to what is shown there
//! ```
//!
//! Where a book or quote does not reach as far as an order's price, nobody knows who is there before it: until its price is seen
//! it is filled by prices beyond it alone. A print is shared by the orders that it reaches, the best price first.

use super::order::{Deal, Working, afforded, fee, part_of};
use super::{PaperInstrument, PaperVenue};
use crate::domain::money::{MONEY_SCALE, from_estimate, to_estimate};
use crate::domain::step::Rounding;
use crate::domain::venue::RejectReason;
use crate::domain::{
    ContractTerms, Decimal, Instrument, InstrumentKind, MarketEvent, Money, OrderKind, Stamp, TimeInForce,
    VenueEvent,
};
use crate::execution::venue::PriceFeed;
use crate::fills::level::{Consumed, beyond, shown};
use crate::fills::{Costs, charge, rate};
use crate::ledger::exact::PRICE_SCALE;
use crate::market::Market;
use crate::market::quotes::DetailLevel;
use std::collections::VecDeque;

/// How far two estimates of one price differ at most, as a fraction: the last digits of a double.
const SAME_PRICE: f64 = 1e-12;
/// What of a lot may be missing in a size that was counted in doubles.
const LOT_SLACK: f64 = 1e-9;

/// One moment of a quoted market, and what of the venue it may change.
struct QuotedMoment<'a> {
    instrument: &'a Instrument,
    market: &'a Market,
    costs: &'a Costs,
    at: Stamp,
    /// The middle of bid and offer, or the pool's price.
    mark: Decimal,
    position: &'a mut Decimal,
    /// Coins that there are to pay with; none where it is paid in money.
    purse: Option<Decimal>,
    consumed: &'a mut Consumed,
    said: &'a mut VecDeque<VenueEvent>,
}

/// A print, and what of it our orders have not had yet.
#[derive(Clone, Copy)]
struct Print {
    price: f64,
    left: f64,
    /// Whether the taker bought.
    buys: bool,
}

/// How an order takes what is shown.
#[derive(Clone, Copy)]
enum Taking {
    /// As long as the price is no worse than a limit, if there is one; pays each price.
    Pays(Option<Decimal>),
    /// What is shown beyond the limit that it rests at; gets the limit.
    Rests(Decimal),
}

impl PaperVenue {
    /// An event of a quoted instrument, which the market has taken already: fills what works there. All of them are to be told,
    /// also while nothing works: what a quote answered in between is not known otherwise.
    pub fn on_market(
        &mut self,
        instrument: &Instrument,
        market: &Market,
        event: &MarketEvent,
        costs: &Costs,
    ) {
        let (id, at) = (instrument.id, event.at());
        if event.instrument() != Some(id) {
            return;
        }
        self.now = self.now.max(at);
        if let MarketEvent::Settled { price, .. } = *event {
            return self.on_settled(instrument, at, price, costs);
        }
        let (quoted, is_pool) = (market.get(id), instrument.kind == InstrumentKind::Pool);
        if !is_heeded(event, is_pool, quoted.map_or(DetailLevel::Bars, |q| q.level)) {
            return;
        }
        let Some(kept) = self.kept(id) else { return };
        if is_pool {
            self.desks[id.index()].consumed.pool_told();
            if let Some(state) = quoted.and_then(|q| q.pool) {
                self.hear_pool(instrument, at, &state.value);
            }
        }
        let first = self.said.len();
        let purse = self.purse(kept);
        let PaperVenue { desks, positions, said, .. } = self;
        let PaperInstrument { orders, consumed, .. } = &mut desks[id.index()];
        let position = &mut positions[kept.coin.index()];
        if !is_pool {
            consumed.refresh(market, id);
        }
        if orders.is_empty() {
            return;
        }
        let mark = if is_pool {
            quoted.and_then(|q| q.pool).map(|p| p.value.price)
        } else {
            quoted.and_then(|q| q.top).map(|t| t.value.mid())
        };
        let Some(mark) = mark.and_then(|m| from_estimate(m, PRICE_SCALE)) else { return };
        let mut moment =
            QuotedMoment { instrument, market, costs, at, mark, position, purse, consumed, said };
        match *event {
            MarketEvent::Trade { price, size, buys, .. } => {
                moment.print(orders, Print { price, left: size, buys });
            }
            _ if is_pool => orders.retain_mut(|order| moment.pool(order)),
            _ => orders.retain_mut(|order| moment.offer(order)),
        }
        self.pay(first, kept.pays);
    }
}

impl QuotedMoment<'_> {
    /// An order meets what is shown now; whether it still works.
    fn offer(&mut self, order: &mut Working) -> bool {
        // Nothing may be read in the midst of an update.
        let is_open = shown(self.market, self.instrument.id, true).is_some();
        if !is_open || !self.is_met(order) {
            return true;
        }
        let is_arriving = !std::mem::replace(&mut order.is_there, true);
        match order.kind {
            OrderKind::Market => self.take(order, Taking::Pays(None)),
            OrderKind::Limit(limit, TimeInForce::ImmediateOrCancel) => {
                self.take(order, Taking::Pays(Some(limit)));
                return self.end(order);
            }
            OrderKind::Limit(limit, TimeInForce::PostOnly)
                if is_arriving && self.would_take(order, limit) =>
            {
                return self.refuse(order);
            }
            OrderKind::Limit(limit, TimeInForce::UntilCancelled) if is_arriving => {
                self.take(order, Taking::Pays(Some(limit)));
            }
            OrderKind::Limit(limit, _) => self.take(order, Taking::Rests(limit)),
        }
        if let OrderKind::Limit(limit, _) = order.kind {
            self.queue(order, limit);
        }
        self.still_works(order)
    }

    /// An order meets a pool, from which it takes all that it may or nothing; whether it still works.
    fn pool(&mut self, order: &mut Working) -> bool {
        if !self.is_met(order) {
            return true;
        }
        order.is_there = true;
        let limit = match order.kind {
            OrderKind::Market => None,
            // There is nothing to rest in.
            OrderKind::Limit(_, TimeInForce::PostOnly) => return self.refuse(order),
            OrderKind::Limit(limit, _) => Some(limit),
        };
        self.swap(order, limit);
        match order.kind {
            OrderKind::Limit(_, TimeInForce::ImmediateOrCancel) => self.end(order),
            _ => self.still_works(order),
        }
    }

    /// Swaps what an order may, if that costs no more than its limit; none where it may not or nothing is to be had.
    fn swap(&mut self, order: &mut Working, limit: Option<Decimal>) -> Option<()> {
        let pool = self.market.get(self.instrument.id)?.pool?.value;
        let wanted = order.allowed(*self.position, self.instrument.kind);
        let room = self.consumed.room(&pool, !wanted.is_sign_negative());
        let quantity = part_of(wanted, room, self.instrument.lot)?;
        let terms = &self.instrument.terms;
        let hit = self.consumed.swap(&pool, terms, to_estimate(quantity))?;
        let price = self.written(hit.price, quantity.is_sign_negative())?;
        if limit.is_some_and(|limit| is_worse(price, limit, quantity.is_sign_negative())) {
            return None;
        }
        let gas = from_estimate(pool.gas, MONEY_SCALE)?;
        self.deal(order, (quantity, price), gas)?;
        self.consumed.swap_done(terms, to_estimate(quantity));
        Some(())
    }

    /// Whether an order meets what is told now: its latency is over, and that was not told before its decision.
    fn is_met(&self, order: &Working) -> bool {
        self.at >= order.live && self.at > order.at && order.meets != PriceFeed::Bars
    }

    /// Takes what is shown and not taken yet, price by price.
    fn take(&mut self, order: &mut Working, how: Taking) {
        let sells = order.remaining.is_sign_negative();
        // Most quotes leave most resting orders where they are.
        if let Taking::Rests(limit) = how
            && !shown(self.market, self.instrument.id, !sells)
                .is_some_and(|levels| levels.first().is_some_and(|best| is_beyond(best.0, limit, sells)))
        {
            return;
        }
        for (level, left) in beyond(self.consumed, self.market, self.instrument.id, !sells) {
            let price = match how {
                Taking::Pays(limit) => self
                    .written(level.0, sells)
                    .filter(|price| limit.is_none_or(|limit| !is_worse(*price, limit, sells))),
                Taking::Rests(limit) => Some(limit).filter(|limit| is_beyond(level.0, *limit, sells)),
            };
            // All that follow are worse.
            let Some(price) = price else { return };
            let Some(quantity) = self.part(order, left) else { continue };
            let Some(quantity) = self.paid_for(quantity, price) else { return };
            let is_maker = matches!(how, Taking::Rests(_));
            let Some(fee) = self.fee(quantity, price, is_maker) else { return };
            if self.deal(order, (quantity, price), fee).is_none() {
                return;
            }
            self.consumed.take(!sells, level, libm::fabs(to_estimate(quantity)));
        }
    }

    /// Whether a limit would take from what is shown.
    fn would_take(&self, order: &Working, limit: Decimal) -> bool {
        let sells = order.remaining.is_sign_negative();
        let best = shown(self.market, self.instrument.id, !sells).and_then(|l| l.first().map(|l| l.0));
        best.is_some_and(|best| is_beyond(best, limit, sells) || is_same(best, limit))
    }

    /// Those before an order are no more than what its price shows, if it can be seen.
    fn queue(&self, order: &mut Working, limit: Decimal) {
        let sells = order.remaining.is_sign_negative();
        let Some(levels) = shown(self.market, self.instrument.id, sells) else { return };
        let is_seen = |last: f64| is_same(last, limit) || is_beyond(last, limit, sells);
        if levels.last().is_none_or(|last| is_seen(last.0)) {
            let there = levels.iter().find(|l| is_same(l.0, limit)).map_or(0.0, |l| l.1);
            order.ahead = Some(order.ahead.map_or(there, |ahead| ahead.min(there)));
        }
    }

    /// Somebody traded: what rests on the other side of it is served, the best price first.
    fn print(&mut self, orders: &mut Vec<Working>, mut print: Print) {
        // What waits for bars never is.
        let is_reached = |o: &Working| o.is_there && o.remaining.is_sign_negative() == print.buys;
        let limit = |o: &Working| match o.kind {
            OrderKind::Limit(limit, _) => Some(limit),
            OrderKind::Market => None,
        };
        let mut reached: Vec<(Decimal, usize)> = (0..)
            .zip(&*orders)
            .filter(|(_, o)| is_reached(o))
            .filter_map(|(i, o)| limit(o).map(|l| (l, i)))
            .collect();
        if reached.is_empty() {
            return;
        }
        // A taker who buys comes to the lowest offer first. The sort is stable: of one price, the older order.
        reached.sort_by(|a, b| if print.buys { a.0.cmp(&b.0) } else { b.0.cmp(&a.0) });
        for (limit, i) in reached {
            self.serve(&mut orders[i], limit, &mut print);
        }
        orders.retain(|order| !order.is_there || self.still_works(order));
    }

    /// What of a print reaches an order that rests.
    fn serve(&mut self, order: &mut Working, limit: Decimal, print: &mut Print) {
        let sells = order.remaining.is_sign_negative();
        let reach = if is_same(print.price, limit) {
            let Some(ahead) = order.ahead else { return };
            order.ahead = Some((ahead - print.left).max(0.0));
            print.left - ahead
        } else if is_beyond(print.price, limit, sells) {
            // Whoever was before it was passed as well.
            order.ahead = Some(0.0);
            print.left
        } else {
            return;
        };
        if reach > 0.0
            && let Some(quantity) = self.part(order, reach)
            && let Some(fee) = self.fee(quantity, limit, true)
            && self.deal(order, (quantity, limit), fee).is_some()
        {
            print.left = (print.left - libm::fabs(to_estimate(quantity))).max(0.0);
        }
    }

    /// What of a purchase there are coins for, its fee included, in whole lots; none where there are none.
    fn paid_for(&mut self, quantity: Decimal, price: Decimal) -> Option<Decimal> {
        let Some(purse) = self.purse.filter(|_| quantity.is_sign_positive()) else { return Some(quantity) };
        let Instrument { kind, ref terms, lot, .. } = *self.instrument;
        let rate = from_estimate(rate(self.costs, kind, terms, false), PRICE_SCALE)?;
        let quantity = afforded(purse, quantity, price, rate, lot)?;
        self.purse =
            purse.checked_sub(quantity.checked_mul(price)?.checked_mul(Decimal::ONE.checked_add(rate)?)?);
        Some(quantity)
    }

    /// What an order may have of a size, in whole lots.
    fn part(&self, order: &Working, size: f64) -> Option<Decimal> {
        let wanted = order.allowed(*self.position, self.instrument.kind);
        let lot = self.instrument.lot;
        part_of(wanted, size + LOT_SLACK * to_estimate(lot), lot).filter(|quantity| !quantity.is_zero())
    }

    /// A price as the venue writes it, rounded against us; none where no step is.
    fn written(&self, price: f64, sells: bool) -> Option<Decimal> {
        let against = if sells { Rounding::Down } else { Rounding::Up };
        let written = self.instrument.tick.round_estimate(price, against)?;
        // Less than a step is one step, which nobody pays.
        let is_better = sells && to_estimate(written) > price * (1.0 + SAME_PRICE);
        (!is_better).then_some(written)
    }

    /// The fee of a deal, in the currency of its price.
    fn fee(&self, quantity: Decimal, price: Decimal, is_maker: bool) -> Option<Money> {
        let Instrument { id, kind, ref terms, .. } = *self.instrument;
        if kind != InstrumentKind::Option {
            return fee(quantity, price, rate(self.costs, kind, terms, is_maker));
        }
        let premium = to_estimate(price);
        let forward = self.market.get(id).and_then(|q| q.implied).map_or(premium, |i| i.value.1);
        let is_inverse = matches!(terms, ContractTerms::Option { inverse: true, .. });
        let underlying = if is_inverse { 1.0 } else { forward };
        let size = libm::fabs(to_estimate(quantity));
        let fee = charge::trade(self.costs, (kind, terms), size, premium, underlying, is_maker);
        from_estimate(fee, MONEY_SCALE)
    }

    /// Writes down what an order got; nothing where the numbers are no decimals.
    fn deal(&mut self, order: &mut Working, (quantity, price): (Decimal, Decimal), fee: Money) -> Option<()> {
        let (instrument, at, mark) = (self.instrument.id, self.at, self.mark);
        let deal = Deal { instrument, at, quantity, price, mark, fee };
        let fill = order.fill(self.position, &deal)?;
        self.said.push_back(VenueEvent::Fill(fill));
        Some(())
    }

    /// Whether something is left that an order may do; what has none is taken back.
    fn still_works(&mut self, order: &Working) -> bool {
        if order.allowed(*self.position, self.instrument.kind).is_zero() {
            return self.end(order);
        }
        true
    }

    /// What is left of an order will not be done; false, for it works no more.
    fn end(&mut self, order: &Working) -> bool {
        if !order.remaining.is_zero() {
            self.said.push_back(VenueEvent::Cancelled { order: order.id, at: self.at });
        }
        false
    }

    /// An order that would take and must not: false, for it works no more.
    fn refuse(&mut self, order: &Working) -> bool {
        let (id, at, why) = (order.id, self.at, RejectReason::WouldTake);
        // What was filled in part and moved cannot be refused any more.
        self.said.push_back(match order.fills {
            0 => VenueEvent::Rejected { order: id, at, why },
            _ => VenueEvent::Cancelled { order: id, at },
        });
        false
    }
}

/// Whether an event may fill anything in an instrument that is told on this level.
fn is_heeded(event: &MarketEvent, is_pool: bool, level: DetailLevel) -> bool {
    match event {
        MarketEvent::Pool { .. } => is_pool,
        MarketEvent::Trade { .. } | MarketEvent::Level { last: true, .. } => !is_pool,
        // Where there is a book, a best price beside it is no other offer.
        MarketEvent::Quote { .. } => !is_pool && level == DetailLevel::Quotes,
        _ => false,
    }
}

/// Whether two numbers are one price.
fn is_same(price: f64, limit: Decimal) -> bool {
    let limit = to_estimate(limit);
    libm::fabs(price - limit) <= SAME_PRICE * limit
}

/// Whether a price is better for an order than its limit: lower for who buys, higher for who sells.
fn is_beyond(price: f64, limit: Decimal, sells: bool) -> bool {
    let better = if sells { price - to_estimate(limit) } else { to_estimate(limit) - price };
    better > 0.0 && !is_same(price, limit)
}

/// Whether a price is worse for an order than its limit.
fn is_worse(price: Decimal, limit: Decimal, sells: bool) -> bool {
    if sells { price < limit } else { price > limit }
}

#[cfg(test)]
#[path = "quoted_tests.rs"]
mod tests;
