//! The crowd: where all voices of an asset have announced that they will stop, take profit and add, and what flow of their own
//! that makes the next bar expect.
//!
//! ```text
//! touch within a bar, without drift     P(L) = erfc(|ln(L/p)| / (σ·√2))
//! a target or an add before the stop    P(L) · d_stop / (d_stop + d)
//! flow                                  G = Σ P · Δq / M        Δq what would be bought of an agent's capital, M voices
//! ```
//!
//! It forecasts the swarm's own flow and nothing of the market, and is not traded on: measured, a wider band saves as much.

use crate::domain::{Action, AssetId, Condition, Message, MessageKind, SpokenBy, Term};
use crate::engine::Engine;
use crate::view::cockpit::{CROWD_LEVELS_MAX, CrowdLevel, CrowdView};
use std::collections::BTreeMap;

/// Levels this many volatilities of a bar apart are one.
const APART: f64 = 0.25;
/// Levels farther away than this are not shown.
const FARTHEST: f64 = 12.0;

/// What the voices on an asset have announced; `last` has the last action of each.
pub(super) fn crowd<'a>(
    engine: &Engine,
    asset: AssetId,
    last: &dyn Fn(usize) -> Option<&'a Message>,
) -> CrowdView {
    let sigma = engine.speak.market.instruments[asset.index()].sigma;
    let close = engine.speak.close(asset);
    let mut view = CrowdView::default();
    if !(sigma.is_finite() && sigma > 0.0 && close > 0.0) {
        return view;
    }
    let (cast, consensus) = (engine.cast(), &engine.respond.consensus);
    let share = 1.0 / f64::from(consensus.voices().max(1));
    let mut levels: BTreeMap<i32, f64> = BTreeMap::new();
    for voice in cast.by_asset[asset.index()].iter().map(|s| *s as usize) {
        let (agent, _) = cast.voice(voice);
        let Some(open) = engine.speak.lives[voice].open() else { continue };
        let Some(message) = last(voice).filter(|m| m.life != SpokenBy::Open) else { continue };
        let MessageKind::Action(said) = &message.body else { continue };
        if !consensus.is_heard(agent) || said.after == 0.0 {
            continue;
        }
        view.speakers += 1;
        let all = announced(said, open.entry);
        let stop = all.first().map_or(f64::INFINITY, |(price, _)| away(*price, close, sigma));
        for (n, (price, change)) in all.iter().enumerate() {
            let distance = away(*price, close, sigma);
            // What comes after the stop does not come at all.
            let first = if n == 0 { 1.0 } else { stop / (stop + distance).max(f64::MIN_POSITIVE) };
            view.flow += share * change * first * libm::erfc(distance / core::f64::consts::SQRT_2);
            if distance <= FARTHEST {
                let place = libm::rint(libm::log(price / close) / sigma / APART) as i32;
                *levels.entry(place).or_default() += share * change;
            }
        }
    }
    let price = |place: i32| close * libm::exp(f64::from(place) * APART * sigma);
    let each = levels.into_iter().filter(|(_, flow)| *flow != 0.0);
    view.levels = each.map(|(place, flow)| CrowdLevel { price: price(place), flow }).collect();
    // The largest, where there are too many.
    view.levels.sort_by(|a, b| libm::fabs(b.flow).total_cmp(&libm::fabs(a.flow)));
    view.levels.truncate(CROWD_LEVELS_MAX);
    view.levels.sort_by(|a, b| a.price.total_cmp(&b.price));
    view
}

/// The price that the close is compared with, if it is a fixed one of an intent that was opened at `entry`.
pub(super) fn level(c: Condition, entry: f64) -> Option<f64> {
    match (c.left, c.right) {
        (Term::Close, Term::Level(price)) | (Term::Level(price), Term::Close) => Some(price),
        (Term::Close, Term::Entry(away)) | (Term::Entry(away), Term::Close) => {
            Some(entry * (1.0 + away)).filter(|price| price.is_finite())
        }
        _ => None,
    }
}

/// How many volatilities of a bar a level is away.
fn away(price: f64, close: f64, sigma: f64) -> f64 {
    libm::fabs(libm::log(price / close)) / sigma
}

/// The fixed levels of a plan with what would be bought there, as a fraction of the agent's capital: the stop first.
fn announced(said: &Action, entry: f64) -> Vec<(f64, f64)> {
    let plan = &said.plan;
    let stop = level(plan.stop, entry).map(|price| (price, -said.after));
    let targets = plan.targets.iter().filter_map(|t| Some((level(t.when, entry)?, -t.fraction * said.after)));
    let add = plan.add.and_then(|(when, part)| Some((level(when, entry)?, part * said.after)));
    let known = |(price, _): &(f64, f64)| price.is_finite() && *price > 0.0;
    // Without a stop nothing comes before the targets.
    let stop = stop.filter(known).unwrap_or((f64::MIN_POSITIVE, 0.0));
    std::iter::once(stop).chain(targets.chain(add).filter(known)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::condition::Target;
    use crate::domain::{Comparison, IntentId, Plan, Reason, Verb};
    use std::sync::Arc;

    #[test]
    fn a_long_sells_at_its_stop_and_its_targets_and_buys_where_it_adds() {
        let at = |op, price| Condition { left: Term::Close, op, right: Term::Level(price) };
        let stop = at(Comparison::Below, 90.0);
        let plan = Plan {
            legs: Vec::new(),
            maker: None,
            stop,
            trail: None,
            exit: stop,
            expire: stop,
            targets: vec![Target { when: at(Comparison::Above, 120.0), fraction: 0.5 }],
            add: Some((at(Comparison::Above, 110.0), 0.25)),
            hedge: None,
            reenter: None,
        };
        let said = Action {
            verb: Verb::Open,
            intent: IntentId::default(),
            reason: Reason::Signal,
            before: 0.0,
            after: 0.4,
            delta: 0.4,
            price: 100.0,
            plan: Arc::new(plan),
        };
        assert_eq!(announced(&said, 100.0), [(90.0, -0.4), (120.0, -0.2), (110.0, 0.1)]);
        assert!((away(90.0, 100.0, 0.05) - 2.107).abs() < 1e-3);
    }
}
