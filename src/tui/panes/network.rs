//! Who moves whom. A node is an agent: its glyph is its family, its colour its state, its brightness its
//! points, the sign after its name its real PnL. A line is influence, the strongest few and those of whom
//! is selected, painted by what listening was worth, or as open lives are where a word led to a deed by a rule that the listener
//! lives by; a pulse is one message on its way to one whom it
//! moved, and `enter` opens the decision that names it.
//!
//! Where somebody serves the desk it stands in the middle. A line to it is value: as thick as the largest
//! demands, painted by whether it saved or cost; a pulse on it is a receipt. Its lines are chosen as the others
//! are, and `enter` opens the page of who serves.

use super::agents;
use super::edges::{EdgeKey, is_drawn};
use super::graph_layout::Layout;
use crate::domain::{AgentId, MessageId, money};
use crate::tui::action::UserAction;
use crate::tui::context::{Connection, Hint, PaneContext, PaneId};
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, PanePlace, PaneShape, SCROLL, block, step_of};
use crate::tui::raster::Raster;
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crate::view::Cockpit;
use crate::view::cockpit::{AgentRow, AgentState, EdgeRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::collections::BTreeMap;
use std::time::Duration;

/// Lines of agents that are not selected: the strongest.
const FAINT: usize = 22;
/// Scouts that are shown, those of the lines that are drawn.
const SCOUTS: usize = 60;
/// Letters of a name.
const NAME: usize = 9;
/// Points from which a name is bright, and below which it is dim.
const BRIGHT: (f64, f64) = (0.9, 0.45);

/// Share of the cells that names may take.
const CROWDED: f64 = 0.45;

/// The desk among the agents; no agent has this number.
pub const DESK: AgentId = AgentId(u32::MAX);
/// How it is written.
const DESK_NAME: &str = "▣ desk";
/// Dots of the line of who was worth most to it.
const THICK: f64 = 3.0;

/// How long a pulse travels.
const PULSE: Duration = Duration::from_millis(1_100);
/// Pulses of one bar leave one after the other, over this time.
const VOLLEY: Duration = Duration::from_millis(600);
/// Most pulses at once, the strongest of a busy bar: a frame of them is a few hundred bytes.
pub const PULSES_MAX: usize = 16;

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("network");

/// A message on its way along an edge: its number is what it is, the decision is why it is shown. A receipt
/// runs to [`DESK`], and is its own reason.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct EdgePulse {
    pub from: AgentId,
    pub to: AgentId,
    pub message: MessageId,
    pub decision: MessageId,
    pub born: Duration,
}

/// The graph of who moves whom.
#[derive(Default)]
pub struct NetworkPane {
    /// Where everybody stands.
    pub layout: Layout,
    /// The messages that are on their way.
    pub pulses: Vec<EdgePulse>,
    /// The edge under the cursor.
    pub cursor: Option<EdgeKey>,
    /// Where it was drawn; none where it was not, or there was no room.
    drawn: Option<DrawnGraph>,
    /// The newest decision and the newest receipt whose pulses have left.
    decided: MessageId,
    receipted: MessageId,
}

