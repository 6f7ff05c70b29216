//! Structures in company: what others make of their intents leaves no leg below what its market takes, and a maker's quotes
//! follow its size.

use super::legs::LegOrder;
use super::stage::{OneLife, parameters, quote, second, trade, universe};
use crate::agents::company::{Company, LifeMoment, Sway, SwayField};
use crate::domain::{
    Action, Decimal, FamilyId, InstrumentId, InstrumentKind, MessageKind, Plan, Reason, Span, Term, Verb,
};

/// Somebody who makes the same of every intent, and notes what came of it.
struct Swaying {
    entering: Sway,
    holding: Sway,
    asked: Vec<LifeMoment>,
    acted: Vec<(SwayField, f64)>,
    said: Vec<Action>,
}

impl Swaying {
    fn new(entering: Sway, holding: Sway) -> Self {
        Swaying { entering, holding, asked: Vec::new(), acted: Vec::new(), said: Vec::new() }
    }
}

impl Company for Swaying {
    fn say(&mut self, body: MessageKind) {
        if let MessageKind::Action(action) = body {
            self.said.push(action);
        }
    }

    fn sway(&mut self, moment: LifeMoment) -> Sway {
        self.asked.push(moment);
        match moment {
            LifeMoment::Entering(_) => self.entering,
            LifeMoment::Holding(_) => self.holding,
            _ => Sway::NONE,
        }
    }

    fn acted(&mut self, field: SwayField, change: f64) {
        self.acted.push((field, change));
    }
}

/// Two perps half a percent apart after five minutes without a gap; the second trades in lots of two hundred, where half of
/// the capital is five hundred.
fn apart() -> OneLife {
    let perp = |venue| ("BTC", InstrumentKind::Perp, venue, "");
    let mut feed = universe(&[perp("a"), perp("b")]);
    feed.instruments[1].lot = Decimal::new(200, 0);
    let p = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
    let mut s = OneLife::new(&feed, FamilyId::Arbitrage, &p, "BTC").unwrap();
    for n in 0..300 {
        both(&mut s, f64::from(n), 100.0);
        s.judge();
    }
    both(&mut s, 300.0, 100.5);
    s
}

/// The first at 100, the second at this price.
fn both(s: &mut OneLife, at: f64, second_at: f64) {
    let t = second(at);
    s.tell(quote(0, t, 100.0, 100.0, 1e6));
    s.tell(quote(1, t, second_at, second_at, 1e6));
}

/// Opened in company, and looked at again once its legs are there.
fn lived(entering: Sway, holding: Sway) -> (OneLife, Swaying) {
    let (mut s, mut company) = (apart(), Swaying::new(entering, holding));
    s.judge_in(&mut company);
    for n in 1..=2 {
        both(&mut s, 300.0 + f64::from(n), 100.5);
        s.judge_in(&mut company);
    }
    (s, company)
}

#[test]
fn its_side_is_that_of_its_delta_and_what_is_on_its_way_is_waited_for() {
    let (mut s, mut company) = lived(Sway::NONE, Sway::NONE);
    let holding = LifeMoment::Holding(0.0);
    assert_eq!(company.asked, [LifeMoment::Entering(0.0), holding, holding]);
    // Something of it has reached its market and was not filled.
    let (decided, live) = (second(301.0), second(301.05));
    let (instrument, limit, until, ahead, number) = (InstrumentId(0), None, None, None, None);
    let order = LegOrder { instrument, quantity: 1.0, limit, decided, live, until, ahead, tries: 0, number };
    s.life.legs.orders.push(order);
    s.pass(Span::seconds(1));
    s.judge_in(&mut company);
    assert_eq!(company.asked.len(), 3);
    for (side, delta, heading) in [(1.0, 1.0, 1.0), (-1.0, 1.0, -1.0), (-1.0, -0.3, 1.0), (-1.0, 0.0, 0.0)] {
        let (mut s, mut company) = (apart(), Swaying::new(Sway::NONE, Sway::NONE));
        s.judge_in(&mut company);
        let mut held = s.life.life.open().unwrap().clone();
        (held.side, held.delta) = (side, delta);
        assert_eq!(held.heading(), heading);
    }
}

