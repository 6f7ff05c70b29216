//! Margin of perps and dated futures: what a position binds, where it is liquidated and where it is
//! bankrupt, linear (settled in the quote currency) and inverse (settled in the coin).
//!
//! Linear, with quantity q > 0, side s = ±1, entry E, wallet W, maintenance rate m and the tier's
//! deduction c: liquidation = (W + c − s·q·E) / (q·(m − s)) (Binance FAQ b3c689c1, one-way, isolated).
//! Inverse, with a size of Q quote units: PnL = s·Q·(1/E − 1/P) coins, so
//! liquidation = Q·(m + s) / (W + s·Q/E) (Deribit).
//!
//! # Invariants
//!
//! 1. At the liquidation price equity equals the maintenance margin; at the bankruptcy price it is zero.
//! 2. The liquidation price is met before the bankruptcy price: above it for a long, below for a short.
//! 3. A position that no price can liquidate has no liquidation price.
//!
//! It knows one position at a time; margin across positions is the sum, and the owner's to take.

use super::{BadInput, finite, not_negative, positive};
use serde::{Deserialize, Serialize};

/// One bracket of a venue's maintenance table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tier {
    /// Notional from which it holds, in quote currency.
    pub from_notional: f64,
    /// Maintenance margin as a fraction of notional.
    pub rate: f64,
    /// What is taken off so that margin has no step between tiers:
    /// cumₙ = fromₙ · (rateₙ − rateₙ₋₁) + cumₙ₋₁.
    pub deduction: f64,
}

impl Tier {
    /// A table with one tier.
    pub const fn flat(rate: f64) -> Tier {
        Tier { from_notional: 0.0, rate, deduction: 0.0 }
    }

    /// Tiers from (notional from which, rate), lowest first, with their deductions.
    pub fn table(brackets: &[(f64, f64)]) -> Vec<Tier> {
        let mut tiers: Vec<Tier> = Vec::with_capacity(brackets.len());
        for &(from_notional, rate) in brackets {
            let deduction = tiers.last().map_or(0.0, |t| from_notional * (rate - t.rate) + t.deduction);
            tiers.push(Tier { from_notional, rate, deduction });
        }
        tiers
    }

    /// The tier of a notional; none if the table is empty. `tiers` lowest first.
    pub fn of(tiers: &[Tier], notional: f64) -> Option<Tier> {
        tiers.iter().rev().find(|t| notional >= t.from_notional).or(tiers.first()).copied()
    }

    /// Maintenance margin of a notional in this tier, in quote currency.
    pub fn maintenance(&self, notional: f64) -> f64 {
        (notional * self.rate - self.deduction).max(0.0)
    }
}

/// Initial margin of a notional at a leverage, in the notional's currency.
///
/// # Errors
///
/// A notional that is not finite or a leverage that is not positive.
pub fn initial(notional: f64, leverage: f64) -> Result<f64, BadInput> {
    Ok(libm::fabs(finite("the notional", notional)?) / positive("the leverage", leverage)?)
}

/// A linear position and the wallet that stands behind it alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Base units; long is positive, short negative, never 0.
    pub quantity: f64,
    /// Average entry price, in quote currency.
    pub entry: f64,
    /// Margin posted, in quote currency, before unrealised profit.
    pub wallet: f64,
}

impl Linear {
    /// Profit at a price, in quote currency.
    pub fn profit(&self, price: f64) -> f64 {
        self.quantity * (price - self.entry)
    }

    /// The price at which equity falls to the maintenance margin; none if no price does that.
    ///
    /// # Errors
    ///
    /// A quantity of 0, an entry that is not positive, a wallet that is not finite, or a maintenance
    /// rate outside 0 to 1.
    pub fn liquidation(&self, tier: Tier) -> Result<Option<f64>, BadInput> {
        let side = self.side()?;
        let rate = maintenance_rate(tier.rate)?;
        let (q, entry) = (libm::fabs(self.quantity), positive("the entry price", self.entry)?);
        let wallet = finite("the wallet", self.wallet)? + finite("the tier's deduction", tier.deduction)?;
        Ok(price((wallet - side * q * entry) / (q * (rate - side))))
    }

