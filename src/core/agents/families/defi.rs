//! Pools of automated market makers: liquidity for their fees, or coins that are cheaper there than on an
//! exchange. Long (+1) only: what is in a pool is owned.
//!
//! | mode | a long | hedge |
//! |---|---|---|
//! | 0 liquidity | liquidity of the best pool: at all prices where it has no ranges, else `width` above and below | the base in it, with the perp, as it goes |
//! | 1 arbitrage | base bought in a pool that is below the exchange, the perp sold | none: the legs are equal |
//!
//! **Liquidity** L at the price P earns its share of the fees and loses L·√P·σ²/4 per year to those who trade
//! with it when the price has moved elsewhere (σ²/8 of a constant product; Milionis et al. 2022, "loss versus
//! rebalancing"): what hedging as it goes turns impermanent loss into. A range is left after
//! (ln(1 + width)/σ)² years on average, so what a shorter stay earns has to pay for gas, the swaps at both
//! ends and the perp.
//!
//! **Arbitrage** buys what moves the pool's price up to the exchange's
//! ([`between_pool_and_exchange`](crate::market::pricing::pool::between_pool_and_exchange)) with the costs
//! of both ends in it. By the next state of the pool others have been there too: of a distance only the part
//! is counted on that used to be left at the next state, and the distance is from the pool's usual premium.
//! The reverse, coins sold into a pool that is expensive, needs an inventory of coins, which it does not keep.
//!
//! It never adds: a range of today is another than that of yesterday, and an arbitrage is as large as pays.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::ranges::{Bounds, PUT_GAS, TAKE_GAS};
use crate::agents::structures::realised::ReturnMemory;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, ContractTerms, Indicator, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Term,
};
use crate::fills::level;
use crate::market::Market;
use crate::market::pricing::pool::between_pool_and_exchange;
use crate::market::quotes::PoolState;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "liquidity for pools where fees pay for what the price takes, or coins that are \
                               cheaper in a pool, gas included",
    needs: "a pool of the asset, with its states told, and a perp or a margin market of it",
    params: &[
        param("mode", "0 liquidity, 1 arbitrage", (0.0, 0.0), (0.0, 1.0), "what it does with pools"),
        param("width", "of the price", (0.05, 0.20), (0.005, 5.0), "how far a range reaches up and down"),
        param("horizon", "days", (3.0, 14.0), (0.05, 365.0), "time over which fees must pay for the ends"),
        param("hurdle", "bp", (5.0, 20.0), (1.0, 10_000.0), "edge after all costs"),
        param("size", "of capital", (0.2, 0.5), (0.001, 1.0), "what it puts in at first"),
        param(
            "band",
            "of the base",
            (0.05, 0.15),
            (0.005, 1.0),
            "base that is left open before it is hedged",
        ),
        param("stop", "bp", (100.0, 300.0), (5.0, 5_000.0), "loss at which it is given up"),
        param("memory", "hours", (24.0, 72.0), (1.0, 1_000.0), "memory of swaps and of the premium"),
        param("warm", "hours", (24.0, 48.0), (0.5, 2_000.0), "time heard before it trades"),
        param("stale", "seconds", (120.0, 300.0), (1.0, 86_400.0), "age at which a price is none"),
    ],
    ordered: &[],
};

/// Minutes after which a distance that has not closed is none.
const ARBITRAGE_MINUTES: f64 = 240.0;

/// What is remembered of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct PoolMemory {
    id: InstrumentId,
    fee: f64,
    concentrated: bool,
    last: Option<Stamp>,
    /// Years heard of; then, with the memory's weights: years, and fees earned by one unit of liquidity.
    heard: f64,
    years: f64,
    earned: f64,
    /// Usual premium over the exchange, and how a distance from it goes on: ⟨now·before⟩ and ⟨before²⟩.
    premium: f64,
    before: f64,
    together: f64,
    square: f64,
}

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefiMemory {
    arbitrage: bool,
    width: f64,
    horizon: f64,
    hurdle: f64,
    size: f64,
    band: f64,
    stop: f64,
    /// Length of its memory, in years.
    remembers: f64,
    warm: Span,
    stale: Span,
    perp: InstrumentId,
    pools: Vec<PoolMemory>,
    realised: ReturnMemory,
}

