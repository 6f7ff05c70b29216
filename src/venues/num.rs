//! The one reader of numbers that venues write: text, number, exponent, empty text and null, to exact decimals.
//!
//! # Invariants
//!
//! 1. What is read is what was written, digit for digit, or it is an error that shows it. Nothing is rounded, and
//!    nothing passes through a float: `9007199254740993` stays odd.
//! 2. Empty text and null are "none", never zero.
//! 3. A number keeps the digits after its point (`0.10` has two), where a decimal has room for them; zeros at its end
//!    that have none are left out.

use crate::domain::{Decimal, Stamp};
use crate::venues::codec::beginning;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// Most digits after the point of a decimal.
const SCALE_MAX: i64 = 28;
/// The largest whole number that a decimal holds: 96 bits.
const MANTISSA_MAX: u128 = (1 << 96) - 1;
/// Digits, the point among them, that a number of 64 bits holds whichever they are.
const DIGITS_64: usize = 19;
/// Milliseconds to the year 2200: nothing is said later, and with every span added it can still be counted.
const MILLIS_MAX: i64 = 7_258_118_400_000;
/// Longest text that is looked at as a number.
const LENGTH_MAX: usize = 128;

/// Why a number was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// No number is written so.
    #[error("{0} is no number")]
    NoNumber(String),
    /// More digits than can be kept.
    #[error("{0} has more digits than the 28 that are kept; it is not rounded")]
    TooLong(String),
}

/// Reads a value of JSON as it stands: `"1.50"`, `1.5`, `1.5e-7`; none for `""` and `null`.
pub fn decimal(token: &str) -> Result<Option<Decimal>, NumberError> {
    let text = token.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(token);
    if text.is_empty() || token == "null" {
        return Ok(None);
    }
    if let Some(value) = quick(text.as_bytes()) {
        return Ok(Some(value));
    }
    let shown = || token.chars().take(48).collect::<String>();
    if text.len() > LENGTH_MAX {
        return Err(NumberError::TooLong(shown()));
    }
    let written = Written::of(text).ok_or_else(|| NumberError::NoNumber(shown()))?;
    written.exact().map(Some).ok_or_else(|| NumberError::TooLong(shown()))
}

/// Reads nearly all numbers there are, in one go over their digits: those of at most 19, without an exponent.
fn quick(text: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.len() > DIGITS_64 {
        return None;
    }
    let (mut value, mut point) = (0_u64, None);
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && at > 0 => point = Some(at),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |at| digits.len() - at - 1);
    let is_number = !digits.is_empty() && (point.is_none() || scale > 0);
    is_number.then(|| of_parts(u128::from(value), scale as i64, negative))
}

