//! How an intent in legs is traded: on the events of their instruments, judged when a stamp is over. What is held, what is
//! on its way and when it looked is [`StructureLife`].
//!
//! # Invariants
//!
//! 1. When a stamp is over, in this order: the venue liquidates (`margin`); then the [life](crate::agents::life) looks,
//!    for which a leg that was settled or missed comes before its conditions; then a maker's quotes. What is left
//!    unfilled of an opening after [`TRIES`] market events of its instrument, or [`WAIT`], is taken off and what was
//!    filled is closed: no leg stands alone.
//! 2. The gain is that of mid prices since the message, funding included: whoever heard the message can
//!    compute it; what the book really gained is the outcome. A maker's, and that of a structure which is
//!    hedged as it goes, is that of its book, which it alone knows, over its first notional. Where what is
//!    held has no price that its family trusts, there is no gain, and no condition on one holds.
//! 3. A short pause between deciding and reaching the market is drawn for each order ([`LATENCY`]), and for
//!    taking off what rests: until then it may fill. While an order that takes is on its way, nothing else
//!    is decided.

mod leading;
mod opposite;
mod quotes;

use super::context::StructureContext;
use super::filling::FillContext;
use super::legs::{LATENCY, LegOrder, Legs};
use super::listed::ListedInstruments;
use super::margin;
pub use super::margin::maintenance;
use super::ranges::{Bounds, LiquidityChange};
use super::values::Values;
use crate::agents::company::Company;
use crate::agents::families::Rules;
use crate::agents::life::{Forced, Life, OpenIntent, OpenLeg, Resize, Trading};
use crate::agents::plan::suits_legs;
use crate::agents::proposal::{LEGS_MAX, Proposal, StructureLeg};
use crate::domain::{
    AgentId, AssetId, Condition, EvalContext, Indicator, InstrumentId, InstrumentKind, MarketEvent, Plan,
    Reason, Span, Stamp, Term, money, random,
};
use crate::market::DetailLevel;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Market events after which an opening order that is not whole counts as missed.
pub const TRIES: u8 = 3;
/// Time after which it counts as missed too, where the market is silent (bars come less often).
pub const WAIT: Span = Span(4 * Span::DAY.0);

/// The life of one agent in legs on one asset, and its book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StructureLife {
    /// What it intends.
    pub life: Life,
    /// What is held.
    pub legs: Legs,
    /// Makers' fills count touches.
    pub touch: bool,
    looked: Option<Stamp>,
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
    /// Key of its draws.
    pub key: u64,
}

impl StructureLife {
    /// Nothing has happened yet.
    pub fn new(touch: bool) -> Self {
        StructureLife { touch, ..StructureLife::default() }
    }

    /// Hears an event: orders fill. What the family remembers of it is not the life's.
    pub fn hear(&mut self, m: &FillContext<'_>, event: &MarketEvent) {
        self.legs.hear(m, event);
        if let MarketEvent::Funding { instrument, rate, mark, .. } = *event {
            self.life.fund(instrument, mark * rate);
        }
    }

    /// Whether an event can do anything to it; else it need not hear of it.
    pub fn heeds(&self, event: &MarketEvent) -> bool {
        let is_paid = matches!(event, MarketEvent::Funding { .. });
        self.legs.heeds(event) || is_paid && self.life.open().is_some()
    }

    /// When it last looked.
    pub fn looked(&self) -> Option<Stamp> {
        self.looked
    }

    /// A stamp is over: judges and acts, and says so in order. What is held is its own, whatever `seen` says.
    pub fn judge<C: Company + ?Sized>(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        company: &mut C,
    ) {
        let trading = InLegs { who, seen };
        let StructureLife { life, legs, .. } = self;
        // The venue takes over what is held on margin when the wallet bears it no more, at no one's pace. What is paid
        // in full is left, and closed.
        let staked = life.staked_at();
        if staked.is_some_and(|at| margin::is_due(legs, seen, seen.capital - at)) {
            margin::take_over(legs, seen);
            return life.liquidate(&trading, legs, company);
        }
        self.look(who, seen, company);
    }

