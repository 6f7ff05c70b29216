//! The instruments that files tell of, numbered as they are first seen, and the universe they make.

use crate::domain::instrument::Asset;
use crate::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Universe,
};
use crate::market::source::Window;
use crate::market::table::{asset_name, is_dollar, money_like};
use crate::market::tape::Tells;
use crate::market::units::{digits, lot, tick};
use std::collections::{BTreeMap, BTreeSet};

/// Most instruments of one import: whole option chains over weeks fit, and ids are 16 bits.
pub(super) const INSTRUMENTS_MAX: usize = 32_768;

/// Rows of a symbol whose prices tell its tick.
const TICK_ROWS: usize = 500;
/// Smallest order, in quote currency: the smallest filter of large exchanges.
const MIN_NOTIONAL: i64 = 5;
/// A lot of a pair of coins is worth at most this part of the coin that it is quoted in, about a dollar or less.
const COIN_PARTS: f64 = 1e5;

/// Instruments of which one thing is said each.
const NAMED_MAX: usize = 8;

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
    /// Length of its bars; none if it has none.
    pub bar: Option<Span>,
    /// Whether it is asked for.
    wanted: bool,
    /// Of all its rows, and of those in the window.
    whole: RowFacts,
    part: RowFacts,
}

/// What rows of an instrument tell of it, in whatever order they come.
#[derive(Clone, Debug, Default)]
struct RowFacts {
    rows: u64,
    /// Rows of these that are settlements.
    settled: u64,
    trades: bool,
    quotes: bool,
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// The earliest price, and the open of the bar that it is of.
    first_price: Option<(Stamp, f64)>,
    opening: Option<(Stamp, f64)>,
    /// Digits after the point of the earliest prices, by stamp; these tell the tick.
    digits: BTreeMap<Stamp, i32>,
}

impl RowFacts {
    fn learn(&mut self, event: &MarketEvent) {
        let at = event.at();
        self.rows += 1;
        self.first = Some(self.first.map_or(at, |f| f.min(at)));
        self.last = Some(self.last.map_or(at, |l| l.max(at)));
        let prices: &[f64] = match event {
            MarketEvent::Bar { bar, .. } => &[bar.open, bar.high, bar.low, bar.close],
            MarketEvent::Quote { bid, ask, .. } => {
                self.quotes = true;
                &[*bid, *ask]
            }
            MarketEvent::Trade { price, .. } => {
                self.trades = true;
                &[*price]
            }
            MarketEvent::Pool { price, .. } => &[*price],
            MarketEvent::Funding { .. } => {
                self.settled += 1;
                return;
            }
            _ => return,
        };
        let is_first = |of: &Option<(Stamp, f64)>| of.is_none_or(|(before, _)| at < before);
        if let MarketEvent::Bar { bar, .. } = event
            && is_first(&self.opening)
        {
            self.opening = Some((at, bar.open));
        }
        if let Some(price) = prices.last()
            && is_first(&self.first_price)
        {
            self.first_price = Some((at, *price));
        }
        let full = self.digits.len() >= TICK_ROWS;
        if full && self.digits.last_key_value().is_some_and(|(last, _)| at > *last) {
            return;
        }
        let finest = prices.iter().map(|p| digits(*p)).fold(i32::MIN, i32::max);
        self.digits.entry(at).and_modify(|d| *d = (*d).max(finest)).or_insert(finest);
        if self.digits.len() > TICK_ROWS {
            self.digits.pop_last();
        }
    }
}

/// All instruments of an import.
#[derive(Clone, Default)]
pub(super) struct Listings {
    pub all: Vec<ListedFacts>,
    index: BTreeMap<(String, String, InstrumentKind), u16>,
    /// Names for indices of volatility, by provisional id.
    pub indices: Vec<String>,
    /// The part that is wanted.
    window: Window,
    /// Whether there were more than are taken.
    pub full: bool,
    /// An instrument with bars of two lengths, and those.
    pub mixed: Option<(String, Span, Span)>,
}

impl Listings {
    pub fn new(window: Window) -> Self {
        Listings { window, ..Listings::default() }
    }

