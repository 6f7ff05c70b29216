//! Time as events carry it: UTC nanoseconds since 1970, and spans of them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z. Leap seconds do not exist, as on every exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp(pub i64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub i64);

const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

impl Span {
    /// Sixty minutes, as nanoseconds.
    pub const HOUR: Span = Span(3_600 * SECOND);
    /// Sixty seconds, as nanoseconds.
    pub const MINUTE: Span = Span(60 * SECOND);
    /// 24 hours, as nanoseconds.
    pub const DAY: Span = Span(DAY_SECONDS * SECOND);
    /// The year that annualises: 365.25 days, since these markets never close.
    pub const YEAR: Span = Span(Span::DAY.0 / 4 * 1_461);

    /// A span of whole seconds.
    pub const fn seconds(n: i64) -> Self {
        Span(n * SECOND)
    }

    /// How many times `self` fits into a year.
    pub fn per_year(self) -> f64 {
        Span::YEAR.0 as f64 / self.0 as f64
    }

    /// The length in units of `other`.
    pub fn in_units_of(self, other: Span) -> f64 {
        self.0 as f64 / other.0 as f64
    }

    /// Reads `30m`, `4h`, `3d`, `2w` or `45s`: a positive whole number and a unit.
    pub fn parse(text: &str) -> Option<Span> {
        let unit = text.chars().last()?;
        let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => DAY_SECONDS,
            'w' => 7 * DAY_SECONDS,
            _ => return None,
        };
        let span = number.checked_mul(seconds)?.checked_mul(SECOND)?;
        (span > 0).then_some(Span(span))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / SECOND;
        match seconds {
            s if s != 0 && s % DAY_SECONDS == 0 => write!(f, "{}d", s / DAY_SECONDS),
            s if s != 0 && s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s != 0 && s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

impl Stamp {
    /// Later by `span`.
    #[must_use]
    pub fn after(self, span: Span) -> Stamp {
        Stamp(self.0 + span.0)
    }

    /// The time from `earlier` to `self`.
    pub fn since(self, earlier: Stamp) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The start of the bucket of length `span` that `self` lies in, buckets counted from 1970.
    #[must_use]
    pub fn floor(self, span: Span) -> Stamp {
        Stamp(self.0.div_euclid(span.0) * span.0)
    }

    /// Days since 1970.
    pub fn day(self) -> i64 {
        self.0.div_euclid(Span::DAY.0)
    }

    /// Year, month and day of the month, UTC.
    pub fn date(self) -> (i64, i64, i64) {
        civil_from_days(self.day())
    }

    /// Reads `2021-04-04`, `2021-04-04T20:00:00Z` or `2021-04-04 20:00:00` (UTC, also with `+00:00`
    /// and with fractions of a second, which are kept to the nanosecond).
    pub fn parse(text: &str) -> Option<Stamp> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| -> Option<i64> {
            let mut n = 0_i64;
            for b in bytes.get(from..to)? {
                n = n * 10 + i64::from(b.is_ascii_digit().then(|| b - b'0')?);
            }
            Some(n)
        };
        let is = |at: usize, b: u8| bytes.get(at) == Some(&b);
        if !(is(4, b'-') && is(7, b'-')) {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let midnight = days_from_civil(year, month, day) * DAY_SECONDS;
        if bytes.len() == 10 {
            return midnight.checked_mul(SECOND).map(Stamp);
        }
        if !(is(10, b'T') || is(10, b' ')) || !(is(13, b':') && is(16, b':')) {
            return None;
        }
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut fraction = 0_i64;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (head, tail) = after.split_at(end);
            if head.is_empty() || head.len() > 9 {
                return None;
            }
            fraction = head.parse::<i64>().ok()? * 10_i64.pow(9 - head.len() as u32);
            rest = tail;
        }
        if !matches!(rest, "" | "Z" | "+00:00" | " UTC") {
            return None;
        }
        let seconds = midnight + hour * 3_600 + minute * 60 + second;
        Some(Stamp(seconds.checked_mul(SECOND)?.checked_add(fraction)?))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let s = seconds.rem_euclid(DAY_SECONDS);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", s / 3_600, s / 60 % 60, s % 60)
    }
}

// The proleptic Gregorian calendar by eras of 400 years, counted from 1 March so that the leap day
// comes last: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_panels_write() {
        let t = Stamp::parse("2021-04-04T20:00:00Z").unwrap();
        assert_eq!(t.0, 1_617_566_400 * SECOND);
        assert_eq!(Stamp::parse("2021-04-04 20:00:00"), Some(t));
        assert_eq!(Stamp::parse("2021-04-04 20:00:00.000+00:00"), Some(t));
        assert_eq!(Stamp::parse("2021-04-04").unwrap().0, 1_617_494_400 * SECOND);
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for bad in [
            "",
            "2021",
            "2021-13-01",
            "2021-02-29",
            "2021-04-04T25:00:00Z",
            "2021-04-04T20:00:00+02:00",
            "20210404T2000",
            "2999-01-01",
        ] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans_read_back_as_written() {
        for text in ["30m", "4h", "3d", "45s"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Span::parse("2w"), Some(Span(14 * Span::DAY.0)));
        for bad in ["", "h", "4", "-4h", "0d", "1.5h", "4 h", "9999999999999w"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(seconds in -2_000_000_000_i64..8_000_000_000) {
            let t = Stamp(seconds * SECOND);
            prop_assert_eq!(Stamp::parse(&t.to_string()), Some(t));
        }
    }
}
