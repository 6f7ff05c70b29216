//! `hive export`: any table of the cockpit as CSV or JSON, of now or of a moment that is kept.

use crate::cli::endpoint::{EndpointArgs, failed};
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::domain::{AgentId, Message, Stamp, printable};
use crate::talk::{FilterBound, TalkError, TalkFile, TalkFilter, TalkHead, message_fields};
use crate::tui;
use crate::view::cockpit::{AgentRow, EdgeRow, GoalView, IntentView, MessageLine, StanceReason};
use crate::view::past::When;
use crate::view::{AgentPage, Cockpit};
use crate::wire::{Client, ClientQuestion, ClientRole, ServerAnswer, ServerFrame};
use clap::{Args as Arguments, ValueEnum};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A moment that is being read from the journal is asked for again after this long.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Options of `hive export`.
#[derive(Clone, Debug, Arguments)]
pub struct ExportArgs {
    /// Table of the running hive to be written
    #[arg(value_enum)]
    table: ExportTable,
    /// How it is written
    #[arg(long, value_enum, default_value = "csv")]
    format: ExportFormat,
    /// Into this file instead of standard output; one that is there is left alone
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// As it was then: "yesterday 14:02", "2023-12-30 14:02", -8h (of the market's time)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(flatten)]
    reach: EndpointArgs,
}

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportTable {
    /// Every agent: state, points, the three lives, funds, what it holds
    Agents,
    /// The last messages, a field for each condition, and how many acted on each; hive talk has all there ever were
    Messages,
    /// Who moved whom, on what, by which message and decision
    Network,
    /// The goals, and emergence with its interval
    Goals,
    /// The curves: alone, open, real and drawdown, oldest first
    Pnl,
    /// What every agent is doing on every asset, with its conditions
    Open,
    /// Every agent's last stance on every asset: own intent, factors, the messages that moved it most
    Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// With a header line; lists are joined by "; "
    Csv,
    /// An array of objects
    Json,
}