    /// The number of an instrument; none if there are too many.
    pub fn number(&mut self, entry: &ListingName) -> Option<InstrumentId> {
        let key = (entry.venue.to_owned(), entry.symbol.to_owned(), entry.kind);
        if let Some(n) = self.index.get(&key) {
            return Some(InstrumentId(*n));
        }
        let base = asset_name(entry.base);
        let named = |w: &String| {
            let name = w.strip_suffix(entry.venue).and_then(|w| w.strip_suffix('@')).unwrap_or(w);
            name == base || name == entry.symbol
        };
        let wanted = self.window.assets.as_ref().is_none_or(|list| list.iter().any(named));
        if self.all.len() >= INSTRUMENTS_MAX {
            self.full |= wanted;
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
            bar: None,
            wanted,
            whole: RowFacts::default(),
            part: RowFacts::default(),
        });
        Some(InstrumentId(n))
    }

    /// The same listings under the same numbers, for another pass.
    pub fn again(&self) -> Listings {
        Listings {
            all: self.all.clone(),
            index: self.index.clone(),
            indices: self.indices.clone(),
            window: self.window.clone(),
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

    /// Learns from an event that is used, and tells whether it is of the part that is wanted.
    pub fn learn(&mut self, event: &MarketEvent) -> bool {
        let inside = self.window.holds(event.at());
        let Some(listed) = event.instrument().and_then(|i| self.all.get_mut(i.index())) else {
            return inside;
        };
        listed.whole.learn(event);
        if self.window.is_whole() {
            return true;
        }
        if inside && listed.wanted {
            listed.part.learn(event);
        }
        inside && listed.wanted
    }

    /// Whether a moment is in the window.
    pub fn holds(&self, at: Stamp) -> bool {
        self.window.holds(at)
    }

    /// A name that is asked for and that nothing here has.
    pub fn missing(&self) -> Option<(&str, String)> {
        let has = |w: &str| {
            self.all.iter().any(|l| {
                let name = w.strip_suffix(l.venue.as_str()).and_then(|w| w.strip_suffix('@')).unwrap_or(w);
                (name == l.base || name == l.symbol) && self.facts(l, false).rows > 0
            })
        };
        let missing = self.window.assets.iter().flatten().find(|w| !has(w))?;
        let known: BTreeSet<&str> =
            self.all.iter().filter(|l| l.whole.rows > 0).map(|l| l.symbol.as_str()).collect();
        Some((missing, known.into_iter().take(60).collect::<Vec<_>>().join(" ")))
    }

    /// What is told of an instrument: by all of its rows, or by those that are wanted.
    fn facts<'a>(&self, of: &'a ListedFacts, whole: bool) -> &'a RowFacts {
        if whole || self.window.is_whole() { &of.whole } else { &of.part }
    }

    /// By number: the perp that settlements of another venue, or of none that is named, belong to, where one alone has bars.
    fn paid(&self) -> Vec<usize> {
        let settles = |l: &ListedFacts| {
            l.kind == InstrumentKind::Perp && l.bar.is_none() && l.whole.settled == l.whole.rows
        };
        let of = |(n, l): (usize, &ListedFacts)| {
            let fits = |(_, p): &(usize, &ListedFacts)| {
                p.kind == InstrumentKind::Perp
                    && p.bar.is_some()
                    && (&p.base, &p.quote) == (&l.base, &l.quote)
                    && (p.venue.is_empty() || l.venue.is_empty() || p.venue == l.venue)
            };
            let mut perps = self.all.iter().enumerate().filter(|_| settles(l)).filter(fits).map(|(p, _)| p);
            match (perps.next(), perps.next()) {
                (Some(one), None) => one,
                _ => n,
            }
        };
        self.all.iter().enumerate().map(of).collect()
    }

    /// The universe of all that is here, or of what is wanted of it; what each of its instruments tells, its number by the
    /// provisional one, and by provisional index its asset.
    pub fn universe(&self, whole: bool, notes: &mut Vec<String>) -> MadeUniverse {
        let facts = |i: usize| self.facts(&self.all[i], whole);
        let paid = self.paid();
        // What is paid and has no price, nor has anything else of its asset, cannot be traded.
        let is_priced = |i: usize| facts(i).rows > facts(i).settled;
        let priced: BTreeSet<&str> =
            (0..self.all.len()).filter(|&i| is_priced(i)).map(|i| self.all[i].base.as_str()).collect();
        let used: Vec<usize> = (0..self.all.len())
            .filter(|&i| facts(i).rows > 0 && paid[i] == i && priced.contains(self.all[i].base.as_str()))
            .collect();
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
                of_asset.min_by_key(|&i| self.all[i].rank(facts(i), quotes[i].is_some()))
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
            let firsts = used.iter().filter(|&&u| self.all[u].base == *name).filter_map(|&u| facts(u).first);
            made.universe.assets.push(Asset {
                id: AssetId(i as u16),
                name: (*name).to_owned(),
                // Where there is nothing but currencies they are what is traded.
                money_like: money_like(name) && !names.iter().all(|n| money_like(n)),
                first: firsts.min().unwrap_or_default(),
            });
        }
        for (n, i) in desk.into_iter().chain(extras).enumerate() {
            let (l, of) = (&self.all[i], facts(i));
            let id = InstrumentId(n as u16);
            made.instruments[i] = Some(id);
            made.tells.push(Tells { bar: l.bar, trades: of.trades, quotes: of.quotes });
            made.openings.push(of.opening);
            made.universe.instruments.push(l.instrument(
                of,
                id,
                asset(&l.base).unwrap_or_default(),
                quotes[i],
            ));
        }
        for (i, of) in paid.iter().enumerate().filter(|(i, of)| i != *of) {
            made.instruments[i] = made.instruments[*of];
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
        for &i in used.iter().filter(|i| self.all[**i].is_coin_margined()).take(NAMED_MAX) {
            notes.push(format!(
                "{} is a contract margined in its coin: it is counted as linear, with gains in dollars; the contract itself pays \
                 them in coins",
                self.all[i].symbol
            ));
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
    fn rank<'a>(&'a self, of: &RowFacts, is_pair: bool) -> impl Ord + use<'a> {
        let kind = match self.kind {
            InstrumentKind::Margin | InstrumentKind::Spot => 0,
            InstrumentKind::Perp => 1,
            InstrumentKind::Future => 2,
            InstrumentKind::Pool => 3,
            InstrumentKind::Move | InstrumentKind::Option => 4,
        };
        let length = of.last.zip(of.first).map_or(0, |(l, f)| l.since(f).0);
        let told = match (self.bar, of.trades, of.quotes) {
            (Some(_), ..) => 0,
            (None, true, _) => 1,
            (None, false, true) => 2,
            (None, false, false) => 3,
        };
        (kind > 2, told, is_pair, kind, std::cmp::Reverse(length), &self.venue, &self.symbol)
    }

    /// The trading rules that files do not tell: the tick is the finest digit seen, the lot is worth at
    /// most one unit of quote currency, or the hundred-thousandth part of a coin that is one; contracts trade by the tenth (options) or whole (futures).
    fn instrument(
        &self,
        of: &RowFacts,
        id: InstrumentId,
        asset: AssetId,
        quote: Option<AssetId>,
    ) -> Instrument {
        let price = of.first_price.map(|(_, p)| p).filter(|p| p.is_finite() && *p > 0.0);
        let finest = of.digits.values().copied().max().unwrap_or(i32::MIN);
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
            tick: price.map_or(Decimal::ONE, |p| tick(finest, p)).into(),
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

    /// Whether it is a contract in dollars whose margin and gains are coins: `BTCUSD_PERP`, `BTC-USD-SWAP`.
    fn is_coin_margined(&self) -> bool {
        let plain = self.symbol.replace(['-', '_', '/'], "");
        ["USDPERP", "USDSWAP"].iter().any(|end| plain.ends_with(end))
    }

    /// Takes note of the length of its bars; the other length if it has one already.
    pub fn bars(&mut self, bar: Span) -> Option<Span> {
        let before = *self.bar.get_or_insert(bar);
        (before != bar).then_some(before)
    }
}
