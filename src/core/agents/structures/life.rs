//! An intent of a structured family, from its opening to its outcome: the life that speaks.
//!
//! # Invariants
//!
//! 1. The plan it holds is the plan of its last message (law 12).
//! 2. When a stamp is over, in this order: the venue liquidates (`margin`); a leg that was settled or missed;
//!    stop, trailing stop, exit, time stop, a target of all of it (each closes); the other targets, nearest
//!    first, hedge, add (one at a look, each once); the hedge that is kept as it goes, which is not said; while
//!    flat: re-entry, then the family's own proposal. What is left unfilled of an opening after [`TRIES`] market
//!    events of its instrument, or [`WAIT`], is taken off and what was filled is closed: no leg stands alone.
//! 3. The gain is that of mid prices since the message, funding included: whoever heard the message can
//!    compute it; what the book really gained is the outcome. A maker's, and that of a structure which is
//!    hedged as it goes, is that of its book, which it alone knows, over its first notional. Where what is
//!    held has no price that its family trusts, there is no gain, and no condition on one holds.
//! 4. A short pause between deciding and reaching the market is drawn for each order ([`LATENCY`]), and for
//!    taking off what rests: until then it may fill. While an order that takes is on its way, nothing else
//!    is decided.
//! 5. A hedge that is an opposite leg (`opposite`) makes the intent no smaller: it is a leg like the others from then on.

mod opposite;
mod quotes;

use super::context::StructureContext;
use super::filling::FillContext;
use super::legs::{LATENCY, LegOrder, Legs};
use super::margin;
use super::ranges::{Bounds, LiquidityChange};
use super::values::{KEYS, Values};
use crate::agents::families::Rules;
use crate::agents::plan::{PlanStep, StandingOffer, closing_reason, due, suits_legs};
use crate::agents::proposal::{LEGS_MAX, Proposal, StructureLeg};
use crate::domain::{
    Action, AgentId, AssetId, EvalContext, HedgeKind, Indicator, InstrumentId, InstrumentKind, IntentId,
    MarketEvent, MessageKind, Outcome, Plan, Reason, Span, Stamp, Verb, random,
};
use crate::market::DetailLevel;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Market events after which an opening order that is not whole counts as missed.
pub const TRIES: u8 = 3;
/// Time after which it counts as missed too, where the market is silent (bars come less often).
pub const WAIT: Span = Span(4 * Span::DAY.0);

/// An intent that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenStructure {
    side: f64,
    legs: Vec<StructureLeg>,
    /// By leg: between which prices, of those that are liquidity.
    bounds: Vec<Option<Bounds>>,
    /// Prices of the legs when it was said: in the account's currency, but of a leg that is paid for in
    /// coins in these coins, since what it gains is coins too.
    entry: Vec<f64>,
    /// Units of the structure that are held, unsigned.
    units: f64,
    /// Units with which it was opened.
    first: f64,
    /// Notional of the largest leg of a unit, at entry.
    notional: f64,
    plan: Arc<Plan>,
    since: Stamp,
    best: f64,
    adds: u32,
    /// Funding received a unit since it was opened, in the account's currency.
    carried: f64,
    /// Market value of the legs when it was opened, in the account's currency.
    market_value: f64,
}

/// An intent that was closed, its last fill not yet known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ClosingStructure {
    since: Stamp,
    risk: f64,
    market_value: f64,
    reason: Reason,
}

/// The life of one agent on one asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// What is held.
    pub legs: Legs,
    /// Makers' fills count touches.
    pub touch: bool,
    /// The intent as said: signed fraction of own capital.
    pub intent: f64,
    /// Intents closed so far.
    pub trades: u32,
    /// Openings of which a leg was missed.
    pub missed: u32,
    /// The best edge after costs that was seen on current prices while nothing was open, in basis points.
    pub edge: Option<f64>,
    open: Option<OpenStructure>,
    closing: Option<ClosingStructure>,
    number: u32,
    flat_since: Option<Stamp>,
    again: Option<StandingOffer>,
    looked: Option<Stamp>,
}

