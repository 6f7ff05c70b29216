//! Liquidity at the venue against the white paper.

use super::*;
use crate::domain::{ContractTerms, InstrumentKind, MarketEvent, VenueEvent, random};
use crate::execution::Venue;
use crate::execution::fixtures::{dec, instrument, order_of};
use crate::fills::Costs;
use crate::market::Market;

const POOL: InstrumentId = InstrumentId(0);
/// √(base · quote) of the pool.
const L: f64 = 1e5;
const BOUNDS: Bounds = Bounds { lower: 1_800.0, upper: 2_200.0 };

/// A venue, a pool, and what it said.
struct Chain {
    venue: PaperVenue,
    market: Market,
    pool: Instrument,
    at: i64,
    asked: u64,
}

impl Chain {
    fn new() -> Chain {
        let terms = ContractTerms::Pool { fee_ppm: 3_000, concentrated: true };
        let pool = Instrument { terms, ..instrument(0, InstrumentKind::Pool) };
        Chain { venue: PaperVenue::new(1), market: Market::quoted(1), pool, at: 0, asked: 0 }
    }

    fn ask(&mut self, holder: u32, change: f64) -> OrderId {
        self.asked += 1;
        let order = order_of(self.asked, &self.pool, dec("1"), self.at);
        let id = order.id();
        self.venue.provide(&PlacedLiquidity::of(order, holder, (BOUNDS, change), Stamp(self.at + 2)));
        id
    }

    fn state(&mut self, price: f64, swapped: f64) -> Vec<PoolReport> {
        self.at += 1;
        let (instrument, at) = (POOL, Stamp(self.at));
        let event = MarketEvent::Pool { instrument, at, price, liquidity: L, swapped, gas: 2.0 };
        assert!(self.market.take(&event));
        self.venue.on_market(&self.pool, &self.market, &event, &Costs::Flat(0.0));
        self.said()
    }

    fn said(&mut self) -> Vec<PoolReport> {
        std::iter::from_fn(|| self.venue.pool_report()).collect()
    }

    fn reckoned(&mut self) -> Vec<PoolReport> {
        self.venue.reckon_liquidity(Stamp(self.at));
        self.said()
    }

    fn position(&self) -> f64 {
        to_estimate(self.venue.position(POOL))
    }
}

/// Base and quote that a trade moved.
fn moved(reports: &[PoolReport]) -> (f64, f64) {
    let trades = reports.iter().filter_map(|r| match r.news {
        PoolNews::Moved { trade, .. } | PoolNews::Changed { trade, .. } => trade,
        PoolNews::Ended => None,
    });
    trades.fold((0.0, 0.0), |sum, t| {
        let (quantity, price) = (to_estimate(t.quantity), to_estimate(t.price));
        (sum.0 + quantity, sum.1 - quantity * price)
    })
}

#[test]
fn base_and_quote_are_those_of_the_price_however_it_came_there() {
    let mut chain = Chain::new();
    chain.ask(7, 100.0);
    assert!(chain.state(2_000.0, 0.0).is_empty(), "it is not there yet");
    let put = chain.state(2_000.0, 0.0);
    assert!(matches!(put[..], [PoolReport { holder: 7, pool: POOL, news: PoolNews::Changed { .. } }]));
    let (mut base, mut quote) = (100.0 * BOUNDS.base(2_000.0), 100.0 * BOUNDS.quote(2_000.0));
    assert!((chain.position() - base).abs() < 1e-13 && (moved(&put).0 - base).abs() < 1e-13);
    for n in 0..400_u64 {
        let z = random::normal(random::key(3, &[n]));
        let price = 2_000.0 * libm::exp(0.15 * z);
        assert!(chain.state(price, 0.0).is_empty(), "told when it is asked for");
        if n % 3 != 0 {
            continue;
        }
        let (more, paid) = moved(&chain.reckoned());
        (base, quote) = (base + more, quote + paid);
        assert!((base - 100.0 * BOUNDS.base(price)).abs() < 1e-11, "{price}: {base}");
        assert!((quote - 100.0 * BOUNDS.quote(price)).abs() < 1e-8, "{price}: {quote}");
        assert!((chain.position() - base).abs() < 1e-11);
    }
}

