//! The agent page: who it is, what is open and under which conditions, and why.

use crate::domain::{AgentId, MessageId, money};
use crate::tui::action::UserAction;
use crate::tui::candles::{CLOSER, ChartCursor};
use crate::tui::context::{Hint, PaneContext, PaneId, moved};
use crate::tui::pane::{BACK, LEAP, Pane, PaneOutcome, scrolled, step_of};
use crate::tui::panes::{agents, points};
use crate::tui::raster::Raster;
use crate::tui::theme::{StyleRole, Theme};
use crate::tui::{candles, lines, words};
use crate::view::AgentPage;
use crate::view::cockpit::{EdgeRow, IntentView, PackageLife, PackageView};
use crate::view::link::Request;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph, Wrap};
use std::cmp::Reverse;

/// From this width on three columns, and two.
const COLUMNS: (u16, u16) = (140, 94);
/// Lines of the chart: the least, and the most where there is room for more.
const CHART: (usize, usize) = (9, 20);
/// Influences that are named on each side.
const NAMED: usize = 6;
/// Stances that are told.
const TOLD: usize = 4;

type PageLines<'a> = Vec<Line<'a>>;

/// The keys of the page: other agents are an arrow away, and the chart has a cursor of its own.
const AGENT: Hint = (&[UserAction::Up, UserAction::Down], "another agent");
const ENDS: Hint = (&[UserAction::First, UserAction::Last, UserAction::Open], "another agent");
const CANDLE: Hint = (&[UserAction::LastPane, UserAction::NextPane], "candle");
const CLOSER_LOOK: Hint = (&[UserAction::Zoom], "closer");

/// The page of the agent that is open.
#[derive(Default)]
pub struct PageLayer {
    /// First line that is shown.
    pub scroll: u16,
    /// How the chart of what is open is looked at.
    pub chart: ChartCursor,
}

impl Pane for PageLayer {
    fn id(&self) -> PaneId {
        PaneId("page")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        vec![AGENT, LEAP, ENDS, CANDLE, CLOSER_LOOK, BACK]
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        match action {
            UserAction::PageUp | UserAction::PageDown => {
                self.scroll = scrolled(self.scroll, action).unwrap_or_default();
            }
            UserAction::NextPane | UserAction::LastPane => {
                self.step_candle(bars(cx), action == UserAction::LastPane);
            }
            UserAction::Zoom => self.chart.closer = (self.chart.closer + 1) % CLOSER,
            UserAction::Back if self.chart.candle.take().is_some() => {}
            UserAction::Back => {
                (cx.open, cx.page) = (None, None);
                // Of the past no page is sent that was not asked for.
                let now = cx.is_now();
                return if now { PaneOutcome::CloseAndSend(Request::Look(None)) } else { PaneOutcome::Close };
            }
            _ => {
                if let Some((down, by)) = step_of(action) {
                    step_agent(cx, down, by);
                }
                return cx.agent().map_or(PaneOutcome::Done, |a| PaneOutcome::Open(a.id, None));
            }
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        draw(frame, cx, self, area);
    }

    fn covers(&self) -> bool {
        true
    }

    fn on_wheel(&mut self, _: &mut PaneContext, down: bool) -> PaneOutcome {
        self.scroll = if down { self.scroll.saturating_add(1) } else { self.scroll.saturating_sub(1) };
        PaneOutcome::Done
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        let page = cx.page.as_ref().filter(|p| cx.open.is_some_and(|(id, _)| id == p.row.id));
        page.map(|p| lines::page(p).join("\n"))
    }
}

impl PageLayer {
    /// The page of another agent, from its top and as close as this one.
    #[must_use]
    pub fn of_another(&self) -> PageLayer {
        PageLayer { scroll: 0, chart: ChartCursor { candle: None, ..self.chart } }
    }