/// A number taken apart: sign, digits before and after the point, exponent of ten.
struct Written<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Written<'a> {
    /// None where it is no number. A point has digits on both sides, as in JSON, since what is cut off is no number.
    fn of(text: &'a str) -> Option<Self> {
        let text = text.as_bytes();
        let (negative, mut rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let mut exponent = 0;
        if let Some(at) = rest.iter().position(|b| matches!(b, b'e' | b'E')) {
            // The sign is the number's own.
            exponent = i64::from(std::str::from_utf8(rest.get(at + 1..)?).ok()?.parse::<i16>().ok()?);
            rest = rest.get(..at)?;
        }
        let (whole, fraction) = match rest.iter().position(|b| *b == b'.') {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
            None => (rest, &rest[..0]),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let has_point = whole.len() < rest.len();
        let is_number = !whole.is_empty() && has_point != fraction.is_empty();
        (is_number && digits(whole) && digits(fraction)).then_some(Written {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// None where it does not fit.
    fn exact(&self) -> Option<Decimal> {
        let digits = self.whole.iter().chain(self.fraction).map(|b| b - b'0');
        let mut scale = self.fraction.len() as i64 - self.exponent;
        // Zeros wait until a digit follows them, so that those at the end cost no room.
        let (mut value, mut zeros) = (0_u128, 0_u32);
        for digit in digits {
            if digit == 0 {
                zeros += u32::from(value > 0);
                continue;
            }
            value = value.checked_mul(10_u128.checked_pow(zeros + 1)?)?.checked_add(u128::from(digit))?;
            zeros = 0;
        }
        if value == 0 {
            return Some(Decimal::ZERO);
        }
        // The zeros that waited go back where there is room for them before the point, and are left out after it.
        let back = i64::from(zeros).min((SCALE_MAX - (scale - i64::from(zeros))).max(0)).max(0);
        let fits = |value: u128, more: i64| value.checked_mul(10_u128.checked_pow(more.try_into().ok()?)?);
        scale -= i64::from(zeros);
        let keep = fits(value, back).filter(|v| *v <= MANTISSA_MAX).map(|v| (v, scale + back));
        let (mut value, mut scale) = keep.unwrap_or((value, scale));
        if scale < 0 {
            value = fits(value, -scale)?;
            scale = 0;
        }
        (scale <= SCALE_MAX && value <= MANTISSA_MAX).then(|| of_parts(value, scale, self.negative))
    }
}

fn of_parts(value: u128, scale: i64, negative: bool) -> Decimal {
    let word = |shift: u32| (value >> shift) as u32;
    Decimal::from_parts(word(0), word(32), word(64), negative && value != 0, scale as u32)
}

/// A number that must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireDecimal(pub Decimal);

impl<'de> Deserialize<'de> for WireDecimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = WireOption::deserialize(from)?.0;
        read.map(WireDecimal).ok_or_else(|| D::Error::custom("a number is missing"))
    }
}

/// A number that may be empty, null, or (with `#[serde(default)]`) not there at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireOption(pub Option<Decimal>);

impl<'de> Deserialize<'de> for WireOption {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // As it stands in the message: what a number is turned into on the way is a float.
        let token = <&RawValue>::deserialize(from)?;
        decimal(token.get()).map(WireOption).map_err(D::Error::custom)
    }
}

/// A moment in milliseconds since 1970, as a number or as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireMillis(pub Stamp);

impl<'de> Deserialize<'de> for WireMillis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let token = <&RawValue>::deserialize(from)?.get();
        let text = token.trim_matches('"');
        let millis =
            text.parse::<i64>().ok().filter(|ms| (0..=MILLIS_MAX).contains(ms)).map(|ms| ms * 1_000_000);
        let none = || D::Error::custom(format!("{} is no time in milliseconds", beginning(token.as_bytes())));
        millis.map(|ns| WireMillis(Stamp(ns))).ok_or_else(none)
    }
}

