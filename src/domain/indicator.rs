//! The indicators that conditions may name. A name says all that is needed to compute the value from
//! an asset's bars, so whoever hears a condition can check it (law 12). They are computed in
//! `market::indicators`.

use serde::{Deserialize, Serialize};

/// An indicator over the bars of one asset, windows in bars of the decision clock; those without a window
/// are of a structure, from the quotes of its legs (`agents::structures`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Indicator {
    /// Exponential moving average of closes with span n (weight 2/(n+1)), as a price.
    Ema(u16),
    /// Simple moving average of the last n closes, as a price.
    Mean(u16),
    /// Close minus [`Indicator::Mean`] in standard deviations of the last n closes.
    ZScore(u16),
    /// Log return over the last n bars.
    Return(u16),
    /// Log return over the last n bars in units of its expected size, σ·√n.
    Score(u16),
    /// Highest close of the n bars before this one, as a price.
    Highest(u16),
    /// Lowest close of the n bars before this one, as a price.
    Lowest(u16),
    /// Volatility of log returns per bar, exponentially weighted with span n.
    Sigma(u16),
    /// Efficiency ratio of the last n bars: net move over path length, 0 … 1 (Kaufman 1995).
    Efficiency(u16),
    /// The last confirmed swing high: a high above those of n bars on either side, as a price.
    PivotHigh(u16),
    /// The last confirmed swing low, likewise.
    PivotLow(u16),
    /// Volume of this bar over its exponentially weighted mean with span n.
    Activity(u16),
    /// Share of the volume of the last n bars that changed hands within half a daily σ of this close:
    /// how much of a level the price is at.
    Node(u16),
    /// Where the asset's [`Indicator::Score`] over n bars stands in the agent's basket:
    /// 0 the weakest … 1 the strongest.
    Rank(u16),
    /// What an open structure has gained at mid prices since it was opened, in basis points of its
    /// notional, carry received included, fees not. Of makers, and of structures that are hedged as they go,
    /// what their book gained, fees included.
    Gain,
    /// Best offer less best bid of the first leg, in basis points of the mid.
    Spread,
    /// Orders that come to the best bid less those that go, less the same at the best offer, over all of
    /// them; takers that buy less takers that sell, over both; averaged: −1 … 1.
    Imbalance,
    /// What the structure would earn after all costs if it were taken now, the better way round where it
    /// can be turned, in basis points of its notional; of a maker: what the average print would have earned.
    Edge,
    /// A dated future's premium over spot, per year, as a fraction.
    Basis,
    /// Funding that a long of the perp would pay over the horizon, as a fraction of notional.
    Carry,
    /// Implied volatility per year, as a fraction.
    Implied,
    /// Forecast of volatility per year, as a fraction.
    Forecast,
    /// Market price over model value, less one.
    Rich,
    /// Base units held over the size of one quote.
    Inventory,
    /// Hours to the expiry of the nearest leg.
    Hours,
    /// Distance of the price from the middle of the range of liquidity, as a fraction of half the range, in
    /// logarithms: beyond 1 it earns no more. The range is the one that the price and the agent's width gave
    /// when it was opened; while flat, 0.
    Away,
    /// [`Indicator::Edge`] with the sign of the side that it is on: positive for a long.
    Way,
    /// What volatility would earn after all costs if it came as forecast, per year, as a fraction: positive
    /// where it is cheap and would be bought, negative where it is expensive and would be sold.
    Mispriced,
    /// Mean return of what a basket holds long less that of what it is short, each over the agent's window in units of its
    /// expected size; while flat, of what it would hold.
    Lead,
    /// What the log returns of the last n bars were beyond β times those of the market, in units of its expected size, σ·√n.
    /// The market is the mean return of all assets of the desk that closed; β, the slope on it, and σ, of what is beyond, are
    /// exponentially weighted with span 120, β as it was known before each bar.
    Residual(u16),
}

impl Indicator {
    /// Of those without a window, which are known of structures: its place in the order above.
    #[inline]
    pub const fn unwindowed_index(self) -> Option<usize> {
        use Indicator::*;
        Some(match self {
            Gain => 0,
            Spread => 1,
            Imbalance => 2,
            Edge => 3,
            Basis => 4,
            Carry => 5,
            Implied => 6,
            Forecast => 7,
            Rich => 8,
            Inventory => 9,
            Hours => 10,
            Away => 11,
            Way => 12,
            Mispriced => 13,
            Lead => 14,
            _ => return None,
        })
    }

    /// Whether it is the other one: equality, in two comparisons where the derived one jumps by kind.
    #[inline]
    pub(crate) fn is(self, other: Indicator) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other) && self.window() == other.window()
    }

    /// The window in bars.
    #[inline]
    pub fn window(self) -> u16 {
        use Indicator::*;
        match self {
            Ema(n) | Mean(n) | ZScore(n) | Return(n) | Score(n) | Highest(n) | Lowest(n) | Sigma(n)
            | Efficiency(n) | PivotHigh(n) | PivotLow(n) | Activity(n) | Node(n) | Rank(n) | Residual(n) => n,
            Gain | Spread | Imbalance | Edge | Basis | Carry | Implied | Forecast | Rich | Inventory
            | Hours | Away | Way | Mispriced | Lead => 0,
        }
    }

    /// Whether the value is a price (else a plain number).
    pub fn is_price(self) -> bool {
        use Indicator::*;
        matches!(self, Ema(_) | Mean(_) | Highest(_) | Lowest(_) | PivotHigh(_) | PivotLow(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Indicator::*;

    const OF_BARS: [fn(u16) -> Indicator; 15] = [
        Ema, Mean, ZScore, Return, Score, Highest, Lowest, Sigma, Efficiency, PivotHigh, PivotLow, Activity,
        Node, Rank, Residual,
    ];
    const OF_STRUCTURES: [Indicator; 15] = [
        Gain, Spread, Imbalance, Edge, Basis, Carry, Implied, Forecast, Rich, Inventory, Hours, Away, Way,
        Mispriced, Lead,
    ];

    #[test]
    fn those_of_bars_have_a_window_and_no_place() {
        for of in OF_BARS {
            assert_eq!((of(17).window(), of(17).unwindowed_index()), (17, None), "{:?}", of(17));
        }
    }

    #[test]
    fn those_of_structures_have_each_a_place_of_its_own_and_no_window() {
        let places: Vec<usize> = OF_STRUCTURES.iter().filter_map(|i| i.unwindowed_index()).collect();
        assert_eq!(places, (0..OF_STRUCTURES.len()).collect::<Vec<_>>());
        assert!(OF_STRUCTURES.iter().all(|i| i.window() == 0 && !i.is_price()));
    }

    #[test]
    fn averages_extremes_and_pivots_are_prices() {
        let prices: Vec<Indicator> = OF_BARS.iter().map(|of| of(3)).filter(|i| i.is_price()).collect();
        assert_eq!(prices, [Ema(3), Mean(3), Highest(3), Lowest(3), PivotHigh(3), PivotLow(3)]);
    }

    #[test]
    fn one_is_another_where_they_are_equal() {
        let of_bars = OF_BARS.iter().flat_map(|of| [of(3), of(4)]);
        let all: Vec<Indicator> = of_bars.chain(OF_STRUCTURES).collect();
        for one in &all {
            assert!(all.iter().all(|other| one.is(*other) == (one == other)), "{one:?}");
        }
    }
}
