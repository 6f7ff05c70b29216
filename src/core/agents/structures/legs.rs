//! The book of a structure: coins and contracts in several instruments, and orders on their way to a
//! market or resting in one.
//!
//! # Invariants
//!
//! 1. Worth is cash plus everything held at its newest price; every fee, funding and settlement is in the
//!    cash.
//! 2. An order reaches its market after its latency, and fills at nothing that was quoted before that; on
//!    bars it fills at the open of the first bar after it.
//!    A taker meets the first quote *after* its arrival, not the one that stands: where quotes are a minute
//!    apart it pays a price of a minute later, better or worse, than a venue would have given it at once.
//!    Two of its orders on one instrument in one stamp each meet the whole of what is shown.
//! 3. A maker that counts *through* fills only by prints and quotes beyond its price; one that counts
//!    *touch* also by prints at its price once the queue before it is served.
//! 4. The fee of a purchase of coins is taken in coins, where its venue does so, that of a sale in what is
//!    received.

use super::filling::{FillContext, Totals};
use super::listed::ListedInstruments;
use super::ranges::Ranges;
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, OrderId, Span, Stamp};
use crate::fills::{self, charge, level};
use crate::market::Market;
use crate::market::quotes::DetailLevel;
use serde::{Deserialize, Serialize};

/// Mean time from a decision to the market; each order's is 0.5 to 1.5 times it.
pub const LATENCY: Span = Span(50_000_000);
/// Orders that a structure may have at once: two a leg.
pub const ORDERS_MAX: usize = 16;

/// An order for one leg that is on its way or rests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegOrder {
    /// Instrument in which it trades.
    pub instrument: InstrumentId,
    /// Base units still to be traded, signed.
    pub quantity: f64,
    /// Rests at this price; none: takes what there is.
    pub limit: Option<f64>,
    /// When the order was decided.
    pub decided: Stamp,
    /// When it reaches the market.
    pub live: Stamp,
    /// When it is taken off, once that was decided.
    pub until: Option<Stamp>,
    /// Size before it in the queue at its price; none until it has reached the market.
    pub ahead: Option<f64>,
    /// Offers of its instrument that found it and left some of it.
    pub tries: u8,
    /// The number of the real order that it has become; none of a simulated one, and of one that has not left yet.
    pub number: Option<OrderId>,
}

/// An opening or an addition of which one leg rests as a maker, while the others follow its fills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadingLeg {
    /// Which of the intent's legs rests.
    pub place: usize,
    /// When what is missing of it is taken.
    pub until: Stamp,
    /// Base units to be traded of each leg, signed, in whole lots.
    pub sizes: Vec<f64>,
    /// Base units that were held of the resting one before.
    pub before: f64,
    /// Base units of each leg that were ordered after it.
    pub sent: Vec<f64>,
}

/// What a real fill did to legs, as estimates of what the books say.
#[derive(Clone, Copy, Debug)]
pub struct LegFill<'a> {
    /// The order that was filled; none of a closing that the venue made by itself.
    pub order: Option<OrderId>,
    /// Base units of it that were filled, signed.
    pub quantity: f64,
    /// What came and went, by where it is booked.
    pub moved: &'a [(InstrumentId, f64)],
    /// Account currency that came, fees deducted.
    pub cash: f64,
    /// Fees, in the account's currency.
    pub fees: f64,
    /// Notional, in the account's currency.
    pub traded: f64,
    /// Level on which the instrument is told.
    pub level: DetailLevel,
}

/// An account of one structure: its cash, its positions and what is on its way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Legs {
    /// Account currency received less paid.
    pub cash: f64,
    /// Units held, signed, by where they are booked; sorted, none is zero.
    pub held: Vec<(InstrumentId, f64)>,
    /// On their way or resting.
    pub orders: Vec<LegOrder>,
    /// What is opened behind a resting leg.
    pub leading: Option<LeadingLeg>,
    /// Liquidity in pools.
    pub ranges: Ranges,
    /// Sums of what was traded, paid and received since the start.
    pub totals: Totals,
    /// The best edge after costs that was seen on current prices while nothing was open, in basis points.
    pub best_edge: Option<f64>,
    /// Until when borrow has been paid.
    borrowed: Stamp,
}

