//! What each family did in its alone lives, by fill level: trades, fees, funding and PnL.
//!
//! A maker's PnL depends on how its fills are counted. `pnl` counts *through* (prints and quotes beyond its
//! price), `pnl_touch` also prints at its price once the queue before it is served. Where the two have
//! different signs nothing is established, and the row says so; for those who take both are one.

use crate::agents::Agent;
use crate::domain::{FamilyId, Span, Stamp, money};
use crate::engine::Engine;
use crate::engine::packages::Package;
use crate::market::{DetailLevel, FeedInfo};
use serde::Serialize;

/// One family on one feed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FamilyRow {
    /// Name of the family.
    pub family: &'static str,
    /// Name of the feed that it ran on.
    pub feed: String,
    /// Beginning of the run, as a date; with the minute where it is shorter than a day.
    pub from: String,
    /// End of the run, likewise.
    pub to: String,
    /// Coarsest level on which it was filled: `B`, `L1`, `L2`.
    pub level: &'static str,
    /// Agents of it, those that stand by left out.
    pub agents: usize,
    /// Capital of these agents together, in the account's currency.
    pub capital: f64,
    /// Intents that were closed.
    pub trades: u64,
    /// Fees, half-spreads where they are charged apart, borrow and gas, in the account's currency.
    pub fees: f64,
    /// Funding received less paid.
    pub funding: f64,
    /// What it gained or lost after all costs.
    pub pnl: f64,
    /// How often an alone life of it lost its whole stake and another one was put up; what agents of the decision clock say
    /// goes on all the same, and `pnl` is that of what they say.
    pub ruins: u32,
    /// What it gained or lost with a maker's fills counted by touch.
    pub pnl_touch: f64,
    /// Whether both have one sign ([`is_established`]).
    pub established: bool,
    /// Of a family of structures that never opened: the best edge after all costs that it saw, in basis
    /// points; below zero nothing ever paid. None where none was ever known.
    pub best_edge_bp: Option<f64>,
    /// Openings of which a leg was missed, so that all was closed again.
    pub missed: u64,
    /// What it did with money.
    pub real: FamilyMoney,
    /// What came of its alone lives, in words.
    pub verdict: String,
}

/// What a family did with the funds of its agents, by the books.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FamilyMoney {
    /// What its agents gained or lost after all costs, services that they did for others included, in the account's currency.
    pub pnl: f64,
    /// Packages that were closed; of a family that trades through the desk, none.
    pub trades: u64,
    /// Fills of packages; of a family that trades through the desk, none are its own.
    pub fills: u64,
    /// Openings that a limit of packages or the gate refused.
    pub refused: u64,
    /// Packages that were given up since a leg stood alone too long.
    pub unwound: u64,
}

/// All rows of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FamilyTable {
    /// The fill level in words.
    pub fill_level: String,
    /// One row a family, in the order of [`FamilyId::ALL`]; families without an agent are left out.
    pub rows: Vec<FamilyRow>,
}

impl FamilyRow {
    /// Whether its agents trade in legs, and so for themselves; of a family that does so where it finds what it needs, whether
    /// any of them did.
    pub fn is_structured(&self) -> bool {
        let family = FamilyId::parse(self.family);
        family.is_some_and(FamilyId::is_structured) || self.real.fills > 0
    }
}

impl FamilyTable {
    /// Reads the rows off a run as it stands; `feed` is what it ran on.
    pub fn new(engine: &Engine, feed: &FeedInfo) -> Self {
        let cast = engine.cast();
        let with = |f: &&FamilyId| cast.agents[..cast.declared].iter().any(|a| a.family == **f);
        let row = |f: &FamilyId| match f {
            f if f.is_structured() => structured(engine, *f),
            f => either(engine, *f),
        };
        let rows = FamilyId::ALL.iter().filter(with).map(row);
        // Where a market goes on, as far as it went.
        let to = engine.now().map_or(feed.to, |now| now.min(feed.to));
        // A recording of minutes is told in minutes.
        let letters =
            if to.since(feed.from) < Span::DAY { "2022-01-01T00:00".len() } else { "2022-01-01".len() };
        let moment = |at: Stamp| at.to_string().chars().take(letters).collect::<String>().replace('T', " ");
        let each = cast.stake(engine.settings().capital);
        let of = |r: &FamilyRow| {
            let family = r.family;
            cast.agents[..cast.declared].iter().filter(move |a| a.family.text() == family)
        };
        let whole = |r: FamilyRow| FamilyRow {
            real: with_money(engine, FamilyId::parse(r.family)),
            feed: feed.name.clone(),
            from: moment(feed.from),
            to: moment(to),
            capital: each * r.agents as f64,
            best_edge_bp: r.best_edge_bp.filter(|_| r.trades == 0),
            ruins: of(&r).map(|a| engine.ruins(a.id).alone).sum(),
            verdict: verdict(&r),
            ..r
        };
        FamilyTable { fill_level: engine.settings().fill_level(), rows: rows.map(whole).collect() }
    }
}

/// Fewest trades of which anything is said.
const TRADES_MIN: u64 = 30;

