//! What is selected, open and said. News comes in; time is given. Keys are `keys`' part.

use super::action::UserAction;
use super::edges::EdgeKey;
use super::graph_layout::Layout;
use super::keymap::Keymap;
use super::line::TypedLine;
use super::network::DrawnGraph;
use super::theme::wardrobe::Wardrobe;
use super::theme::{ColorDepth, StyleRole, Theme};
use super::time::{PendingSteps, SnapshotPosition};
use crate::domain::{AgentId, Command, MessageId, Money, money};
use crate::view::cockpit::{AgentRow, EdgeRow, MessageLine};
use crate::view::lab::LabPage;
use crate::view::link::{News, Request, SendError};
use crate::view::{AgentPage, Cockpit};
use std::time::Duration;

/// How long a toast stays.
const TOAST: Duration = Duration::from_secs(5);
/// How long an action can be undone.
const UNDO: Duration = Duration::from_secs(10);
/// How long a pulse travels.
pub const PULSE: Duration = Duration::from_millis(1_100);
/// Pulses of one bar leave one after the other, over this time.
const VOLLEY: Duration = Duration::from_millis(600);
/// Most pulses at once, the strongest of a busy bar: a frame of them is a few hundred bytes.
pub const PULSES_MAX: usize = 16;
/// Data older than this is said to be old.
const STALE: Duration = Duration::from_secs(5);

/// What can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Pane {
    Agents,
    Messages,
    Network,
    Pnl,
    Goals,
    Orders,
    Points,
}

impl Pane {
    /// All, in the order of `tab` and of the digits.
    pub const ALL: [Pane; 7] =
        [Pane::Agents, Pane::Messages, Pane::Network, Pane::Pnl, Pane::Goals, Pane::Orders, Pane::Points];

    /// Those that share the place below the agents: what was looked at last is there.
    pub fn is_below(self) -> bool {
        matches!(self, Pane::Messages | Pane::Orders | Pane::Points)
    }

    /// On its border.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Agents => "agents",
            Pane::Messages => "messages",
            Pane::Network => "network",
            Pane::Pnl => "pnl",
            Pane::Goals => "goals",
            Pane::Orders => "orders",
            Pane::Points => "points",
        }
    }
}

/// An arrangement of panes: its name, and columns of panes from the left.
pub type PaneLayout = (String, Vec<Vec<Pane>>);

/// Those that are built in.
pub fn views() -> Vec<PaneLayout> {
    let of =
        |name: &str, columns: &[&[Pane]]| (name.to_owned(), columns.iter().map(|c| c.to_vec()).collect());
    vec![
        of("people", &[&[Pane::Agents], &[Pane::Messages]]),
        of("market", &[&[Pane::Pnl, Pane::Goals], &[Pane::Network]]),
        of("talk", &[&[Pane::Messages], &[Pane::Network]]),
        of("desk", &[&[Pane::Orders], &[Pane::Points]]),
    ]
}

/// How agents are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sort {
    File,
    Real,
    Points,
    State,
}

impl Sort {
    /// The order of `s`, and what the screen calls it.
    pub const ALL: [(Sort, &'static str); 4] = [
        (Sort::File, "file order"),
        (Sort::Real, "by real"),
        (Sort::Points, "by points"),
        (Sort::State, "by state"),
    ];

    /// On the border.
    pub fn text(self) -> &'static str {
        Sort::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, text)| text)
    }
}

/// A message on its way along an edge: its number is what it is, the decision is why it is shown. A receipt
/// runs to `network::DESK`, and is its own reason.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct EdgePulse {
    pub from: AgentId,
    pub to: AgentId,
    pub message: MessageId,
    pub decision: MessageId,
    pub born: Duration,
}

/// What has to be answered before anything else.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Dialog {
    /// Bounded money: `y` and nothing else.
    Money { request: Request, name: String, gives: bool, before: Money, after: Money },
    /// Broad: the word.
    Word { request: Request, word: String, says: &'static str, typed: String },
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Input {
    Filter,
    Command,
}

/// Where the swarm is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It answers, and what is shown is its present state.
    Here,
    /// Not to be reached: why. It is tried again.
    Lost(String),
    /// It is over, for this reason, and is not tried again.
    Ended(String),
}

/// What the loop measured; for `:stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stats {
    pub frames: u64,
    pub bytes: u64,
    pub last_bytes: u64,
    pub last_us: u64,
}

