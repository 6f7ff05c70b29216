//! Every size, every key, and what stands on the screen.

use super::app::{App, Pane};
use super::draw::draw;
use super::theme::Theme;
use crate::domain::{AgentId, Decimal, Family, Goal, MessageId, Stamp};
use crate::view::cockpit::{
    AccountView, AgentRow, AgentState, Cockpit, Curves, EdgeRow, GoalView, Kind, MessageLine,
};
use crate::view::link::{Answer, News, Request};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

fn row(i: u32) -> AgentRow {
    AgentRow {
        id: AgentId(i),
        name: format!("Agent{i:02}"),
        family: Family::ALL[i as usize % Family::ALL.len()],
        goal: Goal::ALL[i as usize % 4],
        assets: "BTC ETH".to_owned(),
        state: if i == 3 { AgentState::Broke } else { AgentState::Live },
        points: 0.7,
        alone: -1_234.0 * f64::from(i),
        sim: 2_345.0,
        real: Decimal::new(-98_765, 2),
        difference: 0.0,
        funds: Decimal::new(277_700, 2),
        position: "+4.2 % BTC".to_owned(),
        last: MessageId(9),
        said: "BTC opens long 0.00 → 0.45 (signal)".to_owned(),
    }
}

fn picture(seq: u64) -> Cockpit {
    let wave = |a: f64| (0..500).map(|i| a * (f64::from(i) / 40.0).sin()).collect::<Vec<_>>();
    Cockpit {
        seq,
        hive: "hive".to_owned(),
        currency: "USDT".to_owned(),
        market_time: Stamp::parse("2023-12-31T20:00:00Z"),
        speed: "4h every 1.0 s".to_owned(),
        account: AccountView {
            equity: Decimal::new(10_130_200, 2),
            capital: Decimal::new(10_000_000, 2),
            drawdown: 0.155,
            drawdown_budget: 0.15,
            drawdown_halt: 0.3,
            run: "running".to_owned(),
            ..AccountView::default()
        },
        voices: 276,
        goals: Goal::ALL
            .iter()
            .map(|g| GoalView { goal: *g, score: 0.48, value: 0.1, target: 0.2 })
            .collect(),
        agents: (0..36).map(row).collect(),
        edges: (0..36)
            .map(|i| EdgeRow {
                from: AgentId((i * 7 + 1) % 60),
                from_name: "x".to_owned(),
                from_family: Family::Trend,
                to: AgentId(i),
                asset: "BTC".to_owned(),
                share: 0.1,
                value: f64::from(i) - 18.0,
                message: MessageId(u64::from(i) + 1),
                decision: MessageId(seq * 100 + u64::from(i)),
            })
            .collect(),
        curves: Curves {
            alone: wave(-9e3),
            sim: wave(5e3),
            real: wave(2e3),
            drawdown: wave(0.1),
            from: None,
        },
        messages: (1..=200)
            .map(|i| MessageLine {
                id: MessageId(i),
                at: Stamp(0),
                from: "Yuki".to_owned(),
                agent: Some(AgentId(1)),
                asset: "BTC".to_owned(),
                kind: Kind::Open,
                text: "opens long 0.00 → 0.45 at 42,000; stop: close below 40,000".to_owned(),
                acted_on: u32::from(i == 200),
            })
            .collect(),
        ..Cockpit::default()
    }
}

fn app() -> App {
    let mut app = App::new(Theme::shipped("terminal", true).unwrap(), true);
    app.hear(News::Cockpit(Box::new(picture(1))));
    app
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|f| draw(f, app)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(usize::from(width));
    rows.map(|r| r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
}

fn press(app: &mut App, code: KeyCode) -> Option<Request> {
    app.key(&KeyEvent::new(code, KeyModifiers::NONE))
}

fn chord(app: &mut App) -> Option<Request> {
    app.key(&KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL))
}

#[test]
fn no_size_panics_with_or_without_a_picture() {
    let widths = (1..=40).chain((45..=240).step_by(13)).chain([59, 60, 79, 80, 99, 100, 159, 160, 240]);
    for width in widths {
        for height in (1..=26).chain([30, 44, 45, 48, 70]) {
            let mut app = app();
            (app.help, app.focus) = (height % 2 == 0, Pane::ALL[usize::from(width + height) % 5]);
            app.page_open = height % 7 == 0;
            let _ = screen(&mut app, width, height);
            let _ = screen(&mut App::new(Theme::shipped("terminal", false).unwrap(), false), width, height);
        }
    }
}

