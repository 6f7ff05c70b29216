//! A stage for one agent: hand-made closes in, its actions out, through the whole engine.

use crate::common::{Run, bar_at};
use hive_core::agents::declaration::{Declaration, DrawnNumber, Roster, Scouting, Selector};
use hive_core::agents::personality::{Preset, Traits};
use hive_core::config::Config;
use hive_core::fills::Costs;
use hive_domain::instrument::{Asset, Ranking};
use hive_domain::{
    Action, AgentId, AssetId, Bar, Decimal, Event, FamilyId, Goal, Instrument, InstrumentId, InstrumentKind,
    MarketEvent, Message, MessageKind, Reason, SideRule, Speaker, Stamp, Universe, Verb,
};
use std::collections::BTreeMap;

/// A universe of perps of these names, which must be sorted.
pub fn universe(names: &[&str]) -> Universe {
    let mut universe = Universe::default();
    for (i, name) in (0_u16..).zip(names) {
        let (id, asset) = (InstrumentId(i), AssetId(i));
        let first = Stamp(0);
        universe.assets.push(Asset { id: asset, name: (*name).into(), money_like: false, first });
        universe.instruments.push(Instrument {
            id,
            asset,
            symbol: format!("{name}USDT"),
            kind: InstrumentKind::Perp,
            venue: String::new(),
            quote: None,
            terms: hive_domain::ContractTerms::Plain,
            tick: Decimal::new(1, 4).into(),
            lot: Decimal::new(1, 4),
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        });
    }
    // Reverse alphabetical, known after ten days.
    let assets: Vec<AssetId> = universe.assets.iter().rev().map(|a| a.id).collect();
    universe.by_volume =
        names.iter().map(|_| Ranking { assets: assets.clone(), known_at: bar_at(60) }).collect();
    universe
}

/// An agent of this family with exactly these parameters, on all assets.
pub fn agent(family: FamilyId, params: &[(&str, f64)]) -> Declaration {
    let range = |x: f64| DrawnNumber { from: x, to: x };
    Declaration {
        name: "Solo".into(),
        family,
        assets: vec![Selector::Any],
        side: SideRule::Both,
        goal: Goal::Automated,
        personality: "plain".into(),
        traits: Traits::default(),
        params: params.iter().map(|(k, v)| ((*k).to_owned(), range(*v))).collect(),
        funded: true,
        reacts: Vec::new(),
    }
}

/// These agents alone with neutral presets, at no cost.
pub fn config(agents: Vec<Declaration>) -> Config {
    let roster = Roster {
        agents,
        scouts: 0,
        scouting: Scouting::default(),
        managers: Vec::new(),
        groups: BTreeMap::new(),
        presets: [Preset::default(); 4],
    };
    Config { costs: Costs::Flat(0.0), roster, ..Config::default() }
}

/// A bar from the close before to this one.
pub fn bar(open: f64, close: f64) -> Bar {
    Bar { open, high: open.max(close), low: open.min(close), close, volume: 1e6 }
}

/// Closes of several assets as events; the bar of index i closes at `bar_at(i + 1)`.
pub fn events(closes: &[Vec<f64>]) -> Vec<Event> {
    let mut events = Vec::new();
    for i in 0..closes[0].len() {
        let at = bar_at(i as i64 + 1);
        for (instrument, path) in (0_u16..).map(InstrumentId).zip(closes) {
            let bar = bar(path[i.saturating_sub(1)], path[i]);
            events.push(Event::Market(MarketEvent::Bar { instrument, at, bar }));
        }
        events.push(Event::Barrier(at));
    }
    events
}

/// The index of the bar at whose close a message was said.
pub fn index(m: &Message) -> usize {
    (m.at.0 / bar_at(1).0 - 1) as usize
}

/// What an agent did on an asset: at which bar, what, why.
pub fn story(run: &Run, agent: u32, asset: u16) -> Vec<(usize, Verb, Reason)> {
    acts(run, agent, asset).iter().map(|(i, a)| (*i, a.verb, a.reason)).collect()
}

/// The same with the actions themselves.
pub fn acts(run: &Run, agent: u32, asset: u16) -> Vec<(usize, Action)> {
    let own = run.messages.iter().filter_map(|m| match &m.body {
        MessageKind::Action(a)
            if m.from == Speaker::Agent(AgentId(agent)) && m.asset == Some(AssetId(asset)) =>
        {
            Some((index(m), a.clone()))
        }
        _ => None,
    });
    own.collect()
}

/// Plays closes to one agent on one asset.
pub fn solo(declaration: Declaration, closes: &[f64]) -> Vec<(usize, Action)> {
    let mut run = Run::start(&config(vec![declaration]), &universe(&["AAA"]));
    run.play(&events(&[closes.to_vec()]));
    acts(&run, 0, 0)
}

/// A line that trembles: every second close a little higher.
pub fn tremble(n: usize, level: f64, by: f64) -> Vec<f64> {
    (0..n).map(|i| if i % 2 == 0 { level } else { level * (1.0 + by) }).collect()
}

/// Goes on from the last close by the same factor, bar by bar.
pub fn go(path: &mut Vec<f64>, bars: usize, by: f64) {
    for _ in 0..bars {
        path.push(path[path.len() - 1] * (1.0 + by));
    }
}

/// Closes of one asset with volumes.
pub fn events_with(closes: &[f64], volumes: &[f64]) -> Vec<Event> {
    let mut events = events(&[closes.to_vec()]);
    let bars = events.iter_mut().filter_map(|e| match e {
        Event::Market(MarketEvent::Bar { bar, .. }) => Some(bar),
        _ => None,
    });
    bars.zip(volumes).for_each(|(bar, v)| bar.volume = *v);
    events
}
