//! Moments as files write them.

use super::choices::DateOrder;
use crate::domain::{Span, Stamp};

/// Coins have been traded since 2009: a number that means less is a number in another unit.
pub(crate) const EARLIEST: Stamp = Stamp(1_230_768_000 * 1_000_000_000);
/// Spreadsheets count days from here, 1970 being the 25 569th.
const SERIAL_1970: f64 = 25_569.0;
/// Serial days that are taken for days: 2000 … 2100.
const SERIALS: std::ops::Range<f64> = 36_526.0..73_050.0;

/// How the moments of a file are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StampReader {
    /// The column, or that of the day.
    pub column: usize,
    /// The column of the time of day, where that has one of its own.
    pub clock: Option<usize>,
    pub order: DateOrder,
    /// Days of a spreadsheet.
    pub serial: bool,
    /// Added to what stands there: to the end of the bar, and from there back to its open.
    pub shift: Span,
    /// Stamps that do not end like a close are none, where the others do.
    pub ends: Option<i64>,
}

impl StampReader {
    /// The moment of a row; why not where it has none.
    pub fn read<'a>(&self, cell: impl Fn(usize) -> &'a [u8]) -> Option<Stamp> {
        let text = cell(self.column);
        let stamp = if let Some(clock) = self.clock {
            let both = [text.trim_ascii(), b" ", cell(clock).trim_ascii()].concat();
            written(&both, self.order)?
        } else if self.serial {
            serial(text)?
        } else {
            stamp(text, self.order)?
        };
        self.told(stamp)
    }

    /// The open of the bar of a moment as it stands there; none where it is no stamp of these.
    pub fn told(&self, stamp: Stamp) -> Option<Stamp> {
        if self.ends.is_some_and(|tail| (stamp.0 + tail) % (60 * 1_000_000_000) != 0) {
            return None;
        }
        Some(Stamp(stamp.0 + self.shift.0))
    }

    /// Whether a moment stands in one column, and as one.
    pub fn is_plain(&self) -> bool {
        self.clock.is_none() && !self.serial
    }
}

/// ISO as [`Stamp::parse`] reads it, whole seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size, or
/// what other programs write. Only 1970 … 2200 is a moment of a market.
pub(crate) fn read_stamp(text: &[u8]) -> Option<Stamp> {
    stamp(text, DateOrder::Year)
}

fn stamp(text: &[u8], order: DateOrder) -> Option<Stamp> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return None;
    }
    let point = text.iter().position(|b| !b.is_ascii_digit());
    let stamp = match point {
        None => match written(text, order) {
            Some(day) => day,
            None => number(std::str::from_utf8(text).ok()?.parse().ok()?)?,
        },
        // Whole seconds, or their parts.
        Some(at) if text[at] == b'.' && text[at + 1..].iter().all(u8::is_ascii_digit) && at >= 9 => {
            fraction(text, at)?
        }
        Some(_) => {
            let iso = std::str::from_utf8(text).ok().and_then(Stamp::parse);
            match iso {
                Some(stamp) => stamp,
                None => written(text, order)?,
            }
        }
    };
    (stamp.0 >= 0 && stamp.0 < 230 * Span::YEAR.0).then_some(stamp)
}

/// A whole number that is no day without dashes, as what it means since 1970.
pub(super) fn moment(n: i64) -> Option<Stamp> {
    let is_day = n < 100_000_000_000_000
        && !(1_000_000_000..10_000_000_000).contains(&n)
        && !(1_000_000_000_000..10_000_000_000_000).contains(&n);
    if n < 0 || is_day { None } else { number(n).filter(|s| s.0 < 230 * Span::YEAR.0) }
}

fn number(n: i64) -> Option<Stamp> {
    n.checked_mul(scale(n)).map(Stamp)
}

