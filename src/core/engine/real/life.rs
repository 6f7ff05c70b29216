//! Both together: the account and how it trades, marked at barriers, and a fill told apart and booked.

use super::account::Account;
use super::context::{StepContext, price};
use super::execution::Execution;
use super::spec::RealSpec;
use crate::agents::Population;
use crate::domain::{Decimal, Fill, InstrumentId, money};
use crate::engine::outputs::Scratch;
use crate::engine::packages::Packages;
use crate::engine::{Outputs, Settings, TradesAt};
use crate::execution::{AccountVenue, Outbox, PaperVenue};
use crate::ledger::LedgerAccount;
use crate::treasury::Mode;
use serde::{Deserialize, Serialize};

/// The real life of the hive: what is owned, and what trades it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Real {
    /// What is owned and owed.
    pub account: Account,
    /// What the desk wants, what was sent, and what came of it.
    pub execution: Execution<AccountVenue>,
}

impl Real {
    /// All capital is with the treasury.
    pub fn new(spec: &RealSpec, cast: &Population, settings: &Settings) -> Self {
        let n = spec.instruments.len();
        let venue = match settings.trades {
            TradesAt::Paper => AccountVenue::Paper(PaperVenue::listing(spec.coins())),
            TradesAt::Venues => AccountVenue::Outside(Outbox::default()),
        };
        let packages = if spec.has_packages { Packages::new(cast) } else { Packages::default() };
        Real {
            account: Account::new(cast, settings, n),
            execution: Execution::new(venue, spec, settings, packages),
        }
    }

    /// Attributes and books one instrument's fill and rotation; `leg` of the fill is the carrier's own. Whether
    /// it could be booked; what each had of it is in `out` then.
    pub(super) fn book(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        mark: Decimal,
        fill: Option<Fill>,
        leg: Decimal,
        out: &mut Outputs,
    ) -> bool {
        let spec = cx.spec;
        let atoms = spec.desk.atoms(id);
        let counts = |f: &Fill| atoms.count(f.quantity - leg).zip(atoms.count(leg));
        let Some((filled, leg_atoms)) = fill.as_ref().map_or(Some((0, 0)), counts) else {
            let symbol = &spec.instruments[id.index()].symbol;
            self.account.halt(format!("a fill of {symbol} is no whole number of atoms"), out);
            return false;
        };
        // What the carrier became short of since the last booking is bought by the agents, wherever it came
        // from: the exposure is theirs.
        let index = id.index();
        let carrier = self.execution.services.assets.get(index).and_then(|served| served.carrier);
        let owed = carrier.map_or(Decimal::ZERO, |_| self.execution.services.assets[index].unmirrored());
        let Some(carried) = atoms.count(owed) else {
            let symbol = &spec.instruments[index].symbol;
            self.account.halt(format!("{owed} {symbol} carried is no whole number of atoms"), out);
            return false;
        };
        let Scratch { changes, deltas, .. } = &mut out.scratch;
        changes.clear();
        self.execution.desk.attribute(&spec.desk, id, filled + carried, changes);
        if let Some(f) = &fill {
            self.execution.services.assets[index].crossed(f);
        }
        out.fills.extend(fill);
        if let Some(carrier) = carrier.filter(|_| carried != 0 || leg_atoms != 0) {
            self.execution.services.assets[index].mirror(leg);
            match changes.binary_search_by_key(&carrier, |c| c.0) {
                Ok(at) => changes[at].1 += leg_atoms - carried,
                Err(at) => changes.insert(at, (carrier, leg_atoms - carried)),
            }
        }
        if changes.is_empty() && fill.is_none() {
            return true;
        }
        deltas.clear();
        deltas.extend(changes.iter().map(|(a, n)| (*a, atoms.quantity(*n))));
        let booked = self.account.trade(id, mark, deltas, fill.as_ref());
        match booked {
            Ok(report) => {
                self.account.paid += report.fee + report.slippage;
                fill.iter().for_each(|f| out.keep_told_apart(f));
            }
            Err(e) => {
                let symbol = &spec.instruments[id.index()].symbol;
                self.account.halt(format!("{symbol}: the books refused a trade: {e}"), out);
            }
        }
        booked.is_ok()
    }

    /// Marks the account at a barrier and looks at breaker and venue.
    pub fn mark(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let StepContext { spec, at, market, .. } = *cx;
        for (_, spot) in spec.services.held() {
            let index = spot.index();
            if let Some(last) = market.price(spot) {
                self.account.confirmed[index] = self.account.marks[index];
                self.account.mark(spot, price(last.value, &spec.instruments[index]));
            }
        }
        self.reckon_liquidity(cx, out);
        self.mark_packages(cx);
        self.sweep(cx, out);
        self.charge_borrow(cx, out);
        self.charge_packages(cx, out);
        self.reconcile(cx, out);
        let mut equity = self.account.ledger.account_equity(&self.account.marks);
        let ruin = equity.as_ref().ok().copied().and_then(|e| self.liquidate(cx, e, out));
        if ruin.is_some() {
            equity = self.account.ledger.account_equity(&self.account.marks);
        }
        match equity {
            Ok(equity) => {
                self.account.equity = equity;
                self.account.curve.push(at, money::to_estimate(equity));
                if let Some(latch) = self.account.breaker.observe(at, equity) {
                    out.alarms.push(format!(
                        "breaker: drawdown of {:.1} % at {at}; everything is closed and stays closed until it is reset",
                        100.0 * latch.drawdown
                    ));
                }
            }
            Err(e) => self.account.halt(format!("equity could not be computed: {e}"), out),
        }
        // After the breaker has had its say: it opens by a reset, and this does not.
        if let Some(ruin) = ruin {
            self.end(cx, ruin, out);
        }
        self.account.barriers += 1;
        self.account.running += u64::from(self.account.mode() == Mode::Running);
    }

    /// Whether all books agree: every posting balances, agents sum to the account, desk and venue hold
    /// the same.
    pub fn balances(&self, spec: &RealSpec) -> Result<(), String> {
        self.account.ledger.check(&self.account.marks).map_err(|e| e.to_string())?;
        for instrument in &spec.instruments {
            let held = self.execution.position(spec, instrument.id);
            let books = self.account.ledger.net_position(instrument.id);
            if held != books {
                return Err(format!("{}: the desk holds {held}, the books say {books}", instrument.symbol));
            }
        }
        let rounding = self.account.ledger.cash(LedgerAccount::Rounding).unwrap_or_default();
        (rounding.abs() < Decimal::ONE)
            .then_some(())
            .ok_or_else(|| format!("rounding has piled up to {rounding}"))
    }
}
