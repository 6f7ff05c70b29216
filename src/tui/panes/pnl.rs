//! Gains of the three lives on one chart, drawdown below, hanging from zero.

use super::agents;
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId};
use crate::tui::pane::{Pane, PaneOutcome, PanePlace, PaneShape, block};
use crate::tui::raster::Raster;
use crate::tui::theme::StyleRole;
use crate::tui::{lines, words};
use crate::view::Cockpit;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Cells for the numbers of the axis.
const AXIS: u16 = 8;
/// Rows of the drawdown.
const UNDER: u16 = 3;

/// Steps of an axis: 1, 2 or 5 times a power of ten, so that at least `wanted` of them fit.
fn steps(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted.max(1) as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().rfind(|s| *s <= rough).unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last.min(first + 40)).map(|i| i as f64 * step).collect()
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("pnl");

/// The chart of gains.
pub struct PnlPane;

impl Pane for PnlPane {
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
        draw(frame, cx, area);
    }

    fn shape(&self) -> PaneShape {
        PaneShape { place: PanePlace::Chart, ..PaneShape::default() }
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        cx.cockpit.as_ref().map(lines::status)
    }
}

/// Draws the curves of gain into their area.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    let Some(c) = &cx.cockpit else { return frame.render_widget(block(cx, ID, Vec::new()), area) };
    let lives = [
        ("real", &c.curves.real, StyleRole::Real),
        ("open", &c.curves.open, StyleRole::Open),
        ("alone", &c.curves.alone, StyleRole::Alone),
    ];
    let mut title: Vec<Span<'_>> = Vec::new();
    for (name, curve, role) in &lives {
        let last = curve.last().copied().unwrap_or_default();
        let gain = if area.width < 66 { words::gain_short(last) } else { words::gain(last) };
        // In a narrow pane a number is left out whole, or stands closer.
        let (line, apart) = if area.width < 52 { ("━", " ") } else { ("━ ", "  ") };
        let gain = if area.width < 52 { gain.replace(' ', "") } else { gain };
        let pair = [
            Span::styled(format!("{line}{name} "), t.of(*role)),
            Span::styled(format!("{gain}{apart}"), t.of(words::sign(last))),
        ];
        let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        if width(&title) + width(&pair) + 8 <= usize::from(area.width) {
            title.extend(pair);
        }
    }
    if area.width >= 72 {
        title.push(Span::styled(format!("{} ", c.currency), t.of(StyleRole::Dim)));
    }
    let pane = block(cx, ID, title);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.height < 3 || inside.width < AXIS + 10 {
        return;
    }
    if c.curves.real.len() < 2 {
        let text = " curves begin with the next bars";
        return frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), inside);
    }
    let under = if inside.height >= 9 { UNDER + 1 } else { 0 };
    let [chart, axis, words_at, bars] = Layout::vertical([
        Constraint::Min(2),
        Constraint::Length(u16::from(inside.height >= 6)),
        Constraint::Length(u16::from(under > 0)),
        Constraint::Length(under.saturating_sub(1)),
    ])
    .areas(inside);
    curves(frame, cx, c, chart);
    dates(frame, cx, c, axis);
    if under > 0 {
        drawdown(frame, cx, c, words_at, bars);
    }
}

fn plot(area: Rect) -> Rect {
    Rect { x: area.x + AXIS, width: area.width.saturating_sub(AXIS + 1), ..area }
}

