//! A run lived again without some of what was said: with nothing withheld it is the run, with everything withheld and closed
//! ears it is the deaf run, and in between each company decides what it would by itself.

use crate::common::{Run, SCOUTS, Tape, run, scenes, served, shipped};
use hive_core::config::{self, Config};
use hive_core::engine::counterfactual::Counterfactuals;
use hive_core::engine::respond::Respond;
use hive_core::hive::settings::Managers;
use hive_core::hive::withheld::{Withheld, is_heard_by_anybody};
use hive_domain::{
    Digest, Event, InstrumentKind, Message, MessageId, MessageKind, Money, Speaker, TopicKind,
};
use std::collections::BTreeMap;

/// What came of a life: decisions, real money, and the open lives' estimate of theirs.
fn end(respond: &Respond) -> (Digest, Money, f64) {
    (respond.decisions, respond.real.account.equity(), respond.open.equity())
}

/// Lives through a tape once for each of these; and all that was said in the first.
fn lived(config: &Config, tape: &Tape, withheld: Vec<Withheld>) -> (Counterfactuals, Vec<Message>) {
    let mut lives = Run::start(config, &tape.universe).engine.without(withheld);
    let mut said = Vec::new();
    for event in &tape.events {
        lives.step(event);
        said.extend_from_slice(lives.messages(0));
    }
    (lives, said)
}

/// A hive of bars, one that also lives in legs, and one whose desk is served.
fn houses() -> Vec<(Config, Tape)> {
    vec![(shipped(), Tape::market(250)), (served::config(true), served::paired(150, 0)), full_house(20, 3)]
}

/// All families, on so many days of bars and then of detail.
fn full_house(bars: u32, days: u32) -> (Config, Tape) {
    let mut config = config::parse("full-house.toml", scenes::ROSTER).unwrap();
    config.roster.scouts = SCOUTS;
    let mut scene = scenes::house((bars, days), &scenes::as_it_is);
    let universe = scene.engine.universe().clone();
    (config, Tape { universe, events: std::iter::from_fn(|| scene.event()).collect() })
}

fn quotes(agents: usize) -> Withheld {
    let mut quotes = Withheld::default();
    for from in Speaker::all(agents) {
        [TopicKind::Carry, TopicKind::Work].iter().for_each(|kind| quotes.withhold(from, *kind));
    }
    quotes
}

#[test]
fn law02_a_run_of_which_nothing_is_withheld_is_the_run_to_the_last_bit() {
    for (config, tape) in houses() {
        let (lives, said) = lived(&config, &tape, vec![Withheld::default()]);
        let run = run(&config, &tape);
        assert!(lives.ends().next() == Some(&run.engine.respond));
        assert_eq!((said, lives.now()), (run.messages, run.engine.now()));
    }
}

#[test]
fn law02_with_everything_withheld_and_closed_ears_it_is_the_deaf_run() {
    for (config, tape) in houses() {
        let agents = Run::start(&config, &tape.universe).engine.cast().agents.len();
        let all = Withheld::everything(agents);
        let silent = all.clone().with_closed_ears();
        let (lives, _) = lived(&config, &tape, vec![Withheld::default(), all, silent]);
        let ends: Vec<_> = lives.ends().map(end).collect();
        let mut deaf = config.clone();
        deaf.listening.enabled = false;
        let (apart, _) = lived(&deaf, &tape, vec![quotes(agents), Withheld::default()]);
        let apart: Vec<_> = apart.ends().map(end).collect();
        assert_eq!(ends[2], apart[0]);
        assert!(ends[0] != ends[1] && ends[1] != ends[2], "hearing matters, and so do open ears in silence");
        let serves = config.services.carry || config.services.liquidity;
        assert!(apart[0] == apart[1] || serves, "without services it is the deaf run as it is");
    }
}

#[test]
fn law01_each_company_decides_what_it_would_by_itself() {
    let (config, tape) = houses().remove(1);
    let mut all = vec![Withheld::default(); 4];
    for from in Speaker::all(20) {
        all[1].withhold(from, TopicKind::Open);
        all[2].withhold(from, TopicKind::Work);
        all[3].withhold(from, TopicKind::Adjustment);
    }
    let (together, _) = lived(&config, &tape, all.clone());
    for (withheld, together) in all.into_iter().zip(together.ends()) {
        let (alone, _) = lived(&config, &tape, vec![withheld]);
        assert!(alone.ends().next() == Some(together));
    }
}

#[test]
fn law03_managers_that_nobody_hears_turn_nothing() {
    let (config, tape) = (shipped(), Tape::market(250));
    let mut unheard = Withheld::default();
    let speakers = Speaker::all(0).filter(|s| matches!(s, Speaker::Manager(_) | Speaker::Netting));
    speakers.for_each(|from| unheard.withhold(from, TopicKind::Adjustment));
    let (lives, said) = lived(&config, &tape, vec![unheard, Withheld::default()]);
    let ends: Vec<_> = lives.ends().map(end).collect();
    let again = said.iter().filter(|m| TopicKind::of(&m.body) == TopicKind::Adjustment).count();
    let none = Config { managers: Managers::default(), ..config };
    assert_eq!(ends[0], end(&run(&none, &tape).engine.respond));
    assert!(ends[0] != ends[1] && again > 10, "they say it again day after day: {again}");
}

