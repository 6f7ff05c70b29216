//! The third pair: ETH in BTC on alpha. Its price keeps near that of the two spot pairs, mostly inside what
//! going round costs.

use super::intrabar::{DrawPurpose, GapSpec, RevertingGap, key};
use super::listing::TRIANGLE_DIGITS;
use super::sink::{Sink, StandingQuote, Ticks};
use super::venues::{DetailedAsset, SPOT_HALF};
use crate::domain::{InstrumentId, MarketEvent, Span, Stamp, random};
use serde::{Deserialize, Serialize};

/// Of the third pair.
const TRIANGLE: GapSpec = GapSpec {
    memory: Span::seconds(600),
    spread: 3e-4,
    shots_per_day: 4.0,
    shot: 3.5e-3,
    fades: Span::seconds(300),
};
/// ETH in BTC on alpha.
#[derive(Serialize, Deserialize)]
pub(super) struct Triangle {
    id: InstrumentId,
    ticks: Ticks,
    gap: RevertingGap,
    size: f64,
    seed: u64,
    last: StandingQuote,
    lines: (usize, usize),
}

impl Triangle {
    /// `lines`: places of BTC and ETH among the detailed assets.
    pub fn start(seed: u64, step: Span, at: Stamp, id: InstrumentId, lines: (usize, usize)) -> Triangle {
        Triangle {
            id,
            ticks: Ticks { steps: libm::pow(10.0, f64::from(TRIANGLE_DIGITS)), lots: 1e4 },
            gap: RevertingGap::start(TRIANGLE, step, random::mix(key(seed, DrawPurpose::Triangle, 0, at), 1)),
            size: 3e4,
            seed,
            last: StandingQuote::default(),
            lines,
        }
    }

    pub fn trades(&self, sink: &mut Sink<'_>, lines: &[DetailedAsset]) {
        if self.last.bid <= 0.0 {
            return;
        }
        let k = key(self.seed, DrawPurpose::Trade, u64::from(self.id.0), sink.at);
        let eth = &lines[self.lines.1];
        let buys = random::uniform(random::mix(k, 2)) < 0.5;
        let volume = 0.03 * eth.usual_volume();
        let size = self.ticks.sized(volume * libm::exp(0.6 * random::normal(random::mix(k, 1)) - 0.18));
        let price = if buys { self.last.ask } else { self.last.bid };
        sink.push(MarketEvent::Trade { instrument: self.id, at: sink.at, price, size, buys });
    }

    pub fn quotes(&mut self, sink: &mut Sink<'_>, lines: &[DetailedAsset]) {
        let (btc, eth) = (lines[self.lines.0].now.spot_alpha, lines[self.lines.1].now.spot_alpha);
        let gap = self.gap.step(key(self.seed, DrawPurpose::Triangle, 0, sink.at));
        let mid = eth / btc * (1.0 + gap);
        self.last = sink.quote(self.id, &self.ticks, mid, mid * SPOT_HALF, self.size / eth, 0.0);
    }
}