    /// The price at which equity is zero; none if no price does that.
    ///
    /// # Errors
    ///
    /// As [`Linear::liquidation`].
    pub fn bankruptcy(&self) -> Result<Option<f64>, BadInput> {
        self.liquidation(Tier::flat(0.0))
    }

    fn side(&self) -> Result<f64, BadInput> {
        side(self.quantity)
    }
}

/// An inverse position (a contract on quote units, margined in the coin).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inverse {
    /// Size in quote units (USD); long is positive, short negative, never 0.
    pub size: f64,
    /// Average entry price, in quote currency.
    pub entry: f64,
    /// Margin posted, in coins.
    pub wallet: f64,
}

impl Inverse {
    /// Profit at a price, in coins; a future settles for the same at its settlement price.
    ///
    /// # Errors
    ///
    /// A price that is not positive.
    pub fn profit(&self, at: f64) -> Result<f64, BadInput> {
        Ok(self.size * (1.0 / positive("the entry price", self.entry)? - 1.0 / positive("the price", at)?))
    }

    /// The price at which equity in coins falls to the maintenance margin; none if no price does that
    /// (a short that is covered by its coins).
    ///
    /// # Errors
    ///
    /// A size of 0, an entry that is not positive, a wallet that is not finite, or a rate outside 0 to 1.
    pub fn liquidation(&self, rate: f64) -> Result<Option<f64>, BadInput> {
        let side = side(self.size)?;
        let (size, entry) = (libm::fabs(self.size), positive("the entry price", self.entry)?);
        let coins = finite("the wallet", self.wallet)? + side * size / entry;
        Ok(price(size * (maintenance_rate(rate)? + side) / coins))
    }

    /// The price at which equity is zero; none if no price does that.
    ///
    /// # Errors
    ///
    /// As [`Inverse::liquidation`].
    pub fn bankruptcy(&self) -> Result<Option<f64>, BadInput> {
        self.liquidation(0.0)
    }
}

/// The price at which a venue that counts maintenance as a share of leverage liquidates (Hyperliquid):
/// price − s · available/q / (1 − l·s), l = 1/(2 · largest leverage), `available` being equity less
/// maintenance at `price`. None if no price does that.
///
/// # Errors
///
/// A quantity of 0, a price or leverage that is not positive, a margin that is not finite.
pub fn liquidation_by_leverage(
    quantity: f64,
    at: f64,
    available: f64,
    leverage_max: f64,
) -> Result<Option<f64>, BadInput> {
    let side = side(quantity)?;
    let share = 0.5 / positive("the largest leverage", leverage_max)?;
    let available = finite("the available margin", available)?;
    let moved = side * available / libm::fabs(quantity) / (1.0 - share * side);
    Ok(price(positive("the price", at)? - moved))
}

fn side(quantity: f64) -> Result<f64, BadInput> {
    let quantity = finite("the quantity", quantity)?;
    if quantity == 0.0 {
        return Err(BadInput { what: "the quantity", value: quantity, must: "long or short, not 0" });
    }
    Ok(libm::copysign(1.0, quantity))
}

fn maintenance_rate(rate: f64) -> Result<f64, BadInput> {
    if not_negative("the maintenance rate", rate)? < 1.0 {
        Ok(rate)
    } else {
        Err(BadInput { what: "the maintenance rate", value: rate, must: "from 0 to below 1" })
    }
}

