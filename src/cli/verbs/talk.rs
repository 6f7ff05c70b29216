//! `hive talk`: what was said in a run, from its first message on, also while it goes on; changes nothing.

use crate::cli::endpoint;
use crate::cli::failure::Failure;
use crate::cli::options::nearest;
use crate::cli::output::{print, tell};
use crate::cli::table::TextTable;
use crate::domain::{
    AgentId, AssetId, Goal, ManagerId, Message, MessageCounts, Speaker, SpokenBy, Stamp, printable,
};
use crate::recorder::{self, TalkNames};
use crate::runtime::feeds;
use crate::talk::{Deeds, FilterBound, KindCounts, TalkError, TalkFile, TalkFilter, message_fields};
use crate::tui;
use crate::view::cockpit::TopicKind;
use clap::{Args as Arguments, ValueEnum};
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Options of `hive talk`.
#[derive(Clone, Debug, Arguments)]
pub struct TalkArgs {
    /// A state folder, a file that --talk wrote, or the name of a hive that is kept; without it, what plain hive keeps
    run: Option<PathBuf>,
    /// From then on: a number of a message, 2023-12-30, "2023-12-30 14:02", -8h (before its last message)
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    from: Option<String>,
    /// Until then, which is included, as a day is whole
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    to: Option<String>,
    /// What these said: names of agents, "LR tracker", "LR manager", "desk manager", …
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    agent: Vec<String>,
    /// What was said about these
    #[arg(long, value_name = "ASSETS", value_delimiter = ',')]
    asset: Vec<String>,
    /// open, increase, decrease, close, amend, wait, outcome, stance, goal, adjustment, carry, receipt, work
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kind: Vec<String>,
    /// What this life said: alone and open where they did otherwise than each other, both where they did the same
    #[arg(long, value_enum, value_name = "LIFE")]
    life: Option<SpokenLife>,
    /// Only what some deed names as a cause, with how many do; counts by kind at the end
    #[arg(long)]
    acted: bool,
    /// Only how much of each kind was said, as a summary counts it
    #[arg(long, conflicts_with = "acted")]
    counts: bool,
    /// A JSON object a line, every part of every condition a field
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SpokenLife {
    /// The life that hears nobody, where the open one does otherwise
    Alone,
    /// The life that hears the others, where it does otherwise than the alone one
    Open,
    /// Both at once, and who has no lives
    Both,
}

impl From<SpokenLife> for SpokenBy {
    fn from(life: SpokenLife) -> Self {
        match life {
            SpokenLife::Alone => SpokenBy::Alone,
            SpokenLife::Open => SpokenBy::Open,
            SpokenLife::Both => SpokenBy::Both,
        }
    }
}

impl From<TalkError> for Failure {
    fn from(e: TalkError) -> Self {
        match e {
            TalkError::Strange { .. } | TalkError::Version { .. } => Failure::Usage(e.to_string()),
            TalkError::Differs { .. } => Failure::Refused(e.to_string()),
            TalkError::Io { .. } | TalkError::Damaged { .. } => Failure::Failed(e.to_string()),
        }
    }
}

/// Why a message was not told: nobody reads any more, which is no failure, or what went wrong.
enum Unheard {
    Gone,
    Failed(Failure),
}

impl From<TalkError> for Unheard {
    fn from(e: TalkError) -> Self {
        Unheard::Failed(e.into())
    }
}

impl From<io::Error> for Unheard {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Unheard::Gone,
            _ => Unheard::Failed(Failure::Failed(format!("writing to standard output: {e}"))),
        }
    }
}

/// Runs `hive talk`: tells what of the talk is asked for.
pub fn run(args: &TalkArgs) -> Result<(), Failure> {
    let path = named(args.run.as_deref())?;
    let mut file = TalkFile::open(&path)?;
    let filter = filter(args, &mut file)?;
    if args.counts {
        return counts(&mut file, &filter, args.json);
    }
    match listed(args, &mut file, &filter) {
        Ok(()) | Err(Unheard::Gone) => Ok(()),
        Err(Unheard::Failed(why)) => Err(why),
    }
}

