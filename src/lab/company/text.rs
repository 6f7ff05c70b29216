//! The report as text for a terminal, and its sentences.

use super::purse::Impact;
use super::report::{AccountLine, CompanyFacts, CompanyReport};
use super::study::Axes;
use std::fmt::Write;

/// An axis, its name, and what a line has on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// How many hear each other.
    Groups,
    /// Capital that moves prices, in currency.
    Capital,
    /// Number of agents.
    Agents,
    /// Time between two decisions.
    Clock,
}

impl Axis {
    /// All, in the order of tables and pictures.
    pub const ALL: [Axis; 4] = [Axis::Groups, Axis::Capital, Axis::Agents, Axis::Clock];

    /// The axis as tables are headed with it.
    pub fn title(self) -> &'static str {
        match self {
            Axis::Groups => "who hears whom: from each alone to all together",
            Axis::Capital => "capital that moves prices",
            Axis::Agents => "number of agents",
            Axis::Clock => "decision clock",
        }
    }

    /// What a line has on it.
    pub fn of(self, line: &AccountLine) -> String {
        match self {
            Axis::Groups => line.groups.to_string(),
            Axis::Capital => money(line.capital),
            Axis::Agents => line.agents.to_string(),
            Axis::Clock => line.clock.clone(),
        }
    }
}

/// The lines of a set and desk along an axis, others at their base: the first clock and number of agents, the
/// fewest groups. Every capital is in them. Empty where the axis has one value; each alone, which is always
/// there, is none of its own.
pub fn along<'a>(r: &'a CompanyReport, set: Option<usize>, desk: &str, axis: Axis) -> Vec<&'a AccountLine> {
    let all: Vec<&AccountLine> = r.lines.iter().filter(|l| l.set == set && l.desk == desk).collect();
    let Some(first) = all.first() else { return Vec::new() };
    let base = |l: &&AccountLine| {
        let fewest = all.iter().filter(|o| o.agents == l.agents).map(|o| o.groups).min();
        (axis == Axis::Groups || Some(l.groups) == fewest)
            && (axis == Axis::Agents || l.agents == first.agents)
            && (axis == Axis::Clock || l.clock == first.clock)
    };
    let found: Vec<&AccountLine> = all.iter().copied().filter(base).collect();
    let mut own = found.iter().filter(|l| axis != Axis::Groups || !l.is_alone()).map(|l| axis.of(l));
    let first = own.next();
    if own.any(|o| Some(o) != first) { found } else { Vec::new() }
}

/// Desks in the order of the report, without the reference.
pub fn desks(r: &CompanyReport) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in r.lines.iter().filter(|l| !l.is_reference()) {
        if !all.contains(&line.desk) {
            all.push(line.desk.clone());
        }
    }
    all
}

/// Sets in the order of the report, then all together where there are several.
pub fn sets(f: &CompanyFacts) -> Vec<Option<usize>> {
    let each = (0..f.sets.len()).map(Some);
    each.chain((f.sets.len() > 1).then_some(None)).collect()
}

/// A set in words.
pub fn set_name(f: &CompanyFacts, set: Option<usize>) -> String {
    set.and_then(|i| f.sets.get(i)).map_or_else(
        || "all sets together, the same calendar days".to_owned(),
        |s| format!("{} · {} → {} · {} assets", s.feed, s.from, s.to, s.assets.len()),
    )
}

/// Before anything is run.
pub fn facts(f: &CompanyFacts, axes: &Axes) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = head(&mut out, f, axes);
    out
}

fn head(out: &mut String, f: &CompanyFacts, axes: &Axes) -> std::fmt::Result {
    let list = |all: &[usize]| all.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    for (i, set) in f.sets.iter().enumerate() {
        let kind = if set.reproduction {
            "REPRODUCTION: the mechanism was designed on this data"
        } else {
            "new data"
        };
        writeln!(out, "{}\ndata     {}  ({kind})", set_name(f, Some(i)), set.data_hash)?;
    }
    writeln!(out, "roster   {}", f.roster_hash)?;
    writeln!(out, "costs    {}", f.costs)?;
    writeln!(out, "agents   {}", list(&axes.agents))?;
    writeln!(out, "groups   {}, beside each alone", list(&axes.groups))?;
    writeln!(out, "capital  {}", axes.capital.iter().map(|c| money(*c)).collect::<Vec<_>>().join(" "))?;
    writeln!(out, "desks    {}", axes.desks.iter().map(|d| d.word()).collect::<Vec<_>>().join(" "))?;
    writeln!(out, "seeds    {}", f.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(" "))?;
    writeln!(out, "figures  from day {} of each set on", f.warm_days)?;
    writeln!(out, "variants tried {} · looks at held-out data {}\n", f.variants_tried, f.looks)
}