    /// The chart's cursor to an older candle or a newer one; beyond the newest it goes.
    fn step_candle(&mut self, bars: usize, older: bool) {
        self.chart.candle = match self.chart.candle {
            None if bars > 0 => Some(if older { 0 } else { bars - 1 }),
            Some(0) if !older => None,
            at => at.map(|at| moved(at, older, 1, bars)),
        };
    }
}

/// Another agent, in the order of the pane that the focus is on.
fn step_agent(cx: &mut PaneContext, down: bool, by: usize) {
    let rows = if cx.focus == points::ID { points::by_contribution(cx) } else { cx.agents() };
    let rows: Vec<AgentId> = rows.iter().map(|a| a.id).collect();
    cx.selected = agents::step(&rows, cx.selected, down, by);
}

/// Bars of the chart on the open page.
fn bars(cx: &PaneContext) -> usize {
    cx.page.as_ref().and_then(|p| p.intents.first()).map_or(0, |i| i.bars.len())
}

/// Draws the page of the agent that is open.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, view: &PageLayer, area: Rect) {
    let t = &cx.theme;
    let Some((id, decision)) = cx.open else { return };
    let name = cx.row(id).map(|a| format!("{} {}", a.family.glyph(), a.name)).unwrap_or_default();
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(t.of(StyleRole::Focus))
        .padding(Padding::horizontal(1))
        .title(Span::styled(format!(" {name} "), t.of(StyleRole::Title)))
        .title_bottom(Span::styled(format!(" {} ", hints(cx, area.width)), t.of(StyleRole::Dim)));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    // A page that is on its way is not the page of another agent.
    let Some(page) = cx.page.as_ref().filter(|p| p.row.id == id) else {
        return frame.render_widget(Paragraph::new("asking the swarm …").style(t.of(StyleRole::Dim)), inside);
    };
    let show = |frame: &mut Frame<'_>, lines: PageLines<'_>, at: Rect| {
        let text = Paragraph::new(lines).wrap(Wrap { trim: false }).style(t.of(StyleRole::Text));
        frame.render_widget(text.scroll((view.scroll, 0)), at);
    };
    let gap = Constraint::Length(3);
    let wide = |r: Rect| usize::from(r.width);
    // Why it holds what it holds, and whom it hears.
    let company = |w| {
        [reasons(cx, page, decision, w), deeds(t, page, w), relations(t, page), influence(cx, page)].concat()
    };
    if inside.width >= COLUMNS.0 {
        let [a, _, b, _, c] = Layout::horizontal([
            Constraint::Length(40),
            gap,
            Constraint::Fill(58),
            gap,
            Constraint::Fill(47),
        ])
        .areas(inside);
        let w = wide(a);
        let parts = [head(t, page, w), serves(t, page, w), lives(t, page, w), character(t, page, w)];
        show(frame, parts.concat(), a);
        show(frame, company(wide(b)), b);
        let high = (usize::from(inside.height) / 4).clamp(CHART.0, CHART.1);
        show(frame, open(t, view.chart, page, wide(c), high), c);
    } else if inside.width >= COLUMNS.1 {
        let [a, _, b] = Layout::horizontal([Constraint::Fill(5), gap, Constraint::Fill(6)]).areas(inside);
        let w = wide(a);
        let parts = [
            head(t, page, w),
            serves(t, page, w),
            lives(t, page, w),
            open(t, view.chart, page, w, CHART.0),
            character(t, page, w),
        ];
        show(frame, parts.concat(), a);
        show(frame, company(wide(b)), b);
    } else {
        // In one column the reasons come before the character: they are what the page is for.
        let w = wide(inside);
        let parts = [
            head(t, page, w),
            serves(t, page, w),
            reasons(cx, page, decision, w),
            open(t, view.chart, page, w, CHART.0),
            lives(t, page, w.min(48)),
            deeds(t, page, w),
            relations(t, page),
            influence(cx, page),
            character(t, page, w),
        ];
        show(frame, parts.concat(), inside);
    }
}

