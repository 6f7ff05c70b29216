//! Law 12: a condition is a value, not a sentence. One [listener](super::listener) follows every agent of a run, whatever
//! its family lives on: it evaluates all that was announced, at every close and at the end of every stamp, and expects
//! exactly the actions that come. After each look the position that it foretells is that of the life, leg by leg.
//!
//! It keeps its own indicators, ranks, counts of time and best prices, and its own board of what is quoted.

use super::listener::bars::BarLook;
use super::listener::legs::Ear;
use super::listener::{Count, Unknown, Voice};
use crate::common::scenes::{self, Scene};
use crate::common::{Tape, actions as actions_of, engine, shipped};
use hive_core::agents::Agent;
use hive_core::agents::declaration::DrawnNumber;
use hive_core::agents::families::Rules;
use hive_core::agents::structures::StructureContext;
use hive_core::agents::structures::legs::Legs;
use hive_core::config::Config;
use hive_core::engine::{Engine, Outputs};
use hive_core::fills::fine::FillPrices;
use hive_core::fills::pace::unit;
use hive_domain::{
    Bar, Event, FamilyId, Indicator, InstrumentId, MarketEvent, Message, MessageKind, Plan, Reason, Span,
    Speaker, SpokenBy, Stamp, Term, Verb,
};
use hive_market::Market;
use hive_market::indicators::Bank;
use hive_market::synth::SynthWorld;
use std::collections::BTreeMap;

/// One asset at bars as the listener saw it.
struct Seen {
    bank: Bank,
    last: Option<(Stamp, Bar)>,
    /// Log return of that bar, where the volatility before it is known.
    change: Option<f64>,
    gone: bool,
}

/// A structured agent as the listener follows it.
struct Structured {
    voice: Voice,
    rules: Rules,
    due: bool,
    capital: f64,
}

/// What was said of agents, by agent and asset.
type Said = BTreeMap<(u32, u16), Vec<MessageKind>>;

/// What open lives said of what they heard, by agent and asset: until when they wait, and by action whether it was swayed.
type InCompany = BTreeMap<(u32, u16), (Option<Stamp>, Vec<bool>)>;

/// Follows all agents of a run: their alone lives, or their open ones.
struct Listener {
    hears: bool,
    company: InCompany,
    assets: Vec<Seen>,
    at_bars: Vec<Voice>,
    board: Market,
    in_legs: Vec<Structured>,
    /// By instrument: who hears it.
    ears: BTreeMap<InstrumentId, Vec<usize>>,
    stamp: Option<Stamp>,
    count: Count,
}

impl Listener {
    fn new(engine: &Engine, hears: bool) -> Self {
        let cast = engine.cast();
        let capital = cast.stake(engine.settings().capital);
        let bank = |slots: &Vec<u32>| {
            let keys = slots.iter().flat_map(|s| cast.slots[*s as usize].keys.iter().copied());
            Bank::new(keys.filter(|k| !matches!(k, Indicator::Rank(_))).collect(), 6.0)
        };
        let seen = |slots| Seen { bank: bank(slots), last: None, change: None, gone: true };
        let voice = |agent: &Agent, asset| {
            let name = format!("{} on {}", agent.name, engine.asset_name(asset));
            let mut voice = Voice::new(agent.family, name);
            voice.hears = hears;
            voice
        };
        let structured = |s: &hive_core::agents::cast::Structure| Structured {
            voice: voice(&cast.agents[s.agent.index()], s.asset),
            rules: s.rules.clone(),
            due: false,
            capital: capital / cast.structures.iter().filter(|o| o.agent == s.agent).count() as f64,
        };
        let mut ears: BTreeMap<InstrumentId, Vec<usize>> = BTreeMap::new();
        for (n, s) in cast.structures.iter().enumerate() {
            s.rules.ears().into_iter().for_each(|e| ears.entry(e).or_default().push(n));
        }
        Listener {
            hears,
            company: InCompany::new(),
            assets: cast.by_asset.iter().map(seen).collect(),
            at_bars: cast.slots.iter().map(|s| voice(&cast.agents[s.agent.index()], s.asset)).collect(),
            board: Market::quoted(cast.listed.instruments.len()),
            in_legs: cast.structures.iter().map(structured).collect(),
            ears,
            stamp: None,
            count: Count::default(),
        }
    }

