//! Liquidity with money: what goes into a pool comes out of it, less what its price took and more what its swaps paid, against
//! sums by hand; and whoever may take money back takes it out of a pool as well.

use super::money::balanced;
use crate::common::scenes::{Row, agent, universe};
use crate::common::{bar_at, engine};
use hive_core::agents::declaration::{Roster, Scouting};
use hive_core::agents::personality::Preset;
use hive_core::config::Config;
use hive_core::engine::packages::Package;
use hive_core::engine::{Engine, Outputs};
use hive_core::fills::Costs;
use hive_domain::money::to_estimate;
use hive_domain::{
    AgentId, Bar, Command, ContractTerms, Decimal, Event, FamilyId, InstrumentId, InstrumentKind,
    MarketEvent, SideRule, Span, Stamp,
};
use std::collections::BTreeMap;

const PERP: InstrumentId = InstrumentId(0);
const POOL: InstrumentId = InstrumentId(1);
const DORA: AgentId = AgentId(0);
/// Where the price is while liquidity is put in, and √(base · quote) of the pool.
const P: f64 = 2_000.0;
const L: f64 = 1e8;
/// Swapped between two states of a busy pool.
const BUSY: f64 = 2e7;
/// States between two barriers.
const STATES: i64 = 48;
const FEE: f64 = 0.003;
const GAS: f64 = 2.0;

/// One agent that provides liquidity, and the market that it meets, told state by state.
struct Rig {
    engine: Engine,
    /// States so far.
    n: i64,
    out: Outputs,
}

impl Rig {
    /// A pool with ranges or without; the base in it is hedged beyond this part of it.
    fn new(concentrated: bool, band: f64) -> Rig {
        let terms = ContractTerms::Pool { fee_ppm: 3_000, concentrated };
        let market: [Row; 2] =
            [(InstrumentKind::Perp, ContractTerms::Plain, ""), (InstrumentKind::Pool, terms, "chain")];
        let set = [
            ("mode", 0.0),
            ("width", 0.05),
            ("horizon", 5.0),
            ("hurdle", 10.0),
            ("size", 0.5),
            ("band", band),
            ("stop", 5_000.0),
            ("memory", 24.0),
            ("warm", 2.0),
            ("stale", 400.0),
        ];
        let who = vec![agent("Dora", FamilyId::Defi, SideRule::Both, &set)];
        let roster = Roster {
            agents: who,
            scouts: 0,
            scouting: Scouting::default(),
            managers: Vec::new(),
            groups: BTreeMap::new(),
            presets: [Preset::default(); 4],
        };
        let config = Config { costs: Costs::default(), roster, ..Config::default() };
        Rig { engine: engine(&config, &universe(&market)), n: 0, out: Outputs::default() }
    }

    fn step(&mut self, event: &Event) {
        self.engine.step(event, &mut self.out);
        assert_eq!(self.engine.respond.real.account.halted, None, "{event:?}");
    }

    /// The exchange beside a pool at this price, which tells that the stamp before is over; its own mid price.
    fn quote(&mut self, price: f64) -> (Stamp, f64) {
        self.n += 1;
        let at = Stamp(self.n * bar_at(1).0 / STATES);
        // It moves at 30 % a year about the pool.
        let r = 0.3 / Span::seconds(300).per_year().sqrt();
        let mid = price * if self.n % 2 == 0 { r.exp() } else { 1.0 };
        let (bid, ask) = (mid - 0.1, mid + 0.1);
        let quote = MarketEvent::Quote { instrument: PERP, at, bid, ask, bid_size: 1e6, ask_size: 1e6 };
        self.step(&Event::Market(quote));
        (at, mid)
    }

    /// A state of the pool and the exchange beside it; a bar and a barrier where they are due. Whether there was one.
    fn state(&mut self, price: f64, swapped: f64) -> bool {
        let quoted = self.quote(price);
        self.pool(quoted, price, swapped)
    }

    fn pool(&mut self, (at, mid): (Stamp, f64), price: f64, swapped: f64) -> bool {
        let state = MarketEvent::Pool { instrument: POOL, at, price, liquidity: L, swapped, gas: GAS };
        self.step(&Event::Market(state));
        if self.n % STATES != 0 {
            return false;
        }
        let bar = Bar { open: mid, high: mid, low: mid, close: mid, volume: 1e9 };
        self.step(&Event::Market(MarketEvent::Bar { instrument: PERP, at, bar }));
        self.step(&Event::Barrier(at));
        balanced(&self.engine);
        self.engine.balances().unwrap();
        let books = self.engine.respond.real.account.ledger.position(DORA, POOL);
        assert_eq!(self.package().held.of(POOL), books, "the package and the books");
        true
    }

    /// The same price until the next barrier.
    fn until_barrier(&mut self, price: f64, swapped: f64) {
        while !self.state(price, swapped) {}
    }

    fn command(&mut self, command: Command) {
        let at = self.engine.now().unwrap();
        self.step(&Event::Command(at, command));
    }

    fn package(&self) -> &Package {
        &self.engine.respond.real.execution.packages.all[0]
    }

