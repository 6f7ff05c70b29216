//! A frame: the header, the panes or the layer that stands in their place, the footer, and the layers above.

use super::app::App;
use super::arrangement::{LEAST, fits};
use super::context::{Connection, PaneContext, PaneId};
use super::pane::PaneShape;
use super::theme::StyleRole;
use super::{footer, header, words};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

/// Draws the cockpit, without what moves over it; where the panes are is left in the app.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let area = frame.area();
    app.places.clear();
    if area.is_empty() {
        return;
    }
    frame.buffer_mut().set_style(area, app.cx.theme.of(StyleRole::Base));
    if !fits(area, LEAST) {
        return line(frame, &app.cx, area);
    }
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(header::HEIGHT), Constraint::Min(1), Constraint::Length(1)])
            .areas(area);
    let cover = app.layers.iter().rposition(|l| l.covers());
    let shapes: Vec<(PaneId, PaneShape)> = app.shapes();
    let tabs: Vec<PaneId> = shapes.iter().map(|(id, _)| *id).collect();
    let has_tabs = cover.is_none() && app.arrangement.has_tabs(area);
    header::draw(frame, &app.cx, top, if has_tabs { &tabs } else { &[] });
    if let Some(n) = cover {
        app.layers[n].draw(frame, &app.cx, body);
    } else {
        app.places = app.arrangement.places(&app.cx, &shapes, area, body);
        for (id, at) in &app.places {
            if let Some(pane) = app.panes.iter_mut().find(|p| p.id() == *id) {
                pane.draw(frame, &app.cx, *at);
            }
        }
    }
    if app.cx.is_stale() {
        grey(frame, &app.cx, body);
    }
    // What is typed stands in the footer's line.
    if !app.layers.last().is_some_and(|l| l.takes_footer()) {
        footer::draw(frame, &app.cx, bottom);
    }
    for layer in app.layers.iter_mut().skip(cover.map_or(0, |n| n + 1)) {
        layer.draw(frame, &app.cx, area);
    }
}

/// What is old is not in colour.
fn grey(frame: &mut Frame<'_>, cx: &PaneContext, body: Rect) {
    let grey = cx.theme.stale();
    let buffer = frame.buffer_mut();
    for y in body.top()..body.bottom() {
        for x in body.left()..body.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.set_style(Style::reset()).set_style(grey);
            }
        }
    }
}

/// Too small for panes: PnL, halt state and the size that is needed.
fn line(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
    let t = &cx.theme;
    let Some(c) = &cx.cockpit else {
        return frame.render_widget(Paragraph::new("waiting").style(t.of(StyleRole::Dim)), area);
    };
    let gain = cx.gain().unwrap_or_default();
    let run = match cx.reach {
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
