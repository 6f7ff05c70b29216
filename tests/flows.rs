//! What a person wants who has never been here, from the start screen, through a real terminal at a real
//! swarm: each `tests/flows/*.keys` is one wish. The screen has to name the key before it is pressed, at
//! most [`KEYS_MAX`] keys lead there (what is typed as an amount, a time or a word, and what confirms, apart),
//! and the swarm itself is asked whether it was done.
//!
//! ```text
//! # the wish                     first line
//! size COLUMNSxROWS              100x30 without it
//! given VERB AGENT               `hive ctl` has done so before anybody looks
//! see TEXT · not TEXT            waits until the screen says it, or does not any more
//! footer KEY LABEL               the last line names the key
//! help TEXT                      the help names it (opened and closed)
//! press KEY                      counted
//! confirm KEY · type TEXT⏎       not counted; ⏎ is enter
//! marked TEXT                    it stands under the cursor: reversed
//! swarm VERB POINTER VALUE       waits until `hive ctl VERB` says so
//! ends                           the cockpit has gone, the swarm has not
//! within SECONDS                 since the first key
//! ```
//!
//! `{best}` and `{worst}` are the agents with most and least real PnL, as `hive ctl agents` says.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::beside::on_the_clock;
use crate::pty::stage::{Home, PATIENCE, Stage, stage_of};
use serde_json::Value;
use std::time::{Duration, Instant};

const KEYS_MAX: u32 = 3;
/// Sixty days of history, and then the market goes at the pace of life: what is on the screen stays.
const HIVE: &[&str] = &["--days", "60", "--scouts", "24", "--speed", "1x"];

struct Flow {
    stage: Stage,
    pressed: u32,
    since: Option<Instant>,
}

fn bytes(key: &str) -> String {
    let known = match key {
        "enter" => "\r",
        "esc" => "\x1b",
        "up" => "\x1b[A",
        "down" => "\x1b[B",
        "left" => "\x1b[D",
        "tab" => "\t",
        "space" => " ",
        "ctrl-x" => "\x18",
        key => {
            assert_eq!(key.chars().count(), 1, "{key:?} is no key");
            key
        }
    };
    known.to_owned()
}

fn last_line(screen: &vt100::Screen) -> String {
    screen.contents().lines().last().unwrap_or_default().to_owned()
}

/// Whether the text stands somewhere with all its cells reversed.
fn is_marked(screen: &vt100::Screen, text: &str) -> bool {
    let (rows, columns) = screen.size();
    let n = u16::try_from(text.chars().count()).unwrap();
    (0..rows.get()).any(|y| {
        (0..=columns.get().saturating_sub(n)).any(|x| {
            let cells = || (x..x + n).filter_map(|x| screen.cell(y, x));
            cells().map(vt100::Cell::contents).collect::<String>() == text
                && cells().all(vt100::Cell::inverse)
        })
    })
}

impl Flow {
    fn ctl(&self, verb: &str) -> Value {
        serde_json::from_slice(&self.stage.home.ctl(&[verb]).stdout).unwrap_or(Value::Null)
    }

    /// `{best}` and `{worst}` as the swarm says.
    fn filled(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let said = self.ctl("agents");
        let of = |a: &Value| a["real_pnl"].as_str().unwrap().parse::<f64>().unwrap();
        let mut agents: Vec<&Value> = said["agents"].as_array().unwrap().iter().collect();
        agents.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let name = |a: Option<&&Value>| a.unwrap()["name"].as_str().unwrap().to_owned();
        text.replace("{best}", &name(agents.last())).replace("{worst}", &name(agents.first()))
    }

    fn send(&mut self, keys: &str) {
        self.since.get_or_insert_with(Instant::now);
        self.stage.press(keys);
    }

