//! The indicators of one instrument, each computed once for all who asked for it, O(1) a bar (amortised).
//!
//! # Invariants
//!
//! 1. A value is NaN until its window is full, and finite from then on.
//! 2. Nothing but the bars of this instrument goes in, in the order of their stamps.
//! 3. Running sums are made anew every window, so rounding does not pile up over a long history.

use crate::domain::{Bar, Indicator};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Log-price width of a bucket of the volume profile, about 1 %, and how many there are before they wrap: a
/// profile spans a price ratio of e^5.12 ≈ 167, which no window of a listed coin has crossed. A decade is a whole number of
/// buckets, so that levels are the same in whatever unit the price is told.
const BUCKET: f64 = std::f64::consts::LN_10 / 230.0;
const BUCKETS: usize = 512;
/// Span of the volatility that sizes positions, in bars.
pub const SIGMA_SPAN: u16 = 120;
/// Most that is called volatility of a bar: a price that goes to eleven times, or to a tenth, again and again. What is sized
/// and stopped by it has bounds that hold up to here.
pub const SIGMA_MAX: f64 = 2.4;

/// Exponentially weighted mean of squares with its start-up bias taken out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    keep: f64,
    sum: f64,
    weight: f64,
    seen: u32,
}

impl Weighted {
    /// With span n: the newest observation weighs 2/(n+1).
    pub fn new(span: f64) -> Self {
        Weighted { keep: 1.0 - 2.0 / (span + 1.0), sum: 0.0, weight: 0.0, seen: 0 }
    }

    /// Takes an observation in.
    pub fn push(&mut self, x: f64) {
        self.sum = self.keep * self.sum + x;
        self.weight = self.keep * self.weight + 1.0;
        self.seen = self.seen.saturating_add(1);
    }

    /// The mean; NaN before the first observation.
    pub fn mean(&self) -> f64 {
        self.sum / self.weight
    }

    /// How many observations went in.
    pub fn seen(&self) -> u32 {
        self.seen
    }
}

/// The last bars, newest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BarWindow {
    /// How far back anybody looks.
    depth: usize,
    close: VecDeque<f64>,
    log: VecDeque<f64>,
    high: VecDeque<f64>,
    low: VecDeque<f64>,
    volume: VecDeque<f64>,
    /// Bars seen since the listing, for the places of extremes.
    seen: u64,
}

impl BarWindow {
    fn new(depth: usize) -> Self {
        let ring = || VecDeque::with_capacity(depth + 1);
        BarWindow { depth, close: ring(), log: ring(), high: ring(), low: ring(), volume: ring(), seen: 0 }
    }

    fn push(&mut self, bar: &Bar) {
        // Without volume every bar counts alike.
        let volume = if bar.volume.is_finite() { bar.volume } else { 1.0 };
        let news = [bar.close, libm::log(bar.close), bar.high, bar.low, volume];
        let rings = [&mut self.close, &mut self.log, &mut self.high, &mut self.low, &mut self.volume];
        for (ring, x) in rings.into_iter().zip(news) {
            if ring.len() > self.depth {
                ring.pop_front();
            }
            ring.push_back(x);
        }
        self.seen += 1;
    }
}

/// The value `lag` bars before the newest.
fn back(ring: &VecDeque<f64>, lag: usize) -> Option<f64> {
    ring.len().checked_sub(lag + 1).and_then(|i| ring.get(i)).copied()
}

fn last_of(ring: &VecDeque<f64>, n: usize) -> impl Iterator<Item = f64> {
    ring.range(ring.len().saturating_sub(n)..).copied()
}

/// Largest of a sliding window by a monotonic queue (Lemire 2006).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Extreme {
    queue: VecDeque<(u64, f64)>,
}

impl Extreme {
    fn push(&mut self, at: u64, x: f64, window: u64) {
        while self.queue.back().is_some_and(|(_, y)| *y <= x) {
            self.queue.pop_back();
        }
        self.queue.push_back((at, x));
        while self.queue.front().is_some_and(|(i, _)| i + window <= at) {
            self.queue.pop_front();
        }
    }

