//! The mouse, arrangements of panes, and what is copied.

use super::{agents, app, messages, network, pnl, press};
use crate::domain::AgentId;
use crate::tui::app::App;
use crate::tui::painter::Painter;
use crate::view::link::Request;
use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

#[test]
fn the_mouse_selects_what_it_points_at_and_opens_it_the_second_time() {
    let mut app = app();
    let mut painter = Painter::new(Terminal::new(TestBackend::new(160, 48)).unwrap());
    painter.draw(&mut app).unwrap();
    let rows = painter.backend().buffer().content().chunks(160);
    let y = rows
        .into_iter()
        .position(|r| r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().contains("Agent07"));
    let (y, left) = (u16::try_from(y.unwrap()).unwrap(), MouseEventKind::Down(MouseButton::Left));
    let event = |kind, row| MouseEvent { kind, column: 8, row, modifiers: KeyModifiers::NONE };
    assert_eq!(app.pointer(&event(left, y)), None);
    assert_eq!(app.cx.selected, None, "without :mouse it is the terminal's");
    app.toggle_mouse();
    assert_eq!(app.pointer(&event(left, y)), None);
    assert_eq!(app.cx.selected, Some(AgentId(7)));
    assert_eq!(app.pointer(&event(left, y)), Some(Request::Look(Some(AgentId(7)))));
    press(&mut app, KeyCode::Esc);
    app.pointer(&event(MouseEventKind::ScrollDown, y));
    assert_eq!(app.cx.selected, Some(AgentId(8)));
}

#[test]
fn views_go_round_and_show_their_panes_and_no_others() {
    let mut app = app();
    app.arrangement.views = vec![("mine".to_owned(), vec![vec![pnl::ID], vec![messages::ID, agents::ID]])];
    let seen = |app: &mut App, size: (u16, u16)| {
        app.touch();
        let mut painter = Painter::new(Terminal::new(TestBackend::new(size.0, size.1)).unwrap());
        painter.draw(app).unwrap();
        let rows = painter.backend().buffer().content().chunks(usize::from(size.0));
        rows.map(|r| r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n")
            .collect::<String>()
    };
    app.focus_on(network::ID);
    press(&mut app, KeyCode::Char('v'));
    assert_eq!(app.cx.focus, pnl::ID, "the focus is where it can be seen");
    let shown = seen(&mut app, (160, 48));
    for pane in ["╭ pnl", "╭ messages", "╭ agents"] {
        assert!(shown.contains(pane), "{shown}");
    }
    assert!(!shown.contains("╭ network") && !shown.contains("╭ goals"), "{shown}");
    // Where there is no room for columns it is one pane with its tabs, as ever.
    assert!(seen(&mut app, (80, 24)).contains("5 goals"));
    press(&mut app, KeyCode::Char('v'));
    assert!(seen(&mut app, (160, 48)).contains("╭ network"));
}

#[test]
fn what_is_copied_is_what_is_under_the_cursor() {
    let mut app = app();
    press(&mut app, KeyCode::Char('y'));
    assert!(app.capture.copied.take().unwrap().starts_with("Agent00, "));
    app.focus_on(messages::ID);
    press(&mut app, KeyCode::Char('y'));
    assert!(app.capture.copied.take().unwrap().contains("#200 Yuki BTC opens long"));
}
