//! What is asked of the whole: four gauges, LR BM F A, and the fifth, emergence.

use super::agents;
use crate::domain::Goal;
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId};
use crate::tui::interval::{Whisker, cells, proven};
use crate::tui::pane::{Pane, PaneOutcome, PanePlace, PaneShape, block};
use crate::tui::theme::{StyleRole, Theme};
use crate::tui::{lines, words};
use crate::view::Cockpit;
use crate::view::cockpit::{EMERGENCE_DAYS_MIN as DAYS_MIN, GoalView};
use crate::view::{of_emergence, unknown_emergence};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Most of a Sharpe ratio that the gauge of emergence shows, either way.
const GAIN_MAX: f64 = 2.0;
/// Cells of a trend.
const TREND: usize = 8;

fn goal_words(g: &GoalView) -> (&'static str, String) {
    match g.goal {
        Goal::LowRisk => {
            ("low risk", format!("drawdown {:.1} of {:.0} %", 100.0 * g.value, 100.0 * g.target))
        }
        Goal::BigMoney => {
            ("big money", format!("{:+.1} of {:.0} % per year", 100.0 * g.value, 100.0 * g.target))
        }
        Goal::Fast if g.value >= 999.0 => ("fast", "+10 %: never so".to_owned()),
        Goal::Fast => ("fast", format!("+10 % in {:.0} of {:.0} mo", g.value, g.target)),
        Goal::Automated => ("automated", format!("by hand {:.1} of {:.0} ‰", g.value, g.target)),
    }
}

fn reached(score: f64) -> StyleRole {
    match score {
        s if s >= 0.5 => StyleRole::Good,
        s if s >= 0.2 => StyleRole::Warn,
        _ => StyleRole::Bad,
    }
}

/// The gauge, its number, and what is behind it.
fn gauge<'a>(t: &Theme, g: &GoalView, width: usize) -> [Line<'a>; 2] {
    let (name, numbers) = goal_words(g);
    let title = format!("{:<2} {name:<9} ", words::letters(g.goal));
    let room = width.saturating_sub(title.chars().count() + 6);
    let (full, rest) = words::bar(g.score, room.max(1));
    // Beside the numbers, as far as there is room for it.
    let free = width.saturating_sub(numbers.chars().count() + 5);
    let cells = if free < 3 { 0 } else { free.min(TREND) };
    let trend = words::spark(&g.trend, (0.0, 100.0), cells);
    let gap = width.saturating_sub(numbers.chars().count() + 3 + cells);
    [
        Line::from(vec![
            Span::styled(title, t.of(StyleRole::Title)),
            Span::styled(full, t.of(reached(g.score))),
            Span::styled(rest, t.of(StyleRole::Faint)),
            Span::styled(format!(" {:>3.0} %", 100.0 * g.score), t.of(StyleRole::Text)),
        ]),
        Line::from(vec![
            Span::styled(format!("   {numbers}"), t.of(StyleRole::Dim)),
            Span::styled(" ".repeat(gap) + &trend, t.of(reached(g.score))),
        ]),
    ]
}