/// Rows under a header.
struct ExportSheet {
    head: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

/// Runs `hive export`: asks the hive for a table and writes it.
pub fn run(args: &ExportArgs) -> Result<(), Failure> {
    let socket_path = args.reach.place()?;
    let role = if args.at.is_some() { ClientRole::Ctl } else { ClientRole::ReadOnly };
    let mut client = Client::attach(&socket_path, role, 0).map_err(failed)?;
    let view = match &args.at {
        None => newest(&mut client)?,
        Some(text) => moment(&mut client, text)?,
    };
    let pages = if matches!(args.table, ExportTable::Open | ExportTable::Why) {
        pages(&mut client, &view, args.at.is_some())?
    } else {
        Vec::new()
    };
    let spoken = match args.table {
        ExportTable::Messages => said(&mut client, &view)?,
        _ => Spoken::default(),
    };
    let sheet = sheet(args.table, &view, &pages, &spoken);
    let text = match args.format {
        ExportFormat::Csv => csv(&sheet)?,
        ExportFormat::Json => as_json(&sheet)?,
    };
    args.out.as_ref().map_or_else(|| print(&text), |path| write(path, &text))
}

/// What a cockpit would be shown now.
fn newest(client: &mut Client) -> Result<Cockpit, Failure> {
    loop {
        match client.hear().map_err(failed)? {
            ServerFrame::Snapshot { view, .. } => {
                return postcard::from_bytes(&view)
                    .map_err(|e| Failure::Failed(format!("the hive's picture cannot be read: {e}")));
            }
            ServerFrame::Bye(why) => return Err(Failure::Failed(format!("the hive has gone: {why}"))),
            _ => {}
        }
    }
}

fn past(
    client: &mut Client,
    when: When,
    agent: Option<AgentId>,
) -> Result<(Cockpit, Option<AgentPage>), Failure> {
    let answer = loop {
        match client.ask(ClientQuestion::Past(when, agent)).map_err(failed)? {
            ServerAnswer::Fetching(_) => std::thread::sleep(AGAIN),
            answer => break answer,
        }
    };
    match answer {
        ServerAnswer::Past(past) => Ok((past.view, past.page)),
        ServerAnswer::Refused(why) => Err(Failure::Refused(why)),
        other => Err(Failure::Failed(format!("asked for the past, the hive said {other:?}"))),
    }
}

fn moment(client: &mut Client, text: &str) -> Result<Cockpit, Failure> {
    let (now, _) = past(client, When::At(Stamp(i64::MAX)), None)?;
    let now = now.market_time.unwrap_or(Stamp(0));
    let at = tui::moment(text, now).ok_or_else(|| {
        Failure::Usage(format!("--at {text}: write 14:02, \"yesterday 14:02\", \"2023-12-30 14:02\" or -8h"))
    })?;
    let (view, _) = past(client, When::At(at), None)?;
    // The oldest that is kept stands for everything before it, where a person sees so; a file would lie.
    match view.market_time {
        Some(first) if first > at => Err(Failure::Usage(format!(
            "--at {text}: nothing is kept of {at}; the oldest moment is of {first}. hive journal export has every command"
        ))),
        _ => Ok(view),
    }
}

fn pages(client: &mut Client, view: &Cockpit, then: bool) -> Result<Vec<AgentPage>, Failure> {
    let mut pages = Vec::with_capacity(view.agents.len());
    for agent in &view.agents {
        if then {
            pages.extend(past(client, When::Step { seq: view.seq, by: 0 }, Some(agent.id))?.1);
            continue;
        }
        match client.ask(ClientQuestion::Page(agent.id)).map_err(failed)? {
            ServerAnswer::Page(page) => pages.push(*page),
            ServerAnswer::Refused(why) => return Err(Failure::Refused(why)),
            other => {
                return Err(Failure::Failed(format!("asked for {}, the hive said {other:?}", agent.name)));
            }
        }
    }
    Ok(pages)
}

fn time(at: Option<Stamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

fn sheet(table: ExportTable, c: &Cockpit, pages: &[AgentPage], spoken: &Spoken) -> ExportSheet {
    match table {
        ExportTable::Messages => messages(c, spoken),
        ExportTable::Agents => agents(c),
        ExportTable::Network => network(c),
        ExportTable::Goals => goals(c),
        ExportTable::Pnl => pnl(c),
        ExportTable::Open => open(c, pages),
        ExportTable::Why => why(pages),
    }
}

fn agents(c: &Cockpit) -> ExportSheet {
    let row = |a: &AgentRow| {
        vec![
            time(c.market_time),
            json!(a.id.0),
            json!(a.name),
            json!(a.family.text()),
            json!(a.goal.to_string()),
            json!(a.assets),
            json!(a.state.text()),
            json!(a.points),
            json!(a.alone),
            json!(a.open),
            json!(a.real.to_string()),
            json!(a.funds.to_string()),
            json!(a.voice),
            json!(a.influence),
            json!(a.position),
            json!(a.last.0),
            json!(a.said),
        ]
    };
    let head = &[
        "time",
        "id",
        "name",
        "family",
        "goal",
        "assets",
        "state",
        "points",
        "alone",
        "open",
        "real",
        "funds",
        "voice",
        "influence",
        "holds",
        "last",
        "said",
    ];
    ExportSheet { head: head.to_vec(), rows: c.agents.iter().map(row).collect() }
}

/// Messages in full, each as fields.
#[derive(Default)]
struct Spoken(BTreeMap<u64, Map<String, Value>>);

/// The messages of a picture in full: those of now as the hive has them, those of before from its log.
fn said(client: &mut Client, view: &Cockpit) -> Result<Spoken, Failure> {
    let (Some(first), Some(last)) = (view.messages.first(), view.messages.last()) else {
        return Ok(Spoken::default());
    };
    let wanted = first.id.0..=last.id.0;
    let (newest, log) = match client.ask(ClientQuestion::Talk).map_err(failed)? {
        ServerAnswer::Talk { last, log } => (last, log),
        ServerAnswer::Refused(why) => return Err(Failure::Refused(why)),
        other => return Err(Failure::Failed(format!("asked for what was said, the hive said {other:?}"))),
    };
    let (head, messages) = TalkHead::split(&newest).map_err(Failure::Failed)?;
    let mut spoken = Spoken::default();
    let mut put = |m: &Message| {
        if wanted.contains(&m.id.0) {
            spoken.0.insert(m.id.0, message_fields(&head.names, m));
        }
    };
    if messages.iter().any(|m| m.id == first.id) {
        messages.iter().for_each(&mut put);
    } else if let Some(log) = log {
        let bound = |id| Some(FilterBound::Number(id));
        let filter = TalkFilter { from: bound(first.id.0), to: bound(last.id.0), ..TalkFilter::default() };
        let each = |m: &Message| -> Result<(), TalkError> {
            put(m);
            Ok(())
        };
        TalkFile::open(Path::new(&log))?.read(|head| filter.wants(head), each)?;
    }
    match view.messages.iter().find(|m| !spoken.0.contains_key(&m.id.0)) {
        None => Ok(spoken),
        Some(m) => Err(Failure::Refused(format!(
            "nothing is kept of message {} in full: a hive that is started with --state keeps all that is said",
            m.id.0
        ))),
    }
}

/// Columns that a message has of itself, of what an action is, and of the plan of one.
const OF_MESSAGE: [&str; 7] = ["id", "time", "from", "asset", "life", "kind", "swayed"];
const OF_ACTION: [&str; 7] = ["side", "intent", "reason", "before", "after", "delta", "price"];
const OF_PLAN: [&str; 9] = ["legs", "stop", "trail", "exit", "expire", "targets", "add", "hedge", "reenter"];
/// What is said by who does not act, each under the name of its kind.
const OF_OTHERS: [&str; 9] =
    ["outcome", "stance", "goal", "adjustment", "emergence", "carry", "receipt", "work", "wait"];

fn messages(c: &Cockpit, spoken: &Spoken) -> ExportSheet {
    let row = |m: &MessageLine| {
        let said = spoken.0.get(&m.id.0);
        let of = |name: &str| said.and_then(|s| s.get(name)).cloned().unwrap_or_default();
        let action = of("action");
        let plan = action.get("plan").cloned().unwrap_or_default();
        let part = |from: &Value, name: &str| from.get(name).cloned().unwrap_or_default();
        let own = OF_MESSAGE.iter().map(|name| of(if *name == "time" { "at" } else { name }));
        let acts = OF_ACTION.iter().map(|name| part(&action, name));
        let plans = OF_PLAN.iter().map(|name| part(&plan, name));
        let others = OF_OTHERS.iter().map(|name| of(name));
        own.chain(acts).chain(plans).chain(others).chain([of("text"), json!(m.acted_on)]).collect()
    };
    let head = [&OF_MESSAGE[..], &OF_ACTION, &OF_PLAN, &OF_OTHERS, &["text", "acted_on"]].concat();
    ExportSheet { head, rows: c.messages.iter().map(row).collect() }
}

fn network(c: &Cockpit) -> ExportSheet {
    let name = |id: AgentId| c.agents.iter().find(|a| a.id == id).map(|a| a.name.clone());
    let row = |e: &EdgeRow| {
        vec![
            time(c.market_time),
            json!(e.from_name),
            json!(name(e.to)),
            json!(e.asset),
            json!(e.share),
            json!(e.value),
            json!(e.message.0),
            json!(e.decision.0),
        ]
    };
    let head = &["time", "from", "to", "asset", "share", "value", "message", "decision"];
    ExportSheet { head: head.to_vec(), rows: c.edges.iter().map(row).collect() }
}

fn pnl(c: &Cockpit) -> ExportSheet {
    let k = &c.curves;
    let row = |n: usize| {
        let of = |curve: &Vec<f64>| json!(curve.get(n));
        vec![json!(n), time(k.from), of(&k.alone), of(&k.open), of(&k.real), of(&k.drawdown)]
    };
    let head = &["point", "from", "alone", "open", "real", "drawdown"];
    ExportSheet { head: head.to_vec(), rows: (0..k.real.len()).map(row).collect() }
}

fn open(c: &Cockpit, pages: &[AgentPage]) -> ExportSheet {
    let row = |p: &AgentPage, i: &IntentView| {
        let conditions: Vec<String> = i.conditions.iter().map(|(n, t)| format!("{n}: {t}")).collect();
        vec![
            time(c.market_time),
            json!(p.row.name),
            json!(i.asset),
            json!(i.intent),
            json!(i.price),
            json!(i.close),
            json!(i.message.map(|m| m.0)),
            json!(conditions),
        ]
    };
    let head = &["time", "agent", "asset", "intent", "price", "close", "message", "conditions"];
    ExportSheet {
        head: head.to_vec(),
        rows: pages.iter().flat_map(|p| p.intents.iter().map(|i| row(p, i))).collect(),
    }
}

fn why(pages: &[AgentPage]) -> ExportSheet {
    let row = |p: &AgentPage, w: &StanceReason| {
        let because: Vec<String> = w.because.iter().map(|(id, t)| format!("#{} {t}", id.0)).collect();
        vec![
            json!(p.row.name),
            json!(w.asset),
            time(Some(w.at)),
            json!(w.message.0),
            json!(w.verb),
            json!(w.own),
            json!(w.result),
            json!(w.factors),
            json!(because),
        ]
    };
    let head = &["agent", "asset", "time", "decision", "verb", "own", "result", "factors", "because"];
    ExportSheet {
        head: head.to_vec(),
        rows: pages.iter().flat_map(|p| p.why.iter().map(|w| row(p, w))).collect(),
    }
}

fn goals(c: &Cockpit) -> ExportSheet {
    let goal = |g: &GoalView| {
        vec![
            time(c.market_time),
            json!(g.goal.to_string()),
            json!(g.score),
            json!(g.value),
            json!(g.target),
            Value::Null,
            Value::Null,
        ]
    };
    let mut rows: Vec<Vec<Value>> = c.goals.iter().map(goal).collect();
    if let Some(e) = c.emergence {
        rows.push(vec![
            time(c.market_time),
            json!("emergence"),
            Value::Null,
            json!(e.gain),
            Value::Null,
            json!(e.from),
            json!(e.to),
        ]);
    }
    ExportSheet { head: vec!["time", "goal", "score", "value", "target", "low", "high"], rows }
}

/// A value in a cell: text as it is, nothing for none, lists joined, and of what has parts the words for it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(cell).collect::<Vec<_>>().join("; "),
        Value::Object(parts) if parts.contains_key("text") => cell(&parts["text"]),
        other => other.to_string(),
    }
}

fn csv(sheet: &ExportSheet) -> Result<String, Failure> {
    let bad = |e: &dyn std::fmt::Display| Failure::Failed(format!("writing CSV: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&sheet.head).map_err(|e| bad(&e))?;
    for row in &sheet.rows {
        writer.write_record(row.iter().map(cell)).map_err(|e| bad(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| bad(&e))?;
    String::from_utf8(bytes).map_err(|e| bad(&e))
}

fn as_json(sheet: &ExportSheet) -> Result<String, Failure> {
    let object = |row: &Vec<Value>| -> Value {
        Value::Object(
            sheet.head.iter().map(|h| (*h).to_owned()).zip(row.iter().cloned()).collect::<Map<_, _>>(),
        )
    };
    let all: Vec<Value> = sheet.rows.iter().map(object).collect();
    let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
    Ok(text + "\n")
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let refused = |e: std::io::Error| {
        Failure::Usage(format!(
            "--out {}: {e}; name a new file in a folder that can be written",
            path.display()
        ))
    };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(refused)?;
    std::io::Write::write_all(&mut file, printable(text).as_bytes()).map_err(refused)
}
