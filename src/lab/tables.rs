//! The report as text for a terminal.

use super::Report;
use super::report::{Facts, WALK};
use super::working::WorkingCost;
use std::fmt::Write;

/// What is fixed before anything is run.
pub fn facts(f: &Facts) -> String {
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
    let kind =
        if f.reproduction { "REPRODUCTION: the mechanism was designed on this data" } else { "new data" };
    let _ = writeln!(out, "{kind}\n");
    out
}

/// The results.
pub fn results(r: &Report) -> String {
    let mut out = String::new();
    let _ = table(&mut out, r);
    out
}

fn table(out: &mut String, r: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "{:<16} {:>7} {:>5} {:>8} {:>7} {:>9} {:>7} {:>7} {:>6} {:>8} {:>6} {:>7}",
        "system",
        "Sharpe",
        "± sd",
        "Sortino",
        "CAGR",
        "drawdown",
        "CVaR95",
        "+10 %",
        "under",
        "turnover",
        "cost",
        "crossed"
    )?;
    for name in &r.ladder {
        let Some(a) = r.arms.get(name) else { continue };
        let m = &a.metrics;
        let months =
            if m.months_to_10 >= 999.0 { "never".to_owned() } else { format!("{:.1} m", m.months_to_10) };
        writeln!(
            out,
            "{name:<16} {:>7.2} {:>5.2} {:>8.2} {:>5.1} % {:>7.1} % {:>5.2} % {months:>7} {:>4.0} % {:>7.1}× {:>4.1} % {:>5.0} %",
            m.sharpe,
            a.seed_sd,
            m.sortino,
            100.0 * m.cagr,
            100.0 * m.max_drawdown,
            100.0 * m.cvar95,
            100.0 * m.time_under_water,
            m.turnover,
            100.0 * m.cost,
            100.0 * m.crossed
        )?;
    }
    for name in &r.not_run {
        writeln!(out, "{name:<15}  not run: --services")?;
    }
    writeln!(
        out,
        "means over {} seeds at {:.0} % volatility; sd over seeds\n",
        r.facts.seeds,
        100.0 * r.facts.target_vol
    )?;
    uplifts(out, r)?;
    services(out, r)?;
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
        let growth = u.goals.get("big_money").and_then(|g| g.get("growth")).copied().unwrap_or(0.0);
        writeln!(
            out,
            "{name:<14} {:>+7.2} [{:>+6.2}, {:>+6.2}] [{:>+6.2}, {:>+6.2}] {:>+7.0} % {:>8.2}× {:>3.0} % {:>+6.2} {:>5.2} {:>+5.1} %",
            u.sharpe.mean,
            u.sharpe.lo,
            u.sharpe.hi,
            u.sharpe_over_seeds.lo,
            u.sharpe_over_seeds.hi,
            100.0 * u.max_drawdown_change,
            u.turnover_ratio,
            100.0 * u.seeds_won,
            u.worst_seed,
            u.seed_sd,
            100.0 * growth
        )?;
    }
    writeln!(out)
}

fn services(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.services.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<18} {:>12}  credit to", "service", "saved a year")?;
    for s in &r.services {
        write!(out, "{:<18} {:>+10.2} %  {}", s.name, 100.0 * s.saved, s.to)?;
        if let Some(w) = &s.working {
            write!(out, "   {}", working(w))?;
        }
        writeln!(out)?;
    }
    if let (Some(steady), Some(all)) = (r.arms.get(super::services::STEADY), r.arms.get(super::ALL)) {
        let (now, before) = (steady.metrics.vol_of_vol, all.metrics.vol_of_vol);
        let change = if before > 0.0 { 100.0 * (now / before - 1.0) } else { 0.0 };
        writeln!(
            out,
            "steady risk        volatility of volatility {now:.3}, without {before:.3} ({change:+.0} %)"
        )?;
    }
    if let Some(b) = &r.blind {
        let (i, name) = (b.worth, super::services::BLIND);
        let cost = working(&b.working);
        writeln!(out, "{name:<18} working its orders {:+.2} [{:+.2}, {:+.2}]; {cost}", i.mean, i.lo, i.hi)?;
    }
    for (name, i) in &r.service_worth {
        writeln!(out, "{name:<18} hive+services has {:+.2} [{:+.2}, {:+.2}] over it", i.mean, i.lo, i.hi)?;
    }
    for (name, t) in &r.services_tried {
        let (w, over) = (t.worth, &t.over);
        writeln!(
            out,
            "{name:<18} over {over} {:+.3} [{:+.3}, {:+.3}], trades {:.1}× a year for {:.2} %  tried: {}",
            w.mean,
            w.lo,
            w.hi,
            t.turnover,
            100.0 * t.cost,
            t.what
        )?;
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
        let (own, minus) = (c.vs_strong.sharpe, c.hive_minus_control);
        let word = if c.pass { "pass" } else { "FAIL" };
        writeln!(
            out,
            "{name:<15} {:>+7.2} [{:>+6.2}, {:>+6.2}] {:>+7.2} [{:>+6.2}, {:>+6.2}] {word:>6}  {}",
            own.mean, own.lo, own.hi, minus.mean, minus.lo, minus.hi, c.what
        )?;
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
        let each: Vec<String> = r
            .voices
            .iter()
            .map(|v| format!("{} {:.2} ± {:.2} ({:.0}×)", v.m, v.sharpe, v.seed_sd, v.turnover))
            .collect();
        writeln!(out, "voices (turnover)  {}", each.join(" · "))?;
    }
    if !r.dose.is_empty() {
        let bare =
            |d: &super::report::Dose| d.sharpe_bare.map_or_else(String::new, |s| format!(" (bare {s:.2})"));
        let each: Vec<String> =
            r.dose.iter().map(|d| format!("λ={} {:.2}{}", d.lambda, d.sharpe, bare(d))).collect();
        writeln!(out, "dose               {}", each.join(" · "))?;
    }
    for p in r.thirds.iter().chain(&r.split_parts) {
        let u = p.vs_strong;
        writeln!(
            out,
            "{:<18} hive {:.2} · net-eq {:.2} · net-all {:.2} · hive − net-eq {:+.2} [{:+.2}, {:+.2}]",
            p.part, p.hive, p.strong, p.all, u.mean, u.lo, u.hi
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