impl Pane for NetworkPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        let mut keys = vec![SCROLL, LEAP, ENDS, (&[UserAction::Open], "decision")];
        keys.extend(self.cursor.as_ref().map(|_| BACK));
        keys
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        match (step_of(action), &self.cursor) {
            (Some((down, by)), at) => self.cursor = EdgeKey::step(at.as_ref(), cx, down, by),
            (None, _) if action == UserAction::Back => self.cursor = None,
            (None, Some(edge)) => {
                return edge.behind(cx).map_or(PaneOutcome::Done, |(id, why)| PaneOutcome::Open(id, why));
            }
            (None, None) => return agents::on_any(cx, action),
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        self.drawn = draw(frame, cx, self, area);
    }

    fn shape(&self) -> PaneShape {
        PaneShape { place: PanePlace::Graph, ..PaneShape::default() }
    }

    fn on_focus(&mut self, cx: &PaneContext) {
        let there = |e: &EdgeKey| e.influence(cx).is_some() || e.service(cx).is_some();
        if !self.cursor.as_ref().is_some_and(there) {
            self.cursor = EdgeKey::first(cx);
        }
    }

    fn see(&mut self, cx: &PaneContext, picture: &Cockpit) {
        if !cx.is_now() || matches!(cx.reach, Connection::Lost(_)) {
            // What was decided meanwhile is not news.
            self.decided = MessageId(0);
        }
        if !cx.is_now() {
            return;
        }
        self.layout.see(picture);
        // History flies by; its pulses would only flicker. And nothing pulses for what was before.
        if picture.progress.is_none() && self.decided > MessageId(0) {
            self.volley(cx, picture);
        }
        let newest = picture.edges.iter().map(|e| e.decision).max().unwrap_or(MessageId(0));
        self.decided = newest.max(self.decided);
        self.receipted = picture.services.iter().map(|s| s.receipt).max().unwrap_or(MessageId(0));
    }

    fn jump(&mut self) {
        self.pulses.clear();
    }

    fn tick(&mut self, cx: &PaneContext) -> bool {
        // What is frozen does not move.
        let moves = !cx.is_stale() && self.pulses.iter().any(|p| p.born <= cx.now);
        self.pulses.retain(|p| cx.now.saturating_sub(p.born) < PULSE);
        moves
    }

    fn overlay(&self, cx: &PaneContext, put: &mut dyn FnMut(u16, u16, &str, Style)) {
        if let Some(drawn) = &self.drawn {
            pulses(cx, self, drawn, put);
        }
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        self.cursor.as_ref()?.text(cx)
    }
}

impl NetworkPane {
    /// The messages behind the decisions that are new in a picture leave, one after the other.
    fn volley(&mut self, cx: &PaneContext, picture: &Cockpit) {
        let mut fresh: Vec<&EdgeRow> =
            picture.edges.iter().filter(|e| e.decision > self.decided && e.message.0 > 0).collect();
        fresh.truncate(PULSES_MAX);
        let moved = fresh.iter().map(|e| (e.from, e.to, e.message, e.decision));
        // Receipts are few, and come first.
        let told = picture.services.iter().filter(|s| s.receipt > self.receipted);
        let told = told.map(|s| (s.agent, DESK, s.receipt, s.receipt));
        let all: Vec<_> = told.chain(moved).take(PULSES_MAX).collect();
        let apart = VOLLEY / all.len().max(1) as u32;
        let pulses = all.into_iter().zip(0..).map(|((from, to, message, decision), i)| EdgePulse {
            from,
            to,
            message,
            decision,
            born: cx.now + apart * i,
        });
        self.pulses.extend(pulses);
        let many = self.pulses.len().saturating_sub(PULSES_MAX);
        self.pulses.drain(..many);
    }
}

/// A cell of the pane.
type PaneCell = (u16, u16);

/// Where the graph was drawn: pulses run over it until it is drawn anew.
struct DrawnGraph {
    graph: Rect,
    seats: Seats,
}

impl DrawnGraph {
    fn cell(&self, layout: &Layout, id: AgentId) -> Option<PaneCell> {
        self.seats.glyphs.get(&id).copied().or_else(|| scout_cell(layout, id, self.graph))
    }

    /// Whether what runs to this listener, or from this servant, is shown: a filter hides the others' lines.
    fn shows(&self, cx: &PaneContext, id: AgentId) -> bool {
        cx.agent_filter.is_empty() || self.seats.glyphs.contains_key(&id)
    }
}

/// Where the glyphs are, and which cells the names take.
struct Seats {
    glyphs: BTreeMap<AgentId, PaneCell>,
    /// Agents with the number of cells that they have: 1 is the glyph alone.
    named: Vec<(AgentId, u16)>,
    taken: Vec<bool>,
}

