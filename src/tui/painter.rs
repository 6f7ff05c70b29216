//! Brings frames to a terminal. A whole frame goes through the terminal's own diff. A frame in which
//! nothing but pulses moves does not: the few cells that they leave and enter are written past it, since
//! comparing every cell of a large screen costs more than all else.
//!
//! # Invariants
//!
//! 1. What the terminal shows is `still` with the cells of `over` on top; before a whole frame is drawn,
//!    they are put back, so the terminal's diff always starts from what is there.
//! 2. After the same app, the screen is the same whichever way it came (a test compares).

use super::app::App;
use super::draw::draw;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::buffer::{Buffer, Cell};
use std::collections::BTreeMap;

/// Cells by row and column.
type Cells = BTreeMap<(u16, u16), Cell>;

/// A terminal and what was brought to it.
pub struct Painter<B: Backend> {
    terminal: Terminal<B>,
    /// The last whole frame, without pulses.
    still: Buffer,
    /// The pulses that are shown.
    over: Cells,
}

impl<B: Backend> Painter<B> {
    /// For a terminal that is empty.
    pub fn new(terminal: Terminal<B>) -> Self {
        Painter { terminal, still: Buffer::default(), over: Cells::new() }
    }

    /// Where it draws.
    pub fn backend(&self) -> &B {
        self.terminal.backend()
    }

    /// Where it draws.
    pub fn backend_mut(&mut self) -> &mut B {
        self.terminal.backend_mut()
    }

    /// The last whole frame.
    pub fn still(&self) -> &Buffer {
        &self.still
    }

    /// Draws the app as it is now; nothing, where it is as it was.
    pub fn draw(&mut self, app: &mut App) -> Result<(), B::Error> {
        if !app.is_dirty() {
            return Ok(());
        }
        if !app.only_moves() {
            let back = self.over.keys().map(|&(y, x)| (x, y, &self.still[(x, y)]));
            self.terminal.backend_mut().draw(back)?;
            self.over.clear();
            let frame = self.terminal.draw(|f| draw(f, app))?;
            self.still.clone_from(frame.buffer);
        }
        app.drawn();
        self.pulses(app)
    }

    fn pulses(&mut self, app: &App) -> Result<(), B::Error> {
        let mut over = Cells::new();
        app.overlay(&mut |x, y, glyph, style| {
            if let Some(cell) = self.still.cell((x, y)) {
                over.entry((y, x)).or_insert_with(|| cell.clone()).set_symbol(glyph).set_style(style);
            }
        });
        let left = self.over.keys().filter(|at| !over.contains_key(at));
        let left = left.map(|&(y, x)| (x, y, &self.still[(x, y)]));
        let entered = over.iter().filter(|(at, cell)| self.over.get(at) != Some(cell));
        let entered = entered.map(|(&(y, x), cell)| (x, y, cell));
        let mut moved: Vec<(u16, u16, &Cell)> = left.chain(entered).collect();
        if !moved.is_empty() {
            // Row by row, so that neighbours need no move of the cursor.
            moved.sort_unstable_by_key(|&(x, y, _)| (y, x));
            self.terminal.backend_mut().draw(moved.into_iter())?;
            self.terminal.backend_mut().flush()?;
        }
        self.over = over;
        Ok(())
    }
}
