//! A run that is kept and that an operator had a hand in, proven by its journal alone.

use super::relive::{KeptPast, RunToProve};
use super::{Build, Certificate, ProveError, Speakers, one, prove};
use crate::config::setup;
use crate::domain::{AgentId, Command, Stamp};
use crate::engine::Engine;
use crate::market::feed::Feed;
use crate::market::synth::{SynthFeed, SynthSettings};
use crate::runtime::keep::JournaledCommand;
use crate::runtime::recover::{self, Probe, RunIdentity};
use crate::runtime::replay::Remake;
use crate::runtime::stepper::Stepper;
use std::path::Path;
use std::sync::Arc;

const DAYS: u32 = 60;
/// Barriers at which the operator does something.
const ACTS: [(u64, Command); 3] =
    [(90, Command::Mute(AgentId(2))), (150, Command::Unfund(AgentId(0))), (300, Command::Flatten)];

fn made(seed: u64, hears: bool) -> Arc<Remake> {
    Arc::new(move || {
        let mut config = crate::config::shipped().unwrap();
        (config.listening.enabled, config.roster.scouts) = (hears, 4);
        let settings = SynthSettings { bars_days: DAYS, seed, ..SynthSettings::default() };
        let feed = SynthFeed::new(settings).unwrap();
        let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        Ok((engine, Box::new(feed) as Box<dyn Feed>))
    })
}

fn identity() -> RunIdentity {
    let (_, feed) = made(1, true)().unwrap();
    RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe())
}

/// Lives through it, kept in a folder, with what the operator did; what was decided, and how much was said.
fn live(dir: &Path) -> (String, u64) {
    let (mut engine, mut feed) = made(1, true)().unwrap();
    let mut opened =
        recover::open(dir, &identity(), &mut engine, feed.as_mut(), &Probe::Here.into()).unwrap();
    let mut stepper = Stepper::new(&mut engine, opened.stats, Some(&mut opened.keeper));
    stepper.talk = opened.talk;
    let mut barriers = 0;
    while let Some(event) = feed.next().unwrap() {
        let Some(at) = stepper.market(&event, feed.as_ref()).unwrap() else { continue };
        barriers += 1;
        for (_, command) in ACTS.iter().filter(|(barrier, _)| *barrier == barriers) {
            let (events, command) = (stepper.stats.events, Some(*command));
            let given = JournaledCommand { events, at, command, uid: 0, pid: 1, why: None };
            stepper.command(&given).unwrap();
        }
    }
    stepper.end_talk(true).unwrap();
    let stats = stepper.stats;
    opened.keeper.end(&engine, &stats, feed.as_ref()).unwrap();
    (engine.respond.decisions.to_string(), engine.respond.bus.delivered())
}

fn run(dir: &Path, market: u64) -> RunToProve {
    let kept = KeptPast::read(dir, &identity(), None).unwrap();
    RunToProve { remake: made(market, true), identity: identity(), kept: Some(kept) }
}

fn proven(run: &RunToProve, threads: usize) -> Result<Certificate, ProveError> {
    let build = Build { version: "1".to_owned(), layout: 1, program: "p".to_owned() };
    prove(run, made(1, false).as_ref(), Speakers::Family, (build, threads), &|_, _| ())
}

#[test]
fn a_run_that_an_operator_had_a_hand_in_is_proven_with_what_was_commanded() {
    let folder = tempfile::tempdir().unwrap();
    let (decisions, said) = live(folder.path());
    let run = run(folder.path(), 1);
    let c = proven(&run, 2).unwrap();
    assert_eq!((&c.all.decisions, c.all.said, c.run.commands), (&decisions, said, ACTS.len() as u64));
    assert_eq!(c, proven(&run, 1).unwrap(), "on any number of threads");
    // Without them other money comes out: they are a part of both ends.
    let alone = RunToProve { kept: None, remake: made(1, true), identity: identity() };
    let other = proven(&alone, 2).unwrap();
    assert!(other.run.commands == 0 && other.none.real != c.none.real);
    // A message between two commands, from the checkpoint before it and from the beginning.
    let number = said * 4 / 5;
    let near = one(&run, number).unwrap();
    std::fs::remove_file(folder.path().join("talk")).unwrap();
    assert_eq!(near, one(&run, number).unwrap());
    assert_eq!(near.decisions[0], decisions);
}

#[test]
fn a_certificate_of_an_earlier_moment_comes_out_while_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    live(folder.path());
    let whole = run(folder.path(), 1);
    let all = proven(&whole, 2).unwrap();
    // As it was at its first cursor of the second half.
    let kept = |end| KeptPast::read(folder.path(), &identity(), Some(end));
    let pages = crate::runtime::replay::read(&folder.path().join("journal"), Stamp(i64::MIN)).unwrap();
    let (place, then) = pages.decided.iter().find(|(place, _)| place.0 > all.run.events / 2).unwrap();
    let earlier = RunToProve { kept: Some(kept(*place).unwrap()), ..run(folder.path(), 1) };
    let c = proven(&earlier, 2).unwrap();
    assert_eq!((c.run.events, c.run.commands, &c.all.decisions), (place.0, place.1, &then.to_string()));
    assert!(!c.differs(&all).is_empty() && c.differs(&c).is_empty());
    assert!(matches!(kept((all.run.events + 1, 0)), Err(ProveError::Short { .. })), "it has not come so far");
}

#[test]
fn what_decides_otherwise_than_its_journal_says_is_not_proven() {
    let folder = tempfile::tempdir().unwrap();
    live(folder.path());
    let why = proven(&run(folder.path(), 7), 2).unwrap_err().to_string();
    assert!(why.contains("other decisions come out") && why.contains("hive journal verify"), "{why}");
    let deaf = RunToProve { remake: made(1, false), kept: None, ..run(folder.path(), 1) };
    assert!(matches!(proven(&deaf, 2), Err(ProveError::Deaf)));
    // The end that nobody hears anything in has to be the run in which listening is off.
    let build = Build { version: "1".to_owned(), layout: 1, program: "p".to_owned() };
    let hears = RunToProve { kept: None, ..run(folder.path(), 1) };
    let proven = prove(&hears, made(1, true).as_ref(), Speakers::Family, (build, 2), &|_, _| ());
    assert!(matches!(proven, Err(ProveError::Ends(_))));
}
