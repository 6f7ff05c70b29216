//! Allocators that the hive is compared with: hierarchical risk parity, shrunk mean-variance and non-negative weights. Pure,
//! from returns (series by series, of equal length) to weights that are not negative and sum to 1.

/// Share of the diagonal in the shrunk covariance, and of the grand mean in the shrunk means (half: no
/// estimate of it is better known than that with a year of days).
const SHRINK: f64 = 0.5;
/// Most rounds over all weights; a few dozen are enough of agents that are no twins.
const SWEEPS: usize = 2_000;

/// The covariance matrix of the series.
pub fn covariance(returns: &[&[f64]]) -> Vec<Vec<f64>> {
    let n = returns.first().map_or(0, |r| r.len()) as f64;
    let means: Vec<f64> = returns.iter().map(|r| r.iter().sum::<f64>() / n).collect();
    let pair = |i: usize, j: usize| {
        let products = returns[i].iter().zip(returns[j]).map(|(a, b)| (a - means[i]) * (b - means[j]));
        products.sum::<f64>() / (n - 1.0)
    };
    let row = |i: usize| (0..returns.len()).map(|j| pair(i.max(j), i.min(j))).collect();
    (0..returns.len()).map(row).collect()
}

/// Hierarchical risk parity (López de Prado 2016): single-linkage clusters by the distance √(½(1−ρ)), laid
/// out in their order, risk halved down the tree by inverse variance. `None` if a series has no variance.
pub fn hierarchical(returns: &[&[f64]]) -> Option<Vec<f64>> {
    let cov = covariance(returns);
    let n = cov.len();
    if n == 0 || (0..n).any(|i| cov[i][i] <= 0.0) {
        return None;
    }
    let distance = |i: usize, j: usize| {
        let rho = cov[i][j] / libm::sqrt(cov[i][i] * cov[j][j]);
        libm::sqrt((0.5 * (1.0 - rho)).max(0.0))
    };
    let order = linked(n, distance);
    let mut weights = vec![1.0; n];
    let mut parts = vec![&order[..]];
    while let Some(part) = parts.pop() {
        if part.len() < 2 {
            continue;
        }
        let (left, right) = part.split_at(part.len() / 2);
        let (a, b) = (cluster_variance(&cov, left), cluster_variance(&cov, right));
        let share = if a + b > 0.0 { b / (a + b) } else { 0.5 };
        left.iter().for_each(|i| weights[*i] *= share);
        right.iter().for_each(|i| weights[*i] *= 1.0 - share);
        parts.extend([left, right]);
    }
    Some(weights)
}

/// The leaves of the single-linkage tree, from left to right.
fn linked(n: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut clusters: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    while clusters.len() > 1 {
        let mut best = (f64::INFINITY, 0, 1);
        for i in 0..clusters.len() {
            for j in i + 1..clusters.len() {
                let pairs = clusters[i].iter().flat_map(|a| clusters[j].iter().map(|b| distance(*a, *b)));
                let nearest = pairs.fold(f64::INFINITY, f64::min);
                if nearest < best.0 {
                    best = (nearest, i, j);
                }
            }
        }
        let second = clusters.remove(best.2);
        clusters[best.1].extend(second);
    }
    clusters.pop().unwrap_or_default()
}

/// Variance of a cluster held at inverse variance.
fn cluster_variance(cov: &[Vec<f64>], members: &[usize]) -> f64 {
    let total: f64 = members.iter().map(|i| 1.0 / cov[*i][*i]).sum();
    let weight = |i: usize| 1.0 / cov[i][i] / total;
    members.iter().flat_map(|i| members.iter().map(move |j| weight(*i) * weight(*j) * cov[*i][*j])).sum()
}

/// Mean-variance with means and covariances shrunk by half, no shorts. `None` if nothing is worth holding.
pub fn mean_variance(returns: &[&[f64]]) -> Option<Vec<f64>> {
    let mut cov = covariance(returns);
    let n = cov.len();
    for (i, row) in cov.iter_mut().enumerate() {
        for (j, c) in row.iter_mut().enumerate() {
            *c *= if i == j { 1.0 } else { 1.0 - SHRINK };
        }
    }
    let means: Vec<f64> = returns.iter().map(|r| r.iter().sum::<f64>() / r.len() as f64).collect();
    let grand = means.iter().sum::<f64>() / n as f64;
    let shrunk = means.iter().map(|m| (1.0 - SHRINK) * m + SHRINK * grand).collect();
    let mut weights = solve(cov, shrunk)?;
    weights.iter_mut().for_each(|w| *w = w.max(0.0));
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 || !sum.is_finite() {
        return None;
    }
    weights.iter_mut().for_each(|w| *w /= sum);
    Some(weights)
}

