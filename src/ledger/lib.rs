//! The books: double entry, exact, one book per agent and one counterparty.
//!
//! Every operation posts legs that sum to zero in the currency and in each instrument. It is worked
//! out and checked as a whole before anything is written, so an error leaves the books as they were.
//!
//! Inside the account stand the agents, the treasury (cash nobody has been given, and what the desk
//! holds for no agent) and the rounding account. Outside stand capital (where the money came from), the
//! venue (the other side of every fill) and what it charges: fees, funding, borrow.
//!
//! Agents trade at the *mark*; the difference to the fill's price is slippage, a cost shared like the
//! fee. Opposite trades of agents meet at the mark and cost nothing. All cash is kept to
//! [`MONEY_SCALE`] digits; an agent's leg, a share, the venue's
//! bill are each rounded once, half to even, and what they differ by goes to the rounding account.
//!
//! There is one currency. A fee that a venue takes in an asset comes with its price, is booked as amount × price and
//! checked against what the fill says it is: nothing is converted here at a price of our own.
//!
//! # Invariants (tests carry their names)
//!
//! 1. `money1`: every posting balances per thing: the currency and each instrument.
//! 2. `money2`: cash + Σ position × mark over agents, treasury and rounding = the account as the
//!    outside sees it, to the last of 26 digits.
//! 3. `money3`: the same operations give the same books, byte for byte.
//! 4. `money4`: a position is the sum of its trades; closed to zero it has no cost basis; a book's cash
//!    is explained by funds, realised result, costs and cost basis.
//! 5. `money5`: funding and borrow over opposite books sum to zero.
//! 6. `money7`: moving funds conserves the total and leaves no equity below zero.
//! 7. `money8`: what is paid for a service is received to the last digit, and each pays its fair part.
//!
//! Never: rounds silently (all products go through [`exact`]), reads a clock, knows orders.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// By its name, as every room is called.
use hive_domain as domain;

mod book;
mod charge;
mod check;
pub mod exact;
#[cfg(test)]
mod laws;
mod trade;

pub use book::AgentBook;
pub use check::{Imbalance, Valuation};
pub use trade::TradeReport;

use crate::domain::money::MONEY_SCALE;
use crate::domain::{AgentId, AssetFee, Decimal, InstrumentId, Money};
use exact::{minus, money, money_units, moved, plus, quantity};
use serde::{Deserialize, Serialize};

/// Who can be on a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerAccount {
    /// An agent's book.
    Agent(AgentId),
    /// Cash nobody has been given, and what the desk holds for no agent.
    Treasury,
    /// What rounding left over.
    Rounding,
    /// The counterparty of fills.
    Venue,
    /// Where fees go that the agents pay.
    Fees,
    /// Funding paid to the venue.
    Funding,
    /// Borrow paid to the venue.
    Borrow,
    /// Where the money came from.
    Capital,
}

/// Why an operation was refused; the books are as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not in these books.
    #[error("agent {} has no book; books are opened when the run starts", .0.0)]
    NoSuchAgent(AgentId),
    /// Not in these books.
    #[error("instrument {} is not in the books; they are laid out when the run starts", .0.0)]
    NoSuchInstrument(InstrumentId),
    /// A held instrument has no mark.
    #[error("no mark for instrument {}, which is held; give one mark per instrument", .0.0)]
    NoMark(InstrumentId),
    /// Agents of a trade must be named once each, in ascending order.
    #[error("agent {} is named twice or out of order in a trade", .0.0)]
    OutOfOrder(AgentId),
    /// Attribution does not add up to what was filled.
    #[error("trades of agents sum to {net} but {filled} was filled; attribute exactly the fill")]
    NotMatched {
        /// Σ of the agents' trades.
        net: Decimal,
        /// Base units that the venue filled, signed.
        filled: Decimal,
    },
    /// A fill of another instrument.
    #[error("the fill is of instrument {}, the trade of another", .0.0)]
    WrongInstrument(InstrumentId),
    /// More digits than the books keep, or a negative price.
    #[error("{what} of {value} has more digits than the books keep, or the wrong sign")]
    TooFine {
        /// What kind of number.
        what: &'static str,
        /// Number that the books cannot keep.
        value: Decimal,
    },
    /// A fee in an asset, the price it was turned into money at and the money do not agree.
    #[error(
        "a fee of {} of asset {} at {} is not {fee} in the account's currency; tell a fee in an asset with the price it was \
         converted at, and what that gives",
        .told.amount, .told.asset.0, .told.rate
    )]
    FeeNotConverted {
        /// What was taken, and the price told with it.
        told: AssetFee,
        /// What the fill says it is in the account's currency.
        fee: Money,
    },
    /// Beyond the bounds of [`exact`].
    #[error("{0} leaves the range of the books")]
    Overflow(&'static str),
    /// Funds are moved in positive amounts.
    #[error("{0} cannot be moved; name a positive amount and the accounts in its direction")]
    NotPositive(Money),
    /// Only agents and the treasury give and take funds.
    #[error("funds move between agents and the treasury, not {0:?}")]
    NotMovable(LedgerAccount),
    /// The giver's equity would fall below zero.
    #[error("an equity of {equity} cannot give {amount}; move at most the equity")]
    Short {
        /// Marked equity of the giver.
        equity: Money,
        /// What was asked for.
        amount: Money,
    },
}

