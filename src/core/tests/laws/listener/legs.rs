//! How a listener sees the end of a stamp, for an agent whose positions are legs: what is quoted, and what its family
//! makes of that. The gain of a structure is its own sum over the mid prices of the legs and the funding told.

use super::{Count, Followed, HeardLeg, Look, Offer, Unknown, Voice};
use hive_core::agents::families::Rules;
use hive_core::agents::life::Forced;
use hive_core::agents::proposal::{Proposal, StructureLeg};
use hive_core::agents::structures::legs::{LATENCY, Legs};
use hive_core::agents::structures::listed::ListedInstruments;
use hive_core::agents::structures::ranges::{Bounds, LiquidityChange};
use hive_core::agents::structures::{StructureContext, Values};
use hive_core::fills::{self, Tariff, level};
use hive_domain::{
    Action, AssetId, Condition, ContractTerms, EvalContext, Indicator, InstrumentId, InstrumentKind,
    MarketEvent, MessageKind, Plan, Reason, Span, Stamp, Term, money,
};
use hive_market::Market;
use hive_market::quotes::DetailLevel;

/// What is known at the end of a stamp; nothing of what is held.
pub struct Ear<'a> {
    pub rules: &'a Rules,
    pub asset: AssetId,
    pub seen: StructureContext<'a>,
    /// What the owner decided by itself, where it is not its family that proposes.
    pub told: Option<Proposal>,
}

impl Ear<'_> {
    fn with<'b>(&'b self, legs: &'b Legs) -> StructureContext<'b> {
        StructureContext { legs, ..self.seen }
    }

    /// Legs that are known by bars are judged when all of them close.
    fn is_aligned<'l>(&self, mut legs: impl Iterator<Item = &'l StructureLeg>) -> bool {
        legs.all(|l| {
            let Some(q) = self.seen.board.get(l.instrument) else { return true };
            let bars = q.level == DetailLevel::Bars && q.settled.is_none();
            let now = self.seen.now;
            q.bar.filter(|_| bars).is_none_or(|b| b.at == now || now.since(b.at) > Span::DAY)
        })
    }

    fn is_settled(&self, instrument: InstrumentId) -> bool {
        self.seen.board.get(instrument).is_some_and(|q| q.settled.is_some())
    }

    /// What the coins are worth that a leg is priced in; 1 for the account's currency.
    fn coins(&self, instrument: InstrumentId) -> f64 {
        let StructureContext { listed, board, .. } = self.seen;
        listed.pays(instrument).and_then(|_| listed.scale(board, instrument)).unwrap_or(1.0)
    }

    fn value(&self, instrument: InstrumentId, bounds: Option<Bounds>) -> Option<f64> {
        let price = self.seen.listed.value(self.seen.board, instrument)?;
        Some(bounds.map_or(price, |b| b.market_value(price))).filter(|v| v.is_finite())
    }

    /// Whether it is of its owner's fills what it gains.
    fn is_own_gain(&self) -> bool {
        self.rules.is_maker() || self.rules.is_hedged()
    }

    /// Gain at mid prices since the message, funding included, in basis points of the first notional.
    fn gain(&self, open: &Followed) -> f64 {
        let mut sum = open.carried;
        for HeardLeg { leg, bounds, entry, .. } in &open.legs {
            let Some(value) = self.value(leg.instrument, *bounds) else { return f64::NAN };
            sum += open.side * leg.ratio * (value - entry * self.coins(leg.instrument));
        }
        sum / open.notional * 1e4
    }

    /// A leg at its price of now, if one such can be ordered of so many units.
    fn leg(&self, leg: StructureLeg, bounds: Option<Bounds>, units: f64) -> Option<HeardLeg> {
        let worth = self.value(leg.instrument, bounds).filter(|v| *v > 0.0)?;
        let is_order = self.seen.is_order(leg.instrument, leg.ratio * units, worth, bounds.is_none());
        is_order.then(|| {
            let entry = worth / self.coins(leg.instrument);
            HeardLeg { leg, bounds, entry, decided: self.seen.now, left: 0.0, ordered: 0.0 }
        })
    }

    /// Of so many units those that all legs can be held in: whole lots of each, and so of the one with the fewest of them.
    fn in_lots(&self, legs: impl Iterator<Item = (InstrumentId, f64, bool)>, units: f64) -> f64 {
        let lot = |id| money::to_estimate(self.seen.listed.get(id).lot);
        let step =
            legs.filter(|l| !l.2).map(|l| lot(l.0) / l.1.abs()).filter(|s| s.is_finite()).fold(0.0, f64::max);
        if step == 0.0 || self.rules.is_maker() {
            units
        } else {
            (units / step * (1.0 + 1e-12)).floor() * step
        }
    }

    /// Orders of a leg what so many more, in lots, come to; a maker takes nothing.
    fn send(&self, leg: &mut HeardLeg, side: f64, more: f64) {
        let size = (leg.leg.ratio * more).abs();
        let whole = if leg.bounds.is_some() { size } else { self.seen.listed.lots(leg.leg.instrument, size) };
        let signed = side * (leg.leg.ratio * more).signum() * whole;
        let signed = if self.rules.is_maker() { 0.0 } else { signed };
        (leg.decided, leg.left, leg.ordered) = (self.seen.now, signed, leg.ordered + signed);
    }

    /// What a proposal becomes, if all of its legs can be ordered.
    fn enter(&self, p: &Proposal, offer: Option<&Offer>) -> Option<Followed> {
        let (nothing, seen) = (Legs::default(), self.seen);
        let seen_flat = self.with(&nothing);
        if !seen.side.allows(p.side) || !self.is_aligned(p.legs.iter()) {
            return None;
        }
        let bounds: Vec<_> = p.legs.iter().map(|l| self.rules.range(&seen_flat, l.instrument)).collect();
        let values = p.legs.iter().zip(&bounds).map(|(l, b)| self.value(l.instrument, *b));
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        let notional = p.legs.iter().zip(&values).map(|(l, v)| (l.ratio * v).abs()).fold(0.0, f64::max);
        let first = match offer.and_then(Offer::size) {
            Some(size) => size * seen.capital / notional,
            None => seen.units(p.size, notional),
        };
        let all = p.legs.iter().zip(&bounds).map(|(l, b)| (l.instrument, l.ratio, b.is_some()));
        let first = self.in_lots(all, first);
        let legs = p.legs.iter().zip(bounds).map(|(l, b)| self.leg(*l, b, first));
        let mut open = Followed {
            plan: Plan {
                legs: p.legs.clone(),
                ..offer.map_or(p.plan.clone(), |offer| offer.plan(p.plan.clone()))
            },
            side: p.side,
            units: first,
            first,
            entry: f64::NAN,
            delta: p.delta,
            best: [0.0; 2],
            adds: seen.preset.adds,
            legs: legs.collect::<Option<_>>()?,
            notional,
            capital: seen.capital,
            carried: 0.0,
        };
        open.legs.iter_mut().for_each(|l| self.send(l, p.side, first));
        (first > 0.0 && first.is_finite()).then_some(open)
    }
}

