//! Text that comes from files, markets and servers, made fit for a terminal: what moves a cursor, changes a title, rings, or
//! turns the direction of what is read is written as an escape, as JSON writes it.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal would do something other than show this: controls (C0, DEL, C1), marks and overrides of direction
/// (Unicode TR 9), and separators that break a line where nobody sees one.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// A text as a terminal may be given it: lines and tabs as they are, everything else that it would act on as `\u001b`.
pub fn printable(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_unprintable(c) && !matches!(c, '\n' | '\t');
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        let hostile = "a\u{1b}]0;title\u{7}\r\u{9b}2J\u{202e}txt.exe\u{2069} \u{feff}b\n\tc \u{e9}\u{4e2d}";
        let shown = printable(hostile);
        assert_eq!(
            shown,
            "a\\u001b]0;title\\u0007\\u000d\\u009b2J\\u202etxt.exe\\u2069 \\ufeffb\n\tc \u{e9}\u{4e2d}"
        );
        assert!(matches!(printable("plain: 1 \u{2192} 2\n"), Cow::Borrowed(_)));
        assert_eq!(printable(&shown), shown, "once is enough");
    }
}
