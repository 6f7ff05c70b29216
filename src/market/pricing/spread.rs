//! Arbitrage through order books: how much of a chain of trades is profitable after fees, walking the
//! depth. Three books of one venue are a triangle, two books of two venues a cross-venue spread; both
//! are a chain that starts and ends in the same currency.
//!
//! Each trade turns what comes in into what goes on, at prices that get worse with size: a concave,
//! piecewise straight curve. So is their chain, so the profit is largest where the next piece, taken
//! through all books, gives back no more than goes in; the walk goes from one end of a level to the next
//! and stops there. The result is exact for the levels shown.
//!
//! # Invariants
//!
//! 1. A chain that gives back no more than goes in at the best prices gives none, fees included.
//! 2. No size earns more than the one that is given, within the levels and the budget.
//! 3. A level is never used for more than it shows.
//!
//! It knows no latency, no lots and no inventory.

use super::{BadInput, positive};
use serde::{Deserialize, Serialize};

/// What a leg does in its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conversion {
    /// Spends quote for base, on the asks.
    Buy,
    /// Gives base for quote, on the bids.
    Sell,
}

/// The currency that a fee is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeIn {
    /// What the trade brings: base of a buy, quote of a sale. The rule of most spot venues.
    Received,
    /// What the trade costs, on top: quote of a buy, base of a sale. The rule for rebates there, and for
    /// accounts that pay in the quote currency.
    Paid,
}

/// One trade of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainLeg<'a> {
    /// On which side of the book.
    pub action: Conversion,
    /// (price in quote per base, size in base), best first: asks rising for a buy, bids falling for a sale.
    pub levels: &'a [(f64, f64)],
    /// Fee as a fraction of the amount it is taken from; negative is a rebate.
    pub fee: f64,
    /// Currency that the fee is taken in.
    pub fee_in: FeeIn,
}

/// Why a chain was not walked.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SpreadError {
    /// A price or size that is none, or a level better than the one before it.
    #[error(
        "level {level} of leg {leg} is {price} for {size}; \
         levels are positive and sorted from the best"
    )]
    Level {
        /// Which leg, from 0.
        leg: usize,
        /// Which level, from 0.
        level: usize,
        /// Price of that level.
        price: f64,
        /// Size at that level, in base units.
        size: f64,
    },
    /// A fee of a whole or more.
    #[error("the fee {fee} of leg {leg} is no fraction between -1 and 1")]
    Fee {
        /// Which leg, from 0.
        leg: usize,
        /// Fee of that leg, as a fraction of notional.
        fee: f64,
    },
    /// An argument that means nothing.
    #[error(transparent)]
    Input(#[from] BadInput),
}

/// The most profitable use of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestChain<const N: usize> {
    /// What goes in, in the currency the chain starts and ends in.
    pub amount_in: f64,
    /// What comes back.
    pub amount_out: f64,
    /// Base units that each leg trades.
    pub base: [f64; N],
}

impl<const N: usize> BestChain<N> {
    /// What comes back less what goes in, in the same currency.
    pub fn profit(&self) -> f64 {
        self.amount_out - self.amount_in
    }
}

impl ChainLeg<'_> {
    /// What a level takes in when it is used up, fee included, and what it gives per unit taken.
    fn piece(&self, (price, size): (f64, f64)) -> (f64, f64) {
        let (cost, gain) = match self.action {
            Conversion::Buy => (price * size, size),
            Conversion::Sell => (size, price * size),
        };
        let (cost, gain) = match self.fee_in {
            FeeIn::Received => (cost, gain * (1.0 - self.fee)),
            FeeIn::Paid => (cost * (1.0 + self.fee), gain),
        };
        (cost, gain / cost)
    }

    fn check(&self, leg: usize) -> Result<(), SpreadError> {
        if self.fee.is_nan() || libm::fabs(self.fee) >= 1.0 {
            return Err(SpreadError::Fee { leg, fee: self.fee });
        }
        let mut before = None;
        for (level, &(price, size)) in self.levels.iter().enumerate() {
            let sorted = before.is_none_or(|b| match self.action {
                Conversion::Buy => price >= b,
                Conversion::Sell => price <= b,
            });
            let believed = price.is_finite() && price > 0.0 && size.is_finite() && size > 0.0;
            if !(sorted && believed) {
                return Err(SpreadError::Level { leg, level, price, size });
            }
            before = Some(price);
        }
        Ok(())
    }
}

