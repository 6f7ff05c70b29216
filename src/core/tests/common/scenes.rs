//! Runs in which structured families find what they live on: the full house on the embedded market in
//! detail, and markets made by hand for what they do not meet there.

use super::{bar_at, engine};
use hive_core::agents::declaration::{Declaration, DrawnNumber, Roster, Scouting, Selector};
use hive_core::agents::personality::{Preset, Traits};
use hive_core::config::{self, Config};
use hive_core::engine::Engine;
use hive_core::fills::Costs;
use hive_domain::instrument::Asset;
use hive_domain::{
    AssetId, Bar, ContractTerms, Decimal, Event, FamilyId, Goal, Instrument, InstrumentId, InstrumentKind,
    MarketEvent, SideRule, Span, Stamp, Universe, random,
};
use hive_market::Feed;
use hive_market::synth::{Detail, SynthFeed, SynthSettings};
use std::collections::BTreeMap;

/// The roster of all seventeen families.
pub const ROSTER: &str = include_str!("../../../../assets/rosters/full-house.toml");

/// An engine that nothing has happened to, and what will.
pub struct Scene {
    pub name: &'static str,
    pub engine: Engine,
    pub events: Box<dyn Iterator<Item = Event>>,
}

impl Scene {
    /// The next event.
    pub fn event(&mut self) -> Option<Event> {
        self.events.next()
    }

    fn by_hand(name: &'static str, market: &[Row], who: Vec<Declaration>) -> HandMade {
        HandMade { name, universe: universe(market), who, events: Vec::new() }
    }
}

/// What is changed of a configuration before its scene begins.
pub type Change = dyn Fn(&mut Config) + Sync;

/// All scenes.
pub const ALL: [fn(&Change) -> Scene; 6] =
    [|change| house((20, 12), change), flow, apart, making, pools, carries];

/// Nothing is changed.
pub fn as_it_is(_config: &mut Config) {}

/// The full house: days of bars, then of detail with faults.
pub fn house((bars, days): (u32, u32), change: &Change) -> Scene {
    let start = SynthSettings { bars_days: bars + days, ..SynthSettings::default() };
    let mut detail = Detail::last(days, start.from, start.bars_days);
    detail.faults = true;
    let mut feed = SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap();
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 24;
    // One of those who rank keeps its views, the others hold their baskets as one.
    let ranks = config.roster.agents.iter_mut().filter(|a| a.family == FamilyId::RelativeStrength);
    for agent in ranks.skip(1) {
        agent.params.insert("basket".to_owned(), DrawnNumber { from: 1.0, to: 1.0 });
    }
    change(&mut config);
    let engine = engine(&config, feed.universe());
    let events = std::iter::from_fn(move || feed.next().unwrap());
    Scene { name: "full house, embedded market in detail", engine, events: Box::new(events) }
}

/// Carriers whose perp, or future, rests for half an hour before it is taken, on the embedded market in detail.
pub fn resting() -> Scene {
    let start = SynthSettings { bars_days: 32, ..SynthSettings::default() };
    let detail = Some(Detail::last(12, start.from, start.bars_days));
    let mut feed = SynthFeed::new(SynthSettings { detail, ..start }).unwrap();
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 0;
    let carriers = [FamilyId::Funding, FamilyId::CashAndCarry];
    config.roster.agents.retain(|a| carriers.contains(&a.family));
    for agent in &mut config.roster.agents {
        agent.params.insert("rest".to_owned(), DrawnNumber { from: 30.0, to: 30.0 });
    }
    let engine = engine(&config, feed.universe());
    let events = std::iter::from_fn(move || feed.next().unwrap());
    Scene { name: "carriers behind a maker leg", engine, events: Box::new(events) }
}

struct HandMade {
    name: &'static str,
    universe: Universe,
    who: Vec<Declaration>,
    events: Vec<Event>,
}

impl HandMade {
    fn tell(&mut self, event: MarketEvent) {
        self.events.push(Event::Market(event));
    }

    fn quote(&mut self, id: InstrumentId, at: Stamp, mid: f64, half: f64) {
        let (bid, ask) = (mid * (1.0 - half), mid * (1.0 + half));
        self.tell(MarketEvent::Quote { instrument: id, at, bid, ask, bid_size: 1e6, ask_size: 1e6 });
    }

    fn bar(&mut self, id: InstrumentId, at: Stamp, price: f64) {
        let bar = Bar { open: price, high: price, low: price, close: price, volume: 1e9 };
        self.tell(MarketEvent::Bar { instrument: id, at, bar });
    }

