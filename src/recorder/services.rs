//! What agents do for the desk beside saying what to hold: who serves, on what, and what it was worth.
//!
//! # Invariants
//!
//! 1. Totals are the books': a carrier's is the PnL of its book, a maker's what taking would have cost less what
//!    its orders did cost. They are of the whole run; today is of the market's day.
//! 2. Who could serve and was not needed yet is there with zero, so that it can be told from who cannot.

use super::words;
use crate::domain::{AgentId, Message, MessageId, MessageKind, Service, Speaker, money};
use crate::engine::Engine;
use crate::view::cockpit::bounded;
use crate::view::grouped;
use crate::view::services::ServiceRow;

/// Instruments that are named of what an agent serves on, the largest first.
const NAMED: usize = 3;

/// What a recorder keeps of services: the day's beginning, and the last receipts.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceMemory {
    /// Totals at the last barrier.
    last: Vec<(AgentId, Service, f64)>,
    /// Totals when the day began.
    open: Vec<(AgentId, Service, f64)>,
    receipts: Vec<(AgentId, Service, MessageId)>,
}

fn found<T: Copy>(all: &[(AgentId, Service, T)], agent: AgentId, service: Service) -> Option<T> {
    all.iter().find(|a| (a.0, a.1) == (agent, service)).map(|a| a.2)
}

impl ServiceMemory {
    /// A barrier has passed; `new_day` if it is the first of its day.
    pub fn mark(&mut self, engine: &Engine, new_day: bool) {
        if new_day {
            self.open = std::mem::take(&mut self.last);
        }
        self.last = totals(engine);
    }

    /// Takes note of a message, if it is a receipt.
    pub fn hear(&mut self, message: &Message) {
        let (Speaker::Agent(agent), MessageKind::Receipt(r)) = (message.from, &message.body) else { return };
        self.receipts.retain(|known| (known.0, known.1) != (agent, r.service));
        self.receipts.push((agent, r.service, message.id));
    }

    /// What an agent saved or earned until the last barrier, by service in the order of [`Service::ALL`].
    pub fn totals(&self, agent: AgentId) -> [f64; 3] {
        Service::ALL.map(|service| found(&self.last, agent, service).unwrap_or_default())
    }

    /// All that serve, agent by agent.
    pub fn rows(&self, engine: &Engine) -> Vec<ServiceRow> {
        let row = |(agent, service, total): (AgentId, Service, f64)| {
            let (what, notional) = match service {
                Service::Carry => carried(engine, agent),
                Service::Liquidity | Service::Capital => worked(engine, agent),
            };
            ServiceRow {
                agent,
                service,
                what: bounded(what),
                notional,
                today: total - found(&self.open, agent, service).unwrap_or_default(),
                total,
                receipt: found(&self.receipts, agent, service).unwrap_or(MessageId(0)),
            }
        };
        totals(engine).into_iter().map(row).collect()
    }
}

/// What each saved or earned so far.
fn totals(engine: &Engine) -> Vec<(AgentId, Service, f64)> {
    let (spec, real) = (engine.servants(), &engine.respond.real);
    let carry = spec.carrying().into_iter().map(|owner| {
        let pnl = real.account.ledger.pnl(owner, &real.account.marks).unwrap_or_default();
        (owner, Service::Carry, money::to_estimate(pnl))
    });
    let liquidity = spec.working().into_iter().map(|maker| {
        let worked = engine.worked_by(maker);
        (maker, Service::Liquidity, worked.taking - worked.cost)
    });
    let mut all: Vec<_> = carry.chain(liquidity).collect();
    all.sort_by_key(|a| (a.0, a.1));
    all
}

/// What an agent carries in spot now, in words and in currency.
fn carried(engine: &Engine, agent: AgentId) -> (String, f64) {
    let real = &engine.respond.real;
    let mut held: Vec<(f64, f64, &str)> = Vec::new();
    for (desk_index, spot) in engine.servants().held() {
        let asset = real.execution.services.assets.get(desk_index).filter(|a| a.carrier == Some(agent));
        let quantity = asset.map(|a| a.spot_held).unwrap_or_default();
        let mark = real.account.marks.get(spot.index()).copied().unwrap_or_default();
        let Some(i) = engine.instrument(spot).filter(|_| !quantity.is_zero()) else {
            continue;
        };
        let quantity = money::to_estimate(quantity);
        held.push((quantity * money::to_estimate(mark), quantity, engine.asset_name(i.asset)));
    }
    held.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mut parts: Vec<String> =
        held.iter().take(NAMED).map(|(_, q, name)| format!("{} {name}", words::quantity(*q))).collect();
    if held.len() > NAMED {
        parts.push(format!("{} more", held.len() - NAMED));
    }
    (parts.join(", "), held.iter().map(|h| h.0).sum())
}

/// What an agent worked so far, in words and in currency.
fn worked(engine: &Engine, agent: AgentId) -> (String, f64) {
    let all = engine.worked_by(agent);
    let (rested, crossed) = (all.rested, all.crossed);
    if rested + crossed <= 0.0 {
        return (String::new(), 0.0);
    }
    let share = 100.0 * rested / (rested + crossed);
    (format!("{} filled, {share:.0} % of it at rest", grouped(rested + crossed)), rested + crossed)
}
