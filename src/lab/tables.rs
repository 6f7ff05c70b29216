//! The report as text for a terminal.

use super::report::{StudyFacts, WALK};
use super::working::WorkingCost;
use super::{Report, acrosstables, bystanders, goaltables as goals, hiretables, reactiontables, words};
use std::fmt::Write;

/// What is fixed before anything is run.
pub fn facts(f: &StudyFacts) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{} · {} bars · {} → {} · {} assets: {}",
        f.feed,
        f.bar,
        f.from,
        f.to,
        f.assets.len(),
        f.assets.join(" ")
    );
    let _ = writeln!(out, "data     {}", f.data_hash);
    let _ = writeln!(out, "roster   {}  ({} agents, {} voices)", f.roster_hash, f.agent_count, f.voice_count);
    if let Some(o) = &f.against {
        let (file, hash) = (&o.file, &o.roster_hash);
        let _ = writeln!(out, "against  {hash}  ({} agents, {} voices) {file}", o.agent_count, o.voice_count);
    }
    let _ = writeln!(out, "costs    {}", f.costs);
    let seeds: Vec<String> = f.seed_list.iter().map(u64::to_string).collect();
    let _ = writeln!(out, "seeds    {}", seeds.join(" "));
    let _ = writeln!(out, "split    {}", f.split.as_deref().unwrap_or("thirds"));
    let _ = writeln!(out, "variants tried {} · looks at held-out data {}", f.variants_tried, f.looks);
    for (why, who) in bystanders::grouped(&f.standing_by) {
        let names: Vec<&str> = who.into_iter().filter(|w| !w.is_empty()).collect();
        let _ = match names.len() {
            0 => writeln!(out, "! {why}"),
            1 => writeln!(out, "! stands by: {}; {why}", names[0]),
            n => writeln!(out, "! {n} stand by: {}; {why}", names.join(", ")),
        };
    }
    let _ = writeln!(out, "{}\n", f.known.words());
    out
}

/// The results as tables for a terminal.
pub fn results(r: &Report) -> String {
    let mut out = String::new();
    let _ = table(&mut out, r);
    out
}

fn table(out: &mut String, r: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "{:<16} {:>7} {:>5} {:>8} {:>9} {:>10} {:>9} {:>7} {:>8}",
        "system", "Sharpe", "± sd", "Sortino", "CAGR", "drawdown", "turnover", "cost", "crossed"
    )?;
    for name in &r.ladder {
        let Some(a) = r.arms.get(name) else { continue };
        let m = &a.metrics;
        writeln!(
            out,
            "{name:<16} {:>7} {:>5} {:>8} {:>9} {:>10} {:>9} {:>7} {:>8}",
            words::plain(m.sharpe, 2),
            words::plain(a.seed_sd, 2),
            words::plain(m.sortino, 2),
            words::percent(m.cagr, 1),
            words::percent(m.max_drawdown, 1),
            words::times(m.turnover, 1),
            words::percent(m.cost, 1),
            words::percent(Some(m.crossed), 0)
        )?;
    }
    for name in &r.not_run {
        writeln!(out, "{name:<15}  not run: --services")?;
    }
    writeln!(
        out,
        "means over {} seeds at {:.0} % volatility; sd over seeds; – not told: see the notes\n",
        r.facts.seeds,
        100.0 * r.facts.target_vol
    )?;
    goals::arms(out, r)?;
    uplifts(out, r)?;
    goals::versus(out, &r.compared)?;
    goals::over_alone(out, &r.compared)?;
    services(out, r)?;
    reactiontables::table(out, r)?;
    acrosstables::table(out, &r.compared)?;
    acrosstables::traces(out, r)?;
    hiretables::table(out, r)?;
    controls(out, r)?;
    curves(out, r)?;
    for note in &r.notes {
        writeln!(out, "! {note}")?;
    }
    writeln!(out, "\n{}", r.verdict)
}

fn uplifts(out: &mut String, r: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "{:<14} {:>7} {:>16} {:>16} {:>9} {:>9} {:>5} {:>6} {:>5} {:>7}",
        "hive",
        "ΔSharpe",
        "95 % over days",
        "and seeds",
        "drawdown",
        "turnover",
        "won",
        "worst",
        "sd",
        "growth"
    )?;
    for (name, u) in &r.uplift {
        let growth = u.goals.get("big_money").and_then(|g| g.get("growth")).copied().flatten();
        writeln!(
            out,
            "{name:<14} {:>7} {:>16} {:>16} {:>9} {:>9} {:>5} {:>6} {:>5} {:>7}",
            words::signed(u.sharpe.map(|s| s.mean), 2),
            words::ends(u.sharpe, 1.0, 2),
            words::ends(u.sharpe_over_seeds, 1.0, 2),
            words::signed_percent(u.max_drawdown_change, 0),
            words::times(u.turnover_ratio, 2),
            words::percent(u.seeds_won, 0),
            words::signed(u.worst_seed, 2),
            words::plain(u.seed_sd, 2),
            words::signed_percent(growth, 1)
        )?;
    }
    writeln!(out)
}

