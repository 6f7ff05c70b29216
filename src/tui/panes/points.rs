//! The points pane: how everybody stands, and what each earned for others: by what it said, and by what it did
//! for the desk.

use super::agents;
use crate::domain::{AgentId, Service};
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId, Sort};
use crate::tui::pane::{Pane, PaneOutcome, block};
use crate::tui::table::{self, Column};
use crate::tui::theme::{StyleRole, Theme};
use crate::tui::{lines, words};
use crate::view::Cockpit;
use crate::view::cockpit::AgentRow;
use crate::view::services::ServiceRow;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Bounds of the small curve of points.
const POINTS: (f64, f64) = (33.0, 200.0);
/// Cells from which on it is told what somebody did.
const DEED: usize = 17;
/// What stands over that.
const DOES: &str = "does for the desk";

/// The title of the column that is there where idle cash is used.
const CAPITAL: &str = "capital ";

/// An agent and what it does for the desk, in words: in full, and in short.
struct PointsRow {
    row: AgentRow,
    deeds: [String; 3],
}

fn gain(x: f64) -> (String, StyleRole) {
    if x == 0.0 { ("–".to_owned(), StyleRole::Dim) } else { (words::fine_cell(x), words::sign_fine(x)) }
}

/// In the order in which they stand.
const COLUMNS: &[Column<PointsRow>] = &[
    Column {
        title: "",
        width: 1,
        right: false,
        rank: 0,
        of: |e| (words::mark(e.row.state).to_owned(), words::state(e.row.state)),
    },
    Column {
        title: "agent",
        width: 10,
        right: false,
        rank: 0,
        of: |e| (format!("{} {}", e.row.family.glyph(), e.row.name), StyleRole::Title),
    },
    Column {
        title: "pts",
        width: 3,
        right: true,
        rank: 1,
        of: |e| (format!("{:.0}", 100.0 * e.row.points), StyleRole::Text),
    },
    Column {
        title: "trend",
        width: 8,
        right: false,
        rank: 5,
        of: |e| (words::spark(&e.row.trend, POINTS, 8), StyleRole::Open),
    },
    Column {
        title: "needed",
        width: 7,
        right: true,
        rank: 6,
        of: |e| {
            let text = format!("{:+.1} %", 100.0 * e.row.difference);
            table::or_dash(!text.ends_with("0.0 %"), || text)
        },
    },
    Column { title: "talk ", width: 9, right: true, rank: 3, of: |e| gain(e.row.given) },
    Column { title: "carry ", width: 9, right: true, rank: 3, of: |e| gain(e.row.served[0]) },
    Column { title: "orders ", width: 9, right: true, rank: 3, of: |e| gain(e.row.served[1]) },
    Column { title: CAPITAL, width: 9, right: true, rank: 7, of: |e| gain(e.row.served[2]) },
    Column { title: "for desk ", width: 9, right: true, rank: 2, of: |e| gain(e.row.served.iter().sum()) },
];

/// `carries 1.2 BTC in spot for the desk: +14.20 today`.
pub fn deed(s: &ServiceRow) -> String {
    match (s.today, s.what.is_empty()) {
        (0.0, true) => s.deed(),
        (today, _) => format!("{}: {} today", s.deed(), words::fine(today)),
    }
}

fn entry(c: &Cockpit, row: &AgentRow) -> PointsRow {
    // For whom it is stands over the column.
    let under = |text: &str| text.replace(" for the desk", "").replace("the desk's ", "");
    let of = |words: &dyn Fn(&ServiceRow) -> String| {
        let rows = c.services.iter().filter(|s| s.agent == row.id);
        rows.map(words).filter(|d| !d.is_empty()).collect::<Vec<_>>().join("; ")
    };
    let deeds = [of(&|s| under(&deed(s))), of(&|s| under(&s.deed())), of(&|s| s.what.clone())];
    PointsRow { row: row.clone(), deeds }
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("points");

/// The table of who earned what for others.
#[derive(Default)]
pub struct PointsPane {
    /// First row that is shown, as last drawn.
    top: usize,
}

impl Pane for PointsPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        agents::KEYS.to_vec()
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        let rows: Vec<AgentId> = by_contribution(cx).iter().map(|a| a.id).collect();
        agents::on_action(cx, &rows, action)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        self.top = draw(frame, cx, area, self.top);
    }

    fn on_click(&mut self, cx: &mut PaneContext, row: usize) -> PaneOutcome {
        let clicked = by_contribution(cx).get(self.top + row).map(|a| a.id);
        agents::on_click(cx, clicked)
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        cx.agent().map(lines::agent)
    }
}