    fn front(&self) -> (u64, f64) {
        self.queue.front().copied().unwrap_or((0, f64::NAN))
    }
}

/// What an indicator remembers between bars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum IndicatorState {
    /// Reads the series alone.
    Plain,
    Average(f64),
    Weighted(Weighted),
    /// Sum, sum of squares.
    Sums(f64, f64),
    /// +1 for highest, −1 for lowest.
    Extreme(f64, Extreme),
    /// Likewise, and the last confirmed pivot.
    Pivot(f64, Extreme, f64),
    Profile(Vec<f64>, f64),
    /// Told of the market once all have closed.
    Beyond(Box<BeyondMarket>),
}

/// What an asset did beyond its slope on the market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BeyondMarket {
    /// Means of its return times the market's, and of the market's squared.
    both: Weighted,
    market: Weighted,
    /// Squares of what was beyond.
    squares: Weighted,
    /// What was beyond in the last bars, newest last, and its sum.
    last: VecDeque<f64>,
    sum: f64,
    told: u64,
}

impl BeyondMarket {
    fn new() -> Self {
        let weighted = || Weighted::new(f64::from(SIGMA_SPAN));
        BeyondMarket {
            both: weighted(),
            market: weighted(),
            squares: weighted(),
            last: VecDeque::new(),
            sum: 0.0,
            told: 0,
        }
    }

    /// Takes in a bar's return and the market's; the value over n bars.
    fn push(&mut self, own: f64, market: f64, n: usize) -> f64 {
        let known = self.market.seen() >= u32::from(SIGMA_SPAN) / 2 && self.market.mean() > 0.0;
        if known {
            let beyond = own - self.both.mean() / self.market.mean() * market;
            self.squares.push(beyond * beyond);
            self.last.push_back(beyond);
            let gone = if self.last.len() > n { self.last.pop_front().unwrap_or(0.0) } else { 0.0 };
            self.told += 1;
            // Made anew once in n bars, so that rounding does not pile up.
            self.sum = if self.told.is_multiple_of(n as u64) {
                self.last.iter().sum()
            } else {
                self.sum + beyond - gone
            };
        }
        self.both.push(own * market);
        self.market.push(market * market);
        let deviation = libm::sqrt(self.squares.mean() * n as f64);
        if self.last.len() == n && deviation > 0.0 { self.sum / deviation } else { f64::NAN }
    }
}

impl IndicatorState {
    fn new(what: Indicator) -> Self {
        use Indicator::*;
        match what {
            // Those of structures are computed by them and stay NaN here.
            Return(_) | Score(_) | Rank(_) | Gain | Spread | Imbalance | Edge | Basis | Carry | Implied
            | Forecast | Rich | Inventory | Hours | Away | Way | Mispriced | Lead => IndicatorState::Plain,
            Ema(_) => IndicatorState::Average(f64::NAN),
            Sigma(n) | Activity(n) => IndicatorState::Weighted(Weighted::new(f64::from(n))),
            Mean(_) | ZScore(_) | Efficiency(_) => IndicatorState::Sums(0.0, 0.0),
            Highest(_) => IndicatorState::Extreme(1.0, Extreme::default()),
            Lowest(_) => IndicatorState::Extreme(-1.0, Extreme::default()),
            PivotHigh(_) => IndicatorState::Pivot(1.0, Extreme::default(), f64::NAN),
            PivotLow(_) => IndicatorState::Pivot(-1.0, Extreme::default(), f64::NAN),
            Node(_) => IndicatorState::Profile(vec![0.0; BUCKETS], 0.0),
            Residual(_) => IndicatorState::Beyond(Box::new(BeyondMarket::new())),
        }
    }
}

/// All indicators of one instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bank {
    keys: Vec<Indicator>,
    cells: Vec<IndicatorState>,
    values: Vec<f64>,
    series: BarWindow,
    sigma: Weighted,
    bars_per_day: f64,
}

