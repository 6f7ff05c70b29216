//! One step of a swap, inside a range of constant liquidity L: amounts between two square-root prices
//! and the price that an amount moves to (Uniswap v3 white paper, 6.2.3).
//!
//! With S = √P: `Δtoken₀ = L·(1/S_a − 1/S_b)`, `Δtoken₁ = L·(S_b − S_a)`.
//!
//! # Invariants
//!
//! 1. What comes in is rounded up and what goes out down, so a step never pays the trader a unit too much.
//! 2. The price after a step lies between the price before and the target.

use super::super::wide::{U256, WideError, div_up, mul_div, mul_div_up};
use super::V3Error;
use super::tick::Q96;

/// One whole in pips, the unit of fees.
pub(super) const WHOLE_PIPS: u32 = 1_000_000;

/// Which way an amount is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// What is owed to the pool.
    Up,
    /// What the pool owes.
    Down,
}

/// What a swap is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exact {
    /// This much goes in, fee included.
    In(U256),
    /// This much comes out.
    Out(U256),
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// √P after it.
    pub sqrt_price: U256,
    /// What went in, without the fee.
    pub amount_in: U256,
    /// What came out.
    pub amount_out: U256,
    /// The fee, in the token that went in.
    pub fee: U256,
}

/// Token 0 between two prices, in either order: `L·2⁹⁶·(S_b − S_a)/(S_b·S_a)`, rounded as the contract does,
/// one division after the other.
///
/// # Errors
///
/// A price of 0 or an amount beyond 256 bits.
pub fn amount0_between(a: U256, b: U256, liquidity: u128, round: Round) -> Result<U256, WideError> {
    let (low, high) = (a.min(b), a.max(b));
    let scaled = U256::new(liquidity) << 96_u32;
    match round {
        Round::Up => div_up(mul_div_up(scaled, high - low, high)?, low),
        Round::Down => mul_div(scaled, high - low, high)?
            .checked_div(low)
            .ok_or(WideError::DivisionByZero("the amount of token 0")),
    }
}

/// Token 1 between two prices, in either order: `L·(S_b − S_a)/2⁹⁶`.
///
/// # Errors
///
/// An amount beyond 256 bits.
pub fn amount1_between(a: U256, b: U256, liquidity: u128, round: Round) -> Result<U256, WideError> {
    let gap = a.max(b) - a.min(b);
    match round {
        Round::Up => mul_div_up(U256::new(liquidity), gap, Q96),
        Round::Down => mul_div(U256::new(liquidity), gap, Q96),
    }
}

/// √P after `amount` of token 0 came in (or went out): L·S/(L ± amount·S), up, so that the price moves
/// too little when it falls and too much when it rises.
fn after_amount0(sqrt_price: U256, liquidity: u128, amount: U256, comes_in: bool) -> Result<U256, WideError> {
    let scaled = U256::new(liquidity) << 96_u32;
    let product = amount.checked_mul(sqrt_price);
    if comes_in {
        if let Some(below) = product.and_then(|p| scaled.checked_add(p)) {
            return mul_div_up(scaled, sqrt_price, below);
        }
        // Too long for the product: the same divided by S, at the cost of a digit, as on chain.
        let below = (scaled / sqrt_price).checked_add(amount);
        return div_up(scaled, below.ok_or(WideError::Overflow("an amount of token 0"))?);
    }
    match product.filter(|p| *p < scaled) {
        Some(product) => mul_div_up(scaled, sqrt_price, scaled - product),
        None => Err(WideError::Overflow("the price after token 0 went out")),
    }
}

/// √P after `amount` of token 1 came in (or went out): S ± amount/L, down.
fn after_amount1(sqrt_price: U256, liquidity: u128, amount: U256, comes_in: bool) -> Result<U256, WideError> {
    let liquidity = U256::new(liquidity);
    if comes_in {
        let moved = mul_div(amount, Q96, liquidity)?;
        return sqrt_price.checked_add(moved).ok_or(WideError::Overflow("the price after token 1 came in"));
    }
    sqrt_price
        .checked_sub(mul_div_up(amount, Q96, liquidity)?)
        .filter(|p| *p > U256::ZERO)
        .ok_or(WideError::Overflow("the price after token 1 went out"))
}

