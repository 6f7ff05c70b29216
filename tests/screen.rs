//! From the engine to the screen: every pulse is a message that a decision names, and colours say what
//! the words say. Colours are looked at through a terminal in memory, since text is blind to them.

// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hive::config::setup;
use hive::domain::{Event, MessageId, MessageKind};
use hive::engine::{Engine, Outputs};
use hive::market::feed::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::{RecordedRun, Recorder};
use hive::tui::app::App;
use hive::tui::painter::Painter;
use hive::tui::panes::network::NetworkPane;
use hive::tui::panes::{agents, edges};
use hive::tui::theme::Theme;
use hive::view::Cockpit;
use hive::view::cockpit::MarketMode;
use hive::view::link::{News, Request};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

/// Lives through some days; calls back at every barrier with a picture.
fn live(days: u32, deaf: bool, mut each: impl FnMut(&Recorder, &Engine, Cockpit, &Outputs)) {
    let mut config = hive::config::shipped().unwrap();
    config.listening.enabled = !deaf;
    let mut feed = SynthFeed::new(SynthSettings { bars_days: days, ..SynthSettings::default() }).unwrap();
    let mut engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
    let mut recorder = Recorder::new(&engine);
    let mut out = Outputs::default();
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        recorder.observe(&engine, &event, &out);
        if matches!(event, Event::Barrier(_)) {
            let picture = recorder.picture(&engine, &RecordedRun::default());
            each(&recorder, &engine, picture, &out);
        }
    }
}

fn app(theme: &str, colours: bool) -> App {
    App::new(Theme::shipped(theme, colours).unwrap(), colours)
}

fn press(app: &mut App, code: KeyCode) -> Option<Request> {
    app.key(&KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn every_pulse_is_a_message_that_its_decision_names_and_enter_opens_that_decision() {
    let mut app = app("terminal", true);
    let mut because: BTreeMap<MessageId, Vec<MessageId>> = BTreeMap::new();
    let (mut pulses, mut opened, mut now) = (0, 0, Duration::ZERO);
    live(60, false, |recorder, engine, picture, out| {
        for m in &out.messages {
            if let MessageKind::Stance(s) = &m.body {
                because.insert(m.id, s.because.iter().flatten().copied().collect());
            } else if !m.swayed.is_empty() {
                because.insert(m.id, m.swayed.iter().flat_map(|s| &s.causes).map(|c| c.message).collect());
            }
        }
        now += Duration::from_secs(5);
        app.tick(now, Some(Duration::ZERO));
        app.hear(News::Cockpit(Box::new(picture)));
        for p in &network(&app).pulses {
            assert!(because[&p.decision].contains(&p.message), "{p:?}");
            pulses += 1;
        }
        if network(&app).pulses.is_empty() || opened > 20 {
            return;
        }
        // The newest decision is the first under the cursor.
        app.focus_on(agents::ID);
        app.pane_mut::<NetworkPane>().unwrap().cursor = None;
        press(&mut app, KeyCode::Char('3'));
        let edge = network(&app).cursor.as_ref().unwrap().influence(&app.cx).unwrap().clone();
        assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(edge.to))));
        let page = recorder.page(engine, edge.to).unwrap();
        let why = page.why.iter().find(|w| w.message == edge.decision).unwrap();
        assert!(why.because.iter().any(|(id, _)| *id == edge.message));
        app.hear(News::Page(Box::new(page)));
        let seen = shown(&mut app, 160, 48).contents();
        assert!(seen.contains(&format!("#{}", edge.decision.0)), "{seen}");
        assert!(seen.contains(&format!("because of #{}", edge.message.0)), "{seen}");
        press(&mut app, KeyCode::Esc);
        opened += 1;
    });
    assert!(pulses > 500 && opened > 10, "{pulses} {opened}");
}

fn network(app: &App) -> &NetworkPane {
    app.pane().unwrap()
}

#[test]
fn with_the_deaf_nothing_moves() {
    let mut app = app("terminal", true);
    live(40, true, |_, _, picture, _| {
        app.hear(News::Cockpit(Box::new(picture)));
        assert!(network(&app).pulses.is_empty() && edges::influence(&app.cx).is_empty());
    });
    assert!(shown(&mut app, 160, 48).contents().contains("nobody listens"));
}

