//! Relative strength: ranks a basket by return over its expected size, and is long the strong and short the weak. Needs at
//! least three assets that trade; with fewer it stands by.
//!
//! With `basket = 1`, where three of them can be short (perps, or coins on margin), all of it is one structure of up to four legs, opened and
//! closed together, that does not feel the market of its basket: with β the slope of an asset's returns on the mean return of
//! the basket, both exponentially weighted over [`BETA_SPAN`](crate::agents::structures::basket::BETA_SPAN) bars to the close that it decides on,
//!
//! ```text
//! w_i = c · unit(σ_i)        c of the strong and of the weak such that  Σ_strong w_i β_i = Σ_weak w_j β_j,  the larger is 1
//! ```
//!
//! so each leg risks at most what a view at bars does, and the beta of all is zero at entry. It goes by as many assets at
//! either end as the cut of the ranking has, two at most. It is judged at the closes of bars: in while the strong lead the weak
//! by [`LEAD_MIN`], out when what it holds long leads what it is short no more. It never adds: betas have moved since.
//!
//! With `basket = 0`, elsewhere, for an agent of one side, and for scouts, which have no legs, each asset is a view of its own:
//! long near the top, short near the bottom, out at the middle. A view has a voice that others hear and is held by the desk; a
//! neutral basket has none, and is held apart from it.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{LEGS_MAX, Proposal, StructureLeg};
use crate::agents::shape::{Far, PAUSE, StrategyShape};
use crate::agents::structures::basket::{BasketMemory, Pick};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{AssetId, Condition, EvalContext, Indicator, InstrumentId, MarketEvent, Span, Term};
use crate::market::Market;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "long the strong and short the weak of a basket, by rank, each by itself or as one whose beta is zero",
    needs: "bars of three assets or more; to be neutral, perps or margin markets of them",
    params: &[
        param("window", "bars", (30.0, 180.0), LOOKBACK, "look-back of the ranked return"),
        param(
            "cut",
            "rank",
            (0.15, 0.30),
            (0.02, 0.45),
            "distance from the end of the ranking that counts as strong or weak",
        ),
        param(
            "basket",
            "0 or 1",
            (0.0, 0.0),
            (0.0, 1.0),
            "1: strong and weak are held as one whose beta is zero; 0: each is a view of its own, which the hive hears",
        ),
    ],
    ordered: &[],
};

/// Least lead of the strong over the weak, in deviations, at which the basket is taken up.
const LEAD_MIN: f64 = 1.0;
/// Fewest assets that are a basket.
const BASKET_MIN: usize = 3;
/// Prices older than this are not traded on; bars of a day pass.
const FRESH: Span = Span(Span::DAY.0);

/// One of its two forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RelativeStrengthFamily {
    /// A view on each asset by itself.
    Views(RankedViews),
    /// All of the basket as one structure.
    Neutral(Box<NeutralBasket>),
}

/// The ranking, and how near its ends an asset counts as strong or weak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedViews {
    rank: Indicator,
    score: Indicator,
    window: f64,
    cut: f64,
}

impl RankedViews {
    fn new(p: &[f64]) -> Self {
        let window = bars(p[0]);
        RankedViews {
            rank: Indicator::Rank(window),
            score: Indicator::Score(window),
            window: p[0],
            cut: p[1],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        match view.of(self.rank) {
            r if r > 1.0 - self.cut => Some(1.0),
            r if r < self.cut => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, side: f64) -> StrategyShape {
        let rank = Term::Of(self.rank);
        let strong = if side > 0.0 { 1.0 - self.cut } else { self.cut };
        StrategyShape {
            stop: 12.0,
            stop_beyond: None,
            near: 12.0,
            far: Far::Distance(50.0),
            hold: 3.0 * self.window,
            exit: Condition::beyond(-side, rank, Term::Level(0.5)),
            trails: false,
            again: Condition::beyond(side, rank, Term::Level(strong)),
        }
    }
}

/// The basket as one structure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeutralBasket {
    memory: BasketMemory,
    /// Of all that it was cast on.
    assets: Vec<AssetId>,
    window: f64,
    cut: f64,
}

/// What it would hold, or does.
struct Neutral {
    /// Each with its signed weight, as a fraction of capital; the strong first.
    legs: Vec<(Pick, f64)>,
    /// Mean volatility of a leg and bar.
    sigma: f64,
}

impl NeutralBasket {
    /// How many assets at either end of so many are taken.
    fn each(&self, of: usize) -> usize {
        (libm::round(self.cut * of as f64) as usize).clamp(1, LEGS_MAX / 2).min(of / 2)
    }

    /// What a basket that is taken up at this close holds; none where it cannot be made neutral.
    fn neutral(&self) -> Option<Neutral> {
        let mut ranked = self.memory.picks();
        if ranked.len() < BASKET_MIN {
            return None;
        }
        ranked.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.instrument.cmp(&b.instrument)));
        let each = self.each(ranked.len());
        let weak = &ranked[..each];
        let strong = &ranked[ranked.len() - each..];
        let beta = |side: &[Pick]| side.iter().map(|p| p.unit * p.beta).sum::<f64>();
        let (up, down) = (beta(strong), beta(weak));
        if !(up > 0.0 && down > 0.0) {
            return None;
        }
        let (long, short) = (1.0_f64.min(down / up), 1.0_f64.min(up / down));
        let longs = strong.iter().rev().map(|p| (*p, long * p.unit));
        let shorts = weak.iter().map(|p| (*p, -short * p.unit));
        let legs: Vec<(Pick, f64)> = longs.chain(shorts).collect();
        let sigma = legs.iter().map(|(p, _)| p.sigma).sum::<f64>() / legs.len() as f64;
        Some(Neutral { legs, sigma })
    }

    /// Mean score of what is held long, less that of what is held short.
    fn lead(scores: &(impl Iterator<Item = (f64, f64)> + Clone)) -> f64 {
        let mean = |side: f64| {
            let of = scores.clone().filter(move |(held, _)| held * side > 0.0);
            of.clone().map(|(_, score)| score).sum::<f64>() / of.count() as f64
        };
        mean(1.0) - mean(-1.0)
    }
}