/// What a family is, once and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyTraits {
    /// It earns by resting orders.
    pub is_maker: bool,
    /// It hedges as it goes.
    pub is_hedged: bool,
    /// Time between two looks.
    pub pace: Span,
}

impl FamilyTraits {
    /// Traits that follow from the family of these rules.
    pub fn of(rules: &Rules) -> Self {
        FamilyTraits { is_maker: rules.is_maker(), is_hedged: rules.is_hedged(), pace: rules.pace() }
    }
}

/// Agent and asset whose life is stepped, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct AgentRef<'a> {
    /// The agent that lives.
    pub agent: AgentId,
    /// The asset it lives on.
    pub asset: AssetId,
    /// Its family and what that remembers.
    pub rules: &'a Rules,
    /// What that is.
    pub nature: FamilyTraits,
    /// Key of its draws.
    pub key: u64,
}

impl Life {
    /// Nothing has happened yet.
    pub fn new(touch: bool) -> Self {
        Life {
            legs: Legs::default(),
            touch,
            intent: 0.0,
            trades: 0,
            missed: 0,
            edge: None,
            open: None,
            closing: None,
            number: 0,
            flat_since: None,
            again: None,
            looked: None,
        }
    }

    /// Hears an event: orders fill. What the family remembers of it is not the life's.
    pub fn hear(&mut self, m: &FillContext<'_>, event: &MarketEvent) {
        self.legs.hear(m, event);
        if let (MarketEvent::Funding { instrument, rate, mark, .. }, Some(open)) = (event, &mut self.open) {
            let ratio = open.legs.iter().find(|l| l.instrument == *instrument).map_or(0.0, |l| l.ratio);
            open.carried -= open.side * ratio * mark * rate;
        }
    }

    /// Whether an event can do anything to it; else it need not hear of it.
    pub fn heeds(&self, event: &MarketEvent) -> bool {
        self.legs.heeds(event) || self.open.is_some() && matches!(event, MarketEvent::Funding { .. })
    }

    /// A stamp is over: judges and acts. `say` takes what is said, in order. What is held is its own,
    /// whatever `seen` says.
    pub fn judge(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        say: &mut dyn FnMut(MessageKind),
    ) {
        if self.liquidate(who, seen, say) {
            return;
        }
        if self.looked.is_some_and(|l| seen.now.since(l).0 < who.nature.pace.0) {
            return;
        }
        let legs = self.open.as_ref().map_or(&[][..], |o| &o.legs);
        if !is_aligned(legs, seen) {
            return;
        }
        self.looked = Some(seen.now);
        self.legs.expire(seen.now);
        if let Some(outcome) = self.outcome(who, seen) {
            say(MessageKind::Outcome(outcome));
        }
        if self.open.is_some() {
            self.manage(who, seen, say);
        } else {
            self.consider(who, seen, say);
        }
        self.quote(who, seen);
    }

    /// The venue takes over what is held on margin when the wallet bears it no more, at no one's pace; whether
    /// it did. What is paid in full is left, and closed.
    fn liquidate(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        say: &mut dyn FnMut(MessageKind),
    ) -> bool {
        let open = self.open.as_ref().map(|o| o.market_value);
        let Some(opened_at) = open.or(self.closing.map(|c| c.market_value)) else { return false };
        if !margin::is_due(&self.legs, seen, seen.capital - opened_at) {
            return false;
        }
        margin::take_over(&mut self.legs, seen);
        if let Some(closing) = &mut self.closing {
            closing.reason = Reason::Liquidated;
            self.again = None;
        }
        self.close(who, seen, Reason::Liquidated, say);
        true
    }

