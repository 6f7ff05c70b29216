//! Agents overheard: what each of them says it does, what the others make of it, and whose words counted.
//!
//! ```sh
//! cargo run --example listen
//! ```

use hive::config;
use hive::config::setup;
use hive::domain::{Message, MessageId, MessageKind};
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::summary::RunFacts;
use hive::recorder::{Summary, short, speaker};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

/// Days of the market: agents begin to talk when their indicators are warm.
const DAYS: u32 = 45;
/// Answers that are printed.
const ANSWERS: usize = 8;
/// Agents in the table at the end.
const HEARD: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", overhear(DAYS, ANSWERS)?);
    Ok(())
}

/// The first answers of so many days, and who was heard in all of them.
pub fn overhear(days: u32, answers: usize) -> Result<String, Box<dyn Error>> {
    let config = config::shipped()?;
    let mut feed =
        SynthFeed::new(SynthSettings { seed: config.seed, bars_days: days, ..SynthSettings::default() })?;
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, config.seed);
    let mut out = Outputs::default();
    let mut lines = BTreeMap::new();
    let mut text = String::new();
    let mut left = answers;
    // A step delivers what is said at an event: actions first, then what each listener makes of them.
    while let Some(event) = feed.next()? {
        engine.step(&event, &mut out);
        for message in &out.messages {
            lines.insert(message.id, line(&engine, message));
            if left > 0 && answer(&mut text, &lines, message)? {
                left -= 1;
            }
        }
    }
    tally(&mut text, &Summary::new(&engine, RunFacts::default()))?;
    Ok(text)
}

/// A message on a line: its number, when, who, about what, and what.
fn line(engine: &Engine, message: &Message) -> String {
    let about = message.asset.map_or("everything", |a| engine.asset_name(a));
    let (who, what) = (speaker(engine, message.from), short(engine, &message.body));
    format!("#{} {} {who} on {about}: {what}", message.id.0, message.at)
}

/// Writes a stance that others moved, below it the messages it names as its reason; whether it is one.
fn answer(
    text: &mut String,
    lines: &BTreeMap<MessageId, String>,
    message: &Message,
) -> Result<bool, std::fmt::Error> {
    let MessageKind::Stance(stance) = message.body else { return Ok(false) };
    let mut because = stance.because.iter().flatten().filter_map(|id| lines.get(id)).peekable();
    if because.peek().is_none() {
        return Ok(false);
    }
    writeln!(text, "{}", lines[&message.id])?;
    for reason in because {
        writeln!(text, "    because of {reason}")?;
    }
    Ok(true)
}

/// Writes who was heard most: a listener names up to three messages, and each counts for who said it.
fn tally(text: &mut String, summary: &Summary) -> Result<(), std::fmt::Error> {
    let mut agents: Vec<_> = summary.agents.iter().collect();
    agents.sort_by_key(|a| std::cmp::Reverse(a.messages_sent));
    writeln!(text, "\n{:<24} {:>5} {:>11} {:>6} {:>6}", "agent", "said", "acted on", "voice", "points")?;
    for a in agents.iter().take(HEARD) {
        let (said, acted_on) = (a.messages_sent, a.messages_acted_on);
        writeln!(text, "{:<24} {said:>5} {acted_on:>11} {:>6.2} {:>6.2}", a.name, a.voice, a.points)?;
    }
    Ok(())
}
