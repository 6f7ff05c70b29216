//! The cockpit: panes that share the screen, layers that lie over them, and what they all look at. News comes in, time
//! is given, keys go to the layer on top or to the pane with the focus, and what neither knows is done here.
//!
//! # Invariants
//!
//! 1. A dialog takes every key but the kill chord: nothing behind it moves.
//! 2. An action goes to the layer on top, or to the pane with the focus where there is none, and then to the cockpit; to
//!    no other pane.
//! 3. A click and the wheel do what a key does.

use super::action::{ACTIONS, Takes, UserAction};
use super::arrangement::Arrangement;
use super::capture::Capture;
use super::context::{Connection, FilterOf, PaneContext, PaneId};
use super::layers::command_line::{CommandLine, FilterLine};
use super::layers::dialog::{Dialog, Question};
use super::layers::help::HelpLayer;
use super::layers::lab::LabLayer;
use super::layers::log::LogLayer;
use super::layers::page::PageLayer;
use super::operator::{Commanded, Operator};
use super::pane::{Pane, PaneOutcome, PanePlace, PaneShape, answers};
use super::panes::messages;
use super::theme::{StyleRole, Theme};
use super::{looks, panes};
use crate::domain::{AgentId, MessageId};
use crate::view::Cockpit;
use crate::view::link::{News, Reply, Request, SendError};
use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use std::any::Any;
use std::time::Duration;

/// Lines above the first row in a pane: its border and its head.
const ABOVE: u16 = 2;

/// The cockpit's own state.
pub struct App {
    /// What all panes look at.
    pub cx: PaneContext,
    /// Those that share the screen.
    pub(super) panes: Vec<Box<dyn Pane>>,
    /// Those that lie over them, the topmost last.
    pub(super) layers: Vec<Box<dyn Pane>>,
    /// Which panes are where.
    pub arrangement: Arrangement,
    /// What the loop is to bring to the clipboard and into files.
    pub capture: Capture,
    /// The mouse is the cockpit's.
    pub mouse: bool,
    operator: Operator,
    /// Where the panes were drawn.
    pub(super) places: Vec<(PaneId, Rect)>,
    leaving: bool,
    /// Something moves by itself, or has just gone.
    moving: bool,
}

impl App {
    /// Nothing was heard yet. `colours` is for the themes that follow.
    pub fn new(theme: Theme, colours: bool) -> Self {
        let panes = panes::all();
        let first = panes.first().map_or(PaneId(""), |p| p.id());
        let below = panes.iter().find(|p| p.shape().place == PanePlace::Below).map_or(first, |p| p.id());
        App {
            cx: PaneContext::new(theme, colours, first),
            panes,
            layers: Vec::new(),
            arrangement: Arrangement::new(below),
            capture: Capture::default(),
            mouse: false,
            operator: Operator::default(),
            places: Vec::new(),
            leaving: false,
            moving: false,
        }
    }

    /// Whether there is anything to draw.
    pub fn is_dirty(&self) -> bool {
        self.cx.dirty || self.moving
    }

    /// Whether something moves over what was drawn.
    pub fn is_moving(&self) -> bool {
        self.moving
    }

    /// Whether nothing but what moves over the panes has changed since it was drawn.
    pub(super) fn only_moves(&self) -> bool {
        self.moving && !self.cx.dirty
    }

    /// Whether it was told to leave.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The screen has changed under it.
    pub fn touch(&mut self) {
        self.cx.dirty = true;
    }

    /// It was drawn.
    pub fn drawn(&mut self) {
        (self.cx.dirty, self.moving) = (false, false);
    }

    /// What moves over what was drawn: tells `put` column, row, glyph and style.
    pub(super) fn overlay(&self, put: &mut dyn FnMut(u16, u16, &str, Style)) {
        if self.layers.iter().any(|l| l.stills()) {
            return;
        }
        for pane in self.panes.iter().filter(|p| self.places.iter().any(|(id, _)| *id == p.id())) {
            pane.overlay(&self.cx, put);
        }
    }

    /// The topmost layer of this kind, if one is open.
    pub fn layer<P: Pane>(&self) -> Option<&P> {
        self.layers.iter().rev().find_map(|l| (l.as_ref() as &dyn Any).downcast_ref())
    }

    /// What has to be answered before anything else.
    pub fn question(&self) -> Option<&Question> {
        self.layer::<Dialog>().map(|d| &d.question)
    }

