//! Every size, every key, and what stands on the screen.

mod line;
mod mouse;
mod panes;
mod time;

use super::app::App;
use super::painter::Painter;
use super::sample::{lab, picture};
use super::theme::Theme;
use crate::domain::command::{self, Danger, Scope};
use crate::domain::{AgentId, Command, MessageId};
use crate::tui::layers::command_line::CommandLine;
use crate::tui::layers::lab::LabLayer;
use crate::tui::layers::log::LogLayer;
use crate::tui::panes::edges;
use crate::tui::panes::messages::{self, MessagesPane};
use crate::tui::panes::network::{self, NetworkPane};
use crate::tui::panes::orders::{self, OrdersPane};
use crate::tui::panes::{agents, pnl, points};
use crate::view::Cockpit;
use crate::view::cockpit::{AgentState, Emergence};
use crate::view::lab::LabPage;
use crate::view::link::{News, Reply, Request, SendError};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::time::Duration;

fn app() -> App {
    let mut app = App::new(Theme::shipped("terminal", true).unwrap(), true);
    app.hear(News::Cockpit(Box::new(picture(1))));
    app
}

fn with(change: impl FnOnce(&mut Cockpit)) -> App {
    let mut app = app();
    let mut next = picture(2);
    change(&mut next);
    app.hear(News::Cockpit(Box::new(next)));
    app
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    // The terminal is new: whatever the app thinks was drawn is not on it.
    app.touch();
    let mut painter = Painter::new(Terminal::new(TestBackend::new(width, height)).unwrap());
    painter.draw(app).unwrap();
    let buffer = painter.backend().buffer();
    let rows = buffer.content().chunks(usize::from(width));
    rows.map(|r| r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
}

fn press(app: &mut App, code: KeyCode) -> Option<Request> {
    app.key(&KeyEvent::new(code, KeyModifiers::NONE))
}

fn write(app: &mut App, text: &str) {
    for c in text.chars() {
        assert_eq!(press(app, KeyCode::Char(c)), None, "{c} of {text}");
    }
}

fn chord(app: &mut App) -> Option<Request> {
    app.key(&KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL))
}

/// The edge of influence under the cursor of the network.
fn chosen_edge(app: &App) -> Option<&crate::view::cockpit::EdgeRow> {
    app.pane::<NetworkPane>().unwrap().cursor.as_ref()?.influence(&app.cx)
}

#[test]
fn no_size_panics_with_or_without_a_picture() {
    let widths = (1..=40).chain((45..=240).step_by(13)).chain([59, 60, 79, 80, 99, 100, 159, 160, 240]);
    for width in widths {
        for height in (1..=26).step_by(2).chain([12, 16, 20, 24, 30, 44, 45, 48, 70]) {
            let mut app = app();
            for _ in 0..usize::from(width + height) % crate::tui::panes::names().len() {
                press(&mut app, KeyCode::Tab);
            }
            app.arrangement.zoomed = height % 5 == 0;
            for (key, n) in [(KeyCode::Enter, 7), (KeyCode::Char('l'), 4), (KeyCode::Char('?'), 3)] {
                if height % n == 0 {
                    press(&mut app, key);
                }
            }
            if height % 8 == 0 {
                app.hear(News::Lab(Box::new(lab())));
            }
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
                "day 0 of 60",
                "+2,345▲",
            ][..],
        ),
        (100, 30, &["SYNTH", "RUNNING", "agents", "network", "pnl", "messages", "day 0 of 60", "↓"]),
        (80, 24, &["SYNTH", "RUNNING", "agents", "goals", "Agent00", "↓", "15.5 % of 15 %", "-988▼"]),
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
fn every_agent_can_be_read_in_the_network() {
    let mut app = app();
    let seen = screen(&mut app, 160, 48);
    let net: String = seen.lines().map(|l| l.chars().skip(96).collect::<String>()).collect();
    for a in picture(1).agents {
        assert!(net.contains(&a.name), "{} is not to be read\n{seen}", a.name);
    }
}

#[test]
fn keys_send_what_the_footer_says_and_never_act_by_themselves() {
    let mut app = app();
    assert_eq!(press(&mut app, KeyCode::Down), None);
    let mut app2 = with(|c| c.agents[1].switches.paused = true);
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Up);
    assert_eq!(press(&mut app, KeyCode::Char('m')), Some(Request::Command(Command::Mute(AgentId(0)))));
    assert_eq!(press(&mut app, KeyCode::Char('p')), Some(Request::Command(Command::Pause(AgentId(0)))));
    app2.cx.selected = Some(AgentId(1));
    assert_eq!(press(&mut app2, KeyCode::Char('p')), Some(Request::Command(Command::Resume(AgentId(1)))));
    app.hear(News::Answer(Reply {
        request: Request::Command(Command::Pause(AgentId(0))),
        result: Err("nothing to change: it is so already".to_owned()),
    }));
    assert!(screen(&mut app, 80, 24).contains("it is so already"));
    assert_eq!(press(&mut app, KeyCode::Char('u')), None, "what was not done is not undone");
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(AgentId(0)))));
    assert!(screen(&mut app, 80, 24).contains("asking the swarm"));
    assert_eq!(press(&mut app, KeyCode::Esc), Some(Request::Look(None)));
    press(&mut app, KeyCode::Char('?'));
    assert!(screen(&mut app, 100, 40).contains("kill switch"));
    press(&mut app, KeyCode::Char('q'));
    assert!(app.is_leaving());
}