fn services(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.services.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<18} {:>14}  credit to", "service", "saved per year")?;
    for s in &r.services {
        write!(out, "{:<18} {:>+12.2} %  {}", s.name, 100.0 * s.saved, s.to)?;
        if let Some(w) = &s.working {
            write!(out, "   {}", working(w))?;
        }
        writeln!(out)?;
    }
    if let Some(b) = &r.blind {
        let (i, name) = (b.worth, super::services::BLIND);
        let cost = working(&b.working);
        writeln!(out, "{name:<18} working its orders {:+.2} [{:+.2}, {:+.2}]; {cost}", i.mean, i.lo, i.hi)?;
    }
    for (name, i) in &r.service_worth {
        writeln!(out, "{name:<18} hive+services has {:+.2} [{:+.2}, {:+.2}] over it", i.mean, i.lo, i.hi)?;
    }
    for (name, c) in &r.service_controls {
        let (own, minus) = (c.vs_sum_silo, c.hive_minus_control);
        writeln!(
            out,
            "{name:<18} over sum-silo {:+.2} [{:+.2}, {:+.2}] · right over wrong {:+.2} [{:+.2}, {:+.2}]  {}",
            own.mean, own.lo, own.hi, minus.mean, minus.lo, minus.hi, c.what
        )?;
    }
    writeln!(out)
}

fn working(w: &WorkingCost) -> String {
    let e = w.effective_bp;
    format!(
        "{:.1} bp [{:.1}, {:.1}] against the arrival price on {} days, {:.1} bp by taking",
        e.mean, e.lo, e.hi, w.days, w.taking_bp
    )
}

fn controls(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.controls.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<15} {:>24} {:>24} {:>6}", "control", "its ΔSharpe over net-eq", "hive − control", "")?;
    for (name, c) in &r.controls {
        let own = words::between(c.vs_strong.sharpe, 1.0, 2);
        let minus = words::between(c.hive_minus_control, 1.0, 2);
        let word = if c.pass { "pass" } else { "FAIL" };
        writeln!(out, "{name:<15} {own:>24} {minus:>24} {word:>6}  {}", c.what)?;
    }
    if r.controls.contains_key(WALK) {
        writeln!(
            out,
            "{WALK} passes if its interval includes zero; the others if the hive is better and they keep at most half"
        )?;
    }
    writeln!(out)
}

fn curves(out: &mut String, r: &Report) -> std::fmt::Result {
    if !r.voices.is_empty() {
        let one = |v: &super::report::Voices| {
            let (sharpe, sd) = (words::plain(v.sharpe, 2), words::plain(v.seed_sd, 2));
            format!("{} {sharpe} ± {sd} ({})", v.m, words::times(v.turnover, 0))
        };
        let each: Vec<String> = r.voices.iter().map(one).collect();
        writeln!(out, "voices (turnover)  {}", each.join(" · "))?;
    }
    if !r.dose.is_empty() {
        let bare =
            |d: &super::report::Dose| d.sharpe_bare.map_or_else(String::new, |s| format!(" (bare {s:.2})"));
        let one =
            |d: &super::report::Dose| format!("λ={} {}{}", d.lambda, words::plain(d.sharpe, 2), bare(d));
        let each: Vec<String> = r.dose.iter().map(one).collect();
        writeln!(out, "dose               {}", each.join(" · "))?;
    }
    for p in r.thirds.iter().chain(&r.split_parts) {
        writeln!(
            out,
            "{:<18} hive {} · net-eq {} · net-all {} · hive − net-eq {}",
            p.part,
            words::plain(p.hive, 2),
            words::plain(p.strong, 2),
            words::plain(p.all, 2),
            words::between(p.vs_strong, 1.0, 2)
        )?;
    }
    for (name, c) in &r.company {
        writeln!(
            out,
            "{name:<18} {:.0} alone: mean Sharpe ratio of one {:.2}, correlation between two {:.2}, worth {:.1} independent ones",
            c.members, c.sharpe, c.correlation, c.independent
        )?;
    }
    if let Some(i) = &r.identity {
        writeln!(
            out,
            "identity           λ = 1 bare against net-all: largest difference of a day {:.1e}, {}",
            i.largest_difference,
            if i.holds { "equal to 1e-9" } else { "NOT equal to 1e-9" }
        )?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_before_anything_is_run_is_told() {
        let f = StudyFacts {
            assets: vec!["BTC".to_owned(), "ETH".to_owned()],
            seed_list: vec![7, 8],
            variants_tried: 83,
            looks: 2,
            agent_count: 36,
            voice_count: 276,
            ..StudyFacts::default()
        };
        let told = facts(&f);
        for part in [
            "2 assets: BTC ETH",
            "seeds    7 8",
            "split    thirds",
            "variants tried 83 · looks at held-out data 2",
            "(36 agents, 276 voices)",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("against"), "there is no other hive");
    }

    #[test]
    fn systems_that_were_not_run_say_how_to_run_them() {
        let report = Report { not_run: vec!["sum-silo".to_owned()], ..Report::default() };
        let told = results(&report);
        assert!(told.contains("sum-silo         not run: --services"), "{told}");
        assert!(!told.contains("saved per year"), "nothing of services");
    }
}
