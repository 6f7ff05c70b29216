//! Law 12 for the nine families whose positions are structures: a listener that knows the events of the
//! market and the messages, and nothing that is done or filled, evaluates every announced condition at
//! every look, and expects exactly the actions that come.
//!
//! Of the agents it knows what is known before the run: family, numbers, character, capital. So it owns the
//! family's rules, fed with events alone, and knows at an opening which legs are meant; the gain of a
//! structure is its own sum over their mid prices and the funding told.
//!
//! What only the owner knows is counted, and nothing else is let pass ([`Unknown`]).

mod heard;

use crate::common::scenes::{self, Scene};
use heard::{Intent, Now};
use hive_core::agents::families::Rules;
use hive_core::agents::proposal::{Proposal, StructureLeg};
use hive_core::agents::structures::legs::{LATENCY, Legs};
use hive_core::agents::structures::{KEYS, Values};
use hive_core::engine::{Engine, Outputs};
use hive_domain::condition::Target;
use hive_domain::{
    Action, Condition, EvalContext, Event, FamilyId, HedgeKind, Indicator, InstrumentId, MarketEvent,
    Message, MessageKind, Plan, ReEntry, Reason, Span, Speaker, Stamp, Term, Verb, money,
};
use hive_market::Market;
use std::collections::BTreeMap;

/// What a listener cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unknown {
    /// The gain of a maker, or of a book that is hedged as it goes: it is made by fills nobody told.
    OwnGain,
    /// Whether an order of the last message has been filled: it comes 25 to 75 ms after it was decided, and
    /// finds what it finds. Until then the owner does nothing else.
    InFlight,
    /// A leg was not to be had.
    Missed,
    /// The venue took over what was held on margin.
    Liquidated,
}

/// How often each family said each reason, and how often what was not known.
#[derive(Default)]
struct Count {
    said: BTreeMap<(FamilyId, String), usize>,
    unknown: BTreeMap<(FamilyId, Unknown), usize>,
    /// Offers that were true with nothing to open.
    broken: Vec<String>,
}

fn view(values: &Values, held: u32, side: f64) -> EvalContext<'_> {
    let (close, sigma, entry) = (f64::NAN, f64::NAN, f64::NAN);
    EvalContext { close, sigma, held, best: 0.0, entry, side, keys: &KEYS, values: &values.0 }
}

/// What a condition is to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Not(Unknown),
}

/// One structure as the listener follows it.
struct One {
    rules: Rules,
    family: FamilyId,
    name: String,
    due: bool,
    looked: Option<Stamp>,
    open: Option<Intent>,
    awaits_outcome: bool,
    again: Option<ReEntry>,
    flat: Option<Stamp>,
    intents: u32,
}

fn minutes(now: Stamp, since: Option<Stamp>) -> u32 {
    since.map_or(u32::MAX, |s| (now.since(s).0 / Span::MINUTE.0) as u32)
}

impl One {
    fn own_gain(&self) -> bool {
        self.rules.is_maker() || self.rules.is_hedged()
    }

    fn judge(&mut self, now: &Now<'_>, mut said: &[MessageKind], count: &mut Count) {
        let context = format!("{} at {}", self.name, now.at);
        for body in said {
            if let MessageKind::Action(a) = body {
                *count.said.entry((self.family, a.reason.to_string())).or_default() += 1;
            }
        }
        if let [MessageKind::Action(a)] = said
            && a.reason == Reason::Liquidated
        {
            *count.unknown.entry((self.family, Unknown::Liquidated)).or_default() += 1;
            assert!(self.open.is_some(), "{context}: nothing to take over");
            return self.close(now, a, &context);
        }
        let waits = now.at < now.agent.active_from
            || self.looked.is_some_and(|l| now.at.since(l) < self.rules.pace())
            || !now.is_aligned(self.open.as_ref().map_or(&[][..], |o| &o.legs));
        if waits {
            assert!(said.is_empty(), "{context}: acts out of its pace: {said:?}");
            return;
        }
        self.looked = Some(now.at);
        if let Some(MessageKind::Outcome(_)) = said.first() {
            assert!(self.awaits_outcome, "{context}: an outcome of nothing");
            self.awaits_outcome = false;
            said = &said[1..];
        }
        let act = match said {
            [] => None,
            [MessageKind::Action(a)] => Some(a),
            more => panic!("{context}: one thing at a time: {more:?}"),
        };
        if self.open.is_some() {
            self.manage(now, act, count, &context);
        } else {
            self.consider(now, act, count, &context);
        }
    }