#[test]
fn a_size_that_would_leave_a_leg_below_a_lot_is_not_taken() {
    let first = |size: f64| {
        let (s, company) = lived(Sway { size, ..Sway::NONE }, Sway::NONE);
        assert!(s.held(1) != 0.0, "both legs are there");
        (company.said[0].after.abs(), company.acted.len())
    };
    let (own, _) = first(1.0);
    assert_eq!(first(0.5), (0.5 * own, 1), "two hundred and fifty are one lot");
    assert_eq!(first(0.25), (own, 0), "a quarter of it is none");
}

#[test]
fn what_is_taken_off_is_an_order_of_each_leg_and_so_is_what_stays() {
    for (cut, is_taken) in [(0.25, false), (0.5, true), (0.75, false), (1.0, true)] {
        let (_, company) = lived(Sway::NONE, Sway { cut, ..Sway::NONE });
        let taken: Vec<(Verb, Reason)> = company.said[1..].iter().map(|a| (a.verb, a.reason)).collect();
        let verb = if cut < 1.0 { Verb::Decrease } else { Verb::Close };
        assert_eq!(taken, [(verb, Reason::Heard)][..usize::from(is_taken)], "{cut}");
        assert_eq!(company.acted.len(), usize::from(is_taken), "{cut}");
    }
}

#[test]
fn a_stop_is_held_about_nothing_and_a_target_about_what_the_way_costs() {
    let (_, plain) = lived(Sway::NONE, Sway::NONE);
    let (_, company) = lived(Sway::NONE, Sway { stop: 0.5, target: 0.6, ..Sway::NONE });
    let level = |plan: &Plan| match (plan.stop.right, plan.targets[0].when.right) {
        (Term::Level(stop), Term::Level(target)) => (stop, target),
        other => panic!("{other:?}"),
    };
    let (own, held) = (level(&plain.said[0].plan), level(&company.said[1].plan));
    assert_eq!(company.said[1].verb, Verb::Amend);
    // Five basis points a leg, there and back; nothing is between bid and offer.
    let toll = 2.0 * (5.0 + 5.0 * 100.5 / 100.5);
    assert_eq!(held.0, 0.5 * own.0);
    assert!((held.1 - (toll + 0.6 * (own.1 - toll))).abs() < 0.06, "{held:?} of {own:?}");
}

#[test]
fn a_maker_that_opens_smaller_quotes_less() {
    let quoted = |size: f64| {
        let set = [("aversion", 0.05), ("hurdle", 0.5), ("memory", 10.0), ("after", 2.0), ("age", 5.0)];
        let feed = universe(&[("BTC", InstrumentKind::Perp, "a", "")]);
        let p = parameters(FamilyId::MarketMaking, &set);
        let mut s = OneLife::new(&feed, FamilyId::MarketMaking, &p, "BTC").unwrap();
        let mut company = Swaying::new(Sway { size, ..Sway::NONE }, Sway::NONE);
        for n in 0..4_000 {
            let (t, buys) = (f64::from(n), n % 4 < 2);
            let mid = 100.0 * if n % 2 == 0 { 1.000_001 } else { 0.999_999 };
            s.tell(quote(0, second(t), mid * 0.9995, mid * 1.0005, 1e6));
            let price = mid * if buys { 1.0005 } else { 0.9995 };
            s.tell(trade(0, second(t + 0.5), price, 1.0, buys));
            s.judge_in(&mut company);
            if !s.life.legs.orders.is_empty() {
                break;
            }
        }
        (s.life.legs.orders.iter().map(|o| o.quantity.abs()).sum::<f64>(), company.acted.len())
    };
    let (own, _) = quoted(1.0);
    let (half, acted) = quoted(0.5);
    assert!(own > 0.0 && acted == 1 && (half / own - 0.5).abs() < 1e-6, "{half} of {own}, {acted}");
}
