//! Agents in legs answer the others: what is said to them changes their open lives, and neither an alone word nor money.

use crate::common::scenes::{self, Change, Scene};
use crate::common::{actions, bar_at, hash};
use hive_core::agents::declaration::DrawnNumber;
use hive_core::agents::structures::in_legs::StructureLife;
use hive_core::config::Config;
use hive_core::engine::respond::OpenLegs;
use hive_core::engine::structures::DualFill;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{
    AgentId, AssetId, Bar, Command, Event, FamilyId, HeardOn, HeardSide, Hearing, Hears, InstrumentId,
    MarketEvent, Message, MessageKind, Reaction, ReactionEffect, Reason, Span, Speaker, SpokenBy, Stamp,
    Term, Verb, Whom, random,
};
use std::collections::{BTreeMap, BTreeSet};

fn rule(name: &str, what: Hearing, then: ReactionEffect) -> Reaction {
    let (who, on, side, within) = (Whom::Anyone, HeardOn::Mine, HeardSide::Either, Span(2 * Span::DAY.0));
    Reaction { name: name.to_owned(), hears: Hears { what, who, on, side, at_least: 1, within }, then }
}

/// Every effect that legs know, on words that they hear.
fn probes() -> Vec<Reaction> {
    use ReactionEffect::{Cut, Size, Stop, Target, Wait};
    vec![
        rule("waits", Hearing::Opened, Wait(Span(10 * Span::MINUTE.0))),
        rule("tightens", Hearing::Opened, Stop(0.6)),
        rule("leaves", Hearing::Closed, Cut(1.0)),
        rule("shrinks", Hearing::Won, Size(0.5)),
        rule("reaches", Hearing::Lost(None), Target(0.6)),
        rule("halves", Hearing::Closed, Cut(0.5)),
        rule("presses", Hearing::Lost(None), Size(1.25)),
    ]
}

/// Everybody lives by some of these; where there are few agents one more speaks, and hears nobody.
pub fn in_company(config: &mut Config) {
    let agents = &mut config.roster.agents;
    let rules = probes();
    if agents.len() <= 2 {
        let mut echo = agents[0].clone();
        "Echo".clone_into(&mut echo.name);
        agents.push(echo);
    }
    let own = agents.iter_mut().filter(|a| a.name != "Echo");
    for (i, agent) in own.enumerate() {
        agent.reacts = rules.iter().cycle().skip(3 * i).take(3).cloned().collect();
    }
}

/// What a scene came to.
struct ToldInScene {
    messages: Vec<Message>,
    decisions: String,
    alone: String,
    open: String,
    /// Deeds by family.
    deeds: BTreeMap<FamilyId, usize>,
    /// Deeds by what open lives said.
    echoes: usize,
    /// By agent: its family, and the share of its looks at which its open life was elsewhere.
    shares: Vec<(FamilyId, f64)>,
}

/// Each deed by what an open life said was heard in an earlier step than that in which it was said (law 4); how many such there
/// are. `steps` says when each message was delivered.
fn heard_later(messages: &[Message], steps: &[usize]) -> usize {
    let of = |m: &Message| m.id.0 as usize - 1;
    let causes =
        messages.iter().flat_map(|m| m.swayed.iter().flat_map(move |s| s.causes.iter().map(move |c| (m, c))));
    let open = causes
        .map(|(m, c)| (m, &messages[c.message.0 as usize - 1]))
        .filter(|(_, c)| c.life == SpokenBy::Open);
    open.inspect(|(m, c)| assert!(steps[of(c)] < steps[of(m)], "{m:?} by {c:?}, heard at once")).count()
}