/// A pool weighed.
#[derive(Clone, Copy, Debug)]
struct WeighedPool {
    pool: InstrumentId,
    concentrated: bool,
    /// After all costs, and the costs of both ends, in basis points of what is put in.
    edge: f64,
    costs: f64,
    /// Pool over exchange, less one, now and usually; the forecast of volatility.
    rich: f64,
    premium: f64,
    forecast: f64,
    /// As a fraction of own capital, before the agent's character.
    size: f64,
}

impl PoolMemory {
    /// A state, and what the exchange asks for the same; `memory` in years.
    fn hear(&mut self, at: Stamp, state: &PoolState, exchange: Option<f64>, memory: f64) {
        let Some(then) = self.last.replace(at) else {
            if let Some(x) = exchange {
                self.premium = state.price / x - 1.0;
            }
            return;
        };
        let dt = at.since(then).in_units_of(Span::YEAR).max(0.0);
        let keep = libm::exp(-dt / memory);
        self.heard += dt;
        self.years = self.years * keep + dt;
        self.earned = self.earned * keep + state.swapped * self.fee / state.liquidity;
        let Some(x) = exchange else { return };
        let distance = state.price / x - 1.0 - self.premium;
        self.together = self.together * keep + distance * self.before;
        self.square = self.square * keep + self.before * self.before;
        self.before = distance;
        self.premium += distance * (1.0 - keep);
    }

