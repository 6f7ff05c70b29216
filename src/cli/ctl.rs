//! `hive ctl`: one command to a running hive, one JSON object as the answer.

use super::endpoint::{EndpointArgs, failed};
use super::{Failure, print};
use crate::domain::{AgentId, Command};
use crate::view::link::{News, SwarmLink};
use crate::view::operator::AgentSwitches;
use crate::wire::{Client, ClientError, ClientQuestion, ClientRole, RemoteLink, ServerAnswer};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// Between two looks for a new picture.
const GLANCE: Duration = Duration::from_millis(10);

/// Options of `hive ctl`.
#[derive(Clone, Debug, ClapArgs)]
pub struct CtlArgs {
    /// What to ask
    #[arg(value_enum)]
    verb: CtlCommand,
    /// Which agent: its name, or its number; pause, resume and drain without one mean all
    agent: Option<String>,
    /// End after this many pictures (watch)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    reach: EndpointArgs,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CtlCommand {
    /// Mode, market time, equity, exposure, clients
    Status,
    /// A line of JSON for every picture that a cockpit is shown: seq, its hash, time, equity
    Watch,
    /// Every agent: its state, funds, points, real PnL
    Agents,
    /// Real takes no new risk; the agent speaks on, alone and in open it goes on
    Pause,
    /// End of pause and drain; without an agent also of flatten
    Resume,
    /// The agent is not heard; it still hears
    Mute,
    /// The agent is heard again
    Unmute,
    /// The agent hears nothing; it is still heard
    Deafen,
    /// The agent hears again
    Undeafen,
    /// The agent gets funds by its points
    Fund,
    /// Its funds go back to the treasury; in open it goes on
    Unfund,
    /// Its real position may only shrink, and runs off
    Drain,
    /// Everything in real is closed, and stays closed until resume
    Flatten,
    /// Halt: opening orders are cancelled, no new risk, reductions pass; until reset
    Kill,
    /// Release the kill switch and the drawdown breaker
    Reset,
    /// End the process
    Stop,
}

type OfAgent = fn(AgentId) -> Command;

