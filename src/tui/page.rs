//! The agent page: who it is, what is open and under which conditions, and why.

use super::app::App;
use super::theme::{Role, Theme};
use super::words;
use crate::domain::money;
use crate::view::AgentPage;
use crate::view::cockpit::EdgeRow;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph, Wrap};

/// From this width on two columns.
const TWO: u16 = 100;
/// Influences that are named on each side.
const NAMED: usize = 6;

/// Draws the page of the selected agent.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let name = app.agent().map(|a| a.name.clone()).unwrap_or_default();
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(t.of(Role::Focus))
        .title(Span::styled(format!(" {name} "), t.of(Role::Title)))
        .title_bottom(Span::styled(" ↑↓ another agent · esc back ", t.of(Role::Dim)));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    // A page that is on its way is not the page of another agent.
    let page = app.page.as_ref().filter(|p| app.agent().is_some_and(|a| a.id == p.row.id));
    let Some(page) = page else {
        return frame.render_widget(Paragraph::new(" asking the swarm …").style(t.of(Role::Dim)), inside);
    };
    let (who, why) = (who(t, page), why(app, page));
    let show = |frame: &mut Frame<'_>, lines: Vec<Line<'_>>, at: Rect| {
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).style(t.of(Role::Text)), at);
    };
    if inside.width >= TWO {
        let [left, _, right] = Layout::horizontal([
            Constraint::Percentage(50),
            Constraint::Length(2),
            Constraint::Percentage(50),
        ])
        .areas(inside);
        show(frame, who, left);
        show(frame, why, right);
    } else {
        // In one column the reasons come before the character: they are what the page is for.
        let (head, rest) = who.split_at(who.len().min(8));
        let lines: Vec<Line<'_>> = head.iter().cloned().chain(why).chain(rest.iter().cloned()).collect();
        show(frame, lines, inside);
    }
}

fn head(t: &Theme, text: &'static str) -> Line<'static> {
    Line::styled(text, t.of(Role::Focus))
}

fn who<'a>(t: &Theme, p: &'a AgentPage) -> Vec<Line<'a>> {
    let (row, dim) = (&p.row, t.of(Role::Dim));
    let real = money::to_estimate(row.real);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(
                format!("{} {}", words::glyph(row.family), words::family(row.family)),
                t.of(Role::Title),
            ),
            Span::styled(
                format!(
                    " · {} · {} · for {} · {}",
                    p.personality,
                    p.side,
                    words::letters(row.goal),
                    row.state.text()
                ),
                dim,
            ),
        ]),
        Line::styled(format!("on {}", row.assets), dim),
    ];
    for (name, value) in [("alone", row.alone), ("sim", row.sim), ("real", real)] {
        lines.push(Line::from(vec![
            Span::styled(format!("{name:<6}"), dim),
            Span::styled(format!("{:>11}", words::gain(value)), t.of(words::sign(value))),
        ]));
    }
    let position = if row.position.is_empty() { "nothing" } else { &row.position };
    lines.push(Line::from(vec![
        Span::styled("points ", dim),
        Span::raw(format!("{:.0}", 100.0 * row.points)),
        Span::styled("  funds ", dim),
        Span::raw(words::thousands(money::to_estimate(row.funds))),
        Span::styled("  holds ", dim),
        Span::raw(position),
    ]));
    lines.push(Line::styled(
        format!("{} trades · {} messages sent · moved by {} messages", p.trades, p.sent, p.acted_on),
        dim,
    ));
    lines.push(Line::raw(""));
    lines.push(head(t, "character"));
    for bar in &p.traits {
        let (low, high) = bar.bounds;
        lines.push(Line::from(vec![
            Span::styled(format!("{:<12}", bar.name), dim),
            Span::styled(words::bar((bar.value - low) / (high - low), 16), t.of(Role::Sim)),
            Span::raw(format!(" {:>5.2}", bar.value)),
        ]));
    }
    lines.push(Line::raw(""));
    lines.push(head(t, "open and offered"));
    if p.intents.is_empty() {
        lines.push(Line::styled("nothing", dim));
    }
    for i in &p.intents {
        let what = match i.intent {
            x if x > 0.0 => format!("long {x:.2}× of its capital"),
            x if x < 0.0 => format!("short {:.2}× of its capital", -x),
            _ => "flat".to_owned(),
        };
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", i.asset), t.of(Role::Title)),
            Span::raw(what),
            Span::styled(i.message.map(|m| format!(" · #{}", m.0)).unwrap_or_default(), dim),
        ]));
        for (name, condition) in &i.conditions {
            lines.push(Line::from(vec![
                Span::styled(format!("  {name:<9}"), dim),
                Span::raw(condition.as_str()),
            ]));
        }
    }
    lines
}

fn why<'a>(app: &App, p: &'a AgentPage) -> Vec<Line<'a>> {
    let t = &app.theme;
    let dim = t.of(Role::Dim);
    let mut lines = vec![head(t, "why")];
    if p.why.is_empty() {
        lines.push(Line::styled("it has made no stance yet", dim));
    }
    for (n, w) in p.why.iter().enumerate().take(4) {
        if n > 0 {
            lines.push(Line::raw(""));
        }
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", w.asset), t.of(Role::Title)),
            Span::raw(format!("{}: {:+.3} % → {:+.3} %", w.verb, 100.0 * w.own, 100.0 * w.result)),
            Span::styled(format!(" · #{} {}", w.message.0, words::moment(w.at)), dim),
        ]));
        lines.extend(w.factors.iter().map(|f| Line::raw(format!("  {f}"))));
        for (id, text) in &w.because {
            lines.push(Line::from(vec![
                Span::styled(format!("  because of #{} ", id.0), t.of(Role::Sim)),
                Span::raw(text.as_str()),
            ]));
        }
    }
    for (title, edges, voice) in [("moved by", &p.received, true), ("moves", &p.given, false)] {
        lines.push(Line::raw(""));
        lines.push(head(t, title));
        if edges.is_empty() {
            lines.push(Line::styled("nobody", dim));
        }
        lines.extend(edges.iter().take(NAMED).map(|e| influence(app, e, voice)));
        if edges.len() > NAMED {
            lines.push(Line::styled(format!("and {} more", edges.len() - NAMED), dim));
        }
    }
    lines
}

fn influence<'a>(app: &App, e: &'a EdgeRow, voice: bool) -> Line<'a> {
    let t = &app.theme;
    let agents = app.cockpit.as_ref().map_or(&[][..], |c| &c.agents);
    let moved = || agents.iter().find(|a| a.id == e.to).map(|a| a.name.clone());
    let who = if voice { e.from_name.clone() } else { moved().unwrap_or_default() };
    Line::from(vec![
        Span::styled(format!("{who:<11}"), t.of(Role::Title)),
        Span::styled(format!("{:<6}", e.asset), t.of(Role::Dim)),
        Span::styled(words::bar(e.share, 8), t.of(Role::Sim)),
        Span::raw(format!(" {:>5.1} %  ", 100.0 * e.share)),
        Span::styled(words::gain(e.value), t.of(words::sign(e.value))),
    ])
}
