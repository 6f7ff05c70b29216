//! A moment of the market's time: how one is written, how a stretch of it is told, and where one lies among those kept.

use crate::domain::{Span, Stamp};

/// Where the moment that is shown lies among those kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SnapshotPosition {
    /// Number of the moment that is shown, from 1, the oldest.
    pub number: u32,
    /// Number of moments that are kept.
    pub kept: u32,
    pub from: Stamp,
    pub to: Stamp,
    /// Older ones are in the journal.
    pub journal: bool,
}

/// Steps that were asked for and not yet answered: keys that repeat add up instead of asking the same twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PendingSteps {
    /// Requests without an answer.
    pub flying: u32,
    /// The picture from which steps are counted.
    pub base: u64,
    /// Steps from there.
    pub by: i32,
    /// Now was not asked for since.
    pub wanted: bool,
}

/// Reads a time: of the market's day, of yesterday, of a date, or so long before now.
pub fn moment(text: &str, now: Stamp) -> Option<Stamp> {
    let text = text.trim();
    let clock = |text: &str, midnight: Stamp| {
        let (h, m) = text.split_once(':')?;
        let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
        let fits = (0..24).contains(&h) && (0..60).contains(&m);
        fits.then(|| midnight.after(Span(h * Span::HOUR.0 + m * Span::HOUR.0 / 60)))
    };
    if let Some(back) = text.strip_prefix('-') {
        return Span::parse(back).map(|s| Stamp(now.0.saturating_sub(s.0)));
    }
    let today = now.floor(Span::DAY);
    let yesterday = Stamp(today.0 - Span::DAY.0);
    if let Some(rest) = text.strip_prefix("yesterday") {
        return match rest.trim() {
            "" => Some(Stamp(now.0 - Span::DAY.0)),
            rest => clock(rest, yesterday),
        };
    }
    if let Some(at) = clock(text, today) {
        // The last time that it was so late.
        return if at > now { clock(text, yesterday) } else { Some(at) };
    }
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = Stamp::parse(day)?;
    match rest.trim_start_matches(['T', ' ']) {
        "" => Some(midnight),
        rest => clock(rest, midnight).or_else(|| Stamp::parse(text)),
    }
}

/// `8 h`, `3 d 4 h`, `12 min`: a stretch of market time.
pub fn stretch(span: Span) -> String {
    let minutes = span.0 / (Span::HOUR.0 / 60);
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Stamp {
        Stamp::parse(text).unwrap()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = at("2023-12-31T20:00:00Z");
        for (text, wanted) in [
            ("14:02", "2023-12-31T14:02:00Z"),
            ("21:30", "2023-12-30T21:30:00Z"),
            ("yesterday 14:02", "2023-12-30T14:02:00Z"),
            ("yesterday", "2023-12-30T20:00:00Z"),
            ("2023-12-24", "2023-12-24T00:00:00Z"),
            ("2023-12-24 9:05", "2023-12-24T09:05:00Z"),
            ("2023-12-24T09:05:00Z", "2023-12-24T09:05:00Z"),
            ("-8h", "2023-12-31T12:00:00Z"),
            ("-2d", "2023-12-29T20:00:00Z"),
        ] {
            assert_eq!(moment(text, now), Some(at(wanted)), "{text}");
        }
        for bad in ["", "noon", "25:00", "14:60", "-", "2023-13-01", "yesterday noon", "é2023-12-0"] {
            assert_eq!(moment(bad, now), None, "{bad}");
        }
        let of = |h, m| stretch(Span(h * Span::HOUR.0 + m * Span::HOUR.0 / 60));
        assert_eq!(
            [of(0, 5), of(8, 0), of(8, 2), of(48, 0), of(76, 0)],
            ["5 min", "8 h", "8 h 2 min", "2 d", "3 d 4 h"]
        );
    }
}
