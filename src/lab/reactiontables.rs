//! What answering is worth as text: a row an arm, for a terminal, and a paragraph in words.

use super::Report;
use super::goals::{Compared, GOALS};
use super::reactions::{ALL, HIVE_OPEN, NONE};
use super::report::{ReactionReport, ReactionWorth};
use super::words;
use std::fmt::Write;

/// Goals of the table.
const SHOWN: [&str; 4] = ["max_drawdown", "cvar95", "growth", "time_under_water"];

/// All arms of reactions, where they were asked for.
pub fn table(out: &mut String, r: &Report) -> std::fmt::Result {
    let Some(told) = &r.reactions else { return Ok(()) };
    write!(
        out,
        "{:<32} {:>7} {:>6} {:>20} {:>6}",
        "money on open lives, λ = 0", "deeds", "apart", "Sharpe ratio", "Holm"
    )?;
    for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
        write!(out, " {:>21}", format!("{} {}", goal.of, goal.words).replace("deepest ", ""))?;
    }
    writeln!(out, " {:>8} {:>9}", "orders", "turnover")?;
    let groups = [
        ("each alone less none", &told.alone),
        ("all less all but this one", &told.left_out),
        ("all less all that hear", &told.controls),
    ];
    if let Some(all) = &told.all {
        row(out, "all less none", all)?;
    }
    for (head, group) in groups {
        writeln!(out, "  {head}")?;
        for (name, line) in group {
            row(out, name, line)?;
        }
    }
    if let Some(hive) = &told.hive {
        row(out, "hive: money on open less alone", hive)?;
    }
    if told.is_net_eq == Some(false) {
        writeln!(out, "! without reactions it is NOT net-eq: nothing of this counts")?;
    }
    writeln!(
        out,
        "deeds that others swayed, mean over seeds; apart: share of barriers at which open lives differ from alone ones; Holm: \
         the probability of so large a difference without any, corrected for all that were looked at; – never acted\n"
    )
}

/// The same of several markets together: the pairs of reactions, without what only a market by itself can count.
pub fn joint(out: &mut String, compared: &[Compared]) -> std::fmt::Result {
    let is_reacting =
        |c: &&Compared| [&c.ours, &c.theirs].iter().any(|n| **n == ALL || **n == NONE || **n == HIVE_OPEN);
    let rows: Vec<&Compared> =
        compared.iter().filter(is_reacting).filter(|c| c.theirs != super::ALONE).collect();
    if rows.is_empty() {
        return Ok(());
    }
    write!(out, "{:<44} {:>20}", "money on open lives: this less that", "Sharpe ratio")?;
    for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
        write!(out, " {:>21}", format!("{} {}", goal.of, goal.words).replace("deepest ", ""))?;
    }
    writeln!(out)?;
    for c in rows {
        write!(
            out,
            "{:<44} {:>20}",
            format!("{} less {}", c.ours, c.theirs),
            words::between(c.sharpe, 1.0, 2)
        )?;
        for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
            write!(out, " {:>21}", words::told(c, goal))?;
        }
        writeln!(out)?;
    }
    writeln!(out)
}

fn row(out: &mut String, name: &str, line: &ReactionWorth) -> std::fmt::Result {
    let c = &line.compared;
    write!(
        out,
        "{name:<32} {:>7.0} {:>6} {:>20} {:>6}",
        line.deeds,
        words::percent(Some(line.company), 0),
        words::between(c.sharpe, 1.0, 2),
        words::plain(line.holm, 2)
    )?;
    for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
        write!(out, " {:>21}", words::told(c, goal))?;
    }
    writeln!(out, " {:>8} {:>9}", words::signed(c.orders, 0), words::signed(c.turnover, 1))
}

/// What it comes to, in words and without a number that is not in the report.
pub fn explain(r: &ReactionReport) -> Option<String> {
    let all = r.all.as_ref()?;
    let sharpe = all.compared.sharpe?;
    let verdict = match () {
        () if sharpe.lo > 0.0 => "more than nothing: its whole interval is above zero",
        () if sharpe.hi < 0.0 => "less than nothing: its whole interval is below zero",
        () => "not told apart from nothing: its interval holds zero",
    };
    let told = |group: &std::collections::BTreeMap<String, ReactionWorth>| -> Vec<String> {
        let sure = group.iter().filter(|(_, l)| l.holm.is_some_and(|p| p < 0.05));
        sure.map(|(name, l)| format!("{name} ({})", words::between(l.compared.sharpe, 1.0, 2))).collect()
    };
    let (alone, tested) = (told(&r.alone), r.alone.values().filter(|l| l.holm.is_some()).count());
    let singly = if alone.is_empty() {
        format!(
            "Of the {tested} reactions that acted, none is told apart from nothing alone, once all were counted."
        )
    } else {
        format!(
            "Told apart from nothing alone, once all {tested} that acted were counted: {}.",
            alone.join(", ")
        )
    };
    let wrong: Vec<String> = r
        .controls
        .iter()
        .filter_map(|(name, l)| Some(format!("{name} {}", words::between(Some(l.compared.sharpe?), 1.0, 2))))
        .collect();
    Some(format!(
        "Answering, with money on the open lives and nothing else changed: {} in the Sharpe ratio, {verdict}; open lives differed \
         from alone ones at {} of barriers. {singly} What hearing the truth has over the same reactions hearing wrong words: {}. \
         A difference that wrong words give as well is not of what was heard.",
        words::between(Some(sharpe), 1.0, 2),
        words::percent(Some(all.company), 0),
        wrong.join(", ")
    ))
}