/// The weights without shorts whose sum has the best Sharpe ratio of the past, to the precision of [`SWEEPS`]: least squares of
/// what is always one on the series, each weight at or above zero, one after the other. `None` if nothing is worth holding.
pub fn non_negative(returns: &[&[f64]]) -> Option<Vec<f64>> {
    let days = returns.first().map_or(0, |r| r.len()) as f64;
    let product =
        |i: usize, j: usize| returns[i].iter().zip(returns[j]).map(|(a, b)| a * b).sum::<f64>() / days;
    let n = returns.len();
    let gram: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| product(i.max(j), i.min(j))).collect()).collect();
    let means: Vec<f64> = returns.iter().map(|r| r.iter().sum::<f64>() / days).collect();
    let mut weights = vec![0.0; n];
    // What each series earns beyond what is explained: means − gram·weights.
    let mut left = means;
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for i in (0..n).filter(|i| gram[*i][*i] > 0.0) {
            let to = (weights[i] + left[i] / gram[i][i]).max(0.0);
            let step = to - weights[i];
            if step != 0.0 {
                weights[i] = to;
                left.iter_mut().zip(&gram[i]).for_each(|(l, g)| *l -= step * g);
                moved = moved.max(libm::fabs(step) / (1.0 + to));
            }
        }
        if moved < 1e-12 {
            break;
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 || !sum.is_finite() {
        return None;
    }
    weights.iter_mut().for_each(|w| *w /= sum);
    Some(weights)
}

/// Solves a·x = b by elimination with pivots; `None` if there is no single solution.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for c in 0..n {
        let pivot = (c..n).max_by(|i, j| libm::fabs(a[*i][c]).total_cmp(&libm::fabs(a[*j][c])))?;
        if libm::fabs(a[pivot][c]) < 1e-300 {
            return None;
        }
        a.swap(c, pivot);
        b.swap(c, pivot);
        let (upper, lower) = a.split_at_mut(c + 1);
        for (row, r) in lower.iter_mut().zip(c + 1..n) {
            let factor = row[c] / upper[c][c];
            for (x, u) in row[c..].iter_mut().zip(&upper[c][c..]) {
                *x -= factor * u;
            }
            b[r] -= factor * b[c];
        }
    }
    for r in (0..n).rev() {
        let known: f64 = (r + 1..n).map(|c| a[r][c] * b[c]).sum();
        b[r] = (b[r] - known) / a[r][r];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        libm::fabs(a - b) < 1e-9
    }

    #[test]
    fn solves_a_system_by_hand() {
        let x = solve(vec![vec![0.0, 2.0], vec![3.0, 1.0]], vec![4.0, 5.0]).unwrap();
        assert!(near(x[0], 1.0) && near(x[1], 2.0));
        assert_eq!(solve(vec![vec![1.0, 2.0], vec![2.0, 4.0]], vec![1.0, 2.0]), None);
    }

    #[test]
    fn two_uncorrelated_series_share_risk_by_inverse_variance() {
        let (a, b) = ([1.0, -1.0, 1.0, -1.0], [2.0, 2.0, -2.0, -2.0]);
        let w = hierarchical(&[&a, &b]).unwrap();
        assert!(near(w[0], 0.8) && near(w[1], 0.2));
        assert_eq!(hierarchical(&[&a, &[0.0; 4]]), None);
    }

    #[test]
    fn likes_stay_together_in_the_tree() {
        let d = |i: usize, j: usize| if i % 2 == j % 2 { 0.1 } else { 0.9 };
        let order = linked(4, d);
        assert_eq!(order.iter().map(|i| i % 2).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

    #[test]
    fn mean_variance_holds_what_earned_and_nothing_of_what_lost() {
        let (good, bad) = ([0.02, 0.0, 0.02, 0.0], [-0.03, 0.0, 0.0, -0.03]);
        let w = mean_variance(&[&good, &bad]).unwrap();
        assert!(near(w[0], 1.0) && near(w[1], 0.0));
        assert_eq!(mean_variance(&[&bad[..], &[-0.1, 0.0, -0.2, 0.0]]), None);
    }

    #[test]
    fn non_negative_weights_are_the_best_where_nobody_is_worth_a_short_and_leave_out_who_adds_nothing() {
        // Uncorrelated: weights by mean over mean square.
        let (a, b) = ([0.03, -0.01, 0.03, -0.01], [0.02, 0.02, -0.01, -0.01]);
        let w = non_negative(&[&a, &b]).unwrap();
        let sharpe = |x: f64| {
            let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| x * a + (1.0 - x) * b).collect();
            let mean = sum.iter().sum::<f64>() / 4.0;
            mean / libm::sqrt(sum.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / 4.0)
        };
        let best = (0..=1000).map(|i| f64::from(i) / 1000.0).max_by(|x, y| sharpe(*x).total_cmp(&sharpe(*y)));
        assert!((w[0] - best.unwrap()).abs() < 2e-3, "{w:?} {best:?}");
        // The same as a, but worse: nothing of it.
        let worse = a.map(|x| x - 0.005);
        assert!(non_negative(&[&a, &worse, &b]).unwrap()[1] < 1e-9);
        assert_eq!(non_negative(&[&[-0.1, 0.0, -0.2, 0.0]]), None);
    }

    proptest! {
        #[test]
        fn weights_are_a_split_of_one(n in 1_usize..12, seed in 0_u64..1000) {
            let series: Vec<Vec<f64>> = (0..n as u64)
                .map(|i| (0..60).map(|t| random::normal(random::key(seed, &[i, t])) + 0.1).collect())
                .collect();
            let returns: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
            let all = [hierarchical(&returns), mean_variance(&returns), non_negative(&returns)];
            for weights in all.into_iter().flatten() {
                prop_assert!(weights.iter().all(|w| *w >= 0.0));
                prop_assert!(near(weights.iter().sum(), 1.0));
            }
        }
    }
}
