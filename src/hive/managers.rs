//! Managers: the only ones that may adjust anything of another, and only knobs of `respond`, within
//! bounds, with trigger and release, once a day, and always as a message (law 3).
//!
//! | manager | knob | trigger → release |
//! |---|---|---|
//! | LR | risk scale, solidarity: clip(1 − 0.7·drawdown/(1.5·σ a year), min, 1) | drawdown → recovery |
//! | LR | gross cap × clip(budget/CVaR95, min, 1) | CVaR95 over budget → under 90 % of it |
//! | F | η and β: slower and wider while trading costs eat the profit; faster while they do not and the way to +10 % is longer than asked for; home otherwise | share of gross profit lost to cost |

use super::settings::{GoalTargets, Managers};
use crate::domain::{Adjustment, Goal, Knob};
use serde::{Deserialize, Serialize};

/// Smallest turn of a scale that is worth saying.
const STEP: f64 = 0.05;
/// Days of memory of the F manager: a year, so that it sees what trading costs and not last month's luck.
const COST_DAYS: f64 = 365.0;
/// A turn of the band, large enough to be worth saying.
const BAND_STEP: f64 = 0.025;
/// How far the band may widen above the configured one.
const BAND_WIDER: f64 = 0.20;

/// The knobs as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knobs {
    /// Multiplies the risk target.
    pub risk_scale: f64,
    /// Multiplies the configured gross cap.
    pub gross_scale: f64,
    /// η.
    pub patience: f64,
    /// β.
    pub band: f64,
}

/// The managers' memory and their knobs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Office {
    /// As they stand.
    pub knobs: Knobs,
    /// As configured.
    base: Knobs,
    profit: f64,
    cost: f64,
}

/// A day of the account, as managers see it.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// Drawdown now.
    pub drawdown: f64,
    /// CVaR95 of daily returns.
    pub cvar95: f64,
    /// Volatility a year the desk aims at.
    pub target_vol: f64,
    /// The day's profit before trading costs.
    pub gross_profit: f64,
    /// The day's fees, spread and impact.
    pub cost: f64,
    /// Months to +10 % at the pace so far.
    pub months_to_10: f64,
    /// Gross cap as configured, for the message.
    pub gross_max: f64,
}

impl Office {
    /// Knobs at their configured places.
    pub fn new(patience: f64, band: f64) -> Self {
        let base = Knobs { risk_scale: 1.0, gross_scale: 1.0, patience, band };
        Office { knobs: base, base, profit: 0.0, cost: 0.0 }
    }

    /// Looks at a day and turns what is to be turned. Says each turn with its manager.
    pub fn day(
        &mut self,
        day: &Day,
        managers: &Managers,
        targets: &GoalTargets,
        mut say: impl FnMut(Goal, Adjustment),
    ) {
        let keep = 1.0 - 2.0 / (COST_DAYS + 1.0);
        self.profit = keep * self.profit + day.gross_profit;
        self.cost = keep * self.cost + day.cost;
        if let Some(m) = &managers.low_risk {
            let calm = (1.0 - 0.7 * day.drawdown / (1.5 * day.target_vol)).clamp(m.risk_scale_min, 1.0);
            turn(&mut self.knobs.risk_scale, calm, 1.0, Knob::RiskScale, day.drawdown, 1.0, |a| {
                say(Goal::LowRisk, a);
            });
            let over = day.cvar95 / targets.cvar95;
            // Between 90 and 100 % of the budget the cap stays where it is.
            if !(0.9..=1.0).contains(&over) || self.knobs.gross_scale == 1.0 {
                let tight = if over > 1.0 { (1.0 / over).clamp(m.gross_scale_min, 1.0) } else { 1.0 };
                turn(
                    &mut self.knobs.gross_scale,
                    tight,
                    1.0,
                    Knob::GrossCap,
                    day.cvar95,
                    day.gross_max,
                    |a| say(Goal::LowRisk, a),
                );
            }
        }
        if let Some(m) = &managers.fast
            && self.cost > 0.0
        {
            // A losing year is no matter of cost: then there is no profit to lose a share of, and the knobs
            // go home. Slowing down in a loss would only hold what loses for longer.
            let share = (self.profit > 0.0).then(|| self.cost / self.profit);
            let (patience, band) = match share {
                Some(s) if s > m.cost_share_high => (self.knobs.patience * 0.9, self.knobs.band + BAND_STEP),
                Some(s) if s < m.cost_share_low && day.months_to_10 > targets.months_to_10 => {
                    (self.knobs.patience * 1.1, self.knobs.band - BAND_STEP)
                }
                // In between, or with the goal reached, it goes home.
                _ => (
                    0.5 * (self.knobs.patience + self.base.patience),
                    0.5 * (self.knobs.band + self.base.band),
                ),
            };
            let patience = patience.clamp(m.patience_min, m.patience_max);
            // What is said when there was no profit at all.
            let share = share.unwrap_or(0.0);
            let band = band.clamp(self.base.band, (self.base.band + BAND_WIDER).min(0.95));
            turn(&mut self.knobs.patience, patience, self.base.patience, Knob::Patience, share, 1.0, |a| {
                say(Goal::Fast, a);
            });
            turn(&mut self.knobs.band, band, self.base.band, Knob::Band, share, 1.0, |a| say(Goal::Fast, a));
        }
    }
}

