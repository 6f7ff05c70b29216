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

use super::spec::RespondSpec;
use super::state::Respond;
use crate::domain::{AgentId, Command, ManagerId};
use crate::engine::Outputs;
use crate::engine::bids::ServiceBar;
use crate::engine::real::StepContext;
use crate::hive::withheld::Withheld;
use crate::treasury::OperatorControls;

impl Respond {
    /// Carries out a command: on voices and ears now, on real money at the next decision at the latest.
    pub(super) fn command(
        &mut self,
        spec: &RespondSpec,
        cx: &StepContext<'_>,
        command: Command,
        out: &mut Outputs,
    ) {
        let real = &mut self.real;
        // What changes nothing (sent twice, or about nobody) is no intervention.
        let news = match command {
            Command::Mute(agent) => self.consensus.mute(&spec.cast, agent, true),
            Command::Unmute(agent) => self.consensus.mute(&spec.cast, agent, false),
            Command::Deafen(agent) => self.deafen(agent, true),
            Command::Undeafen(agent) => self.deafen(agent, false),
            Command::Fund(agent) => self.fund(spec, cx, (agent, true), out),
            Command::Unfund(agent) => self.fund(spec, cx, (agent, false), out),
            Command::Pause(agent) => real.steer(cx, out, |r| r.account.hand.pause(agent)),
            Command::Resume(agent) => real.steer(cx, out, |r| r.account.hand.resume(agent)),
            Command::Drain(agent) => real.steer(cx, out, |r| r.account.hand.drain(agent)),
            Command::PauseAll => real.steer(cx, out, |r| r.each(OperatorControls::pause)),
            Command::DrainAll => real.steer(cx, out, |r| r.each(OperatorControls::drain)),
            Command::ResumeAll => {
                real.steer(cx, out, |r| r.each(OperatorControls::resume) | r.account.hand.unflatten())
            }
            Command::Flatten => real.steer_and_withdraw(cx, out, |r| r.account.hand.flatten()),
            Command::Kill => real.steer_and_withdraw(cx, out, |r| r.account.hand.kill()),
            Command::Reset => real.steer(cx, out, |r| r.account.hand.reset() | r.account.reset_breaker()),
            Command::Recheck => real.recheck(cx, out),
            Command::ResetBreaker => real.steer(cx, out, |r| r.account.reset_breaker()),
            Command::MuteManager(id) => self.office.mute(id, true),
            Command::UnmuteManager(id) => self.office.mute(id, false),
            Command::PauseManager(id) => self.pause_manager(spec, cx, id, out),
            Command::ResumeManager(id) => self.office.resume(id),
        };
        self.tend(cx, out);
        self.real.tend_packages(cx, out);
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

    /// Who may serve the others now: nobody who is not heard, does not hear, or is under the operator's hand.
    pub(super) fn tend(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let Respond { consensus, deafened, real, .. } = self;
        let hand = real.account.hand.clone();
        let bar = |agent: AgentId| {
            let is_deaf = deafened.get(agent.index()).copied().unwrap_or(false);
            match () {
                () if !consensus.is_heard(agent) || is_deaf || hand.is_drained(agent) => {
                    Some(ServiceBar::Ends)
                }
                () if hand.binds(agent) => Some(ServiceBar::Pauses),
                () => None,
            }
        };
        real.tend(cx, bar, out);
    }

    /// Its knobs go home at once, and each turn is said.
    fn pause_manager(
        &mut self,
        spec: &RespondSpec,
        cx: &StepContext<'_>,
        id: ManagerId,
        out: &mut Outputs,
    ) -> bool {
        let mut said = Vec::new();
        let is_news = self.office.pause(id, &spec.cast, spec.settings.desk.gross_max, |note| said.push(note));
        // What the operator has done is done, whoever hears of it.
        self.turned(spec, cx.at, said, &Withheld::default(), out);
        is_news
    }

    fn deafen(&mut self, agent: AgentId, deaf: bool) -> bool {
        self.deafened.get_mut(agent.index()).is_some_and(|d| std::mem::replace(d, deaf) != deaf)
    }

    fn fund(
        &mut self,
        spec: &RespondSpec,
        cx: &StepContext<'_>,
        funded: (AgentId, bool),
        out: &mut Outputs,
    ) -> bool {
        let points = self.declared_points(&spec.cast);
        self.real.fund(cx, funded, &points, out)
    }
}
