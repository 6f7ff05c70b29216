//! A maker's quotes: resting orders that are kept where its family wants them, moved as seldom as they may be.

use super::{CANCEL, InLegs};
use crate::agents::life::OpenIntent;
use crate::agents::structures::legs::{LegOrder, Legs};

impl InLegs<'_> {
    /// Keeps a maker's quotes where its family wants them.
    pub(super) fn quote(&self, legs: &mut Legs, open: &OpenIntent) {
        let seen = self.seen;
        let Some(first) = open.legs.first().map(|l| l.leg.instrument) else { return };
        // Targets, hedge and add change the size of quotes.
        let part = open.units / open.first;
        let wanted = self.who.rules.quotes(&self.with(legs)).unwrap_or([None, None]);
        for (n, rest) in wanted.iter().enumerate() {
            let buys = n == 0;
            let same = |o: &LegOrder| {
                let rests = o.limit.is_some() && o.until.is_none();
                o.instrument == first && rests && (o.quantity > 0.0) == buys
            };
            let stays = |o: &LegOrder| {
                rest.is_some_and(|r| {
                    let tick = seen.listed.tick(first, r.price);
                    o.limit.is_some_and(|l| libm::fabs(l - r.price) < 0.5 * tick)
                })
            };
            // Moved by less than a tick it keeps its place in the queue.
            let mut standing = legs.orders.iter().filter(|o| same(o)).peekable();
            let stands = standing.peek().is_some();
            if standing.any(stays) {
                continue;
            }
            if stands {
                legs.cancel(seen.now, self.arrival(CANCEL + n), same);
            }
            if let Some(r) = rest {
                let size = seen.listed.lots(first, libm::fabs(r.quantity) * part);
                let quantity = libm::copysign(size, r.quantity);
                legs.send(LegOrder { limit: Some(r.price), ..self.order(n, first, quantity) });
            }
        }
    }
}