/// Turns a knob if the turn is worth saying, or if it brings the knob home; says it in its own unit.
fn turn(
    knob: &mut f64,
    to: f64,
    home: f64,
    which: Knob,
    because: f64,
    unit: f64,
    mut say: impl FnMut(Adjustment),
) {
    let small = libm::fabs(to - *knob) < STEP * home;
    if to == *knob || (small && to != home) {
        return;
    }
    say(Adjustment { knob: which, from: *knob * unit, to: to * unit, because });
    *knob = to;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::settings::{FastManager, LowRiskManager};

    const CALM: Day = Day {
        drawdown: 0.0,
        cvar95: 0.01,
        target_vol: 0.15,
        gross_profit: 10.0,
        cost: 2.5,
        months_to_10: 9.0,
        gross_max: 6.0,
    };

    fn run(days: &[Day]) -> (Office, Vec<(Goal, Adjustment)>) {
        let managers =
            Managers { low_risk: Some(LowRiskManager::default()), fast: Some(FastManager::default()) };
        let mut office = Office::new(0.10, 0.40);
        let mut said = vec![];
        days.iter().for_each(|d| office.day(d, &managers, &GoalTargets::default(), |g, a| said.push((g, a))));
        (office, said)
    }

    #[test]
    fn solidarity_cuts_risk_in_drawdown_and_gives_it_back() {
        let (office, said) = run(&[Day { drawdown: 0.15, ..CALM }]);
        assert!((office.knobs.risk_scale - (1.0 - 0.7 * 0.15 / 0.225)).abs() < 1e-12);
        assert_eq!(said[0].1.knob, Knob::RiskScale);
        let (office, said) = run(&[Day { drawdown: 0.15, ..CALM }, CALM]);
        assert_eq!((office.knobs.risk_scale, said.len()), (1.0, 2));
        let (office, _) = run(&[Day { drawdown: 0.9, ..CALM }]);
        assert_eq!(office.knobs.risk_scale, 0.3);
    }

    #[test]
    fn the_gross_cap_is_tightened_over_budget_and_released_under_nine_tenths_of_it() {
        let over = Day { cvar95: 0.05, ..CALM };
        let near = Day { cvar95: 0.024, ..CALM };
        assert_eq!(run(&[over]).0.knobs.gross_scale, 0.5);
        assert_eq!(run(&[over, near]).0.knobs.gross_scale, 0.5);
        let (office, said) = run(&[over, near, CALM]);
        assert_eq!(office.knobs.gross_scale, 1.0);
        assert_eq!((said[0].1.from, said[0].1.to), (6.0, 3.0));
    }

    #[test]
    fn costs_slow_the_desk_down_to_its_bound() {
        let dear = vec![Day { gross_profit: 1.0, ..CALM }; 100];
        let (office, said) = run(&dear);
        assert!((0.05..0.055).contains(&office.knobs.patience), "within a step of the bound");
        assert!((office.knobs.band - 0.60).abs() < 1e-12);
        assert!(said.iter().all(|(g, _)| *g == Goal::Fast));
        let cheap = vec![Day { cost: 0.1, ..CALM }; 100];
        assert!((0.19..=0.20).contains(&run(&cheap).0.knobs.patience));
        let reached = vec![Day { cost: 0.1, months_to_10: 3.0, ..CALM }; 100];
        assert_eq!(run(&reached).0.knobs.patience, 0.10, "no hurry once the goal is reached");
    }

    #[test]
    fn nothing_is_turned_by_managers_that_are_not_set() {
        let mut office = Office::new(0.10, 0.40);
        let bad = Day { drawdown: 0.5, cvar95: 0.5, gross_profit: -1.0, ..CALM };
        office.day(&bad, &Managers::default(), &GoalTargets::default(), |_, _| unreachable!());
        assert_eq!(office, Office { profit: -1.0, cost: 2.5, ..Office::new(0.10, 0.40) });
    }
}
