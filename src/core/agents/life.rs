//! An intent from its opening to its outcome: the life that speaks, the same for a view on one asset and for a structure of
//! several legs. How it is traded is [`Trading`]: of the asset itself [at bars](super::at_bars), or
//! [in legs](super::structures::in_legs) on the events of their instruments.
//!
//! # Invariants
//!
//! 1. The plan it holds is the plan of its last message: what it announced is what it evaluates (law 12).
//! 2. At a look, in this order: what its trading says of itself (a leg is on its way, was missed or settled); stop,
//!    trailing stop, exit, time stop, a target of all of it (each closes); the other targets, nearest first, hedge, add
//!    (each acts once, at most [`STEPS_MAX`] of them at a close, one at a look in legs); while flat: re-entry, then the
//!    family's own signal.
//! 3. After a profit was taken nothing is added any more, so one look never both takes and adds.
//! 4. Intents do not overlap: the last one's outcome is known before the next one is opened.
//! 5. An order that rests to open an intent is announced with all that decides when it is filled and taken off. It is no
//!    position before it is filled, and nothing that is heard meanwhile moves it.
//! 6. A hedge that is an opposite leg makes the intent no smaller: it is a leg like the others from then on. Where it
//!    cannot be had when its danger is there, the hedge stays announced and is tried again at the next look; until then
//!    nothing is added.
//! 7. Nothing here depends on funds, mutes, pauses or managers, and nothing on listening but what its [`Company`] says: a
//!    life on which nothing acts is the one that hears nobody. The company is asked after the own plan: what closes by
//!    itself is not swayed.

use super::company::{
    Company, HoldsBack, LifeMoment, Sway, SwayField, closes_at_once, hold_size, hold_stop, hold_targets,
};
use super::plan::{PlanStep, STEPS_MAX, StandingOffer, closing_between, closing_reason, due, taken};
use super::proposal::{EntryLimit, Proposal, StructureLeg};
use super::structures::ranges::Bounds;
use crate::domain::{
    Action, AgentId, AssetId, Comparison, Condition, EvalContext, Hedge, HedgeKind, InstrumentId, IntentId,
    MessageKind, Outcome, PendingEntry, Plan, Reason, Span, Stamp, Verb, Wait,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A leg of an open intent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLeg {
    /// What is held, and how much of it a unit.
    pub leg: StructureLeg,
    /// Between which prices, where it is liquidity of a pool.
    pub bounds: Option<Bounds>,
    /// Its price when it was said: in the account's currency, but of a leg that is paid for in coins in these coins,
    /// since what it gains is coins too.
    pub entry: f64,
}

/// An intent that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// +1 for a long, −1 for a short.
    pub side: f64,
    /// Units held, unsigned: fractions of own capital at bars, units of the structure in legs.
    pub units: f64,
    /// Units with which it was opened.
    pub first: f64,
    /// Units with which it would have been opened by itself, whatever others made of it.
    pub own: f64,
    /// Price at which it was decided: the close, or that of the first leg.
    pub entry: f64,
    /// How much of its notional it holds of its asset, by delta: its place in the pool.
    pub delta: f64,
    /// The best close since; in legs the best gain.
    pub best: f64,
    /// How often it may still be added to.
    pub adds: u32,
    /// Worth of the book when it was opened, in the account's currency.
    pub equity: f64,
    /// Its legs; none for the asset itself.
    pub legs: Vec<OpenLeg>,
    /// Notional of the largest leg of a unit, at entry.
    pub notional: f64,
    /// Funding received a unit since it was opened, in the account's currency.
    pub carried: f64,
    /// The conditions in force, shared with who heard them.
    pub plan: Arc<Plan>,
}

impl OpenIntent {
    /// On which side of its asset it is: +1, −1, or 0 where it does not move with its price.
    pub fn heading(&self) -> f64 {
        let held = self.side * self.delta;
        f64::from(i8::from(held > 0.0) - i8::from(held < 0.0))
    }
}

/// An intent that was closed, its last fill not yet known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ClosingIntent {
    /// When it was opened.
    opened: Option<Stamp>,
    held: u32,
    risk: f64,
    equity: f64,
    reason: Reason,
}

