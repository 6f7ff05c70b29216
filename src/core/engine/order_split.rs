//! The two legs of an asset: what a decision asks of each, and how it leaves.
//!
//! # What leaves at once, and what is worked
//!
//! ```text
//! w  what the desk wants · q  the change of spot · o  spot that has changed without its perp
//! done    what w and o have in common                  it has moved the exposure already
//! flow    what w − done and q have in common           one leg, as spot, now: the perp is not traded for it
//! back    what q − flow and −(o − done) have in common one leg, as spot, now: it sets an o right
//! leg     −(o − done) − back                           in the perp, now
//! switch  q − flow − back                              both legs: now, or patiently (below)
//! rest    w − done − flow                              worked
//! ```
//!
//! In common: the smaller of two of one sign, else nothing. So flow + back + leg + rest = w − o, and leg, rest and
//! the perp's side of a switch never have opposite signs. What was worked before and is still due crosses now.

use crate::domain::Decimal;

/// What a decision makes of the two legs of an asset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LegChange {
    /// Base units of spot to trade.
    pub spot: Decimal,
    /// Of what the desk holds too little or too much, what the decision before asked for and a leg that was
    /// not filled left undone: it is made good at once, in the perp.
    pub due: Decimal,
    /// Whether its perp leg may wait: the spot has a fine clock, and nobody calls for the capital.
    pub fast: bool,
}

/// How what is wanted of an asset leaves, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OrderSplit {
    /// To be traded as spot, at once.
    pub spot: Decimal,
    /// To be traded in the perp at once, beside what is late.
    pub leg: Decimal,
    /// Spot whose perp leg rests.
    pub switch: Decimal,
    /// To be traded in the perp, and allowed to wait but for what is `late`.
    pub rest: Decimal,
    /// Of the rest, what is due and may not wait any more.
    pub late: Decimal,
    /// Of the leg, what rested before and crosses now.
    pub hurried: Decimal,
}

impl OrderSplit {
    /// A switch, and what is wanted beside a change of spot, are in whole lots: of both legs, whatever those are.
    pub fn of(want: Decimal, change: Decimal, owed: Decimal, lot: Decimal) -> Self {
        // Spot that has changed without its perp has moved the exposure already: as far as the desk wants the
        // same, trading for it again would do it twice.
        let done = common(want, owed);
        let (want, owed) = (want - done, owed - done);
        // Less than a lot is no order, and would stand against the other leg of a switch.
        let want = if change.is_zero() { want } else { in_whole(want, lot) };
        // What the desk wants and the change of spot have in common takes one leg where a switch takes two.
        let flow = common(want, change);
        // So does spot that goes back where it came from: a perp leg to make good for it and a switch after
        // that would be three.
        let back = common(change - flow, -owed);
        OrderSplit {
            spot: flow + back,
            leg: -owed - back,
            // What a venue filled in part may be whole lots of one leg alone: that stays until the desk trades it away.
            switch: in_whole(change - flow - back, lot),
            rest: want - flow,
            ..OrderSplit::default()
        }
    }

    /// So much of the switch goes now, with both legs.
    pub fn hurry(&mut self, switch: Decimal) {
        self.spot += switch;
        self.leg -= switch;
        self.switch -= switch;
    }
}

/// A quantity toward zero in whole lots; nothing where there are none.
fn in_whole(quantity: Decimal, lot: Decimal) -> Decimal {
    quantity
        .checked_rem(lot)
        .map_or(Decimal::ZERO, |rest| if rest.is_zero() { quantity } else { quantity - rest })
}

/// The smaller of two of the same sign; nothing of two others.
pub(super) fn common(a: Decimal, b: Decimal) -> Decimal {
    match () {
        () if a.is_zero() || b.is_zero() || a.is_sign_negative() != b.is_sign_negative() => Decimal::ZERO,
        () if a.abs() < b.abs() => a,
        () => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(want: i64, change: i64, owed: i64) -> [i64; 4] {
        let [want, change, owed] = [want, change, owed].map(Decimal::from);
        let p = OrderSplit::of(want, change, owed, Decimal::ONE);
        [p.spot, p.leg, p.switch, p.rest].map(|d| i64::try_from(d).unwrap())
    }

    #[test]
    fn what_the_desk_wants_anyway_needs_one_leg_and_only_a_switch_two() {
        assert_eq!(parts(5, 3, 0), [3, 0, 0, 2], "bought as spot, the rest is worked");
        assert_eq!(parts(2, 5, 0), [2, 0, 3, 0], "beyond it a switch");
        assert_eq!(parts(5, -3, 0), [0, 0, -3, 5], "a switch beside what is worked");
        assert_eq!(parts(0, 4, 0), [0, 0, 4, 0]);
        assert_eq!(parts(5, 0, 2), [0, 0, 0, 3], "spot without its leg has done a part");
        assert_eq!(parts(0, 0, 2), [0, -2, 0, 0], "or is undone");
        assert_eq!(parts(0, -2, 2), [-2, 0, 0, 0], "or goes back");
        let of =
            |want: &str| OrderSplit::of(want.parse().unwrap(), Decimal::from(2), Decimal::ZERO, Decimal::ONE);
        let p = of("1.7");
        assert_eq!((p.spot, p.switch, p.rest), (Decimal::ONE, Decimal::ONE, Decimal::ZERO), "in whole lots");
        let dec = |text: &str| text.parse::<Decimal>().unwrap();
        // Lots of 0.25 and of 3 have 3 in common; what is spot alone is 0.75 of it.
        let p = OrderSplit::of(dec("-4.5"), dec("-9.75"), Decimal::ZERO, dec("3"));
        assert_eq!(
            (p.spot, p.switch, p.rest),
            (dec("-3"), dec("-6"), Decimal::ZERO),
            "and the rest of it stays"
        );
    }

    proptest! {
        #[test]
        fn exposure_is_what_was_wanted_and_nothing_is_bought_to_be_sold(want in -9_i64..9, change in -9_i64..9, owed in -9_i64..9) {
            let [spot, leg, switch, rest] = parts(want, change, owed);
            prop_assert_eq!(spot + switch, change);
            prop_assert_eq!(spot + leg + rest, want - owed);
            prop_assert!(leg * rest >= 0 && -switch * rest >= 0 && -switch * leg >= 0);
        }
    }
}