    /// Hears an event that counted, and what was said in its step.
    fn event(&mut self, engine: &Engine, event: &Event, messages: &[Message]) {
        let mut said = Said::new();
        for m in messages {
            if let (Speaker::Agent(agent), Some(asset)) = (m.from, m.asset)
                && m.life != if self.hears { SpokenBy::Alone } else { SpokenBy::Open }
                && matches!(
                    m.body,
                    MessageKind::Action(_)
                        | MessageKind::Outcome(_)
                        | MessageKind::Wait(_)
                        | MessageKind::Rest(_)
                )
            {
                let company = self.company.entry((agent.0, asset.0)).or_default();
                match &m.body {
                    MessageKind::Wait(wait) => {
                        company.0 = Some(wait.until);
                        continue;
                    }
                    MessageKind::Action(_) => company.1.push(!m.swayed.is_empty()),
                    _ => {}
                }
                said.entry((agent.0, asset.0)).or_default().push(m.body.clone());
            }
        }
        match event {
            Event::Market(market) => {
                if let MarketEvent::Bar { instrument, at, bar } = *market {
                    self.bar(instrument, at, bar);
                }
                if let MarketEvent::Inside { instrument, at, bar } = *market
                    && engine.settings().fills == FillPrices::Fine
                {
                    self.between(engine, (instrument, at, bar), &mut said);
                }
                if self.board.accepts(market) {
                    if self.stamp.is_none_or(|s| market.at() > s) {
                        self.over(engine, &mut said);
                        self.stamp = Some(market.at());
                    }
                    self.hear(engine, market);
                }
            }
            Event::Barrier(at) => {
                self.over(engine, &mut said);
                self.barrier(engine, *at, &mut said);
            }
            Event::Venue(_) | Event::Command(..) | Event::Tick(_) => {}
        }
        assert!(said.is_empty(), "said by nobody: {said:?}");
    }

    fn bar(&mut self, instrument: InstrumentId, at: Stamp, bar: Bar) {
        let Some(seen) = self.assets.get_mut(instrument.index()) else { return };
        if seen.gone {
            seen.bank.reset();
            seen.gone = false;
        }
        let before = seen.last.filter(|_| seen.bank.sigma().is_finite());
        seen.change = before.map(|(_, last)| (bar.close / last.close - 1.0).ln_1p());
        seen.bank.push(&bar);
        seen.last = Some((at, bar));
    }

    /// A bar of the fast clock, of which whoever decides at bars looks at the close.
    fn between(&mut self, engine: &Engine, (id, at, bar): (InstrumentId, Stamp, Bar), said: &mut Said) {
        let cast = engine.cast();
        for (slot, voice) in self.at_bars.iter_mut().enumerate() {
            let (agent, asset) = (cast.slots[slot].agent, cast.slots[slot].asset);
            if asset.index() != id.index() {
                continue;
            }
            let own = said.remove(&(agent.0, asset.0)).unwrap_or_default();
            self.company.remove(&(agent.0, asset.0));
            let (close, nan) = (bar.close, f64::NAN);
            let (range, sigma, keys, values) = ((nan, nan, nan), nan, &[][..], &[][..]);
            let look = BarLook { at, close, range, trades: false, sigma, keys, values, unit: 0.0, adds: 0 };
            voice.between(&look, &own, &mut self.count);
            *self.count.between.entry(voice.family).or_default() += own.len();
        }
    }

    fn is_fresh(&self, asset: usize, at: Stamp) -> bool {
        self.assets[asset].last.is_some_and(|(l, _)| l == at)
    }

    fn value(&self, asset: usize, key: Indicator) -> f64 {
        let bank = &self.assets[asset].bank;
        bank.handle(key).map_or(f64::NAN, |p| bank.values()[p])
    }

    /// Where an asset stands in a basket: by counting, pair by pair.
    fn rank(&self, basket: &[usize], asset: usize, window: u16, at: Stamp) -> f64 {
        let scores: Vec<f64> = basket
            .iter()
            .filter(|a| self.is_fresh(**a, at))
            .map(|a| self.value(*a, Indicator::Score(window)))
            .filter(|s| s.is_finite())
            .collect();
        let own = self.value(asset, Indicator::Score(window));
        if scores.len() < 3 || !own.is_finite() {
            return f64::NAN;
        }
        let weaker = scores.iter().filter(|s| **s < own).count() as f64;
        let equal = scores.iter().filter(|s| **s == own).count() as f64;
        (weaker + 0.5 * (equal - 1.0)) / (scores.len() as f64 - 1.0)
    }