#[test]
fn what_can_be_taken_back_can_be_undone_for_ten_seconds() {
    let mut app = app();
    let pause = press(&mut app, KeyCode::Char('p')).unwrap();
    app.hear(News::Answer(Reply { request: pause, result: Ok("Agent00 takes no new risk".to_owned()) }));
    assert!(screen(&mut app, 80, 24).contains("u undoes it"));
    assert_eq!(press(&mut app, KeyCode::Char('u')), Some(Request::Command(Command::Resume(AgentId(0)))));
    app.hear(News::Answer(Reply { request: pause, result: Ok("again".to_owned()) }));
    app.tick(Duration::from_secs(11), None);
    assert_eq!(press(&mut app, KeyCode::Char('u')), None);
}

#[test]
fn money_needs_another_key_than_the_one_that_asked() {
    let mut app = with(|c| c.agents[0].switches.funded = false);
    assert_eq!(press(&mut app, KeyCode::Char('f')), None);
    let seen = screen(&mut app, 80, 24);
    assert!(seen.contains("Cancel") && seen.contains("2,777") && seen.contains("about 3,777"), "{seen}");
    for other in [KeyCode::Char('f'), KeyCode::Enter, KeyCode::Esc, KeyCode::Char('p')] {
        assert_eq!(press(&mut app, other), None);
        assert_eq!(app.question(), None);
        press(&mut app, KeyCode::Char('f'));
    }
    assert_eq!(press(&mut app, KeyCode::Char('y')), Some(Request::Command(Command::Fund(AgentId(0)))));
    app.cx.selected = Some(AgentId(1));
    press(&mut app, KeyCode::Char('f'));
    assert_eq!(press(&mut app, KeyCode::Char('y')), Some(Request::Command(Command::Unfund(AgentId(1)))));
}

#[test]
fn what_is_about_all_needs_its_word() {
    for (line, word, request) in [
        ("drain all", "drain all", Request::Command(Command::DrainAll)),
        ("flatten", "flatten", Request::Command(Command::Flatten)),
        ("stop", "stop", Request::Stop),
        ("reset", "reset", Request::Command(Command::Reset)),
        ("pause all", "pause all", Request::Command(Command::PauseAll)),
        ("resume all", "resume all", Request::Command(Command::ResumeAll)),
    ] {
        let mut app = app();
        write(&mut app, &format!(":{line}"));
        assert_eq!(press(&mut app, KeyCode::Enter), None);
        assert!(screen(&mut app, 100, 30).contains(&format!("type {word}")), "{line}");
        app.paste(word);
        assert_eq!(press(&mut app, KeyCode::Enter), None, "pasted words do not count");
        write(&mut app, &format!(":{line}"));
        press(&mut app, KeyCode::Enter);
        write(&mut app, &word[1..]);
        assert_eq!(press(&mut app, KeyCode::Enter), None, "half a word is no word");
        write(&mut app, &format!(":{line}"));
        press(&mut app, KeyCode::Enter);
        write(&mut app, word);
        assert_eq!(press(&mut app, KeyCode::Enter), Some(request), "{line}");
    }
}

