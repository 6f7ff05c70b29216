//! `hive ctl`: one command to a running hive, one JSON object as the answer.

use crate::cli::endpoint::{EndpointArgs, failed};
use crate::cli::failure::Failure;
use crate::cli::options;
use crate::cli::output::print;
use crate::domain::command::{self, CommandRow, Scope};
use crate::domain::{AgentId, Command, printable};
use crate::view::link::{News, SwarmLink};
use crate::view::operator::AgentSwitches;
use crate::wire::{Client, ClientError, ClientQuestion, ClientRole, RemoteLink, ServerAnswer};
use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

/// How long `kill` tries to get through.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks for a new picture.
const GLANCE: Duration = Duration::from_millis(10);

/// Options of `hive ctl`.
#[derive(Clone, Debug, ClapArgs)]
pub struct CtlArgs {
    /// What to ask
    #[arg(value_parser = PossibleValuesParser::new(verbs()))]
    verb: String,
    /// Which agent: its name, or its number; pause, resume and drain without one mean all; pause, resume, mute and unmute
    /// take managers too, by their names
    agent: Option<String>,
    /// End after this many pictures (watch)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    reach: EndpointArgs,
}

/// Questions that are no command, and what they print.
const QUESTIONS: [(&str, &str); 3] = [
    ("status", "Mode, market time, equity, exposure, clients"),
    ("watch", "A line of JSON for every picture that a cockpit is shown: seq, its hash, time, equity"),
    ("agents", "Every agent: its state, funds, points, real PnL"),
];

/// All words: the questions, then the table of commands.
fn verbs() -> Vec<PossibleValue> {
    let questions = QUESTIONS.iter().map(|(word, help)| PossibleValue::new(*word).help(*help));
    let commands =
        command::words().into_iter().map(|word| PossibleValue::new(word).help(command::help(word)));
    questions.chain(commands).collect()
}

/// What the words ask for, as far as it is known without the list of agents.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Ask(ClientQuestion),
    OfAgent(fn(AgentId) -> Command, &'a str),
}

/// Reads the words, none for `watch`; what is wrong with them, and the way out.
fn wanted(args: &CtlArgs) -> Result<Option<Wanted<'_>>, Failure> {
    let verb = args.verb.as_str();
    if args.count.is_some() && verb != "watch" {
        return Err(Failure::Usage("--count is for hive ctl watch".to_owned()));
    }
    let row = |for_agent| command::find(verb, for_agent);
    match (&args.agent, row(true), row(false)) {
        (Some(agent), Some(CommandRow { scope: Scope::Agent(make), .. }), _) => {
            Ok(Some(Wanted::OfAgent(*make, agent)))
        }
        (Some(_), ..) => Err(Failure::Usage(format!("{verb} is about the whole hive; leave the agent out"))),
        (None, _, Some(CommandRow { scope: Scope::All(command), .. })) => {
            Ok(Some(Wanted::Ask(ClientQuestion::Command(*command))))
        }
        (None, _, Some(_)) => Ok(Some(Wanted::Ask(ClientQuestion::Stop))),
        (None, Some(_), None) => Err(Failure::Usage(format!(
            "{verb} which agent? hive ctl {verb} NAME; hive ctl agents lists them"
        ))),
        (None, None, None) => Ok(match verb {
            "status" => Some(Wanted::Ask(ClientQuestion::Status)),
            "agents" => Some(Wanted::Ask(ClientQuestion::Agents)),
            _ => None,
        }),
    }
}

/// Attaches, again and again for a while: whoever wants to stop does not go away because seats are taken for a moment, or the
/// hive is just being started.
fn attach(reach: &EndpointArgs, patience: Duration) -> Result<Client, Failure> {
    let (place, asked) = (reach.place()?, Instant::now());
    loop {
        match Client::attach(&place, ClientRole::Ctl, 0) {
            Err(ClientError::Refused(_) | ClientError::NotRunning(_) | ClientError::Frame(_))
                if asked.elapsed() < patience =>
            {
                std::thread::sleep(GLANCE);
            }
            done => return done.map_err(failed),
        }
    }
}