    /// Everybody who decides at bars judges at a barrier.
    fn barrier(&mut self, engine: &Engine, at: Stamp, said: &mut Said) {
        let silence = engine.settings().clock.delist_after;
        let mut delisted = vec![false; self.assets.len()];
        for (seen, delisted) in self.assets.iter_mut().zip(&mut delisted) {
            if !seen.gone && seen.last.is_some_and(|(l, _)| at.since(l) >= silence) {
                (seen.gone, *delisted) = (true, true);
            }
        }
        let closed = |s: &Seen| s.change.filter(|_| s.last.is_some_and(|(l, _)| l == at));
        let changes: Vec<f64> = self.assets.iter().filter_map(closed).collect();
        if changes.len() > 1 {
            let mean = changes.iter().sum::<f64>() / changes.len() as f64;
            self.assets.iter_mut().filter(|s| closed(s).is_some()).for_each(|s| s.bank.hear_the_market(mean));
        }
        for agent in &engine.cast().agents {
            for slot in agent.slots.clone() {
                let asset = engine.cast().slots[slot].asset;
                let own = said.remove(&(agent.id.0, asset.0)).unwrap_or_default();
                self.close(engine, agent, slot, (at, delisted[asset.index()]), &own);
            }
        }
    }

    /// One agent on one asset at a barrier.
    fn close(
        &mut self,
        engine: &Engine,
        agent: &Agent,
        slot: usize,
        (at, is_delisted): (Stamp, bool),
        own: &[MessageKind],
    ) {
        let cast = engine.cast();
        let (asset, keys) = (cast.slots[slot].asset.index(), &cast.slots[slot].keys);
        if !is_delisted && (!self.is_fresh(asset, at) || at < agent.active_from) {
            assert!(own.is_empty(), "{} at {at} without a bar: {own:?}", agent.name);
            return;
        }
        let basket: Vec<usize> = agent.slots.clone().map(|s| cast.slots[s].asset.index()).collect();
        let value = |k: &Indicator| match k {
            Indicator::Rank(n) => self.rank(&basket, asset, *n, at),
            k => self.value(asset, *k),
        };
        let values: Vec<f64> = keys.iter().map(value).collect();
        let seen = &self.assets[asset];
        let (close, sigma) = (seen.last.map_or(f64::NAN, |(_, bar)| bar.close), seen.bank.sigma());
        let (unit, adds) = (agent.strategy.unit() * unit(sigma), agent.strategy.adds());
        let bar = seen.last.map(|(_, bar)| bar);
        let range = bar.map_or((f64::NAN, f64::NAN, f64::NAN), |bar| (bar.open, bar.low, bar.high));
        let trades = bar.is_some_and(|bar| bar.volume > 0.0);
        let look = BarLook { at, close, range, trades, sigma, keys, values: &values, unit, adds };
        let voice = &mut self.at_bars[slot];
        let (waits, swayed) = self.company.remove(&(agent.id.0, asset as u16)).unwrap_or_default();
        if self.hears {
            voice.in_company(waits, swayed);
        }
        if is_delisted {
            voice.delisted(&look, own, &mut self.count);
        } else {
            voice.judge(&look, own, &mut self.count);
        }
        for body in own {
            let MessageKind::Action(act) = body else { continue };
            let Plan { stop, targets, hedge, reenter, .. } = &*act.plan;
            // A way out with a loss, two with a profit, a hedge and an offer.
            let is_below = matches!(stop.right, Term::Level(x) if act.side() * (act.price - x) > 0.0);
            let is_full = is_below && targets.len() >= 2 && hedge.is_some() && reenter.is_some();
            assert!(act.verb != Verb::Open || is_full, "{} at {at}: {act}", voice.name);
        }
        let apart = engine.respond.open_lives.get(slot).and_then(Option::as_ref).filter(|_| self.hears);
        let (life, raw) = match apart {
            Some(open) => (&open.life, &open.raw),
            None => (&engine.speak.lives[slot], &engine.speak.raw[slot]),
        };
        voice.agrees(life);
        let capital = cast.stake(engine.settings().capital);
        let (held, foretold) = (raw.quantity + raw.order, voice.quantity * capital);
        let is_near = (held - foretold).abs() <= 1e-9 * foretold.abs();
        assert!(is_near, "{} at {at} holds {held}, foretold {foretold}", voice.name);
    }