    /// The same where the venue says itself what it takes over: of a life with money.
    pub fn look<C: Company + ?Sized>(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        company: &mut C,
    ) {
        let trading = InLegs { who, seen };
        let StructureLife { life, legs, looked, .. } = self;
        // What is half open waits for nobody's pace.
        match life.open() {
            Some(open) => trading.follow(legs, open),
            None => legs.leading = None,
        }
        if looked.is_some_and(|l| seen.now.since(l).0 < who.rules.pace().0) {
            return;
        }
        if !is_aligned(life.open().into_iter().flat_map(|o| &o.legs).map(|l| &l.leg), seen) {
            return;
        }
        *looked = Some(seen.now);
        legs.expire(seen.now);
        life.look(&trading, legs, company);
        if who.rules.is_maker()
            && let Some(open) = life.open()
        {
            trading.quote(legs, open);
        }
    }

    /// An instrument has stopped trading: what is held of it goes at its last price, and the rest of an intent that it is a leg
    /// of is closed, with no offer to take it up again.
    pub fn delist<C: Company + ?Sized>(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        m: &FillContext<'_>,
        gone: InstrumentId,
        company: &mut C,
    ) {
        let StructureLife { life, legs, .. } = self;
        legs.delist(m, gone);
        if life.open().is_some_and(|o| o.legs.iter().any(|l| l.leg.instrument == gone)) {
            life.delist(&InLegs { who, seen }, legs, company);
            legs.orders.retain(|o| o.instrument != gone);
        }
    }

    /// Closes whatever is open, and offers nothing after it: what is held of it goes at whatever it gets.
    pub fn dismiss(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>) {
        let trading = InLegs { who, seen };
        let StructureLife { life, legs, .. } = self;
        legs.expire(seen.now);
        life.dismiss(&trading, legs);
        // Whether the last of it is gone, and if not, that it goes.
        life.outcome(&trading, legs);
    }

    /// Whether nothing is intended, on its way or held.
    pub fn is_idle(&self) -> bool {
        let Legs { held, orders, ranges, .. } = &self.legs;
        self.life.staked_at().is_none() && held.is_empty() && orders.is_empty() && ranges.is_idle()
    }
}

/// The end of a stamp as one agent sees it on one asset; its book is [`Legs`].
#[derive(Clone, Copy, Debug)]
pub struct InLegs<'a> {
    pub(super) who: AgentRef<'a>,
    pub(super) seen: &'a StructureContext<'a>,
}

impl<'a> InLegs<'a> {
    /// What its family sees, with what is held.
    fn with<'b>(&self, legs: &'b Legs) -> StructureContext<'b>
    where
        'a: 'b,
    {
        StructureContext { legs, ..*self.seen }
    }

    /// When what is decided now reaches the market.
    fn arrival(&self, n: usize) -> Stamp {
        let now = self.seen.now;
        let u = random::uniform(random::key(self.who.key, &[now.0 as u64, n as u64]));
        Stamp(now.0 + (LATENCY.0 as f64 * (0.5 + u)) as i64)
    }

    fn order(&self, n: usize, instrument: InstrumentId, quantity: f64) -> LegOrder {
        let (decided, live) = (self.seen.now, self.arrival(n));
        LegOrder {
            instrument,
            quantity,
            limit: None,
            decided,
            live,
            until: None,
            ahead: None,
            tries: 0,
            number: None,
        }
    }

    fn provide(&self, legs: &mut Legs, n: usize, pool: InstrumentId, bounds: Bounds, change: f64) {
        let (decided, live) = (self.seen.now, self.arrival(n));
        legs.ranges.ask(LiquidityChange { pool, bounds, change, decided, live, tries: 0, number: None });
    }

    /// Orders everything held away, at whatever it gets.
    #[inline(never)]
    fn flatten(&self, legs: &mut Legs) {
        let seen = self.seen;
        for (n, (id, quantity)) in legs.held.clone().into_iter().enumerate() {
            let (kind, costs) = (seen.listed.get(id).kind, seen.costs(id));
            let coins = kind.is_owned() && kind != InstrumentKind::Pool && costs.in_coins();
            // The fee of a purchase of coins is taken of them.
            let keeps = if coins && quantity < 0.0 { 1.0 - seen.rate(id, false) } else { 1.0 };
            legs.send(self.order(n, id, -quantity / keeps));
        }
        for (n, r) in legs.ranges.held.clone().into_iter().enumerate() {
            self.provide(legs, n, r.pool, r.bounds, -r.liquidity);
        }
    }

    /// What the coins that a leg is paid for in are worth; none if it is paid for in the account's currency.
    fn in_coins(&self, id: InstrumentId) -> Option<f64> {
        self.seen.listed.pays(id).and_then(|_| self.seen.listed.scale(self.seen.board, id))
    }

    /// Worth of one unit of a leg, in the account's currency.
    fn value(&self, leg: InstrumentId, bounds: Option<Bounds>) -> Option<f64> {
        let price = match bounds {
            Some(b) => b.market_value(self.seen.value(leg)?),
            None => self.seen.listed.value(self.seen.board, leg)?,
        };
        price.is_finite().then_some(price)
    }

    /// Gain of an open structure at mid prices, in basis points of its notional.
    fn gain(&self, open: &OpenIntent) -> Option<f64> {
        let mut sum = open.carried;
        for OpenLeg { leg, bounds, entry } in &open.legs {
            let entry = entry * self.in_coins(leg.instrument).unwrap_or(1.0);
            sum += open.side * leg.ratio * (self.value(leg.instrument, *bounds)? - entry);
        }
        Some(sum / open.notional * 1e4)
    }
}

