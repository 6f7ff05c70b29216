//! How an intent on the asset itself is traded: decided at the close of a bar, filled at the next open, as a signed
//! fraction of own capital. One instrument is held: what would need another beside it, an opposite leg as a hedge, is not
//! taken.

use super::context::BarCoin;
use super::life::{OpenIntent, Resize, Trading};
use super::plan::{stop_distance, suits_bars};
use super::proposal::Proposal;
use super::strategy::Strategy;
use crate::domain::{AgentId, AssetId, Condition, EvalContext, Indicator, Stamp, Term, Verb};
use crate::fills::books::SimulatedBook;
use crate::fills::pace::unit;
use std::sync::Arc;

/// A close as one agent sees it on one asset. Its book trades the intent at once, at the reference weight.
#[derive(Clone, Copy, Debug)]
pub struct AtBars<'a> {
    /// The agent that lives.
    pub agent: AgentId,
    /// The asset it lives on.
    pub asset: AssetId,
    /// What it does.
    pub strategy: &'a Strategy,
    /// Capital at the reference weight.
    pub capital: f64,
    /// Close of the bar, in the account's currency.
    pub close: f64,
    /// Volatility of a bar, as a fraction of price.
    pub sigma: f64,
    /// Key of this life's coins, of which one is tossed a bar.
    pub coins: u64,
    /// Moment of this bar, which the coin depends on.
    pub at: Stamp,
    /// The indicators it looks at.
    pub keys: &'a [Indicator],
    /// Their values, in the same order; NaN while warming up.
    pub values: &'a [f64],
}

impl Trading for AtBars<'_> {
    type Book = SimulatedBook;
    type Values = ();
    const MINUTES: bool = false;

    fn who(&self) -> (AgentId, AssetId) {
        (self.agent, self.asset)
    }

    fn now(&self) -> Stamp {
        self.at
    }

    fn capital(&self) -> f64 {
        self.capital
    }

    fn values(&self, _book: &SimulatedBook, _open: Option<&OpenIntent>) {}

    fn view<'v>(&'v self, (): &'v (), held: u32, open: Option<&OpenIntent>) -> EvalContext<'v> {
        let (side, best, entry) = open.map_or((0.0, 0.0, f64::NAN), |o| (o.side, o.best, o.entry));
        let AtBars { close, sigma, keys, values, .. } = *self;
        EvalContext { close, sigma, held, best, entry, side, keys, values }
    }

    fn best(&self, open: &OpenIntent, (): &()) -> f64 {
        if open.side > 0.0 { open.best.max(self.close) } else { open.best.min(self.close) }
    }

    fn propose(&self, _book: &SimulatedBook, view: &EvalContext<'_>, again: Option<f64>) -> Option<Proposal> {
        self.strategy.propose(view, BarCoin { key: self.coins, at: self.at }, again)
    }

    fn open(
        &self,
        book: &SimulatedBook,
        proposal: Proposal,
        view: &EvalContext<'_>,
        first: Option<f64>,
    ) -> Option<OpenIntent> {
        let entry = proposal.limit.map_or(self.close, |limit| limit.price);
        let first = first.unwrap_or_else(|| self.strategy.unit() * unit(view.sigma));
        suits_bars(&proposal.plan).then(|| OpenIntent {
            side: proposal.side,
            units: 0.0,
            first,
            own: first,
            entry,
            delta: proposal.delta,
            best: entry,
            adds: self.strategy.adds(),
            equity: self.equity(book),
            legs: Vec::new(),
            notional: self.capital,
            carried: 0.0,
            plan: Arc::new(proposal.plan),
        })
    }

    fn fraction(&self, open: &OpenIntent, units: f64) -> f64 {
        open.side * units
    }

    fn price(&self, _open: &OpenIntent) -> f64 {
        self.close
    }

    fn risk(&self, open: &OpenIntent) -> f64 {
        open.first * stop_distance(&open.plan, open.entry, self.sigma)
    }

    fn equity(&self, book: &SimulatedBook) -> f64 {
        book.equity(self.close)
    }

    /// As far beyond this close as σ says one bar may go, so that two adds never fall on one close.
    fn next_add(&self, when: Condition, side: f64, view: &EvalContext<'_>) -> Condition {
        let step = 4.0 * view.sigma;
        let d = if side < 0.0 { step.min(0.9) } else { step };
        Condition { right: Term::Level(view.close * (1.0 + side * d)), ..when }
    }

    fn allows(&self, side: f64) -> bool {
        self.strategy.allows(side)
    }

    fn resize(
        &self,
        raw: &mut SimulatedBook,
        _open: &OpenIntent,
        Resize { verb, before, after, .. }: Resize,
    ) {
        raw.order = match verb {
            Verb::Decrease => raw.order - (raw.quantity + raw.order) * (1.0 - after / before),
            _ => raw.order + (after - before) * self.capital / self.close,
        };
    }

    fn rest(&self, raw: &mut SimulatedBook, open: &OpenIntent) {
        raw.rest(open.side * open.first * self.capital / open.entry, open.entry);
    }

    /// All of it at its price, but for a bar with too little volume, or one that opened at a better price.
    fn filled(&self, raw: &SimulatedBook, open: &OpenIntent) -> Option<(f64, f64)> {
        let units = open.side * raw.quantity * raw.limit / self.capital;
        (units > 0.0).then_some((units, raw.limit))
    }

    fn withdraw(&self, raw: &mut SimulatedBook) {
        raw.rest(0.0, 0.0);
    }

    fn close(&self, raw: &mut SimulatedBook) {
        raw.order = -raw.quantity;
    }

    fn is_settled(&self, raw: &mut SimulatedBook) -> bool {
        raw.order == 0.0
    }
}

