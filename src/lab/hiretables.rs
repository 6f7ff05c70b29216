//! Whether the swarm gets stronger as it goes on, as text: what hiring by a rule has over hiring by chance, the run part by part, and
//! a plain word.

use super::bootstrap::Interval;
use super::hires::{ADDS, CHANCE, RECORD};
use super::{ALONE, HIVE, Report, STRONG, words};
use crate::lab::goals::Compared;
use std::fmt::Write;

/// What was compared, and the run part by part; nothing where it was not asked for.
pub fn table(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.hiring.is_empty() && !r.compared.iter().any(is_hiring) {
        return Ok(());
    }
    pairs(out, &r.compared)?;
    write!(out, "{:<18} {:>7} {:>9}", "part of the run", "voices", "closed")?;
    let over = r.hiring.first().map_or(&[][..], |p| &p.over);
    for d in over {
        write!(out, " {:>30}", format!("{} − {}", d.ours, d.theirs))?;
    }
    writeln!(out)?;
    for p in &r.hiring {
        write!(out, "{:<18} {:>7.0} {:>9.0}", p.part, p.voices, p.closed)?;
        for d in &p.over {
            write!(out, " {:>30}", words::between(d.sharpe, 1.0, 2))?;
        }
        writeln!(out)?;
    }
    writeln!(out)
}

/// The pairs alone, as over several markets.
pub fn pairs(out: &mut String, compared: &[Compared]) -> std::fmt::Result {
    let rows: Vec<&Compared> = compared.iter().filter(|c| is_hiring(c)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "{:<34} {:>20} {:>8} {:>9}",
        "taking in scouts: this less that", "Sharpe ratio", "orders", "turnover"
    )?;
    for c in rows {
        let name = format!("{} less {}", c.ours, c.theirs);
        let sharpe = words::between(c.sharpe, 1.0, 2);
        let (orders, turnover) = (words::signed(c.orders, 0), words::signed(c.turnover, 1));
        writeln!(out, "{name:<34} {sharpe:>20} {orders:>8} {turnover:>9}")?;
    }
    writeln!(out)
}

fn is_hiring(c: &Compared) -> bool {
    let ours = c.ours.as_str();
    let is_over = ours == ADDS || ours == RECORD || CHANCE.contains(&ours);
    is_over && c.theirs != ALONE
}

/// What it comes to, in words and without a number that is not in the report.
pub fn explain(r: &Report) -> Option<String> {
    let all = r.joint.as_ref().map_or(&r.compared, |j| &j.compared);
    let of = |ours: &str, theirs: &str| all.iter().find(|c| c.ours == ours && c.theirs == theirs)?.sharpe;
    let over: Vec<Interval> = CHANCE.iter().filter_map(|chance| of(ADDS, chance)).collect();
    if over.is_empty() {
        return None;
    }
    let verdict = match () {
        () if over.iter().all(|i| i.lo > 0.0) => "Yes, against each draw of chance.",
        () if over.iter().all(|i| i.hi < 0.0) => "No: it is worse than each draw of chance.",
        () => "No: it is not told apart from chance.",
    };
    let each: Vec<String> = over.iter().map(|i| words::between(Some(*i), 1.0, 2)).collect();
    let grows = |ours: &str, theirs: &str| {
        let told = |p: &super::report::HiringPart| {
            p.over.iter().find(|d| d.ours == ours && d.theirs == theirs).and_then(|d| d.sharpe)
        };
        let (first, last) = (told(r.hiring.first()?)?, told(r.hiring.last()?)?);
        let word = match () {
            () if last.lo > first.hi => "it grows: the last part's whole interval is above the first's",
            () if last.hi < first.lo => "it falls: the last part's whole interval is below the first's",
            () => "no growth is told: the intervals of the first and the last part meet",
        };
        let (first, last) = (words::between(Some(first), 1.0, 2), words::between(Some(last), 1.0, 2));
        Some(format!("{ours} over {theirs} in the first part {first}, in the last {last}: {word}"))
    };
    let parts: Vec<String> =
        [(HIVE, ALONE), (STRONG, ALONE), (ADDS, STRONG)].iter().filter_map(|(a, b)| grows(a, b)).collect();
    Some(format!(
        "Is it better to take in who adds most to the rest? {verdict} Over three draws of chance: {}; over taking in nobody: {}. \
         Does the swarm get stronger as trades go by? {}.",
        each.join(", "),
        words::between(of(ADDS, STRONG), 1.0, 2),
        parts.join("; ")
    ))
}