/// The cockpit's own state.
// Each of the switches is one thing on the screen.
#[allow(clippy::struct_excessive_bools, missing_docs)]
pub struct App {
    pub theme: Theme,
    /// What is shown: of now, or of the past.
    pub cockpit: Option<Cockpit>,
    /// Where the moment lies that is shown; none: it is now.
    pub past: Option<SnapshotPosition>,
    /// The newest picture while the past is shown.
    pub live: Option<Cockpit>,
    pub(super) steps: PendingSteps,
    /// How far the moment is that is read from the journal, in per cent.
    pub fetching: Option<u8>,
    pub page: Option<AgentPage>,
    /// The agent whose page is open, and the decision that led there.
    pub open: Option<(AgentId, Option<MessageId>)>,
    /// The lab is open, and what it shows.
    pub in_lab: bool,
    pub lab: Option<LabPage>,
    pub focus: Pane,
    pub zoomed: bool,
    /// Arrangements of panes beside the usual one, and which is chosen.
    pub views: Vec<PaneLayout>,
    pub view: Option<usize>,
    pub sort: Sort,
    pub selected: Option<AgentId>,
    /// First row of the agents, as last drawn; and of the others that scroll.
    pub top: usize,
    pub points_top: usize,
    pub orders_top: usize,
    /// The line of the orders under the cursor.
    pub order: usize,
    /// What is below the agents.
    pub below: Pane,
    /// The candle under the cursor of the open page, counted from the newest; none: no cursor.
    pub candle: Option<usize>,
    /// How often its chart was halved: 0 shows all bars.
    pub closer: u32,
    /// The message under the cursor; none: follow the newest.
    pub told: Option<MessageId>,
    /// The edge under the cursor of the network.
    pub edge: Option<EdgeKey>,
    /// First line of the page or the help.
    pub scroll: u16,
    pub help: bool,
    /// The log is open.
    pub in_log: bool,
    pub dialog: Option<Dialog>,
    pub input: Option<Input>,
    pub command: String,
    /// The line that is typed, and its cursor.
    pub(super) line: TypedLine,
    pub agent_filter: String,
    pub message_filter: String,
    pub toast: Option<(String, StyleRole, Duration)>,
    pub undo: Option<(Request, Duration)>,
    /// A command that was sent, and what takes it back where its row alone does not tell.
    pub takes_back: Option<(Command, Command)>,
    pub pulses: Vec<EdgePulse>,
    pub layout: Layout,
    pub reach: Connection,
    pub read_only: bool,
    pub now: Duration,
    pub age: Option<Duration>,
    pub stats: Stats,
    pub stats_shown: bool,
    /// The themes that there are.
    pub wardrobe: Wardrobe,
    /// The keys that hold.
    pub keymap: Keymap,
    /// The mouse is the cockpit's.
    pub mouse: bool,
    /// What the loop is to bring to the clipboard …
    pub copied: Option<String>,
    /// … and the file into which it is to write the screen.
    pub shot: Option<String>,
    /// Where the panes were drawn.
    pub(super) places: Vec<(Pane, ratatui::layout::Rect)>,
    /// Colours that there are; none: as the theme says.
    pub depth: Option<ColorDepth>,
    pub(super) chord: Option<Duration>,
    pub(super) leaving: bool,
    pub(super) dirty: bool,
    /// Pulses move, or have just gone.
    moving: bool,
    /// Where the network was drawn.
    pub(super) stage: Option<DrawnGraph>,
    decided: MessageId,
    receipted: MessageId,
}

impl App {
    /// Nothing was heard yet. `colours` is for the themes that follow.
    pub fn new(theme: Theme, colours: bool) -> Self {
        App {
            theme,
            cockpit: None,
            past: None,
            live: None,
            steps: PendingSteps::default(),
            fetching: None,
            page: None,
            open: None,
            in_lab: false,
            lab: None,
            focus: Pane::Agents,
            zoomed: false,
            views: views(),
            view: None,
            sort: Sort::File,
            selected: None,
            top: 0,
            points_top: 0,
            orders_top: 0,
            order: 0,
            below: Pane::Messages,
            candle: None,
            closer: 0,
            told: None,
            edge: None,
            scroll: 0,
            help: false,
            in_log: false,
            dialog: None,
            input: None,
            command: String::new(),
            line: TypedLine::default(),
            agent_filter: String::new(),
            message_filter: String::new(),
            toast: None,
            undo: None,
            takes_back: None,
            pulses: Vec::new(),
            layout: Layout::default(),
            reach: Connection::Here,
            read_only: false,
            now: Duration::ZERO,
            age: None,
            stats: Stats::default(),
            stats_shown: false,
            wardrobe: Wardrobe::new(None, colours),
            keymap: Keymap::default(),
            mouse: false,
            copied: None,
            shot: None,
            places: Vec::new(),
            depth: None,
            chord: None,
            leaving: false,
            dirty: true,
            moving: false,
            stage: None,
            decided: MessageId(0),
            receipted: MessageId(0),
        }
    }

