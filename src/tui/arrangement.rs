//! Which panes are where, at which size: all of them where there is room, a person's own arrangement, or one at a time.

use super::context::{PaneContext, PaneId};
use super::header;
use super::pane::{PanePlace, PaneShape};
use super::panes::{agents, goals, messages, network, orders, pnl, points};
use ratatui::layout::{Constraint, Layout, Rect};

/// From here on everything is shown.
const FULL: (u16, u16) = (160, 45);
/// From here on also what else has its place below the agents.
const MORE: (u16, u16) = (200, 58);
/// From here on two columns.
const COLUMNS: (u16, u16) = (100, 26);
/// From here on one pane with tabs.
const TABS: (u16, u16) = (80, 20);
/// From here on header and agents; below, one line.
pub const LEAST: (u16, u16) = (60, 12);

/// An arrangement of panes: its name, and columns of panes from the left.
pub type PaneLayout = (String, Vec<Vec<PaneId>>);

/// Those that are built in.
pub fn views() -> Vec<PaneLayout> {
    let of = |name: &str, columns: &[&[PaneId]]| {
        (name.to_owned(), columns.iter().map(|column| column.to_vec()).collect())
    };
    vec![
        of("people", &[&[agents::ID], &[messages::ID]]),
        of("market", &[&[pnl::ID, goals::ID], &[network::ID]]),
        of("talk", &[&[messages::ID], &[network::ID]]),
        of("desk", &[&[orders::ID], &[points::ID]]),
    ]
}

/// Whether an area is at least so large.
pub fn fits(area: Rect, (width, height): (u16, u16)) -> bool {
    area.width >= width && area.height >= height
}

/// How the panes are arranged.
pub struct Arrangement {
    /// Arrangements beside the usual one, and which is chosen.
    pub views: Vec<PaneLayout>,
    view: Option<usize>,
    /// The pane with the focus has the whole room.
    pub zoomed: bool,
    /// What is below the agents: what was looked at last of those that share that place.
    pub below: PaneId,
}

impl Arrangement {
    /// The usual one.
    pub fn new(below: PaneId) -> Self {
        Arrangement { views: views(), view: None, zoomed: false, below }
    }

    /// The next arrangement, and its panes; after the last the usual one.
    pub fn next_view(&mut self) -> Option<&PaneLayout> {
        let next = self.view.map_or(0, |n| n + 1);
        self.view = (next < self.views.len()).then_some(next);
        self.zoomed = false;
        self.view.and_then(|n| self.views.get(n))
    }

    /// Whether one pane is shown at a time.
    fn is_single(&self, screen: Rect) -> bool {
        !fits(screen, COLUMNS) || self.zoomed
    }

    /// Whether the panes that are not shown are named above the one that is.
    pub fn has_tabs(&self, screen: Rect) -> bool {
        self.is_single(screen) && fits(screen, TABS)
    }

    /// Where the panes are, in the order in which they are drawn.
    pub fn places(
        &self,
        cx: &PaneContext,
        shapes: &[(PaneId, PaneShape)],
        screen: Rect,
        body: Rect,
    ) -> Vec<(PaneId, Rect)> {
        if self.is_single(screen) {
            return vec![(cx.focus, body)];
        }
        if let Some((_, columns)) = self.view.and_then(|n| self.views.get(n)) {
            return arranged(columns, shapes, body);
        }
        let at = |place: PanePlace| shapes.iter().filter(move |(_, s)| s.place == place).map(|(id, _)| *id);
        if fits(screen, FULL) { self.full(&at, body) } else { self.columns(cx, shapes, &at, body) }
    }

    fn full<I: Iterator<Item = PaneId>>(
        &self,
        at: &impl Fn(PanePlace) -> I,
        body: Rect,
    ) -> Vec<(PaneId, Rect)> {
        let [top, rest] = Layout::vertical([Constraint::Length(4), Constraint::Min(1)]).areas(body);
        let [left, right] = Layout::horizontal([Constraint::Fill(60), Constraint::Fill(40)]).areas(rest);
        let [chart, net] = Layout::vertical([Constraint::Fill(42), Constraint::Fill(58)]).areas(right);
        let more = body.width >= MORE.0 && body.height + header::HEIGHT + 1 >= MORE.1;
        let shares = if more { (52, 48) } else { (68, 32) };
        let [table, below] =
            Layout::vertical([Constraint::Fill(shares.0), Constraint::Fill(shares.1)]).areas(left);
        let fixed = [
            (PanePlace::Top, top),
            (PanePlace::Main, table),
            (PanePlace::Chart, chart),
            (PanePlace::Graph, net),
        ];
        let mut places: Vec<(PaneId, Rect)> =
            fixed.into_iter().flat_map(|(place, area)| at(place).map(move |id| (id, area))).collect();
        if more {
            // The one that was looked at last has the line of its own.
            let others: Vec<PaneId> = at(PanePlace::Below).filter(|p| *p != self.below).collect();
            let [one, rest] = Layout::vertical([Constraint::Fill(1); 2]).areas(below);
            let parts = Layout::horizontal(vec![Constraint::Fill(1); others.len()]).split(rest);
            places.push((self.below, one));
            places.extend(others.into_iter().zip(parts.iter().copied()));
        } else {
            places.push((self.below, below));
        }
        places
    }

    fn columns<I: Iterator<Item = PaneId>>(
        &self,
        cx: &PaneContext,
        shapes: &[(PaneId, PaneShape)],
        at: &impl Fn(PanePlace) -> I,
        body: Rect,
    ) -> Vec<(PaneId, Rect)> {
        let shape = |id: PaneId| shapes.iter().find(|(i, _)| *i == id).map(|(_, s)| *s).unwrap_or_default();
        let under = shape(self.below).rows_below;
        let [top, rest, talk] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(under)])
                .areas(body);
        let [left, right] = Layout::horizontal([Constraint::Length(54), Constraint::Min(1)]).areas(rest);
        // The one that has the focus gets the room.
        let (a, b) = match shape(cx.focus).place {
            PanePlace::Graph => (0, 1),
            PanePlace::Chart => (1, 0),
            _ => (1, 1),
        };
        let [chart, net] = Layout::vertical([Constraint::Fill(a), Constraint::Fill(b)]).areas(right);
        let fixed = [
            (PanePlace::Top, top, 1),
            (PanePlace::Main, left, 1),
            (PanePlace::Chart, chart, a),
            (PanePlace::Graph, net, b),
        ];
        let shown = fixed.into_iter().filter(|(.., share)| *share > 0);
        let mut places: Vec<(PaneId, Rect)> =
            shown.flat_map(|(place, area, _)| at(place).map(move |id| (id, area))).collect();
        places.push((self.below, talk));
        places
    }
}

/// Columns of panes, each with its share of the room, or the rows that it needs.
fn arranged(columns: &[Vec<PaneId>], shapes: &[(PaneId, PaneShape)], body: Rect) -> Vec<(PaneId, Rect)> {
    let widths = Layout::horizontal(vec![Constraint::Fill(1); columns.len()]).split(body);
    let mut places = Vec::new();
    for (panes, area) in columns.iter().zip(widths.iter()) {
        let rows = |id: &PaneId| shapes.iter().find(|(i, _)| i == id).and_then(|(_, s)| s.rows);
        let high = |id: &PaneId| rows(id).map_or(Constraint::Fill(1), Constraint::Length);
        let parts = Layout::vertical(panes.iter().map(high)).split(*area);
        places.extend(panes.iter().copied().zip(parts.iter().copied()));
    }
    places
}