fn scale(n: i64) -> i64 {
    match n {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// A number with parts of its unit behind the point.
fn fraction(text: &[u8], at: usize) -> Option<Stamp> {
    let whole: i64 = std::str::from_utf8(&text[..at]).ok()?.parse().ok()?;
    let mut left = scale(whole);
    let mut stamp = number(whole)?;
    for digit in &text[at + 1..] {
        left /= 10;
        stamp.0 += i64::from(digit - b'0') * left;
    }
    Some(stamp)
}

/// A day of a spreadsheet, to the second.
pub(super) fn serial(text: &[u8]) -> Option<Stamp> {
    let days: f64 = std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()?;
    let seconds = libm::round((days - SERIAL_1970) * 86_400.0);
    SERIALS.contains(&days).then(|| Stamp(seconds as i64 * 1_000_000_000))
}

/// Whether a cell has a time of day and no day.
pub(super) fn is_clock(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let colons = text.split(|b| *b == b':').count() - 1;
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    (1..=2).contains(&colons) && (1..=2).contains(&digits) && text.get(digits) == Some(&b':')
        || colons == 0 && matches!(text.len(), 4 | 6) && digits == text.len() && read_clock(text).is_some()
}

/// Whether a cell has a day and no time of day.
pub(super) fn is_day(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let orders = [DateOrder::Year, DateOrder::Day, DateOrder::Month];
    orders.iter().any(|o| day(text, *o).is_some_and(|(_, rest)| rest.is_empty()))
}

/// The first two numbers of a date that begins with neither year: none if it is another.
pub(super) fn short_date(text: &[u8]) -> Option<(u32, u32)> {
    let mut parts = text.trim_ascii().split(|b| matches!(b, b'/' | b'-' | b'.'));
    let mut part = || -> Option<u32> {
        let part = parts.next()?;
        (part.len() <= 2).then(|| std::str::from_utf8(part).ok()?.parse().ok())?
    };
    Some((part()?, part()?))
}

fn two(text: &[u8]) -> Option<(i64, &[u8])> {
    let n = text.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
    let value = text[..n].iter().fold(0, |v, b| v * 10 + i64::from(b - b'0'));
    (n > 0).then_some((value, &text[n..]))
}

/// The day at the beginning, as its midnight, and what follows.
fn day(text: &[u8], order: DateOrder) -> Option<(Stamp, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = |t: &[u8]| t.iter().fold(0_i64, |v, b| v * 10 + i64::from(b - b'0'));
    let (year, month, day, rest) = if matches!(digits, 8 | 12 | 14) {
        (number(&text[..4]), number(&text[4..6]), number(&text[6..8]), &text[8..])
    } else {
        let separator = *text.get(digits)?;
        if !matches!(separator, b'-' | b'/' | b'.') {
            return None;
        }
        let (second, rest) = two(&text[digits + 1..])?;
        let rest = rest.strip_prefix(&[separator])?;
        if digits == 4 {
            let (third, rest) = two(rest)?;
            (number(&text[..4]), second, third, rest)
        } else {
            let first = number(text.get(..digits).filter(|_| digits <= 2)?);
            let year = rest.get(..4).filter(|y| y.iter().all(u8::is_ascii_digit))?;
            let (day, month) = match order {
                DateOrder::Year => return None,
                DateOrder::Day => (first, second),
                DateOrder::Month => (second, first),
            };
            (number(year), month, day, &rest[4..])
        }
    };
    if !(1980..=2199).contains(&year) {
        return None;
    }
    Some((Stamp::parse(&format!("{year:04}-{month:02}-{day:02}"))?, rest))
}

/// Nanoseconds since midnight, and what follows: `9:30`, `09:30:00.123`, `093000`, `01-PM`.
fn read_clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let (mut hour, mut rest) = two(text)?;
    let (mut minute, mut second, mut part) = (0, 0, 0_i64);
    let colon = rest.first() == Some(&b':');
    let next = |rest: &mut &[u8], into: &mut i64| -> Option<()> {
        let after = if colon { rest.strip_prefix(b":") } else { Some(*rest) };
        if let Some(after) = after.filter(|a| a.first().is_some_and(u8::is_ascii_digit)) {
            (*into, *rest) = two(after)?;
        }
        Some(())
    };
    next(&mut rest, &mut minute)?;
    next(&mut rest, &mut second)?;
    if let Some(after) = rest.strip_prefix(b".") {
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        let mut unit = 1_000_000_000;
        for b in &after[..digits] {
            unit /= 10;
            part += i64::from(b - b'0') * unit;
        }
        rest = &after[digits..];
    }
    let half = rest.trim_ascii_start();
    let half = half.strip_prefix(b"-").unwrap_or(half);
    if half.len() >= 2 && matches!(half[1], b'M' | b'm') && matches!(half[0], b'A' | b'a' | b'P' | b'p') {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if matches!(half[0], b'P' | b'p') { 12 } else { 0 };
        rest = &half[2..];
    }
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some((((hour * 60 + minute) * 60 + second) * 1_000_000_000 + part, rest))
}

/// How far a place's clock is ahead of UTC.
fn zone(text: &[u8]) -> Option<Span> {
    let text = text.trim_ascii();
    let text = [&b"UTC"[..], b"GMT", b"Z", b"z"].iter().find_map(|z| text.strip_prefix(*z)).unwrap_or(text);
    let Some(sign) = text.first() else { return Some(Span(0)) };
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two(&text[1..])?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { two(rest)? };
    (rest.is_empty() && hours <= 14 && minutes < 60)
        .then_some(Span::seconds(sign * (hours * 60 + minutes) * 60))
}

/// Day, time of day and zone, in any of the ways in which programs write them.
fn written(text: &[u8], order: DateOrder) -> Option<Stamp> {
    let (midnight, rest) = day(text, order)?;
    let rest = rest.strip_prefix(b"T").unwrap_or(rest).trim_ascii();
    if rest.is_empty() {
        return Some(midnight);
    }
    let (since, rest) = read_clock(rest)?;
    Some(Stamp(midnight.0 + since - zone(rest)?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_as_programs_write_them() {
        let t = Stamp::parse("2021-04-04T20:00:00Z").unwrap();
        for text in [
            "2021-04-04 20:00:00",
            "2021-04-04T22:00:00+02:00",
            "2021-04-04 15:00:00 -0500",
            "2021-04-04T20:00:00.000Z",
            "2021-04-04 20:00",
            "2021-04-04 08-PM",
            "2021.04.04 20:00:00",
            "2021/04/04 8:00 PM",
            "20210404 200000",
            "20210404T200000",
            "202104042000",
            "20210404200000",
            "2021-04-04 20:00:00 UTC",
            "1617566400",
            "1617566400.0",
            "1617566400000",
            "1617566400000000",
            "1617566400000000000",
        ] {
            assert_eq!(read_stamp(text.as_bytes()), Some(t), "{text}");
        }
        assert_eq!(read_stamp(b"20210404"), Stamp::parse("2021-04-04"));
        assert_eq!(stamp(b"04.04.2021 20:00:00.000 GMT+0000", DateOrder::Day), Some(t));
        assert_eq!(stamp(b"12/31/2021", DateOrder::Month), Stamp::parse("2021-12-31"));
        assert_eq!(read_stamp(b"1617566400.5"), Some(Stamp(t.0 + 500_000_000)));
        for bad in [
            "",
            "yesterday",
            "-5",
            "1.5",
            "2999-01-01",
            "99999999999999999999",
            "2021-13-01",
            "04/04/2021",
            "20211301",
            "2021-04-04 25:00",
            "2021-04-04 20:00 EST",
        ] {
            let read = read_stamp(bad.as_bytes());
            assert!(read.is_none_or(|s| s < EARLIEST), "{bad}: {read:?}");
        }
    }

    #[test]
    fn days_of_a_spreadsheet_are_days() {
        assert_eq!(serial(b"45292"), Stamp::parse("2024-01-01"));
        assert_eq!(serial(b"45292.0416666667"), Stamp::parse("2024-01-01T01:00:00Z"));
        assert_eq!(serial(b"28800"), None);
    }

    #[test]
    fn a_day_and_a_time_of_day_are_told_apart() {
        for text in ["00:00:00", "9:30", "093000", "23:59"] {
            assert!(is_clock(text.as_bytes()) && !is_day(text.as_bytes()), "{text}");
        }
        for text in ["2024-01-01", "20240101", "31/12/2024", "2024.1.5"] {
            assert!(is_day(text.as_bytes()) && !is_clock(text.as_bytes()), "{text}");
        }
        assert!(!is_day(b"2024-01-01 00:00") && !is_clock(b"2024-01-01 00:00") && !is_clock(b"42000"));
    }
}