    fn done(self, change: &Change) -> Scene {
        let roster = Roster {
            agents: self.who,
            scouts: 0,
            scouting: Scouting::default(),
            managers: Vec::new(),
            groups: BTreeMap::new(),
            presets: [Preset::default(); 4],
        };
        let mut config = Config { costs: Costs::default(), roster, ..Config::default() };
        change(&mut config);
        Scene {
            name: self.name,
            engine: engine(&config, &self.universe),
            events: Box::new(self.events.into_iter()),
        }
    }
}

/// An instrument: kind, terms, venue.
pub type Row = (InstrumentKind, ContractTerms, &'static str);

/// One asset with these instruments.
pub fn universe(market: &[Row]) -> Universe {
    let asset = Asset { id: AssetId(0), name: "AAA".into(), money_like: false, first: Stamp(0) };
    let each = |(i, &(kind, terms, venue)): (usize, &Row)| Instrument {
        id: InstrumentId(i as u16),
        asset: AssetId(0),
        symbol: format!("AAA{kind}{i}"),
        kind,
        venue: venue.into(),
        quote: None,
        terms,
        tick: Decimal::new(1, 4).into(),
        lot: Decimal::new(1, 6),
        min_notional: Decimal::ZERO,
        contract: Decimal::ONE,
    };
    Universe {
        assets: vec![asset],
        instruments: market.iter().enumerate().map(each).collect(),
        by_volume: vec![],
    }
}

pub fn agent(name: &str, family: FamilyId, side: SideRule, params: &[(&str, f64)]) -> Declaration {
    let range = |x: f64| DrawnNumber { from: x, to: x };
    Declaration {
        name: name.into(),
        family,
        assets: vec![Selector::Any],
        side,
        goal: Goal::Automated,
        personality: "plain".into(),
        traits: Traits::default(),
        params: params.iter().map(|(k, v)| ((*k).to_owned(), range(*v))).collect(),
        funded: true,
        reacts: Vec::new(),
    }
}

fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9) as i64)
}

const PERP: Row = (InstrumentKind::Perp, ContractTerms::Plain, "alpha");
const FIRST: InstrumentId = InstrumentId(0);
const SECOND: InstrumentId = InstrumentId(1);
const THIRD: InstrumentId = InstrumentId(2);

/// Twenty seconds of buying, twenty of selling, and the price goes with them; now and then the spread widens.
fn flow(change: &Change) -> Scene {
    let numbers =
        [("horizon", 5.0), ("memory", 30.0), ("hurdle", 1.0), ("size", 0.2), ("hold", 3.0), ("age", 2.0)];
    let who = vec![agent("Sara", FamilyId::Scalp, SideRule::Both, &numbers)];
    let mut hand = Scene::by_hand("a flow to go with, by hand", &[PERP], who);
    for n in 0..6_000_i32 {
        let (t, turn) = (f64::from(n), n % 40);
        let mid = 100.0 * (1.0 + 8e-4 * f64::from(if turn <= 20 { turn } else { 40 - turn }));
        let half = if n % 31 == 7 { 0.001 } else { 0.0001 };
        hand.quote(FIRST, at(t), mid, half);
        let buys = turn < 20;
        let price = mid * if buys { 1.0 + half } else { 1.0 - half };
        hand.tell(MarketEvent::Trade { instrument: FIRST, at: at(t), price, size: 5.0, buys });
    }
    hand.done(change)
}

/// Two venues that come apart, further apart, and together again, both ways.
fn apart(change: &Change) -> Scene {
    let numbers =
        [("pair", 0.0), ("memory", 60.0), ("hurdle", 2.0), ("hold", 60.0), ("size", 0.3), ("age", 5.0)];
    let who = vec![agent("Ada", FamilyId::Arbitrage, SideRule::Both, &numbers)];
    let market = [PERP, (InstrumentKind::Perp, ContractTerms::Plain, "beta")];
    let mut hand = Scene::by_hand("two venues, by hand", &market, who);
    for n in 0..6_000_u64 {
        let t = n as f64;
        let off = match (n > 1_200).then_some(n % 600) {
            Some(100..160) => 80.0,
            Some(160..220) => 130.0,
            Some(400..460) => -80.0,
            Some(460..520) => -130.0,
            _ => 0.0,
        };
        let noise = 0.1 * random::normal(random::key(3, &[n]));
        hand.quote(FIRST, at(t), 100.0, 0.0001);
        hand.quote(SECOND, at(t), 100.0 * (1.0 + (off + noise) / 1e4), 0.0001);
    }
    hand.done(change)
}

