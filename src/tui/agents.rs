//! The table of agents.

use super::app::{App, Pane, Sort};
use super::draw::block;
use super::table::{self, Column};
use super::theme::StyleRole;
use super::words;
use crate::domain::money;
use crate::view::cockpit::{AgentRow, AgentState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Paragraph;

/// Bounds of the small curve of points.
const POINTS: (f64, f64) = (33.0, 200.0);

/// Cells for what an agent holds, and the least that says anything.
const HOLDS: usize = 14;
const HOLDS_MIN: usize = 10;

fn quiet(a: &AgentRow) -> bool {
    matches!(a.state, AgentState::StoppedOut | AgentState::Unfunded | AgentState::Quarantined)
}

fn gain(x: f64) -> (String, StyleRole) {
    (words::gain_cell(x), words::sign(x))
}

/// Title of the column that is as wide as its longest word.
const STATE: &str = "state";
/// Title of the column that is there where anybody serves the desk.
const SERVES: &str = "serves ";

/// In the order in which they stand.
const COLUMNS: &[Column<AgentRow>] = &[
    Column {
        title: "",
        width: 1,
        right: false,
        rank: 0,
        of: |a| (words::mark(a.state).to_owned(), words::state(a.state)),
    },
    Column {
        title: "agent",
        width: 10,
        right: false,
        rank: 0,
        of: |a| {
            let role = if quiet(a) { StyleRole::Dim } else { StyleRole::Title };
            (format!("{} {}", words::glyph(a.family), a.name), role)
        },
    },
    Column {
        title: STATE,
        width: 8,
        right: false,
        rank: 4,
        of: |a| (a.state.text().to_owned(), words::state(a.state)),
    },
    Column { title: "real ", width: 8, right: true, rank: 1, of: |a| gain(money::to_estimate(a.real)) },
    Column { title: "open ", width: 8, right: true, rank: 2, of: |a| gain(a.open) },
    Column { title: "alone ", width: 8, right: true, rank: 3, of: |a| gain(a.alone) },
    Column {
        title: "pts",
        width: 3,
        right: true,
        rank: 5,
        of: |a| (format!("{:.0}", 100.0 * a.points), StyleRole::Text),
    },
    Column {
        title: "voice",
        width: 5,
        right: true,
        rank: 7,
        of: |a| table::or_dash(a.voice > 0.0, || format!("{:.2}", a.voice)),
    },
    Column {
        title: "infl%",
        width: 5,
        right: true,
        rank: 7,
        of: |a| table::or_dash(a.influence > 0.0, || format!("{:.1}", 100.0 * a.influence)),
    },
    Column {
        title: "trend",
        width: 8,
        right: false,
        rank: 9,
        of: |a| (words::spark(&a.trend, POINTS, 8), StyleRole::Open),
    },
    Column {
        title: "funds",
        width: 7,
        right: true,
        rank: 6,
        of: |a| {
            let funds = money::to_estimate(a.funds);
            table::or_dash(funds.abs() >= 0.5, || words::thousands(funds))
        },
    },
    Column {
        title: SERVES,
        width: 8,
        right: true,
        rank: 8,
        of: |a| match a.served.iter().sum() {
            0.0 => ("–".to_owned(), StyleRole::Dim),
            sum => (words::fine_cell(sum), words::sign_fine(sum)),
        },
    },
    Column {
        title: "for",
        width: 3,
        right: false,
        rank: 10,
        of: |a| (words::letters(a.goal).to_owned(), StyleRole::Dim),
    },
    Column {
        title: "family",
        width: 13,
        right: false,
        rank: 11,
        of: |a| (words::family(a.family).to_owned(), StyleRole::Dim),
    },
];

/// What is left goes to what it holds, and if that is much, to what it said.
fn rest(a: &AgentRow, width: usize) -> (String, StyleRole) {
    if width < 9 {
        return (String::new(), StyleRole::Text);
    }
    if width >= 44 {
        let held = words::parts(&a.position, 18);
        return (format!("{held:<19} {}", words::phrase(&a.said, width - 20)), StyleRole::Dim);
    }
    (words::parts(&a.position, width), StyleRole::Text)
}

/// Draws the list of agents into its area.
pub fn draw(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    let rows = app.agents();
    let total = app.cockpit.as_ref().map_or(0, |c| c.agents.len());
    let shown = usize::from(area.height.saturating_sub(3));
    let selected = app.agent().and_then(|a| rows.iter().position(|r| r.id == a.id)).unwrap_or(0);
    let top = table::top(app.top, selected, rows.len(), shown);
    let t = &app.theme;
    let pane = block(app, Pane::Agents, title(app, rows.len(), total, selected, top, shown));
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.height > 0 && app.cockpit.is_some() {
        // Of all rows, so that nothing jumps while they scroll.
        let state = rows.iter().map(|a| a.state.text().chars().count()).max().unwrap_or(0);
        let serves = app.cockpit.as_ref().is_some_and(|c| !c.services.is_empty());
        let columns = fitting(usize::from(inside.width), state, serves);
        let left = usize::from(inside.width).saturating_sub(table::width(&columns));
        let rest = match left {
            0..9 => "",
            9..44 => "holds",
            _ => "holds               last said",
        };
        table::head(frame, t, &columns, rest, inside);
        if rows.is_empty() {
            let at = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1).min(1), ..inside };
            let back = app.hint(super::action::UserAction::Back);
            let text = format!(" nobody is like /{}; {back} clears it", app.agent_filter);
            frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), at);
        }
        let focused = app.focus == Pane::Agents && app.open.is_none();
        for (n, a) in rows.iter().skip(top).take(shown).enumerate() {
            let at = Rect { y: inside.y + 1 + n as u16, height: 1, ..inside };
            table::row(frame, t, &columns, *a, at, self::rest);
            if top + n == selected {
                table::mark(frame, t, at, focused);
            }
        }
    }
    app.top = top;
}

fn title(
    app: &App,
    rows: usize,
    total: usize,
    selected: usize,
    top: usize,
    shown: usize,
) -> Vec<Span<'static>> {
    let t = &app.theme;
    let row = if rows == 0 { 0 } else { selected + 1 };
    let more = table::more(top, rows, shown);
    let mut spans = vec![Span::styled(format!("{row} of {rows}{more} "), t.of(StyleRole::Dim))];
    if !app.agent_filter.is_empty() {
        let text = format!("/{} ", words::cut(&app.agent_filter, 20));
        spans.push(Span::styled(text, t.of(StyleRole::Focus)));
        spans.push(Span::styled(format!("of {total} "), t.of(StyleRole::Dim)));
    }
    if app.sort != Sort::File {
        spans.push(Span::styled(format!("{} ", app.sort.text()), t.of(StyleRole::Focus)));
    }
    spans
}

/// The most important ones that fit.
fn fitting(width: usize, state: usize, serves: bool) -> Vec<Column<AgentRow>> {
    let wide = |c: &Column<AgentRow>| Column {
        width: if c.title == STATE { c.width.max(state) } else { c.width },
        ..*c
    };
    let all = COLUMNS.iter().filter(|c| serves || c.title != SERVES).map(wide).collect();
    // What an agent holds is worth more than the least of the columns.
    table::fitting(all, width, |rank| match rank {
        0..7 => 0,
        7..9 => HOLDS_MIN,
        _ => HOLDS,
    })
}
