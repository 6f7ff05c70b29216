//! Packages: the lives in legs that have money. Each is the life of a structure again, by the same rules and on the same
//! market, on the funds of its agent; its orders leave through the gate, and what it holds is what the venue filled.
//!
//! # Invariants
//!
//! 1. A package is not netted with the desk: what it holds is its agent's alone, by the books and here.
//! 2. It opens only on the side that its agent has announced, and closes by its own plan: where the two were opened
//!    together they close together, but for what each of them could not have.
//! 3. Its capital is its agent's funds, in equal parts for each of its structures, taken while it holds nothing.
//! 4. What opens it leaves whole or not at all (`real/package_orders`); a leg that stands alone longer than
//!    [`LegRisk`] allows ends it.

use crate::agents::Population;
use crate::agents::structures::in_legs::StructureLife;
use crate::domain::{AgentId, AssetId, Decimal, InstrumentId, OrderId, Stamp, money};
use crate::treasury::package_limits::{LegRisk, PackageRefusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Quantities by instrument, sorted; none is zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantities(Vec<(InstrumentId, Decimal)>);

impl Quantities {
    /// The quantity of one.
    pub fn of(&self, id: InstrumentId) -> Decimal {
        self.0.binary_search_by_key(&id, |h| h.0).map_or(Decimal::ZERO, |i| self.0[i].1)
    }

    /// Adds to one, signed.
    pub fn add(&mut self, id: InstrumentId, quantity: Decimal) {
        match self.0.binary_search_by_key(&id, |h| h.0) {
            Ok(i) => {
                self.0[i].1 += quantity;
                if self.0[i].1.is_zero() {
                    self.0.remove(i);
                }
            }
            Err(i) if !quantity.is_zero() => self.0.insert(i, (id, quantity)),
            Err(_) => {}
        }
    }

    /// All of them, in the order of the instruments.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, Decimal)> + '_ {
        self.0.iter().copied()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// One structure with money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// Whose it is.
    pub agent: AgentId,
    /// The asset of the structure.
    pub asset: AssetId,
    /// What it intends and holds, as estimates.
    pub life: StructureLife,
    /// What it stands on, in currency; taken while it holds nothing.
    pub capital: f64,
    /// What it holds, exact, by where it is booked.
    pub held: Quantities,
    /// What of it lies in pools, by pool: it comes out with its liquidity and is sold there.
    pub pooled: Quantities,
    /// What was dealt since it held nothing, exact, by the instruments of its legs.
    pub dealt: Quantities,
    /// What each leg should come to, signed, in base units, as last decided.
    pub(super) targets: Vec<(InstrumentId, f64)>,
    /// What has stood alone.
    pub leg_risk: LegRisk,
    /// When that was last looked at.
    pub(super) looked: Option<Stamp>,
    /// Orders of it that were refused, by the limit that refused them.
    pub refused: BTreeMap<PackageRefusal, u32>,
    /// Times that it was given up since a leg stood alone too long.
    pub unwound: u32,
    /// Whether it is to be closed at the next look: something it held is gone.
    pub is_broken: bool,
}

/// By order, ascending: the package that it is for. As many as are open, a handful; written as the map that it is.
#[derive(Clone, Debug, Default, PartialEq)]
struct OrderOwners(Vec<(OrderId, u32)>);

impl Serialize for OrderOwners {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl<'de> Deserialize<'de> for OrderOwners {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(OrderOwners(BTreeMap::deserialize(deserializer)?.into_iter().collect()))
    }
}

/// All of them, in the order of the structures, and whose each order is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packages {
    /// One a structure; none where structures have no money.
    pub all: Vec<Package>,
    /// By order that may still fill, or that may have: its package.
    owners: OrderOwners,
    /// What is left of coins that are less than a lot, by where they are booked: the treasury's.
    pub dust: Quantities,
    /// What a day of a unit of lent capital costs, as a fraction: what it would earn where it was last served.
    pub(super) rent: f64,
}

