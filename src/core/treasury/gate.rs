//! The last gate before an order leaves: the only maker of [`ApprovedOrder`] (law 7).
//!
//! The engine hands in what the gate must know as a plain [`Exposure`]; the gate answers with an order
//! that may leave, perhaps smaller, or with a reason. Checks, in this order: mode · size of a reducing
//! order · instrument trades · long-only · feed fresh · share of volume · lot · minimum notional · price
//! collar · equity · largest order · gross · net. Those of a live venue that need a clock (rates,
//! repeated executions, cancel budget) stand with the venue.
//!
//! # Invariants
//!
//! 1. An [`ApprovedOrder`] is made here and nowhere else; it cannot be deserialised into being.
//! 2. An order that only reduces passes every check of risk in every mode; what stops it is a closed
//!    instrument or a size the venue would refuse, and closing to exactly flat may be under the minimum.
//! 3. A reduce-only order, and any order while the mode is not running, never turns a position over: it
//!    is cut to what is left to reduce.
//! 4. An approved quantity has the sign of the proposed one, is a multiple of the lot, whatever that is, and not larger.
//! 5. Every refusal has a reason and is counted. What cannot be computed is refused.
//!
//! # There is no way round (law 7)
//!
//! An order that may leave comes out of the gate:
//!
//! ```
//! use hive_domain::{AssetId, Decimal, Instrument, InstrumentId, InstrumentKind, OrderId, Span, Stamp};
//! use hive_core::treasury::{ApprovedOrder, Exposure, Gate, GateSettings, Mode, ProposedOrder};
//!
//! let (one, id) = (Decimal::ONE, InstrumentId(0));
//! let instrument = Instrument {
//!     id, asset: AssetId(0), symbol: "BTCUSDT".into(), kind: InstrumentKind::Perp,
//!     venue: String::new(), quote: None, terms: hive_domain::ContractTerms::Plain, tick: one.into(), lot: one,
//!     min_notional: one, contract: one,
//! };
//! let proposal = ProposedOrder {
//!     id: OrderId(1), instrument: id, quantity: one, reference: one, reduce_only: false, at: Stamp(0),
//! };
//! let exposure = Exposure {
//!     equity: one, position: Decimal::ZERO, open_order: Decimal::ZERO, gross: Decimal::ZERO,
//!     net: Decimal::ZERO, feed_age: Span(0), tradable: true, bar_volume: 1e6, last_confirmed: one,
//! };
//! let mut gate = Gate::new(GateSettings::default());
//! let order: ApprovedOrder = gate.approve(&proposal, &instrument, &exposure, Mode::Running).unwrap();
//! assert_eq!(order.quantity(), one);
//! ```
//!
//! It cannot be written down elsewhere:
//!
//! ```compile_fail,E0451
//! use hive_domain::{Decimal, InstrumentId, OrderId, Stamp};
//! let order = hive_core::treasury::ApprovedOrder {
//!     id: OrderId(1), instrument: InstrumentId(0), quantity: Decimal::ONE, reduce_only: false,
//!     reference: Decimal::ONE, at: Stamp(0), clip: None,
//! };
//! ```
//!
//! nor read into being, nor copied to be sent twice, and a venue takes nothing else:
//!
//! ```compile_fail,E0277
//! let order: hive_core::treasury::ApprovedOrder = serde_json::from_str("{}").unwrap();
//! ```
//!
//! ```compile_fail,E0599
//! fn twice(order: hive_core::treasury::ApprovedOrder) -> [hive_core::treasury::ApprovedOrder; 2] {
//!     [order.clone(), order]
//! }
//! ```
//!
//! ```compile_fail,E0308
//! use hive_core::execution::PlacedOrder;
//! fn bypass(proposal: &hive_core::treasury::ProposedOrder) -> PlacedOrder {
//!     PlacedOrder::of(proposal, hive_domain::OrderKind::Market)
//! }
//! ```

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::Mode;
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::step::{self, Rounding};
use crate::domain::{Decimal, Instrument, InstrumentId, Money, OrderId, PriceStep, Span, Stamp};
use crate::ledger::exact::product;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the desk would like to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedOrder {
    /// Given out by the desk in the order of decision.
    pub id: OrderId,
    /// Instrument to be traded.
    pub instrument: InstrumentId,
    /// Signed, in base units; buying is positive.
    pub quantity: Decimal,
    /// The price it was decided on: the last close.
    pub reference: Decimal,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// When it was decided.
    pub at: Stamp,
}

