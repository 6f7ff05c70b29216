//! Swaps of many pools with their blocks and amounts, without the state of the pools: flow and size, as
//! trades. Only swaps between tokens whose decimals are known are used.
//!
//! The file stamps rows when they were stored; the block tells when they happened, to the minute, by its
//! place between two forks of Ethereum whose moments are known.

use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentKind, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::asset_name;

/// Tokens by their addresses, with decimals, in the order in which they quote each other: the earlier
/// is the quote.
const TOKENS: [(&str, &str, i32); 5] = [
    ("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6),
    ("0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6),
    ("0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", 18),
    ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", 18),
    ("0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "WBTC", 8),
];
/// Forks: the block, and seconds since 1970. Berlin 2021-04-15 10:07:03, London 2021-08-05 12:33:42.
const FORKS: [(f64, f64); 2] = [(12_244_000.0, 1_618_481_223.0), (12_965_000.0, 1_628_166_822.0)];

/// When a block was, by its place between the forks.
fn moment(block: f64) -> Option<Stamp> {
    let [(b0, t0), (b1, t1)] = FORKS;
    let seconds = t0 + (block - b0) / (b1 - b0) * (t1 - t0);
    (b0..=b1).contains(&block).then(|| Stamp((seconds as i64) * 1_000_000_000))
}

/// A file of swaps.
pub(super) struct Swaps {
    sheet: CsvRows,
    block: usize,
    kind: usize,
    pool: usize,
    tokens: [usize; 2],
    amounts: [usize; 2],
    error: Option<usize>,
    unknown: u64,
}

impl Swaps {
    pub fn open(file: &NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        Ok(Swaps {
            block: sheet.need(&["block_number"])?,
            kind: sheet.need(&["abi_name"])?,
            pool: sheet.need(&["contract_address"])?,
            tokens: [sheet.need(&["token_in_address"])?, sheet.need(&["token_out_address"])?],
            amounts: [sheet.need(&["token_in_amount"])?, sheet.need(&["token_out_amount"])?],
            error: sheet.find(&["error"]),
            unknown: 0,
            sheet,
        })
    }

    fn row(&mut self, listings: &mut Listings) -> Result<Option<MarketEvent>, String> {
        if self.error.is_some_and(|c| !self.sheet.text(c).is_empty()) {
            return Err("the swap failed".to_owned());
        }
        let token = |c: usize| TOKENS.iter().position(|t| t.0.eq_ignore_ascii_case(self.sheet.text(c)));
        let concentrated = match self.sheet.text(self.kind) {
            "UniswapV3Pool" => Some(true),
            "UniswapV2Pair" => Some(false),
            _ => None,
        };
        let (Some(sold), Some(bought), Some(concentrated)) =
            (token(self.tokens[0]), token(self.tokens[1]), concentrated)
        else {
            self.unknown += 1;
            return Ok(None);
        };
        let block = self.sheet.number(self.block)?;
        let at =
            moment(block).ok_or_else(|| format!("block {block} is not between the forks that are known"))?;
        let amount = |c: usize, token: usize| {
            self.sheet.number(c).map(|x| x * libm::pow(10.0, -f64::from(TOKENS[token].2)))
        };
        let (paid, got) = (amount(self.amounts[0], sold)?, amount(self.amounts[1], bought)?);
        if !(paid > 0.0 && got > 0.0) || sold == bought {
            return Err(format!("{paid} for {got} is no swap"));
        }
        // Who pays in the quote buys the base.
        let buys = sold < bought;
        let (base, quote) = if buys { (bought, sold) } else { (sold, bought) };
        let (size, price) = if buys { (got, paid / got) } else { (paid, got / paid) };
        let (base, quote) = (asset_name(TOKENS[base].1), asset_name(TOKENS[quote].1));
        let address = self.sheet.text(self.pool);
        let entry = ListingName {
            venue: "uniswap-ethereum",
            symbol: &format!("{base}/{quote}:{}", address.get(..10).unwrap_or(address)),
            kind: InstrumentKind::Pool,
            base: &base,
            quote: Some(&quote),
            // A v2 pair charges 0.3 %; what a v3 pool charges stands in no row, and most charge as much.
            terms: ContractTerms::Pool { fee_ppm: 3_000, concentrated },
        };
        Ok(listings.number(&entry).map(|instrument| MarketEvent::Trade { instrument, at, price, size, buys }))
    }
}

impl Decode for Swaps {
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
        let mut notes = vec![
            "swaps have no state of their pools: they are told as trades; their stamps follow from their \
             blocks, to some minutes; fees of v3 pools are taken as 0.3 %"
                .to_owned(),
        ];
        if self.unknown > 0 {
            notes
                .push(format!("{} swaps of other tokens or pools than are known are left out", self.unknown));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_between_the_forks() {
        assert_eq!(moment(12_244_000.0), Stamp::parse("2021-04-15T10:07:03Z"));
        assert_eq!(moment(12_965_000.0), Stamp::parse("2021-08-05T12:33:42Z"));
        assert!(moment(12_000_000.0).is_none() && moment(f64::NAN).is_none());
    }
}
