//! The first three lines: where and when, how much, and a rule whose stroke is the market's mode, or the
//! banner that says what is the matter and what to do.

use super::action::UserAction;
use super::context::{Connection, PaneContext, PaneId};
use super::theme::{StyleRole, Theme};
use super::{moment, words};
use crate::domain::{LiveLinks, money};
use crate::view::Cockpit;
use crate::view::cockpit::{AccountView, MarketMode};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Lines of the header.
pub const HEIGHT: u16 = 3;

/// The mode's role and its stroke.
pub fn mode(mode: MarketMode) -> (StyleRole, &'static str) {
    match mode {
        MarketMode::Synth => (StyleRole::Synth, "┄"),
        MarketMode::History => (StyleRole::History, "╌"),
        MarketMode::Paper => (StyleRole::Paper, "═"),
        MarketMode::Live => (StyleRole::Live, "━"),
    }
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// As many groups as fit, from the first on.
fn fitting(groups: Vec<Vec<Span<'_>>>, mut left: usize) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    for group in groups {
        let w = width(&group);
        if w > left {
            break;
        }
        left -= w;
        spans.extend(group);
    }
    spans
}

/// Letters of a pane's name where not all have room.
const SHORT_TAB: usize = 5;

/// Draws the header, with the names of the panes where one is shown at a time.
pub fn draw(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, tabs: &[PaneId]) {
    let t = &cx.theme;
    let row = |n: u16| Rect { y: area.y + n.min(area.height.saturating_sub(1)), height: 1, ..area };
    let Some(c) = &cx.cockpit else {
        let text = match &cx.reach {
            Connection::Here => " waiting for the swarm's first picture",
            Connection::Lost(_) | Connection::Ended(_) => " nothing was heard of the swarm",
        };
        frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Dim)), row(0));
        return rule(frame, cx, row(2), tabs);
    };
    let (right, told) = place(cx, c);
    let room = usize::from(area.width).saturating_sub(1);
    // How old the data is comes before how fast it goes.
    let kept: usize = right.iter().take(told).map(|group| width(group)).sum();
    let left = fitting(when(cx, c), room.saturating_sub(kept));
    let mut right = fitting(right, room.saturating_sub(width(&left)));
    right.push(Span::raw(" "));
    frame.render_widget(Paragraph::new(Line::from(left)), row(0));
    frame.render_widget(Paragraph::new(Line::from(right).right_aligned()), row(0));
    let spans = fitting(account(t, c), usize::from(area.width));
    frame.render_widget(Paragraph::new(Line::from(spans)), row(1));
    rule(frame, cx, row(2), tabs);
}

fn when<'a>(cx: &PaneContext, c: &'a Cockpit) -> Vec<Vec<Span<'a>>> {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let badge = vec![Span::styled(format!(" {} ", c.mode.text()), t.of(mode(c.mode).0))];
    let time = c.market_time.map(words::moment).unwrap_or_default();
    let fetching = cx.fetching.map(|share| {
        vec![Span::styled(format!("  reading the journal {share:>2} %"), t.of(StyleRole::Warn))]
    });
    if let Some(before) = cx.before_now() {
        let past = t.of(StyleRole::Past);
        let ago = match moment::stretch(before) {
            text if before.0 > 0 => format!("  {text} before now"),
            _ => "  as it stood at this bar".to_owned(),
        };
        let mut groups =
            vec![badge, vec![Span::styled(" PAST ", past), Span::styled(format!(" {time} "), past)]];
        groups.extend(fetching);
        groups.push(vec![Span::styled(ago, t.stroke(StyleRole::Past))]);
        groups.push(vec![Span::styled(format!("  {}", c.hive), t.of(StyleRole::Title))]);
        return groups;
    }
    let mut groups = vec![
        badge,
        vec![Span::styled(format!(" {} ", c.hive), t.of(StyleRole::Title))],
        vec![Span::styled(time, t.of(StyleRole::Text))],
    ];
    groups.extend(fetching);
    if let Some(p) = c.progress {
        let (full, rest) = words::bar(p, 14);
        groups.push(vec![
            Span::styled(format!("  {} ", c.speed), dim),
            Span::styled(full, t.of(StyleRole::Focus)),
            Span::styled(rest, t.of(StyleRole::Faint)),
            Span::styled(format!(" {:>3.0} %", 100.0 * p), t.of(StyleRole::Text)),
        ]);
    } else {
        groups.push(vec![Span::styled(format!("  {}", c.speed), dim)]);
    }
    groups
}

