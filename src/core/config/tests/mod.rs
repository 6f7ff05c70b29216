//! Behaviour of the whole room, by what is looked at.

use super::load::SHIPPED;
use super::*;
use crate::fills::Costs;

mod laws;
mod layers;
mod managers;
mod mistakes;
mod reactions;
mod shipped;
mod shipped_reactions;

const SMALLEST: &str = include_str!("../../../../tests/fixtures/smallest.toml");
const TEN: &str = include_str!("../../../../tests/fixtures/ten_mistakes.toml");
const NO_TOML: &str = include_str!("../../../../tests/fixtures/no_toml.toml");
const SECTIONS: &str = include_str!("../../../../tests/fixtures/wrong_sections.toml");

fn problems(text: &str) -> Vec<String> {
    match parse("f.toml", text) {
        Ok(_) => Vec::new(),
        Err(all) => all.0.iter().map(ToString::to_string).collect(),
    }
}

/// The only problem of the smallest file with more text before its agent's end.
fn only(more: &str) -> String {
    let all = problems(&format!("{SMALLEST}{more}"));
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

#[track_caller]
fn says(problem: &str, parts: &[&str]) {
    for part in parts {
        assert!(problem.contains(part), "{problem:?} says nothing of {part:?}");
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}
