//! The last bars of an asset with the prices that an intent waits for, as close as is asked for, and the values
//! of the candle under the cursor.

use super::theme::{StyleRole, Theme};
use super::words;
use crate::domain::Stamp;
use crate::view::cockpit::IntentView;
use ratatui::text::{Line, Span};

/// Cells for the prices at the right.
const LABELS: usize = 18;
/// Cells for what the crowd has announced, between candles and prices; there from this width on.
const CROWD: (usize, usize) = (6, 54);
/// Eighths of a cell, from the left.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// How many ways there are to look: all bars, the last half, the last quarter.
pub const CLOSER: u32 = 3;
/// Bars that are left at the closest.
const BARS_MIN: usize = 8;

/// What is looked at: how often the bars are halved, and the candle under the cursor, from the newest.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChartCursor {
    /// 0 shows all that fit.
    pub closer: u32,
    /// None: no cursor.
    pub candle: Option<usize>,
}

/// The bars that are shown, and the cells of one. What is looked at closer ends at the newest bar, or with the
/// cursor in the middle.
fn shown(n: usize, cells: usize, look: ChartCursor) -> (std::ops::Range<usize>, usize) {
    let wanted = (n >> look.closer).max(BARS_MIN).min(n).min(cells);
    let cursor = look.candle.map_or(n, |c| n.saturating_sub(1 + c));
    let end = if wanted < n { (cursor + wanted.div_ceil(2)).clamp(wanted, n) } else { n };
    (end - wanted..end, (cells / wanted.max(1)).clamp(1, if look.closer == 0 { 2 } else { 4 }))
}

/// The candle under the cursor in words: when and how far in one line, its prices in another.
pub fn values(t: &Theme, i: &IntentView, candle: usize) -> Vec<Line<'static>> {
    let index = i.bars.len().checked_sub(1 + candle);
    let Some((at, [open, high, low, close])) = index.and_then(|at| Some((at, *i.bars.get(at)?))) else {
        return Vec::new();
    };
    let ended = i.until.map(|u| Stamp(u.0 - i64::from(i.ago.get(at).copied().unwrap_or(0)) * i.clock.0));
    let when = ended.map(words::moment).unwrap_or_default();
    let change = if open > 0.0 { close / open - 1.0 } else { 0.0 };
    let ink = if close >= open { StyleRole::Good } else { StyleRole::Bad };
    let dim = t.of(StyleRole::Dim);
    let sign = if change < 0.0 { "▼" } else { "▲" };
    let head = Line::from(vec![
        Span::styled(format!("candle {when} "), t.of(StyleRole::Focus)),
        Span::styled(format!("{sign} {:+.1} %", 100.0 * change), t.of(ink)),
    ]);
    let mut spans = Vec::new();
    for (name, price) in [("o", open), ("h", high), ("l", low), ("c", close)] {
        spans.push(Span::styled(format!("{name} "), dim));
        spans.push(Span::styled(format!("{} ", words::price(price)), t.of(StyleRole::Text)));
    }
    vec![head, Line::from(spans)]
}

/// Lines of a chart, `width` cells wide; none where there is too little.
pub fn lines(
    t: &Theme,
    i: &IntentView,
    width: usize,
    height: usize,
    look: ChartCursor,
) -> Vec<Line<'static>> {
    let gutter = if width >= CROWD.1 && !i.crowd.levels.is_empty() { CROWD.0 } else { 0 };
    let cells = width.saturating_sub(LABELS + gutter);
    let (range, wide) = shown(i.bars.len(), cells, look);
    let cursor = look.candle.and_then(|c| i.bars.len().checked_sub(1 + c)?.checked_sub(range.start));
    let bars = &i.bars[range];
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
    let mut labels: Vec<Option<(String, StyleRole)>> = vec![None; height];
    for (name, p) in marks.iter().rev() {
        let row = at(*p).min(height - 1);
        // Where two fall on one row, the other goes beside it.
        let free = [row, row + 1, row.saturating_sub(1)].into_iter().find(|r| labels.get(*r) == Some(&None));
        if let Some(r) = free {
            labels[r] = Some((format!(" {name} {}", words::price(*p)), role(name)));
        }
    }
    let levels: Vec<(usize, StyleRole)> =
        marks.iter().map(|(n, p)| (at(*p).min(height - 1), role(n))).collect();
    let mut flows = vec![0.0; height];
    for level in i.crowd.levels.iter().filter(|l| (low..=high).contains(&l.price)) {
        flows[at(level.price).min(height - 1)] += level.flow;
    }
    let crowd = (gutter > 0).then_some(&flows[..]);
    let plot = Plot { bars, wide, cursor, levels: &levels, crowd };
    (0..height).map(|row| line(t, &plot, row, &at, labels[row].clone())).collect()
}

/// What is drawn, the same in every row.
struct Plot<'a> {
    bars: &'a [[f64; 4]],
    /// Cells of a candle; the last of them is a gap where there is more than one.
    wide: usize,
    /// The candle under the cursor.
    cursor: Option<usize>,
    levels: &'a [(usize, StyleRole)],
    /// What the crowd would buy at the prices of each row; none where there is no room for it.
    crowd: Option<&'a [f64]>,
}

fn role(name: &str) -> StyleRole {
    match name {
        "stop" | "trail" => StyleRole::Bad,
        "target" => StyleRole::Good,
        "close" => StyleRole::Text,
        _ => StyleRole::Warn,
    }
}

