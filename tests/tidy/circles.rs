//! Circles of imports between files: who has to be read together to be understood. A name that a module hands on
//! (`pub use`) counts as an import of the file that it is written in.

use super::CRATES;
use super::source::{Source, declared, registered, tree, word_places};
use std::collections::{BTreeMap, BTreeSet};

/// Files of the largest circle: two that belong together may name each other, three are a knot.
const CIRCLE_MAX: usize = 2;

/// A module by its names from `src/` on: `["tui", "theme", "palette"]`.
type Module = Vec<String>;

fn module_of(path: &str) -> Module {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut names: Module = inner.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

/// Takes `a::{b, c::{d as e}}` apart: every path with its names.
fn spread(tree: &str, before: &[String], found: &mut Vec<Module>) {
    let (mut depth, mut from) = (0, 0);
    let ends = tree.char_indices().chain([(tree.len(), ',')]);
    for (at, c) in ends {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = tree[from..at].trim();
                from = at + 1;
                let names = |text: &str| -> Module {
                    let text = text.split(" as ").next().unwrap_or_default();
                    let names = text.split("::").map(|n| n.trim().to_owned());
                    before.iter().cloned().chain(names.filter(|n| !n.is_empty())).collect()
                };
                match part.split_once('{') {
                    Some((path, rest)) => {
                        spread(rest.trim_end().trim_end_matches('}'), &names(path), found);
                    }
                    None if !part.is_empty() => found.push(names(part)),
                    None => {}
                }
            }
            _ => {}
        }
    }
}

/// The paths that a file names: of its imports, and those that stand in the code; and what it hands on.
fn paths(s: &Source) -> (Vec<Module>, Vec<Module>) {
    let (mut named, mut handed_on) = (Vec::new(), Vec::new());
    for at in word_places(&s.code, "use") {
        let Some(end) = s.code[at..].find(';') else { continue };
        if s.is_test(line(s, at)) {
            continue;
        }
        let statement = s.code[..at].rsplit(['\n', ';']).next().unwrap_or_default();
        let public = statement.trim_start().starts_with("pub");
        spread(&s.code[at + 3..at + end], &[], if public { &mut handed_on } else { &mut named });
    }
    for root in ["crate", "super"] {
        for at in word_places(&s.code, root) {
            // How far a name is seen is no import.
            if s.code[..at].trim_end().ends_with("pub(") || s.code[..at].ends_with("pub(in ") {
                continue;
            }
            let text: String =
                s.code[at..].chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
            if !s.is_test(line(s, at)) {
                named.push(text.split("::").filter(|n| !n.is_empty()).map(str::to_owned).collect());
            }
        }
    }
    named.extend(registered(&s.path).into_iter().map(|module| vec![module]));
    // What a root calls of its modules by their names, without an import.
    let imports: Vec<(usize, usize)> =
        word_places(&s.code, "use").filter_map(|at| Some((at, at + s.code[at..].find(';')?))).collect();
    for (_, child) in declared(s) {
        for at in word_places(&s.code, &child).filter(|at| !s.is_test(line(s, *at))) {
            let before = s.code[..at].trim_end();
            let imported = imports.iter().any(|(from, to)| (*from..*to).contains(&at));
            if s.code[at + child.len()..].starts_with("::") && !before.ends_with("::") && !imported {
                named.push(vec![child.clone()]);
            }
        }
    }
    (named, handed_on)
}

fn line(s: &Source, at: usize) -> usize {
    super::source::line_of(&s.code, at)
}

/// The files of a tree, and what each module hands on.
struct Map {
    files: BTreeMap<Module, String>,
    handed_on: BTreeMap<(Module, String), Module>,
}

impl Map {
    /// The module that a path of a file leads to.
    fn find(&self, path: &[String], here: &[String]) -> Option<Module> {
        let room = here.first().cloned().into_iter().collect::<Module>();
        let first = path.first()?;
        let (base, rest): (Module, &[String]) = match first.as_str() {
            // Of its own crate: a module of its folder, a room beside it, or what the root hands on.
            "crate" => {
                let next = path.get(1)?;
                let has = |names: &[String]| self.files.contains_key(names);
                let handed_on = self.handed_on.get(&(Vec::new(), next.clone()));
                // The rooms of the package itself are folders of one crate; a folder with a crate of its own is its root.
                let is_crate = here.first().is_some_and(|room| CRATES.iter().any(|(name, _)| name == room));
                match handed_on {
                    _ if is_crate && has(&[&room[..], std::slice::from_ref(next)].concat()) => {
                        (room, &path[1..])
                    }
                    _ if self.files.keys().any(|m| m.first() == Some(next)) => (Vec::new(), &path[1..]),
                    Some(to) => (to.clone(), &path[2..]),
                    None => (room, &path[1..]),
                }
            }
            "self" => (here.to_vec(), &path[1..]),
            "super" => {
                let ups = path.iter().take_while(|n| *n == "super").count();
                (here[..here.len().saturating_sub(ups)].to_vec(), &path[ups..])
            }
            name => match name.strip_prefix("hive_") {
                Some(room) => (vec![room.to_owned()], &path[1..]),
                None => (here.to_vec(), path),
            },
        };
        let longest =
            (0..=rest.len()).rev().find(|n| self.files.contains_key(&[&base[..], &rest[..*n]].concat()))?;
        if longest == 0 && base == here {
            return None;
        }
        let module = [&base[..], &rest[..longest]].concat();
        let item = rest.get(longest).and_then(|item| self.handed_on.get(&(module.clone(), item.clone())));
        Some(item.cloned().unwrap_or(module))
    }

