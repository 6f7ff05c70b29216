//! A pane: a part of the screen with a state of its own. Those of the first kind share the screen, and the focus is on
//! one of them; those of the second kind are layers (a page, the help, a dialog) that lie over the others until they
//! are closed. Both are this one trait, and a pane knows no other pane.
//!
//! # Invariants
//!
//! 1. A pane does only what its [`Pane::keys`] name; what it does not name goes on to the cockpit.
//! 2. Drawing is a function of the pane and the context, at any size.

use super::action::UserAction;
use super::context::{FilterOf, Hint, PaneContext, PaneId};
use super::theme::StyleRole;
use crate::domain::{AgentId, MessageId};
use crate::view::Cockpit;
use crate::view::link::Request;
use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use std::any::Any;

/// Rows of a leap.
const LEAP_ROWS: usize = 10;

/// Hints of a border: the keys that scroll, and what they do there.
pub const SCROLL: Hint = (&[UserAction::Up, UserAction::Down], "scroll");
/// A page at a time.
pub const LEAP: Hint = (&[UserAction::PageUp, UserAction::PageDown], "scroll");
/// To the first and to the last.
pub const ENDS: Hint = (&[UserAction::First, UserAction::Last], "ends");
/// Leaving the layer, or what is chosen in a pane.
pub const BACK: Hint = (&[UserAction::Back], "back");

/// Where a pane stands among the others where all of them have room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PanePlace {
    /// Over the whole width, below the header; one line of it where there is little room.
    Top,
    /// The large one at the left.
    Main,
    /// At the right, above.
    Chart,
    /// At the right, below.
    Graph,
    /// Below the main one, where the pane that was looked at last is.
    #[default]
    Below,
}

/// How a pane wants to be placed.
#[derive(Clone, Copy, Debug)]
pub struct PaneShape {
    /// Where it stands.
    pub place: PanePlace,
    /// Rows that it needs in a column of several panes; none: a share like the others.
    pub rows: Option<u16>,
    /// Rows that it needs below the agents where there is little room. A table needs more than talk.
    pub rows_below: u16,
}

impl Default for PaneShape {
    fn default() -> Self {
        PaneShape { place: PanePlace::Below, rows: None, rows_below: 11 }
    }
}

/// What came of a key, an action or a click.
#[derive(Clone, Debug, PartialEq)]
pub enum PaneOutcome {
    /// It is not the pane's; the cockpit knows what to do.
    Ignored,
    /// It is done.
    Done,
    /// The page of an agent is to be opened, at the decision that led there.
    Open(AgentId, Option<MessageId>),
    /// The layer is to be closed.
    Close,
    /// The layer is to be closed, and this is to be sent.
    CloseAndSend(Request),
    /// The pane with the focus is to do this, though a layer lies over it.
    ToFocused(UserAction),
    /// The layer is to be closed, and this line to be carried out as a command.
    Run(String),
}

/// A part of the screen.
pub trait Pane: Any {
    /// The name by which it is known.
    fn id(&self) -> PaneId;

    /// The actions that it answers to, with a word for what they do here. A layer shows them on its border.
    fn keys(&self, cx: &PaneContext) -> Vec<Hint>;

    /// One of them.
    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome;

