//! The report as one self-contained page: verdict, facts, tables and pictures. No script, nothing loaded.

use super::Report;
use super::against::VS_OTHER;
use super::arms::Arm;
use super::bootstrap::Interval;
use super::designed::DataOverlap;
use super::draw::{Band, IntervalBar, Shows, band, bands, bars, steps};
use super::goals::{Compared, GOALS, Goal};
use super::metrics::check;
use super::study::Tracks;
use super::working::WorkingCost;
use super::{ALL, ALONE, HIVE, RULE, STRONG, explain, services, tables, words};
use crate::domain::Stamp;
use std::fmt::Write;

pub(super) const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:860px;margin:2em auto;padding:0 1em;color:#333}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}pre{font:12px/1.35 monospace;overflow-x:auto;\
background:#f6f6f6;padding:.8em}.verdict{border-left:4px solid #0072b2;padding-left:1em}\
.repro{background:#fff3e0;padding:.5em 1em}svg{max-width:100%;height:auto}\
.wide{overflow-x:auto}table{font-size:12px;border-collapse:collapse}\
th,td{text-align:right;padding:.15em .5em;border-bottom:1px solid #eee;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}";

/// The report as one page that needs no other file.
pub fn page(r: &Report, arms: &[Arm], tracks: &Tracks) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = head(&mut out, r)
        .and_then(|()| render(&mut out, r, arms, tracks))
        .and_then(|()| further(&mut out, r))
        .and_then(|()| out.write_str("</body></html>\n"));
    out
}

fn head(out: &mut String, r: &Report) -> std::fmt::Result {
    let feed = escape(&r.facts.feed);
    let head = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">";
    writeln!(out, "{head}<title>hive lab: {feed}</title><style>{STYLE}</style></head><body>")
}

/// The joint figure, and the numbers of further feeds.
fn further(out: &mut String, r: &Report) -> std::fmt::Result {
    let Some(j) = &r.joint else { return Ok(()) };
    writeln!(out, "<h1>{} feeds together, on the same calendar days</h1>", j.markets.len())?;
    for m in &j.markets {
        let hive = words::plain(m.hive, 2);
        let feed = escape(&m.feed);
        writeln!(
            out,
            "<p>{feed}, {} to {}, {} days: Sharpe ratio of the hive {hive}</p>",
            m.from, m.to, m.days
        )?;
    }
    let days =
        format!("{} days of the calendar, {} of them in all feeds; {}", j.days, j.shared_days, j.bootstrap);
    writeln!(out, "<p>{}</p>", escape(&days))?;
    section(out, "Mean differences over the feeds", &differences(&j.compared))?;
    for more in &r.and {
        writeln!(
            out,
            "<h1>{}</h1>\n<p class=\"verdict\">{}</p>",
            escape(&more.facts.feed),
            escape(&more.verdict)
        )?;
        section(out, "Differences in every goal", &differences(&more.compared))?;
        let numbers = escape(&tables::facts(&more.facts)) + &escape(&tables::results(more));
        section(out, "All numbers", &format!("<pre>{numbers}</pre>"))?;
    }
    Ok(())
}

/// A table of text.
fn grid(header: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String], tag: &str| -> String {
        let each = cells.iter().map(|c| format!("<{tag}>{}</{tag}>", escape(c)));
        format!("<tr>{}</tr>\n", each.collect::<String>())
    };
    let body: String = rows.iter().map(|r| line(r, "td")).collect();
    format!("<div class=\"wide\"><table>{}{body}</table></div>", line(header, "th"))
}

/// Differences with their intervals: a row a pair, a column a goal.
fn differences(compared: &[Compared]) -> String {
    let goal = |g: &Goal| format!("{} {}, {}{}", g.of, g.words, g.unit, if g.up { " ↑" } else { "" });
    let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
    let mut header = words(&["system", "less", "Sharpe ratio ↑"]);
    header.extend(GOALS.iter().map(goal));
    header.extend(words(&["A orders per year", "A turnover, ×"]));
    let row = |c: &Compared| {
        let mut cells = vec![c.ours.clone(), c.theirs.clone(), words::between(c.sharpe, 1.0, 2)];
        cells.extend(GOALS.iter().map(|g| words::told(c, g)));
        cells.extend([words::signed(c.orders, 0), words::signed(c.turnover, 1)]);
        cells
    };
    grid(&header, &compared.iter().map(row).collect::<Vec<_>>()) + "<p>↑ more is better, else less is.</p>"
}

