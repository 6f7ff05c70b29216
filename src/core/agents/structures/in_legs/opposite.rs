//! A hedge that is a leg: what gains as the first leg loses is bought or sold beside it, and closed with the rest.
//!
//! # Invariants
//!
//! 1. An opposite leg is announced only where it could be ordered at the opening's prices, its family hears of its
//!    instrument, nothing is held there yet, and the structure has no more than [`LEGS_MAX`] legs with it. Who quotes, who
//!    hedges as it goes, and who provides liquidity has no first leg of known size: of them none is taken.
//! 2. It is on the other side of the first leg, a put on the same, so many base units for each of its own, and belongs to the
//!    units of the structure from then on: what makes these fewer or more does so to it.
//! 3. What moves with the price of the structure's own asset takes its worth off the structure's delta, as a share of the
//!    notional of the largest leg; of another asset, or an option or MOVE contract, whose worth is no delta, it does not.

use super::{InLegs, is_aligned};
use crate::agents::family::Family;
use crate::agents::life::{OpenIntent, OpenLeg};
use crate::agents::proposal::{LEGS_MAX, Proposal, StructureLeg};
use crate::agents::structures::legs::Legs;
use crate::agents::structures::listed::ListedInstruments;
use crate::domain::{ContractTerms, Hedge, HedgeKind, InstrumentId, InstrumentKind};
use std::sync::Arc;

/// Whether a family holds its first leg in a size that is known.
fn is_plain(family: &dyn Family) -> bool {
    !(family.is_maker() || family.is_hedged())
}

/// The leg that is held against a first one: on its other side, but of a put, which gains as the first one loses, on its own.
fn against(
    listed: &ListedInstruments,
    first: StructureLeg,
    instrument: InstrumentId,
    ratio: f64,
) -> StructureLeg {
    let is_put = matches!(listed.get(instrument).terms, ContractTerms::Option { call: false, .. });
    StructureLeg { instrument, ratio: if is_put { ratio } else { -ratio } * first.ratio }
}

impl InLegs<'_> {
    /// Whether the hedge of a proposal of so many units can be held beside its legs; one that reduces them always can.
    pub(super) fn can_oppose(&self, p: &Proposal, legs: &[OpenLeg], units: f64) -> bool {
        let Some(Hedge { how: HedgeKind::Opposite { instrument, ratio }, .. }) = p.plan.hedge else {
            return true;
        };
        let (seen, rules) = (self.seen, self.who.rules);
        let is_room = (1..LEGS_MAX).contains(&legs.len()) && legs.iter().all(|l| l.bounds.is_none());
        if !(is_plain(&**rules) && is_room && rules.ears().contains(&instrument)) {
            return false;
        }
        let coin = seen.listed.coin(instrument);
        let is_new = legs.iter().all(|l| seen.listed.coin(l.leg.instrument) != coin);
        let leg = against(seen.listed, legs[0].leg, instrument, ratio);
        let is_allowed = p.side * leg.ratio >= 0.0 || seen.listed.get(instrument).kind.can_short();
        is_new && is_allowed && self.orderable(leg, units).is_some()
    }

    /// Whether the leg that an intent has announced as its hedge could be ordered against so many units; where it has
    /// announced none, or has it already, there is nothing to order.
    pub(super) fn could_oppose(&self, open: &OpenIntent, units: f64) -> bool {
        let Some(Hedge { how: HedgeKind::Opposite { instrument, ratio }, .. }) = open.plan.hedge else {
            return true;
        };
        let leg = |first: &OpenLeg| against(self.seen.listed, first.leg, instrument, ratio);
        open.legs.first().is_some_and(|first| self.orderable(leg(first), units).is_some())
    }

    /// Worth of one base unit of a leg, where so many units of it can be ordered.
    fn orderable(&self, leg: StructureLeg, units: f64) -> Option<f64> {
        let seen = self.seen;
        let is_over = seen.board.get(leg.instrument).is_some_and(|q| q.settled.is_some());
        let worth = self.value(leg.instrument, None).filter(|v| *v > 0.0 && !is_over)?;
        seen.is_order(leg.instrument, leg.ratio * units, worth, true).then_some(worth)
    }

    /// Takes a leg in this instrument in against the first one and orders it; whether it could be had.
    #[inline(never)]
    pub(super) fn against_first(
        &self,
        legs: &mut Legs,
        open: &mut OpenIntent,
        instrument: InstrumentId,
        ratio: f64,
    ) -> bool {
        let seen = self.seen;
        let Some(first) = open.legs.first() else { return false };
        let leg = against(seen.listed, first.leg, instrument, ratio);
        let Some(worth) = self.orderable(leg, open.units).filter(|_| is_aligned([&leg].into_iter(), seen))
        else {
            return false;
        };
        let quantity = open.side * leg.ratio * open.units;
        let size = seen.listed.lots(instrument, libm::fabs(quantity));
        legs.send(self.order(open.legs.len(), instrument, libm::copysign(size, quantity)));
        let listed = seen.listed.get(instrument);
        let moves = !matches!(listed.kind, InstrumentKind::Option | InstrumentKind::Move);
        if moves && listed.asset == self.who.asset {
            open.delta += leg.ratio * worth / open.notional;
        }
        let entry = worth / self.in_coins(instrument).unwrap_or(1.0);
        open.legs.push(OpenLeg { leg, bounds: None, entry });
        Arc::make_mut(&mut open.plan).legs.push(leg);
        true
    }
}
