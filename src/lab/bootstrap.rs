//! The stationary bootstrap (Politis and Romano 1994) of Sharpe ratios and their differences.
//!
//! # Invariants
//!
//! 1. One matrix of resampled days serves all systems and all seeds of a study, so differences are paired.
//! 2. Draws are keyed by (draw, day): more draws change nothing of those before.
//!
//! Blocks are twenty days on average, so what happens over some weeks stays together; days wrap round.

use crate::domain::random;
use serde::{Deserialize, Serialize};

/// Mean length of a block in days.
pub const BLOCK_DAYS: f64 = 20.0;
/// Resampled series from which an interval is read.
pub const DRAWS: usize = 2_000;
/// Euler and Mascheroni's.
const GAMMA: f64 = 0.577_215_664_901_532_9;
const SEED: u64 = 0x6c61_6264_7261_7773;

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Mean as it was measured, not resampled.
    pub mean: f64,
    /// Its lower end.
    pub lo: f64,
    /// Its upper end.
    pub hi: f64,
}

/// Which days each draw is made of.
#[derive(Clone, Debug)]
pub struct Resampled {
    days: usize,
    /// Draw by draw.
    index: Vec<u32>,
    /// The same as runs of neighbouring days, the first and the one after the last: a sum over a run is a difference
    /// of two running sums, whatever its length.
    runs: Vec<[u32; 2]>,
    /// By draw: where its runs end in `runs`.
    ends: Vec<usize>,
}

impl Resampled {
    /// Draws resampled orders of days for tracks of this many.
    pub fn new(days: usize, draws: usize) -> Self {
        Resampled::keyed(days, draws, SEED)
    }

    /// With a key of its own, for simulations.
    pub fn keyed(days: usize, draws: usize, seed: u64) -> Self {
        let mut index = Vec::with_capacity(days * draws);
        for draw in 0..draws as u64 {
            let key = random::key(seed, &[draw]);
            let mut at = 0;
            for day in 0..days as u64 {
                let k = random::mix(key, day);
                at = if day == 0 || random::uniform(k) * BLOCK_DAYS < 1.0 {
                    random::below(k, days as u64) as usize
                } else {
                    (at + 1) % days
                };
                index.push(at as u32);
            }
        }
        Resampled::of(days, index)
    }

    /// These days, draw by draw.
    pub(super) fn of(days: usize, index: Vec<u32>) -> Self {
        let (mut runs, mut ends): (Vec<[u32; 2]>, _) = (Vec::new(), Vec::new());
        for draw in index.chunks_exact(days.max(1)) {
            let first = runs.len();
            for &day in draw {
                match runs[first..].last_mut() {
                    Some(run) if run[1] == day => run[1] += 1,
                    _ => runs.push([day, day + 1]),
                }
            }
            ends.push(runs.len());
        }
        Resampled { days, index, runs, ends }
    }

    /// How many draws.
    pub fn draws(&self) -> usize {
        self.index.len().checked_div(self.days).unwrap_or(0)
    }

    /// The days of each draw, by their places.
    pub fn each(&self) -> impl Iterator<Item = &[u32]> {
        self.index.chunks_exact(self.days.max(1))
    }

    /// The runs of days of each draw, each as its first day and the one after its last.
    pub fn runs(&self) -> impl Iterator<Item = &[[u32; 2]]> {
        (0..self.ends.len()).map(|draw| {
            let from = if draw == 0 { 0 } else { self.ends[draw - 1] };
            &self.runs[from..self.ends[draw]]
        })
    }

    /// The Sharpe ratio per year of each draw of a track that has these days; a day that it does not have is NaN, and
    /// is left out of the draw.
    pub fn sharpes(&self, daily: &[f64]) -> Vec<f64> {
        if self.days == 0 || daily.len() != self.days {
            return Vec::new();
        }
        let sums = ReturnSums::running(daily);
        self.runs().map(|runs| ReturnSums::over(runs, &sums).sharpe()).collect()
    }
}

/// Returns that are there: how many, their sum and that of their squares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReturnSums {
    pub n: f64,
    pub sum: f64,
    pub squares: f64,
}

impl ReturnSums {
    /// Before each day, and after the last.
    pub(super) fn running(daily: &[f64]) -> Vec<ReturnSums> {
        let mut so_far = ReturnSums::default();
        let mut all = vec![so_far];
        all.extend(daily.iter().map(|r| {
            if !r.is_nan() {
                so_far =
                    ReturnSums { n: so_far.n + 1.0, sum: so_far.sum + r, squares: so_far.squares + r * r };
            }
            so_far
        }));
        all
    }

