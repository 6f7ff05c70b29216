//! What a report says, part by part, the whole of it last: the layout of `hive lab --json`.

use crate::lab::across_trace::AcrossTrace;
use crate::lab::bootstrap::Interval;
use crate::lab::designed::DataOverlap;
use crate::lab::goals::Compared;
use crate::lab::metrics::Metrics;
use crate::lab::stream::Likeness;
use crate::lab::working::WorkingCost;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The control in a world of its own.
pub const WALK: &str = "random-walk";

/// What is known of the other hive before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// File of the other hive, as it was named.
    pub file: String,
    /// Hash of everything in it that decides.
    pub roster_hash: String,
    /// Agents with funds, and all voices.
    pub agent_count: usize,
    /// Voices of the other hive, those without funds among them.
    pub voice_count: usize,
}

/// What is fixed before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyFacts {
    /// Hash of the market's bytes.
    pub data_hash: String,
    /// Hash of everything in the configuration that decides.
    pub roster_hash: String,
    /// Rows of the list of tries and arms of this run.
    pub variants_tried: usize,
    /// Looks at held-out data so far, this one among them.
    pub looks: usize,
    /// Whether this is data that the mechanism was designed on: then it is no evidence, only a reproduction.
    pub reproduction: bool,
    /// What days and data are to the mechanism: `embedded`, `designed-on`, `same-days` or `new-days`.
    #[serde(default)]
    pub known: DataOverlap,
    /// Agents that stand by on this market, and names that it lacks: a sentence each.
    #[serde(default)]
    pub standing_by: Vec<String>,
    /// `SYNTH` or `HISTORY`, and the name.
    pub feed: String,
    /// The decision clock.
    pub bar: String,
    /// First day of the study, as a date.
    pub from: String,
    /// Last day of the study, as a date.
    pub to: String,
    /// Names of the assets in the market.
    pub assets: Vec<String>,
    /// Number of seeds that were run.
    pub seeds: usize,
    /// The seeds that were run.
    pub seed_list: Vec<u64>,
    /// A flat charge a side; none for fill level B.
    pub costs_bp: Option<f64>,
    /// What trading costs, in words.
    pub costs: String,
    /// Agents that speak, with funds or without.
    pub voice_count: usize,
    /// Agents that have funds.
    pub agent_count: usize,
    /// The volatility per year that everything is scaled to.
    pub target_vol: f64,
    /// The day that divides the run, if one was asked for.
    pub split: Option<String>,
    /// Another hive that this one is compared with.
    #[serde(rename = "other")]
    pub against: Option<Other>,
}

/// An arm's line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmReport {
    /// What the arm is, in a line.
    pub what: String,
    /// Means over seeds.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Sharpe ratio of each seed.
    pub by_seed: Vec<Option<f64>>,
    /// Standard deviation of the Sharpe ratio over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// Hash of the decisions with the first seed: equal to a headless run's with that seed.
    pub decision_hash: String,
    /// Hashes of the decisions, seed by seed.
    pub decision_hashes: Vec<String>,
}

/// What the hive is worth over a system; empty where a seed of either is not told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uplift {
    /// Δ Sharpe, over days.
    pub sharpe: Option<Interval>,
    /// Δ Sharpe with seeds drawn anew as well as days.
    pub sharpe_over_seeds: Option<Interval>,
    /// Change of the mean deepest drawdown, as a fraction of the other's: negative is better.
    pub max_drawdown_change: Option<f64>,
    /// Turnover over the other's; empty if the other trades nothing.
    pub turnover_ratio: Option<f64>,
    /// Share of seeds with the better Sharpe ratio.
    pub seeds_won: Option<f64>,
    /// Δ of the worst seed.
    pub worst_seed: Option<f64>,
    /// Standard deviation of Δ over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// What the best of as many worthless variants would show by luck; subtract it before believing.
    pub luck: Option<f64>,
    /// By goal, of means over seeds: changes as fractions of the other's, else differences. Intervals of the
    /// goals are in `compared`.
    pub goals: BTreeMap<String, BTreeMap<String, Option<f64>>>,
}

/// A control's line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlReport {
    /// What is wrong with its messages, in a line.
    pub what: String,
    /// Its own uplift over the strong baseline.
    pub vs_strong: VsStrong,
    /// What the hive has over it.
    pub hive_minus_control: Option<Interval>,
    /// Share of the hive's uplift that is left with wrong messages; meaningless without an uplift.
    pub keeps: Option<f64>,
    /// Whether it does as a control should: it is worse than the hive, and keeps at most half of what the
    /// hive has over the strong baseline.
    pub pass: bool,
}