    /// The pane of this kind.
    pub fn pane<P: Pane>(&self) -> Option<&P> {
        self.panes.iter().find_map(|p| (p.as_ref() as &dyn Any).downcast_ref())
    }

    /// The pane of this kind, to be changed.
    pub fn pane_mut<P: Pane>(&mut self) -> Option<&mut P> {
        self.panes.iter_mut().find_map(|p| (p.as_mut() as &mut dyn Any).downcast_mut())
    }

    /// Time goes on: what moves moves, toasts go, old data shows its age.
    pub fn tick(&mut self, now: Duration, age: Option<Duration>) {
        self.cx.tick(now, age);
        for pane in &mut self.panes {
            self.moving |= pane.tick(&self.cx);
        }
        self.cx.dirty |= self.operator.tick(&self.cx);
    }

    /// Takes in what the link has brought.
    pub fn hear(&mut self, news: News) {
        let cx = &mut self.cx;
        if let News::Lab(page) = news {
            // It is sent again and again, and rarely new.
            let page = self.layers.iter().any(|l| is::<LabLayer>(l.as_ref())).then_some(*page);
            cx.dirty |= page != cx.lab;
            cx.lab = page;
            return;
        }
        cx.dirty = true;
        match news {
            News::Cockpit(picture) => self.see(*picture),
            News::Page(page) if cx.is_now() => cx.page = Some(*page),
            News::Lab(_) | News::Page(_) => {}
            News::Past(past) => {
                if cx.see_past(*past) {
                    self.jump();
                }
            }
            News::Fetching(share) => cx.fetching = cx.is_waiting().then_some(share),
            News::Answer(answer) => self.hear_answer(answer),
            News::Lost(why) => {
                cx.past_is_lost();
                cx.reach = Connection::Lost(why);
                self.jump();
            }
            News::Ended(why) => {
                cx.reach = Connection::Ended(why);
                self.jump();
            }
        }
    }

    fn hear_answer(&mut self, answer: Reply) {
        let cx = &mut self.cx;
        match answer.result {
            Ok(done) if self.operator.done(cx, answer.request) => {
                let undo = cx.keymap.key(UserAction::Undo);
                cx.say(format!("{done} · {undo} undoes it"), StyleRole::Good);
            }
            Ok(done) => cx.say(done, StyleRole::Good),
            Err(why) => {
                if matches!(answer.request, Request::Past(..)) {
                    cx.answered_past();
                }
                cx.say(why, StyleRole::Warn);
            }
        }
    }

    /// Nothing of what was seen before moves on.
    fn jump(&mut self) {
        self.panes.iter_mut().for_each(|p| p.jump());
    }

    fn see(&mut self, picture: Cockpit) {
        let cx = &mut self.cx;
        for pane in &mut self.panes {
            pane.see(cx, &picture);
        }
        if matches!(cx.reach, Connection::Lost(_)) {
            cx.say("the swarm is back".to_owned(), StyleRole::Good);
        }
        // After the end the last state can still be asked for.
        if !matches!(cx.reach, Connection::Ended(_)) {
            cx.reach = Connection::Here;
        }
        if !cx.is_now() {
            cx.live = Some(picture);
            return;
        }
        cx.cockpit = Some(picture);
    }

    /// A request has left, or not.
    pub fn sent(&mut self, sent: Result<(), SendError>) {
        match sent {
            Ok(()) => {}
            Err(SendError::ReadOnly) => {
                self.cx.read_only = true;
                self.cx.say_read_only();
            }
            Err(e) => {
                self.cx.past_is_lost();
                self.cx.say(e.to_string(), StyleRole::Bad);
            }
        }
    }

    /// A key: what is to be sent, if anything.
    pub fn key(&mut self, key: &KeyEvent) -> Option<Request> {
        self.cx.dirty = true;
        // The chord works everywhere: it only removes risk.
        if self.cx.keymap.find(key) == Some(UserAction::KILL) {
            let sent = self.operator.chord_of_kill(&mut self.cx);
            if sent.is_some() {
                self.close::<Dialog>();
            }
            return sent;
        }
        self.operator.drop_chord();
        if let Some(top) = self.layers.last_mut().filter(|l| l.takes_keys()) {
            let outcome = top.on_key(&mut self.cx, key);
            return self.carry_out(outcome);
        }
        let action = self.cx.keymap.find(key)?;
        if let (UserAction::Jump, KeyCode::Char(c)) = (action, key.code) {
            let n = c.to_digit(10).unwrap_or(1) as usize;
            self.focus_on(self.panes.get(n.max(1) - 1)?.id());
            return self.leave_lab();
        }
        self.act(action)
    }

