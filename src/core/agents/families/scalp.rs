//! Scalp: takes the side that pushes, for seconds. The push is [`Indicator::Imbalance`], from quotes and
//! trades; what it is worth is learned: the mid's move over the horizon after it, regressed on it.
//!
//! At the best prices, orders that come less those that go (Cont, Kukanov and Stoikov 2014, "The price
//! impact of order book events"): size at a bid that rose or stayed, less the size that was there if it
//! fell or stayed; offers the other way round.
//!
//! # Invariants
//!
//! 1. [`Indicator::Edge`] = the move expected, less the part of it that passes before an order arrives,
//!    less taker fee and half the spread both ways.
//! 2. Size is at most what the best price shows.
//! 3. Nothing is opened on a quote older than `age`, or on fewer than [`LOOKS`] looks at what followed.
//!
//! It pays taker fees twice for a move of seconds. Where those are base tiers, the move is rarely worth it,
//! and then it stays out; that is the honest result. It needs quotes, and stands still on bars. Never adds:
//! the move is over before more would arrive.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::gap;
use crate::agents::structures::legs::LATENCY;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, Indicator, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Term,
};
use crate::market::Market;
use crate::market::quotes::Top;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "order-flow imbalance of quotes and trades, quick target, time stop",
    needs: "the asset's perp, margin or spot with quotes (and trades)",
    params: &[
        param("horizon", "seconds", (5.0, 30.0), (0.5, 600.0), "how far it looks ahead, and back"),
        param("memory", "minutes", (15.0, 120.0), (0.5, 10_000.0), "memory of what followed an imbalance"),
        param("hurdle", "bp", (0.5, 3.0), (0.0, 100.0), "edge after all costs at which it opens"),
        param("size", "of capital", (0.1, 0.4), (0.001, 3.0), "notional"),
        param("hold", "minutes", (1.0, 3.0), (1.0, 60.0), "time stop"),
        param("age", "seconds", (0.5, 2.0), (0.01, 60.0), "oldest quote it acts on"),
    ],
    ordered: &[],
};

/// Looks at what followed before anything is expected.
pub const LOOKS: f64 = 20.0;
/// A move in seconds that is none, in bp; and the largest that is believed, in deviations.
const BAD_TICK: f64 = 1_000.0;
const OUTLIER: f64 = 8.0;
/// Added to the squares of imbalances: few looks promise little (ridge).
const RIDGE: f64 = 1.0;

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalpMemory {
    instrument: InstrumentId,
    horizon: f64,
    recall: f64,
    hurdle: f64,
    size: f64,
    hold: f64,
    age: Span,
    /// The best prices before these.
    top: Option<Top>,
    /// When the flows were last brought up to date.
    until: Stamp,
    /// Flow at the best prices, net and gross; of takers, net and gross. Base units, forgotten in time.
    orders: [f64; 2],
    takers: [f64; 2],
    /// An imbalance whose move is still to be seen: when, the mid, the imbalance.
    watched: Option<(Stamp, f64, f64)>,
    /// Sums over looks, forgotten alike: of ones, of squared imbalances, of imbalance times move (bp), of
    /// squared moves.
    looks: [f64; 4],
}

