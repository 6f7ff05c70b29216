//! A source file as the rules see it: its text, its code without comments and the insides of strings,
//! and which lines are tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files beside the Rust ones that the rules look at.
const OTHERS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "assets/rosters/bars.toml",
    "assets/rosters/default.toml",
    "Cargo.toml",
    ".ci/run",
];
/// Crates of more than one room: the rooms are folders of the crate's folder. Any other folder is a room.
pub const CRATES_OF_ROOMS: &[&str] = &["core"];
/// Crates that have a program of tests: their folder `tests` is of no room.
pub const CRATES_WITH_TESTS: &[&str] = &["core", "lab", "market", "venues"];

/// A file.
pub struct Source {
    /// From the top of the tree, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The same length in bytes and lines, comments and the insides of strings blanked.
    pub code: String,
    /// Whether the whole file is compiled for tests only.
    pub test_file: bool,
    /// Lines inside an inline `#[cfg(test)] mod`.
    test_lines: BTreeSet<usize>,
    /// Lines with a `//` comment that is not documentation.
    comments: BTreeSet<usize>,
}

impl Source {
    /// Of a text.
    pub fn new(path: &str, text: &str) -> Self {
        let rust = is_rust(path);
        let (code, comments) = if rust { blank(text) } else { (text.to_owned(), BTreeSet::new()) };
        Source {
            test_lines: inline_tests(&code),
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            test_file: rust && !in_src(path),
            comments,
        }
    }

    /// Whether it is Rust.
    pub fn rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// Whether a line is compiled for tests only.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_file || self.test_lines.contains(&line)
    }

    /// Whether a line carries a comment.
    pub fn explained(&self, line: usize) -> bool {
        self.comments.contains(&line)
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == "rs")
}

/// The file of the registry of families, and the root of the folder whose modules its lines are.
const FAMILIES: (&str, &str) = ("src/domain/family.rs", "src/core/agents/families/mod.rs");

/// The modules that the lines of the registry of families declare, for the root of their folder.
pub fn registered(path: &str) -> Vec<String> {
    if path != FAMILIES.1 {
        return Vec::new();
    }
    let text = std::fs::read_to_string(root().join(FAMILIES.0)).unwrap();
    let line = |l: &str| {
        let ways = [" at bars:", " on events:", " as listed:"];
        let l = ways.iter().find_map(|way| l.trim_end().strip_suffix(way))?;
        l.rsplit(' ').next()?.split_once("::").map(|(module, _)| module.to_owned())
    };
    text.lines().filter_map(line).collect()
}

/// The top of the tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files that have rules.
pub fn tree() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        walk(&root().join(folder), &mut paths);
    }
    paths.extend(OTHERS.iter().map(|p| root().join(p)).filter(|p| p.exists()));
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        Source::new(&name, &std::fs::read_to_string(path).unwrap())
    };
    let mut sources: Vec<Source> = paths.iter().map(read).collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let mut tests: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    // A module of tests has modules of its own.
    for s in &sources {
        let inside = |t: &String| s.path.starts_with(&format!("{}/", t.trim_end_matches("/mod.rs")));
        if tests.iter().any(inside) {
            tests.insert(s.path.clone());
        }
    }
    for s in &mut sources {
        s.test_file |= tests.contains(&s.path);
    }
    sources
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") || path.ends_with("Cargo.toml") {
            paths.push(path);
        }
    }
}

/// Whether it is of a library or of the program. Programs of tests and benches look at them from outside, those of
/// the crates under `src/` too.
pub fn in_src(path: &str) -> bool {
    let within = |inside: &str| {
        CRATES_WITH_TESTS
            .iter()
            .any(|c| inside.strip_prefix(c).is_some_and(|rest| rest.starts_with("/tests/")))
    };
    path.strip_prefix("src/").is_some_and(|inside| !within(inside))
}

/// `market` of `src/market/state.rs`, and of a crate of several rooms the room: `engine` of
/// `src/core/engine/real.rs`. None for the root of a crate of several rooms, and for what is not in the source.
pub fn room_of(path: &str) -> Option<&str> {
    let (folder, inside) = path.strip_prefix("src/").filter(|_| in_src(path))?.split_once('/')?;
    if CRATES_OF_ROOMS.contains(&folder) {
        return inside.split_once('/').map(|(room, _)| room);
    }
    Some(folder)
}

/// The folder that a file of modules is for: `src/market` of `src/market/lib.rs`.
pub fn folder_of(path: &str) -> &str {
    let root = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix("/lib.rs"));
    root.unwrap_or_else(|| path.trim_end_matches(".rs"))
}

/// Whether it is the root of a library.
pub fn is_root(path: &str) -> bool {
    path.starts_with("src/") && path.ends_with("/lib.rs")
}

/// The line, counted from one, of a place.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where a whole word stands.
pub fn word_places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

/// The modules that a file declares by `mod name;`, each with where its `mod` stands.
pub fn declared(s: &Source) -> Vec<(usize, String)> {
    let name = |at: usize| {
        let (name, _) = s.code[at + 3..].split_once(';')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| (at, name.to_owned()))
    };
    word_places(&s.code, "mod").filter_map(name).collect()
}

