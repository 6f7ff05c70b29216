//! A venue's history on a tape that has an end: fetched piece by piece, and gone on with where it was broken off.

use super::recorder::FetchNews;
use super::spec::LiveSpec;
use super::start::{self, HistoryStart, LiveError};
use crate::domain::{Event, Span, Stamp};
use crate::market::tape::{TapeEnd, TapeHeader, TapeWriter};
use crate::market::{FeedError, FeedReport};
use crate::venues::codec::VenueError;
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

/// What part of a venue's history is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSpec {
    /// Venue and assets.
    pub market: LiveSpec,
    /// Length of the bars.
    pub bar: Span,
    /// Close of the bar before the first.
    pub from: Stamp,
    /// Close of the last bar; none: the last that is over.
    pub to: Option<Stamp>,
}

/// A tape that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTape {
    /// How many events are on it.
    pub events: u64,
    /// blake3 of it, in hex.
    pub hash: String,
    /// First and last moment.
    pub span: (Stamp, Stamp),
    /// Events that were there already from a fetch that was broken off.
    pub resumed: u64,
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug)]
pub enum FetchProgress<'a> {
    /// Bars until here, of those until there.
    Told(Stamp, Stamp),
    /// The venue did not answer; it is asked again.
    Trouble(&'a VenueError),
}

/// Where a tape stands while it is fetched.
fn part_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Fetches a history onto a tape. What is there of it beside (`OUT.part`) is gone on with.
pub fn fetch(
    spec: &FetchSpec,
    out: &Path,
    say: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<FetchedTape, LiveError> {
    let part = part_of(out);
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |reason: io::Error| LiveError::Tape { path, reason }
    };
    let mut trouble = |line: &str| tracing::info!("{line}");
    let (mut recorder, mut asker, end, resumed) = {
        let from = HistoryStart::At(spec.from);
        let begun = start::history(&spec.market, (spec.bar, from, spec.to), &part, &mut trouble)?;
        (begun.recorder, begun.asker, begun.end, begun.events)
    };
    recorder.end = Some(end);
    let told = recorder.fetch(&mut asker, end, &mut |news| match news {
        FetchNews::Told(at) => say(FetchProgress::Told(at, end)),
        FetchNews::Trouble(e) => say(FetchProgress::Trouble(e)),
    });
    told.map_err(failed(&part))?;
    let header = recorder.tape.header().clone();
    // Nobody writes on it any more.
    drop(recorder);
    let mut fetched = whole(&part, &header, out)?;
    fetched.resumed = resumed;
    std::fs::remove_file(&part).map_err(failed(&part))?;
    Ok(fetched)
}

/// Writes a tape with an end from one that grew: beside, synced, and renamed.
fn whole(part: &Path, header: &TapeHeader, out: &Path) -> Result<FetchedTape, LiveError> {
    let failed = |reason: io::Error| LiveError::Tape { path: out.display().to_string(), reason };
    let mut beside = out.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut writer =
        TapeWriter::new(BufWriter::new(File::create(&beside).map_err(failed)?), header).map_err(failed)?;
    let (mut pushed, mut first, mut rows) = (Ok(()), None, 0);
    let from = BufReader::new(File::open(part).map_err(failed)?);
    let end = TapeEnd::find(&part.display().to_string(), from, |event| {
        // Rules and silences are of a market that goes on.
        let Event::Market(market) = event else { return };
        first.get_or_insert(market.at());
        rows += 1;
        if pushed.is_ok() {
            pushed = writer.push(market);
        }
    })?;
    pushed.map_err(failed)?;
    let report = FeedReport { rows, ..FeedReport::default() };
    let (written, hash, events) = writer.finish(&report).map_err(failed)?;
    let file = written.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&beside, out).map_err(failed)?;
    let (Some(first), Some(last)) = (first, end.last) else {
        let (name, window) = (end.header.name, String::new());
        return Err(LiveError::Feed(FeedError::Empty { name, window, first_bad: String::new() }));
    };
    Ok(FetchedTape { events, hash: hash.to_hex().to_string(), span: (first, last), resumed: 0 })
}
