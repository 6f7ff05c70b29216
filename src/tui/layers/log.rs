//! The log: how a live venue is heard, what the operator must know (alarms), and what managers did to others, the newest first.

use crate::domain::{LinkState, LiveLinks, Outage};
use crate::tui::action::UserAction;
use crate::tui::context::{FilterOf, Hint, PaneContext, PaneId};
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, SCROLL, boxed, middle, scrolled};
use crate::tui::theme::{StyleRole, Theme};
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
    let mut lines = c.links.as_ref().map(|links| venue(t, links, &fits)).unwrap_or_default();
    lines.push(Line::styled(" alarms", t.of(StyleRole::Focus)));
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

/// The ways to a live venue, each with its state and the age of what it said last, and the times in which they were silent.
fn venue(t: &Theme, links: &LiveLinks, fits: &dyn Fn(&str) -> bool) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(" the venue, and how old its news is", t.of(StyleRole::Focus))];
    if let Some(trouble) = &links.trouble {
        lines.push(Line::styled(format!(" ! {trouble}"), t.of(StyleRole::Bad)));
    }
    for stream in links.streams.iter().filter(|s| fits(&s.name)) {
        let age = stream.age.map_or("never".to_owned(), |age| format!("{:.1} s", age.0 as f64 / 1e9));
        let role = if stream.state == LinkState::Up { StyleRole::Text } else { StyleRole::Warn };
        lines.push(Line::from(vec![
            Span::styled(format!("   {:<36}", stream.name), t.of(StyleRole::Text)),
            Span::styled(format!("{:<7}", stream.state), t.of(role)),
            Span::styled(format!("{age:>10}"), t.of(role)),
        ]));
    }
    let counts = format!("   {} bars late, {} messages not read", links.late_bars, links.undecoded);
    lines.push(Line::styled(counts, t.of(StyleRole::Dim)));
    lines.push(Line::raw(""));
    lines.push(Line::styled(" when it was not heard of", t.of(StyleRole::Focus)));
    let before = lines.len();
    for Outage { name, from, to } in links.outages.iter().rev().filter(|o| fits(&o.name)) {
        let (text, role) = match to {
            Some(to) => (format!("   {name} from {from} for {}", to.since(*from)), StyleRole::Text),
            None => (format!(" ! {name} since {from}: nothing is decided on it"), StyleRole::Warn),
        };
        lines.push(Line::styled(text, t.of(role)));
    }
    if lines.len() == before {
        lines.push(Line::styled("   never since this swarm was started", t.of(StyleRole::Dim)));
    }
    lines.push(Line::raw(""));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Span as DomainSpan, Stamp, StreamHealth};
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
        assert!(!told.contains("the venue"), "nobody follows a venue: {told}");
    }

    #[test]
    fn streams_are_told_with_their_state_and_age_and_so_is_when_they_were_silent() {
        let mut cx = PaneContext::new(Theme::shipped("terminal", true).unwrap(), true, PaneId("agents"));
        let stream = |name: &str, state, age: Option<i64>| StreamHealth {
            name: name.to_owned(),
            state,
            age: age.map(|ms| DomainSpan(ms * 1_000_000)),
        };
        let silent =
            |name: &str, to: Option<i64>| Outage { name: name.to_owned(), from: Stamp(0), to: to.map(Stamp) };
        let mut c = picture(1);
        c.links = Some(LiveLinks {
            streams: vec![
                stream("BTCUSDT", LinkState::Up, Some(340)),
                stream("ETHUSDT", LinkState::Stale, None),
            ],
            outages: vec![silent("BTCUSDT", Some(9_000_000_000)), silent("ETHUSDT", None)],
            late_bars: 3,
            undecoded: 0,
            trouble: Some("it does not answer".to_owned()),
        });
        cx.cockpit = Some(c);
        let told = lines(&cx, 80).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for part in [
            "! it does not answer",
            "up          0.3 s",
            "silent      never",
            "3 bars late",
            "for 9s",
            "ETHUSDT since",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