/// What must be seen first comes first, and how many groups must be; of the others what does not fit is left out
/// whole.
fn place<'a>(cx: &PaneContext, c: &'a Cockpit) -> (Vec<Vec<Span<'a>>>, usize) {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let mut groups = Vec::new();
    if cx.read_only {
        groups.push(vec![Span::styled(" READ-ONLY", t.of(StyleRole::Warn))]);
    }
    if c.deaf {
        groups.push(vec![Span::styled("  DEAF", t.of(StyleRole::Warn))]);
    }
    if c.fine {
        groups.push(vec![Span::styled("  FINE FILLS", t.of(StyleRole::Warn))]);
    }
    let age = cx.age.unwrap_or_default();
    groups.push(match (&cx.reach, cx.is_stale()) {
        (Connection::Ended(_), _) => vec![Span::styled("  ended", t.of(StyleRole::Warn))],
        (_, true) => vec![Span::styled(format!("  data {} old", words::age(age)), t.of(StyleRole::Warn))],
        // Of the past it is said where now is.
        _ => match cx.market_now().filter(|_| !cx.is_now()) {
            Some(now) => vec![Span::styled(format!("  now {}", words::moment(now)), dim)],
            None => vec![Span::styled("  data ", dim), Span::styled("now", t.of(StyleRole::Good))],
        },
    });
    groups.extend(c.links.as_ref().map(|links| venue(t, links)));
    // Where now is can be reckoned from how long before it the moment lies.
    let told = groups.len() - usize::from(!cx.is_now() && !cx.is_stale());
    let own = if matches!(c.mode, MarketMode::Synth | MarketMode::History) { "paper money" } else { "" };
    groups.push(vec![Span::styled(format!("  {own}"), dim)]);
    match c.clients {
        0 => {}
        1 => groups.push(vec![Span::styled("  1 client", dim)]),
        n => groups.push(vec![Span::styled(format!("  {n} clients"), dim)]),
    }
    groups.push(vec![Span::styled(format!("  feed {}", c.feed), dim)]);
    (groups, told)
}

/// How a live venue is heard: what is wrong, or how old the oldest of its news is.
fn venue(t: &Theme, links: &LiveLinks) -> Vec<Span<'static>> {
    let (all, troubled) = (links.streams.len(), links.troubled());
    match links.oldest() {
        _ if links.trouble.is_some() => vec![Span::styled("  VENUE NOT REACHED", t.of(StyleRole::Bad))],
        _ if troubled > 0 => {
            vec![Span::styled(format!("  {troubled} of {all} streams silent"), t.of(StyleRole::Warn))]
        }
        Some((_, age)) => {
            let seconds = age.0 as f64 / 1e9;
            vec![Span::styled(format!("  {all} streams, oldest {seconds:.1} s"), t.of(StyleRole::Dim))]
        }
        None => vec![Span::styled(format!("  {all} streams"), t.of(StyleRole::Dim))],
    }
}

