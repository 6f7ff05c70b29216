//! What is written for the person at the terminal, and into the log beside it.

use super::failure::Failure;
use crate::runtime::logs::one_line;
use std::io::Write;

/// Under this name the log has what is said here: whoever searches logs for it need not know the files.
const LOGGED_AS: &str = "hive::cli";

/// Says on standard error what went wrong. If nobody reads it, the exit code still tells.
pub fn complain(failure: &Failure) {
    tracing::error!(target: LOGGED_AS, code = failure.code(), "{}", one_line(&failure.to_string()));
    let _ = writeln!(std::io::stderr(), "hive: {failure}");
}

/// Tells the operator on standard error, also where nothing else is shown, and the log.
pub fn tell(news: &[String]) {
    for line in news {
        tracing::info!(target: LOGGED_AS, "{}", one_line(line));
        let _ = writeln!(std::io::stderr(), "hive: {line}");
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("writing to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
