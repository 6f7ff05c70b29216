//! The nine families under one name: [`Rules`] is one of them with its memory, and asks it what a life asks.

use super::context::StructureContext;
use super::family_rule::FamilyRule;
use super::listed::ListedInstruments;
use super::proposal::StructureProposal;
use super::ranges::Bounds;
use super::values::Values;
use super::{
    arbitrage, cash_and_carry, defi, funding, market_making, move_contract, options, scalp, triangular,
};
use crate::agents::declaration::ParamSpec;
use crate::domain::{AssetId, CarryQuote, EvalContext, Family, InstrumentId, MarketEvent, Span};
use crate::market::Board;
use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($variant:ident = $module:ident::$memory:ident),+ $(,)?) => {
        /// A family with its parameters and what it remembers of the market.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "named as in Family")]
        #[allow(clippy::large_enum_variant, reason = "one a life, never moved on the hot path")]
        pub enum Rules { $($variant($module::$memory)),+ }

        impl Rules {
            /// For an asset on what a feed lists; or why it stands by.
            pub fn new(family: Family, p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
                match family {
                    $(Family::$variant => $module::$memory::new(p, asset, listed).map(Rules::$variant),)+
                    other => Err(format!("{other} is no family of structures")),
                }
            }

            pub(super) fn rule(&self) -> &dyn FamilyRule {
                match self { $(Rules::$variant(m) => m),+ }
            }

            fn rule_mut(&mut self) -> &mut dyn FamilyRule {
                match self { $(Rules::$variant(m) => m),+ }
            }
        }

        /// The parameters of a structured family with units, defaults and bounds.
        pub fn params(family: Family) -> &'static [ParamSpec] {
            match family {
                $(Family::$variant => $module::PARAMS,)+
                _ => &[],
            }
        }

        /// A family's idea in a line.
        pub fn idea(family: Family) -> &'static str {
            match family {
                $(Family::$variant => $module::IDEA,)+
                _ => "",
            }
        }

        /// What a family needs to be listed, in words.
        pub fn needs(family: Family) -> &'static str {
            match family {
                $(Family::$variant => $module::NEEDS,)+
                _ => "bars",
            }
        }
    };
}

rules!(
    Scalp = scalp::ScalpMemory,
    MarketMaking = market_making::MarketMakingMemory,
    Arbitrage = arbitrage::ArbitrageMemory,
    Triangular = triangular::TriangularMemory,
    CashAndCarry = cash_and_carry::CashAndCarryMemory,
    Funding = funding::FundingMemory,
    Options = options::OptionsMemory,
    Move = move_contract::MoveMemory,
    Defi = defi::DefiMemory,
);

impl Rules {
    /// The instruments it listens to.
    pub fn ears(&self) -> Vec<InstrumentId> {
        self.rule().subscriptions()
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
    pub fn hear(&mut self, listed: &ListedInstruments, board: &Board, event: &MarketEvent) {
        self.rule_mut().hear(listed, board, event);
    }

    /// Its indicators as they are now, but for [`Indicator::Gain`](crate::domain::Indicator::Gain).
    pub fn look(&self, seen: &StructureContext<'_>) -> Values {
        let mut values = Values::default();
        self.rule().indicators(seen, &mut values);
        values
    }

    /// What it would open now, if anything.
    pub fn propose(
        &self,
        seen: &StructureContext<'_>,
        view: &EvalContext<'_>,
        values: &Values,
    ) -> Option<StructureProposal> {
        self.rule().propose(seen, view, values)
    }

    /// Between which prices a leg that is opened now would be liquidity; none where it is not.
    pub fn range(&self, seen: &StructureContext<'_>, leg: InstrumentId) -> Option<Bounds> {
        self.rule().range(seen, leg)
    }
}