    fn new(sources: &[Source]) -> Self {
        let files = sources.iter().map(|s| (module_of(&s.path), s.path.clone())).collect();
        let mut map = Map { files, handed_on: BTreeMap::new() };
        // What is handed on may have been handed on before.
        for _ in 0..3 {
            for s in sources {
                let here = module_of(&s.path);
                for path in paths(s).1 {
                    if let (Some(item), Some(to)) = (path.last(), map.find(&path, &here)) {
                        map.handed_on.insert((here.clone(), item.clone()), to);
                    }
                }
            }
        }
        map
    }
}

/// Groups of files that import each other, round and round, the largest first.
fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let map = Map::new(sources);
    let mut reached: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for s in sources {
        let here = module_of(&s.path);
        let found = paths(s).0.into_iter().filter_map(|path| map.find(&path, &here)).filter(|to| *to != here);
        reached.insert(here.clone(), found.collect());
    }
    // What is reached over others.
    loop {
        let mut grown = false;
        for module in map.files.keys() {
            let over: BTreeSet<Module> =
                reached[module].iter().filter_map(|m| reached.get(m)).flatten().cloned().collect();
            let all = reached.get_mut(module);
            let before = all.as_ref().map_or(0, |a| a.len());
            if let Some(all) = all {
                all.extend(over);
                grown |= all.len() > before;
            }
        }
        if !grown {
            break;
        }
    }
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for module in map.files.keys() {
        let back = |other: &&Module| reached.get(*other).is_some_and(|r| r.contains(module));
        let circle: Vec<String> =
            reached[module].iter().filter(back).filter_map(|m| map.files.get(m)).cloned().collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    let mut circles: Vec<_> = found.into_iter().collect();
    circles.sort_by_key(|c| std::cmp::Reverse(c.len()));
    circles
}

#[test]
fn no_circle_of_imports_is_over_two_files() {
    let three = [
        Source::new("src/tui/mod.rs", "mod a;\npub use c::Third;"),
        Source::new("src/tui/a.rs", "use super::b::{self, Second};"),
        Source::new("src/tui/b.rs", "fn f() -> super::Third { g() }"),
        Source::new("src/tui/c.rs", "use crate::tui::a;\npub struct Third;"),
        Source::new("src/tui/d.rs", "pub(super) use super::a;"),
    ];
    let found = circles(&three);
    assert_eq!(
        found,
        [["src/tui/a.rs", "src/tui/b.rs", "src/tui/c.rs"]],
        "the rule misses a circle of three"
    );
    assert!(circles(&three[3..]).is_empty(), "the rule sees a circle where there is none");
    let root = [
        Source::new("src/tui/mod.rs", "mod a; mod b; fn f() { a::g(); b::g() }\npub struct Of;"),
        Source::new("src/tui/a.rs", "use super::Of;\npub fn g() {}"),
        Source::new("src/tui/b.rs", "pub fn g(_: super::Of) {}"),
    ];
    assert_eq!(circles(&root)[0].len(), 3, "the rule misses what a root calls without an import");
    let program = |s: &Source| super::in_src(s) && s.rust() && !s.test_file;
    let sources: Vec<Source> = tree().into_iter().filter(program).collect();
    let found = circles(&sources);
    for circle in found.iter().filter(|c| c.len() > 2) {
        println!("a circle of {}: {}", circle.len(), circle.join(" "));
    }
    let largest = found.first().map_or(0, Vec::len);
    assert!(largest > 1, "the rule looks at nothing");
    println!("circles of imports: {}, the largest of {largest} files", found.len());
    assert!(
        largest <= CIRCLE_MAX,
        "a circle of {largest}: {:?}; name what they share in a file of its own",
        found[0]
    );
}
