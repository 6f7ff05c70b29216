//! The operator's commands in the cockpit, by the table of [`command`]: what is asked before one leaves, and what takes
//! it back.
//!
//! # Invariants
//!
//! 1. Whatever its word is, a command goes by the danger of its row: at once and to be undone, `y` before money moves,
//!    the word letter by letter before everybody's money moves, a chord or the word for the kill switch.
//! 2. Nothing but the kill switch is sent while the past is shown.

use super::action::UserAction;
use super::context::PaneContext;
use super::layers::dialog::Question;
use super::theme::StyleRole;
use crate::domain::command::{self, CommandRow, Danger, Scope};
use crate::domain::{Command, Decimal};
use crate::view::cockpit::{AgentRow, AgentState};
use crate::view::link::Request;
use std::time::Duration;

/// How long the second half of the kill chord is waited for.
const CHORD: Duration = Duration::from_secs(2);
/// How long a command can be undone.
const UNDO: Duration = Duration::from_secs(10);
/// What names everybody in place of an agent.
const ALL: &str = "all";

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Commanded {
    /// It did not leave, and it was said why.
    Nothing,
    /// It leaves at once.
    Send(Request),
    /// It leaves once this is answered.
    Ask(Question),
}

/// The commands that are on their way back, and the first half of the kill chord.
#[derive(Default)]
pub struct Operator {
    /// What takes the last command back, and until when.
    undo: Option<(Request, Duration)>,
    /// A command that was sent, and what takes it back where its row alone does not tell.
    takes_back: Option<(Command, Command)>,
    /// When the chord was begun.
    chord: Option<Duration>,
}

impl Operator {
    /// The kill chord: its first half warns, its second sends.
    pub(super) fn chord_of_kill(&mut self, cx: &mut PaneContext) -> Option<Request> {
        if cx.read_only {
            cx.say_read_only();
            return None;
        }
        if self.chord.take().is_some_and(|since| cx.now.saturating_sub(since) < CHORD) {
            return Some(Request::Command(Command::Kill));
        }
        self.chord = Some(cx.now);
        let again = cx.keymap.key(UserAction::KILL);
        cx.say(format!("{again} again within 2 s halts the swarm"), StyleRole::Bad);
        None
    }

    /// A command from the `:` line: of the agent that is named, of all, or without a name of whom the keys are about.
    pub(super) fn operate(&mut self, cx: &mut PaneContext, word: &str, name: &str) -> Commanded {
        if let Some(managed) = Self::manage(cx, word, name) {
            return managed;
        }
        let of_agent = command::find(word, true).filter(|_| name != ALL);
        let Some(row) = of_agent.or_else(|| command::find(word, false)) else { return Commanded::Nothing };
        if !row.scope.is_agent() {
            return self.perform(cx, row, None);
        }
        let named = |a: &&AgentRow| a.name.eq_ignore_ascii_case(name);
        let found = if name.is_empty() {
            subject(cx)
        } else {
            cx.cockpit.as_ref().and_then(|c| c.agents.iter().find(named)).cloned()
        };
        let Some(agent) = found else {
            cx.say(format!("there is no agent {name:?}; tab completes names"), StyleRole::Warn);
            return Commanded::Nothing;
        };
        self.perform(cx, row, Some(&agent))
    }

    /// A command about the manager of this name; nothing where no manager is called so.
    fn manage(cx: &mut PaneContext, word: &str, name: &str) -> Option<Commanded> {
        let row = command::find_for_manager(word)?;
        let Scope::Manager(make) = row.scope else { return None };
        let rows = &cx.cockpit.as_ref()?.managers;
        let id = rows.iter().find(|m| m.name.eq_ignore_ascii_case(name))?.id;
        let refused = refuses(cx, row);
        Some(refused.unwrap_or_else(|| Commanded::Send(Request::Command(make(id)))))
    }

    /// A command from a key: of whom the keys are about, and taken back where it holds already.
    pub(super) fn toggle(&mut self, cx: &mut PaneContext, word: &'static str) -> Commanded {
        let Some(row) = command::find(word, true) else { return self.operate(cx, word, "") };
        let Some(agent) = subject(cx) else { return Commanded::Nothing };
        let holds = match row.scope {
            // Who was stopped out and is given funds starts over.
            Scope::Agent(make) => {
                let stopped_out = row.danger == Danger::Money && agent.state == AgentState::StoppedOut;
                agent.switches.holds(make(agent.id)) && !stopped_out
            }
            Scope::Manager(_) | Scope::All(_) | Scope::Process => false,
        };
        let back = row.inverse.filter(|_| holds).and_then(|inverse| command::find(inverse, true));
        self.perform(cx, back.unwrap_or(row), Some(&agent))
    }

