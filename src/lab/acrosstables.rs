//! What hearing across assets is worth as text: each arm against what it differs from in one thing, and a paragraph in words.

use super::across::HIVE_ACROSS;
use super::across_arm::CommonControl;
use super::across_trace::SharpeParts;
use super::goals::{Compared, GOALS};
use super::{HIVE, Report, words};
use std::fmt::Write;

/// Goals of the table.
const SHOWN: [&str; 3] = ["max_drawdown", "cvar95", "growth"];

/// All pairs of `--across`, where it was asked for.
pub fn table(out: &mut String, compared: &[Compared]) -> std::fmt::Result {
    let rows: Vec<&Compared> = compared.iter().filter(|c| is_across(c)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    write!(out, "{:<44} {:>20}", "hearing across assets: this less that", "Sharpe ratio")?;
    for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
        write!(out, " {:>21}", format!("{} {}", goal.of, goal.words).replace("deepest ", ""))?;
    }
    writeln!(out, " {:>8} {:>9}", "orders", "turnover")?;
    for c in rows {
        let name = format!("{} less {}", c.ours, c.theirs);
        write!(out, "{name:<44} {:>20}", words::between(c.sharpe, 1.0, 2))?;
        for goal in GOALS.iter().filter(|g| SHOWN.contains(&g.key)) {
            write!(out, " {:>21}", words::told(c, goal))?;
        }
        writeln!(out, " {:>8} {:>9}", words::signed(c.orders, 0), words::signed(c.turnover, 1))?;
    }
    writeln!(out)
}

/// Where the Sharpe ratio of what is split and of its controls comes from, and where what lies between two of them does.
pub fn traces(out: &mut String, r: &Report) -> std::fmt::Result {
    if r.across.is_empty() {
        return Ok(());
    }
    write!(out, "{:<44} {:>7}   {:>7}", "where the Sharpe ratio comes from", "Sharpe", "90 days")?;
    writeln!(out, "   then: said   off   costs  beside   1 − θ     off    said   alike")?;
    for t in &r.across {
        row(out, &t.name, [t.first, t.after])?;
        let [off, said] = [t.taken_risk, t.said_risk].map(|x| words::percent(Some(x), 1));
        writeln!(out, " {:>+7.2} {off:>7} {said:>7} {:>+7.2}", t.share, t.likeness)?;
    }
    let of = |name: &str| r.across.iter().find(|t| t.name == name);
    for c in &r.compared {
        if let (Some(a), Some(b)) = (of(&c.ours), of(&c.theirs)) {
            let name = format!("{} less {}", c.ours, c.theirs);
            row(out, &name, [a.first.less(&b.first), a.after.less(&b.after)])?;
            writeln!(out)?;
        }
    }
    writeln!(
        out,
        "parts of a ratio add up to it: all of the first 90 days, and then what came of what is said, of what is taken off it, of \
         costs and of what is held beside the aim; 1 − θ, the volatility of what is taken off and of what is said, and how alike \
         both are held, are of the days after 90\n"
    )
}

fn row(out: &mut String, name: &str, [first, after]: [SharpeParts; 2]) -> std::fmt::Result {
    write!(out, "{name:<44} {:>+7.3} = {:>+7.3}", first.sum() + after.sum(), first.sum())?;
    let SharpeParts { said, taken, costs, beside } = after;
    write!(out, " {said:>+7.3} {taken:>+7.3} {costs:>+7.3} {beside:>+7.3}")
}

/// Whether a pair is one of this mode's, by who is ahead in it: no other arm has such a name.
fn is_across(c: &Compared) -> bool {
    let ours = c.ours.as_str();
    ours == HIVE_ACROSS
        || ["scouts", "halves", "net-eq+split", "tsmom6+split"].iter().any(|n| ours.starts_with(n))
}

/// What it comes to, in words and without a number that is not in the report.
pub fn explain(r: &Report) -> Option<String> {
    let all = r.joint.as_ref().map_or(&r.compared, |j| &j.compared);
    let of = |ours: &str, theirs: &str| all.iter().find(|c| c.ours == ours && c.theirs == theirs)?.sharpe;
    let split = of("scouts+split", "scouts+zone")?;
    let verdict = match () {
        () if split.lo > 0.0 => "more than without: its whole interval is above zero",
        () if split.hi < 0.0 => "less than without: its whole interval is below zero",
        () => "not told apart from without: its interval holds zero",
    };
    let wrong: Vec<String> = CommonControl::ALL
        .iter()
        .filter_map(|(_, word, _)| {
            let over = of("scouts+split", &format!("scouts+split {word}"))?;
            Some(format!("{word} {}", words::between(Some(over), 1.0, 2)))
        })
        .collect();
    let over = |theirs: &str| words::between(of("scouts+split", theirs), 1.0, 2);
    Some(format!(
        "Hearing across assets, the same voices in the same account: {} in the Sharpe ratio, {verdict}. Over accounts that take \
         off what must not help: {}. Over plain momentum with a zone: {}, and over the same rule split likewise: {}. The hive as \
         it is set up, hearing across assets, less itself: {}.",
        words::between(Some(split), 1.0, 2),
        wrong.join(", "),
        over("tsmom6+zone"),
        over("tsmom6+split"),
        words::between(of(HIVE_ACROSS, HIVE), 1.0, 2),
    ))
}
