//! The families, a file each, by the lines of [`families!`](crate::domain::families): what is told of each, and [`Rules`],
//! one of them with its numbers and its memory.
//!
//! # Invariants
//!
//! 1. An entry at a bar is proposed only on a warm view (no NaN), with all conditions filled.
//! 2. The stop lies on the losing side of the close, the targets on the winning side.
//! 3. Nothing is opened, or taken up again, whose exit holds already.
//! 4. The conditions of a plan need only the indicators that the family asked for, so they can be
//!    evaluated wherever the entry could.

use super::context::{BarCoin, Context};
use super::declaration::ParamSpec;
use super::family::{Family, FamilyInfo, HEDGE, HEDGE_IN};
use super::proposal::Proposal;
use super::structures::context::StructureContext;
use super::structures::hedged_view::HedgedView;
use super::structures::listed::ListedInstruments;
use super::structures::values::Values;
use crate::domain::{AssetId, EvalContext, FamilyId};
use serde::{Deserialize, Serialize};

macro_rules! register {
    ($($variant:ident $text:literal $label:literal $glyph:literal $module:ident::$type:ident $how:ident $when:ident:
        $doc:literal,)+) => {
        $(mod $module;)+

        /// What is told of a family.
        pub fn info(family: FamilyId) -> &'static FamilyInfo {
            match family { $(FamilyId::$variant => &$module::INFO),+ }
        }

        /// A family with its parameters and what it remembers of the market.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "named as in FamilyId")]
        #[allow(clippy::large_enum_variant, reason = "one a life, never moved on the hot path")]
        pub enum Rules {
            $($variant($module::$type),)+
            /// A family that decides at bars, its view held in one leg that another may hedge.
            Hedged(HedgedView),
        }

        impl Rules {
            /// Of a family that decides at bars, or does so where its instruments are not listed, with its parameters; none
            /// of the others.
            pub fn at_bars(family: FamilyId, p: &[f64]) -> Option<Self> {
                match family { $(FamilyId::$variant => register!(@$when bars $variant $module::$type, (p))),+ }
            }

            /// Of a family that decides on events, or does so where its instruments are listed, for an asset on what a feed
            /// lists, `basket` the assets of its agent; or why it stands by.
            pub fn on_events(
                family: FamilyId,
                p: &[f64],
                (asset, basket): (AssetId, &[AssetId]),
                listed: &ListedInstruments,
            ) -> Result<Self, String> {
                match family {
                    $(FamilyId::$variant => {
                        register!(@$when events $variant $module::$type, (p, asset, basket, listed, family))
                    }),+
                }
            }
        }

        impl std::ops::Deref for Rules {
            type Target = dyn Family;

            fn deref(&self) -> &(dyn Family + 'static) {
                match self { $(Rules::$variant(m) => m,)+ Rules::Hedged(view) => view }
            }
        }

        impl std::ops::DerefMut for Rules {
            fn deref_mut(&mut self) -> &mut (dyn Family + 'static) {
                match self { $(Rules::$variant(m) => m,)+ Rules::Hedged(view) => view }
            }
        }
    };
    (@bars bars $variant:ident $module:ident::$type:ident, ($p:ident)) => {
        Some(Rules::$variant($module::$type::new($p)))
    };
    (@events bars $variant:ident $module:ident::$type:ident, ($p:ident)) => { None };
    (@listed bars $variant:ident $module:ident::$type:ident, ($p:ident)) => {
        Some(Rules::$variant($module::$type::at_bars($p)))
    };
    (@events events $variant:ident $module:ident::$type:ident,
        ($p:ident, $asset:ident, $basket:ident, $listed:ident, $f:ident)) => {
        $module::$type::new($p, $asset, $listed).map(Rules::$variant)
    };
    (@listed events $variant:ident $module:ident::$type:ident,
        ($p:ident, $asset:ident, $basket:ident, $listed:ident, $f:ident)) => {
        $module::$type::in_legs($p, ($asset, $basket), $listed).map(Rules::$variant)
    };
    (@bars events $variant:ident $module:ident::$type:ident,
        ($p:ident, $asset:ident, $basket:ident, $listed:ident, $f:ident)) => {
        Err(format!("{} decides at bars, not on events of an instrument", $f))
    };
}

crate::domain::families!(register);

/// Whether an agent of a family with these numbers is a control group, which lives alone: without funds, and heard by nobody
/// until the operator asks for either.
pub fn is_control(family: FamilyId, params: &[f64]) -> bool {
    family == FamilyId::Random && random::is_control(params)
}

/// Base units of an opposite leg that an agent with these numbers holds against each of its own, while the danger of its
/// hedge lasts; none of who takes a part off in its place, and of families that hold legs in any case.
fn hedge_ratio(family: FamilyId, params: &[f64]) -> Option<f64> {
    number(family, params, &HEDGE).filter(|ratio| *ratio > 0.0)
}

fn number(family: FamilyId, params: &[f64], of: &ParamSpec) -> Option<f64> {
    let at = info(family).params.iter().position(|p| p == of)?;
    params.get(at).copied()
}

impl Rules {
    /// Of a family that decides at bars, with its view in one leg that another may hedge; none where its agent did not ask
    /// for that, and else why it cannot be.
    pub fn hedged(
        family: FamilyId,
        params: &[f64],
        asset: AssetId,
        listed: &ListedInstruments,
    ) -> Option<Result<Self, String>> {
        let ratio = hedge_ratio(family, params)?;
        let view = Rules::at_bars(family, params)?;
        let in_options = number(family, params, &HEDGE_IN).is_some_and(|number| number >= 0.5);
        Some(HedgedView::new(view, (ratio, in_options), asset, listed).map(Rules::Hedged))
    }

    /// Its indicators as they are now, but for [`Indicator::Gain`](crate::domain::Indicator::Gain).
    pub fn look(&self, seen: &StructureContext<'_>) -> Values {
        let mut values = Values::default();
        self.indicators(seen, &mut values);
        values
    }

    /// What it would open now in legs, if anything; `again` is the side on which an earlier intent is to be taken up.
    pub fn propose(
        &self,
        seen: &StructureContext<'_>,
        view: &EvalContext<'_>,
        again: Option<f64>,
    ) -> Option<Proposal> {
        let StructureContext { side, traits, preset, .. } = *seen;
        (**self).propose(&Context {
            view,
            side,
            traits,
            preset,
            coin: BarCoin::default(),
            again,
            market: Some(seen),
        })
    }
}
