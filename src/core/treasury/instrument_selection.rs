//! In which instrument an asset is held: spot, or its perp. The desk decides what to hold; carry agents say
//! what the choice is worth; these rules choose, and never change the exposure.
//!
//! ```text
//! s ≥ 0 in spot, f in the perp, s + f = n                        fractions of equity; d = the desk's change of n
//! SELL FLOW  d < 0 and V < 0          spot is sold first: s −= min(−d, s)
//! LEAVE      V < −(c_s + c_p)         s → 0; so it is where who carries may not any more
//! CAPITAL    U = Σs + m·Σ|n − s| ≤ 1  over it spot is given up, lowest v first (it moves to the perp)
//! ENTER      by v descending while U < 0.98, s ≤ ¼ each and ≤ what is carried at most:
//!            d > 0 and V > 2h(c_s − c_p)  what is bought is bought as spot
//!            V > 2h(c_s + c_p)            s rises in steps of 0.01
//! ```
//!
//! Where the desk's orders are worked, n may stay what it was until the next decision: |n − s| is the greater of
//! before and after. So it is with s where a switch may take as long: what is being left is used until it is gone.
//!
//! Capital has a price where it is used up: what the last asset served earns with it a day, v over what a step more of its
//! spot asks for. Where there is some left, idle cash earns nothing that it would not without the carry, and the
//! price is zero (complementary slackness).
//!
//! V is what the carry agent says whose bid was taken ([`CarryQuote`](crate::domain::CarryQuote)), v the same per day of
//! its horizon, which is how those of different horizons are compared; h ≥ 1 is what it asks for over the costs, c what a
//! side costs. Nothing is fitted: thresholds are costs.
//!
//! # Invariants
//!
//! 1. s ≥ 0, and a line that cannot trade now keeps its s.
//! 2. U ≤ the capital afterwards wherever giving up spot can reach it.
//! 3. A quote older than a day neither enters nor leaves; older than three, what is sold is sold as spot.

/// Margin asked for a perp, as a fraction of its notional.
pub const MARGIN: f64 = 0.25;
/// Entries stop at this share of the capital, so that a breath of prices does not undo them.
const FULL: f64 = 0.98;
/// Most of an asset that is taken in spot, in multiples of equity.
pub const EACH: f64 = 0.25;
/// By how much an entry grows.
const STEP: f64 = 0.01;

/// How much is known of an asset's V.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKnown {
    /// Said within a day.
    Fresh,
    /// Older: what is held is kept.
    Held,
    /// Older than three days, or never said, or no new risk is taken: spot is only sold.
    Stale,
    /// Who carries may not any more, and nobody takes it over: all of it is given up.
    Ended,
}

/// One asset whose exposure is split between spot and perp. Positions are multiples of equity, costs and V
/// fractions of the notional.
// Each stands by itself.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AssetAllocation {
    /// What the desk is about to trade, d.
    pub change: f64,
    /// What it holds after that, n.
    pub target: f64,
    /// Position in spot: before, and after [`express`] as it should be.
    pub spot: f64,
    /// What taking spot costs once, as a fraction.
    pub spot_cost: f64,
    /// What taking the perp costs once, as a fraction.
    pub perp_cost: f64,
    /// V: what holding a unit in spot gains over the perp until it pays to leave again, as a fraction of its
    /// notional.
    pub value: f64,
    /// V per day of the horizon that it is said for.
    pub daily: f64,
    /// What is asked for, in multiples of the costs there and back.
    pub hurdle: f64,
    /// The most that is carried, in multiples of equity.
    pub most: f64,
    /// How much V counts, by how long ago it was said.
    pub known: ValueKnown,
    /// Whether both legs can trade now.
    pub open: bool,
    /// Whether what the desk is about to trade may take until the next decision.
    pub worked: bool,
    /// Whether a switch may take as long.
    pub waits: bool,
    /// After [`express`]: spot that is given up and may still be there at the next decision.
    pub leaving: f64,
    /// After [`express`]: spot is given up for want of capital, which does not wait.
    pub called: bool,
}

/// What the choice may use, and how much of the mechanism is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelectionTerms {
    /// What spot and margin may use, in multiples of equity.
    pub capital: f64,
    /// Whether the desk's own flow is ridden.
    pub flow: bool,
    /// Whether a perp short of the carry and a long of the desk need margin once, for what is left of them.
    pub netting: bool,
    /// Whether spot may exceed what the desk holds long: a hedged book of its own.
    pub beyond: bool,
}

