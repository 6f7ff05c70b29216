//! What an agent makes of its own intent when it hears the others: a linear opinion pool (`DeGroot`
//! 1974) on the agent's slice of the hive, bounded by its character.
//!
//! ```text
//! x = (1−λ)·w·p + λ·share·(C − taken)     clipped to its side
//! no_flip and sign(x) ≠ sign(p) ≠ 0  →  0
//! |x| ≤ max(|w·p|, max_follow · w · unit)
//! ```
//!
//! `taken` is the part of what is said of all assets that is taken off where agents hear across them
//! (`[listening] across`), else 0.
//!
//! Pure: from the agent's own state and what was heard, nothing else. With λ = 0 the result is w·p
//! to the bit.

use super::personality::Traits;
use crate::domain::{Factor, SideRule, StanceVerb};

/// λ by humility: the worse the record of its family, the more an agent listens, between the least and the most
/// of it; points of 1 are half way. Sociability is added: who listens more than the most does so by character.
pub fn humility((least, most): (f64, f64), points_of_family: f64, sociability: f64) -> f64 {
    let humble = 1.0 / (1.0 + points_of_family * points_of_family);
    (least + (most - least) * humble + sociability).clamp(0.0, 1.0)
}

/// What an agent hears on one asset, and what is its own.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// w·p, its own intent at its weight.
    pub own: f64,
    /// share·C, its slice of the consensus.
    pub slice: f64,
    /// What is taken off that slice, of what is said of all assets.
    pub taken: f64,
    /// λ, from 0 to 1: how far it moves from its own intent toward the slice.
    pub listens: f64,
    /// w·unit at today's volatility: one unit at its weight.
    pub unit: f64,
    /// Which sides it takes.
    pub side: SideRule,
}

/// The stance x.
pub fn stance(heard: &Heard, traits: &Traits) -> f64 {
    derive(heard, traits, |_| ())
}

/// The derivation of the stance, factor by factor.
pub fn explain(heard: &Heard, traits: &Traits) -> [Option<Factor>; 7] {
    let mut factors = [None; 7];
    let mut n = 0;
    derive(heard, traits, |f| {
        // Own, listens, consensus, common, clip, flip, limit: there are seven kinds and each comes once.
        if let Some(step) = factors.get_mut(n) {
            *step = Some(f);
            n += 1;
        }
    });
    factors
}

fn derive(heard: &Heard, traits: &Traits, mut because: impl FnMut(Factor)) -> f64 {
    because(Factor::Own(heard.own));
    because(Factor::Listens(heard.listens));
    because(Factor::Consensus(heard.slice));
    if heard.taken != 0.0 {
        because(Factor::Common(heard.taken));
    }
    let mut x = (1.0 - heard.listens) * heard.own + heard.listens * (heard.slice - heard.taken);
    if !heard.side.allows(x) {
        x = heard.side.clip(x);
        because(Factor::SideClip(x));
    }
    if traits.no_flip && x * heard.own < 0.0 {
        x = 0.0;
        because(Factor::NoFlip);
    }
    let most = libm::fabs(heard.own).max(traits.max_follow * heard.unit);
    if libm::fabs(x) > most {
        x = libm::copysign(most, x);
        because(Factor::FollowLimit(most));
    }
    x
}

/// The stance in a word. Less than a twentieth of a unit is nothing.
pub fn verb(own: f64, x: f64, unit: f64) -> StanceVerb {
    let nothing = 0.05 * unit;
    if own == 0.0 {
        return if libm::fabs(x) > nothing { StanceVerb::Opens } else { StanceVerb::Keeps };
    }
    if libm::fabs(x) <= nothing {
        return StanceVerb::StandsAside;
    }
    if x * own < 0.0 {
        return StanceVerb::Hedges;
    }
    match x / own {
        r if r > 1.1 => StanceVerb::Increases,
        r if r < 1.0 / 1.1 => StanceVerb::Decreases,
        _ => StanceVerb::Keeps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(own: f64, slice: f64, listens: f64) -> Heard {
        Heard { own, slice, taken: 0.0, listens, unit: 0.02, side: SideRule::Both }
    }

    #[test]
    fn humility_is_a_quarter_at_an_average_record_and_falls_with_a_better_one() {
        let humility = |points, sociability| humility((0.0, 0.5), points, sociability);
        assert_eq!(humility(1.0, 0.0), 0.25);
        assert!(humility(0.0, 0.0) <= 0.5, "everybody keeps a view");
        assert!(humility(3.0, 0.0) < humility(1.0, 0.0));
        assert!(humility(1.0 / 3.0, 0.0) > humility(1.0, 0.0));
        assert_eq!(humility(1.0, -1.0), 0.0);
        assert_eq!(humility(1.0, 0.5), 0.75);
    }

    #[test]
    fn the_deaf_keep_their_intent_to_the_bit() {
        for own in [0.0, 0.012_345_678_9, -1e-17, 3.3] {
            let x = stance(&heard(own, 0.7, 0.0), &Traits::default());
            assert_eq!(x.to_bits(), own.to_bits());
        }
    }

    #[test]
    fn the_pool_is_linear_between_own_and_slice() {
        let t = Traits::default();
        assert_eq!(stance(&heard(0.01, 0.03, 0.5), &t), 0.02);
        assert_eq!(stance(&heard(0.0, 0.03, 1.0), &t), 0.03);
    }

    #[test]
    fn what_is_said_of_all_assets_is_taken_off_and_told() {
        let h = Heard { taken: 0.01, ..heard(0.01, 0.03, 0.5) };
        let t = Traits::default();
        assert_eq!(stance(&h, &t), 0.5 * 0.01 + 0.5 * (0.03 - 0.01));
        assert!(explain(&h, &t).contains(&Some(Factor::Common(0.01))));
        assert!(
            !explain(&heard(0.01, 0.03, 0.5), &t).iter().flatten().any(|f| matches!(f, Factor::Common(_)))
        );
    }

    #[test]
    fn a_long_agent_never_shorts_for_the_hive() {
        let h = Heard { side: SideRule::Long, ..heard(0.0, -0.03, 1.0) };
        assert_eq!(stance(&h, &Traits::default()), 0.0);
        assert!(explain(&h, &Traits::default()).contains(&Some(Factor::SideClip(0.0))));
    }

    #[test]
    fn no_flip_goes_flat_rather_than_round() {
        let t = Traits { no_flip: true, ..Traits::default() };
        assert_eq!(stance(&heard(0.01, -0.05, 1.0), &t), 0.0);
        assert_eq!(stance(&heard(0.01, -0.05, 1.0), &Traits::default()), -0.05);
    }

    #[test]
    fn max_follow_bounds_what_is_held_for_the_hive_but_not_the_own_intent() {
        let t = Traits { max_follow: 1.0, ..Traits::default() };
        assert_eq!(stance(&heard(0.0, 0.09, 1.0), &t), 0.02);
        assert_eq!(stance(&heard(0.05, 0.09, 1.0), &t), 0.05);
    }

    #[test]
    fn verbs_say_what_listening_did() {
        use StanceVerb::*;
        let cases = [
            (0.0, 0.01, Opens),
            (0.0, 0.0, Keeps),
            (0.01, 0.02, Increases),
            (0.01, 0.005, Decreases),
            (0.01, 0.0, StandsAside),
            (0.01, -0.01, Hedges),
            (0.01, 0.010_5, Keeps),
        ];
        for (own, x, wanted) in cases {
            assert_eq!(verb(own, x, 0.02), wanted, "{own} → {x}");
        }
    }
}