impl Legs {
    /// Units held of where this instrument is booked.
    pub fn of(&self, booked: InstrumentId) -> f64 {
        self.held.binary_search_by_key(&booked, |h| h.0).map_or(0.0, |i| self.held[i].1)
    }

    /// Worth now; what has no price counts nothing.
    pub fn market_value(&self, listed: &ListedInstruments, board: &Market) -> f64 {
        let each = |&(id, q): &(InstrumentId, f64)| listed.value(board, id).map_or(0.0, |v| v * q);
        self.cash + self.held.iter().map(each).sum::<f64>() + self.ranges.market_value(board)
    }

    /// Whether nothing is held, but for dust.
    pub fn is_flat(&self, listed: &ListedInstruments, board: &Market) -> bool {
        let dust =
            |&(id, q): &(InstrumentId, f64)| listed.value(board, id).is_none_or(|v| libm::fabs(v * q) < 1e-6);
        self.ranges.held.is_empty() && self.held.iter().all(dust)
    }

    fn add(&mut self, booked: InstrumentId, quantity: f64) {
        match self.held.binary_search_by_key(&booked, |h| h.0) {
            Ok(i) => {
                let before = self.held[i].1;
                let after = before + quantity;
                // Sums of equal and opposite doubles leave dust.
                if libm::fabs(after) <= 1e-12 * libm::fabs(before) {
                    self.held.remove(i);
                } else {
                    self.held[i].1 = after;
                }
            }
            Err(i) if quantity != 0.0 => self.held.insert(i, (booked, quantity)),
            Err(_) => {}
        }
    }

    /// A leg is taken over by the venue at this price, in the account's currency, and `lost` with it.
    pub(in crate::agents) fn give_up(&mut self, id: InstrumentId, price: f64, lost: f64) {
        let q = self.of(id);
        self.cash += q * price - lost;
        self.add(id, -q);
        self.totals.traded += libm::fabs(q) * price;
        self.totals.fees += lost;
        self.totals.fills += 1;
    }

    /// Books what a venue told of a real order.
    pub fn filled(&mut self, fill: &LegFill<'_>) {
        self.cash += fill.cash;
        fill.moved.iter().for_each(|(booked, quantity)| self.add(*booked, *quantity));
        let t = &mut self.totals;
        t.traded += fill.traded;
        t.fees += fill.fees;
        t.fills += 1;
        t.level = Some(t.level.map_or(fill.level, |l| l.min(fill.level)));
        if let Some(order) = self.orders.iter_mut().find(|o| o.number.is_some() && o.number == fill.order) {
            order.quantity -= fill.quantity;
        }
    }

    /// Funding was settled on what is held of an instrument.
    pub fn funded(&mut self, instrument: InstrumentId, paid_a_unit: f64) {
        let paid = self.of(instrument) * paid_a_unit;
        self.cash -= paid;
        self.totals.funding -= paid;
    }

    /// What is left of something that is booked here goes elsewhere for this much of the account's currency.
    pub fn swept(&mut self, booked: InstrumentId, cash: f64) {
        let left = self.of(booked);
        self.cash += cash;
        self.add(booked, -left);
    }

    /// Sends an order; more than [`ORDERS_MAX`] are refused.
    pub fn send(&mut self, order: LegOrder) -> bool {
        let room = self.orders.len() < ORDERS_MAX && order.quantity != 0.0 && order.quantity.is_finite();
        if room {
            self.orders.push(order);
        }
        room
    }

    /// Whether an event can do anything to it. One that fills nothing and pays nothing need not be heard:
    /// borrow is reckoned to the next that is.
    pub fn heeds(&self, event: &MarketEvent) -> bool {
        let is_idle = self.orders.is_empty() && self.held.is_empty() && self.ranges.is_idle();
        !is_idle && !Legs::is_inert(event)
    }

