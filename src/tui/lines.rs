//! Pictures as lines of plain text: what is copied, and what the cockpit without a screen tells.

use super::words;
use crate::domain::money;
use crate::view::cockpit::{AgentRow, LegView, MessageLine};
use crate::view::{AgentPage, Cockpit};

fn signed(x: f64) -> String {
    let text = words::thousands(x);
    if text.starts_with('-') || text == "0" { text } else { format!("+{text}") }
}

/// How the hive is, in one line.
pub(super) fn status(c: &Cockpit) -> String {
    let a = &c.account;
    let equity = money::to_estimate(a.equity);
    format!(
        "{} {}, {}, {}, equity {} {}, {} since the start, {} today, drawdown {} of {:.0} %",
        c.mode.text(),
        c.hive,
        c.market_time.map(words::moment).unwrap_or_default(),
        a.run,
        words::thousands(equity),
        c.currency,
        signed(equity - money::to_estimate(a.capital)),
        signed(money::to_estimate(a.today)),
        words::percent(a.drawdown),
        100.0 * a.drawdown_budget
    )
}

/// An agent in one line.
pub(super) fn agent(a: &AgentRow) -> String {
    let holds = if a.position.is_empty() { "nothing" } else { &a.position };
    format!(
        "{}, {}, {}, points {:.0}, real {}, open {}, alone {}, funds {}, holds {holds}",
        a.name,
        a.family.label(),
        a.state.text(),
        100.0 * a.points,
        signed(money::to_estimate(a.real)),
        signed(a.open),
        signed(a.alone),
        words::thousands(money::to_estimate(a.funds)),
    )
}

/// A message in one line.
pub(super) fn message(m: &MessageLine) -> String {
    let acted = if m.acted_on > 0 { format!(" ({} acted on it)", m.acted_on) } else { String::new() };
    format!("{} #{} {} {} {}{acted}", words::moment(m.at), m.id.0, m.from, m.asset, m.text)
}

/// The page of an agent.
pub(super) fn page(p: &AgentPage) -> Vec<String> {
    let mut lines =
        vec![agent(&p.row), format!("a {}, sides {}, on {}", p.personality, p.side, p.row.assets)];
    for i in &p.intents {
        let what = match i.intent {
            x if x > 0.0 => format!("long {x:.2} of its capital at {}", words::price(i.price)),
            x if x < 0.0 => format!("short {:.2} of its capital at {}", -x, words::price(i.price)),
            _ => "flat, would take it up again".to_owned(),
        };
        lines.push(format!("{}: {what}, close {}", i.asset, words::price(i.close)));
        lines.extend(i.conditions.iter().map(|(name, c)| format!("  {name}: {c}")));
    }
    for package in &p.packages {
        let life = package.life.text();
        let gain = signed(package.gain);
        lines.push(format!("{} {life}: a package {}, {gain}", package.asset, package.state.text()));
        let leg = |l: &LegView| format!("  {}: {:+} of {:+}", l.instrument, l.held, l.wanted);
        lines.extend(package.legs.iter().map(leg));
    }
    for deed in &p.deeds {
        let when = words::moment(deed.at);
        lines.push(format!("{} by what it heard, #{} of {when}: {}", deed.asset, deed.message.0, deed.text));
    }
    for w in &p.why {
        let numbers = format!("{:+.2} % to {:+.2} %", 100.0 * w.own, 100.0 * w.result);
        lines.push(format!(
            "why {}: {} {numbers}, #{} of {}",
            w.asset,
            w.verb,
            w.message.0,
            words::moment(w.at)
        ));
        lines.extend(w.factors.iter().map(|f| format!("  {f}")));
        lines.extend(w.because.iter().map(|(id, text)| format!("  because of #{}: {text}", id.0)));
    }
    if p.why.is_empty() {
        lines.push("it has made no stance yet".to_owned());
    }
    lines
}
