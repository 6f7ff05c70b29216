//! The emergence gauge: E, what the swarm is worth beyond its parts, measured while it runs. Four accounts of
//! estimates live on the same days, at the same risk target and the same costs:
//!
//! | account | what it is |
//! |---|---|
//! | alone | the funded agents, deaf, each in an account of its own that trades at the desk's pace |
//! | net-eq | the same agents, deaf, equally weighted, netted in one account at the desk's pace |
//! | hive | the stances of all, as the desk would trade them |
//! | whole | the hive, and what services saved the account on that day |
//!
//! so that what the whole is worth over its parts alone splits into three:
//!
//! ```text
//! whole − alone = (net-eq − alone) + (hive − net-eq) + (whole − hive)
//!                     netting           listening         services
//! ```
//!
//! Beside them lives a shadow of the hive for each manager whose knobs reach the desk, as it would be without that one: the
//! hive's days less its days are the points of the manager.
//!
//! # Invariants
//!
//! 1. It is a reading: nothing in the step looks at it, and no money moves by it.
//! 2. The hive's shadow has the managers' knobs, the others the configured ones; none feels the operator's
//!    hand or the breaker, which are no part of the mechanism.
//! 3. Days count once all accounts know their risk. A deaf hive with equal funds gains exactly nothing
//!    over `net-eq`.

use super::respond::RespondSpec;
use super::speak::Speak;
use crate::agents::Population;
use crate::domain::{AgentId, AssetId, EmergenceReading, Goal, Instrument, InstrumentId, ManagerId, Stamp};
use crate::fills::pace::{PositionPace, Width};
use crate::hive::emergence::{Paired, SharpeGain};
use crate::hive::managers::teams::Teams;
use crate::hive::managers::{Knobs, ManagerState};
use crate::market::InstrumentState;
use crate::treasury::desk::RiskControls;
use crate::treasury::funds::Funds;
use crate::treasury::scale::Scale;
use crate::treasury::shadow::Shadow;
use serde::{Deserialize, Serialize};

/// The agents alone, each in its own account, as one stream scaled by the desk's rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AloneAccounts {
    scale: Scale,
    /// By declared slot: PnL and notional traded so far, in currency.
    known: Vec<(f64, f64)>,
    /// Equity in currency, gains reinvested.
    pub equity: f64,
    /// Notional traded so far, in multiples of equity.
    pub traded: f64,
}

/// The hive as it would be without one of its managers, and both by day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithoutManager {
    /// Whom it is without.
    pub manager: ManagerId,
    desk: Shadow,
    /// By instrument: Σ x of this barrier without what the manager of a team takes off; nothing of other managers.
    stances: Vec<f64>,
    /// The hive beside it.
    days: Paired,
    opened: f64,
}

/// Equities when a day closed: hive, net-eq, alone, and Σ open and Σ alone as they were.
type Opened = [f64; 5];

/// The four accounts of estimates, and their daily returns side by side; see the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// The stances of the hive, as the desk would trade them.
    pub hive: Shadow,
    /// The same agents deaf and equally weighted, netted: what listening is measured against.
    pub net_eq: Shadow,
    /// The same agents, each alone in an account of its own.
    pub alone: AloneAccounts,
    /// By instrument: Σ x of this barrier.
    pub(super) stances: Vec<f64>,
    /// By instrument: Σ p/n over the n funded.
    pub(super) intents: Vec<f64>,
    over_alone: Paired,
    over_net_eq: Paired,
    netting: Paired,
    listening: Paired,
    services: Paired,
    /// Open and alone by day, as they are shown: of fixed size.
    lives: Paired,
    opened: Option<Opened>,
    /// By manager that reaches the desk: the hive without it.
    pub without: Vec<WithoutManager>,
    /// Orders that funded agents wanted: each opening, increase, decrease and close.
    pub wanted: u64,
    /// Bars that turnover was counted over.
    bars: u64,
}

