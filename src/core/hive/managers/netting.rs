//! The asset manager: on an asset that a long agent and a short agent both trade, their exposure limits
//! are netted. What the other side holds against them is room beyond the own limit, since the desk holds
//! only the net.
//!
//! ```text
//! limit of the longs  × clip(1 + Σ|aims of the shorts| / Σ limits of the longs, 1, max)      and the other way
//! ```
//!
//! # Invariants
//!
//! 1. As long as the other side stands, the net of the one-sided stays within their own limits.
//! 2. A limit is never below the own one, never above `max` times it, and back at 1 when the other side
//!    is gone. It is looked at once a day, which is as long as it can be out of date.

use super::knobs::{STEP, is_worth_turning};
use crate::domain::{Adjustment, AgentId, AssetId, Knob};
use crate::hive::settings::AssetManager;

/// A one-sided agent with funds on an asset. A list of these is in the order of slots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneSided {
    /// Its declared slot.
    pub slot: usize,
    /// The agent that takes one side only.
    pub agent: AgentId,
    /// The asset it has funds on.
    pub asset: AssetId,
    /// Whether it may only be long; else only short.
    pub long: bool,
    /// Its aim, in size.
    pub aim: f64,
    /// The most it may aim at by itself.
    pub limit: f64,
}

/// Turns the limits of those who are named; all others stay at 1.
pub(super) fn net(
    limits: &mut [f64],
    one_sided: &[OneSided],
    m: AssetManager,
    mut say: impl FnMut(AssetId, Adjustment),
) {
    for one in one_sided {
        let of = |long: bool, what: fn(&OneSided) -> f64| -> f64 {
            one_sided.iter().filter(|o| o.asset == one.asset && o.long == long).map(what).sum()
        };
        let (room, own) = (of(!one.long, |o| o.aim), of(one.long, |o| o.limit));
        let to = if own > 0.0 { (1.0 + room / own).clamp(1.0, m.limit_max) } else { 1.0 };
        let Some(limit) = limits.get_mut(one.slot) else { continue };
        if is_worth_turning(*limit, to, 1.0, STEP) {
            let turned =
                Adjustment { knob: Knob::Limit, agent: Some(one.agent), from: *limit, to, because: room };
            say(one.asset, turned);
            *limit = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(slot: usize, asset: u16, long: bool, aim: f64) -> OneSided {
        OneSided { slot, agent: AgentId(slot as u32), asset: AssetId(asset), long, aim, limit: 0.10 }
    }

    fn netted(limits: &mut [f64; 4], all: &[OneSided]) -> usize {
        let mut said = 0;
        net(limits, all, AssetManager::default(), |_, _| said += 1);
        said
    }

    #[test]
    fn the_other_side_is_room_up_to_the_bound_and_gives_it_back() {
        let mut limits = [1.0; 4];
        let all = [one(0, 0, true, 0.10), one(1, 0, false, 0.04), one(2, 1, true, 0.10)];
        assert_eq!(netted(&mut limits, &all), 2);
        assert!((limits[0] - 1.4).abs() < 1e-12 && (limits[1] - 2.0).abs() < 1e-12);
        assert_eq!(limits[2], 1.0, "nobody is against it on its asset");
        assert_eq!(netted(&mut limits, &all), 0, "nothing new");
        assert_eq!(netted(&mut limits, &[one(0, 0, true, 0.0), one(1, 0, false, 0.0)]), 2);
        assert_eq!(limits, [1.0; 4]);
    }

    #[test]
    fn together_they_stay_within_the_own_limits_net() {
        for (long, short) in [(0.2, 0.1), (0.1, 0.1), (0.14, 0.04), (0.0, 0.1)] {
            let mut limits = [1.0; 4];
            netted(&mut limits, &[one(0, 0, true, long), one(1, 0, false, short)]);
            assert!(limits[0] * 0.10 - short <= 0.10 + 1e-12);
            assert!(limits[1] * 0.10 - long <= 0.10 + 1e-12);
        }
    }
}
