//! A small market for tests of families with contracts and pools: instruments by hand, events one at a
//! time, and what a life says to them.

use super::context::StructureContext;
use super::filling::FillContext;
use super::in_legs::{AgentRef, StructureLife};
use super::legs::Legs;
use super::listed::ListedInstruments;
use super::stage::{somebody, values};
use super::values::{KEYS, Values};
use crate::agents::families::{self, Rules};
use crate::agents::personality::{Preset, Traits};
use crate::domain::{
    Action, AssetId, Condition, ContractTerms, Decimal, EvalContext, FamilyId, Indicator, Instrument,
    InstrumentId, InstrumentKind, MarketEvent, MessageKind, Outcome, SideRule, Span, Stamp, Universe, Verb,
};
use crate::fills::Tariff;
use crate::market::Market;
use proptest::prelude::*;

/// The asset of everything that is listed here.
pub(in crate::agents) const COIN: AssetId = AssetId(0);
pub(in crate::agents) const CAPITAL: f64 = 100_000.0;

/// Instruments in the order of their ids.
pub(in crate::agents) fn listed(what: &[(InstrumentKind, ContractTerms)]) -> ListedInstruments {
    let each = |(i, &(kind, terms)): (usize, &(InstrumentKind, ContractTerms))| Instrument {
        id: InstrumentId(i as u16),
        asset: COIN,
        symbol: format!("{kind}{i}"),
        kind,
        venue: if kind == InstrumentKind::Pool { "chain".into() } else { "alpha".into() },
        quote: None,
        terms,
        tick: Decimal::new(1, 2).into(),
        lot: Decimal::new(1, 4),
        min_notional: Decimal::from(1),
        contract: Decimal::ONE,
    };
    ListedInstruments::new(&Universe {
        instruments: what.iter().enumerate().map(each).collect(),
        ..Universe::default()
    })
}

/// The middle of every default, but for those that are named.
pub(in crate::agents) fn parameters(family: FamilyId, set: &[(&str, f64)]) -> Vec<f64> {
    for (name, _) in set {
        assert!(families::info(family).params.iter().any(|p| p.name == *name), "{name}");
    }
    let value = |p: &crate::agents::declaration::ParamSpec| {
        let middle = f64::midpoint(p.default.from, p.default.to);
        set.iter().find(|s| s.0 == p.name).map_or(middle, |s| s.1)
    };
    families::info(family).params.iter().map(value).collect()
}

/// The market and one life in it.
pub(in crate::agents) struct Rig {
    pub listed: ListedInstruments,
    pub board: Market,
    pub costs: Tariff,
    pub rules: Rules,
    pub life: StructureLife,
    pub traits: Traits,
    pub preset: Preset,
    pub side: SideRule,
    pub now: Stamp,
    pub said: Vec<MessageKind>,
}

impl Rig {
    pub fn new(family: FamilyId, set: &[(&str, f64)], what: &[(InstrumentKind, ContractTerms)]) -> Self {
        let listed = listed(what);
        let rules = Rules::on_events(family, &parameters(family, set), COIN, &listed).unwrap();
        Rig {
            board: Market::quoted(listed.instruments.len()),
            listed,
            costs: Tariff::default(),
            rules,
            life: StructureLife::new(false),
            traits: Traits::default(),
            preset: Preset::default(),
            side: SideRule::Both,
            now: Stamp(0),
            said: Vec::new(),
        }
    }

    /// An event; whether the board took it.
    pub fn tell(&mut self, event: MarketEvent) -> bool {
        let taken = self.board.take(&event);
        if taken {
            let m = FillContext {
                listed: &self.listed,
                board: &self.board,
                costs: &self.costs,
                touch: self.life.touch,
            };
            self.life.hear(&m, &event);
            self.rules.on_event(&self.listed, &self.board, &event);
        }
        taken
    }

    /// A quote of any size around a price.
    pub fn quote(&mut self, id: InstrumentId, bid: f64, ask: f64) -> bool {
        let at = self.now;
        self.tell(MarketEvent::Quote { instrument: id, at, bid, ask, bid_size: 1e6, ask_size: 1e6 })
    }

    /// The stamp is over.
    pub fn judge(&mut self) {
        let mut said = std::mem::take(&mut self.said);
        let mut life = self.life.clone();
        // What is held is the life's own to know: the engine hands in none of it.
        let nothing = Legs::default();
        let seen = StructureContext { legs: &nothing, ..self.seen() };
        let who = AgentRef { asset: COIN, ..somebody(&self.rules, 1) };
        life.judge(who, &seen, &mut |b| said.push(b));
        self.life = life;
        self.said = said;
    }