/// The results as tables and sentences for a terminal.
pub fn text(r: &CompanyReport) -> String {
    let mut out = String::new();
    let _ = tables(&mut out, r);
    out
}

fn tables(out: &mut String, r: &CompanyReport) -> std::fmt::Result {
    for set in sets(&r.facts) {
        writeln!(out, "{}", set_name(&r.facts, set))?;
        for desk in desks(r) {
            let mut any = false;
            for axis in Axis::ALL {
                let lines = along(r, set, &desk, axis);
                if !lines.is_empty() {
                    table(out, &format!("{desk}, {}", axis.title()), &lines)?;
                    any = true;
                }
            }
            if !any {
                let lines: Vec<&AccountLine> =
                    r.lines.iter().filter(|l| l.set == set && l.desk == desk && !l.is_alone()).collect();
                table(out, &desk, &lines)?;
            }
        }
        let reference: Vec<&AccountLine> =
            r.lines.iter().filter(|l| l.set == set && l.is_reference() && !l.is_alone()).collect();
        table(out, "for reference: everything traded at once", &reference)?;
    }
    writeln!(out, "Δ = Sharpe ratio together less that of the same agents, each alone with the same desk")?;
    writeln!(out, "orders per year, turnover in equities per year; {}", r.bootstrap)?;
    r.notes.iter().try_for_each(|note| writeln!(out, "! {note}"))?;
    writeln!(out)?;
    r.sentences.iter().try_for_each(|s| writeln!(out, "{s}"))
}

fn table(out: &mut String, title: &str, lines: &[&AccountLine]) -> std::fmt::Result {
    writeln!(out, "\n  {title}")?;
    writeln!(
        out,
        "  {:>5} {:>6} {:>6} {:>7} {:>6} {:>8} {:>6} {:>15} {:>7} {:>14} {:>15}",
        "clock",
        "agents",
        "groups",
        "capital",
        "alone",
        "together",
        "Δ",
        "95 %",
        "wanted",
        "sent alone→",
        "turnover alone→"
    )?;
    for l in lines {
        writeln!(
            out,
            "  {:>5} {:>6} {:>6} {:>7} {:>6.2} {:>8.2} {:>+6.2} {:>15} {:>7.0} {:>14} {:>15}",
            l.clock,
            l.agents,
            l.groups,
            money(l.capital),
            l.sharpe_alone,
            l.sharpe,
            round(l.delta.mean),
            format!("[{:+.2}, {:+.2}]", round(l.delta.lo), round(l.delta.hi)),
            l.wanted,
            format!("{:.0}→{:.0}", l.sent_alone, l.sent),
            format!("{:.0}→{:.0}", l.turnover_alone, l.turnover)
        )?;
    }
    Ok(())
}

/// To two digits, without a minus before zero.
fn round(x: f64) -> f64 {
    libm::rint(x * 100.0) / 100.0 + 0.0
}

/// A capital in few letters.
pub fn money(capital: f64) -> String {
    let of = |unit: f64, letter: &str| format!("{}{letter}", libm::rint(capital / unit * 100.0) / 100.0);
    match capital {
        c if c <= 0.0 => "0".to_owned(),
        c if c >= 1e9 => of(1e9, "bn"),
        c if c >= 1e6 => of(1e6, "M"),
        c if c >= 1e3 => of(1e3, "k"),
        _ => of(1.0, ""),
    }
}

/// A line each for what must be known.
pub(super) fn notes(r: &CompanyReport) -> Vec<String> {
    let mut notes = vec![
        "Estimated accounts on announced positions; risk is scaled on the aim of the whole, the same for all groups, and what scaling changes is paid for by both sides.".to_owned(),
    ];
    if r.facts.sets.iter().any(|s| s.reproduction) {
        notes.push(
            "Part of this data is what the mechanism was designed on: a reproduction, no evidence."
                .to_owned(),
        );
    }
    if r.lines.iter().any(|l| l.capital > 0.0) {
        let moves = |impact: Impact| r.lines.iter().any(|l| l.capital > 0.0 && l.impact == impact);
        let how = if moves(Impact::Side) {
            "All buyers of a bar move the price of an asset together, and so do all sellers; they do not help each other, which those who are apart could in part (--impact own and net are the other two choices)."
        } else if moves(Impact::Net) {
            "What is left of the buyers and sellers of a bar moves the price for all of them, and who is on the other side gains: those who are apart are netted by the market (--impact net)."
        } else {
            "An order moves the price for itself alone, also beside others of the same bar: many small orders of those who are apart are flattered by it (--impact own)."
        };
        notes.push(how.to_owned());
    }
    let without: u64 = r.lines.iter().filter(|l| l.set.is_some()).map(|l| l.without_volume).sum();
    if without > 0 {
        notes.push(format!(
            "{without} orders should have moved a price but met an asset without a known volume; they had no impact."
        ));
    }
    notes
}

