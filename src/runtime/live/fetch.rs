//! A venue's history on a tape that has an end: fetched piece by piece, and gone on with where it was broken off.

use super::recorder::FetchNews;
use super::spec::LiveSpec;
use super::start::{self, BegunHistory, HistoryStart, LiveError};
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
    /// Close of the bar before the first; none: as many days before the end as the market says.
    pub from: Option<Stamp>,
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
    /// From where on bars are fetched, until when they are, and until when they will be.
    Told((Stamp, Stamp, Stamp)),
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
    let days = Span(i64::from(spec.market.days) * Span::DAY.0);
    let from = spec.from.map_or(HistoryStart::Before(days), HistoryStart::At);
    let begun = start::history(&spec.market, (spec.bar, from, spec.to), &part, &mut trouble)?;
    goes_on(spec, &begun, &part)?;
    let BegunHistory { mut recorder, mut asker, end, events: resumed, .. } = begun;
    recorder.end = Some(end);
    let begin = recorder.joiner.told();
    let told = recorder.fetch(&mut asker, end, &mut |news| match news {
        FetchNews::Told(at) => say(FetchProgress::Told((begin, at, end))),
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

/// Whether what is there of a tape is a part of what is asked for.
fn goes_on(spec: &FetchSpec, begun: &BegunHistory, part: &Path) -> Result<(), LiveError> {
    let other = |found: String, asked: String| LiveError::OtherPart {
        path: part.display().to_string(),
        found,
        asked,
    };
    if let Some(to) = spec.to.map(|to| to.floor(spec.bar)).filter(|to| begun.events > 0 && *to != begun.end) {
        return Err(other(format!("until {}", begun.end), format!("until {to}")));
    }
    // One that begins later may be of what was listed later.
    let wanted = spec.from.map(|from| from.floor(spec.bar).after(spec.bar));
    match (begun.first, wanted) {
        (Some(first), Some(wanted)) if first < wanted => {
            Err(other(format!("from {first} on"), format!("from {wanted} on")))
        }
        _ => Ok(()),
    }
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
