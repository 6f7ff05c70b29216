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
