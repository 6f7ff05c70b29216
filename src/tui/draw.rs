//! Which panes are where, at which size; header, footer and what lies above the panes.

use super::action::ACTIONS;
use super::app::{App, Pane};
use super::theme::{Role, Theme};
use super::{network, page, panes, words};
use crate::domain::money;
use crate::view::Cockpit;
use crate::view::cockpit::MarketMode;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

/// From here on everything is shown.
const FULL: (u16, u16) = (160, 45);
/// From here on two columns.
const COLUMNS: (u16, u16) = (100, 26);
/// From here on one pane with tabs.
const TABS: (u16, u16) = (80, 20);
/// From here on header and agents; below, one line.
const LEAST: (u16, u16) = (60, 12);

/// Draws the cockpit.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    app.drawn();
    let area = frame.area();
    let fits = |(w, h): (u16, u16)| area.width >= w && area.height >= h;
    if area.is_empty() {
        return;
    }
    if !fits(LEAST) {
        return line(frame, app, area);
    }
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(1), Constraint::Length(1)]).areas(area);
    header(frame, app, top);
    footer(frame, app, bottom);
    if app.page_open {
        page::draw(frame, app, body);
    } else if fits(FULL) {
        let [goals, rest] = Layout::vertical([Constraint::Length(4), Constraint::Min(1)]).areas(body);
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(62), Constraint::Percentage(38)]).areas(rest);
        let [agents, talk] =
            Layout::vertical([Constraint::Percentage(66), Constraint::Percentage(34)]).areas(left);
        let [net, pnl] =
            Layout::vertical([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(right);
        panes::goals(frame, app, goals);
        panes::agents(frame, app, agents);
        panes::messages(frame, app, talk);
        network::draw(frame, app, net);
        panes::pnl(frame, app, pnl);
    } else if fits(COLUMNS) {
        let [goals, rest, talk] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(6)]).areas(body);
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(rest);
        let [net, pnl] =
            Layout::vertical([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(right);
        panes::goals(frame, app, goals);
        panes::agents(frame, app, left);
        network::draw(frame, app, net);
        panes::pnl(frame, app, pnl);
        panes::messages(frame, app, talk);
    } else if fits(TABS) {
        let [tabs, one] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(body);
        tab_line(frame, app, tabs);
        match app.focus {
            Pane::Agents => panes::agents(frame, app, one),
            Pane::Messages => panes::messages(frame, app, one),
            Pane::Network => network::draw(frame, app, one),
            Pane::Pnl => panes::pnl(frame, app, one),
            Pane::Goals => panes::goals(frame, app, one),
        }
    } else {
        panes::agents(frame, app, body);
    }
    above(frame, app, area);
}

/// A block with the pane's title, its border telling the focus.
pub fn block<'a>(app: &App, pane: Pane, title: Vec<Span<'a>>) -> Block<'a> {
    let role = if app.focus == pane { Role::Focus } else { Role::Border };
    let mut line = vec![Span::styled(format!(" {} ", pane.title()), app.theme.of(Role::Title))];
    line.extend(title);
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.theme.of(role))
        .title(Line::from(line))
}

fn badge(mode: MarketMode) -> Role {
    match mode {
        MarketMode::Synth => Role::Synth,
        MarketMode::History => Role::History,
        MarketMode::Paper => Role::Paper,
        MarketMode::Live => Role::Live,
    }
}

/// `running`, or what is the matter.
fn run(c: &Cockpit) -> (String, Role) {
    let role = if c.account.run == "running" { Role::Good } else { Role::Bad };
    (c.account.run.to_uppercase(), role)
}

/// Too small for panes: PnL, halt state and the size that is needed.
fn line(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let mut spans = Vec::new();
    if let Some(c) = &app.cockpit {
        let pnl = money::to_estimate(c.account.equity - c.account.capital);
        let (state, role) = run(c);
        spans.push(Span::styled(format!("{} ", words::gain(pnl)), t.of(words::sign(pnl))));
        spans.push(Span::styled(format!("{state} "), t.of(role)));
        spans.push(Span::styled(format!("{} ", c.mode.text()), t.of(badge(c.mode))));
    }
    spans.push(Span::styled(format!(" needs {}×{}", LEAST.0, LEAST.1), t.of(Role::Dim)));
    let row = Rect { height: 1, ..area };
    frame.render_widget(Paragraph::new(Line::from(spans)), row);
}

fn header(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else {
        let waiting = Paragraph::new("waiting for the swarm's first picture").style(t.of(Role::Dim));
        return frame.render_widget(waiting, area);
    };
    let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
    let dim = t.of(Role::Dim);
    let mut left = vec![
        Span::styled(format!(" {} ", c.mode.text()), t.of(badge(c.mode))),
        Span::styled(format!(" {} ", c.hive), t.of(Role::Title)),
        Span::styled(c.market_time.map(words::moment).unwrap_or_default(), t.of(Role::Text)),
        Span::styled(format!("  {}", c.speed), dim),
    ];
    if let Some(p) = c.progress {
        left.push(Span::styled(format!("  {} ", words::bar(p, 12)), t.of(Role::Focus)));
        left.push(Span::styled(format!("{:.0} %", 100.0 * p), t.of(Role::Text)));
    }
    if c.deaf {
        left.push(Span::styled("  DEAF", t.of(Role::Warn)));
    }
    // On a live market the badge says whose money it is; elsewhere there is only paper.
    let mut right = match (&app.ended, app.is_stale()) {
        (Some(why), _) => Span::styled(format!("{why} "), t.of(Role::Warn)),
        (None, true) => {
            let age = app.age.map_or(0, |a| a.as_secs());
            Span::styled(format!("data {age} s old "), t.of(Role::Warn))
        }
        _ => Span::styled("paper money ", dim),
    };
    let used: usize = left.iter().map(Span::width).sum();
    if used + right.width() > usize::from(first.width) {
        right = Span::raw("");
    }
    frame.render_widget(Paragraph::new(Line::from(left)), first);
    frame.render_widget(Paragraph::new(Line::from(right).right_aligned()), first);
    account(frame, t, c, second);
}

