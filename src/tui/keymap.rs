//! Which key does what: the table's own keys, the `vim` preset, and what a person has bound anew.
//!
//! # Invariants
//!
//! 1. A key means one thing. Two that want the same are reported, both by name, and nothing is taken.
//! 2. The kill switch keeps a key with ctrl, so that no letter halts the swarm, and it is always there.
//! 3. Help and footer show the keys that hold.

use super::action::{ACTIONS, ActionRow, UserAction};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers; shift is part of the character.
pub type Chord = (KeyCode, KeyModifiers);

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
/// Names of keys that are no character, as they are written and read.
const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
];
/// What `vim` binds otherwise: hjkl everywhere, ctrl-d and ctrl-u, and the lab on L.
const VIM: &[(UserAction, &[Chord])] = &[
    (UserAction::NextPane, &[(KeyCode::Char('l'), NONE), (KeyCode::Tab, NONE), (KeyCode::Right, NONE)]),
    (UserAction::LastPane, &[(KeyCode::Char('h'), NONE), (KeyCode::BackTab, NONE), (KeyCode::Left, NONE)]),
    (UserAction::PageDown, &[(KeyCode::Char('d'), CTRL), (KeyCode::PageDown, NONE)]),
    (UserAction::PageUp, &[(KeyCode::Char('u'), CTRL), (KeyCode::PageUp, NONE)]),
    (UserAction::TimeBack, &[(KeyCode::Char('o'), CTRL), (KeyCode::Char('['), NONE)]),
    (UserAction::Lab, &[(KeyCode::Char('L'), NONE)]),
];

/// The presets there are.
pub const PRESETS: [&str; 2] = ["default", "vim"];

/// The keys that hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    rows: Vec<(UserAction, Vec<Chord>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap { rows: ACTIONS.iter().map(|e| (e.action, e.keys.to_vec())).collect() }
    }
}

/// What an action is called in a file: `time-back`.
pub fn name(action: UserAction) -> String {
    if let UserAction::Operator(word) = action {
        return word.to_owned();
    }
    let mut text = String::new();
    for c in format!("{action:?}").chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// Reads `p`, `G`, `ctrl-b`, `pgup`.
pub fn chord(text: &str) -> Option<Chord> {
    let (modifiers, key) = text.strip_prefix("ctrl-").map_or((NONE, text), |key| (CTRL, key));
    if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == key) {
        return Some((*code, modifiers));
    }
    let mut chars = key.chars();
    let one = chars.next().filter(|c| !c.is_control() && !c.is_whitespace())?;
    chars.next().is_none().then_some((KeyCode::Char(one), modifiers))
}

/// As it is read.
pub fn written((code, modifiers): Chord) -> String {
    let ctrl = if modifiers.contains(CTRL) { "ctrl-" } else { "" };
    let named = NAMED.iter().find(|(_, c)| *c == code).map(|(n, _)| (*n).to_owned());
    let key = named
        .unwrap_or_else(|| if let KeyCode::Char(c) = code { c.to_string() } else { format!("{code:?}") });
    format!("{ctrl}{key}")
}

impl Keymap {
    /// A preset by its name.
    pub fn preset(name: &str) -> Option<Self> {
        let mut map = Keymap::default();
        match name {
            "default" => {}
            "vim" => VIM.iter().for_each(|(action, keys)| map.set(*action, keys.to_vec())),
            _ => return None,
        }
        Some(map)
    }

    fn set(&mut self, action: UserAction, keys: Vec<Chord>) {
        if let Some(row) = self.rows.iter_mut().find(|r| r.0 == action) {
            row.1 = keys;
        }
    }

    /// Binds actions anew, all or none; what is wrong, in words.
    pub fn bind(&mut self, wanted: &[(String, Vec<String>)]) -> Result<(), Vec<String>> {
        let (mut next, mut wrong) = (self.clone(), Vec::new());
        for (action, keys) in wanted {
            let Some(entry) = ACTIONS.iter().find(|e| name(e.action) == *action) else {
                let far = |e: &&ActionRow| strsim::damerau_levenshtein(&name(e.action), action);
                let near = ACTIONS.iter().min_by_key(far).map(|e| name(e.action)).unwrap_or_default();
                wrong.push(format!("there is no action {action:?}; did you mean {near}?"));
                continue;
            };
            if entry.action == UserAction::Jump {
                wrong.push("jump: the digits stand for the panes and cannot be bound".to_owned());
                continue;
            }
            let bad: Vec<&String> = keys.iter().filter(|k| chord(k).is_none()).collect();
            for key in &bad {
                wrong.push(format!("{action}: {key:?} is no key; write p, G, ctrl-b, enter, space, pgup, …"));
            }
            if bad.is_empty() {
                next.set(entry.action, keys.iter().filter_map(|k| chord(k)).collect());
            }
        }
        wrong.extend(next.conflicts());
        if wrong.is_empty() {
            *self = next;
            return Ok(());
        }
        Err(wrong)
    }