/// Gives every agent the free cells nearest to its place, those with most points first. Nothing overlaps.
fn seats(cx: &PaneContext, layout: &Layout, c: &Cockpit, (width, height): (u16, u16)) -> Seats {
    let mut seats = Seats {
        glyphs: BTreeMap::new(),
        named: Vec::new(),
        taken: vec![false; usize::from(width) * usize::from(height)],
    };
    // The desk has the middle, where there is anything to show.
    let desk = DESK_NAME.chars().count() as u16;
    if !c.services.is_empty() && width > 4 * desk && height >= 5 {
        let (x, y) = ((width - desk) / 2, height / 2);
        let start = usize::from(y) * usize::from(width) + usize::from(x);
        seats.taken[start - 1..=start + usize::from(desk)].fill(true);
        seats.glyphs.insert(DESK, (x, y));
    }
    // Those that the filter of agents shows: of a thousand, the few that one is looking at.
    let mut order: Vec<&AgentRow> = cx.agents();
    order.sort_by(|a, b| b.points.total_cmp(&a.points).then(a.id.cmp(&b.id)));
    for a in order {
        let Some((x, y)) = layout.at(a.id) else { continue };
        let full = a.name.chars().count().min(NAME) as u16 + 2;
        let column = (f64::midpoint(x, 1.0) * f64::from(width.saturating_sub(full))).round() as i32;
        let row = ((1.0 - y) / 2.0 * f64::from(height.saturating_sub(1))).round() as i32;
        // With its name while names leave room to see anything, else the glyph alone; or nothing.
        let named: u16 = seats.named.iter().filter(|(_, n)| *n > 1).map(|(_, n)| n + 1).sum();
        let crowded = f64::from(named + full) > CROWDED * f64::from(width) * f64::from(height);
        let sizes = if crowded { [1, 1] } else { [full, 1] };
        let cell = sizes.into_iter().find_map(|n| {
            nearest(&seats.taken, (width, height), (column, row), n, full).map(|cell| (cell, n))
        });
        let Some(((x, y), n)) = cell else { continue };
        let start = usize::from(y) * usize::from(width) + usize::from(x);
        // A gap after it, where there is room for one.
        let end = (start + usize::from(n) + 1).min((usize::from(y) + 1) * usize::from(width));
        seats.taken[start..end].fill(true);
        seats.glyphs.insert(a.id, (x, y));
        seats.named.push((a.id, n));
    }
    seats
}

/// The free run of `n` cells nearest to a place; a row away is as far as two columns and a bit.
fn nearest(
    taken: &[bool],
    (width, height): (u16, u16),
    at: (i32, i32),
    n: u16,
    full: u16,
) -> Option<PaneCell> {
    let free = |x: u16, y: u16| {
        let start = usize::from(y) * usize::from(width) + usize::from(x);
        !taken[start..start + usize::from(n)].contains(&true)
    };
    let mut best: Option<(i32, PaneCell)> = None;
    // A name that is not near its node is of no use.
    let reach = if n == full { i32::from(height) } else { 3 };
    for dy in -reach..=reach {
        let y = at.1 + dy;
        if y < 0 || y >= i32::from(height) || best.is_some_and(|(d, _)| 6 * dy * dy >= d) {
            continue;
        }
        for x in 0..=width.saturating_sub(n) {
            let dx = i32::from(x) - at.0;
            let d = dx * dx + 6 * dy * dy;
            if best.is_none_or(|(b, _)| d < b) && free(x, y as u16) {
                best = Some((d, (x, y as u16)));
            }
        }
    }
    best.map(|(_, cell)| cell)
}