impl Voice {
    /// An event may fill what is on its way, and funding is paid.
    pub fn hear(
        &mut self,
        (listed, board, costs): (&ListedInstruments, &Market, &Tariff),
        event: &MarketEvent,
    ) {
        let Some(open) = &mut self.open else { return };
        if let MarketEvent::Funding { instrument, rate, mark, .. } = *event {
            let leg = open.legs.iter().find(|l| l.leg.instrument == instrument);
            open.carried -= open.side * leg.map_or(0.0, |l| l.leg.ratio) * (mark * rate);
        }
        // What rests is filled when it is; once its time is over the rest of it is taken.
        let rests = open.plan.maker.map_or(Span(0), |maker| maker.within);
        let of_event = |l: &&mut HeardLeg| event.instrument() == Some(l.leg.instrument) && l.left != 0.0;
        for leg in open.legs.iter_mut().filter(of_event) {
            let id = leg.leg.instrument;
            let Some(quoted) = board.get(id) else { continue };
            let got = match *event {
                MarketEvent::Pool { .. } if leg.bounds.is_some() => leg.left,
                MarketEvent::Bar { bar, .. }
                    if quoted.level == DetailLevel::Bars && quoted.bar_before >= Some(leg.decided) =>
                {
                    let i = listed.get(id);
                    fills::take(costs.of(i), i.kind, bar.open, f64::NAN, bar.volume, leg.left).quantity
                }
                MarketEvent::Quote { .. }
                | MarketEvent::Pool { .. }
                | MarketEvent::Level { last: true, .. } => {
                    let tick = |price| listed.tick(id, price);
                    level::hit(board, listed.get(id), tick, leg.left).map_or(0.0, |h| h.quantity)
                }
                _ => continue,
            };
            if event.at().since(leg.decided).0 >= LATEST.0 + rests.0 {
                leg.left = if (leg.left - got).abs() <= 1e-9 * leg.left.abs() { 0.0 } else { leg.left - got };
            }
        }
    }

