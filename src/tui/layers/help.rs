//! The help: every key and every word of the `:` line with what it does, from the table of actions.

use crate::tui::action::{ACTIONS, ActionRow, UserAction};
use crate::tui::context::{Hint, PaneContext, PaneId};
use crate::tui::footer;
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, SCROLL, boxed, middle, scrolled};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Most cells of the help.
const WIDTH: u16 = 116;

/// The help, above what is there.
#[derive(Default)]
pub struct HelpLayer {
    /// First line that is shown.
    pub scroll: u16,
}

impl Pane for HelpLayer {
    fn id(&self) -> PaneId {
        PaneId("help")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        vec![SCROLL, LEAP, ENDS, BACK, (&[UserAction::Open], "nothing")]
    }

    fn on_action(&mut self, _: &mut PaneContext, action: UserAction) -> PaneOutcome {
        match scrolled(self.scroll, action) {
            Some(scroll) => self.scroll = scroll,
            None if action == UserAction::Back => return PaneOutcome::Close,
            None => {}
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        self.scroll = draw(frame, cx, self.scroll, area);
    }
}

/// Draws the help over the screen; the first line that is shown.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, scroll: u16, area: Rect) -> u16 {
    let t = &cx.theme;
    let row = |e: &ActionRow| {
        let word = if e.command.is_empty() { String::new() } else { format!(":{}", e.command) };
        let room = usize::from(area.width.min(WIDTH)).saturating_sub(32).max(12);
        let mut text = words::wrap(e.help, room).into_iter();
        let first = Line::from(vec![
            Span::styled(format!(" {:<14}", cx.keymap.shown(e)), t.of(StyleRole::Key)),
            Span::styled(format!("{word:<14} "), t.of(StyleRole::Open)),
            Span::raw(text.next().unwrap_or_default()),
        ]);
        let rest = text.map(|part| Line::raw(" ".repeat(30) + &part));
        std::iter::once(first).chain(rest).collect::<Vec<_>>()
    };
    let mut ranked: Vec<&ActionRow> = ACTIONS.iter().collect();
    ranked.sort_by_key(|e| footer::rank(e));
    let lines: Vec<Line<'_>> = ranked.into_iter().flat_map(row).collect();
    let at = middle(area, WIDTH, lines.len() as u16 + 2);
    let hidden = (lines.len() as u16 + 2).saturating_sub(at.height);
    let scroll = scroll.min(hidden);
    let title = cx.hints("keys", if hidden > 0 { &[SCROLL, BACK] } else { &[BACK] });
    boxed(frame, cx, &title, lines.into_iter().skip(usize::from(scroll)).collect(), at, StyleRole::Focus);
    scroll
}
