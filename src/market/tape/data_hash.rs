//! What data is, whatever files it came from: a hash of what is told of each instrument, in its order.
//!
//! Two data sets have one hash if and only if the same was told of the same instruments. How it was packed, written, ordered or cut
//! into files does not count, nor do names, notes and the rules that are made up where files do not tell them.

use crate::domain::{InstrumentId, MarketEvent, Universe};

/// Most bytes of an event as it is hashed.
const EVENT_BYTES: usize = 128;

/// Takes in what is told.
pub(crate) struct DataHasher {
    /// By instrument, and then by asset for what is told of no instrument: whose it is, and its hash if there is anything.
    all: Vec<(String, Option<Box<blake3::Hasher>>)>,
    instruments: usize,
}

impl DataHasher {
    /// For the instruments of a universe.
    pub fn new(universe: &Universe) -> Self {
        let instruments =
            universe.instruments.iter().map(|i| format!("{}\0{}\0{}", i.venue, i.symbol, i.kind));
        let assets = universe.assets.iter().map(|a| format!("\0{}", a.name));
        let all = instruments.chain(assets).map(|name| (name, None)).collect();
        DataHasher { all, instruments: universe.instruments.len() }
    }

    /// Takes in the next event.
    pub fn take(&mut self, event: &MarketEvent) {
        let at = match *event {
            MarketEvent::VolIndex { asset, .. } => self.instruments + asset.index(),
            _ => event.instrument().map_or(0, InstrumentId::index),
        };
        let Some((_, hasher)) = self.all.get_mut(at) else { return };
        let plain = match event.told_of(InstrumentId(0)) {
            MarketEvent::VolIndex { at, sigma, .. } => {
                MarketEvent::VolIndex { asset: crate::domain::AssetId(0), at, sigma }
            }
            plain => plain,
        };
        let mut bytes = [0; EVENT_BYTES];
        // No event is longer than its fields, which are a few numbers.
        let written = postcard::to_slice(&plain, &mut bytes).unwrap_or_default();
        hasher.get_or_insert_with(Default::default).update(written);
    }

    /// The hash of all of it.
    pub fn finish(self) -> blake3::Hash {
        let mut each: Vec<(String, blake3::Hash)> =
            self.all.into_iter().filter_map(|(name, of)| Some((name, of?.finalize()))).collect();
        each.sort_by(|a, b| a.0.cmp(&b.0));
        let mut all = blake3::Hasher::new();
        for (name, hash) in each {
            all.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(hash.as_bytes());
        }
        all.finalize()
    }
}