impl Package {
    fn new(agent: AgentId, asset: AssetId) -> Self {
        Package {
            agent,
            asset,
            life: StructureLife::new(false),
            capital: 0.0,
            held: Quantities::default(),
            pooled: Quantities::default(),
            dealt: Quantities::default(),
            targets: Vec::new(),
            leg_risk: LegRisk::default(),
            looked: None,
            refused: BTreeMap::new(),
            unwound: 0,
            is_broken: false,
        }
    }

    /// The estimates of what is held follow the exact numbers, so that the two never part. What lies in a pool they count there.
    pub(super) fn tidy_legs(&mut self) {
        let outside = self.held.iter().map(|(id, held)| (id, held - self.pooled.of(id)));
        let each =
            outside.filter(|(_, held)| !held.is_zero()).map(|(id, held)| (id, money::to_estimate(held)));
        self.life.legs.held = each.collect();
    }

    /// Whether nothing is intended, on its way or held.
    pub fn is_idle(&self) -> bool {
        self.life.is_idle() && self.held.is_empty()
    }

    /// What of its legs stands alone now, in the account's currency, by what a unit of each is worth: whatever a leg has of
    /// its target beyond what the least filled one has. A leg that lacks no more than lots of it is whole.
    pub(super) fn alone(
        &self,
        value: impl Fn(InstrumentId) -> f64,
        lot: impl Fn(InstrumentId) -> f64,
    ) -> f64 {
        if self.targets.len() < 2 {
            return 0.0;
        }
        let filled = |&(id, target): &(InstrumentId, f64)| {
            let dealt = money::to_estimate(self.dealt.of(id));
            // Of a leg of a lot or two nothing is not all of it.
            let is_whole = dealt != 0.0 && libm::fabs(target - dealt) < LOTS_SHORT * lot(id);
            if is_whole { 1.0 } else { (dealt / target).clamp(0.0, 1.0) }
        };
        // While a package is added to, what is there was rounded down as well: coarse lots of one leg are no lack of it.
        let could_be = |leg: &(InstrumentId, f64)| {
            let lots = LOTS_SHORT * lot(leg.0) / libm::fabs(leg.1);
            let there = filled(leg);
            if there > 0.0 { (there + lots).min(1.0) } else { 0.0 }
        };
        let least = self.targets.iter().map(could_be).fold(1.0, f64::min);
        if self.targets.iter().all(|leg| filled(leg) <= least) {
            return 0.0;
        }
        let beyond = |leg: &(InstrumentId, f64)| {
            let worth = libm::fabs(leg.1 * value(leg.0));
            if worth.is_finite() { (filled(leg) - least).max(0.0) * worth } else { 0.0 }
        };
        let alone: f64 = self.targets.iter().map(beyond).sum();
        // Lots round each leg for itself.
        let whole: f64 = self.targets.iter().map(|leg| libm::fabs(leg.1 * value(leg.0))).sum();
        if alone > ROUNDING * whole { alone } else { 0.0 }
    }
}

/// What legs may differ by from their ratio, as a fraction of all of them: because of whole lots, and of fees that were paid in
/// coins.
const ROUNDING: f64 = 0.02;
/// Lots that a leg may lack: what was opened and what was added were each rounded down.
const LOTS_SHORT: f64 = 2.0;

impl Packages {
    /// One a structure of a cast whose agent has an account.
    pub fn new(cast: &Population) -> Self {
        let all = cast.structures.iter().map(|s| Package::new(s.agent, s.asset)).collect();
        Packages { all, ..Packages::default() }
    }

    /// Whose an order is; none of theirs.
    pub fn owner(&self, order: OrderId) -> Option<usize> {
        self.owners.0.binary_search_by_key(&order, |o| o.0).ok().map(|at| self.owners.0[at].1 as usize)
    }

    /// An order leaves for a package.
    pub(super) fn own(&mut self, order: OrderId, package: usize) {
        // Ids ascend.
        self.owners.0.push((order, package as u32));
    }

    /// Forgets an order of which nothing more can come.
    pub(super) fn forget(&mut self, order: OrderId) {
        if let Ok(at) = self.owners.0.binary_search_by_key(&order, |o| o.0) {
            self.owners.0.remove(at);
        }
    }

