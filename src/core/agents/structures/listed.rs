//! What is listed, as structures need it: which coins a trade moves, and in which currency.
//!
//! Spot holdings are counted as coins on their venue: ETH bought with BTC and ETH bought with the
//! account's currency are the same coins, booked under the instrument that prices them in the account's
//! currency ([`ListedInstruments::coin`]). Contracts are booked under themselves, and so are coins from a pool, which
//! go back where they came from.

use crate::agents::proposal::StructureLeg;
use crate::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind, PriceStep, Universe, money,
};
use crate::market::Market;
use std::collections::BTreeMap;

/// All instruments of a feed.
#[derive(Clone, Debug, Default)]
pub struct ListedInstruments {
    /// Instruments in the order of their ids.
    pub instruments: Vec<Instrument>,
    /// Ticks; where there are none, what the first digits of a price allow has to be asked of the instrument.
    ticks: Vec<Option<f64>>,
    /// The same as whole digits and the power of ten that they are divided by.
    grids: Vec<Option<[f64; 2]>>,
    lots: Vec<f64>,
    coins: Vec<InstrumentId>,
    pays: Vec<Option<InstrumentId>>,
}

impl ListedInstruments {
    /// Looks up what structures ask of a feed's instruments.
    pub fn new(universe: &Universe) -> Self {
        let all = &universe.instruments;
        // The first that prices an asset in the account's currency on a venue: thousands may be listed.
        let mut first: BTreeMap<(AssetId, &str), InstrumentId> = BTreeMap::new();
        for i in all.iter().filter(|i| has_coins(i) && i.quote.is_none()) {
            first.entry((i.asset, i.venue.as_str())).or_insert(i.id);
        }
        let priced = |asset: AssetId, venue: &str| first.get(&(asset, venue)).copied();
        ListedInstruments {
            ticks: all.iter().map(|i| tick(i.tick).map(money::to_estimate)).collect(),
            grids: all.iter().map(|i| tick(i.tick).map(grid)).collect(),
            lots: all.iter().map(|i| money::to_estimate(i.lot)).collect(),
            coins: all
                .iter()
                .map(|i| if has_coins(i) { priced(i.asset, &i.venue).unwrap_or(i.id) } else { i.id })
                .collect(),
            pays: all.iter().map(|i| i.quote.and_then(|q| priced(q, &i.venue))).collect(),
            instruments: all.clone(),
        }
    }