    /// The indicators as they are now.
    pub fn values(&self, rules: &Rules, nature: FamilyTraits, seen: &StructureContext<'_>) -> Values {
        let seen = &StructureContext { legs: &self.legs, ..*seen };
        let mut values = rules.look(seen);
        let known = self.open.as_ref().filter(|_| rules.rule().is_known(seen));
        let gain = known.and_then(|o| {
            if nature.is_maker || nature.is_hedged {
                // What is gained by fills on the way is its own to judge.
                let gain = self.legs.market_value(seen.listed, seen.board) - o.market_value;
                // Over what it began with: to quote less is neither gain nor loss.
                Some(gain / (o.first * o.notional) * 1e4)
            } else {
                gain(o, seen)
            }
        });
        values.set(Indicator::Gain, gain.unwrap_or(f64::NAN));
        values
    }

    fn minutes(&self, now: Stamp) -> u32 {
        let since = self.open.as_ref().map_or(self.flat_since, |o| Some(o.since));
        since.map_or(u32::MAX, |s| (now.since(s).0 / Span::MINUTE.0).clamp(0, i64::from(u32::MAX)) as u32)
    }

    fn consider(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>, say: &mut dyn FnMut(MessageKind)) {
        if self.closing.is_some() {
            return;
        }
        let values = self.values(who.rules, who.nature, seen);
        let edge = values.of(Indicator::Edge);
        if edge.is_finite() && self.edge.is_none_or(|best| edge > best) && is_current(who.rules, seen) {
            self.edge = Some(edge);
        }
        let held = self.minutes(seen.now);
        let view = view(&values, held, 0.0, 0.0);
        if let Some(again) = &self.again {
            if again.offer.lapsed(held) {
                self.again = None;
            } else if held < again.offer.not_before {
                // It pauses between intents, for whatever reason the next one comes.
                return;
            } else if again.offer.holds(&view) {
                // With the legs that the family would open now.
                let fresh = who.rules.propose(&StructureContext { legs: &self.legs, ..*seen }, &view);
                if let Some(p) = fresh.filter(|p| p.side == again.offer.side) {
                    let (plan, first) = again.take_up(p.plan);
                    self.enter(who, seen, Proposal { plan, ..p }, (Reason::ReEntry, first), say);
                }
                return;
            }
        }
        if let Some(p) = who.rules.propose(&StructureContext { legs: &self.legs, ..*seen }, &view) {
            self.enter(who, seen, p, (Reason::Signal, None), say);
        }
    }

    /// Opens what is proposed, if all of its legs can be ordered; without a first size (a fraction of own capital),
    /// that of the proposal.
    #[inline(never)]
    pub(super) fn enter(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        p: Proposal,
        (reason, first): (Reason, Option<f64>),
        say: &mut dyn FnMut(MessageKind),
    ) {
        if p.legs.is_empty() || p.legs.len() > LEGS_MAX || !seen.side.allows(p.side) {
            return;
        }
        if !(is_aligned(&p.legs, seen) && suits_legs(&p.plan)) {
            return;
        }
        let bounds: Vec<Option<Bounds>> =
            p.legs.iter().map(|l| who.rules.range(seen, l.instrument)).collect();
        let each =
            |(l, b): (&StructureLeg, &Option<Bounds>)| value(l.instrument, *b, seen).filter(|v| *v > 0.0);
        let entry: Option<Vec<f64>> = p.legs.iter().zip(&bounds).map(each).collect();
        let Some(entry) = entry else { return };
        let notional = p.legs.iter().zip(&entry).map(|(l, v)| libm::fabs(l.ratio * v)).fold(0.0, f64::max);
        let units = first.map_or_else(|| seen.units(p.size, notional), |f| f * seen.capital / notional);
        // A leg below a lot or the least notional would leave the others alone.
        let tradable = p
            .legs
            .iter()
            .zip(&entry)
            .zip(&bounds)
            .all(|((l, v), b)| seen.is_order(l.instrument, l.ratio * units, *v, b.is_none()));
        if !(tradable && units.is_finite() && units > 0.0) {
            return;
        }
        if !opposite::is_holdable(who, seen, &p, &bounds, units) {
            return;
        }
        let plan = Arc::new(p.plan);
        self.number += 1;
        self.again = None;
        self.open = Some(OpenStructure {
            side: p.side,
            entry: p
                .legs
                .iter()
                .zip(entry)
                .map(|(l, v)| v / in_coins(seen, l.instrument).unwrap_or(1.0))
                .collect(),
            legs: p.legs,
            bounds,
            units: 0.0,
            first: units,
            notional,
            plan: Arc::clone(&plan),
            since: seen.now,
            best: 0.0,
            adds: seen.preset.adds,
            carried: 0.0,
            market_value: self.legs.market_value(seen.listed, seen.board),
        });
        self.size(who, seen, (Verb::Open, reason), (units, plan), say);
    }

