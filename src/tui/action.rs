//! One table of actions: it feeds the dispatcher, the footer, the help and the completion of `:`, so
//! they cannot disagree.

use crate::domain::Danger;
use crate::domain::command;
use crossterm::event::{KeyCode, KeyModifiers};
use std::sync::LazyLock;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UserAction {
    /// A command of [`command::rows`], by its word.
    Operator(&'static str),
    Undo,
    Open,
    NextPane,
    LastPane,
    Jump,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Zoom,
    Sort,
    Lab,
    Filter,
    Command,
    Theme,
    Stats,
    Why,
    Without,
    TimeBack,
    TimeOn,
    DayBack,
    DayOn,
    Now,
    Freeze,
    At,
    View,
    Log,
    Copy,
    Mouse,
    Screenshot,
    Help,
    Back,
    Detach,
}

impl UserAction {
    /// Pauses or resumes the agent under the cursor.
    pub const PAUSE: UserAction = UserAction::Operator("pause");
    /// Mutes or unmutes it.
    pub const MUTE: UserAction = UserAction::Operator("mute");
    /// Gives it funds or takes them.
    pub const FUND: UserAction = UserAction::Operator("fund");
    /// The kill switch.
    pub const KILL: UserAction = UserAction::Operator("kill");
}

/// What a command of the `:` line may be followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing may follow the word.
    Nothing,
    /// An agent's name; without one the selected.
    Agent,
    /// An agent's name, or `all`; without one the selected.
    AgentOrAll,
    /// Name of a theme, built in or of a file.
    Theme,
    /// A time of the market.
    Time,
    /// A new file.
    File,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ActionRow {
    /// What it does.
    pub action: UserAction,
    /// Keys that do it, each with what is held down.
    pub keys: &'static [(KeyCode, KeyModifiers)],
    /// The keys as people read them; empty: only by command.
    pub shown: &'static str,
    /// One word for the footer; empty: not in the footer.
    pub label: &'static str,
    /// Its word on the `:` line; empty: none.
    pub command: &'static str,
    /// What may follow that word.
    pub takes: Takes,
    /// One line for the help.
    pub help: &'static str,
    /// Its step of the ladder.
    pub danger: Danger,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

type KeyList = &'static [(KeyCode, KeyModifiers)];

/// With a key.
const fn key(
    action: UserAction,
    keys: KeyList,
    shown: &'static str,
    label: &'static str,
    help: &'static str,
    danger: Danger,
) -> ActionRow {
    ActionRow { action, keys, shown, label, command: "", takes: Takes::Nothing, help, danger }
}

/// With a word of the `:` line, and perhaps a key.
const fn word(entry: ActionRow, command: &'static str, takes: Takes) -> ActionRow {
    ActionRow { command, takes, ..entry }
}

/// The keys of the operator's commands, as people read them, and their words in the footer. A command about an agent
/// is about the one under the cursor, and where it holds already its key takes it back.
const OPERATOR_KEYS: &[(&str, KeyList, &str, &str)] = &[
    ("pause", &[(KeyCode::Char('p'), NONE)], "p", "pause"),
    ("mute", &[(KeyCode::Char('m'), NONE)], "m", "mute"),
    ("fund", &[(KeyCode::Char('f'), NONE)], "f", "fund"),
    ("kill", &[(KeyCode::Char('x'), CTRL)], "ctrl-x ctrl-x", "kill"),
];

/// The row of an operator's command.
fn operator(word: &'static str) -> ActionRow {
    let (agent, all) = (command::find(word, true), command::find(word, false));
    let takes = match (agent, all) {
        (Some(_), Some(_)) => Takes::AgentOrAll,
        (Some(_), None) => Takes::Agent,
        (None, _) => Takes::Nothing,
    };
    let row = agent.or(all);
    let (keys, shown, label) =
        OPERATOR_KEYS.iter().find(|k| k.0 == word).map_or((&[][..], "", ""), |k| (k.1, k.2, k.3));
    let help = row.map_or("", |r| r.help);
    let back = agent.and_then(|r| r.inverse).filter(|_| !keys.is_empty());
    let help = back.map_or_else(|| help.to_owned(), |inverse| format!("{word} or {inverse}: {help}"));
    let help = help + if takes == Takes::AgentOrAll { "; or all" } else { "" };
    let danger = row.map_or(Danger::Look, |r| r.danger);
    // Once for each word of a table that does not grow, and kept as long as the process.
    ActionRow {
        action: UserAction::Operator(word),
        keys,
        shown,
        label,
        command: word,
        takes,
        help: help.leak(),
        danger,
    }
}

/// The table: the commands of the operator that have a key, what the cockpit does by itself, and the other commands.
pub static ACTIONS: LazyLock<Vec<ActionRow>> = LazyLock::new(|| {
    let keyed: Vec<&'static str> = OPERATOR_KEYS.iter().map(|k| k.0).collect();
    let others: Vec<&'static str> = command::words().into_iter().filter(|w| !keyed.contains(w)).collect();
    let operators = |words: Vec<&'static str>| words.into_iter().map(operator);
    operators(keyed).chain(COCKPIT.iter().copied()).chain(operators(others)).collect()
});

/// What the cockpit does by itself.
const COCKPIT: &[ActionRow] = &[
    key(
        UserAction::Undo,
        &[(KeyCode::Char('u'), NONE)],
        "u",
        "",
        "undo the last command that can be taken back, for 10 s",
        Danger::Reversible,
    ),
    key(
        UserAction::Open,
        &[(KeyCode::Enter, NONE)],
        "enter",
        "page",
        "the agent's page: who it is and why; on an edge, the decision behind it",
        Danger::Look,
    ),
    key(
        UserAction::Why,
        &[(KeyCode::Char('w'), NONE)],
        "w",
        "why",
        "the newest trade: who made it, why, and who moved them",
        Danger::Look,
    ),
    key(
        UserAction::TimeBack,
        &[(KeyCode::Char('['), NONE)],
        "[",
        "back",
        "back in time, a kept moment; everything is shown as it was then",
        Danger::Look,
    ),
    key(
        UserAction::TimeOn,
        &[(KeyCode::Char(']'), NONE)],
        "]",
        "",
        "forward in time; from the newest to now",
        Danger::Look,
    ),
    key(UserAction::DayBack, &[(KeyCode::Char('{'), NONE)], "{", "", "a day back in time", Danger::Look),
    key(UserAction::DayOn, &[(KeyCode::Char('}'), NONE)], "}", "", "a day forward in time", Danger::Look),
    key(UserAction::Now, &[(KeyCode::Char('.'), NONE)], ".", "", "back to now", Danger::Look),
    key(
        UserAction::Freeze,
        &[(KeyCode::Char(' '), NONE)],
        "space",
        "",
        "stop the picture at the newest kept moment, and let it go on",
        Danger::Look,
    ),
    word(
        key(
            UserAction::At,
            &[],
            "",
            "",
            "to a time: 14:02 · yesterday 14:02 · 2023-12-30 14:02 · -8h · now",
            Danger::Look,
        ),
        "at",
        Takes::Time,
    ),
    key(
        UserAction::NextPane,
        &[(KeyCode::Tab, NONE), (KeyCode::Right, NONE)],
        "tab →",
        "pane",
        "next pane; on a page, the chart's cursor to a newer candle",
        Danger::Look,
    ),
    key(
        UserAction::LastPane,
        &[(KeyCode::BackTab, NONE), (KeyCode::Left, NONE)],
        "⇧tab ←",
        "",
        "the pane before; on a page, the chart's cursor to an older candle",
        Danger::Look,
    ),
    key(
        UserAction::Jump,
        &[
            (KeyCode::Char('1'), NONE),
            (KeyCode::Char('2'), NONE),
            (KeyCode::Char('3'), NONE),
            (KeyCode::Char('4'), NONE),
            (KeyCode::Char('5'), NONE),
            (KeyCode::Char('6'), NONE),
            (KeyCode::Char('7'), NONE),
            (KeyCode::Char('8'), NONE),
            (KeyCode::Char('9'), NONE),
        ],
        "1 … 9",
        "",
        "to a pane by its number, as far as there are panes",
        Danger::Look,
    ),
    key(
        UserAction::Up,
        &[(KeyCode::Up, NONE), (KeyCode::Char('k'), NONE)],
        "↑ k",
        "",
        "up in the focused pane",
        Danger::Look,
    ),
    key(
        UserAction::Down,
        &[(KeyCode::Down, NONE), (KeyCode::Char('j'), NONE)],
        "↓ j",
        "",
        "down in the focused pane",
        Danger::Look,
    ),
    key(
        UserAction::PageUp,
        &[(KeyCode::PageUp, NONE)],
        "pgup",
        "",
        "up by ten; on a page, scroll",
        Danger::Look,
    ),
    key(UserAction::PageDown, &[(KeyCode::PageDown, NONE)], "pgdn", "", "down by ten", Danger::Look),
    key(
        UserAction::First,
        &[(KeyCode::Home, NONE), (KeyCode::Char('g'), NONE)],
        "home g",
        "",
        "to the first",
        Danger::Look,
    ),
    key(
        UserAction::Last,
        &[(KeyCode::End, NONE), (KeyCode::Char('G'), NONE)],
        "end G",
        "",
        "to the last; messages follow again",
        Danger::Look,
    ),
    key(
        UserAction::Filter,
        &[(KeyCode::Char('/'), NONE)],
        "/",
        "filter",
        "filter agents or messages, whatever has the focus",
        Danger::Look,
    ),
    key(
        UserAction::Zoom,
        &[(KeyCode::Char('z'), NONE)],
        "z",
        "zoom",
        "the focused pane alone, and back; on a page, the chart closer",
        Danger::Look,
    ),
    key(
        UserAction::Sort,
        &[(KeyCode::Char('s'), NONE)],
        "s",
        "sort",
        "sort agents: file, real, points, state",
        Danger::Look,
    ),
    word(
        key(
            UserAction::Lab,
            &[(KeyCode::Char('l'), NONE)],
            "l",
            "lab",
            "the last experiment: the hive against its deaf parts, with intervals",
            Danger::Look,
        ),
        "lab",
        Takes::Nothing,
    ),
    key(
        UserAction::Command,
        &[(KeyCode::Char(':'), NONE)],
        ":",
        "command",
        "a command; tab completes, ↑ ↓ earlier ones, ctrl-w ctrl-u delete",
        Danger::Look,
    ),
    word(
        key(UserAction::Theme, &[(KeyCode::Char('t'), NONE)], "t", "", "next theme", Danger::Look),
        "theme",
        Takes::Theme,
    ),
    word(
        key(UserAction::Help, &[(KeyCode::Char('?'), NONE)], "?", "help", "this help", Danger::Look),
        "help",
        Takes::Nothing,
    ),
    key(
        UserAction::Back,
        &[(KeyCode::Esc, NONE)],
        "esc",
        "",
        "close what is open: dialog, help, page, lab, log, zoom, filter",
        Danger::Look,
    ),
    word(
        key(
            UserAction::Detach,
            &[(KeyCode::Char('q'), NONE), (KeyCode::Char('c'), CTRL)],
            "q",
            "leave",
            "leave the cockpit; :stop ends the swarm",
            Danger::Look,
        ),
        "quit",
        Takes::Nothing,
    ),
    key(
        UserAction::View,
        &[(KeyCode::Char('v'), NONE)],
        "v",
        "view",
        "next arrangement of panes: all, then your own of [layout] or those that are built in",
        Danger::Look,
    ),
    word(
        key(
            UserAction::Log,
            &[(KeyCode::Char('o'), NONE)],
            "o",
            "log",
            "the log: alarms, and what managers changed",
            Danger::Look,
        ),
        "log",
        Takes::Nothing,
    ),
    key(
        UserAction::Copy,
        &[(KeyCode::Char('y'), NONE)],
        "y",
        "",
        "copy what is under the cursor, or the page, to the clipboard (OSC 52, also over SSH)",
        Danger::Look,
    ),
    key(
        UserAction::Without,
        &[(KeyCode::Char('d'), NONE)],
        "d",
        "",
        "without this message: the run again, and what hearing it was worth",
        Danger::Look,
    ),
    word(
        key(
            UserAction::Screenshot,
            &[],
            "",
            "",
            "the screen into a new file: NAME.svg, or NAME.ansi for cat in a terminal",
            Danger::Look,
        ),
        "screenshot",
        Takes::File,
    ),
    word(
        key(
            UserAction::Mouse,
            &[],
            "",
            "",
            "the mouse selects and scrolls here, or marks text as usual",
            Danger::Look,
        ),
        "mouse",
        Takes::Nothing,
    ),
    word(
        key(UserAction::Stats, &[], "", "", "bytes and milliseconds a frame, on or off", Danger::Look),
        "stats",
        Takes::Nothing,
    ),
];

/// What may be completed on the `:` line: whole lines that begin as `text` does.
pub fn complete<'a>(
    text: &str,
    agents: impl Iterator<Item = &'a str> + Clone,
    themes: &[&str],
) -> Vec<String> {
    let Some((word, rest)) = text.split_once(' ') else {
        let begins = |e: &&ActionRow| !e.command.is_empty() && e.command.starts_with(text);
        return ACTIONS.iter().filter(begins).map(|e| e.command.to_owned()).collect();
    };
    let Some(entry) = ACTIONS.iter().find(|e| e.command == word) else { return Vec::new() };
    let rest = rest.trim_start().to_lowercase();
    let named = |names: Vec<&str>| -> Vec<String> {
        let begins = |n: &&str| n.to_lowercase().starts_with(&rest);
        names.into_iter().filter(begins).map(|n| format!("{word} {n}")).collect()
    };
    match entry.takes {
        Takes::Nothing | Takes::File => Vec::new(),
        Takes::Theme => named(themes.to_vec()),
        Takes::Time => named(vec!["yesterday", "-8h", "-1d", "-7d", "now"]),
        Takes::Agent => named(agents.collect()),
        Takes::AgentOrAll => named(std::iter::once("all").chain(agents).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn no_key_and_no_word_means_two_things_and_every_entry_explains_itself() {
        let keys: Vec<_> = ACTIONS.iter().flat_map(|e| e.keys).collect();
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{key:?}");
        }
        let words: Vec<_> = ACTIONS.iter().map(|e| e.command).filter(|c| !c.is_empty()).collect();
        for (i, word) in words.iter().enumerate() {
            assert!(!words[..i].contains(word), "{word}");
        }
        assert!(ACTIONS.iter().all(|e| !e.help.is_empty() && (!e.shown.is_empty() || !e.command.is_empty())));
    }

    #[test]
    fn every_key_of_the_table_is_found() {
        let map = crate::tui::keymap::Keymap::default();
        for entry in ACTIONS.iter() {
            for (code, modifiers) in entry.keys {
                assert_eq!(map.find(&KeyEvent::new(*code, *modifiers)), Some(entry.action));
            }
        }
        assert_eq!(map.find(&KeyEvent::new(KeyCode::Char('x'), NONE)), None);
    }

    #[test]
    fn words_and_names_are_completed_from_the_table() {
        let of = |text| complete(text, ["Mira", "Marek", "Zoe"].into_iter(), &["mono"]);
        assert_eq!(of("pa"), ["pause"]);
        assert_eq!(of("pause m"), ["pause Mira", "pause Marek"]);
        assert_eq!(of("pause a"), ["pause all"]);
        assert_eq!(of("mute a"), Vec::<String>::new());
        assert_eq!(of("theme "), ["theme mono"]);
        assert!(of("").len() > 10);
    }
}
