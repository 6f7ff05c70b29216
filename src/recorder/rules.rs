//! What agents lived by lately: how often each of their reactions acted, and its last deed with what others had said.

use super::words;
use crate::agents::Agent;
use crate::agents::reactions::AgentReaction;
use crate::domain::{AgentId, Message, MessageId, Speaker};
use crate::engine::Engine;
use crate::view::cockpit::{EdgeRow, RuleView};

/// A cause of a deed: who said what, and its part of what the deed changed.
#[derive(Clone, Debug)]
struct DeedCause {
    message: MessageId,
    from: Option<Speaker>,
    said: String,
    part: f64,
}

/// What is remembered of one reaction of one agent.
#[derive(Clone, Debug, Default)]
struct RuleMemory {
    deeds: u64,
    /// Its last deed, and what of others moved it.
    last: Option<(Message, Vec<DeedCause>)>,
}

/// What is remembered of all of them: by declared agent, then by reaction.
#[derive(Clone, Debug)]
pub(super) struct RuleMemories(Vec<Vec<RuleMemory>>);

impl RuleMemories {
    pub(super) fn new(engine: &Engine) -> Self {
        let cast = engine.cast();
        let rules = |a: &Agent| vec![RuleMemory::default(); a.reacts.len()];
        RuleMemories(cast.agents[..cast.declared].iter().map(rules).collect())
    }

    /// Takes note of a deed; `remembered` finds a message of lately by its number.
    pub(super) fn hear<'a>(
        &mut self,
        engine: &Engine,
        deed: &Message,
        remembered: impl Fn(MessageId) -> Option<&'a Message>,
    ) {
        let Speaker::Agent(agent) = deed.from else { return };
        let Some(rules) = self.0.get_mut(agent.index()) else { return };
        for swayed in &deed.swayed {
            let Some(rule) = rules.get_mut(usize::from(swayed.reaction)) else { continue };
            let causes = swayed.causes.iter().map(|cause| {
                let said = remembered(cause.message);
                let text = said.map_or_else(
                    || "said before this recorder began".to_owned(),
                    |m| format!("{} {}", words::speaker(engine, m.from), words::short(engine, &m.body)),
                );
                let from = said.map(|m| m.from);
                DeedCause { message: cause.message, from, said: text, part: cause.part }
            });
            rule.last = Some((deed.clone(), causes.collect()));
            rule.deeds += 1;
        }
    }

    /// All that an agent lives by, with what each rule last did.
    pub(super) fn page(&self, engine: &Engine, agent: &Agent) -> Vec<RuleView> {
        let memories = self.0.get(agent.id.index()).map_or(&[][..], Vec::as_slice);
        let view = |(rule, memory): (&AgentReaction, &RuleMemory)| {
            let (deed, causes) = memory.last.as_ref().map_or((None, &[][..]), |(m, c)| (Some(m), c));
            RuleView {
                name: rule.rule.name.clone(),
                sentence: rule.rule.to_string(),
                deeds: memory.deeds,
                last: deed.map_or(MessageId(0), |m| m.id),
                asset: deed
                    .and_then(|m| m.asset)
                    .map(|a| engine.asset_name(a).to_owned())
                    .unwrap_or_default(),
                did: deed.map(|m| words::short(engine, &m.body)).unwrap_or_default(),
                because: causes.iter().map(|c| (c.message, c.said.clone())).collect(),
            }
        };
        agent.reacts.iter().zip(memories).map(view).collect()
    }

    /// An edge for each agent whose word is among the causes of another's newest deed.
    pub(super) fn edges(&self, engine: &Engine, wanted: impl Fn(AgentId, AgentId) -> bool) -> Vec<EdgeRow> {
        let cast = engine.cast();
        let mut rows = Vec::new();
        for (agent, rules) in cast.agents.iter().zip(&self.0) {
            let newest =
                rules.iter().zip(agent.reacts.iter()).filter_map(|(m, r)| Some((m.last.as_ref()?, r)));
            let Some(((deed, causes), rule)) = newest.max_by_key(|((deed, _), _)| deed.id) else { continue };
            let whole: f64 = causes.iter().map(|c| c.part.abs()).sum();
            for cause in causes {
                let Some(Speaker::Agent(from)) = cause.from.filter(|_| whole > 0.0) else { continue };
                let Some(voice) = cast.agents.get(from.index()).filter(|_| wanted(from, agent.id)) else {
                    continue;
                };
                rows.push(EdgeRow {
                    from,
                    from_name: voice.name.clone(),
                    from_family: voice.family,
                    to: agent.id,
                    asset: deed.asset.map(|a| engine.asset_name(a).to_owned()).unwrap_or_default(),
                    share: cause.part.abs() / whole,
                    value: 0.0,
                    message: cause.message,
                    decision: deed.id,
                    rule: rule.rule.name.clone(),
                });
            }
        }
        rows
    }
}