    /// What the agent has made by the books, at the marks.
    fn pnl(&self) -> f64 {
        let account = &self.engine.respond.real.account;
        to_estimate(account.ledger.pnl(DORA, &account.marks).unwrap())
    }

    /// Waits until liquidity is in, in a pool that was busy.
    fn provided(concentrated: bool, band: f64) -> (Rig, Lies) {
        let mut rig = Rig::new(concentrated, band);
        while rig.package().life.legs.ranges.held.is_empty() {
            assert!(rig.n < 20 * STATES, "nothing was put in: {:?}", rig.package());
            rig.state(P, BUSY);
        }
        let range = rig.package().life.legs.ranges.held[0];
        let (lower, upper) = (range.bounds.lower, range.bounds.upper);
        (rig, Lies { liquidity: range.liquidity, lower, upper })
    }

    fn is_out(&self) -> bool {
        let p = self.package();
        let books = self.engine.respond.real.account.ledger.position(DORA, POOL);
        p.life.legs.ranges.is_idle() && p.pooled.is_empty() && p.held.is_empty() && books.is_zero()
    }
}

/// Liquidity between two prices, by the white paper.
#[derive(Clone, Copy)]
struct Lies {
    liquidity: f64,
    lower: f64,
    upper: f64,
}

impl Lies {
    fn base(&self, price: f64) -> f64 {
        let within = price.clamp(self.lower, self.upper);
        self.liquidity * (1.0 / within.sqrt() - 1.0 / self.upper.sqrt())
    }

    fn quote(&self, price: f64) -> f64 {
        let within = price.clamp(self.lower, self.upper);
        self.liquidity * (within.sqrt() - self.lower.sqrt())
    }

    fn worth(&self, price: f64) -> f64 {
        self.base(price) * price + self.quote(price)
    }

    /// What putting it in costs at a price: base from the pool, quote beside it, gas of both.
    fn put(&self, price: f64, gas: f64) -> f64 {
        let (x, y, base) = (L / price.sqrt(), L * price.sqrt(), self.base(price));
        y * base / (x - base) / (1.0 - FEE) + self.quote(price) + gas
    }

    /// What taking it out gives.
    fn take(&self, price: f64, gas: f64) -> f64 {
        let (x, y, base) = (L / price.sqrt(), L * price.sqrt(), self.base(price) * (1.0 - FEE));
        y * base / (x + base) + self.quote(price) - gas
    }

    /// Fees of so many busy states.
    fn fees(&self, states: f64) -> f64 {
        states * BUSY * FEE * self.liquidity / (L + self.liquidity)
    }
}

/// Gas of both ends, a swap in each: of a pool with ranges and of one without.
const ENDS: [(bool, f64, f64); 2] = [(true, 4.0 * GAS, 3.0 * GAS), (false, 2.5 * GAS, 2.5 * GAS)];

#[test]
fn what_goes_in_comes_out_less_what_the_price_took() {
    for (concentrated, put, take) in ENDS {
        let (mut rig, lies) = Rig::provided(concentrated, 1.0);
        let first = rig.n;
        let fees = |rig: &Rig| lies.fees((rig.n - first) as f64);
        // Inside the range, up and down.
        for price in [P, 2_040.0, 1_960.0, 2_060.0, 1_950.0] {
            rig.until_barrier(price, BUSY);
            let by_hand = lies.worth(price) - lies.put(P, put) + fees(&rig);
            assert!((rig.pnl() - by_hand).abs() < 1e-6, "{price}: {} is not {by_hand}", rig.pnl());
            let pooled = to_estimate(rig.package().pooled.of(POOL));
            assert!((pooled - lies.base(price)).abs() < 1e-9, "{pooled}");
        }
        // What the price took is the loss over having kept both coins: in a pool without ranges the known one.
        let kept = lies.base(P) * 1_950.0 + lies.quote(P);
        let lost = lies.worth(1_950.0) - kept;
        let ratio: f64 = 1_950.0 / P;
        let formula = kept * (2.0 * ratio.sqrt() / (1.0 + ratio) - 1.0);
        assert!(lost < -0.1 && (concentrated || (lost - formula).abs() < 1e-6), "{lost} {formula}");
        rig.command(Command::Flatten);
        while !rig.is_out() {
            assert!(rig.n < 10 * STATES, "{:?}", rig.package());
            rig.state(1_950.0, BUSY);
        }
        let by_hand = lies.take(1_950.0, take) - lies.put(P, put) + fees(&rig);
        assert!((rig.pnl() - by_hand).abs() < 1e-6, "{} is not {by_hand}", rig.pnl());
        // What it is alone is what it is with money.
        let cash = rig.package().life.legs.cash;
        assert!((cash - by_hand).abs() < 1e-6, "its own estimate: {cash}");
    }
}