    /// A stamp is over at which it heard something.
    pub fn over(&mut self, ear: &Ear<'_>, said: &[MessageKind], count: &mut Count) {
        if let [MessageKind::Action(a)] = said
            && a.reason == Reason::Liquidated
        {
            let open = self.open.take().unwrap_or_else(|| panic!("{}: nothing to take over: {a}", self.name));
            let done = self.heard(said, count);
            self.unknown(Unknown::Liquidated, count);
            let mut acts = self.acts(&done, &[], ear.seen.now);
            return self.close(&LegLook::new(ear, None), &mut acts, open, Reason::Liquidated);
        }
        let legs = self.open.iter().flat_map(|o| o.legs.iter().map(|l| &l.leg));
        // A venue that took over what was being closed is no look of its owner's, and is told with the outcome.
        let is_told =
            |m: &MessageKind| matches!(m, MessageKind::Outcome(o) if o.reason == Reason::Liquidated);
        let is_early = !said.iter().any(is_told)
            && self.looked.is_some_and(|l| ear.seen.now.since(l) < ear.rules.pace());
        if is_early || !ear.is_aligned(legs) {
            assert!(said.is_empty(), "{} at {}: acts out of its pace: {said:?}", self.name, ear.seen.now);
            return;
        }
        self.looked = Some(ear.seen.now);
        self.judge(&LegLook::new(ear, self.open.as_ref()), said, count);
    }

    /// Holds what is foretold of each leg against the book, once nothing is on its way. A contract is held as it was ordered;
    /// coins pay fees and for other coins, what has settled is gone, and the rest is made by fills or hedged unsaid.
    pub fn holds(&self, rules: &Rules, (listed, board): (&ListedInstruments, &Market), book: &Legs) {
        if !book.is_whole() || rules.is_maker() || rules.is_hedged() {
            return;
        }
        for leg in self.open.iter().flat_map(|o| &o.legs) {
            let id = leg.leg.instrument;
            let is_over = board.get(id).is_some_and(|q| q.settled.is_some());
            let (held, foretold) = (book.of(id), leg.ordered);
            let is_near = (held - foretold).abs() <= 1e-9 * foretold.abs();
            let is_plain = !listed.get(id).kind.is_owned() && !is_over;
            assert!(is_near || !is_plain, "{} holds {held} of {id:?}, foretold {foretold}", self.name);
        }
    }
}

/// The latest that an order reaches its market.
const LATEST: Span = Span(LATENCY.0 * 3 / 2);

/// The indicators at the end of a stamp, with what was open at it.
pub struct LegLook<'a> {
    ear: &'a Ear<'a>,
    /// As they are with what was ordered, and without it: before its orders are filled it may hold nothing.
    values: [Values; 2],
    /// As they are for what is opened now.
    first: Values,
    is_flat: bool,
}

impl<'a> LegLook<'a> {
    /// What is open changes what the family sees.
    pub fn new(ear: &'a Ear<'a>, open: Option<&Followed>) -> Self {
        let gain = open.filter(|_| !ear.is_own_gain()).map_or(f64::NAN, |o| ear.gain(o));
        let look = |legs: &Legs| {
            let seen = ear.with(legs);
            let mut values = ear.rules.look(&seen);
            // Of prices that its family does not trust no gain is made.
            values.set(Indicator::Gain, if ear.rules.is_known(&seen) { gain } else { f64::NAN });
            values
        };
        let with = look(&open.map(shadow).unwrap_or_default());
        let is_sure = open.is_none_or(|o| o.legs.iter().all(|l| l.left == 0.0));
        let without = if is_sure { with } else { look(&Legs::default()) };
        let mut first = with;
        first.set(Indicator::Gain, 0.0);
        LegLook { ear, values: [with, without], first, is_flat: open.is_none() }
    }
}

/// What an intent holds when all of it was filled.
fn shadow(open: &Followed) -> Legs {
    let mut legs = Legs::default();
    for HeardLeg { leg, bounds, decided, .. } in &open.legs {
        let quantity = open.side * leg.ratio * open.units;
        if let Some(bounds) = *bounds {
            let (pool, decided, live) = (leg.instrument, *decided, *decided);
            legs.ranges.asked.push(LiquidityChange {
                pool,
                bounds,
                change: quantity,
                decided,
                live,
                tries: 0,
                number: None,
            });
        } else {
            legs.held.push((leg.instrument, quantity));
        }
    }
    legs.held.sort_by_key(|h| h.0);
    legs
}