    /// Whether an event does nothing to any book.
    pub fn is_inert(event: &MarketEvent) -> bool {
        matches!(
            event,
            MarketEvent::Implied { .. }
                | MarketEvent::VolIndex { .. }
                | MarketEvent::Mark { .. }
                | MarketEvent::Inside { .. }
                | MarketEvent::Health { .. }
                | MarketEvent::Level { last: false, .. }
        )
    }

    /// Whether nothing is on its way; what rests is not.
    pub fn is_whole(&self) -> bool {
        let takes_nothing = self.orders.iter().all(|o| o.limit.is_some());
        takes_nothing && self.leading.is_none() && self.ranges.asked.is_empty()
    }

    /// Takes off the orders that pass: those that take at once, those that rest when the word reaches
    /// their market.
    pub fn cancel(&mut self, now: Stamp, until: Stamp, pass: impl Fn(&LegOrder) -> bool) {
        for o in self.orders.iter_mut().filter(|o| pass(o)) {
            o.until = Some(o.until.unwrap_or(if o.limit.is_some() { until } else { now }));
        }
        self.expire(now);
    }

    /// Forgets the orders that have been taken off by now.
    pub fn expire(&mut self, now: Stamp) {
        if self.orders.iter().all(|o| o.until.is_none()) {
            return;
        }
        // What others follow may fill until the venue says that it is gone.
        let follows = self.leading.is_some();
        self.orders.retain(|o| o.until.is_none_or(|u| now < u) || follows && o.number.is_some());
    }

    /// What an event of the market does to orders and positions. The board has taken it already.
    pub fn hear(&mut self, m: &FillContext<'_>, event: &MarketEvent) {
        self.borrow(m, event.at());
        match *event {
            MarketEvent::Funding { instrument, rate, mark, .. } => {
                let q = self.of(instrument);
                if q != 0.0 && !m.costs.is_flat() {
                    let paid = q * mark * rate;
                    self.cash -= paid;
                    self.totals.funding -= paid;
                }
            }
            MarketEvent::Settled { instrument, price, .. } => self.settle(m, instrument, price),
            MarketEvent::Pool { instrument, at, .. } => {
                self.cash += self.ranges.hear(m, instrument, at, &mut self.totals);
                self.fill(m, instrument, at, event);
            }
            MarketEvent::Bar { instrument, at, .. }
            | MarketEvent::Quote { instrument, at, .. }
            | MarketEvent::Trade { instrument, at, .. }
            | MarketEvent::Level { instrument, at, last: true, .. } => self.fill(m, instrument, at, event),
            // Not heeded.
            MarketEvent::Level { .. }
            | MarketEvent::Mark { .. }
            | MarketEvent::Implied { .. }
            | MarketEvent::VolIndex { .. }
            | MarketEvent::Inside { .. }
            | MarketEvent::Health { .. } => {}
        }
    }

    /// Pays borrow on what is short on margin since it was paid last.
    fn borrow(&mut self, m: &FillContext<'_>, at: Stamp) {
        let span = at.since(std::mem::replace(&mut self.borrowed, at));
        for &(id, q) in self.held.iter().filter(|h| h.1 < 0.0) {
            let instrument = m.listed.get(id);
            let kind = instrument.kind;
            if !fills::pays_borrow(kind) {
                continue;
            }
            let value = m.listed.value(m.board, id).unwrap_or(0.0);
            let costs = m.costs.of(instrument);
            let paid = fills::borrow_cost(costs, kind, q, value, span);
            self.cash -= paid;
            self.totals.fees += paid;
        }
    }

