//! Law 12: a condition is a value, not a sentence. A listener that knows nothing but the bars and the
//! messages evaluates every announced condition at every close, and expects exactly the actions that
//! come.
//!
//! It keeps its own indicators, ranks, counts of bars and best closes. Of the agents it knows what is
//! known before the run: their assets, what they look at (a re-entry and a signal need all of it warm),
//! and how long they pause.

use crate::common::{Run, Tape, shipped};
use hive_core::agents::Strategy;
use hive_core::agents::at_bars::unit;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{
    Action, Bar, Condition, EvalContext, Event, HedgeKind, Indicator, InstrumentId, MarketEvent, Message,
    MessageKind, Plan, ReEntry, Reason, Span, Speaker, Stamp, Term, Verb,
};
use hive_market::indicators::Bank;
use hive_market::synth::SynthWorld;
use std::collections::BTreeMap;
use std::slice::Iter;

/// What the listener knows of one agent's intent on one asset, from its messages alone.
#[derive(Clone, Default)]
struct Heard {
    /// The plan of the last message and the size it said.
    open: Option<(Plan, f64)>,
    side: f64,
    best: f64,
    /// The price that the opening named.
    entry: f64,
    held: u32,
    first: f64,
    flat: u32,
    again: Option<ReEntry>,
    awaits_outcome: bool,
    intents: u32,
}

/// One asset as the listener saw it.
struct Seen {
    bank: Bank,
    last: Option<(Stamp, Bar)>,
    gone: bool,
}

struct Listener {
    assets: Vec<Seen>,
    heard: Vec<Heard>,
    count: BTreeMap<String, usize>,
}

impl Listener {
    fn new(engine: &Engine) -> Self {
        let cast = engine.cast();
        let bank = |slots: &Vec<u32>| {
            let keys = slots.iter().flat_map(|s| cast.slots[*s as usize].keys.iter().copied());
            Bank::new(keys.filter(|k| !matches!(k, Indicator::Rank(_))).collect(), 6.0)
        };
        let seen = |slots| Seen { bank: bank(slots), last: None, gone: true };
        Listener {
            assets: cast.by_asset.iter().map(seen).collect(),
            heard: vec![Heard::default(); cast.slots.len()],
            count: BTreeMap::new(),
        }
    }

    fn bar(&mut self, instrument: InstrumentId, at: Stamp, bar: Bar) {
        let seen = &mut self.assets[instrument.index()];
        if seen.gone {
            seen.bank.reset();
            seen.gone = false;
        }
        seen.bank.push(&bar);
        seen.last = Some((at, bar));
    }

    fn is_fresh(&self, asset: usize, at: Stamp) -> bool {
        self.assets[asset].last.is_some_and(|(l, _)| l == at)
    }

    fn value(&self, asset: usize, key: Indicator) -> f64 {
        let bank = &self.assets[asset].bank;
        bank.handle(key).map_or(f64::NAN, |p| bank.values()[p])
    }

    /// Where an asset stands in a basket: by counting, pair by pair.
    fn rank(&self, basket: &[usize], asset: usize, window: u16, at: Stamp) -> f64 {
        let scores: Vec<f64> = basket
            .iter()
            .filter(|a| self.is_fresh(**a, at))
            .map(|a| self.value(*a, Indicator::Score(window)))
            .filter(|s| s.is_finite())
            .collect();
        let own = self.value(asset, Indicator::Score(window));
        if scores.len() < 3 || !own.is_finite() {
            return f64::NAN;
        }
        let weaker = scores.iter().filter(|s| **s < own).count() as f64;
        let equal = scores.iter().filter(|s| **s == own).count() as f64;
        (weaker + 0.5 * (equal - 1.0)) / (scores.len() as f64 - 1.0)
    }

