//! Numbers and names as the screen writes them: one way for each unit.

use super::theme::StyleRole;
use crate::domain::{Decimal, Stamp};
use crate::view::cockpit::AgentState;
pub use crate::view::{grouped as thousands, letters};

/// Bytes as people say them: `35 MB`, `1.0 GB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MB", bytes >> 20),
        _ => format!("{:.1} GB", bytes as f64 / f64::from(1 << 30)),
    }
}

/// `▲ +1,234`, `▼ -1,234`, `  0`: a sign glyph, never colour alone.
pub fn gain(x: f64) -> String {
    let text = thousands(x);
    match text.as_str() {
        "0" => "  0".to_owned(),
        t if t.starts_with('-') => format!("▼ {t}"),
        t => format!("▲ +{t}"),
    }
}

/// `+1,234▲`, `-999▼`, `0 `: for a column, so that signs stand below each other.
pub fn gain_cell(x: f64) -> String {
    let text = thousands(x);
    match text.as_str() {
        "0" => "0 ".to_owned(),
        t if t.starts_with('-') => format!("{t}▼"),
        t => format!("+{t}▲"),
    }
}

/// `+14.20`, `-0.35`, `+1,234`: with cents below a thousand, where a service earns them.
pub fn fine(x: f64) -> String {
    match format!("{x:+.2}").as_str() {
        "+0.00" | "-0.00" => "0".to_owned(),
        text if x.abs() < 999.995 => text.to_owned(),
        _ if x > 0.0 => format!("+{}", thousands(x)),
        _ => thousands(x),
    }
}

/// The role of such a gain.
pub fn sign_fine(x: f64) -> StyleRole {
    match fine(x).as_str() {
        "0" => StyleRole::Dim,
        t if t.starts_with('-') => StyleRole::Bad,
        _ => StyleRole::Good,
    }
}

fn glyph_of(role: StyleRole) -> &'static str {
    match role {
        StyleRole::Good => "▲",
        StyleRole::Bad => "▼",
        _ => " ",
    }
}

/// `▲ +14.20`: a sign glyph, never colour alone.
pub fn gain_fine(x: f64) -> String {
    format!("{} {}", glyph_of(sign_fine(x)), fine(x))
}

/// `+14.20▲`: for a column.
pub fn fine_cell(x: f64) -> String {
    format!("{}{}", fine(x), glyph_of(sign_fine(x)))
}

/// `-22.0k`, `+1.25M`: short, for an axis.
pub fn short(x: f64) -> String {
    match x.abs() {
        a if a >= 1e6 => format!("{:+.2}M", x / 1e6),
        a if a >= 1e3 => format!("{:+.1}k", x / 1e3),
        _ => format!("{x:+.0}"),
    }
}

/// `-22.0k▼`: for a narrow column.
pub fn short_cell(x: f64) -> String {
    match sign(x) {
        StyleRole::Dim => "0 ".to_owned(),
        role => format!("{}{}", short(x), glyph_of(role)),
    }
}

/// A gain with its sign and arrow, in short: `▼ -22.0k`.
pub fn gain_short(x: f64) -> String {
    match sign(x) {
        StyleRole::Bad => format!("▼ {}", short(x)),
        StyleRole::Good => format!("▲ {}", short(x)),
        _ => "  0".to_owned(),
    }
}

/// The role of a gain.
pub fn sign(x: f64) -> StyleRole {
    match thousands(x).as_str() {
        "0" => StyleRole::Dim,
        t if t.starts_with('-') => StyleRole::Bad,
        _ => StyleRole::Good,
    }
}

/// `1,234.5`: all digits that there are.
pub fn decimal(x: Decimal) -> String {
    let text = x.normalize().to_string();
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let whole = whole.parse::<f64>().map_or_else(|_| whole.to_owned(), thousands);
    rest.map_or_else(|| whole.clone(), |r| format!("{whole}.{r}"))
}

/// `+0.31`: of a Sharpe ratio; zero has no sign.
pub fn ratio(x: f64) -> String {
    let text = format!("{x:+.2}");
    if text.ends_with("0.00") && x.abs() < 1.0 { "0.00".to_owned() } else { text }
}