impl Trading for InLegs<'_> {
    type Book = Legs;
    type Values = Values;
    const MINUTES: bool = true;

    fn who(&self) -> (AgentId, AssetId) {
        (self.who.agent, self.who.asset)
    }

    fn now(&self) -> Stamp {
        self.seen.now
    }

    fn capital(&self) -> f64 {
        self.seen.capital
    }

    fn values(&self, legs: &Legs, open: Option<&OpenIntent>) -> Values {
        let seen = &self.with(legs);
        let mut values = self.who.rules.look(seen);
        let known = open.filter(|_| self.who.rules.is_known(seen));
        let gain = known.and_then(|o| {
            if self.who.rules.is_maker() || self.who.rules.is_hedged() {
                // What is gained by fills on the way is its own to judge, over what it began with: to quote less is
                // neither gain nor loss.
                Some((self.equity(legs) - o.equity) / (o.first * o.notional) * 1e4)
            } else {
                self.gain(o)
            }
        });
        values.set(Indicator::Gain, gain.unwrap_or(f64::NAN));
        values
    }

    fn view<'v>(&'v self, values: &'v Values, held: u32, open: Option<&OpenIntent>) -> EvalContext<'v> {
        let (side, best) = open.map_or((0.0, 0.0), |o| (o.side, o.best));
        let (close, sigma) = self.who.rules.bar();
        // What it gains is relative to its entry already.
        let (entry, keys) = (f64::NAN, self.who.rules.keys());
        EvalContext { close, sigma, held, best, entry, side, keys, values: &values.0 }
    }

    fn best(&self, open: &OpenIntent, values: &Values) -> f64 {
        open.best.max(values.of(Indicator::Gain))
    }

    fn propose(&self, legs: &Legs, view: &EvalContext<'_>, again: Option<f64>) -> Option<Proposal> {
        self.who.rules.propose(&self.with(legs), view, again)
    }

    #[inline(never)]
    fn open(
        &self,
        book: &Legs,
        p: Proposal,
        _view: &EvalContext<'_>,
        first: Option<f64>,
    ) -> Option<OpenIntent> {
        let seen = self.seen;
        let is_whole = (1..=LEGS_MAX).contains(&p.legs.len()) && seen.may_open && seen.side.allows(p.side);
        if !(is_whole && is_aligned(p.legs.iter(), seen) && suits_legs(&p.plan)) {
            return None;
        }
        // Priced in the account's currency until its size is known.
        let each = |leg: &StructureLeg| {
            let bounds = self.who.rules.range(seen, leg.instrument);
            let entry = self.value(leg.instrument, bounds).filter(|v| *v > 0.0)?;
            Some(OpenLeg { leg: *leg, bounds, entry })
        };
        let mut legs = p.legs.iter().map(each).collect::<Option<Vec<OpenLeg>>>()?;
        let notional = legs.iter().map(|l| libm::fabs(l.leg.ratio * l.entry)).fold(0.0, f64::max);
        let own = seen.units(p.size, notional);
        let first = first.map_or(own, |f| f * seen.capital / notional);
        let first = if self.who.rules.is_maker() { first } else { in_lots(seen.listed, &legs, first) };
        // A leg below a lot or the least notional would leave the others alone.
        let is_tradable = legs.iter().all(|OpenLeg { leg, bounds, entry }| {
            seen.is_order(leg.instrument, leg.ratio * first, *entry, bounds.is_none())
        });
        if !(is_tradable && first.is_finite() && first > 0.0 && self.can_oppose(&p, &legs, first)) {
            return None;
        }
        legs.iter_mut().for_each(|l| l.entry /= self.in_coins(l.leg.instrument).unwrap_or(1.0));
        Some(OpenIntent {
            side: p.side,
            units: 0.0,
            first,
            own,
            entry: legs[0].entry,
            delta: p.delta,
            best: 0.0,
            adds: seen.preset.adds,
            equity: self.equity(book),
            legs,
            notional,
            carried: 0.0,
            plan: Arc::new(Plan { legs: p.legs, ..p.plan }),
        })
    }

    fn fraction(&self, open: &OpenIntent, units: f64) -> f64 {
        open.side * units * open.notional / self.seen.capital
    }

    /// That of the first leg, or of its entry where it has none.
    fn price(&self, open: &OpenIntent) -> f64 {
        let now = open.legs.first().and_then(|l| self.seen.listed.value(self.seen.board, l.leg.instrument));
        now.unwrap_or(open.entry)
    }

    fn risk(&self, open: &OpenIntent) -> f64 {
        let stop = match open.plan.stop.right {
            Term::Level(bp) => libm::fabs(bp),
            _ => 1.0,
        };
        (open.units * open.notional / self.seen.capital * stop / 1e4).max(1e-9)
    }

    fn equity(&self, legs: &Legs) -> f64 {
        legs.market_value(self.seen.listed, self.seen.board)
    }

    /// Of who is judged by bars, as far beyond this gain as σ says that one of them may go.
    fn next_add(&self, when: Condition, _side: f64, view: &EvalContext<'_>) -> Condition {
        if view.sigma.is_nan() {
            return when;
        }
        Condition { right: Term::Level(view.of(Indicator::Gain) + 4e4 * view.sigma), ..when }
    }

    #[inline(never)]
    fn resize(&self, legs: &mut Legs, open: &OpenIntent, change: Resize) {
        // A maker's size is what it quotes: it takes nothing.
        if self.who.rules.is_maker() {
            return;
        }
        let whole = |units| in_lots(self.seen.listed, &open.legs, units);
        let more = whole(open.units) - whole(open.units - change.more);
        if more > 0.0 && self.lead(legs, open, more) {
            return;
        }
        for (n, OpenLeg { leg, bounds, .. }) in open.legs.iter().enumerate() {
            let quantity = open.side * leg.ratio * more;
            if let Some(bounds) = *bounds {
                self.provide(legs, n, leg.instrument, bounds, quantity);
                continue;
            }
            let size = self.seen.listed.lots(leg.instrument, libm::fabs(quantity));
            legs.send(self.order(n, leg.instrument, libm::copysign(size, quantity)));
        }
    }

    #[inline(never)]
    fn close(&self, legs: &mut Legs) {
        legs.cancel(self.seen.now, self.arrival(CANCEL), |_| true);
        legs.ranges.asked.clear();
        legs.leading = None;
        self.flatten(legs);
    }

    fn is_settled(&self, legs: &mut Legs) -> bool {
        if !(legs.orders.is_empty() && legs.ranges.asked.is_empty()) {
            return false;
        }
        let is_flat = legs.is_flat(self.seen.listed, self.seen.board);
        if !is_flat {
            // What a maker got while it took its orders off.
            self.flatten(legs);
        }
        is_flat
    }

    fn forced(&self, legs: &Legs, open: &OpenIntent) -> Option<Forced> {
        let now = self.seen.now;
        // What is on its way cannot be called back before it arrives: to act on it now would be free of risk.
        if legs.orders.iter().any(|o| o.limit.is_none() && now < o.live) {
            return Some(Forced::Wait);
        }
        let settled =
            |l: &OpenLeg| self.seen.board.get(l.leg.instrument).is_some_and(|q| q.settled.is_some());
        if open.legs.iter().any(settled) {
            return Some(Forced::Close(Reason::Settled));
        }
        let late = |tries: u8, decided: Stamp| tries >= TRIES || now.since(decided).0 >= WAIT.0;
        let counts = |o: &LegOrder| o.limit.is_none() || legs.leading.is_some();
        let is_missed = legs.orders.iter().any(|o| counts(o) && late(o.tries, o.decided))
            || legs.ranges.asked.iter().any(|a| late(a.tries, a.decided));
        is_missed.then_some(Forced::Close(Reason::Missed))
    }

    fn is_whole(&self, legs: &Legs) -> bool {
        legs.is_whole()
    }

    /// No leg is left below what its market takes: the others would stand alone. A maker's units are what it quotes.
    fn is_tradable(&self, open: &OpenIntent, units: f64, more: f64) -> bool {
        let is_order = |l: &OpenLeg, units: f64| {
            let worth = self.value(l.leg.instrument, l.bounds).unwrap_or(f64::NAN);
            self.seen.is_order(l.leg.instrument, l.leg.ratio * units, worth, l.bounds.is_none())
        };
        let is_quoted = self.who.rules.is_maker();
        open.legs.iter().all(|l| is_order(l, units) && (is_quoted || is_order(l, more)))
            && (more < 0.0 || self.could_oppose(open, units))
    }

    /// Fees and half-spreads of all legs, there and back; of a book's own gain the way back alone, of a maker's nothing.
    fn toll(&self, open: &OpenIntent) -> f64 {
        let ways = match () {
            () if self.who.rules.is_maker() => return 0.0,
            () if self.who.rules.is_hedged() => 1.0,
            () => 2.0,
        };
        let each = |l: &OpenLeg| {
            let worth = self.value(l.leg.instrument, l.bounds).unwrap_or(f64::NAN);
            libm::fabs(l.leg.ratio * worth) * self.seen.cost(l.leg.instrument)
        };
        ways * open.legs.iter().map(each).sum::<f64>() / open.notional * 1e4
    }

    fn oppose(&self, legs: &mut Legs, open: &mut OpenIntent, instrument: InstrumentId, ratio: f64) -> bool {
        self.against_first(legs, open, instrument, ratio)
    }

    /// The best edge that was seen on current prices.
    fn notice(&self, legs: &mut Legs, view: &EvalContext<'_>) {
        let edge = view.of(Indicator::Edge);
        if edge.is_finite()
            && legs.best_edge.is_none_or(|best| edge > best)
            && is_current(self.who.rules, self.seen)
        {
            legs.best_edge = Some(edge);
        }
    }

    /// In whole lots, while the structure is hedged as it goes.
    #[inline(never)]
    fn rehedge(&self, legs: &mut Legs) {
        let seen = self.seen;
        let wanted = self.who.rules.is_hedged().then(|| self.who.rules.hedge(&self.with(legs)));
        let Some((id, target)) = wanted.flatten() else { return };
        let more = target - legs.of(seen.listed.coin(id));
        let size = seen.listed.lots(id, libm::fabs(more));
        let least = money::to_estimate(seen.listed.get(id).min_notional);
        if seen.value(id).is_some_and(|v| size * v >= least) {
            legs.send(self.order(LEGS_MAX, id, libm::copysign(size, more)));
        }
    }
}