    fn manage(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>, say: &mut dyn FnMut(MessageKind)) {
        // What is on its way cannot be called back before it arrives: to act on it now would be free of risk.
        if self.legs.orders.iter().any(|o| o.limit.is_none() && seen.now < o.live) {
            return;
        }
        let settled = |l: &StructureLeg| seen.board.get(l.instrument).is_some_and(|q| q.settled.is_some());
        if self.open.as_ref().is_some_and(|o| o.legs.iter().any(settled)) {
            return self.close(who, seen, Reason::Settled, say);
        }
        if self.is_missed(seen.now) {
            self.missed += 1;
            return self.close(who, seen, Reason::Missed, say);
        }
        let (values, held, whole) =
            (self.values(who.rules, who.nature, seen), self.minutes(seen.now), self.legs.is_whole());
        let now = values.of(Indicator::Gain);
        let Some(open) = &mut self.open else { return };
        if now > open.best {
            open.best = now;
        }
        let view = view(&values, held, open.best, open.side);
        if let Some(reason) = closing_reason(&open.plan, &view) {
            return self.close(who, seen, reason, say);
        }
        // One thing at a time: what was ordered before must be whole.
        if !whole {
            return;
        }
        if let Some(step) = due(&mut open.plan, &view) {
            if matches!(step, PlanStep::Add(..)) {
                open.adds = open.adds.saturating_sub(1);
                if open.adds == 0 {
                    Arc::make_mut(&mut open.plan).add = None;
                }
            }
            if let PlanStep::Hedge(hedge) = step
                && let HedgeKind::Opposite { instrument, ratio } = hedge.how
            {
                return self.oppose(who, seen, (hedge, instrument, ratio), say);
            }
            let (plan, units) = (Arc::clone(&open.plan), step.size(open.units, open.first));
            return self.size(who, seen, step.said(), (units, plan), say);
        }
        if who.nature.is_hedged {
            self.rehedge(who, seen);
        }
    }

    /// Keeps the hedge where its family wants it, in whole lots.
    #[inline(never)]
    fn rehedge(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>) {
        let Some((id, target)) = who.rules.rule().hedge(&StructureContext { legs: &self.legs, ..*seen })
        else {
            return;
        };
        let more = target - self.legs.of(seen.listed.coin(id));
        let size = seen.listed.lots(id, libm::fabs(more));
        let least = crate::domain::money::to_estimate(seen.listed.get(id).min_notional);
        if seen.value(id).is_some_and(|v| size * v >= least) {
            self.legs.send(order(who, seen.now, LEGS_MAX, id, libm::copysign(size, more)));
        }
    }

    fn is_missed(&self, now: Stamp) -> bool {
        let late = |tries: u8, decided: Stamp| tries >= TRIES || now.since(decided).0 >= WAIT.0;
        self.legs.orders.iter().any(|o| o.limit.is_none() && late(o.tries, o.decided))
            || self.legs.ranges.asked.iter().any(|a| late(a.tries, a.decided))
    }