#[test]
fn swaps_pay_their_share_and_no_more_to_the_last_digit_but_one() {
    let (mut rig, lies) = Rig::provided(true, 1.0);
    rig.until_barrier(P, 0.0);
    let before = rig.pnl();
    rig.until_barrier(P, BUSY);
    let all = rig.pnl() - before;
    let by_hand = lies.fees(STATES as f64);
    assert!((all - by_hand).abs() < STATES as f64 * 1e-10, "{all} {by_hand}");
    // Of a way whose half lies beyond the upper edge the other half pays alone; out there nothing does.
    let outside = (2.0 * lies.upper.sqrt() - P.sqrt()).powi(2);
    rig.state(outside, BUSY);
    while !rig.is_out() {
        assert!(rig.n < 9 * STATES, "{:?}", rig.package());
        rig.state(outside, BUSY);
    }
    let by_hand = lies.take(outside, 2.0 * GAS) - lies.put(P, 4.0 * GAS) + lies.fees(STATES as f64 + 0.5);
    assert!((rig.pnl() - by_hand).abs() < 1e-6, "{} is not {by_hand}", rig.pnl());
}

#[test]
fn a_range_that_is_left_is_one_coin_alone_and_comes_out_as_it_is() {
    for price in [1_800.0, 2_200.0] {
        let (mut rig, lies) = Rig::provided(true, 1.0);
        rig.until_barrier(P, 0.0);
        // The state at which it is left; its exit is decided on it, and it lies there until the next.
        rig.state(price, 0.0);
        let at = rig.engine.now().unwrap();
        let fills = rig.engine.respond.real.account.ledger.position(DORA, POOL);
        assert!(fills > Decimal::ZERO, "as at the barrier before");
        while !rig.is_out() {
            rig.state(price, 0.0);
            let since = rig.engine.now().unwrap().since(at);
            assert!(since.0 <= Span(20 * Span::MINUTE.0).0, "{:?}", rig.package());
        }
        // Below it all of it was base, to be sold; above it none is, and nothing is swapped.
        let swaps = if price < P { GAS } else { 0.0 };
        assert_eq!(lies.base(price) == 0.0, price > P);
        assert_eq!(lies.quote(price) == 0.0, price < P);
        let by_hand = lies.take(price, 2.0 * GAS + swaps) - lies.put(P, 4.0 * GAS);
        assert!((rig.pnl() - by_hand).abs() < 1e-6, "{price}: {} is not {by_hand}", rig.pnl());
    }
}

#[test]
fn whoever_takes_money_back_takes_it_out_of_a_pool() {
    let ways = [
        Command::Kill,
        Command::Flatten,
        Command::Unfund(DORA),
        Command::Drain(DORA),
        Command::DrainAll,
        Command::Pause(DORA),
        Command::PauseAll,
    ];
    for way in ways {
        let (mut rig, lies) = Rig::provided(true, 0.1);
        rig.until_barrier(P, BUSY);
        assert!(to_estimate(rig.package().pooled.of(POOL)) > 0.9 * lies.base(P) && !rig.is_out());
        rig.command(way);
        let before = rig.package().pooled.of(POOL);
        let mut states = 0;
        while !rig.is_out() {
            rig.state(P, BUSY);
            assert!(rig.package().pooled.of(POOL) <= before, "{way:?}: put in");
            states += 1;
            assert!(states < STATES, "{way:?}: {:?}", rig.package());
        }
        for _ in 0..STATES {
            rig.state(P, BUSY);
            assert!(rig.is_out(), "{way:?}: put in again");
        }
    }
}

#[test]
fn what_is_on_its_way_in_as_risk_is_taken_back_never_arrives() {
    for way in [Command::Kill, Command::PauseAll, Command::Pause(DORA), Command::Unfund(DORA)] {
        let mut rig = Rig::new(true, 0.1);
        let asked = |rig: &Rig| rig.package().life.legs.ranges.asked.iter().any(|a| a.number.is_some());
        let mut quoted = rig.quote(P);
        while !asked(&rig) {
            assert!(rig.n < 20 * STATES, "nothing was asked for");
            rig.pool(quoted, P, BUSY);
            quoted = rig.quote(P);
        }
        rig.command(way);
        rig.pool(quoted, P, BUSY);
        for _ in 0..2 * STATES {
            rig.state(P, BUSY);
            assert!(rig.is_out(), "{way:?}: {:?}", rig.package());
        }
        let account = &rig.engine.respond.real.account;
        assert_eq!(account.ledger.pnl(DORA, &account.marks).unwrap(), Decimal::ZERO, "{way:?}");
    }
}

#[test]
fn law01_a_restart_while_liquidity_is_in_ends_with_the_same_state() {
    let (mut first, _) = Rig::provided(true, 0.1);
    first.state(2_010.0, BUSY);
    let bytes = first.engine.snapshot().unwrap();
    let mut second = Rig::new(true, 0.1);
    second.engine.restore(&bytes).unwrap();
    second.n = first.n;
    for price in [2_020.0, 1_990.0, 2_300.0] {
        for rig in [&mut first, &mut second] {
            rig.until_barrier(price, BUSY);
        }
        assert_eq!(first.engine.state_hash(), second.engine.state_hash(), "{price}");
    }
    assert!(first.package().life.life.trades > 0, "it was left on the way");
}
