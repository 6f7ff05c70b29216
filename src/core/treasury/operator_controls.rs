//! The operator's hand on real money: who is paused, who is drained, whether everything is flat or
//! killed. What was said, the alone lives and the open lives never see it.
//!
//! ```text
//! pause    real takes no new risk: the stance is held between flat and the aim, the part between flat and held
//! drain    real may only shrink: as pause, and the stance is flat, so that it runs off at the desk's pace
//! flatten  everything in real is closed and stays closed until it is resumed
//! kill     opening orders are cancelled, everybody is as if paused, the gate lets only reductions out;
//!          latched until it is reset
//! ```
//!
//! # Invariants
//!
//! 1. Every verb is idempotent: said again it changes nothing, and says so.
//! 2. Agents without a real life (scouts, unknown ids) have no hand on them.

use super::Mode;
use crate::domain::AgentId;
use serde::{Deserialize, Serialize};

/// What the operator has asked of real money.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatorControls {
    /// By declared agent.
    paused: Vec<bool>,
    /// By declared agent.
    drained: Vec<bool>,
    flat: bool,
    killed: bool,
}

/// Sets a flag; whether that is news.
fn set(flag: Option<&mut bool>, to: bool) -> bool {
    flag.is_some_and(|f| std::mem::replace(f, to) != to)
}

impl OperatorControls {
    /// Nothing was asked of any of so many agents.
    pub fn new(declared: usize) -> Self {
        OperatorControls {
            paused: vec![false; declared],
            drained: vec![false; declared],
            ..OperatorControls::default()
        }
    }

    /// Takes no new risk for the agent; whether that is news.
    pub fn pause(&mut self, agent: AgentId) -> bool {
        set(self.paused.get_mut(agent.index()), true)
    }

    /// Lets the agent's real position run off; whether that is news.
    pub fn drain(&mut self, agent: AgentId) -> bool {
        set(self.drained.get_mut(agent.index()), true)
    }

    /// Ends the agent's pause and drain; whether that is news.
    pub fn resume(&mut self, agent: AgentId) -> bool {
        let paused = set(self.paused.get_mut(agent.index()), false);
        set(self.drained.get_mut(agent.index()), false) || paused
    }

    /// Closes everything, and keeps it closed; whether that is news.
    pub fn flatten(&mut self) -> bool {
        set(Some(&mut self.flat), true)
    }

    /// Ends the flatness of the whole; whether that is news.
    pub fn unflatten(&mut self) -> bool {
        set(Some(&mut self.flat), false)
    }

    /// Halts; whether that is news.
    pub fn kill(&mut self) -> bool {
        set(Some(&mut self.killed), true)
    }

    /// Ends the halt; whether that is news.
    pub fn reset(&mut self) -> bool {
        set(Some(&mut self.killed), false)
    }

    /// Whether the operator paused the agent.
    pub fn is_paused(&self, agent: AgentId) -> bool {
        self.paused.get(agent.index()).copied().unwrap_or(false)
    }

    /// Whether the operator drains the agent.
    pub fn is_drained(&self, agent: AgentId) -> bool {
        self.drained.get(agent.index()).copied().unwrap_or(false)
    }

    /// Whether everything is to be flat.
    pub fn is_flat(&self) -> bool {
        self.flat
    }

    /// Whether the kill switch is latched.
    pub fn is_killed(&self) -> bool {
        self.killed
    }

    /// Whether the agent's real position may only shrink.
    pub fn binds(&self, agent: AgentId) -> bool {
        self.killed || self.is_paused(agent) || self.is_drained(agent)
    }

    /// What a real stance becomes under the hand, beside an aim of `aim`.
    pub fn hold(&self, agent: AgentId, x: f64, aim: f64) -> f64 {
        match () {
            () if self.is_drained(agent) => 0.0,
            () if self.binds(agent) => x.clamp(aim.min(0.0), aim.max(0.0)),
            () => x,
        }
    }

    /// What the account may do.
    pub fn mode(&self) -> Mode {
        match () {
            () if self.killed => Mode::Halted,
            () if self.flat => Mode::Reducing,
            () => Mode::Running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: AgentId = AgentId(1);

    #[test]
    fn every_verb_is_news_once() {
        let mut hand = OperatorControls::new(2);
        for verb in [OperatorControls::pause, OperatorControls::drain, OperatorControls::resume] {
            assert!(verb(&mut hand, ONE));
            assert!(!verb(&mut hand, ONE));
            assert!(!verb(&mut hand, AgentId(2)), "nobody");
        }
        for verb in [
            OperatorControls::flatten,
            OperatorControls::kill,
            OperatorControls::unflatten,
            OperatorControls::reset,
        ] {
            assert!(verb(&mut hand));
            assert!(!verb(&mut hand));
        }
        assert_eq!(hand, OperatorControls::new(2));
    }

    #[test]
    fn a_paused_stance_stays_between_flat_and_its_aim() {
        let mut hand = OperatorControls::new(2);
        assert_eq!(hand.hold(ONE, 3.0, 1.0), 3.0);
        hand.pause(ONE);
        assert_eq!([3.0, 0.5, -2.0].map(|x| hand.hold(ONE, x, 1.0)), [1.0, 0.5, 0.0]);
        assert_eq!([-3.0, -0.5, 2.0].map(|x| hand.hold(ONE, x, -1.0)), [-1.0, -0.5, 0.0]);
        assert_eq!(hand.hold(AgentId(0), 3.0, 1.0), 3.0, "only this one");
        hand.drain(ONE);
        assert_eq!(hand.hold(ONE, 0.5, 1.0), 0.0);
    }

    #[test]
    fn the_strictest_mode_holds() {
        let mut hand = OperatorControls::new(1);
        assert_eq!(hand.mode(), Mode::Running);
        hand.flatten();
        assert_eq!(hand.mode(), Mode::Reducing);
        hand.kill();
        assert_eq!(hand.mode(), Mode::Halted);
        assert!(hand.binds(AgentId(0)));
    }
}
