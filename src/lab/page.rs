//! The report as a page of the cockpit: what fits on a screen, and a sentence that says what came out.

use super::bootstrap::Interval;
use super::report::{Report, WALK};
use super::verdict::{NOT_COMMUNICATION, not_communication};
use super::{ALL, ALONE, RULE, STRONG, explain};
use crate::view::lab::{Between, ControlLine, DoseStep, Finding, LabRun, Rung, UpliftRow, VoicesStep};

/// What the hive is held against, and the name of its line in the report.
const RUNGS: [(&str, &str); 4] =
    [("vs_alone", ALONE), ("vs_strong", STRONG), ("vs_all", ALL), ("vs_tsmom6", RULE)];

/// Everything but its age, and whether its roster and market are those of the hive that asks.
pub fn page(r: &Report) -> LabRun {
    let f = &r.facts;
    let (finding, headline) = finding(r);
    LabRun {
        reproduction: f.reproduction,
        feed: f.feed.clone(),
        bar: f.bar.clone(),
        from: f.from.clone(),
        to: f.to.clone(),
        assets: f.assets.len() as u32,
        seeds: f.seeds as u32,
        agents: f.agent_count as u32,
        voices: f.voice_count as u32,
        // The long words are among those of `words`.
        costs: f.costs_bp.map_or_else(|| "fill level B".to_owned(), |bp| format!("flat {bp} bp a side")),
        target_vol: f.target_vol,
        tried: f.variants_tried as u32,
        looks: f.looks as u32,
        luck: r.uplift.get("vs_strong").and_then(|u| u.luck).unwrap_or(0.0),
        finding,
        headline,
        ladder: r.ladder.iter().filter_map(|name| rung(r, name)).collect(),
        gains: RUNGS.iter().filter_map(|(key, name)| gain(r, key, name)).collect(),
        controls: controls(r),
        voices_curve: r
            .voices
            .iter()
            .filter_map(|v| {
                let (sharpe, turnover) = v.sharpe.zip(v.turnover)?;
                Some(VoicesStep { voices: v.m as u32, sharpe, seed_sd: v.seed_sd, turnover })
            })
            .collect(),
        dose: r
            .dose
            .iter()
            .filter_map(|d| {
                let (sharpe, over) = d.sharpe.zip(d.vs_strong)?;
                Some(DoseStep { listens: d.lambda, sharpe, over: between(over) })
            })
            .collect(),
        // The last is the verdict in its fixed wording, which the page says with pictures; luck has a
        // number of its own.
        words: explain::explain(r)
            .split("\n\n")
            .map(|p| p.trim().to_owned())
            .filter(|p| *p != r.verdict && !p.contains("variants were tried"))
            .collect(),
        ..LabRun::default()
    }
}

fn between(i: Interval) -> Between {
    Between { mean: i.mean, from: i.lo, to: i.hi }
}

fn rung(r: &Report, name: &str) -> Option<Rung> {
    let arm = r.arms.get(name)?;
    let m = &arm.metrics;
    Some(Rung {
        name: name.to_owned(),
        what: arm.what.clone(),
        sharpe: m.sharpe,
        seed_sd: arm.seed_sd,
        drawdown: m.max_drawdown,
        turnover: m.turnover,
        growth: m.cagr,
    })
}

fn gain(r: &Report, key: &str, name: &str) -> Option<UpliftRow> {
    let u = r.uplift.get(key)?;
    Some(UpliftRow {
        over: name.to_owned(),
        sharpe: between(u.sharpe?),
        drawdown: u.max_drawdown_change,
        won: libm::rint(u.seeds_won? * r.facts.seeds as f64) as u32,
    })
}

/// In the order of the plan, the random walk last.
fn controls(r: &Report) -> Vec<ControlLine> {
    let order = super::controls::Control::ALL.iter().map(|c| c.name()).chain([WALK]);
    let line = |name: &str| {
        let c = r.controls.get(name)?;
        let walk = name == WALK;
        Some(ControlLine {
            name: name.to_owned(),
            what: c.what.clone(),
            shown: between(if walk { c.vs_strong.sharpe } else { c.hive_minus_control }?),
            walk,
            keeps: c.keeps,
            pass: c.pass,
        })
    };
    order.filter_map(line).collect()
}

