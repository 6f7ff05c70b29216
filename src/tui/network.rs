//! Who moves whom. Agents stand on a ring, family by family, scouts that are heard stand inside; places
//! are settled once and stay. A line is influence (who moved whom most), its colour what listening was
//! worth; a pulse is a message on its way to one whom it moved.

use super::app::{App, PULSE, Pane};
use super::draw::block;
use super::theme::Role;
use super::words;
use crate::domain::{AgentId, Family, money};
use crate::view::Cockpit;
use crate::view::cockpit::{AgentState, EdgeRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::Span;
use ratatui::widgets::Clear;
use ratatui::widgets::canvas::{Canvas, Line as Stroke};
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// Lines of agents that are not selected: the strongest.
const FAINT: usize = 48;
/// Half the height of what is drawn.
const HIGH: f64 = 1.12;
/// Places that are kept; the swarm's agents and the scouts that were heard.
const PLACES_MAX: usize = 2_000;

/// Where everybody stands, in −1 … 1.
#[derive(Debug, Default)]
pub struct Network {
    places: BTreeMap<AgentId, (f64, f64)>,
    families: BTreeMap<Family, f64>,
}

impl Network {
    /// Gives a place to everybody who has none.
    pub fn settle(&mut self, c: &Cockpit) {
        if self.places.is_empty() {
            let mut order: Vec<_> = c.agents.iter().collect();
            order.sort_by_key(|a| (a.family, a.id));
            let n = order.len().max(1) as f64;
            let mut sums: BTreeMap<Family, (f64, f64)> = BTreeMap::new();
            for (i, agent) in order.iter().enumerate() {
                let angle = TAU * i as f64 / n;
                self.places.insert(agent.id, (angle.sin(), angle.cos()));
                let sum = sums.entry(agent.family).or_default();
                *sum = (sum.0 + angle, sum.1 + 1.0);
            }
            self.families = sums.into_iter().map(|(f, (sum, n))| (f, sum / n)).collect();
        }
        for edge in &c.edges {
            if self.places.len() < PLACES_MAX && !self.places.contains_key(&edge.from) {
                // Golden angles spread the scouts of a family evenly over its sector.
                let spread = f64::from(edge.from.0) * 0.618_033_988_749_895 % 1.0;
                let angle =
                    self.families.get(&edge.from_family).copied().unwrap_or(0.0) + 0.7 * (spread - 0.5);
                let radius = 0.35 + 0.25 * (f64::from(edge.from.0) * 0.754_877_666_246_69 % 1.0);
                self.places.insert(edge.from, (radius * angle.sin(), radius * angle.cos()));
            }
        }
    }

    fn at(&self, id: AgentId) -> Option<(f64, f64)> {
        self.places.get(&id).copied()
    }
}

/// Draws the graph.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else { return };
    let chosen = app.agent().map(|a| a.id);
    let title = match (c.deaf, app.agent()) {
        (true, _) => " nobody listens ".to_owned(),
        (false, Some(a)) => {
            let heard = c.edges.iter().filter(|e| e.to == a.id).count();
            let moved = c.edges.iter().filter(|e| e.from == a.id).count();
            format!(" {}: moved by {heard}, moves {moved} ", a.name)
        }
        _ => String::new(),
    };
    let pane = block(app, Pane::Network, vec![Span::styled(title, t.of(Role::Dim))]);
    let inside = pane.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(pane, area);
    if inside.width < 12 || inside.height < 5 {
        return;
    }
    // Labels stand beside their nodes: the ring leaves room for them.
    let margin = 1.0 + 20.0 / f64::from(inside.width);
    let touches = |e: &&EdgeRow| Some(e.to) == chosen || Some(e.from) == chosen;
    let worth = |e: &EdgeRow| if e.value < 0.0 { Role::Bad } else { Role::Good };
    let stroke = |e: &EdgeRow, role: Role| {
        let ((x1, y1), (x2, y2)) = (app.network.at(e.from)?, app.network.at(e.to)?);
        Some(Stroke::new(x1, y1, x2, y2, t.ink(role)))
    };
    let canvas = Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([-margin, margin])
        .y_bounds([-HIGH, HIGH])
        .paint(|ctx| {
            for e in c.edges.iter().filter(|e| !touches(e)).take(FAINT) {
                if let Some(line) = stroke(e, Role::Border) {
                    ctx.draw(&line);
                }
            }
            ctx.layer();
            for e in c.edges.iter().filter(touches) {
                if let Some(line) = stroke(e, worth(e)) {
                    ctx.draw(&line);
                }
            }
            ctx.layer();
            for (id, (x, y)) in &app.network.places {
                if id.index() >= c.agents.len() && c.edges.iter().any(|e| e.from == *id) {
                    ctx.print(*x, *y, Span::styled("·", t.of(Role::Dim)));
                }
            }
            for (x, y, text, role) in labels(app, c, margin, inside) {
                ctx.print(x, y, Span::styled(text, t.of(role)));
            }
            for p in &app.pulses {
                let (Some((x1, y1)), Some((x2, y2))) = (app.network.at(p.from), app.network.at(p.to)) else {
                    continue;
                };
                let way = app.now.saturating_sub(p.born).as_secs_f64() / PULSE.as_secs_f64();
                let (x, y) = (x1 + way * (x2 - x1), y1 + way * (y2 - y1));
                ctx.print(x, y, Span::styled("•", t.of(Role::Pulse)));
            }
        });
    frame.render_widget(canvas, inside);
}