/// What the account looks like as the order is about to leave. Money is marked, quantities are signed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Marked equity of the whole account.
    pub equity: Money,
    /// Position in this instrument.
    pub position: Decimal,
    /// What of this instrument may still fill beside this order; 0 where this order replaces it.
    pub open_order: Decimal,
    /// Σ |position| × mark over all instruments.
    pub gross: Money,
    /// Σ position × mark over all instruments.
    pub net: Money,
    /// Age of the last price of this instrument.
    pub feed_age: Span,
    /// Whether the instrument is listed and open.
    pub tradable: bool,
    /// Base units traded in the last bar; infinite where the feed has no volume.
    pub bar_volume: f64,
    /// The reference price before this one; 0 where there is none yet.
    pub last_confirmed: Decimal,
}

/// Limits of the gate. They are fuses: the desk's own limits should bind first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateSettings {
    /// Most gross exposure after the order, in multiples of equity. Default 7: the desk caps itself at
    /// 6, and marks move between its decision and the fill.
    pub gross_max: f64,
    /// Most net exposure, long or short, in multiples of equity. Default 7.
    pub net_max: f64,
    /// Largest order, in multiples of equity. Default 4: more in one order is a wrong digit.
    pub order_max: f64,
    /// Largest share of the last bar's volume; larger orders are cut to it. Default 0.05.
    pub participation: f64,
    /// Largest move from one reference to the next, as a fraction. Default 0.5: bars of hours gap, and
    /// what it must catch is a price ten times off.
    pub collar: f64,
    /// Oldest price an order may rest on. Default two bars of 4 hours, set it to two decision bars.
    pub feed_age_max: Span,
}

impl Default for GateSettings {
    fn default() -> Self {
        GateSettings {
            gross_max: 7.0,
            net_max: 7.0,
            order_max: 4.0,
            participation: 0.05,
            collar: 0.5,
            feed_age_max: Span::seconds(8 * 3_600),
        }
    }
}

/// Why an order may not leave.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
pub enum RefusalReason {
    /// Nothing asked for.
    #[error("the order is for nothing")]
    Nothing,
    /// The mode lets only reducing orders out.
    #[error("the mode lets only orders out that reduce the position")]
    Mode,
    /// Reduce-only, but on the position's own side, or nothing is left to reduce.
    #[error("a reduce-only order has nothing to reduce on that side")]
    NotReducing,
    /// Delisted or closed.
    #[error("the instrument does not trade")]
    NotTrading,
    /// Spot has no short side.
    #[error("the instrument cannot be held short")]
    LongOnly,
    /// The last price is too old, in seconds.
    #[error("the last price is too old, in seconds")]
    StaleFeed,
    /// Nothing traded in the last bar, so no share of it can be taken.
    #[error("nothing traded in the last bar")]
    NoVolume,
    /// Less than one lot.
    #[error("the quantity is under one lot")]
    UnderLot,
    /// Under the venue's minimum.
    #[error("the notional is under the venue's minimum")]
    UnderMinimum,
    /// The reference moved too far from the one before, or there is none.
    #[error("the price is too far from the last confirmed one")]
    Collar,
    /// Nothing to trade with.
    #[error("the account has no equity")]
    NoEquity,
    /// A single order beyond the fuse.
    #[error("the order's notional is over the largest allowed")]
    OrderTooLarge,
    /// Gross exposure after it.
    #[error("gross exposure after it would be over its cap")]
    Gross,
    /// Net exposure after it.
    #[error("net exposure after it would be over its cap")]
    Net,
    /// Its numbers leave the range of decimals.
    #[error("its numbers leave the range of the books")]
    Unreckonable,
}