/// The uplift over the strong baseline, nested as the JSON contract has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VsStrong {
    /// Δ Sharpe per year; none where it cannot be told.
    pub sharpe: Option<Interval>,
}

/// A step of the voices curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Voices {
    pub m: usize,
    pub sharpe: Option<f64>,
    pub seed_sd: Option<f64>,
    pub turnover: Option<f64>,
}

/// A step of the dose–response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Dose {
    pub lambda: f64,
    pub sharpe: Option<f64>,
    pub vs_strong: Option<Interval>,
    pub max_drawdown_change: Option<f64>,
    /// Without rails, and nobody is stopped out.
    pub sharpe_bare: Option<f64>,
}

/// A part of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RunPart {
    pub part: String,
    pub days: usize,
    pub hive: Option<f64>,
    pub strong: Option<f64>,
    pub all: Option<f64>,
    pub vs_strong: Option<Interval>,
}

/// A part of a run in which some accounts hire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HiringPart {
    /// Which days, counted from the first.
    pub part: String,
    /// How many days it has.
    pub days: usize,
    /// Who takes part at its end in the account that hires by what a scout adds, mean over seeds.
    pub voices: f64,
    /// Intents that those have closed by the last hiring of the part, mean over seeds.
    pub closed: f64,
    /// What is told of it: whose Sharpe ratio less whose, with an interval of its own draws.
    pub over: Vec<PartDifference>,
}

/// One arm's Sharpe ratio less another's, in a part of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartDifference {
    /// Who is ahead if it is positive.
    pub ours: String,
    /// Who is behind then.
    pub theirs: String,
    /// The difference; none where it cannot be told.
    pub sharpe: Option<Interval>,
}

/// Whether the engine with λ = 1 and nothing else is the account that holds all voices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaOneCheck {
    /// Largest difference of a daily return, over all seeds.
    pub largest_difference: f64,
    /// Whether it is below 1e-9.
    pub holds: bool,
}

/// How the two compare; what the one is worth over the other is `vs_other` among the uplifts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Sharpe ratio of the other hive, mean over seeds; empty where one is not told.
    pub sharpe: Option<f64>,
    /// The other hive over its own strong baseline.
    pub vs_strong: Option<Interval>,
    /// This strong baseline over the other's.
    pub strong_vs_strong: Option<Interval>,
    /// Whether the baselines are the same to the last bit: then the agents with funds are the same.
    pub same_strong: bool,
}

/// A service of the hive that has them all, mean over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Name of the service, as reports call it.
    pub name: String,
    /// What it gave per year, each bar's as a fraction of the equity then.
    pub saved: f64,
    /// The family that gets the credit.
    pub to: String,
    /// Cost of worked orders against the arrival price, in basis points; of the liquidity alone.
    pub effective_bp: Option<f64>,
    /// What taking them at once would have cost, in basis points; of the liquidity alone.
    pub taking_bp: Option<f64>,
    /// Interval of the first, and what it rests on.
    pub working: Option<WorkingCost>,
}

/// Working the orders of a desk that knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlindReport {
    /// Δ Sharpe of working over taking.
    pub worth: Interval,
    /// What it cost.
    pub working: WorkingCost,
}

/// The hive with services, hearing wrong messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceControl {
    /// What is wrong with its messages, in a line.
    pub what: String,
    /// Δ Sharpe over the same families in accounts of their own.
    pub vs_sum_silo: Interval,
    /// What right messages have over it.
    pub hive_minus_control: Interval,
}

/// A market as it counts in a joint figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MarketSpan {
    /// `SYNTH` or `HISTORY`, and the name.
    pub feed: String,
    /// First day of the market, as a date.
    pub from: String,
    /// Last day of the market, as a date.
    pub to: String,
    /// Days with a return.
    pub days: usize,
    /// Sharpe ratio of the hive, mean over seeds.
    pub hive: Option<f64>,
}

/// Differences over several markets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    /// The markets that were laid together.
    pub markets: Vec<MarketSpan>,
    /// Days of the calendar: those that any market has.
    pub days: usize,
    /// Days that all of them have.
    pub shared_days: usize,
    /// Draws and mean block of the bootstrap, in words.
    pub bootstrap: String,
    /// The pairs of the reports, differences averaged over the markets.
    pub compared: Vec<Compared>,
}

