//! The managers pane: who is set over whom, what each watches, what its knobs are at, and what it was worth.

use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId, moved};
use crate::tui::pane::{ENDS, LEAP, Pane, PaneOutcome, SCROLL, block, step_of};
use crate::tui::table::{self, Column};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crate::view::managers::ManagerRow;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// In the order in which they stand.
const COLUMNS: &[Column<ManagerRow>] = &[
    Column { title: "manager", width: 16, right: false, rank: 0, of: |m| (m.name.clone(), StyleRole::Title) },
    Column {
        title: "for",
        width: 3,
        right: false,
        rank: 4,
        of: |m| (m.goal.map_or("–", words::letters).to_owned(), StyleRole::Dim),
    },
    Column { title: "state", width: 6, right: false, rank: 0, of: |m| (m.state().to_owned(), role(m)) },
    Column { title: "knobs", width: 28, right: false, rank: 1, of: |m| (m.knobs.clone(), StyleRole::Text) },
    Column { title: "Δ Sharpe by it", width: 20, right: true, rank: 2, of: worth },
    Column {
        title: "watches",
        width: 22,
        right: false,
        rank: 3,
        of: |m| (m.watches.clone(), StyleRole::Dim),
    },
];

fn role(m: &ManagerRow) -> StyleRole {
    match () {
        () if m.paused || m.muted => StyleRole::Warn,
        () if m.turned => StyleRole::Open,
        () => StyleRole::Dim,
    }
}

/// What the hive gains by it, told apart from nothing only where the interval is.
fn worth(m: &ManagerRow) -> (String, StyleRole) {
    m.worth.map_or_else(
        || ("–".to_owned(), StyleRole::Dim),
        |w| {
            let role = match () {
                () if w.low > 0.0 => StyleRole::Good,
                () if w.high < 0.0 => StyleRole::Bad,
                () => StyleRole::Text,
            };
            (format!("{:+.2} [{:+.2}, {:+.2}]", w.sharpe, w.low, w.high), role)
        },
    )
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("managers");

/// The table of managers.
#[derive(Default)]
pub struct ManagersPane {
    /// The row under the cursor.
    cursor: usize,
    /// First row that is shown, as last drawn.
    top: usize,
}

impl ManagersPane {
    fn selected<'a>(&self, cx: &'a PaneContext) -> Option<&'a ManagerRow> {
        let rows = &cx.cockpit.as_ref()?.managers;
        rows.get(self.cursor.min(rows.len().saturating_sub(1)))
    }
}

impl Pane for ManagersPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        vec![SCROLL, LEAP, ENDS, (&[UserAction::PAUSE], "rest"), (&[UserAction::MUTE], "mute")]
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        let rows = cx.cockpit.as_ref().map_or(0, |c| c.managers.len());
        if let Some((down, by)) = step_of(action) {
            self.cursor = moved(self.cursor.min(rows.saturating_sub(1)), down, by, rows);
            return PaneOutcome::Done;
        }
        let Some(m) = self.selected(cx) else { return PaneOutcome::Done };
        let word = match action {
            UserAction::PAUSE => {
                if m.paused {
                    "resume"
                } else {
                    "pause"
                }
            }
            UserAction::MUTE => {
                if m.muted {
                    "unmute"
                } else {
                    "mute"
                }
            }
            _ => return PaneOutcome::Done,
        };
        PaneOutcome::Run(format!("{word} {}", m.name))
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        let rows = cx.cockpit.as_ref().map_or(&[][..], |c| &c.managers);
        let selected = self.cursor.min(rows.len().saturating_sub(1));
        // Border and head.
        let shown = usize::from(area.height.saturating_sub(3));
        self.top = table::top(self.top, selected, rows.len(), shown);
        let t = &cx.theme;
        let told = if rows.is_empty() { "nobody is set over anybody " } else { "set over others " };
        let pane = block(cx, ID, vec![Span::styled(told, t.of(StyleRole::Dim))]);
        let inside = pane.inner(area);
        frame.render_widget(pane, area);
        if inside.height < 2 {
            return;
        }
        let columns = table::fitting(COLUMNS.to_vec(), usize::from(inside.width), |_| 0);
        table::head(frame, t, &columns, "over", inside);
        for (n, m) in rows.iter().skip(self.top).take(shown).enumerate() {
            let at = Rect { y: inside.y + 1 + n as u16, height: 1, ..inside };
            table::row(frame, t, &columns, m, at, |m, width| (words::parts(&m.over, width), StyleRole::Dim));
            if self.top + n == selected {
                table::mark(frame, t, at, cx.focus == ID && cx.open.is_none());
            }
        }
    }

    fn on_click(&mut self, cx: &mut PaneContext, row: usize) -> PaneOutcome {
        let rows = cx.cockpit.as_ref().map_or(0, |c| c.managers.len());
        self.cursor = (self.top + row).min(rows.saturating_sub(1));
        PaneOutcome::Done
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        let m = self.selected(cx)?;
        let (worth, _) = worth(m);
        Some(format!(
            "{} over {}: watches {}, {}, {}, Δ Sharpe {worth}",
            m.name,
            m.over,
            m.watches,
            m.state(),
            m.knobs
        ))
    }
}
