//! The cockpit: draws what it is sent and sends what it is asked. Knows nothing of the engine.
//!
//! - [`run`]: takes the terminal and watches a [`SwarmLink`](crate::view::link::SwarmLink) until told to leave. [`plain`]: the same as lines.
//! - [`app`]: keys in, requests out, and the stack of layers. No terminal, no clock: time is given.
//! - [`pane`]: what a pane is; `panes` lists them, and each is a file of its own with its own cursor. [`context`]: what
//!   they all look at. [`arrangement`]: which of them is where.
//! - [`keymap`], [`user_config`]: which key does what, and a person's own settings. `time`: back and forward in time.
//! - [`draw`]: a frame, at any size.
//!
//! # Invariants
//!
//! 1. It draws only when something changed, at most [`FPS_MAX`] times a second, and at once what a key did.
//! 2. Pasted text never presses a key.
//! 3. A pulse is a message that a decision names, or a receipt on its way to the desk; nothing else moves.
//! 4. Never: pretends that something was done before the answer says so.

// By their names, as every room is called.
use crate as tui;
use hive_domain as domain;
use hive_view as view;

pub mod action;
pub mod app;
pub mod arrangement;
mod candles;
pub mod capture;
pub mod context;
pub mod draw;
mod footer;
mod header;
mod interval;
pub mod keymap;
pub mod layers;
mod line;
mod lines;
mod looks;
pub mod moment;
mod operator;
pub mod painter;
pub mod pane;
pub mod panes;
pub mod plain;
mod raster;
#[cfg(test)]
mod sample;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
mod time;
pub mod user_config;
mod watch;
mod words;

pub use moment::moment;
pub use watch::{FPS_MAX, Setup, run};
