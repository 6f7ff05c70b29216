//! One agent in full: character, what is open and under which conditions, and why it holds what it
//! holds.

use super::crowd::level;
use super::picture::{Decision, Recorder, row};
use super::record::{Spread, Standing};
use super::words;
use crate::agents::Agent;
use crate::agents::personality::{TRAITS, Traits};
use crate::domain::{AgentId, Factor, Message, MessageId, MessageKind, Stamp, Verb};
use crate::engine::Engine;
use crate::hive::relations::Relation;
use crate::view::cockpit::{
    AgentPage, CONDITIONS_MAX, DeedView, IntentView, RELATIONS_MAX, RelationRow, StanceReason, TraitBar,
    bounded,
};

/// The page of a declared agent; none for others.
pub(super) fn page(engine: &Engine, recorder: &Recorder, id: AgentId) -> Option<AgentPage> {
    let cast = engine.cast();
    let agent = cast.agents[..cast.declared].get(id.index())?;
    let bus = &engine.respond.bus;
    let track = recorder.record.track(id)?;
    let mut why: Vec<StanceReason> =
        agent.slots.clone().filter_map(|s| recorder.stance(s)).map(|d| reason(engine, d)).collect();
    why.sort_by_key(|w| std::cmp::Reverse(w.message));
    let decided = |slot: usize| recorder.stance(slot).map_or(MessageId(0), |d| d.message.id);
    Some(AgentPage {
        seq: recorder.seq(),
        row: row(engine, recorder, agent, &Spread::now(engine), &Standing::now(engine)),
        personality: agent.personality.clone(),
        side: agent.side.to_string(),
        traits: TRAITS.iter().map(|t| bar(t.name, t.bounds, &agent.traits)).collect(),
        intents: intents(engine, recorder, agent),
        why,
        rules: recorder.rules.page(engine, agent),
        relations: relations(engine, id),
        received: super::network::edges(engine, decided, &recorder.rules, |_, to| to == id),
        given: super::network::edges(engine, decided, &recorder.rules, |from, _| from == id),
        alone: track.alone.values(),
        open: track.open.values(),
        real: track.real.values(),
        points: track.points.values(),
        trades: trades(engine, agent),
        sent: bus.sent(id.index()),
        acted_on: bus.acted_on(id.index()),
        deeds: recorder.deeds(id).map(|m| deed(engine, m)).collect(),
        packages: super::legs::packages(engine, agent),
        services: recorder.served.rows(engine).into_iter().filter(|s| s.agent == id).collect(),
    })
}

/// Whose words it has acted on most, and what came of it.
fn relations(engine: &Engine, id: AgentId) -> Vec<RelationRow> {
    let all = engine.respond.relations.of(engine.cast(), id);
    let row = |r: &Relation| RelationRow {
        from: words::speaker(engine, r.from),
        kind: r.kind.text().to_owned(),
        deeds: r.tally.deeds,
        worth_bp: 1e4 * r.tally.worth,
        trust_bp: 1e4 * r.trust,
    };
    all.iter().take(RELATIONS_MAX).map(row).collect()
}

/// What others made an agent do, as its page says it.
fn deed(engine: &Engine, m: &Message) -> DeedView {
    let asset = m.asset.map(|a| engine.asset_name(a).to_owned()).unwrap_or_default();
    DeedView { message: m.id, at: m.at, asset, text: bounded(words::deed(engine, m)) }
}

/// Intents that its alone lives have closed.
fn trades(engine: &Engine, agent: &Agent) -> u32 {
    let at_bars: u32 = agent.slots.clone().map(|s| engine.speak.lives[s].trades).sum();
    let twins = &engine.speak.structures.twins;
    let in_legs = agent.structures.clone().filter_map(|s| twins.get(s)).map(|t| t.life.life.trades);
    at_bars + in_legs.sum::<u32>()
}