fn told(make: fn(&Change) -> Scene, change: &Change) -> ToldInScene {
    let mut scene = make(change);
    let (mut out, mut messages) = (Outputs::default(), Vec::new());
    let (mut steps, mut step) = (Vec::new(), 0);
    while let Some(event) = scene.event() {
        scene.engine.step(&event, &mut out);
        messages.append(&mut out.messages);
        steps.resize(messages.len(), step);
        step += 1;
    }
    let echoes = heard_later(&messages, &steps);
    let (speak, respond) = (&scene.engine.speak, &scene.engine.respond);
    let mut deeds = BTreeMap::new();
    for m in messages.iter().filter(|m| !m.swayed.is_empty()) {
        let Speaker::Agent(agent) = m.from else { panic!("{m:?}") };
        *deeds.entry(scene.engine.cast().agents[agent.index()].family).or_default() += 1;
    }
    ToldInScene {
        decisions: respond.decisions.to_string(),
        alone: hash(&speak.curve),
        open: hash(&respond.open),
        messages,
        deeds,
        echoes,
        shares: scene.engine.cast().agents[..scene.engine.cast().declared]
            .iter()
            .map(|a| (a.family, respond.company[a.id.index()].share()))
            .collect(),
    }
}

/// What alone lives said, word for word.
fn alone(messages: &[Message]) -> String {
    let own = messages.iter().filter(|m| m.life != SpokenBy::Open);
    let own = own.filter(|m| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_)));
    hash(&own.map(|m| (m.at, m.from, m.asset, &m.body)).collect::<Vec<_>>())
}

/// Nobody at bars lives by anything.
fn legs_only(config: &mut Config) {
    in_company(config);
    let at_bars = config.roster.agents.iter_mut().filter(|a| !a.family.is_structured());
    at_bars.for_each(|a| a.reacts.clear());
}

fn switched_off(config: &mut Config) {
    legs_only(config);
    config.listening.reactions = false;
}

fn deafened(config: &mut Config) {
    legs_only(config);
    config.listening.enabled = false;
}

fn hermits(config: &mut Config) {
    config.roster.agents.iter_mut().for_each(|a| a.reacts.clear());
}

#[test]
fn what_others_say_moves_open_lives_in_legs_and_no_alone_word_and_no_money() {
    let house: fn(&Change) -> Scene = |change| scenes::house((20, 4), change);
    let [none, some, off, deaf, all]: [ToldInScene; 5] = std::thread::scope(|threads| {
        let changes: [&Change; 5] = [&hermits, &legs_only, &switched_off, &deafened, &in_company];
        let runs = changes.map(|change| threads.spawn(move || told(house, change)));
        runs.map(|run| run.join().unwrap())
    });
    assert_eq!(hash(&off.messages), hash(&none.messages));
    assert_eq!((&off.open, &off.decisions), (&none.open, &none.decisions));
    assert_eq!(deaf.alone, deaf.open, "the deaf live one life");
    assert!(deaf.deeds.is_empty() && deaf.messages.iter().all(|m| m.life == SpokenBy::Both));
    // Each was heard in an earlier step, by those at bars too.
    assert!(some.echoes > 10 && all.echoes > some.echoes, "{} {}", some.echoes, all.echoes);
    assert!(some.deeds.keys().all(|f| f.is_structured() || f.trades_as_listed()), "{:?}", some.deeds);
    assert!(some.deeds.len() >= 6, "{:?}", some.deeds);
    assert_eq!(alone(&some.messages), alone(&none.messages), "alone lives hear nobody");
    assert_eq!((&some.alone, &some.decisions), (&none.alone, &none.decisions), "money follows alone lives");
    assert_ne!(some.open, none.open);
    assert!(none.shares.iter().all(|(_, share)| *share == 0.0));
    let apart = some.shares.iter().filter(|(family, share)| family.is_structured() && *share > 0.0).count();
    let at_bars =
        some.shares.iter().filter(|(family, _)| !family.is_structured() && !family.trades_as_listed());
    assert!(apart >= 6, "{:?}", some.shares);
    assert!(at_bars.map(|(_, share)| share).all(|share| *share == 0.0), "{:?}", some.shares);
}

/// All that a scene has to say, everybody in it living by reactions.
fn in_one_scene(scene: usize) -> (Scene, Vec<Event>) {
    let mut scene = scenes::ALL[scene](&in_company);
    let events = std::iter::from_fn(|| scene.event()).collect();
    (scene, events)
}

