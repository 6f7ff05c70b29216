//! The lab: what the last experiment said of the hive against its deaf parts, one account of all voices and
//! one simple rule, whether wrong messages lose it, and beside it the same gauge of this hive as it runs.

use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId};
use crate::tui::interval::{self, Whisker, cells, proven, sure};
use crate::tui::pane::{BACK, ENDS, LEAP, Pane, PaneOutcome, SCROLL, scrolled};
use crate::tui::theme::{StyleRole, Theme};
use crate::tui::words;
use crate::view::Cockpit;
use crate::view::lab::{Between, Finding, LabPage, LabRun, UpliftRow};
use crate::view::link::Request;
use crate::view::{of_emergence, unknown_emergence};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph};

/// From this width on two columns.
const COLUMNS: u16 = 92;
/// From this width of a column on its whole table is shown.
const WIDE: usize = 70;
/// Cells of a name beside a difference, beside a control, and of a system.
const NAMES: (usize, usize, usize) = (8, 15, 14);
/// Most cells of a line around zero; odd, so that zero has a middle.
const LINE_MAX: usize = 41;
/// A result older than this many minutes is said to be old: a month.
const OLD_MIN: u64 = 30 * 24 * 60;
/// In place of a number that the lab could not tell.
const EMPTY: &str = "–";

/// What the lab covers: those keys say that it does.
const BEHIND: [Hint; 2] = [
    (&[UserAction::Open, UserAction::Zoom, UserAction::Sort, UserAction::Filter], "not here"),
    (&[UserAction::PAUSE, UserAction::MUTE, UserAction::FUND], "not here"),
];

type LabLines = Vec<Line<'static>>;

/// The last experiment, in place of the panes.
#[derive(Default)]
pub struct LabLayer {
    /// First line that is shown.
    pub scroll: u16,
}

impl Pane for LabLayer {
    fn id(&self) -> PaneId {
        PaneId("lab")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        let mut keys = vec![SCROLL, LEAP, ENDS, BACK];
        keys.extend(BEHIND);
        keys
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        if let Some(scroll) = scrolled(self.scroll, action) {
            self.scroll = scroll;
        } else if action == UserAction::Back {
            cx.lab = None;
            return PaneOutcome::CloseAndSend(Request::Lab(false));
        } else {
            let back = cx.hint(UserAction::Back);
            cx.say(format!("the lab is open: {back} closes it first"), StyleRole::Dim);
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        self.scroll = draw(frame, cx, self.scroll, area);
    }

    fn covers(&self) -> bool {
        true
    }
}

/// Draws it in place of the panes; the first line that is shown.
fn draw(frame: &mut Frame<'_>, cx: &PaneContext, scroll: u16, area: Rect) -> u16 {
    let t = cx.theme.clone();
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(t.of(StyleRole::Focus))
        .padding(Padding::horizontal(1))
        .title(title(&t, cx.lab.as_ref()))
        .title_bottom(Span::styled(
            format!(" {} ", cx.hints("", &[SCROLL, LEAP, BACK])),
            t.of(StyleRole::Dim),
        ));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inside.width);
    let Some(page) = cx.lab.clone() else {
        frame.render_widget(Paragraph::new("asking the swarm …").style(t.of(StyleRole::Dim)), inside);
        return scroll;
    };
    let Some(run) = &page.run else {
        let (name, wide) = (NAMES.0, width.min(100));
        let scale = scale_of(&[]);
        let now = cx.cockpit.as_ref().map(|c| now(&t, c, scale, name, wide)).unwrap_or_default();
        let lines = [nothing(&t, &page, wide), now].concat();
        return show(frame, cx, scroll, &[(lines, inside)]);
    };
    let two = inside.width >= COLUMNS;
    let column = if two { (width - 3) / 2 } else { width };
    let left = [ladder(&t, run, column), voices(&t, run, column)].concat();
    let held = [against(&t, cx.cockpit.as_ref(), run, column), controls(&t, run, column)].concat();
    let rest = [dose(&t, run, column), meaning(&t, run, column)].concat();
    let head = head(&t, run, &page, width);
    if !two {
        return show(frame, cx, scroll, &[([head, held, left, rest].concat(), inside)]);
    }
    let [top, body] =
        Layout::vertical([Constraint::Length(head.len() as u16), Constraint::Min(1)]).areas(inside);
    let [a, _, b] =
        Layout::horizontal([Constraint::Length(column as u16), Constraint::Length(3), Constraint::Min(1)])
            .areas(body);
    frame.render_widget(Paragraph::new(head), top);
    show(frame, cx, scroll, &[([held, rest].concat(), b), (left, a)])
}

