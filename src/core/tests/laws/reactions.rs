//! Agents answer each other: what one does changes whether, when, how far and how long another does its own thing. Every
//! effect has its deed, the deed has its causes, and without the company there is none.

use crate::common::{Run, Tape, hash, run, shipped};
use hive_core::config::Config;
use hive_core::fills::pace::unit;
use hive_core::hive::settings::MoneyFollows;
use hive_domain::{
    Action, AgentId, AnnouncedLevel, AssetId, Bar, Command, Event, FamilyId, Goal, HeardOn, HeardSide,
    Hearing, Hears, InstrumentId, MarketEvent, Message, MessageKind, PendingEntry, Plan, Reaction,
    ReactionEffect, Reason, Span, Speaker, SpokenBy, Stamp, Swayed, Term, Verb, Whom, random,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Days of the embedded market that most of these look at.
const DAYS: u32 = 200;

fn rule(what: Hearing, side: HeardSide, at_least: u32, then: ReactionEffect) -> Reaction {
    let (who, on, within) = (Whom::Anyone, HeardOn::Mine, Span(2 * Span::DAY.0));
    Reaction { name: "probe".to_owned(), hears: Hears { what, who, on, side, at_least, within }, then }
}

/// The shipped roster without scouts, everybody living by these rules alone.
fn living_by(rules: &[Reaction]) -> Config {
    let mut config = shipped();
    config.roster.scouts = 0;
    config.roster.agents.iter_mut().for_each(|a| a.reacts = rules.to_vec());
    config
}

pub(super) fn speaker(m: &Message) -> AgentId {
    match m.from {
        Speaker::Agent(agent) => agent,
        other => panic!("{other:?} has no lives"),
    }
}

/// The deeds that something swayed.
pub(super) fn deeds(messages: &[Message]) -> impl Iterator<Item = &Message> {
    messages.iter().filter(|m| !m.swayed.is_empty())
}

fn action(m: &Message) -> Option<&Action> {
    if let MessageKind::Action(action) = &m.body { Some(action) } else { None }
}

/// What alone lives said, word for word.
fn alone(messages: &[Message]) -> String {
    let own = messages.iter().filter(|m| m.life != SpokenBy::Open);
    let own = own.filter(|m| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_)));
    hash(&own.map(|m| (m.at, m.from, m.asset, &m.body)).collect::<Vec<_>>())
}

/// What an agent last held on an asset by its open life's words, before a message.
fn held_before(messages: &[Message], m: &Message) -> f64 {
    let own = messages[..m.id.0 as usize - 1].iter().rev();
    let mut own = own.filter(|o| o.from == m.from && o.asset == m.asset && o.life != SpokenBy::Alone);
    own.find_map(action).map_or(0.0, |a| a.after)
}

#[test]
fn without_reactions_open_lives_are_the_alone_ones_and_with_them_nothing_of_alone_words_or_money_moves() {
    let tape = Tape::market(DAYS);
    let waits = rule(Hearing::Opened, HeardSide::Either, 1, ReactionEffect::Wait(Span::DAY));
    let cuts = rule(Hearing::Closed, HeardSide::With, 1, ReactionEffect::Cut(0.5));
    let (none, some) = (run(&living_by(&[]), &tape), run(&living_by(&[waits.clone(), cuts.clone()]), &tape));
    let mut switched_off = living_by(&[waits, cuts]);
    switched_off.listening.reactions = false;
    let off = run(&switched_off, &tape);
    assert_eq!(hash(&off.messages), hash(&none.messages));
    assert_eq!(off.engine.respond.open, none.engine.respond.open);
    assert!(deeds(&none.messages).next().is_none() && none.messages.iter().all(|m| m.life == SpokenBy::Both));

    assert!(deeds(&some.messages).count() > 100, "{}", deeds(&some.messages).count());
    assert_eq!(alone(&some.messages), alone(&none.messages), "alone lives hear nobody");
    assert_eq!(some.engine.respond.decisions, none.engine.respond.decisions, "money follows alone lives");
    assert_ne!(some.engine.respond.open, none.engine.respond.open);
    let mut follows = living_by(&[rule(Hearing::Closed, HeardSide::With, 1, ReactionEffect::Cut(0.5))]);
    follows.listening.money = MoneyFollows::Open;
    assert_ne!(run(&follows, &tape).engine.respond.decisions, none.engine.respond.decisions);
}

