//! Typed access to the spanned values of a TOML text. Every reader here reports what is wrong and goes
//! on, so that one pass finds all problems.

use super::problem::{Problem, Problems, quoted, suggest};
use std::fmt;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

pub(super) type Key<'i> = Spanned<DeString<'i>>;
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Most problems that are kept: a file of another kind could have one in every line.
const PROBLEMS_MAX: usize = 1_000;
/// Longest piece of the source that a message repeats; numbers can have very many digits.
const SOURCE_CHARS_MAX: usize = 40;

/// The text, and what was found wrong with it so far.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    /// Where each line starts, in bytes.
    starts: Vec<usize>,
    problems: Vec<Problem>,
    /// Problems beyond the most that are kept.
    left_out: usize,
}

impl<'a> Reader<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect();
        Reader { file, text, starts, problems: Vec::new(), left_out: 0 }
    }

    /// Line and column of a byte, both from 1; the column counts characters, as editors do.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|s| *s <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..at).unwrap_or_default();
        // Bytes 10xxxxxx continue a character; a byte order mark is none.
        let before = before.strip_prefix("\u{feff}".as_bytes()).unwrap_or(before);
        let column = before.iter().filter(|b| **b & 0xc0 != 0x80).count() + 1;
        (line, column)
    }

    pub fn file(&self) -> &'a str {
        self.file
    }

    /// The source of a value, as it was written; of a very long one, the start.
    pub fn source(&self, value: &Value<'_>) -> &'a str {
        let source = self.text.get(value.span()).unwrap_or_default();
        let end = source.char_indices().nth(SOURCE_CHARS_MAX);
        end.map_or(source, |(end, _)| &source[..end])
    }

    pub fn report(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        if self.problems.len() == PROBLEMS_MAX {
            // Before looking for the place, which takes time in very long lines.
            self.left_out += 1;
            return;
        }
        let (line, column) = self.position(at);
        self.report_at(line, column, message.into(), hint.into());
    }

    pub fn report_at(&mut self, line: usize, column: usize, message: String, hint: String) {
        self.push(self.file.to_owned(), (line, column), message, hint);
    }

    /// A problem that lies in no line of the file.
    pub fn report_elsewhere(&mut self, source: &str, message: String, hint: String) {
        self.push(source.to_owned(), (0, 0), message, hint);
    }

    fn push(&mut self, file: String, (line, column): (usize, usize), message: String, hint: String) {
        if self.problems.len() == PROBLEMS_MAX {
            self.left_out += 1;
            return;
        }
        self.problems.push(Problem { file, line, column, message, hint: (!hint.is_empty()).then_some(hint) });
    }

    /// Says that a key is not known here.
    pub fn unknown<'c>(
        &mut self,
        key: &Key<'_>,
        what: &str,
        section: &str,
        known: impl IntoIterator<Item = &'c str> + Clone,
    ) {
        let name = key.get_ref().to_lowercase();
        let secret =
            ["secret", "api_key", "apikey", "password", "private_key"].iter().any(|s| name.contains(s));
        let hint = if secret {
            "keys of exchanges never belong into this file: remove it, and replace the key if the file was shared".to_owned()
        } else {
            suggest(key.get_ref(), known)
        };
        let message = format!("unknown {what} {} in {section}", quoted(key.get_ref()));
        self.report(key.span().start, message, hint);
    }

    fn wrong_type(&mut self, value: &Value<'_>, what: &str, wanted: &str, hint: &str) {
        let is = type_name(value.get_ref());
        self.report(value.span().start, format!("{what} must be {wanted}, not {is}"), hint);
    }

    pub fn table<'t, 'i>(&mut self, value: &'t Value<'i>, what: &str, hint: &str) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, what, "a table", hint);
        }
        table
    }

    pub fn array<'t, 'i>(&mut self, value: &'t Value<'i>, what: &str, hint: &str) -> Option<&'t DeArray<'i>> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.wrong_type(value, what, "a list", hint);
        }
        array
    }

    pub fn text<'t>(&mut self, value: &'t Value<'_>, what: &str) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            let hint = if is_number(value.get_ref()) {
                format!("put it in quotes: \"{}\"", self.source(value))
            } else {
                String::new()
            };
            self.wrong_type(value, what, "text in quotes", &hint);
        }
        text
    }

    /// A word of a closed list, for what it stands for.
    pub fn word<T: Copy>(&mut self, value: &Value<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(value, what)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let message = format!("{what} is {}, which is not known", quoted(text));
            self.report(value.span().start, message, suggest(text, words.iter().map(|(word, _)| *word)));
        }
        found
    }

    pub fn flag(&mut self, value: &Value<'_>, what: &str) -> Option<bool> {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, what, "true or false", "without quotes");
        }
        flag
    }

    /// A finite number within bounds.
    pub fn number(
        &mut self,
        value: &Value<'_>,
        what: &str,
        (min, max): (f64, f64),
        unit: &str,
    ) -> Option<f64> {
        let Some(number) = as_number(value.get_ref()) else {
            self.wrong_type(value, what, "a number", "without quotes");
            return None;
        };
        // NaN lies in no range.
        if !(min..=max).contains(&number) {
            let is = self.source(value);
            self.report(
                value.span().start,
                format!("{what} is {is}, out of bounds"),
                bounds_hint(min, max, unit),
            );
            return None;
        }
        Some(number)
    }

    /// Nothing, or all problems.
    pub fn finish(self) -> Result<(), Problems> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(self.problems())
    }

    /// All problems, those of the file first and in its order.
    pub fn problems(mut self) -> Problems {
        // Stable: what lies in no line keeps its order.
        self.problems.sort_by_key(|p| match p.line {
            0 => (usize::MAX, 0),
            line => (line, p.column),
        });
        if self.left_out > 0 {
            self.problems.push(Problem {
                file: self.file.to_owned(),
                line: 0,
                column: 0,
                message: format!("and {} more", self.left_out),
                hint: Some("is this the right file?".to_owned()),
            });
        }
        Problems(self.problems)
    }
}