fn fifth<'a>(t: &Theme, c: &Cockpit, width: usize) -> [Line<'a>; 2] {
    let title = format!("{:<2} {:<9} ", "E", "emergence");
    let room = width.saturating_sub(title.chars().count() + 6).max(1);
    let head = Span::styled(title, t.of(StyleRole::Title));
    let Some(e) = c.emergence else {
        let share = if c.deaf { 0.0 } else { (f64::from(c.days) / f64::from(DAYS_MIN)).min(1.0) };
        let (full, rest) = words::bar(if c.days < DAYS_MIN { share } else { 0.0 }, room);
        let bar = [Span::styled(full, t.of(StyleRole::Dim)), Span::styled(rest, t.of(StyleRole::Faint))];
        let said = Span::styled("     ?", t.of(StyleRole::Dim));
        let text = format!("   {}", unknown_emergence(c.deaf, c.days));
        return [
            Line::from([vec![head], bar.to_vec(), vec![said]].concat()),
            Line::styled(text, t.of(StyleRole::Dim)),
        ];
    };
    let role = proven(e.more, e.less);
    let mut spans = vec![head];
    let w = Whisker { from: e.from, here: e.gain, to: e.to };
    spans.extend(cells(t, w, (-GAIN_MAX, GAIN_MAX), room, role));
    spans.push(Span::styled(format!(" {:>5}", words::ratio(e.gain)), t.of(role)));
    // The longest that fits: what may be said of it, then where it comes from.
    let said = of_emergence(e.more, e.less);
    let parts = format!("net {:+.2} listen {:+.2} serve {:+.2}", e.netting, e.listening, e.services);
    let all = [format!("   {said} · {parts}"), format!("   {parts}"), format!("   {said}")];
    let text = all.into_iter().find(|l| l.chars().count() <= width).unwrap_or_default();
    [Line::from(spans), Line::styled(text, t.of(StyleRole::Dim))]
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("goals");

/// The five gauges.
pub struct GoalsPane;

impl Pane for GoalsPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        agents::KEYS.to_vec()
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        agents::on_any(cx, action)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        if area.height == 1 { line(frame, cx, area) } else { draw(frame, cx, area) }
    }

    fn shape(&self) -> PaneShape {
        // Five gauges of three rows, and the border.
        PaneShape { place: PanePlace::Top, rows: Some(17), ..PaneShape::default() }
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        cx.cockpit.as_ref().map(lines::status)
    }
}

/// In one line: every gauge and its number.
fn line(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    let Some(c) = &cx.cockpit else { return };
    let mut spans = Vec::new();
    let room = (usize::from(area.width) / 5).saturating_sub(11).clamp(4, 12);
    for g in &c.goals {
        let (full, rest) = words::bar(g.score, room);
        spans.push(Span::styled(format!(" {} ", words::letters(g.goal)), t.of(StyleRole::Title)));
        spans.push(Span::styled(full, t.of(reached(g.score))));
        spans.push(Span::styled(rest, t.of(StyleRole::Faint)));
        spans.push(Span::styled(format!(" {:>3.0} % ", 100.0 * g.score), t.of(StyleRole::Text)));
    }
    spans.push(Span::styled(" E ", t.of(StyleRole::Title)));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(match c.emergence {
        // Without its interval where there is no room for it.
        Some(e) if used + 24 > usize::from(area.width) => {
            Span::styled(words::ratio(e.gain), t.of(proven(e.more, e.less)))
        }
        Some(e) => {
            let text = format!("{} ({})", words::ratio(e.gain), of_emergence(e.more, e.less));
            Span::styled(text, t.of(proven(e.more, e.less)))
        }
        None if c.deaf => Span::styled("nobody listens", t.of(StyleRole::Dim)),
        None => Span::styled(format!("day {} of {DAYS_MIN}", c.days), t.of(StyleRole::Dim)),
    });
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// All five, side by side where it is low, else one below the other.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    let pane = block(cx, ID, Vec::new());
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    let Some(c) = &cx.cockpit else { return };
    if inside.height == 0 || inside.width < 12 {
        return;
    }
    let stacked = inside.height > 4;
    if c.goals.is_empty() && stacked {
        return frame
            .render_widget(Paragraph::new(" no day is closed yet").style(t.of(StyleRole::Dim)), inside);
    }
    let n = c.goals.len() + 1;
    let places = if stacked {
        Layout::vertical(vec![Constraint::Length(3); n]).split(inside)
    } else {
        Layout::horizontal(vec![Constraint::Fill(1); n]).spacing(3).split(inside)
    };
    let width = |r: &Rect| usize::from(r.width);
    let drawn = c.goals.iter().zip(places.iter()).map(|(g, r)| (gauge(t, g, width(r).min(72)), *r));
    let last = places.last().map(|r| (fifth(t, c, width(r).min(72)), *r));
    for (lines, r) in drawn.chain(last) {
        frame.render_widget(Paragraph::new(lines.to_vec()), r);
    }
}
