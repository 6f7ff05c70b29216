//! The list of trades of the account: every fill with who wanted it and why, and round trips from flat to flat.
//!
//! # Invariants
//!
//! 1. Fills are those that were booked, in the account's currency: their fees are the books' fees, and what they cost and
//!    brought, with funding, borrow and what is still held at its mark, is the account's gain, to the last digit.
//! 2. A fill that goes through flat ends one round trip and begins another; its fee is parted by quantity.
//! 3. What is initially risked is the way from each fill that adds to its agents' stops; R is the result over that.

use super::words;
use crate::domain::money::{self, to_estimate};
use crate::domain::{
    AgentId, AssetId, Bar, Decimal, Event, Fill, InstrumentId, MarketEvent, Message, MessageKind, Money,
    Span, Speaker, SpokenBy, Stamp, Term,
};
use crate::engine::{AttributedFill, Engine, Outputs};
use crate::execution::venue::is_venue_order;
use crate::ledger::exact::product;
use crate::ledger::{Ledger, LedgerAccount};
use serde::Serialize;
use std::collections::BTreeMap;

/// Closes of an instrument that are kept for its chart; of more every second one is left out.
const CLOSES_MAX: usize = 2_000;

/// An agent's part of a fill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TradeShare {
    /// Its name; the desk's own part belongs to the treasury.
    pub agent: String,
    /// Signed base units.
    pub quantity: String,
}

/// A fill of the account, and why it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct TradeFill {
    pub time: String,
    pub order: u64,
    pub fill: u32,
    pub instrument: String,
    pub side: &'static str,
    pub quantity: String,
    pub price: String,
    pub notional: String,
    pub fee: String,
    /// Barrier at which it was decided, and the last price then.
    pub decided: Option<String>,
    pub decision_price: Option<String>,
    /// What the fill cost against that price, before its fee; negative where it gained.
    pub slippage: Option<String>,
    pub agents: Vec<TradeShare>,
    /// Of the agent with the largest part: its intent, and what it last said of it.
    pub intent: Option<String>,
    pub reason: String,
    /// Numbers of the messages behind it, as `hive talk` has them.
    pub messages: Vec<u64>,
    /// Round trips that it is part of.
    pub trips: Vec<usize>,
}

/// From flat to flat in one instrument.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct RoundTrip {
    pub trip: usize,
    pub instrument: String,
    pub side: &'static str,
    pub opened: String,
    /// None while it is open; then its result is at the last mark.
    pub closed: Option<String>,
    pub most_quantity: String,
    pub entry_price: f64,
    pub exit_price: Option<f64>,
    pub fills: u32,
    /// What it came to before fees.
    pub gross: String,
    pub fees: String,
    pub net: String,
    /// What was risked down to the stops; none where no stop is a price.
    pub risk: Option<f64>,
    pub r: Option<f64>,
    /// Furthest against it and for it while it was open, before fees, in currency and over the risk.
    pub mae: f64,
    pub mfe: f64,
    pub mae_r: Option<f64>,
    pub mfe_r: Option<f64>,
}

/// How the list comes to the account's gain.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct TradeSums {
    pub capital: String,
    pub equity: String,
    pub pnl: String,
    /// Of round trips that are over, and of those that are open, before fees.
    pub closed: String,
    pub open: String,
    /// Of all fills.
    pub fees: String,
    /// Gas, and what pools and services were paid.
    pub other_fees: String,
    pub funding: String,
    pub borrow: String,
    /// What the above leaves unexplained of the gain.
    pub left: String,
}

/// All trades of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TradeList {
    /// Currency of the account.
    pub currency: String,
    /// Sums that are those of the report.
    pub sums: TradeSums,
    /// Every fill, in the order of the books.
    pub fills: Vec<TradeFill>,
    /// Round trips, in the order in which they were opened.
    pub trips: Vec<RoundTrip>,
}

