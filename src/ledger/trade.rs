//! The desk's attribution: what was filled and what was crossed, booked to each agent.

use super::book::CheckedTrade;
use super::exact::{
    minus, money, money_bound, money_units, moved, notional, plus, price_units, product, quantity,
    quantity_bound, quantity_units, share,
};
use super::{Ledger, LedgerError};
use crate::domain::money::MONEY_SCALE;
use crate::domain::{AgentId, Decimal, Fill, InstrumentId, Money};

/// What one trade came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeReport {
    /// Σ of the agents' trades: what went through the venue, signed.
    pub net: Decimal,
    /// Notional met inside at the mark: ½(Σ|Δ| − |ΣΔ|) × mark.
    pub crossed: Money,
    /// Notional filled at the venue: |ΣΔ| × price.
    pub traded: Money,
    /// Half-spread and impact that were shared out; negative is an improvement.
    pub slippage: Money,
    /// The fee that was shared out.
    pub fee: Money,
    /// What rounding of the agents' legs left over.
    pub rounding: Money,
}

/// The sums of a trade, known before any book is touched; all in units.
struct Flow {
    mark: i128,
    buys: i128,
    sells: i128,
    net: i128,
    /// Net at the fill's price, what the venue is paid.
    bill: i128,
    /// Net at the mark, what the agents pay together.
    due: i128,
    fee: i128,
}

impl Flow {
    fn of(
        instrument: InstrumentId,
        mark: Decimal,
        deltas: &[(AgentId, Decimal)],
        fill: Option<&Fill>,
    ) -> Result<Flow, LedgerError> {
        let mark = price_units(mark)?;
        let (mut buys, mut sells) = (0, 0);
        let mut last = None;
        for &(agent, delta) in deltas {
            if last.is_some_and(|before| before >= agent) {
                return Err(LedgerError::OutOfOrder(agent));
            }
            last = Some(agent);
            let units = quantity_units(delta)?;
            if units > 0 {
                buys = plus(buys, units);
            } else {
                sells = minus(sells, units);
            }
        }
        let net = quantity_bound(minus(quantity_bound(buys)?, quantity_bound(sells)?))?;
        let filled = fill.map_or(Decimal::ZERO, |f| f.quantity);
        if net != quantity_units(filled)? {
            return Err(LedgerError::NotMatched { net: quantity(net), filled });
        }
        let due = notional(net, mark)?;
        let (mut bill, mut fee) = (due, 0);
        if let Some(f) = fill {
            if f.instrument != instrument {
                return Err(LedgerError::WrongInstrument(f.instrument));
            }
            if net == 0 {
                // It has nobody to charge its fee to; refuse it rather than lose it.
                return Err(LedgerError::NotPositive(f.quantity));
            }
            bill = notional(net, price_units(f.price)?)?;
            fee = fee_units(f)?;
        }
        Ok(Flow { mark, buys, sells, net, bill, due, fee })
    }

    /// Quantity on the net's side: those agents caused the venue's bill and share its cost.
    fn payers(&self) -> u128 {
        if self.net > 0 { self.buys.unsigned_abs() } else { self.sells.unsigned_abs() }
    }
}

/// The fee of a fill in money units; where it was taken in an asset, only if its price gives just that.
fn fee_units(fill: &Fill) -> Result<i128, LedgerError> {
    let fee = money_units(fill.fee)?;
    let Some(told) = fill.fee_in else { return Ok(fee) };
    // A fee at no price would be a fee that is lost.
    if told.rate > Decimal::ZERO && money_units(product(told.amount, told.rate)?)? == fee {
        return Ok(fee);
    }
    Err(LedgerError::FeeNotConverted { told, fee: fill.fee })
}

/// Shares a cost out in order: each gets the difference of the rounded running share, so that the
/// shares sum to the whole exactly and none is off by more than one unit.
pub(super) struct Sharing {
    pub(super) whole: i128,
    pub(super) given: i128,
}

