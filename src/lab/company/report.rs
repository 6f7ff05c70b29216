//! From accounts to figures: what each net is worth over everybody alone with the same desk. This is the JSON
//! contract of `hive lab` with an axis of company.
//!
//! ```text
//! Δ of a set      mean over seeds of Sharpe(net) − Sharpe(alone, same desk, same capital)
//! Δ of sets       their mean; both are resampled on the same calendar days (the union of their days), a day
//!                 that a set lacks is left out of it
//! interval        stationary bootstrap of days, [`DRAWS`] draws, seeds fixed
//! ```

use super::layer::DeskRule;
use super::purse::{AccountOutcome, Impact};
use super::study::{MarketOnClock, Ran};
use super::{AccountKind, WARM_DAYS};
use crate::domain::Stamp;
use crate::lab::bootstrap::{DRAWS, Interval, Resampled, interval};
use crate::lab::stats::{self, mean};
use serde::{Deserialize, Serialize};

/// What is fixed before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CompanyFacts {
    /// The sets of data.
    pub sets: Vec<Set>,
    /// Of everything in the configuration that decides.
    pub roster_hash: String,
    /// The seeds that were run.
    pub seeds: Vec<u64>,
    /// What trading costs, in words.
    pub costs: String,
    /// The volatility per year that everything is scaled to.
    pub target_vol: f64,
    /// Days of each set that figures leave out.
    pub warm_days: i64,
    /// Variants that were looked at before, and the accounts of this run.
    pub variants_tried: usize,
    /// Looks at held-out data so far.
    pub looks: usize,
}

/// A set of data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// `SYNTH` or `HISTORY`, and the name.
    pub feed: String,
    /// Hash of the market's bytes.
    pub data_hash: String,
    /// First day of the market, as a date.
    pub from: String,
    /// Last day of the market, as a date.
    pub to: String,
    /// Names of the assets in the market.
    pub assets: Vec<String>,
    /// Whether this is data that the mechanism was designed on: then it is a reproduction, no evidence.
    pub reproduction: bool,
}

/// An account beside everybody alone with the same desk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountLine {
    /// Of which set, by number; none: of all sets together.
    pub set: Option<usize>,
    /// The decision clock.
    pub clock: String,
    /// Number of agents with funds.
    pub agents: usize,
    /// Groups in which they net; as many as agents is the reference itself.
    pub groups: usize,
    /// Capital that moves prices; 0: no impact.
    pub capital: f64,
    /// Which orders of a bar move a price together.
    pub impact: Impact,
    /// The desk, in a word.
    pub desk: String,
    /// Sharpe ratio, mean over seeds.
    pub sharpe: f64,
    /// Of everybody alone with the same desk.
    pub sharpe_alone: f64,
    /// Sharpe ratio together less the one alone, per year.
    pub delta: Interval,
    /// The same, seed by seed.
    pub by_seed: Vec<f64>,
    /// Orders per year that agents gave, each for itself.
    pub wanted: f64,
    /// Orders per year that went out.
    pub sent: f64,
    /// Those of everybody alone with the same desk.
    pub sent_alone: f64,
    /// Notional per year, in multiples of equity.
    pub turnover: f64,
    /// Notional traded per year by everybody alone, in multiples of equity.
    pub turnover_alone: f64,
    /// Paid per year, as a fraction of equity.
    pub cost: f64,
    /// Costs paid per year by everybody alone, as a fraction of equity.
    pub cost_alone: f64,
    /// Orders of all seeds that had no impact for want of a volume.
    pub without_volume: u64,
}

/// A whole report of the experiment, as it is kept and written as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CompanyReport {
    /// What was fixed first.
    #[serde(flatten)]
    pub facts: CompanyFacts,
    /// In the order in which they were run: sets, clocks, agents, desks, capitals, groups; then all sets
    /// together, where there are more than one.
    pub lines: Vec<AccountLine>,
    /// How intervals were made, in words.
    pub bootstrap: String,
    /// A line for each thing that must be known to read this.
    pub notes: Vec<String>,
    /// What it comes to, a line a set and desk.
    pub sentences: Vec<String>,
}

/// An account with its draws, means over seeds.
struct AccountDraws {
    cell: AccountKind,
    by_seed: Vec<f64>,
    draws: Vec<f64>,
}

