//! A structure that is opened as a maker: one leg rests at the near side, the others are taken as it fills, and what is
//! missing of it when its time is over is taken as well.
//!
//! # Invariants
//!
//! 1. What was ordered of each other leg is never more than the resting leg's filled part of it, in whole lots.
//! 2. It rests only while it has its market to itself: a leg that shares its coin with another is taken at once.
//! 3. While it is half open nothing but its closing is decided: it is no whole structure yet.

use super::{CANCEL, InLegs};
use crate::agents::life::{OpenIntent, OpenLeg};
use crate::agents::structures::legs::{LeadingLeg, LegOrder, Legs};
use crate::domain::InstrumentId;

/// What may be missing of a resting leg that is all there, as a fraction: a fee that was paid in its coins.
const PAID_IN_COINS: f64 = 0.005;

impl InLegs<'_> {
    /// Begins an opening, or an addition of so many units, behind its maker leg; whether it has one that can rest.
    pub(super) fn lead(&self, legs: &mut Legs, open: &OpenIntent, more: f64) -> bool {
        legs.leading = None;
        let Some(maker) = open.plan.maker else { return false };
        let coin = |id| self.seen.listed.coin(id);
        let Some(place) = open.legs.iter().position(|l| l.leg.instrument == maker.instrument) else {
            return false;
        };
        let is_shared = |n: usize| n != place && coin(open.legs[n].leg.instrument) == coin(maker.instrument);
        if (0..open.legs.len()).any(|n| is_shared(n) || open.legs[n].bounds.is_some()) {
            return false;
        }
        let size = |l: &OpenLeg| {
            let quantity = open.side * l.leg.ratio * more;
            libm::copysign(self.seen.listed.lots(l.leg.instrument, libm::fabs(quantity)), quantity)
        };
        let sizes: Vec<f64> = open.legs.iter().map(size).collect();
        legs.leading = Some(LeadingLeg {
            place,
            until: self.seen.now.after(maker.within),
            before: legs.of(coin(maker.instrument)),
            sent: vec![0.0; sizes.len()],
            sizes,
        });
        self.follow(legs, open);
        true
    }

    /// Keeps the resting leg where it is nearest, takes what is missing of it once its time is over, and orders of the
    /// others what its fills call for.
    pub(super) fn follow(&self, legs: &mut Legs, open: &OpenIntent) {
        if legs.leading.is_none() {
            return;
        }
        legs.expire(self.seen.now);
        // What is being taken off may fill until it is gone.
        if legs.orders.iter().any(|o| o.until.is_some()) {
            return;
        }
        let Some(mut leading) = legs.leading.take() else { return };
        let id = open.legs[leading.place].leg.instrument;
        let (size, had) = (leading.sizes[leading.place], legs.of(self.seen.listed.coin(id)) - leading.before);
        let is_working = legs.orders.iter().any(|o| o.instrument == id);
        // Whatever is left of it that is no order any more is not waited for.
        let is_all = !self.seen.is_order(id, size - had, self.seen.value(id).unwrap_or(f64::NAN), true)
            || libm::fabs(size - had) <= PAID_IN_COINS * libm::fabs(size);
        if !is_working && !is_all {
            let order = self.order(leading.place, id, size - had);
            let limit = (self.seen.now < leading.until).then(|| self.near_side(id, order.quantity)).flatten();
            legs.send(LegOrder { limit, ..order });
        }
        let part = if is_all && !is_working { 1.0 } else { (had / size).clamp(0.0, 1.0) };
        for (n, leg) in open.legs.iter().enumerate().filter(|(n, _)| *n != leading.place) {
            let due = leading.sizes[n] * part - leading.sent[n];
            let lots = self.seen.listed.lots(leg.leg.instrument, libm::fabs(due));
            let quantity = libm::copysign(lots, due);
            let price = self.seen.value(leg.leg.instrument).unwrap_or(f64::NAN);
            if self.seen.is_order(leg.leg.instrument, quantity, price, true)
                && legs.send(self.order(n, leg.leg.instrument, quantity))
            {
                leading.sent[n] += quantity;
            }
        }
        if part < 1.0 || is_working {
            let is_late = self.seen.now >= leading.until;
            legs.leading = Some(leading);
            if is_late {
                let arrival = self.arrival(CANCEL);
                legs.cancel(self.seen.now, arrival, |o| o.instrument == id && o.limit.is_some());
            }
        }
    }

    /// The price at which an order of this sign is first in line to be met: the bid of a purchase, the offer of a sale, and
    /// where nothing is quoted the last price.
    fn near_side(&self, id: InstrumentId, quantity: f64) -> Option<f64> {
        let top = self.seen.board.get(id).and_then(|q| q.top).map(|t| t.value);
        match top {
            Some(top) if quantity > 0.0 => Some(top.bid),
            Some(top) => Some(top.ask),
            None => self.seen.board.price(id).map(|p| p.value),
        }
        .filter(|price| *price > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::agents::proposal::{Proposal, StructureLeg};
    use crate::agents::structures::stage::{CAPITAL, OneLife, quote, second, trade, universe};
    use crate::domain::condition::Target;
    use crate::domain::{
        Condition, FamilyId, Indicator, InstrumentId, InstrumentKind, MakerLeg, MarketEvent, Plan, Reason,
        Span, Term, Verb,
    };
    use proptest::prelude::*;

    const ONE: InstrumentId = InstrumentId(0);
    const TWO: InstrumentId = InstrumentId(1);
    /// Units of a leg: half of the capital at a hundred each.
    const UNITS: f64 = 0.5 * CAPITAL / 100.0;

    /// Short of the first, which rests for a minute, and long of the second.
    fn opened() -> OneLife {
        let perp = |venue| ("BTC", InstrumentKind::Perp, venue, "");
        let p = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
        let feed = universe(&[perp("a"), perp("b")]);
        let mut s = OneLife::new(&feed, FamilyId::Arbitrage, &p, "BTC").unwrap();
        // By touch, so that what is printed fills in parts.
        s.life.touch = true;
        at(&mut s, 0.0, 100.0, &[]);
        let gain = |op: fn(Term, Term) -> Condition, bp| op(Term::Of(Indicator::Gain), Term::Level(bp));
        let plan = Plan {
            legs: Vec::new(),
            maker: Some(MakerLeg { instrument: ONE, within: Span::MINUTE }),
            stop: gain(Condition::below, -500.0),
            trail: None,
            exit: gain(Condition::below, -1e9),
            expire: Condition::above(Term::Minutes, Term::Level(600.0)),
            targets: vec![Target { when: gain(Condition::above, 300.0), fraction: 1.0 }],
            add: None,
            hedge: None,
            reenter: None,
        };
        let leg = |instrument, ratio| StructureLeg { instrument, ratio };
        let legs = vec![leg(TWO, 1.0), leg(ONE, -1.0)];
        assert!(s.open(Proposal { side: 1.0, legs, size: 0.5, delta: 0.0, limit: None, plan }));
        s
    }

    /// Both markets a cent wide around this price, after these events; what was done.
    fn at(s: &mut OneLife, t: f64, price: f64, before: &[MarketEvent]) -> Vec<(Verb, Reason, f64)> {
        let quoted = [0, 1].map(|i| quote(i, second(t), price - 0.005, price + 0.005, 1e6));
        s.at(&[before, &quoted].concat())
    }

    fn near(is: f64, should: f64) {
        assert!((is - should).abs() < 1e-6, "{is} is not {should}");
    }

    #[test]
    fn the_others_follow_what_the_resting_leg_got_and_it_earns_the_makers_rate() {
        let mut s = opened();
        at(&mut s, 1.0, 100.0, &[]);
        assert_eq!((s.held(0), s.held(1)), (0.0, 0.0), "nothing is taken");
        let rests = s.life.legs.orders[0];
        assert_eq!((s.life.legs.orders.len(), rests.instrument, rests.limit), (1, ONE, Some(100.005)));
        // A million are shown before it; a quarter of it is printed beyond them.
        at(&mut s, 2.0, 100.0, &[trade(0, second(2.0), 100.005, 1e6 + 0.25 * UNITS, true)]);
        near(s.held(0), -0.25 * UNITS);
        at(&mut s, 3.0, 100.0, &[]);
        near(s.held(1), 0.25 * UNITS);
        at(&mut s, 4.0, 100.0, &[trade(0, second(4.0), 100.01, 1.0, true)]);
        near(s.held(0), -UNITS);
        assert!(
            s.life.legs.leading.is_none() && !s.life.legs.is_whole(),
            "the rest of the other is on its way"
        );
        at(&mut s, 5.0, 100.0, &[]);
        near(s.held(1), UNITS);
        assert!(s.life.legs.is_whole());
        // Two basis points where it rested, five where it took half a cent above the mid price.
        near(s.life.legs.totals.fees, UNITS * (0.000_2 * 100.005 + 0.000_5 * 100.005));
        let said = s.actions()[0].to_string();
        assert!(said.contains("works: instrument 0 rests for up to 1 minute"), "{said}");
    }

    #[test]
    fn what_is_missing_of_it_when_its_time_is_over_is_taken() {
        let mut s = opened();
        at(&mut s, 30.0, 99.0, &[]);
        assert_eq!(s.life.legs.orders[0].limit, Some(100.005), "it is not moved after the market");
        for t in [60.0, 61.0, 62.0, 63.0] {
            assert_eq!(at(&mut s, t, 99.0, &[]), []);
        }
        near(s.held(0), -UNITS);
        near(s.held(1), UNITS);
        near(s.life.legs.totals.fees, UNITS * 0.000_5 * (98.995 + 99.005));
    }

    #[test]
    fn what_is_half_open_is_closed_like_anything_else_and_leaves_nothing() {
        let mut s = opened();
        at(&mut s, 1.0, 100.0, &[]);
        at(&mut s, 2.0, 100.0, &[trade(0, second(2.0), 100.005, 1e6 + 0.25 * UNITS, true)]);
        // The second falls by seven percent alone: seven percent is lost by mid prices, whatever is held.
        let fallen = [quote(0, second(3.0), 99.995, 100.005, 1e6), quote(1, second(3.0), 92.9, 93.1, 1e6)];
        assert_eq!(s.at(&fallen), [(Verb::Close, Reason::Stop, 1.0)]);
        for t in [4.0, 5.0, 6.0] {
            at(&mut s, t, 100.0, &[]);
        }
        assert_eq!((s.held(0), s.held(1), s.outcomes().len()), (0.0, 0.0, 1));
        assert!(s.life.is_idle());
    }

    #[test]
    fn a_follower_that_finds_nobody_is_missed_and_all_is_closed() {
        let mut s = opened();
        at(&mut s, 1.0, 100.0, &[]);
        at(&mut s, 2.0, 100.0, &[trade(0, second(2.0), 100.01, 1.0, true)]);
        for t in [3.0, 4.0, 5.0] {
            let (one, two) =
                (quote(0, second(t), 99.995, 100.005, 1e6), quote(1, second(t), 99.0, 101.0, 0.0));
            s.at(&[one, two]);
        }
        assert_eq!(s.actions().pop().map(|a| (a.verb, a.reason)), Some((Verb::Close, Reason::Missed)));
        at(&mut s, 6.0, 100.0, &[]);
        assert_eq!((s.held(0), s.held(1)), (0.0, 0.0));
    }

    proptest! {
        /// Whatever is printed and quoted: no more follows than what rested got, and in the end both are whole.
        #[test]
        fn nothing_is_ahead_of_the_resting_leg(
            prints in proptest::collection::vec((0.0..0.4, 99.9..100.1, any::<bool>()), 0..40)
        ) {
            let mut s = opened();
            for (n, (part, price, buys)) in prints.iter().enumerate() {
                let t = 1.0 + n as f64;
                at(&mut s, t, *price, &[trade(0, second(t), *price, part * UNITS, *buys)]);
                let (one, two) = (s.held(0), s.held(1));
                prop_assert!((-UNITS - 1e-9..=0.0).contains(&one), "{one}");
                prop_assert!(two >= 0.0 && two <= -one + 1e-9, "{two} follows {one}");
            }
            for t in [70.0, 71.0, 72.0, 73.0] {
                at(&mut s, t, 100.0, &[]);
            }
            prop_assert!((s.held(0) + UNITS).abs() < 1e-6 && (s.held(1) - UNITS).abs() < 1e-6);
            prop_assert!(s.life.legs.is_whole());
        }
    }
}
