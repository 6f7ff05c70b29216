//! The last bars of an asset with the prices that an intent waits for.

use super::theme::{Role, Theme};
use super::words;
use crate::view::cockpit::IntentView;
use ratatui::text::{Line, Span};

/// Cells for the prices at the right.
const LABELS: usize = 18;

/// Lines of a chart, `width` cells wide; none where there is too little.
pub fn lines(t: &Theme, i: &IntentView, width: usize, height: usize) -> Vec<Line<'static>> {
    let cells = width.saturating_sub(LABELS);
    let from = i.bars.len().saturating_sub(cells);
    let bars = &i.bars[from..];
    if bars.len() < 4 || height < 4 {
        return Vec::new();
    }
    let ends = |of: fn(f64, f64) -> f64, n: usize, start: f64| bars.iter().map(|b| b[n]).fold(start, of);
    let (mut low, mut high) = (ends(f64::min, 2, f64::INFINITY), ends(f64::max, 1, 0.0));
    let span = (high - low).max(1e-12);
    // Levels that are not too far away are on the chart; others only named.
    let mut marks = vec![("entry".to_owned(), i.price)];
    marks.extend(i.levels.iter().cloned());
    marks.retain(|(_, p)| *p > 0.0 && *p > low - span && *p < high + span);
    if i.intent == 0.0 {
        marks.clear();
    }
    for (_, p) in &marks {
        (low, high) = (low.min(*p), high.max(*p));
    }
    marks.push(("close".to_owned(), i.close));
    let at =
        |p: f64| (((high - p) / (high - low).max(1e-12)) * (height - 1) as f64).round().max(0.0) as usize;
    let mut labels: Vec<Option<(String, Role)>> = vec![None; height];
    for (name, p) in marks.iter().rev() {
        let row = at(*p).min(height - 1);
        // Where two fall on one row, the other goes beside it.
        let free = [row, row + 1, row.saturating_sub(1)].into_iter().find(|r| labels.get(*r) == Some(&None));
        if let Some(r) = free {
            labels[r] = Some((format!(" {name} {}", words::price(*p)), role(name)));
        }
    }
    let levels: Vec<(usize, Role)> = marks.iter().map(|(n, p)| (at(*p).min(height - 1), role(n))).collect();
    (0..height).map(|row| line(t, bars, row, &at, &levels, labels[row].clone())).collect()
}

fn role(name: &str) -> Role {
    match name {
        "stop" | "trail" => Role::Bad,
        "target" => Role::Good,
        "close" => Role::Text,
        _ => Role::Warn,
    }
}

fn line(
    t: &Theme,
    bars: &[[f64; 4]],
    row: usize,
    at: &dyn Fn(f64) -> usize,
    levels: &[(usize, Role)],
    label: Option<(String, Role)>,
) -> Line<'static> {
    let level = levels.iter().find(|(r, role)| *r == row && *role != Role::Text).map(|(_, role)| *role);
    let mut spans = Vec::with_capacity(bars.len() + 1);
    for [open, high, low, close] in bars {
        let (top, bottom) = (at(open.max(*close)), at(open.min(*close)));
        let ink = if close >= open { Role::Good } else { Role::Bad };
        spans.push(match row {
            r if (top..=bottom).contains(&r) => Span::styled("┃", t.of(ink)),
            r if (at(*high)..=at(*low)).contains(&r) => Span::styled("│", t.of(ink)),
            _ => level.map_or_else(|| Span::raw(" "), |role| Span::styled("┄", t.of(role))),
        });
    }
    if let Some((text, role)) = label {
        spans.push(Span::styled(words::cut(&text, LABELS), t.of(role)));
    }
    Line::from(spans)
}
