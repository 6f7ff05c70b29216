//! The line that is typed after `:` or `/`: the text and its cursor, and the commands of before.

use crossterm::event::{Event, KeyEvent};
use std::collections::VecDeque;
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

/// Most characters of what is typed.
pub const INPUT_MAX: usize = 120;
/// Most commands that can be brought back.
const HISTORY_MAX: usize = 50;

/// A line that can be changed anywhere.
#[derive(Clone, Debug, Default)]
pub struct TypedLine {
    input: Input,
    /// Which of the commands of before is shown, and what was typed before it was.
    recalled: Option<(usize, String)>,
}

/// The commands that were typed, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct CommandHistory {
    commands: VecDeque<String>,
}

impl TypedLine {
    /// What is typed.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Makes this the text, with the cursor at its end; where it is the text already the cursor stays.
    pub fn set(&mut self, text: &str) {
        if self.text() != text {
            self.input = Input::new(text.to_owned());
        }
    }

    /// A key that changes the text or moves in it. What would be too long is not typed.
    pub fn key(&mut self, key: &KeyEvent) {
        let before = self.input.clone();
        self.input.handle_event(&Event::Key(*key));
        if self.text().chars().count() > INPUT_MAX {
            self.input = before;
        }
    }

    /// Text that comes in at the cursor, up to its first control character and as far as there is room.
    pub fn paste(&mut self, text: &str) {
        let room = INPUT_MAX.saturating_sub(self.text().chars().count());
        for c in text.chars().take_while(|c| !c.is_control()).take(room) {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    /// What stands before the cursor and after it, as far as it fits into so many cells.
    pub fn shown(&self, room: usize) -> (String, String) {
        let cursor = self.input.cursor();
        let from = cursor.saturating_sub(room);
        let chars = || self.text().chars().skip(from);
        (
            chars().take(cursor - from).collect(),
            chars().skip(cursor - from).take(room + from - cursor).collect(),
        )
    }
}

impl CommandHistory {
    /// Remembers a command that was sent.
    pub fn remember(&mut self, command: &str) {
        let command = command.trim();
        if command.is_empty() || self.commands.back().is_some_and(|last| last == command) {
            return;
        }
        if self.commands.len() == HISTORY_MAX {
            self.commands.pop_front();
        }
        self.commands.push_back(command.to_owned());
    }

    /// Brings back the command before the one that is shown, or the one after it; after the newest comes what
    /// was being typed.
    pub fn recall(&self, line: &mut TypedLine, older: bool) {
        let at = line.recalled.as_ref().map_or(self.commands.len(), |(at, _)| *at);
        let next = if older { at.checked_sub(1) } else { Some(at + 1) };
        let Some(next) = next.filter(|n| *n <= self.commands.len()) else { return };
        let typed = line.recalled.take().map_or_else(|| line.text().to_owned(), |(_, typed)| typed);
        match self.commands.get(next).cloned() {
            Some(command) => {
                line.set(&command);
                line.recalled = Some((next, typed));
            }
            None => line.set(&typed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn press(line: &mut TypedLine, code: KeyCode, modifiers: KeyModifiers) {
        line.key(&KeyEvent::new(code, modifiers));
    }

    #[test]
    fn a_line_is_changed_where_its_cursor_is() {
        let mut line = TypedLine::default();
        line.paste("fund mira");
        press(&mut line, KeyCode::Home, KeyModifiers::NONE);
        press(&mut line, KeyCode::Char('u'), KeyModifiers::NONE);
        press(&mut line, KeyCode::Char('n'), KeyModifiers::NONE);
        assert_eq!(line.text(), "unfund mira");
        assert_eq!(line.shown(80), ("un".to_owned(), "fund mira".to_owned()));
        press(&mut line, KeyCode::End, KeyModifiers::NONE);
        press(&mut line, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(line.text(), "unfund ");
        press(&mut line, KeyCode::Left, KeyModifiers::NONE);
        press(&mut line, KeyCode::Delete, KeyModifiers::NONE);
        press(&mut line, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(line.text(), "unfun");
        press(&mut line, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(line.text(), "");
    }

    #[test]
    fn a_line_has_an_end_and_what_is_around_the_cursor_is_shown() {
        let mut line = TypedLine::default();
        line.paste(&"é".repeat(500));
        press(&mut line, KeyCode::Char('x'), KeyModifiers::NONE);
        assert_eq!(line.text(), "é".repeat(INPUT_MAX));
        assert_eq!(line.shown(20), ("é".repeat(20), String::new()));
        press(&mut line, KeyCode::Home, KeyModifiers::NONE);
        assert_eq!(line.shown(20), (String::new(), "é".repeat(20)));
        let mut line = TypedLine::default();
        line.paste("one\ntwo");
        assert_eq!(line.text(), "one", "what is pasted presses no enter");
    }

    #[test]
    fn commands_come_back_the_newest_first_and_then_what_was_typed() {
        let (mut line, mut history) = (TypedLine::default(), CommandHistory::default());
        history.recall(&mut line, true);
        assert_eq!(line.text(), "");
        for command in ["log", "mute Mira", "mute Mira", " "] {
            history.remember(command);
        }
        line.set("fu");
        let mut seen = Vec::new();
        for older in [true, true, true, false, false, false] {
            history.recall(&mut line, older);
            seen.push(line.text().to_owned());
        }
        assert_eq!(seen, ["mute Mira", "log", "log", "mute Mira", "fu", "fu"]);
        for n in 0..100 {
            history.remember(&n.to_string());
        }
        assert_eq!(history.commands.len(), HISTORY_MAX);
    }
}