/// The cockpit has no vocabulary of its own: whatever has a row is a word after the colon, and goes by its danger.
#[test]
fn every_command_of_the_table_is_in_the_cockpit_and_goes_by_its_danger() {
    for row in command::rows() {
        let mut app = app();
        let also_of_one = !row.scope.is_agent() && command::find(row.word, true).is_some();
        let manager = app.cx.cockpit.as_ref().unwrap().managers[1].clone();
        let (line, wanted) = match row.scope {
            Scope::Agent(make) => (format!("{} agent07", row.word), Request::Command(make(AgentId(7)))),
            Scope::Manager(make) => {
                (format!("{} {}", row.word, manager.name), Request::Command(make(manager.id)))
            }
            Scope::All(c) if also_of_one => (format!("{} all", row.word), Request::Command(c)),
            Scope::All(c) => (row.word.to_owned(), Request::Command(c)),
            Scope::Process => (row.word.to_owned(), Request::Stop),
        };
        write(&mut app, &format!(":{line}"));
        let at_once = press(&mut app, KeyCode::Enter);
        let seen = screen(&mut app, 120, 30);
        let sent = match row.danger {
            Danger::Look => unreachable!("{} does something", row.word),
            Danger::Reversible | Danger::Halt => at_once,
            Danger::Money => {
                assert!(at_once.is_none() && seen.contains("Cancel"), "{line}\n{seen}");
                press(&mut app, KeyCode::Char('y'))
            }
            Danger::Broad => {
                assert!(at_once.is_none() && seen.contains(&format!("type {line}")), "{line}\n{seen}");
                write(&mut app, &line);
                press(&mut app, KeyCode::Enter)
            }
        };
        assert_eq!(sent, Some(wanted), "{line}");
        app.hear(News::Answer(Reply { request: wanted, result: Ok("done".to_owned()) }));
        let undone = press(&mut app, KeyCode::Char('u'));
        assert_eq!(undone.is_some(), row.danger == Danger::Reversible, "{line}");
        let read_only = &mut self::app();
        read_only.cx.read_only = true;
        write(read_only, &format!(":{line}"));
        assert_eq!(press(read_only, KeyCode::Enter), None);
        assert!(screen(read_only, 120, 30).contains("read-only"), "{line}");
    }
}

/// The `:` line and the keys mean the same agent: the one whose page is open, though a filter hides its row.
#[test]
fn a_command_without_a_name_is_about_the_page_that_is_open() {
    let mut app = app();
    app.cx.selected = Some(AgentId(3));
    press(&mut app, KeyCode::Enter);
    app.cx.agent_filter = "agent07".to_owned();
    assert_eq!(press(&mut app, KeyCode::Char('m')), Some(Request::Command(Command::Mute(AgentId(3)))));
    write(&mut app, ":drain");
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Command(Command::Drain(AgentId(3)))));
}

#[test]
fn undoing_a_resume_goes_back_to_the_drain_that_it_ended() {
    let mut app = with(|c| c.agents[0].switches.drained = true);
    let resume = press(&mut app, KeyCode::Char('p')).unwrap();
    assert_eq!(resume, Request::Command(Command::Resume(AgentId(0))));
    app.hear(News::Answer(Reply { request: resume, result: Ok("Agent00 goes on".to_owned()) }));
    assert_eq!(press(&mut app, KeyCode::Char('u')), Some(Request::Command(Command::Drain(AgentId(0)))));
}

#[test]
fn commands_name_agents_and_say_what_they_do_not_know() {
    let mut app = app();
    write(&mut app, ":mute agent0");
    assert!(screen(&mut app, 100, 30).contains("mute Agent00"));
    press(&mut app, KeyCode::Tab);
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Command(Command::Mute(AgentId(0)))));
    write(&mut app, ":pause agent07");
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Command(Command::Pause(AgentId(7)))));
    for (line, says) in [
        ("pause nobody", "there is no agent"),
        ("fly", "there is no command"),
        ("flatten now", "takes nothing"),
        ("drain now", "there is no agent"),
        ("theme neon", "there is no theme"),
    ] {
        write(&mut app, &format!(":{line}"));
        assert_eq!(press(&mut app, KeyCode::Enter), None);
        assert!(screen(&mut app, 100, 30).contains(says), "{line}");
    }
    write(&mut app, ":theme hive-dark");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.cx.theme.name(), "hive-dark");
}