impl CtlCommand {
    /// The command for one agent, and the one for all.
    fn commands(self) -> (Option<OfAgent>, Option<Command>) {
        match self {
            CtlCommand::Status | CtlCommand::Watch | CtlCommand::Agents | CtlCommand::Stop => (None, None),
            CtlCommand::Pause => (Some(Command::Pause), Some(Command::PauseAll)),
            CtlCommand::Resume => (Some(Command::Resume), Some(Command::ResumeAll)),
            CtlCommand::Drain => (Some(Command::Drain), Some(Command::DrainAll)),
            CtlCommand::Mute => (Some(Command::Mute), None),
            CtlCommand::Unmute => (Some(Command::Unmute), None),
            CtlCommand::Deafen => (Some(Command::Deafen), None),
            CtlCommand::Undeafen => (Some(Command::Undeafen), None),
            CtlCommand::Fund => (Some(Command::Fund), None),
            CtlCommand::Unfund => (Some(Command::Unfund), None),
            CtlCommand::Flatten => (None, Some(Command::Flatten)),
            CtlCommand::Kill => (None, Some(Command::Kill)),
            CtlCommand::Reset => (None, Some(Command::Reset)),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
}

/// Asks, and says what was answered.
pub fn run(args: &CtlArgs) -> Result<(), Failure> {
    let verb = args.verb;
    let (one, all) = verb.commands();
    if args.agent.is_some() && one.is_none() {
        return Err(Failure::Usage(format!("{} is about the whole hive; leave the agent out", verb.name())));
    }
    if args.agent.is_none() && one.is_some() && all.is_none() {
        return Err(Failure::Usage(format!(
            "{0} which agent? hive ctl {0} NAME; hive ctl agents lists them",
            verb.name()
        )));
    }
    if args.count.is_some() && verb != CtlCommand::Watch {
        return Err(Failure::Usage("--count is for hive ctl watch".to_owned()));
    }
    if verb == CtlCommand::Watch {
        return watch(args);
    }
    let mut client = Client::attach(&args.reach.place()?, ClientRole::Ctl, 0).map_err(failed)?;
    let mut agent = None;
    let ask = match (verb, &args.agent, one, all) {
        (CtlCommand::Status, ..) => ClientQuestion::Status,
        (CtlCommand::Agents, ..) => ClientQuestion::Agents,
        (_, Some(wanted), Some(command), _) => {
            let found = find(&agents(&mut client)?, wanted)?;
            let command = command(found.id);
            agent = Some(found.name);
            ClientQuestion::Command(command)
        }
        (_, _, _, Some(command)) => ClientQuestion::Command(command),
        _ => ClientQuestion::Stop,
    };
    let answer = client.ask(ask).map_err(failed)?;
    let json = match answer {
        ServerAnswer::Refused(why) => return Err(Failure::Refused(why)),
        ServerAnswer::Status(status) => encoded(&status)?,
        ServerAnswer::Agents(agents) => json!({ "agents": encoded(&agents)? }),
        ServerAnswer::Done { changed, at, seq } => json!({
            "verb": verb.name(), "agent": agent, "changed": changed, "market_time": at.to_string(), "seq": seq,
        }),
        ServerAnswer::Page(page) => encoded(&page)?,
        ServerAnswer::Lab(page) => encoded(&page)?,
        ServerAnswer::Past(past) => encoded(&past)?,
        ServerAnswer::Fetching(share) => json!({ "fetching": share }),
        ServerAnswer::Stopping => {
            gone(&mut client)?;
            json!({ "verb": verb.name(), "stopped": true })
        }
    };
    let text = serde_json::to_string_pretty(&json).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
    print(&format!("{text}\n"))
}

/// Says what a cockpit would see, from the same changes, until it has said enough or the hive has gone.
fn watch(args: &CtlArgs) -> Result<(), Failure> {
    let mut link = RemoteLink::attach(&args.reach.place()?, true).map_err(failed)?;
    let mut left = args.count;
    while left != Some(0) {
        match link.poll() {
            Some(News::Cockpit(view)) => {
                let line = json!({
                    "seq": view.seq, "view_hash": view.view_hash(), "mode": view.mode.text(),
                    "market_time": view.market_time.map(|t| t.to_string()), "progress": view.progress,
                    "run": view.account.run, "equity": view.account.equity, "today": view.account.today,
                    "drawdown": view.account.drawdown, "messages": view.account.messages,
                });
                match writeln!(std::io::stdout(), "{line}") {
                    Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                    done => done.map_err(|e| Failure::Failed(format!("writing to standard output: {e}")))?,
                }
                left = left.map(|n| n - 1);
            }
            Some(News::Lost(why)) => return Err(Failure::Failed(format!("the hive has gone: {why}"))),
            Some(_) => {}
            None => std::thread::sleep(GLANCE),
        }
    }
    Ok(())
}

fn encoded<T: serde::Serialize>(value: &T) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|e| Failure::Failed(format!("encoding the answer: {e}")))
}

/// Waits until the hive has let go of us: then its run is over.
fn gone(client: &mut Client) -> Result<(), Failure> {
    loop {
        match client.hear() {
            Ok(_) => {}
            Err(ClientError::Frame(crate::wire::frame::FrameError::Io(e)))
                if e.kind() != std::io::ErrorKind::WouldBlock =>
            {
                return Ok(());
            }
            Err(e) => return Err(failed(e)),
        }
    }
}

fn agents(client: &mut Client) -> Result<Vec<AgentSwitches>, Failure> {
    match client.ask(ClientQuestion::Agents).map_err(failed)? {
        ServerAnswer::Agents(agents) => Ok(agents),
        ServerAnswer::Refused(why) => Err(Failure::Refused(why)),
        other => Err(Failure::Failed(format!("asked for the agents, the hive said {other:?}"))),
    }
}

fn find(agents: &[AgentSwitches], wanted: &str) -> Result<AgentSwitches, Failure> {
    let number = wanted.parse().ok().map(AgentId);
    let exact = agents.iter().find(|a| a.name.eq_ignore_ascii_case(wanted) || Some(a.id) == number);
    if let Some(found) = exact {
        return Ok(found.clone());
    }
    let distance =
        |a: &&AgentSwitches| strsim::damerau_levenshtein(&a.name.to_lowercase(), &wanted.to_lowercase());
    let nearest = agents.iter().min_by_key(distance).map_or("", |a| &a.name);
    Err(Failure::Usage(format!(
        "there is no agent {wanted:?}; did you mean {nearest}? hive ctl agents lists all"
    )))
}
