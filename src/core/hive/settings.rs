//! How the swarm listens, scores and steers itself.

use super::across::AcrossAssets;
use crate::domain::Holds;
use serde::{Deserialize, Serialize};

/// Listening and points. Defaults are the measured ones of the mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listening {
    /// False: everybody is deaf (λ = 0) and no manager acts.
    pub enabled: bool,
    /// Fixes λ for all agents; none: λ by humility.
    pub lambda: Option<f64>,
    /// λ by humility of an agent whose family has the best of records.
    pub humility_least: f64,
    /// λ by humility at a hopeless record: at most half way to the others unless the character adds to it, so that
    /// everybody keeps a view. Sharing opinions is not shown to add to the return: λ from ¼ to 1 are within
    /// 0.1 of Sharpe of each other on both sets.
    pub humility_most: f64,
    /// Whether points weigh the voices (v = √points of the family); else all are equal. Off: √points over two or
    /// three years are mostly noise, and weighing voices by them costs 0.02 to 0.05 of Sharpe on both sets.
    pub voice_by_points: bool,
    /// Span of the points' memory, in days of bars.
    pub points_span_days: f64,
    /// What a listener remembers of an announced position. Quantities: at 0 bp the netted desk then *is* its
    /// agents alone (Sharpe 2.14 for 2.13, 1.77 for 1.76 on development data), where notionals lose 0.12.
    pub holds: Holds,
    /// Whether agents live by their reactions; without them each open life decides as its alone one.
    pub reactions: bool,
    /// Which life's position an agent's money follows.
    pub money: MoneyFollows,
    /// How much of what is said of all assets is left in what is heard on one. Off: on development data it adds, on days
    /// nobody had seen it is not told apart.
    pub across: AcrossAssets,
    /// Whose words reactions hear. Everybody's: what leaving some unheard is worth is not measured, and of direction it would
    /// take decades to tell.
    pub trust: Trust,
}

impl Default for Listening {
    fn default() -> Self {
        Listening {
            enabled: true,
            lambda: None,
            humility_least: 0.0,
            humility_most: 0.5,
            voice_by_points: false,
            points_span_days: 750.0,
            holds: Holds::Quantity,
            reactions: true,
            money: MoneyFollows::Alone,
            across: AcrossAssets::Off,
            trust: Trust::Off,
        }
    }
}

/// Which life's position an agent's money follows: `x = (1−λ)·w·p + λ·share·C` with p of that life. C is made of alone
/// words either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MoneyFollows {
    /// The life that hears nobody: reactions are simulated only.
    #[default]
    Alone,
    /// The life whose reactions decide.
    Open,
}

impl MoneyFollows {
    /// How settings call them.
    pub const WORDS: &'static [&'static str] = &["alone", "open"];

    /// Its word in settings.
    pub fn word(self) -> &'static str {
        match self {
            MoneyFollows::Alone => "alone",
            MoneyFollows::Open => "open",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        [MoneyFollows::Alone, MoneyFollows::Open].into_iter().find(|m| m.word() == word)
    }
}

/// Whose words a reaction hears, by what acting on them was worth to its holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// Those of everybody who is not silenced.
    #[default]
    Off,
    /// Not those on which acting is believed to cost money.
    Positive,
}

impl Trust {
    /// How settings call them.
    pub const WORDS: &'static [&'static str] = &["off", "positive"];

    /// Its word in settings.
    pub fn word(self) -> &'static str {
        match self {
            Trust::Off => "off",
            Trust::Positive => "positive",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Trust::Off, Trust::Positive].into_iter().find(|t| t.word() == word)
    }
}

/// What the operator asks of the whole, LR-BM-F-A.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoalTargets {
    /// LR: largest drawdown that is within budget, as a fraction.
    pub drawdown: f64,
    /// LR: largest CVaR95 of daily returns that is within budget, as a positive fraction.
    pub cvar95: f64,
    /// BM: growth per year that is asked for, as a fraction.
    pub growth: f64,
    /// F: months to +10 % that are asked for.
    pub months_to_10: f64,
    /// A: interventions of the operator per 1 000 trades that are tolerated.
    pub interventions: f64,
}

