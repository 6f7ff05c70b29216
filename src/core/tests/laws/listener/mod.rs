//! Who hears: a listener that knows what is told of the market and what an agent says, and foretells its position.
//!
//! A [`Voice`] is one agent on one asset. At each look it evaluates every condition that was announced, in the order of a
//! plan, and expects exactly the actions that come: that they come, their sizes, prices and plans, and that no other does.
//! How the market is seen is a [`Look`]: at the close of a bar ([`bars`]) or in legs on the events of their instruments
//! ([`legs`]). All else is one code path for all families.
//!
//! Of an agent it knows what is known before a run: its family, numbers, character and capital. A fresh decision at a bar
//! is believed, since its message says all of it; one in legs is foretold by the family's rules, since no message says which
//! legs are meant. What only the owner knows is counted, and nothing else is let pass ([`Unknown`]).
// The laws use a part of it, the tests of plans another.
#![allow(dead_code)]

pub mod bars;
pub mod legs;

use hive_core::agents::life::{Forced, Life};
use hive_core::agents::plan::STEPS_MAX;
use hive_core::agents::proposal::StructureLeg;
use hive_core::agents::structures::ranges::Bounds;
use hive_domain::{
    Action, Condition, EvalContext, FamilyId, Hedge, HedgeKind, InstrumentId, MessageKind, Outcome,
    PendingEntry, Plan, ReEntry, Reason, Stamp, Verb,
};
use std::collections::BTreeMap;

/// What a listener cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
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
pub struct Count {
    pub said: BTreeMap<(FamilyId, String), usize>,
    pub unknown: BTreeMap<(FamilyId, Unknown), usize>,
    /// Orders that rested at a level and were filled, and that were taken off.
    pub at_levels: BTreeMap<FamilyId, usize>,
    pub taken_off: BTreeMap<FamilyId, usize>,
    /// What was done between two closes.
    pub between: BTreeMap<FamilyId, usize>,
    /// Offers that were true with nothing to open.
    pub broken: Vec<String>,
}

impl Count {
    /// Takes in what another counted.
    pub fn add(&mut self, other: Count) {
        other.said.into_iter().for_each(|(key, n)| *self.said.entry(key).or_default() += n);
        other.unknown.into_iter().for_each(|(key, n)| *self.unknown.entry(key).or_default() += n);
        other.at_levels.into_iter().for_each(|(key, n)| *self.at_levels.entry(key).or_default() += n);
        other.taken_off.into_iter().for_each(|(key, n)| *self.taken_off.entry(key).or_default() += n);
        self.broken.extend(other.broken);
    }

    /// How often a reason was given, by everybody together.
    pub fn of(&self, reason: Reason) -> usize {
        self.said.iter().filter(|((_, r), _)| *r == reason.to_string()).map(|(_, n)| n).sum()
    }

    /// How often a family opened.
    pub fn opened(&self, family: FamilyId) -> usize {
        let of = |reason: Reason| self.said.get(&(family, reason.to_string())).copied().unwrap_or_default();
        of(Reason::Signal) + of(Reason::ReEntry)
    }
}

/// What a condition is to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Not(Unknown),
}

/// An offer that stands since the last close, and the first size of the intent that was closed.
#[derive(Clone, Debug)]
pub struct Offer {
    pub again: ReEntry,
    pub first: f64,
}

impl Offer {
    /// Whether it is to be taken up, seen while flat.
    fn is_due(&self, view: &EvalContext<'_>) -> bool {
        let ReEntry { side, when, unless, not_before, within, ref terms, .. } = self.again;
        // What would be over at once waits.
        let first = EvalContext { held: 0, best: view.close, entry: view.close, side, ..*view };
        let stands = terms.as_ref().is_none_or(|t| {
            !t.stop.holds(&first) && t.targets.iter().all(|target| !target.when.holds(&first))
        });
        (not_before..=within).contains(&view.held) && when.holds(view) && !unless.holds(view) && stands
    }