fn bar(name: &str, bounds: (f64, f64), traits: &Traits) -> TraitBar {
    let value = match name {
        "aggression" => traits.aggression,
        "patience" => traits.patience,
        "caution" => traits.caution,
        "greed" => traits.greed,
        "conviction" => traits.conviction,
        "sociability" => traits.sociability,
        _ => traits.max_follow,
    };
    TraitBar { name: name.replace('_', " "), value, bounds }
}

/// Assets on which it has an intent, or offers to take one up again.
fn intents(engine: &Engine, recorder: &Recorder, agent: &Agent) -> Vec<IntentView> {
    let mut left = CONDITIONS_MAX;
    let mut views = Vec::new();
    for slot in agent.slots.clone() {
        let asset = engine.cast().slots[slot].asset;
        let intent = engine.speak.lives[slot].intent;
        let action = recorder.action(slot);
        let said = action.and_then(|m| if let MessageKind::Action(a) = &m.body { Some(a) } else { None });
        let mut conditions: Vec<(String, String)> = Vec::new();
        let mut levels = Vec::new();
        if let Some(a) = said {
            if a.verb != Verb::Close {
                let entry = engine.speak.lives[slot].open().map_or(f64::NAN, |o| o.entry);
                levels.extend(a.plan.parts().filter_map(|(n, c)| Some((n.to_owned(), level(c, entry)?))));
            }
            let names = |id| words::instrument(engine, id);
            conditions.extend(a.sentences(&names).map(|(n, s)| (n.to_owned(), s)));
        }
        if intent == 0.0 && conditions.is_empty() {
            continue;
        }
        conditions.truncate(left);
        left -= conditions.len();
        let (stamps, bars): (Vec<_>, Vec<_>) = recorder.record.bars(asset).unzip();
        let (until, clock) = (stamps.last().copied(), engine.settings().clock.decide);
        let ago = |at: &Stamp| until.map_or(0, |u| (u.since(*at).0 / clock.0.max(1)) as u32);
        views.push(IntentView {
            asset: engine.asset_name(asset).to_owned(),
            intent,
            price: said.map_or(0.0, |a| a.price),
            close: engine.speak.close(asset),
            message: action.map(|m| m.id),
            conditions,
            levels,
            ago: stamps.iter().map(ago).collect(),
            until,
            clock,
            bars,
            crowd: super::crowd::crowd(engine, asset, &|voice| recorder.action(voice)),
        });
    }
    // What is open comes first.
    views.sort_by_key(|v| v.intent == 0.0);
    views
}

fn reason(engine: &Engine, decision: &Decision) -> StanceReason {
    let message = &decision.message;
    let mut why = StanceReason {
        message: message.id,
        at: message.at,
        asset: message.asset.map(|a| engine.asset_name(a).to_owned()).unwrap_or_default(),
        verb: String::new(),
        own: 0.0,
        result: 0.0,
        factors: Vec::new(),
        because: Vec::new(),
    };
    if let MessageKind::Stance(s) = &message.body {
        words::stance(s.verb).clone_into(&mut why.verb);
        (why.own, why.result) = (s.own, s.result);
        why.factors = s.factors.iter().flatten().map(factor).collect();
        let quoted = |id: &MessageId| {
            decision.because.iter().find(|m| m.id == *id).map_or_else(
                || "said before this recorder began".to_owned(),
                |m| format!("{} {}", words::speaker(engine, m.from), words::short(engine, &m.body)),
            )
        };
        why.because = s.because.iter().flatten().map(|id| (*id, quoted(id))).collect();
    }
    why
}

fn factor(f: &Factor) -> String {
    match f {
        Factor::Own(x) => format!("own intent {:+.2} %", 100.0 * x),
        Factor::Listens(l) => format!("listens {:.0} %", 100.0 * l),
        Factor::Consensus(x) => format!("its slice of the consensus {:+.2} %", 100.0 * x),
        Factor::Common(x) => format!("takes off {:+.2} %, which is said of all assets", 100.0 * x),
        Factor::SideClip(x) => format!("clipped to its side: {:+.2} %", 100.0 * x),
        Factor::NoFlip => "is not turned round: 0".to_owned(),
        Factor::FollowLimit(x) => format!("follows at most {:.2} %", 100.0 * x),
    }
}
