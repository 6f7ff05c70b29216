//! Keys and pasted text in, requests out.
//!
//! # Invariants
//!
//! 1. A dialog takes every key but the kill chord: nothing behind it moves ([`super::operator`]).
//! 2. Pasted text goes into the filter or nowhere.

use super::action::{self, ACTIONS, Takes, UserAction};
use super::app::{App, Input, Pane, Sort};
use super::theme::StyleRole;
use crate::domain::AgentId;
use crate::view::cockpit::TopicKind;
use crate::view::link::Request;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A page of rows.
const LEAP: usize = 10;

impl App {
    /// A key: what is to be sent, if anything.
    pub fn key(&mut self, key: &KeyEvent) -> Option<Request> {
        self.dirty = true;
        // The chord works everywhere: it only removes risk.
        if self.keymap.find(key) == Some(UserAction::KILL) {
            return self.chord_of_kill();
        }
        self.chord = None;
        if let Some(dialog) = self.dialog.take() {
            return self.answer(dialog, key);
        }
        if let Some(input) = self.input {
            return self.typed(input, key);
        }
        let action = self.keymap.find(key)?;
        if let (UserAction::Jump, KeyCode::Char(c)) = (action, key.code) {
            let n = c.to_digit(10).unwrap_or(1) as usize;
            self.focus_on(Pane::ALL[(n.max(1) - 1) % Pane::ALL.len()]);
            return self.leave_lab();
        }
        self.act(action)
    }

    /// Takes text that the terminal pasted, as if it had been typed.
    pub fn paste(&mut self, text: &str) {
        if self.input == Some(Input::Filter) {
            let before = self.filter().clone();
            self.line.set(&before);
            self.line.paste(text);
            self.take_line(Input::Filter);
            self.dirty = true;
        } else {
            self.say("pasted text presses no keys".to_owned(), StyleRole::Dim);
        }
    }

    fn filter(&mut self) -> &mut String {
        if self.focus == Pane::Messages { &mut self.message_filter } else { &mut self.agent_filter }
    }

    fn typed(&mut self, input: Input, key: &KeyEvent) -> Option<Request> {
        let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        let text = if input == Input::Filter { self.filter().clone() } else { self.command.clone() };
        self.line.set(&text);
        match key.code {
            KeyCode::Esc => {
                self.line.reset("");
                self.input = None;
            }
            KeyCode::Char('c') if !plain => {
                self.line.reset("");
                self.input = None;
            }
            // Deleting nothing leaves.
            KeyCode::Backspace if text.is_empty() => self.input = None,
            KeyCode::Tab if input == Input::Command => {
                if let Some(whole) = self.completions().into_iter().next() {
                    let takes = ACTIONS.iter().find(|e| e.command == whole).map(|e| e.takes);
                    let more = takes.is_some_and(|t| t != Takes::Nothing);
                    self.line.set(&if more { whole + " " } else { whole });
                }
            }
            KeyCode::Enter => {
                self.input = None;
                if input == Input::Command {
                    self.line.remember(&text);
                    return self.command();
                }
            }
            KeyCode::Up | KeyCode::Down if input == Input::Filter => self.step(key.code == KeyCode::Down, 1),
            KeyCode::Up | KeyCode::Down => self.line.recall(key.code == KeyCode::Up),
            _ => self.line.key(key),
        }
        self.take_line(input);
        None
    }

    /// What is typed holds at once.
    fn take_line(&mut self, input: Input) {
        let text = self.line.text().to_owned();
        if input == Input::Filter {
            *self.filter() = text;
        } else {
            self.command = text;
        }
    }

    /// What the `:` line may become.
    pub fn completions(&self) -> Vec<String> {
        let agents = self.cockpit.as_ref().map_or(&[][..], |c| &c.agents);
        let themes = self.wardrobe.names();
        let themes: Vec<&str> = themes.iter().map(String::as_str).collect();
        action::complete(self.command.trim_start(), agents.iter().map(|a| a.name.as_str()), &themes)
    }

    fn command(&mut self) -> Option<Request> {
        let line = std::mem::take(&mut self.command);
        let mut words = line.split_whitespace();
        let word = words.next()?;
        let Some(entry) = ACTIONS.iter().find(|e| e.command == word) else {
            let help = self.hint(UserAction::Help);
            self.say(format!("there is no command {word:?}; {help} lists them"), StyleRole::Warn);
            return None;
        };
        let rest = words.collect::<Vec<_>>().join(" ");
        match (entry.takes, rest.as_str()) {
            (Takes::Nothing, "") => match entry.action {
                UserAction::Operator(word) => self.operate(word, ""),
                action => self.act(action),
            },
            (Takes::Nothing, _) => {
                self.say(format!(":{word} takes nothing after it"), StyleRole::Warn);
                None
            }
            (Takes::Theme, "") => self.act(UserAction::Theme),
            (Takes::Theme, name) => {
                self.apply_theme(name);
                None
            }
            (Takes::File, name) => {
                self.take_shot(name);
                None
            }
            (Takes::Time, "") => self.go_to("yesterday"),
            (Takes::Time, text) => self.go_to(text),
            (Takes::Agent | Takes::AgentOrAll, name) => self.operate(word, name),
        }
    }