#[test]
fn who_is_deafened_in_legs_is_its_alone_life_again() {
    let (mut scene, events) = in_one_scene(3);
    let mut out = Outputs::default();
    let (before, after) = events.split_at(events.len() / 2);
    let mut was_apart = 0;
    for event in before {
        scene.engine.step(event, &mut out);
        was_apart += scene.engine.respond.open_legs.iter().filter(|o| o.is_apart()).count();
    }
    assert!(was_apart > 100, "{was_apart}");
    for agent in 0..scene.engine.cast().declared {
        let now = before[before.len() - 1].at();
        scene.engine.step(&Event::Command(now, Command::Deafen(AgentId(agent as u32))), &mut out);
    }
    for event in after {
        scene.engine.step(event, &mut out);
        assert!(out.messages.iter().all(|m| m.swayed.is_empty()));
    }
    assert!(scene.engine.respond.open_legs.iter().all(|o| !o.is_apart()));
}

#[test]
fn a_run_goes_on_from_a_snapshot_with_open_lives_in_legs_that_are_apart() {
    let (mut whole, events) = in_one_scene(3);
    let (mut out, mut cut, mut bytes) = (Outputs::default(), 0, Vec::new());
    for (n, event) in events.iter().enumerate() {
        whole.engine.step(event, &mut out);
        let is_apart = || whole.engine.respond.open_legs.iter().any(OpenLegs::is_apart);
        if n > events.len() / 3 && bytes.is_empty() && is_apart() {
            (cut, bytes) = (n + 1, whole.engine.snapshot().unwrap());
        }
    }
    let (mut second, _) = in_one_scene(3);
    second.engine.restore(&bytes).unwrap();
    events[cut..].iter().for_each(|event| second.engine.step(event, &mut out));
    assert_eq!(second.engine.state_hash(), whole.engine.state_hash());
}

/// What an open life gained apart stays with it: together with its alone life it gains the same.
#[test]
fn what_an_open_life_in_legs_gained_apart_stays_with_it() {
    let (mut scene, events) = in_one_scene(5);
    let (mut out, mut kept) = (Outputs::default(), 0);
    let worth = |engine: &Engine, life: &StructureLife| {
        life.legs.market_value(&engine.cast().listed, &engine.speak.market)
    };
    // By structure: what it is worth beyond its alone life.
    let mut beyond = vec![0.0; scene.engine.cast().structures.len()];
    for event in &events {
        let engine = &mut scene.engine;
        let apart = |(twin, open): (&DualFill, &OpenLegs)| {
            open.is_apart().then(|| worth(engine, open.life(twin)) - worth(engine, &twin.life))
        };
        let before: Vec<Option<f64>> =
            engine.speak.structures.twins.iter().zip(&engine.respond.open_legs).map(apart).collect();
        engine.step(event, &mut out);
        let all = engine.speak.structures.twins.iter().zip(&engine.respond.open_legs).zip(before);
        for (((twin, open), before), beyond) in all.zip(&mut beyond) {
            *beyond += before.filter(|_| !open.is_apart()).unwrap_or(0.0);
            if !open.is_apart() && matches!(event, Event::Barrier(_)) {
                let now = open.marked(twin) - twin.marked();
                assert!((*beyond - now).abs() < 1e-6, "{beyond} is {now}");
                kept += usize::from(now != 0.0);
            }
        }
    }
    assert!(kept > 100, "{kept} barriers at which something was kept");
}

