//! Holds the house to its rules. Each rule is a function from a source file to its offences, tried on a
//! sample that breaks it and one that keeps it before it is let loose on the tree, so that no rule can
//! pass by looking at nothing.

mod circles;
mod programs;
mod shape;
mod source;
mod words;

use source::{Source, folder_of, is_root, line_of, room_of, tree, word_places};

/// The rooms, each importing only to the left.
const ROOMS: &[&str] = &[
    "domain",
    "ledger",
    "market",
    "fills",
    "agents",
    "hive",
    "treasury",
    "execution",
    "engine",
    "config",
    "journal",
    "store",
    "view",
    "recorder",
    "talk",
    "wire",
    "venues",
    "runtime",
    "lab",
    "tui",
    "cli",
];
/// The crates under `src/`, by their folders, and those that each may know. The compiler holds these walls; here
/// it is held that nobody moves one.
const CRATES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ledger", &["domain"]),
    ("market", &["domain"]),
    ("core", &["domain", "ledger", "market"]),
    ("view", &["domain"]),
    ("wire", &["domain", "view"]),
    ("venues", &["domain"]),
    ("lab", &["domain", "ledger", "market", "core", "view"]),
    ("tui", &["domain", "view"]),
];
/// All that the cockpit may know: it draws what it is sent.
const TUI_MAY_IMPORT: &[&str] = &["domain", "view"];
/// Methods of f64 whose last digit differs between platforms.
const TRANSCENDENTAL: &[&str] = &[
    "sqrt", "cbrt", "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "hypot",
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "mul_add",
];
/// What only the outer rooms may touch.
const IMPURE: &[&str] = &["HashMap", "HashSet", "Instant", "SystemTime", "tokio", "rayon", "tracing"];
const IMPURE_STD: &[&str] = &["fs", "thread", "time", "env", "net", "process"];

fn position(room: &str) -> Option<usize> {
    ROOMS.iter().position(|r| *r == room)
}

/// Up to the engine, and the configuration.
fn pure(s: &Source) -> bool {
    room_of(&s.path).is_some_and(|r| position(r) <= position("config"))
}

fn in_src(s: &Source) -> bool {
    source::in_src(&s.path)
}

/// Runs a rule on its two samples, then on the tree.
fn hold(rule: fn(&Source) -> Vec<String>, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!rule(&Source::new(path, text)).is_empty(), "the rule misses {path}: {text}");
    }
    for (path, text) in good {
        let found = rule(&Source::new(path, text));
        assert!(found.is_empty(), "the rule is wrong about {path}: {text}: {found:?}");
    }
    let offences: Vec<String> = tree().iter().flat_map(rule).collect();
    assert!(offences.is_empty(), "{} offences\n{}", offences.len(), offences.join("\n"));
}

