//! Packages at the end of a stamp: who may decide what, what they decide, and what the operator takes from them.

use super::context::{Exposed, StepContext};
use super::life::Real;
use crate::agents::Population;
use crate::agents::life::OpenLeg;
use crate::agents::structures::StructureContext;
use crate::agents::structures::in_legs::{AgentRef, in_lots};
use crate::agents::structures::legs::Legs;
use crate::agents::structures::listed::ListedInstruments;
use crate::domain::{AgentId, Decimal, Money, OrderId, SideRule, Span, Stamp, money};
use crate::engine::Outputs;
use crate::engine::packages::Package;
use crate::engine::structures::Structures;
use crate::ledger::exact::product;
use crate::ledger::{Ledger, LedgerError};
use crate::treasury::Mode;

/// What a package may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageHold {
    /// Whatever its plan says.
    Free,
    /// Nothing is opened, and nothing added to what is open.
    Shrinks,
    /// It is closed.
    Closes,
}

/// The side on which an agent says that it is; none while it says nothing.
fn announced(structures: &Structures, i: usize) -> Option<SideRule> {
    let side = structures.twins.get(i)?.life.life.open()?.side;
    Some(if side > 0.0 { SideRule::Long } else { SideRule::Short })
}

impl Real {
    /// A stamp is over: packages decide on the market as it is then, those that `judged` names, and those that are on
    /// their way somewhere.
    pub(in crate::engine) fn judge_packages(
        &mut self,
        cx: &StepContext<'_>,
        cast: &Population,
        structures: &Structures,
        judged: &[u32],
        out: &mut Outputs,
    ) {
        if self.account.halted.is_some() {
            return;
        }
        // Nothing is filled while they decide: what is exposed is reckoned once, and what leaves is added to it.
        let mut exposed = None;
        let mut judged = judged.iter().copied().peekable();
        for i in 0..self.execution.packages.all.len() {
            // Both are in the order of the structures.
            let is_due = judged.next_if_eq(&(i as u32)).is_some();
            let package = &self.execution.packages.all[i];
            // Asked of all of them at every stamp that anybody judges: the cheapest first.
            let is_idle = package.is_idle();
            if is_idle && (!is_due || announced(structures, i).is_none()) {
                continue;
            }
            let is_on_its_way = is_due || package.is_broken || is_moving(package);
            let in_pool = !package.life.legs.ranges.held.is_empty();
            if !is_on_its_way && !in_pool && !self.is_closing(package.agent) {
                continue;
            }
            let hold = match self.package_hold(package.agent) {
                // Base comes into a pool as its price falls, and nobody is asked: who may take no new risk has none there.
                PackageHold::Shrinks if in_pool => PackageHold::Closes,
                hold => hold,
            };
            let closes = hold == PackageHold::Closes;
            if (is_on_its_way || closes) && !(is_idle && hold != PackageHold::Free) {
                self.judge_package(cx, cast, structures, (i, hold, &mut exposed), out);
            }
        }
    }

    fn judge_package(
        &mut self,
        cx: &StepContext<'_>,
        cast: &Population,
        structures: &Structures,
        (i, hold, exposed): (usize, PackageHold, &mut Option<Exposed>),
        out: &mut Outputs,
    ) {
        let (structure, Some(twin)) = (&cast.structures[i], structures.twins.get(i)) else { return };
        let agent = &cast.agents[structure.agent.index()];
        if cx.at < agent.active_from {
            return;
        }
        if self.execution.packages.all[i].is_idle() {
            let capital = self.capital_of(cast, structure.agent);
            let package = &mut self.execution.packages.all[i];
            package.capital = capital;
            package.dealt.clear();
            package.targets.clear();
            package.is_broken = false;
        }
        let package = &mut self.execution.packages.all[i];
        let side = announced(structures, i);
        let nothing = Legs::default();
        let seen = StructureContext {
            listed: &cast.listed,
            board: cx.market,
            costs: &cx.settings.costs,
            now: cx.at,
            traits: &agent.traits,
            preset: agent.strategy.preset(),
            side: side.unwrap_or(agent.side),
            capital: package.capital,
            legs: &nothing,
            may_open: hold == PackageHold::Free && side.is_some() && package.capital > 0.0,
        };
        let who = AgentRef {
            agent: structure.agent,
            asset: structure.asset,
            rules: &twin.rules,
            key: structure.key,
        };
        let is_over = package.watch_legs(&seen, cx.at);
        if is_over {
            package.unwound += 1;
            let name = &agent.name;
            out.alarms
                .push(format!("{name}: a leg of its package stood alone too long; all of it is closed"));
        }
        // Who may open nothing opens the other half of nothing either.
        let is_half_open = hold == PackageHold::Shrinks && package.life.legs.leading.is_some();
        if hold == PackageHold::Closes || package.is_broken || is_over || is_half_open {
            package.life.dismiss(who, &seen);
        } else {
            if hold == PackageHold::Shrinks {
                package.life.life.add_no_more();
            }
            package.life.look(who, &seen, &mut |_| {});
        }
        package.aim(&cast.listed);
        self.send_package(cx, (i, hold), &seen, exposed, out);
    }

    /// What an agent's funds come to for each of its structures, in currency.
    fn capital_of(&self, cast: &Population, agent: AgentId) -> f64 {
        let own = cast.structures.iter().filter(|s| s.agent == agent).count().max(1);
        let equity = money::to_estimate(self.account.equity).max(0.0);
        self.account.funds.weight(agent) * equity / own as f64
    }