    /// The plan that it is taken up with, where the family would now open on this one.
    pub fn plan(&self, fresh: Plan) -> Plan {
        match self.again.terms.clone() {
            Some(terms) => Plan { stop: terms.stop, targets: terms.targets, ..fresh },
            None => fresh,
        }
    }

    /// Its first size as a fraction of the speaker's capital, if it names one.
    pub fn size(&self) -> Option<f64> {
        self.again.terms.as_ref().map(|terms| terms.size * self.first)
    }
}

/// A leg as it was heard.
#[derive(Clone, Debug)]
pub struct HeardLeg {
    pub leg: StructureLeg,
    pub bounds: Option<Bounds>,
    /// Its price at the message, in coins where it is paid for in coins.
    pub entry: f64,
    /// When its last order was decided.
    pub decided: Stamp,
    /// What of that order is certainly still to be filled, if nothing came before it had to be there.
    pub left: f64,
    /// Base units that all of its orders come to.
    pub ordered: f64,
}

/// An intent as its messages told it.
#[derive(Clone, Debug)]
pub struct Followed {
    pub plan: Plan,
    pub side: f64,
    pub units: f64,
    pub first: f64,
    /// Price that the opening named, where conditions ask for it.
    pub entry: f64,
    /// What of its notional moves with its asset.
    pub delta: f64,
    /// The best close or gain since, as it is for sure and as it may be.
    pub best: [f64; 2],
    pub adds: u32,
    pub legs: Vec<HeardLeg>,
    /// Notional of the largest leg of a unit, and the capital that it is a fraction of; one each at bars.
    pub notional: f64,
    pub capital: f64,
    /// Funding a unit, in the account's currency.
    pub carried: f64,
}

impl Followed {
    /// So many units, as a signed fraction of the speaker's capital.
    pub fn fraction(&self, units: f64) -> f64 {
        self.side * units * self.notional / self.capital
    }

    /// The position that is foretold.
    pub fn size(&self) -> f64 {
        self.fraction(self.units)
    }
}

/// The market as the conditions of one agent ask for it, at one look.
pub trait Look {
    fn now(&self) -> Stamp;
    /// Time since the intent was opened or closed, where it was `held` at the last look: bars or minutes.
    fn passed(&self, since: Option<Stamp>, held: u32) -> u32;
    /// What conditions are evaluated against; two views where it is not known which is the owner's.
    fn views(&self, held: u32, open: Option<&Followed>) -> [EvalContext<'_>; 2];
    /// The better of what was best and what is seen now.
    fn best(&self, side: f64, best: f64) -> f64;
    /// The price that is said with an action.
    fn price(&self, open: &Followed) -> f64;
    /// What is opened now, if anything: foretold, but for what only a message says.
    fn opening(&self, held: u32, offer: Option<&Offer>, said: Option<&Action>) -> Option<Followed>;
    /// The add that follows one that has acted, and what was said of it.
    fn next_add(&self, before: (Condition, f64), said: Option<(Condition, f64)>) -> Option<(Condition, f64)>;

    /// Whether only the owner can tell whether this holds.
    fn is_own(&self, _when: &Condition) -> bool {
        false
    }
    /// What comes before any condition.
    fn forced(&self, _open: &Followed) -> Option<Forced> {
        None
    }
    /// Whether all that was ordered is certainly there, so that the size may change.
    fn is_whole(&self, _open: &Followed) -> bool {
        true
    }
    /// Whether all that was ordered is certainly no longer on its way.
    fn has_arrived(&self, _open: &Followed) -> bool {
        true
    }
    /// Whether orders that are not said may be on their way.
    fn rehedges(&self) -> bool {
        false
    }
    /// Whether one look changes the size once only.
    fn is_one_step(&self) -> bool {
        false
    }
    /// The price that an order gets that rests on this side, where this bar trades through it.
    fn fills(&self, _side: f64, _limit: f64) -> Option<f64> {
        None
    }
    /// Orders so many units more.
    fn order(&self, _open: &mut Followed, _more: f64) {}
    /// Takes a leg in against the first one; whether it can be had.
    fn oppose(&self, _open: &mut Followed, _instrument: InstrumentId, _ratio: f64) -> bool {
        false
    }
}

/// What a plan does to a position that stays open.
#[derive(Clone, Copy)]
enum Part {
    Target(usize),
    Hedge(Hedge),
    Add(Condition, f64),
}

/// The parts of a plan with their conditions, in the order in which they act.
fn parts(plan: &Plan) -> Vec<(Condition, Part)> {
    let targets = plan.targets.iter().enumerate().filter(|(_, t)| t.fraction < 1.0);
    let targets = targets.map(|(n, t)| (t.when, Part::Target(n)));
    let hedge = plan.hedge.map(|h| (h.when, Part::Hedge(h)));
    targets.chain(hedge).chain(plan.add.map(|(when, more)| (when, Part::Add(when, more)))).collect()
}

/// What closes an intent, in the order in which it is judged.
fn closings(plan: &Plan) -> Vec<(Condition, Reason)> {
    let all = plan.targets.iter().filter(|t| t.fraction >= 1.0).map(|t| (t.when, Reason::Target));
    let trail = plan.trail.map(|c| (c, Reason::Trail));
    let others = [(plan.exit, Reason::Exit), (plan.expire, Reason::Expired)];
    [(plan.stop, Reason::Stop)].into_iter().chain(trail).chain(others).chain(all).collect()
}

/// What was done at one look, each heard once and in order.
struct Acts<'a> {
    left: &'a [&'a Action],
    /// By action, whether others swayed it; nothing where nobody is heard.
    swayed: &'a [bool],
    context: String,
    number: u32,
}