    fn manage(&mut self, now: &Now<'_>, act: Option<&Action>, count: &mut Count, context: &str) {
        let mut open = self.open.clone().unwrap();
        let mut unknown = |u| *count.unknown.entry((self.family, u)).or_default() += 1;
        let whole = open.is_whole();
        let early = open.flights.iter().any(|f| f.left != 0.0 && now.at.since(f.decided).0 < LATENCY.0 / 2);
        if early {
            assert_eq!(act, None, "{context}: acts while its orders are on their way");
            return;
        }
        let settled = |l: &StructureLeg| now.board.get(l.instrument).is_some_and(|q| q.settled.is_some());
        if open.legs.iter().any(settled) {
            let Some(a) = act else {
                assert!(!whole, "{context}: a leg was settled in silence");
                return unknown(Unknown::InFlight);
            };
            assert_eq!(a.reason, Reason::Settled, "{context}");
            return self.close(now, a, context);
        }
        if let Some(a) = act.filter(|a| a.reason == Reason::Missed) {
            assert!(!whole, "{context}: it had all it ordered");
            unknown(Unknown::Missed);
            return self.close(now, a, context);
        }
        let held = minutes(now.at, Some(open.since));
        let gain = if self.own_gain() { f64::NAN } else { open.gain(now) };
        let look = |legs: &Legs| {
            let mut values = self.rules.look(&now.seen(legs));
            values.set(Indicator::Gain, gain);
            values
        };
        let with = look(&open.shadow());
        // Before its orders are filled it may hold nothing.
        let without = if whole { with } else { look(&Legs::default()) };
        let truth = |c: Condition| {
            let of_gain = c.indicators().any(|i| i == Indicator::Gain) || matches!(c.right, Term::Back(_));
            if of_gain && self.own_gain() {
                return Truth::Not(Unknown::OwnGain);
            }
            assert!(!matches!(c.right, Term::Back(_)), "{context}: the listener keeps no best gain");
            let holds = |v: &Values| c.holds(&view(v, held, open.side));
            match (holds(&with), holds(&without)) {
                (a, b) if a != b => Truth::Not(Unknown::InFlight),
                (true, _) => Truth::True,
                (false, _) => Truth::False,
            }
        };
        let plan = open.plan.clone();
        let closings = [
            (Some(plan.stop), Reason::Stop),
            (plan.trail, Reason::Trail),
            (Some(plan.exit), Reason::Exit),
            (Some(plan.expire), Reason::Expired),
        ];
        let (full, parted): (Vec<Target>, Vec<Target>) = plan.targets.iter().partition(|t| t.fraction >= 1.0);
        let full = full.into_iter().map(|t| (Some(t.when), Reason::Target));
        for (when, reason) in closings.into_iter().chain(full) {
            let Some(when) = when else { continue };
            let came = act.filter(|a| a.verb == Verb::Close && a.reason == reason);
            match (truth(when), came) {
                (Truth::True, Some(a)) => return self.close(now, a, context),
                (Truth::True, None) => {
                    // It may not have been there yet.
                    assert!(!whole && act.is_none(), "{context}: {reason} came true, {act:?} came: {when}");
                    return unknown(Unknown::InFlight);
                }
                (Truth::Not(u), Some(a)) => {
                    unknown(u);
                    return self.close(now, a, context);
                }
                (Truth::False | Truth::Not(_), _) => {}
            }
        }
        let parted = parted.into_iter().map(|t| (Some((t.when, t.fraction)), Reason::Target));
        let reduced = plan.hedge.map(|h| match h.how {
            HedgeKind::Reduce(fraction) => (h.when, fraction),
            HedgeKind::Opposite { .. } => panic!("{context}: no family holds another leg: {h:?}"),
        });
        let others = [(reduced, Reason::Hedge), (plan.add, Reason::Add)];
        for (part, reason) in parted.chain(others) {
            let Some((when, fraction)) = part else { continue };
            let came = act.filter(|a| a.reason == reason && a.verb != Verb::Close);
            let truth = truth(when);
            match (truth, came) {
                (Truth::True | Truth::Not(_), Some(a)) => {
                    if let Truth::Not(u) = truth {
                        unknown(u);
                    }
                    open.act(now, a, fraction, self.rules.is_maker(), context);
                    self.open = Some(open);
                    return;
                }
                (Truth::True, None) => {
                    // One thing at a time: an unsaid hedge may be on its way as well.
                    assert!(act.is_none(), "{context}: {act:?} in place of {reason}: {when}");
                    assert!(!whole || self.rules.is_hedged(), "{context}: {reason} in silence: {when}");
                    return unknown(Unknown::InFlight);
                }
                (Truth::False | Truth::Not(_), _) => {}
            }
        }
        assert_eq!(act, None, "{context}: no condition asks for this");
    }

