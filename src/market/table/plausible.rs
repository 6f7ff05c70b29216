//! Prices that stand in another unit: for one row, which is then left out, or from a row on, which somebody has to decide.
//!
//! A row is off by a unit if it is fifty times above or below the price before and the next one is back: no crash does that.
//! Lows are not looked at, for crashes have lows at which something was traded. A price that jumps between two bars, with
//! nothing traded on the way, to a simple multiple or part of what it was, and stays, looks like a split or another unit.

use crate::domain::{Bar, Span, Stamp};
use std::collections::BTreeMap;

/// How many times above or below the price before a row stands that is in another unit.
const UNIT: f64 = 50.0;
/// How far from the price before the next one is, that is back.
const BACK: f64 = 7.0;
/// Parts and multiples of splits, the larger ones of other units as well.
const SPLITS: [f64; 15] =
    [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0, 1_000.0];
/// How near to one of them a jump is.
const NEAR: f64 = 0.04;
/// What a bar beside a split moves at most, and what the next does.
const CALM: f64 = 1.25;
/// Rows that are left out at most for the sake of others; a file with more is not worth reading.
const LEFT_OUT_MAX: usize = 1 << 20;

/// Where a row stands: the number of its file, and its line.
pub(crate) type RowPlace = (usize, u64);

/// A price that goes to another one and stays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PriceShift {
    /// The first row of the other price.
    pub place: RowPlace,
    /// When it begins.
    pub at: Stamp,
    pub before: f64,
    pub after: f64,
}

/// What decides of a shift.
pub(crate) const SHIFT_WAYS: &str = "put the prices before it into the unit of those after it, begin after it with --from, or run it as a move of the market with \
     jumps=keep";

impl PriceShift {
    /// As a message says it.
    pub fn found(&self, line: u64) -> String {
        let PriceShift { at, before, after, .. } = self;
        format!(
            "line {line}: at {at} the price goes from {before} to {after} with no trade between them and stays, as at a split or \
             in another unit"
        )
    }
}

/// What was found in the prices of a data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PriceFindings {
    /// Rows that must not be used, and why.
    pub left_out: BTreeMap<RowPlace, String>,
    /// By moment: how many prices shift at it, and the first of them.
    shifts: BTreeMap<Stamp, (usize, PriceShift)>,
}

/// Moments with a shift that are looked at.
const SHIFTS_MAX: usize = 256;

impl PriceFindings {
    /// Leaves a row out.
    pub fn leave_out(&mut self, place: RowPlace, why: impl FnOnce() -> String) {
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.entry(place).or_insert_with(why);
        }
    }

    fn shift(&mut self, shift: PriceShift) {
        if self.shifts.len() < SHIFTS_MAX || self.shifts.contains_key(&shift.at) {
            self.shifts.entry(shift.at).or_insert((0, shift)).0 += 1;
        }
    }

    /// The shifts that somebody has to decide, of a market of so many prices. Where several jump together it is the market that
    /// does: coins are split one by one.
    pub fn undecided(self, prices: usize) -> Vec<PriceShift> {
        let alone = |(count, _): &(usize, PriceShift)| *count == 1 || *count * 2 < prices;
        self.shifts.into_values().filter(alone).map(|(_, shift)| shift).collect()
    }
}

/// A row as it is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
struct JudgedRow {
    place: RowPlace,
    at: Stamp,
    open: f64,
    close: f64,
}

/// The prices of one symbol, judged as they go by.
#[derive(Clone, Debug, Default)]
pub(crate) struct PriceJudge {
    /// The last row that is believed.
    level: Option<JudgedRow>,
    /// How many rows were believed.
    believed: u64,
    /// Of the last two rows: by what the time between them is measured.
    spacing: Span,
    /// A row that is far off; the next one decides.
    doubted: Option<JudgedRow>,
    /// A split, if the next bar is calm.
    split: Option<PriceShift>,
}

impl JudgedRow {
    /// Time between two rows.
    fn apart(&self, other: &JudgedRow) -> i64 {
        other.at.since(self.at).0.abs()
    }

    /// Whether it opens where the price was and falls: then it was traded all the way down.
    fn is_crash(&self, before: &JudgedRow) -> bool {
        within(self.open / before.close, BACK) && self.close < self.open
    }
}

/// Time between two rows with nothing missing between them, where bars are so long: days have weekends and holidays.
fn most(bar: i64) -> i64 {
    if bar >= Span::DAY.0 { 5 * bar } else { 3 * bar }
}

fn within(ratio: f64, times: f64) -> bool {
    (1.0 / times..=times).contains(&ratio)
}

