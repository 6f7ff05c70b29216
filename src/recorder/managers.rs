//! The managers, read off the engine: who is set over whom, what its knobs are at, and what it was worth.

use crate::agents::declaration::{TeamManager, TeamReading};
use crate::config::team::whom;
use crate::domain::{Goal, ManagerId};
use crate::engine::Engine;
use crate::hive::managers::quarantine::QuarantinePhase;
use crate::view::managers::{ManagerRow, ManagerWorth};

/// Every manager that is set over the hive, those for the goals first.
pub fn managers(engine: &Engine) -> Vec<ManagerRow> {
    let m = &engine.settings().managers;
    let is_set = [
        m.low_risk.is_some(),
        m.big_money.is_some(),
        m.fast.is_some(),
        m.automated.is_some(),
        m.asset.is_some(),
    ];
    let there = is_set.iter().zip(0..).filter(|(set, _)| **set).map(|(_, n)| ManagerId(n));
    let five = there.map(|id| row(engine, id, five(engine, id)));
    let teams = engine.cast().teams.iter().enumerate().map(|(n, team)| {
        let id = ManagerId::of_team(n);
        row(engine, id, of_team(engine, n, &team.manager))
    });
    five.chain(teams).collect()
}

/// What is particular to one: its name, its goal, whom it manages, what it watches, and what its knobs are at.
struct ManagerWords {
    name: String,
    goal: Option<Goal>,
    over: String,
    watches: String,
    knobs: String,
    turned: bool,
}

fn row(engine: &Engine, id: ManagerId, words: ManagerWords) -> ManagerRow {
    let respond = &engine.respond;
    let hand = respond.office.hand(id);
    let ManagerWords { name, goal, over, watches, knobs, turned } = words;
    let worth = respond.gauge.worth_of(id).map(|g| ManagerWorth {
        sharpe: g.sharpe,
        low: g.low,
        high: g.high,
        days: g.days,
    });
    ManagerRow { id, name, goal, over, watches, knobs, turned, muted: hand.muted, paused: hand.paused, worth }
}

fn five(engine: &Engine, id: ManagerId) -> ManagerWords {
    let office = &engine.respond.office;
    let knobs = office.knobs;
    let goal = Goal::ALL.get(id.index()).copied();
    let (watches, said, turned) = match goal {
        Some(Goal::LowRisk) => (
            "drawdown, CVaR95",
            format!("risk ×{:.2}, gross cap ×{:.2}", office.solidarity(), knobs.gross_scale),
            office.solidarity() != 1.0 || knobs.gross_scale != 1.0,
        ),
        Some(Goal::BigMoney) => {
            let gives = office.is_giving();
            let said = if gives {
                format!("gives back, to ×{:.2}", knobs.risk_scale)
            } else {
                "at home".to_owned()
            };
            ("drawdown, growth", said, gives)
        }
        Some(Goal::Fast) => ("share lost to costs", format!("band ×{:.2}", knobs.width), knobs.width != 1.0),
        Some(Goal::Automated) => {
            let all = engine.cast().agents[..engine.cast().declared].iter();
            let held = all.filter(|a| office.wards.phase(a.id) != QuarantinePhase::Free).count();
            ("errors, hand-holding", format!("{held} in quarantine or on probation"), held > 0)
        }
        None => {
            let wider = office.limits.iter().filter(|l| **l != 1.0).count();
            ("both sides of an asset", format!("{wider} limits widened"), wider > 0)
        }
    };
    ManagerWords {
        name: ManagerId::NAMES.get(id.index()).copied().unwrap_or_default().to_owned(),
        goal,
        over: "all".to_owned(),
        watches: watches.to_owned(),
        knobs: said,
        turned,
    }
}

fn of_team(engine: &Engine, n: usize, m: &TeamManager) -> ManagerWords {
    let turned = engine.respond.office.teams.has_turned(n);
    let over: Vec<String> = m.over.iter().map(whom).collect();
    let unit = match m.watches {
        TeamReading::Drawdown => "drawdown",
        TeamReading::Crowding => "crowding",
    };
    ManagerWords {
        name: m.name.clone(),
        goal: Some(m.goal),
        over: over.join(", "),
        watches: format!("{unit} over {:.0} %", 100.0 * m.above),
        knobs: format!("size ×{:.2}", if turned { m.size } else { 1.0 }),
        turned,
    }
}
