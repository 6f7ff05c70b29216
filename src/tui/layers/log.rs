//! The log: what the operator must know (alarms), and what managers did to others, the newest first.

use crate::tui::action::UserAction;
use crate::tui::context::{FilterOf, Hint, PaneContext, PaneId};
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, SCROLL, boxed, middle, scrolled};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crate::view::cockpit::TopicKind;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Cells from which on what a manager did stands beside its name.
const BESIDE: usize = 40;

/// The log, above what is there.
#[derive(Default)]
pub struct LogLayer {
    /// First line that is shown.
    scroll: u16,
}

impl Pane for LogLayer {
    fn id(&self) -> PaneId {
        PaneId("log")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        vec![SCROLL, LEAP, ENDS, BACK]
    }

    fn on_action(&mut self, _: &mut PaneContext, action: UserAction) -> PaneOutcome {
        let Some(scroll) = scrolled(self.scroll, action) else { return PaneOutcome::Close };
        self.scroll = scroll;
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        let at = middle(area, area.width.saturating_sub(8).max(60), area.height.saturating_sub(6).max(10));
        let lines = lines(cx, usize::from(at.width.saturating_sub(2)));
        let over = (lines.len() as u16 + 2).saturating_sub(at.height);
        self.scroll = self.scroll.min(over);
        let lines = lines.into_iter().skip(usize::from(self.scroll)).collect();
        boxed(frame, cx, &cx.hints("log", &[SCROLL, BACK]), lines, at, StyleRole::Focus);
    }

    fn filter(&self) -> FilterOf {
        FilterOf::Messages
    }
}

/// Its lines for a width; what the filter of messages hides is left out.
fn lines(cx: &PaneContext, width: usize) -> Vec<Line<'static>> {
    let t = &cx.theme;
    let Some(c) = &cx.cockpit else { return Vec::new() };
    let wanted = cx.message_filter.to_lowercase();
    let fits = |text: &str| wanted.is_empty() || text.to_lowercase().contains(&wanted);
    let mut lines = vec![Line::styled(" alarms", t.of(StyleRole::Focus))];
    let alarms: Vec<&String> = c.alarms.iter().rev().filter(|a| fits(a)).collect();
    if alarms.is_empty() {
        lines.push(Line::styled("   none since this swarm was started", t.of(StyleRole::Dim)));
    }
    for alarm in alarms {
        for (n, part) in words::wrap(alarm, width.saturating_sub(5).max(8)).into_iter().enumerate() {
            let mark = if n == 0 { " ! " } else { "   " };
            lines.push(Line::from(vec![
                Span::styled(mark, t.of(StyleRole::Warn)),
                Span::styled(part, t.of(StyleRole::Text)),
            ]));
        }
    }
    lines.push(Line::raw(""));
    let title = "what managers changed, among the messages that are remembered";
    let title = words::wrap(title, width.saturating_sub(2).max(8));
    lines.extend(title.into_iter().map(|l| Line::styled(format!(" {l}"), t.of(StyleRole::Focus))));
    let before = lines.len();
    for m in c.messages.iter().rev().filter(|m| m.kind == TopicKind::Adjustment && fits(&m.text)) {
        let head = format!(" {} #{} {} ", words::moment(m.at), m.id.0, m.from);
        let room = width.saturating_sub(head.chars().count() + 1);
        // Beside who did it, or below where that is narrow.
        let beside = room >= BESIDE;
        let (indent, room) = if beside { (head.chars().count(), room) } else { (3, width.saturating_sub(4)) };
        let mut parts = words::wrap(&m.text, room.max(8)).into_iter();
        let mut first = vec![Span::styled(head, t.of(StyleRole::Dim))];
        if beside {
            first.extend(parts.next().map(|p| Span::styled(p, t.of(StyleRole::Text))));
        }
        lines.push(Line::from(first));
        lines.extend(parts.map(|p| Line::styled(" ".repeat(indent) + &p, t.of(StyleRole::Text))));
    }
    if lines.len() == before {
        lines.push(Line::styled("   nothing", t.of(StyleRole::Dim)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::picture;
    use crate::tui::theme::Theme;

    #[test]
    fn alarms_and_managers_are_told_the_newest_first() {
        let mut cx = PaneContext::new(Theme::shipped("terminal", true).unwrap(), true, PaneId("agents"));
        let mut c = picture(1);
        c.alarms = vec!["the older one".to_owned(), "the newer one, which is long".to_owned()];
        c.messages[7].kind = TopicKind::Adjustment;
        cx.cockpit = Some(c);
        let text =
            |cx: &PaneContext| lines(cx, 30).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let told = text(&cx);
        assert!(
            told.find("newer").unwrap() < told.find("older").unwrap() && told.contains("#8 Yuki"),
            "{told}"
        );
        cx.message_filter = "older".to_owned();
        let told = text(&cx);
        assert!(!told.contains("newer") && told.contains("nothing"), "{told}");
    }
}