#[test]
fn the_deaf_live_by_no_reaction_and_one_who_is_deafened_is_its_alone_life_again() {
    let tape = Tape::market(DAYS);
    let mut config =
        living_by(&[rule(Hearing::Opened, HeardSide::Either, 1, ReactionEffect::Wait(Span::DAY))]);
    config.listening.enabled = false;
    assert!(deeds(&run(&config, &tape).messages).next().is_none());
    config.listening.enabled = true;
    let mut run = Run::start(&config, &tape.universe);
    let half = tape.after(tape.barriers() / 2);
    run.play(&tape.events[..half]);
    assert!(run.engine.respond.open_lives.iter().any(Option::is_some));
    let at = tape.events[half - 1].at();
    let deafen: Vec<Event> = (0..run.engine.cast().declared)
        .map(|a| Event::Command(at, Command::Deafen(AgentId(a as u32))))
        .collect();
    run.play(&deafen);
    let before = run.messages.len();
    run.play(&tape.events[half..]);
    assert!(run.messages[before..].iter().all(|m| m.swayed.is_empty() && m.life != SpokenBy::Open));
    assert!(run.engine.respond.open_lives.iter().all(Option::is_none));
}

/// The opening that a word is, or that an order at rest comes to where it is filled.
fn opening(m: &Message) -> Option<Action> {
    match &m.body {
        MessageKind::Action(a) => Some(a.clone()),
        MessageKind::Rest(PendingEntry { intent, after, limit, plan, .. }) => Some(Action {
            verb: Verb::Open,
            intent: *intent,
            reason: Reason::Signal,
            before: 0.0,
            after: *after,
            delta: *after,
            price: *limit,
            plan: Arc::clone(plan),
        }),
        _ => None,
    }
}

/// What a deed changed: the words before it that say what would have been, and the price at which its intent was opened. Of
/// an opening they are the alone life's at the same barrier, if that opens too.
fn without(messages: &[Message], m: &Message, deed: &Action) -> Option<(Action, f64)> {
    if deed.verb == Verb::Open {
        let same =
            |o: &&Message| (o.at, o.from, o.asset) == (m.at, m.from, m.asset) && o.life != SpokenBy::Open;
        let mut own = messages.iter().rev().filter(same).filter_map(opening);
        let alone = own.find(|a| a.verb == Verb::Open && a.side() == deed.side())?;
        let price = alone.price;
        return Some((alone, price));
    }
    let own = messages[..m.id.0 as usize - 1].iter().rev();
    let own = own.filter(|o| (o.from, o.asset) == (m.from, m.asset) && o.life != SpokenBy::Alone);
    let mut own = own.filter_map(action).filter(|a| a.intent == deed.intent);
    let last = own.next()?;
    let opened = if last.verb == Verb::Open { Some(last) } else { own.find(|a| a.verb == Verb::Open) };
    Some((last.clone(), opened?.price))
}

