//! From the configuration to the engine's settings: the one place where both are known.

use crate::config::Config;
use crate::domain::{Span, money};
use crate::engine::{Settings, TradesAt};
use crate::treasury::{BreakerSettings, GateSettings};

/// The engine's settings from the configuration.
pub fn settings(config: &Config) -> Settings {
    Settings {
        money: config.capital,
        capital: money::to_estimate(config.capital),
        clock: config.clock,
        costs: config.tariff(),
        desk: config.desk,
        funds: config.funds,
        listening: config.listening,
        goals: config.goals,
        managers: config.managers,
        gate: GateSettings {
            gross_max: config.risk.gross_fuse,
            net_max: config.risk.gross_fuse,
            order_max: config.risk.order_max,
            collar: config.risk.collar,
            // Prices of the decision itself, or of the one before.
            feed_age_max: Span(2 * config.clock.decide.0),
            ..GateSettings::default()
        },
        breaker: BreakerSettings { drawdown_max: config.risk.drawdown_halt },
        services: config.services,
        trades: TradesAt::Paper,
        fills: config.fills,
    }
}
