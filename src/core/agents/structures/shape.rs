//! Conditions of a structure from a family's distances, in basis points of gain, and the agent's
//! character, as [`crate::agents::shape`] does for prices.

use crate::agents::personality::{Preset, Traits};
use crate::agents::plan::PlanDraft;
use crate::domain::{Condition, Indicator, Plan, Term};

/// A family's conditions before the agent's character scales them.
#[derive(Clone, Copy, Debug)]
pub struct StructureShape {
    /// Gain at which it is given up, in basis points below zero; positive.
    pub stop: f64,
    /// Gains at which parts and all are taken.
    pub near: f64,
    /// Gain at which all is taken, above `near`.
    pub far: f64,
    /// Whether it wants a trailing stop.
    pub trails: bool,
    /// Time stop in minutes.
    pub hold: f64,
    /// The reason is gone when this holds.
    pub exit: Condition,
    /// More is added when this holds; none where the family never adds.
    pub add: Option<Condition>,
    /// Half is taken off, once, when this holds.
    pub hedge: Condition,
    /// Taken up again when this holds.
    pub again: Condition,
    /// Minutes to stay flat before it is.
    pub pause: f64,
}

impl StructureShape {
    /// The plan of an intent whose targets are named after costs: the gain at mid prices, which they are
    /// judged by, must bring what the round trip costs first, however modest the agent.
    pub fn plan_after(&self, cost: f64, side: f64, traits: &Traits, preset: &Preset) -> Plan {
        let mut plan = self.plan(side, traits, preset);
        for target in &mut plan.targets {
            if let Term::Level(bp) = &mut target.when.right {
                *bp += cost;
            }
        }
        plan
    }

    /// The plan of an intent on this side.
    pub fn plan(&self, side: f64, traits: &Traits, preset: &Preset) -> Plan {
        let gain = Term::Of(Indicator::Gain);
        let above = |bp: f64| Condition::above(gain, Term::Level(bp));
        let stop = (self.stop * preset.stop / traits.caution).max(0.1);
        let reach = traits.greed * preset.target;
        let (near, far) = (self.near * reach, (self.far * reach).max(self.near * reach * 1.01));
        let draft = PlanDraft {
            stop: Condition::below(gain, Term::Level(-stop)),
            trail: (self.trails && preset.trail > 0.0)
                .then(|| Condition::below(gain, Term::Back(stop * preset.trail))),
            exit: self.exit,
            clock: Term::Minutes,
            hold: self.hold,
            pause: self.pause,
            near: above(near),
            far: above(far),
            add: self.add,
            hedge: self.hedge,
            again: self.again,
        };
        draft.finish(side, traits, preset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> StructureShape {
        let edge = |bp| Condition::above(Term::Of(Indicator::Edge), Term::Level(bp));
        StructureShape {
            stop: 20.0,
            near: 10.0,
            far: 30.0,
            trails: true,
            hold: 60.0,
            exit: edge(1.0),
            add: Some(edge(2.0)),
            hedge: edge(3.0),
            again: edge(4.0),
            pause: 5.0,
        }
    }

    fn level(of: Condition) -> f64 {
        match of.right {
            Term::Level(x) | Term::Back(x) => x,
            other => panic!("{other:?}"),
        }
    }

    fn targets(plan: &Plan) -> [f64; 2] {
        [level(plan.targets[0].when), level(plan.targets[1].when)]
    }

    #[test]
    fn character_moves_stop_targets_and_patience() {
        let preset = Preset::default();
        let plain = shape().plan(1.0, &Traits::default(), &preset);
        assert_eq!((level(plain.stop), targets(&plain), level(plain.expire)), (-20.0, [10.0, 30.0], 60.0));
        assert_eq!(level(plain.trail.unwrap()), 20.0 * preset.trail);
        let traits = Traits { caution: 2.0, greed: 3.0, patience: 0.5, ..Traits::default() };
        let plan = shape().plan(1.0, &traits, &preset);
        assert_eq!((level(plan.stop), targets(&plan), level(plan.expire)), (-10.0, [30.0, 90.0], 30.0));
        let again = plan.reenter.unwrap();
        assert_eq!((again.not_before, again.within, again.minutes), (3, 3 + 8, true), "rounded up");
    }

    #[test]
    fn nobody_adds_without_conviction_or_where_the_goal_says_never() {
        let adds = |traits: Traits, adds| {
            shape().plan(1.0, &traits, &Preset { adds, ..Preset::default() }).add.map(|a| a.1)
        };
        assert_eq!(adds(Traits { conviction: 1.5, ..Traits::default() }, 1), Some(0.75));
        assert_eq!(adds(Traits { conviction: 0.0, ..Traits::default() }, 1), None);
        assert_eq!(adds(Traits::default(), 0), None);
    }

    #[test]
    fn targets_after_costs_lie_further_by_just_these_and_nothing_else_moves() {
        let (traits, preset) = (Traits::default(), Preset { trail: 0.0, ..Preset::default() });
        let (plain, after) =
            (shape().plan(-1.0, &traits, &preset), shape().plan_after(7.0, -1.0, &traits, &preset));
        assert_eq!(targets(&after), [17.0, 37.0]);
        assert_eq!((after.stop, after.expire, after.trail), (plain.stop, plain.expire, None));
        let never_equal = StructureShape { far: 1.0, ..shape() }.plan(1.0, &traits, &preset);
        let [near, far] = targets(&never_equal);
        assert!(far > near, "the far target lies beyond the near one");
    }
}
