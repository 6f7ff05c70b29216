//! Which panes are where, at which size; the footer, and what lies above the panes.

use super::action::{ACTIONS, ActionRow, UserAction};
use super::app::{App, Connection, Dialog, Input, Pane};
use super::theme::StyleRole;
use super::{agents, footer, goals, header, lab, log, messages, network, orders, page, pnl, points, words};
use crate::domain::money;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

/// From here on everything is shown.
const FULL: (u16, u16) = (160, 45);
/// From here on also what else has its place below the agents.
const MORE: (u16, u16) = (200, 58);
/// From here on two columns.
const COLUMNS: (u16, u16) = (100, 26);
/// From here on one pane with tabs.
const TABS: (u16, u16) = (80, 20);
/// From here on header and agents; below, one line.
const LEAST: (u16, u16) = (60, 12);
/// Most cells of the help.
const HELP: u16 = 116;
/// Hints of a border: the keys of these actions, and what they do there.
pub const SCROLL: Hint = (&[UserAction::Up, UserAction::Down], "scroll");
/// A page at a time; of the same kind as [`SCROLL`].
pub const LEAP: Hint = (&[UserAction::PageUp, UserAction::PageDown], "scroll");
/// Leaving the pane; of the same kind as [`SCROLL`].
pub const BACK: Hint = (&[UserAction::Back], "back");
/// Actions whose keys are named, and the word for all of them.
pub type Hint = (&'static [UserAction], &'static str);
/// Most cells of the commands above the `:` line.
const COMMANDS: u16 = 92;
/// Completions that are listed.
const LISTED: usize = 8;

/// Draws the cockpit, without pulses; where they run is left in the app.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let area = frame.area();
    app.stage = None;
    app.places.clear();
    if !area.is_empty() {
        everything(frame, app, area);
    }
    // Nothing runs over a dialog.
    if app.help || app.in_log || app.dialog.is_some() || app.input == Some(Input::Command) {
        app.stage = None;
    }
}

fn everything(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    frame.buffer_mut().set_style(area, app.theme.of(StyleRole::Base));
    let fits = |(w, h): (u16, u16)| area.width >= w && area.height >= h;
    if !fits(LEAST) {
        return line(frame, app, area);
    }
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(header::HEIGHT), Constraint::Min(1), Constraint::Length(1)])
            .areas(area);
    let single = !fits(COLUMNS) || app.zoomed;
    header::draw(frame, app, top, single && fits(TABS) && app.open.is_none() && !app.in_lab);
    if app.in_lab {
        lab::draw(frame, app, body);
    } else if app.open.is_some() {
        page::draw(frame, app, body);
    } else if app.zoomed || (fits(TABS) && single) {
        one(frame, app, app.focus, body);
    } else if let Some(columns) = app.view.and_then(|n| app.views.get(n)).map(|v| v.1.clone()) {
        arranged(frame, app, &columns, body);
    } else if fits(FULL) {
        full(frame, app, body);
    } else if fits(COLUMNS) {
        columns(frame, app, body);
    } else {
        // Too low for tabs: what has the focus, which are the agents until another is asked for.
        one(frame, app, app.focus, body);
    }
    if app.is_stale() {
        let grey = app.theme.stale();
        let buffer = frame.buffer_mut();
        for y in body.top()..body.bottom() {
            for x in body.left()..body.right() {
                if let Some(cell) = buffer.cell_mut((x, y)) {
                    cell.set_style(ratatui::style::Style::reset()).set_style(grey);
                }
            }
        }
    }
    footer::draw(frame, app, bottom);
    above(frame, app, area);
}

fn one(frame: &mut Frame<'_>, app: &mut App, pane: Pane, area: Rect) {
    app.places.push((pane, area));
    match pane {
        Pane::Agents => agents::draw(frame, app, area),
        Pane::Messages => messages::draw(frame, app, area),
        Pane::Network => app.stage = network::draw(frame, app, area),
        Pane::Pnl => pnl::draw(frame, app, area),
        Pane::Goals => goals::draw(frame, app, area),
        Pane::Orders => orders::draw(frame, app, area),
        Pane::Points => points::draw(frame, app, area),
    }
}

