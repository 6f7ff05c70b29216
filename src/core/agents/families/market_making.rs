//! Market making: quotes both sides around the mid, the further from it the more it risks, and leans
//! against what it holds (Avellaneda and Stoikov 2008, in the closed form of Guéant, Lehalle and
//! Fernandez-Tapia 2013).
//!
//! With prices in basis points of the mid, q the inventory in quotes, κ the decay of fills with distance,
//! A the rate of prints a side, σ the volatility a root second and γ the aversion to inventory:
//!
//! ```text
//! δ_bid = base + (2q + 1)/2 · slope        base  = 1/γ · ln(1 + γ/κ)
//! δ_ask = base − (2q − 1)/2 · slope        slope = √(σ²γ / 2κA · (1 + γ/κ)^(1 + κ/γ))
//! ```
//!
//! All of it is measured: 1/κ is the mean distance of prints from the mid, A their rate, σ the mid's own.
//! Whether it is worth it is what the average print would have earned it ([`Indicator::Edge`]): the
//! realised spread (Huang and Stoll 1996), distance of prints less where the mid went after them, less the
//! maker's fee. Long and short mean the same here; an agent of one side holds that side only, and spot is
//! never sold short.
//!
//! # Invariants
//!
//! 1. A quote never crosses: a bid is below the best offer by a tick at least, an offer above the best bid.
//! 2. No quote would take what is held beyond the cap, orders that are being taken off counted as filled.
//! 3. No quote stands on a price older than `age`.
//! 4. It quotes where a venue asks nothing of makers if there is such a market, else on the perp, margin or
//!    spot market listed first.
//! 5. A mid that jumps farther than [`JUMP`] is not believed, and not quoted by, before the next one agrees.
//! 6. Beyond its `hedge` limit it takes: what is beyond is sold again where it may be dealt at the mid's price, on the
//!    asset's perp if that is another market and else where it quotes. A part of less than half a quote is left.
//! 7. Base is at least fee, what prints move the mid, and the hurdle: flat, it quotes nothing that loses.
//!
//! It needs quotes and trades, and stands still on bars. Never adds: more is held by being filled.
//!
//! Once a day of the market it says how it would work an order of the desk, bars or not: in the closed form what
//! inventory adds to a quote grows with √γ, and an order that is to be worked is inventory to be got rid of. So the limit
//! is √(γ₀/γ) volatilities away, with γ₀ the usual aversion: who minds risk twice as much stands 0.7 times as far.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, Rest, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::gap::{self, PriceGap};
use crate::agents::structures::legs::LegOrder;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, ContractTerms, Indicator, Instrument, InstrumentId, InstrumentKind, MarketEvent,
    SideRule, Span, Stamp, Term, WorkQuote,
};
use crate::market::Market;
use crate::market::quotes::{Stamped, Top};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "quotes both sides around the mid and leans against what it holds",
    needs: "the asset's perp, margin or spot with quotes and trades",
    params: &[
        param("aversion", "per bp", (0.02, 0.2), (0.000_1, 10.0), "aversion to inventory, γ"),
        param("hurdle", "bp", (0.2, 1.0), (0.0, 100.0), "what the average print must leave after costs"),
        param("size", "of capital", (0.02, 0.1), (0.000_1, 1.0), "notional of a quote"),
        param("cap", "quotes", (2.0, 5.0), (1.0, 50.0), "most it holds"),
        param("calm", "per year", (0.8, 1.6), (0.01, 20.0), "volatility above which it does not begin"),
        param(
            "after",
            "seconds",
            (2.0, 10.0),
            (0.1, 600.0),
            "when it looks where the mid went after a print",
        ),
        param("memory", "minutes", (5.0, 30.0), (0.1, 10_000.0), "memory of prints"),
        param("hold", "minutes", (240.0, 1_440.0), (1.0, 100_000.0), "time stop"),
        param("age", "seconds", (1.0, 5.0), (0.01, 600.0), "oldest quote it quotes by"),
        param(
            "rests",
            "decisions",
            (1.0, 1.0),
            (1.0, 24.0),
            "how long an order of the desk rests before it crosses",
        ),
        param(
            "fee",
            "bp",
            (0.05, 0.15),
            (0.0, 20.0),
            "what it asks for an order of the desk that was filled at rest",
        ),
        param(
            "levels",
            "quotes",
            (1.0, 1.0),
            (1.0, 3.0),
            "quotes a side, each 1/κ farther out than the one before",
        ),
        param(
            "hedge",
            "quotes",
            (0.0, 0.0),
            (0.0, 50.0),
            "what it holds at most before it takes; 0: it never takes",
        ),
    ],
    ordered: &[],
};