impl<'a> Acts<'a> {
    /// Whether others swayed what comes next.
    fn is_swayed(&self) -> bool {
        let done = self.swayed.len().checked_sub(self.left.len());
        !self.left.is_empty() && done.and_then(|n| self.swayed.get(n)).copied().unwrap_or(false)
    }

    fn next_is(&self, verb: Verb, reason: Reason) -> bool {
        self.left.first().is_some_and(|a| (a.verb, a.reason) == (verb, reason))
    }

    fn next(&mut self, why: Reason) -> &'a Action {
        let (act, left) = self.left.split_first().unwrap_or_else(|| {
            panic!("{}: {why} came true in silence", self.context);
        });
        self.left = left;
        act
    }

    /// Nothing more may have been done.
    fn end(&self, why: &str) {
        assert!(self.left.is_empty(), "{}: {why}: {:?}", self.context, self.left);
    }

    /// An action must be just this.
    fn check(&self, a: &Action, verb: Verb, reason: Reason, (before, after): (f64, f64), open: &Followed) {
        let context = &self.context;
        assert_eq!((a.verb, a.reason), (verb, reason), "{context}");
        assert_eq!((a.before, a.after), (before, after), "{context}: {reason}");
        assert_eq!(a.delta, open.delta * after, "{context}: {reason}");
        assert_eq!(*a.plan, open.plan, "{context}: {reason}");
        assert_eq!(a.intent.number, self.number, "{context}: {reason}");
    }
}

/// One agent on one asset as a listener follows it.
pub struct Voice {
    pub family: FamilyId,
    pub name: String,
    pub open: Option<Followed>,
    /// Base units a unit of the speaker's capital, by its words.
    pub quantity: f64,
    again: Option<Offer>,
    since: Option<Stamp>,
    held: u32,
    pause: u32,
    intents: u32,
    awaits_outcome: bool,
    looked: Option<Stamp>,
    /// Until when it neither enters nor adds, as it said.
    waits: Option<Stamp>,
    /// What it would open at a level, and for how many bars its order still rests.
    resting: Option<(Followed, u32)>,
    /// Whether it is an open life: while that is its alone one, its intents are numbered by that.
    pub hears: bool,
    /// By action at this look, whether others swayed it.
    swayed: Vec<bool>,
}