    /// Takes text that the terminal pasted, as if it had been typed.
    pub fn paste(&mut self, text: &str) {
        self.cx.dirty = true;
        if !self.layers.last_mut().is_some_and(|l| l.on_paste(&mut self.cx, text)) {
            self.cx.say("pasted text presses no keys".to_owned(), StyleRole::Dim);
        }
    }

    /// The mouse: a click selects, on what is selected it opens, the wheel goes through what lies below it.
    pub fn pointer(&mut self, event: &MouseEvent) -> Option<Request> {
        if !self.mouse {
            return None;
        }
        let wheel = match event.kind {
            MouseEventKind::ScrollDown => Some(true),
            MouseEventKind::ScrollUp => Some(false),
            MouseEventKind::Down(MouseButton::Left) => None,
            _ => return None,
        };
        self.cx.dirty = true;
        if let Some(top) = self.layers.last_mut() {
            let outcome = top.on_wheel(&mut self.cx, wheel.filter(|_| !top.takes_keys())?);
            return self.carry_out(outcome);
        }
        let at = Position { x: event.column, y: event.row };
        let (id, area) = self.places.iter().find(|(_, area)| area.contains(at)).copied()?;
        self.focus_on(id);
        let pane = self.panes.iter_mut().find(|p| p.id() == id)?;
        let outcome = match wheel {
            Some(down) => pane.on_wheel(&mut self.cx, down),
            None => pane.on_click(&mut self.cx, usize::from(at.y.checked_sub(area.y + ABOVE)?)),
        };
        self.carry_out(outcome)
    }

    /// What came of a key, an action or a click.
    fn carry_out(&mut self, outcome: PaneOutcome) -> Option<Request> {
        match outcome {
            PaneOutcome::Ignored | PaneOutcome::Done => None,
            PaneOutcome::Open(id, decision) => self.open(id, decision),
            PaneOutcome::Close => {
                self.layers.pop();
                None
            }
            PaneOutcome::CloseAndSend(request) => {
                self.layers.pop();
                Some(request)
            }
            PaneOutcome::ToFocused(action) => {
                let pane = self.panes.iter_mut().find(|p| p.id() == self.cx.focus)?;
                let outcome = pane.on_action(&mut self.cx, action);
                self.carry_out(outcome)
            }
            PaneOutcome::Run(line) => {
                self.layers.pop();
                self.command(&line)
            }
        }
    }

    /// An action: the layer on top, or the pane with the focus, or the cockpit knows what it means.
    fn act(&mut self, action: UserAction) -> Option<Request> {
        // Commands look after this themselves: the kill switch goes through.
        if !self.cx.is_now() && action == UserAction::Undo {
            self.cx.say_past();
            return None;
        }
        // The whole room is given back before what is chosen in it.
        let unzooms = action == UserAction::Back && self.arrangement.zoomed;
        let focus = self.cx.focus;
        let pane = match self.layers.last_mut() {
            Some(top) => Some(top),
            None => self.panes.iter_mut().find(|p| p.id() == focus && !unzooms),
        };
        if let Some(pane) = pane.filter(|p| answers(p.as_ref(), &self.cx, action)) {
            let outcome = pane.on_action(&mut self.cx, action);
            if outcome != PaneOutcome::Ignored {
                return self.carry_out(outcome);
            }
        }
        self.act_for_all(action)
    }