    /// Draws it: a pane into its area, a layer over the whole screen or, if it covers the panes, in their place.
    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect);

    /// Where it stands; of no meaning for a layer.
    fn shape(&self) -> PaneShape {
        PaneShape::default()
    }

    /// Whether a layer stands in place of the panes; else it lies above them.
    fn covers(&self) -> bool {
        false
    }

    /// Whether nothing that moves may run through below it.
    fn stills(&self) -> bool {
        true
    }

    /// Whether it takes the keys themselves, as dialogs and typed lines do.
    fn takes_keys(&self) -> bool {
        false
    }

    /// Whether what it is typed into is the last line of the screen, in place of the footer.
    fn takes_footer(&self) -> bool {
        false
    }

    /// A key, where it takes them.
    fn on_key(&mut self, cx: &mut PaneContext, key: &KeyEvent) -> PaneOutcome {
        let _ = (cx, key);
        PaneOutcome::Ignored
    }

    /// Text that was pasted; whether it was taken.
    fn on_paste(&mut self, cx: &mut PaneContext, text: &str) -> bool {
        let _ = (cx, text);
        false
    }

    /// It has got the focus.
    fn on_focus(&mut self, cx: &PaneContext) {
        let _ = cx;
    }

    /// A click on one of its rows, counted from the first below its border and head.
    fn on_click(&mut self, cx: &mut PaneContext, row: usize) -> PaneOutcome {
        let _ = (cx, row);
        PaneOutcome::Done
    }

    /// The wheel over it.
    fn on_wheel(&mut self, cx: &mut PaneContext, down: bool) -> PaneOutcome {
        self.on_action(cx, if down { UserAction::Down } else { UserAction::Up })
    }

    /// A new picture of now. It becomes the one that is shown after this, unless the past is looked at.
    fn see(&mut self, cx: &PaneContext, picture: &Cockpit) {
        let _ = (cx, picture);
    }

    /// What is shown jumps: the swarm is lost or over, or another moment is looked at. Nothing of before moves on.
    fn jump(&mut self) {}

    /// Time goes on; whether something of it moves by itself.
    fn tick(&mut self, cx: &PaneContext) -> bool {
        let _ = cx;
        false
    }

    /// What moves over what was drawn: tells `put` column, row, glyph and style.
    fn overlay(&self, cx: &PaneContext, put: &mut dyn FnMut(u16, u16, &str, Style)) {
        let _ = (cx, put);
    }

    /// What is under its cursor as text, to be copied.
    fn copy(&self, cx: &PaneContext) -> Option<String> {
        let _ = cx;
        None
    }

    /// Which filter is typed while it has the focus.
    fn filter(&self) -> FilterOf {
        FilterOf::Agents
    }
}

/// Whether it answers to an action.
pub fn answers(pane: &dyn Pane, cx: &PaneContext, action: UserAction) -> bool {
    pane.keys(cx).iter().any(|(actions, _)| actions.contains(&action))
}

/// An action that moves: whether down, and by how many rows.
pub fn step_of(action: UserAction) -> Option<(bool, usize)> {
    match action {
        UserAction::Up => Some((false, 1)),
        UserAction::Down => Some((true, 1)),
        UserAction::PageUp => Some((false, LEAP_ROWS)),
        UserAction::PageDown => Some((true, LEAP_ROWS)),
        UserAction::First => Some((false, usize::MAX)),
        UserAction::Last => Some((true, usize::MAX)),
        _ => None,
    }
}

/// How far a layer has scrolled after an action that moves; the drawing knows where the end is.
pub fn scrolled(scroll: u16, action: UserAction) -> Option<u16> {
    let (down, by) = step_of(action)?;
    let by = u16::try_from(by.min(1_000)).unwrap_or(u16::MAX);
    Some(if down { scroll.saturating_add(by) } else { scroll.saturating_sub(by) })
}

/// A block with the pane's title, its border telling the focus.
pub fn block<'a>(cx: &PaneContext, pane: PaneId, title: Vec<Span<'a>>) -> Block<'a> {
    let role = if cx.focus == pane { StyleRole::Focus } else { StyleRole::Border };
    let name = if cx.focus == pane { StyleRole::Focus } else { StyleRole::Title };
    let mut line = vec![Span::styled(format!(" {} ", pane.0), cx.theme.of(name))];
    line.extend(title);
    Block::bordered().border_type(BorderType::Rounded).border_style(cx.theme.of(role)).title(Line::from(line))
}

/// In the middle, as large as asked for and no larger than there is.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h }
}

/// Lines in a box over what is there.
pub fn boxed(
    frame: &mut Frame<'_>,
    cx: &PaneContext,
    title: &str,
    lines: Vec<Line<'_>>,
    at: Rect,
    role: StyleRole,
) {
    let t = &cx.theme;
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(t.of(role))
        .style(t.of(StyleRole::Base))
        .title(Span::styled(format!(" {title} "), t.of(StyleRole::Title)));
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines).style(t.of(StyleRole::Text)).block(block), at);
}