    fn consider(&mut self, now: &Now<'_>, act: Option<&Action>, count: &mut Count, context: &str) {
        if self.awaits_outcome {
            assert_eq!(act, None, "{context}: opens before the last one is over");
            return;
        }
        let (held, nothing) = (minutes(now.at, self.flat), Legs::default());
        let seen = now.seen(&nothing);
        let values = self.rules.look(&seen);
        let view = view(&values, held, 0.0);
        let due = self.again.as_ref().filter(|a| !a.lapsed(held));
        if due.is_some_and(|a| held < a.not_before) {
            assert_eq!(act, None, "{context}: opens in its pause");
            return;
        }
        let due = due.filter(|a| a.holds(&view));
        let fresh = self.rules.propose(&seen, &view);
        let fresh = fresh.and_then(|p| self.enter(now, &p));
        let Some(open) = fresh else {
            if let Some(again) = due {
                count.broken.push(format!("{context}: true, and nothing to open: {again}"));
            }
            assert_eq!(act, None, "{context}: nothing to open");
            return;
        };
        assert!(due.is_none_or(|d| d.side == open.side), "{context}: re-entry on the other side");
        let act = act.unwrap_or_else(|| panic!("{context}: a {} in silence", open.plan.exit));
        let reason = if due.is_some() { Reason::ReEntry } else { Reason::Signal };
        assert_eq!((act.verb, act.reason, act.before), (Verb::Open, reason, 0.0), "{context}");
        assert_eq!(
            (act.after, &*act.plan),
            (open.size, &open.plan),
            "{context}: not what was to be expected"
        );
        assert_eq!(act.intent.number, self.intents + 1, "{context}");
        // Nothing that closes is true already.
        let mut first = values;
        first.set(Indicator::Gain, 0.0);
        let holds =
            |c: &Condition| c.holds(&EvalContext { held: 0, side: open.side, values: &first.0, ..view });
        for c in [open.plan.stop, open.plan.exit, open.plan.expire] {
            assert!(!holds(&c), "{context}: closes at once: {c}");
        }
        self.intents += 1;
        (self.open, self.again) = (Some(open), None);
    }