/// Swaps toward `target` until the amount or the range is used up; the direction is given by which of the
/// prices is higher. The fee is on top of what goes in, rounded up; when the amount ends inside the
/// range, all that is left of it is fee.
///
/// # Errors
///
/// Amounts beyond 256 bits.
pub fn swap_step(
    sqrt_price: U256,
    target: U256,
    liquidity: u128,
    amount: Exact,
    fee_pips: u32,
) -> Result<Step, V3Error> {
    let falls = sqrt_price >= target;
    let into = |to: U256, round: Round| {
        let between = if falls { amount0_between } else { amount1_between };
        between(sqrt_price, to, liquidity, round)
    };
    let out_of = |to: U256| {
        let between = if falls { amount1_between } else { amount0_between };
        between(sqrt_price, to, liquidity, Round::Down)
    };
    let (fee_part, kept_part) = (U256::from(fee_pips), U256::from(WHOLE_PIPS - fee_pips));
    let next = match amount {
        Exact::In(given) => {
            let kept = mul_div(given, kept_part, U256::from(WHOLE_PIPS))?;
            if kept >= into(target, Round::Up)? {
                target
            } else if falls {
                after_amount0(sqrt_price, liquidity, kept, true)?
            } else {
                after_amount1(sqrt_price, liquidity, kept, true)?
            }
        }
        Exact::Out(asked) => {
            if asked >= out_of(target)? {
                target
            } else if falls {
                after_amount1(sqrt_price, liquidity, asked, false)?
            } else {
                after_amount0(sqrt_price, liquidity, asked, false)?
            }
        }
    };
    let amount_in = into(next, Round::Up)?;
    let out = out_of(next)?;
    let on_top = || mul_div_up(amount_in, fee_part, kept_part);
    let (amount_out, fee) = match amount {
        // What is given covers what goes in: it was more than the step took, or the step was cut to it.
        Exact::In(given) if next != target => (out, given.saturating_sub(amount_in)),
        Exact::In(_) => (out, on_top()?),
        Exact::Out(asked) => (out.min(asked), on_top()?),
    };
    Ok(Step { sqrt_price: next, amount_in, amount_out, fee })
}

#[cfg(test)]
mod tests {
    use super::super::tick::sqrt_price_at;
    use super::*;
    use proptest::prelude::*;

    const E18: u128 = 1_000_000_000_000_000_000;

    /// √(a/b) in 96 digits, down.
    fn sqrt_price(a: u128, b: u128) -> U256 {
        super::super::super::wide::square_root((U256::new(a) << 192_u32) / U256::new(b))
    }

    #[test]
    fn the_golden_step() {
        let (from, target) = (sqrt_price(1, 1), sqrt_price(101, 100));
        let step = swap_step(from, target, 2 * E18, Exact::In(U256::new(E18)), 600).unwrap();
        assert_eq!(step.amount_in, U256::new(9_975_124_224_178_055));
        assert_eq!(step.fee, U256::new(5_988_667_735_148));
        assert_eq!(step.amount_out, U256::new(9_925_619_580_021_728));
        assert_eq!(step.sqrt_price, target);
    }

    #[test]
    fn the_contract_says_the_same_of_odd_steps() {
        // Values of the tests of the contract (Uniswap/v3-core, test/SwapMath.spec.ts):
        // from, target, liquidity, amount, fee → in, fee, out, price after.
        let n = |text: &str| U256::from_str_radix(text, 10).unwrap();
        let e18 = U256::new(E18);
        let (one, far) = (sqrt_price(1, 1), n("20282409603651670423947251286016"));
        let (up, down) = (far * U256::new(11) / U256::new(10), far * U256::new(9) / U256::new(10));
        let check = |(from, target, liquidity), amount, fee: u32, wants: [&str; 3], after: Option<U256>| {
            let step = swap_step(from, target, liquidity, amount, fee).unwrap();
            assert_eq!([step.amount_in, step.fee, step.amount_out], wants.map(n));
            assert!(after.is_none_or(|a| a == step.sqrt_price));
        };
        let capped = sqrt_price(101, 100);
        let wants = ["9975124224178055", "5988667735148", "9925619580021728"];
        check((one, capped, 2 * E18), Exact::Out(e18), 600, wants, Some(capped));
        let wants = ["999400000000000000", "600000000000000", "666399946655997866"];
        check((one, sqrt_price(10, 1), 2 * E18), Exact::In(e18), 600, wants, None);
        let wants = ["2000000000000000000", "1200720432259356", "1000000000000000000"];
        check((one, sqrt_price(100, 1), 2 * E18), Exact::Out(e18), 600, wants, None);
        let range = (
            n("417332158212080721273783715441582"),
            n("1452870262520218020823638996"),
            159_344_665_391_607_089_467_575_320_103,
        );
        let after = Some(n("417332158212080721273783715441581"));
        check(range, Exact::Out(U256::ONE), 1, ["1", "1", "1"], after);
        let given = Exact::In(n("3915081100057732413702495386755767"));
        let wants = ["39614081257132168796771975168", "39614120871253040049813", "0"];
        check((U256::new(2), U256::ONE, 1), given, 1, wants, Some(U256::ONE));
        let range = (n("2413"), n("79887613182836312"), 1_985_041_575_832_132_834_610_021_537_970);
        check(range, Exact::In(U256::new(10)), 1_872, ["0", "10", "0"], Some(n("2413")));
        check((far, up, 1_024), Exact::Out(U256::new(4)), 3_000, ["26215", "79", "0"], Some(up));
        check((far, down, 1_024), Exact::Out(U256::new(263_000)), 3_000, ["1", "1", "26214"], Some(down));
    }

