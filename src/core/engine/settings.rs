//! What is set before a run.

use crate::domain::Money;
use crate::fills::Tariff;
use crate::fills::fine::FillPrices;
use crate::hive::settings::{GoalTargets, Listening, Managers};
use crate::market::DecisionClock;
use crate::treasury::settings::{DeskSettings, FundSettings, ServiceSettings};
use crate::treasury::{BreakerSettings, GateSettings};

/// Everything that is set before a run, beside roster, universe and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Capital at the start, exact.
    pub money: Money,
    /// Capital at the start as an estimate, in currency.
    pub capital: f64,
    /// When the hive decides, and when silence is taken as a delisting.
    pub clock: DecisionClock,
    /// What trading costs.
    pub costs: Tariff,
    /// How the desk turns stances into positions.
    pub desk: DeskSettings,
    /// Spread of funds.
    pub funds: FundSettings,
    /// Listening and points.
    pub listening: Listening,
    /// What is asked of the whole.
    pub goals: GoalTargets,
    /// Managers that are set.
    pub managers: Managers,
    /// The last gate.
    pub gate: GateSettings,
    /// The drawdown breaker.
    pub breaker: BreakerSettings,
    /// What agents do for each other.
    pub services: ServiceSettings,
    /// Where the account trades.
    pub trades: TradesAt,
    /// Which prices simulated lives fill at, and judge stops and targets at.
    pub fills: FillPrices,
}

impl Settings {
    /// The fill level in words, as every result says it.
    pub fn fill_level(&self) -> String {
        let finer = match self.fills {
            FillPrices::Bars => "",
            FillPrices::Fine => {
                "; alone and open fill, and stops and targets are judged, on finer bars and quotes where there are any"
            }
        };
        format!("{}{finer}", self.costs)
    }
}

/// Where an account trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TradesAt {
    /// At the venue inside the program, on the market as it is told.
    #[default]
    Paper,
    /// At venues outside: requests leave with the outputs of a step, and what comes of them are events.
    Venues,
}