    #[inline(never)]
    fn close(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        reason: Reason,
        say: &mut dyn FnMut(MessageKind),
    ) {
        let Some(mut open) = self.open.take() else { return };
        let stop = match open.plan.stop.right {
            crate::domain::Term::Level(bp) => libm::fabs(bp),
            _ => 1.0,
        };
        let risk = (open.units * open.notional / seen.capital * stop / 1e4).max(1e-9);
        self.closing =
            Some(ClosingStructure { since: open.since, risk, market_value: open.market_value, reason });
        self.flat_since = Some(seen.now);
        // What could not be had, or not be borne, is not offered again.
        if matches!(reason, Reason::Missed | Reason::Liquidated) {
            Arc::make_mut(&mut open.plan).reenter = None;
        }
        self.again = StandingOffer::after(&open.plan, open.first * open.notional / seen.capital);
        let before = self.intent;
        self.intent = 0.0;
        self.legs.cancel(seen.now, arrival(who, seen.now, CANCEL), |_| true);
        self.legs.ranges.asked.clear();
        self.flatten(who, seen);
        let intent = IntentId { agent: who.agent, asset: who.asset, number: self.number };
        let price = price(&open, seen);
        say(MessageKind::Action(Action {
            verb: Verb::Close,
            intent,
            reason,
            before,
            after: 0.0,
            price,
            plan: open.plan,
        }));
    }

    /// Orders everything held away, at whatever it gets.
    #[inline(never)]
    fn flatten(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>) {
        let held = self.legs.held.clone();
        for (n, (id, quantity)) in held.into_iter().enumerate() {
            let (kind, costs) = (seen.listed.get(id).kind, seen.costs(id));
            let coins = kind.is_owned() && kind != InstrumentKind::Pool && costs.in_coins();
            // The fee of a purchase of coins is taken of them.
            let keeps = if coins && quantity < 0.0 { 1.0 - seen.rate(id, false) } else { 1.0 };
            self.legs.send(order(who, seen.now, n, id, -quantity / keeps));
        }
        let provided = self.legs.ranges.held.clone();
        for (n, r) in provided.into_iter().enumerate() {
            self.provide(who, seen.now, n, r.pool, r.bounds, -r.liquidity);
        }
    }

    fn provide(
        &mut self,
        who: AgentRef<'_>,
        now: Stamp,
        n: usize,
        pool: InstrumentId,
        bounds: Bounds,
        change: f64,
    ) {
        let LegOrder { decided, live, .. } = order(who, now, n, pool, change);
        self.legs.ranges.ask(LiquidityChange { pool, bounds, change, decided, live, tries: 0 });
    }

    /// How the last intent ended, once everything is closed.
    fn outcome(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>) -> Option<Outcome> {
        let closing = self.closing?;
        if !(self.legs.orders.is_empty() && self.legs.ranges.asked.is_empty()) {
            return None;
        }
        if !self.legs.is_flat(seen.listed, seen.board) {
            // What a maker got while it took its orders off.
            self.flatten(who, seen);
            return None;
        }
        self.closing = None;
        self.trades += 1;
        let pnl = (self.legs.market_value(seen.listed, seen.board) - closing.market_value) / seen.capital;
        Some(Outcome {
            intent: IntentId { agent: who.agent, asset: who.asset, number: self.number },
            reason: closing.reason,
            r: pnl / closing.risk,
            pnl,
            held: (seen.now.since(closing.since).0 / Span::MINUTE.0).max(0) as u32,
            minutes: true,
            points: 0.0,
        })
    }

    /// Sets the units, orders the difference on every leg, and says it.
    #[inline(never)]
    fn size(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        (verb, reason): (Verb, Reason),
        (units, plan): (f64, Arc<Plan>),
        say: &mut dyn FnMut(MessageKind),
    ) {
        let Some(open) = &mut self.open else { return };
        let more = units - open.units;
        open.units = units;
        let before = self.intent;
        self.intent = open.side * units * open.notional / seen.capital;
        let quoting = who.nature.is_maker;
        let each = |(l, b): (&StructureLeg, &Option<Bounds>)| (l.instrument, *b, open.side * l.ratio * more);
        let legs: Vec<(InstrumentId, Option<Bounds>, f64)> =
            open.legs.iter().zip(&open.bounds).map(each).collect();
        let price = price(open, seen);
        // A maker's size is what it quotes: it takes nothing.
        for (n, (id, bounds, quantity)) in legs.into_iter().enumerate().filter(|_| !quoting) {
            if let Some(bounds) = bounds {
                self.provide(who, seen.now, n, id, bounds, quantity);
                continue;
            }
            let whole = libm::copysign(seen.listed.lots(id, libm::fabs(quantity)), quantity);
            self.legs.send(order(who, seen.now, n, id, whole));
        }
        let intent = IntentId { agent: who.agent, asset: who.asset, number: self.number };
        say(MessageKind::Action(Action { verb, intent, reason, before, after: self.intent, price, plan }));
    }
}