#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A terminal in memory.
fn vt100(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

/// What a terminal shows of the app.
fn shown(app: &mut App, width: u16, height: u16) -> vt100::Screen {
    let bytes = Bytes::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let terminal =
        Terminal::with_options(CrosstermBackend::new(bytes.clone()), TerminalOptions { viewport }).unwrap();
    // The terminal is new: whatever the app thinks was drawn is not on it.
    app.touch();
    Painter::new(terminal).draw(app).unwrap();
    let mut parser = vt100(height, width);
    parser.process(&bytes.0.borrow());
    parser.screen().clone()
}

/// A picture of some weeks, in a mode.
fn picture(mode: MarketMode) -> Cockpit {
    let mut last = None;
    live(30, false, |_, _, picture, _| last = Some(picture));
    Cockpit { mode, ..last.unwrap() }
}

/// The colours of the cells whose text is one of these.
fn inks(screen: &vt100::Screen, glyphs: &[&str]) -> Vec<vt100::Color> {
    let (rows, columns) = screen.size();
    let cells = (0..rows.get()).flat_map(|y| (0..columns.get()).filter_map(move |x| screen.cell(y, x)));
    // The row under the cursor is reversed as a whole.
    cells.filter(|c| glyphs.contains(&c.contents()) && !c.inverse()).map(vt100::Cell::fgcolor).collect()
}

#[test]
fn gains_and_losses_have_their_sign_and_their_colour() {
    let mut app = app("terminal", true);
    app.hear(News::Cockpit(Box::new(picture(MarketMode::Synth))));
    press(&mut app, KeyCode::Char('3'));
    let screen = shown(&mut app, 80, 24);
    assert!(screen.contents().contains("network"));
    app.focus_on(agents::ID);
    let screen = shown(&mut app, 80, 24);
    let (up, down) = (inks(&screen, &["▲"]), inks(&screen, &["▼"]));
    assert!(!up.is_empty() && !down.is_empty(), "{}", screen.contents());
    assert!(up.iter().all(|c| *c == vt100::Color::Idx(2)), "{up:?}");
    assert!(down.iter().all(|c| *c == vt100::Color::Idx(1)), "{down:?}");
}

#[test]
fn each_mode_has_its_word_its_colour_and_its_stroke() {
    for (mode, word, colour, stroke) in [
        (MarketMode::Synth, " SYNTH ", 5, "┄"),
        (MarketMode::History, " HISTORY ", 4, "╌"),
        (MarketMode::Paper, " PAPER ", 3, "═"),
        (MarketMode::Live, " LIVE ", 1, "━"),
    ] {
        let mut app = app("terminal", true);
        app.hear(News::Cockpit(Box::new(picture(mode))));
        for (w, h) in [(160, 48), (100, 30), (80, 24)] {
            let screen = shown(&mut app, w, h);
            assert!(screen.contents().starts_with(word), "{}", screen.contents());
            let badge = screen.cell(0, 1).unwrap();
            assert!(badge.inverse() && badge.fgcolor() == vt100::Color::Idx(colour), "{word}");
            let rule = screen.cell(2, w - 1).unwrap();
            assert_eq!((rule.contents(), rule.fgcolor()), (stroke, vt100::Color::Idx(colour)));
        }
    }
}

#[test]
fn what_is_lost_is_grey_and_its_banner_is_not() {
    let mut app = app("hive-dark", true);
    app.hear(News::Cockpit(Box::new(picture(MarketMode::Synth))));
    app.tick(Duration::from_secs(20), Some(Duration::from_secs(12)));
    app.hear(News::Lost("its socket is gone".to_owned()));
    let screen = shown(&mut app, 160, 48);
    assert!(screen.contents().contains("SWARM LOST · last heard 12 s ago"));
    let fog = vt100::Color::Rgb(0x59, 0x60, 0x6d);
    for y in 3..47 {
        for x in 0..160 {
            let cell = screen.cell(y, x).unwrap();
            assert!(
                cell.contents().trim().is_empty() || cell.fgcolor() == fog,
                "{y} {x} {:?}",
                cell.contents()
            );
        }
    }
    assert_eq!(screen.cell(2, 1).unwrap().bgcolor(), vt100::Color::Rgb(0xea, 0x6b, 0x73));
}

#[test]
fn without_colours_there_is_none_and_everything_is_still_said() {
    let picture = picture(MarketMode::Paper);
    for name in ["terminal", "hive-dark", "mono"] {
        let mut app = app(name, false);
        app.hear(News::Cockpit(Box::new(picture.clone())));
        let screen = shown(&mut app, 160, 48);
        for y in 0..48 {
            for x in 0..160 {
                let cell = screen.cell(y, x).unwrap();
                let none = (vt100::Color::Default, vt100::Color::Default);
                assert_eq!((cell.fgcolor(), cell.bgcolor()), none, "{name} {y} {x}");
            }
        }
        assert!(screen.contents().contains("▼") && screen.contents().contains("PAPER"));
    }
}
