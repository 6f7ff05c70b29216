//! The random walk beside an experiment: the same roster where nobody can have an edge, at no cost.

use crate::cli::failure::Failure;
use crate::config::Config;
use crate::domain::Span;
use crate::engine::Settings;
use crate::fills::Costs;
use crate::lab::result_cache::ResultFolder;
use crate::lab::study::{StudyError, Tracks};
use crate::lab::{HIVE, LabWorld, LadderStudy, STRONG, arms};
use crate::market::synth::{SynthFeed, SynthSettings, SynthWorld};
use std::sync::atomic::AtomicBool;

/// Longest random walk of the control, in days: as many years as the shortest set the design rests on.
const WALK_DAYS: u32 = 1_200;

/// The swarm without its managers and breaker, which take risk off after losses: where there is nothing to gain
/// the losing days of such a run are the calmer ones, and its sample Sharpe ratio is below zero on the average
/// (by 0.1 in 36 walks of three and a half years), though it neither knows nor costs anything.
pub fn arms_of(voices: usize) -> Vec<arms::Arm> {
    let all = arms::plan(voices).into_iter().filter(|a| a.name == HIVE || a.name == STRONG);
    all.map(|a| match a.kind {
        arms::ArmKind::Shipped => arms::Arm { kind: arms::ArmKind::Without(arms::LeftOut::Managers), ..a },
        _ => a,
    })
    .collect()
}

/// A random walk for each seed, as long as the data, at no cost.
pub fn worlds(config: &Config, world: &LabWorld, seeds: u32) -> Result<Vec<LabWorld>, Failure> {
    let days = world.info.to.since(world.info.from).0 / Span::DAY.0;
    let settings = Settings { costs: Costs::Flat(0.0).into(), ..world.settings.clone() };
    let one = |i: u64| {
        let synth = SynthSettings {
            // Markets of their own, so that no seed of the roster meets the market of the same number.
            seed: 10_000 + config.seed + i,
            world: SynthWorld::RandomWalk,
            bars_days: (days as u32).clamp(60, WALK_DAYS),
            clock: config.clock.decide,
            ..SynthSettings::default()
        };
        let failed = |e: crate::market::FeedError| Failure::Failed(e.to_string());
        let mut feed = SynthFeed::new(synth).map_err(failed)?;
        LabWorld::read(&mut feed, config.roster.clone(), settings.clone()).map_err(failed)
    };
    (0..u64::from(seeds)).map(one).collect()
}

/// Every seed in its own random walk.
pub fn run(
    study: &LadderStudy<'_>,
    worlds: &[LabWorld],
    keep: Option<&ResultFolder>,
    threads: usize,
    stop: &AtomicBool,
    tick: &(dyn Fn(u64) + Sync),
) -> Result<Tracks, StudyError> {
    let mut all: Tracks = Vec::new();
    let arms = arms_of(0);
    for (worlds, seeds) in worlds.chunks(threads).zip(study.seeds.chunks(threads)) {
        let each: Vec<Result<Tracks, StudyError>> = std::thread::scope(|scope| {
            let handles: Vec<_> = worlds
                .iter()
                .zip(seeds)
                .map(|(world, seed)| {
                    let one = LadderStudy {
                        world,
                        seeds: vec![*seed],
                        arms: arms.clone(),
                        key: format!("{} {}", study.key, world.info.data_hash),
                    };
                    scope.spawn(move || one.run(keep, 1, stop, tick))
                })
                .collect();
            handles.into_iter().map(|h| h.join().unwrap_or(Err(StudyError::Stopped))).collect()
        });
        for tracks in each {
            all.extend(tracks?);
        }
    }
    Ok(all)
}
