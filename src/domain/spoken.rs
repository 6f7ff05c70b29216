//! Messages and conditions in words, as a trader would say them. Cockpit, export and tests show this text.
//!
//! Numbers are rounded to three digits, prices to six: the value that is evaluated is the condition itself
//! (law 12). Below 1 % basis points are basis points, above they are percent; minutes become hours and days.
//!
//! # Invariants
//!
//! 1. A part of a plan is one whole sentence: what will be done, and when.
//! 2. A quantity is named with its unit, a move with its direction: nothing reads "x < 0.004".

use super::condition::{Target, price};
use super::{
    Action, Comparison, Condition, HedgeKind, Indicator, InstrumentId, MakerLeg, Outcome, PendingEntry, Plan,
    ReEntry, Reason, Span, StructureLeg, Term, Verb,
};
use std::fmt;

/// Three significant digits, no exponent, no trailing zeros.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{}", x.abs());
    }
    let digits = 2 - libm::floor(libm::log10(libm::fabs(x))) as i32;
    let text = format!("{x:.*}", digits.clamp(0, 12) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A fraction in percent.
fn percent(x: f64) -> String {
    format!("{} %", short(100.0 * x))
}

/// Basis points; from 100 on in percent.
fn points(bp: f64) -> String {
    if libm::fabs(bp) < 100.0 { format!("{} bp", short(bp)) } else { percent(bp / 1e4) }
}

fn many(n: f64, unit: &str) -> String {
    let n = short(n);
    if n == "1" { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

/// Minutes as people count them.
fn time(minutes: f64) -> String {
    match minutes {
        m if m < 120.0 => many(m, "minute"),
        m if m < 2_880.0 => many(m / 60.0, "hour"),
        m => many(m / 1_440.0, "day"),
    }
}

/// A factor of something.
fn factor(x: f64) -> String {
    if (0.5..1.5).contains(&x) { format!("{} of", percent(x)) } else { format!("{} times", short(x)) }
}

/// What an indicator is called, without its unit.
fn name(i: Indicator) -> String {
    use Indicator::*;
    match i {
        Ema(n) => format!("the {n}-bar average (EMA)"),
        Mean(n) => format!("the {n}-bar mean"),
        ZScore(n) => format!("the distance from the {n}-bar mean"),
        Return(n) | Score(n) => format!("the {n}-bar return"),
        Highest(n) => format!("the {n}-bar high"),
        Lowest(n) => format!("the {n}-bar low"),
        Sigma(n) => format!("the {n}-bar volatility"),
        Efficiency(n) => format!("the {n}-bar trend strength"),
        PivotHigh(n) => format!("resistance (pivot {n})"),
        PivotLow(n) => format!("support (pivot {n})"),
        Activity(_) => "volume".to_owned(),
        Node(n) => format!("the share of {n}-bar volume at this price"),
        Rank(n) => format!("its {n}-bar rank in the basket"),
        Gain => "the gain".to_owned(),
        Spread => "the spread".to_owned(),
        Imbalance => "the order-flow imbalance".to_owned(),
        Edge => "the edge after costs".to_owned(),
        Basis => "the basis".to_owned(),
        Carry => "the funding expected".to_owned(),
        Implied => "implied volatility".to_owned(),
        Forecast => "forecast volatility".to_owned(),
        Rich => "the premium over fair value".to_owned(),
        Inventory => "the inventory".to_owned(),
        Hours => "the time to expiry".to_owned(),
        Away => "the price's way to the edge of its range".to_owned(),
        Way => "what a long would earn after costs".to_owned(),
        Mispriced => "the cheapness of volatility after costs".to_owned(),
        Residual(n) => format!("the {n}-bar return beyond the market's"),
        Lead => "the lead of the strong over the weak".to_owned(),
    }
}

/// A value of an indicator, with its unit.
fn measure(i: Indicator, x: f64) -> String {
    use Indicator::*;
    match i {
        _ if i.is_price() => price(x),
        ZScore(_) | Score(_) | Residual(_) | Lead => format!("{} σ", short(x)),
        Return(_) | Sigma(_) | Node(_) | Rank(_) | Carry | Rich | Away => percent(x),
        Activity(n) => format!("{} its {n}-bar mean", factor(x)),
        Gain | Spread | Edge | Way => points(x),
        Basis | Implied | Forecast | Mispriced => format!("{} per year", percent(x)),
        Inventory => many(x, "quote"),
        Hours => time(60.0 * x),
        _ => short(x),
    }
}

/// Whether zero is where an indicator changes its sense.
fn is_signed(i: Indicator) -> bool {
    use Indicator::*;
    matches!(i, Return(_) | Score(_) | Imbalance | Edge | Basis | Carry | Rich | Gain | Lead | Residual(_))
}

/// A term on its own.
fn term(t: Term) -> String {
    match t {
        Term::Close => "the price".to_owned(),
        Term::Level(x) => price(x),
        Term::Trail(back) => format!("the best close less {}", percent(back)),
        Term::Held => "bars held".to_owned(),
        Term::Of(i) => name(i),
        Term::Times(x, i) => format!("{} {}", factor(x), name(i)),
        Term::Minutes => "minutes held".to_owned(),
        Term::Back(bp) => format!("the best gain less {}", points(bp)),
        Term::Entry(0.0) => "the entry".to_owned(),
        Term::Entry(x) => {
            format!("the entry {} {}", if x > 0.0 { "plus" } else { "less" }, percent(libm::fabs(x)))
        }
    }
}

/// A condition as what follows "if"; `flat` where bars are counted from the last close.
fn clause(c: &Condition, flat: bool) -> String {
    let above = c.op == Comparison::Above;
    let (over, moves, than) =
        if above { ("above", "rises above", "more") } else { ("under", "falls under", "less") };
    match (c.left, c.right) {
        (Term::Close, Term::Level(x)) => format!("the price closes {over} {}", price(x)),
        (Term::Close, Term::Trail(back)) => {
            format!("the price closes {} {over} its best close", percent(back))
        }
        (Term::Close, Term::Of(i)) => format!("the price closes {over} {}", name(i)),
        (Term::Close, Term::Entry(x)) if x != 0.0 && above == (x > 0.0) => {
            format!("the price closes more than {} {over} its entry", percent(libm::fabs(x)))
        }
        (Term::Close, Term::Entry(x)) => format!("the price closes {over} {}", term(Term::Entry(x))),
        // Further out than the level: so much beyond it.
        (Term::Close, Term::Times(x, i)) if above == (x > 1.0) => {
            format!("the price closes more than {} {over} {}", percent(libm::fabs(x - 1.0)), name(i))
        }
        (Term::Held, Term::Level(x)) => {
            let since = if flat { "it has been flat" } else { "it has been held" };
            format!("{since} for {than} than {}", many(x, "bar"))
        }
        (Term::Minutes, Term::Level(x)) => {
            let since = if flat { "it has been flat" } else { "it has been held" };
            format!("{since} for {than} than {}", time(x))
        }
        (Term::Of(Indicator::Gain), Term::Level(x)) if !above && x < 0.0 => {
            format!("it loses more than {}", points(-x))
        }
        (Term::Of(Indicator::Gain), Term::Level(x)) if above && x > 0.0 => {
            format!("it gains more than {}", points(x))
        }
        (Term::Of(Indicator::Gain), Term::Back(bp)) if !above => {
            format!("its gain falls more than {} bp under its best", short(bp))
        }
        (Term::Of(Indicator::ZScore(n)), Term::Level(0.0)) => {
            format!("the price closes {over} its {n}-bar mean")
        }
        (Term::Of(Indicator::ZScore(n)), Term::Level(x)) if above == (x > 0.0) => {
            format!("the price closes more than {} σ {over} its {n}-bar mean", short(libm::fabs(x)))
        }
        (Term::Of(Indicator::Hours), Term::Level(x)) => {
            format!("{than} than {} are left to expiry", time(60.0 * x))
        }
        (Term::Of(Indicator::Away), Term::Level(x)) if above && x == 1.0 => {
            "the price leaves its range".to_owned()
        }
        (Term::Of(Indicator::Away), Term::Level(x)) if above => {
            format!("the price goes beyond {} of the way to the edge of its range", percent(x))
        }
        (Term::Of(Indicator::Way), Term::Level(x)) if above == (x > 0.0) => {
            let side = if above { "long" } else { "short" };
            format!("going {side} would earn more than {} after costs", points(libm::fabs(x)))
        }
        (Term::Of(Indicator::Mispriced), Term::Level(x)) if above == (x > 0.0) => {
            let what = if above { "cheap" } else { "expensive" };
            format!("volatility is {what} by more than {} per year after costs", percent(libm::fabs(x)))
        }
        (Term::Of(Indicator::Spread), Term::Level(x)) if above => {
            format!("the spread widens to more than {}", points(x))
        }
        (Term::Of(i), Term::Level(x)) if x == 0.0 && is_signed(i) => {
            format!("{} turns {}", name(i), if above { "positive" } else { "negative" })
        }
        (Term::Of(i), Term::Level(x)) => format!("{} {moves} {}", name(i), measure(i, x)),
        (left, right) => format!("{} {moves} {}", term(left), term(right)),
    }
}

/// A part of a position.
fn part(fraction: f64) -> String {
    match fraction {
        1.0 => "all of it".to_owned(),
        0.5 => "half of it".to_owned(),
        x => format!("{} of it", percent(x)),
    }
}

/// What is done about a danger.
fn hedge(how: HedgeKind, names: &dyn Fn(InstrumentId) -> String) -> String {
    match how {
        HedgeKind::Reduce(x) => format!("take {} off", part(x)),
        HedgeKind::Opposite { instrument, ratio } => {
            let units = many(ratio, "base unit");
            format!("hold {units} of {} against each base unit of its first leg", names(instrument))
        }
    }
}

/// An instrument where nobody knows its name.
fn number(id: InstrumentId) -> String {
    format!("instrument {}", id.0)
}

/// What closes an intent.
fn close(when: &Condition) -> String {
    format!("close if {when}")
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fraction < 1.0 {
            write!(f, "take {} off if {}", part(self.fraction), self.when)
        } else {
            f.write_str(&close(&self.when))
        }
    }
}

impl Plan {
    /// What will be done and when, each with the name of its condition, in the order in which they are
    /// judged; the re-entry last. `names` says what an instrument is called.
    pub fn sentences(
        &self,
        names: &dyn Fn(InstrumentId) -> String,
    ) -> impl Iterator<Item = (&'static str, String)> {
        let closing = [
            Some(("stop", close(&self.stop))),
            self.trail.as_ref().map(|c| ("trail", close(c))),
            Some(("exit", close(&self.exit))),
            Some(("expire", close(&self.expire))),
        ];
        let sizing = [
            self.hedge.map(|h| ("hedge", format!("{}, once, if {}", hedge(h.how, names), h.when))),
            self.add.map(|(c, x)| ("add", format!("add {} of its first size if {c}", percent(x)))),
            self.reenter.as_ref().map(|r| ("re-enter", r.to_string())),
        ];
        let targets = self.targets.iter().map(|t| ("target", t.to_string()));
        closing.into_iter().flatten().chain(targets).chain(sizing.into_iter().flatten())
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(*self))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clause(self, false))
    }
}