/// Draws for cancels follow those for orders.
const CANCEL: usize = LEGS_MAX;

/// Units of an intent in lots that all of its legs can be held in; what is put into pools has none.
pub fn in_lots(listed: &ListedInstruments, legs: &[OpenLeg], units: f64) -> f64 {
    listed.units(legs.iter().filter(|l| l.bounds.is_none()).map(|l| l.leg), units)
}

/// Whether all legs that are known by bars have one that closes now: else one would be filled at the open
/// of its next bar hours before the other. A leg that has been silent for a day is not waited for.
fn is_aligned<'l>(mut legs: impl Iterator<Item = &'l StructureLeg>, seen: &StructureContext<'_>) -> bool {
    legs.all(|l| {
        let quoted = seen.board.get(l.instrument);
        let bar = quoted.filter(|q| q.level == DetailLevel::Bars && q.settled.is_none()).and_then(|q| q.bar);
        bar.is_none_or(|b| b.at == seen.now || seen.now.since(b.at).0 > Span::DAY.0)
    })
}

/// Whether what a family listens to was priced within this second, so that an edge is no difference between
/// then and now. Of a whole chain its family sees to that itself.
fn is_current(rules: &Rules, seen: &StructureContext<'_>) -> bool {
    let ears = rules.ears();
    ears.len() > LEGS_MAX || seen.is_fresh(&ears, Span::seconds(1))
}