    fn fill(&mut self, m: &FillContext<'_>, instrument: InstrumentId, at: Stamp, event: &MarketEvent) {
        if self.orders.is_empty() {
            return;
        }
        self.expire(at);
        let quoted = m.board.get(instrument);
        // A print is no offer, and where there are quotes a bar is none either.
        let offers = match event {
            MarketEvent::Trade { .. } => false,
            MarketEvent::Bar { .. } => quoted.is_none_or(|q| q.level == DetailLevel::Bars),
            _ => true,
        };
        // A bar that opened before the decision was at prices of before it.
        let opened = match event {
            MarketEvent::Bar { .. } => quoted.and_then(|q| q.bar_before),
            _ => Some(at),
        };
        let quiet = match event {
            MarketEvent::Quote { .. } if m.board.book(instrument).is_none() => {
                quoted.and_then(|q| q.top).map(|t| t.value)
            }
            _ => None,
        };
        let mut i = 0;
        while i < self.orders.len() {
            let o = &self.orders[i];
            let past = opened.is_none_or(|opened| opened < o.decided);
            if o.instrument != instrument || at < o.live || at <= o.decided || past {
                i += 1;
                continue;
            }
            // Most quotes leave most resting orders where they are.
            if let (Some(limit), Some(_), Some(top)) = (o.limit, o.ahead, quiet) {
                let through = if o.quantity > 0.0 { limit > top.ask } else { limit < top.bid };
                if !through {
                    i += 1;
                    continue;
                }
            }
            let mut order = *o;
            let got = match order.limit {
                None => self.take(m, &order, event),
                Some(limit) => self.rest(m, &mut order, limit, event),
            };
            order.quantity -= got;
            // Nobody waits for what rests.
            order.tries = order.tries.saturating_add(u8::from(offers && order.limit.is_none()));
            if libm::fabs(order.quantity) <= 1e-12 * libm::fabs(got) {
                self.orders.remove(i);
            } else {
                self.orders[i] = order;
                i += 1;
            }
        }
    }

    /// A taker; what it got.
    fn take(&mut self, m: &FillContext<'_>, order: &LegOrder, event: &MarketEvent) -> f64 {
        let instrument = m.listed.get(order.instrument);
        let hit = match event {
            // A print is no offer.
            MarketEvent::Trade { .. } => None,
            MarketEvent::Bar { bar, .. } => {
                let listing = m.board.get(order.instrument);
                let quoted = listing.is_some_and(|q| q.level > DetailLevel::Bars);
                // Where there are quotes, bars only sum up what was.
                let taken = (!quoted).then(|| {
                    let costs = m.costs.of(instrument);
                    let sigma = listing.map_or(f64::NAN, |q| q.sigma_before);
                    fills::take(costs, instrument.kind, bar.open, sigma, bar.volume, order.quantity)
                });
                taken.filter(|t| t.quantity != 0.0).map(|t| level::Hit {
                    quantity: t.quantity,
                    price: t.price,
                    level: DetailLevel::Bars,
                })
            }
            _ => {
                let tick = |price| m.listed.tick(order.instrument, price);
                level::hit(m.board, instrument, tick, order.quantity)
            }
        };
        let Some(hit) = hit else { return 0.0 };
        self.trade(m, order.instrument, hit.quantity, hit.price, false, hit.level);
        hit.quantity
    }

    /// A maker; what it got. Follows the queue before it.
    fn rest(&mut self, m: &FillContext<'_>, order: &mut LegOrder, limit: f64, event: &MarketEvent) -> f64 {
        let buys = order.quantity > 0.0;
        let side = libm::copysign(1.0, order.quantity);
        let beyond = |price: f64| side * (limit - price) > 0.0;
        let size = libm::fabs(order.quantity);
        let top = m.board.get(order.instrument).and_then(|q| q.top).map(|t| t.value);
        let book = m.board.book(order.instrument);
        // What another shows at its price, which was there before it.
        let shown = || {
            let Some(t) = top else { return 0.0 };
            let (best, there) = if buys { (t.bid, t.bid_size) } else { (t.ask, t.ask_size) };
            match book {
                Some(book) => book.against(!buys).iter().find(|l| l.0 == limit).map_or(0.0, |l| l.1),
                None if best == limit => there,
                None => 0.0,
            }
        };
        let ahead = order.ahead.unwrap_or_else(shown);
        let mut queue = ahead;
        let (got, on) = match *event {
            MarketEvent::Bar { ref bar, .. } => {
                let quoted = m.board.get(order.instrument).is_some_and(|q| q.level > DetailLevel::Bars);
                let i = m.listed.get(order.instrument);
                let tick = if m.touch { 0.0 } else { m.listed.tick(order.instrument, limit) };
                let taken = fills::rest(m.costs.of(i), i.kind, bar, limit, tick, order.quantity);
                (if quoted { 0.0 } else { libm::fabs(taken.quantity) }, DetailLevel::Bars)
            }
            MarketEvent::Trade { price, size: printed, buys: taker_buys, .. } => {
                let on = if book.is_some() { DetailLevel::Depth } else { DetailLevel::Quotes };
                let got = if taker_buys == buys {
                    0.0
                } else if beyond(price) {
                    size
                } else if m.touch && price == limit {
                    queue = (ahead - printed).max(0.0);
                    (printed - ahead).clamp(0.0, size)
                } else {
                    0.0
                };
                (got, on)
            }
            _ => {
                // The other side is quoted through our price: whoever quotes there would have traded with us.
                let crossed = top.is_some_and(|t| beyond(if buys { t.ask } else { t.bid }));
                // Those before us who left are not waited for.
                queue = if book.is_some() { ahead.min(shown()) } else { ahead };
                (if crossed { size } else { 0.0 }, DetailLevel::Quotes)
            }
        };
        order.ahead = Some(queue);
        if got > 0.0 {
            self.trade(m, order.instrument, side * got, limit, true, on);
        }
        side * got
    }

