//! Goals, agents, messages and curves.

use super::app::{App, Pane};
use super::draw::block;
use super::theme::Role;
use super::words;
use crate::domain::{Goal, money};
use crate::view::cockpit::{AgentRow, AgentState, GoalView, Kind};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{
    Axis, Block, Cell, Chart, Dataset, GraphType, Paragraph, Row, Sparkline, Table, TableState,
};

fn goal_words(g: &GoalView) -> (&'static str, String) {
    match g.goal {
        Goal::LowRisk => {
            ("low risk", format!("drawdown {} of {:.0} %", words::percent(g.value), 100.0 * g.target))
        }
        Goal::BigMoney => ("big money", format!("{:+.1} %/yr of {:.0} %", 100.0 * g.value, 100.0 * g.target)),
        Goal::Fast if g.value >= 999.0 => ("fast", "+10 %: never at this pace".to_owned()),
        Goal::Fast => ("fast", format!("+10 % in {:.0} of {:.0} months", g.value, g.target)),
        Goal::Automated => ("automated", format!("{:.1} of {:.0} by hand per 1,000", g.value, g.target)),
    }
}

fn reached(score: f64) -> Role {
    match score {
        s if s >= 0.5 => Role::Good,
        s if s >= 0.2 => Role::Warn,
        _ => Role::Bad,
    }
}

