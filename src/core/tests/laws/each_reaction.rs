//! Every reaction that is shipped, by its name: in the same market with other company it makes another deed, the deed is
//! what its scene here says, and turned round it is not.

use super::reactions::{deeds, is_deed_of, speaker};
use crate::common::{Run, Tape, served, shipped};
use hive_core::agents::declaration::Declaration;
use hive_core::config::{self, Config, READY};
use hive_core::hive::settings::{GoalTargets, Managers};
use hive_domain::{
    Action, AgentId, AnnouncedLevel, AssetId, Command, Event, FamilyId, Goal, HeardSide, Hearing, Message,
    MessageKind, Reaction, ReactionEffect, Speaker, SpokenBy, Stamp, StanceVerb, Term, Verb,
};
use hive_market::synth::{Detail, SynthFeed, SynthSettings};
use std::collections::{BTreeMap, BTreeSet};

/// Days of the embedded market that a scene takes.
const DAYS: u32 = 300;
/// The same in which legs are listed, and days of bars before them.
const IN_LEGS: (u32, u32) = (60, 12);

/// Whose words a scene is about.
#[derive(Clone, Copy)]
enum Company {
    Anyone,
    One,
    Family(FamilyId),
    Tracker,
    Manager,
}

/// Where a scene is played.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The ready roster in which the rule makes most deeds, on bars.
    Bars,
    /// Where agents carry and work orders for the desk.
    Served,
    /// Where those whose entries may rest at a level let them.
    Resting,
    /// The same as on bars, where legs are listed.
    Legs,
}

/// The shortest market on which services are asked for often enough.
const SERVED_DAYS: u32 = 200;

/// What a deed of a reaction looks like, said here and not taken from its rule.
#[derive(Clone, Copy)]
struct ReactionScene {
    name: &'static str,
    company: Company,
    /// What must have been said.
    word: Hearing,
    /// The speakers' side: +1 the holder's, −1 the other, 0 either.
    side: i8,
    is_elsewhere: bool,
    at_least: usize,
    /// How long ago, in hours.
    within: i64,
    then: ReactionEffect,
    stage: Stage,
    /// Rules by which the others live too, so that they say what is heard.
    beside: &'static [&'static str],
}

const fn scene(
    name: &'static str,
    company: Company,
    (word, side): (Hearing, i8),
    (at_least, within): (usize, i64),
    then: ReactionEffect,
) -> ReactionScene {
    let (stage, beside) = (Stage::Bars, &[]);
    ReactionScene { name, company, word, side, is_elsewhere: false, at_least, within, then, stage, beside }
}

const fn hours(n: i64) -> ReactionEffect {
    ReactionEffect::Wait(hive_domain::Span(n * hive_domain::Span::HOUR.0))
}

const fn below(goal: Goal, met: Option<Goal>) -> (Hearing, i8) {
    (Hearing::Goal { goal, below: true, score: 0.5, met }, 0)
}

/// Words of the shipped rules.
const LOST: Hearing = Hearing::Lost(None);
const STOP: Hearing = Hearing::Near(AnnouncedLevel::Stop, 1.0);
const COST: Hearing = Hearing::Served { saved: false, service: None };
const CHEAP: Hearing = Hearing::Fee { below: true, bps: 1.0 };

