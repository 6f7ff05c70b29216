//! What is selected, open and said. Keys and news come in, requests go out; time is given.

use super::action::{self, Action};
use super::network::Network;
use super::theme::{self, Role, Theme};
use crate::domain::{AgentId, MessageId, Money, money};
use crate::view::cockpit::{AgentRow, AgentState};
use crate::view::link::{News, Request, SendError};
use crate::view::{AgentPage, Cockpit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use std::time::Duration;

/// How long a toast stays.
const TOAST: Duration = Duration::from_secs(5);
/// How long the second half of the kill chord is waited for.
const CHORD: Duration = Duration::from_secs(2);
/// How long a pulse travels.
pub const PULSE: Duration = Duration::from_millis(900);
/// Most pulses at once; the rest of a busy bar is left out.
pub const PULSES_MAX: usize = 64;
/// Share of the hive's capital that the dialog moves.
const FUND_SHARE: f64 = 0.01;
/// Data older than this is said to be old.
const STALE: Duration = Duration::from_secs(5);

/// What can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Agents,
    Messages,
    Network,
    Pnl,
    Goals,
}

impl Pane {
    pub const ALL: [Pane; 5] = [Pane::Agents, Pane::Messages, Pane::Network, Pane::Pnl, Pane::Goals];

    pub fn title(self) -> &'static str {
        match self {
            Pane::Agents => "agents",
            Pane::Messages => "messages",
            Pane::Network => "network",
            Pane::Pnl => "pnl",
            Pane::Goals => "goals",
        }
    }
}

/// A message on its way along an edge: its number is what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    pub from: AgentId,
    pub to: AgentId,
    pub message: MessageId,
    pub born: Duration,
}

/// The dialog of a fund.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    pub agent: AgentId,
    pub name: String,
    pub before: Money,
    pub amount: Money,
}

/// The cockpit's own state.
// Each of the switches is one thing on the screen.
#[allow(clippy::struct_excessive_bools)]
pub struct App {
    pub theme: Theme,
    pub cockpit: Option<Cockpit>,
    pub page: Option<AgentPage>,
    pub focus: Pane,
    pub selected: usize,
    pub scroll: usize,
    pub page_open: bool,
    pub help: bool,
    pub dialog: Option<Dialog>,
    pub toast: Option<(String, Role, Duration)>,
    pub pulses: Vec<Pulse>,
    pub network: Network,
    pub ended: Option<String>,
    pub now: Duration,
    pub age: Option<Duration>,
    colours: bool,
    chord: Option<Duration>,
    decided: MessageId,
    leaving: bool,
    dirty: bool,
}

impl App {
    pub fn new(theme: Theme, colours: bool) -> Self {
        App {
            theme,
            cockpit: None,
            page: None,
            focus: Pane::Agents,
            selected: 0,
            scroll: 0,
            page_open: false,
            help: false,
            dialog: None,
            toast: None,
            pulses: Vec::new(),
            network: Network::default(),
            ended: None,
            now: Duration::ZERO,
            age: None,
            colours,
            chord: None,
            decided: MessageId(0),
            leaving: false,
            dirty: true,
        }
    }

    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// It was drawn.
    pub fn drawn(&mut self) {
        self.dirty = false;
    }

    /// Whether what is shown is older than it should be.
    pub fn is_stale(&self) -> bool {
        self.ended.is_none() && self.age.is_some_and(|a| a >= STALE)
    }

    /// Time goes on: pulses move, toasts go, old data shows its age.
    pub fn tick(&mut self, now: Duration, age: Option<Duration>) {
        let whole = |a: Option<Duration>| a.map(|a| a.as_secs());
        let seconds = whole(age) != whole(self.age);
        (self.now, self.age) = (now, age);
        self.dirty |= !self.pulses.is_empty() || (seconds && self.is_stale());
        self.pulses.retain(|p| now.saturating_sub(p.born) < PULSE);
        if self.toast.as_ref().is_some_and(|(_, _, until)| now >= *until) {
            self.toast = None;
            self.dirty = true;
        }
    }

    /// Takes news.
    pub fn hear(&mut self, news: News) {
        self.dirty = true;
        match news {
            News::Cockpit(picture) => self.see(*picture),
            News::Page(page) => self.page = Some(*page),
            News::Answer(answer) => match answer.result {
                Ok(done) => self.say(done, Role::Good),
                Err(why) => self.say(why, Role::Warn),
            },
            News::Lost(why) | News::Ended(why) => self.ended = Some(why),
        }
    }