    /// Keys that mean two things, and what must not be.
    fn conflicts(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let all: Vec<(UserAction, Chord)> =
            self.rows.iter().flat_map(|(a, keys)| keys.iter().map(|k| (*a, *k))).collect();
        for (n, (action, key)) in all.iter().enumerate() {
            if let Some((first, _)) = all[..n].iter().find(|(_, k)| k == key) {
                let (key, first, second) = (written(*key), name(*first), name(*action));
                wrong
                    .push(format!("{key} is bound to {first} and to {second}; give one of them another key"));
            }
        }
        let kill = self.rows.iter().find(|r| r.0 == UserAction::KILL).map_or(&[][..], |r| &r.1);
        if kill.is_empty() || !kill.iter().all(|(_, m)| m.contains(CTRL)) {
            wrong.push("kill: the kill switch needs a key, with ctrl: kill = \"ctrl-x\"".to_owned());
        }
        for needed in [UserAction::Back, UserAction::Detach, UserAction::Command, UserAction::Help] {
            if self.rows.iter().any(|(a, keys)| *a == needed && keys.is_empty()) {
                wrong.push(format!("{}: there must be a key for it", name(needed)));
            }
        }
        wrong
    }

    /// What a key means.
    pub fn find(&self, key: &KeyEvent) -> Option<UserAction> {
        let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
        self.rows.iter().find(|(_, keys)| keys.contains(&(key.code, modifiers))).map(|(a, _)| *a)
    }

    /// The keys of an entry as people read them; empty: only by command.
    pub fn shown(&self, entry: &ActionRow) -> String {
        let keys = self.rows.iter().find(|r| r.0 == entry.action).map_or(&[][..], |r| &r.1);
        if keys == entry.keys {
            return entry.shown.to_owned();
        }
        let text: Vec<String> = keys.iter().map(|k| written(*k)).collect();
        if entry.action == UserAction::KILL {
            return text.iter().map(|t| format!("{t} {t}")).collect::<Vec<_>>().join(" or ");
        }
        text.join(" ")
    }

    /// A key of an action as it is shown in little room: its arrow where it has one, else its first key.
    pub fn short(&self, action: UserAction) -> String {
        let keys = self.rows.iter().find(|r| r.0 == action).map_or(&[][..], |r| &r.1);
        let arrow = keys.iter().find_map(|key| match *key {
            (KeyCode::Up, NONE) => Some("↑"),
            (KeyCode::Down, NONE) => Some("↓"),
            (KeyCode::Left, NONE) => Some("←"),
            (KeyCode::Right, NONE) => Some("→"),
            _ => None,
        });
        arrow.map_or_else(|| self.key(action), str::to_owned)
    }

    /// The first key of an action, for a hint.
    pub fn key(&self, action: UserAction) -> String {
        let row = self.rows.iter().find(|r| r.0 == action);
        row.and_then(|r| r.1.first()).map_or_else(|| format!(":{}", name(action)), |k| written(*k))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(map: &mut Keymap, action: &str, keys: &[&str]) -> Result<(), Vec<String>> {
        map.bind(&[(action.to_owned(), keys.iter().map(|k| (*k).to_owned()).collect())])
    }

    fn of(map: &Keymap, text: &str) -> Option<UserAction> {
        let (code, modifiers) = chord(text).unwrap();
        map.find(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn every_preset_is_free_of_conflicts_and_every_key_is_read_as_it_is_written() {
        for preset in PRESETS {
            let map = Keymap::preset(preset).unwrap();
            assert_eq!(map.conflicts(), Vec::<String>::new(), "{preset}");
            for key in map.rows.iter().flat_map(|r| &r.1) {
                assert_eq!(chord(&written(*key)), Some(*key));
            }
        }
        assert_eq!(Keymap::preset("emacs"), None);
        let vim = Keymap::preset("vim").unwrap();
        assert_eq!(
            (of(&vim, "l"), of(&vim, "L"), of(&vim, "ctrl-d")),
            (Some(UserAction::NextPane), Some(UserAction::Lab), Some(UserAction::PageDown))
        );
    }

    #[test]
    fn a_key_is_bound_anew_and_the_old_one_is_free() {
        let mut map = Keymap::default();
        bind(&mut map, "pause", &["P", "ctrl-p"]).unwrap();
        assert_eq!(
            (of(&map, "P"), of(&map, "ctrl-p"), of(&map, "p")),
            (Some(UserAction::PAUSE), Some(UserAction::PAUSE), None)
        );
        let pause = ACTIONS.iter().find(|e| e.action == UserAction::PAUSE).unwrap();
        assert_eq!(map.shown(pause), "P ctrl-p");
        bind(&mut map, "mute", &["p"]).unwrap();
        assert_eq!(of(&map, "p"), Some(UserAction::MUTE));
    }

    #[test]
    fn conflicts_and_mistakes_are_told_all_at_once_and_nothing_is_taken() {
        let mut map = Keymap::default();
        let wanted = |a: &str, k: &str| (a.to_owned(), vec![k.to_owned()]);
        let wrong = map
            .bind(&[
                wanted("pause", "m"),
                wanted("paus", "P"),
                wanted("sort", "hyper-s"),
                wanted("kill", "K"),
            ])
            .unwrap_err()
            .join("\n");
        for word in
            ["m is bound to pause and to mute", "did you mean pause?", "\"hyper-s\" is no key", "with ctrl"]
        {
            assert!(wrong.contains(word), "lacks {word}: {wrong}");
        }
        assert_eq!(map, Keymap::default());
        assert!(bind(&mut map, "help", &[]).unwrap_err()[0].contains("there must be a key"));
        assert!(bind(&mut map, "jump", &["9"]).is_err());
        assert_eq!([map.short(UserAction::NextPane), map.short(UserAction::Back)], ["→", "esc"]);
    }
}
