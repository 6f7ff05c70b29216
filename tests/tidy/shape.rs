//! Rules of shape: how long functions are, how much they take, and what names and public items there are.

use super::hold;
use super::source::{Source, in_src, line_of, room_of, tree, word_places};
use std::collections::{BTreeMap, BTreeSet};

const FUNCTION_LINES_MAX: usize = 70;
const ARGUMENTS_MAX: usize = 6;
const MAIN_LINES_MAX: usize = 80;

/// A function as it is written.
struct Function {
    line: usize,
    name: String,
    lines: usize,
    arguments: usize,
}

/// Where a bracket that opens at `from` closes; `<` counts as one, the `>` of an arrow does not.
fn closes(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0;
    let mut before = ' ';
    for (i, c) in code[from..].char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(from + i);
        }
        before = c;
    }
    None
}

/// Where the block closes that opens at `from`.
fn block_end(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in code[from..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(from + i);
        }
    }
    None
}

/// How many arguments there are beside `self`.
fn arguments(list: &str) -> usize {
    let (mut depth, mut before, mut parts) = (0, ' ', vec![String::new()]);
    for c in list.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        before = c;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let is_self = |p: &str| p.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == "self");
    parts.iter().filter(|p| !p.trim().is_empty() && !is_self(p)).count()
}

fn functions(s: &Source) -> Vec<Function> {
    let mut found = Vec::new();
    for at in word_places(&s.code, "fn") {
        let rest = s.code[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let after = s.code.len() - rest.len() + name.len();
        if name.is_empty() {
            continue;
        }
        let list = if s.code[after..].starts_with('<') {
            closes(&s.code, after).map(|i| i + 1)
        } else {
            Some(after)
        };
        let Some(list) = list.filter(|i| s.code[*i..].starts_with('(')) else { continue };
        let Some(end_of_list) = closes(&s.code, list) else { continue };
        let Some(body) = s.code[end_of_list..].find(['{', ';']).map(|i| end_of_list + i) else { continue };
        let end =
            if s.code[body..].starts_with('{') { block_end(&s.code, body).unwrap_or(body) } else { body };
        let line = line_of(&s.code, at);
        found.push(Function {
            line,
            name,
            lines: line_of(&s.code, end) - line + 1,
            arguments: arguments(&s.code[list + 1..end_of_list]),
        });
    }
    found
}

fn of_the_program(s: &Source, line: usize) -> bool {
    in_src(&s.path) && !s.is_test(line)
}

fn long(s: &Source) -> Vec<String> {
    let mut found: Vec<String> = functions(s)
        .iter()
        .filter(|f| of_the_program(s, f.line) && f.lines > FUNCTION_LINES_MAX)
        .map(|f| {
            format!("{}:{}: {} has {} lines, at most {FUNCTION_LINES_MAX}", s.path, f.line, f.name, f.lines)
        })
        .collect();
    if s.path == "src/main.rs" && s.text.lines().count() > MAIN_LINES_MAX {
        found.push(format!("{}: more than {MAIN_LINES_MAX} lines", s.path));
    }
    found
}

#[test]
fn functions_fit_a_screen() {
    let of =
        |lines: usize| format!("fn f<T: Fn() -> u8>(t: T) -> u8 {{\n{}}}\n", "    g();\n".repeat(lines - 2));
    let (too_long, fits) = (of(71), of(70));
    let in_tests = format!("#[cfg(test)]\nmod tests {{\n{too_long}}}\n");
    hold(
        long,
        &[("src/domain/x.rs", &too_long), ("src/main.rs", &"\n".repeat(81))],
        &[
            ("src/domain/x.rs", &fits),
            ("src/domain/x.rs", &in_tests),
            ("src/domain/x.rs", "trait T {\n fn f();\n}"),
        ],
    );
}

fn greedy(s: &Source) -> Vec<String> {
    functions(s)
        .iter()
        .filter(|f| of_the_program(s, f.line) && f.arguments > ARGUMENTS_MAX)
        .map(|f| format!("{}:{}: {} takes {}, at most {ARGUMENTS_MAX}", s.path, f.line, f.name, f.arguments))
        .collect()
}

#[test]
fn functions_take_six_arguments_at_most() {
    hold(
        greedy,
        &[
            ("src/domain/x.rs", "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}"),
            ("src/domain/x.rs", "fn f(&mut self, a: A<B, C>, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8,) {}"),
        ],
        &[
            ("src/domain/x.rs", "fn f(&mut self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}"),
            (
                "src/domain/x.rs",
                "fn f(a: (u8, u8, u8), b: Map<u8, u8>, c: impl Fn(u8, u8) -> u8, d: [u8; 2], e: u8, f: u8) {}",
            ),
        ],
    );
}

/// Types of a file, those of tests among them: with their line.
fn types(s: &Source) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for keyword in ["struct", "enum", "trait", "union", "type"] {
        for at in word_places(&s.code, keyword) {
            let line = line_of(&s.code, at);
            let start = s.code.lines().nth(line - 1).unwrap_or_default();
            // A type of a trait or of an implementation belongs to it.
            let associated = keyword == "type" && start.starts_with(' ');
            let rest = s.code[at + keyword.len()..].trim_start();
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !associated && name.starts_with(|c: char| c.is_uppercase()) {
                found.push((name, line));
            }
        }
    }
    found
}

fn doubled(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for s in sources.iter().filter(|s| in_src(&s.path)) {
        for (name, line) in types(s) {
            places.entry(name).or_default().push(format!("{}:{line}", s.path));
        }
    }
    places.retain(|_, at| at.len() > 1);
    places.into_iter().map(|(name, at)| format!("{name}: {}", at.join(", "))).collect()
}

