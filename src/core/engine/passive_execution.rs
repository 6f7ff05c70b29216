//! Makers work the desk's orders: between two decisions an order rests at a limit that follows the price, and
//! what is left of it crosses the spread at the next.
//!
//! ```text
//! L = last close · (1 − side · κ · σ)      of the fast clock; κ as its maker says up to a quarter of an hour, else ¼ of it
//! filled at L where a bar trades beyond it by 1 bp; moved after each bar; post-only
//! ```
//!
//! What rests crosses at the next decision, or as many later as its maker says, while that one still serves. What rests on
//! keeps the price that it is measured from.
//!
//! The perp leg of a switch rests in the same order, behind what the desk wants of it
//! (see `order_split`).
//!
//! # Invariants
//!
//! 1. An order is worked only where somebody makes markets on its asset and the fast clock's volatility is known.
//! 2. It is a decided order that passed the gate; only its price moves, and it is never sent twice.
//! 3. What it costs is measured against the open of the first bar after the decision, fees included; of a switch
//!    what both legs moved since, without the fee of its spot, which taking would have paid as well.
//! 4. What of an order comes to whatever is its maker's who put it there, also what crosses because it was not filled.

use super::bids::{AcceptedWork, WorkedCost};
pub use super::execution_cost::ExecutionCost;
use super::order_split::common;
use crate::domain::{AgentId, Decimal, Fill, MarketEvent, OrderId, PriceStep, Span, Stamp, money};
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// Bars of the fast clock that its volatility is measured over.
const FAST_SPAN: f64 = 96.0;
/// Bars of it before an order is worked.
const FAST_KNOWN: u32 = 48;
/// Longest bar of a clock that is called fine: κ is larger there, and the perp leg of a switch may rest.
pub(super) const FINE: Span = Span(Span::HOUR.0 / 4);
/// What of a maker's distance is left on a clock that is not fine.
const COARSE: f64 = 0.25;

/// An instrument's worked order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkingOrder {
    pub(super) volatility: Weighted,
    /// Close of the last fast bar; zero before the first.
    pub(super) close: f64,
    /// Close of the last fast bar, and the time from the one before to it.
    pub(super) at: Option<Stamp>,
    pub(super) span: Span,
    pub(super) order: Option<OrderId>,
    /// Who put it there, and on which terms.
    pub(super) work: Option<AcceptedWork>,
    /// Decisions at which what is left of it need not cross yet.
    rests: u32,
    /// What the desk still wants of an order that was taken back from a maker who may not serve any more.
    pub(super) orphaned: Decimal,
    /// Perp leg of a switch in the resting order, signed.
    pub(super) switch: Decimal,
    /// Close of the spot's last fast bar.
    spot_at: Option<Stamp>,
    /// Time from the spot's fast bar before the last to the last.
    spot_span: Span,
    /// Of what rested before already: its share of the order, and from where it is measured.
    kept: Option<KeptArrival>,
    /// Open of the first bar after the decision; zero before it is known.
    pub(super) arrival: f64,
    /// Open of the spot's first bar after the decision; zero before it is known.
    spot_arrival: f64,
    /// What taking a unit at the arrival would have cost.
    pub(super) taking: f64,
    /// What crosses now because it was not filled.
    pub(super) late: Option<ResidualOrder>,
}

/// A part of an order that rests on from the decision before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct KeptArrival {
    /// Its share of the order.
    share: f64,
    /// The arrival price that it has.
    arrival: f64,
    /// What taking a unit there would have cost.
    taking: f64,
}

/// What is left of an order that is worked, signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    /// What the desk still wants of it, in base units.
    pub desk: Decimal,
    /// The perp leg of a switch.
    pub switch: Decimal,
}

/// What of a market order was worked before, and against what it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ResidualOrder {
    order: OrderId,
    maker: AgentId,
    desk: Decimal,
    switch: Decimal,
    /// Spot leg of the switch, signed.
    spot: Decimal,
    arrival: f64,
    spot_arrival: f64,
    taking: f64,
}