fn full(frame: &mut Frame<'_>, app: &mut App, body: Rect) {
    let [top, rest] = Layout::vertical([Constraint::Length(4), Constraint::Min(1)]).areas(body);
    let [left, right] = Layout::horizontal([Constraint::Fill(60), Constraint::Fill(40)]).areas(rest);
    let [chart, net] = Layout::vertical([Constraint::Fill(42), Constraint::Fill(58)]).areas(right);
    let more = body.width >= MORE.0 && body.height + header::HEIGHT + 1 >= MORE.1;
    let shares = if more { (52, 48) } else { (68, 32) };
    let [table, below] =
        Layout::vertical([Constraint::Fill(shares.0), Constraint::Fill(shares.1)]).areas(left);
    let mut places =
        vec![(Pane::Goals, top), (Pane::Agents, table), (Pane::Pnl, chart), (Pane::Network, net)];
    if more {
        // The one that was looked at last has the line of its own.
        let others = [Pane::Messages, Pane::Orders, Pane::Points].into_iter().filter(|p| *p != app.below);
        let [one, rest] = Layout::vertical([Constraint::Fill(1); 2]).areas(below);
        let halves: [Rect; 2] = Layout::horizontal([Constraint::Fill(1); 2]).areas(rest);
        places.push((app.below, one));
        places.extend(others.zip(halves));
    } else {
        places.push((app.below, below));
    }
    for (pane, at) in places {
        one(frame, app, pane, at);
    }
}

/// Columns of panes, each with its share of the room; goals need few lines.
fn arranged(frame: &mut Frame<'_>, app: &mut App, columns: &[Vec<Pane>], body: Rect) {
    let widths = Layout::horizontal(vec![Constraint::Fill(1); columns.len()]).split(body);
    for (panes, area) in columns.iter().zip(widths.iter()) {
        let high = |p: &Pane| if *p == Pane::Goals { Constraint::Length(17) } else { Constraint::Fill(1) };
        let places = Layout::vertical(panes.iter().map(high)).split(*area);
        for (pane, area) in panes.iter().zip(places.iter()) {
            one(frame, app, *pane, *area);
        }
    }
}

fn columns(frame: &mut Frame<'_>, app: &mut App, body: Rect) {
    // A table needs more lines than talk.
    let under = if app.below == Pane::Messages { 7 } else { 11 };
    let [top, rest, talk] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(under)]).areas(body);
    let [left, right] = Layout::horizontal([Constraint::Length(54), Constraint::Min(1)]).areas(rest);
    // The one that has the focus gets the room.
    let (a, b) = match app.focus {
        Pane::Network => (0, 1),
        Pane::Pnl => (1, 0),
        _ => (1, 1),
    };
    let [chart, net] = Layout::vertical([Constraint::Fill(a), Constraint::Fill(b)]).areas(right);
    app.places.push((Pane::Goals, top));
    goals::line(frame, app, top);
    for (pane, at, shown) in
        [(Pane::Agents, left, 1), (Pane::Pnl, chart, a), (Pane::Network, net, b), (app.below, talk, 1)]
    {
        if shown > 0 {
            one(frame, app, pane, at);
        }
    }
}

/// A block with the pane's title, its border telling the focus.
pub fn block<'a>(app: &App, pane: Pane, title: Vec<Span<'a>>) -> Block<'a> {
    let role = if app.focus == pane { StyleRole::Focus } else { StyleRole::Border };
    let name = if app.focus == pane { StyleRole::Focus } else { StyleRole::Title };
    let mut line = vec![Span::styled(format!(" {} ", pane.title()), app.theme.of(name))];
    line.extend(title);
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.theme.of(role))
        .title(Line::from(line))
}

/// Too small for panes: PnL, halt state and the size that is needed.
fn line(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let Some(c) = &app.cockpit else {
        return frame.render_widget(Paragraph::new("waiting").style(t.of(StyleRole::Dim)), area);
    };
    let gain = app.gain().unwrap_or_default();
    let run = match app.reach {
        Connection::Here => c.account.run.to_uppercase(),
        Connection::Lost(_) => "LOST".to_owned(),
        Connection::Ended(_) => "ENDED".to_owned(),
    };
    let bad = run != "RUNNING";
    let text = vec![
        Span::styled(words::gain(gain), t.of(words::sign(gain))),
        Span::styled(format!(" {run} "), t.of(if bad { StyleRole::Bad } else { StyleRole::Good })),
        Span::styled(c.mode.text(), t.of(header::mode(c.mode).0)),
        Span::styled(format!(" needs {}×{}", LEAST.0, LEAST.1), t.of(StyleRole::Dim)),
    ];
    frame.render_widget(Paragraph::new(Line::from(text)).wrap(Wrap { trim: true }), area);
}

