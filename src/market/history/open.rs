//! The files of a data set told apart, imported onto a tape that is kept nowhere, and run from it.

use super::settings::HistorySettings;
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::FeedError;
use crate::market::import::{Detected, ImportFormat, ImportSettings, detect, survey};
use crate::market::source::{ScratchFile, SourceFile, Window};
use crate::market::tape::{TapeFeed, TapeSettings};

/// A file, and what it is.
type KnownFile = (Box<dyn SourceFile>, Detected);

/// Opens the files of a data set as a feed, settlements of a file of their own beside them. They are imported onto `scratch`, and
/// run from there.
pub fn open(
    settings: &HistorySettings,
    sources: Vec<Box<dyn SourceFile>>,
    funding: Option<Box<dyn SourceFile>>,
    mut scratch: Box<dyn ScratchFile>,
) -> Result<TapeFeed, FeedError> {
    let mut notes = settings.notes.clone();
    let mut sources = sort_out(settings, sources, &mut notes)?;
    sources.extend(funding.map(|f| of_rates(settings, f)).transpose()?);
    let clock = settings.clock;
    // Whole buckets only: a half bar would differ from the same bar of a longer run.
    let window = Window {
        from: settings.window.from.map(|t| Stamp(t.0 + clock.0 - 1).floor(clock)),
        to: settings.window.to.map(|t| t.floor(clock)),
        assets: settings.window.assets.clone(),
    };
    let importing = ImportSettings {
        name: settings.name.clone(),
        kind: settings.kind,
        window: window.clone(),
        choices: settings.choices.clone(),
        notes,
        ..ImportSettings::default()
    };
    let survey = survey(&importing, &mut sources)?;
    let (written, _) = survey.write(&sources, &mut *scratch)?;
    let failed = |e: std::io::Error| FeedError::Write { reason: e.to_string() };
    let tape = scratch.close(&settings.name).map_err(failed)?;
    let window = Window { assets: None, ..window };
    TapeFeed::open_as(&TapeSettings { clock, window }, tape.as_ref(), Some(written.data_hash))
}

/// A file that was named for its settlements.
fn of_rates(
    settings: &HistorySettings,
    source: Box<dyn SourceFile>,
) -> Result<Box<dyn SourceFile>, FeedError> {
    let known = detect(source.as_ref(), &settings.choices)?;
    if known.is_ok_and(|k| k.format == ImportFormat::Funding) {
        return Ok(source);
    }
    let (file, column) = (source.name().to_owned(), "rate".to_owned());
    Err(FeedError::Column { file, column, header: "it holds no rates".to_owned() })
}

/// The files that are run: several kinds or lengths of bars are somebody's to choose from.
fn sort_out(
    settings: &HistorySettings,
    sources: Vec<Box<dyn SourceFile>>,
    notes: &mut Vec<String>,
) -> Result<Vec<Box<dyn SourceFile>>, FeedError> {
    let mut files: Vec<KnownFile> = Vec::new();
    for source in sources {
        match detect(source.as_ref(), &settings.choices)? {
            Ok(known) => files.push((source, known)),
            Err(reason) => {
                let (file, known) = (source.name().to_owned(), ImportFormat::known());
                return Err(FeedError::Format { file, reason, known });
            }
        }
    }
    files.sort_by(|a, b| a.0.name().cmp(b.0.name()));
    of_one_kind(settings, &mut files, notes)?;
    of_one_length(settings, &files)?;
    if let Some((_, first)) = files.first()
        && files.iter().all(|f| f.1.format == ImportFormat::Funding)
    {
        let first_bad = format!("; it has settlements and no bars ({})", first.format);
        return Err(FeedError::Empty { name: settings.name.clone(), window: String::new(), first_bad });
    }
    Ok(files.into_iter().map(|f| f.0).collect())
}

/// Whether its rows are bars, and of the kind that its name tells.
fn tells(file: &KnownFile, kind: InstrumentKind) -> bool {
    file.1.bars().is_some_and(|shape| shape.hints.kind == Some(kind))
}

/// Bars are listed as was chosen, or as their names tell where that is one way.
fn of_one_kind(
    settings: &HistorySettings,
    files: &mut Vec<KnownFile>,
    notes: &mut Vec<String>,
) -> Result<(), FeedError> {
    let told = |kind: InstrumentKind| files.iter().find(|f| tells(f, kind));
    let both = told(InstrumentKind::Perp).zip(told(InstrumentKind::Margin));
    let Some((perp, spot)) = both else { return Ok(()) };
    let Some(kind) = settings.kind else {
        return Err(FeedError::Undecided {
            file: settings.name.clone(),
            found: format!("{} holds perps and {} spot", perp.0.name(), spot.0.name()),
            ways: "choose with kind=perp or kind=margin, name both as history:PERPS,SPOT, or import them onto one tape".to_owned(),
        });
    };
    let other = if kind == InstrumentKind::Perp { InstrumentKind::Margin } else { InstrumentKind::Perp };
    files.retain(|file| {
        let keep = !tells(file, other);
        if !keep {
            notes.push(format!("{} is left out: its name says that it holds no {kind}", file.0.name()));
        }
        keep
    });
    Ok(())
}

/// Bars of two lengths do not go together: the longer would be told before they are over.
fn of_one_length(settings: &HistorySettings, files: &[KnownFile]) -> Result<(), FeedError> {
    if settings.choices.bar().is_some() {
        return Ok(());
    }
    let bar = |f: &KnownFile| -> Option<Span> { f.1.bars()?.bar };
    let mut lengths = files.iter().filter_map(|f| Some((f.0.name(), bar(f)?)));
    let Some((first, one)) = lengths.next() else { return Ok(()) };
    let Some((second, other)) = lengths.find(|(_, other)| *other != one) else { return Ok(()) };
    Err(FeedError::Undecided {
        file: settings.name.clone(),
        found: format!("{first} has bars of {one}, and {second} of {other}"),
        ways: format!(
            "choose one length with bar={one}, or import both onto two tapes with --bar {one} and --bar {other}"
        ),
    })
}