    fn act(&mut self, action: UserAction) -> Option<Request> {
        // Commands look after this themselves: the kill switch goes through.
        if !self.is_now() && action == UserAction::Undo {
            self.say_past();
            return None;
        }
        if self.in_lab && !self.help && behind_the_lab(action) {
            let back = self.hint(UserAction::Back);
            self.say(format!("the lab is open: {back} closes it first"), StyleRole::Dim);
            return None;
        }
        match action {
            UserAction::Operator(word) => return self.toggle(word),
            UserAction::Undo => return self.take_back(),
            UserAction::Open => return self.enter(),
            UserAction::Back => return self.back(),
            UserAction::Up => return self.move_by(false, 1),
            UserAction::Down => return self.move_by(true, 1),
            UserAction::PageUp => return self.move_by(false, LEAP),
            UserAction::PageDown => return self.move_by(true, LEAP),
            UserAction::First => return self.move_by(false, usize::MAX),
            UserAction::Last => return self.move_by(true, usize::MAX),
            UserAction::NextPane | UserAction::LastPane if self.on_page() => {
                self.step_candle(action == UserAction::LastPane);
            }
            UserAction::Zoom if self.on_page() => self.closer = (self.closer + 1) % super::candles::CLOSER,
            UserAction::NextPane => {
                self.turn(1);
                return self.leave_lab();
            }
            UserAction::LastPane => {
                self.turn(Pane::ALL.len() - 1);
                return self.leave_lab();
            }
            UserAction::Lab if self.in_lab => return self.leave_lab(),
            UserAction::Lab => {
                (self.in_lab, self.lab, self.scroll, self.help) = (true, None, 0, false);
                return Some(Request::Lab(true));
            }
            UserAction::Why => return self.why(),
            UserAction::Zoom => self.zoomed = !self.zoomed,
            UserAction::Sort => self.sort_on(),
            UserAction::Filter => {
                let text = self.filter().clone();
                self.line.reset(&text);
                self.input = Some(Input::Filter);
            }
            UserAction::Command => {
                self.command.clear();
                self.line.reset("");
                self.input = Some(Input::Command);
            }
            UserAction::Theme => self.next_theme(),
            UserAction::View => self.next_view(),
            UserAction::Log => (self.in_log, self.scroll, self.help) = (!self.in_log, 0, false),
            UserAction::Copy => self.copy(),
            UserAction::Mouse => self.toggle_mouse(),
            UserAction::Screenshot => self.take_shot(""),
            UserAction::Stats => self.stats_shown = !self.stats_shown,
            UserAction::Help => (self.help, self.scroll) = (!self.help, 0),
            UserAction::Detach => self.leaving = true,
            UserAction::Jump => {}
            action => return self.act_in_time(action),
        }
        None
    }

    /// Goes back and forth between the moments that are kept.
    fn act_in_time(&mut self, action: UserAction) -> Option<Request> {
        match action {
            UserAction::TimeBack => self.step_time(-1),
            UserAction::TimeOn => self.step_time(1),
            UserAction::DayBack => self.step_day(-1),
            UserAction::DayOn => self.step_day(1),
            UserAction::Now => self.return_to_now(),
            UserAction::Freeze => self.freeze(),
            UserAction::At => self.go_to("yesterday"),
            _ => None,
        }
    }

    /// Whether keys of panes are about the chart of the open page.
    fn on_page(&self) -> bool {
        self.open.is_some() && !self.help && !self.in_log && !self.in_lab
    }

    /// Bars of the chart on the open page.
    fn bars(&self) -> usize {
        self.page.as_ref().and_then(|p| p.intents.first()).map_or(0, |i| i.bars.len())
    }

    pub(super) fn has_chart(&self) -> bool {
        self.bars() > 0
    }

    /// The chart's cursor to an older candle or a newer one; beyond the newest it goes.
    fn step_candle(&mut self, older: bool) {
        let bars = self.bars();
        self.candle = match self.candle {
            None if bars > 0 => Some(if older { 0 } else { bars - 1 }),
            Some(0) if !older => None,
            at => at.map(|at| moved(at, older, 1, bars)),
        };
    }

    pub(super) fn enter(&mut self) -> Option<Request> {
        if self.help {
            return None;
        }
        if self.focus == Pane::Orders && self.open.is_none() {
            self.say(
                "orders are the desk's: whom they are for is in the agents' pages".to_owned(),
                StyleRole::Dim,
            );
            return None;
        }
        let told = self.told;
        let (id, decision) = match self.focus {
            Pane::Network if self.edge.is_some() && self.open.is_none() => self.behind_edge()?,
            Pane::Messages if told.is_some() && self.open.is_none() => {
                let messages = self.messages();
                let m = messages.iter().find(|m| Some(m.id) == told)?;
                (m.agent?, (m.kind == TopicKind::Stance).then_some(m.id))
            }
            _ => (self.agent()?.id, None),
        };
        if self.row(id).is_none() {
            self.say("scouts only speak: they have no page".to_owned(), StyleRole::Dim);
            return None;
        }
        Some(self.show(id, decision))
    }

