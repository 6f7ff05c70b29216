//! Volatility sold where it is expensive and bought where it is cheap, with options, against what the underlying is expected to do.
//!
//! A short (−1) of the structure sells volatility, a long (+1) buys it; three styles, of which each agent trades one, or
//! (3, the default) whichever would earn most on the margin that it binds:
//!
//! | style | legs of a long | hedge |
//! |---|---|---|
//! | 0 straddle | a call and a put at the money | its delta, with the perp, as it goes |
//! | 1 vertical | a call at the money, less one `wing` deviations above | likewise; its short loses no more than the strikes are apart |
//! | 2 covered | the coin, less a call `wing` deviations above | none: it keeps the delta of a coin that will be called away; it sells volatility, long only |
//!
//! The expiry is the nearest inside a window of hours. The edge is what the legs would pay if volatility
//! were as forecast ([`crate::agents::structures::realised`]), against what they cost now at their sizes, less the fees of
//! opening and of exercise and what hedging costs: with gamma Γ and a band b of delta the hedge is traded
//! (ΓFσ)²·T/b times its underlying, in expectation, since it takes a move of b/Γ to leave the band.
//! It must be worth `hurdle` of volatility over the vega of the structure.
//!
//! It hedges with a perp of the options' own venue, else with another, else on margin. Where the options are
//! quoted no more, as after a snapshot, it hedges by their last volatility and holds them to exercise: a
//! loss that no quote shows cannot be stopped.
//!
//! How large: so that its shorts bind `margin` of capital; of the [volatility](super::volatility) family no more than a point
//! of volatility and a day's leap may cost ([`OptionSizing`]).
//!
//! It holds to exercise, and never adds: a short that loses has become another trade, and one that gains
//! has less premium left to earn. It has no trailing stop, since its gain is mostly what time gives.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::realised::ReturnMemory;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, ContractTerms, Indicator, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Term,
};
use crate::fills::charge;
use crate::market::Market;
use crate::market::pricing::option::{self, OptionQuote, Right, black, short_margin};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "sells volatility that is expensive against what is expected, buys it where it is \
                               cheap, its delta hedged",
    needs: "calls and puts of one strike and expiry, quoted in price and implied \
                                volatility, and a perp or a margin market of the asset",
    params: &[
        param(
            "style",
            "0 straddle, 1 vertical, 2 covered, 3 the best of them",
            (3.0, 3.0),
            (0.0, 3.0),
            "which structure",
        ),
        param("nearest", "hours", (12.0, 24.0), (6.0, 4_000.0), "the soonest expiry it takes"),
        param("farthest", "hours", (72.0, 240.0), (12.0, 9_000.0), "the latest expiry it takes"),
        param("hurdle", "volatility per year", (0.01, 0.04), (0.0, 1.0), "edge after costs, over the vega"),
        param("margin", "of capital", (0.2, 0.4), (0.01, 1.0), "margin that the shorts may bind at first"),
        param(
            "band",
            "delta of a unit",
            (0.1, 0.3),
            (0.01, 1.0),
            "delta that is left open before it is hedged",
        ),
        param(
            "wing",
            "deviations to expiry",
            (0.5, 1.0),
            (0.1, 4.0),
            "distance of the strike that is not at the money",
        ),
        param("stop", "of the costliest leg", (0.5, 1.0), (0.05, 10.0), "loss at which it is given up"),
        param("warm", "hours", (24.0, 48.0), (1.0, 2_000.0), "prices heard before volatility is forecast"),
        param("stale", "seconds", (120.0, 300.0), (1.0, 86_400.0), "age at which a quote is none"),
    ],
    ordered: &[("nearest", "farthest")],
};

/// Hours before exercise at which half is taken off: gamma at the money has no bound.
const NEAR_EXERCISE: f64 = 3.0;
/// How far a forward may be from the perp: beyond it one of them is a bad tick.
const FORWARD_OFF: f64 = 0.15;
/// A leap of the underlying that a size is reckoned by, in deviations of a day.
const LEAP: f64 = 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Style {
    Straddle,
    Vertical,
    Covered,
}

impl Style {
    /// By the number of the parameter; none: whichever is best.
    fn numbered(number: f64) -> Option<Self> {
        match libm::round(number) as i32 {
            0 => Some(Style::Straddle),
            1 => Some(Style::Vertical),
            2 => Some(Style::Covered),
            _ => None,
        }
    }
}

