//! Funding: holds the side of a perp that is paid, hedged with spot of the same asset, while the funding
//! expected over the horizon is worth what both legs cost twice.
//!
//! Long (+1): long spot, short the perp: longs pay. Short (−1): short spot on margin, long the perp:
//! shorts pay; only where the spot can be short. Where there is no spot at all, a perp of another venue
//! hedges, and what is earned is the difference of the two rates.
//!
//! `Carry` is V = settlements in the horizon · EW mean (span 9) of the settled rates, of the perp less
//! that of a hedging perp: the plain forecast of `hive.md`, nothing fitted.
//!
//! The perp may rest at the near side for `rest` minutes while the hedge follows its fills: it earns the maker's rate, and what
//! is missing of it then is taken.
//!
//! For the desk it says the same V, over its own horizon, with what it asks for it and the most it carries: its numbers
//! are its bid.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, CarryQuote, Condition, EvalContext, Indicator, InstrumentId, InstrumentKind, MakerLeg,
    MarketEvent, Plan, Span, Stamp, Term,
};
use crate::market::Market;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "the side of a perp that is paid, hedged with spot or another venue's perp",
    needs: "a perp with funding, and spot or a second perp of the asset",
    params: &[
        param("horizon", "days", (7.0, 28.0), (1.0, 180.0), "how long the funding is expected to last"),
        param("hurdle", "x", (1.0, 1.5), (0.5, 10.0), "expected funding over all costs, to enter"),
        param("stop", "bp", (100.0, 250.0), (5.0, 5_000.0), "loss at mid prices that ends it"),
        param("size", "x", (0.8, 0.8), (0.01, 4.0), "notional of a leg over own capital"),
        param(
            "rest",
            "minutes",
            (0.0, 0.0),
            (0.0, 240.0),
            "how long the perp rests as a maker before it is taken",
        ),
    ],
    ordered: &[],
};

/// Weight of a settlement in the mean of rates: span 9.
const WEIGHT: f64 = 0.2;
/// The hurdle of a usual carrier, the middle of the default. The desk's exposure is hedged whatever the rates do, and has
/// no stop to be hit: what a usual carrier asks of its own money is there the costs alone.
const USUAL_HURDLE: f64 = 1.25;
/// The most it carries of an asset for the account, as a fraction of its equity, for each of its own size: a quarter at the
/// default of 0.8.
const SHARE: f64 = 0.312_5;
/// Settlements before it trusts its mean.
const WARM: u32 = 9;
/// Prices older than this are not traded on; bars of a day pass.
const FRESH: Span = Span(Span::DAY.0);

/// Settled rates of one perp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Rates {
    mean: f64,
    seen: u32,
    last: Option<Stamp>,
    /// Time between settlements, in days; venues change it.
    every: f64,
}

impl Rates {
    fn settle(&mut self, at: Stamp, rate: f64) {
        if let Some(last) = self.last {
            let days = at.since(last).in_units_of(Span::DAY);
            // A gap in the data is no longer interval.
            if (0.01..=1.0).contains(&days) {
                self.every = days;
            }
        }
        self.last = Some(at);
        self.mean = if self.seen == 0 { rate } else { self.mean + WEIGHT * (rate - self.mean) };
        self.seen = self.seen.saturating_add(1);
    }

    /// Expected over so many days; none before it is warm.
    fn over(&self, days: f64) -> Option<f64> {
        (self.seen >= WARM && self.every > 0.0).then(|| self.mean * days / self.every)
    }
}

/// Its numbers, its legs and the rates it has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FundingMemory {
    horizon: f64,
    hurdle: f64,
    stop: f64,
    size: f64,
    rest: f64,
    perp: InstrumentId,
    hedge: InstrumentId,
    hedge_is_perp: bool,
    rates: Rates,
    other: Rates,
}