/// Prints, and looks at where the mid went, before anything is known.
const PRINTS: f64 = 40.0;
const LOOKS: f64 = 10.0;
/// Root of the seconds in a year, over a bp: from bp a root second to volatility per year.
const ROOT_YEAR: f64 = 5_617.615_152_357_805 / 1e4;
/// A quote keeps its place while its price is off by less than this share of its distance.
const KEEPS: f64 = 0.2;
/// The mid times or through this, from one quote to the next, is a bad tick until the next one agrees.
const JUMP: f64 = 1.02;
/// γ₀, the usual aversion: the middle of the default.
const USUAL_AVERSION: f64 = 0.11;
/// Distances of a limit that it offers, in volatilities: nearer it would cross, farther nothing is met.
const OFFERED: (f64, f64) = (0.1, 4.0);
/// Minutes of volatility that the stop bears with all of the cap held.
const BEARS: f64 = 15.0;

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketMakingMemory {
    instrument: InstrumentId,
    aversion: f64,
    hurdle: f64,
    size: f64,
    cap: f64,
    calm: f64,
    after: Span,
    recall: f64,
    hold: f64,
    age: Span,
    /// Quotes a side.
    levels: u32,
    /// Inventory beyond which it takes, in quotes; infinite where it never does.
    hedge: f64,
    /// Where it takes: the asset's perp, else where it quotes.
    hedges_in: InstrumentId,
    /// How it would work an order of the desk.
    work: WorkQuote,
    /// The day on which it last said that.
    said: Option<i64>,
    /// The mid's own moves.
    gap: PriceGap,
    /// The last mid that was believed, and one since that was not.
    mid: Option<f64>,
    doubted: Option<f64>,
    /// Sums over prints, forgotten in time: since when and until when, of ones, of distances in bp.
    since: Option<Stamp>,
    until: Stamp,
    prints: f64,
    distance: f64,
    /// A print whose mark on the mid is still to be seen: when, the mid, ±1 for the taker's side.
    watched: Option<(Stamp, f64, f64)>,
    /// Sums over such looks, forgotten alike: of ones, of bp that the mid went the taker's way.
    looks: f64,
    impact: f64,
    /// What all of that comes to.
    steady: Option<PrintStatistics>,
    /// Of the mid, in bp a root second; zero while that is not known.
    sigma: f64,
}

/// What prints and the looks after them come to; see [`Memory::distances`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct PrintStatistics {
    /// Distance of prints from the mid, in bp.
    effective: f64,
    /// How far the mid goes their way, in bp.
    impact: f64,
    /// Distance of a quote before what it must leave, in bp.
    base: f64,
    /// The lean a quote held, over σ.
    lean: f64,
}