/// Asks, and says what was answered.
pub fn run(args: &CtlArgs) -> Result<(), Failure> {
    let Some(wanted) = wanted(args)? else { return watch(args) };
    let patience = if args.verb == "kill" { KILL_PATIENCE } else { Duration::ZERO };
    let mut client = attach(&args.reach, patience)?;
    let (ask, agent) = match wanted {
        Wanted::OfAgent(make, name) => {
            let all = agents(&mut client)?;
            let managed = manager(&mut client, &args.verb, name)?.filter(|_| !is_one_of(&all, name));
            if let Some((command, name)) = managed {
                (ClientQuestion::Command(command), Some(name))
            } else {
                let found = find(&all, name)?;
                (ClientQuestion::Command(make(found.id)), Some(found.name))
            }
        }
        Wanted::Ask(ask) => (ask, None),
    };
    let verb = &args.verb;
    let row = if let ClientQuestion::Command(command) = &ask { Some(command.row()) } else { None };
    let json = match client.ask(ask).map_err(failed)? {
        ServerAnswer::Refused(why) => return Err(Failure::Refused(why)),
        ServerAnswer::Status(status) => encoded(&status)?,
        ServerAnswer::Agents(agents) => json!({ "agents": encoded(&agents)? }),
        ServerAnswer::Done { changed, at, seq } => {
            let done = row.filter(|_| changed).map(|r| r.done(agent.as_deref().unwrap_or_default()));
            json!({
                "verb": verb, "agent": agent, "changed": changed, "done": done, "market_time": at.to_string(),
                "seq": seq,
            })
        }
        ServerAnswer::Page(page) => encoded(&page)?,
        ServerAnswer::Lab(page) => encoded(&page)?,
        ServerAnswer::Past(past) => encoded(&past)?,
        ServerAnswer::Fetching(share) => json!({ "fetching": share }),
        ServerAnswer::Talk { log, .. } => json!({ "log": log }),
        ServerAnswer::Told(text) => json!({ "told": text }),
        ServerAnswer::Stopping => {
            gone(&mut client)?;
            json!({ "verb": verb, "stopped": true })
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
                match writeln!(std::io::stdout(), "{}", printable(&line.to_string())) {
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

/// The command about the manager of this name, and its name; nothing where no manager is called so.
fn manager(client: &mut Client, verb: &str, wanted: &str) -> Result<Option<(Command, String)>, Failure> {
    let Some(CommandRow { scope: Scope::Manager(make), .. }) = command::find_for_manager(verb) else {
        return Ok(None);
    };
    let managers = match client.ask(ClientQuestion::Status).map_err(failed)? {
        ServerAnswer::Status(status) => status.managers,
        ServerAnswer::Refused(why) => return Err(Failure::Refused(why)),
        other => return Err(Failure::Failed(format!("asked how it is, the hive said {other:?}"))),
    };
    let found = managers.into_iter().find(|m| m.name.eq_ignore_ascii_case(wanted));
    Ok(found.map(|m| (make(m.id), m.name)))
}

fn is_one_of(agents: &[AgentSwitches], wanted: &str) -> bool {
    agents.iter().any(|a| a.name.eq_ignore_ascii_case(wanted))
}

fn find(agents: &[AgentSwitches], wanted: &str) -> Result<AgentSwitches, Failure> {
    let number = wanted.parse().ok().map(AgentId);
    let exact = agents.iter().find(|a| a.name.eq_ignore_ascii_case(wanted) || Some(a.id) == number);
    if let Some(found) = exact {
        return Ok(found.clone());
    }
    let nearest = options::nearest(wanted, agents.iter().map(|a| a.name.as_str()));
    Err(Failure::Usage(format!(
        "there is no agent {wanted:?}; did you mean {nearest}? hive ctl agents lists all"
    )))
}
