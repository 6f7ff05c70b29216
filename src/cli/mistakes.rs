//! Mistakes of a configuration as a person reads them: what is wrong and where, and below it the line itself
//! with what is meant.

use crate::config::{Problem, Problems};
use crate::domain::{is_unprintable, printable};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::io::IsTerminal;
use std::ops::Range;

/// Longest line that is shown; a longer one is no line that somebody wrote.
const LINE_BYTES_MAX: usize = 1_000;

/// All mistakes, those of `text` with their lines; in colour where standard error is a terminal that wants it.
pub fn shown(problems: &Problems, file: &str, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let coloured = std::io::stderr().is_terminal() && !plain;
    drawn(problems, file, text, &if coloured { Renderer::styled() } else { Renderer::plain() })
}

fn drawn(problems: &Problems, file: &str, text: &str, renderer: &Renderer) -> String {
    let one = |problem: &Problem| {
        let line = problem.line.checked_sub(1).filter(|_| problem.file == file);
        let line = line.and_then(|n| text.lines().nth(n)).filter(|l| l.len() <= LINE_BYTES_MAX);
        let told = problem.to_string();
        let told = printable(&told);
        match line {
            // One for one, so that what is meant stays in its column.
            Some(line) => {
                let line = line.replace(|c| is_unprintable(c) && c != '\t', "\u{fffd}");
                format!("{told}\n{}", snippet(problem, &line, renderer))
            }
            None => told.into_owned(),
        }
    };
    problems.0.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn snippet(problem: &Problem, line: &str, renderer: &Renderer) -> String {
    let mark = AnnotationKind::Primary.span(meant(line, problem.column));
    let snippet = Snippet::source(line).line_start(problem.line).annotation(mark);
    renderer.render(&[Group::with_level(Level::ERROR).element(snippet)])
}

/// The bytes that a mistake is about, from its column on: a word, a text in quotes, or one character.
fn meant(line: &str, column: usize) -> Range<usize> {
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let rest = &line[start..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |at| at + 2),
        Some(first) => {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
            rest.find(|c| !word(c)).unwrap_or(rest.len()).max(first.len_utf8())
        }
        None => 0,
    };
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize, column: usize) -> Problem {
        Problem {
            file: "a.toml".to_owned(),
            line,
            column,
            message: "unknown key".to_owned(),
            hint: Some("did you mean it?".to_owned()),
        }
    }

    #[test]
    fn a_mistake_stands_above_its_line_which_is_marked() {
        let text = "[desk]\npatiense = 0.2\n";
        let all = Problems(vec![problem(2, 1), Problem { file: "HIVE_SEED".to_owned(), ..problem(0, 0) }]);
        let shown = drawn(&all, "a.toml", text, &Renderer::plain());
        let wanted = "\
a.toml:2:1: unknown key; did you mean it?
  |
2 | patiense = 0.2
  | ^^^^^^^^
HIVE_SEED: unknown key; did you mean it?";
        assert_eq!(shown, wanted);
        assert!(!drawn(&all, "other.toml", text, &Renderer::plain()).contains('|'), "a line of another file");
        assert!(drawn(&all, "a.toml", text, &Renderer::styled()).contains("\u{1b}["));
    }

    #[test]
    fn a_mark_is_as_long_as_what_is_meant() {
        let line = "decide = \"4x\" # é = 1.5e-3, x";
        let of = |column| &line[meant(line, column)];
        assert_eq!(
            [of(1), of(10), of(15), of(17), of(21), of(8)],
            ["decide", "\"4x\"", "#", "é", "1.5e-3", "="]
        );
        assert_eq!((of(500), of(0)), ("", "decide"));
        assert_eq!(&"a = \"b"[meant("a = \"b", 5)], "\"b");
    }

    #[test]
    fn what_a_line_says_cannot_steer_the_terminal() {
        let shown = drawn(&Problems(vec![problem(1, 1)]), "a.toml", "a\u{1b}[2J = 1", &Renderer::plain());
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        assert_eq!(
            drawn(&Problems(vec![problem(1, 1)]), "a.toml", &long, &Renderer::plain()).lines().count(),
            1
        );
    }
}
