//! Funding and borrow: charges on what is held; and what agents pay each other for a service.
//!
//! The venue bills the net position; every holder pays on its own. What longs and shorts of the hive
//! owe each other never leaves the account.

use super::exact::{
    charge, charge_per_unit, minus, money, money_bound, money_units, moved, plus, quantity, quantity_units,
    share,
};
use super::trade::Sharing;
use super::{Ledger, LedgerError};
use crate::domain::{AgentId, Decimal, InstrumentId, Money};

/// The tally that a charge goes to.
#[derive(Clone, Copy)]
enum Charge {
    Funding,
    Borrow,
}

impl Ledger {
    /// A funding settlement: every holder pays quantity × mark × rate, so shorts receive where longs
    /// pay. Returns what the account paid the venue: the same on the net position.
    pub fn funding(
        &mut self,
        instrument: InstrumentId,
        mark: Decimal,
        rate: Decimal,
    ) -> Result<Money, LedgerError> {
        let per_unit = charge_per_unit(mark, rate)?;
        let mut legs = self.holders(instrument)?;
        for (_, leg) in &mut legs {
            *leg = charge(*leg, per_unit)?;
        }
        let bill = charge(self.net(instrument), per_unit)?;
        self.post(Charge::Funding, &legs, bill)
    }

    /// Who holds an instrument now, and how much.
    pub fn held_by(&self, instrument: InstrumentId) -> Vec<(AgentId, Decimal)> {
        let holders = self.holders(instrument).unwrap_or_default();
        holders.into_iter().map(|(agent, units)| (agent, quantity(units))).collect()
    }

    /// A funding settlement as the venue billed it, shared among those who held it when it was settled, at the rate that the
    /// bill comes to on their net position, so that what they owe each other is settled at it too. A bill on nothing is the
    /// treasury's: it came all the same.
    pub fn funding_billed(
        &mut self,
        instrument: InstrumentId,
        settled: &[(AgentId, Decimal)],
        bill: Money,
    ) -> Result<Money, LedgerError> {
        if self.outside.positions.len() <= instrument.index() {
            return Err(LedgerError::NoSuchInstrument(instrument));
        }
        let bill = money_units(bill)?;
        let units = |(agent, held): &(AgentId, Decimal)| Ok((*agent, quantity_units(*held)?));
        let mut legs = settled.iter().map(units).collect::<Result<Vec<_>, LedgerError>>()?;
        let net = legs.iter().map(|leg| leg.1).fold(0, plus);
        if net == 0 {
            return self.post(Charge::Funding, &[(Self::TREASURY, bill)], bill);
        }
        for (_, leg) in &mut legs {
            let is_refund = (*leg < 0) != ((net < 0) != (bill < 0));
            let of = (bill.saturating_abs(), leg.unsigned_abs(), net.unsigned_abs());
            let part = of.1.checked_mul(of.0.unsigned_abs()).map(|_| share(of.0, of.1, of.2));
            let part = part.ok_or(LedgerError::Overflow("a share of funding"))?;
            *leg = if is_refund { minus(0, part) } else { part };
        }
        self.post(Charge::Funding, &legs, bill)
    }

    /// Borrow for a span: every short pays |quantity| × mark × `fraction`. The venue lends, and bills,
    /// only the net short; the rest is lent by the hive's own longs, who receive it pro rata. Returns
    /// what the account paid the venue.
    pub fn borrow(
        &mut self,
        instrument: InstrumentId,
        mark: Decimal,
        fraction: Decimal,
    ) -> Result<Money, LedgerError> {
        if fraction.is_sign_negative() {
            return Err(LedgerError::TooFine { what: "a borrow fraction", value: fraction });
        }
        let per_unit = charge_per_unit(mark, fraction)?;
        let mut legs = self.holders(instrument)?;
        let net = legs.iter().map(|leg| leg.1).fold(0, plus);
        let longs = legs.iter().map(|leg| leg.1.max(0)).fold(0, plus).unsigned_abs();
        let mut owed = 0;
        for (_, leg) in legs.iter().filter(|(_, held)| *held < 0) {
            owed = minus(owed, charge(*leg, per_unit)?);
        }
        let bill = charge(minus(0, net.min(0)), per_unit)?;
        // Rounding may make the bill the larger by a unit; then there is nothing to lend.
        let lent = minus(owed, bill).max(0);
        let (mut until, mut given) = (0_u128, 0);
        for (_, leg) in &mut legs {
            if *leg < 0 {
                *leg = minus(0, charge(*leg, per_unit)?);
            } else {
                until = until.saturating_add(leg.unsigned_abs());
                let upto = share(lent, until, longs);
                *leg = minus(given, upto);
                given = upto;
            }
        }
        self.post(Charge::Borrow, &legs, bill)
    }