impl ScalpMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let by = |kind| listed.find(asset, |i| i.kind == kind && i.quote.is_none()).first().copied();
        let kinds = [InstrumentKind::Perp, InstrumentKind::Margin, InstrumentKind::Spot];
        let Some(instrument) = kinds.into_iter().find_map(by) else {
            return Err("needs a perp, margin or spot market of the asset".to_owned());
        };
        Ok(ScalpMemory {
            instrument,
            horizon: p[0],
            recall: p[1] * 60.0,
            hurdle: p[2],
            size: p[3],
            hold: p[4],
            age: gap::span(p[5]),
            top: None,
            until: Stamp(0),
            orders: [0.0; 2],
            takers: [0.0; 2],
            watched: None,
            looks: [0.0; 4],
        })
    }

    /// Brings the flows to this stamp.
    fn pass(&mut self, at: Stamp) {
        let passed = gap::seconds(at.since(self.until));
        if passed > 0.0 {
            let keep = libm::exp(-passed / self.horizon);
            self.orders.iter_mut().chain(&mut self.takers).for_each(|x| *x *= keep);
            self.until = at;
        }
    }

    /// −1 … 1; none before anything flowed.
    fn imbalance(&self) -> Option<f64> {
        let share = |[net, gross]: [f64; 2]| (gross > 0.0).then(|| net / gross);
        match (share(self.orders), share(self.takers)) {
            (Some(a), Some(b)) => Some(f64::midpoint(a, b)),
            (one, other) => one.or(other),
        }
        .filter(|x| x.is_finite())
    }

    /// The move over the horizon that an imbalance of one was followed by, in bp, and one standard
    /// deviation of moves.
    fn learned(&self) -> Option<(f64, f64)> {
        let [n, xx, xy, yy] = self.looks;
        (n >= LOOKS).then(|| (xy / (xx + RIDGE), libm::sqrt(yy / n)))
    }

    fn quote(&mut self, at: Stamp, now: Top) {
        if let Some(was) = self.top.replace(now) {
            let come = |up: bool, same: bool, size: f64, before: f64| {
                if same {
                    (size - before, libm::fabs(size - before))
                } else if up {
                    (size, size)
                } else {
                    (-before, before)
                }
            };
            let (b, bb) = come(now.bid > was.bid, now.bid == was.bid, now.bid_size, was.bid_size);
            let (a, aa) = come(now.ask < was.ask, now.ask == was.ask, now.ask_size, was.ask_size);
            self.orders[0] += b - a;
            self.orders[1] += bb + aa;
        }
        let mid = now.mid();
        if let Some((then, was, x)) = self.watched {
            let passed = gap::seconds(at.since(then));
            if passed < self.horizon {
                return;
            }
            let y = (mid / was - 1.0) * 1e4;
            let most = if self.looks[0] < LOOKS {
                f64::INFINITY
            } else {
                OUTLIER * libm::sqrt(self.looks[3] / self.looks[0])
            };
            // A silence says nothing of what the imbalance did, nor does a bad tick.
            if passed <= 3.0 * self.horizon && libm::fabs(y) < BAD_TICK {
                let y = y.clamp(-most, most);
                let keep = libm::exp(-passed / self.recall);
                for (sum, more) in self.looks.iter_mut().zip([1.0, x * x, x * y, y * y]) {
                    *sum = *sum * keep + more;
                }
            }
        }
        self.watched = self.imbalance().map(|x| (at, mid, x));
    }
}

