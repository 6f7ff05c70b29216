//! What the operator's commands do to real money. Voices and ears are the listeners' half
//! ([`super::respond`]); nothing here touches what was said, the alone lives or the open lives.
//!
//! # Invariants
//!
//! 1. Every command is idempotent; it tells whether it changed anything.
//! 2. An order on its way that would take risk which is not wanted any more is taken back at once;
//!    one that only reduces stays.
//! 3. Funds move when they are given or taken, and the total is conserved.

use super::real::{Real, RealSpec};
use super::{Outputs, Settings};
use crate::domain::{AgentId, Command, InstrumentId, Stamp};
use crate::ledger::Ledger;

impl Real {
    /// Carries out a command about real money, at the next decision at the latest; whether it is news.
    pub(super) fn obey(&mut self, spec: &RealSpec, command: Command) -> bool {
        let all = |real: &mut Real, what: fn(&mut Real, AgentId) -> bool| {
            let agents = 0..real.ledger.agents() as u32;
            // Not `any`, which would stop at the first.
            agents.fold(false, |news, i| what(real, AgentId(i)) | news)
        };
        let news = match command {
            Command::Pause(agent) => self.hand.pause(agent),
            Command::Resume(agent) => self.hand.resume(agent),
            Command::Drain(agent) => self.hand.drain(agent),
            Command::PauseAll => all(self, |r, a| r.hand.pause(a)),
            Command::DrainAll => all(self, |r, a| r.hand.drain(a)),
            Command::ResumeAll => all(self, |r, a| r.hand.resume(a)) | self.hand.unflatten(),
            Command::Flatten => self.hand.flatten(),
            Command::Kill => self.hand.kill(),
            Command::Reset => self.hand.reset() | self.reset_breaker(),
            Command::ResetBreaker => self.reset_breaker(),
            // Voices, ears and funds are not asked of this.
            Command::Mute(_)
            | Command::Unmute(_)
            | Command::Deafen(_)
            | Command::Undeafen(_)
            | Command::Fund(_)
            | Command::Unfund(_) => return false,
        };
        self.bind(spec);
        if matches!(command, Command::Flatten | Command::Kill) {
            spec.instruments.iter().for_each(|i| self.withdraw_opening(spec, i.id));
        }
        news
    }

    /// Gives an agent funds or takes them back, and spreads; whether it is news.
    pub(super) fn fund(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        at: Stamp,
        (agent, funded): (AgentId, bool),
        points: &[f64],
        out: &mut Outputs,
    ) -> bool {
        let news = match self.funds.want(agent, funded, &self.ledger, &self.marks) {
            Ok(news) => news,
            Err(e) => {
                self.halt(format!("the funds of an agent could not be reckoned: {e}"), out);
                return true;
            }
        };
        if news {
            let spread = self.funds.spread(at, &mut self.ledger, &self.marks, points, &settings.funds);
            self.guard("funds", &spread, out);
            self.bind(spec);
        }
        news
    }

    /// Tells the desk whose part may only shrink: under the hand, or with its funds taken back. The
    /// house's own parts do when nobody else may take risk.
    fn bind(&mut self, spec: &RealSpec) {
        let house = self.house_is_bound();
        for (slot, instrument, agent) in spec.desk.places() {
            let bound = if agent == Ledger::TREASURY { house } else { self.is_bound(agent) };
            if self.desk.bind(slot, instrument, bound) {
                self.withdraw(instrument);
            }
        }
    }

    fn is_bound(&self, agent: AgentId) -> bool {
        self.hand.binds(agent) || !self.funds.wanted(agent)
    }

    /// Whether what the house holds itself may only shrink: nobody is left who may take new risk.
    pub(super) fn house_is_bound(&self) -> bool {
        (0..self.ledger.agents() as u32).all(|i| self.is_bound(AgentId(i)))
    }

    /// Takes an order back unless it only reduces what is held.
    fn withdraw_opening(&mut self, spec: &RealSpec, id: InstrumentId) {
        let position = self.position(spec, id);
        let open = self.orders.open_quantity(id);
        let reduces = open.is_sign_negative() != position.is_sign_negative() && open.abs() <= position.abs();
        if !reduces {
            self.withdraw(id);
        }
    }
}
