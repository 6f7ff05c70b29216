//! What scripts and operators ask first, read off the engine.

use super::managers::managers;
use super::record::{self, Standing};
use crate::domain::Stamp;
use crate::engine::Engine;
use crate::hive::managers::quarantine::QuarantinePhase;
use crate::view::operator::{AgentSwitches, RunInfo, Status};

/// How the hive is now. `view_hash` and `clients` are for those who know them.
pub fn status(engine: &Engine, scene: &RunInfo, seq: u64) -> Status {
    let real = &engine.respond.real;
    let because = match () {
        () if real.account.halted.is_some() => real.account.halted.clone(),
        () if real.account.hand.is_killed() => Some("the kill switch is latched: hive ctl reset".to_owned()),
        () if real.account.breaker.latched().is_some() => {
            Some("the drawdown breaker is latched: hive ctl reset".to_owned())
        }
        () if real.account.hand.is_flat() => Some("flattened by the operator: hive ctl resume".to_owned()),
        () => None,
    };
    let (gross, net) = real.account.exposure();
    Status {
        scene: scene.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        money: "PAPER".to_owned(),
        mode: real.account.mode().to_string(),
        because,
        killed: real.account.hand.is_killed(),
        flat: real.account.hand.is_flat(),
        market_time: engine.now().map(|s: Stamp| s.to_string()),
        seq,
        view_hash: String::new(),
        equity: real.account.equity(),
        drawdown: real.account.curve.drawdown(),
        gross,
        net,
        agents: engine.cast().declared as u32,
        managers: managers(engine),
        voices: engine.respond.consensus.voices(),
        interventions: engine.respond.interventions,
        clients: 0,
        kept: None,
        links: None,
    }
}

/// How each declared agent is now.
pub fn agents(engine: &Engine) -> Vec<AgentSwitches> {
    let (cast, respond) = (engine.cast(), &engine.respond);
    let (real, standing) = (&respond.real, Standing::now(engine));
    let one = |agent: &crate::agents::Agent| {
        let id = agent.id;
        let (s, stopped_out) = (record::switches(engine, id), real.account.funds.stopped_out(id).is_some());
        let phase = respond.office.wards.phase(id);
        AgentSwitches {
            id,
            name: agent.name.clone(),
            family: agent.family.to_string(),
            state: record::state(engine, id).text().to_owned(),
            paused: s.paused,
            drained: s.drained,
            muted: s.muted,
            deaf: s.deaf,
            stopped_out,
            funded: s.funded && !stopped_out,
            weight: real.account.funds.weight(id),
            points: respond.points.agent(cast, id),
            real_pnl: real.account.ledger.pnl(id, &real.account.marks).ok(),
            voice: engine.voice(id),
            influence: standing.influence(id),
            quarantined: matches!(phase, QuarantinePhase::Quarantine { .. }),
            on_probation: matches!(phase, QuarantinePhase::Probation { .. }),
            until: record::until(engine, id).and_then(|at| at.to_string().get(..10).map(str::to_owned)),
        }
    };
    cast.agents[..cast.declared].iter().map(one).collect()
}
