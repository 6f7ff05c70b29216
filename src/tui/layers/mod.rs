//! The layers that there are: what lies over the panes until it is closed. Each is a pane of its own, opened by the
//! cockpit's keys in `app`.

pub mod command_line;
pub mod dialog;
pub mod help;
pub mod lab;
pub mod log;
pub mod page;