/// Reads every number of a document of JSON, and tells how many there are: that all of them can be kept exactly.
pub fn all_exact(document: &[u8]) -> Result<usize, String> {
    let text = std::str::from_utf8(document).map_err(|e| e.to_string())?;
    let _: serde::de::IgnoredAny = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let (mut count, mut at, bytes) = (0, 0, text.as_bytes());
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let length = match byte {
            // To the closing quote, past what is escaped.
            b'"' => {
                let mut escaped = false;
                let ends = |b: &u8| {
                    let is_end = *b == b'"' && !escaped;
                    escaped = *b == b'\\' && !escaped;
                    is_end
                };
                rest[1..].iter().position(ends).map_or(rest.len(), |n| n + 2)
            }
            b'-' | b'0'..=b'9' => {
                let is_number = |b: &&u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = rest.iter().take_while(is_number).count();
                decimal(&text[at..at + length]).map_err(|e| e.to_string())?;
                count += 1;
                length
            }
            _ => 1,
        };
        at += length;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn reads(token: &str, as_text: &str) {
        assert_eq!(decimal(token).unwrap().unwrap().to_string(), as_text, "{token}");
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (token, as_text) in [
            ("\"61837.63000000\"", "61837.63000000"),
            ("61837.63", "61837.63"),
            ("0", "0"),
            ("-0", "0"),
            ("\"-0.0000015186\"", "-0.0000015186"),
            ("9007199254740993", "9007199254740993"),
            ("\"4612057653433061439\"", "4612057653433061439"),
            ("1764843090519000001", "1764843090519000001"),
            ("1e-8", "0.00000001"),
            ("1.5E3", "1500"),
            ("2.5e+1", "25"),
            ("\"3495670.8399999999\"", "3495670.8399999999"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("0.0028213400122472977", "0.0028213400122472977"),
            ("12345678901234567890.50", "12345678901234567890.50"),
            ("0.00000000000000000000000000000000000", "0"),
            ("0.10000000000000000000000000000000000", "0.1000000000000000000000000000"),
            ("1e0", "1"),
            ("100000000000000000000e-20", "1.00000000000000000000"),
        ] {
            reads(token, as_text);
        }
    }

    #[test]
    fn nothing_is_no_number_and_no_zero() {
        assert_eq!(decimal("\"\""), Ok(None));
        assert_eq!(decimal("null"), Ok(None));
        for token in [
            "\"null\"",
            "NaN",
            "\"Infinity\"",
            "1.",
            ".5",
            "\"1,5\"",
            "--1",
            "1e",
            "e5",
            "0x1f",
            "1e99999",
            "true",
            "\"",
            "\" 1\"",
            "[1]",
            "1.2.3",
        ] {
            assert_eq!(decimal(token), Err(NumberError::NoNumber(token.to_owned())), "{token}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_and_not_rounded() {
        for token in [
            "79228162514264337593543950336",
            "\"0.00000000000000000000000000001\"",
            "1e29",
            "1e-29",
            "1234567890123456789.12345678901",
            "1e32767",
            // Of 128 bits nothing but a one would be left.
            "340282366920938463463374607431768211457",
        ] {
            assert_eq!(decimal(token), Err(NumberError::TooLong(token.to_owned())), "{token}");
        }
        let long = format!("1{}", "0".repeat(200));
        assert!(matches!(decimal(&long), Err(NumberError::TooLong(shown)) if shown.len() == 48));
    }

    #[test]
    fn missing_numbers_are_told_from_empty_ones() {
        #[derive(serde::Deserialize)]
        struct Of {
            must: WireDecimal,
            #[serde(default)]
            may: WireOption,
        }
        let of = |text: &str| serde_json::from_str::<Of>(text);
        assert_eq!(of(r#"{"must":1e-7}"#).unwrap().must.0.to_string(), "0.0000001");
        assert_eq!(of(r#"{"must":"1","may":""}"#).unwrap().may.0, None);
        assert_eq!(of(r#"{"must":"1","may":null}"#).unwrap().may.0, None);
        let why = of(r#"{"must":""}"#).err().unwrap().to_string();
        assert!(why.starts_with("a number is missing"), "{why}");
        assert!(of(r#"{"must":[1]}"#).is_err());
    }

    #[test]
    fn all_numbers_of_a_document_are_counted() {
        assert_eq!(all_exact(br#"{"a":[1,2.5e-3,"7"],"b\"1":{"c":-9007199254740993}}"#), Ok(3));
        assert_eq!(all_exact(b"[1e40]").unwrap_err(), NumberError::TooLong("1e40".to_owned()).to_string());
        assert!(all_exact(b"{\"a\":1").is_err());
    }

    proptest! {
        #[test]
        fn every_decimal_is_read_back(high in any::<u32>(), low in any::<u64>(), scale in 0_u32..=28, negative: bool) {
            let value = u128::from(high) << 64 | u128::from(low);
            let written = of_parts(value, i64::from(scale), negative);
            let text = written.to_string();
            prop_assert_eq!(decimal(&text).unwrap().unwrap().to_string(), text.clone());
            prop_assert_eq!(decimal(&format!("\"{text}\"")).unwrap().unwrap(), written);
            // The same number with its point elsewhere.
            let exponent = format!("{value}e-{scale}");
            prop_assert_eq!(decimal(&exponent).unwrap().unwrap(), of_parts(value, i64::from(scale), false));
        }

        #[test]
        fn no_text_brings_it_down(text in "[-+0-9.eE\"n]{0,140}") {
            let _ = decimal(&text);
            let _ = all_exact(text.as_bytes());
        }
    }
}
