//! A study: a market on tape, the arms, the seeds, on as many cores as there are. What is finished is
//! kept, what was kept is not run again, and the result does not depend on either.

use super::arms::Arm;
use super::result_cache::ResultFolder;
use super::stream::ArmTrack;
use super::trial::trial;
use crate::agents::cast::cast;
use crate::agents::declaration::{Roster, Selector};
use crate::domain::{Event, Universe};
use crate::engine::Settings;
use crate::market::feed::{Feed, FeedError, FeedInfo};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A market on tape, and what is to live in it.
pub struct LabWorld {
    /// What is known of the data.
    pub info: FeedInfo,
    /// Assets and instruments.
    pub universe: Universe,
    /// Everything that the feed says.
    pub events: Vec<Event>,
    /// How many barriers.
    pub barriers: u64,
    /// Who lives in it.
    pub roster: Roster,
    /// Under which settings.
    pub settings: Settings,
}

impl LabWorld {
    /// Reads a feed to its end. Structures serve and speak here, and have no funds: what arms are compared by is the desk, and
    /// what a package earns beside it would be gained by the arm that listens alone.
    pub fn read(feed: &mut dyn Feed, mut roster: Roster, settings: Settings) -> Result<Self, FeedError> {
        // Whatever a seed draws: who would trade in legs on any of the assets does so without funds.
        let mut all = roster.clone();
        all.agents.iter_mut().for_each(|a| a.assets = vec![Selector::Any]);
        let drawn = cast(&all, feed.universe(), 1);
        for (declared, agent) in roster.agents.iter_mut().zip(&drawn.agents) {
            declared.funded &= !declared.family.is_structured() && agent.structures.is_empty();
        }
        let mut events = Vec::new();
        while let Some(event) = feed.next()? {
            events.push(event);
        }
        let barriers = events.iter().filter(|e| matches!(e, Event::Barrier(_))).count() as u64;
        let (info, universe) = (feed.info().clone(), feed.universe().clone());
        Ok(LabWorld { info, universe, events, barriers, roster, settings })
    }
}

/// What is tried.
pub struct LadderStudy<'a> {
    /// The market that all arms run on.
    pub world: &'a LabWorld,
    /// The seeds, each a redraw of parameters, personalities and assets.
    pub seeds: Vec<u64>,
    /// The arms that are compared, in the order in which they are shown.
    pub arms: Vec<Arm>,
    /// Names what must not change for a kept result to count.
    pub key: String,
}

/// Tracks by seed, then by arm in the order of the study.
pub type Tracks = Vec<Vec<ArmTrack>>;

/// What became of a seed.
type SeedResult = Option<Result<Vec<ArmTrack>, StudyError>>;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Somebody asked for it.
    #[error(
        "stopped; seeds that were not finished are lost, finished ones are kept: the same command goes on from there"
    )]
    Stopped,
    /// A finished result could not be kept.
    #[error("keeping a finished result: {0}")]
    Keep(#[from] std::io::Error),
}

impl LadderStudy<'_> {
    /// How much there is to do, in ticks of an arm.
    pub fn work(&self) -> u64 {
        self.world.barriers / super::trial::TICK * (self.seeds.len() * self.arms.len()) as u64
    }

    /// Runs all seeds on `threads` threads. `tick` is told of arm-ticks done.
    pub fn run(
        &self,
        keep: Option<&ResultFolder>,
        threads: usize,
        stop: &AtomicBool,
        tick: &(dyn Fn(u64) + Sync),
    ) -> Result<Tracks, StudyError> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<SeedResult>> = Mutex::new(self.seeds.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, self.seeds.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(seed) = self.seeds.get(i) else { break };
                        let result = self.seed(*seed, keep, stop, tick);
                        // A thread that died while it held the lock ends the run by itself.
                        if let Ok(mut done) = done.lock() {
                            done[i] = Some(result);
                        }
                    }
                });
            }
        });
        let done = done.into_inner().unwrap_or_default();
        done.into_iter().map(|r| r.unwrap_or(Err(StudyError::Stopped))).collect()
    }

    /// One seed: what was kept, and the rest.
    fn seed(
        &self,
        seed: u64,
        keep: Option<&ResultFolder>,
        stop: &AtomicBool,
        tick: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<ArmTrack>, StudyError> {
        let kept = |arm: &Arm| keep.and_then(|k| k.load(&self.key, seed, &arm.name));
        let mut tracks: Vec<Option<ArmTrack>> = self.arms.iter().map(kept).collect();
        let missing: Vec<Arm> =
            self.arms.iter().zip(&tracks).filter(|(_, t)| t.is_none()).map(|(a, _)| a.clone()).collect();
        let per_arm = self.world.barriers / super::trial::TICK;
        tick(per_arm * (self.arms.len() - missing.len()) as u64);
        if missing.is_empty() {
            return Ok(tracks.into_iter().flatten().collect());
        }
        let new = trial(self.world, seed, &missing, &|n| {
            tick(n);
            !stop.load(Ordering::Relaxed)
        });
        let mut new = new.ok_or(StudyError::Stopped)?.into_iter();
        for (slot, arm) in tracks.iter_mut().zip(&self.arms) {
            if slot.is_none()
                && let Some(track) = new.next()
            {
                if let Some(keep) = keep {
                    keep.save(&self.key, seed, &arm.name, &track)?;
                }
                *slot = Some(track);
            }
        }
        Ok(tracks.into_iter().flatten().collect())
    }
}