/// Prints five basis points from a mid that hardly moves; then takers who know where it goes; then calm again.
fn making(change: &Change) -> Scene {
    let numbers = [
        ("aversion", 0.05),
        ("hurdle", 0.5),
        ("size", 0.02),
        ("cap", 3.0),
        ("calm", 20.0),
        ("after", 2.0),
        ("memory", 10.0),
        ("hold", 600.0),
        ("age", 5.0),
    ];
    let who = [("Mia", SideRule::Both), ("Moe", SideRule::Short)];
    let mut who = who.map(|(name, side)| agent(name, FamilyId::MarketMaking, side, &numbers)).to_vec();
    // One more quotes at several prices, and takes back what is beyond a quote.
    let wide = [&numbers[..], &[("levels", 3.0), ("hedge", 1.0)]].concat();
    who.push(agent("Max", FamilyId::MarketMaking, SideRule::Both, &wide));
    let mut hand = Scene::by_hand("a market to make, by hand", &[PERP], who);
    let mut knows = 100.0;
    for n in 0..6_000_i32 {
        let (t, buys) = (f64::from(n), n % 4 < 2);
        let toxic = (2_000..3_000).contains(&n);
        let mid = if toxic { knows } else { 100.0 * (1.0 + if n % 2 == 0 { 1e-6 } else { -1e-6 }) };
        hand.quote(FIRST, at(t), mid, 0.0005);
        let buys = if toxic { (n / 5) % 2 == 0 } else { buys };
        let price = mid * if buys { 1.0005 } else { 0.9995 };
        hand.tell(MarketEvent::Trade { instrument: FIRST, at: at(t + 0.5), price, size: 1.0, buys });
        knows *= if toxic && buys {
            1.0006
        } else if toxic {
            0.9994
        } else {
            1.0
        };
    }
    hand.done(change)
}

/// A busy pool with ranges whose price wanders out of them and comes back, and falls behind the exchange for
/// a state now and then.
fn pools(change: &Change) -> Scene {
    let provides = [
        ("mode", 0.0),
        ("width", 0.05),
        ("horizon", 0.5),
        ("hurdle", 10.0),
        ("size", 0.5),
        ("band", 0.1),
        ("stop", 5_000.0),
        ("memory", 24.0),
        ("warm", 2.0),
        ("stale", 400.0),
    ];
    let takes = provides.map(|(k, v)| (k, if k == "mode" { 1.0 } else { v }));
    let who = vec![
        agent("Dora", FamilyId::Defi, SideRule::Both, &provides),
        agent("Dirk", FamilyId::Defi, SideRule::Both, &takes),
    ];
    let market =
        [PERP, (InstrumentKind::Pool, ContractTerms::Pool { fee_ppm: 500, concentrated: true }, "chain")];
    let mut hand = Scene::by_hand("a busy pool, by hand", &market, who);
    let step = 300.0;
    let r = 0.3 / (Span::seconds(300).per_year()).sqrt();
    for n in 0..900_u64 {
        let t = step * n as f64;
        // Two days of calm, then a way up by a twentieth and back, over and over.
        let way = if n < 100 { 0.0 } else { (n as f64 * 0.02).sin().abs() };
        let noise = random::normal(random::key(7, &[n])) * r;
        let perp = 2_000.0 * (1.0 + 0.06 * way) * (1.0 + noise);
        let late = n > 60 && n % 17 < 2;
        let pool = perp * if late { 0.99 } else { 1.0 };
        hand.quote(FIRST, at(t), perp, 0.000_05);
        hand.tell(MarketEvent::Pool {
            instrument: SECOND,
            at: at(t),
            price: pool,
            liquidity: 1e6,
            swapped: 2e7,
            gas: 2.0,
        });
        // The exchange goes on quoting between the pool's states.
        for k in 1..10 {
            hand.quote(FIRST, at(t + 30.0 * f64::from(k)), perp, 0.000_05);
        }
    }
    hand.done(change)
}