    /// Looks at a barrier and what was said in its step.
    fn barrier(&mut self, engine: &Engine, at: Stamp, messages: &[Message]) {
        let cast = engine.cast();
        let silence = engine.settings().clock.delist_after;
        let mut delisted = vec![false; self.assets.len()];
        for (seen, delisted) in self.assets.iter_mut().zip(&mut delisted) {
            if !seen.gone && seen.last.is_some_and(|(l, _)| at.since(l) >= silence) {
                (seen.gone, *delisted) = (true, true);
            }
        }
        let mut said: BTreeMap<(u32, u16), Vec<&Message>> = BTreeMap::new();
        for m in messages {
            if let (Speaker::Agent(agent), Some(asset)) = (m.from, m.asset) {
                said.entry((agent.0, asset.0)).or_default().push(m);
            }
        }
        for agent in &cast.agents {
            let basket: Vec<usize> = agent.slots.clone().map(|s| cast.slots[s].asset.index()).collect();
            for slot in agent.slots.clone() {
                let asset = cast.slots[slot].asset;
                let context = format!("{} on {} at {at}", agent.name, engine.asset_name(asset));
                let own = said.get(&(agent.id.0, asset.0)).map_or(&[][..], Vec::as_slice);
                let acts: Vec<Action> = own
                    .iter()
                    .filter_map(|m| if let MessageKind::Action(a) = &m.body { Some(a.clone()) } else { None })
                    .collect();
                let outcomes = own.iter().filter(|m| matches!(m.body, MessageKind::Outcome(_))).count();
                for a in &acts {
                    *self.count.entry(a.reason.to_string()).or_default() += 1;
                }
                if delisted[asset.index()] {
                    self.heard[slot].delisted(&acts, outcomes, &context);
                    continue;
                }
                if !self.is_fresh(asset.index(), at) || at < agent.active_from {
                    assert!(acts.is_empty() && outcomes == 0, "{context}: acts without a bar");
                    continue;
                }
                let keys = &cast.slots[slot].keys;
                let value = |k: &Indicator| match k {
                    Indicator::Rank(n) => self.rank(&basket, asset.index(), *n, at),
                    k => self.value(asset.index(), *k),
                };
                let values: Vec<f64> = keys.iter().map(value).collect();
                let seen = &self.assets[asset.index()];
                let close = seen.last.map_or(f64::NAN, |(_, bar)| bar.close);
                let heard = &mut self.heard[slot];
                if outcomes > 0 {
                    assert!(outcomes == 1 && heard.awaits_outcome, "{context}: an outcome of nothing");
                    heard.awaits_outcome = false;
                }
                let view = EvalContext {
                    close,
                    sigma: seen.bank.sigma(),
                    held: 0,
                    best: 0.0,
                    entry: f64::NAN,
                    side: 0.0,
                    keys,
                    values: &values,
                };
                heard.judge(view, &agent.strategy, &acts, &context);
            }
        }
    }
}

/// The next action, which must be this one.
fn expect<'a>(
    acts: &mut Iter<'a, Action>,
    reason: Reason,
    before: f64,
    close: f64,
    context: &str,
) -> &'a Action {
    let act = acts.next().unwrap_or_else(|| panic!("{context}: {reason} came true in silence"));
    assert_eq!((act.reason, act.before, act.price), (reason, before, close), "{context}");
    act
}

impl Heard {
    fn delisted(&mut self, acts: &[Action], outcomes: usize, context: &str) {
        assert_eq!(outcomes, usize::from(self.open.is_some() || self.awaits_outcome), "{context}");
        match self.open.take() {
            Some((_, size)) => {
                let [act] = acts else { panic!("{context}: {acts:?}") };
                assert_eq!((act.verb, act.reason), (Verb::Close, Reason::Delisted), "{context}");
                assert_eq!((act.before, act.after), (size, 0.0), "{context}");
                assert_eq!(act.plan.reenter, None, "{context}: what is gone is not taken up again");
                self.flat = 0;
            }
            None => assert!(acts.is_empty(), "{context}"),
        }
        (self.again, self.awaits_outcome) = (None, false);
    }

