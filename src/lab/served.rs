//! What is said of services: what each gave and to whom, what each is worth, what wrong messages leave of it,
//! and the rungs from accounts of their own to the account that knows all.

use super::arms::ArmKind;
use super::report::{BlindReport, Report, Sample, ServiceControl, ServiceReport, over};
use super::services::{ACCOUNT, BLIND, BLIND_WORKED, CENTRE, SERVED, SILO};
use super::stats::{DAYS_A_YEAR, mean};
use super::stream::ServiceGains;
use super::working;
use super::{ALL, HIVE};

/// What is said of services, if there were any; else what was not run.
pub(super) fn serve(report: &mut Report, sample: &Sample<'_>) {
    let rungs = [
        ("vs_sum_silo", SILO),
        ("vs_net_account", ACCOUNT),
        ("vs_best_centre", CENTRE),
        ("served_vs_all", ALL),
    ];
    let Some(served) = sample.index_of(SERVED) else {
        report.not_run = [SILO, ACCOUNT, CENTRE].map(str::to_owned).to_vec();
        return;
    };
    for (key, other) in rungs {
        if let Some(u) = over(&report.facts, sample, SERVED, other) {
            report.uplift.insert(key.to_owned(), u);
        }
    }
    // As it is set up (its own λ, points, managers and services), beside the arm that only listens.
    for (key, other) in
        [("hive_vs_sum_silo", SILO), ("hive_vs_net_account", ACCOUNT), ("hive_vs_best_centre", CENTRE)]
    {
        if let Some(u) = over(&report.facts, sample, HIVE, other) {
            report.uplift.insert(key.to_owned(), u);
        }
    }
    for arm in sample.arms.iter().filter(|a| a.is_misserved()) {
        let (theirs, minus) = (sample.delta(&arm.name, SILO), sample.delta(SERVED, &arm.name));
        if let (Some(vs_sum_silo), Some(hive_minus_control)) = (theirs, minus) {
            let control = ServiceControl { what: arm.what.to_owned(), vs_sum_silo, hive_minus_control };
            report.service_controls.insert(arm.name.clone(), control);
        }
    }
    for arm in sample.arms {
        if let (ArmKind::Served(_), Some(worth)) = (&arm.kind, sample.delta(SERVED, &arm.name))
            && arm.name != SERVED
        {
            report.service_worth.insert(arm.name.clone(), worth);
        }
    }
    let years = (sample.days() as f64 / DAYS_A_YEAR).max(f64::MIN_POSITIVE);
    let each: Vec<ServiceGains> = sample.tracks.iter().filter_map(|t| t[served].served).collect();
    let silo: Vec<ServiceGains> = sample
        .index_of(SILO)
        .map_or_else(Vec::new, |s| sample.tracks.iter().filter_map(|t| t[s].served).collect());
    let of = |of: &[ServiceGains], f: fn(&ServiceGains) -> f64| mean(&of.iter().map(f).collect::<Vec<_>>());
    let (carry, own) = (of(&each, |s| s.carry), of(&silo, |s| s.carry));
    let working = |arm: usize| working::cost(sample.tracks.iter().map(|t| &t[arm]));
    if let (Some(worth), Some(working)) =
        (sample.delta(BLIND_WORKED, BLIND), sample.index_of(BLIND_WORKED).and_then(working))
    {
        report.blind = Some(BlindReport { worth, working });
    }
    let working = working(served);
    let line = |name: &str, saved: f64, to: &str| ServiceReport {
        name: name.to_owned(),
        saved: saved / years,
        to: to.to_owned(),
        ..ServiceReport::default()
    };
    report.services = vec![
        // What a silo of its own would have earned, and what more the shared cash let it earn.
        line("carry", own.min(carry), "funding"),
        line("capital", carry - own.min(carry), "treasurer"),
        ServiceReport {
            effective_bp: working.map(|w| w.effective_bp.mean),
            taking_bp: working.map(|w| w.taking_bp),
            working,
            ..line("liquidity", of(&each, |s| s.liquidity), "market_making")
        },
    ];
}