/// What a deed of each effect must look like, with the position before it.
pub(super) fn is_deed_of(then: ReactionEffect, messages: &[Message], m: &Message) -> bool {
    let before = held_before(messages, m);
    let a = match (then, &m.body) {
        (ReactionEffect::Wait(span), MessageKind::Wait(w)) => {
            // Who is in legs says at the next event what it decided when a stamp was over.
            let late = m.at.since(w.until).0 + span.0;
            return (0..Span::HOUR.0).contains(&late) && w.without != before;
        }
        (ReactionEffect::Wait(_), _) => return false,
        _ => match opening(m) {
            Some(a) => a,
            None => return false,
        },
    };
    let a = &a;
    let is_taken = |x: f64, reason| match a.verb {
        Verb::Close => x == 1.0 && (a.reason, a.after) == (reason, 0.0),
        Verb::Decrease => a.reason == reason && (a.after / before - (1.0 - x)).abs() < 1e-9,
        _ => false,
    };
    // A level is moved about the entry.
    let is_moved = |x: f64, level: fn(&Plan) -> Term| {
        // A gain is one over the entry already.
        let about = |was: &Action, entry| if was.plan.stop.left == Term::Close { entry } else { 0.0 };
        let is_at = |(was, entry): (Action, f64)| match (level(&was.plan), level(&a.plan)) {
            (Term::Level(to), Term::Level(is)) => {
                let times = (is - about(&was, entry)) / (to - about(&was, entry));
                // What it costs to come in and out is no part of a gain, and no target is nearer than that.
                let is_after = (1.0 - times) / (1.0 - x) < 1.0 + 1e-9 && (1.0 - times) / (1.0 - x) > 0.0;
                (times - x).abs() < 1e-9 || was.plan.stop.left != Term::Close && is_after
            }
            other => panic!("{other:?}"),
        };
        let is_verb = a.verb == Verb::Open || (a.verb == Verb::Amend && a.after == before);
        is_verb && without(messages, m, a).is_none_or(is_at)
    };
    match then {
        ReactionEffect::Wait(_) => false,
        ReactionEffect::Enter(_) => (a.verb, a.reason) == (Verb::Open, Reason::Heard) && before == 0.0,
        ReactionEffect::Size(x) => {
            let times = without(messages, m, a).map(|(own, _)| a.after / own.after);
            let is_so = |t: f64| (t - x).abs() < 1e-9 || (1.0 < t && t < x);
            a.verb == Verb::Open && times.is_none_or(is_so)
        }
        ReactionEffect::Stop(x) => is_moved(x, |plan| plan.stop.right),
        ReactionEffect::Target(x) => is_moved(x, |plan| plan.targets[0].when.right),
        ReactionEffect::Cut(x) => is_taken(x, Reason::Heard),
        ReactionEffect::Hedge(x) => is_taken(x, Reason::Hedge),
    }
}

/// Whether a message is what a rule listens for, from somebody else and no later than the deed.
fn is_cause(hears: &Hears, deed: &Message, cause: &Message) -> bool {
    let is_kind = match (hears.what, &cause.body) {
        (Hearing::Opened, MessageKind::Action(a)) => matches!(a.verb, Verb::Open | Verb::Increase),
        (Hearing::Added, MessageKind::Action(a)) => a.verb == Verb::Increase,
        (Hearing::Closed, MessageKind::Action(a)) => matches!(a.verb, Verb::Close | Verb::Decrease),
        (Hearing::Reduced, MessageKind::Action(a)) => a.verb == Verb::Decrease,
        (Hearing::Confirmed, MessageKind::Stance(s)) => s.result.abs() > s.own.abs(),
        (Hearing::Turned { .. }, MessageKind::Adjustment(a)) => a.agent.is_none(),
        (Hearing::Won, MessageKind::Outcome(o)) => o.pnl > 0.0,
        (Hearing::Lost(_), MessageKind::Outcome(o)) => o.pnl <= 0.0,
        (Hearing::Near(..), MessageKind::Action(_)) | (Hearing::Goal { .. }, MessageKind::Goal(_)) => true,
        _ => false,
    };
    let is_recent = matches!(hears.what, Hearing::Near(..) | Hearing::Goal { .. })
        || deed.at.since(cause.at) <= hears.within;
    is_kind && is_recent && cause.at <= deed.at && cause.id < deed.id && cause.from != deed.from
}