/// One for each name that is shipped and acts at bars.
const SCENES: [ReactionScene; 28] = {
    use Company::{Anyone, Family, Manager, One, Tracker};
    use Hearing::{Added, Amended, Closed, Doubted, Opened, Reduced, Rested, Waited, Won};
    use ReactionEffect::{Cut, Enter, Hedge, Size, Stop, Target};
    [
        scene("apprentice enters", One, (Opened, 1), (1, 24), Enter(true)),
        scene("apprentice leaves", One, (Closed, 0), (1, 24), Cut(1.0)),
        ReactionScene {
            stage: Stage::Served,
            ..scene("automated spares costs", Anyone, (COST, 0), (1, 24), Size(0.8))
        },
        scene("big money presses", Tracker, below(Goal::BigMoney, Some(Goal::LowRisk)), (1, 0), Size(1.25)),
        scene("contrarian fades", Anyone, (STOP, -1), (2, 0), Enter(false)),
        scene("contrarian shrinks", Anyone, (Opened, 1), (5, 24), Size(0.5)),
        scene("crowd leaves", Anyone, (Closed, 1), (3, 24), Stop(0.8)),
        scene("doubt of the rest", Anyone, (Doubted, 1), (2, 48), hours(24)),
        scene("fast takes sooner", Tracker, below(Goal::Fast, None), (1, 0), Target(0.6)),
        scene("guardian hedges", One, (STOP, 0), (1, 0), Hedge(0.5)),
        scene("guardian waits", One, (LOST, 0), (1, 48), hours(48)),
        scene("herald follows", Anyone, (Opened, 1), (2, 24), Enter(true)),
        scene("hunter reaches", Anyone, (Won, 1), (2, 48), Target(1.25)),
        scene("latecomer shrinks", Anyone, (Added, 1), (2, 48), Size(0.75)),
        ReactionScene {
            stage: Stage::Served,
            ..scene("liquid is larger", Anyone, (CHEAP, 0), (1, 48), Size(1.25))
        },
        scene("low risk heeds its manager", Manager, (Hearing::Turned { less: true }, 0), (1, 24), hours(12)),
        scene("low risk tightens", Tracker, below(Goal::LowRisk, None), (1, 0), Stop(0.7)),
        scene("low risk waits", Tracker, below(Goal::LowRisk, None), (1, 0), hours(24)),
        ReactionScene {
            is_elsewhere: true,
            beside: &["sceptic waits", "low risk waits"],
            ..scene("others hold back", Anyone, (Waited, 1), (2, 48), Size(0.5))
        },
        scene("profits with the crowd", Anyone, (Reduced, 1), (2, 24), Target(0.8)),
        ReactionScene {
            is_elsewhere: true,
            ..scene("range yields", Family(FamilyId::Trend), (Opened, -1), (2, 24), Cut(0.5))
        },
        scene("sceptic waits", Anyone, (Opened, -1), (3, 24), hours(24)),
        ReactionScene {
            stage: Stage::Served,
            ..scene("spares the carry", Anyone, (Hearing::Carry { above: 0.05 }, -1), (1, 24), Target(0.6))
        },
        ReactionScene {
            beside: &["fast takes sooner"],
            ..scene("stops are drawn in", Anyone, (Amended, 1), (2, 96), Stop(0.7))
        },
        scene("twin halves", One, (Opened, -1), (1, 24), Cut(0.5)),
        scene("twin tightens", One, (Opened, -1), (1, 24), Stop(0.6)),
        scene("wait for the crowd to clear", Anyone, (LOST, 1), (2, 24), hours(48)),
        ReactionScene {
            stage: Stage::Resting,
            ..scene("yields to resting orders", Anyone, (Rested, -1), (1, 48), Target(0.7))
        },
    ]
};

/// One for each that families in legs have of their own.
const SCENES_IN_LEGS: [ReactionScene; 9] = {
    use Company::{Anyone, Family};
    use Hearing::{Closed, Opened};
    use ReactionEffect::{Cut, Size, Target, Wait};
    const fn legs(of: ReactionScene) -> ReactionScene {
        ReactionScene { stage: Stage::Legs, ..of }
    }
    let half_an_hour = Wait(hive_domain::Span(30 * hive_domain::Span::MINUTE.0));
    [
        legs(scene(
            "arbitrageur takes sooner",
            Family(FamilyId::Arbitrage),
            (Closed, 0),
            (1, 1),
            Target(0.6),
        )),
        legs(scene("carrier halves", Anyone, (LOST, 0), (3, 24), Cut(0.5))),
        legs(scene("maker thins", Anyone, (Opened, 0), (3, 4), Cut(0.5))),
        legs(scene("maker waits for calm", Anyone, (LOST, 0), (2, 4), hours(1))),
        legs(scene("payers leave", Anyone, (Closed, 0), (5, 8), Cut(0.5))),
        legs(scene("provider starts small", Anyone, (Opened, 0), (2, 48), Size(0.5))),
        legs(scene("scalper stands aside", Family(FamilyId::Scalp), (LOST, 0), (1, 1), half_an_hour)),
        legs(scene("triangle shares", Family(FamilyId::Triangular), (Opened, 0), (1, 1), Size(0.5))),
        legs(scene("volatility seller closes", Family(FamilyId::Volatility), (Opened, 0), (1, 4), Cut(1.0))),
    ]
};