impl MarketMakingMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let kinds = [InstrumentKind::Perp, InstrumentKind::Margin, InstrumentKind::Spot];
        let free =
            |i: &Instrument| matches!(i.terms, ContractTerms::Rates { maker_ppm, .. } if maker_ppm <= 0);
        let by = |pass: &dyn Fn(&Instrument) -> bool| {
            let of = |kind| listed.find(asset, |i| i.kind == kind && i.quote.is_none() && pass(i));
            kinds.into_iter().find_map(|kind| of(kind).first().copied())
        };
        // At the base tiers of large venues a maker's fee is many times the spread.
        let Some(instrument) = by(&free).or_else(|| by(&|_| true)) else {
            return Err("needs a perp, margin or spot market of the asset".to_owned());
        };
        Ok(MarketMakingMemory {
            instrument,
            aversion: p[0],
            hurdle: p[1],
            size: p[2],
            cap: libm::floor(p[3]),
            calm: p[4],
            after: gap::span(p[5]),
            recall: p[6] * 60.0,
            hold: p[7],
            age: gap::span(p[8]),
            levels: p[11] as u32,
            hedge: if p[12] > 0.0 { p[12] } else { f64::INFINITY },
            hedges_in: listed.hedges(asset).first().copied().unwrap_or(instrument),
            work: WorkQuote {
                distance: libm::sqrt(USUAL_AVERSION / p[0]).clamp(OFFERED.0, OFFERED.1),
                rests: p[9] as u32,
                fee_bps: p[10],
            },
            said: None,
            gap: PriceGap::default(),
            mid: None,
            doubted: None,
            since: None,
            until: Stamp(0),
            prints: 0.0,
            distance: 0.0,
            watched: None,
            looks: 0.0,
            impact: 0.0,
            steady: None,
            sigma: 0.0,
        })
    }

    fn top(&self, board: &Market) -> Option<Stamped<Top>> {
        board.get(self.instrument)?.top.filter(|t| t.value.bid < t.value.ask)
    }

    fn fresh(&self, seen: &StructureContext<'_>) -> Option<Top> {
        let quoted = self.top(seen.board).filter(|_| self.doubted.is_none());
        quoted.filter(|t| seen.now.since(t.at).0 <= self.age.0).map(|t| t.value)
    }

    /// Takes a mid; whether it is believed.
    fn believe(&mut self, mid: f64) -> bool {
        let near = |other: Option<f64>| other.is_some_and(|o| mid <= o * JUMP && o <= mid * JUMP);
        let believed = self.mid.is_none() || near(self.mid) || near(self.doubted);
        if believed {
            (self.mid, self.doubted) = (Some(mid), None);
        } else {
            self.doubted = Some(mid);
        }
        believed
    }

    /// Forgets in time what prints said.
    fn pass(&mut self, at: Stamp) {
        let keep = libm::exp(-gap::seconds(at.since(self.until)).max(0.0) / self.recall);
        for sum in [&mut self.prints, &mut self.distance, &mut self.looks, &mut self.impact] {
            *sum *= keep;
        }
        self.until = at;
    }

    /// What prints and looks come to; asked when there is one more.
    fn measure(&self) -> Option<PrintStatistics> {
        if self.prints < PRINTS || self.looks < LOOKS {
            return None;
        }
        let covered = gap::seconds(self.until.since(self.since?));
        // The sum of a steady rate, forgotten at this pace, since it began.
        let reach = self.recall * (1.0 - libm::exp(-covered / self.recall));
        let (effective, rate) = (self.distance / self.prints, self.prints / reach);
        if !(effective > 0.0 && rate.is_finite()) {
            return None;
        }
        let (gamma, kappa) = (self.aversion, 1.0 / effective);
        let log = libm::log1p(gamma / kappa);
        // (1 + γ/κ)^(1 + κ/γ)
        let power = libm::exp((1.0 + kappa / gamma) * log);
        Some(PrintStatistics {
            effective,
            impact: (self.impact / self.looks).max(0.0),
            base: log / gamma,
            // Prints come on both sides; A is a side's.
            lean: libm::sqrt(gamma / (2.0 * kappa * 0.5 * rate) * power),
        })
    }

    /// All of what is measured, once enough is.
    fn flow(&self) -> Option<&PrintStatistics> {
        self.steady.as_ref().filter(|_| self.sigma > 0.0)
    }

    fn fee(&self, seen: &StructureContext<'_>) -> f64 {
        seen.rate(self.instrument, true) * 1e4
    }

    /// Base units of one quote.
    fn quantity(&self, seen: &StructureContext<'_>, mid: f64) -> f64 {
        self.size * seen.traits.aggression * seen.preset.unit * seen.capital / mid
    }

    /// Distances of bid and offer from the mid in bp, holding so many quotes.
    fn distances(&self, seen: &StructureContext<'_>, flow: &PrintStatistics, q: f64) -> [f64; 2] {
        let least = self.fee(seen) + flow.impact + self.hurdle;
        let base = flow.base.max(least);
        // A lean beyond the base means wanting out at the best price; further it never goes.
        let slope = (self.sigma * flow.lean).min(base);
        [base + (q + 0.5) * slope, base - (q - 0.5) * slope]
    }

    /// What an event of the market tells, and the mid after it.
    fn learn(&mut self, mid: f64, event: &MarketEvent) {
        match *event {
            MarketEvent::Trade { at, price, buys, .. } if self.doubted.is_none() => {
                self.pass(at);
                self.since = self.since.or(Some(at));
                let side = if buys { 1.0 } else { -1.0 };
                // A print is never inside out: what was quoted after it moved before we knew.
                let distance = (side * (price - mid) / mid * 1e4).max(0.0);
                self.prints += 1.0;
                self.distance += distance;
                self.watched = self.watched.or(Some((at, mid, side)));
                self.steady = self.measure();
            }
            MarketEvent::Quote { at, .. } | MarketEvent::Level { at, last: true, .. } => {
                if !self.believe(mid) {
                    return;
                }
                if self.gap.is_due(at) {
                    self.gap.tell(at, libm::log(mid));
                    self.sigma = self.gap.risk(1.0).unwrap_or(0.0) * 1e4;
                }
                if let Some((then, was, side)) = self.watched.filter(|w| at.since(w.0).0 >= self.after.0) {
                    self.watched = None;
                    // A silence says nothing about what the print did.
                    if at.since(then).0 <= 3 * self.after.0 {
                        self.pass(at);
                        self.looks += 1.0;
                        self.impact += side * (mid / was - 1.0) * 1e4;
                        self.steady = self.measure();
                    }
                }
            }
            _ => {}
        }
    }
}

