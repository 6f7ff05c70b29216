//! The lab's last result as people look at it beside the hive that runs: plain data, made by those who keep
//! results, sent to whoever asks.
//!
//! # Invariants
//!
//! 1. Lists and texts have named maxima; a page fits one frame of the wire many times over.
//! 2. It is a copy of what was kept, with its age: nothing here is measured, and nothing decides.

use serde::{Deserialize, Serialize};

/// Systems of the ladder that are shown.
pub const RUNGS_MAX: usize = 48;
/// Controls that are shown.
pub const CONTROLS_MAX: usize = 16;
/// Steps of a curve.
pub const STEPS_MAX: usize = 16;
/// Paragraphs of what it means.
pub const PARAGRAPHS_MAX: usize = 24;
/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 1_600;

/// A difference of Sharpe ratios per year, with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// Mean as it was measured.
    pub mean: f64,
    /// Lower end of the interval.
    pub from: f64,
    /// Upper end of the interval.
    pub to: f64,
}

/// What the run says of the hive over the same agents deaf (`net-eq`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    /// The interval covers zero.
    #[default]
    Unclear,
    /// Better, and wrong messages take it away: it is what is said.
    Talk,
    /// Better, but not because of what is said, or nobody looked.
    NotTalk,
    /// Worse, and not by luck.
    Loss,
}

/// One system of the ladder, with its numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Name of the system, as reports call it.
    pub name: String,
    /// What the system is, in a line.
    pub what: String,
    /// Sharpe ratio per year, mean over seeds; this and what follows is empty where it cannot be told.
    pub sharpe: Option<f64>,
    /// Standard deviation of the Sharpe ratio over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// Deepest fall at equal volatility, a fraction.
    pub drawdown: Option<f64>,
    /// Notional per year over equity, at equal volatility.
    pub turnover: Option<f64>,
    /// Growth per year at equal volatility, a fraction.
    pub growth: Option<f64>,
}

/// The hive less one system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpliftRow {
    /// The system it is held against.
    pub over: String,
    /// Δ Sharpe, over days.
    pub sharpe: Between,
    /// Change of the deepest fall, as a fraction of the other's: negative is better.
    pub drawdown: Option<f64>,
    /// Seeds in which the hive was ahead.
    pub won: u32,
}

/// One control: the hive with messages that must not help.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlLine {
    /// Name of the control, as reports call it.
    pub name: String,
    /// What is wrong with its messages, in a line.
    pub what: String,
    /// The hive less the control; for the random walk what the hive itself gains there.
    pub shown: Between,
    /// Whether `shown` is of the market without any edge: then it must cover zero.
    pub walk: bool,
    /// Share of the hive's gain that it keeps; none where there was no gain.
    pub keeps: Option<f64>,
    /// Whether it does as a control should.
    pub pass: bool,
}

/// So many voices in one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VoicesStep {
    /// Number of voices in the account.
    pub voices: u32,
    /// Sharpe ratio per year, mean over seeds.
    pub sharpe: f64,
    /// Standard deviation of the Sharpe ratio over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// Notional traded per year, as [`Rung::turnover`] says it.
    pub turnover: f64,
}

/// Everybody listens so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoseStep {
    /// λ: 0 is deaf, 1 follows the consensus.
    pub listens: f64,
    /// Sharpe ratio per year, mean over seeds.
    pub sharpe: f64,
    /// Sharpe ratio less that of `net-eq`.
    pub over: Between,
}

/// A run of the lab, as a cockpit shows it.
// Each is a caution of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabRun {
    /// Whole minutes since it ended, as of the answer.
    pub age_min: u64,
    /// Whether its roster or settings were not those of the hive that runs.
    pub other_roster: bool,
    /// Whether its market was not the one that the hive runs on.
    pub other_market: bool,
    /// Whether the mechanism was designed on its data.
    pub reproduction: bool,
    /// `SYNTH`, or `HISTORY` and the name.
    pub feed: String,
    /// The decision clock.
    pub bar: String,
    /// First day of the run, as a date.
    pub from: String,
    /// Last day of the run, as a date.
    pub to: String,
    /// Number of assets it was run on.
    pub assets: u32,
    /// Number of seeds it was run with.
    pub seeds: u32,
    /// Number of agents with funds.
    pub agents: u32,
    /// Number of agents that speak, with funds or without.
    pub voices: u32,
    /// What trading cost, in words.
    pub costs: String,
    /// To which everything is scaled, a fraction per year.
    pub target_vol: f64,
    /// Variants looked at so far, this run among them.
    pub tried: u32,
    /// Looks at held-out data so far.
    pub looks: u32,
    /// What the best of as many worthless variants would show by luck.
    pub luck: f64,
    /// What the run says of the hive.
    pub finding: Finding,
    /// What the run says of the hive, in a sentence.
    pub headline: String,
    /// All systems, in order.
    pub ladder: Vec<Rung>,
    /// The hive against `alone`, `net-eq`, `net-all`, `tsmom6`.
    pub gains: Vec<UpliftRow>,
    /// The controls that were run.
    pub controls: Vec<ControlLine>,
    /// The Sharpe ratio, by number of voices.
    pub voices_curve: Vec<VoicesStep>,
    /// The Sharpe ratio, by λ.
    pub dose: Vec<DoseStep>,
    /// Paragraph by paragraph.
    pub words: Vec<String>,
}

/// What there is to show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabPage {
    /// What to type for a run on the market and the roster of this hive.
    pub command: String,
    /// Why the last result cannot be shown, if there is one that cannot.
    pub trouble: Option<String>,
    /// The last run.
    pub run: Option<LabRun>,
}

impl LabPage {
    /// Within the maxima; what is over is cut.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        cut(&mut self.command);
        self.trouble.iter_mut().for_each(cut);
        if let Some(run) = &mut self.run {
            run.ladder.truncate(RUNGS_MAX);
            run.gains.truncate(CONTROLS_MAX);
            run.controls.truncate(CONTROLS_MAX);
            run.voices_curve.truncate(STEPS_MAX);
            run.dose.truncate(STEPS_MAX);
            run.words.truncate(PARAGRAPHS_MAX);
            let facts = [&mut run.feed, &mut run.bar, &mut run.from, &mut run.to, &mut run.costs];
            facts.into_iter().chain([&mut run.headline]).for_each(cut);
            run.words.iter_mut().for_each(cut);
            run.ladder.iter_mut().flat_map(|r| [&mut r.name, &mut r.what]).for_each(cut);
            run.controls.iter_mut().flat_map(|c| [&mut c.name, &mut c.what]).for_each(cut);
            run.gains.iter_mut().for_each(|g| cut(&mut g.over));
        }
        self
    }
}

fn cut(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_whatever_was_kept_fits_a_frame() {
        let long = || "ä".repeat(1 << 16);
        let rung = Rung { name: long(), what: long(), ..Rung::default() };
        let control = ControlLine { name: long(), what: long(), ..ControlLine::default() };
        let run = LabRun {
            ladder: vec![rung; 500],
            controls: vec![control; 500],
            gains: vec![UpliftRow { over: long(), ..UpliftRow::default() }; 500],
            words: vec![long(); 500],
            headline: long(),
            ..LabRun::default()
        };
        let page = LabPage { command: long(), trouble: Some(long()), run: Some(run) }.bounded();
        let bytes = postcard::to_stdvec(&page).unwrap();
        assert!(bytes.len() < 1 << 19, "{} bytes", bytes.len());
        assert_eq!(postcard::from_bytes::<LabPage>(&bytes).unwrap(), page);
    }
}
