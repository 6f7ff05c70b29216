//! A tiny market for tests of families: it tells a life what happens the way the engine does, keeps what
//! is said, and holds every opening to the laws of plans.

use super::context::StructureContext;
use super::filling::FillContext;
use super::in_legs::{AgentRef, InLegs, StructureLife};
use super::legs::Legs;
use super::listed::ListedInstruments;
use super::values::{KEYS, Values};
use crate::agents::families::Rules;
use crate::agents::life::Trading;
use crate::agents::personality::{Preset, Traits};
use crate::agents::proposal::Proposal;
use crate::domain::instrument::Asset;
use crate::domain::{
    Action, AgentId, AssetId, Bar, Comparison, ContractTerms, Decimal, EvalContext, FamilyId, Indicator,
    Instrument, InstrumentId, InstrumentKind, MarketEvent, MessageKind, Outcome, Plan, Reason, SideRule,
    Span, Stamp, Term, Universe, Verb,
};
use crate::fills::Tariff;
use crate::market::Market;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// Capital of the agent on stage.
pub const CAPITAL: f64 = 100_000.0;

/// One listed instrument: asset, kind, venue, currency of its price ("" for the account's).
pub type InstrumentRow<'a> = (&'a str, InstrumentKind, &'a str, &'a str);

/// A feed that lists these, ticks and lots fine enough not to matter.
pub fn universe(rows: &[InstrumentRow<'_>]) -> Universe {
    let mut names: Vec<&str> = rows.iter().flat_map(|r| [r.0, r.3]).filter(|n| !n.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let asset = |n: &str| AssetId(names.iter().position(|m| *m == n).unwrap() as u16);
    let assets = names.iter().map(|n| Asset {
        id: asset(n),
        name: (*n).to_owned(),
        money_like: false,
        first: Stamp(0),
    });
    let instruments = rows.iter().enumerate().map(|(i, (a, kind, venue, quote))| Instrument {
        id: InstrumentId(i as u16),
        asset: asset(a),
        symbol: format!("{a}{quote}"),
        kind: *kind,
        venue: (*venue).to_owned(),
        quote: (!quote.is_empty()).then(|| asset(quote)),
        terms: ContractTerms::Plain,
        tick: Decimal::new(1, 6).into(),
        lot: Decimal::new(1, 8),
        min_notional: Decimal::ZERO,
        contract: Decimal::ONE,
    });
    Universe { assets: assets.collect(), instruments: instruments.collect(), by_volume: vec![] }
}

/// An agent of these rules, with a key for its draws.
pub fn somebody(rules: &Rules, key: u64) -> AgentRef<'_> {
    AgentRef { agent: AgentId(0), asset: AssetId(0), rules, key }
}

/// The indicators of a life as they are now.
pub fn values(life: &StructureLife, rules: &Rules, seen: &StructureContext<'_>) -> Values {
    InLegs { who: somebody(rules, 0), seen }.values(&life.legs, life.life.open())
}

/// The market and one life in it.
pub struct OneLife {
    pub listed: ListedInstruments,
    pub board: Market,
    pub costs: Tariff,
    pub rules: Rules,
    pub life: StructureLife,
    pub traits: Traits,
    pub preset: Preset,
    pub side: SideRule,
    /// All that was said.
    pub said: Vec<(Stamp, MessageKind)>,
    /// No opening may rest on a leg that was not priced within this time.
    pub age: Span,
    /// Mid prices of the random market.
    prices: Vec<f64>,
    now: Stamp,
}

impl OneLife {
    /// A family on an asset of this feed; the reason if it stands by.
    pub fn new(universe: &Universe, family: FamilyId, p: &[f64], asset: &str) -> Result<Self, String> {
        let listed = ListedInstruments::new(universe);
        let rules = Rules::on_events(family, p, universe.asset(asset).unwrap().id, &listed)?;
        Ok(OneLife {
            board: Market::quoted(listed.instruments.len()),
            costs: Tariff::default(),
            rules,
            life: StructureLife::new(false),
            traits: Traits::default(),
            preset: Preset::default(),
            side: SideRule::Both,
            said: vec![],
            age: Span::DAY,
            now: Stamp(0),
            // A cross is priced in its quote asset.
            prices: universe
                .instruments
                .iter()
                .map(|i| if i.quote.is_some() { 1.0 } else { 100.0 })
                .collect(),
            listed,
        })
    }

    /// All that happens at a stamp; then it is over. Gives what was said, shortened.
    pub fn at(&mut self, events: &[MarketEvent]) -> Vec<(Verb, Reason, f64)> {
        let (mut heard, ears) = (false, self.rules.ears());
        for event in events {
            if !self.board.take(event) {
                continue;
            }
            self.now = self.now.max(event.at());
            let market = FillContext {
                listed: &self.listed,
                board: &self.board,
                costs: &self.costs,
                touch: self.life.touch,
            };
            if event.instrument().is_none_or(|i| ears.contains(&i)) {
                self.life.hear(&market, event);
                self.rules.on_event(&self.listed, &self.board, event);
                heard |= self.rules.is_stirred(event);
            }
        }
        let before = self.said.len();
        if heard {
            self.judge();
        }
        let short = |(_, b): &(Stamp, MessageKind)| match b {
            MessageKind::Action(a) => Some((a.verb, a.reason, a.side())),
            _ => None,
        };
        self.said[before..].iter().filter_map(short).collect()
    }

    /// Opens what no family proposed, at the prices of now; whether the life took it.
    pub fn open(&mut self, p: Proposal) -> bool {
        let nothing = Legs::default();
        let OneLife { listed, board, costs, rules, life, traits, preset, side, said, now, .. } = self;
        let seen = StructureContext {
            listed,
            board,
            costs,
            now: *now,
            traits,
            preset,
            side: *side,
            capital: CAPITAL,
            legs: &nothing,
        };
        let trading = InLegs { who: somebody(rules, 7), seen: &seen };
        let values = trading.values(&life.legs, None);
        let Some(open) = trading.open(&life.legs, p, &trading.view(&values, 0, None), None) else {
            return false;
        };
        let say = &mut |body| said.push((*now, body));
        life.life.enter(&trading, &mut life.legs, open, Reason::Signal, say);
        true
    }

    fn judge(&mut self) {
        let nothing = Legs::default();
        let OneLife { listed, board, costs, rules, life, traits, preset, side, said, now, .. } = self;
        let seen = StructureContext {
            listed,
            board,
            costs,
            now: *now,
            traits,
            preset,
            side: *side,
            capital: CAPITAL,
            legs: &nothing,
        };
        let who = somebody(rules, 7);
        let before = said.len();
        life.judge(who, &seen, &mut |body| said.push((*now, body)));
        let values = values(life, rules, &seen);
        let opened = said[before..].iter().find_map(|(_, b)| match b {
            MessageKind::Action(a) if a.verb == Verb::Open => Some(a.clone()),
            _ => None,
        });
        if let Some(action) = opened {
            assert!(seen.is_fresh(&rules.ears(), self.age), "opened on old prices: {action}");
            assert!(seen.side.allows(action.after), "a side it may not take: {action}");
            lawful(&action, &values);
        }
        assert!(life.life.intent.is_finite() && life.legs.market_value(listed, board).is_finite());
    }

    /// What was done, in order.
    pub fn actions(&self) -> Vec<Action> {
        let action = |(_, b): &(Stamp, MessageKind)| {
            if let MessageKind::Action(a) = b { Some(a.clone()) } else { None }
        };
        self.said.iter().filter_map(action).collect()
    }

    /// How intents ended, in order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let outcome =
            |(_, b): &(Stamp, MessageKind)| if let MessageKind::Outcome(o) = b { Some(*o) } else { None };
        self.said.iter().filter_map(outcome).collect()
    }

    /// The indicators of the family now.
    pub fn value(&self, key: Indicator) -> f64 {
        let nothing = Legs::default();
        let OneLife { listed, board, costs, rules, life, traits, preset, side, now, .. } = self;
        let seen = StructureContext {
            listed,
            board,
            costs,
            now: *now,
            traits,
            preset,
            side: *side,
            capital: CAPITAL,
            legs: &nothing,
        };
        values(life, rules, &seen).of(key)
    }

    /// Worth of the book.
    pub fn market_value(&self) -> f64 {
        self.life.legs.market_value(&self.listed, &self.board)
    }

    /// Units held where an instrument is booked.
    pub fn held(&self, instrument: u16) -> f64 {
        self.life.legs.of(InstrumentId(instrument))
    }

    /// Plays random events, a stamp each.
    pub fn play(&mut self, chaos: &[Chaos]) {
        let n = self.listed.instruments.len();
        let mut now = self.now;
        for c in chaos {
            now = Stamp(now.0 + c.wait);
            let i = usize::from(c.which) % n;
            self.prices[i] *= libm::exp(c.step);
            let (mid, id) = (self.prices[i], i as u16);
            let (bid, ask) = (mid * (1.0 - c.half), mid * (1.0 + c.half));
            let event = match c.kind {
                0..=5 => quote(id, now, bid, ask, c.size),
                6..=8 => trade(id, now, if c.buys { ask } else { bid }, c.size, c.buys),
                9 => bar(id, now, mid),
                10 => quote(id, now, ask, bid, f64::NAN),
                11 => quote(id, Stamp(now.0 - 1_000_000_000_000), f64::INFINITY, ask, -1.0),
                _ => trade(id, now, f64::NAN, c.size, c.buys),
            };
            self.at(&[event]);
        }
    }
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    which: u8,
    kind: u8,
    wait: i64,
    step: f64,
    half: f64,
    size: f64,
    buys: bool,
}