/// What the whole is worth over its parts, and where it comes from, once enough days were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rungs {
    /// What the whole gains over the agents alone.
    pub over_alone: Option<SharpeGain>,
    /// What the whole gains over the same agents netted.
    pub over_net_eq: Option<SharpeGain>,
    /// What netting gives of it.
    pub netting: Option<SharpeGain>,
    /// What listening gives of it.
    pub listening: Option<SharpeGain>,
    /// What services give of it.
    pub services: Option<SharpeGain>,
}

/// Notional traded per year, in multiples of equity, at the target risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct YearlyTurnover {
    /// Traded by the agents alone, taken together.
    pub alone: f64,
    /// Traded by the desk for all of them.
    pub together: f64,
}

impl WithoutManager {
    /// Equity of the hive without it, in currency.
    pub fn equity(&self) -> f64 {
        self.desk.equity
    }
}

impl AloneAccounts {
    /// A barrier: what the funded agents' lives made of it, each with the same part of the capital.
    fn bar(&mut self, spec: &RespondSpec, speak: &Speak, funds: &Funds) {
        let cast = &*spec.cast;
        let (mut pnl, mut traded, mut funded) = (0.0, 0.0, 0.0);
        for agent in &cast.agents[..cast.declared] {
            let counts = f64::from(u8::from(funds.weight(agent.id) > 0.0));
            funded += counts;
            for slot in agent.slots.clone() {
                let (book, before) = (&speak.patient[slot].book, self.known[slot]);
                // Flat, and nothing was paid: what it is worth is its cash, as it was.
                if book.quantity == 0.0 && book.cash == before.0 {
                    continue;
                }
                let now = (speak.alone(cast, slot), book.traded);
                self.known[slot] = now;
                pnl += counts * (now.0 - before.0);
                traded += counts * (now.1 - before.1);
            }
        }
        // Lives have an equal part of the capital each, funded or not.
        let part = if funded > 0.0 { cast.declared as f64 / funded / spec.settings.capital } else { 0.0 };
        let k = self.scale.multiple();
        self.equity *= (1.0 + k * part * pnl).max(0.0);
        self.traded += k * part * traded;
        self.scale.push(part * pnl);
    }
}

/// A shadow for each manager of the hive whose knobs reach the desk: those of the whole, and those of teams.
fn without(spec: &RespondSpec) -> Vec<WithoutManager> {
    let (s, cast) = (&spec.settings, &spec.cast);
    let m = &s.managers;
    let of_goals = [
        (Goal::LowRisk, m.low_risk.is_some()),
        // Without solidarity there is nothing to give back.
        (Goal::BigMoney, m.big_money.is_some() && m.low_risk.is_some()),
        (Goal::Fast, m.fast.is_some()),
    ];
    let whole = of_goals.into_iter().filter(|(_, there)| *there).map(|(goal, _)| ManagerId::of_goal(goal));
    let teams = (0..cast.teams.len()).map(ManagerId::of_team);
    let one = |manager: ManagerId| WithoutManager {
        manager,
        desk: Shadow::new(spec.real.desk.rules(), s.capital),
        stances: vec![0.0; if manager.team().is_some() { spec.kinds.len() } else { 0 }],
        days: Paired::default(),
        opened: s.capital,
    };
    whole.chain(teams).filter(|_| s.listening.enabled).map(one).collect()
}

impl Gauge {
    /// Nothing was measured.
    pub fn new(spec: &RespondSpec) -> Self {
        let (rules, s) = (spec.real.desk.rules(), &spec.settings);
        let shadow = Shadow::new(rules, s.capital);
        let n = spec.kinds.len();
        let none = Paired::default;
        Gauge {
            hive: shadow.clone(),
            net_eq: shadow,
            alone: AloneAccounts {
                scale: Scale::new(&s.desk, s.clock.decide),
                known: vec![(0.0, 0.0); spec.cast.declared_slots],
                equity: s.capital,
                traded: 0.0,
            },
            stances: vec![0.0; n],
            intents: vec![0.0; n],
            over_alone: none(),
            over_net_eq: none(),
            netting: none(),
            listening: none(),
            services: none(),
            lives: none(),
            opened: None,
            without: without(spec),
            wanted: 0,
            bars: 0,
        }
    }