impl PriceJudge {
    /// Takes the next row, in the order of the stamps or against it.
    pub fn take(&mut self, place: RowPlace, at: Stamp, bar: &Bar, found: &mut PriceFindings) {
        let row = JudgedRow { place, at, open: bar.open, close: bar.close };
        let Some(level) = self.level else {
            (self.level, self.believed) = (Some(row), 1);
            return;
        };
        if let Some(doubted) = self.doubted.take() {
            return self.decide(level, doubted, row, found);
        }
        // Within the bar itself: it closes where it was, and opened or stood in another unit.
        let top = bar.open.max(bar.high);
        let floor = level.close.max(bar.close) * UNIT;
        if top > floor || bar.open * UNIT < level.close.min(bar.close) {
            let off = if bar.open * UNIT < level.close.min(bar.close) { bar.open } else { top };
            if within(bar.close / level.close, BACK) {
                return found.leave_out(place, || {
                    format!(
                        "a price of {off} between closes of {} and {}: it stands in another unit",
                        level.close, bar.close
                    )
                });
            }
        }
        if !within(bar.close / level.close, UNIT) {
            self.doubted = Some(row);
            return;
        }
        self.splits(level, row, found);
        self.believe(level, row);
    }

    fn believe(&mut self, level: JudgedRow, row: JudgedRow) {
        let spacing = row.at.since(level.at).0.abs();
        // Of a market with weekends the shortest is the bar's.
        if self.spacing.0 == 0 || spacing < self.spacing.0 {
            self.spacing = Span(spacing);
        }
        (self.level, self.believed) = (Some(row), self.believed + 1);
    }

    fn decide(&mut self, level: JudgedRow, doubted: JudgedRow, row: JudgedRow, found: &mut PriceFindings) {
        let off = |one: JudgedRow, beside: f64| {
            format!("a close of {} beside {beside}: it stands in another unit", one.close)
        };
        let steps = [level.apart(&doubted), doubted.apart(&row)];
        let unit = if self.spacing.0 == 0 { steps[0].min(steps[1]) } else { self.spacing.0 };
        let whole = steps.iter().all(|s| *s <= most(unit));
        if whole && within(row.close / level.close, BACK) {
            found.leave_out(doubted.place, || off(doubted, level.close));
            return self.believe(level, row);
        }
        let stays = within(row.close / doubted.close, BACK);
        if whole && stays && self.believed == 1 {
            found.leave_out(level.place, || off(level, doubted.close));
            self.level = Some(doubted);
            return self.believe(doubted, row);
        }
        if whole && !stays && !doubted.is_crash(&level) {
            found.leave_out(doubted.place, || off(doubted, level.close));
            self.doubted = Some(row);
            return;
        }
        let is_traded = within(doubted.open / level.close, BACK);
        if steps[0] <= most(unit) && !is_traded && stays {
            let JudgedRow { place, at, close: after, .. } = doubted;
            found.shift(PriceShift { place, at, before: level.close, after });
        }
        self.believe(level, doubted);
        if within(row.close / doubted.close, UNIT) {
            self.believe(doubted, row);
        } else {
            self.doubted = Some(row);
        }
    }

    /// Whether nothing is missing between two rows; a coin that comes back after weeks may be another.
    fn beside(&self, one: JudgedRow, next: JudgedRow) -> bool {
        one.apart(&next) <= most(self.spacing.0)
    }

    fn splits(&mut self, level: JudgedRow, row: JudgedRow, found: &mut PriceFindings) {
        if let Some(split) = self.split.take()
            && within(row.close / row.open, CALM)
            && within(row.open / level.close, CALM)
        {
            found.shift(split);
        }
        let jump = row.open / level.close;
        let times = if jump > 1.0 { jump } else { 1.0 / jump };
        let simple = SPLITS.iter().any(|s| (times / s - 1.0).abs() < NEAR);
        if simple && self.believed > 1 && within(row.close / row.open, CALM) && self.beside(level, row) {
            self.split =
                Some(PriceShift { place: row.place, at: row.at, before: level.close, after: row.open });
        }
    }

    /// The end: what nothing came after is not believed if it is far off, and no crash.
    pub fn finish(&mut self, found: &mut PriceFindings) {
        if let (Some(level), Some(doubted)) = (self.level, self.doubted.take())
            && !doubted.is_crash(&level)
        {
            let why =
                || format!("a close of {} beside {}: it stands in another unit", doubted.close, level.close);
            found.leave_out(doubted.place, why);
        }
    }
}

