//! How a family that decides at bars trades for an agent: its entry and its plan, scaled by the agent's character. The
//! families themselves are in [`families`](super::families); the rest of an intent's life is the same for all
//! ([`crate::agents::alone`]). Nothing here knows of the network.

pub mod inputs;
pub mod shape;

use super::families;
use super::family::BarFamily;
use super::personality::{Preset, Traits};
use crate::domain::{EvalContext, FamilyId, Indicator, Plan, SideRule};
use inputs::StrategyContext;
use shape::{CALM, PAUSE, STORM};

/// What a family proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntrySignal {
    /// +1 long, −1 short.
    pub side: f64,
    /// The conditions under which it is left, added to, hedged and taken up again.
    pub plan: Plan,
}

/// One family with its parameters drawn, and the character of its agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    family: FamilyId,
    /// In the order of the family's parameter table.
    params: Vec<f64>,
    side: SideRule,
    traits: Traits,
    preset: Preset,
}

impl Strategy {
    /// A family with drawn parameters, one per entry of [`FamilyInfo::params`](super::family::FamilyInfo::params).
    pub fn new(family: FamilyId, params: Vec<f64>, side: SideRule, traits: Traits, preset: Preset) -> Self {
        Strategy { family, params, side, traits, preset }
    }

    /// Family whose rules these are.
    pub fn family(&self) -> FamilyId {
        self.family
    }

    fn rule(&self) -> Option<&'static dyn BarFamily> {
        families::at_bars(self.family)
    }

    /// The indicators that its entry and all its conditions need.
    pub fn indicators(&self) -> Vec<Indicator> {
        // A structure looks at the quotes of its legs.
        let mut all = self.rule().map_or_else(Vec::new, |f| f.indicators(&self.params));
        all.extend([CALM, STORM]);
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether to open now, and how. None while the view is not warm.
    pub fn entry(&self, view: &EvalContext<'_>, coin: u64) -> Option<EntrySignal> {
        if !view.is_warm() {
            return None;
        }
        let hand = StrategyContext { view, p: &self.params, side: self.side, coin };
        let side = self.rule()?.entry(&hand);
        let side = side.filter(|s| self.side.allows(*s))?;
        let plan = self.plan(view, side)?;
        // An intent whose reason is gone at entry would be closed at the next close.
        let opened = EvalContext { held: 0, side, best: view.close, ..*view };
        (!plan.exit.holds(&opened)).then_some(EntrySignal { side, plan })
    }

    /// The conditions of an intent opened at this close on this side; none for a structured family,
    /// whose conditions are of its legs.
    pub fn plan(&self, view: &EvalContext<'_>, side: f64) -> Option<Plan> {
        let shape = self.rule()?.shape(&self.params, view, side);
        Some(shape.plan(view, side, &self.traits, &self.preset))
    }

    /// Bars to stay flat after a close before the family's own entry counts again.
    pub fn pause(&self) -> u32 {
        libm::ceil(PAUSE * self.traits.patience * self.preset.pause) as u32
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
