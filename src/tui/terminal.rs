//! The terminal while the cockpit has it. One guard takes it and gives it back: on drop, on panic, and
//! on SIGTERM, SIGINT and SIGHUP, which only raise a flag that ends the loop. A terminal that has gone
//! without a signal raises the same flag.

use super::app::App;
use super::painter::Painter;
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::cell::Cell;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Bytes of a frame that are written at once.
const FRAME_BYTES: usize = 1 << 16;
/// Time between two looks at whether a signal came, or the terminal has gone.
const LOOK: Duration = Duration::from_millis(200);
/// Time the loop has to end by itself after a signal.
const GRACE: Duration = Duration::from_millis(800);

/// What is known of the writer beside it.
#[derive(Default)]
struct WriteMeter {
    bytes: Cell<u64>,
    /// A frame is being put together: nothing leaves before it is whole.
    held: Cell<bool>,
}

/// Counts what goes through, and keeps a frame in one piece.
struct CountedWriter {
    inner: BufWriter<Stdout>,
    meter: Rc<WriteMeter>,
}

impl Write for CountedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.meter.bytes.set(self.meter.bytes.get() + n as u64);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.meter.held.get() { Ok(()) } else { self.inner.flush() }
    }
}

/// Holds the terminal.
pub struct Guard {
    painter: Painter<CrosstermBackend<CountedWriter>>,
    meter: Rc<WriteMeter>,
    ended: Arc<AtomicBool>,
    mouse: bool,
}

fn restore() {
    // On the way out there is nobody left to tell of a terminal that has gone.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// Ends the process a little after a signal asked for it, if the loop has not done so by then: reading a
/// terminal that has gone can keep the event source busy for ever.
fn leave_in_any_case(ended: Arc<AtomicBool>) {
    thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
            // What was a terminal and is none any more has been hung up.
            if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
                ended.store(true, Ordering::Relaxed);
            }
        }
        thread::sleep(GRACE);
        restore();
        std::process::exit(0);
    });
}

impl Guard {
    /// Takes the terminal.
    pub fn take() -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&ended))?;
        }
        leave_in_any_case(Arc::clone(&ended));
        let before = std::panic::take_hook();
        let ours = thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            // The screen is ours: a panic of another thread is not written across it. That thread is
            // gone, which those who wait for it will notice.
            if thread::current().id() == ours {
                restore();
                before(info);
            }
        }));
        enable_raw_mode()?;
        let meter = Rc::new(WriteMeter::default());
        let inner = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        let out = CountedWriter { inner, meter: Rc::clone(&meter) };
        let terminal = Terminal::new(CrosstermBackend::new(out));
        let taken = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide);
        match (terminal, taken) {
            (Ok(terminal), Ok(())) => {
                Ok(Guard { painter: Painter::new(terminal), meter, ended, mouse: false })
            }
            (Err(e), _) | (_, Err(e)) => {
                restore();
                Err(e)
            }
        }
    }

    /// Whether a signal asked to end, or the terminal has gone.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The mouse is ours, or the terminal's.
    pub fn mouse(&mut self, ours: bool) -> io::Result<()> {
        if ours == self.mouse {
            return Ok(());
        }
        self.mouse = ours;
        if ours {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    /// The last whole frame.
    pub fn still(&self) -> &Buffer {
        self.painter.still()
    }

    /// Draws the app in one write, within a synchronised update; its bytes.
    pub fn draw(&mut self, app: &mut App) -> io::Result<u64> {
        let before = self.meter.bytes.get();
        self.meter.held.set(true);
        let drawn =
            queue!(self.painter.backend_mut(), BeginSynchronizedUpdate).and_then(|()| self.painter.draw(app));
        self.meter.held.set(false);
        drawn?;
        execute!(self.painter.backend_mut(), EndSynchronizedUpdate)?;
        Ok(self.meter.bytes.get() - before)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Brings text to the clipboard of whoever looks at the terminal, also over SSH: OSC 52.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(clipboard(text).as_bytes())?;
    out.flush()
}

/// The sequence that sets the clipboard. It ends with BEL, which old terminals and multiplexers know where
/// they do not know the string terminator that crossterm writes.
fn clipboard(text: &str) -> String {
    let mut sequence = String::new();
    // Writing to a string cannot fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    if let Some(length) = sequence.strip_suffix("\x1b\\").map(str::len) {
        sequence.truncate(length);
        sequence.push('\x07');
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_the_sequence_that_terminals_know() {
        for (text, letters) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("é\n", "w6kK")] {
            assert_eq!(clipboard(text), format!("\x1b]52;c;{letters}\x07"), "{text:?}");
        }
    }
}
