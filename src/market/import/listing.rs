//! The instruments that files tell of, numbered as they are first seen, and the universe they make.

use crate::domain::instrument::Asset;
use crate::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Universe,
};
use crate::market::history::money_like;
use crate::market::history::scan::{MIN_NOTIONAL, TICK_ROWS};
use crate::market::table::{asset_name, is_dollar};
use crate::market::tape::Tells;
use crate::market::units::{digits, lot, tick};
use std::collections::{BTreeMap, BTreeSet};

/// Most instruments of one import: whole option chains over weeks fit, and ids are 16 bits.
pub(super) const INSTRUMENTS_MAX: usize = 32_768;

/// A lot of a pair of coins is worth at most this part of the coin that it is quoted in, about a dollar or less.
const COIN_PARTS: f64 = 1e5;

/// How a file names an instrument.
#[derive(Clone, Debug)]
pub(super) struct ListingName<'a> {
    pub venue: &'a str,
    pub symbol: &'a str,
    pub kind: InstrumentKind,
    pub base: &'a str,
    pub quote: Option<&'a str>,
    pub terms: ContractTerms,
}

/// What is learned of an instrument.
#[derive(Clone, Debug)]
pub(super) struct ListedFacts {
    pub venue: String,
    pub symbol: String,
    pub kind: InstrumentKind,
    pub base: String,
    pub quote: Option<String>,
    pub terms: ContractTerms,
    pub tells: Tells,
    pub rows: u64,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    first_price: Option<f64>,
    /// The open of its first bar, and when that is.
    opening: Option<(Stamp, f64)>,
    digits: i32,
    /// Events that had a price; of these the first tell the tick.
    priced: u64,
}

/// All instruments of an import.
#[derive(Clone, Default)]
pub(super) struct Listings {
    pub all: Vec<ListedFacts>,
    index: BTreeMap<(String, String, InstrumentKind), u16>,
    /// Names for indices of volatility, by provisional id.
    pub indices: Vec<String>,
    /// Only these bases or symbols.
    wanted: Option<Vec<String>>,
    /// Whether there were more than are taken.
    pub full: bool,
    /// An instrument with bars of two lengths, and those.
    pub mixed: Option<(String, Span, Span)>,
}

impl Listings {
    pub fn new(wanted: Option<Vec<String>>) -> Self {
        Listings { wanted, ..Listings::default() }
    }

    /// The number of an instrument; none if it is not wanted or there are too many.
    pub fn number(&mut self, entry: &ListingName) -> Option<InstrumentId> {
        let base = asset_name(entry.base);
        let named = |w: &String| *w == base || w == entry.symbol;
        if self.wanted.as_ref().is_some_and(|list| !list.iter().any(named)) {
            return None;
        }
        let key = (entry.venue.to_owned(), entry.symbol.to_owned(), entry.kind);
        if let Some(n) = self.index.get(&key) {
            return Some(InstrumentId(*n));
        }
        if self.all.len() >= INSTRUMENTS_MAX {
            self.full = true;
            return None;
        }
        let n = self.all.len() as u16;
        self.index.insert(key, n);
        self.all.push(ListedFacts {
            venue: entry.venue.to_owned(),
            symbol: entry.symbol.to_owned(),
            kind: entry.kind,
            base,
            quote: entry.quote.map(asset_name),
            terms: entry.terms,
            tells: Tells::default(),
            rows: 0,
            first: None,
            last: None,
            first_price: None,
            opening: None,
            digits: i32::MIN,
            priced: 0,
        });
        Some(InstrumentId(n))
    }

    /// The same listings under the same numbers, for another pass.
    pub fn again(&self) -> Listings {
        Listings {
            all: self.all.clone(),
            index: self.index.clone(),
            indices: self.indices.clone(),
            wanted: self.wanted.clone(),
            ..Listings::default()
        }
    }

    /// The number of an asset for an index of its volatility.
    pub fn index_of(&mut self, base: &str) -> AssetId {
        let base = asset_name(base);
        let found = self.indices.iter().position(|b| *b == base);
        AssetId(found.unwrap_or_else(|| {
            self.indices.push(base);
            self.indices.len() - 1
        }) as u16)
    }

