//! The cockpit: draws what it is sent and sends what it is asked. Knows nothing of the engine.
//!
//! - [`run`]: takes the terminal and watches a [`Link`] until told to leave.
//! - `app`: what is selected, open, said; keys in, requests out. No terminal, no clock: time is given.
//! - `draw` and its panes: pure functions of `app`, at any size.
//!
//! # Invariants
//!
//! 1. It draws only when something changed, at most [`FPS_MAX`] times a second.
//! 2. Pasted text never presses a key.
//! 3. A pulse is a message that a decision names; nothing else moves along an edge.
//! 4. Never: pretends that something was done before the answer says so.

pub mod action;
mod app;
mod draw;
mod network;
mod page;
mod panes;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
mod words;

use crate::view::link::Link;
use app::App;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use std::io;
use std::time::{Duration, Instant};
use theme::Theme;

/// Most frames a second.
pub const FPS_MAX: u64 = 30;
const FRAME: Duration = Duration::from_millis(1_000 / FPS_MAX);

/// Watches until the person leaves, a signal comes, or the terminal is gone.
pub fn run(link: &mut dyn Link, theme: Theme, colours: bool) -> io::Result<()> {
    let mut guard = terminal::Guard::take()?;
    let mut app = App::new(theme, colours);
    let start = Instant::now();
    let mut drawn: Option<Instant> = None;
    while !app.is_leaving() && !guard.ended() {
        app.tick(start.elapsed(), link.age());
        while let Some(news) = link.poll() {
            app.hear(news);
        }
        if app.is_dirty() && drawn.is_none_or(|d| d.elapsed() >= FRAME) {
            guard.draw(|frame| draw::draw(frame, &mut app))?;
            drawn = Some(Instant::now());
        }
        // All keys that are there, then one frame.
        let mut wait = FRAME;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if let Some(request) = app.key(&key) {
                        let sent = link.send(request);
                        app.sent(sent);
                    }
                }
                Event::Resize(..) => app.touch(),
                _ => {}
            }
        }
    }
    Ok(())
}
