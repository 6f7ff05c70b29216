//! The verdict: every rung and never one, in a fixed wording, and what must be known to read it.

use super::designed::DataOverlap;
use super::report::{ControlReport, Report};
use super::{ArmKind, HELD_OUT_FROM, arms, bootstrap, words};
use std::fmt::Write;

/// Variants beyond which a gain is shown with what luck would give.
const VARIANTS_MAX: usize = 20;
/// What is said where talk is not the reason.
pub const NOT_COMMUNICATION: &str = "uplift not attributable to communication";

/// The verdict in one line.
pub fn verdict(r: &Report) -> String {
    let mut out = String::new();
    if r.facts.reproduction {
        out.push_str("REPRODUCTION on data the mechanism was designed on · ");
    }
    if r.facts.known == DataOverlap::SameDays {
        out.push_str("same days as the mechanism was designed on, other data · ");
    }
    let rungs = [
        ("vs_alone", "alone"),
        ("vs_strong", "net-eq (strong)"),
        ("vs_all", "net-all"),
        ("vs_tsmom6", "tsmom6"),
        ("served_vs_all", "net-all, with services"),
        ("vs_sum_silo", "sum-silo, with services"),
        ("vs_net_account", "net-account, with services"),
        ("vs_best_centre", "best centre, with services"),
        ("hive_vs_sum_silo", "sum-silo, as shipped"),
        ("hive_vs_net_account", "net-account, as shipped"),
        ("hive_vs_best_centre", "best centre, as shipped"),
    ];
    for (key, name) in rungs {
        let Some(u) = r.uplift.get(key) else { continue };
        // Writing to a string cannot fail.
        let _ = match u.seeds_won {
            None => write!(out, "vs {name}: not told · "),
            Some(won) => write!(
                out,
                "vs {name}: ΔSharpe {}, drawdown {}, {} of {} seeds won · ",
                words::between(u.sharpe, 1.0, 2),
                words::signed_percent(u.max_drawdown_change, 0),
                libm::rint(won * r.facts.seeds as f64),
                r.facts.seeds,
            ),
        };
    }
    if let Some(s) = &r.strongest {
        let less = words::between(s.hive_less, 1.0, 2);
        let _ = write!(
            out,
            "strongest of {} baselines: {}, Sharpe {:.2}, hive less it {less} · ",
            s.of, s.name, s.sharpe
        );
    }
    if !r.not_run.is_empty() {
        let _ = write!(out, "vs {}: not run, see --services · ", r.not_run.join(", "));
    }
    let failed: Vec<&str> = r.controls.iter().filter(|(_, c)| !c.pass).map(|(n, _)| n.as_str()).collect();
    if r.controls.is_empty() {
        out.push_str("controls: not run · ");
    } else if failed.is_empty() {
        out.push_str("controls: all pass · ");
    } else {
        let _ = write!(
            out,
            "controls: {} of {} pass ({} fail) · ",
            r.controls.len() - failed.len(),
            r.controls.len(),
            failed.join(", ")
        );
    }
    if let Some(why) = not_communication(r) {
        let _ = write!(out, "{NOT_COMMUNICATION}: {why} · ");
    }
    let _ =
        write!(out, "variants tried {} · looks at held-out data {}", r.facts.variants_tried, r.facts.looks);
    out
}

/// Why talk is not the reason for the uplift, if it is not.
pub fn not_communication(r: &Report) -> Option<String> {
    let strong = r.uplift.get("vs_strong")?;
    if strong.sharpe.is_none_or(|s| s.lo <= 0.0) {
        let why = match strong.sharpe {
            None => "cannot be told".to_owned(),
            told => format!("includes zero or less, {}", words::ends(told, 1.0, 2)),
        };
        return Some(format!("the interval over {} {why}", super::STRONG));
    }
    let silenced = |name: &str| {
        let kind = arms::plan(r.facts.voice_count).into_iter().find(|a| a.name == name).map(|a| a.kind);
        matches!(kind, Some(ArmKind::Control(c)) if c.silences())
    };
    let mut kept: Vec<String> = Vec::new();
    for (name, control) in r.controls.iter().filter(|(n, _)| silenced(n)) {
        if let Some(why) = keeps(control) {
            kept.push(format!("{name} {why}"));
        }
    }
    (!kept.is_empty()).then(|| kept.join(", "))
}

fn keeps(control: &ControlReport) -> Option<String> {
    let share = control.keeps?;
    if share > 0.5 {
        return Some(format!("keeps {:.0} % of it", 100.0 * share));
    }
    (control.hive_minus_control.is_none_or(|i| i.lo <= 0.0)).then(|| "cannot be told from it".to_owned())
}

/// What must be known to read the results, in plain sentences.
pub fn notes(r: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if r.facts.reproduction {
        notes.push(format!(
            "The mechanism was designed on this data before {HELD_OUT_FROM}: numbers on it are a reproduction, not evidence."
        ));
    }
    if r.facts.known == DataOverlap::SameDays {
        notes.push(format!(
            "This is not the data that the mechanism was designed on, but of the same days before {HELD_OUT_FROM}: markets move together, so it is weak evidence."
        ));
    }
    if !r.facts.standing_by.is_empty() {
        notes.push(format!(
            "Not everybody could take part on this market: {}.",
            r.facts.standing_by.join("; ")
        ));
    }
    let luck = r.uplift.get("vs_strong").and_then(|u| u.luck);
    if let Some(luck) = luck.filter(|_| r.facts.variants_tried > VARIANTS_MAX) {
        notes.push(format!(
            "{} variants were tried: the best of as many worthless ones would show about {:+.2} over the strong baseline by luck.",
            r.facts.variants_tried, luck
        ));
    }
    if let Some(i) = &r.identity {
        notes.push(if i.holds {
            format!(
                "At λ = 1 without points, rails and managers the hive is net-all, to {:.0e}: what listening gives is what one account with all voices would have, reached by agents that each decide for themselves.",
                i.largest_difference.max(1e-16)
            )
        } else {
            format!(
                "At λ = 1 without points, rails and managers the hive differs from net-all by up to {:.1e} per day: some asset has no funded agent that may hold it, or an account was halted.",
                i.largest_difference
            )
        });
    }
    if r.not_run.is_empty() {
        notes.push("With services every arm has the same desk aim: λ = 1, no points, no managers; sum-silo adds the returns of net-all and of a carry account of ⅔ of the capital.".to_owned());
    } else {
        notes.push(format!("{} were not run: they come with --services.", r.not_run.join(", ")));
    }
    notes.push(format!(
        "Sharpe ratios are of daily returns as they were; sizes, drawdowns, growth, turnover and costs are at {:.0} % volatility. Intervals are 95 %, {} draws.",
        100.0 * r.facts.target_vol,
        bootstrap::DRAWS
    ));
    let stopped: Vec<&str> =
        r.arms.iter().filter(|(_, a)| a.metrics.running < 1.0).map(|(n, _)| n.as_str()).collect();
    if !stopped.is_empty() {
        notes.push(format!(
            "Some of the time trading was halted (breaker or books) in: {}.",
            stopped.join(", ")
        ));
    }
    notes
}