    /// The orders of a package that may still fill, in their order.
    pub(super) fn orders_of(&self, package: usize) -> impl Iterator<Item = OrderId> + '_ {
        self.owners.0.iter().filter(move |o| o.1 as usize == package).map(|o| o.0)
    }

    /// Whether any order of theirs may still fill.
    pub(super) fn has_orders(&self) -> bool {
        !self.owners.0.is_empty()
    }

    /// What they hold together of what is booked here.
    pub fn position(&self, booked: InstrumentId) -> Decimal {
        let mut sum = self.dust.of(booked);
        for package in &self.all {
            let held = package.held.of(booked);
            // Most of them hold nothing of it.
            if !held.is_zero() {
                sum += held;
            }
        }
        sum
    }

    /// Every instrument in which one of them holds something, ascending, each once.
    pub(super) fn instruments(&self) -> Vec<InstrumentId> {
        let each = self.all.iter().flat_map(|p| p.held.iter()).chain(self.dust.iter());
        let mut all: Vec<InstrumentId> = each.map(|h| h.0).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn what_stands_alone_is_what_a_leg_has_beyond_the_least_filled() {
        let (a, b) = (InstrumentId(0), InstrumentId(1));
        let mut p = Package::new(AgentId(0), AssetId(0));
        p.targets = vec![(a, 2.0), (b, -2.0)];
        let alone = |p: &Package| p.alone(|_| 100.0, |_| 0.001);
        assert_eq!(alone(&p), 0.0, "nothing is there");
        p.dealt.add(a, dec("2"));
        assert_eq!(alone(&p), 200.0);
        p.dealt.add(b, dec("-1"));
        assert!((alone(&p) - 99.8).abs() < 1e-9, "but for the two lots that may be missing");
        p.dealt.add(b, dec("-0.97"));
        assert_eq!(alone(&p), 0.0, "less than a hundredth is rounding of lots");
        p.dealt.add(b, dec("-0.03"));
        // On the way out.
        p.dealt.add(a, dec("-2"));
        assert_eq!(alone(&p), 200.0);
        p.dealt.add(b, dec("2"));
        assert_eq!(alone(&p), 0.0);
        assert_eq!(p.alone(|_| 100.0, |_| 2.0), 0.0, "of coarse lots nothing is lacking");
        // Added to by a fifth: of a contract of one whole coin 15 were had where 15.955 coins were, and 3 more are to come.
        p.targets = vec![(a, 19.146), (b, -19.146)];
        p.dealt.add(a, dec("15.955"));
        p.dealt.add(b, dec("-15"));
        let coarse = |p: &Package| p.alone(|_| 100.0, |id| if id == b { 1.0 } else { 0.001 });
        assert_eq!(coarse(&p), 0.0, "what lots round is not alone");
        assert!(alone(&p) > 90.0, "where they do not round so much, it is");
        p.dealt.add(b, dec("15"));
        assert!((coarse(&p) - 1_595.5).abs() < 1e-9, "what has nothing beside it is, whatever its lots");
        // Of a contract of which one is wanted nothing is there, and of the coins neither: nothing stands alone yet.
        p.targets = vec![(a, 1.29), (b, -1.29)];
        p.dealt.add(a, dec("-15.955"));
        assert_eq!(coarse(&p), 0.0, "neither is there");
        p.dealt.add(a, dec("1.29"));
        assert!((coarse(&p) - 129.0).abs() < 1e-9, "one is");
        p.dealt.add(b, dec("-1"));
        assert_eq!(coarse(&p), 0.0, "both are");
        p.dealt.add(a, dec("-1.29"));
        p.dealt.add(b, dec("1"));
        p.targets.truncate(1);
        p.dealt.add(a, dec("2"));
        assert_eq!(alone(&p), 0.0, "one leg alone is all there is");
    }

    #[test]
    fn quantities_are_kept_sorted_and_without_zeros() {
        let mut q = Quantities::default();
        for (i, more) in [(2, "1"), (0, "0.5"), (2, "-1"), (1, "0")] {
            q.add(InstrumentId(i), dec(more));
        }
        assert_eq!(q.iter().collect::<Vec<_>>(), [(InstrumentId(0), dec("0.5"))]);
        assert_eq!(q.of(InstrumentId(2)), Decimal::ZERO);
    }
}
