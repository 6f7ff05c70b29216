//! The close of a day: trackers speak, managers turn knobs, funds are reviewed and spread.

use super::spec::RespondSpec;
use super::state::Respond;
use crate::agents::Population;
use crate::agents::cast::Team;
use crate::domain::{AgentId, Knob, MessageKind, SideRule, Speaker, Stamp, money};
use crate::engine::Outputs;
use crate::engine::speak::Speak;
use crate::fills::pace::unit;
use crate::hive::goals::{GoalInputs, Goals};
use crate::hive::managers::netting::OneSided;
use crate::hive::managers::teams::TeamDay;
use crate::hive::managers::{AccountDay, AdjustmentNote};
use crate::hive::withheld::Withheld;

impl Respond {
    /// Once a day: trackers speak, managers turn knobs, funds are reviewed and spread.
    pub(super) fn close_day(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let (gross, net) = self.real.account.exposure();
        let account = GoalInputs {
            curve: &self.real.account.curve,
            gross,
            net,
            target_vol: s.desk.target_vol,
            trades: self.real.execution.orders_sent(),
            interventions: self.interventions,
            running: self.real.account.running_share(),
        };
        self.goals = Goals::read(&account, &s.goals);
        for reading in self.goals.readings(&s.goals) {
            let from = Speaker::Tracker(reading.goal);
            let body = MessageKind::Goal(reading);
            let id = self.bus.deliver(at, from, None, body.clone(), &mut out.messages);
            if spec.has_reactions && spec.withheld.is_heard(from, id, &body) {
                self.heard.reading(id, &reading);
            }
        }
        let mut saved = 0.0;
        for (speaker, receipt) in self.real.execution.services.receipts(
            &spec.real.services,
            &self.real.account.ledger,
            &self.real.account.marks,
        ) {
            saved += receipt.saved;
            let body = MessageKind::Receipt(receipt);
            let id = self.bus.deliver(at, speaker, None, body.clone(), &mut out.messages);
            if spec.has_reactions && spec.withheld.is_heard(speaker, id, &body) {
                self.heard.receipt(speaker, (at, id), &receipt);
            }
        }
        let saved = saved / money::to_estimate(self.real.account.equity()).max(f64::MIN_POSITIVE);
        self.gauge.close_day(spec, saved, self.open.equity(), speak.curve.equity());
        if let Some(reading) = self.gauge.reading() {
            self.bus.deliver(at, Speaker::Gauge, None, MessageKind::Emergence(reading), &mut out.messages);
        }
        if s.listening.enabled {
            self.manage(spec, at, speak, out);
        }
        // Books that cannot be valued have halted the account already, and are no reading.
        if let Ok((gained, hive)) = self.real.account.gains() {
            self.difference.push(gained.into_iter(), hive);
        }
        let points = self.declared_points(cast);
        self.real.account.review(s, at, &points, out);
    }

    /// Managers look at the day, turn knobs, and say so.
    fn manage(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let one_sided = if s.managers.asset.is_some() { self.one_sided(spec, speak) } else { Vec::new() };
        let teams = self.team_days(cast);
        let (gross_profit, cost) = self.real.account.take_day();
        let day = AccountDay {
            number: at.day(),
            drawdown: self.real.account.curve.drawdown(),
            cvar95: self.real.account.curve.cvar95(),
            target_vol: s.desk.target_vol,
            gross_profit,
            cost,
            growth: self.goals.big_money.growth_at_target_risk,
            months_to_10: self.goals.fast.months_to_10,
            gross_max: s.desk.gross_max,
            one_sided: &one_sided,
            teams: &teams,
        };
        let (mut said, before) = (Vec::new(), self.office.knobs);
        self.office.day(&day, (cast, &s.managers), &s.goals, |note| said.push(note));
        let turned = self.turned(spec, at, said, &spec.withheld, out);
        self.office.withhold(cast, &turned, before, &day);
    }

    /// Delivers what managers turned, and does what is not theirs to do where it is heard; whether it is, turn by turn.
    pub(super) fn turned(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        said: Vec<AdjustmentNote>,
        withheld: &Withheld,
        out: &mut Outputs,
    ) -> Vec<(AdjustmentNote, bool)> {
        let mut turned = Vec::with_capacity(said.len());
        for (who, asset, adjustment) in said {
            let body = MessageKind::Adjustment(adjustment);
            let id = self.bus.deliver(at, who, asset, body.clone(), &mut out.messages);
            let is_heard = withheld.is_heard(who, id, &body);
            turned.push(((who, asset, adjustment), is_heard));
            if !is_heard {
                continue;
            }
            if spec.has_reactions && !self.office.is_muted(who) {
                self.heard.adjustment(who, (at, id), &adjustment);
            }
            if let (Knob::Voice, Some(agent)) = (adjustment.knob, adjustment.agent) {
                self.consensus.silence(&spec.cast, agent, adjustment.to == 0.0);
            }
        }
        turned
    }

    /// What the managers of teams watch, team by team.
    fn team_days(&self, cast: &Population) -> Vec<TeamDay> {
        let account = &self.real.account;
        let equity = money::to_estimate(account.equity());
        let day = |team: &Team| {
            let pnl =
                |agent: &AgentId| account.ledger.pnl(*agent, &account.marks).map_or(0.0, money::to_estimate);
            let mut net = vec![0.0; cast.by_asset.len()];
            let mut gross = 0.0;
            for agent in &team.members {
                for slot in cast.agents[agent.index()].slots.clone() {
                    let aim = self.real.execution.desk.parts[slot].aim;
                    net[cast.slots[slot].asset.index()] += aim;
                    gross += libm::fabs(aim);
                }
            }
            let net: f64 = net.into_iter().map(libm::fabs).sum();
            TeamDay {
                results: team.members.iter().map(pnl).sum(),
                funds: team.members.iter().map(|a| account.funds.weight(*a)).sum::<f64>() * equity,
                crowding: if gross > 0.0 { net / gross } else { 0.0 },
            }
        };
        cast.teams.iter().map(day).collect()
    }

    /// Funded agents of one side, slot by slot: what they aim at and what they may.
    fn one_sided(&self, spec: &RespondSpec, speak: &Speak) -> Vec<OneSided> {
        let cast = &*spec.cast;
        let mut all = Vec::new();
        for agent in cast.agents[..cast.declared].iter().filter(|a| a.side != SideRule::Both) {
            let weight = self.real.account.funds.weight(agent.id);
            let allowed = self.allowed(spec, agent);
            for slot in agent.slots.clone() {
                let asset = cast.slots[slot].asset;
                let sigma = speak.market.instruments[asset.index()].sigma;
                let limit = if sigma.is_finite() { allowed * weight * unit(sigma) } else { 0.0 };
                let aim = libm::fabs(self.real.execution.desk.parts[slot].aim);
                let long = agent.side == SideRule::Long;
                all.push(OneSided { slot, agent: agent.id, asset, long, aim, limit });
            }
        }
        all
    }
}