impl Voice {
    /// Nothing was heard of it yet.
    pub fn new(family: FamilyId, name: String) -> Self {
        Voice {
            family,
            name,
            open: None,
            quantity: 0.0,
            again: None,
            since: None,
            held: 0,
            pause: 0,
            intents: 0,
            awaits_outcome: false,
            looked: None,
            waits: None,
            resting: None,
            hears: false,
            swayed: Vec::new(),
        }
    }

    /// What an open life said at this look of what it heard: whether it waits, and which of its actions others swayed.
    pub fn in_company(&mut self, waits: Option<Stamp>, swayed: Vec<bool>) {
        self.waits = waits.or(self.waits);
        self.swayed = swayed;
    }

    fn is_held_back(&self, now: Stamp) -> bool {
        self.waits.is_some_and(|until| until > now)
    }

    /// Something that others swayed of an intent that is open: less of it, or nearer conditions, and nothing else; whether
    /// it is closed.
    fn heed(&mut self, look: &impl Look, acts: &mut Acts<'_>, open: &mut Followed) -> bool {
        let Some(act) = acts.left.first().copied() else { return false };
        assert_eq!(act.before, open.size(), "{}: {act}", acts.context);
        // It comes to what was said when all that it ordered is there.
        open.legs.iter_mut().for_each(|l| l.left = 0.0);
        match act.verb {
            Verb::Close => {
                self.close(look, acts, open.clone(), act.reason);
                return true;
            }
            Verb::Decrease => {
                assert!(act.after * act.before > 0.0 && act.after.abs() < act.before.abs(), "{act}");
                // A fraction as rosters name them.
                let taken = ((1.0 - act.after / act.before) * 1e6).round() / 1e6;
                let units = open.units * (1.0 - taken);
                let more = units - open.units;
                open.units = units;
                look.order(open, more);
                assert_eq!(act.after, open.size(), "{act}");
                self.quantity *= act.after / act.before;
            }
            Verb::Amend => {
                assert_eq!(act.after, act.before, "{act}");
                (open.plan.stop, open.plan.targets) = (act.plan.stop, act.plan.targets.clone());
            }
            Verb::Open | Verb::Increase => panic!("{}: {act}", acts.context),
        }
        assert_eq!(*act.plan, open.plan, "{}: nothing else is amended", acts.context);
        acts.next(act.reason);
        false
    }

    /// The position that is foretold, a signed fraction of the speaker's capital.
    pub fn size(&self) -> f64 {
        self.open.as_ref().map_or(0.0, Followed::size)
    }

    /// Holds what is foretold against the life that it is foretold of: its size, and each of its legs.
    pub fn agrees(&self, life: &Life) {
        let name = &self.name;
        assert_eq!(life.intent, self.size(), "{name}: foretold {:?}", self.open);
        let legs =
            self.open.iter().flat_map(|o| o.legs.iter().map(|l| (&l.leg, o.side * l.leg.ratio * o.units)));
        let held = life
            .open()
            .into_iter()
            .flat_map(|o| o.legs.iter().map(|l| (&l.leg, o.side * l.leg.ratio * o.units)));
        assert!(legs.eq(held), "{name}: foretold {:?}, is {:?}", self.open, life.open());
    }

    /// An intent has ended.
    pub fn ended(&mut self, outcome: &Outcome) {
        assert!(self.awaits_outcome, "{}: an outcome of nothing: {outcome}", self.name);
        assert_eq!(outcome.intent.number, self.intents, "{}: an outcome of another", self.name);
        self.awaits_outcome = false;
        if outcome.reason == Reason::Liquidated {
            (self.again, self.pause) = (None, 0);
        }
    }

