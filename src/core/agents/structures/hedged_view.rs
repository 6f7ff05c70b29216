//! A view on one asset that is held as a leg, so that its hedge is an opposite leg beside it: a family that decides at the close
//! of bars, its `hedge` above zero, where another market of its asset is listed.
//!
//! # Invariants
//!
//! 1. It enters, leaves and comes back at the closes, on the side and in the size, at which the same agent would at bars: the
//!    family is asked with the same indicators over the same bars. Distances from the entry are said as gains, bars as minutes.
//! 2. The danger of its hedge is that of its family. Where the other market has no price of now, or may not be short, the
//!    hedge takes [`HEDGED`] off as at bars.
//! 3. It needs nothing but the bars of its own asset. A family that ranks assets, looks at the market of all, or at where
//!    volume changed hands is not held so, and its orders never rest at a level.

use crate::agents::context::Context;
use crate::agents::families::Rules;
use crate::agents::family::{Family, Subscriptions};
use crate::agents::plan::HEDGED;
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::shape::{CALM, STORM};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::values::{KEYS, OF_BARS_MAX, Values};
use crate::domain::condition::Target;
use crate::domain::{
    AssetId, Comparison, Condition, Hedge, HedgeKind, Indicator, InstrumentId, MarketEvent, Plan, ReEntry,
    Span, Stamp, Term,
};
use crate::fills::pace::unit;
use crate::market::Market;
use crate::market::indicators::Bank;
use serde::{Deserialize, Serialize};

/// Prices of the other market older than this are none; bars of a day pass.
const FRESH: Span = Span(Span::DAY.0);

/// A family at bars, the leg that its view is held in, and what may be held against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HedgedView {
    view: Box<Rules>,
    held: InstrumentId,
    against: InstrumentId,
    /// Base units of the other leg for each of the first.
    ratio: f64,
    bank: Bank,
    /// [`KEYS`], and after them those of the bank.
    keys: Vec<Indicator>,
    last: Option<(Stamp, f64)>,
    /// Time from one bar to the next, the shortest so far.
    every: Option<Span>,
}

impl HedgedView {
    /// A view at bars on an asset, held in its first market on the feed; or why its hedge is no leg.
    pub fn new(
        view: Rules,
        ratio: f64,
        asset: AssetId,
        listed: &ListedInstruments,
    ) -> Result<HedgedView, String> {
        let Subscriptions::Bars(mut wanted) = view.subscriptions() else {
            return Err("it decides on events".to_owned());
        };
        wanted.extend([CALM, STORM]);
        wanted.sort_unstable();
        wanted.dedup();
        let is_own =
            |i: &Indicator| !matches!(i, Indicator::Rank(_) | Indicator::Residual(_) | Indicator::Node(_));
        if !wanted.iter().all(is_own) || wanted.len() > OF_BARS_MAX {
            return Err("its entries need more than the prices of its own asset".to_owned());
        }
        let held = listed.find(asset, |_| true).first().copied();
        let held = held.ok_or_else(|| "its asset is not listed".to_owned())?;
        let against = listed.against(held).first().copied();
        let against =
            against.ok_or_else(|| "no perp, future or margin market is listed beside it".to_owned())?;
        let keys = KEYS.iter().chain(&wanted).copied().collect();
        // Buckets of volume are asked for by nobody.
        let bank = Bank::new(wanted, 1.0);
        Ok(HedgedView { view: Box::new(view), held, against, ratio, bank, keys, last: None, every: None })
    }

    /// The opposite leg, where it can be held now against a position on this side.
    fn opposite(&self, seen: &StructureContext<'_>, side: f64) -> HedgeKind {
        let can_be_held = side < 0.0 || seen.listed.get(self.against).kind.can_short();
        if can_be_held && seen.is_fresh(&[self.against], FRESH) {
            HedgeKind::Opposite { instrument: self.against, ratio: self.ratio }
        } else {
            HedgeKind::Reduce(HEDGED)
        }
    }
}

/// A plan at bars as one in legs: `close` is the price that its distances are from, `minutes` those of a bar.
fn in_legs(plan: Plan, side: f64, close: f64, minutes: f64) -> Plan {
    let gain = |c: Condition| {
        let op = match (c.op, side < 0.0) {
            (Comparison::Below, false) | (Comparison::Above, true) => Comparison::Below,
            _ => Comparison::Above,
        };
        let of_gain = |right| Condition { left: Term::Of(Indicator::Gain), op, right };
        match (c.left, c.right) {
            (Term::Close, Term::Level(price)) => of_gain(Term::Level(side * (price / close - 1.0) * 1e4)),
            (Term::Close, Term::Trail(back)) => of_gain(Term::Back(back * 1e4)),
            (Term::Held, Term::Level(bars)) => {
                Condition { left: Term::Minutes, right: Term::Level(bars * minutes), ..c }
            }
            _ => c,
        }
    };
    let time = |bars: u32| (f64::from(bars) * minutes) as u32;
    Plan {
        stop: gain(plan.stop),
        trail: plan.trail.map(gain),
        exit: gain(plan.exit),
        expire: gain(plan.expire),
        targets: plan.targets.into_iter().map(|t| Target { when: gain(t.when), ..t }).collect(),
        add: plan.add.map(|(when, more)| (gain(when), more)),
        reenter: plan.reenter.map(|r| ReEntry {
            not_before: time(r.not_before),
            within: time(r.within),
            minutes: true,
            ..r
        }),
        ..plan
    }
}

impl Family for HedgedView {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(vec![self.held, self.against])
    }

    fn on_event(&mut self, _listed: &ListedInstruments, _board: &Market, event: &MarketEvent) {
        let MarketEvent::Bar { instrument, at, bar } = event else { return };
        if *instrument != self.held {
            return;
        }
        if let Some((before, _)) = self.last {
            let span = at.since(before);
            self.every = Some(self.every.map_or(span, |every| every.min(span)));
        }
        self.last = Some((*at, bar.close));
        self.bank.push(bar);
    }

    fn is_stirred(&self, event: &MarketEvent) -> bool {
        matches!(event, MarketEvent::Bar { instrument, .. } if *instrument == self.held)
    }

    fn keys(&self) -> &[Indicator] {
        &self.keys
    }

    fn bar(&self) -> (f64, f64) {
        (self.last.map_or(f64::NAN, |(_, close)| close), self.bank.sigma())
    }

    fn indicators(&self, _seen: &StructureContext<'_>, values: &mut Values) {
        values.set_of_bars(self.bank.values());
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let ((at, close), every) = (self.last?, self.every?);
        let is_warm = cx.view.sigma > 0.0 && self.bank.values().iter().all(|v| v.is_finite());
        if at != seen.now || !is_warm {
            return None;
        }
        let can_short = seen.listed.get(self.held).kind.can_short();
        let p = (**self.view).propose(cx).filter(|p| p.limit.is_none() && (p.side > 0.0 || can_short))?;
        let mut plan = in_legs(p.plan, p.side, close, every.in_units_of(Span::MINUTE));
        plan.hedge = plan.hedge.map(|h| Hedge { how: self.opposite(seen, p.side), ..h });
        let legs = vec![StructureLeg { instrument: self.held, ratio: 1.0 }];
        Some(Proposal { legs, size: unit(cx.view.sigma), plan, ..p })
    }
}