impl Default for GoalTargets {
    fn default() -> Self {
        GoalTargets { drawdown: 0.15, cvar95: 0.025, growth: 0.20, months_to_10: 6.0, interventions: 1.0 }
    }
}

/// Which managers are set over the hive, and their bounds.
///
/// What each is worth: the shipped hive with it less without it, 12 seeds, development data, perps | spot, at equal
/// volatility (`hive lab --arms "hive −LR,hive −BM,hive −F,hive −A,hive −asset"` measures it again):
///
/// | | Sharpe | deepest drawdown, % | kept because |
/// |---|---|---|---|
/// | LR | +0.01 \| −0.01 | −0.3 \| −0.3 | it buys drawdown for nothing that can be seen |
/// | BM | 0.00 \| +0.06 | +0.1 \| −0.1 | it gives back what LR takes too long |
/// | F | +0.01 \| 0.00 | −0.1 \| −0.1 | it costs nothing |
/// | A, asset | 0.00 \| 0.00 | 0.0 \| 0.0 | they act when somebody errs, or two sides meet |
///
/// None is told apart from nothing by its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Managers {
    /// LR: solidarity in drawdown, gross cap when CVaR95 is over budget.
    pub low_risk: Option<LowRiskManager>,
    /// BM: gives risk back while drawdown is low and growth behind target.
    pub big_money: Option<BigMoneyManager>,
    /// F: how far positions may be from their targets, by what trading costs.
    pub fast: Option<FastManager>,
    /// A: quarantine and probation.
    pub automated: Option<AutomatedManager>,
    /// Nets the limits of long and short agents on one asset.
    pub asset: Option<AssetManager>,
}

/// Bounds of the LR manager.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LowRiskManager {
    /// The least the risk target is scaled to.
    pub risk_scale_min: f64,
    /// The tightest gross cap, as a fraction of the configured one.
    pub gross_scale_min: f64,
}

impl Default for LowRiskManager {
    fn default() -> Self {
        LowRiskManager { risk_scale_min: 0.3, gross_scale_min: 0.5 }
    }
}

/// Bounds of the F manager.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FastManager {
    /// The least the width of the desk's band or zone is multiplied by.
    pub width_min: f64,
    /// The most the width of the desk's band or zone is multiplied by.
    pub width_max: f64,
    /// Share of gross profit lost to cost above which it widens.
    pub cost_share_high: f64,
    /// Share below which it narrows.
    pub cost_share_low: f64,
}

impl Default for FastManager {
    fn default() -> Self {
        FastManager { width_min: 0.5, width_max: 2.0, cost_share_high: 0.35, cost_share_low: 0.20 }
    }
}

/// When the BM manager gives risk back, as fractions of the drawdown budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BigMoneyManager {
    /// Drawdown below which it begins.
    pub drawdown_low: f64,
    /// Drawdown above which it ends.
    pub drawdown_high: f64,
}

impl Default for BigMoneyManager {
    fn default() -> Self {
        BigMoneyManager { drawdown_low: 0.33, drawdown_high: 0.67 }
    }
}

/// What the A manager bears, and for how long it does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutomatedManager {
    /// Errors within the window at which an agent is quarantined.
    pub errors_max: u32,
    /// Restrictions by the operator within the window at which it is.
    pub interventions_max: u32,
    /// Memory of both, in days.
    pub window_days: u32,
    /// Days in quarantine.
    pub quarantine_days: u32,
    /// Days on probation after it.
    pub probation_days: u32,
    /// Its largest unit on probation, as a fraction of the usual one.
    pub probation_unit: f64,
    /// Most agents in quarantine at once, as a fraction of all.
    pub share_max: f64,
}

impl Default for AutomatedManager {
    fn default() -> Self {
        AutomatedManager {
            errors_max: 3,
            interventions_max: 3,
            window_days: 30,
            quarantine_days: 14,
            probation_days: 30,
            probation_unit: 0.5,
            share_max: 0.25,
        }
    }
}

/// Bounds of the asset manager.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetManager {
    /// The largest exposure limit, in the agent's own ones.
    pub limit_max: f64,
}

impl Default for AssetManager {
    fn default() -> Self {
        AssetManager { limit_max: 2.0 }
    }
}