    fn judge(&mut self, mut view: EvalContext<'_>, strategy: &Strategy, acts: &[Action], context: &str) {
        let mut acts = acts.iter();
        if let Some((plan, size)) = self.open.take() {
            self.held += 1;
            self.best = if self.side > 0.0 { self.best.max(view.close) } else { self.best.min(view.close) };
            (view.held, view.best, view.side) = (self.held, self.best, self.side);
            view.entry = self.entry;
            self.manage(plan, size, &view, &mut acts, context);
        } else {
            self.flat += 1;
            view.held = self.flat;
            self.look(&view, strategy, &mut acts, context);
        }
        assert_eq!(acts.next(), None, "{context}: no condition asks for this");
    }

    fn manage(
        &mut self,
        mut plan: Plan,
        mut size: f64,
        view: &EvalContext<'_>,
        acts: &mut Iter<'_, Action>,
        context: &str,
    ) {
        let holds = |c: Condition| c.holds(view);
        let closes = [
            (holds(plan.stop), Reason::Stop),
            (plan.trail.is_some_and(holds), Reason::Trail),
            (holds(plan.exit), Reason::Exit),
            (holds(plan.expire), Reason::Expired),
            (plan.targets.iter().any(|t| t.fraction >= 1.0 && holds(t.when)), Reason::Target),
        ];
        if let Some((_, reason)) = closes.into_iter().find(|c| c.0) {
            let act = expect(acts, reason, size, view.close, context);
            assert_eq!((act.verb, act.after), (Verb::Close, 0.0), "{context}");
            assert_eq!(*act.plan, plan, "{context}: a close amends nothing");
            (self.open, self.flat, self.again, self.awaits_outcome) = (None, 0, plan.reenter, true);
            return;
        }
        while let Some(n) = plan.targets.iter().position(|t| t.fraction < 1.0 && holds(t.when)) {
            let act = expect(acts, Reason::Target, size, view.close, context);
            let fraction = plan.targets.remove(n).fraction;
            assert_eq!((act.verb, act.after), (Verb::Decrease, size * (1.0 - fraction)), "{context}");
            assert_eq!(*act.plan, Plan { add: None, ..plan }, "{context}");
            (plan, size) = (Plan::clone(&act.plan), act.after);
        }
        if let Some(hedge) = plan.hedge.filter(|h| holds(h.when)) {
            let HedgeKind::Reduce(fraction) = hedge.how else { panic!("{context}: {hedge:?} at bars") };
            let act = expect(acts, Reason::Hedge, size, view.close, context);
            assert_eq!((act.verb, act.after), (Verb::Decrease, size * (1.0 - fraction)), "{context}");
            assert_eq!(*act.plan, Plan { hedge: None, ..plan }, "{context}");
            (plan, size) = (Plan::clone(&act.plan), act.after);
        }
        if let Some((_, fraction)) = plan.add.filter(|(c, _)| holds(*c)) {
            let act = expect(acts, Reason::Add, size, view.close, context);
            let after = size + self.side * self.first * fraction;
            assert_eq!((act.verb, act.after), (Verb::Increase, after), "{context}");
            assert_eq!(*act.plan, Plan { add: act.plan.add, ..plan }, "{context}");
            assert!(!act.plan.add.is_some_and(|(c, _)| holds(c)), "{context}: the next add is farther");
            (plan, size) = (Plan::clone(&act.plan), act.after);
        }
        self.open = Some((plan, size));
    }