/// The folder or file that is meant.
fn named(run: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = endpoint::kept_run(run, "--state or --talk")?;
    let said = run.unwrap_or(&path).display();
    if path.is_dir() && !path.join("talk").exists() {
        return Err(Failure::Usage(format!(
            "{said} has no talk; if it is a state folder (what was given to --state), start the run once with --replay, which \
             writes it"
        )));
    }
    Ok(path)
}

fn filter(args: &TalkArgs, file: &mut TalkFile) -> Result<TalkFilter, Failure> {
    let last = if args.from.is_some() || args.to.is_some() { file.last()? } else { None };
    let names = &file.head.names;
    let mut speakers: Vec<(String, Speaker)> =
        names.agents().zip(0..).map(|(name, n)| (name.to_owned(), Speaker::Agent(AgentId(n)))).collect();
    let goals = Goal::ALL.iter().flat_map(|g| [Speaker::Tracker(*g), Speaker::Manager(*g)]);
    let teams = (0..names.managers().count()).map(|n| Speaker::Team(ManagerId::of_team(n)));
    let others = goals.chain([Speaker::Desk, Speaker::Netting, Speaker::Gauge]).chain(teams);
    speakers.extend(others.map(|s| (recorder::speaker(names, s), s)));
    let assets: Vec<(String, AssetId)> =
        names.assets().zip(0..).map(|(name, n)| (name.to_owned(), AssetId(n))).collect();
    let kinds = TopicKind::ALL.map(|kind| (kind.text().to_owned(), kind));
    Ok(TalkFilter {
        from: bound("--from", args.from.as_deref(), last, Stamp::parse)?,
        to: bound("--to", args.to.as_deref(), last, feeds::parse_end)?,
        speakers: chosen("--agent", &args.agent, &speakers)?,
        assets: chosen("--asset", &args.asset, &assets)?,
        kinds: chosen("--kind", &args.kind, &kinds)?,
        life: args.life.map(SpokenBy::from),
    })
}

/// Those that are called so, whatever the case of their letters.
fn chosen<T: Copy>(flag: &str, wanted: &[String], known: &[(String, T)]) -> Result<Vec<T>, Failure> {
    let find = |name: &String| {
        let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, what)| *what).ok_or_else(|| {
            let near = nearest(name, known.iter().map(|(known, _)| known.as_str()));
            Failure::Usage(format!(
                "{flag} {name}: nobody and nothing of this run is called so; did you mean {near}?"
            ))
        })
    };
    wanted.iter().map(find).collect()
}

fn bound(
    flag: &str,
    text: Option<&str>,
    last: Option<Stamp>,
    day: fn(&str) -> Option<Stamp>,
) -> Result<Option<FilterBound>, Failure> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(number) = text.trim_start_matches('#').parse() {
        return Ok(Some(FilterBound::Number(number)));
    }
    let at = day(text).or_else(|| tui::moment(text, last.unwrap_or(Stamp(0))));
    at.map(|at| Some(FilterBound::Time(at))).ok_or_else(|| {
        Failure::Usage(format!(
            "{flag} {text}: write the number of a message, 2023-12-30, \"2023-12-30 14:02\" or -8h"
        ))
    })
}

/// Writes the messages, one a line.
fn listed(args: &TalkArgs, file: &mut TalkFile, filter: &TalkFilter) -> Result<(), Unheard> {
    let deeds = if args.acted { Deeds::read(file)? } else { Deeds::default() };
    let (names, mut out) = (file.head.names.clone(), BufWriter::new(io::stdout().lock()));
    let (mut told, mut kinds) = (0_u64, KindCounts::default());
    let torn = file.read(
        |head| filter.wants(head),
        |m| -> Result<(), Unheard> {
            if !filter.fits(m) {
                return Ok(());
            }
            let acted_on = deeds.of(m.id.0);
            kinds.count(m, acted_on);
            if args.acted && acted_on.is_empty() {
                return Ok(());
            }
            told += 1;
            let acted_on = args.acted.then_some(acted_on);
            if args.json {
                object(&mut out, &names, m, acted_on)
            } else {
                line(&mut out, &names, m, acted_on)
            }
        },
    )?;
    if args.acted && args.json {
        let row = |(kind, row): (TopicKind, crate::talk::ActedOn)| json!({"kind": kind.text(), "said": row.said, "acted_on": row.acted_on, "deeds": row.deeds});
        writeln!(out, "{}", json!({"kinds": kinds.rows().map(row).collect::<Vec<_>>()}))?;
    } else if args.acted {
        out.write_all(acted_table(&kinds).as_bytes())?;
    }
    out.flush()?;
    drop(out);
    let mut news = Vec::new();
    if told == 0 {
        let acted = if args.acted { " and was acted on" } else { "" };
        news.push(format!("nothing of what was said is asked for{acted}; with fewer of --from, --to, --agent, --asset, --kind and --life there is more"));
    }
    if torn > 0 {
        news.push(format!("the last {torn} bytes of the log are of a write that goes on or was cut short"));
    }
    tell(&news);
    Ok(())
}