/// What an agent said last of an asset.
#[derive(Clone, Debug, Default)]
struct LastWords {
    action: Option<Message>,
    stance: Option<Message>,
}

/// A position that is not flat.
#[derive(Clone, Debug)]
struct OpenTrip {
    row: usize,
    quantity: Decimal,
    most: Decimal,
    cash: Money,
    fees: Money,
    entry: (f64, f64),
    exit: (f64, f64),
    risk: f64,
    /// Furthest against it and for it.
    reach: (f64, f64),
}

/// Closes of an instrument, thinned so that there are never many.
#[derive(Clone, Debug, Default)]
pub struct ThinCurve {
    /// When, and what it was.
    pub points: Vec<(Stamp, f64)>,
    every: u32,
    seen: u32,
}

impl ThinCurve {
    fn push(&mut self, at: Stamp, value: f64) {
        self.seen += 1;
        if self.seen <= self.every {
            return;
        }
        self.seen = 0;
        self.points.push((at, value));
        if self.points.len() >= CLOSES_MAX {
            let mut n = 0_usize;
            self.points.retain(|_| {
                n += 1;
                n % 2 == 1
            });
            self.every = 2 * self.every + 1;
        }
    }
}

/// Takes note of trades while a run goes on. It changes nothing in the engine.
#[derive(Clone, Debug)]
pub struct TradeLog {
    said: BTreeMap<(AgentId, AssetId), LastWords>,
    /// The last barrier, and the marks then.
    decided: Option<Stamp>,
    marks: Vec<Decimal>,
    open: BTreeMap<InstrumentId, OpenTrip>,
    fills: Vec<TradeFill>,
    trips: Vec<RoundTrip>,
    fees: Money,
    /// Before fees: what is over came to.
    closed: Money,
    /// When, which way and at what price, by instrument: for charts.
    pub dealt: BTreeMap<InstrumentId, Vec<(Stamp, bool, f64)>>,
    /// Closes by instrument.
    pub closes: Vec<ThinCurve>,
    /// Equity at the end of each day.
    pub equity: Vec<(Stamp, f64)>,
}

impl TradeLog {
    /// Nothing was traded yet.
    pub fn new(engine: &Engine) -> Self {
        let marks = engine.respond.real.account.marks.clone();
        TradeLog {
            said: BTreeMap::new(),
            decided: None,
            closes: vec![ThinCurve::default(); marks.len()],
            marks,
            open: BTreeMap::new(),
            fills: Vec::new(),
            trips: Vec::new(),
            fees: Money::ZERO,
            closed: Money::ZERO,
            dealt: BTreeMap::new(),
            equity: Vec::new(),
        }
    }

    /// Takes note of a step: its event and what it gave out.
    pub fn observe(&mut self, engine: &Engine, event: &Event, out: &Outputs) {
        for booked in out.booked.iter().flatten() {
            self.fill(engine, booked);
        }
        if !out.accepted {
            return;
        }
        if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = event
            && let Some(trip) = self.open.get_mut(instrument)
        {
            trip.meet(bar);
        }
        for m in &out.messages {
            self.hear(m);
        }
        if let Event::Barrier(at) = *event {
            self.barrier(engine, at);
        }
    }

    fn hear(&mut self, m: &Message) {
        let (Speaker::Agent(agent), Some(asset)) = (m.from, m.asset) else { return };
        if m.life == SpokenBy::Alone {
            return;
        }
        match &m.body {
            MessageKind::Action(_) => {
                self.said.entry((agent, asset)).or_default().action = Some(m.clone());
            }
            MessageKind::Stance(_) => {
                self.said.entry((agent, asset)).or_default().stance = Some(m.clone());
            }
            _ => {}
        }
    }

