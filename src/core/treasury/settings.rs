//! Settings of the desk and of the spread of funds. Defaults are the measured ones of the mechanism.

use crate::fills::pace::Trades;
use serde::{Deserialize, Serialize};

/// How stances become one net position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeskSettings {
    /// η: the share of the way to its target an aim goes in a bar. 1, at once: on development data every step
    /// toward 1 gained, on perps and on spot (η .02 … .4: Sharpe 1.56 … 2.15 and .35 … 1.08).
    pub patience: f64,
    /// Which differences are worth a trade.
    pub trades: Trades,
    /// β: no trade while target and position differ by less than this fraction of the larger. 0.2 holds over
    /// the same agents alone on development data and on days nobody had seen, at every capital, in every
    /// company and up to 144 agents.
    pub band: f64,
    /// With `trades = "zone"`: the smallest order, as a fraction of equity. A zone trades to its edge, and so
    /// in many small orders where there are many assets.
    pub order_min: f64,
    /// Volatility per year the desk aims at.
    pub target_vol: f64,
    /// Span in days of the exponential weights that estimate the volatility of the aim.
    pub vol_span_days: f64,
    /// A fuse on the risk multiple k.
    pub risk_multiple_max: f64,
    /// Cap on gross exposure in multiples of equity, where shorts are possible.
    pub gross_max: f64,
    /// The same on spot venues, long only.
    pub gross_max_spot: f64,
}

impl Default for DeskSettings {
    fn default() -> Self {
        DeskSettings {
            patience: 1.0,
            trades: Trades::Band,
            band: 0.20,
            order_min: 0.001,
            target_vol: 0.15,
            vol_span_days: 30.0,
            risk_multiple_max: 10.0,
            gross_max: 6.0,
            gross_max_spot: 1.0,
        }
    }
}

/// What an agent's loss is measured by when it is stopped out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DrawdownBy {
    /// Its funds, whatever risk the desk has it carry.
    Funds,
    /// Its funds, and more of them where it carries more risk than the others: an agent chooses neither what
    /// the desk multiplies it by nor how many assets the file gave it, and an ordinary swing of a large book
    /// is as large as the funds that it stands on.
    #[default]
    Risk,
}

impl DrawdownBy {
    /// The words of the file.
    pub const WORDS: &'static [&'static str] = &["funds", "risk"];

    /// The name that `agents.toml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            DrawdownBy::Funds => "funds",
            DrawdownBy::Risk => "risk",
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        [DrawdownBy::Funds, DrawdownBy::Risk].into_iter().find(|d| d.word() == word)
    }
}

/// How points become funds and risk limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FundSettings {
    /// Days between two spreads of funds.
    pub rebalance_days: u32,
    /// Least weight of a funded agent, in equal shares.
    pub floor: f64,
    /// Largest weight, in equal shares.
    pub cap: f64,
    /// Whether weights follow points (√points); else equal.
    pub by_points: bool,
    /// Largest position of a real life, in units, before points scale it. Twice what an intent with all its adds is: a
    /// tighter limit sells a part of every winner of an agent with few points (0.04 of Sharpe on spot at 3).
    pub units_max: f64,
    /// Loss of its own funds at which an agent is stopped out, before points scale it.
    pub drawdown_max: f64,
    /// What that loss is measured by.
    pub drawdown_by: DrawdownBy,
    /// Days after which an agent that was stopped out has funds again. It used to need points of 1 as well, which
    /// most never had again: on spot that alone cost the swarm 0.10 to 0.14 of Sharpe.
    pub probation_days: u32,
}

impl Default for FundSettings {
    fn default() -> Self {
        FundSettings {
            rebalance_days: 7,
            floor: 0.5,
            cap: 2.0,
            by_points: true,
            units_max: 6.0,
            drawdown_max: 0.9,
            drawdown_by: DrawdownBy::Risk,
            probation_days: 30,
        }
    }
}

/// The last gate: what stops the desk whatever it wants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskSettings {
    /// Drawdown of the account, as a fraction, at which the breaker halts the desk.
    pub drawdown_halt: f64,
    /// A fuse on gross exposure in multiples of equity; above the desk's own cap, so it only blows if
    /// something is wrong.
    pub gross_fuse: f64,
    /// Largest single order, in multiples of equity.
    pub order_max: f64,
    /// Largest distance of an order's price from the last confirmed one, as a fraction of it.
    pub collar: f64,
}

impl Default for RiskSettings {
    fn default() -> Self {
        RiskSettings { drawdown_halt: 0.30, gross_fuse: 7.0, order_max: 4.0, collar: 0.5 }
    }
}

/// What agents do for each other beside saying what to hold. Each needs somebody who does it: carry agents
/// for the one, makers for the other.
// Each is a service, or a part of one, that is switched by itself.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceSettings {
    /// Whether carry agents choose the instrument.
    pub carry: bool,
    /// Whether makers work the desk's orders.
    pub liquidity: bool,
    /// How far a bar must trade beyond a worked order's limit to fill it, as a fraction of the price.
    pub through: f64,
    /// What spot and margin may use, in multiples of equity.
    pub capital: f64,
    /// Whether the carry rides the desk's own flow.
    pub flow: bool,
    /// Whether margin is asked for what is left of desk and carry together.
    pub netting: bool,
    /// Whether spot may exceed what the desk holds long.
    pub beyond: bool,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        ServiceSettings {
            carry: true,
            liquidity: true,
            through: 0.0001,
            capital: 1.0,
            flow: true,
            netting: true,
            beyond: true,
        }
    }
}