impl WorkingOrder {
    /// Nothing is known of the fast clock.
    pub fn new() -> Self {
        WorkingOrder {
            volatility: Weighted::new(FAST_SPAN),
            close: 0.0,
            at: None,
            span: Span(0),
            order: None,
            work: None,
            rests: 0,
            orphaned: Decimal::ZERO,
            kept: None,
            switch: Decimal::ZERO,
            spot_at: None,
            spot_span: Span(0),
            arrival: 0.0,
            spot_arrival: 0.0,
            taking: 0.0,
            late: None,
        }
    }

    /// Whether a maker knows enough of the fast clock to work an order now.
    pub(super) fn is_known(&self, now: Stamp) -> bool {
        // The limit is a distance in volatilities: of fewer bars it would be anywhere, and from an old price it
        // could be worse than the market.
        self.volatility.seen() >= FAST_KNOWN && self.at == Some(now)
    }

    /// Whether the fast clocks of both legs are fine, by bars of the spot that are still told or by its quotes.
    pub(super) fn is_fine(&self, now: Stamp, is_quoted: bool) -> bool {
        let told = self.spot_at == Some(now) && self.spot_span.0 <= FINE.0;
        self.span.0 <= FINE.0 && (is_quoted || told)
    }

    /// The limit on this side at a maker's distance, from what is known now.
    pub(super) fn limit(&self, side: f64, tick: PriceStep, distance: f64) -> Option<Decimal> {
        // Fine bars give many tries before the next decision, so that a limit one volatility away is mostly
        // met; bars of an hour give a few, and the limit has to lie nearer.
        let kappa = if self.span.0 <= FINE.0 { distance } else { distance * COARSE };
        let price = self.close * (1.0 - side * kappa * libm::sqrt(self.volatility.mean()));
        let tick = tick.at(price);
        let ticks = price / money::to_estimate(tick);
        // Away from the market: rounded toward it, it could cross the spread, and a post-only order that
        // crosses is refused.
        let whole = if side > 0.0 { libm::floor(ticks) } else { libm::ceil(ticks) };
        money::from_estimate(whole.max(1.0), 0)?.checked_mul(tick)
    }

    /// Whether what rests now may go on resting at a decision after which `next` works the orders.
    pub(super) fn may_wait(&self, next: Option<&AcceptedWork>) -> bool {
        // Whoever comes after it has asked for no such time.
        self.rests > 0 && self.work.map(|w| w.maker) == next.map(|w| w.maker)
    }

    /// An order that was taken back was filled all the same: as far as the desk still wanted it, that is done.
    pub(super) fn filled_late(&mut self, quantity: Decimal) {
        self.orphaned -= common(self.orphaned, quantity);
    }

    /// An order goes to work, `switch` of it the perp leg of a switch, and the share `kept` of it what rested before.
    pub(super) fn begin(&mut self, order: OrderId, switch: Decimal, work: AcceptedWork, kept: f64) {
        let is_kept = kept > 0.0 && self.arrival > 0.0;
        let kept_now = KeptArrival { share: kept, arrival: self.arrival, taking: self.taking };
        // Where no bar has opened since, what was kept before still is.
        self.kept = if is_kept { Some(kept_now) } else { self.kept.filter(|_| kept > 0.0) };
        // The oldest of it says when all of it crosses.
        self.rests =
            if kept > 0.0 { self.rests.saturating_sub(1) } else { work.terms.rests.saturating_sub(1) };
        self.work = Some(work);
        // Measured from the next bar's open, the first price at which the decision could have been traded: at
        // the close that it was made on nobody can deal any more.
        (self.order, self.arrival, self.spot_arrival, self.taking) = (Some(order), 0.0, 0.0, 0.0);
        self.switch = switch;
    }

    /// The first bar after the decision has opened, where taking a unit would have cost so much.
    pub(super) fn arrive(&mut self, open: f64, taking: f64) {
        let none = KeptArrival { share: 0.0, arrival: open, taking };
        let kept = self.kept.take().unwrap_or(none);
        let of = |old: f64, new: f64| if kept.share > 0.0 { new + kept.share * (old - new) } else { new };
        (self.arrival, self.taking) = (of(kept.arrival, open), of(kept.taking, taking));
    }