impl Bank {
    /// A bank that computes these indicators. [`Indicator::Rank`] is not one asset's and stays NaN here.
    pub fn new(mut keys: Vec<Indicator>, bars_per_day: f64) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let depth = keys
            .iter()
            .map(|k| match k {
                Indicator::PivotHigh(n) | Indicator::PivotLow(n) => 2 * usize::from(*n) + 1,
                k => usize::from(k.window()) + 1,
            })
            .max()
            .unwrap_or(1);
        Bank {
            cells: keys.iter().map(|k| IndicatorState::new(*k)).collect(),
            values: vec![f64::NAN; keys.len()],
            keys,
            series: BarWindow::new(depth),
            sigma: Weighted::new(f64::from(SIGMA_SPAN)),
            bars_per_day,
        }
    }

    /// Forgets all bars: what comes now is another listing.
    pub fn reset(&mut self) {
        *self = Bank::new(std::mem::take(&mut self.keys), self.bars_per_day);
    }

    /// Where an indicator's value is in [`Bank::values`].
    pub fn handle(&self, what: Indicator) -> Option<usize> {
        self.keys.binary_search(&what).ok()
    }

    /// The values, in the order of the places.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Volatility per bar that sizes positions; NaN while fewer than a quarter of its span are seen.
    pub fn sigma(&self) -> f64 {
        if self.sigma.seen() < u32::from(SIGMA_SPAN) / 4 {
            return f64::NAN;
        }
        libm::sqrt(self.sigma.mean()).min(SIGMA_MAX)
    }

    /// Takes a bar in.
    pub fn push(&mut self, bar: &Bar) {
        let before = self.series.log.back().copied();
        self.series.push(bar);
        let change = before.map(|b| self.series.log.back().copied().unwrap_or(b) - b);
        if let Some(r) = change {
            self.sigma.push(r * r);
        }
        let now = Latest {
            seen: self.series.seen,
            close: bar.close,
            log: self.series.log.back().copied().unwrap_or(f64::NAN),
            high: bar.high,
            low: bar.low,
            volume: self.series.volume.back().copied().unwrap_or(0.0),
            change,
            sigma: self.sigma(),
            bars_per_day: self.bars_per_day,
        };
        for ((key, cell), value) in self.keys.iter().zip(&mut self.cells).zip(&mut self.values) {
            *value = step(*key, cell, &self.series, &now);
        }
    }
}

impl Bank {
    /// Whether it computes anything that depends on the market of all instruments.
    pub fn looks_at_the_market(&self) -> bool {
        self.cells.iter().any(|c| matches!(c, IndicatorState::Beyond(_)))
    }

    /// All instruments have closed: the mean of their log returns over the bar that was taken in last.
    pub fn hear_the_market(&mut self, market: f64) {
        let newest = back(&self.series.log, 0).zip(back(&self.series.log, 1));
        let Some((now, before)) = newest else { return };
        for ((key, cell), value) in self.keys.iter().zip(&mut self.cells).zip(&mut self.values) {
            if let IndicatorState::Beyond(beyond) = cell {
                *value = beyond.push(now - before, market, usize::from(key.window()));
            }
        }
    }
}

/// The bar that was taken in last, as all indicators see it.
struct Latest {
    /// Bars seen since the listing, this one included.
    seen: u64,
    close: f64,
    log: f64,
    high: f64,
    low: f64,
    volume: f64,
    /// Log return of it; none of the first.
    change: Option<f64>,
    sigma: f64,
    bars_per_day: f64,
}

impl Latest {
    /// A value once so many bars were seen.
    #[inline]
    fn warm(&self, x: f64, needs: usize) -> f64 {
        if self.seen as usize >= needs { x } else { f64::NAN }
    }
}

