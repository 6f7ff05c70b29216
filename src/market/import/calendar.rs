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

const MONDAY: i64 = 0;
const THURSDAY: i64 = 3;
const SATURDAY: i64 = 5;
const SUNDAY: i64 = 6;

/// Easter Sunday of a year (Gregorian, after Meeus, Jones and Butcher).
fn easter(year: i64) -> Option<Stamp> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    day(year, n / 31, n % 31 + 1)
}

/// Whether CME settles nothing on a day, whatever the hour: at weekends and on the holidays of the exchanges of New York, moved
/// to the Friday before or the Monday after where they fall on a weekend, a New Year's Day to the Monday alone.
pub(super) fn is_closed(at: Stamp) -> bool {
    let today = at.floor(Span::DAY);
    let (year, ..) = date(today);
    let beside = |holiday: Stamp| match weekday(holiday) {
        SATURDAY => Stamp(holiday.0 - Span::DAY.0),
        SUNDAY => holiday.after(Span::DAY),
        _ => holiday,
    };
    let new_year = day(year, 1, 1).filter(|d| weekday(*d) != SATURDAY).map(beside);
    // Kept from 2022 on.
    let juneteenth = day(year, 6, 19).filter(|_| year >= 2022).map(beside);
    let good_friday = easter(year).map(|e| Stamp(e.0 - 2 * Span::DAY.0));
    let holidays = [
        new_year,
        nth(year, 1, MONDAY, 2),
        nth(year, 2, MONDAY, 2),
        good_friday,
        last(year, 5, MONDAY),
        juneteenth,
        day(year, 7, 4).map(beside),
        nth(year, 9, MONDAY, 0),
        nth(year, 11, THURSDAY, 3),
        day(year, 12, 25).map(beside),
    ];
    weekday(today) >= SATURDAY || holidays.contains(&Some(today))
}

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
    fn the_days_without_a_settlement_are_those_that_a_record_of_six_years_lacks() {
        // Weekdays without a row in Yahoo's BTC=F; 2018-12-05, a day of mourning, is in no calendar.
        let lacks = "2018-12-25 2018-01-01 2018-01-15 2018-02-19 2018-03-30 2018-05-28 2018-07-04 2018-09-03 2018-11-22 \
                     2019-01-01 2019-01-21 2019-02-18 2019-04-19 2019-05-27 2019-07-04 2019-09-02 2019-11-28 2019-12-25 \
                     2020-01-01 2020-01-20 2020-02-17 2020-04-10 2020-05-25 2020-07-03 2020-09-07 2020-11-26 2020-12-25 \
                     2021-01-01 2021-01-18 2021-02-15 2021-04-02 2021-05-31 2021-07-05 2021-09-06 2021-11-25 2021-12-24 \
                     2022-01-17 2022-02-21 2022-04-15 2022-05-30 2022-06-20 2022-07-04 2022-09-05 2022-11-24 2022-12-26";
        let mut expected: Vec<&str> = lacks.split_whitespace().collect();
        expected.sort_unstable();
        let (from, to) = (day(2018, 1, 1).unwrap(), day(2023, 1, 1).unwrap());
        let all = (0..).map(|n| from.after(Span(n * Span::DAY.0))).take_while(|d| *d < to);
        let closed = all.filter(|d| weekday(*d) < SATURDAY && is_closed(d.after(Span(21 * Span::HOUR.0))));
        let closed: Vec<String> = closed.map(|d| d.to_string()[..10].to_owned()).collect();
        assert_eq!(closed, expected);
        assert!(is_closed(day(2018, 1, 27).unwrap()) && !is_closed(day(2018, 1, 26).unwrap()));
    }

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