    /// Learns from an event that is used.
    pub fn learn(&mut self, event: &MarketEvent) {
        let Some(listed) = event.instrument().and_then(|i| self.all.get_mut(i.index())) else { return };
        let at = event.at();
        listed.rows += 1;
        listed.first = Some(listed.first.map_or(at, |f| f.min(at)));
        listed.last = Some(listed.last.map_or(at, |l| l.max(at)));
        let prices: &[f64] = match event {
            MarketEvent::Bar { bar, .. } => &[bar.open, bar.high, bar.low, bar.close],
            MarketEvent::Quote { bid, ask, .. } => {
                listed.tells.quotes = true;
                &[*bid, *ask]
            }
            MarketEvent::Trade { price, .. } => {
                listed.tells.trades = true;
                &[*price]
            }
            MarketEvent::Pool { price, .. } => &[*price],
            _ => &[],
        };
        if let MarketEvent::Bar { bar, .. } = event
            && listed.opening.is_none_or(|(before, _)| at < before)
        {
            listed.opening = Some((at, bar.open));
        }
        if let Some(price) = prices.last() {
            listed.first_price.get_or_insert(*price);
            listed.priced += 1;
            if listed.priced <= TICK_ROWS {
                listed.digits = prices.iter().map(|p| digits(*p)).fold(listed.digits, i32::max);
            }
        }
    }

    /// Says which perps have funding at a venue and bars at none: they may be one.
    pub fn unknown_symbols(&self, notes: &mut Vec<String>) {
        let perps = || self.all.iter().filter(|l| l.kind == InstrumentKind::Perp && l.rows > 0);
        let nameless = |l: &&ListedFacts| perps().any(|p| p.venue.is_empty() && p.symbol == l.symbol);
        let found: Vec<&ListedFacts> =
            perps().filter(|l| !l.venue.is_empty() && l.tells == Tells::default()).filter(nameless).collect();
        if let Some(first) = found.first() {
            let symbols: Vec<&str> = found.iter().map(|l| l.symbol.as_str()).take(12).collect();
            notes.push(format!(
                "{} has funding at {} and bars at no venue; --venue {} makes them one",
                symbols.join(" "),
                first.venue,
                first.venue
            ));
        }
    }