/// Every effect on every kind of word, the bold ones too.
pub(super) fn probes() -> Vec<Reaction> {
    use ReactionEffect::*;
    let lost = Hearing::Lost(None);
    let near = |level| Hearing::Near(level, 4.0);
    let goal = Hearing::Goal { goal: Goal::BigMoney, below: true, score: 0.9, met: None };
    vec![
        rule(Hearing::Opened, HeardSide::With, 2, Wait(Span::DAY)),
        rule(Hearing::Opened, HeardSide::With, 1, Enter(true)),
        rule(Hearing::Opened, HeardSide::Against, 1, Enter(false)),
        rule(Hearing::Opened, HeardSide::With, 1, Size(0.5)),
        rule(goal, HeardSide::Either, 1, Size(1.25)),
        rule(Hearing::Opened, HeardSide::Against, 1, Stop(0.6)),
        rule(lost, HeardSide::With, 1, Stop(0.7)),
        rule(Hearing::Won, HeardSide::Either, 1, Target(0.6)),
        rule(Hearing::Won, HeardSide::With, 1, Target(1.5)),
        rule(Hearing::Closed, HeardSide::With, 1, Cut(1.0)),
        rule(Hearing::Closed, HeardSide::Either, 2, Cut(0.5)),
        rule(near(AnnouncedLevel::Stop), HeardSide::With, 1, Hedge(0.5)),
        rule(near(AnnouncedLevel::Target), HeardSide::With, 1, Cut(0.25)),
        rule(near(AnnouncedLevel::Add), HeardSide::With, 1, Target(1.25)),
        rule(goal, HeardSide::Either, 1, Stop(0.7)),
        rule(Hearing::Added, HeardSide::Against, 1, Cut(0.5)),
        rule(Hearing::Reduced, HeardSide::Against, 1, Target(1.25)),
        rule(Hearing::Confirmed, HeardSide::With, 2, Size(0.5)),
    ]
}

#[test]
fn each_effect_is_a_deed_with_causes_that_add_up_and_without_company_there_is_none() {
    let tape = Tape::market(DAYS);
    for probe in probes() {
        let what = probe.to_string();
        let config = living_by(std::slice::from_ref(&probe));
        let heard = run(&config, &tape);
        let mut seen = 0;
        for deed in deeds(&heard.messages) {
            seen += 1;
            assert_eq!(deed.life, SpokenBy::Open, "{what}: {deed:?}");
            assert!(is_deed_of(probe.then, &heard.messages, deed), "{what}: {deed:?}");
            let [Swayed { reaction: 0, causes }] = &deed.swayed[..] else { panic!("{what}: {deed:?}") };
            let mut speakers = Vec::new();
            for cause in causes {
                let said = &heard.messages[cause.message.0 as usize - 1];
                assert!(is_cause(&probe.hears, deed, said), "{what}: {deed:?} because of {said:?}");
                assert!(
                    probe.then.is_cautious() || said.life != SpokenBy::Open,
                    "bold by an open word: {deed:?}"
                );
                if !matches!(said.body, MessageKind::Goal(_)) {
                    speakers.push(speaker(said));
                }
            }
            let all = speakers.len();
            speakers.sort_unstable();
            speakers.dedup();
            assert_eq!(speakers.len(), all, "{what}: each speaker once");
            assert!(all == 0 || all >= probe.hears.at_least as usize, "{what}: {deed:?}");
            let change: f64 = causes.iter().map(|c| c.part).sum();
            let before = held_before(&heard.messages, deed);
            let changed = match (&deed.body, probe.then) {
                (MessageKind::Wait(w), _) => before - w.without,
                (MessageKind::Action(_), ReactionEffect::Stop(x) | ReactionEffect::Target(x)) => x - 1.0,
                (MessageKind::Action(a), ReactionEffect::Size(_)) => {
                    change.signum() * (a.after - a.after / (1.0 + change / (a.after - change))).abs()
                }
                (MessageKind::Action(a), _) => a.after - before,
                other => panic!("{what}: {other:?}"),
            };
            assert!((change - changed).abs() < 1e-9, "{what}: {change} for {changed}: {deed:?}");
        }
        assert!(seen >= 5, "{what}: {seen} deeds");
        // The same market; the others have no voice from the first bar on.
        if matches!(probe.hears.what, Hearing::Goal { .. }) {
            continue;
        }
        let mut silent = Run::start(&config, &tape.universe);
        let first = tape.events[0].at();
        let mutes: Vec<Event> = (0..silent.engine.cast().declared)
            .map(|a| Event::Command(first, Command::Mute(AgentId(a as u32))))
            .collect();
        silent.play(&mutes).play(&tape.events);
        assert!(deeds(&silent.messages).next().is_none(), "{what}: by whom?");
    }
}

