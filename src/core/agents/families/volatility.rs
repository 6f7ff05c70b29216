//! Volatility: the forecast of what an asset will move against what is paid for it, and, where nothing says what is paid,
//! against what is usual.
//!
//! | listed | what it trades | when |
//! |---|---|---|
//! | a call and a put of one strike, and a perp or margin market | a straddle at the money, its delta hedged as it goes: long volatility, or short | forecast over implied volatility by `margin` a year after all costs, or under it |
//! | no such options | a breakout: the close outside the channel of recent closes is followed | while the forecast is compressed against what is usual; out at the channel's middle |
//!
//! The forecast of the first is that of the [options](super::options) family, a HAR model of the realised variance of the
//! hedge's own prices ([`realised`](crate::agents::structures::realised)); of the second the exponentially weighted mean of
//! the squared returns of bars. A straddle is as large as its risks allow, whatever is reached first: `vega` of capital a
//! point of volatility, `gamma` of capital on a leap of three deviations of a day, `bound` of capital as margin of what is
//! sold. Its stops, its hedge and its holding to exercise are those of the options family.
//!
//! A scout is a voice without legs: it follows breakouts whatever is listed.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, HEDGE, HEDGE_IN, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::values::Values;
use crate::domain::{AssetId, Condition, EvalContext, Indicator, InstrumentId, MarketEvent, Span, Term};
use crate::market::Market;
use serde::{Deserialize, Serialize};

use super::options::{OptionSizing, OptionsMemory, StraddleNumbers};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "a straddle on the forecast of volatility against implied where options are listed, elsewhere a \
           breakout after volatility was compressed",
    needs: "bars; for straddles calls and puts of one strike and expiry, quoted in price and implied volatility, and \
            a perp or a margin market of the asset",
    params: &[
        param("fast", "bars", (8.0, 20.0), LOOKBACK, "span of the volatility forecast"),
        param("slow", "bars", (80.0, 240.0), LOOKBACK, "span of the usual volatility"),
        param(
            "squeeze",
            "ratio",
            (0.75, 0.95),
            (0.2, 2.0),
            "forecast over usual below which it is compressed",
        ),
        param("channel", "bars", (20.0, 90.0), LOOKBACK, "closes that make the channel"),
        param("nearest", "hours", (24.0, 48.0), (6.0, 4_000.0), "the soonest expiry of a straddle"),
        param("farthest", "hours", (192.0, 720.0), (12.0, 9_000.0), "the latest expiry of a straddle"),
        param(
            "margin",
            "volatility per year",
            (0.02, 0.05),
            (0.0, 1.0),
            "forecast over implied, or under it, after costs, at which a straddle is opened",
        ),
        param(
            "vega",
            "of capital",
            (0.000_5, 0.001_5),
            (0.000_01, 0.05),
            "what a point of volatility may be worth",
        ),
        param(
            "gamma",
            "of capital",
            (0.02, 0.05),
            (0.001, 1.0),
            "what a leap of three daily deviations may be worth",
        ),
        param("bound", "of capital", (0.4, 0.4), (0.01, 1.0), "margin that a straddle that is sold may bind"),
        param(
            "band",
            "delta of a unit",
            (0.1, 0.3),
            (0.01, 1.0),
            "delta that is left open before it is hedged",
        ),
        param(
            "stop",
            "of the costliest leg",
            (0.5, 1.0),
            (0.05, 10.0),
            "loss at which a straddle is given up",
        ),
        param("warm", "hours", (24.0, 48.0), (1.0, 2_000.0), "prices heard before volatility is forecast"),
        param("stale", "seconds", (120.0, 300.0), (1.0, 86_400.0), "age at which a quote is none"),
        HEDGE,
        HEDGE_IN,
    ],
    ordered: &[("fast", "slow"), ("nearest", "farthest")],
};

/// One of its two forms, by what is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum VolatilityFamily {
    /// Where no options are listed.
    Breakout(Breakout),
    /// Where they are.
    Straddle(Box<OptionsMemory>),
}