#[cfg(test)]
mod plan_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::life::Life;
    use crate::agents::personality::{Preset, Traits};
    use crate::domain::{Action, FamilyId, MessageKind, Reason, SideRule};

    const KEYS: [Indicator; 4] =
        [Indicator::Ema(10), Indicator::Ema(40), Indicator::Sigma(8), Indicator::Sigma(120)];

    fn trend(traits: Traits, preset: Preset) -> Strategy {
        Strategy::new(FamilyId::Trend, &[10.0, 40.0], SideRule::Both, traits, preset)
    }

    /// Runs closes past a trend follower whose averages are given, and returns what it said.
    fn run(strategy: &Strategy, closes: &[(f64, f64, f64)]) -> Vec<Action> {
        let mut life = Life::default();
        let mut raw = SimulatedBook::default();
        let mut said = vec![];
        for (i, (close, fast, slow)) in closes.iter().enumerate() {
            let now = AtBars {
                agent: AgentId(0),
                asset: AssetId(0),
                strategy,
                capital: 1_000.0,
                close: *close,
                sigma: 0.01,
                coins: 0,
                at: Stamp(i as i64),
                keys: &KEYS,
                values: &[*fast, *slow, 0.01, 0.01],
            };
            life.look(&now, &mut raw, &mut |body| {
                if let MessageKind::Action(action) = body {
                    said.push(action);
                }
            });
            raw.quantity += raw.order;
            raw.order = 0.0;
            life.outcome(&now, &mut raw);
        }
        said
    }

    #[test]
    fn opens_adds_takes_profit_and_closes_with_conditions_that_act() {
        let strategy = trend(Traits::default(), Preset::default());
        let said = run(
            &strategy,
            &[(100.0, 99.0, 98.0), (106.0, 101.0, 99.0), (111.0, 103.0, 100.0), (112.0, 99.0, 100.0)],
        );
        let verbs: Vec<(Verb, Reason)> = said.iter().map(|a| (a.verb, a.reason)).collect();
        assert_eq!(
            verbs,
            [
                (Verb::Open, Reason::Signal),
                (Verb::Increase, Reason::Add),
                (Verb::Decrease, Reason::Target),
                (Verb::Close, Reason::Exit),
            ]
        );
        let sizes: Vec<f64> = said.iter().map(|a| a.after).collect();
        assert_eq!(sizes, [1.0, 1.5, 0.75, 0.0]);
    }

    #[test]
    fn the_stop_comes_before_everything_else_and_is_followed_by_a_pause() {
        let strategy = trend(Traits::default(), Preset::default());
        let said = run(
            &strategy,
            &[
                (100.0, 99.0, 98.0),
                (91.0, 90.0, 98.0),
                (92.0, 91.0, 90.0),
                (92.0, 91.0, 90.0),
                (92.0, 91.0, 90.0),
            ],
        );
        let verbs: Vec<(Verb, Reason)> = said.iter().map(|a| (a.verb, a.reason)).collect();
        assert_eq!(
            verbs,
            [(Verb::Open, Reason::Signal), (Verb::Close, Reason::Stop), (Verb::Open, Reason::ReEntry)]
        );
    }

    #[test]
    fn all_conditions_of_an_opening_are_filled_and_on_their_sides() {
        let strategy = trend(Traits::default(), Preset::default());
        for (close, fast, slow, side) in [(100.0, 99.0, 98.0, 1.0), (100.0, 101.0, 102.0, -1.0)] {
            let said = run(&strategy, &[(close, fast, slow)]);
            let plan = &said[0].plan;
            assert_eq!(said[0].side(), side);
            assert!(
                plan.trail.is_some() && plan.add.is_some() && plan.hedge.is_some() && plan.reenter.is_some()
            );
            assert_eq!(plan.targets.len(), 2);
            let Term::Level(stop) = plan.stop.right else { unreachable!() };
            assert!(side * (close - stop) > 0.0);
        }
    }
}
