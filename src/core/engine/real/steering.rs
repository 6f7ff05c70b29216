//! The operator's hand on real money: what changes the controls tells the desk at once whose part may only shrink.

use super::context::StepContext;
use super::life::Real;
use crate::domain::AgentId;
use crate::engine::Outputs;
use crate::ledger::Ledger;
use crate::treasury::OperatorControls;

impl Real {
    /// Changes what the operator allows, and lets the desk know at once; whether it is news.
    pub(in crate::engine) fn steer(
        &mut self,
        cx: &StepContext<'_>,
        out: &mut Outputs,
        change: impl FnOnce(&mut Real) -> bool,
    ) -> bool {
        let news = change(self);
        self.bind(cx, out);
        news
    }

    /// The same, and takes back every order on its way that would open.
    pub(in crate::engine) fn steer_and_withdraw(
        &mut self,
        cx: &StepContext<'_>,
        out: &mut Outputs,
        change: impl FnOnce(&mut Real) -> bool,
    ) -> bool {
        let news = self.steer(cx, out, change);
        cx.spec.instruments.iter().for_each(|i| self.withdraw_opening(cx, i.id, out));
        news
    }

    /// Of every agent with a ledger account; whether it is news of any.
    pub(in crate::engine) fn each(&mut self, change: fn(&mut OperatorControls, AgentId) -> bool) -> bool {
        let agents = 0..self.account.ledger.agents() as u32;
        // Not `any`, which would stop at the first.
        agents.fold(false, |news, i| change(&mut self.account.hand, AgentId(i)) | news)
    }

    /// Gives an agent funds or takes them back, and spreads; whether it is news.
    pub(in crate::engine) fn fund(
        &mut self,
        cx: &StepContext<'_>,
        (agent, funded): (AgentId, bool),
        points: &[f64],
        out: &mut Outputs,
    ) -> bool {
        let news = match self.account.funds.want(agent, funded, &self.account.ledger, &self.account.marks) {
            Ok(news) => news,
            Err(e) => {
                self.account.halt(format!("the funds of an agent could not be reckoned: {e}"), out);
                return true;
            }
        };
        if news {
            let spread = self.account.funds.spread(
                cx.at,
                &mut self.account.ledger,
                &self.account.marks,
                points,
                &cx.settings.funds,
            );
            self.account.guard("funds", &spread, out);
            self.bind(cx, out);
        }
        news
    }

    /// Tells the desk whose part may only shrink: under the hand, or with its funds taken back. The
    /// house's own parts do when nobody else may take risk.
    fn bind(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let house = self.house_is_bound();
        for (slot, instrument, agent) in cx.spec.desk.places() {
            let bound = if agent == Ledger::TREASURY { house } else { self.is_bound(agent) };
            if self.execution.desk.bind(slot, instrument, bound) {
                self.withdraw(cx, instrument, out);
            }
        }
    }

    fn is_bound(&self, agent: AgentId) -> bool {
        self.account.hand.binds(agent) || !self.account.funds.wanted(agent)
    }

    /// Whether what the house holds itself may only shrink: nobody is left who may take new risk.
    pub(in crate::engine) fn house_is_bound(&self) -> bool {
        (0..self.account.ledger.agents() as u32).all(|i| self.is_bound(AgentId(i)))
    }
}