/// The goals of every system.
fn goals(r: &Report) -> String {
    let header = [
        "system",
        "LR deepest drawdown",
        "LR CVaR95 per day",
        "BM growth per year",
        "F to +10 %",
        "F longest under water, months",
        "F days under water",
        "A fills per year",
        "A turnover per year",
    ];
    let row = |name: &String| {
        let m = &r.arms.get(name)?.metrics;
        Some(vec![
            name.clone(),
            words::percent(m.max_drawdown, 1),
            words::percent(m.cvar95, 2),
            words::percent(m.cagr, 1),
            words::months(m.months_to_10),
            words::plain(m.longest_under_water, 1),
            words::percent(m.time_under_water, 0),
            words::plain(Some(m.orders), 0),
            words::times(m.turnover, 1),
        ])
    };
    grid(&header.map(str::to_owned), &r.ladder.iter().filter_map(row).collect::<Vec<_>>())
}

fn render(out: &mut String, r: &Report, arms: &[Arm], tracks: &Tracks) -> std::fmt::Result {
    let feed = escape(&r.facts.feed);
    writeln!(
        out,
        "<h1>Does talking help? {feed}, {} bars, {} to {}</h1>",
        escape(&r.facts.bar),
        escape(&r.facts.from),
        escape(&r.facts.to)
    )?;
    if r.facts.reproduction {
        out.push_str("<p class=\"repro\">A reproduction: the mechanism was designed on this data, so these numbers are no evidence of what comes.</p>\n");
    }
    if r.facts.known == DataOverlap::SameDays {
        writeln!(out, "<p class=\"repro\">{}.</p>", escape(r.facts.known.words()))?;
    }
    writeln!(out, "<p class=\"verdict\">{}</p>", escape(&r.verdict))?;
    for paragraph in explain::explain(r).split("\n\n").filter(|p| p.trim() != r.verdict) {
        writeln!(out, "<p>{}</p>", escape(paragraph))?;
    }
    section(out, "The ladder", &ladder(r))?;
    section(out, "What the hive is worth over each", &uplifts(r))?;
    section(out, "The goals of every system, at equal volatility", &goals(r))?;
    section(out, "Differences in every goal", &differences(&r.compared))?;
    if !r.controls.is_empty() {
        section(out, "Controls: hive − control", &controls(r))?;
    }
    if !r.services.is_empty() {
        section(out, "Agents that serve each other", &served(r))?;
    }
    if r.dose.len() > 1 {
        section(out, "Dose and response", &dose(r))?;
    }
    if r.voices.len() > 1 {
        section(out, "Voices", &voices(r))?;
    }
    let shown = [HIVE, STRONG, ALONE, RULE];
    let from = Stamp::parse(&r.facts.from).unwrap_or_default();
    for (title, shows) in [
        ("Equity at equal volatility: median and 10 to 90 % of the seeds", Shows::Equity),
        ("Drawdown at equal volatility", Shows::Drawdown),
    ] {
        let all: Vec<Band> = shown
            .iter()
            .filter_map(|name| {
                let arm = arms.iter().position(|a| a.name == *name)?;
                if tracks.iter().any(|t| check(&t[arm]).is_err()) {
                    return None;
                }
                Some(band(tracks, arm, name, r.facts.target_vol, shows))
            })
            .collect();
        section(out, title, &bands(shows, from, &all))?;
    }
    section(
        out,
        "All numbers",
        &format!("<pre>{}{}</pre>", escape(&tables::facts(&r.facts)), escape(&tables::results(r))),
    )
}

fn section(out: &mut String, title: &str, body: &str) -> std::fmt::Result {
    writeln!(out, "<h2>{}</h2>\n{body}", escape(title))
}

fn ladder(r: &Report) -> String {
    arms(r, r.ladder.iter().map(String::as_str), &[HIVE, STRONG, ALL])
}

fn arms<'a>(r: &Report, names: impl Iterator<Item = &'a str>, strong: &[&str]) -> String {
    let bar = |name: &str| {
        let a = r.arms.get(name)?;
        let (mean, sd) = (a.metrics.sharpe?, a.seed_sd.unwrap_or(0.0));
        Some(IntervalBar {
            name: name.to_owned(),
            mean,
            lo: mean - sd,
            hi: mean + sd,
            strong: strong.contains(&name),
        })
    };
    let all: Vec<IntervalBar> = names.filter_map(bar).collect();
    bars("Sharpe ratio, mean and standard deviation over seeds", &all)
}