/// Columns that scroll together, as far as the longest goes.
fn show(frame: &mut Frame<'_>, cx: &PaneContext, scroll: u16, columns: &[(LabLines, Rect)]) -> u16 {
    let over = |(lines, at): &(LabLines, Rect)| (lines.len() as u16).saturating_sub(at.height);
    let scroll = scroll.min(columns.iter().map(over).max().unwrap_or(0));
    for (lines, at) in columns {
        let text = Paragraph::new(lines.clone()).style(cx.theme.of(StyleRole::Text));
        // Each stops at its own end.
        frame.render_widget(text.scroll((scroll.min(over(&(lines.clone(), *at))), 0)), *at);
    }
    scroll
}

fn title(t: &Theme, page: Option<&LabPage>) -> Line<'static> {
    let mut spans = vec![Span::styled(" lab ", t.of(StyleRole::Title))];
    if let Some(run) = page.and_then(|p| p.run.as_ref()) {
        let role = if run.age_min > OLD_MIN { StyleRole::Warn } else { StyleRole::Dim };
        spans.push(Span::styled(format!("last run {} ", ago(run.age_min)), t.of(role)));
    }
    Line::from(spans)
}

/// `just now`, `12 min ago`, `3 h ago`, `5 days ago`.
fn ago(minutes: u64) -> String {
    match minutes {
        0 => "just now".to_owned(),
        m if m < 120 => format!("{m} min ago"),
        m if m < 48 * 60 => format!("{} h ago", m / 60),
        m => format!("{} days ago", m / (24 * 60)),
    }
}

fn section(t: &Theme, text: &str) -> Span<'static> {
    Span::styled(text.to_owned(), t.of(StyleRole::Focus))
}

fn wrapped(text: &str, width: usize, style: ratatui::style::Style) -> LabLines {
    words::wrap(text, width.max(8)).into_iter().map(|l| Line::styled(l, style)).collect()
}

/// Nobody asked yet, or the answer cannot be read.
fn nothing(t: &Theme, page: &LabPage, width: usize) -> LabLines {
    let (first, role) = match &page.trouble {
        Some(why) => (why.as_str(), StyleRole::Warn),
        None => ("no experiment was run yet", StyleRole::Title),
    };
    let mut lines = vec![Line::raw("")];
    lines.extend(wrapped(first, width, t.of(role)));
    lines.push(Line::raw(""));
    let what = "Does talking help on this market? The lab runs the same agents deaf, netted, as one account of \
                all voices and as this hive, over the same days and seeds, beside hives that hear wrong \
                messages, and says it with intervals. Type in a shell:";
    lines.extend(wrapped(what, width, t.of(StyleRole::Text)));
    lines.push(Line::raw(""));
    let command = words::wrap(&page.command, width.saturating_sub(4).max(8));
    lines.extend(command.into_iter().map(|l| Line::styled(format!("  {l}"), t.of(StyleRole::Key))));
    lines.push(Line::raw(""));
    lines
}