    /// Sends a command, or asks first, by the danger of its row.
    fn perform(
        &mut self,
        cx: &mut PaneContext,
        row: &'static CommandRow,
        agent: Option<&AgentRow>,
    ) -> Commanded {
        if let Some(refused) = refuses(cx, row) {
            return refused;
        }
        let request = match (row.scope, agent) {
            (Scope::Agent(make), Some(agent)) => Request::Command(make(agent.id)),
            (Scope::Agent(_) | Scope::Manager(_), _) => return Commanded::Nothing,
            (Scope::All(command), _) => Request::Command(command),
            (Scope::Process, _) => Request::Stop,
        };
        match (row.danger, agent) {
            (Danger::Broad, _) => {
                let also_of_one = command::find(row.word, true).is_some();
                let word = if also_of_one { format!("{} {ALL}", row.word) } else { row.word.to_owned() };
                Commanded::Ask(Question::Word { request, word, says: row.help })
            }
            (Danger::Money, Some(agent)) => {
                let gives = matches!(request, Request::Command(Command::Fund(_)));
                Commanded::Ask(Question::Money {
                    request,
                    name: agent.name.clone(),
                    gives,
                    before: agent.funds,
                    after: if gives { agent.would_get } else { Decimal::ZERO },
                })
            }
            _ => {
                self.takes_back = takes_back(request, agent);
                Commanded::Send(request)
            }
        }
    }

    /// What undoes a command that was done, if it is one that can be undone.
    fn inverse(&mut self, done: Request) -> Option<Request> {
        let Request::Command(command) = done else { return None };
        let known = self.takes_back.take_if(|(sent, _)| *sent == command).map(|(_, back)| back);
        let by_table = || (command.row().danger == Danger::Reversible).then(|| command.inverse()).flatten();
        known.or_else(by_table).map(Request::Command)
    }

    /// A command was done: it can be undone from now on, if it is one that can; whether it is.
    pub(super) fn done(&mut self, cx: &PaneContext, request: Request) -> bool {
        let back = self.inverse(request);
        if let Some(back) = back {
            self.undo = Some((back, cx.now + UNDO));
        }
        back.is_some()
    }

    /// Time goes on: what is too old cannot be undone any more; whether that is so since now.
    pub(super) fn tick(&mut self, cx: &PaneContext) -> bool {
        self.undo.take_if(|(_, until)| cx.now >= *until).is_some()
    }

    /// Another key than the chord's was pressed.
    pub(super) fn drop_chord(&mut self) {
        self.chord = None;
    }

    /// What takes the last command back.
    pub(super) fn take_back(&mut self, cx: &mut PaneContext) -> Option<Request> {
        let undone = self.undo.take().map(|(request, _)| request);
        if undone.is_none() {
            cx.say("there is nothing to undo".to_owned(), StyleRole::Dim);
        }
        undone
    }
}

/// What is said in place of a command that must not leave now.
fn refuses(cx: &mut PaneContext, row: &CommandRow) -> Option<Commanded> {
    if row.danger != Danger::Halt && !cx.is_now() {
        cx.say_past();
    } else if cx.read_only {
        cx.say_read_only();
    } else {
        return None;
    }
    Some(Commanded::Nothing)
}

/// Whom the keys are about: whose page is open, or who is selected.
fn subject(cx: &PaneContext) -> Option<AgentRow> {
    let open = cx.open.and_then(|(id, _)| cx.row(id));
    open.or_else(|| cx.agent()).cloned()
}

/// What takes a command back where its row does not know it: `resume` ends a drain as well as a pause.
fn takes_back(request: Request, agent: Option<&AgentRow>) -> Option<(Command, Command)> {
    match (request, agent) {
        (Request::Command(sent @ Command::Resume(id)), Some(agent)) if agent.switches.drained => {
            Some((sent, Command::Drain(id)))
        }
        _ => None,
    }
}
