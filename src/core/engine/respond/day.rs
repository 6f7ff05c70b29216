//! The close of a day: trackers speak, managers turn knobs, funds are reviewed and spread.

use super::spec::RespondSpec;
use super::state::Respond;
use crate::domain::{Knob, MessageKind, SideRule, Speaker, Stamp, money};
use crate::engine::Outputs;
use crate::engine::speak::Speak;
use crate::fills::pace::unit;
use crate::hive::goals::{GoalInputs, Goals};
use crate::hive::managers::AccountDay;
use crate::hive::managers::netting::OneSided;

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
        };
        let (mut turned, before) = (Vec::new(), self.office.knobs);
        self.office.day(&day, &s.managers, &s.goals, |note| turned.push((note, true)));
        for ((who, asset, adjustment), is_heard) in &mut turned {
            let body = MessageKind::Adjustment(*adjustment);
            let id = self.bus.deliver(at, *who, *asset, body.clone(), &mut out.messages);
            *is_heard = spec.withheld.is_heard(*who, id, &body);
            if !*is_heard {
                continue;
            }
            if spec.has_reactions {
                self.heard.adjustment(*who, (at, id), adjustment);
            }
            if let (Knob::Voice, Some(agent)) = (adjustment.knob, adjustment.agent) {
                self.consensus.silence(cast, agent, adjustment.to == 0.0);
            }
        }
        self.office.withhold(&turned, before, &day);
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