    /// An instrument; ids come from the same feed.
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id.index()]
    }

    /// The instruments of an asset that pass, in the feed's order.
    pub(in crate::agents) fn find(
        &self,
        asset: AssetId,
        pass: impl Fn(&Instrument) -> bool,
    ) -> Vec<InstrumentId> {
        self.instruments.iter().filter(|i| i.asset == asset && pass(i)).map(|i| i.id).collect()
    }

    /// What an asset can be hedged with, the best first: its perps, then what is bought and sold on margin,
    /// where a short pays borrow.
    pub(in crate::agents) fn hedges(&self, asset: AssetId) -> Vec<InstrumentId> {
        let of = |kind| self.find(asset, |i| i.kind == kind && i.quote.is_none());
        let mut all = of(InstrumentKind::Perp);
        all.extend(of(InstrumentKind::Margin));
        all
    }

    /// What can be held against an instrument, in the account's currency, the best first: the perps of its asset, its dated
    /// futures, the last to expire first, then what is bought and sold on margin, where a short pays borrow.
    pub(in crate::agents) fn against(&self, held: InstrumentId) -> Vec<InstrumentId> {
        let of = |kind| {
            let is_other =
                |i: &Instrument| i.kind == kind && i.quote.is_none() && self.coin(i.id) != self.coin(held);
            self.find(self.get(held).asset, is_other)
        };
        let mut futures = of(InstrumentKind::Future);
        futures.sort_by_key(|id| (std::cmp::Reverse(self.get(*id).terms.expiry()), *id));
        [of(InstrumentKind::Perp), futures, of(InstrumentKind::Margin)].concat()
    }

    /// Smallest price step at a price.
    pub fn tick(&self, id: InstrumentId, price: f64) -> f64 {
        self.ticks[id.index()].unwrap_or_else(|| money::to_estimate(self.get(id).tick.at(price)))
    }

    /// A price on the steps of its market: the next one down for who buys, up for who sells, but for the last digits of a
    /// price that is on them.
    pub(in crate::agents) fn on_grid(&self, id: InstrumentId, price: f64, buys: bool) -> f64 {
        let steps = price / self.tick(id, price);
        let steps = if buys { libm::floor(steps + 1e-6) } else { libm::ceil(steps - 1e-6) };
        // The very number that the venue's own prices are: by ticks of 0.1, 2001 is 200.1 and not a hair more, or no
        // print would ever be at the price of a quote. Whole digits over a power of ten are one division.
        let [digits, power] = self.grids[id.index()].unwrap_or_else(|| grid(self.get(id).tick.at(price)));
        steps * digits / power
    }

    /// The largest whole number of lots within a size.
    pub fn lots(&self, id: InstrumentId, size: f64) -> f64 {
        let lot = self.lots[id.index()];
        if lot > 0.0 { libm::floor(size / lot * (1.0 + 1e-12)) * lot } else { size }
    }

    /// Units of legs of these sizes a unit, in whole lots of the coarsest, toward zero: what is less than one of those would
    /// be held in the finer ones alone.
    pub fn units(&self, legs: impl Iterator<Item = StructureLeg>, units: f64) -> f64 {
        let step = |l: StructureLeg| self.lots[l.instrument.index()] / libm::fabs(l.ratio);
        let step = legs.filter(|l| l.ratio != 0.0).map(step).fold(0.0, f64::max);
        if step > 0.0 { libm::floor(units / step * (1.0 + 1e-12)) * step } else { units }
    }

    /// Where what is bought is booked.
    pub fn coin(&self, id: InstrumentId) -> InstrumentId {
        self.coins[id.index()]
    }

    /// Where what is paid is booked; none: the account's currency.
    pub fn pays(&self, id: InstrumentId) -> Option<InstrumentId> {
        self.pays[id.index()]
    }

    /// What one unit of an instrument's price is worth in the account's currency: the price of its quote
    /// asset, the forward for an option that is quoted in coins, else 1.
    pub fn scale(&self, board: &Market, id: InstrumentId) -> Option<f64> {
        let i = self.get(id);
        if let ContractTerms::Option { inverse: true, .. } = i.terms {
            return board.get(id)?.implied.map(|t| t.value.1);
        }
        match (i.quote, self.pays(id)) {
            (None, _) => Some(1.0),
            (Some(_), Some(other)) => board.price(other).map(|t| t.value),
            (Some(_), None) => None,
        }
    }

    /// What a contract that settles at this price pays a unit, in the account's currency.
    pub fn payoff(&self, id: InstrumentId, price: f64) -> f64 {
        self.get(id).terms.payoff(price)
    }

    /// The newest price in the account's currency; of a contract that has settled, what it paid.
    pub fn value(&self, board: &Market, id: InstrumentId) -> Option<f64> {
        if let Some(settled) = board.get(id)?.settled {
            return Some(self.payoff(id, settled.value));
        }
        Some(board.price(id)?.value * self.scale(board, id)?)
    }
}

/// A tick; none where prices are stepped by their digits.
fn tick(step: PriceStep) -> Option<Decimal> {
    match step {
        PriceStep::Tick(tick) => Some(tick),
        PriceStep::Digits { .. } => None,
    }
}

/// A step as whole digits and the power of ten that they are divided by.
fn grid(step: Decimal) -> [f64; 2] {
    let step = step.normalize();
    [step.mantissa() as f64, money::power_of_ten(step.scale())]
}

/// Whether coins of it are held that another market of its venue takes.
fn has_coins(i: &Instrument) -> bool {
    i.kind.is_owned() && i.kind != InstrumentKind::Pool
}

#[cfg(test)]
mod tests {
    use super::super::stage::{quote, second, universe};
    use super::*;
    use crate::domain::{MarketEvent, Stamp};
    use InstrumentKind::{Option as Contract, Perp, Pool, Spot};

    const ID: fn(u16) -> InstrumentId = InstrumentId;

    fn heard(listed: &ListedInstruments, events: &[MarketEvent]) -> Market {
        let mut board = Market::quoted(listed.instruments.len());
        for e in events {
            assert!(board.take(e), "{e:?}");
        }
        board
    }

    #[test]
    fn coins_are_booked_where_their_venue_prices_them_in_money() {
        let listed = ListedInstruments::new(&universe(&[
            ("ETH", Spot, "a", ""),
            ("BTC", Spot, "a", ""),
            ("ETH", Spot, "a", "BTC"),
            ("ETH", Spot, "b", "BTC"),
            ("ETH", Perp, "a", ""),
            ("ETH", Pool, "a", ""),
        ]));
        assert_eq!((listed.coin(ID(2)), listed.pays(ID(2))), (ID(0), Some(ID(1))));
        assert_eq!((listed.coin(ID(3)), listed.pays(ID(3))), (ID(3), None), "nobody prices it at b");
        assert_eq!((listed.coin(ID(4)), listed.coin(ID(5))), (ID(4), ID(5)), "no coins of a venue");
        assert_eq!(listed.pays(ID(0)), None, "money");
    }