    /// What no pane has for itself.
    fn act_for_all(&mut self, action: UserAction) -> Option<Request> {
        let cx = &mut self.cx;
        match action {
            UserAction::Operator(word) => {
                let commanded = self.operator.toggle(cx, word);
                return self.commanded(commanded);
            }
            UserAction::Undo => return self.operator.take_back(cx),
            UserAction::Back if self.arrangement.zoomed => self.arrangement.zoomed = false,
            UserAction::Back => {
                let of = self.filter_of();
                self.cx.filter(of).clear();
            }
            UserAction::NextPane => return self.turn(1),
            UserAction::LastPane => return self.turn(self.panes.len() - 1),
            UserAction::Lab => return self.toggle_lab(),
            UserAction::Why => return self.why(),
            UserAction::Without => return self.without(),
            UserAction::Zoom => self.arrangement.zoomed = !self.arrangement.zoomed,
            UserAction::Sort => {
                cx.sort = cx.sort.after();
                cx.say(format!("agents {}", cx.sort.text()), StyleRole::Dim);
            }
            UserAction::Filter => {
                let of = self.filter_of();
                let line = FilterLine::new(of, self.cx.filter(of));
                self.layers.push(Box::new(line));
            }
            UserAction::Command => self.layers.push(Box::<CommandLine>::default()),
            UserAction::Theme => looks::next_theme(cx),
            UserAction::View => self.next_view(),
            UserAction::Log => {
                let was = self.close::<LogLayer>();
                self.close::<HelpLayer>();
                if !was {
                    self.layers.push(Box::<LogLayer>::default());
                }
            }
            UserAction::Help => {
                if !self.close::<HelpLayer>() {
                    self.layers.push(Box::<HelpLayer>::default());
                }
            }
            UserAction::Copy => self.copy(),
            UserAction::Mouse => self.toggle_mouse(),
            UserAction::Screenshot => self.capture.take_shot(cx, ""),
            UserAction::Stats => cx.stats_shown = !cx.stats_shown,
            UserAction::Detach => self.leaving = true,
            action => return self.act_in_time(action),
        }
        None
    }

    /// Goes back and forth between the moments that are kept.
    fn act_in_time(&mut self, action: UserAction) -> Option<Request> {
        let cx = &mut self.cx;
        match action {
            UserAction::TimeBack => cx.step_time(-1),
            UserAction::TimeOn => cx.step_time(1),
            UserAction::DayBack => cx.step_day(-1),
            UserAction::DayOn => cx.step_day(1),
            UserAction::Now => cx.return_to_now(),
            UserAction::Freeze => cx.freeze(),
            UserAction::At => cx.go_to("yesterday"),
            _ => None,
        }
    }

    /// A line that was typed after `:`.
    fn command(&mut self, line: &str) -> Option<Request> {
        let mut words = line.split_whitespace();
        let word = words.next()?;
        let cx = &mut self.cx;
        let Some(entry) = ACTIONS.iter().find(|e| e.command == word) else {
            let help = cx.hint(UserAction::Help);
            cx.say(format!("there is no command {word:?}; {help} lists them"), StyleRole::Warn);
            return None;
        };
        let rest = words.collect::<Vec<_>>().join(" ");
        match (entry.takes, rest.as_str()) {
            (Takes::Nothing, "") => match entry.action {
                UserAction::Operator(word) => self.operate(word, ""),
                action => self.act(action),
            },
            (Takes::Nothing, _) => {
                cx.say(format!(":{word} takes nothing after it"), StyleRole::Warn);
                None
            }
            (Takes::Theme, "") => self.act(UserAction::Theme),
            (Takes::Theme, name) => {
                looks::apply_theme(cx, name);
                None
            }
            (Takes::File, name) => {
                self.capture.take_shot(cx, name);
                None
            }
            (Takes::Time, "") => cx.go_to("yesterday"),
            (Takes::Time, text) => cx.go_to(text),
            (Takes::Agent | Takes::AgentOrAll, name) => self.operate(word, name),
        }
    }

    fn operate(&mut self, word: &str, name: &str) -> Option<Request> {
        let commanded = self.operator.operate(&mut self.cx, word, name);
        self.commanded(commanded)
    }

    fn commanded(&mut self, commanded: Commanded) -> Option<Request> {
        match commanded {
            Commanded::Nothing => None,
            Commanded::Send(request) => Some(request),
            Commanded::Ask(question) => {
                self.layers.push(Box::new(Dialog::new(question)));
                None
            }
        }
    }

    /// The message under the cursor, or the decision of the page that is open: the run is to be lived again without it.
    fn without(&mut self) -> Option<Request> {
        let cx = &self.cx;
        let shown = cx.page.as_ref().and_then(|page| page.why.first()).map(|why| why.message);
        let of_page = cx.open.and_then(|(_, decision)| decision.or(shown));
        let newest = || cx.messages().last().map(|m| m.id);
        let told = of_page.or_else(|| self.pane::<messages::MessagesPane>()?.cursor).or_else(newest);
        let (text, role) = match told {
            Some(id) => (format!("living the run again without #{} …", id.0), StyleRole::Dim),
            None => ("nothing was said yet".to_owned(), StyleRole::Dim),
        };
        self.cx.say(text, role);
        told.map(Request::Without)
    }

