//! What all panes look at: the picture of the moment, the theme and the keys that hold, what is chosen for all of
//! them, and what was last said. What only one pane needs (its cursor, how far it has scrolled) is the pane's own.

use super::action::UserAction;
use super::keymap::Keymap;
use super::line::CommandHistory;
use super::moment::{PendingSteps, SnapshotPosition};
use super::theme::wardrobe::Wardrobe;
use super::theme::{ColorDepth, StyleRole, Theme};
use super::words;
use crate::domain::{AgentId, MessageId, Span, Stamp, money};
use crate::view::cockpit::{AgentRow, MessageLine};
use crate::view::lab::LabPage;
use crate::view::{AgentPage, Cockpit};
use std::time::Duration;

/// How long a toast stays.
const TOAST: Duration = Duration::from_secs(5);
/// Data older than this is said to be old.
const STALE: Duration = Duration::from_secs(5);

/// A pane by the name that stands on its border and in a person's `[layout]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaneId(pub &'static str);

/// Actions whose keys are named, and the word for all of them.
pub type Hint = (&'static [UserAction], &'static str);

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

    /// The order after this one, round and round.
    #[must_use]
    pub fn after(self) -> Sort {
        let at = Sort::ALL.iter().position(|(s, _)| *s == self).unwrap_or(0);
        Sort::ALL[(at + 1) % Sort::ALL.len()].0
    }
}

/// Which of the two filters is typed: that of agents also thins the network, that of messages the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FilterOf {
    Agents,
    Messages,
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

/// What all panes look at.
pub struct PaneContext {
    /// The theme that is worn.
    pub theme: Theme,
    /// The themes that there are.
    pub wardrobe: Wardrobe,
    /// Colours that there are; none: as the theme says.
    pub depth: Option<ColorDepth>,
    /// The keys that hold.
    pub keymap: Keymap,
    /// What is shown: of now, or of the past.
    pub cockpit: Option<Cockpit>,
    /// The page that the swarm sent; it may be of another agent than the one that is open by now.
    pub page: Option<AgentPage>,
    /// What the lab shows, while it is open.
    pub lab: Option<LabPage>,
    /// Where the moment lies that is shown; none: it is now.
    pub past: Option<SnapshotPosition>,
    /// The newest picture while the past is shown.
    pub live: Option<Cockpit>,
    pub(super) steps: PendingSteps,
    /// How far the moment is that is read from the journal, in per cent.
    pub fetching: Option<u8>,
    /// The pane that keys go to.
    pub focus: PaneId,
    /// The agent whose page is open, and the decision that led there.
    pub open: Option<(AgentId, Option<MessageId>)>,
    /// The order of the agents.
    pub sort: Sort,
    /// The agent under the cursor, in every pane that shows agents.
    pub selected: Option<AgentId>,
    /// Agents that are not like this are not shown.
    pub agent_filter: String,
    /// Messages that are not like this are not shown.
    pub message_filter: String,
    /// Commands that were typed before.
    pub(super) history: CommandHistory,
    /// What was last said, how, and until when it stays.
    pub toast: Option<(String, StyleRole, Duration)>,
    /// Where the swarm is.
    pub reach: Connection,
    /// It may look and not act.
    pub read_only: bool,
    /// The time since the cockpit was opened.
    pub now: Duration,
    /// How old the newest picture is.
    pub age: Option<Duration>,
    /// What the loop measured.
    pub stats: Stats,
    /// Whether that is shown.
    pub stats_shown: bool,
    /// Something is to be drawn.
    pub(super) dirty: bool,
}

impl PaneContext {
    /// Nothing was heard yet. `colours` is for the themes that follow; the focus is on `focus`.
    pub fn new(theme: Theme, colours: bool, focus: PaneId) -> Self {
        PaneContext {
            theme,
            wardrobe: Wardrobe::new(None, colours),
            depth: None,
            keymap: Keymap::default(),
            cockpit: None,
            page: None,
            lab: None,
            past: None,
            live: None,
            steps: PendingSteps::default(),
            fetching: None,
            focus,
            open: None,
            sort: Sort::File,
            selected: None,
            agent_filter: String::new(),
            message_filter: String::new(),
            history: CommandHistory::default(),
            toast: None,
            reach: Connection::Here,
            read_only: false,
            now: Duration::ZERO,
            age: None,
            stats: Stats::default(),
            stats_shown: false,
            dirty: true,
        }
    }