    /// What a package of an agent may do now.
    pub(super) fn package_hold(&self, agent: AgentId) -> PackageHold {
        let account = &self.account;
        match () {
            () if self.is_closing(agent) => PackageHold::Closes,
            () if account.hand.binds(agent) || account.mode() != Mode::Running => PackageHold::Shrinks,
            () => PackageHold::Free,
        }
    }

    /// Whether what packages of an agent hold is to go.
    fn is_closing(&self, agent: AgentId) -> bool {
        let account = &self.account;
        let is_flat = account.breaker.latched().is_some() || account.hand.is_flat();
        is_flat || account.hand.is_drained(agent) || account.funds.weight(agent) <= 0.0
    }

    /// What a decision of the operator takes back of packages: orders that would open, and, of an account that is in doubt,
    /// all of them.
    pub(in crate::engine) fn tend_packages(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let is_asked = |p: &Package| p.life.legs.ranges.asked.iter().any(|a| a.number.is_some());
        if !self.execution.packages.has_orders() && !self.execution.packages.all.iter().any(is_asked) {
            return;
        }
        let is_halted = self.account.halted.is_some();
        for i in 0..self.execution.packages.all.len() {
            let hold = self.package_hold(self.execution.packages.all[i].agent);
            if hold == PackageHold::Free && !is_halted {
                continue;
            }
            self.take_off_liquidity(i, |a| is_halted || a.change > 0.0);
            let gone = |order: &OrderId| is_halted || self.would_grow(i, *order);
            let gone: Vec<OrderId> = self.execution.packages.orders_of(i).filter(gone).collect();
            gone.into_iter().for_each(|order| self.execution.router.cancel(order));
        }
        self.hear_venue(cx, out);
    }

    /// Takes every order of packages back.
    pub(super) fn cancel_packages(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        for i in 0..self.execution.packages.all.len() {
            self.take_off_liquidity(i, |_| true);
            let orders: Vec<OrderId> = self.execution.packages.orders_of(i).collect();
            orders.into_iter().for_each(|order| self.execution.router.cancel(order));
        }
        self.hear_venue(cx, out);
    }

    /// What an agent was lent: what it owns outright beyond its own equity costs what capital earns elsewhere.
    pub(super) fn charge_packages(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let days = cx.settings.clock.decide.in_units_of(Span::DAY);
        let rate = money::from_estimate(self.execution.packages.rent * days, 10).unwrap_or_default();
        if rate.is_zero() || rate.is_sign_negative() {
            return;
        }
        let mut agents: Vec<AgentId> = self.execution.packages.all.iter().map(|p| p.agent).collect();
        agents.sort_unstable();
        agents.dedup();
        for agent in agents {
            let owed = self.owned_by(cx, agent).and_then(|owned| {
                let lent = owned - self.account.ledger.equity(agent, &self.account.marks)?;
                if lent <= Decimal::ZERO {
                    return Ok(());
                }
                let due = product(lent, rate)?;
                self.account.ledger.service(&[(agent, lent)], Ledger::TREASURY, due).map(|_| ())
            });
            self.account.guard("rent of a package", &owed, out);
        }
    }

    /// What an agent's packages hold that is paid for in full, at the marks.
    fn owned_by(&self, cx: &StepContext<'_>, agent: AgentId) -> Result<Money, LedgerError> {
        let mut sum = Decimal::ZERO;
        for package in self.execution.packages.all.iter().filter(|p| p.agent == agent) {
            for (id, quantity) in package.held.iter() {
                let is_owned = cx.spec.instruments[id.index()].kind.is_owned();
                if is_owned && quantity.is_sign_positive() {
                    sum += product(quantity, self.account.marks[id.index()])?;
                }
            }
            sum += package.quote_in_pools(cx);
        }
        Ok(sum)
    }

    /// Marks everything that packages hold at its newest price.
    pub(super) fn mark_packages(&mut self, cx: &StepContext<'_>) {
        for id in self.execution.packages.instruments() {
            // What the desk trades is marked with its bars.
            if id.index() >= cx.spec.traded
                && let Some(value) = cx.value_of(id)
            {
                self.account.confirmed[id.index()] = self.account.marks[id.index()];
                self.account.mark(id, value);
            }
        }
    }
}

/// Whether something of it is to come without a word of its family.
fn is_moving(package: &Package) -> bool {
    let life = &package.life;
    life.life.open().is_none() || !life.legs.is_whole() || package.leg_risk.is_counting()
}

impl Package {
    /// Counts what has stood alone since the last look; whether that is too much.
    fn watch_legs(&mut self, seen: &StructureContext<'_>, now: Stamp) -> bool {
        let lot = |id| money::to_estimate(seen.listed.get(id).lot);
        let alone = self.alone(|id| seen.value(id).unwrap_or(0.0), lot);
        let since = self.looked.replace(now).unwrap_or(now);
        self.leg_risk.add(alone, now.since(since));
        self.life.life.open().is_some() && self.leg_risk.is_over(self.capital)
    }

    /// Notes what its legs should come to.
    fn aim(&mut self, listed: &ListedInstruments) {
        let Some(open) = self.life.life.open() else { return };
        let legs = &self.life.legs;
        if legs.leading.is_none() && legs.orders.iter().any(|o| o.limit.is_some()) {
            // Quotes are no legs: either side may be filled or none.
            return self.targets.clear();
        }
        let units = in_lots(listed, &open.legs, open.units);
        let legs = open.legs.iter().filter(|l| l.bounds.is_none());
        let target = |l: &OpenLeg| open.side * l.leg.ratio * units;
        self.targets.clear();
        self.targets.extend(legs.map(|l| (l.leg.instrument, target(l))).filter(|t| t.1 != 0.0));
    }
}
