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

use super::context::Context;
use super::family::{Family, FamilyInfo, Subscriptions};
use super::proposal::Proposal;
use super::structures::context::StructureContext;
use super::structures::listed::ListedInstruments;
use super::structures::ranges::Bounds;
use super::structures::values::Values;
use crate::domain::{AssetId, CarryQuote, EvalContext, FamilyId, InstrumentId, MarketEvent, Span};
use crate::market::Market;
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
        pub enum Rules { $($variant($module::$type)),+ }

        impl Rules {
            /// Of a family that decides at bars, with its parameters; none of the others.
            pub fn at_bars(family: FamilyId, p: &[f64]) -> Option<Self> {
                match family { $(FamilyId::$variant => register!(@$when bars $variant $module::$type, (p))),+ }
            }

            /// Of a family that decides on events, for an asset on what a feed lists; or why it stands by.
            pub fn on_events(
                family: FamilyId,
                p: &[f64],
                asset: AssetId,
                listed: &ListedInstruments,
            ) -> Result<Self, String> {
                match family {
                    $(FamilyId::$variant => {
                        register!(@$when events $variant $module::$type, (p, asset, listed, family))
                    }),+
                }
            }

            /// What it answers for itself.
            pub fn rule(&self) -> &dyn Family {
                match self { $(Rules::$variant(m) => m),+ }
            }

            fn rule_mut(&mut self) -> &mut dyn Family {
                match self { $(Rules::$variant(m) => m),+ }
            }
        }
    };
    (@bars bars $variant:ident $module:ident::$type:ident, ($p:ident)) => {
        Some(Rules::$variant($module::$type::new($p)))
    };
    (@events bars $variant:ident $module:ident::$type:ident, ($p:ident)) => { None };
    (@events events $variant:ident $module:ident::$type:ident, ($p:ident, $asset:ident, $listed:ident, $f:ident)) => {
        $module::$type::new($p, $asset, $listed).map(Rules::$variant)
    };
    (@bars events $variant:ident $module:ident::$type:ident, ($p:ident, $asset:ident, $listed:ident, $f:ident)) => {
        Err(format!("{} decides at bars, not on events of an instrument", $f))
    };
}

crate::domain::families!(register);

impl Rules {
    /// The instruments whose events it listens to.
    pub fn ears(&self) -> Vec<InstrumentId> {
        match self.rule().subscriptions() {
            Subscriptions::Events(instruments) => instruments,
            Subscriptions::Bars(_) => Vec::new(),
        }
    }

    /// Those of them of which it remembers something: it need not hear of the others.
    pub fn remembers(&self) -> Vec<InstrumentId> {
        self.rule().remembers()
    }

    /// What it says of holding the asset in spot, at this event, which it has heard.
    pub fn carry_quote(&self, event: &MarketEvent) -> Option<CarryQuote> {
        self.rule().carry_quote(event)
    }

    /// Whether it earns by resting orders.
    pub fn is_maker(&self) -> bool {
        self.rule().is_maker()
    }

    /// Whether it hedges as it goes: then its gain is that of its book.
    pub fn is_hedged(&self) -> bool {
        self.rule().is_hedged()
    }

    /// Time between two looks; the zero span: every stamp.
    pub fn pace(&self) -> Span {
        self.rule().pace()
    }

    /// Whether an event of one of its instruments makes it look when the stamp is over.
    pub fn is_stirred(&self, event: &MarketEvent) -> bool {
        !matches!(event, MarketEvent::Trade { .. }) || self.rule().looks_at_prints()
    }

    /// Hears an event of one of its instruments, or of its asset's volatility. The board has taken it.
    pub fn hear(&mut self, listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        self.rule_mut().on_event(listed, board, event);
    }

    /// Its indicators as they are now, but for [`Indicator::Gain`](crate::domain::Indicator::Gain).
    pub fn look(&self, seen: &StructureContext<'_>) -> Values {
        let mut values = Values::default();
        self.rule().indicators(seen, &mut values);
        values
    }

    /// What it would open now in legs, if anything.
    pub fn propose(&self, seen: &StructureContext<'_>, view: &EvalContext<'_>) -> Option<Proposal> {
        let StructureContext { side, traits, preset, .. } = *seen;
        self.rule().propose(&Context { view, side, traits, preset, coin: 0, again: None, market: Some(seen) })
    }

    /// Between which prices a leg that is opened now would be liquidity; none where it is not.
    pub fn range(&self, seen: &StructureContext<'_>, leg: InstrumentId) -> Option<Bounds> {
        self.rule().range(seen, leg)
    }
}