    /// Sums a track over these runs of days.
    pub(super) fn over(runs: &[[u32; 2]], running: &[ReturnSums]) -> ReturnSums {
        runs.iter().fold(ReturnSums::default(), |all, run| {
            let [from, to] = run.map(|day| running[day as usize]);
            ReturnSums {
                n: all.n + (to.n - from.n),
                sum: all.sum + (to.sum - from.sum),
                squares: all.squares + (to.squares - from.squares),
            }
        })
    }

    /// The variance of a return; NaN of none.
    pub(super) fn variance(&self) -> f64 {
        // Differences of running sums of equal days are equal to rounding only, and that is no spread.
        let rounding = 1e-12 * self.squares;
        let spread = self.squares - self.sum * self.sum / self.n;
        if spread < rounding { 0.0 } else { spread / (self.n - 1.0) }
    }

    /// The Sharpe ratio per year; 0 without spread.
    fn sharpe(&self) -> f64 {
        let variance = self.variance();
        if variance > 0.0 { self.sum / self.n / libm::sqrt(variance) * libm::sqrt(365.25) } else { 0.0 }
    }
}

/// The 95 % interval of a measured mean from its draws, over so many days: their percentiles, expanded for
/// what resampling few blocks leaves out (Hesterberg 2015: t in place of z, and √(n/(n−1)), n the blocks).
pub fn interval(mean: f64, mut draws: Vec<f64>, days: usize) -> Interval {
    let tail = expanded_tail(days as f64 / BLOCK_DAYS);
    Interval { mean, lo: percentile(&mut draws, tail), hi: percentile(&mut draws, 1.0 - tail) }
}

/// The tail of the draws that stands for 2.5 %.
fn expanded_tail(blocks: f64) -> f64 {
    if blocks < 3.0 {
        return 0.0;
    }
    let (z, nu) = (1.959_963_984_540_054_f64, blocks - 1.0);
    let (z3, z5) = (z * z * z, z * z * z * z * z);
    // Student's quantile by its expansion in 1/ν (Abramowitz and Stegun 26.7.5).
    let t = z + (z3 + z) / (4.0 * nu) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * nu * nu);
    0.5 * libm::erfc(t * libm::sqrt(blocks / nu) / std::f64::consts::SQRT_2)
}

/// A percentile of values, between neighbours in proportion; 0 of none. They are partly sorted by it.
pub fn percentile(values: &mut [f64], p: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let at = p * last as f64;
    let low = libm::floor(at) as usize;
    let (_, value, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*value);
    *value + (at - low as f64) * (next - *value)
}

/// Per draw: the mean over seeds of differences (seed by seed, draw by draw).
pub fn over_seeds(differences: &[Vec<f64>]) -> Vec<f64> {
    let draws = differences.iter().map(Vec::len).min().unwrap_or(0);
    let n = differences.len() as f64;
    (0..draws).map(|b| differences.iter().map(|d| d[b]).sum::<f64>() / n).collect()
}

/// The same with the seeds drawn anew as well: other personalities might have been there.
pub fn over_drawn_seeds(differences: &[Vec<f64>]) -> Vec<f64> {
    let draws = differences.iter().map(Vec::len).min().unwrap_or(0);
    let n = differences.len() as u64;
    let one = |b: usize| {
        let drawn = (0..n).map(|s| random::below(random::key(SEED ^ 1, &[b as u64, s]), n) as usize);
        drawn.map(|s| differences[s][b]).sum::<f64>() / n as f64
    };
    (0..draws).map(one).collect()
}

/// The best Sharpe difference that so many worthless variants would show by luck, with this standard error
/// (Bailey and López de Prado 2014).
pub fn luck(variants: usize, standard_error: f64) -> f64 {
    if variants < 2 {
        return 0.0;
    }
    let n = variants as f64;
    let z = (1.0 - GAMMA) * normal_quantile(1.0 - 1.0 / n)
        + GAMMA * normal_quantile(1.0 - 1.0 / (n * std::f64::consts::E));
    standard_error * z
}

