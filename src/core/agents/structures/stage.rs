//! A tiny market for tests of families that decide on events: it tells a life what happens the way the engine does, keeps
//! what is said, holds every opening to the laws of plans, and has a listener hear all of it (law 12).

use super::context::StructureContext;
use super::filling::FillContext;
use super::in_legs::{AgentRef, InLegs, StructureLife};
use super::legs::Legs;
use super::listed::ListedInstruments;
use super::values::{KEYS, Values};
use crate::agents::company::Company;
use crate::agents::families::{self, Rules};
use crate::agents::life::Trading;
use crate::agents::listener::legs::{Ear, LegLook};
use crate::agents::listener::{Count, Voice};
use crate::agents::personality::{Preset, Traits};
use crate::agents::proposal::Proposal;
use crate::domain::instrument::Asset;
use crate::domain::{
    Action, AgentId, AssetId, Bar, Comparison, Condition, ContractTerms, Decimal, EvalContext, FamilyId,
    Indicator, Instrument, InstrumentId, InstrumentKind, MarketEvent, MessageKind, Outcome, Plan, Reason,
    SideRule, Span, Stamp, Term, Universe, Verb,
};
use crate::fills::Tariff;
use crate::market::Market;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::cell::RefCell;

/// Capital of the agent on stage.
pub const CAPITAL: f64 = 100_000.0;
/// The asset of everything that is listed by kind and terms.
pub const COIN: AssetId = AssetId(0);

/// One listed instrument: asset, kind, venue, currency of its price ("" for the account's).
pub type InstrumentRow<'a> = (&'a str, InstrumentKind, &'a str, &'a str);
/// A contract or pool of one asset.
pub type ContractRow = (InstrumentKind, ContractTerms);

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

/// A feed of contracts and pools of one asset, in the order of their ids.
pub fn contracts(what: &[ContractRow]) -> Universe {
    let venue = |kind| if kind == InstrumentKind::Pool { "chain" } else { "alpha" };
    let rows: Vec<InstrumentRow<'_>> = what.iter().map(|w| ("COIN", w.0, venue(w.0), "")).collect();
    let mut feed = universe(&rows);
    for (i, (_, terms)) in feed.instruments.iter_mut().zip(what) {
        (i.terms, i.tick) = (*terms, Decimal::new(1, 2).into());
        (i.lot, i.min_notional) = (Decimal::new(1, 4), Decimal::ONE);
    }
    feed
}

/// The same as a family sees it.
pub fn listed(what: &[ContractRow]) -> ListedInstruments {
    ListedInstruments::new(&contracts(what))
}

/// The middle of every default, but for those that are named.
pub fn parameters(family: FamilyId, set: &[(&str, f64)]) -> Vec<f64> {
    let params = families::info(family).params;
    for (name, _) in set {
        assert!(params.iter().any(|p| p.name == *name), "{name}");
    }
    let named = |name: &str| set.iter().find(|s| s.0 == name).map(|s| s.1);
    params.iter().map(|p| named(p.name).unwrap_or(f64::midpoint(p.default.from, p.default.to))).collect()
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
    /// Time of what happens next.
    pub now: Stamp,
    /// Who hears it, and what there was to hear.
    pub listener: RefCell<(Voice, Count)>,
    /// Whether something was told that makes its family look.
    stirred: bool,
    /// Mid prices of the random market.
    prices: Vec<f64>,
}