/// The report, with draws on `threads` threads.
pub fn report(facts: CompanyFacts, markets: &[MarketOnClock], ran: &[Ran], threads: usize) -> CompanyReport {
    let mut lines = Vec::new();
    for r in ran {
        let own = own_days(r);
        let drawn = draw(r, &own, threads);
        lines.extend(lines_of(markets, r, &drawn, own.len()));
    }
    if facts.sets.len() > 1 {
        lines.extend(joint(markets, ran, facts.sets.len(), threads));
    }
    let mut report = CompanyReport {
        bootstrap: format!(
            "stationary, {DRAWS} draws of days, mean block {} days, the same days for all accounts",
            crate::lab::bootstrap::BLOCK_DAYS
        ),
        facts,
        lines,
        ..CompanyReport::default()
    };
    report.notes = super::text::notes(&report);
    report.sentences = super::text::sentences(&report);
    report
}

/// The days that count, of the tracks of a run.
fn own_days(r: &Ran) -> Vec<i64> {
    let days = r.seeds.first().map_or(&[][..], |s| &s.days);
    days.iter().copied().filter(|d| days.first().is_some_and(|f| d - f >= WARM_DAYS)).collect()
}

/// The daily results of an account on these days; NaN where it has none, or is still warming up.
fn aligned(days: &[i64], own: &[i64], outcome: &AccountOutcome) -> Vec<f64> {
    let start = own.first().copied().unwrap_or_default();
    let on = |d: &i64| own.binary_search(d).ok().filter(|_| d - start >= WARM_DAYS);
    days.iter().map(|d| on(d).and_then(|i| outcome.track.daily.get(i)).copied().unwrap_or(f64::NAN)).collect()
}

/// All accounts of a run, drawn on these days.
fn draw(r: &Ran, days: &[i64], threads: usize) -> Vec<AccountDraws> {
    let resampled = Resampled::new(days.len(), DRAWS);
    let one = |cell: usize| {
        let (mut by_seed, mut draws) = (Vec::new(), vec![0.0; DRAWS]);
        for seed in &r.seeds {
            let daily = aligned(days, &seed.days, &seed.outcomes[cell]);
            let known: Vec<f64> = daily.iter().copied().filter(|r| r.is_finite()).collect();
            by_seed.push(stats::sharpe(&known));
            let each = resampled.sharpes(&daily);
            draws.iter_mut().zip(each).for_each(|(d, s)| *d += s / r.seeds.len() as f64);
        }
        AccountDraws { cell: r.cells[cell], by_seed, draws }
    };
    let share = r.cells.len().div_ceil(threads.max(1)).max(1);
    let cells: Vec<usize> = (0..r.cells.len()).collect();
    std::thread::scope(|scope| {
        let one = &one;
        let handles: Vec<_> = cells
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(|c| one(*c)).collect::<Vec<_>>()))
            .collect();
        // A thread that died has said why; its lines are missing.
        handles.into_iter().flat_map(|h| h.join().unwrap_or_default()).collect()
    })
}

/// The account of everybody alone beside a cell.
fn alone(agents: usize, cell: &AccountKind, all: &[AccountKind]) -> Option<usize> {
    all.iter().position(|c| *c == AccountKind { groups: agents, ..*cell })
}

fn lines_of(markets: &[MarketOnClock], r: &Ran, drawn: &[AccountDraws], days: usize) -> Vec<AccountLine> {
    let of = |f: fn(&AccountOutcome) -> f64, cell: usize| {
        mean(&r.seeds.iter().map(|s| f(&s.outcomes[cell])).collect::<Vec<_>>())
    };
    let line = |(i, d): (usize, &AccountDraws)| {
        let reference = alone(r.agents, &d.cell, &r.cells)?;
        let theirs = drawn.get(reference)?;
        let by_seed: Vec<f64> = d.by_seed.iter().zip(&theirs.by_seed).map(|(a, b)| a - b).collect();
        let draws = d.draws.iter().zip(&theirs.draws).map(|(a, b)| a - b).collect();
        Some(AccountLine {
            set: Some(markets[r.market].set),
            clock: markets[r.market].clock().to_string(),
            agents: r.agents,
            groups: d.cell.groups,
            capital: d.cell.capital,
            impact: d.cell.impact,
            desk: d.cell.desk.word().to_owned(),
            sharpe: mean(&d.by_seed),
            sharpe_alone: mean(&theirs.by_seed),
            delta: interval(mean(&by_seed), draws, days),
            by_seed,
            wanted: mean(&r.seeds.iter().map(|s| s.wanted).collect::<Vec<_>>()),
            sent: of(|o| o.sent, i),
            sent_alone: of(|o| o.sent, reference),
            turnover: of(|o| o.turnover, i),
            turnover_alone: of(|o| o.turnover, reference),
            cost: of(|o| o.cost, i),
            cost_alone: of(|o| o.cost, reference),
            without_volume: r.seeds.iter().map(|s| s.outcomes[i].without_volume).sum(),
        })
    };
    drawn.iter().enumerate().filter_map(line).collect()
}

