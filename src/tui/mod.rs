//! The cockpit: draws what it is sent and sends what it is asked. Knows nothing of the engine.
//!
//! - [`run`]: takes the terminal and watches a [`Link`] until told to leave.
//! - [`app`]: what is selected, open, said; `keys`: keys in, requests out. No terminal, no clock: time is
//!   given.
//! - [`draw`] and its panes: pure functions of the app, at any size.
//!
//! # Invariants
//!
//! 1. It draws only when something changed, at most [`FPS_MAX`] times a second.
//! 2. Pasted text never presses a key.
//! 3. A pulse is a message that a decision names; nothing else moves along an edge.
//! 4. Never: pretends that something was done before the answer says so.

pub mod action;
mod agents;
pub mod app;
mod candles;
pub mod draw;
pub mod force;
mod goals;
mod header;
mod keys;
mod lab;
mod messages;
mod network;
mod page;
pub mod painter;
mod pnl;
mod raster;
#[cfg(test)]
mod sample;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
mod whisker;
mod words;

use crate::view::link::Link;
use app::App;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use std::io;
use std::time::{Duration, Instant};
use theme::{Depth, Theme};

/// Most frames a second …
pub const FPS_MAX: u64 = 30;
/// … and over SSH, where the line may be slow.
pub const FPS_SSH: u64 = 10;
/// Set to a number, the cockpit panics when it has drawn so many frames: a test of what is left of the
/// terminal then. Nobody else sets it.
const TEST_PANIC: &str = "HIVE_TEST_PANIC";

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Watches until the person leaves, a signal comes, or the terminal is gone.
///
/// # Panics
///
/// Where `HIVE_TEST_PANIC` asks for it, and nowhere else.
pub fn run(link: &mut dyn Link, theme: Theme, colours: bool) -> io::Result<()> {
    let depth = Depth::guess(&told("COLORTERM"), &told("TERM"));
    let remote = std::env::var_os("SSH_CONNECTION").is_some();
    let frame_time = Duration::from_millis(1_000 / if remote { FPS_SSH } else { FPS_MAX });
    let doomed: Option<u64> = told(TEST_PANIC).parse().ok();
    let mut guard = terminal::Guard::take()?;
    let mut app = App::new(theme.quantised(depth), colours);
    app.depth = Some(depth);
    let start = Instant::now();
    let mut drawn: Option<Instant> = None;
    while !app.is_leaving() && !guard.ended() {
        app.read_only |= link.read_only();
        app.tick(start.elapsed(), link.age());
        while let Some(news) = link.poll() {
            app.hear(news);
        }
        if app.is_dirty() && drawn.is_none_or(|d| d.elapsed() >= frame_time) {
            let began = Instant::now();
            let bytes = guard.draw(&mut app)?;
            drawn = Some(began);
            let s = &mut app.stats;
            (s.frames, s.bytes, s.last_bytes) = (s.frames + 1, s.bytes + bytes, bytes);
            s.last_us = began.elapsed().as_micros() as u64;
            // Asked for by a test, to see that the terminal is given back.
            assert!(doomed.is_none_or(|n| app.stats.frames < n), "{TEST_PANIC} is set");
        }
        // All keys that are there, then one frame.
        let mut wait = frame_time;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if let Some(request) = app.key(&key) {
                        let sent = link.send(request);
                        app.sent(sent);
                    }
                }
                Event::Paste(text) => app.paste(&text),
                Event::Resize(..) => app.touch(),
                _ => {}
            }
            if guard.ended() {
                break;
            }
        }
    }
    Ok(())
}