/// A price that can occur.
fn price(x: f64) -> Option<f64> {
    (x.is_finite() && x > 0.0).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_golden_liquidations() {
        let tier = Tier::flat(0.005);
        let of =
            |quantity| Linear { quantity, entry: 100.0, wallet: 10.0 }.liquidation(tier).unwrap().unwrap();
        assert!((of(1.0) - 90.4523).abs() < 5e-5, "{}", of(1.0));
        assert!((of(-1.0) - 109.4527).abs() < 5e-5, "{}", of(-1.0));
        let bankrupt = |quantity| Linear { quantity, entry: 100.0, wallet: 10.0 }.bankruptcy().unwrap();
        assert_eq!((bankrupt(1.0), bankrupt(-1.0)), (Some(90.0), Some(110.0)));
        assert_eq!(initial(-1_000.0, 20.0), Ok(50.0));
    }

    #[test]
    fn tiers_join_without_a_step() {
        // The published deductions of such a table: 0, 50, 1 300.
        let tiers = Tier::table(&[(0.0, 0.004), (50_000.0, 0.005), (250_000.0, 0.01)]);
        let deductions: Vec<f64> = tiers.iter().map(|t| t.deduction).collect();
        assert_eq!(deductions, [0.0, 50.0, 1_300.0]);
        for seam in [50_000.0, 250_000.0] {
            let (below, above) = (Tier::of(&tiers, seam - 1e-6).unwrap(), Tier::of(&tiers, seam).unwrap());
            assert_ne!(below, above);
            assert!((below.maintenance(seam) - above.maintenance(seam)).abs() < 1e-9);
        }
        assert_eq!(Tier::of(&[], 1.0), None);
    }

    #[test]
    fn inverse_profit_is_in_coins() {
        // 10 000 USD long from 50 000 to 62 500: 0.2 − 0.16 coins.
        let long = Inverse { size: 10_000.0, entry: 50_000.0, wallet: 0.02 };
        assert!((long.profit(62_500.0).unwrap() - 0.04).abs() < 1e-15);
        let short = Inverse { size: -10_000.0, ..long };
        assert!((short.profit(62_500.0).unwrap() + 0.04).abs() < 1e-15);
        // Equity is zero where 1/P = 1/E + W/Q.
        assert!((long.bankruptcy().unwrap().unwrap() - 10_000.0 / 0.22).abs() < 1e-6);
        // A short that holds its notional in coins is covered at every price.
        assert_eq!(Inverse { wallet: 0.2, ..short }.liquidation(0.005), Ok(None));
    }

    #[test]
    fn what_cannot_be_liquidated_has_no_price() {
        let rich = Linear { quantity: 1.0, entry: 100.0, wallet: 100.0 };
        assert_eq!(rich.liquidation(Tier::flat(0.005)), Ok(None));
        assert!(Linear { quantity: 0.0, ..rich }.liquidation(Tier::flat(0.005)).is_err());
        assert_eq!(rich.liquidation(Tier::flat(1.0)).unwrap_err().what, "the maintenance rate");
    }

    #[test]
    fn by_leverage_it_agrees_with_the_linear_formula() {
        // 50x: maintenance is 1 % of the notional at the price of liquidation.
        let p = Linear { quantity: -2.0, entry: 100.0, wallet: 30.0 };
        let available = 30.0 + p.profit(104.0) - 0.01 * 2.0 * 104.0;
        let by_leverage = liquidation_by_leverage(p.quantity, 104.0, available, 50.0).unwrap().unwrap();
        let linear = p.liquidation(Tier::flat(0.01)).unwrap().unwrap();
        assert!((by_leverage - linear).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn equity_is_the_maintenance_margin_where_a_linear_position_is_liquidated(
            quantity in prop_oneof![-100.0_f64..-0.01, 0.01_f64..100.0],
            entry in 1.0_f64..1e5, lever in 1.05_f64..100.0, rate in 0.001_f64..0.009,
        ) {
            let p = Linear { quantity, entry, wallet: quantity.abs() * entry / lever };
            let tier = Tier::flat(rate);
            let at = p.liquidation(tier).unwrap().unwrap();
            let scale = quantity.abs() * (entry + at);
            let equity = p.wallet + p.profit(at);
            prop_assert!((equity - tier.maintenance(quantity.abs() * at)).abs() < 1e-12 * scale);
            let bankrupt = p.bankruptcy().unwrap().unwrap();
            prop_assert!(quantity.signum() * (at - bankrupt) > 0.0);
        }

        #[test]
        fn equity_is_the_maintenance_margin_where_an_inverse_position_is_liquidated(
            size in prop_oneof![-1e6_f64..-10.0, 10.0_f64..1e6],
            entry in 100.0_f64..1e5, lever in 1.5_f64..100.0, rate in 0.001_f64..0.009,
        ) {
            let p = Inverse { size, entry, wallet: size.abs() / entry / lever };
            let at = p.liquidation(rate).unwrap().unwrap();
            let equity = p.wallet + p.profit(at).unwrap();
            prop_assert!((equity - rate * size.abs() / at).abs() < 1e-11 * size.abs() / entry);
            let bankrupt = p.bankruptcy().unwrap().unwrap();
            prop_assert!(size.signum() * (at - bankrupt) > 0.0);
        }
    }
}