    fn step(&mut self, verb: &str, rest: &str) {
        let text = self.filled(rest);
        match verb {
            "given" => {
                let words: Vec<&str> = text.split(' ').collect();
                assert!(self.stage.home.ctl(&words).status.success(), "{text}");
            }
            "see" => self.stage.says(&text),
            "not" => self.stage.until(|s| !s.contents().contains(&text)),
            "footer" => self.stage.until(|s| last_line(s).contains(&text)),
            "help" => {
                self.stage.press("?");
                self.stage.says(&text);
                self.stage.press("\x1b");
                self.stage.until(|s| !s.contents().contains("keys · "));
            }
            "press" => {
                self.pressed += 1;
                self.send(&bytes(&text));
            }
            "confirm" => self.send(&bytes(&text)),
            "type" => self.send(&text.replace('⏎', "\r")),
            "marked" => self.stage.until(|s| is_marked(s, &text)),
            "swarm" => self.swarm(&text),
            "ends" => {
                assert!(self.stage.ends().success());
                assert!(self.stage.home.runs(), "leaving ended the swarm");
            }
            "within" => {
                let most = Duration::from_secs(text.parse().unwrap());
                let took = self.since.unwrap().elapsed();
                assert!(took < most, "it took {took:?}");
            }
            verb => panic!("{verb:?} is no step of a flow"),
        }
    }

    fn swarm(&self, text: &str) {
        let mut words = text.splitn(3, ' ');
        let [verb, pointer, wanted] = [(); 3].map(|()| words.next().unwrap());
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self.ctl(verb);
            let found = said.pointer(pointer);
            let says = |f: &Value| f.as_str().map_or_else(|| f.to_string(), str::to_owned);
            if found.map(says).as_deref() == Some(wanted) {
                return;
            }
            assert!(Instant::now() < end, "{verb} {pointer} is {found:?}, not {wanted}");
        }
    }
}

fn play(name: &str, script: &str) {
    let _clock = on_the_clock();
    let steps = || script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let size = steps().find_map(|l| l.strip_prefix("size ")).unwrap_or("100x30");
    let (columns, rows) = size.split_once('x').unwrap();
    let size = (rows.parse().unwrap(), columns.parse().unwrap());
    let Some(stage) = stage_of(Home::new(), size, HIVE, &[]) else { return };
    let mut flow = Flow { stage, pressed: 0, since: None };
    flow.stage.until(|s| s.contents().contains("RUNNING") && !s.contents().contains("simulating"));
    for line in steps().filter(|l| !l.starts_with("size ")) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        println!("{name}: {line}");
        flow.step(verb, rest);
    }
    assert!((1..=KEYS_MAX).contains(&flow.pressed), "{name}: {} keys", flow.pressed);
}

macro_rules! flows {
    ($($test:ident = $file:literal),+ $(,)?) => {
        $(#[test]
        fn $test() {
            play($file, include_str!(concat!("flows/", $file, ".keys")));
        })+

        const ALL: &[&str] = &[$($file),+];
    };
}

flows!(
    the_best_and_the_worst_agent_are_found = "best-and-worst",
    the_last_trade_says_why_and_who_moved_it = "why-the-last-trade",
    an_agent_is_paused_and_it_is_taken_back = "pause",
    funds_are_moved_away = "unfund",
    funds_are_moved_there = "fund",
    one_is_muted = "mute",
    everything_stops = "stop-everything",
    yesterdays_why_is_found_in_ten_seconds = "why-yesterday",
    one_comes_back_to_now = "back-to-now",
    leaving_does_not_stop = "leave",
    orders_and_fills_are_seen = "orders",
    who_earned_what_for_others_is_seen = "points",
    a_candle_is_read = "candle",
    what_hearing_a_decision_was_worth_is_found_out = "without",
    a_few_of_many_are_looked_at = "filter",
);

#[test]
fn every_script_is_played() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows");
    let mut found: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let mut all: Vec<String> = ALL.iter().map(|f| format!("{f}.keys")).collect();
    found.sort();
    all.sort();
    assert_eq!(found, all);
}
