//! The last line: what was said, or the keys that there are, those first that a person looks for
//! who has never been here. In the past it is the way through time.

use super::action::{ACTIONS, ActionRow, UserAction};
use super::context::PaneContext;
use super::moment::SnapshotPosition;
use super::theme::StyleRole;
use super::words;
use crate::domain::Stamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// What is named first where not everything fits.
const FIRST: &[UserAction] = &[
    UserAction::Help,
    UserAction::Detach,
    UserAction::KILL,
    UserAction::PAUSE,
    UserAction::Why,
    UserAction::MUTE,
    UserAction::FUND,
    UserAction::Open,
    UserAction::Sort,
    UserAction::TimeBack,
    UserAction::Command,
    UserAction::Filter,
];
/// Of these the first are named in the past.
const THEN: &[UserAction] =
    &[UserAction::TimeBack, UserAction::TimeOn, UserAction::DayBack, UserAction::DayOn, UserAction::Now];
/// Cells of the track between the oldest kept moment and now: the least, and the most.
const TRACK: (usize, usize) = (8, 60);

/// Draws the last line.
pub fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    if let Some((text, role, _)) = &cx.toast {
        let text = words::cut(text, usize::from(area.width).saturating_sub(4));
        let spans = vec![Span::styled(" ▌ ", t.of(*role)), Span::styled(text, t.of(*role))];
        return frame.render_widget(Paragraph::new(Line::from(spans)), area);
    }
    match cx.past {
        Some(place) => time(frame, cx, place, area),
        None => keys(frame, cx, area),
    }
}

/// How soon an entry is looked for; the help begins with the same.
pub fn rank(e: &ActionRow) -> usize {
    FIRST.iter().position(|a| *a == e.action).unwrap_or(FIRST.len())
}

/// How an entry's key is named in little room, and what it does.
fn named(cx: &PaneContext, entry: &ActionRow) -> (String, &'static str) {
    let shown = cx.keymap.shown(entry);
    let first = shown.split(' ').next().unwrap_or_default().to_owned();
    (if entry.action == UserAction::KILL { shown } else { first }, entry.label)
}

fn pair(cx: &PaneContext, key: &str, label: &str) -> [Span<'static>; 2] {
    let t = &cx.theme;
    [
        Span::styled(format!(" {key}"), t.of(StyleRole::Key)),
        Span::styled(format!(" {label} "), t.of(StyleRole::Dim)),
    ]
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

fn keys(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    let s = cx.stats;
    let each = s.bytes.checked_div(s.frames).unwrap_or_default();
    let stats = format!("{} B/frame, last {} B {:.1} ms ", each, s.last_bytes, s.last_us as f64 / 1e3);
    let stats = if cx.stats_shown { stats } else { String::new() };
    let mut left = usize::from(area.width).saturating_sub(stats.chars().count());
    let mut ranked: Vec<&ActionRow> = ACTIONS.iter().filter(|e| !e.label.is_empty()).collect();
    ranked.sort_by_key(|e| rank(e));
    let mut chosen: Vec<UserAction> = Vec::new();
    for entry in ranked {
        let (key, label) = named(cx, entry);
        let cells = width(&pair(cx, &key, label));
        if cells <= left {
            left -= cells;
            chosen.push(entry.action);
        }
    }
    // In the order of the table, whatever fits.
    let shown = ACTIONS.iter().filter(|e| chosen.contains(&e.action)).map(|e| named(cx, e));
    let mut spans: Vec<Span<'_>> = shown.flat_map(|(key, label)| pair(cx, &key, label)).collect();
    spans
        .push(Span::styled(format!("{:>w$}", stats, w = left + stats.chars().count()), t.of(StyleRole::Dim)));
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The keys of time, and where the moment lies between the oldest that is kept and now.
fn time(frame: &mut Frame<'_>, cx: &PaneContext, place: SnapshotPosition, area: Rect) {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let key = |a: UserAction| cx.keymap.key(a);
    let [back, on, day_back, day_on, now] = [THEN[0], THEN[1], THEN[2], THEN[3], THEN[4]].map(key);
    let mut spans = Vec::new();
    let groups = [
        (now, "now"),
        (format!("{back} {on}"), "step"),
        (format!("{day_back} {day_on}"), "day"),
        (":at".to_owned(), "a time"),
    ];
    let room = usize::from(area.width);
    for (key, label) in groups {
        let next = pair(cx, &key, label);
        if width(&spans) + width(&next) + TRACK.0 + 42 <= room || spans.is_empty() {
            spans.extend(next);
        }
    }
    // With its year only where it is another one.
    let year = |at: Stamp| words::moment(at).get(..4).unwrap_or_default().to_owned();
    let from = if year(place.from) == year(place.to) { 5.. } else { 0.. };
    let day = |at: Stamp| words::moment(at).get(from.clone()).unwrap_or_default().to_owned();
    // Out of the journal it is the run's beginning, which may be years ago.
    let (from, to) = match place.number {
        0 => (
            format!(" from {} ", words::moment(place.from).get(..10).unwrap_or_default()),
            " now · from the journal ".to_owned(),
        ),
        n => (format!(" kept from {} ", day(place.from)), format!(" now · {n} of {} ", place.kept)),
    };
    let left = room.saturating_sub(width(&spans) + from.chars().count() + to.chars().count());
    if left >= TRACK.0 {
        let cells = left.min(TRACK.1);
        let shown = cx.cockpit.as_ref().and_then(|c| c.market_time).unwrap_or(place.to);
        let end = cx.market_now().unwrap_or(place.to);
        let share = shown.since(place.from).0 as f64 / end.since(place.from).0.max(1) as f64;
        let at = (share.clamp(0.0, 1.0) * (cells - 1) as f64).round() as usize;
        spans.push(Span::styled(from, dim));
        spans.push(Span::styled("─".repeat(at), t.of(StyleRole::Border)));
        spans.push(Span::styled("●", t.of(StyleRole::Pulse)));
        spans.push(Span::styled("┈".repeat(cells - 1 - at), t.of(StyleRole::Faint)));
        spans.push(Span::styled(to, dim));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
