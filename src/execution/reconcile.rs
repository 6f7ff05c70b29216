//! The venue's positions against the books: two records kept apart, so that comparing them means
//! something. Any mismatch halts (fault 28).

use super::Venue;
use crate::domain::{Decimal, InstrumentId};
use crate::ledger::Ledger;

/// Venue and books disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "instrument {}: the venue holds {venue}, the books {books}; trading halts until they agree",
    .instrument.0
)]
pub struct Mismatch {
    /// Of what.
    pub instrument: InstrumentId,
    /// What the venue says.
    pub venue: Decimal,
    /// Σ over the books.
    pub books: Decimal,
}

/// All instruments on which venue and books disagree.
pub fn reconcile(venue: &impl Venue, ledger: &Ledger) -> Vec<Mismatch> {
    let ids = (0_u16..).map(InstrumentId).take(ledger.instruments());
    ids.filter_map(|instrument| {
        let (venue, books) = (venue.position(instrument), ledger.net_position(instrument));
        (venue != books).then_some(Mismatch { instrument, venue, books })
    })
    .collect()
}