fn section(t: &Theme, text: &'static str) -> Line<'static> {
    Line::styled(text, t.of(StyleRole::Focus))
}

fn head<'a>(t: &Theme, p: &'a AgentPage, width: usize) -> PageLines<'a> {
    let (row, dim) = (&p.row, t.of(StyleRole::Dim));
    let pair = |name: &'static str, value: String| vec![Span::styled(name, dim), Span::raw(value)];
    let holds = if row.position.is_empty() { "nothing".to_owned() } else { row.position.clone() };
    let funds = words::thousands(money::to_estimate(row.funds));
    let until = row.until.map(words::moment).and_then(|m| m.get(..10).map(|d| format!(" until {d}")));
    let until = until.unwrap_or_default();
    let voice = if row.voice > 0.0 { format!("{:.2}", row.voice) } else { "not heard".to_owned() };
    let on = if row.assets.is_empty() { "nothing yet: the feed lacks what it needs" } else { &row.assets };
    let fact = |name: &'static str, value: &str| {
        hanging(vec![Span::styled(name, dim)], value, t.of(StyleRole::Text), width)
    };
    let mut lines = vec![
        Line::from(vec![
            Span::styled(words::mark(row.state), t.of(words::state(row.state))),
            Span::styled(format!(" {}{until}", row.state.text()), t.of(words::state(row.state))),
            Span::styled(format!("  {}", row.family.label()), t.of(StyleRole::Title)),
            Span::styled(format!(", a {}", p.personality), dim),
        ]),
        Line::from(
            pair("sides ", format!("{}  ", p.side))
                .into_iter()
                .chain(pair("for ", words::letters(row.goal).to_owned()))
                .collect::<Vec<_>>(),
        ),
    ];
    let sent = format!("{} messages, {} trades", words::thousands(p.sent as f64), p.trades);
    for (name, value) in [
        ("on    ", on),
        ("funds ", &funds),
        ("holds ", &holds),
        ("sent  ", &sent),
        ("voice ", &format!("{voice}, {} of all influence", words::percent(row.influence))),
        ("heard ", &format!("moved by {} messages", words::thousands(p.acted_on as f64))),
    ] {
        lines.extend(fact(name, value));
    }
    lines.push(Line::raw(""));
    lines
}

fn lives<'a>(t: &Theme, p: &'a AgentPage, width: usize) -> PageLines<'a> {
    let mut lines = vec![section(t, "three lives")];
    let real = money::to_estimate(p.row.real);
    let of = [
        ("real", real, StyleRole::Real),
        ("open", p.row.open, StyleRole::Open),
        ("alone", p.row.alone, StyleRole::Alone),
    ];
    let line = |gain: fn(f64) -> String| {
        let pair = |(name, value, ink): (&str, f64, StyleRole)| {
            [
                Span::styled(format!("━{name} "), t.of(ink)),
                Span::styled(format!("{} ", gain(value)), t.of(words::sign(value))),
            ]
        };
        Line::from(of.into_iter().flat_map(pair).collect::<Vec<_>>())
    };
    // Whole numbers where they fit, else shorter ones.
    let long = line(words::gain_cell);
    lines.push(if long.width() <= width + 1 { long } else { line(words::short_cell) });
    let all: Vec<f64> = [&p.alone, &p.open, &p.real].into_iter().flatten().copied().chain([0.0]).collect();
    if p.real.len() > 1 {
        let bounds = words::bounds(&all);
        let mut raster = Raster::new(width.min(44) as u16, 5);
        let (across, down) = (raster.across() as i32, raster.down() as f64 - 1.0);
        let zero = (bounds.1 / (bounds.1 - bounds.0) * down).round() as i32;
        (0..across).filter(|x| x % 4 == 0).for_each(|x| raster.dot(x, zero, StyleRole::Faint));
        raster.curve(&p.alone, bounds, StyleRole::Alone);
        raster.curve(&p.open, bounds, StyleRole::Open);
        raster.curve(&p.real, bounds, StyleRole::Real);
        lines.extend(raster.lines(t));
    }
    let bounds = (33.0, 200.0);
    lines.push(Line::from(vec![
        Span::styled("points ", t.of(StyleRole::Dim)),
        Span::styled(words::spark(&p.points, bounds, 24), t.of(StyleRole::Open)),
        Span::styled(format!(" {:.0}", 100.0 * p.row.points), t.of(StyleRole::Title)),
    ]));
    lines.push(Line::raw(""));
    lines
}