fn account<'a>(t: &Theme, c: &'a Cockpit) -> Vec<Vec<Span<'a>>> {
    let a = &c.account;
    let equity = money::to_estimate(a.equity);
    let (total, today) = (equity - money::to_estimate(a.capital), money::to_estimate(a.today));
    let role = if a.run == "running" { StyleRole::Good } else { StyleRole::Bad };
    let dim = t.of(StyleRole::Dim);
    let share = a.drawdown / a.drawdown_budget.max(1e-9);
    let over = match share {
        s if s > 1.0 => StyleRole::Bad,
        s if s > 0.75 => StyleRole::Warn,
        _ => StyleRole::Text,
    };
    let (full, rest) = words::bar(share, 6);
    let kept = c.kept.as_ref().map(|kept| {
        let of = kept.budget.map(|b| format!(" of {}", words::bytes(b))).unwrap_or_default();
        let from = kept.from.as_deref().and_then(|at| at.get(..10)).map(|day| format!(", from {day} on"));
        let text = format!("  kept {}{of}{}", words::bytes(kept.bytes), from.unwrap_or_default());
        vec![Span::styled(text, dim)]
    });
    let groups = vec![
        vec![Span::styled(format!(" {}", a.run.to_uppercase()), t.of(role))],
        vec![
            Span::styled("  equity ", dim),
            Span::styled(format!("{} {}", words::thousands(equity), c.currency), t.of(StyleRole::Title)),
        ],
        vec![Span::styled(format!(" {}", words::gain(total)), t.of(words::sign(total)))],
        vec![Span::styled("  today ", dim), Span::styled(words::gain(today), t.of(words::sign(today)))],
        vec![
            Span::styled("  drawdown ", dim),
            Span::styled(
                format!("{} of {:.0} %", words::percent(a.drawdown), 100.0 * a.drawdown_budget),
                t.of(over),
            ),
        ],
        vec![Span::raw(" "), Span::styled(full, t.of(over)), Span::styled(rest, t.of(StyleRole::Faint))],
        vec![Span::styled(format!("  gross {:.2}×  net {:+.2}×", a.gross, a.net), dim)],
        vec![Span::styled(format!("  {} voices", c.voices), dim)],
        vec![Span::styled(format!("  {} orders", words::thousands(a.orders as f64)), dim)],
        vec![Span::styled(format!("  {} messages", words::thousands(a.messages as f64)), dim)],
    ];
    groups.into_iter().chain(kept).collect()
}

/// The way back, where there is one.
pub fn way_back(a: &AccountView) -> &'static str {
    match () {
        () if a.killed || a.tripped => " · :reset releases it",
        () if a.flat => " · :resume all ends it",
        () => "",
    }
}

/// What the whole width is for, if anything: what is the matter, and what to do, which is never cut.
fn banner(cx: &PaneContext) -> Option<(String, String)> {
    match &cx.reach {
        Connection::Lost(why) => {
            let age = cx.age.map(|a| format!("last heard {} ago", words::age(a)));
            let age = age.unwrap_or_else(|| "never heard".to_owned());
            let leave = cx.hint(UserAction::Detach);
            Some((format!("SWARM LOST · {age} · {why}"), format!(" · trying again; {leave} leaves")))
        }
        Connection::Ended(why) => Some((
            format!("ENDED · {why} · this is its last state"),
            format!("; {} leaves", cx.hint(UserAction::Detach)),
        )),
        Connection::Here => {
            // Of now, whatever moment is shown.
            let a = &cx.live.as_ref().or(cx.cockpit.as_ref())?.account;
            let why = a.reason.as_ref()?;
            let now = if cx.is_now() { "" } else { "NOW " };
            Some((format!("{now}{} · {why}", a.run.to_uppercase()), way_back(a).to_owned()))
        }
    }
}

fn rule(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, tabs: &[PaneId]) {
    let t = &cx.theme;
    if let Some((what, way)) = banner(cx) {
        let room = usize::from(area.width).saturating_sub(2 + way.chars().count());
        let text = format!(" {}{way}", words::cut(&what, room));
        return frame.render_widget(Paragraph::new(text).style(t.of(StyleRole::Banner)), area);
    }
    let (role, stroke) = mode(cx.cockpit.as_ref().map(|c| c.mode).unwrap_or_default());
    let role = if cx.is_now() { role } else { StyleRole::Past };
    let ink = t.stroke(role);
    frame.render_widget(Paragraph::new(stroke.repeat(usize::from(area.width))).style(ink), area);
    if !tabs.is_empty() {
        let mut spans = vec![Span::styled(stroke.repeat(2), ink)];
        // Each with its number, two blanks and a stroke, and the rule goes on behind them.
        let whole: usize = tabs.iter().map(|p| p.0.chars().count() + 5).sum();
        let is_short = whole + 3 > usize::from(area.width);
        for (n, pane) in tabs.iter().enumerate() {
            let role = if *pane == cx.focus { StyleRole::Selected } else { StyleRole::Dim };
            let letters = if is_short && *pane != cx.focus { SHORT_TAB } else { usize::MAX };
            let name: String = pane.0.chars().take(letters).collect();
            spans.push(Span::styled(format!(" {} {name} ", n + 1), t.of(role)));
            spans.extend((!is_short).then(|| Span::styled(stroke, ink)));
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), area);
    }
}