    fn look(
        &mut self,
        view: &EvalContext<'_>,
        strategy: &Strategy,
        acts: &mut Iter<'_, Action>,
        context: &str,
    ) {
        let ready = !self.awaits_outcome && view.is_warm();
        let due = self.again.as_ref().filter(|r| {
            ready
                && (r.not_before..=r.within).contains(&self.flat)
                && r.when.holds(view)
                && !r.unless.holds(view)
        });
        let Some(act) = acts.next() else {
            assert!(due.is_none(), "{context}: the re-entry came true in silence");
            return;
        };
        assert!(ready, "{context}: opens before it can know");
        assert_eq!((act.verb, act.before, act.price), (Verb::Open, 0.0, view.close), "{context}");
        if let Some(again) = due {
            assert_eq!((act.reason, act.side()), (Reason::ReEntry, again.side), "{context}");
        } else {
            assert_eq!(act.reason, Reason::Signal, "{context}");
            assert!(self.intents == 0 || self.flat >= strategy.pause(), "{context}: opens in its pause");
        }
        assert_eq!(act.after.abs(), strategy.unit() * unit(view.sigma), "{context}: one unit");
        assert_eq!(act.intent.number, self.intents + 1, "{context}");
        // What follows an opening can be followed: conditions on their sides, none true already.
        let plan = Plan::clone(&act.plan);
        let Term::Level(stop) = plan.stop.right else { panic!("{context}: {:?}", plan.stop) };
        assert!(act.side() * (view.close - stop) > 0.0, "{context}: the stop is where it gains");
        assert!(plan.targets.len() == 2 && plan.reenter.is_some(), "{context}");
        assert!(plan.hedge.is_some(), "{context}");
        let known = plan.parts().flat_map(|(_, c)| c.indicators().collect::<Vec<_>>());
        let again = plan.reenter.iter().flat_map(|r| r.when.indicators().collect::<Vec<_>>());
        assert!(known.chain(again).all(|i| view.of(i).is_finite()), "{context}: conditions nobody can check");
        self.intents += 1;
        (self.open, self.again) = (Some((plan, act.after)), None);
        (self.side, self.best, self.held) = (act.side(), view.close, 0);
        self.entry = act.price;
        self.first = act.after.abs();
    }
}

/// Follows a run with a listener, and returns how often each reason came.
fn follow(run: &mut Run, events: &[Event]) -> BTreeMap<String, usize> {
    let mut listener = Listener::new(&run.engine);
    let mut out = Outputs::default();
    for event in events {
        let from = run.messages.len();
        run.step(event, &mut out);
        match *event {
            Event::Market(MarketEvent::Bar { instrument, at, bar }) => listener.bar(instrument, at, bar),
            Event::Barrier(at) => listener.barrier(&run.engine, at, &run.messages[from..]),
            _ => {}
        }
    }
    listener.count
}

#[test]
fn law12_conditions_replay() {
    let tape = Tape::market(400);
    let mut run = Run::start(&shipped(), &tape.universe);
    let count = follow(&mut run, &tape.events);
    for reason in [
        Reason::Signal,
        Reason::ReEntry,
        Reason::Add,
        Reason::Target,
        Reason::Hedge,
        Reason::Stop,
        Reason::Trail,
        Reason::Exit,
        Reason::Expired,
    ] {
        assert!(count.get(&reason.to_string()).is_some_and(|n| *n > 10), "{reason} is missing: {count:?}");
    }
    let all = crate::common::actions(&run.messages).count();
    assert_eq!(all, count.values().sum::<usize>(), "every action was looked at");
}

#[test]
fn law12_conditions_replay_where_assets_pause_vanish_and_return() {
    let mut tape = Tape::synth(SynthWorld::Market, 5, 300);
    let from = tape.events[0].at();
    let gaps = [(3_u16, 90, 102, 0), (3, 200, 203, 0), (5, 100, 300, 0), (0, 120, 180, 0), (8, 60, 300, 3)];
    tape.events.retain(|e| {
        let Event::Market(
            MarketEvent::Bar { instrument, at, .. } | MarketEvent::Funding { instrument, at, .. },
        ) = e
        else {
            return true;
        };
        let bars = at.since(from).0 / (4 * Span::HOUR.0);
        let day = bars / 6;
        // A gap of days, or every third bar missing.
        !gaps.iter().any(|(i, a, b, every)| {
            instrument.0 == *i && (*a..*b).contains(&day) && (*every == 0 || bars % every == 0)
        })
    });
    let mut run = Run::start(&shipped(), &tape.universe);
    let count = follow(&mut run, &tape.events);
    assert!(count.get("delisted").is_some_and(|n| *n > 10), "{count:?}");
}