    pub fn seen(&self) -> StructureContext<'_> {
        StructureContext {
            listed: &self.listed,
            board: &self.board,
            costs: &self.costs,
            now: self.now,
            traits: &self.traits,
            preset: &self.preset,
            side: self.side,
            capital: CAPITAL,
            legs: &self.life.legs,
        }
    }

    pub fn values(&self) -> Values {
        values(&self.life, &self.rules, &self.seen())
    }

    pub fn market_value(&self) -> f64 {
        self.life.legs.market_value(&self.listed, &self.board)
    }

    pub fn actions(&self) -> Vec<Action> {
        self.said
            .iter()
            .filter_map(|b| if let MessageKind::Action(a) = b { Some(a.clone()) } else { None })
            .collect()
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.said
            .iter()
            .filter_map(|b| if let MessageKind::Outcome(o) = b { Some(*o) } else { None })
            .collect()
    }

    pub fn pass(&mut self, span: Span) {
        self.now = self.now.after(span);
    }

    /// What a plan must keep at the moment it is announced: no NaN, exit and hedge not yet true, the stop on
    /// the losing side and the targets on the winning one.
    pub fn check(&self, action: &Action) {
        assert!(action.before.is_finite() && action.after.is_finite() && action.price.is_finite());
        if action.verb != Verb::Open {
            return;
        }
        let plan = &action.plan;
        let holds = |gain: f64, c: &Condition| {
            let mut values = self.values();
            values.set(Indicator::Gain, gain);
            let none = EvalContext {
                close: f64::NAN,
                sigma: f64::NAN,
                held: 0,
                best: 0.0,
                entry: f64::NAN,
                side: 1.0,
                keys: &KEYS,
                values: &values.0,
            };
            c.holds(&none)
        };
        let targets = plan.targets.iter().map(|t| t.when);
        for c in [plan.stop, plan.exit, plan.expire]
            .into_iter()
            .chain(targets.clone())
            .chain(plan.hedge.map(|h| h.when))
        {
            assert!(!holds(0.0, &c), "{c} holds at once: {action}");
        }
        assert!(holds(-1e9, &plan.stop) && targets.into_iter().all(|c| holds(1e9, &c)), "{action}");
    }

    /// Random events around what each instrument is worth, many of them impossible; after each stamp what was
    /// said is checked: an opening only on instruments that were priced within `stale`.
    pub fn chaos(&mut self, draws: &[Draw], stale: Span, around: impl Fn(InstrumentId) -> f64) {
        for &(pick, kind, x, seconds) in draws {
            self.pass(Span::seconds(seconds));
            let id = InstrumentId(pick % self.listed.instruments.len() as u16);
            let (at, worth) = (self.now, around(id));
            // Bad ticks, prices that are none, and time that goes back.
            let price = match kind {
                0 => f64::NAN,
                1 => -worth,
                2 => worth * 10.0,
                _ => worth * x,
            };
            let at = if kind == 3 { Stamp(at.0 - Span::HOUR.0) } else { at };
            let half = if kind == 4 { -1.0 } else { 1e-4 * price };
            self.tell(match kind % 6 {
                0 if kind > 20 => MarketEvent::Implied {
                    instrument: id,
                    at,
                    sigma: 0.5 * x,
                    forward: around(InstrumentId(0)),
                },
                1 if kind > 20 => {
                    MarketEvent::Mark { instrument: id, at, mark: price, index: around(InstrumentId(0)) * x }
                }
                2 if kind > 200 => {
                    MarketEvent::Settled { instrument: id, at, price: around(InstrumentId(0)) }
                }
                3 if self.listed.get(id).kind == InstrumentKind::Pool => {
                    MarketEvent::Pool { instrument: id, at, price, liquidity: 1e6, swapped: 1e5 * x, gas: x }
                }
                4 if kind > 20 => MarketEvent::Trade { instrument: id, at, price, size: x, buys: x > 1.0 },
                _ => MarketEvent::Quote {
                    instrument: id,
                    at,
                    bid: price - half,
                    ask: price + half,
                    bid_size: 100.0,
                    ask_size: 100.0,
                },
            });
            let before = self.said.len();
            self.judge();
            for body in &self.said[before..] {
                match body {
                    MessageKind::Action(a) => {
                        self.check(a);
                        if a.verb == Verb::Open {
                            let ordered: Vec<InstrumentId> =
                                self.life.legs.orders.iter().map(|o| o.instrument).collect();
                            assert!(self.seen().is_fresh(&ordered, stale), "{a}");
                        }
                    }
                    MessageKind::Outcome(o) => assert!(o.pnl.is_finite() && o.r.is_finite(), "{o:?}"),
                    _ => {}
                }
            }
            assert!(self.market_value().is_finite());
        }
    }
}

/// Which instrument, what, a factor, seconds to it.
pub(in crate::agents) type Draw = (u16, u8, f64, i64);

/// Draws for [`Rig::chaos`].
pub(in crate::agents) fn draws() -> impl Strategy<Value = Vec<Draw>> {
    proptest::collection::vec((any::<u16>(), any::<u8>(), 0.97_f64..1.03, 0_i64..90), 1..200)
}
