//! Managers as agents: each muted, paused and removed; those of teams hold their agents back and let go; and what each was
//! worth is the hive less a hive without it.

use crate::common::{Run, Tape, commanded, run, shipped};
use hive_core::agents::declaration::{TeamManager, TeamMembers, TeamReading};
use hive_core::config::Config;
use hive_core::hive::settings::{FastManager, LowRiskManager, Managers};
use hive_domain::{
    Adjustment, AgentId, Command, FamilyId, Goal, HeardOn, HeardSide, Hearing, Hears, Knob, ManagerId,
    MessageKind, Reaction, ReactionEffect, Span, Speaker, Stamp, Whom,
};
use hive_market::synth::SynthWorld;

const NONE: Managers = Managers { low_risk: None, big_money: None, fast: None, automated: None, asset: None };

/// Over everybody with a reading that is passed at once, and never left.
fn warden(size: f64) -> TeamManager {
    TeamManager {
        name: "Warden".to_owned(),
        goal: Goal::LowRisk,
        over: vec![TeamMembers::Family(FamilyId::Trend), TeamMembers::Agent("Ada".to_owned())],
        watches: TeamReading::Crowding,
        above: 0.01,
        release: 0.0,
        size,
    }
}

/// A market with falls, a target out of proportion, and hardly any budget: every manager has something to do.
fn busy() -> (Config, Tape) {
    let mut config = shipped();
    config.desk.target_vol = 0.6;
    config.goals.growth = 10.0;
    config.roster.managers = vec![warden(0.5)];
    (config, Tape::synth(SynthWorld::Market, 3, 300))
}

fn all(config: &Config) -> Vec<ManagerId> {
    (0..ManagerId::NAMES.len() + config.roster.managers.len()).map(|n| ManagerId(n as u8)).collect()
}

fn by(run: &Run, id: ManagerId) -> Vec<(Stamp, Adjustment)> {
    let said = run.messages.iter().filter(|m| m.from == id.speaker());
    said.filter_map(|m| if let MessageKind::Adjustment(a) = m.body { Some((m.at, a)) } else { None })
        .collect()
}

/// Agent 7 is held by the hand until the A manager takes it.
fn hands() -> Vec<(usize, Command)> {
    let one = AgentId(7);
    (0..3).flat_map(|i| [(300 + 2 * i, Command::Pause(one)), (301 + 2 * i, Command::Resume(one))]).collect()
}

#[test]
fn law03_a_manager_that_is_paused_lets_go_and_rests_and_goes_on_where_it_is_resumed() {
    let (config, tape) = busy();
    let at = |barrier: usize| tape.events[tape.after(barrier) - 1].at();
    let plain = commanded(&config, &tape, &hands());
    for id in all(&config) {
        let (from, to) = (900, 1_500);
        let rest = [(from, Command::PauseManager(id)), (to, Command::ResumeManager(id))];
        let paused = commanded(&config, &tape, &[hands(), rest.to_vec()].concat());
        let (was, said) = (by(&plain, id), by(&paused, id));
        assert!(!was.is_empty(), "{id:?} has nothing to do here");
        let until = |said: &[(Stamp, Adjustment)]| said.iter().filter(|s| s.0 < at(from)).count();
        assert_eq!(until(&was), until(&said), "{id:?}: before it was paused");
        let home: Vec<&Adjustment> =
            said.iter().filter(|(t, _)| *t >= at(from) && *t < at(to)).map(|(_, a)| a).collect();
        let gross = config.desk.gross_max;
        let is_home = |a: &&Adjustment| a.to == 1.0 || (a.knob == Knob::GrossCap && a.to == gross);
        // BM gives back what LR took: at rest it gives nothing back.
        let is_given = id == ManagerId::of_goal(Goal::BigMoney);
        assert!(is_given || home.iter().all(is_home), "{id:?} turned away from home at rest: {home:?}");
        assert!(!paused.engine.respond.office.hand(id).paused);
    }
}

#[test]
fn law03_paused_from_the_start_is_removed() {
    let (config, tape) = busy();
    for id in all(&config) {
        let mut without = config.clone();
        match id.speaker() {
            Speaker::Manager(Goal::LowRisk) => without.managers.low_risk = None,
            Speaker::Manager(Goal::BigMoney) => without.managers.big_money = None,
            Speaker::Manager(Goal::Fast) => without.managers.fast = None,
            Speaker::Manager(_) => without.managers.automated = None,
            Speaker::Netting => without.managers.asset = None,
            _ => without.roster.managers.clear(),
        }
        let removed = run(&without, &tape);
        assert!(by(&removed, id).is_empty());
        let paused = commanded(&config, &tape, &[(1, Command::PauseManager(id))]);
        let decisions = |run: &Run| run.engine.respond.decisions.to_string();
        assert_eq!(decisions(&paused), decisions(&removed), "{id:?}");
        assert!(by(&paused, id).is_empty(), "{id:?}");
    }
}

/// Deeds of the others that name this manager's words.
fn caused(run: &Run, id: ManagerId) -> usize {
    let said: Vec<u64> = run.messages.iter().filter(|m| m.from == id.speaker()).map(|m| m.id.0).collect();
    let causes = run.messages.iter().flat_map(|m| &m.swayed).flat_map(|s| &s.causes);
    causes.filter(|c| said.binary_search(&c.message.0).is_ok()).count()
}

