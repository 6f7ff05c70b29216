//! What is wrong with a configuration, and where.

use std::fmt;
use toml::de::DeTable;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the variable or flag that was given.
    pub file: String,
    /// Line, counted from 1; 0 where there is none (a variable, a flag).
    pub line: usize,
    /// Column in characters, counted from 1; 0 where there is none.
    pub column: usize,
    /// What is wrong, naming the key and where it stands.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// All that is wrong, in the order of the file, then of the variables and flags. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Longest piece of the user's text that a message repeats.
const QUOTE_CHARS_MAX: usize = 40;
/// Most names that a hint lists.
const NAMES_LISTED_MAX: usize = 12;

/// The user's text in quotes: cut to size, control characters escaped, so that it cannot steer a terminal.
pub(super) fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTE_CHARS_MAX {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    format!("{:?}", head + "…")
}

/// The candidate that was most likely meant: about a third of its letters may be wrong.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.chars().count() > QUOTE_CHARS_MAX {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::osa_distance(&word, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= ((c.chars().count() + 1) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// Whether a key that is not known here was probably meant as `key`, which is missing: then the slip is
/// the problem, and what is missing is none.
pub(super) fn meant(table: &DeTable<'_>, key: &str, known: &[&str]) -> bool {
    table
        .iter()
        .map(|(k, _)| k.get_ref().as_ref())
        .any(|k: &str| !known.contains(&k) && nearest(k, [key]).is_some())
}

/// A hint for a name that is not known: the nearest, or the list of what is.
pub(super) fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("did you mean {near:?}?");
    }
    let mut names: Vec<&str> = candidates.into_iter().collect();
    if names.is_empty() {
        return "there are none to choose from".to_owned();
    }
    let left_out = names.len().saturating_sub(NAMES_LISTED_MAX);
    names.truncate(NAMES_LISTED_MAX);
    let more = if left_out > 0 { format!(" and {left_out} more") } else { String::new() };
    format!("known: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_the_list() {
        let names = ["trend", "momentum", "range"];
        assert_eq!(nearest("momentun", names), Some("momentum"));
        assert_eq!(nearest("Trend", names), Some("trend"));
        assert_eq!(nearest("butterfly", names), None);
        assert_eq!(suggest("tremd", names), "did you mean \"trend\"?");
        assert_eq!(suggest("butterfly", names), "known: trend, momentum, range");
        assert_eq!(suggest("x", []), "there are none to choose from");
    }

    #[test]
    fn what_a_file_says_cannot_steer_the_terminal() {
        assert_eq!(quoted("a\u{1b}[2J"), r#""a\u{1b}[2J""#);
        assert!(quoted(&"é".repeat(10_000)).chars().count() < 50);
    }
}
