//! The report of a run as one self-contained page: equity and drawdown, months, assets, families, round trips, and the trades
//! on the charts of what was traded. No script, nothing loaded.

use super::report;
use crate::domain::{FamilyId, Span, Stamp};
use crate::engine::Engine;
use crate::recorder::trades::{RoundTrip, TradeList};
use crate::recorder::{Summary, TradeLog};
use std::collections::BTreeMap;
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:980px;margin:2em auto;padding:0 1em;color:#333}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}pre{font:12px/1.35 monospace;overflow-x:auto;background:#f6f6f6;\
padding:.8em}svg{width:100%;height:auto}.wide{overflow-x:auto}table{font-size:12px;border-collapse:collapse}th,td{\
text-align:right;padding:.15em .5em;border-bottom:1px solid #eee;white-space:nowrap}th:first-child,td:first-child{\
text-align:left}.n{color:#d55e00}.line{fill:none;stroke:#0072b2;stroke-width:1.2}.buy{fill:#009e73}.sell{fill:#d55e00}\
.axis{stroke:#ccc;stroke-width:1}text{font:11px sans-serif;fill:#666}";
/// Round trips that are shown: the newest.
const TRIPS_SHOWN: usize = 200;
/// Width, height, and room on the left and below, of a chart.
const CHART: (f64, f64, f64, f64) = (940.0, 240.0, 70.0, 22.0);

/// The whole page of a run.
pub fn page(summary: &Summary, list: &TradeList, log: &TradeLog, engine: &Engine) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = render(&mut out, (summary, list), log, engine);
    out
}

fn render(
    out: &mut String,
    (summary, list): (&Summary, &TradeList),
    log: &TradeLog,
    engine: &Engine,
) -> std::fmt::Result {
    let title = escape(&format!("{} {}: {} to {}", summary.mode, summary.feed, summary.from, summary.to));
    writeln!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>hive: {title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>"
    )?;
    let equity: Vec<(Stamp, f64)> = log.equity.clone();
    section(out, &format!("Equity, {}", summary.currency), &chart(&equity, &[]))?;
    section(out, "Drawdown, %", &chart(&drawdown(&equity), &[]))?;
    section(out, "Gain by month, %", &months(&equity))?;
    section(out, "How the gain comes about", &sums(list))?;
    section(out, "By asset", &by_asset(list))?;
    section(out, "By family", &by_family(summary))?;
    section(out, &format!("Round trips, {} in all", list.trips.len()), &trips(&list.trips))?;
    for (id, dealt) in &log.dealt {
        let Some(instrument) = engine.instrument(*id) else { continue };
        let points = &log.closes[id.index()].points;
        section(out, &format!("{}: {} fills", instrument.symbol, dealt.len()), &chart(points, dealt))?;
    }
    section(out, "Report", &format!("<pre>{}</pre>", escape(&report::closing(summary))))?;
    writeln!(out, "</body></html>")
}

fn section(out: &mut String, title: &str, body: &str) -> std::fmt::Result {
    writeln!(out, "<h2>{}</h2>\n{body}", escape(title))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line over time with fills on it: up and green is bought, down and red is sold.
fn chart(points: &[(Stamp, f64)], dealt: &[(Stamp, bool, f64)]) -> String {
    let (width, height, left, below) = CHART;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return "<p>Nothing to show.</p>".to_owned();
    };
    let prices = points.iter().map(|p| p.1).chain(dealt.iter().map(|d| d.2)).filter(|v| v.is_finite());
    let (low, high) = prices.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if high > low { (low, high) } else { (low - 1.0, high + 1.0) };
    let span = last.0.since(first.0).0.max(1) as f64;
    let x = |at: Stamp| left + (width - left) * at.since(first.0).0 as f64 / span;
    let y = |v: f64| (height - below) * (1.0 - (v - low) / (high - low)) + 4.0;
    let mut svg = format!("<svg viewBox=\"0 0 {width} {}\" role=\"img\">", height + 6.0);
    for part in 0..=4 {
        let value = low + (high - low) * f64::from(part) / 4.0;
        let at = y(value);
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{left}\" x2=\"{width}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            left - 6.0,
            at + 4.0,
            rounded(value)
        );
    }
    for (at, anchor) in [(first.0, "start"), (last.0, "end")] {
        let day = at.to_string();
        let day = day.get(..10).unwrap_or_default();
        let _ = write!(svg, "<text x=\"{:.1}\" y=\"{height}\" text-anchor=\"{anchor}\">{day}</text>", x(at));
    }
    let path = points.iter().filter(|p| p.1.is_finite()).map(|(at, v)| format!("{:.1},{:.1}", x(*at), y(*v)));
    let _ = write!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.collect::<Vec<_>>().join(" "));
    for (at, buys, price) in dealt {
        let (x, y) = (x(*at), y(*price));
        let (class, tip) = if *buys { ("buy", 6.0) } else { ("sell", -6.0) };
        let _ = write!(
            svg,
            "<path class=\"{class}\" d=\"M{x:.1} {y:.1}l-3 {tip}h6z\"><title>{at} {} at {price}</title></path>",
            if *buys { "bought" } else { "sold" }
        );
    }
    svg + "</svg>"
}

/// Four digits of a number, and its thousands.
fn rounded(x: f64) -> String {
    let size = libm::fabs(x);
    let digits = if size >= 1_000.0 || size == 0.0 {
        0
    } else {
        (3.0 - libm::floor(libm::log10(size))).clamp(0.0, 12.0) as usize
    };
    format!("{x:.digits$}")
}

fn drawdown(equity: &[(Stamp, f64)]) -> Vec<(Stamp, f64)> {
    let mut most = f64::MIN_POSITIVE;
    let fall = |(at, value): &(Stamp, f64)| {
        most = most.max(*value);
        (*at, 100.0 * (value / most - 1.0))
    };
    equity.iter().map(fall).collect()
}

