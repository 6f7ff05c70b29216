//! What was said, in words.

use crate::domain::{
    Adjustment, AgentId, AssetId, Goal, GoalReading, InstrumentId, Knob, ManagerId, Message, MessageKind,
    Service, Speaker, SpokenBy, Stance, StanceVerb,
};
use crate::engine::Engine;
use crate::hive::goals::NEVER_MONTHS;
use crate::view::{grouped, letters, of_emergence};

/// What those are called that a message knows by their numbers: by the engine that it was said in, or by a log that is read
/// without one.
pub trait TalkNames {
    /// Name of an agent.
    fn agent_name(&self, id: AgentId) -> Option<&str>;
    /// Name of a reaction among those that an agent lives by.
    fn reaction_name(&self, agent: AgentId, number: u8) -> Option<&str>;
    /// Name of the manager of a team.
    fn manager_name(&self, id: ManagerId) -> Option<&str>;
    /// Name of an asset.
    fn asset_called(&self, id: AssetId) -> Option<&str>;
    /// An instrument as a condition names it: symbol, kind and venue, since spot and perp often have one symbol.
    fn instrument_called(&self, id: InstrumentId) -> Option<String>;
}

impl TalkNames for Engine {
    fn agent_name(&self, id: AgentId) -> Option<&str> {
        self.cast().agents.get(id.index()).map(|a| a.name.as_str())
    }

    fn reaction_name(&self, agent: AgentId, number: u8) -> Option<&str> {
        let reacts = &self.cast().agents.get(agent.index())?.reacts;
        reacts.get(usize::from(number)).map(|r| r.rule.name.as_str())
    }

    fn manager_name(&self, id: ManagerId) -> Option<&str> {
        Some(self.cast().teams.get(id.team()?)?.manager.name.as_str())
    }

    fn asset_called(&self, id: AssetId) -> Option<&str> {
        Some(self.asset_name(id))
    }

    fn instrument_called(&self, id: InstrumentId) -> Option<String> {
        self.instrument(id).map(|i| format!("{} {} at {}", i.symbol, i.kind.text(), i.venue))
    }
}

/// Name of who speaks, as a line of talk shows it.
pub fn speaker(names: &dyn TalkNames, from: Speaker) -> String {
    match from {
        Speaker::Agent(id) => names.agent_name(id).map_or_else(|| format!("agent {}", id.0), str::to_owned),
        Speaker::Tracker(goal) => format!("{} tracker", letters(goal)),
        Speaker::Manager(goal) => format!("{} manager", letters(goal)),
        Speaker::Desk => "desk manager".to_owned(),
        Speaker::Gauge => "E gauge".to_owned(),
        Speaker::Netting => "asset manager".to_owned(),
        Speaker::Team(id) => {
            names.manager_name(id).map_or_else(|| format!("manager {}", id.0), str::to_owned)
        }
    }
}

/// An instrument as a condition names it, or its number.
pub fn instrument(names: &dyn TalkNames, id: InstrumentId) -> String {
    names.instrument_called(id).unwrap_or_else(|| format!("instrument {}", id.0))
}

/// A stance's verb.
pub fn stance(verb: StanceVerb) -> &'static str {
    match verb {
        StanceVerb::Keeps => "keeps its own",
        StanceVerb::Opens => "joins",
        StanceVerb::Increases => "is confirmed",
        StanceVerb::Decreases => "doubts",
        StanceVerb::StandsAside => "stands aside",
        StanceVerb::Hedges => "is turned round",
    }
}

/// A message as it is listed: which life says it where they part, what is said, and what swayed it by which rule.
pub fn line(names: &dyn TalkNames, m: &Message) -> String {
    let life = match m.life {
        SpokenBy::Both => "",
        SpokenBy::Alone => "alone ",
        SpokenBy::Open => "open ",
    };
    format!("{life}{}{}", full(names, &m.body), causes(names, m))
}

/// What an open life did because of others, in short, with what swayed it.
pub fn deed(names: &dyn TalkNames, m: &Message) -> String {
    format!("{}{}", short(names, &m.body), causes(names, m))
}

/// By which rule which messages swayed it, and by how much each.
fn causes(names: &dyn TalkNames, m: &Message) -> String {
    let Speaker::Agent(id) = m.from else { return String::new() };
    let swayed = m.swayed.iter().map(|s| {
        let rule = names.reaction_name(id, s.reaction).unwrap_or_default();
        let causes = s.causes.iter().map(|c| format!("#{} {:+.1} %", c.message.0, 100.0 * c.part));
        format!("; {rule}: {}", causes.collect::<Vec<_>>().join(", "))
    });
    swayed.collect()
}

/// A message in full, with all conditions.
pub fn full(names: &dyn TalkNames, body: &MessageKind) -> String {
    match body {
        MessageKind::Action(a) => a.in_full(&|id| instrument(names, id)),
        MessageKind::Rest(r) => r.in_full(&|id| instrument(names, id)),
        MessageKind::Stance(s) => stance_in_words(names, s),
        _ => short(names, body),
    }
}