/// Whether all legs that are known by bars have one that closes now: else one would be filled at the open
/// of its next bar hours before the other. A leg that has been silent for a day is not waited for.
fn is_aligned(legs: &[StructureLeg], seen: &StructureContext<'_>) -> bool {
    legs.iter().all(|l| {
        let quoted = seen.board.get(l.instrument);
        let bar = quoted.filter(|q| q.level == DetailLevel::Bars && q.settled.is_none()).and_then(|q| q.bar);
        bar.is_none_or(|b| b.at == seen.now || seen.now.since(b.at).0 > Span::DAY.0)
    })
}

/// Draws for cancels follow those for orders.
const CANCEL: usize = LEGS_MAX;

/// When what is decided now reaches the market.
fn arrival(who: AgentRef<'_>, now: Stamp, n: usize) -> Stamp {
    let u = random::uniform(random::key(who.key, &[now.0 as u64, n as u64]));
    Stamp(now.0 + (LATENCY.0 as f64 * (0.5 + u)) as i64)
}

fn order(who: AgentRef<'_>, now: Stamp, n: usize, instrument: InstrumentId, quantity: f64) -> LegOrder {
    let live = arrival(who, now, n);
    LegOrder { instrument, quantity, limit: None, decided: now, live, until: None, ahead: None, tries: 0 }
}

/// What the coins that a leg is paid for in are worth; none if it is paid for in the account's currency.
fn in_coins(seen: &StructureContext<'_>, id: InstrumentId) -> Option<f64> {
    seen.listed.pays(id).and_then(|_| seen.listed.scale(seen.board, id))
}

/// Whether what a family listens to was priced within this second, so that an edge is no difference between
/// then and now. Of a whole chain its family sees to that itself.
fn is_current(rules: &Rules, seen: &StructureContext<'_>) -> bool {
    let ears = rules.ears();
    ears.len() > LEGS_MAX || seen.is_fresh(&ears, Span::seconds(1))
}

fn view(values: &Values, held: u32, best: f64, side: f64) -> EvalContext<'_> {
    let (close, sigma, entry) = (f64::NAN, f64::NAN, f64::NAN);
    EvalContext { close, sigma, held, best, entry, side, keys: &KEYS, values: &values.0 }
}

/// Gain of an open structure at mid prices, in basis points of its notional.
fn gain(open: &OpenStructure, seen: &StructureContext<'_>) -> Option<f64> {
    let mut sum = open.carried;
    for ((leg, bounds), entry) in open.legs.iter().zip(&open.bounds).zip(&open.entry) {
        let entry = entry * in_coins(seen, leg.instrument).unwrap_or(1.0);
        sum += open.side * leg.ratio * (value(leg.instrument, *bounds, seen)? - entry);
    }
    Some(sum / open.notional * 1e4)
}

/// Worth of one unit of a leg, in the account's currency.
fn value(leg: InstrumentId, bounds: Option<Bounds>, seen: &StructureContext<'_>) -> Option<f64> {
    let price = match bounds {
        Some(b) => b.market_value(seen.value(leg)?),
        None => seen.listed.value(seen.board, leg)?,
    };
    price.is_finite().then_some(price)
}

/// Price of the first leg, or of its entry where it has none.
fn price(open: &OpenStructure, seen: &StructureContext<'_>) -> f64 {
    let now = open.legs.first().and_then(|l| seen.listed.value(seen.board, l.instrument));
    now.or(open.entry.first().copied()).unwrap_or(f64::NAN)
}
