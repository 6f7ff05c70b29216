//! What the codecs share: reading a shape, and what no venue may say of a market.

use crate::domain::{Decimal, Stamp};
use crate::venues::codec::{DecodeError, beginning};
use crate::venues::event::{PriceLevel, PublicEvent, TEXT_MAX};
use crate::venues::num::{WireDecimal, WireOption};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Bytes as text: looked at once, so that nothing is looked at again in each of its parts.
pub fn utf8(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|e| shape("a message", &e, bytes))
}

/// Reads a message as a shape.
pub fn read<'a, T: Deserialize<'a>>(kind: &str, text: &'a str) -> Result<T, DecodeError> {
    serde_json::from_str(text).map_err(|e| shape(kind, &e, text.as_bytes()))
}

fn shape(kind: &str, why: &dyn std::error::Error, start: &[u8]) -> DecodeError {
    DecodeError::Shape { kind: kind.to_owned(), why: why.to_string(), start: beginning(start) }
}

/// A value that no such thing can have.
pub fn absurd(kind: &str, what: &'static str, value: &dyn ToString) -> DecodeError {
    DecodeError::Value { kind: kind.to_owned(), what, value: value.to_string() }
}

/// A price or quantity that must be above zero.
pub fn positive(kind: &str, what: &'static str, value: WireDecimal) -> Result<Decimal, DecodeError> {
    if value.0 > Decimal::ZERO { Ok(value.0) } else { Err(absurd(kind, what, &value.0)) }
}

/// A quantity that must not be below zero.
pub fn not_negative(kind: &str, what: &'static str, value: WireDecimal) -> Result<Decimal, DecodeError> {
    if value.0 >= Decimal::ZERO { Ok(value.0) } else { Err(absurd(kind, what, &value.0)) }
}

/// A side of a quote: none where there is no price, or nothing at it.
pub fn side(kind: &str, price: WireOption, size: WireOption) -> Result<Option<PriceLevel>, DecodeError> {
    match (price.0, size.0) {
        (Some(price), Some(size)) if price < Decimal::ZERO || size < Decimal::ZERO => {
            Err(absurd(kind, "a side", &format!("{size} at {price}")))
        }
        (Some(price), Some(size)) if price > Decimal::ZERO && size > Decimal::ZERO => Ok(Some((price, size))),
        _ => Ok(None),
    }
}

/// Prices of a book: each above zero, with a size that is not below it.
pub fn levels(
    kind: &str,
    all: impl IntoIterator<Item = (WireDecimal, WireDecimal)>,
) -> Result<Vec<PriceLevel>, DecodeError> {
    let level = |(price, size): (WireDecimal, WireDecimal)| {
        Ok((positive(kind, "a price of the book", price)?, not_negative(kind, "a size of the book", size)?))
    };
    all.into_iter().map(level).collect()
}

/// The elements of a list as they stand.
pub fn list<'a>(kind: &str, text: &'a str) -> Result<Vec<&'a RawValue>, DecodeError> {
    read(kind, text)
}

/// A request's number, however it is written: as text, without quotes.
pub fn id_text(id: Option<&RawValue>) -> String {
    let text = id.map_or("", RawValue::get).trim_matches('"');
    if text == "null" { String::new() } else { text.chars().take(TEXT_MAX).collect() }
}

/// A venue's own words, cut and fit to be shown.
pub fn words(text: &str) -> String {
    let fit = |c: char| if crate::domain::is_unprintable(c) { ' ' } else { c };
    text.chars().take(TEXT_MAX).map(fit).collect()
}

/// Text that is seldom escaped: borrowed where it is not.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct WireText<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Something that nothing here is made of.
pub fn other(kind: &str) -> PublicEvent {
    PublicEvent::Other { kind: words(kind) }
}

/// A moment that may not be there: zero and what is before it is none.
pub fn some_stamp(at: Option<super::num::WireMillis>) -> Option<Stamp> {
    at.map(|at| at.0).filter(|at| at.0 > 0)
}