/// From nobody serving to one account that knows everything, what the hive has over each, and what working its
/// orders costs.
fn served(r: &Report) -> String {
    let rungs = [ALL, services::SILO, services::ACCOUNT, services::CENTRE, services::SERVED];
    let mut out = arms(r, rungs.into_iter(), &[services::SERVED]);
    let wrong = |(name, c): (&String, &super::report::ServiceControl)| IntervalBar {
        name: name.clone(),
        mean: c.hive_minus_control.mean,
        lo: c.hive_minus_control.lo,
        hi: c.hive_minus_control.hi,
        strong: c.hive_minus_control.lo > 0.0,
    };
    let controls: Vec<IntervalBar> = r.service_controls.iter().map(wrong).collect();
    if !controls.is_empty() {
        out += &bars("right messages over wrong ones: Δ Sharpe ratio with its 95 % interval", &controls);
    }
    let hive = r.services.iter().find_map(|s| s.working).map(|w| (services::SERVED, w));
    let blind = r.blind.as_ref().map(|b| (services::BLIND_WORKED, b.working));
    let costs: Vec<IntervalBar> =
        [hive, blind].into_iter().flatten().flat_map(|(name, w)| cost(name, &w)).collect();
    if !costs.is_empty() {
        out += &bars("cost of an order against its arrival price in bp, with its 95 % interval", &costs);
    }
    out
}

fn cost(name: &str, w: &WorkingCost) -> [IntervalBar; 2] {
    let Interval { mean, lo, hi } = w.effective_bp;
    let t = w.taking_bp;
    [
        IntervalBar { name: name.to_owned(), mean, lo, hi, strong: hi < t },
        IntervalBar { name: "by taking".to_owned(), mean: t, lo: t, hi: t, strong: false },
    ]
}

fn uplifts(r: &Report) -> String {
    let name = |key: &str| match key {
        "vs_alone" => ALONE.to_owned(),
        "vs_strong" => format!("{STRONG}, the strong one"),
        "vs_all" => ALL.to_owned(),
        "vs_tsmom6" => RULE.to_owned(),
        "vs_sum_silo" => format!("{}, with services", services::SILO),
        "vs_net_account" => format!("{}, with services", services::ACCOUNT),
        "vs_best_centre" => "best centre, with services".to_owned(),
        "served_vs_all" => format!("{ALL}, with services"),
        VS_OTHER => "the other file's hive".to_owned(),
        other => other.to_owned(),
    };
    let bar = |(key, u): (&String, &super::report::Uplift)| {
        let Interval { mean, lo, hi } = u.sharpe?;
        Some(IntervalBar { name: name(key), mean, lo, hi, strong: lo > 0.0 })
    };
    bars("Δ Sharpe ratio with its 95 % interval", &r.uplift.iter().filter_map(bar).collect::<Vec<_>>())
}

fn controls(r: &Report) -> String {
    let bar = |(name, c): (&String, &super::report::ControlReport)| {
        let Interval { mean, lo, hi } = c.hive_minus_control?;
        let name = format!("{name}{}", if c.pass { "" } else { " ✗" });
        Some(IntervalBar { name, mean, lo, hi, strong: c.pass })
    };
    bars(
        "Δ Sharpe ratio with its 95 % interval; ✗ failed",
        &r.controls.iter().filter_map(bar).collect::<Vec<_>>(),
    )
}

fn dose(r: &Report) -> String {
    let base = r.dose.first().and_then(|d| d.sharpe);
    let point = |d: &super::report::Dose| {
        let (base, over) = base.zip(d.vs_strong)?;
        // The interval of the difference, about the baseline's own value.
        let (lo, hi) = (base + over.lo, base + over.hi);
        Some(IntervalBar { name: format!("{}", d.lambda), mean: d.sharpe?, lo, hi, strong: true })
    };
    steps("λ; 0 is net-eq", &r.dose.iter().filter_map(point).collect::<Vec<_>>())
}

fn voices(r: &Report) -> String {
    let point = |v: &super::report::Voices| {
        let (mean, sd) = (v.sharpe?, v.seed_sd.unwrap_or(0.0));
        Some(IntervalBar { name: v.m.to_string(), mean, lo: mean - sd, hi: mean + sd, strong: true })
    };
    steps(
        "voices in one account; band: standard deviation over seeds",
        &r.voices.iter().filter_map(point).collect::<Vec<_>>(),
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