impl Family for MarketMakingMemory {
    fn subscriptions(&self) -> Subscriptions {
        let hedges = self.is_hedged() && self.hedges_in != self.instrument;
        let all = [self.instrument, self.hedges_in];
        Subscriptions::Events(all[..=usize::from(hedges)].to_vec())
    }

    fn remembers(&self) -> Vec<InstrumentId> {
        vec![self.instrument]
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        if event.instrument() != Some(self.instrument) {
            return;
        }
        if let Some(mid) = self.top(board).map(|t| t.value.mid()) {
            self.learn(mid, event);
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let Some(top) = self.top(seen.board).map(|t| t.value) else { return };
        values.set(Indicator::Spread, (top.ask - top.bid) / top.mid() * 1e4);
        let held = seen.legs.of(self.instrument);
        let inventory = if held == 0.0 { 0.0 } else { held / self.quantity(seen, top.mid()) };
        values.set(Indicator::Inventory, inventory);
        if let Some(flow) = self.flow() {
            values.set(Indicator::Edge, flow.effective - flow.impact - self.fee(seen));
            values.set(Indicator::Forecast, self.sigma * ROOT_YEAR);
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let (edge, forecast) = (cx.view.of(Indicator::Edge), cx.view.of(Indicator::Forecast));
        self.fresh(seen)?;
        let is_worth_it = edge > self.hurdle && forecast < self.calm;
        if !is_worth_it
            || seen.listed.get(self.instrument).kind == InstrumentKind::Spot && seen.side == SideRule::Short
        {
            return None;
        }
        let side = if seen.side == SideRule::Short { -1.0 } else { 1.0 };
        let sigma = forecast / libm::sqrt(Span::MINUTE.per_year()) * 1e4;
        let stop = 10.0 + 2.0 * sigma * libm::sqrt(BEARS);
        let shape = StructureShape {
            stop,
            near: stop,
            far: 3.0 * stop,
            trails: true,
            hold: self.hold,
            exit: Condition::below(Term::Of(Indicator::Edge), Term::Level(0.0)),
            add: None,
            hedge: Condition::above(Term::Of(Indicator::Forecast), Term::Level(1.5 * self.calm)),
            again: Condition::above(Term::Of(Indicator::Edge), Term::Level(self.hurdle)),
            pause: 5.0,
        };
        let mut plan = shape.plan(side, seen.traits, seen.preset);
        if let Some(again) = &mut plan.reenter {
            again.unless = Condition::above(Term::Of(Indicator::Forecast), Term::Level(self.calm));
        }
        Some(Proposal {
            side,
            legs: vec![StructureLeg { instrument: self.instrument, ratio: 1.0 }],
            // What it may hold at most is what it says.
            size: self.size * self.cap,
            // Its inventory is told by nobody and leans back to nothing.
            delta: 0.0,
            plan,
            limit: None,
        })
    }

    fn quotes(&self, seen: &StructureContext<'_>) -> Option<Vec<Rest>> {
        let (top, flow) = (self.fresh(seen)?, self.flow()?);
        let mid = top.mid();
        let tick = seen.listed.tick(self.instrument, mid);
        let one = self.quantity(seen, mid);
        let held = seen.legs.of(self.instrument);
        let distances = self.distances(seen, flow, held / one);
        let shorts = seen.listed.get(self.instrument).kind.can_short() && seen.side != SideRule::Long;
        let longs = seen.side != SideRule::Short;
        // What is being taken off may still fill; so may a quote of this side that stays.
        let coming: f64 = seen.legs.orders.iter().filter(|o| o.until.is_some()).map(|o| o.quantity).sum();
        let side = |buys: bool, level: u32| {
            let sign = if buys { 1.0 } else { -1.0 };
            let coming = (sign * coming).max(0.0);
            let most = if if buys { longs } else { shorts } { self.cap * one } else { 0.0 };
            // Those nearer to the mid are filled first.
            let room = most - sign * held - coming - f64::from(level) * one;
            let distance = distances[usize::from(!buys)] + f64::from(level) * flow.effective;
            // Less than half a quote is not worth a place in the queue, unless it ends what is held.
            let size = one.min(room);
            let ends = sign * held < 0.0 && size > 0.0;
            if size < 0.5 * one && !ends {
                return None;
            }
            let limit = if buys { top.ask - tick } else { top.bid + tick };
            let wanted = mid * (1.0 - sign * distance / 1e4);
            let wanted = if buys { wanted.min(limit) } else { wanted.max(limit) };
            // It keeps its place in the queue while it is near enough and does not cross.
            let standing = |o: &LegOrder| o.limit.filter(|_| o.until.is_none() && o.quantity * sign > 0.0);
            let reach = if level == 0 { libm::fabs(distance).max(flow.effective) } else { flow.effective };
            let near = KEEPS * reach / 1e4 * mid;
            let off = |s: &f64| libm::fabs(s - wanted);
            let nearest =
                seen.legs.orders.iter().filter_map(standing).min_by(|a, b| off(a).total_cmp(&off(b)));
            let stays = nearest.filter(|s| off(s) < near && sign * (limit - s) >= 0.0);
            // Away from the mid.
            let price = stays.unwrap_or_else(|| seen.listed.on_grid(self.instrument, wanted, buys));
            (price > 0.0).then_some(Rest { price, quantity: sign * size })
        };
        let levels = (0..self.levels).flat_map(|level| [(true, level), (false, level)]);
        let mut quotes: Vec<Rest> = Vec::with_capacity(2 * self.levels as usize);
        for rest in levels.filter_map(|(buys, level)| side(buys, level)) {
            // Two of one price are one.
            let is_same =
                |o: &Rest| o.quantity * rest.quantity > 0.0 && libm::fabs(o.price - rest.price) < tick;
            if !quotes.iter().any(is_same) {
                quotes.push(rest);
            }
        }
        Some(quotes)
    }

    fn hedge(&self, seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        let one = self.quantity(seen, self.fresh(seen)?.mid());
        if !seen.is_fresh(&[self.hedges_in], self.age) {
            return None;
        }
        let held = seen.legs.of(self.instrument);
        let within = held.clamp(-self.hedge * one, self.hedge * one);
        let (now, target) = if self.hedges_in == self.instrument {
            (held, within)
        } else {
            (seen.legs.of(self.hedges_in), within - held)
        };
        (libm::fabs(target - now) >= 0.5 * one).then_some((self.hedges_in, target))
    }

    fn is_hedged(&self) -> bool {
        self.hedge.is_finite()
    }

    fn is_maker(&self) -> bool {
        true
    }

    fn work_quote(&mut self, event: &MarketEvent) -> Option<WorkQuote> {
        // Its numbers do not change, so that a word a day is enough for it to be known to be there.
        let day = event.at().day();
        (self.said.replace(day) != Some(day)).then_some(self.work)
    }

    fn looks_at_prints(&self) -> bool {
        false
    }

    fn pace(&self) -> Span {
        Span(100_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::structures::stage::*;
    use crate::domain::{FamilyId, Reason, Verb};
    use InstrumentKind::{Future, Perp, Spot};
    use proptest::prelude::*;

    /// Aversion, hurdle, size, cap, calm, after, memory, hold, age, rests, fee, levels, hedge.
    const P: [f64; 13] = [0.05, 0.5, 0.02, 3.0, 20.0, 2.0, 10.0, 600.0, 5.0, 1.0, 0.1, 1.0, 0.0];

    fn stage(kind: InstrumentKind) -> OneLife {
        made(&[("BTC", kind, "a", "")], 1.0, 0.0)
    }

    /// One with so many quotes a side, which takes beyond so many.
    fn made(listed: &[(&str, InstrumentKind, &str, &str)], levels: f64, hedge: f64) -> OneLife {
        let mut p = P;
        (p[11], p[12]) = (levels, hedge);
        let mut s = OneLife::new(&universe(listed), FamilyId::MarketMaking, &p, "BTC").unwrap();
        s.age = gap::span(P[8]);
        s
    }

    /// A quote of 5 bp a side, and half a second later a print at its best price; the mid sways by so many
    /// basis points.
    fn tick(s: &mut OneLife, n: i32, sway: f64) -> Vec<(Verb, Reason, f64)> {
        let (said, print) = quoted(s, n, sway);
        assert_eq!(s.at(&[print]), [], "acts on a print");
        said
    }

    fn quoted(s: &mut OneLife, n: i32, sway: f64) -> (Vec<(Verb, Reason, f64)>, MarketEvent) {
        let even = n % 2 == 0;
        let mid = 100.0 * (1.0 + if even { sway } else { -sway } / 1e4);
        let said = s.at(&[quote(0, second(f64::from(n)), mid * 0.9995, mid * 1.0005, 10.0)]);
        let print = mid * if n % 4 < 2 { 1.0005 } else { 0.9995 };
        (said, trade(0, second(f64::from(n) + 0.5), print, 1.0, n % 4 < 2))
    }

    /// Until it begins, which it does at a quote; the print after that does not come.
    fn open(s: &mut OneLife, sway: f64) -> i32 {
        let begins = |n: &i32| {
            let (said, print) = quoted(s, *n, sway);
            if said.is_empty() {
                s.at(&[print]);
            }
            !said.is_empty()
        };
        (0..200).find(begins).expect("it never began")
    }

    /// What rests: bids, offers.
    fn resting(s: &OneLife) -> [Option<f64>; 2] {
        [true, false].map(|buys| {
            let rests = |o: &&crate::agents::structures::legs::LegOrder| {
                o.until.is_none() && (o.quantity > 0.0) == buys
            };
            s.life.legs.orders.iter().find(rests).and_then(|o| o.limit)
        })
    }

    #[test]
    fn it_stands_by_without_a_market_to_quote_in() {
        let why = OneLife::new(&universe(&[("BTC", Future, "a", "")]), FamilyId::MarketMaking, &P, "BTC");
        assert!(why.err().unwrap().starts_with("needs a perp, margin or spot market"));
    }

    #[test]
    fn earns_the_distance_of_its_quotes_less_two_makers_fees() {
        let mut s = stage(Perp);
        let n = open(&mut s, 0.01);
        let said = s.actions()[0].to_string();
        assert!(said.contains("exit: close if the edge after costs turns negative"), "{said}");
        // Prints 5 bp away, a fee of 2, no mark on the mid: 3 are left.
        assert!((s.value(Indicator::Edge) - 3.0).abs() < 0.2, "{}", s.value(Indicator::Edge));
        let [bid, ask] = resting(&s).map(Option::unwrap);
        // 1/γ · ln(1 + γ/κ) with γ = 0.05 and κ = 1/5 is 4.463 bp, and the mid hardly moves.
        let mid = s.board.price(InstrumentId(0)).unwrap().value;
        assert!((mid / bid - 1.0 - 4.463e-4).abs() < 2e-6, "{bid}");
        assert!((ask / mid - 1.0 - 4.463e-4).abs() < 2e-6, "{ask}");
        // A print at its price is the queue's; one through it is its own.
        let at = |x: f64| second(f64::from(n) + x);
        s.at(&[trade(0, at(0.7), bid, 100.0, false)]);
        assert_eq!(s.held(0), 0.0);
        s.at(&[trade(0, at(0.8), bid - 0.001, 1.0, false)]);
        let one = 0.02 * CAPITAL / mid;
        assert!((s.held(0) - one).abs() < 1e-6 * one, "{} {one}", s.held(0));
        let held = s.held(0);
        s.at(&[trade(0, at(0.9), ask + 0.001, 1.0, true)]);
        assert!(s.held(0).abs() < 1e-9);
        let pnl = held * (ask - bid - 0.0002 * (ask + bid));
        assert!((s.market_value() - pnl).abs() < 1e-6, "{} {pnl}", s.market_value());
        assert!((pnl / (held * mid) * 1e4 - (2.0 * 4.463 - 4.0)).abs() < 0.05);
    }

    #[test]
    fn leans_against_what_it_holds_and_never_beyond_its_cap() {
        let mut s = stage(Perp);
        let mut n = open(&mut s, 1.5);
        let one = 0.02 * CAPITAL / 100.0;
        let (mut bids, mut most) = (vec![], 0.0_f64);
        for _ in 0..12 {
            n += 2;
            // Nobody buys.
            for k in [n, n + 1] {
                s.at(&[quote(0, second(f64::from(k)), 99.95, 100.05, 10.0)]);
            }
            let [bid, ask] = resting(&s);
            let q = libm::round(s.held(0) / one) as usize;
            if let (Some(bid), Some(ask)) = (bid, ask) {
                bids.push((q, bid, ask));
            }
            // Somebody sells to everyone.
            if let Some(bid) = bid {
                s.at(&[trade(0, second(f64::from(n) + 1.7), bid - 1e-4, 50.0, false)]);
            }
            most = most.max(s.held(0) / one);
        }
        assert!(most > 2.9 && most < 3.01, "{most}");
        assert_eq!(resting(&s)[0], None, "full: no more bids");
        let of = |q: usize| bids.iter().find(|b| b.0 == q).copied().unwrap();
        assert!(of(2).1 < of(0).1 && of(2).2 < of(0).2, "{bids:?}");
    }

    #[test]
    fn several_quotes_a_side_are_a_mean_distance_of_prints_apart_and_the_nearest_is_filled_first() {
        let mut s = made(&[("BTC", Perp, "a", "")], 3.0, 0.0);
        let n = open(&mut s, 0.01);
        let mid = s.board.price(InstrumentId(0)).unwrap().value;
        let rests = |s: &OneLife, buys: bool| {
            let orders =
                s.life.legs.orders.iter().filter(|o| o.until.is_none() && (o.quantity > 0.0) == buys);
            let mut off: Vec<f64> =
                orders.filter_map(|o| o.limit).map(|l| (l / mid - 1.0).abs() * 1e4).collect();
            off.sort_by(f64::total_cmp);
            off
        };
        // The first as it is alone, 4.463 bp away; prints are 5 bp from the mid.
        for side in [true, false] {
            let off = rests(&s, side);
            assert_eq!(off.len(), 3, "{off:?}");
            for (off, wanted) in off.iter().zip([4.463, 9.463, 14.463]) {
                assert!((off - wanted).abs() < 0.03, "{off} {wanted}");
            }
        }
        // A print through the first two fills those, and leaves the third.
        let at = second(f64::from(n) + 0.8);
        s.at(&[trade(0, at, mid * (1.0 - 12.0 / 1e4), 1e3, false)]);
        let one = 0.02 * CAPITAL / mid;
        assert!((s.held(0) / one - 2.0).abs() < 1e-3, "{}", s.held(0) / one);
        let left = rests(&s, true);
        assert!(left.len() == 1 && (left[0] - 14.463).abs() < 0.03, "{left:?}");
        // With two of three held there is room for one more, which is the nearest.
        quoted(&mut s, n + 1, 0.01);
        quoted(&mut s, n + 2, 0.01);
        assert_eq!((rests(&s, true).len(), rests(&s, false).len()), (1, 3));
    }

    #[test]
    fn what_is_beyond_its_limit_is_taken_back_at_the_next_quote() {
        let one = |mid: f64| 0.02 * CAPITAL / mid;
        // On the market it quotes in, where that is the perp.
        let mut s = made(&[("BTC", Perp, "a", "")], 3.0, 1.0);
        let n = open(&mut s, 0.01);
        let mid = s.board.price(InstrumentId(0)).unwrap().value;
        s.at(&[trade(0, second(f64::from(n) + 0.8), mid * (1.0 - 2e-3), 1e3, false)]);
        assert!((s.held(0) / one(mid) - 3.0).abs() < 1e-3);
        quoted(&mut s, n + 1, 0.01);
        quoted(&mut s, n + 2, 0.01);
        assert!((s.held(0) / one(mid) - 1.0).abs() < 1e-2, "{}", s.held(0) / one(mid));
    }

    #[test]
    fn spot_that_is_beyond_its_limit_is_held_against_a_short_of_the_perp() {
        let mut listed = universe(&[("BTC", Spot, "a", ""), ("BTC", Perp, "a", "")]);
        listed.instruments[0].terms = ContractTerms::Rates { maker_ppm: 0, taker_ppm: 500 };
        let mut p = P;
        p[12] = 1.0;
        let mut s = OneLife::new(&listed, FamilyId::MarketMaking, &p, "BTC").unwrap();
        s.age = gap::span(P[8]);
        assert_eq!(s.rules.ears(), [InstrumentId(0), InstrumentId(1)]);
        let mut both = |n: f64, print: Option<f64>| {
            let mid = 100.0 * (1.0 + if (n as u32).is_multiple_of(2) { 1e-6 } else { -1e-6 });
            let at = |id| quote(id, second(n), mid - 0.05, mid + 0.05, 10.0);
            s.at(&[at(0), at(1)]);
            if let Some(price) = print {
                s.at(&[trade(0, second(n + 0.5), price, 1e3, price > 100.0)]);
            }
            let one = 0.02 * CAPITAL / 100.0;
            (s.held(0) / one, s.held(1) / one)
        };
        let mut n = 0.0;
        // Until it holds a quote.
        while both(n, Some(if n as u32 % 4 < 2 { 100.05 } else { 99.95 })).0 < 0.9 {
            n += 1.0;
            assert!(n < 400.0, "it never began");
        }
        for k in 1..4 {
            both(n + f64::from(k), Some(99.9));
        }
        let (spot, perp) = both(n + 5.0, None);
        let (spot, perp) = (spot.max(both(n + 6.0, None).0), perp.min(both(n + 7.0, None).1));
        assert!(spot > 1.6 && (spot + perp - 1.0).abs() < 0.02, "{spot} {perp}");
    }

    #[test]
    fn spot_is_never_sold_short() {
        let mut s = stage(Spot);
        s.costs = crate::fills::Costs::Flat(0.0).into();
        let n = open(&mut s, 0.01);
        assert!(resting(&s)[0].is_some() && resting(&s)[1].is_none());
        s.at(&[trade(0, second(f64::from(n) + 0.9), 99.0, 1.0, false)]);
        tick(&mut s, n + 1, 0.01);
        assert!(s.held(0) > 0.0 && resting(&s)[1].is_some());
    }

    #[test]
    fn a_spread_inside_the_fee_is_left_to_others() {
        let mut s = stage(Perp);
        for n in 0..300 {
            let t = f64::from(n);
            assert_eq!(s.at(&[quote(0, second(t), 99.98, 100.02, 10.0)]), []);
            // 2 bp away where the fee is 2.
            assert_eq!(s.at(&[trade(0, second(t + 0.5), 100.02, 1.0, true)]), []);
        }
    }

    #[test]
    fn prints_that_know_more_drive_it_out() {
        let mut s = stage(Perp);
        let n = open(&mut s, 0.01);
        // From now on the mid goes where takers went, 6 bp in two seconds.
        let mut mid = 100.0;
        let mut said = vec![];
        for k in 1..400 {
            let t = f64::from(n + 2 * k);
            let up = (k / 5) % 2 == 0;
            said.extend(s.at(&[quote(0, second(t), mid * 0.9995, mid * 1.0005, 10.0)]));
            let print = mid * if up { 1.0005 } else { 0.9995 };
            said.extend(s.at(&[trade(0, second(t + 0.1), print, 1.0, up)]));
            mid *= 1.0 + if up { 6e-4 } else { -6e-4 };
        }
        assert!(said.iter().any(|s| s.0 == Verb::Close), "{said:?}");
        assert!(s.value(Indicator::Edge) < 0.0);
        // Taken off and closed: nothing rests, nothing is held.
        assert!(s.life.legs.orders.is_empty() && s.held(0).abs() < 1e-9);
    }

    fn wild(levels: f64, hedge: f64) -> OneLife {
        let p = [0.05, 0.0, 0.02, 3.0, 1e6, 0.3, 10_000.0, 600.0, 2.0, 1.0, 0.1, levels, hedge];
        let mut s =
            OneLife::new(&universe(&[("BTC", Perp, "a", "")]), FamilyId::MarketMaking, &p, "BTC").unwrap();
        s.age = gap::span(2.0);
        s
    }

    #[test]
    fn random_markets_make_it_quote() {
        let n = opened(|| wild(1.0, 0.0));
        assert!(n > 10, "{n}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_market_makes_it_cross_or_break_its_laws(chaos in chaos(500), side in 0_usize..3, levels in 1_u32..4, hedges: bool) {
            let mut s = wild(f64::from(levels), if hedges { 1.0 } else { 0.0 });
            s.side = [SideRule::Both, SideRule::Long, SideRule::Short][side];
            for one in chaos.chunks(1) {
                s.play(one);
                let Some(top) = s.board.get(InstrumentId(0)).and_then(|q| q.top) else { continue };
                for o in s.life.legs.orders.iter().filter(|o| o.until.is_none()) {
                    let Some(limit) = o.limit else { continue };
                    let same = |p: &&LegOrder| p.until.is_none() && p.limit.is_some() && p.quantity * o.quantity > 0.0;
                    prop_assert!(s.life.legs.orders.iter().filter(same).count() <= levels as usize);
                    prop_assert!(limit.is_finite() && limit > 0.0);
                    if o.decided >= top.at {
                        let (bid, ask) = (top.value.bid, top.value.ask);
                        prop_assert!(if o.quantity > 0.0 { limit < ask } else { limit > bid }, "{o:?} {top:?}");
                    }
                }
            }
        }
    }
}
