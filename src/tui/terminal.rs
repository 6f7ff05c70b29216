//! The terminal while the cockpit has it. One guard takes it and gives it back: on drop, on panic, and
//! on SIGTERM, SIGINT and SIGHUP, which only raise a flag that ends the loop.

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, BufWriter, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes of a frame that are written at once.
const FRAME_BYTES: usize = 1 << 16;

/// Time between two looks at whether a signal came.
const LOOK: Duration = Duration::from_millis(200);
/// Time the loop has to end by itself after a signal.
const GRACE: Duration = Duration::from_millis(800);

/// Holds the terminal.
pub struct Guard {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    ended: Arc<AtomicBool>,
}

fn restore() {
    // On the way out there is nobody left to tell of a terminal that has gone.
    let _ = execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste, Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

/// Ends the process a little after a signal asked for it, if the loop has not done so by then: reading a
/// terminal that has gone can keep the event source busy for ever.
fn leave_in_any_case(ended: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(GRACE);
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
        std::panic::set_hook(Box::new(move |info| {
            // A panic of another thread is that thread's; the screen is ours.
            restore();
            before(info);
        }));
        enable_raw_mode()?;
        let terminal =
            Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout())));
        let taken = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide);
        match (terminal, taken) {
            (Ok(terminal), Ok(())) => Ok(Guard { terminal, ended }),
            (Err(e), _) | (_, Err(e)) => {
                restore();
                Err(e)
            }
        }
    }

    /// Whether a signal asked to end.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Draws a frame in one write.
    pub fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(draw)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}