/// A roster in which nobody lives by anything but the rules of one name, as they are or turned round, and those beside it.
fn living_by(config: &Config, scene: &ReactionScene, turn: impl Fn(&Reaction) -> Reaction) -> Config {
    let mut config = config.clone();
    config.roster.scouts = 0;
    if scene.stage == Stage::Legs {
        // Whom it may hear stays; of those in legs nobody else, since they are most of the work.
        let holds = |agent: &Declaration| agent.reacts.iter().any(|r| r.name == scene.name);
        let holders: Vec<FamilyId> =
            config.roster.agents.iter().filter(|a| holds(a)).map(|a| a.family).collect();
        config.roster.agents.retain(|a| !a.family.is_structured() || holders.contains(&a.family));
    }
    for agent in &mut config.roster.agents {
        let is_beside = |r: &&Reaction| scene.beside.contains(&r.name.as_str());
        let rules = agent.reacts.iter().filter(|r| r.name == scene.name || is_beside(r));
        let rules = rules.map(|r| if r.name == scene.name { turn(r) } else { r.clone() });
        agent.reacts = rules.collect();
    }
    config
}

/// The deeds of a run that a rule of this name swayed.
fn deeds_of<'a>(run: &'a Run, name: &str) -> impl Iterator<Item = &'a Message> {
    let agents = &run.engine.cast().agents;
    deeds(&run.messages).filter(move |m| {
        let reacts = &agents[speaker(m).index()].reacts;
        m.swayed.iter().any(|s| reacts[usize::from(s.reaction)].rule.name == name)
    })
}

fn action(m: &Message) -> Option<&Action> {
    if let MessageKind::Action(a) = &m.body { Some(a) } else { None }
}

/// On which side a word is: of a position, or of the intent that has ended.
fn side_of(messages: &[Message], m: &Message) -> f64 {
    match &m.body {
        MessageKind::Action(a) => a.side(),
        MessageKind::Wait(w) => w.without.signum(),
        MessageKind::Rest(r) => r.after.signum(),
        MessageKind::Stance(s) => s.own.signum(),
        // Who is short the perp earns it.
        MessageKind::Carry(c) => -c.value.signum(),
        _ => {
            let other = if m.life == SpokenBy::Open { SpokenBy::Alone } else { SpokenBy::Open };
            let before = messages[..m.id.0 as usize - 1].iter().rev();
            let mut own = before.filter(|o| (o.from, o.asset) == (m.from, m.asset) && o.life != other);
            own.find_map(action).map_or(0.0, Action::side)
        }
    }
}

/// A run with the volatility at each deed.
fn told(config: &Config, tape: &Tape) -> (Run, BTreeMap<u64, f64>) {
    let mut run = Run::start(config, &tape.universe);
    let mut sigmas = BTreeMap::new();
    for event in &tape.events {
        let first = run.messages.len();
        run.play(std::slice::from_ref(event));
        for m in deeds(&run.messages[first..]) {
            let sigma = run.engine.speak.market.instruments[m.asset.unwrap().index()].sigma;
            sigmas.insert(m.id.0, sigma);
        }
    }
    (run, sigmas)
}

