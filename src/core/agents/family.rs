//! What a family is: what is told of it, and what it answers when it is asked. A family is a file in
//! [`families`](crate::agents::families) and a line in [`families!`](crate::domain::families); a line without its file, and
//! a file that leaves out one of these, does not compile.

use super::context::Context;
use super::declaration::{DrawnNumber, ParamSpec};
use super::proposal::{Proposal, Rest};
use super::structures::context::StructureContext;
use super::structures::listed::ListedInstruments;
use super::structures::ranges::Bounds;
use super::structures::values::{KEYS, Values};
use crate::domain::{AssetId, CarryQuote, Indicator, InstrumentId, MarketEvent, Span, WorkQuote};
use crate::market::Market;

/// What is told of a family: by `hive agents list`, by the mistakes of a roster, and to whoever draws its numbers.
#[derive(Clone, Copy, Debug)]
pub struct FamilyInfo {
    /// Its idea in a line.
    pub idea: &'static str,
    /// What it must find on a feed, in words.
    pub needs: &'static str,
    /// Its parameters with units, defaults and bounds.
    pub params: &'static [ParamSpec],
    /// Pairs of parameters of which the first must be below the second, whatever the seed draws.
    pub ordered: &'static [(&'static str, &'static str)],
}

/// A parameter with its unit, its default as a range that is drawn from, its bounds, and what it is.
pub const fn param(
    name: &'static str,
    unit: &'static str,
    default: (f64, f64),
    bounds: (f64, f64),
    what: &'static str,
) -> ParamSpec {
    ParamSpec {
        name,
        unit,
        default: DrawnNumber { from: default.0, to: default.1 },
        bounds: DrawnNumber { from: bounds.0, to: bounds.1 },
        what,
    }
}

/// The parameter of a family at bars whose hedge may be an opposite leg.
pub const HEDGE: ParamSpec = param(
    "hedge",
    "of the position",
    (0.0, 0.0),
    (0.0, 2.0),
    "what is held against it in another perp, future or margin market of the asset when the danger of its hedge comes; \
     0: half of it is taken off",
);

/// The parameter beside it that says in what.
pub const HEDGE_IN: ParamSpec = param(
    "hedge_in",
    "0 or 1",
    (0.0, 0.0),
    (0.0, 1.0),
    "1: that is an option that gains as the position loses, where one is listed and priced; 0: none of options",
);

/// What wakes a family.
#[derive(Clone, Debug, PartialEq)]
pub enum Subscriptions {
    /// The close of a bar of its asset, of which its entry and all its conditions need these indicators.
    Bars(Vec<Indicator>),
    /// The events of these instruments; the first is the one whose price stands for what it holds.
    Events(Vec<InstrumentId>),
}

/// A family with its numbers, and what it remembers of the market: what an agent asks of it.
pub trait Family {
    /// What wakes it.
    fn subscriptions(&self) -> Subscriptions;
    /// Whether to open now, and what.
    fn propose(&self, cx: &Context<'_>) -> Option<Proposal>;
    /// Hears an event of what it listens to, or of its asset's volatility. The board has taken it already.
    fn on_event(&mut self, listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        let _ = (listed, board, event);
    }
    /// The assets that its structure stands for beside its own: its agent does nothing else on them.
    fn stands_for(&self) -> &[AssetId] {
        &[]
    }
    /// The instruments whose events it listens to.
    fn ears(&self) -> Vec<InstrumentId> {
        match self.subscriptions() {
            Subscriptions::Events(instruments) => instruments,
            Subscriptions::Bars(_) => Vec::new(),
        }
    }
    /// The instruments of which it remembers something; of the others it only asks the board.
    fn remembers(&self) -> Vec<InstrumentId> {
        self.ears()
    }
    /// Fills in the indicators that are its own, as they are now; [`Indicator::Gain`] is filled in for it.
    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let _ = (seen, values);
    }
    /// The indicators that the conditions of its structures may name: [`KEYS`], and after them any over bars.
    fn keys(&self) -> &[Indicator] {
        &KEYS
    }
    /// The close of its first leg's last bar and the volatility of a bar, where its structures are judged by bars; NaN
    /// elsewhere.
    fn bar(&self) -> (f64, f64) {
        (f64::NAN, f64::NAN)
    }
    /// What it wants to rest while its intent is open: bids and offers, those nearest to the mid first. Only makers quote.
    fn quotes(&self, _seen: &StructureContext<'_>) -> Option<Vec<Rest>> {
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
    /// What it says of working orders of the asset, at this event of what it listens to. Only makers do.
    fn work_quote(&mut self, _event: &MarketEvent) -> Option<WorkQuote> {
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
    /// Whether an event of one of its instruments makes it look when the stamp is over.
    fn is_stirred(&self, event: &MarketEvent) -> bool {
        !matches!(event, MarketEvent::Trade { .. }) || self.looks_at_prints()
    }
}
