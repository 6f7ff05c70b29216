//! Families whose positions are structures: legs in one or several instruments, opened and closed as
//! one, near neutral to the asset's price. They hear the market event by event and judge a stamp when it
//! is over, so nothing of it is known before all of it is.
//!
//! * [`Rules`]: the nine families, one file each: what they look at, what they propose, what they quote;
//! * [`life`]: an intent from its opening to its outcome, the same for all;
//! * [`legs`], [`listed`], [`ranges`]: the book of what is held, in coins, contracts and liquidity, and
//!   orders in markets;
//! * `margin`: when a venue takes over what is held on credit;
//! * `realised`: the volatility that families of volatility expect;
//! * [`shape`]: conditions from a family's distances and an agent's character.
//!
//! # Invariants
//!
//! 1. A family proposes on fresh prices of every leg only, and never what costs would eat: the edge it
//!    names is after fees and spreads.
//! 2. The stop lies on the losing side of zero, the targets on the winning side; what is announced is
//!    what is judged (law 12): every indicator of a condition is computed from the board and the family's
//!    own memory of it, never from the agent's fills, except what only its owner can know: the gain of a
//!    maker and of a book that is hedged as it goes, the inventory, the bounds of a range.
//! 3. Structures are no voices: their intents are near neutral, so the pool of directional intents is
//!    left as it is, and nobody listens to them in size.

mod arbitrage;
mod cash_and_carry;
mod defi;
mod funding;
mod gap;
pub mod legs;
pub mod life;
pub mod listed;
mod margin;
mod market_making;
mod move_contract;
mod options;
pub mod ranges;
mod realised;
#[cfg(test)]
mod rig;
mod scalp;
pub mod shape;
#[cfg(test)]
mod stage;
mod triangular;

use super::declaration::ParamSpec;
use super::personality::{Preset, Traits};
use crate::domain::{
    AssetId, CarryQuote, ContractTerms, EvalContext, Family, Indicator, InstrumentId, MarketEvent, Plan,
    SideRule, Span, Stamp,
};
use crate::fills::{Costs, Tariff, charge, level};
use crate::market::Board;
use legs::Legs;
use listed::ListedInstruments;
use ranges::Bounds;
use serde::{Deserialize, Serialize};

/// Most legs of a structure.
pub const LEGS_MAX: usize = 4;

/// The indicators of a structure, in the order of [`Values`] and of [`Indicator::unwindowed_index`].
pub const KEYS: [Indicator; 14] = [
    Indicator::Gain,
    Indicator::Spread,
    Indicator::Imbalance,
    Indicator::Edge,
    Indicator::Basis,
    Indicator::Carry,
    Indicator::Implied,
    Indicator::Forecast,
    Indicator::Rich,
    Indicator::Inventory,
    Indicator::Hours,
    Indicator::Away,
    Indicator::Way,
    Indicator::Mispriced,
];

// Two lists of one order: they agree, or nothing compiles.
const _: () = {
    let mut i = 0;
    while i < KEYS.len() {
        assert!(matches!(KEYS[i].unwindowed_index(), Some(index) if index == i));
        i += 1;
    }
};

/// Values of [`KEYS`]; NaN where a family has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values(pub [f64; KEYS.len()]);

impl Default for Values {
    fn default() -> Self {
        Values([f64::NAN; KEYS.len()])
    }
}

impl Values {
    /// Sets one; those with a window are no structure's and are ignored.
    pub fn set(&mut self, key: Indicator, value: f64) {
        if let Some(i) = key.unwindowed_index() {
            self.0[i] = value;
        }
    }

    /// Value of an indicator; NaN where the family has none.
    pub fn of(&self, key: Indicator) -> f64 {
        key.unwindowed_index().map_or(f64::NAN, |i| self.0[i])
    }
}

/// A leg: base units (contracts) of an instrument in one unit of the structure, signed for a long of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructureLeg {
    /// Instrument in which the leg is held.
    pub instrument: InstrumentId,
    /// Base units in one unit of the structure; negative is short.
    pub ratio: f64,
}

/// What a family proposes.
#[derive(Clone, Debug, PartialEq)]
pub struct StructureProposal {
    /// +1: the legs as they are; −1: all of them turned round.
    pub side: f64,
    /// One to [`LEGS_MAX`].
    pub legs: Vec<StructureLeg>,
    /// Notional of the largest leg, as a fraction of own capital, before the agent's character.
    pub size: f64,
    /// The conditions under which it is left, added to, hedged and taken up again.
    pub plan: Plan,
}

/// A price and a size (base units) that a family wants to rest in its first leg's market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// Price of the limit order.
    pub price: f64,
    /// Signed: buys or sells.
    pub quantity: f64,
}

/// What a family sees.
#[derive(Clone, Copy, Debug)]
pub struct StructureContext<'a> {
    /// What is listed.
    pub listed: &'a ListedInstruments,
    /// What is quoted.
    pub board: &'a Board,
    /// What trading costs.
    pub costs: &'a Tariff,
    /// The stamp that is over.
    pub now: Stamp,
    /// The agent's character.
    pub traits: &'a Traits,
    /// What being deployed for its goal changes.
    pub preset: &'a Preset,
    /// Which sides it may take.
    pub side: SideRule,
    /// Own capital, in the account's currency.
    pub capital: f64,
    /// What is held.
    pub legs: &'a Legs,
}