    fn see(&mut self, picture: Cockpit) {
        self.network.settle(&picture);
        let newest = picture.edges.iter().map(|e| e.decision).max().unwrap_or(MessageId(0));
        // History flies by; its pulses would only flicker. And nothing pulses for what was before.
        if picture.progress.is_none() && self.decided > MessageId(0) {
            let fresh = picture.edges.iter().filter(|e| e.decision > self.decided && e.message.0 > 0);
            let pulses = fresh.map(|e| Pulse { from: e.from, to: e.to, message: e.message, born: self.now });
            self.pulses.extend(pulses);
            self.pulses.truncate(PULSES_MAX);
        }
        self.decided = newest.max(self.decided);
        self.selected = self.selected.min(picture.agents.len().saturating_sub(1));
        self.cockpit = Some(picture);
    }

    fn say(&mut self, text: String, role: Role) {
        self.toast = Some((text, role, self.now + TOAST));
        self.dirty = true;
    }

    /// The agent under the cursor.
    pub fn agent(&self) -> Option<&AgentRow> {
        self.cockpit.as_ref()?.agents.get(self.selected)
    }

    /// A request has left, or not.
    pub fn sent(&mut self, sent: Result<(), SendError>) {
        if let Err(e) = sent {
            self.say(e.to_string(), Role::Bad);
        }
    }

    /// A key: what is to be sent, if anything.
    pub fn key(&mut self, key: &KeyEvent) -> Option<Request> {
        self.dirty = true;
        if let Some(dialog) = self.dialog.take() {
            // Only y confirms: the key that opened the dialog, enter and everything else cancel.
            if key.code == KeyCode::Char('y') {
                return Some(Request::Fund(dialog.agent));
            }
            self.say("nothing was moved".to_owned(), Role::Dim);
            return None;
        }
        let action = action::find(key)?;
        let chord = self.chord.take();
        match action {
            Action::Kill => {
                if chord.is_some_and(|since| self.now.saturating_sub(since) < CHORD) {
                    return Some(Request::Kill);
                }
                self.chord = Some(self.now);
                self.say("ctrl-x again within 2 s halts the swarm".to_owned(), Role::Bad);
                None
            }
            Action::Detach => {
                self.leaving = true;
                None
            }
            Action::Help => {
                self.help = !self.help;
                None
            }
            Action::Back => self.back(),
            Action::Theme => {
                self.next_theme();
                None
            }
            Action::NextPane => {
                let at = Pane::ALL.iter().position(|p| *p == self.focus).unwrap_or(0);
                self.focus = Pane::ALL[(at + 1) % Pane::ALL.len()];
                self.scroll = 0;
                None
            }
            Action::Up => self.step(false),
            Action::Down => self.step(true),
            Action::Page => {
                let id = self.agent()?.id;
                (self.page_open, self.scroll) = (true, 0);
                Some(Request::Look(Some(id)))
            }
            Action::Pause => {
                let agent = self.agent()?;
                let (id, paused) = (agent.id, agent.state == AgentState::Paused);
                Some(if paused { Request::Resume(Some(id)) } else { Request::Pause(Some(id)) })
            }
            Action::Mute => {
                let agent = self.agent()?;
                let (id, muted) = (agent.id, agent.state == AgentState::Muted);
                Some(if muted { Request::Unmute(id) } else { Request::Mute(id) })
            }
            Action::Fund => {
                let capital = money::to_estimate(self.cockpit.as_ref()?.account.capital);
                let agent = self.agent()?;
                let amount = money::from_estimate(FUND_SHARE * capital, 2)?;
                self.dialog =
                    Some(Dialog { agent: agent.id, name: agent.name.clone(), before: agent.funds, amount });
                None
            }
        }
    }

    fn back(&mut self) -> Option<Request> {
        if self.help {
            self.help = false;
        } else if self.page_open {
            self.page_open = false;
            self.page = None;
            return Some(Request::Look(None));
        }
        None
    }

    fn next_theme(&mut self) {
        let at = theme::SHIPPED.iter().position(|(n, _)| *n == self.theme.name()).unwrap_or(0);
        let (name, _) = theme::SHIPPED[(at + 1) % theme::SHIPPED.len()];
        if let Ok(next) = Theme::shipped(name, self.colours) {
            self.theme = next;
            self.say(format!("theme {name}"), Role::Dim);
        }
    }

    fn step(&mut self, down: bool) -> Option<Request> {
        let to = |at: usize| if down { at + 1 } else { at.saturating_sub(1) };
        // Messages are read from the newest up.
        if self.focus == Pane::Messages && !self.page_open {
            let most = self.cockpit.as_ref().map_or(0, |c| c.messages.len().saturating_sub(1));
            self.scroll = if down { self.scroll.saturating_sub(1) } else { (self.scroll + 1).min(most) };
            return None;
        }
        let last = self.cockpit.as_ref().map_or(0, |c| c.agents.len().saturating_sub(1));
        self.selected = to(self.selected).min(last);
        let id = self.agent()?.id;
        if self.page_open {
            self.page = None;
            return Some(Request::Look(Some(id)));
        }
        None
    }
}