/// All sets together: means of what each set has, on the same resampled calendar days.
fn joint(markets: &[MarketOnClock], ran: &[Ran], sets: usize, threads: usize) -> Vec<AccountLine> {
    let mut lines = Vec::new();
    for r in ran.iter().filter(|r| markets[r.market].set == 0) {
        let clock = markets[r.market].clock();
        let same: Vec<&Ran> = ran
            .iter()
            .filter(|o| o.agents == r.agents && markets[o.market].clock() == clock && o.cells == r.cells)
            .collect();
        if same.len() != sets {
            continue;
        }
        let mut days: Vec<i64> = same.iter().flat_map(|o| own_days(o)).collect();
        days.sort_unstable();
        days.dedup();
        let drawn: Vec<Vec<AccountDraws>> = same.iter().map(|o| draw(o, &days, threads)).collect();
        let each: Vec<Vec<AccountLine>> =
            same.iter().zip(&drawn).map(|(o, d)| lines_of(markets, o, d, days.len())).collect();
        for (i, first) in each[0].iter().enumerate() {
            let Some(reference) = alone(r.agents, &r.cells[i], &r.cells) else { continue };
            let draws = (0..DRAWS)
                .map(|b| {
                    mean(&drawn.iter().map(|d| d[i].draws[b] - d[reference].draws[b]).collect::<Vec<_>>())
                })
                .collect();
            let all: Vec<&AccountLine> = each.iter().map(|e| &e[i]).collect();
            lines.push(joined(&all, first, draws, days.len()));
        }
    }
    lines
}

fn joined(all: &[&AccountLine], first: &AccountLine, draws: Vec<f64>, days: usize) -> AccountLine {
    let of = |f: fn(&AccountLine) -> f64| mean(&all.iter().map(|l| f(l)).collect::<Vec<_>>());
    let seeds = all.iter().map(|l| l.by_seed.len()).min().unwrap_or(0);
    AccountLine {
        set: None,
        sharpe: of(|l| l.sharpe),
        sharpe_alone: of(|l| l.sharpe_alone),
        delta: interval(of(|l| l.delta.mean), draws, days),
        by_seed: (0..seeds).map(|s| mean(&all.iter().map(|l| l.by_seed[s]).collect::<Vec<_>>())).collect(),
        wanted: of(|l| l.wanted),
        sent: of(|l| l.sent),
        sent_alone: of(|l| l.sent_alone),
        turnover: of(|l| l.turnover),
        turnover_alone: of(|l| l.turnover_alone),
        cost: of(|l| l.cost),
        cost_alone: of(|l| l.cost_alone),
        without_volume: all.iter().map(|l| l.without_volume).sum(),
        ..first.clone()
    }
}

impl AccountLine {
    /// Whether everything is traded at once, for reference.
    pub fn is_reference(&self) -> bool {
        self.desk == DeskRule::AtOnce.word()
    }

    /// Whether this is everybody alone.
    pub fn is_alone(&self) -> bool {
        self.groups == self.agents
    }
}

/// A day in words.
pub fn day(at: Stamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::stream::ArmTrack;

    fn outcome(daily: Vec<f64>) -> AccountOutcome {
        let track = ArmTrack { daily, ..ArmTrack::default() };
        AccountOutcome { track, sent: 0.0, turnover: 0.0, cost: 0.0, without_volume: 0 }
    }

    #[test]
    fn days_are_laid_beside_each_other_and_the_warm_up_is_left_out() {
        let own: Vec<i64> = (100..200).collect();
        let all: Vec<i64> = (90..250).collect();
        let o = outcome(own.iter().map(|d| *d as f64).collect());
        let found = aligned(&all, &own, &o);
        let known: Vec<f64> = found.iter().copied().filter(|r| r.is_finite()).collect();
        assert_eq!(known, (145..200).map(f64::from).collect::<Vec<_>>());
        assert_eq!((found[55], found[54].is_nan()), (145.0, true));
    }

    #[test]
    fn an_account_is_compared_with_everybody_alone_at_its_own_desk_and_capital() {
        let cell = |groups, capital, desk| AccountKind { groups, capital, desk, impact: Impact::Own };
        let all = [cell(3, 0.0, DeskRule::Band), cell(3, 1e6, DeskRule::Band), cell(3, 1e6, DeskRule::Zone)];
        assert_eq!(alone(3, &cell(1, 1e6, DeskRule::Zone), &all), Some(2));
        assert_eq!(alone(3, &cell(1, 1e7, DeskRule::Zone), &all), None);
    }
}
