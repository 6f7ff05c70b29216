//! Pools of automated market makers: concentrated pools by the minute with the price of gas and prices of
//! tokens beside them, and pools by the day.
//!
//! The price of a concentrated pool is 1.0001^tick of the second token per unit of the first, in their
//! smallest units (Uniswap v3 core, `TickMath`); its liquidity is √(amount · amount) in the same units.
//! What tokens a pool has and what it charges stands in no file: pools are known by their address.

use super::ImportFormat;
use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::{ListingName, Listings};
use crate::domain::{Bar, ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Span};
use crate::market::FeedError;
use crate::market::table::money_like;
use crate::market::table::{asset_name, is_dollar};

/// A token and its decimals.
type Token = (&'static str, i32);

/// A pool: chain, address, first token, second token, fee in millionths, whether the second is quoted in
/// the first.
struct KnownPool {
    chain: &'static str,
    address: &'static str,
    tokens: [Token; 2],
    fee_ppm: u32,
    /// The base is the second token.
    second: bool,
}

const POOLS: [KnownPool; 5] = [
    KnownPool {
        chain: "polygon",
        address: "0x45dda9cb7c25131df268515131f647d726f50608",
        tokens: [("USDC", 6), ("WETH", 18)],
        fee_ppm: 500,
        second: true,
    },
    KnownPool {
        chain: "ethereum",
        address: "0x82c427adfdf2d245ec51d8046b41c4ee87f0d29c",
        tokens: [("WETH", 18), ("OSQTH", 18)],
        fee_ppm: 3_000,
        second: true,
    },
    KnownPool {
        chain: "ethereum",
        address: "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640",
        tokens: [("USDC", 6), ("WETH", 18)],
        fee_ppm: 500,
        second: true,
    },
    KnownPool {
        chain: "ethereum",
        address: "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8",
        tokens: [("USDC", 6), ("WETH", 18)],
        fee_ppm: 3_000,
        second: true,
    },
    KnownPool {
        chain: "ethereum",
        address: "0xcbcdf9626bc03e24f779434178a73a0b4bad62ed",
        tokens: [("WBTC", 8), ("WETH", 18)],
        fee_ppm: 3_000,
        second: false,
    },
];

fn ten(power: i32) -> f64 {
    libm::pow(10.0, f64::from(power))
}

/// A concentrated pool by the minute.
pub(super) struct Minutes {
    sheet: CsvRows,
    stamp: usize,
    tick: usize,
    amounts: [usize; 2],
    liquidity: usize,
    pool: &'static KnownPool,
    venue: String,
}

impl Minutes {
    pub fn open(file: &NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let name = file.name.to_ascii_lowercase();
        let Some(pool) = POOLS.iter().find(|p| name.contains(p.address)) else {
            let known: Vec<&str> = POOLS.iter().map(|p| p.address).collect();
            return Err(FeedError::Format {
                file: file.name.clone(),
                reason: format!("its name has the address of no pool that is known ({})", known.join(" ")),
                known: ImportFormat::known(),
            });
        };
        let sheet = CsvRows::open(&file.name, bytes)?;
        let venue = if file.hints.venue.is_empty() { "uniswap" } else { &file.hints.venue };
        Ok(Minutes {
            stamp: sheet.need(&["timestamp", "block_timestamp"])?,
            tick: sheet.need(&["closetick"])?,
            amounts: [sheet.need(&["inamount0"])?, sheet.need(&["inamount1"])?],
            liquidity: sheet.need(&["currentliquidity"])?,
            venue: format!("{venue}-{}", pool.chain),
            pool,
            sheet,
        })
    }

    fn row(&self, listings: &mut Listings) -> Result<Option<MarketEvent>, String> {
        let [(first, d0), (second, d1)] = self.pool.tokens;
        let at = self.sheet.stamp(self.stamp)?;
        let tick = self.sheet.number(self.tick)?;
        // Ticks lie within ± 887 272 (`TickMath`).
        if tick.abs() > 887_272.0 {
            return Err(format!("{tick} is no tick"));
        }
        // Second token per first, in whole tokens.
        let per_first = libm::pow(1.0001, tick) * ten(d0 - d1);
        let n = |c: usize| self.sheet.number(c);
        let (in0, in1) = (n(self.amounts[0])? * ten(-d0), n(self.amounts[1])? * ten(-d1));
        let raw = n(self.liquidity)?;
        if !(raw > 0.0 && in0 >= 0.0 && in1 >= 0.0) {
            return Err(format!("liquidity {raw} with {in0} and {in1} swapped in is no pool"));
        }
        let liquidity = raw * libm::pow(10.0, -f64::from(d0 + d1) / 2.0);
        let (base, quote, price, swapped) = if self.pool.second {
            let price = 1.0 / per_first;
            (second, first, price, in0 + in1 * price)
        } else {
            (first, second, per_first, in0 * per_first + in1)
        };
        let symbol = format!("{}/{}", asset_name(base), asset_name(quote));
        let entry = ListingName {
            venue: &self.venue,
            symbol: &format!("{symbol}@{}", self.pool.fee_ppm),
            kind: InstrumentKind::Pool,
            base,
            quote: Some(quote),
            terms: ContractTerms::Pool { fee_ppm: self.pool.fee_ppm, concentrated: true },
        };
        Ok(listings.number(&entry).map(|instrument| {
            // Gas is put in where its price is known.
            MarketEvent::Pool { instrument, at, price, liquidity, swapped, gas: f64::NAN }
        }))
    }
}

impl Decode for Minutes {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        match self.row(listings) {
            // The state at the end of the minute.
            Ok(event) => {
                out.extend(event.map(|e| Item::at(e.at(), line, RowContent::AtClose(e))));
            }
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let note = "gas on Polygon is counted at 0.6 a coin and 150,000 units a swap; no file tells the price \
                    of the coin, and without a file of gas swaps cost none";
        let other = "a swap takes 150,000 units of gas; without a file of gas swaps cost none";
        vec![if self.pool.chain == "polygon" { note.to_owned() } else { other.to_owned() }]
    }
}

/// The price of gas.
pub(super) struct GasPrice {
    sheet: CsvRows,
    stamp: usize,
    price: usize,
}

impl GasPrice {
    pub fn open(file: &NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        Ok(GasPrice {
            stamp: sheet.need(&["block_timestamp", "timestamp", "date"])?,
            price: sheet.need(&["gas_price"])?,
            sheet,
        })
    }
}

impl Decode for GasPrice {
    fn next(&mut self, _: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        out.push(match (self.sheet.stamp(self.stamp), self.sheet.number(self.price)) {
            (Ok(at), Ok(gas)) if gas >= 0.0 => Item::at(at, line, RowContent::Gas(gas)),
            (Ok(_), Ok(gas)) => Item::bad(line, format!("gas at {gas} is no price")),
            (Err(why), _) | (_, Err(why)) => Item::bad(line, why),
        });
        Ok(true)
    }
}

/// Prices of tokens: a column each, in dollars; of the squeeth in ether.
pub(super) struct Prices {
    sheet: CsvRows,
    stamp: usize,
    tokens: Vec<(usize, String)>,
    venue: String,
}

impl Prices {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let stamp = sheet.find(&["block_timestamp", "timestamp", "date", "time", ""]).unwrap_or(0);
        let named = sheet.columns.iter().enumerate().filter(|(i, c)| *i != stamp && *c != "norm_factor");
        let tokens = named.map(|(i, c)| (i, asset_name(&c.to_ascii_uppercase())));
        let tokens = tokens.filter(|(_, t)| !money_like(t)).collect();
        let venue = if file.hints.venue.is_empty() { "prices".to_owned() } else { file.hints.venue };
        Ok(Prices { sheet, stamp, tokens, venue })
    }
}