#[test]
fn the_kill_switch_is_a_chord_within_two_seconds() {
    let mut app = app();
    assert_eq!(chord(&mut app), None);
    assert_eq!(chord(&mut app), Some(Request::Command(Command::Kill)));
    assert_eq!(chord(&mut app), None);
    app.tick(Duration::from_secs(3), None);
    assert_eq!(chord(&mut app), None, "too late: it begins anew");
    press(&mut app, KeyCode::Down);
    assert_eq!(chord(&mut app), None, "another key breaks it");
    press(&mut app, KeyCode::Char('f'));
    chord(&mut app);
    assert_eq!(chord(&mut app), Some(Request::Command(Command::Kill)), "a dialog does not stand in its way");
}

#[test]
fn a_latch_says_the_way_back() {
    for (set, way) in [(true, ":reset releases it"), (false, ":resume all ends it")] {
        let mut app = with(|c| {
            (c.account.killed, c.account.flat) = (set, !set);
            c.account.run = "halted".to_owned();
            c.account.reason = Some("the operator asked for it".to_owned());
        });
        for (w, h) in [(160, 48), (100, 30), (80, 24)] {
            let seen = screen(&mut app, w, h);
            assert!(seen.contains("HALTED") && seen.contains(way), "{w}×{h}\n{seen}");
        }
    }
}

#[test]
fn a_filter_narrows_what_has_the_focus_and_esc_clears_it() {
    let mut app = app();
    write(&mut app, "/agent1");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.cx.agents().len(), 10);
    assert_eq!(press(&mut app, KeyCode::Char('m')), Some(Request::Command(Command::Mute(AgentId(10)))));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.cx.agents().len(), 36);
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Char('/'));
    app.paste("#200\nq");
    assert_eq!((app.cx.messages().len(), app.is_leaving()), (1, false));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.cx.messages().len(), 200);
}

#[test]
fn pasted_text_presses_no_key() {
    let mut app = app();
    app.paste("q");
    app.paste("p\n");
    assert!(!app.is_leaving() && app.question().is_none());
}

#[test]
fn who_may_only_look_is_told_so() {
    let mut app = app();
    app.sent(Err(SendError::ReadOnly));
    assert!(screen(&mut app, 100, 30).contains("READ-ONLY"));
    for key in ['p', 'm', 'f'] {
        assert_eq!(press(&mut app, KeyCode::Char(key)), None);
        assert!(app.question().is_none() && screen(&mut app, 100, 30).contains("read-only"), "{key}");
    }
    chord(&mut app);
    assert_eq!(chord(&mut app), None);
    write(&mut app, ":stop");
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    assert!(app.question().is_none());
    assert!(press(&mut app, KeyCode::Enter).is_some(), "looking is allowed");
}

#[test]
fn pulses_are_messages_of_new_decisions_and_then_it_is_still() {
    let mut app = app();
    assert!(
        app.pane::<NetworkPane>().unwrap().pulses.is_empty(),
        "what was before the first picture does not move"
    );
    app.hear(News::Cockpit(Box::new(picture(2))));
    assert_eq!(app.pane::<NetworkPane>().unwrap().pulses.len(), network::PULSES_MAX);
    assert!(app.pane::<NetworkPane>().unwrap().pulses.iter().all(|p| p.message.0 > 0 && p.decision.0 >= 200));
    app.tick(Duration::from_secs(2), None);
    assert!(app.pane::<NetworkPane>().unwrap().pulses.is_empty());
    let _ = screen(&mut app, 160, 48);
    assert!(!app.is_dirty());
    for ms in (2_500..8_000).step_by(33) {
        app.tick(Duration::from_millis(ms), Some(Duration::from_millis(ms % 4_000)));
        assert!(!app.is_dirty(), "nothing changed: nothing is drawn");
    }
}

#[test]
fn what_pulses_leave_behind_is_what_a_whole_frame_draws() {
    let mut app = app();
    let mut painter = Painter::new(Terminal::new(TestBackend::new(160, 48)).unwrap());
    let (mut moved, mut last) = (0, Buffer::default());
    for n in 0..90_u64 {
        if n % 30 == 5 {
            app.hear(News::Cockpit(Box::new(picture(2 + n))));
        }
        app.tick(Duration::from_millis(33 * n), Some(Duration::ZERO));
        let only = app.only_moves();
        painter.draw(&mut app).unwrap();
        let now = painter.backend().buffer().clone();
        moved += u32::from(only && now != last);
        app.touch();
        let mut whole = Painter::new(Terminal::new(TestBackend::new(160, 48)).unwrap());
        whole.draw(&mut app).unwrap();
        assert_eq!(&now, whole.backend().buffer(), "frame {n}");
        last = now;
    }
    assert!(moved > 20, "pulses ran: {moved}");
}

