//! `hive bench`: how many agent-bars a second the whole step takes, beside a plain loop of the same
//! kind of arithmetic, so that the figure is a ratio and not a property of the machine.
//!
//! An agent-bar is one bar of one instrument that one agent trades. The step is the whole of it: market,
//! indicators, three lives, messages, consensus, points, goals, desk, gate, venue, exact books.

use crate::agents::declaration::Roster;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::config::setup::settings;
use crate::config::{self, Config};
use crate::domain::{Bar, Event, MarketEvent};
use crate::engine::{Engine, Outputs};
use crate::market::feed::Feed;
use crate::market::synth::{SynthFeed, SynthSettings, SynthWorld};
use clap::Parser;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

/// Arguments of `hive bench`.
#[derive(Debug, Parser)]
pub struct BenchArgs {
    /// Rounds, taken in turn; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Days of the embedded market in a round
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(30..=3650))]
    days: u32,
}

/// Agents with three lives, and scouts beside them: one, two dozen, the shipped shape (a seventh has
/// three lives) at 280 and at 1 000, and 1 000 that all have three.
const SIZES: [(usize, u32); 5] = [(1, 0), (24, 0), (40, 240), (143, 857), (1_000, 0)];

/// Bars of the plain loop in a round.
const PLAIN_BARS: usize = 2_000_000;

/// Runs `hive bench`, and prints the rates it measured.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    let config = config::shipped().map_err(|p| Failure::Failed(p.to_string()))?;
    let (events, feed) = market(args.days, &config)?;
    let closes = plain_closes();
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); SIZES.len() + 1];
    let mut slots = [0; SIZES.len()];
    for _ in 0..args.rounds {
        rates[0].push(plain(&closes));
        for (i, (agents, scouts)) in SIZES.iter().enumerate() {
            let (rate, n) = step(&config, &feed, &events, *agents, *scouts);
            rates[i + 1].push(rate);
            slots[i] = n;
        }
    }
    let medians: Vec<f64> = rates.iter_mut().map(|r| median(r)).collect();
    print(&table(&medians, &slots, args, events.len()))
}

fn table(medians: &[f64], slots: &[usize], args: &BenchArgs, events: usize) -> String {
    let mut out = String::new();
    let plain = medians[0];
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "the whole step on the embedded market: {} days, {events} events, median of {} rounds, per second of one core\n",
        args.days, args.rounds
    );
    let _ = writeln!(
        out,
        "{:>7} {:>12} {:>8} {:>8} {:>16} {:>14} {:>22}",
        "agents", "three lives", "scouts", "slots", "M agent-bars/s", "ns/agent-bar", "plain loop is faster"
    );
    for (((agents, scouts), rate), n) in SIZES.iter().zip(&medians[1..]).zip(slots) {
        let _ = writeln!(
            out,
            "{:>7} {agents:>12} {scouts:>8} {n:>8} {:>16.2} {:>14.0} {:>20.1} ×",
            agents + *scouts as usize,
            rate / 1e6,
            1e9 / rate,
            plain / rate
        );
    }
    let _ = writeln!(
        out,
        "\nplain loop {:.0} M bars/s: crossing of two running means, one position, a fee, over arrays of floats",
        plain / 1e6
    );
    out
}

/// The events of a market, made once.
fn market(days: u32, config: &Config) -> Result<(Vec<Event>, SynthFeed), Failure> {
    let settings = SynthSettings {
        bars_days: days,
        clock: config.clock.decide,
        world: SynthWorld::Market,
        ..SynthSettings::default()
    };
    let failed = |e: crate::market::FeedError| Failure::Failed(e.to_string());
    let mut feed = SynthFeed::new(settings).map_err(failed)?;
    let mut events = Vec::new();
    while let Some(event) = feed.next().map_err(failed)? {
        events.push(event);
    }
    Ok((events, feed))
}

/// Agent-bars a second of a roster of this size, and its slots.
fn step(config: &Config, feed: &SynthFeed, events: &[Event], agents: usize, scouts: u32) -> (f64, usize) {
    let roster = resized(&config.roster, agents, scouts);
    let mut engine = Engine::new(&roster, feed.universe(), &settings(config), config.seed);
    let mut out = Outputs::default();
    let clock = CpuClock::start();
    for event in events {
        engine.step(event, &mut out);
        black_box(&out);
    }
    let spent = clock.seconds();
    let per_instrument: Vec<usize> = engine.cast().by_asset.iter().map(Vec::len).collect();
    let bars = |e: &Event| match e {
        Event::Market(MarketEvent::Bar { instrument, .. }) => per_instrument[instrument.index()],
        _ => 0,
    };
    let agent_bars: usize = events.iter().map(bars).sum();
    (agent_bars as f64 / spent, engine.cast().slots.len())
}

/// The shipped agents, as often as needed, under other names.
fn resized(roster: &Roster, agents: usize, scouts: u32) -> Roster {
    let agents = roster.agents.iter().cycle().take(agents).enumerate();
    let renamed = agents.map(|(i, a)| crate::agents::declaration::Declaration {
        name: format!("{}{i}", a.name),
        ..a.clone()
    });
    Roster { agents: renamed.collect(), scouts, ..roster.clone() }
}

fn plain_closes() -> Vec<Bar> {
    let mut price = 100.0;
    let bar = |i: usize| {
        price *= 1.0 + 0.01 * (crate::domain::random::uniform(i as u64) - 0.5);
        Bar { open: price, high: price, low: price, close: price, volume: 1.0 }
    };
    (0..PLAIN_BARS).map(bar).collect()
}

/// The reference: a crossing of running means of 10 and 30 closes, in or out, 0.1 % a trade.
fn plain(bars: &[Bar]) -> f64 {
    let clock = CpuClock::start();
    let (mut short, mut long, mut position, mut cash, mut equity) = (0.0, 0.0, 0.0_f64, 0.0, 0.0);
    for i in 30..bars.len() {
        let close = bars[i].close;
        short += close - bars[i - 10].close;
        long += close - bars[i - 30].close;
        // Without a branch: a processor that guesses wrong would make the reference four times slower.
        let wanted = f64::from(u8::from(short / 10.0 > long / 30.0));
        let change: f64 = wanted - position;
        cash -= change * close + 0.001 * change.abs() * close;
        position = wanted;
        equity = cash + position * close;
    }
    black_box(equity);
    (bars.len() - 30) as f64 / clock.seconds()
}

/// Seconds of processor time of this thread where the system tells, else seconds on the wall: a busy
/// machine then changes the figures less.
struct CpuClock {
    wall: Instant,
    cpu: Option<f64>,
}

impl CpuClock {
    fn start() -> Self {
        CpuClock { wall: Instant::now(), cpu: Self::cpu() }
    }

    /// Nanoseconds on a processor are the first number of the scheduler's account of this thread.
    fn cpu() -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok().map(|ns| ns / 1e9)
    }

    fn seconds(&self) -> f64 {
        let cpu = self.cpu.zip(Self::cpu()).map(|(then, now)| now - then);
        cpu.filter(|s| *s > 0.0).unwrap_or_else(|| self.wall.elapsed().as_secs_f64())
    }
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
