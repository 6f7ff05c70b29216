//! The goals as text for a terminal: of every system, of the hive against those it is held against, and of several
//! markets together.

use super::Report;
use super::arms::LeftOut;
use super::goals::{Compared, GOALS, Goal};
use super::report::Joint;
use super::{ALONE, HIVE, acrosstables, hiretables, reactiontables, words};
use std::fmt::Write;

/// Goals of the short table.
const SHORT: [&str; 3] = ["max_drawdown", "cvar95", "growth"];

/// Every system by goal.
pub fn arms(out: &mut String, r: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "{:<16} {:>10} {:>8} {:>9} {:>8} {:>9} {:>7} {:>9} {:>9}",
        "goals", "LR fall", "CVaR95", "BM /year", "F +10 %", "longest", "under", "A orders", "turnover"
    )?;
    for name in &r.ladder {
        let Some(a) = r.arms.get(name) else { continue };
        let m = &a.metrics;
        let longest = m.longest_under_water.map_or_else(|| words::EMPTY.to_owned(), |x| format!("{x:.1} m"));
        writeln!(
            out,
            "{name:<16} {:>10} {:>8} {:>9} {:>8} {longest:>9} {:>7} {:>9.0} {:>9}",
            words::percent(m.max_drawdown, 1),
            words::percent(m.cvar95, 2),
            words::percent(m.cagr, 1),
            words::months(m.months_to_10),
            words::percent(m.time_under_water, 0),
            m.orders,
            words::times(m.turnover, 1)
        )?;
    }
    writeln!(
        out,
        "at {:.0} % volatility; m months; orders per year are fills: an order that is filled in one piece is one\n",
        100.0 * r.facts.target_vol
    )
}

/// The hive against each that it is held against: a row a goal, a column a system.
pub fn versus(out: &mut String, compared: &[Compared]) -> std::fmt::Result {
    let held: Vec<&Compared> = compared.iter().filter(|c| c.ours == HIVE).collect();
    if held.is_empty() {
        return Ok(());
    }
    write!(out, "{:<31}", "hive less …")?;
    for c in &held {
        write!(out, " {:>22}", c.theirs)?;
    }
    writeln!(out)?;
    row(out, "Sharpe ratio", &held, |c| words::between(c.sharpe, 1.0, 2))?;
    for goal in &GOALS {
        let name = format!("{:<2} {}, {}", goal.of, goal.words, goal.unit);
        row(out, &name, &held, |c| words::told(c, goal))?;
    }
    row(out, "A  orders, per year", &held, |c| words::signed(c.orders, 0))?;
    row(out, "A  turnover, × per year", &held, |c| words::signed(c.turnover, 1))?;
    writeln!(out)
}

fn row(
    out: &mut String,
    name: &str,
    of: &[&Compared],
    cell: impl Fn(&Compared) -> String,
) -> std::fmt::Result {
    write!(out, "{name:<31}")?;
    for c in of {
        write!(out, " {:>22}", cell(c))?;
    }
    writeln!(out)
}

/// Every system against everybody alone, and the hive without one part of it against the hive, in short: the rest is in JSON and
/// HTML.
pub fn over_alone(out: &mut String, compared: &[Compared]) -> std::fmt::Result {
    over(out, compared, ALONE, |ours| ours != HIVE)?;
    over(out, compared, HIVE, |ours| LeftOut::ALL.iter().any(|(_, name, _)| *name == ours))
}

fn over(
    out: &mut String,
    compared: &[Compared],
    theirs: &str,
    is_shown: impl Fn(&str) -> bool,
) -> std::fmt::Result {
    let shown: Vec<&Goal> = GOALS.iter().filter(|g| SHORT.contains(&g.key)).collect();
    let all: Vec<&Compared> = compared.iter().filter(|c| c.theirs == theirs && is_shown(&c.ours)).collect();
    if all.is_empty() {
        return Ok(());
    }
    write!(out, "{:<16} {:>22}", format!("… less {theirs}"), "Sharpe ratio")?;
    for g in &shown {
        write!(out, " {:>22}", format!("{} {}, {}", g.of, g.words, g.unit).replace("deepest ", ""))?;
    }
    writeln!(out)?;
    for c in all {
        write!(out, "{:<16} {:>22}", c.ours, words::between(c.sharpe, 1.0, 2))?;
        for g in &shown {
            write!(out, " {:>22}", words::told(c, g))?;
        }
        writeln!(out)?;
    }
    writeln!(out)
}

/// Several markets together.
pub fn joint(j: &Joint) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, j);
    out
}

fn render(out: &mut String, j: &Joint) -> std::fmt::Result {
    writeln!(out, "JOINT: mean differences over {} feeds, on the same calendar days", j.markets.len())?;
    for m in &j.markets {
        let hive = words::plain(m.hive, 2);
        writeln!(out, "  {} · {} → {} · {} days · hive {hive}", m.feed, m.from, m.to, m.days)?;
    }
    writeln!(
        out,
        "  {} days of the calendar, {} of them in all feeds; {}\n",
        j.days, j.shared_days, j.bootstrap
    )?;
    versus(out, &j.compared)?;
    over_alone(out, &j.compared)?;
    acrosstables::table(out, &j.compared)?;
    hiretables::pairs(out, &j.compared)?;
    reactiontables::joint(out, &j.compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::bootstrap::Interval;

    #[test]
    fn a_difference_is_shown_in_its_unit_and_an_empty_one_as_a_dash() {
        let mut c = Compared::untold((HIVE.to_owned(), ALONE.to_owned()));
        c.goals.insert("growth".to_owned(), Some(Interval { mean: 0.013, lo: 0.006, hi: 0.021 }));
        let j = Joint { compared: vec![c], days: 100, shared_days: 60, ..Joint::default() };
        let text = joint(&j);
        assert!(text.contains("+1.3 [+0.6, +2.1]") && text.contains("60 of them in all feeds"), "{text}");
        let row = text.lines().find(|l| l.starts_with("LR deepest drawdown")).unwrap();
        assert!(row.ends_with(words::EMPTY), "{row}");
        assert!(text.lines().all(|l| !l.contains("NaN") && !l.contains("inf")), "{text}");
    }
}