/// The first names after `crate::`, groups taken apart.
fn imported(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in word_places(code, "crate") {
        let Some(rest) = code[at + 5..].trim_start().strip_prefix("::") else {
            if code[at + 5..].trim_start().starts_with("as ") {
                found.push((at, "as".to_owned()));
            }
            continue;
        };
        let rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut name) = (1, String::new());
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    found.push((at, first_name(&name)));
                    name.clear();
                } else {
                    name.push(c);
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            found.push((at, first_name(rest)));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

fn first_name(text: &str) -> String {
    let text = text.trim_start();
    if text.starts_with('*') {
        return "*".to_owned();
    }
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn imports(s: &Source) -> Vec<String> {
    let Some(room) = room_of(&s.path) else { return Vec::new() };
    let Some(here) = position(room) else {
        return vec![format!("{}: there is no room {room} in the house", s.path)];
    };
    let mut offences = Vec::new();
    // Comments count too: a room that explains itself by a room to the right knows of it.
    for (at, name) in imported(&s.text) {
        let allowed = match position(&name) {
            // The root of a crate of one room gives it the name that others know.
            None if name == "as" => {
                is_root(&s.path) && s.text[at..].starts_with(&format!("crate as {room};"))
            }
            Some(there) if room == "tui" => there == here || TUI_MAY_IMPORT.contains(&name.as_str()),
            Some(there) => there <= here,
            // A macro or a type of the crate's root: there is none.
            None => false,
        };
        if !allowed {
            offences.push(format!("{}:{}: {room} imports crate::{name}", s.path, line_of(&s.text, at)));
        }
    }
    // A crate is named once, in the root of the one that knows it; a comment may show how others use it.
    for name in CRATES.iter().map(|(folder, _)| format!("hive_{folder}")).filter(|_| !is_root(&s.path)) {
        for at in word_places(&s.code, &name) {
            offences.push(format!("{}:{}: names {name}; write crate::", s.path, line_of(&s.code, at)));
        }
    }
    // The other way out of a room: as many `super` as the file is deep in its crate.
    let outside = usize::from(!s.path.starts_with(&format!("src/{room}/")));
    let depth = folder_of(&s.path).matches('/').count() - outside;
    let mut at = 0;
    while let Some(found) = s.code[at..].find("super::") {
        let start = at + found;
        let run = s.code[start..].split("::").take_while(|part| *part == "super").count();
        let line = line_of(&s.code, start);
        if run >= depth + usize::from(s.is_test(line)) {
            offences.push(format!("{}:{line}: leaves the room by super; write crate::", s.path));
        }
        at = start + "super::".len() * run.max(1);
    }
    offences
}

#[test]
fn rooms_import_only_to_the_left() {
    hold(
        imports,
        &[
            ("src/domain/x.rs", "use crate::ledger::Ledger;"),
            ("src/core/agents/x.rs", "use crate::engine::Engine;"),
            ("src/core/agents/x.rs", "use super::super::engine::Engine;"),
            ("src/ledger/x.rs", "use crate::{domain::Money, market::Bar};"),
            ("src/ledger/x.rs", "use crate::{domain::{Money, Stamp}, agents};"),
            ("src/market/x.rs", "#[cfg(test)]\nmod tests {\n    use crate::engine::Engine;\n}\n"),
            ("src/market/x.rs", "fn f() -> crate::agents::Agent {}"),
            ("src/market/x.rs", "/// See [`crate::engine`].\nfn f() {}"),
            ("src/market/x.rs", "use crate::*;"),
            ("src/market/x.rs", "use super::super::engine;"),
            ("src/market/deep/x.rs", "use super::super::super::engine;"),
            ("src/tui/x.rs", "use crate::engine::Engine;"),
            ("src/ledger/x.rs", "use hive_domain::Bar;"),
            ("src/kitchen/x.rs", "fn f() {}"),
        ],
        &[
            ("src/engine/x.rs", "use crate::{domain::Money, ledger};\nuse super::real;"),
            ("src/core/engine/x.rs", "use crate::{domain::Money, agents};\nuse super::real;"),
            ("src/core/engine/deep/x.rs", "use super::super::real;"),
            ("src/market/x.rs", "use crate::market::Bar;\nuse super::state;"),
            ("src/market/x.rs", "#[cfg(test)]\nmod tests {\n    use super::super::state;\n}\n"),
            ("src/market/deep/x.rs", "use super::super::state;"),
            ("src/ledger/lib.rs", "use crate as ledger;\nuse hive_domain as domain;"),
            ("src/ledger/x.rs", "//! use hive_ledger::Ledger;\nfn alive_or_hive() {}"),
            ("src/tui/x.rs", "use crate::view::Summary;"),
            ("src/main.rs", "use hive::cli;"),
        ],
    );
}

/// What a crate is made with: those that it may know and no others, and the lints of the house.
fn walls(s: &Source) -> Vec<String> {
    let Some(folder) = s.path.strip_prefix("src/").and_then(|p| p.strip_suffix("/Cargo.toml")) else {
        return Vec::new();
    };
    let Some((_, may_know)) = CRATES.iter().find(|(name, _)| *name == folder) else {
        return vec![format!("{}: there is no crate {folder} in the house", s.path)];
    };
    let mut found = Vec::new();
    for (i, line) in s.text.lines().enumerate() {
        let Some(rest) = line.strip_prefix("hive-") else { continue };
        let other = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        if !may_know.contains(&other) {
            found.push((i + 1, format!("{folder} knows hive-{other}")));
        }
    }
    if !s.text.contains("\n[lints]\nworkspace = true\n") {
        found.push((1, "is without the lints of the house".to_owned()));
    }
    offences(s, found)
}

#[test]
fn crates_know_those_before_them_and_keep_the_lints() {
    let lints = "\n[lints]\nworkspace = true\n";
    let of = |dependency: &str| format!("[dependencies]\n{dependency}.workspace = true\n{lints}");
    let (kept, upward, none) = (of("hive-domain"), of("hive-ledger"), of("serde").replace(lints, ""));
    hold(
        walls,
        &[
            ("src/domain/Cargo.toml", &upward),
            ("src/ledger/Cargo.toml", &none),
            ("src/kitchen/Cargo.toml", &kept),
        ],
        &[("src/ledger/Cargo.toml", &kept), ("Cargo.toml", &upward)],
    );
}

fn called(s: &Source, names: &[&str], skip_tests: bool) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for name in names {
        for at in word_places(&s.code, name.trim_end_matches('!')) {
            let after = &s.code[at + name.trim_end_matches('!').len()..];
            let called = if name.ends_with('!') { after.starts_with('!') } else { after.starts_with('(') };
            let line = line_of(&s.code, at);
            if called && !(skip_tests && s.is_test(line)) {
                found.push((line, (*name).to_owned()));
            }
        }
    }
    found.sort();
    found
}

fn offences(s: &Source, found: Vec<(usize, String)>) -> Vec<String> {
    found.into_iter().map(|(line, what)| format!("{}:{line}: {what}", s.path)).collect()
}

fn printing(s: &Source) -> Vec<String> {
    if !in_src(s) || room_of(&s.path) == Some("cli") || s.path == "src/main.rs" {
        return Vec::new();
    }
    offences(s, called(s, &["println!", "eprintln!", "print!", "eprint!"], true))
}

#[test]
fn only_the_command_line_prints() {
    hold(
        printing,
        &[
            ("src/engine/x.rs", "fn f() { println!(\"x\"); }"),
            ("src/runtime/x.rs", "fn f() { eprintln!(); }"),
        ],
        &[
            ("src/cli/x.rs", "fn f() { println!(\"x\"); }"),
            // A test that skips says so.
            ("src/runtime/x.rs", "#[cfg(test)]\nmod tests {\n fn f() { eprintln!(); }\n}"),
            ("src/engine/x.rs", "// println!\nfn f() { let x = \"println!\"; }"),
        ],
    );
}

fn giving_up(s: &Source) -> Vec<String> {
    if !in_src(s) {
        return Vec::new();
    }
    let mut found = called(s, &["unwrap", "expect", "panic!", "unreachable!"], true);
    found.retain(|(line, _)| !(s.explained(*line) || s.explained(line - 1)));
    offences(s, found)
}

#[test]
fn nothing_gives_up_without_a_reason() {
    hold(
        giving_up,
        &[
            ("src/engine/x.rs", "fn f() { g().unwrap(); }"),
            ("src/cli/x.rs", "/// Docs are no reason.\nfn f() { g().expect(\"it is there\"); }"),
            ("src/cli/x.rs", "fn f() {\n    panic!(\"no\")\n}"),
        ],
        &[
            ("src/engine/x.rs", "fn f() {\n    // Writing to a string cannot fail.\n    g().unwrap();\n}"),
            ("src/engine/x.rs", "fn f() { g().unwrap(); } // It is there.\n"),
            ("src/engine/x.rs", "fn f() { g().unwrap_or(1); }"),
            ("src/engine/x.rs", "#[cfg(test)]\nmod tests {\n fn f() { g().unwrap(); }\n}"),
        ],
    );
}

fn world(s: &Source) -> Vec<String> {
    if !pure(s) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for word in IMPURE {
        found.extend(word_places(&s.code, word).map(|at| (line_of(&s.code, at), (*word).to_owned())));
    }
    for at in word_places(&s.code, "std") {
        let Some(rest) = s.code[at + 3..].strip_prefix("::") else { continue };
        let end =
            if rest.starts_with('{') { rest.find(';') } else { rest.find(|c: char| !c.is_alphanumeric()) };
        let names = rest[..end.unwrap_or(rest.len())].split(|c: char| !(c.is_alphanumeric() || c == '_'));
        for name in names.filter(|n| IMPURE_STD.contains(n)) {
            found.push((line_of(&s.code, at), format!("std::{name}")));
        }
    }
    offences(s, found)
}

#[test]
fn pure_rooms_know_no_files_threads_or_clocks() {
    hold(
        world,
        &[
            ("src/core/engine/x.rs", "use std::fs::File;"),
            ("src/config/x.rs", "use std::{fmt, env};"),
            ("src/ledger/x.rs", "use std::collections::HashMap;"),
            ("src/market/x.rs", "fn f() { let t = Instant::now(); }"),
            ("src/engine/x.rs", "fn f() { tracing::info!(\"x\"); }"),
        ],
        &[
            ("src/runtime/x.rs", "use std::time::Instant;"),
            ("src/engine/x.rs", "use std::{fmt, sync::Arc};\nuse std::collections::BTreeMap; // no HashMap"),
            ("src/domain/x.rs", "use crate::domain::time::Stamp;"),
        ],
    );
}

fn transcendental(s: &Source) -> Vec<String> {
    if !pure(s) {
        return Vec::new();
    }
    let mut found = called(s, TRANSCENDENTAL, true);
    found.retain(|(line, name)| {
        let text = s.code.lines().nth(line - 1).unwrap_or_default();
        text.contains(&format!(".{name}(")) || text.contains(&format!("f64::{name}("))
    });
    // Handed on by name: `.map(f64::sqrt)`.
    for name in TRANSCENDENTAL {
        for at in word_places(&s.code, name).filter(|at| s.code[..*at].ends_with("f64::")) {
            let line = line_of(&s.code, at);
            if !s.is_test(line) {
                found.push((line, format!("f64::{name}")));
            }
        }
    }
    offences(s, found)
}

#[test]
fn pure_rooms_take_their_functions_from_libm() {
    hold(
        transcendental,
        &[
            ("src/core/agents/x.rs", "fn f(x: f64) -> f64 { x.sqrt() }"),
            ("src/agents/x.rs", "fn f(x: Vec<f64>) { x.into_iter().map(f64::ln); }"),
            ("src/agents/x.rs", "fn f(x: f64) -> f64 { x.powi(2) }"),
        ],
        &[
            ("src/agents/x.rs", "fn f(x: f64) -> f64 { libm::sqrt(x) }"),
            ("src/agents/x.rs", "#[cfg(test)]\nmod tests {\n fn f(x: f64) -> f64 { x.sqrt() }\n}"),
            ("src/view/x.rs", "fn f(x: f64) -> f64 { x.sqrt() }"),
        ],
    );
}

fn unhashed(s: &Source) -> Vec<String> {
    if room_of(&s.path).is_none_or(|r| position(r) > position("engine")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for at in word_places(&s.code, "serde") {
        let Some(rest) = s.code[at + 5..].strip_prefix('(') else { continue };
        let inside = rest.split(']').next().unwrap_or_default();
        for word in inside.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            if word.starts_with("skip") || word == "default" {
                found
                    .push((line_of(&s.code, at), format!("serde({word}) hides a field from the state hash")));
            }
        }
    }
    offences(s, found)
}

#[test]
fn no_field_is_kept_from_the_state_hash() {
    hold(
        unhashed,
        &[
            ("src/core/agents/x.rs", "struct S {\n    #[serde(skip)]\n    x: u8,\n}"),
            (
                "src/agents/x.rs",
                "struct S {\n    #[serde(rename = \"y\", skip_serializing_if = \"f\")]\n x: u8,\n}",
            ),
            ("src/engine/x.rs", "#[cfg_attr(x, serde(default))]\nstruct S;"),
        ],
        &[
            ("src/agents/x.rs", "// #[serde(skip)] is forbidden.\n#[serde(transparent)]\nstruct S(u8);"),
            ("src/view/x.rs", "struct S {\n    #[serde(default)]\n    x: u8,\n}"),
        ],
    );
}

fn unfinished(s: &Source) -> Vec<String> {
    let mut found = called(s, &["todo!", "unimplemented!", "dbg!"], false);
    for at in word_places(&s.code, "ignore").filter(|at| s.code[..*at].trim_end().ends_with("#[")) {
        found.push((line_of(&s.code, at), "#[ignore]".to_owned()));
    }
    offences(s, found)
}

#[test]
fn nothing_is_unfinished_or_ignored() {
    hold(
        unfinished,
        &[
            ("src/engine/x.rs", "fn f() { todo!() }"),
            ("tests/x.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
            ("src/engine/x.rs", "#[cfg(test)]\nmod tests {\n fn f() { dbg!(1); }\n}"),
        ],
        &[("tests/x.rs", "// todo!() and #[ignore]\nfn ignore() { let x = \"dbg!\"; }")],
    );
}

fn opening(s: &Source) -> Vec<String> {
    let says =
        s.text.lines().next().is_some_and(|l| l.strip_prefix("//!").is_some_and(|l| !l.trim().is_empty()));
    if !s.rust() || says { Vec::new() } else { vec![format!("{}: does not open with //!", s.path)] }
}

#[test]
fn every_module_says_what_it_is() {
    hold(
        opening,
        &[("src/engine/x.rs", "use std::fmt;\n"), ("src/engine/x.rs", ""), ("src/engine/x.rs", "//!\n")],
        &[("src/engine/x.rs", "//! What it is.\n"), ("README.md", "# Hive\n")],
    );
}

fn machine(s: &Source) -> Vec<String> {
    // Put together here, so that this file keeps its own rule.
    let roots = ["work", "home", "root", "Users"].map(|r| format!("/{r}/"));
    let mut found = Vec::new();
    for (i, line) in s.text.lines().enumerate() {
        for root in &roots {
            let places = line.match_indices(root.as_str());
            let starts =
                |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}~".contains(c));
            if places.into_iter().any(|(at, _)| starts(at)) {
                found.push((i + 1, format!("a path of one machine, {root}…")));
            }
        }
    }
    offences(s, found)
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let (bad, url) = (format!("// see /{}/x\n", "home"), format!("// see site/{}/x\n", "home"));
    hold(machine, &[("src/cli/x.rs", &bad), ("README.md", &bad)], &[("src/cli/x.rs", &url)]);
}

fn ending(s: &Source) -> Vec<String> {
    let ok = s.text.ends_with('\n') && !s.text.ends_with("\n\n") && !s.text.contains('\r');
    if ok {
        Vec::new()
    } else {
        vec![format!("{}: does not end in one newline, or has others than \\n", s.path)]
    }
}

#[test]
fn every_file_ends_in_one_newline() {
    hold(
        ending,
        &[("src/cli/x.rs", "//! x"), ("src/cli/x.rs", "//! x\n\n"), ("README.md", "x\r\n")],
        &[("src/cli/x.rs", "//! x\n")],
    );
}

fn colour(s: &Source) -> Vec<String> {
    if !in_src(s) || s.path.starts_with("src/tui/theme") {
        return Vec::new();
    }
    offences(
        s,
        word_places(&s.code, "Color").map(|at| (line_of(&s.code, at), "a colour".to_owned())).collect(),
    )
}

#[test]
fn only_the_theme_knows_colours() {
    hold(
        colour,
        &[("src/tui/x.rs", "fn f() { Color::Red }")],
        &[("src/tui/theme/x.rs", "fn f() { Color::Red }"), ("src/tui/x.rs", "struct ColorMode;")],
    );
}

/// A message is made in one place, whole, and nobody may change it after that.
fn remade(s: &Source) -> Vec<String> {
    if !in_src(s) || s.path == "src/core/hive/bus.rs" || s.path == "src/domain/message.rs" {
        return Vec::new();
    }
    let found = word_places(&s.code, "Message").filter(|at| {
        let makes = s.code[at + "Message".len()..].trim_start().starts_with('{');
        let before = s.code[..*at].trim_end();
        let written = before.ends_with("->") || before.ends_with("for") || before.ends_with("struct");
        (makes && !written) || before.ends_with("&mut")
    });
    let found = found.map(|at| (line_of(&s.code, at), "a message is made or changed".to_owned())).collect();
    offences(s, found)
}

#[test]
fn messages_are_made_by_the_bus_and_never_changed() {
    hold(
        remade,
        &[
            ("src/lab/x.rs", "fn f() { g(Message { id, at, from, asset, body }) }"),
            ("src/lab/x.rs", "fn f(m: &mut Message) {}"),
        ],
        &[
            ("src/core/hive/bus.rs", "fn f() { g(Message { id }) }"),
            ("src/lab/x.rs", "fn f(m: &Message) -> Message { m.clone() }"),
        ],
    );
}

#[test]
fn the_tree_is_all_there() {
    let tree = tree();
    for room in std::fs::read_dir(source::root().join("src")).unwrap() {
        let room = room.unwrap().path();
        // Beside the crates stand the cases that once broke a property: no code, read by their tests.
        if room.ends_with("proptest-regressions") {
            continue;
        }
        let path = format!("src/{}", room.file_name().unwrap().to_string_lossy());
        assert!(tree.iter().any(|s| s.path.starts_with(&path)), "{path} is not looked at");
    }
    assert!(tree.iter().any(|s| s.test_file && in_src(s)), "no file of tests was recognised");
    for path in [
        "README.md",
        "CHANGELOG.md",
        "assets/rosters/bars.toml",
        "Cargo.toml",
        ".ci/run",
        "tests/main.rs",
        "tests/tidy.rs",
    ] {
        assert!(tree.iter().any(|s| s.path == path), "{path} is not looked at");
    }
    for room in ROOMS {
        assert!(tree.iter().any(|s| room_of(&s.path) == Some(*room)), "nothing of {room} is looked at");
    }
    let house = &tree.iter().find(|s| s.path == "Cargo.toml").unwrap().text;
    for (folder, _) in CRATES {
        let path = format!("src/{folder}/Cargo.toml");
        assert!(tree.iter().any(|s| s.path == path), "{path} is not looked at");
        for list in ["members", "default-members"] {
            let listed =
                house.lines().any(|l| l.starts_with(list) && l.contains(&format!("\"src/{folder}\"")));
            assert!(listed, "{list} of Cargo.toml are without {folder}, whose tests nobody would run");
        }
    }
}
