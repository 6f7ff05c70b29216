//! What each of the operator's commands does: one arm a row of [`crate::domain::COMMANDS`]. Voices and ears change in
//! the pool and the listeners, everything else in real money; nothing here touches what was said, the alone lives or
//! the open lives.
//!
//! # Invariants
//!
//! 1. Every command is idempotent; it tells whether it changed anything.
//! 2. An order on its way that would take risk which is not wanted any more is taken back at once;
//!    one that only reduces stays.
//! 3. Funds move when they are given or taken, and the total is conserved.

use super::real::{Real, RealSpec};
use super::respond::{Respond, RespondSpec};
use super::{Outputs, Settings};
use crate::domain::{AgentId, Command, InstrumentId, Stamp};
use crate::ledger::Ledger;
use crate::treasury::OperatorControls;

impl Respond {
    /// Carries out a command: on voices and ears now, on real money at the next decision at the latest.
    pub(super) fn command(&mut self, spec: &RespondSpec, at: Stamp, command: Command, out: &mut Outputs) {
        let (real, money) = (&mut self.real, &spec.real);
        // What changes nothing (sent twice, or about nobody) is no intervention.
        let news = match command {
            Command::Mute(agent) => self.consensus.mute(&spec.cast, agent, true),
            Command::Unmute(agent) => self.consensus.mute(&spec.cast, agent, false),
            Command::Deafen(agent) => self.deafen(agent, true),
            Command::Undeafen(agent) => self.deafen(agent, false),
            Command::Fund(agent) => self.fund(spec, at, (agent, true), out),
            Command::Unfund(agent) => self.fund(spec, at, (agent, false), out),
            Command::Pause(agent) => real.steer(money, |r| r.hand.pause(agent)),
            Command::Resume(agent) => real.steer(money, |r| r.hand.resume(agent)),
            Command::Drain(agent) => real.steer(money, |r| r.hand.drain(agent)),
            Command::PauseAll => real.steer(money, |r| r.each(OperatorControls::pause)),
            Command::DrainAll => real.steer(money, |r| r.each(OperatorControls::drain)),
            Command::ResumeAll => {
                real.steer(money, |r| r.each(OperatorControls::resume) | r.hand.unflatten())
            }
            Command::Flatten => real.steer_and_withdraw(money, |r| r.hand.flatten()),
            Command::Kill => real.steer_and_withdraw(money, |r| r.hand.kill()),
            Command::Reset => real.steer(money, |r| r.hand.reset() | r.reset_breaker()),
            Command::ResetBreaker => real.steer(money, Real::reset_breaker),
        };
        self.interventions += u64::from(news);
        // Restrictions count as hand-holding, taking them back does not.
        if let Command::Mute(a)
        | Command::Deafen(a)
        | Command::Pause(a)
        | Command::Drain(a)
        | Command::Unfund(a) = command
            && news
        {
            self.office.wards.held(a);
        }
    }

    fn deafen(&mut self, agent: AgentId, deaf: bool) -> bool {
        self.deafened.get_mut(agent.index()).is_some_and(|d| std::mem::replace(d, deaf) != deaf)
    }

    fn fund(&mut self, spec: &RespondSpec, at: Stamp, funded: (AgentId, bool), out: &mut Outputs) -> bool {
        let points = self.declared_points(&spec.cast);
        self.real.fund(&spec.real, &spec.settings, at, funded, &points, out)
    }
}

impl Real {
    /// Changes what the operator allows, and lets the desk know at once; whether it is news.
    fn steer(&mut self, spec: &RealSpec, change: impl FnOnce(&mut Real) -> bool) -> bool {
        let news = change(self);
        self.bind(spec);
        news
    }

    /// The same, and takes back every order on its way that would open.
    fn steer_and_withdraw(&mut self, spec: &RealSpec, change: impl FnOnce(&mut Real) -> bool) -> bool {
        let news = self.steer(spec, change);
        spec.instruments.iter().for_each(|i| self.withdraw_opening(spec, i.id));
        news
    }

    /// Of every agent with a ledger account; whether it is news of any.
    fn each(&mut self, change: fn(&mut OperatorControls, AgentId) -> bool) -> bool {
        let agents = 0..self.ledger.agents() as u32;
        // Not `any`, which would stop at the first.
        agents.fold(false, |news, i| change(&mut self.hand, AgentId(i)) | news)
    }

    /// Gives an agent funds or takes them back, and spreads; whether it is news.
    fn fund(
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