fn character<'a>(t: &Theme, p: &'a AgentPage, width: usize) -> PageLines<'a> {
    let mut lines = vec![section(t, "character")];
    let cells = width.saturating_sub(20).clamp(6, 20);
    for bar in &p.traits {
        let (low, high) = bar.bounds;
        let (full, rest) = words::bar((bar.value - low) / (high - low), cells);
        lines.push(Line::from(vec![
            Span::styled(format!("{:<12}", bar.name), t.of(StyleRole::Dim)),
            Span::styled(full, t.of(StyleRole::Open)),
            Span::styled(rest, t.of(StyleRole::Faint)),
            Span::raw(format!(" {:>5.2}", bar.value)),
        ]));
    }
    lines
}

/// What it does for the desk, and what that was worth.
fn serves<'a>(t: &Theme, p: &'a AgentPage, width: usize) -> PageLines<'a> {
    let mut lines = Vec::new();
    for s in &p.services {
        if lines.is_empty() {
            lines.push(section(t, "for the desk"));
        }
        lines.extend(
            words::wrap(&s.deed(), width).into_iter().map(|l| Line::styled(l, t.of(StyleRole::Text))),
        );
        lines.push(Line::from(vec![
            Span::styled(words::gain_fine(s.today), t.of(words::sign_fine(s.today))),
            Span::styled(" today, ", t.of(StyleRole::Dim)),
            Span::styled(words::gain_fine(s.total), t.of(words::sign_fine(s.total))),
            Span::styled(" in all", t.of(StyleRole::Dim)),
        ]));
    }
    if !lines.is_empty() {
        lines.push(Line::raw(""));
    }
    lines
}

/// The keys of the page, as many as fit; those of the chart only once there is one, as they do nothing before.
fn hints(cx: &PaneContext, width: u16) -> String {
    let all = cx.hints("", &[AGENT, LEAP, CANDLE, CLOSER_LOOK, BACK]);
    let fits = all.chars().count() + 8 <= usize::from(width);
    if fits && bars(cx) > 0 { all } else { cx.hints("", &[AGENT, LEAP, BACK]) }
}

fn open<'a>(t: &Theme, look: ChartCursor, p: &'a AgentPage, width: usize, rows: usize) -> PageLines<'a> {
    let dim = t.of(StyleRole::Dim);
    let mut lines = vec![section(t, "open and offered")];
    if p.intents.is_empty() && p.packages.is_empty() {
        lines.push(Line::styled("nothing", dim));
    }
    for (n, package) in p.packages.iter().enumerate() {
        if n > 0 {
            lines.push(Line::raw(""));
        }
        lines.extend(legs(t, package, width));
    }
    for (n, i) in p.intents.iter().enumerate() {
        if n > 0 {
            lines.push(Line::raw(""));
        }
        lines.push(intent(t, i));
        // One chart: of what is open, if anything is.
        if n == 0 {
            lines.extend(candles::lines(t, i, width, rows, look));
            if let Some(told) = candles::crowd_words(i) {
                lines.extend(hanging(vec![Span::raw("  ")], &told, t.of(StyleRole::Dim), width));
            }
            lines.extend(look.candle.map(|c| candles::values(t, i, c)).unwrap_or_default());
        }
        for (name, condition) in &i.conditions {
            let head = Span::styled(format!("  {name:<9}"), dim);
            lines.extend(hanging(vec![head], condition, t.of(StyleRole::Text), width));
        }
    }
    lines.push(Line::raw(""));
    lines
}

/// What others made its open lives do last.
fn deeds<'a>(t: &Theme, p: &'a AgentPage, width: usize) -> PageLines<'a> {
    if p.deeds.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![section(t, "what others made it do")];
    for deed in &p.deeds {
        let when = format!("{} {} #{} ", words::moment(deed.at), deed.asset, deed.message.0);
        lines.push(Line::styled(when, t.of(StyleRole::Dim)));
        lines.extend(hanging(vec![Span::raw("  ")], &deed.text, t.of(StyleRole::Text), width));
    }
    lines.push(Line::raw(""));
    lines
}