/// The perp of the carries falls silent at different times: whatever open life holds it then closes it, and says so.
#[test]
fn an_instrument_that_stops_trading_is_gone_for_open_lives_in_legs_too() {
    let (gone, mut closed) = (InstrumentId(0), 0);
    let holds = |life: &StructureLife| {
        life.life.open().is_some_and(|o| o.legs.iter().any(|l| l.leg.instrument == gone))
            || life.legs.of(gone) != 0.0
    };
    for silent in (100..900).step_by(20) {
        let (mut scene, events) = in_one_scene(5);
        let from = bar_at(silent);
        let lasts =
            |e: &&Event| !matches!(e, Event::Market(m) if m.instrument() == Some(gone) && m.at() > from);
        let mut out = Outputs::default();
        for event in events.iter().filter(lasts) {
            let engine = &mut scene.engine;
            let held: Vec<bool> = {
                let all = engine.speak.structures.twins.iter().zip(&engine.respond.open_legs);
                all.map(|(twin, open)| open.is_apart() && holds(open.life(twin))).collect()
            };
            engine.step(event, &mut out);
            let Event::Barrier(at) = event else { continue };
            if engine.speak.market.instruments[gone.index()].delisted_at != Some(*at) {
                continue;
            }
            let all = engine.speak.structures.twins.iter().zip(&engine.respond.open_legs);
            for ((twin, open), _) in all.zip(held).filter(|(_, held)| *held) {
                assert!(!holds(open.life(twin)), "from bar {silent}");
                closed += 1;
            }
            let is_said = |m: &Message| {
                let action = actions(std::slice::from_ref(m)).next();
                action.is_some_and(|(m, a)| m.life == SpokenBy::Open && a.reason == Reason::Delisted)
            };
            closed += usize::from(out.messages.iter().any(is_said));
        }
    }
    assert!(closed > 10, "{closed}");
}

/// A rule drawn by its key, whose words and waits last no longer than eight of these.
fn drawn(key: u64, agents: &[String], unit: Span) -> Reaction {
    let pick = |salt: u64, n: usize| (random::uniform(random::mix(key, salt)) * n as f64) as usize;
    let what = match pick(1, 5) {
        0 | 1 => Hearing::Opened,
        2 => Hearing::Closed,
        3 => Hearing::Won,
        _ => Hearing::Lost(None),
    };
    let who = if pick(2, 3) == 0 { Whom::Agent(agents[pick(3, agents.len())].clone()) } else { Whom::Anyone };
    let side = [HeardSide::With, HeardSide::Against, HeardSide::Either, HeardSide::Either][pick(4, 4)];
    let spans = |n: usize| Span(n as i64 * unit.0);
    let then = match pick(5, 8) {
        0 | 1 => ReactionEffect::Wait(spans(1 + pick(6, 8))),
        2 => ReactionEffect::Size([0.25, 0.5, 1.25, 2.0][pick(7, 4)]),
        3 => ReactionEffect::Stop([0.3, 0.7][pick(8, 2)]),
        4 => ReactionEffect::Target([0.5, 0.8, 1.5, 2.0][pick(9, 4)]),
        5 => ReactionEffect::Hedge([0.3, 0.6][pick(10, 2)]),
        _ => ReactionEffect::Cut([0.25, 0.5, 1.0][pick(11, 3)]),
    };
    let (at_least, within, on) = (1 + pick(12, 2) as u32, spans(1 + pick(13, 8)), HeardOn::Mine);
    Reaction { name: format!("drawn {key}"), hears: Hears { what, who, on, side, at_least, within }, then }
}

/// Numbers of which each has its own.
const NUMBERS: [&str; 3] = ["hurdle", "hold", "size"];

/// Two to five of those who are in a scene, each with numbers of its own and up to four drawn rules.
fn drawn_roster(config: &mut Config, key: u64, unit: Span) {
    let own = |salt: u64| random::mix(key, salt);
    let kinds = std::mem::take(&mut config.roster.agents);
    let n = 2 + (random::uniform(own(1)) * 4.0) as usize;
    let names: Vec<String> = (0..n).map(|i| format!("drawn-{i}")).collect();
    for (i, name) in names.iter().enumerate() {
        let mut agent = kinds[i % kinds.len()].clone();
        agent.name.clone_from(name);
        for (name, number) in agent.params.iter_mut().filter(|(n, _)| NUMBERS.contains(&n.as_str())) {
            let times = 0.7 + 0.6 * random::uniform(random::mix(own(50 + i as u64), random::name(name)));
            *number = DrawnNumber { from: number.from * times, to: number.from * times };
        }
        let rules = (random::uniform(own(10 + i as u64)) * 5.0) as u64;
        agent.reacts = (0..rules).map(|r| drawn(own(100 * (i as u64 + 1) + r), &names, unit)).collect();
        config.roster.agents.push(agent);
    }
}