#[test]
fn a_rule_that_is_turned_round_makes_other_deeds() {
    let tape = Tape::market(DAYS);
    let told = |rule: Reaction| {
        let run = run(&living_by(&[rule]), &tape);
        let told: Vec<_> = deeds(&run.messages).map(|m| (m.at, m.from, m.asset, m.body.clone())).collect();
        told
    };
    for probe in probes() {
        let turned = match (probe.hears.side, probe.then) {
            (_, ReactionEffect::Enter(with)) => {
                Reaction { then: ReactionEffect::Enter(!with), ..probe.clone() }
            }
            (HeardSide::With, _) => {
                Reaction { hears: Hears { side: HeardSide::Against, ..probe.hears.clone() }, ..probe.clone() }
            }
            (HeardSide::Against, _) => {
                Reaction { hears: Hears { side: HeardSide::With, ..probe.hears.clone() }, ..probe.clone() }
            }
            (HeardSide::Either, _) => match probe.hears.what {
                Hearing::Goal { goal, below, score, met } => {
                    let what = Hearing::Goal { goal, below: !below, score, met };
                    Reaction { hears: Hears { what, ..probe.hears.clone() }, ..probe.clone() }
                }
                _ => Reaction {
                    hears: Hears { side: HeardSide::With, ..probe.hears.clone() },
                    ..probe.clone()
                },
            },
        };
        assert_ne!(told(probe.clone()), told(turned), "{probe}");
    }
}

/// A rule drawn by its key, whose words and waits last no longer than eight barriers.
fn drawn(key: u64, agents: &[String]) -> Reaction {
    let pick = |salt: u64, n: usize| (random::uniform(random::mix(key, salt)) * n as f64) as usize;
    let level = [AnnouncedLevel::Stop, AnnouncedLevel::Target, AnnouncedLevel::Add][pick(1, 3)];
    let what = match pick(2, 12) {
        0 => Hearing::Opened,
        1 => Hearing::Closed,
        2 => Hearing::Won,
        3 => Hearing::Lost(None),
        4 => Hearing::Lost(Some(Reason::Stop)),
        5 => Hearing::Added,
        6 => Hearing::Reduced,
        7 => Hearing::Amended,
        8 => Hearing::Waited,
        9 => Hearing::Doubted,
        10 => Hearing::Confirmed,
        _ => Hearing::Near(level, 1.0 + pick(3, 4) as f64),
    };
    let who = match pick(4, 4) {
        0 => Whom::Agent(agents[pick(5, agents.len())].clone()),
        1 => Whom::Family(FamilyId::ALL[pick(6, 7)]),
        2 => Whom::DeployedFor(Goal::ALL[pick(7, 4)]),
        _ => Whom::Anyone,
    };
    let on = if pick(8, 4) == 0 { HeardOn::Others } else { HeardOn::Mine };
    let side = [HeardSide::With, HeardSide::Against, HeardSide::Either][pick(9, 3)];
    let bars = |n: usize| Span(n as i64 * 4 * Span::HOUR.0);
    let then = match pick(10, 9) {
        0 => ReactionEffect::Wait(bars(1 + pick(11, 8))),
        1 => ReactionEffect::Enter(true),
        2 => ReactionEffect::Enter(false),
        3 => ReactionEffect::Size([0.25, 0.5, 1.25, 2.0][pick(12, 4)]),
        4 => ReactionEffect::Stop([0.3, 0.7][pick(13, 2)]),
        5 => ReactionEffect::Target([0.5, 0.8, 1.5, 2.0][pick(14, 4)]),
        6 => ReactionEffect::Cut([0.25, 0.5, 1.0][pick(15, 3)]),
        7 => ReactionEffect::Hedge([0.3, 0.6][pick(16, 2)]),
        _ => ReactionEffect::Stop(0.5),
    };
    let (at_least, within) = (1 + pick(17, 2) as u32, bars(1 + pick(18, 8)));
    Reaction { name: format!("drawn {key}"), hears: Hears { what, who, on, side, at_least, within }, then }
}

