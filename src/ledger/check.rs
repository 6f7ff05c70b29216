//! What the books are worth, and whether they balance.

use super::exact::{
    as_value, from_value, minus, money, money_bound, plus, price_units, quantity, value, value_sum,
};
use super::{AgentBook, Ledger, LedgerError};
use crate::domain::{AgentId, Decimal, InstrumentId, Money};

/// What does not balance. Any of these means a bug or damaged state: halt, and replay the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    /// Cash of all accounts does not sum to zero.
    #[error("cash of all accounts sums to {off} money units of 1e-10 instead of 0; halt and replay")]
    Cash {
        /// Sum of all cash, in units of 1e-10; it should be zero.
        off: i128,
    },
    /// Positions and the counterparty's side differ.
    #[error("instrument {}: books hold {held}, the counterparty says {venue}; halt and replay", .instrument.0)]
    Position {
        /// Instrument in which the two sides differ.
        instrument: InstrumentId,
        /// Σ over the books.
        held: Decimal,
        /// Minus the counterparty's side.
        venue: Decimal,
    },
    /// Equity from inside and from outside differ.
    #[error("equity inside and outside differ by {off} value units of 1e-26; halt and replay")]
    Equity {
        /// Inside minus outside.
        off: i128,
    },
    /// A book's cash is not explained by its tally and holdings, or a closed holding has a cost.
    #[error("the book of agent {} does not explain its cash; halt and replay", .0.0)]
    Book(AgentId),
    /// Could not be checked.
    #[error("the books cannot be checked: {0}")]
    Unchecked(#[from] LedgerError),
}

/// The account at marks, settled so that the parts sum to the total exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valuation {
    /// Equity per agent, each rounded once.
    pub agents: Vec<Money>,
    /// Equity of the treasury.
    pub treasury: Money,
    /// The rounding account, with what the parts above lost in rounding.
    pub rounding: Money,
    /// The sum of all, rounded once from 26 digits.
    pub total: Money,
}

fn mark_of(marks: &[Decimal], instrument: InstrumentId) -> Result<i128, LedgerError> {
    let mark = marks.get(instrument.index()).ok_or(LedgerError::NoMark(instrument))?;
    price_units(*mark)
}

impl AgentBook {
    /// Cash + Σ quantity × mark in value units, exact.
    pub(super) fn value(&self, marks: &[Decimal]) -> Result<i128, LedgerError> {
        let mut equity = as_value(self.cash)?;
        for h in self.holdings.iter().filter(|h| h.quantity != 0) {
            equity = value_sum(equity, value(h.quantity, mark_of(marks, h.instrument)?)?)?;
        }
        Ok(equity)
    }
}

impl Ledger {
    /// Cash + Σ position × mark of one agent, rounded once, half to even. `marks` has one price per
    /// instrument; only those held are read.
    pub fn equity(&self, agent: AgentId, marks: &[Decimal]) -> Result<Money, LedgerError> {
        money_bound(from_value(self.book_of(agent)?.value(marks)?)).map(money)
    }

    /// Equity less the funds that were moved in.
    pub fn pnl(&self, agent: AgentId, marks: &[Decimal]) -> Result<Money, LedgerError> {
        let book = self.book_of(agent)?;
        money_bound(minus(from_value(book.value(marks)?), book.funded)).map(money)
    }

    /// Equity of agents, treasury and rounding together, rounded once.
    pub fn total_equity(&self, marks: &[Decimal]) -> Result<Money, LedgerError> {
        money_bound(from_value(self.total_value(marks)?)).map(money)
    }

    /// The same number as the outside sees it: minus its cash, minus its positions. Costs one product per
    /// instrument instead of one per holding; that both agree is what [`Ledger::check`] checks.
    pub fn account_equity(&self, marks: &[Decimal]) -> Result<Money, LedgerError> {
        let mut seen = as_value(minus(0, self.outside.cash()))?;
        for (instrument, venue) in (0_u16..).map(InstrumentId).zip(&self.outside.positions) {
            if *venue != 0 {
                seen = value_sum(seen, value(minus(0, *venue), mark_of(marks, instrument)?)?)?;
            }
        }
        money_bound(from_value(seen)).map(money)
    }

    fn total_value(&self, marks: &[Decimal]) -> Result<i128, LedgerError> {
        let mut equity = as_value(self.rounding)?;
        for (_, book) in self.books() {
            equity = value_sum(equity, book.value(marks)?)?;
        }
        Ok(equity)
    }

    /// Everybody's equity at once; the parts sum to the total exactly.
    pub fn valuation(&self, marks: &[Decimal]) -> Result<Valuation, LedgerError> {
        let mut equity = as_value(self.rounding)?;
        let mut parts = 0;
        let mut settled = Vec::with_capacity(self.agents.len().saturating_add(1));
        for (_, book) in self.books() {
            let own = book.value(marks)?;
            equity = value_sum(equity, own)?;
            let own = money_bound(from_value(own))?;
            parts = plus(parts, own);
            settled.push(money(own));
        }
        // The treasury's book comes last.
        let treasury = settled.pop().unwrap_or_default();
        let total = money_bound(from_value(equity))?;
        let rounding = money(money_bound(minus(total, parts))?);
        Ok(Valuation { agents: settled, treasury, rounding, total: money(total) })
    }

    /// Holds the books to their invariants: cash, positions, equity and each book, to the last digit.
    pub fn check(&self, marks: &[Decimal]) -> Result<(), Imbalance> {
        let out = &self.outside;
        let outside = out.cash();
        let mut cash = plus(outside, self.rounding);
        let mut held = vec![0_i128; out.positions.len()];
        for (owner, book) in self.books() {
            cash = plus(cash, book.cash);
            for h in &book.holdings {
                let unknown = LedgerError::NoSuchInstrument(h.instrument);
                let sum = held.get_mut(h.instrument.index()).ok_or(unknown)?;
                *sum = plus(*sum, h.quantity);
            }
            if !book.is_sound() {
                return Err(Imbalance::Book(owner));
            }
        }
        if cash != 0 {
            return Err(Imbalance::Cash { off: cash });
        }
        // The account as the outside sees it: minus its cash, minus its positions.
        let mut seen = as_value(minus(0, outside))?;
        for ((instrument, venue), held) in (0_u16..).map(InstrumentId).zip(&out.positions).zip(held) {
            let ours = minus(0, *venue);
            if ours != held {
                let (held, venue) = (quantity(held), quantity(ours));
                return Err(Imbalance::Position { instrument, held, venue });
            }
            if ours != 0 {
                seen = value_sum(seen, value(ours, mark_of(marks, instrument)?)?)?;
            }
        }
        let off = minus(self.total_value(marks)?, seen);
        if off != 0 {
            return Err(Imbalance::Equity { off });
        }
        Ok(())
    }
}