/// Where each agent's sign and name are written, and how. The selected first, then those that moved it
/// or that it moved; a name that would lie on another is left out, its sign stays.
fn labels(app: &App, c: &Cockpit, margin: f64, inside: Rect) -> Vec<(f64, f64, String, Role)> {
    let chosen = app.agent().map(|a| a.id);
    let near = |id: AgentId| {
        c.edges
            .iter()
            .any(|e| (e.from == id && Some(e.to) == chosen) || (e.to == id && Some(e.from) == chosen))
    };
    let mut order: Vec<_> = c.agents.iter().collect();
    order.sort_by_key(|a| (Some(a.id) != chosen, !near(a.id), a.id));
    let (columns, rows) = (f64::from(inside.width), f64::from(inside.height));
    // As the canvas does it.
    let column = |x: f64| ((x + margin) * (columns - 1.0) / (2.0 * margin)) as i32;
    let row = |y: f64| ((HIGH - y) * (rows - 1.0) / (2.0 * HIGH)) as i32;
    let signs: Vec<(AgentId, i32, i32)> =
        order.iter().filter_map(|a| app.network.at(a.id).map(|(x, y)| (a.id, column(x), row(y)))).collect();
    let mut taken: Vec<(i32, i32, i32)> = Vec::new();
    let mut labels = Vec::new();
    for a in order {
        let Some((x, y)) = app.network.at(a.id) else { continue };
        let role = match a.state {
            _ if Some(a.id) == chosen => Role::Selected,
            AgentState::Broke => Role::Bad,
            AgentState::Paused | AgentState::Muted => Role::Warn,
            AgentState::Unfunded => Role::Dim,
            AgentState::Live => words::sign(money::to_estimate(a.real)),
        };
        let name: String = a.name.chars().take(8).collect();
        let length = name.chars().count() as i32;
        let (at, line, right) = (column(x), row(y), x >= 0.0);
        let (from, to) = if right { (at, at + length) } else { (at - length, at) };
        let free = from >= 0
            && f64::from(to) < columns
            && taken.iter().all(|(l, f, t)| *l != line || to < *f || from > *t)
            && signs.iter().all(|(id, c, l)| *id == a.id || *l != line || *c < from || *c > to);
        let glyph = words::glyph(a.family);
        if !free {
            labels.push((x, y, glyph.to_owned(), role));
            continue;
        }
        taken.push((line, from, to));
        // Names stand outside the ring.
        let text = if right { format!("{glyph}{name}") } else { format!("{name}{glyph}") };
        // To the middle of the cell, so that rounding does not move it to its neighbour.
        let start = (f64::from(from) + 0.5) * 2.0 * margin / (columns - 1.0) - margin;
        labels.push((if right { x } else { start.max(-margin) }, y, text, role));
    }
    labels
}