#[test]
fn one_message_taken_away_is_its_kind_taken_away_where_it_is_the_only_one() {
    let (config, tape) = (shipped(), Tape::market(250));
    let mut tape = Tape { events: tape.events[..tape.after(500)].to_vec(), ..tape };
    let said = run(&config, &tape).messages;
    let mut pairs: BTreeMap<(usize, TopicKind), Vec<&Message>> = BTreeMap::new();
    for message in &said {
        pairs.entry((message.from.index(), TopicKind::of(&message.body))).or_default().push(message);
    }
    let only = |m: &[&Message]| m.len() == 1 && TopicKind::of(&m[0].body) == TopicKind::Open;
    let one = pairs.values().find(|m| only(m)).expect("somebody opens once")[0];
    // As long as it is the only one in every company.
    let next = tape.events.iter().filter(|e| matches!(e, Event::Barrier(at) if *at <= one.at)).count() + 30;
    tape.events.truncate(tape.after(next));
    let mut kind = Withheld::default();
    kind.withhold(one.from, TopicKind::Open);
    let mut other = Withheld::default();
    other.withhold(one.from, TopicKind::Carry);
    let (lives, _) = lived(&config, &tape, vec![Withheld::default(), Withheld::message(one.id), kind, other]);
    let lives: Vec<&Respond> = lives.ends().collect();
    assert!(lives[1] == lives[2], "the same to the last bit");
    assert!(end(lives[0]) != end(lives[1]), "somebody heard it");
    assert_eq!(end(lives[0]), end(lives[3]), "what was not said cannot be missed");
}

#[test]
fn what_nobody_listens_for_changes_nothing_where_it_is_withheld() {
    for (config, tape) in houses() {
        let engine = Run::start(&config, &tape.universe).engine;
        let (cast, mut unheard) = (engine.cast(), Withheld::default());
        let (mut heard, mut pairs) = (0, 0);
        for from in Speaker::all(cast.agents.len()) {
            for kind in TopicKind::ALL {
                if is_heard_by_anybody(cast, from, kind) {
                    heard += 1;
                } else {
                    pairs += 1;
                    unheard.withhold(from, kind);
                }
            }
        }
        let (lives, _) = lived(&config, &tape, vec![Withheld::default(), unheard]);
        let ends: Vec<_> = lives.ends().map(end).collect();
        assert_eq!(ends[0], ends[1]);
        assert!(heard > 100 && pairs > 10, "{heard} heard, {pairs} not");
    }
}

/// Messages that deeds of this life name as causes, and stances as reasons.
fn named(said: &[Message]) -> impl Iterator<Item = MessageId> {
    let deeds = said.iter().flat_map(|m| m.swayed.iter().flat_map(|s| s.causes.iter().map(|c| c.message)));
    let reasons =
        said.iter().filter_map(|m| if let MessageKind::Stance(s) = &m.body { Some(s.because) } else { None });
    deeds.chain(reasons.flatten().flatten())
}

#[test]
fn nobody_names_a_word_that_was_not_heard() {
    let (config, tape) = full_house(60, 3);
    let agents = Run::start(&config, &tape.universe).engine.cast().agents.len();
    let of_all = |kind: TopicKind| {
        let mut unheard = Withheld::default();
        Speaker::all(agents).for_each(|from| unheard.withhold(from, kind));
        unheard
    };
    let withheld = [Withheld::default()].into_iter().chain(TopicKind::ALL.map(of_all));
    let mut lives = Run::start(&config, &tape.universe).engine.without(withheld);
    let mut said: Vec<Vec<Message>> = vec![Vec::new(); TopicKind::ALL.len() + 1];
    for event in &tape.events {
        lives.step(event);
        said.iter_mut().enumerate().for_each(|(i, said)| said.extend_from_slice(lives.messages(i)));
    }
    // A number is the place in a row of its own, from 1.
    let kind_of = |said: &[Message], id: MessageId| TopicKind::of(&said[id.0 as usize - 1].body);
    let mut heard = 0;
    for (kind, without) in TopicKind::ALL.into_iter().zip(&said[1..]) {
        let names = |said: &[Message]| named(said).filter(|id| kind_of(said, *id) == kind).count();
        heard += usize::from(names(&said[0]) > 0);
        assert_eq!(names(without), 0, "{}", kind.text());
    }
    assert!(heard > 9, "most kinds are heard here: {heard}");
}

#[test]
fn a_desk_that_hears_no_quotes_carries_nothing_and_takes_its_orders_itself() {
    let (config, tape) = houses().remove(1);
    let agents = Run::start(&config, &tape.universe).engine.cast().agents.len();
    let (lives, _) = lived(&config, &tape, vec![Withheld::default(), quotes(agents)]);
    let spot = tape.universe.instruments.iter().filter(|i| i.kind == InstrumentKind::Spot);
    let spot: Vec<_> = spot.map(|i| i.id).collect();
    let served = |respond: &Respond| {
        let ledger = &respond.real.account.ledger;
        let carried = spot.iter().filter_map(|id| ledger.turnover(*id)).any(|t| !t.traded.is_zero());
        (carried, respond.real.execution.services.worked().rested > 0.0)
    };
    assert_eq!(lives.ends().map(served).collect::<Vec<_>>(), [(true, true), (false, false)]);
}
