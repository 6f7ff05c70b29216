//! The table of agents.

use super::app::{App, Pane, Sort};
use super::draw::block;
use super::theme::{Role, Theme};
use super::words;
use crate::domain::money;
use crate::view::cockpit::{AgentRow, AgentState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Bounds of the small curve of points.
const POINTS: (f64, f64) = (33.0, 200.0);

/// Cells for what an agent holds.
const HOLDS: usize = 14;

/// A column: title, width, right-aligned, rank (the lowest go last), and what stands in it.
struct Column {
    title: &'static str,
    width: usize,
    right: bool,
    rank: u8,
    of: fn(&AgentRow) -> (String, Role),
}

fn quiet(a: &AgentRow) -> bool {
    matches!(a.state, AgentState::Broke | AgentState::Unfunded | AgentState::Quarantined)
}

fn gain(x: f64) -> (String, Role) {
    (words::gain_cell(x), words::sign(x))
}

/// The title of the column that is as wide as its longest word.
const STATE: &str = "state";

/// In the order in which they stand.
const COLUMNS: &[Column] = &[
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
            let role = if quiet(a) { Role::Dim } else { Role::Title };
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
    Column { title: "sim ", width: 8, right: true, rank: 2, of: |a| gain(a.sim) },
    Column { title: "alone ", width: 8, right: true, rank: 3, of: |a| gain(a.alone) },
    Column {
        title: "pts",
        width: 3,
        right: true,
        rank: 5,
        of: |a| (format!("{:.0}", 100.0 * a.points), Role::Text),
    },
    Column {
        title: "voice",
        width: 5,
        right: true,
        rank: 8,
        of: |a| match a.voice {
            v if v > 0.0 => (format!("{v:.2}"), Role::Text),
            _ => ("–".to_owned(), Role::Dim),
        },
    },
    Column {
        title: "infl%",
        width: 5,
        right: true,
        rank: 8,
        of: |a| match a.influence {
            x if x > 0.0 => (format!("{:.1}", 100.0 * x), Role::Text),
            _ => ("–".to_owned(), Role::Dim),
        },
    },
    Column {
        title: "trend",
        width: 8,
        right: false,
        rank: 7,
        of: |a| (words::spark(&a.trend, POINTS, 8), Role::Sim),
    },
    Column {
        title: "funds",
        width: 7,
        right: true,
        rank: 6,
        of: |a| {
            let funds = money::to_estimate(a.funds);
            if funds.abs() < 0.5 {
                ("–".to_owned(), Role::Dim)
            } else {
                (words::thousands(funds), Role::Text)
            }
        },
    },
    Column {
        title: "for",
        width: 3,
        right: false,
        rank: 9,
        of: |a| (words::letters(a.goal).to_owned(), Role::Dim),
    },
    Column {
        title: "family",
        width: 13,
        right: false,
        rank: 10,
        of: |a| (words::family(a.family).to_owned(), Role::Dim),
    },
];

/// What is left goes to what it holds, and if that is much, to what it said.
fn rest(a: &AgentRow, width: usize) -> (String, Role) {
    if width >= 44 {
        let held = words::cut(&a.position, 18);
        return (format!("{held:<19} {}", words::cut(&a.said, width - 20)), Role::Dim);
    }
    (words::cut(&a.position, width), Role::Text)
}

fn padded(text: &str, width: usize, right: bool) -> String {
    let text = words::cut(text, width);
    if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    let rows = app.agents();
    let total = app.cockpit.as_ref().map_or(0, |c| c.agents.len());
    let shown = usize::from(area.height.saturating_sub(3));
    let selected = app.agent().and_then(|a| rows.iter().position(|r| r.id == a.id)).unwrap_or(0);
    // As little scrolling as keeps the cursor in sight, and no empty rows.
    let top =
        app.top.clamp((selected + 1).saturating_sub(shown), selected).min(rows.len().saturating_sub(shown));
    let t = &app.theme;
    let pane = block(app, Pane::Agents, title(app, rows.len(), total, selected, top, shown));
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.height > 0 && app.cockpit.is_some() {
        // Of all rows, so that nothing jumps while they scroll.
        let state = rows.iter().map(|a| a.state.text().chars().count()).max().unwrap_or(0);
        let columns = fitting(usize::from(inside.width), state);
        head(frame, t, &columns, inside);
        for (n, a) in rows.iter().skip(top).take(shown).enumerate() {
            let at = Rect { y: inside.y + 1 + n as u16, height: 1, ..inside };
            row(frame, app, &columns, a, at, top + n == selected);
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
    let place = if rows == 0 { 0 } else { selected + 1 };
    let more = match (top > 0, top + shown < rows) {
        (true, true) => " ↕",
        (true, false) => " ↑",
        (false, true) => " ↓",
        (false, false) => "",
    };
    let mut spans = vec![Span::styled(format!("{place} of {rows}{more} "), t.of(Role::Dim))];
    if !app.agent_filter.is_empty() {
        let text = format!("/{} ", words::cut(&app.agent_filter, 20));
        spans.push(Span::styled(text, t.of(Role::Focus)));
        spans.push(Span::styled(format!("of {total} "), t.of(Role::Dim)));
    }
    if app.sort != Sort::File {
        spans.push(Span::styled(format!("{} ", app.sort.text()), t.of(Role::Focus)));
    }
    spans
}

/// The most important ones that fit.
fn fitting(width: usize, state: usize) -> Vec<Column> {
    let wide =
        |c: &Column| Column { width: if c.title == STATE { c.width.max(state) } else { c.width }, ..*c };
    let mut chosen: Vec<Column> = COLUMNS.iter().map(wide).collect();
    let needed = |c: &[Column]| c.iter().map(|c| c.width + 1).sum::<usize>();
    while chosen.len() > 2 {
        let last = chosen.iter().map(|c| c.rank).max().unwrap_or(0);
        // What an agent holds is worth more than the least of the columns.
        let reserve = if last >= 9 { HOLDS } else { 0 };
        if needed(&chosen) + reserve <= width + 1 {
            break;
        }
        chosen.retain(|c| c.rank != last);
    }
    chosen
}

fn head(frame: &mut Frame<'_>, t: &Theme, columns: &[Column], inside: Rect) {
    let mut text: String = columns.iter().map(|c| padded(c.title, c.width, c.right) + " ").collect();
    if usize::from(inside.width) >= text.chars().count() + 10 {
        text += "holds";
        if usize::from(inside.width) >= text.chars().count() + 39 {
            text += "               last said";
        }
    }
    frame.buffer_mut().set_stringn(inside.x, inside.y, text, usize::from(inside.width), t.of(Role::Dim));
}

fn row(frame: &mut Frame<'_>, app: &App, columns: &[Column], a: &AgentRow, at: Rect, selected: bool) {
    let t = &app.theme;
    let mut spans = Vec::with_capacity(2 * columns.len() + 2);
    let mut used = 0;
    for c in columns {
        let (text, role) = (c.of)(a);
        spans.push(Span::styled(padded(&text, c.width, c.right), t.of(role)));
        spans.push(Span::raw(" "));
        used += c.width + 1;
    }
    let left = usize::from(at.width).saturating_sub(used);
    if left >= 9 {
        let (text, role) = rest(a, left);
        spans.push(Span::styled(text, t.of(role)));
    }
    let buffer = frame.buffer_mut();
    buffer.set_line(at.x, at.y, &Line::from(spans), at.width);
    if selected {
        let focused = app.focus == Pane::Agents && app.open.is_none();
        // Behind the text; its own colours stay where the theme has a background.
        let style = t.of(if focused { Role::Selected } else { Role::Cursor });
        let behind = style.bg.is_some();
        buffer.set_style(at, if behind { ratatui::style::Style { fg: None, ..style } } else { style });
    }
}
