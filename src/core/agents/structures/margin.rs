//! Margin of a structure: when a venue takes over what it holds on credit.
//!
//! The wallet is the structure's own capital. Every intent begins with all of it, as its size is a fraction
//! of it; what the book has gained or lost since the intent was opened is added. The venue liquidates when
//!
//! ```text
//! equity = wallet + worth now − worth when opened  ≤  Σ maintenance of the legs held on margin
//! ```
//!
//! which for one linear contract is at the price that [`fills::liquidation`](crate::fills::liquidation) says.
//!
//! | leg | maintenance |
//! |---|---|
//! | perp, future | [`CONTRACT`](crate::fills::liquidation::CONTRACT) of notional |
//! | coins short on margin | [`BORROWED`](crate::fills::liquidation::BORROWED) of notional |
//! | option or MOVE contract, short | [`short_margin`] |
//! | anything that is paid in full | none |
//!
//! # Invariants
//!
//! 1. All legs on margin are taken over at once, at the mark, and their maintenance margin is the venue's: a
//!    wallet that holds one contract ends at zero.
//! 2. A bad tick liquidates nobody where there are marks: the newest prices and the marks must both say so.
//!
//! It is kinder than venues in one thing: there is one wallet for all of them, and coins and liquidity stand
//! for contracts at their full worth, as if transfers took no time.

use super::context::StructureContext;
use super::legs::Legs;
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, Span};
use crate::fills::liquidation::MarginTiers;
use crate::market::pricing::option::{Right, short_margin};

/// Age at which a mark is none.
const MARK_AGE: Span = Span(10 * Span::MINUTE.0);

/// What is the venue's idea of a price: the newest one, or its mark.
#[derive(Clone, Copy)]
enum By {
    Newest,
    Mark,
}

/// Whether the venue liquidates; `wallet` is what stands behind the book beside its worth.
pub(super) fn is_due(legs: &Legs, seen: &StructureContext<'_>, wallet: f64) -> bool {
    // Most books hold nothing on margin most of the time.
    let on_margin = legs.held.iter().any(|&(id, q)| is_on_margin(seen, id, q));
    on_margin && [By::Newest, By::Mark].into_iter().all(|by| is_short(legs, seen, wallet, by) == Some(true))
}

/// Closes every leg on margin at its mark, and takes off what is on its way to the venue.
pub(super) fn take_over(legs: &mut Legs, seen: &StructureContext<'_>) {
    legs.orders.clear();
    for (id, q) in legs.held.clone() {
        if let (true, Some(price)) = (is_on_margin(seen, id, q), price(seen, id, By::Mark)) {
            let lost = maintenance(seen, id, q, price).unwrap_or(0.0);
            legs.give_up(id, price, lost);
        }
    }
}

/// Whether equity is no more than maintenance; none where something has no price.
fn is_short(legs: &Legs, seen: &StructureContext<'_>, wallet: f64, by: By) -> Option<bool> {
    let (mut equity, mut needed) = (wallet + legs.cash + legs.ranges.market_value(seen.board), 0.0);
    for &(id, q) in &legs.held {
        let price = price(seen, id, by)?;
        equity += q * price;
        needed += maintenance(seen, id, q, price)?;
    }
    Some(equity <= needed)
}

fn is_on_margin(seen: &StructureContext<'_>, id: InstrumentId, q: f64) -> bool {
    matches!(seen.listed.get(id).kind, InstrumentKind::Perp | InstrumentKind::Future) || q < 0.0
}

/// Margin that must be kept for a position, in the account's currency.
pub fn maintenance(seen: &StructureContext<'_>, id: InstrumentId, q: f64, price: f64) -> Option<f64> {
    let i = seen.listed.get(id);
    let size = libm::fabs(q);
    let short = |right, strike, underlying| short_margin(right, strike, underlying, price).ok();
    Some(match (i.kind, i.terms) {
        (InstrumentKind::Perp | InstrumentKind::Future, _) => {
            MarginTiers::of(i.kind).maintenance(size * price)
        }
        _ if q >= 0.0 => 0.0,
        (_, ContractTerms::Option { strike, call, .. }) => {
            let right = if call { Right::Call } else { Right::Put };
            size * short(right, strike, underlying(seen, id)?)?.maintenance
        }
        // As the costlier leg of a straddle.
        (InstrumentKind::Move, _) => {
            let index = underlying(seen, id)?;
            size * short(Right::Call, index, index)?.maintenance
        }
        // Whatever its kind, coins that are short are borrowed.
        _ => MarginTiers::of(InstrumentKind::Margin).maintenance(size * price),
    })
}