    #[test]
    fn a_price_in_coins_is_worth_the_coins_price() {
        let listed = ListedInstruments::new(&universe(&[("BTC", Spot, "a", ""), ("ETH", Spot, "a", "BTC")]));
        let cross = quote(1, second(1.0), 0.04, 0.04, 1.0);
        let board = heard(&listed, &[cross]);
        assert_eq!(listed.value(&board, ID(1)), None, "nobody knows what a BTC is worth");
        let board = heard(&listed, &[cross, quote(0, second(2.0), 50_000.0, 50_000.0, 1.0)]);
        assert_eq!(listed.scale(&board, ID(1)), Some(50_000.0));
        assert!((listed.value(&board, ID(1)).unwrap() - 2_000.0).abs() < 1e-9);
    }

    #[test]
    fn what_has_settled_is_worth_what_it_paid() {
        let mut all = universe(&[("BTC", Contract, "a", ""), ("BTC", Contract, "a", "")]);
        let terms = |call| ContractTerms::Option { expiry: Stamp(9), strike: 100.0, call, inverse: false };
        (all.instruments[0].terms, all.instruments[1].terms) = (terms(true), terms(false));
        let listed = ListedInstruments::new(&all);
        for (price, call, put) in [(130.0, 30.0, 0.0), (100.0, 0.0, 0.0), (80.0, 0.0, 20.0)] {
            assert_eq!((listed.payoff(ID(0), price), listed.payoff(ID(1), price)), (call, put));
        }
        let settled = MarketEvent::Settled { instrument: ID(0), at: second(2.0), price: 130.0 };
        let board = heard(&listed, &[quote(0, second(1.0), 7.0, 7.0, 1.0), settled]);
        assert_eq!(listed.value(&board, ID(0)), Some(30.0));
    }

    #[test]
    fn quotes_stand_on_the_steps_of_their_market_to_the_last_digit() {
        let mut all = universe(&[("BTC", Perp, "a", "")]);
        for (tick, price, bid, offer) in [
            ("0.1", 200.14, 200.1, 200.2),
            ("0.5", 200.7, 200.5, 201.0),
            ("0.25", 200.3, 200.25, 200.5),
            ("3", 200.3, 198.0, 201.0),
            ("0.00007", 0.0005, 0.00049, 0.00056),
            ("0.3", 2.2, 2.1, 2.4),
            ("0.4", 2.2, 2.0, 2.4),
            ("125", 200.0, 125.0, 250.0),
            ("0.4", 2.4, 2.4, 2.4),
        ] {
            all.instruments[0].tick = PriceStep::Tick(tick.parse().unwrap());
            let listed = ListedInstruments::new(&all);
            let quoted = [true, false].map(|buys| listed.on_grid(ID(0), price, buys));
            assert_eq!(quoted, [bid, offer], "{price} by {tick}");
        }
        all.instruments[0].tick = PriceStep::Digits { significant: 5, decimals: 6 };
        let listed = ListedInstruments::new(&all);
        let quoted = |price| [true, false].map(|buys| listed.on_grid(ID(0), price, buys));
        assert_eq!((quoted(1_234.56), quoted(123_456.5)), ([1_234.5, 1_234.6], [123_456.0, 123_457.0]));
        assert_eq!((listed.tick(ID(0), 1_234.56), listed.tick(ID(0), 0.5)), (0.1, 0.000_01));
    }

    #[test]
    fn sizes_are_cut_to_whole_lots_and_rounding_loses_none() {
        let mut all = universe(&[("BTC", Perp, "a", ""), ("BTC", Perp, "b", "")]);
        (all.instruments[0].lot, all.instruments[1].lot) = (Decimal::new(1, 1), Decimal::ZERO);
        let listed = ListedInstruments::new(&all);
        assert!((listed.lots(ID(0), 0.39) - 0.3).abs() < 1e-12);
        assert!((listed.lots(ID(0), 0.1 + 0.2) - 0.3).abs() < 1e-12, "three lots are three");
        assert_eq!(listed.lots(ID(0), 0.05), 0.0);
        assert_eq!(listed.lots(ID(1), 0.05), 0.05, "a market without lots");
        assert_eq!(listed.tick(ID(0), 1.0), 1e-6);
    }
}