/// What an arm of reactions has over the one that differs from it in one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionWorth {
    /// What the arm is, in a line.
    pub what: String,
    /// Deeds that somebody swayed in the arm, mean over seeds.
    pub deeds: f64,
    /// Share of barriers at which its open lives differed from the alone ones, mean over agents and seeds.
    pub company: f64,
    /// Which has what over which, in the Sharpe ratio and in every goal, with intervals.
    pub compared: Compared,
    /// How probable so large a difference of the Sharpe ratio is without any, by the draws of days.
    pub p: Option<f64>,
    /// The same, corrected for how many reactions were looked at; none of one that never acted.
    pub holm: Option<f64>,
}

/// What answering is worth, where `--reactions` was asked for: money on open lives, λ = 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionReport {
    /// All reactions over none.
    pub all: Option<ReactionWorth>,
    /// Each alone over none, by the name of its arm.
    pub alone: BTreeMap<String, ReactionWorth>,
    /// All over all but this one, by the name of the arm without it.
    pub left_out: BTreeMap<String, ReactionWorth>,
    /// All over all that hear wrong words, by the name of the control.
    pub controls: BTreeMap<String, ReactionWorth>,
    /// The hive as it is set up with money on open lives, over the same with money on alone ones.
    pub hive: Option<ReactionWorth>,
    /// Whether no reactions is `net-eq` to the last bit, as it must be.
    pub is_net_eq: Option<bool>,
}

/// The best of those that the hive is held against, chosen after all were seen: so it is flattered by as many as there are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StrongestBaseline {
    /// Name of the arm.
    pub name: String,
    /// Its Sharpe ratio, mean over seeds.
    pub sharpe: f64,
    /// How many there are.
    pub of: usize,
    /// The hive's Sharpe ratio less its.
    pub hive_less: Option<Interval>,
}

/// A whole report of the lab, as it is kept and written as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was fixed first.
    #[serde(flatten)]
    pub facts: StudyFacts,
    /// Names of the systems in the order in which they are shown.
    pub ladder: Vec<String>,
    /// What each arm did, by its name.
    pub arms: BTreeMap<String, ArmReport>,
    /// `vs_alone`, `vs_strong`, `vs_all`, `vs_tsmom6`, and `vs_other` if another hive was asked for.
    pub uplift: BTreeMap<String, Uplift>,
    /// The hive against these four and every system against `alone`, in every goal, with intervals.
    #[serde(default)]
    pub compared: Vec<Compared>,
    /// The best of all systems that are no hive.
    #[serde(default)]
    pub strongest: Option<StrongestBaseline>,
    /// What each negative control left of the gain, by its name.
    pub controls: BTreeMap<String, ControlReport>,
    /// What more voices give, by their number.
    pub voices: Vec<Voices>,
    /// What listening gave, by λ.
    pub dose: Vec<Dose>,
    /// Thirds of the run, of equal length.
    pub thirds: Vec<RunPart>,
    /// Before and after the split.
    pub split_parts: Vec<RunPart>,
    /// How alike agents and voices are: what the voices curve can be expected to give.
    pub company: BTreeMap<String, Likeness>,
    /// The other hive, if one was asked for.
    pub against: Option<Against>,
    /// λ = 1 against `net-all`.
    pub identity: Option<LambdaOneCheck>,
    /// What each service gave the hive that has them all, where `--services` was asked for.
    pub services: Vec<ServiceReport>,
    /// Working the orders of a desk that knows nothing, where `--services` was asked for.
    pub blind: Option<BlindReport>,
    /// What the hive with services does when it hears wrong messages, by name of the control.
    pub service_controls: BTreeMap<String, ServiceControl>,
    /// Sharpe ratio of the hive with services less that without one of them.
    pub service_worth: BTreeMap<String, Interval>,
    /// What answering is worth, where `--reactions` was asked for.
    #[serde(default)]
    pub reactions: Option<ReactionReport>,
    /// Where the Sharpe ratio of each account comes from that is split or hears what is common wrong, where `--across` was asked
    /// for.
    #[serde(default)]
    pub across: Vec<AcrossTrace>,
    /// The run part by part, where `--hires` was asked for.
    #[serde(default)]
    pub hiring: Vec<HiringPart>,
    /// Systems of the protocol that were not run: they need `--services`.
    pub not_run: Vec<String>,
    /// Draws and mean block of the bootstrap, in words.
    pub bootstrap: String,
    /// A line for each thing that must be known to read this.
    pub notes: Vec<String>,
    /// What it comes to, in a line.
    pub verdict: String,
    /// Whole reports of further feeds, where `--and` named some.
    #[serde(default)]
    pub and: Vec<Report>,
    /// The mean differences over this feed and those, on the same calendar days.
    #[serde(default)]
    pub joint: Option<Joint>,
}