impl ReactionScene {
    /// Whether a word is one that it is about.
    fn is_word(&self, (messages, sigma): (&[Message], f64), deed: &Message, said: &Message) -> bool {
        let is_kind = match (self.word, &said.body) {
            (Hearing::Opened, MessageKind::Action(a)) => matches!(a.verb, Verb::Open | Verb::Increase),
            (Hearing::Added, MessageKind::Action(a)) => a.after.abs() > a.before.abs() && a.before != 0.0,
            (Hearing::Reduced, MessageKind::Action(a)) => a.after.abs() < a.before.abs() && a.after != 0.0,
            (Hearing::Amended, MessageKind::Action(a)) => a.after == a.before,
            (Hearing::Waited, MessageKind::Wait(_)) | (Hearing::Rested, MessageKind::Rest(_)) => true,
            (Hearing::Doubted, MessageKind::Stance(s)) => {
                let is_less = s.result.abs() < s.own.abs() || s.result * s.own < 0.0;
                is_less && s.verb != StanceVerb::Keeps
            }
            (Hearing::Turned { .. }, MessageKind::Adjustment(a)) => a.to < a.from && a.agent.is_none(),
            (Hearing::Carry { above }, MessageKind::Carry(c)) => c.value.abs() > above * c.days / 365.0,
            (Hearing::Fee { bps, .. }, MessageKind::Work(w)) => w.fee_bps < bps,
            (Hearing::Served { .. }, MessageKind::Receipt(r)) => r.saved <= 0.0,
            (Hearing::Closed, MessageKind::Action(a)) => matches!(a.verb, Verb::Close | Verb::Decrease),
            (Hearing::Won, MessageKind::Outcome(o)) => o.pnl > 0.0,
            (Hearing::Lost(_), MessageKind::Outcome(o)) => o.pnl <= 0.0,
            (Hearing::Near(AnnouncedLevel::Stop, n), MessageKind::Action(a)) => {
                let price = action(deed).unwrap().price;
                let Term::Level(stop) = a.plan.stop.right else { return false };
                (stop - price).abs() <= n * sigma * price
            }
            (Hearing::Goal { goal, score, met, .. }, MessageKind::Goal(r)) => {
                let last = |of| {
                    let earlier = messages[..deed.id.0 as usize].iter().rev();
                    let mut read = earlier
                        .filter_map(|m| if let MessageKind::Goal(r) = &m.body { Some(r) } else { None });
                    read.find(|r: &&hive_domain::GoalReading| r.goal == of).unwrap()
                };
                // Within its budget is half of what a budget scores.
                r.goal == goal && r.score < score && met.is_none_or(|of| last(of).score >= 0.5)
            }
            _ => false,
        };
        let held = f64::from(self.side) * side_of(messages, deed) * side_of(messages, said);
        let ago = deed.at.since(said.at).0 / hive_domain::Span::HOUR.0;
        is_kind && held >= 0.0 && (self.within == 0 || ago <= self.within)
    }

    /// Whether a deed is what the scene says, with all its causes.
    fn is_met(&self, (run, sigmas): (&Run, &BTreeMap<u64, f64>), deed: &Message) -> bool {
        let (messages, cast) = (&run.messages, run.engine.cast());
        let reacts = &cast.agents[speaker(deed).index()].reacts;
        let own = deed.swayed.iter().filter(|s| reacts[usize::from(s.reaction)].rule.name == self.name);
        let causes: Vec<&Message> =
            own.flat_map(|s| &s.causes).map(|c| &messages[c.message.0 as usize - 1]).collect();
        let is_one = |said: &&Message| {
            let is_who = match self.company {
                Company::Tracker => matches!(said.from, Speaker::Tracker(_)),
                Company::Manager => said.from == Speaker::Manager(Goal::LowRisk),
                Company::Family(of) => cast.agents[speaker(said).index()].family == of,
                Company::Anyone | Company::One => said.from != deed.from,
            };
            let is_there = said.asset.is_none() || (said.asset == deed.asset) != self.is_elsewhere;
            is_who && is_there && self.is_word((messages, sigmas[&deed.id.0]), deed, said)
        };
        let speakers: BTreeSet<_> = causes.iter().map(|m| format!("{:?}", m.from)).collect();
        speakers.len() >= self.at_least && causes.iter().all(is_one) && is_deed_of(self.then, messages, deed)
    }

    /// How many deeds are what the scene says, and how many are not.
    fn count(&self, config: &Config, tape: &Tape) -> (usize, usize) {
        let (run, sigmas) = told(config, tape);
        let met = deeds_of(&run, self.name).filter(|d| self.is_met((&run, &sigmas), d)).count();
        (met, deeds_of(&run, self.name).count() - met)
    }