/// What it says, of what, and what to be wary of.
fn head(t: &Theme, run: &LabRun, page: &LabPage, width: usize) -> LabLines {
    let (mark, role) = match run.finding {
        Finding::Talk => ("▲", StyleRole::Good),
        Finding::Loss => ("▼", StyleRole::Bad),
        Finding::NotTalk | Finding::Unclear => ("◆", StyleRole::Warn),
    };
    let bold = ratatui::style::Modifier::BOLD;
    let mut lines: LabLines =
        wrapped(&format!("{mark} {}", run.headline), width, t.of(role).add_modifier(bold));
    let count = |n: u32, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let facts = format!(
        "{} · {} bars · {} → {} · {} · {} · {}, {} · {} · at {:.0} % volatility · {} tried, {} at held-out data",
        run.feed,
        run.bar,
        run.from,
        run.to,
        count(run.assets, "asset"),
        count(run.seeds, "seed"),
        count(run.agents, "agent"),
        count(run.voices, "voice"),
        run.costs,
        100.0 * run.target_vol,
        count(run.tried, "variant"),
        count(run.looks, "look"),
    );
    lines.extend(wrapped(&facts, width, t.of(StyleRole::Dim)));
    let mut warn = |text: &str| lines.extend(wrapped(text, width, t.of(StyleRole::Warn)));
    if run.reproduction {
        warn("! a reproduction: the mechanism was designed on this data, so it is no evidence");
    }
    match (run.other_roster, run.other_market) {
        (true, true) => warn("! another roster or other settings, and another market, than this hive has"),
        (true, false) => warn("! another roster or other settings than this hive has"),
        (false, true) => warn("! another market than this hive runs on"),
        (false, false) => {}
    }
    if run.other_roster || run.other_market {
        warn(&format!("  of this hive: {}", page.command));
    }
    lines.push(Line::raw(""));
    lines
}

fn of(b: Between) -> Whisker {
    Whisker { from: b.from, here: b.mean, to: b.to }
}

/// One scale for all differences that are shown: as far as those that matter.
fn scale_of(gains: &[UpliftRow]) -> f64 {
    if gains.is_empty() {
        return 2.0;
    }
    interval::reach(gains.iter().flat_map(|g| [g.sharpe.from, g.sharpe.to]))
}

/// Cells of a line around zero beside so many cells of text.
fn line_of(width: usize, text: usize) -> usize {
    let free = width.saturating_sub(text).clamp(7, LINE_MAX);
    free - usize::from(free.is_multiple_of(2))
}

/// `-1       0       +1` over a line around zero.
fn axis(scale: f64, width: usize) -> String {
    let (left, right) = (format!("-{scale}"), format!("+{scale}"));
    let half = (width / 2).saturating_sub(left.chars().count());
    let end = width.saturating_sub(width / 2 + 1 + right.chars().count());
    words::cut(&format!("{left}{}0{}{right}", " ".repeat(half), " ".repeat(end)), width)
}

/// ` +0.31  +0.10 … +0.52`.
fn numbers(t: &Theme, b: Between, role: StyleRole) -> [Span<'static>; 2] {
    [
        Span::styled(format!(" {:>+5.2}", b.mean), t.of(role)),
        Span::styled(format!("  {:>+5.2} … {:>+5.2}", b.from, b.to), t.of(StyleRole::Dim)),
    ]
}

/// The hive against the four, and as it runs.
fn against(t: &Theme, c: Option<&Cockpit>, run: &LabRun, width: usize) -> LabLines {
    let (scale, wide) = (scale_of(&run.gains), width >= WIDE);
    let line = line_of(width, NAMES.0 + 21 + if wide { 19 } else { 0 });
    let dim = t.of(StyleRole::Dim);
    let mut titles = format!("{:<n$}{}   ΔSR  95 %", "", axis(scale, line), n = NAMES.0);
    if wide {
        titles += "           drawdown      won";
    }
    let mut lines = vec![Line::from(section(t, "the hive less …")), Line::styled(titles, dim)];
    for g in &run.gains {
        let role = sure(g.sharpe.from, g.sharpe.to);
        let mut spans = vec![Span::styled(format!("{:<n$}", g.over, n = NAMES.0), t.of(StyleRole::Title))];
        spans.extend(cells(t, of(g.sharpe), (-scale, scale), line, role));
        spans.extend(numbers(t, g.sharpe, role));
        if wide {
            let (fall, better) = match g.drawdown {
                None => (EMPTY.to_owned(), StyleRole::Dim),
                Some(d) => {
                    (format!("{:+.0} %", 100.0 * d), if d <= 0.0 { StyleRole::Good } else { StyleRole::Bad })
                }
            };
            spans.push(Span::styled(format!("  {fall:>8}"), t.of(better)));
            spans.push(Span::styled(format!("  {:>7}", format!("{}/{}", g.won, run.seeds)), dim));
        }
        lines.push(Line::from(spans));
    }
    if let Some(c) = c {
        lines.extend(now(t, c, scale, NAMES.0, width));
    }
    lines.push(Line::raw(""));
    lines
}