/// The gains of the months of a year, by number, and what the year came to.
type YearGains = (Vec<(usize, f64)>, f64);

/// A row a year, a column a month, and the year.
fn months(equity: &[(Stamp, f64)]) -> String {
    // The last equity of each month; midnight ends the day before.
    let mut ends: BTreeMap<String, f64> = BTreeMap::new();
    for (at, value) in equity {
        let month = Stamp(at.0 - 1).floor(Span(1)).to_string();
        ends.insert(month.get(..7).unwrap_or_default().to_owned(), *value);
    }
    let Some(first) = equity.first() else { return String::new() };
    let mut before = first.1;
    let mut years: BTreeMap<String, YearGains> = BTreeMap::new();
    for (month, value) in &ends {
        let gain = value / before;
        let (year, number) =
            (month.get(..4).unwrap_or_default(), month.get(5..7).and_then(|m| m.parse().ok()).unwrap_or(1));
        let row = years.entry(year.to_owned()).or_insert((Vec::new(), 1.0));
        row.0.push((number, gain - 1.0));
        row.1 *= gain;
        before = *value;
    }
    let mut head = vec![String::new()];
    head.extend((1..=12).map(|m: usize| format!("{m:02}")));
    head.push("year".to_owned());
    let row = |(year, (gains, whole)): (&String, &YearGains)| {
        let mut cells = vec![year.clone()];
        cells.extend((1..=12).map(|m| {
            gains.iter().find(|g| g.0 == m).map_or_else(String::new, |g| format!("{:+.1}", 100.0 * g.1))
        }));
        cells.push(format!("{:+.1}", 100.0 * (whole - 1.0)));
        cells
    };
    grid(&head, &years.iter().map(row).collect::<Vec<_>>())
}

fn grid(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String], tag: &str| {
        let cell = |c: &String| {
            let class = if tag == "td" && c.starts_with('-') { " class=\"n\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(c))
        };
        format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>())
    };
    let body: String = rows.iter().map(|r| line(r, "td")).collect();
    format!("<div class=\"wide\"><table>{}{body}</table></div>", line(head, "th"))
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|t| (*t).to_owned()).collect()
}

fn amount(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

fn sums(list: &TradeList) -> String {
    let s = &list.sums;
    let rows = [
        ("round trips that are over, before fees", amount(&s.closed)),
        ("what is open at its last mark, before fees", amount(&s.open)),
        ("fees of fills", 0.0 - amount(&s.fees)),
        ("gas, pools and services", 0.0 - amount(&s.other_fees)),
        ("funding", 0.0 - amount(&s.funding)),
        ("borrow", 0.0 - amount(&s.borrow)),
        ("gain of the account", amount(&s.pnl)),
    ];
    let rows: Vec<Vec<String>> =
        rows.iter().map(|(what, x)| vec![(*what).to_owned(), format!("{x:.2}")]).collect();
    grid(&texts(&["", &list.currency]), &rows)
}

fn by_asset(list: &TradeList) -> String {
    let mut assets: BTreeMap<&str, (usize, usize, f64, f64)> = BTreeMap::new();
    for t in &list.trips {
        let row = assets.entry(&t.instrument).or_default();
        let net = amount(&t.net);
        *row = (row.0 + 1, row.1 + usize::from(net > 0.0), row.2 + amount(&t.fees), row.3 + net);
    }
    let rows: Vec<Vec<String>> = assets
        .iter()
        .map(|(name, (trips, won, fees, net))| {
            let share = 100.0 * *won as f64 / *trips as f64;
            vec![
                (*name).to_owned(),
                trips.to_string(),
                format!("{share:.0} %"),
                format!("{fees:.2}"),
                format!("{net:.2}"),
            ]
        })
        .collect();
    grid(&texts(&["instrument", "round trips", "won", "fees", "after fees"]), &rows)
}

fn by_family(summary: &Summary) -> String {
    let rows: Vec<Vec<String>> = FamilyId::ALL
        .iter()
        .filter_map(|family| {
            let members: Vec<_> = summary.agents.iter().filter(|a| a.family == family.text()).collect();
            let real: f64 = members.iter().map(|a| amount(&a.real_pnl)).sum();
            let row = vec![family.text().to_owned(), members.len().to_string(), format!("{real:.2}")];
            (!members.is_empty()).then_some(row)
        })
        .collect();
    grid(&texts(&["family", "agents", "real"]), &rows)
}

fn trips(all: &[RoundTrip]) -> String {
    let number = |x: Option<f64>, digits: usize| {
        x.filter(|x| x.is_finite()).map(|x| format!("{x:.digits$}")).unwrap_or_default()
    };
    let row = |t: &RoundTrip| {
        vec![
            t.instrument.clone(),
            t.side.to_owned(),
            t.opened.clone(),
            t.closed.clone().unwrap_or_else(|| "open".to_owned()),
            rounded(t.entry_price),
            t.exit_price.map(rounded).unwrap_or_default(),
            format!("{:.2}", amount(&t.net)),
            number(t.r, 2),
            number(t.mae_r, 2),
            number(t.mfe_r, 2),
        ]
    };
    let head =
        ["instrument", "side", "opened", "closed", "entry", "exit", "after fees", "R", "MAE, R", "MFE, R"];
    let shown: Vec<_> = all.iter().rev().take(TRIPS_SHOWN).map(row).collect();
    let hidden = all.len() - shown.len();
    let more =
        if hidden > 0 { format!("<p>{hidden} older ones are in --trades FILE.</p>") } else { String::new() };
    grid(&texts(&head), &shown) + &more
}