/// What bounds the size of a structure, as fractions of capital before the agent's character; whatever is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OptionSizing {
    /// Margin that its shorts may bind; of what is bought, as if it were sold.
    pub margin: f64,
    /// What a point of volatility may be worth, by its vega; none: anything.
    pub vega: Option<f64>,
    /// What a leap of [`LEAP`] deviations of a day may be worth, by its gamma; none: anything.
    pub gamma: Option<f64>,
}

impl OptionSizing {
    /// Notional of the largest leg, as a fraction of capital, where a unit has these.
    fn size(&self, notional: f64, unit: &UnitRisk) -> f64 {
        let within = |most: Option<f64>, of: f64| most.filter(|_| of > 0.0).map_or(f64::INFINITY, |m| m / of);
        let units = (self.margin / unit.margin)
            .min(within(self.vega, libm::fabs(unit.vega_per_point)))
            .min(within(self.gamma, unit.leap));
        units * notional
    }
}

/// What a unit of a structure binds and risks, in the account's currency.
#[derive(Clone, Copy, Debug, Default)]
struct UnitRisk {
    margin: f64,
    vega_per_point: f64,
    /// Half its gamma times the square of a leap.
    leap: f64,
}

/// Numbers of a straddle that another family trades.
#[derive(Clone, Copy, Debug)]
pub(super) struct StraddleNumbers {
    /// The soonest and the latest expiry, in hours.
    pub window: (f64, f64),
    /// Edge after costs over the vega, per year.
    pub hurdle: f64,
    /// How large it is.
    pub sizing: OptionSizing,
    /// Delta of a unit that is left open.
    pub band: f64,
    /// Loss at which it is given up, of the costliest leg.
    pub stop: f64,
    /// Hours of prices heard before volatility is forecast.
    pub warm: f64,
    /// Age in seconds at which a quote is none.
    pub stale: f64,
}

/// A call and a put of one strike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct CallPutPair {
    expiry: Stamp,
    strike: f64,
    call: InstrumentId,
    put: InstrumentId,
}

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionsMemory {
    /// None: whichever is best.
    style: Option<Style>,
    window: (Span, Span),
    hurdle: f64,
    sizing: OptionSizing,
    band: f64,
    wing: f64,
    stop: f64,
    warm: Span,
    stale: Span,
    perp: InstrumentId,
    /// Sorted by expiry and strike.
    pairs: Vec<CallPutPair>,
    realised: ReturnMemory,
}

/// What is known of an expiry now.
#[derive(Clone, Copy, Debug)]
struct Expiry {
    pair: CallPutPair,
    forward: f64,
    implied: f64,
    forecast: f64,
    years: f64,
}

/// A structure weighed: at these units, on this side.
struct WeighedStructure {
    style: Style,
    legs: Vec<StructureLeg>,
    side: f64,
    size: f64,
    /// Notional of the largest leg, in the account's currency.
    notional: f64,
    /// Gain after all costs, in the account's currency for one unit.
    edge: f64,
    /// The same edge in volatility: divided by the vega of a unit.
    volatility: f64,
    /// Market over model, less one.
    rich: f64,
    /// Margin of its shorts at these units.
    bound: f64,
    /// Premium of its options a unit.
    premium: f64,
    /// Coins that it moves with and that nobody hedges, a unit.
    delta: f64,
}

