//! The account: its state, what it holds and is worth, how a fill is told apart and booked, and how it halts.

use super::context::StepContext;
use super::spec::RealSpec;
use crate::agents::Population;
use crate::domain::step::Rounding;
use crate::domain::{AgentId, Decimal, Fill, Instrument, InstrumentId, Money, OrderId, Stamp, money};
use crate::engine::outputs::Scratch;
use crate::engine::services::Services;
use crate::engine::{Outputs, Settings};
use crate::execution::{OrderRouter, PaperVenue};
use crate::hive::curve::{Base, EquityCurve};
use crate::ledger::exact::product;
use crate::ledger::{Account, Ledger, LedgerError};
use crate::treasury::desk::DeskState;
use crate::treasury::funds::Funds;
use crate::treasury::{Breaker, Gate, Mode, OperatorControls};
use serde::{Deserialize, Serialize};

/// The account: funds, desk, gate, venue and books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Real {
    /// Who has funds.
    pub funds: Funds,
    /// Stances become positions.
    pub desk: DeskState,
    /// What lets orders out.
    pub gate: Gate,
    /// The drawdown breaker.
    pub breaker: Breaker,
    /// The operator's hand.
    pub hand: OperatorControls,
    /// What was sent to the venue, and what became of it.
    pub router: OrderRouter<PaperVenue>,
    /// Cash and positions of all agents, exact.
    pub ledger: Ledger,
    /// Marked equity over time.
    pub curve: EquityCurve,
    /// By instrument: the last close; zero before the first.
    pub marks: Vec<Decimal>,
    /// What agents do for each other.
    pub services: Services,
    /// By instrument: the close before the last, by which the gate knows a jump.
    pub(super) confirmed: Vec<Decimal>,
    /// Why trading is halted, if it is.
    pub halted: Option<String>,
    /// Since when the fate of an order has been open, or the venue has not spoken; none while all is settled.
    pub(super) unsettled: Option<Stamp>,
    /// Whether that has lasted longer than it may.
    pub(super) is_in_doubt: bool,
    /// By instrument: the order that may still fill.
    pub(super) working: Vec<Option<OrderId>>,
    pub(super) next_order: u64,
    pub(super) sent: u64,
    barriers: u64,
    running: u64,
    /// Fees, spread and impact since the day was taken.
    pub(super) paid: Money,
    day_equity: Money,
    pub(super) equity: Money,
    /// By declared agent, and of the account: PnL when the last day closed.
    day_pnl: (Vec<Money>, Money),
}

impl Real {
    /// All capital is with the treasury.
    pub fn new(spec: &RealSpec, cast: &Population, settings: &Settings) -> Self {
        let n = spec.instruments.len();
        let mut ledger = Ledger::new(cast.declared, n);
        let deposited = ledger.deposit(settings.money);
        Real {
            funds: Funds::new(cast),
            desk: DeskState::new(&spec.desk),
            gate: Gate::new(settings.gate),
            breaker: Breaker::new(settings.breaker),
            hand: OperatorControls::new(cast.declared),
            router: OrderRouter::new(PaperVenue::new(n), n),
            ledger,
            curve: EquityCurve::new(Base::Compound, settings.capital),
            marks: vec![Decimal::ZERO; n],
            services: Services::new(spec.traded),
            confirmed: vec![Decimal::ZERO; n],
            halted: deposited.err().map(|e| format!("the capital could not be booked: {e}")),
            unsettled: None,
            is_in_doubt: false,
            working: vec![None; n],
            next_order: 1,
            sent: 0,
            barriers: 0,
            running: 0,
            paid: Decimal::ZERO,
            day_equity: settings.money,
            equity: settings.money,
            day_pnl: (vec![Decimal::ZERO; cast.declared], settings.money),
        }
    }

