//! The closing report: what a trader wants to know when a run is over, in the order in which they
//! want to know it: which market, which life earned what, the goals, who did it, the talk, the desk and
//! its books, and what to be wary of. At most a hundred columns, as long as names and sums allow it.

use super::table::{TextTable, short, wrap};
use crate::domain::{FamilyId, Goal};
use crate::engine::readings::RuinCounts;
use crate::hive::emergence::SharpeGain;
use crate::hive::evidence::ENOUGH;
use crate::recorder::families::{FamilyMoney, FamilyRow};
use crate::recorder::summary::{AgentLine, EmergenceLine};
use crate::recorder::{FamilyTable, Summary};
use crate::view::{letters, of_emergence, unknown_emergence};
use std::fmt::Write;

/// Agents listed at either end of the table.
const ENDS: usize = 5;
/// Letters of a name.
const NAME: usize = 12;
/// Columns of a line of prose.
const WIDTH: usize = 100;
/// Digits of a hash that tell two runs apart.
const HASH: usize = 16;

/// The report of a run.
pub fn closing(s: &Summary) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, s);
    out
}

fn render(out: &mut String, s: &Summary) -> std::fmt::Result {
    head(out, s)?;
    lives(out, s)?;
    goals(out, s)?;
    families(out, s)?;
    agents(out, s)?;
    talk(out, s)?;
    desk(out, s)?;
    for note in &s.notes {
        out.push_str(&wrap("! ", note, WIDTH));
    }
    let hash = |h: &str| h.get(..HASH).unwrap_or(h).to_owned();
    writeln!(
        out,
        "state {}  decisions {}  data {}",
        hash(&s.state_hash),
        hash(&s.decision_hash),
        hash(&s.data_hash)
    )?;
    match &s.ruined {
        Some(why) => write!(out, "{}", wrap("RUINED ", why, WIDTH)),
        None => Ok(()),
    }
}

fn head(out: &mut String, s: &Summary) -> std::fmt::Result {
    let day = |t: &str| t.get(..10).unwrap_or(t).to_owned();
    // The embedded market is called after its mode.
    let name = if s.mode.eq_ignore_ascii_case(&s.feed) { String::new() } else { format!(" {}", s.feed) };
    writeln!(
        out,
        "{}{name} · PAPER · {} → {} · decides every {} · seed {}{}",
        s.mode,
        day(&s.from),
        day(&s.to),
        s.clock,
        s.seed,
        if s.deaf { " · DEAF" } else { "" }
    )?;
    writeln!(
        out,
        "{} {} · {} agents in three lives, {} scouts · {} bars in {:.1} s",
        amount(&s.capital),
        s.currency,
        s.agents.len(),
        s.scouts,
        grouped(s.bars),
        s.wall_s
    )?;
    writeln!(out, "fills {}\n", s.fill_level)
}

fn lives(out: &mut String, s: &Summary) -> std::fmt::Result {
    let capital = number(&s.capital);
    let mut table = TextTable::new(2, &["life", "", "equity", "gain", "Sharpe", "vol/year", "max drawdown"]);
    let (e, sharpe, vol, fall) = (&s.equity, &s.sharpe, &s.volatility, &s.max_drawdown);
    for (life, what, equity, sharpe, vol, fall) in [
        ("alone", "everybody deaf", &e.alone, sharpe.alone, vol.alone, fall.alone),
        ("open", "the same agents with open ears", &e.open, sharpe.open, vol.open, fall.open),
        ("real", "what their one desk held", &e.real, sharpe.real, vol.real, fall.real),
    ] {
        table.row([
            life.to_owned(),
            what.to_owned(),
            amount(equity),
            percent(number(equity) / capital - 1.0, 1, true),
            format!("{sharpe:.2}"),
            percent(vol, 1, false),
            percent(fall, 1, false),
        ]);
    }
    table.render(out)?;
    ruins(out, s);
    if s.deaf {
        writeln!(out, "everybody is deaf: open = alone by construction")?;
    } else {
        writeln!(
            out,
            "Sharpe: listening {:+.2} (open − alone), desk {:+.2} (real − open)",
            s.sharpe.open - s.sharpe.alone,
            s.sharpe.real - s.sharpe.open
        )?;
    }
    writeln!(
        out,
        "Alone and open are of fixed size, real is reinvested at the desk's risk target: compare Sharpe\n\
         ratios, not sums. One run with one seed proves nothing.\n"
    )
}

