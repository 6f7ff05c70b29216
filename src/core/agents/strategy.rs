//! How an agent that decides at bars trades: its family's proposals, scaled by its character. The rest of an intent's life
//! is the same for all ([`crate::agents::at_bars`]). Nothing here knows of the network.

use super::context::{BarCoin, Context};
use super::families::Rules;
use super::family::Subscriptions;
use super::personality::{Preset, Traits};
use super::proposal::Proposal;
use super::shape::{CALM, PAUSE, STORM};
use crate::domain::{EvalContext, FamilyId, Indicator, SideRule};

/// One family with its numbers drawn, and the character of its agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// None for a family that decides on events: its rules are by asset.
    rules: Option<Rules>,
    side: SideRule,
    traits: Traits,
    preset: Preset,
}

impl Strategy {
    /// A family with drawn parameters, one per entry of [`FamilyInfo::params`](super::family::FamilyInfo::params).
    pub fn new(family: FamilyId, params: &[f64], side: SideRule, traits: Traits, preset: Preset) -> Self {
        Strategy { rules: Rules::at_bars(family, params), side, traits, preset }
    }

    /// The indicators that its entry and all its conditions need.
    pub fn indicators(&self) -> Vec<Indicator> {
        let mut all = match self.rules.as_ref().map(|r| r.subscriptions()) {
            Some(Subscriptions::Bars(indicators)) => indicators,
            // A structure looks at the quotes of its legs.
            Some(Subscriptions::Events(_)) | None => Vec::new(),
        };
        all.extend([CALM, STORM]);
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether to open now, and how; on the side of an earlier intent where that is to be taken up `again`. None while
    /// the view is not warm.
    pub fn propose(&self, view: &EvalContext<'_>, coin: BarCoin, again: Option<f64>) -> Option<Proposal> {
        let rules = self.rules.as_ref().filter(|_| view.is_warm())?;
        let (traits, preset) = (&self.traits, &self.preset);
        (**rules).propose(&Context { view, side: self.side, traits, preset, coin, again, market: None })
    }

    /// Bars to stay flat after a close before the family's own entry counts again.
    pub fn pause(&self) -> u32 {
        libm::ceil(PAUSE * self.traits.patience * self.preset.pause) as u32
    }

    /// Whether its agent may take this side.
    pub fn allows(&self, side: f64) -> bool {
        self.side.allows(side)
    }

    /// The preset of its goal.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// How often an intent may be added to.
    pub fn adds(&self) -> u32 {
        self.preset.adds
    }

    /// Size of the unit, ×.
    pub fn unit(&self) -> f64 {
        self.traits.aggression * self.preset.unit
    }
}