/// The standard normal's quantile, by bisection of the error function: exact to 1e-12 where it matters.
pub fn normal_quantile(p: f64) -> f64 {
    let below = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if below(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::stats;
    use proptest::prelude::*;

    #[test]
    fn percentiles_by_hand() {
        let mut values = [3.0, 1.0, 4.0, 0.0, 2.0];
        assert_eq!(percentile(&mut values, 0.5), 2.0);
        assert!((percentile(&mut values, 0.3) - 1.2).abs() < 1e-12);
        assert_eq!(
            (percentile(&mut values, 0.0), percentile(&mut values, 1.0), percentile(&mut [], 0.5)),
            (0.0, 4.0, 0.0)
        );
    }

    #[test]
    fn few_blocks_widen_the_interval() {
        assert!((expanded_tail(1e9) - 0.025).abs() < 1e-6);
        // Ten blocks: t₉ = 2.262, × √(10/9) = 2.384, which a normal is beyond 0.0086 of the time.
        assert!((expanded_tail(10.0) - 0.0086).abs() < 2e-4);
        assert_eq!(expanded_tail(2.0), 0.0);
    }

    #[test]
    fn quantiles_are_the_normals() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.01, -2.326_347_874_040_841)] {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}");
        }
        // The expected best of 100 normals is about 2.5.
        assert!((luck(100, 1.0) - 2.53).abs() < 0.02);
        assert_eq!(luck(1, 1.0), 0.0);
    }

    #[test]
    fn blocks_are_twenty_days_on_average_and_run_on() {
        let r = Resampled::new(1_000, 50);
        let follows = |w: &[u32]| w[1] == (w[0] + 1) % 1_000;
        let all: usize = r.index.chunks(1_000).map(|d| d.windows(2).filter(|w| follows(w)).count()).sum();
        let share = all as f64 / (50.0 * 999.0);
        assert!((share - 0.95).abs() < 0.01, "{share}");
    }

    #[test]
    fn a_draw_of_every_day_in_its_place_is_the_track_itself() {
        let daily: Vec<f64> = (0..100).map(|i| 0.01 * random::normal(i)).collect();
        let same = Resampled::of(100, (0..100).collect());
        assert!((same.sharpes(&daily)[0] - stats::sharpe(&daily)).abs() < 1e-9);
        assert!(same.sharpes(&daily[1..]).is_empty());
        // Days that are not there are skipped, wherever they lie.
        let mut holes = daily.clone();
        (holes[3], holes[99]) = (f64::NAN, f64::NAN);
        let there: Vec<f64> = holes.iter().copied().filter(|r| !r.is_nan()).collect();
        assert!((same.sharpes(&holes)[0] - stats::sharpe(&there)).abs() < 1e-9);
    }

    #[test]
    fn seeds_are_averaged_draw_by_draw() {
        let d = vec![vec![1.0, 2.0], vec![3.0, 6.0]];
        assert_eq!(over_seeds(&d), [2.0, 4.0]);
        assert!(
            over_drawn_seeds(&d).iter().zip([[1.0, 3.0], [2.0, 6.0]]).all(|(m, r)| *m >= r[0] && *m <= r[1])
        );
        assert_eq!(over_drawn_seeds(&[vec![5.0; 9]]), [5.0; 9]);
    }

    proptest! {
        #[test]
        fn an_interval_of_equal_tracks_is_nothing(daily in proptest::collection::vec(-0.05..0.05_f64, 40..80)) {
            let r = Resampled::new(daily.len(), 20);
            let (a, b) = (r.sharpes(&daily), r.sharpes(&daily));
            let d = a.iter().zip(&b).map(|(x, y)| x - y).collect();
            prop_assert_eq!(interval(0.0, d, daily.len()), Interval::default());
        }
    }

    /// Two systems of the same market without any difference in skill, with volatility that clusters and
    /// returns that hang together a little, as daily returns of a patient desk do.
    fn pair(seed: u64, days: usize) -> [Vec<f64>; 2] {
        let mut volatility = 1.0;
        let (mut last, mut both) = ([0.0, 0.0], [Vec::new(), Vec::new()]);
        for t in 0..days as u64 {
            let z = |what: u64| random::normal(random::key(seed, &[what, t]));
            volatility = libm::exp(0.95 * libm::log(volatility) + 0.1 * z(0));
            let common = z(1);
            for (i, (track, last)) in both.iter_mut().zip(&mut last).enumerate() {
                let own = z(2 + i as u64);
                let r = 0.05 * *last + 0.008 * volatility * (0.7 * common + 0.714 * own) + 0.0005;
                *last = r - 0.0005;
                track.push(r);
            }
        }
        both
    }

    #[test]
    fn the_interval_covers_no_difference_95_times_in_100() {
        let (sims, days) = (1_000, 730);
        let covered = (0..sims)
            .filter(|s| {
                let [a, b] = pair(random::key(77, &[*s]), days);
                let r = Resampled::keyed(days, 300, *s);
                let draws = r.sharpes(&a).iter().zip(r.sharpes(&b)).map(|(x, y)| x - y).collect();
                let i = interval(stats::sharpe(&a) - stats::sharpe(&b), draws, days);
                i.lo <= 0.0 && 0.0 <= i.hi
            })
            .count();
        let share = covered as f64 / sims as f64;
        assert!((0.93..=0.97).contains(&share), "covered {share}");
    }
}