/// A small roster of shipped agents, each with up to four drawn rules; nobody tosses coins, so that there is quiet.
fn drawn_roster(key: u64) -> Config {
    let mut config = shipped();
    config.roster.scouts = 0;
    let own = |salt: u64| random::mix(key, salt);
    config.roster.agents.retain(|a| !a.family.is_structured() && a.family != FamilyId::Random);
    let n = config.roster.agents.len();
    config.roster.agents.rotate_left((random::uniform(own(1)) * n as f64) as usize);
    config.roster.agents.truncate(6);
    let names: Vec<String> = config.roster.agents.iter().map(|a| a.name.clone()).collect();
    for (i, agent) in config.roster.agents.iter_mut().enumerate() {
        let rules = (random::uniform(own(10 + i as u64)) * 5.0) as u64;
        agent.reacts = (0..rules).map(|r| drawn(own(100 * (i as u64 + 1) + r), &names)).collect();
    }
    config.seed = key;
    config
}

/// What an open life has done on an asset, by its words so far, and what its intent may still come to.
#[derive(Default)]
struct Watched {
    /// Intents that were opened, or kept from it.
    intents: usize,
    /// Reactions that acted, and which of them since the last intent began.
    acts: usize,
    acted: BTreeSet<u8>,
    /// The most that the open intent may come to by its own size and adds.
    most: f64,
    /// Distance of its stop, never to grow.
    away: f64,
}

/// The rules of what is sound by construction, message by message.
struct Watch {
    key: u64,
    all: BTreeMap<(AgentId, AssetId), Watched>,
}

/// How far away the stop of an action is from where it is about; a larger number is farther.
fn stop_away(a: &Action) -> Option<f64> {
    let Term::Level(price) = a.plan.stop.right else { return None };
    (a.plan.stop.left == Term::Close).then_some(-a.side() * price)
}

impl Watch {
    /// A word at a barrier: what moved it, how often, and whether it stays within its agent's own limits.
    fn hear(&mut self, run: &Run, m: &Message) {
        let (Speaker::Agent(who), Some(asset)) = (m.from, m.asset) else { return };
        let (key, cast) = (self.key, run.engine.cast());
        let agent = &cast.agents[who.index()];
        let of = self.all.entry((who, asset)).or_default();
        let opens = action(m).is_some_and(|a| a.verb == Verb::Open);
        if m.life != SpokenBy::Alone && (opens || matches!(m.body, MessageKind::Wait(_))) {
            of.intents += 1;
            of.acted.clear();
        }
        for swayed in &m.swayed {
            of.acts += 1;
            assert!(of.acted.insert(swayed.reaction), "{key}: twice an intent: {m:?}");
            let said: Vec<&Message> =
                swayed.causes.iter().map(|c| &run.messages[c.message.0 as usize - 1]).collect();
            let is_open = said.iter().any(|s| s.life == SpokenBy::Open);
            let is_cautious = agent.reacts[usize::from(swayed.reaction)].rule.then.is_cautious();
            assert!(is_cautious || !is_open, "{key}: bold, of depth two: {m:?}");
            assert!(said.iter().all(|s| s.from != m.from), "{key}: moved by itself: {m:?}");
            assert!(!is_open || said.len() >= 2, "{key}: an echo of one: {m:?}");
        }
        let Some(a) = action(m).filter(|_| m.life != SpokenBy::Alone) else { return };
        assert!(agent.side.allows(a.after), "{key}: {a}");
        if opens {
            let sigma = run.engine.speak.market.instruments[asset.index()].sigma;
            let preset = agent.strategy.preset();
            let adds = f64::from(agent.strategy.adds()) * preset.add_size * agent.traits.conviction;
            of.most = agent.strategy.unit() * unit(sigma) * (1.0 + adds);
            // What it would have taken alone, where it would at all.
            let same = |o: &&Message| {
                o.at == m.at && (o.from, o.asset, o.life) == (m.from, m.asset, SpokenBy::Alone)
            };
            let own = run.messages.iter().rev().take(200).filter(same).filter_map(action);
            let own = own.filter(|o| o.verb == Verb::Open && o.side() == a.side()).find_map(stop_away);
            of.away = own.unwrap_or(f64::INFINITY);
        }
        assert!(a.after.abs() <= of.most * (1.0 + 1e-9), "{key}: over its own size {}: {a}", of.most);
        if let Some(away) = stop_away(a) {
            assert!(away <= of.away + 1e-9 * away.abs(), "{key}: a stop farther than its own: {a}");
            of.away = away;
        }
    }