/// The forecast, what is usual, and the channel that is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakout {
    forecast: Indicator,
    usual: Indicator,
    highest: Indicator,
    lowest: Indicator,
    mean: Indicator,
    squeeze: f64,
    channel: f64,
}

impl Breakout {
    fn new(p: &[f64]) -> Self {
        let channel = bars(p[3]);
        Breakout {
            forecast: Indicator::Sigma(bars(p[0])),
            usual: Indicator::Sigma(bars(p[1])),
            highest: Indicator::Highest(channel),
            lowest: Indicator::Lowest(channel),
            mean: Indicator::Mean(channel),
            squeeze: p[2],
            channel: p[3],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let compressed = view.of(self.forecast) < self.squeeze * view.of(self.usual);
        match view.close {
            _ if !compressed => None,
            c if c > view.of(self.highest) => Some(1.0),
            c if c < view.of(self.lowest) => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, side: f64) -> StrategyShape {
        let edge = if side > 0.0 { self.highest } else { self.lowest };
        StrategyShape {
            stop: 6.0,
            stop_beyond: None,
            near: 7.0,
            far: Far::Distance(40.0),
            hold: 3.0 * self.channel,
            exit: Condition::beyond(-side, Term::Close, Term::Of(self.mean)),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(edge)),
        }
    }
}

impl VolatilityFamily {
    /// On an asset without options.
    pub(super) fn at_bars(p: &[f64]) -> Self {
        VolatilityFamily::Breakout(Breakout::new(p))
    }

    /// On an asset with options, or why there is no straddle.
    pub(super) fn in_legs(
        p: &[f64],
        (asset, _): (AssetId, &[AssetId]),
        listed: &ListedInstruments,
    ) -> Result<Self, String> {
        let [.., nearest, farthest, hurdle, vega, gamma, margin, band, stop, warm, stale, _, _] = *p else {
            return Err("straddles take ten parameters".to_owned());
        };
        let sizing = OptionSizing { margin, vega: Some(vega), gamma: Some(gamma) };
        let window = (nearest, farthest);
        let numbers = StraddleNumbers { window, hurdle, sizing, band, stop, warm, stale };
        Ok(VolatilityFamily::Straddle(Box::new(OptionsMemory::straddle(numbers, asset, listed)?)))
    }

    fn straddle(&self) -> Option<&OptionsMemory> {
        match self {
            VolatilityFamily::Straddle(straddle) => Some(straddle),
            VolatilityFamily::Breakout(_) => None,
        }
    }
}

impl Family for VolatilityFamily {
    fn subscriptions(&self) -> Subscriptions {
        match self {
            VolatilityFamily::Breakout(b) => {
                Subscriptions::Bars(vec![b.forecast, b.usual, b.highest, b.lowest, b.mean])
            }
            VolatilityFamily::Straddle(straddle) => straddle.subscriptions(),
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        match self {
            VolatilityFamily::Breakout(b) => cx.at_bar(|view| b.entry(view), |side| b.shape(side)),
            VolatilityFamily::Straddle(straddle) => straddle.propose(cx),
        }
    }

    fn on_event(&mut self, listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        if let VolatilityFamily::Straddle(straddle) = self {
            straddle.on_event(listed, board, event);
        }
    }

    fn remembers(&self) -> Vec<InstrumentId> {
        self.straddle().map(Family::remembers).unwrap_or_default()
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if let Some(straddle) = self.straddle() {
            straddle.indicators(seen, values);
        }
    }

    fn hedge(&self, seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        self.straddle().and_then(|straddle| straddle.hedge(seen))
    }

    fn is_hedged(&self) -> bool {
        self.straddle().is_some()
    }

    fn is_known(&self, seen: &StructureContext<'_>) -> bool {
        self.straddle().is_none_or(|straddle| straddle.is_known(seen))
    }

    fn pace(&self) -> Span {
        self.straddle().map_or(Span(0), Family::pace)
    }
}

#[cfg(test)]
mod tests;
