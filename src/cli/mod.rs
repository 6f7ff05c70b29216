//! The command line: one file a verb, in `verbs`; beside them what several verbs share. Decides nothing about trading.
//!
//! Exit codes: 0 done · 1 failed · 2 usage or configuration · 3 refused for safety · 4 not running.

mod checkpoint;
mod cockpit;
mod command_line;
mod endpoint;
mod experiments;
mod failure;
mod held_out_looks;
mod lab_results;
mod logging;
mod mistakes;
mod options;
mod output;
mod report;
mod report_page;
mod run;
mod serve;
mod start;
mod table;
mod trades_file;
mod verbs;

pub use command_line::{Cli, run};
pub use failure::Failure;
pub use output::{complain, finish};
