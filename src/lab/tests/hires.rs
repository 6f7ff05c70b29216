//! What the lab says of accounts that take in scouts: before the first is in they are the agents with funds alone, chance is chance,
//! and nobody is taken in for what comes later.

use crate::small::{self, tracks, world_of};
use hive_core::agents::declaration::Scouting;
use hive_lab::ArmTrack;
use hive_lab::arms::{self, Arm};
use hive_lab::hire_rule::{AT_ONCE, EVERY_DAYS};
use hive_lab::hires;
use hive_lab::study::LabWorld;

fn with_strong() -> Vec<Arm> {
    let strong = arms::plan(40).into_iter().filter(|a| a.name == "net-eq");
    strong.chain(hires::plan()).collect()
}

fn growing() -> LabWorld {
    world_of(&small::config(21, Scouting { everywhere: false, mixed_clocks: false }), 420)
}

#[test]
fn until_somebody_is_taken_in_all_are_the_agents_with_funds_and_then_each_is_another() {
    let world = growing();
    let arms = with_strong();
    let all = tracks(&world, &arms);
    for (arm, track) in arms.iter().zip(&all).skip(1) {
        assert_eq!(track.daily[..EVERY_DAYS], all[0].daily[..EVERY_DAYS], "{}", arm.name);
        let first = track.grown.first().unwrap_or_else(|| panic!("{} takes in nobody", arm.name));
        assert_eq!(first.day - track.first_day, EVERY_DAYS as i64);
        let before = first.voices - AT_ONCE as u32;
        for (n, grown) in track.grown.iter().enumerate() {
            let most = before + 21;
            assert_eq!(grown.voices, (before + (n as u32 + 1) * AT_ONCE as u32).min(most), "{}", arm.name);
            assert_eq!(grown.day, first.day + (n * EVERY_DAYS) as i64);
        }
        assert!(track.grown.windows(2).all(|w| w[0].closed < w[1].closed), "{:?}", track.grown);
    }
    for (i, arm) in arms.iter().enumerate() {
        for (other, j) in arms[..i].iter().zip(0..) {
            assert_ne!(all[i].daily, all[j].daily, "{} is {}", arm.name, other.name);
        }
    }
}

#[test]
fn law04_nobody_is_taken_in_for_what_comes_later() {
    let world = growing();
    let arms = hires::plan();
    let whole = tracks(&world, &arms);
    let mut cut = growing();
    let events = cut.events.len();
    cut.events.truncate(events * 2 / 3);
    let part = tracks(&cut, &arms);
    for ((arm, whole), part) in arms.iter().zip(&whole).zip(&part) {
        // The day on which it ends is not over.
        let days = part.daily.len() - 1;
        assert!(days > 2 * EVERY_DAYS, "{days}");
        assert_eq!(whole.daily[..days], part.daily[..days], "{}", arm.name);
        let until = |t: &ArmTrack| t.grown.iter().filter(|g| g.day < t.first_day + days as i64).count();
        assert_eq!(whole.grown[..until(whole)], part.grown[..until(part)], "{}", arm.name);
    }
}
