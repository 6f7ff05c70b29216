//! The trading rules that files do not tell, tick and lot, and the unit in which an asset is counted. All of it follows the
//! price's digits wherever its point is, so that a market trades the same whatever unit its price is told in.
//!
//! Books have twelve digits after the point of a price and fourteen of a quantity ([`Units`]): a coin at 1.2345678e-8, or at
//! 1e10, has fewer left than it needs. Venues list such a coin by the thousand or the million (1000SHIBUSDT), and so does
//! this: its prices are multiplied by a power of ten, and its quantities divided by it, before anybody sees them.
//!
//! # Invariants
//!
//! 1. Prices × 10ᵏ give tick × 10ᵏ and lot ÷ 10ᵏ.
//! 2. All instruments of an asset are counted alike, or none of them otherwise than the feed tells it.
//! 3. What is counted otherwise is said ([`FeedInfo::notes`]) and shows in the symbol.

use super::feed::FeedPosition;
use super::feed::Polled;
use super::{Feed, FeedError, FeedInfo, FeedReport};
use crate::domain::step::PriceStep;
use crate::domain::{AssetId, ContractTerms, Decimal, Event, LiveLinks, MarketEvent, Universe};

/// Finest tick, in significant digits of the price; more are noise of a conversion.
const DIGITS_MAX: i32 = 10;
/// Coarsest tick of prices that all end with zeros before the point, likewise.
const DIGITS_MIN: i32 = 3;
/// Most digits after the point of a price in the books.
const PRICE_DIGITS: i32 = 12;
/// Powers of ten between which lots leave the books digits enough: a millionth of a lot, and a hundred million lots.
const LOTS: std::ops::RangeInclusive<i32> = -8..=7;
/// Those at which an asset that cannot be counted otherwise can be traded at all.
const LOTS_AT_ALL: std::ops::RangeInclusive<i32> = -12..=10;
/// Largest power of ten by which prices are counted otherwise; a double has it exactly.
const SHIFT_MAX: i32 = 22;

/// Digits after the point of a price as it is shortest written; less than none where it ends with zeros before the point.
pub(crate) fn digits(price: f64) -> i32 {
    // The digits of the mantissa after its first, less the place of that first one.
    let text = format!("{price:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return 0 };
    let fraction = mantissa.split_once('.').map_or(0, |(_, after)| after.len() as i32);
    fraction - exponent.parse::<i32>().unwrap_or(0)
}

/// A power of ten as an amount; as near to it as an amount can be.
fn power(exponent: i32) -> Decimal {
    Decimal::try_from_i128_with_scale(
        10_i128.pow(exponent.clamp(0, 27) as u32),
        (-exponent).clamp(0, 28) as u32,
    )
    .unwrap_or(Decimal::ONE)
}

/// The power of ten of the first digit of a price.
fn magnitude(price: f64) -> i32 {
    let first = libm::floor(libm::log10(price) + 1e-12);
    first.clamp(-300.0, 300.0) as i32
}

/// The tick of prices with at most so many digits after the point, of which this is the first.
pub(crate) fn tick(digits: i32, price: f64) -> Decimal {
    let first = magnitude(price) + 1;
    power(-digits.min(DIGITS_MAX - first).max((DIGITS_MIN - first).min(0)))
}

/// The largest power of ten of base units worth at most one unit of quote currency.
pub(crate) fn lot(price: f64) -> Decimal {
    let exponent = libm::floor(1e-12 - libm::log10(price)).clamp(-300.0, 300.0) as i32;
    // One step down where rounding of the logarithm put it a step too high.
    let is_high = libm::pow(10.0, f64::from(exponent)) * price > 1.0 + 1e-9;
    power(exponent - i32::from(is_high))
}

/// Powers of ten by which prices are multiplied, and quantities divided, asset by asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    /// The power of each asset, by its number.
    shifts: Vec<i32>,
    /// Whether a tick is finer than the books are.
    is_fine: bool,
}