/// Whether a bar is what another one of the same moment became: the same open, and all of it and more.
pub(crate) fn finishes(bar: &Bar, other: &Bar) -> bool {
    bar.volume.is_finite()
        && bar.volume > other.volume
        && bar.open == other.open
        && bar.high >= other.high
        && bar.low <= other.low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[(f64, f64)]) -> PriceFindings {
        let mut found = PriceFindings::default();
        let mut judge = PriceJudge::default();
        for (n, (open, close)) in rows.iter().enumerate() {
            let bar = Bar {
                open: *open,
                high: open.max(*close),
                low: open.min(*close),
                close: *close,
                volume: 1.0,
            };
            judge.take((0, n as u64), Stamp(n as i64 * Span::HOUR.0), &bar, &mut found);
        }
        judge.finish(&mut found);
        found
    }

    fn closes(closes: &[f64]) -> Vec<(f64, f64)> {
        let opens = closes.iter().take(1).chain(closes);
        opens.zip(closes).map(|(o, c)| (*o, *c)).collect()
    }

    #[test]
    fn a_row_in_another_unit_is_left_out_wherever_it_stands() {
        for times in [1e-12, 1e-6, 1e-3, 1e3, 1e6, 1e9, 1e12] {
            for at in 0..6 {
                let mut rows: Vec<(f64, f64)> =
                    (0..6).map(|n| (100.0 + f64::from(n), 101.0 + f64::from(n))).collect();
                rows[at] = (rows[at].0 * times, rows[at].1 * times);
                let found = judged(&rows);
                assert_eq!(
                    found.left_out.keys().copied().collect::<Vec<_>>(),
                    [(0, at as u64)],
                    "{times} at {at}"
                );
                assert!(found.shifts.is_empty());
            }
        }
    }

    #[test]
    fn a_crash_is_one() {
        // Down to a hundredth in a few hours, a wick to nothing, and half of it back at once.
        let crash = closes(&[100.0, 98.0, 60.0, 20.0, 3.0, 0.2, 0.02, 0.01, 0.06, 0.05, 0.2, 0.1]);
        assert_eq!(judged(&crash), PriceFindings::default());
        // In one bar to nothing, and on; or to nothing, and that was the end.
        assert_eq!(judged(&closes(&[17.0, 1.0, 0.0003, 0.000_001, 0.000_002])), PriceFindings::default());
        assert_eq!(judged(&closes(&[17.0, 1.0, 0.0003])), PriceFindings::default());
        // To nothing, and after weeks without a trade another coin of that name.
        let mut found = PriceFindings::default();
        let mut judge = PriceJudge::default();
        for (day, open, close) in
            [(0, 30.0, 17.0), (1, 17.0, 1.08), (2, 1.08, 0.0003), (22, 8.9, 6.5), (23, 6.5, 7.1)]
        {
            let bar = Bar { open, high: open.max(close), low: open.min(close), close, volume: 1.0 };
            judge.take((0, day), Stamp(day as i64 * Span::DAY.0), &bar, &mut found);
        }
        judge.finish(&mut found);
        assert_eq!(found, PriceFindings::default());
        // A coin that is renamed after weeks without a trade.
        let mut found = PriceFindings::default();
        let mut judge = PriceJudge::default();
        for (hour, close) in [(0, 1e-4), (1, 1e-4), (2, 9e-5), (500, 8.0), (501, 8.2), (502, 8.1)] {
            let bar = Bar { open: close, high: close, low: close, close, volume: 1.0 };
            judge.take((0, hour), Stamp(hour as i64 * Span::HOUR.0), &bar, &mut found);
        }
        assert_eq!(found, PriceFindings::default());
    }

    #[test]
    fn a_price_that_jumps_to_a_part_and_stays_looks_like_a_split() {
        for times in [0.1, 0.25, 0.5, 2.0, 10.0, 1000.0] {
            let mut rows = closes(&[100.0, 101.0, 99.0]);
            rows.extend(closes(&[99.0 * times, 98.0 * times, 99.5 * times, 100.0 * times]));
            let found = judged(&rows);
            assert!(found.left_out.is_empty());
            let shifts = found.undecided(1);
            assert_eq!(shifts.len(), 1, "{times}");
            assert_eq!((shifts[0].place, shifts[0].before), ((0, 3), 99.0));
        }
        // The same on the way, bar by bar, is a market.
        assert!(judged(&closes(&[100.0, 50.0, 25.0, 24.0, 26.0])).shifts.is_empty());
    }

    #[test]
    fn what_all_prices_do_at_once_is_a_market() {
        let mut found = PriceFindings::default();
        let mut judges = [PriceJudge::default(), PriceJudge::default(), PriceJudge::default()];
        for hour in 0..8 {
            for (n, judge) in judges.iter_mut().enumerate() {
                // All of them at the fourth hour, and one more at the sixth.
                let close =
                    10.0 * if hour >= 4 { 8.0 } else { 1.0 } * if n == 1 && hour >= 6 { 0.1 } else { 1.0 };
                let bar = Bar { open: close, high: close, low: close, close, volume: 1.0 };
                judge.take((n, hour), Stamp(hour as i64 * Span::HOUR.0), &bar, &mut found);
            }
        }
        let places: Vec<RowPlace> = found.undecided(3).iter().map(|s| s.place).collect();
        assert_eq!(places, [(1, 6)]);
    }

    #[test]
    fn of_two_bars_of_one_moment_the_finished_one_is_known() {
        let bar = |close, high, volume| Bar { open: 10.0, high, low: 9.0, close, volume };
        assert!(finishes(&bar(10.5, 12.0, 5.0), &bar(10.2, 11.0, 2.0)));
        assert!(!finishes(&bar(10.2, 11.0, 2.0), &bar(10.5, 12.0, 5.0)));
    }
}