    /// The same market with other company: those who were heard say nothing, or the trackers read otherwise.
    fn in_other_company(&self, config: &Config, tape: &Tape) -> Run {
        let mut config = config.clone();
        let mut mutes = Vec::new();
        if matches!(self.company, Company::Manager) {
            config.managers = Managers::default();
        } else if matches!(self.company, Company::Tracker) {
            // Whose growth is behind it stays; what it asks beside that is never there.
            let asks_more = matches!(self.word, Hearing::Goal { met: Some(_), .. });
            let loss = if asks_more { 1e-9 } else { 1.0 };
            config.goals = GoalTargets { drawdown: loss, cvar95: loss, months_to_10: 1e9, ..config.goals };
        } else {
            let all = 0..config.roster.agents.len() as u32;
            mutes = all.map(|a| Event::Command(tape.events[0].at(), Command::Mute(AgentId(a)))).collect();
        }
        let mut run = Run::start(&config, &tape.universe);
        run.play(&mutes).play(&tape.events);
        run
    }
}

/// What a holder's open life did on an asset at a barrier.
fn done(messages: &[Message], (at, from, asset): (Stamp, Speaker, Option<AssetId>)) -> Vec<&MessageKind> {
    let own =
        messages.iter().filter(|m| (m.at, m.from, m.asset) == (at, from, asset) && m.life != SpokenBy::Alone);
    let words = own.filter(|m| matches!(m.body, MessageKind::Action(_) | MessageKind::Wait(_)));
    words.map(|m| &m.body).collect()
}

/// A rule turned round, in each way in which it has another sign.
fn turned(rule: &Reaction) -> Vec<Reaction> {
    let mut all = Vec::new();
    let what = |what| {
        let mut other = rule.clone();
        other.hears.what = what;
        other
    };
    all.extend(match rule.hears.what {
        Hearing::Opened => Some(what(Hearing::Closed)),
        Hearing::Added => Some(what(Hearing::Reduced)),
        Hearing::Closed | Hearing::Rested => Some(what(Hearing::Opened)),
        Hearing::Reduced => Some(what(Hearing::Added)),
        Hearing::Amended => Some(what(Hearing::Waited)),
        Hearing::Waited => Some(what(Hearing::Amended)),
        Hearing::Doubted => Some(what(Hearing::Confirmed)),
        Hearing::Confirmed => Some(what(Hearing::Doubted)),
        Hearing::Won => Some(what(Hearing::Lost(None))),
        Hearing::Lost(_) => Some(what(Hearing::Won)),
        Hearing::Turned { less } => Some(what(Hearing::Turned { less: !less })),
        Hearing::Carry { .. } => None,
        Hearing::Fee { below, bps } => Some(what(Hearing::Fee { below: !below, bps })),
        Hearing::Served { saved, service } => Some(what(Hearing::Served { saved: !saved, service })),
        Hearing::Near(_, sigmas) => Some(what(Hearing::Near(AnnouncedLevel::Target, sigmas))),
        Hearing::Goal { goal, below, score, met } => {
            Some(what(Hearing::Goal { goal, below: !below, score, met }))
        }
    });
    let side = match rule.hears.side {
        HeardSide::With => Some(HeardSide::Against),
        HeardSide::Against => Some(HeardSide::With),
        HeardSide::Either => None,
    };
    all.extend(side.map(|side| {
        let mut other = rule.clone();
        other.hears.side = side;
        other
    }));
    let then = match rule.then {
        ReactionEffect::Enter(with) => Some(ReactionEffect::Enter(!with)),
        ReactionEffect::Size(x) => Some(ReactionEffect::Size(2.0 - x)),
        ReactionEffect::Target(x) => Some(ReactionEffect::Target(2.0 - x)),
        _ => None,
    };
    all.extend(then.map(|then| Reaction { then, ..rule.clone() }));
    all
}

/// The embedded market with legs.
fn in_detail() -> Tape {
    let (bars, days) = IN_LEGS;
    let start = SynthSettings { bars_days: bars + days, ..SynthSettings::default() };
    let mut detail = Detail::last(days, start.from, start.bars_days);
    // Else venues hardly come apart.
    detail.faults = true;
    Tape::of(&mut SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap())
}

