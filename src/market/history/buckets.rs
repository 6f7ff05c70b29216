//! Buckets of the decision clock: in which one a bar closes, and how finer bars make a coarser one.

use crate::domain::{Bar, Span, Stamp};

/// The start of the bucket in which a bar closes.
pub(crate) fn bucket(open: Stamp, bar: Span, clock: Span) -> Stamp {
    Stamp(open.0 + bar.0 - 1).floor(clock)
}

/// Adds a finer bar to a coarser one.
pub(crate) fn merge(into: &mut Option<Bar>, bar: &Bar) {
    match into {
        None => *into = Some(*bar),
        Some(all) => {
            all.high = all.high.max(bar.high);
            all.low = all.low.min(bar.low);
            all.close = bar.close;
            all.volume += bar.volume;
        }
    }
}