/// What may be set, with the unit.
pub(super) fn bounds_hint<T: fmt::Display>(min: T, max: T, unit: &str) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    format!("from {min} to {max}{unit}")
}

/// A TOML integer or float; infinities and NaN come through and fail every bound.
pub(super) fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        // Beyond 2^53 the value is rounded, which no bound of a number comes near.
        DeValue::Integer(i) => {
            i128::from_str_radix(i.as_str(), i.radix()).ok().map(|n| n as f64).or(Some(f64::INFINITY))
        }
        DeValue::Float(f) => f.as_str().parse().ok(),
        _ => None,
    }
}

pub(super) fn is_number(value: &DeValue<'_>) -> bool {
    value.is_integer() || value.is_float()
}

/// A type as people call it.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_know_both_line_ends() {
        let text = "a = \"é\" # ü\r\nbc = 1\n";
        let reader = Reader::new("f", text);
        assert_eq!(reader.position(0), (1, 1));
        assert_eq!(reader.position(text.find('#').unwrap()), (1, 9));
        assert_eq!(reader.position(text.find("bc").unwrap()), (2, 1));
        assert_eq!(reader.position(text.find('1').unwrap()), (2, 6));
        assert_eq!(reader.position(text.len()), (3, 1));
        assert_eq!(reader.position(9_999), (3, 1), "beyond the end");
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        let reader = Reader::new("f", "\u{feff}a = 1");
        assert_eq!(reader.position(3), (1, 1));
        assert_eq!(reader.position(7), (1, 5));
    }

    #[test]
    fn problems_come_in_the_order_of_the_file() {
        let mut reader = Reader::new("f", "a\nb\nc\n");
        reader.report_elsewhere("HIVE_X", "late".into(), String::new());
        reader.report(4, "third", "");
        reader.report(0, "first", "hint");
        let all = reader.finish().unwrap_err();
        assert_eq!(all.to_string(), "f:1:1: first; hint\nf:3:1: third\nHIVE_X: late");
    }
}