/// An indicator's value with a bar more. What it remembers says nearly all of what it is.
#[inline]
fn step(key: Indicator, cell: &mut IndicatorState, s: &BarWindow, now: &Latest) -> f64 {
    let n = usize::from(key.window());
    let close = now.close;
    match cell {
        IndicatorState::Plain => match key {
            Indicator::Return(_) => back(&s.log, n).map_or(f64::NAN, |then| now.log - then),
            Indicator::Score(_) => {
                let r = back(&s.log, n).map_or(f64::NAN, |then| now.log - then);
                r / (now.sigma * libm::sqrt(n as f64))
            }
            _ => f64::NAN,
        },
        IndicatorState::Average(value) => {
            *value = if value.is_nan() { close } else { *value + 2.0 / (n as f64 + 1.0) * (close - *value) };
            now.warm(*value, n)
        }
        IndicatorState::Weighted(w) if matches!(key, Indicator::Activity(_)) => {
            let usual = w.mean();
            w.push(now.volume);
            now.warm(if usual > 0.0 { now.volume / usual } else { 1.0 }, n / 2 + 8)
        }
        IndicatorState::Weighted(w) => {
            if let Some(r) = now.change {
                w.push(r * r);
            }
            now.warm(libm::sqrt(w.mean()), n / 2 + 8)
        }
        IndicatorState::Sums(path, _) if matches!(key, Indicator::Efficiency(_)) => {
            efficiency(n, path, s, close)
        }
        IndicatorState::Sums(sum, squares) => {
            let (mean, deviation) = moments(n, (sum, squares), s, close);
            if matches!(key, Indicator::Mean(_)) {
                return now.warm(mean, n);
            }
            // A flat line has no edges.
            now.warm(if deviation > 1e-9 * mean { (close - mean) / deviation } else { 0.0 }, n)
        }
        IndicatorState::Extreme(sign, e) => {
            let value = *sign * e.front().1;
            e.push(now.seen, *sign * close, n as u64);
            now.warm(value, n + 1)
        }
        IndicatorState::Pivot(sign, e, level) => {
            let x = if *sign > 0.0 { now.high } else { now.low };
            e.push(now.seen, *sign * x, 2 * n as u64 + 1);
            let (at, extreme) = e.front();
            if now.seen > 2 * n as u64 && at + n as u64 == now.seen {
                *level = *sign * extreme;
            }
            *level
        }
        IndicatorState::Profile(buckets, total) => profile(n, buckets, total, s, now),
        // Known once all have closed.
        IndicatorState::Beyond(_) => f64::NAN,
    }
}

/// Mean and standard deviation of the last n closes, from sums that are kept.
fn moments(n: usize, (sum, squares): (&mut f64, &mut f64), s: &BarWindow, close: f64) -> (f64, f64) {
    // Sums that are only ever added to and taken from drift; they are made anew once in n bars. Relative to the newest
    // close of the last renewal would do as well; the closes themselves keep six digits of a deviation of 0.1 %.
    if s.seen.is_multiple_of(n as u64) {
        (*sum, *squares) = last_of(&s.close, n).fold((0.0, 0.0), |(a, b), x| (a + x, b + x * x));
    } else {
        let gone = back(&s.close, n).unwrap_or(0.0);
        *sum += close - gone;
        *squares += close * close - gone * gone;
    }
    let mean = *sum / n as f64;
    (mean, libm::sqrt((*squares / n as f64 - mean * mean).max(0.0)))
}

/// Kaufman's efficiency ratio of the last n bars: how far the close went, over the way it took; 0 … 1.
fn efficiency(n: usize, path: &mut f64, s: &BarWindow, close: f64) -> f64 {
    let move_at =
        |lag: usize| back(&s.close, lag).zip(back(&s.close, lag + 1)).map_or(0.0, |(a, b)| libm::fabs(a - b));
    if s.seen.is_multiple_of(n as u64) {
        *path = (0..n).rev().map(move_at).sum();
    } else {
        *path += move_at(0) - move_at(n);
    }
    let net = back(&s.close, n).map_or(f64::NAN, |then| libm::fabs(close - then));
    if net.is_nan() {
        return f64::NAN;
    }
    if *path > 1e-9 * close { (net / *path).min(1.0) } else { 0.0 }
}

