//! What a listener knows of a structure's intent: from its messages, and from what is quoted.

use hive_core::agents::Agent;
use hive_core::agents::proposal::StructureLeg;
use hive_core::agents::structures::StructureContext;
use hive_core::agents::structures::legs::{LATENCY, Legs};
use hive_core::agents::structures::listed::ListedInstruments;
use hive_core::agents::structures::ranges::{Bounds, LiquidityChange};
use hive_core::fills::{self, Tariff, level};
use hive_domain::{Action, MarketEvent, Plan, Reason, Span, Stamp, Verb};
use hive_market::Market;
use hive_market::quotes::DetailLevel;

/// What is known at a look.
pub struct Now<'a> {
    pub listed: &'a ListedInstruments,
    pub board: &'a Market,
    pub costs: &'a Tariff,
    pub at: Stamp,
    pub agent: &'a Agent,
    pub capital: f64,
}

impl Now<'_> {
    pub fn seen<'b>(&'b self, legs: &'b Legs) -> StructureContext<'b> {
        StructureContext {
            listed: self.listed,
            board: self.board,
            costs: self.costs,
            now: self.at,
            traits: &self.agent.traits,
            preset: self.agent.strategy.preset(),
            side: self.agent.side,
            capital: self.capital,
            legs,
        }
    }

    /// Legs that are known by bars are judged when all of them close.
    pub fn is_aligned(&self, legs: &[StructureLeg]) -> bool {
        legs.iter().all(|l| {
            let Some(q) = self.board.get(l.instrument) else { return true };
            let bars = q.level == DetailLevel::Bars && q.settled.is_none();
            q.bar.filter(|_| bars).is_none_or(|b| b.at == self.at || self.at.since(b.at) > Span::DAY)
        })
    }

    /// What the coins are worth that a leg is priced in; 1 for the account's currency.
    pub fn coins(&self, leg: &StructureLeg) -> f64 {
        let other = self.listed.pays(leg.instrument);
        other.and_then(|_| self.listed.scale(self.board, leg.instrument)).unwrap_or(1.0)
    }

    pub fn value(&self, leg: &StructureLeg, bounds: Option<Bounds>) -> Option<f64> {
        let price = self.listed.value(self.board, leg.instrument)?;
        Some(bounds.map_or(price, |b| b.market_value(price))).filter(|v| v.is_finite())
    }
}

/// A leg's order of the last message, as far as one can tell.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    pub decided: Stamp,
    /// Certainly still to be filled, if nothing came before it had to be there.
    pub left: f64,
}

/// An intent as its messages told it.
#[derive(Clone)]
pub struct Intent {
    pub plan: Plan,
    pub side: f64,
    pub size: f64,
    pub legs: Vec<StructureLeg>,
    pub bounds: Vec<Option<Bounds>>,
    pub entry: Vec<f64>,
    pub notional: f64,
    pub units: f64,
    pub first: f64,
    pub since: Stamp,
    pub carried: f64,
    pub adds: u32,
    pub flights: Vec<Flight>,
}

impl Intent {
    pub fn shadow(&self) -> Legs {
        let mut legs = Legs::default();
        for (l, b) in self.legs.iter().zip(&self.bounds) {
            let quantity = self.side * l.ratio * self.units;
            if let Some(bounds) = *b {
                let (decided, live) = (self.since, self.since);
                let ask =
                    LiquidityChange { pool: l.instrument, bounds, change: quantity, decided, live, tries: 0 };
                legs.ranges.asked.push(ask);
            } else {
                legs.held.push((l.instrument, quantity));
            }
        }
        legs.held.sort_by_key(|h| h.0);
        legs
    }

    /// Orders the difference on every leg; a maker takes nothing.
    pub fn order(&mut self, now: &Now<'_>, more: f64, maker: bool) {
        let lots = |(l, b): (&StructureLeg, &Option<Bounds>)| {
            let size = (l.ratio * more).abs();
            self.side
                * (l.ratio * more).signum()
                * if b.is_some() { size } else { now.listed.lots(l.instrument, size) }
        };
        let each = self.legs.iter().zip(&self.bounds).map(lots);
        let flight = |left| Flight { decided: now.at, left: if maker { 0.0 } else { left } };
        self.flights = each.map(flight).collect();
    }

    /// An event may fill what is on its way.
    pub fn offer(&mut self, listed: &ListedInstruments, board: &Market, costs: &Tariff, event: &MarketEvent) {
        let at = event.at();
        for ((leg, b), f) in self.legs.iter().zip(&self.bounds).zip(&mut self.flights) {
            if event.instrument() != Some(leg.instrument) || f.left == 0.0 {
                continue;
            }
            let Some(quoted) = board.get(leg.instrument) else { continue };
            let got = match *event {
                MarketEvent::Pool { .. } if b.is_some() => f.left,
                MarketEvent::Bar { bar, .. }
                    if quoted.level == DetailLevel::Bars && quoted.bar_before >= Some(f.decided) =>
                {
                    let i = listed.get(leg.instrument);
                    fills::take(costs.of(i), i.kind, bar.open, f64::NAN, bar.volume, f.left).quantity
                }
                MarketEvent::Quote { .. }
                | MarketEvent::Pool { .. }
                | MarketEvent::Level { last: true, .. } => {
                    let tick = |price| listed.tick(leg.instrument, price);
                    let hit = level::hit(board, listed.get(leg.instrument), tick, f.left);
                    hit.map_or(0.0, |h| h.quantity)
                }
                _ => continue,
            };
            if at.since(f.decided).0 >= LATENCY.0 * 3 / 2 {
                f.left = if (f.left - got).abs() <= 1e-9 * f.left.abs() { 0.0 } else { f.left - got };
            }
        }
    }

    pub fn is_whole(&self) -> bool {
        self.flights.iter().all(|f| f.left == 0.0)
    }

    /// Gain at mid prices since the message, funding included, in basis points of the first notional.
    pub fn gain(&self, now: &Now<'_>) -> f64 {
        let mut sum = self.carried;
        for ((leg, bounds), entry) in self.legs.iter().zip(&self.bounds).zip(&self.entry) {
            let Some(value) = now.value(leg, *bounds) else { return f64::NAN };
            sum += self.side * leg.ratio * (value - entry * now.coins(leg));
        }
        sum / self.notional * 1e4
    }
}

impl Intent {
    /// A part has acted: the size and the plan that follow from it.
    pub fn act(&mut self, now: &Now<'_>, act: &Action, fraction: f64, maker: bool, context: &str) {
        let mut plan = self.plan.clone();
        let (units, verb) = match act.reason {
            Reason::Target => {
                let nearest = plan.targets.iter().position(|t| t.fraction == fraction).unwrap();
                plan.targets.remove(nearest);
                plan.add = None;
                (self.units * (1.0 - fraction), Verb::Decrease)
            }
            Reason::Hedge => {
                plan.hedge = None;
                (self.units * (1.0 - fraction), Verb::Decrease)
            }
            _ => {
                self.adds -= 1;
                plan.add = plan.add.filter(|_| self.adds > 0);
                (self.units + self.first * fraction, Verb::Increase)
            }
        };
        let after = self.side * units * self.notional / now.capital;
        assert_eq!((act.verb, act.before, act.after), (verb, self.size, after), "{context}");
        assert_eq!(*act.plan, plan, "{context}");
        self.order(now, units - self.units, maker);
        (self.plan, self.units, self.size) = (plan, units, after);
    }
}