/// How many of the simulated lives lost all that they had, where any did.
fn ruins(out: &mut String, s: &Summary) {
    type OfLife = fn(&RuinCounts) -> u32;
    let lives: [(&str, OfLife, &str); 2] =
        [("alone", |r| r.alone, &s.borne.alone), ("open", |r| r.open, &s.borne.open)];
    for (life, count, borne) in lives {
        let each = s.agents.iter().map(|a| count(&a.ruins));
        let (lost, of) = (each.clone().sum::<u32>(), each.filter(|n| *n > 0).count());
        if lost > 0 {
            let stake = number(&s.capital) / s.agents.len().max(1) as f64;
            let beyond = match amount(borne).as_str() {
                "0" => String::new(),
                borne => format!("; venues bore {borne} beyond"),
            };
            let told = format!(
                "{of} of {} agents, {} stakes of about {} lost whole, each put up anew{beyond}",
                s.agents.len(),
                grouped(u64::from(lost)),
                amount(&stake.to_string())
            );
            out.push_str(&wrap(&format!("{life} ruined: "), &told, WIDTH));
        }
    }
}

/// A sum with how often the stake behind it was lost.
fn with_ruins(sum: String, ruins: u32) -> String {
    if ruins == 0 { sum } else { format!("{sum} ({ruins} ×)") }
}

fn goals(out: &mut String, s: &Summary) -> std::fmt::Result {
    let g = &s.goals;
    let months = match g.fast.months_to_10 {
        m if m >= crate::hive::goals::NEVER_MONTHS => "never at this pace".to_owned(),
        m => format!("in {m:.1} months"),
    };
    let rows = [
        (
            Goal::LowRisk,
            g.low_risk.score,
            format!(
                "drawdown {} now, {} at most; CVaR95 {}/day; gross {:.2}× equity",
                percent(g.low_risk.drawdown, 1, false),
                percent(g.low_risk.max_drawdown, 1, false),
                percent(g.low_risk.cvar95, 2, false),
                g.low_risk.gross
            ),
        ),
        (
            Goal::BigMoney,
            g.big_money.score,
            format!(
                "growth {} per year, {} at the target risk",
                percent(g.big_money.growth, 1, true),
                percent(g.big_money.growth_at_target_risk, 1, true)
            ),
        ),
        (
            Goal::Fast,
            g.fast.score,
            format!("+10 % {months}; under water {} of the time", percent(g.fast.time_under_water, 0, false)),
        ),
        (
            Goal::Automated,
            g.automated.score,
            format!(
                "{:.1} interventions per 1,000 orders; trading {} of the time",
                g.automated.interventions_per_1000,
                percent(g.automated.running, 0, false)
            ),
        ),
    ];
    writeln!(out, "goal            reached")?;
    for (goal, score, numbers) in rows {
        writeln!(
            out,
            "{:<2}  {:<10}  {:>7}  {numbers}",
            letters(goal),
            spaced(goal.text()),
            percent(score, 0, false)
        )?;
    }
    let (gain, known) = told(&s.emergence, s.deaf);
    writeln!(out, "{:<2}  {:<10}  {gain:>7}  {known}", "E", "emergence")?;
    writeln!(out)
}

/// The gain and what is known of it, in the words of the cockpit; never more than is known.
fn told(e: &EmergenceLine, deaf: bool) -> (String, String) {
    let Some(g) = e.rungs.over_alone.filter(|_| !deaf) else {
        return ("?".to_owned(), unknown_emergence(deaf, e.days));
    };
    let sharpe = |gain: Option<SharpeGain>| gain.map_or("?".to_owned(), |g| format!("{:+.2}", g.sharpe));
    let known = format!(
        "SR over its parts alone, {} days: {} (evidence {:.1} of {ENOUGH})\n{:26}netting {}, listening {}, services {}; over net-eq {}",
        grouped(u64::from(g.days)),
        of_emergence(g.more, g.less),
        g.more.max(g.less),
        "",
        sharpe(e.rungs.netting),
        sharpe(e.rungs.listening),
        sharpe(e.rungs.services),
        sharpe(e.rungs.over_net_eq),
    );
    (format!("{:+.2}", g.sharpe), known)
}

fn families(out: &mut String, s: &Summary) -> std::fmt::Result {
    let mut table = TextTable::new(1, &["family", "agents", "trades", "alone", "open", "real", "points"]);
    let mut add = |name: &str, members: &[&AgentLine]| {
        let sum = |f: fn(&AgentLine) -> &str| signed(members.iter().map(|a| number(f(a))).sum::<f64>());
        let points = members.iter().map(|a| a.points).sum::<f64>() / members.len() as f64;
        table.row([
            spaced(name),
            members.len().to_string(),
            grouped(members.iter().map(|a| u64::from(a.trades)).sum()),
            with_ruins(sum(|a| &a.alone_pnl), members.iter().map(|a| a.ruins.alone).sum()),
            with_ruins(sum(|a| &a.open_pnl), members.iter().map(|a| a.ruins.open).sum()),
            sum(|a| &a.real_pnl),
            format!("{:.0}", 100.0 * points),
        ]);
    };
    for family in FamilyId::ALL {
        let members: Vec<&AgentLine> = s.agents.iter().filter(|a| a.family == family.text()).collect();
        if !members.is_empty() {
            add(family.text(), &members);
        }
    }
    add("all", &s.agents.iter().collect::<Vec<_>>());
    table.render(out)?;
    writeln!(out)
}