impl Family for ScalpMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(vec![self.instrument])
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        match *event {
            MarketEvent::Trade { at, size, buys, .. } => {
                self.pass(at);
                self.takers[0] += if buys { size } else { -size };
                self.takers[1] += size;
            }
            MarketEvent::Quote { at, .. } | MarketEvent::Level { at, last: true, .. } => {
                if let Some(top) = board.get(self.instrument).and_then(|q| q.top).filter(|t| t.at == at) {
                    self.pass(at);
                    self.quote(at, top.value);
                }
            }
            _ => {}
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let Some(top) = seen.board.get(self.instrument).and_then(|q| q.top).map(|t| t.value) else { return };
        values.set(Indicator::Spread, (top.ask - top.bid) / top.mid() * 1e4);
        let Some(imbalance) = self.imbalance() else { return };
        values.set(Indicator::Imbalance, imbalance);
        if let Some((slope, _)) = self.learned() {
            let late = (1.0 - gap::seconds(LATENCY) / self.horizon).max(0.0);
            let expected = libm::fabs(slope * imbalance) * late;
            let edge = expected - 2e4 * seen.cost(self.instrument);
            values.set(Indicator::Edge, edge);
            if seen.is_fresh(&[self.instrument], self.age) {
                values.set(Indicator::Way, libm::copysign(edge.max(0.0), slope * imbalance));
            }
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let (edge, imbalance) = (cx.view.of(Indicator::Edge), cx.view.of(Indicator::Imbalance));
        if edge.is_nan() || edge <= self.hurdle || !seen.is_fresh(&[self.instrument], self.age) {
            return None;
        }
        let (slope, sigma) = self.learned()?;
        let top = seen.board.get(self.instrument).and_then(|q| q.top)?.value;
        let side = libm::copysign(1.0, slope * imbalance);
        if !seen.side.allows(side) || side < 0.0 && !seen.listed.get(self.instrument).kind.can_short() {
            return None;
        }
        let character = seen.traits.aggression * seen.preset.unit;
        let shown = if side > 0.0 { top.ask_size } else { top.bid_size };
        let size = self.size.min(shown * top.mid() / seen.capital / character);
        if size <= 0.0 || !size.is_finite() {
            return None;
        }
        let cost = 2e4 * seen.cost(self.instrument);
        let push = libm::copysign(1.0, imbalance);
        let flow = Term::Of(Indicator::Imbalance);
        let spread = cx.view.of(Indicator::Spread);
        let shape = StructureShape {
            stop: (edge + cost).max(1.5 * sigma),
            near: 0.5 * edge,
            far: edge,
            trails: false,
            hold: self.hold,
            // The flow has turned.
            exit: Condition::beyond(-push, flow, Term::Level(0.0)),
            add: None,
            hedge: Condition::above(
                Term::Of(Indicator::Spread),
                Term::Level((3.0 * spread).max(spread + 2.0)),
            ),
            again: Condition::beyond(side, Term::Of(Indicator::Way), Term::Level(side * self.hurdle)),
            pause: 1.0,
        };
        Some(Proposal {
            side,
            legs: vec![StructureLeg { instrument: self.instrument, ratio: 1.0 }],
            size,
            delta: 1.0,
            plan: shape.plan_after(cost, side, seen.traits, seen.preset),
            limit: None,
        })
    }

    fn pace(&self) -> Span {
        Span(100_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::structures::stage::*;
    use crate::domain::{FamilyId, MessageKind, Reason, SideRule, Verb};
    use InstrumentKind::{Perp, Pool, Spot};
    use proptest::prelude::*;

    /// Horizon, memory, hurdle, size, hold, age.
    const P: [f64; 6] = [5.0, 30.0, 1.0, 0.2, 3.0, 2.0];

    fn stage(kind: InstrumentKind) -> OneLife {
        let mut s = OneLife::new(&universe(&[("BTC", kind, "a", "")]), FamilyId::Scalp, &P, "BTC").unwrap();
        s.age = gap::span(P[5]);
        s
    }

    /// Twenty seconds of buying, twenty of selling; price goes with them by so many bp a second.
    fn mid(n: i32, step: f64) -> f64 {
        let n = n.rem_euclid(40);
        100.0 * (1.0 + step / 1e4 * f64::from(if n <= 20 { n } else { 40 - n }))
    }

    fn tick(s: &mut OneLife, n: i32, step: f64) -> Vec<(Verb, Reason, f64)> {
        let (t, mid, up) = (second(f64::from(n)), mid(n, step), n.rem_euclid(40) < 20);
        let print = mid * if up { 1.0001 } else { 0.9999 };
        s.at(&[quote(0, t, mid * 0.9999, mid * 1.0001, 1_000.0), trade(0, t, print, 5.0, up)])
    }

    #[test]
    fn it_stands_by_without_a_market_to_take_in() {
        let why =
            OneLife::new(&universe(&[("BTC", Pool, "a", "")]), FamilyId::Scalp, &P, "BTC").err().unwrap();
        assert!(why.starts_with("needs a perp, margin or spot market"));
    }

    #[test]
    fn goes_with_the_flow_that_moves_the_price_by_more_than_it_costs() {
        let step = 8.0;
        let mut s = stage(Perp);
        let end = (0..4_000).find(|n| {
            tick(&mut s, *n, step);
            s.outcomes().len() == 4
        });
        assert!(end.is_some(), "{} {}", s.value(Indicator::Edge), s.value(Indicator::Imbalance));
        // Every action trades a second later: at the offer or the bid, a basis point off the mid, five of
        // fee.
        let (mut cash, mut entry, mut sides) = (0.0, 0.0, vec![]);
        for (at, body) in &s.said {
            let MessageKind::Action(a) = body else { continue };
            if a.verb == Verb::Open {
                entry = a.price;
                // Side and where the price was going.
                sides.push((a.side(), at.0 / 1_000_000_000 % 40));
            }
            let units = (a.after - a.before) * CAPITAL / entry;
            let price = mid((at.0 / 1_000_000_000) as i32 + 1, step) * (1.0 + units.signum() * 1e-4);
            cash -= units * price + units.abs() * price * 0.0005;
        }
        let told: f64 = s.outcomes().iter().map(|o| o.pnl).sum::<f64>() * CAPITAL;
        assert!((told - cash).abs() < 1e-2, "{told} {cash}");
        assert!(told > 0.0, "a flow of 160 bp is worth more than 12: {told}");
        assert!(sides.iter().all(|(side, at)| (*side > 0.0) == (*at < 20)), "{sides:?}");
        let said = s.actions()[0].to_string();
        assert!(said.contains("exit: close if the order-flow imbalance"), "{said}");
    }

    #[test]
    fn a_move_inside_cost_is_left_alone_and_so_is_a_flow_that_moves_nothing() {
        // 12 bp of cost against at most 5 · 2 in the five seconds it looks ahead.
        for step in [0.0, 2.0] {
            let mut s = stage(Perp);
            for n in 0..1_000 {
                assert_eq!(tick(&mut s, n, step), [], "{step}");
            }
        }
    }

    #[test]
    fn spot_only_buys_and_bars_say_nothing() {
        let mut s = stage(Spot);
        for n in 0..1_000 {
            tick(&mut s, n, 20.0);
        }
        assert!(!s.actions().is_empty() && s.actions().iter().all(|a| a.side() > 0.0));
        let mut s = stage(Perp);
        for n in 0..500 {
            assert_eq!(s.at(&[bar(0, second(60.0 * f64::from(n)), mid(n, 50.0))]), []);
        }
    }

    #[test]
    fn the_imbalance_is_that_of_orders_and_takers() {
        let mut s = stage(Perp);
        let top = |t: f64, bid: f64, bid_size: f64, ask_size: f64| MarketEvent::Quote {
            instrument: InstrumentId(0),
            at: second(t),
            bid,
            ask: 101.0,
            bid_size,
            ask_size,
        };
        s.at(&[top(1.0, 99.0, 5.0, 5.0)]);
        assert!(s.value(Indicator::Imbalance).is_nan());
        // Three more at the bid, one less offered: all of it pushes up.
        s.at(&[top(1.0, 99.0, 8.0, 4.0)]);
        assert_eq!(s.value(Indicator::Imbalance), 1.0);
        // A bid a step lower: what stood there is gone, 8 of 12 that moved.
        s.at(&[top(1.0, 98.0, 6.0, 4.0)]);
        assert!((s.value(Indicator::Imbalance) - (4.0 - 8.0) / 12.0).abs() < 1e-12);
        s.at(&[trade(0, second(1.0), 101.0, 3.0, true), trade(0, second(1.0), 98.0, 1.0, false)]);
        assert!((s.value(Indicator::Imbalance) - f64::midpoint(-4.0 / 12.0, 0.5)).abs() < 1e-12);
    }

    fn wild() -> OneLife {
        let p = [0.5, 10.0, 0.0, 0.2, 1.0, 1.0];
        let mut s = OneLife::new(&universe(&[("BTC", Perp, "a", "")]), FamilyId::Scalp, &p, "BTC").unwrap();
        s.age = gap::span(1.0);
        s.costs = crate::fills::Costs::Flat(0.000_1).into();
        s
    }

    #[test]
    fn random_markets_make_it_trade() {
        let n = opened(wild);
        assert!(n > 10, "{n}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_market_makes_it_break_its_laws(chaos in chaos(400), side in 0_usize..3) {
            let mut s = wild();
            s.side = [SideRule::Both, SideRule::Long, SideRule::Short][side];
            s.play(&chaos);
            let x = s.value(Indicator::Imbalance);
            prop_assert!(x.is_nan() || (-1.0..=1.0).contains(&x));
        }
    }
}