/// What an open life in legs has done, by its words so far.
#[derive(Default)]
struct WatchedInLegs {
    /// Intents that were opened, or kept from it.
    intents: usize,
    acts: usize,
    acted: BTreeSet<u8>,
    /// Its stop, in basis points of gain: never to fall within an intent.
    stop: f64,
}

/// The rules of what is sound by construction, message by message.
struct WatchInLegs {
    key: u64,
    all: BTreeMap<(AgentId, AssetId), WatchedInLegs>,
    messages: Vec<Message>,
    /// In which step each was said.
    steps: Vec<usize>,
}

impl WatchInLegs {
    fn hear(&mut self, engine: &Engine, (step, m): (usize, Message)) {
        self.steps.push(step);
        let (Speaker::Agent(who), Some(asset)) = (m.from, m.asset) else { return self.messages.push(m) };
        let (key, agent) = (self.key, &engine.cast().agents[who.index()]);
        let of = self.all.entry((who, asset)).or_default();
        let action = actions(std::slice::from_ref(&m)).next().map(|(_, a)| a.clone());
        let opens = action.as_ref().is_some_and(|a| a.verb == Verb::Open);
        if m.life != SpokenBy::Alone && (opens || matches!(m.body, MessageKind::Wait(_))) {
            of.intents += 1;
            of.acted.clear();
            of.stop = f64::NEG_INFINITY;
        }
        for swayed in &m.swayed {
            of.acts += 1;
            assert!(of.acted.insert(swayed.reaction), "{key}: twice an intent: {m:?}");
            let said: Vec<&Message> =
                swayed.causes.iter().map(|c| &self.messages[c.message.0 as usize - 1]).collect();
            let is_open = said.iter().any(|s| s.life == SpokenBy::Open);
            let is_cautious = agent.reacts[usize::from(swayed.reaction)].rule.then.is_cautious();
            assert!(is_cautious || !is_open, "{key}: bold, of depth two: {m:?}");
            assert!(said.iter().all(|s| s.from != m.from), "{key}: moved by itself: {m:?}");
            assert!(!is_open || said.len() >= 2, "{key}: an echo of one: {m:?}");
        }
        if let Some(a) = action.filter(|_| m.life != SpokenBy::Alone) {
            let Term::Level(stop) = a.plan.stop.right else { panic!("{a}") };
            assert!(stop >= of.stop, "{key}: a stop farther than its own: {a}");
            of.stop = stop;
        }
        self.messages.push(m);
    }

    /// Nobody holds more than by itself, adds included.
    fn look(&self, engine: &Engine) {
        let (speak, cast) = (&engine.speak, engine.cast());
        for ((s, twin), open) in
            cast.structures.iter().zip(&speak.structures.twins).zip(&engine.respond.open_legs)
        {
            let Some(held) = open.life(twin).life.open() else { continue };
            let agent = &cast.agents[s.agent.index()];
            let preset = agent.strategy.preset();
            let adds = f64::from(preset.adds) * preset.add_size * agent.traits.conviction;
            assert!(held.units <= held.own * (1.0 + adds) * (1.0 + 1e-9), "{}: {held:?}", self.key);
        }
    }
}

/// The newest of each kind that is told of each instrument, at a later moment and with the price standing still.
fn still(last: &BTreeMap<(InstrumentId, u8), MarketEvent>, now: Stamp, is_barred: bool) -> Vec<Event> {
    let again = last.values().map(|event| match event.told_at(now) {
        MarketEvent::Bar { instrument, at, bar: Bar { close, volume, .. } } => {
            let bar = Bar { open: close, high: close, low: close, close, volume };
            MarketEvent::Bar { instrument, at, bar }
        }
        event => event,
    });
    again.map(Event::Market).chain(is_barred.then_some(Event::Barrier(now))).collect()
}