impl Look for LegLook<'_> {
    fn now(&self) -> Stamp {
        self.ear.seen.now
    }

    fn passed(&self, since: Option<Stamp>, _held: u32) -> u32 {
        since.map_or(u32::MAX, |s| (self.now().since(s).0 / Span::MINUTE.0) as u32)
    }

    fn views(&self, held: u32, open: Option<&Followed>) -> [EvalContext<'_>; 2] {
        let rules = self.ear.rules;
        let ((close, sigma), entry, keys) = (rules.bar(), f64::NAN, rules.keys());
        let (side, bests) = open.map_or((0.0, [0.0; 2]), |o| (o.side, o.best));
        let is_first = self.is_flat && open.is_some();
        [0, 1].map(|n| {
            let Values(values) = if is_first { &self.first } else { &self.values[n] };
            EvalContext { close, sigma, held, best: bests[n], entry, side, keys, values }
        })
    }

    fn best(&self, _side: f64, best: f64) -> f64 {
        best.max(self.values[0].of(Indicator::Gain))
    }

    fn price(&self, open: &Followed) -> f64 {
        let first = &open.legs[0];
        self.ear.value(first.leg.instrument, None).unwrap_or(first.entry)
    }

    fn opening(&self, held: u32, offer: Option<&Offer>, _said: Option<&Action>) -> Option<Followed> {
        let (nothing, [view, _]) = (Legs::default(), self.views(held, None));
        let told = self.ear.told.clone();
        let again = offer.map(|offer| offer.again.side);
        let proposed = told.or_else(|| self.ear.rules.propose(&self.ear.with(&nothing), &view, again));
        let proposed = proposed.filter(|p| offer.is_none_or(|offer| offer.again.side == p.side))?;
        self.ear.enter(&proposed, offer)
    }

    fn next_add(
        &self,
        (when, more): (Condition, f64),
        _said: Option<(Condition, f64)>,
    ) -> Option<(Condition, f64)> {
        let (_, sigma) = self.ear.rules.bar();
        let beyond = self.values[0].of(Indicator::Gain) + 4e4 * sigma;
        Some((if sigma.is_nan() { when } else { Condition { right: Term::Level(beyond), ..when } }, more))
    }

    fn is_own(&self, when: &Condition) -> bool {
        let of_gain = [when.left, when.right].iter().any(|t| {
            matches!(t, Term::Back(_) | Term::Of(Indicator::Gain) | Term::Times(_, Indicator::Gain))
        });
        of_gain && self.ear.is_own_gain()
    }

    fn forced(&self, open: &Followed) -> Option<Forced> {
        let now = self.now();
        let rests = open.plan.maker.is_some();
        if !rests && open.legs.iter().any(|l| l.left != 0.0 && now.since(l.decided).0 < LATENCY.0 / 2) {
            return Some(Forced::Wait);
        }
        let is_settled = open.legs.iter().any(|l| self.ear.is_settled(l.leg.instrument));
        is_settled.then_some(Forced::Close(Reason::Settled))
    }

    fn is_whole(&self, open: &Followed) -> bool {
        open.legs.iter().all(|l| l.left == 0.0)
    }

    fn has_arrived(&self, open: &Followed) -> bool {
        open.plan.maker.is_none()
            && open.legs.iter().all(|l| l.left == 0.0 || self.now().since(l.decided) >= LATEST)
    }

    fn rehedges(&self) -> bool {
        self.ear.rules.is_hedged()
    }

    fn is_one_step(&self) -> bool {
        true
    }

    fn order(&self, open: &mut Followed, more: f64) {
        let (side, legs) = (open.side, &open.legs);
        let all = || legs.iter().map(|l| (l.leg.instrument, l.leg.ratio, l.bounds.is_some()));
        let whole = |units| self.ear.in_lots(all(), units);
        let more = whole(open.units) - whole(open.units - more);
        open.legs.iter_mut().for_each(|l| self.ear.send(l, side, more));
    }

    fn oppose(&self, open: &mut Followed, instrument: InstrumentId, ratio: f64) -> bool {
        let (ear, first) = (self.ear, open.legs[0].leg);
        let put = matches!(ear.seen.listed.get(instrument).terms, ContractTerms::Option { call: false, .. });
        let against = StructureLeg { instrument, ratio: ratio * first.ratio * if put { 1.0 } else { -1.0 } };
        if ear.is_settled(instrument) || !ear.is_aligned([&against].into_iter()) {
            return false;
        }
        let Some(mut leg) = ear.leg(against, None, open.units) else { return false };
        ear.send(&mut leg, open.side, open.units);
        let listed = ear.seen.listed.get(instrument);
        // What moves with the asset takes its worth off what the pool hears.
        if listed.asset == ear.asset && !matches!(listed.kind, InstrumentKind::Option | InstrumentKind::Move)
        {
            let worth = ear.value(instrument, None).unwrap_or(f64::NAN);
            open.delta += against.ratio * worth / open.notional;
        }
        open.plan.legs.push(leg.leg);
        open.legs.push(leg);
        true
    }
}