/// Draws the graph without its pulses, and tells where it is; none where there is no room for it.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, network: &NetworkPane, area: Rect) -> Option<DrawnGraph> {
    let t = &cx.theme;
    let Some(c) = &cx.cockpit else {
        frame.render_widget(block(cx, ID, Vec::new()), area);
        return None;
    };
    let mut says = vec![Span::styled(title(cx, c), t.of(StyleRole::Dim))];
    if !cx.agent_filter.is_empty() {
        says.insert(
            0,
            Span::styled(format!("/{} ", words::cut(&cx.agent_filter, 20)), t.of(StyleRole::Focus)),
        );
    }
    let pane = block(cx, ID, says);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.width < 16 || inside.height < 5 {
        return None;
    }
    let graph = Rect { height: inside.height - 1, ..inside };
    let stage = DrawnGraph { graph, seats: seats(cx, &network.layout, c, (graph.width, graph.height)) };
    let seats = &stage.seats;
    let mut raster = Raster::new(graph.width, graph.height);
    let chosen = cx.agent().map(|a| a.id);
    let mut scouts = lines(cx, c, network, &stage, &mut raster);
    // Whoever is just being heard is seen, too.
    for p in &network.pulses {
        if !seats.glyphs.contains_key(&p.from) && !scouts.contains(&p.from) && scouts.len() < SCOUTS {
            scouts.push(p.from);
        }
    }
    let buffer = frame.buffer_mut();
    raster.paint(buffer, graph, t);
    for id in scouts {
        if let Some((x, y)) = scout_cell(&network.layout, id, graph) {
            buffer.set_string(graph.x + x, graph.y + y, "∘", t.of(StyleRole::Dim));
        }
    }
    if let Some((x, y)) = seats.glyphs.get(&DESK) {
        buffer.set_string(graph.x + x, graph.y + y, DESK_NAME, t.of(StyleRole::Real));
    }
    for (id, n) in &seats.named {
        if let (Some(a), Some((x, y))) = (cx.row(*id), seats.glyphs.get(id)) {
            let line = label(cx, a, *n, Some(*id) == chosen);
            buffer.set_line(graph.x + x, graph.y + y, &line, *n);
        }
    }
    let foot = Rect { y: graph.bottom(), height: 1, ..inside };
    frame.render_widget(Paragraph::new(footnote(cx, c, network, foot.width)), foot);
    Some(stage)
}

/// Draws influence and value; the scouts whose lines are among them.
fn lines(
    cx: &PaneContext,
    c: &Cockpit,
    network: &NetworkPane,
    stage: &DrawnGraph,
    raster: &mut Raster,
) -> Vec<AgentId> {
    let seats = &stage.seats;
    let chosen = cx.agent().map(|a| a.id);
    let touches = |e: &&EdgeRow| Some(e.to) == chosen || Some(e.from) == chosen;
    let mut scouts: Vec<AgentId> = Vec::new();
    let mut stroke = |raster: &mut Raster, e: &EdgeRow, role: StyleRole| {
        if let (Some(a), Some(b)) = (stage.cell(&network.layout, e.from), stage.cell(&network.layout, e.to)) {
            raster.line(dots_of(a), dots_of(b), role);
            if !seats.glyphs.contains_key(&e.from) && !scouts.contains(&e.from) && scouts.len() < SCOUTS {
                scouts.push(e.from);
            }
        }
    };
    // Between agents first: a scout is not known by name.
    let known = |e: &&EdgeRow| seats.glyphs.contains_key(&e.from);
    let shown = |e: &&EdgeRow| stage.shows(cx, e.to);
    for e in c.edges.iter().filter(|e| !touches(e)).filter(known).filter(shown).take(FAINT) {
        stroke(raster, e, StyleRole::Faint);
    }
    value(cx, (c, network), stage, raster, None);
    for e in c.edges.iter().filter(touches).filter(shown) {
        let role = match e.value {
            _ if !e.rule.is_empty() => StyleRole::Open,
            x if x < 0.0 => StyleRole::Bad,
            _ => StyleRole::Good,
        };
        stroke(raster, e, role);
    }
    let cursor = network.cursor.as_ref().filter(|_| cx.focus == ID);
    if let Some(e) = cursor.and_then(|k| k.influence(cx)) {
        stroke(raster, e, StyleRole::Focus);
    }
    if let Some(s) = cursor.and_then(|k| k.service(cx)) {
        value(cx, (c, network), stage, raster, Some(s.agent));
    }
    scouts
}

