//! What the lab says of answering: its arms are the engine's own, wrong words are all that is heard where they are, and nobody
//! looks ahead but who must.

use crate::common::{Tape, run};
use crate::small::{self, tracks, world};
use hive_core::agents::cast::cast;
use hive_core::agents::declaration::Scouting;
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::engine::respond::{Respond, RespondSpec};
use hive_core::engine::speak::{Speak, StepOutput};
use hive_core::hive::settings::{Managers, MoneyFollows};
use hive_domain::{AgentId, Event, Hearing, MessageKind, Reaction};
use hive_lab::arms::{self, Arm};
use hive_lab::reaction_controls::{WordControl, WordRewrite};
use hive_lab::reactions::{self, HIVE_OPEN, NONE};
use hive_lab::{ArmTrack, STRONG};
use std::sync::Arc;

fn small() -> Config {
    small::config(0, Scouting::default())
}

fn plan(config: &Config) -> Vec<Arm> {
    reactions::plan(&reactions::names(&config.roster))
}

fn place(arms: &[Arm], name: &str) -> usize {
    arms.iter().position(|a| a.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn without_reactions_it_is_net_eq_and_each_that_acts_changes_something_of_its_own() {
    let config = small();
    let world = world(&config);
    let mut arms = plan(&config);
    arms.extend(arms::plan(0).into_iter().filter(|a| a.name == STRONG));
    let all = tracks(&world, &arms);
    let of = |name: &str| &all[place(&arms, name)];
    assert_eq!(of(NONE).daily, of(STRONG).daily, "open lives without reactions are the alone ones");
    assert_eq!((of(NONE).deeds, of(NONE).apart), (0.0, 0.0));
    assert!(of(reactions::ALL).deeds > 100.0 && of(reactions::ALL).apart > 0.05);
    let mut acted = 0;
    for (arm, track) in arms.iter().zip(&all).filter(|(a, _)| a.name.starts_with('+')) {
        assert_eq!(track.deeds > 0.0, track.apart > 0.0, "{}", arm.name);
        // What an open life does otherwise at the very end, or beside a cap, may cost nobody anything.
        acted += usize::from(track.deeds > 0.0 && track.daily != of(NONE).daily);
    }
    assert!(acted > 8, "{acted}");
    for control in WordControl::ALL {
        let wrong = of(control.name());
        assert_ne!(wrong.daily, of(reactions::ALL).daily, "{control:?}");
        let deeds = wrong.deeds / of(reactions::ALL).deeds;
        assert!((0.3..3.0).contains(&deeds), "{control:?}: {deeds} of the deeds");
    }
    // Apart from the others, each is what it was beside them.
    for name in ["+sceptic waits", "another time", "another sender"] {
        let i = place(&arms, name);
        assert_eq!(tracks(&world, &arms[i..=i])[0], all[i], "{name}");
    }
}

#[test]
fn the_hive_with_money_on_open_lives_decides_as_a_headless_run_does() {
    let mut config = small();
    config.seed = 1;
    let world = world(&config);
    let arms: Vec<Arm> = plan(&config).into_iter().filter(|a| a.name == HIVE_OPEN).collect();
    let track = &tracks(&world, &arms)[0];
    config.listening.money = MoneyFollows::Open;
    let tape = Tape { universe: world.universe.clone(), events: world.events.clone() };
    assert_eq!(track.decisions, run(&config, &tape).engine.respond.decisions.to_string());
}

#[test]
fn law04_no_arm_but_that_of_another_time_knows_what_comes() {
    let config = small();
    let mut world = world(&config);
    let wanted = ["open all", "+sceptic waits", "another sender", "another asset", "another sign", HIVE_OPEN];
    let arms: Vec<Arm> = plan(&config).into_iter().filter(|a| wanted.contains(&a.name.as_str())).collect();
    assert_eq!(arms.len(), wanted.len());
    let whole = tracks(&world, &arms);
    let days = 100;
    let tape = Tape { universe: world.universe.clone(), events: std::mem::take(&mut world.events) };
    world.events = tape.events[..tape.after(days * 6)].to_vec();
    let shorter = tracks(&world, &arms);
    for (i, arm) in arms.iter().enumerate() {
        let prefix = |t: &ArmTrack| t.daily[..days - 1].to_vec();
        assert_eq!(prefix(&whole[i]), prefix(&shorter[i]), "{}: a longer run changed its past", arm.name);
    }
}

/// Two whose reactions hear the same wrong words, while half of the agents truly say something else.
#[test]
fn nothing_of_the_truth_reaches_reactions_that_hear_wrong_words() {
    let mut config = small();
    // Readings are of the account, which truly trades what was said.
    let is_word = |r: &Reaction| !matches!(r.hears.what, Hearing::Goal { .. });
    config.roster.agents.iter_mut().for_each(|a| a.reacts.retain(is_word));
    let world = world(&config);
    let cast = Arc::new(cast(&world.roster, &world.universe, 1));
    let (spec, start) = Speak::start(Arc::clone(&cast), &world.universe, world.settings.clone());
    let mut settings = world.settings.clone();
    settings.listening.lambda = Some(0.0);
    settings.managers = Managers::default();
    let hears = RespondSpec::new(Arc::clone(&cast), &world.universe, settings);
    let (mut said, mut out) = (StepOutput::default(), Outputs::default());
    let half = AgentId(cast.declared as u32 / 2);
    let lies = |voice: usize| cast.slots[voice].agent >= half;
    for wrong in [true, false] {
        let mut speak = start.clone();
        let mut two = [Respond::new(&hears), Respond::new(&hears)];
        let mut rewrite = WordRewrite::new(WordControl::Sender, &cast, None);
        let mut apart = 0;
        for event in &world.events {
            speak.step(&spec, event, &mut said);
            if matches!(event, Event::Barrier(_)) && wrong {
                said.reheard = Some(rewrite.reheard(&cast, &speak, &said.utterances, None));
            }
            let mut lie = said.clone();
            for u in lie.utterances.iter_mut().filter(|u| lies(u.voice)) {
                match &mut u.body {
                    MessageKind::Action(a) => (a.after, a.delta) = (-0.7 * a.after, -0.7 * a.delta),
                    MessageKind::Outcome(o) => o.pnl = -o.pnl,
                    _ => {}
                }
            }
            two[0].step(&hears, event, &speak, &said, &mut out);
            two[1].step(&hears, event, &speak, &lie, &mut out);
            said.reheard = None;
            apart += two[0].open_lives.iter().flatten().count();
        }
        let of = |r: &Respond| {
            let own = (0..cast.declared_slots).filter(|v| !lies(*v));
            own.map(|v| r.open_lives[v].clone()).collect::<Vec<_>>()
        };
        assert!(apart > 100, "{apart}");
        let deeds =
            two.each_ref().map(|r| (0..half.0).map(|a| r.bus.acted_on(a as usize)).collect::<Vec<_>>());
        assert_eq!((of(&two[0]) == of(&two[1])) && deeds[0] == deeds[1], wrong, "wrong words: {wrong}");
    }
}