/// The most profitable size of a chain of trades, each fed with what the one before brings; `budget` is
/// the most that may go in (infinite for no bound). None where even the first unit loses.
///
/// # Errors
///
/// A level or fee that means nothing, or a budget that is not positive.
pub fn best_chain<const N: usize>(
    legs: &[ChainLeg<'_>; N],
    budget: f64,
) -> Result<Option<BestChain<N>>, SpreadError> {
    if budget != f64::INFINITY {
        positive("the budget", budget)?;
    }
    for (i, leg) in legs.iter().enumerate() {
        leg.check(i)?;
    }
    let (mut level, mut taken) = ([0_usize; N], [0.0_f64; N]);
    let mut chain = BestChain { amount_in: 0.0, amount_out: 0.0, base: [0.0; N] };
    loop {
        // The piece each leg stands on: what it still takes and gives per unit, and what one unit at the
        // start of the chain has become when it gets there.
        let (mut unit, mut most, mut first) = (1.0, budget - chain.amount_in, N);
        let mut pieces = [(0.0, 0.0, 0.0); N];
        for (i, leg) in legs.iter().enumerate() {
            let Some(at) = leg.levels.get(level[i]) else { return Ok(kept(chain)) };
            let (room, rate) = leg.piece(*at);
            let left = (room - taken[i]).max(0.0) / unit;
            if left < most {
                (most, first) = (left, i);
            }
            pieces[i] = (room, unit, at.1);
            unit *= rate;
        }
        if unit <= 1.0 || most <= 0.0 && first == N {
            return Ok(kept(chain));
        }
        chain.amount_in += most;
        chain.amount_out += most * unit;
        for (i, (room, reach, size)) in pieces.into_iter().enumerate() {
            taken[i] += most * reach;
            chain.base[i] += size * (most * reach / room);
        }
        if first == N {
            return Ok(kept(chain));
        }
        // Exactly, so that rounding leaves no crumb of a level to walk again.
        (level[first], taken[first]) = (level[first] + 1, 0.0);
    }
}

fn kept<const N: usize>(chain: BestChain<N>) -> Option<BestChain<N>> {
    (chain.profit() > 0.0).then_some(chain)
}

/// The most profitable triangle through three books, start and end in the first leg's currency.
///
/// # Errors
///
/// As [`best_chain`].
pub fn triangular(legs: &[ChainLeg<'_>; 3], budget: f64) -> Result<Option<BestChain<3>>, SpreadError> {
    best_chain(legs, budget)
}

/// The most profitable purchase on one venue's asks and sale of what was bought on another's bids, in the
/// quote currency, `fixed_cost` (a transfer, gas) paid once. None where nothing is left after it.
///
/// # Errors
///
/// As [`best_chain`].
pub fn cross_venue(
    buy: (&[(f64, f64)], f64, FeeIn),
    sell: (&[(f64, f64)], f64, FeeIn),
    fixed_cost: f64,
    budget: f64,
) -> Result<Option<BestChain<2>>, SpreadError> {
    let leg = |action, (levels, fee, fee_in)| ChainLeg { action, levels, fee, fee_in };
    let chain = best_chain(&[leg(Conversion::Buy, buy), leg(Conversion::Sell, sell)], budget)?;
    Ok(chain.filter(|c| c.profit() > fixed_cost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENDLESS: f64 = f64::INFINITY;

    impl ChainLeg<'_> {
        /// What `amount` turns into, after fee; less than all of it is used where the levels end.
        /// Gives (used, received, base traded).
        fn give(&self, amount: f64) -> (f64, f64, f64) {
            let (mut used, mut received, mut base) = (0.0, 0.0, 0.0);
            for level in self.levels {
                let (room, rate) = self.piece(*level);
                let part = (amount - used).min(room);
                if part <= 0.0 {
                    break;
                }
                used += part;
                received += part * rate;
                base += level.1 * (part / room);
            }
            (used, received, base)
        }
    }

    fn leg(action: Conversion, levels: &[(f64, f64)], fee: f64) -> ChainLeg<'_> {
        ChainLeg { action, levels, fee, fee_in: FeeIn::Received }
    }

    /// USDT → BTC → ETH → USDT, with ETH/BTC too cheap by `edge`.
    fn triangle(edge: f64, fee: f64) -> Result<Option<BestChain<3>>, SpreadError> {
        let cross = 0.04 * (1.0 - edge);
        triangular(
            &[
                leg(Conversion::Buy, &[(50_000.0, 1.0), (50_050.0, 2.0)], fee),
                leg(Conversion::Buy, &[(cross, 10.0), (cross * 1.001, 50.0)], fee),
                leg(Conversion::Sell, &[(2_000.0, 20.0), (1_998.0, 100.0)], fee),
            ],
            ENDLESS,
        )
    }

    #[test]
    fn a_triangle_just_inside_cost_gives_none_and_just_outside_gives_some() {
        let fee = 0.001;
        let cost = 1.0 - (1.0 - fee) * (1.0 - fee) * (1.0 - fee);
        assert_eq!(triangle(cost - 1e-9, fee), Ok(None));
        let some = triangle(cost + 1e-6, fee).unwrap().unwrap();
        // Ten ETH are the first level to run out: they cost 0.4 BTC, which costs fees before.
        let cross = 0.04 * (1.0 - cost - 1e-6);
        assert!((some.base[1] - 10.0).abs() < 1e-12);
        assert!((some.base[0] - 10.0 * cross / 0.999).abs() < 1e-12);
        assert!((some.amount_in - some.base[0] * 50_000.0).abs() < 1e-9);
        assert!((some.base[2] - 9.99).abs() < 1e-12, "the fee of a buy is taken in what is bought");
        assert!((some.profit() - (9.99 * 2_000.0 * 0.999 - some.amount_in)).abs() < 1e-8);
    }

    #[test]
    fn it_walks_until_the_next_level_would_lose() {
        // 1 % of edge carries over the 0.1 % steps of all three books: all that BTC's two levels hold.
        let all = triangle(0.01, 0.0).unwrap().unwrap();
        assert!((all.base[1] - 60.0).abs() < 1e-9, "the cross book is the thinnest");
        let bound = best_chain(
            &[leg(Conversion::Buy, &[(100.0, 5.0)], 0.0), leg(Conversion::Sell, &[(101.0, 9.0)], 0.0)],
            250.0,
        );
        let bound = bound.unwrap().unwrap();
        assert_eq!((bound.amount_in, bound.base, bound.profit()), (250.0, [2.5, 2.5], 2.5));
    }

    #[test]
    fn two_venues_and_fees_in_either_currency() {
        let (asks, bids) = ([(100.0, 1.0), (100.4, 1.0)], [(100.5, 1.5), (100.1, 9.0)]);
        let at = |fee, fee_in, fixed| {
            cross_venue((&asks, fee, fee_in), (&bids, fee, fee_in), fixed, ENDLESS).unwrap()
        };
        let free = at(0.0, FeeIn::Received, 0.0).unwrap();
        assert!((free.profit() - (0.5 + 0.5 * 0.1)).abs() < 1e-12);
        assert!((free.base[0] - 1.5).abs() < 1e-12);
        // 0.5 % of spread against 0.1 % + 0.1 %: the first levels only; against 0.25 % twice: nothing.
        let paid = at(0.001, FeeIn::Paid, 0.0).unwrap();
        // Fees on top: buys of 1.001 pay for a sale of 1 and its fee in base.
        assert!((paid.base[0] - 1.0).abs() < 1e-12 && (paid.base[1] - 1.0 / 1.001).abs() < 1e-12);
        assert!((paid.profit() - (100.5 / 1.001 - 100.1)).abs() < 1e-12);
        assert_eq!(at(0.0025, FeeIn::Received, 0.0), None);
        assert_eq!(at(0.001, FeeIn::Received, 0.4), None, "the transfer eats it");
        assert!(at(-0.001, FeeIn::Paid, 0.0).unwrap().profit() > free.profit(), "a rebate helps");
    }

    #[test]
    fn a_chain_is_cut_to_its_budget_and_books_that_end_end_it() {
        let asks = [(100.0, 1.0), (101.0, 1.0)];
        let bids = [(103.0, 0.5), (102.0, 0.25)];
        let at = |budget| {
            let received = FeeIn::Received;
            cross_venue((&asks, 0.0, received), (&bids, 0.0, received), 0.0, budget).unwrap().unwrap()
        };
        let some = at(25.0);
        assert_eq!((some.amount_in, some.base), (25.0, [0.25, 0.25]));
        let all = at(ENDLESS);
        assert!((all.base[1] - 0.75).abs() < 1e-12, "no more than the bids show");
        assert!((all.profit() - (0.5 * 3.0 + 0.25 * 2.0)).abs() < 1e-9);
        assert!(
            matches!(
                cross_venue((&asks, 0.0, FeeIn::Paid), (&bids, 0.0, FeeIn::Paid), 0.0, 0.0),
                Err(SpreadError::Input(_))
            ),
            "a budget of nothing"
        );
    }

    #[test]
    fn fees_taken_on_top_and_fees_taken_off_are_the_same_share_of_a_sale() {
        // 1/(1+f) of what comes in is sold, or 1−f of what comes out is kept.
        let sale = |fee, fee_in| {
            let levels = [(100.0, 10.0)];
            let buy = ChainLeg {
                action: Conversion::Buy,
                levels: &[(50.0, 10.0)],
                fee: 0.0,
                fee_in: FeeIn::Received,
            };
            let sell = ChainLeg { action: Conversion::Sell, levels: &levels, fee, fee_in };
            best_chain(&[buy, sell], 100.0).unwrap().unwrap().amount_out
        };
        assert!((sale(0.25, FeeIn::Received) - 200.0 * 0.75).abs() < 1e-9);
        assert!((sale(0.25, FeeIn::Paid) - 200.0 / 1.25).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_book_is_named() {
        let check = |levels: &[(f64, f64)], fee| best_chain(&[leg(Conversion::Buy, levels, fee)], ENDLESS);
        for bad in [&[(100.0, 1.0), (99.0, 1.0)][..], &[(f64::NAN, 1.0)], &[(1.0, 0.0)], &[(-1.0, 1.0)]] {
            assert!(matches!(check(bad, 0.0), Err(SpreadError::Level { leg: 0, .. })), "{bad:?}");
        }
        assert_eq!(check(&[(1.0, 1.0)], 1.0), Err(SpreadError::Fee { leg: 0, fee: 1.0 }));
        assert!(matches!(
            best_chain(&[leg(Conversion::Buy, &[(1.0, 1.0)], 0.0)], f64::NAN),
            Err(SpreadError::Input(_))
        ));
        assert_eq!(check(&[], 0.0), Ok(None), "an empty book has nothing to give");
    }

    fn book(up: bool, mid: f64) -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0.0_f64..0.004, 0.01_f64..5.0), 1..6).prop_map(move |steps| {
            let mut price = mid;
            steps
                .into_iter()
                .map(|(step, size)| {
                    price *= if up { 1.0 + step } else { 1.0 - step };
                    (price, size)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_size_earns_more(
            a in book(true, 100.0), b in book(true, 0.5), c in book(false, 51.0),
            fee in -0.0005_f64..0.004, paid in any::<bool>(), budget in 1.0_f64..2_000.0,
        ) {
            let fee_in = if paid { FeeIn::Paid } else { FeeIn::Received };
            let legs = [(Conversion::Buy, &a), (Conversion::Buy, &b), (Conversion::Sell, &c)]
                .map(|(action, levels)| ChainLeg { action, levels, fee, fee_in });
            // The whole chain, or nothing where a book cannot take all that comes.
            let earned = |x: f64| {
                let mut have = x;
                for leg in &legs {
                    let (used, received, _) = leg.give(have);
                    if used < have * (1.0 - 1e-9) {
                        return None;
                    }
                    have = received;
                }
                Some(have - x)
            };
            let best = triangular(&legs, budget).unwrap();
            let profit = best.map_or(0.0, |c| c.profit());
            for i in 1..=200 {
                if let Some(other) = earned(budget * f64::from(i) / 200.0) {
                    prop_assert!(other <= profit + 1e-7, "{other} at step {i} against {profit}");
                }
            }
            if let Some(best) = best {
                prop_assert!(best.amount_in <= budget * (1.0 + 1e-12));
                let again = earned(best.amount_in).unwrap();
                prop_assert!((again - best.profit()).abs() < 1e-7, "{again} and {}", best.profit());
                for (i, leg) in legs.iter().enumerate() {
                    let shown: f64 = leg.levels.iter().map(|l| l.1).sum();
                    prop_assert!(best.base[i] <= shown * (1.0 + 1e-9));
                }
            }
        }
    }
}
