//! The closing report: what a trader wants to know when a run is over, in the order in which they
//! want to know it.

use crate::view::Summary;
use crate::view::summary::AgentLine;
use std::fmt::Write;

/// Agents listed at either end of the table.
const ENDS: usize = 6;

/// The report of a run.
pub fn closing(s: &Summary) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, s);
    out
}

fn render(out: &mut String, s: &Summary) -> std::fmt::Result {
    let day = |t: &str| t.get(..10).unwrap_or(t).to_owned();
    writeln!(
        out,
        "\n{}  {}  seed {}  {} → {}  decides every {}",
        s.mode,
        s.feed,
        s.seed,
        day(&s.from),
        day(&s.to),
        s.clock
    )?;
    writeln!(
        out,
        "{} agents with three lives, {} scouts, {} bars in {:.1} s  ·  fills: {}\n",
        s.agents.len(),
        s.scouts,
        grouped(s.bars),
        s.wall_s,
        s.fill_level
    )?;
    lives(out, s)?;
    goals(out, s)?;
    families(out, s)?;
    agents(out, s)?;
    talk(out, s)?;
    books(out, s)?;
    for note in &s.notes {
        writeln!(out, "! {note}")?;
    }
    writeln!(
        out,
        "state {}  decisions {}",
        &s.state_hash[..16.min(s.state_hash.len())],
        &s.decision_hash[..16.min(s.decision_hash.len())]
    )
}

fn lives(out: &mut String, s: &Summary) -> std::fmt::Result {
    writeln!(out, "{:<44}{:>14}{:>9}{:>10}{:>12}", "", "equity", "Sharpe", "vol/year", "drawdown")?;
    let rows = [
        (
            "alone: everybody deaf, same agents",
            &s.equity.alone,
            s.sharpe.alone,
            s.volatility.alone,
            s.max_drawdown.alone,
        ),
        ("sim: the same with open ears", &s.equity.sim, s.sharpe.sim, s.volatility.sim, s.max_drawdown.sim),
        (
            "real: one patient desk, on paper",
            &s.equity.real,
            s.sharpe.real,
            s.volatility.real,
            s.max_drawdown.real,
        ),
    ];
    for (name, equity, sharpe, vol, drawdown) in rows {
        writeln!(
            out,
            "{name:<44}{:>14}{sharpe:>9.2}{:>9.1}%{:>11.1}%",
            amount(equity),
            100.0 * vol,
            100.0 * drawdown
        )?;
    }
    writeln!(
        out,
        "One run with one seed. Alone and sim are not reinvested and not scaled to a risk target; Sharpe\n\
         ratios compare, sums of money do not. Whether talking helps needs pairs, controls and intervals.\n"
    )
}

fn goals(out: &mut String, s: &Summary) -> std::fmt::Result {
    let g = &s.goals;
    let months = match g.fast.months_to_10 {
        m if m >= crate::hive::goals::NEVER_MONTHS => "never at this pace".to_owned(),
        m => format!("{m:.1} months"),
    };
    writeln!(
        out,
        "goals  LR low risk {:>4.0}%  drawdown {:.1}%, CVaR95 {:.2}% a day, gross {:.2}×\n       \
         BM big money {:>3.0}%  growth {:+.1}% a year, {:+.1}% at target risk\n       \
         F fast {:>9.0}%  +10% in {}, under water {:.0}% of the time\n       \
         A automated {:>4.0}%  {:.1} interventions per 1,000 orders, trading {:.0}% of the time\n",
        100.0 * g.low_risk.score,
        100.0 * g.low_risk.drawdown,
        100.0 * g.low_risk.cvar95,
        g.low_risk.gross,
        100.0 * g.big_money.score,
        100.0 * g.big_money.growth,
        100.0 * g.big_money.growth_at_target_risk,
        100.0 * g.fast.score,
        months,
        100.0 * g.fast.time_under_water,
        100.0 * g.automated.score,
        g.automated.interventions_per_1000,
        100.0 * g.automated.running,
    )
}