    #[test]
    fn a_step_that_ends_inside_the_range_takes_all_that_is_given() {
        let (from, target) = (sqrt_price(1, 1), sqrt_price(1_000, 100));
        let step = swap_step(from, target, 2 * E18, Exact::In(U256::new(E18)), 600).unwrap();
        // 0.06 % of the amount, and √P moved by what is left over L.
        assert_eq!(step.amount_in + step.fee, U256::new(E18));
        assert_eq!(step.fee, U256::new(600_000_000_000_000));
        assert_eq!(step.amount_in, U256::new(999_400_000_000_000_000));
        assert_eq!(step.sqrt_price, from + mul_div(step.amount_in, Q96, U256::new(2 * E18)).unwrap());
        let out = swap_step(from, target, 2 * E18, Exact::Out(step.amount_out), 600).unwrap();
        assert_eq!(out.amount_out, step.amount_out);
        assert!(out.amount_in <= step.amount_in);
    }

    #[test]
    fn without_liquidity_the_price_runs_to_the_target_for_nothing() {
        let (from, target) = (sqrt_price(1, 1), sqrt_price(1, 2));
        for amount in [Exact::In(U256::new(5)), Exact::Out(U256::new(5))] {
            let step = swap_step(from, target, 0, amount, 3_000).unwrap();
            let nothing =
                Step { sqrt_price: target, amount_in: U256::ZERO, amount_out: U256::ZERO, fee: U256::ZERO };
            assert_eq!(step, nothing);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_step_never_overpays(
            from in -500_000..500_000_i32, to in -500_000..500_000_i32, off in any::<u64>(),
            liquidity in 1_u128..1 << 100, bits in 1_u32..110, n in any::<u128>(),
            fee in 0_u32..100_000, exact_in in any::<bool>(),
        ) {
            let from = sqrt_price_at(from).unwrap() + U256::from(off % 1_000);
            let target = sqrt_price_at(to).unwrap();
            let given = U256::new(n >> (128 - bits));
            let amount = if exact_in { Exact::In(given) } else { Exact::Out(given) };
            let step = swap_step(from, target, liquidity, amount, fee).unwrap();
            let (low, high) = (from.min(target), from.max(target));
            prop_assert!(step.sqrt_price >= low && step.sqrt_price <= high);
            if exact_in {
                prop_assert!(step.amount_in + step.fee <= given);
            } else {
                prop_assert!(step.amount_out <= given);
            }
            let reached = step.sqrt_price == target;
            prop_assert!(reached || step.amount_in + step.fee == given || step.amount_out == given);
            // What came out, put back at once without a fee, buys no more than went in.
            let back = swap_step(step.sqrt_price, from, liquidity, Exact::In(step.amount_out), 0).unwrap();
            prop_assert!(back.amount_out <= step.amount_in);
            // The fee is at least its share.
            let least = mul_div(step.amount_in, U256::from(fee), U256::from(WHOLE_PIPS - fee)).unwrap();
            prop_assert!(step.fee >= least);
        }

        #[test]
        fn rounding_up_is_never_less_and_never_far_more(
            a in -600_000..600_000_i32, b in -600_000..600_000_i32, liquidity in any::<u128>(),
        ) {
            let (a, b) = (sqrt_price_at(a).unwrap(), sqrt_price_at(b).unwrap());
            for between in [amount0_between, amount1_between] {
                let (up, down) = (between(a, b, liquidity, Round::Up).unwrap(), between(a, b, liquidity, Round::Down).unwrap());
                // Two divisions, each up by less than one, and the first of them divided again.
                prop_assert!(up >= down && up - down <= U256::new(2));
            }
        }
    }
}