/// An order that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Number of the order that was refused.
    pub order: OrderId,
    /// Limit that it broke.
    pub reason: RefusalReason,
    /// What was found, in the reason's unit (currency, base units, price or seconds).
    pub found: Decimal,
    /// What is allowed, in the same unit.
    pub allowed: Decimal,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { order, reason, found, allowed } = self;
        write!(f, "order {} refused: {reason} ({found} where {allowed} is allowed)", order.0)
    }
}

impl std::error::Error for Refusal {}

/// What made an approved order smaller than proposed, beside rounding to the lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Clip {
    /// To what is left of the position.
    ToPosition,
    /// To its share of the last bar's volume.
    ToVolume,
}

/// An order that may leave. Made by [`Gate::approve`] alone; not even deserialising makes one.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ApprovedOrder {
    id: OrderId,
    instrument: InstrumentId,
    quantity: Decimal,
    reduce_only: bool,
    reference: Decimal,
    at: Stamp,
    clip: Option<Clip>,
}

impl ApprovedOrder {
    /// The desk's number for it.
    pub fn id(&self) -> OrderId {
        self.id
    }

    /// Instrument to be traded.
    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    /// Signed, in base units, a multiple of the lot, never zero.
    pub fn quantity(&self) -> Decimal {
        self.quantity
    }

    /// Whether it may only shrink the position: the venue holds it to that at the fill as well.
    pub fn reduce_only(&self) -> bool {
        self.reduce_only
    }

    /// When it was decided; it fills at the first price after.
    pub fn at(&self) -> Stamp {
        self.at
    }
}

/// A reason with its numbers, before it has an order's name on it.
type Stop = (RefusalReason, Decimal, Decimal);

const UNRECKONABLE: Stop = (RefusalReason::Unreckonable, Decimal::ZERO, Decimal::ZERO);

fn sum(a: Decimal, b: Decimal) -> Result<Decimal, Stop> {
    a.checked_add(b).ok_or(UNRECKONABLE)
}

fn less(a: Decimal, b: Decimal) -> Result<Decimal, Stop> {
    a.checked_sub(b).ok_or(UNRECKONABLE)
}

fn times(a: Decimal, b: Decimal) -> Result<Money, Stop> {
    product(a, b).map_err(|_| UNRECKONABLE)
}

/// `amount` × a setting. An infinite setting is no limit.
fn multiple(amount: Decimal, setting: f64) -> Result<Decimal, Stop> {
    if setting == f64::INFINITY {
        return Ok(Decimal::MAX);
    }
    times(amount, from_estimate(setting, 9).ok_or(UNRECKONABLE)?)
}

fn hold(found: Decimal, allowed: Decimal, reason: RefusalReason) -> Result<(), Stop> {
    if found <= allowed { Ok(()) } else { Err((reason, found, allowed)) }
}

/// Whether an estimate is so far under a multiple of an amount that the exact numbers need not be asked, which cost ten times as
/// much: nearly every order is. Limits far from any that is set, and what is no number, are left to the exact ones.
fn is_far_under(found: f64, amount: f64, setting: f64) -> bool {
    // A setting is read to nine digits, and books to ten; doubles err in the sixteenth.
    let most = amount * (setting - 1e-8) * (1.0 - 1e-9) - 1e-8;
    most < 1e10 && (0.0..most).contains(&found)
}

fn with_sign_of(size: Decimal, side: Decimal) -> Decimal {
    let mut signed = size.abs();
    signed.set_sign_positive(side.is_sign_positive());
    signed
}

/// The gate, with its counters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    settings: GateSettings,
    approved: u64,
    refused: BTreeMap<RefusalReason, u64>,
    clipped: BTreeMap<Clip, u64>,
}

impl Gate {
    /// With these limits and all counters at zero.
    pub fn new(settings: GateSettings) -> Self {
        Gate { settings, ..Gate::default() }
    }

    /// Orders let out.
    pub fn approved(&self) -> u64 {
        self.approved
    }

