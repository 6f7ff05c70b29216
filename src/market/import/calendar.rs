//! Days and hours of the places where contracts settle: summer time in Chicago and London.

use crate::domain::{Span, Stamp};

/// Where a clock hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeZone {
    /// UTC − 6, in summer − 5: from the second Sunday of March to the first of November (since 2007).
    Chicago,
    /// UTC, in summer + 1: from the last Sunday of March to the last of October.
    London,
}

/// Days since 1970 to the weekday, Monday 0.
pub(super) fn weekday(stamp: Stamp) -> i64 {
    (stamp.day() + 3).rem_euclid(7)
}

/// The start of a day; none if there is no such day.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<Stamp> {
    Stamp::parse(&format!("{year:04}-{month:02}-{day:02}"))
}

/// Year, month and day.
pub(super) fn date(stamp: Stamp) -> (i64, i64, i64) {
    let text = stamp.to_string();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse().ok()).unwrap_or(0);
    (part(0, 4), part(5, 7), part(8, 10))
}

/// The last such weekday (Monday 0) of a month.
pub(super) fn last(year: i64, month: i64, on: i64) -> Option<Stamp> {
    (25..=31).rev().chain((22..25).rev()).filter_map(|d| day(year, month, d)).find(|d| weekday(*d) == on)
}

fn nth(year: i64, month: i64, on: i64, n: usize) -> Option<Stamp> {
    (1..=28).filter_map(|d| day(year, month, d)).filter(|d| weekday(*d) == on).nth(n)
}

const SUNDAY: i64 = 6;

/// The moment at which it is a whole hour in a place, on a day; not in the night in which clocks change.
pub(super) fn at(day: Stamp, zone: TimeZone, hour: i64) -> Stamp {
    let (year, ..) = date(day);
    let (summer, offset) = match zone {
        TimeZone::Chicago => (nth(year, 3, SUNDAY, 1).zip(nth(year, 11, SUNDAY, 0)), -6),
        TimeZone::London => (last(year, 3, SUNDAY).zip(last(year, 10, SUNDAY)), 0),
    };
    let summer = summer.is_some_and(|(from, to)| from <= day && day < to);
    day.after(Span((hour - offset - i64::from(summer)) * Span::HOUR.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_change_on_their_sundays() {
        let at = |text: &str, zone, hour| at(Stamp::parse(text).unwrap(), zone, hour).to_string();
        for (day, zone, hour, utc) in [
            ("2021-03-12", TimeZone::Chicago, 15, "2021-03-12T21:00:00"),
            ("2021-03-15", TimeZone::Chicago, 15, "2021-03-15T20:00:00"),
            ("2021-11-05", TimeZone::Chicago, 15, "2021-11-05T20:00:00"),
            ("2021-11-08", TimeZone::Chicago, 15, "2021-11-08T21:00:00"),
            ("2021-03-26", TimeZone::London, 16, "2021-03-26T16:00:00"),
            ("2021-03-29", TimeZone::London, 16, "2021-03-29T15:00:00"),
            ("2021-10-29", TimeZone::London, 16, "2021-10-29T15:00:00"),
            ("2021-11-01", TimeZone::London, 16, "2021-11-01T16:00:00"),
        ] {
            assert!(at(day, zone, hour).starts_with(utc), "{day} {zone:?}");
        }
    }

    #[test]
    fn a_date_is_taken_apart_and_put_together() {
        let stamp = day(2020, 2, 29).unwrap();
        assert_eq!((date(stamp), day(2021, 2, 29)), ((2020, 2, 29), None));
        assert_eq!(last(2020, 2, 4), day(2020, 2, 28));
        assert_eq!(last(2021, 2, 6), day(2021, 2, 28));
    }
}