    /// What was said, taken apart: how an intent ended, and what was done.
    fn heard<'m>(&mut self, said: &'m [MessageKind], count: &mut Count) -> Vec<&'m Action> {
        let mut done = Vec::new();
        for body in said {
            match body {
                MessageKind::Rest(_) => {}
                MessageKind::Action(a) => {
                    *count.said.entry((self.family, a.reason.to_string())).or_default() += 1;
                    done.push(a);
                }
                // An asset that is gone ends it at once, all else at a later look.
                MessageKind::Outcome(outcome) if done.iter().all(|a| a.reason == Reason::Delisted) => {
                    self.awaits_outcome |= !done.is_empty();
                    self.ended(outcome);
                }
                other => panic!("{}: {other:?}", self.name),
            }
        }
        done
    }

    fn acts<'m>(&self, left: &'m [&'m Action], swayed: &'m [bool], at: Stamp) -> Acts<'m> {
        let context = format!("{} at {at}", self.name);
        Acts { left, swayed, context, number: self.intents }
    }

    /// One look, and what was said at it.
    pub fn judge(&mut self, look: &impl Look, said: &[MessageKind], count: &mut Count) {
        let (done, swayed) = (self.heard(said, count), std::mem::take(&mut self.swayed));
        let mut acts = self.acts(&done, &swayed, look.now());
        self.held = look.passed(self.since, self.held);
        if self.open.is_some() {
            self.manage(look, &mut acts, count);
        } else if let Some((open, left)) = self.resting.take() {
            self.await_fill(look, &mut acts, count, open, left);
        } else {
            let order = said.iter().find_map(|m| if let MessageKind::Rest(o) = m { Some(o) } else { None });
            match order {
                Some(order) => self.rests(look, &acts, order),
                None => self.consider(look, &mut acts, count),
            }
        }
        acts.end("no condition asks for this");
    }

    /// A price between two closes: stop and targets are judged at it, and nothing else.
    pub fn between(&mut self, look: &impl Look, said: &[MessageKind], count: &mut Count) {
        let done = self.heard(said, count);
        let mut acts = self.acts(&done, &[], look.now());
        let Some(mut open) = self.open.take() else { return acts.end("nothing is open between closes") };
        let holds = |when: &Condition| self.truth(look, when, &open) == Truth::True;
        let is_paid = open.plan.targets.iter().any(|t| t.fraction >= 1.0 && holds(&t.when));
        if holds(&open.plan.stop) {
            self.close(look, &mut acts, open, Reason::Stop);
        } else if is_paid {
            self.close(look, &mut acts, open, Reason::Target);
        } else {
            let due = |voice: &Voice, open: &Followed| {
                let holds = |when: &Condition| voice.truth(look, when, open) == Truth::True;
                open.plan.targets.iter().position(|t| holds(&t.when))
            };
            while let Some(nearest) = due(self, &open) {
                let (act, before) = (acts.next(Reason::Target), open.size());
                open.units = self.resize(look, act, &mut open, Part::Target(nearest));
                acts.check(act, Verb::Decrease, Reason::Target, (before, open.size()), &open);
                self.quantity *= act.after / act.before;
            }
            self.open = Some(open);
        }
        acts.end("only a stop or a target acts between closes");
    }

    /// The asset is gone, and what was held of it.
    pub fn delisted(&mut self, look: &impl Look, said: &[MessageKind], count: &mut Count) {
        let is_due = self.awaits_outcome || self.open.is_some();
        let (done, swayed) = (self.heard(said, count), std::mem::take(&mut self.swayed));
        let mut acts = self.acts(&done, &swayed, look.now());
        self.resting = None;
        if let Some(open) = self.open.take() {
            self.close(look, &mut acts, open, Reason::Delisted);
        }
        acts.end("nothing was held");
        let outcomes = said.iter().filter(|m| matches!(m, MessageKind::Outcome(_))).count();
        assert_eq!(outcomes, usize::from(is_due), "{}", acts.context);
        (self.again, self.awaits_outcome) = (None, false);
    }

    /// It says that an order rests: all that decides what becomes of it is said.
    fn rests(&mut self, look: &impl Look, acts: &Acts<'_>, order: &PendingEntry) {
        let name = &self.name;
        acts.end("it opens and rests at once");
        assert!(!self.awaits_outcome, "{name}: rests before the last one is over");
        assert!(self.intents == 0 || self.held >= self.pause, "{name}: rests in its pause");
        assert!(!self.is_held_back(look.now()), "{name}: rests while it waits");
        let (verb, reason) = (Verb::Open, Reason::Signal);
        let (before, after, delta, price) = (0.0, order.after, order.after, order.limit);
        let (intent, plan) = (order.intent, order.plan.clone());
        let filled = Action { verb, intent, reason, before, after, delta, price, plan };
        let mut open = look.opening(self.held, None, Some(&filled)).expect("rests on what is not warm");
        // Others may have made it smaller or larger.
        (open.units, open.first) = (after.abs(), after.abs());
        (open.entry, open.best) = (order.limit, [order.limit; 2]);
        assert_eq!(open.side, after.signum(), "{name}");
        self.resting = Some((open, order.within));
    }

    /// An order rests: it is filled, taken off, or stays, each when the listener says so.
    fn await_fill(
        &mut self,
        look: &impl Look,
        acts: &mut Acts<'_>,
        count: &mut Count,
        mut open: Followed,
        left: u32,
    ) {
        if let Some(price) = look.fills(open.side, open.entry) {
            let act = acts.next(Reason::Signal);
            self.intents = if self.hears { act.intent.number } else { self.intents + 1 };
            acts.number = self.intents;
            assert_eq!((act.price, act.before), (price, 0.0), "{}", acts.context);
            // As many coins as were said, which is a part of them where the bar has little volume.
            let most = open.first * price / open.entry;
            assert!(act.after.abs() <= most * (1.0 + 1e-9), "{}", acts.context);
            (open.units, open.first) = (act.after.abs(), act.after.abs());
            acts.check(act, Verb::Open, Reason::Signal, (0.0, open.size()), &open);
            (self.again, self.since, self.held) = (None, Some(look.now()), 0);
            self.quantity = act.after / act.price;
            self.open = Some(open);
            *count.at_levels.entry(self.family).or_default() += 1;
            return self.manage(look, acts, count);
        }
        acts.end("its order was not filled");
        let is_lost = self.truth(look, &open.plan.exit, &open) == Truth::True;
        self.resting = (left > 1 && !is_lost).then(|| (open, left - 1));
        if self.resting.is_none() {
            *count.taken_off.entry(self.family).or_default() += 1;
        }
    }

    fn truth(&self, look: &impl Look, when: &Condition, open: &Followed) -> Truth {
        if look.is_own(when) {
            return Truth::Not(Unknown::OwnGain);
        }
        match look.views(self.held, Some(open)).map(|view| when.holds(&view)) {
            [true, true] => Truth::True,
            [false, false] => Truth::False,
            _ => Truth::Not(Unknown::InFlight),
        }
    }

    fn unknown(&self, what: Unknown, count: &mut Count) {
        *count.unknown.entry((self.family, what)).or_default() += 1;
    }

    fn manage(&mut self, look: &impl Look, acts: &mut Acts<'_>, count: &mut Count) {
        let Some(mut open) = self.open.take() else { return };
        let whole = look.is_whole(&open);
        let mut ways: Vec<(Truth, Reason)> = Vec::new();
        match look.forced(&open) {
            Some(Forced::Wait) => {
                acts.end("its orders are on their way");
                self.open = Some(open);
                return;
            }
            Some(Forced::Close(reason)) => ways.push((Truth::True, reason)),
            None => {}
        }
        if !whole {
            ways.push((Truth::Not(Unknown::Missed), Reason::Missed));
        }
        let best = open.best.map(|best| look.best(open.side, best));
        open.best = if look.has_arrived(&open) { best } else { [open.best[0], best[1]] };
        ways.extend(closings(&open.plan).into_iter().map(|(c, why)| (self.truth(look, &c, &open), why)));
        for (truth, reason) in ways {
            let came = acts.next_is(Verb::Close, reason);
            match truth {
                Truth::True if !came && !whole => {
                    // It may not have been there yet.
                    acts.end("another came in its place");
                    self.unknown(Unknown::InFlight, count);
                    self.open = Some(open);
                    return;
                }
                Truth::False => continue,
                Truth::Not(_) if !came => continue,
                Truth::Not(what) => self.unknown(what, count),
                Truth::True => {}
            }
            return self.close(look, acts, open, reason);
        }
        let comes = acts.is_swayed();
        while acts.is_swayed() {
            if self.heed(look, acts, &mut open) {
                return;
            }
        }
        if comes && !look.is_whole(&open) {
            // One thing at a time.
            self.open = Some(open);
            return;
        }
        for _ in 0..STEPS_MAX {
            let Some(part) = self.step(look, acts, &mut open, count) else { break };
            if look.is_one_step() || matches!(part, Part::Add(..)) {
                break;
            }
        }
        self.open = Some(open);
    }

    /// The first part that acts now, if one does.
    fn step(
        &mut self,
        look: &impl Look,
        acts: &mut Acts<'_>,
        open: &mut Followed,
        count: &mut Count,
    ) -> Option<Part> {
        let is_sure = look.is_whole(open) && !look.rehedges();
        for (when, part) in parts(&open.plan) {
            if matches!(part, Part::Add(..)) && self.is_held_back(look.now()) {
                continue;
            }
            let (verb, reason) = match part {
                Part::Target(_) => (Verb::Decrease, Reason::Target),
                Part::Hedge(_) => (Verb::Decrease, Reason::Hedge),
                Part::Add(..) => (Verb::Increase, Reason::Add),
            };
            let came = acts.next_is(verb, reason);
            match self.truth(look, &when, open) {
                Truth::False => continue,
                Truth::Not(_) if !came => continue,
                Truth::Not(what) => self.unknown(what, count),
                Truth::True if !came && !is_sure => {
                    // One thing at a time: an unsaid hedge may be on its way as well.
                    acts.end("another came in its place");
                    self.unknown(Unknown::InFlight, count);
                    return None;
                }
                Truth::True => {}
            }
            let before = open.size();
            if let Part::Hedge(Hedge { how: HedgeKind::Opposite { instrument, ratio }, .. }) = part
                && !look.oppose(open, instrument, ratio)
            {
                // It stays announced, and nothing is added meanwhile.
                acts.end("its hedge is not to be had");
                return None;
            }
            let act = acts.next(reason);
            let units = self.resize(look, act, open, part);
            let more = units - open.units;
            open.units = units;
            if more != 0.0 {
                look.order(open, more);
            }
            acts.check(act, verb, reason, (before, open.size()), open);
            assert_eq!(act.price, look.price(open), "{}", acts.context);
            self.quantity = match verb {
                Verb::Decrease => self.quantity * (act.after / act.before),
                _ => self.quantity + (act.after - act.before) / act.price,
            };
            return Some(part);
        }
        None
    }

    /// The plan after a part has acted, and the units then.
    fn resize(&self, look: &impl Look, act: &Action, open: &mut Followed, part: Part) -> f64 {
        match part {
            Part::Target(n) => {
                open.plan.add = None;
                open.units * (1.0 - open.plan.targets.remove(n).fraction)
            }
            Part::Hedge(hedge) => {
                open.plan.hedge = None;
                match hedge.how {
                    HedgeKind::Reduce(fraction) => open.units * (1.0 - fraction),
                    HedgeKind::Opposite { .. } => open.units,
                }
            }
            Part::Add(when, fraction) => {
                open.adds = open.adds.saturating_sub(1);
                open.plan.add =
                    if open.adds > 0 { look.next_add((when, fraction), act.plan.add) } else { None };
                let again = open.plan.add.filter(|_| !look.is_one_step());
                let holds = again.is_some_and(|(c, _)| self.truth(look, &c, open) == Truth::True);
                assert!(!holds, "{}: the next add is farther: {act}", self.name);
                open.units + open.first * fraction
            }
        }
    }

    fn close(&mut self, look: &impl Look, acts: &mut Acts<'_>, mut open: Followed, reason: Reason) {
        let act = acts.next(reason);
        let before = open.size();
        // What could not be had, not be borne, or is no more, is not offered again.
        let is_lost = matches!(reason, Reason::Missed | Reason::Liquidated);
        self.pause = open.plan.reenter.as_ref().filter(|_| !is_lost).map_or(0, |r| r.not_before);
        open.plan.reenter = open.plan.reenter.filter(|_| !is_lost && reason != Reason::Delisted);
        acts.check(act, Verb::Close, reason, (before, 0.0), &open);
        assert_eq!(act.price, look.price(&open), "{}", acts.context);
        let first = open.fraction(open.first).abs();
        self.again = open.plan.reenter.map(|again| Offer { again, first });
        (self.quantity, self.since, self.held, self.awaits_outcome) = (0.0, Some(look.now()), 0, true);
    }

    fn consider(&mut self, look: &impl Look, acts: &mut Acts<'_>, count: &mut Count) {
        if self.awaits_outcome {
            return acts.end("opens before the last one is over");
        }
        if self.intents > 0 && self.held < self.pause {
            return acts.end("opens in its pause");
        }
        if self.is_held_back(look.now()) {
            return acts.end("opens while it waits");
        }
        let swayed = acts.left.first().copied().filter(|_| acts.is_swayed());
        let [view, _] = look.views(self.held, None);
        let joins = swayed.is_some_and(|act| act.reason == Reason::Heard);
        let offer = self.again.as_ref().filter(|offer| offer.is_due(&view));
        assert!(offer.is_none() || !joins, "{}: it has an offer of its own", acts.context);
        let Some(mut open) = look.opening(self.held, offer, acts.left.first().copied()) else {
            if let Some(offer) = offer {
                count.broken.push(format!("{}: true, and nothing to open: {}", acts.context, offer.again));
            }
            return acts.end("nothing to open");
        };
        assert!(offer.is_none_or(|o| o.again.side == open.side), "{}: on the other side", acts.context);
        let reason = match offer {
            Some(_) => Reason::ReEntry,
            None if joins => Reason::Heard,
            None => Reason::Signal,
        };
        if let Some(act) = swayed {
            // Of what it opens its size may be another, and how far stop and targets are.
            (open.plan.stop, open.plan.targets) = (act.plan.stop, act.plan.targets.clone());
            let (own, adds) =
                (open.first, open.plan.add.map_or(0.0, |(_, more)| f64::from(open.adds) * more));
            open.plan.add = act.plan.add;
            // A multiple as rosters name them, or as much as its adds would have come to.
            let times = (act.after / open.fraction(own) * 1e6).round() / 1e6;
            let sizes = [own * times, own * (1.0 + adds)];
            let size = sizes.into_iter().find(|units| open.fraction(*units) == act.after);
            let size = size.unwrap_or_else(|| panic!("{}: no size of its own: {act}", acts.context));
            (open.units, open.first) = (size, size);
            open.legs.iter_mut().for_each(|l| l.ordered = 0.0);
            look.order(&mut open, size);
        }
        let act = acts.next(reason);
        self.intents = if self.hears { act.intent.number } else { self.intents + 1 };
        acts.number = self.intents;
        acts.check(act, Verb::Open, reason, (0.0, open.size()), &open);
        assert_eq!(act.price, look.price(&open), "{}", acts.context);
        (self.again, self.since, self.held) = (None, Some(look.now()), 0);
        for (when, why) in closings(&open.plan) {
            let holds = self.truth(look, &when, &open) == Truth::True;
            assert!(!holds, "{}: {why} closes at once: {when}", acts.context);
        }
        self.quantity = act.after / act.price;
        self.open = Some(open);
    }
}
