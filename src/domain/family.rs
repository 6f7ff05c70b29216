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

/// The registry of families, a line each: its name in files, its name on the screen, its glyph, its type in the file of
/// its name under `src/core/agents/families/`, whether it decides at the close of bars, on events of its instruments, or as
/// these are listed (in legs where what it needs is there, at bars elsewhere), and what it does for a living. A new family
/// is added at the end: its number is on the wire.
///
/// `families!(with)` hands the lines to the macro `with`, which makes of them what it is for.
#[macro_export]
macro_rules! families {
    ($with:ident) => {
        $with! {
            Directional "directional" "directional" "◆" directional::DirectionalFamily at bars:
                "A standing view on an asset, scaled by volatility and slow drift.",
            Trend "trend" "trend" "▶" trend::TrendFamily at bars:
                "Follows the crossing of two moving averages.",
            Momentum "momentum" "momentum" "●" momentum::MomentumFamily at bars:
                "Time-series momentum over several horizons.",
            RelativeStrength "relative_strength" "rel. strength" "■" relative_strength::RelativeStrengthFamily as listed:
                "Cross-sectional rank over a basket: long the strong, short the weak, as one and neutral to it.",
            Range "range" "range" "◇" range::RangeFamily at bars:
                "Fades the edges of a range while there is no trend.",
            SupportResistance "support_resistance" "support/res." "▬" support_resistance::SupportResistanceFamily at bars:
                "Breaks of, and bounces from, levels made by pivots and volume.",
            Volatility "volatility" "volatility" "✦" volatility::VolatilityFamily as listed:
                "A straddle where options are listed, breakouts after volatility was compressed elsewhere.",
            Random "random" "random" "○" random::RandomFamily at bars:
                "A seeded coin with disciplined stops: the control group.",
            Scalp "scalp" "scalp" "↯" scalp::ScalpMemory on events:
                "Very short horizon on quotes and trades: order-flow imbalance, quick target, time stop.",
            MarketMaking "market_making" "market making" "⇅" market_making::MarketMakingMemory on events:
                "Quotes both sides around a fair price, skewed by its inventory.",
            Arbitrage "arbitrage" "arbitrage" "⇄" arbitrage::ArbitrageMemory on events:
                "The same asset on two venues: buys the cheaper, sells the costlier, both legs or none.",
            Triangular "triangular_arbitrage" "triangular" "△" triangular::TriangularMemory on events:
                "Three pairs on one venue, round and back to the currency it began with.",
            CashAndCarry "cash_and_carry" "cash & carry" "⊕" cash_and_carry::CashAndCarryMemory on events:
                "Long spot, short dated future: earns the basis to its expiry.",
            Funding "funding" "funding" "⊖" funding::FundingMemory on events:
                "Holds the side of a perp that is paid, hedged with spot.",
            Options "options" "options" "▽" options::OptionsMemory on events:
                "Sells or buys volatility with options, its delta hedged.",
            Move "move" "move" "±" move_contract::MoveMemory on events:
                "Trades MOVE contracts against a forecast of volatility.",
            Defi "defi" "DeFi" "◈" defi::DefiMemory on events:
                "Liquidity for pools, and pool against exchange.",
        }
    };
}

macro_rules! family_ids {
    ($($variant:ident $text:literal $label:literal $glyph:literal $module:ident::$type:ident $how:ident $when:ident:
        $doc:literal,)+) => {
        named!(
            /// What an agent does for a living, by the lines of `families!`.
            FamilyId { $(#[doc = $doc] $variant = $text),+ }
        );

        impl FamilyId {
            /// Its name for people, short.
            pub const fn label(self) -> &'static str {
                match self { $(FamilyId::$variant => $label),+ }
            }

            /// The one cell that stands for it on the screen.
            pub const fn glyph(self) -> &'static str {
                match self { $(FamilyId::$variant => $glyph),+ }
            }

            /// Whether its positions are structures: legs in one or several instruments, opened and closed as one, near
            /// neutral to the asset's price. They are decided on the agent's own events, not on the bars of the decision
            /// clock.
            pub const fn is_structured(self) -> bool {
                match self { $(FamilyId::$variant => family_ids!(@structured $when)),+ }
            }

            /// Whether its positions are structures where a feed lists what they need, and views on one asset elsewhere.
            pub const fn trades_as_listed(self) -> bool {
                match self { $(FamilyId::$variant => family_ids!(@listed $when)),+ }
            }
        }
    };
    (@structured events) => { true };
    (@structured $other:ident) => { false };
    (@listed listed) => { true };
    (@listed $other:ident) => { false };
}

families!(family_ids);

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

impl Goal {
    /// Whether a goal that reads this score is reached: of a budget half of it is left, what is to grow is all there.
    pub fn is_reached_at(self, score: f64) -> bool {
        match self {
            Goal::LowRisk | Goal::Automated => score >= 0.5,
            Goal::BigMoney | Goal::Fast => score >= 1.0,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn families_keep_their_numbers_and_are_told_apart_by_name_label_and_glyph() {
        let names: Vec<&str> = FamilyId::ALL.iter().map(|f| f.text()).collect();
        // The numbers are on the wire and in snapshots: a new family comes behind these.
        let first = [
            "directional",
            "trend",
            "momentum",
            "relative_strength",
            "range",
            "support_resistance",
            "volatility",
            "random",
            "scalp",
            "market_making",
            "arbitrage",
            "triangular_arbitrage",
            "cash_and_carry",
            "funding",
            "options",
            "move",
            "defi",
        ];
        assert_eq!(names[..first.len()], first);
        for of in [FamilyId::text, FamilyId::label, FamilyId::glyph] {
            let all: BTreeSet<&str> = FamilyId::ALL.iter().map(|f| of(*f)).collect();
            assert_eq!(all.len(), names.len(), "{all:?}");
        }
        assert!(FamilyId::ALL.iter().all(|f| f.glyph().chars().count() == 1));
    }
}