    fn barrier(&mut self, engine: &Engine, at: Stamp) {
        let account = &engine.respond.real.account;
        self.marks.clone_from(&account.marks);
        for (curve, mark) in self.closes.iter_mut().zip(&self.marks).filter(|(_, m)| !m.is_zero()) {
            curve.push(at, to_estimate(*mark));
        }
        let equity = (at, to_estimate(account.equity()));
        let day = |at: Stamp| at.0.div_euclid(Span::DAY.0);
        match self.equity.last_mut() {
            // The stroke of midnight ends the day before.
            Some(last) if day(Stamp(last.0.0 - 1)) == day(Stamp(at.0 - 1)) => *last = equity,
            _ => self.equity.push(equity),
        }
        self.decided = Some(at);
    }

    fn fill(&mut self, engine: &Engine, booked: &AttributedFill) {
        let AttributedFill { fill, shares } = booked;
        self.fees += fill.fee;
        self.dealt.entry(fill.instrument).or_default().push((
            fill.at,
            fill.quantity.is_sign_positive(),
            to_estimate(fill.price),
        ));
        let asset = engine.instrument(fill.instrument).map(|i| i.asset).unwrap_or_default();
        let risk = self.risk(asset, fill, shares);
        let trips = self.deal(engine, fill, risk);
        let row = self.row(engine, asset, booked, trips);
        self.fills.push(row);
    }

    /// Mean distance from a fill's price to the stops of those whose it is, where any stop is a price.
    fn risk(&self, asset: AssetId, fill: &Fill, shares: &[(AgentId, Decimal)]) -> Option<f64> {
        let (mut risk, mut size) = (0.0, 0.0);
        for (agent, quantity) in
            shares.iter().filter(|(_, q)| q.is_sign_positive() == fill.quantity.is_sign_positive())
        {
            let said = self.said.get(&(*agent, asset)).and_then(|said| said.action.as_ref());
            if let Some(MessageKind::Action(action)) = said.map(|m| &m.body)
                && let Term::Level(stop) = action.plan.stop.right
            {
                let quantity = to_estimate(quantity.abs());
                risk += quantity * libm::fabs(to_estimate(fill.price) - stop);
                size += quantity;
            }
        }
        (size > 0.0).then_some(risk / size)
    }

    /// Adds a fill to the round trips of its instrument; which those are.
    fn deal(&mut self, engine: &Engine, fill: &Fill, risk: Option<f64>) -> Vec<usize> {
        let mut numbers = Vec::new();
        let mut left = *fill;
        if let Some(trip) = self.open.get_mut(&fill.instrument)
            && trip.quantity.is_sign_positive() != fill.quantity.is_sign_positive()
        {
            let part = if fill.quantity.abs() > trip.quantity.abs() { -trip.quantity } else { fill.quantity };
            let share = part.checked_div(fill.quantity).unwrap_or(Decimal::ONE);
            let fee = share.checked_mul(fill.fee).unwrap_or(fill.fee).round_dp(money::MONEY_SCALE);
            trip.take(&Fill { quantity: part, fee, ..*fill }, false);
            numbers.push(trip.row + 1);
            (left.quantity, left.fee) = (fill.quantity - part, fill.fee - fee);
            if trip.quantity.is_zero() {
                let trip = trip.clone();
                self.open.remove(&fill.instrument);
                self.closed += trip.cash;
                self.trips[trip.row] = trip.told(&self.trips[trip.row], Some(fill.at), trip.cash);
            }
        }
        if !left.quantity.is_zero() {
            let row = self.trips.len();
            let trip = self.open.entry(fill.instrument).or_insert_with(|| OpenTrip::new(row));
            if trip.row == row {
                self.trips.push(begun(engine, row, fill));
            }
            // Where no stop is a price nobody knows what was risked.
            trip.risk += risk.unwrap_or(f64::NAN) * to_estimate(left.quantity.abs());
            trip.take(&left, true);
            numbers.push(trip.row + 1);
        }
        for number in &numbers {
            self.trips[number - 1].fills += 1;
        }
        numbers
    }

