//! The rankings by dollar volume, learned while rows pass, each from what was known at its stamp.
//!
//! The n-th asset (by first bar, not counting money-like ones) starts trading at s; ranking n is known
//! at s + 30 days and sums close · volume over the thirty UTC days from the day of s on. All assets that
//! traded in those days are ranked. Where there is no volume every sum is infinite and the order is that
//! of the first bars, then of the names. A data set shorter than 30 days ranks by its first 24 hours.
//!
//! Memory: 31 daily sums per symbol, and one number per pair of symbols.

use crate::domain::instrument::Ranking;
use crate::domain::{AssetId, Span, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// Days over which volume is summed.
const DAYS: i64 = 30;
/// The thirty days and the one that is being filled.
const RING: usize = 31;

/// The window over which rankings are made.
pub(super) const WINDOW: Span = Span(DAYS * Span::DAY.0);

/// Daily sums of one symbol.
#[derive(Clone, Debug)]
struct Ring {
    first: Stamp,
    day: [i64; RING],
    sum: [f64; RING],
    first_day: f64,
}

/// Collects volumes as rows pass.
#[derive(Debug, Default)]
pub(crate) struct Volumes {
    rings: Vec<Option<Ring>>,
    start: Option<Stamp>,
    /// Stamps at which a ranking may be known and that have not come yet.
    due: BTreeSet<Stamp>,
    /// Sums by symbol at the stamps that have come; `None` for a symbol that did not trade.
    taken: BTreeMap<Stamp, Vec<Option<f64>>>,
}

/// A symbol that takes part, as the caller numbers and names it.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    /// Number in the symbol table.
    pub symbol: usize,
    /// Id in the universe.
    pub asset: AssetId,
    /// Name of the asset.
    pub name: String,
    /// Its first bar.
    pub first: Stamp,
}

impl Volumes {
    /// Takes in a row. Rows come in the order of the data set.
    pub fn add(&mut self, symbol: u16, stamp: Stamp, dollars: f64) {
        self.take_until(stamp);
        let start = *self.start.get_or_insert(stamp);
        let symbol = symbol as usize;
        if self.rings.len() <= symbol {
            self.rings.resize(symbol + 1, None);
        }
        let due = &mut self.due;
        let ring = self.rings[symbol].get_or_insert_with(|| {
            due.insert(stamp.after(WINDOW));
            Ring { first: stamp, day: [i64::MIN; RING], sum: [0.0; RING], first_day: 0.0 }
        });
        let day = stamp.day();
        let slot = day.rem_euclid(RING as i64) as usize;
        if ring.day[slot] != day {
            ring.day[slot] = day;
            ring.sum[slot] = 0.0;
        }
        ring.sum[slot] += dollars;
        if stamp < start.after(Span::DAY) {
            ring.first_day += dollars;
        }
    }

    /// The rankings of these entrants, for n = 1, 2, … as far as they are known by `end`. Bars longer
    /// than a day are known only when they close, hence `bar`.
    pub fn rankings(mut self, entrants: &[Entrant], bar: Span, end: Stamp) -> Vec<Ranking> {
        let Some(start) = self.start else {
            return Vec::new();
        };
        let mut order: Vec<&Entrant> = entrants.iter().collect();
        order.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
        if end.since(start) < WINDOW {
            let known_at = start.after(Span(Span::DAY.0.max(bar.0)));
            let there: Vec<_> = order.iter().filter(|e| e.first < start.after(Span::DAY)).copied().collect();
            let sums = there
                .iter()
                .map(|e| self.rings[e.symbol].as_ref().map_or(0.0, |r| r.first_day))
                .collect::<Vec<_>>();
            let one = Ranking { assets: ranked(&there, &sums), known_at };
            return vec![one; there.len()];
        }
        self.take_until(end);
        let late = Span((bar.0 - Span::DAY.0).max(0));
        let mut out = Vec::new();
        for nth in &order {
            let stamp = nth.first.after(WINDOW);
            let known_at = stamp.after(late);
            let Some(sums) = self.taken.get(&stamp).filter(|_| known_at <= end) else {
                break;
            };
            let of = |e: &Entrant| sums.get(e.symbol).copied().flatten();
            let there: Vec<_> = order.iter().filter(|e| of(e).is_some()).copied().collect();
            let sums = there.iter().map(|e| of(e).unwrap_or(0.0)).collect::<Vec<_>>();
            out.push(Ranking { assets: ranked(&there, &sums), known_at });
        }
        out
    }

    /// Takes the sums of all stamps that are due by `now`, before anything at `now` counts.
    fn take_until(&mut self, now: Stamp) {
        while let Some(&stamp) = self.due.first() {
            if stamp > now {
                return;
            }
            self.due.pop_first();
            let days = stamp.day() - DAYS..stamp.day();
            let sums = self.rings.iter().map(|ring| {
                let ring = ring.as_ref()?;
                let mut sum = None;
                // In the order of the days, so that equal data gives equal sums.
                for day in days.clone() {
                    let slot = day.rem_euclid(RING as i64) as usize;
                    if ring.day[slot] == day {
                        sum = Some(sum.unwrap_or(0.0) + ring.sum[slot]);
                    }
                }
                sum.filter(|_| ring.first <= stamp)
            });
            let sums = sums.collect();
            self.taken.insert(stamp, sums);
        }
    }
}

/// Largest sum first; ties keep the order of the entrants (first bar, then name).
fn ranked(entrants: &[&Entrant], sums: &[f64]) -> Vec<AssetId> {
    let mut order: Vec<usize> = (0..entrants.len()).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
    order.into_iter().map(|i| entrants[i].asset).collect()
}