/// Share of the volume of the last n bars within half a daily σ of the close.
fn profile(n: usize, buckets: &mut [f64], total: &mut f64, s: &BarWindow, now: &Latest) -> f64 {
    let wrapped = |bucket: i64| bucket as usize % BUCKETS;
    let bucket = |log: f64| wrapped(libm::floor(log / BUCKET) as i64);
    let &Latest { log, volume, sigma, bars_per_day, .. } = now;
    if s.seen.is_multiple_of(n as u64) {
        buckets.fill(0.0);
        *total = 0.0;
        for (l, v) in last_of(&s.log, n).zip(last_of(&s.volume, n)) {
            buckets[bucket(l)] += v;
            *total += v;
        }
    } else {
        buckets[bucket(log)] += volume;
        *total += volume;
        if let (Some(l), Some(v)) = (back(&s.log, n), back(&s.volume, n)) {
            buckets[bucket(l)] -= v;
            *total -= v;
        }
    }
    if (s.seen as usize) < n || sigma.is_nan() {
        return f64::NAN;
    }
    let half = libm::rint(0.5 * sigma * libm::sqrt(bars_per_day) / BUCKET).clamp(1.0, 50.0) as i64;
    let here = bucket(log) as i64;
    let near: f64 = (-half..=half).map(|d| buckets[wrapped(here + d)]).sum();
    if *total > 0.0 { (near / *total).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    fn bar(close: f64, volume: f64) -> Bar {
        Bar { open: close, high: close * 1.001, low: close * 0.999, close, volume }
    }

    fn walk(n: u64) -> Vec<Bar> {
        let mut price = 100.0;
        (0..n)
            .map(|i| {
                price *= libm::exp(0.01 * random::normal(random::key(5, &[i])));
                bar(price, 1.0 + random::uniform(random::key(6, &[i])))
            })
            .collect()
    }

    fn value_of(what: Indicator, bars: &[Bar]) -> f64 {
        let mut bank = Bank::new(vec![what], 6.0);
        bars.iter().for_each(|b| bank.push(b));
        bank.values()[bank.handle(what).unwrap()]
    }

    #[test]
    fn what_is_beyond_the_market_is_the_return_less_the_slope_known_before_it() {
        const N: usize = 20;
        let draw =
            |i: usize, key| crate::domain::random::normal(crate::domain::random::key(key, &[i as u64]));
        let bars = 260;
        let market: Vec<f64> = (0..bars).map(|i| 0.01 * draw(i, 1)).collect();
        let own: Vec<f64> = (0..bars).map(|i| 1.4 * market[i] + 0.003 * draw(i, 2)).collect();
        let mut bank = Bank::new(vec![Indicator::Residual(N as u16)], 6.0);
        assert!(
            bank.looks_at_the_market() && !Bank::new(vec![Indicator::Return(3)], 6.0).looks_at_the_market()
        );
        let mut close = 100.0;
        for i in 0..bars {
            close *= libm::exp(own[i]);
            bank.push(&Bar { open: close, high: close, low: close, close, volume: 1.0 });
            assert!(bank.values()[0].is_nan(), "before all have closed nothing is known");
            // The first bar has no return, and the market's was never told for it.
            bank.hear_the_market(market[i]);
            assert_eq!(bank.values()[0].is_finite(), i >= 60 + N, "bar {i}");
        }
        // In the plainest way: weights of span 120 over the returns before each bar.
        let weight = |age: usize| libm::pow(1.0 - 2.0 / 121.0, age as f64);
        let slope = |t: usize| {
            let sum = |f: &dyn Fn(usize) -> f64| (1..t).map(|s| weight(t - 1 - s) * f(s)).sum::<f64>();
            sum(&|s| own[s] * market[s]) / sum(&|s| market[s] * market[s])
        };
        let beyond: Vec<f64> = (61..bars).map(|t| own[t] - slope(t) * market[t]).collect();
        let last = beyond.len() - 1;
        let squares: f64 = beyond.iter().enumerate().map(|(i, e)| weight(last - i) * e * e).sum();
        let mean = squares / (0..=last).map(|i| weight(last - i)).sum::<f64>();
        let by_hand = beyond[beyond.len() - N..].iter().sum::<f64>() / libm::sqrt(mean * N as f64);
        assert!((bank.values()[0] - by_hand).abs() < 1e-9, "{} {by_hand}", bank.values()[0]);
    }

    #[test]
    fn rolling_values_equal_those_computed_from_scratch() {
        let bars = walk(500);
        for end in [60, 61, 99, 137, 500] {
            let seen = &bars[..end];
            let closes: Vec<f64> = seen.iter().map(|b| b.close).collect();
            let tail = &closes[end - 30..];
            let mean = tail.iter().sum::<f64>() / 30.0;
            let sd = (tail.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 30.0).sqrt();
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b} at {end}");
            near(value_of(Indicator::Mean(30), seen), mean);
            near(value_of(Indicator::ZScore(30), seen), (closes[end - 1] - mean) / sd);
            near(value_of(Indicator::Return(30), seen), (closes[end - 1] / closes[end - 31]).ln());
            near(
                value_of(Indicator::Highest(30), seen),
                closes[end - 31..end - 1].iter().copied().fold(0.0, f64::max),
            );
            near(
                value_of(Indicator::Lowest(30), seen),
                closes[end - 31..end - 1].iter().copied().fold(1e9, f64::min),
            );
            let path: f64 = closes[end - 31..].windows(2).map(|w| (w[1] - w[0]).abs()).sum();
            near(
                value_of(Indicator::Efficiency(30), seen),
                (closes[end - 1] - closes[end - 31]).abs() / path,
            );
        }
    }

    #[test]
    fn a_pivot_is_a_high_above_its_neighbours_and_known_only_after_them() {
        let closes = [1.0, 2.0, 3.0, 5.0, 3.0, 2.0, 2.5];
        let bars: Vec<Bar> = closes.iter().map(|c| bar(*c, 1.0)).collect();
        assert!(value_of(Indicator::PivotHigh(2), &bars[..5]).is_nan());
        assert!((value_of(Indicator::PivotHigh(2), &bars[..6]) - 5.005).abs() < 1e-12);
        assert!((value_of(Indicator::PivotHigh(2), &bars) - 5.005).abs() < 1e-12);
    }

    #[test]
    fn everything_is_silent_until_warm_and_finite_after() {
        use Indicator::*;
        let all = vec![
            Ema(20),
            Mean(20),
            ZScore(20),
            Return(20),
            Score(20),
            Highest(20),
            Lowest(20),
            Sigma(20),
            Efficiency(20),
            PivotHigh(5),
            PivotLow(5),
            Activity(20),
            Node(40),
        ];
        let mut bank = Bank::new(all.clone(), 6.0);
        let bars = walk(400);
        bank.push(&bars[0]);
        assert!(bank.values().iter().all(|v| v.is_nan()));
        bars[1..].iter().for_each(|b| bank.push(b));
        assert!(bank.values().iter().all(|v| v.is_finite()), "{:?}", bank.values());
        let node = bank.values()[bank.handle(Node(40)).unwrap()];
        assert!((0.0..=1.0).contains(&node));
        bank.reset();
        bank.push(&bars[0]);
        assert!(bank.values().iter().all(|v| v.is_nan()));
        assert!(bank.sigma().is_nan());
    }

    #[test]
    fn sigma_is_that_of_the_walk() {
        let mut bank = Bank::new(vec![], 6.0);
        walk(3_000).iter().for_each(|b| bank.push(b));
        assert!((bank.sigma() - 0.01).abs() < 0.002, "{}", bank.sigma());
    }
}
