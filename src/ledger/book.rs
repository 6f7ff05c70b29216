//! One agent's book: cash, holdings and where its result came from.
//!
//! # Invariants
//!
//! 1. cash = funded + realised − slippage − fees − funding − borrow − Σ cost of holdings, exactly.
//! 2. A holding of zero has no cost basis.
//! 3. Inside, money and quantities are whole numbers of units (see [`exact`](super::exact)): exact, of
//!    one scale, equal books are equal bytes. Outside they are decimals.

use super::LedgerError;
use super::exact::{minus, money_bound, moved, notional, plus, quantity, quantity_bound, share};
use crate::domain::{Decimal, InstrumentId};
use serde::{Deserialize, Serialize};

/// A holding in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnitHolding {
    pub(super) instrument: InstrumentId,
    pub(super) quantity: i128,
    pub(super) cost: i128,
    realised: i128,
}

/// A tally in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnitTally {
    realised: i128,
    slippage: i128,
    pub(super) fees: i128,
    pub(super) funding: i128,
    pub(super) borrow: i128,
}

/// One agent's book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentBook {
    pub(super) cash: i128,
    pub(super) funded: i128,
    pub(super) sums: UnitTally,
    /// Sorted by instrument; most agents hold few. Closed holdings stay for their result, so at most
    /// one per instrument.
    pub(super) holdings: Vec<UnitHolding>,
}

impl AgentBook {
    /// What is held of one instrument.
    pub fn quantity(&self, instrument: InstrumentId) -> Decimal {
        quantity(self.held(instrument))
    }

    /// Quantity units held.
    #[inline]
    pub(super) fn held(&self, instrument: InstrumentId) -> i128 {
        self.index_of(instrument).ok().and_then(|at| self.holdings.get(at)).map_or(0, |h| h.quantity)
    }

    #[inline]
    fn index_of(&self, instrument: InstrumentId) -> Result<usize, usize> {
        self.holdings.binary_search_by_key(&instrument, |h| h.instrument)
    }

    /// Works out a trade of `delta` (quantity units) at `mark` (price units) without doing it.
    /// `slippage` and `fee` are this agent's shares in money units.
    #[inline]
    pub(super) fn plan(
        &self,
        instrument: InstrumentId,
        delta: i128,
        mark: i128,
        slippage: i128,
        fee: i128,
    ) -> Result<CheckedTrade, LedgerError> {
        let at = self.index_of(instrument);
        let none = UnitHolding { instrument, quantity: 0, cost: 0, realised: 0 };
        let UnitHolding { quantity: old, cost, realised, .. } =
            at.ok().and_then(|i| self.holdings.get(i)).copied().unwrap_or(none);
        let paid = notional(delta, mark)?;
        let new = plus(old, delta);
        let same_side = old == 0 || (old < 0) == (delta < 0);
        let (cost, gain) = if same_side {
            (plus(cost, paid), 0)
        } else if new == 0 {
            // Closing all frees all of the cost. What came in for it is −paid.
            (0, minus(minus(0, paid), cost))
        } else if (new < 0) == (old < 0) {
            // The rounding of a part's cost stays in what remains.
            let freed = share(cost, delta.unsigned_abs(), old.unsigned_abs());
            (minus(cost, freed), minus(minus(0, paid), freed))
        } else {
            // Turned over: the old side is closed whole, the rest is opened at the same mark.
            let closed = notional(minus(0, old), mark)?;
            (minus(paid, closed), minus(minus(0, closed), cost))
        };
        Ok(CheckedTrade {
            at,
            held: UnitHolding {
                instrument,
                quantity: quantity_bound(new)?,
                cost: money_bound(cost)?,
                realised: moved(realised, gain)?,
            },
            cash: moved(self.cash, minus(0, plus(paid, plus(slippage, fee))))?,
            realised: moved(self.sums.realised, gain)?,
            slippage: moved(self.sums.slippage, slippage)?,
            fees: moved(self.sums.fees, fee)?,
            paid,
        })
    }

    /// Does what was planned; cannot fail.
    pub(super) fn enter(&mut self, entry: &CheckedTrade) {
        self.cash = entry.cash;
        self.sums.realised = entry.realised;
        self.sums.slippage = entry.slippage;
        self.sums.fees = entry.fees;
        match entry.at {
            Ok(at) => {
                if let Some(h) = self.holdings.get_mut(at) {
                    *h = entry.held;
                }
            }
            Err(at) => self.holdings.insert(at.min(self.holdings.len()), entry.held),
        }
    }

    /// Invariants 1 and 2.
    pub(super) fn is_sound(&self) -> bool {
        let s = &self.sums;
        let earned = plus(self.funded, s.realised);
        let spent = [s.slippage, s.fees, s.funding, s.borrow].into_iter().fold(0, plus);
        let cost = self.holdings.iter().map(|h| h.cost).fold(0, plus);
        let clean = self.holdings.iter().all(|h| h.quantity != 0 || h.cost == 0);
        clean && self.cash == minus(minus(earned, spent), cost)
    }
}

/// A trade worked out and checked, to be entered; in units.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckedTrade {
    at: Result<usize, usize>,
    held: UnitHolding,
    cash: i128,
    realised: i128,
    slippage: i128,
    fees: i128,
    /// What went for the quantity at the mark.
    pub(super) paid: i128,
}

/// Books in decimals, for the laws.
#[cfg(test)]
pub(super) mod shown {
    use super::super::exact::money;
    use super::{AgentBook, UnitHolding, quantity};
    use crate::domain::{Decimal, InstrumentId, Money};

    /// What an agent holds of one instrument.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Holding {
        /// Instrument that is held.
        pub instrument: InstrumentId,
        /// Signed, in base units; short is negative.
        pub quantity: Decimal,
        /// What the quantity cost at the marks it was booked at (average cost), signed as the quantity.
        pub cost: Money,
        /// Result of what was closed, before costs.
        pub realised: Money,
    }

    /// Where an agent's result came from: sums since the start; costs are positive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Tally {
        /// Result of closed quantity, mark to mark.
        pub realised: Money,
        /// Its share of half-spread and impact.
        pub slippage: Money,
        /// Its share of fees, those that it paid others for a service with it; less those that it was paid so.
        pub fees: Money,
        /// Funding paid; negative was received.
        pub funding: Money,
        /// Borrow paid; negative was earned by lending to the hive's own shorts.
        pub borrow: Money,
    }

    impl UnitHolding {
        fn shown(&self) -> Holding {
            Holding {
                instrument: self.instrument,
                quantity: quantity(self.quantity),
                cost: money(self.cost),
                realised: money(self.realised),
            }
        }
    }

    impl AgentBook {
        /// Cash; negative where positions were bought on the account's margin.
        pub fn cash(&self) -> Money {
            money(self.cash)
        }

        /// Net funds moved in.
        pub fn funded(&self) -> Money {
            money(self.funded)
        }

        /// Where the result came from.
        pub fn tally(&self) -> Tally {
            let s = &self.sums;
            Tally {
                realised: money(s.realised),
                slippage: money(s.slippage),
                fees: money(s.fees),
                funding: money(s.funding),
                borrow: money(s.borrow),
            }
        }

        /// All that is or was held, sorted by instrument.
        pub fn holdings(&self) -> impl Iterator<Item = Holding> {
            self.holdings.iter().map(UnitHolding::shown)
        }

        /// The holding, also where it is zero now.
        pub fn holding(&self, instrument: InstrumentId) -> Option<Holding> {
            self.index_of(instrument).ok().and_then(|at| self.holdings.get(at)).map(UnitHolding::shown)
        }
    }
}