#[test]
fn each_size_shows_what_it_promises() {
    for (width, height, words) in [
        (
            160,
            48,
            &[
                "SYNTH",
                "RUNNING",
                "agents",
                "network",
                "pnl",
                "messages",
                "emergence",
                "not measured yet",
                "Agent00",
                "▲ +1,302",
            ][..],
        ),
        (100, 30, &["SYNTH", "RUNNING", "agents", "network", "pnl", "messages", "not measured yet", "↕"]),
        (80, 24, &["SYNTH", "RUNNING", "agents", "goals", "Agent00", "↕", "15.5 % of 15 %"]),
        (60, 16, &["SYNTH", "RUNNING", "Agent00", "▲ +1,302"]),
        (40, 5, &["▲ +1,302", "RUNNING", "needs 60×12"]),
    ] {
        let seen = screen(&mut app(), width, height);
        for word in words {
            assert!(seen.contains(word), "{width}×{height} lacks {word}\n{seen}");
        }
    }
}

#[test]
fn keys_send_what_the_footer_says_and_never_act_by_themselves() {
    let mut app = app();
    assert_eq!(press(&mut app, KeyCode::Down), None);
    assert_eq!(press(&mut app, KeyCode::Char('m')), Some(Request::Mute(AgentId(1))));
    assert_eq!(press(&mut app, KeyCode::Char('p')), Some(Request::Pause(Some(AgentId(1)))));
    app.hear(News::Answer(Answer {
        request: Request::Pause(Some(AgentId(1))),
        result: Err("pause is not in this version; nothing was changed".to_owned()),
    }));
    assert!(screen(&mut app, 80, 24).contains("pause is not in this version"));
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(AgentId(1)))));
    assert!(screen(&mut app, 80, 24).contains("asking the swarm"));
    assert_eq!(press(&mut app, KeyCode::Esc), Some(Request::Look(None)));
    press(&mut app, KeyCode::Char('?'));
    assert!(screen(&mut app, 100, 30).contains("kill switch"));
    press(&mut app, KeyCode::Char('q'));
    assert!(app.is_leaving());
}

#[test]
fn money_needs_another_key_than_the_one_that_asked() {
    let mut app = app();
    assert_eq!(press(&mut app, KeyCode::Char('f')), None);
    assert!(screen(&mut app, 80, 24).contains("2,777 → 3,777"));
    for other in [KeyCode::Char('f'), KeyCode::Enter, KeyCode::Esc] {
        assert_eq!(press(&mut app, other), None);
        assert_eq!(app.dialog, None);
        press(&mut app, KeyCode::Char('f'));
    }
    let sent = press(&mut app, KeyCode::Char('y'));
    assert_eq!(sent, Some(Request::Fund(AgentId(0))));
}

#[test]
fn the_kill_switch_is_a_chord_within_two_seconds() {
    let mut app = app();
    assert_eq!(chord(&mut app), None);
    assert_eq!(chord(&mut app), Some(Request::Kill));
    assert_eq!(chord(&mut app), None);
    app.tick(Duration::from_secs(3), None);
    assert_eq!(chord(&mut app), None, "too late: it begins anew");
    press(&mut app, KeyCode::Down);
    assert_eq!(chord(&mut app), None, "another key breaks it");
}

#[test]
fn pulses_are_messages_of_new_decisions_and_then_it_is_still() {
    let mut app = app();
    assert!(app.pulses.is_empty(), "what was before the first picture does not move");
    app.hear(News::Cockpit(Box::new(picture(2))));
    assert_eq!(app.pulses.len(), 36);
    assert!(app.pulses.iter().all(|p| p.message.0 > 0));
    app.tick(Duration::from_secs(2), None);
    assert!(app.pulses.is_empty());
    let _ = screen(&mut app, 160, 48);
    assert!(!app.is_dirty());
    app.tick(Duration::from_millis(2_500), None);
    assert!(!app.is_dirty(), "nothing changed: nothing is drawn");
}

#[test]
fn old_data_is_said_to_be_old() {
    let mut app = app();
    app.tick(Duration::from_secs(9), Some(Duration::from_secs(8)));
    assert!(screen(&mut app, 160, 48).contains("data 8 s old"));
}