    /// Books a trade.
    pub fn trade(
        &mut self,
        m: &FillContext<'_>,
        id: InstrumentId,
        q: f64,
        price: f64,
        maker: bool,
        on: DetailLevel,
    ) {
        let instrument = m.listed.get(id);
        let scale = m.listed.scale(m.board, id).unwrap_or(1.0);
        let size = libm::fabs(q);
        let underlying = m.board.get(id).and_then(|q| q.implied).map_or(price, |i| i.value.1);
        // In the price's own currency.
        let inverse = matches!(instrument.terms, ContractTerms::Option { inverse: true, .. });
        let underlying = if inverse { 1.0 } else { underlying };
        let costs = m.costs.of(instrument);
        let fee = charge::trade(costs, (instrument.kind, &instrument.terms), size, price, underlying, maker);
        let gas = if instrument.kind == InstrumentKind::Pool {
            m.board.get(id).and_then(|q| q.pool).map_or(0.0, |p| p.value.gas)
        } else {
            0.0
        };
        let coins = instrument.kind.is_owned() && instrument.kind != InstrumentKind::Pool;
        let (mut bought, mut paid) = (q, q * price);
        if coins && q > 0.0 && costs.in_coins() {
            bought -= fee / price;
        } else {
            paid += fee;
        }
        self.add(m.listed.coin(id), bought);
        match m.listed.pays(id) {
            Some(other) => self.add(other, -paid),
            None => self.cash -= paid * scale,
        }
        self.cash -= gas;
        let t = &mut self.totals;
        t.traded += size * price * scale;
        t.fees += fee * scale + gas;
        t.fills += 1;
        t.level = Some(t.level.map_or(on, |l| l.min(on)));
    }

    /// An instrument trades no more: orders in it are void, and what is held goes at its last price, with what a bar takes.
    pub fn delist(&mut self, m: &FillContext<'_>, id: InstrumentId) {
        self.orders.retain(|o| o.instrument != id);
        let (held, i) = (self.of(id), m.listed.get(id));
        let Some(last) = m.board.price(id).filter(|_| held != 0.0) else { return };
        let out = fills::take(m.costs.of(i), i.kind, last.value, f64::NAN, f64::INFINITY, -held);
        self.trade(m, id, -held, out.price, false, DetailLevel::Bars);
    }

    /// A contract has ended: its position is paid out.
    fn settle(&mut self, m: &FillContext<'_>, id: InstrumentId, price: f64) {
        self.orders.retain(|o| o.instrument != id);
        let q = self.of(id);
        if q == 0.0 {
            return;
        }
        let i = m.listed.get(id);
        let payoff = m.listed.payoff(id, price);
        let fee = charge::settlement(m.costs.of(i), i.kind, libm::fabs(q), payoff, price);
        // A payoff in coins is worth its payoff: coins are paid out at the settlement price.
        self.cash += q * payoff - fee;
        self.totals.fees += fee;
        self.add(id, -q);
    }
}
