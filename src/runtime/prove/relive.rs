//! Lives through a run again: the same market and the same commands, heard otherwise.

use super::error::ProveError;
use crate::domain::{Decimal, Digest, Event, Stamp, money};
use crate::engine::Engine;
use crate::engine::counterfactual::Counterfactuals;
use crate::engine::respond::Respond;
use crate::hive::withheld::Withheld;
use crate::market::feed::Feed;
use crate::runtime::keep::{advance, decode};
use crate::runtime::recover::{self, RecoverError, RunIdentity};
use crate::runtime::replay::{self, Pages, Remake};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a journal that looks torn is looked at, and how long is waited in between.
const TRIES: u32 = 3;
const MOMENT: Duration = Duration::from_millis(40);

/// A run that is to be proven.
pub struct RunToProve {
    /// Makes engine and feed as they were before the first event.
    pub remake: Arc<Remake>,
    /// Whose run it is.
    pub identity: RunIdentity,
    /// What is kept of it; none of a run that is made for the proof.
    pub kept: Option<KeptPast>,
}

/// What a state folder has of a run.
#[derive(Clone)]
pub struct KeptPast {
    /// The state folder.
    pub dir: PathBuf,
    pages: Pages,
    /// Events and commands until its newest cursor.
    end: (u64, u64),
}

/// Where a company came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LivedEnd {
    /// Digest of all that it decided.
    pub decisions: String,
    /// Gain of the account, in its currency.
    pub real: Decimal,
    /// Gain of all open lives, to the eighth digit.
    pub open: Decimal,
    /// Messages that it said.
    pub said: u64,
}

/// A stretch that is lived again, and by whom.
pub(super) struct Stretch {
    /// What each company does not hear; all is heard by the first.
    pub withheld: Vec<Withheld>,
    /// The journal's pages from which it begins; none: all of it.
    pub pages: Option<Pages>,
}

/// What came of a stretch.
pub(super) struct LivedStretch {
    pub ends: Vec<LivedEnd>,
    /// Events and commands until its end.
    pub events: (u64, u64),
    /// The last stamp.
    pub to: Option<Stamp>,
}

impl KeptPast {
    /// Reads the journal of a folder up to its newest cursor, or to a place before it.
    pub fn read(dir: &Path, identity: &RunIdentity, end: Option<(u64, u64)>) -> Result<KeptPast, ProveError> {
        let pages = whole(dir, identity)?;
        let newest = pages.decided.last_key_value().map_or((0, 0), |(place, _)| *place);
        let end = end.unwrap_or(newest);
        if newest == (0, 0) || end > newest {
            let (events, wanted) = (newest.0, end.0.max(1));
            return Err(ProveError::Short { events, wanted });
        }
        Ok(KeptPast::until(dir, pages, end))
    }

    /// Reads the journal of a run that goes on and has come to this place, which may be beyond its newest cursor.
    pub fn of_now(dir: &Path, identity: &RunIdentity, now: (u64, u64)) -> Result<KeptPast, ProveError> {
        Ok(KeptPast::until(dir, whole(dir, identity)?, now))
    }

    fn until(dir: &Path, mut pages: Pages, end: (u64, u64)) -> KeptPast {
        pages.decided.retain(|place, _| *place <= end);
        KeptPast { dir: dir.to_path_buf(), pages, end }
    }

    /// The pages from the newest checkpoint before a moment on.
    pub(super) fn before(&self, at: Stamp) -> Result<Pages, ProveError> {
        let before = Stamp(at.0.saturating_sub(1));
        let mut pages = replay::read(&self.dir.join("journal"), before).map_err(ProveError::Read)?;
        pages.decided.retain(|place, _| *place <= self.end);
        Ok(pages)
    }
}

