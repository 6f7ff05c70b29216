//! What a package of legs may be as it is opened: limits of its own, beside those that the [`Gate`](super::Gate) has for each
//! order. A package that breaks one is not opened at all, in no leg.
//!
//! # Invariants
//!
//! 1. What cannot be reckoned breaks its limit.
//! 2. They are asked of what opens alone: what shrinks a package is never kept from leaving.

use crate::domain::Span;
use serde::{Deserialize, Serialize};

/// Most legs that a package may open with.
pub const PACKAGE_LEGS_MAX: usize = 4;
/// Most notional of all legs together, in multiples of the package's capital.
pub const PACKAGE_GROSS_MAX: f64 = 8.0;
/// Most of an asset that may be held long or short by all legs together, in multiples of the package's capital. An option's
/// or a MOVE contract's part of it is known by its family alone, and is not in it.
pub const PACKAGE_NET_MAX: f64 = 3.0;
/// Least of the account's equity that must be above maintenance of everything it holds, as a fraction of it.
pub const HEADROOM_MIN: f64 = 0.25;
/// Longest that a leg as large as the package's whole capital may stand without the others; a smaller one longer, in
/// proportion.
pub const LEG_ALONE_MAX: Span = Span::seconds(300);

/// What a package would be once all its legs are there; amounts in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PackageRisk {
    /// How many legs it opens with.
    pub legs: usize,
    /// Capital that it stands on.
    pub capital: f64,
    /// Notional of all legs.
    pub gross: f64,
    /// The largest part of an asset that its legs do not cancel, unsigned.
    pub net: f64,
    /// Marked equity of the account.
    pub equity: f64,
    /// What has to be kept of it, with these legs.
    pub maintenance: f64,
}

/// Which of its limits a package would break.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
pub enum PackageRefusal {
    /// More than [`PACKAGE_LEGS_MAX`].
    #[error("it has more legs than a package may have")]
    Legs,
    /// More than [`PACKAGE_GROSS_MAX`].
    #[error("its notional is over its cap")]
    Gross,
    /// More than [`PACKAGE_NET_MAX`].
    #[error("its legs leave more of an asset open than they may")]
    Net,
    /// Less than [`HEADROOM_MIN`].
    #[error("too little of the account's equity would be above maintenance")]
    Headroom,
    /// The gate refused a leg, or would have cut it.
    #[error("the gate does not let one of its legs out whole")]
    Leg,
}

impl PackageRisk {
    /// Whether it may be opened, and if not, which limit it breaks first.
    pub fn allowed(&self) -> Result<(), PackageRefusal> {
        let PackageRisk { legs, capital, gross, net, equity, maintenance } = *self;
        let checks = [
            (legs <= PACKAGE_LEGS_MAX, PackageRefusal::Legs),
            (gross <= PACKAGE_GROSS_MAX * capital, PackageRefusal::Gross),
            (net <= PACKAGE_NET_MAX * capital, PackageRefusal::Net),
            (equity - maintenance >= HEADROOM_MIN * equity && equity > 0.0, PackageRefusal::Headroom),
        ];
        checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(why))
    }
}

/// What stands alone: money × seconds that legs have stood without the others, since they last did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegRisk {
    /// Account currency × seconds.
    pub so_far: f64,
    /// What stood alone when it was last looked at, in the account's currency.
    alone: f64,
}

impl LegRisk {
    /// So much, in the account's currency, stands alone now, this long after it was last looked at; nothing ends it. What stood
    /// alone then has done so until now: what a fill of this moment left alone begins to count with it, so that of two legs
    /// that are told by bars the second has its own next bar before the first is given up.
    pub fn add(&mut self, alone: f64, span: Span) {
        let more = self.alone * span.in_units_of(Span::seconds(1));
        self.so_far = if alone > 0.0 { self.so_far + more.max(0.0) } else { 0.0 };
        self.alone = alone;
    }

    /// Whether something stood alone when it was last looked at.
    pub fn is_counting(&self) -> bool {
        self.alone > 0.0
    }

    /// Whether it is more than a package of this capital may have.
    pub fn is_over(&self, capital: f64) -> bool {
        self.so_far > capital * LEG_ALONE_MAX.in_units_of(Span::seconds(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_held_to_each_of_its_limits_and_to_what_is_no_number() {
        let fine = PackageRisk {
            legs: 4,
            capital: 100.0,
            gross: 800.0,
            net: 300.0,
            equity: 1_000.0,
            maintenance: 750.0,
        };
        assert_eq!(fine.allowed(), Ok(()));
        let refused = |risk: PackageRisk| risk.allowed().unwrap_err();
        assert_eq!(refused(PackageRisk { legs: 5, ..fine }), PackageRefusal::Legs);
        assert_eq!(refused(PackageRisk { gross: 800.1, ..fine }), PackageRefusal::Gross);
        assert_eq!(refused(PackageRisk { net: 300.1, ..fine }), PackageRefusal::Net);
        assert_eq!(refused(PackageRisk { maintenance: 750.1, ..fine }), PackageRefusal::Headroom);
        assert_eq!(refused(PackageRisk { equity: 0.0, maintenance: 0.0, ..fine }), PackageRefusal::Headroom);
        assert_eq!(refused(PackageRisk { gross: f64::NAN, ..fine }), PackageRefusal::Gross);
        assert_eq!(refused(PackageRisk { capital: f64::NAN, ..fine }), PackageRefusal::Gross);
    }

    #[test]
    fn a_leg_alone_is_counted_in_money_and_seconds_until_it_is_not() {
        let mut risk = LegRisk::default();
        // Nothing stood alone before: a day between two bars is not counted for what the second of them filled.
        risk.add(50.0, Span::DAY);
        assert_eq!(risk.so_far, 0.0);
        risk.add(20.0, Span::seconds(300));
        assert!(!risk.is_over(50.0) && risk.is_over(49.0), "fifty stood alone until now");
        risk.add(20.0, Span::seconds(1));
        assert!(risk.is_over(50.0) && !risk.is_over(51.0));
        risk.add(0.0, Span::seconds(1));
        assert_eq!(risk, LegRisk::default());
    }
}
