//! A cockpit that is looked at for a simulated week does not grow. In a process of its own, so that
//! nothing else is measured.

use crate::beside::is_apart;
use hive::config::setup;
use hive::domain::Event;
use hive::engine::{Engine, Outputs};
use hive::market::feed::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::{RecordedRun, Recorder};
use hive::tui::app::App;
use hive::tui::painter::Painter;
use hive::tui::panes::network::{NetworkPane, PULSES_MAX};
use hive::tui::theme::Theme;
use hive::view::Cockpit;
use hive::view::link::News;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Duration;

/// Pictures that a week at one in ten seconds has.
const WEEK: u64 = 60_480;

/// Resident memory in pages; none where the system does not tell.
fn pages() -> Option<u64> {
    std::fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()
}

fn pictures() -> Vec<Cockpit> {
    let config = hive::config::shipped().unwrap();
    let mut feed = SynthFeed::new(SynthSettings { bars_days: 40, ..SynthSettings::default() }).unwrap();
    let mut engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
    let (mut recorder, mut out, mut seen) = (Recorder::new(&engine), Outputs::default(), Vec::new());
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        recorder.observe(&engine, &event, &out);
        if matches!(event, Event::Barrier(_)) {
            seen.push(recorder.picture(&engine, &RecordedRun::default()));
        }
    }
    seen.split_off(seen.len() - 64)
}

#[test]
fn a_week_of_pictures_leaves_nothing_behind() {
    if !is_apart(module_path!(), "a_week_of_pictures_leaves_nothing_behind") {
        return;
    }
    let pictures = pictures();
    let mut app = App::new(Theme::shipped("hive-dark", true).unwrap(), true);
    let mut painter = Painter::new(Terminal::new(TestBackend::new(160, 48)).unwrap());
    let mut turn = |from: u64, to: u64| {
        for i in from..to {
            // Ever newer decisions, as in a life.
            let mut picture = pictures[i as usize % pictures.len()].clone();
            picture.seq = i;
            picture.edges.iter_mut().for_each(|e| e.decision.0 += 10_000_000 * (i / 64));
            app.tick(Duration::from_secs(10 * i), Some(Duration::ZERO));
            app.hear(News::Cockpit(Box::new(picture)));
            if i % 16 == 0 {
                painter.draw(&mut app).unwrap();
            }
        }
        assert!(app.pane::<NetworkPane>().unwrap().pulses.len() <= PULSES_MAX);
    };
    turn(0, WEEK / 10);
    let Some(before) = pages() else { return };
    turn(WEEK / 10, WEEK);
    let after = pages().unwrap();
    // Within a megabyte of pages of 4 KiB: allocators breathe.
    assert!(after <= before + 256, "{before} → {after} pages");
}