/// What stands outside the account: balances in units, as seen from there, so that all sums are zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outside {
    capital: i128,
    venue: i128,
    fees: i128,
    funding: i128,
    borrow: i128,
    /// Per instrument: minus what the account holds.
    positions: Vec<i128>,
}

impl Outside {
    /// All cash outside, in units.
    fn cash(&self) -> i128 {
        [self.capital, self.venue, self.fees, self.funding, self.borrow].into_iter().fold(0, plus)
    }
}

/// Notional traded in one instrument since the start. Statistics, not balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentTurnover {
    /// Met inside at the mark: what no venue saw.
    pub crossed: Money,
    /// Filled at the venue.
    pub traded: Money,
}

/// The books of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    agents: Vec<AgentBook>,
    treasury: AgentBook,
    rounding: i128,
    outside: Outside,
    turnover: Vec<InstrumentTurnover>,
}

impl Ledger {
    /// Stands for the treasury among the agents of a trade; sorts after all of them.
    pub const TREASURY: AgentId = AgentId(u32::MAX);

    /// Empty books for agents 0..`agents` and instruments 0..`instruments`.
    pub fn new(agents: usize, instruments: usize) -> Self {
        let zero = Decimal::new(0, MONEY_SCALE);
        Ledger {
            agents: vec![AgentBook::default(); agents],
            treasury: AgentBook::default(),
            rounding: 0,
            outside: Outside {
                capital: 0,
                venue: 0,
                fees: 0,
                funding: 0,
                borrow: 0,
                positions: vec![0; instruments],
            },
            turnover: vec![InstrumentTurnover { crossed: zero, traded: zero }; instruments],
        }
    }

    /// New capital, to the treasury.
    pub fn deposit(&mut self, amount: Money) -> Result<(), LedgerError> {
        let units = money_units(amount)?;
        if units <= 0 {
            return Err(LedgerError::NotPositive(amount));
        }
        let cash = moved(self.treasury.cash, units)?;
        let funded = moved(self.treasury.funded, units)?;
        self.outside.capital = moved(self.outside.capital, minus(0, units))?;
        (self.treasury.cash, self.treasury.funded) = (cash, funded);
        Ok(())
    }

    /// Moves funds between agents and the treasury. The giver's equity at these marks stays at or
    /// above zero.
    pub fn transfer(
        &mut self,
        from: LedgerAccount,
        to: LedgerAccount,
        amount: Money,
        marks: &[Decimal],
    ) -> Result<(), LedgerError> {
        let units = money_units(amount)?;
        if units <= 0 {
            return Err(LedgerError::NotPositive(amount));
        }
        let (giver, taker) = (self.movable(from)?, self.movable(to)?);
        let giver_value = self.book_of(giver)?.value(marks)?;
        if giver_value < exact::as_value(units)? {
            let equity = money(exact::from_value(giver_value));
            return Err(LedgerError::Short { equity, amount });
        }
        self.shift(giver, taker, units)
    }

    fn movable(&self, account: LedgerAccount) -> Result<AgentId, LedgerError> {
        let id = match account {
            LedgerAccount::Agent(id) => id,
            LedgerAccount::Treasury => Self::TREASURY,
            other => return Err(LedgerError::NotMovable(other)),
        };
        self.book_of(id).map(|_| id)
    }