    /// What a proposal becomes, if all of its legs can be ordered.
    fn enter(&self, now: &Now<'_>, p: &Proposal) -> Option<Intent> {
        let (nothing, agent) = (Legs::default(), now.agent);
        let seen = now.seen(&nothing);
        if !agent.side.allows(p.side) || !now.is_aligned(&p.legs) {
            return None;
        }
        let bounds: Vec<_> = p.legs.iter().map(|l| self.rules.range(&seen, l.instrument)).collect();
        let values: Vec<f64> =
            p.legs.iter().zip(&bounds).map(|(l, b)| now.value(l, *b)).collect::<Option<_>>()?;
        let notional = p.legs.iter().zip(&values).map(|(l, v)| (l.ratio * v).abs()).fold(0.0, f64::max);
        let units = seen.units(p.size, notional);
        let tradable = p.legs.iter().zip(&values).zip(&bounds).all(|((l, v), b)| {
            let quantity = l.ratio.abs() * units;
            let whole = if b.is_some() { quantity } else { now.listed.lots(l.instrument, quantity) };
            let least = money::to_estimate(now.listed.get(l.instrument).min_notional);
            *v > 0.0 && whole > 0.0 && whole * v >= least
        });
        if !(tradable && units > 0.0 && units.is_finite()) {
            return None;
        }
        let mut open = Intent {
            plan: p.plan.clone(),
            side: p.side,
            size: p.side * units * notional / now.capital,
            entry: p.legs.iter().zip(values).map(|(l, v)| v / now.coins(l)).collect(),
            legs: p.legs.clone(),
            bounds,
            notional,
            units,
            first: units,
            since: now.at,
            carried: 0.0,
            adds: agent.strategy.preset().adds,
            flights: vec![],
        };
        open.order(now, units, self.rules.is_maker());
        Some(open)
    }

    fn close(&mut self, now: &Now<'_>, act: &Action, context: &str) {
        let open = self.open.take().unwrap();
        assert_eq!((act.verb, act.before, act.after), (Verb::Close, open.size, 0.0), "{context}");
        let gone = matches!(act.reason, Reason::Missed | Reason::Liquidated);
        let plan = Plan { reenter: open.plan.reenter.filter(|_| !gone), ..open.plan };
        assert_eq!(*act.plan, plan, "{context}: a close amends nothing");
        (self.again, self.flat, self.awaits_outcome) = (act.plan.reenter.clone(), Some(now.at), true);
    }
}

/// Follows all structures of a run.
struct Listener {
    board: Market,
    ones: Vec<One>,
    /// By instrument: who hears it.
    ears: BTreeMap<InstrumentId, Vec<usize>>,
    capital: Vec<f64>,
    stamp: Option<Stamp>,
    count: Count,
}

impl Listener {
    fn new(engine: &Engine) -> Self {
        let (cast, capital) = (engine.cast(), engine.settings().capital);
        let one = |s: &hive_core::agents::cast::Structure| One {
            rules: s.rules.clone(),
            family: cast.agents[s.agent.index()].family,
            name: format!("{} on {}", cast.agents[s.agent.index()].name, engine.asset_name(s.asset)),
            due: false,
            looked: None,
            open: None,
            awaits_outcome: false,
            again: None,
            flat: None,
            intents: 0,
        };
        let own = |s: &hive_core::agents::cast::Structure| {
            let assets = cast.structures.iter().filter(|o| o.agent == s.agent).count();
            capital * (1.0 / cast.declared as f64) / assets as f64
        };
        let mut ears: BTreeMap<InstrumentId, Vec<usize>> = BTreeMap::new();
        for (n, s) in cast.structures.iter().enumerate() {
            s.rules.ears().into_iter().for_each(|e| ears.entry(e).or_default().push(n));
        }
        Listener {
            ears,
            board: Market::quoted(cast.listed.instruments.len()),
            ones: cast.structures.iter().map(one).collect(),
            capital: cast.structures.iter().map(own).collect(),
            stamp: None,
            count: Count::default(),
        }
    }

    fn event(&mut self, engine: &Engine, event: &Event, accepted: bool, messages: &[Message]) {
        match event {
            Event::Market(market) if accepted && self.board.accepts(market) => {
                let at = market.at();
                if self.stamp.is_none_or(|s| at > s) {
                    self.over(engine, messages);
                    self.stamp = Some(at);
                }
                self.hear(engine, market);
            }
            Event::Barrier(_) if accepted => self.over(engine, messages),
            _ => {}
        }
    }