impl Units {
    /// How the assets of a universe have to be counted so that the books can hold their prices and quantities; refused where
    /// an asset that they cannot hold has other instruments that depend on its unit.
    pub fn of(universe: &Universe) -> Result<Self, FeedError> {
        let mut units = Units { shifts: vec![0; universe.assets.len()], is_fine: false };
        for i in &universe.instruments {
            let PriceStep::Tick(tick) = i.tick else { continue };
            let (finest, lot) = (exponent(tick), exponent(i.lot));
            let is_fine = -finest > PRICE_DIGITS;
            units.is_fine |= is_fine;
            if !is_fine && LOTS.contains(&lot) {
                continue;
            }
            let bounds = if is_alone(universe, i.asset) { -SHIFT_MAX..=SHIFT_MAX } else { LOTS_AT_ALL };
            if !bounds.contains(&lot) {
                let (tick, lot) = (tick.normalize(), i.lot.normalize());
                return Err(FeedError::Tick { symbol: i.symbol.clone(), tick, lot });
            }
            let so_far = &mut units.shifts[i.asset.index()];
            if bounds != LOTS_AT_ALL && lot.abs() > i32::abs(*so_far) {
                *so_far = lot;
            }
        }
        Ok(units)
    }

    /// Whether everything is counted as it is told.
    pub fn are_plain(&self) -> bool {
        !self.is_fine && self.shifts.iter().all(|s| *s == 0)
    }

    /// The universe as it is counted, and what is to be said of it.
    pub fn universe(&self, mut universe: Universe) -> (Universe, Vec<String>) {
        let mut notes = Vec::new();
        for i in &mut universe.instruments {
            let shift = self.shifts[i.asset.index()];
            let PriceStep::Tick(told) = i.tick else { continue };
            let counted = if shift == 0 { told } else { moved(told, shift) };
            i.tick = power(exponent(counted).max(-PRICE_DIGITS)).max(counted).into();
            if shift == 0 {
                continue;
            }
            let name = &universe.assets[i.asset.index()].name;
            notes.push(format!(
                "{} is counted by 1e{shift} {name}: prices are shown times 1e{shift} and quantities divided by it, since a tick of \
                 {} or a lot of {} is beyond the digits of the books; nothing else changes",
                i.symbol,
                told.normalize(),
                i.lot.normalize()
            ));
            i.symbol = format!("1e{shift} {}", i.symbol);
            i.lot = moved(i.lot, -shift);
        }
        (universe, notes)
    }

    /// An event as it is counted.
    pub fn event(&self, universe: &Universe, event: Event) -> Event {
        let Event::Market(mut market) = event else { return event };
        let asset = market.instrument().and_then(|i| universe.instruments.get(i.index())).map(|i| i.asset);
        let shift = asset.and_then(|a| self.shifts.get(a.index())).copied().unwrap_or(0);
        if shift != 0 {
            count(&mut market, shift);
        }
        Event::Market(market)
    }
}

/// The power of ten of an amount's first digit.
fn exponent(x: Decimal) -> i32 {
    let x = x.normalize();
    x.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) as i32 - x.scale() as i32
}

/// Whether an asset has nothing but spot, margin and perps in the account's currency, whose prices stand for themselves.
fn is_alone(universe: &Universe, asset: AssetId) -> bool {
    universe.instruments.iter().all(|i| {
        let is_plain =
            i.quote.is_none() && matches!(i.terms, ContractTerms::Plain | ContractTerms::Rates { .. });
        i.quote != Some(asset) && (i.asset != asset || (is_plain && i.contract == Decimal::ONE))
    })
}

/// An amount with its point moved.
fn moved(x: Decimal, by: i32) -> Decimal {
    let x = x.normalize();
    let scale = x.scale() as i32 - by;
    let whole = x.mantissa().saturating_mul(10_i128.pow((-scale).clamp(0, 27) as u32));
    Decimal::try_from_i128_with_scale(whole, scale.clamp(0, 28) as u32).unwrap_or(x)
}

/// A price with its point moved: one exact power of ten, rounded once.
fn times(x: f64, by: i32) -> f64 {
    let ten = crate::domain::money::power_of_ten(by.unsigned_abs());
    if by < 0 { x / ten } else { x * ten }
}