fn line(
    t: &Theme,
    plot: &Plot<'_>,
    row: usize,
    at: &dyn Fn(f64) -> usize,
    label: Option<(String, StyleRole)>,
) -> Line<'static> {
    let level =
        plot.levels.iter().find(|(r, role)| *r == row && *role != StyleRole::Text).map(|(_, role)| *role);
    let mut spans = Vec::with_capacity(2 * plot.bars.len() + 1);
    let (body, gap) = (plot.wide.saturating_sub(1).max(1), usize::from(plot.wide > 1));
    let empty = |n: usize| match level {
        Some(role) => Span::styled("┄".repeat(n), t.of(role)),
        None => Span::raw(" ".repeat(n)),
    };
    for (n, [open, high, low, close]) in plot.bars.iter().enumerate() {
        let (top, bottom) = (at(open.max(*close)), at(open.min(*close)));
        let ink = if close >= open { StyleRole::Good } else { StyleRole::Bad };
        let style = if plot.cursor == Some(n) { t.of(StyleRole::Focus) } else { t.of(ink) };
        // The wick in the middle of the body.
        let (before, after) = ((body - 1) / 2, body / 2);
        match row {
            r if (top..=bottom).contains(&r) && body == 1 => spans.push(Span::styled("┃", style)),
            r if (top..=bottom).contains(&r) => spans.push(Span::styled("█".repeat(body), style)),
            r if (at(*high)..=at(*low)).contains(&r) => {
                spans.extend([empty(before), Span::styled("│", style), empty(after)]);
            }
            _ if plot.cursor == Some(n) => {
                spans.extend([empty(before), Span::styled("┊", t.of(StyleRole::Focus)), empty(after)]);
            }
            _ => spans.push(empty(body)),
        }
        spans.push(empty(gap));
    }
    spans.extend(plot.crowd.map(|flows| crowd(t, flows, row)));
    if let Some((text, role)) = label {
        spans.push(Span::styled(words::cut(&text, LABELS), t.of(role)));
    }
    Line::from(spans)
}

/// What the crowd would buy or sell at the prices of a row, as long as it is large beside the largest.
fn crowd(t: &Theme, flows: &[f64], row: usize) -> Span<'static> {
    let most = flows.iter().copied().map(f64::abs).fold(0.0, f64::max);
    let flow = flows.get(row).copied().unwrap_or(0.0);
    let room = CROWD.0 - 1;
    let eighths = if most > 0.0 { (flow.abs() / most * (8 * room) as f64).round() as usize } else { 0 };
    let mut text = format!(" {}", "█".repeat(eighths / 8));
    text.extend((eighths % 8).checked_sub(1).map(|n| EIGHTHS[n]));
    let text = format!("{text:<width$}", width = CROWD.0);
    Span::styled(text, t.of(if flow < 0.0 { StyleRole::Bad } else { StyleRole::Good }))
}

/// In words: what the crowd has announced, and what its own flow is expected to be.
pub fn crowd_words(i: &IntentView) -> Option<String> {
    let c = &i.crowd;
    if c.levels.is_empty() {
        return None;
    }
    let side = |below: bool| -> f64 {
        c.levels.iter().filter(|l| (l.price < i.close) == below).map(|l| 100.0 * l.flow).sum()
    };
    Some(format!(
        "crowd: {} hold it; below {:+.2} % of capital, above {:+.2} %; its own next bar {:+.3} % (a forecast, not traded on)",
        c.speakers,
        side(true),
        side(false),
        100.0 * c.flow
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_crowd_announced_stands_beside_the_candles_where_there_is_room() {
        use crate::view::cockpit::{CrowdLevel, CrowdView};
        let theme = Theme::shipped("mono", false).unwrap();
        let mut i = IntentView {
            asset: "BTC".to_owned(),
            intent: 0.0,
            price: 0.0,
            close: 100.0,
            message: None,
            conditions: Vec::new(),
            levels: Vec::new(),
            bars: vec![[100.0, 110.0, 90.0, 100.0]; 20],
            ago: vec![0; 20],
            until: None,
            clock: crate::domain::Span::HOUR,
            crowd: CrowdView::default(),
        };
        let text = |i: &IntentView, width| -> Vec<String> {
            lines(&theme, i, width, 11, ChartCursor::default()).iter().map(ToString::to_string).collect()
        };
        let plain = text(&i, 60);
        assert_eq!(crowd_words(&i), None);
        let level = |price, flow| CrowdLevel { price, flow };
        i.crowd =
            CrowdView { levels: vec![level(92.0, -0.02), level(108.0, 0.01)], flow: -0.001, speakers: 7 };
        let drawn = text(&i, 60);
        // A row is two: the largest is as long as there is room, the other half of it.
        let bar = |row: usize| drawn[row].chars().filter(|c| EIGHTHS.contains(c)).count();
        assert_eq!((bar(9), bar(1)), (5, 3), "{drawn:#?}");
        assert_eq!((0..11).filter(|r| bar(*r) > 0).count(), 2);
        assert_eq!(text(&i, 40).len(), plain.len());
        assert!(text(&i, 40).iter().all(|l| !l.contains('▌')), "no room");
        let words = crowd_words(&i).unwrap();
        assert!(words.contains("7 hold it; below -2.00 % of capital, above +1.00 %"), "{words}");
    }

    #[test]
    fn closer_is_fewer_and_wider_candles_with_the_cursor_among_them() {
        let look = |closer, candle| shown(48, 30, ChartCursor { closer, candle });
        assert_eq!(look(0, None), (18..48, 1));
        assert_eq!(look(1, None), (24..48, 1));
        assert_eq!(look(2, None), (36..48, 2));
        // The oldest and one in the middle.
        assert_eq!((look(2, Some(47)).0, look(2, Some(20)).0), (0..12, 21..33));
        assert_eq!(shown(3, 30, ChartCursor::default()), (0..3, 2));
        assert_eq!(shown(0, 30, ChartCursor::default()), (0..0, 2));
    }
}