impl FundingMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let perps = listed.find(asset, |i| i.kind == InstrumentKind::Perp);
        let perp = *perps.first().ok_or("needs a perp with funding")?;
        let venue = &listed.get(perp).venue;
        let spots = listed.find(asset, |i| {
            matches!(i.kind, InstrumentKind::Spot | InstrumentKind::Margin) && i.quote.is_none()
        });
        // Spot where the perp is, then any spot, then another perp.
        let near = spots.iter().find(|s| listed.get(**s).venue == *venue).or(spots.first());
        let hedge =
            near.or(perps.get(1)).copied().ok_or("needs spot or a second perp of the asset as a hedge")?;
        Ok(FundingMemory {
            horizon: p[0],
            hurdle: p[1],
            stop: p[2],
            size: p[3],
            rest: p[4],
            perp,
            hedge,
            hedge_is_perp: listed.get(hedge).kind == InstrumentKind::Perp,
            rates: Rates::default(),
            other: Rates::default(),
        })
    }

    /// Funding expected by a short of the perp over the horizon, as a fraction of notional.
    fn carry(&self) -> Option<f64> {
        let own = self.rates.over(self.horizon)?;
        Some(if self.hedge_is_perp { own - self.other.over(self.horizon)? } else { own })
    }
}

impl Family for FundingMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(vec![self.perp, self.hedge])
    }

    fn on_event(&mut self, _listed: &ListedInstruments, _board: &Market, event: &MarketEvent) {
        if let MarketEvent::Funding { instrument, at, rate, .. } = *event {
            if instrument == self.perp {
                self.rates.settle(at, rate);
            } else if instrument == self.hedge {
                self.other.settle(at, rate);
            }
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let Some(carry) = self.carry() else { return };
        let costs = 2.0 * (seen.cost(self.perp) + seen.cost(self.hedge));
        values.set(Indicator::Carry, carry);
        values.set(Indicator::Edge, 1e4 * (libm::fabs(carry) - costs));
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let carry = cx.view.of(Indicator::Carry);
        let costs = 2.0 * (seen.cost(self.perp) + seen.cost(self.hedge));
        let side = libm::copysign(1.0, carry);
        let pays = libm::fabs(carry) > self.hurdle * costs;
        let shorts = side > 0.0 || seen.listed.get(self.hedge).kind.can_short();
        if !(pays && shorts && seen.is_fresh(&[self.perp, self.hedge], FRESH)) {
            return None;
        }
        let carry_is = |factor: f64| {
            Condition::beyond(side, Term::Of(Indicator::Carry), Term::Level(side * factor * costs))
        };
        let bp = 1e4 * costs;
        let shape = StructureShape {
            stop: self.stop,
            near: 3.0 * bp,
            far: 12.0 * bp,
            // Funding comes in small steps while the basis breathes: a trailing stop would be hit by noise.
            trails: false,
            hold: 6.0 * self.horizon * 1_440.0,
            exit: Condition::beyond(-side, Term::Of(Indicator::Carry), Term::Level(0.0)),
            add: Some(carry_is(3.0 * self.hurdle)),
            hedge: Condition::below(Term::Of(Indicator::Gain), Term::Level(-0.5 * self.stop)),
            again: carry_is(self.hurdle),
            pause: 480.0,
        };
        let maker = MakerLeg::resting(self.perp, self.rest);
        let plan = Plan { maker, ..shape.plan(side, seen.traits, seen.preset) };
        let opened = EvalContext { held: 0, side, best: 0.0, ..*cx.view };
        let legs = vec![
            StructureLeg { instrument: self.hedge, ratio: 1.0 },
            StructureLeg { instrument: self.perp, ratio: -1.0 },
        ];
        (!plan.exit.holds(&opened)).then_some(Proposal {
            side,
            legs,
            size: self.size,
            delta: 0.0,
            plan,
            limit: None,
        })
    }

    fn carry_quote(&self, event: &MarketEvent) -> Option<CarryQuote> {
        let MarketEvent::Funding { instrument, .. } = *event else { return None };
        if instrument != self.perp || self.hedge_is_perp {
            return None;
        }
        Some(CarryQuote {
            value: self.rates.over(self.horizon)?,
            days: self.horizon,
            hurdle: self.hurdle / USUAL_HURDLE,
            most: self.size * SHARE,
        })
    }

    fn pace(&self) -> Span {
        Span::HOUR
    }
}