/// Draws who is worth what to the desk; or only the one whose edge is chosen, over all other lines.
fn value(
    cx: &PaneContext,
    (c, network): (&Cockpit, &NetworkPane),
    stage: &DrawnGraph,
    raster: &mut Raster,
    chosen: Option<AgentId>,
) {
    let Some(desk) = stage.seats.glyphs.get(&DESK) else { return };
    let gains = contributions(c);
    let most = gains.iter().map(|w| w.1.abs()).fold(0.0, f64::max);
    let drawn = gains.into_iter().filter(|w| is_drawn(w.1) && stage.shows(cx, w.0));
    for (agent, value) in drawn.filter(|w| chosen.is_none_or(|agent| w.0 == agent)) {
        if let Some(from) = stage.cell(&network.layout, agent) {
            let dots = (THICK * value.abs() / most).round().max(1.0) as i32;
            let role = if chosen.is_some() { StyleRole::Focus } else { words::sign_fine(value) };
            raster.stroke(dots_of(from), dots_of(*desk), dots, role);
        }
    }
}

fn title(cx: &PaneContext, c: &Cockpit) -> String {
    match (c.deaf, cx.agent()) {
        (true, _) => "nobody listens ".to_owned(),
        (false, Some(a)) => {
            let heard = c.edges.iter().filter(|e| e.to == a.id).count();
            let moves = c.edges.iter().filter(|e| e.from == a.id).count();
            let serves = match a.served.iter().sum() {
                0.0 => String::new(),
                sum => format!(", serves {}", words::gain_fine(sum)),
            };
            format!("{} moved by {heard}, moves {moves}{serves} ", a.name)
        }
        _ => String::new(),
    }
}

/// Where the dots of a cell's middle are.
fn dots_of((x, y): PaneCell) -> (i32, i32) {
    (2 * i32::from(x) + 1, 4 * i32::from(y) + 2)
}

/// What each agent was worth to the desk so far, all its services together.
fn contributions(c: &Cockpit) -> Vec<(AgentId, f64)> {
    let mut gains: BTreeMap<AgentId, f64> = BTreeMap::new();
    for s in &c.services {
        *gains.entry(s.agent).or_default() += s.total;
    }
    gains.into_iter().collect()
}

fn scout_cell(layout: &Layout, id: AgentId, area: Rect) -> Option<PaneCell> {
    let (x, y) = layout.at(id)?;
    let to = |v: f64, n: u16| (v * f64::from(n.saturating_sub(1))).round() as u16;
    Some((to(f64::midpoint(x, 1.0), area.width), to((1.0 - y) / 2.0, area.height)))
}