/// Markets that jump, fall silent, and say what cannot be.
pub fn chaos(len: usize) -> impl Strategy<Value = Vec<Chaos>> {
    let waits =
        prop_oneof![8 => 0_i64..400_000_000, 2 => 0_i64..40_000_000_000, 1 => Just(7_200_000_000_000_i64)];
    let steps = prop_oneof![8 => -0.0005_f64..0.0005, 2 => -0.03_f64..0.03];
    let one = (0_u8..8, 0_u8..13, waits, steps, 0.000_01_f64..0.002, 0.001_f64..500.0, any::<bool>());
    let one = one.prop_map(|(which, kind, wait, step, half, size, buys)| Chaos {
        which,
        kind,
        wait,
        step,
        half,
        size,
        buys,
    });
    prop::collection::vec(one, len / 2..len)
}

/// How many intents some random markets bring about: laws that nothing is held to prove nothing.
pub fn opened(mut make: impl FnMut() -> OneLife) -> usize {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut each = || {
        let mut stage = make();
        stage.play(&chaos(400).new_tree(&mut runner).unwrap().current());
        stage.actions().iter().filter(|a| a.verb == Verb::Open).count()
    };
    (0..40).map(|_| each()).sum()
}

/// Stop on the losing side, targets on the winning side, near before far, all of it finite, and nothing
/// that closes holds at entry.
fn lawful(action: &Action, values: &Values) {
    let plan: &Plan = &action.plan;
    let text = action.to_string();
    let level = |t: Term| if let Term::Level(x) = t { x } else { f64::NAN };
    assert!(action.after.is_finite() && action.after != 0.0 && action.before == 0.0, "{text}");
    assert_eq!((plan.stop.left, plan.stop.op), (Term::Of(Indicator::Gain), Comparison::Below), "{text}");
    assert!(level(plan.stop.right) < 0.0, "{text}");
    let targets: Vec<f64> = plan.targets.iter().map(|t| level(t.when.right)).collect();
    assert!(targets.len() == 2 && targets[0] > 0.0 && targets[1] > targets[0], "{text}");
    assert!(plan.targets.iter().all(|t| t.when.op == Comparison::Above && t.fraction > 0.0), "{text}");
    let in_parts = plan.targets.iter().any(|t| t.fraction < 1.0);
    assert!(plan.hedge.is_some() == in_parts && plan.reenter.is_some(), "{text}");
    for (_, c) in plan.parts() {
        for side in [c.left, c.right] {
            assert!(
                !matches!(side, Term::Level(x) | Term::Back(x) | Term::Times(x, _) if !x.is_finite()),
                "{text}"
            );
        }
    }
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let view = EvalContext {
        close: f64::NAN,
        sigma: f64::NAN,
        held: 0,
        best: 0.0,
        entry: f64::NAN,
        side: action.side(),
        keys: &KEYS,
        values: &values.0,
    };
    for c in [plan.stop, plan.exit, plan.expire] {
        assert!(!c.holds(&view), "holds at entry: {c} in {text}");
    }
    assert!(plan.targets.iter().all(|t| !t.when.holds(&view)), "{text}");
}

/// Seconds after the start.
pub fn second(s: f64) -> Stamp {
    Stamp((s * 1e9) as i64)
}

/// Best prices with the same size on both sides.
pub fn quote(id: u16, at: Stamp, bid: f64, ask: f64, size: f64) -> MarketEvent {
    MarketEvent::Quote { instrument: InstrumentId(id), at, bid, ask, bid_size: size, ask_size: size }
}

/// A mark and the index.
pub fn mark(id: u16, at: Stamp, mark: f64, index: f64) -> MarketEvent {
    MarketEvent::Mark { instrument: InstrumentId(id), at, mark, index }
}

/// A trade of so many base units, as events tell it.
pub fn trade(id: u16, at: Stamp, price: f64, size: f64, buys: bool) -> MarketEvent {
    MarketEvent::Trade { instrument: InstrumentId(id), at, price, size, buys }
}

/// A bar of one price and endless volume.
pub fn bar(id: u16, at: Stamp, price: f64) -> MarketEvent {
    let bar = Bar { open: price, high: price, low: price, close: price, volume: f64::INFINITY };
    MarketEvent::Bar { instrument: InstrumentId(id), at, bar }
}