/// What it says of the hive over the same agents deaf, and in a sentence.
fn finding(r: &Report) -> (Finding, String) {
    let Some(u) = r.uplift.get("vs_strong") else {
        return (Finding::Unclear, "the hive was not held against the same agents deaf".to_owned());
    };
    let Some(s) = u.sharpe else {
        return (
            Finding::Unclear,
            "The hive and the same agents deaf cannot both be told of here.".to_owned(),
        );
    };
    let gain = format!("{:+.2} Sharpe over the same agents deaf ({STRONG})", s.mean);
    let between = format!("between {:+.2} and {:+.2}", s.lo, s.hi);
    if s.hi < 0.0 {
        return (Finding::Loss, format!("Talking hurts here: {gain}, {between}, and not by luck."));
    }
    if s.lo <= 0.0 {
        return (Finding::Unclear, format!("Not to be told from luck: {gain}, {between}."));
    }
    match not_communication(r) {
        Some(why) => (Finding::NotTalk, format!("{gain}, {between}, but {NOT_COMMUNICATION}: {why}.")),
        None if r.controls.is_empty() => {
            (Finding::NotTalk, format!("{gain}, {between}; no control was run, so nobody knows why."))
        }
        None => (
            Finding::Talk,
            format!("Talking helps here: {gain}, {between}, and wrong messages take it away."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{ControlReport, Uplift};
    use super::*;

    fn report(lo: f64, mean: f64, hi: f64, keeps: Option<f64>) -> Report {
        let mut r = Report::default();
        let sharpe = Some(Interval { mean, lo, hi });
        r.facts.seeds = 12;
        r.uplift
            .insert("vs_strong".to_owned(), Uplift { sharpe, seeds_won: Some(0.75), ..Uplift::default() });
        if let Some(keeps) = keeps {
            let minus = Some(Interval { mean: 0.3, lo: 0.1, hi: 0.5 });
            let control =
                ControlReport { keeps: Some(keeps), hive_minus_control: minus, ..ControlReport::default() };
            r.controls.insert("time-shifted".to_owned(), control);
        }
        r
    }

    #[test]
    fn a_gain_is_called_talk_only_if_wrong_messages_lose_it() {
        for (r, finding, says) in [
            (report(0.1, 0.3, 0.5, Some(0.2)), Finding::Talk, "Talking helps"),
            (report(0.1, 0.3, 0.5, Some(0.9)), Finding::NotTalk, "not attributable"),
            (report(0.1, 0.3, 0.5, None), Finding::NotTalk, "no control was run"),
            (report(-0.1, 0.3, 0.5, Some(0.2)), Finding::Unclear, "luck"),
            (report(-0.5, -0.3, -0.1, Some(0.2)), Finding::Loss, "hurts"),
        ] {
            let page = page(&r);
            assert_eq!(page.finding, finding);
            assert!(page.headline.contains(says), "{}", page.headline);
            assert_eq!((page.gains.len(), page.gains[0].won), (1, 9));
        }
    }

    #[test]
    fn what_cannot_be_told_is_left_out_or_empty() {
        let mut r = report(0.1, 0.3, 0.5, Some(0.2));
        r.uplift.insert("vs_strong".to_owned(), Uplift::default());
        r.controls.insert("permuted".to_owned(), ControlReport::default());
        r.ladder = vec!["hive".to_owned()];
        r.arms.insert("hive".to_owned(), super::super::report::ArmReport::default());
        let page = page(&r);
        assert_eq!((page.finding, page.gains.len(), page.controls.len()), (Finding::Unclear, 0, 1));
        let rung = &page.ladder[0];
        assert_eq!([rung.sharpe, rung.seed_sd, rung.drawdown, rung.turnover, rung.growth], [None; 5]);
    }
}