/// A fraction in per cent: `15.5 %` of 0.155.
pub fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}

/// A stamp to the minute, in UTC: `2023-12-31 20:00`.
pub fn moment(at: Stamp) -> String {
    let text = at.to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

/// A bar of `width` cells, filled by 0 … 1 to an eighth of a cell: what is full, and the rest.
pub fn bar(fill: f64, width: usize) -> (String, String) {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let fill = if fill.is_finite() { fill.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (fill * 8.0 * width as f64).round() as usize;
    let full = "█".repeat(eighths / 8) + PARTS[eighths % 8];
    let rest = width - eighths.div_ceil(8);
    (full, "·".repeat(rest))
}

/// A small curve in `width` cells, the newest at the right.
pub fn spark<T: Copy + Into<f64>>(values: &[T], (low, high): (f64, f64), width: usize) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let n = values.len();
    let at = |i: usize| {
        // Where there are fewer values than cells they stand at the right.
        let index =
            if n >= width { Some(i * n / width + n / width.max(1) - 1) } else { (i + n).checked_sub(width) };
        let Some(v) = index.and_then(|p| values.get(p.min(n.saturating_sub(1)))) else { return ' ' };
        let share = ((*v).into() - low) / (high - low);
        STEPS[if share.is_finite() { (share.clamp(0.0, 1.0) * 7.0).round() as usize } else { 0 }]
    };
    (0..width).map(at).collect()
}

/// The lowest and the highest of some values, never the same.
pub fn bounds<T: Copy + Into<f64>>(values: &[T]) -> (f64, f64) {
    let all = values.iter().map(|v| (*v).into()).filter(|v: &f64| v.is_finite());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if high > low {
        (low, high)
    } else if high == low {
        (low - 1.0, high + 1.0)
    } else {
        (-1.0, 1.0)
    }
}

/// Cut with a mark, so that nothing looks whole that is not.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut short: String = text.chars().take(width - 1).collect();
    short.push('…');
    short
}

/// Whole parts of a list (`+0.8 % BNB, +0.5 % ETH`), as many as fit, with a mark where some are left out: a number
/// that is cut is another number.
pub fn parts(text: &str, width: usize) -> String {
    whole(text, ", ", width)
}

/// Whole words, as many as fit, with a mark where some are left out.
pub fn phrase(text: &str, width: usize) -> String {
    whole(text, " ", width)
}

/// Cut where a separator stands; where not even the first part fits, anywhere.
fn whole(text: &str, between: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let ends = text.match_indices(between).map(|(at, _)| at);
    let fits = ends.take_while(|at| text[..*at].chars().count() + 2 <= width).last();
    fits.map_or_else(|| cut(text, width), |at| format!("{} …", text[..at].trim_end_matches([',', ';'])))
}

/// Lines of at most `width` characters, broken between words where that is possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().flat_map(|w| pieces(w, width.max(1))) {
        let (line, length) = (lines.len() - 1, word.chars().count());
        let used = lines[line].chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(word);
        } else {
            if used > 0 {
                lines[line].push(' ');
            }
            lines[line].push_str(&word);
        }
    }
    lines
}

/// A word, in pieces where it is longer than a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

/// `42,000`, `0.1406`: a price as short as it is useful.
pub fn price(x: f64) -> String {
    match x.abs() {
        a if a >= 1_000.0 => thousands(x),
        a if a >= 10.0 => format!("{x:.2}"),
        a if a >= 0.1 => format!("{x:.4}"),
        _ => format!("{x:.6}"),
    }
}

/// `42,000.25`, `1,316.28`: a price that was paid, with its cents as far as a column has room for them.
pub fn paid(x: f64) -> String {
    if !(1_000.0..100_000.0).contains(&x.abs()) {
        return price(x);
    }
    let text = format!("{x:.2}");
    let (whole, cents) = text.split_at(text.len() - 3);
    whole.parse::<f64>().map_or_else(|_| text.clone(), |w| thousands(w) + cents)
}