    /// An event of the market that the stamp before it is over for.
    fn hear(&mut self, engine: &Engine, event: &MarketEvent) {
        let (cast, costs) = (engine.cast(), &engine.settings().costs);
        self.board.put(event);
        let all = cast.structures.iter().enumerate();
        let hears: Vec<usize> = match *event {
            MarketEvent::VolIndex { asset, .. } => {
                all.filter(|(_, s)| s.asset == asset).map(|(n, _)| n).collect()
            }
            _ => event.instrument().and_then(|i| self.ears.get(&i)).cloned().unwrap_or_default(),
        };
        for n in hears {
            let one = &mut self.in_legs[n];
            one.voice.hear((&cast.listed, &self.board, costs), event);
            one.rules.on_event(&cast.listed, &self.board, event);
            one.due |= one.rules.is_stirred(event);
        }
    }

    /// A stamp is over: everybody who lives in legs and heard something of it judges.
    fn over(&mut self, engine: &Engine, said: &mut Said) {
        let (cast, Some(now)) = (engine.cast(), self.stamp) else { return };
        let nothing = Legs::default();
        for (i, (s, one)) in cast.structures.iter().zip(&mut self.in_legs).enumerate() {
            let (agent, name) = (&cast.agents[s.agent.index()], &one.voice.name);
            let own = said.remove(&(s.agent.0, s.asset.0)).unwrap_or_default();
            if !std::mem::take(&mut one.due) || now < agent.active_from {
                assert!(own.is_empty(), "{name} at {now}: heard nothing, and says {own:?}");
                continue;
            }
            let seen = StructureContext {
                listed: &cast.listed,
                board: &self.board,
                costs: &engine.settings().costs,
                now,
                traits: &agent.traits,
                preset: agent.strategy.preset(),
                side: agent.side,
                capital: one.capital,
                legs: &nothing,
                may_open: true,
            };
            let ear = Ear { rules: &one.rules, asset: s.asset, seen, told: None };
            let (waits, swayed) = self.company.remove(&(s.agent.0, s.asset.0)).unwrap_or_default();
            let twin = &engine.speak.structures.twins[i];
            let mut life = &twin.life;
            if self.hears {
                one.voice.in_company(waits, swayed);
                life = engine.respond.open_legs[i].life(twin);
            }
            one.voice.over(&ear, &own, &mut self.count);
            one.voice.agrees(&life.life);
            one.voice.holds(&one.rules, (&cast.listed, &engine.speak.market), &life.legs);
        }
    }
}

/// Follows all events with a listener.
fn follow(engine: Engine, events: impl Iterator<Item = Event>) -> Count {
    follow_lives(engine, events, false)
}

/// The same with their open lives, if they hear; else with their alone ones.
fn follow_lives(mut engine: Engine, events: impl Iterator<Item = Event>, hears: bool) -> Count {
    let (mut listener, mut out, mut actions) = (Listener::new(&engine, hears), Outputs::default(), 0);
    let other = if hears { SpokenBy::Alone } else { SpokenBy::Open };
    for event in events {
        engine.step(&event, &mut out);
        actions += actions_of(&out.messages).filter(|(m, _)| m.life != other).count();
        if out.accepted {
            listener.event(&engine, &event, &out.messages);
        }
    }
    assert_eq!(actions, listener.count.said.values().sum::<usize>(), "every action was looked at");
    listener.count
}

/// Follows the shipped roster over a tape.
fn follow_shipped(tape: Tape) -> Count {
    follow(engine(&shipped(), &tape.universe), tape.events.into_iter())
}

#[test]
fn law12_conditions_replay() {
    let count = follow_shipped(Tape::market(400));
    for reason in [
        Reason::Signal,
        Reason::ReEntry,
        Reason::Add,
        Reason::Target,
        Reason::Hedge,
        Reason::Stop,
        Reason::Trail,
        Reason::Exit,
        Reason::Expired,
    ] {
        assert!(count.of(reason) > 10, "{reason} is missing: {:?}", count.said);
    }
    assert!(count.unknown.is_empty() && count.broken.is_empty(), "{:?} {:?}", count.unknown, count.broken);
}