    fn row(&self, engine: &Engine, asset: AssetId, booked: &AttributedFill, trips: Vec<usize>) -> TradeFill {
        let AttributedFill { fill, shares } = booked;
        let names = |id: AgentId| match id {
            Ledger::TREASURY => "treasury".to_owned(),
            id => words::speaker(engine, Speaker::Agent(id)),
        };
        let is_way = |q: &Decimal| q.is_sign_positive() == fill.quantity.is_sign_positive();
        let lead =
            shares.iter().filter(|(_, q)| is_way(q)).max_by_key(|(id, q)| (q.abs(), std::cmp::Reverse(*id)));
        let said = lead.and_then(|(id, _)| self.said.get(&(*id, asset)));
        let mark = self.marks.get(fill.instrument.index()).copied().filter(|m| !m.is_zero());
        let slippage = mark.and_then(|m| product(fill.quantity, fill.price.checked_sub(m)?).ok());
        let (reason, messages) = because(engine, fill, lead.map(|(id, _)| names(*id)), said);
        TradeFill {
            time: fill.at.to_string(),
            order: fill.order.0,
            fill: fill.number,
            instrument: symbol(engine, fill.instrument),
            side: if fill.quantity.is_sign_positive() { "buy" } else { "sell" },
            quantity: exact(fill.quantity.abs()),
            price: exact(fill.price),
            notional: exact(product(fill.quantity.abs(), fill.price).unwrap_or_default()),
            fee: exact(fill.fee),
            decided: self.decided.map(|at| at.to_string()),
            decision_price: mark.map(exact),
            slippage: slippage.map(exact),
            agents: shares
                .iter()
                .map(|(id, q)| TradeShare { agent: names(*id), quantity: exact(*q) })
                .collect(),
            intent: said.and_then(|s| s.action.as_ref()).and_then(|m| match &m.body {
                MessageKind::Action(a) => {
                    let (agent, asset) = (names(a.intent.agent), engine.asset_name(a.intent.asset));
                    Some(format!("{agent} {asset} #{}", a.intent.number))
                }
                _ => None,
            }),
            reason,
            messages,
            trips,
        }
    }

    /// The whole list, with what is open at its last mark.
    pub fn list(&self, engine: &Engine, currency: &str) -> TradeList {
        let account = &engine.respond.real.account;
        let mut trips = self.trips.clone();
        let mut open = Money::ZERO;
        for (id, trip) in &self.open {
            let value = product(trip.quantity, account.marks[id.index()]).unwrap_or_default();
            open += trip.cash + value;
            trips[trip.row] = trip.told(&trips[trip.row], None, trip.cash + value);
        }
        let outside = |a| account.ledger.cash(a).unwrap_or_default();
        let (fees, funding, borrow) =
            (outside(LedgerAccount::Fees), outside(LedgerAccount::Funding), outside(LedgerAccount::Borrow));
        let capital = -outside(LedgerAccount::Capital);
        let equity = account.ledger.account_equity(&account.marks).unwrap_or_else(|_| account.equity());
        let pnl = equity - capital;
        let left = pnl - (self.closed + open - fees - funding - borrow);
        TradeList {
            currency: currency.to_owned(),
            sums: TradeSums {
                capital: exact(capital),
                equity: exact(equity),
                pnl: exact(pnl),
                closed: exact(self.closed),
                open: exact(open),
                fees: exact(self.fees),
                other_fees: exact(fees - self.fees),
                funding: exact(funding),
                borrow: exact(borrow),
                left: exact(left),
            },
            fills: self.fills.clone(),
            trips,
        }
    }
}

impl OpenTrip {
    fn new(row: usize) -> Self {
        let (entry, exit, reach) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
        let zero = Decimal::ZERO;
        OpenTrip { row, quantity: zero, most: zero, cash: zero, fees: zero, entry, exit, risk: 0.0, reach }
    }