impl StructureContext<'_> {
    /// Newest price in the account's currency.
    pub fn value(&self, id: InstrumentId) -> Option<f64> {
        self.listed.value(self.board, id).filter(|v| v.is_finite() && *v > 0.0)
    }

    /// Whether all of these were priced within `age` before now.
    pub fn is_fresh(&self, ids: &[InstrumentId], age: Span) -> bool {
        ids.iter().all(|id| {
            self.board.get(*id).is_some_and(|q| {
                q.settled.is_none() && q.price().is_some_and(|p| self.now.since(p.at).0 <= age.0)
            })
        })
    }

    /// Fee as a fraction of notional; not of pools and options, whose fees are no such fraction.
    pub fn rate(&self, id: InstrumentId, maker: bool) -> f64 {
        let i = self.listed.get(id);
        crate::fills::rate(self.costs(id), i.kind, &i.terms, maker)
    }

    /// Cost of taking an instrument once, as a fraction of notional: fee and half the spread.
    pub fn cost(&self, id: InstrumentId) -> f64 {
        let i = self.listed.get(id);
        let half =
            self.board.get(id).and_then(|q| q.top).map(|t| (t.value.ask - t.value.bid) / 2.0 / t.value.mid());
        let costs = self.costs.of(i);
        let half = half.unwrap_or(match costs {
            Costs::Flat(_) => 0.0,
            Costs::Bars(b) => b.half_spread.of(i.kind),
        });
        let fee = match i.terms {
            // In its price.
            ContractTerms::Pool { fee_ppm, .. } => f64::from(fee_ppm) / 1e6,
            ContractTerms::Option { .. } => self.fee(id) / self.value(id).unwrap_or(f64::NAN),
            _ => self.rate(id, false),
        };
        fee + half
    }

    /// What trading this costs at its venue.
    pub fn costs(&self, id: InstrumentId) -> &Costs {
        self.costs.of(self.listed.get(id))
    }

    /// Fee of taking one unit at its newest price, in the account's currency; NaN where it has no price.
    pub fn fee(&self, id: InstrumentId) -> f64 {
        let price = self.value(id).unwrap_or(f64::NAN);
        let underlying = self.board.get(id).and_then(|q| q.implied).map_or(price, |i| i.value.1);
        let i = self.listed.get(id);
        charge::trade(self.costs(id), (i.kind, &i.terms), 1.0, price, underlying, false)
    }

    /// What taking `quantity` (signed) now would cost a unit, in the account's currency, as deep as it
    /// goes and before fees; none where that much cannot be had.
    pub fn taking(&self, id: InstrumentId, quantity: f64) -> Option<f64> {
        let hit = level::hit(self.board, self.listed.get(id), self.listed.tick(id), quantity)?;
        let whole = libm::fabs(hit.quantity) >= libm::fabs(quantity) * (1.0 - 1e-9);
        whole.then_some(hit.price * self.listed.scale(self.board, id)?)
    }

    /// Whether a market takes an order of this size: worth its least notional at `worth` a unit, and, where it
    /// trades in lots, one lot at least.
    pub fn is_order(&self, id: InstrumentId, quantity: f64, price: f64, in_lots: bool) -> bool {
        let size = libm::fabs(quantity);
        let size = if in_lots { self.listed.lots(id, size) } else { size };
        size > 0.0 && size * price >= crate::domain::money::to_estimate(self.listed.get(id).min_notional)
    }

    /// Units of a structure whose largest leg is worth `notional` a unit, after the agent's character.
    pub fn units(&self, size: f64, notional: f64) -> f64 {
        size * self.traits.aggression * self.preset.unit * self.capital / notional
    }
}

/// What every family can do.
trait FamilyRule {
    /// The instruments it listens to; the first is the one whose price stands for the structure's.
    fn subscriptions(&self) -> Vec<InstrumentId>;
    /// Those of [`Rule::ears`] of which it remembers something; of the others it only asks the board.
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

            fn rule(&self) -> &dyn FamilyRule {
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

    /// Its indicators as they are now, but for [`Indicator::Gain`].
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

/// The instruments of an asset that pass, in the feed's order.
fn find(
    listed: &ListedInstruments,
    asset: AssetId,
    pass: impl Fn(&crate::domain::Instrument) -> bool,
) -> Vec<InstrumentId> {
    listed.instruments.iter().filter(|i| i.asset == asset && pass(i)).map(|i| i.id).collect()
}

/// What an asset can be hedged with, the best first: its perps, then what is bought and sold on margin,
/// where a short pays borrow.
fn hedges(listed: &ListedInstruments, asset: AssetId) -> Vec<InstrumentId> {
    let of = |kind| find(listed, asset, |i| i.kind == kind && i.quote.is_none());
    let mut all = of(crate::domain::InstrumentKind::Perp);
    all.extend(of(crate::domain::InstrumentKind::Margin));
    all
}