impl Decode for Prices {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        let at = match self.sheet.stamp(self.stamp) {
            Ok(at) => at,
            Err(why) => {
                out.push(Item::bad(line, why));
                return Ok(true);
            }
        };
        for (column, token) in &self.tokens {
            let quote = if token == "OSQTH" { "ETH" } else { "USD" };
            let entry = ListingName {
                venue: &self.venue,
                symbol: &format!("{token}{quote}"),
                kind: InstrumentKind::Margin,
                base: token,
                quote: Some(quote),
                terms: ContractTerms::Plain,
            };
            let Some(id) = listings.number(&entry) else { continue };
            out.push(match self.sheet.number(*column) {
                Ok(p) => {
                    let bar = Bar { open: p, high: p, low: p, close: p, volume: f64::INFINITY };
                    Item::bar(line, id, at, bar)
                }
                Err(why) => Item::bad(line, why),
            });
        }
        Ok(true)
    }
}

/// Pools by the day: value locked, volume, fees. Only pools of two dollars tell their price: it is one.
pub(super) struct PoolDays {
    sheet: CsvRows,
    stamp: usize,
    tvl: usize,
    volume: usize,
    name: usize,
    address: usize,
    venue: String,
}

impl PoolDays {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let venue = if file.hints.venue.is_empty() { "uniswap".to_owned() } else { file.hints.venue };
        Ok(PoolDays {
            stamp: sheet.need(&["date", "timestamp"])?,
            tvl: sheet.need(&["tvlusd"])?,
            volume: sheet.need(&["volumeusd"])?,
            name: sheet.need(&["pool_name"])?,
            address: sheet.need(&["pool_id"])?,
            venue,
            sheet,
        })
    }

    fn instrument(&self, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        let name = self.sheet.text(self.name);
        let mut parts = name.split('_');
        let (Some(base), Some(quote), Some(fee)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("`{name}` is no pool"));
        };
        if !(is_dollar(base) && is_dollar(quote)) {
            return Err(format!("{name} is no pool of two dollars, and the file has no price"));
        }
        // `05` is 0.05 %, `01` 0.01 %, `3` 0.3 %.
        let fee_ppm = match fee {
            "01" => 100,
            "05" => 500,
            "3" | "30" => 3_000,
            _ => return Err(format!("`{fee}` is no fee of a pool")),
        };
        // Two pools of the same coins and fee are told apart by their addresses.
        let address = self.sheet.text(self.address);
        let short = address.get(..8).unwrap_or(address);
        Ok(listings.number(&ListingName {
            venue: &self.venue,
            symbol: &format!("{base}/{quote}@{fee_ppm}:{short}"),
            kind: InstrumentKind::Pool,
            base,
            quote: Some(quote),
            terms: ContractTerms::Pool { fee_ppm, concentrated: true },
        }))
    }

    fn row(&self, listings: &mut Listings) -> Result<Option<MarketEvent>, String> {
        let day = self.sheet.stamp(self.stamp)?;
        let (tvl, swapped) = (self.sheet.number(self.tvl)?, self.sheet.number(self.volume)?);
        let Some(instrument) = self.instrument(listings)? else { return Ok(None) };
        if !(tvl > 0.0 && swapped >= 0.0) {
            return Err(format!("{tvl} locked and {swapped} swapped is no pool"));
        }
        let at = day.after(Span::DAY);
        let liquidity = tvl / 2.0;
        Ok(Some(MarketEvent::Pool { instrument, at, price: 1.0, liquidity, swapped, gas: f64::NAN }))
    }
}

impl Decode for PoolDays {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        match self.row(listings) {
            Ok(event) => out.extend(event.map(|e| Item::now(line, e))),
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        vec![
            "pools by the day have no price: two dollars trade at one, and half of what is locked counts as \
             liquidity everywhere"
                .to_owned(),
        ]
    }
}
