//! The table of agents.

use crate::domain::{AgentId, money};
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId, Sort, moved};
use crate::tui::pane::{ENDS, LEAP, Pane, PaneOutcome, PanePlace, PaneShape, SCROLL, block, step_of};
use crate::tui::table::{self, Column};
use crate::tui::theme::StyleRole;
use crate::tui::{lines, words};
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
            (format!("{} {}", a.family.glyph(), a.name), role)
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
        of: |a| (a.family.label().to_owned(), StyleRole::Dim),
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

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("agents");

/// The table of agents.
#[derive(Default)]
pub struct AgentsPane {
    /// First row that is shown, as last drawn.
    top: usize,
}

impl Pane for AgentsPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        KEYS.to_vec()
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        on_any(cx, action)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        self.top = draw(frame, cx, area, self.top);
    }

    fn shape(&self) -> PaneShape {
        PaneShape { place: PanePlace::Main, ..PaneShape::default() }
    }

    fn on_click(&mut self, cx: &mut PaneContext, row: usize) -> PaneOutcome {
        let clicked = cx.agents().get(self.top + row).map(|a| a.id);
        on_click(cx, clicked)
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        cx.agent().map(lines::agent)
    }
}

/// The keys of a pane that goes through agents.
pub const KEYS: [Hint; 4] = [SCROLL, LEAP, ENDS, (&[UserAction::Open], "page")];

/// An action of a pane whose rows are these agents: the cursor moves, or the page of who is under it is opened.
pub fn on_action(cx: &mut PaneContext, rows: &[AgentId], action: UserAction) -> PaneOutcome {
    match step_of(action) {
        Some((down, by)) => {
            cx.selected = step(rows, cx.selected, down, by);
            PaneOutcome::Done
        }
        None => cx.agent().map_or(PaneOutcome::Done, |a| PaneOutcome::Open(a.id, None)),
    }
}

/// The same for a pane that shows no agents of its own: its keys go through them in their order.
pub fn on_any(cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
    let rows: Vec<AgentId> = cx.agents().iter().map(|a| a.id).collect();
    on_action(cx, &rows, action)
}

/// A click on an agent selects it, and opens its page where it is selected already.
pub fn on_click(cx: &mut PaneContext, clicked: Option<AgentId>) -> PaneOutcome {
    let Some(id) = clicked else { return PaneOutcome::Done };
    let again = cx.agent().is_some_and(|a| a.id == id);
    cx.selected = Some(id);
    if again { PaneOutcome::Open(id, None) } else { PaneOutcome::Done }
}

/// Who is selected after a step.
pub fn step(rows: &[AgentId], selected: Option<AgentId>, down: bool, by: usize) -> Option<AgentId> {
    let at = rows.iter().position(|id| Some(*id) == selected).unwrap_or(0);
    rows.get(moved(at, down, by, rows.len())).copied()
}

/// Draws the list of agents into its area; the first row that is shown.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, was: usize) -> usize {
    let rows = cx.agents();
    let total = cx.cockpit.as_ref().map_or(0, |c| c.agents.len());
    let shown = usize::from(area.height.saturating_sub(3));
    let selected = cx.agent().and_then(|a| rows.iter().position(|r| r.id == a.id)).unwrap_or(0);
    let top = table::top(was, selected, rows.len(), shown);
    let t = &cx.theme;
    let pane = block(cx, ID, title(cx, rows.len(), total, selected, top, shown));
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.height > 0 && cx.cockpit.is_some() {
        // Of all rows, so that nothing jumps while they scroll.
        let state = rows.iter().map(|a| a.state.text().chars().count()).max().unwrap_or(0);
        let serves = cx.cockpit.as_ref().is_some_and(|c| !c.services.is_empty());
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
            let back = cx.hint(UserAction::Back);
            let text = format!(" nobody is like /{}; {back} clears it", cx.agent_filter);
            frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), at);
        }
        let focused = cx.focus == ID && cx.open.is_none();
        for (n, a) in rows.iter().skip(top).take(shown).enumerate() {
            let at = Rect { y: inside.y + 1 + n as u16, height: 1, ..inside };
            table::row(frame, t, &columns, *a, at, self::rest);
            if top + n == selected {
                table::mark(frame, t, at, focused);
            }
        }
    }
    top
}

fn title(
    cx: &PaneContext,
    rows: usize,
    total: usize,
    selected: usize,
    top: usize,
    shown: usize,
) -> Vec<Span<'static>> {
    let t = &cx.theme;
    let row = if rows == 0 { 0 } else { selected + 1 };
    let more = table::more(top, rows, shown);
    let mut spans = vec![Span::styled(format!("{row} of {rows}{more} "), t.of(StyleRole::Dim))];
    if !cx.agent_filter.is_empty() {
        let text = format!("/{} ", words::cut(&cx.agent_filter, 20));
        spans.push(Span::styled(text, t.of(StyleRole::Focus)));
        spans.push(Span::styled(format!("of {total} "), t.of(StyleRole::Dim)));
    }
    if cx.sort != Sort::File {
        spans.push(Span::styled(format!("{} ", cx.sort.text()), t.of(StyleRole::Focus)));
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
