//! A backtest through the library: the agents that come with Hive over the embedded market, and what they
//! earned in each of their three lives.
//!
//! ```sh
//! cargo run --example backtest
//! ```
//!
//! The same days and seed give the same table on every machine, and the same decision hash as
//! `hive backtest --days 365`.

use hive::config;
use hive::config::setup;
use hive::domain::{Decimal, FamilyId};
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::Summary;
use hive::recorder::summary::RunFacts;
use std::error::Error;
use std::fmt::Write as _;

/// Days of the market.
const DAYS: u32 = 365;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table(&run(DAYS)?)?);
    Ok(())
}

/// Runs the agents over so many days.
pub fn run(days: u32) -> Result<Summary, Box<dyn Error>> {
    // Who trades and by which rules: `agents.toml`. `config::load` reads a file of your own.
    let config = config::shipped()?;
    // What they trade. A feed is an iterator of events; `runtime::feeds::open` opens recorded ones.
    let mut feed =
        SynthFeed::new(SynthSettings { seed: config.seed, bars_days: days, ..SynthSettings::default() })?;
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, config.seed);
    // The whole of a run: state changes in `step` and nowhere else.
    let mut out = Outputs::default();
    while let Some(event) = feed.next()? {
        engine.step(&event, &mut out);
    }
    engine.balances()?;
    Ok(Summary::new(&engine, RunFacts { currency: config.currency, ..RunFacts::default() }))
}

/// The three lives of the swarm, then of each family. Money is text in a summary, so that no digit is lost.
pub fn table(summary: &Summary) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let (equity, drawdown, sharpe) = (&summary.equity, &summary.max_drawdown, &summary.sharpe);
    let capital: Decimal = summary.capital.parse()?;
    writeln!(
        text,
        "all agents   {:>12} {:>12} {:>8}",
        format!("PnL {}", summary.currency),
        "drawdown",
        "Sharpe"
    )?;
    for (life, equity, drawdown, sharpe) in [
        ("alone", &equity.alone, drawdown.alone, sharpe.alone),
        ("open", &equity.open, drawdown.open, sharpe.open),
        ("real", &equity.real, drawdown.real, sharpe.real),
    ] {
        let pnl = equity.parse::<Decimal>()? - capital;
        writeln!(text, "{life:<12} {pnl:>12.0} {:>10.1} % {sharpe:>8.2}", 100.0 * drawdown)?;
    }
    writeln!(
        text,
        "\n{:<19} {:>6} {:>6} {:>9} {:>9} {:>9}",
        "family", "agents", "trades", "alone", "open", "real"
    )?;
    for family in FamilyId::ALL {
        let agents: Vec<_> = summary.agents.iter().filter(|a| a.family == family.text()).collect();
        if agents.is_empty() {
            continue;
        }
        let trades: u32 = agents.iter().map(|a| a.trades).sum();
        let (mut alone, mut open, mut real) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for agent in &agents {
            alone += agent.alone_pnl.parse::<Decimal>()?;
            open += agent.open_pnl.parse::<Decimal>()?;
            real += agent.real_pnl.parse::<Decimal>()?;
        }
        writeln!(
            text,
            "{:<19} {:>6} {trades:>6} {alone:>9.0} {open:>9.0} {real:>9.0}",
            family.text(),
            agents.len()
        )?;
    }
    writeln!(text, "\ndecisions {}", summary.decision_hash)?;
    Ok(text)
}
