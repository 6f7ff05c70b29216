//! What of the laws takes more than the engine: a run, and the picture of one.

use crate::common::served::{config, paired};
use crate::common::{Run, Tape, deaf};
use hive::domain::Event;
use hive::engine::Outputs;
use hive::ledger::Ledger;
use hive::market::{Feed, FeedError, FeedInfo, FeedReport};
use hive::runtime::drive;
use hive::runtime::pace::BarPace;
use hive::runtime::stats::{ALARMS_MAX, RunStats};
use hive::runtime::stepper::Stepper;
use std::sync::atomic::AtomicBool;

/// Plays a tape through [`drive::run`].
struct Replay<'a> {
    info: FeedInfo,
    tape: &'a Tape,
    at: usize,
}

impl Feed for Replay<'_> {
    fn info(&self) -> &FeedInfo {
        &self.info
    }
    fn universe(&self) -> &hive::domain::Universe {
        &self.tape.universe
    }
    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        self.at += 1;
        Ok(self.tape.events.get(self.at - 1).copied())
    }
    fn report(&self) -> FeedReport {
        FeedReport::default()
    }
}

#[test]
fn law10_alarms_are_kept_to_their_limit_and_the_rest_is_counted() {
    let tape = Tape::market(60);
    let mut config = deaf();
    config.roster.scouts = 0;
    let mut engine = crate::common::engine(&config, &tape.universe);
    let info = hive::market::synth::SynthFeed::new(hive::market::synth::SynthSettings::default())
        .unwrap()
        .info()
        .clone();
    let mut feed = Replay { info, tape: &tape, at: 0 };
    // Books that know nothing: an alarm at every barrier.
    engine.respond.real.account.ledger = Ledger::new(0, 0);
    let mut stepper = Stepper::new(&mut engine, RunStats::default(), None);
    let never = AtomicBool::new(false);
    drive::run(&mut stepper, &mut feed, BarPace::MAX, &never, None, |_| ()).unwrap();
    let stats = stepper.stats;
    assert_eq!(stats.alarms.len(), ALARMS_MAX);
    assert!(stats.more_alarms >= stats.barriers - ALARMS_MAX as u64, "{} more", stats.more_alarms);
}

#[test]
fn the_operator_sees_which_leg_a_fill_is() {
    let tape = paired(120, 0);
    let mut run = Run::start(&config(true), &tape.universe);
    let (mut recorder, mut out) = (hive::recorder::Recorder::new(&run.engine), Outputs::default());
    let mut legs = [0, 0];
    for event in &tape.events {
        run.engine.step(event, &mut out);
        recorder.observe(&run.engine, event, &out);
        let Event::Barrier(_) = event else { continue };
        for fill in recorder.picture(&run.engine, &hive::recorder::RecordedRun::default()).fills {
            let spot = fill.symbol.contains("-SPOT");
            assert_eq!(fill.symbol.ends_with(" spot"), spot, "{}", fill.symbol);
            legs[usize::from(spot)] += 1;
        }
    }
    assert!(legs[0] > 0 && legs[1] > 0, "{legs:?}");
}