#[test]
fn law12_conditions_of_open_lives_replay_amended_plans_included() {
    let mut config = shipped();
    config.roster.scouts = 0;
    let rules = super::reactions::probes();
    for (i, agent) in config.roster.agents.iter_mut().enumerate() {
        agent.reacts = rules.iter().cycle().skip(5 * i).take(6).cloned().collect();
    }
    let tape = Tape::market(400);
    let count = follow_lives(engine(&config, &tape.universe), tape.events.into_iter(), true);
    for reason in [Reason::Heard, Reason::Hedge, Reason::Stop, Reason::ReEntry, Reason::Target] {
        assert!(count.of(reason) > 10, "{reason} is missing: {:?}", count.said);
    }
    assert!(count.unknown.is_empty() && count.broken.is_empty(), "{:?} {:?}", count.unknown, count.broken);
}

#[test]
fn law12_conditions_of_residual_momentum_replay() {
    let mut config = shipped();
    let momentum = config.roster.agents.iter_mut().filter(|a| a.family == FamilyId::Momentum);
    for agent in momentum {
        agent.params.insert("residual".to_owned(), DrawnNumber { from: 1.0, to: 1.0 });
    }
    let tape = Tape::market(400);
    let count = follow(engine(&config, &tape.universe), tape.events.into_iter());
    assert!(count.opened(FamilyId::Momentum) > 100, "{:?}", count.said);
    assert!(count.unknown.is_empty() && count.broken.is_empty(), "{:?} {:?}", count.unknown, count.broken);
}

/// The shipped roster, in which entries at support and resistance rest, at levels of longer bars too.
pub fn resting() -> Config {
    let mut config = shipped();
    for agent in config.roster.agents.iter_mut().filter(|a| a.family == FamilyId::SupportResistance) {
        agent.params.insert("rest".to_owned(), DrawnNumber { from: 4.0, to: 8.0 });
        agent.params.insert("frame".to_owned(), DrawnNumber { from: 3.0, to: 4.0 });
    }
    config
}

#[test]
fn law12_orders_that_rest_at_a_level_replay_alone_and_open() {
    let tape = Tape::market(400);
    for hears in [false, true] {
        let mut config = resting();
        let rules = super::reactions::probes();
        for (i, agent) in config.roster.agents.iter_mut().enumerate().filter(|_| hears) {
            agent.reacts = rules.iter().cycle().skip(5 * i).take(6).cloned().collect();
        }
        let count = follow_lives(engine(&config, &tape.universe), tape.events.iter().copied(), hears);
        let of = |counts: &BTreeMap<FamilyId, usize>| counts.get(&FamilyId::SupportResistance).copied();
        let (filled, off) = (of(&count.at_levels).unwrap_or(0), of(&count.taken_off).unwrap_or(0));
        assert!(filled > 100 && off > 20, "{filled} filled, {off} taken off");
        assert!(count.at_levels.len() == 1, "nobody else rests: {:?}", count.at_levels);
        assert!(
            count.unknown.is_empty() && count.broken.is_empty(),
            "{:?} {:?}",
            count.unknown,
            count.broken
        );
    }
}

/// Quarters of an hour, at whose closes stops and targets are judged.
pub fn told_finely(days: u32) -> Tape {
    let mut tape = crate::common::served::paired(days, 1_000);
    let desk = tape.universe.desk().len();
    tape.universe.instruments.truncate(desk);
    tape
}

#[test]
fn law12_conditions_replay_between_closes_alone_and_open() {
    let tape = told_finely(200);
    let mut config = shipped();
    config.fills = FillPrices::Fine;
    let rules = super::reactions::probes();
    for hears in [false, true] {
        for (i, agent) in config.roster.agents.iter_mut().enumerate().filter(|_| hears) {
            agent.reacts = rules.iter().cycle().skip(5 * i).take(6).cloned().collect();
        }
        let count = follow_lives(engine(&config, &tape.universe), tape.events.iter().copied(), hears);
        let acted = count.between.values().filter(|n| **n > 0).count();
        assert!(acted >= 6, "between closes: {:?}", count.between);
        assert!(count.unknown.is_empty() && count.broken.is_empty(), "{:?}", count.broken);
    }
}

#[test]
fn law12_conditions_replay_where_assets_pause_vanish_and_return() {
    let mut tape = Tape::synth(SynthWorld::Market, 5, 300);
    let from = tape.events[0].at();
    let gaps = [(3_u16, 90, 102, 0), (3, 200, 203, 0), (5, 100, 300, 0), (0, 120, 180, 0), (8, 60, 300, 3)];
    tape.events.retain(|e| {
        let Event::Market(
            MarketEvent::Bar { instrument, at, .. } | MarketEvent::Funding { instrument, at, .. },
        ) = e
        else {
            return true;
        };
        let bars = at.since(from).0 / (4 * Span::HOUR.0);
        let day = bars / 6;
        // A gap of days, or every third bar missing.
        !gaps.iter().any(|(i, a, b, every)| {
            instrument.0 == *i && (*a..*b).contains(&day) && (*every == 0 || bars % every == 0)
        })
    });
    let count = follow_shipped(tape);
    assert!(count.of(Reason::Delisted) > 10, "{:?}", count.said);
}