    /// Attributes and books one instrument's fill and rotation; `leg` of the fill is the carrier's own.
    pub(super) fn book(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        mark: Decimal,
        fill: Option<Fill>,
        leg: Decimal,
        out: &mut Outputs,
    ) {
        let spec = cx.spec;
        let atoms = spec.desk.atoms(id);
        let counts = |f: &Fill| atoms.count(f.quantity - leg).zip(atoms.count(leg));
        let Some((filled, leg_atoms)) = fill.as_ref().map_or(Some((0, 0)), counts) else {
            return self.halt(
                format!("a fill of {} is no whole number of atoms", spec.instruments[id.index()].symbol),
                out,
            );
        };
        // What the carrier became short of since the last booking is bought by the agents, wherever it came
        // from: the exposure is theirs.
        let index = id.index();
        let carrier = spec.services.carriers.get(index).copied().flatten();
        let owed = carrier.map_or(Decimal::ZERO, |_| self.services.unmirrored(index));
        let Some(carried) = atoms.count(owed) else {
            return self.halt(
                format!("{owed} {} carried is no whole number of atoms", spec.instruments[index].symbol),
                out,
            );
        };
        let Scratch { changes, deltas } = &mut out.scratch;
        changes.clear();
        self.desk.attribute(&spec.desk, id, filled + carried, changes);
        if let Some(f) = &fill {
            self.services.crossed(index, f);
        }
        out.fills.extend(fill);
        if let Some(carrier) = carrier.filter(|_| carried != 0 || leg_atoms != 0) {
            self.services.mirror(index, leg);
            match changes.binary_search_by_key(&carrier, |c| c.0) {
                Ok(at) => changes[at].1 += leg_atoms - carried,
                Err(at) => changes.insert(at, (carrier, leg_atoms - carried)),
            }
        }
        if changes.is_empty() && fill.is_none() {
            return;
        }
        deltas.clear();
        deltas.extend(changes.iter().map(|(a, n)| (*a, atoms.quantity(*n))));
        match self.ledger.trade(id, mark, deltas, fill.as_ref()) {
            Ok(report) => self.paid += report.fee + report.slippage,
            Err(e) => self.halt(
                format!("{}: the books refused a trade: {e}", spec.instruments[id.index()].symbol),
                out,
            ),
        }
    }

    /// Marks the account at a barrier and looks at breaker and venue.
    pub fn mark(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let StepContext { spec, at, market, .. } = *cx;
        for (_, spot, _) in spec.services.held() {
            let index = spot.index();
            if let Some(last) = market.price(spot) {
                self.confirmed[index] = self.marks[index];
                self.marks[index] = price(last.value, &spec.instruments[index]);
            }
        }
        self.reconcile(cx, out);
        match self.ledger.account_equity(&self.marks) {
            Ok(equity) => {
                self.equity = equity;
                self.curve.push(at, money::to_estimate(equity));
                if let Some(latch) = self.breaker.observe(at, equity) {
                    out.alarms.push(format!(
                        "breaker: drawdown of {:.1} % at {at}; everything is closed and stays closed until it is reset",
                        100.0 * latch.drawdown
                    ));
                }
            }
            Err(e) => self.halt(format!("equity could not be computed: {e}"), out),
        }
        self.barriers += 1;
        self.running += u64::from(self.mode() == Mode::Running);
    }

    /// Whether new risk may be taken.
    pub fn mode(&self) -> Mode {
        match () {
            () if self.halted.is_some() => Mode::Halted,
            // What may still come is not known: what is held may shrink, and nothing is opened on top of it.
            () if self.is_in_doubt => Mode::Reducing.max(self.breaker.mode()).max(self.hand.mode()),
            () => self.breaker.mode().max(self.hand.mode()),
        }
    }

    /// The operator has looked and wants to go on; whether the breaker had tripped. A reset of one that
    /// has not would give up the peak that it measures from.
    pub fn reset_breaker(&mut self) -> bool {
        let tripped = self.breaker.latched().is_some();
        if tripped {
            self.breaker.reset(self.equity);
        }
        tripped
    }

    /// What the account holds of an instrument: of a perp, what all agents hold and what the carrier is short.
    pub fn position(&self, spec: &RealSpec, id: InstrumentId) -> Decimal {
        if id.index() < spec.traded {
            let agents = spec.desk.atoms(id).quantity(self.desk.held(id));
            return agents + self.services.perp(id.index());
        }
        spec.services.desk_index(id).map_or(Decimal::ZERO, |index| self.services.spot_held[index])
    }

    /// What the account holds by the books' own record of its counterparty.
    pub(super) fn booked(&self, id: InstrumentId) -> Decimal {
        self.ledger.venue_position(id).map_or(Decimal::ZERO, |p| -p)
    }

    /// Σ|position| and Σ position at the marks.
    pub(super) fn exposed(&self) -> Result<(Money, Money), LedgerError> {
        let (mut gross, mut net) = (Decimal::ZERO, Decimal::ZERO);
        for (i, mark) in self.marks.iter().enumerate() {
            let position = self.booked(InstrumentId(i as u16));
            if !position.is_zero() {
                let notional = product(position, *mark)?;
                gross += notional.abs();
                net += notional;
            }
        }
        Ok((gross, net))
    }