fn account(frame: &mut Frame<'_>, t: &Theme, c: &Cockpit, area: Rect) {
    let a = &c.account;
    let equity = money::to_estimate(a.equity);
    let (total, today) = (equity - money::to_estimate(a.capital), money::to_estimate(a.today));
    let (state, role) = run(c);
    let dim = t.of(Role::Dim);
    let over = if a.drawdown > a.drawdown_budget { Role::Bad } else { Role::Text };
    let drawdown = format!("{} of {:.0} %", words::percent(a.drawdown), 100.0 * a.drawdown_budget);
    // From the most to the least important: what does not fit is left out whole.
    let groups = [
        vec![Span::styled(format!(" {state}"), t.of(role))],
        vec![
            Span::styled("  equity ", dim),
            Span::styled(format!("{} {}", words::thousands(equity), c.currency), t.of(Role::Title)),
        ],
        vec![Span::styled(format!(" {}", words::gain(total)), t.of(words::sign(total)))],
        vec![Span::styled("  today ", dim), Span::styled(words::gain(today), t.of(words::sign(today)))],
        vec![Span::styled("  drawdown ", dim), Span::styled(drawdown, t.of(over))],
        vec![Span::styled(format!("  gross {:.2}×  net {:+.2}×", a.gross, a.net), dim)],
        vec![Span::styled(format!("  {} voices", c.voices), dim)],
        vec![Span::styled(format!("  {} orders", words::thousands(a.orders as f64)), dim)],
        vec![Span::styled(format!("  {} messages", words::thousands(a.messages as f64)), dim)],
    ];
    let mut spans = Vec::new();
    let mut left = usize::from(area.width);
    for group in groups {
        let width: usize = group.iter().map(Span::width).sum();
        if width > left {
            break;
        }
        left -= width;
        spans.extend(group);
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn footer(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    if let Some((text, role, _)) = &app.toast {
        return frame.render_widget(Paragraph::new(format!(" {text}")).style(t.of(*role)), area);
    }
    let reason = app.cockpit.as_ref().and_then(|c| c.account.reason.as_ref());
    if let Some(why) = reason {
        return frame.render_widget(Paragraph::new(format!(" {why}")).style(t.of(Role::Bad)), area);
    }
    let mut spans = Vec::new();
    let mut left = usize::from(area.width);
    for entry in ACTIONS.iter().filter(|e| !e.label.is_empty()) {
        let pair = [
            Span::styled(format!(" {}", entry.shown), t.of(Role::Key)),
            Span::styled(format!(" {} ", entry.label), t.of(Role::Dim)),
        ];
        let width: usize = pair.iter().map(Span::width).sum();
        if width > left {
            break;
        }
        left -= width;
        spans.extend(pair);
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn tab_line(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let spans: Vec<Span<'_>> = Pane::ALL
        .iter()
        .map(|p| {
            let role = if *p == app.focus { Role::Selected } else { Role::Dim };
            Span::styled(format!(" {} ", p.title()), app.theme.of(role))
        })
        .collect();
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// In the middle, as large as asked for and no larger than there is.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h }
}

/// Help and dialog.
fn above(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let mut boxed = |title: &'static str, lines: Vec<Line<'_>>, width: u16| {
        let at = middle(area, width, lines.len() as u16 + 2);
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(t.of(Role::Focus))
            .title(Span::styled(title, t.of(Role::Title)));
        frame.render_widget(Clear, at);
        frame.render_widget(Paragraph::new(lines).style(t.of(Role::Text)).block(block), at);
    };
    if app.help {
        let row = |e: &super::action::Entry| {
            Line::from(vec![Span::styled(format!(" {:<14}", e.shown), t.of(Role::Key)), Span::raw(e.help)])
        };
        boxed(" keys ", ACTIONS.iter().map(row).collect(), 84);
    }
    if let Some(d) = &app.dialog {
        let (before, amount) = (money::to_estimate(d.before), money::to_estimate(d.amount));
        let lines = vec![
            Line::raw(format!(" treasury → {}: {}", d.name, words::thousands(amount))),
            Line::raw(format!(
                " its funds: {} → {}",
                words::thousands(before),
                words::thousands(before + amount)
            )),
            Line::raw(""),
            Line::from(vec![
                Span::styled(" [ Cancel ] ", t.of(Role::Selected)),
                Span::styled("  y", t.of(Role::Key)),
                Span::raw(" moves it, any other key cancels"),
            ]),
        ];
        boxed(" fund ", lines, 56);
    }
}