#[test]
fn law12_conditions_of_structures_replay() {
    // Each by itself: together they are most of a minute of one core.
    let followed = |make: fn(&scenes::Change) -> Scene| {
        let scene = make(&scenes::as_it_is);
        (scene.name, follow(scene.engine, scene.events))
    };
    let counts = std::thread::scope(|threads| {
        let runs = scenes::ALL.map(|make| threads.spawn(move || followed(make)));
        runs.map(|run| run.join().unwrap())
    });
    let mut total = Count::default();
    for (name, count) in counts {
        assert!(count.broken.is_empty(), "{name}: {} times, first {:?}", count.broken.len(), count.broken[0]);
        total.add(count);
    }
    for &family in FamilyId::ALL {
        let opened = total.opened(family);
        assert!(opened >= 8, "{family} opened {opened}: too few to prove anything");
    }
    // All that a listener had to believe.
    let unknown: Vec<(FamilyId, Unknown)> = total.unknown.into_keys().collect();
    let believed =
        [FamilyId::Volatility, FamilyId::MarketMaking, FamilyId::Options, FamilyId::Move, FamilyId::Defi];
    assert_eq!(unknown, believed.map(|f| (f, Unknown::OwnGain)));
}

#[test]
fn law12_conditions_of_open_lives_in_legs_replay() {
    let followed = |make: fn(&scenes::Change) -> Scene| {
        let scene = make(&super::in_legs::in_company);
        (scene.name, follow_lives(scene.engine, scene.events, true))
    };
    let counts = std::thread::scope(|threads| {
        let runs = scenes::ALL.map(|make| threads.spawn(move || followed(make)));
        runs.map(|run| run.join().unwrap())
    });
    let mut total = Count::default();
    for (name, count) in counts {
        assert!(count.broken.is_empty(), "{name}: {} times, first {:?}", count.broken.len(), count.broken[0]);
        total.add(count);
    }
    println!("{:?}", total.said);
    for &family in FamilyId::ALL.iter().filter(|f| f.is_structured()) {
        let opened = total.opened(family);
        assert!(opened >= 3, "{family} opened {opened}: too few to prove anything");
    }
    assert!(total.unknown.keys().all(|(_, what)| *what == Unknown::OwnGain), "{:?}", total.unknown);
}

#[test]
fn law12_conditions_of_structures_behind_a_maker_leg_replay() {
    let scene = scenes::resting();
    let count = follow(scene.engine, scene.events);
    assert!(count.broken.is_empty(), "{} times, first {:?}", count.broken.len(), count.broken[0]);
    for family in [FamilyId::Funding, FamilyId::CashAndCarry] {
        assert!(count.opened(family) >= 2, "{family} opened {}", count.opened(family));
    }
    // When what rests is filled is nobody's to foretell; all else is.
    assert!(count.unknown.keys().all(|(_, what)| *what == Unknown::InFlight), "{:?}", count.unknown);
}

#[test]
fn law12_conditions_of_views_with_an_opposite_leg_replay() {
    for (in_options, hears) in [(false, false), (true, false), (false, true), (true, true)] {
        let change = if hears { &super::in_legs::in_company as &scenes::Change } else { &scenes::as_it_is };
        let scene = scenes::hedged(0.75, in_options, change);
        let count = follow_lives(scene.engine, scene.events, hears);
        assert!(count.broken.is_empty(), "{} times, first {:?}", count.broken.len(), count.broken[0]);
        for family in scenes::HEDGED {
            if in_options && family == FamilyId::Volatility {
                continue;
            }
            let hedges = count.said.get(&(family, Reason::Hedge.to_string()));
            let (opened, hedges) = (count.opened(family), hedges.copied().unwrap_or_default());
            // What others sway may be closed long before there is a storm.
            assert!(opened >= 8 && (hears || hedges >= 3), "{family} opened {opened}, hedged {hedges}");
        }
        assert!(count.of(Reason::Hedge) >= 10, "{:?}", count.said);
        assert!(count.unknown.is_empty(), "{:?}", count.unknown);
    }
}