/// What each family did, by fill level.
pub fn by_family(table: &FamilyTable, currency: &str) -> String {
    let mut out = String::new();
    let mut shown = TextTable::new(
        2,
        &[
            "family", "level", "agents", "trades", "fees", "funding", "alone", "by touch", "real", "fills",
            "verdict",
        ],
    );
    for r in &table.rows {
        let maker = r.pnl != r.pnl_touch;
        shown.row([
            spaced(r.family),
            r.level.to_owned(),
            r.agents.to_string(),
            grouped(r.trades),
            signed(-r.fees),
            signed(r.funding),
            with_ruins(signed(r.pnl), r.ruins),
            if maker { signed(r.pnl_touch) } else { String::new() },
            signed(r.real.pnl),
            if r.is_structured() { grouped(r.real.fills) } else { String::new() },
            r.verdict.clone(),
        ]);
    }
    // Writing to a string cannot fail.
    let _ = shown.render(&mut out);
    let _ = writeln!(
        out,
        "Trades, fees, funding, alone and the verdict are of alone lives, in {currency}, after all costs. B: bars, L1: quotes\n\
         and trades, L2: books. Makers' PnL counts fills by through; where touch gives another sign, nothing is\n\
         established. The best edge is the best after all costs that was seen by a family that never opened: below\n\
         zero nothing ever paid. Real is what its agents' funds made, services for the desk included; fills are of\n\
         their own packages, which are larger or smaller than alone, as their funds are."
    );
    let _ = writeln!(out, "Fills {}.", table.fill_level);
    let refused: Vec<String> = table.rows.iter().filter_map(refusals).collect();
    if !refused.is_empty() {
        let _ = writeln!(out, "Packages that were not opened, or given up: {}.", refused.join("; "));
    }
    if table.rows.iter().any(|r| r.ruins > 0) {
        let _ =
            writeln!(out, "(n ×): so many times a life lost its whole stake, and another one was put up.");
    }
    out
}

/// What a family's packages were kept from; none where nothing was.
fn refusals(r: &FamilyRow) -> Option<String> {
    let FamilyMoney { refused, unwound, .. } = r.real;
    (refused + unwound > 0)
        .then(|| format!("{} {refused} refused, {unwound} with a leg alone too long", spaced(r.family)))
}

fn agents(out: &mut String, s: &Summary) -> std::fmt::Result {
    let mut order: Vec<&AgentLine> = s.agents.iter().collect();
    order.sort_by(|a, b| number(&b.real_pnl).total_cmp(&number(&a.real_pnl)).then(a.name.cmp(&b.name)));
    let mut table = TextTable::new(
        3,
        &["agent", "family", "for", "trades", "sent", "acted on", "alone", "open", "real", "points"],
    );
    let hidden = order.len().saturating_sub(2 * ENDS);
    for (i, a) in order.iter().enumerate() {
        if hidden > 0 && i == ENDS {
            table.remark(format!("… {hidden} more agents, all of them in the summary (--summary FILE)"));
        }
        if hidden > 0 && (ENDS..ENDS + hidden).contains(&i) {
            continue;
        }
        table.row([
            short(&a.name, NAME),
            spaced(&a.family),
            Goal::ALL.iter().find(|g| g.text() == a.goal).map_or("", |g| letters(*g)).to_owned(),
            grouped(u64::from(a.trades)),
            grouped(a.messages_sent),
            grouped(a.messages_acted_on),
            with_ruins(signed(number(&a.alone_pnl)), a.ruins.alone),
            with_ruins(signed(number(&a.open_pnl)), a.ruins.open),
            signed(number(&a.real_pnl)),
            format!("{:.0}", 100.0 * a.points),
        ]);
    }
    table.render(out)?;
    let lost = s.agents.iter().any(|a| a.ruins != RuinCounts::default());
    let ruined = if lost { "; (n ×): lost its whole stake n times" } else { "" };
    writeln!(out, "PnL in {}; points: everybody started with 100{ruined}.\n", s.currency)
}