impl fmt::Display for ReEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.side > 0.0 { "long" } else { "short" };
        let (when, unless) = (clause(&self.when, true), clause(&self.unless, true));
        write!(f, "go {side} again ")?;
        if let Some(terms) = &self.terms {
            write!(f, "with {} of its first size ", percent(terms.size))?;
        }
        write!(f, "if {when}, unless {unless}, ")?;
        let (from, to) = (f64::from(self.not_before), f64::from(self.within));
        let count = |x: f64| if self.minutes { time(x) } else { many(x, "bar") };
        match (from, to) {
            (0.0, to) => write!(f, "within {} of the close", count(to))?,
            (from, to) => write!(f, "from {} to {} after the close", count(from), count(to))?,
        }
        let Some(terms) = &self.terms else { return Ok(()) };
        write!(f, ", and then {}", close(&terms.stop))?;
        terms.targets.iter().try_for_each(|target| write!(f, ", {target}"))
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Open => "opens",
            Verb::Increase => "increases",
            Verb::Decrease => "decreases",
            Verb::Close => "closes",
            Verb::Amend => "amends",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Signal => "signal",
            Reason::ReEntry => "re-entry",
            Reason::Add => "add",
            Reason::Target => "target",
            Reason::Hedge => "hedge",
            Reason::Stop => "stop",
            Reason::Trail => "trailing stop",
            Reason::Exit => "exit",
            Reason::Expired => "time stop",
            Reason::Delisted => "delisted",
            Reason::Missed => "a leg was missed",
            Reason::Settled => "settled",
            Reason::Liquidated => "liquidated",
            Reason::Heard => "what it heard",
        })
    }
}