/// Where a scene is played: a roster whose agents live by its rule, and the market.
fn stages(scene: &ReactionScene) -> (Vec<Config>, Tape) {
    let name = scene.name;
    match scene.stage {
        Stage::Bars | Stage::Legs => {
            let all = READY.iter().map(|ready| config::parse(ready.name, ready.text).unwrap());
            let held = |c: &Config| c.roster.agents.iter().flat_map(|a| &a.reacts).any(|r| r.name == name);
            let tape = if scene.stage == Stage::Legs { in_detail() } else { Tape::market(DAYS) };
            (all.filter(held).collect(), tape)
        }
        Stage::Served => (vec![served::config(true)], served::paired(SERVED_DAYS, 0)),
        Stage::Resting => {
            let mut config = shipped();
            let agents = config.roster.agents.clone();
            for agent in agents.iter().filter(|a| a.family == FamilyId::SupportResistance) {
                config = served::with(config, &agent.name, &[("rest", 12.0)]);
            }
            (vec![config], Tape::market(DAYS))
        }
    }
}

/// The roster in which a rule makes most deeds, everybody living by it alone, and these.
fn where_it_acts(
    scene: &ReactionScene,
    (rosters, tape): (Vec<Config>, &Tape),
) -> (Config, Run, BTreeMap<u64, f64>) {
    let runs = rosters.into_iter().map(|config| {
        let (run, sigmas) = told(&living_by(&config, scene, Clone::clone), tape);
        (config, run, sigmas)
    });
    runs.max_by_key(|(_, run, _)| deeds_of(run, scene.name).count()).unwrap()
}

/// What is wrong with a rule that does not do what its scene says, or does it turned round or in other company too.
fn wrong_with(scene: &ReactionScene) -> Vec<String> {
    let (name, mut wrong) = (scene.name, Vec::new());
    let (rosters, tape) = stages(scene);
    let (config, run, sigmas) = where_it_acts(scene, (rosters, &tape));
    let as_it_is = living_by(&config, scene, Clone::clone);
    let all: Vec<&Message> = deeds_of(&run, name).collect();
    println!("{name}: {} deeds", all.len());
    let Some(deed) = all.last() else { return vec![format!("{name} makes no deed")] };
    let unlike = all.iter().find(|deed| !scene.is_met((&run, &sigmas), deed));
    wrong.extend(unlike.map(|deed| format!("{name} does {deed:?}")));
    let other = scene.in_other_company(&as_it_is, &tape);
    // Before anything was lost any budget is kept.
    let most = if matches!(scene.company, Company::Tracker) { all.len() / 10 } else { 0 };
    let place = (deed.at, deed.from, deed.asset);
    if deeds_of(&other, name).count() > most || done(&run.messages, place) == done(&other.messages, place) {
        wrong.push(format!("{name} does the same in other company"));
    }
    let mut rules = as_it_is.roster.agents.iter().flat_map(|a| &a.reacts);
    let holder = rules.find(|r| r.name == name).unwrap();
    for (way, what) in turned(holder).iter().enumerate() {
        let (met, others) = scene.count(&living_by(&config, scene, |rule| turned(rule)[way].clone()), &tape);
        println!("  {what}: {met} like it, {others} not");
        if met >= all.len() || (met > 0 && others == 0) {
            wrong.push(format!("{what}: the deeds of {name}"));
        }
    }
    wrong
}

/// What is wrong with any of these, looked at by two at a time.
fn wrong_with_all(scenes: &[ReactionScene]) -> Vec<String> {
    std::thread::scope(|threads| {
        let parts = scenes.chunks(scenes.len().div_ceil(2));
        let look = |part: &[ReactionScene]| part.iter().flat_map(wrong_with).collect::<Vec<_>>();
        let runs: Vec<_> = parts.map(|part| threads.spawn(move || look(part))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn each_shipped_reaction_makes_its_deed_and_turned_round_or_in_other_company_it_does_not() {
    let mut names = BTreeSet::new();
    for ready in &READY {
        let agents = config::parse(ready.name, ready.text).unwrap().roster.agents;
        names.extend(agents.into_iter().flat_map(|a| a.reacts).map(|r| r.name));
    }
    let scenes = SCENES.iter().chain(&SCENES_IN_LEGS);
    let scenes: BTreeSet<String> = scenes.map(|s| s.name.to_owned()).collect();
    assert_eq!(names, scenes, "each has a scene, and each scene a rule");
    let wrong = wrong_with_all(&SCENES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_shipped_reaction_of_families_in_legs_does_so_too() {
    let wrong = wrong_with_all(&SCENES_IN_LEGS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