    fn hear(&mut self, engine: &Engine, event: &MarketEvent) {
        let (cast, costs) = (engine.cast(), &engine.settings().costs);
        self.board.put(event);
        let all = cast.structures.iter().enumerate();
        let hears: Vec<usize> = match *event {
            MarketEvent::VolIndex { asset, .. } => {
                all.filter(|(_, s)| s.asset == asset).map(|(n, _)| n).collect()
            }
            _ => event.instrument().and_then(|i| self.ears.get(&i)).cloned().unwrap_or_default(),
        };
        for n in hears {
            let one = &mut self.ones[n];
            if let Some(open) = &mut one.open {
                if let MarketEvent::Funding { instrument, rate, mark, .. } = *event {
                    let leg = open.legs.iter().find(|l| l.instrument == instrument);
                    open.carried -= open.side * leg.map_or(0.0, |l| l.ratio) * mark * rate;
                }
                open.offer(&cast.listed, &self.board, costs, event);
            }
            one.rules.on_event(&cast.listed, &self.board, event);
            one.due |= one.rules.is_stirred(event);
        }
    }

    /// The stamp is over: everybody who heard something of it judges.
    fn over(&mut self, engine: &Engine, messages: &[Message]) {
        let (cast, Some(at)) = (engine.cast(), self.stamp) else { return };
        let mut said: BTreeMap<(u32, u16), Vec<MessageKind>> = BTreeMap::new();
        for m in
            messages.iter().filter(|m| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_)))
        {
            let (Speaker::Agent(agent), Some(asset)) = (m.from, m.asset) else { continue };
            if cast.agents[agent.index()].family.is_structured() {
                said.entry((agent.0, asset.0)).or_default().push(m.body.clone());
            }
        }
        for (i, s) in cast.structures.iter().enumerate() {
            let own = said.remove(&(s.agent.0, s.asset.0)).unwrap_or_default();
            let one = &mut self.ones[i];
            if !std::mem::take(&mut one.due) {
                assert!(own.is_empty(), "{} at {at}: heard nothing, and says {own:?}", one.name);
                continue;
            }
            let (listed, board, costs) = (&*cast.listed, &self.board, &engine.settings().costs);
            let agent = &cast.agents[s.agent.index()];
            let now = Now { listed, board, costs, at, agent, capital: self.capital[i] };
            one.judge(&now, &own, &mut self.count);
        }
        assert!(said.is_empty(), "said by nobody: {said:?}");
    }
}

/// Follows a run.
fn follow(mut scene: Scene) -> Count {
    let mut listener = Listener::new(&scene.engine);
    let mut out = Outputs::default();
    while let Some(event) = scene.event() {
        scene.engine.step(&event, &mut out);
        listener.event(&scene.engine, &event, out.accepted, &out.messages);
    }
    listener.count
}

#[test]
fn law12_conditions_of_structures_replay() {
    let mut total = Count::default();
    // Each by itself: together they are most of a minute of one core.
    let followed = |make: fn() -> Scene| {
        let scene = make();
        (scene.name, follow(scene))
    };
    let counts = std::thread::scope(|threads| {
        let runs = scenes::ALL.map(|make| threads.spawn(move || followed(make)));
        runs.map(|run| run.join().unwrap())
    });
    for (name, count) in counts {
        assert!(count.broken.is_empty(), "{name}: {} times, first {:?}", count.broken.len(), count.broken[0]);
        for (key, n) in count.said {
            *total.said.entry(key).or_default() += n;
        }
        for (key, n) in count.unknown {
            *total.unknown.entry(key).or_default() += n;
        }
    }
    for family in FamilyId::ALL.iter().filter(|f| f.is_structured()) {
        let said = |reason: &str| total.said.get(&(*family, reason.to_owned())).copied().unwrap_or_default();
        let opened = said("signal") + said("re-entry");
        assert!(opened >= 8, "{family} opened {opened}: too few to prove anything");
    }
    let unknown: Vec<(FamilyId, Unknown)> = total.unknown.into_keys().collect();
    // All that a listener had to believe.
    let believed = [FamilyId::MarketMaking, FamilyId::Options, FamilyId::Move, FamilyId::Defi];
    assert_eq!(unknown, believed.map(|f| (f, Unknown::OwnGain)));
}
