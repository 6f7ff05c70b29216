//! Strategy families, goals and sides.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them, in the order in which they are shown and numbered.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name used in `agents.toml` and on the screen.
            pub const fn text(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The place in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }

            /// Finds by name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.text() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.text())
            }
        }
    };
}

named!(
    /// What an agent does for a living. New families are added at the end: the number is on the wire.
    Family {
        /// A standing view on an asset, scaled by volatility and slow drift.
        Directional = "directional",
        /// Follows the crossing of two moving averages.
        Trend = "trend",
        /// Time-series momentum over several horizons.
        Momentum = "momentum",
        /// Cross-sectional rank over a basket: long the strong, short the weak.
        RelativeStrength = "relative_strength",
        /// Fades the edges of a range while there is no trend.
        Range = "range",
        /// Breaks of, and bounces from, levels made by pivots and volume.
        SupportResistance = "support_resistance",
        /// Breakouts after volatility was compressed.
        Volatility = "volatility",
        /// A seeded coin with disciplined stops: the control group.
        Random = "random",
        /// Very short horizon on quotes and trades: order-flow imbalance, quick target, time stop.
        Scalp = "scalp",
        /// Quotes both sides around a fair price, skewed by its inventory.
        MarketMaking = "market_making",
        /// The same asset on two venues: buys the cheaper, sells the costlier, both legs or none.
        Arbitrage = "arbitrage",
        /// Three pairs on one venue, round and back to the currency it began with.
        Triangular = "triangular_arbitrage",
        /// Long spot, short dated future: earns the basis to its expiry.
        CashAndCarry = "cash_and_carry",
        /// Holds the side of a perp that is paid, hedged with spot.
        Funding = "funding",
        /// Sells or buys volatility with options, its delta hedged.
        Options = "options",
        /// Trades MOVE contracts against a forecast of volatility.
        Move = "move",
        /// Liquidity for pools, and pool against exchange.
        Defi = "defi",
    }
);

impl Family {
    /// Whether its positions are structures: legs in one or several instruments, opened and closed as
    /// one, near neutral to the asset's price. They are decided on the agent's own events, not on the
    /// bars of the decision clock.
    pub fn is_structured(self) -> bool {
        self.index() >= Family::Scalp.index()
    }
}

named!(
    /// The goals of the whole, LR-BM-F-A.
    Goal {
        /// Low risk: small falls and small bad days.
        LowRisk = "low_risk",
        /// Big money: fast growth at the target risk.
        BigMoney = "big_money",
        /// Fast: soon at a gain, and seldom under water.
        Fast = "fast",
        /// Automated: nobody has to step in.
        Automated = "automated",
    }
);

named!(
    /// Which sides an agent may take.
    SideRule {
        /// Long and short.
        Both = "both",
        /// It may be long or flat, never short.
        Long = "long",
        /// It may be short or flat, never long.
        Short = "short",
    }
);

impl SideRule {
    /// Whether a position of this sign is allowed; flat always is.
    pub fn allows(self, position: f64) -> bool {
        match self {
            SideRule::Both => true,
            SideRule::Long => position >= 0.0,
            SideRule::Short => position <= 0.0,
        }
    }

    /// The position nearest to `position` that is allowed.
    pub fn clip(self, position: f64) -> f64 {
        if self.allows(position) { position } else { 0.0 }
    }
}
