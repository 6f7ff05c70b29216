//! A family's conditions before and after the character of its agent: from the distances of a [`StrategyShape`] to the
//! prices of a [`Plan`].

use crate::agents::personality::{Preset, Traits};
use crate::agents::plan::PlanDraft;
use crate::domain::{Condition, EvalContext, Indicator, Plan, Term};

/// Volatility now, and what is normal: a storm is the one over twice the other.
pub const STORM: Indicator = Indicator::Sigma(8);
/// What volatility is normal, over a long look-back.
pub const CALM: Indicator = Indicator::Sigma(120);
/// Most a stop may be away, as a fraction of price: beyond it the stop of a short could not be met.
const STOP_MAX: f64 = 0.6;
/// Bars to stay flat after a close, for an agent of middling patience.
pub const PAUSE: f64 = 3.0;

/// A family's conditions before the agent's character scales them. Distances are multiples of the
/// volatility of one bar.
#[derive(Clone, Copy, Debug)]
pub struct StrategyShape {
    /// Distance of the stop.
    pub stop: f64,
    /// The stop is at least this far below (for a long) the close as a price; a level to stay beyond.
    pub stop_beyond: Option<f64>,
    /// Distances of the near and the far target; the far one may be a condition of its own.
    pub near: f64,
    /// Where all of it is taken.
    pub far: Far,
    /// Time stop in bars.
    pub hold: f64,
    /// The reason is gone when this holds.
    pub exit: Condition,
    /// Whether the family wants a trailing stop.
    pub trails: bool,
    /// Taken up again when this holds.
    pub again: Condition,
}

/// Where the far target is.
#[derive(Clone, Copy, Debug)]
pub enum Far {
    /// At this distance from the entry.
    Distance(f64),
    /// When this holds.
    When(Condition),
}

impl StrategyShape {
    /// The conditions of an intent that is opened at this close on this side, by the character of its agent.
    pub fn plan(&self, view: &EvalContext<'_>, side: f64, traits: &Traits, preset: &Preset) -> Plan {
        let (close, sigma) = (view.close, view.sigma);
        let scale = preset.stop / traits.caution;
        let mut stop_distance = self.stop * sigma * scale;
        if let Some(level) = self.stop_beyond {
            stop_distance = stop_distance.max(side * (close - level) / close * scale);
        }
        let stop_distance = stop_distance.max(0.25 * sigma).min(STOP_MAX);
        // A short cannot gain more than all of the price; its targets stop short of that.
        let price = |distance: f64| {
            let d = if side < 0.0 { distance.min(0.9) } else { distance };
            Term::Level(close * (1.0 + side * d))
        };
        let reach = sigma * traits.greed * preset.target;
        let near = self.near * reach;
        let at = |d: f64| Condition::beyond(side, Term::Close, price(d));
        let adverse = -side;
        // In a storm at entry, only a worse one is a new danger.
        let storm = (1.5 * view.of(STORM) / view.of(CALM)).max(2.0);
        let draft = PlanDraft {
            stop: Condition::beyond(adverse, Term::Close, Term::Level(close * (1.0 - side * stop_distance))),
            trail: (self.trails && preset.trail > 0.0).then(|| {
                let back = (stop_distance * preset.trail).max(0.25 * sigma).min(STOP_MAX);
                Condition::beyond(adverse, Term::Close, Term::Trail(back))
            }),
            exit: self.exit,
            clock: Term::Held,
            hold: self.hold,
            pause: PAUSE,
            near: at(near),
            far: match self.far {
                Far::Distance(d) => at(d * reach),
                Far::When(when) => when,
            },
            add: Some(at(0.5 * near)),
            hedge: Condition::above(Term::Of(STORM), Term::Times(storm, CALM)),
            again: self.again,
        };
        draft.finish(side, traits, preset)
    }
}
