//! Words for what a picture tells in numbers.

use crate::domain::evidence::DAYS_MIN;
use crate::domain::money::to_estimate;
use crate::domain::{Decimal, Goal};

pub use crate::domain::evidence::certainty;

/// LR, BM, F, A.
pub fn letters(goal: Goal) -> &'static str {
    match goal {
        Goal::LowRisk => "LR",
        Goal::BigMoney => "BM",
        Goal::Fast => "F",
        Goal::Automated => "A",
    }
}

/// What evidence for more and for less lets one say, whenever it is looked at.
pub fn of_emergence(more: f64, less: f64) -> &'static str {
    match certainty(more, less) {
        Some(true) => "more than its parts",
        Some(false) => "less than its parts",
        None => "not yet certain",
    }
}

/// Why there is no emergence to tell.
pub fn unknown_emergence(deaf: bool, days: u32) -> String {
    match () {
        () if deaf => "nobody listens".to_owned(),
        () if days < DAYS_MIN => format!("day {days} of {DAYS_MIN} to say"),
        () => "no risk was taken".to_owned(),
    }
}

/// `+1,234.56`: a gain in the currency; `0` where there is none at all, `~0` where it is less than can be shown.
pub fn gain(amount: Decimal) -> String {
    let rounded = amount.round_dp(2);
    if rounded.is_zero() {
        return if amount.is_zero() { "0".to_owned() } else { "~0".to_owned() };
    }
    let sign = if rounded.is_sign_negative() { "-" } else { "+" };
    let whole = grouped(to_estimate(rounded.trunc().abs()));
    let cents = format!("{:.2}", rounded.fract().abs());
    format!("{sign}{whole}{}", &cents[1..])
}

/// `12,345`: whole units of the currency.
pub fn grouped(x: f64) -> String {
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