/// In the middle, as large as asked for and no larger than there is.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h }
}

fn boxed(frame: &mut Frame<'_>, app: &App, title: &str, lines: Vec<Line<'_>>, at: Rect, role: StyleRole) {
    let t = &app.theme;
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(t.of(role))
        .style(t.of(StyleRole::Base))
        .title(Span::styled(format!(" {title} "), t.of(StyleRole::Title)));
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines).style(t.of(StyleRole::Text)).block(block), at);
}

/// Help, dialog, completions.
fn above(frame: &mut Frame<'_>, app: &App, area: Rect) {
    if app.in_log {
        let at = middle(area, area.width.saturating_sub(8).max(60), area.height.saturating_sub(6).max(10));
        let lines = log::lines(app, usize::from(at.width.saturating_sub(2)));
        let over = (lines.len() as u16 + 2).saturating_sub(at.height);
        let lines = lines.into_iter().skip(usize::from(app.scroll.min(over))).collect();
        boxed(frame, app, &app.hints("log", &[SCROLL, BACK]), lines, at, StyleRole::Focus);
    }
    if app.help {
        help(frame, app, area);
    }
    if app.input == Some(Input::Command) {
        completions(frame, app, area);
    }
    match &app.dialog {
        None => {}
        Some(Dialog::Money { name, gives, before, after, .. }) => {
            money_dialog(
                frame,
                app,
                area,
                name,
                *gives,
                (money::to_estimate(*before), money::to_estimate(*after)),
            );
        }
        Some(Dialog::Word { word, says, typed, .. }) => word_dialog(frame, app, area, word, says, typed),
    }
}

fn help(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let row = |e: &ActionRow| {
        let word = if e.command.is_empty() { String::new() } else { format!(":{}", e.command) };
        let room = usize::from(area.width.min(HELP)).saturating_sub(32).max(12);
        let mut text = words::wrap(e.help, room).into_iter();
        let first = Line::from(vec![
            Span::styled(format!(" {:<14}", app.keymap.shown(e)), t.of(StyleRole::Key)),
            Span::styled(format!("{word:<14} "), t.of(StyleRole::Open)),
            Span::raw(text.next().unwrap_or_default()),
        ]);
        let rest = text.map(|part| Line::raw(" ".repeat(30) + &part));
        std::iter::once(first).chain(rest).collect::<Vec<_>>()
    };
    let mut ranked: Vec<&ActionRow> = ACTIONS.iter().collect();
    ranked.sort_by_key(|e| footer::rank(e));
    let lines: Vec<Line<'_>> = ranked.into_iter().flat_map(row).collect();
    let at = middle(area, HELP, lines.len() as u16 + 2);
    let hidden = (lines.len() as u16 + 2).saturating_sub(at.height);
    let from = usize::from(app.scroll.min(hidden));
    let title = app.hints("keys", if hidden > 0 { &[SCROLL, BACK] } else { &[BACK] });
    boxed(frame, app, &title, lines.into_iter().skip(from).collect(), at, StyleRole::Focus);
}