    /// Gross and net exposure in multiples of equity.
    pub fn exposure(&self) -> (f64, f64) {
        let equity = money::to_estimate(self.equity).max(f64::MIN_POSITIVE);
        let notional = |(i, mark): (usize, &Decimal)| {
            money::to_estimate(self.booked(InstrumentId(i as u16))) * money::to_estimate(*mark) / equity
        };
        let each = self.marks.iter().enumerate().map(notional);
        each.fold((0.0, 0.0), |(gross, net), w| (gross + libm::fabs(w), net + w))
    }

    /// Marked equity as of the last barrier.
    pub fn equity(&self) -> Money {
        self.equity
    }

    /// Orders that reached the venue.
    pub fn orders_sent(&self) -> u64 {
        self.sent
    }

    /// Share of barriers at which trading was not halted; 1 before the first.
    pub fn running_share(&self) -> f64 {
        if self.barriers == 0 { 1.0 } else { self.running as f64 / self.barriers as f64 }
    }

    /// Profit before trading costs, and the costs, since this was last asked.
    pub fn take_day(&mut self) -> (f64, f64) {
        let cost = money::to_estimate(std::mem::take(&mut self.paid));
        let before = std::mem::replace(&mut self.day_equity, self.equity);
        (money::to_estimate(self.equity - before) + cost, cost)
    }

    /// What each agent's book and the account gained since this was last asked, as fractions of the equity
    /// then.
    pub fn gains(&mut self) -> Result<(Vec<f64>, f64), LedgerError> {
        let base = money::to_estimate(self.day_pnl.1).max(f64::MIN_POSITIVE);
        let mut gained = Vec::with_capacity(self.day_pnl.0.len());
        for (i, before) in self.day_pnl.0.iter_mut().enumerate() {
            let pnl = self.ledger.pnl(AgentId(i as u32), &self.marks)?;
            gained.push(money::to_estimate(pnl - std::mem::replace(before, pnl)) / base);
        }
        let before = std::mem::replace(&mut self.day_pnl.1, self.equity);
        Ok((gained, money::to_estimate(self.equity - before) / base))
    }

    /// Once a day: who is stopped out, who returns, and the spread of funds when it is due.
    pub fn review(&mut self, settings: &Settings, at: Stamp, points: &[f64], out: &mut Outputs) {
        let changed = match self.funds.review(at, &self.ledger, &self.marks, points, &settings.funds) {
            Ok(changed) => changed,
            Err(e) => return self.halt(format!("funds could not be reviewed: {e}"), out),
        };
        if changed || self.funds.is_due(at, &settings.funds) {
            let spread = self.funds.spread(at, &mut self.ledger, &self.marks, points, &settings.funds);
            self.guard("funds", &spread, out);
        }
    }

    pub(super) fn guard<T>(&mut self, what: &str, result: &Result<T, LedgerError>, out: &mut Outputs) {
        if let Err(e) = result {
            self.halt(format!("{what} could not be booked: {e}"), out);
        }
    }

    /// Fails closed, and keeps the first reason.
    pub(super) fn halt(&mut self, why: String, out: &mut Outputs) {
        out.alarms.push(format!("halted: {why}"));
        self.halted.get_or_insert(why);
    }

    /// Whether all books agree: every posting balances, agents sum to the account, desk and venue hold
    /// the same.
    pub fn balances(&self, spec: &RealSpec) -> Result<(), String> {
        self.ledger.check(&self.marks).map_err(|e| e.to_string())?;
        for instrument in &spec.instruments {
            let held = self.position(spec, instrument.id);
            let books = self.ledger.net_position(instrument.id);
            if held != books {
                return Err(format!("{}: the desk holds {held}, the books say {books}", instrument.symbol));
            }
        }
        let rounding = self.ledger.cash(Account::Rounding).unwrap_or_default();
        (rounding.abs() < Decimal::ONE)
            .then_some(())
            .ok_or_else(|| format!("rounding has piled up to {rounding}"))
    }
}

/// A price of the feed on the instrument's ticks, the nearest one.
pub(super) fn price(x: f64, instrument: &Instrument) -> Decimal {
    instrument.tick.round_estimate(x, Rounding::Nearest).unwrap_or_default()
}