#[test]
fn an_edge_opens_the_decision_behind_it() {
    let mut app = app();
    press(&mut app, KeyCode::Char('3'));
    let edge = edges::influence(&app.cx)[0].clone();
    assert!(screen(&mut app, 160, 48).contains(&format!("decision #{}", edge.decision.0)));
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(edge.to))));
    assert_eq!(app.cx.open, Some((edge.to, Some(edge.decision))));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Down);
    assert_ne!(chosen_edge(&app).map(|e| (e.from, e.to)), Some((edge.from, edge.to)));
}

#[test]
fn messages_stop_under_the_cursor_and_follow_again() {
    let mut app = app();
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Up);
    assert_eq!(app.pane::<MessagesPane>().unwrap().cursor, Some(MessageId(200)));
    press(&mut app, KeyCode::Up);
    assert_eq!(app.pane::<MessagesPane>().unwrap().cursor, Some(MessageId(199)));
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(AgentId(1)))));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Char('G'));
    assert_eq!(app.pane::<MessagesPane>().unwrap().cursor, None);
}

#[test]
fn one_pane_alone_and_back() {
    let mut app = app();
    press(&mut app, KeyCode::Char('z'));
    let seen = screen(&mut app, 160, 48);
    assert!(seen.contains("Agent35") && !seen.contains("drawdown 15.5 % now"), "{seen}");
    assert!(!seen.contains("╭ pnl"));
    press(&mut app, KeyCode::Esc);
    assert!(screen(&mut app, 160, 48).contains("╭ pnl"));
}

#[test]
fn a_lost_swarm_is_said_over_the_whole_width_and_comes_back() {
    let mut app = app();
    app.tick(Duration::from_secs(9), Some(Duration::from_secs(8)));
    assert!(screen(&mut app, 160, 48).contains("data 8 s old"));
    app.hear(News::Lost("its socket is gone".to_owned()));
    for (w, h) in [(160, 48), (100, 30), (80, 24)] {
        let seen = screen(&mut app, w, h);
        assert!(seen.contains("SWARM LOST · last heard 8 s ago · its socket is gone"), "{seen}");
    }
    app.tick(Duration::from_secs(10), Some(Duration::from_secs(9)));
    assert!(app.is_dirty(), "its age goes on");
    app.hear(News::Cockpit(Box::new(picture(9))));
    app.tick(Duration::from_secs(10), Some(Duration::ZERO));
    assert!(app.pane::<NetworkPane>().unwrap().pulses.is_empty(), "what was decided meanwhile does not move");
    assert!(!screen(&mut app, 160, 48).contains("LOST"));
    app.hear(News::Ended("the market has ended".to_owned()));
    let seen = screen(&mut app, 100, 30);
    assert!(seen.contains("ENDED · the market has ended") && seen.contains("Agent00"));
}

#[test]
fn a_dialog_takes_every_key() {
    let mut app = app();
    write(&mut app, ":stop");
    press(&mut app, KeyCode::Enter);
    write(&mut app, "qq");
    assert!(!app.is_leaving());
    assert!(screen(&mut app, 120, 30).contains("and enter:  qq"));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.question(), None);
}

fn in_lab(page: LabPage) -> App {
    let mut app = with(|c| {
        c.emergence = Some(Emergence {
            gain: 0.25,
            from: -0.5,
            to: 1.0,
            more: 3.0,
            less: 1.0,
            over_net_eq: 0.1,
            netting: 0.15,
            listening: 0.06,
            services: 0.04,
            wanted: 7_954,
            turnover_alone: 67.0,
            turnover: 43.0,
        });
        c.days = 412;
    });
    assert_eq!(press(&mut app, KeyCode::Char('l')), Some(Request::Lab(true)));
    assert!(screen(&mut app, 80, 24).contains("asking the swarm"));
    app.hear(News::Lab(Box::new(page)));
    app
}

