//! Programs of tests: one a crate, so that a test links no more than it looks at. And every file is a module of a library
//! or a program, else it is neither compiled nor run.

use super::source::{CRATES_WITH_TESTS, Source, declared, folder_of, registered, tree};
use std::collections::{BTreeMap, BTreeSet};

/// The folders of the packages: the top of the tree and the crates under `src/`.
fn packages(sources: &[Source]) -> BTreeMap<String, &Source> {
    let folder = |s: &Source| s.path.strip_suffix("Cargo.toml").map(str::to_owned);
    sources.iter().filter_map(|s| Some((folder(s)?, s))).collect()
}

/// Packages with more than one program of tests, or with one that nobody named.
fn many(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, manifest) in packages(sources) {
        let has = |name: &str| sources.iter().any(|s| s.path == format!("{folder}tests/{name}"));
        let named = manifest.text.matches("[[test]]").count();
        let one = named == 1 && manifest.text.contains("\npath = \"tests/main.rs\"\n");
        if has("main.rs") != one || (!one && named > 0) {
            found.push(format!("{}: {named} [[test]], not tests/main.rs alone", manifest.path));
        }
        let files = sources.iter().any(|s| s.rust() && s.path.starts_with(&format!("{folder}tests/")));
        if files && !manifest.text.contains("\nautotests = false\n") {
            found.push(format!(
                "{}: every file of tests/ is a program without autotests = false",
                manifest.path
            ));
        }
    }
    found
}

/// The files that the modules of a file are in, told by `mod name;`, with or without `#[path]`.
fn modules(s: &Source) -> Vec<String> {
    let parent = s.path.rsplit_once('/').map_or("", |(p, _)| p);
    let folder = if s.path.ends_with("/main.rs") { parent } else { folder_of(&s.path) };
    let mut found: Vec<String> =
        registered(&s.path).into_iter().map(|name| format!("{folder}/{name}.rs")).collect();
    for (at, name) in declared(s) {
        // What stands before it since the last statement.
        let before = s.code[..at].rfind([';', '}']).map_or(0, |i| i + 1);
        match s.text[before..at].split_once("#[path = \"").and_then(|(_, rest)| rest.split_once('"')) {
            Some((path, _)) => found.push(joined(parent, path)),
            None => found.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]),
        }
    }
    found
}

/// A path from a folder, which may go up.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Files that are no module of a library or a program: what is in them is neither compiled nor run, and nobody is told.
fn unreached(sources: &[Source]) -> Vec<String> {
    let by_path: BTreeMap<&str, &Source> = sources.iter().map(|s| (s.path.as_str(), s)).collect();
    let mut reached = BTreeSet::new();
    let root = |s: &&Source| s.path.ends_with("/lib.rs") || s.path.ends_with("/main.rs");
    let mut next: Vec<String> = sources.iter().filter(root).map(|s| s.path.clone()).collect();
    while let Some(path) = next.pop() {
        if let Some(s) = by_path.get(path.as_str())
            && reached.insert(path)
        {
            next.extend(modules(s));
        }
    }
    let beside = |s: &&Source| s.rust() && !s.path.starts_with("benches/");
    let lost = sources.iter().filter(beside).filter(|s| !reached.contains(&s.path));
    lost.map(|s| format!("{}: no library and no program has it as a module", s.path)).collect()
}

#[test]
fn a_crate_has_one_program_of_tests_and_every_file_is_a_module() {
    let one = "[package]\nautotests = false\n\n[[test]]\nname = \"x\"\npath = \"tests/main.rs\"\n";
    let found = Source::new("src/core/Cargo.toml", "[package]\n");
    let two = Source::new("src/core/Cargo.toml", &format!("{one}[[test]]\nname = \"y\"\n"));
    let main = || Source::new("src/core/tests/main.rs", "mod a;\n#[path = \"../../b/c.rs\"]\nmod c;\n");
    let a = || Source::new("src/core/tests/a.rs", "mod d;\n");
    let d = || Source::new("src/core/tests/a/d.rs", "");
    let lib = || Source::new("src/b/lib.rs", "pub mod c;");
    assert_eq!(many(&[found, main()]).len(), 2, "found by cargo, as many as there are files");
    assert_eq!(many(&[two, main()]).len(), 1);
    assert_eq!(many(&[Source::new("Cargo.toml", one)]).len(), 1, "there is none");
    let good =
        [Source::new("src/core/Cargo.toml", one), main(), a(), d(), Source::new("src/b/c.rs", ""), lib()];
    assert_eq!((many(&good), unreached(&good)), (Vec::new(), Vec::new()));
    assert_eq!(modules(&good[1])[2..], ["src/b/c.rs"]);
    let lost = [main(), a(), Source::new("src/core/tests/d.rs", ""), Source::new("src/b/e.rs", ""), lib()];
    let says = |path: &str| format!("{path}: no library and no program has it as a module");
    assert_eq!(unreached(&lost), [says("src/core/tests/d.rs"), says("src/b/e.rs")]);

    let tree = tree();
    let found = [many(&tree), unreached(&tree)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let tested = tree.iter().filter_map(|s| s.path.strip_prefix("src/")?.strip_suffix("/tests/main.rs"));
    assert_eq!(tested.collect::<Vec<_>>(), CRATES_WITH_TESTS);
    assert!(tree.iter().any(|s| s.path == "tests/main.rs"));
}