/// What came of it: who loses after costs says so, and who never opened says how near it came.
fn verdict(r: &FamilyRow) -> String {
    match r.best_edge_bp {
        _ if r.agents == 0 => "stands by: not listed".to_owned(),
        _ if r.trades == 0 && r.pnl != 0.0 => "still open".to_owned(),
        Some(edge) if r.trades == 0 => format!("never opened, best edge {edge:+.1} bp"),
        None if r.trades == 0 => "never opened".to_owned(),
        _ if r.trades < TRADES_MIN => "too few to tell".to_owned(),
        _ if !r.established => "not established".to_owned(),
        _ if r.pnl < 0.0 => "loses after costs".to_owned(),
        _ => "gains".to_owned(),
    }
}

/// Whether through and touch agree: both gain, both lose, or neither did anything. One that did nothing
/// where the other gained or lost establishes nothing.
pub fn is_established(through: f64, touch: f64) -> bool {
    let sign = |x: f64| i8::from(x > 0.0) - i8::from(x < 0.0);
    sign(through) == sign(touch)
}

fn empty(family: FamilyId) -> FamilyRow {
    FamilyRow {
        family: family.text(),
        feed: String::new(),
        from: String::new(),
        to: String::new(),
        level: DetailLevel::Bars.text(),
        agents: 0,
        capital: 0.0,
        trades: 0,
        fees: 0.0,
        funding: 0.0,
        pnl: 0.0,
        ruins: 0,
        pnl_touch: 0.0,
        established: true,
        best_edge_bp: None,
        missed: 0,
        real: FamilyMoney::default(),
        verdict: String::new(),
    }
}

fn with_money(engine: &Engine, family: Option<FamilyId>) -> FamilyMoney {
    let (cast, real) = (engine.cast(), &engine.respond.real);
    let mut sum = FamilyMoney::default();
    for agent in cast.agents[..cast.declared].iter().filter(|a| Some(a.family) == family) {
        let pnl = real.account.ledger.pnl(agent.id, &real.account.marks);
        sum.pnl += pnl.map_or(f64::NAN, money::to_estimate);
    }
    let is_of = |p: &&Package| Some(cast.agents[p.agent.index()].family) == family;
    for package in real.execution.packages.all.iter().filter(is_of) {
        sum.trades += u64::from(package.life.life.trades);
        sum.fills += package.life.legs.totals.fills;
        sum.refused += package.refused.values().map(|n| u64::from(*n)).sum::<u64>();
        sum.unwound += u64::from(package.unwound);
    }
    sum
}

/// A family of the decision clock: its intents traded at once, at the reference weight.
fn plain(engine: &Engine, family: FamilyId) -> FamilyRow {
    let (cast, speak) = (engine.cast(), &engine.speak);
    let mut row = empty(family);
    for agent in cast.agents[..cast.declared].iter().filter(|a| a.family == family) {
        row.agents += usize::from(!agent.slots.is_empty());
        for slot in agent.slots.clone() {
            let book = &speak.raw[slot];
            row.trades += u64::from(speak.lives[slot].trades);
            row.fees += book.costs + book.funded;
            row.funding += book.funded;
            let last = speak.close(cast.slots[slot].asset);
            row.pnl += book.equity(last);
        }
    }
    row.pnl_touch = row.pnl;
    row
}

/// A family whose agents are structures where what they need is listed, and views at bars elsewhere: both together.
fn either(engine: &Engine, family: FamilyId) -> FamilyRow {
    let (views, legs) = (plain(engine, family), structured(engine, family));
    if legs.agents == 0 {
        return views;
    }
    let cast = engine.cast();
    let is_there = |a: &&Agent| a.family == family && !(a.slots.is_empty() && a.structures.is_empty());
    FamilyRow {
        agents: cast.agents[..cast.declared].iter().filter(is_there).count(),
        level: if views.agents > 0 { views.level } else { legs.level },
        trades: views.trades + legs.trades,
        fees: views.fees + legs.fees,
        funding: views.funding + legs.funding,
        pnl: views.pnl + legs.pnl,
        pnl_touch: views.pnl_touch + legs.pnl_touch,
        ..legs
    }
}

fn structured(engine: &Engine, family: FamilyId) -> FamilyRow {
    let (cast, speak) = (engine.cast(), &engine.speak);
    let mut row = empty(family);
    let mut level: Option<DetailLevel> = None;
    let mut agents = Vec::new();
    for (s, twin) in cast.structures.iter().zip(&speak.structures.twins) {
        if cast.agents[s.agent.index()].family != family {
            continue;
        }
        agents.push(s.agent);
        let totals = &twin.life.legs.totals;
        row.trades += u64::from(twin.life.life.trades);
        row.missed += u64::from(twin.life.life.missed);
        if twin.life.legs.best_edge.is_some_and(|e| row.best_edge_bp.is_none_or(|best| e > best)) {
            row.best_edge_bp = twin.life.legs.best_edge;
        }
        row.fees += totals.fees;
        row.funding += totals.funding;
        row.pnl += twin.marked();
        row.pnl_touch += twin.marked_touch();
        let heard = || s.rules.ears().first().and_then(|e| speak.market.get(*e)).map(|q| q.level);
        let on = totals.level.or_else(heard);
        level = match (level, on) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    agents.dedup();
    row.agents = agents.len();
    row.level = level.unwrap_or_default().text();
    row.established = is_established(row.pnl, row.pnl_touch);
    row
}