/// What it comes to: for each set and desk, all together against each alone at the first capital, clock and
/// number of agents.
pub(super) fn sentences(r: &CompanyReport) -> Vec<String> {
    let mut all = Vec::new();
    for set in sets(&r.facts) {
        for desk in desks(r) {
            let of: Vec<&AccountLine> = r.lines.iter().filter(|l| l.set == set && l.desk == desk).collect();
            let Some(first) = of.first() else { continue };
            let same = |l: &&&AccountLine| {
                l.capital == first.capital
                    && l.agents == first.agents
                    && l.clock == first.clock
                    && !l.is_alone()
            };
            if let Some(line) = of.iter().filter(same).min_by_key(|l| l.groups) {
                all.push(sentence(line, set.map(|i| r.facts.sets.get(i).map_or("", |s| s.feed.as_str()))));
            }
        }
    }
    all
}

fn sentence(l: &AccountLine, set: Option<&str>) -> String {
    let together = if l.groups == 1 { "Together".to_owned() } else { format!("In {} groups", l.groups) };
    format!(
        "{}, {}, {}{}: {} agents: {:.0} orders wanted, {:.0} sent; turnover {:.0} alone, {:.0} together. Alone with the same desk: Sharpe {:.2}. {together}: {:.2} ({:+.2} [{:+.2}, {:+.2}])",
        set.unwrap_or("All sets"),
        l.clock,
        l.desk,
        if l.capital > 0.0 { format!(", {}", money(l.capital)) } else { String::new() },
        l.agents,
        l.wanted,
        l.sent,
        l.turnover_alone,
        l.turnover,
        l.sharpe_alone,
        l.sharpe,
        round(l.delta.mean),
        round(l.delta.lo),
        round(l.delta.hi)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::bootstrap::Interval;
    use crate::lab::company::report::Set;

    #[test]
    fn each_alone_beside_one_number_of_groups_is_no_axis() {
        let mut r = report();
        r.lines.retain(|l| l.groups != 2);
        assert!(along(&r, Some(0), "band", Axis::Groups).is_empty());
    }

    fn report() -> CompanyReport {
        let mut r = CompanyReport::default();
        r.facts.sets = vec![Set { feed: "SYNTH".to_owned(), ..Set::default() }];
        for desk in ["band", "at once"] {
            for capital in [0.0, 1e7] {
                for groups in [36, 2, 1] {
                    r.lines.push(AccountLine {
                        set: Some(0),
                        clock: "4h".to_owned(),
                        agents: 36,
                        groups,
                        capital,
                        impact: Impact::Own,
                        desk: desk.to_owned(),
                        sharpe: 1.95,
                        sharpe_alone: 1.86,
                        delta: Interval { mean: 0.09, lo: 0.05, hi: 0.13 },
                        wanted: 7_700.0,
                        sent: 3_060.0,
                        turnover_alone: 68.0,
                        turnover: 44.0,
                        ..AccountLine::default()
                    });
                }
            }
        }
        r
    }

    #[test]
    fn the_sentence_says_what_it_comes_to() {
        let said = sentences(&report());
        assert_eq!(
            said,
            ["SYNTH, 4h, band: 36 agents: 7700 orders wanted, 3060 sent; turnover 68 alone, 44 together. \
              Alone with the same desk: Sharpe 1.86. Together: 1.95 (+0.09 [+0.05, +0.13])"]
        );
    }

    #[test]
    fn an_axis_has_its_lines_and_one_value_is_no_axis() {
        let r = report();
        assert_eq!(along(&r, Some(0), "band", Axis::Groups).len(), 6);
        assert_eq!(along(&r, Some(0), "band", Axis::Capital).len(), 2);
        assert!(along(&r, Some(0), "band", Axis::Clock).is_empty());
        assert!(along(&r, None, "band", Axis::Groups).is_empty());
        let text = text(&r);
        assert!(text.contains("who hears whom") && text.contains("10M") && text.contains("[+0.05, +0.13]"));
        assert_eq!([0.0, 5e4, 1.5e6, 2e9].map(money), ["0", "50k", "1.5M", "2bn"]);
    }
}