fn price(seen: &StructureContext<'_>, id: InstrumentId, by: By) -> Option<f64> {
    let newest = seen.value(id);
    if matches!(by, By::Newest) {
        return newest;
    }
    let (i, quoted) = (seen.listed.get(id), seen.board.get(id)?);
    let mark = quoted.mark.filter(|m| seen.now.since(m.at).0 <= MARK_AGE.0).map(|m| m.value.0);
    match mark {
        // What has settled has its price.
        _ if quoted.settled.is_some() => newest,
        _ if matches!(i.kind, InstrumentKind::Spot | InstrumentKind::Margin) => index(seen, id).or(newest),
        Some(mark) => seen.listed.scale(seen.board, id).map(|s| mark * s),
        None => newest,
    }
}

/// What a contract is written on, in the account's currency: its forward, the index, or the newest price of
/// a perp.
fn underlying(seen: &StructureContext<'_>, id: InstrumentId) -> Option<f64> {
    let forward = seen.board.get(id)?.implied.map(|i| i.value.1);
    let asset = seen.listed.get(id).asset;
    let perps = seen.listed.instruments.iter();
    let mut perps = perps.filter(|i| i.asset == asset && i.kind == InstrumentKind::Perp);
    forward.or_else(|| index(seen, id)).or_else(|| perps.find_map(|i| seen.value(i.id)))
}

/// The newest index of an instrument's asset that a mark told.
fn index(seen: &StructureContext<'_>, id: InstrumentId) -> Option<f64> {
    let asset = seen.listed.get(id).asset;
    let same = seen.listed.instruments.iter().filter(|i| i.asset == asset);
    let marks = same.filter_map(|i| seen.board.get(i.id)?.mark);
    let fresh = marks.filter(|m| seen.now.since(m.at).0 <= MARK_AGE.0);
    fresh.max_by_key(|m| m.at).map(|m| m.value.1)
}

#[cfg(test)]
mod tests {
    use super::super::stage::{mark, quote, second, universe};
    use super::*;
    use crate::agents::personality::{Preset, Traits};
    use crate::agents::structures::listed::ListedInstruments;
    use crate::domain::{MarketEvent, SideRule, Stamp, Universe};
    use crate::fills::Costs;
    use crate::market::Market;
    use proptest::prelude::*;

    const ONE: InstrumentId = InstrumentId(0);

