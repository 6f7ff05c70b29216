//! Law 10: a limit on everything, with a name.

use crate::common::{Run, Tape, actions, deaf, run, shipped};
use crate::money::balanced;
use hive::agents::alone::{UNIT_MAX, unit};
use hive::config::{self, Override};
use hive::domain::{Event, Span, Verb};
use hive::engine::Outputs;
use hive::ledger::Ledger;
use hive::market::history::{HistoryFeed, HistorySettings, Window};
use hive::market::synth::SynthWorld;
use hive::market::{Feed, FeedError, FeedInfo, FeedReport};
use hive::runtime::drive;
use hive::runtime::files::open_data;
use hive::runtime::pace::BarPace;
use hive::runtime::stats::{ALARMS_MAX, RunStats};
use hive::runtime::stepper::Stepper;
use std::sync::atomic::AtomicBool;

const DAYS: u32 = 250;

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
    engine.respond.real.ledger = Ledger::new(0, 0);
    let mut stepper = Stepper::new(&mut engine, RunStats::default(), None);
    let never = AtomicBool::new(false);
    drive::run(&mut stepper, &mut feed, BarPace::MAX, &never, None, |_| ()).unwrap();
    let stats = stepper.stats;
    assert_eq!(stats.alarms.len(), ALARMS_MAX);
    assert!(stats.more_alarms >= stats.barriers - ALARMS_MAX as u64, "{} more", stats.more_alarms);
}

#[test]
fn law10_of_bad_rows_the_first_are_named_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv");
    let mut rows = String::from("timestamp,open,high,low,close,volume\n");
    for hour in 0..200 {
        let close = if hour % 4 == 3 { "nonsense" } else { "10" };
        rows += &[&(hour * 3_600).to_string(), ",10,10,10,", close, ",5\n"].concat();
    }
    std::fs::write(&path, rows).unwrap();
    let data = open_data(&path).unwrap();
    let settings =
        HistorySettings { name: data.name, clock: Span::HOUR, kind: None, window: Window::default() };
    let mut feed = HistoryFeed::open(&settings, data.sources, None).unwrap();
    while feed.next().unwrap().is_some() {}
    let report = feed.report();
    assert_eq!((report.bad_rows, report.first_bad.len()), (50, FeedReport::NAMED));
}

#[test]
fn law10_limits_of_the_configuration_hold() {
    let shipped = config::print_default();
    let agent = "[[agent]]\nname = \"A\"\nfamily = \"trend\"\nassets = \"BTC\"\ngoal = \"fast\"\npersonality = \"stoic\"\n";
    let mut many = shipped.to_owned();
    for i in 0..config::AGENTS_MAX {
        many.push_str(&agent.replace("\"A\"", &format!("\"A{i}\"")));
    }
    let refused = config::parse("a.toml", &many).unwrap_err().to_string();
    assert!(refused.contains(&format!("at most {}", config::AGENTS_MAX)), "{refused}");
    let long = format!("{shipped}{}", "#".repeat(config::TEXT_BYTES_MAX));
    let refused = config::parse("a.toml", &long).unwrap_err().to_string();
    assert!(refused.contains(&config::TEXT_BYTES_MAX.to_string()), "{refused}");
    let scouts = |n: u32| {
        let flag = Override::flag("--scouts", "hive.scouts", n.to_string());
        config::load("a.toml", shipped, [], &[flag]).map(|(c, _)| c.roster.scouts)
    };
    assert_eq!(scouts(config::SCOUTS_MAX).unwrap(), config::SCOUTS_MAX);
    assert!(scouts(config::SCOUTS_MAX + 1).is_err());
    let counted = |n: u16| config::parse("a.toml", &shipped.replace("random:2", &format!("random:{n}")));
    assert!(counted(config::ASSETS_COUNTED_MAX).is_ok());
    assert!(counted(config::ASSETS_COUNTED_MAX + 1).is_err());
}

#[test]
fn law10_a_unit_has_a_largest_size() {
    assert_eq!(unit(1e-9), UNIT_MAX);
    assert!((unit(0.02) - 0.5).abs() < 1e-12);
    // A market that hardly moves.
    let mut tape = Tape::synth(SynthWorld::RandomWalk, 4, 150);
    tape.change_after(hive::domain::Stamp(i64::MIN), |_, _, bar| {
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = 100.0 + (*price / 1_000.0).sin() * 1e-3;
        }
        (bar.high, bar.low) = (bar.open.max(bar.close), bar.open.min(bar.close));
    });
    let config = shipped();
    let run = run(&config, &tape);
    let opens: Vec<f64> =
        actions(&run.messages).filter(|(_, a)| a.verb == Verb::Open).map(|(_, a)| a.after.abs()).collect();
    assert!(opens.len() > 100);
    // Largest trait × largest preset × the largest unit.
    assert!(opens.iter().all(|x| *x <= 3.0 * 3.0 * UNIT_MAX));
    assert!(opens.iter().any(|x| *x >= UNIT_MAX), "the limit was met");
    let (gross, _) = run.engine.respond.real.exposure();
    assert!(gross <= config.risk.gross_fuse, "{gross}");
    balanced(&run.engine);
}

#[test]
fn law10_gross_exposure_stays_under_its_caps_all_along() {
    let tape = Tape::market(DAYS);
    let mut config = shipped();
    config.desk.target_vol = 1.0;
    config.managers = hive::hive::settings::Managers::default();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let mut most = 0.0_f64;
    for event in &tape.events {
        run.step(event, &mut out);
        most = most.max(run.engine.respond.real.exposure().0);
    }
    assert!(most > 3.0, "the caps were asked for: {most}");
    // Between decision and mark prices move, so a little above the fuse is possible, twice of it is not.
    assert!(most < 1.25 * config.risk.gross_fuse, "{most}");
}