    fn shift(&mut self, from: AgentId, to: AgentId, units: i128) -> Result<(), LedgerError> {
        if from == to {
            return Ok(());
        }
        let out = minus(0, units);
        let (giver, taker) = (self.book_of(from)?, self.book_of(to)?);
        let given = (moved(giver.cash, out)?, moved(giver.funded, out)?);
        let taken = (moved(taker.cash, units)?, moved(taker.funded, units)?);
        for (id, new) in [(from, given), (to, taken)] {
            if let Some(book) = self.book_mut(id) {
                (book.cash, book.funded) = new;
            }
        }
        Ok(())
    }

    /// How many agents have a book.
    pub fn agents(&self) -> usize {
        self.agents.len()
    }

    /// An agent's book; the treasury's for [`Ledger::TREASURY`].
    pub fn book(&self, agent: AgentId) -> Option<&AgentBook> {
        if agent == Self::TREASURY {
            return Some(&self.treasury);
        }
        self.agents.get(agent.index())
    }

    fn book_of(&self, agent: AgentId) -> Result<&AgentBook, LedgerError> {
        self.book(agent).ok_or(LedgerError::NoSuchAgent(agent))
    }

    fn book_mut(&mut self, agent: AgentId) -> Option<&mut AgentBook> {
        if agent == Self::TREASURY {
            return Some(&mut self.treasury);
        }
        self.agents.get_mut(agent.index())
    }

    /// All books with their owners, the treasury last.
    fn books(&self) -> impl Iterator<Item = (AgentId, &AgentBook)> {
        let owners = (0_u32..).map(AgentId);
        owners.zip(&self.agents).chain([(Self::TREASURY, &self.treasury)])
    }

    /// Cash of any account, seen from inside it; all of them with all agents sum to zero.
    pub fn cash(&self, account: LedgerAccount) -> Option<Money> {
        Some(money(match account {
            LedgerAccount::Agent(id) => self.book(id)?.cash,
            LedgerAccount::Treasury => self.treasury.cash,
            LedgerAccount::Rounding => self.rounding,
            LedgerAccount::Venue => self.outside.venue,
            LedgerAccount::Fees => self.outside.fees,
            LedgerAccount::Funding => self.outside.funding,
            LedgerAccount::Borrow => self.outside.borrow,
            LedgerAccount::Capital => self.outside.capital,
        }))
    }

    /// What an agent holds of an instrument, signed, in base units.
    pub fn position(&self, agent: AgentId, instrument: InstrumentId) -> Decimal {
        self.book(agent).map_or(Decimal::ZERO, |b| b.quantity(instrument))
    }

    /// What agents and treasury hold together: the sum over the books, not a counter beside them.
    pub fn net_position(&self, instrument: InstrumentId) -> Decimal {
        quantity(self.net(instrument))
    }

    fn net(&self, instrument: InstrumentId) -> i128 {
        self.books().map(|(_, book)| book.held(instrument)).fold(0, plus)
    }

    /// The counterparty's side of the position: minus the net position, kept by fills alone.
    pub fn venue_position(&self, instrument: InstrumentId) -> Option<Decimal> {
        self.outside.positions.get(instrument.index()).copied().map(quantity)
    }

    /// The instruments of which the counterparty's side is not zero, ascending: of hundreds that are listed, few.
    pub fn open_positions(&self) -> impl Iterator<Item = InstrumentId> {
        let held = self.outside.positions.iter().enumerate().filter(|(_, units)| **units != 0);
        held.map(|(i, _)| InstrumentId(i as u16))
    }

    /// Σ|position| and Σ position at these marks, by the counterparty's side; each position's worth is rounded once.
    pub fn exposed(&self, marks: &[Decimal]) -> Result<(Money, Money), LedgerError> {
        let (mut gross, mut net) = (0, 0);
        for id in self.open_positions() {
            let units = self.outside.positions.get(id.index()).map_or(0, |units| minus(0, *units));
            let mark = marks.get(id.index()).ok_or(LedgerError::NoMark(id))?;
            let worth = exact::worth(units, *mark)?;
            gross = plus(gross, worth.abs());
            net = plus(net, worth);
        }
        Ok((money(gross), money(net)))
    }

    /// What was crossed and traded in an instrument so far.
    pub fn turnover(&self, instrument: InstrumentId) -> Option<&InstrumentTurnover> {
        self.turnover.get(instrument.index())
    }
}
