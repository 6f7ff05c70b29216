//! Orders, points, what is worth something to the desk, and what is said where there is nothing.

use super::{app, picture, press, screen, with};
use crate::domain::{AgentId, MessageId};
use crate::tui::app::{App, Pane};
use crate::tui::network::DESK;
use crate::view::cockpit::Curves;
use crate::view::link::News;
use ratatui::crossterm::event::KeyCode;

/// The lines of a pane that is shown alone.
fn alone(app: &mut App, pane: Pane, width: u16, height: u16) -> String {
    app.focus_on(pane);
    app.zoomed = true;
    screen(app, width, height)
}

#[test]
fn orders_show_what_works_and_below_it_what_was_filled() {
    let mut app = app();
    let seen = alone(&mut app, Pane::Orders, 120, 30);
    for line in [
        "orders 2 working, last 40 fills ↓",
        "  order when        venue     what       side    quantity     price state       age, or fee",
        "   #901 12-31 16:00 paper     BTCUSDT    sell        1.25    42,123 20 % filled 4 h old worked by Tilo",
        "   #889 12-31 12:00 binance   ETHUSDT    buy          2.5     2,346 filled      fee 2.93 of 5,864",
    ] {
        assert!(seen.contains(line), "lacks\n{line}\n{seen}");
    }
    // Where there is less room columns go, and no number is cut.
    let narrow = alone(&mut app, Pane::Orders, 80, 24);
    assert!(narrow.contains("42,123 20 % filled") && narrow.contains("fee 2.93"), "{narrow}");
    press(&mut app, KeyCode::Down);
    assert_eq!(app.order, 1);
    assert_eq!(press(&mut app, KeyCode::Enter), None, "an order has no page");
    press(&mut app, KeyCode::End);
    assert_eq!(app.order, 41);
    let mut none = with(|c| (c.orders, c.fills) = (Vec::new(), Vec::new()));
    assert!(alone(&mut none, Pane::Orders, 80, 24).contains("nothing is on order"));
}

#[test]
fn points_show_who_earned_what_for_others_those_first_who_earned_most() {
    let mut app = with(|c| c.agents[2].served = [312.55, 0.0, 0.0]);
    let seen = alone(&mut app, Pane::Points, 140, 30);
    let first = seen.lines().find(|l| l.contains("Agent")).unwrap();
    for word in ["Agent02", "+3.50▲", "+312.55▲", "carries 1.2 BTC, 14 ETH in spot: +14.20 today"] {
        assert!(first.contains(word), "lacks {word}: {first}");
    }
    assert!(seen.contains("for the desk · carry ▲ +312.55, today +14.20"), "{seen}");
    assert!(!seen.contains("capital"), "nobody lends any");
    press(&mut app, KeyCode::Home);
    assert_eq!(app.selected, Some(AgentId(2)), "the cursor goes by what is seen");
    let mut none = with(|c| c.services = Vec::new());
    assert!(alone(&mut none, Pane::Points, 80, 24).contains("nobody serves the desk here"));
}

#[test]
fn what_is_worth_something_to_the_desk_is_an_edge_and_a_receipt_a_pulse() {
    let mut app = app();
    app.focus_on(Pane::Network);
    // Without an edge under the cursor the last line says what the signs mean.
    (app.edge, app.zoomed) = (None, true);
    let seen = screen(&mut app, 120, 40);
    assert!(
        seen.contains("▣ desk") && seen.contains("━◆ worth to the desk ▲ +312.55, today +14.20"),
        "{seen}"
    );
    assert!(app.pulses.is_empty());
    app.hear(News::Cockpit(Box::new(picture(2))));
    let receipts: Vec<_> = app.pulses.iter().filter(|p| p.to == DESK).collect();
    assert_eq!((receipts.len(), receipts[0].message), (1, MessageId(250)));
    app.hear(News::Cockpit(Box::new(picture(2))));
    assert_eq!(app.pulses.iter().filter(|p| p.to == DESK).count(), 1, "once");
    let mut none = with(|c| c.services = Vec::new());
    assert!(!alone(&mut none, Pane::Network, 120, 40).contains("▣ desk"));
}

#[test]
fn keys_that_were_bound_anew_are_named_everywhere() {
    let mut app = app();
    let bind = |a: &str, k: &str| (a.to_owned(), vec![k.to_owned()]);
    let all = [
        bind("back", "B"),
        bind("last", "E"),
        bind("page-down", "ctrl-d"),
        bind("time-back", "b"),
        bind("pause", "P"),
    ];
    app.keymap.bind(&all).unwrap();
    press(&mut app, KeyCode::Char('2'));
    press(&mut app, KeyCode::Up);
    assert!(screen(&mut app, 160, 48).contains("E follows"));
    press(&mut app, KeyCode::Enter);
    let seen = screen(&mut app, 160, 48);
    assert!(
        seen.contains("pgup ctrl-d scroll") && seen.contains("B back") && seen.contains(" P pause"),
        "{seen}"
    );
    press(&mut app, KeyCode::Char('B'));
    press(&mut app, KeyCode::Char(']'));
    assert!(screen(&mut app, 160, 48).contains("this is now; b goes back"));
    press(&mut app, KeyCode::Char('?'));
    assert!(screen(&mut app, 160, 60).contains("keys · B back"));
}

#[test]
fn every_pane_says_so_when_it_has_nothing_to_show() {
    let mut app = with(|c| {
        c.messages.clear();
        c.curves = Curves::default();
    });
    assert!(alone(&mut app, Pane::Messages, 80, 24).contains("nothing was said since"));
    assert!(alone(&mut app, Pane::Pnl, 80, 24).contains("curves begin with the next bars"));
    app.agent_filter = "nobody".to_owned();
    assert!(alone(&mut app, Pane::Agents, 80, 24).contains("nobody is like /nobody; esc clears it"));
}