/// Everything of a page, line by line as it is scrolled through.
fn read_through(app: &mut App, width: u16, height: u16) -> String {
    press(app, KeyCode::Home);
    let (mut all, mut before) = (String::new(), String::new());
    loop {
        let seen = screen(app, width, height);
        if seen == before {
            return all;
        }
        all += &seen;
        before = seen;
        press(app, KeyCode::Down);
    }
}

#[test]
fn the_lab_shows_what_came_out_at_every_size() {
    for (width, height) in [(160, 48), (100, 30), (80, 24), (60, 16)] {
        let mut app = in_lab(lab());
        let all = read_through(&mut app, width, height);
        for word in [
            "last run 3 h ago",
            "▲ Talking helps here: +0.31 Sharpe",
            "HISTORY perps · 4h bars",
            "2024-12-31",
            "12 seeds",
            "flat 7",
            "the hive less",
            "the ladder",
            "hive λ=1",
            "73.8×",
            "E now",
            "412 days: not yet certain",
            "netting +0.15",
            "7,954 orders wanted",
            "1 of 2 fail",
            "time-shifted",
            "✓ pass",
            "✗ FAIL",
            "* its own gain",
            " 276 voices",
            "λ 0.50",
            "+0.22",
            "in words",
        ] {
            assert!(all.contains(word), "{width}×{height} lacks {word}\n{all}");
        }
        assert!(!all.contains("another roster"), "{all}");
    }
}

#[test]
fn differences_are_drawn_around_nought_and_stand_below_each_other() {
    let mut app = in_lab(lab());
    let seen = screen(&mut app, 80, 24);
    for line in [
        "│         -1           0           +1   ΔSR  95 %           drawdown      won  │",
        "│ alone   ·············┊··━━━━━◆━━━━━ +0.60  +0.20 … +1.00     -13 %    11/12  │",
        "│ net-eq  ·············┊╺━━◆━━╸······ +0.30  +0.10 … +0.50     -13 %    11/12  │",
        "│ net-all ········━━━━━◆━━━━━········ +0.00  -0.40 … +0.40     -13 %    11/12  │",
        "│ tsmom6  ····━━◆━━╸···┊············· -0.50  -0.70 … -0.30     -13 %    11/12  │",
        "│ E now   ······╺━━━━━━┿━━◆━━━━━━━━━━ +0.25  -0.50 … +1.00                     │",
    ] {
        assert!(seen.contains(line), "lacks\n{line}\n{seen}");
    }
}

#[test]
fn without_a_result_the_lab_says_what_to_type_and_a_bad_one_is_not_hidden() {
    for (width, height) in [(160, 48), (100, 30), (80, 24)] {
        let page = LabPage { run: None, ..lab() };
        let seen = screen(&mut in_lab(page.clone()), width, height);
        for word in ["no experiment was run yet", "hive lab --feed history:perp.csv.gz", "E now", "+0.25"] {
            assert!(seen.contains(word), "{width}×{height} lacks {word}\n{seen}");
        }
        let trouble = Some("the last result in lab cannot be read: cut short".to_owned());
        let seen = screen(&mut in_lab(LabPage { trouble, ..page }), width, height);
        assert!(seen.contains("cannot be read: cut short") && !seen.contains("no experiment"), "{seen}");
    }
}

#[test]
fn a_result_that_is_not_of_this_hive_or_old_or_no_evidence_says_so() {
    let mut page = lab();
    if let Some(run) = &mut page.run {
        (run.other_roster, run.other_market, run.reproduction, run.age_min) = (true, true, true, 90 * 1_440);
    }
    let seen = screen(&mut in_lab(page.clone()), 160, 48);
    for word in ["90 days ago", "another roster", "another market", "of this hive: hive lab", "reproduction"]
    {
        assert!(seen.contains(word), "lacks {word}\n{seen}");
    }
    if let Some(run) = &mut page.run {
        (run.other_market, run.controls) = (false, Vec::new());
    }
    let seen = screen(&mut in_lab(page), 160, 48);
    assert!(seen.contains("other settings than this hive has") && seen.contains("none was run"), "{seen}");
}