    /// What all of it comes to.
    fn settle(self, run: &Run) {
        for ((who, asset), of) in self.all {
            let rules = run.engine.cast().agents[who.index()].reacts.len();
            assert!(of.acts <= of.intents * rules, "{}: {who:?} on {asset:?}: {} acts", self.key, of.acts);
        }
    }
}

/// The last price of everything on a tape.
fn last_prices(tape: &Tape) -> BTreeMap<InstrumentId, f64> {
    let mut last = BTreeMap::new();
    for event in &tape.events {
        if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = event {
            last.insert(*instrument, bar.close);
        }
    }
    last
}

/// A barrier at which every price is as it was.
fn still(prices: &BTreeMap<InstrumentId, f64>, at: Stamp) -> Vec<Event> {
    let bar = |close| Bar { open: close, high: close, low: close, close, volume: 1e6 };
    let bars = prices.iter().map(|(id, close)| MarketEvent::Bar { instrument: *id, at, bar: bar(*close) });
    bars.map(Event::Market).chain([Event::Barrier(at)]).collect()
}

/// A roster over a tape and then in a market that stands still, its alone lives ending what they hold: its deeds, and
/// the barriers after twenty at which no alone life spoke.
fn sound_by_construction(key: u64, tape: &Tape) -> (usize, usize) {
    let (mut run, prices) = (Run::start(&drawn_roster(key), &tape.universe), last_prices(tape));
    let mut watch = Watch { key, all: BTreeMap::new() };
    let mut step = |run: &mut Run, events: &[Event]| {
        let before = run.messages.len();
        run.play(events);
        run.messages[before..].iter().for_each(|m| watch.hear(run, m));
        before
    };
    tape.events.iter().for_each(|event| {
        step(&mut run, std::slice::from_ref(event));
    });
    let (mut at, mut quiet, mut frozen) = (tape.events[tape.events.len() - 1].at(), 0, 0);
    for _ in 0..240 {
        at = at.after(Span(4 * Span::HOUR.0));
        let before = step(&mut run, &still(&prices, at));
        let new = &run.messages[before..];
        let is_word = |m: &Message| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_));
        quiet = if new.iter().any(|m| m.life != SpokenBy::Open && is_word(m)) { 0 } else { quiet + 1 };
        assert!(quiet <= 20 || deeds(new).next().is_none(), "{key}: after {quiet} quiet barriers: {new:?}");
        frozen += usize::from(quiet > 20);
    }
    let done = deeds(&run.messages).count();
    watch.settle(&run);
    (done, frozen)
}

/// A thousand rosters; `HIVE_ROSTERS` says how many others there are to be.
#[test]
fn reactions_are_bounded_by_construction_on_random_rosters() {
    let rosters = std::env::var("HIVE_ROSTERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_u64);
    let tape = Tape::market(60);
    let of = |key| sound_by_construction(random::mix(77, key), &tape);
    let (deeds, frozen) = (0..rosters).map(of).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    println!("{deeds} deeds of {rosters} rosters; {frozen} barriers more than 20 after the last alone word");
    assert!(
        deeds as u64 > 5 * rosters && frozen as u64 > 5 * rosters,
        "{deeds} {frozen}: nothing was tested"
    );
}

#[test]
fn company_share_is_nothing_for_a_hermit_and_something_for_who_listens() {
    let tape = Tape::market(DAYS);
    let mut config = living_by(&[
        rule(Hearing::Opened, HeardSide::With, 1, ReactionEffect::Size(0.5)),
        rule(Hearing::Opened, HeardSide::Against, 1, ReactionEffect::Stop(0.6)),
    ]);
    config.roster.agents[3].reacts.clear();
    let run = run(&config, &tape);
    let shares: Vec<f64> =
        run.engine.respond.company.iter().map(hive_core::engine::respond::CompanyShare::share).collect();
    assert_eq!(shares[3], 0.0);
    assert!(shares.iter().filter(|s| **s > 0.05).count() * 2 > shares.len(), "{shares:?}");
    assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)));
}
