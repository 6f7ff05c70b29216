//! Numbers and names as the screen writes them: one way for each unit.

use super::theme::Role;
use crate::domain::{Family, Goal, Stamp};

/// `1,234,567`.
pub fn thousands(x: f64) -> String {
    let whole = format!("{:.0}", x.abs());
    let mut text = String::with_capacity(whole.len() + 4);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    if x < 0.0 && whole != "0" { format!("-{text}") } else { text }
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

/// `-22.0k`, `+1.25M`: short, for an axis.
pub fn short(x: f64) -> String {
    match x.abs() {
        a if a >= 1e6 => format!("{:+.2}M", x / 1e6),
        a if a >= 1e3 => format!("{:+.1}k", x / 1e3),
        _ => format!("{x:+.0}"),
    }
}

/// `▼ -22.0k`.
pub fn gain_short(x: f64) -> String {
    match sign(x) {
        Role::Bad => format!("▼ {}", short(x)),
        Role::Good => format!("▲ {}", short(x)),
        _ => "  0".to_owned(),
    }
}

/// The role of a gain.
pub fn sign(x: f64) -> Role {
    match thousands(x).as_str() {
        "0" => Role::Dim,
        t if t.starts_with('-') => Role::Bad,
        _ => Role::Good,
    }
}

/// `15.5 %`.
pub fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}

/// A glyph for each family.
pub fn glyph(family: Family) -> &'static str {
    match family {
        Family::Directional => "◆",
        Family::Trend => "▶",
        Family::Momentum => "●",
        Family::RelativeStrength => "■",
        Family::Range => "◇",
        Family::SupportResistance => "▬",
        Family::Volatility => "✦",
        Family::Random => "○",
    }
}

/// A family's name for people, short.
pub fn family(family: Family) -> &'static str {
    match family {
        Family::RelativeStrength => "rel. strength",
        Family::SupportResistance => "support/res.",
        other => other.text(),
    }
}

/// LR, BM, F, A.
pub fn letters(goal: Goal) -> &'static str {
    match goal {
        Goal::LowRisk => "LR",
        Goal::BigMoney => "BM",
        Goal::Fast => "F",
        Goal::Automated => "A",
    }
}

/// `2023-12-31 20:00`.
pub fn moment(at: Stamp) -> String {
    let text = at.to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

/// A bar of `width` cells, filled by 0 … 1.
pub fn bar(fill: f64, width: usize) -> String {
    let full = (fill.clamp(0.0, 1.0) * width as f64).round() as usize;
    "█".repeat(full) + &"░".repeat(width - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_carry_their_sign() {
        assert_eq!(gain(1_234_567.4), "▲ +1,234,567");
        assert_eq!(gain(-999.6), "▼ -1,000");
        assert_eq!(gain(-0.4), "  0");
        assert_eq!(sign(-0.4), Role::Dim);
        assert_eq!(thousands(100.0), "100");
    }

    #[test]
    fn bars_are_as_wide_as_asked_for() {
        for fill in [-1.0, 0.0, 0.5, 1.0, 7.0, f64::NAN] {
            assert_eq!(bar(fill, 10).chars().count(), 10);
        }
    }
}