    /// A fill that adds to it, or one that takes from it.
    fn take(&mut self, fill: &Fill, is_added: bool) {
        let (size, price) = (to_estimate(fill.quantity.abs()), to_estimate(fill.price));
        let side = if is_added { &mut self.entry } else { &mut self.exit };
        *side = (side.0 + size * price, side.1 + size);
        self.quantity += fill.quantity;
        self.most = self.most.max(self.quantity.abs());
        self.cash -= product(fill.quantity, fill.price).unwrap_or_default();
        self.fees += fill.fee;
    }

    /// How far a bar went for and against it.
    fn meet(&mut self, bar: &Bar) {
        let at = |price: f64| to_estimate(self.cash) + to_estimate(self.quantity) * price;
        let (one, other) = (at(bar.high), at(bar.low));
        self.reach = (self.reach.0.min(one).min(other), self.reach.1.max(one).max(other));
    }

    /// The row with what is known now.
    fn told(&self, row: &RoundTrip, closed: Option<Stamp>, gross: Money) -> RoundTrip {
        let mean = |(sum, size): (f64, f64)| (size > 0.0).then_some(sum / size);
        let risk = Some(self.risk).filter(|r| r.is_finite() && *r > 0.0);
        let net = gross - self.fees;
        let end = to_estimate(gross);
        let (mae, mfe) = (self.reach.0.min(end), self.reach.1.max(end));
        RoundTrip {
            closed: closed.map(|at| at.to_string()),
            most_quantity: exact(self.most),
            entry_price: mean(self.entry).unwrap_or(f64::NAN),
            exit_price: mean(self.exit),
            gross: exact(gross),
            fees: exact(self.fees),
            net: exact(net),
            risk,
            r: risk.map(|risk| to_estimate(net) / risk),
            mae,
            mfe,
            mae_r: risk.map(|risk| mae / risk),
            mfe_r: risk.map(|risk| mfe / risk),
            ..row.clone()
        }
    }
}

/// A round trip that a fill begins.
fn begun(engine: &Engine, row: usize, fill: &Fill) -> RoundTrip {
    RoundTrip {
        trip: row + 1,
        instrument: symbol(engine, fill.instrument),
        side: if fill.quantity.is_sign_positive() { "long" } else { "short" },
        opened: fill.at.to_string(),
        closed: None,
        most_quantity: String::new(),
        entry_price: f64::NAN,
        exit_price: None,
        fills: 0,
        gross: String::new(),
        fees: String::new(),
        net: String::new(),
        risk: None,
        r: None,
        mae: 0.0,
        mfe: 0.0,
        mae_r: None,
        mfe_r: None,
    }
}

/// Why a fill was, in words, and the numbers of the messages behind it.
fn because(
    engine: &Engine,
    fill: &Fill,
    lead: Option<String>,
    said: Option<&LastWords>,
) -> (String, Vec<u64>) {
    if is_venue_order(fill.order) {
        return ("the venue closed it: the asset is gone, settled, or its margin was".to_owned(), Vec::new());
    }
    let Some(lead) = lead else { return ("what no agent may hold is given up".to_owned(), Vec::new()) };
    let Some(said) = said else { return (format!("{lead}: what it held is closed"), Vec::new()) };
    let (mut parts, mut messages) = (Vec::new(), Vec::new());
    for m in [&said.action, &said.stance].into_iter().flatten() {
        parts.push(words::short(engine, &m.body));
        messages.push(m.id.0);
        if let MessageKind::Stance(s) = &m.body {
            messages.extend(s.because.iter().flatten().map(|id| id.0));
        }
        messages.extend(m.swayed.iter().flat_map(|s| &s.causes).map(|c| c.message.0));
    }
    (format!("{lead} {}", parts.join("; ")), messages)
}

/// What an instrument is called in a list: its symbol, and its venue where there is one.
fn symbol(engine: &Engine, id: InstrumentId) -> String {
    engine.instrument(id).map_or_else(String::new, |i| {
        if i.venue.is_empty() {
            i.symbol.clone()
        } else {
            format!("{} {} at {}", i.symbol, i.kind.text(), i.venue)
        }
    })
}

fn exact(x: Decimal) -> String {
    x.normalize().to_string()
}
