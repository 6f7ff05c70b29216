//! The network's talk, the newest last.

use super::action::UserAction;
use super::app::{App, Pane};
use super::draw::block;
use super::theme::StyleRole;
use super::words;
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
    }
}

/// Draws the pane of messages into its area.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let messages = app.messages();
    let rows = usize::from(area.height.saturating_sub(2));
    let at = app.told.and_then(|id| messages.iter().position(|m| m.id == id));
    // The cursor in the middle, as far as there is something on both sides.
    let end =
        at.map_or(messages.len(), |at| (at + rows / 2 + 1).clamp(rows.min(messages.len()), messages.len()));
    let shown = &messages[end.saturating_sub(rows)..end];
    let mut title = Vec::new();
    if app.message_filter.is_empty() {
        title.push(Span::styled("→ how many acted on it ", t.of(StyleRole::Dim)));
    } else {
        title
            .push(Span::styled(format!("/{} ", words::cut(&app.message_filter, 24)), t.of(StyleRole::Focus)));
        title.push(Span::styled(format!("{} ", messages.len()), t.of(StyleRole::Dim)));
    }
    if at.is_some() {
        let back = messages.len() - end;
        let last = app.hint(UserAction::Last);
        title.push(Span::styled(
            format!("stopped, {back} newer below · {last} follows "),
            t.of(StyleRole::Focus),
        ));
    }
    let pane = block(app, Pane::Messages, title);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if shown.is_empty() && inside.height > 0 {
        let text = if app.message_filter.is_empty() {
            " nothing was said since this swarm was started"
        } else {
            " nothing like that is remembered"
        };
        frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), inside);
    }
    for (n, m) in shown.iter().enumerate() {
        let chosen = Some(m.id) == app.told;
        let row = Rect { y: inside.y + n as u16, height: 1, ..inside };
        frame.buffer_mut().set_line(row.x, row.y, &line(app, m, row.width), row.width);
        if chosen {
            let style =
                t.of(if app.focus == Pane::Messages { StyleRole::Selected } else { StyleRole::Cursor });
            frame.buffer_mut().set_style(row, style);
        }
    }
}

fn line(app: &App, m: &MessageLine, width: u16) -> Line<'static> {
    let t = &app.theme;
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
