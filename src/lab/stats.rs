//! Means, deviations and the Sharpe ratio, which everything else here is told in.

/// Days of a year, leap years among them.
pub const DAYS_A_YEAR: f64 = 365.25;

/// Mean; 0 of none.
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() { 0.0 } else { x.iter().sum::<f64>() / x.len() as f64 }
}

/// Standard deviation; 0 of fewer than two.
pub fn deviation(x: &[f64]) -> f64 {
    if x.len() < 2 {
        return 0.0;
    }
    let m = mean(x);
    libm::sqrt(x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (x.len() - 1) as f64)
}

/// How often draws of a difference lie on the side of zero on which fewer of them do, both sides counted; 1 of none.
pub fn two_sided(draws: &[f64]) -> f64 {
    let share = |on: &dyn Fn(f64) -> bool| {
        (1 + draws.iter().filter(|d| on(**d)).count()) as f64 / (draws.len() + 1) as f64
    };
    (2.0 * share(&|d| d <= 0.0).min(share(&|d| d >= 0.0))).min(1.0)
}

/// Probabilities corrected for how many were looked at (Holm 1979): the smallest times their number, the next times one fewer,
/// none smaller than one before it.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut out, mut least) = (vec![0.0; p.len()], 0.0_f64);
    for (rank, i) in order.into_iter().enumerate() {
        least = least.max((p[i] * (p.len() - rank) as f64).min(1.0));
        out[i] = least;
    }
    out
}

/// Mean and volatility per year of daily returns.
pub fn moments(daily: &[f64]) -> (f64, f64) {
    let n = daily.len() as f64;
    if n < 2.0 {
        return (0.0, 0.0);
    }
    let mean = daily.iter().sum::<f64>() / n;
    let squares: f64 = daily.iter().map(|r| (r - mean) * (r - mean)).sum();
    (mean * DAYS_A_YEAR, libm::sqrt(squares / (n - 1.0) * DAYS_A_YEAR))
}

/// The Sharpe ratio per year; 0 without spread.
pub fn sharpe(daily: &[f64]) -> f64 {
    let (mean, volatility) = moments(daily);
    if volatility > 0.0 { mean / volatility } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_as_often_as_there_are_and_none_overtakes() {
        let p = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (x, y) in p.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((x - y).abs() < 1e-12, "{p:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn draws_on_one_side_are_told_apart_and_draws_around_zero_are_not() {
        let one_sided: Vec<f64> = (1..=999).map(f64::from).collect();
        assert!((two_sided(&one_sided) - 0.002).abs() < 1e-12);
        let around: Vec<f64> = (-500..=500).map(f64::from).collect();
        assert_eq!(two_sided(&around), 1.0);
        assert_eq!((two_sided(&[]), two_sided(&[0.0; 9])), (1.0, 1.0));
    }
}