    pub(super) fn show(&mut self, id: AgentId, decision: Option<crate::domain::MessageId>) -> Request {
        (self.open, self.page, self.scroll, self.candle) = (Some((id, decision)), None, 0, None);
        self.selected = Some(id);
        self.page_then().unwrap_or(Request::Look(Some(id)))
    }

    fn leave_lab(&mut self) -> Option<Request> {
        let was = std::mem::take(&mut self.in_lab);
        if was {
            (self.lab, self.scroll) = (None, 0);
        }
        was.then_some(Request::Lab(false))
    }

    fn back(&mut self) -> Option<Request> {
        if self.help {
            self.help = false;
        } else if self.in_log {
            (self.in_log, self.scroll) = (false, 0);
        } else if self.in_lab {
            return self.leave_lab();
        } else if self.open.is_some() && self.candle.is_some() {
            self.candle = None;
        } else if self.open.is_some() {
            (self.open, self.page, self.scroll, self.closer) = (None, None, 0, 0);
            // Of the past no page is sent that was not asked for.
            return self.is_now().then_some(Request::Look(None));
        } else if self.zoomed {
            self.zoomed = false;
        } else if self.focus == Pane::Network && self.edge.is_some() {
            self.edge = None;
        } else if self.focus == Pane::Messages && self.told.is_some() {
            self.told = None;
        } else {
            self.filter().clear();
        }
        None
    }

    fn turn(&mut self, by: usize) {
        let at = Pane::ALL.iter().position(|p| *p == self.focus).unwrap_or(0);
        self.focus_on(Pane::ALL[(at + by) % Pane::ALL.len()]);
    }

    pub(super) fn focus_on(&mut self, pane: Pane) {
        self.focus = pane;
        if pane.is_below() {
            self.below = pane;
        }
        if pane == Pane::Network {
            self.choose_edge();
        }
    }

    fn sort_on(&mut self) {
        let at = Sort::ALL.iter().position(|(s, _)| *s == self.sort).unwrap_or(0);
        let (sort, text) = Sort::ALL[(at + 1) % Sort::ALL.len()];
        self.sort = sort;
        self.say(format!("agents {text}"), StyleRole::Dim);
    }

    fn move_by(&mut self, down: bool, by: usize) -> Option<Request> {
        if self.help || self.in_log || self.in_lab || (self.open.is_some() && by == LEAP) {
            let by = u16::try_from(by.min(1_000)).unwrap_or(u16::MAX);
            self.scroll = if down { self.scroll.saturating_add(by) } else { self.scroll.saturating_sub(by) };
            return None;
        }
        if self.open.is_some() {
            self.step_agent(down, by);
            let id = self.agent()?.id;
            return Some(self.show(id, None));
        }
        self.step(down, by);
        None
    }

    pub(super) fn step(&mut self, down: bool, by: usize) {
        match self.focus {
            Pane::Messages => self.step_message(down, by),
            Pane::Network => self.step_edge(down, by),
            Pane::Orders => {
                let lines = self.cockpit.as_ref().map_or(0, super::orders::count);
                self.order = moved(self.order.min(lines.saturating_sub(1)), down, by, lines);
            }
            _ => self.step_agent(down, by),
        }
    }

    fn step_agent(&mut self, down: bool, by: usize) {
        let rows = if self.focus == Pane::Points { self.by_contribution() } else { self.agents() };
        let ids: Vec<AgentId> = rows.iter().map(|a| a.id).collect();
        let at = ids.iter().position(|id| Some(*id) == self.selected).unwrap_or(0);
        self.selected = ids.get(moved(at, down, by, ids.len())).copied();
    }

    fn step_message(&mut self, down: bool, by: usize) {
        let ids: Vec<_> = self.messages().iter().map(|m| m.id).collect();
        let newest = ids.len().saturating_sub(1);
        self.told = match self.told.and_then(|t| ids.iter().position(|id| *id == t)) {
            Some(at) if down && at.saturating_add(by) > newest => None,
            Some(at) => ids.get(moved(at, down, by, ids.len())).copied(),
            None if down => None,
            None => ids.get(moved(newest, false, by - 1, ids.len())).copied(),
        };
    }
}

/// Whether an action is about what the lab covers.
fn behind_the_lab(action: UserAction) -> bool {
    match action {
        UserAction::Operator(word) => crate::domain::command::find(word, true).is_some(),
        _ => matches!(action, UserAction::Open | UserAction::Zoom | UserAction::Sort | UserAction::Filter),
    }
}

/// From `at` on among `n`, not beyond the ends.
pub(super) fn moved(at: usize, down: bool, by: usize, n: usize) -> usize {
    let last = n.saturating_sub(1);
    if down { at.saturating_add(by).min(last) } else { at.saturating_sub(by).min(last) }
}