#[test]
fn no_type_name_stands_twice() {
    let bad = [Source::new("src/a/x.rs", "pub struct Order;"), Source::new("src/b/x.rs", "enum Order { A }")];
    assert_eq!(doubled(&bad), ["Order: src/a/x.rs:1, src/b/x.rs:1"]);
    let good = [
        Source::new("src/a/x.rs", "pub struct Order;\nimpl Iterator for Order {\n    type Item = u8;\n}"),
        Source::new("src/b/x.rs", "// struct Order\nimpl Iterator for Fill {\n    type Item = u8;\n}"),
        Source::new("src/core/tests/x.rs", "struct Order;"),
    ];
    assert_eq!(doubled(&good), [""; 0]);
    let found = doubled(&tree());
    assert!(found.is_empty(), "{} names\n{}", found.len(), found.join("\n"));
}

/// Public items that nothing but the tests of their own file uses.
fn unused(sources: &[Source]) -> Vec<String> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for s in sources.iter().filter(|s| s.rust()) {
        for (i, text) in s.code.lines().enumerate() {
            // What other programs may use of the library, tests and benches use too.
            if !in_src(&s.path) || !s.is_test(i + 1) {
                text.split(|c: char| !is_word(c))
                    .filter(|w| !w.is_empty())
                    .for_each(|w| *uses.entry(w).or_default() += 1);
            }
        }
    }
    let mut found = BTreeSet::new();
    for s in sources.iter().filter(|s| room_of(&s.path).is_some()) {
        for at in word_places(&s.code, "pub") {
            let line = line_of(&s.code, at);
            let mut words =
                s.code[at + 3..].split_whitespace().map(|w| w.split(|c| !is_word(c)).next().unwrap_or(""));
            let keyword = words.find(|w| !matches!(*w, "const" | "unsafe" | "async")).unwrap_or("");
            if s.is_test(line) || !matches!(keyword, "fn" | "struct" | "enum" | "trait" | "type" | "static") {
                continue;
            }
            let name = words.next().unwrap_or("");
            // A macro gives it its name.
            if name.is_empty() {
                continue;
            }
            if uses.get(name).is_none_or(|n| *n < 2) {
                found.insert(format!("{}:{line}: {name}", s.path));
            }
        }
    }
    found.into_iter().collect()
}

#[test]
fn nothing_is_public_that_nobody_uses() {
    let one = "pub fn lonely() {}\n#[cfg(test)]\nmod tests {\n    fn f() { super::lonely(); }\n}\n";
    assert_eq!(unused(&[Source::new("src/domain/x.rs", one)]), ["src/domain/x.rs:1: lonely"]);
    let good = [
        Source::new("src/domain/x.rs", "pub fn used() {}"),
        Source::new("src/cli/y.rs", "fn g() { used(); }"),
        Source::new("src/lab/x.rs", "pub fn tried() {}"),
        Source::new("src/lab/tests/x.rs", "fn g() { tried(); }"),
    ];
    assert_eq!(unused(&good), [""; 0]);
    let found = unused(&tree());
    assert!(found.is_empty(), "{} items\n{}", found.len(), found.join("\n"));
}

/// Fields of settings that nothing reads but the table that lists them.
fn unread(sources: &[Source]) -> Vec<String> {
    let program = |s: &&Source| in_src(&s.path) && s.rust() && !s.test_file;
    let readers: Vec<&Source> =
        sources.iter().filter(program).filter(|s| !s.path.ends_with("config/table.rs")).collect();
    let reads = |name: &str| {
        let read = format!(".{name}");
        readers.iter().any(|s| {
            word_places(&s.code, name).any(|at| {
                // `let Settings { name, .. } = settings`.
                let rest = s.code[at..].split(';').next().unwrap_or_default();
                let taken_apart = rest.contains("} =") && !rest.contains("fn ");
                !s.is_test(line_of(&s.code, at))
                    && (s.code[..at + name.len()].ends_with(&read) || taken_apart)
            })
        })
    };
    let mut found = Vec::new();
    for s in sources.iter().filter(program).filter(|s| s.path.starts_with("src/core/")) {
        for at in word_places(&s.code, "struct") {
            let Some(open) = s.code[at..].find('{').map(|n| at + n) else { continue };
            let name = s.code[at + 6..open].trim();
            if !["Settings", "Manager"].iter().any(|end| name.ends_with(end)) || name.contains(';') {
                continue;
            }
            let body = &s.code[open..block_end(&s.code, open).unwrap_or(open)];
            for field in body.lines().filter_map(|l| l.trim().strip_prefix("pub ")?.split_once(':')) {
                if !reads(field.0) {
                    found.push(format!("{}: {name}.{} is read by nobody", s.path, field.0));
                }
            }
        }
    }
    found
}

#[test]
fn every_setting_is_read() {
    let text = "pub struct XSettings {\n    pub hush: f64,\n}\nimpl XSettings {\n    fn new() -> Self {\n        \
                XSettings { hush: 1.0 }\n    }\n}\n";
    let settings = Source::new("src/core/treasury/x.rs", text);
    let table = Source::new("src/core/config/table.rs", "fn f(x: &X) { x.hush; }");
    assert_eq!(unread(&[settings, table]), ["src/core/treasury/x.rs: XSettings.hush is read by nobody"]);
    let settings = Source::new("src/core/treasury/x.rs", "pub struct XSettings {\n    pub hush: f64,\n}\n");
    assert_eq!(unread(&[settings, Source::new("src/core/treasury/y.rs", "fn f() { s.x.hush }")]), [""; 0]);
    let found = unread(&tree());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
