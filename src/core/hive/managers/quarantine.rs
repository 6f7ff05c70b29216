//! The A manager: an agent that errs, or that the operator has to hold by the hand, is quarantined (its
//! voice is not heard, its real stance is flat and runs off at the desk's pace), and brought back on
//! probation with a part of its largest unit. Alone and open go on all the while, so that it can be seen
//! whether it has mended.
//!
//! ```text
//! score = (1 − 1/window)·score + errors (or interventions) of the day
//! free ──score ≥ max──► quarantine ──days──► probation ──days──► free
//!             ▲                                  │ score ≥ max
//!             └──────────────────────────────────┘
//! ```
//!
//! # Invariants
//!
//! 1. A voice is 0 or 1, a unit 0, the probation's or 1; both are back at 1 once probation is served.
//! 2. At most a share of all agents (and at least one) is in quarantine at once, the earliest first: an
//!    error of the market is no error of everybody.
//! 3. Every change is said.

use crate::domain::{Adjustment, AgentId, Knob};
use crate::hive::settings::AutomatedManager;
use serde::{Deserialize, Serialize};

/// Where an agent stands with the manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantinePhase {
    /// Nothing is held against it.
    #[default]
    Free,
    /// Not heard, and without real risk, until this day.
    Quarantine {
        /// Days since 1970.
        until: i64,
    },
    /// Heard, with a part of its unit, until this day.
    Probation {
        /// Days since 1970.
        until: i64,
    },
}

/// One agent under watch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Ward {
    phase: QuarantinePhase,
    unit: f64,
    errors: f64,
    hands: f64,
    /// Since the last day was closed.
    errors_today: u32,
    hands_today: u32,
}

/// All declared agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quarantine(Vec<Ward>);

impl Quarantine {
    /// Nobody has done anything yet.
    pub fn new(agents: usize) -> Self {
        let ward = Ward {
            phase: QuarantinePhase::Free,
            unit: 1.0,
            errors: 0.0,
            hands: 0.0,
            errors_today: 0,
            hands_today: 0,
        };
        Quarantine(vec![ward; agents])
    }

    /// It said what cannot be, or too much.
    pub fn erred(&mut self, agent: AgentId) {
        if let Some(w) = self.0.get_mut(agent.index()) {
            w.errors_today = w.errors_today.saturating_add(1);
        }
    }

    /// The operator had to restrict it.
    pub fn held(&mut self, agent: AgentId) {
        if let Some(w) = self.0.get_mut(agent.index()) {
            w.hands_today = w.hands_today.saturating_add(1);
        }
    }

    /// Where it stands.
    pub fn phase(&self, agent: AgentId) -> QuarantinePhase {
        self.0.get(agent.index()).map_or(QuarantinePhase::Free, |w| w.phase)
    }

    /// Whether its voice counts.
    pub fn is_heard(&self, agent: AgentId) -> bool {
        !matches!(self.phase(agent), QuarantinePhase::Quarantine { .. })
    }

    /// Multiplies its largest unit that its real life may hold.
    pub fn unit(&self, agent: AgentId) -> f64 {
        self.0.get(agent.index()).map_or(1.0, |w| w.unit)
    }

    /// Lets everybody go at once, and says whom.
    pub(super) fn release(&mut self, mut say: impl FnMut(Adjustment)) {
        for (i, w) in self.0.iter_mut().enumerate() {
            let agent = Some(AgentId(i as u32));
            if matches!(w.phase, QuarantinePhase::Quarantine { .. }) {
                say(Adjustment { knob: Knob::Voice, agent, from: 0.0, to: 1.0, because: 0.0 });
            }
            let from = std::mem::replace(&mut w.unit, 1.0);
            if from != 1.0 {
                say(Adjustment { knob: Knob::Unit, agent, from, to: 1.0, because: 0.0 });
            }
            w.phase = QuarantinePhase::Free;
            (w.errors, w.hands) = (0.0, 0.0);
        }
    }

    /// Has its largest unit multiplied by this.
    pub(super) fn put(&mut self, agent: AgentId, unit: f64) {
        if let Some(ward) = self.0.get_mut(agent.index()) {
            ward.unit = unit;
        }
    }

