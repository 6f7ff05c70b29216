//! What comes out of a configuration once it has been read and checked.

use crate::agents::declaration::{Roster, Scouting};
use crate::agents::personality::Preset;
use crate::domain::Money;
use crate::fills::fine::FillPrices;
use crate::fills::{Costs, Tariff};
use crate::hive::settings::{GoalTargets, Listening, Managers};
use crate::market::DecisionClock;
use crate::treasury::settings::{DeskSettings, FundSettings, RiskSettings, ServiceSettings};
use std::collections::BTreeMap;

/// Everything that `agents.toml` says of a hive.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Names the run, its socket and its folder.
    pub name: String,
    /// Currency of the account.
    pub currency: String,
    /// Money at the start.
    pub capital: Money,
    /// Draws parameters, assets, scouts and coins.
    pub seed: u64,
    /// When the hive decides.
    pub clock: DecisionClock,
    /// What trading costs where a venue has no costs of its own.
    pub costs: Costs,
    /// Which prices simulated lives fill at, and judge stops and targets at.
    pub fills: FillPrices,
    /// Costs of venues that have their own: none beside a flat charge.
    pub venues: BTreeMap<String, Costs>,
    /// How stances become one position.
    pub desk: DeskSettings,
    /// How points become funds.
    pub funds: FundSettings,
    /// The last gate.
    pub risk: RiskSettings,
    /// How the swarm listens and scores.
    pub listening: Listening,
    /// What is asked of the whole.
    pub goals: GoalTargets,
    /// Who steers it.
    pub managers: Managers,
    /// What agents do for each other.
    pub services: ServiceSettings,
    /// The agents, as declared.
    pub roster: Roster,
}

impl Default for Config {
    /// The measured settings with nobody to trade by them.
    fn default() -> Self {
        Config {
            name: "hive".to_owned(),
            currency: "USDT".to_owned(),
            capital: Money::ONE_HUNDRED * Money::ONE_THOUSAND,
            seed: 1,
            clock: DecisionClock::default(),
            costs: Costs::default(),
            fills: FillPrices::default(),
            venues: BTreeMap::new(),
            desk: DeskSettings::default(),
            funds: FundSettings::default(),
            risk: RiskSettings::default(),
            listening: Listening::default(),
            goals: GoalTargets::default(),
            managers: Managers::default(),
            services: ServiceSettings::default(),
            roster: Roster {
                agents: Vec::new(),
                scouts: 240,
                scouting: Scouting::default(),
                managers: Vec::new(),
                groups: BTreeMap::new(),
                presets: [Preset::default(); 4],
            },
        }
    }
}

impl Config {
    /// What trading costs, venue by venue.
    pub fn tariff(&self) -> Tariff {
        Tariff { base: self.costs, venues: self.venues.clone() }
    }
}
