//! A maker's quotes: resting orders that are kept where its family wants them, moved as seldom as they may be.

use super::{CANCEL, InLegs};
use crate::agents::life::OpenIntent;
use crate::agents::proposal::{LEGS_MAX, Rest};
use crate::agents::structures::legs::{LegOrder, Legs};

/// Draws of the quotes a side, nearest first: those after the first follow the draws for cancels.
const QUOTES: [usize; 3] = [0, CANCEL + LEGS_MAX, CANCEL + LEGS_MAX + 2];

impl InLegs<'_> {
    /// Keeps a maker's quotes where its family wants them.
    pub(super) fn quote(&self, legs: &mut Legs, open: &OpenIntent) {
        let seen = self.seen;
        let Some(first) = open.legs.first().map(|l| l.leg.instrument) else { return };
        // Targets, hedge and add change the size of quotes, and so does what others made of it.
        let part = open.units / open.own;
        let wanted = self.who.rules.quotes(&self.with(legs)).unwrap_or_default();
        for side in 0..2 {
            let buys = side == 0;
            let wanted: Vec<&Rest> = wanted.iter().filter(|r| (r.quantity > 0.0) == buys).collect();
            // Moved by less than a tick it keeps its place in the queue.
            let is_at = |r: &Rest, o: &LegOrder| {
                let tick = seen.listed.tick(first, r.price);
                o.limit.is_some_and(|l| libm::fabs(l - r.price) < 0.5 * tick)
            };
            let same = |o: &LegOrder| {
                let rests = o.limit.is_some() && o.until.is_none();
                o.instrument == first && rests && (o.quantity > 0.0) == buys
            };
            let stays = |r: &Rest| legs.orders.iter().any(|o| same(o) && is_at(r, o));
            let missing: Vec<bool> = wanted.iter().map(|r| !stays(r)).collect();
            legs.cancel(seen.now, self.arrival(CANCEL + side), |o| {
                same(o) && !wanted.iter().any(|r| is_at(r, o))
            });
            for (level, r) in wanted.iter().enumerate().filter(|(level, _)| missing[*level]) {
                let size = seen.listed.lots(first, libm::fabs(r.quantity) * part);
                let quantity = libm::copysign(size, r.quantity);
                legs.send(LegOrder {
                    limit: Some(r.price),
                    ..self.order(QUOTES[level] + side, first, quantity)
                });
            }
        }
    }
}