impl AssetAllocation {
    fn both(&self) -> f64 {
        self.spot_cost + self.perp_cost
    }

    /// What V has to exceed before spot is bought that costs so much more on a side: there and back.
    fn asked(&self, side: f64) -> f64 {
        // Who asks for less than the costs would have the account pay for its own losses.
        2.0 * self.hurdle.max(1.0) * side
    }
}

impl SelectionTerms {
    /// What is worked may be filled or not: the venue asks for the margin of the costlier.
    fn margin(&self, line: &AssetAllocation, spot: f64) -> f64 {
        // What is being left is there until it is filled, and is paid for in full as long.
        let spot = spot.max(line.leaving);
        // In one account the carry's short stands against the desk's long, and margin is asked for what is
        // left of them; in two each would ask for its own.
        let perps = |n: f64| if self.netting { libm::fabs(n - spot) } else { libm::fabs(n) + spot };
        let (before, after) = (perps(line.target - line.change), perps(line.target));
        spot + MARGIN * if line.worked { before.max(after) } else { after }
    }

    /// U: what spot and margin use.
    pub fn used(&self, lines: &[AssetAllocation]) -> f64 {
        lines.iter().map(|l| self.margin(l, l.spot)).sum()
    }

    /// What the spot of an asset uses, beside the margin that the desk would need without it.
    pub fn lent(&self, line: &AssetAllocation) -> f64 {
        self.margin(line, line.spot) - self.margin(line, 0.0)
    }

    /// What a unit of capital earns a day where it was used last; none where some is idle.
    pub fn last_served(&self, lines: &[AssetAllocation]) -> Option<f64> {
        // Where a step more would fit, capital is not what stops the next entry, so that nothing would have
        // been earned by having more of it.
        if self.used(lines) < self.full() - (1.0 + MARGIN) * STEP {
            return None;
        }
        let price = |l: &AssetAllocation| {
            // Spot in place of a long perp frees that perp's margin, so that it asks for less capital than a
            // hedged book: V counts by what the next step here would really ask for.
            let asks = self.margin(l, l.spot + STEP) - self.margin(l, l.spot);
            l.daily / (asks / STEP)
        };
        // What is held on an old quote is held for want of knowledge: its V prices nothing.
        let served = lines.iter().filter(|l| l.spot > 0.0 && l.known == ValueKnown::Fresh);
        served.map(price).min_by(f64::total_cmp)
    }

    /// Where entries stop; a step more must still fit.
    fn full(&self) -> f64 {
        // A step asks for itself and the margin of its perp at most: stopping that much short, the last one
        // cannot pass the capital.
        (FULL * self.capital).min(self.capital - (1.0 + MARGIN) * STEP)
    }

    fn cap(&self, line: &AssetAllocation) -> f64 {
        // A short cannot be held in spot, and spot beyond a long would be a hedged book.
        let each = EACH.min(line.most);
        if self.beyond { each } else { each.min(line.target.max(0.0)) }
    }
}