impl OptionsMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let [style, nearest, farthest, hurdle, margin, band, wing, stop, warm, stale] = *p else {
            return Err("options take ten parameters".to_owned());
        };
        let sizing = OptionSizing { margin, vega: None, gamma: None };
        let numbers =
            StraddleNumbers { window: (nearest, farthest), hurdle, sizing, band, stop, warm, stale };
        OptionsMemory::of(Style::numbered(style), wing, numbers, asset, listed)
    }

    /// One that trades straddles alone, by these numbers.
    pub(super) fn straddle(
        numbers: StraddleNumbers,
        asset: AssetId,
        listed: &ListedInstruments,
    ) -> Result<Self, String> {
        OptionsMemory::of(Some(Style::Straddle), 0.0, numbers, asset, listed)
    }

    fn of(
        style: Option<Style>,
        wing: f64,
        numbers: StraddleNumbers,
        asset: AssetId,
        listed: &ListedInstruments,
    ) -> Result<Self, String> {
        let StraddleNumbers { window: (nearest, farthest), hurdle, sizing, band, stop, warm, stale } =
            numbers;
        let hours = |h: f64| Span((h * Span::HOUR.0 as f64) as i64);
        let hedges = listed.hedges(asset);
        let first = hedges.first().copied();
        // A perp of their own venue before any other hedge.
        let near = |venue: &str| {
            let there = |h: &InstrumentId| {
                let i = listed.get(*h);
                i.venue == venue && i.kind == InstrumentKind::Perp
            };
            hedges.iter().copied().find(there)
        };
        let mut venues: Vec<&str> = listed
            .find(asset, |i| i.kind == InstrumentKind::Option)
            .into_iter()
            .map(|id| listed.get(id).venue.as_str())
            .collect();
        venues.dedup();
        let best = venues
            .into_iter()
            .filter_map(|v| Some((pairs(listed, asset, v), near(v), near(v).or(first)?)))
            .filter(|(pairs, ..)| !pairs.is_empty())
            .max_by_key(|(pairs, near, perp)| (near.is_some(), pairs.len(), std::cmp::Reverse(*perp)));
        let (pairs, _, perp) = best.ok_or(
            "needs a call and a put of one strike and expiry, and a perp or a margin market of the asset",
        )?;
        let stale = Span((stale * Span::seconds(1).0 as f64) as i64);
        let window = (hours(nearest), hours(farthest));
        let warm = hours(warm);
        let realised = ReturnMemory::default();
        Ok(OptionsMemory {
            style,
            window,
            hurdle,
            sizing,
            band,
            wing,
            stop,
            warm,
            stale,
            perp,
            pairs,
            realised,
        })
    }

    /// The expiry of the options that are held, else the nearest in the window that is quoted.
    fn expiry(&self, seen: &StructureContext<'_>) -> Option<Expiry> {
        let held = seen.legs.held.iter().filter_map(|&(id, _)| self.pair_of(seen.listed, id));
        if let Some(pair) = held.min_by(|a, b| a.strike.total_cmp(&b.strike)) {
            return self.known(seen, pair);
        }
        let (from, to) = (seen.now.after(self.window.0), seen.now.after(self.window.1));
        let first = self.pairs.partition_point(|p| p.expiry < from);
        let mut best: Option<(f64, Expiry)> = None;
        for pair in self.pairs[first..].iter().take_while(|p| p.expiry <= to) {
            if best.is_some_and(|(_, b)| b.pair.expiry != pair.expiry) {
                break;
            }
            let Some(known) = self.known(seen, *pair) else { continue };
            let off = libm::fabs(libm::log(pair.strike / known.forward));
            if best.is_none_or(|(b, _)| off < b) {
                best = Some((off, known));
            }
        }
        best.map(|(_, known)| known)
    }

    fn pair_of(&self, listed: &ListedInstruments, id: InstrumentId) -> Option<CallPutPair> {
        let ContractTerms::Option { expiry, strike, .. } = listed.get(id).terms else { return None };
        let found = self.pairs.binary_search_by(|p| p.expiry.cmp(&expiry).then(p.strike.total_cmp(&strike)));
        found.ok().map(|i| self.pairs[i])
    }

    /// What a pair that is quoted on both sides tells, and what is forecast until it ends.
    fn known(&self, seen: &StructureContext<'_>, pair: CallPutPair) -> Option<Expiry> {
        if !seen.is_fresh(&[self.perp, pair.call, pair.put], self.stale) {
            return None;
        }
        let quoted = |id: InstrumentId| {
            let implied = seen.board.get(id)?.implied?;
            (seen.now.since(implied.at).0 <= self.stale.0).then_some(implied.value)
        };
        let ((call, forward), (put, _)) = (quoted(pair.call)?, quoted(pair.put)?);
        let years = pair.expiry.since(seen.now).in_units_of(Span::YEAR);
        let perp = seen.value(self.perp)?;
        if years <= 0.0 || libm::fabs(forward / perp - 1.0) > FORWARD_OFF {
            return None;
        }
        let forecast = self.realised.forecast(years, self.warm)?;
        Some(Expiry { pair, forward, implied: f64::midpoint(call, put), forecast, years })
    }

    /// Whether a structure sells volatility.
    fn sells(w: &WeighedStructure) -> bool {
        w.style == Style::Covered || w.side < 0.0
    }

    /// Whether it may be opened, if its edge is worth the hurdle.
    fn may_open(seen: &StructureContext<'_>, e: &Expiry, w: &WeighedStructure) -> bool {
        let is_expensive = e.implied > e.forecast;
        let units = seen.units(w.size, w.notional);
        let is_order = |l: &StructureLeg| {
            seen.value(l.instrument).is_some_and(|v| seen.is_order(l.instrument, l.ratio * units, v, true))
        };
        let allowed = w.bound <= seen.capital && seen.side.allows(w.side);
        Self::sells(w) == is_expensive && allowed && w.legs.iter().all(is_order)
    }

    /// The legs of a long, options last.
    fn legs(&self, style: Style, e: &Expiry) -> Option<Vec<StructureLeg>> {
        let leg = |instrument, ratio| StructureLeg { instrument, ratio };
        let wing = || {
            let beyond = e.forward * libm::exp(self.wing * e.implied * libm::sqrt(e.years));
            let same = |p: &&CallPutPair| {
                p.expiry == e.pair.expiry && p.strike >= beyond && p.strike > e.pair.strike
            };
            self.pairs.iter().find(same).map(|p| p.call)
        };
        Some(match style {
            Style::Straddle => vec![leg(e.pair.call, 1.0), leg(e.pair.put, 1.0)],
            Style::Vertical => vec![leg(e.pair.call, 1.0), leg(wing()?, -1.0)],
            Style::Covered => vec![leg(self.perp, 1.0), leg(wing()?, -1.0)],
        })
    }

    /// What opening now would be worth: of its style, or of the one that may be opened and earns most on its margin.
    fn weigh(&self, seen: &StructureContext<'_>, e: &Expiry) -> Option<WeighedStructure> {
        if let Some(style) = self.style {
            return self.weigh_style(seen, e, style);
        }
        let all = [Style::Straddle, Style::Vertical, Style::Covered];
        let weighed = all.into_iter().filter_map(|style| self.weigh_style(seen, e, style));
        let rated = weighed.map(|w| {
            let opens = w.volatility > self.hurdle && Self::may_open(seen, e, &w);
            let earns = w.edge * seen.units(w.size, w.notional) / w.bound;
            ((opens, earns), w)
        });
        let better = |a: &(bool, f64), b: &(bool, f64)| (a.0 && !b.0) || (a.0 == b.0 && a.1 > b.1);
        let best = rated.reduce(|best, next| if better(&next.0, &best.0) { next } else { best });
        best.map(|(_, w)| w)
    }

    /// What a unit of these legs binds, and what it risks if volatility is as forecast; and its largest leg's notional.
    fn unit_risk(
        seen: &StructureContext<'_>,
        e: &Expiry,
        (style, side): (Style, f64),
        legs: &[StructureLeg],
    ) -> Option<(UnitRisk, f64)> {
        let (mut risk, mut notional, mut gamma) = (UnitRisk::default(), 0.0_f64, 0.0);
        for leg in legs {
            let price = seen.value(leg.instrument)?;
            notional = notional.max(price);
            let option = model(seen, leg.instrument, e.forward, e.forecast);
            risk.margin += match option {
                // What is bought binds its premium, and is sized as if it were sold.
                Some((_, right, strike)) if style == Style::Straddle || leg.ratio * side < 0.0 => {
                    short_margin(right, strike, e.forward, price).ok()?.initial
                }
                _ => price,
            };
            if let Some((q, _, _)) = option {
                risk.vega_per_point += leg.ratio * q.vega_per_point;
                gamma += leg.ratio * q.gamma;
            }
        }
        let day = e.forecast.max(e.implied) * libm::sqrt(Span::DAY.in_units_of(Span::YEAR));
        let leap = LEAP * day * e.forward;
        risk.leap = 0.5 * libm::fabs(gamma) * leap * leap;
        Some((risk, notional))
    }

    /// What opening this style now would be worth, on the side that volatility is on.
    fn weigh_style(&self, seen: &StructureContext<'_>, e: &Expiry, style: Style) -> Option<WeighedStructure> {
        let legs = self.legs(style, e)?;
        let buys = if e.forecast > e.implied { 1.0 } else { -1.0 };
        // A covered call is long the coin and sells volatility.
        let side = if style == Style::Covered { 1.0 } else { buys };
        let ids: Vec<InstrumentId> = legs.iter().map(|l| l.instrument).collect();
        if !seen.is_fresh(&ids, self.stale) {
            return None;
        }
        let (risk, notional) = Self::unit_risk(seen, e, (style, side), &legs)?;
        let size = self.sizing.size(notional, &risk);
        let units = seen.units(size, notional);
        let (mut edge, mut fair, mut market) = (0.0, 0.0, 0.0);
        let (mut vega, mut gamma, mut premium, mut delta) = (0.0, 0.0, 0.0, 0.0);
        for leg in &legs {
            let (id, price) = (leg.instrument, seen.value(leg.instrument)?);
            let Some((q, _, _)) = model(seen, id, e.forward, e.forecast) else {
                edge -= 2.0 * seen.cost(id) * price;
                delta += leg.ratio;
                continue;
            };
            let quantity = seen.listed.lots(id, libm::fabs(leg.ratio) * units);
            let paid = seen.taking(id, libm::copysign(quantity, side * leg.ratio))?;
            let kind = seen.listed.get(id).kind;
            edge += side * leg.ratio * (q.value - paid) - seen.fee(id);
            edge -= charge::settlement(seen.costs(id), kind, 1.0, q.value, e.forward);
            fair += leg.ratio * q.value;
            market += leg.ratio * price;
            vega += leg.ratio * q.vega_per_point * 100.0;
            gamma += leg.ratio * q.gamma;
            delta += leg.ratio * q.delta;
            premium += price;
        }
        if style != Style::Covered {
            let moved = gamma * e.forward * e.forecast;
            edge -= moved * moved * e.years / self.band * e.forward * seen.cost(self.perp);
            // It is hedged as it goes.
            delta = 0.0;
        }
        let volatility = edge / libm::fabs(vega);
        let bound = risk.margin * units;
        let rich = market / fair - 1.0;
        Some(WeighedStructure {
            style,
            legs,
            side,
            size,
            notional,
            edge,
            volatility,
            rich,
            bound,
            premium,
            delta,
        })
    }

    /// Whether what is held is a covered call: one option, sold, whose coin is no hedge of its delta.
    fn is_covered(&self, seen: &StructureContext<'_>) -> bool {
        let mut options = seen.legs.held.iter().filter(|&&(id, _)| self.pair_of(seen.listed, id).is_some());
        let one = options.next().is_some_and(|&(_, quantity)| quantity < 0.0) && options.next().is_none();
        self.style == Some(Style::Covered) || (self.style.is_none() && one)
    }
}