    /// The universe, what each of its instruments tells, its number by the provisional one, and by
    /// provisional index its asset.
    pub fn universe(&self, notes: &mut Vec<String>) -> MadeUniverse {
        let used: Vec<usize> = (0..self.all.len()).filter(|&i| self.all[i].rows > 0).collect();
        let names: BTreeSet<&str> = used.iter().map(|&i| self.all[i].base.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let asset = |name: &str| names.binary_search(&name).ok().map(|i| AssetId(i as u16));
        let quotes: Vec<Option<AssetId>> =
            self.all.iter().map(|l| l.quote.as_deref().and_then(&asset)).collect();
        self.foreign(&used, &quotes, notes);
        let desk: Vec<usize> = names
            .iter()
            .filter_map(|name| {
                let of_asset = used.iter().copied().filter(|&i| self.all[i].base == *name);
                of_asset.min_by_key(|&i| self.all[i].rank(quotes[i].is_some()))
            })
            .collect();
        let mut extras: Vec<usize> = used.iter().copied().filter(|i| !desk.contains(i)).collect();
        extras.sort_by_key(|&i| {
            let l = &self.all[i];
            (&l.base, &l.venue, l.kind, &l.symbol)
        });
        let mut made = MadeUniverse {
            universe: Universe::default(),
            tells: Vec::new(),
            instruments: vec![None; self.all.len()],
            indices: self.indices.iter().map(|b| asset(b)).collect(),
            openings: Vec::new(),
        };
        for (i, name) in names.iter().enumerate() {
            let firsts =
                used.iter().filter(|&&u| self.all[u].base == *name).filter_map(|&u| self.all[u].first);
            made.universe.assets.push(Asset {
                id: AssetId(i as u16),
                name: (*name).to_owned(),
                // Where there is nothing but currencies they are what is traded.
                money_like: money_like(name) && !names.iter().all(|n| money_like(n)),
                first: firsts.min().unwrap_or_default(),
            });
        }
        for (n, i) in desk.into_iter().chain(extras).enumerate() {
            let l = &self.all[i];
            let id = InstrumentId(n as u16);
            made.instruments[i] = Some(id);
            made.tells.push(l.tells);
            made.openings.push(l.opening);
            made.universe.instruments.push(l.instrument(id, asset(&l.base).unwrap_or_default(), quotes[i]));
        }
        made
    }
}

impl Listings {
    /// Says whose prices are in a currency that is neither the account's nor on the tape.
    fn foreign(&self, used: &[usize], quotes: &[Option<AssetId>], notes: &mut Vec<String>) {
        let mut foreign: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for &i in used {
            let l = &self.all[i];
            if let Some(quote) = l.quote.as_deref().filter(|q| !is_dollar(q) && quotes[i].is_none()) {
                foreign.entry(quote).or_default().push(&l.symbol);
            }
        }
        for (quote, symbols) in foreign {
            notes.push(format!(
                "{} {} quoted in {quote}, which is not on this tape: amounts count as if one {quote} were one dollar",
                symbols.iter().take(8).copied().collect::<Vec<_>>().join(" "),
                if symbols.len() == 1 { "is" } else { "are" }
            ));
        }
    }
}

/// What [`Listings::universe`] makes.
pub(super) struct MadeUniverse {
    pub universe: Universe,
    pub tells: Vec<Tells>,
    pub instruments: Vec<Option<InstrumentId>>,
    pub indices: Vec<Option<AssetId>>,
    /// By instrument: the open of its first bar, and when that is.
    pub openings: Vec<Option<(Stamp, f64)>>,
}

impl ListedFacts {
    /// Which instrument of an asset the desk trades: the least. One with bars of its own before one with trades or
    /// quotes, in the account's currency before a pair of coins, spot before perps, and then the longest history.
    fn rank(&self, is_pair: bool) -> impl Ord + use<'_> {
        let kind = match self.kind {
            InstrumentKind::Margin | InstrumentKind::Spot => 0,
            InstrumentKind::Perp => 1,
            InstrumentKind::Future => 2,
            InstrumentKind::Pool => 3,
            InstrumentKind::Move | InstrumentKind::Option => 4,
        };
        let length = self.last.zip(self.first).map_or(0, |(l, f)| l.since(f).0);
        let told = match self.tells {
            Tells { bar: Some(_), .. } => 0,
            Tells { trades: true, .. } => 1,
            Tells { quotes: true, .. } => 2,
            Tells { .. } => 3,
        };
        (kind > 2, told, is_pair, kind, std::cmp::Reverse(length), &self.venue, &self.symbol)
    }

    /// The trading rules that files do not tell: the tick is the finest digit seen, the lot is worth at
    /// most one unit of quote currency, or the hundred-thousandth part of a coin that is one; contracts trade by the tenth (options) or whole (futures).
    fn instrument(&self, id: InstrumentId, asset: AssetId, quote: Option<AssetId>) -> Instrument {
        let price = self.first_price.filter(|p| p.is_finite() && *p > 0.0);
        let contract = matches!(self.kind, InstrumentKind::Option | InstrumentKind::Move);
        let lot = match self.kind {
            InstrumentKind::Option | InstrumentKind::Move => Decimal::new(1, 1),
            InstrumentKind::Future => Decimal::ONE,
            _ => {
                // Of a pair of coins one unit of quote currency would be a fortune.
                let part = if quote.is_some() { COIN_PARTS } else { 1.0 };
                price.map_or(Decimal::ONE, |p| lot(p * part))
            }
        };
        Instrument {
            id,
            asset,
            symbol: self.symbol.clone(),
            kind: self.kind,
            venue: self.venue.clone(),
            quote,
            terms: self.terms,
            tick: price.map_or(Decimal::ONE, |p| tick(self.digits, p)).into(),
            lot,
            // In the quote of a pair of coins, or in the coin of an option, five units are a fortune.
            min_notional: if contract || quote.is_some() {
                Decimal::ZERO
            } else {
                Decimal::from(MIN_NOTIONAL)
            },
            contract: Decimal::ONE,
        }
    }

    /// Takes note of the length of its bars; the other length if it has one already.
    pub fn bars(&mut self, bar: Span) -> Option<Span> {
        let before = *self.tells.bar.get_or_insert(bar);
        (before != bar).then_some(before)
    }
}