fn families(out: &mut String, s: &Summary) -> std::fmt::Result {
    let mut names: Vec<&str> = s.agents.iter().map(|a| a.family.as_str()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    writeln!(
        out,
        "{:<20}{:>7}{:>8}{:>13}{:>13}{:>13}{:>9}",
        "family", "agents", "trades", "alone", "sim", "real", "points"
    )?;
    for name in names {
        let members: Vec<&AgentLine> = s.agents.iter().filter(|a| a.family == name).collect();
        let sum = |f: fn(&AgentLine) -> &str| members.iter().map(|a| number(f(a))).sum::<f64>();
        let trades: u32 = members.iter().map(|a| a.trades).sum();
        let points = 100.0 * members.iter().map(|a| a.points).sum::<f64>() / members.len() as f64;
        writeln!(
            out,
            "{name:<20}{:>7}{trades:>8}{:>13}{:>13}{:>13}{points:>9.0}",
            members.len(),
            signed(sum(|a| &a.alone_pnl)),
            signed(sum(|a| &a.sim_pnl)),
            signed(sum(|a| &a.real_pnl)),
        )?;
    }
    writeln!(out)
}

fn agents(out: &mut String, s: &Summary) -> std::fmt::Result {
    let mut order: Vec<&AgentLine> = s.agents.iter().collect();
    order.sort_by(|a, b| number(&b.real_pnl).total_cmp(&number(&a.real_pnl)).then(a.name.cmp(&b.name)));
    writeln!(
        out,
        "{:<10}{:<20}{:<12}{:>8}{:>12}{:>12}{:>12}{:>7}{:>8}",
        "agent", "family", "goal", "trades", "alone", "sim", "real", "points", "heard"
    )?;
    let hidden = order.len().saturating_sub(2 * ENDS);
    for (i, a) in order.iter().enumerate() {
        if hidden > 0 && i == ENDS {
            writeln!(out, "… {hidden} more, in the summary")?;
        }
        if hidden > 0 && (ENDS..ENDS + hidden).contains(&i) {
            continue;
        }
        writeln!(
            out,
            "{:<10}{:<20}{:<12}{:>8}{:>12}{:>12}{:>12}{:>7.0}{:>8}",
            a.name,
            a.family,
            a.goal,
            a.trades,
            signed(number(&a.alone_pnl)),
            signed(number(&a.sim_pnl)),
            signed(number(&a.real_pnl)),
            100.0 * a.points,
            grouped(a.messages_acted_on)
        )?;
    }
    writeln!(out)
}

fn talk(out: &mut String, s: &Summary) -> std::fmt::Result {
    let m = &s.messages;
    writeln!(
        out,
        "messages {}: open {}+{}, increase {}+{}, decrease {}+{}, close {}+{} (long+short), outcomes {}, stances {}, goals {}, adjustments {}",
        grouped(m.total()),
        m.open_long,
        m.open_short,
        m.increase_long,
        m.increase_short,
        m.decrease_long,
        m.decrease_short,
        m.close_long,
        m.close_short,
        m.outcome,
        m.stance,
        m.goal,
        m.adjustment
    )
}

fn books(out: &mut String, s: &Summary) -> std::fmt::Result {
    let (crossed, traded) = (number(&s.crossed_notional), number(&s.traded_notional));
    let share = if crossed + traded > 0.0 { 100.0 * crossed / (crossed + traded) } else { 0.0 };
    writeln!(
        out,
        "desk: {} orders, {} traded, {} crossed inside ({share:.0}%), fees {}; books {}\n",
        grouped(s.orders),
        amount(&s.traded_notional),
        amount(&s.crossed_notional),
        amount(&s.fees),
        if s.ledger_balanced { "balance to the last digit" } else { "DO NOT BALANCE" }
    )
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// A sum of money in whole units with thousands set apart.
fn amount(text: &str) -> String {
    let x = number(text);
    let sign = if x < 0.0 { "-" } else { "" };
    format!("{sign}{}", grouped(libm::rint(libm::fabs(x)) as u64))
}

/// Likewise, always with its sign.
fn signed(x: f64) -> String {
    let sign = if libm::rint(x) < 0.0 { '-' } else { '+' };
    format!("{sign}{}", grouped(libm::rint(libm::fabs(x)) as u64))
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_set_in_thousands() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(amount("-1234.6"), "-1,235");
        assert_eq!(signed(-0.2), "+0");
        assert_eq!(signed(1_000.0), "+1,000");
    }
}