fn completions(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let t = &app.theme;
    let found = app.completions();
    if found.is_empty() {
        return;
    }
    let wide = found.iter().map(|f| f.chars().count()).max().unwrap_or(0).max(10);
    let room = usize::from(area.width.min(COMMANDS)).saturating_sub(wide + 5);
    let row = |(n, text): (usize, &String)| {
        let entry = ACTIONS.iter().find(|e| e.command == text.as_str());
        Line::from(vec![
            Span::styled(
                format!(" :{text:<wide$} "),
                t.of(if n == 0 { StyleRole::Focus } else { StyleRole::Title }),
            ),
            Span::styled(words::phrase(entry.map_or("", |e| e.help), room), t.of(StyleRole::Dim)),
        ])
    };
    let mut lines: Vec<Line<'_>> = found.iter().take(LISTED).enumerate().map(row).collect();
    if found.len() > LISTED {
        lines.push(Line::styled(format!("  and {} more", found.len() - LISTED), t.of(StyleRole::Dim)));
    }
    let height = (lines.len() as u16 + 2).min(area.height.saturating_sub(1));
    let at = Rect {
        x: area.x,
        y: area.bottom().saturating_sub(1 + height),
        width: area.width.min(COMMANDS),
        height,
    };
    boxed(frame, app, "commands", lines, at, StyleRole::Focus);
}

fn money_dialog(
    frame: &mut Frame<'_>,
    app: &App,
    area: Rect,
    name: &str,
    gives: bool,
    (before, after): (f64, f64),
) {
    let t = &app.theme;
    let currency = app.cockpit.as_ref().map_or("", |c| c.currency.as_str());
    let way = if gives { format!("treasury → {name}") } else { format!("{name} → treasury") };
    let about = if gives { "about " } else { "" };
    let change = after - before;
    let lines = vec![
        Line::raw(""),
        Line::from(vec![Span::styled(format!("  {way}"), t.of(StyleRole::Title))]),
        Line::raw(""),
        Line::from(vec![
            Span::styled("  funds now   ", t.of(StyleRole::Dim)),
            Span::styled(format!("{:>12} {currency}", words::thousands(before)), t.of(StyleRole::Text)),
        ]),
        Line::from(vec![
            Span::styled("  funds then  ", t.of(StyleRole::Dim)),
            Span::styled(
                format!("{:>12} {currency}", format!("{about}{}", words::thousands(after))),
                t.of(StyleRole::Title),
            ),
        ]),
        Line::from(vec![
            Span::styled("  change      ", t.of(StyleRole::Dim)),
            Span::styled(format!("{:>12}", words::gain(change)), t.of(words::sign(change))),
        ]),
        Line::raw(""),
        Line::styled(
            if gives {
                "  its share by points; it goes with them week by week"
            } else {
                "  its alone and open lives go on"
            },
            t.of(StyleRole::Dim),
        ),
        Line::raw(""),
        Line::from(vec![
            Span::raw("  "),
            Span::styled(" Cancel ", t.of(StyleRole::Selected)),
            Span::styled("   y", t.of(StyleRole::Key)),
            Span::styled(if gives { " funds it" } else { " takes its funds" }, t.of(StyleRole::Text)),
            Span::styled("   any other key cancels", t.of(StyleRole::Dim)),
        ]),
    ];
    let at = middle(area, 58, lines.len() as u16 + 2);
    boxed(frame, app, if gives { "fund" } else { "unfund" }, lines, at, StyleRole::Warn);
}

fn word_dialog(frame: &mut Frame<'_>, app: &App, area: Rect, word: &str, says: &str, typed: &str) {
    let t = &app.theme;
    let right = word.starts_with(typed);
    let whole = word == typed;
    let lines = vec![
        Line::raw(""),
        Line::styled(format!("  {says}"), t.of(StyleRole::Title)),
        Line::raw(""),
        Line::from(vec![
            Span::styled("  type ", t.of(StyleRole::Dim)),
            Span::styled(word.to_owned(), t.of(StyleRole::Key)),
            Span::styled(" and enter:  ", t.of(StyleRole::Dim)),
            Span::styled(typed.to_owned(), t.of(if right { StyleRole::Good } else { StyleRole::Bad })),
            Span::styled("▏", t.of(StyleRole::Focus)),
        ]),
        Line::raw(""),
        Line::from(vec![
            Span::raw("  "),
            Span::styled(" Cancel ", t.of(if whole { StyleRole::Dim } else { StyleRole::Selected })),
            Span::styled("  esc", t.of(StyleRole::Key)),
            Span::styled(" leaves everything as it is", t.of(StyleRole::Dim)),
        ]),
    ];
    let width = (says.chars().count() as u16 + 6).max(58);
    let at = middle(area, width, lines.len() as u16 + 2);
    boxed(frame, app, word, lines, at, StyleRole::Bad);
}