    /// A fee that comes without a trade: the gas of a chain, or, negative, what a pool pays to one who provides.
    pub fn fee(&mut self, agent: AgentId, due: Money) -> Result<(), LedgerError> {
        let due = money_units(due)?;
        let book = self.book_of(agent)?;
        let (cash, sum) = (moved(book.cash, minus(0, due))?, moved(book.sums.fees, due)?);
        let fees = moved(self.outside.fees, due)?;
        self.outside.fees = fees;
        if let Some(book) = self.book_mut(agent) {
            (book.cash, book.sums.fees) = (cash, sum);
        }
        Ok(())
    }

    /// What was agreed for a service goes from those it was done for to who did it: each of `payers` pays in proportion
    /// to the size of its quantity, and together they pay `fee` exactly. They are named once each, in ascending order;
    /// [`Ledger::TREASURY`], which sorts last, may be among them, and so may who did it. Returns what each of them paid.
    pub fn service(
        &mut self,
        payers: &[(AgentId, Decimal)],
        to: AgentId,
        fee: Money,
    ) -> Result<Vec<(AgentId, Money)>, LedgerError> {
        let whole = money_units(fee)?;
        if whole < 0 {
            return Err(LedgerError::NotPositive(fee));
        }
        let mut sizes = Vec::with_capacity(payers.len().saturating_add(1));
        for &(agent, quantity) in payers {
            if sizes.last().is_some_and(|last: &(AgentId, u128)| last.0 >= agent) {
                return Err(LedgerError::OutOfOrder(agent));
            }
            sizes.push((agent, quantity_units(quantity)?.unsigned_abs()));
        }
        let of = sizes.iter().fold(0_u128, |sum, (_, size)| sum.saturating_add(*size));
        if whole == 0 {
            return Ok(Vec::new());
        }
        if of == 0 {
            // Nobody could pay it; refuse it rather than make money.
            return Err(LedgerError::NotPositive(fee));
        }
        let mut sharing = Sharing { whole, given: 0 };
        let mut until = 0_u128;
        let mut dues: Vec<(AgentId, i128)> = Vec::with_capacity(sizes.len().saturating_add(1));
        for (agent, size) in sizes {
            until = until.saturating_add(size);
            dues.push((agent, sharing.next(until, of)));
        }
        let paid = dues.iter().map(|(agent, due)| (*agent, money(*due))).collect();
        match dues.iter_mut().find(|due| due.0 == to) {
            Some(due) => due.1 = minus(due.1, whole),
            None => dues.push((to, minus(0, whole))),
        }
        // Everything that can fail has its result before the first write.
        let mut entries = Vec::with_capacity(dues.len());
        for (agent, due) in dues {
            let book = self.book_of(agent)?;
            entries.push((agent, moved(book.cash, minus(0, due))?, moved(book.sums.fees, due)?));
        }
        for (agent, cash, fees) in entries {
            if let Some(book) = self.book_mut(agent) {
                (book.cash, book.sums.fees) = (cash, fees);
            }
        }
        Ok(paid)
    }

    /// Who holds an instrument, in quantity units.
    fn holders(&self, instrument: InstrumentId) -> Result<Vec<(AgentId, i128)>, LedgerError> {
        if self.outside.positions.len() <= instrument.index() {
            return Err(LedgerError::NoSuchInstrument(instrument));
        }
        let mut holders = Vec::with_capacity(self.agents().saturating_add(1));
        self.books().for_each(|(agent, book)| {
            let held = book.held(instrument);
            if held != 0 {
                holders.push((agent, held));
            }
        });
        Ok(holders)
    }

    /// Posts what each pays (once per agent, money units) and what the venue is paid; the difference
    /// goes to rounding.
    fn post(&mut self, kind: Charge, legs: &[(AgentId, i128)], bill: i128) -> Result<Money, LedgerError> {
        let mut entries = Vec::with_capacity(legs.len());
        let mut paid = 0;
        for &(agent, due) in legs {
            let book = self.book_of(agent)?;
            paid = plus(paid, due);
            let before = match kind {
                Charge::Funding => book.sums.funding,
                Charge::Borrow => book.sums.borrow,
            };
            entries.push((agent, moved(book.cash, minus(0, due))?, moved(before, due)?));
        }
        let bill = money_bound(bill)?;
        let rounding = moved(self.rounding, minus(paid, bill))?;
        let sink = match kind {
            Charge::Funding => &mut self.outside.funding,
            Charge::Borrow => &mut self.outside.borrow,
        };
        *sink = moved(*sink, bill)?;

        self.rounding = rounding;
        for (agent, cash, total) in entries {
            if let Some(book) = self.book_mut(agent) {
                book.cash = cash;
                match kind {
                    Charge::Funding => book.sums.funding = total,
                    Charge::Borrow => book.sums.borrow = total,
                }
            }
        }
        Ok(money(bill))
    }
}
