//! The operator's commands in the cockpit, by the table of [`command`]: what is asked before one leaves, and what takes
//! it back.
//!
//! # Invariants
//!
//! 1. Whatever its word is, a command goes by the danger of its row: at once and to be undone, `y` before money moves,
//!    the word letter by letter before everybody's money moves, a chord or the word for the kill switch.
//! 2. `y` is nobody's trigger: the key that opened a dialog does not confirm it.
//! 3. Nothing but the kill switch is sent while the past is shown.

use super::action::UserAction;
use super::app::{App, Dialog};
use super::line::INPUT_MAX;
use super::theme::StyleRole;
use crate::domain::command::{self, CommandRow, Danger, Scope};
use crate::domain::{Command, Decimal};
use crate::view::cockpit::{AgentRow, AgentState};
use crate::view::link::Request;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

/// How long the second half of the kill chord is waited for.
const CHORD: Duration = Duration::from_secs(2);
/// What names everybody in place of an agent.
const ALL: &str = "all";

impl App {
    /// The kill chord: its first half warns, its second sends.
    pub(super) fn chord_of_kill(&mut self) -> Option<Request> {
        if self.read_only {
            self.say_read_only();
            return None;
        }
        if self.chord.take().is_some_and(|since| self.now.saturating_sub(since) < CHORD) {
            self.dialog = None;
            return Some(Request::Command(Command::Kill));
        }
        self.chord = Some(self.now);
        let again = self.keymap.key(UserAction::KILL);
        self.say(format!("{again} again within 2 s halts the swarm"), StyleRole::Bad);
        None
    }

    /// A key while a dialog is open.
    pub(super) fn answer(&mut self, dialog: Dialog, key: &KeyEvent) -> Option<Request> {
        let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        match dialog {
            // Only y confirms: the key that opened the dialog, enter and everything else cancel.
            Dialog::Money { request, .. } => {
                if plain && key.code == KeyCode::Char('y') {
                    return Some(request);
                }
                self.say("cancelled: nothing was moved".to_owned(), StyleRole::Dim);
                None
            }
            Dialog::Word { request, word, says, mut typed } => {
                match key.code {
                    KeyCode::Enter if typed == word => return Some(request),
                    KeyCode::Esc | KeyCode::Enter => {
                        self.say("cancelled: nothing was changed".to_owned(), StyleRole::Dim);
                        return None;
                    }
                    KeyCode::Backspace => drop(typed.pop()),
                    KeyCode::Char(c) if plain && typed.len() < INPUT_MAX => typed.push(c),
                    _ => {}
                }
                self.dialog = Some(Dialog::Word { request, word, says, typed });
                None
            }
        }
    }

    /// A command from the `:` line: of the agent that is named, of all, or without a name of whom the keys are about.
    pub(super) fn operate(&mut self, word: &str, name: &str) -> Option<Request> {
        let of_agent = command::find(word, true).filter(|_| name != ALL);
        let row = of_agent.or_else(|| command::find(word, false))?;
        if !row.scope.is_agent() {
            return self.perform(row, None);
        }
        let named = |a: &&AgentRow| a.name.eq_ignore_ascii_case(name);
        let found = if name.is_empty() {
            self.subject()
        } else {
            self.cockpit.as_ref().and_then(|c| c.agents.iter().find(named)).cloned()
        };
        let Some(agent) = found else {
            self.say(format!("there is no agent {name:?}; tab completes names"), StyleRole::Warn);
            return None;
        };
        self.perform(row, Some(&agent))
    }

    /// A command from a key: of whom the keys are about, and taken back where it holds already.
    pub(super) fn toggle(&mut self, word: &'static str) -> Option<Request> {
        let Some(row) = command::find(word, true) else { return self.operate(word, "") };
        let agent = self.subject()?;
        let holds = match row.scope {
            // Who was stopped out and is given funds starts over.
            Scope::Agent(make) => {
                let stopped_out = row.danger == Danger::Money && agent.state == AgentState::StoppedOut;
                agent.switches.holds(make(agent.id)) && !stopped_out
            }
            Scope::All(_) | Scope::Process => false,
        };
        let back = row.inverse.filter(|_| holds).and_then(|inverse| command::find(inverse, true));
        self.perform(back.unwrap_or(row), Some(&agent))
    }

    /// Sends a command, or asks first, by the danger of its row.
    fn perform(&mut self, row: &'static CommandRow, agent: Option<&AgentRow>) -> Option<Request> {
        if row.danger != Danger::Halt && !self.is_now() {
            self.say_past();
            return None;
        }
        if self.read_only {
            self.say_read_only();
            return None;
        }
        let request = match (row.scope, agent) {
            (Scope::Agent(make), Some(agent)) => Request::Command(make(agent.id)),
            (Scope::Agent(_), None) => return None,
            (Scope::All(command), _) => Request::Command(command),
            (Scope::Process, _) => Request::Stop,
        };
        match (row.danger, agent) {
            (Danger::Broad, _) => {
                let also_of_one = command::find(row.word, true).is_some();
                let word = if also_of_one { format!("{} {ALL}", row.word) } else { row.word.to_owned() };
                self.dialog = Some(Dialog::Word { request, word, says: row.help, typed: String::new() });
                None
            }
            (Danger::Money, Some(agent)) => {
                let gives = matches!(request, Request::Command(Command::Fund(_)));
                self.dialog = Some(Dialog::Money {
                    request,
                    name: agent.name.clone(),
                    gives,
                    before: agent.funds,
                    after: if gives { agent.would_get } else { Decimal::ZERO },
                });
                None
            }
            _ => {
                self.takes_back = takes_back(request, agent);
                Some(request)
            }
        }
    }

    /// Whom the keys are about: whose page is open, or who is selected.
    fn subject(&self) -> Option<AgentRow> {
        let open = self.open.and_then(|(id, _)| self.row(id));
        open.or_else(|| self.agent()).cloned()
    }

    /// What undoes a command that was done, if it is one that can be undone.
    pub(super) fn inverse(&mut self, done: Request) -> Option<Request> {
        let Request::Command(command) = done else { return None };
        let known = self.takes_back.take_if(|(sent, _)| *sent == command).map(|(_, back)| back);
        let by_table = || (command.row().danger == Danger::Reversible).then(|| command.inverse()).flatten();
        known.or_else(by_table).map(Request::Command)
    }

    pub(super) fn take_back(&mut self) -> Option<Request> {
        let undone = self.undo.take().map(|(request, _)| request);
        if undone.is_none() {
            self.say("there is nothing to undo".to_owned(), StyleRole::Dim);
        }
        undone
    }
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
