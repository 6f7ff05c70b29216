//! Takes one pair after another away, in the stated order and in its reverse, on as many threads as there are cores.

use super::certificate::{Build, Certificate, EndOfRun, FORMAT, Given, PairValue};
use super::error::ProveError;
use super::relive::{LivedEnd, RunToProve, Stretch};
use super::rows::{Pair, Row, SaidCounts, Speakers, pairs, rows};
use crate::domain::{Decimal, Speaker, TopicKind};
use crate::engine::Outputs;
use crate::hive::withheld::Withheld;
use crate::runtime::replay::Remake;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Companies that live through a run side by side: more share what is said alone, fewer fit into the machine's caches.
const ABREAST: usize = 8;

/// As many threads as the machine has cores.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What comes of taking pairs away in their order and in its reverse.
struct Telescope {
    /// Behind each pair, in the order; the last is without all of them.
    forth: Vec<LivedEnd>,
    /// Before each pair, in the reverse; the first is without all of them.
    back: Vec<LivedEnd>,
    /// Without anything that anybody says.
    silent: LivedEnd,
    /// The same with closed ears.
    closed: LivedEnd,
}

/// Proves what each pair of a speaker and a kind was worth; `deaf` makes the same run with listening off. `tick` is told how many
/// companies of how many have lived.
pub fn prove(
    run: &RunToProve,
    deaf: &Remake,
    by: Speakers,
    (build, threads): (Build, usize),
    tick: &(dyn Fn(usize, usize) + Sync),
) -> Result<Certificate, ProveError> {
    let (engine, _) = (run.remake)().map_err(ProveError::Read)?;
    if !engine.settings().listening.enabled {
        return Err(ProveError::Deaf);
    }
    let mut said = SaidCounts::default();
    let all = Stretch { withheld: vec![Withheld::default()], pages: None };
    let all = run.relive(all, run.remake.as_ref(), |lives| {
        lives.messages(0).iter().for_each(|m| said.count(m.from, TopicKind::of(&m.body)));
    })?;
    let rows = rows(&engine, by);
    let pairs = pairs(&engine, &rows, &said);
    let agents = engine.cast().agents.len();
    let telescope = telescope(run, (&rows, &pairs, agents), threads, tick)?;
    let silent = Stretch { withheld: vec![quotes(agents)], pages: None };
    let deaf = run.relive(silent, deaf, |_| ())?;
    let [whole] = &all.ends[..] else { return Err(ProveError::Ends("a life is missing".to_owned())) };
    let [none] = &deaf.ends[..] else { return Err(ProveError::Ends("a life is missing".to_owned())) };
    plain(run, whole)?;
    let end = |end: &LivedEnd| (end.decisions.clone(), end.real, end.open);
    if end(none) != end(&telescope.closed) {
        return Err(ProveError::Ends(
            "with everything taken away and closed ears it is not the run in which listening is off"
                .to_owned(),
        ));
    }
    let values = values(whole, (&rows, &pairs), &telescope);
    let [last, silent, closed] =
        [telescope.forth.last().unwrap_or(whole), &telescope.silent, &telescope.closed];
    let certificate = Certificate {
        format: FORMAT,
        build,
        run: Given::new(run, (all.events, all.to)),
        by,
        all: EndOfRun::of(whole),
        none: EndOfRun::of(none),
        values,
        rest: [difference(last.real, silent.real), difference(last.open, silent.open)],
        ears: [difference(silent.real, closed.real), difference(silent.open, closed.open)],
    };
    certificate.adds_up()?;
    Ok(certificate)
}

/// A run that is not kept has no journal to agree with: it is run once more as `hive backtest` runs it.
fn plain(run: &RunToProve, whole: &LivedEnd) -> Result<(), ProveError> {
    if run.kept.is_some() {
        return Ok(());
    }
    let (mut engine, mut feed) = (run.remake)().map_err(ProveError::Read)?;
    let mut out = Outputs::default();
    while let Some(event) = feed.next().map_err(|e| ProveError::Read(e.to_string()))? {
        engine.step(&event, &mut out);
    }
    if LivedEnd::of(&engine.respond, engine.settings().money) == *whole {
        return Ok(());
    }
    Err(ProveError::Ends("with nothing taken away it is not the run as it is".to_owned()))
}

