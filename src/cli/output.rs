//! What is written for the person at the terminal, and into the log beside it.

use super::failure::Failure;
use crate::domain::printable;
use crate::runtime::logs::one_line;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Under this name the log has what is said here: whoever searches logs for it need not know the files.
const LOGGED_AS: &str = "hive::cli";

/// Lines that may wait for whoever reads standard error; what comes beyond them is counted and not said.
const WAITING_MAX: usize = 256;
/// How long the end of the process waits for the last lines to be taken.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the thread that writes is handed.
enum Line {
    Text(String),
    /// All that came before it is written.
    Flushed(SyncSender<()>),
}

/// Standard error as this process writes to it: by a thread of its own, since a pipe that nobody reads holds up whoever
/// writes to it, and a run that cannot say something must still be stopped.
struct ErrorStream {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

static ERROR_STREAM: OnceLock<Option<ErrorStream>> = OnceLock::new();

fn error_stream() -> Option<&'static ErrorStream> {
    let start = || {
        let (lines, taken) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let writes = move || {
            for line in taken {
                match line {
                    Line::Text(text) => {
                        let lost = counted.swap(0, Ordering::Relaxed);
                        if lost > 0 {
                            let _ =
                                writeln!(std::io::stderr(), "hive: {lost} lines before this one had no room");
                        }
                        let _ = writeln!(std::io::stderr(), "{text}");
                    }
                    Line::Flushed(done) => {
                        let _ = done.try_send(());
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("hive says".to_owned()).spawn(writes);
        thread.is_ok().then_some(ErrorStream { lines, lost })
    };
    ERROR_STREAM.get_or_init(start).as_ref()
}

/// Says a line on standard error, and never waits for whoever reads it. Files, markets and servers have a word in what
/// is said, and none of them acts on the terminal.
pub fn say(line: &str) {
    say_as_it_is(&printable(line));
}

fn say_as_it_is(line: &str) {
    let text = format!("hive: {line}");
    match error_stream() {
        Some(stream) => {
            if stream.lines.try_send(Line::Text(text)).is_err() {
                stream.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Without a thread it is said here, and may wait.
        None => {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Waits until what was said is written, but not for long: nobody may be reading.
pub fn finish() {
    let Some(Some(stream)) = ERROR_STREAM.get() else { return };
    let (done, written) = sync_channel(1);
    if stream.lines.try_send(Line::Flushed(done)).is_ok() {
        let _ = written.recv_timeout(FAREWELL);
    }
}

/// Says on standard error what went wrong. If nobody reads it, the exit code still tells.
pub fn complain(failure: &Failure) {
    tracing::error!(target: LOGGED_AS, code = failure.code(), "{}", one_line(&failure.to_string()));
    match failure {
        // Its colours are ours, and the rest of it is made fit where it is drawn.
        Failure::Mistakes(drawn) => say_as_it_is(drawn),
        other => say(&other.to_string()),
    }
    finish();
}

/// Tells the operator on standard error, also where nothing else is shown, and the log.
pub fn tell(news: &[String]) {
    for line in news {
        tracing::info!(target: LOGGED_AS, "{}", one_line(line));
        say(line);
    }
}

/// Writes to standard output, without anything that a terminal would act on. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    // What was said before it stands before it where both go to one place.
    finish();
    match std::io::stdout().lock().write_all(printable(text).as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("writing to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
