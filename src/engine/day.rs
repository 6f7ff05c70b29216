//! The close of a day: trackers speak, managers turn knobs, funds are reviewed and spread.

use super::Outputs;
use super::respond::{Respond, RespondSpec};
use crate::domain::{Body, Speaker, Stamp};
use crate::hive::goals::{Account, Goals};
use crate::hive::managers::Day;

impl Respond {
    /// Once a day: trackers speak, managers turn knobs, funds are reviewed and spread.
    pub(super) fn close_day(&mut self, spec: &RespondSpec, at: Stamp, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let (gross, net) = self.real.exposure();
        let account = Account {
            curve: &self.real.curve,
            gross,
            net,
            target_vol: s.desk.target_vol,
            trades: self.real.orders_sent(),
            interventions: self.interventions,
            running: self.real.running_share(),
        };
        self.goals = Goals::read(&account, &s.goals);
        for reading in self.goals.readings(&s.goals) {
            self.bus.deliver(
                at,
                Speaker::Tracker(reading.goal),
                None,
                Body::Goal(reading),
                &mut out.messages,
            );
        }
        if s.listening.enabled {
            let (gross_profit, cost) = self.real.take_day();
            let day = Day {
                drawdown: self.real.curve.drawdown(),
                cvar95: self.real.curve.cvar95(),
                target_vol: s.desk.target_vol,
                gross_profit,
                cost,
                months_to_10: self.goals.fast.months_to_10,
                gross_max: s.desk.gross_max,
            };
            let bus = &mut self.bus;
            self.office.day(&day, &s.managers, &s.goals, |goal, adjustment| {
                bus.deliver(
                    at,
                    Speaker::Manager(goal),
                    None,
                    Body::Adjustment(adjustment),
                    &mut out.messages,
                );
            });
        }
        let points = self.declared_points(cast);
        self.real.review(s, at, &points, out);
    }
}