/// An intent whose order rests at a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PendingIntent {
    /// The intent as it would be opened, its entry the price of the order.
    open: OpenIntent,
    /// Bars that its order still rests at most.
    left: u32,
}

/// What must be heeded before any condition of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Forced {
    /// Nothing may be decided now: an order is on its way.
    Wait,
    /// The intent is closed.
    Close(Reason),
}

/// A change of size that is to be traded.
#[derive(Clone, Copy, Debug)]
pub struct Resize {
    /// What is done to the position.
    pub verb: Verb,
    /// The intent before it, a signed fraction of own capital.
    pub before: f64,
    /// The intent after it.
    pub after: f64,
    /// Units more than before; negative for fewer.
    pub more: f64,
}

/// How a life's intents are traded, as it is at one look: the agent, the market, and what the book allows. A life asks;
/// nothing here decides.
pub trait Trading {
    /// Where positions and orders are booked.
    type Book;
    /// Values of the indicators.
    type Values;
    /// Whether a plan counts minutes; else it counts bars.
    const MINUTES: bool;

    /// Who lives, and on which asset.
    fn who(&self) -> (AgentId, AssetId);
    /// The moment of this look.
    fn now(&self) -> Stamp;
    /// Own capital, in the account's currency.
    fn capital(&self) -> f64;
    /// The indicators as they are now.
    fn values(&self, book: &Self::Book, open: Option<&OpenIntent>) -> Self::Values;
    /// What conditions are evaluated against.
    fn view<'v>(&'v self, values: &'v Self::Values, held: u32, open: Option<&OpenIntent>) -> EvalContext<'v>;
    /// The better of the best so far and what the values show now.
    fn best(&self, open: &OpenIntent, values: &Self::Values) -> f64;
    /// What the family would open now; on this side where an earlier intent is to be taken up again.
    fn propose(&self, book: &Self::Book, view: &EvalContext<'_>, again: Option<f64>) -> Option<Proposal>;
    /// The intent that a proposal comes to, without units yet; none where it cannot be traded, or its plan not be held
    /// to. Without a first size (a fraction of own capital), that of the proposal.
    fn open(
        &self,
        book: &Self::Book,
        proposal: Proposal,
        view: &EvalContext<'_>,
        first: Option<f64>,
    ) -> Option<OpenIntent>;
    /// What so many units of an intent are, as a signed fraction of own capital.
    fn fraction(&self, open: &OpenIntent, units: f64) -> f64;
    /// The price that is said with an action.
    fn price(&self, open: &OpenIntent) -> f64;
    /// What an intent risks: the distance to its stop times its size, as a fraction of own capital.
    fn risk(&self, open: &OpenIntent) -> f64;
    /// Worth of the book, in the account's currency.
    fn equity(&self, book: &Self::Book) -> f64;
    /// The condition of the add after one that has acted.
    fn next_add(&self, when: Condition, side: f64, view: &EvalContext<'_>) -> Condition;
    /// Orders a change of size.
    fn resize(&self, book: &mut Self::Book, open: &OpenIntent, change: Resize);
    /// Orders everything away.
    fn close(&self, book: &mut Self::Book);
    /// Whether nothing is left of an intent that was closed.
    fn is_settled(&self, book: &mut Self::Book) -> bool;

    /// What must be heeded before any condition.
    fn forced(&self, _book: &Self::Book, _open: &OpenIntent) -> Option<Forced> {
        None
    }
    /// Whether what was ordered before is there, so that the size may change again; one change a look where it takes
    /// time.
    fn is_whole(&self, _book: &Self::Book) -> bool {
        true
    }
    /// Whether so many units of an intent can be held, and so many more or fewer be traded to come there.
    fn is_tradable(&self, _open: &OpenIntent, _units: f64, _more: f64) -> bool {
        true
    }
    /// What it takes to come into an intent and out of it, in basis points of its gain, where that is told before costs.
    fn toll(&self, _open: &OpenIntent) -> f64 {
        0.0
    }
    /// Rests the order of an intent at its entry, in place of ordering it at once.
    fn rest(&self, _book: &mut Self::Book, _open: &OpenIntent) {}
    /// Units of an intent whose order rests that were filled, and the price; none where nothing was.
    fn filled(&self, _book: &Self::Book, _open: &OpenIntent) -> Option<(f64, f64)> {
        None
    }
    /// Takes the order that rests off.
    fn withdraw(&self, _book: &mut Self::Book) {}
    /// Takes a leg in this instrument in against the first one, so many base units for each of its own, and orders it;
    /// whether it could be had.
    fn oppose(
        &self,
        _book: &mut Self::Book,
        _open: &mut OpenIntent,
        _instrument: InstrumentId,
        _ratio: f64,
    ) -> bool {
        false
    }
    /// Whether its agent may take this side.
    fn allows(&self, _side: f64) -> bool {
        true
    }
    /// Notes what is seen while nothing is open.
    fn notice(&self, _book: &mut Self::Book, _view: &EvalContext<'_>) {}
    /// Keeps a hedge that is not said where the family wants it.
    fn rehedge(&self, _book: &mut Self::Book) {}
}

/// The life of one agent on one asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// The intent as said: signed fraction of own capital.
    pub intent: f64,
    /// Intents closed so far.
    pub trades: u32,
    /// Openings of which a leg was missed.
    pub missed: u32,
    open: Option<OpenIntent>,
    // What few lives have is kept apart: a large swarm goes over all of its lives at each close.
    closing: Option<Box<ClosingIntent>>,
    number: u32,
    /// When it was opened, while flat when it was closed; none before the first.
    since: Option<Stamp>,
    /// Time since then, in the unit of its plan.
    held: u32,
    /// Least time to stay flat.
    pause: u32,
    again: Option<Arc<StandingOffer>>,
    /// What waits at a level to be opened.
    pending: Option<Box<PendingIntent>>,
}

impl Life {
    /// The intent that is open.
    pub fn open(&self) -> Option<&OpenIntent> {
        self.open.as_ref()
    }

    /// The order that rests to open an intent: its price, and the position it opens as a signed fraction of own capital.
    /// Only who decides at bars has one.
    pub fn resting(&self) -> Option<(f64, f64)> {
        self.pending.as_ref().map(|p| (p.open.entry, p.open.side * p.open.first))
    }

    /// When the intent was opened that is open; while flat when the last one was closed.
    pub fn since(&self) -> Option<Stamp> {
        self.since
    }

    /// Funding was paid on a leg: so much a base unit.
    pub fn fund(&mut self, instrument: InstrumentId, paid: f64) {
        let Some(open) = &mut self.open else { return };
        let ratio = open.legs.iter().find(|l| l.leg.instrument == instrument).map_or(0.0, |l| l.leg.ratio);
        open.carried -= open.side * ratio * paid;
    }

    /// Worth of the book when the intent was opened that is open, or not yet settled.
    pub fn staked_at(&self) -> Option<f64> {
        self.open.as_ref().map(|o| o.equity).or(self.closing.as_ref().map(|c| c.equity))
    }

    /// Whether it will decide as the other does from now on, whatever comes: both are flat, with the same offer, and neither
    /// pauses longer. Their books may differ.
    pub fn goes_on_as(&self, other: &Life) -> bool {
        let is_flat = |life: &Life| life.open.is_none() && life.closing.is_none() && life.pending.is_none();
        let rests = |life: &Life| life.number > 0 && life.held < life.pause;
        let same_time = (self.since, self.pause) == (other.since, other.pause);
        is_flat(self)
            && is_flat(other)
            && self.again == other.again
            && (same_time || (self.again.is_none() && !rests(self) && !rests(other)))
    }

    /// Has the memory read that a look at a close will need first. Each life's conditions are elsewhere: one life after the
    /// other they would be waited for, those of several lives come together.
    #[inline]
    pub fn fetch(&self) {
        let rises = |when: &Condition| usize::from(when.op == Comparison::Above);
        let read = if let Some(open) = &self.open {
            let plan = &*open.plan;
            let closing = rises(&plan.stop) + rises(&plan.exit) + rises(&plan.expire);
            let sizing = usize::from(plan.hedge.is_some()) + usize::from(plan.add.is_some());
            closing + sizing + plan.targets.iter().map(|t| rises(&t.when)).sum::<usize>()
        } else {
            self.again.as_ref().map_or(0, |a| rises(&a.offer.when) + rises(&a.offer.unless))
        };
        // Else nothing would be read, since nobody asks how many of them wait for a rise.
        std::hint::black_box(read);
    }

    /// Counts the time until now: a bar more, or the minutes since.
    fn pass<T: Trading>(&mut self, t: &T) {
        self.held = if T::MINUTES { minutes(self.since, t.now()) } else { self.held.saturating_add(1) };
    }

    /// Judges what is seen, acts, and says each outcome and action in order.
    #[inline]
    pub fn look<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        if let Some(outcome) = self.outcome(t, book) {
            company.say(MessageKind::Outcome(outcome));
        }
        self.pass(t);
        if self.open.is_some() {
            self.manage(t, book, company);
        } else if self.pending.is_some() {
            self.await_fill(t, book, company);
        } else {
            self.consider(t, book, company);
        }
    }

    /// A price between two closes: the stop and the targets of what is open are judged at it, and nothing else.
    pub fn look_between<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        company: &mut C,
    ) {
        let Some(open) = &self.open else { return };
        let values = t.values(book, Some(open));
        let view = t.view(&values, self.held, Some(open));
        if let Some(reason) = closing_between(&open.plan, &view) {
            return self.close(t, book, reason, company);
        }
        for _ in 0..STEPS_MAX {
            let Some(open) = &mut self.open else { return };
            let Some(step) = taken(&mut open.plan, &view) else { return };
            let units = step.size(open.units, open.first);
            self.resize(t, book, step.said(), units, company);
        }
    }

