//! A maker's quotes: resting orders that are kept where its family wants them, moved as seldom as they may be.

use super::{AgentRef, CANCEL, Life, arrival, order};
use crate::agents::structures::StructureContext;
use crate::agents::structures::legs::LegOrder;

impl Life {
    /// Keeps a maker's quotes where its family wants them.
    pub(super) fn quote(&mut self, who: AgentRef<'_>, seen: &StructureContext<'_>) {
        if !who.nature.is_maker {
            return;
        }
        let Some(open) = &self.open else { return };
        let Some(first) = open.legs.first().map(|l| l.instrument) else { return };
        // Targets, hedge and add change the size of quotes.
        let part = open.units / open.first;
        let wanted =
            who.rules.rule().quotes(&StructureContext { legs: &self.legs, ..*seen }).unwrap_or([None, None]);
        let tick = seen.listed.tick(first);
        for (n, rest) in wanted.iter().enumerate() {
            let buys = n == 0;
            let same = |o: &LegOrder| {
                let rests = o.limit.is_some() && o.until.is_none();
                o.instrument == first && rests && (o.quantity > 0.0) == buys
            };
            let stays = |o: &LegOrder| {
                rest.is_some_and(|r| o.limit.is_some_and(|l| libm::fabs(l - r.price) < 0.5 * tick))
            };
            // Moved by less than a tick it keeps its place in the queue.
            if self.legs.orders.iter().any(|o| same(o) && stays(o)) {
                continue;
            }
            if self.legs.orders.iter().any(same) {
                self.legs.cancel(seen.now, arrival(who, seen.now, CANCEL + n), same);
            }
            if let Some(r) = rest {
                let size = seen.listed.lots(first, libm::fabs(r.quantity) * part);
                let quantity = libm::copysign(size, r.quantity);
                self.legs.send(LegOrder { limit: Some(r.price), ..order(who, seen.now, n, first, quantity) });
            }
        }
    }
}