    fn with<R>(
        universe: &Universe,
        events: &[MarketEvent],
        ask: impl FnOnce(&StructureContext<'_>) -> R,
    ) -> R {
        let listed = ListedInstruments::new(universe);
        let mut board = Market::quoted(listed.instruments.len());
        for e in events {
            assert!(board.take(e), "{e:?}");
        }
        ask(&StructureContext {
            listed: &listed,
            board: &board,
            costs: &Costs::Flat(0.0).into(),
            now: events.iter().map(MarketEvent::at).max().unwrap_or(Stamp(0)),
            traits: &Traits::default(),
            preset: &Preset::default(),
            side: SideRule::Both,
            capital: 10.0,
            legs: &Legs::default(),
            may_open: true,
        })
    }

    /// Contracts entered at a price, at no cost.
    fn entered(quantity: f64, entry: f64) -> Legs {
        let mut legs = Legs::default();
        legs.cash = -quantity * entry;
        legs.held.push((ONE, quantity));
        legs
    }

    fn perp() -> Universe {
        universe(&[("BTC", InstrumentKind::Perp, "a", "")])
    }

    fn is_due_at(quantity: f64, entry: f64, wallet: f64, price: f64) -> bool {
        let event = quote(0, second(1.0), price, price, 1.0);
        with(&perp(), &[event], |seen| is_due(&entered(quantity, entry), seen, wallet))
    }

    /// Where a contract that stands on a wallet of its own is liquidated.
    fn liquidation(quantity: f64, entry: f64, wallet: f64) -> f64 {
        let tiers = MarginTiers::of(InstrumentKind::Perp);
        tiers.linear_price(wallet - quantity * entry, quantity).unwrap()
    }

    #[test]
    fn one_contract_is_liquidated_at_the_golden_prices() {
        assert!(!is_due_at(1.0, 100.0, 10.0, 90.4524) && is_due_at(1.0, 100.0, 10.0, 90.4522));
        assert!(!is_due_at(-1.0, 100.0, 10.0, 109.4526) && is_due_at(-1.0, 100.0, 10.0, 109.4528));
    }

    #[test]
    fn the_wallet_of_one_contract_ends_at_nought() {
        for (quantity, price) in [(1.0, 90.0 / 0.995), (-1.0, 110.0 / 1.005)] {
            let event = quote(0, second(1.0), price, price, 1.0);
            with(&perp(), &[event], |seen| {
                let mut legs = entered(quantity, 100.0);
                take_over(&mut legs, seen);
                assert!(legs.held.is_empty() && (10.0 + legs.cash).abs() < 1e-9, "{legs:?}");
                assert!((legs.totals.fees - 0.005 * price).abs() < 1e-9);
            });
        }
    }

    #[test]
    fn a_bad_tick_liquidates_nobody_where_there_are_marks() {
        let bad = quote(0, second(2.0), 9.0, 9.1, 1.0);
        let due =
            |events: &[MarketEvent]| with(&perp(), events, |seen| is_due(&entered(1.0, 100.0), seen, 10.0));
        assert!(due(&[bad]));
        assert!(!due(&[mark(0, second(1.0), 99.0, 99.0), bad]));
        assert!(due(&[mark(0, second(1.0), 89.0, 89.0), bad]));
        // An old mark is none.
        assert!(due(&[mark(0, second(1.0), 99.0, 99.0), quote(0, second(700.0), 9.0, 9.1, 1.0)]));
    }

    #[test]
    fn a_short_option_needs_what_the_venue_asks_for_and_a_long_one_nothing() {
        let mut listed = universe(&[("BTC", InstrumentKind::Option, "a", "")]);
        let terms = ContractTerms::Option { expiry: second(1e6), strike: 100.0, call: true, inverse: false };
        listed.instruments[0].terms = terms;
        let events = |price: f64| {
            let implied =
                MarketEvent::Implied { instrument: ONE, at: second(1.0), sigma: 0.5, forward: 100.0 };
            [quote(0, second(1.0), price, price, 1.0), implied]
        };
        // Sold at 4 with a wallet of 10: 14 − p ≤ 7.5 + p at p = 3.25 already; with one of 20 at 8.25.
        let due = |wallet: f64, quantity: f64, price: f64| {
            with(&listed, &events(price), |seen| is_due(&entered(quantity, 4.0), seen, wallet))
        };
        assert!(due(10.0, -1.0, 3.26) && !due(10.0, -1.0, 3.24));
        assert!(due(20.0, -1.0, 8.26) && !due(20.0, -1.0, 8.24));
        assert!(!due(3.0, 1.0, 0.01), "what is paid for can only be lost");
    }

    proptest! {
        #[test]
        fn any_contract_is_liquidated_where_the_formula_says(
            quantity in prop_oneof![-50.0_f64..-0.01, 0.01_f64..50.0],
            entry in 1.0_f64..1e5, lever in 1.1_f64..50.0,
        ) {
            let wallet = quantity.abs() * entry / lever;
            let at = liquidation(quantity, entry, wallet);
            let beyond = |x: f64| at * (1.0 - quantity.signum() * x);
            prop_assert!(is_due_at(quantity, entry, wallet, beyond(1e-6)));
            prop_assert!(!is_due_at(quantity, entry, wallet, beyond(-1e-6)));
        }
    }
}