    /// Nobody holds anything yet at this barrier.
    pub(super) fn clear(&mut self) {
        self.stances.fill(0.0);
        self.intents.fill(0.0);
        self.without.iter_mut().for_each(|w| w.stances.fill(0.0));
    }

    /// An agent holds `real` of an asset, and `whole` if no manager of a team held it back.
    pub(super) fn hold(
        &mut self,
        cast: &Population,
        teams: &Teams,
        (agent, asset): (AgentId, AssetId),
        (whole, real): (f64, f64),
    ) {
        self.stances[asset.index()] += real;
        for without in self.without.iter_mut().filter(|w| !w.stances.is_empty()) {
            let size = without.manager.team().map_or(1.0, |n| teams.size_without(cast, agent, n));
            without.stances[asset.index()] += size * whole;
        }
    }

    /// The desk holds so much of an asset, which no agent may.
    pub(super) fn hold_residual(&mut self, asset: AssetId, x: f64) {
        self.stances[asset.index()] += x;
        for without in self.without.iter_mut().filter(|w| !w.stances.is_empty()) {
            without.stances[asset.index()] += x;
        }
    }

    /// What the hive gains by a manager, once enough days were measured; none of one whose knobs do not reach the desk.
    pub fn worth_of(&self, manager: ManagerId) -> Option<SharpeGain> {
        self.without.iter().find(|w| w.manager == manager)?.days.gain()
    }

    /// What the whole gains, and of what.
    pub fn rungs(&self) -> Rungs {
        Rungs {
            over_alone: self.over_alone.gain(),
            over_net_eq: self.over_net_eq.gain(),
            netting: self.netting.gain(),
            listening: self.listening.gain(),
            services: self.services.gain(),
        }
    }

    /// What the gauge says at the close of a day, once it knows anything.
    pub(super) fn reading(&self) -> Option<EmergenceReading> {
        let whole = self.over_alone.gain()?;
        let sharpe = |paired: &Paired| paired.sharpe_gain().unwrap_or(0.0);
        Some(EmergenceReading {
            sharpe: whole.sharpe,
            low: whole.low,
            high: whole.high,
            days: whole.days,
            more: whole.more,
            less: whole.less,
            over_net_eq: sharpe(&self.over_net_eq),
            netting: sharpe(&self.netting),
            listening: sharpe(&self.listening),
            services: sharpe(&self.services),
        })
    }

    /// What the open lives gain over the alone lives.
    pub fn open_over_alone(&self) -> Option<SharpeGain> {
        self.lives.gain()
    }

    /// Sharpe ratios per year of the whole and of the agents alone so far.
    pub fn sharpes(&self) -> Option<(f64, f64)> {
        self.over_alone.sharpes()
    }

    /// Days on which all accounts were measured.
    pub fn days(&self) -> u32 {
        self.over_alone.days()
    }

    /// What the parts trade alone, and together.
    pub fn turnover(&self, bars_per_year: f64) -> YearlyTurnover {
        let years = self.bars as f64 / bars_per_year;
        let per_year = |traded: f64| if years > 0.0 { traded / years } else { 0.0 };
        YearlyTurnover { alone: per_year(self.alone.traded), together: per_year(self.hive.traded) }
    }

    pub(super) fn bar(&mut self, spec: &RespondSpec, id: InstrumentId, listing: &InstrumentState) {
        let (rules, s) = (spec.real.desk.rules(), &spec.settings);
        let costs = &spec.costs[id.index()];
        self.hive.bar(rules, costs, id, listing, s.clock.decide);
        self.net_eq.bar(rules, costs, id, listing, s.clock.decide);
        self.without.iter_mut().for_each(|w| w.desk.bar(rules, costs, id, listing, s.clock.decide));
    }

