//! A hedge that is a leg: what gains as the first leg loses is bought or sold beside it, and closed with the rest.
//!
//! # Invariants
//!
//! 1. An opposite leg is announced only where it could be ordered at the opening's prices, its family hears of its
//!    instrument, nothing is held there yet, and the structure has no more than [`LEGS_MAX`] legs with it. Who quotes, who
//!    hedges as it goes, and who provides liquidity has no first leg of known size: of them none is taken.
//! 2. It is on the other side of the first leg, so many base units for each of its own, and belongs to the units of the
//!    structure from then on: what makes these fewer or more does so to it.
//! 3. Where it cannot be had when its danger is there (no price, a contract that has settled, a bar that is not over), the
//!    hedge stays announced and is tried again at the next look; until then nothing is added.

use super::{AgentRef, Life, OpenStructure, in_coins, is_aligned, order, value};
use crate::agents::plan::PlanStep;
use crate::agents::proposal::{LEGS_MAX, Proposal, StructureLeg};
use crate::agents::structures::StructureContext;
use crate::agents::structures::ranges::Bounds;
use crate::domain::{Hedge, HedgeKind, InstrumentId, MessageKind};
use std::sync::Arc;

/// Whether the hedge of a proposal of so many units can be held beside its legs; one that reduces them always can.
pub(super) fn is_holdable(
    who: AgentRef<'_>,
    seen: &StructureContext<'_>,
    p: &Proposal,
    bounds: &[Option<Bounds>],
    units: f64,
) -> bool {
    let Some(Hedge { how: HedgeKind::Opposite { instrument, ratio }, .. }) = p.plan.hedge else {
        return true;
    };
    let plain = !(who.nature.is_maker || who.nature.is_hedged) && bounds.iter().all(Option::is_none);
    if !plain || p.legs.len() >= LEGS_MAX || !who.rules.ears().contains(&instrument) {
        return false;
    }
    let coin = seen.listed.coin(instrument);
    let is_new = p.legs.iter().all(|l| seen.listed.coin(l.instrument) != coin);
    let leg = against(&p.legs, instrument, ratio);
    let sells = p.side * leg.ratio < 0.0;
    let is_allowed = !sells || seen.listed.get(instrument).kind.can_short();
    is_new && is_allowed && worth(seen, leg, units).is_some()
}

/// The leg that is held against the first one.
fn against(legs: &[StructureLeg], instrument: InstrumentId, ratio: f64) -> StructureLeg {
    StructureLeg { instrument, ratio: -ratio * legs.first().map_or(0.0, |first| first.ratio) }
}

/// Worth of one base unit of a leg, where so many units of it can be ordered.
fn worth(seen: &StructureContext<'_>, leg: StructureLeg, units: f64) -> Option<f64> {
    let is_over = seen.board.get(leg.instrument).is_some_and(|q| q.settled.is_some());
    let worth = value(leg.instrument, None, seen).filter(|v| *v > 0.0 && !is_over)?;
    seen.is_order(leg.instrument, leg.ratio * units, worth, true).then_some(worth)
}

impl OpenStructure {
    /// Takes a leg in, worth so much now; its number.
    fn join(&mut self, leg: StructureLeg, worth: f64, seen: &StructureContext<'_>) -> usize {
        self.entry.push(worth / in_coins(seen, leg.instrument).unwrap_or(1.0));
        self.bounds.push(None);
        self.legs.push(leg);
        self.legs.len() - 1
    }
}

impl Life {
    /// Holds a leg in this instrument against the first one, and says so: the intent's own size stays as it is.
    #[inline(never)]
    pub(super) fn oppose(
        &mut self,
        who: AgentRef<'_>,
        seen: &StructureContext<'_>,
        (hedge, instrument, ratio): (Hedge, InstrumentId, f64),
        say: &mut dyn FnMut(MessageKind),
    ) {
        let Some(open) = &mut self.open else { return };
        let (units, leg) = (open.units, against(&open.legs, instrument, ratio));
        let Some(worth) = worth(seen, leg, units).filter(|_| is_aligned(&[leg], seen)) else {
            Arc::make_mut(&mut open.plan).hedge = Some(hedge);
            return;
        };
        let quantity = open.side * leg.ratio * units;
        let number = open.join(leg, worth, seen);
        let plan = Arc::clone(&open.plan);
        let whole = libm::copysign(seen.listed.lots(instrument, libm::fabs(quantity)), quantity);
        self.legs.send(order(who, seen.now, number, instrument, whole));
        self.size(who, seen, PlanStep::Hedge(hedge).said(), (units, plan), say);
    }
}