impl OneLife {
    /// A family on an asset of this feed; the reason if it stands by.
    pub fn new(universe: &Universe, family: FamilyId, p: &[f64], asset: &str) -> Result<Self, String> {
        let listed = ListedInstruments::new(universe);
        let basket: Vec<AssetId> = universe.assets.iter().map(|a| a.id).collect();
        let rules = Rules::on_events(family, p, (universe.asset(asset).unwrap().id, &basket), &listed)?;
        // A cross is priced in its quote asset.
        let prices = universe.instruments.iter().map(|i| if i.quote.is_some() { 1.0 } else { 100.0 });
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
            listener: RefCell::new((Voice::new(family, format!("{family} on {asset}")), Count::default())),
            stirred: false,
            prices: prices.collect(),
            listed,
        })
    }

    /// A family on contracts and pools, with the middle of its defaults but for what is named.
    pub fn of_contracts(family: FamilyId, set: &[(&str, f64)], what: &[ContractRow]) -> Self {
        OneLife::new(&contracts(what), family, &parameters(family, set), "COIN").unwrap()
    }

    /// An event; whether the board took it.
    pub fn tell(&mut self, event: MarketEvent) -> bool {
        let taken = self.board.take(&event);
        self.now = self.now.max(event.at());
        if taken && event.instrument().is_none_or(|i| self.rules.ears().contains(&i)) {
            let OneLife { listed, board, costs, life, rules, listener, .. } = self;
            life.hear(&FillContext { listed, board, costs, touch: life.touch }, &event);
            listener.get_mut().0.hear((listed, board, costs), &event);
            rules.on_event(listed, board, &event);
            self.stirred |= rules.is_stirred(&event);
        }
        taken
    }

    /// A quote of any size around a price.
    pub fn quote(&mut self, id: InstrumentId, bid: f64, ask: f64) -> bool {
        self.tell(quote(id.0, self.now, bid, ask, 1e6))
    }

    /// All that happens at a stamp; then it is over. Gives what was said, shortened.
    pub fn at(&mut self, events: &[MarketEvent]) -> Vec<(Verb, Reason, f64)> {
        let before = self.said.len();
        self.stirred = false;
        for event in events {
            self.tell(*event);
        }
        if self.stirred {
            self.judge();
        }
        let short = |(_, b): &(Stamp, MessageKind)| match b {
            MessageKind::Action(a) => Some((a.verb, a.reason, a.side())),
            _ => None,
        };
        self.said[before..].iter().filter_map(short).collect()
    }

    /// Time goes by.
    pub fn pass(&mut self, span: Span) {
        self.now = self.now.after(span);
    }

    /// What is seen now, as the engine hands it in: what is held is the life's own to know.
    pub fn seen<'a>(&'a self, legs: &'a Legs) -> StructureContext<'a> {
        let OneLife { listed, board, costs, traits, preset, side, now, .. } = self;
        let (side, now, capital) = (*side, *now, CAPITAL);
        let may_open = true;
        StructureContext { listed, board, costs, now, traits, preset, side, capital, legs, may_open }
    }

    fn who(&self) -> AgentRef<'_> {
        AgentRef { agent: AgentId(0), asset: COIN, rules: &self.rules, key: 7 }
    }

    /// Opens what no family proposed, at the prices of now; whether the life took it.
    pub fn open(&mut self, p: Proposal) -> bool {
        let before = self.said.len();
        self.step(Some(p));
        self.said.len() > before
    }

    /// The stamp is over.
    pub fn judge(&mut self) {
        let before = self.said.len();
        self.step(None);
        for (_, body) in &self.said[before..] {
            match body {
                MessageKind::Action(a) => self.lawful(a),
                MessageKind::Outcome(o) => assert!(o.pnl.is_finite() && o.r.is_finite(), "{o:?}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(self.life.life.intent.is_finite() && self.market_value().is_finite());
    }

    /// The stamp is over, and the life hears others while it decides; no listener follows it.
    pub fn judge_in(&mut self, company: &mut impl Company) {
        let (mut life, nothing) = (std::mem::take(&mut self.life), Legs::default());
        life.judge(self.who(), &self.seen(&nothing), company);
        self.life = life;
    }

    /// The life looks, or opens what it is told; its listener hears what it says, and foretells what it holds then.
    fn step(&mut self, told: Option<Proposal>) {
        let (mut life, nothing, mut said) = (std::mem::take(&mut self.life), Legs::default(), vec![]);
        let (who, seen, say) = (self.who(), self.seen(&nothing), &mut |body| said.push(body));
        if let Some(p) = told.clone() {
            let trading = InLegs { who, seen: &seen };
            let values = trading.values(&life.legs, None);
            if let Some(open) = trading.open(&life.legs, p, &trading.view(&values, 0, None), None) {
                life.life.enter(&trading, &mut life.legs, open, Reason::Signal, say);
            }
        } else {
            life.judge(who, &seen, say);
        }
        let (voice, count) = &mut *self.listener.borrow_mut();
        let ear = Ear { rules: &self.rules, asset: COIN, seen, told };
        if ear.told.is_none() {
            voice.over(&ear, &said, count);
        } else if !said.is_empty() {
            voice.judge(&LegLook::new(&ear, None), &said, count);
        }
        voice.agrees(&life.life);
        voice.holds(&self.rules, (&self.listed, &self.board), &life.legs);
        self.life = life;
        self.said.extend(said.into_iter().map(|body| (self.now, body)));
    }

    /// An opening rests on fresh prices and takes a side that it may take; its stop is on the losing side, its targets on
    /// the winning one, near before far, all of it finite, and nothing that closes or hedges holds at entry.
    fn lawful(&self, action: &Action) {
        let (plan, text): (&Plan, String) = (&action.plan, action.to_string());
        assert!(action.before.is_finite() && action.after.is_finite() && action.price.is_finite(), "{text}");
        if action.verb != Verb::Open {
            return;
        }
        let open = self.life.life.open().into_iter();
        let legs: Vec<InstrumentId> = open.flat_map(|o| &o.legs).map(|l| l.leg.instrument).collect();
        assert!(self.seen(&self.life.legs).is_fresh(&legs, self.age), "opened on old prices: {text}");
        assert!(self.side.allows(action.after) && action.after != 0.0 && action.before == 0.0, "{text}");
        let level = |t: Term| if let Term::Level(x) = t { x } else { f64::NAN };
        assert_eq!((plan.stop.left, plan.stop.op), (Term::Of(Indicator::Gain), Comparison::Below), "{text}");
        assert!(level(plan.stop.right) < 0.0, "{text}");
        let targets: Vec<f64> = plan.targets.iter().map(|t| level(t.when.right)).collect();
        assert!(targets.len() >= 2 && targets[0] > 0.0 && targets.is_sorted_by(|a, b| a < b), "{text}");
        assert!(plan.targets.iter().all(|t| t.when.op == Comparison::Above && t.fraction > 0.0), "{text}");
        let in_parts = plan.targets.iter().any(|t| t.fraction < 1.0);
        assert!(plan.hedge.is_some() == in_parts && plan.reenter.is_some(), "{text}");
        let is_endless = |t: Term| match t {
            Term::Level(x) | Term::Back(x) | Term::Times(x, _) => !x.is_finite(),
            _ => false,
        };
        assert!(!plan.parts().any(|(_, c)| is_endless(c.left) || is_endless(c.right)), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let holds = |gain: f64, c: &Condition| {
            let mut values = self.values();
            values.set(Indicator::Gain, gain);
            let (close, sigma, entry) = (f64::NAN, f64::NAN, f64::NAN);
            let (held, best, side) = (0, 0.0, action.side());
            c.holds(&EvalContext { close, sigma, held, best, entry, side, keys: &KEYS, values: &values.0 })
        };
        let targets = plan.targets.iter().map(|t| t.when);
        let ends = [plan.stop, plan.exit, plan.expire].into_iter().chain(targets.clone());
        for c in ends.chain(plan.hedge.map(|h| h.when)) {
            assert!(!holds(0.0, &c), "holds at entry: {c} in {text}");
        }
        assert!(holds(-1e9, &plan.stop) && targets.into_iter().all(|c| holds(1e9, &c)), "{text}");
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

    /// The indicators of the life now.
    pub fn values(&self) -> Values {
        let seen = self.seen(&self.life.legs);
        InLegs { who: self.who(), seen: &seen }.values(&self.life.legs, self.life.life.open())
    }

    /// One of them.
    pub fn value(&self, key: Indicator) -> f64 {
        self.values().of(key)
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

    /// Random events around what each contract is worth, many of them impossible; each stamp is judged, and an opening may
    /// rest on no price older than `stale`.
    pub fn chaos(&mut self, draws: &[Draw], stale: Span, around: impl Fn(InstrumentId) -> f64) {
        self.age = stale;
        let first = around(InstrumentId(0));
        for &(pick, kind, x, seconds) in draws {
            self.pass(Span::seconds(seconds));
            let instrument = InstrumentId(pick % self.listed.instruments.len() as u16);
            let (id, worth) = (instrument.0, around(instrument));
            // Bad ticks, prices that are none, and time that goes back.
            let price = match kind {
                0 => f64::NAN,
                1 => -worth,
                2 => worth * 10.0,
                _ => worth * x,
            };
            let at = if kind == 3 { Stamp(self.now.0 - Span::HOUR.0) } else { self.now };
            let half = if kind == 4 { -1.0 } else { 1e-4 * price };
            self.tell(match kind % 6 {
                0 if kind > 20 => MarketEvent::Implied { instrument, at, sigma: 0.5 * x, forward: first },
                1 if kind > 20 => mark(id, at, price, first * x),
                2 if kind > 200 => MarketEvent::Settled { instrument, at, price: first },
                3 if self.listed.get(instrument).kind == InstrumentKind::Pool => {
                    MarketEvent::Pool { instrument, at, price, liquidity: 1e6, swapped: 1e5 * x, gas: x }
                }
                4 if kind > 20 => trade(id, at, price, x, x > 1.0),
                _ => quote(id, at, price - half, price + half, 100.0),
            });
            self.judge();
        }
    }
}

/// Of [`OneLife::chaos`]: which instrument, what, a factor, seconds to it.
pub type Draw = (u16, u8, f64, i64);

/// Draws for [`OneLife::chaos`].
pub fn draws() -> impl Strategy<Value = Vec<Draw>> {
    proptest::collection::vec((any::<u16>(), any::<u8>(), 0.97_f64..1.03, 0_i64..90), 1..200)
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