/// The gauge of the hive that runs, on the same scale, and what it means.
fn now(t: &Theme, c: &Cockpit, scale: f64, name: usize, width: usize) -> LabLines {
    let line = line_of(width, name + 21 + if width >= WIDE { 19 } else { 0 });
    let mut spans = vec![Span::styled(format!("{:<name$}", "E now"), t.of(StyleRole::Open))];
    let nowhere = Whisker { from: f64::NAN, here: f64::NAN, to: f64::NAN };
    let said = if let Some(e) = c.emergence {
        let b = Between { mean: e.gain, from: e.from, to: e.to };
        let role = proven(e.more, e.less);
        spans.extend(cells(t, of(b), (-scale, scale), line, role));
        spans.extend(numbers(t, b, role));
        let days = words::thousands(f64::from(c.days));
        format!("over alone, {days} days: {}", of_emergence(e.more, e.less))
    } else {
        spans.extend(cells(t, nowhere, (-scale, scale), line, StyleRole::Dim));
        spans.push(Span::styled("     ?", t.of(StyleRole::Dim)));
        format!("this hive over alone: {}", unknown_emergence(c.deaf, c.days))
    };
    // Below its line, unless it is longer than there is room.
    let indent = " ".repeat(name.min(width.saturating_sub(said.chars().count())));
    let said = words::cut(&said, width);
    let mut lines = vec![Line::from(spans), Line::styled(indent + &said, t.of(StyleRole::Dim))];
    // Where it comes from, and what was saved: each on the fewest lines that there is room for.
    let more = c.emergence.map_or_else(Vec::new, |e| {
        vec![
            format!("netting {:+.2}, listening {:+.2}, services {:+.2}", e.netting, e.listening, e.services),
            format!(
                "{} orders wanted, {} sent",
                words::thousands(e.wanted as f64),
                words::thousands(c.account.orders as f64)
            ),
            format!("turnover {:.0} alone, {:.0} together", e.turnover_alone, e.turnover),
        ]
    });
    for text in more {
        let indent = name.min(width.saturating_sub(text.chars().count()));
        lines.push(Line::styled(" ".repeat(indent) + &words::cut(&text, width), t.of(StyleRole::Dim)));
    }
    lines
}

/// Hives with messages that must not help.
fn controls(t: &Theme, run: &LabRun, width: usize) -> LabLines {
    let dim = t.of(StyleRole::Dim);
    let failed = run.controls.iter().filter(|c| !c.pass).count();
    let (text, role) = match (run.controls.len(), failed) {
        (0, _) => ("none was run".to_owned(), StyleRole::Warn),
        (n, 0) => (format!("all {n} pass"), StyleRole::Good),
        (n, f) => (format!("{f} of {n} fail"), StyleRole::Bad),
    };
    let mut lines = vec![Line::from(vec![
        section(t, "less itself with wrong messages  "),
        Span::styled(text, t.of(role)),
    ])];
    if run.controls.is_empty() {
        lines.push(Line::raw(""));
        return lines;
    }
    // On the scale of what they are held against; what goes further ends in an arrow.
    let scale = scale_of(&run.gains);
    let wide = width >= WIDE;
    let line = line_of(width, NAMES.1 + 13 + if wide { 23 } else { 0 });
    let titles = if wide { "   ΔSR  95 %            keeps" } else { "   ΔSR" };
    lines.push(Line::styled(format!("{:<n$}{}{titles}", "", axis(scale, line), n = NAMES.1), dim));
    for c in &run.controls {
        let role = match (c.pass, c.walk) {
            (true, true) => StyleRole::Dim,
            (true, false) => StyleRole::Good,
            _ => StyleRole::Bad,
        };
        let name = if c.walk { "random walk*" } else { c.name.as_str() };
        let name = words::cut(name, NAMES.1 - 1);
        let mut spans = vec![Span::styled(format!("{name:<n$}", n = NAMES.1), t.of(StyleRole::Text))];
        spans.extend(cells(t, of(c.shown), (-scale, scale), line, role));
        let [mean, interval] = numbers(t, c.shown, role);
        spans.push(mean);
        if wide {
            let keeps = c.keeps.map_or_else(|| EMPTY.to_owned(), |k| format!("{:.0} %", 100.0 * k));
            spans.extend([interval, Span::styled(format!(" {keeps:>7}"), dim)]);
        }
        let (word, role) = if c.pass { ("✓ pass", StyleRole::Good) } else { ("✗ FAIL", StyleRole::Bad) };
        spans.push(Span::styled(format!(" {word}"), t.of(role)));
        lines.push(Line::from(spans));
    }
    if run.controls.iter().any(|c| c.walk) {
        let note = "* its own gain where nobody has an edge: must cover 0";
        lines.extend(wrapped(note, width, dim));
    }
    lines.push(Line::raw(""));
    lines
}

