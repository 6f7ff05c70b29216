//! A volatility surface that is free of static arbitrage by construction: SSVI with a power law
//! (J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14, 2014,
//! section 4).
//!
//! With k = ln(strike/forward) and θ the at-the-money total variance σ²t of an expiry, the total variance
//! is w(k, θ) = θ/2·(1 + ρφk + √((φk + ρ)² + 1 − ρ²)), φ = η/(θ^γ·(1+θ)^(1−γ)). For 0 < γ ≤ ½ and
//! η(1+|ρ|) ≤ 2 no butterfly is free (their theorem 4.2), and none in time as long as θ never falls with
//! the expiry (their theorem 4.1).
//!
//! # Invariants
//!
//! 1. A surface that exists satisfies both conditions; parameters that do not are refused.
//! 2. At the money it gives back the volatilities it was made from.

use super::{BadInput, positive};
use serde::{Deserialize, Serialize};

/// The shape of the smile, the same for all expiries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smile {
    rho: f64,
    eta: f64,
    gamma: f64,
}

impl Smile {
    /// `rho` in (−1, 1): the tilt, negative where puts are expensive; `eta`: how curved; `gamma` in (0, ½]: how
    /// fast the smile flattens with time.
    ///
    /// # Errors
    ///
    /// Parameters that allow arbitrage.
    pub fn new(rho: f64, eta: f64, gamma: f64) -> Result<Self, BadInput> {
        let refuse = |what, value, must| Err(BadInput { what, value, must });
        if rho.is_nan() || libm::fabs(rho) >= 1.0 {
            return refuse("rho", rho, "between -1 and 1");
        }
        if !(gamma > 0.0 && gamma <= 0.5) {
            return refuse("gamma", gamma, "above 0 and at most 0.5");
        }
        if !(eta > 0.0 && eta * (1.0 + libm::fabs(rho)) <= 2.0) {
            return refuse("eta", eta, "above 0 and at most 2/(1+|rho|)");
        }
        Ok(Smile { rho, eta, gamma })
    }

    /// Total variance at a log-moneyness, of an expiry whose total variance at the money is `theta`.
    pub fn total_variance(&self, log_moneyness: f64, theta: f64) -> f64 {
        if theta <= 0.0 {
            return 0.0;
        }
        let Smile { rho, eta, gamma } = *self;
        let phi = eta / (libm::pow(theta, gamma) * libm::pow(1.0 + theta, 1.0 - gamma));
        let x = phi * log_moneyness;
        0.5 * theta * (1.0 + rho * x + libm::sqrt((x + rho) * (x + rho) + 1.0 - rho * rho))
    }
}

/// A smile over a term structure of at-the-money volatility.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    smile: Smile,
    /// (years, total variance at the money), both rising; starts at (0, 0).
    pillars: Vec<(f64, f64)>,
}

impl Surface {
    /// A surface through (years, volatility at the money) pillars, soonest first. Between pillars total
    /// variance is straight; beyond the last the last forward variance goes on.
    ///
    /// # Errors
    ///
    /// No pillar, one that is not positive or not later than the one before, or a total variance that
    /// falls: a calendar spread would be free.
    pub fn new(smile: Smile, atm: &[(f64, f64)]) -> Result<Self, BadInput> {
        let mut pillars = vec![(0.0, 0.0)];
        let mut before = (0.0, 0.0);
        for &(years, vol) in atm {
            let years = positive("the time to expiry", years)?;
            let vol = positive("the volatility", vol)?;
            let theta = vol * vol * years;
            if years <= before.0 {
                return Err(BadInput { what: "the time to expiry", value: years, must: "rising" });
            }
            if theta < before.1 {
                let must = "high enough that total variance does not fall";
                return Err(BadInput { what: "the volatility", value: vol, must });
            }
            before = (years, theta);
            pillars.push(before);
        }
        if pillars.len() < 2 {
            return Err(BadInput { what: "the number of expiries", value: 0.0, must: "at least 1" });
        }
        Ok(Surface { smile, pillars })
    }

    /// Total variance at the money, `years` from now.
    pub fn theta(&self, years: f64) -> f64 {
        let after = self.pillars.partition_point(|p| p.0 < years).clamp(1, self.pillars.len() - 1);
        let ((t0, w0), (t1, w1)) = (self.pillars[after - 1], self.pillars[after]);
        w0 + (w1 - w0) * ((years.max(0.0) - t0) / (t1 - t0))
    }

    /// The volatility per year of an option.
    ///
    /// # Errors
    ///
    /// A forward, strike or time that is not positive.
    pub fn vol(&self, forward: f64, strike: f64, years: f64) -> Result<f64, BadInput> {
        let k = libm::log(positive("the strike", strike)? / positive("the forward", forward)?);
        let years = positive("the time to expiry", years)?;
        Ok(libm::sqrt(self.smile.total_variance(k, self.theta(years)) / years))
    }
}

