//! The loop of the cockpit: takes the terminal, brings keys in and requests out, and draws what has changed.

use super::app::App;
use super::arrangement::PaneLayout;
use super::keymap::Keymap;
use super::theme::wardrobe::Wardrobe;
use super::theme::{self, ColorDepth, Theme};
use super::{capture, looks, terminal};
use crate::view::link::{Request, SwarmLink};
use crossterm::event::{self, Event, KeyEventKind};
use std::io;
use std::time::{Duration, Instant};

/// Most frames per second.
pub const FPS_MAX: u64 = 30;
/// Most frames per second over SSH, where the line may be slow.
pub const FPS_SSH: u64 = 10;
/// What a key did is drawn so soon after the frame before, however many frames a second there are.
const ANSWER: Duration = Duration::from_millis(12);
/// Between two looks at the file of the theme.
const LOOK: Duration = Duration::from_secs(1);
/// Set to a number, the cockpit panics when it has drawn so many frames: a test of what is left of the
/// terminal then. Nobody else sets it.
const TEST_PANIC: &str = "HIVE_TEST_PANIC";

fn from_env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// How a cockpit is to be.
pub struct Setup {
    /// What it wears first.
    pub theme: Theme,
    /// What else there is to wear.
    pub wardrobe: Wardrobe,
    /// Colours that there are; none: as the terminal says of itself.
    pub depth: Option<ColorDepth>,
    /// Which keys do what.
    pub keys: Keymap,
    /// The mouse is the cockpit's from the start.
    pub mouse: bool,
    /// Arrangements of panes; empty: those that are built in.
    pub views: Vec<PaneLayout>,
}

/// Watches until the person leaves, a signal comes, or the terminal is gone.
///
/// # Panics
///
/// Where `HIVE_TEST_PANIC` asks for it, and nowhere else.
pub fn run(link: &mut dyn SwarmLink, setup: Setup) -> io::Result<()> {
    let depth = setup.depth.unwrap_or_else(|| ColorDepth::guess(&from_env("COLORTERM"), &from_env("TERM")));
    let remote = std::env::var_os("SSH_CONNECTION").is_some();
    let frame_time = Duration::from_millis(1_000 / if remote { FPS_SSH } else { FPS_MAX });
    let doomed: Option<u64> = from_env(TEST_PANIC).parse().ok();
    let mut guard = terminal::Guard::take()?;
    let mut app = App::new(setup.theme.quantised(depth), setup.wardrobe.colours);
    app.cx.depth = Some(depth);
    (app.cx.wardrobe, app.cx.keymap, app.mouse) = (setup.wardrobe, setup.keys, setup.mouse);
    if !setup.views.is_empty() {
        app.arrangement.views = setup.views;
    }
    let start = Instant::now();
    let (mut drawn, mut looked): (Option<Instant>, Instant) = (None, start);
    // What a key did is shown as soon as the terminal can take it.
    let mut pressed = false;
    let due = |drawn: Option<Instant>, pressed: bool| {
        let apart = if pressed { frame_time.min(ANSWER) } else { frame_time };
        drawn.map_or(Duration::ZERO, |d| apart.saturating_sub(d.elapsed()))
    };
    while !app.is_leaving() && !guard.ended() {
        app.cx.read_only |= link.read_only();
        app.tick(start.elapsed(), link.age());
        while let Some(news) = link.poll() {
            app.hear(news);
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            looks::follow_theme(&mut app.cx);
        }
        guard.mouse(app.mouse)?;
        if let Some(text) = app.capture.copied.take() {
            terminal::copy(&text)?;
        }
        if app.is_dirty() && due(drawn, pressed).is_zero() {
            pressed = false;
            let began = Instant::now();
            let bytes = guard.draw(&mut app)?;
            drawn = Some(began);
            let s = &mut app.cx.stats;
            (s.frames, s.bytes, s.last_bytes) = (s.frames + 1, s.bytes + bytes, bytes);
            s.last_us = began.elapsed().as_micros() as u64;
            // Asked for by a test, to see that the terminal is given back.
            assert!(doomed.is_none_or(|n| app.cx.stats.frames < n), "{TEST_PANIC} is set");
            if let Some(name) = app.capture.shot.take() {
                match shoot(&name, guard.still()) {
                    Ok(()) => app.cx.say(format!("the screen is in {name}"), theme::StyleRole::Good),
                    Err(e) => app.cx.say(format!("{name}: {e}"), theme::StyleRole::Warn),
                }
            }
        }
        // All keys that are there, then one frame; and no longer than until it is due.
        let mut wait = if app.is_dirty() { due(drawn, pressed) } else { frame_time };
        while event::poll(wait)? {
            (wait, pressed) = (Duration::ZERO, true);
            if let Some(request) = take(&mut app, event::read()?) {
                let sent = link.send(request);
                app.sent(sent);
            }
            if guard.ended() {
                break;
            }
        }
    }
    Ok(())
}

/// What the terminal said, and what is to be sent of it.
fn take(app: &mut App, event: Event) -> Option<Request> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => return app.key(&key),
        Event::Mouse(event) => return app.pointer(&event),
        Event::Paste(text) => app.paste(&text),
        Event::Resize(..) => app.touch(),
        _ => {}
    }
    None
}

/// Writes the screen into a new file.
fn shoot(name: &str, screen: &ratatui::buffer::Buffer) -> io::Result<()> {
    let text =
        if capture::is_kind(name, "svg") { theme::paint::svg(screen) } else { theme::paint::ansi(screen) };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(name)?;
    io::Write::write_all(&mut file, text.as_bytes())
}
