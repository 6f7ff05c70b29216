//! A decision of the desk: from the aims of all agents to the orders that leave.

use super::context::{Exposed, StepContext};
use super::life::Real;
use crate::domain::{Digest, money};
use crate::engine::Outputs;
use crate::hive::managers::Knobs;
use crate::treasury::desk::RiskControls;

impl Real {
    /// The desk decides on everything that has a price now, and its orders go out through the gate.
    pub fn decide(&mut self, cx: &StepContext<'_>, knobs: &Knobs, decisions: &mut Digest, out: &mut Outputs) {
        let StepContext { spec, at, market, .. } = *cx;
        if self.account.halted.is_some() {
            self.execution.services.come_no_more();
            self.cancel_packages(cx, out);
            return spec.instruments.iter().for_each(|i| self.withdraw(cx, i.id, out));
        }
        self.choose_servers(cx, out);
        let quotes = spec.quotes(at, market);
        let steer = RiskControls {
            equity: money::to_estimate(self.account.equity).max(0.0),
            width: knobs.width,
            risk_scale: knobs.risk_scale,
            gross_scale: knobs.gross_scale,
            flatten: self.account.breaker.latched().is_some() || self.account.hand.is_flat(),
        };
        let mut wanted = Vec::with_capacity(quotes.len());
        self.execution.desk.decide(&spec.desk, &quotes, &steer, &mut wanted);
        let (gross, net) = match self.account.exposed() {
            Ok(sums) => sums,
            Err(e) => return self.account.halt(format!("exposure could not be computed: {e}"), out),
        };
        let changes = self.select_instruments(cx, &steer, &wanted, out);
        let exposed = Exposed { gross, net };
        for want in wanted {
            decisions.word(want.quantity.mantissa() as u64);
            let change = changes[want.instrument.index()];
            if !change.spot.is_zero() {
                decisions.word(change.spot.mantissa() as u64);
            }
            self.send(cx, exposed, want, change, out);
        }
    }
}
