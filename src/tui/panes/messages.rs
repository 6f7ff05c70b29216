//! The network's talk, the newest last.

use crate::domain::{AgentId, MessageId};
use crate::tui::action::UserAction;
use crate::tui::context::{FilterOf, Hint, PaneContext, PaneId, moved};
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, PaneShape, SCROLL, block, step_of};
use crate::tui::theme::StyleRole;
use crate::tui::{lines, words};
use crate::view::cockpit::{MessageLine, TopicKind};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Cells of who speaks: the longest are managers; and where there is little room.
const WHO: (usize, usize) = (13, 10);
/// Cells from which on there is room for the date, and for the longest names.
const ROOM: (u16, u16) = (70, 90);

/// A kind's role and its glyph.
fn kind(kind: TopicKind) -> (StyleRole, &'static str) {
    match kind {
        TopicKind::Open => (StyleRole::Good, "◢"),
        TopicKind::Increase => (StyleRole::Good, "▴"),
        TopicKind::Decrease => (StyleRole::Bad, "▾"),
        TopicKind::Close => (StyleRole::Bad, "◣"),
        TopicKind::Outcome => (StyleRole::Text, "="),
        TopicKind::Stance => (StyleRole::Open, "»"),
        TopicKind::Goal => (StyleRole::Warn, "◎"),
        TopicKind::Adjustment => (StyleRole::Warn, "⚙"),
        TopicKind::Carry => (StyleRole::Real, "¤"),
        TopicKind::Receipt => (StyleRole::Good, "✓"),
        TopicKind::Work => (StyleRole::Real, "¢"),
        TopicKind::Amend => (StyleRole::Open, "≈"),
        TopicKind::Wait => (StyleRole::Open, "…"),
        TopicKind::Rest => (StyleRole::Good, "─"),
    }
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("messages");

/// The list of what was said.
#[derive(Default)]
pub struct MessagesPane {
    /// The message under the cursor; none: follow the newest.
    pub cursor: Option<MessageId>,
}

impl Pane for MessagesPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        let mut keys = vec![SCROLL, LEAP, ENDS, (&[UserAction::Open], "who says so")];
        keys.extend(self.cursor.map(|_| BACK));
        keys
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        match (step_of(action), self.cursor) {
            (Some((down, by)), _) => self.step(cx, down, by),
            (None, _) if action == UserAction::Back => self.cursor = None,
            (None, Some(cursor)) => {
                let messages = cx.messages();
                let told = messages.iter().find(|m| m.id == cursor);
                let Some((m, agent)) = told.and_then(|m| Some((m, m.agent?))) else {
                    return PaneOutcome::Done;
                };
                return PaneOutcome::Open(agent, (m.kind == TopicKind::Stance).then_some(m.id));
            }
            (None, None) => return cx.agent().map_or(PaneOutcome::Done, |a| PaneOutcome::Open(a.id, None)),
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        draw(frame, cx, area, self.cursor);
    }

    fn shape(&self) -> PaneShape {
        PaneShape { rows_below: 7, ..PaneShape::default() }
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        let messages = cx.messages();
        let told = messages.iter().find(|m| Some(m.id) == self.cursor).or(messages.last());
        told.map(|m| lines::message(m))
    }

    fn filter(&self) -> FilterOf {
        FilterOf::Messages
    }
}

impl MessagesPane {
    /// Down from the newest follows it again.
    fn step(&mut self, cx: &PaneContext, down: bool, by: usize) {
        let ids: Vec<_> = cx.messages().iter().map(|m| m.id).collect();
        let newest = ids.len().saturating_sub(1);
        self.cursor = match self.cursor.and_then(|t| ids.iter().position(|id| *id == t)) {
            Some(at) if down && at.saturating_add(by) > newest => None,
            Some(at) => ids.get(moved(at, down, by, ids.len())).copied(),
            None if down => None,
            None => ids.get(moved(newest, false, by - 1, ids.len())).copied(),
        };
    }
}