/// Text that goes on below itself, not below its head.
fn hanging<'a>(head: Vec<Span<'a>>, text: &str, style: ratatui::style::Style, width: usize) -> PageLines<'a> {
    let indent: usize = head.iter().map(Span::width).sum();
    let mut parts = words::wrap(text, width.saturating_sub(indent).max(8)).into_iter();
    let mut first = head;
    first.push(Span::styled(parts.next().unwrap_or_default(), style));
    let rest = parts.map(|p| Line::styled(" ".repeat(indent) + &p, style));
    std::iter::once(Line::from(first)).chain(rest).collect()
}

/// A package: how it stands, and each of its legs.
fn legs<'a>(t: &Theme, p: &'a PackageView, width: usize) -> PageLines<'a> {
    let dim = t.of(StyleRole::Dim);
    let (mark, role) = match p.side {
        x if x > 0.0 => ("▲ long", StyleRole::Good),
        x if x < 0.0 => ("▼ short", StyleRole::Bad),
        _ => ("·", StyleRole::Dim),
    };
    let ink = match p.life {
        PackageLife::Real => StyleRole::Real,
        PackageLife::Open => StyleRole::Open,
        PackageLife::Alone => StyleRole::Alone,
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} ", p.asset), t.of(StyleRole::Title)),
        Span::styled(format!("{} ", p.life.text()), t.of(ink)),
        Span::styled(format!("{mark} "), t.of(role)),
        Span::styled(p.state.text(), dim),
        Span::styled(format!("  {}", words::gain_fine(p.gain)), t.of(words::sign_fine(p.gain))),
    ])];
    for leg in &p.legs {
        let worth = leg.value.map_or(String::new(), |v| format!(" = {}", words::thousands(leg.held * v)));
        let mut text = format!("{}{worth}", quantity(leg.held));
        if leg.wanted != 0.0 && leg.wanted != leg.held {
            text = format!("{text}, wants {}", quantity(leg.wanted));
        }
        if leg.working != 0.0 {
            text = format!("{text}, orders {}", quantity(leg.working));
        }
        let head = Span::styled(format!("  {:<18} ", leg.instrument), dim);
        lines.extend(hanging(vec![head], &text, t.of(StyleRole::Text), width));
    }
    lines
}

/// A signed quantity of base units, in as few digits as tell it.
fn quantity(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{:+}", (x * 1e6).round() / 1e6) }
}

fn intent<'a>(t: &Theme, i: &'a IntentView) -> Line<'a> {
    let (what, role) = match i.intent {
        x if x > 0.0 => (format!("▲ long {x:.2}× of its capital"), StyleRole::Good),
        x if x < 0.0 => (format!("▼ short {:.2}× of its capital", -x), StyleRole::Bad),
        _ => ("flat, would take it up again".to_owned(), StyleRole::Dim),
    };
    Line::from(vec![
        Span::styled(format!("{} ", i.asset), t.of(StyleRole::Title)),
        Span::styled(what, t.of(role)),
        Span::styled(i.message.map(|m| format!(" · #{}", m.0)).unwrap_or_default(), t.of(StyleRole::Dim)),
    ])
}

