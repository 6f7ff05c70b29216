//! A family's conditions before and after the character of its agent: from the distances of a [`StrategyShape`] to the
//! prices of a [`Plan`].

use crate::agents::personality::{Preset, Traits};
use crate::domain::condition::Target;
use crate::domain::{Condition, EvalContext, Indicator, Plan, ReEntry, Term};

/// Volatility now, and what is normal: a storm is the one over twice the other.
pub const STORM: Indicator = Indicator::Sigma(8);
pub const CALM: Indicator = Indicator::Sigma(120);
/// Most a stop may be away, as a fraction of price: beyond it the stop of a short could not be met.
const STOP_MAX: f64 = 0.6;

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

#[derive(Clone, Copy, Debug)]
pub enum Far {
    Distance(f64),
    When(Condition),
}

impl StrategyShape {
    pub fn plan(&self, view: &EvalContext<'_>, side: f64, traits: &Traits, preset: &Preset) -> Plan {
        let (close, sigma) = (view.close, view.sigma);
        let scale = preset.stop / traits.caution;
        let mut stop_distance = self.stop * sigma * scale;
        if let Some(level) = self.stop_beyond {
            stop_distance = stop_distance.max(side * (close - level) / close * scale);
        }
        let stop_distance = stop_distance.clamp(0.25 * sigma, STOP_MAX);
        // A short cannot gain more than all of the price; its targets stop short of that.
        let price = |distance: f64| {
            let d = if side < 0.0 { distance.min(0.9) } else { distance };
            Term::Level(close * (1.0 + side * d))
        };
        let reach = sigma * traits.greed * preset.target;
        let near = self.near * reach;
        let target = |d: f64, fraction: f64| {
            Some(Target { when: Condition::beyond(side, Term::Close, price(d)), fraction })
        };
        let far = match self.far {
            Far::Distance(d) => target(d * reach, 1.0),
            Far::When(when) => Some(Target { when, fraction: 1.0 }),
        };
        // In a storm at entry, only a worse one is a new danger.
        let storm = (1.5 * view.of(STORM) / view.of(CALM)).max(2.0);
        let hold = libm::ceil(self.hold * traits.patience * preset.hold).max(1.0);
        let pause = libm::ceil(3.0 * traits.patience * preset.pause).max(1.0) as u32;
        let add = preset.add_size * traits.conviction;
        let adverse = -side;
        Plan {
            stop: Condition::beyond(adverse, Term::Close, Term::Level(close * (1.0 - side * stop_distance))),
            trail: (self.trails && preset.trail > 0.0).then(|| {
                let back = (stop_distance * preset.trail).clamp(0.25 * sigma, STOP_MAX);
                Condition::beyond(adverse, Term::Close, Term::Trail(back))
            }),
            exit: self.exit,
            expire: Condition::above(Term::Held, Term::Level(hold)),
            targets: [target(near, preset.take), far],
            // An add of nothing is none: what is announced must act (law 12).
            add: (preset.adds > 0 && add > 0.0)
                .then(|| (Condition::beyond(side, Term::Close, price(0.5 * near)), add)),
            hedge: Some((Condition::above(Term::Of(STORM), Term::Times(storm, CALM)), 0.5)),
            reenter: Some(ReEntry {
                side,
                when: self.again,
                unless: self.exit,
                not_before: pause,
                within: pause + libm::ceil(hold * 0.25) as u32,
                minutes: false,
            }),
        }
    }
}
