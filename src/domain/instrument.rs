//! Assets, instruments and the universe of a feed.

use super::step::{self, PriceStep};
use super::{AssetId, Decimal, InstrumentId, Stamp, VenueId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an asset is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstrumentKind {
    /// Owned outright; no short side.
    Spot,
    /// Spot bought or sold on margin: both sides, a short pays the borrow rate.
    Margin,
    /// Perpetual swap: both sides, funding at its stamps.
    Perp,
    /// Dated future: both sides, settles at its expiry.
    Future,
    /// European option, settled in cash at its expiry.
    Option,
    /// Pays the distance between two averages of the index ([`ContractTerms::Move`]).
    Move,
    /// A pool of an automated market maker.
    Pool,
}

impl InstrumentKind {
    /// The name used in feed options and on the screen.
    pub fn text(self) -> &'static str {
        match self {
            InstrumentKind::Spot => "spot",
            InstrumentKind::Margin => "margin",
            InstrumentKind::Perp => "perp",
            InstrumentKind::Future => "future",
            InstrumentKind::Option => "option",
            InstrumentKind::Move => "move",
            InstrumentKind::Pool => "pool",
        }
    }

    /// Finds by name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.text() == text)
    }

    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Spot, Self::Margin, Self::Perp, Self::Future, Self::Option, Self::Move, Self::Pool];

    /// Whether a short position can be held.
    pub fn can_short(self) -> bool {
        !matches!(self, InstrumentKind::Spot | InstrumentKind::Pool)
    }

    /// Whether a position is paid for in full; others are held on margin, and their gains are cash.
    pub fn is_owned(self) -> bool {
        matches!(self, InstrumentKind::Spot | InstrumentKind::Margin | InstrumentKind::Pool)
    }
}

impl fmt::Display for InstrumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// What makes a contract that ends, a pool, or a market with its own fees what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum ContractTerms {
    /// Nothing but its price: spot, margin, perp.
    #[default]
    Plain,
    /// A dated future.
    Future {
        /// Settles then, at the venue's settlement price.
        expiry: Stamp,
    },
    /// A European option on one unit of the asset.
    Option {
        /// Exercised then if in the money.
        expiry: Stamp,
        /// Price at which it is exercised, in quote currency.
        strike: f64,
        /// A call; else a put.
        call: bool,
        /// Premium and payoff in the asset itself, in place of quote currency.
        inverse: bool,
    },
    /// Pays |mean of the index over the last hour before expiry − the same over the day's first hour|.
    Move {
        /// Start of the hour whose mean is the strike: midnight before the expiry.
        fixing: Stamp,
        /// Moment at which it settles.
        expiry: Stamp,
    },
    /// A pool of the asset and quote currency.
    Pool {
        /// Taken from what is swapped in, in millionths.
        fee_ppm: u32,
        /// Liquidity lies in ranges of price (v3), else everywhere (v2).
        concentrated: bool,
    },
    /// Spot, margin or perp of a venue with fees of its own, in millionths of notional, in place of the run's.
    Rates {
        /// Fee of taking, in millionths of notional.
        taker_ppm: u32,
        /// Of resting; negative where the venue pays for it.
        maker_ppm: i32,
    },
}

impl ContractTerms {
    /// When it ends; none where it does not.
    pub fn expiry(&self) -> Option<Stamp> {
        match *self {
            ContractTerms::Future { expiry }
            | ContractTerms::Option { expiry, .. }
            | ContractTerms::Move { expiry, .. } => Some(expiry),
            ContractTerms::Plain | ContractTerms::Pool { .. } | ContractTerms::Rates { .. } => None,
        }
    }

    /// What a unit that settles at this price pays, in the currency of that price.
    pub fn payoff(&self, price: f64) -> f64 {
        match *self {
            ContractTerms::Option { strike, call, .. } => {
                (if call { price - strike } else { strike - price }).max(0.0)
            }
            _ => price,
        }
    }
}

/// What is listed: the trading rules of one instrument. Quantities are in base units wherever they are; contracts are
/// counted only where an order is written for a venue and where its answer is read.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its place in [`Universe::instruments`].
    pub id: InstrumentId,
    /// The asset it expresses.
    pub asset: AssetId,
    /// Symbol as the venue writes it, such as `BTCUSDT`.
    pub symbol: String,
    /// How it is listed.
    pub kind: InstrumentKind,
    /// Where it is listed; empty where the feed has one venue.
    pub venue: String,
    /// What prices are in: another asset, or the currency of the account where there is none.
    pub quote: Option<AssetId>,
    /// Expiry, strike, fee of a pool, the venue's own fees.
    pub terms: ContractTerms,
    /// How its prices are stepped, in quote currency.
    pub tick: PriceStep,
    /// Smallest quantity step, in base units: any positive decimal.
    pub lot: Decimal,
    /// Smallest order, in quote currency.
    pub min_notional: Decimal,
    /// Base units in one of the venue's contracts; 1 where the venue counts base units.
    pub contract: Decimal,
}