fn why<'a>(cx: &PaneContext, p: &'a AgentPage, decision: Option<MessageId>, width: usize) -> PageLines<'a> {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let mut lines = vec![section(t, "why")];
    if p.why.is_empty() {
        let text = match () {
            () if p.row.family.is_structured() => "no stances: it trades structures, not views",
            () if cx.cockpit.as_ref().is_some_and(|c| c.deaf) => "it hears nobody: its own intent is all",
            () => "it has made no stance yet",
        };
        lines.push(Line::styled(text, dim));
    }
    let asked = decision.filter(|d| d.0 > 0);
    let is_told =
        |d: &MessageId| p.why.iter().any(|w| w.message == *d) || p.rules.iter().any(|r| r.last == *d);
    if let Some(d) = asked.filter(|d| !is_told(d)) {
        lines.extend(older(cx, d, width));
    }
    // The decision that was asked for stands first.
    let mut told: Vec<_> = p.why.iter().collect();
    told.sort_by_key(|w| Some(w.message) != asked);
    for (n, w) in told.into_iter().enumerate().take(TOLD) {
        if n > 0 {
            lines.push(Line::raw(""));
        }
        let mark = if Some(w.message) == asked { "▸ " } else { "" };
        let mut head = vec![
            Span::styled(mark, t.of(StyleRole::Focus)),
            Span::styled(format!("{} ", w.asset), t.of(StyleRole::Title)),
            Span::styled(format!("{} ", w.verb), t.of(StyleRole::Open)),
            Span::styled(
                format!("{:+.2} % → {:+.2} %", 100.0 * w.own, 100.0 * w.result),
                t.of(StyleRole::Title),
            ),
        ];
        // When, as far as there is room for it.
        let (when, used) = (words::moment(w.at), head.iter().map(Span::width).sum::<usize>());
        let number = format!("  #{}", w.message.0);
        let ends =
            [format!("{number} {when}"), format!("{number} {}", when.get(5..).unwrap_or_default()), number];
        let end = ends.into_iter().find(|e| used + e.chars().count() <= width);
        head.push(Span::styled(end.unwrap_or_default(), dim));
        lines.push(Line::from(head));
        for (k, f) in w.factors.iter().enumerate() {
            let branch = if k + 1 == w.factors.len() && w.because.is_empty() { "└ " } else { "├ " };
            lines
                .push(Line::from(vec![Span::styled(branch, t.of(StyleRole::Border)), Span::raw(f.as_str())]));
        }
        lines.extend(because(t, &w.because, width));
    }
    lines.push(Line::raw(""));
    lines
}

/// The messages that something came of, the last one closing the branch.
fn because<'a>(t: &Theme, causes: &'a [(MessageId, String)], width: usize) -> PageLines<'a> {
    let line = |(k, (id, text)): (usize, &'a (MessageId, String))| {
        let branch = if k + 1 == causes.len() { "└ " } else { "├ " };
        let head = vec![
            Span::styled(branch, t.of(StyleRole::Border)),
            Span::styled(format!("because of #{} ", id.0), t.of(StyleRole::Open)),
        ];
        hanging(head, text, t.of(StyleRole::Text), width)
    };
    causes.iter().enumerate().flat_map(line).collect()
}

/// Why it holds what it holds, and what it lives by: what was asked for comes first.
fn reasons<'a>(cx: &PaneContext, p: &'a AgentPage, asked: Option<MessageId>, width: usize) -> PageLines<'a> {
    let (stances, rules) = (why(cx, p, asked, width), lives_by(&cx.theme, p, asked, width));
    let is_deed = p.rules.iter().any(|r| r.last.0 > 0 && Some(r.last) == asked);
    if is_deed { [rules, stances].concat() } else { [stances, rules].concat() }
}

/// The rules that it lives by, those that acted last first, each with its last deed and whose words moved it.
fn lives_by<'a>(t: &Theme, p: &'a AgentPage, asked: Option<MessageId>, width: usize) -> PageLines<'a> {
    let dim = t.of(StyleRole::Dim);
    let mut lines = vec![section(t, "lives by")];
    if p.rules.is_empty() {
        lines.push(Line::styled("no reaction: what others do changes nothing here", dim));
    }
    let mut told: Vec<_> = p.rules.iter().collect();
    told.sort_by_key(|r| (Some(r.last).filter(|d| d.0 > 0) != asked || asked.is_none(), Reverse(r.last)));
    for rule in told {
        let times = match rule.deeds {
            0 => ", never yet".to_owned(),
            n => format!(", {} ×", words::thousands(n as f64)),
        };
        lines.push(Line::from(vec![
            Span::styled(rule.name.as_str(), t.of(StyleRole::Open)),
            Span::styled(times, dim),
        ]));
        lines.extend(hanging(vec![Span::raw("  ")], &rule.sentence, t.of(StyleRole::Text), width));
        if rule.last.0 == 0 {
            continue;
        }
        let mark = if Some(rule.last) == asked { StyleRole::Focus } else { StyleRole::Border };
        let last = format!("{} {}", rule.asset, rule.did);
        let head = vec![Span::styled("├ ", t.of(mark)), Span::styled(format!("#{} ", rule.last.0), dim)];
        lines.extend(hanging(head, &last, t.of(StyleRole::Text), width));
        lines.extend(because(t, &rule.because, width));
    }
    lines.push(Line::raw(""));
    lines
}