impl Sharing {
    pub(super) fn next(&mut self, until: u128, of: u128) -> i128 {
        if self.whole == 0 {
            return 0;
        }
        let upto = share(self.whole, until, of);
        let part = minus(upto, self.given);
        self.given = upto;
        part
    }
}

impl Ledger {
    /// Books one trade of an instrument: agent i's position changes by Δᵢ at `mark`, and Σ Δᵢ is
    /// exactly what `fill` filled (nothing without a fill). Slippage against the mark and the fee are
    /// shared pro rata to |Δᵢ| among the agents on the net's side. `deltas` name each agent once, in
    /// ascending order; [`Ledger::TREASURY`], which sorts last, may be among them.
    pub fn trade(
        &mut self,
        instrument: InstrumentId,
        mark: Decimal,
        deltas: &[(AgentId, Decimal)],
        fill: Option<&Fill>,
    ) -> Result<TradeReport, LedgerError> {
        let index = instrument.index();
        let unknown = LedgerError::NoSuchInstrument(instrument);
        let venue = *self.outside.positions.get(index).ok_or(unknown)?;
        let flow = Flow::of(instrument, mark, deltas, fill)?;
        let (entries, paid) = self.entries(instrument, deltas, &flow)?;

        // Everything that can fail has its result before the first write.
        let left = minus(paid, flow.due);
        let position = quantity_bound(minus(venue, flow.net))?;
        let venue_cash = moved(self.outside.venue, flow.bill)?;
        let fees = moved(self.outside.fees, flow.fee)?;
        let rounding = moved(self.rounding, left)?;
        let crossed = money_bound(notional(flow.buys.min(flow.sells), flow.mark)?)?;
        let report = TradeReport {
            net: quantity(flow.net),
            crossed: money(crossed),
            traded: money(flow.bill).abs(),
            slippage: money(money_bound(minus(flow.bill, flow.due))?),
            fee: money(flow.fee),
            rounding: money(money_bound(left)?),
        };

        for (agent, entry) in &entries {
            if let Some(book) = self.book_mut(*agent) {
                book.enter(entry);
            }
        }
        (self.outside.venue, self.outside.fees, self.rounding) = (venue_cash, fees, rounding);
        if let Some(p) = self.outside.positions.get_mut(index) {
            *p = position;
        }
        if let Some(t) = self.turnover.get_mut(index) {
            t.crossed = counted(t.crossed, report.crossed);
            t.traded = counted(t.traded, report.traded);
        }
        Ok(report)
    }

    /// Works out every agent's entry, and what they pay together at the mark.
    fn entries(
        &self,
        instrument: InstrumentId,
        deltas: &[(AgentId, Decimal)],
        flow: &Flow,
    ) -> Result<(Vec<(AgentId, CheckedTrade)>, i128), LedgerError> {
        let of = flow.payers();
        let mut slippage = Sharing { whole: minus(flow.bill, flow.due), given: 0 };
        let mut fee = Sharing { whole: flow.fee, given: 0 };
        let mut entries = Vec::with_capacity(deltas.len());
        let (mut until, mut paid) = (0_u128, 0);
        for &(agent, delta) in deltas {
            let book = self.book_of(agent)?;
            let units = quantity_units(delta)?;
            if units == 0 {
                continue;
            }
            let (mut slip, mut due) = (0, 0);
            if flow.net != 0 && (units > 0) == (flow.net > 0) {
                until = until.saturating_add(units.unsigned_abs());
                slip = slippage.next(until, of);
                due = fee.next(until, of);
            }
            let entry = book.plan(instrument, units, flow.mark, slip, due)?;
            paid = plus(paid, entry.paid);
            entries.push((agent, entry));
        }
        Ok((entries, paid))
    }
}

/// Turnover is a statistic: at the end of its range it stays there rather than stop trading.
fn counted(so_far: Money, more: Money) -> Money {
    so_far
        .mantissa()
        .checked_add(more.mantissa())
        .and_then(|units| Decimal::try_from_i128_with_scale(units, MONEY_SCALE).ok())
        .unwrap_or(so_far)
}