impl Instrument {
    /// A quantity as the venue counts it, in contracts; `None` if it is no whole number of lots or does not come out.
    ///
    /// Not every venue trades whole contracts: OKX takes 34.95 contracts of 0.01 BTC, in lots of a hundredth of one. What
    /// has to be whole are the lots.
    pub fn contracts(&self, quantity: Decimal) -> Option<Decimal> {
        step::count(quantity, self.lot)?;
        step::quotient(quantity, self.contract)
    }

    /// What a venue counts in contracts, in base units; `None` if it is no whole number of lots or has too many digits.
    pub fn base_units(&self, contracts: Decimal) -> Option<Decimal> {
        let quantity = step::exact_product(contracts, self.contract)?;
        step::count(quantity, self.lot).map(|_| quantity)
    }
}

/// Written by hand, since the text of all instruments is part of what a kept run is known by: rules that are as they were
/// before they could be told otherwise leave it as it was.
impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Instrument { id, asset, symbol, kind, venue, quote, terms, tick, lot, min_notional, contract } =
            self;
        let mut text = f.debug_struct("Instrument");
        text.field("id", id).field("asset", asset).field("symbol", symbol).field("kind", kind);
        text.field("venue", venue).field("quote", quote).field("terms", terms);
        text.field("tick", tick).field("lot", lot).field("min_notional", min_notional);
        if *contract != Decimal::ONE {
            text.field("contract", contract);
        }
        text.finish()
    }
}

/// An asset and what is known of it before the run starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Its place in [`Universe::assets`].
    pub id: AssetId,
    /// Name as selectors write it, such as `BTC`.
    pub name: String,
    /// Money-like (stablecoin, currency, gold): not in the selector `any`.
    pub money_like: bool,
    /// When the feed first quotes it. A roster may list the asset before; nobody trades it before.
    pub first: Stamp,
}

/// All that a feed lists. Assets are sorted by name, so numbering does not depend on file order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Universe {
    /// Sorted by name.
    pub assets: Vec<Asset>,
    /// First one per asset, in the order of the assets: what the desk trades. Then all others, which
    /// structures use. Contracts that are listed during the run are here from the start: using one before
    /// it is quoted, even reading its strike, would be looking ahead.
    pub instruments: Vec<Instrument>,
    /// For the selector `top:N:volume`: the ranking by dollar volume over the first 30 days in which
    /// at least n assets trade, for n = 1, 2, …, and the stamp at which each is known. An agent that
    /// uses a ranking takes up its assets only then, so selection never looks ahead.
    pub by_volume: Vec<Ranking>,
}

/// A ranking of assets by traded value, and when it could first be known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// From the most traded down.
    pub assets: Vec<AssetId>,
    /// Not before this stamp.
    pub known_at: Stamp,
}

/// The names of the venues of these instruments, in the order in which they come first; and by instrument which it is.
pub fn venues(instruments: &[Instrument]) -> (Vec<String>, Vec<VenueId>) {
    let mut names: Vec<String> = Vec::new();
    let number = |instrument: &Instrument| {
        let known = names.iter().position(|name| *name == instrument.venue);
        VenueId(known.unwrap_or_else(|| {
            names.push(instrument.venue.clone());
            names.len() - 1
        }) as u16)
    };
    let traded_at = instruments.iter().map(number).collect();
    (names, traded_at)
}