    pub(super) fn funding(&mut self, spec: &RespondSpec, id: InstrumentId, mark: f64, rate: f64) {
        let costs = &spec.costs[id.index()];
        self.hive.funding(costs, id, mark, rate);
        self.net_eq.funding(costs, id, mark, rate);
        self.without.iter_mut().for_each(|w| w.desk.funding(costs, id, mark, rate));
    }

    pub(super) fn delist(&mut self, spec: &RespondSpec, instrument: &Instrument, last: f64) {
        let (rules, costs) = (spec.real.desk.rules(), spec.settings.costs.of(instrument));
        self.hive.delist(rules, costs, instrument.id, last);
        self.net_eq.delist(rules, costs, instrument.id, last);
        self.without.iter_mut().for_each(|w| w.desk.delist(rules, costs, instrument.id, last));
    }

    /// Takes the sums of this barrier and decides for both desks.
    pub(super) fn decide(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        speak: &Speak,
        office: &ManagerState,
        funds: &Funds,
    ) {
        let (rules, s) = (spec.real.desk.rules(), &spec.settings);
        let market = &speak.market;
        let pace = PositionPace { patience: s.desk.patience, width: Width::Band(0.0), shorts: true };
        for (i, listing) in market.desk().iter().enumerate() {
            if listing.is_fresh(at) && listing.sigma.is_finite() {
                let id = InstrumentId(i as u16);
                self.hive.aim(id, self.stances[i], pace);
                self.net_eq.aim(id, self.intents[i], pace);
                for w in &mut self.without {
                    w.desk.aim(id, w.stances.get(i).copied().unwrap_or(self.stances[i]), pace);
                }
            }
        }
        let quotes = spec.real.quotes(at, market);
        let steer = |knobs: &Knobs| RiskControls {
            equity: 0.0,
            width: knobs.width,
            risk_scale: knobs.risk_scale,
            gross_scale: knobs.gross_scale,
            flatten: false,
        };
        self.hive.mark(market.desk());
        self.hive.decide(rules, &quotes, &steer(&office.knobs));
        for w in &mut self.without {
            w.desk.mark(market.desk());
            w.desk.decide(rules, &quotes, &steer(&office.knobs_without(w.manager)));
        }
        self.net_eq.mark(market.desk());
        self.net_eq.decide(rules, &quotes, &steer(&Knobs::HOME));
        self.alone.bar(spec, speak, funds);
        self.bars += 1;
    }

    /// Closes a day on which services saved this fraction of the account's equity.
    pub(super) fn close_day(&mut self, spec: &RespondSpec, saved: f64, open: f64, alone: f64) {
        let now = [self.hive.equity, self.net_eq.equity, self.alone.equity, open, alone];
        let sized = self.hive.is_sized() && self.net_eq.is_sized() && self.alone.scale.multiple() > 0.0;
        let before: Vec<f64> =
            self.without.iter_mut().map(|w| std::mem::replace(&mut w.opened, w.desk.equity)).collect();
        let Some(opened) = self.opened.replace(now).filter(|_| sized) else { return };
        let day = |i: usize| if opened[i] > 0.0 { now[i] / opened[i] - 1.0 } else { 0.0 };
        let [hive, net_eq, parts] = [0, 1, 2].map(day);
        for (w, before) in self.without.iter_mut().zip(before).filter(|(_, before)| *before > 0.0) {
            w.days.push(hive, w.desk.equity / before - 1.0);
        }
        let whole = hive + saved;
        self.over_alone.push(whole, parts);
        self.over_net_eq.push(whole, net_eq);
        self.netting.push(net_eq, parts);
        self.listening.push(hive, net_eq);
        self.services.push(whole, hive);
        // The simulated lives do not reinvest.
        let capital = spec.settings.capital;
        self.lives.push((open - opened[3]) / capital, (alone - opened[4]) / capital);
    }
}