#[cfg(test)]
mod tests {
    use super::super::option::{OptionTerms, Right, black};
    use super::*;
    use proptest::prelude::*;

    const ATM: [(f64, f64); 4] = [(1.0 / 365.25, 0.62), (7.0 / 365.25, 0.55), (0.25, 0.52), (1.0, 0.56)];

    #[test]
    fn at_the_money_it_gives_back_its_pillars() {
        let s = Surface::new(Smile::new(-0.3, 1.2, 0.5).unwrap(), &ATM).unwrap();
        for (years, vol) in ATM {
            assert!((s.vol(100.0, 100.0, years).unwrap() - vol).abs() < 1e-12);
        }
        // Before the first pillar its volatility, after the last its last forward variance.
        assert!((s.vol(1.0, 1.0, 0.5 / 365.25).unwrap() - 0.62).abs() < 1e-12);
        let forward = (0.56 * 0.56 - 0.25 * 0.52 * 0.52) / 0.75;
        assert!((s.theta(2.0) - s.theta(1.0) - forward).abs() < 1e-12);
    }

    #[test]
    fn a_smile_with_its_hand_made_value_and_tilt() {
        let smile = Smile::new(-0.4, 1.1, 0.45).unwrap();
        let w = smile.total_variance(-0.3, 0.09);
        assert!((w - 0.134_428_799_649_778).abs() < 1e-12, "{w}");
        assert!(smile.total_variance(-0.2, 0.09) > smile.total_variance(0.2, 0.09), "puts are expensive");
    }

    #[test]
    fn far_from_the_money_variance_grows_by_the_wings_of_the_formula() {
        // w → θ/2·φ·(ρ ± 1)·k, so a smile is ρ-times steeper on one side (Gatheral and Jacquier, section 4).
        let smile = Smile::new(-0.4, 1.1, 0.45).unwrap();
        let slope = |k: f64| (smile.total_variance(k + 1.0, 0.09) - smile.total_variance(k, 0.09)).abs();
        let (puts, calls) = (slope(-1e4), slope(1e4));
        assert!((puts / calls - 1.4 / 0.6).abs() < 1e-6, "{puts} {calls}");
        assert_eq!(smile.total_variance(0.3, 0.0), 0.0, "at expiry there is none");
    }

    #[test]
    fn what_allows_arbitrage_is_refused() {
        assert_eq!(Smile::new(1.0, 1.0, 0.5).unwrap_err().what, "rho");
        assert_eq!(Smile::new(-0.5, 1.34, 0.5).unwrap_err().what, "eta");
        assert_eq!(Smile::new(f64::NAN, 1.0, 0.5).unwrap_err().what, "rho");
        assert_eq!(Smile::new(0.0, 1.0, 0.6).unwrap_err().what, "gamma");
        let smile = Smile::new(0.0, 1.0, 0.5).unwrap();
        assert_eq!(Surface::new(smile, &[(0.1, 0.9), (0.2, 0.5)]).unwrap_err().what, "the volatility");
        assert_eq!(Surface::new(smile, &[(0.2, 0.5), (0.2, 0.6)]).unwrap_err().what, "the time to expiry");
        assert!(Surface::new(smile, &[]).is_err());
    }

    prop_compose! {
        fn smiles()(rho in -0.95_f64..0.95, share in 0.05_f64..1.0, gamma in 0.05_f64..0.5) -> Smile {
            Smile::new(rho, share * 2.0 / (1.0 + rho.abs()), gamma).unwrap()
        }
    }

    proptest! {
        #[test]
        fn no_butterfly_and_no_calendar_spread_is_free(
            smile in smiles(), k in -1.5_f64..1.5, years in 0.01_f64..2.0, later in 1.0_f64..3.0,
        ) {
            let s = Surface::new(smile, &ATM).unwrap();
            let (forward, strike) = (100.0, 100.0 * libm::exp(k));
            let call = |strike: f64| {
                let vol = s.vol(forward, strike, years).unwrap();
                black(forward, 1.0, OptionTerms { right: Right::Call, strike, years }, vol).unwrap().value
            };
            let h = strike * 0.01;
            let butterfly = call(strike - h) - 2.0 * call(strike) + call(strike + h);
            prop_assert!(butterfly >= -1e-10, "{butterfly}");
            let vertical = call(strike) - call(strike + h);
            prop_assert!(vertical >= -1e-10 && vertical <= h + 1e-10);
            let w = |t: f64| smile.total_variance(k, s.theta(t));
            prop_assert!(w(years * later) >= w(years) - 1e-12);
        }
    }
}
