//! The lines that are typed: a command after `:`, and a filter after `/`.
//!
//! # Invariants
//!
//! 1. Pasted text goes into the filter or nowhere: it never presses a key.
//! 2. A filter holds from its first letter on; what was typed is kept with enter and dropped with escape.

use crate::tui::action::{self, ACTIONS, Takes, UserAction};
use crate::tui::context::{FilterOf, Hint, PaneContext, PaneId};
use crate::tui::line::TypedLine;
use crate::tui::pane::{Pane, PaneOutcome, boxed};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Most cells of the commands above the `:` line.
const COMMANDS: u16 = 92;
/// Completions that are listed.
const LISTED: usize = 8;

/// The line after `:`.
#[derive(Default)]
pub struct CommandLine {
    line: TypedLine,
}

/// The line after `/`.
pub struct FilterLine {
    line: TypedLine,
    of: FilterOf,
}

impl CommandLine {
    /// What is typed.
    #[cfg(test)]
    pub fn text(&self) -> &str {
        self.line.text()
    }

    /// What the line may become.
    pub fn completions(&self, cx: &PaneContext) -> Vec<String> {
        let agents = cx.cockpit.as_ref().map_or(&[][..], |c| &c.agents);
        let themes = cx.wardrobe.names();
        let themes: Vec<&str> = themes.iter().map(String::as_str).collect();
        action::complete(self.line.text().trim_start(), agents.iter().map(|a| a.name.as_str()), &themes)
    }

    fn complete(&mut self, cx: &PaneContext) {
        if let Some(whole) = self.completions(cx).into_iter().next() {
            let takes = ACTIONS.iter().find(|e| e.command == whole).map(|e| e.takes);
            let more = takes.is_some_and(|t| t != Takes::Nothing);
            self.line.set(&if more { whole + " " } else { whole });
        }
    }
}

/// Whether a key ends what is typed, whatever it was: escape, `ctrl-c`, or deleting nothing.
fn leaves(line: &TypedLine, key: &KeyEvent) -> bool {
    let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    match key.code {
        KeyCode::Esc => true,
        KeyCode::Char('c') => !plain,
        KeyCode::Backspace => line.text().is_empty(),
        _ => false,
    }
}

impl Pane for CommandLine {
    fn id(&self) -> PaneId {
        PaneId("command")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        Vec::new()
    }

    fn on_action(&mut self, _: &mut PaneContext, _: UserAction) -> PaneOutcome {
        PaneOutcome::Ignored
    }

    fn takes_keys(&self) -> bool {
        true
    }

    fn takes_footer(&self) -> bool {
        true
    }

    fn on_key(&mut self, cx: &mut PaneContext, key: &KeyEvent) -> PaneOutcome {
        match key.code {
            _ if leaves(&self.line, key) => return PaneOutcome::Close,
            KeyCode::Tab => self.complete(cx),
            KeyCode::Enter => {
                let text = self.line.text().to_owned();
                cx.history.remember(&text);
                return PaneOutcome::Run(text);
            }
            KeyCode::Up | KeyCode::Down => cx.history.recall(&mut self.line, key.code == KeyCode::Up),
            _ => self.line.key(key),
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        draw_completions(frame, cx, &self.completions(cx), area);
        let hint = "tab completes · ↑ brings back · enter does it · esc leaves";
        draw_line(frame, cx, (":", hint), &self.line, area);
    }
}

impl FilterLine {
    /// The line of a filter, with what it holds.
    pub fn new(of: FilterOf, text: &str) -> Self {
        let mut line = TypedLine::default();
        line.set(text);
        FilterLine { line, of }
    }

    /// What is typed holds at once.
    fn hold(&self, cx: &mut PaneContext) {
        self.line.text().clone_into(cx.filter(self.of));
    }
}

impl Pane for FilterLine {
    fn id(&self) -> PaneId {
        PaneId("filter")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        Vec::new()
    }

    fn on_action(&mut self, _: &mut PaneContext, _: UserAction) -> PaneOutcome {
        PaneOutcome::Ignored
    }

    fn takes_keys(&self) -> bool {
        true
    }

    fn takes_footer(&self) -> bool {
        true
    }

    fn on_key(&mut self, cx: &mut PaneContext, key: &KeyEvent) -> PaneOutcome {
        match key.code {
            _ if leaves(&self.line, key) => {
                cx.filter(self.of).clear();
                return PaneOutcome::Close;
            }
            KeyCode::Enter => return PaneOutcome::Close,
            KeyCode::Up => return PaneOutcome::ToFocused(UserAction::Up),
            KeyCode::Down => return PaneOutcome::ToFocused(UserAction::Down),
            _ => self.line.key(key),
        }
        self.hold(cx);
        PaneOutcome::Done
    }

    fn on_paste(&mut self, cx: &mut PaneContext, text: &str) -> bool {
        self.line.paste(text);
        self.hold(cx);
        true
    }

    fn stills(&self) -> bool {
        false
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        draw_line(frame, cx, ("/", "enter keeps · esc clears"), &self.line, area);
    }
}

/// Draws what is typed into the last line of the screen.
fn draw_line(
    frame: &mut Frame<'_>,
    cx: &PaneContext,
    (sign, hint): (&str, &str),
    line: &TypedLine,
    screen: Rect,
) {
    let t = &cx.theme;
    let area = Rect { y: screen.bottom().saturating_sub(1), height: screen.height.min(1), ..screen };
    let room = usize::from(area.width).saturating_sub(4);
    let (before, after) = line.shown(room);
    let used = before.chars().count() + after.chars().count() + 4;
    let mut spans = vec![
        Span::styled(format!(" {sign}"), t.of(StyleRole::Key)),
        Span::styled(before, t.of(StyleRole::Title)),
        Span::styled("▏", t.of(StyleRole::Focus)),
        Span::styled(after, t.of(StyleRole::Title)),
    ];
    if used + hint.chars().count() + 2 <= usize::from(area.width) {
        let gap = usize::from(area.width) - used - hint.chars().count();
        spans.push(Span::styled(" ".repeat(gap) + hint, t.of(StyleRole::Dim)));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Draws what the line may become, above it.
fn draw_completions(frame: &mut Frame<'_>, cx: &PaneContext, found: &[String], area: Rect) {
    let t = &cx.theme;
    if found.is_empty() {
        return;
    }
    let wide = found.iter().map(|f| f.chars().count()).max().unwrap_or(0).max(10);
    let room = usize::from(area.width.min(COMMANDS)).saturating_sub(wide + 5);
    let row = |(n, text): (usize, &String)| {
        let entry = ACTIONS.iter().find(|e| e.command == text.as_str());
        Line::from(vec![
            Span::styled(
                format!(" :{text:<wide$} "),
                t.of(if n == 0 { StyleRole::Focus } else { StyleRole::Title }),
            ),
            Span::styled(words::phrase(entry.map_or("", |e| e.help), room), t.of(StyleRole::Dim)),
        ])
    };
    let mut lines: Vec<Line<'_>> = found.iter().take(LISTED).enumerate().map(row).collect();
    if found.len() > LISTED {
        lines.push(Line::styled(format!("  and {} more", found.len() - LISTED), t.of(StyleRole::Dim)));
    }
    let height = (lines.len() as u16 + 2).min(area.height.saturating_sub(1));
    let at = Rect {
        x: area.x,
        y: area.bottom().saturating_sub(1 + height),
        width: area.width.min(COMMANDS),
        height,
    };
    boxed(frame, cx, "commands", lines, at, StyleRole::Focus);
}