    /// Lets an order out, or says why not. Counts either way.
    pub fn approve(
        &mut self,
        proposal: &ProposedOrder,
        instrument: &Instrument,
        exposure: &Exposure,
        mode: Mode,
    ) -> Result<ApprovedOrder, Refusal> {
        match examine(&self.settings, proposal, instrument, exposure, mode) {
            Ok((quantity, clip)) => {
                self.approved = self.approved.saturating_add(1);
                if let Some(clip) = clip {
                    let n = self.clipped.entry(clip).or_default();
                    *n = n.saturating_add(1);
                }
                let ProposedOrder { id, instrument, reference, at, .. } = *proposal;
                let reduce_only = proposal.reduce_only || mode != Mode::Running;
                Ok(ApprovedOrder { id, instrument, quantity, reduce_only, reference, at, clip })
            }
            Err((reason, found, allowed)) => {
                let n = self.refused.entry(reason).or_default();
                *n = n.saturating_add(1);
                Err(Refusal { order: proposal.id, reason, found, allowed })
            }
        }
    }
}

/// All checks; the quantity that may leave, and what cut it.
fn examine(
    limits: &GateSettings,
    order: &ProposedOrder,
    instrument: &Instrument,
    now: &Exposure,
    mode: Mode,
) -> Result<(Decimal, Option<Clip>), Stop> {
    let stop = |reason| Err((reason, order.quantity, Decimal::ZERO));
    if order.quantity.is_zero() || instrument.id != order.instrument {
        return stop(RefusalReason::Nothing);
    }
    let room = room_to_reduce(order.quantity, now)?;
    let must_reduce = order.reduce_only || mode != Mode::Running;
    let (mut size, mut clip) = (order.quantity.abs(), None);
    if must_reduce {
        if room.is_zero() {
            return stop(if order.reduce_only { RefusalReason::NotReducing } else { RefusalReason::Mode });
        }
        if size > room {
            (size, clip) = (room, Some(Clip::ToPosition));
        }
    }
    let reduces = size <= room;
    if !now.tradable {
        return stop(RefusalReason::NotTrading);
    }
    if !reduces {
        if !instrument.kind.can_short() && order.quantity.is_sign_negative() {
            return Err((RefusalReason::LongOnly, size, room));
        }
        if now.feed_age > limits.feed_age_max {
            let seconds = |span: Span| Decimal::from(span.0.div_euclid(Span::seconds(1).0));
            let (age, most) = (seconds(now.feed_age), seconds(limits.feed_age_max));
            return Err((RefusalReason::StaleFeed, age, most));
        }
        let share = limits.participation * now.bar_volume;
        if share != f64::INFINITY {
            // A volume that is no number counts as none.
            let most = from_estimate(share.max(0.0), 12).ok_or(UNRECKONABLE)?;
            if most.is_zero() {
                return stop(RefusalReason::NoVolume);
            }
            if size > most {
                (size, clip) = (most, Some(Clip::ToVolume));
            }
        }
    }
    size = whole_lots(size, instrument.lot)?;
    if size.is_zero() {
        return Err((RefusalReason::UnderLot, order.quantity, instrument.lot));
    }
    let closes = reduces && size == now.position.abs();
    let notional = times(size, order.reference)?;
    if !closes && !is_far_over(notional, instrument.min_notional) && notional < instrument.min_notional {
        return Err((RefusalReason::UnderMinimum, notional, instrument.min_notional));
    }
    let quantity = with_sign_of(size, order.quantity);
    if !reduces {
        caps(limits, quantity, notional, order.reference, now)?;
    }
    Ok((quantity, clip))
}

/// How much an order on this side can take off the position, other open orders done first; 0 on the
/// position's own side.
fn room_to_reduce(quantity: Decimal, now: &Exposure) -> Result<Decimal, Stop> {
    let opposite =
        |a: Decimal, b: Decimal| !a.is_zero() && !b.is_zero() && a.is_sign_negative() != b.is_sign_negative();
    if !opposite(quantity, now.position) {
        return Ok(Decimal::ZERO);
    }
    if !opposite(now.open_order, now.position) {
        return Ok(now.position.abs());
    }
    Ok(less(now.position.abs(), now.open_order.abs())?.max(Decimal::ZERO))
}

/// Rounded toward zero to a multiple of the lot.
fn whole_lots(size: Decimal, lot: Decimal) -> Result<Decimal, Stop> {
    less(size, size.checked_rem(lot).ok_or(UNRECKONABLE)?)
}