/// A decision after which others were made: what it said, if that is remembered, above those that hold now.
fn older<'a>(cx: &PaneContext, asked: MessageId, width: usize) -> PageLines<'a> {
    let t = &cx.theme;
    let head = |text: String| vec![Span::styled(text, t.of(StyleRole::Focus))];
    let remembered = cx.cockpit.iter().flat_map(|c| &c.messages).find(|m| m.id == asked);
    let mut lines = remembered.map_or_else(Vec::new, |m| {
        let text = format!("{} {}, {}", m.asset, m.text, words::moment(m.at));
        hanging(head(format!("▸ #{} ", asked.0)), &text, t.of(StyleRole::Text), width)
    });
    let text = match remembered {
        Some(_) => "it decided anew since; what holds now:".to_owned(),
        None => format!("#{} is no longer remembered; what holds now:", asked.0),
    };
    lines.push(Line::styled(text, t.of(StyleRole::Warn)));
    lines.push(Line::raw(""));
    lines
}

/// What acting on whose words was worth; nothing where it has acted on none.
fn relations<'a>(t: &Theme, p: &'a AgentPage) -> PageLines<'a> {
    if p.relations.is_empty() {
        return Vec::new();
    }
    let dim = t.of(StyleRole::Dim);
    let mut lines = vec![section(t, "acting on words of: worth · one more")];
    lines.extend(p.relations.iter().map(|r| {
        Line::from(vec![
            Span::styled(format!("{:<11}", r.from), t.of(StyleRole::Title)),
            Span::styled(format!("{:<9}", r.kind), dim),
            Span::raw(format!("{:>5.1}×", r.deeds)),
            Span::styled(format!(" {:>+7.1} bp", r.worth_bp), t.of(words::sign(r.worth_bp))),
            Span::styled(format!(" {:>+6.2}", r.trust_bp), dim),
        ])
    }));
    lines.push(Line::raw(""));
    lines
}

fn influence<'a>(cx: &PaneContext, p: &'a AgentPage) -> PageLines<'a> {
    let t = &cx.theme;
    let mut lines = Vec::new();
    for (title, edges, voice) in [("moved by", &p.received, true), ("moves", &p.given, false)] {
        lines.push(section(t, title));
        if edges.is_empty() {
            lines.push(Line::styled("nobody", t.of(StyleRole::Dim)));
        }
        lines.extend(edges.iter().take(NAMED).map(|e| edge(cx, e, voice)));
        if edges.len() > NAMED {
            lines.push(Line::styled(format!("and {} more", edges.len() - NAMED), t.of(StyleRole::Dim)));
        }
        lines.push(Line::raw(""));
    }
    lines
}

fn edge<'a>(cx: &PaneContext, e: &'a EdgeRow, voice: bool) -> Line<'a> {
    let t = &cx.theme;
    let who =
        if voice { e.from_name.clone() } else { cx.row(e.to).map(|a| a.name.clone()).unwrap_or_default() };
    let (full, rest) = words::bar(e.share, 10);
    Line::from(vec![
        Span::styled(format!("{who:<11}"), t.of(StyleRole::Title)),
        Span::styled(format!("{:<6}", e.asset), t.of(StyleRole::Dim)),
        Span::styled(full, t.of(StyleRole::Open)),
        Span::styled(rest, t.of(StyleRole::Faint)),
        Span::raw(format!(" {:>4.1} %", 100.0 * e.share)),
        if e.rule.is_empty() {
            Span::styled(format!(" {:>8}", words::gain_cell(e.value)), t.of(words::sign(e.value)))
        } else {
            Span::styled(format!(" {}", e.rule), t.of(StyleRole::Open))
        },
    ])
}