/// What is held, leg by leg: `long BTC-SPOT, short BTC-PERP`, a leg of another size than the first with its factor.
fn legs(legs: &[StructureLeg], side: f64, names: &dyn Fn(InstrumentId) -> String) -> String {
    let first = legs.first().map_or(1.0, |leg| libm::fabs(leg.ratio));
    let one = |leg: &StructureLeg| {
        let way = if side * leg.ratio < 0.0 { "short" } else { "long" };
        let times = libm::fabs(leg.ratio) / first;
        let size =
            if libm::fabs(times - 1.0) < 5e-4 { String::new() } else { format!("{} × ", short(times)) };
        format!("{way} {size}{}", names(leg.instrument))
    };
    legs.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Action {
    /// What is done, to how much, without price, reason and conditions: `opens long 45 % of capital`.
    pub fn headline(&self) -> String {
        let side = if self.side() > 0.0 { "long" } else { "short" };
        let (before, after) = (libm::fabs(self.before), libm::fabs(self.after));
        match self.verb {
            Verb::Open => format!("opens {side} {} of capital", percent(after)),
            Verb::Close => format!("closes {side} {} of capital", percent(before)),
            // Held against what stays as it is.
            Verb::Decrease if self.reason == Reason::Hedge && before == after => {
                format!("hedges {side} {} of capital with an opposite leg", percent(after))
            }
            Verb::Amend => format!("amends its conditions of {side} {} of capital", percent(after)),
            verb => format!("{verb} {side} from {} to {} of capital", percent(before), percent(after)),
        }
    }
}

impl Action {
    /// The action with every part of its plan that counts; `names` says what an instrument is called.
    pub fn in_full(&self, names: &dyn Fn(InstrumentId) -> String) -> String {
        let headline = format!("{} at {} ({})", self.headline(), price(self.price), self.reason);
        let parts = self.sentences(names).map(|(name, sentence)| format!("{name}: {sentence}"));
        std::iter::once(headline).chain(parts).collect::<Vec<_>>().join("; ")
    }

    /// The parts of its plan that count from now on: after a close only the re-entry.
    pub fn sentences(
        &self,
        names: &dyn Fn(InstrumentId) -> String,
    ) -> impl Iterator<Item = (&'static str, String)> {
        let held = (!self.plan.legs.is_empty()).then(|| ("holds", legs(&self.plan.legs, self.side(), names)));
        let works = |maker: MakerLeg| {
            let within = time(maker.within.in_units_of(Span::MINUTE));
            let (name, rest) =
                (names(maker.instrument), "then what is missing is taken; the others follow its fills");
            ("works", format!("{name} rests for up to {within}, {rest}"))
        };
        let parts = held.into_iter().chain(self.plan.maker.map(works)).chain(self.plan.sentences(names));
        parts.filter(|part| self.verb != Verb::Close || part.0 == "re-enter")
    }
}

impl PendingEntry {
    /// What is wanted at which price: `rests at 98.2 to open long 45 % of capital`.
    pub fn headline(&self) -> String {
        let side = if self.after > 0.0 { "long" } else { "short" };
        format!(
            "rests at {} to open {side} {} of capital",
            price(self.limit),
            percent(libm::fabs(self.after))
        )
    }

    /// The order with every part of the plan that it opens with; `names` says what an instrument is called.
    pub fn in_full(&self, names: &dyn Fn(InstrumentId) -> String) -> String {
        let until = many(f64::from(self.within), "bar");
        let headline = format!("{} for {until}, unless {} before", self.headline(), self.plan.exit);
        let parts = self.plan.sentences(names).map(|(name, sentence)| format!("{name}: {sentence}"));
        std::iter::once(headline).chain(parts).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_full(&number))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = f64::from(self.held);
        let held = if self.minutes { time(held) } else { many(held, "bar") };
        write!(
            f,
            "ends {:+.2} R, {:+.2} % of capital, in {held} ({}), points {:+.1}",
            self.r,
            100.0 * self.pnl,
            self.reason,
            100.0 * self.points
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hedge, IntentId, OfferTerms};
    use super::*;
    use Indicator::*;

    fn below(i: Indicator, x: f64) -> String {
        Condition::below(Term::Of(i), Term::Level(x)).to_string()
    }

    fn above(i: Indicator, x: f64) -> String {
        Condition::above(Term::Of(i), Term::Level(x)).to_string()
    }

    #[test]
    fn conditions_read_as_a_trader_would_say_them() {
        assert_eq!(below(Basis, 0.004), "the basis falls under 0.4 % per year");
        assert_eq!(below(Basis, 0.0), "the basis turns negative");
        assert_eq!(above(Carry, 0.001_25), "the funding expected rises above 0.125 %");
        assert_eq!(below(Gain, -52.25), "it loses more than 52.2 bp");
        assert_eq!(above(Gain, 7_500.0), "it gains more than 75 %");
        assert_eq!(below(Hours, 3.0), "less than 3 hours are left to expiry");
        assert_eq!(above(Away, 1.0), "the price leaves its range");
        assert_eq!(above(Away, 0.8), "the price goes beyond 80 % of the way to the edge of its range");
        assert_eq!(above(Spread, 4.25), "the spread widens to more than 4.25 bp");
        assert_eq!(below(ZScore(40), -2.0), "the price closes more than 2 σ under its 40-bar mean");
        assert_eq!(above(ZScore(40), 0.0), "the price closes above its 40-bar mean");
        assert_eq!(below(ZScore(40), 1.5), "the distance from the 40-bar mean falls under 1.5 σ");
        assert_eq!(below(Score(90), -1.25), "the 90-bar return falls under -1.25 σ");
        assert_eq!(above(Activity(120), 1.7), "volume rises above 1.7 times its 120-bar mean");
        assert_eq!(below(Rank(60), 0.5), "its 60-bar rank in the basket falls under 50 %");
        assert_eq!(below(Way, -2.5), "going short would earn more than 2.5 bp after costs");
        let cheap = "volatility is cheap by more than 3 % per year after costs";
        assert_eq!(above(Mispriced, 0.03), cheap);
        assert_eq!(above(Imbalance, 0.0), "the order-flow imbalance turns positive");
        let c = Condition::above(Term::Of(Implied), Term::Times(1.05, Forecast));
        assert_eq!(c.to_string(), "implied volatility rises above 105 % of forecast volatility");
        let c = Condition::above(Term::Of(Sigma(8)), Term::Times(2.0, Sigma(120)));
        assert_eq!(c.to_string(), "the 8-bar volatility rises above 2 times the 120-bar volatility");
    }

    #[test]
    fn prices_and_times_read_so_too() {
        let price_is = |op: fn(Term, Term) -> Condition, right| op(Term::Close, right).to_string();
        assert_eq!(price_is(Condition::below, Term::Level(41_250.0)), "the price closes under 41250");
        assert_eq!(
            price_is(Condition::below, Term::Trail(0.06)),
            "the price closes 6 % under its best close"
        );
        assert_eq!(
            price_is(Condition::above, Term::Trail(0.06)),
            "the price closes 6 % above its best close"
        );
        let behind = Term::Times(0.982, PivotLow(8));
        let text = "the price closes more than 1.8 % under support (pivot 8)";
        assert_eq!(price_is(Condition::below, behind), text);
        assert_eq!(price_is(Condition::below, Term::Entry(0.0)), "the price closes under the entry");
        assert_eq!(
            price_is(Condition::above, Term::Entry(-0.05)),
            "the price closes above the entry less 5 %"
        );
        assert_eq!(
            price_is(Condition::below, Term::Entry(0.05)),
            "the price closes under the entry plus 5 %"
        );
        assert_eq!(
            price_is(Condition::below, Term::Entry(-0.05)),
            "the price closes more than 5 % under its entry"
        );
        let late = |x| Condition::above(Term::Minutes, Term::Level(x)).to_string();
        assert_eq!(late(1.0), "it has been held for more than 1 minute");
        assert_eq!(late(480.0), "it has been held for more than 8 hours");
        assert_eq!(late(14_400.0), "it has been held for more than 10 days");
        let back = Condition::below(Term::Of(Gain), Term::Back(12.0)).to_string();
        assert_eq!(back, "its gain falls more than 12 bp under its best");
    }

    #[test]
    fn every_target_is_a_sentence_of_its_own() {
        let never = Condition::below(Term::Close, Term::Level(0.0));
        let above = |x, fraction| Target { when: Condition::above(Term::Close, Term::Level(x)), fraction };
        let plan = Plan {
            legs: Vec::new(),
            maker: None,
            stop: Condition::below(Term::Close, Term::Level(90.0)),
            trail: None,
            exit: never,
            expire: Condition::above(Term::Held, Term::Level(30.0)),
            targets: vec![above(101.0, 0.5), above(102.0, 0.25), above(103.0, 1.0)],
            add: None,
            hedge: None,
            reenter: None,
        };
        let said: Vec<String> =
            plan.sentences(&number).filter_map(|(n, s)| (n == "target").then_some(s)).collect();
        let text = [
            "take half of it off if the price closes above 101",
            "take 25 % of it off if the price closes above 102",
            "close if the price closes above 103",
        ];
        assert_eq!(said, text);
        // The words, the lines of a chart and the order in which they are judged are one list.
        let names: Vec<&str> = plan.parts().map(|p| p.0).collect();
        assert_eq!(names, plan.sentences(&number).map(|s| s.0).collect::<Vec<_>>());
        assert_eq!(names, ["stop", "exit", "expire", "target", "target", "target"]);
    }

    /// A plan with nothing but this stop.
    fn bare(stop: Condition) -> Plan {
        let never = Condition::below(Term::Minutes, Term::Level(0.0));
        let (exit, expire, targets) = (never, never, vec![]);
        let (trail, add, hedge, reenter) = (None, None, None, None);
        Plan { legs: vec![], maker: None, stop, trail, exit, expire, targets, add, hedge, reenter }
    }

    #[test]
    fn a_hedge_says_what_is_done_where_and_how_much_of_it() {
        let when = Condition::below(Term::Of(Gain), Term::Level(-50.0));
        let said = |how| {
            let plan = Plan { hedge: Some(Hedge { when, how }), ..bare(when) };
            let text = |names: &dyn Fn(InstrumentId) -> String| {
                plan.sentences(names).find(|part| part.0 == "hedge").unwrap().1
            };
            (text(&number), text(&|id| format!("BTCUSDT perp at venue {}", id.0)))
        };
        let halved = "take half of it off, once, if it loses more than 50 bp".to_owned();
        assert_eq!(said(HedgeKind::Reduce(0.5)), (halved.clone(), halved));
        let opposite = |ratio| said(HedgeKind::Opposite { instrument: InstrumentId(7), ratio });
        let text = "hold 1.25 base units of instrument 7 against each base unit of its first leg, once, if it loses \
                    more than 50 bp";
        assert_eq!(opposite(1.25).0, text);
        let named = "hold 1 base unit of BTCUSDT perp at venue 7 against each base unit of its first leg, once, if \
                     it loses more than 50 bp";
        assert_eq!(opposite(1.0).1, named);
    }

    #[test]
    fn a_hedge_with_an_opposite_leg_takes_nothing_off() {
        let plan = bare(Condition::below(Term::Minutes, Term::Level(0.0)));
        let said = |after| {
            let action = Action {
                verb: Verb::Decrease,
                intent: IntentId::default(),
                reason: Reason::Hedge,
                before: -0.5,
                after,
                delta: after,
                price: 100.0,
                plan: plan.clone().into(),
            };
            (action.headline(), action.to_string() == action.in_full(&number))
        };
        assert_eq!(said(-0.5), ("hedges short 50 % of capital with an opposite leg".to_owned(), true));
        assert_eq!(said(-0.25), ("decreases short from 50 % to 25 % of capital".to_owned(), true));
    }

    #[test]
    fn a_re_entry_says_which_side_when_and_for_how_long() {
        let again = ReEntry {
            side: -1.0,
            when: Condition::above(Term::Of(Edge), Term::Level(2.5)),
            unless: Condition::above(Term::Held, Term::Level(3.0)),
            not_before: 0,
            within: 15,
            minutes: true,
            terms: None,
        };
        let text = "go short again if the edge after costs rises above 2.5 bp, unless it has been flat for more \
                    than 3 bars, within 15 minutes of the close";
        assert_eq!(again.to_string(), text);
        let bars = ReEntry { not_before: 3, within: 12, minutes: false, ..again };
        assert!(bars.to_string().ends_with("from 3 bars to 12 bars after the close"));
        let above = |x, fraction| Target { when: Condition::above(Term::Close, Term::Entry(x)), fraction };
        let terms = OfferTerms {
            size: 0.5,
            stop: Condition::below(Term::Close, Term::Entry(-0.05)),
            targets: vec![above(0.02, 0.5), above(0.041, 1.0)],
        };
        let text = "go short again with 50 % of its first size if the edge after costs rises above 2.5 bp, unless it \
                    has been flat for more than 3 bars, from 3 bars to 12 bars after the close, and then close if \
                    the price closes more than 5 % under its entry, take half of it off if the price closes more \
                    than 2 % above its entry, close if the price closes more than 4.1 % above its entry";
        assert_eq!(ReEntry { terms: Some(terms), ..bars }.to_string(), text);
    }
}