/// An option's value at a volatility, and its terms.
fn model(
    seen: &StructureContext<'_>,
    id: InstrumentId,
    forward: f64,
    vol: f64,
) -> Option<(OptionQuote, Right, f64)> {
    let ContractTerms::Option { expiry, strike, call, .. } = seen.listed.get(id).terms else { return None };
    let right = if call { Right::Call } else { Right::Put };
    let years = expiry.since(seen.now).in_units_of(Span::YEAR);
    let quote = black(forward, 1.0, option::OptionTerms { right, strike, years }, vol).ok()?;
    Some((quote, right, strike))
}

/// Calls and puts of one strike and expiry on a venue.
fn pairs(listed: &ListedInstruments, asset: AssetId, venue: &str) -> Vec<CallPutPair> {
    let options = listed.find(asset, |i| i.kind == InstrumentKind::Option && i.venue == venue);
    let terms = |id: InstrumentId| match listed.get(id).terms {
        ContractTerms::Option { expiry, strike, call, .. } => Some((expiry, strike, call, id)),
        _ => None,
    };
    let mut all: Vec<(Stamp, f64, bool, InstrumentId)> = options.into_iter().filter_map(terms).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
    let both = |w: &[(Stamp, f64, bool, InstrumentId)]| {
        let ((expiry, strike, false, put), (e, s, true, call)) = (w[0], w[1]) else { return None };
        (e == expiry && s == strike).then_some(CallPutPair { expiry, strike, call, put })
    };
    all.windows(2).filter_map(both).collect()
}

