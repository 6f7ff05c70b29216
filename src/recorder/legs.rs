//! What structured agents hold, leg by leg: with money, in company, and alone.

use super::words;
use crate::agents::Agent;
use crate::agents::structures::in_legs::StructureLife;
use crate::domain::{InstrumentId, money};
use crate::engine::Engine;
use crate::view::cockpit::{LEGS_SHOWN_MAX, LegView, PackageLife, PackageState, PackageView};
use std::collections::BTreeMap;

/// The structures of an agent that intend or hold something, those with money first, those that hear nobody last.
pub(super) fn packages(engine: &Engine, agent: &Agent) -> Vec<PackageView> {
    let (speak, packages) = (&engine.speak.structures, &engine.respond.real.execution.packages);
    // Each of its structures stands on an equal part of it.
    let stake = engine.cast().stake(engine.settings().capital) / agent.structures.len().max(1) as f64;
    let mut views = Vec::new();
    for i in agent.structures.clone() {
        let asset = engine.cast().structures[i].asset;
        let view = |life: &StructureLife, capital: f64, of: PackageLife| {
            (!life.is_idle()).then(|| view(engine, life, engine.asset_name(asset), (capital, of)))
        };
        let package = packages.all.get(i);
        views.extend(package.and_then(|p| view(&p.life, p.capital, PackageLife::Real)));
        let Some((twin, open)) = speak.twins.get(i).zip(engine.respond.open_legs.get(i)) else { continue };
        if open.is_apart() {
            views.extend(view(open.life(twin), stake, PackageLife::Open));
        }
        views.extend(view(&twin.life, stake, PackageLife::Alone));
    }
    views.sort_by_key(|v| v.life);
    views
}

fn view(
    engine: &Engine,
    life: &StructureLife,
    asset: &str,
    (capital, of): (f64, PackageLife),
) -> PackageView {
    let (listed, market) = (&engine.cast().listed, &engine.speak.market);
    let mut legs: BTreeMap<InstrumentId, LegView> = BTreeMap::new();
    let leg = |id: InstrumentId| LegView {
        instrument: words::instrument(engine, id),
        held: 0.0,
        wanted: 0.0,
        working: 0.0,
        value: listed.value(market, id),
    };
    if let Some(open) = life.life.open() {
        for l in &open.legs {
            let id = l.leg.instrument;
            legs.entry(id).or_insert_with(|| leg(id)).wanted += open.side * l.leg.ratio * open.units;
        }
    }
    for (id, held) in &life.legs.held {
        legs.entry(*id).or_insert_with(|| leg(*id)).held = *held;
    }
    for o in &life.legs.orders {
        legs.entry(o.instrument).or_insert_with(|| leg(o.instrument)).working += o.quantity;
    }
    let gain = life.life.staked_at().map(|then| life.legs.market_value(listed, market) - then);
    PackageView {
        asset: asset.to_owned(),
        life: of,
        capital,
        side: life.life.open().map_or(0.0, |o| o.side),
        state: match () {
            () if life.life.open().is_none() => PackageState::Closing,
            () if life.legs.is_whole() => PackageState::Open,
            () => PackageState::Opening,
        },
        gain: gain.unwrap_or(0.0),
        legs: legs.into_values().take(LEGS_SHOWN_MAX).collect(),
    }
}

/// What the packages of an agent hold, as shares of an equity in per cent.
pub(super) fn shares(engine: &Engine, agent: &Agent, equity: f64) -> Vec<(f64, String)> {
    let (execution, account) = (&engine.respond.real.execution, &engine.respond.real.account);
    let mut sums: BTreeMap<InstrumentId, f64> = BTreeMap::new();
    for package in agent.structures.clone().filter_map(|i| execution.packages.all.get(i)) {
        for (id, held) in package.held.iter() {
            let mark = account.marks.get(id.index()).copied().unwrap_or_default();
            *sums.entry(id).or_default() += money::to_estimate(held) * money::to_estimate(mark);
        }
    }
    let share = |value: f64| if equity > 0.0 { 100.0 * value / equity } else { 0.0 };
    sums.into_iter().map(|(id, value)| (share(value), words::instrument(engine, id))).collect()
}