/// Four gauges and emergence: side by side, in one line, or one below the other.
pub fn goals(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else { return };
    if area.height == 1 {
        let mut spans = Vec::new();
        for g in &c.goals {
            spans.push(Span::styled(format!(" {} ", words::letters(g.goal)), t.of(Role::Title)));
            spans.push(Span::styled(words::bar(g.score, 8), t.of(reached(g.score))));
            spans.push(Span::styled(format!(" {:>3.0} % ", 100.0 * g.score), t.of(Role::Text)));
        }
        spans.push(Span::styled(" E ", t.of(Role::Title)));
        spans.push(Span::styled("not measured yet", t.of(Role::Dim)));
        return frame.render_widget(Paragraph::new(Line::from(spans)), area);
    }
    let mut cells: Vec<(String, Vec<Span<'_>>, String)> = Vec::new();
    let wide = if area.height > 6 {
        usize::from(area.width).saturating_sub(12).min(60)
    } else {
        usize::from(area.width / 5).saturating_sub(10)
    };
    for g in &c.goals {
        let (name, numbers) = goal_words(g);
        let gauge = vec![
            Span::styled(words::bar(g.score, wide), t.of(reached(g.score))),
            Span::styled(format!(" {:>3.0} %", 100.0 * g.score), t.of(Role::Text)),
        ];
        cells.push((format!("{} {name}", words::letters(g.goal)), gauge, numbers));
    }
    if c.goals.is_empty() {
        cells.push(("goals".to_owned(), vec![Span::raw("no day is closed yet")], String::new()));
    }
    let (number, detail) = c.emergence.map_or_else(
        || ("not measured yet".to_owned(), "sim against alone".to_owned()),
        |e| (format!("{:+.2}", e.gain), format!("{:+.2} … {:+.2}", e.from, e.to)),
    );
    cells.push(("E emergence".to_owned(), vec![Span::styled(number, t.of(Role::Dim))], detail));
    let stacked = area.height > 6;
    let split = vec![Constraint::Fill(1); cells.len()];
    let places = if stacked {
        Layout::vertical(vec![Constraint::Length(4); cells.len()])
    } else {
        Layout::horizontal(split)
    };
    for ((name, gauge, numbers), at) in cells.into_iter().zip(places.split(area).iter()) {
        let frame_of = if app.focus == Pane::Goals { Role::Focus } else { Role::Border };
        let block = Block::bordered()
            .border_type(ratatui::widgets::BorderType::Rounded)
            .border_style(t.of(frame_of))
            .title(Span::styled(format!(" {name} "), t.of(Role::Title)));
        let lines = vec![Line::from(gauge), Line::styled(numbers, t.of(Role::Dim))];
        frame.render_widget(Paragraph::new(lines).block(block), *at);
    }
}

fn state_role(state: AgentState) -> Role {
    match state {
        AgentState::Live => Role::Good,
        AgentState::Paused | AgentState::Muted => Role::Warn,
        AgentState::Broke => Role::Bad,
        AgentState::Unfunded => Role::Dim,
    }
}

/// A column of the table: title, width, right-aligned, and what stands in it.
type Column = (&'static str, u16, bool, fn(&AgentRow) -> (String, Role));

/// From the most to the least important; what does not fit is left out whole.
const COLUMNS: &[Column] = &[
    ("agent", 10, false, |a| (a.name.clone(), Role::Title)),
    ("state", 8, false, |a| (a.state.text().to_owned(), state_role(a.state))),
    ("real", 9, true, |a| (words::gain(money::to_estimate(a.real)), words::sign(money::to_estimate(a.real)))),
    ("sim", 9, true, |a| (words::gain(a.sim), words::sign(a.sim))),
    ("alone", 9, true, |a| (words::gain(a.alone), words::sign(a.alone))),
    ("pts", 4, true, |a| (format!("{:.0}", 100.0 * a.points), Role::Text)),
    ("family", 15, false, |a| {
        (format!("{} {}", words::glyph(a.family), words::family(a.family)), Role::Text)
    }),
    ("for", 3, false, |a| (words::letters(a.goal).to_owned(), Role::Dim)),
    ("funds", 7, true, |a| (words::thousands(money::to_estimate(a.funds)), Role::Text)),
    ("position", 13, false, |a| (a.position.clone(), Role::Text)),
];

/// The table of agents.
pub fn agents(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else {
        return frame.render_widget(block(app, Pane::Agents, Vec::new()), area);
    };
    let mut left = area.width.saturating_sub(2);
    let mut columns: Vec<&Column> = Vec::new();
    for column in COLUMNS {
        if column.1 + 1 > left && !columns.is_empty() {
            break;
        }
        left = left.saturating_sub(column.1 + 1);
        columns.push(column);
    }
    let said = columns.len() == COLUMNS.len() && left > 8;
    // What is left goes to the last words, or, without them, to nobody.
    let mut widths: Vec<Constraint> = columns.iter().map(|c| Constraint::Length(c.1)).collect();
    let mut heads: Vec<Cell<'_>> = columns.iter().map(|c| cell(c.0.to_owned(), c.2)).collect();
    if said {
        widths.push(Constraint::Fill(1));
        heads.push(Cell::from("last said"));
    }
    let row = |a: &AgentRow| {
        let mut cells: Vec<Cell<'_>> = columns
            .iter()
            .map(|(_, width, right, of)| {
                let (text, role) = of(a);
                cell(cut(&text, usize::from(*width)), *right).style(t.of(role))
            })
            .collect();
        if said {
            cells.push(Cell::from(cut(&a.said, usize::from(left.saturating_sub(1)))).style(t.of(Role::Dim)));
        }
        Row::new(cells)
    };
    let rows: Vec<Row<'_>> = c.agents.iter().map(row).collect();
    let shown = usize::from(area.height.saturating_sub(3));
    let place = format!("{} of {}", (app.selected + 1).min(c.agents.len()), c.agents.len());
    let more = if c.agents.len() > shown { format!(" {place} ↕ ") } else { format!(" {place} ") };
    let table = Table::new(rows, widths)
        .header(Row::new(heads).style(t.of(Role::Dim)))
        .row_highlight_style(t.of(Role::Selected))
        .block(block(app, Pane::Agents, vec![Span::styled(more, t.of(Role::Dim))]));
    let mut state = TableState::new().with_selected(app.selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn cell(text: String, right: bool) -> Cell<'static> {
    Cell::from(Text::raw(text).alignment(if right { Alignment::Right } else { Alignment::Left }))
}

/// Cut with a mark, so that nothing looks whole that is not.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn kind_role(kind: Kind) -> Role {
    match kind {
        Kind::Open | Kind::Increase => Role::Good,
        Kind::Close | Kind::Decrease => Role::Bad,
        Kind::Stance => Role::Sim,
        Kind::Outcome => Role::Text,
        Kind::Goal | Kind::Adjustment => Role::Warn,
    }
}

/// The network's talk, the newest last.
pub fn messages(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else { return };
    let rows = usize::from(area.height.saturating_sub(2));
    let end = c.messages.len().saturating_sub(app.scroll).max(rows.min(c.messages.len()));
    let shown = &c.messages[end.saturating_sub(rows)..end];
    let width = usize::from(area.width.saturating_sub(2));
    let line = |m: &crate::view::cockpit::MessageLine| {
        let at = words::moment(m.at);
        let heard = if m.acted_on > 0 { format!("→{}", m.acted_on) } else { String::new() };
        let head = format!("#{} {} ", m.id.0, at.get(5..).unwrap_or_default());
        let who = format!("{:<10} {:<5} ", cut(&m.from, 10), m.asset);
        let rest = width.saturating_sub(head.chars().count() + who.chars().count() + 6);
        Line::from(vec![
            Span::styled(head, t.of(Role::Dim)),
            Span::styled(format!("{heard:<5}"), t.of(Role::Focus)),
            Span::styled(who, t.of(Role::Title)),
            Span::styled(cut(&m.text, rest), t.of(kind_role(m.kind))),
        ])
    };
    let title = if app.scroll > 0 {
        format!(" {} back ", app.scroll)
    } else {
        " → how many acted on it ".to_owned()
    };
    let pane = block(app, Pane::Messages, vec![Span::styled(title, t.of(Role::Dim))]);
    frame.render_widget(Paragraph::new(shown.iter().map(line).collect::<Vec<_>>()).block(pane), area);
}

/// Gains of the three lives on one chart, drawdown below.
pub fn pnl(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else { return };
    let lives = [
        ("alone", &c.curves.alone, Role::Alone),
        ("sim", &c.curves.sim, Role::Sim),
        ("real", &c.curves.real, Role::Real),
    ];
    let mut title = Vec::new();
    for (name, curve, role) in &lives {
        let last = curve.last().copied().unwrap_or_default();
        title.push(Span::styled(format!(" ━{name} "), t.of(*role)));
        let short = area.width < 58;
        let gain = if short { words::gain_short(last) } else { words::gain(last) };
        title.push(Span::styled(gain, t.of(words::sign(last))));
    }
    title.push(Span::raw(" "));
    let pane = block(app, Pane::Pnl, title);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    let under = if inside.height >= 8 { 3 } else { 0 };
    let [chart, drawdown] = Layout::vertical([Constraint::Min(0), Constraint::Length(under)]).areas(inside);
    if chart.height < 3 || chart.width < 20 {
        return;
    }
    let points = |curve: &Vec<f64>| -> Vec<(f64, f64)> {
        curve.iter().enumerate().map(|(i, y)| (i as f64, *y)).collect()
    };
    let data: Vec<Vec<(f64, f64)>> = lives.iter().map(|(_, curve, _)| points(curve)).collect();
    let all = data.iter().flatten().map(|p| p.1);
    let (low, high) = all.fold((0.0_f64, 0.0_f64), |(l, h), y| (l.min(y), h.max(y)));
    let (low, high) = if high > low { (low, high) } else { (-1.0, 1.0) };
    let sets = data.iter().zip(&lives).map(|(d, (_, _, role))| {
        Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).style(t.of(*role)).data(d)
    });
    let length = c.curves.real.len().max(2) as f64 - 1.0;
    let labels = [low, f64::midpoint(low, high), high]
        .map(|y| Span::styled(format!("{:>8}", words::short(y)), t.of(Role::Dim)));
    let drawn = Chart::new(sets.collect())
        .x_axis(Axis::default().bounds([0.0, length]))
        .y_axis(Axis::default().bounds([low, high]).labels(labels).style(t.of(Role::Border)));
    frame.render_widget(drawn, chart);
    if under == 0 {
        return;
    }
    let worst = c.curves.drawdown.iter().copied().fold(0.0, f64::max);
    let [words_at, bars] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(drawdown);
    let text =
        format!("drawdown {} now, {} at worst", words::percent(c.account.drawdown), words::percent(worst));
    frame.render_widget(Paragraph::new(text).style(t.of(Role::Dim)), words_at);
    let width = usize::from(bars.width).max(1);
    let sampled: Vec<u64> = (0..width.min(c.curves.drawdown.len() * width))
        .map(|i| {
            let n = c.curves.drawdown.len();
            let (from, to) = (i * n / width, ((i + 1) * n / width).max(i * n / width + 1).min(n));
            let most = c.curves.drawdown[from.min(to)..to].iter().copied().fold(0.0, f64::max);
            (10_000.0 * most) as u64
        })
        .collect();
    let most = (10_000.0 * worst.max(c.account.drawdown_budget)) as u64;
    frame.render_widget(Sparkline::default().data(&sampled).max(most.max(1)).style(t.of(Role::Bad)), bars);
}