impl Family for NeutralBasket {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(self.memory.instruments())
    }

    fn on_event(&mut self, _listed: &ListedInstruments, _board: &Market, event: &MarketEvent) {
        if let MarketEvent::Bar { instrument, at, bar } = event {
            self.memory.hear(*instrument, *at, bar);
        }
    }

    fn is_stirred(&self, event: &MarketEvent) -> bool {
        matches!(event, MarketEvent::Bar { .. })
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let picks = self.memory.picks();
        let score =
            |id: InstrumentId| picks.iter().find(|p| p.instrument == id).map_or(f64::NAN, |p| p.score);
        let held = seen.legs.held.iter().map(|&(id, quantity)| (quantity, score(id)));
        let lead = if seen.legs.held.is_empty() {
            self.neutral().map(|n| NeutralBasket::lead(&n.legs.iter().map(|(p, w)| (*w, p.score))))
        } else {
            Some(NeutralBasket::lead(&held))
        };
        values.set(Indicator::Lead, lead.unwrap_or(f64::NAN));
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        if self.memory.at() != Some(seen.now) {
            return None;
        }
        let Neutral { legs, sigma } = self.neutral()?;
        let ids: Vec<InstrumentId> = legs.iter().map(|(p, _)| p.instrument).collect();
        // NaN leads nobody.
        if !(cx.view.of(Indicator::Lead) > LEAD_MIN && seen.is_fresh(&ids, FRESH)) {
            return None;
        }
        let leg = |(p, weight): &(Pick, f64)| {
            Some(StructureLeg { instrument: p.instrument, ratio: weight / seen.value(p.instrument)? })
        };
        let held = legs.iter().map(leg).collect::<Option<Vec<StructureLeg>>>()?;
        let size = legs.iter().map(|(_, w)| libm::fabs(*w)).fold(0.0, f64::max);
        let lead = Term::Of(Indicator::Lead);
        let minutes = self.memory.every()?.in_units_of(Span::MINUTE);
        let points = 1e4 * sigma;
        let shape = StructureShape {
            stop: 12.0 * points,
            near: 12.0 * points,
            far: 50.0 * points,
            trails: false,
            hold: 3.0 * self.window * minutes,
            exit: Condition::below(lead, Term::Level(0.0)),
            add: None,
            hedge: Condition::below(
                Term::Of(Indicator::Gain),
                Term::Level(-6.0 * points * seen.preset.stop / seen.traits.caution),
            ),
            again: Condition::above(lead, Term::Level(LEAD_MIN)),
            pause: PAUSE * minutes,
        };
        let plan = shape.plan(1.0, seen.traits, seen.preset);
        Some(Proposal { side: 1.0, legs: held, size, delta: 0.0, plan, limit: None })
    }
}

impl RelativeStrengthFamily {
    /// A view on each asset.
    pub(super) fn at_bars(p: &[f64]) -> Self {
        RelativeStrengthFamily::Views(RankedViews::new(p))
    }

    /// All of an agent's assets as one, or why they are views by themselves.
    pub(super) fn in_legs(
        p: &[f64],
        (_, assets): (AssetId, &[AssetId]),
        listed: &ListedInstruments,
    ) -> Result<Self, String> {
        let [window, cut, basket] = *p else {
            return Err("relative strength takes three parameters".to_owned());
        };
        if basket < 0.5 {
            return Err("its views are its own, one an asset (basket = 0)".to_owned());
        }
        let markets: Vec<InstrumentId> =
            assets.iter().filter_map(|a| listed.hedges(*a).first().copied()).collect();
        if markets.len() < BASKET_MIN {
            return Err("needs perps or margin markets of three assets".to_owned());
        }
        Ok(RelativeStrengthFamily::Neutral(Box::new(NeutralBasket {
            memory: BasketMemory::new(&markets, bars(window)),
            assets: assets.to_vec(),
            window,
            cut,
        })))
    }

    fn neutral(&self) -> Option<&NeutralBasket> {
        match self {
            RelativeStrengthFamily::Neutral(basket) => Some(basket),
            RelativeStrengthFamily::Views(_) => None,
        }
    }
}

impl Family for RelativeStrengthFamily {
    fn subscriptions(&self) -> Subscriptions {
        match self {
            // The rank is made of the scores of all.
            RelativeStrengthFamily::Views(views) => Subscriptions::Bars(vec![views.rank, views.score]),
            RelativeStrengthFamily::Neutral(basket) => basket.subscriptions(),
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        match self {
            RelativeStrengthFamily::Views(v) => cx.at_bar(|view| v.entry(view), |side| v.shape(side)),
            RelativeStrengthFamily::Neutral(basket) => basket.propose(cx),
        }
    }

    fn on_event(&mut self, listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        if let RelativeStrengthFamily::Neutral(basket) = self {
            basket.on_event(listed, board, event);
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if let Some(basket) = self.neutral() {
            basket.indicators(seen, values);
        }
    }

    fn is_stirred(&self, event: &MarketEvent) -> bool {
        self.neutral().is_some_and(|basket| basket.is_stirred(event))
    }

    fn stands_for(&self) -> &[AssetId] {
        self.neutral().map_or(&[], |basket| &basket.assets)
    }
}

#[cfg(test)]
mod tests;