    /// The newest trade of an agent and why it was made.
    pub(super) fn why(&mut self) -> Option<Request> {
        let Some((id, decision, told)) = messages::newest_trade(&self.cx) else {
            let nobody = "nobody has traded yet, as far as messages are remembered";
            self.cx.say(nobody.to_owned(), StyleRole::Dim);
            return None;
        };
        self.cx.say(told, StyleRole::Dim);
        Some(self.show(id, decision))
    }

    fn open(&mut self, id: AgentId, decision: Option<MessageId>) -> Option<Request> {
        if self.cx.row(id).is_none() {
            self.cx.say("scouts only speak: they have no page".to_owned(), StyleRole::Dim);
            return None;
        }
        Some(self.show(id, decision))
    }

    /// Opens the page of an agent, at the decision that led there.
    pub(super) fn show(&mut self, id: AgentId, decision: Option<MessageId>) -> Request {
        let next = self.layer::<PageLayer>().map(PageLayer::of_another).unwrap_or_default();
        self.close::<PageLayer>();
        self.layers.push(Box::new(next));
        let cx = &mut self.cx;
        (cx.open, cx.page, cx.selected) = (Some((id, decision)), None, Some(id));
        cx.page_then().unwrap_or(Request::Look(Some(id)))
    }

    /// Closes the layer of this kind, wherever it lies; whether there was one.
    fn close<P: Pane>(&mut self) -> bool {
        let before = self.layers.len();
        self.layers.retain(|l| !is::<P>(l.as_ref()));
        self.layers.len() < before
    }

    fn toggle_lab(&mut self) -> Option<Request> {
        let left = self.leave_lab();
        if left.is_some() {
            return left;
        }
        self.close::<HelpLayer>();
        self.cx.lab = None;
        self.layers.push(Box::<LabLayer>::default());
        Some(Request::Lab(true))
    }

    fn leave_lab(&mut self) -> Option<Request> {
        let was = self.close::<LabLayer>();
        if was {
            self.cx.lab = None;
        }
        was.then_some(Request::Lab(false))
    }

    fn turn(&mut self, by: usize) -> Option<Request> {
        let at = self.panes.iter().position(|p| p.id() == self.cx.focus).unwrap_or(0);
        let next = self.panes.get((at + by) % self.panes.len())?.id();
        self.focus_on(next);
        self.leave_lab()
    }

    /// Gives the focus to a pane.
    pub fn focus_on(&mut self, id: PaneId) {
        let Some(pane) = self.panes.iter_mut().find(|p| p.id() == id) else { return };
        self.cx.focus = id;
        if pane.shape().place == PanePlace::Below {
            self.arrangement.below = id;
        }
        pane.on_focus(&self.cx);
    }

    /// The panes with how they want to be placed.
    pub(super) fn shapes(&self) -> Vec<(PaneId, PaneShape)> {
        self.panes.iter().map(|p| (p.id(), p.shape())).collect()
    }

    /// Which filter `/` types: that of what is looked at.
    fn filter_of(&self) -> FilterOf {
        let looked_at = self.layers.last().or_else(|| self.panes.iter().find(|p| p.id() == self.cx.focus));
        looked_at.map_or(FilterOf::Agents, |p| p.filter())
    }

    /// The next arrangement of panes; after the last the usual one.
    fn next_view(&mut self) {
        let Some((name, columns)) = self.arrangement.next_view().cloned() else {
            return self.cx.say("all panes".to_owned(), StyleRole::Dim);
        };
        // What has the focus is to be seen.
        let mut shown = columns.iter().flatten();
        if !shown.clone().any(|p| *p == self.cx.focus)
            && let Some(first) = shown.next()
        {
            self.focus_on(*first);
        }
        self.cx.say(format!("view {name}"), StyleRole::Dim);
    }

    /// What is under the cursor, as text.
    fn copy(&mut self) {
        let focused = self.panes.iter().find(|p| p.id() == self.cx.focus);
        let text = self.layers.iter().rev().chain(focused).find_map(|p| p.copy(&self.cx));
        self.capture.copy(&mut self.cx, text);
    }

    pub(super) fn toggle_mouse(&mut self) {
        self.mouse = !self.mouse;
        let says =
            if self.mouse { "the mouse selects here; :mouse gives it back" } else { "the mouse marks text" };
        self.cx.say(says.to_owned(), StyleRole::Dim);
    }
}

/// Whether a layer is of this kind.
fn is<P: Pane>(layer: &dyn Pane) -> bool {
    (layer as &dyn Any).is::<P>()
}
