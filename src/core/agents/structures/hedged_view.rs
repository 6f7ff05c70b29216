//! A view on one asset that is held as a leg, so that its hedge is an opposite leg beside it: a family that decides at the close
//! of bars, its `hedge` above zero, where another market of its asset is listed.
//!
//! # Invariants
//!
//! 1. It enters, leaves and comes back at the closes, on the side and in the size, as a share of what it stands on, at which
//!    the same agent would at bars: the family is asked with the same indicators over the same bars. Distances from the entry
//!    are said as gains, bars as minutes. It stands on an equal part of its agent's capital, as structures do: of two such
//!    assets each is half as large as at bars, where every view is a share of all of it.
//! 2. The danger of its hedge is that of its family. Where the other market has no price of now, or may not be short, the
//!    hedge takes [`HEDGED`] off as at bars.
//! 3. An option is held against it where its agent asks for that: it is paid in full, and what of it is lost is no more than
//!    that. One that ends before it was needed protects nothing any more, and one that ends while it is held ends the intent.
//! 4. It needs nothing but the bars of its own asset. A family that ranks assets, looks at the market of all, or at where
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
    AssetId, Comparison, Condition, ContractTerms, Hedge, HedgeKind, Indicator, InstrumentId, InstrumentKind,
    MarketEvent, Plan, ReEntry, Span, Stamp, Term,
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
    /// The perp, future or margin market of the other leg.
    against: Option<InstrumentId>,
    /// Options of the asset, where one of them is to be the other leg.
    options: Vec<InstrumentId>,
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
        (ratio, in_options): (f64, bool),
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
        let options = listed.find(asset, |i| in_options && i.kind == InstrumentKind::Option);
        if against.is_none() && options.is_empty() {
            return Err("no perp, future or margin market is listed beside it".to_owned());
        }
        let keys = KEYS.iter().chain(&wanted).copied().collect();
        // Buckets of volume are asked for by nobody.
        let bank = Bank::new(wanted, 1.0);
        let view = Box::new(view);
        Ok(HedgedView { view, held, against, options, ratio, bank, keys, last: None, every: None })
    }

    /// The opposite leg, where it can be held now against a position on this side that is held until then.
    fn opposite(&self, seen: &StructureContext<'_>, side: f64, close: f64, until: Stamp) -> HedgeKind {
        let can_be_held = |id: &InstrumentId| {
            (side < 0.0 || seen.listed.get(*id).kind.can_short()) && seen.is_fresh(&[*id], FRESH)
        };
        let option = self.option(seen, side, close, until);
        match option.or(self.against.filter(can_be_held)) {
            Some(instrument) => HedgeKind::Opposite { instrument, ratio: self.ratio },
            None => HedgeKind::Reduce(HEDGED),
        }
    }

    /// The put for a long, or the call for a short, that lives as long as the position may, or else the longest; of the
    /// soonest such expiry the strike that is nearest to the price.
    fn option(
        &self,
        seen: &StructureContext<'_>,
        side: f64,
        close: f64,
        until: Stamp,
    ) -> Option<InstrumentId> {
        let rank = |id: &InstrumentId| {
            let ContractTerms::Option { expiry, strike, call, .. } = seen.listed.get(*id).terms else {
                return None;
            };
            let is_held = call == (side < 0.0) && expiry > seen.now && seen.is_fresh(&[*id], FRESH);
            let soon = if expiry >= until { expiry.0 } else { i64::MAX - expiry.0 };
            is_held.then_some((expiry < until, soon, libm::fabs(strike - close), *id))
        };
        let all = self.options.iter().filter_map(rank);
        let best =
            all.min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3)));
        best.map(|(.., id)| id)
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
        let others = self.against.iter().chain(&self.options);
        Subscriptions::Events(std::iter::once(&self.held).chain(others).copied().collect())
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
        let held = if let Term::Level(minutes) = plan.expire.right { minutes } else { 0.0 };
        let until = seen.now.after(Span((held * Span::MINUTE.0 as f64) as i64));
        plan.hedge = plan.hedge.map(|h| Hedge { how: self.opposite(seen, p.side, close, until), ..h });
        let legs = vec![StructureLeg { instrument: self.held, ratio: 1.0 }];
        Some(Proposal { legs, size: unit(cx.view.sigma), plan, ..p })
    }
}