impl Universe {
    /// Finds an asset by name.
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.binary_search_by(|a| a.name.as_str().cmp(name)).ok().map(|i| &self.assets[i])
    }

    /// What the desk trades: one instrument an asset, in the order of the assets.
    pub fn desk(&self) -> &[Instrument] {
        &self.instruments[..self.assets.len().min(self.instruments.len())]
    }

    /// An asset's name; ids come from this universe.
    pub fn name(&self, asset: AssetId) -> &str {
        self.assets.get(asset.index()).map_or("?", |a| a.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn universe() -> Universe {
        let asset = |(i, name): (usize, &str)| Asset {
            id: AssetId(i as u16),
            name: name.to_owned(),
            money_like: false,
            first: Stamp(0),
        };
        let instrument = |(i, asset): (usize, u16)| Instrument {
            id: InstrumentId(i as u16),
            asset: AssetId(asset),
            symbol: format!("S{i}"),
            kind: InstrumentKind::Perp,
            venue: String::new(),
            quote: None,
            terms: ContractTerms::Plain,
            tick: Decimal::ONE.into(),
            lot: Decimal::ONE,
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        };
        Universe {
            assets: ["ADA", "BTC", "ETH"].into_iter().enumerate().map(asset).collect(),
            instruments: [0, 1, 2, 1, 1].into_iter().enumerate().map(instrument).collect(),
            by_volume: Vec::new(),
        }
    }

    #[test]
    fn assets_are_found_by_their_whole_name() {
        let u = universe();
        assert_eq!(u.asset("ETH").map(|a| a.id), Some(AssetId(2)));
        assert!(["ET", "ETHX", "eth", ""].iter().all(|n| u.asset(n).is_none()));
        assert_eq!((u.name(AssetId(1)), u.name(AssetId(9))), ("BTC", "?"));
    }

    #[test]
    fn the_desk_trades_the_first_instrument_of_each_asset() {
        let mut u = universe();
        let symbols: Vec<&str> = u.desk().iter().map(|i| i.symbol.as_str()).collect();
        assert_eq!(symbols, ["S0", "S1", "S2"]);
        u.instruments.truncate(2);
        assert_eq!(u.desk().len(), 2, "as many as there are");
    }

    #[test]
    fn kinds_are_read_by_the_names_they_are_shown_by() {
        for kind in InstrumentKind::ALL {
            assert_eq!(InstrumentKind::parse(kind.text()), Some(kind));
            assert_eq!(format!("{kind:>8}").len(), 8, "they stand in columns");
        }
        assert_eq!(InstrumentKind::parse("swap"), None);
        let owned = InstrumentKind::ALL.into_iter().filter(|k| k.is_owned() && k.can_short());
        assert_eq!(owned.collect::<Vec<_>>(), [InstrumentKind::Margin], "coins are short on margin alone");
    }

    #[test]
    fn only_contracts_end() {
        let expiry = Stamp(9);
        let option = ContractTerms::Option { expiry, strike: 1.0, call: true, inverse: false };
        for terms in
            [ContractTerms::Future { expiry }, option, ContractTerms::Move { fixing: Stamp(1), expiry }]
        {
            assert_eq!(terms.expiry(), Some(expiry), "{terms:?}");
        }
        let pool = ContractTerms::Pool { fee_ppm: 3_000, concentrated: true };
        for terms in [ContractTerms::Plain, pool, ContractTerms::Rates { taker_ppm: 1, maker_ppm: -1 }] {
            assert_eq!(terms.expiry(), None, "{terms:?}");
        }
    }

    #[test]
    fn contracts_are_exact_both_ways_and_in_whole_lots() {
        let dec = |text: &str| super::super::money::parse(text).unwrap();
        let listed = |lot, contract| Instrument {
            lot: dec(lot),
            contract: dec(contract),
            ..universe().instruments[0].clone()
        };
        for (lot, contract, quantity, contracts) in [
            ("0.001", "1", "-0.125", Some("-0.125")),
            ("0.01", "0.01", "0.35", Some("35")),
            ("0.0001", "0.01", "0.3495", Some("34.95")),
            ("10", "10", "130", Some("13")),
            ("0.25", "100", "0.75", Some("0.0075")),
            ("3", "3", "12", Some("4")),
            ("0.01", "0.01", "0.355", None),
            ("0.5", "3", "1", None),
        ] {
            let (i, quantity, contracts) = (listed(lot, contract), dec(quantity), contracts.map(dec));
            assert_eq!(i.contracts(quantity), contracts, "{quantity} of {contract}");
            assert!(contracts.is_none_or(|n| i.base_units(n) == Some(quantity)));
        }
        assert_eq!(listed("10", "10").base_units(dec("0.5")), None, "half a lot");
        assert_eq!(listed("0", "1").contracts(Decimal::ONE), None, "no lots to count in");
    }

    #[test]
    fn rules_that_could_not_be_told_otherwise_read_as_they_did() {
        let mut i = universe().instruments[0].clone();
        (i.tick, i.lot) = (Decimal::new(1, 2).into(), Decimal::new(1, 3));
        let before = r#"Instrument { id: InstrumentId(0), asset: AssetId(0), symbol: "S0", kind: Perp, venue: "", quote: None, terms: Plain, tick: 0.01, lot: 0.001, min_notional: 0 }"#;
        assert_eq!(format!("{i:?}"), before);
        i.contract = Decimal::TEN;
        assert_eq!(format!("{i:?}"), before.replace(" }", ", contract: 10 }"));
        i.tick = PriceStep::Digits { significant: 5, decimals: 6 };
        assert!(format!("{i:?}").contains("tick: 5 digits, 6 after the point,"), "{i:?}");
    }
}