/// Chooses how much of each asset is held in spot.
pub fn express(terms: &SelectionTerms, lines: &mut [AssetAllocation]) {
    // What cannot trade now keeps its spot: an order that cannot be sent frees no capital for others.
    for line in lines.iter_mut().filter(|l| l.open) {
        let fresh = line.known == ValueKnown::Fresh;
        let sells = line.change < 0.0
            && ((terms.flow && fresh && line.value < 0.0) || line.known == ValueKnown::Stale);
        // The desk sells in any case, and pays for one side. Done in spot, that side also ends a carry that
        // loses; where nobody has spoken for days, spot runs off so without a switch paid on a guess.
        if sells {
            line.spot -= (-line.change).min(line.spot);
        }
        // Leaving trades both legs once; until more than that is lost by staying, staying is cheaper.
        if line.known == ValueKnown::Ended || (fresh && line.value < -line.both()) {
            line.leaving = if line.waits { line.spot } else { 0.0 };
            line.spot = 0.0;
        }
        // The desk may have sold below the spot that is held: the rest would be a hedged book without leave.
        if !terms.beyond {
            line.spot = line.spot.min(line.target.max(0.0));
        }
    }
    let mut order: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].open).collect();
    // Equal values by number, so that the choice does not hang on how a sort treats ties.
    order.sort_by(|a, b| lines[*b].daily.total_cmp(&lines[*a].daily).then(a.cmp(b)));
    let mut used = terms.used(lines);
    for &i in order.iter().rev() {
        // What is being left has no claim on its capital: it hurries before anything that is wanted gives
        // way.
        if used > terms.capital && lines[i].leaving > 0.0 {
            let before = terms.margin(&lines[i], lines[i].spot);
            (lines[i].leaving, lines[i].called) = (0.0, true);
            used += terms.margin(&lines[i], lines[i].spot) - before;
        }
        // Lowest V first and in steps: no more is given up than the margin asks for, and what earns least.
        while used > terms.capital && lines[i].spot > 0.0 {
            used += move_by(terms, &mut lines[i], -STEP);
            lines[i].called = true;
        }
    }
    let full = terms.full();
    for &i in &order {
        let line = &mut lines[i];
        if line.known != ValueKnown::Fresh {
            continue;
        }
        let cap = terms.cap(line);
        // What the desk buys anyway costs one side as spot or as perp. Only the difference has to be earned,
        // and once more when it is sold.
        if terms.flow && line.change > 0.0 && line.value > line.asked(line.spot_cost - line.perp_cost) {
            let mut wanted = line.change.min(cap - line.spot);
            while wanted > 0.0 && used < full {
                let step = wanted.min(STEP);
                used += move_by(terms, line, step);
                wanted -= step;
            }
        }
        // A switch for its own sake trades both legs, and both again when it is left.
        if line.value > line.asked(line.both()) {
            // Sums of steps miss the cap by rounding: a last step of less than that would add nothing, for
            // ever.
            while used < full && line.spot + 1e-12 < cap {
                let step = STEP.min(cap - line.spot);
                used += move_by(terms, line, step);
            }
        }
    }
}