fn stance_in_words(names: &dyn TalkNames, s: &Stance) -> String {
    let numbers: Vec<String> = s.because.iter().flatten().map(|id| format!("#{}", id.0)).collect();
    let because =
        if numbers.is_empty() { String::new() } else { format!("; because of {}", numbers.join(", ")) };
    format!("{}{because}", short(names, &MessageKind::Stance(*s)))
}

/// A message in short, without conditions.
pub fn short(names: &dyn TalkNames, body: &MessageKind) -> String {
    match body {
        MessageKind::Action(a) => format!("{} ({})", a.headline(), a.reason),
        MessageKind::Outcome(o) => o.to_string(),
        MessageKind::Stance(s) => {
            format!("{}: {:+.2} % → {:+.2} %", stance(s.verb), 100.0 * s.own, 100.0 * s.result)
        }
        MessageKind::Goal(g) => reading(g),
        MessageKind::Adjustment(a) => adjustment(names, a),
        MessageKind::Emergence(e) => format!(
            "the whole over its parts alone: {:+.2} Sharpe in {} days ({}), netting {:+.2}, listening {:+.2}, services {:+.2}; over net-eq {:+.2}",
            e.sharpe,
            e.days,
            of_emergence(e.more, e.less),
            e.netting,
            e.listening,
            e.services,
            e.over_net_eq
        ),
        MessageKind::Carry(c) => format!(
            "carry: spot in place of the perp is worth {:+.0} bp over {:.0} days before costs; asks for {:.2} × the costs, \
             up to {:.0} %",
            1e4 * c.value,
            c.days,
            c.hurdle,
            100.0 * c.most
        ),
        MessageKind::Rest(r) => r.headline(),
        MessageKind::Wait(w) => {
            format!("waits until {} in place of {:+.1} % of capital", w.until, 100.0 * w.without)
        }
        MessageKind::Work(w) => format!(
            "works orders {:.2} σ away for {} for {:.2} bp",
            w.distance,
            if w.rests == 1 { "a decision".to_owned() } else { format!("{} decisions", w.rests) },
            w.fee_bps
        ),
        MessageKind::Receipt(r) => {
            let did = match r.service {
                Service::Carry => "carried in spot for the desk",
                Service::Liquidity => "filled patiently for the desk",
                Service::Capital => "carried on the desk's idle cash",
            };
            format!("{} {did}: {:+.2}", grouped(r.notional), r.saved)
        }
    }
}

/// `1.25`, `0.0041`, `12,300`: base units, three digits of them.
pub fn quantity(x: f64) -> String {
    let a = x.abs();
    let digits = match a {
        _ if a >= 100.0 || a == 0.0 => return grouped(x),
        _ if a >= 10.0 => 1,
        _ if a >= 1.0 => 2,
        _ => (2.0 - a.log10().floor()).clamp(3.0, 8.0) as usize,
    };
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn reading(g: &GoalReading) -> String {
    let (value, target) = match g.goal {
        Goal::LowRisk => (format!("drawdown {:.1} %", 100.0 * g.value), format!("{:.0} %", 100.0 * g.target)),
        Goal::BigMoney => {
            (format!("growth {:+.1} % per year", 100.0 * g.value), format!("{:+.0} %", 100.0 * g.target))
        }
        Goal::Fast if g.value >= NEVER_MONTHS => {
            ("+10 % never at this pace".to_owned(), format!("{:.0} months", g.target))
        }
        Goal::Fast => (format!("+10 % in {:.1} months", g.value), format!("{:.0}", g.target)),
        Goal::Automated => {
            (format!("{:.1} interventions per 1,000 orders", g.value), format!("{:.0}", g.target))
        }
    };
    format!("{:.0} % reached: {value}, asked for {target}", 100.0 * g.score)
}

fn adjustment(names: &dyn TalkNames, a: &Adjustment) -> String {
    let knob = match a.knob {
        Knob::RiskScale => "risk scale",
        Knob::GrossCap => "gross cap",
        Knob::Width => "width of the band",
        Knob::Voice => "voice",
        Knob::Unit => "largest unit",
        Knob::Limit => "exposure limit",
        Knob::Size => "size of its team",
    };
    let whose = a.agent.map(|id| format!(" of {}", speaker(names, Speaker::Agent(id)))).unwrap_or_default();
    format!("turns {knob}{whose} {:.3} → {:.3} (reading {:.3})", a.from, a.to, a.because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits_and_no_idle_noughts() {
        let of = |x: f64| quantity(x);
        assert_eq!(
            [of(1.2), of(12.34), of(1234.5), of(0.004_123), of(-2.0)],
            ["1.2", "12.3", "1,234", "0.00412", "-2"]
        );
        assert_eq!(of(0.0), "0");
    }
}