/// The edge under the cursor and the way to its decision, or what the signs mean.
fn footnote<'a>(cx: &PaneContext, c: &Cockpit, network: &NetworkPane, width: u16) -> Line<'a> {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let cursor = network.cursor.as_ref().filter(|_| cx.focus == ID);
    if let Some(line) = cursor.and_then(|k| k.line(cx, usize::from(width))) {
        return line;
    }
    if width < 24 {
        return Line::default();
    }
    let strong = if c.more_edges > 0 { format!("{}+", c.edges.len()) } else { c.edges.len().to_string() };
    let mut spans = if c.deaf {
        vec![Span::styled("deaf: nobody is moved by what is said", dim)]
    } else {
        vec![Span::styled("●", t.of(StyleRole::Pulse)), Span::styled(" a message that moved someone", dim)]
    };
    let mut room = usize::from(width).saturating_sub(spans.iter().map(Span::width).sum::<usize>() + 1);
    if !c.services.is_empty() {
        let (today, total) =
            c.services.iter().fold((0.0, 0.0), |(today, total), s| (today + s.today, total + s.total));
        let ink = t.of(words::sign_fine(total));
        let serves =
            [Span::styled(" · ", dim), Span::styled("━◆", ink), Span::styled(" worth to the desk ", dim)];
        let sums = [
            Span::styled(words::gain_fine(total), ink),
            Span::styled(format!(", today {}", words::fine(today)), dim),
        ];
        // Whole groups, as they fit.
        for group in [&serves[..], &sums[..1], &sums[1..]] {
            let cells: usize = group.iter().map(Span::width).sum();
            if cells > room {
                break;
            }
            room -= cells;
            spans.extend_from_slice(group);
        }
    }
    let more = format!(" · {strong} edges");
    if room >= more.chars().count() && !c.deaf {
        spans.push(Span::styled(more, dim));
    }
    Line::from(spans)
}

/// Heads with a tail, in front of lines and behind names: tells `put` column, row, glyph and style.
fn pulses(
    cx: &PaneContext,
    network: &NetworkPane,
    stage: &DrawnGraph,
    put: &mut dyn FnMut(u16, u16, &str, Style),
) {
    let (graph, seats) = (stage.graph, &stage.seats);
    let t = &cx.theme;
    let cell = |id| stage.cell(&network.layout, id);
    for p in network.pulses.iter().filter(|p| p.born <= cx.now) {
        let (Some(a), Some(b)) = (cell(p.from), cell(p.to)) else { continue };
        if !stage.shows(cx, if p.to == DESK { p.from } else { p.to }) {
            continue;
        }
        let way = cx.now.saturating_sub(p.born).as_secs_f64() / PULSE.as_secs_f64();
        // Slow at the start and at the end.
        let way = way * way * (3.0 - 2.0 * way);
        let head = if p.to == DESK { ("◆", StyleRole::Good) } else { ("●", StyleRole::Pulse) };
        for (behind, glyph, role) in [(0.1, "•", StyleRole::Warn), (0.0, head.0, head.1)] {
            let at = way - behind;
            if at < 0.0 {
                continue;
            }
            let between = |a: u16, b: u16| (f64::from(a) + at * (f64::from(b) - f64::from(a))).round() as u16;
            let (x, y) = (between(a.0, b.0), between(a.1, b.1));
            let under = usize::from(y) * usize::from(graph.width) + usize::from(x);
            if !seats.taken.get(under).copied().unwrap_or(true) {
                put(graph.x + x, graph.y + y, glyph, t.of(role));
            }
        }
    }
}

fn label<'a>(cx: &PaneContext, a: &AgentRow, cells: u16, chosen: bool) -> Line<'a> {
    let t = &cx.theme;
    let state = words::state(a.state);
    let glyph = Span::styled(a.family.glyph(), t.of(if chosen { StyleRole::Selected } else { state }));
    if cells == 1 {
        return Line::from(glyph);
    }
    let quiet = matches!(a.state, AgentState::StoppedOut | AgentState::Unfunded | AgentState::Quarantined);
    let bright = match a.points {
        _ if chosen => StyleRole::Selected,
        _ if quiet => StyleRole::Dim,
        p if p >= BRIGHT.0 => StyleRole::Title,
        p if p < BRIGHT.1 => StyleRole::Dim,
        _ => StyleRole::Text,
    };
    let real = money::to_estimate(a.real);
    let sign = match words::sign(real) {
        StyleRole::Good => "▴",
        StyleRole::Bad => "▾",
        _ => " ",
    };
    Line::from(vec![
        glyph,
        Span::styled(a.name.chars().take(NAME).collect::<String>(), t.of(bright)),
        Span::styled(sign, t.of(words::sign(real))),
    ])
}
