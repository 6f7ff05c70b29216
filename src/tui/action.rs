//! One table of actions: it feeds the dispatcher, the footer and the help, so they cannot disagree.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    Pause,
    Fund,
    Mute,
    Page,
    NextPane,
    Up,
    Down,
    Theme,
    Help,
    Kill,
    Back,
    Detach,
}

/// How much an action may do, from looking to halting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Nothing.
    Look,
    /// It can be taken back: at once, with a toast.
    Reversible,
    /// Bounded money: a dialog with before and after.
    Money,
    /// Only removes risk: a chord, no dialog.
    Halt,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it does.
    pub action: Action,
    /// Its keys.
    pub keys: &'static [(KeyCode, KeyModifiers)],
    /// The keys as people read them.
    pub shown: &'static str,
    /// One word for the footer; empty: not in the footer.
    pub label: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// Its step of the danger ladder.
    pub danger: Danger,
}

const NONE: KeyModifiers = KeyModifiers::NONE;

const fn entry(
    action: Action,
    keys: &'static [(KeyCode, KeyModifiers)],
    shown: &'static str,
    label: &'static str,
    help: &'static str,
    danger: Danger,
) -> Entry {
    Entry { action, keys, shown, label, help, danger }
}

/// The table.
pub const ACTIONS: &[Entry] = &[
    entry(
        Action::Pause,
        &[(KeyCode::Char('p'), NONE)],
        "p",
        "pause",
        "pause or resume: speaks and simulates on, takes no new real risk",
        Danger::Reversible,
    ),
    entry(
        Action::Fund,
        &[(KeyCode::Char('f'), NONE)],
        "f",
        "fund",
        "move money from the treasury to the agent",
        Danger::Money,
    ),
    entry(
        Action::Mute,
        &[(KeyCode::Char('m'), NONE)],
        "m",
        "mute",
        "mute or unmute: not heard, still hears",
        Danger::Reversible,
    ),
    entry(
        Action::Page,
        &[(KeyCode::Enter, NONE)],
        "enter",
        "agent",
        "the agent's page: character, conditions, why",
        Danger::Look,
    ),
    entry(Action::NextPane, &[(KeyCode::Tab, NONE)], "tab", "pane", "next pane", Danger::Look),
    entry(
        Action::Up,
        &[(KeyCode::Up, NONE), (KeyCode::Char('k'), NONE)],
        "↑ k",
        "",
        "up in the focused pane",
        Danger::Look,
    ),
    entry(
        Action::Down,
        &[(KeyCode::Down, NONE), (KeyCode::Char('j'), NONE)],
        "↓ j",
        "",
        "down in the focused pane",
        Danger::Look,
    ),
    entry(Action::Theme, &[(KeyCode::Char('t'), NONE)], "t", "", "next theme", Danger::Look),
    entry(Action::Help, &[(KeyCode::Char('?'), NONE)], "?", "help", "this help", Danger::Look),
    entry(
        Action::Back,
        &[(KeyCode::Esc, NONE)],
        "esc",
        "",
        "close what is open: dialog, help, page",
        Danger::Look,
    ),
    entry(
        Action::Kill,
        &[(KeyCode::Char('x'), KeyModifiers::CONTROL)],
        "ctrl-x ctrl-x",
        "kill",
        "kill switch: halts the swarm",
        Danger::Halt,
    ),
    entry(
        Action::Detach,
        &[(KeyCode::Char('q'), NONE), (KeyCode::Char('c'), KeyModifiers::CONTROL)],
        "q",
        "quit",
        "leave the cockpit; what was watched in this terminal ends",
        Danger::Look,
    ),
];

/// What a key means. Shift is part of the character, not of the key.
pub fn find(key: &KeyEvent) -> Option<Action> {
    let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
    ACTIONS.iter().find(|e| e.keys.contains(&(key.code, modifiers))).map(|e| e.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_and_every_entry_explains_itself() {
        let keys: Vec<_> = ACTIONS.iter().flat_map(|e| e.keys).collect();
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{key:?}");
        }
        assert!(ACTIONS.iter().all(|e| !e.help.is_empty() && !e.shown.is_empty()));
    }

    #[test]
    fn every_key_of_the_table_is_found() {
        for entry in ACTIONS {
            for (code, modifiers) in entry.keys {
                assert_eq!(find(&KeyEvent::new(*code, *modifiers)), Some(entry.action));
            }
        }
        assert_eq!(find(&KeyEvent::new(KeyCode::Char('x'), NONE)), None);
    }
}
