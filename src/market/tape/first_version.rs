//! The header of version 1, in which an instrument has a tick and its contract is a base unit.

use super::{TapeFile, TapeHeader, Tells};
use crate::domain::instrument::{Asset, Ranking};
use crate::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind, PriceStep, Universe,
};
use serde::{Deserialize, Serialize};

/// A header as version 1 has it.
#[derive(Serialize, Deserialize)]
pub(super) struct FirstHeader {
    name: String,
    universe: FirstUniverse,
    tells: Vec<Tells>,
    notes: Vec<String>,
    files: Vec<TapeFile>,
}

/// A universe as version 1 has it.
#[derive(Serialize, Deserialize)]
struct FirstUniverse {
    assets: Vec<Asset>,
    instruments: Vec<FirstInstrument>,
    by_volume: Vec<Ranking>,
}

/// An instrument as version 1 has it.
#[derive(Serialize, Deserialize)]
struct FirstInstrument {
    id: InstrumentId,
    asset: AssetId,
    symbol: String,
    kind: InstrumentKind,
    venue: String,
    quote: Option<AssetId>,
    terms: ContractTerms,
    tick: Decimal,
    lot: Decimal,
    min_notional: Decimal,
}

impl FirstHeader {
    /// The header in version 1; none where it has what that version cannot say.
    pub fn of(header: &TapeHeader) -> Option<Self> {
        let TapeHeader { name, universe, tells, notes, files } = header.clone();
        let Universe { assets, instruments, by_volume } = universe;
        let instruments = instruments.into_iter().map(FirstInstrument::of).collect::<Option<_>>()?;
        Some(FirstHeader {
            name,
            universe: FirstUniverse { assets, instruments, by_volume },
            tells,
            notes,
            files,
        })
    }
}

impl From<FirstHeader> for TapeHeader {
    fn from(first: FirstHeader) -> Self {
        let FirstHeader { name, universe, tells, notes, files } = first;
        let FirstUniverse { assets, instruments, by_volume } = universe;
        let instruments = instruments.into_iter().map(Instrument::from).collect();
        let universe = Universe { assets, instruments, by_volume };
        TapeHeader { name, universe, tells, notes, files }
    }
}

impl FirstInstrument {
    fn of(i: Instrument) -> Option<Self> {
        let Instrument { id, asset, symbol, kind, venue, quote, terms, tick, lot, min_notional, contract } =
            i;
        let PriceStep::Tick(tick) = tick else { return None };
        let first = FirstInstrument { id, asset, symbol, kind, venue, quote, terms, tick, lot, min_notional };
        (contract == Decimal::ONE).then_some(first)
    }
}

impl From<FirstInstrument> for Instrument {
    fn from(first: FirstInstrument) -> Self {
        let FirstInstrument { id, asset, symbol, kind, venue, quote, terms, tick, lot, min_notional } = first;
        let (tick, contract) = (PriceStep::Tick(tick), Decimal::ONE);
        Instrument { id, asset, symbol, kind, venue, quote, terms, tick, lot, min_notional, contract }
    }
}