/// The newest trade that is remembered: whose, the decision behind it, and what is said of it.
pub fn newest_trade(cx: &PaneContext) -> Option<(AgentId, Option<MessageId>, String)> {
    let c = cx.cockpit.as_ref()?;
    let trades = |k: TopicKind| {
        matches!(k, TopicKind::Open | TopicKind::Increase | TopicKind::Decrease | TopicKind::Close)
    };
    // A stance that is no longer the own intent is what was made of what was heard: the trade itself. Where there is none,
    // the intent is it.
    let is_listed = |m: &&MessageLine| m.agent.is_some_and(|a| cx.row(a).is_some());
    let moved =
        |m: &&MessageLine| m.kind == TopicKind::Stance && !m.text.starts_with("keeps") && is_listed(m);
    let acts = |m: &&MessageLine| (m.kind == TopicKind::Stance || trades(m.kind)) && is_listed(m);
    let newest = || c.messages.iter().rev();
    let m = newest().find(moved).or_else(|| newest().find(acts))?;
    let same = |o: &&MessageLine| o.agent == m.agent && o.asset == m.asset && o.kind == TopicKind::Stance;
    let decision = if m.kind == TopicKind::Stance { Some(m.id) } else { newest().find(same).map(|o| o.id) };
    Some((m.agent?, decision, format!("the newest trade: {} on {}, #{}", m.from, m.asset, m.id.0)))
}

/// Draws the pane of messages into its area.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, cursor: Option<MessageId>) {
    let t = &cx.theme;
    let messages = cx.messages();
    let rows = usize::from(area.height.saturating_sub(2));
    let at = cursor.and_then(|id| messages.iter().position(|m| m.id == id));
    // The cursor in the middle, as far as there is something on both sides.
    let end =
        at.map_or(messages.len(), |at| (at + rows / 2 + 1).clamp(rows.min(messages.len()), messages.len()));
    let shown = &messages[end.saturating_sub(rows)..end];
    let mut title = Vec::new();
    if cx.message_filter.is_empty() {
        title.push(Span::styled("→ how many acted on it ", t.of(StyleRole::Dim)));
    } else {
        title.push(Span::styled(format!("/{} ", words::cut(&cx.message_filter, 24)), t.of(StyleRole::Focus)));
        title.push(Span::styled(format!("{} ", messages.len()), t.of(StyleRole::Dim)));
    }
    if at.is_some() {
        let back = messages.len() - end;
        let last = cx.hint(UserAction::Last);
        title.push(Span::styled(
            format!("stopped, {back} newer below · {last} follows "),
            t.of(StyleRole::Focus),
        ));
    }
    let pane = block(cx, ID, title);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if shown.is_empty() && inside.height > 0 {
        let text = if cx.message_filter.is_empty() {
            " nothing was said since this swarm was started"
        } else {
            " nothing like that is remembered"
        };
        frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), inside);
    }
    for (n, m) in shown.iter().enumerate() {
        let chosen = Some(m.id) == cursor;
        let row = Rect { y: inside.y + n as u16, height: 1, ..inside };
        frame.buffer_mut().set_line(row.x, row.y, &line(cx, m, row.width), row.width);
        if chosen {
            let style = t.of(if cx.focus == ID { StyleRole::Selected } else { StyleRole::Cursor });
            frame.buffer_mut().set_style(row, style);
        }
    }
}

fn line(cx: &PaneContext, m: &MessageLine, width: u16) -> Line<'static> {
    let t = &cx.theme;
    let at = words::moment(m.at);
    let at = at.get(if width < ROOM.0 { 11.. } else { 5.. }).unwrap_or_default();
    let heard = if m.acted_on > 0 { format!("→{}", m.acted_on) } else { String::new() };
    let (role, glyph) = kind(m.kind);
    let head = format!("#{} {at} ", m.id.0);
    let name = if width < ROOM.1 { WHO.1 } else { WHO.0 };
    let who = format!("{:<name$} {:<5}", words::cut(&m.from, name), words::cut(&m.asset, 5));
    let used = head.chars().count() + who.chars().count() + 7;
    let rest = usize::from(width).saturating_sub(used);
    Line::from(vec![
        Span::styled(head, t.of(StyleRole::Dim)),
        Span::styled(format!("{heard:<4}"), t.of(StyleRole::Focus)),
        Span::styled(who, t.of(StyleRole::Title)),
        Span::styled(format!(" {glyph} {}", words::phrase(&m.text, rest)), t.of(role)),
    ])
}