/// The agents that are shown, by what they earned for others where no other order was asked for.
pub fn by_contribution(cx: &PaneContext) -> Vec<&AgentRow> {
    let mut rows = cx.agents();
    if cx.sort == Sort::File {
        let earned = |a: &AgentRow| a.served.iter().sum::<f64>() + a.given;
        rows.sort_by(|a, b| earned(b).total_cmp(&earned(a)));
    }
    rows
}

/// Draws the table of points and contributions into its area; the first row that is shown.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, was: usize) -> usize {
    let rows = by_contribution(cx);
    let selected = cx.agent().and_then(|a| rows.iter().position(|r| r.id == a.id)).unwrap_or(0);
    let row = if rows.is_empty() { 0 } else { selected + 1 };
    // Border, head, and the line of sums.
    let shown = usize::from(area.height.saturating_sub(4));
    let top = table::top(was, selected, rows.len(), shown);
    let t = &cx.theme;
    let more = table::more(top, rows.len(), shown);
    let title = vec![
        Span::styled(format!("{row} of {}{more} ", rows.len()), t.of(StyleRole::Dim)),
        Span::styled("who earned what for others ", t.of(StyleRole::Dim)),
    ];
    let pane = block(cx, ID, title);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if let Some(c) = cx.cockpit.as_ref().filter(|_| inside.height > 1) {
        let capital = c.services.iter().any(|s| s.service == Service::Capital);
        let all = COLUMNS.iter().filter(|c| capital || c.title != CAPITAL).copied().collect();
        let columns = table::fitting(all, usize::from(inside.width), |_| 0);
        let left = usize::from(inside.width).saturating_sub(table::width(&columns));
        table::head(frame, t, &columns, if left >= DEED { DOES } else { "" }, inside);
        let focused = cx.focus == ID && cx.open.is_none();
        for (n, a) in rows.iter().skip(top).take(shown).enumerate() {
            let at = Rect { y: inside.y + 1 + n as u16, height: 1, ..inside };
            let said = |e: &PointsRow, width: usize| {
                let fits = e.deeds.iter().find(|d| d.chars().count() <= width);
                let text = fits.cloned().unwrap_or_else(|| words::parts(&e.deeds[2], width));
                (if width >= DEED { text } else { String::new() }, StyleRole::Dim)
            };
            table::row(frame, t, &columns, &entry(c, a), at, said);
            if top + n == selected {
                table::mark(frame, t, at, focused);
            }
        }
        let foot = Rect { y: inside.bottom() - 1, height: 1, ..inside };
        frame.render_widget(Paragraph::new(sums(t, c, usize::from(foot.width))), foot);
    }
    top
}

/// What a service is called in a sum.
fn service(s: Service) -> &'static str {
    match s {
        Service::Carry => "carry",
        Service::Liquidity => "orders worked",
        Service::Capital => "idle capital",
    }
}

/// What each service was worth in all, and today.
fn sums<'a>(t: &Theme, c: &Cockpit, width: usize) -> Line<'a> {
    let dim = t.of(StyleRole::Dim);
    if c.services.is_empty() {
        let long = " nobody serves the desk here: that takes a perp with its spot, or makers on quotes";
        let text = if width >= long.len() { long } else { " nobody serves the desk here" };
        return Line::styled(text, dim);
    }
    let there = Service::ALL.into_iter().filter(|s| c.services.iter().any(|row| row.service == *s));
    let line = |today: bool| {
        let mut spans = vec![Span::styled(" for the desk ", t.of(StyleRole::Title))];
        for (s, (now, total)) in there.clone().map(|s| (s, of(c, s))) {
            spans.push(Span::styled(format!("· {} ", service(s)), dim));
            spans.push(Span::styled(words::gain_fine(total), t.of(words::sign_fine(total))));
            let now = if today { format!(", today {} ", words::fine(now)) } else { " ".to_owned() };
            spans.push(Span::styled(now, dim));
        }
        Line::from(spans)
    };
    // All services in all, before what today was of any.
    let long = line(true);
    if long.width() <= width { long } else { line(false) }
}

/// Today's worth of a service and that of the whole run.
fn of(c: &Cockpit, service: Service) -> (f64, f64) {
    let of = c.services.iter().filter(|s| s.service == service);
    of.fold((0.0, 0.0), |(today, total), s| (today + s.today, total + s.total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::picture;

    #[test]
    fn a_deed_says_what_was_done_and_what_it_was_worth_today() {
        let mut row = picture(1).services[0].clone();
        (row.what, row.today) = ("1.2 BTC".to_owned(), 14.2);
        assert_eq!(deed(&row), "carries 1.2 BTC in spot for the desk: +14.20 today");
        (row.what, row.today) = (String::new(), 0.0);
        assert_eq!(deed(&row), "would carry in spot for the desk where that pays");
    }
}