/// A drawn roster in a scene and then in its market standing still: its deeds, and the looks after twenty units at which no
/// alone life spoke.
fn sound_by_construction(key: u64) -> [usize; 3] {
    // All but the house, which takes long; each with what is short in it.
    let scenes = [(1, 30), (2, 30), (3, 30), (4, 600), (5, 4 * 3_600)];
    let (scene, seconds) = scenes[(key % 5) as usize];
    let unit = Span::seconds(seconds);
    let mut scene = scenes::ALL[scene](&move |config: &mut Config| drawn_roster(config, key, unit));
    let mut watch = WatchInLegs { key, all: BTreeMap::new(), messages: Vec::new(), steps: Vec::new() };
    let mut step = 0;
    let (mut out, mut last, mut is_barred) = (Outputs::default(), BTreeMap::new(), false);
    let mut now = Stamp(0);
    while let Some(event) = scene.event() {
        match event {
            Event::Market(MarketEvent::Settled { instrument, .. }) => {
                last.retain(|(id, _), _| *id != instrument);
            }
            Event::Market(
                of @ (MarketEvent::Quote { .. } | MarketEvent::Pool { .. } | MarketEvent::Bar { .. }),
            ) => {
                last.insert((of.instrument().unwrap(), matches!(of, MarketEvent::Pool { .. }).into()), of);
            }
            Event::Barrier(_) => is_barred = true,
            _ => {}
        }
        now = event.at();
        scene.engine.step(&event, &mut out);
        step += 1;
        out.messages.drain(..).for_each(|m| watch.hear(&scene.engine, (step, m)));
        watch.look(&scene.engine);
    }
    let (mut spoke, mut frozen) = (now, 0);
    for _ in 0..60 {
        now = now.after(unit);
        for event in still(&last, now, is_barred) {
            scene.engine.step(&event, &mut out);
            step += 1;
            let is_word = |m: &Message| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_));
            if out.messages.iter().any(|m| m.life != SpokenBy::Open && is_word(m)) {
                spoke = now;
            }
            let is_quiet = now.since(spoke).0 > 20 * unit.0;
            frozen += usize::from(is_quiet);
            for m in out.messages.drain(..) {
                assert!(!is_quiet || m.swayed.is_empty(), "{key}: {} quiet: {m:?}", now.since(spoke));
                watch.hear(&scene.engine, (step, m));
            }
            watch.look(&scene.engine);
        }
    }
    for ((who, asset), of) in &watch.all {
        let rules = scene.engine.cast().agents[who.index()].reacts.len();
        assert!(of.acts <= of.intents * rules, "{key}: {who:?} on {asset:?}: {} acts", of.acts);
    }
    let deeds = watch.messages.iter().filter(|m| !m.swayed.is_empty()).count();
    [deeds, frozen, heard_later(&watch.messages, &watch.steps)]
}

/// Five hundred rosters; `HIVE_ROSTERS` says how many others there are to be.
#[test]
fn reactions_in_legs_are_bounded_by_construction_on_random_rosters() {
    let rosters = std::env::var("HIVE_ROSTERS").ok().and_then(|n| n.parse().ok()).unwrap_or(500_u64);
    let all = std::thread::scope(|threads| {
        let half = |of: u64| move || (of..rosters).step_by(2).map(sound_by_construction).collect::<Vec<_>>();
        let runs = [threads.spawn(half(0)), threads.spawn(half(1))];
        runs.map(|run| run.join().unwrap()).concat()
    });
    let [deeds, frozen, echoes] = [0, 1, 2].map(|n| all.iter().map(|of| of[n]).sum::<usize>());
    println!(
        "{deeds} deeds of {rosters} rosters in legs, {echoes} by what open lives said; {frozen} events more than 20 units \
         after the last alone word"
    );
    let is_enough = deeds.min(frozen) as u64 > 5 * rosters && 20 * echoes as u64 > rosters;
    assert!(is_enough, "{deeds} {frozen} {echoes}: nothing was tested");
}
