//! Cash and carry: long spot and short a dated future that costs more than spot, by more than all costs and a
//! hurdle per year, kept to expiry, where the two prices meet; then, if it still pays, the next one.
//!
//! Long (+1): long spot, short the future (positive basis). Short (−1): short spot on margin, long the
//! future (backwardation); only where the spot can be short.
//!
//! The future may rest at the near side for `rest` minutes while the spot follows its fills.
//!
//! `Basis` is (future / spot − 1) over the years to expiry (365 days); `Edge` what it earns to expiry after
//! opening both legs, delivery of the future and selling the spot, in basis points.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, EvalContext, Indicator, InstrumentId, InstrumentKind, MakerLeg, MarketEvent, Plan,
    Span, Stamp, Term,
};
use crate::market::Market;
use crate::market::pricing::future::{annualised_basis, years_to_expiry};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "long spot and short a dated future: the basis, kept to expiry",
    needs: "spot (or a perp) and dated futures of the asset",
    params: &[
        param("hurdle", "per year", (0.02, 0.06), (0.0, 1.0), "basis after costs that is asked for"),
        param("nearest", "days", (7.0, 14.0), (0.1, 180.0), "expiries nearer than this are not begun"),
        param("stop", "bp", (150.0, 400.0), (5.0, 5_000.0), "loss at mid prices that ends it"),
        param("size", "x", (0.8, 0.8), (0.01, 4.0), "notional of a leg over own capital"),
        param(
            "rest",
            "minutes",
            (0.0, 0.0),
            (0.0, 240.0),
            "how long the future rests as a maker before it is taken",
        ),
    ],
    ordered: &[],
};

/// Futures it looks at: those that expire first.
const FUTURES_MAX: usize = 64;
/// Prices older than this are not traded on.
const FRESH: Span = Span(Span::DAY.0);

/// Its numbers and its legs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CashAndCarryMemory {
    hurdle: f64,
    nearest: f64,
    stop: f64,
    size: f64,
    rest: f64,
    spot: InstrumentId,
    /// Futures by expiry, the nearest first.
    futures: Vec<(Stamp, InstrumentId)>,
}

/// One future as it is now.
#[derive(Clone, Copy, Debug)]
struct Offer {
    future: InstrumentId,
    years: f64,
    basis: f64,
    /// Earned to expiry after costs, as a fraction of notional.
    edge: f64,
}

impl CashAndCarryMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let of = |pass: fn(InstrumentKind) -> bool| listed.find(asset, |i| pass(i.kind) && i.quote.is_none());
        let spots = of(|k| matches!(k, InstrumentKind::Spot | InstrumentKind::Margin));
        let spot = spots.first().copied().or_else(|| of(|k| k == InstrumentKind::Perp).first().copied());
        let spot = spot.ok_or("needs spot or a perp of the asset")?;
        let mut futures: Vec<(Stamp, InstrumentId)> = of(|k| k == InstrumentKind::Future)
            .into_iter()
            .filter_map(|id| listed.get(id).terms.expiry().map(|e| (e, id)))
            .collect();
        if futures.is_empty() {
            return Err("needs a dated future of the asset".to_owned());
        }
        futures.sort_unstable();
        futures.truncate(FUTURES_MAX);
        Ok(CashAndCarryMemory {
            hurdle: p[0],
            nearest: p[1],
            stop: p[2],
            size: p[3],
            rest: p[4],
            spot,
            futures,
        })
    }

    fn offer(&self, seen: &StructureContext<'_>, expiry: Stamp, future: InstrumentId) -> Option<Offer> {
        let (spot, price) = (seen.value(self.spot)?, seen.value(future)?);
        let years = years_to_expiry(seen.now, expiry);
        let basis = annualised_basis(spot, price, years).ok().flatten()?;
        // Both legs once, the spot a second time, and delivery.
        let costs = 2.0 * seen.cost(self.spot) + seen.cost(future) + seen.costs(future).delivery();
        Some(Offer { future, years, basis, edge: libm::fabs(basis) * years - costs })
    }

    /// The future that earns most per year after costs, among those far enough away and freshly quoted.
    fn best(&self, seen: &StructureContext<'_>) -> Option<Offer> {
        let soonest = self.nearest / 365.0;
        let fresh = |id| seen.is_fresh(&[self.spot, id], FRESH);
        let open = self.futures.iter().filter(|(e, id)| *e > seen.now && fresh(*id));
        let offers = open.filter_map(|(e, id)| self.offer(seen, *e, *id)).filter(|o| o.years >= soonest);
        offers.max_by(|a, b| (a.edge / a.years).total_cmp(&(b.edge / b.years)))
    }

    /// The future that is held, else the best one.
    fn watched(&self, seen: &StructureContext<'_>) -> Option<Offer> {
        let held = self.futures.iter().find(|(_, id)| seen.legs.of(*id) != 0.0);
        match held {
            Some((expiry, id)) => self.offer(seen, *expiry, *id),
            None => self.best(seen),
        }
    }
}

impl Family for CashAndCarryMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(std::iter::once(self.spot).chain(self.futures.iter().map(|f| f.1)).collect())
    }

    fn remembers(&self) -> Vec<InstrumentId> {
        Vec::new()
    }

    fn on_event(&mut self, _listed: &ListedInstruments, _board: &Market, _event: &MarketEvent) {}

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if let Some(o) = self.watched(seen) {
            values.set(Indicator::Basis, o.basis);
            values.set(Indicator::Edge, 1e4 * o.edge);
            values.set(Indicator::Hours, o.years * 365.0 * 24.0);
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let o = self.best(seen)?;
        let side = libm::copysign(1.0, o.basis);
        let shorts = side > 0.0 || seen.listed.get(self.spot).kind.can_short();
        if !(shorts && o.edge > self.hurdle * o.years) {
            return None;
        }
        let days = o.years * 365.0;
        let bp = 1e4 * libm::fabs(o.basis) * o.years;
        let shape = StructureShape {
            stop: self.stop,
            // The basis is all there is to earn: near its half, far nearly all of it.
            near: 0.5 * bp,
            far: 0.95 * bp,
            trails: false,
            hold: (days + 2.0) * 1_440.0,
            // Turned round: what is left is a cost.
            exit: Condition::beyond(-side, Term::Of(Indicator::Basis), Term::Level(0.0)),
            add: Some(Condition::beyond(side, Term::Of(Indicator::Basis), Term::Level(1.5 * o.basis))),
            hedge: Condition::below(Term::Of(Indicator::Gain), Term::Level(-0.5 * self.stop)),
            again: Condition::above(Term::Of(Indicator::Edge), Term::Level(1e4 * self.hurdle * o.years)),
            pause: 480.0,
        };
        let maker = MakerLeg::resting(o.future, self.rest);
        let plan = Plan { maker, ..shape.plan(side, seen.traits, seen.preset) };
        let opened = EvalContext { held: 0, side, best: 0.0, ..*cx.view };
        let legs = vec![
            StructureLeg { instrument: self.spot, ratio: 1.0 },
            StructureLeg { instrument: o.future, ratio: -1.0 },
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

    fn pace(&self) -> Span {
        Span::HOUR
    }
}