    /// Closes a day: counts, judges, and says what changes.
    pub(super) fn day(&mut self, day: i64, m: &AutomatedManager, mut say: impl FnMut(Adjustment)) {
        let keep = 1.0 - 1.0 / f64::from(m.window_days);
        let most = ((m.share_max * self.0.len() as f64) as usize).max(1);
        let mut inside =
            self.0.iter().filter(|w| matches!(w.phase, QuarantinePhase::Quarantine { .. })).count();
        for (i, w) in self.0.iter_mut().enumerate() {
            w.errors = keep * w.errors + f64::from(std::mem::take(&mut w.errors_today));
            w.hands = keep * w.hands + f64::from(std::mem::take(&mut w.hands_today));
            let worst = (w.errors / f64::from(m.errors_max)).max(w.hands / f64::from(m.interventions_max));
            let because = w.errors.max(w.hands);
            let was = w.phase;
            w.phase = match was {
                QuarantinePhase::Free | QuarantinePhase::Probation { .. }
                    if worst >= 1.0 && inside < most =>
                {
                    inside += 1;
                    // Served for what was done; what comes after counts anew.
                    (w.errors, w.hands) = (0.0, 0.0);
                    QuarantinePhase::Quarantine { until: day + i64::from(m.quarantine_days) }
                }
                QuarantinePhase::Quarantine { until } if day >= until => {
                    inside -= 1;
                    QuarantinePhase::Probation { until: day + i64::from(m.probation_days) }
                }
                QuarantinePhase::Probation { until } if day >= until => QuarantinePhase::Free,
                same => same,
            };
            let (heard, unit) = match w.phase {
                QuarantinePhase::Free => (1.0, 1.0),
                QuarantinePhase::Quarantine { .. } => (0.0, 0.0),
                QuarantinePhase::Probation { .. } => (1.0, m.probation_unit),
            };
            let before = if matches!(was, QuarantinePhase::Quarantine { .. }) { 0.0 } else { 1.0 };
            let agent = Some(AgentId(i as u32));
            if heard != before {
                say(Adjustment { knob: Knob::Voice, agent, from: before, to: heard, because });
            }
            if unit != w.unit {
                say(Adjustment { knob: Knob::Unit, agent, from: w.unit, to: unit, because });
                w.unit = unit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: AgentId = AgentId(1);

    fn days(wards: &mut Quarantine, range: std::ops::Range<i64>) -> Vec<(i64, Adjustment)> {
        let mut said = vec![];
        range.for_each(|d| wards.day(d, &AutomatedManager::default(), |a| said.push((d, a))));
        said
    }

    #[test]
    fn who_errs_is_quarantined_comes_back_on_probation_and_is_free_again() {
        let m = AutomatedManager::default();
        let mut wards = Quarantine::new(8);
        (0..m.errors_max).for_each(|_| wards.erred(ONE));
        let said = days(&mut wards, 0..1);
        assert_eq!(wards.phase(ONE), QuarantinePhase::Quarantine { until: i64::from(m.quarantine_days) });
        assert!(!wards.is_heard(ONE) && wards.unit(ONE) == 0.0 && wards.is_heard(AgentId(0)));
        let knobs: Vec<_> = said.iter().map(|(_, a)| (a.knob, a.agent, a.from, a.to)).collect();
        assert_eq!(knobs, [(Knob::Voice, Some(ONE), 1.0, 0.0), (Knob::Unit, Some(ONE), 1.0, 0.0)]);
        let said = days(&mut wards, 1..200);
        let (back, free) = (i64::from(m.quarantine_days), i64::from(m.quarantine_days + m.probation_days));
        let knobs: Vec<_> = said.iter().map(|(d, a)| (*d, a.knob, a.to)).collect();
        assert_eq!(
            knobs,
            [(back, Knob::Voice, 1.0), (back, Knob::Unit, m.probation_unit), (free, Knob::Unit, 1.0)]
        );
        assert_eq!(wards.phase(ONE), QuarantinePhase::Free);
    }

    #[test]
    fn hand_holding_counts_and_old_sins_are_forgotten() {
        let m = AutomatedManager::default();
        let mut wards = Quarantine::new(8);
        for d in 0..400 {
            if d % i64::from(m.window_days) == 0 {
                wards.held(ONE);
            }
            assert!(days(&mut wards, d..d + 1).is_empty(), "one in a while is no trouble");
        }
        (0..m.interventions_max).for_each(|_| wards.held(ONE));
        assert_eq!(days(&mut wards, 400..401).len(), 2);
    }

    #[test]
    fn what_is_done_on_probation_leads_back() {
        let m = AutomatedManager::default();
        let mut wards = Quarantine::new(8);
        (0..m.errors_max).for_each(|_| wards.erred(ONE));
        days(&mut wards, 0..i64::from(m.quarantine_days) + 1);
        assert!(matches!(wards.phase(ONE), QuarantinePhase::Probation { .. }));
        (0..m.errors_max).for_each(|_| wards.erred(ONE));
        days(&mut wards, 20..21);
        assert!(matches!(wards.phase(ONE), QuarantinePhase::Quarantine { .. }));
    }

    #[test]
    fn never_more_than_a_share_at_once() {
        let m = AutomatedManager::default();
        let mut wards = Quarantine::new(8);
        for i in 0..8 {
            (0..m.errors_max).for_each(|_| wards.erred(AgentId(i)));
        }
        days(&mut wards, 0..1);
        let inside = (0..8).filter(|i| !wards.is_heard(AgentId(*i))).count();
        assert_eq!(inside, (m.share_max * 8.0) as usize);
    }
}
