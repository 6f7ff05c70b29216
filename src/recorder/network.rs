//! Who moved whom, as rows.

use super::rules::RuleMemories;
use crate::domain::{AgentId, MessageId};
use crate::engine::Engine;
use crate::view::cockpit::EdgeRow;

/// Every edge of declared agents, strongest first, ties by listener, asset and voice. `decisions` has
/// the last stance of each declared slot.
pub(super) fn edges(
    engine: &Engine,
    decisions: impl Fn(usize) -> MessageId,
    rules: &RuleMemories,
    wanted: impl Fn(AgentId, AgentId) -> bool,
) -> Vec<EdgeRow> {
    let cast = engine.cast();
    let mut rows = rules.edges(engine, &wanted);
    for (slot, edges) in engine.respond.edges.iter().enumerate() {
        let listener = &cast.slots[slot];
        for edge in edges.iter().filter(|e| e.share > 0.0 && wanted(e.from, listener.agent)) {
            let Some(voice) = cast.agents.get(edge.from.index()) else { continue };
            rows.push(EdgeRow {
                from: edge.from,
                from_name: voice.name.clone(),
                from_family: voice.family,
                to: listener.agent,
                asset: engine.asset_name(listener.asset).to_owned(),
                share: edge.share,
                value: edge.value,
                message: edge.message,
                decision: decisions(slot),
                rule: String::new(),
            });
        }
    }
    // Stable: equal shares stay in the order of listeners.
    rows.sort_by(|a, b| b.share.total_cmp(&a.share));
    rows
}