fn object(
    out: &mut impl Write,
    names: &dyn TalkNames,
    message: &Message,
    acted_on: Option<&[u64]>,
) -> Result<(), Unheard> {
    let mut all = message_fields(names, message);
    if let Some(deeds) = acted_on {
        all.insert("acted_on".to_owned(), json!(deeds.len()));
        all.insert("deeds".to_owned(), json!(deeds));
    }
    serde_json::to_writer(&mut *out, &Value::Object(all)).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

fn line(
    out: &mut impl Write,
    names: &dyn TalkNames,
    message: &Message,
    acted_on: Option<&[u64]>,
) -> Result<(), Unheard> {
    let asset =
        message.asset.and_then(|a| names.asset_called(a)).map(|a| format!(" {a}")).unwrap_or_default();
    let (id, at, from) = (message.id.0, message.at, recorder::speaker(names, message.from));
    let text = format!("#{id} {at} {from}{asset} {}", recorder::line(names, message));
    let acted = acted_on.map(|deeds| {
        let numbers: Vec<String> = deeds.iter().map(|n| format!("#{n}")).collect();
        let word = if deeds.len() == 1 { "deed" } else { "deeds" };
        format!("; acted on in {} {word}: {}", deeds.len(), numbers.join(", "))
    });
    let text = text + acted.as_deref().unwrap_or_default();
    Ok(writeln!(out, "{}", printable(&text))?)
}

fn acted_table(kinds: &KindCounts) -> String {
    let mut table = TextTable::new(1, &["kind", "said", "acted on", "deeds"]);
    for (kind, row) in kinds.rows() {
        table.row([
            kind.text().to_owned(),
            row.said.to_string(),
            row.acted_on.to_string(),
            row.deeds.to_string(),
        ]);
    }
    let mut text = String::from("\n");
    // Writing to a string cannot fail.
    let _ = table.render(&mut text);
    text
}

/// How much of each kind was said, as the summary of a run counts it.
fn counts(file: &mut TalkFile, filter: &TalkFilter, as_json: bool) -> Result<(), Failure> {
    let [mut all, mut alone, mut open] = [MessageCounts::default(); 3];
    let (mut deeds, mut messages) = (0_u64, 0_u64);
    let each = |m: &Message| -> Result<(), TalkError> {
        if filter.fits(m) {
            messages += 1;
            deeds += u64::from(!m.swayed.is_empty());
            // What open lives say apart is counted apart.
            if m.life == SpokenBy::Open { &mut open } else { &mut all }.count(&m.body);
            if m.life == SpokenBy::Alone {
                alone.count(&m.body);
            }
        }
        Ok(())
    };
    file.read(|head| filter.wants(head), each)?;
    let value = json!({"messages": all, "messages_alone": alone, "messages_open": open, "deeds": deeds});
    if as_json {
        return print(&format!("{value}\n"));
    }
    let mut table = TextTable::new(1, &["kind", "said", "alone only", "open only"]);
    let of = |life: &str, kind: &str| value[life][kind].to_string();
    for kind in value["messages"].as_object().into_iter().flat_map(|all| all.keys()) {
        let lives = ["messages", "messages_alone", "messages_open"].map(|life| of(life, kind));
        let [said, alone, open] = lives;
        table.row([kind.replace('_', " "), said, alone, open]);
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = table.render(&mut text);
    print(&format!("{text}\n{messages} messages, {deeds} of them deeds that others swayed\n"))
}