    /// Time goes on: toasts go, and old data shows its age.
    pub(super) fn tick(&mut self, now: Duration, age: Option<Duration>) {
        let was_stale = self.is_stale();
        let whole = |a: Option<Duration>| a.map(|a| a.as_secs());
        let seconds = whole(age) != whole(self.age);
        (self.now, self.age) = (now, age);
        self.dirty |= (seconds && self.is_stale()) || was_stale != self.is_stale();
        if self.toast.as_ref().is_some_and(|(_, _, until)| now >= *until) {
            self.toast = None;
            self.dirty = true;
        }
    }

    /// Whether what is shown is older than it should be.
    pub fn is_stale(&self) -> bool {
        match self.reach {
            Connection::Here => self.age.is_some_and(|a| a >= STALE),
            Connection::Lost(_) => true,
            Connection::Ended(_) => false,
        }
    }

    pub(super) fn say(&mut self, text: String, role: StyleRole) {
        self.toast = Some((text, role, self.now + TOAST));
        self.dirty = true;
    }

    pub(super) fn say_read_only(&mut self) {
        self.say("this cockpit is read-only: it shows, it does not act".to_owned(), StyleRole::Warn);
    }

    pub(super) fn say_past(&mut self) {
        let now = self.hint(UserAction::Now);
        self.say(format!("this is the past: {now} comes back to now, where it can be done"), StyleRole::Warn);
    }

    /// Whether what is shown is of now.
    pub fn is_now(&self) -> bool {
        self.past.is_none()
    }

    /// The market's time now, whatever is shown.
    pub fn market_now(&self) -> Option<Stamp> {
        self.live.as_ref().or(self.cockpit.as_ref())?.market_time
    }

    /// How long before now the moment lies that is shown; none where now is shown.
    pub fn before_now(&self) -> Option<Span> {
        self.past?;
        let shown = self.cockpit.as_ref()?.market_time?;
        Some(self.market_now()?.since(shown))
    }

    /// One of the two filters.
    pub(super) fn filter(&mut self, of: FilterOf) -> &mut String {
        match of {
            FilterOf::Agents => &mut self.agent_filter,
            FilterOf::Messages => &mut self.message_filter,
        }
    }

    /// The agents that are shown, filtered and sorted.
    pub fn agents(&self) -> Vec<&AgentRow> {
        let Some(c) = &self.cockpit else { return Vec::new() };
        let wanted = self.agent_filter.to_lowercase();
        let fits = |a: &&AgentRow| {
            let goal = words::letters(a.goal).to_lowercase();
            [&a.name, &a.assets].iter().any(|t| t.to_lowercase().contains(&wanted))
                || a.family.label().contains(&wanted)
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

    /// The hint of a key, for words on the screen.
    pub(super) fn hint(&self, action: UserAction) -> String {
        self.keymap.key(action)
    }

    /// `log · ↑↓ scroll · esc back`: a title and the keys that hold there.
    pub(super) fn hints(&self, title: &str, hints: &[Hint]) -> String {
        let hint = |(actions, word): &Hint| {
            let keys: Vec<String> = actions.iter().map(|a| self.keymap.short(*a)).collect();
            // Arrows stand together, words apart.
            let gap = if keys.iter().all(|k| k.chars().count() == 1) { "" } else { " " };
            format!("{} {word}", keys.join(gap))
        };
        let title = (!title.is_empty()).then(|| title.to_owned());
        title.into_iter().chain(hints.iter().map(hint)).collect::<Vec<_>>().join(" · ")
    }
}

/// From `at` on among `n`, not beyond the ends.
pub(super) fn moved(at: usize, down: bool, by: usize, n: usize) -> usize {
    let last = n.saturating_sub(1);
    if down { at.saturating_add(by).min(last) } else { at.saturating_sub(by).min(last) }
}
