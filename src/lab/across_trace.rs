//! Where the Sharpe ratio of an account that hears across assets comes from, part by part.

use super::across_arm::LATE_DAYS;
use super::across_days::AcrossDay;
use super::stats::DAYS_A_YEAR;
use super::stream::ArmTrack;
use super::{metrics, stats};
use serde::{Deserialize, Serialize};

/// Where the Sharpe ratio of an account that hears across assets comes from, means over seeds: each day's return is divided by
/// the volatility of the whole run, so the parts of all days add up to the ratio.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcrossTrace {
    /// Name of the arm.
    pub name: String,
    /// Its Sharpe ratio, the sum of the parts.
    pub sharpe: f64,
    /// Of the days before the late control hears anything.
    pub first: SharpeParts,
    /// Of the days after.
    pub after: SharpeParts,
    /// 1 − θ in those days: how much of what is heard as common is taken off; less than zero where it is added to.
    pub share: f64,
    /// Volatility per year of what was taken off, in those days.
    pub taken_risk: f64,
    /// Volatility per year of what the voices say, in those days.
    pub said_risk: f64,
    /// Correlation of both as they are held, in those days: 1 where what is taken off is a part of what is said.
    pub likeness: f64,
}

/// Parts of a Sharpe ratio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SharpeParts {
    /// Of what the voices say.
    pub said: f64,
    /// Of what was taken off.
    pub taken: f64,
    /// Of fees, spread and impact.
    pub costs: f64,
    /// Of what was held beside the aim.
    pub beside: f64,
}

impl SharpeParts {
    /// What they add up to.
    pub fn sum(&self) -> f64 {
        self.said + self.taken + self.costs + self.beside
    }

    /// Less those of another.
    #[must_use]
    pub fn less(&self, other: &SharpeParts) -> SharpeParts {
        SharpeParts {
            said: self.said - other.said,
            taken: self.taken - other.taken,
            costs: self.costs - other.costs,
            beside: self.beside - other.beside,
        }
    }

    fn add(&mut self, day: &AcrossDay, r: f64, by: f64) {
        self.said += by * day.said;
        self.taken += by * day.taken;
        self.costs += by * day.costs;
        self.beside += by * (r - day.said - day.taken - day.costs);
    }
}

impl AcrossTrace {
    /// Of an arm's tracks, seed by seed; none of one whose days are not told apart, or that is not told.
    pub fn of<'a>(name: &str, tracks: impl Iterator<Item = &'a ArmTrack>) -> Option<Self> {
        let tracks: Vec<&ArmTrack> = tracks.collect();
        let mut trace = AcrossTrace { name: name.to_owned(), ..AcrossTrace::default() };
        let seeds = tracks.len() as f64;
        for track in &tracks {
            trace.sharpe += metrics::sharpe(track)? / seeds;
            if track.across.len() != track.daily.len() {
                return None;
            }
            let volatility = stats::moments(&track.daily).1;
            let by = DAYS_A_YEAR / (volatility * track.daily.len() as f64 * seeds);
            for (i, (day, r)) in track.across.iter().zip(&track.daily).enumerate() {
                let part = if i < LATE_DAYS as usize { &mut trace.first } else { &mut trace.after };
                part.add(day, *r, by);
            }
            let after = &track.across[track.across.len().min(LATE_DAYS as usize)..];
            let of = |f: fn(&AcrossDay) -> f64| -> Vec<f64> { after.iter().map(f).collect() };
            let (said, taken) = (of(|d| d.said), of(|d| d.taken));
            let (sum, apart): (Vec<f64>, Vec<f64>) =
                said.iter().zip(&taken).map(|(s, t)| (s + t, s - t)).unzip();
            let [of_said, of_taken, of_sum, of_apart] =
                [&said, &taken, &sum, &apart].map(|x| stats::moments(x).1);
            trace.share += stats::mean(&of(|d| d.share)) / seeds;
            trace.taken_risk += of_taken / seeds;
            trace.said_risk += of_said / seeds;
            // Four times the covariance is the variance of the sum less that of the difference.
            let covariance = 0.25 * (of_sum * of_sum - of_apart * of_apart);
            let both = of_said * of_taken;
            trace.likeness -= if both > 0.0 { covariance / both / seeds } else { 0.0 };
        }
        (!tracks.is_empty()).then_some(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    #[test]
    fn parts_of_all_days_add_up_to_the_ratio_and_each_day_counts_where_it_belongs() {
        let noise = |key: u64, i: usize| 0.01 * random::normal(random::key(key, &[i as u64]));
        let track = |key: u64| {
            let day = |i: usize| AcrossDay {
                said: noise(key, i),
                taken: -0.5 * noise(key, i),
                costs: -0.0001,
                share: if i < 90 { 9.0 } else { 0.5 },
            };
            let across: Vec<AcrossDay> = (0..300).map(day).collect();
            let daily = across.iter().map(|d| d.said + d.taken + d.costs + 0.0003).collect();
            ArmTrack { daily, across, ..ArmTrack::default() }
        };
        let tracks = [track(1), track(2)];
        let trace = AcrossTrace::of("a", tracks.iter()).unwrap();
        let mean = |f: &dyn Fn(&ArmTrack) -> f64| 0.5 * tracks.iter().map(f).sum::<f64>();
        assert!((trace.sharpe - mean(&|t| stats::sharpe(&t.daily))).abs() < 1e-12);
        assert!((trace.first.sum() + trace.after.sum() - trace.sharpe).abs() < 1e-12);
        let said_first = mean(&|t| {
            let sum: f64 = t.across[..90].iter().map(|d| d.said).sum();
            sum / 300.0 * DAYS_A_YEAR / stats::moments(&t.daily).1
        });
        assert!((trace.first.said - said_first).abs() < 1e-12);
        // What is held beside the aim is three times the costs.
        assert!((trace.after.beside + 3.0 * trace.after.costs).abs() < 1e-9);
        assert!((trace.share - 0.5).abs() < 1e-12 && (trace.likeness - 1.0).abs() < 1e-9);
        assert!((trace.taken_risk / trace.said_risk - 0.5).abs() < 1e-9);
        assert_eq!(trace.after.less(&trace.after), SharpeParts::default());
        // A day that is not told apart leaves nothing to be told.
        let mut short = track(1);
        short.across.pop();
        assert_eq!(AcrossTrace::of("a", [short].iter()), None);
    }
}