    /// The part of a distance that is left at the next state.
    fn left(&self) -> f64 {
        if self.square > 0.0 { (self.together / self.square).clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl DefiMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let [mode, width, horizon, hurdle, size, band, stop, memory, warm, stale] = *p else {
            return Err("pools take ten parameters".to_owned());
        };
        let pools = listed.find(asset, |i| i.kind == InstrumentKind::Pool && i.quote.is_none());
        if pools.is_empty() {
            return Err("needs a pool of the asset".to_owned());
        }
        let hedge = listed.hedges(asset).first().copied();
        let perp = hedge.ok_or("needs a perp or a margin market of the asset to hedge with")?;
        let pool = |id: InstrumentId| match listed.get(id).terms {
            ContractTerms::Pool { fee_ppm, concentrated } => Some(PoolMemory {
                id,
                fee: f64::from(fee_ppm) / 1e6,
                concentrated,
                last: None,
                heard: 0.0,
                years: 0.0,
                earned: 0.0,
                premium: 0.0,
                before: 0.0,
                together: 0.0,
                square: 0.0,
            }),
            _ => None,
        };
        Ok(DefiMemory {
            arbitrage: mode >= 0.5,
            width,
            horizon: horizon / 365.25,
            hurdle,
            size,
            band,
            stop,
            remembers: memory * Span::HOUR.in_units_of(Span::YEAR),
            warm: Span((warm * Span::HOUR.0 as f64) as i64),
            stale: Span((stale * Span::seconds(1).0 as f64) as i64),
            perp,
            pools: pools.into_iter().filter_map(pool).collect(),
            realised: ReturnMemory::default(),
        })
    }

    fn bounds(&self, concentrated: bool, price: f64) -> Bounds {
        if concentrated { Bounds::around(price, self.width) } else { Bounds::ALL }
    }

    /// What a pool would earn, if it and the perp are fresh and were heard long enough.
    fn weigh(&self, seen: &StructureContext<'_>, pool: &PoolMemory) -> Option<WeighedPool> {
        let known = pool.heard >= self.warm.in_units_of(Span::YEAR) && pool.years > 0.0;
        if !known || !seen.is_fresh(&[pool.id, self.perp], self.stale) {
            return None;
        }
        let state = seen.board.get(pool.id)?.pool?.value;
        let exchange = seen.value(self.perp)?;
        let forecast = self.realised.forecast(self.horizon, self.warm)?;
        let rich = state.price / exchange - 1.0;
        let bare = WeighedPool {
            pool: pool.id,
            concentrated: pool.concentrated,
            edge: f64::NAN,
            costs: f64::NAN,
            rich,
            premium: pool.premium,
            forecast,
            size: self.size,
        };
        if self.arbitrage {
            self.weigh_arbitrage(seen, pool, &state, exchange, bare)
        } else {
            self.weigh_liquidity(seen, pool, &state, bare)
        }
    }

    fn weigh_liquidity(
        &self,
        seen: &StructureContext<'_>,
        pool: &PoolMemory,
        state: &PoolState,
        bare: WeighedPool,
    ) -> Option<WeighedPool> {
        let price = state.price;
        let bounds = self.bounds(pool.concentrated, price);
        let (market_value, base) = (bounds.market_value(price), bounds.base(price));
        let liquidity = seen.units(self.size, market_value);
        let sigma = bare.forecast;
        let stay = libm::log(1.0 + self.width) / sigma;
        let years = if pool.concentrated { self.horizon.min(stay * stay) } else { self.horizon };
        // A unit of liquidity, its share among all of it.
        let earns = pool.earned / pool.years * years * state.liquidity / (state.liquidity + liquidity);
        let loses = 0.25 * libm::sqrt(price) * sigma * sigma * years;
        // The hedge is traded by a band each time, after moves of the band over gamma.
        let gamma = 0.5 / (price * libm::sqrt(price));
        let moved = gamma * price * sigma;
        let perp = seen.cost(self.perp) * price;
        let hedging = moved * moved / (self.band * base) * perp * years;
        let terms = seen.listed.get(pool.id).terms;
        let swap = |q: f64| level::swap(state, &terms, q).map(|h| libm::fabs(h.price - price));
        let ends = (swap(base * liquidity)? + swap(-base * liquidity)? + 2.0 * perp) * base;
        let of = |(plain, ranged): (f64, f64)| if pool.concentrated { ranged } else { plain };
        let gas = state.gas * (2.0 + of(PUT_GAS) + of(TAKE_GAS)) / liquidity;
        let costs = (ends + gas) / market_value * 1e4;
        let edge = (earns - loses - hedging) / market_value * 1e4 - costs;
        Some(WeighedPool { edge, costs, ..bare })
    }

    fn weigh_arbitrage(
        &self,
        seen: &StructureContext<'_>,
        pool: &PoolMemory,
        state: &PoolState,
        exchange: f64,
        bare: WeighedPool,
    ) -> Option<WeighedPool> {
        // Where the pool is when the order reaches it, and where it comes back to.
        let distance = (bare.rich - pool.premium) * pool.left();
        let usual = exchange * (1.0 + pool.premium);
        let met = usual * (1.0 + distance);
        let root = libm::sqrt(met);
        let fee = 2.0 * seen.cost(self.perp) + pool.fee;
        let reserves = (state.liquidity / root, state.liquidity * root, 1.0 - pool.fee);
        let best = between_pool_and_exchange(reserves, (usual, usual, fee), 2.0 * state.gas).ok()?;
        // Both ends of what it would cost to trade this pool, whether it pays or not.
        let costs = (fee + pool.fee) * 1e4;
        let Some(best) = best.filter(|b| b.buy_in_pool) else {
            // Nothing that pays at any size: the distance less what the ends cost.
            return Some(WeighedPool { edge: -distance * 1e4 - costs, costs, size: 0.0, ..bare });
        };
        let most = best.pool_out * exchange / (seen.capital * seen.traits.aggression * seen.preset.unit);
        let size = self.size.min(most);
        // A smaller part of it is bought at better prices, but pays the same gas.
        let share = size / most;
        let reach = share * best.pool_in;
        let got = reserves.2 * reach * reserves.0 / (reserves.1 + reserves.2 * reach);
        let profit = usual * (1.0 - fee) * got - reach - 2.0 * state.gas;
        Some(WeighedPool { edge: profit / reach * 1e4, costs, size, ..bare })
    }

    /// The pool that is held, else the one with the best edge.
    fn best(&self, seen: &StructureContext<'_>) -> Option<WeighedPool> {
        let holds = |p: &&PoolMemory| seen.legs.ranges.bounds(p.id).is_some() || seen.legs.of(p.id) != 0.0;
        if let Some(held) = self.pools.iter().find(holds) {
            return self.weigh(seen, held);
        }
        let all = self.pools.iter().filter_map(|p| self.weigh(seen, p));
        all.filter(|w| w.edge.is_finite()).max_by(|a, b| a.edge.total_cmp(&b.edge))
    }

    fn shape(&self, w: &WeighedPool) -> StructureShape {
        let of = Term::Of;
        let above = |i: Indicator, x: f64| Condition::above(of(i), Term::Level(x));
        let below = |i: Indicator, x: f64| Condition::below(of(i), Term::Level(x));
        if self.arbitrage {
            let distance = (w.premium - w.rich) * 1e4;
            return StructureShape {
                stop: self.stop,
                near: 0.6 * distance,
                far: distance,
                trails: false,
                hold: ARBITRAGE_MINUTES,
                // The pool is where it usually is.
                exit: above(Indicator::Rich, w.premium),
                add: None,
                // It went the wrong way by half of what is borne.
                hedge: below(Indicator::Rich, w.rich - 0.5 * self.stop / 1e4),
                again: above(Indicator::Edge, self.hurdle),
                pause: 1.0,
            };
        }
        StructureShape {
            stop: self.stop,
            near: 0.5 * self.stop,
            far: self.stop,
            trails: true,
            hold: self.horizon * Span::YEAR.in_units_of(Span::MINUTE),
            // Out of its range it earns nothing; without a range, fees pay no more for what the price takes.
            exit: if w.concentrated { above(Indicator::Away, 1.0) } else { below(Indicator::Edge, -w.costs) },
            add: None,
            hedge: if w.concentrated {
                above(Indicator::Away, 0.8)
            } else {
                below(Indicator::Edge, -0.5 * w.costs)
            },
            again: above(Indicator::Edge, self.hurdle),
            pause: 60.0,
        }
    }
}

impl Family for DefiMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(self.pools.iter().map(|p| p.id).chain(std::iter::once(self.perp)).collect())
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        let Some(id) = event.instrument() else { return };
        let exchange = board.price(self.perp);
        if id == self.perp {
            if let Some(price) = exchange {
                self.realised.hear(price.at, price.value);
            }
            return;
        }
        let MarketEvent::Pool { at, price, liquidity, swapped, gas, .. } = *event else { return };
        let fresh = exchange.filter(|x| at.since(x.at).0 <= self.stale.0).map(|x| x.value);
        if let Some(pool) = self.pools.iter_mut().find(|p| p.id == id) {
            pool.hear(at, &PoolState { price, liquidity, swapped, gas }, fresh, self.remembers);
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if !self.arbitrage {
            // Where it is in its range must be known even when nothing else is.
            let placed = |p: &PoolMemory| seen.legs.ranges.bounds(p.id).map(|b| (p.id, b));
            let away = match self.pools.iter().find_map(placed) {
                Some((id, _)) if !seen.is_fresh(&[id], self.stale) => f64::NAN,
                Some((id, bounds)) => seen.value(id).map_or(f64::NAN, |price| bounds.away(price)),
                None => 0.0,
            };
            values.set(Indicator::Away, away);
        }
        let Some(w) = self.best(seen) else { return };
        values.set(Indicator::Edge, w.edge);
        values.set(Indicator::Rich, w.rich);
        values.set(Indicator::Forecast, w.forecast);
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let w = self.best(seen)?;
        let pays = w.edge > self.hurdle && w.size > 0.0;
        // A distance beyond what is borne is a bad tick or a broken pool.
        let sane = !self.arbitrage || (w.premium > w.rich && (w.premium - w.rich) * 1e4 < self.stop);
        if !(pays && sane && seen.side.allows(1.0)) {
            return None;
        }
        let mut legs = vec![StructureLeg { instrument: w.pool, ratio: 1.0 }];
        if self.arbitrage {
            legs.push(StructureLeg { instrument: self.perp, ratio: -1.0 });
        }
        let plan = self.shape(&w).plan(1.0, seen.traits, seen.preset);
        Some(Proposal { side: 1.0, legs, size: w.size, delta: 0.0, plan, limit: None })
    }