#[test]
fn the_lab_covers_the_panes_and_no_key_acts_behind_it() {
    let mut app = in_lab(lab());
    for key in ['p', 'm', 'f', 's', '/', 'z'] {
        assert_eq!(press(&mut app, KeyCode::Char(key)), None, "{key}");
        assert!(
            app.question().is_none() && app.layer::<CommandLine>().is_none() && !app.arrangement.zoomed,
            "{key}"
        );
        assert!(screen(&mut app, 100, 30).contains("esc closes it first"), "{key}");
    }
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    press(&mut app, KeyCode::End);
    let _ = screen(&mut app, 160, 24);
    let scroll = app.layer::<LabLayer>().unwrap().scroll;
    assert!(scroll < 100, "it stops at its end: {scroll}");
    assert_eq!(press(&mut app, KeyCode::Esc), Some(Request::Lab(false)));
    assert!(screen(&mut app, 160, 48).contains("╭ pnl"));
    write(&mut app, ":la");
    press(&mut app, KeyCode::Tab);
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Lab(true)));
    assert_eq!(press(&mut app, KeyCode::Char('l')), Some(Request::Lab(false)));
    press(&mut app, KeyCode::Char('l'));
    assert_eq!(press(&mut app, KeyCode::Char('3')), Some(Request::Lab(false)));
    assert_eq!((app.cx.focus, app.layer::<LabLayer>().is_some()), (network::ID, false));
    // An answer that was on its way opens nothing.
    app.hear(News::Lab(Box::new(lab())));
    assert!(app.cx.lab.is_none() && app.layer::<LabLayer>().is_none());
}

#[test]
fn a_result_that_is_sent_again_is_not_drawn_again() {
    let mut app = in_lab(lab());
    let _ = screen(&mut app, 100, 30);
    app.tick(Duration::from_secs(3), None);
    let _ = screen(&mut app, 100, 30);
    app.hear(News::Lab(Box::new(lab())));
    assert!(!app.is_dirty());
    let mut older = lab();
    older.run.as_mut().unwrap().age_min += 1;
    app.hear(News::Lab(Box::new(older)));
    assert!(app.is_dirty());
}

#[test]
fn who_is_in_quarantine_is_told_from_who_is_muted() {
    let mut app = with(|c| {
        (c.agents[0].state, c.agents[0].voice) = (AgentState::Quarantined, 0.0);
        c.agents[1].state = AgentState::OnProbation;
        c.agents[2].state = AgentState::Muted;
    });
    for (width, height) in [(160, 48), (100, 30)] {
        let seen = screen(&mut app, width, height);
        for word in ["⊗", "quarantined ", "◍", "on probation", "⊘"] {
            assert!(seen.contains(word), "{width}×{height} lacks {word}\n{seen}");
        }
    }
    let seen = screen(&mut app, 160, 48);
    assert!(seen.contains("voice infl%") && seen.contains(" 1.04   3.2 "), "{seen}");
    write(&mut app, "/quarant");
    assert_eq!(app.cx.agents().len(), 1);
    press(&mut app, KeyCode::Esc);
    app.cx.sort = super::context::Sort::State;
    let order: Vec<_> = app.cx.agents().iter().map(|a| a.state.rank()).collect();
    assert!(order.is_sorted_by(|a, b| a >= b));
}

/// A guard: pictures are bytes to whoever is attached, and another layout of them is another protocol.
#[test]
fn another_layout_of_the_pictures_is_another_version_of_the_protocol() {
    use crate::view::cockpit::TopicKind as T;
    // A topic that comes later has a number on the wire, too: raise the version, and name it here.
    let number = |kind: T| match kind {
        T::Open
        | T::Increase
        | T::Decrease
        | T::Close
        | T::Outcome
        | T::Stance
        | T::Goal
        | T::Adjustment
        | T::Carry
        | T::Receipt
        | T::Work
        | T::Amend
        | T::Wait
        | T::Rest => kind as u8,
    };
    assert_eq!(number(T::Rest), 13);
    let version = include_str!("../wire/lib.rs").lines().find(|l| l.starts_with("pub const VERSION"));
    let page = panes::page_of(1);
    let layout = crate::domain::digest::hash(&(picture(1), page, lab())).unwrap().to_hex().to_string();
    assert_eq!(
        (version, &layout[..16]),
        (Some("pub const VERSION: u16 = 11;"), "c0261af2b800adb4"),
        "raise VERSION of src/wire/lib.rs, then write both here"
    );
}