impl Family for OptionsMemory {
    fn subscriptions(&self) -> Subscriptions {
        let options = self.pairs.iter().flat_map(|p| [p.call, p.put]);
        Subscriptions::Events(std::iter::once(self.perp).chain(options).collect())
    }

    fn remembers(&self) -> Vec<InstrumentId> {
        vec![self.perp]
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        // The volatility index of its asset is no instrument's.
        if event.instrument() != Some(self.perp) {
            return;
        }
        if let Some(price) = board.price(self.perp) {
            self.realised.hear(price.at, price.value);
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        let Some(e) = self.expiry(seen) else { return };
        values.set(Indicator::Implied, e.implied);
        values.set(Indicator::Forecast, e.forecast);
        values.set(Indicator::Hours, e.years * Span::YEAR.in_units_of(Span::HOUR));
        if let Some(w) = self.weigh(seen, &e) {
            values.set(Indicator::Edge, w.edge / w.notional * 1e4);
            values.set(Indicator::Rich, w.rich);
            if Self::may_open(seen, &e, &w) {
                let way = if Self::sells(&w) { -1.0 } else { 1.0 };
                values.set(Indicator::Mispriced, way * w.volatility.max(0.0));
            }
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let e = self.expiry(seen)?;
        let w = self.weigh(seen, &e)?;
        let (covered, sells) = (w.style == Style::Covered, Self::sells(&w));
        if !(w.volatility > self.hurdle && Self::may_open(seen, &e, &w)) {
            return None;
        }
        let (implied, forecast) = (Term::Of(Indicator::Implied), Indicator::Forecast);
        let against = |way: f64, factor: f64| Condition::beyond(way, implied, Term::Times(factor, forecast));
        let mispriced =
            |way: f64| Condition::beyond(way, Term::Of(Indicator::Mispriced), Term::Level(way * self.hurdle));
        // The coin of a covered call moves as it does; the premium is all that is to be had.
        let (stop, near, far) = if covered {
            let premium = w.premium / w.notional * 1e4;
            (self.stop * e.implied * libm::sqrt(e.years) * 1e4, 0.5 * premium, 0.9 * premium)
        } else {
            (self.stop * 1e4, self.stop * 0.5e4, self.stop * 1e4)
        };
        let shape = StructureShape {
            stop,
            near,
            far,
            trails: false,
            hold: e.years * Span::YEAR.in_units_of(Span::MINUTE),
            // What was expensive is so no more.
            exit: if sells { against(-1.0, 0.98) } else { against(1.0, 1.02) },
            add: None,
            hedge: Condition::below(Term::Of(Indicator::Hours), Term::Level(NEAR_EXERCISE)),
            again: if sells { mispriced(-1.0) } else { mispriced(1.0) },
            pause: 60.0,
        };
        let plan = shape.plan(w.side, seen.traits, seen.preset);
        Some(Proposal { side: w.side, legs: w.legs, size: w.size, delta: w.delta, plan, limit: None })
    }

    fn hedge(&self, seen: &StructureContext<'_>) -> Option<(InstrumentId, f64)> {
        if self.is_covered(seen) || !seen.is_fresh(&[self.perp], self.stale) {
            return None;
        }
        let (mut delta, mut units) = (0.0, 0.0_f64);
        for &(id, quantity) in &seen.legs.held {
            if self.pair_of(seen.listed, id).is_none() {
                continue;
            }
            let quoted = seen.board.get(id)?.implied?;
            let (sigma, forward) = quoted.value;
            // A forward that is old has gone where the perp went.
            let old = seen.now.since(quoted.at).0 > self.stale.0;
            let forward = if old { seen.value(self.perp)? } else { forward };
            let (q, _, _) = model(seen, id, forward, sigma)?;
            delta += quantity * q.delta;
            units = units.max(libm::fabs(quantity));
        }
        let left = seen.legs.of(self.perp) + delta;
        (libm::fabs(left) > self.band * units).then_some((self.perp, -delta))
    }

    fn is_hedged(&self) -> bool {
        self.style != Some(Style::Covered)
    }

    fn is_known(&self, seen: &StructureContext<'_>) -> bool {
        let options =
            seen.legs.held.iter().map(|h| h.0).filter(|id| self.pair_of(seen.listed, *id).is_some());
        seen.is_fresh(&options.collect::<Vec<_>>(), self.stale)
    }

    fn pace(&self) -> Span {
        Span::MINUTE
    }
}

#[cfg(test)]
mod tests;