    fn hedge(&self, seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        if self.arbitrage || !seen.is_fresh(&[self.perp], self.stale) {
            return None;
        }
        let base = seen.legs.ranges.base(seen.board);
        // Against the base in the middle of its range, or as it is where there is none.
        let whole = |r: &crate::agents::structures::ranges::PoolRange| {
            r.liquidity * r.bounds.base(libm::sqrt(r.bounds.lower * r.bounds.upper))
        };
        let ranged = seen.legs.ranges.held.iter().filter(|r| r.bounds.lower > 0.0);
        let whole = ranged.map(whole).sum::<f64>().max(base);
        let left = seen.legs.of(self.perp) + base;
        (libm::fabs(left) > self.band * whole).then_some((self.perp, -base))
    }

    fn is_hedged(&self) -> bool {
        !self.arbitrage
    }

    fn range(&self, seen: &StructureContext<'_>, leg: InstrumentId) -> Option<Bounds> {
        let pool = self.pools.iter().find(|p| p.id == leg).filter(|_| !self.arbitrage)?;
        Some(self.bounds(pool.concentrated, seen.value(leg)?))
    }

    fn pace(&self) -> Span {
        if self.arbitrage { Span(0) } else { Span::MINUTE }
    }
}

#[cfg(test)]
mod tests;