/// What carriers and makers quote to the desk, which hears it in a deaf run too.
fn quotes(agents: usize) -> Withheld {
    let mut quotes = Withheld::default();
    for from in Speaker::all(agents) {
        [TopicKind::Carry, TopicKind::Work].iter().for_each(|kind| quotes.withhold(from, *kind));
    }
    quotes
}

/// Lives without the first of the pairs, the first two and so on, without the last, the last two and so on, and without all.
fn telescope(
    run: &RunToProve,
    (rows, pairs, agents): (&[Row], &[Pair], usize),
    threads: usize,
    tick: &(dyn Fn(usize, usize) + Sync),
) -> Result<Telescope, ProveError> {
    let growing = |pairs: &mut dyn Iterator<Item = &Pair>| {
        let mut without = Withheld::default();
        let take = |pair: &Pair| {
            rows[pair.row].withhold(&mut without, pair.kind);
            without.clone()
        };
        pairs.map(take).collect::<Vec<_>>()
    };
    let heard = || pairs.iter().filter(|pair| pair.is_heard);
    let n = heard().count();
    let everything = Withheld::everything(agents);
    // Without all of them is the same from both sides, and lived once.
    let mut all = growing(&mut heard());
    all.extend(growing(&mut heard().rev().take(n.saturating_sub(1))));
    all.extend([everything.clone(), everything.with_closed_ears()]);
    let mut ends = abreast(run, (&all, threads), tick)?;
    let missing = || ProveError::Ends("a life is missing".to_owned());
    let closed = ends.pop().ok_or_else(missing)?;
    let silent = ends.pop().ok_or_else(missing)?;
    let mut back = ends.split_off(n);
    back.extend(ends.last().cloned());
    back.reverse();
    Ok(Telescope { forth: ends, back, silent, closed })
}

/// Lives through a run once for each of these, several side by side on each thread.
fn abreast(
    run: &RunToProve,
    (all, threads): (&[Withheld], usize),
    tick: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<LivedEnd>, ProveError> {
    let size = ABREAST.min(all.len().div_ceil(threads.max(1))).max(1);
    let chunks: Vec<&[Withheld]> = all.chunks(size).collect();
    let (next, lived) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = Mutex::new(vec![None; chunks.len()]);
    let work = || -> Result<(), ProveError> {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = chunks.get(place) else { return Ok(()) };
            let stretch = Stretch { withheld: chunk.to_vec(), pages: None };
            let ends = run.relive(stretch, run.remake.as_ref(), |_| ())?.ends;
            done.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(ends);
            tick(lived.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len(), all.len());
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.clamp(1, chunks.len())).map(|_| scope.spawn(work)).collect();
        let lost = || ProveError::Ends("a thread was lost".to_owned());
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| lost())?)
    })?;
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(done.into_iter().flatten().flatten().collect())
}

/// What each pair was worth: before it was taken away less after, in the order and in its reverse.
fn values(whole: &LivedEnd, (rows, pairs): (&[Row], &[Pair]), telescope: &Telescope) -> Vec<PairValue> {
    let Telescope { forth, back, .. } = telescope;
    let mut place = 0;
    let value = |pair: &Pair| {
        let (name, kind) = (rows[pair.row].name.clone(), pair.kind.text().to_owned());
        let nothing = || [difference(Decimal::ZERO, Decimal::ZERO), difference(Decimal::ZERO, Decimal::ZERO)];
        if !pair.is_heard {
            let (real, open) = (nothing(), nothing());
            return PairValue { speaker: name, kind, said: pair.said, is_heard: false, real, open };
        }
        let i = place;
        place += 1;
        let before = [if i == 0 { whole } else { &forth[i - 1] }, back.get(i + 1).unwrap_or(whole)];
        let after = [&forth[i], &back[i]];
        let worth = |of: fn(&LivedEnd) -> Decimal| [0, 1].map(|o| difference(of(before[o]), of(after[o])));
        let (real, open) = (worth(|end| end.real), worth(|end| end.open));
        PairValue { speaker: name, kind, said: pair.said, is_heard: true, real, open }
    };
    pairs.iter().map(value).collect()
}

fn difference(before: Decimal, after: Decimal) -> Decimal {
    (before - after).normalize()
}