/// `8 s`, `3 min`, `2 h`.
pub fn age(age: std::time::Duration) -> String {
    match age.as_secs() {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

/// A state's glyph.
pub fn mark(state: AgentState) -> &'static str {
    match state {
        AgentState::Live => "●",
        AgentState::Paused => "‖",
        AgentState::Drained => "▽",
        AgentState::Muted => "⊘",
        AgentState::Deaf => "◌",
        AgentState::StoppedOut => "✕",
        AgentState::Unfunded => "○",
        AgentState::Quarantined => "⊗",
        AgentState::OnProbation => "◍",
    }
}

/// A state's role.
pub fn state(state: AgentState) -> StyleRole {
    match state {
        AgentState::Live => StyleRole::Good,
        AgentState::Paused
        | AgentState::Drained
        | AgentState::Muted
        | AgentState::Deaf
        | AgentState::OnProbation => StyleRole::Warn,
        AgentState::StoppedOut | AgentState::Quarantined => StyleRole::Bad,
        AgentState::Unfunded => StyleRole::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_carry_their_sign() {
        assert_eq!(gain(1_234_567.4), "▲ +1,234,567");
        assert_eq!(gain(-999.6), "▼ -1,000");
        assert_eq!(gain(-0.4), "  0");
        assert_eq!(sign(-0.4), StyleRole::Dim);
        assert_eq!(thousands(100.0), "100");
    }

    #[test]
    fn small_gains_have_cents_and_large_ones_have_not() {
        assert_eq!([gain_fine(14.2), gain_fine(-0.35), gain_fine(0.001)], ["▲ +14.20", "▼ -0.35", "  0"]);
        assert_eq!(
            [fine_cell(999.99), fine_cell(999.999), fine_cell(-12_345.6)],
            ["+999.99▲", "+1,000▲", "-12,346▼"]
        );
        assert_eq!(fine_cell(0.0), "0 ");
        assert_eq!([ratio(-0.001), ratio(0.25), ratio(-10.0)], ["0.00", "+0.25", "-10.00"]);
        assert_eq!([decimal(Decimal::new(1_234_500, 3)), decimal(Decimal::new(42, 3))], ["1,234.5", "0.042"]);
    }

    #[test]
    fn lists_and_sentences_are_cut_between_their_parts() {
        let held = "+0.8 % BNB, -10.5 % ETH, +0.1 % SOL";
        assert_eq!([parts(held, 14), parts(held, 25)], ["+0.8 % BNB …", "+0.8 % BNB, -10.5 % ETH …"]);
        assert_eq!([parts(held, 99), parts(held, 6)], [held, "+0.8 …"]);
        assert_eq!(phrase("doubts: 1 %; because of #64560, #65788", 34), "doubts: 1 %; because of #64560 …");
        assert_eq!(
            [paid(1_316.284), paid(19_105.0), paid(271.37), paid(123_456.7)],
            ["1,316.28", "19,105.00", "271.37", "123,457"]
        );
    }

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrap("close above the average", 12), ["close above", "the average"]);
        assert_eq!(wrap("an incomprehensible", 8), ["an", "incompre", "hensible"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn columns_end_in_their_sign() {
        assert_eq!(gain_cell(1_234.4), "+1,234▲");
        assert_eq!(gain_cell(-7.0), "-7▼");
        assert_eq!(gain_cell(0.2), "0 ");
    }

    #[test]
    fn small_curves_end_at_the_right_with_the_newest() {
        assert_eq!(spark(&[0.0, 1.0], (0.0, 1.0), 4), "  ▁█");
        assert_eq!(spark(&[0.0, 0.0, 0.5, 1.0], (0.0, 1.0), 2), "▁█");
        assert_eq!(spark::<f64>(&[], (0.0, 1.0), 2), "  ");
        assert_eq!(spark(&[f64::NAN], (0.0, 0.0), 1), "▁");
    }

    #[test]
    fn bars_are_as_wide_as_asked_for() {
        for fill in [-1.0, 0.0, 0.5, 1.0, 7.0, f64::NAN] {
            let (full, rest) = bar(fill, 10);
            assert_eq!(full.chars().count() + rest.chars().count(), 10);
        }
    }
}