    /// A fast bar has closed.
    pub(super) fn learn(&mut self, close: f64) {
        if self.close > 0.0 {
            let r = close / self.close - 1.0;
            self.volatility.push(r * r);
        }
        self.close = close;
    }

    /// A price of spot: the first after a decision is where a switch is measured from. When its fast bar
    /// opened, if it is one.
    pub(super) fn see_spot(&mut self, event: &MarketEvent) -> Option<Stamp> {
        let (opened, price) = match event {
            MarketEvent::Inside { at, bar, .. } => {
                let opened = self.spot_at.replace(*at);
                self.spot_span = opened.map_or(Span(i64::MAX), |before| at.since(before));
                (opened, bar.open)
            }
            MarketEvent::Quote { bid, ask, .. } => (None, f64::midpoint(*bid, *ask)),
            _ => return None,
        };
        // Put back to nothing whenever an order goes to work.
        if self.spot_arrival == 0.0 {
            self.spot_arrival = price;
        }
        opened
    }

    /// What crosses because it was not filled is measured against where it was decided.
    pub(super) fn crosses(&mut self, order: OrderId, desk: Decimal, switch: Decimal) {
        // Without an arrival no bar has opened since the decision, and nothing can have been missed.
        let maker = self.work.map(|w| w.maker);
        if let Some(maker) = maker.filter(|_| self.arrival > 0.0 && !(desk + switch).is_zero()) {
            let (arrival, spot_arrival, taking) = (self.arrival, self.spot_arrival, self.taking);
            self.late = Some(ResidualOrder {
                order,
                maker,
                desk,
                switch,
                spot: -switch,
                arrival,
                spot_arrival,
                taking,
            });
        }
    }

    /// A market order was filled: what it cost as far as it was worked before.
    pub(super) fn crossed(&mut self, fill: &Fill) -> Option<WorkedCost> {
        let late = self.late.as_mut().filter(|l| l.order == fill.order)?;
        // A market order may hold more than what had rested, and a fill less than the order: counted in
        // the order in which it rested, the desk before the switch.
        let desk = common(late.desk, fill.quantity);
        let switch = common(late.switch, fill.quantity - desk);
        late.desk -= desk;
        late.switch -= switch;
        let of = |part| ExecutionCost::of(fill, part, late.arrival, late.taking, false);
        Some(WorkedCost { maker: late.maker, all: of(desk + switch), switches: of(switch) })
    }

    /// So much of a fill at rest was worked, `switch` of it the perp leg of a switch.
    pub(super) fn rested(&self, fill: &Fill, switch: Decimal) -> Option<WorkedCost> {
        let of = |part| ExecutionCost::of(fill, part, self.arrival, self.taking, true);
        Some(WorkedCost { maker: self.work?.maker, all: of(fill.quantity), switches: of(switch) })
    }

    /// The spot leg of a switch that was worked was filled: what it moved since the decision is part of the
    /// price of working. A pair's price is the basis, so that of this the perp leg had the opposite.
    pub(super) fn followed(&mut self, part: Decimal, fill: &Fill) -> [Option<WorkedCost>; 2] {
        let moved = |maker: Option<AgentId>, part: Decimal, arrival: f64| {
            let maker = maker.filter(|_| arrival > 0.0)?;
            let cost = money::to_estimate(part) * (money::to_estimate(fill.mark) - arrival);
            let cost = ExecutionCost { cost, ..ExecutionCost::default() };
            Some(WorkedCost { maker, all: cost, switches: cost })
        };
        // Price alone: the fee of the spot leg would have been paid by taking too.
        let now = moved(self.work.map(|w| w.maker), part, self.spot_arrival);
        let late = self.late.as_mut().and_then(|late| {
            // What was not the other leg of a resting fill belongs to the switch that crossed, whose arrival
            // is older.
            let part = common(late.spot, fill.quantity - part);
            late.spot -= part;
            moved(Some(late.maker), part, late.spot_arrival)
        });
        [now, late]
    }
}

impl Default for WorkingOrder {
    fn default() -> Self {
        WorkingOrder::new()
    }
}