#[test]
fn law03_a_manager_that_is_muted_acts_and_moves_nobodys_reactions() {
    let (mut config, tape) = busy();
    // Everybody hears whatever turn of the whole there is.
    let hears = |name: &str, less, then| Reaction {
        name: name.to_owned(),
        hears: Hears {
            what: Hearing::Turned { less },
            who: Whom::Anyone,
            on: HeardOn::Mine,
            side: HeardSide::Either,
            at_least: 1,
            within: Span(2 * Span::DAY.0),
        },
        then,
    };
    let rules =
        [hears("less", true, ReactionEffect::Cut(0.25)), hears("more", false, ReactionEffect::Stop(0.8))];
    config.roster.agents.iter_mut().for_each(|a| a.reacts = rules.to_vec());
    let plain = commanded(&config, &tape, &hands());
    let mut heard = 0;
    for id in all(&config) {
        let mute = (1, Command::MuteManager(id));
        let muted = commanded(&config, &tape, &[vec![mute], hands()].concat());
        assert_eq!(caused(&muted, id), 0, "{id:?}");
        // What it does is done all the same, and money follows alone lives.
        assert_eq!(by(&muted, id), by(&plain, id), "{id:?}");
        assert!(!by(&muted, id).is_empty(), "{id:?} has nothing to do here");
        let decisions = |run: &Run| run.engine.respond.decisions.to_string();
        assert_eq!(decisions(&muted), decisions(&plain), "{id:?}");
        if caused(&plain, id) > 0 {
            heard += 1;
            // Unmuted, it is heard again.
            let back = [vec![mute, (2, Command::UnmuteManager(id))], hands()].concat();
            assert_eq!(caused(&commanded(&config, &tape, &back), id), caused(&plain, id), "{id:?}");
        }
    }
    // The others turn what is about one agent, which is nobody else's to hear.
    assert!(heard >= 3, "{heard}");
}

#[test]
fn law03_a_team_is_held_back_while_its_reading_is_too_high_and_two_managers_are_the_more_cautious() {
    let tape = Tape::market(200);
    let mut config = Config { managers: NONE, ..shipped() };
    config.funds.by_points = false;
    let plain = run(&config, &tape);
    config.roster.managers = vec![warden(0.5), TeamManager { name: "Strict".to_owned(), ..warden(0.25) }];
    config.roster.managers[1].over = vec![TeamMembers::DeployedFor(Goal::Fast)];
    let run = run(&config, &tape);
    let (office, cast) = (&run.engine.respond.office, run.engine.cast());
    let mut seen = [0; 4];
    for agent in &cast.agents[..cast.declared] {
        let (warden, strict) =
            (agent.family == FamilyId::Trend || agent.name == "Ada", agent.goal == Goal::Fast);
        let size = match (warden, strict) {
            (_, true) => 0.25,
            (true, false) => 0.5,
            (false, false) => 1.0,
        };
        assert_eq!(office.size(agent.id), size, "{}", agent.name);
        seen[usize::from(warden) + 2 * usize::from(strict)] += 1;
    }
    assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    let said = run.messages.iter().filter(|m| matches!(m.from, Speaker::Team(_)));
    assert_eq!(said.count(), 2, "each turned once: its reading never falls to nothing");
    assert_ne!(run.engine.respond.decisions, plain.engine.respond.decisions);
    assert_eq!(run.engine.speak, plain.engine.speak, "a manager has no say in what is said");
}

/// Where a manager changes nothing but its knobs, the shadow without it is the hive of a run without it.
#[test]
fn what_a_manager_is_worth_is_the_hive_less_the_hive_without_it() {
    let tape = Tape::synth(SynthWorld::Market, 3, 250);
    let mut config = shipped();
    // Nothing of the account comes back into what is held.
    config.funds.by_points = false;
    config.funds.drawdown_max = 100.0;
    config.managers = NONE;
    config.listening.reactions = false;
    let bare = run(&config, &tape).engine.respond.gauge.hive.equity;
    let lr = Managers { low_risk: Some(LowRiskManager::default()), ..NONE };
    let fast = Managers { fast: Some(FastManager::default()), ..NONE };
    let mut team = config.clone();
    team.roster.managers = vec![warden(0.5)];
    let of = |goal: Goal| ManagerId::of_goal(goal);
    let cases = [
        (Config { managers: lr, ..config.clone() }, of(Goal::LowRisk)),
        (Config { managers: fast, ..config.clone() }, of(Goal::Fast)),
        (team, ManagerId::of_team(0)),
    ];
    for (with, id) in cases {
        let run = run(&with, &tape);
        let gauge = &run.engine.respond.gauge;
        let without = gauge.without.iter().find(|w| w.manager == id).unwrap();
        assert_eq!(without.equity().to_bits(), bare.to_bits(), "{id:?}");
        assert_ne!(gauge.hive.equity, bare, "{id:?} has done something");
        assert!(gauge.worth_of(id).is_some());
    }
}
