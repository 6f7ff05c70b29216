//! The report as one self-contained page: what it comes to, a picture an axis, and all numbers.

use super::report::{AccountLine, CompanyReport};
use super::study::Axes;
use super::text::{self, Axis};
use crate::lab::draw::{IntervalBar, NamedCurve, curves};
use crate::lab::html::{STYLE, escape};
use std::fmt::Write;

/// The report as one page that needs no other file.
pub fn page(r: &CompanyReport, axes: &Axes) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, r, axes);
    out
}

fn render(out: &mut String, r: &CompanyReport, axes: &Axes) -> std::fmt::Result {
    let names: Vec<&str> = r.facts.sets.iter().map(|s| s.feed.as_str()).collect();
    let names = escape(&names.join(", "));
    write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>hive lab: company, {names}</title><style>{STYLE}</style></head><body>\n\
         <h1>What is company worth? {names}</h1>\n"
    )?;
    if r.facts.sets.iter().any(|s| s.reproduction) {
        out.push_str("<p class=\"repro\">A reproduction: the mechanism was designed on this data, so these numbers are no evidence of what comes.</p>\n");
    }
    r.sentences.iter().try_for_each(|s| writeln!(out, "<p class=\"verdict\">{}</p>", escape(s)))?;
    for set in text::sets(&r.facts) {
        for desk in text::desks(r) {
            for axis in Axis::ALL {
                let lines = text::along(r, set, &desk, axis);
                if !lines.is_empty() {
                    let title = format!("{}, {desk}: {}", text::set_name(&r.facts, set), axis.title());
                    writeln!(out, "<h2>{}</h2>\n{}", escape(&title), picture(axis, &lines))?;
                }
            }
        }
    }
    writeln!(
        out,
        "<h2>All numbers</h2>\n<pre>{}{}</pre>\n</body></html>",
        escape(&text::facts(&r.facts, axes)),
        escape(&text::text(r))
    )
}

/// Δ along an axis with its interval: one line a capital; along capital itself one line.
fn picture(axis: Axis, lines: &[&AccountLine]) -> String {
    let mut all: Vec<NamedCurve> = Vec::new();
    for line in lines {
        let name = match axis {
            Axis::Capital => "all together".to_owned(),
            _ if line.capital > 0.0 => text::money(line.capital),
            _ => "no impact".to_owned(),
        };
        let name =
            if axis == Axis::Capital && line.groups > 1 { format!("{} groups", line.groups) } else { name };
        let d = line.delta;
        let bar = IntervalBar { name: axis.of(line), mean: d.mean, lo: d.lo, hi: d.hi, strong: d.lo > 0.0 };
        match all.iter_mut().find(|c| c.name == name) {
            Some(curve) => curve.points.push(bar),
            None => all.push(NamedCurve { name, points: vec![bar] }),
        }
    }
    let what = match axis {
        Axis::Groups => "groups in which agents net",
        Axis::Capital => "capital",
        Axis::Agents => "agents",
        Axis::Clock => "decision clock",
    };
    curves(what, "Δ Sharpe over alone with the same desk, 95 %", &all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::bootstrap::Interval;

    #[test]
    fn a_picture_has_a_line_a_capital() {
        let line = |groups, capital| AccountLine {
            groups,
            capital,
            impact: crate::lab::company::Impact::Own,
            agents: 4,
            delta: Interval { mean: 0.1, lo: 0.0, hi: 0.2 },
            ..AccountLine::default()
        };
        let lines = [line(4, 0.0), line(1, 0.0), line(4, 1e6), line(1, 1e6)];
        let svg = picture(Axis::Groups, &lines.iter().collect::<Vec<_>>());
        assert!(
            svg.contains("no impact") && svg.contains("1M") && svg.contains("groups in which agents net")
        );
        let svg = picture(Axis::Capital, &lines[1..].iter().collect::<Vec<_>>());
        assert!(svg.contains("all together"));
    }
}