    /// Whether there is anything to draw.
    pub fn is_dirty(&self) -> bool {
        self.dirty || self.moving
    }

    /// Whether nothing but pulses moved since it was drawn.
    pub(super) fn only_pulses(&self) -> bool {
        self.moving && !self.dirty
    }

    /// Whether it was told to leave.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The screen has changed under it.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// It was drawn.
    pub fn drawn(&mut self) {
        (self.dirty, self.moving) = (false, false);
    }

    /// Whether what is shown is older than it should be.
    pub fn is_stale(&self) -> bool {
        match self.reach {
            Connection::Here => self.age.is_some_and(|a| a >= STALE),
            Connection::Lost(_) => true,
            Connection::Ended(_) => false,
        }
    }

    /// Time goes on: pulses move, toasts go, old data shows its age.
    pub fn tick(&mut self, now: Duration, age: Option<Duration>) {
        let was_stale = self.is_stale();
        let whole = |a: Option<Duration>| a.map(|a| a.as_secs());
        let seconds = whole(age) != whole(self.age);
        (self.now, self.age) = (now, age);
        self.dirty |= (seconds && self.is_stale()) || was_stale != self.is_stale();
        // What is frozen does not move.
        if !self.is_stale() {
            self.moving |= self.pulses.iter().any(|p| p.born <= now);
        }
        self.pulses.retain(|p| now.saturating_sub(p.born) < PULSE);
        if self.toast.as_ref().is_some_and(|(_, _, until)| now >= *until) {
            self.toast = None;
            self.dirty = true;
        }
        if self.undo.is_some_and(|(_, until)| now >= until) {
            self.undo = None;
            self.dirty = true;
        }
    }

    /// Takes in what the link has brought.
    pub fn hear(&mut self, news: News) {
        if let News::Lab(page) = news {
            // It is sent again and again, and rarely new.
            let page = self.in_lab.then_some(*page);
            self.dirty |= page != self.lab;
            self.lab = page;
            return;
        }
        self.dirty = true;
        match news {
            News::Cockpit(picture) => self.see(*picture),
            News::Page(page) if self.is_now() => self.page = Some(*page),
            News::Lab(_) | News::Page(_) => {}
            News::Past(past) => self.see_past(*past),
            News::Fetching(share) => self.fetching = self.is_waiting().then_some(share),
            News::Answer(answer) => match answer.result {
                Err(why) if matches!(answer.request, Request::Past(..)) => {
                    self.answered_past();
                    self.say(why, StyleRole::Warn);
                }
                Ok(done) => {
                    if let Some(back) = self.inverse(answer.request) {
                        self.undo = Some((back, self.now + UNDO));
                        let undo = self.keymap.key(UserAction::Undo);
                        self.say(format!("{done} · {undo} undoes it"), StyleRole::Good);
                    } else {
                        self.say(done, StyleRole::Good);
                    }
                }
                Err(why) => self.say(why, StyleRole::Warn),
            },
            News::Lost(why) => {
                self.pulses.clear();
                self.past_is_lost();
                self.reach = Connection::Lost(why);
            }
            News::Ended(why) => {
                self.pulses.clear();
                self.reach = Connection::Ended(why);
            }
        }
    }

