//! Rules of words: documentation says something, and says it in plain English.

use super::source::{Source, word_places};
use super::{hold, in_src};

/// Fewest words of the documentation of an item.
const DOC_WORDS_MIN: usize = 3;
/// Words of other centuries, or of this house alone: zero, expensive and costlier are plain.
const ODD_WORDS: &[&str] = &["nought", "noughts", "dear", "dearer", "dearest"];
/// Files whose text is checked beside the source.
const TEXTS: &[&str] = &["README.md", "assets/rosters/bars.toml", "assets/rosters/default.toml"];

/// Documentation of items as (line of its first line, its text), that of modules left aside.
fn documentation(s: &Source) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (i, line) in s.text.lines().enumerate() {
        let text = line.trim_start().strip_prefix("///").filter(|rest| !rest.starts_with('/'));
        match (text, found.last_mut()) {
            (Some(text), Some((_, whole))) if inside => {
                whole.push(' ');
                whole.push_str(text.trim());
            }
            (Some(text), _) => found.push((i + 1, text.trim().to_owned())),
            (None, _) => {}
        }
        inside = text.is_some();
    }
    found
}

fn laconic(s: &Source) -> Vec<String> {
    if !in_src(s) {
        return Vec::new();
    }
    let words = |text: &str| text.split_whitespace().filter(|w| w.contains(char::is_alphanumeric)).count();
    let short = documentation(s).into_iter().filter(|(_, text)| words(text) < DOC_WORDS_MIN);
    short.map(|(line, text)| format!("{}:{line}: /// {text}", s.path)).collect()
}

#[test]
fn documentation_says_something() {
    hold(
        laconic,
        &[
            ("src/engine/x.rs", "/// Which.\npub struct S;"),
            ("src/engine/x.rs", "pub struct S {\n    /// Its name.\n    pub name: String,\n}"),
            ("src/engine/x.rs", "/// When …\nfn f() {}"),
            ("src/engine/x.rs", "/// `BTC`.\n/// …\nfn f() {}"),
        ],
        &[
            ("src/engine/x.rs", "/// Name as declared.\npub struct S;"),
            ("src/engine/x.rs", "/// Name\n/// as\n/// declared.\npub struct S;"),
            ("src/engine/x.rs", "//// A line.\n// Why.\nfn f() {}"),
            ("tests/x.rs", "/// Which.\nfn f() {}"),
        ],
    );
}

fn odd(s: &Source) -> Vec<String> {
    if !in_src(s) && !TEXTS.contains(&s.path.as_str()) {
        return Vec::new();
    }
    let text = s.text.to_lowercase();
    let mut found = Vec::new();
    for word in ODD_WORDS {
        found.extend(
            word_places(&text, word).map(|at| format!("{}:{}: {word}", s.path, super::line_of(&text, at))),
        );
    }
    found
}

#[test]
fn words_are_plain() {
    hold(
        odd,
        &[
            ("src/engine/x.rs", "/// Falls below nought.\nfn f() {}"),
            ("src/engine/x.rs", "fn f() { say(\"Dear or cheap\"); }"),
            ("README.md", "It is dearer.\n"),
        ],
        &[
            ("src/engine/x.rs", "/// Falls below zero.\nfn f() { let endearing = 0; }"),
            ("tests/x.rs", "// As dear as it is.\n"),
        ],
    );
}