/// Bars of spot on margin, a perp whose longs pay and then are paid, and two futures: one expensive, one cheap.
fn carries(change: &Change) -> Scene {
    let carry = [("hurdle", 0.02), ("nearest", 7.0), ("stop", 900.0), ("size", 0.8)];
    let funding = [("horizon", 14.0), ("hurdle", 1.0), ("stop", 900.0), ("size", 0.8)];
    let who = vec![
        agent("Cleo", FamilyId::CashAndCarry, SideRule::Both, &carry),
        agent("Finn", FamilyId::Funding, SideRule::Both, &funding),
    ];
    let ends = [bar_at(360), bar_at(900)];
    let market = [
        PERP,
        (InstrumentKind::Margin, ContractTerms::Plain, "alpha"),
        (InstrumentKind::Future, ContractTerms::Future { expiry: ends[0] }, "alpha"),
        (InstrumentKind::Future, ContractTerms::Future { expiry: ends[1] }, "alpha"),
    ];
    let mut hand = Scene::by_hand("carries, by hand", &market, who);
    for i in 1..=1_000_i64 {
        let at = bar_at(i);
        if i % 2 == 0 {
            // Longs pay, and more for a while; then shorts do, and more for a while.
            let rate = match i {
                150..250 => 0.002,
                650..750 => -0.002,
                ..500 => 0.000_3,
                _ => -0.000_3,
            };
            let at = Stamp(at.0 - 1);
            hand.tell(MarketEvent::Funding { instrument: FIRST, at, rate, mark: 100.0 });
        }
        hand.bar(FIRST, at, 100.0);
        hand.bar(SECOND, at, 100.0);
        // The first is expensive and gets more so before it melts; the second is so the other way round.
        for (n, (end, from)) in [(360_i64, 1_i64), (900, 400)].into_iter().enumerate() {
            let left = (end - i) as f64 / 360.0;
            let wide = if (from + 40..from + 80).contains(&i) { 2.0 } else { 1.0 };
            let off = 3.0 * left * wide * if n == 0 { 1.0 } else { -1.0 };
            let id = InstrumentId(THIRD.0 + n as u16);
            if i == end {
                hand.tell(MarketEvent::Settled { instrument: id, at, price: 100.0 });
            } else if i < end && i >= from {
                hand.bar(id, at, 100.0 + off);
            }
        }
        hand.events.push(Event::Barrier(at));
    }
    hand.done(change)
}

/// The families at bars whose hedge may be an opposite leg.
pub const HEDGED: [FamilyId; 5] =
    [FamilyId::Directional, FamilyId::Trend, FamilyId::Momentum, FamilyId::Range, FamilyId::Volatility];

/// Coins on margin and a perp beside them, with drifts that turn and a storm every twenty days. Who trades has so much held
/// against each of its own when a storm comes, in the perp or in options; by nothing, half is taken off at bars.
pub fn hedged(ratio: f64, in_options: bool, change: &Change) -> Scene {
    let numbers = |family: FamilyId| match family {
        FamilyId::Directional => vec![("drift", 60.0), ("tolerance", 1.0)],
        FamilyId::Trend => vec![("fast", 10.0), ("slow", 60.0)],
        FamilyId::Momentum => vec![("short", 6.0), ("medium", 42.0), ("long", 126.0)],
        FamilyId::Range => vec![("window", 30.0), ("edge", 1.5), ("quiet", 0.5)],
        _ => vec![("fast", 8.0), ("slow", 80.0), ("squeeze", 1.1), ("channel", 20.0)],
    };
    // Where options are listed volatility trades straddles.
    let who = HEDGED.iter().filter(|f| !(in_options && **f == FamilyId::Volatility)).map(|&family| {
        let hedge = vec![("hedge", ratio), ("hedge_in", f64::from(u8::from(in_options)))];
        let numbers = [numbers(family), hedge].concat();
        agent(&format!("Hal {family}"), family, SideRule::Both, &numbers)
    });
    let strikes = [25.0, 50.0, 75.0, 100.0, 150.0, 225.0, 340.0];
    let expiry = bar_at(100_000);
    let option =
        |strike, call| (strike, call, ContractTerms::Option { expiry, strike, call, inverse: false });
    let each = |strike| [option(strike, true), option(strike, false)];
    let options = if in_options { strikes.map(each).concat() } else { Vec::new() };
    let mut market = vec![(InstrumentKind::Margin, ContractTerms::Plain, "alpha"), PERP];
    market.extend(options.iter().map(|(.., terms)| (InstrumentKind::Option, *terms, "alpha")));
    let mut hand = Scene::by_hand("views with a leg against them, by hand", &market, who.collect());
    let mut price = 100.0;
    for i in 1..=6_000_i64 {
        let storm = if i % 120 < 8 { 4.0 } else { 1.0 };
        let drift = 0.001 * if (i / 300) % 2 == 0 { 1.0 } else { -1.0 };
        let step = drift + 0.006 * storm * random::normal(random::key(11, &[i as u64]));
        price *= step.exp();
        let at = bar_at(i);
        if i % 2 == 0 {
            let at = Stamp(at.0 - 1);
            hand.tell(MarketEvent::Funding { instrument: SECOND, at, rate: 0.000_1, mark: price });
        }
        hand.bar(FIRST, at, price);
        hand.bar(SECOND, at, price * 1.000_5);
        for (n, (strike, call, _)) in options.iter().enumerate() {
            let paid = if *call { price - strike } else { strike - price };
            hand.bar(InstrumentId(THIRD.0 + n as u16), at, paid.max(0.0) + 0.02 * price);
        }
        hand.events.push(Event::Barrier(at));
    }
    hand.done(change)
}