/// The smallest order of an instrument at a price: a lot, or so many as its least notional asks for. `None` where that
/// cannot be computed, as at no price.
pub fn smallest_order(instrument: &Instrument, price: Decimal) -> Option<Decimal> {
    let Instrument { lot, min_notional, .. } = *instrument;
    if min_notional <= Decimal::ZERO {
        return Some(lot);
    }
    let worth = step::exact_product(lot, price)?;
    let asked = PriceStep::Tick(worth).round(min_notional, Rounding::Up)?;
    let lots = step::count(asked, worth)?;
    // A notional is rounded to the digits of the books, and a lot less may be enough by that.
    let fewer = step::multiple(lots.checked_sub(1)?, lot)?;
    let is_enough = !fewer.is_zero() && product(fewer, price).is_ok_and(|n| n >= min_notional);
    if is_enough { Some(fewer) } else { step::multiple(lots, lot) }
}

/// Whether an amount is surely more than another that is not negative, by estimates.
fn is_far_over(amount: Decimal, least: Decimal) -> bool {
    let (amount, least) = (to_estimate(amount), to_estimate(least));
    least >= 0.0 && amount > least * (1.0 + 1e-9) + 1e-9
}

/// Whether an order of this notional, and whatever is open beside it, is far under every cap of its size, of gross and of net,
/// whichever side it is on.
fn is_far_from_caps(limits: &GateSettings, notional: Money, reference: Decimal, now: &Exposure) -> bool {
    let size = |x: Decimal| libm::fabs(to_estimate(x));
    let (equity, order) = (to_estimate(now.equity), to_estimate(notional));
    let open = if now.open_order.is_zero() { 0.0 } else { size(now.open_order) * size(reference) };
    is_far_under(order, equity, limits.order_max)
        && is_far_under(size(now.gross) + order + open, equity, limits.gross_max)
        && is_far_under(size(now.net) + order + open, equity, limits.net_max)
}

/// The checks of risk, for orders that do not only reduce.
fn caps(
    limits: &GateSettings,
    quantity: Decimal,
    notional: Money,
    reference: Decimal,
    now: &Exposure,
) -> Result<(), Stop> {
    let jump = less(reference, now.last_confirmed)?.abs();
    if now.last_confirmed <= Decimal::ZERO || reference <= Decimal::ZERO {
        return Err((RefusalReason::Collar, reference, now.last_confirmed));
    }
    let near = |found, amount, setting| !is_far_under(to_estimate(found), to_estimate(amount), setting);
    let is_same = jump.is_zero() && (1e-6..1e6).contains(&limits.collar);
    if !is_same && near(jump, now.last_confirmed, limits.collar) {
        hold(jump, multiple(now.last_confirmed, limits.collar)?, RefusalReason::Collar)?;
    }
    if now.equity <= Decimal::ZERO {
        return Err((RefusalReason::NoEquity, now.equity, Decimal::ZERO));
    }
    if is_far_from_caps(limits, notional, reference, now) {
        return Ok(());
    }
    exact_caps(limits, quantity, notional, reference, now)
}

/// The caps of an order's size, of gross and of net, to the last digit.
fn exact_caps(
    limits: &GateSettings,
    quantity: Decimal,
    notional: Money,
    reference: Decimal,
    now: &Exposure,
) -> Result<(), Stop> {
    hold(notional, multiple(now.equity, limits.order_max)?, RefusalReason::OrderTooLarge)?;

    // The worst case: open orders on this side fill, those on the other do not. What makes the account
    // smaller passes even over the cap.
    let same_side = now.open_order.is_sign_negative() == quantity.is_sign_negative();
    let open = if same_side { now.open_order } else { Decimal::ZERO };
    let after = sum(sum(now.position, open)?, quantity)?;
    let grown = times(less(after.abs(), now.position.abs())?, reference)?;
    if grown > Decimal::ZERO {
        hold(sum(now.gross, grown)?, multiple(now.equity, limits.gross_max)?, RefusalReason::Gross)?;
    }
    let net = sum(now.net, times(less(after, now.position)?, reference)?)?.abs();
    if net > now.net.abs() {
        hold(net, multiple(now.equity, limits.net_max)?, RefusalReason::Net)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
