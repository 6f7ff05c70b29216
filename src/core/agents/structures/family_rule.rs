//! What every family can do: one method a question that a life asks of it.

use super::context::StructureContext;
use super::listed::ListedInstruments;
use super::proposal::{Rest, StructureProposal};
use super::ranges::Bounds;
use super::values::Values;
use crate::domain::{CarryQuote, EvalContext, InstrumentId, MarketEvent, Span};
use crate::market::Board;

/// What every family can do.
pub(super) trait FamilyRule {
    /// The instruments it listens to; the first is the one whose price stands for the structure's.
    fn subscriptions(&self) -> Vec<InstrumentId>;
    /// Those of [`Self::subscriptions`] of which it remembers something; of the others it only asks the board.
    fn remembers(&self) -> Vec<InstrumentId> {
        self.subscriptions()
    }
    /// Hears an event of one of them, or of its asset's volatility. The board has taken it already.
    fn hear(&mut self, listed: &ListedInstruments, board: &Board, event: &MarketEvent);
    /// Fills in its indicators as they are now; [`Indicator::Gain`] is filled in for it.
    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values);
    /// Whether to open now, and what.
    fn propose(
        &self,
        seen: &StructureContext<'_>,
        view: &EvalContext<'_>,
        values: &Values,
    ) -> Option<StructureProposal>;
    /// What it wants to rest while its intent is open: a bid and an offer. Only makers quote.
    fn quotes(&self, _seen: &StructureContext<'_>) -> Option<[Option<Rest>; 2]> {
        None
    }
    /// Whether it earns by resting orders: then the life is lived twice, by touch and by through.
    fn is_maker(&self) -> bool {
        false
    }
    /// An instrument and the units of it that should be held now, so that what is held beside it does not
    /// feel the asset's price; none where what is held is near enough. Asked while an intent is open.
    fn hedge(&self, _seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        None
    }
    /// Whether it hedges as it goes: then its gain is that of its book.
    fn is_hedged(&self) -> bool {
        false
    }
    /// Whether what is held has prices it trusts: only then is a gain known.
    fn is_known(&self, _seen: &StructureContext<'_>) -> bool {
        true
    }
    /// The prices between which a leg that is opened now is liquidity of its pool, its units those of
    /// liquidity; none where it is coins or contracts.
    fn range(&self, _seen: &StructureContext<'_>, _leg: InstrumentId) -> Option<Bounds> {
        None
    }
    /// What it says of holding the asset in spot, at this settlement of funding.
    fn carry_quote(&self, _event: &MarketEvent) -> Option<CarryQuote> {
        None
    }
    /// Time between two looks; the zero span: every stamp.
    fn pace(&self) -> Span {
        Span(0)
    }
    /// Whether it looks after a print. Who decides on quotes has nothing to decide before the next one, which
    /// follows a print that moved the market at once.
    fn looks_at_prints(&self) -> bool {
        true
    }
}
