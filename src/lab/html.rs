//! The report as one self-contained page: verdict, facts, tables and pictures. No script, nothing loaded.

use super::Report;
use super::against::VS_OTHER;
use super::arms::Arm;
use super::bootstrap::Interval;
use super::draw::{Band, Bar, Shows, band, bands, bars, steps};
use super::study::Tracks;
use super::working::WorkingCost;
use super::{ALL, ALONE, HIVE, RULE, STRONG, explain, services, tables};
use crate::domain::Stamp;
use std::fmt::Write;

pub(super) const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:860px;margin:2em auto;padding:0 1em;color:#333}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}pre{font:12px/1.35 monospace;overflow-x:auto;\
background:#f6f6f6;padding:.8em}.verdict{border-left:4px solid #0072b2;padding-left:1em}\
.repro{background:#fff3e0;padding:.5em 1em}svg{max-width:100%;height:auto}";

/// The page.
pub fn page(r: &Report, arms: &[Arm], tracks: &Tracks) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, r, arms, tracks);
    out
}

fn render(out: &mut String, r: &Report, arms: &[Arm], tracks: &Tracks) -> std::fmt::Result {
    let feed = escape(&r.facts.feed);
    write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>hive lab: {feed}</title><style>{STYLE}</style></head><body>\n\
         <h1>Does talking help? {feed}, {} bars, {} to {}</h1>\n",
        escape(&r.facts.bar),
        escape(&r.facts.from),
        escape(&r.facts.to)
    )?;
    if r.facts.reproduction {
        out.push_str("<p class=\"repro\">A reproduction: the mechanism was designed on this data, so these numbers are no evidence of what comes.</p>\n");
    }
    writeln!(out, "<p class=\"verdict\">{}</p>", escape(&r.verdict))?;
    for paragraph in explain::explain(r).split("\n\n").filter(|p| p.trim() != r.verdict) {
        writeln!(out, "<p>{}</p>", escape(paragraph))?;
    }
    section(out, "The ladder", &ladder(r))?;
    section(out, "What the hive is worth over each", &uplifts(r))?;
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
                Some(band(tracks, arm, name, r.facts.target_vol, shows))
            })
            .collect();
        section(out, title, &bands(shows, from, &all))?;
    }
    section(
        out,
        "All numbers",
        &format!("<pre>{}{}</pre>", escape(&tables::facts(&r.facts)), escape(&tables::results(r))),
    )?;
    out.push_str("</body></html>\n");
    Ok(())
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
        let (mean, sd) = (a.metrics.sharpe, a.seed_sd);
        Some(Bar {
            name: name.to_owned(),
            mean,
            lo: mean - sd,
            hi: mean + sd,
            strong: strong.contains(&name),
        })
    };
    let all: Vec<Bar> = names.filter_map(bar).collect();
    bars("Sharpe ratio, mean and standard deviation over seeds", &all)
}

/// From nobody serving to one account that knows everything, what the hive has over each, and what working its
/// orders costs.
fn served(r: &Report) -> String {
    let rungs = [ALL, services::SILO, services::ACCOUNT, services::CENTRE, services::SERVED];
    let mut out = arms(r, rungs.into_iter(), &[services::SERVED]);
    let wrong = |(name, c): (&String, &super::served::ServiceControl)| Bar {
        name: name.clone(),
        mean: c.hive_minus_control.mean,
        lo: c.hive_minus_control.lo,
        hi: c.hive_minus_control.hi,
        strong: c.hive_minus_control.lo > 0.0,
    };
    let controls: Vec<Bar> = r.service_controls.iter().map(wrong).collect();
    if !controls.is_empty() {
        out += &bars("right messages over wrong ones: Δ Sharpe ratio with its 95 % interval", &controls);
    }
    let hive = r.services.iter().find_map(|s| s.working).map(|w| (services::SERVED, w));
    let blind = r.blind.as_ref().map(|b| (services::BLIND_WORKED, b.working));
    let costs: Vec<Bar> = [hive, blind].into_iter().flatten().flat_map(|(name, w)| cost(name, &w)).collect();
    if !costs.is_empty() {
        out += &bars("cost of an order against its arrival price in bp, with its 95 % interval", &costs);
    }
    out
}

fn cost(name: &str, w: &WorkingCost) -> [Bar; 2] {
    let Interval { mean, lo, hi } = w.effective_bp;
    let t = w.taking_bp;
    [
        Bar { name: name.to_owned(), mean, lo, hi, strong: hi < t },
        Bar { name: "by taking".to_owned(), mean: t, lo: t, hi: t, strong: false },
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
    let bar = |(key, u): (&String, &super::report::Uplift)| Bar {
        name: name(key),
        mean: u.sharpe.mean,
        lo: u.sharpe.lo,
        hi: u.sharpe.hi,
        strong: u.sharpe.lo > 0.0,
    };
    bars("Δ Sharpe ratio with its 95 % interval", &r.uplift.iter().map(bar).collect::<Vec<_>>())
}

fn controls(r: &Report) -> String {
    let bar = |(name, c): (&String, &super::report::ControlReport)| Bar {
        name: format!("{name}{}", if c.pass { "" } else { " ✗" }),
        mean: c.hive_minus_control.mean,
        lo: c.hive_minus_control.lo,
        hi: c.hive_minus_control.hi,
        strong: c.pass,
    };
    bars("Δ Sharpe ratio with its 95 % interval; ✗ failed", &r.controls.iter().map(bar).collect::<Vec<_>>())
}

fn dose(r: &Report) -> String {
    let base = r.dose.first().map_or(0.0, |d| d.sharpe);
    let point = |d: &super::report::Dose| Bar {
        name: format!("{}", d.lambda),
        mean: d.sharpe,
        // The interval of the difference, about the baseline's own value.
        lo: base + d.vs_strong.lo,
        hi: base + d.vs_strong.hi,
        strong: true,
    };
    steps("λ; 0 is net-eq", &r.dose.iter().map(point).collect::<Vec<_>>())
}

fn voices(r: &Report) -> String {
    let point = |v: &super::report::Voices| Bar {
        name: v.m.to_string(),
        mean: v.sharpe,
        lo: v.sharpe - v.seed_sd,
        hi: v.sharpe + v.seed_sd,
        strong: true,
    };
    steps(
        "voices in one account; band: standard deviation over seeds",
        &r.voices.iter().map(point).collect::<Vec<_>>(),
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