/// Prices × 10ˢʰⁱᶠᵗ and quantities ÷ 10ˢʰⁱᶠᵗ of what spot, margin and perps tell.
fn count(event: &mut MarketEvent, by: i32) {
    let price = |x: &mut f64| *x = times(*x, by);
    let size = |x: &mut f64| *x = times(*x, -by);
    match event {
        MarketEvent::Bar { bar, .. } | MarketEvent::Inside { bar, .. } => {
            [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close].into_iter().for_each(price);
            size(&mut bar.volume);
        }
        MarketEvent::Quote { bid, ask, bid_size, ask_size, .. } => {
            [bid, ask].into_iter().for_each(price);
            [bid_size, ask_size].into_iter().for_each(size);
        }
        MarketEvent::Trade { price: at, size: of, .. } | MarketEvent::Level { price: at, size: of, .. } => {
            price(at);
            size(of);
        }
        MarketEvent::Mark { mark, index, .. } => [mark, index].into_iter().for_each(price),
        MarketEvent::Funding { mark, .. } => price(mark),
        MarketEvent::Settled { price: at, .. } => price(at),
        MarketEvent::Implied { .. }
        | MarketEvent::VolIndex { .. }
        | MarketEvent::Pool { .. }
        | MarketEvent::Health { .. } => {}
    }
}

/// A feed whose assets are counted in units that the books can hold.
struct RescaledFeed {
    feed: Box<dyn Feed>,
    units: Units,
    universe: Universe,
    info: FeedInfo,
}

/// The feed itself where the books can hold all that it tells; else the same in other units; refused where there are none.
pub fn counted(feed: Box<dyn Feed>) -> Result<Box<dyn Feed>, FeedError> {
    let units = Units::of(feed.universe())?;
    if units.are_plain() {
        return Ok(feed);
    }
    let (universe, notes) = units.universe(feed.universe().clone());
    let mut info = feed.info().clone();
    info.notes.extend(notes);
    Ok(Box::new(RescaledFeed { feed, units, universe, info }))
}

impl Feed for RescaledFeed {
    fn info(&self) -> &FeedInfo {
        &self.info
    }

    fn universe(&self) -> &Universe {
        &self.universe
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        Ok(self.feed.next()?.map(|event| self.units.event(&self.universe, event)))
    }

    fn poll(&mut self) -> Result<Polled, FeedError> {
        Ok(match self.feed.poll()? {
            Polled::Event(event) => Polled::Event(self.units.event(&self.universe, event)),
            other => other,
        })
    }

    fn links(&self) -> Option<LiveLinks> {
        self.feed.links()
    }

    fn report(&self) -> FeedReport {
        self.feed.report()
    }

    fn position(&self) -> Option<FeedPosition> {
        self.feed.position()
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        self.feed.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{parse, to_estimate};

    fn dec(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn a_lot_is_worth_at_most_one_and_more_than_a_tenth() {
        for close in [30_000.0, 1.0, 0.5, 10.0, 0.000_012, 999.99, 1e-9, 0.1, 1e-3, 1e-20, 1e15] {
            let notional = to_estimate(lot(close)) * close;
            assert!(notional <= 1.0 + 1e-9 && notional > 0.1 - 1e-9, "{close}: {notional}");
        }
    }

    #[test]
    fn digits_are_counted_on_both_sides_of_the_point() {
        for (price, n) in [
            (1.0, 0),
            (1.5, 1),
            (0.000_004, 6),
            (4.965e-5, 8),
            (1e-7, 7),
            (1250.0, -1),
            (5e10, -10),
            (1.25e-20, 22),
        ] {
            assert_eq!(digits(price), n, "{price}");
        }
    }

    #[test]
    fn ticks_are_the_finest_digit_seen_within_bounds() {
        for (digits, price, wanted) in [
            (2, 30_000.0, "0.01"),
            (0, 30_000.0, "1"),
            (-3, 55_860_000.0, "1000"),
            (8, 0.000_008_12, "0.00000001"),
            (11, 51_030.944_143_653_03, "0.00001"),
            (-2, 100.0, "1"),
        ] {
            assert_eq!(tick(digits, price), dec(wanted), "{digits} digits at {price}");
        }
    }

    #[test]
    fn ticks_and_lots_follow_the_point() {
        for first in [123.45, 1.0, 9.99, 0.5] {
            for k in -20..=14 {
                let price = first * libm::pow(10.0, f64::from(k));
                assert_eq!(tick(3 - k, price), moved(tick(3, first), k), "{first}e{k}");
                assert_eq!(lot(price), moved(lot(first), -k), "{first}e{k}");
            }
        }
    }
}