    /// The asset is gone: closes at its last price. What comes back under its name is another listing: no offer is made
    /// to take it up again.
    pub fn delist<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        self.close(t, book, Reason::Delisted, company);
        self.again = None;
    }

    /// The venue has taken over what was held on margin: what is left is closed.
    pub fn liquidate<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        self.pass(t);
        if let Some(closing) = &mut self.closing {
            closing.reason = Reason::Liquidated;
            (self.again, self.pause) = (None, 0);
        }
        self.close(t, book, Reason::Liquidated, company);
    }

    /// Closes what is open, and makes no offer to take it up again.
    pub fn dismiss<T: Trading>(&mut self, t: &T, book: &mut T::Book) {
        self.close(t, book, Reason::Exit, &mut |_| {});
        self.again = None;
    }

    /// What is open is added to no more.
    pub fn add_no_more(&mut self) {
        if let Some(open) = self.open.as_mut().filter(|o| o.plan.add.is_some()) {
            Arc::make_mut(&mut open.plan).add = None;
        }
    }

    /// How the last intent ended, once nothing is left of it.
    #[inline]
    pub fn outcome<T: Trading>(&mut self, t: &T, book: &mut T::Book) -> Option<Outcome> {
        if self.closing.is_none() || !t.is_settled(book) {
            return None;
        }
        let closing = *self.closing.take()?;
        self.trades += 1;
        let pnl = (t.equity(book) - closing.equity) / t.capital();
        Some(Outcome {
            intent: self.id(t),
            reason: closing.reason,
            r: pnl / closing.risk,
            pnl,
            // What trades in legs is held until its last fill; at bars the last fill is the next open.
            held: if T::MINUTES { minutes(closing.opened, t.now()) } else { closing.held },
            minutes: T::MINUTES,
            points: 0.0,
        })
    }

    fn id<T: Trading>(&self, t: &T) -> IntentId {
        let (agent, asset) = t.who();
        IntentId { agent, asset, number: self.number }
    }

    fn consider<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        if self.closing.is_some() {
            return;
        }
        let values = t.values(book, None);
        let view = t.view(&values, self.held, None);
        t.notice(book, &view);
        if self.again.as_ref().is_some_and(|a| a.offer.lapsed(self.held)) {
            self.again = None;
        }
        // It pauses between intents, for whatever reason the next one comes.
        if self.number > 0 && self.held < self.pause {
            return;
        }
        let again = self.again.as_ref().filter(|a| a.offer.holds(&view));
        let side = again.map(|a| a.offer.side);
        let reason = if again.is_some() { Reason::ReEntry } else { Reason::Signal };
        let Some(p) = t.propose(book, &view, side).filter(|p| side.is_none_or(|side| p.side == side)) else {
            if company.invites() {
                self.join(t, book, &view, company);
            }
            return;
        };
        let (plan, first) = match again {
            Some(again) => again.take_up(p.plan),
            None => (p.plan, None),
        };
        let limit = p.limit;
        let Some(mut open) = t.open(book, Proposal { plan, ..p }, &view, first) else { return };
        let sway = company.sway(LifeMoment::Entering(open.heading()));
        if !self.is_held_back(t.fraction(&open, open.first), sway.wait, company) {
            conform(t, &mut open, &sway, company);
            match limit {
                Some(limit) => self.rest(t, book, open, limit, company),
                None => self.enter(t, book, open, reason, company),
            }
        }
    }

    /// Rests the order of an intent at a level, and says so.
    fn rest<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        open: OpenIntent,
        EntryLimit { price: limit, within }: EntryLimit,
        company: &mut C,
    ) {
        t.rest(book, &open);
        let (after, plan) = (t.fraction(&open, open.first), Arc::clone(&open.plan));
        let intent = IntentId { number: self.number + 1, ..self.id(t) };
        company.say(MessageKind::Rest(PendingEntry { intent, after, limit, within, plan }));
        self.pending = Some(Box::new(PendingIntent { open, left: within }));
    }

    /// Looks whether the order that rests was filled: then what it opened is judged at this close as at any other. Who
    /// heard of it knows when it is, and when it is taken off.
    fn await_fill<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        let Some(mut pending) = self.pending.take() else { return };
        if let Some((first, price)) = t.filled(book, &pending.open) {
            let open = OpenIntent { first, units: first, ..pending.open };
            self.number += 1;
            (self.again, self.since, self.held) = (None, Some(t.now()), 0);
            self.intent = t.fraction(&open, first);
            let (verb, intent, reason) = (Verb::Open, self.id(t), Reason::Signal);
            let (before, after, delta) = (0.0, self.intent, open.delta * self.intent);
            let plan = Arc::clone(&open.plan);
            self.open = Some(open);
            company.say(MessageKind::Action(Action {
                verb,
                intent,
                reason,
                before,
                after,
                delta,
                price,
                plan,
            }));
            return self.manage(t, book, company);
        }
        pending.left = pending.left.saturating_sub(1);
        let values = t.values(book, Some(&pending.open));
        if pending.left == 0 || pending.open.plan.exit.holds(&t.view(&values, 0, Some(&pending.open))) {
            return t.withdraw(book);
        }
        self.pending = Some(pending);
    }

    /// Nothing of its own asks it to open; what it hears of others may, with its own plan and unit, where its own exit
    /// would not close that at once.
    fn join<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        view: &EvalContext<'_>,
        company: &mut C,
    ) {
        let Some(side) = company.sway(LifeMoment::Flat).enter.filter(|side| t.allows(*side)) else { return };
        let proposal = t.propose(book, view, Some(side)).filter(|p| p.side == side);
        let Some(proposal) = proposal.filter(|p| !closes_at_once(&p.plan, side, view)) else { return };
        let Some(mut open) = t.open(book, proposal, view, None) else { return };
        let sway = company.sway(LifeMoment::Entering(side));
        // What is cautious comes first.
        if sway.wait == HoldsBack::No {
            company.acted(SwayField::Entry, t.fraction(&open, open.first));
            conform(t, &mut open, &sway, company);
            self.enter(t, book, open, Reason::Heard, company);
        }
    }

    /// Whether it waits in place of coming to hold this; where it begins to, it says so.
    fn is_held_back<C: Company + ?Sized>(&self, without: f64, wait: HoldsBack, company: &mut C) -> bool {
        if let HoldsBack::Until(until) = wait {
            company.acted(SwayField::Entry, self.intent - without);
            company.say(MessageKind::Wait(Wait { until, without }));
        }
        wait != HoldsBack::No
    }

    /// What the others make of an intent that is open: first what makes it smaller, then its conditions; whether it is
    /// closed.
    fn heed<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        sway: &Sway,
        company: &mut C,
    ) -> bool {
        let taken =
            [(SwayField::Cut, sway.cut, Reason::Heard), (SwayField::Hedge, sway.hedge, Reason::Hedge)];
        for (field, fraction, reason) in taken {
            let Some(open) = self.open.as_ref().filter(|_| fraction > 0.0 && t.is_whole(book)) else {
                continue;
            };
            if fraction >= 1.0 {
                company.acted(field, -self.intent);
                self.close(t, book, reason, company);
                return true;
            }
            let units = open.units * (1.0 - fraction);
            if !t.is_tradable(open, units, units - open.units) {
                continue;
            }
            company.acted(field, t.fraction(open, units) - self.intent);
            self.resize(t, book, (Verb::Decrease, reason), units, company);
        }
        self.amend(t, sway, company);
        false
    }

    /// Holds an open intent to a nearer stop, or to other targets, and says so before they act.
    fn amend<T: Trading, C: Company + ?Sized>(&mut self, t: &T, sway: &Sway, company: &mut C) {
        let Some(open) = &mut self.open else { return };
        let before = Arc::clone(&open.plan);
        conform(t, open, &Sway { size: 1.0, ..*sway }, company);
        if Arc::ptr_eq(&before, &open.plan) {
            return;
        }
        let (price, plan, delta) = (t.price(open), Arc::clone(&open.plan), open.delta * self.intent);
        let (before, after, reason) = (self.intent, self.intent, Reason::Heard);
        let intent = self.id(t);
        let verb = Verb::Amend;
        company.say(MessageKind::Action(Action { verb, intent, reason, before, after, delta, price, plan }));
    }

    /// Opens an intent.
    pub(super) fn enter<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        open: OpenIntent,
        reason: Reason,
        company: &mut C,
    ) {
        self.number += 1;
        (self.again, self.since, self.held) = (None, Some(t.now()), 0);
        let first = open.first;
        self.open = Some(open);
        self.resize(t, book, (Verb::Open, reason), first, company);
    }

    fn manage<T: Trading, C: Company + ?Sized>(&mut self, t: &T, book: &mut T::Book, company: &mut C) {
        let Some(open) = &mut self.open else { return };
        match t.forced(book, open) {
            None => {}
            Some(Forced::Wait) => return,
            Some(Forced::Close(reason)) => return self.close(t, book, reason, company),
        }
        let values = t.values(book, Some(open));
        open.best = t.best(open, &values);
        let view = t.view(&values, self.held, Some(open));
        if let Some(reason) = closing_reason(&open.plan, &view) {
            return self.close(t, book, reason, company);
        }
        // What is on its way is waited for: to what was said meanwhile it comes then.
        let sway =
            if t.is_whole(book) { company.sway(LifeMoment::Holding(open.heading())) } else { Sway::NONE };
        if sway != Sway::NONE && self.heed(t, book, &sway, company) {
            return;
        }
        for _ in 0..STEPS_MAX {
            let Some(open) = self.open.as_mut().filter(|_| t.is_whole(book)) else { return };
            let Some(step) = due(&mut open.plan, &view) else { return t.rehedge(book) };
            if matches!(step, PlanStep::Add(..)) {
                let wait = company.sway(LifeMoment::Adding(open.heading())).wait;
                let without = t.fraction(open, step.size(open.units, open.first));
                if wait != HoldsBack::No {
                    self.is_held_back(without, wait, company);
                    return;
                }
            }
            match step {
                PlanStep::Add(when, fraction) => {
                    open.adds = open.adds.saturating_sub(1);
                    let next = (open.adds > 0).then(|| (t.next_add(when, open.side, &view), fraction));
                    if open.plan.add != next {
                        Arc::make_mut(&mut open.plan).add = next;
                    }
                }
                PlanStep::Hedge(hedge @ Hedge { how: HedgeKind::Opposite { instrument, ratio }, .. })
                    if !t.oppose(book, open, instrument, ratio) =>
                {
                    Arc::make_mut(&mut open.plan).hedge = Some(hedge);
                    return;
                }
                _ => {}
            }
            let units = step.size(open.units, open.first);
            self.resize(t, book, step.said(), units, company);
            // Where it takes time, the next look goes on.
            if T::MINUTES || matches!(step, PlanStep::Add(..)) {
                return;
            }
        }
    }

    /// Sets the units, orders the difference, and says it.
    fn resize<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        (verb, reason): (Verb, Reason),
        units: f64,
        company: &mut C,
    ) {
        let Some(open) = &mut self.open else { return };
        let more = units - open.units;
        open.units = units;
        let (before, after) = (self.intent, t.fraction(open, units));
        t.resize(book, open, Resize { verb, before, after, more });
        let (price, plan, delta) = (t.price(open), Arc::clone(&open.plan), open.delta * after);
        self.intent = after;
        let intent = self.id(t);
        company.say(MessageKind::Action(Action { verb, intent, reason, before, after, delta, price, plan }));
    }

    fn close<T: Trading, C: Company + ?Sized>(
        &mut self,
        t: &T,
        book: &mut T::Book,
        reason: Reason,
        company: &mut C,
    ) {
        if self.pending.take().is_some() {
            t.withdraw(book);
        }
        let Some(mut open) = self.open.take() else { return };
        let (opened, held) = (self.since, self.held);
        let closing = ClosingIntent { opened, held, risk: t.risk(&open), equity: open.equity, reason };
        (self.closing, self.since, self.held) = (Some(Box::new(closing)), Some(t.now()), 0);
        self.missed += u32::from(reason == Reason::Missed);
        self.pause = open.plan.reenter.as_ref().map_or(0, |r| r.not_before);
        // What could not be had, not be borne, or is no more, is not offered again.
        if open.plan.reenter.is_some()
            && matches!(reason, Reason::Missed | Reason::Liquidated | Reason::Delisted)
        {
            Arc::make_mut(&mut open.plan).reenter = None;
        }
        // Nothing was held long enough to rest from it.
        if matches!(reason, Reason::Missed | Reason::Liquidated) {
            self.pause = 0;
        }
        self.again =
            StandingOffer::after(&open.plan, libm::fabs(t.fraction(&open, open.first))).map(Arc::new);
        let before = std::mem::take(&mut self.intent);
        t.close(book);
        let (verb, price) = (Verb::Close, t.price(&open));
        company.say(MessageKind::Action(Action {
            verb,
            intent: self.id(t),
            reason,
            before,
            after: 0.0,
            delta: 0.0,
            price,
            plan: open.plan,
        }));
    }
}