fn curves(frame: &mut Frame<'_>, cx: &PaneContext, c: &Cockpit, area: Rect) {
    let t = &cx.theme;
    // What is most looked at is drawn last.
    let lives = [
        (&c.curves.alone, StyleRole::Alone),
        (&c.curves.open, StyleRole::Open),
        (&c.curves.real, StyleRole::Real),
    ];
    let all = lives.iter().flat_map(|(curve, _)| curve.iter()).filter(|y| y.is_finite());
    let (low, high) = all.fold((0.0_f64, 0.0_f64), |(l, h), y| (l.min(*y), h.max(*y)));
    let (low, high) = if high > low { (low, high) } else { (-1.0, 1.0) };
    let air = 0.04 * (high - low);
    let (low, high) = (low - air, high + air);
    let plot = plot(area);
    let down = f64::from(4 * area.height) - 1.0;
    // The row in which the dots of a value are.
    let row = |y: f64| area.y + (((high - y) / (high - low) * down).round() as u16 / 4).min(area.height - 1);
    let buffer = frame.buffer_mut();
    for y in steps(low, high, usize::from(area.height / 5).clamp(2, 4)) {
        let at = row(y);
        let (stroke, role) = if y == 0.0 { ("─", StyleRole::Border) } else { ("┈", StyleRole::Faint) };
        let label = if y == 0.0 { "0".to_owned() } else { words::short(y) };
        buffer.set_stringn(area.x, at, format!("{label:>7} "), usize::from(AXIS), t.of(StyleRole::Dim));
        buffer.set_stringn(
            plot.x,
            at,
            stroke.repeat(usize::from(plot.width)),
            usize::from(plot.width),
            t.of(role),
        );
    }
    let mut raster = Raster::new(plot.width, plot.height);
    for (curve, ink) in lives {
        raster.curve(curve, (low, high), ink);
    }
    raster.paint(buffer, plot, t);
}

fn dates(frame: &mut Frame<'_>, cx: &PaneContext, c: &Cockpit, area: Rect) {
    if area.height == 0 {
        return;
    }
    let plot = plot(area);
    let day = |at| words::moment(at).get(..10).unwrap_or_default().to_owned();
    let from = c.curves.from.map(day).unwrap_or_default();
    let to = c.market_time.map(day).unwrap_or_default();
    let dim = cx.theme.of(StyleRole::Dim);
    frame.render_widget(Paragraph::new(Span::styled(from, dim)), plot);
    frame.render_widget(Paragraph::new(Line::styled(to, dim).right_aligned()), plot);
}

fn drawdown(frame: &mut Frame<'_>, cx: &PaneContext, c: &Cockpit, words_at: Rect, bars: Rect) {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let values = &c.curves.drawdown;
    let worst = values.iter().copied().fold(0.0, f64::max);
    let budget = c.account.drawdown_budget;
    let over = |x: f64| if x > budget { t.of(StyleRole::Bad) } else { t.of(StyleRole::Text) };
    let text = vec![
        Span::styled("drawdown ", dim),
        Span::styled(words::percent(c.account.drawdown), over(c.account.drawdown)),
        Span::styled("  worst ", dim),
        Span::styled(words::percent(worst), over(worst)),
        Span::styled("  ┄ budget ", t.of(StyleRole::Warn)),
        Span::styled(format!("{:.0} %", 100.0 * budget), dim),
    ];
    frame.render_widget(Paragraph::new(Line::from(text)), words_at);
    let plot = plot(bars);
    let mut raster = Raster::new(plot.width, plot.height);
    let (across, down) = (raster.across(), raster.down());
    if across == 0 || down == 0 {
        return;
    }
    let most = (1.15 * budget).max(worst).max(1e-9);
    let depth = |x: f64| (x / most * down as f64).round() as i32;
    let n = values.len();
    for x in 0..across.min(n * across) {
        let (from, to) = (x * n / across, ((x + 1) * n / across).max(x * n / across + 1).min(n));
        let deepest = values[from.min(to)..to].iter().copied().fold(0.0, f64::max);
        let ink = if deepest > budget { StyleRole::Bad } else { StyleRole::Open };
        (0..depth(deepest)).for_each(|y| raster.dot(x as i32, y, ink));
    }
    let line = depth(budget).min(down as i32 - 1);
    (0..across as i32).filter(|x| x % 3 == 0).for_each(|x| raster.dot(x, line, StyleRole::Warn));
    let buffer = frame.buffer_mut();
    raster.paint(buffer, plot, t);
    let last = bars.bottom().saturating_sub(1);
    let label = |x: f64| format!("{:>5.0} % ", 100.0 * x);
    buffer.set_stringn(bars.x, bars.y, label(0.0), usize::from(AXIS), dim);
    buffer.set_stringn(bars.x, last, label(most), usize::from(AXIS), dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_numbers() {
        assert_eq!(steps(-43.0, 28.0, 3), [-40.0, -20.0, 0.0, 20.0]);
        assert_eq!(steps(0.0, 1.0, 2), [0.0, 0.5, 1.0]);
        assert!(steps(1.0, 1.0, 4).is_empty() && steps(f64::NAN, 1.0, 4).is_empty());
    }
}