#[test]
fn two_holders_are_kept_apart_and_no_more_comes_out_than_is_in() {
    let mut chain = Chain::new();
    chain.ask(0, 100.0);
    chain.ask(1, 50.0);
    chain.state(2_000.0, 0.0);
    chain.state(2_000.0, 0.0);
    let one = 50.0 * BOUNDS.base(2_000.0);
    assert!((chain.position() - 3.0 * one).abs() < 1e-12);
    chain.ask(0, -1_000.0);
    chain.ask(2, -5.0);
    chain.state(2_000.0, 0.0);
    let said = chain.state(2_000.0, 0.0);
    let change = |r: &PoolReport| match r.news {
        PoolNews::Changed { change, .. } => Some((r.holder, change)),
        _ => None,
    };
    assert_eq!(said.iter().filter_map(change).collect::<Vec<_>>(), [(0, -100.0), (2, -0.0)]);
    assert!((chain.position() - one).abs() < 1e-12, "{}", chain.position());
    chain.ask(1, -20.0);
    chain.state(2_000.0, 0.0);
    chain.state(2_000.0, 0.0);
    assert!((chain.position() - 0.6 * one).abs() < 1e-12, "a part comes out as a part");
    chain.ask(1, -30.0);
    chain.state(2_000.0, 0.0);
    chain.state(2_000.0, 0.0);
    assert_eq!(chain.venue.position(POOL), Decimal::ZERO, "and all of it to the last digit");
}

#[test]
fn swaps_pay_while_the_price_is_inside_and_nobody_before_it_is_in() {
    let mut chain = Chain::new();
    chain.ask(0, 100.0);
    chain.state(2_000.0, 1e6);
    chain.state(2_000.0, 1e6);
    assert!(chain.reckoned().is_empty(), "the state at which it goes in pays nothing");
    chain.state(2_000.0, 1e6);
    chain.state(2_300.0, 1e6);
    chain.state(2_300.0, 1e6);
    let earned: Money = chain
        .reckoned()
        .iter()
        .map(|r| if let PoolNews::Moved { earned, .. } = r.news { earned } else { Money::ZERO })
        .sum();
    let inside = (2_200_f64.sqrt() - 2_000_f64.sqrt()) / (2_300_f64.sqrt() - 2_000_f64.sqrt());
    let by_hand = 1e6 * 0.003 * 100.0 / (L + 100.0) * (1.0 + inside);
    assert!((to_estimate(earned) - by_hand).abs() < 1e-9, "{earned} {by_hand}");
}

#[test]
fn what_is_too_large_for_its_pool_or_taken_back_is_not_done() {
    let mut chain = Chain::new();
    // A fifth of the pool's base is the most that one swap may have.
    chain.ask(0, 10.0 * L);
    let kept = chain.ask(1, 10.0);
    chain.ask(1, 20.0);
    chain.venue.take_back_liquidity(1, &[kept]);
    chain.state(2_000.0, 0.0);
    let said = chain.state(2_000.0, 0.0);
    let order =
        |r: &PoolReport| if let PoolNews::Changed { order, .. } = r.news { Some(order) } else { None };
    assert_eq!(said.iter().filter_map(order).collect::<Vec<_>>(), [kept]);
    assert!((chain.position() - 10.0 * BOUNDS.base(2_000.0)).abs() < 1e-12);
    chain.venue.take_back_liquidity(0, &[]);
    assert!(chain.state(2_000.0, 0.0).is_empty());
}

#[test]
fn what_the_venue_takes_over_lies_in_no_pool_any_more() {
    let mut chain = Chain::new();
    chain.ask(0, 100.0);
    chain.state(2_000.0, 0.0);
    chain.state(2_000.0, 0.0);
    chain.state(1_900.0, 1e6);
    chain.ask(4, 10.0);
    let base = from_estimate(100.0 * BOUNDS.base(1_900.0), QUANTITY_SCALE).unwrap();
    chain.venue.take_over(POOL, Stamp(chain.at), dec("1900"), Money::ZERO);
    let said = chain.said();
    assert!(matches!(said[0].news, PoolNews::Moved { earned, .. } if earned > Money::ZERO));
    let ended = |r: &&PoolReport| r.news == PoolNews::Ended;
    assert_eq!(said.iter().filter(ended).map(|r| r.holder).collect::<Vec<_>>(), [0, 4]);
    let Some(VenueEvent::Fill(fill)) = chain.venue.poll() else { panic!("nothing was closed") };
    assert_eq!((fill.quantity, fill.price), (-base, dec("1900")));
    assert_eq!(chain.venue.position(POOL), Decimal::ZERO);
    assert!(chain.state(2_000.0, 1e6).is_empty() && chain.state(2_000.0, 1e6).is_empty());
}
