//! The files of a data set told apart: bars of one kind and one length, settlements, and what is neither.

use super::settings::HistorySettings;
use super::source::SourceFile;
use super::symbols::kind_of_name;
use crate::domain::{InstrumentKind, Span};
use crate::market::FeedError;
use crate::market::table::{TableKind, TableShape, look_at_all};
use std::sync::Arc;

/// A file, and what it was found to be.
type LookedAt = (Box<dyn SourceFile>, Arc<TableShape>);

/// What a data set consists of.
pub(super) struct FilesByKind {
    /// Files of bars, in the order of their names.
    pub bars: Vec<Box<dyn SourceFile>>,
    /// By file of bars: what it is.
    pub shapes: Vec<Arc<TableShape>>,
    pub funding: Vec<LookedAt>,
    /// How the bars are listed.
    pub kind: InstrumentKind,
    pub notes: Vec<String>,
}

impl FilesByKind {
    /// Tells the files apart; several kinds or lengths of bars are somebody's to choose from.
    pub fn sort_out(
        settings: &HistorySettings,
        mut sources: Vec<Box<dyn SourceFile>>,
    ) -> Result<Self, FeedError> {
        sources.sort_by(|a, b| a.name().cmp(b.name()));
        let shapes = look_at_all(&sources, &settings.choices)?;
        let (mut bars, mut funding, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (source, shape) in sources.into_iter().zip(shapes) {
            match shape.kind {
                TableKind::Bars => bars.push((source, shape)),
                TableKind::Funding | TableKind::Ticker => funding.push((source, shape)),
                TableKind::Reference => notes.push(left_out(source.as_ref(), &of_reference(&shape))),
            }
        }
        let kind = of_one_kind(settings, &mut bars, &mut notes)?;
        of_one_length(settings, &mut bars, &mut notes)?;
        if bars.is_empty() {
            let found = if funding.is_empty() {
                String::new()
            } else {
                "; it has settlements and no bars".to_owned()
            };
            let first_bad = notes.iter().fold(found, |all, note| all + "; " + note);
            return Err(FeedError::Empty { name: settings.name.clone(), window: String::new(), first_bad });
        }
        notes.extend(bars.iter().flat_map(|b| b.1.notes.iter().cloned()));
        notes.dedup();
        let (bars, shapes) = bars.into_iter().unzip();
        Ok(FilesByKind { bars, shapes, funding, kind, notes })
    }
}

/// Why prices of a reference are no bars.
pub(crate) fn of_reference(shape: &TableShape) -> String {
    let what = shape.hints.reference.unwrap_or("a reference");
    format!("it is named after {what}, at which nothing is traded; reference=trade takes it for bars")
}

fn left_out(source: &dyn SourceFile, why: &str) -> String {
    format!("{} is left out: {why}", source.name())
}

/// How the bars are listed: as was chosen, as their names tell, or as the data set's does.
fn of_one_kind(
    settings: &HistorySettings,
    bars: &mut Vec<LookedAt>,
    notes: &mut Vec<String>,
) -> Result<InstrumentKind, FeedError> {
    let told = |kind: InstrumentKind| bars.iter().find(|b| b.1.hints.kind == Some(kind));
    let both = told(InstrumentKind::Perp).zip(told(InstrumentKind::Margin));
    let Some((perp, spot)) = both else {
        let named = bars.iter().find_map(|b| b.1.hints.kind);
        return Ok(settings.kind.or(named).unwrap_or_else(|| kind_of_name(&settings.name)));
    };
    let Some(kind) = settings.kind else {
        return Err(FeedError::Undecided {
            file: settings.name.clone(),
            found: format!("{} holds perps and {} spot", perp.0.name(), spot.0.name()),
            ways: "choose with kind=perp or kind=margin, name both as history:PERPS,SPOT, or import them onto one tape".to_owned(),
        });
    };
    let other = if kind == InstrumentKind::Perp { InstrumentKind::Margin } else { InstrumentKind::Perp };
    bars.retain(|(source, shape)| {
        let keep = shape.hints.kind != Some(other);
        if !keep {
            notes.push(left_out(source.as_ref(), &format!("its name says that it holds no {kind}")));
        }
        keep
    });
    Ok(kind)
}

/// Bars of two lengths do not go together: the longer would be told before they are over.
fn of_one_length(
    settings: &HistorySettings,
    bars: &mut Vec<LookedAt>,
    notes: &mut Vec<String>,
) -> Result<(), FeedError> {
    if let Some(wanted) = settings.choices.bar() {
        bars.retain(|(source, shape)| {
            let other: Option<Span> = shape.bar.filter(|b| *b != wanted);
            if let Some(other) = other {
                notes.push(left_out(source.as_ref(), &format!("its bars are {other} long")));
            }
            other.is_none()
        });
        return Ok(());
    }
    let mut lengths = bars.iter().filter_map(|b| Some((b.0.name(), b.1.bar?)));
    let Some((first, one)) = lengths.next() else { return Ok(()) };
    match lengths.find(|(_, other)| *other != one) {
        None => Ok(()),
        Some((second, other)) => {
            Err(FeedError::TwoBars { symbol: format!("{first} and {second}"), one, other })
        }
    }
}