fn talk(out: &mut String, s: &Summary) -> std::fmt::Result {
    let m = &s.messages;
    let total = format!("{} messages", grouped(m.total()));
    let mut table = TextTable::new(1, &[&total, "open", "increase", "decrease", "close"]);
    let row = |side: &str, counts: [u64; 4]| {
        let mut cells = vec![format!("  {side}")];
        cells.extend(counts.map(grouped));
        cells
    };
    table.row(row("long", [m.open_long, m.increase_long, m.decrease_long, m.close_long]));
    table.row(row("short", [m.open_short, m.increase_short, m.decrease_short, m.close_short]));
    table.render(out)?;
    writeln!(
        out,
        "  outcomes {} · stances {} · goals {} · adjustments by managers {}",
        grouped(m.outcome),
        grouped(m.stance),
        grouped(m.goal),
        grouped(m.adjustment)
    )?;
    company(out, s)?;
    writeln!(out)
}

/// What agents made of each other: deeds of open lives that others swayed, and how often that made a difference.
fn company(out: &mut String, s: &Summary) -> std::fmt::Result {
    if s.deeds == 0 {
        return Ok(());
    }
    let (waits, amended) = (s.messages_open.wait, s.messages_open.amend);
    writeln!(
        out,
        "  open lives: {} deeds swayed by others, {} of them waits, {} amended plans;\n  \
         half of the agents were elsewhere than alone at {:.0} % of their barriers or more",
        grouped(s.deeds),
        grouped(waits),
        grouped(amended),
        100.0 * s.company_share
    )
}

fn desk(out: &mut String, s: &Summary) -> std::fmt::Result {
    let (crossed, traded) = (number(&s.crossed_notional), number(&s.traded_notional));
    let share = if crossed + traded > 0.0 { crossed / (crossed + traded) } else { 0.0 };
    let fees = if traded > 0.0 { 1e4 * number(&s.fees) / traded } else { 0.0 };
    writeln!(
        out,
        "desk   {} orders, {} {} traded; {} crossed between agents at no cost ({})",
        grouped(s.orders),
        amount(&s.traded_notional),
        s.currency,
        amount(&s.crossed_notional),
        percent(share, 0, false)
    )?;
    let e = &s.emergence;
    writeln!(
        out,
        "       wanted {} orders by themselves; turnover per year {:.0}× alone, {:.0}× together, at one risk",
        grouped(e.orders_wanted),
        e.turnover.alone,
        e.turnover.together
    )?;
    let stopped_out = s.agents.iter().filter(|a| a.stopped_out).count();
    writeln!(out, "funds  {stopped_out} of {} agents are stopped out", s.agents.len())?;
    let books = if s.ledger_balanced { "balance to the last digit" } else { "DO NOT BALANCE" };
    writeln!(out, "books  {books}; fees {} ({fees:.1} bp of what was traded)", amount(&s.fees))?;
    // A ruin is told at the end, where nobody misses it.
    match s.halted.as_ref().filter(|_| s.ruined.is_none()) {
        Some(why) => writeln!(out, "{}", wrap("HALTED ", why, WIDTH)),
        None => writeln!(out),
    }
}

/// `low_risk` as people write it.
fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

fn percent(x: f64, digits: usize, sign: bool) -> String {
    if sign { format!("{:+.digits$} %", 100.0 * x) } else { format!("{:.digits$} %", 100.0 * x) }
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
    use crate::engine::emergence::{Rungs, YearlyTurnover};

    #[test]
    fn sums_are_set_in_thousands() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(amount("-1234.6"), "-1,235");
        assert_eq!(signed(-0.2), "+0");
        assert_eq!(signed(1_000.0), "+1,000");
    }

    #[test]
    fn emergence_is_told_as_it_is() {
        let gain = |sharpe, more, less| SharpeGain { sharpe, low: 0.1, high: 0.2, days: 412, more, less };
        let line = |over_alone, days| EmergenceLine {
            days,
            days_min: 60,
            whole_sharpe: Some(1.0),
            alone_sharpe: Some(0.8),
            rungs: Rungs { over_alone, ..Rungs::default() },
            open_over_alone: None,
            orders_wanted: 0,
            turnover: YearlyTurnover::default(),
        };
        for (over, days, deaf, number, says) in [
            // An interval above zero is not enough: it may be one of many that were looked at.
            (
                Some(gain(0.2, 3.0, 1.0)),
                412,
                false,
                "+0.20",
                "alone, 412 days: not yet certain (evidence 3.0 of 20)",
            ),
            (Some(gain(-0.6, 1.0, 25.0)), 412, false, "-0.60", "alone, 412 days: less than its parts"),
            (Some(gain(0.5, 20.0, 1.0)), 412, false, "+0.50", "more than its parts"),
            (None, 12, false, "?", "day 12 of 60 to say"),
            (None, 412, false, "?", "no risk was taken"),
            (Some(gain(0.0, 1.0, 1.0)), 412, true, "?", "nobody listens"),
        ] {
            let (gain, known) = told(&line(over, days), deaf);
            assert!(gain == number && known.contains(says), "{gain} {known}");
        }
    }
}