/// Opens, or goes on, at the size and the distances that its company makes of its own.
fn conform<T: Trading, C: Company + ?Sized>(t: &T, open: &mut OpenIntent, sway: &Sway, company: &mut C) {
    if sway.size != 1.0 {
        let (mut plan, before) = (Arc::clone(&open.plan), open.first);
        let first = hold_size(&mut plan, (before, open.adds), sway.size);
        if first != before && t.is_tradable(open, first, first) {
            (open.plan, open.first) = (plan, first);
            company.acted(SwayField::Size, t.fraction(open, first) - t.fraction(open, before));
        }
    }
    if sway.stop < 1.0 && hold_stop(&mut open.plan, open.entry, sway.stop) {
        company.acted(SwayField::Stop, sway.stop - 1.0);
    }
    if sway.target != 1.0 {
        let from = (open.entry, t.toll(open));
        if hold_targets(&mut open.plan, from, sway.target) {
            company.acted(SwayField::Target, sway.target - 1.0);
        }
    }
}

/// Whole minutes from a moment to another; as many as there are where there was none.
fn minutes(from: Option<Stamp>, to: Stamp) -> u32 {
    from.map_or(u32::MAX, |f| (to.since(f).0 / Span::MINUTE.0).clamp(0, i64::from(u32::MAX)) as u32)
}