/// All that the journal of a folder says, if it is of this run, and whole.
fn whole(dir: &Path, identity: &RunIdentity) -> Result<Pages, ProveError> {
    let mut tries = 0;
    while let Err(e) = recover::whole(dir, identity) {
        // A frame that is being written looks torn, for a moment.
        tries += 1;
        if tries == TRIES || !matches!(e, RecoverError::Torn { .. }) {
            return Err(e.into());
        }
        std::thread::sleep(MOMENT);
    }
    replay::read(&dir.join("journal"), Stamp(i64::MIN)).map_err(ProveError::Read)
}

impl RunToProve {
    /// Lives through a stretch of it; `each` sees every step that counted.
    pub(super) fn relive(
        &self,
        stretch: Stretch,
        remake: &Remake,
        mut each: impl FnMut(&Counterfactuals),
    ) -> Result<LivedStretch, ProveError> {
        let (engine, mut feed) = remake().map_err(ProveError::Read)?;
        let pages =
            stretch.pages.or_else(|| self.kept.as_ref().map(|kept| kept.pages.clone())).unwrap_or_default();
        let Pages { checkpoint, mut given, mut decided } = pages;
        let capital = engine.settings().money;
        let (engine, mut here) = begun(engine, feed.as_mut(), checkpoint.as_deref())?;
        let compares = stretch.withheld.first().is_some_and(Withheld::is_nothing);
        let mut lives = engine.without(stretch.withheld);
        let end = self.kept.as_ref().map(|kept| kept.end);
        let goes_on = |here: (u64, u64)| end.is_none_or(|end| here < end);
        loop {
            if compares {
                same(&mut decided, here, &lives)?;
            }
            if !goes_on(here) {
                break;
            }
            // What was commanded after an event acts before the next one.
            if given.front().is_some_and(|g| g.events <= here.0)
                && let Some(command) = given.pop_front()
            {
                let Some(asked) = command.command else { continue };
                here.1 += 1;
                lives.step(&Event::Command(command.at, asked));
                each(&lives);
                continue;
            }
            let next = feed.next().map_err(|e| ProveError::Read(e.to_string()))?;
            let Some(event) = next else { break };
            here.0 += 1;
            if lives.step(&event) {
                each(&lives);
            }
        }
        if let Some((wanted, _)) = end.filter(|end| *end != here) {
            return Err(ProveError::Short { events: here.0, wanted });
        }
        let ends = lives.ends().map(|life| LivedEnd::of(life, capital)).collect();
        Ok(LivedStretch { ends, events: here, to: lives.now() })
    }
}

impl LivedEnd {
    pub(super) fn of(respond: &Respond, capital: Decimal) -> Self {
        // An estimate that is no amount is told as nothing gained, and by its decisions.
        let open = money::from_estimate(respond.open.equity(), 8).unwrap_or(capital);
        LivedEnd {
            decisions: respond.decisions.to_string(),
            real: respond.real.account.equity() - capital,
            open: open - capital,
            said: respond.bus.delivered(),
        }
    }
}

/// Engine and feed where a checkpoint was made, with the events and commands until then.
fn begun(
    mut engine: Engine,
    feed: &mut dyn Feed,
    checkpoint: Option<&[u8]>,
) -> Result<(Engine, (u64, u64)), ProveError> {
    let Some(kept) = checkpoint.and_then(decode) else { return Ok((engine, (0, 0))) };
    let refused = |e| ProveError::Read(format!("a checkpoint cannot be used: {e}"));
    engine.restore(kept.snapshot).map_err(refused)?;
    let stats = kept.stats;
    let there = advance(feed, stats.events, kept.position.as_ref());
    if !there.map_err(|e| ProveError::Read(e.to_string()))? {
        let why = format!("the market ends before the {} events that the run had taken", stats.events);
        return Err(ProveError::Read(why));
    }
    Ok((engine, (stats.events, stats.commands)))
}

fn same(
    decided: &mut BTreeMap<(u64, u64), Digest>,
    here: (u64, u64),
    lives: &Counterfactuals,
) -> Result<(), ProveError> {
    let Some(first) = lives.ends().next() else { return Ok(()) };
    replay::compare(decided, here, (lives.now(), first.decisions)).map_err(ProveError::Diverged)
}
