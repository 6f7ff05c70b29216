//! What the lab says of hearing across assets: nothing taken off is no split, the hive's own ears hear what an account of all
//! voices does, and nobody looks ahead.

use crate::common::{Tape, flat, run};
use crate::small::{self, tracks, world};
use hive_core::agents::declaration::Scouting;
use hive_core::config::Config;
use hive_core::hive::across::AcrossAssets;
use hive_lab::ArmTrack;
use hive_lab::across::{self, HIVE_ACROSS};
use hive_lab::across_arm::{AcrossArm, AcrossVoices, RULE_SPLIT};
use hive_lab::arms::{Arm, ArmKind, Follows, Weighing};

fn small() -> Config {
    small::config(21, Scouting { everywhere: true, mixed_clocks: true })
}

fn plan() -> Vec<Arm> {
    across::plan(6, 21).into_iter().map(|(arm, _)| arm).collect()
}

#[test]
fn a_theta_of_one_is_no_split_and_every_other_arm_is_one() {
    let world = world(&small());
    let arms: Vec<Arm> = plan().into_iter().chain(across::further()).collect();
    let all = tracks(&world, &arms);
    let of =
        |name: &str| &all[arms.iter().position(|a| a.name == name).unwrap_or_else(|| panic!("no {name}"))];
    assert_eq!(of("scouts θ=1").daily, of("scouts+zone").daily);
    assert_eq!(of("scouts θ=1").decisions, of("scouts+zone").decisions);
    let names: Vec<&str> = arms.iter().map(|a| a.name.as_str()).filter(|n| *n != "scouts θ=1").collect();
    for (i, name) in names.iter().enumerate() {
        for other in &names[..i] {
            assert_ne!(of(name).daily, of(other).daily, "{name} is {other}");
        }
    }
    // What was common 90 days before is unknown until then: nothing is taken off.
    let head = |name: &str| of(name).daily[..85].to_vec();
    assert_eq!(head("scouts+split late"), head("scouts+zone"));
    assert_ne!(head("scouts+split"), head("scouts+zone"));
}

#[test]
fn on_one_asset_nothing_is_common() {
    let mut world = world(&small());
    // One that everybody watches; the others are silent.
    let one = world.universe.assets[0].id;
    world.events.retain(|e| match e {
        hive_domain::Event::Market(m) => m.instrument().is_none_or(|i| i.index() == one.index()),
        _ => true,
    });
    let arms: Vec<Arm> = plan()
        .into_iter()
        .filter(|a| ["scouts+zone", "scouts+split", "scouts θ=0"].contains(&a.name.as_str()))
        .collect();
    let all = tracks(&world, &arms);
    assert!(all[0].daily.iter().any(|r| *r != 0.0));
    assert!(all.iter().all(|t| t.daily == all[0].daily));
}

/// λ = 1 without rails is the account that holds all voices, split as it is.
#[test]
fn the_ears_of_the_hive_hear_what_an_account_of_all_voices_takes_off() {
    for rule in [AcrossAssets::Fixed(0.4), AcrossAssets::EqualRisk] {
        let mut config = small();
        config.listening.across = rule;
        let world = world(&config);
        let account = AcrossArm {
            voices: AcrossVoices::Of(Weighing::Voices(usize::MAX)),
            rule,
            follows: Follows::Desk,
            ..RULE_SPLIT
        };
        let arm = |name: &str, kind| Arm { name: name.to_owned(), kind, what: "" };
        let plain = ArmKind::Account(Weighing::Voices(usize::MAX), Follows::Desk);
        let arms = [arm("a", ArmKind::Bare(1.0)), arm("b", ArmKind::Across(account)), arm("c", plain)];
        let all = tracks(&world, &arms);
        let apart = |x: usize, y: usize| {
            let each = all[x].daily.iter().zip(&all[y].daily);
            each.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        assert!(apart(0, 1) < 1e-9, "{rule:?}: {}", apart(0, 1));
        assert!(apart(0, 2) > 1e-3, "{rule:?}: {}", apart(0, 2));
    }
}

#[test]
fn the_hive_across_assets_decides_as_a_headless_run_does() {
    let mut config = small();
    config.seed = 1;
    let world = world(&config);
    let arms: Vec<Arm> = plan().into_iter().filter(|a| a.name == HIVE_ACROSS).collect();
    let track = &tracks(&world, &arms)[0];
    config.listening.across = AcrossAssets::EqualRisk;
    let tape = Tape { universe: world.universe.clone(), events: world.events.clone() };
    assert_eq!(track.decisions, run(&config, &tape).engine.respond.decisions.to_string());
}

#[test]
fn law04_no_arm_across_assets_knows_what_comes_but_those_that_hear_another_time() {
    let mut world = world(&small());
    let arms: Vec<Arm> = plan().into_iter().chain(across::further()).collect();
    let whole = tracks(&world, &arms);
    let days = 120;
    let tape = Tape { universe: world.universe.clone(), events: std::mem::take(&mut world.events) };
    world.events = tape.events[..tape.after(days * 6)].to_vec();
    let shorter = tracks(&world, &arms);
    for (i, arm) in arms.iter().enumerate() {
        let prefix = |t: &ArmTrack| t.daily[..days - 1].to_vec();
        if arm.kind.right_across().is_some() {
            // Round what is another time of a longer run is another one.
            assert_ne!(prefix(&whole[i]), prefix(&shorter[i]), "{}", arm.name);
        } else {
            assert_eq!(prefix(&whole[i]), prefix(&shorter[i]), "{}: a longer run changed its past", arm.name);
        }
    }
}

/// Whatever else runs in the pass before, and whatever was kept of it.
#[test]
fn what_another_time_is_heard_as_does_not_depend_on_who_else_runs() {
    let world = world(&small());
    let named = |names: &[&str]| -> Vec<Arm> {
        let all = plan().into_iter().chain(across::further());
        all.filter(|a| names.contains(&a.name.as_str())).collect()
    };
    let (alone, both) = (named(&["scouts+split time"]), named(&["scouts+split", "scouts+split time"]));
    assert_eq!(tracks(&world, &alone)[0], tracks(&world, &both)[1]);
}

#[test]
fn a_day_told_apart_is_the_day_where_an_account_goes_to_its_aim_at_once() {
    let mut config = small();
    flat(&mut config, 0.0);
    let world = world(&config);
    let split = AcrossVoices::Of(Weighing::Scouts(usize::MAX));
    let account = AcrossArm { voices: split, follows: Follows::AtOnce, ..RULE_SPLIT };
    let arms = [Arm { name: "a".to_owned(), kind: ArmKind::Across(account), what: "" }];
    let track = &tracks(&world, &arms)[0];
    let rms = |x: &dyn Fn(usize) -> f64| {
        let n = track.daily.len();
        ((0..n).map(|i| x(i) * x(i)).sum::<f64>() / n as f64).sqrt()
    };
    assert_eq!(track.across.len(), track.daily.len());
    let day = |i: usize| &track.across[i];
    let beside = rms(&|i| track.daily[i] - day(i).said - day(i).taken - day(i).costs);
    let taken = rms(&|i| day(i).taken);
    assert!(taken > 1e-3, "{taken}");
    assert!(beside < 1e-3 * taken, "{beside} beside {taken}");
    assert!(track.across.iter().all(|d| d.costs == 0.0 && d.share < 1.0));
}
