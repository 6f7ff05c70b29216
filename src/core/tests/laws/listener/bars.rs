//! How a listener sees the close of a bar.

use super::{Followed, Look, Offer};
use hive_domain::{Action, Condition, EvalContext, Indicator, Stamp};

/// A close, and what the indicators that an agent looks at are there.
#[derive(Clone, Copy, Debug)]
pub struct BarLook<'a> {
    pub at: Stamp,
    pub close: f64,
    /// First, lowest and highest price of the bar, and whether anything was traded in it.
    pub range: (f64, f64, f64),
    pub trades: bool,
    pub sigma: f64,
    pub keys: &'a [Indicator],
    pub values: &'a [f64],
    /// Size of one unit of this agent, as a fraction of its capital.
    pub unit: f64,
    /// How often it adds to an intent.
    pub adds: u32,
}

impl Look for BarLook<'_> {
    fn now(&self) -> Stamp {
        self.at
    }

    fn passed(&self, _since: Option<Stamp>, held: u32) -> u32 {
        held + 1
    }

    fn views(&self, held: u32, open: Option<&Followed>) -> [EvalContext<'_>; 2] {
        let BarLook { close, sigma, keys, values, .. } = *self;
        let (side, entry) = open.map_or((0.0, f64::NAN), |o| (o.side, o.entry));
        let best = open.map_or([0.0; 2], |o| o.best);
        best.map(|best| EvalContext { close, sigma, held, best, entry, side, keys, values })
    }

    fn best(&self, side: f64, best: f64) -> f64 {
        if side > 0.0 { best.max(self.close) } else { best.min(self.close) }
    }

    fn price(&self, _open: &Followed) -> f64 {
        self.close
    }

    /// A fresh decision is believed; that an offer is taken up is not.
    fn opening(&self, held: u32, offer: Option<&Offer>, said: Option<&Action>) -> Option<Followed> {
        let [view, _] = self.views(held, None);
        if !view.is_warm() {
            return None;
        }
        let Some(act) = said else {
            assert!(offer.is_none(), "at {}: the re-entry came true in silence: {offer:?}", self.at);
            return None;
        };
        let fresh = act.plan.as_ref().clone();
        let plan = offer.map_or(fresh.clone(), |offer| offer.plan(fresh));
        // What nobody can check is not announced.
        let again = plan.reenter.iter().flat_map(|r| r.when.indicators().chain(r.unless.indicators()));
        let parts = plan.parts().flat_map(|(_, c)| c.indicators().collect::<Vec<_>>());
        assert!(parts.chain(again).all(|i| view.of(i).is_finite()), "conditions nobody can check: {act}");
        let first = offer.and_then(Offer::size).unwrap_or(self.unit);
        Some(Followed {
            plan,
            side: offer.map_or(act.side(), |offer| offer.again.side),
            units: first,
            first,
            entry: self.close,
            delta: act.delta / act.after,
            best: [self.close; 2],
            adds: self.adds,
            legs: Vec::new(),
            notional: 1.0,
            capital: 1.0,
            carried: 0.0,
        })
    }

    fn fills(&self, side: f64, limit: f64) -> Option<f64> {
        let (open, low, high) = self.range;
        let is_through = |price: f64| side * (limit - price) >= 1e-4 * limit - 1e-12 * limit;
        let better = if side > 0.0 { limit.min(open) } else { limit.max(open) };
        let extreme = if side > 0.0 { low } else { high };
        let price = if is_through(open) { Some(open) } else { is_through(extreme).then_some(better) };
        price.filter(|_| self.trades)
    }

    /// Where the next add is, is a decision of then; that there is one, and how much it adds, is not.
    fn next_add(&self, before: (Condition, f64), said: Option<(Condition, f64)>) -> Option<(Condition, f64)> {
        let right = said.map_or(before.0.right, |(when, _)| when.right);
        Some((Condition { right, ..before.0 }, before.1))
    }
}
