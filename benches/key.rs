//! From a key to the screen: a cockpit in a real terminal, attached to a swarm that steps as fast as it can, and how
//! long it takes until what a key does is to be seen. And what a cockpit costs that has nothing to show.

// A bench that cannot go on has nothing better to do than to say so and stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The tests in a terminal use the rest of it.
#[allow(dead_code)]
#[path = "../tests/pty/stage.rs"]
mod stage;

use stage::{Home, Stage, stage_of};
use std::time::{Duration, Instant};

/// Keys that are timed.
const KEYS: usize = 300;
/// Most that one in a hundred may take.
const P99_MAX: Duration = Duration::from_millis(50);
/// How long an idle cockpit is watched, and the most of a core that it may use.
const IDLE: (Duration, f64) = (Duration::from_secs(20), 0.005);
/// Nothing is written for so long: it is idle from here on. And how long is waited for that.
const QUIET: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));
/// Rows and columns.
const SIZE: (u16, u16) = (50, 160);

/// A cockpit that shows a swarm of this pace.
fn watched(options: &[&str]) -> Option<Stage> {
    let mut stage = stage_of(Home::new(), SIZE, options, &[])?;
    stage.says("agents");
    stage.says("1 of 36");
    Some(stage)
}

/// Seconds of the processor that a process has used.
fn used(pid: rustix::process::Pid) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, the 14th and 15th of all, in hundredths of a second.
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn key_to_screen() {
    // Two years of history go by in a second; this is more than are looked at.
    let Some(mut stage) = watched(&["--days", "7000", "--speed", "max"]) else { return };
    let mut took = Vec::with_capacity(KEYS);
    for n in 0..KEYS {
        // Not in step with the frames.
        std::thread::sleep(Duration::from_millis(37 + (n as u64 * 7) % 61));
        while stage.read(Duration::ZERO) {}
        let down = n % 2 == 0;
        let since = Instant::now();
        stage.press(if down { "\x1b[B" } else { "\x1b[A" });
        stage.says(if down { "2 of 36" } else { "1 of 36" });
        took.push(since.elapsed());
    }
    let busy = stage.home.status().is_some_and(|s| s["market_time"].as_str().is_some());
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share).round() as usize];
    println!(
        "key to screen, {KEYS} keys at {}x{} under a full-speed replay: median {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        SIZE.1,
        SIZE.0,
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3,
        at(1.0).as_secs_f64() * 1e3
    );
    assert!(busy, "the swarm has gone");
    assert!(at(0.99) < P99_MAX, "one key in a hundred takes longer than {P99_MAX:?}");
}

fn idle() {
    // A bar every four hours: nothing happens.
    let Some(mut stage) = watched(&["--days", "60", "--speed", "1x"]) else { return };
    stage.until(|s| !s.contents().contains("simulating"));
    // What the last decision sent along the edges is on its way for some seconds more.
    let waited = Instant::now();
    while stage.read(QUIET.0) {
        assert!(waited.elapsed() < QUIET.1, "frames come without end");
    }
    // The terminal belongs to the cockpit's own process, started by setsid in its place.
    let (cockpit, swarm) = (stage.pid(), stage.home.swarm().unwrap());
    let before = (used(cockpit), used(swarm));
    let (mut bytes, end) = (0, Instant::now() + IDLE.0);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        bytes += usize::from(stage.read(left));
    }
    let share = |before: f64, after: f64| (after - before) / IDLE.0.as_secs_f64();
    let (cockpit, swarm) = (share(before.0, used(cockpit)), share(before.1, used(swarm)));
    println!(
        "idle for {} s: the cockpit uses {:.2} % of a core, the swarm {:.2} %, {bytes} frames",
        IDLE.0.as_secs(),
        100.0 * cockpit,
        100.0 * swarm
    );
    assert!(cockpit < IDLE.1 && bytes == 0, "an idle cockpit is not idle");
}

fn main() {
    // Cargo hands over options of its harness, and asks for a list when it tests.
    if std::env::args().any(|a| a == "--test" || a == "--list") {
        return;
    }
    key_to_screen();
    idle();
}