/// The files that `#[cfg(test)] mod name;` and `#[path]` of a file mean.
fn test_modules(s: &Source) -> Vec<String> {
    let folder = folder_of(&s.path);
    let parent = s.path.rsplit_once('/').map_or("", |(p, _)| p);
    let mut found = Vec::new();
    for (at, attribute) in s.code.match_indices("#[cfg(test)]") {
        let rest = s.text[at + attribute.len()..].trim_start();
        let (path, rest) = match rest.strip_prefix("#[path = \"") {
            Some(rest) => {
                let (path, rest) = rest.split_once("\"]").unwrap_or((rest, ""));
                (Some(path), rest.trim_start())
            }
            None => (None, rest),
        };
        let rest = match rest.strip_prefix("pub(").and_then(|rest| rest.split_once(") ")) {
            Some((_, rest)) => rest,
            None => rest,
        };
        let Some((name, _)) = rest.strip_prefix("mod ").and_then(|r| r.split_once(';')) else { continue };
        if name.chars().any(|c| !(c.is_alphanumeric() || c == '_')) {
            continue;
        }
        match path {
            Some(path) => found.push(format!("{parent}/{path}")),
            None => found.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]),
        }
    }
    found
}

/// Lines of the bodies of `#[cfg(test)] mod … { … }`.
fn inline_tests(code: &str) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let body = &code[at + attribute.len()..];
        let Some(open) = body.find(['{', ';']).filter(|i| body[*i..].starts_with('{')) else { continue };
        let mut depth = 0;
        let mut end = body.len();
        for (i, c) in body[open..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = open + i;
                break;
            }
        }
        lines.extend(line_of(code, at)..=line_of(code, at + attribute.len() + end));
    }
    lines
}

/// Blanks comments and the insides of strings and characters, byte for byte, and tells which lines have
/// a comment that is no documentation.
fn blank(text: &str) -> (String, BTreeSet<usize>) {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut comments = BTreeSet::new();
    let mut erase = |from: usize, to: usize| {
        for b in &mut out[from..to] {
            if *b != b'\n' {
                *b = b' ';
            }
        }
    };
    let find = |from: usize, what: &str| text[from..].find(what).map_or(text.len(), |i| from + i);
    let mut i = 0;
    while i < bytes.len() {
        let rest = &text[i..];
        let ends_word = i > 0 && (bytes[i - 1].is_ascii_alphanumeric() || bytes[i - 1] == b'_');
        let end = if rest.starts_with("//") {
            let end = find(i, "\n");
            if !rest.starts_with("///") && !rest.starts_with("//!") {
                comments.insert(line_of(text, i));
            }
            erase(i, end);
            end
        } else if rest.starts_with("/*") {
            let end = block_end(bytes, i);
            erase(i, end);
            end
        } else if !ends_word && raw_hashes(rest).is_some() {
            let (prefix, hashes) = raw_hashes(rest).unwrap();
            let from = i + prefix;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = find(from, &close);
            erase(from, end);
            (end + close.len()).min(bytes.len())
        } else if rest.starts_with('"') {
            let mut end = i + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            let end = end.min(bytes.len());
            erase(i + 1, end);
            end + 1
        } else if let Some(end) = character_end(rest) {
            erase(i + 1, i + end - 1);
            i + end
        } else {
            i + rest.chars().next().map_or(1, char::len_utf8)
        };
        i = end;
    }
    // Only whole characters were replaced, each byte of them by a space.
    (String::from_utf8(out).unwrap(), comments)
}

fn block_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                break;
            }
        } else {
            i += 1;
        }
    }
    i
}

/// Of `r##"`, `br"`: the length up to and with the quote, and the number of hashes.
fn raw_hashes(rest: &str) -> Option<(usize, usize)> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some((rest.len() - after.len() + hashes + 1, hashes))
}

/// The length of a character literal; a lifetime is none.
fn character_end(rest: &str) -> Option<usize> {
    let mut chars = rest.strip_prefix('\'')?.chars();
    match chars.next()? {
        '\\' => rest[3..].find('\'').map(|i| i + 4),
        c => (chars.next()? == '\'').then_some(2 + c.len_utf8()),
    }
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "let a = \"x // y\"; // why\nlet b = r#\"say \"hi\"\"#; /* /* in */ out */ let c = '\\''; f::<'a>(b'\"');";
    let s = Source::new("src/cli/x.rs", text);
    assert_eq!(
        s.code,
        "let a = \"      \";       \nlet b = r#\"        \"#;                    let c = '  '; f::<'a>(b' ');"
    );
    assert!(s.explained(1) && !s.explained(2));
}

#[test]
fn tests_are_told_from_the_rest() {
    let s = Source::new(
        "src/cli/x.rs",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() { {} }\n}\nfn h() {}\n",
    );
    let tests: Vec<usize> = (1..=6).filter(|l| s.is_test(*l)).collect();
    assert_eq!(tests, [2, 3, 4, 5]);
    let s = Source::new(
        "src/cli/mod.rs",
        "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"laws.rs\"]\nmod l;\n#[cfg(test)]\nuse x;\n",
    );
    assert_eq!(test_modules(&s), ["src/cli/tests.rs", "src/cli/tests/mod.rs", "src/cli/laws.rs"]);
    assert!(!s.is_test(7), "a `use` has no body");
}

#[test]
fn rooms_are_told_from_crates() {
    assert_eq!(room_of("src/market/import/item.rs"), Some("market"));
    assert_eq!(room_of("src/market/lib.rs"), Some("market"));
    assert_eq!(room_of("src/lib.rs"), None);
    assert_eq!(room_of("src/market/tests/main.rs"), None);
    assert_eq!(room_of("src/core/config/tests/laws.rs"), Some("config"));
    assert!(Source::new("src/core/tests/laws/gate.rs", "fn f() {}\n").is_test(1));
    assert_eq!(folder_of("src/market/lib.rs"), "src/market");
    assert_eq!(folder_of("src/market/import/mod.rs"), "src/market/import");
    for folder in CRATES_OF_ROOMS {
        assert_eq!(room_of(&format!("src/{folder}/lib.rs")), None);
        assert_eq!(room_of(&format!("src/{folder}/engine/real.rs")), Some("engine"));
    }
}