    fn see(&mut self, picture: Cockpit) {
        if matches!(self.reach, Connection::Lost(_)) {
            self.say("the swarm is back".to_owned(), StyleRole::Good);
            // What was decided meanwhile is not news.
            self.decided = MessageId(0);
        }
        // After the end the last state can still be asked for.
        if !matches!(self.reach, Connection::Ended(_)) {
            self.reach = Connection::Here;
        }
        if !self.is_now() {
            // What was decided meanwhile is not news when one comes back.
            self.decided = MessageId(0);
            self.live = Some(picture);
            return;
        }
        self.layout.see(&picture);
        let newest = picture.edges.iter().map(|e| e.decision).max().unwrap_or(MessageId(0));
        // History flies by; its pulses would only flicker. And nothing pulses for what was before.
        if picture.progress.is_none() && self.decided > MessageId(0) {
            let mut fresh: Vec<&EdgeRow> =
                picture.edges.iter().filter(|e| e.decision > self.decided && e.message.0 > 0).collect();
            fresh.truncate(PULSES_MAX);
            let moved = fresh.iter().map(|e| (e.from, e.to, e.message, e.decision));
            // Receipts are few, and come first.
            let told = picture.services.iter().filter(|s| s.receipt > self.receipted);
            let told = told.map(|s| (s.agent, super::network::DESK, s.receipt, s.receipt));
            let all: Vec<_> = told.chain(moved).take(PULSES_MAX).collect();
            let apart = VOLLEY / all.len().max(1) as u32;
            let pulses = all.into_iter().zip(0..).map(|((from, to, message, decision), i)| EdgePulse {
                from,
                to,
                message,
                decision,
                born: self.now + apart * i,
            });
            self.pulses.extend(pulses);
            let many = self.pulses.len().saturating_sub(PULSES_MAX);
            self.pulses.drain(..many);
        }
        self.decided = newest.max(self.decided);
        self.receipted = picture.services.iter().map(|s| s.receipt).max().unwrap_or(MessageId(0));
        self.cockpit = Some(picture);
    }

    pub(super) fn say(&mut self, text: String, role: StyleRole) {
        self.toast = Some((text, role, self.now + TOAST));
        self.dirty = true;
    }

    /// A request has left, or not.
    pub fn sent(&mut self, sent: Result<(), SendError>) {
        match sent {
            Ok(()) => {}
            Err(SendError::ReadOnly) => {
                self.read_only = true;
                self.say_read_only();
            }
            Err(e) => {
                self.past_is_lost();
                self.say(e.to_string(), StyleRole::Bad);
            }
        }
    }

    pub(super) fn say_read_only(&mut self) {
        self.say("this cockpit is read-only: it shows, it does not act".to_owned(), StyleRole::Warn);
    }

    /// The agents that are shown, filtered and sorted.
    pub fn agents(&self) -> Vec<&AgentRow> {
        let Some(c) = &self.cockpit else { return Vec::new() };
        let wanted = self.agent_filter.to_lowercase();
        let fits = |a: &&AgentRow| {
            let goal = super::words::letters(a.goal).to_lowercase();
            [&a.name, &a.assets].iter().any(|t| t.to_lowercase().contains(&wanted))
                || super::words::family(a.family).contains(&wanted)
                || a.state.text().contains(&wanted)
                || goal == wanted
        };
        let mut rows: Vec<&AgentRow> = c.agents.iter().filter(|a| wanted.is_empty() || fits(a)).collect();
        match self.sort {
            Sort::File => {}
            Sort::Real => rows.sort_by_key(|a| std::cmp::Reverse(a.real)),
            Sort::Points => rows.sort_by(|a, b| b.points.total_cmp(&a.points)),
            Sort::State => rows.sort_by_key(|a| std::cmp::Reverse(a.state.rank())),
        }
        rows
    }

    /// The same by what they earned for others, where no other order was asked for.
    pub fn by_contribution(&self) -> Vec<&AgentRow> {
        let mut rows = self.agents();
        if self.sort == Sort::File {
            let worth = |a: &AgentRow| a.served.iter().sum::<f64>() + a.given;
            rows.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        }
        rows
    }

    /// The messages that are shown, filtered, oldest first.
    pub fn messages(&self) -> Vec<&MessageLine> {
        let Some(c) = &self.cockpit else { return Vec::new() };
        let wanted = self.message_filter.to_lowercase();
        let fits = |m: &&MessageLine| {
            wanted.is_empty()
                || [&m.from, &m.asset, &m.text].iter().any(|t| t.to_lowercase().contains(&wanted))
                || format!("#{}", m.id.0) == wanted
        };
        c.messages.iter().filter(fits).collect()
    }

    /// The agent under the cursor; where a filter hides it, the first that is shown.
    pub fn agent(&self) -> Option<&AgentRow> {
        let rows = self.agents();
        rows.iter().find(|a| Some(a.id) == self.selected).or(rows.first()).copied()
    }

    /// An agent by its number.
    pub fn row(&self, id: AgentId) -> Option<&AgentRow> {
        self.cockpit.as_ref()?.agents.iter().find(|a| a.id == id)
    }

    /// What the account is worth, for the line that is always there.
    pub fn gain(&self) -> Option<f64> {
        let a = &self.cockpit.as_ref()?.account;
        Some(money::to_estimate(a.equity) - money::to_estimate(a.capital))
    }
}