/// As it is written, or a dash where the lab could not tell it.
fn or_empty(x: Option<f64>, written: impl Fn(f64) -> String) -> String {
    x.map_or_else(|| EMPTY.to_owned(), written)
}

/// Where the lines of Sharpe ratios lie: all of them, and zero.
fn sharpes(run: &LabRun) -> (f64, f64) {
    let rungs = run.ladder.iter().filter_map(|r| Some((r.sharpe?, r.seed_sd)));
    let all = rungs.chain(run.voices_curve.iter().map(|v| (v.sharpe, v.seed_sd)));
    let ends: Vec<f64> =
        all.map(|(s, sd)| (s, sd.unwrap_or(0.0))).flat_map(|(s, sd)| [s - sd, s + sd]).chain([0.0]).collect();
    words::bounds(&ends)
}

/// Cells of a line of a Sharpe ratio; none where there is no room.
fn sharpe_line(width: usize) -> usize {
    let text = NAMES.2 + 32 + if width >= WIDE { 8 } else { 0 };
    let free = width.saturating_sub(text + 1);
    if free < 6 { 0 } else { free.min(LINE_MAX) }
}

/// A mean with its standard deviation, on a line where there is room for one.
fn sharpe(
    t: &Theme,
    (mean, sd): (Option<f64>, Option<f64>),
    bounds: (f64, f64),
    width: usize,
    role: StyleRole,
) -> Vec<Span<'static>> {
    let line = sharpe_line(width);
    let (here, half) = (mean.unwrap_or(f64::NAN), sd.unwrap_or(0.0));
    let w = Whisker { from: here - half, here, to: here + half };
    let mut spans = if line > 0 { cells(t, w, bounds, line, role) } else { Vec::new() };
    spans.push(Span::styled(format!(" {:>6}", or_empty(mean, |m| format!("{m:.2}"))), t.of(role)));
    let sd = or_empty(sd, |sd| format!("±{sd:.2}"));
    spans.push(Span::styled(format!(" {sd:>5}"), t.of(StyleRole::Dim)));
    spans
}

/// All systems, the hive and those it is held against brighter.
fn ladder(t: &Theme, run: &LabRun, width: usize) -> LabLines {
    let (bounds, wide) = (sharpes(run), width >= WIDE);
    let growth = if wide { "  growth" } else { "" };
    let line = sharpe_line(width);
    let zero =
        interval::cell_of_zero(bounds, line).map(|at| format!("{:>n$}", 0, n = at + 1)).unwrap_or_default();
    let titles = format!("{:<n$}{zero:<line$} Sharpe    sd  drawdown turnover{growth}", "", n = NAMES.2);
    let mut lines = vec![Line::from(section(t, "the ladder")), Line::styled(titles, t.of(StyleRole::Dim))];
    for r in &run.ladder {
        let (name, ink) = match () {
            () if r.name == "hive" => (StyleRole::Focus, StyleRole::Real),
            () if run.gains.iter().any(|g| g.over == r.name) => (StyleRole::Title, StyleRole::Open),
            () => (StyleRole::Dim, StyleRole::Dim),
        };
        let shown = words::cut(&r.name, NAMES.2 - 1);
        let mut spans = vec![Span::styled(format!("{shown:<n$}", n = NAMES.2), t.of(name))];
        spans.extend(sharpe(t, (r.sharpe, r.seed_sd), bounds, width, ink));
        let number = if name == StyleRole::Dim { StyleRole::Dim } else { StyleRole::Text };
        let drawdown = or_empty(r.drawdown, |d| format!("{:.1} %", 100.0 * d));
        spans.push(Span::styled(format!("  {drawdown:>8}"), t.of(number)));
        spans.push(Span::styled(
            format!(" {:>8}", or_empty(r.turnover, |x| format!("{x:.1}×"))),
            t.of(number),
        ));
        if wide {
            let growth = or_empty(r.growth, |g| format!("{:+.1} %", 100.0 * g));
            spans.push(Span::styled(format!(" {growth:>7}"), t.of(number)));
        }
        lines.push(Line::from(spans));
    }
    lines.push(Line::raw(""));
    lines
}