/// Moves spot, not below zero; what that adds to what is used.
fn move_by(terms: &SelectionTerms, line: &mut AssetAllocation, by: f64) -> f64 {
    let before = terms.margin(line, line.spot);
    line.spot = (line.spot + by).max(0.0);
    terms.margin(line, line.spot) - before
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: SelectionTerms = SelectionTerms { capital: 1.0, flow: true, netting: true, beyond: true };

    fn line(change: f64, target: f64, spot: f64, value: f64) -> AssetAllocation {
        AssetAllocation {
            change,
            target,
            spot,
            value,
            daily: value / 14.0,
            hurdle: 1.0,
            most: 1.0,
            spot_cost: 0.0012,
            perp_cost: 0.0007,
            known: ValueKnown::Fresh,
            open: true,
            worked: false,
            waits: false,
            leaving: 0.0,
            called: false,
        }
    }

    fn one(terms: &SelectionTerms, l: AssetAllocation) -> f64 {
        let mut lines = [l];
        express(terms, &mut lines);
        lines[0].spot
    }

    #[test]
    fn each_rule_by_hand() {
        // 38 bp is twice both costs, 10 bp twice their difference, −19 bp both once.
        assert!((one(&TERMS, line(0.0, 0.0, 0.0, 0.0040)) - 0.25).abs() < 1e-9, "a hedged book");
        assert_eq!(one(&TERMS, line(0.0, 0.3, 0.0, 0.0030)), 0.0, "not worth both costs twice");
        assert!((one(&TERMS, line(0.1, 0.3, 0.0, 0.0030)) - 0.1).abs() < 1e-9, "what is bought anyway");
        assert_eq!(one(&TERMS, line(0.1, 0.3, 0.0, 0.0009)), 0.0);
        assert!((one(&TERMS, line(-0.1, 0.2, 0.2, -0.0001)) - 0.1).abs() < 1e-9, "spot is sold first");
        assert!((one(&TERMS, line(-0.1, 0.2, 0.2, 0.0001)) - 0.2).abs() < 1e-9, "or kept while it pays");
        assert_eq!(one(&TERMS, line(0.0, 0.2, 0.2, -0.0020)), 0.0, "left");
        assert!((one(&TERMS, line(0.0, 0.2, 0.2, -0.0018)) - 0.2).abs() < 1e-9, "not for less than it costs");
    }

    #[test]
    fn old_words_neither_enter_nor_leave() {
        let old = |known, l: AssetAllocation| one(&TERMS, AssetAllocation { known, ..l });
        assert_eq!(old(ValueKnown::Held, line(0.1, 0.3, 0.0, 0.01)), 0.0);
        assert_eq!(old(ValueKnown::Held, line(0.0, 0.2, 0.2, -0.01)), 0.2);
        assert_eq!(old(ValueKnown::Held, line(-0.1, 0.2, 0.2, -0.01)), 0.2);
        assert!((old(ValueKnown::Stale, line(-0.1, 0.2, 0.2, 0.01)) - 0.1).abs() < 1e-9);
        assert_eq!(old(ValueKnown::Stale, line(0.1, 0.2, 0.2, 0.01)), 0.2);
    }

    #[test]
    fn what_is_asked_for_and_carried_at_most_is_heeded_and_who_may_not_carry_gives_up() {
        let with = |hurdle, most, l: AssetAllocation| one(&TERMS, AssetAllocation { hurdle, most, ..l });
        let rich = line(0.0, 0.0, 0.0, 0.0050);
        assert!((with(1.0, 0.1, rich) - 0.1).abs() < 1e-9, "no more than it carries");
        assert!((with(1.3, 1.0, rich) - 0.25).abs() < 1e-9, "and no more than a quarter");
        assert_eq!(with(1.4, 1.0, rich), 0.0, "50 bp is not 1.4 times 38");
        assert_eq!(with(0.1, 1.0, line(0.0, 0.0, 0.0, 0.0030)), 0.0, "costs are asked for whatever is said");
        let ended = AssetAllocation { known: ValueKnown::Ended, ..line(0.1, 0.3, 0.2, 0.01) };
        assert_eq!(one(&TERMS, ended), 0.0);
    }

    #[test]
    fn of_two_horizons_that_is_richer_which_earns_more_a_day() {
        let long = AssetAllocation { daily: 0.010 / 28.0, ..line(0.0, 0.0, 0.0, 0.010) };
        let mut lines = [long, line(0.0, 0.0, 0.0, 0.008)];
        express(&SelectionTerms { capital: 0.3, ..TERMS }, &mut lines);
        assert!(lines[0].spot == 0.0 && lines[1].spot > 0.2, "{lines:?}");
    }

    #[test]
    fn scarce_capital_goes_to_the_highest_value() {
        let mut lines: Vec<AssetAllocation> =
            (0..8).map(|i| line(0.0, 0.0, 0.0, 0.004 + 0.001 * f64::from(i))).collect();
        express(&TERMS, &mut lines);
        // Each of ¼ needs 0.3125: three and a bit.
        assert!(lines[7].spot > 0.249 && lines[6].spot > 0.249 && lines[5].spot > 0.249);
        assert_eq!(lines[3].spot, 0.0);
        assert!(TERMS.used(&lines) <= 1.0);
        // The desk grows and needs its margin: the lowest value gives way.
        lines[0].target = 2.0;
        express(&TERMS, &mut lines);
        assert!(TERMS.used(&lines) <= 1.0 + 1e-12 && lines[7].spot > 0.249 && lines[4].spot == 0.0);
        assert!(lines[4].called && !lines[7].called, "and does not wait");
    }

    #[test]
    fn without_netting_a_hedged_book_needs_margin_beside_the_desk() {
        let lines = [line(0.0, 0.3, 0.2, 0.01)];
        assert!((TERMS.used(&lines) - (0.2 + 0.25 * 0.1)).abs() < 1e-12);
        let gross = SelectionTerms { netting: false, ..TERMS };
        assert!((gross.used(&lines) - (0.2 + 0.25 * 0.5)).abs() < 1e-12);
        let only = SelectionTerms { beyond: false, ..TERMS };
        assert!((one(&only, line(0.0, 0.1, 0.0, 0.01)) - 0.1).abs() < 1e-9, "never more than is held");
        assert_eq!(one(&only, line(-0.3, -0.1, 0.1, 0.01)), 0.0);
    }

    #[test]
    fn capital_has_a_price_only_where_it_is_used_up() {
        let mut lines = [line(0.0, 0.0, 0.0, 0.009), line(0.0, 0.0, 0.0, 0.008)];
        express(&TERMS, &mut lines);
        let lent: f64 = lines.iter().map(|l| TERMS.lent(l)).sum();
        assert!((lent - 2.0 * 0.25 * 1.25).abs() < 1e-9);
        assert_eq!(TERMS.last_served(&lines), None, "⅜ are idle");
        let mut lines: Vec<AssetAllocation> =
            (0..8).map(|i| line(0.0, 0.0, 0.0, 0.004 + 0.001 * f64::from(i))).collect();
        express(&TERMS, &mut lines);
        let price = TERMS.last_served(&lines).unwrap();
        assert!((14.0 * price - 0.008 / 1.25).abs() < 1e-12, "a hedged book of the fourth best");
        // In place of a long perp a unit of spot frees the margin.
        lines[4].target = 0.3;
        assert!((TERMS.last_served(&lines).map_or(0.0, |p| 14.0 * p) - 0.009 / 1.25).abs() < 1e-12);
    }

    #[test]
    fn capital_that_an_order_would_free_is_used_only_once_it_is_filled() {
        // Of a short of 3.6 nine tenths are given back: its margin is free at once, or when that has been worked.
        let all = |worked| {
            let mut lines =
                [AssetAllocation { worked, ..line(3.24, -0.36, 0.0, 0.0) }, line(0.0, 0.0, 0.0, 0.02)];
            express(&TERMS, &mut lines);
            (lines[1].spot, TERMS.used(&lines))
        };
        assert!((all(false).0 - 0.25).abs() < 1e-9);
        let (spot, used) = all(true);
        assert!(spot < 0.08 && used <= 1.0, "{spot} {used}");
    }

    #[test]
    fn what_is_being_left_is_used_until_it_is_gone_and_hurries_if_it_is_needed() {
        let all = |waits, target| {
            let left = AssetAllocation { waits, ..line(0.0, 0.0, 0.25, -0.01) };
            let full = line(0.0, 0.0, 0.25, 0.001);
            let mut lines = [left, full, full, line(0.0, target, 0.0, 0.02)];
            express(&TERMS, &mut lines);
            (lines[3].spot, lines[0].called)
        };
        assert!((all(false, 0.0).0 - 0.25).abs() < 1e-9, "its capital is free at once");
        let (spot, called) = all(true, 0.0);
        assert!(spot < 0.06 && !called, "or later: {spot}");
        assert!(all(true, 1.0).1, "unless the desk needs its margin");
    }

    prop_compose! {
        fn lines()(all in prop::collection::vec((-0.5_f64..0.5, -0.8_f64..0.8, 0.0_f64..0.3, -0.01_f64..0.02, 0_u8..4, any::<bool>(), any::<bool>(), any::<bool>()), 1..9)) -> Vec<AssetAllocation> {
            all.into_iter().map(|(change, target, spot, value, known, open, worked, waits)| AssetAllocation {
                open: open || known != 0,
                worked,
                waits,
                known: [ValueKnown::Fresh, ValueKnown::Fresh, ValueKnown::Held, ValueKnown::Stale][usize::from(known)],
                ..line(change, target, spot, value)
            }).collect()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn spot_is_never_short_and_capital_never_exceeded(before in lines(), flow in any::<bool>(), netting in any::<bool>(), beyond in any::<bool>(), capital in 0.3_f64..1.0) {
            let terms = SelectionTerms { capital, flow, netting, beyond };
            let mut after = before.clone();
            express(&terms, &mut after);
            prop_assert!(after.iter().all(|l| l.spot >= 0.0));
            for (b, a) in before.iter().zip(&after).filter(|(b, _)| !b.open) {
                prop_assert_eq!(b.spot, a.spot);
            }
            let stuck = after.iter().any(|l| !l.open);
            let bare: Vec<AssetAllocation> = after.iter().map(|l| AssetAllocation { spot: 0.0, ..*l }).collect();
            if !stuck && terms.used(&bare) <= capital {
                prop_assert!(terms.used(&after) <= capital + 1e-9, "{}", terms.used(&after));
            }
            if !beyond {
                prop_assert!(after.iter().filter(|l| l.open).all(|l| l.spot <= l.target.max(0.0) + 1e-12));
            }
        }

        #[test]
        fn where_nothing_is_paid_nothing_is_held_in_spot(mut all in lines()) {
            for l in &mut all {
                (l.value, l.spot) = (0.0, 0.0);
            }
            express(&TERMS, &mut all);
            prop_assert!(all.iter().all(|l| l.spot == 0.0));
        }
    }
}