/// More voices in one account, in the columns of the ladder.
fn voices(t: &Theme, run: &LabRun, width: usize) -> LabLines {
    if run.voices_curve.is_empty() {
        return Vec::new();
    }
    let values: Vec<f64> = run.voices_curve.iter().map(|v| v.sharpe).collect();
    let spark = words::spark(&values, words::bounds(&values), values.len());
    let mut lines = vec![Line::from(vec![
        section(t, "more voices in one account  "),
        Span::styled(spark, t.of(StyleRole::Open)),
    ])];
    for v in &run.voices_curve {
        let mut spans = vec![Span::styled(
            format!("{:<n$}", format!("{:>4} voices", v.voices), n = NAMES.2),
            t.of(StyleRole::Text),
        )];
        spans.extend(sharpe(t, (Some(v.sharpe), v.seed_sd), sharpes(run), width, StyleRole::Open));
        spans.push(Span::styled(format!("{:>10} {:>7.1}×", "", v.turnover), t.of(StyleRole::Dim)));
        lines.push(Line::from(spans));
    }
    lines.push(Line::raw(""));
    lines
}

/// What comes of listening more, without points and managers.
fn dose(t: &Theme, run: &LabRun, width: usize) -> LabLines {
    // Deaf is the baseline itself.
    let steps: Vec<_> = run.dose.iter().filter(|d| d.listens > 0.0).collect();
    if steps.is_empty() {
        return Vec::new();
    }
    let values: Vec<f64> = run.dose.iter().map(|d| d.sharpe).collect();
    let spark = words::spark(&values, words::bounds(&values), values.len());
    let (scale, wide) = (scale_of(&run.gains), width >= WIDE);
    let line = line_of(width, NAMES.0 + 21 + if wide { 19 } else { 0 });
    let mut lines = vec![Line::from(vec![
        section(t, "everybody listens λ, less net-eq  "),
        Span::styled(spark, t.of(StyleRole::Open)),
    ])];
    for d in steps {
        let role = sure(d.over.from, d.over.to);
        let mut spans = vec![Span::styled(
            format!("{:<n$}", format!("λ {:.2}", d.listens), n = NAMES.0),
            t.of(StyleRole::Text),
        )];
        spans.extend(cells(t, of(d.over), (-scale, scale), line, role));
        spans.extend(numbers(t, d.over, role));
        if wide {
            spans.push(Span::styled(format!("  Sharpe {:>5.2}", d.sharpe), t.of(StyleRole::Dim)));
        }
        lines.push(Line::from(spans));
    }
    lines.push(Line::raw(""));
    lines
}

fn meaning(t: &Theme, run: &LabRun, width: usize) -> LabLines {
    let mut lines = vec![Line::from(section(t, "in words"))];
    if run.luck > 0.0 {
        let luck = format!(
            "The best of {} worthless variants would show about {:+.2} by luck: subtract it before believing.",
            run.tried, run.luck
        );
        lines.extend(wrapped(&luck, width, t.of(StyleRole::Warn)));
        lines.push(Line::raw(""));
    }
    for paragraph in &run.words {
        lines.extend(wrapped(paragraph, width, t.of(StyleRole::Text)));
        lines.push(Line::raw(""));
    }
    lines
}
